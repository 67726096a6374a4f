/*
 * build.c
 *	  Building an index from a table.
 *
 * See README, "Build".  One pass over the heap spools the rows and samples
 * them; centroids are trained on the sample; the spool is sorted by block and
 * written.  Nobody else sees the index, so pages are logged at the end.
 */
#include "postgres.h"

#include <math.h>

#include "access/tableam.h"
#include "access/xloginsert.h"
#include "catalog/index.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "commands/progress.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/buffile.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplesort.h"

#include "compat.h"
#include "index/assign.h"
#include "index/calibrate.h"
#include "index/handler.h"
#include "index/random.h"
#include "index/sparse.h"
#include "index/split.h"
#include "index/write.h"

/* Sampled rows a block, for training */
#define SAMPLE_PER_BLOCK 40
/* Sort key: block number, then order in the heap */
#define SEQUENCE_BITS 40

typedef struct Build
{
	Relation heap;
	Relation index;
	IndexInfo *info;
	const HxIndexDesc *desc;
	BufFile *spool;
	double heap_rows;
	int64 rows;	 /* spooled, with a vector or without */
	int64 nulls; /* of these, without */
	uint8 *sample;
	int64 sample_room;
	uint64 random;
	int nblocks;
	uint8 *centroids;
	HxRow *row;			   /* scratch */
	MemoryContext context; /* reset after each row */
} Build;

static void
set_phase(int64 phase, int64 total)
{
	const int parameters[] = {PROGRESS_CREATEIDX_SUBPHASE,
							  PROGRESS_CREATEIDX_TUPLES_TOTAL,
							  PROGRESS_CREATEIDX_TUPLES_DONE};
	const int64 values[] = {phase, total, 0};

	pgstat_progress_update_multi_param(3, parameters, values);
}

static void
set_done(int64 done)
{
	if (done % 1024 == 0)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, done);
}

/* ---- loading ---- */

/* Keep a payload in the reservoir (Vitter 1985, algorithm R). */
static void
sample_row(Build *build, const uint8 *payload)
{
	int64 seen = build->rows - build->nulls;
	int64 at = seen;

	if (seen >= build->sample_room)
		at = HxRandomBelow(&build->random, seen + 1);
	if (at < build->sample_room)
		memcpy(build->sample + at * build->desc->payload, payload,
			   build->desc->payload);
}

/* table_index_build_scan callback: spool a row. */
static void
load_row(Relation index, ItemPointer tid, Datum *values, bool *isnull,
		 bool alive, void *state)
{
	Build *build = state;
	const HxIndexDesc *desc = build->desc;
	MemoryContext old = MemoryContextSwitchTo(build->context);
	int vector = desc->vector_attno - 1;
	HxRow *row = build->row;

	memset(row, 0, HxRowSize(desc));
	row->tid = *tid;
	row->has_vector = !isnull[vector];
	HxEncodeAttrs(desc, values, isnull, &row->attrs);
	if (row->has_vector)
	{
		desc->vector->methods->form(desc, values[vector],
									HxRowPayload(desc, row));
		sample_row(build, HxRowPayload(desc, row));
	}
	else
		build->nulls++;
	BufFileWrite(build->spool, row, HxRowSize(desc));
	build->rows++;
	set_done(build->rows);
	MemoryContextSwitchTo(old);
	MemoryContextReset(build->context);
}

/* Scan the heap into the spool and the sample. */
static void
load_rows(Build *build)
{
	Size room = (Size) maintenance_work_mem * 1024 / 4;

	build->sample_room = Max(room / build->desc->payload, 1000);
	build->sample = MemoryContextAllocHuge(
		CurrentMemoryContext, build->sample_room * build->desc->payload);
	build->spool = BufFileCreateTemp(false);
	set_phase(HX_PHASE_LOAD, 0);
	build->heap_rows =
		table_index_build_scan(build->heap, build->index, build->info, true,
							   true, load_row, build, NULL);
}

/* ---- training ---- */

/* How many blocks an index of so many rows with a vector gets. */
static int
choose_blocks(const Build *build, int64 rows)
{
	double per_block = HxBlockTarget(build->index, build->desc, rows);

	if (rows == 0)
		return 0;
	return (int) Max(1, Min(rows / per_block, INT_MAX / 2));
}

