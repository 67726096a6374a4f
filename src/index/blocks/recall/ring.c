/*
 * ring.c
 *	  Searches kept on pages while the index grows, and the table of expected
 *	  misses from them.
 *
 * See README, "Recalibration".  A search of the ring counts what a calibration
 * in full counts, but on the axes of the table, so that searches made at
 * different times can be added up.
 */
#include "postgres.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "index/blocks/recall/safety.h"
#include "index/blocks/recall/ring.h"
#include "index/search/search.h"

/* A stored count is in steps of an eighth of a doubling */
#define COUNT_STEPS 8.0
/* Share of the rows that may lie beyond an end of the axes */
#define MAX_BEYOND 0.5
/* Share of the rows in the last promises, above which steps are doubled ... */
#define MAX_LAST 0.05
/* ... at most so often */
#define MAX_DOUBLINGS 4

/* An exhaustive search on its way to the ring */
typedef struct RingSearch
{
	Relation index;
	const HxIndexDesc *desc;
	HxLoadedMisses misses; /* the table whose axes are used */
	HxBlocks blocks;
	HxQuery *query;
	uint64 own_tid; /* of the row that is the query */
	double *distances;
	float least_distance;
	uint32 counts[HX_MISSES_PROMISES][HX_MISSES_DISTANCES]; /* rows by the first
														   * distance that they
														   * are nearer than */
	HxTopRows nearest;
	HxTrace trace;
} RingSearch;

/* The searches of the ring, and axes to add them up on */
typedef struct RingSum
{
	HxRing *searches;
	int count;
	double promise_low;
	double promise_step;
	double distance_low;
	double distance_step;
} RingSum;

/* ---- counts ---- */

static uint8
pack_count(double count)
{
	if (count < 1)
		return 0;
	return (uint8) Min(1 + rint(COUNT_STEPS * log2(count)), PG_UINT8_MAX);
}

static double
unpack_count(uint8 packed)
{
	return packed == 0 ? 0 : exp2((packed - 1) / COUNT_STEPS);
}

/* ---- a search ---- */

/* Divide the promises by the query's unit; false if none is a number. */
static bool
scale_promises(RingSearch *search, HxRing *ring)
{
	float least = INFINITY;

	for (int b = 0; b < search->blocks.count; b++)
	{
		float *promise = &search->blocks.promises[b];

		*promise /= HxUnitOf(search->query);
		if (*promise < least)
			least = *promise;
	}
	ring->least_promise = least;
	return isfinite(least);
}

/* Count the rows of a page that is share-locked. */
static void
count_page(RingSearch *search, const HxRowArrays *rows, int block)
{
	const HxLoadedMisses *misses = &search->misses;
	uint32 *counts =
		search->counts[HxPromiseBin(misses, search->blocks.promises[block])];

	HxKindOf(search->desc)
		->distances(search->query, rows->payloads, rows->count,
					search->distances);
	for (int i = 0; i < rows->count; i++)
	{
		double distance = search->distances[i] / HxUnitOf(search->query);
		double at = (distance - misses->distance_low) / misses->distance_step;

		if (!isfinite(distance) || HxPackTid(&rows->tids[i]) == search->own_tid)
			continue;
		if (at < 0)
			counts[0]++;
		else if (at < HX_MISSES_DISTANCES - 1)
			counts[(int) at + 1]++;
		search->least_distance = Min(search->least_distance, distance);
		HxOfferTopRow(&search->nearest, distance, block);
	}
}

/* Score all rows; those that move meanwhile may be left out. */
static void
count_rows(RingSearch *search)
{
	for (int b = 0; b < search->blocks.count; b++)
	{
		const HxBlock *block = &search->blocks.blocks[b];
		BlockNumber next = block->first;
		uint32 steps = 0;

		while (next != InvalidBlockNumber)
		{
			Buffer buffer =
				HxReadRows(search->index, search->desc, next, block->owner);
			HxRowArrays rows;

			if (!BufferIsValid(buffer))
				break;
			HxCountStep(search->index, next, &steps);
			HxPrefetchPage(search->index, next + 1);
			HxRowArraysOf(search->desc, BufferGetPage(buffer), &rows);
			count_page(search, &rows, b);
			next = HxPageOpaque(BufferGetPage(buffer))->next;
			UnlockReleaseBuffer(buffer);
		}
	}
}

static int
compare_near(const void *a, const void *b)
{
	float x = ((const HxTopRow *) a)->distance;
	float y = ((const HxTopRow *) b)->distance;

	return (x > y) - (x < y);
}

/*
 * Leave as many of the nearest rows as a page holds: by distance, since the last
 * ones in the order of visits are those that a search misses.
 */
