/*
 * build.c
 *	  Building an index of lists from a table.
 *
 * See README, "Build".  Codebooks are learnt from a sample; each participant
 * spools its rows with their codes; the leader writes them to pages, lists of one
 * length to the same.
 */
#include "postgres.h"

#include "commands/progress.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"

#include "index/build/file.h"
#include "index/build/sample.h"
#include "index/multi/multi.h"
#include "index/page/inject.h"
#include "random.h"

/* Lists of the sample at most, and tokens of each, as memory allows */
#define MOST_LISTS 8192
#define LEAST_OF_EACH 4
#define MOST_OF_EACH 32

/* ---- learning ---- */

/* A sample of the table's lists, by reservoir: each has a place of its own */
typedef struct Drawing
{
	const HxIndexDesc *desc;
	HxListSample places; /* `most` tokens for each list */
	int *counts;		 /* tokens of each list */
	int most;
	int64 seen;
	uint64 random;
	MemoryContext scratch;
} Drawing;

/* table_index_build_range_scan callback: draw a row or not. */
static void
draw_row(Relation index, ItemPointer tid, Datum *values, bool *isnull,
		 bool alive, void *state)
{
	Drawing *drawing = state;
	int vector = drawing->desc->vector_attno - 1;
	MemoryContext old;
	HxListSample one = {drawing->desc->dims};
	int end = 0;
	int64 at;

	if (isnull[vector] || !alive)
		return;
	at = drawing->seen++;
	if (at >= MOST_LISTS)
		at = (int64) HxRandomBelow(&drawing->random, drawing->seen);
	if (at >= MOST_LISTS)
		return;
	old = MemoryContextSwitchTo(drawing->scratch);
	one.floats = drawing->places.floats +
				 (Size) at * drawing->most * drawing->desc->dims;
	one.ends = &end;
	one.room = drawing->most;
	HxAddToSample(drawing->desc, &one, values[vector], drawing->most);
	drawing->counts[at] = end;
	MemoryContextSwitchTo(old);
	MemoryContextReset(drawing->scratch);
}

/* Move the lists drawn together, without what is between them. */
static void
close_gaps(Drawing *drawing)
{
	HxListSample *sample = &drawing->places;
	int lists = (int) Min(drawing->seen, MOST_LISTS);

	for (int i = 0; i < lists; i++)
	{
		if (drawing->counts[i] == 0)
			continue;
		memmove(sample->floats + sample->used * sample->dims,
				sample->floats + (Size) i * drawing->most * sample->dims,
				(Size) drawing->counts[i] * sample->dims * sizeof(float));
		sample->used += drawing->counts[i];
		sample->ends[sample->count++] = (int) sample->used;
	}
}

/* Let workers know the codebooks. */
static void
publish(HxBuild *build, const HxCodebooks *books)
{
	Size size = 0;
	char *packed = books ? HxPackCodebooks(books, &size) : NULL;

	HxShareLearnt(build, packed, size);
}

void
HxLearnListsInBuild(HxBuild *build)
{
	HxIndexDesc *desc = unconstify(HxIndexDesc *, build->desc);
	Size each = desc->dims * sizeof(float);
	Drawing drawing = {.desc = desc, .random = 1, .scratch = build->context};
	HxCodebooks *books;

	drawing.most =
		(int) Min(HxBuildMemory(2) / (MOST_LISTS * each), MOST_OF_EACH);
	drawing.most = Max(drawing.most, LEAST_OF_EACH);
	drawing.places.dims = desc->dims;
	drawing.places.floats = MemoryContextAllocHuge(
		CurrentMemoryContext, (Size) MOST_LISTS * drawing.most * each);
	drawing.places.ends = palloc(MOST_LISTS * sizeof(int));
	drawing.counts = palloc0(MOST_LISTS * sizeof(int));
	HxForgetModels(build->index);
	HxSetPhase(HX_PHASE_LEARN, 0);
	HxScanSomePages(build, &drawing.random, draw_row, &drawing);
	close_gaps(&drawing);
	books = HxLearnCodebooks(&drawing.places);
	pfree(drawing.places.floats);
	pfree(drawing.places.ends);
	pfree(drawing.counts);
	desc->model = books;
	publish(build, books);
}

