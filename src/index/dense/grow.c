/*
 * grow.c
 *	  Learning in an index that was created when there was nothing to learn from.
 *
 * See README, "Learning late".  Rows that came before have no sketch, and are
 * looked at in every search; when the model is known they get one, a page at a
 * time.  Nobody waits for that.
 */
#include "postgres.h"

#include "access/table.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "index/blocks/recall/measure.h"
#include "index/blocks/store/directory.h"
#include "index/dense/dense.h"
#include "index/page/inject.h"
#include "index/search/vector.h"

/* Rows that a model is learnt from at most */
#define MOST_SAMPLED 2048

/* A look is taken after one insert in 2^6 */
#define LOOK_BITS 6

/* ---- learning ---- */

/* Read the vectors of rows of the index; returns how many are left. */
static int
read_vectors(HxVectors *vectors, const HxIndexDesc *desc, const uint64 *tids,
			 int count, float *to)
{
	int read = 0;

	for (int i = 0; i < count; i++)
	{
		ItemPointerData tid;
		Datum vector;
		bool isnull;

		CHECK_FOR_INTERRUPTS();
		HxUnpackTid(tids[i], &tid);
		if (HxFetchVector(vectors, &tid, &vector, &isnull) != HX_ROW_PASSES ||
			isnull)
			continue;
		HxReadVector(desc, vector, to + (Size) read * desc->dims);
		read++;
	}
	return read;
}

/* Learn from rows of the index; NULL if they are too few. */
static HxModel *
learn_from_rows(Relation index, const HxIndexDesc *desc, HxVectors *vectors)
{
	uint8 *payloads;
	uint64 *tids;
	int room = HxVectorsToLearnFrom((Size) maintenance_work_mem * 1024,
									desc->dims, MOST_SAMPLED);
	int count = HxSampleRows(index, desc, room, 1, &payloads, &tids);
	float *numbers = MemoryContextAllocHuge(CurrentMemoryContext,
											Max((Size) count, 1) * desc->dims *
												sizeof(float));
	HxModel *model;

	count = read_vectors(vectors, desc, tids, count, numbers);
	model = HxLearnModel(desc->vector->metric, desc->dims, HxSketchRoom(desc),
						 numbers, count);
	pfree(numbers);
	pfree(payloads);
	pfree(tids);
	return model;
}

/* ---- sketches for rows that have none ---- */

/* Rows of a page without sketch, and what they are to get */
typedef struct BareRows
{
	int count;
	uint64 *tids;
	uint8 *payloads;
} BareRows;

/* Note a page's rows without sketch; false if it has none, or is of no block. */
static bool
note_bare_rows(Relation index, const HxIndexDesc *desc, BlockNumber block,
			   BareRows *bare)
{
	Buffer buffer = HxReadBuffer(index, block, BUFFER_LOCK_SHARE, NULL);
	Page page = BufferGetPage(buffer);
	HxRowArrays rows;

	bare->count = 0;
	if (HxPageIsSound(page) && HxPageOpaque(page)->kind == HX_PAGE_ROWS &&
		!HxPageFault(desc, page, HX_PAGE_ROWS))
	{
		HxRowArraysOf(desc, page, &rows);
		for (int i = 0; i < rows.count; i++)
			if (HxIsBare(
					(const HxDenseRow *) (rows.payloads + i * desc->payload)))
				bare->tids[bare->count++] = HxPackTid(&rows.tids[i]);
	}
	UnlockReleaseBuffer(buffer);
	return bare->count > 0;
}

/* Make sketches of the table's vectors; those that get none are dropped. */
static void
make_sketches(const HxIndexDesc *desc, HxVectors *vectors, BareRows *bare)
{
	int made = 0;

	for (int i = 0; i < bare->count; i++)
	{
		uint8 *payload = bare->payloads + made * desc->payload;
		ItemPointerData tid;
		Datum vector;
		bool isnull;

		HxUnpackTid(bare->tids[i], &tid);
		if (HxFetchVector(vectors, &tid, &vector, &isnull) != HX_ROW_PASSES ||
			isnull)
			continue;
		HxFormDense(desc, vector, payload);
		if (HxIsBare((const HxDenseRow *) payload))
			continue;
		bare->tids[made++] = bare->tids[i];
	}
	bare->count = made;
}

/* Give a row its sketch, if it is one of those, and has the same vector still. */
static void
put_sketch(const HxIndexDesc *desc, HxRowArrays *rows, int row,
		   const BareRows *bare)
{
	HxDenseRow *old = (HxDenseRow *) (rows->payloads + row * desc->payload);
	uint64 tid = HxPackTid(&rows->tids[row]);

	if (!HxIsBare(old))
		return;
	for (int i = 0; i < bare->count; i++)
	{
		const HxDenseRow *fresh =
			(const HxDenseRow *) (bare->payloads + i * desc->payload);

		if (bare->tids[i] == tid && HxSameVector(fresh, old))
		{
			memcpy(old, fresh, desc->payload);
			return;
		}
	}
}

/*
 * Write sketches to a page, by one record.  The entry of its block bounds the rows
 * whatever their sketches: its radius is made the greatest first.
 */
