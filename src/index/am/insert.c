/*
 * insert.c
 *	  Inserting a row: what is the same for all kinds.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "index/am/handler.h"
#include "index/kind.h"
#include "index/page/page.h"

/* Kept from row to row of a statement, in IndexInfo */
typedef struct Inserter
{
	HxIndexDesc desc;
	MemoryContext context; /* reset after each row */
} Inserter;

/* The state kept for a statement's inserts. */
static Inserter *
get_inserter(Relation index, IndexInfo *info)
{
	Inserter *inserter = info->ii_AmCache;

	if (!inserter)
	{
		HxMeta meta;

		HxReadMeta(index, &meta); /* checks version and shape */
		inserter = MemoryContextAlloc(info->ii_Context, sizeof(Inserter));
		inserter->desc = *HxDescribe(index);
		inserter->context = AllocSetContextCreate(
			info->ii_Context, "hashemb insert", ALLOCSET_DEFAULT_SIZES);
		info->ii_AmCache = inserter;
	}
	return inserter;
}

/* Learn what the index knows of its vectors; that lasts for the statement. */
static void
learn(Relation index, Inserter *inserter, IndexInfo *info)
{
	MemoryContext old = MemoryContextSwitchTo(info->ii_Context);

	HxLearn(index, &inserter->desc);
	MemoryContextSwitchTo(old);
}

/* What an error is told to be about: a table may have several indexes. */
static void
tell_index(void *index)
{
	errcontext("inserting a row into index \"%s\"",
			   RelationGetRelationName((Relation) index));
}

/* aminsert */
bool
hxinsert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
		 Relation heap, IndexUniqueCheck check, bool unchanged, IndexInfo *info)
{
	Inserter *inserter = get_inserter(index, info);
	const HxIndexDesc *desc = &inserter->desc;
	MemoryContext old = MemoryContextSwitchTo(inserter->context);
	ErrorContextCallback context = {
		.previous = error_context_stack, .callback = tell_index, .arg = index};

	Assert(HxHoldsNoPage());
	error_context_stack = &context;
	if (!desc->model)
		learn(index, inserter, info);
	HxKindOf(desc)->insert(index, heap, desc, values, isnull, tid);
	Assert(HxHoldsNoPage());
	error_context_stack = context.previous;
	MemoryContextSwitchTo(old);
	MemoryContextReset(inserter->context);
	return false;
}
