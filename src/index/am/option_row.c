/*
 * option_row.c
 *	  Options of an index in its row of pg_class: as a command has left them, as
 *	  they were before, and storing one.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "index/am/option_row.h"

/* An option among others, or NULL. */
static DefElem *
find_option(List *options, const char *name)
{
	ListCell *cell;

	foreach (cell, options)
		if (strcmp(lfirst_node(DefElem, cell)->defname, name) == 0)
			return lfirst_node(DefElem, cell);
	return NULL;
}

/* Options of a row of pg_class, as a list. */
static List *
options_of(Relation pg_class, HeapTuple tuple)
{
	bool isnull;
	Datum options = heap_getattr(tuple, Anum_pg_class_reloptions,
								 RelationGetDescr(pg_class), &isnull);

	return isnull ? NIL : untransformRelOptions(options);
}

/* An option's value among those of a row of pg_class, or NULL. */
static char *
value_of(Relation pg_class, HeapTuple tuple, const char *name)
{
	DefElem *option = find_option(options_of(pg_class, tuple), name);

	return option ? defGetString(option) : NULL;
}

bool
HxReadGiven(Oid oid, const char *name, char **value)
{
	Relation pg_class = table_open(RelationRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	bool is_ours = false;

	ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(oid));
	scan = systable_beginscan(pg_class, ClassOidIndexId, true, SnapshotSelf, 1,
							  &key);
	tuple = systable_getnext(scan);
	*value = NULL;
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

		is_ours = (form->relkind == RELKIND_INDEX ||
				   form->relkind == RELKIND_PARTITIONED_INDEX) &&
				  form->relam == get_index_am_oid("hashemb", true);
		if (is_ours)
			*value = value_of(pg_class, tuple, name);
	}
	systable_endscan(scan);
	table_close(pg_class, AccessShareLock);
	return is_ours;
}

char *
HxReadBefore(Oid oid, const char *name)
{
	Relation pg_class = table_open(RelationRelationId, AccessShareLock);
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
	char *value = NULL;

	if (HeapTupleIsValid(tuple))
	{
		value = value_of(pg_class, tuple, name);
		ReleaseSysCache(tuple);
	}
	table_close(pg_class, AccessShareLock);
	return value;
}

/* Replace the options of a row of pg_class. */
static void
update_row(Relation pg_class, HeapTuple tuple, List *options)
{
	/* As all updates of pg_class that may meet one in place */
	ItemPointerData tid = tuple->t_self;
	Datum values[Natts_pg_class] = {0};
	bool nulls[Natts_pg_class] = {false};
	bool replaces[Natts_pg_class] = {false};
	HeapTuple changed;

	values[Anum_pg_class_reloptions - 1] =
		transformRelOptions((Datum) 0, options, NULL, NULL, false, false);
	replaces[Anum_pg_class_reloptions - 1] = true;
	changed = heap_modify_tuple(tuple, RelationGetDescr(pg_class), values,
								nulls, replaces);
	LockTuple(pg_class, &tid, ExclusiveLock);
	CatalogTupleUpdate(pg_class, &tid, changed);
	UnlockTuple(pg_class, &tid, ExclusiveLock);
}

void
HxStoreOption(Oid oid, const char *name, int value)
{
	Relation pg_class = table_open(RelationRelationId, RowExclusiveLock);
	HeapTuple tuple = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(oid));
	char *number = psprintf("%d", value);
	List *options;
	DefElem *option;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", oid);
	options = options_of(pg_class, tuple);
	option = find_option(options, name);
	if (!option)
	{
		option = makeDefElem(pstrdup(name), NULL, -1);
		options = lappend(options, option);
	}
	if (!option->arg || strcmp(defGetString(option), number) != 0)
	{
		option->arg = (Node *) makeString(number);
		update_row(pg_class, tuple, options);
	}
	table_close(pg_class, RowExclusiveLock);
	CommandCounterIncrement();
}