/*
 * Bring `wanted` random payloads of the sample to its front: a table is seldom
 * in random order, and as long as the reservoir is not full neither is it.
 */
static void
shuffle_sample(Build *build, int64 count, int64 wanted)
{
	Size size = build->desc->payload;
	uint8 *spare = palloc(size);

	for (int64 i = 0; i < wanted; i++)
	{
		int64 other = i + HxRandomBelow(&build->random, count - i);

		memcpy(spare, build->sample + i * size, size);
		memcpy(build->sample + i * size, build->sample + other * size, size);
		memcpy(build->sample + other * size, spare, size);
	}
	pfree(spare);
}

static void
train(Build *build)
{
	int64 rows = build->rows - build->nulls;
	int64 sampled = Min(rows, build->sample_room);
	int count = Min(choose_blocks(build, rows), sampled);
	int64 nsample = Min(sampled, (int64) count * SAMPLE_PER_BLOCK);

	set_phase(HX_PHASE_TRAIN, nsample);
	shuffle_sample(build, sampled, nsample);
	build->centroids = MemoryContextAllocHuge(
		CurrentMemoryContext, (Size) (count + 1) * build->desc->payload);
	if (count > 0)
		build->nblocks = build->desc->vector->methods->train(
			build->desc, build->sample, nsample, build->centroids, count);
	pfree(build->sample);
}

/* ---- assigning ---- */

/* Read a row back. */
static void
read_spool(BufFile *spool, HxRow *row, Size size)
{
	if (BufFileRead(spool, row, size) != size)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read the temporary file of an index "
							   "build: %m")));
}

/* Sort of spooled rows by block, as tuples (key int8, row bytea) */
static Tuplesortstate *
begin_sort(TupleDesc *tuples)
{
	AttrNumber column = 1;
	Oid operator= Int8LessOperator;
	Oid collation = InvalidOid;
	bool nulls_first = false;

	*tuples = CreateTemplateTupleDesc(2);
	TupleDescInitEntry(*tuples, 1, "key", INT8OID, -1, 0);
	TupleDescInitEntry(*tuples, 2, "row", BYTEAOID, -1, 0);
	return tuplesort_begin_heap(*tuples, 1, &column, &operator, & collation,
								&nulls_first, maintenance_work_mem / 2, NULL,
								false);
}

/* Read the spool again, and put each row into the sort with its block. */
static void
assign_rows(Build *build, Tuplesortstate *sort, TupleDesc tuples)
{
	Size size = HxRowSize(build->desc);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(tuples, &TTSOpsVirtual);
	bytea *packed = palloc(VARHDRSZ + size);
	HxRow *row = (HxRow *) VARDATA(packed);
	HxAssigner *assigner = NULL;

	set_phase(HX_PHASE_ASSIGN, build->rows);
	if (build->nblocks > 0)
		assigner =
			HxMakeAssigner(build->desc, build->centroids, build->nblocks);
	SET_VARSIZE(packed, VARHDRSZ + size);
	if (BufFileSeek(build->spool, 0, 0, SEEK_SET) != 0)
		elog(ERROR, "could not rewind the spool of an index build");
	for (int64 i = 0; i < build->rows; i++)
	{
		int64 block = 0; /* rows without a vector */

		CHECK_FOR_INTERRUPTS();
		read_spool(build->spool, build->row, size);
		memcpy(row, build->row, size);
		if (build->row->has_vector)
			block = 1 + HxAssign(assigner,
								 HxRowPayload(build->desc, build->row), NULL);
		ExecClearTuple(slot);
		slot->tts_values[0] = Int64GetDatum(block << SEQUENCE_BITS | i);
		slot->tts_values[1] = PointerGetDatum(packed);
		slot->tts_isnull[0] = slot->tts_isnull[1] = false;
		ExecStoreVirtualTuple(slot);
		tuplesort_puttupleslot(sort, slot);
		set_done(i + 1);
	}
	if (assigner)
		HxFreeAssigner(assigner);
	BufFileClose(build->spool);
	ExecDropSingleTupleTableSlot(slot);
	pfree(packed);
	tuplesort_performsort(sort);
}

/* ---- writing ---- */

