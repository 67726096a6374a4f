/*
 * open.c
 *	  Opening an index that an SQL function was given: is it one of ours, in a
 *	  state to be read, and may the user see what it tells?
 *
 * Counts of rows, values and NULLs of an index are statistics of its table's
 * rows.  So they are shown to whom pg_stats would show statistics of all
 * columns that the index is made from: the user may select these columns, and
 * no row-level security hides rows from the user.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "compat.h"
#include "index/am/open.h"

pg_noreturn static void
no_such_relation(Oid oid)
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
					errmsg("relation with OID %u does not exist", oid)));
}

/*
 * Error unless an OID is that of an index of ours that has pages, as far as the
 * catalog tells.  Takes no lock, so that nobody locks out others from a table
 * by naming what is no index of ours.
 */
static void
check_relation(Oid oid)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
	Form_pg_class relation;
	char *name;
	bool ours;
	bool partitioned;

	if (!HeapTupleIsValid(tuple))
		no_such_relation(oid);
	relation = (Form_pg_class) GETSTRUCT(tuple);
	name = pstrdup(NameStr(relation->relname));
	partitioned = relation->relkind == RELKIND_PARTITIONED_INDEX;
	ours = (relation->relkind == RELKIND_INDEX || partitioned) &&
		   relation->relam == get_index_am_oid("hashemb", false);
	ReleaseSysCache(tuple);
	if (!ours)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is not a hashemb index", name)));
	if (partitioned)
		ereport(
			ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is a partitioned index, which has no pages", name),
			 errhint("Call the function for the indexes of the partitions; "
					 "pg_partition_tree() lists them.")));
}

/* Columns of the table that an index is made from, as a set with offset. */
static Bitmapset *
columns_of(Relation index)
{
	Bitmapset *columns = NULL;

	for (int i = 0; i < index->rd_index->indnatts; i++)
		if (index->rd_index->indkey.values[i] != 0)
			columns =
				bms_add_member(columns, index->rd_index->indkey.values[i] -
											FirstLowInvalidHeapAttributeNumber);
	pull_varattnos((Node *) RelationGetIndexExpressions(index), 1, &columns);
	pull_varattnos((Node *) RelationGetIndexPredicate(index), 1, &columns);
	return columns;
}

/* May the user select all columns of the table that an index is made from? */
static bool
may_select(Oid table, Relation index)
{
	Bitmapset *columns;
	int member = -1;

	if (pg_class_aclcheck(table, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		return true;
	columns = columns_of(index);
	while ((member = bms_next_member(columns, member)) >= 0)
	{
		AttrNumber column = member + FirstLowInvalidHeapAttributeNumber;

		/* Of the whole row, and what every row has, only the table tells. */
		if (column <= 0 || pg_attribute_aclcheck(table, column, GetUserId(),
												 ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return columns != NULL;
}

/* Error if the user may not see what an open index tells of its table. */
static void
check_may_see(const HxOpened *opened, HxPurpose purpose)
{
	Oid table = RelationGetRelid(opened->table);

	if (purpose != HX_TO_SHOW && HX_OWNS_RELATION(table))
		return;
	if (!may_select(table, opened->index))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE,
					   RelationGetRelationName(opened->table));
	if (check_enable_rls(table, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for index \"%s\"",
						RelationGetRelationName(opened->index)),
				 errdetail("Row-level security of table \"%s\" applies to user "
						   "\"%s\", and the index tells of all rows.",
						   RelationGetRelationName(opened->table),
						   GetUserNameFromId(GetUserId(), false)),
				 errhint("Call the function as a user who sees all rows, such "
						 "as one with BYPASSRLS.")));
}

/* Error if an index is in no state to be read. */
static void
check_is_usable(Relation index)
{
	if (RELATION_IS_OTHER_TEMP(index))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("cannot read \"%s\", a temporary index of "
							   "another session",
							   RelationGetRelationName(index))));
	if (!index->rd_index->indisvalid)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("index \"%s\" is not valid",
						RelationGetRelationName(index)),
				 errdetail("CREATE INDEX CONCURRENTLY or REINDEX "
						   "CONCURRENTLY has not finished it."),
				 errhint("If nobody is at it any more, REINDEX or drop it.")));
	if (RecoveryInProgress() && !RelationNeedsWAL(index))
		ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
						errmsg("cannot read temporary or unlogged index \"%s\" "
							   "during recovery",
							   RelationGetRelationName(index))));
}

void
HxOpenIndex(Oid oid, HxPurpose purpose, LOCKMODE table_lock,
			LOCKMODE index_lock, HxOpened *opened)
{
	Oid table;

	check_relation(oid);
	table = IndexGetRelation(oid, true);
	if (!OidIsValid(table))
		no_such_relation(oid);
	if (purpose == HX_TO_MAINTAIN && !HX_OWNS_RELATION(table))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(table));
	/* Others' locks are weak enough not to matter to anybody. */
	Assert(purpose == HX_TO_MAINTAIN ||
		   (table_lock == AccessShareLock && index_lock == AccessShareLock));

	opened->table_lock = table_lock;
	opened->index_lock = index_lock;
	opened->table = try_relation_open(table, table_lock);
	opened->index = opened->table ? try_relation_open(oid, index_lock) : NULL;
	/* Its number may have gone to another one before the lock was there. */
	if (!opened->index || opened->index->rd_rel->relkind != RELKIND_INDEX ||
		opened->index->rd_index->indrelid != table ||
		opened->index->rd_rel->relam != get_index_am_oid("hashemb", false))
		no_such_relation(oid);
	check_is_usable(opened->index);
	check_may_see(opened, purpose);
}

void
HxCloseIndex(const HxOpened *opened)
{
	Assert(CheckRelationLockedByMe(opened->index, opened->index_lock, true));
	Assert(CheckRelationLockedByMe(opened->table, opened->table_lock, true));
	relation_close(opened->index, opened->index_lock);
	relation_close(opened->table, opened->table_lock);
}

void
HxBecomeOwner(const HxOpened *opened, HxCaller *caller)
{
	GetUserIdAndSecContext(&caller->user, &caller->context);
	SetUserIdAndSecContext(opened->table->rd_rel->relowner,
						   caller->context | SECURITY_RESTRICTED_OPERATION);
	caller->settings = NewGUCNestLevel();
	RestrictSearchPath();
}

void
HxBecomeCaller(const HxCaller *caller)
{
	AtEOXact_GUC(false, caller->settings);
	SetUserIdAndSecContext(caller->user, caller->context);
}
