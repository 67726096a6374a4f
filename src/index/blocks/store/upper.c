/*
 * upper.c
 *	  The upper level of the directory.
 *
 * See README, "The upper level".  Its entries are hints as to where near blocks
 * are; which directory pages there are it says exactly.
 */
#include "postgres.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "miscadmin.h"

#include "index/blocks/store/assign.h"
#include "index/blocks/store/upper.h"

/* Payloads that a division in two learns from at most */
#define SAMPLE 4096
/* Directory pages that a row is compared with: their number's root, times this */
#define SEARCHED_ROOTS 2.0

/* ---- nearness ---- */

/* Payloads being divided in two */
typedef struct Bisection
{
	const HxIndexDesc *desc;
	const uint8 *payloads;
	int64 *leanings; /* by index: how much nearer to the first mean */
} Bisection;

static int
compare_leanings(const void *a, const void *b, void *state)
{
	const Bisection *bisection = state;
	int left = *(const int *) a;
	int right = *(const int *) b;
	int64 difference = bisection->leanings[right] - bisection->leanings[left];

	if (difference != 0)
		return difference < 0 ? -1 : 1;
	return left < right ? -1 : left > right;
}

/* Two means of the payloads; false if they come together. */
static bool
find_means(const Bisection *bisection, const int *indexes, int count,
		   uint8 *means)
{
	Size size = bisection->desc->payload;
	int nsample = Min(count, SAMPLE);
	uint8 *sample = palloc(nsample * size);
	int found;

	for (int i = 0; i < nsample; i++)
		memcpy(sample + i * size,
			   bisection->payloads +
				   (Size) indexes[(int64) i * count / nsample] * size,
			   size);
	found = HxTrainAlone(bisection->desc, sample, nsample, means, 2);
	pfree(sample);
	return found == 2;
}

/* HxBisect with room for the leanings at hand. */
static int
bisect(Bisection *bisection, int *indexes, int count)
{
	const HxIndexDesc *desc = bisection->desc;
	uint8 *means = palloc(2 * desc->payload);
	int first = 0;

	if (find_means(bisection, indexes, count, means))
	{
		for (int i = 0; i < count; i++)
		{
			uint32 spreads[2];
			int64 leaning;

			CHECK_FOR_INTERRUPTS();
			HxPayloadOf(desc)->spreads(
				desc, bisection->payloads + (Size) indexes[i] * desc->payload,
				means, 2, spreads);
			leaning = (int64) spreads[1] - spreads[0];
			bisection->leanings[indexes[i]] = leaning;
			first += leaning > 0;
		}
		qsort_arg(indexes, count, sizeof(int), compare_leanings, bisection);
	}
	else
		first = count / 2;
	Assert(first >= 0 && first <= count);
	pfree(means);
	return first;
}

int
HxBisect(const HxIndexDesc *desc, const uint8 *payloads, int *indexes,
		 int count)
{
	Bisection bisection = {desc, payloads};
	int first;
	int most = 0;

	for (int i = 0; i < count; i++)
		most = Max(most, indexes[i]);
	bisection.leanings = palloc((most + 1) * sizeof(int64));
	first = bisect(&bisection, indexes, count);
	pfree(bisection.leanings);
	return first;
}

/*
 * Order the payloads whose indexes are order[first] .. order[end - 1], where
 * order[0] comes into slot 1.  Parts end where pages do.
 */
static void
order_part(Bisection *bisection, int *order, int first, int end)
{
	int capacity = HxDirectoryCapacity(bisection->desc);
	int pages;
	int cut;

	if ((first + 1) / capacity == end / capacity)
		return; /* all on one page */
	cut = first + bisect(bisection, order + first, end - first);
	pages = (cut + 1 + capacity / 2) / capacity;
	pages = Max(pages, (first + 1) / capacity + 1);
	pages = Min(pages, end / capacity);
	cut = pages * capacity - 1;
	Assert(first < cut && cut < end);
	order_part(bisection, order, first, cut);
	order_part(bisection, order, cut, end);
}

void
HxOrderCentroids(const HxIndexDesc *desc, uint8 *centroids, int count)
{
	Bisection bisection = {desc, centroids};
	Size size = desc->payload;
	uint8 *copy;
	int *order;

	if (count < HxDirectoryCapacity(desc))
		return;
	order = MemoryContextAllocHuge(CurrentMemoryContext,
								   (Size) count * sizeof(int));
	bisection.leanings = MemoryContextAllocHuge(CurrentMemoryContext,
												(Size) count * sizeof(int64));
	for (int i = 0; i < count; i++)
		order[i] = i;
	order_part(&bisection, order, 0, count);
	pfree(bisection.leanings);
	copy = MemoryContextAllocHuge(CurrentMemoryContext, (Size) count * size);
	memcpy(copy, centroids, (Size) count * size);
	for (int i = 0; i < count; i++)
		memcpy(centroids + (Size) i * size, copy + (Size) order[i] * size,
			   size);
	pfree(copy);
	pfree(order);
}

