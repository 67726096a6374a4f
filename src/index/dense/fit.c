/*
 * fit.c
 *	  What else than directions a sample of vectors teaches: landmarks, and how far
 *	  estimates are off.
 *
 * Landmarks are centres of k-means among what is kept of vectors.  How far
 * estimates are off is seen on rows that took no part in learning, as queries for
 * their nearest among the others.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"

#include "index/dense/learn.h"
#include "kernel/kernel.h"

/* Queries at most */
#define MOST_QUERIES 256

/* Rows that are multiplied with all others at a time */
#define QUERIES_AT_A_TIME 32

/* Rounds of k-means */
#define ROUNDS 6

/* ---- products ---- */

void
HxMultiply(HxFloatRows queries, int dims, HxFloatRows rows, float *product,
		   Size stride)
{
	for (Size start = 0; start < queries.count; start += QUERIES_AT_A_TIME)
	{
		HxFloatRows some = {queries.base + start * queries.stride,
							queries.stride,
							Min(QUERIES_AT_A_TIME, queries.count - start)};

		CHECK_FOR_INTERRUPTS();
		hx_kernels->dense->inner_many(some, dims, rows,
									  product + start * stride, stride);
	}
}

/* ---- landmarks ---- */

/* Kept numbers of the rows to train on */
static float *
keep_training(const HxLearnSample *sample, const HxModel *model)
{
	HxFloatRows rows = {sample->training, sample->dims, sample->ntraining};
	HxFloatRows axes = {model->axes, model->dims, model->kept};
	float *kept = HxAllocFloats((Size) sample->ntraining * model->kept);

	HxMultiply(rows, sample->dims, axes, kept, model->kept);
	return kept;
}

/*
 * Move each landmark but the first to the middle of the rows that are nearest to
 * it, and of the mean, which counts as one: few rows tell little.
 */
static void
move_landmarks(const float *kept, int count, HxModel *model)
{
	Size numbers = (Size) model->landmarks * model->kept;
	double *sums = palloc0(numbers * sizeof(double));
	int *counts = palloc0(model->landmarks * sizeof(int));

	for (int i = 0; i < count; i++)
	{
		const float *row = kept + (Size) i * model->kept;
		int nearest = HxNearestLandmark(model, row);
		double *sum = sums + (Size) nearest * model->kept;

		CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < model->kept; k++)
			sum[k] += row[k];
		counts[nearest]++;
	}
	for (Size i = model->kept; i < numbers; i++)
		model->places[i] = (float) (sums[i] / (counts[i / model->kept] + 1));
	pfree(sums);
	pfree(counts);
}

void
HxPlaceLandmarks(const HxLearnSample *sample, HxModel *model)
{
	float *kept;

	if (model->landmarks == 1)
		return;
	kept = keep_training(sample, model);
	for (int i = 1; i < model->landmarks; i++)
	{
		Size row = (Size) i * sample->ntraining / model->landmarks;

		memcpy(model->places + (Size) i * model->kept, kept + row * model->kept,
			   model->kept * sizeof(float));
	}
	for (int round = 0; round < ROUNDS; round++)
		move_landmarks(kept, sample->ntraining, model);
	pfree(kept);
}

/* ---- queries of the sample ---- */

/* What rows are ordered by for a query, from its product with a row */
static double
order_of(const HxLearnSample *sample, int row, double product)
{
	if (sample->metric == HX_L2)
		return sample->length2[row] - 2 * product;
	return -(product + sample->along[row]);
}

/* Find the rows nearest to a query, of whose products with all we know. */
static void
find_nearest(const HxLearnSample *sample, const float *products,
			 HxLearnQuery *query)
{
	double order[HX_NEAREST];
	int found = 0;

	for (int i = 0; i < sample->count; i++)
	{
		double own = order_of(sample, i, products[i]);
		int at = found;

		if (i == query->row ||
			(at == HX_NEAREST && own >= order[HX_NEAREST - 1]))
			continue;
		if (at == HX_NEAREST)
			at--;
		else
			found++;
		for (; at > 0 && order[at - 1] > own; at--)
		{
			order[at] = order[at - 1];
			query->nearest[at] = query->nearest[at - 1];
		}
		order[at] = own;
		query->nearest[at] = i;
	}
	Assert(found == HX_NEAREST);
	for (int n = 0; n < HX_NEAREST; n++)
		query->product[n] = products[query->nearest[n]];
}

