/*
 * train.h
 *	  Centroids of payloads by k-means.
 */
#ifndef HX_TRAIN_CENTROIDS_H
#define HX_TRAIN_CENTROIDS_H

#include "index/blocks/store/payload.h"

/*
 * Train up to `count` centroids on the sample; returns how many are left (empty
 * ones vanish).  Deterministic for the same sample in the same order.
 */
extern int HxTrain(HxSample *sample, uint8 *centroids, int count);

#endif /* HX_TRAIN_CENTROIDS_H */
