/*
 * books.h
 *	  What methods that learn codebooks have in common.
 */
#ifndef HX_TRAIN_BOOKS_H
#define HX_TRAIN_BOOKS_H

#include "encoder/math/matrix.h"
#include "encoder/train/method.h"

/* Subtract the rows' mean from them all; returns it. */
extern double *HxCenterRows(HxTraining *training);

/* Sum of squares of all rows */
extern double HxSquaresOfRows(const HxTraining *training);

/*
 * Begin the draft of a codebook; error if it would be too large for a model.
 * `width` is what enters the books.
 */
extern void HxStartBooks(HxTraining *training, HxDraft *draft, HxBookForm form,
						 int books, int codes, int width);

/* Put words, each d floats, to the dimensions that begin at `from` */
extern void HxPutBook(HxDraftBooks *books, size_t from, int d,
					  const float *words);

#endif /* HX_TRAIN_BOOKS_H */
