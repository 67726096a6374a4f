/*
 * learn.h
 *	  Learning a model from a sample of vectors: what its files share.
 */
#ifndef HX_DENSE_LEARN_H
#define HX_DENSE_LEARN_H

#include "index/dense/dense.h"

/* One row in so many is held out, as a query */
#define HX_HELD_OUT 4

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

/* ---- fit.c ---- */

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
