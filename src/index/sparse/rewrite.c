/*
 * rewrite.c
 *	  Putting rows in order again: pending ones, and those of windows that are
 *	  being merged.
 *
 * See README, "Insert".  Windows are rewritten in two passes over their
 * lists.  The first takes each row's heaviest dimensions, by which rows are put
 * in order like those of a build; the second writes the lists, their postings
 * at the new slots.  Vectors are never put together, so memory is what a
 * window's rows and sketches take, some 20 MB.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "index/page/inject.h"
#include "index/sparse/sparse.h"

/* One row of this many has a sketch that can be a centroid */
#define ROWS_A_SAMPLE 8

/* Lists of at most this many postings are sorted by insertion */
#define FEW_POSTINGS 48

#define SLOT_GONE UINT16_MAX

/* ---- order ---- */

/* A row's rank, and its number before */
typedef struct Ranked
{
	uint32 rank;
	uint32 number;
} Ranked;

static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *x = a;
	const Ranked *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* Does a row's sketch have the room of a centroid's? */
static inline int
sketch_room(uint32 number)
{
	return number % ROWS_A_SAMPLE == 0 ? HX_CENTROID_DIMS : HX_ROW_DIMS;
}

/* Rows in order, by their sketches; palloc'd. */
static Ranked *
rank_rows(const HxSketch *sketches, int count)
{
	HxOrganizer *organizer = HxMakeOrganizer(
		(Size) (count / ROWS_A_SAMPLE + 1) * sizeof(HxSketch) * 3, 1);
	Ranked *ranked = MemoryContextAllocHuge(CurrentMemoryContext,
											(Size) count * sizeof(Ranked));

	for (int i = 0; i < count; i += ROWS_A_SAMPLE)
		if (sketches[i].count > 0)
		{
			HxSketch *sketch = HxOrganizerSample(organizer);

			if (sketch)
				*sketch = sketches[i];
		}
	HxOrganizerTrain(organizer, count);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		ranked[i].rank = HxOrganizerRank(organizer, &sketches[i]);
		ranked[i].number = i;
	}
	qsort(ranked, count, sizeof(Ranked), compare_ranked);
	return ranked;
}

/* Put rows in order. */
void
HxOrderSparseRows(const HxIndexDesc *desc, HxSparseRow **heads, int count)
{
	HxSketch *sketches = MemoryContextAllocHuge(
		CurrentMemoryContext, Max(count, 1) * sizeof(HxSketch));
	HxSparseRow **before = MemoryContextAllocHuge(
		CurrentMemoryContext, Max(count, 1) * sizeof(HxSparseRow *));
	Ranked *ranked;

	for (int i = 0; i < count; i++)
		HxSketchRow(desc, heads[i], sketch_room(i), &sketches[i]);
	ranked = rank_rows(sketches, count);
	memcpy(before, heads, count * sizeof(HxSparseRow *));
	for (int i = 0; i < count; i++)
		heads[i] = before[ranked[i].number];
	pfree(ranked);
	pfree(before);
	pfree(sketches);
}

/* ---- windows ---- */

/* A window being merged */
typedef struct Source
{
	const HxWindowReader *reader;
	uint16 *slots; /* a row's number, then its new slot; SLOT_GONE: dead */
	HxDim dims[HX_DIMS_CAPACITY];
	uint32 page; /* number of the next page of dimensions */
	int count;	 /* dimensions on the one read */
	int next;	 /* next one */
} Source;

typedef struct Rewrite
{
	const HxIndexDesc *desc;
	Source *sources;
	int count;							/* of them */
	int rows;							/* living ones */
	HxSparseRow *heads[HX_WINDOW_ROWS]; /* rows without their vectors */
	HxSketch *sketches;
	HxPosting *postings; /* a list of all windows */
	/* Scratch, to sort a list by slot */
	uint64 present[HX_WINDOW_SLOTS / 64];
	HxPosting by_slot[HX_WINDOW_SLOTS];
} Rewrite;

/* Nothing but this backend replaces windows now. */
static void
unexpectedly_replaced(const Source *source)
{
	HxCorrupted(source->reader->index, source->reader->window.map,
				"a window was replaced while its structure was locked");
}

