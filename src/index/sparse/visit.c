/*
 * visit.c
 *	  Rows of an index of sparse vectors during a search: which ones pass, and
 *	  which of those that were scored are to be kept.
 *
 * Scoring leaves a sum for each slot.  Few of them matter, so the pages of
 * rows, with lengths, attributes and TIDs, are read only where a sum is great
 * enough.
 */
#include "postgres.h"

#include <float.h>

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "index/sparse/lists.h"
#include "index/sparse/state.h"

/* If they had too few rows, this many times as many blocks are */
#define MORE_BLOCKS 4

/* ---- rows kept ---- */

/* Distance above which a row is not kept */
static inline double
worst_kept(const HxSparseSearch *search)
{
	return search->base.spec.ordered
			   ? Min(search->base.best.worst, search->cutoff)
			   : search->cutoff;
}

/* Least sum that a row of a window needs to be kept */
static double
least_sum(const HxSparseSearch *search, const HxWindowState *window)
{
	return HxLeastProduct(search, worst_kept(search),
						  window->reader.window.min_norm);
}

/*
 * What an L2 distance that was computed from the product may be off by, from the
 * operator's.  It grows slower than the distance, so that what is beyond a
 * distance by more than its own error comes before all else that is.
 */
static double
error_of(const HxSparseSearch *search, double distance)
{
	double error =
		HX_SUM_ERRORS * (3 * search->query->norm2 + 2 * distance * distance);

	if (error < distance * distance)
		return error / distance;
	return sqrt(error);
}

/*
 * Does a distance satisfy the conditions on it?  Of L2 distances, which are off by
 * rounding, some pass that do not.
 */
static inline bool
passes_balls(const HxSparseSearch *search, double distance)
{
	bool is_exact = search->query->base.metric != HX_L2;
	double least = is_exact ? distance : distance - error_of(search, distance);

	for (int b = 0; b < search->base.spec.nballs; b++)
	{
		const HxBoundTest *test = &search->base.spec.balls[b].any[0].test;

		if (is_exact ? !HxPassesTest(test, distance)
					 : least > HxGreatestPassing(test))
			return false;
	}
	return true;
}

/*
 * Take note of a row whose L2 distance was computed from the product, which is
 * exact but for rounding: where that matters, the table's vector decides.
 */
static void
consider_estimate(HxSparseSearch *search, double distance,
				  const ItemPointerData *tid)
{
	double error = error_of(search, distance);
	HxCandidate row = {distance, HxPackTid(tid), search->page};

	HxSetDeviation(&row, Max(error / HX_FARTHEST, FLT_MIN));
	HxConsiderEstimate(&search->base, &row, Max(distance - error, 0));
}

/* Take note of a row that passes the filter; its distance counts if scored. */
static inline void
consider(HxSparseSearch *search, double distance, const ItemPointerData *tid)
{
	if (search->base.spec.nballs > 0 && HxSparseScores(search) &&
		!passes_balls(search, distance))
		return;
	if (search->base.nans_apart && search->base.part != HX_PART_NULLS &&
		isnan(distance) != (search->base.part == HX_PART_NANS))
		return;
	if (search->base.refine)
		consider_estimate(search, distance, tid);
	else
		HxConsider(&search->base, distance, tid, search->page);
}

/*
 * Distance of a row from its product and squared length: the operator's, but
 * for L2 an estimate
 */
static inline double
distance_of(const HxSparseSearch *search, double product, double norm2)
{
	if (search->query->base.metric == HX_L2)
		return sqrt(Max(norm2 - 2 * product + search->query->norm2, 0));
	if (search->query->base.metric == HX_COSINE)
		return HxCosineDistance(product, search->query->norm2, norm2);
	return HxNegativeProduct(product);
}

/* ---- rows that pass ---- */

/* Which rows of a page pass all conditions but those on the vector. */
static void
build_mask(HxSparseSearch *search, const HxRowArrays *rows, uint64 *mask)
{
	int passed = HxMaskRows(&search->base, rows, mask);

	if (!search->base.filtered)
		return;
	search->asked += rows->count;
	search->passed += passed;
	search->base.seen += rows->count;
	search->base.passed += passed;
	search->base.stats.filtered += rows->count - passed;
}

/*
 * The mask of a page, if that was made before; a filter is asked once about
 * each row.  Without a filter masks are not worth being kept.
 */
