/*
 * node.c
 *	  Execution of the scan node: it drives an index scan, and tells it what an
 *	  executor cannot: how many rows are wanted, the whole condition, and a
 *	  bitmap.
 *
 * Rows are emitted as the search returns them.  It has asked heap_row.c about
 * each, so nothing is evaluated here but in EvalPlanQual's rechecks.  Should
 * more rows be wanted than the LIMIT says, since locking some failed, the
 * search goes on.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "settings.h"
#include "index/index.h"
#include "plan/plan.h"

static const CustomExecMethods exec_methods;

/* CreateCustomScanState */
static Node *
create_state(CustomScan *plan)
{
	HxScanState *state = palloc0(sizeof(HxScanState));

	NodeSetTag(state, T_CustomScanState);
	state->css.methods = &exec_methods;
	HxUnpackPlan(plan, &state->data);
	return (Node *) state;
}

/*
 * Read rows into a slot of the table's kind: servers before 16 make the slot of
 * custom scans a virtual one.
 */
static void
init_slots(HxScanState *state, EState *estate)
{
	ScanState *ss = &state->css.ss;
	Relation table = ss->ss_currentRelation;

	ExecInitScanTupleSlot(estate, ss, RelationGetDescr(table),
						  table_slot_callbacks(table));
	ExecAssignScanProjectionInfo(ss);
	state->row = table_slot_create(table, &estate->es_tupleTable);
}

/* The conditions of some deciders, given as bits, ready to evaluate. */
static ExprState *
init_conditions(HxScanState *state, int deciders)
{
	return ExecInitQual(HxConditionsOf(&state->data, deciders),
						&state->css.ss.ps);
}

static void
init_expressions(HxScanState *state)
{
	PlanState *parent = &state->css.ss.ps;
	HxPlanData *data = &state->data;

	state->query = ExecInitExpr(lsecond(data->order->args), parent);
	state->vector = ExecInitExpr(linitial(data->order->args), parent);
	state->values = ExecInitExprList(data->values, parent);
	state->limit_count = ExecInitExpr(data->limit_count, parent);
	state->limit_offset = ExecInitExpr(data->limit_offset, parent);
	state->left = init_conditions(state, 1 << HX_BY_HEAP);
	state->indexed = init_conditions(state, 1 << HX_BY_HEAP | 1 << HX_BY_MASK |
												1 << HX_BY_BITMAP);
	state->unmapped = init_conditions(state, ~(1 << HX_BY_BITMAP));
	state->all = init_conditions(state, ~0);
	if (data->measured && HxProjectWithPlace(&state->css.ss, data->order))
		state->distance = ExecInitExpr((Expr *) data->order, parent);
}

/* BeginCustomScan */
static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	HxScanState *state = (HxScanState *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	ListCell *cell;

	init_slots(state, estate);
	init_expressions(state);
	state->keys =
		palloc0((list_length(state->data.keys) + 1) * sizeof(ScanKeyData));
	foreach (cell, plan->custom_plans)
		node->custom_ps = lappend(
			node->custom_ps,
			ExecInitNode(lfirst(cell), estate,
						 eflags & ~(EXEC_FLAG_REWIND | EXEC_FLAG_BACKWARD |
									EXEC_FLAG_MARK)));
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	state->index =
		index_open(state->data.index,
				   exec_rt_fetch(plan->scan.scanrelid, estate)->rellockmode);
	state->check_context = CreateExprContext(estate);
	state->search_context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb scan node", ALLOCSET_SMALL_SIZES);
}

/* ---- what the search is asked for ---- */

/* Make the request from this search's values. */
static void
make_request(HxScanState *state, HxScanRequest *request)
{
	ExprContext *context = state->css.ss.ps.ps_ExprContext;
	int64 limit = HxEvaluateLimit(state->data.wanted, state->limit_count,
								  state->limit_offset, context);

	memset(request, 0, sizeof(*request));
	request->recall = limit < 0 ? 1 : hx_recall;
	request->limit = Max(limit, 0);
	request->ties = limit > 0 && state->data.wanted == HX_WANTED_TIES;
	request->ends = limit > 0 && state->data.ends; /* not if all are wanted */
	request->nulls_first = state->data.nulls_first;
	request->nans_first = state->data.nans_first;
	HxMakeConditions(&state->data, state->values, context, state->keys,
					 request);
	request->tids = state->tids;
	request->few = state->data.few;
	request->heap.check = HxCheckHeapRow;
	request->heap.fetch = HxFetchHeapRow;
	request->heap.measure = HxMeasureHeapRow;
	request->heap.sweep_effort = HxSweepEffort(state);
	if (request->heap.sweep_effort > 0)
		request->heap.sweep = HxSweepRows;
	request->heap.arg = state;
	request->heap.share = state->data.share;
}

