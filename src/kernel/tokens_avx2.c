/*
 * tokens_avx2.c
 *	  Kernels of lists of tokens for x86-64 with AVX2: what codes name in tables, and
 *	  the small numbers that tables are made of.
 */
#include "kernel/level.h"

#ifdef HX_X86

#ifdef HX_EMULATE
#include HX_EMULATE
#else
#include <immintrin.h>
#endif

#include <string.h>

#define HX_AVX2 HX_TARGET("popcnt,avx2")

/* Entry of a table */
HX_INLINE HX_AVX2 __m128i
entry(const int16_t *table, uint32_t place)
{
	return _mm_loadu_si128((const __m128i *) table + place);
}

/* The factor of a code for eight tokens */
#define FACTORS(step)                                                        \
	{                                                                        \
		HX_TOKEN_FACTOR(step), HX_TOKEN_FACTOR(step), HX_TOKEN_FACTOR(step), \
			HX_TOKEN_FACTOR(step), HX_TOKEN_FACTOR(step),                    \
			HX_TOKEN_FACTOR(step), HX_TOKEN_FACTOR(step),                    \
			HX_TOKEN_FACTOR(step)                                            \
	}
static const int16_t token_factors[8][HX_TOKEN_LANES] = {
	FACTORS(0), FACTORS(1), FACTORS(2), FACTORS(3),
	FACTORS(4), FACTORS(5), FACTORS(6), FACTORS(7)};

/* Products of eight tokens with a code */
HX_INLINE HX_AVX2 __m128i
token_products(HxTokenTables tables, uint32_t code)
{
	__m128i sum = _mm_add_epi16(entry(tables.first, code & 0x7FF),
								entry(tables.second, code >> 11 & 0x1FF));

	sum = _mm_add_epi16(sum, entry(tables.third, code >> 20 & 0x1FF));
	return _mm_mulhi_epi16(
		sum, _mm_loadu_si128((const __m128i *) token_factors[code >> 29]));
}

/* The sum of eight numbers */
HX_INLINE HX_AVX2 int32_t
add_up(__m128i numbers)
{
	__m128i sum = _mm_madd_epi16(numbers, _mm_set1_epi16(1));

	sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
	sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
	return _mm_cvtsi128_si32(sum);
}

/* The greatest products of eight tokens with four codes */
HX_INLINE HX_AVX2 __m128i
four_products(HxTokenTables tables, const uint32_t *codes)
{
	return _mm_max_epi16(_mm_max_epi16(token_products(tables, codes[0]),
									   token_products(tables, codes[1])),
						 _mm_max_epi16(token_products(tables, codes[2]),
									   token_products(tables, codes[3])));
}

/*
 * The greatest of each token, added up; there is one code at least.  Codes are
 * taken by fours, the last four again in part: lengths that vary would have the
 * end of a loop over single codes guessed wrong.
 */
HX_INLINE HX_AVX2 int32_t
token_sum(HxTokenTables tables, const uint32_t *codes, size_t count)
{
	__m128i best;

	if (count < 4)
	{
		best = token_products(tables, codes[0]);
		for (size_t c = 1; c < count; c++)
			best = _mm_max_epi16(best, token_products(tables, codes[c]));
		return add_up(best);
	}
	best = four_products(tables, codes + count - 4);
	for (size_t c = 0; c + 4 < count; c += 4)
		best = _mm_max_epi16(best, four_products(tables, codes + c));
	return add_up(best);
}

/* Sixteen entries that are there, and sixteen that are not */
static const int64_t entries_there[16 + 16] = {-1, -1, -1, -1, -1, -1, -1, -1,
											   -1, -1, -1, -1, -1, -1, -1, -1};

/* Four entries from place `at` on, zero where they are not there */
HX_INLINE HX_AVX2 __m256i
four_entries(const uint64_t *entries, const int64_t *there, size_t at)
{
	return _mm256_maskload_epi64(
		(const long long *) entries + at,
		_mm256_loadu_si256((const __m256i *) (there + at)));
}

/* The greatest bytes of so many entries, of sixteen at most */
HX_INLINE HX_AVX2 __m256i
sixteen_entries(const uint64_t *entries, size_t count)
{
	const int64_t *there = entries_there + 16 - (count < 16 ? count : 16);

	return _mm256_max_epu8(_mm256_max_epu8(four_entries(entries, there, 0),
										   four_entries(entries, there, 4)),
						   _mm256_max_epu8(four_entries(entries, there, 8),
										   four_entries(entries, there, 12)));
}

