/*
 * learn.c
 *	  What an index learns from a sample of vectors: which directions sketches keep,
 *	  and how.
 *
 * The directions are those of greatest variance, found by subspace iteration
 * (Golub and Van Loan, Matrix Computations, section 8.2), and turned at random
 * among themselves, so that no level matters more than another (as in ITQ's
 * start and RaBitQ).  Whether few of them are kept finely or more of them coarsely
 * the sample decides (README, "Learning").
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"

#include "index/dense/learn.h"
#include "kernel/kernel.h"
#include "random.h"

/* Iterations of the subspace, and of what is added to it */
#define ITERATIONS 6
#define MORE_ITERATIONS 3

/* Numbers in memory for each one of a vector, while it is learnt from */
#define NUMBERS_EACH 4

/* Numbers of a model's axes at most, if sketches of more directions are tried */
#define MOST_NUMBERS (1 << 22)

/* Landmarks at most, and rows to train on for each */
#define MOST_LANDMARKS 64
#define ROWS_A_LANDMARK 16

/*
 * Share of the squared length that levels of 2 bits leave out at least, as a rule:
 * a fine sketch that leaves out no more directions than this is the better one
 */
#define LITTLE_LEFT 0.1

/* Fine sketches whose own error bars are off by more than this are left */
#define MOST_SPREAD 1.5

/* Numbers that are added side by side */
#define LANES 16

/* Rows that are multiplied at a time with all others */
#define AT_A_TIME 32

/* ---- the sample ---- */

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
drop_unusable(HxLearnSample *sample)
{
	int kept = 0;

	for (int i = 0; i < sample->count; i++)
	{
		float *row = HxLearnRow(sample, i);
		double length2 = hx_kernels->dense->product(row, row, sample->dims);

		if (!isfinite(length2) || length2 >= FLT_MAX ||
			(sample->metric == HX_COSINE && !normalize(row, sample->dims)))
			continue;
		if (kept < i)
			memcpy(HxLearnRow(sample, kept), row, sample->dims * sizeof(float));
		kept++;
	}
	sample->count = kept;
}

/* Length of the longest row */
static float
longest_row(const HxLearnSample *sample)
{
	double longest2 = FLT_MIN;

	for (int i = 0; i < sample->count; i++)
		longest2 = Max(longest2, hx_kernels->dense->product(
									 HxLearnRow(sample, i),
									 HxLearnRow(sample, i), sample->dims));
	return (float) sqrt(longest2);
}

/* Subtract the mean of all rows from each, and set it. */
static void
centre(HxLearnSample *sample, float *mean)
{
	double *sum = palloc0(sample->dims * sizeof(double));

	for (int i = 0; i < sample->count; i++)
		for (int d = 0; d < sample->dims; d++)
			sum[d] += HxLearnRow(sample, i)[d];
	for (int d = 0; d < sample->dims; d++)
		mean[d] = (float) (sum[d] / sample->count);
	for (int i = 0; i < sample->count; i++)
		for (int d = 0; d < sample->dims; d++)
			HxLearnRow(sample, i)[d] -= mean[d];
	pfree(sum);
}

