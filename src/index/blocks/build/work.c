/*
 * work.c
 *	  What each participant in an index build does, be it the leader, a worker
 *	  or the only one.
 *
 * Work is claimed in chunks, so that who is fast does more, and who comes late
 * finds nothing to do.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "commands/progress.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "index/blocks/store/assign.h"
#include "index/blocks/build/group.h"
#include "index/page/inject.h"
#include "index/sparse/build.h"
#include "index/build/spool.h"

/* Rows claimed at once: of the spool, and of the sample */
#define ROWS_A_CHUNK 1024
#define SAMPLES_A_CHUNK 256
/* Blocks of the index claimed at once */
#define BLOCKS_A_CHUNK 4
/* Least memory of a sort, in kB */
#define LEAST_SORT 64

/* The nearest centroids of a chunk of the sample, as a worker answers */
typedef struct Answer
{
	int64 start;
	int64 end;
	int nearest[SAMPLES_A_CHUNK];
} Answer;

void
HxInitParticipant(HxBuild *build, Relation heap, Relation index,
				  IndexInfo *info)
{
	HxIndexDesc *desc = palloc(sizeof(HxIndexDesc));

	*desc = *HxDescribe(index);
	desc->group = HxResolveGroup(index, desc);
	build->heap = heap;
	build->index = index;
	build->info = info;
	build->desc = desc;
	build->row = palloc0(HxRowSize(desc));
	build->context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb build row", ALLOCSET_DEFAULT_SIZES);
}

void
HxCountDone(HxBuild *build, int64 items)
{
	uint64 done = pg_atomic_add_fetch_u64(&build->shared->done, items);

	if (build->part == 0)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE,
									 (int64) done);
}

/* Claim the next items, at most so many; false if none is left. */
static bool
claim(HxBuild *build, int most, int64 *start, int64 *end)
{
	HxBuildShared *shared = build->shared;

	*start = (int64) pg_atomic_fetch_add_u64(&shared->next, most);
	*end = Min(*start + most, shared->items);
	return *start < shared->items;
}

/* ---- loading ---- */

/* table_index_build_scan callback: spool a row. */
static void
load_row(Relation index, ItemPointer tid, Datum *values, bool *isnull,
		 bool alive, void *state)
{
	HxBuild *build = state;
	const HxIndexDesc *desc = build->desc;
	MemoryContext old = MemoryContextSwitchTo(build->context);
	int vector = desc->vector_attno - 1;
	HxShare *share = HX_SHARE(build);
	HxRow *row = build->row;

	memset(row, 0, HxRowSize(desc));
	row->tid = *tid;
	row->has_vector = !isnull[vector];
	row->alive = alive;
	HxEncodeAttrs(desc, values, isnull, &row->attrs);
	if (row->has_vector)
		desc->vector->methods->form(desc, values[vector],
									HxRowPayload(desc, row));
	BufFileWrite(build->rows, row, HxRowSize(desc));
	share->vectors += row->has_vector;
	share->alive += row->has_vector && row->alive;
	if (++share->rows % ROWS_A_CHUNK == 0)
		HxCountDone(build, ROWS_A_CHUNK);
	MemoryContextSwitchTo(old);
	MemoryContextReset(build->context);
}

void
HxLoadShare(HxBuild *build, IndexBuildCallback load_one)
{
	HxShare *share = HX_SHARE(build);
	TableScanDesc scan = NULL;

	build->rows = HxCreateFile(build, "rows", build->part);
	if (build->parallel)
		scan = table_beginscan_parallel(build->heap, build->scan);
	HX_INJECT("build-load");
	share->heap_rows = table_index_build_scan(
		build->heap, build->index, build->info, build->parallel,
		build->part == 0, load_one, build, scan);
	share->broken_chain = build->info->ii_BrokenHotChain;
	HxFinishFile(build, build->rows);
}

/* ---- training ---- */

/* The centroids: the leader's own, or a copy of what it has written. */
static uint8 *
get_centroids(HxBuild *build)
{
	Size size = (Size) build->shared->ncentroids * build->desc->payload;
	uint8 *centroids;
	BufFile *file;

	if (build->part == 0)
		return build->centroids;
	centroids = MemoryContextAllocHuge(CurrentMemoryContext, Max(size, 1));
	file = HxOpenFile(build, "centroids", build->shared->generation);
	HxReadFile(file, centroids, size);
	BufFileClose(file);
	return centroids;
}

static void
free_centroids(HxBuild *build, uint8 *centroids)
{
	if (build->part > 0)
		pfree(centroids);
}

