/*
 * merge.c
 *	  Structure changes of an index of sparse vectors: pending rows become a
 *	  window, windows become a larger one.
 *
 * See README, "Insert" and "Concurrency".  Everything here happens under the
 * structure lock.  What is new is written first, one record switches the
 * directory, then the old pages are freed.
 */
#include "postgres.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

#include "index/page/inject.h"
#include "index/sparse/sparse.h"

/* Windows merged at once, and how many of a size there are before they are */
#define MERGE_FACTOR 4
/* An insert merges windows into one of this many rows at most */
#define FOREGROUND_ROWS 24576
/* Postings of a window that is made by merging, about */
#define MERGED_POSTINGS (16 * 1024 * 1024)
/* Vacuum rewrites a window when this share of its rows is dead */
#define REWRITE_DEAD 0.2
/* Pages marked as free by one record */
#define FREED_AT_ONCE MAX_GENERIC_XLOG_PAGES

/* ---- pages ---- */

/*
 * Mark pages as free, four a record, and tell the free space map.  Nothing
 * leads to them any more; a search that still comes sees that they are not the
 * window's.  Their contents stay, so that the record is small.
 */
void
HxFreeSparsePages(Relation index, const BlockNumber *blocks, int count)
{
	Assert(HxHoldsStructure(index) && HxHoldsNoPage());
	for (int done = 0; done < count; done += FREED_AT_ONCE)
	{
		int batch = Min(count - done, FREED_AT_ONCE);
		Buffer buffers[FREED_AT_ONCE];
		GenericXLogState *state;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < batch; i++)
			buffers[i] = HxReadBuffer(index, blocks[done + i],
									  BUFFER_LOCK_EXCLUSIVE, NULL);
		state = GenericXLogStart(index);
		for (int i = 0; i < batch; i++)
		{
			Page page = GenericXLogRegisterBuffer(state, buffers[i], 0);
			PageHeader header = (PageHeader) page;

			if (PageIsNew(page))
				HxInitPage(page, HX_PAGE_FREE);
			header->pd_lower = header->pd_upper = header->pd_special;
			HxMarkPageFree(page);
		}
		GenericXLogFinish(state);
		for (int i = 0; i < batch; i++)
		{
			UnlockReleaseBuffer(buffers[i]);
			RecordFreeIndexPage(index, blocks[done + i]);
		}
		HX_INJECT("sparse-freed");
	}
	HxShowFreePages(index, blocks, count);
}

/* Free the pages of a window that has left the directory. */
static void
free_window(const HxWindowReader *reader)
{
	BlockNumber *blocks =
		palloc((reader->window.pages + 1) * sizeof(BlockNumber));
	uint32 count = 0;

	for (int s = 0; s < HX_SECTIONS; s++)
		for (uint32 p = 0; p < reader->pages[s] && count < reader->window.pages;
			 p++)
			blocks[count++] = HxWindowBlock(reader, s, p);
	for (int m = 0; m < reader->nmaps && count < reader->window.pages; m++)
		blocks[count++] = reader->maps[m];
	HxFreeSparsePages(reader->index, blocks, count);
	pfree(blocks);
}

/* Free the pages of a chain of pending rows. */
static void
free_chain(Relation index, const HxChain *chain)
{
	BlockNumber *blocks = palloc((chain->pages + 1) * sizeof(BlockNumber));
	BlockNumber block = chain->first;
	uint32 count = 0;

	while (block != InvalidBlockNumber && count < chain->pages)
	{
		Buffer buffer =
			HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_PAGE_PENDING);

		blocks[count++] = block;
		block = HxPageOpaque(BufferGetPage(buffer))->next;
		UnlockReleaseBuffer(buffer);
	}
	HxFreeSparsePages(index, blocks, count);
	pfree(blocks);
}

/* A new owner, recorded before it is used. */
static uint64
new_owner(Relation index)
{
	Buffer buffer =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	GenericXLogState *state = GenericXLogStart(index);
	Page page = GenericXLogRegisterBuffer(state, buffer, 0);
	uint64 owner = HxPageMeta(page)->next_owner++;

	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	return owner;
}

/* ---- the directory ---- */

