/*
 * heap.c
 *	  Checking an index: rows of the table that it lacks or has twice.
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
#include "index/check/check.h"
#include "index/page/inject.h"
#include "index/search/search.h"

/*
 * Begin what the filter knows a row by.  Returns where desc->payload bytes that
 * stand for its vector go, at an address for any type: zeros for now.
 */
static uint8 *
start_print(HxCheck *check, const ItemPointerData *tid, const HxAttrRow *attrs,
			bool has_vector)
{
	const HxIndexDesc *desc = &check->desc;
	uint8 *at = check->print;
	uint64 head[2] = {HxPackTid(tid), (uint64) attrs->nulls << 1 | has_vector};

	memcpy(at, head, sizeof(head));
	at += sizeof(head);
	memcpy(at, attrs->words, desc->nwords * sizeof(int64));
	at += desc->nwords * sizeof(int64);
	Assert((uintptr_t) at == MAXALIGN(at));
	Assert(at + desc->payload == check->print + check->print_size);
	memset(at, 0, desc->payload);
	return at;
}

/* Keep of a payload what its vector is known by, or the least of that. */
static void
reduce(const HxIndexDesc *desc, uint8 *payload, bool least)
{
	if (HxKindOf(desc)->reduce)
		HxKindOf(desc)->reduce(desc, payload, least);
}

/* Is there no entry of the row whose print is started, of this payload? */
static bool
is_lacking(HxCheck *check, uint8 *payload)
{
	if (!bloom_lacks_element(check->filter, check->print, check->print_size))
		return false;
	/* It may have come before the index had learnt */
	reduce(&check->desc, payload, true);
	return bloom_lacks_element(check->filter, check->print, check->print_size);
}

void
HxStartFingerprints(HxCheck *check)
{
	const HxIndexDesc *desc = &check->desc;
	uint64 rows = HxCountRows(check->index, desc);
	uint64 seed = (uint64) random();

	Assert(!check->filter);
	Assert(check->frozen);
	/* Corrupted counts cost no memory: bounded by what the file can hold. */
	rows = Min(rows, (uint64) check->npages * desc->capacity);
	check->filter =
		bloom_create(Max((int64) rows, 1), maintenance_work_mem, seed);
	check->tids = tuplesort_begin_datum(INT8OID, Int8LessOperator, InvalidOid,
										false, maintenance_work_mem, NULL, 0);
	check->print_size =
		2 * sizeof(uint64) + desc->nwords * sizeof(int64) + desc->payload;
	check->print = palloc(check->print_size);
	check->context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb check row", ALLOCSET_DEFAULT_SIZES);
}

void
HxAddFingerprint(HxCheck *check, const ItemPointerData *tid,
				 const HxAttrRow *attrs, const uint8 *print, bool dead)
{
	uint8 *at;

	if (!check->filter)
		return;
	Assert(check->frozen);
	tuplesort_putdatum(check->tids, Int64GetDatum((int64) HxPackTid(tid)),
					   false);
	if (dead)
		return;
	at = start_print(check, tid, attrs, print != NULL);
	if (print)
	{
		memcpy(at, print, check->desc.payload);
		reduce(&check->desc, at, false);
	}
	bloom_add_element(check->filter, check->print, check->print_size);
}

/* What is wrong with a row of the copied page, or NULL */
static const char *
row_fault(HxCheck *check, const HxRowArrays *rows, int row, const HxZone *zone,
		  const HxAttrRow *attrs, const char *vector_fault)
{
	if (!HxIsTidInHeap(check, &rows->tids[row]))
		return "no row of the table can have its TID";
	return vector_fault ? vector_fault
						: HxAttributesFault(&check->desc, zone, attrs);
}

const char *
HxCheckRows(HxCheck *check, const HxZone *zone,
			const char *(*fault)(void *state, const uint8 *payload,
								 bool *has_vector),
			void *state, HxCheckCounts *counts)
{
	const HxIndexDesc *desc = &check->desc;
	HxRowArrays rows;

	HxRowArraysOf(desc, (Page) check->page.data, &rows);
	for (int i = 0; i < rows.count; i++)
	{
		const uint8 *payload = rows.payloads + i * desc->payload;
		bool dead = rows.dead[i / 64] >> (i % 64) & 1;
		bool has_vector = true;
		HxAttrRow attrs;
		const char *wrong;

		HxGetRowAttrs(desc, &rows, i, &attrs);
		wrong = fault(state, payload, &has_vector);
		wrong = row_fault(check, &rows, i, zone, &attrs, wrong);
		if (wrong)
			return psprintf("row %d: %s", i, wrong);
		counts->dead += dead;
		counts->null_rows += !has_vector;
		HxAddFingerprint(check, &rows.tids[i], &attrs,
						 has_vector ? payload : NULL, dead);
	}
	counts->rows += rows.count;
	return NULL;
}

void
HxCheckTids(HxCheck *check)
{
	uint64 before = 0; /* no TID */
	Datum value;
	bool isnull;

	Assert(check->frozen);
	tuplesort_performsort(check->tids);
	while (HX_TUPLESORT_GETDATUM(check->tids, &value, &isnull))
	{
		uint64 packed = (uint64) DatumGetInt64(value);

		CHECK_FOR_INTERRUPTS();
		HX_INJECT_LOOP("check-tids");
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
	HxCheck *check = state;
	const HxIndexDesc *desc = &check->desc;
	MemoryContext old = MemoryContextSwitchTo(check->context);
	int vector = desc->vector_attno - 1;
	HxAttrRow attrs;
	uint8 *at;

	Assert(check->frozen && check->filter);
	HX_INJECT_LOOP("check-heap");
	HxEncodeAttrs(desc, values, isnull, &attrs);
	at = start_print(check, tid, &attrs, !isnull[vector]);
	if (!isnull[vector])
	{
		HxKindOf(desc)->form(desc, values[vector], at);
		reduce(desc, at, false);
	}
	if (is_lacking(check, at))
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
check_snapshot(const HxCheck *check, Snapshot snapshot)
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
HxCheckHeap(HxCheck *check)
{
	IndexInfo *info = BuildIndexInfo(check->index);
	Snapshot snapshot = RegisterSnapshot(GetTransactionSnapshot());
	TableScanDesc scan;

	Assert(check->frozen && check->filter);
	check_snapshot(check, snapshot);
	scan = table_beginscan_strat(check->heap, snapshot, 0, NULL, true, true);
	info->ii_Concurrent = true; /* rows by snapshot, dead ones left out */
	table_index_build_scan(check->heap, check->index, info, true, false,
						   look_up_row, check, scan);
	UnregisterSnapshot(snapshot);
	bloom_free(check->filter);
}
