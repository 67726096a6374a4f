/*
 * distance.h
 *	  From what kernels count to the distances that SQL returns.
 *
 * Operators and index both use these, so that a distance has the same bits
 * wherever it was computed.  A level v of b bits stands for the step
 * (2v - (2^b - 1)) / 2^(b-1).  Sums over steps are integers divided by
 * 4^(b-1): below 2^53 with every code that fits, hence exact in double.
 *
 * Nothing here depends on PostgreSQL.
 */
#ifndef HX_DISTANCE_H
#define HX_DISTANCE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* How a distance is computed */
typedef enum HxMetric
{
	HX_HAMMING,
	HX_JACCARD,
	HX_INNER_PRODUCT,
	HX_COSINE,
	HX_BIT_JACCARD, /* Jaccard distance as pgvector has it of bit strings */
	HX_L2
} HxMetric;

/* Jaccard distance from the bits set in both codes and in at least one */
static inline double
HxJaccardDistance(uint32_t both, uint32_t either)
{
	return either == 0 ? 0.0 : (double) (either - both) / (double) either;
}

/*
 * The same as pgvector computes it: rounded otherwise, and 1 where no bit is set
 * in both, of empty ones, too
 */
static inline double
HxBitJaccardDistance(uint32_t both, uint32_t either)
{
	return both == 0 ? 1.0 : 1.0 - (double) both / (double) either;
}

/* Is this one of the Jaccard distances? */
static inline int
HxIsJaccard(HxMetric metric)
{
	return metric == HX_JACCARD || metric == HX_BIT_JACCARD;
}

/* Jaccard distance by one of these metrics */
static inline double
HxSetDistance(HxMetric metric, uint32_t both, uint32_t either)
{
	return metric == HX_JACCARD ? HxJaccardDistance(both, either)
								: HxBitJaccardDistance(both, either);
}

/* Inner product of codes of 1 bit a dimension from the bits that differ */
static inline double
HxHammingProduct(uint32_t differing, int dims)
{
	return (double) ((int64_t) dims - 2 * (int64_t) differing);
}

/*
 * Inner product of codes from the inner product of their levels and the sums
 * of their levels.  Exact.
 */
static inline double
HxLevelProduct(uint32_t levels, uint32_t q_sum, uint32_t x_sum, int dims,
			   int planes)
{
	int64_t top = (1 << planes) - 1;
	int64_t scaled = 4 * (int64_t) levels -
					 2 * top * ((int64_t) q_sum + (int64_t) x_sum) +
					 top * top * dims;

	return (double) scaled / (double) (1 << (2 * (planes - 1)));
}

/*
 * Squared length of a code from the inner product of its levels with
 * themselves and their sum.  Exact; with 1 bit a dimension it is `dims`.
 */
static inline double
HxLevelNorm2(uint32_t levels, uint32_t sum, int dims, int planes)
{
	return HxLevelProduct(levels, sum, sum, dims, planes);
}

/* Negative inner product: 0, never -0 */
static inline double
HxNegativeProduct(double product)
{
	return 0.0 - product;
}

/*
 * Cosine distance from the inner product and the squared lengths; NaN if a
 * length is zero.  The one expression for every pair of code, float query and
 * array.  Between codes the product of the squared lengths is exact, so a
 * code has distance 0 from itself, and codes of 1 bit a dimension have
 * 1 - product / dims.
 */
static inline double
HxCosineDistance(double product, double q_norm2, double x_norm2)
{
	double cosine;

	if (q_norm2 == 0.0 || x_norm2 == 0.0)
		return NAN;
	cosine = product / sqrt(q_norm2 * x_norm2);
	if (cosine > 1.0)
		cosine = 1.0;
	if (cosine < -1.0)
		cosine = -1.0;
	return 1.0 - cosine;
}

/* Sum of a code's levels; bits beyond its dimensions are zero */
extern uint32_t HxLevelSum(const uint8_t *code, size_t plane_bytes, int planes);

/* Squared length of a code; with 1 bit a dimension it is `dims` */
extern double HxCodeNorm2(const uint8_t *code, int dims, int planes);

#endif /* HX_DISTANCE_H */
