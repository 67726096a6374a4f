/*
 * search.c
 *	  Searching blocks: the members of kind.h.
 *
 * See README, "Search".  Blocks are visited in the order of their promises, or of
 * their bounds if the search is exact.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "index/blocks/blocks.h"
#include "index/blocks/recall/visited.h"
#include "index/blocks/search/state.h"
#include "index/blocks/store/span.h"
#include "index/cost_units.h"

/*
 * Of the rows that the filter rejects, a sample is scored: all of them in the
 * first WHOLE_BLOCKS blocks, then one in 8 in SAMPLED_BLOCKS blocks, and one in
 * 32 beyond
 */
#define WHOLE_BLOCKS 8
#define SAMPLED_BLOCKS 64

/* Buckets of the counting sort by promise */
#define SORT_BUCKETS 1024

/* Blocks that the arrays kept from search to search have room for, at most */
#define MOST_KEPT 16384

/* ---- arrays ---- */

/*
 * Arrays that no search uses, if there are any.  Were they freed with each search,
 * their pages would go back to the system every time, and come anew one by one:
 * that takes a sixth of a short search.
 */
static HxVisitArrays kept_arrays;

/* A search ends, or is given up: keep its arrays for the next one, or free them. */
static void
give_arrays(void *arg)
{
	HxVisitArrays *arrays = arg;

	if (!kept_arrays.order && arrays->room == arrays->blocks.room &&
		arrays->room <= MOST_KEPT)
	{
		kept_arrays = *arrays;
		return;
	}
	HxFreeBlocks(&arrays->blocks);
	if (arrays->order)
		pfree(arrays->order);
	if (arrays->min_bound)
		pfree(arrays->min_bound);
	if (arrays->bucket)
		pfree(arrays->bucket);
}

/* An array with room for some elements, in place of another */
static void *
renew_array(void *array, Size count, Size size)
{
	void *renewed = MemoryContextAllocHuge(TopMemoryContext, count * size);

	if (array)
		pfree(array);
	return renewed;
}

/* Have room to put the blocks that were read in order. */
static void
reserve_order(HxVisitArrays *arrays)
{
	int room = arrays->blocks.room;

	if (room <= arrays->room)
		return;
	arrays->order = renew_array(arrays->order, room, sizeof(int));
	arrays->min_bound = renew_array(arrays->min_bound, room, sizeof(float));
	arrays->bucket = renew_array(arrays->bucket, room, sizeof(uint16));
	arrays->room = room;
}

/*
 * Take the arrays that are kept, or new ones, until the search's memory is freed,
 * which it is after an error, too.
 */
static void
take_arrays(HxBlocksSearch *search)
{
	HxVisitArrays *arrays = &search->arrays;
	MemoryContextCallback *callback =
		MemoryContextAllocZero(search->base.context, sizeof(*callback));

	MemoryContext old;

	Assert(!arrays->blocks.blocks);
	*arrays = kept_arrays;
	memset(&kept_arrays, 0, sizeof(kept_arrays));
	callback->func = give_arrays;
	callback->arg = arrays;
	MemoryContextRegisterResetCallback(search->base.context, callback);
	old = MemoryContextSwitchTo(TopMemoryContext);
	HxReserveBlocks(&arrays->blocks, &search->meta);
	MemoryContextSwitchTo(old);
}

/* ---- the directory ---- */

/*
 * Sort the blocks by key: a counting sort over equal intervals between the
 * least and the greatest, which may be infinite where no bound is known.
 */
static void
sort_blocks(HxBlocksSearch *search)
{
	int start[SORT_BUCKETS + 1] = {0};
	int count = search->nvectors;
	uint16 *bucket = search->arrays.bucket;
	/* By promise; an exact search by what it will be stopped by, if anything */
	const float *keys = search->base.exact && !search->base.refine
							? search->arrays.blocks.bounds
							: search->arrays.blocks.promises;
	float low = FLT_MAX;
	float high = -FLT_MAX;
	float scale;

	for (int i = 0; i < count; i++)
	{
		low = keys[i] < low && keys[i] >= -FLT_MAX ? keys[i] : low;
		high = keys[i] > high && keys[i] <= FLT_MAX ? keys[i] : high;
	}
	scale = high > low ? (SORT_BUCKETS - 1) / (high - low) : 0;
	for (int i = 0; i < count; i++)
	{
		float at = (keys[i] - low) * scale;

		/* Also where the key is NaN or the difference overflows */
		if (!(at > 0))
			at = 0;
		bucket[i] = (uint16) Min(at, SORT_BUCKETS - 1);
		start[bucket[i] + 1]++;
	}
	for (int b = 0; b < SORT_BUCKETS; b++)
		start[b + 1] += start[b];
	for (int i = 0; i < count; i++)
		search->arrays.order[start[bucket[i]]++] = i;
	Assert(start[SORT_BUCKETS - 1] == count);
}

