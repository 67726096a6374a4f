/*
 * rewrite.c
 *	  Replacing one or two blocks by others that hold the same rows.
 *
 * See README, "Rows that move": copy the rows, write them to new pages that
 * nothing points to, switch the directory by one record unless a block changed
 * meanwhile, free the old pages.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"
#include "utils/memutils.h"

#include "index/page/inject.h"
#include "index/blocks/store/span.h"
#include "index/blocks/change/rewrite.h"
#include "index/blocks/build/write.h"

/* Pages that one record frees */
#define PAGES_A_RECORD 4

/* An entry that the switch changes */
typedef struct Change
{
	HxEntryAddress place;
	const HxTarget *target; /* NULL: becomes free */
	BlockNumber zones;
	uint16 zone;
	Buffer directory; /* may be the same as of the change before */
	Buffer zone_page; /* likewise */
} Change;

HxRewrite *
HxBeginRewrite(Relation index, const HxIndexDesc *desc)
{
	bool anywhere = HxTryLockMoves(index);
	MemoryContext context;
	HxRewrite *rewrite;

	Assert(HxHoldsNoPage());
	if (!HxTryLockStructure(index))
	{
		if (anywhere)
			HxUnlockMoves(index);
		return NULL;
	}
	context = AllocSetContextCreate(CurrentMemoryContext, "hashemb rewrite",
									ALLOCSET_DEFAULT_SIZES);
	rewrite = MemoryContextAllocZero(context, sizeof(HxRewrite));
	rewrite->index = index;
	rewrite->desc = desc;
	rewrite->anywhere = anywhere;
	rewrite->context = context;
	rewrite->outer = MemoryContextSwitchTo(context);
	return rewrite;
}

void
HxEndRewrite(HxRewrite *rewrite)
{
	Relation index = rewrite->index;

	Assert(HxHoldsNoPage() && !BufferIsValid(rewrite->locked));
	HxUnlockStructure(index);
	if (rewrite->anywhere)
		HxUnlockMoves(index);
	MemoryContextSwitchTo(rewrite->outer);
	MemoryContextDelete(rewrite->context);
}

uint64
HxReserveOwners(Relation index, int count)
{
	Buffer buffer =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	GenericXLogState *state = GenericXLogStart(index);
	HxMeta *meta = HxPageMeta(GenericXLogRegisterBuffer(state, buffer, 0));
	uint64 first = meta->next_owner;

	Assert(count > 0);
	meta->next_owner += count;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	return first;
}

/* ---- copying ---- */

/* Copy the entry of a place; false if it is free. */
static bool
copy_entry(const HxRewrite *rewrite, HxEntryAddress place, HxEntry *entry)
{
	Buffer buffer = rewrite->locked;

	Assert(!BufferIsValid(buffer) ||
		   BufferGetBlockNumber(buffer) == place.page);
	if (!BufferIsValid(buffer))
		buffer = HxReadPage(rewrite->index, place.page, BUFFER_LOCK_SHARE,
							HX_PAGE_DIRECTORY);
	*entry = *HxGetEntry(rewrite->index, buffer, place.slot);
	if (!BufferIsValid(rewrite->locked))
		UnlockReleaseBuffer(buffer);
	return !(entry->flags & HX_ENTRY_FREE);
}

/* Make an array longer, or the first time. */
static void *
lengthen(void *array, Size count, Size size)
{
	Size bytes = Max(count * size, 1);

	return array ? repalloc_huge(array, bytes)
				 : MemoryContextAllocHuge(CurrentMemoryContext, bytes);
}

bool
HxFitsRewrite(const HxIndexDesc *desc, uint64 rows)
{
	return rows * HxRowSize(desc) <= (uint64) maintenance_work_mem * 1024;
}