/* Copy the rows that are not held out, and transpose them. */
static void
split_sample(HxLearnSample *sample)
{
	int dims = sample->dims;

	sample->ntraining = sample->count - sample->count / HX_HELD_OUT;
	sample->training = HxAllocFloats((Size) sample->ntraining * dims);
	sample->transposed = HxAllocFloats((Size) sample->ntraining * dims);
	for (int i = 0, t = 0; i < sample->count; i++)
	{
		if (i % HX_HELD_OUT == HX_HELD_OUT - 1)
			continue;
		Assert(t < sample->ntraining);
		memcpy(sample->training + (Size) t * dims, HxLearnRow(sample, i),
			   dims * sizeof(float));
		for (int d = 0; d < dims; d++)
			sample->transposed[(Size) d * sample->ntraining + t] =
				HxLearnRow(sample, i)[d];
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

/* Add a row times a factor, in lanes, which compilers make vectors of. */
static void
add_times(float *to, const float *row, float factor, int dims)
{
	int whole = dims / LANES * LANES;

	for (int d = 0; d < whole; d += LANES)
		for (int l = 0; l < LANES; l++)
			to[d + l] += factor * row[d + l];
	for (int d = whole; d < dims; d++)
		to[d] += factor * row[d];
}

/*
 * Take the part along each of `count` orthonormal rows from a vector; scratch has
 * room for as many numbers.
 */
static void
make_orthogonal(const float *rows, int count, int dims, float *scratch,
				float *vector)
{
	HxFloatRows before = {rows, dims, count};

	hx_kernels->dense->inner(vector, dims, before, scratch);
	for (int j = 0; j < count; j++)
		add_times(vector, rows + (Size) j * dims, -scratch[j], dims);
}

/*
 * Make rows from the `first` on orthonormal, and to those before, one after the
 * other (Gram and Schmidt, twice is enough).  One that depends on those before is
 * replaced at random.
 */
static void
orthonormalize(float *rows, int first, int count, int dims, uint64 *random)
{
	float *parts = palloc(count * sizeof(float));

	Assert(count <= dims);
	for (int j = first; j < count; j++)
	{
		float *row = rows + (Size) j * dims;
		double before;
		double after;

		CHECK_FOR_INTERRUPTS();
		for (;;)
		{
			before = hx_kernels->dense->product(row, row, dims);
			make_orthogonal(rows, j, dims, parts, row);
			after = hx_kernels->dense->product(row, row, dims);
			make_orthogonal(rows, j, dims, parts, row);
			if (after > 1e-8 * before && normalize(row, dims))
				break;
			fill_normal(row, dims, random);
		}
	}
	pfree(parts);
}

/*
 * Multiply the directions from the `first` on by the sample's covariance, and make
 * them anew.
 */
static void
iterate(const HxLearnSample *sample, float *axes, int first, int kept,
		float *products, uint64 *random)
{
	HxFloatRows rows = {sample->training, sample->dims, sample->ntraining};
	HxFloatRows columns = {sample->transposed, sample->ntraining, sample->dims};

	for (int j = first; j < kept; j += AT_A_TIME)
	{
		float *from = axes + (Size) j * sample->dims;
		Size count = Min(AT_A_TIME, kept - j);
		HxFloatRows some = {from, sample->dims, count};
		HxFloatRows multiplied = {products, sample->ntraining, count};

		HxMultiply(some, sample->dims, rows, products, sample->ntraining);
		HxMultiply(multiplied, sample->ntraining, columns, from, sample->dims);
	}
	orthonormalize(axes, first, kept, sample->dims, random);
}

/* Replace directions by others that span the same, at random. */
static void
turn(float *axes, int kept, int dims, uint64 *random)
{
	float *turned = HxAllocFloats((Size) kept * dims);
	float *weights = palloc(kept * sizeof(float));

	memset(turned, 0, (Size) kept * dims * sizeof(float));
	for (int j = 0; j < kept; j++)
	{
		float *to = turned + (Size) j * dims;

		CHECK_FOR_INTERRUPTS();
		fill_normal(weights, kept, random);
		for (int i = 0; i < kept; i++)
			add_times(to, axes + (Size) i * dims, weights[i], dims);
	}
	orthonormalize(turned, 0, kept, dims, random);
	memcpy(axes, turned, (Size) kept * dims * sizeof(float));
	pfree(turned);
	pfree(weights);
}

/*
 * Find the directions of greatest variance, from the `first` on, besides those
 * before, in so many iterations.
 */
static void
find_axes(const HxLearnSample *sample, float *axes, int first, int kept,
		  int iterations, uint64 *random)
{
	float *products = HxAllocFloats((Size) AT_A_TIME * sample->ntraining);

	for (int j = first; j < kept; j++)
		fill_normal(axes + (Size) j * sample->dims, sample->dims, random);
	orthonormalize(axes, first, kept, sample->dims, random);
	for (int i = 0; i < iterations; i++)
		iterate(sample, axes, first, kept, products, random);
	pfree(products);
}

int
HxVectorsToLearnFrom(Size memory, int dims, int most)
{
	Size fits = memory / (NUMBERS_EACH * dims * sizeof(float));

	return (int) Min(Max(fits, HX_LEAST_TO_LEARN), most);
}

/* ---- the choice ---- */

/* A model, and the standard deviation of its estimates' errors */
typedef struct Candidate
{
	HxModel *model;
	double off;
} Candidate;

/* Learn the model of so many of the axes, which stay. */
static Candidate
make_candidate(const HxLearnSample *sample, const HxModel *common,
			   const float *axes, int kept, int width)
{
	uint64 random = UINT64CONST(0x9E3779B97F4A7C15) + width;
	int landmarks = width == HX_FINE ? 1
									 : Min(MOST_LANDMARKS,
										   sample->ntraining / ROWS_A_LANDMARK);
	HxModel *model = HxAllocModel(sample->dims, kept, width, landmarks);
	Candidate candidate = {model, 0};

	model->spread = 1;
	model->longest = common->longest;
	memcpy(model->mean, common->mean, sample->dims * sizeof(float));
	memcpy(model->axes, axes, (Size) kept * sample->dims * sizeof(float));
	if (kept < sample->dims || width != HX_FINE)
		turn(model->axes, kept, sample->dims, &random);
	HxFinishModel(model);
	HxPlaceLandmarks(sample, model);
	candidate.off = HxFitModel(sample, model);
	return candidate;
}

/* Does a fine sketch leave out so little that a coarse one must leave out more? */
static bool
is_steep(const HxLearnSample *sample, Candidate fine)
{
	double length2 = 0;

	for (int i = 0; i < sample->count; i++)
		length2 += sample->length2[i];
	return fine.model->spread <= MOST_SPREAD &&
		   length2 - fine.model->unit * sample->count <= LITTLE_LEFT * length2;
}

/*
 * The model whose estimates are off least.  One that leaves much out may be so for
 * most rows, and far off for some: where its own error bars are not to be trusted
 * the one that leaves out less is taken.
 */
static HxModel *
choose_model(Candidate fine, Candidate coarse)
{
	bool trusted = fine.model->spread <= MOST_SPREAD ||
				   fine.model->spread <= coarse.model->spread;
	bool take_fine = trusted && fine.off <= coarse.off;

	HxFreeModel(take_fine ? coarse.model : fine.model);
	return take_fine ? fine.model : coarse.model;
}

/* Learn from a sample without its mean, which `common` has. */
static HxModel *
learn_sketch(const HxLearnSample *sample, const HxModel *common, Size bytes)
{
	int dims = sample->dims;
	int few = HxKeptBy(bytes, HX_FINE, dims);
	int more = HxKeptBy(bytes, HX_COARSE, dims);
	uint64 random = UINT64CONST(0x9E3779B97F4A7C15);
	float *axes = HxAllocFloats((Size) more * dims);
	Candidate fine;

	/* Where all dimensions are kept, any directions will do. */
	find_axes(sample, axes, 0, few, few < dims ? ITERATIONS : 0, &random);
	fine = make_candidate(sample, common, axes, few, HX_FINE);
	if (few < dims && (Size) more * dims <= MOST_NUMBERS &&
		!is_steep(sample, fine))
	{
		find_axes(sample, axes, few, more, MORE_ITERATIONS, &random);
		fine.model = choose_model(
			fine, make_candidate(sample, common, axes, more, HX_COARSE));
	}
	pfree(axes);
	return fine.model;
}

HxModel *
HxLearnModel(HxMetric metric, int dims, Size bytes, float *vectors, int count)
{
	HxLearnSample sample = {metric, dims, count, vectors};
	HxModel common = {.dims = dims};
	HxModel *model;

	drop_unusable(&sample);
	if (sample.count < HX_LEAST_TO_LEARN)
		return NULL;
	common.longest = longest_row(&sample);
	common.mean = palloc(dims * sizeof(float));
	centre(&sample, common.mean);
	split_sample(&sample);
	HxFindQueries(&sample, common.mean);
	model = learn_sketch(&sample, &common, bytes);
	pfree(sample.training);
	pfree(sample.transposed);
	pfree(sample.queries);
	pfree(sample.along);
	pfree(sample.length2);
	pfree(common.mean);
	return model;
}
