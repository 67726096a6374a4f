/*
 * hook.c
 *	  Where the planner asks: paths of the scan node beside PostgreSQL's own.
 *
 * The library is loaded when the planner opens a hashemb index, which is
 * before the hook is called for its table, so no preload is needed.
 */
#include "postgres.h"

#include "access/amapi.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"

#include "settings.h"
#include "index/am/cost.h"
#include "plan/sum.h"

static set_rel_pathlist_hook_type previous_hook = NULL;
static set_join_pathlist_hook_type previous_join_hook = NULL;

/*
 * Can the node read this relation?  A plain table, a partition or a
 * materialized view; not one that must be scanned for something else.
 */
static bool
is_candidate(const PlannerInfo *root, RelOptInfo *rel, const RangeTblEntry *rte)
{
	return hx_enable_scan && enable_indexscan && rel->indexlist != NIL &&
		   rte->rtekind == RTE_RELATION && !rte->inh &&
		   rte->tablesample == NULL && root->query_pathkeys != NIL &&
		   bms_is_empty(rel->lateral_relids) && !IS_DUMMY_REL(rel);
}

/* Can the relation have index scans by conditions on distances? */
static bool
can_have_bounds(RelOptInfo *rel, const RangeTblEntry *rte)
{
	return rel->indexlist != NIL && rte->rtekind == RTE_RELATION && !rte->inh &&
		   rte->tablesample == NULL && !IS_DUMMY_REL(rel);
}

/*
 * A volatile condition must be evaluated as often as the plan shows, so such
 * queries keep PostgreSQL's own index scan.
 */
static bool
has_volatile_condition(const RelOptInfo *rel)
{
	ListCell *cell;

	foreach (cell, rel->baserestrictinfo)
		if (contain_volatile_functions((Node *) lfirst(cell))) /* it is kept */
			return true;
	return false;
}

/*
 * Forget the plain scans of an index by distance: the node does the same and
 * knows more, so their costs need not be compared.
 */
static void
drop_plain_scans(RelOptInfo *rel, const IndexOptInfo *index)
{
	ListCell *cell;

	foreach (cell, rel->pathlist)
	{
		IndexPath *path = lfirst(cell);

		if (IsA(path, IndexPath) && path->indexinfo == index &&
			path->indexorderbys != NIL && path->path.param_info == NULL)
			rel->pathlist = foreach_delete_current(rel->pathlist, cell);
	}
}

/*
 * The vector column, from 0, of an index that gives the order of the query from
 * columns of a relation; -1 if it does not.
 */
static int
match_index(PlannerInfo *root, IndexOptInfo *index, const RelOptInfo *rel,
			HxOrder *order)
{
	int column;

	if (!HxIsOwnIndex(index) || index->hypothetical ||
		(index->indpred != NIL && !index->predOK))
		return -1;
	column = HxFindVectorColumn(index);
	return column >= 0 && HxMatchOrder(root, index, column, rel, order) ? column
																		: -1;
}

/* set_rel_pathlist_hook */
static void
set_rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index rti,
				 RangeTblEntry *rte)
{
	bool matched = false;
	ListCell *cell;
	HxSum sum;

	if (previous_hook)
		previous_hook(root, rel, rti, rte);
	if (can_have_bounds(rel, rte))
		HxAddBoundPaths(root, rel);
	if (!is_candidate(root, rel, rte) || has_volatile_condition(rel))
		return;
	foreach (cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst_node(IndexOptInfo, cell);
		HxOrder order;
		int column = match_index(root, index, rel, &order);

		if (column < 0)
			continue;
		drop_plain_scans(rel, index);
		HxAddPaths(root, rel, index, column, &order);
		matched = true;
	}
	if (!matched && HxMatchSum(root, rel, &sum))
		HxAddSumPath(root, rel, &sum);
}

/* set_join_pathlist_hook */
static void
set_join_pathlist(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outer,
				  RelOptInfo *inner, JoinType jointype,
				  JoinPathExtraData *extra)
{
	ListCell *cell;

	if (previous_join_hook)
		previous_join_hook(root, joinrel, outer, inner, jointype, extra);
	if (inner->reloptkind != RELOPT_BASEREL ||
		!is_candidate(root, inner, root->simple_rte_array[inner->relid]) ||
		has_volatile_condition(inner))
		return;
	foreach (cell, inner->indexlist)
	{
		IndexOptInfo *index = lfirst_node(IndexOptInfo, cell);
		HxOrder order;
		int column = match_index(root, index, joinrel, &order);

		if (column >= 0 && HxJoinsOneRow(root, outer, jointype, extra))
			HxAddJoinPath(root, joinrel, outer, index, column, &order, extra);
	}
}

/* Called once when a backend loads the library. */
void
HxInitScanNode(void)
{
	RegisterCustomScanMethods(&hx_scan_methods);
	RegisterCustomScanMethods(&hx_sum_scan_methods);
	previous_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = set_rel_pathlist;
	previous_join_hook = set_join_pathlist_hook;
	set_join_pathlist_hook = set_join_pathlist;
}
