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

#include "encoder/train/held.h"
#include "encoder/train/levels.h"
#include "encoder/train/pairs.h"
#include "encoder/train/rows.h"

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

/* Weights to begin with: the base's */
static void
base_weights(HxPairs *pairs)
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

/* How well pairs held out find their matches by codes */
static double
ask_held(HxPairs *pairs)
{
	int n = pairs->training->rows - pairs->rows;
	size_t bits = pairs->bits;
	float *outputs[2];
	double found;

	for (int p = 0; p < 2; p++)
		outputs[p] = palloc_extended(n * bits * sizeof(float), MCXT_ALLOC_HUGE);
	for (int first = 0; first < n; first += pairs->batch)
	{
		int m = HxGatherPairs(pairs, pairs->rows + first);

		for (int p = 0; p < 2; p++)
			memcpy(outputs[p] + first * bits, pairs->z[p],
				   m * bits * sizeof(float));
	}
	found = HxMatchCodes(outputs[0], outputs[1], n, pairs->bits, NEAR_SHARE);
	pfree(outputs[0]);
	pfree(outputs[1]);
	return found;
}

/* So many epochs more; returns the mean loss of the last */
static double
run(HxPairs *pairs, int epochs, HxRandom *random)
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
			loss += HxLearnPairs(pairs, first, ++pairs->time);
			count++;
		}
		loss /= Max(count, 1);
	}
	return loss;
}

/* Begin anew: weights of the base, or of a ridge; the gradient's memory is 0. */
static void
begin(HxPairs *pairs, int ridge, HxRandom *random)
{
	size_t count = (size_t) pairs->bits * pairs->d;
	HxPairsStart start;

	pairs->time = 0;
	for (int i = 0; i < 2; i++)
		memset(pairs->memory[i], 0, count * sizeof(float));
	if (pairs->training->spec.base != NULL)
		base_weights(pairs);
	else if (pairs->loss == HX_LOSS_MARGIN_MSE)
	{
		for (size_t i = 0; i < count; i++)
			pairs->w[i] = (float) (hx_random_normal(random) / sqrt(pairs->d));
	}
	else
	{
		HxPreparePairs(pairs, &start, random);
		HxSetPairsWeights(pairs, &start, ridge_rows[ridge], random);
		HxFreePairsStart(&start);
	}
}

/* The ridge by which pairs held out find their matches best; the weights are
 * then of that */
static int
choose_ridge(HxPairs *pairs, HxRandom *random)
{
	double best = -1.0;
	int chosen = 0;
	HxPairsStart start;

	HxPreparePairs(pairs, &start, random);
	for (int i = 0; i < (int) lengthof(ridge_rows); i++)
	{
		double found;

		HxSetPairsWeights(pairs, &start, ridge_rows[i], random);
		found = ask_held(pairs);
		if (found > best)
		{
			best = found;
			chosen = i;
		}
	}
	HxSetPairsWeights(pairs, &start, ridge_rows[chosen], random);
	HxFreePairsStart(&start);
	return chosen;
}

/*
 * The number of epochs, at most so many, after which pairs held out find their
 * matches best, and the ridge to begin with
 */
static int
choose_epochs(HxPairs *pairs, int epochs, int *ridge, HxRandom *random)
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
held_out(const HxPairs *pairs)
{
	int held = Min(pairs->training->rows / HELD_SHARE, MOST_HELD);

	return pairs->loss == HX_LOSS_MARGIN_MSE || held < LEAST_HELD ? 0 : held;
}

/* What is asked for; error if it does not fit the rows */
static void
read_task(HxPairs *pairs)
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
	pairs->loss = teacher ? HX_LOSS_MARGIN_MSE : HX_LOSS_RANKING;
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
allocate(HxPairs *pairs)
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
learn_weights(HxPairs *pairs, HxRandom *random)
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
	HxPairs pairs = {.training = training, .rows = training->rows};
	double *weights;
	double loss;
	size_t count;
	HxRandom random;

	hx_seed_random(&random, (uint64) spec->seed);
	read_task(&pairs);
	count = (size_t) pairs.bits * pairs.d;
	pairs.rate = HxSpecNumber(spec, "rate", 0.05, 0, 10);
	HxMeasurePairs(&pairs);
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
