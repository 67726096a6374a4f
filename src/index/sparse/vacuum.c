/*
 * vacuum.c
 *	  Marking dead rows, and giving back pages that nothing leads to.
 *
 * See README, "Delete and vacuum".  Both run under the structure lock,
 * so that no row moves meanwhile; inserts go on appending to the pending rows.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"

#include "compat.h"
#include "index/page/inject.h"
#include "index/sparse/sparse.h"

/* Pending rows that vacuum makes a window although more would fit */
#define PENDING_WORTHWHILE (HX_PENDING_ROWS / 4)

typedef struct Vacuum
{
	Relation index;
	const HxIndexDesc *desc;
	IndexBulkDeleteCallback callback;
	void *callback_state;
	IndexBulkDeleteResult *stats;
} Vacuum;

/* ---- windows ---- */

/*
 * Report the rows of a page; returns how many are newly dead, and counts those
 * of them that have no vector.  Marks them if that is asked for.
 */
static int
find_dead(Vacuum *vacuum, Page page, bool mark, uint32 *nulls)
{
	HxRowArrays rows;
	double *norms;
	int found = 0;

	HxRowArraysOf(vacuum->desc, page, &rows);
	norms = (double *) rows.payloads;
	for (int i = 0; i < rows.count; i++)
	{
		if (norms[i] == HX_DEAD_NORM ||
			!vacuum->callback(&rows.tids[i], vacuum->callback_state))
			continue;
		found++;
		*nulls += norms[i] == HX_NULL_NORM;
		if (mark)
			norms[i] = HX_DEAD_NORM;
	}
	return found;
}

/* Mark the dead rows of a page, and count them in the window's entry. */
static void
mark_dead(Vacuum *vacuum, const HxWindowReader *reader, BlockNumber block)
{
	Buffer directory = HxReadPage(vacuum->index, reader->place.page,
								  BUFFER_LOCK_EXCLUSIVE, HX_PAGE_WINDOWS);
	Buffer buffer =
		HxReadPage(vacuum->index, block, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_ROWS);
	GenericXLogState *state = GenericXLogStart(vacuum->index);
	Page entries = GenericXLogRegisterBuffer(state, directory, 0);
	Page page = GenericXLogRegisterBuffer(state, buffer, 0);
	HxWindow *window = HxPageWindow(entries, reader->place.slot);
	uint32 nulls = 0;
	int found = find_dead(vacuum, page, true, &nulls);

	Assert(HxHoldsStructure(vacuum->index));
	window->dead += found;
	window->nulls -= nulls;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(directory);
	vacuum->stats->tuples_removed += found;
	HX_INJECT("sparse-removed");
}

/* Look for dead rows in a window. */
static void
vacuum_window(Vacuum *vacuum, const HxWindow *window, HxEntryAddress place)
{
	HxWindowReader reader;

	Assert(HxHoldsStructure(vacuum->index) && HxHoldsNoPage());
	if (!HxOpenWindow(vacuum->index, vacuum->desc, window, place, &reader))
		HxCorrupted(vacuum->index, window->map, "not a window's map");
	for (uint32 p = 0; p < reader.pages[HX_SECTION_ROWS]; p++)
	{
		Buffer buffer = HxReadWindowPage(&reader, HX_SECTION_ROWS, p);
		uint32 nulls = 0;
		int found;

		if (!BufferIsValid(buffer))
			HxCorrupted(vacuum->index,
						HxWindowBlock(&reader, HX_SECTION_ROWS, p),
						"not a window's page of rows");
		found = find_dead(vacuum, BufferGetPage(buffer), false, &nulls);
		UnlockReleaseBuffer(buffer);
		if (found > 0)
			mark_dead(vacuum, &reader,
					  HxWindowBlock(&reader, HX_SECTION_ROWS, p));
		HX_VACUUM_DELAY_POINT();
		HX_INJECT_LOOP("sparse-walk");
	}
	HxCloseWindow(&reader);
}

/* ---- pending rows ---- */

