/*
 * tables_avx2.c
 *	  What codes of four bits choose from tables, for x86-64 with AVX2.
 *
 * A dimension's table is two registers of eight floats, and a level's three low
 * bits choose from both: vpermps, latency 3, one a cycle.
 */
#include "kernel/level.h"

#ifdef HX_X86

#ifdef HX_EMULATE
#include HX_EMULATE
#else
#include <immintrin.h>
#endif

#include "kernel/words4.h"

#define HX_AVX2 HX_TARGET("popcnt,avx2")

/* Bits of a where the mask is set, else of b */
HX_INLINE HX_AVX2 __m256i
mix256(uint32_t mask, __m256i a, __m256i b)
{
	__m256i masks = _mm256_set1_epi32((int) mask);

	return _mm256_or_si256(_mm256_and_si256(masks, a),
						   _mm256_andnot_si256(masks, b));
}

/*
 * Four planes' words, of 8 codes each, become four words of levels: of every
 * byte of the planes the bits 7 and 3, 6 and 2, 5 and 1, 4 and 0, as the high
 * and the low half of a byte.
 */
HX_INLINE HX_AVX2 void
join_planes256(const uint32_t *word, __m256i levels[4])
{
	const __m256i *plane = (const __m256i *) (const void *) word;
	__m256i a = _mm256_loadu_si256(plane);
	__m256i b = _mm256_loadu_si256(plane + 1);
	__m256i c = _mm256_loadu_si256(plane + 2);
	__m256i d = _mm256_loadu_si256(plane + 3);
	__m256i odd_ab = mix256(0xaaaaaaaa, a, _mm256_srli_epi32(b, 1));
	__m256i odd_cd = mix256(0xaaaaaaaa, c, _mm256_srli_epi32(d, 1));
	__m256i even_ab = mix256(0xaaaaaaaa, _mm256_slli_epi32(a, 1), b);
	__m256i even_cd = mix256(0xaaaaaaaa, _mm256_slli_epi32(c, 1), d);

	levels[0] = mix256(0xcccccccc, odd_ab, _mm256_srli_epi32(odd_cd, 2));
	levels[1] = mix256(0xcccccccc, even_ab, _mm256_srli_epi32(even_cd, 2));
	levels[2] = mix256(0xcccccccc, _mm256_slli_epi32(odd_ab, 2), odd_cd);
	levels[3] = mix256(0xcccccccc, _mm256_slli_epi32(even_ab, 2), even_cd);
}

/* What the levels choose from a table of 16: the low half's, or the high one's */
HX_INLINE HX_AVX2 __m256
choose_sixteen(const float *table, __m256i level)
{
	__m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), level);
	__m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), level);

	return _mm256_blendv_ps(low, high,
							_mm256_castsi256_ps(_mm256_slli_epi32(level, 28)));
}

/* Eight codes at a time, a lane each */
HX_AVX2 void
hx_table_product_avx2(const float *tables, size_t dims, HxCodes codes,
					  float *product)
{
	size_t plane_bytes = (dims + 7) / 8;

	for (size_t start = 0; start < codes.count; start += 8)
	{
		size_t left = codes.count - start;
		__m256 sum = _mm256_setzero_ps();
		float sums[8];

		for (size_t at = 0; at < plane_bytes; at += 4)
		{
			uint32_t word[32];
			__m256i levels[4];

			load_words4(codes, start, 8, at, plane_bytes, word);
			join_planes256(word, levels);
			for (size_t d = 8 * at; d < dims && d < 8 * at + 32; d++)
			{
				int shift = (int) (d / 8 - at) * 8 + (d % 8 < 4 ? 4 : 0);
				__m256i level =
					_mm256_srl_epi32(levels[d % 4], _mm_cvtsi32_si128(shift));

				sum =
					_mm256_add_ps(sum, choose_sixteen(tables + 16 * d, level));
			}
		}
		_mm256_storeu_ps(sums, sum);
		memcpy(product + start, sums, (left < 8 ? left : 8) * sizeof(float));
	}
}

#endif /* HX_X86 */
