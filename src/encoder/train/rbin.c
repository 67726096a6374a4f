/*
 * rbin.c
 *	  Method rbin: codes of several bits a dimension, learnt by gradients.
 *
 * The net begins as what method pca makes, and is moved so that the cosine of
 * codes tells what belongs together: x and y where y is a vector; else rows
 * that are near each other.  Where y is a code that the row already has, the
 * new codes are made comparable with the old ones (backward-compatible
 * training): new queries search old codes.  This begins with the ridge regression
 * of method fit, and what is learnt beyond it is kept if rows held out then find
 * more of their neighbours among the old codes.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/train/levels.h"
#include "encoder/train/part.h"
#include "encoder/train/rows.h"

/* Rows centred at a time */
#define BATCH 256

/* Rows without which there is nothing to compare */
#define LEAST_ROWS 64

/* Dimensions and bits by default */
#define DEFAULT_DIMS 256
#define DEFAULT_BITS 2

/*
 * The net computes in floats, whose squares must not overflow or vanish: rows
 * (and those that belong to them) beyond 1e9 or all below 1e-9 are brought
 * near 1.  Returns what they were multiplied by, a power of two.
 */
static double
scale_rows(HxTraining *training)
{
	size_t count = (size_t) training->rows * training->width[0];
	float *parts[2] = {training->x, NULL};
	float most = 0.0f;
	int exponent;

	if (training->target == HX_Y_VECTOR)
		parts[1] = training->y;
	for (size_t i = 0; i < count; i++)
	{
		most = fmaxf(most, fabsf(parts[0][i]));
		if (parts[1] != NULL)
			most = fmaxf(most, fabsf(parts[1][i]));
	}
	if (most == 0.0f || (most >= 1e-9f && most <= 1e9f))
		return 1.0;
	(void) frexpf(most, &exponent);
	for (size_t i = 0; i < count; i++)
	{
		parts[0][i] = ldexpf(parts[0][i], -exponent);
		if (parts[1] != NULL)
			parts[1][i] = ldexpf(parts[1][i], -exponent);
	}
	return ldexp(1.0, -exponent);
}

/* Sum of products of the rows less the mean (d x d), both triangles */
static void
add_centered(const float *rows, int n, int d, const double *mean, double *sum)
{
	float *centered = palloc((size_t) BATCH * d * sizeof(float));

	for (int first = 0; first < n; first += BATCH)
	{
		int count = Min(BATCH, n - first);

		CHECK_FOR_INTERRUPTS();
		for (int r = 0; r < count; r++)
		{
			for (int i = 0; i < d; i++)
				centered[(size_t) r * d + i] =
					(float) (rows[(size_t) (first + r) * d + i] - mean[i]);
		}
		hx_add_squares(centered, count, d, sum);
	}
	hx_mirror(sum, d);
	pfree(centered);
}

/* Directions of greatest variance (dims x d); more than there are, at random */
static double *
find_directions(HxTraining *training, const double *mean, int dims,
				HxRandom *random)
{
	int d = training->width[0];
	int count = Min(dims, d);
	size_t square = (size_t) d * d;
	double *sum = HxTrainAlloc(training, square, sizeof(double), "covariance");
	double *values = palloc(d * sizeof(double));
	double *found =
		HxTrainAlloc(training, (size_t) dims * d, sizeof(double), "directions");

	add_centered(training->x, training->rows, d, mean, sum);
	if (hx_eigen_top(sum, d, count, values, found, random) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("principal directions were not found")));
	for (size_t i = (size_t) count * d; i < (size_t) dims * d; i++)
		found[i] = hx_random_normal(random) / sqrt(d);
	training->used -= square * sizeof(double);
	pfree(sum);
	pfree(values);
	return found;
}

/*
 * The net before training, as method pca makes it: mean becomes what is
 * subtracted from rows.
 */
