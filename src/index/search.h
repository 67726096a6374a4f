/*
 * search.h
 *	  The search loop: rows by (distance, TID), as many as are asked for.
 */
#ifndef HX_SEARCH_H
#define HX_SEARCH_H

#include "index/directory.h"
#include "index/expect.h"
#include "index/tidset.h"
#include "type/bound.h"

/* A row found; TIDs are packed so that they compare as integers */
typedef struct HxCandidate
{
	double distance; /* NaN is stored as infinity */
	uint64 tid;
	BlockNumber page; /* rows page that it was read from */
	uint32 passed;	  /* its heap row was looked at and passed the check */
} HxCandidate;

/* How rows were found */
typedef enum HxSearchWay
{
	HX_WAY_BLOCKS, /* by blocks of the index */
	HX_WAY_BITMAP, /* likewise, with a set of TIDs as a mask */
	HX_WAY_RANKING /* heap rows of a set of TIDs, all of them */
} HxSearchWay;

/* What a search did, for EXPLAIN and measurements */
typedef struct HxSearchStats
{
	HxSearchWay way;
	uint64 blocks;	 /* blocks in the index, those of other rows apart */
	uint64 visited;	 /* blocks visited */
	uint64 scored;	 /* rows whose distance was computed */
	uint64 filtered; /* rows that the filter rejected */
	uint64 dropped;	 /* rows found too late to be emitted in order */
	uint64
		restarts; /* times the directory was read again, or blocks visited anew */
	uint64 fetched; /* heap rows looked at: calls of check and fetch */
	uint64 failed;	/* of these, rows that did not pass */
	uint64 lossy;	/* heap pages of the set of TIDs that are lossy */
} HxSearchStats;

/* What a look at a heap row says */
typedef enum HxRowState
{
	HX_ROW_PASSES, /* visible, and all conditions hold */
	HX_ROW_FAILS,  /* not visible to the snapshot, or a condition fails */
	HX_ROW_DEAD	   /* dead to everybody: the entry may be marked */
} HxRowState;

/*
 * What only the heap row can tell.  No buffer of the index is locked or pinned
 * during the calls, and *tid is a copy that may be changed (as
 * table_index_fetch_tuple does).
 *
 * check: is the row visible, and do the conditions hold on it that neither the
 * filter nor the set of TIDs decides for sure?  Asked in order of distance of
 * rows that would be in the result, of each row once, if it is met again also
 * after a restart (but see kept.h on memory).
 *
 * fetch: is the row visible, do all conditions hold on it, and what is its
 * vector?  *vector must live until the next call.
 *
 * sweep: read the whole table, and make the set of the rows that are visible and
 * on which all conditions hold; a row more does no harm.  *failed counts the
 * others.  For conditions that hold on rows far from the query, or nowhere.
 */
typedef struct HxHeapRows
{
	HxRowState (*check)(void *arg, ItemPointer tid); /* NULL: all pass */
	HxRowState (*fetch)(void *arg, ItemPointer tid, Datum *vector,
						bool *isnull); /* NULL: no ranking by heap rows */
	HxTidSet *(*sweep)(void *arg, uint64 *failed); /* NULL: none */
	double sweep_effort; /* of a sweep, in rows looked at by themselves */
	void *arg;			 /* of all three */
	double share; /* of the rows asked about that pass, as the planner thinks;
				   * 1 if only visibility is checked */
} HxHeapRows;

/* Vectors whose distance from a query passes a test */
typedef struct HxWithin
{
	HxQuery *query; /* the pointer that the search has, if it is its query */
	HxBoundTest test;
} HxWithin;

/* A condition on the vector: it is within one of these, which are one at least */
typedef struct HxBalls
{
	int count;
	HxWithin *any;
} HxBalls;

/* What is searched for; everything must outlive the search */
typedef struct HxSearchSpec
{
	bool ordered;	  /* by (distance, TID); else by block, some rows twice */
	HxQuery *query;	  /* NULL: no distance, so that rows come by TID */
	HxFilter *filter; /* on attributes */
	HxBalls *balls;	  /* conditions on the vector, all must hold */
	int nballs;		  /* their number */
	bool skip_nulls;  /* rows with a NULL vector do not pass */
	bool only_nulls;  /* only rows with a NULL vector pass */
	double recall;	  /* target; 1: exact */

	/*
	 * Rows that are wanted, 0: not known.  If known, and while there are as
	 * many that pass, that many are found before the first is returned; none
	 * is dropped.  Asking for more rows than that is allowed.
	 */
	uint64 limit;
	const HxTidSet *tids; /* rows that may pass; NULL: all */
	bool near;			  /* tids is what conditions on the vector have left */
	HxHeapRows heap;	  /* what their heap rows decide */

	/* Called with rows that check found dead to everybody; or NULL */
	void (*dead)(void *arg, const HxCandidate *row);
	void *dead_arg;
} HxSearchSpec;

typedef struct HxSearch HxSearch;

static inline uint64
HxPackTid(const ItemPointerData *tid)
{
	return (uint64) ItemPointerGetBlockNumberNoCheck(tid) << 16 |
		   ItemPointerGetOffsetNumberNoCheck(tid);
}

static inline void
HxUnpackTid(uint64 packed, ItemPointerData *tid)
{
	ItemPointerSet(tid, (BlockNumber) (packed >> 16),
				   (OffsetNumber) (packed & 0xFFFF));
}

/* A number of so many bits that depends on all of a packed TID */
static inline uint32
HxHashTid(uint64 packed, int bits)
{
	return (uint32) ((packed * UINT64CONST(0x9E3779B97F4A7C15)) >> (64 - bits));
}

/*
 * Begin a search.  The directory is read now: take the snapshot before.
 * Everything is allocated in a context below the current one.
 */
extern HxSearch *HxBeginSearch(Relation index, const HxIndexDesc *desc,
							   const HxSearchSpec *spec);

/*
 * The next row by (distance, TID); false when there is none.  *is_null tells
 * that the distance is NULL.  For searches that are ordered.
 */
extern bool HxSearchNext(HxSearch *search, HxCandidate *row, bool *is_null);

/*
 * The rows of the next block that has any that pass, in no order; 0 when there
 * is none.  *tids is valid until the next call.  For searches not ordered:
 * rows that move while others are read may come twice.
 */
extern int64 HxSearchNextBlock(HxSearch *search, ItemPointerData **tids);

extern const HxSearchStats *HxSearchGetStats(const HxSearch *search);

extern void HxEndSearch(HxSearch *search);

#endif /* HX_SEARCH_H */