/* Leader: assign chunks of the sample in memory. */
static void
assign_own_sample(HxBuild *build, HxAssigner *assigner)
{
	int64 start = 0;
	int64 end = 0;

	while (claim(build, SAMPLES_A_CHUNK, &start, &end))
	{
		for (int64 i = start; i < end; i++)
		{
			CHECK_FOR_INTERRUPTS();
			build->nearest[i] = HxAssign(
				assigner, build->sample + i * build->desc->payload, NULL);
		}
		HxCountDone(build, end - start);
	}
}

/* Worker: assign chunks of the sample's file, and write answers to another. */
static void
assign_filed_sample(HxBuild *build, HxAssigner *assigner)
{
	Size payload = build->desc->payload;
	uint8 *sample = palloc(SAMPLES_A_CHUNK * payload);
	BufFile *file = HxOpenFile(build, "sample", 0);
	/* Numbers that no other participant and generation has */
	BufFile *answers = HxCreateFile(
		build, "nearest",
		build->shared->generation * build->shared->nparts + build->part);
	Answer answer = {0};
	int64 count = 0;

	while (claim(build, SAMPLES_A_CHUNK, &answer.start, &answer.end))
	{
		if (BufFileSeek(file, 0, (off_t) (answer.start * payload), SEEK_SET) !=
			0)
			elog(ERROR, "could not find the sample of an index build");
		HxReadFile(file, sample, (answer.end - answer.start) * payload);
		for (int64 i = answer.start; i < answer.end; i++)
		{
			CHECK_FOR_INTERRUPTS();
			answer.nearest[i - answer.start] =
				HxAssign(assigner, sample + (i - answer.start) * payload, NULL);
		}
		BufFileWrite(answers, &answer, sizeof(answer));
		count++;
		HxCountDone(build, answer.end - answer.start);
	}
	HX_SHARE(build)->answers = count;
	HxFinishFile(build, answers);
	BufFileClose(file);
	pfree(sample);
}

static void
train_share(HxBuild *build)
{
	uint8 *centroids = get_centroids(build);
	HxAssigner *assigner =
		HxMakeAssigner(build->desc, centroids, build->shared->ncentroids);

	HX_INJECT("build-train");
	if (build->part == 0)
		assign_own_sample(build, assigner);
	else
		assign_filed_sample(build, assigner);
	HxFreeAssigner(assigner);
	free_centroids(build, centroids);
}

void
HxCollectAnswers(HxBuild *build)
{
	const HxBuildShared *shared = build->shared;
	Answer answer;

	for (int p = 1; p < shared->nparts; p++)
	{
		BufFile *file = HxOpenFile(build, "nearest",
								   shared->generation * shared->nparts + p);

		for (int64 n = 0; n < shared->shares[p].answers; n++)
		{
			HxReadFile(file, &answer, sizeof(answer));
			memcpy(build->nearest + answer.start, answer.nearest,
				   (answer.end - answer.start) * sizeof(int));
		}
		BufFileClose(file);
	}
}

/* ---- assigning ---- */

TupleDesc
HxSortedTuples(void)
{
	TupleDesc tuples = CreateTemplateTupleDesc(2);

	TupleDescInitEntry(tuples, 1, "key", INT8OID, -1, 0);
	TupleDescInitEntry(tuples, 2, "row", BYTEAOID, -1, 0);
	return tuples;
}

Tuplesortstate *
HxBeginSort(HxBuild *build, bool merge)
{
	AttrNumber column = 1;
	Oid less = Int8LessOperator;
	Oid collation = InvalidOid;
	bool nulls_first = false;
	int memory = maintenance_work_mem / 2;
	SortCoordinate coordinate = NULL;

	if (build->parallel)
	{
		coordinate = palloc0(sizeof(SortCoordinateData));
		coordinate->isWorker = !merge;
		coordinate->nParticipants = merge ? build->shared->nparts : -1;
		coordinate->sharedsort = build->sharedsort;
		if (!merge)
			memory /= build->shared->nparts;
	}
	return tuplesort_begin_heap(HxSortedTuples(), 1, &column, &less, &collation,
								&nulls_first, Max(memory, LEAST_SORT),
								coordinate, false);
}

/* Rows are sorted by block, 0 for those without a vector, then by TID. */
static int64
sort_key(int64 block, const ItemPointerData *tid)
{
	int64 offset = ItemPointerGetOffsetNumberNoCheck(tid);

	return block << HX_KEY_TID_BITS |
		   (int64) ItemPointerGetBlockNumberNoCheck(tid) << HX_KEY_OFFSET_BITS |
		   Min(offset, (1 << HX_KEY_OFFSET_BITS) - 1);
}

/* What finds the block of a row: one of the two, or none without blocks */
typedef struct Placer
{
	HxAssigner *assigner;
	HxGrouper *grouper;
} Placer;

