/*
 * cross_turns.c
 *	  Method cross by turns: maps of both sides onto the codes, and codes by the
 *	  maps.
 *
 * The updates are our own and linear in the rows: maps of both views onto the
 * codes by ridge regression, a rotation of the pairs' common directions, and codes
 * by the signs of all three.  Rows without a partner are tied to pairs near them.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/math/matrix.h"
#include "encoder/train/cross.h"
#include "encoder/train/rows.h"

/* Anchors of a row, and turns by default */
#define NEAR 5
#define TURNS 10

/* Keeps the weights of a row's anchors from blowing up */
#define SMOOTH 1e-3

/* Directions in which both sides of the pairs, together, vary most */
static void
find_common(HxCross *cross, HxRandom *random)
{
	HxTraining *training = cross->training;
	int d[2] = {cross->side[0].d, cross->side[1].d};
	int width = d[0] + d[1];
	int n = cross->pairs;
	int found = Min(cross->bits, Min(width, n));
	float *joint = HxTrainAlloc(training, (size_t) n * width, sizeof(float),
								"pairs of vectors");
	double *sum = HxTrainAlloc(training, (size_t) width * width, sizeof(double),
							   "covariance");
	double *values = palloc(width * sizeof(double));
	double *vectors = HxTrainAlloc(training, (size_t) found * width,
								   sizeof(double), "directions");

	for (int r = 0; r < n; r++)
	{
		float *to = joint + (size_t) r * width;

		for (int v = 0; v < 2; v++)
		{
			const HxCrossSide *side = &cross->side[v];

			for (int i = 0; i < d[v]; i++)
				*to++ =
					(float) (side->paired[(size_t) r * d[v] + i] * side->scale);
		}
	}
	hx_add_squares(joint, n, width, sum);
	hx_mirror(sum, width);
	if (hx_eigen_top(sum, width, found, values, vectors, random) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("principal directions were not found")));
	for (int r = 0; r < n; r++)
	{
		float *to = cross->common + (size_t) r * cross->bits;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < found; j++)
		{
			double sum_j = 0.0;

			for (int i = 0; i < width; i++)
				sum_j += joint[(size_t) r * width + i] *
						 vectors[(size_t) j * width + i];
			/* the first say most, but no bit should say it all */
			to[j] = (float) (sum_j / sqrt(Max(values[0], 1e-30) / n));
		}
	}
	training->used -= (size_t) n * width * sizeof(float) +
					  (size_t) width * width * sizeof(double) +
					  (size_t) found * width * sizeof(double);
	pfree(joint);
	pfree(sum);
	pfree(values);
	pfree(vectors);
}

/*
 * The same of fewer pairs than dimensions, from products of pairs: their
 * eigenvectors are the pairs' outputs
 */
static void
find_common_of_few(HxCross *cross, HxRandom *random)
{
	HxTraining *training = cross->training;
	int n = cross->pairs;
	int found = Min(cross->bits, n);
	int width = cross->side[0].d + cross->side[1].d;
	float *turned = HxTrainAlloc(training, (size_t) width * n, sizeof(float),
								 "pairs of vectors");
	double *sum = HxTrainAlloc(training, (size_t) n * n, sizeof(double),
							   "products of pairs");
	double *values = palloc(n * sizeof(double));
	double *vectors = palloc((size_t) found * n * sizeof(double));
	float *to = turned;

	for (int v = 0; v < 2; v++)
	{
		const HxCrossSide *side = &cross->side[v];

		for (int i = 0; i < side->d; i++)
			for (int r = 0; r < n; r++)
				*to++ = (float) (side->paired[(size_t) r * side->d + i] *
								 side->scale);
	}
	hx_add_squares(turned, width, n, sum);
	hx_mirror(sum, n);
	if (hx_eigen_top(sum, n, found, values, vectors, random) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("principal directions were not found")));
	for (int r = 0; r < n; r++)
		for (int j = 0; j < found; j++)
			cross->common[(size_t) r * cross->bits + j] =
				(float) (vectors[(size_t) j * n + r] *
						 sqrt(Max(values[j], 0.0) * n / Max(values[0], 1e-30)));
	training->used -=
		(size_t) width * n * sizeof(float) + (size_t) n * n * sizeof(double);
	pfree(turned);
	pfree(sum);
	pfree(values);
	pfree(vectors);
}

