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

#include "index/sparse.h"

/* Rows kept in the first stage, and the groups they are released in */
#define FIRST_KEPT 128
static const int group_ends[] = {10, 20, 40, 80, FIRST_KEPT};

/* Rows after which a search is exact */
#define EXACT_AFTER 1024

/* Blocks in which rows that the filter rejects are scored, all of them ... */
#define SAMPLED_BLOCKS 32
/* ... and beyond, one row in */
#define SAMPLED_ROWS 8

/* Share of the rows after which the rest is visited too */
#define VISIT_REST 0.75

/* Buckets of the counting sort by promise */
#define SORT_BUCKETS 1024

/* What the stop rule knows, by bins of the table */
typedef struct Tally
{
	double unvisited[HX_TABLE_PROMISES];  /* rows of blocks not visited */
	double seen_at[HX_TABLE_DISTANCES];	  /* rows seen by distance */
	double passed_at[HX_TABLE_DISTANCES]; /* of these, rows that passed */
	double seen;						  /* all rows seen */
	double passed;						  /* all that passed */
	double shares[HX_TABLE_PROMISES];	  /* shares below `shares_of` */
	double shares_of;					  /* distance */
} Tally;

struct HxSearch
{
	Relation index;
	HxIndexDesc desc;
	HxSearchSpec spec;
	HxExpect expect;
	bool exact;		  /* no stop by expected misses */
	double safety;	  /* factor on expected misses */
	float bin_scale;  /* promise to row of the table */
	float bin_offset; /* likewise */
	uint64 nrows;	  /* rows of all blocks that the filter may pass */
	uint64 rows_at_calibration; /* rows that the table was made from */
	HxBlocks blocks;
	bool pruned;	  /* blocks lacks those done with ... */
	HxOwners done;	  /* ... whose owners are these */
	int *order;		  /* blocks in the order of visits */
	float *min_bound; /* exact: least bound of order[i] and all behind */
	int next;		  /* next block in order */
	int stage;
	bool in_nulls;	  /* now among the rows whose distance is NULL */
	bool see_dead;	  /* marks of dead rows do not count */
	BlockNumber page; /* rows page being read */

	HxCandidate *kept; /* best rows of this stage */
	int allocated;	   /* room there is */
	int room;		   /* how many are kept at most */
	int nkept;
	bool sorted;	  /* kept is sorted; else a heap once it is full */
	int nemitted;	  /* of kept */
	int nready;		  /* of kept, may be emitted */
	bool has_last;	  /* something was emitted ... */
	HxCandidate last; /* ... this last */

	Tally tally;
	HxSearchStats stats;

	uint64 *mask;			/* rows of a page that pass */
	double *distances;		/* distances of a page's rows */
	HxSparseSearch *sparse; /* of sparse vectors: all that is used */
	ItemPointerData *tids;	/* rows of a block, for searches not ordered */
	int64 ntids;
	int64 tids_room;
	MemoryContext context;
};

/* ---- candidates ---- */

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

/* Insert into the sorted array, dropping the last if it is full. */
static void
insert_sorted(HxSearch *search, const HxCandidate *row)
{
	int low = search->nemitted;
	int high = search->nkept;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (precedes(&search->kept[middle], row))
			low = middle + 1;
		else
			high = middle;
	}
	if (low < search->nkept && search->kept[low].tid == row->tid &&
		search->kept[low].distance == row->distance)
		return;
	if (search->nkept < search->room)
		search->nkept++;
	memmove(&search->kept[low + 1], &search->kept[low],
			(search->nkept - 1 - low) * sizeof(HxCandidate));
	search->kept[low] = *row;
}

/* Sift a row down from a place in the heap (greatest first). */
static void
sift_down(HxCandidate *heap, int count, int at, HxCandidate row)
{
	for (;;)
	{
		int child = 2 * at + 1;

		if (child >= count)
			break;
		if (child + 1 < count && precedes(&heap[child], &heap[child + 1]))
			child++;
		if (!precedes(&row, &heap[child]))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = row;
}

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
		sift_down(search->kept, room, 0, *row);
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
			sift_down(search->kept, room, at, search->kept[at]);
}

