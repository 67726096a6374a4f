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

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "utils/rel.h"

#include "compat.h"
#include "index/am/handler.h"
#include "index/am/option_row.h"
#include "index/kind.h"
#include "index/page/page.h"

static object_access_hook_type previous_hook = NULL;

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

/* Was group_by given, as another value than before? */
static bool
is_group_given(Oid oid)
{
	char *given;
	char *before;

	if (!HxReadGiven(oid, "group_by", &given) || !given)
		return false;
	before = HxReadBefore(oid, "group_by");
	return !before || strcmp(given, before) != 0;
}

/* Put the column's number in place of its name. */
static void
keep_group(Oid oid)
{
	AttrNumber attno = resolve_option(oid);

	if (attno > 0)
		HxStoreOption(oid, "group_by", attno);
}

/*
 * object_access_hook: does something only where an option is given, or needed,
 * not where an index is renamed or moved.
 */
static void
access_object(ObjectAccessType access, Oid class, Oid object, int part,
			  void *arg)
{
	bool dims;
	bool group;

	if (previous_hook)
		previous_hook(access, class, object, part, arg);
	if ((access != OAT_POST_CREATE && access != OAT_POST_ALTER) ||
		class != RelationRelationId || part != 0)
		return;
	dims = HxMayLackDims(object, access == OAT_POST_CREATE);
	group = is_group_given(object);
	if (!dims && !group)
		return;
	/* What the server would do next, for the index to be seen as it is now */
	CommandCounterIncrement();
	if (dims)
		HxKeepDims(object);
	if (group)
		keep_group(object);
}

void
HxInitGroupOption(void)
{
	previous_hook = object_access_hook;
	object_access_hook = access_object;
}
