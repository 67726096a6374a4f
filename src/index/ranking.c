/*
 * ranking.c
 *	  Ranking the heap rows of a small set of TIDs, without blocks.
 *
 * Where a filter leaves few rows, fetching all of them is cheaper than looking
 * for them in blocks, and exact.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"

#include "index/cost.h"
#include "index/kept.h"
#include "index/search_state.h"

/* Payloads that are scored together; no query takes more than a page holds */
#define BATCH 64

static int
batch_size(const HxSearch *search)
{
	return Min(BATCH, search->desc.capacity);
}

/* Rows of the set, best first, those without a distance at the end */
typedef struct HxRanking
{
	HxKept rows; /* all of them */
	int64 next;
	HxCandidate *nulls;
	int64 nnulls;
	int64 next_null;

	HxCandidate pending[BATCH]; /* rows whose distance is not known yet */
	int npending;
	uint8 *payloads; /* of these */
	double *distances;
} HxRanking;

/*
 * What it takes to fetch and rank a row, and a heap page of them, in the time
 * in which a page of the index is searched
 */
#define ROW_EFFORT 0.08
#define PAGE_EFFORT 0.5

/* Sets of which so few rows are always ranked, and at most so many */
#define MIN_RANKED 64
#define MAX_RANKED 20000

/* When a search would take much longer than ranking: so many times */
#define MUCH_LONGER 2

/*
 * Rows looked at before the heap is swept, and the part of a sweep's effort that
 * may be spent on rows one by one while none has passed
 */
#define MIN_CHECKED 64
#define SWEEP_PART 8

/* Share of the pages of an index of sparse vectors that a search takes as long
 * as: most of them are of dimensions that a query does not have */
#define SPARSE_SHARE 0.03

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

/* What ranking takes, in pages of the index searched */
static double
ranking_effort(const HxSearch *search, uint64 count)
{
	return count * ROW_EFFORT + HxTidSetPages(search->spec.tids) * PAGE_EFFORT;
}

/*
 * As few rows as a search through blocks would take longer for, were they
 * spread like all others.
 */
bool
HxShouldRank(const HxSearch *search)
{
	const HxSearchSpec *spec = &search->spec;
	double rows = Max((double) search->rows_at_calibration, 1);
	uint64 count;
	double share = 1;

	if (!can_rank(search, &count))
		return false;
	if (HxIsSparse(&search->desc))
		share = SPARSE_SHARE;
	else if (spec->limit > 0)
		share = HxVisitedShare(rows, Max((double) spec->limit, 10),
							   count / rows, spec->recall);
	return count <= MIN_RANKED ||
		   ranking_effort(search, count) <=
			   share * RelationGetNumberOfBlocks(search->index);
}

/*
 * Rows that are not spread like all others, but lie far from the query, are
 * noticed by what has passed of what was seen: if so few that, as it goes, the
 * rows wanted would take much longer than ranking, or by the time that it takes.
 * Then rank them after all, so that no more than twice the shorter of the two
 * ways is spent.
 */
bool
HxRankingIsDue(const HxSearch *search)
{
	uint64 count;
	double seen = (double) search->tally.seen;
	double passed = (double) search->tally.passed;
	double effort;
	double wanted; /* 0: not known */

	if (search->returned > 0 || search->in_nulls || !can_rank(search, &count))
		return false;
	effort = ranking_effort(search, count) * search->desc.capacity;
	wanted = (double) Min(search->spec.limit, count);
	return seen >= effort ||
		   seen / (passed + 1) * (wanted + 1) >= MUCH_LONGER * effort;
}

/* Compute the distances of the rows fetched since the last time. */
static void
score_pending(HxSearch *search, HxRanking *ranking)
{
	if (ranking->npending == 0)
		return;
	search->desc.vector->methods->distances(
		search->spec.query, ranking->payloads, ranking->npending,
		ranking->distances);
	for (int i = 0; i < ranking->npending; i++)
	{
		ranking->pending[i].distance = HxOrderedDistance(ranking->distances[i]);
		HxKeepRow(&ranking->rows, &ranking->pending[i]);
	}
	search->stats.scored += ranking->npending;
	ranking->npending = 0;
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
	if (HxIsSparse(&search->desc))
	{
		row.distance = HxSparseDistance(spec->query, vector);
		search->stats.scored++;
		HxKeepRow(&ranking->rows, &row);
		return;
	}
	ranking->pending[ranking->npending] = row;
	search->desc.vector->methods->form(
		&search->desc, vector,
		ranking->payloads + ranking->npending * search->desc.payload);
	if (++ranking->npending == batch_size(search))
		score_pending(search, ranking);
}

void
HxStartRanking(HxSearch *search)
{
	HxRanking *ranking = palloc0(sizeof(HxRanking));
	const HxHeapRows *heap = &search->spec.heap;
	HxTidSetPlace place = {0};
	ItemPointerData tid;
	bool exact;
	uint64 count = HxTidSetCount(search->spec.tids, &exact);

	HxResetKept(&ranking->rows, Max(count, 1));
	ranking->nulls = palloc(Max(count, 1) * sizeof(HxCandidate));
	ranking->payloads = palloc(batch_size(search) * search->desc.payload);
	ranking->distances = palloc(batch_size(search) * sizeof(double));
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
	score_pending(search, ranking);
	HxMergeKept(&ranking->rows, true);
	if (search->stats.sweeps == 0)
		search->stats.way = HX_WAY_RANKING;
	search->ranking = ranking;
}

/*
 * Rows looked at one by one, in no order of the heap, take several times what
 * they take in a sweep.  How many more it will be is told by those that passed,
 * were the next one to pass, too.  While none has, nothing tells whether the
 * conditions hold at all near the query, so that a part of the effort is a limit,
 * too.
 */
bool
HxSweepIsDue(const HxSearch *search)
{
	const HxSearchSpec *spec = &search->spec;
	double looked = search->nchecked;
	double passed = looked - search->stats.failed;
	double more;

	if (!spec->heap.sweep || spec->tids || search->returned > 0 ||
		search->in_nulls || looked < MIN_CHECKED)
		return false;
	if (passed == 0)
		return looked > spec->heap.sweep_effort / SWEEP_PART;
	more = (spec->limit - search->ngood) * looked / (passed + 1);
	return more > spec->heap.sweep_effort;
}

void
HxSweepHeap(HxSearch *search)
{
	HxSearchSpec *spec = &search->spec;
	uint64 failed = 0;

	spec->tids = spec->heap.sweep(spec->heap.arg, &failed);
	search->stats.filtered += failed;
	search->stats.sweeps++;
	search->stats.lossy = HxTidSetLossy(spec->tids);
	if (HxShouldRank(search))
	{
		search->stats.ranked++;
		HxStartRanking(search);
		return;
	}
	HxPlanPrefetch(search);
	HxStartStage(search);
}

bool
HxRankingNext(HxSearch *search, HxCandidate *row, bool *is_null)
{
	HxRanking *ranking = search->ranking;

	HxSortKept(&ranking->rows, ranking->next + 1);
	*is_null = ranking->next >= ranking->rows.count;
	if (!*is_null)
		*row = ranking->rows.rows[ranking->next++];
	else if (ranking->next_null < ranking->nnulls)
		*row = ranking->nulls[ranking->next_null++];
	else
		return false;
	return true;
}
