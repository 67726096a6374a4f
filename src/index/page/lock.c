/*
 * lock.c
 *	  The heavyweight locks that order changes to an index's structure.
 *
 * See README, "Concurrency".
 */
#include "postgres.h"

#include "storage/lmgr.h"
#include "storage/lock.h"

#include "compat.h"
#include "index/page/page.h"

/*
 * Take the lock that serialises changes to the structure, unless somebody has
 * it.  Released by HxUnlockStructure, or with the transaction if it fails.
 * While it is held no heavyweight lock may be taken but that for extension.
 */
bool
HxTryLockStructure(Relation index)
{
	Assert(!HxHoldsStructure(index));
	return ConditionalLockPage(index, HX_METAPAGE, ExclusiveLock);
}

/* The same, waiting for it: not with a buffer locked. */
void
HxLockStructure(Relation index)
{
	Assert(HxHoldsNoPage());
	Assert(!HxHoldsStructure(index));
	LockPage(index, HX_METAPAGE, ExclusiveLock);
}

void
HxUnlockStructure(Relation index)
{
	Assert(HxHoldsStructure(index));
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
	Assert(!HxHoldsStructure(index));
	return HX_CONDITIONAL_LOCK_TUPLE(index, walk_tag(), ExclusiveLock);
}

void
HxUnlockMoves(Relation index)
{
	Assert(HxHoldsMoves(index));
	UnlockTuple(index, walk_tag(), ExclusiveLock);
}

/* Announce a walk; waits for rows that are being moved. */
void
HxLockWalk(Relation index)
{
	Assert(HxHoldsNoPage());
	Assert(!HxHoldsStructure(index));
	LockTuple(index, walk_tag(), ShareLock);
}

void
HxUnlockWalk(Relation index)
{
	Assert(HxHoldsWalk(index));
	UnlockTuple(index, walk_tag(), ShareLock);
}

#ifdef USE_ASSERT_CHECKING
bool
HxHoldsStructure(Relation index)
{
	LOCKTAG tag;

	SET_LOCKTAG_PAGE(tag, index->rd_lockInfo.lockRelId.dbId,
					 index->rd_lockInfo.lockRelId.relId, HX_METAPAGE);
	return HX_HOLDS_LOCK(&tag, ExclusiveLock);
}

/* Is the lock of walks and moves held in a mode? */
static bool
holds_walk_lock(Relation index, LOCKMODE mode)
{
	LOCKTAG tag;

	SET_LOCKTAG_TUPLE(tag, index->rd_lockInfo.lockRelId.dbId,
					  index->rd_lockInfo.lockRelId.relId, HX_METAPAGE,
					  FirstOffsetNumber);
	return HX_HOLDS_LOCK(&tag, mode);
}

bool
HxHoldsMoves(Relation index)
{
	return holds_walk_lock(index, ExclusiveLock);
}

bool
HxHoldsWalk(Relation index)
{
	return holds_walk_lock(index, ShareLock);
}
#endif
