/*
 * cost.c
 *	  What a search in sparse vectors costs: see kind.h.
 */
#include "postgres.h"

#include "index/cost_units.h"
#include "index/sparse/sparse.h"

/*
 * The share of the pages that a phase reads, and of the rows' cost of scoring:
 * those of the query's dimensions
 */
#define READ_PAGES 0.02
#define ROW_COST 0.03

/* Every phase scores all rows, and is exact. */
void
HxSparseCost(const HxCostQuery *query, HxCost *cost)
{
	double wanted = query->wanted > 0 ? query->wanted : query->rows;

	cost->pages = Max(query->index->pages * READ_PAGES, 1);
	cost->search = HxPhasesFor(wanted) *
				   HxVisitCost(query, cost->pages, HX_PAGE_COST,
							   Max(query->index->tuples, 1), ROW_COST);
}
