/*
 * part.h
 *	  A linear part of an encoder in training, and what is measured of it.
 */
#ifndef HX_TRAIN_PART_H
#define HX_TRAIN_PART_H

#include <math.h>

#include "encoder/math/matrix.h"
#include "encoder/train/method.h"

/* Rows that measure outputs */
#define HX_MEASURED_ROWS 2000

/* Neighbouring inputs that weights of their own map to outputs */
typedef struct HxPart
{
	HxTraining *training;
	double *mean;	 /* subtracted from its inputs */
	int from;		 /* first input */
	int inputs;		 /* number of inputs */
	int outputs;	 /* number of outputs */
	double *weights; /* outputs x inputs */
	double step;	 /* width of a level */
} HxPart;

/* Row `i` of `count` spread over `rows` rows */
static inline int
hx_spread_row(int rows, int i, int count)
{
	return (int) ((int64) i * rows / count);
}

/* Middle of the level of a number, in units of levels */
static inline double
hx_level_middle(double y, int bits)
{
	double half = 1 << (bits - 1);

	return Min(Max(ceil(y) - 0.5, 0.5 - half), half - 0.5);
}

/* The part's inputs of a row of the sample, less their mean */
extern void HxCopyPart(const HxPart *part, int row, float *to);

/*
 * The share of the mean to subtract from rows, so that cosines of codes tell
 * the nearest rows best (centre.c): part->mean becomes that share of it, and,
 * with `adapt`, weights, which are orthonormal, keep what of the rest is more
 * than their last direction.
 */
extern double HxChooseCentre(HxPart *part, bool adapt, HxRandom *random);

/* The share of part->mean to subtract from queries, by cosine likewise */
extern double HxChooseShare(const HxPart *part);

/* Width of a level for the outputs of a part */
extern double HxMeasureStep(const HxPart *part);

/* Project `count` rows spread over the sample: to (count x outputs). */
extern void HxProjectPart(const HxPart *part, int count, float *to);

/*
 * How much of the mean to subtract from queries, from 0 to 1; 1 if there are
 * too few rows to tell (query.c).
 */
extern double HxFitShare(const HxPart *part);

#endif /* HX_TRAIN_PART_H */
