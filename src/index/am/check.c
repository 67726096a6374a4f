/*
 * check.c
 *	  hashemb_check(): does an index keep what its searches rely on?
 *
 * The plain form takes AccessShareLock and lets others write.  What is verified
 * is the kind's: see its check.
 *
 * heapallindexed takes ShareLock, so that nothing changes, and then also finds
 * rows that are in the index twice, and rows of the table that are not in it: a
 * Bloom filter over all entries is asked for each row that a fresh snapshot
 * sees.  It may fail to notice one missing row in a thousand or so, but never
 * complains of one that is there.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/rel.h"

#include "compat.h"
#include "index/am/open.h"
#include "index/check/check.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_check_index);

/* Columns that hashemb_check() returns */
#define COLUMNS 12

/* Check an index that is open and locked. */
static void
check_index(HxCheck *check, const HxOpened *opened, bool heapallindexed)
{
	HxStartCheck(check, opened->table, opened->index, heapallindexed);
	if (heapallindexed)
		HxStartFingerprints(check);
	Assert(HxHoldsNoPage());
	HxKindOf(&check->desc)->check(check);
	Assert(HxHoldsNoPage());
	if (heapallindexed)
	{
		HxCheckTids(check);
		HxCheckHeap(check);
	}
}

/*
 * Open table and index and check the index with the rights of the table's
 * owner.
 */
static void
open_and_check(Oid oid, bool heapallindexed, HxCheck *check)
{
	LOCKMODE lockmode = heapallindexed ? ShareLock : AccessShareLock;
	HxOpened opened;
	HxCaller caller;

	HxOpenIndex(oid, heapallindexed ? HX_TO_MAINTAIN : HX_TO_CHECK, lockmode,
				lockmode, &opened);
	HxBecomeOwner(&opened, &caller);
	check_index(check, &opened, heapallindexed);
	HxBecomeCaller(&caller);
	HxCloseIndex(&opened);
}

/* hashemb_check(regclass, heapallindexed) */
Datum
hx_check_index(PG_FUNCTION_ARGS)
{
	bool heapallindexed = PG_GETARG_BOOL(1);
	HxCheck *check = palloc(sizeof(HxCheck));
	const HxCheckCounts *counts = &check->counts;
	TupleDesc tuples;
	Datum values[COLUMNS];
	bool nulls[COLUMNS] = {false};
	int i = 0;

	if (get_call_result_type(fcinfo, NULL, &tuples) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	open_and_check(PG_GETARG_OID(0), heapallindexed, check);
	values[i++] = Int64GetDatum(check->npages);
	values[i++] = Int64GetDatum(counts->blocks);
	values[i++] = Int64GetDatum(counts->rows);
	values[i++] = Int64GetDatum(counts->null_rows);
	values[i++] = Int64GetDatum(counts->dead);
	values[i++] = Int64GetDatum(counts->directory_pages);
	values[i++] = Int64GetDatum(counts->zone_pages);
	values[i++] = Int64GetDatum(counts->ring_pages);
	values[i++] = Int64GetDatum(counts->rows_pages);
	values[i++] = Int64GetDatum(counts->free_pages);
	values[i++] = Int64GetDatum(counts->orphan_pages);
	nulls[i] = !heapallindexed;
	values[i++] = Int64GetDatum(counts->heap_rows);
	Assert(i == COLUMNS && tuples->natts == COLUMNS);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tuples, values, nulls)));
}
