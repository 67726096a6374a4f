/*
 * cost.c
 *	  What a search in sparse vectors costs: see kind.h.
 */
#include "postgres.h"

#include "index/cost_units.h"
#include "index/sparse/sparse.h"

/* Share of the pages that a phase reads: those of the query's dimensions */
#define READ_PAGES 0.02

/* Every phase scores all rows, and is exact. */
void
HxSparseCost(const HxCostQuery *query, HxCost *cost)
{
	double wanted = query->wanted > 0 ? query->wanted : query->rows;
	double rows = Max(query->index->tuples, 1);
	double row = HX_LIST_ROW_TIME;

	if (query->masks > 0)
		row += HX_LIST_MASK_TIME + Max(query->masks - 1, 0) * HX_MASK_TIME;
	if (query->tids)
		row += HX_LOOKUP_TIME;
	cost->pages = Max(query->index->pages * READ_PAGES, 1);
	cost->search = ((query->repeated ? HX_REPEATED_TIME : HX_SEARCH_TIME) +
					HxPhasesFor(wanted) * rows * row) *
				   HX_MICROSECOND;
	cost->columns =
		(HX_SEARCH_TIME + rows * (HX_LIST_COLUMN_TIME +
								  Max(query->masks - 1, 0) * HX_MASK_TIME)) *
		HX_MICROSECOND;
}
