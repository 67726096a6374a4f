/*
 * pairs_step.c
 *	  Steps of training by method pairs: the gradients of its losses.
 */
#include "postgres.h"

#include <math.h>

#include "encoder/train/levels.h"
#include "encoder/train/pairs.h"
#include "encoder/train/rows.h"

/* How fast soft codes harden (BPR), and its margin */
#define HARDENING 0.1
#define RANKING_MARGIN 2.0f

/* A step's vectors, and their outputs: rows learnt from, or held out */
int
HxGatherPairs(HxPairs *pairs, int first)
{
	int end = first < pairs->rows ? pairs->rows : pairs->training->rows;
	int n = Min(pairs->batch, end - first);

	for (int p = 0; p < HxPairsParts(pairs); p++)
	{
		for (int i = 0; i < n; i++)
		{
			const float *from =
				HxPairsVector(pairs, pairs->order[first + i], p);
			const double *mean = pairs->mean[HxPairsSide(p)];
			float *to = pairs->x[p] + (size_t) i * pairs->d;

			for (int j = 0; j < pairs->d; j++)
				to[j] = (float) ((from[j] - mean[j]) * pairs->scale);
		}
		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, pairs->bits, pairs->d,
						  pairs->x[p], pairs->w, 0.0f, pairs->z[p]);
	}
	return n;
}

/* Add to the gradient what outputs z of vectors x ask for. */
static void
add_gradient(HxPairs *pairs, const float *slope, const float *x, int n)
{
	hx_multiply_float(HX_TRANSPOSED, HX_AS_IS, pairs->bits, pairs->d, n, slope,
					  x, 1.0f, pairs->gradient);
}

/* Soft codes of outputs */
static void
soften_codes(const float *z, size_t count, float hardness, float *h)
{
	for (size_t i = 0; i < count; i++)
		h[i] = tanhf(hardness * z[i]);
}

/* Gradient at soft codes to that at outputs */
static void
pass_softness(const float *h, size_t count, float hardness, float *slope)
{
	for (size_t i = 0; i < count; i++)
		slope[i] *= hardness * (1.0f - h[i] * h[i]);
}

/* Scores of a row become the gradient of the entropy; returns its loss */
static double
score_answer(float *row, int n, int answer)
{
	float most = row[0];
	float sum = 0.0f;
	double loss;

	for (int j = 1; j < n; j++)
		most = Max(most, row[j]);
	for (int j = 0; j < n; j++)
		sum += row[j] = expf(row[j] - most);
	loss = -log(row[answer] / sum + 1e-30);
	for (int j = 0; j < n; j++)
		row[j] = row[j] / sum / n;
	row[answer] -= 1.0f / n;
	return loss;
}

/* Scores of a row of codes become the gradient of the margin's loss. */
static double
score_margin(float *row, int n, int answer)
{
	float best = row[answer];
	float share = 1.0f / ((float) n * (n - 1));
	double loss = 0.0;
	int missed = 0;

	for (int j = 0; j < n; j++)
	{
		float lack = RANKING_MARGIN - best + row[j];

		if (j == answer)
			continue;
		loss += Max(lack, 0.0f);
		missed += lack > 0.0f;
		row[j] = lack > 0.0f ? share : 0.0f;
	}
	row[answer] = -share * missed;
	return loss / (n - 1);
}

