/*
 * decode.c
 *	  The way back: a vector that the model would give a code.
 *
 * Of all vectors with the wanted output, the one nearest to the centre: with
 * a layer y = A x + b that is x = A' (A A')^-1 (y - b); where A has more rows
 * than columns, the vector whose output is nearest.  The matrix is factored
 * once and kept with the model, as is A in double.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "encoder/model/decode.h"
#include "encoder/math/matrix.h"

/* Added to the diagonal of A A', as a share of its mean */
#define RIDGE 1e-9

/* What inverts one layer */
typedef struct Inverse
{
	double *matrix; /* A: outputs x inputs */
	double *factor; /* Cholesky's of A A' or A' A, whichever is smaller */
	int size;		/* of that */
} Inverse;

/* What inverts a model */
typedef struct Decoder
{
	Inverse block[HX_MAX_VIEWS][HX_MAX_BLOCKS];
} Decoder;

/* The weights of a layer as numbers */
static double *
layer_matrix(const HxLayer *layer)
{
	size_t count = (size_t) layer->inputs * layer->outputs;
	double *matrix = palloc_extended(count * sizeof(double), MCXT_ALLOC_HUGE);

	for (size_t i = 0; i < count; i++)
	{
		double weight = layer->weights[i];

		if (layer->precision == 2)
			weight = 128.0 * weight + layer->weights[count + i];
		matrix[i] = weight * layer->scale[i / layer->inputs];
	}
	return matrix;
}

/* Factor the smaller product of a layer's matrix with itself */
static void
invert_layer(const HxLayer *layer, Inverse *inverse)
{
	int m = (int) layer->outputs;
	int d = (int) layer->inputs;
	int n = Min(m, d);
	double trace = 0.0;

	inverse->matrix = layer_matrix(layer);
	inverse->size = n;
	inverse->factor =
		palloc_extended((size_t) n * n * sizeof(double), MCXT_ALLOC_HUGE);
	hx_multiply(m <= d ? HX_AS_IS : HX_TRANSPOSED,
				m <= d ? HX_TRANSPOSED : HX_AS_IS, n, n, Max(m, d),
				inverse->matrix, inverse->matrix, 0.0, inverse->factor);
	for (int i = 0; i < n; i++)
		trace += inverse->factor[(size_t) i * n + i];
	for (int i = 0; i < n; i++)
		inverse->factor[(size_t) i * n + i] += trace / n * RIDGE + 1e-300;
	if (hx_cholesky(inverse->factor, n) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("encoder cannot be inverted")));
}

/* x = center + the inverse of one layer */
static void
decode_layer(const HxLayer *layer, const Inverse *inverse, const double *y,
			 double *x)
{
	int m = (int) layer->outputs;
	int d = (int) layer->inputs;
	double *rest = palloc(Max(m, d) * sizeof(double));

	for (int j = 0; j < m; j++)
		rest[j] = y[j] - layer->bias[j];
	if (layer->precision == 0)
	{
		for (int j = 0; j < m; j++)
			x[j] = layer->scale[j] != 0.0f ? rest[j] / layer->scale[j] : 0.0;
		return;
	}
	memset(x, 0, d * sizeof(double));
	if (m <= d)
	{
		hx_cholesky_solve(inverse->factor, m, rest, 1);
		for (int j = 0; j < m; j++)
			hx_add_multiple(x, rest[j], inverse->matrix + (size_t) j * d, d);
		return;
	}
	for (int j = 0; j < m; j++)
		hx_add_multiple(x, rest[j], inverse->matrix + (size_t) j * d, d);
	hx_cholesky_solve(inverse->factor, d, x, 1);
}

double *
HxDecodeView(const HxModel *model, int number, const double *y)
{
	const HxView *view = &model->view[number];
	int width = (int) hx_view_width(view);
	double *x = palloc(width * sizeof(double));
	Decoder *decoder = model->decoder;
	double *to = x;

	if (model->family != HX_LINEAR && model->family != HX_CODEBOOK)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("codes of this encoder cannot be decoded")));
	if (decoder == NULL)
	{
		decoder = MemoryContextAllocZero(GetMemoryChunkContext((void *) model),
										 sizeof(Decoder));
		((HxModel *) model)->decoder = decoder;
	}
	if (view->blocks == 0)
		memcpy(x, y, width * sizeof(double));
	for (uint32 i = 0; i < view->blocks; i++)
	{
		const HxLayer *layer = &view->block[i];
		Inverse *inverse = &decoder->block[number][i];

		if (layer->precision > 0 && inverse->size == 0)
		{
			MemoryContext caller =
				MemoryContextSwitchTo(GetMemoryChunkContext((void *) model));
			Inverse made = {0};

			invert_layer(layer, &made);
			*inverse = made;
			MemoryContextSwitchTo(caller);
		}
		decode_layer(layer, inverse, y, to);
		to += layer->inputs;
		y += layer->outputs;
	}
	for (int i = 0; view->center != NULL && i < width; i++)
		x[i] += view->center[i];
	return x;
}
