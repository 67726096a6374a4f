/*
 * search.c
 *	  The search loop: rows by (distance, TID), as many as are asked for.
 *
 * See README, "Search".  A search goes through stages.  The first keeps the
 * best 128 rows and releases them in groups; the second keeps some 900 more;
 * each later one is exact and keeps as many as work_mem holds.  A stage looks
 * only for rows above the last (distance, TID) emitted.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "index/search_state.h"

/* Rows kept in the first stage, and the groups they are released in */
#define FIRST_KEPT 128
static const int group_ends[] = {10, 20, 40, 80, FIRST_KEPT};

/* Rows after which a search is exact */
#define EXACT_AFTER 1024

/*
 * Of the rows that the filter rejects, those of so many blocks are scored, all
 * of them; then, in so many blocks, one in 8; and one in 32 beyond
 */
#define WHOLE_BLOCKS 8
#define SAMPLED_BLOCKS 64

/* Buckets of the counting sort by promise */
#define SORT_BUCKETS 1024

/* ---- candidates ---- */

/*
 * Insert into the heap, dropping the greatest if it is full.  Only then is it
 * made one: before, rows are collected in any order.
 */
static void
insert_heap(HxSearch *search, const HxCandidate *row)
{
	int room = search->room;

	if (search->nkept == room)
	{
		HxSiftDown(search->kept, room, 0, *row);
		return;
	}
	if (search->nkept == search->allocated)
	{
		search->allocated = Min(2 * search->allocated, room);
		search->kept = repalloc_huge(search->kept, (Size) search->allocated *
													   sizeof(HxCandidate));
	}
	search->kept[search->nkept++] = *row;
	if (search->nkept == room)
		for (int at = room / 2 - 1; at >= 0; at--)
			HxSiftDown(search->kept, room, at, search->kept[at]);
}

void
HxInsertRow(HxSearch *search, const HxCandidate *row)
{
	if (search->sorted)
		HxInsertSorted(search->kept, search->nemitted, &search->nkept,
					   search->room, row);
	else
		insert_heap(search, row);
}

/* ---- the directory ---- */

/* Room for an array that may be larger than a gigabyte. */
static void *
palloc_array_huge(Size count, Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, count * size);
}

/*
 * Sort the blocks by key: a counting sort over equal intervals between the
 * least and the greatest, which may be infinite where no bound is known.
 */
static void
sort_blocks(HxSearch *search)
{
	int start[SORT_BUCKETS + 1] = {0};
	int count = search->blocks.count;
	uint16 *bucket = palloc(Max(count, 1) * sizeof(uint16));
	/* By promise; an exact search by what it will be stopped by */
	const float *keys =
		search->exact ? search->blocks.bounds : search->blocks.promises;
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
		search->order[start[bucket[i]]++] = i;
	pfree(bucket);
}

/* Least bound of each block in the order and of all behind it. */
static void
set_min_bounds(HxSearch *search)
{
	float least = INFINITY;

	for (int i = search->blocks.count - 1; i >= 0; i--)
	{
		float bound = search->blocks.bounds[search->order[i]];

		if (isnan(bound))
			bound = -INFINITY;
		least = Min(least, bound);
		search->min_bound[i] = least;
	}
}

/* Is there no stop by expected misses in this search? */
static bool
must_be_exact(const HxSearch *search, uint64 nrows)
{
	return search->spec.recall >= 1 || search->in_nulls ||
		   !search->spec.query || !search->expect.usable ||
		   nrows > HX_MAX_GROWTH * search->rows_at_calibration;
}

/*
 * Drop the blocks that lie outside all balls.  The search's own query has its
 * bounds already.
 */
static void
drop_outside(HxSearch *search, const HxBalls *balls)
{
	HxBlocks *blocks = &search->blocks;
	const HxQuery **queries = palloc(balls->count * sizeof(HxQuery *));
	double *distances = palloc(balls->count * sizeof(double));
	int kept = 0;

	for (int b = 0; b < balls->count; b++)
	{
		queries[b] = balls->any[b].query;
		distances[b] = HxGreatestPassing(&balls->any[b].test);
	}
	if (balls->count == 1 && queries[0] == search->spec.query)
	{
		for (int i = 0; i < blocks->count; i++)
			if (!(blocks->bounds[i] > distances[0]))
				HxMoveBlock(blocks, i, kept++);
		blocks->count = kept;
	}
	else
		HxDropByDistance(search->index, &search->desc, queries, distances,
						 balls->count, blocks);
	pfree(queries);
	pfree(distances);
}

