/*
 * directory.c
 *	  Reading the block summaries: for a query, or for a row to insert.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/float.h"

#include "index/directory.h"

/* Read and share-lock a directory page; checks that its arrays fit. */
static Buffer
read_directory_page(Relation index, const HxIndexDesc *desc, BlockNumber block)
{
	Buffer buffer = HxReadPage(index, block, BUFFER_LOCK_SHARE,
							   HX_KIND_DIRECTORY);
	HxDirectory *directory = HxPageDirectory(BufferGetPage(buffer));

	if (directory->capacity != HxDirectoryCapacity(desc))
		HxCorrupted(index, block, "directory page of another shape");
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
	block->zones = entry->zones;
	block->zone = entry->zone;
	block->promise = 0;
	block->bound = -get_float4_infinity();
}

/* Make room for `more` blocks. */
static void
reserve_blocks(HxBlocks *blocks, int more)
{
	if (blocks->count + more <= blocks->room)
		return;
	blocks->room = Max(blocks->room * 2, blocks->count + more);
	blocks->blocks =
		blocks->blocks
			? repalloc_huge(blocks->blocks, blocks->room * sizeof(HxBlock))
			: MemoryContextAllocHuge(CurrentMemoryContext,
									 blocks->room * sizeof(HxBlock));
}

void
HxReadDirectory(Relation index, const HxIndexDesc *desc, const HxQuery *query,
				HxBlocks *blocks)
{
	BlockNumber block = directory_start(index);
	bool first = true;
	int capacity = HxDirectoryCapacity(desc);
	float *promises = palloc(2 * capacity * sizeof(float));
	float *bounds = promises + capacity;

	memset(blocks, 0, sizeof(*blocks));
	blocks->nulls.first = InvalidBlockNumber;
	while (block != InvalidBlockNumber)
	{
		Buffer buffer = read_directory_page(index, desc, block);
		Page page = BufferGetPage(buffer);
		HxEntry *entries = HxPageEntries(page);
		int count = HxPageDirectory(page)->count;

		CHECK_FOR_INTERRUPTS();
		reserve_blocks(blocks, count + 1);
		if (query)
			desc->vector->methods->promises(query, entries,
											HxPageCentroids(page), count,
											promises, bounds);
		for (int i = 0; i < count; i++)
		{
			HxBlock *copy = &blocks->blocks[blocks->count];

			if (first && (entries[i].flags & HX_ENTRY_NULLS))
			{
				copy_entry(&entries[i], block, i, &blocks->nulls);
				continue;
			}
			copy_entry(&entries[i], block, i, copy);
			if (query)
			{
				copy->promise = promises[i];
				copy->bound = bounds[i];
			}
			blocks->count++;
		}
		first = false;
		block = HxPageOpaque(page)->next;
		UnlockReleaseBuffer(buffer);
	}
	pfree(promises);
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
switch_zone_page(Relation index, const HxIndexDesc *desc, Buffer buffer,
				 BlockNumber block)
{
	if (BufferIsValid(buffer))
	{
		if (BufferGetBlockNumber(buffer) == block)
			return buffer;
		UnlockReleaseBuffer(buffer);
	}
	CHECK_FOR_INTERRUPTS();
	buffer = HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_KIND_ZONES);
	if (HxPageZones(BufferGetPage(buffer))->capacity != HxZonesCapacity(desc))
		HxCorrupted(index, block, "zone page of another shape");
	return buffer;
}

void
HxDropByZones(Relation index, const HxIndexDesc *desc, const HxFilter *filter,
			  HxBlocks *blocks)
{
	Buffer buffer = InvalidBuffer;
	int kept = 0;

	for (int i = 0; i < blocks->count; i++)
	{
		HxBlock *block = &blocks->blocks[i];

		buffer = switch_zone_page(index, desc, buffer, block->zones);
		if (HxFilterZone(filter, HxPageZone(desc, BufferGetPage(buffer),
											block->zone)))
			blocks->blocks[kept++] = *block;
	}
	blocks->count = kept;
	if (BufferIsValid(buffer))
		UnlockReleaseBuffer(buffer);
}

bool
HxNearestBlock(Relation index, const HxIndexDesc *desc, const uint8 *payload,
			   HxBlock *nearest, uint32 *spread)
{
	BlockNumber block = directory_start(index);
	uint32 *spreads = palloc(HxDirectoryCapacity(desc) * sizeof(uint32));
	bool found = false;

	while (block != InvalidBlockNumber)
	{
		Buffer buffer = read_directory_page(index, desc, block);
		Page page = BufferGetPage(buffer);
		HxEntry *entries = HxPageEntries(page);
		int count = HxPageDirectory(page)->count;

		desc->vector->methods->spreads(desc, payload, HxPageCentroids(page),
									   count, spreads);
		for (int i = 0; i < count; i++)
		{
			if (entries[i].flags & HX_ENTRY_NULLS)
				continue;
			if (found && spreads[i] >= *spread)
				continue;
			copy_entry(&entries[i], block, i, nearest);
			*spread = spreads[i];
			found = true;
		}
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
	Buffer buffer = ReadBuffer(index, block);
	Page page;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	if (!HxPageIsSound(page) && !PageIsNew(page))
		HxCorrupted(index, block, "not a sound hashemb page");
	if (PageIsNew(page) || HxPageOpaque(page)->kind != HX_KIND_ROWS ||
		HxPageOpaque(page)->owner != owner)
	{
		UnlockReleaseBuffer(buffer);
		return InvalidBuffer;
	}
	if (HxPageRows(page)->capacity != desc->capacity)
		HxCorrupted(index, block, "rows page of another shape");
	return buffer;
}

void
HxFindNullBlock(Relation index, const HxIndexDesc *desc, HxBlock *block)
{
	BlockNumber first = directory_start(index);
	Buffer buffer = read_directory_page(index, desc, first);
	HxEntry *entry = HxPageEntries(BufferGetPage(buffer));

	if (HxPageDirectory(BufferGetPage(buffer))->count == 0 ||
		!(entry->flags & HX_ENTRY_NULLS))
		HxCorrupted(index, first, "no entry for rows without a vector");
	copy_entry(entry, first, 0, block);
	UnlockReleaseBuffer(buffer);
}
