/*
 * train_spectral.c
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
 * for inner products of vectors.  With prefixes, each part of the input is
 * centred, rotated and scaled alone: a prefix of the code is the code of the
 * prefix.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/apply.h"
#include "encoder/matrix.h"
#include "encoder/train.h"

/* Rows that measure the variance of outputs */
#define MEASURED_ROWS 2000

/* Rows that itq turns to their codes: this, or so many a dimension */
#define ITQ_ROWS 5000
#define ITQ_ROWS_A_DIM 8

/* Rows that stand for queries, and how many of the rows count as near them */
#define QUERY_ROWS 200
#define NEAR_SHARE 0.02
#define NEAR_LEAST 20

/* Rows projected at a time */
#define BATCH 256

/* Above, rows of a rotation are left as they are drawn */
#define MAX_ORTHONORMAL 2048

/* Dimensions by default, if vectors have as many */
#define DEFAULT_DIMS 512

/* A part of the vectors that is trained alone */
typedef struct Part
{
	HxTraining *training;
	const double *mean; /* of its inputs */
	int from;			/* first input */
	int inputs;			/* number of inputs */
	int outputs;		/* number of outputs */
	double *weights;	/* outputs x inputs */
	double step;		/* width of a level */
	double error;		/* mean squared distance from the levels' middles */
	double energy;		/* mean squared length of outputs */
	double share;		/* of the mean, to subtract from queries */
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

/* A part of a row less its mean */
static void
copy_part(const Part *part, int row, float *to)
{
	const HxTraining *training = part->training;
	const float *x =
		training->x + (size_t) row * training->width[0] + part->from;

	for (int i = 0; i < part->inputs; i++)
		to[i] = (float) (x[i] - part->mean[i]);
}

/* Row `i` of `count` spread over `rows` rows */
static int
spread_row(int rows, int i, int count)
{
	return (int) ((int64) i * rows / count);
}

/*
 * Project `count` rows spread over the sample: to (count x outputs), by the
 * weights (outputs x inputs).
 */
static void
project_rows(const Part *part, const double *weights, int count, float *to)
{
	HxTraining *training = part->training;
	int inputs = part->inputs;
	int outputs = part->outputs;
	float *rows = palloc((size_t) BATCH * inputs * sizeof(float));
	float *w = HxTrainAlloc(training, (size_t) outputs * inputs, sizeof(float),
							"a "
							"matrix");

	for (size_t i = 0; i < (size_t) outputs * inputs; i++)
		w[i] = (float) weights[i];
	for (int start = 0; start < count; start += BATCH)
	{
		int n = Min(BATCH, count - start);

		CHECK_FOR_INTERRUPTS();
		for (int r = 0; r < n; r++)
			copy_part(part, spread_row(training->rows, start + r, count),
					  rows + (size_t) r * inputs);
		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, outputs, inputs, rows, w,
						  0.0f, to + (size_t) start * outputs);
	}
	training->used -= (size_t) outputs * inputs * sizeof(float);
	pfree(w);
	pfree(rows);
}

/* Middle of the level of a number, in units of levels */
static double
middle_of(double y, int bits)
{
	double half = 1 << (bits - 1);

	return Min(Max(ceil(y) - 0.5, 0.5 - half), half - 0.5);
}

/* Random directions: of rotations, one below the other */
static void
draw_weights(Part *part)
{
	for (int row = 0; row < part->outputs;)
	{
		int n = Min(part->outputs - row, part->inputs);
		double *to = part->weights + (size_t) row * part->inputs;

		CHECK_FOR_INTERRUPTS();
		if (n <= MAX_ORTHONORMAL)
			hx_random_rotation(to, n, part->inputs, part->random);
		else
		{
			for (size_t i = 0; i < (size_t) n * part->inputs; i++)
				to[i] = hx_random_normal(part->random) / sqrt(part->inputs);
		}
		row += n;
	}
}

