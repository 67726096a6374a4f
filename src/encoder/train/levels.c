/*
 * levels.c
 *	  Learning codes of several bits a dimension by gradients.
 *
 * After BEBR (Gan et al. 2023, Binary embedding-based retrieval at Tencent):
 * codes are compared by their cosine, a softmax over the batch should find
 * what belongs together, and the gradient passes through the rounding as if
 * there were none, except where the outermost level is left far behind.  What
 * differs: all steps of the recurrence share one map, so that level and
 * rounding are one (the residual of y after its first bit is binarized by the
 * same rule); and where no positives are given, a row's target is not one
 * neighbour but a softmax over the likeness of all rows of the batch, which is
 * made of groups of neighbours: so the hard negatives are there.
 */
#include "encoder/train/levels.h"

#include <stdbool.h>
#include <string.h>

/* Adam's memory, and what keeps it from dividing by 0 */
#define MOMENTUM 0.9
#define DECAY 0.999
#define TINY 1e-12

/* Share of the steps in which the rate rises */
#define WARM_UP 0.05

/* Rows whose neighbours are found at a time */
#define BLOCK 64

/* Buffers of a step: n rows on each side */
typedef struct Step
{
	int room;	   /* rows that fit, of both sides */
	float *x;	   /* rows of inputs */
	float *h;	   /* of U */
	float *y;	   /* outputs */
	float *code;   /* levels, as numbers around 0, scaled to length 1 */
	float *length; /* before that */
	float *slope;  /* gradient at codes, then outputs */
	float *hidden_slope;
	float *score;	 /* products of codes, then their gradient */
	float *target;	 /* shares that scores should have */
	float *old;		 /* codes that the rows had */
	float sharpness; /* what cosines of codes are multiplied by */
	float *gradient; /* of all numbers */
	float *mean;	 /* Adam's, of the gradient */
	float *square;	 /* and of its square */
} Step;

HxNet
hx_make_net(int inputs, int dims, int bits, int hidden)
{
	HxNet net = {
		.inputs = inputs, .dims = dims, .bits = bits, .hidden = hidden};

	net.count =
		(size_t) dims * inputs + dims + (size_t) hidden * (inputs + 1 + dims);
	net.numbers = hx_matrix_alloc(net.count, sizeof(float));
	net.w = net.numbers;
	net.b = net.w + (size_t) dims * inputs;
	net.u = net.b + dims;
	net.c = net.u + (size_t) hidden * inputs;
	net.v = net.c + hidden;
	return net;
}

void
hx_free_net(HxNet *net)
{
	hx_matrix_free(net->numbers);
}

/* Add a bias to each of n rows. */
static void
add_bias(float *rows, const float *bias, int n, int d)
{
	for (int i = 0; i < n; i++)
		hx_add_multiple_float(rows + (size_t) i * d, 1.0F, bias, d);
}

void
hx_apply_net(const HxNet *net, const float *x, int n, float *h, float *y)
{
	hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, net->dims, net->inputs, x,
					  net->w, 0.0F, y);
	add_bias(y, net->b, n, net->dims);
	if (net->hidden == 0)
		return;
	hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, net->hidden, net->inputs, x,
					  net->u, 0.0F, h);
	add_bias(h, net->c, n, net->hidden);
	for (size_t i = 0; i < (size_t) n * net->hidden; i++)
		h[i] = h[i] > 0.0F ? h[i] : 0.0F;
	hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, net->dims, net->hidden, h,
					  net->v, 1.0F, y);
}

/* Codes of outputs as numbers around 0, of length 1; the lengths they had */
static void
round_outputs(const HxNet *net, const float *y, int n, float *code,
			  float *length)
{
	float most = (float) (1 << (net->bits - 1)) - 0.5F;

	for (int i = 0; i < n; i++)
	{
		const float *from = y + (size_t) i * net->dims;
		float *to = code + (size_t) i * net->dims;

		for (int j = 0; j < net->dims; j++)
		{
			float level = ceilf(from[j]) - 0.5F;

			to[j] = level > most ? most : level < -most ? -most : level;
		}
		length[i] = sqrtf(hx_dot_float(to, to, net->dims));
		for (int j = 0; j < net->dims; j++)
			to[j] /= length[i];
	}
}

