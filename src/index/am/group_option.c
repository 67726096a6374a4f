/*
 * group_option.c
 *	  The option group_by follows its column: it is kept as the column's number
 *	  in the index.
 *
 * A user names a column of the table.  Names change, and a definition that
 * holds one would fail or group by another column when the index is made anew
 * from it: by ALTER TABLE ... ALTER TYPE, CREATE TABLE ... LIKE, for a new
 * partition, by pg_restore.  What keeps is the column's place in the index, also
 * in partitions, whose tables may number columns otherwise.  So the name is
 * replaced by that number when the option is given, by CREATE INDEX or ALTER
 * INDEX, in the one place where the server tells of both: the object access
 * hook.  The library is loaded then, since both statements have called the
 * access method's handler.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/objectaccess.h"
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
#include "index/am/handler.h"
#include "index/page/page.h"
#include "index/kind.h"

static object_access_hook_type previous_hook = NULL;

/* The value of group_by among a relation's options, or NULL. */
static DefElem *
find_option(List *options)
{
	ListCell *cell;

	foreach (cell, options)
		if (strcmp(lfirst_node(DefElem, cell)->defname, "group_by") == 0)
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

/* The option's value among those of a row of pg_class, or NULL. */
static char *
value_of(Relation pg_class, HeapTuple tuple)
{
	DefElem *option = find_option(options_of(pg_class, tuple));

	return option ? defGetString(option) : NULL;
}

/*
 * The option's value in an index of ours that was just created or altered, as
 * this command has left its row in pg_class, which is not visible to it yet;
 * NULL if it has none or is something else.
 */
static char *
value_given(Oid oid)
{
	Relation pg_class = table_open(RelationRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	char *value = NULL;

	ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(oid));
	scan = systable_beginscan(pg_class, ClassOidIndexId, true, SnapshotSelf, 1,
							  &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

		if (form->relkind == RELKIND_INDEX ||
			form->relkind == RELKIND_PARTITIONED_INDEX)
			value = value_of(pg_class, tuple);
		if (value && form->relam != get_index_am_oid("hashemb", true))
			value = NULL;
	}
	systable_endscan(scan);
	table_close(pg_class, AccessShareLock);
	return value;
}

/* The same as it was before this command; NULL for an index that was not. */
static char *
value_before(Oid oid)
{
	Relation pg_class = table_open(RelationRelationId, AccessShareLock);
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
	char *value = NULL;

	if (HeapTupleIsValid(tuple))
	{
		value = value_of(pg_class, tuple);
		ReleaseSysCache(tuple);
	}
	table_close(pg_class, AccessShareLock);
	return value;
}

/* Column of an index that its option names, from 1; errors if it cannot be. */
static AttrNumber
resolve_option(Oid oid)
{
	Relation index = relation_open(oid, AccessShareLock);
	const HxIndexDesc *desc = HxDescribe(index);
	int group = HxResolveGroup(index, desc);
	AttrNumber attno = HxGroupColumn(desc, group);

	relation_close(index, AccessShareLock);
	return attno;
}

/*
 * Put the column's number in place of the option's value.  The caller's
 * statement has locked the index against everybody.
 */
static void
store_number(Oid oid, AttrNumber attno)
{
	Relation pg_class = table_open(RelationRelationId, RowExclusiveLock);
	HeapTuple tuple = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(oid));
	Datum values[Natts_pg_class] = {0};
	bool nulls[Natts_pg_class] = {false};
	bool replaces[Natts_pg_class] = {false};
	List *options;
	DefElem *option;
	char *number = psprintf("%d", attno);

	Assert(attno > 0);
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", oid);
	options = options_of(pg_class, tuple);
	option = find_option(options);
	if (option && strcmp(defGetString(option), number) != 0)
	{
		/* As all updates of pg_class that may meet one in place */
		ItemPointerData tid = tuple->t_self;
		HeapTuple changed;

		option->arg = (Node *) makeString(number);
		values[Anum_pg_class_reloptions - 1] =
			transformRelOptions((Datum) 0, options, NULL, NULL, false, false);
		replaces[Anum_pg_class_reloptions - 1] = true;
		changed = heap_modify_tuple(tuple, RelationGetDescr(pg_class), values,
									nulls, replaces);
		LockTuple(pg_class, &tid, ExclusiveLock);
		CatalogTupleUpdate(pg_class, &tid, changed);
		UnlockTuple(pg_class, &tid, ExclusiveLock);
	}
	table_close(pg_class, RowExclusiveLock);
	CommandCounterIncrement();
}

/*
 * object_access_hook: does something only where the option is given, not where
 * an index that has it is renamed or moved.
 */
static void
access_object(ObjectAccessType access, Oid class, Oid object, int part,
			  void *arg)
{
	const char *given;
	const char *before;
	AttrNumber attno;

	if (previous_hook)
		previous_hook(access, class, object, part, arg);
	if ((access != OAT_POST_CREATE && access != OAT_POST_ALTER) ||
		class != RelationRelationId || part != 0)
		return;
	given = value_given(object);
	if (!given)
		return;
	before = value_before(object);
	if (before && strcmp(given, before) == 0)
		return;
	/* What the server would do next, for the index to be seen as it is now */
	CommandCounterIncrement();
	attno = resolve_option(object);
	if (attno > 0)
		store_number(object, attno);
}

void
HxInitGroupOption(void)
{
	previous_hook = object_access_hook;
	object_access_hook = access_object;
}
