/*
 * write.c
 *	  Making windows: rows in slot order, then postings by dimension.
 *
 * A page is put together in memory and goes to the file when it is full, as a
 * record of its own or, in a build, without WAL.  Nothing leads to the window
 * before its entry stands in the directory.  An assembler turns rows with their
 * vectors into lists of postings.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "index/sparse/sparse.h"

/* Block bounds are kept where there are at most 1/this of the postings */
#define POSTINGS_A_BOUND 2
/* ... and in lists of at least this many */
#define BOUNDED_POSTINGS 32

/* Heights are kept of lists that touch one block in this many at least ... */
#define BLOCKS_A_TOUCHED 3
/* ... in windows of at least this many blocks */
#define HEIGHTS_BLOCKS 128

struct HxWindowWriter
{
	Relation index;
	const HxIndexDesc *desc;
	bool logged;	 /* a record a page; else a build */
	HxWindow window; /* as it will stand in the directory */
	PGAlignedBlock page;
	HxZone *zone;
	HxRun *runs[HX_SECTIONS];
	int nruns[HX_SECTIONS];
	HxDim *dims;
	uint32 dims_room;
	uint32 units; /* units of postings pages in use */
};

/* ---- pages ---- */

/* Add a page to the runs of its section. */
static void
note_page(HxWindowWriter *writer, HxSection section, BlockNumber block)
{
	HxRun *runs = writer->runs[section];
	int count = writer->nruns[section];
	HxRun *last = count > 0 ? &runs[count - 1] : NULL;

	writer->window.pages++;
	if (last && last->first + last->pages == block && last->pages < UINT16_MAX)
	{
		last->pages++;
		return;
	}
	if (count % 64 == 0)
		runs = writer->runs[section] =
			repalloc(runs, (count + 64) * sizeof(HxRun));
	runs[count].first = block;
	runs[count].section = section;
	runs[count].pages = 1;
	writer->nruns[section]++;
}

/* Write the page in memory to a page of the file; returns its number. */
static BlockNumber
put_page(HxWindowWriter *writer)
{
	bool reused;
	Buffer buffer = HxNewBuffer(writer->index, &reused);
	BlockNumber block = BufferGetBlockNumber(buffer);

	HxPageOpaque((Page) writer->page.data)->owner = writer->window.owner;
	if (writer->logged)
	{
		GenericXLogState *state = GenericXLogStart(writer->index);
		Page page =
			GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);

		memcpy(page, writer->page.data, BLCKSZ);
		GenericXLogFinish(state);
	}
	else
	{
		memcpy(BufferGetPage(buffer), writer->page.data, BLCKSZ);
		MarkBufferDirty(buffer);
	}
	UnlockReleaseBuffer(buffer);
	CHECK_FOR_INTERRUPTS();
	return block;
}

static void
put_section_page(HxWindowWriter *writer, HxSection section)
{
	note_page(writer, section, put_page(writer));
}

static void
start_rows_page(HxWindowWriter *writer)
{
	HxEntryAddress nowhere = {InvalidBlockNumber, 0};

	HxInitRowsPage(writer->desc, (Page) writer->page.data, writer->window.owner,
				   nowhere);
}

/* Begin a window.  Its owner must be new, and the structure lock be held. */
HxWindowWriter *
HxBeginWindow(Relation index, const HxIndexDesc *desc, uint64 owner,
			  bool logged)
{
	HxWindowWriter *writer = palloc0(sizeof(HxWindowWriter));

	Assert(owner != 0 && (!logged || HxHoldsStructure(index)));
	writer->index = index;
	writer->desc = desc;
	writer->logged = logged;
	writer->window.owner = owner;
	writer->window.min_norm = INFINITY;
	writer->zone = palloc0(HX_ZONE_SIZE(desc->nwords));
	HxInitZone(desc, writer->zone);
	for (int s = 0; s < HX_SECTIONS; s++)
		writer->runs[s] = palloc(sizeof(HxRun));
	writer->dims_room = 1024;
	writer->dims = palloc(writer->dims_room * sizeof(HxDim));
	start_rows_page(writer);
	return writer;
}

