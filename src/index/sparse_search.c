/*
 * sparse_search.c
 *	  Searching an index of sparse vectors.
 *
 * See README.sparse, "Search".  A search is one or more passes.  A pass keeps
 * the best rows above the last (distance, TID) emitted: the first as many as
 * are wanted, or 128, which it releases in groups, the second 896 or eight
 * times as many, each later one as many as work_mem holds.  All are exact: a
 * block of rows is left alone only as long as its bound says that it has none
 * of the rows wanted.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "index/sparse_state.h"

/* Rows kept by the first pass and the second; then work_mem counts */
static const int first_passes[] = {128, 896};
/* Where it is not known how many are wanted, so many are released at first */
#define FIRST_GROUP 10
/* Up to so many rows are kept sorted, so that the first can be released */
#define MOST_SORTED 128

/* Rows kept beyond those wanted, for heap rows that fail the check */
#define SPARE_ROWS 8
#define SPARE_PART 4

/* Slots that a posting may name, whatever its page says */
#define SLOTS 65536

/* Times a search may find that windows were replaced */
#define MAX_RESTARTS 1000

/* Windows with fewer rows are scored as a whole */
#define BOUNDED_ROWS 2048
/* Bounds are computed where they take at most 1/this of a query's postings */
#define POSTINGS_A_UNIT 3
/* Blocks of a window visited at first, if twice as many may matter ... */
#define FIRST_BLOCKS 32
/* ... and then so many times as many as before */
#define MORE_BLOCKS 8
/* More at once, up to so many times as many, where the filter passes less than
 * one row in so many */
#define MOST_TIMES 16
#define ROWS_REJECTED 4
/* The filter is asked before the blocks are scored that have one row in so many
 * that passes */
#define REJECTED_BLOCKS 16
/* All blocks are scored where more than one in this many must be */
#define SCORE_ALL 3

/* Can a window have rows that this part of the search is about? */
static bool
may_have_rows(const HxSparseSearch *search, const HxWindow *window)
{
	return (window->nulls > 0 && HxSparseIsWanted(search, true)) ||
		   (window->nulls < window->rows && HxSparseIsWanted(search, false));
}

/* ---- bounds ---- */

/* Note the greatest bounds of blocks not visited, where some words changed. */
static void
update_peaks(HxWindowState *window, const uint64 *changed)
{
	window->best = window->bounds ? -INFINITY : INFINITY;
	if (window->nvisited == window->blocks)
		window->best = -INFINITY;
	for (int w = 0; window->bounds && w < HX_BLOCK_WORDS; w++)
	{
		if (!changed || changed[w] != 0)
		{
			window->peaks[w] = -INFINITY;
			for (uint64 left = ~window->visited[w]; left != 0; left &= left - 1)
			{
				int b = w * 64 + pg_rightmost_one_pos64(left);

				window->peaks[w] = Max(window->peaks[w], window->bounds[b]);
			}
		}
		window->best = Max(window->best, window->peaks[w]);
	}
}

/* Are bounds of blocks so much cheaper than products that they may pay? */
static bool
bounds_pay(const HxWindowState *window)
{
	uint64 units = 0;
	uint64 postings = 0;

	for (int i = 0; i < window->lists.count; i++)
	{
		const HxDim *dim = &window->lists.dims[i];

		units += dim->blocks > 0 ? dim->blocks : dim->count;
		postings += dim->count;
	}
	return units * POSTINGS_A_UNIT <= postings &&
		   window->reader.window.rows >= BOUNDED_ROWS;
}

/* Look up the query in a window, and bound its blocks. */
static bool
bound_window(HxSparseSearch *search, HxWindowState *window)
{
	if (!HxFindLists(search->query, &window->reader, &window->lists))
		return false;
	if (bounds_pay(window))
	{
		window->bounds = palloc(HX_WINDOW_BLOCKS * sizeof(float));
		if (!HxBoundBlocks(&window->lists, window->bounds))
			return false;
	}
	update_peaks(window, NULL);
	return true;
}

/* ---- counting visits ---- */

/* Number of a window among those that were opened. */
static int
seen_window(HxSparseSearch *search, uint64 owner)
{
	HxSeenWindow *seen;

	for (int i = 0; i < search->nseen; i++)
		if (search->seen[i].owner == owner)
			return i;
	if (search->nseen == search->seen_room)
	{
		search->seen_room *= 2;
		search->seen = repalloc_huge(search->seen, (Size) search->seen_room *
													   sizeof(HxSeenWindow));
	}
	seen = &search->seen[search->nseen];
	memset(seen, 0, sizeof(*seen));
	seen->owner = owner;
	return search->nseen++;
}

