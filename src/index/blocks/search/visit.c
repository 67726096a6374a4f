/*
 * visit.c
 *	  Visiting a block: which of its rows pass, their distances, and what that
 *	  tells of rows elsewhere.
 */
#include "postgres.h"

#include <math.h>

#include "port/pg_bitutils.h"
#include "utils/float.h"

#include "index/blocks/search/state.h"
#include "kernel/kernel.h"

/* Neighbours that are scored together as a sample of what the filter rejects */
#define SAMPLED_RUN 8

/* Take note of a row that passes, whose distance is an estimate. */
static void
consider_estimate(HxBlocksSearch *search, double distance,
				  const HxRowArrays *rows, int row)
{
	const HxSearch *base = &search->base;
	const HxPayload *methods = HxPayloadOf(&base->desc);
	const uint8 *payload = rows->payloads + row * base->desc.payload;
	HxCandidate found = {distance, HxPackTid(&rows->tids[row]), search->page};
	double bound = -INFINITY;

	if (base->part == HX_PART_NANS && isfinite(distance))
		return; /* it is known to be a number */
	if (base->exact)
		bound = methods->least(base->spec.query, payload, distance);
	else
		HxSetDeviation(&found,
					   methods->deviation(base->spec.query, payload, distance));
	HxConsiderEstimate(&search->base, &found, bound);
}

/* Take note of a row that passes. */
static inline void
consider(HxBlocksSearch *search, double distance, const HxRowArrays *rows,
		 int row)
{
	if (search->base.refine)
		consider_estimate(search, distance, rows, row);
	else
		HxConsider(&search->base, distance, &rows->tids[row], search->page);
}

/* Distance beyond which no row is of use; an estimate tells none if exact */
static inline double
reach(const HxBlocksSearch *search)
{
	return search->base.refine && search->base.exact ? INFINITY
													 : search->base.best.worst;
}

/* ---- visiting a block ---- */

/* Which rows of a page pass all conditions; returns how many. */
static int
build_mask(HxBlocksSearch *search, const HxRowArrays *rows)
{
	HxSearch *base = &search->base;
	int passed = HxMaskRows(base, rows, base->mask);

	return HxMaskBalls(base, rows, passed, &search->scored);
}

/* Count a scored row for the estimate of who passes near the query. */
static inline void
tally_row(HxBlocksSearch *search, double distance, bool passes, double weight)
{
	int bin = HxDistanceBin(&search->misses,
							distance / HxUnitOf(search->base.spec.query));

	search->tally.seen_at[bin] += weight;
	if (passes)
		search->tally.passed_at[bin] += weight;
}

/* Distances of neighbouring rows of a page, as far as they are of use */
static void
score_rows(HxBlocksSearch *search, const uint8 *payloads, int count)
{
	const HxKind *kind = HxKindOf(&search->base.desc);

	Assert(!kind->distances_within || !search->base.refine);
	if (kind->distances_within)
		kind->distances_within(search->base.spec.query, payloads, count,
							   search->base.best.worst, search->base.distances);
	else
		kind->distances(search->base.spec.query, payloads, count,
						search->base.distances);
	search->base.stats.scored += count;
}

/* Take note of the rows of a page that pass and may be among the best. */
static void
consider_near(HxBlocksSearch *search, const HxRowArrays *rows)
{
	const double *distances = search->base.distances;

	for (int first = 0; first < rows->count; first += 64)
	{
		uint64 near = hx_kernels->not_above(
			distances + first, Min(rows->count - first, 64), reach(search));

		for (near &= search->base.mask[first / 64]; near != 0; near &= near - 1)
		{
			int row = first + pg_rightmost_one_pos64(near);

			if (!(distances[row] > reach(search))) /* which may have fallen */
				consider(search, distances[row], rows, row);
		}
	}
}

/* Score every row of a page in one kernel call, unless its mask has done so. */
static void
score_all(HxBlocksSearch *search, const HxRowArrays *rows, bool tally)
{
	const double *distances = search->base.distances;

	Assert(search->base.spec.query);
	if (tally) /* else they were fetched ahead */
		for (Size at = 0; at < rows->count * search->base.desc.payload;
			 at += HX_CACHE_LINE)
			__builtin_prefetch(rows->payloads + at);
	if (!search->scored)
		score_rows(search, rows->payloads, rows->count);
	else
		search->base.stats.scored += rows->count;
	if (tally)
		for (int i = 0; i < rows->count; i++)
			tally_row(search, distances[i], HxRowPasses(search->base.mask, i),
					  1);
	consider_near(search, rows);
}

