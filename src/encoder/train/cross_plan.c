/*
 * cross_plan.c
 *	  Which way method cross learns: chosen by pairs that are held out.
 */
#include "postgres.h"

#include <math.h>

#include "encoder/train/cross.h"
#include "encoder/train/held.h"

/* The ridge of turns: squared lengths of this many rows, in all directions */
#define RIDGE_ROWS 3

/* What rows without a partner count by default */
#define DEFAULT_ALPHA 0.3

/* Ridges of canonical correlations that are tried, in the same unit */
static const double ridge_rows[] = {0.3, 1, 3, 10, 30};

/*
 * Pairs are held out one part of FOLDS after the other, until so many have asked,
 * at most MOST_HELD at a time; none where it would be fewer than LEAST_HELD.
 */
#define FOLDS 5
#define ENOUGH_ASKED 500
#define MOST_HELD 1000
#define LEAST_HELD 5

/*
 * Share of those held out among which the other side counts as near: what finer
 * places tell may be common to few pairs
 */
#define NEAR_SHARE 0.2

/* What more near ones count as a gain, there and back together */
#define LEAST_GAIN 0.04

/* Plans tried at most: for each alpha one by turns, others by correlations */
#define MOST_PLANS (2 * (1 + lengthof(ridge_rows)))

/* What a plan finds of the pairs held out: a number for each that asks */
typedef struct Found
{
	float *near; /* how often its other side is among the nearest: 0 to 2 */
	float *told; /* how much the codes tell of it */
} Found;

/* Outputs of pairs from `first` on, of one side */
static float *
project_pairs(const HxCross *cross, int which, int first)
{
	const HxCrossSide *side = &cross->side[which];
	int n = cross->all_pairs - first;
	size_t count = (size_t) side->d * cross->bits;
	float *w = palloc_extended(count * sizeof(float), MCXT_ALLOC_HUGE);
	float *y = palloc_extended((size_t) n * cross->bits * sizeof(float),
							   MCXT_ALLOC_HUGE);

	for (size_t i = 0; i < count; i++)
		w[i] = (float) side->weights[i];
	hx_multiply_float(HX_AS_IS, HX_AS_IS, n, cross->bits, side->d,
					  side->paired + (size_t) first * side->d, w, 0.0f, y);
	pfree(w);
	return y;
}

/*
 * Add how well each pair held out finds its other side, there and back: is it
 * near, and how much is told of it.
 */
static void
ask_held(const HxCross *cross, float *near, float *told)
{
	int n = cross->all_pairs - cross->pairs;
	float *y[2];

	for (int v = 0; v < 2; v++)
		y[v] = project_pairs(cross, v, cross->pairs);
	HxAskMatches(y[0], y[1], n, cross->bits, NEAR_SHARE, near, told);
	HxAskMatches(y[1], y[0], n, cross->bits, NEAR_SHARE, near, told);
	pfree(y[0]);
	pfree(y[1]);
}

/* Turn the pairs of both sides round, so that others are the last. */
static void
turn_pairs(HxCross *cross, int by)
{
	int n = cross->all_pairs;

	for (int v = 0; v < 2; v++)
	{
		HxCrossSide *side = &cross->side[v];
		size_t row = side->d * sizeof(float);
		float *kept = palloc_extended(by * row, MCXT_ALLOC_HUGE);
		float *end = side->paired + (size_t) (n - by) * side->d;

		memcpy(kept, end, by * row);
		memmove(side->paired + (size_t) by * side->d, side->paired,
				(n - by) * row);
		memcpy(side->paired, kept, by * row);
		pfree(kept);
	}
}

/* Ways to learn, those with one alpha and way behind each other; their number */
static int
list_plans(const HxCross *cross, HxCrossPlan *plan)
{
	const HxSpec *spec = &cross->training->spec;
	double given = HxSpecNumber(spec, "alpha", -1.0, 0.0, 1e6);
	bool singles = cross->side[0].singles + cross->side[1].singles > 0;
	bool ridge_given = HxSpecNumber(spec, "lambda", -1.0, 0.0, 1e6) >= 0.0;
	int count = 0;

	for (int a = singles && given < 0.0 ? 0 : 1; a < 2; a++)
	{
		double alpha = a == 0		  ? 0.0
					   : given >= 0.0 ? given
					   : singles	  ? DEFAULT_ALPHA
									  : 0.0;

		plan[count++] = (HxCrossPlan){false, alpha, RIDGE_ROWS};
		for (int i = 0; i < (int) lengthof(ridge_rows); i++)
		{
			if (i == 0 || !ridge_given)
				plan[count++] = (HxCrossPlan){true, alpha, ridge_rows[i]};
		}
	}
	return count;
}

