/*
 * note.h
 *	  What a model keeps for training on: the sums of method class.
 */
#ifndef HX_TRAIN_NOTE_H
#define HX_TRAIN_NOTE_H

#include "encoder/train/method.h"

/* Sums over the rows that a model was trained on, and its codewords */
typedef struct HxClassSums
{
	int d;			/* dimensions of x */
	int bits;		/* of a codeword */
	double rows;	/* rows summed */
	double *mean;	/* of x */
	double *xx;		/* products of x less the mean, d x d, lower triangle */
	double *xy;		/* products of these with targets, d x bits */
	double *target; /* sum of targets */
	int labels;		/* number of labels */
	int64 *label;	/* ascending */
	double *word;	/* labels x bits: +1, -1 */
} HxClassSums;

/*
 * As bytes of a note, with sums as floats; error if they are more than a model
 * holds.
 */
extern uint8 *HxWriteSums(HxTraining *training, const HxClassSums *sums,
						  size_t *size);

/* Of a model of method class; error if it keeps none, or they are damaged */
extern HxClassSums *HxReadSums(HxTraining *training, const HxModel *model);

/*
 * Add the sums of other rows, around the mean of all; not labels and words.
 * The others are then around that mean, too.
 */
extern void HxAddSums(HxClassSums *sums, HxClassSums *other);

#endif /* HX_TRAIN_NOTE_H */