/* Add the living rows of a page, the first of which has the slot. */
static void
add_rows(Rewrite *rewrite, Source *source, Page page, int slot)
{
	Size size = HxSparseRowSize(rewrite->desc, HX_SPARSE_NULL);
	HxRowArrays rows;
	const double *norms;

	StaticAssertStmt(HX_WINDOW_ROWS < SLOT_GONE, "no slot means a dead row");
	Assert(slot + HxPageRows(page)->count <= source->reader->window.rows);
	HxRowArraysOf(rewrite->desc, page, &rows);
	norms = (const double *) rows.payloads;
	for (int i = 0; i < rows.count; i++)
	{
		HxAttrRow attrs;
		HxSparseRow *row;

		source->slots[slot + i] = SLOT_GONE;
		if (norms[i] == HX_DEAD_NORM)
			continue;
		if (rewrite->rows == HX_WINDOW_ROWS)
			HxCorrupted(source->reader->index, source->reader->window.map,
						"windows have more rows than they tell");
		row = palloc0(size);
		row->norm2 = norms[i];
		row->tid = rows.tids[i];
		HxGetRowAttrs(rewrite->desc, &rows, i, &attrs);
		row->nulls = attrs.nulls;
		memcpy(row->words, attrs.words, rewrite->desc->nwords * sizeof(int64));
		source->slots[slot + i] = (uint16) rewrite->rows;
		rewrite->heads[rewrite->rows++] = row;
	}
}

/* Read the rows of a window that are alive. */
static void
read_rows(Rewrite *rewrite, Source *source)
{
	int slot = 0;

	source->slots = palloc(source->reader->window.rows * sizeof(uint16));
	for (uint32 p = 0; p < source->reader->pages[HX_SECTION_ROWS]; p++)
	{
		Buffer buffer = HxReadWindowPage(source->reader, HX_SECTION_ROWS, p);
		PGAlignedBlock copy;

		if (!BufferIsValid(buffer))
			unexpectedly_replaced(source);
		memcpy(copy.data, BufferGetPage(buffer), BLCKSZ);
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
		add_rows(rewrite, source, (Page) copy.data, slot);
		slot += HxWindowPageRows(source->reader, p);
	}
}

/* The next dimension of a window, or NULL at its end. */
static const HxDim *
peek_dim(Source *source)
{
	while (source->next == source->count)
	{
		if (source->page == source->reader->pages[HX_SECTION_DIMS])
			return NULL;
		CHECK_FOR_INTERRUPTS();
		if (!HxReadDims(source->reader, source->page++, source->dims,
						&source->count))
			unexpectedly_replaced(source);
		source->next = 0;
	}
	return &source->dims[source->next];
}

/* Read a dimension's postings of living rows; returns how many there are. */
static int
read_list(Source *source, const HxDim *dim, HxPosting *postings)
{
	int kept = 0;

	if (dim->count > HX_WINDOW_ROWS)
		HxCorrupted(source->reader->index, source->reader->window.map,
					"a dimension has more postings than there are rows");
	if (!HxReadPostings(source->reader, dim, postings))
		unexpectedly_replaced(source);
	for (int i = 0; i < dim->count; i++)
	{
		uint16 slot = postings[i].slot;

		if (slot >= source->reader->window.rows ||
			source->slots[slot] == SLOT_GONE)
			continue;
		postings[kept] = postings[i];
		postings[kept++].slot = source->slots[slot];
	}
	return kept;
}

/* Make the sketches of a window's rows, and go back to its first dimension. */
static void
sketch_rows(Rewrite *rewrite, Source *source)
{
	const HxDim *dim;

	for (; (dim = peek_dim(source)) != NULL; source->next++)
	{
		int count = read_list(source, dim, rewrite->postings);

		for (int i = 0; i < count; i++)
		{
			int row = rewrite->postings[i].slot;
			float weight = HxPostingWeight(&rewrite->postings[i]);
			double norm2 = rewrite->heads[row]->norm2;

			HxSketchAdd(&rewrite->sketches[row], sketch_room(row), dim->dim,
						norm2 > 0 ? weight / (float) sqrt(norm2) : 0);
		}
	}
	source->page = source->count = source->next = 0;
}

/* Write the rows in order, and give each its new slot. */
static void
write_rows(Rewrite *rewrite, HxWindowWriter *writer)
{
	Ranked *ranked = rank_rows(rewrite->sketches, rewrite->rows);
	uint16 *slots = palloc(rewrite->rows * sizeof(uint16));

	Assert(rewrite->rows > 0 && rewrite->rows <= HX_WINDOW_ROWS);
	for (int slot = 0; slot < rewrite->rows; slot++)
	{
		const HxSparseRow *row = rewrite->heads[ranked[slot].number];
		HxAttrRow attrs;

		HxSparseRowAttrs(rewrite->desc, row, &attrs);
		HxWindowAddRow(writer, &attrs, &row->tid, row->norm2);
		slots[ranked[slot].number] = (uint16) slot;
	}
	HxWindowEndRows(writer);
	for (int s = 0; s < rewrite->count; s++)
	{
		Source *source = &rewrite->sources[s];

		for (uint32 i = 0; i < source->reader->window.rows; i++)
			if (source->slots[i] != SLOT_GONE)
				source->slots[i] = slots[source->slots[i]];
	}
	pfree(slots);
	pfree(ranked);
}

