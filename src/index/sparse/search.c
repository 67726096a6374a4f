/*
 * search.c
 *	  Searching an index of sparse vectors.
 *
 * See README, "Search".  A block of rows is left alone only as long as its bound
 * says that it has none of the rows wanted: every search is exact.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "index/cost_units.h"
#include "index/sparse/lists.h"
#include "index/sparse/state.h"

/* Times a search may find that windows were replaced */
#define MAX_RESTARTS 1000

/* Windows with fewer rows are scored as a whole */
#define BOUNDED_ROWS 2048
/* Bounds are computed where they take at most 1/this of a query's postings */
#define POSTINGS_A_UNIT 3
/* Blocks of a window visited at first, if twice as many may matter ... */
#define FIRST_BLOCKS 16
/* ... and then this many times as many as before */
#define MORE_BLOCKS 8
/* More at once, up to MOST_TIMES as many, where the filter passes less than one
 * row in ROWS_REJECTED */
#define MOST_TIMES 16
#define ROWS_REJECTED 4
/* The filter is asked before blocks are scored, where it passes at most one of
 * this many that it is asked about */
#define REJECTED_BLOCKS 16
/* Bounds are made sharper for this many times the blocks to be visited at most */
#define SHARPENED 8
/* All blocks are scored where more than one in this many must be */
#define SCORE_ALL 3
/* Or where that takes no longer: to find a block's postings in the lists takes as
 * long as scanning through this many for each */
#define RUN_POSTINGS 12

/* Can a window have rows that this part of the search is about? */
static bool
may_have_rows(const HxSparseSearch *search, const HxWindow *window)
{
	return (window->nulls > 0 && HxWantsRow(&search->base, true)) ||
		   (window->nulls < window->rows && HxWantsRow(&search->base, false));
}

/* ---- bounds ---- */

/* The greatest of 64 bounds, of those that are chosen */
static float
greatest_bound(const float *bounds, uint64 chosen)
{
	float most[4] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};

	if (chosen == ~UINT64CONST(0))
		for (int i = 0; i < 64; i += 4)
			for (int lane = 0; lane < 4; lane++)
				most[lane] = Max(most[lane], bounds[i + lane]);
	else
		for (; chosen != 0; chosen &= chosen - 1)
			most[0] = Max(most[0], bounds[pg_rightmost_one_pos64(chosen)]);
	return Max(Max(most[0], most[1]), Max(most[2], most[3]));
}