/* Make room for more rows; false if that would be too many. */
static bool
reserve_rows(HxRewrite *rewrite, uint32 more)
{
	const HxIndexDesc *desc = rewrite->desc;
	uint64 room = (uint64) rewrite->count + more;

	if (!HxFitsRewrite(desc, room))
		return false;
	rewrite->room = (int) room;
	rewrite->payloads = lengthen(rewrite->payloads, room, desc->payload);
	rewrite->words =
		lengthen(rewrite->words, room, desc->nwords * sizeof(int64));
	rewrite->nulls = lengthen(rewrite->nulls, room, sizeof(uint32));
	rewrite->tids = lengthen(rewrite->tids, room, sizeof(ItemPointerData));
	return true;
}

/* Copy the rows of a page; false if there is no room for them. */
static bool
copy_page(HxRewrite *rewrite, Page page)
{
	const HxIndexDesc *desc = rewrite->desc;
	HxRowArrays rows;
	int at = rewrite->count;

	HxRowArraysOf(desc, page, &rows);
	if (at + rows.count > rewrite->room)
		return false;
	memcpy(rewrite->payloads + (Size) at * desc->payload, rows.payloads,
		   rows.count * desc->payload);
	memcpy(rewrite->tids + at, rows.tids, rows.count * sizeof(ItemPointerData));
	for (int i = 0; i < rows.count; i++)
	{
		HxAttrRow attrs;

		HxGetRowAttrs(desc, &rows, i, &attrs);
		rewrite->nulls[at + i] = attrs.nulls;
		memcpy(rewrite->words + (Size) (at + i) * desc->nwords, attrs.words,
			   desc->nwords * sizeof(int64));
	}
	rewrite->count += rows.count;
	return true;
}

bool
HxCopyBlock(HxRewrite *rewrite, HxEntryAddress place)
{
	HxSource *source = &rewrite->sources[rewrite->nsources];
	int before = rewrite->count;
	BlockNumber next;

	Assert(HxHoldsStructure(rewrite->index));
	Assert(rewrite->nsources < HX_REWRITE_SOURCES);
	source->place = place;
	source->npages = 0;
	if (!copy_entry(rewrite, place, &source->entry) ||
		source->entry.pages > RelationGetNumberOfBlocks(rewrite->index) ||
		!reserve_rows(rewrite, source->entry.rows))
		return false;
	source->pages = lengthen(NULL, source->entry.pages, sizeof(BlockNumber));
	for (next = source->entry.first; next != InvalidBlockNumber;)
	{
		Buffer buffer = HxReadRows(rewrite->index, rewrite->desc, next,
								   source->entry.owner);
		bool fits;

		if (!BufferIsValid(buffer))
			return false;
		fits = source->npages < source->entry.pages &&
			   copy_page(rewrite, BufferGetPage(buffer));
		if (fits)
			source->pages[source->npages++] = next;
		next = HxPageOpaque(BufferGetPage(buffer))->next;
		UnlockReleaseBuffer(buffer);
		if (!fits)
			return false;
	}
	rewrite->nsources++;
	return rewrite->count - before == source->entry.rows;
}

/* Is a source's entry as it was when the block was copied? */
static bool
is_same_entry(Page directory, const HxSource *source)
{
	const HxEntry *entry = &HxPageEntries(directory)[source->place.slot];

	return entry->owner == source->entry.owner &&
		   entry->changes == source->entry.changes;
}

bool
HxIsUnchanged(const HxRewrite *rewrite)
{
	bool same = true;

	if (BufferIsValid(rewrite->locked))
		return true;
	for (int s = 0; s < rewrite->nsources && same; s++)
	{
		const HxSource *source = &rewrite->sources[s];
		Buffer buffer = HxReadPage(rewrite->index, source->place.page,
								   BUFFER_LOCK_SHARE, HX_PAGE_DIRECTORY);

		same = is_same_entry(BufferGetPage(buffer), source);
		UnlockReleaseBuffer(buffer);
	}
	return same;
}

/* ---- writing ---- */

/*
 * A page for rows that move: after all pages that they come from, unless nobody
 * walks through the file.
 */
static Buffer
new_page(HxRewrite *rewrite)
{
	BlockNumber after = HX_METAPAGE;
	bool reused;
	Buffer buffer;

	for (int s = 0; s < rewrite->nsources && !rewrite->anywhere; s++)
		for (int p = 0; p < rewrite->sources[s].npages; p++)
			after = Max(after, rewrite->sources[s].pages[p]);
	buffer = HxNewBufferAfter(rewrite->index, after, &reused);
	rewrite->reused += reused;
	return buffer;
}

