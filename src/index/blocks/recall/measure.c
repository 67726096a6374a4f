/*
 * measure.c
 *	  Making the table of expected misses from searches that are exhaustive.
 *
 * See README, "Calibration".  One pass over the index scores every row against
 * every sampled query: into histograms of distance by promise, from which the
 * table is made, and into each query's list of nearest rows, on which
 * safety.c fits the safety factors.
 */
#include "postgres.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "compat.h"
#include "index/blocks/recall/measure.h"
#include "index/build/file.h"
#include "index/blocks/recall/safety.h"
#include "index/search/search.h"

/* Histograms are finer than the table, since their range is a guess */
#define FINE_PROMISES (4 * HX_MISSES_PROMISES)
#define FINE_DISTANCES 4096
#define COUNTS_SIZE (FINE_PROMISES * FINE_DISTANCES * sizeof(uint32))
/* TIDs of the queries are looked up where one of this many flags is set */
#define FILTER_BITS 12
/* Fine promises pooled on each side of a table row's centre */
#define POOLED 2
/* Share of all distances that the table's columns reach */
#define REACH 0.95

struct HxScorer
{
	MemoryContext context; /* of all that belongs to it */
	Relation index;
	const HxIndexDesc *desc;
	HxBlocks blocks;
	const HxSampleQuery *samples;
	int nqueries;
	float **promises;	/* of all blocks for each query, in its units */
	HxTopRows *nearest; /* of each query */
	double promise_low; /* ranges of the fine histogram */
	double promise_step;
	double distance_low;
	double distance_step;
	uint32 (*counts)[FINE_DISTANCES];  /* rows by promise and distance */
	PGAlignedBlock page;			   /* copy of the page being scored */
	double *distances;				   /* of its rows */
	bool is_sampled[1 << FILTER_BITS]; /* may a row be a query? By its TID */
	bool steady; /* the directory did not change meanwhile */
};

static int
fine_bin(double value, double low, double step, int bins)
{
	double bin = (value - low) / step;

	if (!(bin > 0))
		return 0;
	return bin >= bins ? bins - 1 : (int) bin;
}

/* ---- gathering ---- */

/*
 * Promises of all blocks for all queries, and with them the ranges.  False if
 * the directory has changed meanwhile.
 */
static bool
read_promises(HxScorer *cal)
{
	double promise_high = -INFINITY;
	double distance_high = -INFINITY;

	cal->promise_low = cal->distance_low = INFINITY;
	for (int q = 0; q < cal->nqueries; q++)
	{
		double unit = HxUnitOf(cal->samples[q].query);
		double low = INFINITY;
		double high = -INFINITY;
		HxBlocks blocks;

		CHECK_FOR_INTERRUPTS();
		HxReadDirectory(cal->index, cal->desc, cal->samples[q].query, &blocks);
		if (q > 0 && blocks.count != cal->blocks.count)
			return false;
		cal->promises[q] = MemoryContextAllocHuge(
			CurrentMemoryContext, (blocks.count + 1) * sizeof(float));
		for (int b = 0; b < blocks.count; b++)
		{
			double promise = blocks.promises[b] / unit;
			double bound = blocks.bounds[b] / unit;

			cal->promises[q][b] = promise;
			if (!isfinite(promise))
				continue;
			cal->promise_low = Min(cal->promise_low, promise);
			promise_high = Max(promise_high, promise);
			if (!isfinite(bound))
				continue;
			low = Min(low, bound);
			high = Max(high, 2 * promise - bound);
		}
		if (HxPayloadOf(cal->desc)->range)
		{
			HxPayloadOf(cal->desc)->range(cal->samples[q].query, &low, &high);
			low /= unit;
			high /= unit;
		}
		cal->distance_low = Min(cal->distance_low, low);
		distance_high = Max(distance_high, high);
		if (q == 0)
			cal->blocks = blocks;
		else
			HxFreeBlocks(&blocks);
	}
	cal->promise_step =
		Max((promise_high - cal->promise_low) / (FINE_PROMISES - 4), 1e-9);
	cal->promise_low -= 2 * cal->promise_step;
	cal->distance_step =
		Max((distance_high - cal->distance_low) / (FINE_DISTANCES - 1), 1e-9);
	return true;
}

