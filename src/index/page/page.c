/*
 * page.c
 *	  Reading pages with checks of what is read, allocating and freeing them.
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/buf_internals.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

#include "compat.h"
#include "index/kind.h"
#include "index/page/page.h"

/* Cache lines of a part that are prefetched; hardware fetches what follows */
#define PREFETCHED_LINES 6

/* Free pages looked at for one that comes after a given page */
#define MOST_REFUSED 4

/* ---- checks ---- */

/* Report a corrupted page and give up. */
void
HxCorrupted(Relation index, BlockNumber block, const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
					errmsg("index \"%s\" is corrupted at block %u: %s",
						   RelationGetRelationName(index), block, detail),
					errhint("Please REINDEX it.")));
}

/*
 * Is the page of our making, without a hole that generic WAL would clear?
 * Pages of rows have one, where HxPageFault looks for it, and freed ones keep
 * what they had.
 */
bool
HxPageIsSound(Page page)
{
	PageHeader header = (PageHeader) page;
	const HxOpaque *opaque;

	if (PageIsNew(page) || PageGetPageSize(page) != BLCKSZ ||
		header->pd_special != BLCKSZ - MAXALIGN(sizeof(HxOpaque)))
		return false;
	opaque = HxPageOpaque(page);
	if (opaque->page_id != HX_PAGE_ID || !HxPageTypeIsKnown(opaque->kind))
		return false;
	return opaque->kind == HX_PAGE_ROWS || opaque->kind == HX_PAGE_FREE ||
		   (header->pd_lower == header->pd_special &&
			header->pd_upper == header->pd_special);
}

/* Is the hole of a page of rows where it should be? */
static bool
hole_is_right(const HxIndexDesc *desc, Page page)
{
	PageHeader header = (PageHeader) page;
	LocationIndex lower;
	LocationIndex upper;

	HxHoleOf(desc, page, &lower, &upper);
	return header->pd_lower == lower && header->pd_upper == upper;
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
		if (!isfinite(table->safety[t]) || table->safety[t] <= 0)
			return false;
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

/*
 * What is wrong with a page that should be of a kind, or NULL: whatever is
 * accepted has arrays that lie within the page.
 */
const char *
HxPageFault(const HxIndexDesc *desc, Page page, uint16 kind)
{
	if (!HxPageIsSound(page))
		return "not a sound hashemb page";
	if (HxPageOpaque(page)->kind != kind)
		return psprintf("page of kind %u where kind %u was expected",
						HxPageOpaque(page)->kind, kind);
	switch (kind)
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
		case HX_PAGE_ROWS:
			if (HxPageRows(page)->capacity != desc->capacity)
				return "rows page of another shape";
			if (HxPageRows(page)->count > HxPageRows(page)->capacity)
				return "rows page with more rows than fit";
			if (!hole_is_right(desc, page))
				return "rows page whose room is not where its rows end";
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
			break;
	}
	return NULL;
}

/* Error if a page that is referred to is not in the file. */
static void
check_in_file(Relation index, BlockNumber block)
{
	BlockNumber npages = RelationGetNumberOfBlocks(index);

	if (block >= npages)
		HxCorrupted(
			index, block,
			psprintf("it is referred to, but the index has %u blocks", npages));
}

/*
 * Does this backend hold the lock of a page already?  Only a corrupted pointer
 * leads there, and waiting for it would never end.  Pages of temporary indexes
 * have no locks.
 */
static bool
is_locked_by_me(Buffer buffer)
{
	return !BufferIsLocal(buffer) &&
		   LWLockHeldByMe(
			   BufferDescriptorGetContentLock(GetBufferDescriptor(buffer - 1)));
}

#ifdef USE_ASSERT_CHECKING
bool
HxIsLocked(Buffer buffer, int lockmode)
{
	LWLock *lock;

	if (BufferIsLocal(buffer))
		return true;
	lock = BufferDescriptorGetContentLock(GetBufferDescriptor(buffer - 1));
	return lockmode == BUFFER_LOCK_EXCLUSIVE
			   ? LWLockHeldByMeInMode(lock, LW_EXCLUSIVE)
			   : LWLockHeldByMe(lock);
}

bool
HxHoldsNoPage(void)
{
	return !HX_HOLDS_ANY_LOCK(
		BufferDescriptorGetContentLock(GetBufferDescriptor(0)), NBuffers,
		sizeof(BufferDescPadded));
}
#endif

