/*
 * match.c
 *	  What a query wants of a hashemb index: its order.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/fmgroids.h"
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
 * the left, and the family that it sorts by; else NULL.  It may be the query's own
 * or have its parts, so who changes it copies it.  With `root` the query may be of
 * other tables' columns.
 */
OpExpr *
HxMatchDistance(PlannerInfo *root, IndexOptInfo *index, int column, Expr *expr,
				Oid *sort_family)
{
	OpExpr *op = (OpExpr *) expr;
	Node *left;
	Node *right;
	Oid opno;

	Assert(column >= 0 && column < index->nkeycolumns);
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
	if (!OidIsValid(*sort_family) ||
		(root ? bms_is_member(index->rel->relid, pull_varnos(root, right))
			  : contain_var_clause(right)) ||
		contain_volatile_functions(right) || contain_subplans(right))
		return NULL;
	if (op->opno != opno || linitial(op->args) != left)
	{
		op = copyObject(op);
		op->args = list_make2(left, right);
		op->opfuncid = InvalidOid;
		op->opno = opno;
	}
	set_opfuncid(op);
	return op;
}

/* The finite value of a constant; false if it is none of float8. */
static bool
finite_constant(Node *node, double *value)
{
	const Const *constant = (const Const *) node;

	if (!IsA(node, Const) || constant->constisnull ||
		constant->consttype != FLOAT8OID)
		return false;
	*value = DatumGetFloat8(constant->constvalue);
	return isfinite(*value);
}

/*
 * Take one step of arithmetic with a constant off an expression, if it keeps or
 * reverses the order whatever is rounded: then what it is made from, else NULL.
 * *falls is turned over where it reverses the order, and *collapses set where
 * two values may become one.
 */
static Expr *
strip_step(const OpExpr *op, bool *falls, bool *collapses)
{
	Node *left = linitial(op->args);
	Node *right = llast(op->args);
	double value = 0;
	bool on_left = finite_constant(left, &value);

	if (op->opfuncid == F_FLOAT8UP)
		return (Expr *) right;
	if (op->opfuncid == F_FLOAT8UM)
	{
		*falls = !*falls;
		return (Expr *) right;
	}
	if (!on_left && !finite_constant(right, &value))
		return NULL;
	switch (op->opfuncid)
	{
		case F_FLOAT8PL:
			break;
		case F_FLOAT8MI:
			*falls ^= on_left;
			break;
		case F_FLOAT8DIV:
			if (on_left)
				return NULL;
			/* FALLTHROUGH */
		case F_FLOAT8MUL:
			if (value == 0)
				return NULL;
			*falls ^= value < 0;
			break;
		default:
			return NULL;
	}
	if (fabs(value) != 1 || op->opfuncid == F_FLOAT8PL ||
		op->opfuncid == F_FLOAT8MI)
		*collapses = true;
	return (Expr *) (on_left ? right : left);
}

/*
 * Match an expression that rises or falls with the distance, as 1 - distance
 * does; fill in what it is.
 */
static bool
match_monotone(PlannerInfo *root, IndexOptInfo *index, int column, Expr *expr,
			   Oid sort_family, HxOrder *order)
{
	Oid family;

	order->falls = order->collapses = false;
	order->distance = NULL;
	while (expr && is_opclause(expr))
	{
		OpExpr *op = (OpExpr *) expr;

		order->distance = HxMatchDistance(root, index, column, expr, &family);
		if (order->distance && family == sort_family)
			break;
		order->distance = NULL;
		set_opfuncid(op);
		expr = strip_step(op, &order->falls, &order->collapses);
	}
	return order->distance != NULL;
}

/*
 * What the query orders by first, if the index can give that order, from columns
 * of a relation: the table, or a join of it with the query's.  The order
 * by an expression that falls with the distance, from the greatest on, is that
 * of the distance, but that NaN comes first in it.
 */
bool
HxMatchOrder(PlannerInfo *root, IndexOptInfo *index, int column,
			 const RelOptInfo *rel, HxOrder *order)
{
	PathKey *key = linitial_node(PathKey, root->query_pathkeys);
	List *members;
	ListCell *cell;

	if (key->pk_eclass->ec_has_volatile)
		return false;
	HX_GET_EC_MEMBERS(members, key->pk_eclass, rel->relids);
	foreach (cell, members)
	{
		EquivalenceMember *member = lfirst_node(EquivalenceMember, cell);

		if (bms_equal(member->em_relids, rel->relids) &&
			match_monotone(root, index, column, member->em_expr,
						   key->pk_opfamily, order) &&
			order->falls != HX_PATHKEY_IS_LESS(key))
		{
			Assert(order->distance);
			order->nulls_first = key->pk_nulls_first;
			return true;
		}
	}
	return false;
}
