/*
 * dead.c
 *	  Marking rows that searches found dead to everybody.
 *
 * See README, "Marks of dead rows".  A mark is a hint: it is not logged, gets
 * lost with every logged change of its page, and spares later searches the way
 * to the heap.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "utils/rel.h"

#include "index/search/dead.h"

HxDeadRows *
HxBeginDeadRows(Relation index)
{
	HxDeadRows *dead;

	/* Only a page's LSN tells that it is as the search has read it. */
	if (!RelationNeedsWAL(index) || TransactionStartedDuringRecovery())
		return NULL;
	dead = palloc(sizeof(HxDeadRows));
	dead->since = GetXLogInsertRecPtr();
	dead->count = 0;
	return dead;
}

void
HxAddDeadRow(Relation index, const HxIndexDesc *desc, HxDeadRows *dead,
			 const HxCandidate *row)
{
	Assert(BlockNumberIsValid(row->page));
	if (dead->count == HX_DEAD_ROWS)
		HxMarkDeadRows(index, desc, dead);
	Assert(dead->count < HX_DEAD_ROWS);
	dead->rows[dead->count++] = *row;
}

/* Order by page. */
static int
compare_pages(const void *a, const void *b)
{
	BlockNumber left = ((const HxCandidate *) a)->page;
	BlockNumber right = ((const HxCandidate *) b)->page;

	return left < right ? -1 : left > right;
}

/* Mark some rows of one page, which is share-locked; true if it changed. */
static bool
mark_rows(const HxIndexDesc *desc, Page page, const HxCandidate *rows,
		  int count)
{
	HxRowArrays arrays;
	bool changed = false;

	HxRowArraysOf(desc, page, &arrays);
	for (int i = 0; i < arrays.count; i++)
	{
		uint64 tid = HxPackTid(&arrays.tids[i]);
		uint64 bit = UINT64CONST(1) << (i % 64);

		for (int r = 0; r < count; r++)
			if (rows[r].tid == tid && !(arrays.dead[i / 64] & bit))
			{
				arrays.dead[i / 64] |= bit;
				changed = true;
			}
	}
	return changed;
}

/*
 * A TID may have gone to another row meanwhile, but not on a page that has not
 * changed since before it was read.  Others may mark rows of the page at the
 * same time; a mark that gets lost is no loss.
 */
void
HxMarkDeadRows(Relation index, const HxIndexDesc *desc, HxDeadRows *dead)
{
	int end;

	Assert(HxHoldsNoPage());
	qsort(dead->rows, dead->count, sizeof(HxCandidate), compare_pages);
	for (int begin = 0; begin < dead->count; begin = end)
	{
		BlockNumber block = dead->rows[begin].page;
		Buffer buffer = HxReadBuffer(index, block, BUFFER_LOCK_SHARE, NULL);

		for (end = begin; end < dead->count && dead->rows[end].page == block;)
			end++;
		if (BufferGetLSNAtomic(buffer) <= dead->since &&
			HxPageIsSound(BufferGetPage(buffer)) &&
			!HxPageFault(desc, BufferGetPage(buffer), HX_PAGE_ROWS) &&
			mark_rows(desc, BufferGetPage(buffer), &dead->rows[begin],
					  end - begin))
			MarkBufferDirtyHint(buffer, true);
		UnlockReleaseBuffer(buffer);
	}
	dead->count = 0;
}
