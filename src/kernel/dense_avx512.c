/*
 * dense_avx512.c
 *	  Kernels of dense vectors for x86-64 with AVX-512 F, BW and VL.
 *
 * Key instructions, with about the latency and the instructions a cycle on
 * Ice Lake and on Zen 4 (whose vectors of 64 bytes pass in two halves):
 *
 *	vpmaddubsw zmm      5  1    3  1    levels times the query, pairs added
 *	vmovdqu8 zmm{k}{z}  8  2    9  1    reads no byte that the mask leaves out
 *	vaddps zmm          4  1    3  1    latency bound: several rows at a time
 *	vcvtph2ps zmm       7  1    5  1    sixteen halves to floats
 *
 * Eight rows at a time.  Wider vectors make sums in double and the transform no
 * faster, so these are AVX2's.
 */
#include "kernel/scores512.h"

#ifdef HX_X86

/* Sum of sixteen lanes in the documented order. */
HX_INLINE HX_AVX512 float
reduce_lanes(__m512 lanes)
{
	__m256 low = _mm512_castps512_ps256(lanes);
	__m256 high =
		_mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(lanes), 1));
	__m256 eight = _mm256_add_ps(low, high);
	__m128 four = _mm_add_ps(_mm256_castps256_ps128(eight),
							 _mm256_extractf128_ps(eight, 1));
	__m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));

	return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/* What sixteen dimensions add: products, or squared differences. */
HX_INLINE HX_AVX512 __m512
sixteen_terms(__m512 a, __m512 b, int squared)
{
	__m512 difference;

	if (!squared)
		return _mm512_mul_ps(a, b);
	difference = _mm512_sub_ps(a, b);
	return _mm512_mul_ps(difference, difference);
}

/* Sums of terms of the query and each row, behind whose ends both are 0. */
HX_INLINE HX_AVX512 void
float_rows(const float *query, size_t dims, HxFloatRows rows, int squared,
		   float *sums)
{
	size_t whole = dims / HX_LANES * HX_LANES;
	__mmask16 end = (__mmask16) ((1u << dims % HX_LANES) - 1);

	for (size_t start = 0; start < rows.count; start += HX_GROUP)
	{
		size_t count = rows.count - start;
		const float *row[HX_GROUP];
		__m512 lanes[HX_GROUP];

		if (count > HX_GROUP)
			count = HX_GROUP;
		HX_UNROLL
		for (size_t c = 0; c < HX_GROUP; c++)
		{
			row[c] =
				rows.base + (start + (c < count ? c : count - 1)) * rows.stride;
			lanes[c] = _mm512_setzero_ps();
		}
		for (size_t d = 0; d < whole; d += HX_LANES)
		{
			__m512 held = _mm512_loadu_ps(query + d);

			HX_UNROLL
			for (int c = 0; c < HX_GROUP; c++)
				lanes[c] = _mm512_add_ps(
					lanes[c],
					sixteen_terms(held, _mm512_loadu_ps(row[c] + d), squared));
		}
		if (whole < dims)
		{
			__m512 held = _mm512_maskz_loadu_ps(end, query + whole);

			HX_UNROLL
			for (int c = 0; c < HX_GROUP; c++)
				lanes[c] = _mm512_add_ps(
					lanes[c],
					sixteen_terms(held,
								  _mm512_maskz_loadu_ps(end, row[c] + whole),
								  squared));
		}
		for (size_t c = 0; c < count; c++)
			sums[start + c] = reduce_lanes(lanes[c]);
	}
}

HX_AVX512 void
hx_inner_avx512(const float *query, size_t dims, HxFloatRows rows,
				float *product)
{
	float_rows(query, dims, rows, 0, product);
}

/* Queries, and rows, whose products are summed side by side in registers */
#define HX_TILE 4

/* Addresses of the `count` rows from the `start` on, the last one repeated */
HX_INLINE void
rows_at(HxFloatRows rows, size_t start, const float **row)
{
	HX_UNROLL
	for (size_t c = 0; c < HX_TILE; c++)
		row[c] =
			rows.base +
			(start + c < rows.count ? start + c : rows.count - 1) * rows.stride;
}

/* Adds sixteen dimensions, those in the mask, to the sums of a tile. */
HX_INLINE HX_AVX512 void
add_tile(const float *const *query, const float *const *row, size_t d,
		 __mmask16 mask, __m512 lanes[HX_TILE][HX_TILE])
{
	__m512 met[HX_TILE];

	HX_UNROLL
	for (int c = 0; c < HX_TILE; c++)
		met[c] = _mm512_maskz_loadu_ps(mask, row[c] + d);
	HX_UNROLL
	for (int q = 0; q < HX_TILE; q++)
	{
		__m512 held = _mm512_maskz_loadu_ps(mask, query[q] + d);

		HX_UNROLL
		for (int c = 0; c < HX_TILE; c++)
			lanes[q][c] =
				_mm512_add_ps(lanes[q][c], _mm512_mul_ps(held, met[c]));
	}
}

