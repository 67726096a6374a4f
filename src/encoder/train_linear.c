/*
 * train_linear.c
 *	  Methods class, fit and shift: linear maps to given targets.
 *
 * class	every label gets a codeword, far from the others; ridge regression
 *			of the vectors onto their codewords
 * fit		ridge regression onto given codes, or onto given vectors
 * shift	the difference of two means: for queries that drifted
 *
 * All need sums over the rows only, and so see every row once.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/matrix.h"
#include "encoder/train.h"

/* Codewords tried for each class where there is no better construction */
#define TRIES 16

/* Bits by default */
#define DEFAULT_BITS 64

/* Codewords to which a random one is compared */
#define COMPARED 200

/* The sums over rows, around the means */
typedef struct Centered
{
	double *mean_x; /* of x */
	double *mean_y; /* of y */
	double *xx;		/* covariance of x times rows, lower triangle */
} Centered;

/* Error unless a row was seen more than once */
static void
check_rows(const HxTraining *training)
{
	if (training->seen < 2)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("method \"%s\" needs at least two rows",
							   training->method->name)));
}

/* Means and centred squares; sum_xx becomes these */
static Centered
center_sums(HxTraining *training, int e)
{
	Centered centered;
	int d = training->width[0];
	double n = (double) training->seen;

	centered.mean_x = palloc(d * sizeof(double));
	centered.mean_y = palloc(Max(e, 1) * sizeof(double));
	for (int i = 0; i < d; i++)
		centered.mean_x[i] = training->sum_x[i] / n;
	for (int i = 0; i < e; i++)
		centered.mean_y[i] = training->sum_y[i] / n;
	centered.xx = training->sum_xx;
	for (int i = 0; centered.xx != NULL && i < d; i++)
	{
		for (int j = 0; j <= i; j++)
			centered.xx[(size_t) i * d + j] -=
				training->sum_x[i] * centered.mean_x[j];
	}
	return centered;
}

/* Add the pivot, so that a mean is that of the vectors as given */
static double *
add_pivot(const double *mean, const double *pivot, int count)
{
	double *sum = palloc(count * sizeof(double));

	for (int i = 0; i < count; i++)
		sum[i] = mean[i] + pivot[i];
	return sum;
}

/* Solve for weights, a row for each output, of centred sums */
static double *
solve(HxTraining *training, double *xx, const double *xy, int e)
{
	int d = training->width[0];
	double *w =
		HxTrainAlloc(training, (size_t) d * e, sizeof(double), "weights");
	double *turned =
		HxTrainAlloc(training, (size_t) d * e, sizeof(double), "weights");

	CHECK_FOR_INTERRUPTS();
	if (hx_ridge(xx, d, xy, e, training->spec.lambda, w) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("regression has no solution"),
						errhint("Raise \"lambda\", or use more rows.")));
	for (int i = 0; i < d; i++)
	{
		for (int j = 0; j < e; j++)
			turned[(size_t) j * d + i] = w[(size_t) i * e + j];
	}
	training->used -= (size_t) d * e * sizeof(double);
	pfree(w);
	return turned;
}

/* Share of the targets' variance that is left: weights are rows of outputs */
static double
residual_share(const double *weights, const double *xy, int d, int e,
			   double total)
{
	double explained = 0.0;

	for (int i = 0; i < d; i++)
	{
		for (int j = 0; j < e; j++)
			explained += weights[(size_t) j * d + i] * xy[(size_t) i * e + j];
	}
	return total > 0.0 ? Max(1.0 - explained / total, 0.0) : 0.0;
}

/* The only layer of a draft */
static void
set_layer(HxTraining *training, HxDraft *draft, const double *weights,
		  const double *bias)
{
	HxDraftLayer *layer = &draft->view[0].block[0];
	int precision = training->spec.precision;

	draft->view[0].blocks = 1;
	layer->inputs = training->width[0];
	layer->outputs = draft->dims;
	layer->precision = precision > 0				   ? precision
					   : draft->output == HX_OUT_FLOAT ? 2
													   : 1;
	layer->weights = weights;
	layer->bias = bias;
}

/*
 * Codewords of labels
 */

/* Is the number of bits set in a odd? */
static bool
is_odd(uint32 a)
{
	return __builtin_popcount(a) & 1;
}

