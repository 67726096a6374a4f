/*
 * cost.c
 *	  What a search through blocks costs: see kind.h.
 */
#include "postgres.h"

#include <math.h>

#include "index/blocks/blocks.h"
#include "index/blocks/recall/visited.h"
#include "index/blocks/store/directory.h"
#include "index/cost_units.h"

/*
 * Cost of a search that visits a share of the rows: pages, summaries, and
 * masking by some conditions and scoring.
 */
static Cost
search_cost(const HxCostQuery *query, double share, bool repeated)
{
	double rows = Max(query->index->tuples, 1);
	double pages = Max(query->index->pages * share, 1);

	return HxVisitCost(query, pages,
					   repeated ? HX_CACHED_PAGE_COST : HX_PAGE_COST,
					   sqrt(rows) * 4 + share * rows, HX_SCORE_COST);
}

/* Share of the rows that a search visits; few in groups are all visited */
static double
visited_share(const HxCostQuery *query)
{
	double rows = query->index->tuples;
	double share = 1;

	if (query->wanted > 0)
		share = HxVisitedShare(rows, Max(query->wanted, 10), query->passing,
							   query->recall);
	share = Min(share, query->near);
	if (query->group >= 1)
		return share;
	return query->group * rows <= HX_EXACT_GROUP ? query->group
												 : Min(share, query->group);
}

void
HxBlocksCost(const HxCostQuery *query, HxCost *cost)
{
	double share = visited_share(query);
	double most = Min(query->group, query->near);

	cost->pages = Max(query->index->pages * share, 1);
	cost->search = search_cost(query, share, query->repeated);
	if (query->recall >= 1)
		cost->rest = cost->search * (HxPhasesFor(query->rows) - 1);
	else if (share < most)
		cost->rest = search_cost(query, most, false);
}
