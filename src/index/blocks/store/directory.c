/*
 * directory.c
 *	  Reading the block summaries: for a query, or for a row to insert.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/float.h"

#include "index/blocks/store/directory.h"
#include "index/blocks/store/span.h"
#include "index/blocks/store/upper.h"

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
	buffer = HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_PAGE_DIRECTORY);
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
	int room = Max(blocks->room * 2, blocks->count + more);

	if (blocks->count + more <= blocks->room)
		return;
	blocks->blocks = grow(blocks->blocks, room, sizeof(HxBlock));
	blocks->promises = grow(blocks->promises, room, sizeof(float));
	blocks->bounds = grow(blocks->bounds, room, sizeof(float));
	blocks->room = room; /* which all of them have now */
}

/* The number of blocks is only a hint, so it is not trusted too far. */
void
HxReserveBlocks(HxBlocks *blocks, const HxMeta *meta)
{
	blocks->count = 0;
	reserve_blocks(blocks, (int) Min(meta->blocks, 1000000) + 1);
}

void
HxFreeBlocks(HxBlocks *blocks)
{
	if (blocks->blocks)
		pfree(blocks->blocks);
	if (blocks->promises)
		pfree(blocks->promises);
	if (blocks->bounds)
		pfree(blocks->bounds);
	blocks->blocks = NULL;
	blocks->promises = blocks->bounds = NULL;
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

	Assert(slot <= count);
	reserve_blocks(blocks, count + 1);
	promises = blocks->promises + blocks->count;
	bounds = blocks->bounds + blocks->count;
	if (query)
		HxPayloadOf(desc)->promises(
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

/* Rows of all blocks of a directory page, from a slot on; counts the blocks. */
static uint64
count_rows(Page page, int slot, uint64 *blocks)
{
	const HxEntry *entries = HxPageEntries(page);
	int count = HxPageDirectory(page)->count;
	uint64 rows = 0;

	for (int i = slot; i < count; i++)
	{
		rows += entries[i].rows;
		*blocks += (entries[i].flags & HX_ENTRY_FREE) == 0;
	}
	return rows;
}

void
HxReadDirectory(Relation index, const HxIndexDesc *desc, const HxQuery *query,
				HxBlocks *blocks)
{
	memset(blocks, 0, sizeof(*blocks));
	HxReadDirectoryFor(index, desc, query, NULL, blocks);
}

uint64
HxReadDirectoryFor(Relation index, const HxIndexDesc *desc,
				   const HxQuery *query, const HxFilter *filter,
				   HxBlocks *blocks)
{
	BlockNumber block;
	bool first = true;
	uint64 skipped = 0;
	uint64 left_out = 0;
	uint32 steps = 0;
	HxMeta meta;

	Assert(HxHoldsNoPage());
	HxReadMeta(index, &meta);
	block = meta.directory;
	HxReserveBlocks(blocks, &meta);
	while (block != InvalidBlockNumber)
	{
		Buffer buffer = read_directory_page(index, block, first);
		Page page = BufferGetPage(buffer);

		HxPrefetchPage(index, HxPageOpaque(page)->next);
		HxCountStep(index, block, &steps);
		if (first)
			copy_entry(HxPageEntries(page), block, 0, &blocks->nulls);
		if (filter &&
			!HxSpanMayPass(desc, filter, &HxPageDirectory(page)->range))
			skipped += count_rows(page, first ? 1 : 0, &left_out);
		else
			add_page(blocks, desc, query, page, block, first ? 1 : 0);
		first = false;
		block = HxPageOpaque(page)->next;
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
	blocks->total = blocks->count + left_out;
	return HxBlocksRows(blocks) + skipped;
}

void
HxAddNullBlock(HxBlocks *blocks)
{
	Assert(blocks->count < blocks->room);
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
	buffer = HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_PAGE_ZONES);
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
			HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_PAGE_DIRECTORY);
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

	Assert(HxHoldsNoPage());
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
 * The same directory again, for the bounds of another query: mark the blocks
 * that may have a row up to a distance from it.  Blocks made since the first
 * reading are not in the list; those replaced since are marked.
 */
static void
mark_near(Relation index, const HxIndexDesc *desc, const HxQuery *query,
		  double distance, const HxBlocks *blocks, bool *marks)
{
	HxBlocks near;
	int at = 0;

	HxReadDirectory(index, desc, query, &near);
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
			!(near.bounds[same] > distance))
			marks[i] = true;
	}
	HxFreeBlocks(&near);
}

