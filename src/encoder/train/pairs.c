/*
 * pairs.c
 *	  Method pairs: codes from what matches and what does not.
 *
 * margin		x and y match, x and another row's y do not: each output keeps
 *				matches within a radius and drives the others beyond a multiple
 *				of it (after NLSHBlock, whose net is a language model; here a
 *				linear map).  For blocking joins: bits are cut at the medians.
 * ranking		y answers x: the number query finds the soft code of its answer
 *				among the batch's, and so does its own code, by a margin (after
 *				BPR, Yamada et al. 2021).  For the float query against codes.
 * margin_mse	x is a query, an answer and another answer one behind the other,
 *				y by how much a teacher finds the first better: the same
 *				difference is learnt (after GPL).  For adaptation to a domain
 *				that has no matches, from "base".
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/train/levels.h"
#include "encoder/train/rows.h"

/* NLSHBlock's rate, as measured for data of variance 1 */
#define MARGIN_RATE 0.05

/* How fast soft codes harden (BPR), and its margin */
#define HARDENING 0.1
#define RANKING_MARGIN 2.0f

/* Bits by default; rows whose median is taken */
#define DEFAULT_BITS 64
#define MEDIAN_ROWS 4096

/* Rows without which nothing is learnt */
#define LEAST_ROWS 16

/* What is learnt from */
typedef enum Loss
{
	LOSS_MARGIN,
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
	int steps; /* of all */
	double rate;
	double *mean; /* of the vectors */
	double scale; /* what makes their variance 1, per dimension */
	float *w;	  /* bits x d, for scaled vectors */
	int *order;	  /* of rows, shuffled for each epoch */
	float *x[3];  /* vectors of a step: query, answer, other */
	float *z[3];  /* their outputs */
	float *h[3];  /* soft codes of these */
	float *slope; /* gradient at outputs */
	float *score; /* batch x batch */
	float *gradient;
	float *memory[2]; /* Adam's */
} Pairs;

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

/* Mean and scale of all vectors; a base's mean is not kept: domains shift. */
static void
measure(Pairs *pairs)
{
	HxTraining *training = pairs->training;
	int parts = part_count(pairs);
	double count = (double) training->rows * parts;
	double squares = 0.0;

	pairs->mean = HxTrainAlloc(training, pairs->d, sizeof(double), "the mean");
	for (int r = 0; r < training->rows; r++)
	{
		for (int p = 0; p < parts; p++)
		{
			const float *x = row_part(pairs, r, p);

			for (int i = 0; i < pairs->d; i++)
				pairs->mean[i] += x[i] / count;
		}
	}
	for (int r = 0; r < training->rows; r++)
	{
		for (int p = 0; p < parts; p++)
		{
			const float *x = row_part(pairs, r, p);

			for (int i = 0; i < pairs->d; i++)
				squares += (x[i] - pairs->mean[i]) * (x[i] - pairs->mean[i]);
		}
	}
	pairs->scale = squares > 0.0 ? sqrt(count * pairs->d / squares) : 1.0;
}

/* Weights to begin with: the base's, or random ones */
static void
first_weights(Pairs *pairs, HxRandom *random)
{
	HxTraining *training = pairs->training;
	const HxModel *base = training->spec.base;
	size_t count = (size_t) pairs->bits * pairs->d;
	double *center;
	double *weights;
	double *bias;
	double squares = 0.0;

	pairs->w = HxTrainAlloc(training, count, sizeof(float), "weights");
	if (base == NULL)
	{
		for (size_t i = 0; i < count; i++)
			pairs->w[i] = (float) (hx_random_normal(random) / sqrt(pairs->d));
		return;
	}
	HxReadLinearView(training, base, 0, &center, &weights, &bias);
	for (size_t i = 0; i < count; i++)
		squares += weights[i] * weights[i];
	/* rows of length 1 on average, as the random ones */
	for (size_t i = 0; i < count && squares > 0.0; i++)
		pairs->w[i] = (float) (weights[i] * sqrt(pairs->bits / squares));
}

