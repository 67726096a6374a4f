/*
 * condition.c
 *	  From a plan's programs and their values to the condition that the search
 *	  is given.
 */
#include "postgres.h"

#include "access/skey.h"
#include "common/int.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "index/index.h"
#include "plan/plan.h"

/* What a program refers to */
typedef struct Operands
{
	const Datum *values;
	const bool *nulls;
} Operands;

static HxCondExpr *
make_condition(HxCondExprKind kind, int nargs)
{
	HxCondExpr *condition = palloc0(sizeof(HxCondExpr));

	condition->kind = kind;
	condition->nargs = nargs;
	condition->args = palloc(Max(nargs, 1) * sizeof(HxCondExpr *));
	return condition;
}

/* column op value, column op ANY (value), or column IS [NOT] NULL as a key */
static void
build_key(List *leaf, const Operands *operands, ScanKey key)
{
	HxProgramKind kind = (HxProgramKind) linitial_int(leaf);
	int value;

	memset(key, 0, sizeof(*key));
	key->sk_attno = (AttrNumber) list_nth_int(leaf, HX_LEAF_COLUMN);
	if (kind == HX_PROGRAM_NULL || kind == HX_PROGRAM_NOT_NULL)
	{
		key->sk_flags =
			SK_ISNULL |
			(kind == HX_PROGRAM_NULL ? SK_SEARCHNULL : SK_SEARCHNOTNULL);
		return;
	}
	value = list_nth_int(leaf, HX_LEAF_VALUE);
	Assert(list_length(leaf) == HX_LEAF_VALUE + 1 && value >= 0);
	Assert(kind == HX_PROGRAM_OPERATOR || kind == HX_PROGRAM_ANY);
	key->sk_flags = (operands->nulls[value] ? SK_ISNULL : 0) |
					(kind == HX_PROGRAM_ANY ? SK_SEARCHARRAY : 0);
	key->sk_strategy = (StrategyNumber) list_nth_int(leaf, HX_LEAF_STRATEGY);
	key->sk_subtype = (Oid) list_nth_int(leaf, HX_LEAF_TYPE);
	key->sk_collation = (Oid) list_nth_int(leaf, HX_LEAF_COLLATION);
	key->sk_argument = operands->values[value];
}

/* A leaf of a program, or a constant */
static HxCondExpr *
build_leaf(List *leaf, const Operands *operands)
{
	HxProgramKind kind = (HxProgramKind) linitial_int(leaf);
	HxCondExpr *condition;

	if (kind == HX_PROGRAM_CONST)
	{
		condition = make_condition(HX_COND_CONST, 0);
		condition->value = list_nth_int(leaf, HX_LEAF_COLUMN) == 1;
		condition->isnull = list_nth_int(leaf, HX_LEAF_COLUMN) == 2;
		return condition;
	}
	condition = make_condition(HX_COND_KEY, 0);
	build_key(leaf, operands, &condition->key);
	return condition;
}

static HxCondExpr *
build(Node *program, const Operands *operands)
{
	static const HxCondExprKind kinds[] = {[HX_PROGRAM_AND] = HX_COND_AND,
										   [HX_PROGRAM_OR] = HX_COND_OR,
										   [HX_PROGRAM_NOT] = HX_COND_NOT};
	List *branch = (List *) program;
	HxCondExpr *condition;
	ListCell *cell;
	int next = 0;

	if (IsA(program, IntList))
		return build_leaf(branch, operands);
	Assert(intVal(linitial(branch)) <= HX_PROGRAM_NOT);
	Assert(intVal(linitial(branch)) != HX_PROGRAM_NOT ||
		   list_length(branch) == 2);
	condition = make_condition(kinds[intVal(linitial(branch))],
							   list_length(branch) - 1);
	for_each_from(cell, branch, 1) condition->args[next++] =
		build(lfirst(cell), operands);
	Assert(next == condition->nargs);
	return condition;
}

/*
 * The condition on attribute columns; NULL if there is none.  Allocated in the
 * current context; values are pointed to.
 */
static HxCondExpr *
build_filter(const HxPlanData *data, const Datum *values, const bool *nulls)
{
	Operands operands = {values, nulls};
	HxCondExpr *condition;
	ListCell *cell;
	int next = 0;

	if (data->programs == NIL)
		return NULL;
	condition = make_condition(HX_COND_AND, list_length(data->programs));
	foreach (cell, data->programs)
		condition->args[next++] = build(lfirst(cell), &operands);
	Assert(next == condition->nargs);
	return condition;
}

