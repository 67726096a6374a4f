/*
 * state.h
 *	  A search through blocks while it runs: what the files that make it up
 *	  share.
 *
 * stop.c knows when to stop; visit.c visits a block; search.c goes through
 * directory and blocks.
 */
#ifndef HX_BLOCKS_SEARCH_STATE_H
#define HX_BLOCKS_SEARCH_STATE_H

#include <math.h>

#include "index/blocks/recall/misses.h"
#include "index/blocks/store/directory.h"
#include "index/search/state.h"

/* Of rows that the filter rejects, one in so many is scored at the least */
#define HX_SPARSEST_SAMPLE 32

/* Blocks visited lately: of the last bin of promise and so many before it */
#define HX_LATE_BINS 7

/* Rows seen, and those of them that passed, by distance in bins of the table */
typedef struct HxSeenRows
{
	double rows[HX_MISSES_DISTANCES];
	double passed[HX_MISSES_DISTANCES];
} HxSeenRows;

/* What the stop rule knows, by bins of the table */
typedef struct HxTally
{
	double rows[HX_MISSES_PROMISES];	  /* of all blocks */
	double unvisited[HX_MISSES_PROMISES]; /* of these, of blocks not visited */
	double places[HX_MISSES_PROMISES];	 /* sum over the others of the rows gone
										   * past up to their block's end */
	HxSeenRows seen;					 /* in all blocks visited ... */
	HxSeenRows before[HX_LATE_BINS + 1]; /* ... and before those of a bin, at
										  * the bin modulo their number */
	int bin;							 /* greatest that was come to */
	double failed_at[HX_MISSES_DISTANCES]; /* of these, rows whose heap row
										   * failed the check */
	double shares[HX_MISSES_PROMISES];	   /* shares below `shares_of` */
	double shares_of;					   /* distance, or NaN */
	double expected; /* rows below it of blocks visited, by the table ... */
	double to_come;	 /* ... and of those not visited */
	double placed;	 /* sum over those expected of their places */
	double inner[HX_MISSES_PROMISES]; /* shares below the bin `inside_of` */
	int inside_of;					  /* -1: none yet */
	double inside;					  /* rows below it of blocks not visited */
	double position;				  /* mean of the rows wanted ... */
	int64 position_of;				  /* ... when they were so many */
} HxTally;

/* Arrays of blocks, which outlive a search; none yet if `order` is NULL */
typedef struct HxVisitArrays
{
	HxBlocks blocks;  /* that of rows without a vector is the last, if wanted */
	int *order;		  /* blocks in the order of visits */
	float *min_bound; /* exact: least bound of order[i] and all behind */
	uint16 *bucket;	  /* of the blocks, where they are sorted */
	int room;		  /* of these three */
} HxVisitArrays;

typedef struct HxBlocksSearch
{
	HxSearch base;

	HxMeta meta; /* as it was at the start */
	HxLoadedMisses misses;
	HxSafety safety;			/* factors on expected misses */
	float bin_scale;			/* promise to row of the table */
	float bin_offset;			/* likewise */
	uint64 rows_at_calibration; /* rows that the table was made from */
	bool must_be_exact;			/* whatever the phase */
	double gone; /* rows of blocks that the phase has gone past */

	bool is_read; /* the directory was read */
	HxVisitArrays arrays;
	int nvectors;  /* blocks of rows with a vector */
	bool pruned;   /* blocks lacks those done with ... */
	HxOwners done; /* ... whose owners are these */
	int next;	   /* next block in order ... */
	int nvisits;   /* ... of this many */
	HxTally tally;

	HxOwners visits; /* owners of blocks visited */
	int ndistinct;	 /* of these, the first this many are different */
	bool restarted;	 /* others may be there twice */

	BlockNumber page;	/* rows page being scored */
	bool scored;		/* all distances of it were computed, for its mask */
	uint64 *masks[2];	/* of it, and of the page behind it */
	uint8 *gathered;	/* scratch: payloads of a page that are scored ... */
	int *gathered_rows; /* ... and their rows */
} HxBlocksSearch;

/* Is there a mask? */
static inline bool
HxIsMasked(const HxBlocksSearch *search)
{
	return search->base.filtered || search->base.spec.nballs > 0;
}

/* Row of the table for a block. */
static inline int
HxBlockPromiseBin(const HxBlocksSearch *search, int block)
{
	float bin = search->arrays.blocks.promises[block] * search->bin_scale +
				search->bin_offset;

	if (!(bin > 0))
		return 0;
	return bin >= HX_MISSES_PROMISES ? HX_MISSES_PROMISES - 1 : (int) bin;
}

/* Rows that a search had gone past behind a row's block, kept in 8 bits */
static inline uint8
HxPackPosition(double position)
{
	return (uint8) Min(rint(8 * log2(Max(position, 1))), PG_UINT8_MAX);
}

static inline double
HxUnpackPosition(uint8 packed)
{
	return exp2(packed / 8.0);
}

/* stop.c: see is_settled and missing in kind.h. */
extern bool HxIsBlocksSearchSettled(HxSearch *base, double distance,
									int64 count);
extern double HxMissingRows(HxSearch *base, double distance);

/*
 * visit.c: visit a block, scoring one in `sampled` of the rows that the filter
 * rejects.  False if a page has gone to another block: what was found is not
 * all.
 */
extern bool HxVisitBlock(HxBlocksSearch *search, const HxBlock *block,
						 int sampled);

#endif /* HX_BLOCKS_SEARCH_STATE_H */