/*
 * Read the directory and drop what cannot hold rows that pass.  Among the rows
 * whose distance is NULL are those with a NULL vector, and with a NULL query
 * all others.
 */
static void
read_directory(HxSearch *search)
{
	const HxSearchSpec *spec = &search->spec;
	HxBlocks *blocks = &search->blocks;
	bool never = HxFilterIsNever(spec->filter);
	uint64 rows;

	HxFreeBlocks(blocks);
	rows = HxReadDirectoryFor(search->index, &search->desc, spec->query,
							  spec->filter, blocks);
	search->pruned = false;
	search->exact = must_be_exact(search, rows);
	if (spec->only_nulls || never || (search->in_nulls && spec->query))
		blocks->count = 0;
	if (!HxFilterIsTrivial(spec->filter))
		HxDropByZones(search->index, &search->desc, spec->filter, blocks);
	for (int b = 0; b < spec->nballs; b++)
		drop_outside(search, &spec->balls[b]);
	search->nrows = HxBlocksRows(blocks);
	/* What one value of the group leaves is too little for estimates. */
	if (search->desc.group > 0 && !HxFilterIsTrivial(spec->filter) &&
		search->nrows <= HX_EXACT_GROUP)
		search->exact = true;
	if (!spec->skip_nulls && !never && (search->in_nulls || !spec->ordered))
		HxAddNullBlock(blocks);

	search->stats.blocks = blocks->count;
	if (search->order)
		pfree(search->order);
	if (search->min_bound)
		pfree(search->min_bound);
	search->order = palloc_array_huge(blocks->count + 1, sizeof(int));
	search->min_bound = palloc_array_huge(blocks->count + 1, sizeof(float));
}

/* ---- stages ---- */

/* Rows that a stage keeps. */
static int
stage_room(const HxSearch *search)
{
	uint64 room;

	if (search->stage == 0)
		return FIRST_KEPT;
	if (search->stage == 1)
		return EXACT_AFTER - FIRST_KEPT;
	room = (uint64) work_mem * 1024 / sizeof(HxCandidate);
	room = Min(room, search->nrows + search->blocks.nulls.rows);
	return (int) Max(Min(room, INT_MAX / 2), EXACT_AFTER);
}

/* Put the blocks into the order of visits. */
static void
plan_visits(HxSearch *search)
{
	HxTally *tally = &search->tally;

	search->next = 0;
	sort_blocks(search);
	memset(tally->unvisited, 0, sizeof(tally->unvisited));
	if (search->exact)
	{
		set_min_bounds(search);
		return;
	}
	for (int i = 0; i < search->blocks.count; i++)
		tally->unvisited[HxBlockPromiseBin(search, i)] +=
			search->blocks.blocks[i].rows;
}

/* Begin a stage: nothing visited, nothing kept. */
void
HxStartStage(HxSearch *search)
{
	if (search->pruned)
		read_directory(search);
	search->limited = search->stage == 0 && HxCanLimit(search);
	if (search->stage == 0 && !search->limited &&
		(search->spec.limit > 0 || search->in_nulls))
		search->stage = 2;
	if (search->limited)
		HxStartLimited(search);
	if (search->stage > 1)
		search->exact = true;
	search->sorted = search->stage == 0 && !search->limited;
	search->nkept = search->nemitted = search->nready = 0;
	search->done.count = 0;
	search->room = stage_room(search);
	if (!search->kept)
	{
		search->allocated = EXACT_AFTER;
		search->kept = palloc(EXACT_AFTER * sizeof(HxCandidate));
	}
	memset(&search->tally, 0, sizeof(search->tally));
	search->tally.shares_of = get_float8_nan();
	plan_visits(search);
}

/*
 * A page had gone to another block: read the directory again, and go on with
 * the blocks that are not done with.  Those that took the place of a visited
 * one bring its rows a second time, which is harmless.  See README, "Scan and
 * split": why this ends.
 */
