/*
 * ranking.c
 *	  Ranking the heap rows of a small set of TIDs, without blocks.
 *
 * Where a filter leaves few rows, fetching all of them is cheaper than looking
 * for them in blocks, and exact.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"

#include "index/search_state.h"

/* Payloads that are scored together */
#define BATCH 64

/* Rows of the set, best first, those without a distance at the end */
typedef struct HxRanking
{
	HxCandidate *rows;
	int64 count;
	int64 next;
	HxCandidate *nulls;
	int64 nnulls;
	int64 next_null;

	uint8 *payloads; /* rows whose distance is not known yet */
	double *distances;
	int npending; /* the last ones of `rows` */
} HxRanking;

/*
 * So many rows are ranked rather than looked for in blocks: some, and more with
 * the pages of the index, but no more than these.  Fetching a row costs about
 * as much as two to four pages of blocks, and blocks are searched the longer,
 * the fewer rows pass: over a million rows, the two cost the same at some 2,500
 * rows, over 117,791 at some 700.
 */
#define RANKED_ROWS 300
#define RANKED_A_PAGE 0.1

/* Sets of so few rows are always ranked */
#define MIN_RANKED 64

bool
HxShouldRank(const HxSearch *search)
{
	const HxSearchSpec *spec = &search->spec;
	bool exact;
	uint64 count;
	double pages;

	if (!spec->tids || !spec->ordered || !spec->heap.fetch)
		return false;
	count = HxTidSetCount(spec->tids, &exact);
	if (!exact || count <= MIN_RANKED)
		return exact;
	pages = RelationGetNumberOfBlocks(search->index);
	return count <= Min(pages, RANKED_ROWS + RANKED_A_PAGE * pages);
}

/* Compute the distances of the rows fetched since the last time. */
static void
score_pending(HxSearch *search, HxRanking *ranking)
{
	HxCandidate *rows = ranking->rows + ranking->count - ranking->npending;

	if (ranking->npending == 0)
		return;
	search->desc.vector->methods->distances(
		search->spec.query, ranking->payloads, ranking->npending,
		ranking->distances);
	for (int i = 0; i < ranking->npending; i++)
		rows[i].distance = isnan(ranking->distances[i]) ? get_float8_infinity()
														: ranking->distances[i];
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
	ranking->rows[ranking->count++] = row;
	search->desc.vector->methods->form(
		&search->desc, vector,
		ranking->payloads + ranking->npending * search->desc.payload);
	if (++ranking->npending == BATCH)
		score_pending(search, ranking);
}

static int
compare_rows(const void *a, const void *b)
{
	if (HxPrecedes(a, b))
		return -1;
	return HxPrecedes(b, a) ? 1 : 0;
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

	ranking->rows = palloc(Max(count, 1) * sizeof(HxCandidate));
	ranking->nulls = palloc(Max(count, 1) * sizeof(HxCandidate));
	ranking->payloads = palloc(BATCH * search->desc.payload);
	ranking->distances = palloc(BATCH * sizeof(double));
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
	qsort(ranking->rows, ranking->count, sizeof(HxCandidate), compare_rows);
	search->stats.way = HX_WAY_RANKING;
	search->ranking = ranking;
}

bool
HxRankingNext(HxSearch *search, HxCandidate *row, bool *is_null)
{
	HxRanking *ranking = search->ranking;

	*is_null = ranking->next >= ranking->count;
	if (!*is_null)
		*row = ranking->rows[ranking->next++];
	else if (ranking->next_null < ranking->nnulls)
		*row = ranking->nulls[ranking->next_null++];
	else
		return false;
	return true;
}
