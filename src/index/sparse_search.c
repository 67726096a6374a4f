/*
 * sparse_search.c
 *	  Searching an index of sparse vectors.
 *
 * See README.sparse, "Search".  A search is one or more passes over all windows
 * and the pending rows.  A pass keeps the best rows above the last (distance,
 * TID) emitted: the first 128, the second 896, each later one as many as
 * work_mem holds.  Every pass is exact.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "index/sparse.h"
#include "type/distance.h"

/* Rows kept by the first pass and the second; then work_mem counts */
static const int first_passes[] = {128, 896};

/* Slots that a posting may name, whatever its page says */
#define SLOTS 65536

/* Times a search may find that windows were replaced */
#define MAX_RESTARTS 1000

/* Bits of the filter that most dimensions of pending rows fail */
#define DIM_BITS 65536

/* A dimension of the query, for pending rows; open addressing */
typedef struct QueryDim
{
	int32 dim; /* -1: free */
	float weight;
} QueryDim;

struct HxSparseSearch
{
	Relation index;
	HxIndexDesc desc;
	HxSearchSpec spec;
	const HxSparseQuery *query;
	HxSparseDirectory directory;
	bool in_nulls; /* now among the rows whose distance is NULL */

	HxCandidate *kept; /* best rows of this pass: a heap, greatest first;
						* sorted when the pass has ended */
	int room;
	int nkept;
	int nemitted;
	bool passed; /* kept is what a whole pass found */
	int pass;
	bool has_last;
	HxCandidate last;
	HxSearchStats stats;

	double *sums; /* product so far of each slot of a window */
	HxDim *found; /* the query's dimensions in a window ... */
	int *which;	  /* ... which ones they are */
	uint64 *mask; /* rows of a page that pass */
	uint64 *seen_dims;
	QueryDim *dims;
	uint32 dims_mask;

	ItemPointerData *tids; /* searches not ordered */
	int64 ntids;
	int64 tids_room;
	MemoryContext context;
};

/* ---- rows kept ---- */

static inline bool
precedes(const HxCandidate *a, const HxCandidate *b)
{
	return a->distance < b->distance ||
		   (a->distance == b->distance && a->tid < b->tid);
}

static int
compare_candidates(const void *a, const void *b)
{
	if (precedes(a, b))
		return -1;
	return precedes(b, a) ? 1 : 0;
}

