/*
 * buffer.c
 *	  Reading and locking pages, and fetching them ahead of that.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/buf_internals.h"

#include "compat.h"
#include "index/page/page.h"

/*
 * This file alone looks into the buffer manager (buf_internals.h, and
 * ReadRecentBuffer).  Two things have no other way: to ask whether a page's lock
 * is ours already, which a damaged pointer would make us wait for without end;
 * and to fetch a page into the processor's cache before it is pinned, which
 * needs the place of a buffer and not only its number.
 */

/* Cache lines of a part that are prefetched; hardware fetches what follows */
#define PREFETCHED_LINES 6

/*
 * Bring a line of a page into the second-level cache.  The first level waits for
 * a few lines at a time, and a processor that has asked it for more stands still;
 * from the second level lines come as they are read.
 */
#define FETCH_LINE(line) __builtin_prefetch(line, 0, 2)

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
		FETCH_LINE(page + at);
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
		FETCH_LINE(page + lines[i] * HX_CACHE_LINE);
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
