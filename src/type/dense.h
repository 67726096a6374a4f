/*
 * dense.h
 *	  Dense vectors: arrays of numbers, float queries of codes, values of
 *	  columns as they are stored.
 */
#ifndef HX_DENSE_H
#define HX_DENSE_H

#include "postgres.h"
#include "fmgr.h"
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

/* How a column keeps dense vectors */
typedef enum HxDenseType
{
	HX_DENSE_REAL_ARRAY, /* real[] */
	HX_DENSE_VECTOR,	 /* pgvector's vector: float4s behind two int16 */
	HX_DENSE_HALFVEC	 /* pgvector's halfvec: the same with IEEE halves */
} HxDenseType;

/*
 * Dimensions of a value that is neither compressed nor external; it may have a
 * short header, as PG_DETOAST_DATUM_PACKED leaves it.  Error if the value is an
 * array of several dimensions or with NULLs, or damaged.
 */
extern int HxDenseDims(HxDenseType type, Datum value);

/*
 * The numbers of such a value; halves are converted exactly.  Error, besides
 * those of HxDenseDims, if it has not `dims` dimensions, or a number is NaN or
 * infinite.
 */
extern void HxReadDense(HxDenseType type, Datum value, int dims, float *out);

/* Are all of these numbers finite? */
extern bool HxAllFinite(const float *numbers, size_t count);

extern int HxCountElements(ArrayType *array);
extern void HxCheckNoNull(ArrayType *array, int count);
extern double *HxReadNumbers(ArrayType *array, int *count);
extern double *HxReadArray(ArrayType *array, int *count);
extern int HxReadArrayPair(FunctionCallInfo fcinfo, double **a, double **b);
extern HxFloatQuery *HxMakeFloatQuery(ArrayType *array);
extern bool HxIsFloatQuery(ArrayType *array);
extern void HxCheckFloatQuery(const HxFloatQuery *query, int dims, int planes);
extern double HxFloatDistance(HxMetric metric, const HxFloatQuery *query,
							  const HxCode *code);

#endif /* HX_DENSE_H */
