/*
 * scores512.h
 *	  Scores of codes of levels by vectors of 64 bytes.
 *
 * The includer defines HX_VNNI to have them by VNNI.  Eight rows at a time, so
 * that one tree of additions sums the lanes of all eight.
 */
#ifndef HX_KERNEL_SCORES512_H
#define HX_KERNEL_SCORES512_H

#include "kernel/level.h"

#ifdef HX_X86

#ifdef HX_EMULATE
#include HX_EMULATE
#else
#include <immintrin.h>
#endif

#include <string.h>

#ifdef HX_VNNI
#define HX_AVX512 HX_TARGET("popcnt,avx2,avx512f,avx512bw,avx512vl,avx512vnni")
#else
#define HX_AVX512 HX_TARGET("popcnt,avx2,avx512f,avx512bw,avx512vl")
#endif

/* Rows at a time, and bytes of a vector */
#define HX_GROUP 8
#define HX_CHUNK 64

#include "kernel/group.h"

/* a0+a1, b0+b1, a2+a3, b2+b3 of halves of quarters of vectors. */
HX_INLINE HX_AVX512 __m512i
add_pairs(__m512i a, __m512i b)
{
	return _mm512_add_epi32(_mm512_unpacklo_epi64(a, b),
							_mm512_unpackhi_epi64(a, b));
}

/* a0+a1, a2+a3, b0+b1, b2+b3 of quarters of vectors. */
HX_INLINE HX_AVX512 __m512i
add_quarters(__m512i a, __m512i b)
{
	return _mm512_add_epi32(_mm512_shuffle_i64x2(a, b, 0x88),
							_mm512_shuffle_i64x2(a, b, 0xdd));
}

/* The sum of each of eight vectors' sixteen integers. */
HX_INLINE HX_AVX512 __m256i
sum_group(const __m512i *sums)
{
	__m512i low =
		add_quarters(add_pairs(sums[0], sums[1]), add_pairs(sums[2], sums[3]));
	__m512i high =
		add_quarters(add_pairs(sums[4], sums[5]), add_pairs(sums[6], sums[7]));
	__m512i all = add_quarters(low, high);

	/* two integers are left of each */
	return _mm512_cvtepi64_epi32(
		_mm512_add_epi32(all, _mm512_srli_epi64(all, 32)));
}

/* Adds products of 64 levels and numbers of the query to 32-bit lanes. */
HX_INLINE HX_AVX512 __m512i
add_products(__m512i sums, __m512i levels, __m512i query)
{
#ifdef HX_VNNI
	return _mm512_dpbusd_epi32(sums, levels, query);
#else
	return _mm512_add_epi32(
		sums, _mm512_madd_epi16(_mm512_maddubs_epi16(levels, query),
								_mm512_set1_epi16(1)));
#endif
}

/* Adds the products of one vector of each row, of bytes in the mask. */
HX_INLINE HX_AVX512 void
add_chunk(const int8_t *query, size_t bytes, int parts, const HxGroup *group,
		  size_t at, __mmask64 mask, __m512i *sums)
{
	__m512i levels = _mm512_set1_epi8((char) ((1 << 8 / parts) - 1));
	__m512i rows[HX_GROUP];

	HX_UNROLL
	for (int c = 0; c < HX_GROUP; c++)
		rows[c] = _mm512_maskz_loadu_epi8(mask, group->row[c] + at);
	HX_UNROLL
	for (int part = 0; part < parts; part++)
	{
		__m512i met =
			_mm512_maskz_loadu_epi8(mask, query + (size_t) part * bytes + at);

		HX_UNROLL
		for (int c = 0; c < HX_GROUP; c++)
			sums[c] = add_products(
				sums[c],
				_mm512_and_si512(
					_mm512_srli_epi16(rows[c], (unsigned) (part * (8 / parts))),
					levels),
				met);
	}
}

/* Scores of codes of `parts` levels a byte, a constant. */
HX_INLINE HX_AVX512 void
level_scores(const int8_t *query, size_t bytes, int parts, HxCodes codes,
			 int32_t *score)
{
	size_t whole = bytes / HX_CHUNK * HX_CHUNK;
	__mmask64 end = ((__mmask64) 1 << bytes % HX_CHUNK) - 1;

	for (size_t start = 0; start < codes.count; start += HX_GROUP)
	{
		HxGroup group = group_at(codes, start);
		__m512i sums[HX_GROUP];
		int32_t held[HX_GROUP];

		HX_UNROLL
		for (int c = 0; c < HX_GROUP; c++)
			sums[c] = _mm512_setzero_si512();
		for (size_t at = 0; at < whole; at += HX_CHUNK)
			add_chunk(query, bytes, parts, &group, at, ~(__mmask64) 0, sums);
		if (whole < bytes)
			add_chunk(query, bytes, parts, &group, whole, end, sums);
		_mm256_storeu_si256((__m256i *) held, sum_group(sums));
		memcpy(score + start, held, group.count * sizeof(int32_t));
	}
}

HX_AVX512 static void
hx_nibble_scores_avx512(const int8_t *query, size_t bytes, HxCodes codes,
						int32_t *score)
{
	if (bytes == HX_CHUNK)
		level_scores(query, HX_CHUNK, 2, codes, score);
	else
		level_scores(query, bytes, 2, codes, score);
}

HX_AVX512 static void
hx_pair_scores_avx512(const int8_t *query, size_t bytes, HxCodes codes,
					  int32_t *score)
{
	if (bytes == HX_CHUNK)
		level_scores(query, HX_CHUNK, 4, codes, score);
	else
		level_scores(query, bytes, 4, codes, score);
}

HX_AVX512 static void
hx_bit_scores_avx512(const int8_t *query, size_t bytes, HxCodes codes,
					 int32_t *score)
{
	if (bytes == HX_CHUNK)
		level_scores(query, HX_CHUNK, 8, codes, score);
	else
		level_scores(query, bytes, 8, codes, score);
}

#endif /* HX_X86 */
#endif /* HX_KERNEL_SCORES512_H */
