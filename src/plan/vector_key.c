/*
 * vector_key.c
 *	  Conditions on the vector column: IS [NOT] NULL, and vector <@ ball, also
 *	  as hamming_within(), whose planner support says what it is of the two.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "index/index.h"
#include "plan/plan.h"

/* What a function's planner support makes of it as an index condition */
static Expr *
ask_support(PlannerInfo *root, IndexOptInfo *index, int column,
			FuncExpr *function)
{
	Oid support = get_func_support(function->funcid);
	SupportRequestIndexCondition request;
	int argument = 0;
	List *answer;
	ListCell *cell;

	if (!OidIsValid(support))
		return NULL;
	foreach (cell, function->args)
	{
		if (match_index_to_operand(lfirst(cell), column, index))
			break;
		argument++;
	}
	if (cell == NULL)
		return NULL;
	request.type = T_SupportRequestIndexCondition;
	request.root = root;
	request.funcid = function->funcid;
	request.node = (Node *) function;
	request.indexarg = argument;
	request.index = index;
	request.indexcol = column;
	request.opfamily = index->opfamily[column];
	request.indexcollation = index->indexcollations[column];
	request.lossy = true;
	answer = (List *) DatumGetPointer(
		OidFunctionCall1(support, PointerGetDatum(&request)));
	return list_length(answer) == 1 && !request.lossy ? linitial(answer) : NULL;
}

/* vector <@ ball, either way round, as a leaf */
static Node *
compile_ball(IndexOptInfo *index, int column, OpExpr *op, List **values)
{
	Oid opno = op->opno;
	Node *left;
	Node *ball;
	Oid left_type;
	Oid right_type;
	int strategy;
	List *leaf;

	if (list_length(op->args) != 2)
		return NULL;
	left = linitial(op->args);
	ball = lsecond(op->args);
	if (!match_index_to_operand(left, column, index))
	{
		left = ball;
		ball = linitial(op->args);
		opno = get_commutator(opno);
		if (!OidIsValid(opno) || !match_index_to_operand(left, column, index))
			return NULL;
	}
	if (get_op_opfamily_strategy(opno, index->opfamily[column]) !=
			HX_STRATEGY_BALL ||
		contain_var_clause(ball) || contain_volatile_functions(ball) ||
		contain_subplans(ball))
		return NULL;
	get_op_opfamily_properties(opno, index->opfamily[column], false, &strategy,
							   &left_type, &right_type);
	leaf =
		list_make5_int(HX_PROGRAM_OPERATOR, column + 1, strategy,
					   (int) right_type, (int) index->indexcollations[column]);
	leaf = lappend_int(leaf, list_length(*values));
	*values = lappend(*values, copyObject(ball));
	return (Node *) leaf;
}

/*
 * Compile a condition on the vector column into a leaf; NULL if it is another,
 * or must not be evaluated before others.  Values are appended to *values.
 */
Node *
HxCompileVectorClause(PlannerInfo *root, IndexOptInfo *index, int column,
					  RestrictInfo *clause, List **values)
{
	Expr *expr = clause->clause;

	if (clause->pseudoconstant ||
		!restriction_is_securely_promotable(clause, index->rel))
		return NULL;
	if (IsA(expr, NullTest))
	{
		NullTest *test = (NullTest *) expr;

		if (test->argisrow ||
			!match_index_to_operand((Node *) test->arg, column, index))
			return NULL;
		return (Node *) list_make2_int(test->nulltesttype == IS_NULL
										   ? HX_PROGRAM_NULL
										   : HX_PROGRAM_NOT_NULL,
									   column + 1);
	}
	if (IsA(expr, FuncExpr))
		expr = ask_support(root, index, column, (FuncExpr *) expr);
	if (expr == NULL || !IsA(expr, OpExpr))
		return NULL;
	return compile_ball(index, column, (OpExpr *) expr, values);
}
