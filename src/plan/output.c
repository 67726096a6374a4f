/*
 * output.c
 *	  Distances in the node's output, which its search has computed already.
 *
 * A search by estimates takes the exact distance of each row that it returns from
 * the operator's own function.  The node's target list has the same expression, as
 * the sort key at least, and would read the vector again, which may be long and out
 * of line.  So it gets a place for the distance instead, that of CASE's value, which
 * nothing else here uses.
 */
#include "postgres.h"

#include <math.h>

#include "executor/executor.h"
#include "nodes/nodeFuncs.h"

#include "plan/plan.h"

/* While a target list is searched for the distance */
typedef struct Taking
{
	OpExpr *distance;
	bool found;
} Taking;

static Node *
make_place(const OpExpr *distance)
{
	CaseTestExpr *place = makeNode(CaseTestExpr);

	place->typeId = distance->opresulttype;
	place->typeMod = -1;
	place->collation = distance->opcollid;
	return (Node *) place;
}

/*
 * An expression with a place for the distance.  Only operators and functions are
 * looked into: expressions of other kinds may use CASE's value themselves.
 */
static Node *
take_distance(Node *node, void *context)
{
	Taking *taking = context;

	if (node == NULL)
		return NULL;
	if (equal(node, taking->distance))
	{
		taking->found = true;
		return make_place(taking->distance);
	}
	switch (nodeTag(node))
	{
		case T_List:
		case T_TargetEntry:
		case T_OpExpr:
		case T_FuncExpr:
		case T_RelabelType:
			return expression_tree_mutator(node, take_distance, context);
		default:
			return node;
	}
}

void
HxInitOutput(HxScanState *state)
{
	ScanState *ss = &state->css.ss;
	Taking taking = {.distance = state->data.order};
	List *targets;

	/* rows that EvalPlanQual puts in the place of others have no distance yet */
	if (!state->data.measured || ss->ps.state->es_epq_active)
		return;
	targets = (List *) take_distance((Node *) ss->ps.plan->targetlist, &taking);
	if (!taking.found || !ss->ps.ps_ProjInfo)
		return;
	ss->ps.ps_ProjInfo = ExecBuildProjectionInfo(
		targets, ss->ps.ps_ExprContext, ss->ps.ps_ResultTupleSlot, &ss->ps,
		ss->ss_ScanTupleSlot->tts_tupleDescriptor);
	state->distance = ExecInitExpr((Expr *) state->data.order, &ss->ps);
}

void
HxSetOutputDistance(HxScanState *state, TupleTableSlot *slot)
{
	ExprContext *context = state->css.ss.ps.ps_ExprContext;
	const IndexScanDesc scan = state->scan;

	if (!state->distance)
		return;
	context->caseValue_datum = scan->xs_orderbyvals[0];
	context->caseValue_isNull = false;
	if (!scan->xs_orderbynulls[0] &&
		isfinite(DatumGetFloat8(scan->xs_orderbyvals[0])))
		return;
	/* NULL, or NaN, for which infinity stands */
	context->ecxt_scantuple = slot;
	context->caseValue_datum = ExecEvalExprSwitchContext(
		state->distance, context, &context->caseValue_isNull);
}