/* Put a row where the heap's greatest is. */
static void
replace_greatest(HxSparseSearch *search, HxCandidate row)
{
	HxCandidate *heap = search->kept;
	int at = 0;

	for (;;)
	{
		int child = 2 * at + 1;

		if (child >= search->nkept)
			break;
		if (child + 1 < search->nkept &&
			precedes(&heap[child], &heap[child + 1]))
			child++;
		if (!precedes(&row, &heap[child]))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = row;
}

static void
add_to_heap(HxSparseSearch *search, HxCandidate row)
{
	HxCandidate *heap = search->kept;
	int at = search->nkept++;

	while (at > 0 && precedes(&heap[(at - 1) / 2], &row))
	{
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = row;
}

/* Distance above which a row is not kept */
static inline double
worst_kept(const HxSparseSearch *search)
{
	return search->nkept < search->room ? get_float8_infinity()
										: search->kept[0].distance;
}

/* Take note of a row that passes the filter. */
static inline void
consider(HxSparseSearch *search, double distance, const ItemPointerData *tid)
{
	HxCandidate row;

	row.distance = isnan(distance) ? get_float8_infinity() : distance;
	if (row.distance > worst_kept(search))
		return;
	row.tid = HxPackTid(tid);
	if (search->has_last && !precedes(&search->last, &row))
		return;
	if (search->nkept < search->room)
		add_to_heap(search, row);
	else if (precedes(&row, &search->kept[0]))
		replace_greatest(search, row);
}

/* Add a TID to those found by a search without order. */
static void
collect(HxSparseSearch *search, const ItemPointerData *tid)
{
	if (search->ntids == search->tids_room)
	{
		search->tids_room = Max(search->tids_room * 2, 1024);
		search->tids = repalloc_huge(search->tids, search->tids_room *
													   sizeof(ItemPointerData));
	}
	search->tids[search->ntids++] = *tid;
}

/* Distance of a row from its product and squared length: the operator's */
static inline double
distance_of(const HxSparseSearch *search, double product, double norm2)
{
	if (search->query->base.metric == HX_COSINE)
		return HxCosineDistance(product, search->query->norm2, norm2);
	return HxNegativeProduct(product);
}

/*
 * A row with a smaller product cannot be kept.  For cosine distances that is
 * said of the shortest row of a window, and rounded down by more than the
 * errors of the arithmetic.
 */
static double
least_product(const HxSparseSearch *search, double min_norm)
{
	double worst = worst_kept(search);
	double least;

	if (search->query->base.metric != HX_COSINE)
		return -worst;
	least = 1 - worst - 1e-14;
	if (!(least > 0)) /* lengths would have to be bounded from above */
		return -get_float8_infinity();
	return least * sqrt(search->query->norm2 * min_norm) * (1 - 1e-12);
}

/* ---- looking up the query's dimensions ---- */

/*
 * Which page of dimensions may hold each dimension of the query: the last one
 * that begins at or below it; -1 if there is none.  False if the window was
 * replaced.
 */
static bool
find_dim_pages(HxSparseSearch *search, const HxWindowReader *reader, int *pages)
{
	const HxSparseQuery *query = search->query;
	uint32 total = reader->pages[HX_SECTION_DIMS];
	int at = 0;
	int page = -1; /* last one known to begin at or below the dimension */

	for (uint32 f = 0; f < reader->pages[HX_SECTION_FENCES]; f++)
	{
		Buffer buffer = HxReadWindowPage(reader, HX_SECTION_FENCES, f);
		uint32 base = f * HX_FENCES_CAPACITY;
		uint32 count = Min(HX_FENCES_CAPACITY, total - base);
		const uint32 *fences;
		uint32 next = 0;

		if (!BufferIsValid(buffer))
			return false;
		fences = HxPageFences(BufferGetPage(buffer));
		for (; at < query->nnz; at++)
		{
			while (next < count && fences[next] <= (uint32) query->dims[at])
				page = base + next++;
			if (next == count && base + count < total)
				break; /* the next page of fences may say more */
			pages[at] = page;
		}
		UnlockReleaseBuffer(buffer);
	}
	for (; at < query->nnz; at++)
		pages[at] = page;
	return true;
}

/* Errors if a dimension's entry leads out of the window. */
static void
check_dim(const HxWindowReader *reader, const HxDim *dim)
{
	uint64 end = (uint64) dim->start + dim->blocks + dim->count;

	if (dim->count == 0 || dim->count > HX_WINDOW_ROWS ||
		dim->blocks > HX_WINDOW_BLOCKS ||
		end > (uint64) reader->pages[HX_SECTION_POSTINGS] * HX_UNITS_A_PAGE)
		HxCorrupted(reader->index, reader->window.map,
					"a dimension's postings lie outside of its window");
}

/* Look for dimensions of the query on a page that is share-locked. */
static int
search_dims_page(HxSparseSearch *search, const HxWindowReader *reader,
				 const HxDim *dims, int count, int from, int to, int nfound)
{
	int low = 0;

	for (int q = from; q < to; q++)
	{
		uint32 wanted = search->query->dims[q];
		int high = count;

		while (low < high)
		{
			int middle = (low + high) / 2;

			if (dims[middle].dim < wanted)
				low = middle + 1;
			else
				high = middle;
		}
		if (low == count)
			break;
		if (dims[low].dim != wanted)
			continue;
		check_dim(reader, &dims[low]);
		search->found[nfound] = dims[low];
		search->which[nfound++] = q;
	}
	return nfound;
}

/*
 * Find the query's dimensions in a window; returns how many there are, or -1 if
 * it was replaced.
 */
static int
find_dims(HxSparseSearch *search, const HxWindowReader *reader)
{
	int nnz = search->query->nnz;
	int *pages = search->which; /* overwritten behind what has been read */
	int nfound = 0;
	int from = 0;

	if (!find_dim_pages(search, reader, pages))
		return -1;
	while (from < nnz)
	{
		int page = pages[from];
		int to = from + 1;
		Buffer buffer;
		int count;

		while (to < nnz && pages[to] == page)
			to++;
		if (page >= 0)
		{
			buffer = HxReadWindowPage(reader, HX_SECTION_DIMS, page);
			if (!BufferIsValid(buffer))
				return -1;
			count = (int) Min((uint64) HX_DIMS_CAPACITY,
							  reader->window.dims -
								  (uint64) page * HX_DIMS_CAPACITY);
			nfound = search_dims_page(search, reader,
									  HxPageDims(BufferGetPage(buffer)), count,
									  from, to, nfound);
			UnlockReleaseBuffer(buffer);
		}
		from = to;
	}
	return nfound;
}

/* ---- scoring ---- */

/* Add the products of some postings to the sums of their slots. */
static void
add_products(const HxPosting *postings, int count, double weight, double *sums)
{
	for (int i = 0; i < count; i++)
		sums[postings[i].slot] +=
			weight * (double) HxPostingWeight(&postings[i]);
}

/* Add a dimension's products; false if the window was replaced. */
static bool
add_list(HxSparseSearch *search, const HxWindowReader *reader, const HxDim *dim,
		 double weight)
{
	uint32 unit = dim->start + dim->blocks;
	int left = dim->count;

	while (left > 0)
	{
		uint32 at = unit % HX_UNITS_A_PAGE;
		int count = Min(left, (int) (HX_UNITS_A_PAGE - at));
		Buffer buffer = HxReadWindowPage(reader, HX_SECTION_POSTINGS,
										 unit / HX_UNITS_A_PAGE);

		if (!BufferIsValid(buffer))
			return false;
		add_products(HxPagePostings(BufferGetPage(buffer)) + at, count, weight,
					 search->sums);
		UnlockReleaseBuffer(buffer);
		left -= count;
		unit += count;
	}
	return true;
}

/*
 * Compute the products of all rows of a window: sums over the dimensions of the
 * query, ascending, as the operator computes them.
 */
static bool
score_window(HxSparseSearch *search, const HxWindowReader *reader)
{
	int nfound = find_dims(search, reader);

	if (nfound < 0)
		return false;
	memset(search->sums, 0, reader->window.rows * sizeof(double));
	for (int i = 0; i < nfound; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!add_list(search, reader, &search->found[i],
					  search->query->weights[search->which[i]]))
			return false;
	}
	search->stats.scored += reader->window.rows;
	return true;
}

/* ---- rows of a window ---- */

/* Is a sum at least as great as a limit? */
static bool
any_at_least(const double *sums, int count, double limit)
{
	int i = 0;

	for (; i + 4 <= count; i += 4)
		if ((sums[i] >= limit) | (sums[i + 1] >= limit) |
			(sums[i + 2] >= limit) | (sums[i + 3] >= limit))
			return true;
	for (; i < count; i++)
		if (sums[i] >= limit)
			return true;
	return false;
}

/* Which rows of a page pass all conditions but those on the vector. */
static void
build_mask(HxSparseSearch *search, const HxRowArrays *rows)
{
	int words = (rows->count + 63) / 64;
	int passed = 0;

	for (int w = 0; w < words; w++)
		search->mask[w] = ~rows->dead[w];
	if (rows->count % 64)
		search->mask[words - 1] &= (UINT64CONST(1) << (rows->count % 64)) - 1;
	if (HxFilterIsTrivial(search->spec.filter))
		return;
	HxFilterRows(search->spec.filter, &rows->columns, search->mask);
	for (int w = 0; w < words; w++)
		passed += pg_popcount64(search->mask[w]);
	search->stats.filtered += rows->count - passed;
}

/* Is the row one that this part of the search is about? */
static inline bool
is_wanted(const HxSparseSearch *search, bool is_null)
{
	const HxSearchSpec *spec = &search->spec;

	if (spec->ordered && search->query && is_null != search->in_nulls)
		return false;
	return is_null ? !spec->skip_nulls : !spec->only_nulls;
}

/* Keep the rows of a page that are good enough. */
static void
visit_rows(HxSparseSearch *search, Page page, const double *sums,
		   double min_norm)
{
	HxRowArrays rows;
	const double *norms;
	bool scores = search->spec.ordered && search->query && !search->in_nulls;
	double least = scores ? least_product(search, min_norm) : 0;

	HxRowArraysOf(&search->desc, page, &rows);
	norms = (const double *) rows.payloads;
	build_mask(search, &rows);
	for (int i = 0; i < rows.count; i++)
	{
		if ((scores && sums[i] < least) ||
			!(search->mask[i / 64] >> (i % 64) & 1) ||
			!is_wanted(search, norms[i] == HX_NULL_NORM))
			continue;
		if (!search->spec.ordered)
			collect(search, &rows.tids[i]);
		else if (!scores)
			consider(search, 0, &rows.tids[i]);
		else
		{
			consider(search, distance_of(search, sums[i], norms[i]),
					 &rows.tids[i]);
			least = least_product(search, min_norm);
		}
	}
}

/* Visit the rows of a window; false if it was replaced. */
static bool
visit_window_rows(HxSparseSearch *search, const HxWindowReader *reader)
{
	bool scores = search->spec.ordered && search->query && !search->in_nulls;
	double min_norm = reader->window.min_norm;
	int capacity = search->desc.capacity;

	for (uint32 p = 0; p < reader->pages[HX_SECTION_ROWS]; p++)
	{
		const double *sums = search->sums + (Size) p * capacity;
		Buffer buffer;

		if (scores && !any_at_least(sums, HxWindowPageRows(reader, p),
									least_product(search, min_norm)))
			continue;
		buffer = HxReadWindowPage(reader, HX_SECTION_ROWS, p);
		if (!BufferIsValid(buffer))
			return false;
		visit_rows(search, BufferGetPage(buffer), sums, min_norm);
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

/* Can a window have rows that this part of the search is about? */
static bool
may_have_rows(const HxSparseSearch *search, const HxWindow *window)
{
	return (window->nulls > 0 && is_wanted(search, true)) ||
		   (window->nulls < window->rows && is_wanted(search, false));
}

/* Visit a window; false if it was replaced. */
static bool
visit_window(HxSparseSearch *search, int number)
{
	const HxWindow *window = &search->directory.windows[number];
	HxWindowReader reader;
	bool done;

	if (window->dead == window->rows || !may_have_rows(search, window))
		return true;
	if (!HxOpenWindow(search->index, &search->desc, window,
					  search->directory.places[number], &reader))
		return false;
	if (!HxFilterIsTrivial(search->spec.filter) &&
		!HxFilterZone(search->spec.filter, reader.zone))
	{
		search->stats.filtered += window->rows;
		done = true;
	}
	else
	{
		search->stats.visited++;
		done = (!search->spec.ordered || !search->query || search->in_nulls ||
				score_window(search, &reader)) &&
			   visit_window_rows(search, &reader);
	}
	HxCloseWindow(&reader);
	return done;
}

/* ---- pending rows ---- */

/* Prepare the lookup of dimensions in the query. */
static void
prepare_dims(HxSparseSearch *search)
{
	const HxSparseQuery *query = search->query;
	uint32 slots = 16;

	while (slots < 2 * (uint32) query->nnz)
		slots *= 2;
	search->dims = palloc(slots * sizeof(QueryDim));
	search->dims_mask = slots - 1;
	search->seen_dims = palloc0(DIM_BITS / 8);
	for (uint32 i = 0; i < slots; i++)
		search->dims[i].dim = -1;
	for (int i = 0; i < query->nnz; i++)
	{
		uint32 bit = (uint32) query->dims[i] % DIM_BITS;
		uint32 at = (uint32) query->dims[i] * 2654435769U >> 8;

		search->seen_dims[bit / 64] |= UINT64CONST(1) << (bit % 64);
		while (search->dims[at & search->dims_mask].dim >= 0)
			at++;
		search->dims[at & search->dims_mask].dim = query->dims[i];
		search->dims[at & search->dims_mask].weight = query->weights[i];
	}
}

/* Weight of a dimension in the query, or 0 */
static inline float
query_weight(const HxSparseSearch *search, int32 dim)
{
	uint32 at = (uint32) dim * 2654435769U >> 8;

	for (;; at++)
	{
		const QueryDim *entry = &search->dims[at & search->dims_mask];

		if (entry->dim == dim)
			return entry->weight;
		if (entry->dim < 0)
			return 0;
	}
}

/* Product of the query and a pending row, by rising dimension */
static double
pending_product(const HxSparseSearch *search, const HxDoc *doc)
{
	const int32 *dims = HxDocDims(&search->desc, doc);
	const float *weights = HxDocWeights(&search->desc, doc);
	double sum = 0;

	for (int i = 0; i < doc->nnz; i++)
	{
		uint32 bit = (uint32) dims[i] % DIM_BITS;
		float weight;

		if (!(search->seen_dims[bit / 64] >> (bit % 64) & 1))
			continue;
		weight = query_weight(search, dims[i]);
		if (weight != 0)
			sum += (double) weight * (double) weights[i];
	}
	return sum;
}

/* Does a pending row pass the filter? */
static bool
pending_passes(HxSparseSearch *search, const HxDoc *doc)
{
	HxColumns columns = {.count = 1, .words = doc->words};
	uint64 nulls[INDEX_MAX_KEYS];
	uint64 mask = 1;

	if (HxFilterIsTrivial(search->spec.filter))
		return true;
	for (int a = 0; a < search->desc.nattrs; a++)
		nulls[a] = doc->nulls >> a & 1;
	columns.nulls = nulls;
	columns.stride = columns.null_stride = 1;
	HxFilterRows(search->spec.filter, &columns, &mask);
	if (mask == 0)
		search->stats.filtered++;
	return mask != 0;
}

/* HxScanPending callback: consider a row. */
static void
visit_pending(const HxDoc *doc, void *state)
{
	HxSparseSearch *search = state;
	double distance = 0;

	if (!is_wanted(search, doc->nnz == HX_DOC_NULL) ||
		!pending_passes(search, doc))
		return;
	if (!search->spec.ordered)
	{
		collect(search, &doc->tid);
		return;
	}
	if (search->query && !search->in_nulls)
	{
		search->stats.scored++;
		distance =
			distance_of(search, pending_product(search, doc), doc->norm2);
	}
	consider(search, distance, &doc->tid);
}

/* ---- passes ---- */

/* Visit everything; false if some of it was replaced meanwhile. */
static bool
visit_all(HxSparseSearch *search)
{
	const HxSparseDirectory *directory = &search->directory;

	if (HxFilterIsNever(search->spec.filter))
		return true;
	for (int i = 0; i < directory->count; i++)
		if (!visit_window(search, i))
			return false;
	return HxScanPending(search->index, &search->desc, &directory->frozen,
						 visit_pending, search) &&
		   HxScanPending(search->index, &search->desc, &directory->pending,
						 visit_pending, search);
}

/* Visit everything, again and again until nothing was replaced meanwhile. */
static void
run_pass(HxSparseSearch *search)
{
	int restarts = 0;

	for (;;)
	{
		search->nkept = search->nemitted = 0;
		search->ntids = 0;
		if (visit_all(search))
			break;
		if (++restarts > MAX_RESTARTS)
			HxCorrupted(search->index, HX_METAPAGE,
						"pages are not those that the directory names");
		search->stats.restarts++;
		pfree(search->directory.windows);
		pfree(search->directory.places);
		HxReadWindows(search->index, &search->desc, &search->directory);
	}
	search->passed = true;
}

/* Make room for the rows of the next pass. */
static void
start_pass(HxSparseSearch *search)
{
	uint64 room;

	if (search->pass < lengthof(first_passes))
		room = first_passes[search->pass];
	else
	{
		room = (uint64) work_mem * 1024 / sizeof(HxCandidate);
		room = Max(Min(room, HxSparseRows(&search->directory)), 1024);
		room = Min(room, INT_MAX / 2);
	}
	if (search->kept)
		pfree(search->kept);
	search->kept =
		MemoryContextAllocHuge(search->context, room * sizeof(HxCandidate));
	search->room = (int) room;
	search->pass++;
}

/* Run another pass, if there can be more rows; false if there are none. */
static bool
next_pass(HxSparseSearch *search)
{
	if (search->passed && search->nkept < search->room)
	{
		/* Everything is out; rows whose distance is NULL come last. */
		if (search->in_nulls || search->spec.skip_nulls || !search->query)
			return false;
		search->in_nulls = true;
		search->has_last = false;
	}
	start_pass(search);
	run_pass(search);
	qsort(search->kept, search->nkept, sizeof(HxCandidate), compare_candidates);
	return true;
}

/* The next row by (distance, TID); see HxSearchNext. */
bool
HxSparseNext(HxSparseSearch *search, HxCandidate *row, bool *is_null)
{
	MemoryContext old = MemoryContextSwitchTo(search->context);
	bool found = false;

	while (!found)
	{
		if (search->nemitted == search->nkept && !next_pass(search))
			break;
		if (search->nemitted == search->nkept)
			continue;
		*row = search->kept[search->nemitted++];
		/* A row met in two places while it moved comes once. */
		found = !search->has_last || precedes(&search->last, row);
	}
	if (found)
	{
		search->last = *row;
		search->has_last = true;
		*is_null = search->in_nulls || !search->query;
	}
	MemoryContextSwitchTo(old);
	return found;
}

static int
compare_tids(const void *a, const void *b)
{
	uint64 x = HxPackTid(a);
	uint64 y = HxPackTid(b);

	return (x > y) - (x < y);
}

/*
 * All rows that pass, at once, by TID: a row that moved while it was looked
 * for may have been met twice.
 */
int64
HxSparseNextRows(HxSparseSearch *search, ItemPointerData **tids)
{
	MemoryContext old = MemoryContextSwitchTo(search->context);
	int64 count = 0;

	if (!search->passed)
	{
		run_pass(search);
		if (search->ntids > 0)
			qsort(search->tids, search->ntids, sizeof(ItemPointerData),
				  compare_tids);
		for (int64 i = 0; i < search->ntids; i++)
			if (count == 0 ||
				!ItemPointerEquals(&search->tids[count - 1], &search->tids[i]))
				search->tids[count++] = search->tids[i];
	}
	*tids = search->tids;
	MemoryContextSwitchTo(old);
	return count;
}

/* Begin a search; the current context must outlive it. */
HxSparseSearch *
HxSparseBeginSearch(Relation index, const HxIndexDesc *desc,
					const HxSearchSpec *spec)
{
	HxSparseSearch *search = palloc0(sizeof(HxSparseSearch));

	search->context = CurrentMemoryContext;
	search->index = index;
	search->desc = *desc;
	search->spec = *spec;
	search->query = (const HxSparseQuery *) spec->query;
	search->mask = palloc((desc->capacity + 63) / 64 * sizeof(uint64));
	search->tids = palloc(sizeof(ItemPointerData));
	HxReadWindows(index, desc, &search->directory);
	search->stats.blocks = search->directory.count;
	if (search->query)
	{
		/* Rows of a window are fewer, but a damaged page may name any slot. */
		search->sums = palloc(SLOTS * sizeof(double));
		search->found = palloc((search->query->nnz + 1) * sizeof(HxDim));
		search->which = palloc((search->query->nnz + 1) * sizeof(int));
		prepare_dims(search);
	}
	return search;
}

const HxSearchStats *
HxSparseGetStats(const HxSparseSearch *search)
{
	return &search->stats;
}
