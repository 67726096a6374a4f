/*
 * prune.c
 *	  Leaving out dead rows where a block is to be written anew.
 *
 * See README, "Dead rows before a split": what may be left out, and why.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "utils/rel.h"

#include "index/prune.h"

/* One row in so many must look like another version, for the heap to be asked
 */
#define LEAST_VERSIONS 4

/* A row, to be sorted by what it may have in common with others */
typedef struct Version
{
	uint64 key; /* hash of the code, later the TID */
	int row;
} Version;

static int
compare_versions(const void *a, const void *b)
{
	const Version *left = a;
	const Version *right = b;

	if (left->key != right->key)
		return left->key < right->key ? -1 : 1;
	return left->row - right->row;
}

/*
 * Rows that share their code with another: an update leaves such.  Returns how
 * many there are.
 */
static int
find_versions(const HxRewrite *rewrite, Version *versions)
{
	int payload = (int) rewrite->desc->payload;
	int count = rewrite->count;
	uint64 before = 0;
	int found = 0;

	for (int i = 0; i < count; i++)
	{
		versions[i].key = hash_bytes_extended(
			rewrite->payloads + (Size) i * payload, payload, 0);
		versions[i].row = i;
	}
	qsort(versions, count, sizeof(Version), compare_versions);
	for (int i = 0; i < count; i++)
	{
		bool shared = (i > 0 && versions[i].key == before) ||
					  (i + 1 < count && versions[i].key == versions[i + 1].key);

		before = versions[i].key;
		if (shared)
			versions[found++] = versions[i];
	}
	return found;
}

/*
 * Look at the line pointers of one page's rows, in order of their TIDs, and
 * mark those that are dead; returns how many rows are of this page.
 */
static int
look_at_page(const HxRewrite *rewrite, Relation heap, const Version *versions,
			 int count, bool *dead)
{
	const ItemPointerData *tids = rewrite->tids;
	BlockNumber block = ItemPointerGetBlockNumber(&tids[versions[0].row]);
	Buffer buffer = ReadBuffer(heap, block);
	Page page = BufferGetPage(buffer);
	int done = 0;

	heap_page_prune_opt(heap, buffer);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	for (; done < count; done++)
	{
		int row = versions[done].row;
		OffsetNumber offset = ItemPointerGetOffsetNumber(&tids[row]);

		if (ItemPointerGetBlockNumber(&tids[row]) != block)
			break;
		dead[row] = !PageIsNew(page) &&
					offset <= PageGetMaxOffsetNumber(page) &&
					ItemIdIsDead(PageGetItemId(page, offset));
	}
	UnlockReleaseBuffer(buffer);
	return done;
}

/* Mark the rows, of some, whose line pointers are dead. */
static void
find_dead(const HxRewrite *rewrite, Relation heap, Version *versions, int count,
		  bool *dead)
{
	BlockNumber pages = RelationGetNumberOfBlocks(heap);
	int done = 0;

	for (int i = 0; i < count; i++)
	{
		const ItemPointerData *tid = &rewrite->tids[versions[i].row];

		versions[i].key = (uint64) ItemPointerGetBlockNumber(tid) << 16 |
						  ItemPointerGetOffsetNumber(tid);
	}
	qsort(versions, count, sizeof(Version), compare_versions);
	while (done < count && versions[done].key >> 16 < pages)
	{
		CHECK_FOR_INTERRUPTS();
		done +=
			look_at_page(rewrite, heap, versions + done, count - done, dead);
	}
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
	Version *versions;
	bool *dead;
	int found;

	if (!heap || heap->rd_tableam != GetHeapamTableAmRoutine() || count == 0)
		return 0;
	versions = MemoryContextAllocHuge(CurrentMemoryContext,
									  (Size) count * sizeof(Version));
	found = find_versions(rewrite, versions);
	if (found < count / LEAST_VERSIONS)
		return 0;
	dead = MemoryContextAllocExtended(CurrentMemoryContext, count,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	find_dead(rewrite, heap, versions, found, dead);
	return drop_rows(rewrite, dead);
}
