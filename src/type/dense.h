/*
 * dense.h
 *	  Arrays of numbers as vectors: reading them, float queries of codes.
 */
#ifndef HX_DENSE_H
#define HX_DENSE_H

#include "postgres.h"
#include "utils/array.h"

#include "kernel/codes.h"
#include "type/bincode.h"

/* A float query, checked: what the kernels and HxCosineDistance need */
typedef struct HxFloatQuery
{
	int dims;	  /* components */
	double norm2; /* squared length, summed by rising dimension */
	float values[FLEXIBLE_ARRAY_MEMBER];
} HxFloatQuery;

/* Add up the lanes: l and l + 8, then l and l + 4, and so on. */
static inline double
HxSumLanes(double lane[HX_LANES])
{
	for (int half = HX_LANES / 2; half > 0; half /= 2)
	{
		for (int l = 0; l < half; l++)
			lane[l] += lane[l + half];
	}
	return lane[0];
}

extern int HxCountElements(ArrayType *array);
extern double *HxReadArray(ArrayType *array, int *count);
extern HxFloatQuery *HxMakeFloatQuery(ArrayType *array);
extern bool HxIsFloatQuery(ArrayType *array);
extern void HxCheckFloatQuery(const HxFloatQuery *query, int dims, int planes);
extern double HxFloatDistance(HxMetric metric, const HxFloatQuery *query,
							  const HxCode *code);

#endif /* HX_DENSE_H */
