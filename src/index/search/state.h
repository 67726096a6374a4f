/*
 * state.h
 *	  A search while it runs: what is the same for all kinds.
 *
 * driver.c goes through phases (phase.c) and releases rows; first.c finds a known number
 * of rows; rank.c ranks rows of the table instead; mask.c and visit.c tell which
 * rows of a page pass.  The kind visits what it stores (kind.h, "search").
 */
#ifndef HX_SEARCH_STATE_H
#define HX_SEARCH_STATE_H

#include "utils/float.h"

#include "index/page/page.h"
#include "index/search/best.h"
#include "index/search/checked.h"
#include "index/search/looks.h"

/*
 * What a search is doing.  It begins with HX_FIND_FIRST if it is known how many
 * rows are wanted, with HX_RELEASE_GROUPS if it is not, and goes on with what
 * stands below when more rows are asked for.
 */
typedef enum HxSearchPhase
{
	HX_FIND_FIRST,	   /* finds the rows wanted, heap rows looked at */
	HX_RELEASE_FIRST,  /* releases them */
	HX_RELEASE_LAST,   /* releases fewer than were wanted: there are no more */
	HX_RELEASE_GROUPS, /* releases the best rows in growing groups */
	HX_RELEASE_MORE,   /* releases some 900 rows more */
	HX_RELEASE_ALL,	   /* exact: as many rows at once as work_mem holds */
	HX_RELEASE_RANKED  /* releases rows of the table that were ranked */
} HxSearchPhase;

/*
 * Which rows come: those whose distance is a number or, unless such rows have a
 * part of their own, NaN; those whose distance is NULL; those whose distance is
 * NaN.  All rows have a NULL distance if the query is NULL.
 */
typedef enum HxSearchPart
{
	HX_PART_ROWS,
	HX_PART_NULLS,
	HX_PART_NANS
} HxSearchPart;

/*
 * How many times as many heap rows as one should have passed of, by the planner's guess,
 * are looked at one by one while none has
 */
#define HX_MOST_UNLUCKY 3

/* A kind's search begins with this */
struct HxSearch
{
	Relation index;
	HxIndexDesc desc;
	HxSearchSpec spec;
	MemoryContext context;
	HxSearchStats stats;

	HxSearchPhase phase;
	HxSearchPart part;
	bool ended;	   /* no more rows are wanted */
	bool exact;	   /* no stop by expected misses in this phase */
	bool see_dead; /* marks of dead rows do not count */
	bool filtered; /* there are conditions on attributes or TIDs */
	bool refine;   /* distances in the index are estimates (refine.c) */
	double
		recall; /* that visiting is to reach; the rest is for the estimates */

	HxBest best;	   /* rows kept in this phase */
	int64 nemitted;	   /* of these, rows emitted ... */
	int64 nready;	   /* ... and that may be */
	HxCandidate last;  /* emitted last, in any phase; or before all rows */
	HxCandidate *late; /* rows found too late, where these come as well ... */
	int64 nlate;	   /* ... that were not emitted yet */
	int64 late_room;
	uint64 returned; /* rows returned by all phases ... */
	uint64 before;	 /* ... and of these, rows of the parts before */
	int64 refined;	 /* rows found at a time in this part (refine.c), so far */
	double last_wanted; /* distance of the last row of the limit ... */
	bool last_is_null;	/* ... or is it NULL? */
	double goal;		/* distance that the kind is to settle, so far */
	double cutoff;		/* no row farther off is wanted, NaN apart */
	uint16 widest;		/* deviation of an estimate, greatest in this phase */

	/* HX_FIND_FIRST */
	int64 room;			 /* rows kept, when it began the last time */
	double reached;		 /* no row farther off is wanted; infinite: not known */
	int64 ngood;		 /* rows that passed the check ... */
	double middle;		 /* ... and distance of the inner half's last */
	const HxBest *found; /* where a search refines: these rows */
	struct HxRefining *refining; /* which may go on; NULL: from the beginning */

	HxChecked checked;		   /* heap rows looked at */
	HxLooks looks;			   /* the same, and their exact distances */
	uint64 nchecked;		   /* how many, without those of other phases */
	BlockNumber table_pages;   /* length of the table, as last seen */
	struct HxRanking *ranking; /* HX_RELEASE_RANKED */

	/* Searches that refine and are exact: rows of a visit to be looked at */
	HxCandidate *pending; /* their distances are bounds */
	int64 npending;
	int64 pending_room;