static HxNet
first_net(HxTraining *training, double *mean, int dims, HxRandom *random)
{
	int d = training->width[0];
	int hidden = (int) HxSpecNumber(&training->spec, "hidden", 0, 0, 4096);
	HxNet net = hx_make_net(d, dims, training->spec.bits, hidden);
	HxPart part = {
		.training = training, .mean = mean, .inputs = d, .outputs = dims};
	double *found = find_directions(training, mean, dims, random);
	double *rotation =
		palloc_extended((size_t) dims * dims * sizeof(double), MCXT_ALLOC_HUGE);
	double *turned =
		palloc_extended((size_t) dims * d * sizeof(double), MCXT_ALLOC_HUGE);
	double step;

	part.weights = found;
	if (training->spec.bits > 1 && training->target != HX_Y_CODE)
		(void) HxChooseCentre(&part, dims <= d, random);
	hx_random_rotation(rotation, dims, dims, random);
	hx_multiply(HX_AS_IS, HX_AS_IS, dims, d, dims, rotation, found, 0.0,
				turned);
	part.weights = turned;
	step = HxMeasureStep(&part);
	memset(net.numbers, 0, net.count * sizeof(float));
	for (size_t i = 0; i < (size_t) dims * d; i++)
		net.w[i] = (float) (turned[i] / step);
	/* U's outputs have the size of W's, in other directions; V begins as 0 */
	for (size_t i = 0; i < (size_t) hidden * d; i++)
		net.u[i] = (float) (hx_random_normal(random) / (step * sqrt(d)));
	training->used -= (size_t) dims * d * sizeof(double);
	pfree(found);
	pfree(rotation);
	pfree(turned);
	return net;
}

/* Ridges tried, rows held out to choose by, and rows that these search */
static const double ridges[] = {1e-3, 0.01, 0.1, 0.3, 1};
#define HELD_SHARE 5
#define MOST_HELD 500
#define MOST_SEARCHED 5000
#define NEAR 10

/* How often learning is looked at, and how often in vain before it ends */
#define CHECKS 10
#define PATIENCE 3

/* Old codes to go on from, and rows held out that search them */
typedef struct Old
{
	HxTraining *training;
	const float *mean; /* subtracted from rows */
	int dims;
	int learnt;	  /* rows learnt from, the first ones */
	int held;	  /* rows held out, the last ones */
	int searched; /* the first rows, which these search */
	int *truth;	  /* held x NEAR: those most alike by vectors */
	int *former;  /* held x NEAR: those nearest by the row's own old code */
	double best;  /* share of the first found so far */
	double least; /* what must be found at least to be better than the ridge */
	double stays; /* share of the second that must be found still */
	int failed;	  /* checks since then */
	float *kept;  /* the net's numbers that found best */
	size_t count; /* of numbers */
} Old;

/* The k greatest of n scores, falling */
static void
keep_greatest(const float *score, int n, int k, int *kept)
{
	int count = 0;

	for (int j = 0; j < n; j++)
	{
		int at;

		if (count == k && score[j] <= score[kept[k - 1]])
			continue;
		at = count < k ? count++ : k - 1;
		for (; at > 0 && score[kept[at - 1]] < score[j]; at--)
			kept[at] = kept[at - 1];
		kept[at] = j;
	}
}

/* Rows of `to` (n x d) that are nearest to the query by cosine; inverse: of the
 * lengths of these rows */
static void
search_rows(const float *query, const float *to, const float *inverse, int n,
			int d, float *score, int *found)
{
	hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, 1, n, d, query, to, 0.0f, score);
	for (int j = 0; j < n && inverse != NULL; j++)
		score[j] *= inverse[j];
	keep_greatest(score, n, NEAR, found);
}