static void
drop_farthest(HxTopRows *nearest)
{
	qsort(nearest->rows, nearest->count, sizeof(HxTopRow), compare_near);
	nearest->count = Min(nearest->count, HX_RING_NEAR);
	Assert(nearest->count <= HX_RING_NEAR);
}

/* Fill in what the ring keeps of a search. */
static void
fill_ring(RingSearch *search, HxRing *ring)
{
	const HxLoadedMisses *misses = &search->misses;
	HxTrace *trace = &search->trace;

	ring->promise_low = misses->promise_low;
	ring->promise_step = misses->promise_step;
	ring->distance_low = misses->distance_low;
	ring->distance_step = misses->distance_step;
	ring->least_distance = search->least_distance;
	drop_farthest(&search->nearest);
	HxMakeTrace(misses, &search->blocks, search->blocks.promises,
				&search->nearest, trace);
	for (int p = 0; p < HX_MISSES_PROMISES; p++)
	{
		double below = 0;

		ring->totals[p] = (uint32) Min(trace->rows[p], PG_UINT32_MAX);
		for (int d = 0; d < HX_MISSES_DISTANCES; d++)
		{
			below += search->counts[p][d];
			ring->cells[p][d] = pack_count(below);
		}
	}
	ring->count = trace->count;
	Assert(ring->count <= HX_RING_NEAR);
	memcpy(ring->near, trace->near, ring->count * sizeof(HxTraceRow));
}

/*
 * Choose the row that is searched for: by turns the newest and one of all.
 * False if there is none.
 */
static bool
choose_row(RingSearch *search, const HxNewest *newest, uint32 number)
{
	const HxIndexDesc *desc = search->desc;
	uint8 *payload;
	uint64 *tid;

	if (number % 2 == 1)
	{
		search->query = HxPayloadOf(desc)->query_of_row(desc, newest->payload);
		search->own_tid = newest->tid;
		return true;
	}
	if (HxSampleRows(search->index, desc, 1, number + UINT64CONST(1000),
					 &payload, &tid) == 0)
		return false;
	search->query = HxPayloadOf(desc)->query_of_row(desc, payload);
	search->own_tid = *tid;
	return true;
}

/* Search for the chosen row; false if there was nothing to learn. */
static bool
search_for_row(RingSearch *search, HxRing *ring)
{
	search->distances = palloc(search->desc->capacity * sizeof(double));
	search->least_distance = INFINITY;
	HxReadDirectory(search->index, search->desc, search->query,
					&search->blocks);
	if (!scale_promises(search, ring))
		return false;
	count_rows(search);
	fill_ring(search, ring);
	return search->nearest.count > 0;
}

/* ---- pages ---- */

int
HxListRing(Relation index, const HxMeta *meta, BlockNumber *pages)
{
	BlockNumber block = meta->ring;
	int count = 0;

	while (block != InvalidBlockNumber)
	{
		Buffer buffer =
			HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_PAGE_RING);

		if (count == HX_RING_PAGES)
			HxCorrupted(index, block,
						"the ring of searches has too many pages");
		pages[count++] = block;
		block = HxPageOpaque(BufferGetPage(buffer))->next;
		UnlockReleaseBuffer(buffer);
	}
	if (count < Min(meta->ring_next, HX_RING_PAGES))
		HxCorrupted(index, HX_METAPAGE,
					psprintf("the ring of searches has %d pages, but %u were "
							 "written",
							 count, meta->ring_next));
	return count;
}

/* Write a search over the oldest one, or to a new page at the ring's end. */
static void
store_search(Relation index, const HxMeta *meta, const HxRing *ring,
			 uint64 rows)
{
	BlockNumber pages[HX_RING_PAGES];
	int count = HxListRing(index, meta, pages);
	int position = meta->ring_next % HX_RING_PAGES;
	Buffer meta_buffer =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	Buffer before = InvalidBuffer;
	BlockNumber next = InvalidBlockNumber;
	Buffer buffer;
	bool reused;
	GenericXLogState *state;
	HxMeta *new_meta;
	Page page;

	Assert(HxHoldsStructure(index));
	if (position < count)
	{
		buffer = HxReadPage(index, pages[position], BUFFER_LOCK_EXCLUSIVE,
							HX_PAGE_RING);
		next = HxPageOpaque(BufferGetPage(buffer))->next;
	}
	else
	{
		if (count > 0)
			before = HxReadPage(index, pages[count - 1], BUFFER_LOCK_EXCLUSIVE,
								HX_PAGE_RING);
		buffer = HxNewBuffer(index, &reused);
	}
	state = GenericXLogStart(index);
	new_meta = HxPageMeta(GenericXLogRegisterBuffer(state, meta_buffer, 0));
	page = GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);
	HxInitPage(page, HX_PAGE_RING);
	HxPageOpaque(page)->next = next;
	*HxPageRing(page) = *ring;
	if (BufferIsValid(before))
		HxPageOpaque(GenericXLogRegisterBuffer(state, before, 0))->next =
			BufferGetBlockNumber(buffer);
	else if (count == 0)
		new_meta->ring = BufferGetBlockNumber(buffer);
	new_meta->ring_next++;
	new_meta->rows_at_search = rows;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	if (BufferIsValid(before))
		UnlockReleaseBuffer(before);
	UnlockReleaseBuffer(meta_buffer);
}

