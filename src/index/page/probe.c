/*
 * probe.c
 *	  A look at the table, before an index on it is described.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

#include "index/kind.h"
#include "index/page/page.h"

/* Dimensions of the vector of the row in the slot; 0 if it has none. */
static int
dims_of_row(Relation index, const HxIndexDesc *desc, IndexInfo *info,
			TupleTableSlot *slot, EState *estate)
{
	Datum values[INDEX_MAX_KEYS];
	bool nulls[INDEX_MAX_KEYS];
	int vector = desc->vector_attno - 1;
	int dims = 0;
	MemoryContext old =
		MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));

	GetPerTupleExprContext(estate)->ecxt_scantuple = slot;
	FormIndexDatum(info, slot, estate, values, nulls);
	if (!nulls[vector])
		dims = HxKindOf(desc)->dims(desc, values[vector]);
	MemoryContextSwitchTo(old);
	ResetPerTupleExprContext(estate);
	return dims;
}

/*
 * Dimensions of the first vector of an index's table, which is locked; 0 if it
 * has none.  For an index that is being built.
 */
int
HxProbeDims(Relation index, const HxIndexDesc *desc)
{
	Relation heap;
	IndexInfo *info;
	EState *estate;
	TupleTableSlot *slot;
	Snapshot snapshot;
	TableScanDesc scan;
	int dims = 0;

	if (index->rd_rel->relkind != RELKIND_INDEX)
		return 0; /* of a partitioned table, which has no rows itself */
	heap = table_open(index->rd_index->indrelid, NoLock);
	info = BuildIndexInfo(index);
	estate = CreateExecutorState();
	slot = table_slot_create(heap, NULL);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = table_beginscan_strat(heap, snapshot, 0, NULL, true, false);
	while (dims == 0 &&
		   table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		dims = dims_of_row(index, desc, info, slot, estate);
	}
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
	table_close(heap, NoLock);
	return dims;
}