/* The step between two rows that are queries */
static int
query_step(const HxLearnSample *sample)
{
	int queries = Max(sample->count / HX_HELD_OUT, 1);

	return HX_HELD_OUT * Max(queries / MOST_QUERIES, 1);
}

/* What is known of each row by itself */
static void
measure_rows(HxLearnSample *sample, const float *mean)
{
	sample->along = palloc(sample->count * sizeof(double));
	sample->length2 = palloc(sample->count * sizeof(double));
	for (int i = 0; i < sample->count; i++)
	{
		const float *row = HxLearnRow(sample, i);

		sample->along[i] = hx_kernels->dense->product(row, mean, sample->dims);
		sample->length2[i] = hx_kernels->dense->product(row, row, sample->dims);
	}
}

void
HxFindQueries(HxLearnSample *sample, const float *mean)
{
	int step = query_step(sample);
	int first = HX_HELD_OUT - 1;
	int most = (sample->count - first + step - 1) / step;
	float *products = HxAllocFloats((Size) QUERIES_AT_A_TIME * sample->count);

	Assert(sample->count > HX_NEAREST);
	measure_rows(sample, mean);
	sample->queries = palloc(most * sizeof(HxLearnQuery));
	sample->nqueries = most;
	for (int q = 0; q < most; q += QUERIES_AT_A_TIME)
	{
		int count = Min(QUERIES_AT_A_TIME, most - q);
		HxFloatRows some = {HxLearnRow(sample, first + q * step),
							(Size) step * sample->dims, count};

		HxMultiply(some, sample->dims, HxLearnRows(sample), products,
				   sample->count);
		for (int i = 0; i < count; i++)
		{
			sample->queries[q + i].row = first + (q + i) * step;
			find_nearest(sample, products + (Size) i * sample->count,
						 &sample->queries[q + i]);
		}
	}
	pfree(products);
}

/* ---- how far estimates are off ---- */

/* The sample's rows as the model sees them */
typedef struct Fit
{
	const HxLearnSample *sample;
	HxModel *model;
	float *kept; /* count rows of kept numbers */
	double *kept2;
	HxDenseRow *row; /* scratch, and what it stands for */
	float *sketch;
	double squares; /* of errors, as they are */
	double ratios;	/* the same, in the deviation that the row tells */
	int64 count;
} Fit;

static float *
kept_of(const Fit *fit, int i)
{
	return fit->kept + (Size) i * fit->model->kept;
}

static void
see_rows(Fit *fit)
{
	const HxModel *model = fit->model;
	HxFloatRows axes = {model->axes, model->dims, model->kept};

	HxMultiply(HxLearnRows(fit->sample), model->dims, axes, fit->kept,
			   model->kept);
	for (int i = 0; i < fit->sample->count; i++)
		fit->kept2[i] = hx_kernels->dense->product(
			kept_of(fit, i), kept_of(fit, i), model->kept);
}

/* Squared length of what is not kept of a row */
static double
left2_of(const Fit *fit, int row)
{
	return Max(fit->sample->length2[row] - fit->kept2[row], 0);
}

/* Product of what is kept of a query and of a row, both less the row's landmark */
static double
product_from_landmark(const Fit *fit, int query, int row, double *rest2)
{
	const HxModel *model = fit->model;
	const float *numbers = kept_of(fit, row);
	const float *place = HxPlaceOf(model, HxNearestLandmark(model, numbers));
	double product = 0;

	*rest2 = 0;
	for (int i = 0; i < model->kept; i++)
	{
		double rest = numbers[i] - place[i];

		product += (kept_of(fit, query)[i] - place[i]) * rest;
		*rest2 += rest * rest;
	}
	return product;
}

/*
 * Add up what the nearest rows' parts that are not kept add to the product, by
 * what their kept parts would say.
 */
