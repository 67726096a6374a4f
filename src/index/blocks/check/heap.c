/*
 * heap.c
 *	  hashemb_check(): rows of the table that the index lacks or has twice.
 *
 * A Bloom filter over all entries is asked for each row that a fresh snapshot
 * sees.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "index/blocks/check/check.h"
#include "index/blocks/store/directory.h"
#include "index/sparse/sparse.h"

/* Write what the filter knows a row by; payload NULL for a NULL vector. */
static void
make_print(Check *check, const ItemPointerData *tid, const HxAttrRow *attrs,
		   const uint8 *payload)
{
	const HxIndexDesc *desc = &check->desc;
	uint8 *at = check->print;
	uint64 head[2] = {HxPackTid(tid),
					  (uint64) attrs->nulls << 1 | (payload != NULL)};

	memcpy(at, head, sizeof(head));
	at += sizeof(head);
	memcpy(at, attrs->words, desc->nwords * sizeof(int64));
	at += desc->nwords * sizeof(int64);
	if (payload)
		memcpy(at, payload, desc->payload);
	else
		memset(at, 0, desc->payload);
}

void
HxStartFingerprints(Check *check)
{
	HxBlocks blocks;
	uint64 rows;
	uint64 seed = (uint64) random();

	if (HxIsSparse(&check->desc))
	{
		HxSparseDirectory directory;

		HxReadWindows(check->index, &check->desc, &directory);
		rows = HxSparseRows(&directory);
	}
	else
	{
		HxReadDirectory(check->index, &check->desc, NULL, &blocks);
		rows = HxBlocksRows(&blocks) + blocks.nulls.rows;
		HxFreeBlocks(&blocks);
	}
	/* Corrupted counts cost no memory: bounded by what the file can hold. */
	rows = Min(rows, (uint64) check->npages * check->desc.capacity);
	check->filter =
		bloom_create(Max((int64) rows, 1), maintenance_work_mem, seed);
	check->tids = tuplesort_begin_datum(INT8OID, Int8LessOperator, InvalidOid,
										false, maintenance_work_mem, NULL, 0);
	check->print_size = 2 * sizeof(uint64) +
						check->desc.nwords * sizeof(int64) +
						check->desc.payload;
	check->print = palloc(check->print_size);
	check->context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb check row", ALLOCSET_DEFAULT_SIZES);
}

void
HxAddFingerprint(Check *check, const ItemPointerData *tid,
				 const HxAttrRow *attrs, const uint8 *payload, bool dead)
{
	tuplesort_putdatum(check->tids, Int64GetDatum((int64) HxPackTid(tid)),
					   false);
	if (dead)
		return;
	make_print(check, tid, attrs, payload);
	bloom_add_element(check->filter, check->print, check->print_size);
}

void
HxCheckTids(Check *check)
{
	uint64 before = 0; /* no TID */
	Datum value;
	bool isnull;

	tuplesort_performsort(check->tids);
	while (HX_TUPLESORT_GETDATUM(check->tids, &value, &isnull))
	{
		uint64 packed = (uint64) DatumGetInt64(value);

		CHECK_FOR_INTERRUPTS();
		if (packed == before)
			ereport(ERROR,
					(errcode(ERRCODE_INDEX_CORRUPTED),
					 errmsg("index \"%s\" is corrupted: it has row (%u,%u) of "
							"table \"%s\" twice",
							RelationGetRelationName(check->index),
							(uint32) (packed >> 16), (uint32) (packed & 0xFFFF),
							RelationGetRelationName(check->heap)),
					 errhint("Please REINDEX it.")));
		before = packed;
	}
	tuplesort_end(check->tids);
}

/* table_index_build_scan callback: is there an entry for the row? */
static void
look_up_row(Relation index, ItemPointer tid, Datum *values, bool *isnull,
			bool alive, void *state)
{
	Check *check = state;
	const HxIndexDesc *desc = &check->desc;
	MemoryContext old = MemoryContextSwitchTo(check->context);
	int vector = desc->vector_attno - 1;
	uint8 *payload = NULL;
	HxAttrRow attrs;

	HxEncodeAttrs(desc, values, isnull, &attrs);
	if (!isnull[vector])
	{
		payload = palloc(desc->payload);
		if (HxIsSparse(desc))
			memcpy(payload, &HxFormDoc(desc, values, isnull, tid)->norm2,
				   sizeof(double));
		else
			HxPayloadOf(desc)->form(desc, values[vector], payload);
	}
	make_print(check, tid, &attrs, payload);
	if (bloom_lacks_element(check->filter, check->print, check->print_size))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" is corrupted: it has no entry that "
						"matches row (%u,%u) of table \"%s\"",
						RelationGetRelationName(check->index),
						ItemPointerGetBlockNumber(tid),
						ItemPointerGetOffsetNumber(tid),
						RelationGetRelationName(check->heap)),
				 errhint("Please REINDEX it.")));
	check->counts.heap_rows++;
	MemoryContextSwitchTo(old);
	MemoryContextReset(check->context);
}

/*
 * An index whose build met broken HOT chains may serve only snapshots that are
 * younger than it.
 */
static void
check_snapshot(const Check *check, Snapshot snapshot)
{
	Relation index = check->index;

	if (IsolationUsesXactSnapshot() && index->rd_index->indcheckxmin &&
		!TransactionIdPrecedes(
			HeapTupleHeaderGetXmin(index->rd_indextuple->t_data),
			snapshot->xmin))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("index \"%s\" cannot be checked with the snapshot of "
						"this transaction",
						RelationGetRelationName(index))));
}

void
HxCheckHeap(Check *check)
{
	IndexInfo *info = BuildIndexInfo(check->index);
	Snapshot snapshot = RegisterSnapshot(GetTransactionSnapshot());
	TableScanDesc scan;

	check_snapshot(check, snapshot);
	scan = table_beginscan_strat(check->heap, snapshot, 0, NULL, true, true);
	info->ii_Concurrent = true; /* rows by snapshot, dead ones left out */
	table_index_build_scan(check->heap, check->index, info, true, false,
						   look_up_row, check, scan);
	UnregisterSnapshot(snapshot);
	bloom_free(check->filter);
}
