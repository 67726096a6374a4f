/*
 * apply.c
 *	  Computing with a model.
 *
 * A layer's input is scaled by its largest number to integers of up to 16
 * bits, no more than sums in 32 bits allow; the weights are integers.  What
 * remains of floating point is done one IEEE operation after the other.  So
 * the scalar kernel, every faster one and every CPU give the same bits, and a
 * code computed again is the code that was stored.
 */
#include "encoder/apply.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"

/* Signs of features come 64 from a hash */
#define HX_WORD 64

/* Greatest integer of an input of so many numbers: 127 of it must fit int32 */
static int32_t
input_limit(uint32_t inputs)
{
	uint32_t limit = (uint32_t) INT32_MAX / (127u * inputs);

	return limit > INT16_MAX ? INT16_MAX : (int32_t) limit;
}

/* Greatest size among `count` numbers, eight by eight for vector units */
static double
greatest_size(const double *x, uint32_t count)
{
	double lane[8] = {0};
	uint32_t i = 0;

	for (; i + 8 <= count; i += 8)
	{
		for (int l = 0; l < 8; l++)
		{
			double size = fabs(x[i + l]);

			lane[l] = size > lane[l] ? size : lane[l];
		}
	}
	for (; i < count; i++)
		lane[0] = fabs(x[i]) > lane[0] ? fabs(x[i]) : lane[0];
	for (int l = 1; l < 8; l++)
		lane[0] = lane[l] > lane[0] ? lane[l] : lane[0];
	return lane[0];
}

/* Round `x` to integers; returns what 1 stands for, 0 if all are zero. */
static double
round_input(const double *x, uint32_t count, int16_t *q)
{
	int32_t limit = input_limit(count);
	double largest = greatest_size(x, count);
	double factor;
	double offset = (double) limit + 1.5;
	uint32_t i = 0;

	/* below that, the factor would be infinite */
	if (!(largest > 1e-290))
	{
		memset(q, 0, count * sizeof(int16_t));
		return 0.0;
	}
	factor = (double) limit / largest;
	for (; i + 8 <= count; i += 8)
	{
		for (int l = 0; l < 8; l++)
		{
			double scaled = x[i + l] * factor;

			q[i + l] = (int16_t) ((int32_t) (scaled + offset) - (limit + 1));
		}
	}
	for (; i < count; i++)
	{
		double scaled = x[i] * factor;

		q[i] = (int16_t) ((int32_t) (scaled + offset) - (limit + 1));
	}
	return largest / (double) limit;
}

void
hx_apply_layer(const HxLayer *layer, const double *x, int16_t *q, int32_t *sum,
			   double *y)
{
	uint32_t outputs = layer->outputs;
	const float *scale = layer->scale;
	const float *bias = layer->bias;
	size_t plane = (size_t) layer->inputs * outputs;
	double unit;

	if (layer->precision == 0)
	{
		for (uint32_t j = 0; j < outputs; j++)
		{
			double scaled = x[j] * (double) scale[j];

			y[j] = scaled + (double) bias[j];
		}
		return;
	}
	unit = round_input(x, layer->inputs, q);
	hx_kernels->project(q, layer->inputs, layer->weights, outputs, sum);
	for (uint32_t j = 0; j < outputs; j++)
		y[j] = (double) sum[j];
	if (layer->precision == 2)
	{
		hx_kernels->project(q, layer->inputs, layer->weights + plane, outputs,
							sum);
		for (uint32_t j = 0; j < outputs; j++)
			y[j] = y[j] * 128.0 + (double) sum[j];
	}
	for (uint32_t j = 0; j < outputs; j++)
	{
		double step = unit * (double) scale[j];
		double scaled = y[j] * step;

		y[j] = scaled + (double) bias[j];
	}
}

size_t
hx_scratch_size(const HxModel *model)
{
	uint32_t inputs = 1;
	uint32_t outputs = 1;

	for (uint32_t v = 0; v < model->views; v++)
	{
		for (uint32_t i = 0; i < model->view[v].blocks; i++)
		{
			const HxLayer *layer = &model->view[v].block[i];

			inputs = layer->inputs > inputs ? layer->inputs : inputs;
			outputs = layer->outputs > outputs ? layer->outputs : outputs;
		}
	}
	for (uint32_t i = 0; i < model->layers; i++)
	{
		const HxLayer *layer = &model->layer[i];

		inputs = layer->inputs > inputs ? layer->inputs : inputs;
		outputs = layer->outputs > outputs ? layer->outputs : outputs;
	}
	/* deep models keep two layers' outputs besides */
	return (model->layers > 0 ? 2 * outputs * sizeof(double) : 0) +
		   outputs * sizeof(int32_t) + inputs * sizeof(int16_t);
}

