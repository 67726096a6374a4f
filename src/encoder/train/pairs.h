/*
 * pairs.h
 *	  The state of training by method pairs, what it begins with, and its steps.
 */
#ifndef HX_TRAIN_PAIRS_H
#define HX_TRAIN_PAIRS_H

#include "encoder/math/canonical.h"
#include "encoder/train/method.h"
#include "random.h"

/* What is learnt from */
typedef enum HxPairsLoss
{
	HX_LOSS_RANKING,
	HX_LOSS_MARGIN_MSE
} HxPairsLoss;

/* State of training, and buffers of a step */
typedef struct HxPairs
{
	HxTraining *training;
	HxPairsLoss loss;
	int d;	   /* dimensions of a vector */
	int bits;  /* outputs */
	int batch; /* rows of a step */
	int rows; /* the first of the order, learnt from; the others are held out */
	int steps; /* of all */
	int time;  /* steps taken */
	double rate;
	double *mean[2]; /* of queries, and of what they look for */
	double scale;	 /* what makes their variance 1, per dimension */
	float *w;		 /* bits x d, for scaled vectors */
	int *order;		 /* of rows, shuffled for each epoch */
	float *x[3];	 /* vectors of a step: query, answer, other */
	float *z[3];	 /* their outputs */
	float *h[3];	 /* soft codes of these */
	float *slope;	 /* gradient at outputs */
	float *score;	 /* batch x batch */
	float *gradient;
	float *memory[2]; /* Adam's */
} HxPairs;

/* What training begins with: canonical correlations of the sides */
typedef struct HxPairsStart
{
	HxCanonical canonical;
	int k;			   /* correlations */
	double *value;	   /* k of them */
	double *direction; /* k x d */
	double *rotation;  /* bits x bits */
} HxPairsStart;

/* Vector `part` of a row: x and y, or the thirds of x */
extern const float *HxPairsVector(const HxPairs *pairs, int row, int part);

/* Number of vectors in a row */
extern int HxPairsParts(const HxPairs *pairs);

/* Side of a part: queries, or what they look for */
extern int HxPairsSide(int part);

/* Means of both sides, and the scale of all vectors less these */
extern void HxMeasurePairs(HxPairs *pairs);

/* Take the sides apart, to begin with what tells most of them; to be freed. */
extern void HxPreparePairs(HxPairs *pairs, HxPairsStart *start,
						   HxRandom *random);
extern void HxFreePairsStart(HxPairsStart *start);

/* Weights to begin with, by a ridge: the squared lengths of so many rows */
extern void HxSetPairsWeights(HxPairs *pairs, HxPairsStart *start, double ridge,
							  HxRandom *random);

/*
 * The vectors of a batch from place `first` of the order on, and their outputs;
 * how many: of rows learnt from, or held out
 */
extern int HxGatherPairs(HxPairs *pairs, int first);

/* One step, on rows from `first` of the order on; its loss */
extern double HxLearnPairs(HxPairs *pairs, int first, int time);

#endif /* HX_TRAIN_PAIRS_H */
