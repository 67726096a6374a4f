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
 *
 * Canonical correlations of the pairs are the other way to get there.  Which is
 * taken, what rows without a partner count and how strong the ridge is, is
 * chosen by pairs that are held out.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/math/canonical.h"
#include "encoder/train/held.h"
#include "encoder/train/rows.h"

/* Anchors, anchors of a row, and turns by default */
#define MAX_ANCHORS 200
#define NEAR 5
#define TURNS 10

/* The ridge by default: squared lengths of this many rows, in all directions */
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
#define ENOUGH_ASKED 150
#define MOST_HELD 1000
#define LEAST_HELD 5

/*
 * Share of those held out among which the other side counts as found: of sides
 * that have little in common, finer places would tell what is common to a few
 */
#define NEAR_SHARE 0.2

/* Keeps the weights of a row's anchors from blowing up */
#define SMOOTH 1e-3

/* Bits by default, and pairs without which nothing is learnt */
#define DEFAULT_BITS 64
#define LEAST_PAIRS 8

/* One kind of vectors */
typedef struct Side
{
	int d;			 /* dimensions */
	int singles;	 /* rows of which the other side is not known */
	double *mean;	 /* of all rows */
	double scale;	 /* 1 / root of the variance of all dimensions together */
	float *paired;	 /* all pairs x d, centred, in the order of cross->pair */
	float *single;	 /* singles x d, centred */
	double *factor;	 /* of the squares of all rows, with the ridge */
	double *tie;	 /* d x anchors: singles' vectors times their weights */
	double *weights; /* d x bits */
} Side;

/* A way to learn */
typedef struct Plan
{
	bool canonical; /* by canonical correlations, not by turns */
	double alpha;	/* what a row without its other side counts */
	double ridge;	/* in rows, or a multiple if "lambda" was given */
} Plan;

/* The whole */
typedef struct Cross
{
	HxTraining *training;
	int bits;
	int all_pairs;
	int *pair; /* rows of the sample that are pairs, in turn */
	int pairs; /* the first of these, learnt from */
	int anchors;
	int *anchor; /* pairs that are anchors */
	Plan plan;
	double beta;	  /* what the common directions count */
	float *common;	  /* pairs x bits: common directions, variance 1 each */
	float *code;	  /* pairs x bits: +1, -1 */
	double *rotation; /* bits x bits, of the common directions */
	Side side[2];
} Cross;

/* Pairs among the rows, in an order of the seed */
static void
list_pairs(Cross *cross, HxRandom *random)
{
	const HxTraining *training = cross->training;

	cross->pair = palloc(training->rows * sizeof(int));
	for (int r = 0; r < training->rows; r++)
	{
		if (training->present[r] == 3)
			cross->pair[cross->all_pairs++] = r;
	}
	HxRequireRows(training, cross->all_pairs, LEAST_PAIRS, "pairs");
	HxShuffle(cross->pair, cross->all_pairs, random);
}

/* Copy a row less the mean; its squared length */
static double
copy_centred(const Side *side, const float *row, float *to)
{
	double square = 0.0;

	for (int i = 0; i < side->d; i++)
	{
		to[i] = (float) (row[i] - side->mean[i]);
		square += (double) to[i] * to[i];
	}
	return square;
}

/* Rows of one side: pairs and singles apart, less the mean of all */
static void
split_rows(Cross *cross, int which)
{
	HxTraining *training = cross->training;
	Side *side = &cross->side[which];
	const float *rows = which == 0 ? training->x : training->y;
	int d = side->d = training->width[which];
	double squares = 0.0;
	int count;

	for (int r = 0; r < training->rows; r++)
		side->singles += training->present[r] == 1 << which;
	count = cross->all_pairs + side->singles;
	side->mean = HxTrainAlloc(training, d, sizeof(double), "the mean");
	side->paired = HxTrainAlloc(training, (size_t) cross->all_pairs * d,
								sizeof(float), "pairs");
	side->single = HxTrainAlloc(training, (size_t) side->singles * d,
								sizeof(float), "rows without a partner");
	for (int r = 0; r < training->rows; r++)
	{
		for (int i = 0; i < d && (training->present[r] & 1 << which); i++)
			side->mean[i] += rows[(size_t) r * d + i] / count;
	}
	for (int i = 0; i < cross->all_pairs; i++)
		squares += copy_centred(side, rows + (size_t) cross->pair[i] * d,
								side->paired + (size_t) i * d);
	side->singles = 0;
	for (int r = 0; r < training->rows; r++)
	{
		if (training->present[r] == 1 << which)
			squares +=
				copy_centred(side, rows + (size_t) r * d,
							 side->single + (size_t) side->singles++ * d);
	}
	side->scale = squares > 0.0 ? sqrt(count / squares) : 1.0;
}

