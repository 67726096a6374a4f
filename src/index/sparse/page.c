/*
 * page.c
 *	  Reading the pages of an index of sparse vectors.
 *
 * See README, "Structure on disk".  Windows do not change but for marks
 * of dead rows, so what was read of one stays true as long as its pages show
 * its owner.  A page that does not any more means that the window has been
 * replaced: functions here then return false or InvalidBuffer, and the caller
 * reads the directory again.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "compat.h"
#include "index/sparse/sparse.h"

/* A run of pages as a reader knows it */
typedef struct HxReadRun
{
	uint32 start; /* number of its first page in the section */
	uint32 pages;
	BlockNumber first;
} HxReadRun;

/* ---- the directory ---- */

/* Initialise a page of the directory. */
void
HxInitWindowsPage(Page page)
{
	HxWindows *windows = HxPageWindows(page);

	HxInitPage(page, HX_PAGE_WINDOWS);
	windows->capacity = HX_WINDOWS_CAPACITY;
	windows->pending.first = windows->pending.last = InvalidBlockNumber;
	windows->frozen.first = windows->frozen.last = InvalidBlockNumber;
}

/* What is wrong with a page of a type that only such indexes have, or NULL */
const char *
HxSparsePageFault(const HxIndexDesc *desc, Page page, uint16 type)
{
	if (type < HX_PAGE_WINDOWS || type > HX_PAGE_PENDING)
		return "page of a kind that such an index has not";
	if (type == HX_PAGE_WINDOWS &&
		(HxPageWindows(page)->capacity != HX_WINDOWS_CAPACITY ||
		 HxPageWindows(page)->count > HX_WINDOWS_CAPACITY))
		return "directory page of another shape";
	return NULL;
}

/* Errors if a window's entry cannot be right. */
static void
check_window(Relation index, BlockNumber block, const HxWindow *window)
{
	if (window->rows == 0 || window->rows > HX_WINDOW_ROWS ||
		window->dead > window->rows || window->nulls > window->rows ||
		window->map == InvalidBlockNumber || isnan(window->min_norm))
		HxCorrupted(index, block, "a window with impossible numbers");
}

/* Add the windows of a directory page. */
static void
add_windows(Relation index, Buffer buffer, HxSparseDirectory *directory)
{
	Page page = BufferGetPage(buffer);
	BlockNumber block = BufferGetBlockNumber(buffer);
	int count = HxPageWindows(page)->count;

	Assert(HxIsLocked(buffer, BUFFER_LOCK_SHARE));
	directory->windows = repalloc_huge(
		directory->windows, (directory->count + count + 1) * sizeof(HxWindow));
	directory->places =
		repalloc_huge(directory->places,
					  (directory->count + count + 1) * sizeof(HxEntryAddress));
	for (int i = 0; i < count; i++)
	{
		const HxWindow *window = HxPageWindow(page, i);
		HxEntryAddress place = {block, i};

		if (window->owner == 0)
			continue;
		check_window(index, block, window);
		directory->windows[directory->count] = *window;
		directory->places[directory->count++] = place;
	}
	directory->pages++;
}

/*
 * Read the directory, a page at a time under its share lock.  What it tells of
 * pending rows is older than what it tells of windows, so that a row on its way
 * from there to a window is met at least once.
 */
void
HxReadWindows(Relation index, const HxIndexDesc *desc,
			  HxSparseDirectory *directory)
{
	HxChainCursor cursor;
	Page page;

	Assert(HxHoldsNoPage());
	memset(directory, 0, sizeof(*directory));
	directory->windows = palloc(sizeof(HxWindow));
	directory->places = palloc(sizeof(HxEntryAddress));
	HxBeginDirectory(&cursor, index, HX_PAGE_WINDOWS, BUFFER_LOCK_SHARE);
	while ((page = HxNextPage(&cursor)))
	{
		if (directory->pages == 0)
		{
			directory->pending = HxPageWindows(page)->pending;
			directory->frozen = HxPageWindows(page)->frozen;
		}
		add_windows(index, cursor.buffer, directory);
	}
}

/* Rows of all windows and pending areas, but for those that vacuum removed. */
uint64
HxSparseRows(const HxSparseDirectory *directory)
{
	uint64 rows = directory->pending.rows - directory->pending.dead +
				  directory->frozen.rows - directory->frozen.dead;

	for (int i = 0; i < directory->count; i++)
		rows += directory->windows[i].rows - directory->windows[i].dead;
	return rows;
}

/* ---- windows ---- */

/* Is a locked page one of a kind and an owner? */
static bool
is_page_of(Page page, uint16 kind, uint64 owner)
{
	return HxPageIsSound(page) && HxPageOpaque(page)->kind == kind &&
		   HxPageOpaque(page)->owner == owner;
}

