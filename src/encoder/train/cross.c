/*
 * cross.c
 *	  Method cross: one code space for two kinds of vectors.
 *
 * After RREH (relation-reconstructive hashing for semi-paired cross-modal
 * retrieval): pairs get common codes, and rows of which only one side is known
 * are tied to pairs near them by the weights that reconstruct them from these
 * anchors (cross_turns.c).  Canonical correlations of the pairs are the other way
 * to get there (cross_canonical.c).  Which is taken, what rows without a partner
 * count and how strong the ridge is, is chosen by pairs that are held out
 * (cross_plan.c).
 */
#include "postgres.h"

#include <math.h>

#include "encoder/math/matrix.h"
#include "encoder/train/cross.h"
#include "encoder/train/held.h"
#include "encoder/train/rows.h"

/* Bits by default, and pairs without which nothing is learnt */
#define DEFAULT_BITS 64
#define LEAST_PAIRS 8

/* Pairs among the rows, in an order of the seed */
static void
list_pairs(HxCross *cross, HxRandom *random)
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
copy_centred(const HxCrossSide *side, const float *row, float *to)
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
split_rows(HxCross *cross, int which)
{
	HxTraining *training = cross->training;
	HxCrossSide *side = &cross->side[which];
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
allocate(HxCross *cross)
{
	HxTraining *training = cross->training;
	size_t bits = cross->bits;

	cross->common = HxTrainAlloc(training, cross->all_pairs * bits,
								 sizeof(float), "common directions");
	cross->code =
		HxTrainAlloc(training, cross->all_pairs * bits, sizeof(float), "codes");
	cross->rotation =
		HxTrainAlloc(training, bits * bits, sizeof(double), "a rotation");
	cross->anchor = palloc(HX_MAX_ANCHORS * sizeof(int));
	for (int v = 0; v < 2; v++)
	{
		HxCrossSide *side = &cross->side[v];
		size_t d = side->d;

		side->factor =
			HxTrainAlloc(training, d * d, sizeof(double), "covariance");
		side->tie = HxTrainAlloc(training, d * HX_MAX_ANCHORS, sizeof(double),
								 "ties to anchors");
		side->weights =
			HxTrainAlloc(training, d * bits, sizeof(double), "weights");
	}
}

/* Share of the pairs' bits that both sides compute alike */
static double
disagreement(const HxCross *cross)
{
	int64 differ = 0;
	double *y[2];

	for (int v = 0; v < 2; v++)
		y[v] = palloc(cross->bits * sizeof(double));
	for (int r = 0; r < cross->pairs; r++)
	{
		for (int v = 0; v < 2; v++)
		{
			const HxCrossSide *side = &cross->side[v];

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
set_view(HxCross *cross, int which, HxDraft *draft)
{
	HxCrossSide *side = &cross->side[which];
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
	HxCross cross = {.training = training};
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
	cross.plan = HxChoosePlan(&cross);
	HxLearnByPlan(&cross);
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
