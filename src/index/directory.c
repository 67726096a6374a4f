/*
 * directory.c
 *	  Reading the block summaries: for a query, or for a row to insert.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/float.h"

#include "index/directory.h"

/*
 * Read and share-lock a directory page.  Slot 0 of the first one must be the
 * block of rows without a vector; no other entry is looked at for that.
 * Accepts interrupts before: under a page's lock they are held off.
 */
static Buffer
read_directory_page(Relation index, BlockNumber block, bool first)
{
	Buffer buffer;
	Page page;

	CHECK_FOR_INTERRUPTS();
	buffer = HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_KIND_DIRECTORY);
	page = BufferGetPage(buffer);
	if (first && (HxPageDirectory(page)->count == 0 ||
				  !(HxPageEntries(page)->flags & HX_ENTRY_NULLS)))
		HxCorrupted(index, block, "no entry for rows without a vector");
	return buffer;
}

/* First page of the directory. */
static BlockNumber
directory_start(Relation index)
{
	HxMeta meta;

	HxReadMeta(index, &meta);
	return meta.directory;
}

static void
copy_entry(const HxEntry *entry, BlockNumber page, int slot, HxBlock *block)
{
	block->place.page = page;
	block->place.slot = slot;
	block->owner = entry->owner;
	block->first = entry->first;
	block->rows = entry->rows;
}

/* Allocate an array, or let it grow. */
static void *
grow(void *array, Size count, Size size)
{
	if (array)
		return repalloc_huge(array, count * size);
	return MemoryContextAllocHuge(CurrentMemoryContext, count * size);
}

/* Make room for `more` blocks. */
static void
reserve_blocks(HxBlocks *blocks, int more)
{
	if (blocks->count + more <= blocks->room)
		return;
	blocks->room = Max(blocks->room * 2, blocks->count + more);
	blocks->blocks = grow(blocks->blocks, blocks->room, sizeof(HxBlock));
	blocks->promises = grow(blocks->promises, blocks->room, sizeof(float));
	blocks->bounds = grow(blocks->bounds, blocks->room, sizeof(float));
}

void
HxFreeBlocks(HxBlocks *blocks)
{
	if (!blocks->blocks)
		return;
	pfree(blocks->blocks);
	pfree(blocks->promises);
	pfree(blocks->bounds);
	blocks->blocks = NULL;
}

/* Add the blocks of a directory page, from a slot on. */
static void
add_page(HxBlocks *blocks, const HxIndexDesc *desc, const HxQuery *query,
		 Page page, BlockNumber block, int slot)
{
	HxEntry *entries = HxPageEntries(page);
	int count = HxPageDirectory(page)->count;
	float *promises;
	float *bounds;

	reserve_blocks(blocks, count + 1);
	promises = blocks->promises + blocks->count;
	bounds = blocks->bounds + blocks->count;
	if (query)
		desc->vector->methods->promises(
			query, entries + slot, HxPageCentroids(page) + slot * desc->payload,
			count - slot, promises, bounds);
	for (int i = slot; i < count; i++)
	{
		int at = blocks->count;

		if (entries[i].flags & HX_ENTRY_FREE)
			continue;
		copy_entry(&entries[i], block, i, &blocks->blocks[at]);
		blocks->promises[at] = query ? promises[i - slot] : 0;
		blocks->bounds[at] = query ? bounds[i - slot] : -get_float4_infinity();
		blocks->count++;
	}
}

