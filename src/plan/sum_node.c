/*
 * sum_node.c
 *	  Execution of the node for orders by a sum of distances.
 *
 * See README, "Sums of distances".  Rows are found by the threshold rule
 * (sum_search.c) or by reading the table (sum_sweep.c), and fetched once more
 * when they are returned.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "settings.h"
#include "index/cost_units.h"
#include "plan/sum.h"

static const CustomExecMethods exec_methods;

/* CreateCustomScanState */
static Node *
create_state(CustomScan *plan)
{
	HxSumState *state = palloc0(sizeof(HxSumState));

	NodeSetTag(state, T_CustomScanState);
	state->css.methods = &exec_methods;
	HxUnpackSum(plan, &state->data);
	return (Node *) state;
}

/* ---- begin ---- */

/*
 * Put variables of a tuple of frontiers in the place of distances: of terms of one
 * distance that of the first.
 */
static Node *
replace_distances(Node *node, void *context)
{
	const List *written = context;

	if (node == NULL)
		return NULL;
	for (int t = 0; t < list_length(written); t++)
		if (equal(node, list_nth(written, t)))
			return (Node *) makeVar(INNER_VAR, (AttrNumber) (t + 1), FLOAT8OID,
									-1, InvalidOid, 0);
	return expression_tree_mutator(node, replace_distances, context);
}

/* A tuple of float8, one for each term */
static TupleDesc
describe_frontiers(int nterms)
{
	TupleDesc desc = CreateTemplateTupleDesc(nterms);

	for (int t = 0; t < nterms; t++)
		TupleDescInitEntry(desc, (AttrNumber) (t + 1), NULL, FLOAT8OID, -1, 0);
	return desc;
}

/* A tuple of a sum and a TID, as a sweep sorts them */
static TupleDesc
describe_swept(void)
{
	TupleDesc desc = CreateTemplateTupleDesc(2);

	TupleDescInitEntry(desc, 1, NULL, FLOAT8OID, -1, 0);
	TupleDescInitEntry(desc, 2, NULL, INT8OID, -1, 0);
	return desc;
}

/*
 * Read rows into a slot of the table's kind: servers before 16 make the slot of
 * custom scans a virtual one.
 */
static void
init_slots(HxSumState *state, EState *estate)
{
	ScanState *ss = &state->css.ss;
	Relation table = ss->ss_currentRelation;

	ExecInitScanTupleSlot(estate, ss, RelationGetDescr(table),
						  table_slot_callbacks(table));
	ExecAssignScanProjectionInfo(ss);
	state->row = table_slot_create(table, &estate->es_tupleTable);
	state->frontiers = ExecInitExtraTupleSlot(
		estate, describe_frontiers(state->data.nterms), &TTSOpsVirtual);
	state->swept =
		ExecInitExtraTupleSlot(estate, describe_swept(), &TTSOpsMinimalTuple);
}

/* The conditions of some deciders, given as bits, ready to evaluate. */
static ExprState *
init_conditions(HxSumState *state, const HxPlanData *data, int deciders)
{
	return ExecInitQual(HxConditionsOf(data, deciders), &state->css.ss.ps);
}

static void
init_expressions(HxSumState *state)
{
	PlanState *parent = &state->css.ss.ps;
	HxSumData *data = &state->data;
	const HxPlanData *first = &data->terms[0];

	state->sum = ExecInitExpr(data->expr, parent);
	state->bound = ExecInitExpr(
		(Expr *) replace_distances((Node *) data->expr, data->written), parent);
	state->weights = ExecInitExprList(data->weights, parent);
	state->limit_count = ExecInitExpr(first->limit_count, parent);
	state->limit_offset = ExecInitExpr(first->limit_offset, parent);
	state->all = init_conditions(state, first, ~0);
	state->row_time = first->few;
	state->placed = HxProjectWithPlace(&state->css.ss, data->expr);
	for (int t = 0; t < data->nterms; t++)
	{
		HxTermState *term = &state->terms[t];

		term->data = &data->terms[t];
		while (!equal(list_nth(data->written, term->place),
					  list_nth(data->written, t)))
			term->place++;
		term->search_time = term->data->reserve;
		term->more = (uint64) list_nth_int(data->more, t);
		term->further = list_nth_int(data->further, t) / 1000.0;
		term->query = ExecInitExpr(lsecond(term->data->order->args), parent);
		if (term->data->measured)
			term->given =
				ExecInitExpr((Expr *) HxMakePlace((Node *) data->expr,
												  list_nth(data->written, t)),
							 parent);
		term->values = ExecInitExprList(term->data->values, parent);
		term->left = init_conditions(state, term->data,
									 1 << HX_BY_HEAP | 1 << HX_BY_BITMAP);
		term->keys =
			palloc0((list_length(term->data->keys) + 1) * sizeof(ScanKeyData));
	}
}

/* BeginCustomScan */
static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	HxSumState *state = (HxSumState *) node;
	const CustomScan *plan = (CustomScan *) node->ss.ps.plan;

	init_slots(state, estate);
	init_expressions(state);
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	state->check_context = CreateExprContext(estate);
	state->scan_context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb sum", ALLOCSET_DEFAULT_SIZES);
	for (int t = 0; t < state->data.nterms; t++)
	{
		HxTermState *term = &state->terms[t];

		term->index = index_open(
			term->data->index,
			exec_rt_fetch(plan->scan.scanrelid, estate)->rellockmode);
		term->context = AllocSetContextCreate(
			CurrentMemoryContext, "hashemb term", ALLOCSET_SMALL_SIZES);
	}
}

/* ---- rows ---- */

/*
 * Rows for which it is forecast whether a scan may end before they are settled: those
 * of a known LIMIT without ties, as long as a search may find so many first
 */
