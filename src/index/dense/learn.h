/*
 * learn.h
 *	  Learning a model from a sample of vectors: what its files share.
 */
#ifndef HX_DENSE_LEARN_H
#define HX_DENSE_LEARN_H

#include "index/dense/dense.h"

/* One row in so many is held out, as a query */
#define HX_HELD_OUT 4

/* Nearest rows that a query is compared with */
#define HX_NEAREST 10

/* A row held out, and those of the sample that are nearest to it */
typedef struct HxLearnQuery
{
	int row;
	int nearest[HX_NEAREST];
	float product[HX_NEAREST]; /* with each of these */
} HxLearnQuery;

/* Vectors to learn from, in one piece */
typedef struct HxLearnSample
{
	HxMetric metric;
	int dims;
	int count;
	float *rows;	 /* count rows of dims; without the mean later on */
	float *training; /* those not held out */
	int ntraining;
	float *transposed; /* the same, dims rows of ntraining */
	double *along;	   /* of each row with the mean */
	double *length2;   /* of each row */
	HxLearnQuery *queries;
	int nqueries;
} HxLearnSample;

static inline float *
HxLearnRow(const HxLearnSample *sample, int i)
{
	return sample->rows + (Size) i * sample->dims;
}

static inline float *
HxAllocFloats(Size count)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, count * sizeof(float));
}

/* All rows */
static inline HxFloatRows
HxLearnRows(const HxLearnSample *sample)
{
	HxFloatRows rows = {sample->rows, sample->dims, sample->count};

	return rows;
}

/* ---- fit.c ---- */

/* product[q * stride + r] is that of query q and row r; interrupts are checked. */
extern void HxMultiply(HxFloatRows queries, int dims, HxFloatRows rows,
					   float *product, Size stride);

/* Find the queries of a sample, and what is nearest to each; it has no mean. */
extern void HxFindQueries(HxLearnSample *sample, const float *mean);

/*
 * Place the landmarks of a model that has its axes, among the rows of the sample
 * that are not held out.
 */
extern void HxPlaceLandmarks(const HxLearnSample *sample, HxModel *model);

/*
 * Fit what a model says of its estimates, by the rows held out as queries for
 * their nearest.  Returns the standard deviation of their errors.
 */
extern double HxFitModel(const HxLearnSample *sample, HxModel *model);

#endif /* HX_DENSE_LEARN_H */