/* The directions of greatest variance */
static void
find_directions(Part *part)
{
	HxTraining *training = part->training;
	int d = part->inputs;
	double *squares = HxTrainAlloc(training, (size_t) d * d, sizeof(double),
								   "the covariance");
	double *values = palloc(d * sizeof(double));
	float *rows = palloc((size_t) BATCH * d * sizeof(float));

	for (int start = 0; start < training->rows; start += BATCH)
	{
		int n = Min(BATCH, training->rows - start);

		CHECK_FOR_INTERRUPTS();
		for (int r = 0; r < n; r++)
			copy_part(part, start + r, rows + (size_t) r * d);
		hx_add_squares(rows, n, d, squares);
	}
	hx_mirror(squares, d);
	if (hx_eigen_top(squares, d, part->outputs, values, part->weights,
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
rotate_weights(Part *part, const double *rotation)
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
	HxTraining *training = part->training;
	int bits = training->spec.bits;
	int count = Min(training->rows, MEASURED_ROWS);
	size_t numbers = (size_t) count * part->outputs;
	float *y = HxTrainAlloc(training, numbers, sizeof(float), "projected rows");

	project_rows(part, part->weights, count, y);
	part->energy = part->error = 0.0;
	for (size_t i = 0; i < numbers; i++)
		part->energy += (double) y[i] * y[i];
	part->energy /= numbers;
	part->step = sqrt(part->energy) * hx_level_width[bits];
	if (part->step <= 0.0)
		part->step = 1.0;
	for (size_t i = 0; i < numbers; i++)
	{
		double loss = y[i] - middle_of(y[i] / part->step, bits) * part->step;

		part->error += loss * loss;
	}
	part->error /= numbers;
	training->used -= numbers * sizeof(float);
	pfree(y);
}

/* A row and its inner product with a query */
typedef struct Ranked
{
	float product;
	int row;
} Ranked;

/* By falling product, then by row */
static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *l = a;
	const Ranked *r = b;

	if (l->product != r->product)
		return l->product > r->product ? -1 : 1;
	return l->row < r->row ? -1 : 1;
}

/* What is known of the rows and the queries, to fit the queries' centre */
typedef struct Near
{
	int rows;
	int queries;
	int near;		 /* rows that count as near a query */
	float *exact;	 /* rows x queries: products of vectors, both centred */
	float *coded;	 /* rows x queries: of projected queries and codes */
	double *mean;	 /* of each row: product with the rows' mean */
	double *shifted; /* of each code: product with the projected mean */
	Ranked *ranked;	 /* rows */
	double uu, uv, vv, ut, vt; /* sums of products over all near rows */
} Near;

/*
 * Inner products of rows, less the mean, and their codes, with queries and the
 * mean.  y: rows x outputs, as projected.
 */
static void
multiply_queries(const Part *part, const float *y, Near *near)
{
	int d = part->inputs;
	int m = part->outputs;
	int bits = part->training->spec.bits;
	float *query = palloc_extended(
		(size_t) near->queries * (d + m) * sizeof(float), MCXT_ALLOC_HUGE);
	float *asked = query + (size_t) near->queries * d;
	float *rows = palloc_extended((size_t) BATCH * (d + m) * sizeof(float),
								  MCXT_ALLOC_HUGE);
	float *codes = rows + (size_t) BATCH * d;
	double *mean = palloc0(m * sizeof(double));

	for (int i = 0; i < m; i++)
		for (int j = 0; j < d; j++)
			mean[i] += part->weights[(size_t) i * d + j] * part->mean[j];
	for (int i = 0; i < near->queries; i++)
	{
		int row = spread_row(near->rows, i, near->queries);

		copy_part(part, spread_row(part->training->rows, row, near->rows),
				  query + (size_t) i * d);
		memcpy(asked + (size_t) i * m, y + (size_t) row * m, m * sizeof(float));
	}
	for (int start = 0; start < near->rows; start += BATCH)
	{
		int n = Min(BATCH, near->rows - start);
		const float *outputs = y + (size_t) start * m;
		size_t at = (size_t) start * near->queries;

		CHECK_FOR_INTERRUPTS();
		for (int r = 0; r < n; r++)
		{
			float *row = rows + (size_t) r * d;
			float *code = codes + (size_t) r * m;

			copy_part(part,
					  spread_row(part->training->rows, start + r, near->rows),
					  row);
			for (int i = 0; i < m; i++)
				code[i] = (float) middle_of(
					outputs[(size_t) r * m + i] / part->step, bits);
			for (int i = 0; i < d; i++)
				near->mean[start + r] += row[i] * part->mean[i];
			for (int i = 0; i < m; i++)
				near->shifted[start + r] += code[i] * mean[i];
		}
		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, near->queries, d, rows,
						  query, 0.0f, near->exact + at);
		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, near->queries, m, codes,
						  asked, 0.0f, near->coded + at);
	}
	pfree(query);
	pfree(rows);
	pfree(mean);
}