/* A condition on the vector as a scan key; its value is pointed to. */
static void
build_vector_key(List *leaf, const Datum *values, const bool *nulls,
				 ScanKey key)
{
	Operands operands = {values, nulls};

	build_key(leaf, &operands, key);
}

/* ---- a search's values ---- */

/* Evaluate an expression; the value is copied into the current context. */
static Datum
evaluate(ExprState *expression, ExprContext *context, Oid type, bool *isnull)
{
	Datum value = ExecEvalExpr(expression, context, isnull);
	int16 length;
	bool by_value;

	if (*isnull)
		return value;
	get_typlenbyval(type, &length, &by_value);
	return datumCopy(value, by_value, length);
}

void
HxMakeOrderKey(const HxPlanData *data, Relation index, ExprState *query,
			   ExprContext *context, ScanKey key)
{
	const OpExpr *order = data->order;
	Oid family = index->rd_opfamily[data->column - 1];
	int strategy;
	Oid left;
	Oid right;
	bool isnull;
	Datum value =
		evaluate(query, context, exprType(lsecond(order->args)), &isnull);

	get_op_opfamily_properties(order->opno, family, true, &strategy, &left,
							   &right);
	Assert(strategy == HX_STRATEGY_DISTANCE);
	ScanKeyEntryInitialize(key, SK_ORDER_BY | (isnull ? SK_ISNULL : 0),
						   (AttrNumber) data->column, (StrategyNumber) strategy,
						   right, order->inputcollid, order->opfuncid, value);
}

/* Limits of the distance; a NULL one lets nothing pass. */
static void
build_limits(const HxPlanData *data, const Operands *operands,
			 HxScanRequest *request)
{
	HxBoundTest *tests =
		palloc0(Max(list_length(data->limits), 1) * sizeof(HxBoundTest));
	ListCell *cell;

	request->limits = tests;
	request->nlimits = list_length(data->limits);
	foreach (cell, data->limits)
	{
		List *leaf = lfirst(cell);
		int value = list_nth_int(leaf, HX_LIMIT_VALUE);
		int minuend = list_nth_int(leaf, HX_LIMIT_MINUEND);

		request->never |= operands->nulls[value];
		tests->strategy = list_nth_int(leaf, HX_LIMIT_STRATEGY);
		tests->reversed = minuend >= 0;
		if (tests->reversed)
			tests->minuend = DatumGetFloat8(operands->values[minuend]);
		if (!operands->nulls[value])
			tests->value = DatumGetFloat8(operands->values[value]);
		tests++;
	}
}

void
HxMakeConditions(const HxPlanData *data, List *expressions,
				 ExprContext *context, ScanKey keys, HxScanRequest *request)
{
	int count = list_length(expressions);
	int next = 0;
	ListCell *cell;
	Datum *values = palloc(Max(count, 1) * sizeof(Datum));
	bool *nulls = palloc(Max(count, 1) * sizeof(bool));
	Operands operands = {values, nulls};

	Assert(count == list_length(data->values));
	for (int i = 0; i < count; i++)
		values[i] = evaluate(list_nth(expressions, i), context,
							 exprType(list_nth(data->values, i)), &nulls[i]);
	foreach (cell, data->keys)
		build_vector_key(lfirst(cell), values, nulls, &keys[next++]);
	Assert(next == list_length(data->keys));
	build_limits(data, &operands, request);
	request->expr = build_filter(data, values, nulls);
}

int64
HxEvaluateLimit(HxWanted wanted, ExprState *limit_count,
				ExprState *limit_offset, ExprContext *context)
{
	int64 count;
	int64 offset = 0;
	bool isnull;

	if (!HxIsNumberKnown(wanted))
		return wanted == HX_WANTED_ALL ? -1 : 0;
	Assert(limit_count);
	count = DatumGetInt64(ExecEvalExpr(limit_count, context, &isnull));
	if (isnull)
		return -1;
	if (limit_offset)
	{
		offset = DatumGetInt64(ExecEvalExpr(limit_offset, context, &isnull));
		if (isnull)
			offset = 0;
	}
	if (count <= 0 || offset < 0 || pg_add_s64_overflow(count, offset, &count))
		return -1;
	return count;
}