/*
 * Where this backend last found pages.  An entry may have been overwritten by
 * another page or be out of date: ReadRecentBuffer compares the tag.
 */
#define RECENT_BUFFERS 262144
static Buffer recent_buffers[RECENT_BUFFERS];

static Buffer *
recent_buffer(Relation index, BlockNumber block)
{
	return &recent_buffers[(HX_FILE_NUMBER(index) * 2654435761U + block) %
						   RECENT_BUFFERS];
}

/*
 * Pin a page; errors if the file has no such page.  A search reads hundreds of pages whose place in the buffer
 * table is seldom in the processor's cache, so the buffer where a page was
 * last found is tried first.  That does not count as a use for the buffer
 * manager, so one read in 64 goes the ordinary way.  Only there the length of the
 * file is asked for: a page that is in a buffer is in the file.
 */
static Buffer
pin_page(Relation index, BlockNumber block, BufferAccessStrategy strategy)
{
	static uint32 reads = 0;
	Buffer *recent = recent_buffer(index, block);

	if (*recent != InvalidBuffer && ++reads % 64 != 0 &&
		ReadRecentBuffer(HX_RELATION_FILE(index), MAIN_FORKNUM, block, *recent))
	{
		pgstat_count_buffer_read(index);
		pgstat_count_buffer_hit(index);
		return *recent;
	}
	check_in_file(index, block);
	*recent =
		ReadBufferExtended(index, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
	return *recent;
}

/* Have a page that will be read soon brought into the cache. */
void
HxPrefetchPage(Relation index, BlockNumber block)
{
	Buffer recent = *recent_buffer(index, block);
	const char *page;

	if (recent <= 0) /* not known, or local */
		return;
	__builtin_prefetch(GetBufferDescriptor(recent - 1), 1);
	page = BufferGetPage(recent);
	for (int at = 0; at < BLCKSZ; at += HX_CACHE_LINE)
		__builtin_prefetch(page + at);
}

/*
 * Have parts of a page that will be read soon brought into the cache: `count`
 * lines, of 64 bytes, by their places on the page.
 */
void
HxPrefetchLines(Relation index, BlockNumber block, const uint16 *lines,
				int count)
{
	Buffer recent = *recent_buffer(index, block);
	const char *page;

	Assert(count >= 0 && count <= BLCKSZ / HX_CACHE_LINE);
	if (recent <= 0) /* not known, or local */
		return;
	__builtin_prefetch(GetBufferDescriptor(recent - 1), 1);
	page = BufferGetPage(recent);
	for (int i = 0; i < count; i++)
		__builtin_prefetch(page + lines[i] * HX_CACHE_LINE);
}

/*
 * The same for some bytes of a page's contents, with what is checked of every
 * page; no more than hardware would not fetch by itself.
 */
void
HxPrefetchBytes(Relation index, BlockNumber block, Size offset, Size size)
{
	Buffer recent = *recent_buffer(index, block);
	const char *page;

	Assert(offset <= HX_PAGE_ROOM);
	if (recent <= 0) /* not known, or local */
		return;
	__builtin_prefetch(GetBufferDescriptor(recent - 1), 1);
	page = BufferGetPage(recent);
	__builtin_prefetch(GetBufferDescriptor(recent - 1));
	size = Min(Min(size, PREFETCHED_LINES * 64), HX_PAGE_ROOM - offset);
	__builtin_prefetch(page);
	for (Size at = 0; at < size; at += 64)
		__builtin_prefetch(HxContents(page) + offset + at);
	__builtin_prefetch(page + BLCKSZ - 64);
}

/*
 * Read and lock a page whose number was found in the index.  Of its contents
 * nothing is checked.  Errors if the number is not that of a page of the file.
 */
Buffer
HxReadBuffer(Relation index, BlockNumber block, int lockmode,
			 BufferAccessStrategy strategy)
{
	Buffer buffer;

	Assert(lockmode == BUFFER_LOCK_SHARE || lockmode == BUFFER_LOCK_EXCLUSIVE);
	if (block == InvalidBlockNumber) /* which means a new page */
		HxCorrupted(index, block, "the number of a page is missing");
	buffer = pin_page(index, block, strategy);
	if (is_locked_by_me(buffer))
		HxCorrupted(index, block, "pages refer to each other in a circle");
	LockBuffer(buffer, lockmode);
	return buffer;
}

/*
 * Read and lock a page, which must be of the given kind.  Errors if it is not:
 * for pages that others may free meanwhile see HxReadRows in directory.c.
 */
Buffer
HxReadPage(Relation index, BlockNumber block, int lockmode, uint16 kind)
{
	const HxIndexDesc *desc = HxDescribe(index);
	Buffer buffer = HxReadBuffer(index, block, lockmode, NULL);
	const char *fault = HxPageFault(desc, BufferGetPage(buffer), kind);

	if (fault)
		HxCorrupted(index, block, fault);
	return buffer;
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

/*
 * Can it be the TID of a row?  Block P_NEW would extend the table; bitmaps take
 * no offset beyond those of heap pages.
 */
bool
HxTidIsSound(const ItemPointerData *tid)
{
	return ItemPointerIsValid(tid) &&
		   ItemPointerGetBlockNumberNoCheck(tid) != InvalidBlockNumber &&
		   ItemPointerGetOffsetNumberNoCheck(tid) <= MaxHeapTuplesPerPage;
}

/* Is the page of a TID in the file of the table, which is a heap? */
static bool
tid_is_in_table(Relation table, BlockNumber *npages, const ItemPointerData *tid)
{
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(tid);

	if (block < *npages)
		return true;
	if (table->rd_tableam != GetHeapamTableAmRoutine())
		return true; /* whose TIDs may be anything */
	*npages = RelationGetNumberOfBlocks(table);
	return block < *npages;
}

/*
 * Error unless a TID that is about to leave the index can be a row's.  With a
 * table its page must be there: *npages is a length that the table has had, 0
 * at first.  Tables lose pages only when no entry refers to them, and nobody
 * reads them then.
 */
void
HxCheckTid(Relation index, Relation table, BlockNumber *npages,
		   const ItemPointerData *tid)
{
	if (unlikely(!HxTidIsSound(tid) ||
				 (table && !tid_is_in_table(table, npages, tid))))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" is corrupted: it refers to row (%u,%u)",
						RelationGetRelationName(index),
						ItemPointerGetBlockNumberNoCheck(tid),
						ItemPointerGetOffsetNumberNoCheck(tid)),
				 errhint("Please REINDEX it.")));
}

