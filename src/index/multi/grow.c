/*
 * grow.c
 *	  Learning in an index that was created when there was nothing to learn from.
 *
 * See README, "Learning late".  Rows that came before have no codes, and are
 * looked at in every search; when the codebooks are known they move, a page at a
 * time, to pages behind, where there is room for their codes.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/table.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "index/multi/multi.h"
#include "index/page/inject.h"
#include "index/search/vector.h"

/* Rows that are learnt from, tokens of each, and memory for them */
#define MOST_LISTS 4096
#define MOST_OF_EACH 32
#define MOST_BYTES (16 * 1024 * 1024)

/* A look is taken after one insert in 2^6, if so many pages are to be read */
#define LOOK_BITS 6
#define LOOK_PAGES 16

/* Rows of a page without codes, in memory */
typedef struct BareLists
{
	int count;
	HxListRow *rows; /* with codes, once they are formed */
} BareLists;

/* ---- looking at pages ---- */

/* Note the rows of a page without codes. */
static void
note_bare(Relation index, const HxIndexDesc *desc, BlockNumber block,
		  BareLists *bare)
{
	Buffer buffer = HxLockLists(index, desc, block, BUFFER_LOCK_SHARE, NULL);
	HxListArrays arrays;

	bare->count = 0;
	if (!BufferIsValid(buffer))
		return;
	HxListArraysOf(desc, BufferGetPage(buffer), &arrays);
	for (int i = 0; i < arrays.rows.count; i++)
		if (HxIsBareList(arrays.heads[i].error))
			HxGetList(desc, &arrays, i, &bare->rows[bare->count++]);
	UnlockReleaseBuffer(buffer);
}

/* Rows with a list, counted no further than there are enough */
static uint64
count_rows(Relation index, const HxIndexDesc *desc)
{
	BlockNumber pages = RelationGetNumberOfBlocks(index);
	uint64 count = 0;

	for (BlockNumber block = HX_METAPAGE + 1;
		 block < pages && count < HX_LEAST_TO_LEARN_LISTS; block++)
	{
		Buffer buffer;
		HxListArrays arrays;

		CHECK_FOR_INTERRUPTS();
		HX_INJECT_LOOP("multi-count");
		buffer = HxLockLists(index, desc, block, BUFFER_LOCK_SHARE, NULL);
		if (!BufferIsValid(buffer))
			continue;
		HxListArraysOf(desc, BufferGetPage(buffer), &arrays);
		for (int i = 0; i < arrays.rows.count; i++)
			count += arrays.heads[i].error != HX_LIST_NULL;
		UnlockReleaseBuffer(buffer);
	}
	return count;
}

/* ---- learning ---- */

/* Room for what is learnt from */
static void
begin_sample(const HxIndexDesc *desc, HxListSample *sample)
{
	Size each = desc->dims * sizeof(float);

	memset(sample, 0, sizeof(*sample));
	sample->dims = desc->dims;
	sample->room = Min((Size) MOST_LISTS * MOST_OF_EACH, MOST_BYTES / each);
	sample->floats =
		MemoryContextAllocHuge(CurrentMemoryContext, sample->room * each);
	sample->ends = palloc(MOST_LISTS * sizeof(int));
}

/* Learn from rows of the index that have no codes. */
static HxCodebooks *
learn_from_rows(Relation index, const HxIndexDesc *desc, HxVectors *vectors,
				BareLists *bare, MemoryContext context)
{
	BlockNumber pages = RelationGetNumberOfBlocks(index);
	HxListSample sample;
	HxCodebooks *books;

	begin_sample(desc, &sample);
	for (BlockNumber block = HX_METAPAGE + 1;
		 block < pages && sample.count < MOST_LISTS; block++)
	{
		CHECK_FOR_INTERRUPTS();
		HX_INJECT_LOOP("multi-sample");
		note_bare(index, desc, block, bare);
		for (int i = 0; i < bare->count && sample.count < MOST_LISTS; i++)
		{
			MemoryContext old = MemoryContextSwitchTo(context);
			Datum list;
			bool isnull;

			CHECK_FOR_INTERRUPTS();
			if (HxFetchVector(vectors, &bare->rows[i].tid, &list, &isnull) ==
					HX_ROW_PASSES &&
				!isnull)
				HxAddToSample(desc, &sample, list, MOST_OF_EACH);
			MemoryContextSwitchTo(old);
			MemoryContextReset(context);
		}
	}
	books = HxLearnCodebooks(&sample);
	pfree(sample.floats);
	pfree(sample.ends);
	return books;
}

