/*
 * ids.h
 *	  Sequences of ids.
 */
#ifndef HX_IDS_H
#define HX_IDS_H

#include "postgres.h"

#include "utils/array.h"

/* The ids in an array of integers; error if it has nulls or two dimensions */
extern const int32 *HxReadIds(ArrayType *array, int *count);

#endif /* HX_IDS_H */
