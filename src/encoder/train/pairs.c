/*
 * pairs.c
 *	  Method pairs: codes from what matches.
 *
 * ranking		y answers x, or matches it: the number query finds the soft code
 *				of its answer among the batch's, and so does its own code, by a
 *				margin (after BPR, Yamada et al. 2021).  For joins of records
 *				that may match, and for the float query against codes.  Begins
 *				with canonical correlations of the sides, and ends where a part
 *				of the pairs that is held out finds its matches best.
 * margin_mse	x is a query, an answer and another answer one behind the other,
 *				y by how much a teacher finds the first better: the same
 *				difference is learnt (after GPL).  For adaptation to a domain
 *				that has no matches, from "base".
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/math/canonical.h"
#include "encoder/train/held.h"
#include "encoder/train/levels.h"
#include "encoder/train/rows.h"

/* How fast soft codes harden (BPR), and its margin */
#define HARDENING 0.1
#define RANKING_MARGIN 2.0f

/* Bits by default, and times that all rows are seen */
#define DEFAULT_BITS 64
#define EPOCHS 70

/* Pairs held out: one in so many, no more than that, none of fewer pairs */
#define HELD_SHARE 5
#define MOST_HELD 1000
#define LEAST_HELD 10

/* Share of those held out among which a match counts as found */
#define NEAR_SHARE 0.01

/* Times that these are asked, and how often in vain before training ends */
#define CHECKS 14
#define PATIENCE 3

/* Ridges tried to begin with: squared lengths of so many rows, see cross.c */
static const double ridge_rows[] = {0.3, 1, 3, 10};
#define DEFAULT_RIDGE 1

/* Rows without which nothing is learnt */
#define LEAST_ROWS 16

/* What is learnt from */
typedef enum Loss
{
	LOSS_RANKING,
	LOSS_MARGIN_MSE
} Loss;

/* State of training, and buffers of a step */
typedef struct Pairs
{
	HxTraining *training;
	Loss loss;
	int d;	   /* dimensions of a vector */
	int bits;  /* outputs */
	int batch; /* rows of a step */
	int rows; /* the first of the order, learnt from; the others are held out */
	int steps; /* of all */
	int time;  /* steps taken */
	double rate;
	double *mean[2]; /* of queries, and of what they look for */
	double scale;	 /* what makes their variance 1, per dimension */
	float *w;		 /* bits x d, for scaled vectors */
	int *order;		 /* of rows, shuffled for each epoch */
	float *x[3];	 /* vectors of a step: query, answer, other */
	float *z[3];	 /* their outputs */
	float *h[3];	 /* soft codes of these */
	float *slope;	 /* gradient at outputs */
	float *score;	 /* batch x batch */
	float *gradient;
	float *memory[2]; /* Adam's */
} Pairs;

/* What training begins with: canonical correlations of the sides */
typedef struct Start
{
	HxCanonical canonical;
	int k;			   /* correlations */
	double *value;	   /* k of them */
	double *direction; /* k x d */
	double *rotation;  /* bits x bits */
} Start;

/* Vector `part` of a row: x and y, or the thirds of x */
static const float *
row_part(const Pairs *pairs, int row, int part)
{
	const HxTraining *training = pairs->training;

	if (pairs->loss != LOSS_MARGIN_MSE && part == 1)
		return training->y + (size_t) row * pairs->d;
	return training->x + (size_t) row * training->width[0] +
		   (size_t) part * pairs->d;
}

/* Number of vectors in a row */
static int
part_count(const Pairs *pairs)
{
	return pairs->loss == LOSS_MARGIN_MSE ? 3 : 2;
}

/* Side of a part: queries, or what they look for */
static inline int
side_of(int part)
{
	return part == 0 ? 0 : 1;
}

/*
 * Means of both sides, and the scale of all vectors less these.  A direction
 * that tells the sides apart and nothing else is so no direction at all.  A
 * base's means are not kept: domains shift.
 */
static void
measure(Pairs *pairs)
{
	HxTraining *training = pairs->training;
	int parts = part_count(pairs);
	double count = (double) training->rows * parts;
	double squares = 0.0;

	for (int side = 0; side < 2; side++)
		pairs->mean[side] =
			HxTrainAlloc(training, pairs->d, sizeof(double), "the mean");
	for (int r = 0; r < training->rows; r++)
	{
		for (int p = 0; p < parts; p++)
		{
			const float *x = row_part(pairs, r, p);
			double *mean = pairs->mean[side_of(p)];
			double rows = (double) training->rows * (p == 0 ? 1 : parts - 1);

			for (int i = 0; i < pairs->d; i++)
				mean[i] += x[i] / rows;
		}
	}
	for (int r = 0; r < training->rows; r++)
	{
		for (int p = 0; p < parts; p++)
		{
			const float *x = row_part(pairs, r, p);
			const double *mean = pairs->mean[side_of(p)];

			for (int i = 0; i < pairs->d; i++)
				squares += (x[i] - mean[i]) * (x[i] - mean[i]);
		}
	}
	pairs->scale = squares > 0.0 ? sqrt(count * pairs->d / squares) : 1.0;
}

