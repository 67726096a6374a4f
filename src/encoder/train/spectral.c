/*
 * spectral.c
 *	  Methods random, pca and itq: rotations, learnt without labels.
 *
 * random	rows of a random rotation: nothing is learnt but mean and scale
 * pca		the directions of greatest variance, then a random rotation, which
 *			spreads the variance evenly over the bits
 * itq		pca, then the rotation that brings the rows nearest to their codes,
 *			found by turns: codes for the rotation, rotation for the codes
 *			(after Gong and Lazebnik, 2011; here also for levels)
 *
 * All outputs share one width of a level, so that inner products of codes stand
 * for inner products of vectors.  Codes of several bits are compared by their
 * cosine, which is that of vectors less a centre: how much of the mean that is,
 * is measured (centre.c).  With prefixes, each part of the input is
 * centred, rotated and scaled alone: a prefix of the code is the code of the
 * prefix.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/model/apply.h"
#include "encoder/math/matrix.h"
#include "encoder/train/part.h"

/* Rows that itq turns to their codes: this, or this many a dimension */
#define ITQ_ROWS 5000
#define ITQ_ROWS_A_DIM 8

/* Rows read at a time */
#define BATCH 256

/* Share of the greatest variance below which a part counts less */
#define LITTLE 0.0625

/* What the rotation of the turn before counts, beside its rows' codes */
#define KEEP 0.01

/* Above, rows of a rotation are left as they are drawn */
#define MAX_ORTHONORMAL 2048

/* Dimensions by default, if vectors have as many */
#define DEFAULT_DIMS 512

/* A part of the vectors that is trained alone, and what is found of it */
typedef struct Part
{
	HxPart of;
	double error;  /* mean squared distance from the levels' middles */
	double energy; /* mean squared length of outputs */
	double kept;   /* of the mean, that is subtracted from rows */
	double share;  /* of that, to subtract from queries */
	HxRandom *random;
} Part;

/* Mean of the rows */
static double *
mean_of_rows(HxTraining *training)
{
	int d = training->width[0];
	double *mean = HxTrainAlloc(training, d, sizeof(double), "the mean");

	for (int r = 0; r < training->rows; r++)
	{
		const float *x = training->x + (size_t) r * d;

		for (int i = 0; i < d; i++)
			mean[i] += x[i];
	}
	for (int i = 0; i < d; i++)
		mean[i] /= training->rows;
	return mean;
}

/* Random directions: of rotations, one below the other */
static void
draw_weights(Part *part)
{
	for (int row = 0; row < part->of.outputs;)
	{
		int n = Min(part->of.outputs - row, part->of.inputs);
		double *to = part->of.weights + (size_t) row * part->of.inputs;

		CHECK_FOR_INTERRUPTS();
		if (n <= MAX_ORTHONORMAL)
			hx_random_rotation(to, n, part->of.inputs, part->random);
		else
		{
			for (size_t i = 0; i < (size_t) n * part->of.inputs; i++)
				to[i] = hx_random_normal(part->random) / sqrt(part->of.inputs);
		}
		row += n;
	}
}

/* The directions of greatest variance */
static void
find_directions(Part *part)
{
	HxTraining *training = part->of.training;
	int d = part->of.inputs;
	double *squares = HxTrainAlloc(training, (size_t) d * d, sizeof(double),
								   "the covariance");
	double *values = palloc(d * sizeof(double));
	float *rows = palloc((size_t) BATCH * d * sizeof(float));

	for (int start = 0; start < training->rows; start += BATCH)
	{
		int n = Min(BATCH, training->rows - start);

		CHECK_FOR_INTERRUPTS();
		for (int r = 0; r < n; r++)
			HxCopyPart(&part->of, start + r, rows + (size_t) r * d);
		hx_add_squares(rows, n, d, squares);
	}
	hx_mirror(squares, d);
	if (hx_eigen_top(squares, d, part->of.outputs, values, part->of.weights,
					 part->random) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("principal directions were not found")));
	training->used -= (size_t) d * d * sizeof(double);
	pfree(squares);
	pfree(values);
	pfree(rows);
}