/* ---- entries ---- */

void
HxSummarisePage(const HxIndexDesc *desc, Page page, BlockNumber block,
				HxUpperEntry *entry, uint8 *centroid)
{
	const HxEntry *entries = HxPageEntries(page);
	uint8 *centroids = palloc(HX_PAGE_ROOM);

	memset(entry, 0, sizeof(*entry));
	memset(centroid, 0, desc->payload);
	entry->page = block;
	for (int i = 0; i < HxPageDirectory(page)->count; i++)
	{
		if (entries[i].flags & (HX_ENTRY_FREE | HX_ENTRY_NULLS))
			continue;
		memcpy(centroids + entry->blocks++ * desc->payload,
			   HxPageCentroids(page) + i * desc->payload, desc->payload);
		entry->rows += entries[i].rows;
	}
	Assert(entry->blocks <= (uint32) HxDirectoryCapacity(desc));
	if (entry->blocks > 0)
		HxTrainAlone(desc, centroids, entry->blocks, centroid, 1);
	pfree(centroids);
}

void
HxPutUpperEntry(const HxIndexDesc *desc, Page upper, int slot,
				const HxUpperEntry *entry, const uint8 *centroid)
{
	Assert(slot >= 0 && slot < HxPageUpper(upper)->capacity);
	HxPageUpperEntries(upper)[slot] = *entry;
	memcpy(HxPageUpperCentroids(upper) + slot * desc->payload, centroid,
		   desc->payload);
	HxPageUpper(upper)->count = Max(HxPageUpper(upper)->count, slot + 1);
}

/* ---- reading ---- */

/* Directory pages by their spread from a payload */
typedef struct PageChoice
{
	BlockNumber *pages;
	uint32 *spreads;
	int count;
	int room;
} PageChoice;

static void
add_near_page(PageChoice *near, BlockNumber page, uint32 spread)
{
	if (near->count == near->room)
	{
		near->room *= 2;
		near->pages =
			repalloc_huge(near->pages, near->room * sizeof(BlockNumber));
		near->spreads =
			repalloc_huge(near->spreads, near->room * sizeof(uint32));
	}
	near->pages[near->count] = page;
	near->spreads[near->count++] = spread;
}

/* Add the directory pages that a page of the upper level describes. */
static void
add_upper_page(Page page, const HxMeasured *payload, PageChoice *near,
			   uint32 *spreads, uint64 *rows)
{
	const HxUpperEntry *entries = HxPageUpperEntries(page);
	int count = HxPageUpper(page)->count;

	HxSpreadsOf(payload, HxPageUpperCentroids(page), count, spreads);
	for (int i = 0; i < count; i++)
	{
		*rows += entries[i].rows;
		if (entries[i].blocks > 0)
			add_near_page(near, entries[i].page, spreads[i]);
	}
}

/* Bring the nearest pages to the front; returns how many they are. */
static int
select_nearest(PageChoice *near)
{
	int wanted =
		Min((int) ceil(SEARCHED_ROOTS * sqrt(near->count)), near->count);

	Assert(wanted <= near->count);
	for (int i = 0; i < wanted; i++)
	{
		int best = i;
		BlockNumber page;

		for (int j = i + 1; j < near->count; j++)
			if (near->spreads[j] < near->spreads[best])
				best = j;
		page = near->pages[best];
		near->pages[best] = near->pages[i];
		near->pages[i] = page;
		near->spreads[best] = near->spreads[i];
	}
	return wanted;
}

BlockNumber *
HxNearestPages(Relation index, const HxIndexDesc *desc, BlockNumber upper,
			   const HxMeasured *payload, int *count, uint64 *rows)
{
	PageChoice near = {.room = HxUpperCapacity(desc)};
	uint32 *spreads = palloc(near.room * sizeof(uint32));
	HxChainCursor cursor;
	Page page;

	Assert(HxHoldsNoPage());
	near.pages = palloc(near.room * sizeof(BlockNumber));
	near.spreads = palloc(near.room * sizeof(uint32));
	*rows = 0;
	HxBeginChain(&cursor, index, upper, HX_PAGE_UPPER, BUFFER_LOCK_SHARE);
	while ((page = HxNextPage(&cursor)))
		add_upper_page(page, payload, &near, spreads, rows);
	*count = select_nearest(&near);
	pfree(spreads);
	pfree(near.spreads);
	return near.pages;
}

/* ---- writing ---- */

