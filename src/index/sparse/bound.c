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

/* Going to a list takes as long as reading this many of its units ... */
#define LIST_UNITS 800
/* ... and this many units of heights as one that is not of heights */
#define HEIGHT_UNITS 8
/*
 * No more lists are read where those that are left raise bounds by one part in so
 * many of what all lists add
 */
#define FLAT_LOSS 256
/*
 * Or where no more blocks than this may reach a product; these are counted when
 * lists not read add no more than this part of it
 */
#define BLOCKS_ENOUGH 8
#define COUNTED_FROM 0.6
/* ... and again when it is this part of what it was when they were counted last */
#define COUNTED_AGAIN 0.85

/* ---- lists ---- */

/* Weight to bound a dimension's products with; 0 if none is positive. */
static float
bound_weight(const HxDim *dim, float weight)
{
	if (signbit(dim->max)) /* negative weights: of absolute values */
		return fabsf(weight);
	return Max(weight, 0);
}

/* What a list adds to a bound at most, where it is flat */
static inline double
list_gain(const HxSparseLists *lists, int list)
{
	const HxDim *dim = &lists->dims[list];

	return (double) bound_weight(dim, HxListWeight(lists, list)) *
		   fabsf(dim->max);
}

/* A list and what it is sorted by */
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

/* The lists that can add something, and how much */
static ListGain *
find_gains(const HxSparseLists *lists, int *count)
{
	ListGain *gains = palloc((lists->count + 1) * sizeof(ListGain));

	*count = 0;
	for (int i = 0; i < lists->count; i++)
	{
		if (bound_weight(&lists->dims[i], HxListWeight(lists, i)) > 0)
			gains[(*count)++] = (ListGain){i, (float) list_gain(lists, i)};
	}
	return gains;
}

/*
 * What a bound becomes greater by where a list is flat, about: all that it can add
 * in blocks that it does not touch; in the others little, since of weights that are
 * spread evenly the greatest of n is n parts of n + 1.
 */
