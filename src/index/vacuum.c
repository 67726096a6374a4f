/*
 * vacuum.c
 *	  Removing dead rows, and giving back pages that became empty.
 *
 * See README, "Delete and vacuum".
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"

#include "compat.h"
#include "index/directory.h"
#include "index/handler.h"
#include "index/sparse.h"

typedef struct Vacuum
{
	Relation index;
	const HxIndexDesc *desc;
	IndexBulkDeleteCallback callback;
	void *callback_state;
	IndexBulkDeleteResult *stats;
	BufferAccessStrategy strategy;
	List *thinned; /* places of blocks with empty pages */
} Vacuum;

/* Read and lock a page, which must be ours or new. */
static Buffer
read_page(Vacuum *vacuum, BlockNumber block, int lockmode)
{
	Buffer buffer =
		HxReadBuffer(vacuum->index, block, lockmode, vacuum->strategy);
	Page page = BufferGetPage(buffer);

	if (!PageIsNew(page))
	{
		const char *fault =
			HxPageIsSound(page)
				? HxPageFault(vacuum->desc, page, HxPageOpaque(page)->kind)
				: "not a sound hashemb page";

		if (fault)
			HxCorrupted(vacuum->index, block, fault);
	}
	return buffer;
}

/* Is the page one of rows that belong to an owner? */
static bool
is_rows_page_of(Page page, uint64 owner)
{
	return !PageIsNew(page) && HxPageOpaque(page)->kind == HX_KIND_ROWS &&
		   HxPageOpaque(page)->owner == owner;
}

/* Is any row of the page dead?  Every TID is reported to the callback. */
static bool
has_dead_rows(Vacuum *vacuum, Page page)
{
	HxRowArrays rows;
	bool found = false;

	HxRowArraysOf(vacuum->desc, page, &rows);
	for (int i = 0; i < rows.count; i++)
		found |= vacuum->callback(&rows.tids[i], vacuum->callback_state);
	return found;
}

/* Remove dead rows from a page, moving the last row into each gap. */
static int
compact_page(Vacuum *vacuum, Page page)
{
	int count = HxPageRows(page)->count;
	int removed = 0;
	int row = 0;

	while (row < count)
	{
		HxRowArrays rows;

		HxRowArraysOf(vacuum->desc, page, &rows);
		if (!vacuum->callback(&rows.tids[row], vacuum->callback_state))
		{
			row++;
			continue;
		}
		if (row < count - 1)
			HxMoveRow(vacuum->desc, page, count - 1, row);
		count--;
		removed++;
	}
	HxSetRowCount(vacuum->desc, page, count);
	return removed;
}

/* Note that a block has an empty page which may be unlinked. */
static void
note_empty(Vacuum *vacuum, HxPlace place)
{
	HxPlace *copy = palloc(sizeof(HxPlace));

	*copy = place;
	vacuum->thinned = lappend(vacuum->thinned, copy);
}

/*
 * Remove the dead rows of a rows page.  The page's owner was read without a
 * lock that lasts, so everything is checked again.
 */
static void
vacuum_page(Vacuum *vacuum, BlockNumber block, HxPlace place, uint64 owner)
{
	Buffer directory = HxReadPage(vacuum->index, place.page,
								  BUFFER_LOCK_EXCLUSIVE, HX_KIND_DIRECTORY);
	Buffer buffer = read_page(vacuum, block, BUFFER_LOCK_EXCLUSIVE);
	HxEntry *entry = HxGetEntry(vacuum->index, directory, place.slot);

	if (is_rows_page_of(BufferGetPage(buffer), owner) && entry->owner == owner)
	{
		GenericXLogState *state = GenericXLogStart(vacuum->index);
		Page directory_page = GenericXLogRegisterBuffer(state, directory, 0);
		Page page = GenericXLogRegisterBuffer(state, buffer, 0);
		int removed = compact_page(vacuum, page);

		entry = &HxPageEntries(directory_page)[place.slot];
		entry->rows -= Min(entry->rows, removed);
		entry->append = entry->first; /* the room made is used first */
		vacuum->stats->tuples_removed += removed;
		if (HxPageRows(page)->count == 0 && entry->first != block)
			note_empty(vacuum, place);
		if (removed > 0)
			GenericXLogFinish(state);
		else
			GenericXLogAbort(state);
	}
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(directory);
}