void
HxCountVisits(HxSparseSearch *search, const HxWindowState *window,
			  const uint64 *blocks)
{
	HxSeenWindow *seen = &search->seen[window->seen];

	for (int w = 0; w < HX_BLOCK_WORDS; w++)
	{
		search->stats->visited += pg_popcount64(blocks[w] & ~seen->blocks[w]);
		search->stats->again += pg_popcount64(blocks[w] & seen->blocks[w]);
		seen->blocks[w] |= blocks[w];
	}
}

/* Blocks of all windows */
static uint64
count_blocks(const HxSparseDirectory *directory)
{
	uint64 blocks = 0;

	for (int i = 0; i < directory->count; i++)
		blocks += (directory->windows[i].rows + HX_WINDOW_BLOCK - 1) /
				  HX_WINDOW_BLOCK;
	return blocks;
}

uint64
HxSparseCountBlocks(Relation index, const HxIndexDesc *desc)
{
	HxSparseDirectory directory;

	HxReadWindows(index, desc, &directory);
	return count_blocks(&directory);
}

/* ---- windows ---- */

/* Open a window, unless it cannot have rows; false if it was replaced. */
static bool
open_window(HxSparseSearch *search, int number)
{
	const HxWindow *entry = &search->directory.windows[number];
	HxWindowState *window = &search->windows[search->nwindows];

	if (entry->dead == entry->rows || !may_have_rows(search, entry))
		return true;
	memset(window, 0, sizeof(*window));
	window->blocks = (entry->rows + HX_WINDOW_BLOCK - 1) / HX_WINDOW_BLOCK;
	for (int b = window->blocks; b < HX_WINDOW_BLOCKS; b++)
		window->visited[b / 64] |= UINT64CONST(1) << (b % 64);
	if (!HxOpenWindow(search->index, &search->desc, entry,
					  search->directory.places[number], &window->reader))
		return false;
	if (!HxFilterIsTrivial(search->spec.filter) &&
		!HxFilterZone(search->spec.filter, window->reader.zone))
	{
		search->stats->filtered += entry->rows;
		HxCloseWindow(&window->reader);
		return true;
	}
	if (HxSparseScores(search) && !bound_window(search, window))
		return false;
	window->seen = seen_window(search, entry->owner);
	search->nwindows++;
	return true;
}

/* ---- choosing blocks ---- */

/* The bound that so many blocks not visited reach, or somewhat more do. */
static double
bound_reached_by(const HxWindowState *window, double wanted)
{
	double bounds[HX_WINDOW_BLOCKS];
	int count = 0;

	for (int w = 0; w < HX_BLOCK_WORDS; w++)
		for (uint64 left = ~window->visited[w]; left != 0; left &= left - 1)
			bounds[count++] =
				window->bounds[w * 64 + pg_rightmost_one_pos64(left)];
	return isinf(window->best) ? -INFINITY : HxReachedBy(bounds, count, wanted);
}

/* Choose the blocks not visited whose bound is high enough; returns how many. */
static int
choose_blocks(const HxWindowState *window, double least, uint64 *blocks)
{
	int count = 0;

	for (int w = 0; w < HX_BLOCK_WORDS; w++)
	{
		uint64 chosen = window->bounds ? 0 : ~UINT64CONST(0);

		if (window->bounds && window->peaks[w] >= least)
			for (int i = 0; i < 64; i++)
				chosen |= (uint64) (window->bounds[w * 64 + i] >= least) << i;
		blocks[w] = chosen & ~window->visited[w];
		count += pg_popcount64(blocks[w]);
	}
	return count;
}

/* Take note that blocks are done with, but for some (NULL: none). */
static void
set_visited(HxWindowState *window, const uint64 *blocks, const uint64 *but)
{
	for (int w = 0; w < HX_BLOCK_WORDS; w++)
	{
		uint64 done = blocks[w] & ~(but ? but[w] : 0);

		window->visited[w] |= done;
		window->nvisited += pg_popcount64(done);
	}
}

/* Does the filter reject so many rows that it had better be asked first? */
static bool
filter_first(const HxSparseSearch *search)
{
	return search->filtered &&
		   search->asked >= search->passed * REJECTED_BLOCKS &&
		   search->asked > 0;
}

/* Leave out chosen blocks that have no row that passes; as HxDropRejected. */
static bool
drop_rejected(HxSparseSearch *search, HxWindowState *window, uint64 *blocks)
{
	uint64 chosen[HX_BLOCK_WORDS];

	memcpy(chosen, blocks, sizeof(chosen));
	if (!HxDropRejected(search, window, blocks))
		return false;
	set_visited(window, chosen, blocks);
	return true;
}

