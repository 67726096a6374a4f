/*
 * visit.c
 *	  Visiting a block: which of its rows pass, their distances, and what that
 *	  tells of rows elsewhere.
 */
#include "postgres.h"

#include <math.h>

#include "port/pg_bitutils.h"
#include "utils/float.h"

#include "index/search_state.h"

/* Of rows that the filter rejects, one in so many is scored */
#define SAMPLED_ROWS 8

/* Take note of a row that passes the filter. */
static inline void
consider(HxSearch *search, double distance, const ItemPointerData *tid)
{
	HxCandidate row;

	row.page = search->page;
	row.passed = false;
	row.distance = isnan(distance) ? get_float8_infinity() : distance;
	if (search->limited)
	{
		if (row.distance > search->best.worst)
			return;
		row.tid = HxPackTid(tid);
		HxKeepRow(&search->best, &row);
		return;
	}
	if (search->nkept == search->room)
	{
		const HxCandidate *worst =
			&search->kept[search->sorted ? search->nkept - 1 : 0];

		if (row.distance > worst->distance)
			return;
		row.tid = HxPackTid(tid);
		if (!HxPrecedes(&row, worst))
			return;
	}
	else
		row.tid = HxPackTid(tid);
	if (search->has_last && !HxPrecedes(&search->last, &row))
	{
		search->stats.dropped++;
		return;
	}
	HxInsertRow(search, &row);
}

/* ---- visiting a block ---- */

/* Clear the mask bits of rows outside a ball. */
static void
apply_ball(HxSearch *search, const HxWithin *ball, const HxRowArrays *rows)
{
	search->desc.vector->methods->distances(ball->query, rows->payloads,
											rows->count, search->distances);
	for (int i = 0; i < rows->count; i++)
		if (!(search->distances[i] <= ball->radius))
			search->mask[i / 64] &= ~(UINT64CONST(1) << (i % 64));
}

/* Which rows of a page pass all conditions; returns how many. */
static int
build_mask(HxSearch *search, const HxRowArrays *rows)
{
	int words = (rows->count + 63) / 64;
	int passed = 0;

	if (rows->count == 0)
		return 0;
	for (int w = 0; w < words; w++)
		search->mask[w] = search->see_dead ? ~UINT64CONST(0) : ~rows->dead[w];
	if (rows->count % 64)
		search->mask[words - 1] &= (UINT64CONST(1) << (rows->count % 64)) - 1;
	if (!HxFilterIsTrivial(search->spec.filter))
		HxFilterRows(search->spec.filter, &rows->columns, search->mask);
	if (search->spec.tids)
		HxTidSetFilter(search->spec.tids, rows->tids, rows->count,
					   search->mask);
	for (int b = 0; b < search->spec.nballs; b++)
		apply_ball(search, &search->spec.balls[b], rows);
	for (int w = 0; w < words; w++)
		passed += pg_popcount64(search->mask[w]);
	return passed;
}

static inline bool
row_passes(const HxSearch *search, int row)
{
	return (search->mask[row / 64] >> (row % 64)) & 1;
}

/* Count a scored row for the estimate of who passes near the query. */
static inline void
tally_row(HxSearch *search, double distance, bool passes, double weight)
{
	int bin =
		HxDistanceBin(&search->expect, distance / search->spec.query->unit);

	search->tally.seen_at[bin] += weight;
	if (passes)
		search->tally.passed_at[bin] += weight;
}

/* Score every row of a page in one kernel call. */
static void
score_all(HxSearch *search, const HxRowArrays *rows, bool tally)
{
	const double *distances = search->distances;
	double worst = HxWorstKept(search);

	search->desc.vector->methods->distances(search->spec.query, rows->payloads,
											rows->count, search->distances);
	search->stats.scored += rows->count;
	if (tally)
		for (int i = 0; i < rows->count; i++)
			tally_row(search, distances[i], row_passes(search, i), 1);
	for (int i = 0; i < rows->count; i++)
	{
		if (distances[i] > worst || !row_passes(search, i))
			continue;
		consider(search, distances[i], &rows->tids[i]);
		worst = HxWorstKept(search);
	}
}