/* Take note of a row that passes the filter. */
static inline void
consider(HxSearch *search, double distance, const ItemPointerData *tid)
{
	HxCandidate row;

	row.page = search->page;
	row.distance = isnan(distance) ? get_float8_infinity() : distance;
	if (search->nkept == search->room)
	{
		const HxCandidate *worst =
			&search->kept[search->sorted ? search->nkept - 1 : 0];

		if (row.distance > worst->distance)
			return;
		row.tid = HxPackTid(tid);
		if (!precedes(&row, worst))
			return;
	}
	else
		row.tid = HxPackTid(tid);
	if (search->has_last && !precedes(&search->last, &row))
	{
		search->stats.dropped++;
		return;
	}
	if (search->sorted)
		insert_sorted(search, &row);
	else
		insert_heap(search, &row);
}

/* ---- visiting a block ---- */

/* Clear the mask bits of rows outside a ball. */
static void
apply_ball(HxSearch *search, const HxWithin *ball, const HxRowArrays *rows)
{
	search->desc.vector->methods->distances(ball->query, rows->payloads,
											rows->count, search->distances);
	for (int i = 0; i < rows->count; i++)
		if (!(search->distances[i] <= ball->radius))
			search->mask[i / 64] &= ~(UINT64CONST(1) << (i % 64));
}

/* Which rows of a page pass all conditions; returns how many. */
static int
build_mask(HxSearch *search, const HxRowArrays *rows)
{
	int words = (rows->count + 63) / 64;
	int passed = 0;

	if (rows->count == 0)
		return 0;
	for (int w = 0; w < words; w++)
		search->mask[w] = search->see_dead ? ~UINT64CONST(0) : ~rows->dead[w];
	if (rows->count % 64)
		search->mask[words - 1] &= (UINT64CONST(1) << (rows->count % 64)) - 1;
	if (!HxFilterIsTrivial(search->spec.filter))
		HxFilterRows(search->spec.filter, &rows->columns, search->mask);
	for (int b = 0; b < search->spec.nballs; b++)
		apply_ball(search, &search->spec.balls[b], rows);
	for (int w = 0; w < words; w++)
		passed += pg_popcount64(search->mask[w]);
	return passed;
}

static inline bool
row_passes(const HxSearch *search, int row)
{
	return (search->mask[row / 64] >> (row % 64)) & 1;
}

/* Count a scored row for the estimate of who passes near the query. */
static inline void
tally_row(HxSearch *search, double distance, bool passes, double weight)
{
	int bin =
		HxDistanceBin(&search->expect, distance / search->spec.query->unit);

	search->tally.seen_at[bin] += weight;
	if (passes)
		search->tally.passed_at[bin] += weight;
}

/* Distance above which a row is not kept; only ever falls within a stage. */
static inline double
worst_kept(const HxSearch *search)
{
	if (search->nkept < search->room)
		return get_float8_infinity();
	return search->kept[search->sorted ? search->nkept - 1 : 0].distance;
}

/* Score every row of a page in one kernel call. */
static void
score_all(HxSearch *search, const HxRowArrays *rows, bool tally)
{
	const double *distances = search->distances;
	double worst = worst_kept(search);

	search->desc.vector->methods->distances(search->spec.query, rows->payloads,
											rows->count, search->distances);
	search->stats.scored += rows->count;
	if (tally)
		for (int i = 0; i < rows->count; i++)
			tally_row(search, distances[i], row_passes(search, i), 1);
	for (int i = 0; i < rows->count; i++)
	{
		if (distances[i] > worst || !row_passes(search, i))
			continue;
		consider(search, distances[i], &rows->tids[i]);
		worst = worst_kept(search);
	}
}

