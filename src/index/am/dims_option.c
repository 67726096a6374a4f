/*
 * dims_option.c
 *	  The option dims of an index whose column does not tell the dimensions of its
 *	  vectors, and whose creator did not either: that of the table's first vector.
 *
 * It is stored as if it had been given.  So it is known when the table is
 * truncated, and the index built anew of nothing; and definitions, as pg_dump
 * writes them, have it.  Partitions, of which some may be empty, take what is found
 * in any of them.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "index/am/option_row.h"
#include "index/kind.h"
#include "index/options.h"
#include "index/page/page.h"

/* Rows of a table, from which vectors are taken as an index would */
typedef struct Rows
{
	const HxVectorClass *class;
	IndexInfo *info; /* columns numbered as in the table */
	AttrNumber attno;
	Relation table;
	EState *estate;
	TupleTableSlot *slot;
	ExprState *predicate; /* NULL: all rows are indexed */
} Rows;

/* Dimensions of the vector of the row in the slot; 0 if that tells nothing */
static int
dims_of_row(Rows *rows)
{
	Datum values[INDEX_MAX_KEYS];
	bool nulls[INDEX_MAX_KEYS];

	if (!ExecQual(rows->predicate, GetPerTupleExprContext(rows->estate)))
		return 0;
	FormIndexDatum(rows->info, rows->slot, rows->estate, values, nulls);
	if (nulls[rows->attno - 1])
		return 0;
	return rows->class->kind->dims_of(rows->class, values[rows->attno - 1]);
}

/* Dimensions of the first vector of the table; 0 if there is none. */
static int
scan_table(Rows *rows)
{
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(rows->table, snapshot, 0, NULL);
	int dims = 0;

	while (dims == 0 &&
		   table_scan_getnextslot(scan, ForwardScanDirection, rows->slot))
	{
		MemoryContext old =
			MemoryContextSwitchTo(GetPerTupleMemoryContext(rows->estate));

		CHECK_FOR_INTERRUPTS();
		dims = dims_of_row(rows);
		MemoryContextSwitchTo(old);
		ResetPerTupleExprContext(rows->estate);
	}
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	return dims;
}

/*
 * The columns of an index as those of a partition are numbered.  False if it has
 * expressions or a predicate, which are not translated.
 */
static bool
number_columns(Relation index, Relation table, IndexInfo *info)
{
	Oid parent = index->rd_index->indrelid;

	if (parent == RelationGetRelid(table))
		return true;
	if (info->ii_Expressions != NIL || info->ii_Predicate != NIL)
		return false;
	for (int i = 0; i < info->ii_NumIndexAttrs; i++)
		info->ii_IndexAttrNumbers[i] = get_attnum(
			RelationGetRelid(table),
			get_attname(parent, info->ii_IndexAttrNumbers[i], false));
	return true;
}

/* Dimensions of a table's vectors, as an index on it or its parent has them */
static int
dims_of_table(Relation index, AttrNumber attno, const HxVectorClass *class,
			  Oid oid)
{
	Rows rows = {.class = class, .attno = attno};
	int dims = 0;

	rows.table = table_open(oid, AccessShareLock);
	rows.info = BuildIndexInfo(index);
	if (RELKIND_HAS_STORAGE(rows.table->rd_rel->relkind) &&
		number_columns(index, rows.table, rows.info))
	{
		rows.estate = CreateExecutorState();
		rows.slot = table_slot_create(rows.table, NULL);
		GetPerTupleExprContext(rows.estate)->ecxt_scantuple = rows.slot;
		rows.predicate = ExecPrepareQual(rows.info->ii_Predicate, rows.estate);
		dims = scan_table(&rows);
		ExecDropSingleTupleTableSlot(rows.slot);
		FreeExecutorState(rows.estate);
	}
	table_close(rows.table, AccessShareLock);
	return dims;
}

/*
 * The same of a table and its partitions.  Expressions of the index are evaluated
 * as its owner, as in a build.
 */
static int
find_dims(Relation index, AttrNumber attno, const HxVectorClass *class)
{
	Oid table = index->rd_index->indrelid;
	List *tables = index->rd_rel->relkind == RELKIND_PARTITIONED_INDEX
					   ? find_all_inheritors(table, AccessShareLock, NULL)
					   : list_make1_oid(table);
	int level = NewGUCNestLevel();
	ListCell *cell;
	int dims = 0;
	int context;
	Oid user;

	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(index->rd_rel->relowner,
						   context | SECURITY_RESTRICTED_OPERATION);
	foreach (cell, tables)
		if (dims == 0)
			dims = dims_of_table(index, attno, class, lfirst_oid(cell));
	AtEOXact_GUC(false, level);
	SetUserIdAndSecContext(user, context);
	return dims;
}

/* The option of the index that this one is a partition of; 0 if there is none */
static int
parent_dims(Relation index)
{
	const HxOptions *options;
	Relation parent;
	int dims;

	if (!index->rd_rel->relispartition)
		return 0;
	parent = relation_open(get_partition_parent(RelationGetRelid(index), false),
						   AccessShareLock);
	options = (const HxOptions *) parent->rd_options;
	dims = options ? options->dims : 0;
	relation_close(parent, AccessShareLock);
	return dims;
}

/* The dimensions that an index lacks; 0 if it lacks none.  Error if no row tells */
static int
find_missing(Oid oid)
{
	Relation index = relation_open(oid, AccessShareLock);
	const HxVectorClass *class;
	AttrNumber attno;
	int dims = 0;
	int planes;

	if (HxLacksDims(index, &attno, &class) && class->kind->dims_of)
	{
		if (!HxStoredShape(index, &dims, &planes))
			dims = parent_dims(index);
		if (dims == 0)
			dims = find_dims(index, attno, class);
		if (dims == 0)
			(void) HxDescribe(index); /* raises the error */
	}
	relation_close(index, AccessShareLock);
	return dims;
}

bool
HxMayLackDims(Oid oid, bool created)
{
	char *given;

	return HxReadGiven(oid, "dims", &given) && !given &&
		   (created || HxReadBefore(oid, "dims"));
}

void
HxKeepDims(Oid oid)
{
	int dims = find_missing(oid);

	if (dims > 0)
		HxStoreOption(oid, "dims", dims);
}