static float
flat_loss(const HxSparseLists *lists, int list)
{
	const HxDim *dim = &lists->dims[list];
	float blocks =
		(lists->reader->window.rows + HX_WINDOW_BLOCK - 1) / HX_WINDOW_BLOCK;
	float touched =
		Min((float) (dim->blocks > 0 ? dim->blocks : dim->count), blocks);

	return (float) list_gain(lists, list) *
		   (1 - touched / blocks * dim->count / (touched + dim->count));
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

/* Add heights of the blocks from one on. */
static void
add_heights(const uint8 *heights, int first, int count, float step,
			float *bounds)
{
	count = Min(count, HX_WINDOW_BLOCKS - first);
	hx_kernels->add_heights(heights, count, step, bounds + first);
}

/* Add a list to the bounds; false if the window was replaced. */
static bool
bound_list(HxUnitCursor *cursor, const HxSparseLists *lists, int list,
		   float *bounds)
{
	const HxDim *dim = &lists->dims[list];
	float weight = bound_weight(dim, HxListWeight(lists, list));
	float step = weight * HxHeightStep(dim->max);
	uint32 unit = HxFirstBounding(lists, list);
	int total = HxBoundingUnits(lists, list);
	int count;

	for (int done = 0; done < total; done += count)
	{
		const HxPosting *units =
			HxGoToUnit(cursor, unit + done, total - done, &count);

		if (!units)
			return false;
		if (lists->tall[list])
			add_heights((const uint8 *) units, done * (int) sizeof(HxPosting),
						count * (int) sizeof(HxPosting), step, bounds);
		else if (dim->blocks > 0)
			add_bounds((const HxBlockBound *) units, count, weight, bounds);
		else
			add_posting_bounds(units, count, weight, bounds);
	}
	return true;
}

/* Have what a list is bounded by brought into the cache. */
static void
prefetch_bounds(const HxSparseLists *lists, int list)
{
	HxPrefetchUnits(lists->reader, HxFirstBounding(lists, list),
					HxBoundingUnits(lists, list));
}

/* What it takes to read what a list is bounded by, in units */
static inline float
bounding_price(const HxSparseLists *lists, int list)
{
	return LIST_UNITS + HxBoundingUnits(lists, list) /
							(lists->tall[list] ? HEIGHT_UNITS : 1);
}

/* Sort lists by what they lose if they are flat, for what it takes to read them. */
static void
order_by_price(const HxSparseLists *lists, ListGain *gains, int count)
{
	for (int i = 0; i < count; i++)
	{
		int list = gains[i].list;

		gains[i].gain = flat_loss(lists, list) / bounding_price(lists, list);
	}
	qsort(gains, count, sizeof(ListGain), compare_gains);
}

/* Are there no more than some bounds, counted together, that reach a product? */
static bool
few_reach(const float *bounds, float least)
{
	int count = 0;

	for (int from = 0; from < HX_WINDOW_BLOCKS && count <= BLOCKS_ENOUGH;
		 from += 512)
		for (int b = from; b < from + 512; b++)
			count += bounds[b] >= least;
	return count <= BLOCKS_ENOUGH;
}

/*
 * Add lists to the bounds, in their order, until so few blocks may reach the least
 * product, or the lists that are left lose so little, that these had better be
 * flat.
 */
static bool
add_lists(HxSparseLists *lists, const ListGain *order, int count, double least,
		  float *bounds)
{
	HxUnitCursor cursor = {lists->reader, InvalidBuffer};
	double left = 0; /* what lists not read add ... */
	double lost = 0; /* ... and lose */
	double count_from = least * COUNTED_FROM;
	double enough;

	for (int i = 0; i < count; i++)
	{
		left += list_gain(lists, order[i].list);
		lost += flat_loss(lists, order[i].list);
		lists->flat[order[i].list] = true;
	}
	enough = left / FLAT_LOSS;
	for (int i = 0; i < Min(count, HX_LISTS_AHEAD); i++)
		prefetch_bounds(lists, order[i].list);
	for (int i = 0; i < count && lost > enough; i++)
	{
		int list = order[i].list;

		CHECK_FOR_INTERRUPTS();
		if (left < count_from)
		{
			if (few_reach(bounds, (float) (least - left)))
				break;
			count_from = left * COUNTED_AGAIN;
		}
		if (i + HX_LISTS_AHEAD < count)
			prefetch_bounds(lists, order[i + HX_LISTS_AHEAD].list);
		if (!bound_list(&cursor, lists, list, bounds))
			return false;
		HxEndCursor(&cursor);
		left -= list_gain(lists, list);
		lost -= flat_loss(lists, list);
		lists->flat[list] = false;
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
 * errors of the arithmetic.  Only rows with a product of `least` are asked for:
 * lists that are not needed to leave most blocks alone are flat.  False if the
 * window was replaced.
 */
bool
HxBoundBlocks(HxSparseLists *lists, double least, float *bounds)
{
	float scale = bound_scale(lists);
	float more = FLT_MIN * lists->count;
	int count;
	ListGain *order = find_gains(lists, &count);
	float gain;

	order_by_price(lists, order, count);
	memset(bounds, 0, HX_WINDOW_BLOCKS * sizeof(float));
	if (!add_lists(lists, order, count, least, bounds))
		return false;
	pfree(order);
	lists->flat_gain = 0;
	for (int i = 0; i < lists->count; i++)
		if (lists->flat[i])
			lists->flat_gain += list_gain(lists, i);
	gain = (float) lists->flat_gain;
	for (int b = 0; b < HX_WINDOW_BLOCKS; b++)
	{
		float bound = (bounds[b] + gain) * scale + more;

		/* NaN, of a damaged page, as if unknown */
		bounds[b] = bound <= FLT_MAX ? bound : INFINITY;
	}
	return true;
}

/* ---- blocks' own bounds of flat lists ---- */

/* Chosen blocks, whose bounds are made those without flat lists */
typedef struct Sharpening
{
	HxChosenBlocks chosen;			 /* those that may still reach the least */
	HxPostingRuns runs;				 /* of a list */
	double bounds[HX_WINDOW_BLOCKS]; /* of the chosen, so far */
	double own[HX_WINDOW_BLOCKS];	 /* what a list takes from these */
} Sharpening;

/* A sum of bounds as one that may be told from a least product by */
static inline float
round_bound(double bound)
{
	float rounded = (float) (bound + fabs(bound) * 2 * FLT_EPSILON) + FLT_MIN;

	return rounded <= FLT_MAX ? rounded : INFINITY;
}

/* Add the chosen blocks' own bounds of a list to theirs. */
static bool
add_own(Sharpening *sharp, HxUnitCursor *cursor, const HxDim *dim,
		double weight, double *sums)
{
	const HxPostingRuns *runs = &sharp->runs;

	if (dim->blocks > 0)
	{
		if (!HxFindRuns(cursor, dim, &sharp->chosen, &sharp->runs))
			return false;
		for (int r = 0; r < runs->count; r++)
			sharp->bounds[runs->block[r]] +=
				weight * HxBoundValue(runs->max[r]);
		return true;
	}
	for (int i = 0; i < sharp->chosen.count; i++)
		sharp->own[sharp->chosen.blocks[i]] = 0;
	if (!HxAddUnbounded(cursor, dim, weight, &sharp->chosen, sums, sharp->own,
						NULL))
		return false;
	for (int i = 0; i < sharp->chosen.count; i++)
		sharp->bounds[sharp->chosen.blocks[i]] -=
			sharp->own[sharp->chosen.blocks[i]];
	return true;
}

/* Take what a flat list adds from the bounds of the chosen blocks. */
static void
take_flat(Sharpening *sharp, double gain)
{
	for (int i = 0; i < sharp->chosen.count; i++)
		sharp->bounds[sharp->chosen.blocks[i]] -= gain;
}

/* Note the bounds of the chosen blocks; choose those no more that are low. */
static void
note_bounds(Sharpening *sharp, double least, float *bounds)
{
	HxChosenBlocks *chosen = &sharp->chosen;
	int kept = 0;

	for (int i = 0; i < chosen->count; i++)
	{
		int block = chosen->blocks[i];

		bounds[block] = round_bound(sharp->bounds[block]);
		if (bounds[block] < least)
			chosen->set[block / 64] &= ~(UINT64CONST(1) << (block % 64));
		else
			chosen->blocks[kept++] = block;
	}
	chosen->count = kept;
}

/*
 * Make the bounds of chosen blocks those that they are without flat lists, list by
 * list, those first that lose most; blocks that turn out not to reach a product of
 * `least` are chosen no more, and have some of the lists' own bounds only.  An own
 * bound is rounded up, and may be the greater one: it has to be taken all the same,
 * since it is what is taken from the sum when its list is added up.  `sums` is
 * overwritten.  False if the window was replaced.
 */
bool
HxSharpenBounds(const HxSparseLists *lists, double least, uint64 *blocks,
				float *bounds, double *sums)
{
	Sharpening sharp;
	HxUnitCursor cursor = {lists->reader, InvalidBuffer};
	ListGain *order = palloc((lists->count + 1) * sizeof(ListGain));
	int count = 0;

	HxListChosen(blocks, &sharp.chosen);
	for (int i = 0; i < sharp.chosen.count; i++)
		sharp.bounds[sharp.chosen.blocks[i]] =
			bounds[sharp.chosen.blocks[i]] * (1 + DOUBLE_ERRORS);
	for (int i = 0; i < lists->count; i++)
		if (lists->flat[i])
			order[count++] = (ListGain){i, flat_loss(lists, i)};
	qsort(order, count, sizeof(ListGain), compare_gains);
	for (int i = 0; i < count && sharp.chosen.count > 0; i++)
	{
		int list = order[i].list;
		const HxDim *dim = &lists->dims[list];

		CHECK_FOR_INTERRUPTS();
		take_flat(&sharp, list_gain(lists, list));
		if (!add_own(&sharp, &cursor, dim,
					 bound_weight(dim, HxListWeight(lists, list)), sums))
			return false;
		HxEndCursor(&cursor);
		note_bounds(&sharp, least, bounds);
	}
	memcpy(blocks, sharp.chosen.set, sizeof(sharp.chosen.set));
	pfree(order);
	return true;
}

/*
 * How much the query may gain in the window, more where more rows may gain it.  No
 * bound: windows that promise most come first.
 */
double
HxWindowPromise(const HxSparseLists *lists)
{
	double promise = 0;

	for (int i = 0; i < lists->count; i++)
		promise += list_gain(lists, i) * sqrt(lists->dims[i].count);
	return promise;
}

/* ---- bounds made tighter ---- */

/* The first look at bounds is taken after this many lists; others after ... */
#define FIRST_LOOK 4
/* ... one of this many more */
#define LATER_LOOK 4
/* Postings are logged where no more blocks than this are chosen */
#define LOGGED_BLOCKS 64

/* Blocks whose bounds are being made tighter */
typedef struct Tightening
{
	HxChosenBlocks chosen;		   /* those that may still reach ... */
	double least;				   /* ... this product */
	HxPostingRuns runs;			   /* of a list, those of these blocks */
	double *sums;				   /* of lists so far, by slot */
	double rest[HX_WINDOW_BLOCKS]; /* what lists to come may add to them */
	const uint64 *passing;		   /* slots of rows that count, or NULL: all */
	HxPostingLog *log;			   /* of what was added, or NULL */
	float *bounds; /* of blocks: at last what is known of them */
} Tightening;

/* Take a list's bounds from what is to come, and add its products. */
static bool
move_list(Tightening *tight, HxUnitCursor *cursor, const HxDim *dim,
		  double weight)
{
	const HxPostingRuns *runs = &tight->runs;

	if (dim->blocks == 0)
		return HxAddUnbounded(cursor, dim, weight, &tight->chosen, tight->sums,
							  tight->rest, tight->log);
	if (!HxFindRuns(cursor, dim, &tight->chosen, &tight->runs))
		return false;
	for (int r = 0; r < runs->count; r++)
	{
		tight->rest[runs->block[r]] -=
			fabs(weight) * HxBoundValue(runs->max[r]);
		if (!HxAddRun(cursor, dim, runs->from[r], runs->to[r], weight,
					  tight->sums, tight->log))
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

/* Of a log, where a list's postings begin and end */
typedef struct LoggedList
{
	int from;
	int to;
} LoggedList;

/*
 * Add up all products of the chosen blocks anew from the log, by rising dimension:
 * these are the operator's.
 */
static void
add_logged(Tightening *tight, const HxSparseLists *lists,
		   const LoggedList *parts)
{
	for (int i = 0; i < tight->chosen.count; i++)
		memset(tight->sums + tight->chosen.blocks[i] * HX_WINDOW_BLOCK, 0,
			   HX_WINDOW_BLOCK * sizeof(double));
	for (int i = 0; i < lists->count; i++)
	{
		double weight = HxListWeight(lists, i);

		for (int p = parts[i].from; p < parts[i].to; p++)
		{
			const HxPosting *posting = &tight->log->postings[p];

			if (HxIsChosen(tight->chosen.set, posting->slot / HX_WINDOW_BLOCK))
				tight->sums[posting->slot] +=
					weight * (double) HxPostingWeight(posting);
		}
	}
}

/* Move lists, those that add most first; false if the window was replaced. */
static bool
move_lists(Tightening *tight, const HxSparseLists *lists, const ListGain *gains,
		   int count, LoggedList *parts)
{
	HxUnitCursor cursor = {lists->reader, InvalidBuffer};
	int look = FIRST_LOOK;

	for (int i = 0; i < count && tight->chosen.count > 0; i++)
	{
		int list = gains[i].list;

		CHECK_FOR_INTERRUPTS();
		if (i + HX_LISTS_AHEAD < count)
			HxPrefetchList(lists->reader,
						   &lists->dims[gains[i + HX_LISTS_AHEAD].list],
						   &tight->chosen);
		parts[list].from = tight->log ? tight->log->count : 0;
		if (!move_list(tight, &cursor, &lists->dims[list],
					   HxListWeight(lists, list)))
			return false;
		parts[list].to = tight->log ? tight->log->count : 0;
		HxEndCursor(&cursor);
		if (i + 1 == look || i + 1 == count)
		{
			drop_low(tight);
			look += 1 + look / LATER_LOOK;
		}
	}
	return true;
}

/*
 * Make the bounds of chosen blocks, their own of all lists, tighter, list by list,
 * until they show that a block has no row with a product of `least`, which is
 * positive; rows that are not `passing` (NULL: all are) do not count.  Blocks whose
 * bounds do not show it stay chosen, with their bounds as they were; *scored tells
 * whether their sums are their rows' products.  False if the window was replaced.
 */
bool
HxTightenBounds(const HxSparseLists *lists, double least, const uint64 *passing,
				uint64 *blocks, float *bounds, HxScratch *scratch, bool *scored)
{
	Tightening tight;
	int count;
	ListGain *gains = find_gains(lists, &count);
	LoggedList *parts = palloc((lists->count + 1) * sizeof(LoggedList));

	Assert(least > 0);
	tight.least = least;
	tight.passing = passing;
	tight.bounds = bounds;
	tight.sums = scratch->sums;
	begin_tightening(&tight, blocks);
	tight.log = count == lists->count && tight.chosen.count <= LOGGED_BLOCKS
					? &scratch->log
					: NULL;
	if (tight.log)
	{
		tight.log->count = 0;
		tight.log->is_full = false;
	}
	qsort(gains, count, sizeof(ListGain), compare_gains);
	if (!move_lists(&tight, lists, gains, count, parts))
		return false;
	*scored = tight.log && !tight.log->is_full;
	if (*scored && tight.chosen.count > 0)
		add_logged(&tight, lists, parts);
	memcpy(blocks, tight.chosen.set, sizeof(tight.chosen.set));
	pfree(gains);
	pfree(parts);
	return true;
}