/* Add the row of the next slot. */
void
HxWindowAddRow(HxWindowWriter *writer, const HxAttrRow *attrs,
			   const ItemPointerData *tid, double norm2)
{
	Page page = (Page) writer->page.data;

	Assert(writer->window.rows < HX_WINDOW_ROWS);
	if (HxPageRows(page)->count == writer->desc->capacity)
	{
		put_section_page(writer, HX_SECTION_ROWS);
		start_rows_page(writer);
	}
	HxPutRow(writer->desc, page, (const uint8 *) &norm2, attrs, tid);
	(void) HxWidenZone(writer->desc, writer->zone, attrs);
	writer->window.rows++;
	if (norm2 == HX_NULL_NORM)
		writer->window.nulls++;
	else if (HxCountsForMinNorm(writer->desc, norm2))
		writer->window.min_norm = Min(writer->window.min_norm, norm2);
}

/* All rows have been added; lists follow. */
void
HxWindowEndRows(HxWindowWriter *writer)
{
	Assert(writer->window.rows > 0);
	put_section_page(writer, HX_SECTION_ROWS);
	HxInitPage((Page) writer->page.data, HX_PAGE_POSTINGS);
}

/* ---- lists ---- */

/* Append units of 6 bytes to the postings pages. */
static void
put_units(HxWindowWriter *writer, const void *units, int count)
{
	const HxPosting *from = units;

	while (count > 0)
	{
		uint32 at = writer->units % HX_UNITS_A_PAGE;
		int fit = Min(count, (int) (HX_UNITS_A_PAGE - at));

		memcpy(HxPagePostings((Page) writer->page.data) + at, from,
			   fit * sizeof(HxPosting));
		Assert(at + fit <= HX_UNITS_A_PAGE);
		writer->units += fit;
		from += fit;
		count -= fit;
		if (writer->units % HX_UNITS_A_PAGE == 0)
		{
			put_section_page(writer, HX_SECTION_POSTINGS);
			HxInitPage((Page) writer->page.data, HX_PAGE_POSTINGS);
		}
	}
}

/*
 * Bounds of the blocks that a list touches; returns how many, or 0 if they
 * would not be few compared with the postings.
 */
static int
bound_blocks(const HxPosting *postings, int count, HxBlockBound *bounds)
{
	int blocks = 0;
	float max = 0;

	if (count < BOUNDED_POSTINGS)
		return 0;
	for (int i = 0; i < count; i++)
	{
		int block = postings[i].slot / HX_WINDOW_BLOCK;

		if (blocks == 0 || bounds[blocks - 1].block != block)
		{
			if (blocks == count / POSTINGS_A_BOUND)
				return 0;
			Assert(blocks < HX_WINDOW_BLOCKS);
			bounds[blocks].block = block;
			bounds[blocks++].first = i;
			max = 0;
		}
		max = Max(max, fabsf(HxPostingWeight(&postings[i])));
		bounds[blocks - 1].max = HxUpperHalf(max);
	}
	return blocks;
}

/* The least height that bounds a weight */
static uint8
height_of(float weight, float step)
{
	double bound = HxBoundValue(HxUpperHalf(weight));
	int height = (int) (bound / step);

	while ((double) height * step < bound)
		height++;
	Assert(height <= HX_MAX_HEIGHT);
	return (uint8) height;
}

/*
 * Heights of the window's blocks in a list; false if it touches too few, or its
 * greatest weight is no number to divide.
 */