/* Note the greatest bounds of blocks not visited, where some words changed. */
static void
update_peaks(HxWindowState *window, const uint64 *changed)
{
	Assert(window->nvisited <= window->blocks);
	window->best = window->bounds ? -INFINITY : INFINITY;
	if (window->nvisited == window->blocks)
		window->best = -INFINITY;
	for (int w = 0; window->bounds && w < HX_BLOCK_WORDS; w++)
	{
		if (!changed || changed[w] != 0)
		{
			window->peaks[w] =
				greatest_bound(window->bounds + w * 64, ~window->visited[w]);
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
		units += HxBoundingUnits(&window->lists, i);
		postings += window->lists.dims[i].count;
	}
	return units * POSTINGS_A_UNIT <= postings &&
		   window->reader.window.rows >= BOUNDED_ROWS;
}

/*
 * Bound the blocks of a window whose lists are known; rows are wanted whose product
 * is `least` or more.  False if the window was replaced.
 */
static bool
bound_window(HxWindowState *window, double least)
{
	if (bounds_pay(window))
	{
		window->bounds = palloc(HX_WINDOW_BLOCKS * sizeof(float));
		if (!HxBoundBlocks(&window->lists, least, window->bounds))
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

/* ---- windows ---- */

/*
 * Take a window of the directory, unless it cannot have rows, and look up the query
 * in it; false if it was replaced.
 */
static bool
read_window(HxSparseSearch *search, int number)
{
	const HxWindow *entry = &search->directory.windows[number];
	HxWindowState *window = &search->windows[search->nwindows];

	Assert(search->nwindows <= number && number < search->directory.count);
	if (entry->dead == entry->rows || !may_have_rows(search, entry))
		return true;
	memset(window, 0, sizeof(*window));
	window->blocks = (entry->rows + HX_WINDOW_BLOCK - 1) / HX_WINDOW_BLOCK;
	Assert(window->blocks < HX_WINDOW_BLOCKS);
	for (int b = window->blocks; b < HX_WINDOW_BLOCKS; b++)
		window->visited[b / 64] |= UINT64CONST(1) << (b % 64);
	if (!HxOpenWindow(search->base.index, &search->base.desc, entry,
					  search->directory.places[number], &window->reader))
		return false;
	if (!HxFilterIsTrivial(search->base.spec.filter) &&
		!HxFilterZone(search->base.spec.filter, window->reader.zone))
	{
		search->base.stats.filtered += entry->rows;
		HxCloseWindow(&window->reader);
		return true;
	}
	if (HxSparseScores(search))
	{
		if (!HxFindLists(search->query, &window->reader, &window->lists))
			return false;
		window->promise = HxWindowPromise(&window->lists);
	}
	window->seen = seen_window(search, entry->owner);
	search->nwindows++;
	return true;
}

/* Take all windows of the directory; false if one was replaced. */
static bool
read_all(HxSparseSearch *search)
{
	MemoryContext old = MemoryContextSwitchTo(search->phase_context);
	bool done = true;

	while (done && search->nread < search->directory.count)
	{
		CHECK_FOR_INTERRUPTS();
		done = read_window(search, search->nread++);
	}
	MemoryContextSwitchTo(old);
	return done;
}

/* Are there windows that are not open? */
static inline bool
has_unopened(const HxSparseSearch *search)
{
	return search->nread < search->directory.count ||
		   search->nopened < search->nwindows;
}

/* The window that promises most of those that are not open, which there are */
static HxWindowState *
most_promising(const HxSparseSearch *search)
{
	HxWindowState *window = NULL;

	for (int i = 0; i < search->nwindows; i++)
		if (!search->windows[i].is_open &&
			(!window || search->windows[i].promise > window->promise))
			window = &search->windows[i];
	return window;
}

/* Open a window; false if it was replaced. */
static bool
open_window(HxSparseSearch *search, HxWindowState *window, double least)
{
	MemoryContext old = MemoryContextSwitchTo(search->phase_context);
	bool done = bound_window(window, least);

	MemoryContextSwitchTo(old);
	Assert(!window->is_open);
	window->is_open = true;
	search->nopened++;
	return done;
}

/* ---- choosing blocks ---- */

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

/*
 * Keep about so many of the chosen blocks, those with the greatest bounds, if these
 * are more than twice as many; returns how many there are then.
 */
static int
keep_best(const HxWindowState *window, double wanted, uint64 *blocks, int count)
{
	double bounds[HX_WINDOW_BLOCKS];
	double least;
	int at = 0;

	if (!window->bounds || count <= 2 * wanted || isinf(window->best))
		return count;
	for (int w = 0; w < HX_BLOCK_WORDS; w++)
		for (uint64 left = blocks[w]; left != 0; left &= left - 1)
			bounds[at++] =
				window->bounds[w * 64 + pg_rightmost_one_pos64(left)];
	Assert(at == count);
	least = HxThresholdForTop(bounds, at, wanted);
	count = 0;
	for (int w = 0; w < HX_BLOCK_WORDS; w++)
	{
		for (uint64 left = blocks[w]; left != 0; left &= left - 1)
		{
			int b = pg_rightmost_one_pos64(left);

			if (window->bounds[w * 64 + b] < least)
				blocks[w] &= ~(UINT64CONST(1) << b);
		}
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

		Assert((window->visited[w] & done) == 0);
		window->visited[w] |= done;
		window->nvisited += pg_popcount64(done);
	}
}

/* Does the filter reject so many rows that it had better be asked first? */
static bool
filter_first(const HxSparseSearch *search)
{
	return search->base.filtered &&
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
 * Score chosen blocks; those first are left out that turn out to have no row with a
 * product of `least`.  What is left of a bound made tighter cannot be taken apart
 * again, so blocks for which that was not enough once are left in.  False if the
 * window was replaced.
 */
static bool
score_high(HxSparseSearch *search, HxWindowState *window, double least,
		   const uint64 *passing, uint64 *blocks)
{
	uint64 left[HX_BLOCK_WORDS]; /* to be scored */
	uint64 any = 0;
	bool scored;

	for (int w = 0; w < HX_BLOCK_WORDS; w++)
	{
		left[w] = blocks[w] & window->tightened[w];
		blocks[w] &= ~left[w];
		window->tightened[w] |= blocks[w];
	}
	if (!HxTightenBounds(&window->lists, least, passing, blocks, window->bounds,
						 search->scratch, &scored))
		return false;
	for (int w = 0; w < HX_BLOCK_WORDS; w++)
	{
		if (!scored)
			left[w] |= blocks[w];
		any |= left[w];
		blocks[w] |= left[w];
	}
	return any == 0 ||
		   HxScoreSparseBlocks(&window->lists, left, search->scratch->sums);
}

/* Are all postings of the query's lists scanned through as fast as some blocks'? */
static bool
scan_pays(const HxWindowState *window, int count)
{
	double postings = 0;

	for (int i = 0; i < window->lists.count; i++)
		postings += window->lists.dims[i].count;
	return (double) count * window->lists.count * RUN_POSTINGS >= postings;
}

/*
 * Visit chosen blocks of a window: score those that may have a row that passes
 * and whose product reaches `least`, and look at their rows.  All blocks that
 * are left are visited where many are chosen, and scored where that is as fast.
 * False if the window was replaced.
 */
static bool
visit_blocks(HxSparseSearch *search, HxWindowState *window, double least,
			 uint64 *blocks, int count)
{
	uint64 changed[HX_BLOCK_WORDS];
	bool drop = filter_first(search);
	bool all = !drop && count * SCORE_ALL >= window->blocks;
	bool scan; /* through the lists, whichever blocks are visited */

	Assert(HxHoldsNoPage());
	memcpy(changed, blocks, sizeof(changed));
	if (all)
	{
		choose_blocks(window, -INFINITY, blocks);
		memset(changed, 0xFF, sizeof(changed));
	}
	if (drop && !drop_rejected(search, window, blocks))
		return false;
	HxCountVisits(search, window, blocks);
	count = (int) pg_popcount((char *) blocks, sizeof(changed));
	scan = all || scan_pays(window, count);
	if (!scan && window->bounds && least > 0)
	{
		if (!score_high(search, window, least, drop ? search->passing : NULL,
						blocks))
			return false;
		count = (int) pg_popcount((char *) blocks, sizeof(changed));
	}
	else if (count > 0 &&
			 !HxScoreSparseBlocks(&window->lists, scan ? NULL : blocks,
								  search->scratch->sums))
		return false;
	if (count > 0 && !HxVisitScored(search, window, blocks))
		return false;
	search->base.stats.scored +=
		Min(count * HX_WINDOW_BLOCK, window->reader.window.rows);
	set_visited(window, blocks, NULL);
	update_peaks(window, changed);
	return true;
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

	if (search->base.filtered)
		wanted *= Min(
			Max((search->asked + 1.0) / (search->passed + 1.0) / ROWS_REJECTED,
				1),
			MOST_TIMES);
	return wanted;
}

/*
 * The window that has the block with the greatest bound, if rows as near as a
 * distance may be in it; NULL if none has.  *least is the product that such rows
 * have at least.
 */
static HxWindowState *
choose_window(const HxSparseSearch *search, double distance, double *least)
{
	HxWindowState *window = NULL;

	for (int i = 0; i < search->nwindows; i++)
	{
		HxWindowState *other = &search->windows[i];
		double needed =
			HxLeastProduct(search, distance, other->reader.window.min_norm);

		if (other->nvisited == other->blocks || other->best < needed ||
			(window && other->best <= window->best))
			continue;
		window = other;
		*least = needed;
	}
	return window;
}

/*
 * Have chosen blocks' own bounds of all lists, and leave out those that turn out
 * not to reach a product; *count is how many are left.  Those left out have some of
 * their own bounds only, and are not made tighter any more.  False if the window
 * was replaced.
 */
static bool
sharpen_bounds(HxSparseSearch *search, HxWindowState *window, double least,
			   uint64 *blocks, int *count)
{
	uint64 before[HX_BLOCK_WORDS];
	uint64 blunt[HX_BLOCK_WORDS];

	if (window->lists.flat_gain == 0)
		return true;
	memcpy(before, blocks, sizeof(before));
	for (int w = 0; w < HX_BLOCK_WORDS; w++)
	{
		blunt[w] = blocks[w] & ~(window->sharp[w] | window->tightened[w]);
		window->tightened[w] |= blunt[w];
		blocks[w] &= ~blunt[w];
	}
	if (!HxSharpenBounds(&window->lists, least, blunt, window->bounds,
						 search->scratch->sums))
		return false;
	for (int w = 0; w < HX_BLOCK_WORDS; w++)
	{
		window->tightened[w] &= ~blunt[w];
		window->sharp[w] |= blunt[w];
		blocks[w] |= blunt[w];
	}
	*count = (int) pg_popcount((char *) blocks, sizeof(before));
	update_peaks(window, before);
	return true;
}

/*
 * Visit the blocks of a window that promise most, if any reach a product; the
 * bounds of those that may be visited are made sharper first.  False if it was
 * replaced.
 */
static bool
visit_best_of(HxSparseSearch *search, HxWindowState *window, double least)
{
	uint64 blocks[HX_BLOCK_WORDS];
	int count = choose_blocks(window, least, blocks);
	double wanted = blocks_at_once(search, window);

	count = keep_best(window, wanted * SHARPENED, blocks, count);
	if (!sharpen_bounds(search, window, least, blocks, &count))
		return false;
	count = keep_best(window, wanted, blocks, count);
	if (count == 0)
		return true;
	return visit_blocks(search, window, least, blocks, count);
}

/*
 * Open windows, those that promise most first, until one may have rows that matter,
 * and visit its best blocks at once, while what has been read of its lists is in the
 * cache.  False if a window was replaced.
 */
static bool
visit_new_window(HxSparseSearch *search, double goal)
{
	if (!read_all(search))
		return false;
	while (has_unopened(search))
	{
		HxWindowState *window = most_promising(search);
		double least =
			HxLeastProduct(search, goal, window->reader.window.min_norm);

		CHECK_FOR_INTERRUPTS();
		if (!open_window(search, window, least))
			return false;
		if (window->best >= least)
			return visit_best_of(search, window, least);
	}
	return true;
}

/*
 * Visit the blocks of a window that promise most: of one that was not opened yet,
 * or else of the one that has the best.  False if it was replaced.  No window
 * matters where rows were found that have not been merged yet.
 */
static bool
visit_best_blocks(HxSparseSearch *search)
{
	double least = 0;
	double goal = Min(search->base.goal, search->cutoff);
	HxWindowState *window;

	if (has_unopened(search))
		return visit_new_window(search, goal);
	window = choose_window(search, goal, &least);
	if (!window)
		return HxMergeBest(&search->base.best, true);
	return visit_best_of(search, window, least);
}

/* ---- phases ---- */

/*
 * Visit pending rows; windows are opened when their turn comes, or, where no
 * products are asked for, visited as a whole.  False if any were replaced.
 */
static bool
begin_windows(HxSparseSearch *search)
{
	const HxSparseDirectory *directory = &search->directory;
	Relation index = search->base.index;
	const HxIndexDesc *desc = &search->base.desc;
	MemoryContext old;
	bool done = true;

	Assert(HxHoldsNoPage() && search->is_read);
	HxForgetRows(&search->base, search->base.best.room);
	search->nwindows = 0;
	search->nopened = 0;
	search->nread = directory->count;
	MemoryContextReset(search->phase_context);
	if (HxFilterIsNever(search->base.spec.filter))
		return true;
	search->nread = 0;
	old = MemoryContextSwitchTo(search->phase_context);
	search->windows = MemoryContextAllocHuge(
		search->phase_context, (directory->count + 1) * sizeof(HxWindowState));
	search->page = HX_METAPAGE; /* pending rows are not marked as dead */
	done =
		HxScanPending(index, desc, &directory->frozen, HxVisitPending,
					  search) &&
		HxScanPending(index, desc, &directory->pending, HxVisitPending, search);
	if (done && !HxSparseScores(search))
		done = read_all(search);
	for (; done && search->nopened < search->nwindows; search->nopened++)
		done = HxVisitUnscored(search, &search->windows[search->nopened]);
	MemoryContextSwitchTo(old);
	return done;
}

/* Read the directory anew. */
static void
read_windows(HxSparseSearch *search)
{
	if (search->is_read)
	{
		pfree(search->directory.windows);
		pfree(search->directory.places);
	}
	HxReadWindows(search->base.index, &search->base.desc, &search->directory);
	search->is_read = true;
	search->base.nrows = 0;
	for (int i = 0; i < search->directory.count; i++)
		search->base.nrows += search->directory.windows[i].rows;
	search->base.stats.blocks =
		Max(search->base.stats.blocks, count_blocks(&search->directory));
}

/* Begin the phase again, windows having been replaced. */
static void
start_over(HxSparseSearch *search)
{
	int restarts = 0;

	do
	{
		if (++restarts > MAX_RESTARTS)
			HxCorrupted(search->base.index, HX_METAPAGE,
						"pages are not those that the directory names");
		search->base.stats.restarts++;
		read_windows(search);
	} while (!begin_windows(search));
}

void
HxStartSparsePhase(HxSearch *base)
{
	HxSparseSearch *search = (HxSparseSearch *) base;

	/* Where the table decides among estimates, they are off by rounding only */
	base->exact = !base->refine || base->phase == HX_RELEASE_ALL;
	/* Another part of the rows begins with the first block, too */
	if (search->nseen > 0 && search->begun != base->part)
		base->stats.restarts++;
	search->begun = base->part;
	if (!begin_windows(search))
		start_over(search);
}

/* ---- members of kind.h ---- */

/* Is there a window that can matter, as far as it is known? */
static bool
has_window(const HxSparseSearch *search)
{
	double least;

	return HxSparseScores(search) &&
		   (has_unopened(search) ||
			choose_window(search, search->cutoff, &least));
}

bool
HxHasMoreWindows(const HxSearch *base)
{
	const HxSparseSearch *search = (const HxSparseSearch *) base;

	return base->spec.ordered ? has_window(search) : !search->is_done;
}

bool
HxIsSparseSearchSettled(HxSearch *base, double distance, int64 count)
{
	const HxSparseSearch *search = (const HxSparseSearch *) base;
	double least;

	return !has_unopened(search) &&
		   !choose_window(search, Min(distance, search->cutoff), &least);
}

static int
compare_tids(const void *a, const void *b)
{
	uint64 x = HxPackTid(a);
	uint64 y = HxPackTid(b);

	return (x > y) - (x < y);
}

/*
 * A row that moved while it was looked for may have been met twice.  Sorts the
 * rows by TID.
 */
static void
drop_twins(HxSearch *base)
{
	int64 count = 0;

	if (base->ntids > 0)
		qsort(base->tids, base->ntids, sizeof(ItemPointerData), compare_tids);
	for (int64 i = 0; i < base->ntids; i++)
		if (count == 0 ||
			!ItemPointerEquals(&base->tids[count - 1], &base->tids[i]))
			base->tids[count++] = base->tids[i];
	base->ntids = count;
}

static void
visit_window(HxSparseSearch *search)
{
	CHECK_FOR_INTERRUPTS();
	if (!visit_best_blocks(search))
		start_over(search);
}

/*
 * Without an order all is visited at once: if windows are replaced, rows that
 * were found come again.
 */
void
HxVisitWindow(HxSearch *base)
{
	HxSparseSearch *search = (HxSparseSearch *) base;

	Assert(HxHasMoreWindows(base));
	if (base->spec.ordered)
	{
		visit_window(search);
		return;
	}
	while (has_window(search))
		visit_window(search);
	drop_twins(base);
	search->is_done = true;
}

/*
 * No row beyond this distance satisfies all conditions on distances.  Whether
 * NaN does, the greatest passing distance does not tell: zero vectors are
 * nowhere near.
 */
static double
find_cutoff(const HxSearchSpec *spec)
{
	double cutoff = get_float8_infinity();

	for (int b = 0; b < spec->nballs; b++)
	{
		const HxBoundTest *test = &spec->balls[b].any[0].test;

		Assert(spec->balls[b].count == 1);
		Assert(spec->balls[b].any[0].query == spec->query);
		if (!HxPassesTest(test, get_float8_nan()))
			cutoff = Min(cutoff, HxGreatestPassing(test));
	}
	return cutoff;
}

/* Do rows whose distance is NaN satisfy all conditions on distances? */
static bool
nan_passes(const HxSearchSpec *spec)
{
	for (int b = 0; b < spec->nballs; b++)
		if (!HxPassesTest(&spec->balls[b].any[0].test, get_float8_nan()))
			return false;
	return true;
}

double
HxSparseEffort(const HxSearch *base, double passing)
{
	Assert(((const HxSparseSearch *) base)->is_read);
	return base->nrows *
		   (HX_LIST_ROW_TIME + HX_LIST_MASK_TIME + HX_LOOKUP_TIME);
}

void
HxBeginSparseSearch(HxSearch *base)
{
	HxSparseSearch *search = (HxSparseSearch *) base;

	search->query = (const HxSparseQuery *) base->spec.query;
	search->cutoff = Min(find_cutoff(&base->spec), base->cutoff);
	base->spec.recall = 1;
	base->nans_apart = base->spec.ordered && base->spec.nans_first &&
					   search->query &&
					   search->query->base.metric == HX_COSINE &&
					   search->query->norm2 > 0 && nan_passes(&base->spec);
	search->seen_room = 16;
	search->seen = palloc(search->seen_room * sizeof(HxSeenWindow));
	search->phase_context = AllocSetContextCreate(
		base->context, "hashemb search phase", ALLOCSET_DEFAULT_SIZES);
	read_windows(search);
	if (!search->query)
		return;
	search->scratch = palloc(sizeof(HxScratch));
	search->passing = palloc(HX_WINDOW_SLOTS / 8);
	search->lookup = HxMakeLookup(search->query);
}