/* Look at one page, and vacuum it if rows of it are dead. */
static void
visit_page(Vacuum *vacuum, BlockNumber block)
{
	Buffer buffer = read_page(vacuum, block, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	bool dead = false;
	HxPlace place = {0};
	uint64 owner = 0;

	if (!PageIsNew(page) && HxPageOpaque(page)->kind == HX_KIND_ROWS)
	{
		dead = has_dead_rows(vacuum, page);
		place.page = HxPageOpaque(page)->parent;
		place.slot = HxPageOpaque(page)->slot;
		owner = HxPageOpaque(page)->owner;
	}
	else if (PageIsNew(page) || HxPageOpaque(page)->kind == HX_KIND_FREE)
	{
		/* Also what a crash left behind; who takes it looks again. */
		RecordFreeIndexPage(vacuum->index, block);
		vacuum->stats->pages_deleted++;
		vacuum->stats->pages_free++;
	}
	UnlockReleaseBuffer(buffer);
	if (dead)
		vacuum_page(vacuum, block, place, owner);
}

/*
 * Take an empty page out of its chain and mark it free, as one record.  The
 * directory page, the page before and the page itself are locked.
 */
static void
unlink_page(Vacuum *vacuum, Buffer directory, int slot, Buffer before,
			Buffer empty)
{
	GenericXLogState *state = GenericXLogStart(vacuum->index);
	Page directory_page = GenericXLogRegisterBuffer(state, directory, 0);
	Page before_page = GenericXLogRegisterBuffer(state, before, 0);
	Page page =
		GenericXLogRegisterBuffer(state, empty, GENERIC_XLOG_FULL_IMAGE);
	HxEntry *entry = &HxPageEntries(directory_page)[slot];

	HxPageOpaque(before_page)->next = HxPageOpaque(page)->next;
	entry->append = entry->first;
	HxInitPage(page, HX_KIND_FREE);
	GenericXLogFinish(state);
	RecordFreeIndexPage(vacuum->index, BufferGetBlockNumber(empty));
	vacuum->stats->pages_newly_deleted++;
	vacuum->stats->pages_deleted++;
	vacuum->stats->pages_free++;
}

/* Read and lock a page of a block's chain, whose directory page is locked. */
static Buffer
read_chain_page(Vacuum *vacuum, BlockNumber block, uint64 owner)
{
	Buffer buffer = read_page(vacuum, block, BUFFER_LOCK_EXCLUSIVE);

	if (!is_rows_page_of(BufferGetPage(buffer), owner))
		HxCorrupted(vacuum->index, block,
					"not a rows page of the block whose "
					"chain leads to it");
	return buffer;
}

/* Unlink the empty pages of a block, its first one excepted. */
static void
unlink_empty_pages(Vacuum *vacuum, const HxPlace *place)
{
	Buffer directory = HxReadPage(vacuum->index, place->page,
								  BUFFER_LOCK_EXCLUSIVE, HX_KIND_DIRECTORY);
	HxEntry *entry = HxGetEntry(vacuum->index, directory, place->slot);
	uint64 owner = entry->owner;
	Buffer before = read_chain_page(vacuum, entry->first, owner);
	uint32 steps = 0;
	BlockNumber next;

	while ((next = HxPageOpaque(BufferGetPage(before))->next) !=
		   InvalidBlockNumber)
	{
		Buffer buffer = read_chain_page(vacuum, next, owner);

		HxCountStep(vacuum->index, next, &steps);
		if (buffer == before) /* temporary: no lock has told */
			HxCorrupted(vacuum->index, next, "a page that follows itself");
		if (HxPageRows(BufferGetPage(buffer))->count == 0)
		{
			unlink_page(vacuum, directory, place->slot, before, buffer);
			UnlockReleaseBuffer(buffer);
		}
		else
		{
			UnlockReleaseBuffer(before);
			before = buffer;
		}
	}
	UnlockReleaseBuffer(before);
	UnlockReleaseBuffer(directory);
}

/*
 * Pages of the index.  Under the extension lock, so that pages just added are
 * already locked by who adds them: they must not be taken for abandoned ones.
 */
static BlockNumber
count_pages(Relation index)
{
	bool lock = !RELATION_IS_LOCAL(index);
	BlockNumber pages;

	if (lock)
		LockRelationForExtension(index, ExclusiveLock);
	pages = RelationGetNumberOfBlocks(index);
	if (lock)
		UnlockRelationForExtension(index, ExclusiveLock);
	return pages;
}

/* ambulkdelete */
IndexBulkDeleteResult *
hxbulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
			 IndexBulkDeleteCallback callback, void *callback_state)
{
	HxIndexDesc desc = *HxDescribe(info->index);
	Vacuum vacuum = {info->index, &desc, callback, callback_state};
	BlockNumber block = HX_METAPAGE + 1;
	BlockNumber end;
	ListCell *cell;
	HxMeta meta;

	HxReadMeta(info->index, &meta);
	if (!stats)
		stats = palloc0(sizeof(IndexBulkDeleteResult));
	if (HxIsSparse(&desc))
	{
		HxSparseBulkDelete(info->index, stats, callback, callback_state);
		return stats;
	}
	/* Free pages are counted anew by every pass over the file. */
	stats->pages_deleted = stats->pages_free = 0;
	vacuum.stats = stats;
	vacuum.strategy = info->strategy;

	/* The file may grow meanwhile, and rows move only to new pages. */
	while (block < (end = count_pages(info->index)))
		for (; block < end; block++)
		{
			HX_VACUUM_DELAY_POINT();
			visit_page(&vacuum, block);
		}
	foreach (cell, vacuum.thinned)
	{
		HX_VACUUM_DELAY_POINT();
		unlink_empty_pages(&vacuum, lfirst(cell));
	}
	list_free_deep(vacuum.thinned);
	return stats;
}

/* amvacuumcleanup */
IndexBulkDeleteResult *
hxvacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	HxIndexDesc desc;
	HxBlocks blocks;

	if (info->analyze_only)
		return stats;
	if (!stats)
		stats = palloc0(sizeof(IndexBulkDeleteResult));
	desc = *HxDescribe(info->index);
	if (HxIsSparse(&desc))
	{
		HxSparseCleanup(info->index, stats);
		return stats;
	}
	HxReadDirectory(info->index, &desc, NULL, &blocks);
	stats->num_index_tuples = HxBlocksRows(&blocks) + blocks.nulls.rows;
	stats->num_pages = RelationGetNumberOfBlocks(info->index);
	stats->estimated_count = false;
	HxFreeBlocks(&blocks);
	IndexFreeSpaceMapVacuum(info->index);
	return stats;
}