/*
 * Having met a page that is not a window's: errors if the window still stands
 * in the directory, under whose lock no page of it can have been freed.
 */
static void
check_page_lost(Relation index, const HxWindow *window, HxEntryAddress place,
				BlockNumber block, uint16 kind)
{
	Buffer directory =
		HxReadPage(index, place.page, BUFFER_LOCK_SHARE, HX_PAGE_WINDOWS);
	Page page = BufferGetPage(directory);

	if (place.slot < HxPageWindows(page)->count &&
		HxPageWindow(page, place.slot)->owner == window->owner)
	{
		Buffer buffer = HxReadBuffer(index, block, BUFFER_LOCK_SHARE, NULL);

		if (!is_page_of(BufferGetPage(buffer), kind, window->owner))
			HxCorrupted(index, block, "not the page of a window that it is");
		UnlockReleaseBuffer(buffer);
	}
	UnlockReleaseBuffer(directory);
}

/* Read and share-lock a page of a window; InvalidBuffer if it was replaced. */
static Buffer
read_page(Relation index, const HxWindow *window, HxEntryAddress place,
		  BlockNumber block, uint16 kind)
{
	Buffer buffer = HxReadBuffer(index, block, BUFFER_LOCK_SHARE, NULL);

	if (likely(is_page_of(BufferGetPage(buffer), kind, window->owner)))
		return buffer;
	UnlockReleaseBuffer(buffer);
	check_page_lost(index, window, place, block, kind);
	return InvalidBuffer;
}

/* Take note of a run that a map names. */
static void
add_run(HxWindowReader *reader, const HxRun *run, int *section)
{
	HxReadRun *last;

	if (run->section < *section || run->section >= HX_SECTIONS ||
		run->pages == 0)
		HxCorrupted(reader->index, reader->window.map,
					"a window's map is out of order");
	while (*section < run->section)
		reader->begin[++*section] = reader->nruns;
	last = &reader->runs[reader->nruns++];
	last->start = reader->pages[*section];
	last->pages = run->pages;
	last->first = run->first;
	reader->pages[*section] += run->pages;
}

/* Add what a page of the map holds; returns the next page. */
static BlockNumber
read_map(HxWindowReader *reader, Page page, int *section)
{
	uint32 count = HxPageMap(page)->count;
	const HxRun *runs = HxMapRuns(reader->desc, page);

	Assert(reader->nmaps > 0);
	if (count > HxMapCapacity(reader->desc))
		HxCorrupted(reader->index, reader->window.map,
					"a window's map has more runs than fit");
	reader->runs =
		repalloc(reader->runs, (reader->nruns + count + 1) * sizeof(HxReadRun));
	for (uint32 i = 0; i < count; i++)
		add_run(reader, &runs[i], section);
	if (reader->nmaps == 1)
		memcpy(reader->zone, HxMapZone(page),
			   HX_ZONE_SIZE(reader->desc->nwords));
	return HxPageOpaque(page)->next;
}

/* Open a window: read its map.  False if it has been replaced. */
bool
HxOpenWindow(Relation index, const HxIndexDesc *desc, const HxWindow *window,
			 HxEntryAddress place, HxWindowReader *reader)
{
	BlockNumber block = window->map;
	int section = 0;
	uint32 steps = 0;

	memset(reader, 0, sizeof(*reader));
	reader->index = index;
	reader->desc = desc;
	reader->window = *window;
	reader->place = place;
	reader->zone = palloc(HX_ZONE_SIZE(desc->nwords));
	reader->runs = palloc(sizeof(HxReadRun));
	reader->maps = palloc(sizeof(BlockNumber));
	while (block != InvalidBlockNumber)
	{
		Buffer buffer = read_page(index, window, place, block, HX_PAGE_MAP);

		if (!BufferIsValid(buffer))
		{
			HxCloseWindow(reader);
			return false;
		}
		HxCountStep(index, block, &steps);
		reader->maps =
			repalloc(reader->maps, (reader->nmaps + 1) * sizeof(BlockNumber));
		reader->maps[reader->nmaps++] = block;
		block = read_map(reader, BufferGetPage(buffer), &section);
		UnlockReleaseBuffer(buffer);
	}
	while (section < HX_SECTIONS)
		reader->begin[++section] = reader->nruns;
	if (reader->pages[HX_SECTION_ROWS] !=
		(window->rows + desc->capacity - 1) / desc->capacity)
		HxCorrupted(index, window->map, "a window lacks pages of rows");
	if (reader->pages[HX_SECTION_DIMS] !=
		((uint64) window->dims + HX_DIMS_CAPACITY - 1) / HX_DIMS_CAPACITY)
		HxCorrupted(index, window->map,
					"a window with other pages of dimensions than it tells");
	return true;
}