/* A step's vectors, and their outputs */
static int
gather(Pairs *pairs, int first)
{
	int n = Min(pairs->batch, pairs->training->rows - first);

	for (int p = 0; p < part_count(pairs); p++)
	{
		for (int i = 0; i < n; i++)
		{
			const float *from = row_part(pairs, pairs->order[first + i], p);
			float *to = pairs->x[p] + (size_t) i * pairs->d;

			for (int j = 0; j < pairs->d; j++)
				to[j] = (float) ((from[j] - pairs->mean[j]) * pairs->scale);
		}
		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, pairs->bits, pairs->d,
						  pairs->x[p], pairs->w, 0.0f, pairs->z[p]);
	}
	return n;
}

/* Add to the gradient what outputs z of vectors x ask for. */
static void
add_gradient(Pairs *pairs, const float *slope, const float *x, int n)
{
	hx_multiply_float(HX_TRANSPOSED, HX_AS_IS, pairs->bits, pairs->d, n, slope,
					  x, 1.0f, pairs->gradient);
}

/*
 * NLSHBlock's step: outputs of matches differ by at most R, others by at least
 * c R, or a gradient of size 1 moves them.
 */
static double
learn_margin(Pairs *pairs, int n, HxRandom *random)
{
	const HxSpec *spec = &pairs->training->spec;
	float radius = (float) HxSpecNumber(spec, "radius", 0.5, 0.0, 1e6);
	float beyond = radius * (float) HxSpecNumber(spec, "factor", 6.0, 1.0, 1e6);
	int shift = 1 + (int) hx_random_below(random, n - 1);
	size_t bits = pairs->bits;
	double loss = 0.0;

	for (int way = 0; way < 2; way++)
	{
		/* the difference of inputs is learnt as that of both sides */
		memset(pairs->slope, 0, n * bits * sizeof(float));
		memset(pairs->h[0], 0, n * bits * sizeof(float));
		for (int i = 0; i < n; i++)
		{
			int other = way == 0 ? i : (i + shift) % n;
			const float *a = pairs->z[0] + i * bits;
			const float *b = pairs->z[1] + other * bits;
			float *slope = pairs->slope + i * bits;
			float *back = pairs->h[0] + other * bits;

			for (size_t j = 0; j < bits; j++)
			{
				float off = a[j] - b[j];
				float sign = off > 0.0f ? 1.0f : -1.0f;

				if (way == 0 ? fabsf(off) > radius : fabsf(off) < beyond)
				{
					slope[j] = (way == 0 ? sign : -sign) / n;
					back[j] = -slope[j];
					loss +=
						way == 0 ? fabsf(off) - radius : beyond - fabsf(off);
				}
			}
		}
		add_gradient(pairs, pairs->slope, pairs->x[0], n);
		add_gradient(pairs, pairs->h[0], pairs->x[1], n);
	}
	return loss / ((double) n * bits);
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

/* Shuffle the rows. */
static void
shuffle(Pairs *pairs, HxRandom *random)
{
	for (int i = pairs->training->rows - 1; i > 0; i--)
	{
		int j = (int) hx_random_below(random, i + 1);
		int row = pairs->order[i];

		pairs->order[i] = pairs->order[j];
		pairs->order[j] = row;
	}
}

/* One step, on rows from `first` of the order on; its loss */
static double
learn(Pairs *pairs, int first, int time, HxRandom *random)
{
	size_t count = (size_t) pairs->bits * pairs->d;
	float hardness = sqrtf(1.0f + (float) HARDENING * time);
	int n = gather(pairs, first);
	double share = (double) time / pairs->steps;
	double loss;

	memset(pairs->gradient, 0, count * sizeof(float));
	if (pairs->loss == LOSS_MARGIN)
	{
		loss = learn_margin(pairs, n, random);
		hx_add_multiple_float(pairs->w, (float) -pairs->rate, pairs->gradient,
							  count);
		return loss;
	}
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

/* All epochs; returns the mean loss of the last */
static double
run(Pairs *pairs, int epochs, HxRandom *random)
{
	int rows = pairs->training->rows;
	double loss = 0.0;
	int time = 0;

	for (int epoch = 0; epoch < epochs; epoch++)
	{
		int count = 0;

		loss = 0.0;
		shuffle(pairs, random);
		/* what is left is too little for a step, and comes another time */
		for (int first = 0; first + pairs->batch <= rows; first += pairs->batch)
		{
			CHECK_FOR_INTERRUPTS();
			loss += learn(pairs, first, ++time, random);
			count++;
		}
		loss /= Max(count, 1);
	}
	return loss;
}

/* Order of floats */
static int
compare_floats(const void *a, const void *b)
{
	float left = *(const float *) a;
	float right = *(const float *) b;

	return left < right ? -1 : left > right;
}

/* Biases that cut every output at its median */
static double *
median_biases(Pairs *pairs)
{
	int rows = Min(pairs->training->rows, MEDIAN_ROWS);
	double *bias = palloc(pairs->bits * sizeof(double));
	float *outputs = HxTrainAlloc(pairs->training, (size_t) rows * pairs->bits,
								  sizeof(float), "outputs");
	float *one = palloc(rows * sizeof(float));

	for (int first = 0; first < rows; first += pairs->batch)
	{
		int n = Min(gather(pairs, first), rows - first);

		memcpy(outputs + (size_t) first * pairs->bits, pairs->z[1],
			   (size_t) n * pairs->bits * sizeof(float));
	}
	for (int j = 0; j < pairs->bits; j++)
	{
		for (int i = 0; i < rows; i++)
			one[i] = outputs[(size_t) i * pairs->bits + j];
		qsort(one, rows, sizeof(float), compare_floats);
		bias[j] = -one[rows / 2];
	}
	return bias;
}

/* What is asked for; error if it does not fit the rows */
static void
read_task(Pairs *pairs)
{
	HxTraining *training = pairs->training;
	const HxSpec *spec = &training->spec;
	const char *loss = HxSpecText(spec, "loss", "margin");
	bool teacher = strcmp(loss, "margin_mse") == 0;

	if (strcmp(loss, "margin") != 0 && strcmp(loss, "ranking") != 0 && !teacher)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value of \"loss\" in the specification of training "
						"is \"%s\", expected one of \"margin\", \"ranking\", "
						"\"margin_mse\"",
						loss)));
	pairs->loss = teacher						? LOSS_MARGIN_MSE
				  : strcmp(loss, "margin") == 0 ? LOSS_MARGIN
												: LOSS_RANKING;
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