void
HxDropByDistance(Relation index, const HxIndexDesc *desc,
				 const HxQuery *const *queries, const double *distances,
				 int count, HxBlocks *blocks)
{
	bool *marks = palloc0(Max(blocks->count, 1) * sizeof(bool));
	int kept = 0;

	Assert(count > 0 && HxHoldsNoPage());
	for (int q = 0; q < count; q++)
	{
		CHECK_FOR_INTERRUPTS();
		mark_near(index, desc, queries[q], distances[q], blocks, marks);
	}
	for (int i = 0; i < blocks->count; i++)
		if (marks[i])
			HxMoveBlock(blocks, i, kept++);
	blocks->count = kept;
	pfree(marks);
}

/* A search for the block that is nearest to a payload */
typedef struct BlockChoice
{
	Relation index;
	const HxIndexDesc *desc;
	HxMeasured payload;
	uint32 *spreads; /* scratch, for a page of centroids */
	bool found;
	HxBlock block;
	uint32 spread;
	uint64 rows; /* of the blocks looked at */
} BlockChoice;

/* Look at the blocks of a directory page; returns the next page. */
static BlockNumber
look_at_page(BlockChoice *nearest, BlockNumber block, bool first)
{
	Buffer buffer = read_directory_page(nearest->index, block, first);
	Page page = BufferGetPage(buffer);
	HxEntry *entries = HxPageEntries(page);
	int count = HxPageDirectory(page)->count;
	const uint32 *spreads = nearest->spreads;
	BlockNumber next = HxPageOpaque(page)->next;

	HxSpreadsOf(&nearest->payload, HxPageCentroids(page), count,
				nearest->spreads);
	for (int i = 0; i < count; i++)
	{
		if (entries[i].flags & (HX_ENTRY_FREE | HX_ENTRY_NULLS))
			continue;
		nearest->rows += entries[i].rows;
		if (nearest->found && spreads[i] >= nearest->spread)
			continue;
		copy_entry(&entries[i], block, i, &nearest->block);
		nearest->spread = spreads[i];
		nearest->found = true;
	}
	UnlockReleaseBuffer(buffer);
	return next;
}

/* Look at the pages that the upper level names. */
static void
look_at_near_pages(BlockChoice *nearest, const HxMeta *meta)
{
	uint64 rows;
	int count;
	BlockNumber *pages =
		HxNearestPages(nearest->index, nearest->desc, meta->upper,
					   &nearest->payload, &count, &rows);

	for (int i = 0; i < count; i++)
		look_at_page(nearest, pages[i], pages[i] == meta->directory);
	nearest->rows = Max(nearest->rows, rows);
	pfree(pages);
}

/* Look at all pages. */
static void
look_at_all_pages(BlockChoice *nearest, const HxMeta *meta)
{
	BlockNumber block = meta->directory;
	uint32 steps = 0;

	nearest->rows = 0;
	while (block != InvalidBlockNumber)
	{
		HxCountStep(nearest->index, block, &steps);
		block = look_at_page(nearest, block, block == meta->directory);
	}
}

bool
HxNearestBlock(Relation index, const HxIndexDesc *desc, const uint8 *payload,
			   HxBlock *block, uint32 *spread, uint64 *rows)
{
	BlockChoice nearest = {index, desc};
	HxMeta meta;

	Assert(HxHoldsNoPage());
	HxReadMeta(index, &meta);
	nearest.payload = HxMeasure(desc, payload);
	nearest.spreads = palloc(HxDirectoryCapacity(desc) * sizeof(uint32));
	if (meta.upper != InvalidBlockNumber && meta.blocks >= HX_UPPER_FLOOR)
		look_at_near_pages(&nearest, &meta);
	if (!nearest.found)
		look_at_all_pages(&nearest, &meta);
	*block = nearest.block;
	*spread = nearest.spread;
	*rows = nearest.rows;
	pfree(nearest.spreads);
	HxEndMeasure(&nearest.payload);
	return nearest.found;
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
	if (PageIsNew(page) || HxPageOpaque(page)->kind != HX_PAGE_ROWS ||
		HxPageOpaque(page)->owner != owner)
	{
		UnlockReleaseBuffer(buffer);
		return InvalidBuffer;
	}
	fault = HxPageFault(desc, page, HX_PAGE_ROWS);
	if (fault)
		HxCorrupted(index, block, fault);
	return buffer;
}

void
HxCheckChain(Relation index, const HxIndexDesc *desc, const HxBlock *block)
{
	Buffer directory = HxReadPage(index, block->place.page, BUFFER_LOCK_SHARE,
								  HX_PAGE_DIRECTORY);
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
	owners->sorted = false;
	owners->owners[owners->count++] = owner;
}

void
HxSortOwners(HxOwners *owners)
{
	qsort(owners->owners, owners->count, sizeof(uint64), compare_owners);
	owners->sorted = true;
}

bool
HxHasOwner(const HxOwners *owners, uint64 owner)
{
	Assert(owners->count == 0 || owners->sorted);
	return owners->count > 0 && bsearch(&owner, owners->owners, owners->count,
										sizeof(uint64), compare_owners) != NULL;
}
