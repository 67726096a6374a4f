/*
 * level.h
 *	  What the kernel levels share among themselves; no one else includes it.
 */
#ifndef HX_KERNEL_LEVEL_H
#define HX_KERNEL_LEVEL_H

#include <string.h>

#include "kernel/kernel.h"

/*
 * A product and the addition behind it are rounded separately at every level.
 * The compiler flag -ffp-contract=off says so to gcc; clang, which compiles
 * these files without that flag for the server's JIT, hears it here.
 */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

/* Most planes that a code has */
#define HX_PLANES 4

/* Compile a function for more than the baseline; not where SIMD is emulated */
#ifdef HX_EMULATE
#define HX_TARGET(isa)
#else
#define HX_TARGET(isa) __attribute__((target(isa)))
#endif

#define HX_INLINE static inline __attribute__((always_inline))

/*
 * Unroll the next loop, which is short and of constant length; emulated, that
 * would only cost minutes of compilation.
 */
#if defined(HX_EMULATE)
#define HX_UNROLL
#elif defined(__clang__)
#define HX_UNROLL _Pragma("unroll")
#else
#define HX_UNROLL _Pragma("GCC unroll 16")
#endif

/* Which levels this architecture has; 32-bit x86 keeps to the scalar one */
#if defined(__x86_64__)
#define HX_X86 1
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define HX_NEON 1
#endif

/* Beyond this ratio of lengths, sparse_dot searches instead of merging */
#define HX_GALLOP_RATIO 32

extern const HxKernels hx_kernels_scalar;
extern const HxKernels hx_kernels_avx2;
extern const HxKernels hx_kernels_avx512;
extern const HxKernels hx_kernels_vnni;
extern const HxKernels hx_kernels_neon;

extern const HxDenseKernels hx_dense_plain;
extern const HxDenseKernels hx_dense_avx2;
extern const HxDenseKernels hx_dense_avx512;
extern const HxDenseKernels hx_dense_vnni;
extern const HxDenseKernels hx_dense_neon;

/* The parts of sparse_dot that other levels call */
extern double hx_sparse_dot_scalar(const int32_t *a_dims,
								   const float *a_weights, size_t a_count,
								   const int32_t *b_dims,
								   const float *b_weights, size_t b_count);
extern double hx_sparse_dot_avx2(const int32_t *a_dims, const float *a_weights,
								 size_t a_count, const int32_t *b_dims,
								 const float *b_weights, size_t b_count);

extern void hx_table_product_scalar(const float *tables, size_t dims,
									HxCodes codes, float *product);
extern void hx_table_product_avx2(const float *tables, size_t dims,
								  HxCodes codes, float *product);
extern void hx_dense_products_avx2(const float *a, const float *b, size_t dims,
								   double products[3]);
extern void hx_line_avx2(const int32_t *x, size_t count, double slope,
						 double offset, double *y);
extern uint64_t hx_not_above_avx2(const double *x, size_t count, double most);
extern uint64_t hx_in_range_avx2(const int64_t *words, size_t count,
								 int64_t low, int64_t high);

extern void hx_number_scores_plain(const int16_t *query, size_t dims,
								   const int8_t *rows, size_t stride,
								   size_t count, int32_t *score);

extern uint64_t hx_great_glances_plain(const int32_t *glance, size_t count,
									   int32_t least);

extern void hx_add_heights_scalar(const uint8_t *heights, size_t count,
								  float step, float *sums);

extern size_t hx_block_maxima_scalar(const uint16_t *postings, size_t count,
									 uint32_t *blocks, uint32_t *maxima);

/* What the levels with AVX-512 take from AVX2's, and with VNNI from both */
extern double hx_product_avx2(const float *a, const float *b, size_t dims);
extern double hx_square_avx2(const float *a, const float *b, size_t dims);
extern void hx_hadamard_avx2(float *x, size_t count);
extern void hx_token_sums_avx2(HxTokenTables tables, const HxTokenLists *lists,
							   int32_t *sum);
extern void hx_token_glances_avx2(const uint8_t *table, HxTokenLists lists,
								  int32_t *glance);
extern void hx_token_glances_avx512(const uint8_t *table, HxTokenLists lists,
									int32_t *glance);
extern uint64_t hx_great_glances_avx2(const int32_t *glance, size_t count,
									  int32_t least);
extern void hx_alike_glances_avx2(const uint8_t *table, HxTokenLists lists,
								  int32_t *glance);
extern void hx_inner_avx512(const float *query, size_t dims, HxFloatRows rows,
							float *product);
extern void hx_inner_many_avx512(HxFloatRows queries, size_t dims,
								 HxFloatRows rows, float *product,
								 size_t stride);
extern void hx_number_scores_avx2(const int16_t *query, size_t dims,
								  const int8_t *rows, size_t stride,
								  size_t count, int32_t *score);
extern void hx_number_scores_avx512(const int16_t *query, size_t dims,
									const int8_t *rows, size_t stride,
									size_t count, int32_t *score);
extern void hx_squares_avx512(const float *query, size_t dims, HxFloatRows rows,
							  float *square);
extern void hx_widen_half_avx512(const uint16_t *from, size_t count, float *to);
extern void hx_flip_avx512(float *x, size_t count, const uint8_t *signs);

extern void hx_plane_scores_avx2(const int8_t *query, size_t plane_bytes,
								 int planes, HxCodes codes, int32_t *score);

/* Rows that plane_scores_by_bits scores at a time */
#define HX_PLANE_ROWS 128

/*
 * plane_scores by a level's bit_scores: a plane after the other, the sum doubled
 * on the way.
 */
