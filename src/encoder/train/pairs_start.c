/*
 * pairs_start.c
 *	  What training by method pairs begins with: its vectors, and canonical
 *	  correlations of the sides.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/math/canonical.h"
#include "encoder/train/pairs.h"
#include "encoder/train/rows.h"

/* ---- vectors ---- */

/* Vector `part` of a row: x and y, or the thirds of x */
const float *
HxPairsVector(const HxPairs *pairs, int row, int part)
{
	const HxTraining *training = pairs->training;

	if (pairs->loss != HX_LOSS_MARGIN_MSE && part == 1)
		return training->y + (size_t) row * pairs->d;
	return training->x + (size_t) row * training->width[0] +
		   (size_t) part * pairs->d;
}

/* Number of vectors in a row */
int
HxPairsParts(const HxPairs *pairs)
{
	return pairs->loss == HX_LOSS_MARGIN_MSE ? 3 : 2;
}

/* Side of a part: queries, or what they look for */
int
HxPairsSide(int part)
{
	return part == 0 ? 0 : 1;
}

/*
 * Means of both sides, and the scale of all vectors less these.  A direction
 * that tells the sides apart and nothing else is so no direction at all.  A
 * base's means are not kept: domains shift.
 */
void
HxMeasurePairs(HxPairs *pairs)
{
	HxTraining *training = pairs->training;
	int parts = HxPairsParts(pairs);
	double count = (double) training->rows * parts;
	double squares = 0.0;

	for (int side = 0; side < 2; side++)
		pairs->mean[side] =
			HxTrainAlloc(training, pairs->d, sizeof(double), "the mean");
	for (int r = 0; r < training->rows; r++)
	{
		for (int p = 0; p < parts; p++)
		{
			const float *x = HxPairsVector(pairs, r, p);
			double *mean = pairs->mean[HxPairsSide(p)];
			double rows = (double) training->rows * (p == 0 ? 1 : parts - 1);

			for (int i = 0; i < pairs->d; i++)
				mean[i] += x[i] / rows;
		}
	}
	for (int r = 0; r < training->rows; r++)
	{
		for (int p = 0; p < parts; p++)
		{
			const float *x = HxPairsVector(pairs, r, p);
			const double *mean = pairs->mean[HxPairsSide(p)];

			for (int i = 0; i < pairs->d; i++)
				squares += (x[i] - mean[i]) * (x[i] - mean[i]);
		}
	}
	pairs->scale = squares > 0.0 ? sqrt(count * pairs->d / squares) : 1.0;
}

/* ---- canonical correlations ---- */

/* Covariance of both sides, and their symmetric products, of the rows learnt from */
static void
sum_sides(HxPairs *pairs, double *xx, double *xy)
{
	int d = pairs->d;
	float *scaled = palloc_extended(
		(size_t) 2 * pairs->batch * d * sizeof(float), MCXT_ALLOC_HUGE);
	float *other = scaled + (size_t) pairs->batch * d;
	double *half = HxTrainAlloc(pairs->training, (size_t) d * d, sizeof(double),
								"sums of products");

	for (int first = 0; first < pairs->rows; first += pairs->batch)
	{
		int n = Min(pairs->batch, pairs->rows - first);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
		{
			const float *x = HxPairsVector(pairs, pairs->order[first + i], 0);
			const float *y = HxPairsVector(pairs, pairs->order[first + i], 1);

			for (int j = 0; j < d; j++)
			{
				scaled[(size_t) i * d + j] =
					(float) ((x[j] - pairs->mean[0][j]) * pairs->scale);
				other[(size_t) i * d + j] =
					(float) ((y[j] - pairs->mean[1][j]) * pairs->scale);
			}
		}
		hx_add_squares(scaled, n, d, xx);
		hx_add_squares(other, n, d, xx);
		hx_add_products(scaled, other, n, d, d, half);
	}
	for (int i = 0; i < d; i++)
		for (int j = 0; j < d; j++)
			xy[(size_t) i * d + j] =
				half[(size_t) i * d + j] + half[(size_t) j * d + i];
	pairs->training->used -= (size_t) d * d * sizeof(double);
	pfree(half);
	pfree(scaled);
}

/*
 * Weights from correlations and directions (k x d): the directions by what they
 * count, turned at random over all bits, then rows of length 1 on average
 */
static void
turn_directions(HxPairs *pairs, int k, const double *value, double *direction,
				const double *rotation)
{
	int d = pairs->d;
	int bits = pairs->bits;
	size_t count = (size_t) bits * d;
	double *turned = palloc_extended(count * sizeof(double), MCXT_ALLOC_HUGE);
	double squares = 0.0;

	for (int i = 0; i < k; i++)
		for (int j = 0; j < d; j++)
			direction[(size_t) i * d + j] *= hx_canonical_weight(value[i]);
	hx_multiply(HX_TRANSPOSED, HX_AS_IS, bits, d, k, rotation, direction, 0.0,
				turned);
	for (size_t i = 0; i < count; i++)
		squares += turned[i] * turned[i];
	for (size_t i = 0; i < count && squares > 0.0; i++)
		pairs->w[i] = (float) (turned[i] * sqrt(bits / squares));
	pfree(turned);
}

/* Take the sides apart, to begin with what tells most of them. */
void
HxPreparePairs(HxPairs *pairs, HxPairsStart *start, HxRandom *random)
{
	HxTraining *training = pairs->training;
	int d = pairs->d;
	size_t square = (size_t) d * d;
	double *xx = HxTrainAlloc(training, square, sizeof(double), "covariance");
	double *xy = HxTrainAlloc(training, square, sizeof(double), "covariance");

	start->k = Min(d, pairs->bits);
	start->value = palloc(start->k * sizeof(double));
	start->direction = palloc_extended((size_t) start->k * d * sizeof(double),
									   MCXT_ALLOC_HUGE);
	start->rotation = palloc_extended(
		(size_t) pairs->bits * pairs->bits * sizeof(double), MCXT_ALLOC_HUGE);
	hx_random_rotation(start->rotation, pairs->bits, pairs->bits, random);
	sum_sides(pairs, xx, xy);
	HxTrainReserve(training, 5.0 * (double) square * sizeof(double),
				   "correlations");
	if (hx_prepare_canonical(xx, d, NULL, 0, xy, &start->canonical) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("correlations of the pairs were not found")));
	training->used -= 2 * square * sizeof(double);
	pfree(xx);
	pfree(xy);
}

/* Free what HxPreparePairs made. */
void
HxFreePairsStart(HxPairsStart *start)
{
	hx_free_canonical(&start->canonical);
	pfree(start->value);
	pfree(start->direction);
	pfree(start->rotation);
}

/* Weights to begin with, by a ridge: the squared lengths of so many rows */
void
HxSetPairsWeights(HxPairs *pairs, HxPairsStart *start, double ridge,
				  HxRandom *random)
{
	double share = ridge * pairs->d / pairs->rows;
	double both[2] = {share, share};

	if (hx_solve_canonical(&start->canonical, both, start->k, start->value,
						   start->direction, NULL, random) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("correlations of the pairs were not found")));
	turn_directions(pairs, start->k, start->value, start->direction,
					start->rotation);
}
