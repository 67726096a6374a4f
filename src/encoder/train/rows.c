/*
 * rows.c
 *	  What methods that keep rows have in common: means, models of one layer.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "encoder/model/apply.h"
#include "encoder/train/rows.h"
#include "type/bincode.h"

void
HxTrainReserve(HxTraining *training, double bytes, const char *what)
{
	if ((double) training->used + bytes > (double) training->limit)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("training needs %.0f kB for %s, beside %zu kB in use, "
						"more than maintenance_work_mem",
						ceil(bytes / 1024), what, training->used / 1024),
				 errhint("Raise maintenance_work_mem, or lower \"sample\" or "
						 "the number of dimensions.")));
}

void *
HxTrainAlloc(HxTraining *training, size_t count, size_t size, const char *what)
{
	double bytes = (double) count * (double) size;

	HxTrainReserve(training, bytes, what);
	training->used += (size_t) bytes;
	return MemoryContextAllocExtended(training->context, Max((size_t) bytes, 1),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

void *
HxTrainGrow(HxTraining *training, void *array, size_t count, size_t more,
			size_t size, const char *what)
{
	char *grown;

	Assert(more >= count);
	HxTrainReserve(training, (double) more * (double) size, what);
	if (array == NULL)
		return HxTrainAlloc(training, more, size, what);
	grown = repalloc_huge(array, Max(more * size, 1));
	memset(grown + count * size, 0, (more - count) * size);
	training->used += (more - count) * size;
	return grown;
}

void
HxRejectType(const HxTraining *training, int argument, const char *expected)
{
	Oid type = training->type[argument];

	if (argument > 0 && !OidIsValid(type))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("method \"%s\" needs y",
							   HxMethodName(training->method->id)),
						errdetail("It is %s.", expected)));
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("training cannot use %s of type %s, expected %s",
						   argument == 0 ? "x" : "y",
						   OidIsValid(type) ? format_type_be(type) : "unknown",
						   expected)));
}

void
HxRequireRows(const HxTraining *training, int rows, int least, const char *what)
{
	if (rows < least)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("method \"%s\" needs at least %d %s, not %d",
							   HxMethodName(training->method->id), least, what,
							   rows)));
}

void
HxRequireOldCodes(const HxTraining *training)
{
	const HxSpec *spec = &training->spec;
	const HxModel *base = spec->base;

	if ((base == NULL && !spec->has_space) || spec->out_float)
		return;
	if (training->target != HX_Y_CODE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"%s\" needs codes of that space as y",
							   base != NULL ? "base" : "space")));
	if (base != NULL)
		(void) HxMatchShapes((int) base->dims, base->bits, training->width[1],
							 training->target_bits,
							 "\"base\" makes the first, y is the second.",
							 NULL);
}

double *
HxMeanOfRows(HxTraining *training, const float *rows, int n, int d)
{
	double *mean = HxTrainAlloc(training, d, sizeof(double), "the mean");

	for (int r = 0; r < n; r++)
	{
		for (int i = 0; i < d; i++)
			mean[i] += rows[(size_t) r * d + i];
	}
	for (int i = 0; i < d && n > 0; i++)
		mean[i] /= n;
	return mean;
}

void
HxSetLinearView(HxTraining *training, HxDraftView *view, int inputs,
				int outputs, const double *center, const double *weights,
				const double *bias)
{
	HxDraftLayer *layer = &view->block[0];

	view->center = center;
	view->blocks = 1;
	layer->inputs = inputs;
	layer->outputs = outputs;
	layer->precision =
		training->spec.precision > 0 ? training->spec.precision : 1;
	layer->weights = weights;
	layer->bias = bias;
}

void
HxReadLinearView(HxTraining *training, const HxModel *model, int number,
				 double **center, double **weights, double **bias)
{
	const HxView *view = &model->view[number];
	const HxLayer *layer = &view->block[0];
	size_t count = (size_t) layer->inputs * layer->outputs;

	if (model->family != HX_LINEAR || view->blocks != 1 ||
		layer->precision == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"base\" is no encoder of one linear map")));
	*center = HxTrainAlloc(training, layer->inputs, sizeof(double), "the mean");
	*weights = HxTrainAlloc(training, count, sizeof(double), "weights");
	*bias = HxTrainAlloc(training, layer->outputs, sizeof(double), "biases");
	for (uint32 i = 0; view->center != NULL && i < layer->inputs; i++)
		(*center)[i] = view->center[i];
	for (uint32 j = 0; j < layer->outputs; j++)
		(*bias)[j] = layer->bias[j];
	for (size_t i = 0; i < count; i++)
	{
		double weight = layer->weights[i];

		if (layer->precision == 2)
			weight = 128.0 * weight + layer->weights[count + i];
		(*weights)[i] = weight * layer->scale[i / layer->inputs];
	}
}