void
HxCloseWindow(HxWindowReader *reader)
{
	pfree(reader->zone);
	pfree(reader->runs);
	pfree(reader->maps);
}

/* The page of the file that a page of a section is. */
BlockNumber
HxWindowBlock(const HxWindowReader *reader, HxSection section, uint32 number)
{
	int low = reader->begin[section];
	int high = reader->begin[section + 1] - 1;

	Assert(section >= 0 && section < HX_SECTIONS);
	if (number >= reader->pages[section])
		HxCorrupted(reader->index, reader->window.map,
					psprintf("page %u of section %d of a window is missing",
							 number, section));
	while (low < high)
	{
		int middle = (low + high + 1) / 2;

		if (reader->runs[middle].start <= number)
			low = middle;
		else
			high = middle - 1;
	}
	return reader->runs[low].first + (number - reader->runs[low].start);
}

/* Read and share-lock a page; InvalidBuffer if the window was replaced. */
Buffer
HxReadWindowPage(const HxWindowReader *reader, HxSection section, uint32 number)
{
	static const uint16 kinds[HX_SECTIONS] = {HX_PAGE_ROWS, HX_PAGE_FENCES,
											  HX_PAGE_DIMS, HX_PAGE_POSTINGS};
	Buffer buffer =
		read_page(reader->index, &reader->window, reader->place,
				  HxWindowBlock(reader, section, number), kinds[section]);

	if (section == HX_SECTION_ROWS && BufferIsValid(buffer))
	{
		Page page = BufferGetPage(buffer);
		const char *fault = HxPageFault(reader->desc, page, HX_PAGE_ROWS);

		if (!fault &&
			HxPageRows(page)->count != HxWindowPageRows(reader, number))
			fault = "page of a window with another number of rows";
		if (fault)
			HxCorrupted(reader->index, BufferGetBlockNumber(buffer), fault);
	}
	return buffer;
}

/* How many rows a page of rows has: all are full but the last. */
int
HxWindowPageRows(const HxWindowReader *reader, uint32 number)
{
	int capacity = reader->desc->capacity;

	Assert(number < reader->pages[HX_SECTION_ROWS]);
	return Min((int64) capacity,
			   (int64) reader->window.rows - (int64) number * capacity);
}

/* How many dimensions a page of them has: all are full but the last. */
int
HxWindowPageDims(const HxWindowReader *reader, uint32 number)
{
	Assert(number < reader->pages[HX_SECTION_DIMS]);
	return (int) Min((int64) HX_DIMS_CAPACITY,
					 reader->window.dims - (int64) number * HX_DIMS_CAPACITY);
}

/* Copy a page of dimensions; false if the window was replaced. */
bool
HxReadDims(const HxWindowReader *reader, uint32 number, HxDim *dims, int *count)
{
	Buffer buffer = HxReadWindowPage(reader, HX_SECTION_DIMS, number);

	if (!BufferIsValid(buffer))
		return false;
	*count = HxWindowPageDims(reader, number);
	memcpy(dims, HxPageDims(BufferGetPage(buffer)), *count * sizeof(HxDim));
	UnlockReleaseBuffer(buffer);
	return true;
}

/* Copy a dimension's postings; false if the window was replaced. */
bool
HxReadPostings(const HxWindowReader *reader, const HxDim *dim,
			   HxPosting *postings)
{
	uint32 unit = dim->start + HxDimBounds(dim);
	int done = 0;

	while (done < dim->count)
	{
		uint32 at = unit % HX_UNITS_A_PAGE;
		int count = Min(dim->count - done, (int) (HX_UNITS_A_PAGE - at));
		Buffer buffer = HxReadWindowPage(reader, HX_SECTION_POSTINGS,
										 unit / HX_UNITS_A_PAGE);

		if (!BufferIsValid(buffer))
			return false;
		memcpy(postings + done, HxPagePostings(BufferGetPage(buffer)) + at,
			   count * sizeof(HxPosting));
		UnlockReleaseBuffer(buffer);
		done += count;
		unit += count;
	}
	return true;
}

/* ---- pending rows ---- */

/* Does a pending row of which this many bytes are there lie within them? */
static bool
row_fits(const HxIndexDesc *desc, const HxSparseRow *row, Size size)
{
	return size >= HxSparseRowSize(desc, HX_SPARSE_NULL) &&
		   row->nnz >= HX_SPARSE_NULL && row->nnz <= HX_MAX_SPARSE_NNZ &&
		   row->size <= size && row->size == HxSparseRowSize(desc, row->nnz);
}

