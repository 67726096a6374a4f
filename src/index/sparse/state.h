/*
 * state.h
 *	  A search in sparse vectors while it runs: what its files share.
 *
 * search.c goes through windows; visit.c looks at the rows of what was scored.
 */
#ifndef HX_SPARSE_STATE_H
#define HX_SPARSE_STATE_H

#include <math.h>

#include "index/search/state.h"
#include "index/sparse/sparse.h"
#include "type/distance.h"
#include "utils/float.h"

/* Blocks of a window, a bit each */
#define HX_BLOCK_WORDS (HX_WINDOW_BLOCKS / 64)

/* A window during a phase */
typedef struct HxWindowState
{
	HxWindowReader reader;
	int blocks; /* blocks of rows that it has */
	HxSparseLists lists;
	double promise; /* windows with a greater one come first */
	bool is_open;	/* blocks are bounded, as far as they are to be */
	float *bounds;	/* of blocks; NULL: none were computed */
	uint64 visited[HX_BLOCK_WORDS];	  /* what is beyond the last block, too */
	uint64 sharp[HX_BLOCK_WORDS];	  /* whose bounds are without flat lists */
	uint64 tightened[HX_BLOCK_WORDS]; /* whose bounds have been made tighter */
	int nvisited;					  /* blocks visited */
	int seen;						  /* its number in the search's `seen` */
	float peaks[HX_BLOCK_WORDS]; /* greatest bound of those not visited, for
									 * each word of them */
	float best;					 /* the greatest of these */
	uint64 *masks;	/* rows that pass, a mask a page; NULL: none made yet */
	bool *has_mask; /* of which pages */
} HxWindowState;

/* Blocks of a window that any phase has visited */
typedef struct HxSeenWindow
{
	uint64 owner;
	uint64 blocks[HX_BLOCK_WORDS];
} HxSeenWindow;

typedef struct HxSparseSearch
{
	HxSearch base;
	const HxSparseQuery *query;
	double cutoff; /* greatest distance that the conditions on them leave */

	HxSearchPart begun; /* part of the rows that was looked for last */
	HxSparseDirectory directory;
	bool is_read;			/* it has been read */
	HxWindowState *windows; /* those opened that may have rows */
	int nwindows;
	int nread;	 /* windows of the directory looked at in this phase */
	int nopened; /* of `windows`, those that are open */
	MemoryContext phase_context; /* of the windows' state */

	HxSeenWindow *seen; /* windows that were opened, for EXPLAIN */
	int nseen;
	int seen_room;

	BlockNumber page; /* of rows being read */
	uint64 asked;	  /* rows that filter and set were asked about ... */
	uint64 passed;	  /* ... and that passed */

	/* Scratch */
	HxScratch *scratch;
	uint64 *passing;	   /* slots of a window's rows that pass */
	HxQueryLookup *lookup; /* of the query's dimensions */

	bool is_done; /* not ordered: all was visited */
} HxSparseSearch;

/* Is this part of the search about distances that are numbers? */
static inline bool
HxSparseScores(const HxSparseSearch *search)
{
	return search->query && search->base.part == HX_PART_ROWS;
}

/*
 * What sums of 65,535 products in double are off by at most, five of them and
 * more, as a part of the squared lengths
 */
#define HX_SUM_ERRORS 1e-10

/*
 * Product below which rows of a squared length and longer are farther than an
 * L2 distance: |x|^2 - 2 <q, x> + |q|^2 is its square.
 */
static inline double
HxLeastProductL2(double norm2, double distance, double min_norm)
{
	double square = distance * distance;

	if (isinf(square))
		return -get_float8_infinity();
	if (isinf(min_norm)) /* no row of the window has a vector */
		return min_norm;
	return 0.5 * (min_norm + norm2 - square) -
		   HX_SUM_ERRORS * (min_norm + norm2 + square);
}

/*
 * A row with a smaller product is farther than a distance.  For cosine and L2
 * distances that is said of the shortest row of a window, and rounded down by
 * more than the errors of the arithmetic.
 */
static inline double
HxLeastProduct(const HxSparseSearch *search, double distance, double min_norm)
{
	double least;

	if (search->query->base.metric == HX_INNER_PRODUCT)
		return -distance;
	if (search->query->base.metric == HX_L2)
		return HxLeastProductL2(search->query->norm2, distance, min_norm);
	least = 1 - distance - 1e-14;
	if (!(least > 0)) /* lengths would have to be bounded from above */
		return -get_float8_infinity();
	if (isinf(least)) /* nothing is nearer than minus infinity */
		return least;
	return least * sqrt(search->query->norm2 * min_norm) * (1 - 1e-12);
}

/*
 * visit.c: keep the good rows of blocks that were scored (NULL: of all).
 * False if the window was replaced, as everywhere below.
 */
extern bool HxVisitScored(HxSparseSearch *search, HxWindowState *window,
						  const uint64 *blocks);

/* visit.c: leave out blocks all of whose rows the filter rejects. */
extern bool HxDropRejected(HxSparseSearch *search, HxWindowState *window,
						   uint64 *blocks);

/* visit.c: visit all rows of a window, without distances but for those that
 * are NaN. */
extern bool HxVisitUnscored(HxSparseSearch *search,
							const HxWindowState *window);

/* visit.c: count visits to blocks of a window. */
extern void HxCountVisits(HxSparseSearch *search, const HxWindowState *window,
						  const uint64 *blocks);

/* visit.c: consider a pending row; called by HxScanPending(). */
extern void HxVisitPending(const HxSparseRow *row, void *state);

#endif /* HX_SPARSE_STATE_H */
