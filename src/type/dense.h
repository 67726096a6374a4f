/*
 * dense.h
 *	  Arrays of numbers as vectors: reading them, float queries of codes.
 */
#ifndef HX_DENSE_H
#define HX_DENSE_H

#include "postgres.h"
#include "utils/array.h"

#include "type/bincode.h"

/* A float query, checked: what the kernels and HxCosineDistance need */
typedef struct HxFloatQuery
{
	int dims;	  /* components */
	double norm2; /* squared length, summed by rising dimension */
	float values[FLEXIBLE_ARRAY_MEMBER];
} HxFloatQuery;

extern double *HxReadArray(ArrayType *array, int *count);
extern HxFloatQuery *HxMakeFloatQuery(ArrayType *array);
extern bool HxIsFloatQuery(ArrayType *array);
extern void HxCheckFloatQuery(const HxFloatQuery *query, int dims, int planes);
extern double HxFloatDistance(HxMetric metric, const HxFloatQuery *query,
							  const HxCode *code);

#endif /* HX_DENSE_H */