/* Add the rows near one query to the sums, each less their mean */
static void
add_query(Near *near, int query)
{
	int self = spread_row(near->rows, query, near->queries);
	double t0 = 0.0;
	double u0 = 0.0;
	double v0 = 0.0;
	int count = 0;

	for (int i = 0; i < near->rows; i++)
	{
		size_t at = (size_t) i * near->queries + query;

		near->exact[at] += (float) near->mean[i];
		near->coded[at] += (float) near->shifted[i];
		if (i != self)
			near->ranked[count++] = (Ranked){near->exact[at], i};
	}
	qsort(near->ranked, count, sizeof(Ranked), compare_ranked);
	for (int i = 0; i < near->near; i++)
	{
		int row = near->ranked[i].row;

		t0 += near->ranked[i].product / near->near;
		u0 += near->coded[(size_t) row * near->queries + query] / near->near;
		v0 += near->shifted[row] / near->near;
	}
	for (int i = 0; i < near->near; i++)
	{
		int row = near->ranked[i].row;
		double t = near->ranked[i].product - t0;
		double u = near->coded[(size_t) row * near->queries + query] - u0;
		double v = near->shifted[row] - v0;

		near->uu += u * u;
		near->uv += u * v;
		near->vv += v * v;
		near->ut += u * t;
		near->vt += v * t;
	}
}

/*
 * How much of the mean to subtract from queries, from 0 to 1: what inner
 * products of rows with codes, k <W (q - share mean), code>, tell best of those
 * with vectors, by least squares over the rows nearest to others.  1 if there
 * are too few rows to tell.
 */
static double
fit_share(const Part *part)
{
	HxTraining *training = part->training;
	Near near = {.rows = Min(training->rows, MEASURED_ROWS)};
	size_t outputs = (size_t) near.rows * part->outputs;
	size_t products;
	double determinant;
	double k;
	float *y;

	near.queries = Min(near.rows, QUERY_ROWS);
	near.near = Max((int) (near.rows * NEAR_SHARE), NEAR_LEAST);
	if (near.rows < 2 * NEAR_LEAST)
		return 1.0;
	products = (size_t) near.rows * near.queries;
	y = HxTrainAlloc(training, outputs, sizeof(float), "projected rows");
	near.exact =
		HxTrainAlloc(training, 2 * products, sizeof(float), "products of rows");
	near.coded = near.exact + products;
	near.mean = palloc0(near.rows * sizeof(double));
	near.shifted = palloc0(near.rows * sizeof(double));
	near.ranked = palloc(near.rows * sizeof(Ranked));
	project_rows(part, part->weights, near.rows, y);
	multiply_queries(part, y, &near);
	for (int i = 0; i < near.queries; i++)
		add_query(&near, i);
	training->used -= (outputs + 2 * products) * sizeof(float);
	pfree(y);
	pfree(near.exact);
	pfree(near.mean);
	pfree(near.shifted);
	pfree(near.ranked);
	/* t = k u - k share v */
	determinant = near.uu * near.vv - near.uv * near.uv;
	k = near.ut * near.vv - near.vt * near.uv;
	if (!(determinant > 1e-9 * near.uu * near.vv) || !(k > 0.0))
		return 1.0;
	return Min(Max((near.ut * near.uv - near.vt * near.uu) / k, 0.0), 1.0);
}

/* One turn of itq: y = v r, its codes, and the best rotation for these */
static void
turn(const Part *part, const float *v, int n, double *rotation)
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
			y[i] = (float) middle_of(y[i] / part->step, bits);
		hx_add_products(v + (size_t) start * m, y, rows, m, m, products);
	}
	hx_procrustes(products, m, rotation);
	pfree(products);
	pfree(r);
	pfree(y);
}

