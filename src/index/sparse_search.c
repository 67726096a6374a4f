/*
 * sparse_search.c
 *	  Searching an index of sparse vectors.
 *
 * See README.sparse, "Search".  A search is one or more passes.  A pass keeps
 * the best rows above the last (distance, TID) emitted: the first 128, which
 * it releases in groups, the second 896, each later one as many as work_mem
 * holds.  All are exact: a block of rows is left alone only as long as its bound
 * says that it has none of the rows wanted.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "index/candidate.h"
#include "index/sparse.h"
#include "type/distance.h"

/* Rows kept by the first pass and the second; then work_mem counts */
static const int first_passes[] = {128, 896};

/* Groups that the rows of the first pass are released in */
static const int group_ends[] = {10, 128};

/* Slots that a posting may name, whatever its page says */
#define SLOTS 65536

/* Times a search may find that windows were replaced */
#define MAX_RESTARTS 1000

/* Windows with fewer rows are scored as a whole */
#define BOUNDED_ROWS 2048
/* Bounds are computed where they take at most 1/this of a query's postings */
#define POSTINGS_A_UNIT 3
/* Blocks scored at first, where it is not known yet what is good enough */
#define FIRST_BLOCKS 32
/* All blocks are scored where more than one in this many must be */
#define SCORE_ALL 3

#define BLOCK_WORDS (HX_WINDOW_BLOCKS / 64)

/* A window during a pass */
typedef struct WindowState
{
	HxWindowReader reader;
	int blocks; /* blocks of rows that it has */
	int nfound; /* the query's dimensions in it ... */
	HxDim *found;
	int *which;	   /* ... which ones they are */
	float *bounds; /* of blocks; NULL: none were computed */
	float best;	   /* greatest bound of a block not visited */
	uint64 visited[BLOCK_WORDS];
	int nvisited; /* blocks visited */
} WindowState;

struct HxSparseSearch
{
	Relation index;
	HxIndexDesc desc;
	HxSearchSpec spec;
	const HxSparseQuery *query;
	HxSparseDirectory directory;
	bool in_nulls;	  /* now among the rows whose distance is NULL */
	bool see_dead;	  /* marks of dead rows do not count */
	BlockNumber page; /* page of rows being read */

	HxCandidate *kept; /* best rows of this pass */
	bool sorted;	   /* kept is; else a heap, greatest first */
	int room;
	int nkept;
	int nemitted;
	int nready; /* of kept, may be emitted */
	bool ended; /* no row but those kept is left */
	int pass;	/* passes begun */
	bool has_last;
	HxCandidate last;
	HxSearchStats stats;

	WindowState *windows; /* those that may have rows */
	int nwindows;
	MemoryContext pass_context; /* of the windows' state */
	double *sums;				/* products by slot */
	uint64 *mask;				/* rows of a page that pass */
	HxQueryLookup *lookup;		/* of the query's dimensions */

	ItemPointerData *tids; /* searches not ordered */
	int64 ntids;
	int64 tids_room;
	MemoryContext context;
};

/* ---- rows kept ---- */

/* Distance above which a row is not kept */
static inline double
worst_kept(const HxSparseSearch *search)
{
	if (search->nkept < search->room)
		return get_float8_infinity();
	return search->kept[search->sorted ? search->nkept - 1 : 0].distance;
}