/* ---- lists ---- */

/* Sort a list by slot.  Each slot is met once, or the index is damaged. */
static void
sort_list(Rewrite *rewrite, int count)
{
	HxPosting *postings = rewrite->postings;
	int done = 0;

	Assert(count > 0 && count <= HX_WINDOW_ROWS);
	if (count <= FEW_POSTINGS)
	{
		for (int i = 1; i < count; i++)
		{
			HxPosting posting = postings[i];
			int at = i;

			for (; at > 0 && postings[at - 1].slot > posting.slot; at--)
				postings[at] = postings[at - 1];
			postings[at] = posting;
		}
		return;
	}
	for (int i = 0; i < count; i++)
	{
		uint16 slot = postings[i].slot;

		rewrite->present[slot / 64] |= UINT64CONST(1) << slot % 64;
		rewrite->by_slot[slot] = postings[i];
	}
	for (int w = 0; w < HX_WINDOW_SLOTS / 64; w++)
	{
		uint64 bits = rewrite->present[w];

		rewrite->present[w] = 0;
		for (; bits != 0; bits &= bits - 1)
			postings[done++] =
				rewrite->by_slot[w * 64 + pg_rightmost_one_pos64(bits)];
	}
	if (done != count)
		HxCorrupted(rewrite->sources[0].reader->index,
					rewrite->sources[0].reader->window.map,
					"a row is twice in a dimension's postings");
}

/* Merge the lists of all windows, dimension by dimension. */
static void
write_lists(Rewrite *rewrite, HxWindowWriter *writer)
{
	for (;;)
	{
		const HxDim *least = NULL;
		uint32 dim;
		int total = 0;

		for (int s = 0; s < rewrite->count; s++)
		{
			const HxDim *next = peek_dim(&rewrite->sources[s]);

			if (next && (!least || next->dim < least->dim))
				least = next;
		}
		if (!least)
			break;
		dim = least->dim;
		for (int s = 0; s < rewrite->count; s++)
		{
			Source *source = &rewrite->sources[s];
			const HxDim *next = peek_dim(source);

			if (!next || next->dim != dim)
				continue;
			total += read_list(source, next, rewrite->postings + total);
			/* The next list may be read whole, dead rows included. */
			if (total > HX_WINDOW_ROWS)
				HxCorrupted(source->reader->index, source->reader->window.map,
							"a dimension has more postings than there are "
							"rows");
			source->next++;
		}
		if (total == 0)
			continue;
		sort_list(rewrite, total);
		HxWindowAddList(writer, dim, rewrite->postings, total);
	}
}

/*
 * Write the living rows of windows, of which there are some and not more than a
 * window has room for.  The structure lock is held.  What is palloc'd is the
 * caller's to free, by its context.
 */
void
HxRewriteWindows(const HxWindowReader *readers, int count,
				 HxWindowWriter *writer)
{
	Rewrite *rewrite = palloc0(sizeof(Rewrite));

	Assert(count > 0 && HxHoldsStructure(readers[0].index));
	rewrite->desc = readers[0].desc;
	rewrite->count = count;
	rewrite->sources = palloc0(count * sizeof(Source));
	rewrite->postings = palloc(2 * HX_WINDOW_ROWS * sizeof(HxPosting));
	for (int s = 0; s < count; s++)
	{
		rewrite->sources[s].reader = &readers[s];
		read_rows(rewrite, &rewrite->sources[s]);
	}
	if (rewrite->rows == 0)
		HxCorrupted(readers[0].index, readers[0].window.map,
					"windows without the rows that they tell of");
	rewrite->sketches = palloc0(rewrite->rows * sizeof(HxSketch));
	for (int s = 0; s < count; s++)
		sketch_rows(rewrite, &rewrite->sources[s]);
	write_rows(rewrite, writer);
	pfree(rewrite->sketches);
	HX_INJECT("sparse-merge-rows");
	write_lists(rewrite, writer);
}
