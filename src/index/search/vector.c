/*
 * vector.c
 *	  Vectors of the table's rows, where the executor does not bring them: plain
 *	  index scans, learning, measuring recall.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "pgstat.h"

#include "index/page/page.h"
#include "index/search/vector.h"

struct HxVectors
{
	Relation index;
	IndexInfo *info;
	AttrNumber attno;
	Snapshot snapshot;
	IndexFetchTableData *fetch;
	BlockNumber table_pages; /* that the table has had, for HxCheckTid */
	TupleTableSlot *row;
	EState *estate; /* of the index's expressions */
};

HxVectors *
HxOpenVectors(Relation heap, Relation index, AttrNumber attno,
			  Snapshot snapshot)
{
	HxVectors *vectors = palloc0(sizeof(HxVectors));

	vectors->index = index;
	vectors->info = BuildIndexInfo(index);
	vectors->attno = attno;
	vectors->snapshot = snapshot;
	vectors->fetch = table_index_fetch_begin(heap);
	vectors->row = table_slot_create(heap, NULL);
	vectors->estate = CreateExecutorState();
	GetPerTupleExprContext(vectors->estate)->ecxt_scantuple = vectors->row;
	return vectors;
}

/* The indexed vector of the row in the slot. */
static Datum
vector_of_row(HxVectors *vectors, bool *isnull)
{
	AttrNumber column = vectors->info->ii_IndexAttrNumbers[vectors->attno - 1];
	Datum values[INDEX_MAX_KEYS];
	bool nulls[INDEX_MAX_KEYS];

	if (column != 0)
		return slot_getattr(vectors->row, column, isnull);
	FormIndexDatum(vectors->info, vectors->row, vectors->estate, values, nulls);
	*isnull = nulls[vectors->attno - 1];
	return values[vectors->attno - 1];
}

HxRowState
HxFetchVector(void *arg, ItemPointer tid, Datum *vector, bool *isnull)
{
	HxVectors *vectors = arg;
	MemoryContext old;
	bool again = false;
	bool dead = false;

	HxCheckTid(vectors->index, vectors->fetch->rel, &vectors->table_pages, tid);
	ResetPerTupleExprContext(vectors->estate);
	if (!table_index_fetch_tuple(vectors->fetch, tid, vectors->snapshot,
								 vectors->row, &again, &dead))
		return dead && !TransactionStartedDuringRecovery() ? HX_ROW_DEAD
														   : HX_ROW_FAILS;
	pgstat_count_heap_fetch(vectors->index);
	old = MemoryContextSwitchTo(GetPerTupleMemoryContext(vectors->estate));
	*vector = vector_of_row(vectors, isnull);
	MemoryContextSwitchTo(old);
	return HX_ROW_PASSES;
}

void
HxCloseVectors(HxVectors *vectors)
{
	ExecDropSingleTupleTableSlot(vectors->row);
	table_index_fetch_end(vectors->fetch);
	FreeExecutorState(vectors->estate);
	pfree(vectors);
}
