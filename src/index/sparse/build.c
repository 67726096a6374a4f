/*
 * build.c
 *	  Building an index of sparse vectors from a table: the leader's side.
 *
 * See README, "Build".  One pass over the heap spools the rows and draws
 * centroids among them; the spool is sorted so that similar rows are neighbours
 * (work.c) and cut into windows as long as memory allows.  Pages are logged at
 * the end.
 */
#include "postgres.h"

#include "commands/progress.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"

#include "compat.h"
#include "index/page/inject.h"
#include "index/sparse/build.h"

/* The leader while it writes */
typedef struct SparseWriter
{
	HxBuild *build;
	HxAssembler *assembler;
	List *windows; /* HxWindow: those written */
} SparseWriter;

/* ---- pages at the front ---- */

/* Add the pages that come first: metapage and first directory page. */
static void
reserve_pages(Relation index, ForkNumber fork)
{
	Assert(RelationGetNumberOfBlocksInFork(index, fork) == 0);
	for (int i = 0; i < 2; i++)
	{
		Buffer buffer = HxExtendFork(index, fork);

		HxInitPage(BufferGetPage(buffer), HX_PAGE_FREE);
		HxFinishPage(buffer);
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

	meta = HxInitMetapage(desc, BufferGetPage(meta_buffer));
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
			Buffer next = HxExtendFork(index, fork);

			HxInitWindowsPage(BufferGetPage(next));
			meta->directory_end = BufferGetBlockNumber(next);
			HxPageOpaque(BufferGetPage(buffer))->next = meta->directory_end;
			HxFinishPage(buffer);
			buffer = next;
			entries = HxPageWindows(BufferGetPage(buffer));
		}
		*HxPageWindow(BufferGetPage(buffer), entries->count) = *window;
		entries->count++;
	}
	HxFinishPage(buffer);
	HxFinishPage(meta_buffer);
}

/* ---- writing ---- */

/* Write what has been assembled as a window. */
static void
write_window(SparseWriter *writer)
{
	HxBuild *build = writer->build;
	HxWindow *window = palloc(sizeof(HxWindow));
	HxWindowWriter *pages = HxBeginWindow(
		build->index, build->desc, list_length(writer->windows) + 1, false);

	Assert(HxAssembledRows(writer->assembler) > 0);
	HxWriteAssembled(writer->assembler, pages);
	HxEndWindow(pages, window);
	writer->windows = lappend(writer->windows, window);
}

/* Add a sorted row to the window that is being put together. */
static void
add_row(SparseWriter *writer, bytea *packed)
{
	HxSparseRow *row =
		MemoryContextAlloc(writer->build->context, VARSIZE_ANY_EXHDR(packed));

	memcpy(row, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
	HxAssemble(writer->assembler, row);
	MemoryContextReset(writer->build->context);
}

/* Cut the sorted rows into windows; returns these. */
static List *
write_rows(HxBuild *build)
{
	SparseWriter writer = {.build = build};
	HxSorter *sorted = HxBeginSorted(build);
	int64 done = 0;
	int64 key;
	bytea *packed;

	writer.assembler = HxMakeAssembler(build->desc);
	while (HxNextSorted(build, sorted, &key, &packed))
	{
		CHECK_FOR_INTERRUPTS();
		add_row(&writer, packed);
		if (HxAssembledRows(writer.assembler) == HX_WINDOW_ROWS ||
			HxAssembledBytes(writer.assembler) > HxBuildMemory(2))
			write_window(&writer);
		if (++done % 1024 == 0)
			pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, done);
	}
	if (HxAssembledRows(writer.assembler) > 0)
		write_window(&writer);
	return writer.windows;
}

void
HxBuildSparse(HxBuild *build, IndexBuildResult *result)
{
	HxWork loaded;

	Assert(build->part == 0);
	loaded = HxLoadTable(build);
	HxSetPhase(HX_PHASE_TRAIN, 0);
	HxRunTask(build, HX_TASK_TRAIN, 0);
	HxSortRows(build, loaded.rows);
	HxSetPhase(HX_PHASE_WRITE, loaded.rows);
	reserve_pages(build->index, MAIN_FORKNUM);
	write_directory(build->index, MAIN_FORKNUM, build->desc, write_rows(build));
	HX_INJECT("sparse-built");
	HxFinishBuild(build, &loaded, result);
}

void
HxBuildEmptySparse(Relation index, const HxIndexDesc *desc, ForkNumber fork)
{
	reserve_pages(index, fork);
	write_directory(index, fork, desc, NIL);
}
