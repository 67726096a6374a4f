/*
 * bound.c
 *	  Bounds of the products of a query with the rows of blocks.
 *
 * See README, "Search".  A block's bound adds up, over the dimensions
 * that it has, the greatest that a row of it can gain.  Where that is not enough
 * to leave a block alone, it is made tighter: of some lists the products are
 * added up row by row, of the others still the bounds.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "index/sparse/lists.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"

/* ---- bounds ---- */

/* Add what a dimension can give the rows of each block that has a bound. */
static void
add_bounds(const HxBlockBound *units, int count, float weight, float *bounds)
{
	for (int i = 0; i < count; i++)
		bounds[units[i].block % HX_WINDOW_BLOCKS] +=
			weight * HxBoundValue(units[i].max);
}

/* The same from the postings: rows of one block are added up, which is more. */
static void
add_posting_bounds(const HxPosting *postings, int count, float weight,
				   float *bounds)
{
	for (int i = 0; i < count; i++)
		bounds[postings[i].slot / HX_WINDOW_BLOCK % HX_WINDOW_BLOCKS] +=
			weight * fabsf(HxPostingWeight(&postings[i]));
}

/* Weight to bound a dimension's products with; 0 if none is positive. */
static float
bound_weight(const HxDim *dim, float weight)
{
	if (signbit(dim->max)) /* negative weights: of absolute values */
		return fabsf(weight);
	return Max(weight, 0);
}

/* Add a dimension to the bounds; false if the window was replaced. */
static bool
bound_list(HxUnitCursor *cursor, const HxDim *dim, float weight, float *bounds)
{
	uint32 unit = dim->start;
	int left = dim->blocks > 0 ? dim->blocks : dim->count;

	while (left > 0)
	{
		int count;
		const HxPosting *units = HxGoToUnit(cursor, unit, left, &count);

		if (!units)
			return false;
		if (dim->blocks > 0)
			add_bounds((const HxBlockBound *) units, count, weight, bounds);
		else
			add_posting_bounds(units, count, weight, bounds);
		left -= count;
		unit += count;
	}
	return true;
}

/* Have what a dimension is bounded by brought into the cache. */
static void
prefetch_bounds(const HxWindowReader *reader, const HxDim *dim)
{
	HxPrefetchUnits(reader, dim->start,
					dim->blocks > 0 ? dim->blocks : dim->count);
}

/*
 * Bounds of the products of the rows of each block, rounded up by more than the
 * errors of the arithmetic.  False if the window was replaced.
 */
bool
HxBoundBlocks(const HxSparseLists *lists, float *bounds)
{
	float scale = 1 + 2 * FLT_EPSILON * (lists->count + 4);
	HxUnitCursor cursor = {lists->reader, InvalidBuffer};

	memset(bounds, 0, HX_WINDOW_BLOCKS * sizeof(float));
	for (int i = 0; i < lists->count; i++)
	{
		float weight = bound_weight(&lists->dims[i], HxListWeight(lists, i));

		CHECK_FOR_INTERRUPTS();
		if (i + HX_LISTS_AHEAD < lists->count)
			prefetch_bounds(lists->reader, &lists->dims[i + HX_LISTS_AHEAD]);
		if (weight > 0 && !bound_list(&cursor, &lists->dims[i], weight, bounds))
			return false;
		HxEndCursor(&cursor);
	}
	for (int b = 0; b < HX_WINDOW_BLOCKS; b++)
	{
		bounds[b] = bounds[b] * scale + FLT_MIN * lists->count;
		if (unlikely(isnan(bounds[b]))) /* of a damaged page: as if unknown */
			bounds[b] = INFINITY;
	}
	return true;
}

/* ---- bounds made tighter ---- */

/* The first look at bounds is taken after this many lists; others after ... */
#define FIRST_LOOK 4
/* ... one of this many more */
#define LATER_LOOK 4
/* Bounds are raised by so much against errors of sums in double */
#define DOUBLE_ERRORS 1e-9

/* Blocks whose bounds are being made tighter */
typedef struct Tightening
{
	HxChosenBlocks chosen;		   /* those that may still reach ... */
	double least;				   /* ... this product */
	HxPostingRuns runs;			   /* of a list, those of these blocks */
	double *sums;				   /* of lists so far, by slot */
	double rest[HX_WINDOW_BLOCKS]; /* what lists to come may add to them */
	const uint64 *passing;		   /* slots of rows that count, or NULL: all */
	float *bounds; /* of blocks: at last what is known of them */
} Tightening;

/* A list and how much it can add at most, to sort by that */
typedef struct ListGain
{
	int list;
	float gain;
} ListGain;

static int
compare_gains(const void *a, const void *b)
{
	const ListGain *left = a;
	const ListGain *right = b;

	if (left->gain != right->gain)
		return left->gain > right->gain ? -1 : 1;
	return left->list - right->list;
}