/* hashemb_train with method pairs */
static void
train_pairs(HxTraining *training, HxDraft *draft)
{
	const HxSpec *spec = &training->spec;
	int epochs = spec->iterations >= 0 ? spec->iterations : 70;
	Pairs pairs = {.training = training};
	double *bias = NULL;
	double *weights;
	double loss;
	size_t count;
	HxRandom random;

	hx_seed_random(&random, (uint64) spec->seed);
	read_task(&pairs);
	count = (size_t) pairs.bits * pairs.d;
	pairs.steps = Max(epochs * (training->rows / pairs.batch), 1);
	pairs.rate = HxSpecNumber(
		spec, "rate", pairs.loss == LOSS_MARGIN ? MARGIN_RATE : 0.05, 0, 10);
	measure(&pairs);
	first_weights(&pairs, &random);
	allocate(&pairs);
	loss = run(&pairs, epochs, &random);
	if (pairs.loss == LOSS_MARGIN)
		bias = median_biases(&pairs);
	weights = HxTrainAlloc(training, count, sizeof(double), "weights");
	for (size_t i = 0; i < count; i++)
		weights[i] = pairs.w[i] * pairs.scale;
	HxStartDraft(training, draft, pairs.bits);
	draft->view[0].inputs =
		training->features[0] > 0 ? training->inputs[0] : pairs.d;
	draft->loss = loss;
	HxSetLinearView(training, &draft->view[0], pairs.d, pairs.bits, pairs.mean,
					weights, bias);
}

static const char *const keys[] = {
	"dims",		  "bits",	   "seed",	"sample", "features",
	"normalize",  "loss",	   "rate",	"radius", "factor",
	"iterations", "precision", "batch", "base",	  NULL};

const HxMethod HxMethodPairs = {.id = HX_METHOD_PAIRS,
								.keep = HX_KEEP_ROWS,
								.targets = 1 << HX_Y_VECTOR | 1 << HX_Y_NUMBER,
								.continues = true,
								.keys = keys,
								.train = train_pairs};
