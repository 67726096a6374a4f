/*
 * cross.c
 *	  Method cross: one code space for two kinds of vectors.
 *
 * After RREH (relation-reconstructive hashing for semi-paired cross-modal
 * retrieval): pairs get common codes, and rows of which only one side is known
 * are tied to pairs near them by the weights that reconstruct them from these
 * anchors.  The updates are our own and linear in the rows: by turns, maps of
 * both views onto the codes by ridge regression, a rotation of the pairs'
 * common directions, and codes by the signs of all three.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/train/rows.h"

/* Anchors, anchors of a row, and turns by default */
#define MAX_ANCHORS 200
#define NEAR 5
#define TURNS 10

/* The ridge by default: squared lengths of this many rows, in all directions */
#define RIDGE_ROWS 3

/* Keeps the weights of a row's anchors from blowing up */
#define SMOOTH 1e-3

/* Bits by default, and pairs without which nothing is learnt */
#define DEFAULT_BITS 64
#define LEAST_PAIRS 8

/* One kind of vectors */
typedef struct Side
{
	int d;			 /* dimensions */
	int pairs;		 /* rows of a pair */
	int singles;	 /* rows of which the other side is not known */
	double *mean;	 /* of all rows */
	double scale;	 /* 1 / root of the variance of all dimensions together */
	float *paired;	 /* pairs x d, centred */
	float *single;	 /* singles x d, centred */
	double *factor;	 /* of the squares of all rows, with the ridge */
	double *tie;	 /* d x anchors: singles' vectors times their weights */
	double *weights; /* d x bits */
} Side;

/* The whole */
typedef struct Cross
{
	HxTraining *training;
	int bits;
	int pairs;
	int anchors;
	int *anchor;	  /* pairs that are anchors */
	double alpha;	  /* what a row without its other side counts */
	double beta;	  /* what the common directions count */
	float *common;	  /* pairs x bits: common directions, variance 1 each */
	float *code;	  /* pairs x bits: +1, -1 */
	double *rotation; /* bits x bits, of the common directions */
	Side side[2];
} Cross;

/* Rows of one side: pairs and singles apart, less the mean of all */
static void
split_rows(Cross *cross, int which)
{
	HxTraining *training = cross->training;
	Side *side = &cross->side[which];
	const float *rows = which == 0 ? training->x : training->y;
	int d = side->d = training->width[which];
	int count = 0;
	double squares = 0.0;

	for (int r = 0; r < training->rows; r++)
	{
		side->pairs += training->present[r] == 3;
		side->singles += training->present[r] == 1 << which;
	}
	side->mean = HxTrainAlloc(training, d, sizeof(double), "the mean");
	side->paired = HxTrainAlloc(training, (size_t) side->pairs * d,
								sizeof(float), "pairs");
	side->single = HxTrainAlloc(training, (size_t) side->singles * d,
								sizeof(float), "rows without a partner");
	for (int r = 0; r < training->rows; r++)
	{
		for (int i = 0; i < d && (training->present[r] & 1 << which); i++)
			side->mean[i] += rows[(size_t) r * d + i];
	}
	for (int i = 0; i < d; i++)
		side->mean[i] /= side->pairs + side->singles;
	side->pairs = side->singles = 0;
	for (int r = 0; r < training->rows; r++)
	{
		float *to;

		if (!(training->present[r] & 1 << which))
			continue;
		to = training->present[r] == 3
				 ? side->paired + (size_t) side->pairs++ * d
				 : side->single + (size_t) side->singles++ * d;
		for (int i = 0; i < d; i++)
		{
			to[i] = (float) (rows[(size_t) r * d + i] - side->mean[i]);
			squares += (double) to[i] * to[i];
		}
		count++;
	}
	side->scale = squares > 0.0 ? sqrt(count / squares) : 1.0;
}

/* Directions in which both sides of the pairs, together, vary most */
static void
find_common(Cross *cross, HxRandom *random)
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
			const Side *side = &cross->side[v];

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
 * Weights of the nearest anchors that reconstruct a row best and add up to 1:
 * G s = 1 with G the products of differences, then scaled.
 */