/* Add a directory page. */
static void
extend_directory(Relation index)
{
	Buffer meta =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	BlockNumber end = HxPageMeta(BufferGetPage(meta))->directory_end;
	Buffer last =
		HxReadPage(index, end, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_WINDOWS);
	bool reused;
	Buffer buffer = HxNewBuffer(index, &reused);
	GenericXLogState *state = GenericXLogStart(index);
	BlockNumber block = BufferGetBlockNumber(buffer);

	HxPageMeta(GenericXLogRegisterBuffer(state, meta, 0))->directory_end =
		block;
	HxPageOpaque(GenericXLogRegisterBuffer(state, last, 0))->next = block;
	HxInitWindowsPage(
		GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE));
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(last);
	UnlockReleaseBuffer(meta);
}

/* How many windows can be put on a directory page */
static int
count_free_slots(Page page)
{
	int count = HxPageWindows(page)->count;
	int free = HX_WINDOWS_CAPACITY - count;

	for (int i = 0; i < count; i++)
		free += HxPageWindow(page, i)->owner == 0;
	return free;
}

/* A directory page with room for windows, which nobody else can take. */
static BlockNumber
find_room(Relation index, int windows)
{
	Assert(windows >= 0 && HxHoldsStructure(index));
	if (windows > (int) HX_WINDOWS_CAPACITY)
		elog(ERROR, "cannot make %d windows at once", windows);
	for (;;)
	{
		HxMeta meta;
		BlockNumber block;

		HxReadMeta(index, &meta);
		block = meta.directory;
		while (block != InvalidBlockNumber)
		{
			Buffer buffer =
				HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_PAGE_WINDOWS);
			Page page = BufferGetPage(buffer);
			BlockNumber next = HxPageOpaque(page)->next;
			bool fits = count_free_slots(page) >= windows;

			UnlockReleaseBuffer(buffer);
			if (fits)
				return block;
			block = next;
		}
		extend_directory(index);
	}
}

/* Put a window into a free slot of a page that is being changed. */
static void
put_window(Page page, const HxWindow *window)
{
	int slot = 0;

	Assert(window->owner != 0 && window->rows > 0 &&
		   window->rows <= HX_WINDOW_ROWS);
	while (slot < HxPageWindows(page)->count &&
		   HxPageWindow(page, slot)->owner != 0)
		slot++;
	Assert(slot < (int) HX_WINDOWS_CAPACITY);
	HxPageWindows(page)->count = Max(HxPageWindows(page)->count, slot + 1);
	*HxPageWindow(page, slot) = *window;
}

/* ---- windows from pending rows ---- */

/*
 * Set the pending rows apart and begin a new area, unless rows set apart are
 * still there: a crash or an error may have left them.
 */
static void
freeze(Relation index, HxChain *frozen)
{
	Buffer meta =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	BlockNumber first = HxPageMeta(BufferGetPage(meta))->directory;
	Buffer buffer =
		HxReadPage(index, first, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_WINDOWS);
	HxWindows *windows = HxPageWindows(BufferGetPage(buffer));

	Assert(HxHoldsStructure(index));
	if (windows->frozen.owner == 0 && windows->pending.rows > 0)
	{
		GenericXLogState *state = GenericXLogStart(index);
		Page meta_page = GenericXLogRegisterBuffer(state, meta, 0);

		windows = HxPageWindows(GenericXLogRegisterBuffer(state, buffer, 0));
		windows->frozen = windows->pending;
		memset(&windows->pending, 0, sizeof(HxChain));
		windows->pending.first = windows->pending.last = InvalidBlockNumber;
		windows->pending.owner = HxPageMeta(meta_page)->next_owner++;
		GenericXLogFinish(state);
		windows = HxPageWindows(BufferGetPage(buffer));
	}
	*frozen = windows->frozen;
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(meta);
}

/* The windows of the frozen rows are written: switch to them. */
static void
switch_frozen(Relation index, const List *windows)
{
	BlockNumber room = find_room(index, list_length(windows));
	Buffer meta =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	BlockNumber first = HxPageMeta(BufferGetPage(meta))->directory;
	Buffer buffer =
		HxReadPage(index, first, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_WINDOWS);
	Buffer other = InvalidBuffer;
	GenericXLogState *state;
	Page page;
	ListCell *cell;

	Assert(HxHoldsStructure(index));
	if (room != first)
		other = HxReadPage(index, room, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_WINDOWS);
	state = GenericXLogStart(index);
	HxPageMeta(GenericXLogRegisterBuffer(state, meta, 0))->blocks +=
		list_length(windows);
	page = GenericXLogRegisterBuffer(state, buffer, 0);
	memset(&HxPageWindows(page)->frozen, 0, sizeof(HxChain));
	HxPageWindows(page)->frozen.first = InvalidBlockNumber;
	HxPageWindows(page)->frozen.last = InvalidBlockNumber;
	if (BufferIsValid(other))
		page = GenericXLogRegisterBuffer(state, other, 0);
	foreach (cell, windows)
		put_window(page, lfirst(cell));
	GenericXLogFinish(state);
	if (BufferIsValid(other))
		UnlockReleaseBuffer(other);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(meta);
}

