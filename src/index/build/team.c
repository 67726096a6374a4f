/*
 * team.c
 *	  Workers of an index build: planning, starting, and doing tasks together.
 *
 * The order of steps is that of B-tree builds in the server: locks that suit a
 * concurrent build or not, a registered snapshot for the former, a parallel
 * scan of the table, usage of buffers and WAL added up at the end.  What
 * differs: workers stay for several tasks, for each of which the leader wakes
 * them and waits until all have finished.  A worker that fails raises its error
 * in the leader while that waits; a leader that fails ends its workers.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xloginsert.h"
#include "catalog/index.h"
#include "commands/progress.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/dsm.h"
#include "tcop/tcopprot.h"
#include "utils/backend_progress.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "index/build/build.h"

/* Parts of the shared memory */
#define KEY_SHARED UINT64CONST(0x4858000000000001)
#define KEY_SCAN UINT64CONST(0x4858000000000002)
#define KEY_SORT UINT64CONST(0x4858000000000003)
#define KEY_QUERY UINT64CONST(0x4858000000000004)
#define KEY_BUFFERS UINT64CONST(0x4858000000000005)
#define KEY_WAL UINT64CONST(0x4858000000000006)

/* Shared memory that there must be: what a dozen workers need, and more */
#define ENOUGH_MEMORY (1024 * 1024)
/* While waiting, progress is shown this often (ms) */
#define WAIT_STEP 200

struct HxTeam
{
	ParallelContext *context;
	int workers; /* launched */
	Snapshot snapshot;
	BufferUsage *buffers;
	WalUsage *wal;
};

PGDLLEXPORT void hx_build_worker(dsm_segment *segment, shm_toc *toc);

/* Set the shared state to its beginning, for this many participants. */
static void
init_shared(HxBuildShared *shared, const HxBuild *build, int nparts)
{
	Assert(nparts > 0);
	memset(shared, 0, offsetof(HxBuildShared, work) + nparts * sizeof(HxWork));
	shared->heap = RelationGetRelid(build->heap);
	shared->index = RelationGetRelid(build->index);
	shared->concurrently = build->info->ii_Concurrent;
	shared->nparts = nparts;
	SpinLockInit(&shared->mutex);
	ConditionVariableInit(&shared->changed);
	pg_atomic_init_u64(&shared->next, 0);
	pg_atomic_init_u64(&shared->done, 0);
}

static void
be_alone(HxBuild *build)
{
	build->shared = palloc(offsetof(HxBuildShared, work) + sizeof(HxWork));
	init_shared(build->shared, build, 1);
}

/* ---- planning ---- */

/* How many workers are worth it */
static int
plan_workers(const HxBuild *build)
{
	if (IsInParallelMode() || !ActiveSnapshotSet() ||
		RelationGetNumberOfBlocks(build->heap) == 0)
		return 0;
	return HX_PLAN_WORKERS(build->heap, build->index, build->info);
}

/*
 * Is there shared memory?  Creating a segment fails with an error when the
 * file system it lies in is full, and parallel mode allows no subtransaction
 * to catch that; so try before.
 */
static bool
has_shared_memory(void)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool found = false;

	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		dsm_segment *segment =
			dsm_create(ENOUGH_MEMORY, DSM_CREATE_NULL_IF_MAXSEGMENTS);

		if (segment)
			dsm_detach(segment);
		found = segment != NULL;
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		CurrentResourceOwner = owner;
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		ereport(DEBUG1, (errmsg_internal("no workers for an index build: %s",
										 error->message)));
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return found;
}

/* ---- starting ---- */

/* Ask for room; returns the size of the shared state. */
static Size
estimate_room(HxBuild *build, ParallelContext *context, Snapshot snapshot)
{
	int workers = context->nworkers;
	Size size = offsetof(HxBuildShared, work) + (workers + 1) * sizeof(HxWork);
	shm_toc_estimator *room = &context->estimator;

	shm_toc_estimate_chunk(room, size);
	shm_toc_estimate_chunk(room,
						   table_parallelscan_estimate(build->heap, snapshot));
	shm_toc_estimate_chunk(room, tuplesort_estimate_shared(workers + 1));
	shm_toc_estimate_chunk(room, mul_size(sizeof(BufferUsage), workers));
	shm_toc_estimate_chunk(room, mul_size(sizeof(WalUsage), workers));
	shm_toc_estimate_keys(room, 5);
	if (debug_query_string)
	{
		shm_toc_estimate_chunk(room, strlen(debug_query_string) + 1);
		shm_toc_estimate_keys(room, 1);
	}
	return size;
}

/* Allocate a part of the shared memory. */
static void *
allocate_part(ParallelContext *context, uint64 key, Size size)
{
	void *part = shm_toc_allocate(context->toc, size);

	shm_toc_insert(context->toc, key, part);
	return part;
}