static void
add_credit(const Fit *fit, const HxLearnQuery *query, double *with,
		   double *itself)
{
	for (int n = 0; n < HX_NEAREST; n++)
	{
		int row = query->nearest[n];
		double kept = hx_kernels->dense->product(
			kept_of(fit, query->row), kept_of(fit, row), fit->model->kept);
		double rest2;
		double said = product_from_landmark(fit, query->row, row, &rest2);

		said *= left2_of(fit, row) / Max(rest2, 1e-30);
		*with += (query->product[n] - kept) * said;
		*itself += said * said;
	}
}

/* The deviation that a row tells, of its product with a query */
static double
told_deviation(const Fit *fit, int query, const HxDenseRow *row)
{
	const HxModel *model = fit->model;
	const float *place = HxPlaceOf(model, HxLandmarkOf(model, row));
	double away2 =
		hx_kernels->dense->square(kept_of(fit, query), place, model->kept) +
		left2_of(fit, query);

	return sqrt(away2 / model->dims) * HxLengthen(row->error);
}

/* Add up the squares of the errors of the nearest rows' estimates. */
static void
add_errors(Fit *fit, const HxLearnQuery *query, HxSeen *seen)
{
	const HxModel *model = fit->model;

	for (int n = 0; n < HX_NEAREST; n++)
	{
		int near = query->nearest[n];
		double deviation;
		double error;

		seen->kept = kept_of(fit, near);
		seen->kept2 = fit->kept2[near];
		seen->left2 = left2_of(fit, near);
		/* What it adds to a product is then of the landmark alone. */
		seen->along = 0;
		HxWriteDenseRow(model, HX_INNER_PRODUCT, seen, 0, fit->row);
		deviation = told_deviation(fit, query->row, fit->row);
		if (HxIsBare(fit->row) || !(deviation > 0))
			continue;
		HxReadSketch(model, fit->row, fit->sketch);
		error = hx_kernels->dense->product(kept_of(fit, query->row),
										   fit->sketch, model->kept) +
				fit->row->add - query->product[n];
		fit->squares += error * error;
		fit->ratios += error / deviation * (error / deviation);
		fit->count++;
	}
}

static void
fit_credit(Fit *fit)
{
	double with = 0;
	double itself = 0;

	for (int q = 0; q < fit->sample->nqueries; q++)
	{
		CHECK_FOR_INTERRUPTS();
		add_credit(fit, &fit->sample->queries[q], &with, &itself);
	}
	if (itself > 0)
		fit->model->credit = (float) Min(Max(with / itself, 0), 1);
}

static void
fit_spread(Fit *fit)
{
	HxSeen seen = {.rest = palloc(fit->model->kept * sizeof(float))};

	for (int q = 0; q < fit->sample->nqueries; q++)
	{
		CHECK_FOR_INTERRUPTS();
		add_errors(fit, &fit->sample->queries[q], &seen);
	}
	if (fit->count > 0)
		fit->model->spread = (float) sqrt(fit->ratios / fit->count);
	pfree(seen.rest);
}

static void
alloc_fit(Fit *fit)
{
	int count = fit->sample->count;
	const HxModel *model = fit->model;

	fit->kept = HxAllocFloats((Size) count * model->kept);
	fit->kept2 = palloc(count * sizeof(double));
	fit->row = palloc(HxDensePayload(model));
	fit->sketch = palloc(model->kept * sizeof(float));
}

static void
free_fit(Fit *fit)
{
	pfree(fit->kept);
	pfree(fit->kept2);
	pfree(fit->row);
	pfree(fit->sketch);
}

double
HxFitModel(const HxLearnSample *sample, HxModel *model)
{
	Fit fit = {.sample = sample, .model = model};
	double kept2 = 0;

	alloc_fit(&fit);
	see_rows(&fit);
	for (int i = 0; i < sample->count; i++)
		kept2 += fit.kept2[i];
	model->unit = (float) Max(kept2 / sample->count, FLT_MIN);
	fit_credit(&fit);
	fit_spread(&fit);
	free_fit(&fit);
	return fit.count > 0 ? sqrt(fit.squares / fit.count) : 0;
}
