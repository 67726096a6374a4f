/*
 * kernel.h
 *	  Distance kernels, one query against an array of codes, the product with a
 *	  matrix of integers that makes codes, with its steps, kernels of dense
 *	  vectors, and the comparison of a filter.
 *
 * Pure C over stdint: no PostgreSQL, so that the kernels can be tested and
 * sanitized alone.  Every level gives the same bits as the scalar one: integer
 * results by nature, float results because lanes and reduction are fixed.
 *
 * A code is a run of bytes, dimension 1 in the most significant bit of byte 0.
 * A code of several bits a dimension is that many planes of equal length, the
 * most significant first.  Unused bits at a plane's end are zero.  Codes need
 * no alignment, floats and integers that of their type; no kernel reads a byte
 * outside of its arguments.
 */
#ifndef HX_KERNEL_H
#define HX_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/codes.h"
#include "kernel/dense.h"
#include "kernel/steps.h"

/* Levels that any one machine can run, at most */
#define HX_MAX_LEVELS 3

/* Slots of a block, see block_maxima */
#define HX_UNIT_BLOCK 16

/* One pointer per operation, all of one level */
typedef struct HxKernels
{
	const char *name; /* as hashemb.simd spells it */

	/* differing[i] = bits in which the query and code i differ */
	void (*hamming)(const uint8_t *query, size_t bytes, HxCodes codes,
					uint32_t *differing);

	/* both[i], either[i] = bits set in both, in at least one */
	void (*overlap)(const uint8_t *query, size_t bytes, HxCodes codes,
					uint32_t *both, uint32_t *either);

	/*
	 * product[i] = sum over dimensions of query level times code level, levels
	 * unsigned (0 .. 2^planes - 1); plane_bytes is the length of one plane.
	 */
	void (*level_product)(const uint8_t *query, size_t plane_bytes, int planes,
						  HxCodes codes, uint32_t *product);

	/*
	 * product[i] = inner product of a float query of `dims` components with
	 * code i, a level v standing for (2v - (2^planes - 1)) / 2^(planes-1).
	 * Sixteen float lanes, lane = dimension mod 16, each summed by rising
	 * dimension without fused multiply-add; then lanes l and l + 8 are added,
	 * then l and l + 4, l and l + 2, and the last two.
	 */
	void (*float_product)(const float *query, size_t dims, int planes,
						  HxCodes codes, float *product);

	/*
	 * product[i] = sum over dimensions of tables[16 * d + level of code i], codes
	 * of 4 planes; in float, by rising dimension.
	 */
	void (*table_product)(const float *tables, size_t dims, HxCodes codes,
						  float *product);

	/*
	 * Inner product of two sparse vectors with ascending dimensions; the
	 * products, exact in double, are summed by rising dimension.
	 */
	double (*sparse_dot)(const int32_t *a_dims, const float *a_weights,
						 size_t a_count, const int32_t *b_dims,
						 const float *b_weights, size_t b_count);

	/*
	 * sum[r] = sum over i of x[i] * weights[r * columns + i], for `rows` rows.
	 * No sum may exceed INT32_MAX however its terms' signs are chosen, and no
	 * weight is -128.
	 */
	void (*project)(const int16_t *x, size_t columns, const int8_t *weights,
					size_t rows, int32_t *sum);

	/*
	 * products[] = a.b, a.a, b.b of two dense vectors.  Products are exact in
	 * double; they are summed in sixteen lanes as in float_product.
	 */
	void (*dense_products)(const float *a, const float *b, size_t dims,
						   double products[3]);

	/* Bit i: is low <= words[i] <= high?  At most 64 words; low <= high */
	uint64_t (*in_range)(const int64_t *words, size_t count, int64_t low,
						 int64_t high);

	/* y[i] = x[i] * slope + offset in double, each rounded by itself */
	void (*line)(const int32_t *x, size_t count, double slope, double offset,
				 double *y);

	/* Bit i: is x[i] not above `most`?  NaN is not; at most 64 numbers */
	uint64_t (*not_above)(const double *x, size_t count, double most);

	/*
	 * What bounds blocks of HX_UNIT_BLOCK slots by a list of postings: three words
	 * each, a slot and a float's bits, the lower half first; in order of slots.
	 * For every run of postings of one block its number, and the bits of the
	 * greatest weight, signs left out; returns how many runs there are.
	 */
	size_t (*block_maxima)(const uint16_t *postings, size_t count,
						   uint32_t *blocks, uint32_t *maxima);

	/* sums[i] += step * heights[i], each rounded like any float */
	void (*add_heights)(const uint8_t *heights, size_t count, float step,
						float *sums);

	/* The steps of encoding besides `project` */
	const HxSteps *steps;

	/* What dense vectors need */
	const HxDenseKernels *dense;
} HxKernels;

/* The kernels in use: the scalar ones until hx_kernel_choose is called */
extern const HxKernels *hx_kernels;

/* Levels this machine can run, slowest first; NULL ends the list */
extern const HxKernels *const *hx_kernel_levels(void);

/* Choose a level by name, "auto" for the best.  0, or -1 if not runnable. */
extern int hx_kernel_choose(const char *name);

#endif /* HX_KERNEL_H */
