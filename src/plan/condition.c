/*
 * condition.c
 *	  From a plan's programs and their values to the condition that the search
 *	  is given.
 */
#include "postgres.h"

#include "access/skey.h"
#include "nodes/value.h"

#include "compat.h"
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
HxCondExpr *
HxBuildFilter(const HxPlanData *data, const Datum *values, const bool *nulls)
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
void
HxBuildVectorKey(List *leaf, const Datum *values, const bool *nulls,
				 ScanKey key)
{
	Operands operands = {values, nulls};

	build_key(leaf, &operands, key);
}