/* Score the rows that pass one by one, and a sample of the others. */
static void
score_passing(HxSearch *search, const HxRowArrays *rows, bool tally)
{
	const HxVectorMethods *methods = search->desc.vector->methods;
	Size payload = search->desc.payload;

	for (int w = 0; w * 64 < rows->count; w++)
	{
		uint64 passing = search->mask[w];
		uint64 sampled = passing;

		if (tally)
			sampled |= UINT64CONST(0x0101010101010101);
		if (w == rows->count / 64)
			sampled &= (UINT64CONST(1) << (rows->count % 64)) - 1;
		while (sampled)
		{
			int row = w * 64 + pg_rightmost_one_pos64(sampled);
			bool passes = row_passes(search, row);
			double distance;

			sampled &= sampled - 1;
			methods->distances(search->spec.query,
							   rows->payloads + row * payload, 1, &distance);
			search->stats.scored++;
			if (tally)
				tally_row(search, distance, passes, passes ? 1 : SAMPLED_ROWS);
			if (passes)
				consider(search, distance, &rows->tids[row]);
		}
	}
}

/* Score a page's rows that pass, and some that do not where that helps. */
static void
score_page(HxSearch *search, const HxRowArrays *rows, bool nearest)
{
	int passed = build_mask(search, rows);
	bool filtered =
		!HxFilterIsTrivial(search->spec.filter) || search->spec.nballs > 0;
	bool tally = filtered && !search->exact && search->spec.query;

	search->tally.seen += rows->count;
	search->tally.passed += passed;
	search->stats.filtered += rows->count - passed;
	if (!search->spec.query || search->in_nulls)
	{
		for (int i = 0; i < rows->count; i++)
			if (row_passes(search, i))
				consider(search, 0, &rows->tids[i]);
	}
	else if (!filtered || (tally && nearest) || passed * 3 > rows->count)
		score_all(search, rows, tally);
	else
		score_passing(search, rows, tally);
}

/* Add the TIDs of a page's rows that pass to those of the block. */
static void
collect_page(HxSearch *search, const HxRowArrays *rows)
{
	int passed = build_mask(search, rows);

	search->stats.filtered += rows->count - passed;
	if (search->ntids + passed > search->tids_room)
	{
		search->tids_room = Max(search->tids_room * 2, search->ntids + passed);
		search->tids = repalloc_huge(search->tids, search->tids_room *
													   sizeof(ItemPointerData));
	}
	for (int i = 0; i < rows->count; i++)
		if (row_passes(search, i))
			search->tids[search->ntids++] = rows->tids[i];
}

/*
 * Visit a block, a page at a time under its share lock, which is kept until
 * the next page is locked: a page on the way could otherwise be unlinked and
 * come back as the chain's end, and what stands between would be passed over.
 * False if a page has gone to another block meanwhile: what was collected is
 * not all.
 */
static bool
visit_block(HxSearch *search, const HxBlock *block, bool nearest)
{
	BlockNumber next = block->first;
	Buffer before = InvalidBuffer;
	uint32 steps = 0;

	search->stats.visited++;
	while (next != InvalidBlockNumber)
	{
		Buffer buffer =
			HxReadRows(search->index, &search->desc, next, block->owner);
		HxRowArrays rows;

		HxPrefetchPage(search->index, next + 1); /* most chains are runs */
		if (BufferIsValid(before))
			UnlockReleaseBuffer(before);
		if (!BufferIsValid(buffer))
		{
			HxCheckChain(search->index, &search->desc, block);
			return false;
		}
		HxCountStep(search->index, next, &steps);
		search->page = next;
		HxRowArraysOf(&search->desc, BufferGetPage(buffer), &rows);
		if (search->spec.ordered)
			score_page(search, &rows, nearest);
		else
			collect_page(search, &rows);
		next = HxPageOpaque(BufferGetPage(buffer))->next;
		before = buffer;
	}
	if (BufferIsValid(before))
		UnlockReleaseBuffer(before);
	return true;
}