/* Hold rows out: they are exchanged with the last ones; what they should find */
static Old
hold_out(HxTraining *training, const float *mean, const float *inverse,
		 int dims)
{
	Old old = {.training = training, .mean = mean, .dims = dims};
	int d = training->width[0];
	float *score;

	old.held = Min(training->rows / HELD_SHARE, MOST_HELD);
	old.learnt = training->rows - old.held;
	old.searched = Min(old.learnt, MOST_SEARCHED);
	old.truth = palloc(Max(old.held, 1) * NEAR * sizeof(int));
	old.former = palloc(Max(old.held, 1) * NEAR * sizeof(int));
	score = palloc(old.searched * sizeof(float));
	for (int i = 0; i < old.held; i++)
	{
		CHECK_FOR_INTERRUPTS();
		search_rows(training->y + (size_t) (old.learnt + i) * dims, training->y,
					NULL, old.searched, dims, score, old.former + i * NEAR);
		search_rows(training->x + (size_t) (old.learnt + i) * d, training->x,
					inverse, old.searched, d, score, old.truth + i * NEAR);
	}
	pfree(score);
	return old;
}

/* Exchange rows, with their codes, so that one in HELD_SHARE is among the last. */
static void
scatter_rows(HxTraining *training)
{
	int held = Min(training->rows / HELD_SHARE, MOST_HELD);
	size_t d = training->width[0];
	size_t m = training->width[1];

	for (int i = 0; i < held; i++)
	{
		size_t a = (size_t) i * (training->rows - held) / held;
		size_t b = training->rows - held + i;

		for (size_t j = 0; j < d; j++)
		{
			float kept = training->x[a * d + j];

			training->x[a * d + j] = training->x[b * d + j];
			training->x[b * d + j] = kept;
		}
		for (size_t j = 0; j < m; j++)
		{
			float kept = training->y[a * m + j];

			training->y[a * m + j] = training->y[b * m + j];
			training->y[b * m + j] = kept;
		}
	}
}

/*
 * Share of the most alike rows that rows held out find among old codes; *stays
 * gets that of those which they found by their own old codes
 */
static double
ask_held(const Old *old, const HxNet *net, double *stays)
{
	const HxTraining *training = old->training;
	int d = net->inputs;
	int m = net->dims;
	float *x = palloc(d * sizeof(float));
	float *hidden = palloc(Max(net->hidden, 1) * sizeof(float));
	float *y = palloc(m * sizeof(float));
	float *score = palloc(old->searched * sizeof(float));
	int found[NEAR];
	int hits = 0;
	int former = 0;

	for (int i = 0; i < old->held; i++)
	{
		const float *row = training->x + (size_t) (old->learnt + i) * d;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < d; j++)
			x[j] = row[j] - old->mean[j];
		hx_apply_net(net, x, 1, hidden, y);
		for (int j = 0; j < m; j++)
			y[j] = (float) hx_level_middle(y[j], net->bits);
		search_rows(y, training->y, NULL, old->searched, m, score, found);
		for (int a = 0; a < NEAR; a++)
			for (int b = 0; b < NEAR; b++)
			{
				hits += found[a] == old->truth[i * NEAR + b];
				former += found[a] == old->former[i * NEAR + b];
			}
	}
	pfree(x);
	pfree(hidden);
	pfree(y);
	pfree(score);
	*stays = (double) former / ((double) Max(old->held, 1) * NEAR);
	return (double) hits / ((double) Max(old->held, 1) * NEAR);
}

/*
 * HxNetTask.go_on: keep the net if it finds more, and no less of what old codes
 * find; not, after some in vain
 */
static int
look_at(const HxNet *net, void *argument)
{
	Old *old = argument;
	double stays;
	double found = ask_held(old, net, &stays);

	if (found > old->best && found > old->least && stays >= old->stays)
	{
		old->best = found;
		old->failed = -1;
		memcpy(old->kept, net->numbers, old->count * sizeof(float));
	}
	return ++old->failed < PATIENCE;
}

