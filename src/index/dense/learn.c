/*
 * learn.c
 *	  What an index learns from a sample of vectors: which directions sketches keep,
 *	  and how far estimates are off.
 *
 * The directions are those of greatest variance, found by subspace iteration
 * (Golub and Van Loan, Matrix Computations, section 8.2), and turned at random
 * among themselves, so that no level matters more than another (as in ITQ's
 * start and RaBitQ).  How far estimates are off is seen on rows that took no
 * part in that, as queries for their nearest among the others.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"

#include "index/dense/dense.h"
#include "kernel/kernel.h"
#include "random.h"

/* Iterations of the subspace */
#define ITERATIONS 6

/* One row in so many is held out, as a query; so many are used at most */
#define HELD_OUT 4
#define MOST_QUERIES 256

/* Numbers in memory for each one of a vector, while it is learnt from */
#define NUMBERS_EACH 4

/* Nearest rows that a query is compared with */
#define NEAREST 10

/* ---- the sample ---- */

/* Vectors of the sample, in one piece */
typedef struct Sample
{
	HxMetric metric;
	int dims;
	int count;
	float *rows;	 /* count rows of dims; without the mean later on */
	float *training; /* those not held out */
	int ntraining;
	float *transposed; /* the same, dims rows of ntraining */
} Sample;

static float *
row_of(const Sample *sample, int i)
{
	return sample->rows + (Size) i * sample->dims;
}

static void *
alloc_floats(Size count)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, count * sizeof(float));
}

/* Scale a vector to unit length; false if it has no direction. */
static bool
normalize(float *vector, int dims)
{
	double length = sqrt(hx_kernels->dense->product(vector, vector, dims));
	float factor = (float) (1 / length);

	if (!isfinite(length) || !(length > 0) || !isfinite(factor))
		return false;
	for (int i = 0; i < dims; i++)
		vector[i] *= factor;
	return true;
}

/* Keep the vectors that have finite lengths, and a direction if need be. */
static void
drop_unusable(Sample *sample)
{
	int kept = 0;

	for (int i = 0; i < sample->count; i++)
	{
		float *row = row_of(sample, i);
		double length2 = hx_kernels->dense->product(row, row, sample->dims);

		if (!isfinite(length2) || length2 >= FLT_MAX ||
			(sample->metric == HX_COSINE && !normalize(row, sample->dims)))
			continue;
		if (kept < i)
			memcpy(row_of(sample, kept), row, sample->dims * sizeof(float));
		kept++;
	}
	sample->count = kept;
}

/* Length of the longest row */
static float
longest_row(const Sample *sample)
{
	double longest2 = FLT_MIN;

	for (int i = 0; i < sample->count; i++)
		longest2 = Max(longest2, hx_kernels->dense->product(row_of(sample, i),
															row_of(sample, i),
															sample->dims));
	return (float) sqrt(longest2);
}

/* Subtract the mean of all rows from each, and set it. */
static void
centre(Sample *sample, float *mean)
{
	double *sum = palloc0(sample->dims * sizeof(double));

	for (int i = 0; i < sample->count; i++)
		for (int d = 0; d < sample->dims; d++)
			sum[d] += row_of(sample, i)[d];
	for (int d = 0; d < sample->dims; d++)
		mean[d] = (float) (sum[d] / sample->count);
	for (int i = 0; i < sample->count; i++)
		for (int d = 0; d < sample->dims; d++)
			row_of(sample, i)[d] -= mean[d];
	pfree(sum);
}

/* Copy the rows that are not held out, and transpose them. */
static void
split_sample(Sample *sample)
{
	int dims = sample->dims;

	sample->ntraining = sample->count - sample->count / HELD_OUT;
	sample->training = alloc_floats((Size) sample->ntraining * dims);
	sample->transposed = alloc_floats((Size) sample->ntraining * dims);
	for (int i = 0, t = 0; i < sample->count; i++)
	{
		if (i % HELD_OUT == HELD_OUT - 1)
			continue;
		Assert(t < sample->ntraining);
		memcpy(sample->training + (Size) t * dims, row_of(sample, i),
			   dims * sizeof(float));
		for (int d = 0; d < dims; d++)
			sample->transposed[(Size) d * sample->ntraining + t] =
				row_of(sample, i)[d];
		t++;
	}
}

/* ---- directions ---- */

