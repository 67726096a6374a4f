/*
 * cost.c
 *	  What a search in sparse vectors costs: see kind.h.
 */
#include "postgres.h"

#include <math.h>

#include "index/cost_units.h"
#include "index/sparse/sparse.h"

/* Share of the pages that a phase reads: those of the query's dimensions */
#define READ_PAGES 0.02

/* How much of HX_LIST_MASK_TIME rows take of which a share passes */
static double
mask_part(double masked)
{
	double part = log(HX_LIST_MASK_FROM / Max(masked, 1e-9)) /
				  log(HX_LIST_MASK_FROM / HX_LIST_MASK_TO);

	return Max(Min(part, 1), 0);
}

/* Every phase scores all rows, and is exact. */
void
HxSparseCost(const HxCostQuery *query, HxCost *cost)
{
	double wanted = query->wanted > 0 ? query->wanted : query->rows;
	double rows = Max(query->index->tuples, 1);
	double row = HX_LIST_ROW_TIME;

	if (query->masks > 0)
		row += mask_part(query->masked) * HX_LIST_MASK_TIME +
			   (query->masks - 1) * HX_MASK_TIME;
	row *= pow(Min(Max(wanted, 10), HX_SECOND_ROWS) / 10, HX_LIST_POWER);
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
	/* without an order, vectors are read only if there are conditions on them */
	if (query->unordered && query->near >= 1)
		cost->search = Min(cost->search, cost->columns);
}