	/* Rows of a page: scratch for the kind's visit */
	uint64 *mask;	   /* those that pass */
	uint64 *inside;	   /* those within some balls */
	double *distances; /* of them all */

	/* Searches not ordered: rows passed to HxConsider and not returned yet */
	ItemPointerData *tids;
	int64 ntids;
	int64 tids_room;

	/* Set by the kind */
	bool nans_apart; /* HX_PART_NANS is one; before the first phase */
	double seen;	 /* rows seen in this phase ... */
	double passed;	 /* ... and of these, rows that passed the mask */
	uint64 nrows;	 /* rows that the filter may pass; 0: not known */
	uint8 met;		 /* what rows kept from now on have as theirs */

	int nlines; /* cache lines of a rows page fetched ahead ... */
	uint16 lines[BLCKSZ / HX_CACHE_LINE]; /* ... these, of which ... */
	int payload_lines; /* ... the last are payloads; 0: the mask chooses those */
};

/* ---- phase.c ---- */

/* Rows that work_mem holds */
extern int64 HxMostRows(void);

/*
 * Forget the rows kept, and with them how many of them were emitted: those come
 * before `last`, and are not kept again.
 */
extern void HxForgetRows(HxSearch *search, int64 room);

/* Begin a phase that keeps this many rows: nothing kept, nothing visited. */
extern void HxStartPhase(HxSearch *search, HxSearchPhase phase, int64 room);

/*
 * Take note of a row found too late, which precedes the last one emitted: it is dropped,
 * or comes out of order.
 */
extern void HxKeepLate(HxSearch *search, const HxCandidate *row);

/* ---- rows of this part ---- */

/* Does this part of the search want a row, as far as its NULL vector tells? */
static inline bool
HxWantsRow(const HxSearch *search, bool is_null)
{
	const HxSearchSpec *spec = &search->spec;

	if (spec->ordered && spec->query &&
		is_null != (search->part == HX_PART_NULLS))
		return false;
	return is_null ? !spec->skip_nulls : !spec->only_nulls;
}

/*
 * Is it known how many rows are wanted?  Not where nobody has told, nor beyond those
 * that were told.  A search may find a known number of rows without knowing it: a group.
 */
static inline bool
HxKnowsWanted(const HxSearch *search)
{
	return search->phase == HX_FIND_FIRST &&
		   search->spec.limit > search->returned;
}

/* Does this part of the search go by distances that are numbers or NaN? */
static inline bool
HxGoesByDistance(const HxSearch *search)
{
	return search->spec.ordered && search->spec.query &&
		   search->part != HX_PART_NULLS;
}

/*
 * May the first `count` rows be returned, of which the last is at a distance?
 * While there is something left to visit; see kind.h.
 */
static inline bool
HxIsSettled(HxSearch *search, double distance, int64 count)
{
	const HxKind *kind = HxKindOf(&search->desc);

	return kind->is_settled && kind->is_settled(search, distance, count);
}

/* ---- mask.c ---- */

/* Choose what of a rows page is to be fetched ahead. */
extern void HxPlanPrefetch(HxSearch *search);

/*
 * Have what will be read of a rows page brought into the cache; it has so many
 * rows at most.
 */
extern void HxPrefetchRows(const HxSearch *search, BlockNumber block,
						   uint32 rows);

/*
 * Which rows of a page pass the conditions on attributes and TIDs and are not
 * marked as dead; returns how many.
 */
extern int HxMaskRows(const HxSearch *search, const HxRowArrays *rows,
					  uint64 *mask);

/* Words of the mask of a page */
static inline int
HxMaskWords(const HxIndexDesc *desc)
{
	return (desc->capacity + 63) / 64;
}

static inline bool
HxRowPasses(const uint64 *mask, int row)
{
	return (mask[row / 64] >> (row % 64)) & 1;
}

/* visit.c: keep the TID of a row for HxSearchNextRows. */
extern void HxKeepTid(HxSearch *search, const ItemPointerData *tid);

/*
 * Take note of a row that passes: keep the best, or, without an order, all.  Rows
 * that do not follow the last one emitted are late.  `page` is the rows page
 * that it may be marked as dead on, or HX_METAPAGE if it cannot be.
 */