static const uint64 *
known_mask(HxSparseSearch *search, HxWindowState *window, uint32 number)
{
	uint32 pages = window->reader.pages[HX_SECTION_ROWS];

	Assert(number < pages);
	if (!search->base.filtered)
		return NULL;
	if (!window->masks)
	{
		window->masks = MemoryContextAlloc(
			search->phase_context,
			pages * HxMaskWords(&search->base.desc) * sizeof(uint64));
		window->has_mask =
			MemoryContextAllocZero(search->phase_context, pages * sizeof(bool));
	}
	return window->has_mask[number]
			   ? window->masks + number * HxMaskWords(&search->base.desc)
			   : NULL;
}

/* The mask of a page that is being read. */
static const uint64 *
make_mask(HxSparseSearch *search, HxWindowState *window, uint32 number,
		  const HxRowArrays *rows)
{
	uint64 *mask = search->base.mask;

	Assert(!search->base.filtered || window->masks);
	if (search->base.filtered)
	{
		mask = window->masks + number * HxMaskWords(&search->base.desc);
		window->has_mask[number] = true;
	}
	build_mask(search, rows, mask);
	return mask;
}

/* Does a page have rows of one of some blocks? */
static bool
any_on_page(const HxWindowState *window, uint32 number, const uint64 *blocks)
{
	int first = number * window->reader.desc->capacity;
	int last = first + HxWindowPageRows(&window->reader, number) - 1;
	int from = first / HX_WINDOW_BLOCK;
	int to = last / HX_WINDOW_BLOCK;

	for (int w = from / 64; w <= to / 64; w++)
	{
		uint64 word = blocks[w];

		if (w == from / 64)
			word &= ~UINT64CONST(0) << (from % 64);
		if (w == to / 64)
			word &= ~UINT64CONST(0) >> (63 - to % 64);
		if (word != 0)
			return true;
	}
	return false;
}

/* Have what is read of a window's page of rows brought into the cache. */
static void
prefetch_page(const HxSparseSearch *search, const HxWindowState *window,
			  uint32 number)
{
	if (number < window->reader.pages[HX_SECTION_ROWS])
		HxPrefetchLines(search->base.index,
						HxWindowBlock(&window->reader, HX_SECTION_ROWS, number),
						search->base.lines, search->base.nlines);
}

/* The mask of a page, read for it if need be; NULL if the window was replaced */
static const uint64 *
read_mask(HxSparseSearch *search, HxWindowState *window, uint32 number)
{
	const uint64 *mask = known_mask(search, window, number);
	HxRowArrays rows;
	Buffer buffer;

	if (mask)
		return mask;
	prefetch_page(search, window, number + 1);
	buffer = HxReadWindowPage(&window->reader, HX_SECTION_ROWS, number);
	if (!BufferIsValid(buffer))
		return NULL;
	HxRowArraysOf(&search->base.desc, BufferGetPage(buffer), &rows);
	mask = make_mask(search, window, number, &rows);
	UnlockReleaseBuffer(buffer);
	return mask;
}

bool
HxDropRejected(HxSparseSearch *search, HxWindowState *window, uint64 *blocks)
{
	uint64 *passing = search->passing;

	memset(passing, 0, HX_WINDOW_SLOTS / 8);
	for (uint32 p = 0; p < window->reader.pages[HX_SECTION_ROWS]; p++)
	{
		int first = p * search->base.desc.capacity;
		int count = HxWindowPageRows(&window->reader, p);
		const uint64 *mask;

		if (!any_on_page(window, p, blocks))
			continue;
		CHECK_FOR_INTERRUPTS();
		mask = read_mask(search, window, p);
		if (!mask)
			return false;
		for (int w = 0; w * 64 < count; w++)
			for (uint64 left = mask[w]; left != 0; left &= left - 1)
			{
				int slot = first + w * 64 + pg_rightmost_one_pos64(left);

				passing[slot / 64] |= UINT64CONST(1) << (slot % 64);
			}
	}
	for (int b = 0; b < window->blocks; b++)
		if (HxPassingSlots(passing, b) == 0)
			blocks[b / 64] &= ~(UINT64CONST(1) << (b % 64));
	return true;
}

/* ---- rows that were scored ---- */

/* Sums that a visit is about: from the least on, below another */
typedef struct Range
{
	double least;
	double below;
} Range;

/* Set the bits from one place on. */
static inline void
set_bits(uint64 *bits, int from, int count)
{
	uint64 ones = (UINT64CONST(1) << count) - 1; /* of a block, so not all */

	Assert(count > 0 && count < 64);
	bits[from / 64] |= ones << (from % 64);
	if (from % 64 + count > 64)
		bits[from / 64 + 1] |= ones >> (64 - from % 64);
}

/*
 * Mark the rows of a page's blocks that have a great enough sum, but for those
 * that are known not to pass; false if there are none.
 */