/*
 * Leave out chosen blocks that turn out to have no row with a product of
 * `least`; as HxTightenBounds.  What is left of a bound made tighter cannot be
 * taken apart again, so blocks for which that was not enough once are left in.
 */
static bool
drop_low(HxSparseSearch *search, HxWindowState *window, double least,
		 const uint64 *passing, uint64 *blocks)
{
	uint64 again[HX_BLOCK_WORDS];

	for (int w = 0; w < HX_BLOCK_WORDS; w++)
	{
		again[w] = blocks[w] & window->tightened[w];
		blocks[w] &= ~again[w];
		window->tightened[w] |= blocks[w];
	}
	if (!HxTightenBounds(&window->lists, least, passing, blocks, window->bounds,
						 search->sums))
		return false;
	for (int w = 0; w < HX_BLOCK_WORDS; w++)
		blocks[w] |= again[w];
	return true;
}

/*
 * Visit chosen blocks of a window: score those that may have a row that passes
 * and whose product reaches `least`, and look at their rows.  All blocks that
 * are left are scored where many are chosen.  False if the window was replaced.
 */
static bool
visit_blocks(HxSparseSearch *search, HxWindowState *window, double least,
			 uint64 *blocks, int count)
{
	uint64 changed[HX_BLOCK_WORDS];
	bool drop = filter_first(search);
	bool all = !drop && count * SCORE_ALL >= window->blocks;

	memcpy(changed, blocks, sizeof(changed));
	if (all)
	{
		choose_blocks(window, -INFINITY, blocks);
		memset(changed, 0xFF, sizeof(changed));
	}
	if (drop && !drop_rejected(search, window, blocks))
		return false;
	HxCountVisits(search, window, blocks);
	if (!all && window->bounds && least > 0 &&
		!drop_low(search, window, least, drop ? search->passing : NULL, blocks))
		return false;
	count = (int) pg_popcount((char *) blocks, sizeof(changed));
	if (count > 0 && (!HxScoreSparseBlocks(&window->lists, all ? NULL : blocks,
										   search->sums) ||
					  !HxVisitScored(search, window, blocks)))
		return false;
	search->stats->scored +=
		Min(count * HX_WINDOW_BLOCK, window->reader.window.rows);
	set_visited(window, blocks, NULL);
	update_peaks(window, changed);
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
 * How many blocks of a window to visit at once, although more may matter.  To
 * visit a window costs as much as some dozen blocks, so few are worth while
 * only if they are likely to show that others do not matter: where the filter
 * rejects most rows, it takes more to find that out.
 */
static double
blocks_at_once(const HxSparseSearch *search, const HxWindowState *window)
{
	double wanted = Max(FIRST_BLOCKS, MORE_BLOCKS * window->nvisited);

	if (search->filtered)
		wanted *= Min(
			Max((search->asked + 1.0) / (search->passed + 1.0) / ROWS_REJECTED,
				1),
			MOST_TIMES);
	return wanted;
}

/*
 * Visit blocks by falling bound, a window at a time, until no other can have
 * one of the first `goal` rows.  False if a window was replaced.
 */
static bool
visit_until(HxSparseSearch *search, int goal)
{
	for (;;)
	{
		double distance = goal_distance(search, goal);
		HxWindowState *window = NULL;
		uint64 blocks[HX_BLOCK_WORDS];
		double least = 0;
		double wanted;
		int count;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < search->nwindows; i++)
		{
			HxWindowState *other = &search->windows[i];
			double needed =
				HxLeastProduct(search, distance, other->reader.window.min_norm);

			if (other->nvisited == other->blocks || other->best < needed ||
				(window && other->best <= window->best))
				continue;
			window = other;
			least = needed;
		}
		if (!window)
			return true;
		count = choose_blocks(window, least, blocks);
		wanted = blocks_at_once(search, window);
		if (window->bounds && count > 2 * wanted)
			count = choose_blocks(
				window, Max(least, bound_reached_by(window, wanted)), blocks);
		if (!visit_blocks(search, window, least, blocks, count))
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
		search->pass_context, (directory->count + 1) * sizeof(HxWindowState));
	search->page = HX_METAPAGE; /* pending rows are not marked as dead */
	done = HxScanPending(search->index, &search->desc, &directory->frozen,
						 HxVisitPending, search) &&
		   HxScanPending(search->index, &search->desc, &directory->pending,
						 HxVisitPending, search);
	for (int i = 0; done && i < directory->count; i++)
		done = open_window(search, i);
	for (int i = 0; done && !HxSparseScores(search) && i < search->nwindows;
		 i++)
		done = HxVisitUnscored(search, &search->windows[i]);
	MemoryContextSwitchTo(old);
	return done;
}