/* Sums of the first n rows and their codes, as levels */
static void
sum_codes(const Old *old, const float *levels, int n, const double *mean_y,
		  double *xx, double *xy)
{
	int d = old->training->width[0];
	int m = old->dims;
	float *x = palloc((size_t) BATCH * d * sizeof(float));
	float *y = palloc((size_t) BATCH * m * sizeof(float));

	for (int first = 0; first < n; first += BATCH)
	{
		int count = Min(BATCH, n - first);

		CHECK_FOR_INTERRUPTS();
		for (int r = 0; r < count; r++)
		{
			const float *row = old->training->x + (size_t) (first + r) * d;
			const float *code = levels + (size_t) (first + r) * m;

			for (int i = 0; i < d; i++)
				x[(size_t) r * d + i] = row[i] - old->mean[i];
			for (int j = 0; j < m; j++)
				y[(size_t) r * m + j] = (float) (code[j] - mean_y[j]);
		}
		hx_add_squares(x, count, d, xx);
		hx_add_products(x, y, count, d, m, xy);
	}
	pfree(x);
	pfree(y);
}

/* The net becomes the linear map nearest to the codes that the rows have. */
static void
set_ridge(const Old *old, const double *xx, const double *xy,
		  const double *mean_y, double ridge, HxNet *net)
{
	int d = net->inputs;
	int m = net->dims;
	double *square =
		palloc_extended((size_t) d * d * sizeof(double), MCXT_ALLOC_HUGE);
	double *w =
		palloc_extended((size_t) d * m * sizeof(double), MCXT_ALLOC_HUGE);

	memcpy(square, xx, (size_t) d * d * sizeof(double));
	if (hx_ridge(square, d, xy, m, ridge, w) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("regression has no solution")));
	for (int j = 0; j < m; j++)
	{
		net->b[j] = (float) mean_y[j];
		for (int i = 0; i < d; i++)
			net->w[(size_t) j * d + i] = (float) w[(size_t) i * m + j];
	}
	pfree(square);
	pfree(w);
}

/*
 * Begin with the ridge regression onto old codes, levels: the ridge by which rows
 * held out find most of both kinds; with `all`, by all rows and the ridge given.
 */
static double
fit_old_codes(Old *old, const float *levels, HxNet *net, double ridge, bool all)
{
	HxTraining *training = old->training;
	int d = net->inputs;
	int m = net->dims;
	int n = all ? training->rows : old->learnt;
	double *xx =
		HxTrainAlloc(training, (size_t) d * d, sizeof(double), "covariance");
	double *xy = HxTrainAlloc(training, (size_t) d * m, sizeof(double),
							  "sums of products");
	double *mean_y = HxMeanOfRows(training, levels, n, m);
	double chosen = ridge;

	sum_codes(old, levels, n, mean_y, xx, xy);
	for (int i = 0; i < (int) lengthof(ridges) && !all && old->held > 0; i++)
	{
		double stays;
		double found;

		set_ridge(old, xx, xy, mean_y, ridges[i], net);
		found = ask_held(old, net, &stays);
		if (i == 0 || found + stays > old->best + old->stays)
		{
			old->best = found;
			old->stays = stays;
			chosen = ridges[i];
		}
	}
	set_ridge(old, xx, xy, mean_y, chosen, net);
	training->used -= ((size_t) d * d + (size_t) d * m) * sizeof(double);
	pfree(xx);
	pfree(xy);
	return chosen;
}

/* 1 / length of every row */
static float *
inverse_lengths(HxTraining *training)
{
	int d = training->width[0];
	float *inverse =
		HxTrainAlloc(training, training->rows, sizeof(float), "lengths");

	for (int i = 0; i < training->rows; i++)
	{
		const float *row = training->x + (size_t) i * d;
		float length = sqrtf(hx_dot_float(row, row, d));

		inverse[i] = length > 0.0f ? 1.0f / length : 0.0f;
	}
	return inverse;
}

