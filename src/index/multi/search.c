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

/* Pages of a visit; fewer where each row will be looked at in the table */
#define PAGES_A_VISIT 64
#define PAGES_A_LOOK 4

void
HxBeginListSearch(HxSearch *base)
{
	HxListSearch *search = (HxListSearch *) base;

	search->products = palloc(base->desc.capacity * sizeof(int32));
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
				   query->deviation * HxLengthen(arrays->heads[row].error));
	HxConsiderEstimate(base, &found, -INFINITY);
}

/* Take note of a row, by its product if there are products. */
static inline void
consider_row(HxSearch *base, const HxListArrays *arrays, int row,
			 const int32 *products)
{
	bool bare = HxIsBareList(arrays->heads[row].error);
	int start = row > 0 ? arrays->heads[row - 1].end : 0;
	HxCandidate found = {-INFINITY, HxPackTid(&arrays->rows.tids[row]),
						 HX_METAPAGE};

	if (products && arrays->heads[row].end > start)
	{
		consider_known(base, arrays, row, *products);
		return;
	}
	if (!bare && arrays->heads[row].end == start)
		found.distance = INFINITY; /* an empty list: NaN, after all numbers */
	HxSetDeviation(&found, 0);
	HxConsiderEstimate(base, &found, -INFINITY);
}

/*
 * Take note of the rows of a page that pass.  Where most do all are scored by one
 * call.
 */
static void
consider_rows(HxListSearch *search, const HxListArrays *arrays, int passed)
{
	HxSearch *base = &search->base;
	const HxListQuery *query = (const HxListQuery *) base->spec.query;
	int count = arrays->rows.count;
	bool known = query->chunks > 0;
	bool all = known && passed > count / 3;

	if (all)
		HxScoreLists(query, arrays, 0, count, search->products);
	for (int i = 0; i < count; i++)
	{
		if (!HxRowPasses(base->mask, i))
			continue;
		if (known && !all)
			HxScoreLists(query, arrays, i, 1, &search->products[i]);
		consider_row(base, arrays, i, known ? &search->products[i] : NULL);
	}
}

/* Clear the mask bits of rows that this part does not want; returns how many. */
static int
drop_unwanted(HxSearch *base, const HxListArrays *arrays)
{
	int dropped = 0;

	for (int i = 0; i < arrays->rows.count; i++)
		if (HxRowPasses(base->mask, i) &&
			!HxWantsRow(base, arrays->heads[i].error == HX_LIST_NULL))
		{
			base->mask[i / 64] &= ~(UINT64CONST(1) << (i % 64));
			dropped++;
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
	consider_rows(search, arrays, passed);
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
		HxPrefetchPage(base->index, search->next + 1);
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

void
HxVisitLists(HxSearch *base)
{
	HxListSearch *search = (HxListSearch *) base;
	int pages = base->exact ? PAGES_A_LOOK : PAGES_A_VISIT;

	Assert(HxHasMoreLists(base) && HxHoldsNoPage());
	while (pages-- > 0 && HxHasMoreLists(base))
		visit_next(search);
}
