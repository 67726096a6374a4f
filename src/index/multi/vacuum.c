/*
 * vacuum.c
 *	  Removing rows, and making room known.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "commands/vacuum.h"
#include "storage/indexfsm.h"

#include "compat.h"
#include "index/multi/multi.h"
#include "index/page/inject.h"

/* A page is shown to inserts if this part of it is free */
#define FREE_PART 4

/* Report a page's TIDs to the callback: note dead rows, return how many. */
static int
find_dead(const HxIndexDesc *desc, Page page, IndexBulkDeleteCallback callback,
		  void *state, bool *dead)
{
	HxListArrays arrays;
	int found = 0;

	HxListArraysOf(desc, page, &arrays);
	for (int i = 0; i < arrays.rows.count; i++)
	{
		dead[i] = callback(&arrays.rows.tids[i], state);
		found += dead[i];
	}
	return found;
}

/* Remove a page's dead rows, which are looked for again; returns how many. */
static int
remove_dead(const IndexVacuumInfo *info, const HxIndexDesc *desc,
			BlockNumber block, IndexBulkDeleteCallback callback, void *state,
			bool *dead)
{
	Buffer buffer = HxLockLists(info->index, desc, block, BUFFER_LOCK_EXCLUSIVE,
								info->strategy);
	GenericXLogState *record;
	int found;

	if (!BufferIsValid(buffer))
		return 0;
	found = find_dead(desc, BufferGetPage(buffer), callback, state, dead);
	if (found > 0)
	{
		record = GenericXLogStart(info->index);
		HxRemoveLists(desc, GenericXLogRegisterBuffer(record, buffer, 0), dead);
		GenericXLogFinish(record);
	}
	UnlockReleaseBuffer(buffer);
	return found;
}

void
HxDeleteLists(const IndexVacuumInfo *info, const HxIndexDesc *desc,
			  IndexBulkDeleteResult *stats, IndexBulkDeleteCallback callback,
			  void *state)
{
	bool *dead = palloc(desc->capacity * sizeof(bool));

	/* Rows that move go to pages that the walk has not come to yet. */
	for (BlockNumber block = HX_METAPAGE + 1; block < HxCountPages(info->index);
		 block++)
	{
		Buffer buffer;
		int found;

		HX_VACUUM_DELAY_POINT();
		buffer = HxLockLists(info->index, desc, block, BUFFER_LOCK_SHARE,
							 info->strategy);
		if (!BufferIsValid(buffer))
			continue;
		found = find_dead(desc, BufferGetPage(buffer), callback, state, dead);
		UnlockReleaseBuffer(buffer);
		if (found > 0)
			stats->tuples_removed +=
				remove_dead(info, desc, block, callback, state, dead);
		HX_INJECT("multi-walk");
	}
	pfree(dead);
}

/* Tell the free space map of a page that has room; is it one without rows? */
static void
show_page(const IndexVacuumInfo *info, const HxIndexDesc *desc,
		  BlockNumber block, IndexBulkDeleteResult *stats)
{
	Buffer buffer =
		HxReadBuffer(info->index, block, BUFFER_LOCK_SHARE, info->strategy);
	Page page = BufferGetPage(buffer);
	bool is_new = PageIsNew(page);
	bool lists = !is_new && HxPageIsSound(page) &&
				 HxPageOpaque(page)->kind == HX_PAGE_LISTS;
	bool empty = is_new || (HxPageIsSound(page) &&
							HxPageOpaque(page)->kind == HX_PAGE_FREE);
	bool room = lists && HxListsLeft(desc, page) > HX_PAGE_ROOM / FREE_PART;

	UnlockReleaseBuffer(buffer);
	if (is_new)
		HxFreeNewPage(info->index, block, info->strategy);
	if (empty)
		stats->pages_free++;
	if (empty || room)
		RecordFreeIndexPage(info->index, block);
}

void
HxCleanUpLists(const IndexVacuumInfo *info, const HxIndexDesc *desc,
			   IndexBulkDeleteResult *stats)
{
	BlockNumber pages;
	HxIndexDesc learnt = *desc;

	HxLearnListsInVacuum(info->index, &learnt);
	pages = HxCountPages(info->index);
	for (BlockNumber block = HX_METAPAGE + 1; block < pages; block++)
	{
		HX_VACUUM_DELAY_POINT();
		HX_INJECT_LOOP("multi-show");
		show_page(info, desc, block, stats);
	}
	IndexFreeSpaceMapVacuum(info->index);
}
