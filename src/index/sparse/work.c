/*
 * work.c
 *	  What each participant in a build of an index of sparse vectors does.
 *
 * See README, "Build".  Each spools its share of the table, drawing rows
 * as centroids; all train the same centroids from the rows that all have drawn;
 * each then sorts what it has spooled.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "index/page/inject.h"
#include "index/sparse/build.h"
#include "index/build/file.h"

/* Rows are counted as done this many at once */
#define ROWS_A_STEP 1024
/* Sort key: rank, then order among the rows that a participant has spooled */
#define SEQUENCE_BITS 32
/* Where the choice of centroids among the rows drawn begins; anything will do,
 * if it is the same for all */
#define TRAINING_SEED 1

/* Memory that the rows drawn may take, and the centroids made of them */
static Size
centroids_memory(const HxBuild *build)
{
	return (Size) maintenance_work_mem * 1024 / 4 / build->shared->nparts;
}

/* ---- loading ---- */

/* What is spooled of a row, which may be drawn as a centroid */
static const void *
form_row(HxBuild *build, const Datum *values, const bool *isnull,
		 ItemPointer tid, bool alive, Size *size)
{
	HxSparseRow *row = HxFormSparseRow(build->desc, values, isnull, tid);

	Assert(HX_SPARSE_BUILD(build)->organizer);
	if (row->nnz > 0)
	{
		HxSketch *sketch = HxOrganizerSample(HX_SPARSE_BUILD(build)->organizer);

		if (sketch)
			HxSketchRow(build->desc, row, HX_CENTROID_DIMS, sketch);
	}
	*size = row->size;
	return row;
}

/* Write the rows drawn, for all; a serial build keeps them in memory. */
static void
pass_on_sample(HxBuild *build)
{
	BufFile *file = HxCreateFile(build, "sample", build->part);

	Assert(build->parallel);
	HX_MY_WORK(build)->sampled =
		HxWriteSample(HX_SPARSE_BUILD(build)->organizer, file);
	HxFinishFile(build, file);
	MemoryContextReset(HX_SPARSE_BUILD(build)->centroids_context);
	HX_SPARSE_BUILD(build)->organizer = NULL;
}

/* Spool one's share of the table, and draw rows from it. */
static void
load_share(HxBuild *build)
{
	MemoryContext old;

	HX_SPARSE_BUILD(build)->centroids_context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb centroids", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(HX_SPARSE_BUILD(build)->centroids_context);
	HX_SPARSE_BUILD(build)->organizer =
		HxMakeOrganizer(centroids_memory(build), build->part);
	MemoryContextSwitchTo(old);
	HxLoadRows(build, form_row, NULL);
	if (build->parallel)
		pass_on_sample(build);
}

/* ---- training ---- */

/*
 * Take what all participants have drawn, or as much as there is room for, in
 * the same order everywhere.
 */
static HxOrganizer *
collect_samples(HxBuild *build)
{
	const HxBuildShared *shared = build->shared;
	HxOrganizer *organizer =
		HxMakeOrganizer(centroids_memory(build), TRAINING_SEED);
	double part =
		(double) HxOrganizerRoom(organizer) / Max(HxSumWork(build).sampled, 1);

	Assert(build->parallel);
	for (int p = 0; p < shared->nparts; p++)
	{
		BufFile *file = HxOpenFile(build, "sample", p);

		HxReadSample(organizer, file,
					 (int) (shared->work[p].sampled * Min(part, 1)));
		BufFileClose(file);
	}
	return organizer;
}

/* Train the centroids: everybody the same ones, as that is quickly done. */
static void
train_share(HxBuild *build)
{
	MemoryContext old =
		MemoryContextSwitchTo(HX_SPARSE_BUILD(build)->centroids_context);

	HX_INJECT("build-train");
	if (build->parallel)
		HX_SPARSE_BUILD(build)->organizer = collect_samples(build);
	Assert(HX_SPARSE_BUILD(build)->organizer);
	HxOrganizerTrain(HX_SPARSE_BUILD(build)->organizer, HxSumWork(build).rows);
	MemoryContextSwitchTo(old);
}

/* ---- sorting ---- */

/* Read the next row of the spool into a bytea; palloc'd. */
static bytea *
next_spooled(BufFile *spool)
{
	HxSparseRow head;
	bytea *packed;

	HxReadFile(spool, &head, offsetof(HxSparseRow, words));
	Assert(head.size >= offsetof(HxSparseRow, words));
	packed = palloc(VARHDRSZ + head.size);
	SET_VARSIZE(packed, VARHDRSZ + head.size);
	memcpy(VARDATA(packed), &head, offsetof(HxSparseRow, words));
	HxReadFile(spool, VARDATA(packed) + offsetof(HxSparseRow, words),
			   head.size - offsetof(HxSparseRow, words));
	return packed;
}

/* A row's place in the order of centroids */
static uint64
rank_row(HxBuild *build, bytea *packed)
{
	/* A bytea's contents are not aligned as a row must be. */
	HxSparseRow *row = palloc(VARSIZE(packed) - VARHDRSZ);
	HxSketch sketch;

	memcpy(row, VARDATA(packed), VARSIZE(packed) - VARHDRSZ);
	HxSketchRow(build->desc, row, HX_ROW_DIMS, &sketch);
	return HxOrganizerRank(HX_SPARSE_BUILD(build)->organizer, &sketch);
}

/* Put each row that one has spooled into the sort, with its rank. */
static void
sort_rows(HxBuild *build, BufFile *spool, HxSorter *sorter)
{
	int64 rows = HX_MY_WORK(build)->rows;

	Assert(rows >= 0 && rows <= PG_UINT32_MAX);
	Assert(HX_SPARSE_BUILD(build)->organizer);
	for (int64 i = 0; i < rows; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(build->context);
		bytea *packed = next_spooled(spool);
		int64 key = rank_row(build, packed) << SEQUENCE_BITS | (uint32) i;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(old);
		HxSortRow(sorter, key, packed);
		if ((i + 1) % ROWS_A_STEP == 0)
			HxCountDone(build, ROWS_A_STEP);
		MemoryContextReset(build->context);
	}
}

/* Sort one's share. */
static void
sort_share(HxBuild *build)
{
	HxSorter *sorter = HxBeginSorter(build);
	BufFile *spool = HxOpenPart(build, build->part);

	HX_INJECT("build-assign");
	sort_rows(build, spool, sorter);
	HxClosePart(build, spool);
	/* Centroids go before windows are put together, which take their room. */
	MemoryContextDelete(HX_SPARSE_BUILD(build)->centroids_context);
	HX_SPARSE_BUILD(build)->organizer = NULL;
	HxEndSorter(build, sorter);
}

void
HxDoSparseWork(HxBuild *build, int task)
{
	if (!build->state)
		build->state = palloc0(sizeof(HxSparseBuild));
	switch (task)
	{
		case HX_TASK_LOAD:
			load_share(build);
			break;
		case HX_TASK_TRAIN:
			train_share(build);
			break;
		case HX_TASK_SORT:
			sort_share(build);
			break;
		default:
			elog(ERROR, "unknown task %d of a build of sparse vectors", task);
	}
}
