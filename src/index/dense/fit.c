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

/* Nearest rows that a query is compared with */
#define NEAREST 10

/* Rounds of k-means */
#define ROUNDS 6

/* ---- landmarks ---- */

/* Kept numbers of the rows to train on */
static float *
keep_training(const HxLearnSample *sample, const HxModel *model)
{
	HxFloatRows axes = {model->axes, model->dims, model->kept};
	float *kept = HxAllocFloats((Size) sample->ntraining * model->kept);

	for (int i = 0; i < sample->ntraining; i++)
	{
		CHECK_FOR_INTERRUPTS();
		hx_kernels->dense->inner(sample->training + (Size) i * sample->dims,
								 sample->dims, axes,
								 kept + (Size) i * model->kept);
	}
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

/* ---- how far estimates are off ---- */

/* The sample's rows as the model sees them */
typedef struct Fit
{
	const HxLearnSample *sample;
	HxModel *model;
	float *kept;   /* count rows of kept numbers */
	double *along; /* of each row with the mean */
	double *length2;
	double *kept2;
	float *products; /* scratch: of a query with all rows */
	HxDenseRow *row; /* scratch, and what it stands for */
	float *sketch;
	double squares; /* of errors, as they are */
	double ratios;	/* the same, in the deviation that the row tells */
	int64 count;
	int nearest[NEAREST];
	int nnearest;
} Fit;

static float *
kept_of(const Fit *fit, int i)
{
	return fit->kept + (Size) i * fit->model->kept;
}

static void
see_rows(Fit *fit)
{
	const HxLearnSample *sample = fit->sample;
	const HxModel *model = fit->model;
	HxFloatRows axes = {model->axes, model->dims, model->kept};

	for (int i = 0; i < sample->count; i++)
	{
		float *row = HxLearnRow(sample, i);

		CHECK_FOR_INTERRUPTS();
		hx_kernels->dense->inner(row, model->dims, axes, kept_of(fit, i));
		fit->along[i] =
			hx_kernels->dense->product(row, model->mean, model->dims);
		fit->length2[i] = hx_kernels->dense->product(row, row, model->dims);
		fit->kept2[i] = hx_kernels->dense->product(
			kept_of(fit, i), kept_of(fit, i), model->kept);
	}
}

/* What rows are ordered by for a query, from its product with a row */
static double
order_of(const Fit *fit, int row, double product)
{
	if (fit->sample->metric == HX_L2)
		return fit->length2[row] - 2 * product;
	return -(product + fit->along[row]);
}

/* Find the rows nearest to one of them. */
static void
find_nearest(Fit *fit, int query)
{
	const HxLearnSample *sample = fit->sample;
	HxFloatRows rows = {sample->rows, sample->dims, sample->count};
	double order[NEAREST];

	hx_kernels->dense->inner(HxLearnRow(sample, query), sample->dims, rows,
							 fit->products);
	fit->nnearest = 0;
	for (int i = 0; i < sample->count; i++)
	{
		double own = order_of(fit, i, fit->products[i]);
		int at = fit->nnearest;

		if (i == query || (at == NEAREST && own >= order[NEAREST - 1]))
			continue;
		if (at == NEAREST)
			at--;
		else
			fit->nnearest++;
		for (; at > 0 && order[at - 1] > own; at--)
		{
			order[at] = order[at - 1];
			fit->nearest[at] = fit->nearest[at - 1];
		}
		order[at] = own;
		fit->nearest[at] = i;
	}
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
add_credit(const Fit *fit, int query, double *with, double *itself)
{
	for (int n = 0; n < fit->nnearest; n++)
	{
		int row = fit->nearest[n];
		double kept = hx_kernels->dense->product(
			kept_of(fit, query), kept_of(fit, row), fit->model->kept);
		double left2 = Max(fit->length2[row] - fit->kept2[row], 0);
		double rest2;
		double said = product_from_landmark(fit, query, row, &rest2);

		said *= left2 / Max(rest2, 1e-30);
		*with += (fit->products[row] - kept) * said;
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
		Max(fit->length2[query] - fit->kept2[query], 0);

	return sqrt(away2 / model->dims) * HxLengthen(row->error);
}

/* Add up the squares of the errors of the nearest rows' estimates. */
static void
add_errors(Fit *fit, int query, HxSeen *seen)
{
	const HxModel *model = fit->model;

	for (int n = 0; n < fit->nnearest; n++)
	{
		int near = fit->nearest[n];
		double deviation;
		double error;

		seen->kept = kept_of(fit, near);
		seen->kept2 = fit->kept2[near];
		seen->left2 = Max(fit->length2[near] - fit->kept2[near], 0);
		/* What it adds to a product is then of the landmark alone. */
		seen->along = 0;
		HxWriteDenseRow(model, HX_INNER_PRODUCT, seen, 0, fit->row);
		deviation = told_deviation(fit, query, fit->row);
		if (HxIsBare(fit->row) || !(deviation > 0))
			continue;
		HxReadSketch(model, fit->row, fit->sketch);
		error = hx_kernels->dense->product(kept_of(fit, query), fit->sketch,
										   model->kept) +
				fit->row->add - fit->products[near];
		fit->squares += error * error;
		fit->ratios += error / deviation * (error / deviation);
		fit->count++;
	}
}

/* The step between two rows that are queries */
static int
query_step(const HxLearnSample *sample)
{
	int queries = Max(sample->count / HX_HELD_OUT, 1);

	return HX_HELD_OUT * Max(queries / MOST_QUERIES, 1);
}

static void
fit_credit(Fit *fit)
{
	double with = 0;
	double itself = 0;

	for (int q = HX_HELD_OUT - 1; q < fit->sample->count;
		 q += query_step(fit->sample))
	{
		CHECK_FOR_INTERRUPTS();
		find_nearest(fit, q);
		add_credit(fit, q, &with, &itself);
	}
	if (itself > 0)
		fit->model->credit = (float) Min(Max(with / itself, 0), 1);
}

static void
fit_spread(Fit *fit)
{
	HxSeen seen = {.rest = palloc(fit->model->kept * sizeof(float))};

	for (int q = HX_HELD_OUT - 1; q < fit->sample->count;
		 q += query_step(fit->sample))
	{
		CHECK_FOR_INTERRUPTS();
		find_nearest(fit, q);
		add_errors(fit, q, &seen);
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
	fit->along = palloc(count * sizeof(double));
	fit->length2 = palloc(count * sizeof(double));
	fit->kept2 = palloc(count * sizeof(double));
	fit->products = HxAllocFloats(count);
	fit->row = palloc(HxDensePayload(model));
	fit->sketch = palloc(model->kept * sizeof(float));
}

static void
free_fit(Fit *fit)
{
	pfree(fit->kept);
	pfree(fit->along);
	pfree(fit->length2);
	pfree(fit->kept2);
	pfree(fit->products);
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
