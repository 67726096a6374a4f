/*
 * space.c
 *	  Taking pages to write, and freeing them.
 */
#include "postgres.h"

#include "storage/indexfsm.h"
#include "storage/lmgr.h"

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