/* weights = rotation' weights, the rotation outputs x outputs */
static void
rotate_weights(HxPart *part, const double *rotation)
{
	size_t count = (size_t) part->outputs * part->inputs;
	double *turned = palloc_extended(count * sizeof(double), MCXT_ALLOC_HUGE);

	hx_multiply(HX_TRANSPOSED, HX_AS_IS, part->outputs, part->inputs,
				part->outputs, rotation, part->weights, 0.0, turned);
	memcpy(part->weights, turned, count * sizeof(double));
	pfree(turned);
}

/* Width of a level from the outputs of some rows, and what rounding loses */
static void
measure_outputs(Part *part)
{
	HxTraining *training = part->of.training;
	int bits = training->spec.bits;
	int count = Min(training->rows, HX_MEASURED_ROWS);
	size_t numbers = (size_t) count * part->of.outputs;
	float *y = HxTrainAlloc(training, numbers, sizeof(float), "projected rows");

	HxProjectPart(&part->of, count, y);
	part->energy = part->error = 0.0;
	for (size_t i = 0; i < numbers; i++)
		part->energy += (double) y[i] * y[i];
	part->energy /= numbers;
	part->of.step = sqrt(part->energy) * hx_level_width[bits];
	if (part->of.step <= 0.0)
		part->of.step = 1.0;
	for (size_t i = 0; i < numbers; i++)
	{
		double loss =
			y[i] - hx_level_middle(y[i] / part->of.step, bits) * part->of.step;

		part->error += loss * loss;
	}
	part->error /= numbers;
	training->used -= numbers * sizeof(float);
	pfree(y);
}

/* One turn of itq: y = v r, its codes, and the best rotation for these */
static void
turn(const HxPart *part, const float *v, int n, double *rotation)
{
	int m = part->outputs;
	int bits = part->training->spec.bits;
	size_t square = (size_t) m * m;
	double *products = palloc0(square * sizeof(double));
	float *r = palloc(square * sizeof(float));
	float *y = palloc((size_t) BATCH * m * sizeof(float));

	for (size_t i = 0; i < square; i++)
		r[i] = (float) rotation[i];
	for (int start = 0; start < n; start += BATCH)
	{
		int rows = Min(BATCH, n - start);

		CHECK_FOR_INTERRUPTS();
		hx_multiply_float(HX_AS_IS, HX_AS_IS, rows, m, m,
						  v + (size_t) start * m, r, 0.0f, y);
		for (size_t i = 0; i < (size_t) rows * m; i++)
			y[i] = (float) hx_level_middle(y[i] / part->step, bits);
		hx_add_products(v + (size_t) start * m, y, rows, m, m, products);
	}
	/*
	 * Directions without variance have no products: they stay as they are, and
	 * the rotation is found as fast as if they had some
	 */
	hx_add_multiple(products, KEEP * hx_dot(products, rotation, square) / m,
					rotation, square);
	hx_procrustes(products, m, rotation);
	pfree(products);
	pfree(r);
	pfree(y);
}

/* The rotation of the directions found that brings rows near their codes */
static void
find_rotation(Part *part)
{
	HxTraining *training = part->of.training;
	int m = part->of.outputs;
	int n = Min(training->rows, Max(ITQ_ROWS, ITQ_ROWS_A_DIM * m));
	int turns = training->spec.iterations < 0 ? 50 : training->spec.iterations;
	float *v =
		HxTrainAlloc(training, (size_t) n * m, sizeof(float), "projected rows");
	double *rotation =
		HxTrainAlloc(training, (size_t) m * m, sizeof(double), "a rotation");

	HxProjectPart(&part->of, n, v);
	hx_random_rotation(rotation, m, m, part->random);
	for (int i = 0; i < turns; i++)
		turn(&part->of, v, n, rotation);
	rotate_weights(&part->of, rotation);
	training->used -=
		(size_t) n * m * sizeof(float) + (size_t) m * m * sizeof(double);
	pfree(v);
	pfree(rotation);
}

/* Is the share of the mean to subtract from rows to be measured? */
static bool
is_centre_open(const HxTraining *training)
{
	const HxSpec *spec = &training->spec;

	return spec->bits > 1 && spec->center && !spec->has_center &&
		   !spec->out_float && spec->prefix_count == 0;
}

