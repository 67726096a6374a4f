/*
 * heap_row.c
 *	  What only the heap row can tell: the search's questions about rows that
 *	  would be in its result.
 *
 * A row that passes here is not checked again when it is emitted, so that each
 * condition is evaluated once for a row.  Conditions keep the order that the
 * planner gave them: none runs before one that a security barrier puts first.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "executor/executor.h"
#include "pgstat.h"

#include "compat.h"
#include "plan/plan.h"

/* Fetch the row of a TID and ask whether some conditions hold. */
static HxRowState
look_at_row(HxScanState *state, ItemPointer tid, ExprState *conditions)
{
	IndexScanDesc scan = state->scan;
	ExprContext *context = state->check_context;
	bool again = false;
	bool dead = false;

	state->fetches++;
	if (!table_index_fetch_tuple(scan->xs_heapfetch, tid, scan->xs_snapshot,
								 state->row, &again, &dead))
		return dead && !scan->xactStartedInRecovery ? HX_ROW_DEAD
													: HX_ROW_FAILS;
	pgstat_count_heap_fetch(scan->indexRelation);
	ResetExprContext(context);
	context->ecxt_scantuple = state->row;
	return ExecQual(conditions, context) ? HX_ROW_PASSES : HX_ROW_FAILS;
}

/* Is the row visible, and do the conditions hold that are not decided yet? */
HxRowState
HxCheckHeapRow(void *arg, ItemPointer tid)
{
	HxScanState *state = arg;

	return look_at_row(state, tid,
					   state->recheck ? state->indexed : state->left);
}

/* Is the row visible, do all conditions hold, and what is its vector? */
HxRowState
HxFetchHeapRow(void *arg, ItemPointer tid, Datum *vector, bool *isnull)
{
	HxScanState *state = arg;
	HxRowState result = look_at_row(state, tid, state->indexed);

	if (result == HX_ROW_PASSES)
		*vector = ExecEvalExprSwitchContext(state->vector, state->check_context,
											isnull);
	return result;
}