void
HxReadDirectory(Relation index, const HxIndexDesc *desc, const HxQuery *query,
				HxBlocks *blocks)
{
	BlockNumber block;
	bool first = true;
	uint32 steps = 0;
	HxMeta meta;

	HxReadMeta(index, &meta);
	block = meta.directory;
	memset(blocks, 0, sizeof(*blocks));
	/* A number that is only a hint, so it is not trusted too far. */
	reserve_blocks(blocks, Min(meta.blocks, 1000000) + 1);
	while (block != InvalidBlockNumber)
	{
		Buffer buffer = read_directory_page(index, block, first);
		Page page = BufferGetPage(buffer);

		HxPrefetchPage(index, HxPageOpaque(page)->next);
		HxCountStep(index, block, &steps);
		if (first)
			copy_entry(HxPageEntries(page), block, 0, &blocks->nulls);
		add_page(blocks, desc, query, page, block, first ? 1 : 0);
		first = false;
		block = HxPageOpaque(page)->next;
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
}

void
HxAddNullBlock(HxBlocks *blocks)
{
	blocks->blocks[blocks->count] = blocks->nulls;
	blocks->promises[blocks->count] = 0;
	blocks->bounds[blocks->count++] = -get_float4_infinity();
}

uint64
HxBlocksRows(const HxBlocks *blocks)
{
	uint64 rows = 0;

	for (int i = 0; i < blocks->count; i++)
		rows += blocks->blocks[i].rows;
	return rows;
}

/* Share-lock a zone page, keeping the one at hand if it is the same. */
static Buffer
switch_zone_page(Relation index, Buffer buffer, BlockNumber block)
{
	if (BufferIsValid(buffer))
	{
		if (BufferGetBlockNumber(buffer) == block)
			return buffer;
		UnlockReleaseBuffer(buffer);
	}
	CHECK_FOR_INTERRUPTS();
	buffer = HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_KIND_ZONES);
	HxPrefetchPage(index, HxPageOpaque(BufferGetPage(buffer))->next);
	return buffer;
}

/* Share-lock another directory page in place of the pages at hand. */
static void
switch_directory_page(Relation index, Buffer *directory, Buffer *zones,
					  BlockNumber block)
{
	if (BufferIsValid(*zones))
		UnlockReleaseBuffer(*zones);
	if (BufferIsValid(*directory))
		UnlockReleaseBuffer(*directory);
	*directory = *zones = InvalidBuffer;
	CHECK_FOR_INTERRUPTS();
	if (block != InvalidBlockNumber)
		*directory =
			HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_KIND_DIRECTORY);
}

/*
 * The directory page stays locked while zone maps of its entries are looked
 * at: they are the blocks' own as long as the owners are.  A block that has
 * been replaced is kept.
 */
void
HxDropByZones(Relation index, const HxIndexDesc *desc, const HxFilter *filter,
			  HxBlocks *blocks)
{
	Buffer directory = InvalidBuffer;
	Buffer zones = InvalidBuffer;
	BlockNumber page = InvalidBlockNumber;
	int kept = 0;

	for (int i = 0; i < blocks->count; i++)
	{
		HxBlock *block = &blocks->blocks[i];
		const HxEntry *entry;

		if (block->place.page != page)
		{
			page = block->place.page;
			switch_directory_page(index, &directory, &zones, page);
		}
		entry = HxGetEntry(index, directory, block->place.slot);
		if (entry->owner == block->owner)
		{
			zones = switch_zone_page(index, zones, entry->zones);
			if (!HxFilterZone(filter,
							  HxGetZone(index, desc, zones, entry->zone)))
				continue;
		}
		HxMoveBlock(blocks, i, kept++);
	}
	blocks->count = kept;
	switch_directory_page(index, &directory, &zones, InvalidBlockNumber);
}

static bool
is_same_place(const HxBlock *a, const HxBlock *b)
{
	return a->place.page == b->place.page && a->place.slot == b->place.slot;
}

/*
 * The same directory again, for the ball's bounds.  Blocks made since the first
 * reading are not in the list; those replaced since are kept.
 */
void
HxDropByBall(Relation index, const HxIndexDesc *desc, const HxQuery *ball,
			 double radius, HxBlocks *blocks)
{
	HxBlocks near;
	int kept = 0;
	int at = 0;

	HxReadDirectory(index, desc, ball, &near);
	for (int i = 0; i < blocks->count; i++)
	{
		const HxBlock *block = &blocks->blocks[i];
		int same = at;

		/* Both lists have the order of the directory. */
		while (same < near.count && !is_same_place(&near.blocks[same], block))
			same++;
		if (same < near.count)
			at = same; /* else it has gone */
		if (same == near.count || near.blocks[same].owner != block->owner ||
			near.bounds[same] <= radius)
			HxMoveBlock(blocks, i, kept++);
	}
	blocks->count = kept;
	HxFreeBlocks(&near);
}