/* Products of the queries from the `at` on and the rows from the `start` on. */
HX_INLINE HX_AVX512 void
inner_tile(HxFloatRows queries, size_t at, size_t dims, HxFloatRows rows,
		   size_t start, float *product, size_t stride)
{
	size_t whole = dims / HX_LANES * HX_LANES;
	__mmask16 end = (__mmask16) ((1u << dims % HX_LANES) - 1);
	const float *query[HX_TILE];
	const float *row[HX_TILE];
	__m512 lanes[HX_TILE][HX_TILE];

	rows_at(queries, at, query);
	rows_at(rows, start, row);
	HX_UNROLL
	for (int q = 0; q < HX_TILE; q++)
	{
		HX_UNROLL
		for (int c = 0; c < HX_TILE; c++)
			lanes[q][c] = _mm512_setzero_ps();
	}
	for (size_t d = 0; d < whole; d += HX_LANES)
		add_tile(query, row, d, 0xffff, lanes);
	if (whole < dims)
		add_tile(query, row, whole, end, lanes);
	HX_UNROLL
	for (size_t q = 0; q < HX_TILE; q++)
	{
		HX_UNROLL
		for (size_t c = 0; c < HX_TILE; c++)
		{
			if (at + q < queries.count && start + c < rows.count)
				product[(at + q) * stride + start + c] =
					reduce_lanes(lanes[q][c]);
		}
	}
}

HX_AVX512 void
hx_inner_many_avx512(HxFloatRows queries, size_t dims, HxFloatRows rows,
					 float *product, size_t stride)
{
	for (size_t start = 0; start < rows.count; start += HX_TILE)
	{
		for (size_t at = 0; at < queries.count; at += HX_TILE)
			inner_tile(queries, at, dims, rows, start, product, stride);
	}
}

HX_AVX512 void
hx_squares_avx512(const float *query, size_t dims, HxFloatRows rows,
				  float *square)
{
	float_rows(query, dims, rows, 1, square);
}

HX_AVX512 void
hx_widen_half_avx512(const uint16_t *from, size_t count, float *to)
{
	size_t whole = count / 16 * 16;

	for (size_t i = 0; i < whole; i += 16)
		_mm512_storeu_ps(to + i,
						 _mm512_cvtph_ps(_mm256_loadu_si256(
							 (const __m256i *) (const void *) (from + i))));
	hx_dense_plain.widen_half(from + whole, count - whole, to + whole);
}

HX_AVX512 void
hx_flip_avx512(float *x, size_t count, const uint8_t *signs)
{
	size_t whole = count / 16 * 16;

	for (size_t i = 0; i < whole; i += 16)
	{
		__m512i held = _mm512_castps_si512(_mm512_loadu_ps(x + i));
		__mmask16 turned;

		memcpy(&turned, signs + i / 8, sizeof(turned));
		held = _mm512_mask_xor_epi32(held, turned, held,
									 _mm512_set1_epi32(INT32_MIN));
		_mm512_storeu_ps(x + i, _mm512_castsi512_ps(held));
	}
	hx_dense_plain.flip(x + whole, count - whole, signs + whole / 8);
}

/* Eight entries; of each two bits tell whether it is there, else it is zero. */
HX_INLINE HX_AVX512 __m512i
eight_entries(const uint64_t *entries, uint32_t there)
{
	return _mm512_castps_si512(
		_mm512_maskz_loadu_ps((__mmask16) there, entries));
}

/* Two bits for each of so many entries, sixteen at most */
HX_INLINE uint32_t
entry_bits(size_t count)
{
	return count < 16 ? (1U << 2 * count) - 1 : ~0U;
}

/* The greatest bytes of a list's entries, added up: no branch, unless it is long */
HX_INLINE HX_AVX512 int32_t
entries_glance(const uint64_t *entries, size_t count)
{
	uint32_t there = entry_bits(count);
	__m512i best = _mm512_max_epu8(eight_entries(entries, there),
								   eight_entries(entries + 8, there >> 16));
	__m256i half;
	__m128i part;

	for (size_t c = 16; c < count; c += 8)
		best = _mm512_max_epu8(
			best, eight_entries(entries + c, entry_bits(count - c)));
	half = _mm256_max_epu8(_mm512_castsi512_si256(best),
						   _mm512_extracti64x4_epi64(best, 1));
	part = _mm_max_epu8(_mm256_castsi256_si128(half),
						_mm256_extracti128_si256(half, 1));
	part = _mm_max_epu8(part, _mm_unpackhi_epi64(part, part));
	return _mm_cvtsi128_si32(_mm_sad_epu8(part, _mm_setzero_si128()));
}

