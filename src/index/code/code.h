/*
 * code.h
 *	  Binary codes as one kind of vector.
 */
#ifndef HX_CODE_H
#define HX_CODE_H

#include "index/blocks/store/payload.h"

/* Train centroids by k-majority (code_train.c) */
extern int HxTrainCodes(HxSample *sample, uint8 *centroids, int count);

/* Recompute what follows the planes of a payload */
extern void HxFinishCodePayload(const HxIndexDesc *desc, uint8 *payload);

#endif /* HX_CODE_H */
