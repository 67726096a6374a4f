/*
 * match.c
 *	  What a query wants of a hashemb index: its order, and how many rows.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "index/index.h"
#include "plan/plan.h"

/* The vector column of an index, from 0; -1 if it has none */
int
HxFindVectorColumn(const IndexOptInfo *index)
{
	for (int i = 0; i < index->nkeycolumns; i++)
		if (OidIsValid(get_opfamily_proc(index->opfamily[i],
										 index->opcintype[i],
										 index->opcintype[i], HX_VECTOR_PROC)))
			return i;
	return -1;
}

/*
 * Is this expression "column operator query", either way round, with an
 * operator that the index orders by?  Then the expression with the column on
 * the left, and the family that it sorts by; else NULL.
 */
OpExpr *
HxMatchDistance(IndexOptInfo *index, int column, Expr *expr, Oid *sort_family)
{
	OpExpr *op = (OpExpr *) expr;
	Node *left;
	Node *right;
	Oid opno;

	if (!is_opclause(expr) || list_length(op->args) != 2)
		return NULL;
	left = linitial(op->args);
	right = lsecond(op->args);
	opno = op->opno;
	if (!match_index_to_operand(left, column, index))
	{
		Node *swap = left;

		left = right;
		right = swap;
		opno = get_commutator(opno);
		if (!OidIsValid(opno) || !match_index_to_operand(left, column, index))
			return NULL;
	}
	*sort_family = get_op_opfamily_sortfamily(opno, index->opfamily[column]);
	if (!OidIsValid(*sort_family) || contain_var_clause(right) ||
		contain_volatile_functions(right) || contain_subplans(right))
		return NULL;
	op = copyObject(op);
	op->args = list_make2(copyObject(left), copyObject(right));
	if (op->opno != opno)
		op->opfuncid = InvalidOid;
	op->opno = opno;
	set_opfuncid(op);
	return op;
}

/*
 * The distance that the query orders by first, if the index can give that
 * order; else NULL.  The vector is on the left.
 */
OpExpr *
HxMatchOrder(PlannerInfo *root, IndexOptInfo *index, int column)
{
	PathKey *key = linitial_node(PathKey, root->query_pathkeys);
	List *members;
	ListCell *cell;

	if (!HX_PATHKEY_IS_LESS(key) || key->pk_nulls_first ||
		key->pk_eclass->ec_has_volatile)
		return NULL;
	HX_GET_EC_MEMBERS(members, key->pk_eclass, index->rel->relids);
	foreach (cell, members)
	{
		EquivalenceMember *member = lfirst_node(EquivalenceMember, cell);
		OpExpr *order;
		Oid family;

		if (!bms_equal(member->em_relids, index->rel->relids))
			continue;
		order = HxMatchDistance(index, column, member->em_expr, &family);
		if (order && family == key->pk_opfamily)
			return order;
	}
	return NULL;
}

/* Is there no LIMIT in this query level, or LIMIT ALL? */
static bool
lacks_limit(const Query *query)
{
	return query->limitCount == NULL ||
		   (IsA(query->limitCount, Const) &&
			((Const *) query->limitCount)->constisnull);
}

/*
 * Does the LIMIT of the query level count the rows of this relation?  It does
 * if nothing stands between that makes of them more or fewer rows, or another
 * order.  Rows that are locked may vanish: LIMIT then asks for more, and gets
 * it.  A LIMIT in a parameter is as good as a constant: it is evaluated when
 * the search begins.
 */
static bool
limit_is_ours(const PlannerInfo *root, const RelOptInfo *rel)
{
	const Query *query = root->parse;
	Relids whole =
		rel->top_parent_relids ? rel->top_parent_relids : rel->relids;

	return !lacks_limit(query) && query->limitOption == LIMIT_OPTION_COUNT &&
		   query->groupClause == NIL && query->groupingSets == NIL &&
		   query->distinctClause == NIL && !query->hasAggs &&
		   !query->hasWindowFuncs && !query->hasTargetSRFs &&
		   !root->hasHavingQual && list_length(root->query_pathkeys) == 1 &&
		   bms_equal(root->all_baserels, whole) &&
		   !contain_volatile_functions(query->limitCount) &&
		   !contain_volatile_functions(query->limitOffset) &&
		   !contain_subplans(query->limitCount) &&
		   !contain_subplans(query->limitOffset);
}

/* How many rows will the node be asked for? */
HxWanted
HxFindWanted(PlannerInfo *root, const RelOptInfo *rel)
{
	if (limit_is_ours(root, rel))
		return HX_WANTED_LIMIT;
	for (PlannerInfo *level = root; level; level = level->parent_root)
		if (!lacks_limit(level->parse) || level->tuple_fraction > 0)
			return HX_WANTED_SOME;
	return HX_WANTED_ALL;
}

/* The same as a number for costs; 0 if all are wanted. */
double
HxEstimateWanted(PlannerInfo *root, HxWanted wanted)
{
	switch (wanted)
	{
		case HX_WANTED_ALL:
			return 0;
		case HX_WANTED_LIMIT:
		case HX_WANTED_SOME:
			if (root->limit_tuples > 0)
				return root->limit_tuples;
			break;
	}
	return root->tuple_fraction >= 1 ? root->tuple_fraction : 100;
}
