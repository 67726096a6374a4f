/*
 * search.c
 *	  Searching lists: every page of the file is visited, in its order.
 *
 * See README, "Search".  Rows never move to a page before the one that they are
 * on, so a search that goes forwards to an end that stays meets all that it must
 * see.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "index/cost_units.h"
#include "index/multi/multi.h"

/*
 * Pages of a visit; fewer before it is learnt what to leave alone, and where each row
 * will be looked at in the table
 */
#define PAGES_A_VISIT 16
#define PAGES_BEFORE_LEARNT 8
#define PAGES_A_LOOK 4

void
HxBeginListSearch(HxSearch *base)
{
	HxListSearch *search = (HxListSearch *) base;

	search->products = palloc(base->desc.capacity * sizeof(int32));
	search->glances = palloc(base->desc.capacity * sizeof(int32));
	base->nans_apart =
		base->spec.ordered && base->spec.nans_first && base->spec.query;
	base->stats.blocks = RelationGetNumberOfBlocks(base->index) - 1;
}

double
HxListEffort(const HxSearch *base, double passing)
{
	/* A page's rows: those of lists of some ten tokens */
	double rows = (double) RelationGetNumberOfBlocks(base->index) * BLCKSZ / 64;

	return rows * (HX_ROW_TIME + HX_LOOKUP_TIME);
}

void
HxStartListPhase(HxSearch *base)
{
	HxListSearch *search = (HxListSearch *) base;

	search->next = HX_METAPAGE + 1;
	search->end = HxFilterIsNever(base->spec.filter)
					  ? search->next
					  : RelationGetNumberOfBlocks(base->index);
}

bool
HxHasMoreLists(const HxSearch *base)
{
	const HxListSearch *search = (const HxListSearch *) base;

	return search->next < search->end;
}

/* Not before all has been visited */
bool
HxIsListSearchSettled(HxSearch *base, double distance, int64 count)
{
	return false;
}

/* Take note of a row of which a product says where it stands. */
static void
consider_known(HxSearch *base, const HxListArrays *arrays, int row,
			   int32 product)
{
	const HxListQuery *query = (const HxListQuery *) base->spec.query;
	HxCandidate found = {-(product * query->unit)};

	if (base->part == HX_PART_NANS)
		return; /* it is known to be a number */
	if (found.distance > base->best.worst && !base->exact)
		return;
	found.tid = HxPackTid(&arrays->rows.tids[row]);
	found.page = HX_METAPAGE;
	HxSetDeviation(&found,
				   Max(query->deviation * HxLengthen(arrays->heads[row].error),
					   query->rounding));
	HxConsiderEstimate(base, &found, -INFINITY);
}

/* Take note of a row, by its product if there are products. */
static inline void
consider_row(HxSearch *base, const HxListArrays *arrays, int row,
			 const int32 *products)
{
	bool bare = HxIsBareList(arrays->heads[row].error);
	int start = row > 0 ? arrays->heads[row - 1].end : 0;
	HxCandidate found = {-INFINITY};

	if (products && arrays->heads[row].end > start)
	{
		consider_known(base, arrays, row, *products);
		return;
	}
	found.tid = HxPackTid(&arrays->rows.tids[row]);
	found.page = HX_METAPAGE;
	if (!bare && arrays->heads[row].end == start)
		found.distance = INFINITY; /* an empty list: NaN, after all numbers */
	HxSetDeviation(&found, 0);
	HxConsiderEstimate(base, &found, -INFINITY);
}

/* ---- glances ---- */

/* Rows that tell how products go with glances at least, and what is allowed for */
#define GLANCES_LEARNT 1024
#define GLANCE_MARGIN 4

/* They are those of so many pages, spread over the file: a power of two at most */
#define FEWEST_PAGES_LEARNT 16
#define PAGES_LEARNT_BITS 6

/* Learn from rows whose product and glance are known how these go together. */
static void
note_glances(HxListSearch *search, int count)
{
	for (int i = 0; i < count; i++)
	{
		double glance = search->glances[i];
		double product = search->products[i];

		search->glance += glance;
		search->product += product;
		search->glance2 += glance * glance;
		search->product2 += product * product;
		search->both += glance * product;
	}
	search->rows += count;
}

/* Find the line that products follow, and how far above it they may be. */
static void
fit_glances(HxListSearch *search)
{
	double n = search->rows;
	double mean = search->glance / n;
	double middle = search->product / n;
	double variance = search->glance2 / n - mean * mean;
	double shared = search->both / n - mean * middle;
	double rest;

	search->slope = variance > 0 ? shared / variance : 0;
	rest = search->product2 / n - middle * middle - search->slope * shared;
	search->above =
		middle - search->slope * mean + GLANCE_MARGIN * sqrt(Max(rest, 0)) + 1;
}

