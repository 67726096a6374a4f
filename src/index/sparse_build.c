/*
 * sparse_build.c
 *	  Building an index of sparse vectors from a table.
 *
 * See README.sparse, "Build".  One pass over the heap spools the rows and draws
 * centroids among them; the spool is sorted so that similar rows are neighbours
 * and cut into windows as long as memory allows.  Pages are logged at the end.
 */
#include "postgres.h"

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
#include "utils/tuplesort.h"

#include "compat.h"
#include "index/handler.h"
#include "index/inject.h"
#include "index/sparse.h"

/* Sort key: rank, then order in the heap */
#define SEQUENCE_BITS 32

typedef struct SparseBuild
{
	Relation index;
	const HxIndexDesc *desc;
	BufFile *spool;
	HxOrganizer *organizer;
	HxAssembler *assembler;
	Tuplesortstate *sort;
	TupleDesc tuples;
	double heap_rows;
	int64 rows;
	List *windows;		   /* HxWindow: those written */
	MemoryContext context; /* reset after each row */
} SparseBuild;

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

/* ---- pages at the front ---- */

/* Add the pages that come first: metapage and first directory page. */
static void
reserve_pages(Relation index, ForkNumber fork)
{
	for (int i = 0; i < 2; i++)
	{
		Buffer buffer =
			ReadBufferExtended(index, fork, P_NEW, RBM_NORMAL, NULL);

		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		HxInitPage(BufferGetPage(buffer), HX_KIND_FREE);
		MarkBufferDirty(buffer);
		UnlockReleaseBuffer(buffer);
	}
}

/* Lock a page to write, initialised as a directory page if it is to be one. */
static Buffer
page_to_write(Relation index, ForkNumber fork, BlockNumber block)
{
	Buffer buffer = ReadBufferExtended(index, fork, block, RBM_NORMAL, NULL);

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	return buffer;
}

/* Write the metapage, and the windows as the directory's entries. */
static void
write_directory(Relation index, ForkNumber fork, const HxIndexDesc *desc,
				const List *windows)
{
	Buffer meta_buffer = page_to_write(index, fork, HX_METAPAGE);
	Buffer buffer = page_to_write(index, fork, HX_METAPAGE + 1);
	HxMeta *meta;
	ListCell *cell;

	HxInitMetapage(desc, BufferGetPage(meta_buffer));
	meta = HxPageMeta(BufferGetPage(meta_buffer));
	meta->directory = meta->directory_end = HX_METAPAGE + 1;
	meta->next_owner = list_length(windows) + 2;
	meta->blocks = list_length(windows);
	HxInitWindowsPage(BufferGetPage(buffer));
	HxPageWindows(BufferGetPage(buffer))->pending.owner =
		list_length(windows) + 1;
	foreach (cell, windows)
	{
		const HxWindow *window = lfirst(cell);
		HxWindows *entries = HxPageWindows(BufferGetPage(buffer));

		if (entries->count == HX_WINDOWS_CAPACITY)
		{
			Buffer next =
				ReadBufferExtended(index, fork, P_NEW, RBM_NORMAL, NULL);

			LockBuffer(next, BUFFER_LOCK_EXCLUSIVE);
			HxInitWindowsPage(BufferGetPage(next));
			meta->directory_end = BufferGetBlockNumber(next);
			HxPageOpaque(BufferGetPage(buffer))->next = meta->directory_end;
			MarkBufferDirty(buffer);
			UnlockReleaseBuffer(buffer);
			buffer = next;
			entries = HxPageWindows(BufferGetPage(buffer));
		}
		*HxPageWindow(BufferGetPage(buffer), entries->count) = *window;
		entries->count++;
		meta->rows_at_build += window->rows - window->nulls;
	}
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
	MarkBufferDirty(meta_buffer);
	UnlockReleaseBuffer(meta_buffer);
}

/* ---- loading ---- */

/* table_index_build_scan callback: spool a row. */
static void
load_row(Relation index, ItemPointer tid, Datum *values, bool *isnull,
		 bool alive, void *state)
{
	SparseBuild *build = state;
	MemoryContext old = MemoryContextSwitchTo(build->context);
	HxDoc *doc = HxFormDoc(build->desc, values, isnull, tid);

	if (doc->nnz > 0)
	{
		HxSketch *sketch = HxOrganizerSample(build->organizer);

		if (sketch)
			HxSketchDoc(build->desc, doc, HX_CENTROID_DIMS, sketch);
	}
	BufFileWrite(build->spool, doc, doc->size);
	build->rows++;
	set_done(build->rows);
	MemoryContextSwitchTo(old);
	MemoryContextReset(build->context);
}

/* ---- sorting ---- */

static void
read_spool(BufFile *spool, void *to, Size size)
{
	if (BufFileRead(spool, to, size) != size)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read the temporary file of an index "
							   "build: %m")));
}

/* Begin to sort rows, as tuples (key int8, row bytea). */
static void
begin_sort(SparseBuild *build)
{
	AttrNumber column = 1;
	Oid less = Int8LessOperator;
	Oid collation = InvalidOid;
	bool nulls_first = false;

	build->tuples = CreateTemplateTupleDesc(2);
	TupleDescInitEntry(build->tuples, 1, "key", INT8OID, -1, 0);
	TupleDescInitEntry(build->tuples, 2, "row", BYTEAOID, -1, 0);
	build->sort = tuplesort_begin_heap(build->tuples, 1, &column, &less,
									   &collation, &nulls_first,
									   maintenance_work_mem / 2, NULL, false);
}