/* ---- codes for rows that have none ---- */

/* Form codes of the table's lists; rows that get none are dropped. */
static void
form_marks(const HxIndexDesc *desc, HxVectors *vectors, BareLists *bare)
{
	const HxCodebooks *books = HxCodebooksOf(desc);
	int formed = 0;

	for (int i = 0; i < bare->count; i++)
	{
		HxListRow *row = &bare->rows[i];
		HxTokens tokens;
		Datum list;
		bool isnull;

		CHECK_FOR_INTERRUPTS();
		if (HxFetchVector(vectors, &row->tid, &list, &isnull) !=
				HX_ROW_PASSES ||
			isnull)
			continue;
		HxReadList(desc, list, &tokens);
		row->marks = palloc(Max(tokens.count, 1) * sizeof(uint32));
		row->error = HxShorten(
			HxEncodeTokens(books, tokens.floats, tokens.count, row->marks));
		row->count = tokens.count;
		if (tokens.count > 0 && row->error < HX_LIST_BARE)
			bare->rows[formed++] = *row;
	}
	bare->count = formed;
}

/* The row that a page has of a TID, without codes and of this hash; or -1 */
static int
find_bare(const HxListArrays *arrays, const HxListRow *row)
{
	for (int i = 0; i < arrays->rows.count; i++)
		if (HxIsBareList(arrays->heads[i].error) &&
			arrays->heads[i].hash == row->hash &&
			ItemPointerEquals(&arrays->rows.tids[i],
							  unconstify(ItemPointerData *, &row->tid)))
			return i;
	return -1;
}

/*
 * Move rows from a locked page to a new one behind it, by one record, as many as
 * fit; returns how many were done with.  Rows that the page has no more are left
 * alone: a vacuum has removed them.
 */
static int
move_rows(Relation index, const HxIndexDesc *desc, Buffer from,
		  const BareLists *bare, int at)
{
	bool *gone = palloc0(desc->capacity * sizeof(bool));
	bool reused;
	Buffer to = HxNewBufferAfter(index, BufferGetBlockNumber(from), &reused);
	GenericXLogState *state = GenericXLogStart(index);
	Page source = GenericXLogRegisterBuffer(state, from, 0);
	Page page = GenericXLogRegisterBuffer(state, to, GENERIC_XLOG_FULL_IMAGE);
	HxListArrays arrays;

	HxListArraysOf(desc, source, &arrays);
	HxInitListsPage(desc, page, HxListsCapacity(desc, 1, bare->rows[at].count));
	for (; at < bare->count; at++)
	{
		int row = find_bare(&arrays, &bare->rows[at]);

		if (row < 0)
			continue;
		if (!HxPutList(desc, page, &bare->rows[at]))
			break;
		gone[row] = true;
	}
	HxRemoveLists(desc, source, gone);
	GenericXLogFinish(state);
	UnlockReleaseBuffer(to);
	pfree(gone);
	return at;
}

/* Move the rows of a page that have got codes. */
static void
move_all(Relation index, const HxIndexDesc *desc, BlockNumber block,
		 const BareLists *bare)
{
	for (int at = 0; at < bare->count;)
	{
		Buffer buffer;

		CHECK_FOR_INTERRUPTS();
		buffer = HxLockLists(index, desc, block, BUFFER_LOCK_EXCLUSIVE, NULL);
		if (!BufferIsValid(buffer))
			return;
		at = move_rows(index, desc, buffer, bare, at);
		UnlockReleaseBuffer(buffer);
		HX_INJECT("multi-codes");
	}
}