/* Least bound of each block in the order and of all behind it. */
static void
set_min_bounds(HxBlocksSearch *search)
{
	float least = INFINITY;

	Assert(search->base.exact);
	for (int i = search->nvisits - 1; i >= 0; i--)
	{
		float bound = search->arrays.blocks.bounds[search->arrays.order[i]];

		if (isnan(bound))
			bound = -INFINITY;
		least = Min(least, bound);
		search->arrays.min_bound[i] = least;
	}
}

/* Is there no stop by expected misses in this search? */
static bool
must_be_exact(const HxBlocksSearch *search, uint64 nrows)
{
	return !search->misses.usable ||
		   nrows > HX_MAX_GROWTH * search->rows_at_calibration;
}

/*
 * Drop the blocks that lie outside all balls.  The search's own query has its
 * bounds already.
 */
static void
drop_outside(HxBlocksSearch *search, const HxBalls *balls)
{
	HxBlocks *blocks = &search->arrays.blocks;
	const HxQuery **queries = palloc(balls->count * sizeof(HxQuery *));
	double *distances = palloc(balls->count * sizeof(double));
	int kept = 0;

	Assert(balls->count > 0);
	for (int b = 0; b < balls->count; b++)
	{
		queries[b] = balls->any[b].query;
		distances[b] = HxGreatestPassing(&balls->any[b].test);
	}
	if (balls->count == 1 && queries[0] == search->base.spec.query)
	{
		for (int i = 0; i < blocks->count; i++)
			if (!(blocks->bounds[i] > distances[0]))
				HxMoveBlock(blocks, i, kept++);
		blocks->count = kept;
	}
	else
		HxDropByDistance(search->base.index, &search->base.desc, queries,
						 distances, balls->count, blocks);
	pfree(queries);
	pfree(distances);
}

/*
 * Read the directory and drop what cannot hold rows that pass.
 */
static void
read_directory(HxBlocksSearch *search)
{
	const HxSearchSpec *spec = &search->base.spec;
	HxBlocks *blocks = &search->arrays.blocks;
	bool never = HxFilterIsNever(spec->filter);
	uint64 rows;

	if (!blocks->blocks)
		take_arrays(search);
	rows = HxReadDirectoryFor(search->base.index, &search->base.desc,
							  spec->query, spec->filter, blocks);
	search->pruned = false;
	search->is_read = true;
	search->must_be_exact = must_be_exact(search, rows);
	if (spec->only_nulls || never)
		blocks->count = 0;
	if (!HxFilterIsTrivial(spec->filter))
		HxDropByZones(search->base.index, &search->base.desc, spec->filter,
					  blocks);
	for (int b = 0; b < spec->nballs; b++)
		drop_outside(search, &spec->balls[b]);
	search->base.nrows = HxBlocksRows(blocks);
	/* What one value of the group leaves is too little for estimates. */
	if (HxIsGrouped(&search->base.desc) && !HxFilterIsTrivial(spec->filter) &&
		search->base.nrows <= HX_EXACT_GROUP)
		search->must_be_exact = true;
	search->nvectors = blocks->count;
	search->base.stats.blocks = Max(search->base.stats.blocks,
									(uint64) blocks->total + !spec->skip_nulls);
	if (!spec->skip_nulls && !never)
		HxAddNullBlock(blocks);
	Assert(blocks->count - search->nvectors <= 1);
	reserve_order(&search->arrays);
}

/* ---- counting visits ---- */

static int
compare_visits(const void *a, const void *b)
{
	uint64 left = *(const uint64 *) a;
	uint64 right = *(const uint64 *) b;

	return left < right ? -1 : left > right;
}

/* Drop from the list of visits those to blocks that are in it already. */
static void
merge_visits(HxBlocksSearch *search)
{
	HxOwners *visits = &search->visits;
	int distinct = 0;

	if (visits->count > 0)
		qsort(visits->owners, visits->count, sizeof(uint64), compare_visits);
	for (int i = 0; i < visits->count; i++)
		if (distinct == 0 || visits->owners[distinct - 1] != visits->owners[i])
			visits->owners[distinct++] = visits->owners[i];
	Assert(distinct <= visits->count);
	search->base.stats.again += visits->count - distinct;
	visits->count = search->ndistinct = distinct;
}

