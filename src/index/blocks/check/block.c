/*
 * block.c
 *	  Checking a block: its entry in the directory, its zone map, and all that
 *	  they lead to.
 *
 * A block is read a page at a time.  Whatever looks wrong then may be another's
 * work half seen where others may write.  So the block is looked at again with
 * its directory page share-locked, which keeps all changes to the block away,
 * and only what is wrong then is reported.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "index/blocks/check/check.h"
#include "index/blocks/store/payload.h"
#include "index/blocks/store/span.h"

/* All flags that an entry may have */
#define KNOWN_FLAGS (HX_ENTRY_NULLS | HX_ENTRY_FREE)

/* What is wrong with the block's entry in itself, or NULL. */
static const char *
entry_fault(HxBlocksCheck *check)
{
	HxCheck *base = check->base;
	const HxCheckedBlock *block = &check->block;
	const HxEntry *entry = &block->entry;

	if (entry->flags & HX_ENTRY_FREE)
		return block->is_nulls || entry->owner != 0 || entry->rows != 0 ||
					   entry->first != InvalidBlockNumber ||
					   (entry->flags & ~KNOWN_FLAGS) != 0
				   ? "a free entry that has a block"
				   : NULL;
	if (entry->owner >= base->meta.next_owner) /* made since it was read? */
		HxReadMeta(base->index, &base->meta);
	if (entry->owner == 0 || entry->owner >= base->meta.next_owner)
		return psprintf("owner " UINT64_FORMAT " was not given out yet",
						entry->owner);
	if ((entry->flags & ~KNOWN_FLAGS) != 0)
		return psprintf("unknown flags %x", entry->flags);
	if (block->is_nulls != ((entry->flags & HX_ENTRY_NULLS) != 0))
		return "rows without a vector belong to the first entry";
	if ((entry->first == InvalidBlockNumber) !=
		(entry->append == InvalidBlockNumber))
		return "a first page and one to append to go together";
	if (entry->rows > 0 && entry->first == InvalidBlockNumber)
		return "rows, but no page";
	if (block->is_nulls)
		return NULL;
	return HxPayloadOf(&base->desc)->fault(&base->desc, block->centroid);
}

/* Is a block's range within that of its directory page? */
static bool
range_covers(const HxSpan *page, HxSpan block)
{
	HxSpan both = *page;

	HxAddSpan(&both, block);
	return both.low == page->low && both.high == page->high &&
		   both.values == page->values && both.nulls == page->nulls;
}

/* What is wrong with the copied page as the block's zone page, or NULL. */
static const char *
zone_page_fault(const HxBlocksCheck *check)
{
	Page page = (Page) check->base->page.data;
	const HxCheckedBlock *block = &check->block;
	const char *wrong = HxPageFault(&check->base->desc, page, HX_PAGE_ZONES);

	if (wrong)
		return wrong;
	if (HxPageOpaque(page)->parent != block->place.page)
		return psprintf("zone page of block %u serves block %u",
						HxPageOpaque(page)->parent, block->place.page);
	if (block->entry.zone >= HxPageZones(page)->count)
		return psprintf("zone map %u is referred to, but there are %u",
						block->entry.zone, HxPageZones(page)->count);
	return NULL;
}

/* Copy the block's zone map; false as for HxBlockFault. */
static bool
copy_zone(HxBlocksCheck *check)
{
	const HxIndexDesc *desc = &check->base->desc;
	HxCheckedBlock *block = &check->block;
	Page page = HxCopyPage(check->base, block->entry.zones);
	const char *wrong = zone_page_fault(check);

	if (wrong)
		return HxBlockFault(check, block->entry.zones, wrong);
	memcpy(block->zone, HxPageZone(desc, page, block->entry.zone),
		   HX_ZONE_SIZE(desc->nwords));
	if (!block->is_nulls &&
		!range_covers(&block->page_range, HxZoneSpan(desc, block->zone)))
		return HxBlockFault(
			check, block->place.page,
			psprintf("entry %u: the page's range of values does not cover the "
					 "block's",
					 block->place.slot));
	check->base->counts.zone_pages += HxReach(check->base, block->entry.zones);
	return true;
}

/* Copy entry and centroid from the directory page, which is locked. */
static void
copy_entry(HxBlocksCheck *check, Buffer directory)
{
	HxCheckedBlock *block = &check->block;
	Size payload = check->base->desc.payload;
	Page page = BufferGetPage(directory);

	Assert(HxIsLocked(directory, BUFFER_LOCK_SHARE));
	block->entry =
		*HxGetEntry(check->base->index, directory, block->place.slot);
	block->page_range = HxPageDirectory(page)->range;
	memcpy(block->centroid, HxPageCentroids(page) + block->place.slot * payload,
		   payload);
	memset(&block->counts, 0, sizeof(block->counts));
}

/*
 * Check the block of an entry.  Its directory page is kept share-locked
 * meanwhile if that is asked for; then, and if nobody writes, whatever is wrong
 * is reported.  Else false means that something looked wrong.
 */
static bool
look_at_block(HxBlocksCheck *check, bool locked)
{
	HxCheckedBlock *block = &check->block;
	Buffer buffer = HxReadPage(check->base->index, block->place.page,
							   BUFFER_LOCK_SHARE, HX_PAGE_DIRECTORY);
	const char *wrong;
	bool sound;

	copy_entry(check, buffer);
	if (!locked)
		UnlockReleaseBuffer(buffer);
	block->certain = locked || check->base->frozen;
	block->locked = locked;
	block->interrupted = false;
	wrong = entry_fault(check);
	if (wrong)
		sound =
			HxBlockFault(check, block->place.page,
						 psprintf("entry %u: %s", block->place.slot, wrong));
	else
		sound = copy_zone(check) && HxCheckBlockRows(check);
	if (locked)
		UnlockReleaseBuffer(buffer);
	Assert(sound || !block->certain);
	return sound;
}

void
HxCheckBlock(HxBlocksCheck *check, BlockNumber page, int slot)
{
	HxCheckedBlock *block = &check->block;
	HxCheckCounts *counts = &check->base->counts;

	Assert(HxHoldsNoPage());
	block->place.page = page;
	block->place.slot = slot;
	block->is_nulls = page == check->base->meta.directory && slot == 0;
	if (!look_at_block(check, false))
		do
		{
			CHECK_FOR_INTERRUPTS();
			look_at_block(check, true);
		} while (block->interrupted);
	Assert(HxHoldsNoPage());
	if (block->entry.flags & HX_ENTRY_FREE)
		return;
	HxAddOwner(&check->owners, block->entry.owner);
	counts->rows += block->counts.rows;
	counts->null_rows += block->counts.null_rows;
	counts->dead += block->counts.dead;
	counts->blocks += !block->is_nulls;
}