/* Write the sorted rows, block after block. */
static void
write_rows(Build *build, Tuplesortstate *sort, TupleDesc tuples)
{
	Size size = HxRowSize(build->desc);
	TupleTableSlot *slot =
		MakeSingleTupleTableSlot(tuples, &TTSOpsMinimalTuple);
	const HxOptions *options = (HxOptions *) build->index->rd_options;
	HxWriter *writer = HxBeginWrite(
		build->index, MAIN_FORKNUM, build->desc, build->centroids,
		build->nblocks, options ? options->fillfactor : HX_DEFAULT_FILLFACTOR);
	int64 done = 0;

	set_phase(HX_PHASE_WRITE, build->rows);
	while (tuplesort_gettupleslot(sort, true, false, slot, NULL))
	{
		bool isnull;
		int64 key = DatumGetInt64(slot_getattr(slot, 1, &isnull));
		bytea *packed = DatumGetByteaPP(slot_getattr(slot, 2, &isnull));

		CHECK_FOR_INTERRUPTS();
		memcpy(build->row, VARDATA_ANY(packed), size);
		HxWriteRow(writer, (int) (key >> SEQUENCE_BITS), build->row);
		set_done(++done);
	}
	ExecDropSingleTupleTableSlot(slot);
	HxEndWrite(writer);
}

/* Make the table of expected misses. */
static void
calibrate(Build *build)
{
	HxTable *table = palloc(sizeof(HxTable));
	uint64 rows;

	set_phase(HX_PHASE_CALIBRATE, 0);
	if (HxComputeTableFromRows(build->index, build->desc,
							   HX_CALIBRATION_QUERIES, table, &rows))
		HxStoreBuiltTable(build->index, table, rows);
	pfree(table);
}

/* ambuild */
IndexBuildResult *
hxbuild(Relation heap, Relation index, IndexInfo *info)
{
	MemoryContext context;
	MemoryContext old;
	IndexBuildResult *result;
	Build build = {0};
	HxIndexDesc desc;
	Tuplesortstate *sort;
	TupleDesc tuples;

	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data",
			 RelationGetRelationName(index));
	if (HxIsSparse(HxDescribe(index)))
		return HxSparseBuild(heap, index, info);
	context = AllocSetContextCreate(CurrentMemoryContext, "hashemb build",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	desc = *HxDescribe(index);
	build.heap = heap;
	build.index = index;
	build.info = info;
	build.desc = &desc;
	build.random = 1;
	build.row = palloc(HxRowSize(&desc));
	build.context = AllocSetContextCreate(context, "hashemb build row",
										  ALLOCSET_DEFAULT_SIZES);

	load_rows(&build);
	train(&build);
	sort = begin_sort(&tuples);
	assign_rows(&build, sort, tuples);
	write_rows(&build, sort, tuples);
	tuplesort_end(sort);
	calibrate(&build);
	if (RelationNeedsWAL(index))
		log_newpage_range(index, MAIN_FORKNUM, 0,
						  RelationGetNumberOfBlocks(index), true);

	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	result = palloc(sizeof(IndexBuildResult));
	result->heap_tuples = build.heap_rows;
	result->index_tuples = build.rows;
	return result;
}

/* ambuildempty: the init fork of an unlogged index */
void
hxbuildempty(Relation index)
{
	HxWriter *writer;

	if (HxIsSparse(HxDescribe(index)))
	{
		HxSparseBuildEmpty(index);
		return;
	}
	writer = HxBeginWrite(index, INIT_FORKNUM, HxDescribe(index), NULL, 0,
						  HX_DEFAULT_FILLFACTOR);
	HxEndWrite(writer);
	log_newpage_range(index, INIT_FORKNUM, 0,
					  RelationGetNumberOfBlocksInFork(index, INIT_FORKNUM),
					  true);
}

/* ambuildphasename */
char *
hxbuildphasename(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case HX_PHASE_LOAD:
			return "loading rows";
		case HX_PHASE_TRAIN:
			return "training centroids";
		case HX_PHASE_ASSIGN:
			return "assigning rows";
		case HX_PHASE_WRITE:
			return "writing blocks";
		case HX_PHASE_CALIBRATE:
			return "calibrating";
		default:
			return NULL;
	}
}
