/*
 * check.c
 *	  Checking an index of sparse vectors.
 *
 * Verified are: the directory; of every window that its map leads to pages of
 * its own, that dimensions and fences ascend, that postings ascend by slot and
 * belong to living or removed rows that have a vector, that bounds cover their
 * blocks, and that the squares of each row's weights add up to the length it
 * tells; of pending rows that they are whole and possible.  A window does not
 * change as long as its pages show its owner, so what is wrong in it is wrong.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "index/check/check.h"
#include "index/page/inject.h"
#include "index/sparse/sparse.h"

/* Times that windows may be replaced while an index is checked */
#define MAX_RESTARTS 1000

typedef struct SparseCheck
{
	HxCheck *base;
	double *squares; /* sums of squared weights by slot */
	HxPosting *postings;
} SparseCheck;

/* Take note that a page has a purpose; errors if it had one already. */
static void
reach(SparseCheck *check, BlockNumber block)
{
	if (HxIsReached(check->base, block))
		HxCorrupted(check->base->index, block, "a page belongs to two windows");
	HxReach(check->base, block);
}

/* ---- rows ---- */

/*
 * What is wrong with a row of any kind, or NULL.  A pending row has no zone map.
 * Remembers the row; norm2 is HX_NULL_NORM if it has no vector.
 */
static const char *
row_fault(SparseCheck *check, const ItemPointerData *tid,
		  const HxAttrRow *attrs, const HxZone *zone, double norm2)
{
	HxCheck *base = check->base;
	const char *wrong = NULL;

	if (!HxIsTidInHeap(base, tid))
		return "no row of the table can have its TID";
	if (zone)
		wrong = HxAttributesFault(&base->desc, zone, attrs);
	if (!wrong)
		HxAddFingerprint(base, tid, attrs,
						 norm2 == HX_NULL_NORM ? NULL : (const uint8 *) &norm2,
						 false);
	return wrong;
}

/* What is wrong with row `slot` of a window, or NULL */
static const char *
window_row_fault(SparseCheck *check, const HxWindowReader *reader, uint32 slot,
				 const ItemPointerData *tid, const HxAttrRow *attrs,
				 double norm2)
{
	const char *wrong = row_fault(check, tid, attrs, reader->zone, norm2);

	Assert(slot < reader->window.rows);
	if (wrong)
		return wrong;
	if (check->squares[slot] != (norm2 == HX_NULL_NORM ? 0 : norm2))
		return "its postings do not add up to its length";
	if (HxCountsForMinNorm(&check->base->desc, norm2) &&
		norm2 < reader->window.min_norm)
		return "it is shorter than its window says";
	return NULL;
}

/*
 * Check the rows of page `number` of a window, which has been copied; counts
 * those without a vector, and returns how many are removed.
 */
static int
check_rows_page(SparseCheck *check, const HxWindowReader *reader, uint32 number)
{
	HxCheck *base = check->base;
	HxRowArrays rows;
	const double *norms;
	int dead = 0;

	HxRowArraysOf(&base->desc, (Page) base->page.data, &rows);
	norms = (const double *) rows.payloads;
	for (int i = 0; i < rows.count; i++)
	{
		HxAttrRow attrs;
		const char *wrong;

		if (norms[i] == HX_DEAD_NORM)
		{
			dead++;
			continue;
		}
		base->counts.null_rows += norms[i] == HX_NULL_NORM;
		HxGetRowAttrs(&base->desc, &rows, i, &attrs);
		wrong =
			window_row_fault(check, reader, number * base->desc.capacity + i,
							 &rows.tids[i], &attrs, norms[i]);
		if (wrong)
			HxCorrupted(base->index,
						HxWindowBlock(reader, HX_SECTION_ROWS, number),
						psprintf("row %d: %s", i, wrong));
	}
	return dead;
}

/* Check the rows of a window; false if it was replaced. */
static bool
check_rows(SparseCheck *check, const HxWindowReader *reader)
{
	HxCheck *base = check->base;
	int64 dead = 0;

	for (uint32 p = 0; p < reader->pages[HX_SECTION_ROWS]; p++)
	{
		Buffer buffer = HxReadWindowPage(reader, HX_SECTION_ROWS, p);

		if (!BufferIsValid(buffer))
			return false;
		memcpy(base->page.data, BufferGetPage(buffer), BLCKSZ);
		UnlockReleaseBuffer(buffer);
		dead += check_rows_page(check, reader, p);
	}
	base->counts.rows += reader->window.rows - dead;
	base->counts.dead += dead;
	if (base->frozen && dead != reader->window.dead)
		HxCorrupted(base->index, reader->place.page,
					psprintf("a window has " INT64_FORMAT
							 " removed rows, but tells of %u",
							 dead, reader->window.dead));
	return true;
}