/* Score the rows that pass one by one, and a sample of the others. */
static void
score_passing(HxSearch *search, const HxRowArrays *rows, bool tally)
{
	const HxVectorMethods *methods = search->desc.vector->methods;
	Size payload = search->desc.payload;

	for (int w = 0; w * 64 < rows->count; w++)
	{
		uint64 passing = search->mask[w];
		uint64 sampled = passing;

		if (tally)
			sampled |= UINT64CONST(0x0101010101010101);
		if (w == rows->count / 64)
			sampled &= (UINT64CONST(1) << (rows->count % 64)) - 1;
		while (sampled)
		{
			int row = w * 64 + pg_rightmost_one_pos64(sampled);
			bool passes = row_passes(search, row);
			double distance;

			sampled &= sampled - 1;
			methods->distances(search->spec.query,
							   rows->payloads + row * payload, 1, &distance);
			search->stats.scored++;
			if (tally)
				tally_row(search, distance, passes, passes ? 1 : SAMPLED_ROWS);
			if (passes)
				consider(search, distance, &rows->tids[row]);
		}
	}
}

/* Score a page's rows that pass, and some that do not where that helps. */
static void
score_page(HxSearch *search, const HxRowArrays *rows, bool nearest)
{
	int passed = build_mask(search, rows);
	bool filtered = HxSearchIsFiltered(search);
	bool tally = filtered && !search->exact && search->spec.query;

	search->tally.seen += rows->count;
	search->tally.passed += passed;
	search->stats.filtered += rows->count - passed;
	if (!search->spec.query || search->in_nulls)
	{
		for (int i = 0; i < rows->count; i++)
			if (row_passes(search, i))
				consider(search, 0, &rows->tids[i]);
	}
	else if (!filtered || (tally && nearest) || passed * 3 > rows->count)
		score_all(search, rows, tally);
	else
		score_passing(search, rows, tally);
}

/* Add the TIDs of a page's rows that pass to those of the block. */
static void
collect_page(HxSearch *search, const HxRowArrays *rows)
{
	int passed = build_mask(search, rows);

	search->stats.filtered += rows->count - passed;
	if (search->ntids + passed > search->tids_room)
	{
		search->tids_room = Max(search->tids_room * 2, search->ntids + passed);
		search->tids = repalloc_huge(search->tids, search->tids_room *
													   sizeof(ItemPointerData));
	}
	for (int i = 0; i < rows->count; i++)
		if (row_passes(search, i))
			search->tids[search->ntids++] = rows->tids[i];
}

/*
 * Visit a block, a page at a time under its share lock, which is kept until
 * the next page is locked: a page on the way could otherwise be unlinked and
 * come back as the chain's end, and what stands between would be passed over.
 * False if a page has gone to another block meanwhile: what was collected is
 * not all.
 */
bool
HxVisitBlock(HxSearch *search, const HxBlock *block, bool nearest)
{
	BlockNumber next = block->first;
	Buffer before = InvalidBuffer;
	uint32 steps = 0;

	search->stats.visited++;
	while (next != InvalidBlockNumber)
	{
		Buffer buffer =
			HxReadRows(search->index, &search->desc, next, block->owner);
		HxRowArrays rows;

		HxPrefetchPage(search->index, next + 1); /* most chains are runs */
		if (BufferIsValid(before))
			UnlockReleaseBuffer(before);
		if (!BufferIsValid(buffer))
		{
			HxCheckChain(search->index, &search->desc, block);
			return false;
		}
		HxCountStep(search->index, next, &steps);
		search->page = next;
		HxRowArraysOf(&search->desc, BufferGetPage(buffer), &rows);
		if (search->spec.ordered)
			score_page(search, &rows, nearest);
		else
			collect_page(search, &rows);
		next = HxPageOpaque(BufferGetPage(buffer))->next;
		before = buffer;
	}
	if (BufferIsValid(before))
		UnlockReleaseBuffer(before);
	return true;
}
