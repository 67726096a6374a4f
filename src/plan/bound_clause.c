/*
 * bound_clause.c
 *	  Conditions on distances, such as vector <~> query < 100, as conditions on
 *	  the vector.
 *
 * An index condition is one operator between the indexed column and a value, so
 * what compares an operator's result becomes "vector @< distance_bound(...)",
 * which is exactly the same condition.  What is recognized, with the sides of the
 * comparison either way round:
 *
 *		distance < value	also <=, =, >=, >; BETWEEN is two of these
 *		number - distance > value	a constant number
 *		- distance > value
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "compat.h"
#include "index/am/cost.h"
#include "index/index.h"
#include "plan/plan.h"

/*
 * Numbers that a distance is subtracted from: any difference of a greater one
 * and a finite distance might overflow, which is an error of its own
 */
#define MOST_MINUEND 1e100

/* A comparison of a distance */
typedef struct Comparison
{
	OpExpr *distance; /* the vector on its left */
	Expr *minuend;	  /* what the distance is subtracted from; NULL: nothing */
	Oid family;		  /* of the comparison: float_ops */
	int strategy;	  /* in it */
	Expr *value;	  /* of type float8 */
} Comparison;

/*
 * The distance that an expression is, or has subtracted; false if there is
 * none.  With `root` its query may be of other tables' columns, here and below.
 */
static bool
match_distance(PlannerInfo *root, IndexOptInfo *index, int column, Expr *expr,
			   Comparison *comparison)
{
	OpExpr *op = (OpExpr *) expr;

	comparison->minuend = NULL;
	if (IsA(expr, OpExpr) && op->opfuncid == F_FLOAT8UM)
	{
		comparison->minuend =
			(Expr *) makeConst(FLOAT8OID, -1, InvalidOid, sizeof(float8),
							   Float8GetDatum(0), false, FLOAT8PASSBYVAL);
		expr = linitial(op->args);
	}
	else if (IsA(expr, OpExpr) && op->opfuncid == F_FLOAT8MI)
	{
		Const *number = (Const *) linitial(op->args);

		if (!IsA(number, Const) || number->constisnull ||
			!(fabs(DatumGetFloat8(number->constvalue)) <= MOST_MINUEND))
			return false;
		comparison->minuend = (Expr *) number;
		expr = lsecond(op->args);
	}
	comparison->distance =
		HxMatchDistance(root, index, column, expr, &comparison->family);
	return comparison->distance != NULL;
}

/* The value of a comparison as float8; NULL if it depends on the row. */
static Expr *
get_value(PlannerInfo *root, const IndexOptInfo *index, Expr *value, Oid type)
{
	if ((type != FLOAT8OID && type != FLOAT4OID) ||
		(root ? bms_is_member(index->rel->relid,
							  pull_varnos(root, (Node *) value))
			  : contain_var_clause((Node *) value)) ||
		contain_volatile_functions((Node *) value) ||
		contain_subplans((Node *) value))
		return NULL;
	value = copyObject(value);
	if (type == FLOAT4OID)
		value =
			(Expr *) makeFuncExpr(F_FLOAT8_FLOAT4, FLOAT8OID, list_make1(value),
								  InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
	return value;
}

/* Take a clause apart; false if it is no comparison of a distance. */
static bool
match_comparison(PlannerInfo *root, IndexOptInfo *index, int column,
				 Expr *clause, Comparison *comparison)
{
	OpExpr *op = (OpExpr *) clause;
	Expr *left;
	Expr *right;
	Oid opno;
	Oid left_type;
	Oid right_type;

	if (!is_opclause(clause) || list_length(op->args) != 2)
		return false;
	left = linitial(op->args);
	right = lsecond(op->args);
	opno = op->opno;
	if (!IsA(left, OpExpr) && !IsA(right, OpExpr)) /* as most are */
		return false;
	if (!match_distance(root, index, column, left, comparison))
	{
		opno = get_commutator(opno);
		if (!OidIsValid(opno) ||
			!match_distance(root, index, column, right, comparison))
			return false;
		right = left;
	}
	if (!op_in_opfamily(opno, comparison->family))
		return false;
	get_op_opfamily_properties(opno, comparison->family, false,
							   &comparison->strategy, &left_type, &right_type);
	comparison->value = get_value(root, index, right, right_type);
	return left_type == FLOAT8OID && comparison->value != NULL;
}

/* The operator vector @< bound of an index's family; 0 if it has none */
static Oid
find_bound_operator(const IndexOptInfo *index, int column)
{
	CatCList *members = SearchSysCacheList2(
		AMOPSTRATEGY, ObjectIdGetDatum(index->opfamily[column]),
		ObjectIdGetDatum(index->opcintype[column]));
	Oid found = InvalidOid;

	for (int i = 0; i < members->n_members; i++)
	{
		Form_pg_amop member =
			(Form_pg_amop) GETSTRUCT(&members->members[i]->tuple);

		if (member->amopstrategy == HX_STRATEGY_BOUND)
			found = member->amopopr;
	}
	ReleaseCatCacheList(members);
	return found;
}

/* The function distance_bound() of a type of query, beside an operator's */
static Oid
find_constructor(Oid opno, Oid query_type)
{
	Oid types[] = {TEXTOID, query_type, TEXTOID, FLOAT8OID, FLOAT8OID};
	char *schema = get_namespace_name(get_func_namespace(get_opcode(opno)));

	if (schema == NULL)
		return InvalidOid;
	return LookupFuncName(
		list_make2(makeString(schema), makeString(pstrdup("distance_bound"))),
		lengthof(types), types, true);
}

static Expr *
make_text(const char *text)
{
	return (Expr *) makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
							  CStringGetTextDatum(text), false, false);
}