/* Glances at a few lists, whose entries stay near; returns where the last one ends. */
HX_INLINE HX_AVX512 size_t
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

HX_AVX512 void
hx_token_glances_avx512(const uint8_t *table, HxTokenLists lists,
						int32_t *glance)
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

/* ---- rows of small numbers ---- */

/* Numbers that a step takes of a row; rows whose sums are reduced together */
#define HX_STEP 32
#define HX_SUMS 4

/* Add the products of 32 numbers of four rows with the query's. */
HX_INLINE HX_AVX512 void
add_numbers(__m512i held, const int8_t *const *row, size_t at,
			__m512i sums[HX_SUMS])
{
	HX_UNROLL
	for (int r = 0; r < HX_SUMS; r++)
	{
		__m256i numbers =
			_mm256_loadu_si256((const __m256i *) (const void *) (row[r] + at));

		sums[r] = _mm512_add_epi32(
			sums[r], _mm512_madd_epi16(held, _mm512_cvtepi8_epi16(numbers)));
	}
}

/* Lanes of a sum, those of the halves added */
HX_INLINE HX_AVX512 __m256i
add_halves(__m512i sum)
{
	return _mm256_add_epi32(_mm512_castsi512_si256(sum),
							_mm512_extracti64x4_epi64(sum, 1));
}

/* Write the sums of four rows, or fewer. */
HX_INLINE HX_AVX512 void
put_sums(const __m512i sums[HX_SUMS], size_t count, int32_t *score)
{
	__m256i twos = _mm256_hadd_epi32(
		_mm256_hadd_epi32(add_halves(sums[0]), add_halves(sums[1])),
		_mm256_hadd_epi32(add_halves(sums[2]), add_halves(sums[3])));
	int32_t four[HX_SUMS];

	_mm_storeu_si128((__m128i *) (void *) four,
					 _mm_add_epi32(_mm256_castsi256_si128(twos),
								   _mm256_extracti128_si256(twos, 1)));
	memcpy(score, four, count * sizeof(int32_t));
}

/*
 * The last step ends where rows end, so that nothing behind them is read: what the
 * step before took is zero in its part of the query.
 */
HX_AVX512 void
hx_number_scores_avx512(const int16_t *query, size_t dims, const int8_t *rows,
						size_t stride, size_t count, int32_t *score)
{
	size_t last = dims - HX_STEP;
	int16_t end[HX_STEP] = {0};

	if (dims < HX_STEP)
	{
		hx_number_scores_avx2(query, dims, rows, stride, count, score);
		return;
	}
	for (size_t d = last / HX_STEP * HX_STEP + HX_STEP; d < dims; d++)
		end[d - last] = query[d];
	for (size_t start = 0; start < count; start += HX_SUMS)
	{
		size_t left = count - start < HX_SUMS ? count - start : HX_SUMS;
		const int8_t *row[HX_SUMS];
		__m512i sums[HX_SUMS];

		HX_UNROLL
		for (size_t r = 0; r < HX_SUMS; r++)
		{
			row[r] = rows + (start + (r < left ? r : left - 1)) * stride;
			sums[r] = _mm512_setzero_si512();
		}
		for (size_t d = 0; d <= last; d += HX_STEP)
			add_numbers(_mm512_loadu_si512(query + d), row, d, sums);
		add_numbers(_mm512_loadu_si512(end), row, last, sums);
		put_sums(sums, left, score + start);
	}
}

const HxDenseKernels hx_dense_avx512 = {
	.nibble_scores = hx_nibble_scores_avx512,
	.pair_scores = hx_pair_scores_avx512,
	.bit_scores = hx_bit_scores_avx512,
	.plane_scores = hx_plane_scores_avx2,
	.inner = hx_inner_avx512,
	.inner_many = hx_inner_many_avx512,
	.number_scores = hx_number_scores_avx512,
	.squares = hx_squares_avx512,
	.product = hx_product_avx2,
	.square = hx_square_avx2,
	.widen_half = hx_widen_half_avx512,
	.hadamard = hx_hadamard_avx2,
	.flip = hx_flip_avx512,
	.token_sums = hx_token_sums_avx2,
	.token_glances = hx_token_glances_avx512,
	.great_glances = hx_great_glances_avx2,
};

#endif /* HX_X86 */