/* Turn the directions at random, for pca */
static void
turn_at_random(Part *part)
{
	HxTraining *training = part->of.training;
	int m = part->of.outputs;
	double *rotation =
		HxTrainAlloc(training, (size_t) m * m, sizeof(double), "a rotation");

	hx_random_rotation(rotation, m, m, part->random);
	rotate_weights(&part->of, rotation);
	training->used -= (size_t) m * m * sizeof(double);
	pfree(rotation);
}

/* Train one part: weights in units of levels */
static void
train_part(Part *part)
{
	HxTraining *training = part->of.training;
	HxMethodId method = training->method->id;
	int m = part->of.outputs;
	size_t count = (size_t) m * part->of.inputs;

	part->of.weights = HxTrainAlloc(training, count, sizeof(double), "weights");
	if (method == HX_METHOD_RANDOM)
		draw_weights(part);
	else
		find_directions(part);
	part->kept = 1.0;
	if (is_centre_open(training))
		part->kept =
			HxChooseCentre(&part->of, method != HX_METHOD_RANDOM, part->random);
	if (method == HX_METHOD_PCA && training->spec.rotate)
		turn_at_random(part);
	measure_outputs(part);
	if (method == HX_METHOD_ITQ)
	{
		find_rotation(part);
		measure_outputs(part);
	}
	part->share = 1.0;
	if (training->spec.center && !training->spec.out_float)
		part->share = training->spec.bits > 1 ? HxChooseShare(&part->of)
											  : HxFitShare(&part->of);
	for (size_t i = 0; i < count && !training->spec.out_float; i++)
		part->of.weights[i] /= part->of.step;
}

/*
 * Prefixes: bits of a part that varies far less than another one would be noise
 * in each longer code.  So a part uses the fewer of its outputs, the less its
 * dimensions vary, below a share of those that vary most; the others are constant.
 * Above that all help: neighbours in little varying dimensions are mostly
 * neighbours in the others, too.
 */
static void
weigh_parts(const HxTraining *training, Part *part, int parts)
{
	double most = 0.0;

	for (int i = 0; i < parts; i++)
		most = Max(most, part[i].energy);
	for (int i = 0; i < parts; i++)
	{
		double share =
			most > 0.0 ? Min(part[i].energy / most / LITTLE, 1.0) : 1.0;
		int used = (int) ceil(share * part[i].of.outputs - 1e-6);
		size_t first = (size_t) used * part[i].of.inputs;
		size_t count = (size_t) part[i].of.outputs * part[i].of.inputs;

		if (training->spec.out_float)
			continue;
		for (size_t j = first; j < count; j++)
			part[i].of.weights[j] = 0.0;
	}
}

/*
 * Number of outputs, with prefixes as many as inputs unless the specification
 * says something else; error if the vectors have fewer directions
 */
static int
choose_dims(const HxTraining *training)
{
	int width = training->width[0];
	int most = training->spec.prefix_count > 0 ? width : DEFAULT_DIMS;
	int dims = training->spec.has_dims ? training->spec.dims : Min(width, most);

	if (dims > width && training->method->id != HX_METHOD_RANDOM)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%s\" cannot make %d dimensions of vectors "
						"of %d",
						HxMethodName(training->method->id), dims, width)));
	return dims;
}

/* Error unless prefixes end where the vectors do, and so do the codes. */
static void
check_prefixes(const HxTraining *training)
{
	const HxSpec *spec = &training->spec;
	int last = spec->prefix[spec->prefix_count - 1];

	if (training->features[0] > 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("hashed sparse vectors have no prefixes")));
	if (spec->normalize)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("\"normalize\" and \"prefixes\" exclude each other"),
				 errdetail("A vector and its prefix differ in length.")));
	if (last != training->width[0] || (spec->has_dims && spec->dims != last))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the last of \"prefixes\" is %d, but the vectors have "
						"%d dimensions and the codes %d",
						last, training->width[0],
						spec->has_dims ? spec->dims : training->width[0])));
}

/* Sparse vectors hashed to as many features as bits: no weights at all */
static void
train_features(HxTraining *training, HxDraft *draft, const double *mean)
{
	HxDraftLayer *layer = &draft->view[0].block[0];
	int m = training->width[0];
	double *scale = HxTrainAlloc(training, m, sizeof(double), "weights");
	double energy = 0.0;

	for (int r = 0; r < training->rows; r++)
	{
		for (int i = 0; i < m; i++)
		{
			double y = training->x[(size_t) r * m + i] - mean[i];

			energy += y * y;
		}
	}
	energy /= (double) training->rows * m;
	for (int i = 0; i < m; i++)
		scale[i] = energy > 0.0 && !training->spec.out_float
					   ? 1.0 / (sqrt(energy) * hx_level_width[draft->bits])
					   : 1.0;
	draft->view[0].blocks = 1;
	layer->inputs = layer->outputs = m;
	layer->scale = scale;
}