/* Report the rows that begin on a page; see find_dead. */
static int
find_dead_pending(Vacuum *vacuum, BlockNumber block, Page page, bool mark,
				  uint32 *nulls)
{
	Size head = HxSparseRowSize(vacuum->desc, HX_SPARSE_NULL);
	uint32 used = HxPagePending(page)->used;
	uint32 at = HxPagePending(page)->continued;
	int found = 0;

	while (at < used)
	{
		HxSparseRow *row = (HxSparseRow *) (HxPendingBytes(page) + at);

		if (used > HX_PENDING_ROOM || used - at < head ||
			at % MAXIMUM_ALIGNOF != 0 || row->size < head)
			HxCorrupted(vacuum->index, block,
						"a pending row of impossible size");
		if (!row->dead && vacuum->callback(&row->tid, vacuum->callback_state))
		{
			found++;
			*nulls += row->nnz == HX_SPARSE_NULL;
			if (mark)
				row->dead = 1;
		}
		if (row->size > used - at)
			break;
		at += row->size;
	}
	return found;
}

/* Mark the dead rows of a pending page, and count them. */
static void
mark_dead_pending(Vacuum *vacuum, BlockNumber block, bool frozen)
{
	HxMeta meta;
	Buffer directory;
	Buffer buffer;
	GenericXLogState *state;
	HxWindows *windows;
	HxChain *chain;
	uint32 nulls = 0;
	int found;

	Assert(HxHoldsStructure(vacuum->index) && HxHoldsNoPage());
	HxReadMeta(vacuum->index, &meta);
	directory = HxReadPage(vacuum->index, meta.directory, BUFFER_LOCK_EXCLUSIVE,
						   HX_PAGE_WINDOWS);
	buffer = HxReadPage(vacuum->index, block, BUFFER_LOCK_EXCLUSIVE,
						HX_PAGE_PENDING);
	state = GenericXLogStart(vacuum->index);
	windows = HxPageWindows(GenericXLogRegisterBuffer(state, directory, 0));
	found = find_dead_pending(vacuum, block,
							  GenericXLogRegisterBuffer(state, buffer, 0), true,
							  &nulls);
	chain = frozen ? &windows->frozen : &windows->pending;
	chain->dead += found;
	chain->nulls -= nulls;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(directory);
	vacuum->stats->tuples_removed += found;
	HX_INJECT("sparse-removed-pending");
}

/* Look for dead rows in a chain; more pages may be added to it meanwhile. */
static void
vacuum_chain(Vacuum *vacuum, const HxChain *chain, bool frozen)
{
	BlockNumber block = chain->owner != 0 ? chain->first : InvalidBlockNumber;
	uint32 steps = 0;

	while (block != InvalidBlockNumber)
	{
		BlockNumber self = block;
		Buffer buffer = HxReadPage(vacuum->index, block, BUFFER_LOCK_SHARE,
								   HX_PAGE_PENDING);
		Page page = BufferGetPage(buffer);
		uint32 nulls = 0;
		int found = find_dead_pending(vacuum, block, page, false, &nulls);

		HxCountStep(vacuum->index, block, &steps);
		block = HxPageOpaque(page)->next;
		UnlockReleaseBuffer(buffer);
		if (found > 0)
			mark_dead_pending(vacuum, self, frozen);
		HX_VACUUM_DELAY_POINT();
		HX_INJECT_LOOP("sparse-walk-pending");
	}
}

void
HxDeleteSparse(const IndexVacuumInfo *info, const HxIndexDesc *desc,
			   IndexBulkDeleteResult *stats, IndexBulkDeleteCallback callback,
			   void *state)
{
	Vacuum vacuum = {info->index, desc, callback, state, stats};
	HxSparseDirectory directory;

	HxLockStructure(info->index);
	HxReadWindows(info->index, desc, &directory);
	for (int i = 0; i < directory.count; i++)
		vacuum_window(&vacuum, &directory.windows[i], directory.places[i]);
	vacuum_chain(&vacuum, &directory.frozen, true);
	vacuum_chain(&vacuum, &directory.pending, false);
	HxUnlockStructure(info->index);
}

/* ---- pages that nothing leads to ---- */