/*
 * Weights of the nearest anchors that reconstruct a row best and add up to 1:
 * G s = 1 with G the products of differences, then scaled.
 */
static void
reconstruct(const HxCross *cross, const HxCrossSide *side, const float *row,
			int *near, double *weights)
{
	int d = side->d;
	double distance[NEAR];
	double gram[NEAR * NEAR] = {0};
	double trace = 0.0;
	double sum = 0.0;
	int k = Min(NEAR, cross->anchors);
	int count = 0;

	for (int a = 0; a < cross->anchors; a++)
	{
		const float *anchor = side->paired + (size_t) cross->anchor[a] * d;
		double far = 0.0;
		int at;

		for (int i = 0; i < d; i++)
			far +=
				((double) row[i] - anchor[i]) * ((double) row[i] - anchor[i]);
		if (count == k && far >= distance[k - 1])
			continue;
		at = count < k ? count++ : k - 1;
		for (; at > 0 && distance[at - 1] > far; at--)
		{
			distance[at] = distance[at - 1];
			near[at] = near[at - 1];
		}
		distance[at] = far;
		near[at] = a;
	}
	for (int i = 0; i < k; i++)
	{
		const float *a = side->paired + (size_t) cross->anchor[near[i]] * d;

		for (int j = 0; j <= i; j++)
		{
			const float *b = side->paired + (size_t) cross->anchor[near[j]] * d;

			for (int c = 0; c < d; c++)
				gram[i * k + j] +=
					((double) a[c] - row[c]) * ((double) b[c] - row[c]);
		}
		trace += gram[i * k + i];
		weights[i] = 1.0;
	}
	for (int i = 0; i < k; i++)
		gram[i * k + i] += SMOOTH * trace + 1e-30;
	if (hx_cholesky(gram, k) == 0)
		hx_cholesky_solve(gram, k, weights, 1);
	for (int i = 0; i < k; i++)
		sum += weights[i];
	for (int i = 0; i < k; i++)
		weights[i] = sum != 0.0 ? weights[i] / sum : 1.0 / k;
}

double
HxCrossLambda(const HxCross *cross, const HxCrossSide *side)
{
	double rows = cross->pairs + cross->plan.alpha * side->singles;

	return HxSpecNumber(&cross->training->spec, "lambda",
						cross->plan.ridge * side->d / rows, 0.0, 1e6) +
		   1e-9;
}

void
HxSumCrossSquares(const HxCross *cross, const HxCrossSide *side, double *sum)
{
	HxTraining *training = cross->training;
	int d = side->d;
	size_t square = (size_t) d * d;
	double *singles;

	memset(sum, 0, square * sizeof(double));
	hx_add_squares(side->paired, cross->pairs, d, sum);
	if (cross->plan.alpha == 0.0)
		return;
	singles = HxTrainAlloc(training, square, sizeof(double), "covariance");
	hx_add_squares(side->single, side->singles, d, singles);
	hx_add_multiple(sum, cross->plan.alpha, singles, square);
	training->used -= square * sizeof(double);
	pfree(singles);
}

/* What stays the same in all turns: squares with the ridge, ties to anchors */
static void
prepare_side(HxCross *cross, int which)
{
	HxCrossSide *side = &cross->side[which];
	int d = side->d;
	double trace = 0.0;
	double ridge;
	double weights[NEAR];
	int near[NEAR];

	HxSumCrossSquares(cross, side, side->factor);
	memset(side->tie, 0, (size_t) d * cross->anchors * sizeof(double));
	for (int i = 0; i < d; i++)
		trace += side->factor[(size_t) i * d + i];
	ridge = HxCrossLambda(cross, side) * trace / d + 1e-30;
	for (int i = 0; i < d; i++)
		side->factor[(size_t) i * d + i] += ridge;
	if (hx_cholesky(side->factor, d) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("regression has no solution"),
						errhint("Raise \"lambda\", or use more rows.")));
	for (int r = 0; r < side->singles && cross->plan.alpha > 0.0; r++)
	{
		const float *row = side->single + (size_t) r * d;

		if (r % 64 == 0)
			CHECK_FOR_INTERRUPTS();
		reconstruct(cross, side, row, near, weights);
		for (int j = 0; j < Min(NEAR, cross->anchors); j++)
		{
			for (int i = 0; i < d; i++)
				side->tie[(size_t) i * cross->anchors + near[j]] +=
					cross->plan.alpha * weights[j] * row[i];
		}
	}
}