/* Fill the shared memory. */
static void
fill_shared(HxBuild *build, ParallelContext *context, Size size)
{
	HxTeam *team = build->team;
	int nparts = context->nworkers + 1;

	Assert(nparts > 1);
	build->shared = allocate_part(context, KEY_SHARED, size);
	init_shared(build->shared, build, nparts);
	SharedFileSetInit(&build->shared->files, context->seg);

	build->scan =
		allocate_part(context, KEY_SCAN,
					  table_parallelscan_estimate(build->heap, team->snapshot));
	table_parallelscan_initialize(build->heap, build->scan, team->snapshot);

	build->sharedsort =
		allocate_part(context, KEY_SORT, tuplesort_estimate_shared(nparts));
	tuplesort_initialize_shared(build->sharedsort, nparts, context->seg);

	team->buffers = allocate_part(
		context, KEY_BUFFERS, mul_size(sizeof(BufferUsage), context->nworkers));
	team->wal = allocate_part(context, KEY_WAL,
							  mul_size(sizeof(WalUsage), context->nworkers));
	if (debug_query_string)
		strcpy(
			allocate_part(context, KEY_QUERY, strlen(debug_query_string) + 1),
			debug_query_string);
}

/* Leave parallel mode; the build can still go on alone. */
static void
dissolve(HxBuild *build)
{
	HxTeam *team = build->team;

	Assert(build->part == 0 && team);
	if (IsMVCCSnapshot(team->snapshot))
		UnregisterSnapshot(team->snapshot);
	DestroyParallelContext(team->context);
	ExitParallelMode();
	pfree(team);
	build->team = NULL;
	build->scan = NULL; /* which was in memory that is gone */
	build->parallel = false;
}

/* Try to get workers. */
static void
launch(HxBuild *build, int wanted)
{
	HxTeam *team = palloc0(sizeof(HxTeam));
	ParallelContext *context;
	Size size;

	EnterParallelMode();
	context = CreateParallelContext("hashemb", "hx_build_worker", wanted);
	team->context = context;
	team->snapshot = build->info->ii_Concurrent
						 ? RegisterSnapshot(GetTransactionSnapshot())
						 : SnapshotAny;
	build->team = team;
	size = estimate_room(build, context, team->snapshot);
	InitializeParallelDSM(context);
	if (context->seg == NULL)
	{
		dissolve(build);
		return;
	}
	fill_shared(build, context, size);
	LaunchParallelWorkers(context);
	team->workers = context->nworkers_launched;
	if (team->workers == 0)
		dissolve(build);
	else
	{
		build->parallel = true;
		build->shared->nparts = team->workers + 1;
	}
}

void
HxBeginTeam(HxBuild *build)
{
	int wanted = plan_workers(build);

	Assert(build->part == 0 && !build->shared);
	if (wanted > 0 && has_shared_memory())
		launch(build, wanted);
	if (!build->parallel)
		be_alone(build);
	else
		ereport(DEBUG1,
				(errmsg_internal("building index \"%s\" with %d workers",
								 RelationGetRelationName(build->index),
								 build->team->workers)));
}

/* ---- tasks ---- */

/* Tell all participants what to do next. */
static void
give_task(HxBuildShared *shared, int task, int64 items)
{
	Assert(items >= 0);
	Assert(shared->tasks == 0 || shared->task != HX_TASK_END);
	shared->items = items;
	pg_atomic_write_u64(&shared->next, 0);
	pg_atomic_write_u64(&shared->done, 0);
	SpinLockAcquire(&shared->mutex);
	shared->task = task;
	shared->tasks++;
	shared->finished = 0;
	SpinLockRelease(&shared->mutex);
	ConditionVariableBroadcast(&shared->changed);
}

/* Leader: wait until all workers are done with the task. */
static void
wait_for_workers(HxBuild *build)
{
	HxBuildShared *shared = build->shared;

	/* An error if one could not be started: it will never finish */
	WaitForParallelWorkersToAttach(build->team->context);
	for (;;)
	{
		int finished;

		SpinLockAcquire(&shared->mutex);
		finished = shared->finished;
		SpinLockRelease(&shared->mutex);
		Assert(finished <= build->team->workers);
		if (finished >= build->team->workers)
			break;
		(void) ConditionVariableTimedSleep(&shared->changed, WAIT_STEP,
										   PG_WAIT_EXTENSION);
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE,
									 (int64) pg_atomic_read_u64(&shared->done));
	}
	ConditionVariableCancelSleep();
}

/* Do one's share of a task. */
static void
do_task(HxBuild *build, int task)
{
	Assert(HxKindOf(build->desc)->work || task == HX_TASK_LOAD);
	if (HxKindOf(build->desc)->work)
		HxKindOf(build->desc)->work(build, task);
	else
		HxLoadRows(build, NULL, NULL);
}