static void
refresh(HxSearch *search)
{
	HxBlocks *blocks = &search->blocks;
	bool exact = search->exact;
	int kept = 0;

	search->stats.restarts++;
	/* All but the last one, which was not visited whole */
	for (int i = 0; i < search->next - 1; i++)
		HxAddOwner(&search->done, blocks->blocks[search->order[i]].owner);
	HxSortOwners(&search->done);
	read_directory(search);
	search->exact |= exact;
	for (int i = 0; i < blocks->count; i++)
		if (!HxHasOwner(&search->done, blocks->blocks[i].owner))
			HxMoveBlock(blocks, i, kept++);
	blocks->count = kept;
	search->pruned = true;
	plan_visits(search);
}

/* ---- the loop ---- */

/* May the first `count` rows kept in this stage be released? */
static bool
settled(HxSearch *search, int count)
{
	if (search->nkept < count)
		return false;
	return HxIsSettled(
		search, search->kept[search->sorted ? count - 1 : 0].distance, count);
}

/* Of the rows that the filter rejects, one in how many is scored next? */
static int
sampled_rows(const HxSearch *search)
{
	if (search->next <= WHOLE_BLOCKS)
		return 1;
	return search->next <= SAMPLED_BLOCKS ? 8 : 32;
}

void
HxVisitNext(HxSearch *search)
{
	int at = search->order[search->next++];
	const HxBlock *block = &search->blocks.blocks[at];

	if (!search->exact)
		search->tally.unvisited[HxBlockPromiseBin(search, at)] -= block->rows;
	if (search->blocks.bounds[at] > HxWorstKept(search))
		return;
	if (search->next < search->blocks.count)
		HxPrefetchLines(
			search->index,
			search->blocks.blocks[search->order[search->next]].first,
			search->lines, search->nlines);
	if (!HxVisitBlock(search, block, sampled_rows(search)))
		refresh(search);
}

/* How many rows are to be released next, counted in this stage. */
static int
next_group_end(const HxSearch *search)
{
	if (search->sorted)
		for (int g = 0; g < lengthof(group_ends); g++)
			if (group_ends[g] > search->nemitted)
				return group_ends[g];
	return search->room;
}

/* Release more rows; false if there are none. */
static bool
release_more(HxSearch *search)
{
	if (search->limited)
	{
		if (!search->found)
			HxFindLimited(search);
		if (search->ranking) /* it would take too long */
			return true;
		if (search->nemitted < search->nready)
			return true;
		if (search->exhausted)
			return false;
		if (search->limited) /* more are asked for than were wanted */
		{
			search->stage = 2;
			HxStartStage(search);
		}
	}
	for (;;)
	{
		int end = next_group_end(search);
		bool complete;

		if (search->nemitted == search->room)
		{
			search->stage++;
			if (search->stage == 2)
				search->exact = true;
			HxStartStage(search);
			continue;
		}
		while (search->next < search->blocks.count && !settled(search, end))
			HxVisitNext(search);
		complete = search->next >= search->blocks.count;
		if (!search->sorted && search->nready == 0)
			qsort(search->kept, search->nkept, sizeof(HxCandidate),
				  HxCompareCandidates);
		search->nready = complete ? search->nkept : Min(end, search->nkept);
		if (search->nready > search->nemitted)
			return true;
		if (search->nkept < search->room)
			return false;
	}
}

/*
 * The next row of a search in sparse vectors.  Its rows are exact, so heap rows
 * need not be looked at before their turn.
 */
static bool
next_sparse(HxSearch *search, HxCandidate *row, bool *is_null)
{
	MemoryContext old = MemoryContextSwitchTo(search->context);
	bool found;

	do
		found = HxSparseNext(search->sparse, row, is_null);
	while (found && !HxCheckRow(search, row));
	MemoryContextSwitchTo(old);
	return found;
}

