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
#include "common/int.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
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

/* Evaluate an expression; the value lasts as long as the search. */
static Datum
evaluate(HxScanState *state, ExprState *expression, Oid type, bool *isnull)
{
	Datum value =
		ExecEvalExpr(expression, state->css.ss.ps.ps_ExprContext, isnull);
	int16 length;
	bool by_value;

	if (*isnull)
		return value;
	get_typlenbyval(type, &length, &by_value);
	return datumCopy(value, by_value, length);
}

/* Set the scan key ORDER BY distance to the query. */
static void
set_order(HxScanState *state)
{
	const OpExpr *order = state->data.order;
	Oid family = state->index->rd_opfamily[state->data.column - 1];
	int strategy;
	Oid left;
	Oid right;
	bool isnull;
	Datum query =
		evaluate(state, state->query, exprType(lsecond(order->args)), &isnull);

	get_op_opfamily_properties(order->opno, family, true, &strategy, &left,
							   &right);
	Assert(strategy == HX_STRATEGY_DISTANCE);
	ScanKeyEntryInitialize(
		&state->order, SK_ORDER_BY | (isnull ? SK_ISNULL : 0),
		(AttrNumber) state->data.column, (StrategyNumber) strategy, right,
		order->inputcollid, order->opfuncid, query);
}

/*
 * The condition on attribute columns, with this search's values; also sets the
 * scan keys on the vector.
 */
static HxCondExpr *
make_conditions(HxScanState *state)
{
	int count = list_length(state->values);
	int next = 0;
	ListCell *cell;
	Datum *values = palloc(Max(count, 1) * sizeof(Datum));
	bool *nulls = palloc(Max(count, 1) * sizeof(bool));

	Assert(count == list_length(state->data.values));
	for (int i = 0; i < count; i++)
		values[i] =
			evaluate(state, list_nth(state->values, i),
					 exprType(list_nth(state->data.values, i)), &nulls[i]);
	foreach (cell, state->data.keys)
		HxBuildVectorKey(lfirst(cell), values, nulls, &state->keys[next++]);
	Assert(next == list_length(state->data.keys));
	return HxBuildFilter(&state->data, values, nulls);
}

/*
 * Rows that LIMIT and OFFSET make of it, 0 if nobody knows; -1 if all are wanted:
 * there is no LIMIT after all, or it is beyond all numbers.  What is wrong with
 * them is for the Limit node to say, which asks for no row then.
 */
static int64
evaluate_limit(HxScanState *state)
{
	ExprContext *context = state->css.ss.ps.ps_ExprContext;
	int64 count;
	int64 offset = 0;
	bool isnull;

	if (!HxIsNumberKnown(state->data.wanted))
		return state->data.wanted == HX_WANTED_ALL ? -1 : 0;
	Assert(state->limit_count);
	count = DatumGetInt64(ExecEvalExpr(state->limit_count, context, &isnull));
	if (isnull)
		return -1;
	if (state->limit_offset)
	{
		offset =
			DatumGetInt64(ExecEvalExpr(state->limit_offset, context, &isnull));
		if (isnull)
			offset = 0;
	}
	if (count <= 0 || offset < 0 || pg_add_s64_overflow(count, offset, &count))
		return -1;
	return count;
}

/* Make the request from this search's values. */
static void
make_request(HxScanState *state, HxScanRequest *request)
{
	int64 limit = evaluate_limit(state);

	memset(request, 0, sizeof(*request));
	request->recall = limit < 0 ? 1 : hx_recall;
	request->limit = Max(limit, 0);
	request->ties = state->data.wanted == HX_WANTED_TIES;
	request->ends = state->data.ends;
	request->nulls_first = state->data.nulls_first;
	request->nans_first = state->data.nans_first;
	request->expr = make_conditions(state);
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
	set_order(state);
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
			return slot;
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