void
HxLearnByPlan(HxCross *cross)
{
	const HxSpec *spec = &cross->training->spec;
	HxCanonical canonical;
	HxRandom random;

	hx_seed_random(&random, (uint64) spec->seed);
	if (!cross->plan.canonical)
	{
		HxLearnByTurns(cross, &random);
		return;
	}
	canonical = HxPrepareCross(cross);
	HxSetCanonical(cross, &canonical, &random);
	hx_free_canonical(&canonical);
}

/* What each plan finds of the pairs held out now: from the place `first` on */
static void
try_plans(HxCross *cross, const HxCrossPlan *plan, int count, Found *found,
		  int first)
{
	const HxSpec *spec = &cross->training->spec;
	HxCanonical canonical;
	HxRandom random;

	for (int i = 0; i < count; i++)
	{
		hx_seed_random(&random, (uint64) spec->seed);
		cross->plan = plan[i];
		if (!plan[i].canonical)
			HxLearnByTurns(cross, &random);
		else
		{
			if (!plan[i - 1].canonical)
				canonical = HxPrepareCross(cross);
			HxSetCanonical(cross, &canonical, &random);
			if (i + 1 == count || !plan[i + 1].canonical)
				hx_free_canonical(&canonical);
		}
		ask_held(cross, found[i].near + first, found[i].told + first);
	}
}

/* Mean of so many numbers */
static double
mean(const float *numbers, int count)
{
	double sum = 0.0;

	for (int i = 0; i < count; i++)
		sum += numbers[i];
	return sum / count;
}

/*
 * Are the second numbers greater than the first, by a standard error and by what
 * counts?
 */
static bool
are_clearly_more(const float *first, const float *second, int count)
{
	double gain = mean(second, count) - mean(first, count);
	double squares = 0.0;

	for (int i = 0; i < count; i++)
	{
		double off = second[i] - first[i] - gain;

		squares += off * off;
	}
	return gain > Max(sqrt(squares) / count, LEAST_GAIN);
}

/* The best plan of one kind, by what is told of the pairs held out: a place, or -1 */
static int
best_plan(const HxCrossPlan *plan, int count, const Found *found, int asked,
		  bool canonical, bool singles)
{
	int best = -1;

	for (int i = 0; i < count; i++)
	{
		if (plan[i].canonical == canonical &&
			(plan[i].alpha > 0.0) == singles &&
			(best < 0 ||
			 mean(found[i].told, asked) > mean(found[best].told, asked)))
			best = i;
	}
	return best;
}

/*
 * The best of plans: by turns rather than by canonical correlations, and by pairs
 * alone rather than with single rows, unless the other brought more of the pairs
 * held out near, by a standard error and two in a hundred
 */
static HxCrossPlan
pick_plan(const HxCrossPlan *plan, int count, const Found *found, int asked)
{
	int picked = -1;

	for (int kind = 0; kind < 4; kind++)
	{
		int best = best_plan(plan, count, found, asked, kind & 1, kind & 2);

		if (best >= 0 &&
			(picked < 0 ||
			 are_clearly_more(found[picked].near, found[best].near, asked)))
			picked = best;
	}
	return plan[picked];
}

HxCrossPlan
HxChoosePlan(HxCross *cross)
{
	HxCrossPlan plan[MOST_PLANS];
	Found found[MOST_PLANS];
	int count = list_plans(cross, plan);
	int held = Min(cross->all_pairs / FOLDS, MOST_HELD);
	int folds;

	if (held < LEAST_HELD)
		return plan[count > 1 && plan[0].alpha == 0.0 ? count / 2 : 0];
	folds = Min((ENOUGH_ASKED + held - 1) / held, FOLDS);
	for (int i = 0; i < count; i++)
	{
		found[i].near = palloc0(folds * held * sizeof(float));
		found[i].told = palloc0(folds * held * sizeof(float));
	}
	cross->pairs = cross->all_pairs - held;
	for (int fold = 0; fold < folds; fold++)
	{
		try_plans(cross, plan, count, found, fold * held);
		turn_pairs(cross, held);
	}
	cross->pairs = cross->all_pairs;
	return pick_plan(plan, count, found, folds * held);
}