/* Covariance of both sides, and their symmetric products, of the rows learnt from */
static void
sum_sides(Pairs *pairs, double *xx, double *xy)
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
			const float *x = row_part(pairs, pairs->order[first + i], 0);
			const float *y = row_part(pairs, pairs->order[first + i], 1);

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
turn_directions(Pairs *pairs, int k, const double *value, double *direction,
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

/* Weights to begin with: the base's */
static void
base_weights(Pairs *pairs)
{
	size_t count = (size_t) pairs->bits * pairs->d;
	double *center;
	double *weights;
	double *bias;
	double squares = 0.0;

	HxReadLinearView(pairs->training, pairs->training->spec.base, 0, &center,
					 &weights, &bias);
	for (size_t i = 0; i < count; i++)
		squares += weights[i] * weights[i];
	for (size_t i = 0; i < count && squares > 0.0; i++)
		pairs->w[i] = (float) (weights[i] * sqrt(pairs->bits / squares));
}

/* A step's vectors, and their outputs: rows learnt from, or held out */
static int
gather(Pairs *pairs, int first)
{
	int end = first < pairs->rows ? pairs->rows : pairs->training->rows;
	int n = Min(pairs->batch, end - first);

	for (int p = 0; p < part_count(pairs); p++)
	{
		for (int i = 0; i < n; i++)
		{
			const float *from = row_part(pairs, pairs->order[first + i], p);
			const double *mean = pairs->mean[side_of(p)];
			float *to = pairs->x[p] + (size_t) i * pairs->d;

			for (int j = 0; j < pairs->d; j++)
				to[j] = (float) ((from[j] - mean[j]) * pairs->scale);
		}
		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, pairs->bits, pairs->d,
						  pairs->x[p], pairs->w, 0.0f, pairs->z[p]);
	}
	return n;
}

/* How well pairs held out find their matches by codes */
static double
ask_held(Pairs *pairs)
{
	int n = pairs->training->rows - pairs->rows;
	size_t bits = pairs->bits;
	float *outputs[2];
	double found;

	for (int p = 0; p < 2; p++)
		outputs[p] = palloc_extended(n * bits * sizeof(float), MCXT_ALLOC_HUGE);
	for (int first = 0; first < n; first += pairs->batch)
	{
		int m = gather(pairs, pairs->rows + first);

		for (int p = 0; p < 2; p++)
			memcpy(outputs[p] + first * bits, pairs->z[p],
				   m * bits * sizeof(float));
	}
	found = HxMatchCodes(outputs[0], outputs[1], n, pairs->bits, NEAR_SHARE);
	pfree(outputs[0]);
	pfree(outputs[1]);
	return found;
}

/* Take the sides apart, to begin with what tells most of them. */
static void
prepare_start(Pairs *pairs, Start *start, HxRandom *random)
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

/* Free what prepare_start made. */
static void
free_start(Start *start)
{
	hx_free_canonical(&start->canonical);
	pfree(start->value);
	pfree(start->direction);
	pfree(start->rotation);
}

/* Weights to begin with, by a ridge: a place in ridge_rows */
static void
canonical_weights(Pairs *pairs, Start *start, int ridge, HxRandom *random)
{
	double share = ridge_rows[ridge] * pairs->d / pairs->rows;
	double both[2] = {share, share};

	if (hx_solve_canonical(&start->canonical, both, start->k, start->value,
						   start->direction, NULL, random) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("correlations of the pairs were not found")));
	turn_directions(pairs, start->k, start->value, start->direction,
					start->rotation);
}

/* Add to the gradient what outputs z of vectors x ask for. */
static void
add_gradient(Pairs *pairs, const float *slope, const float *x, int n)
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
learn_ranking(Pairs *pairs, int n, float hardness)
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
learn_margin_mse(Pairs *pairs, int first, int n, float hardness)
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
static double
learn(Pairs *pairs, int first, int time)
{
	size_t count = (size_t) pairs->bits * pairs->d;
	float hardness = sqrtf(1.0f + (float) HARDENING * time);
	int n = gather(pairs, first);
	double share = (double) time / pairs->steps;
	double loss;

	memset(pairs->gradient, 0, count * sizeof(float));
	loss = pairs->loss == LOSS_RANKING
			   ? learn_ranking(pairs, n, hardness)
			   : learn_margin_mse(pairs, first, n, hardness);
	hx_descend(pairs->w, pairs->gradient, pairs->memory[0], pairs->memory[1],
			   count,
			   pairs->rate * (0.5 + 0.5 * cos(3.14159265358979 * share)) /
				   sqrt(pairs->d),
			   time);
	return loss;
}