/* Give all rows without codes theirs. */
static void
give_marks(Relation index, const HxIndexDesc *desc, HxVectors *vectors,
		   BareLists *bare, MemoryContext context)
{
	BlockNumber pages = RelationGetNumberOfBlocks(index);

	Assert(HxHoldsStructure(index));
	for (BlockNumber block = HX_METAPAGE + 1; block < pages; block++)
	{
		MemoryContext old;

		HX_VACUUM_DELAY_POINT();
		HX_INJECT_LOOP("multi-marks");
		note_bare(index, desc, block, bare);
		if (bare->count == 0)
			continue;
		old = MemoryContextSwitchTo(context);
		form_marks(desc, vectors, bare);
		move_all(index, desc, block, bare);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	}
}

/* ---- when ---- */

/*
 * Learn, if nobody has, and give codes to the rows.  Rows that a vacuum may remove
 * are left alone: their lists may be gone from the TOAST table.
 */
static void
learn(Relation index, HxIndexDesc *desc, Relation heap)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb lists", ALLOCSET_DEFAULT_SIZES);
	BareLists bare = {0, palloc(desc->capacity * sizeof(HxListRow))};
	SnapshotData snapshot;
	HxVectors *vectors;

	InitNonVacuumableSnapshot(snapshot, GlobalVisTestFor(heap));
	vectors = HxOpenVectors(heap, index, desc->vector_attno, &snapshot);
	Assert(HxHoldsStructure(index) && HxHoldsNoPage());
	HxLoadCodebooks(index, desc);
	if (!desc->model)
	{
		HxCodebooks *books =
			learn_from_rows(index, desc, vectors, &bare, context);

		if (books)
		{
			Size size;
			char *packed = HxPackCodebooks(books, &size);

			HxFreeLostModels(index);
			HxStoreLearnt(index, packed, size);
			HX_INJECT("multi-stored");
			HxLoadCodebooks(index, desc);
		}
	}
	if (desc->model)
		give_marks(index, desc, vectors, &bare, context);
	HxCloseVectors(vectors);
	pfree(bare.rows);
	MemoryContextDelete(context);
}

/*
 * Are rows to be counted after an insert?  The more pages are to be read, the
 * seldomer: where nearly all lists are NULL they are many.
 */
static bool
look_is_due(Relation index, const ItemPointerData *tid)
{
	uint64 packed = HxPackTid(tid);
	int bits = LOOK_BITS;

	if (HxHashTid(packed, bits) != 0)
		return false;
	for (BlockNumber pages = RelationGetNumberOfBlocks(index);
		 pages > LOOK_PAGES; pages /= 2)
		bits++;
	return HxHashTid(packed, bits) == 0;
}

void
HxLearnListsAfterInsert(Relation index, Relation heap, const HxIndexDesc *desc,
						const ItemPointerData *tid)
{
	if (!look_is_due(index, tid) || !HxTryLockStructure(index))
		return;
	if (count_rows(index, desc) >= HX_LEAST_TO_LEARN_LISTS)
	{
		HxIndexDesc learnt = *desc;

		learn(index, &learnt, heap);
	}
	HxUnlockStructure(index);
}

void
HxLearnListsInVacuum(Relation index, HxIndexDesc *desc)
{
	Relation heap;

	if (count_rows(index, desc) < HX_LEAST_TO_LEARN_LISTS ||
		!HxTryLockStructure(index))
		return;
	heap = table_open(index->rd_index->indrelid, AccessShareLock);
	learn(index, desc, heap);
	table_close(heap, AccessShareLock);
	HxUnlockStructure(index);
}