static void
reconstruct(const Cross *cross, const Side *side, const float *row, int *near,
			double *weights)
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

/*
 * The ridge, as a multiple of the mean square of a dimension over the rows: as
 * asked for, or what makes it RIDGE_ROWS times a row's mean squared length.
 * Then few rows are held back more than many, as little as these know.
 */
static double
lambda_of_side(const Cross *cross, const Side *side)
{
	double rows = side->pairs + cross->alpha * side->singles;

	return HxSpecNumber(&cross->training->spec, "lambda",
						RIDGE_ROWS * side->d / rows, 0.0, 1e6) +
		   1e-9;
}

/* What stays the same in all turns: squares with the ridge, ties to anchors */
static void
prepare_side(Cross *cross, int which)
{
	HxTraining *training = cross->training;
	Side *side = &cross->side[which];
	int d = side->d;
	size_t square = (size_t) d * d;
	double *singles;
	double trace = 0.0;
	double ridge;
	double weights[NEAR];
	int near[NEAR];

	side->factor = HxTrainAlloc(training, square, sizeof(double), "covariance");
	side->tie = HxTrainAlloc(training, (size_t) d * cross->anchors,
							 sizeof(double), "ties to anchors");
	side->weights = HxTrainAlloc(training, (size_t) d * cross->bits,
								 sizeof(double), "weights");
	singles = HxTrainAlloc(training, square, sizeof(double), "covariance");
	hx_add_squares(side->paired, side->pairs, d, side->factor);
	hx_add_squares(side->single, side->singles, d, singles);
	hx_add_multiple(side->factor, cross->alpha, singles, square);
	training->used -= square * sizeof(double);
	pfree(singles);
	for (int i = 0; i < d; i++)
		trace += side->factor[(size_t) i * d + i];
	ridge = lambda_of_side(cross, side) * trace / d + 1e-30;
	for (int i = 0; i < d; i++)
		side->factor[(size_t) i * d + i] += ridge;
	if (hx_cholesky(side->factor, d) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("regression has no solution"),
						errhint("Raise \"lambda\", or use more rows.")));
	for (int r = 0; r < side->singles; r++)
	{
		const float *row = side->single + (size_t) r * d;

		if (r % 64 == 0)
			CHECK_FOR_INTERRUPTS();
		reconstruct(cross, side, row, near, weights);
		for (int j = 0; j < Min(NEAR, cross->anchors); j++)
		{
			for (int i = 0; i < d; i++)
				side->tie[(size_t) i * cross->anchors + near[j]] +=
					cross->alpha * weights[j] * row[i];
		}
	}
}

