/*
 * work.c
 *	  What each participant in an index build does, be it the leader, a worker
 *	  or the only one.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "commands/progress.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "index/build/build.h"
#include "index/page/inject.h"
#include "index/page/page.h"

/* Rows are counted as done this many at once */
#define ROWS_A_STEP 1024

void
HxInitParticipant(HxBuild *build, Relation heap, Relation index,
				  IndexInfo *info)
{
	HxIndexDesc *desc = palloc(sizeof(HxIndexDesc));

	Assert(build->parallel == (build->part > 0));
	HxDescribeForBuild(index, desc);
	build->heap = heap;
	build->index = index;
	build->info = info;
	build->desc = desc;
	build->context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb build row", ALLOCSET_DEFAULT_SIZES);
}

void
HxSetPhase(int64 phase, int64 total)
{
	const int parameters[] = {PROGRESS_CREATEIDX_SUBPHASE,
							  PROGRESS_CREATEIDX_TUPLES_TOTAL,
							  PROGRESS_CREATEIDX_TUPLES_DONE};
	const int64 values[] = {phase, total, 0};

	pgstat_progress_update_multi_param(3, parameters, values);
}

void
HxCountDone(HxBuild *build, int64 items)
{
	uint64 done = pg_atomic_add_fetch_u64(&build->shared->done, items);

	Assert(items >= 0);
	if (build->part == 0)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE,
									 (int64) done);
}

bool
HxClaim(HxBuild *build, int most, int64 *start, int64 *end)
{
	HxBuildShared *shared = build->shared;

	Assert(most > 0);
	*start = (int64) pg_atomic_fetch_add_u64(&shared->next, most);
	*end = Min(*start + most, shared->items);
	return *start < shared->items;
}

HxWork
HxSumWork(const HxBuild *build)
{
	HxWork sum = {0};

	for (int p = 0; p < build->shared->nparts; p++)
	{
		const HxWork *work = &build->shared->work[p];

		sum.rows += work->rows;
		sum.vectors += work->vectors;
		sum.alive += work->alive;
		sum.heap_rows += work->heap_rows;
		sum.sampled += work->sampled;
		sum.broken_chain |= work->broken_chain;
	}
	return sum;
}

Size
HxBuildMemory(int divisor)
{
	return (Size) maintenance_work_mem * 1024 / divisor;
}

/* HxFormSpooled: a row as it is */
static const void *
form_row(HxBuild *build, const Datum *values, const bool *isnull,
		 ItemPointer tid, bool alive, Size *size)
{
	HxRow *row;

	*size = HxRowSize(build->desc);
	row = palloc(*size);
	HxFormRow(build->desc, values, isnull, tid, row);
	row->alive = alive;
	return row;
}

/* table_index_build_scan callback: spool a row. */
static void
load_row(Relation index, ItemPointer tid, Datum *values, bool *isnull,
		 bool alive, void *state)
{
	HxBuild *build = state;
	HxWork *work = HX_MY_WORK(build);
	MemoryContext old = MemoryContextSwitchTo(build->context);
	bool has_vector = !isnull[build->desc->vector_attno - 1];
	Size size = 0;
	const void *row = build->form(build, values, isnull, tid, alive, &size);

	Assert(build->rows);
	if (size > 0)
		BufFileWrite(build->rows, unconstify(void *, row), size);
	work->vectors += has_vector;
	work->alive += has_vector && alive;
	if (++work->rows % ROWS_A_STEP == 0)
		HxCountDone(build, ROWS_A_STEP);
	MemoryContextSwitchTo(old);
	MemoryContextReset(build->context);
}

void
HxLoadRows(HxBuild *build, HxFormSpooled form, HxFormRest rest)
{
	HxWork *work = HX_MY_WORK(build);
	TableScanDesc scan = NULL;
	const void *last;
	Size size = 0;

	Assert(build->part < build->shared->nparts && !build->rows);
	Assert(build->parallel == (build->scan != NULL));
	build->form = form ? form : form_row;
	build->rows = HxCreateFile(build, "rows", build->part);
	if (build->parallel)
		scan = table_beginscan_parallel(build->heap, build->scan);
	HX_INJECT("build-load");
	work->heap_rows = table_index_build_scan(
		build->heap, build->index, build->info, build->parallel,
		build->part == 0, load_row, build, scan);
	work->broken_chain = build->info->ii_BrokenHotChain;
	last = rest ? rest(build, &size) : NULL;
	if (size > 0)
		BufFileWrite(build->rows, unconstify(void *, last), size);
	HxFinishFile(build, build->rows);
}