static Placer
make_placer(HxBuild *build, const uint8 *centroids)
{
	Placer placer = {NULL, NULL};

	if (build->shared->ncentroids == 0)
		return placer;
	if (build->desc->group > 0)
		placer.grouper = HxMakeGrouper(build, centroids);
	else
		placer.assigner =
			HxMakeAssigner(build->desc, centroids, build->shared->ncentroids);
	return placer;
}

static void
free_placer(Placer *placer)
{
	if (placer->assigner)
		HxFreeAssigner(placer->assigner);
	if (placer->grouper)
		HxFreeGrouper(placer->grouper);
}

/* The block of a row with a vector */
static int
place_row(Placer *placer, const HxIndexDesc *desc, const HxRow *row)
{
	if (placer->grouper)
		return HxAssignInGroup(placer->grouper, row);
	return HxAssign(placer->assigner, HxRowPayload(desc, row), NULL);
}

/* Put a row of the spool into the sort. */
static void
sort_row(HxBuild *build, Placer *placer, Tuplesortstate *sort,
		 TupleTableSlot *slot)
{
	HxRow *row = build->row;
	bytea *packed = (bytea *) DatumGetPointer(slot->tts_values[1]);
	int64 block = 0;

	memcpy(VARDATA(packed), row, HxRowSize(build->desc));
	if (row->has_vector)
		block = 1 + place_row(placer, build->desc, row);
	ExecClearTuple(slot);
	slot->tts_values[0] = Int64GetDatum(sort_key(block, &row->tid));
	slot->tts_isnull[0] = slot->tts_isnull[1] = false;
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(sort, slot);
}

/* Put the claimed rows into the sort. */
static void
sort_rows(HxBuild *build, Placer *placer, Tuplesortstate *sort)
{
	Size size = HxRowSize(build->desc);
	HxSpool *spool = HxOpenSpool(build);
	TupleDesc tuples = HxSortedTuples();
	TupleTableSlot *slot = MakeSingleTupleTableSlot(tuples, &TTSOpsVirtual);
	bytea *packed = palloc(VARHDRSZ + size);
	int64 start = 0;
	int64 end = 0;

	SET_VARSIZE(packed, VARHDRSZ + size);
	slot->tts_values[1] = PointerGetDatum(packed);
	while (claim(build, ROWS_A_CHUNK, &start, &end))
	{
		for (int64 i = start; i < end; i++)
		{
			CHECK_FOR_INTERRUPTS();
			HxReadSpool(spool, i, build->row);
			sort_row(build, placer, sort, slot);
		}
		HxCountDone(build, end - start);
	}
	ExecDropSingleTupleTableSlot(slot);
	FreeTupleDesc(tuples);
	HxCloseSpool(spool);
	pfree(packed);
}

/* Sort one's share; what is sorted outlives a worker's part of the sort. */
static void
assign_share(HxBuild *build)
{
	Tuplesortstate *sort = HxBeginSort(build, false);
	uint8 *centroids = get_centroids(build);
	Placer placer = make_placer(build, centroids);

	HX_INJECT("build-assign");
	sort_rows(build, &placer, sort);
	free_placer(&placer);
	free_centroids(build, centroids);
	tuplesort_performsort(sort);
	if (build->parallel)
		tuplesort_end(sort);
	else
		build->sort = sort;
}

/* ---- calibrating ---- */

/* Score one's share of the blocks; workers write what they found to a file. */
static void
score_share(HxBuild *build)
{
	HxScorer *scorer =
		HxBeginOwnScoring(build->index, build->desc, HX_CALIBRATION_QUERIES);
	int64 start = 0;
	int64 end = 0;

	HX_INJECT("build-score");
	while (claim(build, BLOCKS_A_CHUNK, &start, &end))
		HxCountDone(build, HxScoreBlocks(scorer, start, end));
	if (build->part == 0)
		build->scorer = scorer;
	else
	{
		BufFile *file = HxCreateFile(build, "scores", build->part);

		HxWriteScores(scorer, file);
		HxFinishFile(build, file);
		HxFreeScorer(scorer);
	}
}

void
HxCollectScores(HxBuild *build)
{
	for (int p = 1; p < build->shared->nparts; p++)
	{
		BufFile *file = HxOpenFile(build, "scores", p);

		HxAddScores(build->scorer, file);
		BufFileClose(file);
	}
}

void
HxDoTask(HxBuild *build, HxTask task)
{
	if (HxIsSparse(build->desc))
	{
		HxDoSparseTask(build, task);
		return;
	}
	switch (task)
	{
		case HX_TASK_LOAD:
			HxLoadShare(build, load_row);
			break;
		case HX_TASK_TRAIN:
			train_share(build);
			break;
		case HX_TASK_ASSIGN:
			assign_share(build);
			break;
		case HX_TASK_SCORE:
			score_share(build);
			break;
		default:
			elog(ERROR, "unknown task %d of an index build", (int) task);
	}
}