bool
HxAddToRing(Relation index, const HxIndexDesc *desc, const HxNewest *newest,
			uint64 rows)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb ring", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RingSearch *search = palloc0(sizeof(RingSearch));
	HxRing *ring = palloc0(sizeof(HxRing));
	HxMeta meta;
	bool done;

	StaticAssertStmt(sizeof(HxRing) <= HX_PAGE_ROOM, "a page holds a search");
	Assert(HxHoldsStructure(index) && HxHoldsNoPage());
	HxReadMeta(index, &meta);
	HxLoadMisses(index, &meta, &search->misses);
	search->index = index;
	search->desc = desc;
	ring->number = meta.ring_next;
	done = search->misses.usable && choose_row(search, newest, ring->number) &&
		   search_for_row(search, ring);
	if (done)
		store_search(index, &meta, ring, rows);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return done;
}

/* ---- adding up ---- */

/* Is a step the other one, doubled some times or never? */
static bool
is_multiple(double step, double of)
{
	for (int i = 0; i <= HX_MISSES_PROMISES && of < step; i++)
		of *= 2;
	return of == step;
}

/* Read the searches that count. */
static void
read_searches(Relation index, const HxMeta *meta, RingSum *sum)
{
	BlockNumber pages[HX_RING_PAGES];
	int count = HxListRing(index, meta, pages);

	sum->searches = palloc(HX_RING_PAGES * sizeof(HxRing));
	for (int i = 0; i < count; i++)
	{
		Buffer buffer =
			HxReadPage(index, pages[i], BUFFER_LOCK_SHARE, HX_PAGE_RING);
		const HxRing *ring = HxPageRing(BufferGetPage(buffer));

		if (meta->ring_next - 1 - ring->number < HxRingCount(meta) &&
			is_multiple(sum->promise_step, ring->promise_step) &&
			ring->distance_step == sum->distance_step)
			sum->searches[sum->count++] = *ring;
		UnlockReleaseBuffer(buffer);
	}
}

/* Steps from one point of an axis to another, at most this many. */
static int
steps_between(double from, double to, double step, int limit)
{
	double steps = rint((to - from) / step);

	return (int) Max(Min(steps, limit), -limit);
}

/*
 * Row of the sum for a search's promise: where its middle lies, since a row of
 * the sum may be several of the search.
 */
static int
promise_row(const RingSum *sum, const HxRing *ring, int promise)
{
	double middle = ring->promise_low + promise * ring->promise_step;
	double row = floor((middle - sum->promise_low) / sum->promise_step + 0.5);

	return (int) Max(0, Min(row, HX_MISSES_PROMISES - 1));
}

/* Rows of a search's promise that are nearer than a distance of the sum. */
static double
rows_nearer(const RingSum *sum, const HxRing *ring, int promise, int distance)
{
	int column =
		distance - steps_between(sum->distance_low, ring->distance_low,
								 sum->distance_step, HX_MISSES_DISTANCES);
	double total = ring->totals[promise];

	if (column < 0)
		return 0;
	if (column >= HX_MISSES_DISTANCES)
		return total;
	return Min(unpack_count(ring->cells[promise][column]), total);
}

/* Share of all rows whose promise falls into a row of the sum. */
static double
share_of_promise(const RingSum *sum, int row)
{
	double all = 0;
	double in_row = 0;

	for (int i = 0; i < sum->count; i++)
		for (int p = 0; p < HX_MISSES_PROMISES; p++)
		{
			all += sum->searches[i].totals[p];
			if (promise_row(sum, &sum->searches[i], p) == row)
				in_row += sum->searches[i].totals[p];
		}
	return all > 0 ? in_row / all : 1;
}

/* Share of all rows that no distance of the sum reaches. */
static double
share_beyond(const RingSum *sum)
{
	double all = 0;
	double below = 0;

	for (int i = 0; i < sum->count; i++)
		for (int p = 0; p < HX_MISSES_PROMISES; p++)
		{
			all += sum->searches[i].totals[p];
			below +=
				rows_nearer(sum, &sum->searches[i], p, HX_MISSES_DISTANCES - 1);
		}
	return all > 0 ? 1 - below / all : 1;
}

/* Do the axes fit the searches? */
static bool
axes_fit(const RingSum *sum)
{
	return share_of_promise(sum, 0) <= MAX_BEYOND &&
		   share_of_promise(sum, HX_MISSES_PROMISES - 1) <= MAX_BEYOND &&
		   share_beyond(sum) <= MAX_BEYOND;
}