/* ---- the directory ---- */

/* Row of the table for a block. */
static inline int
promise_bin(const HxSearch *search, int block)
{
	float bin =
		search->blocks.promises[block] * search->bin_scale + search->bin_offset;

	if (!(bin > 0))
		return 0;
	return bin >= HX_TABLE_PROMISES ? HX_TABLE_PROMISES - 1 : (int) bin;
}

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

	HxFreeBlocks(blocks);
	HxReadDirectory(search->index, &search->desc, spec->query, blocks);
	search->pruned = false;
	search->exact = must_be_exact(search, HxBlocksRows(blocks));
	if (spec->only_nulls || never || (search->in_nulls && spec->query))
		blocks->count = 0;
	if (!HxFilterIsTrivial(spec->filter))
		HxDropByZones(search->index, &search->desc, spec->filter, blocks);
	for (int b = 0; b < spec->nballs; b++)
		HxDropByBall(search->index, &search->desc, spec->balls[b].query,
					 spec->balls[b].radius, blocks);
	search->nrows = HxBlocksRows(blocks);
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
	Tally *tally = &search->tally;

	search->next = 0;
	sort_blocks(search);
	memset(tally->unvisited, 0, sizeof(tally->unvisited));
	if (search->exact)
	{
		set_min_bounds(search);
		return;
	}
	for (int i = 0; i < search->blocks.count; i++)
		tally->unvisited[promise_bin(search, i)] +=
			search->blocks.blocks[i].rows;
}