/* The rotation of the directions found that brings rows near their codes */
static void
find_rotation(Part *part)
{
	HxTraining *training = part->training;
	int m = part->outputs;
	int n = Min(training->rows, Max(ITQ_ROWS, ITQ_ROWS_A_DIM * m));
	int turns = training->spec.iterations < 0 ? 50 : training->spec.iterations;
	float *v =
		HxTrainAlloc(training, (size_t) n * m, sizeof(float), "projected rows");
	double *rotation =
		HxTrainAlloc(training, (size_t) m * m, sizeof(double), "a rotation");

	project_rows(part, part->weights, n, v);
	hx_random_rotation(rotation, m, m, part->random);
	for (int i = 0; i < turns; i++)
		turn(part, v, n, rotation);
	rotate_weights(part, rotation);
	training->used -=
		(size_t) n * m * sizeof(float) + (size_t) m * m * sizeof(double);
	pfree(v);
	pfree(rotation);
}

/* Train one part: weights in units of levels */
static void
train_part(Part *part)
{
	HxTraining *training = part->training;
	HxMethodId method = training->method->id;
	int m = part->outputs;
	size_t count = (size_t) m * part->inputs;

	part->weights = HxTrainAlloc(training, count, sizeof(double), "weights");
	if (method == HX_METHOD_RANDOM)
		draw_weights(part);
	else
		find_directions(part);
	if (method == HX_METHOD_PCA && training->spec.rotate)
	{
		double *rotation = HxTrainAlloc(training, (size_t) m * m,
										sizeof(double), "a rotation");

		hx_random_rotation(rotation, m, m, part->random);
		rotate_weights(part, rotation);
		training->used -= (size_t) m * m * sizeof(double);
		pfree(rotation);
	}
	measure_outputs(part);
	if (method == HX_METHOD_ITQ)
	{
		find_rotation(part);
		measure_outputs(part);
	}
	part->share = training->spec.center && !training->spec.out_float
					  ? fit_share(part)
					  : 1.0;
	for (size_t i = 0; i < count && !training->spec.out_float; i++)
		part->weights[i] /= part->step;
}

/* Number of outputs; error if the vectors do not have so many directions */
static int
choose_dims(const HxTraining *training)
{
	int width = training->width[0];
	int dims = training->spec.has_dims ? training->spec.dims
									   : Min(width, DEFAULT_DIMS);

	if (dims > width && training->method->id != HX_METHOD_RANDOM)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%s\" cannot make %d dimensions of vectors "
						"of %d",
						training->method->name, dims, width)));
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

/* Train every part of the vectors */
static void
train_spectral(HxTraining *training, HxDraft *draft)
{
	const HxSpec *spec = &training->spec;
	int parts = Max(spec->prefix_count, 1);
	int dims = choose_dims(training);
	double *mean = mean_of_rows(training);
	double *query = palloc(training->width[0] * sizeof(double));
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
		Part part = {.training = training, .random = &random};
		HxDraftLayer *layer = &draft->view[0].block[i];

		part.from = i > 0 ? spec->prefix[i - 1] : 0;
		part.inputs = spec->prefix_count > 0 ? spec->prefix[i] - part.from
											 : training->width[0];
		part.outputs = spec->prefix_count > 0 ? part.inputs : dims;
		part.mean = mean + part.from;
		train_part(&part);
		for (int j = 0; j < part.inputs; j++)
			query[part.from + j] = part.share * part.mean[j] + 0.0;
		error += part.error * part.outputs;
		energy += part.energy * part.outputs;
		layer->inputs = part.inputs;
		layer->outputs = part.outputs;
		layer->precision = spec->precision > 0 ? spec->precision
						   : spec->out_float   ? 2
											   : 1;
		layer->weights = part.weights;
	}
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

const HxMethod HxMethodRandom = {.name = "random",
								 .id = HX_METHOD_RANDOM,
								 .keep = HX_KEEP_ROWS,
								 .targets = 1 << HX_Y_NONE,
								 .keys = random_keys,
								 .train = train_spectral};

const HxMethod HxMethodPca = {.name = "pca",
							  .id = HX_METHOD_PCA,
							  .keep = HX_KEEP_ROWS,
							  .targets = 1 << HX_Y_NONE,
							  .keys = pca_keys,
							  .train = train_spectral};

const HxMethod HxMethodItq = {.name = "itq",
							  .id = HX_METHOD_ITQ,
							  .keep = HX_KEEP_ROWS,
							  .targets = 1 << HX_Y_NONE,
							  .keys = itq_keys,
							  .train = train_spectral};
