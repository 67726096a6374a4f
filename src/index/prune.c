/*
 * prune.c
 *	  Leaving out dead rows where a block is to be written anew.
 *
 * See README, "Dead rows before a split": what may be left out, and why.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "utils/rel.h"

#include "index/prune.h"

/* Rows looked at first, and how many of them must be dead for the others to be */
#define SAMPLE 16
#define DEAD_OF_SAMPLE 3

/* A row, to be sorted by its TID */
typedef struct Place
{
	uint64 tid;
	int row;
} Place;

static int
compare_places(const void *a, const void *b)
{
	const Place *left = a;
	const Place *right = b;

	if (left->tid != right->tid)
		return left->tid < right->tid ? -1 : 1;
	return left->row - right->row;
}

/*
 * Look at the line pointers of one page's rows, in order of their TIDs, and
 * mark those that are dead; returns how many rows are of this page.
 */
static int
look_at_page(const HxRewrite *rewrite, Relation heap, const Place *places,
			 int count, bool *dead)
{
	BlockNumber block = (BlockNumber) (places[0].tid >> 16);
	Buffer buffer = ReadBuffer(heap, block);
	Page page = BufferGetPage(buffer);
	int done = 0;

	heap_page_prune_opt(heap, buffer);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	for (; done < count && places[done].tid >> 16 == block; done++)
	{
		OffsetNumber offset = (OffsetNumber) (places[done].tid & 0xFFFF);

		dead[places[done].row] = !PageIsNew(page) &&
								 offset <= PageGetMaxOffsetNumber(page) &&
								 ItemIdIsDead(PageGetItemId(page, offset));
	}
	UnlockReleaseBuffer(buffer);
	return done;
}

/*
 * Mark the rows whose line pointers are dead, of all or, of a sample, every
 * so manyth; returns how many they are.
 */
static int
find_dead(const HxRewrite *rewrite, Relation heap, int step, Place *places,
		  bool *dead)
{
	BlockNumber pages = RelationGetNumberOfBlocks(heap);
	int count = 0;
	int done = 0;
	int found = 0;

	for (int row = 0; row < rewrite->count; row += step)
	{
		const ItemPointerData *tid = &rewrite->tids[row];

		places[count].tid = (uint64) ItemPointerGetBlockNumber(tid) << 16 |
							ItemPointerGetOffsetNumber(tid);
		places[count++].row = row;
	}
	qsort(places, count, sizeof(Place), compare_places);
	while (done < count && places[done].tid >> 16 < pages)
	{
		CHECK_FOR_INTERRUPTS();
		done += look_at_page(rewrite, heap, places + done, count - done, dead);
	}
	for (int i = 0; i < done; i++)
		found += dead[places[i].row];
	return found;
}

/* Drop the marked rows, keeping the others in order. */
static int
drop_rows(HxRewrite *rewrite, const bool *dead)
{
	Size payload = rewrite->desc->payload;
	int nwords = rewrite->desc->nwords;
	int kept = 0;
	int dropped;

	for (int i = 0; i < rewrite->count; i++)
	{
		if (dead[i])
			continue;
		memmove(rewrite->payloads + kept * payload,
				rewrite->payloads + i * payload, payload);
		memmove(rewrite->words + (Size) kept * nwords,
				rewrite->words + (Size) i * nwords, nwords * sizeof(int64));
		rewrite->nulls[kept] = rewrite->nulls[i];
		rewrite->tids[kept++] = rewrite->tids[i];
	}
	dropped = rewrite->count - kept;
	rewrite->count = kept;
	return dropped;
}

int
HxDropDeadRows(HxRewrite *rewrite, Relation heap)
{
	int count = rewrite->count;
	Place *places;
	bool *dead;

	if (!heap || heap->rd_tableam != GetHeapamTableAmRoutine() ||
		count < SAMPLE)
		return 0;
	places = MemoryContextAllocHuge(CurrentMemoryContext,
									(Size) count * sizeof(Place));
	dead = MemoryContextAllocExtended(CurrentMemoryContext, count,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (find_dead(rewrite, heap, count / SAMPLE, places, dead) < DEAD_OF_SAMPLE)
		return 0;
	find_dead(rewrite, heap, 1, places, dead);
	return drop_rows(rewrite, dead);
}