/* Old codes, levels around 0, become of length 1; as levels they are returned. */
static float *
scale_codes(HxTraining *training)
{
	int dims = training->width[1];
	size_t count = (size_t) training->rows * dims;
	float *levels =
		HxTrainAlloc(training, count, sizeof(float), "codes as levels");

	memcpy(levels, training->y, count * sizeof(float));

	for (int i = 0; i < training->rows; i++)
	{
		float *code = training->y + (size_t) i * dims;
		float length = sqrtf(hx_dot_float(code, code, dims));

		for (int j = 0; j < dims; j++)
			code[j] /= length;
	}
	return levels;
}

/* What is asked for; error if it does not fit the rows */
static HxNetTask
read_task(HxTraining *training)
{
	const HxSpec *spec = &training->spec;
	int most = training->rows - training->rows % 8;
	HxNetTask task = {.x = training->x, .rows = training->rows};

	HxRequireRows(training, training->rows, LEAST_ROWS, "rows");
	HxRequireOldCodes(training);
	if (training->target == HX_Y_VECTOR &&
		training->width[1] != training->width[0])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"rbin\" needs x and y of the same dimensions, "
						"not %d and %d",
						training->width[0], training->width[1])));
	task.batch = Min((int) HxSpecNumber(spec, "batch", 1024, 32, 8192), most);
	task.group =
		Min((int) HxSpecNumber(spec, "group", 16, 2, 128), task.batch / 4);
	task.steps = spec->iterations >= 0 ? spec->iterations : 300;
	task.rate = HxSpecNumber(spec, "rate", 0.02, 0, 1);
	task.sharpness = HxSpecNumber(spec, "sharpness", 20, 0.1, 1000);
	task.code_sharpness =
		HxSpecNumber(spec, "code_sharpness", task.sharpness, 0.1, 1000);
	task.old_weight = HxSpecNumber(spec, "old_weight", 4, 0, 1000);
	if (training->target == HX_Y_VECTOR)
		task.positive = training->y;
	else if (training->target == HX_Y_CODE)
		task.old = training->y;
	return task;
}

/* Bytes that hx_train_net will ask for */
static double
net_bytes(const HxNetTask *task, const HxNet *net)
{
	double numbers = 4.0 * (double) net->count;

	numbers += (double) task->batch * (2.0 * Max(net->inputs, net->hidden) +
									   net->hidden + 4.0 * net->dims);
	numbers += 2.0 * (double) task->batch * task->batch;
	if (task->positive == NULL)
		numbers += (double) task->rows * (task->group + 64);
	return numbers * sizeof(float);
}

/* Floats as doubles, times a factor */
static double *
as_doubles(const float *from, size_t count, double factor)
{
	double *to =
		palloc_extended(Max(count, 1) * sizeof(double), MCXT_ALLOC_HUGE);

	for (size_t i = 0; i < count; i++)
		to[i] = from[i] * factor;
	return to;
}

/* The layers of a deep draft, see apply.h, for rows before scaling */
static void
set_layers(HxTraining *training, HxDraft *draft, const HxNet *net,
		   double factor)
{
	int precision = Max(training->spec.precision, 1);
	size_t d = net->inputs;
	size_t m = net->dims;
	size_t h = net->hidden;

	draft->family = HX_DEEP;
	draft->view[0].blocks = 0;
	draft->layers = 3;
	draft->layer[0] =
		(HxDraftLayer){.inputs = net->inputs,
					   .outputs = net->dims,
					   .precision = precision,
					   .weights = as_doubles(net->w, m * d, factor),
					   .bias = as_doubles(net->b, m, 1.0)};
	draft->layer[1] =
		(HxDraftLayer){.inputs = net->inputs,
					   .outputs = net->hidden,
					   .precision = precision,
					   .weights = as_doubles(net->u, h * d, factor),
					   .bias = as_doubles(net->c, h, 1.0)};
	draft->layer[2] = (HxDraftLayer){.inputs = net->hidden,
									 .outputs = net->dims,
									 .precision = precision,
									 .weights = as_doubles(net->v, m * h, 1.0)};
}