/* Read the next row of the spool into a bytea; palloc'd. */
static bytea *
next_spooled(SparseBuild *build)
{
	HxDoc head;
	bytea *packed;

	read_spool(build->spool, &head, offsetof(HxDoc, words));
	packed = palloc(VARHDRSZ + head.size);
	SET_VARSIZE(packed, VARHDRSZ + head.size);
	memcpy(VARDATA(packed), &head, offsetof(HxDoc, words));
	read_spool(build->spool, VARDATA(packed) + offsetof(HxDoc, words),
			   head.size - offsetof(HxDoc, words));
	return packed;
}

/* Read the spool again, and put each row into the sort with its rank. */
static void
sort_rows(SparseBuild *build)
{
	TupleTableSlot *slot =
		MakeSingleTupleTableSlot(build->tuples, &TTSOpsVirtual);

	if (BufFileSeek(build->spool, 0, 0, SEEK_SET) != 0)
		elog(ERROR, "could not rewind the spool of an index build");
	for (int64 i = 0; i < build->rows; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(build->context);
		bytea *packed = next_spooled(build);
		/* A bytea's contents are not aligned as a row must be. */
		HxDoc *doc = palloc(VARSIZE(packed) - VARHDRSZ);
		HxSketch sketch;
		uint64 rank;

		CHECK_FOR_INTERRUPTS();
		memcpy(doc, VARDATA(packed), VARSIZE(packed) - VARHDRSZ);
		HxSketchDoc(build->desc, doc, HX_ROW_DIMS, &sketch);
		rank = HxOrganizerRank(build->organizer, &sketch);
		ExecClearTuple(slot);
		slot->tts_values[0] = Int64GetDatum(rank << SEQUENCE_BITS | (uint32) i);
		slot->tts_values[1] = PointerGetDatum(packed);
		slot->tts_isnull[0] = slot->tts_isnull[1] = false;
		ExecStoreVirtualTuple(slot);
		MemoryContextSwitchTo(old);
		tuplesort_puttupleslot(build->sort, slot);
		set_done(i + 1);
		MemoryContextReset(build->context);
	}
	BufFileClose(build->spool);
	ExecDropSingleTupleTableSlot(slot);
	tuplesort_performsort(build->sort);
}

/* ---- writing ---- */

/* Write what has been assembled as a window. */
static void
write_window(SparseBuild *build)
{
	HxWindow *window = palloc(sizeof(HxWindow));
	HxWindowWriter *writer = HxBeginWindow(
		build->index, build->desc, list_length(build->windows) + 1, false);

	HxWriteAssembled(build->assembler, writer);
	HxEndWindow(writer, window);
	build->windows = lappend(build->windows, window);
}

/* Cut the sorted rows into windows. */
static void
write_rows(SparseBuild *build)
{
	TupleTableSlot *slot =
		MakeSingleTupleTableSlot(build->tuples, &TTSOpsMinimalTuple);
	Size room = (Size) maintenance_work_mem * 1024 / 2;
	int64 done = 0;

	while (tuplesort_gettupleslot(build->sort, true, false, slot, NULL))
	{
		MemoryContext old = MemoryContextSwitchTo(build->context);
		bool isnull;
		bytea *packed = DatumGetByteaPP(slot_getattr(slot, 2, &isnull));
		HxDoc *doc = palloc(VARSIZE_ANY_EXHDR(packed));

		CHECK_FOR_INTERRUPTS();
		memcpy(doc, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
		MemoryContextSwitchTo(old);
		HxAssemble(build->assembler, doc);
		MemoryContextReset(build->context);
		if (HxAssembledRows(build->assembler) == HX_WINDOW_ROWS ||
			HxAssembledBytes(build->assembler) > room)
			write_window(build);
		set_done(++done);
	}
	if (HxAssembledRows(build->assembler) > 0)
		write_window(build);
	ExecDropSingleTupleTableSlot(slot);
}

/* ambuild for sparse vectors */
IndexBuildResult *
HxSparseBuild(Relation heap, Relation index, IndexInfo *info)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb build", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HxIndexDesc desc = *HxDescribe(index);
	SparseBuild build = {.index = index, .desc = &desc};
	MemoryContext centroids;
	IndexBuildResult *result;

	build.context = AllocSetContextCreate(context, "hashemb build row",
										  ALLOCSET_DEFAULT_SIZES);
	/* Centroids go before windows are put together, which take their room. */
	centroids = AllocSetContextCreate(context, "hashemb centroids",
									  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(centroids);
	build.organizer =
		HxMakeOrganizer((Size) maintenance_work_mem * 1024 / 4, 1);
	MemoryContextSwitchTo(context);
	build.spool = BufFileCreateTemp(false);
	set_phase(HX_PHASE_LOAD, 0);
	build.heap_rows = table_index_build_scan(heap, index, info, true, true,
											 load_row, &build, NULL);
	set_phase(HX_PHASE_TRAIN, 0);
	MemoryContextSwitchTo(centroids);
	HxOrganizerTrain(build.organizer, build.rows);
	MemoryContextSwitchTo(context);
	set_phase(HX_PHASE_ASSIGN, build.rows);
	begin_sort(&build);
	sort_rows(&build);
	MemoryContextDelete(centroids);
	set_phase(HX_PHASE_WRITE, build.rows);
	reserve_pages(index, MAIN_FORKNUM);
	build.assembler = HxMakeAssembler(&desc);
	write_rows(&build);
	tuplesort_end(build.sort);
	write_directory(index, MAIN_FORKNUM, &desc, build.windows);
	HX_INJECT("sparse-built");
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

/* ambuildempty for sparse vectors */
void
HxSparseBuildEmpty(Relation index)
{
	reserve_pages(index, INIT_FORKNUM);
	write_directory(index, INIT_FORKNUM, HxDescribe(index), NIL);
	log_newpage_range(index, INIT_FORKNUM, 0,
					  RelationGetNumberOfBlocksInFork(index, INIT_FORKNUM),
					  true);
}