/* Begin the search, with the first row that is asked for. */
static void
start_search(HxScanState *state)
{
	ScanState *ss = &state->css.ss;
	MemoryContext old;
	HxScanRequest request;

	Assert(!state->started);
	if (!state->scan)
		state->scan = HX_INDEX_BEGINSCAN(ss->ss_currentRelation, state->index,
										 ss->ps.state->es_snapshot,
										 list_length(state->data.keys), 1);
	if (state->data.bitmap && !state->tids)
	{
		/* a context that outlives the search: that of the query */
		Assert(list_length(state->css.custom_ps) == 1);
		old = MemoryContextSwitchTo(ss->ps.state->es_query_cxt);
		state->tids = HxReadBitmap(linitial(state->css.custom_ps),
								   ss->ss_currentRelation);
		MemoryContextSwitchTo(old);
	}
	MemoryContextReset(state->search_context);
	old = MemoryContextSwitchTo(state->search_context);
	HxMakeOrderKey(&state->data, state->index, state->query,
				   ss->ps.ps_ExprContext, &state->order);
	make_request(state, &request);
	MemoryContextSwitchTo(old);
	Assert(list_length(state->data.keys) == state->scan->numberOfKeys);
	index_rescan(state->scan, state->keys, list_length(state->data.keys),
				 &state->order, 1);
	HxSetScanRequest(state->scan, &request);
	state->recheck = HxScanNeedsRecheck(state->scan);
	state->started = true;
	state->searches++;
	state->null_queries += (state->order.sk_flags & SK_ISNULL) != 0;
}

/* ---- rows ---- */

/* Give the output the distance of the row in a slot, if it has a place for it. */
static void
set_distance(HxScanState *state, TupleTableSlot *slot)
{
	ExprContext *context = state->css.ss.ps.ps_ExprContext;

	if (!state->distance || HxSetPlace(context, state->scan))
		return;
	context->ecxt_scantuple = slot;
	context->caseValue_datum = ExecEvalExprSwitchContext(
		state->distance, context, &context->caseValue_isNull);
}

/* The next row, for ExecScan. */
static TupleTableSlot *
next_row(ScanState *node)
{
	HxScanState *state = (HxScanState *) node;
	TupleTableSlot *slot = node->ss_ScanTupleSlot;

	if (!state->started)
		start_search(state);
	while (index_getnext_tid(state->scan, ForwardScanDirection))
	{
		CHECK_FOR_INTERRUPTS();
		state->fetches++;
		if (index_fetch_heap(state->scan, slot))
		{
			set_distance(state, slot);
			return slot;
		}
	}
	return ExecClearTuple(slot);
}

/* Do all conditions hold on a row that EvalPlanQual puts in its place? */
static bool
recheck_row(ScanState *node, TupleTableSlot *slot)
{
	HxScanState *state = (HxScanState *) node;
	ExprContext *context = node->ps.ps_ExprContext;

	context->ecxt_scantuple = slot;
	return ExecQualAndReset(state->all, context);
}

/* ExecCustomScan */
static TupleTableSlot *
exec_scan(CustomScanState *node)
{
	return ExecScan(&node->ss, next_row, recheck_row);
}

/* ---- the end of a search ---- */

/*
 * ReScanCustomScan.  The bitmap is kept unless something changed that its
 * child depends on: the snapshot is the same, so no row could be missing.
 */
static void
rescan(CustomScanState *node)
{
	HxScanState *state = (HxScanState *) node;
	ListCell *cell;

	HxAddStats(state);
	Assert(!state->started);
	if (state->late) /* the scan does not ask it any more */
		HxFreeTidSet(state->late);
	state->late = NULL;
	foreach (cell, node->custom_ps)
	{
		PlanState *child = lfirst(cell);

		if (node->ss.ps.chgParam)
			UpdateChangedParamSet(child, node->ss.ps.chgParam);
		if (child->chgParam && state->tids)
		{
			HxFreeTidSet(state->tids);
			state->tids = NULL;
		}
		if (!state->tids && !child->chgParam)
			ExecReScan(child);
	}
	ExecScanReScan(&node->ss);
}

/* EndCustomScan */
static void
end_scan(CustomScanState *node)
{
	HxScanState *state = (HxScanState *) node;
	ListCell *cell;

	if (state->scan)
		index_endscan(state->scan);
	if (state->index)
		index_close(state->index, NoLock);
	if (state->tids)
		HxFreeTidSet(state->tids);
	if (state->late)
		HxFreeTidSet(state->late);
	foreach (cell, node->custom_ps)
		ExecEndNode(lfirst(cell));
	if (state->search_context)
		MemoryContextDelete(state->search_context);
}

static const CustomExecMethods exec_methods = {.CustomName = "hashemb",
											   .BeginCustomScan = begin_scan,
											   .ExecCustomScan = exec_scan,
											   .EndCustomScan = end_scan,
											   .ReScanCustomScan = rescan,
											   .ExplainCustomScan =
												   HxExplainScan};

const CustomScanMethods hx_scan_methods = {
	.CustomName = "hashemb", .CreateCustomScanState = create_state};
