/*
 * aggregate.h
 *	  What the aggregate hashemb_train keeps for itself.
 */
#ifndef HX_TRAINING_H
#define HX_TRAINING_H

#include "encoder/model/input.h"
#include "random.h"
#include "encoder/train/method.h"

/* Labels that one row may have */
#define HX_MAX_LABELS 1000

/* What no train function reads */
typedef struct HxTrainingPrivate
{
	HxInputType kind[2]; /* of x and y */
	HxView entrance[2];	 /* how svec values are hashed */
	HxRandom random;	 /* chooses the sample */
	MemoryContext row;	 /* of one row */
	int batch;			 /* rows in x and y not yet added */
	int *buckets;		 /* of classes by hash, -1 where empty */
	uint32 mask;		 /* buckets - 1 */
	int class_room;		 /* classes that fit */
} HxTrainingPrivate;

/* classes.c: the labels of a row, ascending, each once; their number */
extern int HxReadLabels(HxTraining *training, Datum value, Oid type,
						int64 *labels);

/* Number of the class of a row, new if its labels are */
extern int HxFindClass(HxTraining *training, const int64 *labels, int count);

/* Put the classes in order, so that the order of rows does not matter. */
extern void HxSortClasses(HxTraining *training);

/* sums.c: rows added to the sums at a time */
#define HX_SUMS_BATCH 256

/* Floats kept of y in every row */
extern int HxFloatsOfY(const HxTraining *training);

/* Add the rows of the batch to the sums */
extern void HxAddBatch(HxTraining *training);

/*
 * Hold the row out that came last, at `place` of the batch: one in so many of the
 * first rows; then one takes the place of another now and then, which joins the
 * batch.
 */
extern void HxHoldRow(HxTraining *training, int place);

#endif /* HX_TRAINING_H */