/* A codeword (+1, -1) that is farthest from those before it, of some drawn */
static void
draw_codeword(double *words, int index, int bits, HxRandom *random)
{
	double *word = words + (size_t) index * bits;
	double *drawn = palloc(bits * sizeof(double));
	double best = -1.0;

	for (int attempt = 0; attempt < TRIES; attempt++)
	{
		double nearest = 2.0 * bits + 1.0;

		for (int j = 0; j < bits; j++)
			drawn[j] = hx_random_bits(random) >> 63 ? 1.0 : -1.0;
		for (int i = Max(0, index - COMPARED); i < index; i++)
		{
			double distance =
				bits - hx_dot(drawn, words + (size_t) i * bits, bits);

			nearest = Min(nearest, distance);
		}
		if (nearest > best)
		{
			best = nearest;
			memcpy(word, drawn, bits * sizeof(double));
		}
	}
	pfree(drawn);
}

/*
 * Codewords for `count` labels: rows of a Hadamard matrix without its constant
 * row and column, repeated, if the bits suffice for one; then any two differ
 * in about half of the bits.  Else random ones.
 */
static double *
make_codewords(HxTraining *training, int count, int bits)
{
	double *words = HxTrainAlloc(training, (size_t) count * bits,
								 sizeof(double), "codewords");
	uint32 order = 2;
	HxRandom random;

	hx_seed_random(&random, (uint64) training->spec.seed);
	while (order < (uint32) count + 1)
		order *= 2;
	for (int c = 0; c < count; c++)
	{
		CHECK_FOR_INTERRUPTS();
		if ((uint32) bits < order - 1)
		{
			draw_codeword(words, c, bits, &random);
			continue;
		}
		for (int j = 0; j < bits; j++)
		{
			uint32 column = 1 + (uint32) j % (order - 1);

			words[(size_t) c * bits + j] =
				is_odd((uint32) (c + 1) & column) ? -1.0 : 1.0;
		}
	}
	return words;
}

/* Place of a label among labels, ascending */
static int
find_label(const int64 *labels, int count, int64 label)
{
	int low = 0;
	int high = count - 1;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (labels[middle] < label)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Order of labels */
static int
compare_labels(const void *a, const void *b)
{
	int64 left = *(const int64 *) a;
	int64 right = *(const int64 *) b;

	return left < right ? -1 : left > right;
}

/* All labels of all classes, ascending, each once; their number */
static int64 *
all_labels(const HxTraining *training, int *count)
{
	size_t total = 0;
	int64 *labels;
	int kept = 0;

	for (int c = 0; c < training->class_count; c++)
		total += training->classes[c].count;
	labels = palloc_extended(total * sizeof(int64), MCXT_ALLOC_HUGE);
	total = 0;
	for (int c = 0; c < training->class_count; c++)
	{
		memcpy(labels + total, training->classes[c].labels,
			   training->classes[c].count * sizeof(int64));
		total += training->classes[c].count;
	}
	qsort(labels, total, sizeof(int64), compare_labels);
	for (size_t i = 0; i < total; i++)
	{
		if (i == 0 || labels[i] != labels[kept - 1])
			labels[kept++] = labels[i];
	}
	*count = kept;
	return labels;
}

/* The target of a class: the signs of the sum of its labels' codewords */
static void
class_target(const HxClass *class, const int64 *labels, int label_count,
			 const double *words, int bits, double *target)
{
	memset(target, 0, bits * sizeof(double));
	for (int i = 0; i < class->count; i++)
		hx_add_multiple(
			target, 1.0,
			words + (size_t) find_label(labels, label_count, class->labels[i]) *
						bits,
			bits);
	for (int j = 0; j < bits; j++)
	{
		/* a tie goes to the first label's bit */
		if (target[j] == 0.0)
			target[j] = words[(size_t) find_label(labels, label_count,
												  class->labels[0]) *
								  bits +
							  j];
		target[j] = target[j] > 0.0 ? 0.5 : -0.5;
	}
}

/* hashemb_train with method class */
static void
train_class(HxTraining *training, HxDraft *draft)
{
	int d = training->width[0];
	int bits = training->spec.has_dims ? training->spec.dims : DEFAULT_BITS;
	double *target = palloc(bits * sizeof(double));
	double total = 0.0;
	Centered centered;
	int label_count;
	int64 *labels;
	double *words;
	double *xy;
	double *weights;

	check_rows(training);
	if (training->spec.bits != 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("method \"class\" makes codes of 1 bit a "
							   "dimension, not of %d",
							   training->spec.bits)));
	centered = center_sums(training, 0);
	labels = all_labels(training, &label_count);
	words = make_codewords(training, label_count, bits);
	xy = HxTrainAlloc(training, (size_t) d * bits, sizeof(double),
					  "sums of products");
	for (int c = 0; c < training->class_count; c++)
	{
		const HxClass *class = &training->classes[c];

		CHECK_FOR_INTERRUPTS();
		class_target(class, labels, label_count, words, bits, target);
		total += 0.25 * bits * (double) class->rows;
		for (int i = 0; i < d; i++)
			hx_add_multiple(xy + (size_t) i * bits,
							class->sum[i] -
								(double) class->rows * centered.mean_x[i],
							target, bits);
	}
	weights = solve(training, centered.xx, xy, bits);
	HxStartDraft(training, draft, bits);
	draft->view[0].center = add_pivot(centered.mean_x, training->pivot_x, d);
	draft->loss = residual_share(weights, xy, d, bits, total);
	set_layer(training, draft, weights, NULL);
}

