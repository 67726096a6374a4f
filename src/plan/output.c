/*
 * output.c
 *	  Values in a node's expressions which its search has computed already.
 *
 * A search by estimates takes the exact distance of each row that it returns from
 * the operator's own function.  The node's target list has the same expression, as
 * the sort key at least, and would read the vector again, which may be long and out
 * of line.  So it gets a place for the distance instead, that of CASE's value, which
 * nothing else here uses.  Sums of distances have a place for a term's likewise,
 * when they are computed, and target lists one for the sum.
 */
#include "postgres.h"

#include <math.h>

#include "executor/executor.h"
#include "nodes/nodeFuncs.h"

#include "plan/plan.h"

/* While an expression is searched for a part */
typedef struct Taking
{
	const Node *part;
	bool found;
} Taking;

static Node *
make_place(const Node *part)
{
	CaseTestExpr *place = makeNode(CaseTestExpr);

	place->typeId = exprType(part);
	place->typeMod = exprTypmod(part);
	place->collation = exprCollation(part);
	return (Node *) place;
}

/*
 * An expression with a place for the part.  Only operators and functions are
 * looked into: expressions of other kinds may use CASE's value themselves.
 */
static Node *
take_part(Node *node, void *context)
{
	Taking *taking = context;

	if (node == NULL)
		return NULL;
	if (equal(node, taking->part))
	{
		taking->found = true;
		return make_place(taking->part);
	}
	switch (nodeTag(node))
	{
		case T_List:
		case T_TargetEntry:
		case T_OpExpr:
		case T_FuncExpr:
		case T_RelabelType:
			return expression_tree_mutator(node, take_part, context);
		default:
			return node;
	}
}

Node *
HxMakePlace(Node *expression, const void *part)
{
	Taking taking = {.part = part};
	Node *result = take_part(expression, &taking);

	return taking.found ? result : NULL;
}

bool
HxProjectWithPlace(ScanState *scan, const void *part)
{
	PlanState *node = &scan->ps;
	List *targets;

	/* rows that EvalPlanQual puts in the place of others have no value yet */
	if (node->state->es_epq_active || !node->ps_ProjInfo)
		return false;
	targets = (List *) HxMakePlace((Node *) node->plan->targetlist, part);
	if (targets == NIL)
		return false;
	node->ps_ProjInfo = ExecBuildProjectionInfo(
		targets, node->ps_ExprContext, node->ps_ResultTupleSlot, node,
		scan->ss_ScanTupleSlot->tts_tupleDescriptor);
	return true;
}

bool
HxSetPlace(ExprContext *context, const IndexScanDesc scan)
{
	if (scan->xs_orderbynulls[0] ||
		!isfinite(DatumGetFloat8(scan->xs_orderbyvals[0])))
		return false;
	context->caseValue_datum = scan->xs_orderbyvals[0];
	context->caseValue_isNull = false;
	return true;
}