/* ---- postings ---- */

/* What is wrong with the bounds of a list, which lie before its postings */
static const char *
bounds_fault(SparseCheck *check, const HxDim *dim, const HxBlockBound *bounds)
{
	int at = -1;

	for (int i = 0; i < dim->count; i++)
	{
		int block = check->postings[i].slot / HX_WINDOW_BLOCK;
		uint32 bits;
		float max;

		if (at < 0 || bounds[at].block != block)
			if (++at >= HxDimBounds(dim) || bounds[at].block != block ||
				bounds[at].first != i)
				return "bounds of blocks that are not its postings'";
		bits = (uint32) bounds[at].max << 16;
		memcpy(&max, &bits, sizeof(max));
		if (fabsf(HxPostingWeight(&check->postings[i])) > max)
			return "a weight beyond its block's bound";
	}
	return at + 1 == HxDimBounds(dim) ? NULL
									  : "bounds of blocks without postings";
}

/* What is wrong with the heights of a list, or NULL */
static const char *
heights_fault(SparseCheck *check, const HxDim *dim, const uint8 *heights,
			  int units)
{
	double step = HxHeightStep(dim->max);
	int touched = 0;
	int last = -1;

	for (int i = 0; i < dim->count; i++)
	{
		int block = check->postings[i].slot / HX_WINDOW_BLOCK;
		float weight = fabsf(HxPostingWeight(&check->postings[i]));

		touched += block != last;
		last = block;
		if (heights[block] * step < HxBoundValue(HxUpperHalf(weight)))
			return "a weight beyond its block's height";
	}
	for (int b = 0; b < units * (int) sizeof(HxPosting); b++)
		touched -= heights[b] != 0;
	return touched == 0 ? NULL : "heights of blocks without postings";
}

/*
 * Check units before a dimension's postings: as many bounds as it tells of, or
 * heights before these.  False if the window was replaced; *wrong is what is wrong,
 * or NULL.
 */
static bool
check_units(SparseCheck *check, const HxWindowReader *reader, const HxDim *dim,
			uint32 start, int count, const char **wrong)
{
	HxDim part = {dim->dim, start, 0, count, 0};
	HxPosting *units = palloc(count * sizeof(HxPosting));

	if (!HxReadPostings(reader, &part, units))
		return false;
	*wrong = start == dim->start
				 ? bounds_fault(check, dim, (const HxBlockBound *) units)
				 : heights_fault(check, dim, (const uint8 *) units, count);
	pfree(units);
	return true;
}

/* What is wrong with a dimension's postings, which are added up, or NULL */
static const char *
list_fault(SparseCheck *check, const HxWindowReader *reader, const HxDim *dim)
{
	bool negative = false;
	float max = 0;

	Assert(dim->count <= HX_WINDOW_ROWS);
	for (int i = 0; i < dim->count; i++)
	{
		const HxPosting *posting = &check->postings[i];
		float weight = HxPostingWeight(posting);

		if (posting->slot >= reader->window.rows ||
			(i > 0 && posting->slot <= check->postings[i - 1].slot))
			return "postings that are out of order";
		if (!isfinite(weight) || weight == 0)
			return "a weight that no vector can have";
		max = Max(max, fabsf(weight));
		negative |= weight < 0;
		check->squares[posting->slot] += (double) weight * weight;
	}
	if (dim->max != (negative ? -max : max))
		return "a greatest weight that is not its postings'";
	return NULL;
}

/* Check a dimension's list; false if the window was replaced. */
static bool
check_list(SparseCheck *check, const HxWindowReader *reader, const HxDim *dim,
		   uint32 units)
{
	int bounds = HxDimBounds(dim);
	int heights = HxDimHeights(dim, reader->window.rows);
	const char *wrong = NULL;

	if (dim->count == 0 || dim->count > reader->window.rows ||
		bounds > HX_WINDOW_BLOCKS || dim->start != units + heights ||
		dim->dim >= (uint32) check->base->desc.dims)
		wrong = "a dimension with impossible numbers";
	if (!wrong)
	{
		if (!HxReadPostings(reader, dim, check->postings))
			return false;
		wrong = list_fault(check, reader, dim);
	}
	if (!wrong && bounds > 0 &&
		!check_units(check, reader, dim, dim->start, bounds, &wrong))
		return false;
	if (!wrong && heights > 0 &&
		!check_units(check, reader, dim, units, heights, &wrong))
		return false;
	if (wrong)
		HxCorrupted(check->base->index, reader->window.map,
					psprintf("dimension %u: %s", dim->dim + 1, wrong));
	return true;
}