/* Error unless y is what "out" asks for */
static void
check_fit(const HxTraining *training)
{
	bool vectors = training->target == HX_Y_VECTOR;

	check_rows(training);
	if (vectors != training->spec.out_float)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 vectors ? errmsg("method \"fit\" onto vectors needs "
								  "\"out\": \"float\"")
						 : errmsg("method \"fit\" with \"out\": \"float\" "
								  "needs vectors as y, not codes")));
}

/* hashemb_train with method fit */
static void
train_fit(HxTraining *training, HxDraft *draft)
{
	int d = training->width[0];
	int e = training->width[1];
	double total = training->sum_y2;
	Centered centered;
	double *weights;

	check_fit(training);
	centered = center_sums(training, e);
	for (int i = 0; i < d; i++)
		hx_add_multiple(training->sum_xy + (size_t) i * e, -training->sum_x[i],
						centered.mean_y, e);
	for (int j = 0; j < e; j++)
		total -= training->sum_y[j] * centered.mean_y[j];
	weights = solve(training, centered.xx, training->sum_xy, e);
	HxStartDraft(training, draft, e);
	draft->bits = training->target == HX_Y_CODE ? training->target_bits : 1;
	if (training->spec.base != NULL)
		draft->space = training->spec.base->bytes + HX_AT_SPACE;
	draft->view[0].center = add_pivot(centered.mean_x, training->pivot_x, d);
	draft->loss = residual_share(weights, training->sum_xy, d, e, total);
	set_layer(training, draft, weights,
			  add_pivot(centered.mean_y, training->pivot_y, e));
}

/* hashemb_train with method shift: x plus the difference of the means */
static void
train_shift(HxTraining *training, HxDraft *draft)
{
	int d = training->width[0];
	HxDraftLayer *layer = &draft->view[0].block[0];
	double *shift = palloc(d * sizeof(double));

	if (training->width[1] != d || training->features[0] > 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("method \"shift\" needs x and y of the same "
							   "dimensions, not %d and %d",
							   training->inputs[0], training->inputs[1])));
	for (int i = 0; i < d; i++)
	{
		double x = training->pivot_x[i] + training->sum_x[i] / training->seen;
		double y = training->pivot_y[i] + training->sum_y[i] / training->seen;

		shift[i] = y - x;
	}
	HxStartDraft(training, draft, d);
	draft->output = HX_OUT_FLOAT;
	draft->view[0].blocks = 1;
	layer->inputs = layer->outputs = d;
	layer->bias = shift;
}

static const char *const class_keys[] = {"dims",	  "bits",	   "seed",
										 "features",  "normalize", "lambda",
										 "precision", NULL};
static const char *const fit_keys[] = {"seed",	 "features", "normalize",
									   "lambda", "out",		 "precision",
									   "base",	 "space",	 NULL};
static const char *const shift_keys[] = {NULL};

const HxMethod HxMethodClass = {.name = "class",
								.id = HX_METHOD_CLASS,
								.keep = HX_KEEP_SUMS,
								.targets = 1 << HX_Y_LABEL | 1 << HX_Y_LABELS,
								.keys = class_keys,
								.train = train_class};

const HxMethod HxMethodFit = {.name = "fit",
							  .id = HX_METHOD_FIT,
							  .keep = HX_KEEP_SUMS,
							  .targets = 1 << HX_Y_VECTOR | 1 << HX_Y_CODE,
							  .keys = fit_keys,
							  .train = train_fit};

const HxMethod HxMethodShift = {.name = "shift",
								.id = HX_METHOD_SHIFT,
								.keep = HX_KEEP_SUMS,
								.targets = 1 << HX_Y_VECTOR,
								.keys = shift_keys,
								.train = train_shift};