/* Take note of the rows that queries were drawn from. */
static void
fill_filter(HxScorer *cal)
{
	for (int q = 0; q < cal->nqueries; q++)
		cal->is_sampled[HxHashTid(cal->samples[q].tid, FILTER_BITS)] = true;
}

/* Which query, if any, was drawn from a row; -1 if none. */
static int
query_of_tid(const HxScorer *cal, uint64 tid)
{
	if (!cal->is_sampled[HxHashTid(tid, FILTER_BITS)])
		return -1;
	for (int q = 0; q < cal->nqueries; q++)
		if (cal->samples[q].tid == tid)
			return q;
	return -1;
}

/* Score the rows of the copied page against one query. */
static void
score_query(HxScorer *cal, int q, int block, const HxRowArrays *rows,
			int own_row)
{
	const HxQuery *prepared = cal->samples[q].query;
	uint32 *counts =
		cal->counts[fine_bin(cal->promises[q][block], cal->promise_low,
							 cal->promise_step, FINE_PROMISES)];
	double scale = 1 / (cal->distance_step * HxUnitOf(prepared));
	double offset = -cal->distance_low / cal->distance_step;

	Assert(block < cal->blocks.count && rows->count <= cal->desc->capacity);
	HxKindOf(cal->desc)->distances(prepared, rows->payloads, rows->count,
								   cal->distances);
	for (int i = 0; i < rows->count; i++)
	{
		double bin = cal->distances[i] * scale + offset;

		if (i == own_row)
			continue;
		if (!(bin > 0))
			bin = 0;
		counts[(int) Min(bin, FINE_DISTANCES - 1)]++;
		HxOfferTopRow(&cal->nearest[q], cal->distances[i] / HxUnitOf(prepared),
					  block);
	}
}

/* Score the rows of one page, copied so that no lock is held meanwhile. */
static void
score_page(HxScorer *cal, int block)
{
	HxRowArrays rows;
	int *own_row = palloc(cal->nqueries * sizeof(int));

	HxRowArraysOf(cal->desc, (Page) cal->page.data, &rows);
	memset(own_row, -1, cal->nqueries * sizeof(int));
	for (int i = 0; i < rows.count; i++)
	{
		int q = query_of_tid(cal, HxPackTid(&rows.tids[i]));

		if (q >= 0)
			own_row[q] = i;
	}
	for (int q = 0; q < cal->nqueries; q++)
	{
		CHECK_FOR_INTERRUPTS();
		score_query(cal, q, block, &rows, own_row[q]);
	}
	pfree(own_row);
}

/* Score the rows of a block against every query; returns their number. */
static uint64
score_block(HxScorer *cal, int b)
{
	const HxBlock *block = &cal->blocks.blocks[b];
	BlockNumber next = block->first;
	uint64 scored = 0;
	uint32 steps = 0;

	while (next != InvalidBlockNumber)
	{
		Buffer buffer = HxReadRows(cal->index, cal->desc, next, block->owner);

		if (!BufferIsValid(buffer))
			break; /* moved meanwhile: a statistic can do without */
		HxCountStep(cal->index, next, &steps);
		memcpy(cal->page.data, BufferGetPage(buffer), BLCKSZ);
		UnlockReleaseBuffer(buffer);
		Assert(HxHoldsNoPage());
		score_page(cal, b);
		HX_VACUUM_DELAY_POINT();
		scored += HxPageRows((Page) cal->page.data)->count;
		next = HxPageOpaque((Page) cal->page.data)->next;
	}
	return scored;
}

uint64
HxScoreBlocks(HxScorer *cal, int64 start, int64 end)
{
	MemoryContext old = MemoryContextSwitchTo(cal->context);
	uint64 scored = 0;

	Assert(start >= 0);
	end = Min(end, HxBlocksToScore(cal));
	for (int64 b = start; b < end; b++)
		scored += score_block(cal, (int) b);
	MemoryContextSwitchTo(old);
	return scored;
}

void
HxWriteScores(HxScorer *cal, BufFile *file)
{
	BufFileWrite(file, cal->counts, COUNTS_SIZE);
	for (int q = 0; q < cal->nqueries; q++)
	{
		HxTopRows *nearest = &cal->nearest[q];

		BufFileWrite(file, &nearest->count, sizeof(nearest->count));
		BufFileWrite(file, nearest->rows, nearest->count * sizeof(HxTopRow));
	}
}