bool
HxNearestBlock(Relation index, const HxIndexDesc *desc, const uint8 *payload,
			   HxBlock *nearest, uint32 *spread, uint64 *rows)
{
	BlockNumber block = directory_start(index);
	uint32 *spreads = palloc(HxDirectoryCapacity(desc) * sizeof(uint32));
	bool found = false;
	bool first = true;
	uint32 steps = 0;

	*rows = 0;
	while (block != InvalidBlockNumber)
	{
		Buffer buffer = read_directory_page(index, block, first);
		Page page = BufferGetPage(buffer);
		HxEntry *entries = HxPageEntries(page);
		int count = HxPageDirectory(page)->count;

		HxCountStep(index, block, &steps);
		desc->vector->methods->spreads(desc, payload, HxPageCentroids(page),
									   count, spreads);
		for (int i = first ? 1 : 0; i < count; i++)
		{
			*rows += entries[i].rows;
			if ((found && spreads[i] >= *spread) ||
				(entries[i].flags & HX_ENTRY_FREE))
				continue;
			copy_entry(&entries[i], block, i, nearest);
			*spread = spreads[i];
			found = true;
		}
		first = false;
		block = HxPageOpaque(page)->next;
		UnlockReleaseBuffer(buffer);
	}
	pfree(spreads);
	return found;
}

Buffer
HxReadRows(Relation index, const HxIndexDesc *desc, BlockNumber block,
		   uint64 owner)
{
	Buffer buffer;
	Page page;
	const char *fault;

	CHECK_FOR_INTERRUPTS(); /* here, since under a lock they are held off */
	buffer = HxReadBuffer(index, block, BUFFER_LOCK_SHARE, NULL);
	page = BufferGetPage(buffer);
	if (!HxPageIsSound(page) && !PageIsNew(page))
		HxCorrupted(index, block, "not a sound hashemb page");
	if (PageIsNew(page) || HxPageOpaque(page)->kind != HX_KIND_ROWS ||
		HxPageOpaque(page)->owner != owner)
	{
		UnlockReleaseBuffer(buffer);
		return InvalidBuffer;
	}
	fault = HxPageFault(desc, page, HX_KIND_ROWS);
	if (fault)
		HxCorrupted(index, block, fault);
	return buffer;
}

void
HxCheckChain(Relation index, const HxIndexDesc *desc, const HxBlock *block)
{
	Buffer directory = HxReadPage(index, block->place.page, BUFFER_LOCK_SHARE,
								  HX_KIND_DIRECTORY);
	const HxEntry *entry = HxGetEntry(index, directory, block->place.slot);
	BlockNumber next =
		entry->owner == block->owner ? entry->first : InvalidBlockNumber;
	uint32 steps = 0;

	while (next != InvalidBlockNumber)
	{
		Buffer buffer = HxReadRows(index, desc, next, block->owner);

		if (!BufferIsValid(buffer))
			HxCorrupted(index, next,
						"not a rows page of the block whose "
						"chain leads to it");
		HxCountStep(index, next, &steps);
		next = HxPageOpaque(BufferGetPage(buffer))->next;
		UnlockReleaseBuffer(buffer);
	}
	UnlockReleaseBuffer(directory);
}

void
HxFindNullBlock(Relation index, const HxIndexDesc *desc, HxBlock *block)
{
	BlockNumber first = directory_start(index);
	Buffer buffer = read_directory_page(index, first, true);

	copy_entry(HxPageEntries(BufferGetPage(buffer)), first, 0, block);
	UnlockReleaseBuffer(buffer);
}

/* ---- owners ---- */

static int
compare_owners(const void *a, const void *b)
{
	uint64 left = *(const uint64 *) a;
	uint64 right = *(const uint64 *) b;

	return left < right ? -1 : left > right;
}

void
HxAddOwner(HxOwners *owners, uint64 owner)
{
	if (owners->count == owners->room)
	{
		owners->room = Max(2 * owners->room, 64);
		owners->owners = grow(owners->owners, owners->room, sizeof(uint64));
	}
	owners->owners[owners->count++] = owner;
}

void
HxSortOwners(HxOwners *owners)
{
	qsort(owners->owners, owners->count, sizeof(uint64), compare_owners);
}

bool
HxHasOwner(const HxOwners *owners, uint64 owner)
{
	return owners->count > 0 && bsearch(&owner, owners->owners, owners->count,
										sizeof(uint64), compare_owners) != NULL;
}