/* The lists that can add something, those that can add most first. */
static ListGain *
order_lists(const HxSparseLists *lists, int *count)
{
	ListGain *gains = palloc((lists->count + 1) * sizeof(ListGain));

	*count = 0;
	for (int i = 0; i < lists->count; i++)
	{
		float weight = bound_weight(&lists->dims[i], HxListWeight(lists, i));

		if (weight > 0)
			gains[(*count)++] =
				(ListGain){i, weight * fabsf(lists->dims[i].max)};
	}
	qsort(gains, *count, sizeof(ListGain), compare_gains);
	return gains;
}

/* Take a list's bounds from what is to come, and add its products. */
static bool
move_list(Tightening *tight, HxUnitCursor *cursor, const HxDim *dim,
		  double weight)
{
	const HxPostingRuns *runs = &tight->runs;

	if (dim->blocks == 0)
		return HxAddUnbounded(cursor, dim, weight, &tight->chosen, tight->sums,
							  tight->rest);
	if (!HxFindRuns(cursor, dim, &tight->chosen, &tight->runs))
		return false;
	for (int r = 0; r < runs->count; r++)
	{
		tight->rest[runs->block[r]] -=
			fabs(weight) * HxBoundValue(runs->max[r]);
		if (!HxAddRun(cursor, dim, runs->from[r], runs->to[r], weight,
					  tight->sums))
			return false;
	}
	return true;
}

/* Greatest sum so far of a block's rows that count */
static inline double
greatest_sum(const Tightening *tight, int block)
{
	const double *sums = tight->sums + block * HX_WINDOW_BLOCK;
	double most = -FLT_MAX;

	if (tight->passing)
		for (uint32 left = HxPassingSlots(tight->passing, block); left != 0;
			 left &= left - 1)
			most = HxGreater(sums[pg_rightmost_one_pos32(left)], most);
	else
		for (int s = 0; s < HX_WINDOW_BLOCK; s++)
			most = HxGreater(sums[s], most);
	return most;
}

/*
 * Bound the chosen blocks by their sums so far and what may still be added;
 * those that cannot reach the least product are chosen no more.
 */
static void
drop_low(Tightening *tight)
{
	HxChosenBlocks *chosen = &tight->chosen;
	int kept = 0;

	for (int i = 0; i < chosen->count; i++)
	{
		int block = chosen->blocks[i];
		double most = greatest_sum(tight, block) + tight->rest[block];
		float bound = (float) (most + fabs(most) * 2 * FLT_EPSILON);

		if (bound < tight->least)
		{
			tight->bounds[block] = bound;
			chosen->set[block / 64] &= ~(UINT64CONST(1) << (block % 64));
		}
		else
			chosen->blocks[kept++] = block;
	}
	chosen->count = kept;
}

/* Begin with nothing added up, and all still to come. */
static void
begin_tightening(Tightening *tight, const uint64 *blocks)
{
	HxListChosen(blocks, &tight->chosen);
	Assert(tight->chosen.count <= HX_WINDOW_BLOCKS);
	for (int i = 0; i < tight->chosen.count; i++)
	{
		int block = tight->chosen.blocks[i];

		tight->rest[block] = tight->bounds[block] * (1 + DOUBLE_ERRORS);
		memset(tight->sums + block * HX_WINDOW_BLOCK, 0,
			   HX_WINDOW_BLOCK * sizeof(double));
	}
}

/*
 * Make the bounds of chosen blocks tighter, list by list, until they show that
 * a block has no row with a product of `least`, which is positive; rows that
 * are not `passing` (NULL: all are) do not count.  Blocks whose bounds do not
 * show it stay chosen, with their bounds as they were.  False if the window was
 * replaced.
 */
bool
HxTightenBounds(const HxSparseLists *lists, double least, const uint64 *passing,
				uint64 *blocks, float *bounds, double *sums)
{
	Tightening tight;
	HxUnitCursor cursor = {lists->reader, InvalidBuffer};
	int look = FIRST_LOOK;
	int count;
	ListGain *gains = order_lists(lists, &count);

	Assert(least > 0);
	tight.least = least;
	tight.passing = passing;
	tight.bounds = bounds;
	tight.sums = sums;
	begin_tightening(&tight, blocks);
	for (int i = 0; i < count && tight.chosen.count > 0; i++)
	{
		int list = gains[i].list;

		CHECK_FOR_INTERRUPTS();
		if (i + HX_LISTS_AHEAD < count)
			HxPrefetchList(lists->reader,
						   &lists->dims[gains[i + HX_LISTS_AHEAD].list],
						   &tight.chosen);
		if (!move_list(&tight, &cursor, &lists->dims[list],
					   HxListWeight(lists, list)))
			return false;
		HxEndCursor(&cursor);
		if (i + 1 == look || i + 1 == count)
		{
			drop_low(&tight);
			look += 1 + look / LATER_LOOK;
		}
	}
	memcpy(blocks, tight.chosen.set, sizeof(tight.chosen.set));
	pfree(gains);
	return true;
}