/*
 * Gradient at codes of length 1 to that at outputs: through the scaling, then
 * through the rounding as if it were not there.
 */
static void
pass_rounding(const HxNet *net, const Step *step, int n)
{
	float reach = (float) (1 << (net->bits - 1));

	for (int i = 0; i < n; i++)
	{
		const float *code = step->code + (size_t) i * net->dims;
		const float *y = step->y + (size_t) i * net->dims;
		float *slope = step->slope + (size_t) i * net->dims;
		float along = hx_dot_float(slope, code, net->dims);

		for (int j = 0; j < net->dims; j++)
			slope[j] = fabsf(y[j]) <= reach
						   ? (slope[j] - along * code[j]) / step->length[i]
						   : 0.0F;
	}
}

/* Sum of n rows */
static void
sum_rows(const float *rows, int n, int d, float *sum)
{
	memset(sum, 0, d * sizeof(float));
	for (int i = 0; i < n; i++)
		hx_add_multiple_float(sum, 1.0F, rows + (size_t) i * d, d);
}

/* Gradient at outputs to that of the net's numbers */
static void
pass_net(const HxNet *net, Step *step, int n)
{
	float *w = step->gradient;
	float *b = w + (net->b - net->w);

	hx_multiply_float(HX_TRANSPOSED, HX_AS_IS, net->dims, net->inputs, n,
					  step->slope, step->x, 0.0F, w);
	sum_rows(step->slope, n, net->dims, b);
	if (net->hidden == 0)
		return;
	hx_multiply_float(HX_TRANSPOSED, HX_AS_IS, net->dims, net->hidden, n,
					  step->slope, step->h, 0.0F, w + (net->v - net->w));
	hx_multiply_float(HX_AS_IS, HX_AS_IS, n, net->hidden, net->dims,
					  step->slope, net->v, 0.0F, step->hidden_slope);
	for (size_t i = 0; i < (size_t) n * net->hidden; i++)
		step->hidden_slope[i] *= step->h[i] > 0.0F;
	hx_multiply_float(HX_TRANSPOSED, HX_AS_IS, net->hidden, net->inputs, n,
					  step->hidden_slope, step->x, 0.0F, w + (net->u - net->w));
	sum_rows(step->hidden_slope, n, net->hidden, w + (net->c - net->w));
}

/* Shares of n scores: a softmax; a negative `self` has no part. */
static void
soften(float *row, int n, int self, float sharpness)
{
	float most = -HUGE_VALF;
	float sum = 0.0F;

	for (int j = 0; j < n; j++)
		most = j != self && row[j] > most ? row[j] : most;
	for (int j = 0; j < n; j++)
	{
		row[j] = j == self ? 0.0F : expf((row[j] - most) * sharpness);
		sum += row[j];
	}
	for (int j = 0; j < n; j++)
		row[j] /= sum;
}

/*
 * Scores of n rows against n become their gradient; returns the divergence of
 * shares from targets.  Without targets row i belongs to i; with `alone`, a row
 * is not compared with itself.
 */
static double
compare_shares(Step *step, const float *target, int n, bool alone)
{
	float sharpness = step->sharpness;
	double loss = 0.0;

	for (int i = 0; i < n; i++)
	{
		float *row = step->score + (size_t) i * n;

		soften(row, n, alone ? i : -1, sharpness);
		for (int j = 0; j < n; j++)
		{
			float wanted = target == NULL ? j == i : target[(size_t) i * n + j];
			float off = row[j] - wanted;

			if (wanted > 1e-6F)
				loss += wanted * log(wanted / (row[j] + 1e-30));
			row[j] = off * sharpness / (float) n;
		}
	}
	return loss / n;
}

/*
 * Add what compares new codes with those that the rows had, which stay: a row
 * should find its own and those of its neighbours.
 */
