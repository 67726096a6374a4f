/*
 * prune.c
 *	  Removing dead rows from a block that has no room left.
 *
 * See README, "Dead rows in a full block": which rows may be removed, and why.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "index/page/inject.h"
#include "index/blocks/change/prune.h"
#include "index/search/search.h"

/* Rows looked at first; if none of them is dead the others are not looked at */
#define SAMPLE 16
/* Of a longer chain only the first pages */
#define MOST_PAGES 32

/* A page of the block's, as it was when its rows were copied */
typedef struct PrunePage
{
	BlockNumber block;
	int first; /* of its rows among all rows */
	int count;
} PrunePage;

/* A row of the block's */
typedef struct PruneRow
{
	uint64 tid;
	int number;
} PruneRow;

typedef struct Prune
{
	Relation index;
	Relation heap;
	const HxIndexDesc *desc;
	const HxBlock *block;
	uint32 changes; /* of the entry, by others than us */
	PrunePage pages[MOST_PAGES];
	int npages;
	PruneRow *rows; /* in the order of the pages, then of their TIDs */
	bool *dead;		/* of the rows, by their numbers */
	int nrows;
} Prune;

/* ---- which rows are dead ---- */

/* Copy the TIDs of a page; false if that is not a page of the block's any more. */
static bool
copy_page(Prune *prune, BlockNumber *next)
{
	Buffer buffer =
		HxReadRows(prune->index, prune->desc, *next, prune->block->owner);
	PrunePage *page = &prune->pages[prune->npages++];
	HxRowArrays arrays;

	Assert(prune->npages <= MOST_PAGES);
	if (!BufferIsValid(buffer))
		return false;
	HxRowArraysOf(prune->desc, BufferGetPage(buffer), &arrays);
	page->block = *next;
	page->first = prune->nrows;
	page->count = arrays.count;
	for (int i = 0; i < arrays.count; i++, prune->nrows++)
	{
		prune->rows[prune->nrows].tid = HxPackTid(&arrays.tids[i]);
		prune->rows[prune->nrows].number = prune->nrows;
	}
	*next = HxPageOpaque(BufferGetPage(buffer))->next;
	UnlockReleaseBuffer(buffer);
	return true;
}

/* Copy the TIDs of the block, or of the chain's first pages. */
static bool
copy_block(Prune *prune)
{
	HxEntryAddress place = prune->block->place;
	Buffer buffer = HxReadPage(prune->index, place.page, BUFFER_LOCK_SHARE,
							   HX_PAGE_DIRECTORY);
	HxEntry entry = *HxGetEntry(prune->index, buffer, place.slot);
	BlockNumber next = entry.first;
	int pages = Min(entry.pages, MOST_PAGES);
	int room = pages * prune->desc->capacity;

	UnlockReleaseBuffer(buffer);
	if (entry.owner != prune->block->owner || entry.rows < SAMPLE)
		return false;
	prune->changes = entry.changes;
	prune->rows = palloc(room * sizeof(PruneRow));
	prune->dead = palloc0(room * sizeof(bool));
	while (next != InvalidBlockNumber && prune->npages < pages)
		if (!copy_page(prune, &next))
			return false;
	return prune->nrows >= SAMPLE;
}

static int
compare_rows(const void *a, const void *b)
{
	const PruneRow *left = a;
	const PruneRow *right = b;

	return left->tid < right->tid ? -1 : left->tid > right->tid;
}

/*
 * Look for rows in the table, all of them or a sample at equal steps, and note
 * those that no snapshot of this server needs; returns how many they are.
 */
static int
find_dead_rows(Prune *prune, int step)
{
	IndexFetchTableData *fetch = table_index_fetch_begin(prune->heap);
	TupleTableSlot *slot = table_slot_create(prune->heap, NULL);
	SnapshotData snapshot;
	BlockNumber heap_pages = 0;
	int found = 0;

	Assert(step > 0 && HxHoldsNoPage());
	InitNonVacuumableSnapshot(snapshot, GlobalVisTestFor(prune->heap));
	for (int r = 0; r < prune->nrows; r += step)
	{
		const PruneRow *row = &prune->rows[r];
		ItemPointerData tid;
		bool again = false;

		CHECK_FOR_INTERRUPTS();
		ItemPointerSet(&tid, (BlockNumber) (row->tid >> 16),
					   (OffsetNumber) (row->tid & 0xFFFF));
		HxCheckTid(prune->index, prune->heap, &heap_pages, &tid);
		prune->dead[row->number] = !table_index_fetch_tuple(
			fetch, &tid, &snapshot, slot, &again, NULL);
		found += prune->dead[row->number];
	}
	ExecDropSingleTupleTableSlot(slot);
	table_index_fetch_end(fetch);
	return found;
}

