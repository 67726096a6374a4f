/*
 * place.c
 *	  Places in the directory for blocks that are added.
 *
 * See README, "The upper level": a directory page that is full is divided in
 * two, so that the blocks of one page stay near each other.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "miscadmin.h"

#include "index/blocks/store/assign.h"
#include "index/page/inject.h"
#include "index/blocks/change/place.h"
#include "index/blocks/store/span.h"
#include "index/blocks/store/upper.h"

/* Zone pages that one record may change beside a directory page */
#define ZONE_PAGES 3

/*
 * Write the zone pages of a new directory page, the last one first, so that
 * each can name the next; returns the first.
 */
static BlockNumber
add_zone_pages(Relation index, const HxIndexDesc *desc, BlockNumber parent)
{
	int count = (HxDirectoryCapacity(desc) - 1) / HxZonesCapacity(desc) + 1;
	BlockNumber next = InvalidBlockNumber;

	Assert(HxHoldsStructure(index));
	for (int i = 0; i < count; i++)
	{
		bool reused;
		Buffer buffer = HxNewBuffer(index, &reused);
		GenericXLogState *state = GenericXLogStart(index);
		Page page =
			GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);

		HxInitZonesPage(desc, page, parent);
		HxPageOpaque(page)->next = next;
		next = BufferGetBlockNumber(buffer);
		GenericXLogFinish(state);
		UnlockReleaseBuffer(buffer);
	}
	return next;
}

/*
 * Add a page to the directory behind another one, with an entry in the upper
 * level; returns its number.  The entry's centroid is that of the blocks that
 * will come there.
 */
static BlockNumber
add_directory_page(Relation index, const HxIndexDesc *desc, BlockNumber page,
				   const uint8 *centroid)
{
	BlockNumber room = HxRoomInUpper(index, desc);
	bool reused;
	Buffer buffer = HxNewBuffer(index, &reused);
	HxUpperEntry entry = {BufferGetBlockNumber(buffer)};
	BlockNumber zones = add_zone_pages(index, desc, entry.page);
	Buffer before =
		HxReadPage(index, page, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_DIRECTORY);
	Buffer upper =
		HxReadPage(index, room, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_UPPER);
	Buffer meta =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	GenericXLogState *state = GenericXLogStart(index);
	Page added =
		GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);
	Page before_page = GenericXLogRegisterBuffer(state, before, 0);
	Page upper_page = GenericXLogRegisterBuffer(state, upper, 0);

	Assert(HxHoldsStructure(index));
	HX_INJECT_LOCKED("divide-zones-added");
	HxInitDirectoryPage(desc, added);
	HxPageDirectory(added)->zones = zones;
	HxPageOpaque(added)->next = HxPageOpaque(before_page)->next;
	HxPageOpaque(before_page)->next = entry.page;
	if (HxPageOpaque(added)->next == InvalidBlockNumber)
		HxPageMeta(GenericXLogRegisterBuffer(state, meta, 0))->directory_end =
			entry.page;
	HxPutUpperEntry(desc, upper_page, HxPageUpper(upper_page)->count, &entry,
					centroid);
	GenericXLogFinish(state);
	UnlockReleaseBuffer(meta);
	UnlockReleaseBuffer(upper);
	UnlockReleaseBuffer(before);
	UnlockReleaseBuffer(buffer);
	HX_INJECT("divide-page-added");
	return entry.page;
}

/* A slot without a block on a directory page, or its capacity. */
static int
free_slot(Page page)
{
	const HxEntry *entries = HxPageEntries(page);
	int count = HxPageDirectory(page)->count;
	int slot = 0;

	while (slot < count && !(entries[slot].flags & HX_ENTRY_FREE))
		slot++;
	return slot;
}

/* The zone page of a slot, and the zone's place on it. */
static void
find_zone(Relation index, const HxIndexDesc *desc, BlockNumber zones,
		  HxTarget *target)
{
	int capacity = HxZonesCapacity(desc);

	for (int i = 0; i < target->place.slot / capacity; i++)
	{
		Buffer buffer =
			HxReadPage(index, zones, BUFFER_LOCK_SHARE, HX_PAGE_ZONES);

		zones = HxPageOpaque(BufferGetPage(buffer))->next;
		UnlockReleaseBuffer(buffer);
	}
	target->entry.zones = zones;
	target->entry.zone = target->place.slot % capacity;
}

/* ---- dividing a directory page ---- */

/* The blocks of a directory page that may move to another one */
typedef struct Movable
{
	int count;
	int *slots;
	uint32 *rows;
	uint8 *centroids;
	HxKey *keys; /* least of each block, in an index with groups */
} Movable;

/*
 * List the blocks of a page that has no free slot, but for one that stays; none
 * if the page has room.
 */