static double
learn_old(const HxNet *net, const HxNetTask *task, Step *step, int n)
{
	double loss;

	for (int i = 0; i < n; i++)
	{
		float *row = step->target + (size_t) i * n;

		for (int j = 0; j < n; j++)
			row[j] /= 2.0F;
		row[i] = 0.5F;
	}
	hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, n, net->dims, step->code,
					  step->old, 0.0F, step->score);
	loss = compare_shares(step, step->target, n, false);
	for (size_t i = 0; i < (size_t) n * n; i++)
		step->score[i] *= (float) task->old_weight;
	hx_multiply_float(HX_AS_IS, HX_AS_IS, n, net->dims, n, step->score,
					  step->old, 1.0F, step->slope);
	return loss * task->old_weight;
}

/* Codes of the rows in step->x, loss and gradient where rows are alike */
static double
learn_alike(const HxNet *net, const HxNetTask *task, Step *step, int n)
{
	double loss;

	hx_apply_net(net, step->x, n, step->h, step->y);
	round_outputs(net, step->y, n, step->code, step->length);
	hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, n, net->dims, step->code,
					  step->code, 0.0F, step->score);
	loss = compare_shares(step, step->target, n, true);
	/* a pair's score pulls at both */
	hx_multiply_float(HX_AS_IS, HX_AS_IS, n, net->dims, n, step->score,
					  step->code, 0.0F, step->slope);
	hx_multiply_float(HX_TRANSPOSED, HX_AS_IS, n, net->dims, n, step->score,
					  step->code, 1.0F, step->slope);
	if (task->old != NULL)
		loss += learn_old(net, task, step, n);
	pass_rounding(net, step, n);
	pass_net(net, step, n);
	return loss;
}

/* The same for n rows and their positives behind them, both ways */
static double
learn_pairs(const HxNet *net, Step *step, int n)
{
	const float *left = step->code;
	const float *right = left + (size_t) n * net->dims;
	float *left_slope = step->slope;
	float *right_slope = left_slope + (size_t) n * net->dims;
	double loss = 0.0;

	hx_apply_net(net, step->x, 2 * n, step->h, step->y);
	round_outputs(net, step->y, 2 * n, step->code, step->length);
	memset(step->slope, 0, (size_t) 2 * n * net->dims * sizeof(float));
	for (int way = 0; way < 2; way++)
	{
		const float *from = way == 0 ? left : right;
		const float *to = way == 0 ? right : left;

		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, n, net->dims, from, to,
						  0.0F, step->score);
		loss += compare_shares(step, NULL, n, false) / 2.0;
		hx_multiply_float(HX_AS_IS, HX_AS_IS, n, net->dims, n, step->score, to,
						  1.0F, way == 0 ? left_slope : right_slope);
		hx_multiply_float(HX_TRANSPOSED, HX_AS_IS, n, net->dims, n, step->score,
						  from, 1.0F, way == 0 ? right_slope : left_slope);
	}
	pass_rounding(net, step, 2 * n);
	pass_net(net, step, 2 * n);
	return loss;
}

/* Root of the mean square of numbers */
static double
typical_size(const float *numbers, size_t count)
{
	return count == 0
			   ? 0.0
			   : sqrt(hx_dot_float(numbers, numbers, count) / (double) count);
}

void
hx_descend(float *numbers, const float *gradient, float *mean, float *square,
		   size_t count, double rate, int time)
{
	float lift = (float) (1.0 / (1.0 - pow(MOMENTUM, time)));
	float lift_square = (float) (1.0 / (1.0 - pow(DECAY, time)));

	for (size_t i = 0; i < count; i++)
	{
		float g = gradient[i];

		mean[i] += (float) (1.0 - MOMENTUM) * (g - mean[i]);
		square[i] += (float) (1.0 - DECAY) * (g * g - square[i]);
		numbers[i] -= (float) rate * mean[i] * lift /
					  (sqrtf(square[i] * lift_square) + (float) TINY);
	}
}

/* Keep the k greatest of a row, but not itself: by insertion. */
static void
keep_greatest(const float *row, int n, int self, int k, int *kept)
{
	int count = 0;

	for (int j = 0; j < n; j++)
	{
		int at;

		if (j == self || (count == k && row[j] <= row[kept[k - 1]]))
			continue;
		at = count < k ? count++ : k - 1;
		for (; at > 0 && row[kept[at - 1]] < row[j]; at--)
			kept[at] = kept[at - 1];
		kept[at] = j;
	}
}