/*
 * Move the promises down by whole steps to the least one of a search.  If many
 * rows fall off at the other end, double the steps: two rows become one.
 */
static void
move_promises(RingSum *sum)
{
	double least = INFINITY;
	int steps;

	for (int i = 0; i < sum->count; i++)
		least = Min(least, sum->searches[i].least_promise);
	steps = steps_between(least, sum->promise_low, sum->promise_step,
						  HX_MISSES_PROMISES);
	sum->promise_low -= Max(steps, 0) * sum->promise_step;
	for (int i = 0; i < MAX_DOUBLINGS &&
					share_of_promise(sum, HX_MISSES_PROMISES - 1) > MAX_LAST;
		 i++)
	{
		sum->promise_low += sum->promise_step / 2;
		sum->promise_step *= 2;
	}
}

/*
 * Move the distances down by whole steps, to the least one of a search, as far
 * as rows do not fall off at the other end.
 */
static void
move_distances(RingSum *sum)
{
	double low = sum->distance_low;
	double least = INFINITY;
	int steps;

	for (int i = 0; i < sum->count; i++)
		least = Min(least, sum->searches[i].least_distance);
	steps = steps_between(least, low, sum->distance_step, HX_MISSES_DISTANCES);
	for (; steps > 0; steps--)
	{
		sum->distance_low = low - steps * sum->distance_step;
		if (share_beyond(sum) <= MAX_BEYOND)
			break;
		sum->distance_low = low;
	}
}

/* Add up the searches and fill in the table's axes and cells. */
static void
fill_table(const RingSum *sum, HxMisses *table)
{
	double(*below)[HX_MISSES_DISTANCES] =
		palloc0(HX_MISSES_PROMISES * sizeof(*below));
	double totals[HX_MISSES_PROMISES] = {0};

	for (int i = 0; i < sum->count; i++)
		for (int p = 0; p < HX_MISSES_PROMISES; p++)
		{
			const HxRing *ring = &sum->searches[i];
			int row = promise_row(sum, ring, p);

			totals[row] += ring->totals[p];
			for (int d = 0; d < HX_MISSES_DISTANCES; d++)
				below[row][d] += rows_nearer(sum, ring, p, d);
		}
	memset(table, 0, sizeof(*table));
	table->promise_low = sum->promise_low;
	table->promise_step = sum->promise_step;
	table->distance_low = sum->distance_low;
	table->distance_step = sum->distance_step;
	HxFillCells(below, totals, table);
}

/*
 * Fit the table's safety factors to the searches of an index that has so many blocks
 * now: as many as the root of its rows, then as now
 */
static void
fit_safety(const RingSum *sum, uint32 blocks, HxMisses *table)
{
	double most = 0;
	HxLoadedMisses *misses = palloc(sizeof(HxLoadedMisses));
	HxTrace *traces = palloc0(sum->count * sizeof(HxTrace));

	Assert(sum->count > 0 && sum->count <= HX_RING_PAGES);
	HxUnpackMisses(table, misses);
	for (int i = 0; i < sum->count; i++)
	{
		const HxRing *ring = &sum->searches[i];

		double rows = 0;

		for (int p = 0; p < HX_MISSES_PROMISES; p++)
		{
			traces[i].rows[promise_row(sum, ring, p)] += ring->totals[p];
			rows += ring->totals[p];
		}
		traces[i].block = sqrt(rows) / Max(blocks, 1);
		most = Max(most, rows);
		traces[i].count = ring->count;
		memcpy(traces[i].near, ring->near, ring->count * sizeof(HxTraceRow));
	}
	for (int i = 0; i < sum->count; i++)
		traces[i].block *= sqrt(most);
	HxFitSafety(misses, traces, sum->count, true, table);
}

bool
HxComputeTableFromRing(Relation index, HxMisses *table)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb ring", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HxLoadedMisses *misses = palloc(sizeof(HxLoadedMisses));
	RingSum sum = {0};
	HxMeta meta;
	bool done;

	Assert(HxHoldsStructure(index));
	HxReadMeta(index, &meta);
	HxLoadMisses(index, &meta, misses);
	sum.promise_low = misses->promise_low;
	sum.promise_step = misses->promise_step;
	sum.distance_low = misses->distance_low;
	sum.distance_step = misses->distance_step;
	if (misses->usable)
		read_searches(index, &meta, &sum);
	if (sum.count > 0)
	{
		move_promises(&sum);
		move_distances(&sum);
	}
	done = sum.count > 0 && axes_fit(&sum);
	if (done)
	{
		fill_table(&sum, table);
		fit_safety(&sum, meta.blocks, table);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return done;
}