static void
list_movable(const HxRewrite *rewrite, HxEntryAddress stays, Movable *movable)
{
	const HxIndexDesc *desc = rewrite->desc;
	int capacity = HxDirectoryCapacity(desc);
	Buffer zones = InvalidBuffer;
	Buffer buffer;
	Page page;

	Assert(HxHoldsNoPage());
	movable->count = 0;
	movable->keys = palloc(capacity * sizeof(HxKey));
	movable->slots = palloc(capacity * sizeof(int));
	movable->rows = palloc(capacity * sizeof(uint32));
	movable->centroids = palloc(capacity * desc->payload);
	buffer = HxReadPage(rewrite->index, stays.page, BUFFER_LOCK_SHARE,
						HX_PAGE_DIRECTORY);
	page = BufferGetPage(buffer);
	for (int i = 0; free_slot(page) == capacity && i < capacity; i++)
	{
		const HxEntry *entry = &HxPageEntries(page)[i];
		int at = movable->count;
		HxSpan range;

		if (i == stays.slot || entry->rows == 0 ||
			(entry->flags & HX_ENTRY_NULLS))
			continue;
		movable->slots[at] = i;
		movable->rows[at] = entry->rows;
		range = HxEntrySpan(rewrite->index, desc, entry, &zones);
		movable->keys[at] =
			HxSpanIsEmpty(&range) ? (HxKey){0, true} : HxSpanLow(&range);
		memcpy(movable->centroids + at * desc->payload,
			   HxPageCentroids(page) + i * desc->payload, desc->payload);
		movable->count++;
	}
	if (BufferIsValid(zones))
		UnlockReleaseBuffer(zones);
	UnlockReleaseBuffer(buffer);
}

static int
compare_keys(const void *a, const void *b, void *keys)
{
	return HxCompareKeys(((const HxKey *) keys)[*(const int *) a],
						 ((const HxKey *) keys)[*(const int *) b]);
}

/*
 * Order blocks such that those which belong together come first, by nearness or
 * in an index with groups by value; returns how many do.
 */
static int
order_blocks(const HxIndexDesc *desc, const Movable *movable, int *order)
{
	for (int i = 0; i < movable->count; i++)
		order[i] = i;
	if (!HxIsGrouped(desc))
		return HxBisect(desc, movable->centroids, order, movable->count);
	qsort_arg(order, movable->count, sizeof(int), compare_keys, movable->keys);
	return movable->count / 2;
}

/*
 * Choose the blocks that move: the half that has fewer rows, but at least a
 * quarter of the blocks.  Returns their number; they are the first in `order`.
 */
static int
choose_half(const HxIndexDesc *desc, const Movable *movable, int *order)
{
	int count = movable->count;
	int least = Max(count / 4, 1);
	int64 rows[2] = {0};
	int first;

	Assert(count >= 2);
	first = order_blocks(desc, movable, order);
	first = Min(Max(first, least), count - least);
	Assert(first > 0 && first < count);
	for (int i = 0; i < count; i++)
		rows[i >= first] += movable->rows[order[i]];
	if (rows[0] <= rows[1])
		return first;
	for (int i = 0; i < count / 2; i++)
	{
		int other = order[i];

		order[i] = order[count - 1 - i];
		order[count - 1 - i] = other;
	}
	return count - first;
}

/* Mean of the centroids of the blocks that move. */
static uint8 *
mean_of(const HxIndexDesc *desc, const Movable *movable, const int *order,
		int count)
{
	uint8 *centroids = palloc(count * desc->payload);
	uint8 *mean = palloc(desc->payload);

	for (int i = 0; i < count; i++)
		memcpy(centroids + i * desc->payload,
			   movable->centroids + order[i] * desc->payload, desc->payload);
	HxTrainAlone(desc, centroids, count, mean, 1);
	pfree(centroids);
	return mean;
}

/* Move a block to another place as it is; false if it changes meanwhile. */
static bool
move_block(HxRewrite *rewrite, HxEntryAddress from, const uint8 *centroid,
		   HxEntryAddress to, BlockNumber zones, uint64 owner)
{
	const HxSource *source = &rewrite->sources[0];
	HxTarget *target = &rewrite->targets[0];
	HxCounts counts = {0};

	Assert(HxHoldsStructure(rewrite->index) && HxHoldsNoPage());
	HxResetRewrite(rewrite);
	if (!HxCopyBlock(rewrite, from) || rewrite->count == 0)
		return false;
	target->place = to;
	target->centroid = centroid;
	target->entry.owner = owner;
	find_zone(rewrite->index, rewrite->desc, zones, target);
	HxWriteTarget(rewrite, target, NULL, rewrite->count);
	rewrite->ntargets = 1;
	if (!HxSwitchBlocks(rewrite))
	{
		HxFreePages(rewrite->index, target->pages, target->npages, owner);
		return false;
	}
	HxFreePages(rewrite->index, source->pages, source->npages,
				source->entry.owner);
	counts.pages_freed = source->npages;
	counts.pages_reused = rewrite->reused;
	rewrite->reused = 0;
	HxAddCounts(rewrite->index, &counts);
	return true;
}

