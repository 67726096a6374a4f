/*
 * decode.h
 *	  The way back from a model's output to its input.
 */
#ifndef HX_DECODE_H
#define HX_DECODE_H

#include "encoder/model/model.h"

/* A vector of the view's width with output `y`; work kept with the model */
extern double *HxDecodeView(const HxModel *model, int view, const double *y);

#endif /* HX_DECODE_H */