/* The greatest bytes of a list's entries, added up: no branch, unless it is long */
HX_INLINE HX_AVX2 int32_t
entries_glance(const uint64_t *entries, size_t count)
{
	__m256i best = sixteen_entries(entries, count);
	__m128i half;

	for (size_t c = 16; c < count; c += 16)
		best = _mm256_max_epu8(best, sixteen_entries(entries + c, count - c));
	half = _mm_max_epu8(_mm256_castsi256_si128(best),
						_mm256_extracti128_si256(best, 1));
	half = _mm_max_epu8(half, _mm_unpackhi_epi64(half, half));
	return _mm_cvtsi128_si32(_mm_sad_epu8(half, _mm_setzero_si128()));
}

/* The entry of a code */
HX_INLINE HX_AVX2 __m128i
code_entry(const uint8_t *table, uint32_t code)
{
	return _mm_loadl_epi64(
		(const __m128i *) (const void *) (table + code % HX_TOKEN_FIRST * 8));
}

/* The greatest bytes of two lists of entries, added up */
HX_INLINE HX_AVX2 int32_t
add_greatest(__m128i best, __m128i other)
{
	return _mm_cvtsi128_si32(
		_mm_sad_epu8(_mm_max_epu8(best, other), _mm_setzero_si128()));
}

/* Glances at lists of one length, which the compiler knows: there is no branch. */
HX_INLINE HX_AVX2 void
glances_of_length(const uint8_t *table, const uint32_t *codes, size_t length,
				  size_t count, int32_t *glance)
{
	for (size_t i = 0; i < count; i++, codes += length)
	{
		__m128i best = code_entry(table, codes[0]);
		__m128i other = best;

		HX_UNROLL
		for (size_t c = 1; c + 1 < length; c += 2)
		{
			best = _mm_max_epu8(best, code_entry(table, codes[c]));
			other = _mm_max_epu8(other, code_entry(table, codes[c + 1]));
		}
		if (length % 2 == 0)
			best = _mm_max_epu8(best, code_entry(table, codes[length - 1]));
		glance[i] += add_greatest(best, other);
	}
}

/* The same for other lengths, of two at least */
HX_INLINE HX_AVX2 void
long_glances(const uint8_t *table, const uint32_t *codes, size_t length,
			 size_t count, int32_t *glance)
{
	for (size_t i = 0; i < count; i++, codes += length)
	{
		__m128i best = code_entry(table, codes[length - 2]);
		__m128i other = code_entry(table, codes[length - 1]);

		for (size_t c = 0; c + 2 < length; c += 2)
		{
			best = _mm_max_epu8(best, code_entry(table, codes[c]));
			other = _mm_max_epu8(other, code_entry(table, codes[c + 1]));
		}
		glance[i] += add_greatest(best, other);
	}
}

#define LENGTH(length)                                                \
	case length:                                                      \
		glances_of_length(table, codes, length, lists.count, glance); \
		break

HX_AVX2 void
hx_alike_glances_avx2(const uint8_t *table, HxTokenLists lists, int32_t *glance)
{
	const uint32_t *codes = lists.codes + lists.start;

	switch (lists.length)
	{
		LENGTH(1);
		LENGTH(2);
		LENGTH(3);
		LENGTH(4);
		LENGTH(5);
		LENGTH(6);
		LENGTH(7);
		LENGTH(8);
		LENGTH(9);
		LENGTH(10);
		LENGTH(11);
		LENGTH(12);
		LENGTH(13);
		LENGTH(14);
		LENGTH(15);
		LENGTH(16);
		default:
			long_glances(table, codes, lists.length, lists.count, glance);
	}
}

/* Glances at a few lists, whose entries stay near; returns where the last one ends. */
HX_INLINE HX_AVX2 size_t
few_glances(const uint8_t *table, HxTokenLists lists, int32_t *glance)
{
	uint64_t entries[HX_RUN + 16];
	const uint64_t *at = entries;
	size_t start = lists.start;

	if (!copy_entries(table, lists, entries))
	{
		hx_dense_plain.token_glances(table, lists, glance);
		return list_end(lists, lists.count - 1);
	}
	for (size_t i = 0; i < lists.count; i++)
	{
		size_t end = list_end(lists, i);

		glance[i] += entries_glance(at, end - start);
		at += end - start;
		start = end;
	}
	return start;
}