void
HxRunTask(HxBuild *build, int task, int64 items)
{
	Assert(build->part == 0 && task != HX_TASK_END);
	Assert(build->parallel == (build->team != NULL));
	give_task(build->shared, task, items);
	do_task(build, task);
	if (build->parallel)
		wait_for_workers(build);
}

HxWork
HxLoadTable(HxBuild *build)
{
	HxWork loaded;

	HxBeginTeam(build);
	if (HxKindOf(build->desc)->learn_from_table)
		HxKindOf(build->desc)->learn_from_table(build);
	HxSetPhase(HX_PHASE_LOAD, 0);
	HxRunTask(build, HX_TASK_LOAD, 0);
	loaded = HxSumWork(build);
	build->info->ii_BrokenHotChain |= loaded.broken_chain;
	return loaded;
}

void
HxEndTeam(HxBuild *build)
{
	HxTeam *team = build->team;

	Assert(build->part == 0);
	if (!build->parallel)
		return;
	give_task(build->shared, HX_TASK_END, 0);
	WaitForParallelWorkersToFinish(team->context);
	for (int i = 0; i < team->workers; i++)
		InstrAccumParallelQuery(&team->buffers[i], &team->wal[i]);
	dissolve(build);
	build->shared = NULL;
}

/* Worker: wait for the next task. */
static int
await_task(HxBuildShared *shared, uint32 *seen)
{
	int task = HX_TASK_END;

	for (;;)
	{
		bool given;

		SpinLockAcquire(&shared->mutex);
		given = shared->tasks != *seen;
		if (given)
		{
			*seen = shared->tasks;
			task = shared->task;
		}
		SpinLockRelease(&shared->mutex);
		if (given)
			break;
		ConditionVariableSleep(&shared->changed, PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
	return task;
}

/* Worker: do tasks until sent home. */
static void
work(HxBuild *build)
{
	HxBuildShared *shared = build->shared;
	uint32 seen = 0;
	int task;

	while ((task = await_task(shared, &seen)) != HX_TASK_END)
	{
		Assert(build->part > 0 && build->part < shared->nparts);
		do_task(build, task);
		SpinLockAcquire(&shared->mutex);
		shared->finished++;
		SpinLockRelease(&shared->mutex);
		ConditionVariableBroadcast(&shared->changed);
	}
}

/* Entry point of a worker */
void
hx_build_worker(dsm_segment *segment, shm_toc *toc)
{
	HxBuildShared *shared = shm_toc_lookup(toc, KEY_SHARED, false);
	char *query = shm_toc_lookup(toc, KEY_QUERY, true);
	BufferUsage *buffers = shm_toc_lookup(toc, KEY_BUFFERS, false);
	WalUsage *wal = shm_toc_lookup(toc, KEY_WAL, false);
	HxBuild build = {.parallel = true, .part = ParallelWorkerNumber + 1};
	LOCKMODE heap_lock;
	LOCKMODE index_lock;
	IndexInfo *info;

	debug_query_string = query;
	pgstat_report_activity(STATE_RUNNING, query);

	/* The leader's locks; it has them already, so these are free */
	heap_lock = shared->concurrently ? ShareUpdateExclusiveLock : ShareLock;
	index_lock = shared->concurrently ? RowExclusiveLock : AccessExclusiveLock;
	build.heap = table_open(shared->heap, heap_lock);
	build.index = index_open(shared->index, index_lock);
	info = BuildIndexInfo(build.index);
	info->ii_Concurrent = shared->concurrently;

	build.shared = shared;
	build.scan = shm_toc_lookup(toc, KEY_SCAN, false);
	build.sharedsort = shm_toc_lookup(toc, KEY_SORT, false);
	SharedFileSetAttach(&shared->files, segment);
	tuplesort_attach_shared(build.sharedsort, segment);
	HxInitParticipant(&build, build.heap, build.index, info);

	InstrStartParallelQuery();
	work(&build);
	InstrEndParallelQuery(&buffers[ParallelWorkerNumber],
						  &wal[ParallelWorkerNumber]);
	index_close(build.index, index_lock);
	table_close(build.heap, heap_lock);
}

void
HxFinishBuild(HxBuild *build, const HxWork *loaded, IndexBuildResult *result)
{
	Buffer meta;

	Assert(build->part == 0);
	Assert(loaded->alive <= loaded->vectors && loaded->vectors <= loaded->rows);
	HxDropSpool(build);
	HxEndTeam(build);
	meta = HxReadPage(build->index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE,
					  HX_PAGE_META);
	HxPageMeta(BufferGetPage(meta))->rows_at_build = loaded->vectors;
	HxFinishPage(meta);
	if (HxKindOf(build->desc)->store_learnt)
		HxKindOf(build->desc)->store_learnt(build);
	if (RelationNeedsWAL(build->index))
		log_newpage_range(build->index, MAIN_FORKNUM, 0,
						  RelationGetNumberOfBlocks(build->index), true);
	result->heap_tuples = loaded->heap_rows;
	result->index_tuples = loaded->rows;
}
