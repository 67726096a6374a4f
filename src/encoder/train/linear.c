/*
 * linear.c
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

#include "encoder/train/note.h"
#include "encoder/train/rows.h"

/* Codewords tried for each class where there is no better construction */
#define TRIES 16

/* Times that all bits of a codeword are looked at, at most */
#define SWEEPS 10

/* Bits by default */
#define DEFAULT_BITS 64

/* Ridges that fit tries, and rows held out without which it tries none */
static const double lambdas[] = {1e-6, 1e-4, 1e-3, 0.01, 0.03,
								 0.1,  0.3,	 1,	   3,	 10};
#define LEAST_HELD 10

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
							   HxMethodName(training->method->id))));
}

/* Means and centred squares; sum_xx becomes these */
static Centered
center_sums(HxTraining *training, int e)
{
	Centered centered;
	int d = training->width[0];
	double n = (double) training->seen - training->held;

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

/*
 * Move a codeword away from those before it, bit by bit (discrete cyclic
 * coordinate descent, after DLCH): least sum of squared inner products.
 */
static void
part_codeword(const double *words, int index, int bits, double *word)
{
	double *inner = palloc((index + 1) * sizeof(double));
	bool moved = index > 0;

	for (int i = 0; i < index; i++)
		inner[i] = hx_dot(word, words + (size_t) i * bits, bits);
	for (int sweep = 0; moved && sweep < SWEEPS; sweep++)
	{
		moved = false;
		for (int j = 0; j < bits; j++)
		{
			double gain = 0.0;

			for (int i = 0; i < index; i++)
				gain += word[j] * words[(size_t) i * bits + j] * inner[i] - 1;
			if (gain <= 0.0)
				continue;
			for (int i = 0; i < index; i++)
				inner[i] -= 2 * word[j] * words[(size_t) i * bits + j];
			word[j] = -word[j];
			moved = true;
		}
	}
	pfree(inner);
}

/* A codeword (+1, -1) that is farthest from those before it, of some drawn */
static void
draw_codeword(double *words, int index, int bits, bool part, HxRandom *random)
{
	double *word = words + (size_t) index * bits;
	double *drawn = palloc(bits * sizeof(double));
	double best = -1.0;

	for (int attempt = 0; attempt < TRIES; attempt++)
	{
		double nearest = 2.0 * bits + 1.0;

		for (int j = 0; j < bits; j++)
			drawn[j] = hx_random_bits(random) >> 63 ? 1.0 : -1.0;
		if (part)
			part_codeword(words, index, bits, drawn);
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
			draw_codeword(words, c, bits, false, &random);
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

/* Labels and their codewords in order */
static void
sort_codewords(HxTraining *training, const int64 *label, const double *word,
			   int count, HxClassSums *sums)
{
	size_t bits = sums->bits;

	sums->labels = count;
	sums->label = HxTrainAlloc(training, count, sizeof(int64), "labels");
	sums->word =
		HxTrainAlloc(training, count * bits, sizeof(double), "codewords");
	memcpy(sums->label, label, count * sizeof(int64));
	qsort(sums->label, count, sizeof(int64), compare_labels);
	for (int c = 0; c < count; c++)
		memcpy(sums->word + find_label(sums->label, count, label[c]) * bits,
			   word + c * bits, bits * sizeof(double));
}

/*
 * Labels and codewords: those of base stay as they are, new labels get
 * codewords far from these.
 */
static void
choose_codewords(HxTraining *training, const HxClassSums *base,
				 HxClassSums *sums)
{
	int old = base == NULL ? 0 : base->labels;
	size_t bits = sums->bits;
	int count;
	int64 *met = all_labels(training, &count);
	int64 *label;
	double *word;
	int fresh = 0;
	HxRandom random;

	sums->labels = count;
	sums->label = met;
	if (base == NULL)
	{
		sums->word = make_codewords(training, count, (int) bits);
		return;
	}
	hx_seed_random(&random, (uint64) training->spec.seed);
	label = HxTrainAlloc(training, old + count, sizeof(int64), "labels");
	word = HxTrainAlloc(training, (old + count) * bits, sizeof(double),
						"codewords");
	memcpy(label, base->label, old * sizeof(int64));
	memcpy(word, base->word, old * bits * sizeof(double));
	for (int c = 0; c < count; c++)
	{
		CHECK_FOR_INTERRUPTS();
		if (old > 0 &&
			base->label[find_label(base->label, old, met[c])] == met[c])
			continue;
		draw_codeword(word, old + fresh, (int) bits, true, &random);
		label[old + fresh++] = met[c];
	}
	sort_codewords(training, label, word, old + fresh, sums);
}

/* Sums over the rows of this training, their targets by the codewords */
static void
sum_classes(HxTraining *training, HxClassSums *sums)
{
	int d = sums->d;
	int bits = sums->bits;
	Centered centered = center_sums(training, 0);
	double *target = palloc(bits * sizeof(double));

	sums->rows = (double) training->seen;
	sums->mean = add_pivot(centered.mean_x, training->pivot_x, d);
	sums->xx = centered.xx;
	sums->xy = HxTrainAlloc(training, (size_t) d * bits, sizeof(double),
							"sums of products");
	sums->target = palloc0(bits * sizeof(double));
	for (int c = 0; c < training->class_count; c++)
	{
		const HxClass *class = &training->classes[c];
		double rows = (double) class->rows;

		CHECK_FOR_INTERRUPTS();
		class_target(class, sums->label, sums->labels, sums->word, bits,
					 target);
		hx_add_multiple(sums->target, rows, target, bits);
		for (int i = 0; i < d; i++)
			hx_add_multiple(sums->xy + (size_t) i * bits,
							class->sum[i] - rows * centered.mean_x[i], target,
							bits);
	}
	pfree(target);
}

/* The sums that base keeps; error unless it takes and makes the same */
static HxClassSums *
read_base(HxTraining *training)
{
	const HxSpec *spec = &training->spec;
	HxClassSums *base = HxReadSums(training, spec->base);
	const HxView *view = &spec->base->view[0];

	if ((int) view->inputs != training->inputs[0] ||
		(int) view->features != training->features[0] ||
		(spec->has_dims && base->bits != spec->dims))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"base\" takes %u dimensions and makes %d, not %d and "
						"%d",
						view->inputs, base->bits, training->inputs[0],
						spec->has_dims ? spec->dims : base->bits)));
	return base;
}

