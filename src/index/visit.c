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

/* Cache lines that are fetched ahead of a column of a mask, at most */
#define COLUMN_LINES 8

/* Neighbours that are scored together as a sample of what the filter rejects */
#define SAMPLED_RUN 8

/* Take note of a row that passes the filter. */
static inline void
consider(HxSearch *search, double distance, const ItemPointerData *tid)
{
	HxCandidate row;

	row.page = search->page;
	row.passed = false;
	row.distance = HxOrderedDistance(distance);
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

/* Is this a condition on the distances that the search computes anyway? */
static inline bool
is_own(const HxSearch *search, const HxBalls *balls)
{
	return balls->count == 1 && balls->any[0].query == search->spec.query;
}

/*
 * Mark the rows of a page within a ball, whose distances are then those of the
 * page's rows.
 */
static void
mark_inside(HxSearch *search, const HxWithin *ball, const HxRowArrays *rows)
{
	bool own = ball->query == search->spec.query;

	if (!own || !search->scored)
		search->desc.vector->methods->distances(ball->query, rows->payloads,
												rows->count, search->distances);
	search->scored = own;
	for (int i = 0; i < rows->count; i++)
		if (HxPassesTest(&ball->test, search->distances[i]))
			search->inside[i / 64] |= UINT64CONST(1) << (i % 64);
}

/* Clear the mask bits of rows outside all of some balls. */
static void
apply_balls(HxSearch *search, const HxBalls *balls, const HxRowArrays *rows)
{
	int words = (rows->count + 63) / 64;

	memset(search->inside, 0, words * sizeof(uint64));
	for (int b = 0; b < balls->count; b++)
		mark_inside(search, &balls->any[b], rows);
	for (int w = 0; w < words; w++)
		search->mask[w] &= search->inside[w];
}

/* Which rows of a page pass all conditions; returns how many. */
static int
build_mask(HxSearch *search, const HxRowArrays *rows)
{
	int words = (rows->count + 63) / 64;
	int passed = 0;

	search->scored = false;
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
	/* those of the search's own query last: their distances are needed again */
	for (int b = 0; b < search->spec.nballs; b++)
		if (!is_own(search, &search->spec.balls[b]))
			apply_balls(search, &search->spec.balls[b], rows);
	for (int b = 0; b < search->spec.nballs; b++)
		if (is_own(search, &search->spec.balls[b]))
			apply_balls(search, &search->spec.balls[b], rows);
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

/* Score every row of a page in one kernel call, unless its mask has done so. */
static void
score_all(HxSearch *search, const HxRowArrays *rows, bool tally)
{
	const double *distances = search->distances;
	double worst = HxWorstKept(search);

	if (tally) /* else they were fetched ahead */
		for (Size at = 0; at < rows->count * search->desc.payload;
			 at += HX_CACHE_LINE)
			__builtin_prefetch(rows->payloads + at);
	if (!search->scored)
		search->desc.vector->methods->distances(
			search->spec.query, rows->payloads, rows->count, search->distances);
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

/*
 * Of 64 rows, of which one in `sampled` shall be a sample: eight neighbours,
 * which share a kernel call, not the same ones everywhere; or none.
 */
static inline uint64
sampled_run(const HxSearch *search, int word, int sampled)
{
	uint32 turn = search->page + word;
	uint32 pages = sampled / SAMPLED_RUN; /* of which one has such a run */

	if (sampled == 0 || turn % pages != 0)
		return 0;
	return UINT64CONST(0xFF) << turn / pages % 8 * SAMPLED_RUN;
}

/* Rows of 64 to be scored: those that pass, and the sample. */
static inline uint64
rows_to_score(const HxSearch *search, const HxRowArrays *rows, int word,
			  int sampled)
{
	uint64 chosen = search->mask[word] | sampled_run(search, word, sampled);

	if (word == rows->count / 64)
		chosen &= (UINT64CONST(1) << (rows->count % 64)) - 1;
	return chosen;
}

/* Have the payloads of the rows to be scored brought into the cache. */
static void
prefetch_payloads(const HxSearch *search, const HxRowArrays *rows, int sampled)
{
	Size payload = search->desc.payload;

	for (int w = 0; w * 64 < rows->count; w++)
		for (uint64 left = rows_to_score(search, rows, w, sampled); left != 0;
			 left &= left - 1)
		{
			int row = w * 64 + pg_rightmost_one_pos64(left);

			__builtin_prefetch(rows->payloads + row * payload);
		}
}

/*
 * Score `count` rows of a page from `row` on, some of which pass; one that does
 * not stands for `sampled` (0: nothing is counted).
 */
static void
score_run(HxSearch *search, const HxRowArrays *rows, int row, int count,
		  int sampled)
{
	double *distances = search->distances;

	search->desc.vector->methods->distances(
		search->spec.query, rows->payloads + row * search->desc.payload, count,
		distances);
	search->stats.scored += count;
	for (int i = 0; i < count; i++)
	{
		bool passes = row_passes(search, row + i);

		if (sampled)
			tally_row(search, distances[i], passes, passes ? 1 : sampled);
		if (passes && !(distances[i] > HxWorstKept(search))) /* NaN counts */
			consider(search, distances[i], &rows->tids[row + i]);
	}
}

/* Score the rows that pass, and a sample of the others. */
static void
score_passing(HxSearch *search, const HxRowArrays *rows, int sampled)
{
	prefetch_payloads(search, rows, sampled);
	for (int w = 0; w * 64 < rows->count; w++)
	{
		uint64 left = rows_to_score(search, rows, w, sampled);

		while (left != 0)
		{
			int first = pg_rightmost_one_pos64(left);
			uint64 gaps = ~(left >> first);
			int count = gaps ? pg_rightmost_one_pos64(gaps) : 64;

			score_run(search, rows, w * 64 + first, count, sampled);
			if (first + count >= 64)
				break;
			left &= PG_UINT64_MAX << (first + count);
		}
	}
}

/*
 * Score a page's rows that pass and, where that helps, one in `sampled` of those
 * that do not.
 */
static void
score_page(HxSearch *search, const HxRowArrays *rows, int sampled)
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
	else if (!filtered || search->scored || (tally && sampled == 1) ||
			 passed * 3 > rows->count)
		score_all(search, rows, tally);
	else
		score_passing(search, rows, tally ? sampled : 0);
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

/* Add the lines of an array at a place on a page, so many at most. */
static void
add_lines(HxSearch *search, Size from, Size size, int most)
{
	for (Size line = from / HX_CACHE_LINE;
		 line <= (from + size - 1) / HX_CACHE_LINE && most-- > 0; line++)
		if (search->nlines < (int) lengthof(search->lines))
			search->lines[search->nlines++] = (uint16) line;
}

/*
 * Without a mask all payloads are read; with one, its columns, and which
 * payloads only they tell.
 */
void
HxPlanPrefetch(HxSearch *search)
{
	const HxIndexDesc *desc = &search->desc;
	Page page = palloc0(BLCKSZ);
	HxRowArrays arrays;
	uint64 words = 0;
	uint32 nulls = 0;

	HxInitRowsPage(desc, page, 0, (HxPlace){0, 0});
	HxRowArraysOf(desc, page, &arrays);
	search->nlines = 0;
	add_lines(search, BLCKSZ - sizeof(HxOpaque), sizeof(HxOpaque), 1);
	add_lines(search, (char *) arrays.dead - (char *) page, 1, 1);
	if (HxSearchIsFiltered(search))
		add_lines(search, 0, 1, 1);
	else
		add_lines(search, 0, (char *) arrays.dead - (char *) page,
				  BLCKSZ / HX_CACHE_LINE);
	HxFilterReads(search->spec.filter, &words, &nulls);
	for (; nulls != 0; nulls &= nulls - 1)
		add_lines(search,
				  (char *) (arrays.nulls + pg_rightmost_one_pos32(nulls) *
											   arrays.columns.null_stride) -
					  (char *) page,
				  1, 1);
	for (; words != 0; words &= words - 1)
		add_lines(search,
				  (char *) (arrays.words +
							pg_rightmost_one_pos64(words) * desc->capacity) -
					  (char *) page,
				  desc->capacity * sizeof(int64), COLUMN_LINES);
	if (search->spec.tids)
		add_lines(search, (char *) arrays.tids - (char *) page,
				  desc->capacity * sizeof(ItemPointerData), COLUMN_LINES);
	pfree(page);
}

/*
 * Visit a block, a page at a time under its share lock, which is kept until
 * the next page is locked: a page on the way could otherwise be unlinked and
 * come back as the chain's end, and what stands between would be passed over.
 * False if a page has gone to another block meanwhile: what was collected is
 * not all.
 */
bool
HxVisitBlock(HxSearch *search, const HxBlock *block, int sampled)
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

		if (BufferIsValid(before))
			UnlockReleaseBuffer(before);
		if (!BufferIsValid(buffer))
		{
			HxCheckChain(search->index, &search->desc, block);
			return false;
		}
		HxCountStep(search->index, next, &steps);
		search->page = next;
		next = HxPageOpaque(BufferGetPage(buffer))->next;
		if (next != InvalidBlockNumber)
			HxPrefetchLines(search->index, next, search->lines, search->nlines);
		HxRowArraysOf(&search->desc, BufferGetPage(buffer), &rows);
		if (search->spec.ordered)
			score_page(search, &rows, sampled);
		else
			collect_page(search, &rows);
		before = buffer;
	}
	if (BufferIsValid(before))
		UnlockReleaseBuffer(before);
	return true;
}
