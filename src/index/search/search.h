/*
 * search.h
 *	  Searches: rows by (distance, TID), as many as are asked for.
 */
#ifndef HX_SEARCH_H
#define HX_SEARCH_H

#include "index/filter/filter.h"
#include "index/filter/tidset.h"
#include "index/kind.h"
#include "type/bound.h"

/* The upper half of a float that is no less than one that is not negative */
static inline uint16
HxShorten(float value)
{
	uint32 bits;

	memcpy(&bits, &value, sizeof(bits));
	return (uint16) ((bits + 0xFFFF) >> 16);
}

static inline float
HxLengthen(uint16 upper)
{
	uint32 bits = (uint32) upper << 16;
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* A row found; TIDs are packed so that they compare as integers */
typedef struct HxCandidate
{
	double distance; /* NaN is stored as infinity */
	uint64 tid;
	BlockNumber page; /* rows page that it was read from */
	bool passed;	  /* its heap row was looked at and passed the check */
	uint8 met;		  /* when it was, as the kind counts (HxSearch.met) */
	uint16 deviation; /* of an estimated distance: upper half of a float */
} HxCandidate;

/* How rows were found, but for what a sweep has found */
typedef enum HxSearchWay
{
	HX_WAY_BLOCKS,	/* by blocks of the index */
	HX_WAY_BITMAP,	/* likewise, with the given set of TIDs as a mask */
	HX_WAY_RANKING, /* heap rows of the given set of TIDs, all of them */
	HX_WAYS
} HxSearchWay;

/* What a search did, for EXPLAIN and measurements */
typedef struct HxSearchStats
{
	HxSearchWay way;
	uint64 blocks;	 /* blocks that there are, those left out too */
	uint64 visited;	 /* of these, visited: each is counted once */
	uint64 again;	 /* visits to blocks that had been visited before */
	uint64 scored;	 /* rows whose distance was computed */
	uint64 filtered; /* rows that the filter rejected */
	uint64 dropped;	 /* rows found too late to be emitted in order */
	uint64 restarts; /* times it began with the first block again */
	uint64 sweeps;	 /* times the whole table was read */
	uint64 ranked;	 /* of these, all rows that passed were ranked */
	uint64 fetched;	 /* heap rows looked at: calls of check, fetch, measure */
	uint64 failed;	 /* of these, rows that did not pass */
	uint64 lossy;	 /* heap pages of the set of TIDs that are lossy */
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
 * after a restart (but see checked.h on memory).
 *
 * fetch: is the row visible, do all conditions hold on it, and what is its
 * vector?  *vector must live until the next call.
 *
 * measure: as check, and what is its vector?  Where distances in the index are
 * estimates.
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
	HxRowState (*measure)(void *arg, ItemPointer tid, Datum *vector,
						  bool *isnull);		   /* NULL: estimates will do */
	HxTidSet *(*sweep)(void *arg, uint64 *failed); /* NULL: none */
	double sweep_effort; /* of a sweep, in rows looked at by themselves */
	void *arg;			 /* of all */
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

	/*
	 * Where distances in the index are estimates: what every row's exact distance
	 * from `query` passes.  With them goes skip_nulls.
	 */
	const HxBoundTest *limits;
	int nlimits;	 /* their number */
	bool skip_nulls; /* rows with a NULL vector do not pass */
	bool only_nulls; /* only rows with a NULL vector pass */
	double recall;	 /* target; 1: exact */

	/*
	 * Rows that are wanted, 0: not known.  If known, and while there are as
	 * many that pass, that many are found before the first is returned; none
	 * is dropped.  With `ties`, all rows are found, too, whose distance is that
	 * of the last of them.  Asking for more rows than that is allowed, unless
	 * `ends` says that there are no more then.
	 */
	uint64 limit;
	bool ties;
	bool ends;

	/*
	 * Where it is not known how many are wanted, but about how many will be read (0: nor
	 * that): few at first, and more as they are asked for, also where distances in the
	 * index are estimates.  So many take one search, more of them may take another.  Rows
	 * that are found too late come as well, out of order, and perhaps twice.
	 */
	int64 few_first;

	/*
	 * Where rows come whose distance is NULL, or NaN, if not at the end: first,
	 * NULL before NaN, each by TID.
	 */
	bool nulls_first;
	bool nans_first;
	const HxTidSet *tids; /* rows that may pass; NULL: all */
	bool near;		 /* tids is what the index's own conditions have left */
	HxHeapRows heap; /* what their heap rows decide */
	Relation table;	 /* rows are fetched from it; NULL: not yet */

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

/* A number of this many bits that depends on all of a packed TID */
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
 * More rows of a search that is not ordered, with a vector or without; 0 at the
 * end.  *tids is valid until the next call.  Rows that move while others are read
 * may come twice.
 */
extern int64 HxSearchNextRows(HxSearch *search, ItemPointerData **tids);

/* What was done so far; lasts as long as the search. */
extern const HxSearchStats *HxSearchGetStats(HxSearch *search);

/* Are all rows that precede the last one returned sure to have been? */
extern bool HxSearchIsExact(const HxSearch *search);

extern void HxEndSearch(HxSearch *search);

#endif /* HX_SEARCH_H */