/* Error if a chain was followed for more steps than the file has pages. */
void
HxCheckSteps(Relation index, BlockNumber block, uint32 steps)
{
	if (steps > RelationGetNumberOfBlocks(index))
		HxCorrupted(index, block, "a chain of pages runs in a circle");
}

/*
 * Take a page from the free space map, if it is really free and comes after a
 * given one.
 */
static Buffer
reuse_page(Relation index, BlockNumber after)
{
	int refused = 0;

	for (;;)
	{
		BlockNumber block = GetFreeIndexPage(index);
		Buffer buffer;
		Page page;

		if (block == InvalidBlockNumber)
			return InvalidBuffer;
		if (block <= after)
		{
			/* The map names another one next time. */
			RecordFreeIndexPage(index, block);
			if (++refused < MOST_REFUSED)
				continue;
			return InvalidBuffer;
		}
		/* The map is not crash-safe: it may know pages that are not there. */
		if (block >= RelationGetNumberOfBlocks(index))
			continue;
		buffer = ReadBuffer(index, block);
		/* Somebody else may have been handed the same page: do not wait. */
		if (ConditionalLockBuffer(buffer))
		{
			page = BufferGetPage(buffer);
			if (PageIsNew(page) || (HxPageIsSound(page) &&
									HxPageOpaque(page)->kind == HX_PAGE_FREE))
				return buffer;
			LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		}
		ReleaseBuffer(buffer);
	}
}

/*
 * A page to write, exclusively locked: one that was freed, or a new one at the
 * end.  The caller initialises it.  *reused tells which.  Rows that move need
 * one after all that they are moved from, see README, "Rows that move"; for
 * others `after` is HX_METAPAGE.
 */