/* So many epochs more; returns the mean loss of the last */
static double
run(Pairs *pairs, int epochs, HxRandom *random)
{
	double loss = 0.0;

	for (int epoch = 0; epoch < epochs; epoch++)
	{
		int count = 0;

		loss = 0.0;
		HxShuffle(pairs->order, pairs->rows, random);
		/* what is left is too little for a step, and comes another time */
		for (int first = 0; first + pairs->batch <= pairs->rows;
			 first += pairs->batch)
		{
			CHECK_FOR_INTERRUPTS();
			loss += learn(pairs, first, ++pairs->time);
			count++;
		}
		loss /= Max(count, 1);
	}
	return loss;
}

/* Begin anew: weights of the base, or of a ridge; the gradient's memory is 0. */
static void
begin(Pairs *pairs, int ridge, HxRandom *random)
{
	size_t count = (size_t) pairs->bits * pairs->d;
	Start start;

	pairs->time = 0;
	for (int i = 0; i < 2; i++)
		memset(pairs->memory[i], 0, count * sizeof(float));
	if (pairs->training->spec.base != NULL)
		base_weights(pairs);
	else if (pairs->loss == LOSS_MARGIN_MSE)
	{
		for (size_t i = 0; i < count; i++)
			pairs->w[i] = (float) (hx_random_normal(random) / sqrt(pairs->d));
	}
	else
	{
		prepare_start(pairs, &start, random);
		canonical_weights(pairs, &start, ridge, random);
		free_start(&start);
	}
}

/* The ridge by which pairs held out find their matches best; the weights are
 * then of that */
static int
choose_ridge(Pairs *pairs, HxRandom *random)
{
	double best = -1.0;
	int chosen = 0;
	Start start;

	prepare_start(pairs, &start, random);
	for (int i = 0; i < (int) lengthof(ridge_rows); i++)
	{
		double found;

		canonical_weights(pairs, &start, i, random);
		found = ask_held(pairs);
		if (found > best)
		{
			best = found;
			chosen = i;
		}
	}
	canonical_weights(pairs, &start, chosen, random);
	free_start(&start);
	return chosen;
}

/*
 * The number of epochs, at most so many, after which pairs held out find their
 * matches best, and the ridge to begin with
 */
static int
choose_epochs(Pairs *pairs, int epochs, int *ridge, HxRandom *random)
{
	int chunk = Max(epochs / CHECKS, 1);
	int chosen = 0;
	double best;

	if (pairs->training->spec.base == NULL)
		*ridge = choose_ridge(pairs, random);
	else
		begin(pairs, 0, random);
	best = ask_held(pairs);
	for (int done = chunk; done <= epochs && done <= chosen + PATIENCE * chunk;
		 done += chunk)
	{
		double found;

		(void) run(pairs, chunk, random);
		found = ask_held(pairs);
		if (found > best)
		{
			best = found;
			chosen = done;
		}
	}
	return chosen;
}

/* Pairs held out, to choose by; none where there is nothing to choose */
static int
held_out(const Pairs *pairs)
{
	int held = Min(pairs->training->rows / HELD_SHARE, MOST_HELD);

	return pairs->loss == LOSS_MARGIN_MSE || held < LEAST_HELD ? 0 : held;
}

/* What is asked for; error if it does not fit the rows */
static void
read_task(Pairs *pairs)
{
	HxTraining *training = pairs->training;
	const HxSpec *spec = &training->spec;
	const char *loss = HxSpecText(spec, "loss", "ranking");
	bool teacher = strcmp(loss, "margin_mse") == 0;

	if (strcmp(loss, "ranking") != 0 && !teacher)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value of \"loss\" in the specification of training "
						"is \"%s\", expected \"ranking\" or "
						"\"margin_mse\"",
						loss)));
	pairs->loss = teacher ? LOSS_MARGIN_MSE : LOSS_RANKING;
	if (teacher != (training->target == HX_Y_NUMBER))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 teacher
					 ? errmsg("\"loss\": \"margin_mse\" needs a number as y")
					 : errmsg("\"loss\": \"%s\" needs a vector as y", loss)));
	pairs->d = teacher ? training->width[0] / 3 : training->width[0];
	if (teacher ? training->width[0] % 3 != 0 || training->features[0] > 0
				: training->width[1] != training->width[0])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 teacher ? errmsg("x has %d dimensions, which is not three "
								  "vectors one behind the other",
								  training->width[0])
						 : errmsg("method \"pairs\" needs x and y of the same "
								  "dimensions, not %d and %d",
								  training->width[0], training->width[1])));
	if (spec->bits != 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("method \"pairs\" makes codes of 1 bit a "
							   "dimension, not of %d",
							   spec->bits)));
	HxRequireRows(training, training->rows, LEAST_ROWS, "rows");
	pairs->bits = spec->has_dims ? spec->dims : DEFAULT_BITS;
	if (spec->base != NULL)
	{
		if ((int) hx_view_width(&spec->base->view[0]) != pairs->d ||
			(spec->has_dims && (int) spec->base->dims != spec->dims))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"base\" takes %u dimensions and makes %u, not "
							"%d and %d",
							hx_view_width(&spec->base->view[0]),
							spec->base->dims, pairs->d, pairs->bits)));
		pairs->bits = (int) spec->base->dims;
	}
	pairs->batch =
		Min((int) HxSpecNumber(spec, "batch", 64, 2, 4096), training->rows);
}