HX_INLINE void
plane_scores_by_bits(void (*bit_scores)(const int8_t *query, size_t bytes,
										HxCodes codes, int32_t *score),
					 const int8_t *query, size_t plane_bytes, int planes,
					 HxCodes codes, int32_t *score)
{
	for (size_t start = 0; start < codes.count; start += HX_PLANE_ROWS)
	{
		size_t left = codes.count - start;
		size_t count = left < HX_PLANE_ROWS ? left : HX_PLANE_ROWS;
		int32_t bits[HX_PLANE_ROWS];

		memset(score + start, 0, count * sizeof(int32_t));
		for (int p = 0; p < planes; p++)
		{
			HxCodes plane = {codes.base + start * codes.stride +
								 (size_t) p * plane_bytes,
							 codes.stride, count};

			bit_scores(query, plane_bytes, plane, bits);
			for (size_t r = 0; r < count; r++)
				score[start + r] = 2 * score[start + r] + bits[r];
		}
	}
}

/* Codes whose entries are copied side by side, for many of a list at once */
#define HX_RUN 2048

/* Where a list ends, among the codes */
HX_INLINE size_t
list_end(HxTokenLists lists, size_t list)
{
	uint16_t end;

	if (lists.length > 0)
		return lists.start + (list + 1) * lists.length;
	memcpy(&end, lists.ends + list * lists.stride, sizeof(end));
	return end;
}

/* Lists whose entries are copied at a time, so that they stay in the first cache */
#define HX_FEW_LISTS 16

/* So many of the lists from one on, which begins where `start` says */
HX_INLINE HxTokenLists
few_lists(HxTokenLists lists, size_t list)
{
	lists.ends += list * lists.stride;
	lists.count -= list;
	if (lists.count > HX_FEW_LISTS)
		lists.count = HX_FEW_LISTS;
	return lists;
}

/*
 * Copy the entries, of eight bytes, of all codes of the lists to as many places,
 * behind which others follow that are never used; 0 if they are more than HX_RUN.
 * Codes are read by twos, the first of which is the lower half: so it is on every
 * processor that has such a level.
 */
HX_INLINE int
copy_entries(const uint8_t *table, HxTokenLists lists, uint64_t *entries)
{
	const uint32_t *codes = lists.codes + lists.start;
	size_t count = 0;
	size_t c = 0;

	if (lists.count > 0)
		count = list_end(lists, lists.count - 1) - lists.start;
	if (count > HX_RUN)
		return 0;
	for (; c + 2 <= count; c += 2)
	{
		uint64_t two;

		memcpy(&two, codes + c, 8);
		memcpy(&entries[c], table + (two % HX_TOKEN_FIRST) * 8, 8);
		memcpy(&entries[c + 1], table + ((two >> 32) % HX_TOKEN_FIRST) * 8, 8);
	}
	if (c < count)
		memcpy(&entries[c], table + (codes[c] % HX_TOKEN_FIRST) * 8, 8);
	return 1;
}

/*
 * Bits of the words in a range, a word after the other: no branch, and one
 * comparison, since what is below wraps around.
 */
HX_INLINE uint64_t
range_bits(const int64_t *words, size_t count, int64_t low, int64_t high)
{
	uint64_t span = (uint64_t) high - (uint64_t) low;
	uint64_t bits = 0;

	while (count-- > 0)
		bits = bits + bits + ((uint64_t) words[count] - (uint64_t) low <= span);
	return bits;
}

/* The plain line */
HX_INLINE void
line_points(const int32_t *x, size_t count, double slope, double offset,
			double *y)
{
	for (size_t i = 0; i < count; i++)
	{
		double product = x[i] * slope;

		y[i] = product + offset;
	}
}

/* The plain not_above */
HX_INLINE uint64_t
not_above_bits(const double *x, size_t count, double most)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < count; i++)
		bits |= (uint64_t) !(x[i] > most) << i;
	return bits;
}

/* Rows that inner_many keeps in a processor's first cache */
#define HX_NEAR_ROWS 8

/* inner_many by a level's inner: a few rows at a time meet all queries. */
HX_INLINE void
inner_by_groups(void (*inner)(const float *query, size_t dims, HxFloatRows rows,
							  float *product),
				HxFloatRows queries, size_t dims, HxFloatRows rows,
				float *product, size_t stride)
{
	for (size_t start = 0; start < rows.count; start += HX_NEAR_ROWS)
	{
		HxFloatRows few = {rows.base + start * rows.stride, rows.stride,
						   rows.count - start};

		if (few.count > HX_NEAR_ROWS)
			few.count = HX_NEAR_ROWS;
		for (size_t q = 0; q < queries.count; q++)
			inner(queries.base + q * queries.stride, dims, few,
				  product + q * stride + start);
	}
}

/* Add up sixteen lanes: l and l + 8, then l and l + 4, and so on. */
HX_INLINE double
sum_sixteen(double *lane)
{
	for (int half = HX_LANES / 2; half > 0; half /= 2)
	{
		for (int l = 0; l < half; l++)
			lane[l] += lane[l + half];
	}
	return lane[0];
}

/*
 * The end of a sparse_dot whose first dimensions have been summed: the plain
 * merge, shared so that every level ends alike.
 */
HX_INLINE double
sparse_merge(double sum, const int32_t *a_dims, const float *a_weights,
			 size_t a_count, const int32_t *b_dims, const float *b_weights,
			 size_t b_count)
{
	size_t i = 0;
	size_t j = 0;

	while (i < a_count && j < b_count)
	{
		int32_t a_dim = a_dims[i];
		int32_t b_dim = b_dims[j];

		if (a_dim == b_dim)
			sum += (double) a_weights[i] * (double) b_weights[j];
		i += a_dim <= b_dim;
		j += b_dim <= a_dim;
	}
	return sum;
}

#endif /* HX_KERNEL_LEVEL_H */