Buffer
HxNewBufferAfter(Relation index, BlockNumber after, bool *reused)
{
	Buffer buffer = reuse_page(index, after);

	*reused = BufferIsValid(buffer);
	Assert(!*reused || BufferGetBlockNumber(buffer) > after);
	Assert(!*reused || HxIsLocked(buffer, BUFFER_LOCK_EXCLUSIVE));
	if (*reused)
		return buffer;

	if (!RELATION_IS_LOCAL(index))
		LockRelationForExtension(index, ExclusiveLock);
	buffer = ReadBuffer(index, P_NEW);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	if (!RELATION_IS_LOCAL(index))
		UnlockRelationForExtension(index, ExclusiveLock);
	return buffer;
}

/*
 * Make a rows page a free one.  What it holds stays, so that a record of this
 * is small.
 */
void
HxMarkPageFree(Page page)
{
	HxOpaque *opaque = HxPageOpaque(page);

	Assert(opaque->kind == HX_PAGE_ROWS || opaque->kind == HX_PAGE_ZONES);
	opaque->owner = 0;
	opaque->next = InvalidBlockNumber;
	opaque->parent = InvalidBlockNumber;
	opaque->slot = 0;
	opaque->kind = HX_PAGE_FREE;
}

/* ---- metapage ---- */

/* Add to the counters, which only tell what happened.  Locks the metapage. */
void
HxAddCounts(Relation index, const HxCounts *counts)
{
	Buffer buffer =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	GenericXLogState *state = GenericXLogStart(index);
	HxMeta *meta = HxPageMeta(GenericXLogRegisterBuffer(state, buffer, 0));

	Assert(counts->splits >= 0 && counts->merges >= 0 && counts->blocks >= 0);
	Assert(counts->pages_freed >= 0 && counts->pages_reused >= 0);
	meta->splits += counts->splits;
	meta->merges += counts->merges;
	meta->blocks += counts->blocks;
	meta->pages_freed += counts->pages_freed;
	meta->pages_reused += counts->pages_reused;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
}

/* Error unless a metapage is that of an index of this version. */
static void
check_version(Relation index, const HxMeta *meta)
{
	if (meta->magic != HX_MAGIC || meta->version != HX_VERSION)
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("index \"%s\" has format version %u, expected %u",
					RelationGetRelationName(index), meta->version, HX_VERSION),
			 errhint("REINDEX it to use it with this version.")));
}

/*
 * The shape of the vectors that an index was built with; false if it is still
 * being built.  Its column may have lost its length since: ALTER TABLE keeps
 * the file of an index whose column's values stay as they are.
 *
 * Takes no lock, since it may be called with any held: what it reads is never
 * changed.
 */
bool
HxStoredShape(Relation index, int *dims, int *planes)
{
	Buffer buffer;
	const char *fault;
	HxMeta meta;

	if (RelationGetNumberOfBlocks(index) == 0)
		return false;
	buffer = ReadBuffer(index, HX_METAPAGE);
	fault = HxPageFault(NULL, BufferGetPage(buffer), HX_PAGE_META);
	if (fault)
		HxCorrupted(index, HX_METAPAGE, fault);
	meta = *HxPageMeta(BufferGetPage(buffer));
	ReleaseBuffer(buffer);
	check_version(index, &meta);
	if (meta.dims == 0 || meta.dims > PG_INT32_MAX || meta.planes > 4)
		HxCorrupted(index, HX_METAPAGE, "its vectors have an impossible shape");
	*dims = (int) meta.dims;
	*planes = (int) meta.planes;
	return true;
}

/*
 * Copy the metapage.  Errors if the file is not an index of this version or
 * if its shape is not the catalog's.  The index's description learns from it
 * what blocks are formed within: the option may have changed since the build.
 */
void
HxReadMeta(Relation index, HxMeta *meta)
{
	const HxIndexDesc *desc = HxDescribe(index);
	Buffer buffer =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_SHARE, HX_PAGE_META);

	*meta = *HxPageMeta(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);

	check_version(index, meta);
	if (meta->dims != desc->dims || meta->planes != desc->planes ||
		meta->payload != desc->payload || meta->words != desc->nwords ||
		meta->attributes != desc->nattrs)
		HxCorrupted(index, HX_METAPAGE,
					"its columns are not those of the index's definition");
	if (meta->directory == HX_METAPAGE || meta->directory == InvalidBlockNumber)
		HxCorrupted(index, HX_METAPAGE, "it names no directory page");
	if (meta->group > meta->attributes)
		HxCorrupted(index, HX_METAPAGE, "it groups by no column of the index");
	((HxIndexDesc *) index->rd_amcache)->group = meta->group;
}