/* Scale to length 1, by eight sums of squares; zero stays */
static void
normalize(double *x, uint32_t count)
{
	double lane[8] = {0};
	double norm;

	for (uint32_t i = 0; i < count; i++)
	{
		double square = x[i] * x[i];

		lane[i & 7] += square;
	}
	for (int half = 4; half > 0; half /= 2)
	{
		for (int l = 0; l < half; l++)
			lane[l] += lane[l + half];
	}
	norm = sqrt(lane[0]);
	if (!(norm > 0.0))
		return;
	for (uint32_t i = 0; i < count; i++)
		x[i] /= norm;
}

/*
 * Output of a deep model: the first layer's, plus what the third makes of the
 * positive outputs of the second
 */
static void
apply_deep(const HxModel *model, const double *x, void *scratch, double *y)
{
	const HxLayer *layer = model->layer;
	double *hidden = scratch;
	double *more;
	int32_t *sum;
	int16_t *q;
	uint32_t widest = layer[1].outputs > layer[2].outputs ? layer[1].outputs
														  : layer[2].outputs;

	more = hidden + widest;
	sum = (int32_t *) (more + widest);
	q = (int16_t *) (sum + widest);
	hx_apply_layer(&layer[0], x, q, sum, y);
	hx_apply_layer(&layer[1], x, q, sum, hidden);
	for (uint32_t i = 0; i < layer[1].outputs; i++)
		hidden[i] = hidden[i] > 0.0 ? hidden[i] : 0.0;
	hx_apply_layer(&layer[2], hidden, q, sum, more);
	for (uint32_t i = 0; i < layer[2].outputs; i++)
		y[i] += more[i];
}

int
hx_apply_model(const HxModel *model, uint32_t number, double *x,
			   uint32_t inputs, void *scratch, double *y)
{
	const HxView *view = &model->view[number];
	uint32_t width = hx_view_width(view);
	uint32_t in = 0;
	uint32_t out = 0;
	int32_t *sum = scratch;
	int16_t *q;

	if (inputs != width && !(model->flags & HX_FLAG_PREFIXES))
		return -1;
	if (model->flags & HX_FLAG_NORMALIZE)
		normalize(x, inputs);
	for (uint32_t i = 0; view->center != NULL && i < inputs && i < width; i++)
		x[i] -= (double) view->center[i];
	if (model->family == HX_DEEP)
	{
		apply_deep(model, x, scratch, y);
		return (int) model->dims;
	}
	for (uint32_t i = 0; i < view->blocks && in < inputs; i++)
	{
		const HxLayer *layer = &view->block[i];

		if (layer->inputs > inputs - in)
			return -1;
		q = (int16_t *) (sum + layer->outputs);
		hx_apply_layer(layer, x + in, q, sum, y + out);
		in += layer->inputs;
		out += layer->outputs;
	}
	return in == inputs ? (int) out : -1;
}

/* A bijection of 64 bits that scatters neighbouring numbers */
static inline uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/*
 * Feature f, from 0, gets the sum of weight times sign, the sign of dimension
 * i, from 1, being bit f mod 64, the most significant first, of
 *
 *	   mix(mix(mix(seed) + i) + f / 64):
 *
 * the projections of simhash().  Sums run by rising dimension.
 */
void
hx_hash_features(const HxView *view, const int32_t *dims, const float *weights,
				 size_t count, double *x)
{
	uint64_t start = mix(view->seed);

	for (size_t i = 0; i < count; i++)
	{
		uint64_t hash = mix(start + (uint64_t) dims[i] + 1);
		double signs[2] = {-(double) weights[i], (double) weights[i]};

		for (uint32_t f = 0; f < view->features; f += HX_WORD)
		{
			uint64_t bits = mix(hash + f / HX_WORD);
			uint32_t end = view->features - f;

			end = end < HX_WORD ? end : HX_WORD;
			for (uint32_t k = 0; k < end; k++)
				x[f + k] += signs[bits >> (63 - k) & 1];
		}
	}
}
