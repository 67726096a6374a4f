/*
 * rank.c
 *	  Ranking the heap rows of a small set of TIDs.
 *
 * Where a filter leaves few rows, fetching all of them is cheaper than looking
 * for them in the index, and exact.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"

#include "index/cost_units.h"
#include "index/search/state.h"

/* Rows of the set, best first, those without a distance at the end */
typedef struct HxRanking
{
	HxBest rows; /* all of them */
	int64 next;
	HxCandidate *nulls;
	int64 nnulls;
	int64 next_null;
} HxRanking;

/* A distance of a row ranked, in microseconds */
#define DISTANCE_TIME 0.2

/* Sets of at most MIN_RANKED rows are always ranked, of MAX_RANKED at most */
#define MIN_RANKED 64
#define MAX_RANKED 20000

/* When a search would take much longer than ranking: this many times */
#define MUCH_LONGER 2

/*
 * A set lies far from the query if at most one in FAR_RATE of the rows have passed
 * that would have, were it spread like all others, and these are FAR_ROWS or more.
 * Rows wanted are then not found before many times what the first ones took, so that
 * FAR_PART of the effort of ranking is all that may be spent, or be in sight, before
 */
#define FAR_RATE 8
#define FAR_ROWS 16
#define FAR_PART 0.1

/*
 * Rows found by a sweep or in a bitmap in reserve lie far from the query, or are few
 * near it, or else they would not have been asked for: ranking them may take so many
 * times what a search would take for rows that lie anywhere
 */
#define FAR_TIMES 4

/*
 * Rows looked at before the heap is swept; and the part of a sweep's effort that may
 * be spent on rows one by one while none has passed
 */
#define MIN_CHECKED 64
#define SWEEP_PART 8

/* Can heap rows be ranked?  If so, *count rows. */
static bool
can_rank(const HxSearch *search, uint64 *count)
{
	const HxSearchSpec *spec = &search->spec;
	bool exact;

	if (!spec->tids || !spec->ordered || !spec->heap.fetch)
		return false;
	*count = HxTidSetCount(spec->tids, &exact);
	return exact && *count <= MAX_RANKED;
}

/* What ranking takes, in microseconds */
static double
ranking_time(uint64 count)
{
	return count * (HX_RANK_TIME + DISTANCE_TIME);
}

/* What searching takes likewise */
static double
search_time(const HxSearch *search, uint64 count)
{
	const HxKind *kind = HxKindOf(&search->desc);

	if (kind->effort)
		return kind->effort(search, count);
	return (double) RelationGetNumberOfBlocks(search->index) *
		   search->desc.capacity * (HX_ROW_TIME + HX_LOOKUP_TIME);
}

/*
 * As few rows as a search through blocks would take longer for, were they
 * spread like all others.
 */
bool
HxShouldRank(const HxSearch *search)
{
	double times = search->stats.sweeps > 0 ? FAR_TIMES : 1;
	uint64 count;

	if (!can_rank(search, &count))
		return false;
	return count <= MIN_RANKED ||
		   ranking_time(count) <= times * search_time(search, count);
}

/*
 * Have far fewer of this many rows passed than would have, were they anywhere?  Not known
 * where the filter has other conditions, too.
 */
static bool
lies_far(const HxSearch *search, uint64 count)
{
	double expected;

	if (search->nrows == 0 || search->spec.nballs > 0 ||
		!HxFilterIsTrivial(search->spec.filter))
		return false;
	expected = search->seen * count / search->nrows;
	return expected >= FAR_ROWS && search->passed <= expected / FAR_RATE;
}

/*
 * Rows that are not spread like all others, but lie far from the query, are
 * noticed by what has passed of what was seen: if so few that, as it goes, the
 * rows wanted would take much longer than ranking, or by the time that it takes.
 * Then rank them after all, so that no more than twice the shorter of the two
 * ways is spent; hardly more than ranking takes, where it is clear that they lie far.
 */
bool
HxRankingIsDue(const HxSearch *search)
{
	uint64 count;
	double seen = search->seen;
	double passed = search->passed;
	double effort; /* of ranking, in rows seen */
	double wanted; /* 0: not known */

	Assert(search->phase == HX_FIND_FIRST);
	if (search->returned > 0 || search->part == HX_PART_NULLS ||
		!can_rank(search, &count))
		return false;
	effort = ranking_time(count) / (HX_ROW_TIME + HX_LOOKUP_TIME);
	wanted = (double) Min(search->spec.limit, count);
	if (lies_far(search, count) && seen + effort < search->nrows)
		return seen >= FAR_PART * effort ||
			   seen / (passed + 1) * (wanted + 1) >= FAR_PART * effort;
	return seen >= effort ||
		   seen / (passed + 1) * (wanted + 1) >= MUCH_LONGER * effort;
}

/* The distance of a vector of the table */
static double
vector_distance(const HxSearch *search, Datum vector)
{
	const HxKind *kind = HxKindOf(&search->desc);
	double distance;
	uint8 *payload;

	if (kind->distance)
		return kind->distance(search->spec.query, vector);
	payload = palloc(search->desc.payload);
	kind->form(&search->desc, vector, payload);
	kind->distances(search->spec.query, payload, 1, &distance);
	pfree(payload);
	return distance;
}