/* The call of distance_bound() for a comparison */
static Expr *
make_bound(Oid constructor, const Comparison *comparison)
{
	static const char *const names[] = {[BTLessStrategyNumber] = "<",
										[BTLessEqualStrategyNumber] = "<=",
										[BTEqualStrategyNumber] = "=",
										[BTGreaterEqualStrategyNumber] = ">=",
										[BTGreaterStrategyNumber] = ">"};
	Expr *minuend = comparison->minuend;

	Assert(comparison->strategy >= BTLessStrategyNumber &&
		   comparison->strategy <= BTGreaterStrategyNumber);
	Assert(comparison->value && list_length(comparison->distance->args) == 2);
	if (minuend == NULL)
		minuend = (Expr *) makeNullConst(FLOAT8OID, -1, InvalidOid);
	return (Expr *) makeFuncExpr(
		constructor, get_func_rettype(constructor),
		list_make5(make_text(get_opname(comparison->distance->opno)),
				   copyObject(lsecond(comparison->distance->args)),
				   make_text(names[comparison->strategy]), comparison->value,
				   copyObject(minuend)),
		InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
}

/*
 * Does a comparison let no great distance pass, NaN apart?  Then the strategy that
 * says no more than that, else 0.
 */
static int
limiting_strategy(const Comparison *comparison)
{
	if (comparison->strategy == BTEqualStrategyNumber)
		return comparison->minuend ? BTGreaterEqualStrategyNumber
								   : BTLessEqualStrategyNumber;
	return (comparison->strategy < BTEqualStrategyNumber) ==
				   (comparison->minuend == NULL)
			   ? comparison->strategy
			   : 0;
}

/*
 * A condition on a distance that the index knows as a condition on the vector,
 * the same to the last row; NULL if it is none.  Of estimates only upper limits are:
 * they leave nothing out else.
 */
Expr *
HxMakeBoundClause(IndexOptInfo *index, int column, Expr *clause)
{
	Comparison comparison;
	Oid right_type;
	Oid constructor;
	Oid opno;

	Assert(column >= 0 && column < index->nkeycolumns);
	if (!match_comparison(NULL, index, column, clause, &comparison) ||
		(HxKindOfIndex(index)->refine && limiting_strategy(&comparison) == 0))
		return NULL;
	opno = find_bound_operator(index, column);
	if (!OidIsValid(opno))
		return NULL;
	/* the operator's right side: domains are of their base type there */
	op_input_types(comparison.distance->opno, &right_type, &right_type);
	constructor = find_constructor(opno, right_type);
	if (!OidIsValid(constructor))
		return NULL;
	return make_opclause(
		opno, BOOLOID, false, copyObject(linitial(comparison.distance->args)),
		make_bound(constructor, &comparison), InvalidOid, InvalidOid);
}

/* Is this a condition that no great distance passes, of just this distance? */
bool
HxLimitsDistance(PlannerInfo *root, IndexOptInfo *index, int column,
				 Expr *clause, const OpExpr *distance)
{
	Comparison comparison;

	return match_comparison(root, index, column, clause, &comparison) &&
		   equal(comparison.distance, distance) &&
		   comparison.strategy != BTEqualStrategyNumber &&
		   limiting_strategy(&comparison) != 0;
}

/*
 * Compile a condition that no great distance passes, of just the distance that the
 * query orders by, into a leaf (HX_LIMIT_...); NULL if it is another, or must not
 * be evaluated before others.  For indexes that have estimates: others know it as a
 * condition on the vector.  An operator class without these, of a kind that has
 * them, has an operator that rounds otherwise than the kind.  Values are appended to *values.  *partial: it says
 * more than the leaf.
 */
List *
HxCompileLimit(PlannerInfo *root, IndexOptInfo *index, int column,
			   RestrictInfo *clause, const OpExpr *distance, List **values,
			   bool *partial)
{
	Comparison comparison;
	List *leaf;
	int strategy;

	const HxKind *kind = HxKindOfIndex(index);

	*partial = false;
	if (!kind->refine || clause->pseudoconstant ||
		(kind->bounds != 0 &&
		 !OidIsValid(find_bound_operator(index, column))) ||
		!match_comparison(root, index, column, clause->clause, &comparison) ||
		!equal(comparison.distance, distance) ||
		!restriction_is_securely_promotable(clause, index->rel))
		return NULL;
	strategy = limiting_strategy(&comparison);
	if (strategy == 0)
		return NULL;
	*partial = strategy != comparison.strategy;
	leaf = list_make2_int(strategy, list_length(*values));
	*values = lappend(*values, comparison.value);
	leaf = lappend_int(leaf, comparison.minuend ? list_length(*values) : -1);
	if (comparison.minuend)
		*values = lappend(*values, copyObject(comparison.minuend));
	Assert(list_length(leaf) == HX_LIMIT_MINUEND + 1);
	return leaf;
}