/* Begin a stage: nothing visited, nothing kept. */
static void
start_stage(HxSearch *search)
{
	if (search->pruned)
		read_directory(search);
	if (search->stage > 1)
		search->exact = true;
	search->sorted = search->stage == 0;
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

/* ---- the stop rule ---- */

/* Share of the rows not visited that pass the filter. */
static double
passing_share(const HxSearch *search, double distance)
{
	const Tally *tally = &search->tally;
	int last = HxDistanceBin(&search->expect, distance);
	double seen = 0;
	double passed = 0;
	double share;

	if (HxFilterIsTrivial(search->spec.filter) && search->spec.nballs == 0)
		return 1;
	share = (tally->passed + 1) / (tally->seen + 2);
	for (int d = 0; d <= last; d++)
	{
		seen += tally->seen_at[d];
		passed += tally->passed_at[d];
	}
	return seen > 0 ? Max(share, passed / seen) : share;
}

/* Neighbours nearer than a distance that stopping now would miss. */
static double
expected_misses(HxSearch *search, double distance)
{
	Tally *tally = &search->tally;
	double below = 0;

	distance /= search->spec.query->unit;
	if (distance != tally->shares_of)
	{
		HxSharesBelow(&search->expect, distance, tally->shares);
		tally->shares_of = distance;
	}
	for (int p = 0; p < HX_TABLE_PROMISES; p++)
		below += tally->unvisited[p] * tally->shares[p];
	return below * passing_share(search, distance) * search->safety;
}

/*
 * Misses that the target allows among `count` rows.  Above 40 rows only half
 * of what each further one would allow is spent: with filters finer than a
 * block the share that passes falls with the distance within a block, which
 * the estimates do not see, and the more so the farther the group reaches.
 */
static double
allowed_misses(const HxSearch *search, int count)
{
	double rows = Min(count, 40) + Max(count - 40, 0) * 0.5;

	return (1 - search->spec.recall) * rows;
}

/* May the first `count` rows kept in this stage be released? */
static bool
settled(HxSearch *search, int count)
{
	double distance;

	if (search->nkept < count)
		return false;
	distance = search->kept[search->sorted ? count - 1 : 0].distance;
	if (search->exact)
		return search->min_bound[search->next] > distance;
	if (search->tally.seen > VISIT_REST * search->nrows)
		return false;
	return expected_misses(search, distance) <= allowed_misses(search, count);
}

/* ---- the loop ---- */

/* Visit the next block of the order, unless its bound excludes it. */
static void
visit_next(HxSearch *search)
{
	int at = search->order[search->next++];
	const HxBlock *block = &search->blocks.blocks[at];

	if (!search->exact)
		search->tally.unvisited[promise_bin(search, at)] -= block->rows;
	if (search->blocks.bounds[at] > worst_kept(search))
		return;
	if (search->next < search->blocks.count)
		HxPrefetchPage(
			search->index,
			search->blocks.blocks[search->order[search->next]].first);
	if (!visit_block(search, block, search->next <= SAMPLED_BLOCKS))
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
	for (;;)
	{
		int end = next_group_end(search);
		bool complete;

		if (search->nemitted == search->room)
		{
			search->stage++;
			if (search->stage == 2)
				search->exact = true;
			start_stage(search);
			continue;
		}
		while (search->next < search->blocks.count && !settled(search, end))
			visit_next(search);
		complete = search->next >= search->blocks.count;
		if (!search->sorted && search->nready == 0)
			qsort(search->kept, search->nkept, sizeof(HxCandidate),
				  compare_candidates);
		search->nready = complete ? search->nkept : Min(end, search->nkept);
		if (search->nready > search->nemitted)
			return true;
		if (search->nkept < search->room)
			return false;
	}
}

bool
HxSearchNext(HxSearch *search, HxCandidate *row, bool *is_null)
{
	MemoryContext old;
	bool found = false;

	if (search->sparse)
		return HxSparseNext(search->sparse, row, is_null);
	old = MemoryContextSwitchTo(search->context);
	while (!found)
	{
		if (search->nemitted < search->nready)
		{
			*row = search->kept[search->nemitted++];
			/* A row that was in two blocks while it moved comes once. */
			found = !search->has_last || precedes(&search->last, row);
		}
		else if (!release_more(search))
		{
			if (search->in_nulls || search->spec.skip_nulls)
				break;
			search->in_nulls = true;
			search->has_last = false;
			search->stage = 2;
			read_directory(search);
			start_stage(search);
		}
	}
	if (found)
	{
		search->last = *row;
		search->has_last = true;
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

		if (!visit_block(search, block, false))
		{
			search->ntids = 0;
			refresh(search);
		}
	}
	MemoryContextSwitchTo(old);
	*tids = search->tids;
	return search->ntids;
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
	if (HxIsSparse(desc))
	{
		search->sparse = HxSparseBeginSearch(index, desc, spec);
		MemoryContextSwitchTo(old);
		return search;
	}
	/* A base backup brings marks that older snapshots here must not heed */
	search->see_dead = TransactionStartedDuringRecovery();
	HxReadMeta(index, &meta);
	search->rows_at_calibration = meta.rows_at_calibration;
	if (spec->ordered && spec->query && spec->recall < 1)
	{
		HxLoadExpect(index, &meta, &search->expect);
		search->safety = HxSafety(&search->expect, spec->recall);
		search->bin_scale =
			1 / (search->expect.promise_step * spec->query->unit);
		search->bin_offset =
			0.5 - search->expect.promise_low / search->expect.promise_step;
	}
	search->mask = palloc((desc->capacity + 63) / 64 * sizeof(uint64));
	search->distances = palloc(desc->capacity * sizeof(double));
	search->tids_room = desc->capacity;
	search->tids = palloc(desc->capacity * sizeof(ItemPointerData));
	search->in_nulls = spec->ordered && !spec->query;
	search->stage = search->in_nulls ? 2 : 0;
	read_directory(search);
	start_stage(search);
	MemoryContextSwitchTo(old);
	return search;
}

const HxSearchStats *
HxSearchGetStats(const HxSearch *search)
{
	if (search->sparse)
		return HxSparseGetStats(search->sparse);
	return &search->stats;
}

void
HxEndSearch(HxSearch *search)
{
	MemoryContextDelete(search->context);
}
