/*
 * sort.c
 *	  Rows of a build in the order of a number.
 */
#include "postgres.h"

#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"

#include "index/build/build.h"

/* Least memory of a sort, in kB */
#define LEAST_SORT 64

struct HxSorter
{
	Tuplesortstate *sort;
	TupleDesc tuples; /* (key int8, row bytea) */
	TupleTableSlot *slot;
};

static TupleDesc
sorted_tuples(void)
{
	TupleDesc tuples = CreateTemplateTupleDesc(2);

	TupleDescInitEntry(tuples, 1, "key", INT8OID, -1, 0);
	TupleDescInitEntry(tuples, 2, "row", BYTEAOID, -1, 0);
	return tuples;
}

/* Start a sort of rows: one's own, or that of all participants. */
static Tuplesortstate *
begin_sort(HxBuild *build, TupleDesc tuples, bool merge)
{
	AttrNumber column = 1;
	Oid less = Int8LessOperator;
	Oid collation = InvalidOid;
	bool nulls_first = false;
	int memory = maintenance_work_mem / 2;
	SortCoordinate coordinate = NULL;

	if (build->parallel)
	{
		coordinate = palloc0(sizeof(SortCoordinateData));
		coordinate->isWorker = !merge;
		coordinate->nParticipants = merge ? build->shared->nparts : -1;
		coordinate->sharedsort = build->sharedsort;
		if (!merge)
			memory /= build->shared->nparts;
	}
	return tuplesort_begin_heap(tuples, 1, &column, &less, &collation,
								&nulls_first, Max(memory, LEAST_SORT),
								coordinate, false);
}

HxSorter *
HxBeginSorter(HxBuild *build)
{
	HxSorter *sorter = palloc(sizeof(HxSorter));

	Assert(build->shared && build->shared->nparts > build->part);
	sorter->tuples = sorted_tuples();
	sorter->slot = MakeSingleTupleTableSlot(sorter->tuples, &TTSOpsVirtual);
	sorter->sort = begin_sort(build, sorter->tuples, false);
	return sorter;
}

/* Put a row into the sort, in the current context. */
void
HxSortRow(HxSorter *sorter, int64 key, bytea *row)
{
	TupleTableSlot *slot = sorter->slot;

	ExecClearTuple(slot);
	slot->tts_values[0] = Int64GetDatum(key);
	slot->tts_values[1] = PointerGetDatum(row);
	slot->tts_isnull[0] = slot->tts_isnull[1] = false;
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(sorter->sort, slot);
}

/* What is sorted outlives a worker's part of the sort. */
void
HxEndSorter(HxBuild *build, HxSorter *sorter)
{
	Assert(build->parallel || !build->sort);
	ExecDropSingleTupleTableSlot(sorter->slot);
	tuplesort_performsort(sorter->sort);
	if (build->parallel)
		tuplesort_end(sorter->sort);
	else
		build->sort = sorter->sort;
	pfree(sorter);
}

HxSorter *
HxBeginSorted(HxBuild *build)
{
	HxSorter *sorter = palloc(sizeof(HxSorter));

	Assert(build->part == 0);
	Assert(build->parallel ? build->sharedsort != NULL : build->sort != NULL);
	sorter->tuples = sorted_tuples();
	sorter->slot =
		MakeSingleTupleTableSlot(sorter->tuples, &TTSOpsMinimalTuple);
	sorter->sort = build->sort;
	if (build->parallel)
	{
		sorter->sort = begin_sort(build, sorter->tuples, true);
		tuplesort_performsort(sorter->sort);
	}
	return sorter;
}

bool
HxNextSorted(HxBuild *build, HxSorter *sorter, int64 *key, bytea **row)
{
	bool isnull;

	if (!tuplesort_gettupleslot(sorter->sort, true, false, sorter->slot, NULL))
	{
		ExecDropSingleTupleTableSlot(sorter->slot);
		tuplesort_end(sorter->sort);
		pfree(sorter);
		return false;
	}
	*key = DatumGetInt64(slot_getattr(sorter->slot, 1, &isnull));
	Assert(!isnull);
	*row = DatumGetByteaPP(slot_getattr(sorter->slot, 2, &isnull));
	Assert(!isnull);
	return true;
}

void
HxSortRows(HxBuild *build, int64 rows)
{
	Assert(build->part == 0 && rows >= 0);
	HxSetPhase(HX_PHASE_ASSIGN, rows);
	HxRunTask(build, HX_TASK_SORT, rows);
	HxDropSpool(build);
}