/* hashemb_train with method class */
static void
train_class(HxTraining *training, HxDraft *draft)
{
	const HxSpec *spec = &training->spec;
	HxClassSums sums = {.d = training->width[0]};
	HxClassSums *base = NULL;
	double *weights;

	if (spec->base == NULL)
		check_rows(training);
	if (spec->bits != 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("method \"class\" makes codes of 1 bit a "
							   "dimension, not of %d",
							   spec->bits)));
	if (spec->base != NULL)
		base = read_base(training);
	sums.bits = base != NULL	 ? base->bits
				: spec->has_dims ? spec->dims
								 : DEFAULT_BITS;
	choose_codewords(training, base, &sums);
	sum_classes(training, &sums);
	HxStartDraft(training, draft, sums.bits);
	if (base != NULL)
	{
		HxAddSums(&sums, base);
		draft->rows += spec->base->rows;
		draft->space = spec->base->bytes + HX_AT_SPACE;
	}
	if (spec->lifelong || base != NULL)
		draft->note = HxWriteSums(training, &sums, &draft->note_size);
	weights = solve(training, sums.xx, sums.xy, sums.bits);
	draft->view[0].center = sums.mean;
	draft->loss = residual_share(weights, sums.xy, sums.d, sums.bits,
								 0.25 * sums.bits * sums.rows);
	set_layer(training, draft, weights, NULL);
}

/* Error unless y is what "out" asks for */
static void
check_fit(const HxTraining *training)
{
	bool vectors = training->target == HX_Y_VECTOR;

	check_rows(training);
	HxRequireOldCodes(training);
	if (vectors != training->spec.out_float)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 vectors ? errmsg("method \"fit\" onto vectors needs "
								  "\"out\": \"float\"")
						 : errmsg("method \"fit\" with \"out\": \"float\" "
								  "needs vectors as y, not codes")));
}

/* Covariance of x and y times rows, from their sums around the pivots */
static void
center_products(HxTraining *training, const Centered *centered, int e,
				double *xy)
{
	for (int i = 0; i < training->width[0]; i++)
		hx_add_multiple(xy + (size_t) i * e, -training->sum_x[i],
						centered->mean_y, e);
}

/* Rows less a mean and a pivot */
static float *
copy_less(const float *rows, int n, int d, const double *mean,
		  const double *pivot)
{
	float *to =
		palloc_extended((size_t) n * d * sizeof(float), MCXT_ALLOC_HUGE);

	for (int r = 0; r < n; r++)
		for (int i = 0; i < d; i++)
			to[(size_t) r * d + i] =
				(float) (rows[(size_t) r * d + i] - mean[i] - pivot[i]);
	return to;
}

