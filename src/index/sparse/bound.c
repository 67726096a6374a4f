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
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"

/* Bounds are raised by so much against errors of sums in double */
#define DOUBLE_ERRORS 1e-9

/* A flat list touches one block in so many at least ... */
#define FLAT_BLOCKS 1.5
/* ... and all of them raise bounds by one part in so many of what all lists add */
#define FLAT_LOSS 256

/* ---- lists ---- */

/* Weight to bound a dimension's products with; 0 if none is positive. */
static float
bound_weight(const HxDim *dim, float weight)
{
	if (signbit(dim->max)) /* negative weights: of absolute values */
		return fabsf(weight);
	return Max(weight, 0);
}

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

/* ---- bounds ---- */

/* Add what a dimension can give the rows of each block that has a bound. */
static void
add_bounds(const HxBlockBound *units, int count, float weight, float *bounds)
{
	for (int i = 0; i < count; i++)
		bounds[units[i].block % HX_WINDOW_BLOCKS] +=
			weight * HxBoundValue(units[i].max);
}

/* Postings whose blocks are bounded together */
#define POSTINGS_AT_ONCE 512

/*
 * The same from the postings, those of a block beside each other; where they are
 * looked at apart, at the end of a page, both parts count, which is more.
 */
static void
add_posting_bounds(const HxPosting *postings, int count, float weight,
				   float *bounds)
{
	uint32 blocks[POSTINGS_AT_ONCE];
	uint32 maxima[POSTINGS_AT_ONCE];

	StaticAssertStmt(HX_WINDOW_BLOCK == HX_UNIT_BLOCK, "blocks of two sizes");
	while (count > 0)
	{
		int part = Min(count, POSTINGS_AT_ONCE);
		int runs = (int) hx_kernels->block_maxima(&postings->slot, part, blocks,
												  maxima);

		for (int i = 0; i < runs; i++)
		{
			float most;

			memcpy(&most, &maxima[i], sizeof(most));
			bounds[blocks[i]] += weight * most;
		}
		postings += part;
		count -= part;
	}
}

/* Add a dimension to the bounds; false if the window was replaced. */
static bool
bound_list(HxUnitCursor *cursor, const HxDim *dim, float weight, float *bounds)
{
	uint32 unit = dim->start;
	int left = HxBoundingUnits(dim);

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
	HxPrefetchUnits(reader, dim->start, HxBoundingUnits(dim));
}

/*
 * What a bound becomes greater by where a list is flat, about: of weights that are
 * spread evenly the greatest of n is n parts of n + 1.
 */
static float
flat_loss(const HxDim *dim, float gain)
{
	return gain * dim->blocks / ((float) dim->blocks + dim->count);
}

/*
 * Choose the flat lists: those that touch nearly all blocks and of which one
 * number bounds all, hardly worse than the blocks' own bounds, which are most of
 * what there is to read; those that lose least first, as long as they all lose
 * no more than a part of what the query can gain.
 */
static void
choose_flat(HxSparseLists *lists)
{
	int blocks =
		(lists->reader->window.rows + HX_WINDOW_BLOCK - 1) / HX_WINDOW_BLOCK;
	int count;
	ListGain *gains = order_lists(lists, &count);
	double all = 0;
	double lost = 0;
	int nflat = 0;

	for (int i = 0; i < count; i++)
	{
		const HxDim *dim = &lists->dims[gains[i].list];

		all += gains[i].gain;
		if (dim->blocks * FLAT_BLOCKS >= blocks)
			gains[nflat++] =
				(ListGain){gains[i].list, -flat_loss(dim, gains[i].gain)};
	}
	qsort(gains, nflat, sizeof(ListGain), compare_gains);
	for (int i = 0; i < nflat; i++)
	{
		int list = gains[i].list;
		float weight =
			bound_weight(&lists->dims[list], HxListWeight(lists, list));

		lost -= gains[i].gain;
		if (lost * FLAT_LOSS > all)
			break;
		lists->flat[list] = true;
		lists->flat_gain += weight * fabsf(lists->dims[list].max);
	}
	pfree(gains);
}

