/*
 * part.c
 *	  A linear part of an encoder in training: rows of the sample through it.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "encoder/train/part.h"

/* Rows projected at a time */
#define BATCH 256

void
HxCopyPart(const HxPart *part, int row, float *to)
{
	const HxTraining *training = part->training;
	const float *x =
		training->x + (size_t) row * training->width[0] + part->from;

	for (int i = 0; i < part->inputs; i++)
		to[i] = (float) (x[i] - part->mean[i]);
}

void
HxProjectPart(const HxPart *part, int count, float *to)
{
	HxTraining *training = part->training;
	int inputs = part->inputs;
	int outputs = part->outputs;
	float *rows = palloc((size_t) BATCH * inputs * sizeof(float));
	float *w = HxTrainAlloc(training, (size_t) outputs * inputs, sizeof(float),
							"a matrix");

	for (size_t i = 0; i < (size_t) outputs * inputs; i++)
		w[i] = (float) part->weights[i];
	for (int start = 0; start < count; start += BATCH)
	{
		int n = Min(BATCH, count - start);

		CHECK_FOR_INTERRUPTS();
		for (int r = 0; r < n; r++)
			HxCopyPart(part, hx_spread_row(training->rows, start + r, count),
					   rows + (size_t) r * inputs);
		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, outputs, inputs, rows, w,
						  0.0f, to + (size_t) start * outputs);
	}
	training->used -= (size_t) outputs * inputs * sizeof(float);
	pfree(w);
	pfree(rows);
}
