/*
 * wanted.c
 *	  How many rows a query wants of the node: what stands between it and the
 *	  first LIMIT above.  See README.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"

#include "plan/plan.h"

/* Is there no LIMIT in this query level, or LIMIT ALL? */
static bool
lacks_limit(const Query *query)
{
	return query->limitCount == NULL ||
		   (IsA(query->limitCount, Const) &&
			((const Const *) query->limitCount)->constisnull);
}

/*
 * Does a query level make something of its rows that each of them may change, or
 * that makes other rows of them?  Then no LIMIT behind that tells anything of
 * the rows before it.  The server plans min() and max() as a level of their own,
 * with a LIMIT 1 that nobody wrote.
 */
static bool
needs_all_rows(const PlannerInfo *root)
{
	const Query *query = root->parse;
	const TargetEntry *first =
		query->targetList ? linitial(query->targetList) : NULL;

	if (query->groupClause || query->groupingSets || query->hasAggs ||
		query->hasWindowFuncs || query->hasTargetSRFs || query->setOperations ||
		root->hasHavingQual)
		return true;
	return first && first->resname &&
		   strcmp(first->resname, "agg_target") == 0 && root->parent_root &&
		   root->parent_root->parse->hasAggs;
}

/*
 * Can the node evaluate the LIMIT of a level itself, and give the same?  A
 * parameter is as good as a constant: it is known when the search begins.
 */
static bool
limit_is_stable(const Query *query)
{
	return !contain_volatile_functions(query->limitCount) &&
		   !contain_volatile_functions(query->limitOffset) &&
		   !contain_subplans(query->limitCount) &&
		   !contain_subplans(query->limitOffset);
}

/*
 * The level above whose FROM has this one as a subquery; NULL if it is the top,
 * a sublink, a CTE or a branch of UNION and the like.  Sublinks and CTEs are
 * planned before a level looks at its tables.
 */
static PlannerInfo *
reading_level(const PlannerInfo *root)
{
	PlannerInfo *above = root->parent_root;

	return above && above->simple_rel_array && !above->parse->setOperations
			   ? above
			   : NULL;
}

/*
 * Is what a level reads this subquery alone, as it comes?  `*whole` is cleared
 * where the order stays, but rows may go or be more.  False if the level needs
 * all rows of it.
 */
static bool
passes_rows_on(const PlannerInfo *above, bool *whole)
{
	const RelOptInfo *rel;
	int relid;

	if (above->parse->sortClause)
		return false;
	if (!bms_get_singleton_member(above->all_baserels, &relid))
	{
		*whole = false;
		return true;
	}
	rel = above->simple_rel_array[relid];
	if (above->simple_rte_array[relid]->inh)
		*whole = false;
	return rel->baserestrictinfo == NIL;
}

/*
 * How many rows will the node be asked for?  If it is the number that a LIMIT
 * gives, *limit is its level.  That LIMIT counts the rows of this relation if
 * nothing stands between that makes of them more or fewer rows, or another
 * order.  Rows that are locked may vanish: LIMIT then asks for more, and gets
 * it.  The relation may be a join with one row; `whole` says that the node is to
 * decide all its conditions.  Joins, DISTINCT and UNION ALL below a LIMIT stop
 * early, nobody knows when.  What ties by the expression of the query may not by
 * the distance.
 */
HxWanted
HxFindWanted(PlannerInfo *root, const RelOptInfo *rel, bool whole,
			 const HxOrder *order, PlannerInfo **limit)
{
	PlannerInfo *level = root;
	bool ties = list_length(root->query_pathkeys) > 1;

	whole = whole && bms_equal(root->all_baserels, rel->top_parent_relids
													   ? rel->top_parent_relids
													   : rel->relids);
	while (!needs_all_rows(level))
	{
		const Query *query = level->parse;

		if (query->distinctClause)
			whole = false;
		if (!lacks_limit(query))
		{
			if (!whole)
				return HX_WANTED_SOME;
			if (query->limitOption == LIMIT_OPTION_WITH_TIES)
				ties = true;
			if (!limit_is_stable(query) || (ties && order->collapses))
				break;
			*limit = level;
			return ties ? HX_WANTED_TIES : HX_WANTED_LIMIT;
		}
		level = reading_level(level);
		if (query->limitOffset || !level || !passes_rows_on(level, &whole))
			break;
	}
	return HX_WANTED_ALL;
}

/* The same as a number for costs; 0 if all are wanted. */
double
HxEstimateWanted(const HxPath *path, const PlannerInfo *root)
{
	if (path->wanted == HX_WANTED_ALL)
		return 0;
	Assert(HxIsNumberKnown(path->wanted) == (path->limit != NULL));
	if (path->limit)
		root = path->limit;
	if (root->limit_tuples > 0)
		return root->limit_tuples;
	return root->tuple_fraction >= 1 ? root->tuple_fraction : 100;
}

/*
 * Will nobody ask for more rows than the LIMIT says?  Only locking drops rows
 * above the node, at any level between.
 */
bool
HxLimitEnds(const HxPath *path, const PlannerInfo *root)
{
	Assert(path->limit && HxIsNumberKnown(path->wanted));
	for (; root != path->limit; root = root->parent_root)
		if (root->parse->rowMarks)
			return false;
	return root->parse->rowMarks == NIL;
}
