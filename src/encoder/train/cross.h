/*
 * cross.h
 *	  The state of training by method cross, and its two ways to learn.
 */
#ifndef HX_TRAIN_CROSS_H
#define HX_TRAIN_CROSS_H

#include "encoder/math/canonical.h"
#include "encoder/train/method.h"
#include "random.h"

/* Anchors at most */
#define HX_MAX_ANCHORS 200

/* One kind of vectors */
typedef struct HxCrossSide
{
	int d;			 /* dimensions */
	int singles;	 /* rows of which the other side is not known */
	double *mean;	 /* of all rows */
	double scale;	 /* 1 / root of the variance of all dimensions together */
	float *paired;	 /* all pairs x d, centred, in the order of cross->pair */
	float *single;	 /* singles x d, centred */
	double *factor;	 /* of the squares of all rows, with the ridge */
	double *tie;	 /* d x anchors: singles' vectors times their weights */
	double *weights; /* d x bits */
} HxCrossSide;

/* A way to learn */
typedef struct HxCrossPlan
{
	bool canonical; /* by canonical correlations, not by turns */
	double alpha;	/* what a row without its other side counts */
	double ridge;	/* in rows, or a multiple if "lambda" was given */
} HxCrossPlan;

/* The whole */
typedef struct HxCross
{
	HxTraining *training;
	int bits;
	int all_pairs;
	int *pair; /* rows of the sample that are pairs, in turn */
	int pairs; /* the first of these, learnt from */
	int anchors;
	int *anchor; /* pairs that are anchors */
	HxCrossPlan plan;
	double beta;	  /* what the common directions count */
	float *common;	  /* pairs x bits: common directions, variance 1 each */
	float *code;	  /* pairs x bits: +1, -1 */
	double *rotation; /* bits x bits, of the common directions */
	HxCrossSide side[2];
} HxCross;

/*
 * The ridge, as a multiple of the mean square of a dimension over the rows: as
 * asked for, or what makes it so many times a row's mean squared length.  Then
 * few rows are held back more than many, as little as these know.
 */
extern double HxCrossLambda(const HxCross *cross, const HxCrossSide *side);

/* Squares of the rows learnt from, singles by what they count: lower triangle */
extern void HxSumCrossSquares(const HxCross *cross, const HxCrossSide *side,
							  double *sum);

/* Learn by turns from the first pairs, and rows without a partner. */
extern void HxLearnByTurns(HxCross *cross, HxRandom *random);

/*
 * Canonical correlations of the first pairs, by the covariances of both sides'
 * rows, so many for each ridge, as the caller asks with HxSetCanonical
 */
extern HxCanonical HxPrepareCross(HxCross *cross);

/* Weights from canonical correlations by the plan's ridge */
extern void HxSetCanonical(HxCross *cross, const HxCanonical *canonical,
						   HxRandom *random);

/* Learn by the plan. */
extern void HxLearnByPlan(HxCross *cross);

/* The plan by which pairs held out find their other side best */
extern HxCrossPlan HxChoosePlan(HxCross *cross);

#endif /* HX_TRAIN_CROSS_H */