/* Windows being made of pending rows */
typedef struct Thaw
{
	Relation index;
	const HxIndexDesc *desc;
	HxAssembler *assembler;
	HxSparseRow **copies; /* rows that have not been assembled */
	int count;			  /* of them */
	int room;
	List *windows; /* HxWindow: those written */
} Thaw;

/* Write what has been assembled as a window. */
static void
write_thawed(Thaw *thaw)
{
	HxWindow *window = palloc(sizeof(HxWindow));
	HxWindowWriter *writer =
		HxBeginWindow(thaw->index, thaw->desc, new_owner(thaw->index), true);

	Assert(HxAssembledRows(thaw->assembler) > 0);
	HxWriteAssembled(thaw->assembler, writer);
	HxEndWindow(writer, window);
	thaw->windows = lappend(thaw->windows, window);
}

/* HxScanPending callback: the page is locked, so only copy the row. */
static void
copy_row(const HxSparseRow *row, void *state)
{
	Thaw *thaw = state;
	HxSparseRow *copy = palloc(row->size);

	memcpy(copy, row, row->size);
	if (thaw->count == thaw->room)
	{
		thaw->room = Max(2 * thaw->room, HX_PENDING_ROWS);
		thaw->copies = thaw->copies
						   ? repalloc_huge(thaw->copies,
										   thaw->room * sizeof(HxSparseRow *))
						   : palloc(thaw->room * sizeof(HxSparseRow *));
	}
	thaw->copies[thaw->count++] = copy;
}

/*
 * Make the pending rows windows, if there are any: one, unless they had to wait
 * for long.
 */