/*
 * Blocks may be visited again from now on.  The list of visits is kept short: it
 * never has more than twice the blocks that there are, and some.
 */
static void
note_restart(HxBlocksSearch *search)
{
	search->restarted = true;
	if (search->visits.count > 2 * search->ndistinct)
		merge_visits(search);
}

/* ---- phases ---- */

/*
 * Put the blocks of this part of the search into the order of visits.  Among the
 * rows whose distance is NULL are those with a NULL vector, and with a NULL query
 * all others.
 */
static void
plan_visits(HxBlocksSearch *search)
{
	const HxSearch *base = &search->base;
	HxTally *tally = &search->tally;
	bool with_nulls = base->part == HX_PART_NULLS || !base->spec.ordered;

	search->next = search->nvisits = 0;
	if (base->part != HX_PART_NULLS || !base->spec.query)
	{
		sort_blocks(search);
		search->nvisits = search->nvectors;
	}
	if (with_nulls && search->nvectors < search->arrays.blocks.count)
		search->arrays.order[search->nvisits++] = search->nvectors;
	Assert(search->nvisits <= search->arrays.blocks.count);
	memset(tally->unvisited, 0, sizeof(tally->unvisited));
	memset(tally->places, 0, sizeof(tally->places));
	tally->shares_of = get_float8_nan();
	tally->inside_of = -1;
	if (base->exact)
	{
		set_min_bounds(search);
		return;
	}
	for (int i = 0; i < search->nvectors; i++)
		tally->unvisited[HxBlockPromiseBin(search, i)] +=
			search->arrays.blocks.blocks[i].rows;
	memcpy(tally->rows, tally->unvisited, sizeof(tally->rows));
}

/* Load what tells expected misses. */
static void
load_misses(HxBlocksSearch *search)
{
	const HxSearchSpec *spec = &search->base.spec;

	if (!spec->ordered || !spec->query || spec->query->exact ||
		spec->recall >= 1)
		return;
	HxLoadMisses(search->base.index, &search->meta, &search->misses);
	HxSafetyFor(&search->misses, search->base.recall, &search->safety);
	search->bin_scale =
		1 / (search->misses.promise_step * HxUnitOf(spec->query));
	search->bin_offset =
		0.5 - search->misses.promise_low / search->misses.promise_step;
}

void
HxStartBlocksPhase(HxSearch *base)
{
	HxBlocksSearch *search = (HxBlocksSearch *) base;

	Assert(HxHoldsNoPage());
	if (search->visits.count > 0)
		note_restart(search);
	if (!search->is_read)
		load_misses(search);
	if (!search->is_read || search->pruned)
		read_directory(search);
	base->exact |= search->must_be_exact;
	search->done.count = 0;
	memset(&search->tally, 0, sizeof(search->tally));
	search->gone = 0;
	plan_visits(search);
}

/*
 * A page had gone to another block: read the directory again, and go on with
 * the blocks that are not done with.  Those that took the place of a visited
 * one bring its rows a second time, which is harmless.  See README, "Scan and
 * split": why this ends.
 */
static void
refresh(HxBlocksSearch *search)
{
	HxBlocks *blocks = &search->arrays.blocks;
	int kept = 0;

	Assert(search->next > 0 && HxHoldsNoPage());
	search->base.stats.restarts++;
	search->base.ntids = 0; /* those of a block that was not visited whole */
	note_restart(search);
	/* All but the last one, which was not visited whole */
	for (int i = 0; i < search->next - 1; i++)
		HxAddOwner(&search->done,
				   blocks->blocks[search->arrays.order[i]].owner);
	HxSortOwners(&search->done);
	read_directory(search);
	search->base.exact |= search->must_be_exact;
	for (int i = 0, vectors = search->nvectors; i < blocks->count; i++)
		if (!HxHasOwner(&search->done, blocks->blocks[i].owner))
			HxMoveBlock(blocks, i, kept++);
		else if (i < vectors)
			search->nvectors--;
	blocks->count = kept;
	search->pruned = true;
	plan_visits(search);
}

/* ---- the loop ---- */

/* Of the rows that the filter rejects, one in how many is scored next? */
static int
sampled_rows(const HxBlocksSearch *search)
{
	if (search->next <= WHOLE_BLOCKS)
		return 1;
	return search->next <= SAMPLED_BLOCKS ? 8 : HX_SPARSEST_SAMPLE;
}

bool
HxHasMoreBlocks(const HxSearch *base)
{
	const HxBlocksSearch *search = (const HxBlocksSearch *) base;

	return search->next < search->nvisits;
}