/* Set the bits of the pages that something leads to, windows' first. */
static void
reach_window(Relation index, const HxIndexDesc *desc, const HxWindow *window,
			 HxEntryAddress place, uint8 *reached, BlockNumber npages)
{
	HxWindowReader reader;

	if (!HxOpenWindow(index, desc, window, place, &reader))
		HxCorrupted(index, window->map, "not a window's map");
	for (int s = 0; s < HX_SECTIONS; s++)
		for (uint32 p = 0; p < reader.pages[s]; p++)
		{
			BlockNumber block = HxWindowBlock(&reader, s, p);

			if (block < npages)
				reached[block / 8] |= 1 << block % 8;
		}
	for (int m = 0; m < reader.nmaps; m++)
		if (reader.maps[m] < npages)
			reached[reader.maps[m] / 8] |= 1 << reader.maps[m] % 8;
	HxCloseWindow(&reader);
}

/* Free a page that no window has, unless something else has it. */
static void
reclaim_page(Relation index, const HxSparseDirectory *directory,
			 BlockNumber block, IndexBulkDeleteResult *stats)
{
	Buffer buffer = HxReadBuffer(index, block, BUFFER_LOCK_SHARE, NULL);
	Page page = BufferGetPage(buffer);
	bool is_new = PageIsNew(page);
	bool is_free = is_new;
	bool is_lost = false;

	if (!is_free && HxPageIsSound(page) &&
		!HxPageFault(HxDescribe(index), page, HxPageOpaque(page)->kind))
	{
		const HxOpaque *opaque = HxPageOpaque(page);

		is_free = opaque->kind == HX_PAGE_FREE;
		is_lost = !is_free && opaque->kind != HX_PAGE_META &&
				  opaque->kind != HX_PAGE_WINDOWS &&
				  opaque->owner != directory->pending.owner &&
				  opaque->owner != directory->frozen.owner;
	}
	UnlockReleaseBuffer(buffer);
	if (is_lost)
	{
		HxFreeSparsePages(index, &block, 1);
		stats->pages_newly_deleted++;
	}
	if (is_new)
		HxFreeNewPage(index, block, NULL);
	if (is_free)
		RecordFreeIndexPage(index, block);
	if (is_free || is_lost)
	{
		stats->pages_deleted++;
		stats->pages_free++;
	}
}

/*
 * Give back the pages that belong to no window and no pending rows: what a
 * crash left behind, and what the free space map may have forgotten.
 */
static void
reclaim_pages(Relation index, const HxIndexDesc *desc,
			  IndexBulkDeleteResult *stats)
{
	HxSparseDirectory directory;
	BlockNumber npages;
	uint8 *reached;

	Assert(HxHoldsStructure(index) && HxHoldsNoPage());
	npages = HxCountPages(index);
	HxReadWindows(index, desc, &directory);
	reached = palloc0(npages / 8 + 1);
	for (int i = 0; i < directory.count; i++)
	{
		HX_VACUUM_DELAY_POINT();
		HX_INJECT_LOOP("sparse-reach");
		reach_window(index, desc, &directory.windows[i], directory.places[i],
					 reached, npages);
	}
	stats->pages_deleted = stats->pages_free = 0;
	for (BlockNumber block = HX_METAPAGE + 1; block < npages; block++)
	{
		if (reached[block / 8] >> block % 8 & 1)
			continue;
		HX_VACUUM_DELAY_POINT();
		HX_INJECT_LOOP("sparse-reclaim");
		reclaim_page(index, &directory, block, stats);
	}
	pfree(reached);
}

void
HxCleanUpSparse(const IndexVacuumInfo *info, const HxIndexDesc *desc,
				IndexBulkDeleteResult *stats)
{
	Relation index = info->index;
	HxSparseDirectory directory;

	if (HxTryLockStructure(index))
	{
		HxReadWindows(index, desc, &directory);
		if (directory.frozen.owner != 0 || directory.pending.dead > 0 ||
			directory.pending.rows >= PENDING_WORTHWHILE)
			HxFreezePending(index, desc);
		HxMergeWindows(index, desc, true);
		reclaim_pages(index, desc, stats);
		HxUnlockStructure(index);
	}
}