void
HxFreezePending(Relation index, const HxIndexDesc *desc)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb window", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Thaw thaw = {.index = index, .desc = desc};
	HxChain frozen;

	Assert(HxHoldsStructure(index) && HxHoldsNoPage());
	freeze(index, &frozen);
	if (frozen.owner != 0)
	{
		HX_INJECT("sparse-frozen");
		thaw.assembler = HxMakeAssembler(desc);
		if (!HxScanPending(index, desc, &frozen, copy_row, &thaw))
			HxCorrupted(index, frozen.first, "not a page of pending rows");
		HxOrderSparseRows(desc, thaw.copies, thaw.count);
		for (int i = 0; i < thaw.count; i++)
		{
			HxAssemble(thaw.assembler, thaw.copies[i]);
			if (HxAssembledRows(thaw.assembler) == HX_WINDOW_ROWS)
				write_thawed(&thaw);
		}
		if (HxAssembledRows(thaw.assembler) > 0)
			write_thawed(&thaw);
		HX_INJECT("sparse-window-written");
		switch_frozen(index, thaw.windows);
		HX_INJECT("sparse-window-switched");
		free_chain(index, &frozen);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* ---- merging windows ---- */

/* The merged window is written: put it in the place of the first. */
static void
switch_windows(Relation index, BlockNumber block, const HxWindowReader *sources,
			   int count, const HxWindow *window)
{
	Buffer meta =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	Buffer buffer =
		HxReadPage(index, block, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_WINDOWS);
	GenericXLogState *state = GenericXLogStart(index);
	HxMeta *counts = HxPageMeta(GenericXLogRegisterBuffer(state, meta, 0));
	Page page = GenericXLogRegisterBuffer(state, buffer, 0);

	Assert(HxHoldsStructure(index));
	for (int s = 0; s < count; s++)
	{
		Assert(sources[s].place.page == block);
		memset(HxPageWindow(page, sources[s].place.slot), 0, sizeof(HxWindow));
	}
	if (window)
	{
		put_window(page, window);
		counts->blocks++;
	}
	counts->merges++;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(meta);
}

/* Replace windows of one directory page by one with their living rows. */
static void
merge(Relation index, const HxIndexDesc *desc,
	  const HxSparseDirectory *directory, const int *which, int count)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb merge", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HxWindowReader *sources = palloc0(count * sizeof(HxWindowReader));
	HxWindow window;
	int live = 0;

	for (int s = 0; s < count; s++)
	{
		if (!HxOpenWindow(index, desc, &directory->windows[which[s]],
						  directory->places[which[s]], &sources[s]))
			HxCorrupted(index, directory->windows[which[s]].map,
						"not a window's map");
		live += directory->windows[which[s]].rows -
				directory->windows[which[s]].dead;
	}
	Assert(live >= 0 && live <= HX_WINDOW_ROWS);
	if (live > 0)
	{
		HxWindowWriter *writer =
			HxBeginWindow(index, desc, new_owner(index), true);

		HxRewriteWindows(sources, count, writer);
		HxEndWindow(writer, &window);
		HX_INJECT("sparse-merge-written");
	}
	switch_windows(index, directory->places[which[0]].page, sources, count,
				   live > 0 ? &window : NULL);
	HX_INJECT("sparse-merge-switched");
	for (int s = 0; s < count; s++)
		free_window(&sources[s]);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* ---- what to merge ---- */

/* A window that may be merged */
typedef struct Choice
{
	int number; /* in the directory read */
	uint32 live;
	uint64 postings;
	BlockNumber page;
} Choice;

/* By directory page, then by living rows */
static int
compare_choices(const void *a, const void *b)
{
	const Choice *x = a;
	const Choice *y = b;

	if (x->page != y->page)
		return x->page < y->page ? -1 : 1;
	if (x->live != y->live)
		return x->live < y->live ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/*
 * From a window on, how many of the next larger ones of its directory page make
 * a merge that pays: at least MERGE_FACTOR, or in a vacuum two, none of which
 * has more rows than the smaller ones together.  0: none does.
 */
static int
count_mergeable(const Choice *choices, int from, int count, bool in_vacuum)
{
	uint32 limit = in_vacuum ? HX_WINDOW_ROWS : FOREGROUND_ROWS;
	int least = in_vacuum ? 2 : MERGE_FACTOR;
	uint32 rows = 0;
	uint64 postings = 0;
	int taken = 0;

	Assert(from < count);
	for (int i = from; i < count && choices[i].page == choices[from].page; i++)
	{
		if (rows + choices[i].live > limit ||
			postings + choices[i].postings > MERGED_POSTINGS)
			break;
		/* So each row's window at least doubles when it is rewritten. */
		if (i > from && choices[i].live > rows)
			break;
		rows += choices[i].live;
		postings += choices[i].postings;
		taken++;
	}
	return taken >= least ? taken : 0;
}

/* Is a window to be rewritten for its dead rows alone? */
static bool
needs_rewrite(const HxWindow *window, bool in_vacuum)
{
	return window->dead == window->rows ||
		   (in_vacuum && window->dead > window->rows * REWRITE_DEAD);
}

/* Do one merge or rewrite; false if there is none to do. */
static bool
merge_some(Relation index, const HxIndexDesc *desc, bool in_vacuum)
{
	HxSparseDirectory directory;
	Choice *choices;
	int *which;

	HxReadWindows(index, desc, &directory);
	choices = palloc((directory.count + 1) * sizeof(Choice));
	which = palloc((directory.count + 1) * sizeof(int));
	for (int i = 0; i < directory.count; i++)
	{
		const HxWindow *window = &directory.windows[i];

		if (needs_rewrite(window, in_vacuum))
		{
			merge(index, desc, &directory, &i, 1);
			return true;
		}
		choices[i].number = i;
		choices[i].live = window->rows - window->dead;
		choices[i].postings = window->postings;
		choices[i].page = directory.places[i].page;
	}
	qsort(choices, directory.count, sizeof(Choice), compare_choices);
	for (int i = 0; i < directory.count; i++)
	{
		int count = count_mergeable(choices, i, directory.count, in_vacuum);

		if (count == 0)
			continue;
		for (int c = 0; c < count; c++)
			which[c] = choices[i + c].number;
		merge(index, desc, &directory, which, count);
		return true;
	}
	return false;
}

/*
 * Merge windows as long as it pays: by an insert only small ones.  The
 * structure lock is held.
 */
void
HxMergeWindows(Relation index, const HxIndexDesc *desc, bool in_vacuum)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb merges", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	bool more = true;

	Assert(HxHoldsStructure(index) && HxHoldsNoPage());
	while (more)
	{
		CHECK_FOR_INTERRUPTS();
		more = merge_some(index, desc, in_vacuum);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
