/*
 * vector_key.c
 *	  Conditions on the vector column: IS [NOT] NULL, a distance compared with a
 *	  value, and vector <@ ball or one of some balls, also as hamming_within(),
 *	  whose planner support says what it is of the two.
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
#include "index/am/cost.h"
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

/* Is an operator of the index's family one between the vector and a ball? */
static bool
is_ball_operator(const IndexOptInfo *index, int column, Oid opno)
{
	int strategy = get_op_opfamily_strategy(opno, index->opfamily[column]);

	return strategy == HX_STRATEGY_BALL || strategy == HX_STRATEGY_BOUND;
}

/* vector op ball, or op ANY (array of balls), as a leaf; NULL if it is not */
static Node *
make_leaf(IndexOptInfo *index, int column, HxProgramKind kind, Oid opno,
		  Node *ball, List **values)
{
	Oid left_type;
	Oid right_type;
	int strategy;
	List *leaf;

	if (!is_ball_operator(index, column, opno) || contain_var_clause(ball) ||
		contain_volatile_functions(ball) || contain_subplans(ball))
		return NULL;
	get_op_opfamily_properties(opno, index->opfamily[column], false, &strategy,
							   &left_type, &right_type);
	leaf = list_make5_int(kind, column + 1, strategy, (int) right_type,
						  (int) index->indexcollations[column]);
	leaf = lappend_int(leaf, list_length(*values));
	Assert(list_length(leaf) == HX_LEAF_VALUE + 1);
	*values = lappend(*values, copyObject(ball));
	return (Node *) leaf;
}

/* vector <@ ANY (balls), as a leaf */
static Node *
compile_balls(IndexOptInfo *index, int column, ScalarArrayOpExpr *op,
			  List **values)
{
	if (!op->useOr ||
		!match_index_to_operand(linitial(op->args), column, index))
		return NULL;
	return make_leaf(index, column, HX_PROGRAM_ANY, op->opno, lsecond(op->args),
					 values);
}

/* vector <@ ball, either way round, as a leaf */
static Node *
compile_ball(IndexOptInfo *index, int column, OpExpr *op, List **values)
{
	Oid opno = op->opno;
	Node *left;
	Node *ball;

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
	return make_leaf(index, column, HX_PROGRAM_OPERATOR, opno, ball, values);
}

/* What a condition is as an operator with a ball, or another operator, or NULL */
static Expr *
find_ball_clause(PlannerInfo *root, IndexOptInfo *index, int column, Expr *expr)
{
	Expr *bound;

	if (IsA(expr, FuncExpr))
		expr = ask_support(root, index, column, (FuncExpr *) expr);
	if (expr == NULL || !IsA(expr, OpExpr))
		return NULL;
	bound = HxMakeBoundClause(index, column, expr);
	return bound ? bound : expr;
}

/*
 * Compile a condition on the vector column into a leaf; NULL if it is another,
 * or must not be evaluated before others.  Values are appended to *values.
 * *partial: by estimates, others than those that pass are found as well.
 */
Node *
HxCompileVectorClause(PlannerInfo *root, IndexOptInfo *index, int column,
					  RestrictInfo *clause, List **values, bool *partial)
{
	Expr *expr = clause->clause;

	*partial = false;
	Assert(column >= 0 && column < index->nkeycolumns);
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
	*partial = HxKindOfIndex(index)->refine;
	if (IsA(expr, ScalarArrayOpExpr))
		return compile_balls(index, column, (ScalarArrayOpExpr *) expr, values);
	expr = find_ball_clause(root, index, column, expr);
	return expr ? compile_ball(index, column, (OpExpr *) expr, values) : NULL;
}

/* Share of the index's rows in blocks that a condition leaves to be visited */
double
HxVectorClauseShare(PlannerInfo *root, IndexOptInfo *index, int column,
					RestrictInfo *clause)
{
	Expr *expr = find_ball_clause(root, index, column, clause->clause);

	return expr ? HxBallShare(root, index, column, (OpExpr *) expr) : 1;
}