/* The k rows most alike to each, nearest first */
static int *
find_neighbours(const HxNetTask *task, int d, int k)
{
	int *all = hx_matrix_alloc((size_t) task->rows * k, sizeof(int));
	float *score = hx_matrix_alloc((size_t) BLOCK * task->rows, sizeof(float));

	for (int first = 0; first < task->rows; first += BLOCK)
	{
		int n = task->rows - first < BLOCK ? task->rows - first : BLOCK;

		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, task->rows, d,
						  task->x + (size_t) first * d, task->x, 0.0F, score);
		for (size_t i = 0; i < (size_t) n * task->rows; i++)
			score[i] *= task->inverse[i % task->rows];
		for (int i = 0; i < n; i++)
			keep_greatest(score + (size_t) i * task->rows, task->rows,
						  first + i, k, all + (size_t) (first + i) * k);
	}
	hx_matrix_free(score);
	return all;
}

/* A row less the mean */
static void
copy_row(const HxNetTask *task, const float *rows, int row, int d, float *to)
{
	const float *from = rows + (size_t) row * d;

	for (int i = 0; i < d; i++)
		to[i] = from[i] - task->mean[i];
}

/* A row, to be compared with others of the step */
static void
copy_alike(const HxNetTask *task, int row, int d, float *to)
{
	const float *from = task->x + (size_t) row * d;

	for (int i = 0; i < d; i++)
		to[i] = from[i] * task->inverse[row];
}

/*
 * Rows of a step: random ones and their neighbours, none twice (used[row] is
 * the number of the last step that took it).  Also their targets.
 */
static int
gather_alike(const HxNet *net, const HxNetTask *task, const int *near,
			 int *used, int time, HxRandom *random, Step *step)
{
	int d = net->inputs;
	int dims = net->dims;
	int k = task->group - 1;
	int n = 0;
	float *alike = step->hidden_slope; /* free until later */

	while (n + task->group <= task->batch)
	{
		int anchor = (int) hx_random_below(random, task->rows);

		for (int i = -1; i < k; i++)
		{
			int row = i < 0 ? anchor : near[(size_t) anchor * k + i];

			if (used[row] == time)
				continue;
			used[row] = time;
			copy_row(task, task->x, row, d, step->x + (size_t) n * d);
			copy_alike(task, row, d, alike + (size_t) n * d);
			if (task->old != NULL)
				memcpy(step->old + (size_t) n * dims,
					   task->old + (size_t) row * dims, dims * sizeof(float));
			n++;
		}
		/* a sample that is hardly larger than a batch runs out */
		if (n + 2 * task->group > task->rows)
			break;
	}
	hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, n, d, alike, alike, 0.0F,
					  step->target);
	for (int i = 0; i < n; i++)
		soften(step->target + (size_t) i * n, n, i, (float) task->sharpness);
	return n;
}

/* Rows of a step and their positives behind them */
static int
gather_pairs(const HxNetTask *task, int d, int *used, int time,
			 HxRandom *random, Step *step)
{
	int n = task->batch / 2 < task->rows ? task->batch / 2 : task->rows;

	for (int i = 0; i < n; i++)
	{
		int row;

		do
			row = (int) hx_random_below(random, task->rows);
		while (used[row] == time);
		used[row] = time;
		copy_row(task, task->x, row, d, step->x + (size_t) i * d);
		copy_row(task, task->positive, row, d, step->x + (size_t) (n + i) * d);
	}
	return n;
}