static bool
find_heights(const HxWindowWriter *writer, const HxPosting *postings, int count,
			 float max, uint8 *heights)
{
	int blocks = (writer->window.rows + HX_WINDOW_BLOCK - 1) / HX_WINDOW_BLOCK;
	float step = HxHeightStep(max);
	int touched = 0;

	if (blocks < HEIGHTS_BLOCKS || count * BLOCKS_A_TOUCHED < blocks ||
		!(max >= HX_LEAST_TOP && max <= HX_GREATEST_TOP))
		return false;
	memset(heights, 0, blocks + sizeof(HxPosting));
	for (int i = 0; i < count; i++)
	{
		uint8 *height = &heights[postings[i].slot / HX_WINDOW_BLOCK];

		touched += *height == 0;
		*height =
			Max(*height, height_of(fabsf(HxPostingWeight(&postings[i])), step));
	}
	return touched * BLOCKS_A_TOUCHED >= blocks;
}

/* Add a dimension's postings, by rising slot; dimensions come ascending. */
void
HxWindowAddList(HxWindowWriter *writer, uint32 dim, const HxPosting *postings,
				int count)
{
	HxBlockBound bounds[HX_WINDOW_BLOCKS];
	uint8 heights[HX_WINDOW_BLOCKS + sizeof(HxPosting)];
	int nbounds = bound_blocks(postings, count, bounds);
	int nheights = 0; /* units */
	HxDim *entry;
	float max = 0;
	bool negative = false;

	Assert(count > 0 && count <= HX_WINDOW_ROWS);
	Assert(writer->logged || writer->window.dims == 0 ||
		   writer->dims[writer->window.dims - 1].dim < dim);
	if (writer->window.dims == writer->dims_room)
	{
		writer->dims_room *= 2;
		writer->dims = repalloc_huge(writer->dims,
									 (Size) writer->dims_room * sizeof(HxDim));
	}
	for (int i = 0; i < count; i++)
	{
		float weight = HxPostingWeight(&postings[i]);

		Assert(postings[i].slot < writer->window.rows);
		/* Of other windows' lists, which may be damaged, only a check knows */
		Assert(writer->logged || i == 0 ||
			   postings[i - 1].slot < postings[i].slot);
		max = Max(max, fabsf(weight));
		negative |= weight < 0;
	}
	entry = &writer->dims[writer->window.dims++];
	entry->dim = dim;
	if (find_heights(writer, postings, count, max, heights))
		nheights = HxHeightUnits(writer->window.rows);
	entry->start = writer->units + nheights;
	entry->count = count;
	entry->max = negative ? -max : max;
	entry->blocks = nbounds | (nheights > 0 ? HX_HAS_HEIGHTS : 0);
	put_units(writer, heights, nheights);
	put_units(writer, bounds, nbounds);
	put_units(writer, postings, count);
	writer->window.postings += count;
}

/* ---- the end ---- */

static void
put_dims(HxWindowWriter *writer)
{
	Page page = (Page) writer->page.data;

	for (uint32 done = 0; done < writer->window.dims; done += HX_DIMS_CAPACITY)
	{
		uint32 count =
			Min(writer->window.dims - done, (uint32) HX_DIMS_CAPACITY);

		HxInitPage(page, HX_PAGE_DIMS);
		memcpy(HxPageDims(page), writer->dims + done, count * sizeof(HxDim));
		put_section_page(writer, HX_SECTION_DIMS);
	}
}

static void
put_fences(HxWindowWriter *writer)
{
	Page page = (Page) writer->page.data;
	uint32 at = 0;

	for (uint32 first = 0; first < writer->window.dims;
		 first += HX_DIMS_A_FENCE)
	{
		if (at == 0)
			HxInitPage(page, HX_PAGE_FENCES);
		HxPageFences(page)[at++] = writer->dims[first].dim;
		if (at == HX_FENCES_CAPACITY)
		{
			put_section_page(writer, HX_SECTION_FENCES);
			at = 0;
		}
	}
	if (at > 0)
		put_section_page(writer, HX_SECTION_FENCES);
}

