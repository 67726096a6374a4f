/*
 * build.c
 *	  Building an index from a table: the leader's side.
 *
 * See README, "Build".  One pass over the heap spools the rows; centroids are
 * trained on rows sampled from the spool; the spool is sorted by block and
 * written.  Nobody else sees the index, so pages are logged at the end.
 */
#include "postgres.h"

#include <math.h>

#include "commands/progress.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "index/blocks/blocks.h"
#include "index/blocks/build/group.h"
#include "index/options.h"
#include "index/page/inject.h"
#include "random.h"
#include "index/blocks/store/target.h"
#include "index/blocks/store/train.h"
#include "index/blocks/store/upper.h"

/* Sampled rows a block, for training */
#define SAMPLE_PER_BLOCK 40
/* The sample has at least this many rows, and at most */
#define LEAST_SAMPLE 200
#define GREATEST_SAMPLE (INT_MAX / 64)
/* Memory of a sampled row in training, beside its payload */
#define SAMPLE_OVERHEAD (4 * sizeof(int))

/* ---- training ---- */

/* How many blocks would be best for this many rows with a vector */
static int
best_blocks(const HxBuild *build, int64 rows)
{
	double per_block = HxBlockTarget(build->index, build->desc, rows);

	if (rows == 0)
		return 0;
	return (int) Max(1, Min(rows / per_block, HX_KEY_MAX_BLOCKS - 1));
}

/* Memory that a block takes in a build */
static Size
block_memory(const HxBuild *build)
{
	return 2 * build->shared->nparts * build->desc->payload + sizeof(HxEntry) +
		   HX_ZONE_SIZE(build->desc->nwords);
}

/*
 * Centroids, which each participant holds twice, and entries take at most a
 * quarter of the memory.
 */
static int
most_blocks(const HxBuild *build)
{
	return (int) Max(
		Min(HxBuildMemory(4) / block_memory(build), HX_KEY_MAX_BLOCKS - 1), 1);
}

/* How many blocks there are to be */
static int
choose_blocks(const HxBuild *build, int64 rows)
{
	int best = best_blocks(build, rows);
	Size each = block_memory(build);
	int most = most_blocks(build);

	Assert(best < HX_KEY_MAX_BLOCKS && most < HX_KEY_MAX_BLOCKS);
	if (best <= most)
		return best;
	ereport(NOTICE,
			(errmsg("index \"%s\" gets %d blocks instead of %d to stay within "
					"maintenance_work_mem",
					RelationGetRelationName(build->index), most, best),
			 errdetail("Searches will read more rows than they would have to."),
			 errhint("Build it with maintenance_work_mem of at least %zu kB.",
					 4 * each * best / 1024 + 1)));
	return most;
}

/* Rows that may be sampled: deleted ones only if there are no others */
static int64
samplable(const HxWork *loaded)
{
	return loaded->alive > 0 ? loaded->alive : loaded->vectors;
}

/*
 * Copy random rows with a vector from the spool, only live ones if there are
 * any; returns how many, at most `wanted`.  The spool is cut into equal
 * stretches and one row is drawn from each.  Every row has the same chance, and
 * the file is read forwards.
 */
static int
take_sample(HxBuild *build, const HxWork *loaded, int wanted, uint8 *sample)
{
	HxSpool *spool = HxOpenSpool(build);
	Size size = build->desc->payload;
	double stretch = (double) samplable(loaded) / wanted;
	int64 stretches = (int64) ceil(loaded->rows / stretch);
	uint64 random = 1;
	int64 seen = 0;

	Assert(wanted > 0 && wanted <= samplable(loaded));
	for (int64 i = 0; i < stretches; i++)
	{
		int64 start = (int64) (i * stretch);
		int64 end = Min((int64) ((i + 1) * stretch), loaded->rows);
		int64 at;

		CHECK_FOR_INTERRUPTS();
		if (end <= start)
			continue;
		HxReadSpool(spool, start + HxRandomBelow(&random, end - start),
					HX_BLOCKS_BUILD(build)->row);
		if (!HX_BLOCKS_BUILD(build)->row->has_vector ||
			(loaded->alive > 0 && !HX_BLOCKS_BUILD(build)->row->alive))
			continue;
		/* A few more may come than wanted: the excess is random too */
		at = HxDrawPlace(&random, &seen, wanted);
		if (at >= 0)
			memcpy(sample + at * size,
				   HxRowPayload(build->desc, HX_BLOCKS_BUILD(build)->row),
				   size);
	}
	HxCloseSpool(spool);
	return (int) Min(seen, wanted);
}

/* Write something to a file that all participants can open. */
static void
publish(HxBuild *build, const char *name, int number, const uint8 *data,
		Size size)
{
	BufFile *file;

	if (!build->parallel)
		return;
	file = HxCreateFile(build, name, number);
	BufFileWrite(file, unconstify(uint8 *, data), size);
	HxFinishFile(build, file);
}

/* Let all participants know the centroids. */
static void
publish_centroids(HxBuild *build, const uint8 *centroids, int count)
{
	Assert(build->part == 0 && count >= 0);
	HX_BLOCKS_BUILD(build)->centroids = unconstify(uint8 *, centroids);
	HX_BLOCKS_SHARED(build)->ncentroids = count;
	HX_BLOCKS_SHARED(build)->generation++;
	publish(build, "centroids", HX_BLOCKS_SHARED(build)->generation, centroids,
			(Size) count * build->desc->payload);
}

