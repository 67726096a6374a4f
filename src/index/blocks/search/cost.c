/*
 * cost.c
 *	  What a search through blocks costs: see kind.h.
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"

#include "index/blocks/blocks.h"
#include "index/blocks/recall/visited.h"
#include "index/blocks/store/directory.h"
#include "index/cost_units.h"

/* Blocks that there are: src/index/blocks/README, "Build" */
#define BLOCKS_OF(rows) (4 * sqrt(rows))

/*
 * Time of a row visited, without what scoring it takes, or of its attribute columns:
 * mostly that of its page, which holds the fewer rows the wider these are
 */
static double
visited_time(const HxCostQuery *query)
{
	double rows = Max(query->index->tuples, 1);

	return HX_VISIT_TIME * query->index->pages / rows + HX_VISITED_TIME +
		   Max(query->masks - 1, 0) * HX_MASK_TIME;
}

/*
 * Cost of a search that visits a share of the rows: summaries, zone maps if there
 * are conditions for them, and masking and scoring.
 */
static Cost
search_cost(const HxCostQuery *query, double share, bool repeated)
{
	double rows = Max(query->index->tuples, 1);
	double summary = HX_SUMMARY_TIME + (query->masks > 0 ? HX_ZONE_TIME : 0);
	double row = visited_time(query) + (query->tids ? HX_LOOKUP_TIME : 0);

	row += query->masks > 0 ? query->masked * HX_PASSED_TIME /
								  (1 + HX_PASSED_TOGETHER * query->masked)
							: HX_SCORED_TIME;
	return ((repeated ? HX_REPEATED_TIME : HX_SEARCH_TIME) +
			query->group * BLOCKS_OF(rows) * summary + share * rows * row) *
		   HX_MICROSECOND;
}

/*
 * Share of the rows that are in blocks which zone maps leave, if conditions ask for an
 * end of a column's values: blocks that have such a row, where rows lie anywhere and
 * blocks have exponentially distributed lengths
 */
static double
zones_share(const HxCostQuery *query)
{
	double rows = Max(query->index->tuples, 1);
	double without = 1 / (1 + query->end * rows / BLOCKS_OF(rows));

	return query->end < 1 ? 1 - without * without : 1;
}

/* Share of the rows that a search visits; few in groups are all visited */
static double
visited_share(const HxCostQuery *query)
{
	static const float nothing[HX_VISIT_SHARES];
	double rows = query->index->tuples;
	double share = 1;

	if (query->wanted > 0 && query->recall < 1)
	{
		const float *visits = nothing;
		Relation index = NULL;

		if (!query->index->hypothetical)
		{
			index = index_open(query->index->indexoid, NoLock);
			visits = HxVisitsOf(index);
		}
		share = HxVisitedShare(visits, rows, query->wanted, query->passing,
							   query->recall);
		if (index)
			index_close(index, NoLock);
	}
	share = Min(share, Min(query->near, zones_share(query)));
	if (query->group >= 1)
		return share;
	return query->group * rows <= HX_EXACT_GROUP ? query->group
												 : Min(share, query->group);
}

/* Cost of reading the attribute columns of all rows that zone maps leave */
static Cost
columns_cost(const HxCostQuery *query)
{
	double rows = Max(query->index->tuples, 1);

	return (HX_SEARCH_TIME +
			query->group * BLOCKS_OF(rows) * (HX_SUMMARY_TIME + HX_ZONE_TIME) +
			Min(query->group, zones_share(query)) * rows *
				visited_time(query)) *
		   HX_MICROSECOND;
}

void
HxBlocksCost(const HxCostQuery *query, HxCost *cost)
{
	double share = visited_share(query);
	double most = Min(query->group, query->near);

	cost->pages = Max(query->index->pages * share, 1);
	cost->search = search_cost(query, share, query->repeated);
	cost->columns = columns_cost(query);
	/* without an order, vectors are read only if there are conditions on them */
	if (query->unordered && query->near >= 1)
		cost->search = Min(cost->search, cost->columns);
	if (query->recall >= 1)
		cost->rest = cost->search * (HxPhasesFor(query->rows) - 1);
	else if (share < most)
		cost->rest = search_cost(query, most, false);
}