/* Write the map: its last page first, so that each can name the next. */
static void
put_map(HxWindowWriter *writer)
{
	Page page = (Page) writer->page.data;
	int capacity = HxMapCapacity(writer->desc);
	int total = 0;
	int at = 0;
	HxRun *all;
	BlockNumber next = InvalidBlockNumber;

	for (int s = 0; s < HX_SECTIONS; s++)
		total += writer->nruns[s];
	all = palloc(Max(total, 1) * sizeof(HxRun));
	for (int s = 0; s < HX_SECTIONS; s++)
	{
		memcpy(all + at, writer->runs[s], writer->nruns[s] * sizeof(HxRun));
		at += writer->nruns[s];
	}
	Assert(at == total && capacity > 0);
	for (int p = (total - 1) / capacity; p >= 0; p--)
	{
		int first = p * capacity;
		int count = Min(total - first, capacity);

		HxInitPage(page, HX_PAGE_MAP);
		HxPageOpaque(page)->next = next;
		HxPageMap(page)->count = count;
		memcpy(HxMapZone(page), writer->zone,
			   HX_ZONE_SIZE(writer->desc->nwords));
		memcpy(HxMapRuns(writer->desc, page), all + first,
			   count * sizeof(HxRun));
		next = put_page(writer);
		writer->window.pages++;
	}
	writer->window.map = next;
	pfree(all);
}

/* Write what is left, and tell how the window is to stand in the directory. */
void
HxEndWindow(HxWindowWriter *writer, HxWindow *window)
{
	Assert(writer->window.rows > 0);
	if (writer->units % HX_UNITS_A_PAGE != 0)
		put_section_page(writer, HX_SECTION_POSTINGS);
	put_dims(writer);
	put_fences(writer);
	put_map(writer);
	Assert(BlockNumberIsValid(writer->window.map));
	*window = writer->window;
	for (int s = 0; s < HX_SECTIONS; s++)
		pfree(writer->runs[s]);
	pfree(writer->dims);
	pfree(writer->zone);
	pfree(writer);
}

/* ---- assembling ---- */

/* A dimension met, in a hash table by dimension */
typedef struct DimCount
{
	uint32 key;	  /* dimension + 1; 0: free */
	uint32 count; /* postings; later, the next one's place */
} DimCount;

struct HxAssembler
{
	const HxIndexDesc *desc;
	MemoryContext context; /* of the rows */
	char **copies;		   /* copies of rows */
	int rows;
	Size postings;
	DimCount *table;
	uint32 slots; /* of the table; a power of 2 */
	uint32 dims;  /* in use */
};

HxAssembler *
HxMakeAssembler(const HxIndexDesc *desc)
{
	HxAssembler *assembler = palloc0(sizeof(HxAssembler));

	assembler->desc = desc;
	assembler->context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb window", ALLOCSET_DEFAULT_SIZES);
	assembler->copies = palloc(HX_WINDOW_ROWS * sizeof(char *));
	assembler->slots = 4096;
	assembler->table = palloc0(assembler->slots * sizeof(DimCount));
	return assembler;
}

/* The place of a dimension in the table, or of its absence. */
static DimCount *
find_count(DimCount *table, uint32 slots, uint32 dim)
{
	uint32 at = (dim * 2654435769U) & (slots - 1);

	while (table[at].key != 0 && table[at].key != dim + 1)
		at = (at + 1) & (slots - 1);
	return &table[at];
}