/* HxSample's assign: all participants together. */
static void
assign_sample(HxSample *sample, const uint8 *centroids, int ncentroids,
			  int *nearest)
{
	HxBuild *build = sample->state;

	publish_centroids(build, centroids, ncentroids);
	HX_BLOCKS_BUILD(build)->nearest = nearest;
	HxRunTask(build, HX_TASK_TRAIN, sample->count);
	if (build->parallel)
		HxCollectAnswers(build);
}

/* Train centroids within each group. */
static void
train_groups(HxBuild *build, const HxWork *loaded)
{
	uint8 *centroids;

	HxSetPhase(HX_PHASE_TRAIN, samplable(loaded));
	centroids = HxTrainGroups(build, samplable(loaded), loaded->alive > 0,
							  best_blocks(build, samplable(loaded)),
							  most_blocks(build), HxBuildMemory(4));
	HX_BLOCKS_BUILD(build)->ncentroids =
		HxGroupBlocks(HX_BLOCKS_BUILD(build)->groups);
	publish_centroids(build, centroids, HX_BLOCKS_BUILD(build)->ncentroids);
}

/* Train the centroids on a sample. */
static void
train(HxBuild *build, const HxWork *loaded)
{
	const HxIndexDesc *desc = build->desc;
	Size fits = HxBuildMemory(4) / (desc->payload + SAMPLE_OVERHEAD);
	int room = (int) Max(Min(fits, GREATEST_SAMPLE), LEAST_SAMPLE);
	int count = choose_blocks(build, samplable(loaded));
	int wanted = (int) Min(Min((int64) count * SAMPLE_PER_BLOCK, room),
						   samplable(loaded));
	HxSample sample = {desc, NULL, 0, assign_sample, build};
	uint8 *payloads;
	uint8 *centroids;

	HxSetPhase(HX_PHASE_TRAIN, (int64) wanted * HX_TRAINING_ROUNDS);
	payloads = MemoryContextAllocHuge(CurrentMemoryContext,
									  Max((Size) wanted * desc->payload, 1));
	if (wanted > 0)
		sample.count = take_sample(build, loaded, wanted, payloads);
	sample.payloads = HX_BLOCKS_BUILD(build)->sample = payloads;
	count = Min(count, sample.count);
	centroids = MemoryContextAllocHuge(CurrentMemoryContext,
									   (Size) (count + 1) * desc->payload);
	if (count > 0)
	{
		publish(build, "sample", 0, payloads,
				(Size) sample.count * desc->payload);
		count = HxTrain(&sample, centroids, count);
		HxOrderCentroids(desc, centroids, count);
	}
	pfree(payloads);
	HX_BLOCKS_BUILD(build)->sample = NULL;
	HX_BLOCKS_BUILD(build)->ncentroids = count;
	publish_centroids(build, centroids, count);
}

/* ---- writing ---- */

/* Write the sorted rows, block after block. */
static void
write_rows(HxBuild *build, int64 rows)
{
	const HxOptions *options = (HxOptions *) build->index->rd_options;
	HxBlocksBuild *state = HX_BLOCKS_BUILD(build);
	HxSorter *sorted = HxBeginSorted(build);
	HxWriter *writer =
		HxBeginWrite(build->index, MAIN_FORKNUM, build->desc, state->centroids,
					 state->ncentroids,
					 options ? options->fillfactor : HX_DEFAULT_FILLFACTOR);
	int64 done = 0;
	int64 key;
	bytea *packed;

	HxSetPhase(HX_PHASE_WRITE, rows);
	HX_INJECT("build-write");
	while (HxNextSorted(build, sorted, &key, &packed))
	{
		memcpy(state->row, VARDATA_ANY(packed), HxRowSize(build->desc));
		HxWriteRow(writer, (int) (key >> HX_KEY_TID_BITS), state->row);
		if (++done % 1024 == 0)
			pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, done);
	}
	HxEndWrite(writer);
}

/* Make the table of expected misses. */
static void
calibrate(HxBuild *build, int64 vectors)
{
	HxMisses *table;
	uint64 rows;

	if (vectors < HX_MIN_CALIBRATION_ROWS)
		return;
	HxSetPhase(HX_PHASE_CALIBRATE, vectors);
	HxRunTask(build, HX_TASK_SCORE, HX_BLOCKS_BUILD(build)->ncentroids);
	Assert(HX_BLOCKS_BUILD(build)->scorer);
	HxCollectScores(build);
	table = palloc(sizeof(HxMisses));
	if (HxEndScoring(HX_BLOCKS_BUILD(build)->scorer, table, &rows))
		HxStoreBuiltMisses(build->index, table, rows);
	pfree(table);
}

/* All phases */
void
HxBuildBlocks(HxBuild *build, IndexBuildResult *result)
{
	HxWork loaded;

	Assert(build->part == 0);
	loaded = HxLoadTable(build);
	if (HxIsGrouped(build->desc))
		train_groups(build, &loaded);
	else
		train(build, &loaded);
	HxSortRows(build, loaded.rows);
	write_rows(build, loaded.rows);
	calibrate(build, loaded.vectors);
	HxFinishBuild(build, &loaded, result);
}

void
HxBuildEmptyBlocks(Relation index, const HxIndexDesc *desc, ForkNumber fork)
{
	HxEndWrite(HxBeginWrite(index, fork, desc, NULL, 0, HX_DEFAULT_FILLFACTOR));
}