static void
put_sketches(Relation index, const HxIndexDesc *desc, BlockNumber block,
			 const BareRows *bare)
{
	Buffer buffer = HxReadBuffer(index, block, BUFFER_LOCK_EXCLUSIVE, NULL);
	Page page = BufferGetPage(buffer);

	if (HxPageIsSound(page) && HxPageOpaque(page)->kind == HX_PAGE_ROWS &&
		!HxPageFault(desc, page, HX_PAGE_ROWS))
	{
		GenericXLogState *state = GenericXLogStart(index);
		HxRowArrays rows;

		HxRowArraysOf(desc, GenericXLogRegisterBuffer(state, buffer, 0), &rows);
		for (int i = 0; i < rows.count; i++)
			put_sketch(desc, &rows, i, bare);
		GenericXLogFinish(state);
	}
	UnlockReleaseBuffer(buffer);
}

/*
 * Make the radius of every block the greatest, and let inserts split those that
 * could not be split as long as their rows had no sketch.
 */
static void
loosen_blocks(Relation index, const HxIndexDesc *desc)
{
	BlockNumber block;
	HxMeta meta;
	uint32 steps = 0;

	HxReadMeta(index, &meta);
	for (block = meta.directory; block != InvalidBlockNumber;)
	{
		Buffer buffer =
			HxReadPage(index, block, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_DIRECTORY);
		GenericXLogState *state = GenericXLogStart(index);
		Page page = GenericXLogRegisterBuffer(state, buffer, 0);

		HxCountStep(index, block, &steps);
		for (int i = 0; i < HxPageDirectory(page)->count; i++)
		{
			HxEntry *entry = &HxPageEntries(page)[i];

			if (entry->flags & (HX_ENTRY_NULLS | HX_ENTRY_FREE))
				continue;
			entry->radius = PG_UINT32_MAX;
			entry->split_above = 0;
		}
		block = HxPageOpaque(page)->next;
		GenericXLogFinish(state);
		UnlockReleaseBuffer(buffer);
	}
}

/* Give all rows without sketch one. */
static void
give_sketches(Relation index, const HxIndexDesc *desc, HxVectors *vectors)
{
	BareRows bare;
	bool loose = false;
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb sketches", ALLOCSET_DEFAULT_SIZES);

	Assert(HxHoldsStructure(index));
	bare.tids = palloc(desc->capacity * sizeof(uint64));
	bare.payloads = palloc(desc->capacity * desc->payload);
	for (BlockNumber block = HX_METAPAGE + 1;
		 block < RelationGetNumberOfBlocks(index); block++)
	{
		MemoryContext old;

		HX_VACUUM_DELAY_POINT();
		if (!note_bare_rows(index, desc, block, &bare))
			continue;
		old = MemoryContextSwitchTo(context);
		make_sketches(desc, vectors, &bare);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
		if (bare.count == 0)
			continue;
		if (!loose)
			loosen_blocks(index, desc);
		loose = true;
		put_sketches(index, desc, block, &bare);
		HX_INJECT("model-codes");
	}
	pfree(bare.tids);
	pfree(bare.payloads);
	MemoryContextDelete(context);
}

/* ---- when ---- */

/* Rows with a vector */
static uint64
count_rows(Relation index, const HxIndexDesc *desc)
{
	HxBlocks blocks;
	uint64 rows;

	HxReadDirectory(index, desc, NULL, &blocks);
	rows = HxBlocksRows(&blocks);
	HxFreeBlocks(&blocks);
	return rows;
}

/*
 * Learn, if nobody has, and give sketches to the rows.  Rows that a vacuum may
 * remove are left alone: their vectors may be gone from the TOAST table.
 */
static void
learn(Relation index, HxIndexDesc *desc, Relation heap)
{
	SnapshotData snapshot;
	HxVectors *vectors;
	HxModel *model;

	InitNonVacuumableSnapshot(snapshot, GlobalVisTestFor(heap));
	vectors = HxOpenVectors(heap, index, desc->vector_attno, &snapshot);
	Assert(HxHoldsStructure(index) && HxHoldsNoPage());
	HxLoadDenseModel(index, desc);
	if (!desc->model)
	{
		model = learn_from_rows(index, desc, vectors);
		if (model)
		{
			HxFreeLostModels(index);
			HxStoreModel(index, model);
			HX_INJECT("model-stored");
			HxLoadDenseModel(index, desc);
		}
	}
	if (desc->model)
		give_sketches(index, desc, vectors);
	HxCloseVectors(vectors);
}

void
HxLearnAfterInsert(Relation index, Relation heap, const HxIndexDesc *desc,
				   const ItemPointerData *tid)
{
	if (HxHashTid(HxPackTid(tid), LOOK_BITS) != 0 || !HxTryLockStructure(index))
		return;
	if (count_rows(index, desc) >= HX_LEAST_TO_LEARN)
	{
		HxIndexDesc learnt = *desc;

		learn(index, &learnt, heap);
	}
	HxUnlockStructure(index);
}

void
HxLearnInVacuum(Relation index, HxIndexDesc *desc)
{
	Relation heap;

	if (count_rows(index, desc) < HX_LEAST_TO_LEARN ||
		!HxTryLockStructure(index))
		return;
	heap = table_open(index->rd_index->indrelid, AccessShareLock);
	learn(index, desc, heap);
	table_close(heap, AccessShareLock);
	HxUnlockStructure(index);
}