/* Worker: get to know the codebooks. */
static void
receive(HxBuild *build)
{
	HxIndexDesc *desc = unconstify(HxIndexDesc *, build->desc);
	char *packed;
	Size size;

	if (desc->model || build->part == 0)
		return;
	packed = HxReceiveLearnt(build, &size);
	if (size > 0)
		desc->model =
			HxUnpackCodebooks(build->index, desc, HX_METAPAGE, packed, size);
	pfree(packed);
}

void
HxStoreListsInBuild(HxBuild *build)
{
	Size size;
	char *packed;

	if (!build->desc->model)
		return;
	packed = HxPackCodebooks(HxCodebooksOf(build->desc), &size);
	HxStoreBuiltLearnt(build->index, packed, size);
	pfree(packed);
}

/* ---- loading ---- */

/* What is spooled of a row; its words in use follow, and its codes */
typedef struct Spooled
{
	ItemPointerData tid;
	uint16 hash;
	uint16 error;
	uint16 count;
	uint32 nulls;
} Spooled;

/* Bytes of a row in the spool */
static Size
spooled_size(const HxIndexDesc *desc, int count)
{
	return sizeof(Spooled) + desc->nwords * sizeof(int64) +
		   count * sizeof(uint32);
}

/* HxFormSpooled */
static const void *
form_spooled(HxBuild *build, const Datum *values, const bool *isnull,
			 ItemPointer tid, bool alive, Size *size)
{
	const HxIndexDesc *desc = build->desc;
	HxListRow row;
	Spooled *spooled;
	char *at;

	HxFormListRow(desc, values, isnull, tid, &row);
	*size = spooled_size(desc, row.count);
	spooled = palloc0(*size);
	spooled->tid = row.tid;
	spooled->hash = row.hash;
	spooled->error = row.error;
	spooled->count = row.count;
	spooled->nulls = row.attrs.nulls;
	at = (char *) (spooled + 1);
	memcpy(at, row.attrs.words, desc->nwords * sizeof(int64));
	if (row.count > 0)
		memcpy(at + desc->nwords * sizeof(int64), row.marks,
			   row.count * sizeof(uint32));
	return spooled;
}

/* Read the next row of a spool; codes has room for HX_MOST_MARKS. */
static void
read_spooled(const HxIndexDesc *desc, BufFile *file, uint32 *marks,
			 HxListRow *row)
{
	Spooled spooled;

	HxReadFile(file, &spooled, sizeof(spooled));
	row->tid = spooled.tid;
	row->hash = spooled.hash;
	row->error = spooled.error;
	row->count = spooled.count;
	row->marks = marks;
	row->attrs.nulls = spooled.nulls;
	Assert(row->count <= HX_MOST_MARKS);
	if (desc->nwords > 0)
		HxReadFile(file, row->attrs.words, desc->nwords * sizeof(int64));
	if (row->count > 0)
		HxReadFile(file, marks, row->count * sizeof(uint32));
}

void
HxDoListsWork(HxBuild *build, int task)
{
	receive(build);
	if (task != HX_TASK_LOAD)
		elog(ERROR, "unknown task %d of a build of lists", task);
	HxLoadRows(build, form_spooled, NULL);
}

/* ---- writing ---- */

/* Lists of each length have a page of their own, but for longer ones */
#define LENGTHS 64

/*
 * The leader while it writes: pages in memory, full before they are written.  The
 * first is for all lengths.
 */
typedef struct ListWriter
{
	Relation index;
	const HxIndexDesc *desc;
	ForkNumber fork;
	PGAlignedBlock pages[1 + LENGTHS];
	int64 done;
} ListWriter;