/* How many rows are to be released next, counted in this pass. */
static int
next_group_end(const HxSparseSearch *search)
{
	uint64 first = FIRST_GROUP;

	if (search->pass == 1 && search->spec.limit > 0)
		first = search->spec.limit;
	if (search->sorted && search->nemitted < first && first < search->room)
		return (int) first;
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
			(!HxSparseScores(search) ||
			 visit_until(search, next_group_end(search))))
			return;
		opened = false;
		if (++restarts > MAX_RESTARTS)
			HxCorrupted(search->index, HX_METAPAGE,
						"pages are not those that the directory names");
		search->stats->restarts++;
		pfree(search->directory.windows);
		pfree(search->directory.places);
		HxReadWindows(search->index, &search->desc, &search->directory);
		search->stats->blocks =
			Max(search->stats->blocks, count_blocks(&search->directory));
	}
}

/*
 * Rows to keep, to find those wanted although some heap rows will fail the
 * check: as many as the planner thinks, and some more.
 */
static double
rows_for_limit(const HxSparseSearch *search)
{
	const HxHeapRows *heap = &search->spec.heap;
	double wanted = search->spec.limit;
	double rows = wanted;

	if (!heap->check)
		return wanted;
	if (heap->share > 0 && heap->share < 1)
		rows = 1.5 * wanted / heap->share;
	return rows + wanted / SPARE_PART + SPARE_ROWS;
}

/* Rows that the next pass keeps. */
static int
room_for_pass(const HxSparseSearch *search)
{
	uint64 most = (uint64) work_mem * 1024 / sizeof(HxCandidate);

	most = Max(Min(most, HxSparseRows(&search->directory)), 1024);
	most = Min(most, INT_MAX / 2);
	if (!HxSparseScores(search) || search->pass >= lengthof(first_passes))
		return (int) most;
	if (search->spec.limit == 0)
		return first_passes[search->pass];
	if (search->pass == 0)
		return (int) Min(rows_for_limit(search), (double) most);
	return (int) Min(Max((uint64) search->room * 8, first_passes[1]), most);
}

/* Make room for the rows of the next pass. */
static void
start_pass(HxSparseSearch *search)
{
	int room = room_for_pass(search);

	if (search->kept)
		pfree(search->kept);
	search->kept =
		MemoryContextAllocHuge(search->context, room * sizeof(HxCandidate));
	search->room = room;
	search->sorted = HxSparseScores(search) && room <= MOST_SORTED;
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
		{
			search->stats->restarts += search->pass > 0;
			start_pass(search);
		}
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

/*
 * Begin a search, whose counts are kept in *stats; the current context must
 * outlive it.
 */
HxSparseSearch *
HxSparseBeginSearch(Relation index, const HxIndexDesc *desc,
					const HxSearchSpec *spec, HxSearchStats *stats)
{
	HxSparseSearch *search = palloc0(sizeof(HxSparseSearch));

	search->context = CurrentMemoryContext;
	search->index = index;
	search->desc = *desc;
	search->spec = *spec;
	search->query = (const HxSparseQuery *) spec->query;
	search->stats = stats;
	search->filtered = !HxFilterIsTrivial(spec->filter) || spec->tids;
	/* A base backup brings marks that older snapshots here must not heed */
	search->see_dead = TransactionStartedDuringRecovery();
	search->mask = palloc((desc->capacity + 63) / 64 * sizeof(uint64));
	search->tids = palloc(sizeof(ItemPointerData));
	search->pass_context = AllocSetContextCreate(
		search->context, "hashemb search pass", ALLOCSET_DEFAULT_SIZES);
	HxReadWindows(index, desc, &search->directory);
	stats->blocks = count_blocks(&search->directory);
	search->seen_room = 16;
	search->seen = palloc(search->seen_room * sizeof(HxSeenWindow));
	if (search->query)
	{
		/* Rows of a window are fewer, but a damaged page may name any slot. */
		search->sums = palloc(SLOTS * sizeof(double));
		search->maxima = palloc(HX_WINDOW_BLOCKS * sizeof(double));
		search->passing = palloc(HX_WINDOW_SLOTS / 8);
		search->lookup = HxMakeLookup(search->query);
	}
	return search;
}

/* Lines of a page of rows that are fetched ahead where masks are made. */
void
HxSparsePrefetch(HxSparseSearch *search, const uint16 *lines, int count)
{
	search->lines = lines;
	search->nlines = search->filtered ? count : 0;
}