/* Add the bounds of the lists that are flat, or of those that are not. */
static bool
add_lists(const HxSparseLists *lists, bool flat, float *bounds)
{
	HxUnitCursor cursor = {lists->reader, InvalidBuffer};

	memset(bounds, 0, HX_WINDOW_BLOCKS * sizeof(float));
	for (int i = 0; i < lists->count; i++)
	{
		float weight = bound_weight(&lists->dims[i], HxListWeight(lists, i));
		int ahead = i + HX_LISTS_AHEAD;

		CHECK_FOR_INTERRUPTS();
		if (ahead < lists->count && lists->flat[ahead] == flat)
			prefetch_bounds(lists->reader, &lists->dims[ahead]);
		if (lists->flat[i] != flat)
			continue;
		if (weight > 0 && !bound_list(&cursor, &lists->dims[i], weight, bounds))
			return false;
		HxEndCursor(&cursor);
	}
	return true;
}

/* What sums of bounds in float are raised by, against errors */
static inline float
bound_scale(const HxSparseLists *lists)
{
	return 1 + 2 * FLT_EPSILON * (lists->count + 5);
}

/*
 * Bounds of the products of the rows of each block, rounded up by more than the
 * errors of the arithmetic; some lists are made flat.  False if the window was
 * replaced.
 */
bool
HxBoundBlocks(HxSparseLists *lists, float *bounds)
{
	float scale = bound_scale(lists);
	float least = FLT_MIN * lists->count;
	float gain;

	choose_flat(lists);
	gain = (float) lists->flat_gain;
	if (!add_lists(lists, false, bounds))
		return false;
	for (int b = 0; b < HX_WINDOW_BLOCKS; b++)
	{
		float bound = (bounds[b] + gain) * scale + least;

		/* NaN, of a damaged page, as if unknown */
		bounds[b] = bound <= FLT_MAX ? bound : INFINITY;
	}
	return true;
}

/*
 * Make the bounds of blocks (`but` for some) those that they are without flat
 * lists; none is flat any more.  A block's own bound is rounded up, and may be the
 * greater one: it has to be taken all the same, since it is what is taken from
 * the sum when its list is added up.  False if the window was replaced.
 */
bool
HxBoundFlat(HxSparseLists *lists, const uint64 *but, float *bounds)
{
	float scale = bound_scale(lists);
	float of_flat[HX_WINDOW_BLOCKS];

	if (!add_lists(lists, true, of_flat))
		return false;
	for (int b = 0; b < HX_WINDOW_BLOCKS; b++)
	{
		double bound = (double) bounds[b] - lists->flat_gain +
					   of_flat[b] * scale + bounds[b] * DOUBLE_ERRORS;

		if (HxIsChosen(but, b))
			continue;
		bound = bound * (1 + FLT_EPSILON) + FLT_MIN;
		bounds[b] = bound <= FLT_MAX ? (float) bound : INFINITY;
	}
	memset(lists->flat, 0, lists->count * sizeof(bool));
	lists->flat_gain = 0;
	return true;
}

/* ---- bounds made tighter ---- */

/* The first look at bounds is taken after this many lists; others after ... */
#define FIRST_LOOK 4
/* ... one of this many more */
#define LATER_LOOK 4

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

/* Take what one number bounds for all blocks from what is to come. */
static void
move_flat(Tightening *tight, double gain)
{
	for (int i = 0; i < tight->chosen.count; i++)
		tight->rest[tight->chosen.blocks[i]] -= gain;
}

/*
 * Take a list's bounds from what is to come, and add its products; of a flat
 * one its greatest weight is the bound.
 */
static bool
move_list(Tightening *tight, HxUnitCursor *cursor, const HxDim *dim, bool flat,
		  double weight)
{
	const HxPostingRuns *runs = &tight->runs;

	if (dim->blocks == 0)
		return HxAddUnbounded(cursor, dim, weight, &tight->chosen, tight->sums,
							  tight->rest);
	if (!HxFindRuns(cursor, dim, &tight->chosen, &tight->runs))
		return false;
	if (flat)
		move_flat(tight, (float) fabs(weight * dim->max));
	for (int r = 0; r < runs->count; r++)
	{
		if (!flat)
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
		if (!move_list(&tight, &cursor, &lists->dims[list], lists->flat[list],
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
