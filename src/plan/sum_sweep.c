/*
 * sum_sweep.c
 *	  All rows of the table by their sums: what the node does where searches would
 *	  take longer, or cannot be relied upon.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#include "compat.h"
#include "plan/sum.h"

/* What a row and a page take in a sweep, in rows completed by themselves */
#define SWEEP_ROW 0.3
#define SWEEP_PAGE 0.5

/* Rows of a page of a table that was never analyzed */
#define DEFAULT_DENSITY 50.0

/* Columns of the sort */
#define SWEPT_SUM 1
#define SWEPT_TID 2

/*
 * How many rows the table has now, as it was when it was last analyzed, and what
 * reading it takes, in rows completed by themselves
 */
void
HxMeasureTable(HxSumState *state)
{
	Relation table = state->css.ss.ss_currentRelation;
	double pages = RelationGetNumberOfBlocks(table);
	double rows = table->rd_rel->reltuples;
	double density = DEFAULT_DENSITY;

	if (rows > 0 && table->rd_rel->relpages > 0)
		density = rows / table->rd_rel->relpages;
	state->table_rows = density * pages;
	state->sweep_effort =
		state->table_rows * SWEEP_ROW + pages * SWEEP_PAGE + 1;
}

/* Begin the sort, by sum and TID, for as many rows as can be asked for. */
static void
begin_sort(HxSumState *state)
{
	static AttrNumber columns[] = {SWEPT_SUM, SWEPT_TID};
	static Oid operators[] = {Float8LessOperator, Int8LessOperator};
	static Oid collations[] = {InvalidOid, InvalidOid};
	static bool nulls_first[] = {false, false};
	const HxPlanData *first = &state->data.terms[0];
	bool bounded = state->wanted > 0 && first->ends &&
				   first->wanted == HX_WANTED_LIMIT && !state->any_returned;

	state->sort = tuplesort_begin_heap(
		state->swept->tts_tupleDescriptor, lengthof(columns), columns,
		operators, collations, nulls_first, work_mem, NULL, HX_SORT_BOUNDED);
	if (bounded && state->wanted < INT_MAX)
		tuplesort_set_bound(state->sort, state->wanted);
}

/* Put a row into the sort. */
static void
put_swept(HxSumState *state, const HxSumRow *row)
{
	TupleTableSlot *slot = state->swept;

	ExecClearTuple(slot);
	slot->tts_values[SWEPT_SUM - 1] = Float8GetDatum(row->sum.value);
	slot->tts_isnull[SWEPT_SUM - 1] = row->sum.isnull;
	slot->tts_values[SWEPT_TID - 1] = Int64GetDatum((int64) row->tid);
	slot->tts_isnull[SWEPT_TID - 1] = false;
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(state->sort, slot);
}

/*
 * The rows returned before: they are not to come again.  By the TIDs of their
 * versions, as the table has them.
 */
static void
see_returned_rows(HxSumRows *returned, const HxSumRows *rows)
{
	HxBeginSumRows(returned, 0);
	for (int64 i = 0; i < rows->nreturned; i++)
		HxSeeRow(returned, rows->settled[i].tid, 0, 1);
}

/* Read the table, and sort the rows that pass all conditions. */
void
HxSweepSums(HxSumState *state)
{
	Relation table = state->css.ss.ss_currentRelation;
	ExprContext *context = state->check_context;
	MemoryContext old = MemoryContextSwitchTo(state->scan_context);
	HxSumRows returned;
	TableScanDesc scan;

	Assert(!state->sort);
	see_returned_rows(&returned, &state->rows);
	begin_sort(state);
	scan = table_beginscan(table, state->css.ss.ps.state->es_snapshot, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, state->row))
	{
		HxSumRow row;

		CHECK_FOR_INTERRUPTS();
		ResetExprContext(context);
		context->ecxt_scantuple = state->row;
		if (!ExecQual(state->all, context))
			continue;
		row.tid = HxPackTid(&state->row->tts_tid);
		if (state->rows.nreturned > 0 && HxPlacesOf(&returned, row.tid))
			continue;
		row.sum = HxSumOfRow(state, state->row);
		put_swept(state, &row);
	}
	table_endscan(scan);
	ExecClearTuple(state->row);
	tuplesort_performsort(state->sort);
	MemoryContextSwitchTo(old);
}

/*
 * The next row of a sweep; false at the end.  One that was missed before, with a
 * smaller sum than what was returned, comes too late; where searches are exact that is
 * due to rounding.
 */
bool
HxNextSweptRow(HxSumState *state, HxSumRow *row)
{
	TupleTableSlot *slot = state->swept;

	while (tuplesort_gettupleslot(state->sort, true, false, slot, NULL))
	{
		bool isnull;

		slot_getallattrs(slot);
		row->sum.isnull = slot->tts_isnull[SWEPT_SUM - 1];
		row->sum.value = row->sum.isnull
							 ? 0
							 : DatumGetFloat8(slot->tts_values[SWEPT_SUM - 1]);
		row->tid =
			(uint64) DatumGetInt64(slot_getattr(slot, SWEPT_TID, &isnull));
		if (!state->any_returned || state->recall >= 1 ||
			HxCompareSums(row->sum, state->last) >= 0)
			return true;
		state->dropped++;
	}
	return false;
}

/* Give back the sort. */
void
HxEndSweep(HxSumState *state)
{
	if (!state->sort)
		return;
	ExecClearTuple(state->swept);
	tuplesort_end(state->sort);
	state->sort = NULL;
}
