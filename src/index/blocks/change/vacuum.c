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

#include "compat.h"
#include "index/blocks/blocks.h"
#include "index/blocks/store/directory.h"
#include "index/page/inject.h"
#include "index/blocks/change/merge.h"
#include "index/blocks/recall/schedule.h"
#include "index/blocks/change/rewrite.h"
#include "index/blocks/change/split.h"

typedef struct Vacuum
{
	Relation index;
	const HxIndexDesc *desc;
	IndexBulkDeleteCallback callback;
	void *callback_state;
	IndexBulkDeleteResult *stats;
	BufferAccessStrategy strategy;
	bool *dead;			   /* rows of the page that is looked at */
	List *thinned;		   /* places of blocks with empty pages */
	HxOwners owners;	   /* of all blocks at the start */
	BlockNumber *suspects; /* zone pages, and rows pages of other owners: these
							* are new, or orphans */
	int nsuspects;
	int suspects_room;
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
	return !PageIsNew(page) && HxPageOpaque(page)->kind == HX_PAGE_ROWS &&
		   HxPageOpaque(page)->owner == owner;
}

/* Does an entry of a directory page belong to an owner? */
static bool
is_owner(Page directory, int slot, uint64 owner)
{
	return slot < HxPageDirectory(directory)->count &&
		   HxPageEntries(directory)[slot].owner == owner;
}

/* Note which rows of a page are dead; returns how many they are. */
static int
find_dead_rows(Vacuum *vacuum, Page page)
{
	return HxFindDeadRows(vacuum->desc, page, vacuum->callback,
						  vacuum->callback_state, vacuum->dead);
}

/* Order of blocks by place. */
static int
compare_places(const ListCell *a, const ListCell *b)
{
	const HxEntryAddress *left = lfirst(a);
	const HxEntryAddress *right = lfirst(b);

	if (left->page != right->page)
		return left->page < right->page ? -1 : 1;
	return (int) left->slot - (int) right->slot;
}

/* Note that a block has an empty page which may be unlinked. */
static void
note_empty(Vacuum *vacuum, HxEntryAddress place)
{
	HxEntryAddress *copy = palloc(sizeof(HxEntryAddress));

	*copy = place;
	vacuum->thinned = lappend(vacuum->thinned, copy);
}

/*
 * Remove the dead rows of a rows page.  The page's owner was read without a
 * lock that lasts, so everything is checked again.
 */
static void
vacuum_page(Vacuum *vacuum, BlockNumber block, HxEntryAddress place,
			uint64 owner)
{
	Buffer directory = HxReadPage(vacuum->index, place.page,
								  BUFFER_LOCK_EXCLUSIVE, HX_PAGE_DIRECTORY);
	Buffer buffer = read_page(vacuum, block, BUFFER_LOCK_EXCLUSIVE);
	HxEntry *entry;

	Assert(HxHoldsWalk(vacuum->index));
	/* Rows that are being moved name an entry that may not be there yet. */
	if (is_rows_page_of(BufferGetPage(buffer), owner) &&
		is_owner(BufferGetPage(directory), place.slot, owner) &&
		find_dead_rows(vacuum, BufferGetPage(buffer)) > 0)
	{
		GenericXLogState *state = GenericXLogStart(vacuum->index);
		Page directory_page = GenericXLogRegisterBuffer(state, directory, 0);
		Page page = GenericXLogRegisterBuffer(state, buffer, 0);
		int removed = HxRemoveRows(vacuum->desc, page, vacuum->dead);

		entry = &HxPageEntries(directory_page)[place.slot];
		HxCountRemoved(entry, removed);
		vacuum->stats->tuples_removed += removed;
		if (HxPageRows(page)->count == 0 && entry->first != block)
			note_empty(vacuum, place);
		GenericXLogFinish(state);
	}
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(directory);
}

/* Note the owners of all blocks that there are. */
static void
note_owners(Vacuum *vacuum)
{
	HxBlocks blocks;

	HxReadDirectory(vacuum->index, vacuum->desc, NULL, &blocks);
	HxAddNullBlock(&blocks);
	for (int b = 0; b < blocks.count; b++)
		HxAddOwner(&vacuum->owners, blocks.blocks[b].owner);
	HxSortOwners(&vacuum->owners);
	HxFreeBlocks(&blocks);
}

/* Note a page that may be an orphan. */
static void
note_suspect(Vacuum *vacuum, BlockNumber block)
{
	if (vacuum->nsuspects == vacuum->suspects_room)
	{
		vacuum->suspects_room = Max(2 * vacuum->suspects_room, 256);
		vacuum->suspects =
			vacuum->suspects
				? repalloc_huge(vacuum->suspects,
								vacuum->suspects_room * sizeof(BlockNumber))
				: palloc(vacuum->suspects_room * sizeof(BlockNumber));
	}
	vacuum->suspects[vacuum->nsuspects++] = block;
}