/* Buffers for steps of this many rows */
static Step
make_step(const HxNet *net, const HxNetTask *task)
{
	int room = task->batch;
	Step step = {.room = room, .sharpness = (float) task->code_sharpness};
	int widest = net->hidden > net->inputs ? net->hidden : net->inputs;

	step.x = hx_matrix_alloc((size_t) room * net->inputs, sizeof(float));
	step.h = hx_matrix_alloc((size_t) room * net->hidden + 1, sizeof(float));
	step.y = hx_matrix_alloc((size_t) room * net->dims, sizeof(float));
	step.code = hx_matrix_alloc((size_t) room * net->dims, sizeof(float));
	step.slope = hx_matrix_alloc((size_t) room * net->dims, sizeof(float));
	step.length = hx_matrix_alloc(room, sizeof(float));
	step.hidden_slope = hx_matrix_alloc((size_t) room * widest, sizeof(float));
	step.score = hx_matrix_alloc((size_t) room * room, sizeof(float));
	step.target = hx_matrix_alloc((size_t) room * room, sizeof(float));
	step.old = hx_matrix_alloc(
		task->old == NULL ? 1 : (size_t) room * net->dims, sizeof(float));
	step.gradient = hx_matrix_alloc(net->count, sizeof(float));
	step.mean = hx_matrix_alloc(net->count, sizeof(float));
	step.square = hx_matrix_alloc(net->count, sizeof(float));
	memset(step.mean, 0, net->count * sizeof(float));
	memset(step.square, 0, net->count * sizeof(float));
	return step;
}

/* Free the buffers. */
static void
free_step(Step *step)
{
	hx_matrix_free(step->x);
	hx_matrix_free(step->h);
	hx_matrix_free(step->y);
	hx_matrix_free(step->code);
	hx_matrix_free(step->slope);
	hx_matrix_free(step->length);
	hx_matrix_free(step->hidden_slope);
	hx_matrix_free(step->score);
	hx_matrix_free(step->target);
	hx_matrix_free(step->old);
	hx_matrix_free(step->gradient);
	hx_matrix_free(step->mean);
	hx_matrix_free(step->square);
}

/* The rate rises for a while, then falls like a cosine. */
static double
rate_at(const HxNetTask *task, int time)
{
	double share = (double) time / task->steps;

	if (share < WARM_UP)
		return task->rate * share / WARM_UP;
	return task->rate * (0.5 + 0.5 * cos(3.14159265358979 * share));
}

double
hx_train_net(HxNet *net, const HxNetTask *task, HxRandom *random)
{
	Step step = make_step(net, task);
	int *used = hx_matrix_alloc(task->rows, sizeof(int));
	int *near = task->positive != NULL
					? NULL
					: find_neighbours(task, net->inputs, task->group - 1);
	size_t ends[] = {0,
					 net->b - net->w,
					 net->u - net->w,
					 net->c - net->w,
					 net->v - net->w,
					 net->count};
	double scale[5];
	double sum = 0.0;
	int summed = 0;

	memset(used, 0, task->rows * sizeof(int));
	for (int part = 0; part < 5; part++)
		scale[part] = typical_size(net->numbers + ends[part],
								   ends[part + 1] - ends[part]);
	/* biases move like a level, V like what it would be at random */
	scale[1] = scale[3] = 1.0;
	scale[4] = net->hidden > 0 ? 1.0 / sqrt(net->hidden) : 0.0;
	for (int time = 1; time <= task->steps; time++)
	{
		double rate = rate_at(task, time);
		double loss;
		int n;

		hx_matrix_interrupt();
		if (task->positive != NULL)
		{
			n = gather_pairs(task, net->inputs, used, time, random, &step);
			loss = learn_pairs(net, &step, n);
		}
		else
		{
			n = gather_alike(net, task, near, used, time, random, &step);
			loss = learn_alike(net, task, &step, n);
		}
		for (int part = 0; part < 5; part++)
			hx_descend(net->numbers + ends[part], step.gradient + ends[part],
					   step.mean + ends[part], step.square + ends[part],
					   ends[part + 1] - ends[part], rate * scale[part], time);
		if (10 * time > 9 * task->steps)
		{
			sum += loss;
			summed++;
		}
		if (task->go_on != NULL && time % task->every == 0 &&
			!task->go_on(net, task->argument))
			break;
	}
	free_step(&step);
	hx_matrix_free(used);
	if (near != NULL)
		hx_matrix_free(near);
	return summed > 0 ? sum / summed : 0.0;
}