/* BPR's step */
static double
learn_ranking(HxPairs *pairs, int n, float hardness)
{
	int bits = pairs->bits;
	size_t count = (size_t) n * bits;
	float *answers = pairs->slope; /* gradient at soft codes of answers */
	float *queries = pairs->h[2];  /* and of queries */
	double loss = 0.0;

	soften_codes(pairs->z[0], count, hardness, pairs->h[0]);
	soften_codes(pairs->z[1], count, hardness, pairs->h[1]);
	/* queries as numbers */
	hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, n, bits, pairs->z[0],
					  pairs->h[1], 0.0f, pairs->score);
	for (int i = 0; i < n; i++)
		loss += score_answer(pairs->score + (size_t) i * n, n, i);
	hx_multiply_float(HX_TRANSPOSED, HX_AS_IS, n, bits, n, pairs->score,
					  pairs->z[0], 0.0f, answers);
	hx_multiply_float(HX_AS_IS, HX_AS_IS, n, bits, n, pairs->score, pairs->h[1],
					  0.0f, queries);
	add_gradient(pairs, queries, pairs->x[0], n);
	/* queries as codes */
	hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, n, bits, pairs->h[0],
					  pairs->h[1], 0.0f, pairs->score);
	for (int i = 0; i < n; i++)
		loss += score_margin(pairs->score + (size_t) i * n, n, i);
	hx_multiply_float(HX_TRANSPOSED, HX_AS_IS, n, bits, n, pairs->score,
					  pairs->h[0], 1.0f, answers);
	hx_multiply_float(HX_AS_IS, HX_AS_IS, n, bits, n, pairs->score, pairs->h[1],
					  0.0f, queries);
	pass_softness(pairs->h[0], count, hardness, queries);
	pass_softness(pairs->h[1], count, hardness, answers);
	add_gradient(pairs, queries, pairs->x[0], n);
	add_gradient(pairs, answers, pairs->x[1], n);
	return loss / n;
}

/*
 * GPL's step: differences of scores should be the teacher's, but for a common
 * factor, which is the best one of each step.
 */
static double
learn_margin_mse(HxPairs *pairs, int first, int n, float hardness)
{
	int bits = pairs->bits;
	size_t count = (size_t) n * bits;
	double *mine = palloc(n * sizeof(double));
	double products = 0.0;
	double squares = 1e-30;
	double teacher = 1e-30;
	double factor;
	double loss = 0.0;

	for (int p = 1; p < 3; p++)
		soften_codes(pairs->z[p], count, hardness, pairs->h[p]);
	for (int i = 0; i < n; i++)
	{
		const float *q = pairs->z[0] + (size_t) i * bits;
		double wanted = pairs->training->number[pairs->order[first + i]];

		mine[i] = hx_dot_float(q, pairs->h[1] + (size_t) i * bits, bits) -
				  hx_dot_float(q, pairs->h[2] + (size_t) i * bits, bits);
		products += mine[i] * wanted;
		squares += mine[i] * mine[i];
		teacher += wanted * wanted;
	}
	factor = Max(products / squares, 0.1 * sqrt(teacher / squares));
	for (int i = 0; i < n; i++)
	{
		double wanted = pairs->training->number[pairs->order[first + i]];
		double off = factor * mine[i] - wanted;

		loss += off * off / teacher;
		mine[i] = 2.0 * factor * off / teacher;
	}
	for (int p = 0; p < 3; p++)
	{
		for (int i = 0; i < n; i++)
		{
			const float *q = pairs->z[0] + (size_t) i * bits;
			const float *a = pairs->h[1] + (size_t) i * bits;
			const float *b = pairs->h[2] + (size_t) i * bits;
			float *slope = pairs->slope + (size_t) i * bits;
			float size = (float) (p == 2 ? -mine[i] : mine[i]);

			for (int j = 0; j < bits; j++)
				slope[j] = size * (p == 0 ? a[j] - b[j] : q[j]);
		}
		if (p > 0)
			pass_softness(pairs->h[p], count, hardness, pairs->slope);
		add_gradient(pairs, pairs->slope, pairs->x[p], n);
	}
	pfree(mine);
	return loss;
}

/* One step, on rows from `first` of the order on; its loss */
double
HxLearnPairs(HxPairs *pairs, int first, int time)
{
	size_t count = (size_t) pairs->bits * pairs->d;
	float hardness = sqrtf(1.0f + (float) HARDENING * time);
	int n = HxGatherPairs(pairs, first);
	double share = (double) time / pairs->steps;
	double loss;

	memset(pairs->gradient, 0, count * sizeof(float));
	loss = pairs->loss == HX_LOSS_RANKING
			   ? learn_ranking(pairs, n, hardness)
			   : learn_margin_mse(pairs, first, n, hardness);
	hx_descend(pairs->w, pairs->gradient, pairs->memory[0], pairs->memory[1],
			   count,
			   pairs->rate * (0.5 + 0.5 * cos(3.14159265358979 * share)) /
				   sqrt(pairs->d),
			   time);
	return loss;
}
