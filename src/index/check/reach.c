/*
 * reach.c
 *	  Checking an index: which of its pages have a purpose, and what of rows
 *	  does not depend on the kind of vector.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "index/check/check.h"
#include "index/page/inject.h"

/* Bytes of the bits of all pages */
#define REACHED_BYTES(check) ((check)->npages / 8 + 1)

void
HxStartCheck(HxCheck *check, Relation heap, Relation index, bool frozen)
{
	LOCKMODE lock PG_USED_FOR_ASSERTS_ONLY =
		frozen ? ShareLock : AccessShareLock;

	Assert(CheckRelationLockedByMe(heap, lock, true));
	Assert(CheckRelationLockedByMe(index, lock, true));
	memset(check, 0, sizeof(*check));
	check->heap = heap;
	check->index = index;
	check->frozen = frozen;
	check->npages = RelationGetNumberOfBlocks(index);
	HxReadMeta(index, &check->meta);
	check->desc = *HxDescribe(index);
	HxLearn(index, &check->desc);
	check->strategy = GetAccessStrategy(BAS_BULKREAD);
	check->reached =
		MemoryContextAllocExtended(CurrentMemoryContext, REACHED_BYTES(check),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

void
HxRestartCheck(HxCheck *check)
{
	Assert(!check->frozen && !check->filter);
	memset(check->reached, 0, REACHED_BYTES(check));
	memset(&check->counts, 0, sizeof(check->counts));
}

/* ---- pages ---- */

bool
HxReach(HxCheck *check, BlockNumber block)
{
	Assert(check->reached);
	if (block >= check->npages || HxIsReached(check, block))
		return false;
	check->reached[block / 8] |= 1 << block % 8;
	return true;
}

bool
HxIsReached(const HxCheck *check, BlockNumber block)
{
	return block < check->npages &&
		   (check->reached[block / 8] >> block % 8 & 1);
}

Page
HxCopyPage(HxCheck *check, BlockNumber block)
{
	Buffer buffer =
		HxReadBuffer(check->index, block, BUFFER_LOCK_SHARE, check->strategy);

	memcpy(check->page.data, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	return (Page) check->page.data;
}

Page
HxCopyPageOfKind(HxCheck *check, BlockNumber block, uint16 kind)
{
	Page page = HxCopyPage(check, block);
	const char *wrong = HxPageFault(&check->desc, page, kind);

	if (wrong)
		HxCorrupted(check->index, block, wrong);
	return page;
}

/* Append a page to a list. */
static void
add_page(HxPageList *list, BlockNumber block)
{
	if (list->count == list->room)
	{
		list->room = Max(2 * list->room, 64);
		list->pages =
			list->pages
				? repalloc_huge(list->pages, list->room * sizeof(BlockNumber))
				: palloc(list->room * sizeof(BlockNumber));
	}
	list->pages[list->count++] = block;
}

int
HxListChain(HxCheck *check, BlockNumber first, uint16 kind, HxPageList *list)
{
	BlockNumber block = first;
	int reached = 0;
	uint32 steps = 0;

	Assert(list->count == 0);
	while (block != InvalidBlockNumber)
	{
		Page page;

		CHECK_FOR_INTERRUPTS();
		HX_INJECT_LOOP("check-chain");
		page = HxCopyPageOfKind(check, block, kind);
		HxCountStep(check->index, block, &steps);
		reached += HxReach(check, block);
		add_page(list, block);
		block = HxPageOpaque(page)->next;
	}
	return reached;
}

/* ---- rows ---- */

bool
HxIsTidInHeap(HxCheck *check, const ItemPointerData *tid)
{
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(tid);

	if (!HxTidIsSound(tid))
		return false;
	if (block >= check->heap_npages)
		check->heap_npages = RelationGetNumberOfBlocks(check->heap);
	return block < check->heap_npages;
}

const char *
HxAttributesFault(const HxIndexDesc *desc, const HxZone *zone,
				  const HxAttrRow *attrs)
{
	for (int a = 0; a < desc->nattrs; a++)
	{
		const HxAttr *attr = &desc->attrs[a];

		if (!(attrs->nulls >> a & 1))
			continue;
		for (int w = 0; w < attr->nwords; w++)
			if (attrs->words[attr->first_word + w] != 0)
				return psprintf("a value where column %d is NULL", attr->attno);
	}
	if (zone && !HxZoneCovers(desc, zone, attrs))
		return "the block's zone map does not cover it";
	return NULL;
}

/* ---- what nothing led to ---- */

/* Count the copied page, to which nothing led. */
static void
count_page(HxCheck *check, BlockNumber block,
		   bool (*count_reserve)(HxCheck *check, Page page))
{
	Page page = (Page) check->page.data;

	if (PageIsNew(page))
		check->counts.orphan_pages++;
	else if (!HxPageIsSound(page))
		HxCorrupted(check->index, block, "not a sound hashemb page");
	else if (HxPageOpaque(page)->kind == HX_PAGE_FREE)
		check->counts.free_pages++;
	else if (!count_reserve || !count_reserve(check, page))
		check->counts.orphan_pages++;
}

void
HxCountOtherPages(HxCheck *check,
				  bool (*count_reserve)(HxCheck *check, Page page))
{
	Assert(HxHoldsNoPage());
	for (BlockNumber block = HX_METAPAGE + 1; block < check->npages; block++)
	{
		CHECK_FOR_INTERRUPTS();
		HX_INJECT_LOOP("check-others");
		if (HxIsReached(check, block))
			continue;
		HxCopyPage(check, block);
		count_page(check, block, count_reserve);
	}
}