/* ---- removing them ---- */

/*
 * Make standbys wait for, or cancel, the snapshots that may see the dead rows of
 * a page.  The page is locked, and has not changed since they were found.
 */
static void
log_conflict(const Prune *prune, const PrunePage *page,
			 const ItemPointerData *tids)
{
	TM_IndexDeleteOp op = {0};
	TransactionId newest;

	if (!XLogStandbyInfoActive() || !RelationNeedsWAL(prune->index))
		return;
	op.irel = prune->index;
	op.iblknum = page->block;
	op.deltids = palloc(page->count * sizeof(TM_IndexDelete));
	op.status = palloc0(page->count * sizeof(TM_IndexStatus));
	for (int i = 0; i < page->count; i++)
		if (prune->dead[page->first + i])
		{
			op.deltids[op.ndeltids].tid = tids[i];
			op.deltids[op.ndeltids].id = op.ndeltids;
			op.status[op.ndeltids].idxoffnum = i + 1;
			op.status[op.ndeltids++].knowndeletable = true;
		}
	newest = table_index_delete_tuples(prune->heap, &op);
	if (TransactionIdIsValid(newest))
		HxLogConflict(prune->index, prune->heap, page->block, newest);
}

/*
 * Remove the dead rows of a page; false if the block has changed since they
 * were found, so that a TID may have gone to another row.
 */
static bool
prune_page(Prune *prune, const PrunePage *page)
{
	HxEntryAddress place = prune->block->place;
	Buffer directory = HxReadPage(prune->index, place.page,
								  BUFFER_LOCK_EXCLUSIVE, HX_PAGE_DIRECTORY);
	const HxEntry *entry = HxGetEntry(prune->index, directory, place.slot);
	bool same =
		entry->owner == prune->block->owner && entry->changes == prune->changes;

	if (same)
	{
		Buffer buffer = HxReadPage(prune->index, page->block,
								   BUFFER_LOCK_EXCLUSIVE, HX_PAGE_ROWS);
		GenericXLogState *state;
		HxRowArrays arrays;
		int removed;

		HxRowArraysOf(prune->desc, BufferGetPage(buffer), &arrays);
		Assert(arrays.count == page->count);
		log_conflict(prune, page, arrays.tids);
		HX_INJECT_LOCKED("prune-page");
		state = GenericXLogStart(prune->index);
		removed = HxRemoveRows(prune->desc,
							   GenericXLogRegisterBuffer(state, buffer, 0),
							   prune->dead + page->first);
		HxCountRemoved(&HxPageEntries(GenericXLogRegisterBuffer(
						   state, directory, 0))[place.slot],
					   removed);
		GenericXLogFinish(state);
		prune->changes += removed;
		UnlockReleaseBuffer(buffer);
	}
	UnlockReleaseBuffer(directory);
	return same;
}

/* Has a page dead rows? */
static bool
has_dead_rows(const Prune *prune, const PrunePage *page)
{
	return memchr(prune->dead + page->first, true, page->count) != NULL;
}

void
HxPruneBlock(Relation index, Relation heap, const HxIndexDesc *desc,
			 const HxBlock *block)
{
	Prune *prune = palloc0(sizeof(Prune));
	bool same = true;

	Assert(HxHoldsNoPage() && !HxHoldsStructure(index));
	prune->index = index;
	prune->heap = heap;
	prune->desc = desc;
	prune->block = block;
	if (!copy_block(prune) || find_dead_rows(prune, prune->nrows / SAMPLE) == 0)
		return;
	qsort(prune->rows, prune->nrows, sizeof(PruneRow), compare_rows);
	find_dead_rows(prune, 1);
	HX_INJECT("prune-found");
	for (int p = 0; p < prune->npages && same; p++)
		if (has_dead_rows(prune, &prune->pages[p]))
			same = prune_page(prune, &prune->pages[p]);
}