/* Add a histogram, of which a row is read at a time. */
static void
add_counts(HxScorer *cal, BufFile *file)
{
	uint32 *row = palloc(sizeof(cal->counts[0]));

	for (int p = 0; p < FINE_PROMISES; p++)
	{
		HxReadFile(file, row, sizeof(cal->counts[0]));
		for (int d = 0; d < FINE_DISTANCES; d++)
			cal->counts[p][d] += row[d];
	}
	pfree(row);
}

void
HxAddScores(HxScorer *cal, BufFile *file)
{
	HxTopRow near;
	int count;

	add_counts(cal, file);
	for (int q = 0; q < cal->nqueries; q++)
	{
		CHECK_FOR_INTERRUPTS();
		HxReadFile(file, &count, sizeof(count));
		Assert(count >= 0 && count <= HX_REPLAY_NEAR);
		for (int i = 0; i < count; i++)
		{
			HxReadFile(file, &near, sizeof(near));
			HxOfferTopRow(&cal->nearest[q], near.distance, near.block);
		}
	}
}

/* ---- the table ---- */

/* Choose the table's axes from what was counted. */
static void
choose_axes(const HxScorer *cal, HxMisses *table)
{
	double total = 0;
	double sum = 0;
	int low = -1;
	int high = 0;
	double by_distance[FINE_DISTANCES] = {0};

	for (int p = 0; p < FINE_PROMISES; p++)
		for (int d = 0; d < FINE_DISTANCES; d++)
			by_distance[d] += cal->counts[p][d];
	for (int d = 0; d < FINE_DISTANCES; d++)
		total += by_distance[d];
	for (int d = 0; d < FINE_DISTANCES && sum < REACH * total; d++)
	{
		if (by_distance[d] > 0 && low < 0)
			low = d;
		sum += by_distance[d];
		high = d;
	}
	low = Max(low, 0);
	high = Max(high, low + 1);
	Assert(low < high);
	table->promise_step =
		cal->promise_step * FINE_PROMISES / HX_MISSES_PROMISES;
	table->promise_low = cal->promise_low + table->promise_step / 2;
	table->distance_low = cal->distance_low + low * cal->distance_step;
	table->distance_step =
		(high - low) * cal->distance_step / (HX_MISSES_DISTANCES - 1);
}

/*
 * Rows below each of the table's distances among the fine promises pooled for
 * a table row; returns how many rows there are in all.
 */
static double
count_below(const HxScorer *cal, const HxMisses *table, int promise,
			double *below)
{
	int centre = promise * FINE_PROMISES / HX_MISSES_PROMISES +
				 FINE_PROMISES / HX_MISSES_PROMISES / 2;
	double total = 0;
	double pooled[FINE_DISTANCES] = {0};
	double sum = 0;
	int d = 0;

	for (int p = Max(centre - POOLED, 0);
		 p < Min(centre + POOLED, FINE_PROMISES); p++)
		for (int f = 0; f < FINE_DISTANCES; f++)
			pooled[f] += cal->counts[p][f];
	for (int f = 0; f < FINE_DISTANCES; f++)
	{
		double end = cal->distance_low + (f + 1) * cal->distance_step;

		while (d < HX_MISSES_DISTANCES &&
			   table->distance_low + d * table->distance_step <
				   end - cal->distance_step * 1e-6)
			below[d++] = sum;
		sum += pooled[f];
		total += pooled[f];
	}
	while (d < HX_MISSES_DISTANCES)
		below[d++] = sum;
	return total;
}

/*
 * Turn counts into shares.  Small counts are noisy, but right in the sum over
 * promises, which is what is asked for; a smooth tail fitted to them would be
 * too high.  Where nothing was counted go on from half a row by halves.
 */
static void
shares_of_counts(const double *below, double total, double *shares)
{
	double tail = 0.5 / total;

	Assert(total > 0);
	for (int d = HX_MISSES_DISTANCES - 1; d >= 0; d--)
	{
		if (below[d] > 0)
			shares[d] = below[d] / total;
		else
		{
			shares[d] = tail;
			tail /= 2;
		}
	}
}

/*
 * Make shares fall with the promise's bin: isotonic regression by pooling
 * adjacent violators, weighted by the rows counted.
 */
