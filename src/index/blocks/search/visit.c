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

/* A rows page that is locked, and what is known of its rows */
typedef struct RowsPage
{
	Buffer buffer;
	BlockNumber number;
	HxRowArrays rows;
	uint64 *mask; /* those that pass, balls apart ... */
	int passed;	  /* ... so many */
} RowsPage;

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

/* Count a scored row for the estimate of who passes near the query. */
static inline void
tally_row(HxBlocksSearch *search, double distance, bool passes, double weight)
{
	int bin = HxDistanceBin(&search->misses,
							distance / HxUnitOf(search->base.spec.query));

	search->tally.seen.rows[bin] += weight;
	if (passes)
		search->tally.seen.passed[bin] += weight;
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
 * which share cache lines, not the same ones everywhere; or none.
 */
static inline uint64
sampled_run(BlockNumber page, int word, int sampled)
{
	uint32 turn = page + word;
	uint32 pages = sampled / SAMPLED_RUN; /* of which one has such a run */

	Assert(sampled % SAMPLED_RUN == 0);
	if (sampled == 0 || turn % pages != 0)
		return 0;
	return UINT64CONST(0xFF) << turn / pages % 8 * SAMPLED_RUN;
}

/* Rows of 64 to be scored: those that pass, and the sample. */
static inline uint64
rows_to_score(const RowsPage *page, int word, int sampled)
{
	uint64 chosen = page->mask[word] | sampled_run(page->number, word, sampled);

	if (word == page->rows.count / 64)
		chosen &= (UINT64CONST(1) << (page->rows.count % 64)) - 1;
	return chosen;
}

/* Copy the payloads of the rows to be scored side by side; returns how many. */
static int
gather_rows(HxBlocksSearch *search, const RowsPage *page, int sampled)
{
	Size payload = search->base.desc.payload;
	int count = 0;

	for (int w = 0; w * 64 < page->rows.count; w++)
		for (uint64 left = rows_to_score(page, w, sampled); left != 0;
			 left &= left - 1)
		{
			int row = w * 64 + pg_rightmost_one_pos64(left);

			memcpy(search->gathered + count * payload,
				   page->rows.payloads + row * payload, payload);
			search->gathered_rows[count++] = row;
		}
	Assert(count <= search->base.desc.capacity);
	return count;
}

/*
 * Score the rows that pass, and a sample of the others, of which one stands for
 * `sampled` (0: there is none, and nothing is counted).
 */
static void
score_passing(HxBlocksSearch *search, const RowsPage *page, int sampled)
{
	const double *distances = search->base.distances;
	int count = gather_rows(search, page, sampled);

	if (count > 0)
		score_rows(search, search->gathered, count);
	for (int i = 0; i < count; i++)
	{
		int row = search->gathered_rows[i];
		bool passes = HxRowPasses(page->mask, row);

		if (sampled)
			tally_row(search, distances[i], passes, passes ? 1 : sampled);
		if (passes && !(distances[i] > reach(search))) /* NaN counts */
			consider(search, distances[i], &page->rows, row);
	}
}

/* ---- pages ---- */

/* Of rows that do not pass, one in how many is scored on a page; 0: none */
static inline int
sample_of(const HxBlocksSearch *search, int sampled)
{
	const HxSearch *base = &search->base;

	return HxIsMasked(search) && !base->exact && base->spec.query ? sampled : 0;
}

/* Are all rows of a page scored, where this many pass? */
static inline bool
scores_all(const HxBlocksSearch *search, const HxRowArrays *rows, int passed,
		   int sample)
{
	return !HxIsMasked(search) || sample == 1 || passed * 3 > rows->count;
}

/* Have the payloads that will be scored brought into the cache. */
static void
prefetch_payloads(const HxBlocksSearch *search, const RowsPage *page,
				  int sample)
{
	const HxRowArrays *rows = &page->rows;
	Size payload = search->base.desc.payload;

	if (scores_all(search, rows, page->passed, sample))
	{
		for (Size at = 0; at < rows->count * payload; at += HX_CACHE_LINE)
			__builtin_prefetch(rows->payloads + at);
		return;
	}
	for (int w = 0; w * 64 < rows->count; w++)
		for (uint64 left = rows_to_score(page, w, sample); left != 0;
			 left &= left - 1)
		{
			const uint8 *row =
				rows->payloads +
				(w * 64 + pg_rightmost_one_pos64(left)) * payload;

			__builtin_prefetch(row);
			__builtin_prefetch(row + payload - 1);
		}
}

/*
 * Look at a page that was locked: which of its rows pass, and have what will be
 * scored of them brought into the cache, while the page before is scored.
 */
static void
look_at_page(HxBlocksSearch *search, RowsPage *page, int sampled)
{
	HxSearch *base = &search->base;

	HxRowArraysOf(&base->desc, BufferGetPage(page->buffer), &page->rows);
	page->passed = HxMaskRows(base, &page->rows, page->mask);
	if (HxIsMasked(search) && HxGoesByDistance(base))
		prefetch_payloads(search, page, sample_of(search, sampled));
}

/*
 * Score a page's rows that pass and, where that helps, one in `sampled` of those
 * that do not.
 */
static void
score_page(HxBlocksSearch *search, RowsPage *page, int sampled)
{
	const HxRowArrays *rows = &page->rows;
	int sample = sample_of(search, sampled);
	int passed;

	search->page = page->number;
	search->base.mask = page->mask;
	passed = HxMaskBalls(&search->base, rows, page->passed, &search->scored);
	Assert(passed <= rows->count);
	search->base.seen += rows->count;
	search->base.passed += passed;
	search->base.stats.filtered += rows->count - passed;
	if (!HxGoesByDistance(&search->base))
		HxConsiderMasked(&search->base, rows, search->page);
	else if (search->scored || scores_all(search, rows, passed, sample))
		score_all(search, rows, sample > 0);
	else
		score_passing(search, page, sample);
}

/* Let go of a page, if there is one. */
static void
leave_page(RowsPage *page)
{
	if (BufferIsValid(page->buffer))
		UnlockReleaseBuffer(page->buffer);
	page->buffer = InvalidBuffer;
}

/*
 * Visit a block, a page at a time under its share lock, which is kept until the
 * next page is locked: a page on the way could otherwise be unlinked and come
 * back as the chain's end, and what stands between would be passed over.  Where
 * there is a mask, a page is scored only when the next one was looked at: its
 * payloads come meanwhile.  False if a page has gone to another block: what was
 * collected is not all.
 */
bool
HxVisitBlock(HxBlocksSearch *search, const HxBlock *block, int sampled)
{
	RowsPage pages[2] = {{.mask = search->masks[0]},
						 {.mask = search->masks[1]}};
	BlockNumber next = block->first;
	uint32 left = block->rows; /* on pages to come, as the directory had it */
	uint32 steps = 0;
	bool masked = HxIsMasked(search);

	Assert(HxHoldsNoPage());
	HxAddOwner(&search->visits, block->owner);
	while (next != InvalidBlockNumber)
	{
		RowsPage *before = &pages[(steps + 1) % 2];
		RowsPage *page = &pages[steps % 2];

		page->buffer = HxReadRows(search->base.index, &search->base.desc, next,
								  block->owner);
		if (!BufferIsValid(page->buffer))
		{
			leave_page(before);
			Assert(HxHoldsNoPage());
			HxCheckChain(search->base.index, &search->base.desc, block);
			return false;
		}
		page->number = next;
		next = HxPageOpaque(BufferGetPage(page->buffer))->next;
		look_at_page(search, page, sampled);
		left -= Min(left, (uint32) page->rows.count);
		if (next != InvalidBlockNumber)
			HxPrefetchRows(&search->base, next, left);
		if (masked && BufferIsValid(before->buffer))
			score_page(search, before, sampled);
		leave_page(before);
		if (!masked)
			score_page(search, page, sampled);
		HxCountStep(search->base.index, page->number, &steps);
	}
	if (masked && steps > 0)
		score_page(search, &pages[(steps + 1) % 2], sampled);
	leave_page(&pages[(steps + 1) % 2]);
	return true;
}
