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

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#include "compat.h"
#include "index/cost_units.h"
#include "plan/plan.h"

/* Fetch the row of a TID and ask whether some conditions hold. */
static HxRowState
look_at_row(HxScanState *state, ItemPointer tid, ExprState *conditions)
{
	IndexScanDesc scan = state->scan;
	ExprContext *context = state->check_context;
	bool again = false;
	bool dead = false;

	Assert(scan && state->row && context);
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

/*
 * Is a row of a bitmap, or of those that a sweep found, visible, do the
 * conditions hold that the bitmap does not decide, and what is its vector?
 */
HxRowState
HxFetchHeapRow(void *arg, ItemPointer tid, Datum *vector, bool *isnull)
{
	HxScanState *state = arg;
	bool exact = state->tids && !HxTidSetNeedsRecheck(state->tids);
	HxRowState result =
		look_at_row(state, tid, exact ? state->unmapped : state->all);

	if (result == HX_ROW_PASSES)
		*vector = ExecEvalExprSwitchContext(state->vector, state->check_context,
											isnull);
	return result;
}

/* As HxCheckHeapRow, and what is the row's vector? */
HxRowState
HxMeasureHeapRow(void *arg, ItemPointer tid, Datum *vector, bool *isnull)
{
	HxScanState *state = arg;
	HxRowState result = HxCheckHeapRow(arg, tid);

	if (result == HX_ROW_PASSES)
		*vector = ExecEvalExprSwitchContext(state->vector, state->check_context,
											isnull);
	return result;
}

/* ---- sweeping the table ---- */

/* Rows of a page of a table that was never analyzed */
#define DEFAULT_DENSITY 50.0

/*
 * What a sweep takes, in rows looked at by themselves; 0 if there cannot be one
 * or nothing is left to the heap row.  A bitmap in reserve takes its place, and
 * is read with the same right.  Only heaps are swept, since entries of
 * the index name the roots of HOT chains, which other tables have none of.
 */
double
HxSweepEffort(const HxScanState *state)
{
	Relation table = state->css.ss.ss_currentRelation;
	double pages = RelationGetNumberOfBlocks(table);
	double rows = table->rd_rel->reltuples;
	QualCost cost;
	double each;

	cost_qual_eval(&cost, state->data.conditions, NULL);
	each = HxOperatorTime(cost.per_tuple);
	if (state->data.reserve > 0)
		return state->data.reserve / (HX_CHECK_TIME + each);
	if (!state->left || table->rd_tableam != GetHeapamTableAmRoutine())
		return 0;
	if (rows < 0)
		rows = pages * DEFAULT_DENSITY;
	return (rows * (HX_SEQ_ROW_TIME + each) + pages * HX_SEQ_PAGE_TIME) /
			   (HX_CHECK_TIME + each) +
		   1;
}

/* Rows found on a page of the heap */
typedef struct SweptPage
{
	BlockNumber block;
	int count;
	OffsetNumber offsets[MaxHeapTuplesPerPage];
	bool rooted; /* `roots` is filled in */
	OffsetNumber roots[MaxHeapTuplesPerPage];
} SweptPage;

/* Add a row, which the slot holds, by the root of its HOT chain. */
static void
add_swept(SweptPage *page, TupleTableSlot *slot)
{
	BufferHeapTupleTableSlot *held = (BufferHeapTupleTableSlot *) slot;
	OffsetNumber offset = ItemPointerGetOffsetNumber(&slot->tts_tid);

	Assert(ItemPointerGetBlockNumber(&slot->tts_tid) == page->block);
	Assert(page->count < MaxHeapTuplesPerPage);
	if (HeapTupleIsHeapOnly(held->base.tuple))
	{
		if (!page->rooted)
		{
			LockBuffer(held->buffer, BUFFER_LOCK_SHARE);
			heap_get_root_tuples(BufferGetPage(held->buffer), page->roots);
			LockBuffer(held->buffer, BUFFER_LOCK_UNLOCK);
			page->rooted = true;
		}
		offset = page->roots[offset - 1];
	}
	page->offsets[page->count++] = offset;
}

/* The rows of the table that pass all conditions */
static HxTidSet *
sweep_table(HxScanState *state, uint64 *failed)
{
	Relation table = state->css.ss.ss_currentRelation;
	ExprContext *context = state->check_context;
	SweptPage *page = palloc(sizeof(SweptPage));
	HxTidSet *set =
		HxBeginTidSet(RelationGetNumberOfBlocks(table), (Size) work_mem * 1024);
	TableScanDesc scan = table_beginscan_strat(table, state->scan->xs_snapshot,
											   0, NULL, true, false);

	Assert(table->rd_tableam == GetHeapamTableAmRoutine());
	page->block = InvalidBlockNumber;
	page->count = 0;
	while (table_scan_getnextslot(scan, ForwardScanDirection, state->row))
	{
		BlockNumber block = ItemPointerGetBlockNumber(&state->row->tts_tid);

		CHECK_FOR_INTERRUPTS();
		if (block != page->block)
		{
			Assert(!BlockNumberIsValid(page->block) || page->block < block);
			HxAddTids(set, page->block, page->offsets, page->count, false);
			page->block = block;
			page->count = 0;
			page->rooted = false;
		}
		state->fetches++;
		ResetExprContext(context);
		context->ecxt_scantuple = state->row;
		if (ExecQual(state->all, context))
			add_swept(page, state->row);
		else
			++*failed;
	}
	HxAddTids(set, page->block, page->offsets, page->count, false);
	table_endscan(scan);
	HxFinishTidSet(set);
	pfree(page);
	return set;
}

/*
 * The rows of the table that pass all conditions, for the search; or those of the
 * bitmap in reserve, which are checked further.
 */
HxTidSet *
HxSweepRows(void *arg, uint64 *failed)
{
	HxScanState *state = arg;
	MemoryContext old;

	if (state->data.reserve == 0)
		return sweep_table(state, failed);
	/* index scans may keep what they allocate */
	old = MemoryContextSwitchTo(state->css.ss.ps.state->es_query_cxt);
	Assert(!state->late);
	state->late = HxReadBitmap(linitial(state->css.custom_ps),
							   state->css.ss.ss_currentRelation);
	MemoryContextSwitchTo(old);
	return state->late;
}