bool
HxSearchNext(HxSearch *search, HxCandidate *row, bool *is_null)
{
	MemoryContext old;
	bool found = false;

	if (search->sparse)
		return next_sparse(search, row, is_null);
	old = MemoryContextSwitchTo(search->context);
	while (!found)
	{
		if (search->ranking)
		{
			found = HxRankingNext(search, row, is_null);
			MemoryContextSwitchTo(old);
			return found;
		}
		if (search->nemitted < search->nready)
		{
			*row = search->limited ? search->best.rows[search->nemitted]
								   : search->kept[search->nemitted];
			search->nemitted++;
			/* A row that was in two blocks while it moved comes once. */
			if (search->has_last && !HxPrecedes(&search->last, row))
				continue;
			/* Nor does one that fails, in a later stage. */
			search->last = *row;
			search->has_last = true;
			found = HxCheckRow(search, row);
		}
		else if (!release_more(search))
		{
			if (search->in_nulls || search->spec.skip_nulls)
				break;
			search->in_nulls = true;
			search->has_last = false;
			search->stage = 0;
			read_directory(search);
			HxStartStage(search);
		}
	}
	if (found)
	{
		search->returned++;
		*is_null = search->in_nulls;
	}
	MemoryContextSwitchTo(old);
	return found;
}

int64
HxSearchNextBlock(HxSearch *search, ItemPointerData **tids)
{
	MemoryContext old;

	if (search->sparse)
		return HxSparseNextRows(search->sparse, tids);
	old = MemoryContextSwitchTo(search->context);
	search->ntids = 0;
	while (search->ntids == 0 && search->next < search->blocks.count)
	{
		HxBlock *block = &search->blocks.blocks[search->order[search->next++]];

		if (!HxVisitBlock(search, block, 8))
		{
			search->ntids = 0;
			refresh(search);
		}
	}
	MemoryContextSwitchTo(old);
	*tids = search->tids;
	return search->ntids;
}

/* Begin a search in sparse vectors, of which only the rows are like codes'. */
static void
begin_sparse(HxSearch *search)
{
	if (HxShouldRank(search))
	{
		HxStartRanking(search);
		return;
	}
	search->sparse = HxSparseBeginSearch(search->index, &search->desc,
										 &search->spec, &search->stats);
	HxPlanPrefetch(search);
	HxSparsePrefetch(search->sparse, search->lines, search->nlines);
}

/* Get ready to visit blocks: what a ranking of heap rows does without. */
static void
begin_blocks(HxSearch *search, const HxMeta *meta)
{
	const HxSearchSpec *spec = &search->spec;
	int rows = search->desc.capacity;

	if (spec->ordered && spec->query && spec->recall < 1)
	{
		HxLoadExpect(search->index, meta, &search->expect);
		search->safety = HxSafety(&search->expect, spec->recall);
		search->bin_scale =
			1 / (search->expect.promise_step * spec->query->unit);
		search->bin_offset =
			0.5 - search->expect.promise_low / search->expect.promise_step;
	}
	search->mask = palloc((rows + 63) / 64 * sizeof(uint64));
	search->inside = palloc((rows + 63) / 64 * sizeof(uint64));
	search->distances = palloc(rows * sizeof(double));
	search->tids_room = rows;
	search->tids = palloc(rows * sizeof(ItemPointerData));
	HxPlanPrefetch(search);
}

HxSearch *
HxBeginSearch(Relation index, const HxIndexDesc *desc, const HxSearchSpec *spec)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb search", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HxSearch *search = palloc0(sizeof(HxSearch));
	HxMeta meta;

	search->context = context;
	search->index = index;
	search->desc = *desc;
	search->spec = *spec;
	HxInitChecked(&search->checked, (Size) work_mem * 1024 / 4);
	search->stats.way =
		spec->tids && !spec->near ? HX_WAY_BITMAP : HX_WAY_BLOCKS;
	search->stats.lossy = spec->tids ? HxTidSetLossy(spec->tids) : 0;
	if (HxIsSparse(desc))
	{
		begin_sparse(search);
		MemoryContextSwitchTo(old);
		return search;
	}
	/* A base backup brings marks that older snapshots here must not heed */
	search->see_dead = TransactionStartedDuringRecovery();
	HxReadMeta(index, &meta);
	search->desc.group = meta.group;
	search->rows_at_calibration = meta.rows_at_calibration;
	search->in_nulls = spec->ordered && !spec->query;
	if (HxShouldRank(search))
		HxStartRanking(search);
	else
	{
		begin_blocks(search, &meta);
		read_directory(search);
		HxStartStage(search);
	}
	MemoryContextSwitchTo(old);
	return search;
}

const HxSearchStats *
HxSearchGetStats(const HxSearch *search)
{
	return &search->stats;
}

void
HxEndSearch(HxSearch *search)
{
	MemoryContextDelete(search->context);
}
