/*
 * space.c
 *	  Taking pages to write, and freeing them.
 */
#include "postgres.h"

#include "access/gist_private.h"
#include "access/transam.h"
#include "storage/freespace.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"

#include "compat.h"
#include "index/page/page.h"

/* Free pages looked at for one that comes after a given page */
#define MOST_REFUSED 4

/*
 * Take a page from the free space map, if it is really free and comes after a
 * given one.
 */
static Buffer
reuse_page(Relation index, BlockNumber after)
{
	int refused = 0;

	for (;;)
	{
		BlockNumber block = GetFreeIndexPage(index);
		Buffer buffer;
		Page page;

		if (block == InvalidBlockNumber)
			return InvalidBuffer;
		if (block <= after)
		{
			/* The map names another one next time. */
			RecordFreeIndexPage(index, block);
			if (++refused < MOST_REFUSED)
				continue;
			return InvalidBuffer;
		}
		/* The map is not crash-safe: it may know pages that are not there. */
		if (block >= RelationGetNumberOfBlocks(index))
			continue;
		buffer = ReadBuffer(index, block);
		/* Somebody else may have been handed the same page: do not wait. */
		if (ConditionalLockBuffer(buffer))
		{
			page = BufferGetPage(buffer);
			if (PageIsNew(page) || (HxPageIsSound(page) &&
									HxPageOpaque(page)->kind == HX_PAGE_FREE))
				return buffer;
			LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		}
		ReleaseBuffer(buffer);
	}
}

/*
 * A page to write, exclusively locked: one that was freed, or a new one at the
 * end.  The caller initialises it.  *reused tells which.  Rows that move need
 * one after all that they are moved from, see index/blocks/README, "Rows that
 * move"; for others `after` is HX_METAPAGE.
 */
Buffer
HxNewBufferAfter(Relation index, BlockNumber after, bool *reused)
{
	Buffer buffer = reuse_page(index, after);

	*reused = BufferIsValid(buffer);
	Assert(!*reused || BufferGetBlockNumber(buffer) > after);
	Assert(!*reused || HxIsLocked(buffer, BUFFER_LOCK_EXCLUSIVE));
	if (*reused)
		return buffer;

	if (!RELATION_IS_LOCAL(index))
		LockRelationForExtension(index, ExclusiveLock);
	buffer = ReadBuffer(index, P_NEW);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	if (!RELATION_IS_LOCAL(index))
		UnlockRelationForExtension(index, ExclusiveLock);
	return buffer;
}

Buffer
HxExtendFork(Relation index, ForkNumber fork)
{
	Buffer buffer = ReadBufferExtended(index, fork, P_NEW, RBM_NORMAL, NULL);

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	return buffer;
}

void
HxFinishPage(Buffer buffer)
{
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
}

/*
 * Make a rows page a free one.  What it holds stays, so that a record of this
 * is small.
 */
void
HxMarkPageFree(Page page)
{
	HxOpaque *opaque = HxPageOpaque(page);

	opaque->owner = 0;
	opaque->next = InvalidBlockNumber;
	opaque->parent = InvalidBlockNumber;
	opaque->slot = 0;
	opaque->kind = HX_PAGE_FREE;
}

/*
 * Make a page of zeros, which a crash has left behind, a free one, unless
 * somebody has taken it meanwhile: a process that adds a page to the file keeps
 * it locked until it is none of zeros.  The free space map is not told.
 */
void
HxFreeNewPage(Relation index, BlockNumber block, BufferAccessStrategy strategy)
{
	Buffer buffer = HxReadBuffer(index, block, BUFFER_LOCK_EXCLUSIVE, strategy);

	if (PageIsNew(BufferGetPage(buffer)))
	{
		GenericXLogState *state = GenericXLogStart(index);

		HxInitPage(
			GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE),
			HX_PAGE_FREE);
		GenericXLogFinish(state);
	}
	UnlockReleaseBuffer(buffer);
}

/*
 * Have inserts find pages that were recorded as free, without a vacuum.  No
 * buffer of the index is locked.
 */
void
HxShowFreePages(Relation index, const BlockNumber *pages, int count)
{
	BlockNumber low = InvalidBlockNumber;
	BlockNumber high = 0;

	for (int i = 0; i < count; i++)
	{
		low = Min(low, pages[i]);
		high = Max(high, pages[i]);
	}
	if (count > 0)
		FreeSpaceMapVacuumRange(index, low, high + 1);
}

/*
 * Pages of the index.  Under the extension lock, so that pages just added are
 * already locked by those that add them: they must not be taken for abandoned
 * ones.
 */
BlockNumber
HxCountPages(Relation index)
{
	bool lock = !RELATION_IS_LOCAL(index);
	BlockNumber pages;

	Assert(HxHoldsNoPage());
	if (lock)
		LockRelationForExtension(index, ExclusiveLock);
	pages = RelationGetNumberOfBlocks(index);
	if (lock)
		UnlockRelationForExtension(index, ExclusiveLock);
	return pages;
}

/* ---- conflicts with standbys ---- */

/* A transaction's number with its epoch; it is not in the future. */
static FullTransactionId
widen_xid(TransactionId xid)
{
	FullTransactionId next = ReadNextFullTransactionId();
	uint32 epoch = EpochFromFullTransactionId(next);

	if (xid > XidFromFullTransactionId(next))
		epoch--;
	return FullTransactionIdFromEpochAndXid(epoch, xid);
}

/*
 * Make standbys wait for, or cancel, the snapshots that may see a row deleted by
 * a transaction.  Generic WAL has no field for that.  The record is GiST's, the
 * only one of the server's that says no more and whose replay touches no page.
 */
void
HxLogConflict(Relation index, Relation heap, BlockNumber block,
			  TransactionId newest)
{
	HX_LOG_CONFLICT(index, heap, block, widen_xid(newest));
}