/* Look at one page, and vacuum it if rows of it are dead. */
static void
visit_page(Vacuum *vacuum, BlockNumber block)
{
	Buffer buffer = read_page(vacuum, block, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	bool dead = false;
	bool is_new = PageIsNew(page);
	HxEntryAddress place = {0};
	uint64 owner = 0;

	Assert(HxHoldsWalk(vacuum->index));
	HX_INJECT_LOCKED("vacuum-page");
	if (!is_new && HxPageOpaque(page)->kind == HX_PAGE_ROWS)
	{
		dead = find_dead_rows(vacuum, page) > 0;
		place.page = HxPageOpaque(page)->parent;
		place.slot = HxPageOpaque(page)->slot;
		owner = HxPageOpaque(page)->owner;
		if (!HxHasOwner(&vacuum->owners, owner))
			note_suspect(vacuum, block);
	}
	else if (!is_new && HxPageOpaque(page)->kind == HX_PAGE_ZONES)
		note_suspect(vacuum, block);
	else if (is_new || HxPageOpaque(page)->kind == HX_PAGE_FREE)
	{
		/* A process that takes it looks again. */
		RecordFreeIndexPage(vacuum->index, block);
		vacuum->stats->pages_deleted++;
		vacuum->stats->pages_free++;
	}
	UnlockReleaseBuffer(buffer);
	if (is_new)
		HxFreeNewPage(vacuum->index, block, vacuum->strategy);
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
	Page page = GenericXLogRegisterBuffer(state, empty, 0);
	HxEntry *entry = &HxPageEntries(directory_page)[slot];

	Assert(HxIsLocked(directory, BUFFER_LOCK_EXCLUSIVE));
	Assert(HxIsLocked(before, BUFFER_LOCK_EXCLUSIVE));
	Assert(HxIsLocked(empty, BUFFER_LOCK_EXCLUSIVE));
	Assert(before != empty && HxPageRows(page)->count == 0);
	HxPageOpaque(before_page)->next = HxPageOpaque(page)->next;
	entry->append = entry->first;
	entry->pages--;
	entry->changes++;
	HxMarkPageFree(page);
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

/*
 * Unlink the empty pages of a block, its first one excepted.  Rows without a
 * vector have a chain of any length, and the locks hold interrupts off: if one
 * waits, the pages left are left to another call, and this returns false.
 */
static bool
unlink_empty_pages(Vacuum *vacuum, const HxEntryAddress *place)
{
	Buffer directory = HxReadPage(vacuum->index, place->page,
								  BUFFER_LOCK_EXCLUSIVE, HX_PAGE_DIRECTORY);
	HxEntry *entry = HxGetEntry(vacuum->index, directory, place->slot);
	uint64 owner = entry->owner;
	Buffer before;
	uint32 steps = 0;
	BlockNumber next;

	Assert(HxHoldsWalk(vacuum->index));
	if (entry->first == InvalidBlockNumber) /* merged meanwhile */
	{
		UnlockReleaseBuffer(directory);
		return true;
	}
	before = read_chain_page(vacuum, entry->first, owner);
	while ((next = HxPageOpaque(BufferGetPage(before))->next) !=
			   InvalidBlockNumber &&
		   !InterruptPending)
	{
		Buffer buffer = read_chain_page(vacuum, next, owner);

		HX_INJECT_LOOP("vacuum-unlink");
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
	return next == InvalidBlockNumber;
}

/* Unlink the empty pages of all blocks that have some. */
static void
unlink_noted_pages(Vacuum *vacuum)
{
	const HxEntryAddress *before = NULL;
	ListCell *cell;

	/* A block was noted once a page, and its chain is walked once. */
	list_sort(vacuum->thinned, compare_places);
	foreach (cell, vacuum->thinned)
	{
		const HxEntryAddress *place = lfirst(cell);

		HX_VACUUM_DELAY_POINT();
		if (!before || before->page != place->page ||
			before->slot != place->slot)
			while (!unlink_empty_pages(vacuum, place))
				CHECK_FOR_INTERRUPTS();
		before = place;
	}
	list_free_deep(vacuum->thinned);
}

/* Is a block's entry on the page that a rows page names? */
static bool
has_entry(Vacuum *vacuum, const HxOpaque *opaque)
{
	Buffer directory = HxReadPage(vacuum->index, opaque->parent,
								  BUFFER_LOCK_SHARE, HX_PAGE_DIRECTORY);
	bool found =
		is_owner(BufferGetPage(directory), opaque->slot, opaque->owner);

	Assert(HxHoldsStructure(vacuum->index));
	UnlockReleaseBuffer(directory);
	return found;
}

/* Is a zone page one of those of the directory page that it names? */
static bool
is_in_directory(Vacuum *vacuum, BlockNumber zones, BlockNumber parent)
{
	Buffer buffer = read_page(vacuum, parent, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	BlockNumber block = InvalidBlockNumber;
	uint32 steps = 0;

	Assert(HxHoldsStructure(vacuum->index));
	if (!PageIsNew(page) && HxPageOpaque(page)->kind == HX_PAGE_DIRECTORY)
		block = HxPageDirectory(page)->zones;
	UnlockReleaseBuffer(buffer);
	while (block != InvalidBlockNumber && block != zones)
	{
		HxCountStep(vacuum->index, block, &steps);
		buffer =
			HxReadPage(vacuum->index, block, BUFFER_LOCK_SHARE, HX_PAGE_ZONES);
		block = HxPageOpaque(BufferGetPage(buffer))->next;
		UnlockReleaseBuffer(buffer);
	}
	return block == zones;
}

/*
 * Free the suspects that are orphans: pages of a split, merge or division that
 * a crash or an error ended.  While the structure lock is held nobody else is
 * about to make them pages of a block or of the directory.
 */
static void
free_orphans(Vacuum *vacuum)
{
	if (vacuum->nsuspects == 0 || !HxTryLockStructure(vacuum->index))
		return;
	for (int i = 0; i < vacuum->nsuspects; i++)
	{
		BlockNumber block = vacuum->suspects[i];
		Buffer buffer;
		Page page;
		HxOpaque opaque = {0};

		HX_VACUUM_DELAY_POINT();
		HX_INJECT_LOOP("vacuum-orphans");
		buffer = read_page(vacuum, block, BUFFER_LOCK_SHARE);
		page = BufferGetPage(buffer);
		if (!PageIsNew(page))
			opaque = *HxPageOpaque(page);
		UnlockReleaseBuffer(buffer);
		if (opaque.kind == HX_PAGE_ROWS && opaque.owner != 0 &&
			!has_entry(vacuum, &opaque))
			/* Should it have gone to another block, its owner is another. */
			HxFreePages(vacuum->index, &block, 1, opaque.owner);
		else if (opaque.kind == HX_PAGE_ZONES &&
				 !is_in_directory(vacuum, block, opaque.parent))
			HxFreePages(vacuum->index, &block, 1, HX_NO_OWNER);
	}
	HxUnlockStructure(vacuum->index);
}

/* Split what inserts have left long, because others changed the structure. */
static void
split_long_blocks(Relation index, const HxIndexDesc *desc)
{
	HxBlocks blocks;
	uint64 rows;

	HxReadDirectory(index, desc, NULL, &blocks);
	rows = HxBlocksRows(&blocks);
	for (int b = 0; b < blocks.count; b++)
	{
		const HxBlock *block = &blocks.blocks[b];

		HX_VACUUM_DELAY_POINT();
		if (block->rows >
			HxPayloadOf(desc)->long_block * HxBlockTarget(index, desc, rows))
			HxSplitBlock(index, desc, block->place, rows);
	}
	HxFreeBlocks(&blocks);
}

void
HxDeleteFromBlocks(const IndexVacuumInfo *info, const HxIndexDesc *desc,
				   IndexBulkDeleteResult *stats,
				   IndexBulkDeleteCallback callback, void *state)
{
	Vacuum vacuum = {info->index, desc, callback, state};
	BlockNumber block = HX_METAPAGE + 1;
	BlockNumber end;

	/* Free pages are counted anew by every pass over the file. */
	stats->pages_deleted = stats->pages_free = 0;
	vacuum.stats = stats;
	vacuum.strategy = info->strategy;
	vacuum.dead = palloc(desc->capacity * sizeof(bool));
	note_owners(&vacuum);

	/* The file may grow meanwhile; rows move only ahead of the walk. */
	HxLockWalk(info->index);
	while (block < (end = HxCountPages(info->index)))
		for (; block < end; block++)
		{
			HX_VACUUM_DELAY_POINT();
			HX_INJECT("vacuum-visit");
			visit_page(&vacuum, block);
		}
	unlink_noted_pages(&vacuum);
	HxUnlockWalk(info->index);
	free_orphans(&vacuum);
}

void
HxCleanUpBlocks(const IndexVacuumInfo *info, const HxIndexDesc *desc,
				IndexBulkDeleteResult *stats)
{
	HxBlocks blocks;
	int64 freed = HxTidyBlocks(info->index, desc);

	stats->pages_newly_deleted += freed;
	stats->pages_deleted += freed;
	stats->pages_free += freed;
	split_long_blocks(info->index, desc);
	HxReadDirectory(info->index, desc, NULL, &blocks);
	HxAfterVacuum(info->index, desc, HxBlocksRows(&blocks));
	HxFreeBlocks(&blocks);
}