/* Attributes of a copied row. */
static void
get_attrs(const HxRewrite *rewrite, int row, HxAttrRow *attrs)
{
	int nwords = rewrite->desc->nwords;

	attrs->nulls = rewrite->nulls[row];
	memcpy(attrs->words, rewrite->words + (Size) row * nwords,
		   nwords * sizeof(int64));
}

/* Count a row in the summary of its new block. */
static void
summarise(const HxRewrite *rewrite, HxTarget *target, const uint8 *payload,
		  const HxAttrRow *attrs)
{
	const HxIndexDesc *desc = rewrite->desc;
	HxEntry *entry = &target->entry;
	uint32 spread;
	uint32 weight = HxPayloadOf(desc)->weight(desc, payload);

	HxPayloadOf(desc)->spreads(desc, payload, target->centroid, 1, &spread);
	entry->rows++;
	entry->radius = Max(entry->radius, spread);
	entry->min_weight = Min(entry->min_weight, weight);
	entry->max_weight = Max(entry->max_weight, weight);
	HxWidenZone(desc, target->zone, attrs);
}

/*
 * Write rows to a page that was just added and is locked, and release it.  The
 * page that is to follow is named, and will be written next.
 */
static void
write_page(HxRewrite *rewrite, HxTarget *target, Buffer buffer,
		   BlockNumber next, const int *rows, int first, int end)
{
	const HxIndexDesc *desc = rewrite->desc;
	GenericXLogState *state = GenericXLogStart(rewrite->index);
	Page page =
		GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);

	Assert(HxIsLocked(buffer, BUFFER_LOCK_EXCLUSIVE));
	Assert(first < end && end - first <= desc->capacity);
	HxInitRowsPage(desc, page, target->entry.owner, target->place);
	HxPageOpaque(page)->next = next;
	for (int i = first; i < end; i++)
	{
		int row = rows ? rows[i] : i;
		const uint8 *payload = rewrite->payloads + (Size) row * desc->payload;
		HxAttrRow attrs;

		Assert(row >= 0 && row < rewrite->count);
		get_attrs(rewrite, row, &attrs);
		HxPutRow(desc, page, payload, &attrs, &rewrite->tids[row]);
		summarise(rewrite, target, payload, &attrs);
	}
	GenericXLogFinish(state);
	target->pages[target->npages++] = BufferGetBlockNumber(buffer);
	UnlockReleaseBuffer(buffer);
}

void
HxWriteTarget(HxRewrite *rewrite, HxTarget *target, const int *rows, int count)
{
	const HxIndexDesc *desc = rewrite->desc;
	HxEntry *entry = &target->entry;
	int pages = (count + desc->capacity - 1) / desc->capacity;
	Buffer buffer = new_page(rewrite);

	Assert(count > 0 && count <= rewrite->count);
	entry->rows = entry->radius = entry->max_weight = entry->changes = 0;
	entry->flags = entry->split_above = 0;
	entry->min_weight = PG_UINT32_MAX;
	target->zone = palloc(HX_ZONE_SIZE(desc->nwords));
	HxInitZone(desc, target->zone);
	target->pages = lengthen(NULL, pages, sizeof(BlockNumber));
	target->npages = 0;
	for (int p = 0; p < pages; p++)
	{
		/*
		 * The next page is locked before this one names it, so that nobody
		 * takes it for a free one: see index/README, "Concurrency".
		 */
		Buffer next = p + 1 < pages ? new_page(rewrite) : InvalidBuffer;

		write_page(rewrite, target, buffer,
				   BufferIsValid(next) ? BufferGetBlockNumber(next)
									   : InvalidBlockNumber,
				   rows, p * desc->capacity,
				   Min((p + 1) * desc->capacity, count));
		buffer = next;
		HX_INJECT_LOCKED("rewrite-page");
	}
	entry->pages = pages;
	entry->first = target->pages[0];
	entry->append = target->pages[pages - 1];
	Assert(entry->rows == (uint32) count && target->npages == pages);
}

