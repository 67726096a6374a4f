/*
 * chain.c
 *	  Going along a chain of pages, of which one is locked at a time.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "index/page/page.h"

void
HxBeginChain(HxChainCursor *cursor, Relation index, BlockNumber first,
			 uint16 kind, int lockmode)
{
	cursor->index = index;
	cursor->kind = kind;
	cursor->lockmode = lockmode;
	cursor->buffer = InvalidBuffer;
	cursor->block = InvalidBlockNumber;
	cursor->next = first;
	cursor->steps = 0;
}

void
HxBeginDirectory(HxChainCursor *cursor, Relation index, uint16 kind,
				 int lockmode)
{
	HxMeta meta;

	Assert(HxHoldsNoPage());
	HxReadMeta(index, &meta);
	HxBeginChain(cursor, index, meta.directory, kind, lockmode);
}

Page
HxNextPage(HxChainCursor *cursor)
{
	Page page;

	HxLeavePage(cursor);
	CHECK_FOR_INTERRUPTS();
	if (cursor->next == InvalidBlockNumber)
		return NULL;
	cursor->block = cursor->next;
	cursor->buffer = HxReadPage(cursor->index, cursor->block, cursor->lockmode,
								cursor->kind);
	HxCountStep(cursor->index, cursor->block, &cursor->steps);
	page = BufferGetPage(cursor->buffer);
	cursor->next = HxPageOpaque(page)->next;
	return page;
}

void
HxLeavePage(HxChainCursor *cursor)
{
	if (BufferIsValid(cursor->buffer))
		UnlockReleaseBuffer(cursor->buffer);
	cursor->buffer = InvalidBuffer;
}
