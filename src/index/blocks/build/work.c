/*
 * work.c
 *	  What each participant in a build of blocks does.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "index/blocks/blocks.h"
#include "index/blocks/store/assign.h"
#include "index/blocks/build/group.h"
#include "index/page/inject.h"
#include "index/build/file.h"

/* Rows claimed at once: of the spool, and of the sample */
#define ROWS_A_CHUNK 1024
#define SAMPLES_A_CHUNK 256
/* Blocks of the index claimed at once */
#define BLOCKS_A_CHUNK 4

/* The nearest centroids of a chunk of the sample, as a worker answers */
typedef struct Answer
{
	int64 start;
	int64 end;
	int nearest[SAMPLES_A_CHUNK];
} Answer;

/* ---- training ---- */

/* The centroids: the leader's own, or a copy of what it has written. */
static uint8 *
get_centroids(HxBuild *build)
{
	Size size =
		(Size) HX_BLOCKS_SHARED(build)->ncentroids * build->desc->payload;
	uint8 *centroids;
	BufFile *file;

	if (build->part == 0)
		return HX_BLOCKS_BUILD(build)->centroids;
	centroids = MemoryContextAllocHuge(CurrentMemoryContext, Max(size, 1));
	file = HxOpenFile(build, "centroids", HX_BLOCKS_SHARED(build)->generation);
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

	Assert(build->part == 0);
	Assert(HX_BLOCKS_BUILD(build)->sample && HX_BLOCKS_BUILD(build)->nearest);
	while (HxClaim(build, SAMPLES_A_CHUNK, &start, &end))
	{
		for (int64 i = start; i < end; i++)
		{
			CHECK_FOR_INTERRUPTS();
			HX_BLOCKS_BUILD(build)->nearest[i] = HxAssign(
				assigner,
				HX_BLOCKS_BUILD(build)->sample + i * build->desc->payload,
				NULL);
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
	BufFile *answers = HxCreateFile(build, "nearest",
									HX_BLOCKS_SHARED(build)->generation *
											build->shared->nparts +
										build->part);
	Answer answer = {0};
	int64 count = 0;

	Assert(build->part > 0);
	while (HxClaim(build, SAMPLES_A_CHUNK, &answer.start, &answer.end))
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
	HX_MY_WORK(build)->sampled = count;
	HxFinishFile(build, answers);
	BufFileClose(file);
	pfree(sample);
}

static void
train_share(HxBuild *build)
{
	uint8 *centroids = get_centroids(build);
	HxAssigner *assigner = HxMakeAssigner(build->desc, centroids,
										  HX_BLOCKS_SHARED(build)->ncentroids);

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

	Assert(build->part == 0 && HX_BLOCKS_BUILD(build)->nearest);
	for (int p = 1; p < shared->nparts; p++)
	{
		BufFile *file = HxOpenFile(
			build, "nearest",
			HX_BLOCKS_SHARED(build)->generation * shared->nparts + p);

		for (int64 n = 0; n < shared->work[p].sampled; n++)
		{
			HxReadFile(file, &answer, sizeof(answer));
			Assert(answer.start < answer.end &&
				   answer.end - answer.start <= SAMPLES_A_CHUNK);
			memcpy(HX_BLOCKS_BUILD(build)->nearest + answer.start,
				   answer.nearest, (answer.end - answer.start) * sizeof(int));
		}
		BufFileClose(file);
	}
}

/* ---- assigning ---- */

/* Rows are sorted by block, 0 for those without a vector, then by TID. */
static int64
sort_key(int64 block, const ItemPointerData *tid)
{
	int64 offset = ItemPointerGetOffsetNumberNoCheck(tid);

	Assert(block >= 0 && block < HX_KEY_MAX_BLOCKS);
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

	if (HX_BLOCKS_SHARED(build)->ncentroids == 0)
		return placer;
	if (HxIsGrouped(build->desc))
		placer.grouper = HxMakeGrouper(build, centroids);
	else
		placer.assigner = HxMakeAssigner(build->desc, centroids,
										 HX_BLOCKS_SHARED(build)->ncentroids);
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
	Assert(row->has_vector && (placer->grouper || placer->assigner));
	if (placer->grouper)
		return HxAssignInGroup(placer->grouper, row);
	return HxAssign(placer->assigner, HxRowPayload(desc, row), NULL);
}

/* Put the claimed rows into the sort. */
static void
sort_rows(HxBuild *build, Placer *placer, HxSorter *sorter)
{
	const HxIndexDesc *desc = build->desc;
	HxRow *row = HX_BLOCKS_BUILD(build)->row;
	Size size = HxRowSize(desc);
	HxSpool *spool = HxOpenSpool(build);
	bytea *packed = palloc(VARHDRSZ + size);
	int64 start = 0;
	int64 end = 0;

	SET_VARSIZE(packed, VARHDRSZ + size);
	while (HxClaim(build, ROWS_A_CHUNK, &start, &end))
	{
		for (int64 i = start; i < end; i++)
		{
			int64 block = 0;

			HxReadSpool(spool, i, row);
			if (row->has_vector)
				block = 1 + place_row(placer, desc, row);
			memcpy(VARDATA(packed), row, size);
			HxSortRow(sorter, sort_key(block, &row->tid), packed);
		}
		HxCountDone(build, end - start);
	}
	HxCloseSpool(spool);
	pfree(packed);
}

/* Sort one's share. */
static void
assign_share(HxBuild *build)
{
	HxSorter *sorter = HxBeginSorter(build);
	uint8 *centroids = get_centroids(build);
	Placer placer = make_placer(build, centroids);

	HX_INJECT("build-assign");
	sort_rows(build, &placer, sorter);
	free_placer(&placer);
	free_centroids(build, centroids);
	HxEndSorter(build, sorter);
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
	while (HxClaim(build, BLOCKS_A_CHUNK, &start, &end))
		HxCountDone(build, HxScoreBlocks(scorer, start, end));
	if (build->part == 0)
		HX_BLOCKS_BUILD(build)->scorer = scorer;
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
	Assert(build->part == 0 && HX_BLOCKS_BUILD(build)->scorer);
	for (int p = 1; p < build->shared->nparts; p++)
	{
		BufFile *file = HxOpenFile(build, "scores", p);

		HxAddScores(HX_BLOCKS_BUILD(build)->scorer, file);
		BufFileClose(file);
	}
}

void
HxBeginBlocksWork(HxBuild *build)
{
	HxBlocksBuild *state;

	if (build->state)
		return;
	state = palloc0(sizeof(HxBlocksBuild));
	state->row = palloc0(HxRowSize(build->desc));
	build->state = state;
}

void
HxDoBlocksWork(HxBuild *build, int task)
{
	HxBeginBlocksWork(build);
	switch (task)
	{
		case HX_TASK_LOAD:
			HxLoadRows(build, NULL, NULL);
			break;
		case HX_TASK_TRAIN:
			train_share(build);
			break;
		case HX_TASK_SORT:
			assign_share(build);
			break;
		case HX_TASK_SCORE:
			score_share(build);
			break;
		default:
			elog(ERROR, "unknown task %d of an index build", task);
	}
}