/* A part as a layer of the draft */
static void
set_layer(const HxTraining *training, HxDraft *draft, const Part *part,
		  int number)
{
	const HxSpec *spec = &training->spec;
	HxDraftLayer *layer = &draft->view[0].block[number];

	layer->inputs = part->of.inputs;
	layer->outputs = part->of.outputs;
	layer->precision = spec->precision > 0 ? spec->precision
					   : spec->out_float   ? 2
										   : 1;
	layer->weights = part->of.weights;
}

/* Train every part of the vectors */
static void
train_spectral(HxTraining *training, HxDraft *draft)
{
	const HxSpec *spec = &training->spec;
	int parts = Max(spec->prefix_count, 1);
	int dims = choose_dims(training);
	double *mean = mean_of_rows(training);
	double *query = palloc(training->width[0] * sizeof(double));
	Part *part = palloc0(parts * sizeof(Part));
	double error = 0.0;
	double energy = 0.0;
	HxRandom random;

	hx_seed_random(&random, (uint64) spec->seed);
	if (spec->prefix_count > 0)
		check_prefixes(training);
	if (!spec->center)
		memset(mean, 0, training->width[0] * sizeof(double));
	HxStartDraft(training, draft, dims);
	draft->view[0].center = spec->center ? mean : NULL;
	if (training->features[0] == dims &&
		training->method->id == HX_METHOD_RANDOM)
	{
		train_features(training, draft, mean);
		return;
	}
	if (spec->prefix_count > 0)
		draft->flags |= HX_FLAG_PREFIXES;
	draft->view[0].query = spec->center && !spec->out_float ? query : NULL;
	draft->view[0].blocks = parts;
	for (int i = 0; i < parts; i++)
	{
		Part *of = &part[i];

		of->random = &random;
		of->of.training = training;
		of->of.from = i > 0 ? spec->prefix[i - 1] : 0;
		of->of.inputs = spec->prefix_count > 0 ? spec->prefix[i] - of->of.from
											   : training->width[0];
		of->of.outputs = spec->prefix_count > 0 ? of->of.inputs : dims;
		of->of.mean = mean + of->of.from;
		train_part(of);
		/* HxChooseCentre left what is subtracted in the place of the mean */
		for (int j = 0; j < of->of.inputs; j++)
			query[of->of.from + j] = of->share * of->of.mean[j] + 0.0;
		error += of->error * of->of.outputs;
		energy += of->energy * of->of.outputs;
		set_layer(training, draft, of, i);
	}
	weigh_parts(training, part, parts);
	draft->loss = energy > 0.0 ? error / energy : 0.0;
}

static const char *const random_keys[] = {
	"dims",	  "bits", "seed",	   "sample",   "features", "normalize",
	"center", "out",  "precision", "prefixes", NULL};
static const char *const pca_keys[] = {
	"dims",	  "bits", "seed",	   "sample", "features", "normalize",
	"center", "out",  "precision", "rotate", NULL};
static const char *const itq_keys[] = {
	"dims",	  "bits",	   "seed",	   "sample",	 "features", "normalize",
	"center", "precision", "prefixes", "iterations", NULL};

const HxMethod HxMethodRandom = {.id = HX_METHOD_RANDOM,
								 .keep = HX_KEEP_ROWS,
								 .targets = 1 << HX_Y_NONE,
								 .keys = random_keys,
								 .train = train_spectral};

const HxMethod HxMethodPca = {.id = HX_METHOD_PCA,
							  .keep = HX_KEEP_ROWS,
							  .targets = 1 << HX_Y_NONE,
							  .keys = pca_keys,
							  .train = train_spectral};

const HxMethod HxMethodItq = {.id = HX_METHOD_ITQ,
							  .keep = HX_KEEP_ROWS,
							  .targets = 1 << HX_Y_NONE,
							  .keys = itq_keys,
							  .train = train_spectral};