/* Double the table. */
static void
grow_table(HxAssembler *assembler)
{
	uint32 slots = assembler->slots * 2;
	DimCount *table = MemoryContextAllocExtended(
		GetMemoryChunkContext(assembler), slots * sizeof(DimCount),
		MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (uint32 i = 0; i < assembler->slots; i++)
		if (assembler->table[i].key != 0)
			*find_count(table, slots, assembler->table[i].key - 1) =
				assembler->table[i];
	pfree(assembler->table);
	assembler->table = table;
	assembler->slots = slots;
}

/* Add a copy of a row, which must find room. */
void
HxAssemble(HxAssembler *assembler, const HxSparseRow *row)
{
	const int32 *dims = HxSparseRowDims(assembler->desc, row);
	char *copy = MemoryContextAlloc(assembler->context, row->size);

	Assert(assembler->rows < HX_WINDOW_ROWS);
	memcpy(copy, row, row->size);
	assembler->copies[assembler->rows++] = copy;
	for (int i = 0; i < row->nnz; i++)
	{
		DimCount *count =
			find_count(assembler->table, assembler->slots, dims[i]);

		if (count->key == 0)
		{
			count->key = dims[i] + 1;
			assembler->dims++;
		}
		count->count++;
		if (assembler->dims > assembler->slots / 2)
			grow_table(assembler);
	}
	assembler->postings += Max(row->nnz, 0);
}

int
HxAssembledRows(const HxAssembler *assembler)
{
	return assembler->rows;
}

/* Bytes that the rows and their postings take or will take. */
Size
HxAssembledBytes(const HxAssembler *assembler)
{
	return assembler->postings *
			   (sizeof(int32) + sizeof(float) + sizeof(HxPosting)) +
		   assembler->slots * sizeof(DimCount) +
		   (Size) assembler->dims * sizeof(HxDim);
}

static int
compare_counts(const void *a, const void *b)
{
	uint32 x = ((const DimCount *) a)->key;
	uint32 y = ((const DimCount *) b)->key;

	return (x > y) - (x < y);
}

/* The dimensions ascending, with their counts; the table holds places now. */
static DimCount *
place_lists(HxAssembler *assembler)
{
	DimCount *sorted = MemoryContextAllocHuge(
		CurrentMemoryContext, Max(assembler->dims, 1) * sizeof(DimCount));
	uint32 count = 0;
	uint32 at = 0;

	for (uint32 i = 0; i < assembler->slots; i++)
		if (assembler->table[i].key != 0)
			sorted[count++] = assembler->table[i];
	qsort(sorted, count, sizeof(DimCount), compare_counts);
	for (uint32 i = 0; i < count; i++)
	{
		find_count(assembler->table, assembler->slots, sorted[i].key - 1)
			->count = at;
		at += sorted[i].count;
	}
	Assert(count == assembler->dims && at == assembler->postings);
	return sorted;
}

/* Put the postings of a row into their lists. */
static void
scatter_row(HxAssembler *assembler, const HxSparseRow *row, int slot,
			HxPosting *postings)
{
	const int32 *dims = HxSparseRowDims(assembler->desc, row);
	const float *weights = HxSparseRowWeights(assembler->desc, row);

	for (int i = 0; i < row->nnz; i++)
	{
		DimCount *next =
			find_count(assembler->table, assembler->slots, dims[i]);
		HxPosting *posting = &postings[next->count++];

		posting->slot = slot;
		memcpy(posting->weight, &weights[i], sizeof(float));
	}
}

/* Write all rows as a window, and forget them. */
void
HxWriteAssembled(HxAssembler *assembler, HxWindowWriter *writer)
{
	HxPosting *postings = MemoryContextAllocHuge(
		CurrentMemoryContext, Max(assembler->postings, 1) * sizeof(HxPosting));
	DimCount *lists = place_lists(assembler);
	const HxPosting *list = postings;

	for (int i = 0; i < assembler->rows; i++)
	{
		const HxSparseRow *row = (const HxSparseRow *) assembler->copies[i];
		HxAttrRow attrs;

		HxSparseRowAttrs(assembler->desc, row, &attrs);
		HxWindowAddRow(writer, &attrs, &row->tid, row->norm2);
		scatter_row(assembler, row, i, postings);
	}
	HxWindowEndRows(writer);
	for (uint32 d = 0; d < assembler->dims; d++)
	{
		HxWindowAddList(writer, lists[d].key - 1, list, lists[d].count);
		list += lists[d].count;
	}
	Assert(list == postings + assembler->postings);
	pfree(lists);
	pfree(postings);
	MemoryContextReset(assembler->context);
	memset(assembler->table, 0, assembler->slots * sizeof(DimCount));
	assembler->rows = 0;
	assembler->dims = 0;
	assembler->postings = 0;
}