/*
 * Learn new codes that search old ones: the ridge regression onto these, and what
 * gradients make of it where rows held out find more by it, beyond what chance
 * does.  Returns the loss.
 */
static double
learn_from_old(HxTraining *training, HxNetTask *task, HxNet *net,
			   HxRandom *random)
{
	float *levels = scale_codes(training);
	Old old = hold_out(training, task->mean, task->inverse, net->dims);
	double ridge = fit_old_codes(&old, levels, net, ridges[0], false);
	double loss;
	double p = old.best;

	old.count = net->count;
	old.kept = HxTrainAlloc(training, net->count, sizeof(float), "a net");
	old.least = p + sqrt(p * (1.0 - p) / ((double) Max(old.held, 1) * NEAR));
	task->rows = old.learnt;
	task->batch = Min(task->batch, old.learnt - old.learnt % 8);
	task->go_on = old.held > 0 ? look_at : NULL;
	task->argument = &old;
	task->every = Max(task->steps / CHECKS, 1);
	loss = hx_train_net(net, task, random);
	if (old.best > p)
		memcpy(net->numbers, old.kept, net->count * sizeof(float));
	else
	{
		memset(net->numbers, 0, net->count * sizeof(float));
		(void) fit_old_codes(&old, levels, net, ridge, true);
	}
	return loss;
}

/* hashemb_train with method rbin */
static void
train_rbin(HxTraining *training, HxDraft *draft)
{
	HxSpec *spec = &training->spec;
	int d = training->width[0];
	HxNetTask task = read_task(training);
	double *mean;
	float *center;
	HxRandom random;
	HxNet net;
	double factor;
	int dims;

	if (!spec->has_dims)
		spec->bits = DEFAULT_BITS;
	dims = spec->has_dims ? spec->dims : Min(d, DEFAULT_DIMS);
	if (task.old != NULL)
	{
		dims = training->width[1];
		spec->bits = training->target_bits;
	}
	hx_seed_random(&random, (uint64) spec->seed);
	factor = scale_rows(training);
	if (task.old != NULL)
		scatter_rows(training);
	mean = HxMeanOfRows(training, training->x, training->rows, d);
	task.inverse = inverse_lengths(training);
	net = first_net(training, mean, dims, &random);
	center = HxTrainAlloc(training, d, sizeof(float), "the mean");
	for (int i = 0; i < d; i++)
		center[i] = (float) mean[i];
	task.mean = center;
	HxTrainReserve(training, net_bytes(&task, &net), "a net and its gradients");
	HxStartDraft(training, draft, dims);
	draft->loss = task.old != NULL
					  ? learn_from_old(training, &task, &net, &random)
					  : hx_train_net(&net, &task, &random);
	if (spec->base != NULL)
		draft->space = spec->base->bytes + HX_AT_SPACE;
	for (int i = 0; i < d; i++)
		mean[i] /= factor;
	draft->view[0].center = mean;
	if (net.hidden > 0)
		set_layers(training, draft, &net, factor);
	else
		HxSetLinearView(training, &draft->view[0], d, dims, mean,
						as_doubles(net.w, (size_t) dims * d, factor),
						as_doubles(net.b, dims, 1.0));
}

static const char *const keys[] = {
	"dims",		 "bits",	  "seed",	   "sample",		 "features",
	"normalize", "precision", "hidden",	   "iterations",	 "rate",
	"batch",	 "group",	  "sharpness", "code_sharpness", "old_weight",
	"base",		 "space",	  NULL};

const HxMethod HxMethodRbin = {.id = HX_METHOD_RBIN,
							   .keep = HX_KEEP_ROWS,
							   .targets = 1 << HX_Y_NONE | 1 << HX_Y_VECTOR |
										  1 << HX_Y_CODE,
							   .keys = keys,
							   .train = train_rbin};