/* ---- switching ---- */

/* The entries to change, those of the sources first; returns how many. */
static int
list_changes(const HxRewrite *rewrite, Change *changes)
{
	int count = 0;

	for (int s = 0; s < rewrite->nsources; s++)
	{
		const HxSource *source = &rewrite->sources[s];

		memset(&changes[count], 0, sizeof(Change));
		changes[count].place = source->place;
		changes[count].zones = source->entry.zones;
		changes[count++].zone = source->entry.zone;
	}
	for (int t = 0; t < rewrite->ntargets; t++)
	{
		const HxTarget *target = &rewrite->targets[t];
		int c = 0;

		while (c < count && (changes[c].place.page != target->place.page ||
							 changes[c].place.slot != target->place.slot))
			c++;
		if (c == count)
		{
			memset(&changes[count++], 0, sizeof(Change));
			changes[c].place = target->place;
			changes[c].zones = target->entry.zones;
			changes[c].zone = target->entry.zone;
		}
		changes[c].target = target;
	}
	Assert(count <= HX_REWRITE_SOURCES + HX_REWRITE_TARGETS);
	return count;
}

/* The first change of the directory page that a change is of. */
static int
first_of_directory(const Change *changes, int c)
{
	int first = 0;

	while (changes[first].place.page != changes[c].place.page)
		first++;
	return first;
}

/* The first change of the zone page that a change is of. */
static int
first_of_zones(const Change *changes, int c)
{
	int first = 0;

	while (changes[first].zones != changes[c].zones)
		first++;
	return first;
}

/*
 * Lock the pages of the changes, each once.  The order of a directory page's
 * zone pages does not matter: who locks two of them has locked it exclusively.
 */
static void
lock_changes(HxRewrite *rewrite, Change *changes, int count)
{
	for (int c = 0; c < count; c++)
	{
		int first = first_of_directory(changes, c);

		if (first < c)
			changes[c].directory = changes[first].directory;
		else if (c == 0 && BufferIsValid(rewrite->locked))
			changes[c].directory = rewrite->locked;
		else
			changes[c].directory =
				HxReadPage(rewrite->index, changes[c].place.page,
						   BUFFER_LOCK_EXCLUSIVE, HX_PAGE_DIRECTORY);
	}
	for (int c = 0; c < count; c++)
	{
		int first = first_of_zones(changes, c);

		if (first < c)
			changes[c].zone_page = changes[first].zone_page;
		else
			changes[c].zone_page =
				HxReadPage(rewrite->index, changes[c].zones,
						   BUFFER_LOCK_EXCLUSIVE, HX_PAGE_ZONES);
		if (changes[c].zone >= HxZonesCapacity(rewrite->desc))
			HxCorrupted(rewrite->index, changes[c].place.page,
						"an entry names an impossible zone map");
	}
}

static void
unlock_changes(HxRewrite *rewrite, const Change *changes, int count)
{
	for (int c = count - 1; c >= 0; c--)
		if (first_of_zones(changes, c) == c)
			UnlockReleaseBuffer(changes[c].zone_page);
	for (int c = count - 1; c >= 0; c--)
		if (first_of_directory(changes, c) == c)
			UnlockReleaseBuffer(changes[c].directory);
	rewrite->locked = InvalidBuffer;
}

/* Change an entry, its centroid and its zone map. */
static void
apply_change(const HxIndexDesc *desc, const Change *change, Page directory,
			 Page zones)
{
	int slot = change->place.slot;
	HxEntry *entry = &HxPageEntries(directory)[slot];
	HxZone *zone = HxPageZone(desc, zones, change->zone);

	Assert(slot < HxPageDirectory(directory)->capacity);
	if (change->target)
	{
		*entry = change->target->entry;
		memcpy(HxPageCentroids(directory) + slot * desc->payload,
			   change->target->centroid, desc->payload);
		memcpy(zone, change->target->zone, HX_ZONE_SIZE(desc->nwords));
		HxAddSpan(&HxPageDirectory(directory)->range, HxZoneSpan(desc, zone));
	}
	else
	{
		memset(entry, 0, sizeof(*entry));
		entry->flags = HX_ENTRY_FREE;
		entry->first = entry->append = InvalidBlockNumber;
		HxInitZone(desc, zone);
	}
	entry->zones = change->zones;
	entry->zone = change->zone;
	HxPageDirectory(directory)->count =
		Max(HxPageDirectory(directory)->count, slot + 1);
	HxPageZones(zones)->count =
		Max(HxPageZones(zones)->count, change->zone + 1);
}