HX_AVX2 void
hx_token_glances_avx2(const uint8_t *table, HxTokenLists lists, int32_t *glance)
{
	if (lists.length > 0)
	{
		hx_alike_glances_avx2(table, lists, glance);
		return;
	}
	for (size_t i = 0; i < lists.count; i += HX_FEW_LISTS)
	{
		HxTokenLists few = few_lists(lists, i);

		lists.start = few_glances(table, few, glance + i);
	}
}

/* What is left, fewer than eight, is compared as plain numbers. */
HX_AVX2 uint64_t
hx_great_glances_avx2(const int32_t *glance, size_t count, int32_t least)
{
	__m256i below = _mm256_set1_epi32(least - 1);
	__m256i one = _mm256_set1_epi32(1);
	uint64_t bits = 0;
	size_t i = 0;

	for (; i + 8 <= count; i += 8)
	{
		__m256i eight =
			_mm256_loadu_si256((const __m256i *) (const void *) (glance + i));
		__m256i great = _mm256_or_si256(_mm256_cmpgt_epi32(eight, below),
										_mm256_cmpgt_epi32(one, eight));

		bits |=
			(uint64_t) (uint32_t) _mm256_movemask_ps(_mm256_castsi256_ps(great))
			<< i;
	}
	if (i < count)
		bits |= hx_great_glances_plain(glance + i, count - i, least) << i;
	return bits;
}

HX_AVX2 void
hx_token_sums_avx2(HxTokenTables tables, const HxTokenLists *lists,
				   int32_t *sum)
{
	size_t start = lists->start;

	for (size_t i = 0; i < lists->count; i++)
	{
		size_t end = list_end(*lists, i);

		if (end > start)
			sum[i] += token_sum(tables, lists->codes + start, end - start);
		start = end;
	}
}

/* ---- rows of small numbers ---- */

/* Numbers that a step takes of a row; rows whose sums are reduced together */
#define HX_STEP 16
#define HX_SUMS 4

/* Add the products of sixteen numbers of four rows with the query's. */
HX_INLINE HX_AVX2 void
add_numbers(__m256i held, const int8_t *const *row, size_t at,
			__m256i sums[HX_SUMS])
{
	HX_UNROLL
	for (int r = 0; r < HX_SUMS; r++)
	{
		__m128i numbers =
			_mm_loadu_si128((const __m128i *) (const void *) (row[r] + at));

		sums[r] = _mm256_add_epi32(
			sums[r], _mm256_madd_epi16(held, _mm256_cvtepi8_epi16(numbers)));
	}
}

/*
 * The last step ends where rows end, so that nothing behind them is read: what the
 * step before took is zero in its part of the query.
 */
HX_AVX2 void
hx_number_scores_avx2(const int16_t *query, size_t dims, const int8_t *rows,
					  size_t stride, size_t count, int32_t *score)
{
	size_t last = dims - HX_STEP;
	int16_t end[HX_STEP] = {0};

	if (dims < HX_STEP)
	{
		hx_number_scores_plain(query, dims, rows, stride, count, score);
		return;
	}
	for (size_t d = last / HX_STEP * HX_STEP + HX_STEP; d < dims; d++)
		end[d - last] = query[d];
	for (size_t start = 0; start < count; start += HX_SUMS)
	{
		size_t left = count - start < HX_SUMS ? count - start : HX_SUMS;
		const int8_t *row[HX_SUMS];
		__m256i sums[HX_SUMS];
		__m256i twos;
		int32_t four[HX_SUMS];

		HX_UNROLL
		for (size_t r = 0; r < HX_SUMS; r++)
		{
			row[r] = rows + (start + (r < left ? r : left - 1)) * stride;
			sums[r] = _mm256_setzero_si256();
		}
		for (size_t d = 0; d <= last; d += HX_STEP)
			add_numbers(_mm256_loadu_si256(
							(const __m256i *) (const void *) (query + d)),
						row, d, sums);
		add_numbers(_mm256_loadu_si256((const __m256i *) (const void *) end),
					row, last, sums);
		twos = _mm256_hadd_epi32(_mm256_hadd_epi32(sums[0], sums[1]),
								 _mm256_hadd_epi32(sums[2], sums[3]));
		_mm_storeu_si128((__m128i *) (void *) four,
						 _mm_add_epi32(_mm256_castsi256_si128(twos),
									   _mm256_extracti128_si256(twos, 1)));
		memcpy(score + start, four, left * sizeof(int32_t));
	}
}

#endif /* HX_X86 */