/* Check that a fence is the first dimension behind it; false if replaced. */
static bool
check_fence(SparseCheck *check, const HxWindowReader *reader, uint32 number,
			uint32 dim)
{
	Buffer buffer = HxReadWindowPage(reader, HX_SECTION_FENCES,
									 number / HX_FENCES_CAPACITY);
	uint32 fence;

	if (!BufferIsValid(buffer))
		return false;
	fence = HxPageFences(BufferGetPage(buffer))[number % HX_FENCES_CAPACITY];
	UnlockReleaseBuffer(buffer);
	if (fence != dim)
		HxCorrupted(check->base->index, reader->window.map,
					psprintf("fence %u leads to dimension %u, not %u", number,
							 dim + 1, fence + 1));
	return true;
}

/* Check all dimensions and postings of a window; false if it was replaced. */
static bool
check_lists(SparseCheck *check, const HxWindowReader *reader)
{
	HxDim *dims = palloc(HX_DIMS_CAPACITY * sizeof(HxDim));
	uint64 postings = 0;
	uint32 units = 0;
	uint32 number = 0;
	int64 last = -1;

	memset(check->squares, 0, HX_WINDOW_ROWS * sizeof(double));
	for (uint32 p = 0; p < reader->pages[HX_SECTION_DIMS]; p++)
	{
		int count;

		if (!HxReadDims(reader, p, dims, &count))
			return false;
		for (int i = 0; i < count; i++, number++)
		{
			CHECK_FOR_INTERRUPTS();
			HX_INJECT_LOOP("sparse-check");
			if (dims[i].dim <= last)
				HxCorrupted(check->base->index, reader->window.map,
							"dimensions that are out of order");
			last = dims[i].dim;
			if (number % HX_DIMS_A_FENCE == 0 &&
				!check_fence(check, reader, number / HX_DIMS_A_FENCE,
							 dims[i].dim))
				return false;
			if (!check_list(check, reader, &dims[i], units))
				return false;
			units += HxDimHeights(&dims[i], reader->window.rows) +
					 HxDimBounds(&dims[i]) + dims[i].count;
			postings += dims[i].count;
		}
	}
	pfree(dims);
	if (number != reader->window.dims || postings != reader->window.postings)
		HxCorrupted(check->base->index, reader->place.page,
					"a window with other dimensions or postings than it tells");
	return true;
}

/* ---- windows ---- */

/* Take note of all pages of a window. */
static void
reach_window(SparseCheck *check, const HxWindowReader *reader)
{
	uint32 pages = reader->nmaps;

	for (int s = 0; s < HX_SECTIONS; s++)
	{
		for (uint32 p = 0; p < reader->pages[s]; p++)
			reach(check, HxWindowBlock(reader, s, p));
		pages += reader->pages[s];
	}
	for (int m = 0; m < reader->nmaps; m++)
		reach(check, reader->maps[m]);
	if (pages != reader->window.pages)
		HxCorrupted(check->base->index, reader->place.page,
					"a window with another number of pages than it tells");
	check->base->counts.rows_pages += pages;
}

/* Check a window; false if it was replaced. */
static bool
check_window(SparseCheck *check, const HxWindow *window, HxEntryAddress place)
{
	HxWindowReader reader;
	bool done;

	if (!HxOpenWindow(check->base->index, &check->base->desc, window, place,
					  &reader))
		return false;
	done = check_lists(check, &reader) && check_rows(check, &reader);
	if (done)
		reach_window(check, &reader);
	HxCloseWindow(&reader);
	check->base->counts.blocks++;
	return done;
}

/* ---- pending rows ---- */

/* What the callback for pending rows needs */
typedef struct PendingCheck
{
	SparseCheck *check;
	BlockNumber first; /* of the chain, to name in errors */
} PendingCheck;

