/*
 * cross_canonical.c
 *	  Method cross by canonical correlations of the pairs.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "encoder/train/cross.h"
#include "encoder/train/rows.h"

/*
 * Turns of the correlations' rotation to the codes, and what the rotation of the turn
 * before counts
 */
#define CODE_TURNS 20
#define KEEP 0.01

HxCanonical
HxPrepareCross(HxCross *cross)
{
	HxTraining *training = cross->training;
	int d[2] = {cross->side[0].d, cross->side[1].d};
	size_t square[2] = {(size_t) d[0] * d[0], (size_t) d[1] * d[1]};
	double *xy = HxTrainAlloc(training, (size_t) d[0] * d[1], sizeof(double),
							  "sums of products");
	HxCanonical canonical;

	HxTrainReserve(training,
				   3.0 * (double) (square[0] + square[1]) * sizeof(double),
				   "correlations");
	for (int v = 0; v < 2; v++)
	{
		HxCrossSide *side = &cross->side[v];
		double rows = cross->pairs + cross->plan.alpha * side->singles;

		HxSumCrossSquares(cross, side, side->factor);
		for (size_t i = 0; i < square[v]; i++)
			side->factor[i] /= rows;
	}
	hx_add_products(cross->side[0].paired, cross->side[1].paired, cross->pairs,
					d[0], d[1], xy);
	for (size_t i = 0; i < (size_t) d[0] * d[1]; i++)
		xy[i] /= cross->pairs;
	if (hx_prepare_canonical(cross->side[0].factor, d[0], cross->side[1].factor,
							 d[1], xy, &canonical) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("correlations of the pairs were not found")));
	training->used -= (size_t) d[0] * d[1] * sizeof(double);
	pfree(xy);
	return canonical;
}

/*
 * Turn the rotation of so many directions so that the pairs' outputs, by
 * directions (k x d, for each side), are near their codes, as itq does.
 */
static void
turn_to_codes(HxCross *cross, int k, double *const *direction)
{
	int bits = cross->bits;
	int n = cross->pairs;
	float *v =
		palloc_extended((size_t) 2 * n * k * sizeof(float), MCXT_ALLOC_HUGE);
	float *y =
		palloc_extended((size_t) 2 * n * bits * sizeof(float), MCXT_ALLOC_HUGE);
	float *r = palloc((size_t) k * bits * sizeof(float));
	double *products = palloc((size_t) bits * bits * sizeof(double));

	for (int side = 0; side < 2; side++)
	{
		int d = cross->side[side].d;
		float *w =
			palloc_extended((size_t) k * d * sizeof(float), MCXT_ALLOC_HUGE);

		for (size_t i = 0; i < (size_t) k * d; i++)
			w[i] = (float) direction[side][i];
		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, k, d,
						  cross->side[side].paired, w, 0.0f,
						  v + (size_t) side * n * k);
		pfree(w);
	}
	for (int turn = 0; turn < CODE_TURNS; turn++)
	{
		CHECK_FOR_INTERRUPTS();
		for (size_t i = 0; i < (size_t) k * bits; i++)
			r[i] = (float) cross->rotation[i];
		hx_multiply_float(HX_AS_IS, HX_AS_IS, 2 * n, bits, k, v, r, 0.0f, y);
		for (size_t i = 0; i < (size_t) 2 * n * bits; i++)
			y[i] = y[i] > 0.0f ? 1.0f : -1.0f;
		memset(products, 0, (size_t) bits * bits * sizeof(double));
		hx_add_products(v, y, 2 * n, k, bits, products);
		hx_add_multiple(
			products,
			KEEP * hx_dot(products, cross->rotation, (size_t) k * bits) / k,
			cross->rotation, (size_t) bits * bits);
		hx_procrustes(products, bits, cross->rotation);
	}
	pfree(v);
	pfree(y);
	pfree(r);
	pfree(products);
}

void
HxSetCanonical(HxCross *cross, const HxCanonical *canonical, HxRandom *random)
{
	int bits = cross->bits;
	int d[2] = {cross->side[0].d, cross->side[1].d};
	int k = Min(bits, Min(d[0], d[1]));
	double ridge[2];
	double *value = palloc(k * sizeof(double));
	double *direction[2];

	for (int v = 0; v < 2; v++)
	{
		ridge[v] = HxCrossLambda(cross, &cross->side[v]);
		direction[v] = palloc_extended((size_t) k * d[v] * sizeof(double),
									   MCXT_ALLOC_HUGE);
	}
	hx_random_rotation(cross->rotation, bits, bits, random);
	if (hx_solve_canonical(canonical, ridge, k, value, direction[0],
						   direction[1], random) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("correlations of the pairs were not found")));
	for (int v = 0; v < 2; v++)
		for (int i = 0; i < k; i++)
			for (int j = 0; j < d[v]; j++)
				direction[v][(size_t) i * d[v] + j] *=
					hx_canonical_weight(value[i]);
	turn_to_codes(cross, k, direction);
	for (int v = 0; v < 2; v++)
	{
		hx_multiply(HX_TRANSPOSED, HX_AS_IS, d[v], bits, k, direction[v],
					cross->rotation, 0.0, cross->side[v].weights);
		pfree(direction[v]);
	}
	pfree(value);
}
