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
#include "encoder/model/apply.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"

const double hx_level_width[5] = {0, 1.5958, 0.9957, 0.5860, 0.3352};

/* Signs of features come 64 from a hash */
#define HX_WORD 64

/* Greatest integer of an input with this many numbers; 127 such fit int32 */
static int32_t
input_limit(uint32_t inputs)
{
	uint32_t limit = (uint32_t) INT32_MAX / (127u * inputs);

	return limit > INT16_MAX ? INT16_MAX : (int32_t) limit;
}

/* Round `x` to integers; returns what 1 stands for, 0 if all are zero. */
static double
round_input(const double *x, uint32_t count, int16_t *q)
{
	int32_t limit = input_limit(count);
	double largest = hx_kernels->steps->greatest_size(x, count);

	/* below that, the factor would be infinite */
	if (!(largest > 1e-290))
	{
		memset(q, 0, count * sizeof(int16_t));
		return 0.0;
	}
	hx_kernels->steps->quantize(x, count, (double) limit / largest, limit, q);
	return largest / (double) limit;
}

void
hx_apply_layer(const HxLayer *layer, const double *x, void *room, double *y)
{
	uint32_t outputs = layer->outputs;
	const int8_t *weights = layer->weights;
	int32_t *sum = room;
	int32_t *less = layer->precision == 2 ? sum + outputs : NULL;
	int16_t *q = (int16_t *) (sum + layer->precision * outputs);
	double unit;

	if (layer->precision == 0)
	{
		for (uint32_t j = 0; j < outputs; j++)
		{
			double scaled = x[j] * (double) layer->scale[j];

			y[j] = scaled + (double) layer->bias[j];
		}
		return;
	}
	unit = round_input(x, layer->inputs, q);
	hx_kernels->project(q, layer->inputs, weights, outputs, sum);
	if (less != NULL)
		hx_kernels->project(q, layer->inputs,
							weights + (size_t) layer->inputs * outputs, outputs,
							less);
	hx_kernels->steps->affine(sum, less, outputs, unit, layer->scale,
							  layer->bias, y);
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
		   2 * outputs * sizeof(int32_t) + inputs * sizeof(int16_t);
}

/* Scale to length 1; zero stays */
static void
normalize(double *x, uint32_t count)
{
	double norm = sqrt(hx_kernels->steps->square_sum(x, count));

	if (norm > 0.0)
		hx_kernels->steps->divide(x, norm, count);
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
	void *room;
	uint32_t widest = layer[1].outputs > layer[2].outputs ? layer[1].outputs
														  : layer[2].outputs;

	more = hidden + widest;
	room = more + widest;
	hx_apply_layer(&layer[0], x, room, y);
	hx_apply_layer(&layer[1], x, room, hidden);
	for (uint32_t i = 0; i < layer[1].outputs; i++)
		hidden[i] = hidden[i] > 0.0 ? hidden[i] : 0.0;
	hx_apply_layer(&layer[2], hidden, room, more);
	for (uint32_t i = 0; i < layer[2].outputs; i++)
		y[i] += more[i];
}

int
hx_apply_model(const HxModel *model, uint32_t number, double *x,
			   uint32_t inputs, void *scratch, double *y)
{
	const HxView *view = &model->view[number == HX_VIEW_QUERY ? 0 : number];
	const float *center = number == HX_VIEW_QUERY ? view->query : view->center;
	uint32_t width = hx_view_width(view);
	uint32_t in = 0;
	uint32_t out = 0;

	if (inputs != width && !(model->flags & HX_FLAG_PREFIXES))
		return -1;
	if (model->flags & HX_FLAG_NORMALIZE)
		normalize(x, inputs);
	if (center != NULL)
		hx_kernels->steps->subtract(x, center, inputs < width ? inputs : width);
	if (model->family == HX_DEEP)
	{
		apply_deep(model, x, scratch, y);
		return (int) model->dims;
	}
	if (view->blocks == 0)
	{
		memcpy(y, x, width * sizeof(double));
		return (int) width;
	}
	for (uint32_t i = 0; i < view->blocks && in < inputs; i++)
	{
		const HxLayer *layer = &view->block[i];

		if (layer->inputs > inputs - in)
			return -1;
		hx_apply_layer(layer, x + in, scratch, y + out);
		in += layer->inputs;
		out += layer->outputs;
	}
	return in == inputs ? (int) out : -1;
}

void
hx_fit_levels(double *y, uint32_t count, int bits)
{
	double size = sqrt(hx_kernels->steps->square_sum(y, count) / count);

	if (size > 0.0)
		hx_kernels->steps->divide(y, size * hx_level_width[bits], count);
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

		for (uint32_t f = 0; f < view->features; f += HX_WORD)
		{
			uint64_t bits = mix(hash + f / HX_WORD);
			uint32_t end = view->features - f;

			hx_kernels->steps->add_signed(x + f, end < HX_WORD ? end : HX_WORD,
										  (double) weights[i], bits);
		}
	}
}