/* Numbers of about normal distribution: sums of four uniform ones */
static void
fill_normal(float *to, int count, uint64 *random)
{
	for (int i = 0; i < count; i++)
	{
		int sum = 0;

		for (int k = 0; k < 4; k++)
			sum += (int) HxRandomBelow(random, 1 << 16) - (1 << 15);
		to[i] = sum / (float) (1 << 15);
	}
}

/* Take the part along each of `count` orthonormal rows from a vector. */
static void
make_orthogonal(const float *rows, int count, int dims, float *vector)
{
	for (int j = 0; j < count; j++)
	{
		const float *row = rows + (Size) j * dims;
		float part = (float) hx_kernels->dense->product(row, vector, dims);

		for (int d = 0; d < dims; d++)
			vector[d] -= part * row[d];
	}
}

/*
 * Make rows orthonormal, one after the other (Gram and Schmidt, twice is
 * enough).  One that depends on those before is replaced at random.
 */
static void
orthonormalize(float *rows, int count, int dims, uint64 *random)
{
	Assert(count <= dims);
	for (int j = 0; j < count; j++)
	{
		float *row = rows + (Size) j * dims;
		double before;
		double after;

		CHECK_FOR_INTERRUPTS();
		for (;;)
		{
			before = hx_kernels->dense->product(row, row, dims);
			make_orthogonal(rows, j, dims, row);
			after = hx_kernels->dense->product(row, row, dims);
			make_orthogonal(rows, j, dims, row);
			if (after > 1e-8 * before && normalize(row, dims))
				break;
			fill_normal(row, dims, random);
		}
	}
}

/* Multiply the directions by the sample's covariance, and make them anew. */
static void
iterate(const Sample *sample, float *axes, int kept, float *products,
		uint64 *random)
{
	HxFloatRows rows = {sample->training, sample->dims, sample->ntraining};
	HxFloatRows columns = {sample->transposed, sample->ntraining, sample->dims};

	for (int j = 0; j < kept; j++)
	{
		float *axis = axes + (Size) j * sample->dims;

		CHECK_FOR_INTERRUPTS();
		hx_kernels->dense->inner(axis, sample->dims, rows, products);
		hx_kernels->dense->inner(products, sample->ntraining, columns, axis);
	}
	orthonormalize(axes, kept, sample->dims, random);
}

/* Replace directions by others that span the same, at random. */
static void
turn(float *axes, int kept, int dims, uint64 *random)
{
	float *turned = alloc_floats((Size) kept * dims);
	float *weights = palloc(kept * sizeof(float));

	memset(turned, 0, (Size) kept * dims * sizeof(float));
	for (int j = 0; j < kept; j++)
	{
		float *to = turned + (Size) j * dims;

		CHECK_FOR_INTERRUPTS();
		fill_normal(weights, kept, random);
		for (int i = 0; i < kept; i++)
			for (int d = 0; d < dims; d++)
				to[d] += weights[i] * axes[(Size) i * dims + d];
	}
	orthonormalize(turned, kept, dims, random);
	memcpy(axes, turned, (Size) kept * dims * sizeof(float));
	pfree(turned);
	pfree(weights);
}

static void
find_axes(const Sample *sample, HxModel *model)
{
	uint64 random = UINT64CONST(0x9E3779B97F4A7C15);
	float *products = alloc_floats(sample->ntraining);

	for (int j = 0; j < model->kept; j++)
		fill_normal(model->axes + (Size) j * model->dims, model->dims, &random);
	orthonormalize(model->axes, model->kept, model->dims, &random);
	if (model->kept < model->dims)
	{
		for (int i = 0; i < ITERATIONS; i++)
			iterate(sample, model->axes, model->kept, products, &random);
		turn(model->axes, model->kept, model->dims, &random);
	}
	pfree(products);
}

/* ---- how far estimates are off ---- */

