/*
 * rows.h
 *	  What methods that keep rows have in common.
 */
#ifndef HX_TRAIN_ROWS_H
#define HX_TRAIN_ROWS_H

#include "encoder/math/matrix.h"
#include "encoder/train/method.h"

/* Error unless this many bytes more fit into maintenance_work_mem */
extern void HxTrainReserve(HxTraining *training, double bytes,
						   const char *what);

/* Error unless there are as many rows as that */
extern void HxRequireRows(const HxTraining *training, int rows, int least,
						  const char *what);

/*
 * Error if the space of "base" or "space" is asked for, but y is no code of it:
 * only what is learnt from old codes can be compared with them
 */
extern void HxRequireOldCodes(const HxTraining *training);

/* Mean of rows of d floats */
extern double *HxMeanOfRows(HxTraining *training, const float *rows, int n,
							int d);

/* The only layer of a linear view */
extern void HxSetLinearView(HxTraining *training, HxDraftView *view, int inputs,
							int outputs, const double *center,
							const double *weights, const double *bias);

/* The weights, bias and centre that a linear model has for a view */
extern void HxReadLinearView(HxTraining *training, const HxModel *model,
							 int view, double **center, double **weights,
							 double **bias);

#endif /* HX_TRAIN_ROWS_H */