/* Squared error of weights (d x e) on n rows x and y; `error` is room for y's */
static double
square_error(const double *w, const float *x, const float *y, int n, int d,
			 int e, float *error)
{
	size_t count = (size_t) d * e;
	float *weights = palloc_extended(count * sizeof(float), MCXT_ALLOC_HUGE);
	double sum = 0.0;

	for (size_t i = 0; i < count; i++)
		weights[i] = (float) w[i];
	memcpy(error, y, (size_t) n * e * sizeof(float));
	hx_multiply_float(HX_AS_IS, HX_AS_IS, n, e, d, x, weights, -1.0f, error);
	for (size_t i = 0; i < (size_t) n * e; i++)
		sum += (double) error[i] * error[i];
	pfree(weights);
	return sum;
}

/*
 * The ridge of least error on rows held out, by sums over the others, which stay
 * as they are
 */
static double
choose_lambda(HxTraining *training, int e)
{
	int d = training->width[0];
	int n = training->held;
	size_t square = (size_t) d * d * sizeof(double);
	size_t products = (size_t) d * e * sizeof(double);
	double *kept = palloc_extended(square, MCXT_ALLOC_HUGE);
	double *xx = palloc_extended(square, MCXT_ALLOC_HUGE);
	double *xy = palloc_extended(products, MCXT_ALLOC_HUGE);
	double *w = palloc_extended(products, MCXT_ALLOC_HUGE);
	float *error =
		palloc_extended((size_t) n * e * sizeof(float), MCXT_ALLOC_HUGE);
	double best = HUGE_VAL;
	double chosen = training->spec.lambda;
	Centered centered;
	float *x;
	float *y;

	memcpy(kept, training->sum_xx, square);
	memcpy(xy, training->sum_xy, products);
	centered = center_sums(training, e);
	center_products(training, &centered, e, xy);
	x = copy_less(training->held_x, n, d, centered.mean_x, training->pivot_x);
	y = copy_less(training->held_y, n, e, centered.mean_y, training->pivot_y);
	for (int i = 0; i < (int) lengthof(lambdas); i++)
	{
		double lost;

		CHECK_FOR_INTERRUPTS();
		memcpy(xx, centered.xx, square);
		if (hx_ridge(xx, d, xy, e, lambdas[i], w) != 0)
			continue;
		lost = square_error(w, x, y, n, d, e, error);
		if (lost < best)
		{
			best = lost;
			chosen = lambdas[i];
		}
	}
	memcpy(training->sum_xx, kept, square);
	pfree(kept);
	pfree(xx);
	pfree(xy);
	pfree(w);
	pfree(error);
	pfree(x);
	pfree(y);
	return chosen;
}

/* hashemb_train with method fit */
static void
train_fit(HxTraining *training, HxDraft *draft)
{
	int d = training->width[0];
	int e = training->width[1];
	double total;
	Centered centered;
	double *weights;

	check_fit(training);
	if (training->held >= LEAST_HELD)
		training->spec.lambda = choose_lambda(training, e);
	if (training->held > 0)
		HxAddHeld(training);
	total = training->sum_y2;
	centered = center_sums(training, e);
	center_products(training, &centered, e, training->sum_xy);
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

static const char *const class_keys[] = {
	"dims",	  "bits",	   "seed",	   "features", "normalize",
	"lambda", "precision", "lifelong", "base",	   NULL};
static const char *const fit_keys[] = {"seed",	 "features", "normalize",
									   "lambda", "out",		 "precision",
									   "base",	 "space",	 NULL};
static const char *const shift_keys[] = {NULL};

const HxMethod HxMethodClass = {.id = HX_METHOD_CLASS,
								.keep = HX_KEEP_SUMS,
								.targets = 1 << HX_Y_LABEL | 1 << HX_Y_LABELS,
								.continues = true,
								.keys = class_keys,
								.train = train_class};

const HxMethod HxMethodFit = {.id = HX_METHOD_FIT,
							  .keep = HX_KEEP_SUMS,
							  .targets = 1 << HX_Y_VECTOR | 1 << HX_Y_CODE,
							  .chooses = true,
							  .keys = fit_keys,
							  .train = train_fit};

const HxMethod HxMethodShift = {.id = HX_METHOD_SHIFT,
								.keep = HX_KEEP_SUMS,
								.targets = 1 << HX_Y_VECTOR,
								.keys = shift_keys,
								.train = train_shift};