/* Begin a page. */
static void
begin_page(ListWriter *writer, Page page, int count, int used)
{
	HxInitListsPage(writer->desc, page,
					HxListsCapacity(writer->desc, count, used));
}

/* Write a page to the end of the file. */
static void
write_page(ListWriter *writer, Page page)
{
	Buffer buffer = HxExtendFork(writer->index, writer->fork);

	memcpy(BufferGetPage(buffer), page, BLCKSZ);
	HxFinishPage(buffer);
}

/* Add a row to a page in memory. */
static void
put_row(ListWriter *writer, Page page, const HxListRow *row)
{
	const HxLists *lists = HxPageLists(page);
	int count;
	int used;

	if (HxPutList(writer->desc, page, row))
		return;
	count = lists->count;
	used = lists->used;
	write_page(writer, page);
	begin_page(writer, page, count, used);
	if (!HxPutList(writer->desc, page, row))
		elog(ERROR, "row of %d codes does not fit a page", row->count);
}

/* Add a row to the page of its length. */
static void
write_row(ListWriter *writer, const HxListRow *row)
{
	int length = Min(row->count, LENGTHS - 1);

	put_row(writer, (Page) writer->pages[1 + length].data, row);
	if (++writer->done % 1024 == 0)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE,
									 writer->done);
}

/* Write the metapage and begin the pages behind. */
static ListWriter *
begin_write(Relation index, const HxIndexDesc *desc, ForkNumber fork)
{
	ListWriter *writer = palloc0(sizeof(ListWriter));
	Buffer buffer = HxExtendFork(index, fork);
	HxMeta *meta = HxInitMetapage(desc, BufferGetPage(buffer));

	meta->directory = meta->directory_end = HX_METAPAGE + 1;
	HxFinishPage(buffer);
	writer->index = index;
	writer->desc = desc;
	writer->fork = fork;
	for (int i = 0; i <= LENGTHS; i++)
		begin_page(writer, (Page) writer->pages[i].data, 0, 0);
	return writer;
}

/* Write the rows of pages that are not full, lists of near lengths on one page. */
static void
finish_write(ListWriter *writer)
{
	Page rest = (Page) writer->pages[0].data;

	for (int i = 1; i <= LENGTHS; i++)
	{
		HxListArrays arrays;
		HxListRow row;

		HxListArraysOf(writer->desc, (Page) writer->pages[i].data, &arrays);
		for (int j = 0; j < arrays.rows.count; j++)
		{
			HxGetList(writer->desc, &arrays, j, &row);
			put_row(writer, rest, &row);
		}
	}
	write_page(writer, rest);
	pfree(writer);
}

/* Write the rows of all participants. */
static void
write_rows(HxBuild *build, int64 rows)
{
	ListWriter *writer = begin_write(build->index, build->desc, MAIN_FORKNUM);
	uint32 *marks = palloc(HX_MOST_MARKS * sizeof(uint32));
	HxListRow row;

	HxSetPhase(HX_PHASE_WRITE, rows);
	HX_INJECT("build-write");
	for (int p = 0; p < build->shared->nparts; p++)
	{
		BufFile *file = HxOpenPart(build, p);

		for (int64 i = 0; i < build->shared->work[p].rows; i++)
		{
			CHECK_FOR_INTERRUPTS();
			read_spooled(build->desc, file, marks, &row);
			write_row(writer, &row);
		}
		HxClosePart(build, file);
	}
	finish_write(writer);
	pfree(marks);
}

void
HxBuildLists(HxBuild *build, IndexBuildResult *result)
{
	HxWork loaded;

	Assert(build->part == 0);
	loaded = HxLoadTable(build);
	write_rows(build, loaded.rows);
	HxFinishBuild(build, &loaded, result);
}

void
HxBuildEmptyLists(Relation index, const HxIndexDesc *desc, ForkNumber fork)
{
	finish_write(begin_write(index, desc, fork));
}