static inline void
HxConsider(HxSearch *search, double distance, const ItemPointerData *tid,
		   BlockNumber page)
{
	HxCandidate row;

	row.distance = HxOrderedDistance(distance);
	if (row.distance > search->best.worst)
		return;
	if (unlikely(!search->spec.ordered))
	{
		HxKeepTid(search, tid);
		return;
	}
	row.tid = HxPackTid(tid);
	row.page = page;
	row.passed = false;
	row.met = search->met;
	if (!HxPrecedes(&search->last, &row))
	{
		HxKeepLate(search, &row);
		return;
	}
	HxKeepBest(&search->best, &row);
}

/* ---- refine.c ---- */

/* Candidates farther off than this many deviations are not expected */
#define HX_FARTHEST 4.0

/*
 * Take note of a row that passes the mask, whose distance is estimated.  The
 * bound is of use where the search is exact, the deviation where it is not.
 */
extern void HxConsiderEstimate(HxSearch *search, HxCandidate *row,
							   double bound);

/* Find out how far off rows may be that are wanted.  Before the kind's begin. */
extern void HxSetCutoff(HxSearch *search);

/*
 * Where rows beyond a distance are not wanted but those whose distance is NaN are,
 * make these a part of their own, if the kind has not.  After the kind's begin.
 */
extern void HxSeparateNans(HxSearch *search);

/* Look at the rows of a visit of an exact search, and keep the best. */
extern void HxMeasurePending(HxSearch *search);

/* The recall that visiting must reach for that of the search to be this one */
extern double HxRecallOfVisits(double recall);

/*
 * HX_FIND_FIRST of a search that refines, as HxFindFirst.  Where search->refining is
 * set, and the phase has been set back to that, it goes on for more rows.
 */
extern void HxRefineFirst(HxSearch *search);

/* ---- visit.c ---- */

/*
 * Clear in search->mask, in which HxMaskRows has left `passed` rows, those outside
 * of balls; returns how many are left.  *scored tells whether search->distances
 * are those of all rows of the page from the search's query.
 */
extern int HxMaskBalls(HxSearch *search, const HxRowArrays *rows, int passed,
					   bool *scored);

/*
 * Pass the rows in search->mask to HxConsider; their distances are in
 * search->distances, or all the same without a query and among NULLs.
 */
extern void HxConsiderMasked(HxSearch *search, const HxRowArrays *rows,
							 BlockNumber page);

/*
 * Visit the next page of a chain of rows pages in the plain way: mask, conditions
 * on the vector, distances.  A function tells of payloads whether the vector is
 * NULL.  For EXPLAIN each page is a block.
 */
extern void HxVisitChainPage(HxSearch *search, HxChainCursor *cursor,
							 bool (*is_null)(const uint8 *payload));

/* ---- first.c ---- */

/*
 * The end of the next group of rows, where it is not known how many are wanted and so
 * many were found; as many as that if all groups were
 */
extern int64 HxNextGroupEnd(const HxSearch *search, int64 found);

/* Rows of this part that a search that refines has to find at a time */
extern int64 HxRowsToRefine(const HxSearch *search);

/* Is it known how many more rows are wanted, and are they not too many? */
extern bool HxCanFindFirst(const HxSearch *search);

/* Room for the rows wanted, where this many may fail the check */
extern int64 HxRoomForFirst(HxSearch *search);

/* HX_FIND_FIRST, to its end or until another way is taken */
extern void HxFindFirst(HxSearch *search);

/* Take note that a row, found at a distance, failed the check. */
extern void HxNoteFailed(HxSearch *search, double distance);

/* Does a row's heap row pass the check?  Asked once. */
extern bool HxCheckRow(HxSearch *search, HxCandidate *row);

/* ---- rank.c ---- */

/* Should heap rows be ranked instead of visiting what the index stores? */
extern bool HxShouldRank(const HxSearch *search);

/* Has visiting taken as long as ranking would? */
extern bool HxRankingIsDue(const HxSearch *search);

/* Fetch all rows of the set of TIDs and rank them. */
extern void HxStartRanking(HxSearch *search);

/* Do heap rows fail so often that reading all takes no longer? */
extern bool HxSweepIsDue(const HxSearch *search);

/* Read the whole heap, and begin anew with what is found. */
extern void HxSweepHeap(HxSearch *search);

/* The next row, as HxSearchNext. */
extern bool HxRankingNext(HxSearch *search, HxCandidate *row, bool *is_null);

#endif /* HX_SEARCH_STATE_H */