/* Memory that learning takes, once for all plans */
static void
allocate(Cross *cross)
{
	HxTraining *training = cross->training;
	size_t bits = cross->bits;

	cross->common = HxTrainAlloc(training, cross->all_pairs * bits,
								 sizeof(float), "common directions");
	cross->code =
		HxTrainAlloc(training, cross->all_pairs * bits, sizeof(float), "codes");
	cross->rotation =
		HxTrainAlloc(training, bits * bits, sizeof(double), "a rotation");
	cross->anchor = palloc(MAX_ANCHORS * sizeof(int));
	for (int v = 0; v < 2; v++)
	{
		Side *side = &cross->side[v];
		size_t d = side->d;

		side->factor =
			HxTrainAlloc(training, d * d, sizeof(double), "covariance");
		side->tie = HxTrainAlloc(training, d * MAX_ANCHORS, sizeof(double),
								 "ties to anchors");
		side->weights =
			HxTrainAlloc(training, d * bits, sizeof(double), "weights");
	}
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
 * The same of fewer pairs than dimensions, from products of pairs: their
 * eigenvectors are the pairs' outputs
 */
static void
find_common_of_few(Cross *cross, HxRandom *random)
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
		const Side *side = &cross->side[v];

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
 * asked for, or what makes it so many times a row's mean squared length.  Then
 * few rows are held back more than many, as little as these know.
 */
static double
lambda_of_side(const Cross *cross, const Side *side)
{
	double rows = cross->pairs + cross->plan.alpha * side->singles;

	return HxSpecNumber(&cross->training->spec, "lambda",
						cross->plan.ridge * side->d / rows, 0.0, 1e6) +
		   1e-9;
}

/* Squares of the rows learnt from, singles by what they count: lower triangle */
static void
sum_squares(const Cross *cross, const Side *side, double *sum)
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
prepare_side(Cross *cross, int which)
{
	Side *side = &cross->side[which];
	int d = side->d;
	double trace = 0.0;
	double ridge;
	double weights[NEAR];
	int near[NEAR];

	sum_squares(cross, side, side->factor);
	memset(side->tie, 0, (size_t) d * cross->anchors * sizeof(double));
	for (int i = 0; i < d; i++)
		trace += side->factor[(size_t) i * d + i];
	ridge = lambda_of_side(cross, side) * trace / d + 1e-30;
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
fit_side(Cross *cross, int which)
{
	Side *side = &cross->side[which];
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

/* Anchors: the first pairs, whose order is random */
static void
choose_anchors(Cross *cross)
{
	cross->anchors = Min(MAX_ANCHORS, cross->pairs);
	for (int i = 0; i < cross->anchors; i++)
		cross->anchor[i] = i;
}

/* Learn by turns from the first pairs, and rows without a partner. */
static void
learn_by_turns(Cross *cross, int turns, HxRandom *random)
{
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

/*
 * Canonical correlations of the first pairs, by the covariances of both sides'
 * rows, so many for each ridge, as the caller asks with set_canonical
 */
static HxCanonical
prepare_canonical(Cross *cross)
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
		Side *side = &cross->side[v];
		double rows = cross->pairs + cross->plan.alpha * side->singles;

		sum_squares(cross, side, side->factor);
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

/* Weights from canonical correlations by the plan's ridge */
static void
set_canonical(Cross *cross, const HxCanonical *canonical, HxRandom *random)
{
	int bits = cross->bits;
	int d[2] = {cross->side[0].d, cross->side[1].d};
	int k = Min(bits, Min(d[0], d[1]));
	double ridge[2];
	double *value = palloc(k * sizeof(double));
	double *direction[2];

	for (int v = 0; v < 2; v++)
	{
		ridge[v] = lambda_of_side(cross, &cross->side[v]);
		direction[v] = palloc_extended((size_t) k * d[v] * sizeof(double),
									   MCXT_ALLOC_HUGE);
	}
	hx_random_rotation(cross->rotation, bits, bits, random);
	if (hx_solve_canonical(canonical, ridge, k, value, direction[0],
						   direction[1], random) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("correlations of the pairs were not found")));
	for (int v = 0; v < 2; v++)
	{
		for (int i = 0; i < k; i++)
			for (int j = 0; j < d[v]; j++)
				direction[v][(size_t) i * d[v] + j] *=
					hx_canonical_weight(value[i]);
		hx_multiply(HX_TRANSPOSED, HX_AS_IS, d[v], bits, k, direction[v],
					cross->rotation, 0.0, cross->side[v].weights);
		pfree(direction[v]);
	}
	pfree(value);
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

/* Outputs of pairs from `first` on, of one side */
static float *
project_pairs(const Cross *cross, int which, int first)
{
	const Side *side = &cross->side[which];
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

/* How well pairs held out find their other side, there and back */
static double
ask_held(const Cross *cross)
{
	int n = cross->all_pairs - cross->pairs;
	float *y[2];
	double found;

	for (int v = 0; v < 2; v++)
		y[v] = project_pairs(cross, v, cross->pairs);
	found = HxMatchCodes(y[0], y[1], n, cross->bits, NEAR_SHARE) +
			HxMatchCodes(y[1], y[0], n, cross->bits, NEAR_SHARE);
	pfree(y[0]);
	pfree(y[1]);
	return found / 2.0;
}

/* Turn the pairs of both sides round, so that others are the last. */
static void
turn_pairs(Cross *cross, int by)
{
	int n = cross->all_pairs;

	for (int v = 0; v < 2; v++)
	{
		Side *side = &cross->side[v];
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
list_plans(const Cross *cross, Plan *plan)
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

		plan[count++] = (Plan){false, alpha, RIDGE_ROWS};
		for (int i = 0; i < (int) lengthof(ridge_rows); i++)
		{
			if (i == 0 || !ridge_given)
				plan[count++] = (Plan){true, alpha, ridge_rows[i]};
		}
	}
	return count;
}

/* Learn by the plan. */
static void
learn(Cross *cross)
{
	const HxSpec *spec = &cross->training->spec;
	int turns = spec->iterations >= 0 ? spec->iterations : TURNS;
	HxCanonical canonical;
	HxRandom random;

	hx_seed_random(&random, (uint64) spec->seed);
	if (!cross->plan.canonical)
	{
		learn_by_turns(cross, turns, &random);
		return;
	}
	canonical = prepare_canonical(cross);
	set_canonical(cross, &canonical, &random);
	hx_free_canonical(&canonical);
}

/* Add to what each plan finds of the pairs held out now. */
static void
try_plans(Cross *cross, const Plan *plan, int count, double *found)
{
	const HxSpec *spec = &cross->training->spec;
	int turns = spec->iterations >= 0 ? spec->iterations : TURNS;
	HxCanonical canonical;
	HxRandom random;

	for (int i = 0; i < count; i++)
	{
		hx_seed_random(&random, (uint64) spec->seed);
		cross->plan = plan[i];
		if (!plan[i].canonical)
			learn_by_turns(cross, turns, &random);
		else
		{
			if (!plan[i - 1].canonical)
				canonical = prepare_canonical(cross);
			set_canonical(cross, &canonical, &random);
			if (i + 1 == count || !plan[i + 1].canonical)
				hx_free_canonical(&canonical);
		}
		found[i] += ask_held(cross);
	}
}

/*
 * The best of plans, by the share of pairs held out that each found: the best by
 * turns, unless one by canonical correlations found more by a standard error
 */
static Plan
pick_plan(const Plan *plan, int count, const double *share, int asked)
{
	int best[2] = {0, 1};
	double p;

	for (int i = 0; i < count; i++)
	{
		int *of = &best[plan[i].canonical];

		*of = share[i] > share[*of] ? i : *of;
	}
	p = share[best[0]];
	return share[best[1]] > p + sqrt(p * (1.0 - p) / asked) ? plan[best[1]]
															: plan[best[0]];
}

/* The plan by which pairs held out find their other side best */
static Plan
choose_plan(Cross *cross)
{
	Plan plan[2 * (1 + lengthof(ridge_rows))];
	double found[lengthof(plan)] = {0};
	int count = list_plans(cross, plan);
	int held = Min(cross->all_pairs / FOLDS, MOST_HELD);
	int folds;

	if (held < LEAST_HELD)
		return plan[count > 1 && plan[0].alpha == 0.0 ? count / 2 : 0];
	folds = Min((ENOUGH_ASKED + held - 1) / held, FOLDS);
	cross->pairs = cross->all_pairs - held;
	for (int fold = 0; fold < folds; fold++)
	{
		try_plans(cross, plan, count, found);
		turn_pairs(cross, held);
	}
	cross->pairs = cross->all_pairs;
	for (int i = 0; i < count; i++)
		found[i] /= folds;
	return pick_plan(plan, count, found, held * folds);
}

/* hashemb_train with method cross */
static void
train_cross(HxTraining *training, HxDraft *draft)
{
	const HxSpec *spec = &training->spec;
	Cross cross = {.training = training};
	HxRandom random;

	if (spec->bits != 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("method \"cross\" makes codes of 1 bit a "
							   "dimension, not of %d",
							   spec->bits)));
	hx_seed_random(&random, (uint64) spec->seed);
	cross.bits = spec->has_dims ? spec->dims : DEFAULT_BITS;
	cross.beta = HxSpecNumber(spec, "beta", 1.0, 0.0, 1e6);
	list_pairs(&cross, &random);
	split_rows(&cross, 0);
	split_rows(&cross, 1);
	allocate(&cross);
	cross.pairs = cross.all_pairs;
	cross.plan = choose_plan(&cross);
	learn(&cross);
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
