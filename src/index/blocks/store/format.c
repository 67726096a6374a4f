/*
 * format.c
 *	  Pages that blocks alone have: how they are laid out, made and checked.
 */
#include "postgres.h"

#include <math.h>

#include "index/blocks/store/format.h"
#include "index/blocks/store/payload.h"

/* How many entries fit a directory page. */
int
HxDirectoryCapacity(const HxIndexDesc *desc)
{
	return (HX_PAGE_ROOM - sizeof(HxDirectory)) /
		   (sizeof(HxEntry) + desc->payload);
}

/* How many zone maps fit a zone page. */
int
HxZonesCapacity(const HxIndexDesc *desc)
{
	return (HX_PAGE_ROOM - sizeof(HxZones)) / HX_ZONE_SIZE(desc->nwords);
}

/* How many directory pages a page of the upper level describes. */
int
HxUpperCapacity(const HxIndexDesc *desc)
{
	return (HX_PAGE_ROOM - sizeof(HxUpper)) /
		   (sizeof(HxUpperEntry) + desc->payload);
}

/* The centroids of a page of the upper level, after the room for entries. */
uint8 *
HxPageUpperCentroids(Page page)
{
	return (uint8 *) (HxPageUpperEntries(page) + HxPageUpper(page)->capacity);
}

/* The centroids of a directory page, after the room for its entries. */
uint8 *
HxPageCentroids(Page page)
{
	return (uint8 *) (HxPageEntries(page) + HxPageDirectory(page)->capacity);
}

/* A zone map on a zone page. */
HxZone *
HxPageZone(const HxIndexDesc *desc, Page page, int slot)
{
	Assert(slot >= 0 && slot < HxPageZones(page)->capacity);
	return (HxZone *) (HxContents(page) + sizeof(HxZones) +
					   slot * HX_ZONE_SIZE(desc->nwords));
}

/* Tell a block's entry of rows that were removed; the room is used first. */
void
HxCountRemoved(HxEntry *entry, int removed)
{
	Assert(removed > 0);
	entry->rows -= Min(entry->rows, removed);
	entry->append = entry->first;
	entry->changes += removed;
}

/* Remember that a block is not to be split before it has many more rows. */
void
HxPostponeSplit(const HxIndexDesc *desc, HxEntry *entry)
{
	Assert(entry->rows > 0);
	entry->split_above =
		(uint8) ceil(4 * log2(entry->rows * HxPayloadOf(desc)->long_block));
}

void
HxInitDirectoryPage(const HxIndexDesc *desc, Page page)
{
	HxInitPage(page, HX_PAGE_DIRECTORY);
	HxPageDirectory(page)->capacity = HxDirectoryCapacity(desc);
	HxPageDirectory(page)->range = HX_EMPTY_SPAN;
}

void
HxInitUpperPage(const HxIndexDesc *desc, Page page)
{
	HxInitPage(page, HX_PAGE_UPPER);
	HxPageUpper(page)->capacity = HxUpperCapacity(desc);
}

void
HxInitZonesPage(const HxIndexDesc *desc, Page page, BlockNumber parent)
{
	HxInitPage(page, HX_PAGE_ZONES);
	HxPageOpaque(page)->parent = parent;
	HxPageZones(page)->capacity = HxZonesCapacity(desc);
}

/* Can an axis begin at a number and have such steps? */
static bool
axis_is_sound(double low, double step)
{
	return isfinite(low) && isfinite(step) && step > 0;
}

/* Are the axes and factors of a table of expected misses numbers to use? */
static bool
misses_are_sound(const HxMisses *table)
{
	for (int t = 0; t < HX_MISSES_TARGETS; t++)
	{
		if (!isfinite(table->safety[t]) || table->safety[t] <= 0)
			return false;
		for (int k = 0; k < HX_MISSES_FOUND - 1; k++)
			if (!isfinite(table->safety_of_more[t][k]) ||
				table->safety_of_more[t][k] < 0)
				return false;
		for (int k = 0; k < HX_MISSES_FOUND; k++)
			if (!isfinite(table->safety_filtered[t][k]) ||
				table->safety_filtered[t][k] < 0)
				return false;
		for (int i = 0; i < HX_MISSES_SEARCHES; i++)
			if (!(table->visited[t][i] >= 0 && table->visited[t][i] <= 1))
				return false;
	}
	return axis_is_sound(table->promise_low, table->promise_step) &&
		   axis_is_sound(table->distance_low, table->distance_step);
}

/* Are the numbers of a search of the ring such that sums can be made of it? */
static bool
ring_is_sound(const HxRing *ring)
{
	if (!axis_is_sound(ring->promise_low, ring->promise_step) ||
		!axis_is_sound(ring->distance_low, ring->distance_step) ||
		!isfinite(ring->least_promise) || !isfinite(ring->least_distance) ||
		ring->count > HX_RING_NEAR)
		return false;
	for (int i = 0; i < ring->count; i++)
		if (!isfinite(ring->near[i].distance))
			return false;
	return true;
}

/* What is wrong with a page of a type that only blocks have, or NULL */
const char *
HxBlocksPageFault(const HxIndexDesc *desc, Page page, uint16 type)
{
	switch (type)
	{
		case HX_PAGE_DIRECTORY:
			if (HxPageDirectory(page)->capacity != HxDirectoryCapacity(desc))
				return "directory page of another shape";
			if (HxPageDirectory(page)->count > HxPageDirectory(page)->capacity)
				return "directory page with more entries than fit";
			break;
		case HX_PAGE_UPPER:
			if (HxPageUpper(page)->capacity != HxUpperCapacity(desc))
				return "page of the upper level of another shape";
			if (HxPageUpper(page)->count > HxPageUpper(page)->capacity)
				return "page of the upper level with more entries than fit";
			break;
		case HX_PAGE_ZONES:
			if (HxPageZones(page)->capacity != HxZonesCapacity(desc))
				return "zone page of another shape";
			if (HxPageZones(page)->count > HxPageZones(page)->capacity)
				return "zone page with more zone maps than fit";
			break;
		case HX_PAGE_MISSES:
			if (!misses_are_sound(HxPageMisses(page)))
				return "table of expected misses with impossible numbers";
			break;
		case HX_PAGE_RING:
			if (!ring_is_sound(HxPageRing(page)))
				return "search of the ring with impossible numbers";
			break;
		default:
			return "page of a kind that such an index has not";
	}
	return NULL;
}

/* An entry of a directory page that is locked; errors if there is none. */
HxEntry *
HxGetEntry(Relation index, Buffer directory, int slot)
{
	Page page = BufferGetPage(directory);

	Assert(HxIsLocked(directory, BUFFER_LOCK_SHARE));
	Assert(slot >= 0);
	if (slot >= HxPageDirectory(page)->count)
		HxCorrupted(index, BufferGetBlockNumber(directory),
					psprintf("entry %d is referred to, but there are %u", slot,
							 HxPageDirectory(page)->count));
	return &HxPageEntries(page)[slot];
}

/* A zone map of a zone page that is locked; errors if there is none. */
HxZone *
HxGetZone(Relation index, const HxIndexDesc *desc, Buffer zones, int slot)
{
	Page page = BufferGetPage(zones);

	Assert(HxIsLocked(zones, BUFFER_LOCK_SHARE));
	Assert(slot >= 0);
	if (slot >= HxPageZones(page)->count)
		HxCorrupted(index, BufferGetBlockNumber(zones),
					psprintf("zone map %d is referred to, but there are %u",
							 slot, HxPageZones(page)->count));
	return HxPageZone(desc, page, slot);
}