/* Add a row that passed. */
static void
add_row(HxSearch *search, HxRanking *ranking, uint64 tid, Datum vector,
		bool isnull)
{
	const HxSearchSpec *spec = &search->spec;
	HxCandidate row = {0, tid, InvalidBlockNumber, true};

	if (isnull ? spec->skip_nulls : spec->only_nulls)
		return;
	if (isnull || !spec->query)
	{
		ranking->nulls[ranking->nnulls++] = row;
		return;
	}
	row.distance = HxOrderedDistance(vector_distance(search, vector));
	search->stats.scored++;
	HxKeepBest(&ranking->rows, &row);
}

/* Move the rows whose distance is NaN from the end to the front. */
static void
move_nans(HxBest *rows)
{
	int64 first = 0;
	HxCandidate *others;

	HxSortBest(rows, rows->count + rows->nbehind);
	while (first < rows->count && !isinf(rows->rows[first].distance))
		first++;
	if (first == rows->count)
		return;
	others = MemoryContextAllocHuge(CurrentMemoryContext,
									Max(first, 1) * sizeof(HxCandidate));
	memcpy(others, rows->rows, first * sizeof(HxCandidate));
	memmove(rows->rows, rows->rows + first,
			(rows->count - first) * sizeof(HxCandidate));
	memcpy(rows->rows + rows->count - first, others,
		   first * sizeof(HxCandidate));
	pfree(others);
}

void
HxStartRanking(HxSearch *search)
{
	HxRanking *ranking = palloc0(sizeof(HxRanking));
	const HxHeapRows *heap = &search->spec.heap;
	HxTidSetCursor place = {0};
	ItemPointerData tid;
	bool exact;
	uint64 count = HxTidSetCount(search->spec.tids, &exact);

	Assert(exact && heap->fetch && search->spec.ordered);
	Assert(search->returned == 0 && HxHoldsNoPage());
	HxResetBest(&ranking->rows, Max(count, 1));
	ranking->nulls = palloc(Max(count, 1) * sizeof(HxCandidate));
	if (HxFilterIsNever(search->spec.filter))
		count = 0;
	while (count-- > 0 && HxNextTid(search->spec.tids, &place, &tid))
	{
		uint64 packed = HxPackTid(&tid);
		Datum vector;
		bool isnull;

		CHECK_FOR_INTERRUPTS();
		search->stats.fetched++;
		if (heap->fetch(heap->arg, &tid, &vector, &isnull) == HX_ROW_PASSES)
			add_row(search, ranking, packed, vector, isnull);
		else
			search->stats.failed++;
	}
	HxMergeBest(&ranking->rows, true);
	if (search->spec.nans_first)
		move_nans(&ranking->rows);
	if (search->stats.sweeps == 0)
		search->stats.way = HX_WAY_RANKING;
	search->ranking = ranking;
	search->phase = HX_RELEASE_RANKED;
}

/*
 * Rows looked at one by one, in no order of the heap, take several times what
 * they take in a sweep.  How many more it will be is told by those that passed,
 * were the next one to pass, too: of the first one as well, which matters where many
 * are wanted.  While none has, nothing tells whether the conditions hold at all near
 * the query, so that a part of the effort is a limit, too, unless so few pass that none
 * was to be expected.
 */
bool
HxSweepIsDue(const HxSearch *search)
{
	const HxSearchSpec *spec = &search->spec;
	double looked = search->nchecked;
	double passed = looked - search->stats.failed;
	double effort = spec->heap.sweep_effort;
	double unlucky = HX_MOST_UNLUCKY / Max(spec->heap.share, 1e-9);
	double more;

	Assert(search->phase == HX_FIND_FIRST);
	Assert(passed >= 0);
	if (!spec->heap.sweep || spec->tids || search->returned > 0 ||
		search->part == HX_PART_NULLS || looked < MIN_CHECKED)
		return false;
	if (passed == 0 && looked > Max(effort / SWEEP_PART, Min(unlucky, effort)))
		return true;
	more = Max((double) spec->limit - (double) search->ngood, 1) * looked /
		   (passed + 1);
	return more > effort;
}

void
HxSweepHeap(HxSearch *search)
{
	HxSearchSpec *spec = &search->spec;
	uint64 failed = 0;

	Assert(spec->heap.sweep && !spec->tids);
	Assert(search->returned == 0 && HxHoldsNoPage());
	spec->tids = spec->heap.sweep(spec->heap.arg, &failed);
	search->stats.filtered += failed;
	search->stats.sweeps++;
	search->stats.lossy = HxTidSetLossy(spec->tids);
	search->filtered = true;
	if (HxShouldRank(search))
	{
		search->stats.ranked++;
		HxStartRanking(search);
		return;
	}
	HxPlanPrefetch(search);
	HxStartPhase(search, HX_FIND_FIRST, search->room);
}

bool
HxRankingNext(HxSearch *search, HxCandidate *row, bool *is_null)
{
	HxRanking *ranking = search->ranking;

	Assert(search->phase == HX_RELEASE_RANKED);
	Assert(ranking->next_null <= ranking->nnulls);
	HxSortBest(&ranking->rows, ranking->next + 1);
	*is_null =
		ranking->next_null < ranking->nnulls &&
		(search->spec.nulls_first || ranking->next >= ranking->rows.count);
	if (*is_null)
		*row = ranking->nulls[ranking->next_null++];
	else if (ranking->next < ranking->rows.count)
		*row = ranking->rows.rows[ranking->next++];
	else
		return false;
	return true;
}