/* Store an entry over the one of the same directory page, unless it is equal. */
static void
replace_entry(Relation index, const HxIndexDesc *desc, Buffer buffer, int slot,
			  const HxUpperEntry *entry, const uint8 *centroid)
{
	Page page = BufferGetPage(buffer);
	GenericXLogState *state;

	Assert(HxIsLocked(buffer, BUFFER_LOCK_EXCLUSIVE));
	Assert(HxPageUpperEntries(page)[slot].page == entry->page);
	if (memcmp(&HxPageUpperEntries(page)[slot], entry, sizeof(*entry)) == 0 &&
		memcmp(HxPageUpperCentroids(page) + slot * desc->payload, centroid,
			   desc->payload) == 0)
		return;
	state = GenericXLogStart(index);
	HxPutUpperEntry(desc, GenericXLogRegisterBuffer(state, buffer, 0), slot,
					entry, centroid);
	GenericXLogFinish(state);
}

void
HxRefreshUpper(Relation index, const HxIndexDesc *desc, BlockNumber page)
{
	uint8 *centroid = palloc(desc->payload);
	bool found = false;
	uint32 steps = 0;
	HxUpperEntry entry;
	BlockNumber upper;
	Buffer buffer;
	HxMeta meta;

	Assert(HxHoldsNoPage());
	HxReadMeta(index, &meta);
	if (meta.upper == InvalidBlockNumber)
		return;
	buffer = HxReadPage(index, page, BUFFER_LOCK_SHARE, HX_PAGE_DIRECTORY);
	HxSummarisePage(desc, BufferGetPage(buffer), page, &entry, centroid);
	UnlockReleaseBuffer(buffer);
	for (upper = meta.upper; upper != InvalidBlockNumber && !found;)
	{
		Page at;

		buffer = HxReadPage(index, upper, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_UPPER);
		at = BufferGetPage(buffer);
		HxCountStep(index, upper, &steps);
		for (int i = 0; i < HxPageUpper(at)->count && !found; i++)
		{
			found = HxPageUpperEntries(at)[i].page == page;
			if (found)
				replace_entry(index, desc, buffer, i, &entry, centroid);
		}
		upper = HxPageOpaque(at)->next;
		UnlockReleaseBuffer(buffer);
	}
	pfree(centroid);
}

/* The last page of the upper level, and whether it has room. */
static BlockNumber
last_upper_page(Relation index, BlockNumber block, bool *has_room)
{
	uint32 steps = 0;

	for (;;)
	{
		Buffer buffer =
			HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_PAGE_UPPER);
		Page page = BufferGetPage(buffer);
		BlockNumber next = HxPageOpaque(page)->next;

		*has_room = HxPageUpper(page)->count < HxPageUpper(page)->capacity;
		UnlockReleaseBuffer(buffer);
		HxCountStep(index, block, &steps);
		if (next == InvalidBlockNumber)
			return block;
		block = next;
	}
}

/*
 * Add a page to the upper level behind the last one, or make the first, which
 * describes the only directory page.  One record links it.
 */
static BlockNumber
add_page(Relation index, const HxIndexDesc *desc, BlockNumber directory,
		 BlockNumber last)
{
	bool first = last == InvalidBlockNumber;
	uint8 *centroid = palloc(desc->payload);
	HxUpperEntry entry = {directory};
	bool reused;
	Buffer buffer = HxNewBuffer(index, &reused);
	BlockNumber added = BufferGetBlockNumber(buffer);
	Buffer before =
		HxReadPage(index, first ? HX_METAPAGE : last, BUFFER_LOCK_EXCLUSIVE,
				   first ? HX_PAGE_META : HX_PAGE_UPPER);
	GenericXLogState *state = GenericXLogStart(index);
	Page page =
		GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);
	Page before_page = GenericXLogRegisterBuffer(state, before, 0);

	HxInitUpperPage(desc, page);
	memset(centroid, 0, desc->payload);
	if (first)
	{
		HxPutUpperEntry(desc, page, 0, &entry, centroid);
		HxPageMeta(before_page)->upper = added;
	}
	else
		HxPageOpaque(before_page)->next = added;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(before);
	UnlockReleaseBuffer(buffer);
	pfree(centroid);
	return added;
}

BlockNumber
HxRoomInUpper(Relation index, const HxIndexDesc *desc)
{
	BlockNumber last = InvalidBlockNumber;
	bool has_room = false;
	HxMeta meta;

	Assert(HxHoldsStructure(index) && HxHoldsNoPage());
	HxReadMeta(index, &meta);
	if (meta.upper != InvalidBlockNumber)
		last = last_upper_page(index, meta.upper, &has_room);
	if (!has_room)
		last = add_page(index, desc, meta.directory, last);
	return last;
}