/* The map of one side onto the codes */
static void
fit_side(Cross *cross, int which)
{
	Side *side = &cross->side[which];
	int d = side->d;
	int bits = cross->bits;
	double *anchored = palloc((size_t) cross->anchors * bits * sizeof(double));

	memset(side->weights, 0, (size_t) d * bits * sizeof(double));
	hx_add_products(side->paired, cross->code, side->pairs, d, bits,
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
sign_codes(Cross *cross, bool maps)
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
			const Side *side = &cross->side[v];
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
turn_common(Cross *cross)
{
	int bits = cross->bits;
	double *products = palloc0((size_t) bits * bits * sizeof(double));

	hx_add_products(cross->common, cross->code, cross->pairs, bits, bits,
					products);
	hx_procrustes(products, bits, cross->rotation);
	pfree(products);
}

/* Anchors: random pairs */
static void
choose_anchors(Cross *cross, HxRandom *random)
{
	int *all = palloc(cross->pairs * sizeof(int));

	cross->anchors = Min(MAX_ANCHORS, cross->pairs);
	cross->anchor = palloc(cross->anchors * sizeof(int));
	for (int i = 0; i < cross->pairs; i++)
		all[i] = i;
	for (int i = 0; i < cross->anchors; i++)
	{
		int j = i + (int) hx_random_below(random, cross->pairs - i);
		int chosen = all[j];

		all[j] = all[i];
		cross->anchor[i] = all[i] = chosen;
	}
	pfree(all);
}

/* Share of the pairs' bits that both sides compute alike */
static double
disagreement(const Cross *cross)
{
	int64 differ = 0;
	double *y[2];

	for (int v = 0; v < 2; v++)
		y[v] = palloc(cross->bits * sizeof(double));
	for (int r = 0; r < cross->pairs; r++)
	{
		for (int v = 0; v < 2; v++)
		{
			const Side *side = &cross->side[v];

			memset(y[v], 0, cross->bits * sizeof(double));
			for (int i = 0; i < side->d; i++)
				hx_add_multiple(y[v], side->paired[(size_t) r * side->d + i],
								side->weights + (size_t) i * cross->bits,
								cross->bits);
		}
		for (int j = 0; j < cross->bits; j++)
			differ += (y[0][j] > 0.0) != (y[1][j] > 0.0);
	}
	return (double) differ / ((double) cross->pairs * cross->bits);
}

/* A side as a view: weights a row for each bit */
static void
set_view(Cross *cross, int which, HxDraft *draft)
{
	Side *side = &cross->side[which];
	int d = side->d;
	int bits = cross->bits;
	double *turned = HxTrainAlloc(cross->training, (size_t) d * bits,
								  sizeof(double), "weights");

	for (int i = 0; i < d; i++)
	{
		for (int j = 0; j < bits; j++)
			turned[(size_t) j * d + i] = side->weights[(size_t) i * bits + j];
	}
	HxSetLinearView(cross->training, &draft->view[which], d, bits, side->mean,
					turned, NULL);
}

/* hashemb_train with method cross */
static void
train_cross(HxTraining *training, HxDraft *draft)
{
	const HxSpec *spec = &training->spec;
	int turns = spec->iterations >= 0 ? spec->iterations : TURNS;
	Cross cross = {.training = training};
	HxRandom random;

	if (spec->bits != 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("method \"cross\" makes codes of 1 bit a "
							   "dimension, not of %d",
							   spec->bits)));
	for (int r = 0; r < training->rows; r++)
		cross.pairs += training->present[r] == 3;
	HxRequireRows(training, cross.pairs, LEAST_PAIRS, "pairs");
	cross.bits = spec->has_dims ? spec->dims : DEFAULT_BITS;
	cross.alpha = HxSpecNumber(spec, "alpha", 0.3, 0.0, 1e6);
	cross.beta = HxSpecNumber(spec, "beta", 1.0, 0.0, 1e6);
	hx_seed_random(&random, (uint64) spec->seed);
	split_rows(&cross, 0);
	split_rows(&cross, 1);
	choose_anchors(&cross, &random);
	cross.common = HxTrainAlloc(training, (size_t) cross.pairs * cross.bits,
								sizeof(float), "common directions");
	cross.code = HxTrainAlloc(training, (size_t) cross.pairs * cross.bits,
							  sizeof(float), "codes");
	cross.rotation = HxTrainAlloc(training, (size_t) cross.bits * cross.bits,
								  sizeof(double), "a rotation");
	find_common(&cross, &random);
	hx_random_rotation(cross.rotation, cross.bits, cross.bits, &random);
	sign_codes(&cross, false);
	prepare_side(&cross, 0);
	prepare_side(&cross, 1);
	for (int turn = 0; turn < turns; turn++)
	{
		turn_common(&cross);
		fit_side(&cross, 0);
		fit_side(&cross, 1);
		sign_codes(&cross, true);
	}
	fit_side(&cross, 0);
	fit_side(&cross, 1);
	HxStartDraft(training, draft, cross.bits);
	draft->views = 2;
	draft->loss = disagreement(&cross);
	set_view(&cross, 0, draft);
	set_view(&cross, 1, draft);
}

static const char *const keys[] = {
	"dims",	  "bits",		"seed",		 "sample", "features", "normalize",
	"lambda", "iterations", "precision", "alpha",  "beta",	   NULL};

const HxMethod HxMethodCross = {.id = HX_METHOD_CROSS,
								.keep = HX_KEEP_ROWS,
								.targets = 1 << HX_Y_VECTOR,
								.unpaired = true,
								.keys = keys,
								.train = train_cross};