/* What is wrong with a pending row that has `size` bytes so far, or NULL */
const char *
HxSparseRowFault(const HxIndexDesc *desc, const HxSparseRow *row, Size size)
{
	const int32 *dims = HxSparseRowDims(desc, row);
	const float *weights;

	if (!row_fits(desc, row, size))
		return "a pending row of impossible size";
	weights = HxSparseRowWeights(desc, row);
	for (int i = 0; i < row->nnz; i++)
		if (dims[i] < 0 || dims[i] >= desc->dims ||
			(i > 0 && dims[i] <= dims[i - 1]) || !isfinite(weights[i]))
			return "a pending row with an impossible vector";
	return NULL;
}

/* A row on several pages, being put together */
typedef struct LongRow
{
	HxSparseRow *row; /* NULL: none */
	Size done;		  /* bytes of it */
} LongRow;

/* Begin a row that does not fit its page. */
static void
begin_long(Relation index, const HxIndexDesc *desc, BlockNumber block,
		   const HxSparseRow *row, Size size, LongRow *whole)
{
	Assert(!whole->row && size < row->size);
	if (row->nnz > HX_MAX_SPARSE_NNZ ||
		row->size != HxSparseRowSize(desc, row->nnz))
		HxCorrupted(index, block, "a pending row of impossible size");
	whole->row = palloc(row->size);
	memcpy(whole->row, row, size);
	whole->done = size;
}

/* Add what a page continues; true if the row is whole. */
static bool
continue_long(Relation index, BlockNumber block, Page page, LongRow *whole)
{
	Size size = HxPagePending(page)->continued;

	if (!whole->row || size == 0 || size > whole->row->size - whole->done)
		HxCorrupted(index, block, "a part of a pending row that has no rest");
	memcpy((char *) whole->row + whole->done, HxPendingBytes(page), size);
	Assert(whole->done + size <= whole->row->size);
	whole->done += size;
	return whole->done == whole->row->size;
}

/* Pass on a row, if it is sound and alive. */
static void
pass_on(Relation index, const HxIndexDesc *desc, BlockNumber block,
		const HxSparseRow *row, Size size, HxSparseRowCallback callback,
		void *state)
{
	if (unlikely(!row_fits(desc, row, size)))
		HxCorrupted(index, block, "a pending row of impossible size");
	if (!row->dead)
		callback(row, state);
}

/* Pass on the rows of a page that is share-locked. */
static void
scan_pending_page(Relation index, const HxIndexDesc *desc, Buffer buffer,
				  LongRow *whole, HxSparseRowCallback callback, void *state)
{
	Page page = BufferGetPage(buffer);
	BlockNumber block = BufferGetBlockNumber(buffer);
	uint32 used = HxPagePending(page)->used;
	uint32 at = HxPagePending(page)->continued;

	Assert(HxIsLocked(buffer, BUFFER_LOCK_SHARE));
	if (used > HX_PENDING_ROOM || at > used || at % MAXIMUM_ALIGNOF != 0)
		HxCorrupted(index, block, "pending page with impossible numbers");
	if ((whole->row || at > 0) && continue_long(index, block, page, whole))
	{
		pass_on(index, desc, block, whole->row, whole->done, callback, state);
		pfree(whole->row);
		whole->row = NULL;
	}
	while (at < used)
	{
		const HxSparseRow *row =
			(const HxSparseRow *) (HxPendingBytes(page) + at);
		Size rest = used - at;

		if (rest < HxSparseRowSize(desc, HX_SPARSE_NULL) ||
			row->size % MAXIMUM_ALIGNOF != 0 || row->size == 0)
			HxCorrupted(index, block, "a pending row of impossible size");
		if (row->size > rest)
		{
			begin_long(index, desc, block, row, rest, whole);
			break;
		}
		pass_on(index, desc, block, row, rest, callback, state);
		at += row->size;
	}
}

/*
 * Call back for each pending row of a chain.  False if the chain has become a
 * window since its description was read: not all rows may have been seen.
 */
bool
HxScanPending(Relation index, const HxIndexDesc *desc, const HxChain *chain,
			  HxSparseRowCallback callback, void *state)
{
	BlockNumber block = chain->owner != 0 ? chain->first : InvalidBlockNumber;
	LongRow whole = {NULL};
	uint32 steps = 0;

	while (block != InvalidBlockNumber)
	{
		Buffer buffer = HxReadBuffer(index, block, BUFFER_LOCK_SHARE, NULL);
		Page page = BufferGetPage(buffer);

		if (!is_page_of(page, HX_PAGE_PENDING, chain->owner))
		{
			UnlockReleaseBuffer(buffer);
			if (whole.row)
				pfree(whole.row);
			return false;
		}
		HxCountStep(index, block, &steps);
		scan_pending_page(index, desc, buffer, &whole, callback, state);
		block = HxPageOpaque(page)->next;
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
	if (whole.row)
		HxCorrupted(index, chain->last, "a pending row without its end");
	return true;
}