/*
 * Of 64 rows, of which one in `sampled` shall be a sample: eight neighbours,
 * which share a kernel call, not the same ones everywhere; or none.
 */
static inline uint64
sampled_run(const HxBlocksSearch *search, int word, int sampled)
{
	uint32 turn = search->page + word;
	uint32 pages = sampled / SAMPLED_RUN; /* of which one has such a run */

	Assert(sampled % SAMPLED_RUN == 0);
	if (sampled == 0 || turn % pages != 0)
		return 0;
	return UINT64CONST(0xFF) << turn / pages % 8 * SAMPLED_RUN;
}

/* Rows of 64 to be scored: those that pass, and the sample. */
static inline uint64
rows_to_score(const HxBlocksSearch *search, const HxRowArrays *rows, int word,
			  int sampled)
{
	uint64 chosen =
		search->base.mask[word] | sampled_run(search, word, sampled);

	if (word == rows->count / 64)
		chosen &= (UINT64CONST(1) << (rows->count % 64)) - 1;
	return chosen;
}

/* Have the payloads of the rows to be scored brought into the cache. */
static void
prefetch_payloads(const HxBlocksSearch *search, const HxRowArrays *rows,
				  int sampled)
{
	Size payload = search->base.desc.payload;

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
score_run(HxBlocksSearch *search, const HxRowArrays *rows, int row, int count,
		  int sampled)
{
	double *distances = search->base.distances;

	Assert(row >= 0 && row + count <= rows->count);
	score_rows(search, rows->payloads + row * search->base.desc.payload, count);
	for (int i = 0; i < count; i++)
	{
		bool passes = HxRowPasses(search->base.mask, row + i);

		if (sampled)
			tally_row(search, distances[i], passes, passes ? 1 : sampled);
		if (passes && !(distances[i] > reach(search))) /* NaN counts */
			consider(search, distances[i], rows, row + i);
	}
}

/* Score the rows that pass, and a sample of the others. */
static void
score_passing(HxBlocksSearch *search, const HxRowArrays *rows, int sampled)
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
score_page(HxBlocksSearch *search, const HxRowArrays *rows, int sampled)
{
	int passed = build_mask(search, rows);
	bool filtered = HxIsMasked(search);
	bool tally = filtered && !search->base.exact && search->base.spec.query;

	Assert(passed <= rows->count);
	search->base.seen += rows->count;
	search->base.passed += passed;
	search->base.stats.filtered += rows->count - passed;
	if (!HxGoesByDistance(&search->base))
		HxConsiderMasked(&search->base, rows, search->page);
	else if (!filtered || search->scored || (tally && sampled == 1) ||
			 passed * 3 > rows->count)
		score_all(search, rows, tally);
	else
		score_passing(search, rows, tally ? sampled : 0);
}

/*
 * Visit a block, a page at a time under its share lock, which is kept until
 * the next page is locked: a page on the way could otherwise be unlinked and
 * come back as the chain's end, and what stands between would be passed over.
 * False if a page has gone to another block meanwhile: what was collected is
 * not all.
 */
bool
HxVisitBlock(HxBlocksSearch *search, const HxBlock *block, int sampled)
{
	BlockNumber next = block->first;
	Buffer before = InvalidBuffer;
	uint32 left = block->rows; /* on pages to come, as the directory had it */
	uint32 steps = 0;

	Assert(HxHoldsNoPage());
	HxAddOwner(&search->visits, block->owner);
	while (next != InvalidBlockNumber)
	{
		Buffer buffer = HxReadRows(search->base.index, &search->base.desc, next,
								   block->owner);
		HxRowArrays rows;

		if (BufferIsValid(before))
			UnlockReleaseBuffer(before);
		if (!BufferIsValid(buffer))
		{
			Assert(HxHoldsNoPage());
			HxCheckChain(search->base.index, &search->base.desc, block);
			return false;
		}
		HxCountStep(search->base.index, next, &steps);
		search->page = next;
		next = HxPageOpaque(BufferGetPage(buffer))->next;
		HxRowArraysOf(&search->base.desc, BufferGetPage(buffer), &rows);
		left -= Min(left, (uint32) rows.count);
		if (next != InvalidBlockNumber)
			HxPrefetchRows(&search->base, next, left);
		score_page(search, &rows, sampled);
		before = buffer;
	}
	if (BufferIsValid(before))
		UnlockReleaseBuffer(before);
	return true;
}