/* Take note of a row that passes the filter. */
static inline void
consider(HxSparseSearch *search, double distance, const ItemPointerData *tid)
{
	HxCandidate row;

	row.page = search->page;
	row.distance = isnan(distance) ? get_float8_infinity() : distance;
	if (row.distance > worst_kept(search))
		return;
	row.tid = HxPackTid(tid);
	if (search->has_last && !HxPrecedes(&search->last, &row))
		return;
	if (search->nkept == search->room &&
		!HxPrecedes(&row,
					&search->kept[search->sorted ? search->nkept - 1 : 0]))
		return;
	if (search->sorted)
		HxInsertSorted(search->kept, search->nemitted, &search->nkept,
					   search->room, &row);
	else if (search->nkept < search->room)
		HxHeapAdd(search->kept, search->nkept++, row);
	else
		HxSiftDown(search->kept, search->nkept, 0, row);
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
 * A row with a smaller product is farther than a distance.  For cosine
 * distances that is said of the shortest row of a window, and rounded down by
 * more than the errors of the arithmetic.
 */
static double
least_product(const HxSparseSearch *search, double distance, double min_norm)
{
	double least;

	if (search->query->base.metric != HX_COSINE)
		return -distance;
	least = 1 - distance - 1e-14;
	if (!(least > 0)) /* lengths would have to be bounded from above */
		return -get_float8_infinity();
	return least * sqrt(search->query->norm2 * min_norm) * (1 - 1e-12);
}

/* ---- rows of a window ---- */

/* Which rows of a page pass all conditions but those on the vector. */
static void
build_mask(HxSparseSearch *search, const HxRowArrays *rows)
{
	int words = (rows->count + 63) / 64;
	int passed = 0;

	for (int w = 0; w < words; w++)
		search->mask[w] = search->see_dead ? ~UINT64CONST(0) : ~rows->dead[w];
	if (rows->count % 64)
		search->mask[words - 1] &= (UINT64CONST(1) << (rows->count % 64)) - 1;
	if (HxFilterIsTrivial(search->spec.filter))
		return;
	HxFilterRows(search->spec.filter, &rows->columns, search->mask);
	for (int w = 0; w < words; w++)
		passed += pg_popcount64(search->mask[w]);
	search->stats.filtered += rows->count - passed;
}

/* Is this part of the search about distances? */
static inline bool
scores(const HxSparseSearch *search)
{
	return search->spec.ordered && search->query && !search->in_nulls;
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

/* Which rows of a window to look at */
typedef struct Rows
{
	const WindowState *window;
	const uint64 *blocks; /* of these blocks; NULL: of all */
	double below;		  /* rows with a smaller sum than this */
} Rows;

static inline bool
is_chosen(const uint64 *blocks, int block)
{
	return blocks[block / 64] >> (block % 64) & 1;
}

/* Least sum that a row needs to be kept */
static double
least_sum(const HxSparseSearch *search, const WindowState *window)
{
	return least_product(search, worst_kept(search),
						 window->reader.window.min_norm);
}

/* Keep the rows of a page, whose first slot is given, that are good enough. */
static void
visit_scored(HxSparseSearch *search, const Rows *chosen, Page page, int first,
			 double least)
{
	double worst = worst_kept(search);
	const double *sums = search->sums + first;
	HxRowArrays rows;
	const double *norms;

	HxRowArraysOf(&search->desc, page, &rows);
	norms = (const double *) rows.payloads;
	build_mask(search, &rows);
	for (int i = 0; i < rows.count; i++)
	{
		int block = (first + i) / HX_WINDOW_BLOCK;

		if (chosen->blocks && !is_chosen(chosen->blocks, block))
		{
			i = (block + 1) * HX_WINDOW_BLOCK - first - 1;
			continue;
		}
		if (sums[i] < least || sums[i] >= chosen->below ||
			!(search->mask[i / 64] >> (i % 64) & 1) || norms[i] < 0)
			continue;
		consider(search, distance_of(search, sums[i], norms[i]), &rows.tids[i]);
		if (worst_kept(search) != worst)
		{
			worst = worst_kept(search);
			least = Max(least, least_sum(search, chosen->window));
		}
	}
}

/* Does a page have a row that is good enough, among these slots? */
static bool
page_has_any(const HxSparseSearch *search, int first, int count,
			 const uint64 *blocks, double least)
{
	int end = first + count;

	if (!blocks)
		return HxAnyAtLeast(search->sums + first, count, least);
	while (first < end)
	{
		int block = first / HX_WINDOW_BLOCK;
		int next = Min((block + 1) * HX_WINDOW_BLOCK, end);

		if (is_chosen(blocks, block) &&
			HxAnyAtLeast(search->sums + first, next - first, least))
			return true;
		first = next;
	}
	return false;
}

/*
 * Visit rows with at least a sum, and good enough; false if the window was
 * replaced.
 */
static bool
visit_chosen(HxSparseSearch *search, const Rows *chosen, double least)
{
	const HxWindowReader *reader = &chosen->window->reader;
	int capacity = search->desc.capacity;

	for (uint32 p = 0; p < reader->pages[HX_SECTION_ROWS]; p++)
	{
		double needed = Max(least, least_sum(search, chosen->window));
		Buffer buffer;

		if (!page_has_any(search, p * capacity, HxWindowPageRows(reader, p),
						  chosen->blocks, needed))
			continue;
		buffer = HxReadWindowPage(reader, HX_SECTION_ROWS, p);
		if (!BufferIsValid(buffer))
			return false;
		search->page = BufferGetBlockNumber(buffer);
		visit_scored(search, chosen, BufferGetPage(buffer), p * capacity,
					 needed);
		UnlockReleaseBuffer(buffer);
	}
	return true;
}

/*
 * Visit the rows of blocks that were scored; false if the window was replaced.
 * While not enough rows are known, those first that have a sum which as many
 * rows reach as are kept, so that most rows need not be looked at: but only
 * where greater sums are smaller distances, which cosine distances are not.
 */
static bool
visit_blocks(HxSparseSearch *search, const WindowState *window,
			 const uint64 *blocks)
{
	Rows chosen = {window, blocks, INFINITY};
	double first = -INFINITY;

	if (search->nkept < search->room && search->sorted &&
		HxFilterIsTrivial(search->spec.filter) &&
		search->query->base.metric == HX_INNER_PRODUCT)
		first = HxSumReachedBy(search->sums, window->reader.window.rows, blocks,
							   search->room);
	if (!visit_chosen(search, &chosen, first))
		return false;
	if (first == -INFINITY || search->nkept == search->room)
		return true;
	chosen.below = first;
	return visit_chosen(search, &chosen, -INFINITY);
}

/* Visit all rows of a window, without distances; false if it was replaced. */
static bool
visit_unscored(HxSparseSearch *search, const WindowState *window)
{
	const HxWindowReader *reader = &window->reader;

	search->stats.visited++;
	for (uint32 p = 0; p < reader->pages[HX_SECTION_ROWS]; p++)
	{
		Buffer buffer = HxReadWindowPage(reader, HX_SECTION_ROWS, p);
		HxRowArrays rows;

		if (!BufferIsValid(buffer))
			return false;
		search->page = BufferGetBlockNumber(buffer);
		HxRowArraysOf(&search->desc, BufferGetPage(buffer), &rows);
		build_mask(search, &rows);
		for (int i = 0; i < rows.count; i++)
		{
			double norm = ((const double *) rows.payloads)[i];

			if (!(search->mask[i / 64] >> (i % 64) & 1) ||
				norm == HX_DEAD_NORM ||
				!is_wanted(search, norm == HX_NULL_NORM))
				continue;
			if (search->spec.ordered)
				consider(search, 0, &rows.tids[i]);
			else
				collect(search, &rows.tids[i]);
		}
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

/* ---- pending rows ---- */

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
	if (scores(search))
	{
		search->stats.scored++;
		distance = distance_of(search, HxLookupProduct(search->lookup, doc),
							   doc->norm2);
	}
	consider(search, distance, &doc->tid);
}

/* ---- bounds ---- */

/* The greatest bound of a block that was not visited. */
static float
best_bound(const WindowState *window)
{
	float best = -INFINITY;

	if (window->nvisited == window->blocks)
		return best;
	if (!window->bounds)
		return INFINITY;
	for (int b = 0; b < window->blocks; b++)
		if (!is_chosen(window->visited, b))
			best = Max(best, window->bounds[b]);
	return best;
}

/* Are bounds of blocks so much cheaper than products that they may pay? */
static bool
bounds_pay(const WindowState *window)
{
	uint64 units = 0;
	uint64 postings = 0;

	for (int i = 0; i < window->nfound; i++)
	{
		const HxDim *dim = &window->found[i];

		units += dim->blocks > 0 ? dim->blocks : dim->count;
		postings += dim->count;
	}
	return units * POSTINGS_A_UNIT <= postings &&
		   window->reader.window.rows >= BOUNDED_ROWS;
}

/* Look up the query in a window, and bound its blocks. */
static bool
bound_window(HxSparseSearch *search, WindowState *window)
{
	const HxSparseQuery *query = search->query;
	int room = (int) Min((uint32) query->nnz, window->reader.window.dims) + 1;
	HxDim *found = palloc((query->nnz + 1) * sizeof(HxDim));
	int *which = palloc((query->nnz + 1) * sizeof(int));

	window->nfound = HxFindDims(query, &window->reader, found, which);
	if (window->nfound < 0)
		return false;
	room = Min(room, window->nfound + 1);
	window->found = repalloc(found, room * sizeof(HxDim));
	window->which = repalloc(which, room * sizeof(int));
	if (bounds_pay(window))
	{
		window->bounds = palloc(HX_WINDOW_BLOCKS * sizeof(float));
		if (!HxBoundBlocks(query, &window->reader, window->found, window->which,
						   window->nfound, window->bounds))
			return false;
	}
	window->best = best_bound(window);
	return true;
}

/* Open a window, unless it cannot have rows; false if it was replaced. */
static bool
open_window(HxSparseSearch *search, int number)
{
	const HxWindow *entry = &search->directory.windows[number];
	WindowState *window = &search->windows[search->nwindows];

	if (entry->dead == entry->rows || !may_have_rows(search, entry))
		return true;
	memset(window, 0, sizeof(*window));
	window->blocks = (entry->rows + HX_WINDOW_BLOCK - 1) / HX_WINDOW_BLOCK;
	if (!HxOpenWindow(search->index, &search->desc, entry,
					  search->directory.places[number], &window->reader))
		return false;
	if (!HxFilterIsTrivial(search->spec.filter) &&
		!HxFilterZone(search->spec.filter, window->reader.zone))
	{
		search->stats.filtered += entry->rows;
		HxCloseWindow(&window->reader);
		return true;
	}
	if (scores(search) && !bound_window(search, window))
		return false;
	search->nwindows++;
	return true;
}

/* ---- choosing blocks ---- */

static int
compare_floats(const void *a, const void *b)
{
	float x = *(const float *) a;
	float y = *(const float *) b;

	return (x > y) - (x < y);
}

/* The bound that so many blocks not visited reach, or somewhat more do. */
static float
bound_reached_by(const WindowState *window, int wanted)
{
	float bounds[HX_WINDOW_BLOCKS];
	int count = 0;

	for (int b = 0; b < window->blocks; b++)
		if (!is_chosen(window->visited, b))
			bounds[count++] = window->bounds[b];
	if (count <= wanted)
		return -INFINITY;
	qsort(bounds, count, sizeof(float), compare_floats);
	return bounds[count - wanted];
}

/* Choose the blocks not visited whose bound is high enough; returns how many. */
static int
choose_blocks(const WindowState *window, double least, uint64 *blocks)
{
	int count = 0;

	memset(blocks, 0, BLOCK_WORDS * sizeof(uint64));
	for (int b = 0; b < window->blocks; b++)
		if (!is_chosen(window->visited, b) &&
			(!window->bounds || window->bounds[b] >= least))
		{
			blocks[b / 64] |= UINT64CONST(1) << (b % 64);
			count++;
		}
	return count;
}

/* Score the chosen blocks of a window; false if it was replaced. */
static bool
score_window(HxSparseSearch *search, WindowState *window, uint64 *blocks,
			 int count)
{
	bool all = window->nvisited == 0 && count * SCORE_ALL >= window->blocks;
	const uint64 *chosen = all ? NULL : blocks;

	if (all)
		count = choose_blocks(window, -INFINITY, blocks);
	if (!HxScoreSparseBlocks(search->query, &window->reader, window->found,
							 window->which, window->nfound, chosen,
							 search->sums) ||
		!visit_blocks(search, window, chosen))
		return false;
	search->stats.visited += count;
	search->stats.scored +=
		Min(count * HX_WINDOW_BLOCK, window->reader.window.rows);
	for (int w = 0; w < BLOCK_WORDS; w++)
		window->visited[w] |= blocks[w];
	window->nvisited += count;
	window->best = best_bound(window);
	return true;
}

/* Distance of the last row wanted, as far as is known */
static double
goal_distance(const HxSparseSearch *search, int goal)
{
	if (search->nkept < goal)
		return get_float8_infinity();
	return search->kept[search->sorted ? goal - 1 : 0].distance;
}

/*
 * Visit blocks by falling bound, a window at a time, until no other can have
 * one of the first `goal` rows.  False if a window was replaced.
 */
static bool
visit_until(HxSparseSearch *search, int goal)
{
	int first_blocks = FIRST_BLOCKS;

	for (;;)
	{
		double distance = goal_distance(search, goal);
		WindowState *window = NULL;
		uint64 blocks[BLOCK_WORDS];
		double least = 0;
		int count;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < search->nwindows; i++)
		{
			WindowState *other = &search->windows[i];
			double needed =
				least_product(search, distance, other->reader.window.min_norm);

			if (other->nvisited == other->blocks || other->best < needed ||
				(window && other->best <= window->best))
				continue;
			window = other;
			least = needed;
		}
		if (!window)
			return true;
		if (search->nkept < goal && search->sorted && window->bounds)
		{
			least = bound_reached_by(window, first_blocks);
			first_blocks *= 2;
		}
		count = choose_blocks(window, least, blocks);
		if (!score_window(search, window, blocks, count))
			return false;
	}
}

/* ---- passes ---- */

/* Open all windows and visit pending rows; false if any were replaced. */
static bool
open_all(HxSparseSearch *search)
{
	const HxSparseDirectory *directory = &search->directory;
	MemoryContext old;
	bool done = true;

	search->nkept = search->nemitted = search->nready = 0;
	search->ntids = 0;
	search->nwindows = 0;
	MemoryContextReset(search->pass_context);
	if (HxFilterIsNever(search->spec.filter))
		return true;
	old = MemoryContextSwitchTo(search->pass_context);
	search->windows = MemoryContextAllocHuge(
		search->pass_context, (directory->count + 1) * sizeof(WindowState));
	search->page = HX_METAPAGE; /* pending rows are not marked as dead */
	done = HxScanPending(search->index, &search->desc, &directory->frozen,
						 visit_pending, search) &&
		   HxScanPending(search->index, &search->desc, &directory->pending,
						 visit_pending, search);
	for (int i = 0; done && i < directory->count; i++)
		done = open_window(search, i);
	for (int i = 0; done && !scores(search) && i < search->nwindows; i++)
		done = visit_unscored(search, &search->windows[i]);
	MemoryContextSwitchTo(old);
	return done;
}

/* How many rows are to be released next, counted in this pass. */
static int
next_group_end(const HxSparseSearch *search)
{
	if (search->sorted)
		for (int g = 0; g < lengthof(group_ends); g++)
			if (group_ends[g] > search->nemitted)
				return group_ends[g];
	return search->room;
}

/*
 * Make sure that the rows of the next group are what they will be; `opened`
 * tells that the pass has begun.  Starts over where windows were replaced.
 */
static void
run_group(HxSparseSearch *search, bool opened)
{
	int restarts = 0;

	for (;;)
	{
		if ((opened || open_all(search)) &&
			(!scores(search) || visit_until(search, next_group_end(search))))
			return;
		opened = false;
		if (++restarts > MAX_RESTARTS)
			HxCorrupted(search->index, HX_METAPAGE,
						"pages are not those that the directory names");
		search->stats.restarts++;
		pfree(search->directory.windows);
		pfree(search->directory.places);
		HxReadWindows(search->index, &search->desc, &search->directory);
	}
}

/* Make room for the rows of the next pass. */
static void
start_pass(HxSparseSearch *search)
{
	uint64 room;

	if (scores(search) && search->pass < lengthof(first_passes))
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
	search->sorted = scores(search) && search->pass == 0;
	search->pass++;
}

/* Release more rows; false if there are none. */
static bool
release_more(HxSparseSearch *search)
{
	do
	{
		bool opened = search->pass > 0 && search->nemitted < search->room;
		int end;

		if (opened && search->ended)
		{
			/* Rows whose distance is NULL come last. */
			if (search->in_nulls || search->spec.skip_nulls || !search->query)
				return false;
			search->in_nulls = true;
			search->has_last = false;
			opened = false;
		}
		if (!opened)
			start_pass(search);
		run_group(search, opened);
		if (!search->sorted)
			qsort(search->kept, search->nkept, sizeof(HxCandidate),
				  HxCompareCandidates);
		end = next_group_end(search);
		search->ended = search->nkept < end;
		search->nready = Min(end, search->nkept);
	} while (search->nready == search->nemitted);
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
		if (search->nemitted == search->nready && !release_more(search))
			break;
		*row = search->kept[search->nemitted++];
		/* A row met in two places while it moved comes once. */
		found = !search->has_last || HxPrecedes(&search->last, row);
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

	if (search->pass == 0)
	{
		search->pass++;
		run_group(search, false);
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
	/* A base backup brings marks that older snapshots here must not heed */
	search->see_dead = TransactionStartedDuringRecovery();
	search->mask = palloc((desc->capacity + 63) / 64 * sizeof(uint64));
	search->tids = palloc(sizeof(ItemPointerData));
	search->pass_context = AllocSetContextCreate(
		search->context, "hashemb search pass", ALLOCSET_DEFAULT_SIZES);
	HxReadWindows(index, desc, &search->directory);
	for (int i = 0; i < search->directory.count; i++)
		search->stats.blocks +=
			(search->directory.windows[i].rows - 1) / HX_WINDOW_BLOCK + 1;
	if (search->query)
	{
		/* Rows of a window are fewer, but a damaged page may name any slot. */
		search->sums = palloc(SLOTS * sizeof(double));
		search->lookup = HxMakeLookup(search->query);
	}
	return search;
}

const HxSearchStats *
HxSparseGetStats(const HxSparseSearch *search)
{
	return &search->stats;
}