/*
 * A block of some rows is visited, which ends at a place on the way, and whose promise
 * has row `bin` of the table.
 */
static inline void
count_visit(HxTally *tally, int bin, uint32 rows, double place)
{
	tally->unvisited[bin] -= rows;
	tally->places[bin] += rows * place;
	if (!isnan(tally->shares_of))
	{
		tally->expected += rows * tally->shares[bin];
		tally->to_come -= rows * tally->shares[bin];
		tally->placed += rows * place * tally->shares[bin];
	}
	if (tally->inside_of >= 0)
		tally->inside -= rows * tally->inner[bin];
}

/* A block is visited whose promise has a bin: if it is a new one, note what was seen before. */
static inline void
note_bin(HxTally *tally, int bin)
{
	for (int b = Max(tally->bin + 1, bin - HX_LATE_BINS); b <= bin; b++)
		tally->before[b % lengthof(tally->before)] = tally->seen;
	tally->bin = Max(tally->bin, bin);
}

/* Visit the next block of the order, if it can matter. */
void
HxVisitNextBlock(HxSearch *base)
{
	HxBlocksSearch *search = (HxBlocksSearch *) base;
	int at = search->arrays.order[search->next++];
	const HxBlock *block = &search->arrays.blocks.blocks[at];

	Assert(search->next <= search->nvisits && at < search->arrays.blocks.count);
	if (!base->exact)
	{
		int bin = HxBlockPromiseBin(search, at);

		search->gone += block->rows;
		if (HxIsMasked(search))
			note_bin(&search->tally, bin);
		count_visit(&search->tally, bin, block->rows, search->gone);
		base->met = HxPackPosition(search->gone);
	}
	if (search->arrays.blocks.bounds[at] > base->best.worst)
		return;
	if (HxHasMoreBlocks(base))
	{
		const HxBlock *following =
			&search->arrays.blocks.blocks[search->arrays.order[search->next]];

		HxPrefetchRows(base, following->first, following->rows);
	}
	if (!HxVisitBlock(search, block, sampled_rows(search)))
		refresh(search);
}

/* Count a row that failed for the estimate of who passes near the query. */
void
HxNoteFailedRow(HxSearch *base, double distance)
{
	HxBlocksSearch *search = (HxBlocksSearch *) base;

	Assert(base->phase == HX_FIND_FIRST);
	Assert(base->exact || base->spec.query);
	if (!base->exact)
		search->tally.failed_at[HxDistanceBin(
			&search->misses, distance / HxUnitOf(base->spec.query))]++;
}

/*
 * Count the blocks visited.  One that has been split meanwhile may be counted as
 * three, more than there were at any time: then some are taken for visited again.
 */
void
HxCountVisitedBlocks(HxSearch *base)
{
	HxBlocksSearch *search = (HxBlocksSearch *) base;
	uint64 visited;

	if (search->restarted)
		merge_visits(search);
	visited = search->visits.count;
	base->stats.visited = Min(visited, base->stats.blocks);
}

/* ---- begin ---- */

double
HxBlocksEffort(const HxSearch *base, double passing)
{
	const HxBlocksSearch *search = (const HxBlocksSearch *) base;
	double rows = Max((double) search->rows_at_calibration, 1);
	double share = 1;

	if (base->spec.limit > 0)
		share = HxVisitedShare(HxVisitsOf(base->index), rows, base->spec.limit,
							   passing / rows, base->spec.recall);
	return share * rows * (HX_ROW_TIME + HX_LOOKUP_TIME);
}

void
HxBeginBlocksSearch(HxSearch *base)
{
	HxBlocksSearch *search = (HxBlocksSearch *) base;
	const HxSearchSpec *spec = &base->spec;

	/* Of codes, all distances from a query are NaN, or none. */
	base->nans_apart = HxKindOf(&base->desc)->refine && spec->ordered &&
					   spec->nans_first && spec->query &&
					   spec->query->metric == HX_COSINE;
	search->masks[0] = base->mask;
	search->masks[1] = palloc(HxMaskWords(&base->desc) * sizeof(uint64));
	search->gathered = palloc(base->desc.capacity * base->desc.payload);
	search->gathered_rows = palloc(base->desc.capacity * sizeof(int));
	HxReadMeta(base->index, &search->meta);
	base->desc.group = search->meta.group;
	search->rows_at_calibration = search->meta.rows_at_calibration;
	/* As long as the directory is not read, which may never be */
	base->stats.blocks =
		search->meta.blocks - Min(search->meta.merges, search->meta.blocks);
}