static bool
mark_blocks(HxSparseSearch *search, HxWindowState *window, uint32 number,
			const uint64 *blocks, double least, uint64 *marks)
{
	const uint64 *mask = known_mask(search, window, number);
	int first = number * search->base.desc.capacity;
	int count = HxWindowPageRows(&window->reader, number);
	uint64 any = 0;

	memset(marks, 0, (HxMaskWords(&search->base.desc) + 1) * sizeof(uint64));
	for (int i = 0; i < count;)
	{
		int block = (first + i) / HX_WINDOW_BLOCK;
		int end = Min((block + 1) * HX_WINDOW_BLOCK - first, count);

		/* What was not scored has sums of other rows, whatever the least is */
		if (HxIsChosen(blocks, block) &&
			search->scratch->maxima[block] >= least)
			set_bits(marks, i, end - i);
		i = end;
	}
	for (int w = 0; w < (count + 63) / 64; w++)
	{
		if (mask)
			marks[w] &= mask[w];
		any |= marks[w];
	}
	return any != 0;
}

/* Keep the rows of a page that are marked, pass, and have a sum in a range. */
static bool
visit_page(HxSparseSearch *search, HxWindowState *window, uint32 number,
		   const uint64 *marks, const Range *range)
{
	Buffer buffer = HxReadWindowPage(&window->reader, HX_SECTION_ROWS, number);
	const double *sums =
		search->scratch->sums + (Size) number * search->base.desc.capacity;
	const uint64 *mask;
	HxRowArrays rows;
	const double *norms;

	if (!BufferIsValid(buffer))
		return false;
	Assert(HxIsLocked(buffer, BUFFER_LOCK_SHARE));
	/* Without a filter, few bytes of a page are read */
	if (search->base.filtered)
		prefetch_page(search, window, number + 1);
	search->page = BufferGetBlockNumber(buffer);
	HxRowArraysOf(&search->base.desc, BufferGetPage(buffer), &rows);
	norms = (const double *) rows.payloads;
	mask = known_mask(search, window, number);
	if (!mask)
		mask = make_mask(search, window, number, &rows);
	for (int w = 0; w * 64 < rows.count; w++)
		for (uint64 left = marks[w] & mask[w]; left != 0; left &= left - 1)
		{
			int i = w * 64 + pg_rightmost_one_pos64(left);

			if (sums[i] >= range->least && sums[i] < range->below &&
				norms[i] >= 0) /* not removed, not NULL */
				consider(search, distance_of(search, sums[i], norms[i]),
						 &rows.tids[i]);
		}
	UnlockReleaseBuffer(buffer);
	return true;
}

/* Visit the rows whose sum is in a range, and good enough. */
static bool
visit_range(HxSparseSearch *search, HxWindowState *window, const uint64 *blocks,
			Range range)
{
	uint64 marks[BLCKSZ / 64];

	for (uint32 p = 0; p < window->reader.pages[HX_SECTION_ROWS]; p++)
	{
		if (!any_on_page(window, p, blocks))
			continue;
		(void) HxMergeBest(&search->base.best, false);
		range.least = Max(range.least, least_sum(search, window));
		if (mark_blocks(search, window, p, blocks, range.least, marks) &&
			!visit_page(search, window, p, marks, &range))
			return false;
	}
	return true;
}

/* What about so many of the chosen blocks reach with their greatest sums */
static double
threshold_for(const HxSparseSearch *search, const uint64 *blocks, double wanted)
{
	double maxima[HX_WINDOW_BLOCKS];
	int count = 0;

	for (int w = 0; w < HX_BLOCK_WORDS; w++)
		for (uint64 left = blocks[w]; left != 0; left &= left - 1)
			maxima[count++] =
				search->scratch->maxima[w * 64 + pg_rightmost_one_pos64(left)];
	return HxThresholdForTop(maxima, count, wanted);
}

/* In how many blocks to look for the rows that there is still room for */
static double
blocks_wanted(const HxSparseSearch *search)
{
	double wanted = search->base.best.room - HxBestCount(&search->base.best);

	if (search->base.filtered)
		wanted *= (search->asked + 2.0) / (search->passed + 1.0);
	return wanted;
}

/*
 * While there is room, rows with great sums come first, so that the others
 * need not be looked at.
 */
bool
HxVisitScored(HxSparseSearch *search, HxWindowState *window,
			  const uint64 *blocks)
{
	Range range = {-INFINITY, INFINITY};
	double wanted = 0;

	Assert(search->query && HxHoldsNoPage());
	HxBlockMaxima(search->scratch->sums, window->reader.window.rows, blocks,
				  search->scratch->maxima);
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		range.least = -INFINITY;
		if (search->base.spec.ordered &&
			HxBestCount(&search->base.best) < search->base.best.room)
		{
			wanted = Max(MORE_BLOCKS * wanted, blocks_wanted(search));
			range.least = threshold_for(search, blocks, wanted);
		}
		if (!visit_range(search, window, blocks, range))
			return false;
		(void) HxMergeBest(&search->base.best, false);
		if (range.least <= least_sum(search, window))
			return true;
		range.below = range.least;
	}
}