/*
 * The least glance of a row that may be among those kept; the least number if all
 * may be.
 */
static int32
least_glance(HxListSearch *search, double least_product)
{
	double least;

	if (search->rows < GLANCES_LEARNT || !(search->slope > 0))
		return PG_INT32_MIN;
	least = (least_product - search->above) / search->slope;
	return least > PG_INT32_MIN && least < PG_INT32_MAX ? (int32) least
														: PG_INT32_MIN;
}

/* Learn from the rows of a page, if it is one of lists. */
static void
learn_from_page(HxListSearch *search, BlockNumber block)
{
	HxSearch *base = &search->base;
	const HxListQuery *query = (const HxListQuery *) base->spec.query;
	HxListArrays arrays;
	Buffer buffer;

	CHECK_FOR_INTERRUPTS();
	buffer =
		HxLockLists(base->index, &base->desc, block, BUFFER_LOCK_SHARE, NULL);
	if (!BufferIsValid(buffer))
		return;
	HxListArraysOf(&base->desc, BufferGetPage(buffer), &arrays);
	HxGlanceAtLists(query, &arrays, 0, arrays.rows.count, search->glances);
	HxScoreLists(query, &arrays, 0, arrays.rows.count, search->products);
	note_glances(search, arrays.rows.count);
	UnlockReleaseBuffer(buffer);
}

/*
 * Learn from pages that are spread over the file, since rows that came one after the
 * other may be near each other: the halves, the quarters between them, and so on.
 */
static void
learn_glances(HxListSearch *search)
{
	uint64 blocks = search->end - (HX_METAPAGE + 1);

	Assert(HxHoldsNoPage() && blocks > 0);
	for (int i = 0; i < 1 << PAGES_LEARNT_BITS; i++)
	{
		uint64 place = 0;

		if (i >= FEWEST_PAGES_LEARNT && search->rows >= GLANCES_LEARNT)
			break;
		for (int bit = 0; bit < PAGES_LEARNT_BITS; bit++)
			place |= (uint64) (i >> bit & 1) << (PAGES_LEARNT_BITS - 1 - bit);
		learn_from_page(
			search, HX_METAPAGE + 1 +
						(BlockNumber) (place * blocks >> PAGES_LEARNT_BITS));
	}
	if (search->rows > 0)
		fit_glances(search);
	search->learnt = true;
}

/*
 * Is it time to learn?  As soon as there is no room for all rows, where most pass.
 */
static bool
learning_is_due(const HxListSearch *search)
{
	const HxSearch *base = &search->base;

	return !search->learnt && base->refine && !base->exact &&
		   ((const HxListQuery *) base->spec.query)->chunks > 0 &&
		   !isinf(base->best.worst) && base->passed > base->seen / 3;
}

/* ---- a page ---- */

/* The least product of a row that may be kept */
static double
least_product(const HxSearch *base)
{
	const HxListQuery *query = (const HxListQuery *) base->spec.query;

	return base->exact || isinf(base->best.worst)
			   ? -INFINITY
			   : -base->best.worst / query->unit;
}

/* Has a row codes? */
static inline bool
is_listed(const HxListArrays *arrays, int row)
{
	int start = row > 0 ? arrays->heads[row - 1].end : 0;

	return arrays->heads[row].end > start;
}

/*
 * Consider all rows of a page that pass, where most do.  As soon as the rows kept
 * say how good one must be, the first codebook tells of most that they are not.
 */
static void
consider_most(HxListSearch *search, const HxListArrays *arrays)
{
	HxSearch *base = &search->base;
	const HxListQuery *query = (const HxListQuery *) base->spec.query;
	int count = arrays->rows.count;
	int32 least = least_glance(search, least_product(base));

	HxGlanceAtLists(query, arrays, 0, count, search->glances);
	if (least == PG_INT32_MIN)
		HxScoreLists(query, arrays, 0, count, search->products);
	for (int i = 0; i < count; i++)
	{
		if (search->glances[i] < least && is_listed(arrays, i))
			continue;
		if (!HxRowPasses(base->mask, i))
			continue;
		if (least > PG_INT32_MIN)
			HxScoreLists(query, arrays, i, 1, &search->products[i]);
		consider_row(base, arrays, i, &search->products[i]);
	}
}

