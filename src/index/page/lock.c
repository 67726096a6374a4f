/*
 * lock.c
 *	  The heavyweight locks that order changes to an index's structure.
 *
 * See README, "Concurrency".
 */
#include "postgres.h"

#include "storage/lmgr.h"

#include "index/page/page.h"

/*
 * Take the lock that serialises changes to the structure, unless somebody has
 * it.  Released by HxUnlockStructure, or with the transaction if it fails.
 * While it is held no heavyweight lock may be taken but that for extension.
 */
bool
HxTryLockStructure(Relation index)
{
	return ConditionalLockPage(index, HX_METAPAGE, ExclusiveLock);
}

/* The same, waiting for it: not with a buffer locked. */
void
HxLockStructure(Relation index)
{
	LockPage(index, HX_METAPAGE, ExclusiveLock);
}

void
HxUnlockStructure(Relation index)
{
	UnlockPage(index, HX_METAPAGE, ExclusiveLock);
}

/* What is locked: a tuple's tag, since two pages' are not allowed together. */
static ItemPointer
walk_tag(void)
{
	static ItemPointerData tag;

	ItemPointerSet(&tag, HX_METAPAGE, FirstOffsetNumber);
	return &tag;
}

/*
 * Make sure that no walk through the file is going on, or begins before this
 * is released; false if one is.  Taken before the structure lock.
 */
bool
HxTryLockMoves(Relation index)
{
	return HX_CONDITIONAL_LOCK_TUPLE(index, walk_tag(), ExclusiveLock);
}

void
HxUnlockMoves(Relation index)
{
	UnlockTuple(index, walk_tag(), ExclusiveLock);
}

/* Announce a walk; waits for rows that are being moved. */
void
HxLockWalk(Relation index)
{
	LockTuple(index, walk_tag(), ShareLock);
}

void
HxUnlockWalk(Relation index)
{
	UnlockTuple(index, walk_tag(), ShareLock);
}