/* HxScanPending callback: check a row. */
static void
check_pending_row(const HxSparseRow *row, void *state)
{
	PendingCheck *pending = state;
	SparseCheck *check = pending->check;
	const char *wrong = HxSparseRowFault(&check->base->desc, row, row->size);
	HxAttrRow attrs;
	double norm2 = 0;

	if (!wrong)
	{
		const float *weights = HxSparseRowWeights(&check->base->desc, row);

		HxSparseRowAttrs(&check->base->desc, row, &attrs);
		for (int i = 0; i < row->nnz; i++)
			norm2 += (double) weights[i] * weights[i];
		if (row->norm2 != (row->nnz == HX_SPARSE_NULL ? HX_NULL_NORM : norm2))
			wrong = "a pending row of another length than it tells";
	}
	if (!wrong)
		wrong = row_fault(check, &row->tid, &attrs, NULL, row->norm2);
	if (wrong)
		HxCorrupted(check->base->index, pending->first, wrong);
	check->base->counts.rows++;
	check->base->counts.null_rows += row->nnz == HX_SPARSE_NULL;
}

/* Take note of the pages of pending rows; false if they are others' by now. */
static bool
reach_chain(SparseCheck *check, const HxChain *chain)
{
	Relation index = check->base->index;
	BlockNumber block = chain->owner != 0 ? chain->first : InvalidBlockNumber;
	uint32 steps = 0;

	while (block != InvalidBlockNumber)
	{
		Buffer buffer = HxReadBuffer(index, block, BUFFER_LOCK_SHARE, NULL);
		Page page = BufferGetPage(buffer);
		bool found = HxPageIsSound(page) &&
					 HxPageOpaque(page)->kind == HX_PAGE_PENDING &&
					 HxPageOpaque(page)->owner == chain->owner;
		BlockNumber next = found ? HxPageOpaque(page)->next : 0;

		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
		HX_INJECT_LOOP("sparse-check-pending");
		if (!found)
			return false;
		HxCountStep(index, block, &steps);
		reach(check, block);
		check->base->counts.rows_pages++;
		block = next;
	}
	return true;
}

/* Check a chain of pending rows; false if it has become a window. */
static bool
check_chain(SparseCheck *check, const HxChain *chain)
{
	HxCheck *base = check->base;
	PendingCheck pending = {check, chain->first};
	int64 before = base->counts.rows;

	if (!HxScanPending(base->index, &base->desc, chain, check_pending_row,
					   &pending))
		return false;
	if (base->frozen &&
		base->counts.rows - before != (int64) chain->rows - chain->dead)
		HxCorrupted(base->index, chain->first,
					psprintf("%u pending rows where %u were told of",
							 (uint32) (base->counts.rows - before),
							 chain->rows - chain->dead));
	return reach_chain(check, chain);
}

/* ---- all of it ---- */

/* Owners are unique, and have been given out. */
static void
check_owners(HxCheck *base, const HxSparseDirectory *directory)
{
	HxReadMeta(base->index, &base->meta);
	for (int i = 0; i < directory->count; i++)
	{
		uint64 owner = directory->windows[i].owner;
		bool twice = owner == directory->pending.owner ||
					 owner == directory->frozen.owner;

		for (int j = 0; j < i; j++)
			twice |= owner == directory->windows[j].owner;
		if (twice || owner >= base->meta.next_owner)
			HxCorrupted(base->index, directory->places[i].page,
						"a window whose owner is another's, or nobody's");
	}
}

/* Check everything; false if some of it was replaced meanwhile. */
static bool
check_all(SparseCheck *check)
{
	HxCheck *base = check->base;
	HxSparseDirectory directory;
	HxPageList pages = {0};
	bool done;

	HxReadWindows(base->index, &base->desc, &directory);
	check_owners(base, &directory);
	HxListChain(base, base->meta.directory, HX_PAGE_WINDOWS, &pages);
	base->counts.directory_pages = directory.pages;
	done = check_chain(check, &directory.frozen) &&
		   check_chain(check, &directory.pending);
	for (int i = 0; done && i < directory.count; i++)
		done = check_window(check, &directory.windows[i], directory.places[i]);
	return done;
}

/* ---- members of kind.h ---- */

/*
 * Starts over when windows are replaced meanwhile, which cannot happen where
 * nobody writes.
 */
void
HxCheckSparse(HxCheck *base)
{
	SparseCheck check = {base};
	int restarts = 0;

	check.squares = palloc(HX_WINDOW_ROWS * 2 * sizeof(double));
	check.postings = palloc(HX_WINDOW_ROWS * 2 * sizeof(HxPosting));
	while (!check_all(&check))
	{
		if (base->frozen || ++restarts > MAX_RESTARTS)
			HxCorrupted(base->index, HX_METAPAGE,
						"pages are not those that the directory names");
		HxRestartCheck(base);
	}
	HxCountOtherPages(base, NULL);
	pfree(check.squares);
	pfree(check.postings);
}