/*
 * If a block's directory page is full, divide it in two: blocks that are near
 * each other move to a new page behind it, one after the other.  The block
 * itself stays, and so do blocks that change meanwhile.
 */
static void
make_room(HxRewrite *rewrite, HxEntryAddress stays)
{
	const HxIndexDesc *desc = rewrite->desc;
	Relation index = rewrite->index;
	Movable movable;
	HxEntryAddress to = {0};
	BlockNumber zones;
	Buffer buffer;
	uint64 owner;
	int count;
	int *order;

	list_movable(rewrite, stays, &movable);
	if (movable.count < 2)
		return;
	order = palloc(movable.count * sizeof(int));
	count = choose_half(desc, &movable, order);
	owner = HxReserveOwners(index, count);
	to.page = add_directory_page(index, desc, stays.page,
								 mean_of(desc, &movable, order, count));
	buffer = HxReadPage(index, to.page, BUFFER_LOCK_SHARE, HX_PAGE_DIRECTORY);
	zones = HxPageDirectory(BufferGetPage(buffer))->zones;
	UnlockReleaseBuffer(buffer);
	for (int i = 0; i < count; i++)
	{
		HxEntryAddress from = {stays.page, movable.slots[order[i]]};
		const uint8 *centroid = movable.centroids + order[i] * desc->payload;

		CHECK_FOR_INTERRUPTS();
		to.slot += move_block(rewrite, from, centroid, to, zones, owner + i);
		HX_INJECT("divide-block-moved");
	}
	HxRefreshUpper(index, desc, stays.page);
	HxRefreshUpper(index, desc, to.page);
	HxResetRewrite(rewrite);
}

/* ---- places ---- */

/*
 * Find a place for one more block.  It must not come before the block that
 * is split, since a reader of the directory would miss what moved there: see
 * README, "Reading the directory while it is switched".
 */
static void
find_place(Relation index, const HxIndexDesc *desc, BlockNumber from,
		   HxTarget *target)
{
	BlockNumber block = from;
	uint32 steps = 0;

	for (;;)
	{
		Buffer buffer =
			HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_PAGE_DIRECTORY);
		Page page = BufferGetPage(buffer);
		int slot = free_slot(page);
		BlockNumber zones = HxPageDirectory(page)->zones;
		BlockNumber next = HxPageOpaque(page)->next;

		UnlockReleaseBuffer(buffer);
		HxCountStep(index, block, &steps);
		target->place.page = block;
		target->place.slot = slot;
		if (slot < HxDirectoryCapacity(desc))
		{
			find_zone(index, desc, zones, target);
			return;
		}
		if (next == InvalidBlockNumber)
		{
			uint8 *centroid = palloc0(desc->payload);

			next = add_directory_page(index, desc, block, centroid);
		}
		block = next;
	}
}

int
HxFindPlaces(HxRewrite *rewrite, HxEntryAddress place, int wanted)
{
	const HxIndexDesc *desc = rewrite->desc;
	int capacity = HxZonesCapacity(desc);
	int first = Max(place.slot / capacity - ZONE_PAGES + 1, 0) * capacity;
	int end = Min(HxDirectoryCapacity(desc), first + ZONE_PAGES * capacity);
	int found = 1;

	Assert(HxHoldsStructure(rewrite->index) && HxHoldsNoPage());
	Assert(wanted >= 2 && wanted <= HX_REWRITE_TARGETS);
	if (wanted > 2)
	{
		Buffer buffer = HxReadPage(rewrite->index, place.page,
								   BUFFER_LOCK_SHARE, HX_PAGE_DIRECTORY);
		Page page = BufferGetPage(buffer);
		BlockNumber zones = HxPageDirectory(page)->zones;

		for (int slot = first; slot < end && found < wanted; slot++)
			if (slot >= HxPageDirectory(page)->count ||
				(HxPageEntries(page)[slot].flags & HX_ENTRY_FREE))
			{
				rewrite->targets[found].place.page = place.page;
				rewrite->targets[found++].place.slot = slot;
			}
		UnlockReleaseBuffer(buffer);
		for (int p = 1; p < found; p++)
			find_zone(rewrite->index, desc, zones, &rewrite->targets[p]);
	}
	if (found < 2)
	{
		make_room(rewrite, place);
		find_place(rewrite->index, desc, place.page, &rewrite->targets[1]);
		found = 2;
	}
	Assert(found >= 2 && found <= wanted);
	return found;
}