/* The map of one side onto the codes */
static void
fit_side(HxCross *cross, int which)
{
	HxCrossSide *side = &cross->side[which];
	int d = side->d;
	int bits = cross->bits;
	double *anchored = palloc((size_t) cross->anchors * bits * sizeof(double));

	memset(side->weights, 0, (size_t) d * bits * sizeof(double));
	hx_add_products(side->paired, cross->code, cross->pairs, d, bits,
					side->weights);
	for (int a = 0; a < cross->anchors; a++)
	{
		for (int j = 0; j < bits; j++)
			anchored[(size_t) a * bits + j] =
				cross->code[(size_t) cross->anchor[a] * bits + j];
	}
	hx_multiply(HX_AS_IS, HX_AS_IS, d, bits, cross->anchors, side->tie,
				anchored, 1.0, side->weights);
	hx_cholesky_solve(side->factor, d, side->weights, bits);
	pfree(anchored);
}

/* Codes of the pairs: signs of the common directions, and of the maps. */
static void
sign_codes(HxCross *cross, bool maps)
{
	int bits = cross->bits;
	double *sum = palloc(bits * sizeof(double));

	for (int r = 0; r < cross->pairs; r++)
	{
		const float *common = cross->common + (size_t) r * bits;

		if (r % 64 == 0)
			CHECK_FOR_INTERRUPTS();
		memset(sum, 0, bits * sizeof(double));
		for (int i = 0; i < bits; i++)
			hx_add_multiple(sum, cross->beta * common[i],
							cross->rotation + (size_t) i * bits, bits);
		for (int v = 0; v < 2 && maps; v++)
		{
			const HxCrossSide *side = &cross->side[v];
			const float *x = side->paired + (size_t) r * side->d;

			for (int i = 0; i < side->d; i++)
				hx_add_multiple(sum, x[i], side->weights + (size_t) i * bits,
								bits);
		}
		for (int j = 0; j < bits; j++)
			cross->code[(size_t) r * bits + j] = sum[j] > 0.0 ? 1.0f : -1.0f;
	}
	pfree(sum);
}

/* The rotation of the common directions nearest to the codes */
static void
turn_common(HxCross *cross)
{
	int bits = cross->bits;
	double *products = palloc0((size_t) bits * bits * sizeof(double));

	hx_add_products(cross->common, cross->code, cross->pairs, bits, bits,
					products);
	hx_procrustes(products, bits, cross->rotation);
	pfree(products);
}

/* Anchors: the first pairs, whose order is random */
static void
choose_anchors(HxCross *cross)
{
	cross->anchors = Min(HX_MAX_ANCHORS, cross->pairs);
	for (int i = 0; i < cross->anchors; i++)
		cross->anchor[i] = i;
}

void
HxLearnByTurns(HxCross *cross, HxRandom *random)
{
	const HxSpec *spec = &cross->training->spec;
	int turns = spec->iterations >= 0 ? spec->iterations : TURNS;

	choose_anchors(cross);
	memset(cross->common, 0,
		   (size_t) cross->all_pairs * cross->bits * sizeof(float));
	if (cross->pairs < cross->side[0].d + cross->side[1].d)
		find_common_of_few(cross, random);
	else
		find_common(cross, random);
	hx_random_rotation(cross->rotation, cross->bits, cross->bits, random);
	sign_codes(cross, false);
	prepare_side(cross, 0);
	prepare_side(cross, 1);
	for (int turn = 0; turn < turns; turn++)
	{
		turn_common(cross);
		fit_side(cross, 0);
		fit_side(cross, 1);
		sign_codes(cross, true);
	}
	fit_side(cross, 0);
	fit_side(cross, 1);
}
