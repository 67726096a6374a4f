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

/* Take note of a row by the estimate of its distance. */
static void
consider_row(HxSearch *base, const HxListArrays *arrays, int row)
{
	const HxListQuery *query = (const HxListQuery *) base->spec.query;
	const HxListHead *head = &arrays->heads[row];
	int start = row > 0 ? arrays->heads[row - 1].end : 0;
	HxCandidate found = {-INFINITY, HxPackTid(&arrays->rows.tids[row]),
						 HX_METAPAGE};

	HxSetDeviation(&found, 0);
	if (!HxIsBareList(head->error) && head->end == start)
		found.distance = INFINITY; /* an empty list: NaN, after all numbers */
	else if (!HxIsBareList(head->error) && query->chunks > 0)
	{
		found.distance =
			HxEstimateList(query, arrays->codes + start, head->end - start);
		if (base->part == HX_PART_NANS)
			return; /* it is known to be a number */
		if (found.distance > base->best.worst && !base->exact)
			return;
		HxSetDeviation(&found, query->deviation * HxLengthen(head->error));
	}
	HxConsiderEstimate(base, &found, -INFINITY);
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
visit_page(HxSearch *base, const HxListArrays *arrays)
{
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
	for (int i = 0; i < count; i++)
		if (HxRowPasses(base->mask, i))
			consider_row(base, arrays, i);
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
		visit_page(base, &arrays);
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