/* The sample's rows as the model sees them */
typedef struct Fit
{
	const Sample *sample;
	HxModel *model;
	float *kept;   /* count rows of kept numbers */
	double *along; /* of each row with the mean */
	double *length2;
	double *kept2;
	float *products; /* scratch: of a query with all rows */
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
	const Sample *sample = fit->sample;
	const HxModel *model = fit->model;
	HxFloatRows axes = {model->axes, model->dims, model->kept};

	for (int i = 0; i < sample->count; i++)
	{
		float *row = row_of(sample, i);

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
	const Sample *sample = fit->sample;
	HxFloatRows rows = {sample->rows, sample->dims, sample->count};
	double order[NEAREST];

	hx_kernels->dense->inner(row_of(sample, query), sample->dims, rows,
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
		double rest = fit->products[row] - kept;
		double share = Max(fit->length2[row] - fit->kept2[row], 0) /
					   Max(fit->kept2[row], 1e-30);

		*with += rest * share * kept;
		*itself += share * kept * share * kept;
	}
}

/* Add up the squares of errors, in the deviation that the row tells. */
static void
add_errors(const Fit *fit, int query, HxDenseRow *row, float *sketch,
		   double *squares, int64 *count)
{
	const HxModel *model = fit->model;

	for (int n = 0; n < fit->nnearest; n++)
	{
		int near = fit->nearest[n];
		HxSeen seen = {.kept = kept_of(fit, near), .kept2 = fit->kept2[near]};
		double deviation;
		double error;

		seen.left2 = Max(fit->length2[near] - fit->kept2[near], 0);
		seen.along = fit->along[near];
		HxWriteDenseRow(model, fit->sample->metric, &seen, 0, row);
		deviation =
			sqrt(fit->length2[query] / model->dims) * HxLengthen(row->error);
		if (row->error == HX_BARE || !(deviation > 0))
			continue;
		HxReadSketch(model->kept, row, sketch);
		error = hx_kernels->dense->product(kept_of(fit, query), sketch,
										   model->kept) -
				fit->products[near];
		*squares += error / deviation * (error / deviation);
		(*count)++;
	}
}

/* The step between two rows that are queries */
static int
query_step(const Sample *sample)
{
	int queries = Max(sample->count / HELD_OUT, 1);

	return HELD_OUT * Max(queries / MOST_QUERIES, 1);
}

static void
fit_credit(Fit *fit)
{
	double with = 0;
	double itself = 0;

	for (int q = HELD_OUT - 1; q < fit->sample->count;
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
	HxDenseRow *row = palloc(HxDensePayload(fit->model->kept));
	float *sketch = palloc(fit->model->kept * sizeof(float));
	double squares = 0;
	int64 count = 0;

	for (int q = HELD_OUT - 1; q < fit->sample->count;
		 q += query_step(fit->sample))
	{
		CHECK_FOR_INTERRUPTS();
		find_nearest(fit, q);
		add_errors(fit, q, row, sketch, &squares, &count);
	}
	if (count > 0)
		fit->model->spread = (float) sqrt(squares / count);
	pfree(row);
	pfree(sketch);
}

/* Fit what a model says of its estimates. */
static void
fit_model(const Sample *sample, HxModel *model)
{
	Fit fit = {.sample = sample, .model = model};
	double kept2 = 0;

	fit.kept = alloc_floats((Size) sample->count * model->kept);
	fit.along = palloc(sample->count * sizeof(double));
	fit.length2 = palloc(sample->count * sizeof(double));
	fit.kept2 = palloc(sample->count * sizeof(double));
	fit.products = alloc_floats(sample->count);
	see_rows(&fit);
	for (int i = 0; i < sample->count; i++)
		kept2 += fit.kept2[i];
	model->unit = (float) Max(kept2 / sample->count, FLT_MIN);
	fit_credit(&fit);
	fit_spread(&fit);
	pfree(fit.kept);
	pfree(fit.products);
}

int
HxVectorsToLearnFrom(Size memory, int dims, int most)
{
	Size fits = memory / (NUMBERS_EACH * dims * sizeof(float));

	return (int) Min(Max(fits, HX_LEAST_TO_LEARN), most);
}

HxModel *
HxLearnModel(HxMetric metric, int dims, int kept, float *vectors, int count)
{
	Sample sample = {metric, dims, count, vectors, NULL, 0, NULL};
	HxModel *model;

	drop_unusable(&sample);
	if (sample.count < HX_LEAST_TO_LEARN)
		return NULL;
	model = HxAllocModel(dims, kept);
	model->credit = 0;
	model->spread = 1;
	model->longest = longest_row(&sample);
	centre(&sample, model->mean);
	split_sample(&sample);
	find_axes(&sample, model);
	HxFinishModel(model);
	fit_model(&sample, model);
	pfree(sample.training);
	pfree(sample.transposed);
	return model;
}
