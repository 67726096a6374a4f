/*
 * one_row.c
 *	  A query vector that comes from another table: a join with one row of it.
 *
 * A nested loop keeps the order of its inner side if its outer side has one row,
 * which PostgreSQL does not know.  So here the node is made that inner side, with
 * the query as a parameter, and the loop is given the order.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"

#include "plan/plan.h"

static bool all_have_one_row(PlannerInfo *root, Relids relids);

/* Does a query give one row at most, as it is written? */
static bool
gives_one_row(const Query *query)
{
	const Const *limit = (const Const *) query->limitCount;

	if (query->commandType != CMD_SELECT)
		return false;
	if (limit && IsA(limit, Const) && !limit->constisnull &&
		query->limitOption == LIMIT_OPTION_COUNT &&
		DatumGetInt64(limit->constvalue) <= 1)
		return true;
	return query->hasAggs && query->groupClause == NIL &&
		   query->groupingSets == NIL && !query->hasTargetSRFs;
}

/* Does a query level that has been planned give one row at most? */
static bool
level_has_one_row(PlannerInfo *level)
{
	const Query *query = level->parse;

	if (gives_one_row(query))
		return true;
	if (query->commandType != CMD_SELECT || query->setOperations ||
		query->hasTargetSRFs || query->groupingSets || !level->simple_rel_array)
		return false;
	return all_have_one_row(level, level->all_baserels);
}

/* The level of the query of a CTE that a table is a reference to; or NULL */
static PlannerInfo *
level_of_cte(PlannerInfo *root, const RangeTblEntry *rte)
{
	Index up = rte->ctelevelsup;
	int number = 0;
	ListCell *cell;

	while (root && up-- > 0)
		root = root->parent_root;
	if (!root || rte->self_reference)
		return NULL;
	foreach (cell, root->parse->cteList)
	{
		const CommonTableExpr *cte = lfirst_node(CommonTableExpr, cell);
		int plan;

		if (strcmp(cte->ctename, rte->ctename) != 0)
		{
			number++;
			continue;
		}
		if (cte->cterecursive || number >= list_length(root->cte_plan_ids))
			return NULL;
		plan = list_nth_int(root->cte_plan_ids, number);
		return plan > 0 ? list_nth(root->glob->subroots, plan - 1) : NULL;
	}
	return NULL;
}

/* Has a table of a level's FROM one row at most that passes its conditions? */
static bool
has_one_row(PlannerInfo *root, const RelOptInfo *rel)
{
	const RangeTblEntry *rte = root->simple_rte_array[rel->relid];
	PlannerInfo *level;

	switch (rte->rtekind)
	{
		case RTE_RELATION:
			return !rte->inh && relation_has_unique_index_for(
									root, (RelOptInfo *) rel, NIL, NIL, NIL);
		case RTE_SUBQUERY:
			return !rte->inh && rel->subroot && level_has_one_row(rel->subroot);
		case RTE_CTE:
			level = level_of_cte(root, rte);
			return level && level_has_one_row(level);
		case RTE_VALUES:
			return list_length(rte->values_lists) == 1;
		case RTE_RESULT:
			return true;
		default:
			return false;
	}
}

/*
 * Have all tables of a join, or the one table, one row at most, and so the join?
 * A full join of two rows that do not match has two.
 */
static bool
all_have_one_row(PlannerInfo *root, Relids relids)
{
	int relid = -1;
	ListCell *cell;

	foreach (cell, root->join_info_list)
		if (lfirst_node(SpecialJoinInfo, cell)->jointype == JOIN_FULL)
			return false;
	while ((relid = bms_next_member(relids, relid)) >= 0)
	{
		const RelOptInfo *rel = relid < root->simple_rel_array_size
									? root->simple_rel_array[relid]
									: NULL;

		if (!rel || rel->reloptkind != RELOPT_BASEREL ||
			!has_one_row(root, rel))
			return false;
	}
	return true;
}

/*
 * Will the node decide all conditions of the join?  If not, the rows that a
 * LIMIT leaves to be found are not known.
 */
static bool
joins_in_node(const RelOptInfo *joinrel, const RelOptInfo *inner,
			  const JoinPathExtraData *extra)
{
	ListCell *cell;

	foreach (cell, extra->restrictlist)
		if (!join_clause_is_movable_into(lfirst_node(RestrictInfo, cell),
										 inner->relids, joinrel->relids))
			return false;
	return true;
}

/* Is a condition of the join one to be evaluated as often as a plan shows? */
static bool
has_volatile_clause(const JoinPathExtraData *extra)
{
	ListCell *cell;

	foreach (cell, extra->restrictlist)
		if (contain_volatile_functions(
				(Node *) lfirst_node(RestrictInfo, cell)->clause))
			return true;
	return false;
}

bool
HxJoinsOneRow(PlannerInfo *root, RelOptInfo *outer, JoinType jointype,
			  const JoinPathExtraData *extra)
{
	return jointype == JOIN_INNER && outer->cheapest_total_path &&
		   outer->cheapest_total_path->param_info == NULL &&
		   !has_volatile_clause(extra) && all_have_one_row(root, outer->relids);
}

void
HxAddJoinPath(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outer,
			  IndexOptInfo *index, int column, const HxOrder *order,
			  JoinPathExtraData *extra)
{
	RelOptInfo *inner = index->rel;
	Path *outer_path = outer->cheapest_total_path;
	Path *path = HxMakeJoinedPath(root, joinrel, outer->relids, index, column,
								  order, joins_in_node(joinrel, inner, extra));
	JoinCostWorkspace workspace;

	Assert(outer_path && outer_path->param_info == NULL);
	Assert(root->query_pathkeys != NIL);
	initial_cost_nestloop(root, &workspace, JOIN_INNER, outer_path, path,
						  extra);
	add_path(joinrel, (Path *) create_nestloop_path(
						  root, joinrel, JOIN_INNER, &workspace, extra,
						  outer_path, path, extra->restrictlist,
						  list_make1(linitial(root->query_pathkeys)), NULL));
}
