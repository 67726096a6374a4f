/*
 * sums.c
 *	  Sums over rows, while hashemb_train runs: added up batch by batch, less the
 *	  rows that are held out to choose by.
 */
#include "postgres.h"

#include "encoder/math/matrix.h"
#include "encoder/train/aggregate.h"

/* Rows held out: one in so many of the first, no more than that */
#define HELD_SHARE 5
#define MOST_HELD 1000

int
HxFloatsOfY(const HxTraining *training)
{
	return training->target == HX_Y_VECTOR || training->target == HX_Y_CODE
			   ? training->width[1]
			   : 0;
}

/* Begin the sums, around the mean of the first rows */
static void
start_sums(HxTraining *training, int n)
{
	int d = training->width[0];
	int e = HxFloatsOfY(training);
	bool products = training->method->id != HX_METHOD_SHIFT;

	training->pivot_x = HxTrainAlloc(training, d, sizeof(double), "sums");
	training->pivot_y = HxTrainAlloc(training, e, sizeof(double), "sums");
	training->sum_x = HxTrainAlloc(training, d, sizeof(double), "sums");
	training->sum_y = HxTrainAlloc(training, e, sizeof(double), "sums");
	if (products)
	{
		training->sum_xx = HxTrainAlloc(training, (size_t) d * d,
										sizeof(double), "sums of products");
		training->sum_xy = HxTrainAlloc(training, (size_t) d * e,
										sizeof(double), "sums of products");
	}
	for (int r = 0; r < n; r++)
	{
		for (int i = 0; i < d; i++)
			training->pivot_x[i] += training->x[(size_t) r * d + i] / n;
		for (int i = 0; i < e; i++)
			training->pivot_y[i] += training->y[(size_t) r * e + i] / n;
	}
}

/* Take the pivot from a row of the batch, and add it to the sums of rows */
static void
add_row(HxTraining *training, int r)
{
	int d = training->width[0];
	int e = HxFloatsOfY(training);
	float *x = training->x + (size_t) r * d;
	float *y = e > 0 ? training->y + (size_t) r * e : NULL;
	double *class = NULL;

	if (training->target == HX_Y_LABEL || training->target == HX_Y_LABELS)
	{
		class = training->classes[training->class_of[r]].sum;
		training->classes[training->class_of[r]].rows++;
	}
	for (int i = 0; i < d; i++)
	{
		x[i] = (float) (x[i] - training->pivot_x[i]);
		training->sum_x[i] += x[i];
		if (class != NULL)
			class[i] += x[i];
	}
	for (int i = 0; i < e; i++)
	{
		y[i] = (float) (y[i] - training->pivot_y[i]);
		training->sum_y[i] += y[i];
		training->sum_y2 += (double) y[i] * y[i];
	}
}

void
HxAddBatch(HxTraining *training)
{
	int d = training->width[0];
	int e = HxFloatsOfY(training);
	int n = training->internal->batch;

	if (n == 0)
		return;
	if (training->sum_x == NULL)
		start_sums(training, n);
	for (int r = 0; r < n; r++)
		add_row(training, r);
	if (training->sum_xx != NULL)
	{
		hx_add_squares(training->x, n, d, training->sum_xx);
		if (e > 0)
			hx_add_products(training->x, training->y, n, d, e,
							training->sum_xy);
	}
	training->internal->batch = 0;
}

/* Exchange two rows of floats */
static void
exchange(float *a, float *b, int count)
{
	for (int i = 0; i < count; i++)
	{
		float number = a[i];

		a[i] = b[i];
		b[i] = number;
	}
}

void
HxHoldRow(HxTraining *training, int place)
{
	HxTrainingPrivate *own = training->internal;
	int d = training->width[0];
	int e = HxFloatsOfY(training);
	uint64 slot = training->held;

	Assert(place == own->batch - 1);
	if (training->held_x == NULL)
	{
		training->held_x = HxTrainAlloc(training, (size_t) MOST_HELD * d,
										sizeof(float), "rows held out");
		training->held_y = HxTrainAlloc(training, (size_t) MOST_HELD * e,
										sizeof(float), "rows held out");
	}
	if (training->held < MOST_HELD)
	{
		if (training->seen % HELD_SHARE != 0)
			return;
		training->held++;
		own->batch--;
	}
	else if ((slot = hx_random_below(&own->random, training->seen)) >=
			 MOST_HELD)
		return;
	exchange(training->held_x + slot * d, training->x + (size_t) place * d, d);
	exchange(training->held_y + slot * e, training->y + (size_t) place * e, e);
}

void
HxAddHeld(HxTraining *training)
{
	int d = training->width[0];
	int e = HxFloatsOfY(training);

	for (int r = 0; r < training->held; r++)
	{
		int place;

		if (training->internal->batch == HX_SUMS_BATCH)
			HxAddBatch(training);
		place = training->internal->batch++;
		memcpy(training->x + (size_t) place * d,
			   training->held_x + (size_t) r * d, d * sizeof(float));
		memcpy(training->y + (size_t) place * e,
			   training->held_y + (size_t) r * e, e * sizeof(float));
	}
	HxAddBatch(training);
	training->held = 0;
}