static int64
rows_forecast(const HxSumState *state)
{
	if (state->recall >= 1 || state->data.terms[0].wanted != HX_WANTED_LIMIT ||
		state->wanted > HX_SECOND_ROWS)
		return 0;
	return state->wanted;
}

/* Read the table, in the place of searches. */
static void
sweep(HxSumState *state)
{
	HxSweepSums(state);
	state->ways[HX_SUM_SWEEP]++;
}

/* Begin a scan, with the first row that is asked for. */
static void
start(HxSumState *state)
{
	MemoryContext old = MemoryContextSwitchTo(state->scan_context);
	int64 limit =
		HxEvaluateLimit(state->data.terms[0].wanted, state->limit_count,
						state->limit_offset, state->css.ss.ps.ps_ExprContext);

	Assert(!state->started && !state->sort);
	state->started = true;
	state->scans++;
	state->recall = limit < 0 ? 1 : hx_recall;
	state->wanted = Max(limit, 0);
	state->turn = 0;
	state->ncompleted = 0;
	state->complete = state->any_returned = false;
	HxMeasureTable(state);
	state->by_price = state->recall < 1 && state->wanted > 0;
	state->favourite = NULL;
	state->next_look = 0;
	HxBeginSumRows(&state->rows, rows_forecast(state));
	if (HxBeginTerms(state))
		state->ways[HX_SUM_THRESHOLD]++;
	else
		sweep(state);
	MemoryContextSwitchTo(old);
}

/*
 * Have searches advance until so many rows are settled, or all are; or read the
 * table.
 */
static void
find_rows(HxSumState *state, int64 goal)
{
	HxSumRows *rows = &state->rows;
	MemoryContext old = MemoryContextSwitchTo(state->scan_context);

	while (rows->nsettled < goal && !state->complete)
	{
		CHECK_FOR_INTERRUPTS();
		if (!HxAdvanceTerm(state, HxChooseTerm(state)))
		{
			sweep(state);
			break;
		}
		HxSetBound(state);
		HxSettleRows(rows, state->limit);
		if (rows->nsettled < goal && HxLookAtCourses(state) &&
			HxMayEndSum(state))
			HxSettleRows(rows, rows->first[rows->nfirst - 1].sum);
	}
	if (state->complete)
		HxSettleAllRows(rows);
	ExecClearTuple(state->row); /* holds no page while nobody asks */
	MemoryContextSwitchTo(old);
}

/* The next row in order; false if there is none. */
static bool
find_next(HxSumState *state, HxSumRow *row)
{
	HxSumRows *rows = &state->rows;

	while (!state->sort)
	{
		int64 goal = Max(state->wanted, rows->nreturned + 1);

		if (rows->nsettled >= goal || state->complete ||
			rows->nreturned < rows->nsettled)
		{
			if (HxNextSumRow(rows, row,
							 state->recall < 1 ? &state->dropped : NULL))
				return true;
			if (state->complete)
				return false;
		}
		find_rows(state, Max(goal, rows->nsettled + 1));
	}
	return HxNextSweptRow(state, row);
}

/* Give the output the sum of the row that is returned, if it has a place for it. */
static void
set_output_sum(HxSumState *state, HxSumValue sum)
{
	ExprContext *context = state->css.ss.ps.ps_ExprContext;

	if (!state->placed)
		return;
	context->caseValue_isNull = sum.isnull;
	context->caseValue_datum =
		HxFloatDatum((const Node *) state->data.expr, sum.value);
}

/* The next row, for ExecScan. */
static TupleTableSlot *
next_row(ScanState *node)
{
	HxSumState *state = (HxSumState *) node;
	TupleTableSlot *slot = node->ss_ScanTupleSlot;
	HxSumRow row;

	if (!state->started)
		start(state);
	while (find_next(state, &row))
	{
		ItemPointerData tid;

		CHECK_FOR_INTERRUPTS();
		state->any_returned = true;
		state->last = row.sum;
		HxUnpackTid(row.tid, &tid);
		if (table_tuple_fetch_row_version(node->ss_currentRelation, &tid,
										  node->ps.state->es_snapshot, slot))
		{
			set_output_sum(state, row.sum);
			return slot;
		}
	}
	return ExecClearTuple(slot);
}

/* Do all conditions hold on a row that EvalPlanQual puts in its place? */
static bool
recheck_row(ScanState *node, TupleTableSlot *slot)
{
	HxSumState *state = (HxSumState *) node;
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

/* ---- the end of a scan ---- */

/* Forget what a scan has found. */
static void
end_search(HxSumState *state)
{
	if (!state->started)
		return;
	HxEndTerms(state);
	HxEndSweep(state);
	state->completed += state->ncompleted;
	state->ncompleted = 0;
	state->started = false;
	MemoryContextReset(state->scan_context);
}

/* ReScanCustomScan */
static void
rescan(CustomScanState *node)
{
	end_search((HxSumState *) node);
	ExecScanReScan(&node->ss);
}

/* EndCustomScan */
static void
end_scan(CustomScanState *node)
{
	HxSumState *state = (HxSumState *) node;

	end_search(state);
	for (int t = 0; t < state->data.nterms; t++)
	{
		if (state->terms[t].scan)
			index_endscan(state->terms[t].scan);
		if (state->terms[t].index)
			index_close(state->terms[t].index, NoLock);
	}
}

static const CustomExecMethods exec_methods = {.CustomName = "hashemb sum",
											   .BeginCustomScan = begin_scan,
											   .ExecCustomScan = exec_scan,
											   .EndCustomScan = end_scan,
											   .ReScanCustomScan = rescan,
											   .ExplainCustomScan =
												   HxExplainSum};

const CustomScanMethods hx_sum_scan_methods = {
	.CustomName = "hashemb sum", .CreateCustomScanState = create_state};
