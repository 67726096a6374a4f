/*
 * search_state.h
 *	  A search while it runs: what the files that make it up share.
 *
 * search.c goes through directory, stages and rows; visit.c visits a block;
 * stop.c knows when to stop; limited.c finds a known number of rows; ranking.c
 * does without blocks.
 */
#ifndef HX_SEARCH_STATE_H
#define HX_SEARCH_STATE_H

#include "utils/float.h"

#include "index/kept.h"
#include "index/sparse.h"

/* What the stop rule knows, by bins of the table */
typedef struct HxTally
{
	double unvisited[HX_TABLE_PROMISES];  /* rows of blocks not visited */
	double seen_at[HX_TABLE_DISTANCES];	  /* rows seen by distance */
	double passed_at[HX_TABLE_DISTANCES]; /* of these, rows that passed */
	double failed_at[HX_TABLE_DISTANCES]; /* of these, rows whose heap row
										   * failed the check */
	double seen;						  /* all rows seen */
	double passed;						  /* all that passed */
	double shares[HX_TABLE_PROMISES];	  /* shares below `shares_of` */
	double shares_of;					  /* distance */
} HxTally;

struct HxSearch
{
	Relation index;
	HxIndexDesc desc;
	HxSearchSpec spec;
	HxExpect expect;
	bool exact;		  /* no stop by expected misses */
	double safety;	  /* factor on expected misses */
	float bin_scale;  /* promise to row of the table */
	float bin_offset; /* likewise */
	uint64 nrows;	  /* rows of all blocks that the filter may pass */
	uint64 rows_at_calibration; /* rows that the table was made from */
	HxBlocks blocks;
	bool pruned;	  /* blocks lacks those done with ... */
	HxOwners done;	  /* ... whose owners are these */
	int *order;		  /* blocks in the order of visits */
	float *min_bound; /* exact: least bound of order[i] and all behind */
	int next;		  /* next block in order */
	int stage;
	bool in_nulls;	  /* now among the rows whose distance is NULL */
	bool see_dead;	  /* marks of dead rows do not count */
	BlockNumber page; /* rows page being read */

	HxCandidate *kept; /* best rows of this stage */
	int allocated;	   /* room there is */
	int room;		   /* how many are kept at most */
	int nkept;
	bool sorted;	  /* kept is sorted; else a heap once it is full */
	int nemitted;	  /* of kept */
	int nready;		  /* of kept, may be emitted */
	bool has_last;	  /* something was emitted ... */
	HxCandidate last; /* ... this last */

	bool limited;			   /* this stage finds a known number of rows ... */
	bool found;				   /* ... and has done so ... */
	bool exhausted;			   /* ... or found all there are */
	int64 limited_room;		   /* ... among so many */
	int64 ngood;			   /* limited: rows that passed the check ... */
	double middle;			   /* ... and distance of the inner half's last */
	HxKept best;			   /* limited: instead of `kept` */
	uint64 returned;		   /* rows returned by all stages */
	HxChecked checked;		   /* heap rows looked at */
	uint64 nchecked;		   /* how many, without those of other stages */
	struct HxRanking *ranking; /* if rows come without blocks */

	HxTally tally;
	HxSearchStats stats;

	int nlines; /* cache lines of a rows page fetched ahead ... */
	uint16 lines[BLCKSZ / HX_CACHE_LINE]; /* ... these */

	uint64 *mask;	   /* rows of a page that pass */
	uint64 *inside;	   /* scratch: rows of a page within some balls */
	double *distances; /* distances of a page's rows */
	bool scored;	   /* all of the page's, from the query: for its mask */
	HxSparseSearch *sparse; /* of sparse vectors: all that is used */
	ItemPointerData *tids;	/* rows of a block, for searches not ordered */
	int64 ntids;
	int64 tids_room;
	MemoryContext context;
};


/* visit.c: is there a mask? */
static inline bool
HxSearchIsFiltered(const HxSearch *search)
{
	return !HxFilterIsTrivial(search->spec.filter) || search->spec.nballs > 0 ||
		   search->spec.tids;
}

/* Row of the table for a block. */
static inline int
HxBlockPromiseBin(const HxSearch *search, int block)
{
	float bin =
		search->blocks.promises[block] * search->bin_scale + search->bin_offset;

	if (!(bin > 0))
		return 0;
	return bin >= HX_TABLE_PROMISES ? HX_TABLE_PROMISES - 1 : (int) bin;
}

/* Distance above which a row is not kept; only ever falls within a stage */
static inline double
HxWorstKept(const HxSearch *search)
{
	if (search->limited)
		return search->best.worst;
	if (search->nkept < search->room)
		return get_float8_infinity();
	return search->kept[search->sorted ? search->nkept - 1 : 0].distance;
}

/* search.c: add a row to those kept, of a stage that is not limited. */
extern void HxInsertRow(HxSearch *search, const HxCandidate *row);

/* search.c: begin the stage, from the first block on. */
extern void HxStartStage(HxSearch *search);

/* search.c: visit the next block of the order, if it can matter. */
extern void HxVisitNext(HxSearch *search);

/* visit.c: choose what of a page is to be fetched ahead. */
extern void HxPlanPrefetch(HxSearch *search);

/*
 * visit.c: visit a block, scoring one in `sampled` of the rows that the filter
 * rejects.  False if a page has gone to another block: what was found is not
 * all.
 */
extern bool HxVisitBlock(HxSearch *search, const HxBlock *block, int sampled);

/*
 * stop.c: may the `count` rows found up to a distance be returned?  While there
 * are blocks left.
 */
extern bool HxIsSettled(HxSearch *search, double distance, int64 count);

/* limited.c: can this stage be limited, and to how many rows? */
extern bool HxCanLimit(const HxSearch *search);

/* limited.c: prepare a limited stage. */
extern void HxStartLimited(HxSearch *search);

/* limited.c: find the rows of a limited stage: the first `nready` of best. */
extern void HxFindLimited(HxSearch *search);

/* limited.c: does a row's heap row pass the check?  Asked once. */
extern bool HxCheckRow(HxSearch *search, HxCandidate *row);

/* ranking.c: should heap rows be ranked instead of searching blocks? */
extern bool HxShouldRank(const HxSearch *search);

/* ranking.c: has searching blocks taken as long as ranking would? */
extern bool HxRankingIsDue(const HxSearch *search);

/* ranking.c: fetch all rows of the set of TIDs and rank them. */
extern void HxStartRanking(HxSearch *search);

/* ranking.c: do heap rows fail so often that reading all takes no longer? */
extern bool HxSweepIsDue(const HxSearch *search);

/*
 * ranking.c: sweep the heap, and begin anew with what is found: a ranking, or
 * the stage.
 */
extern void HxSweepHeap(HxSearch *search);

/* ranking.c: the next row, as HxSearchNext. */
extern bool HxRankingNext(HxSearch *search, HxCandidate *row, bool *is_null);

#endif /* HX_SEARCH_STATE_H */