/* Memory for a step */
static void
allocate(Pairs *pairs)
{
	HxTraining *training = pairs->training;
	size_t outputs = (size_t) pairs->batch * pairs->bits;
	size_t count = (size_t) pairs->bits * pairs->d;

	for (int p = 0; p < 3; p++)
	{
		pairs->x[p] = HxTrainAlloc(training, (size_t) pairs->batch * pairs->d,
								   sizeof(float), "a step");
		pairs->z[p] = HxTrainAlloc(training, outputs, sizeof(float), "a step");
		pairs->h[p] = HxTrainAlloc(training, outputs, sizeof(float), "a step");
	}
	pairs->w = HxTrainAlloc(training, count, sizeof(float), "weights");
	pairs->slope = HxTrainAlloc(training, outputs, sizeof(float), "a step");
	pairs->score = HxTrainAlloc(training, (size_t) pairs->batch * pairs->batch,
								sizeof(float), "a step");
	pairs->gradient = HxTrainAlloc(training, count, sizeof(float), "gradients");
	for (int i = 0; i < 2; i++)
		pairs->memory[i] =
			HxTrainAlloc(training, count, sizeof(float), "gradients");
	pairs->order =
		HxTrainAlloc(training, training->rows, sizeof(int), "an order of rows");
	for (int i = 0; i < training->rows; i++)
		pairs->order[i] = i;
}

/* The weights: chosen with a part held out, then learnt from all; their loss */
static double
learn_weights(Pairs *pairs, HxRandom *random)
{
	HxTraining *training = pairs->training;
	const HxSpec *spec = &training->spec;
	int epochs = spec->iterations >= 0 ? spec->iterations : EPOCHS;
	int held = held_out(pairs);
	int ridge = DEFAULT_RIDGE;

	pairs->steps = Max(epochs * (training->rows / pairs->batch), 1);
	if (held > 0)
	{
		HxShuffle(pairs->order, training->rows, random);
		pairs->rows = training->rows - held;
		epochs = choose_epochs(pairs, epochs, &ridge, random);
	}
	pairs->rows = training->rows;
	begin(pairs, ridge, random);
	return run(pairs, epochs, random);
}

/* hashemb_train with method pairs: view 2 is what queries look for */
static void
train_pairs(HxTraining *training, HxDraft *draft)
{
	const HxSpec *spec = &training->spec;
	Pairs pairs = {.training = training, .rows = training->rows};
	double *weights;
	double loss;
	size_t count;
	HxRandom random;

	hx_seed_random(&random, (uint64) spec->seed);
	read_task(&pairs);
	count = (size_t) pairs.bits * pairs.d;
	pairs.rate = HxSpecNumber(spec, "rate", 0.05, 0, 10);
	measure(&pairs);
	allocate(&pairs);
	loss = learn_weights(&pairs, &random);
	weights = HxTrainAlloc(training, count, sizeof(double), "weights");
	for (size_t i = 0; i < count; i++)
		weights[i] = pairs.w[i] * pairs.scale;
	HxStartDraft(training, draft, pairs.bits);
	draft->loss = loss;
	draft->views = 2;
	for (int side = 0; side < 2; side++)
	{
		HxDraftView *view = &draft->view[side];

		if (training->features[0] == 0)
			view->inputs = pairs.d;
		HxSetLinearView(training, view, pairs.d, pairs.bits, pairs.mean[side],
						weights, NULL);
	}
}

static const char *const keys[] = {
	"dims", "bits", "seed",		  "sample",	   "features", "normalize", "loss",
	"rate", "base", "iterations", "precision", "batch",	   NULL};

const HxMethod HxMethodPairs = {.id = HX_METHOD_PAIRS,
								.keep = HX_KEEP_ROWS,
								.targets = 1 << HX_Y_VECTOR | 1 << HX_Y_NUMBER,
								.continues = true,
								.keys = keys,
								.train = train_pairs};