/* ---- counting visits ---- */

void
HxCountVisits(HxSparseSearch *search, const HxWindowState *window,
			  const uint64 *blocks)
{
	HxSeenWindow *seen = &search->seen[window->seen];

	Assert(window->seen >= 0 && window->seen < search->nseen);
	for (int w = 0; w < HX_BLOCK_WORDS; w++)
	{
		search->base.stats.visited +=
			pg_popcount64(blocks[w] & ~seen->blocks[w]);
		search->base.stats.again += pg_popcount64(blocks[w] & seen->blocks[w]);
		seen->blocks[w] |= blocks[w];
	}
}

/* ---- rows that are not scored ---- */

/* Has a row of a page a vector of length zero? */
static bool
has_zero_vector(const HxRowArrays *rows)
{
	const double *norms = (const double *) rows->payloads;

	for (int i = 0; i < rows->count; i++)
		if (norms[i] == 0)
			return true;
	return false;
}

/* Visit the rows of a page that pass the mask, without distances. */
static void
visit_passing(HxSparseSearch *search, const HxRowArrays *rows, bool in_nans)
{
	const double *norms = (const double *) rows->payloads;

	for (int w = 0; w * 64 < rows->count; w++)
		for (uint64 left = search->base.mask[w]; left != 0; left &= left - 1)
		{
			int i = w * 64 + pg_rightmost_one_pos64(left);

			if (norms[i] == HX_DEAD_NORM ||
				!HxWantsRow(&search->base, norms[i] == HX_NULL_NORM) ||
				(in_nans && norms[i] != 0))
				continue;
			consider(search, in_nans ? get_float8_nan() : 0, &rows->tids[i]);
		}
}

bool
HxVisitUnscored(HxSparseSearch *search, const HxWindowState *window)
{
	const HxWindowReader *reader = &window->reader;
	bool in_nans = search->base.part == HX_PART_NANS;
	uint64 blocks[HX_BLOCK_WORDS];

	Assert(!HxSparseScores(search) && HxHoldsNoPage());
	for (int w = 0; w < HX_BLOCK_WORDS; w++)
		blocks[w] = ~window->visited[w];
	HxCountVisits(search, window, blocks);
	for (uint32 p = 0; p < reader->pages[HX_SECTION_ROWS]; p++)
	{
		Buffer buffer = HxReadWindowPage(reader, HX_SECTION_ROWS, p);
		HxRowArrays rows;

		if (!BufferIsValid(buffer))
			return false;
		prefetch_page(search, window, p + 1);
		search->page = BufferGetBlockNumber(buffer);
		HxRowArraysOf(&search->base.desc, BufferGetPage(buffer), &rows);
		if (in_nans && !has_zero_vector(&rows))
			rows.count = 0;
		build_mask(search, &rows, search->base.mask);
		visit_passing(search, &rows, in_nans);
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

/* ---- pending rows ---- */

/* Does a pending row pass the filter? */
static bool
pending_passes(HxSparseSearch *search, const HxSparseRow *row)
{
	HxColumns columns = {.count = 1, .words = row->words};
	uint64 nulls[INDEX_MAX_KEYS];
	uint64 mask = 1;

	if (!search->base.filtered)
		return true;
	for (int a = 0; a < search->base.desc.nattrs; a++)
		nulls[a] = row->nulls >> a & 1;
	columns.nulls = nulls;
	columns.stride = columns.null_stride = 1;
	if (!HxFilterIsTrivial(search->base.spec.filter))
		HxFilterRows(search->base.spec.filter, &columns, &mask);
	if (search->base.spec.tids)
		HxTidSetFilter(search->base.spec.tids, &row->tid, 1, &mask);
	if (mask == 0)
		search->base.stats.filtered++;
	return mask != 0;
}

void
HxVisitPending(const HxSparseRow *row, void *state)
{
	HxSparseSearch *search = state;
	double distance = 0;

	if (!HxWantsRow(&search->base, row->nnz == HX_SPARSE_NULL) ||
		!pending_passes(search, row))
		return;
	if (HxSparseScores(search) || search->base.part == HX_PART_NANS)
	{
		Assert(search->lookup);
		search->base.stats.scored++;
		distance = distance_of(search, HxLookupProduct(search->lookup, row),
							   row->norm2);
	}
	consider(search, distance, &row->tid);
}