bool
HxSwitchBlocks(HxRewrite *rewrite)
{
	Change changes[HX_REWRITE_SOURCES + HX_REWRITE_TARGETS];
	int count = list_changes(rewrite, changes);
	bool same = true;

	Assert(HxHoldsStructure(rewrite->index) && rewrite->nsources > 0);
	if (BufferIsValid(rewrite->locked))
		HX_INJECT_LOCKED("rewrite-before-switch");
	else
		HX_INJECT("rewrite-before-switch");
	lock_changes(rewrite, changes, count);
	for (int s = 0; s < rewrite->nsources; s++)
		same &= is_same_entry(BufferGetPage(changes[s].directory),
							  &rewrite->sources[s]);
	if (same)
	{
		GenericXLogState *state = GenericXLogStart(rewrite->index);

		for (int c = 0; c < count; c++)
		{
			/* A buffer that is registered again gives the same copy. */
			Page directory =
				GenericXLogRegisterBuffer(state, changes[c].directory, 0);
			Page zones =
				GenericXLogRegisterBuffer(state, changes[c].zone_page, 0);

			apply_change(rewrite->desc, &changes[c], directory, zones);
		}
		GenericXLogFinish(state);
	}
	unlock_changes(rewrite, changes, count);
	if (same)
		HX_INJECT("rewrite-after-switch");
	return same;
}

/* ---- freeing ---- */

/* Free some pages by one record, as far as they are still the owner's. */
static void
free_some(Relation index, const BlockNumber *pages, int count, uint64 owner)
{
	Buffer buffers[PAGES_A_RECORD];
	bool freed[PAGES_A_RECORD] = {false};
	GenericXLogState *state = GenericXLogStart(index);
	bool any = false;

	StaticAssertStmt(PAGES_A_RECORD <= MAX_GENERIC_XLOG_PAGES,
					 "one record changes them");
	Assert(count > 0 && count <= PAGES_A_RECORD);
	for (int i = 0; i < count; i++)
	{
		Page page;

		buffers[i] = HxReadBuffer(index, pages[i], BUFFER_LOCK_EXCLUSIVE, NULL);
		page = BufferGetPage(buffers[i]);
		if (PageIsNew(page) || !HxPageIsSound(page) ||
			HxPageOpaque(page)->kind !=
				(owner == HX_NO_OWNER ? HX_PAGE_ZONES : HX_PAGE_ROWS) ||
			HxPageOpaque(page)->owner != owner)
			continue;
		HxMarkPageFree(GenericXLogRegisterBuffer(state, buffers[i], 0));
		any = freed[i] = true;
	}
	if (any)
		GenericXLogFinish(state);
	else
		GenericXLogAbort(state);
	for (int i = count - 1; i >= 0; i--)
	{
		UnlockReleaseBuffer(buffers[i]);
		if (freed[i])
			RecordFreeIndexPage(index, pages[i]);
	}
}

void
HxFreePages(Relation index, const BlockNumber *pages, int count, uint64 owner)
{
	Assert(HxHoldsNoPage());
	for (int i = 0; i < count; i += PAGES_A_RECORD)
	{
		CHECK_FOR_INTERRUPTS();
		free_some(index, pages + i, Min(PAGES_A_RECORD, count - i), owner);
	}
	HxShowFreePages(index, pages, count);
}

void
HxResetRewrite(HxRewrite *rewrite)
{
	rewrite->nsources = rewrite->ntargets = rewrite->count = 0;
}