static void
make_monotone(double shares[][HX_MISSES_DISTANCES], const double *totals,
			  int distance)
{
	double value[HX_MISSES_PROMISES];
	double weight[HX_MISSES_PROMISES];
	int length[HX_MISSES_PROMISES];
	int pools = 0;
	int p = 0;

	for (int i = 0; i < HX_MISSES_PROMISES; i++)
	{
		value[pools] = shares[i][distance];
		weight[pools] = totals[i] + 1;
		length[pools++] = 1;
		while (pools > 1 && value[pools - 2] < value[pools - 1])
		{
			double sum = weight[pools - 2] + weight[pools - 1];

			value[pools - 2] = (value[pools - 2] * weight[pools - 2] +
								value[pools - 1] * weight[pools - 1]) /
							   sum;
			weight[pools - 2] = sum;
			length[pools - 2] += length[pools - 1];
			pools--;
		}
	}
	for (int i = 0; i < pools; i++)
		for (int n = 0; n < length[i]; n++)
			shares[p++][distance] = value[i];
	Assert(p == HX_MISSES_PROMISES);
}

void
HxFillCells(double (*below)[HX_MISSES_DISTANCES], const double *totals,
			HxMisses *table)
{
	double(*shares)[HX_MISSES_DISTANCES] =
		palloc(HX_MISSES_PROMISES * sizeof(*shares));
	int counted = -1;

	for (int p = 0; p < HX_MISSES_PROMISES; p++)
	{
		if (totals[p] > 0)
		{
			shares_of_counts(below[p], totals[p], shares[p]);
			counted = p;
		}
		else if (counted >= 0) /* as the promising neighbour: the safe side */
			memcpy(shares[p], shares[counted], sizeof(shares[p]));
		else
			for (int d = 0; d < HX_MISSES_DISTANCES; d++)
				shares[p][d] = 1;
	}
	for (int d = 0; d < HX_MISSES_DISTANCES; d++)
		make_monotone(shares, totals, d);
	for (int p = 0; p < HX_MISSES_PROMISES; p++)
		for (int d = 0; d < HX_MISSES_DISTANCES; d++)
			HxPackShare(shares[p][d], &table->cells[p][d]);
	pfree(shares);
}

/* Fill in the table's axes and cells. */
static void
fill_table(const HxScorer *cal, HxMisses *table)
{
	double(*below)[HX_MISSES_DISTANCES] =
		palloc(HX_MISSES_PROMISES * sizeof(*below));
	double totals[HX_MISSES_PROMISES];

	choose_axes(cal, table);
	for (int p = 0; p < HX_MISSES_PROMISES; p++)
		totals[p] = count_below(cal, table, p, below[p]);
	HxFillCells(below, totals, table);
}

/* Fit the table's safety factors to the searches that it came from. */
static void
fit_safety(const HxScorer *cal, HxMisses *table)
{
	HxLoadedMisses *misses = palloc(sizeof(HxLoadedMisses));
	HxTrace *traces = MemoryContextAllocHuge(
		CurrentMemoryContext, (Size) cal->nqueries * sizeof(HxTrace));

	HxUnpackMisses(table, misses);
	for (int q = 0; q < cal->nqueries; q++)
	{
		CHECK_FOR_INTERRUPTS();
		HxMakeTrace(misses, &cal->blocks, cal->promises[q], &cal->nearest[q],
					&traces[q]);
	}
	HxFitSafety(misses, traces, cal->nqueries, false, table);
}

HxScorer *
HxBeginScoring(Relation index, const HxIndexDesc *desc,
			   const HxSampleQuery *queries, int nqueries)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb calibration", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HxScorer *cal = palloc0(sizeof(HxScorer));

	cal->context = context;
	cal->index = index;
	cal->desc = desc;
	cal->samples = queries;
	cal->nqueries = nqueries;
	cal->promises = palloc0(Max(nqueries, 1) * sizeof(float *));
	cal->nearest = MemoryContextAllocHuge(
		CurrentMemoryContext, (Size) Max(nqueries, 1) * sizeof(HxTopRows));
	for (int q = 0; q < nqueries; q++)
		cal->nearest[q].count = 0;
	cal->distances = palloc(desc->capacity * sizeof(double));
	cal->counts = palloc0(COUNTS_SIZE);
	cal->steady = nqueries > 0 && read_promises(cal);
	fill_filter(cal);
	MemoryContextSwitchTo(old);
	return cal;
}