/* Consider the rows of a page that pass, one by one. */
static void
consider_few(HxListSearch *search, const HxListArrays *arrays)
{
	HxSearch *base = &search->base;
	const HxListQuery *query = (const HxListQuery *) base->spec.query;
	bool known = query->chunks > 0;

	for (int i = 0; i < arrays->rows.count; i++)
	{
		if (!HxRowPasses(base->mask, i))
			continue;
		if (known)
			HxScoreLists(query, arrays, i, 1, &search->products[i]);
		consider_row(base, arrays, i, known ? &search->products[i] : NULL);
	}
}

/* Clear the mask bits of rows that this part does not want; returns how many. */
static int
drop_unwanted(HxSearch *base, const HxListArrays *arrays)
{
	bool wanted[] = {HxWantsRow(base, false), HxWantsRow(base, true)};
	int dropped = 0;

	for (int i = 0; i < arrays->rows.count; i++)
	{
		bool is_null = arrays->heads[i].error == HX_LIST_NULL;

		if (!wanted[is_null] && HxRowPasses(base->mask, i))
		{
			base->mask[i / 64] &= ~(UINT64CONST(1) << (i % 64));
			dropped++;
		}
	}
	return dropped;
}

/* Visit the rows of a page. */
static void
visit_page(HxListSearch *search, const HxListArrays *arrays)
{
	HxSearch *base = &search->base;
	int count = arrays->rows.count;
	int passed = HxMaskRows(base, &arrays->rows, base->mask);

	if (passed > 0)
		passed -= drop_unwanted(base, arrays);
	base->seen += count;
	base->passed += passed;
	base->stats.filtered += count - passed;
	if (passed == 0)
		return;
	if (!base->refine)
	{
		HxConsiderMasked(base, &arrays->rows, HX_METAPAGE);
		return;
	}
	base->stats.scored += passed;
	if (((const HxListQuery *) base->spec.query)->chunks > 0 &&
		passed > count / 3)
		consider_most(search, arrays);
	else
		consider_few(search, arrays);
}

/* Visit the next page, if it is one of lists. */
static void
visit_next(HxListSearch *search)
{
	HxSearch *base = &search->base;
	HxListArrays arrays;
	Buffer buffer;

	CHECK_FOR_INTERRUPTS();
	if (search->next + 1 < search->end)
		HxPrefetchBytes(base->index, search->next + 1, 0, BLCKSZ / 4);
	buffer = HxLockLists(base->index, &base->desc, search->next++,
						 BUFFER_LOCK_SHARE, NULL);
	base->stats.visited = Max(base->stats.visited, search->next - 1);
	if (BufferIsValid(buffer))
	{
		HxListArraysOf(&base->desc, BufferGetPage(buffer), &arrays);
		visit_page(search, &arrays);
		UnlockReleaseBuffer(buffer);
	}
	/* Rows that move meanwhile are on new pages. */
	if (search->next == search->end)
		search->end = RelationGetNumberOfBlocks(base->index);
	base->stats.blocks = Max(base->stats.blocks, search->end - 1);
}

/* How much farther than the last row wanted candidates are kept, in deviations */
#define BOUND_MARGIN 4
#define HIGH_BOUND_MARGIN 5.6 /* the same, for targets above .95 */

/*
 * As soon as the rows wanted are known by estimates, rows so much farther than the
 * last of them that errors hardly make up for it need not be kept.  Where they are
 * asked for nevertheless, the search has started over, and keeps them.
 */
static void
bound_candidates(HxSearch *base)
{
	HxBest *best = &base->best;
	double deviations = 0;
	double distance;
	double margin;
	int64 wanted;

	if (!base->refine || base->exact || base->stats.restarts > 0 ||
		(base->spec.heap.share > 0 && base->spec.heap.share < 1))
		return; /* or too many fail */
	wanted = HxRowsToRefine(base);
	HxMergeBest(best, true);
	HxSortBest(best, wanted);
	if (best->count < wanted)
		return;
	distance = best->rows[wanted - 1].distance;
	for (int64 i = 0; i < wanted; i++)
		deviations += HxDeviation(&best->rows[i]);
	margin = base->spec.recall > 0.95 ? HIGH_BOUND_MARGIN : BOUND_MARGIN;
	if (isfinite(distance))
		HxBoundBest(best, distance + margin * deviations / wanted);
}

void
HxVisitLists(HxSearch *base)
{
	HxListSearch *search = (HxListSearch *) base;
	int pages = PAGES_A_VISIT;

	Assert(HxHasMoreLists(base) && HxHoldsNoPage());
	if (learning_is_due(search))
		learn_glances(search);
	if (base->exact)
		pages = PAGES_A_LOOK;
	else if (!search->learnt)
		pages = PAGES_BEFORE_LEARNT;
	bound_candidates(base);
	while (pages-- > 0 && HxHasMoreLists(base))
		visit_next(search);
}
