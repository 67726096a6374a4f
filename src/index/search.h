/*
 * search.h
 *	  The search loop: rows by (distance, TID), as many as are asked for.
 */
#ifndef HX_SEARCH_H
#define HX_SEARCH_H

#include "index/directory.h"
#include "index/expect.h"

/* A row found; TIDs are packed so that they compare as integers */
typedef struct HxCandidate
{
	double distance; /* NaN is stored as infinity */
	uint64 tid;
	BlockNumber page; /* rows page that it was read from */
} HxCandidate;

/* What a search did, for EXPLAIN and measurements */
typedef struct HxSearchStats
{
	uint64 blocks;	 /* blocks in the index, those of other rows apart */
	uint64 visited;	 /* blocks visited */
	uint64 scored;	 /* rows whose distance was computed */
	uint64 filtered; /* rows that the filter rejected */
	uint64 dropped;	 /* rows found too late to be emitted in order */
	uint64 restarts; /* times the directory was read again */
} HxSearchStats;

/* A condition vector <@ ball: a Hamming query and a radius */
typedef struct HxWithin
{
	HxQuery *query;
	double radius;
} HxWithin;

/* What is searched for; everything must outlive the search */
typedef struct HxSearchSpec
{
	bool ordered;	  /* by (distance, TID); else by block, some rows twice */
	HxQuery *query;	  /* NULL: no distance, so that rows come by TID */
	HxFilter *filter; /* on attributes */
	HxWithin *balls;  /* conditions on the vector, all must hold */
	int nballs;		  /* their number */
	bool skip_nulls;  /* rows with a NULL vector do not pass */
	bool only_nulls;  /* only rows with a NULL vector pass */
	double recall;	  /* target; 1: exact */
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