int
HxBlocksToScore(const HxScorer *cal)
{
	/* Queries without a direction have no distances to learn from. */
	if (!cal->steady || !isfinite(cal->promise_low) ||
		HxBlocksRows(&cal->blocks) < HX_MIN_CALIBRATION_ROWS)
		return 0;
	return cal->blocks.count;
}

bool
HxEndScoring(HxScorer *cal, HxMisses *table, uint64 *rows)
{
	MemoryContext old = MemoryContextSwitchTo(cal->context);
	bool done = HxBlocksToScore(cal) > 0;

	*rows = HxBlocksRows(&cal->blocks);
	if (done)
	{
		memset(table, 0, sizeof(*table));
		fill_table(cal, table);
		fit_safety(cal, table);
	}
	MemoryContextSwitchTo(old);
	HxFreeScorer(cal);
	return done;
}

void
HxFreeScorer(HxScorer *cal)
{
	MemoryContextDelete(cal->context);
}

bool
HxComputeMisses(Relation index, const HxIndexDesc *desc,
				const HxSampleQuery *queries, int nqueries, HxMisses *table,
				uint64 *rows)
{
	HxScorer *cal = HxBeginScoring(index, desc, queries, nqueries);

	Assert(HxHoldsStructure(index));
	HxScoreBlocks(cal, 0, HxBlocksToScore(cal));
	return HxEndScoring(cal, table, rows);
}

HxScorer *
HxBeginOwnScoring(Relation index, const HxIndexDesc *desc, int wanted)
{
	uint8 *payloads;
	uint64 *tids;
	int count = HxSampleRows(index, desc, wanted, 1, &payloads, &tids);
	HxSampleQuery *queries = palloc(Max(count, 1) * sizeof(HxSampleQuery));

	for (int q = 0; q < count; q++)
	{
		queries[q].query =
			HxPayloadOf(desc)->query_of_row(desc, payloads + q * desc->payload);
		queries[q].tid = tids[q];
	}
	return HxBeginScoring(index, desc, queries, count);
}

bool
HxComputeMissesFromRows(Relation index, const HxIndexDesc *desc, int wanted,
						HxMisses *table, uint64 *rows)
{
	HxScorer *cal = HxBeginOwnScoring(index, desc, wanted);

	Assert(HxHoldsStructure(index));
	HxScoreBlocks(cal, 0, HxBlocksToScore(cal));
	return HxEndScoring(cal, table, rows);
}

/* The metapage's table page, or a new one; exclusively locked. */
static Buffer
table_buffer(Relation index, const HxMeta *meta)
{
	bool reused;

	if (meta->misses != InvalidBlockNumber)
		return HxReadPage(index, meta->misses, BUFFER_LOCK_EXCLUSIVE,
						  HX_PAGE_MISSES);
	return HxNewBuffer(index, &reused);
}

void
HxNoteTable(HxMeta *meta, BlockNumber table, uint64 rows, HxCalibration how)
{
	Assert(BlockNumberIsValid(table));
	meta->misses = table;
	meta->rows_at_calibration = rows;
	meta->changes = meta->splits + meta->merges;
	meta->calibrations++;
	if (how == HX_CALIBRATED_RING)
		return;
	meta->rows_at_full = meta->rows_at_search = rows;
	meta->ring_start = meta->ring_next;
	if (how == HX_CALIBRATED_USER)
		meta->flags |= HX_META_OWN_QUERIES;
	else
		meta->flags &= ~HX_META_OWN_QUERIES;
}

void
HxStoreMisses(Relation index, const HxMisses *table, uint64 rows,
			  HxCalibration how)
{
	Buffer meta_buffer =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	Buffer buffer = table_buffer(index, HxPageMeta(BufferGetPage(meta_buffer)));
	GenericXLogState *state = GenericXLogStart(index);
	HxMeta *meta = HxPageMeta(GenericXLogRegisterBuffer(state, meta_buffer, 0));
	Page page =
		GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);

	Assert(HxHoldsStructure(index));
	HxInitPage(page, HX_PAGE_MISSES);
	*HxPageMisses(page) = *table;
	HxNoteTable(meta, BufferGetBlockNumber(buffer), rows, how);
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(meta_buffer);
}
