/*
 * sum_match.c
 *	  Does a query order by a sum of distances?
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "index/am/cost.h"
#include "plan/sum.h"

/* What the recursion needs */
typedef struct Matching
{
	PlannerInfo *root;
	RelOptInfo *rel;
	Oid sort_family;
	HxSum *sum;
} Matching;

static bool match_operand(Matching *matching, Expr *expr);

/* What a function on floats does with its arguments */
typedef enum Step
{
	STEP_NONE, /* nothing that is known to be monotone */
	STEP_SAME, /* a cast between floats, or unary plus */
	STEP_ADD,
	STEP_SUBTRACT,
	STEP_MULTIPLY,
	STEP_DIVIDE
} Step;

static Step
step_of(Oid function)
{
	switch (function)
	{
		case F_FLOAT8UP:
		case F_FLOAT4UP:
		case F_FLOAT8_FLOAT4:
		case F_FLOAT4_FLOAT8:
			return STEP_SAME;
		case F_FLOAT8PL:
		case F_FLOAT4PL:
		case F_FLOAT48PL:
		case F_FLOAT84PL:
			return STEP_ADD;
		case F_FLOAT8MI:
		case F_FLOAT4MI:
		case F_FLOAT48MI:
		case F_FLOAT84MI:
			return STEP_SUBTRACT;
		case F_FLOAT8MUL:
		case F_FLOAT4MUL:
		case F_FLOAT48MUL:
		case F_FLOAT84MUL:
			return STEP_MULTIPLY;
		case F_FLOAT8DIV:
		case F_FLOAT4DIV:
		case F_FLOAT48DIV:
		case F_FLOAT84DIV:
			return STEP_DIVIDE;
		default:
			return STEP_NONE;
	}
}

/* Is an expression the same for all rows of a scan, and harmless to evaluate? */
static bool
is_constant(Expr *expr)
{
	return !contain_var_clause((Node *) expr) &&
		   !contain_volatile_functions((Node *) expr) &&
		   !contain_subplans((Node *) expr);
}

/* Can an expression be a weight?  Constants must be ones that keep the order. */
static bool
can_be_weight(Expr *expr, bool divides)
{
	const Const *constant = (const Const *) expr;
	Oid type = exprType((Node *) expr);
	double value;

	if (!is_constant(expr) || (type != FLOAT4OID && type != FLOAT8OID))
		return false;
	if (!IsA(expr, Const))
		return true;
	if (constant->constisnull)
		return false;
	value = HxFloatOf((const Node *) expr, constant->constvalue);
	return isfinite(value) && (divides ? value > 0 : value >= 0);
}

/*
 * The index that gives the order of a distance, with the expression as an operator
 * that has the column on the left.  Of several, the one that decides most of the
 * conditions.
 */
static bool
match_term(Matching *matching, Expr *expr)
{
	HxSum *sum = matching->sum;
	HxSumTerm *term = &sum->terms[sum->nterms];
	double least = INFINITY;
	ListCell *cell;

	if (!is_opclause(expr) || sum->nterms == HX_MOST_TERMS)
		return false;
	foreach (cell, matching->rel->indexlist)
	{
		IndexOptInfo *index = lfirst_node(IndexOptInfo, cell);
		double passing;
		double time;
		QualCost heap;
		OpExpr *distance;
		Oid family;
		int column;

		if (!HxIsOwnIndex(index) || index->hypothetical ||
			(index->indpred != NIL && !index->predOK))
			continue;
		column = HxFindVectorColumn(index);
		if (column < 0)
			continue;
		distance = HxMatchDistance(NULL, index, column, expr, &family);
		if (!distance || family != matching->sort_family)
			continue;
		time = HxTermTime(matching->root, index, column, distance, 100, 1,
						  &passing, &heap);
		if (time / Max(passing, 1e-9) >= least)
			continue;
		least = time / Max(passing, 1e-9);
		term->index = index;
		term->column = column;
		term->distance = distance;
		term->written = (OpExpr *) expr;
	}
	if (isinf(least))
		return false;
	sum->nterms++;
	return true;
}

/* Match what is weighed, and take note of the weight. */
static bool
match_weighed(Matching *matching, Expr *weight, Expr *operand, bool divides)
{
	HxSum *sum = matching->sum;
	int start = sum->nterms;

	if (!can_be_weight(weight, divides) || !match_operand(matching, operand))
		return false;
	sum->weights = lappend(sum->weights, weight);
	sum->starts = lappend_int(sum->starts, start);
	sum->ends = lappend_int(sum->ends, sum->nterms);
	sum->divides = lappend_int(sum->divides, divides);
	return true;
}

/* Match two operands of a step. */
static bool
match_step(Matching *matching, Step step, Expr *left, Expr *right)
{
	switch (step)
	{
		case STEP_ADD:
			if (is_constant(left))
				return match_operand(matching, right);
			return match_operand(matching, left) &&
				   (is_constant(right) || match_operand(matching, right));
		case STEP_SUBTRACT:
			return is_constant(right) && match_operand(matching, left);
		case STEP_MULTIPLY:
			return is_constant(left)
					   ? match_weighed(matching, left, right, false)
					   : match_weighed(matching, right, left, false);
		case STEP_DIVIDE:
			return match_weighed(matching, right, left, true);
		default:
			return false;
	}
}

/*
 * Is an expression a distance of an indexed column, or made of such as README
 * says?  Adds its terms and weights.
 */
static bool
match_operand(Matching *matching, Expr *expr)
{
	Oid function = InvalidOid;
	List *args = NIL;
	Step step;

	check_stack_depth();
	if (match_term(matching, expr))
		return true;
	if (IsA(expr, OpExpr))
	{
		set_opfuncid((OpExpr *) expr);
		function = ((OpExpr *) expr)->opfuncid;
		args = ((OpExpr *) expr)->args;
	}
	else if (IsA(expr, FuncExpr))
	{
		function = ((FuncExpr *) expr)->funcid;
		args = ((FuncExpr *) expr)->args;
	}
	step = step_of(function);
	if (step == STEP_SAME && list_length(args) == 1)
		return match_operand(matching, linitial(args));
	if (list_length(args) != 2)
		return false;
	return match_step(matching, step, linitial(args), lsecond(args));
}

/*
 * Does the query order by a sum of distances first, from the least on and with NULL
 * at the end?  Fills in the sum.
 */
bool
HxMatchSum(PlannerInfo *root, RelOptInfo *rel, HxSum *sum)
{
	PathKey *key = linitial_node(PathKey, root->query_pathkeys);
	List *members;
	ListCell *cell;

	if (key->pk_eclass->ec_has_volatile || key->pk_nulls_first ||
		!HX_PATHKEY_IS_LESS(key))
		return false;
	HX_GET_EC_MEMBERS(members, key->pk_eclass, rel->relids);
	foreach (cell, members)
	{
		EquivalenceMember *member = lfirst_node(EquivalenceMember, cell);
		Oid type = exprType((Node *) member->em_expr);
		Matching matching = {root, rel, key->pk_opfamily, sum};

		memset(sum, 0, sizeof(*sum));
		sum->expr = member->em_expr;
		if (bms_equal(member->em_relids, rel->relids) &&
			(type == FLOAT8OID || type == FLOAT4OID) &&
			match_operand(&matching, member->em_expr) && sum->nterms > 0)
			return true;
	}
	return false;
}
