/*
 * avx512.c
 *	  Kernels for x86-64 with AVX-512 F, BW, VL and VPOPCNTDQ.
 *
 * Key instructions, with about the latency and the instructions a cycle on
 * Ice Lake and on Zen 4 (whose vectors of 64 bytes pass in two halves):
 *
 *	vpopcntq zmm        3  1    2  1    bits of eight words
 *	vmovdqu8 zmm{k}z    8  2    9  1    reads no byte that the mask leaves out
 *	vblendmps zmm{k}    1  2    1  1    q where the bit is set, else -q
 *	vaddps zmm          4  1    3  1    latency bound: several codes at a time
 *	vpmovsxbw zmm       3  1    5  1    32 weights to 16 bits
 *	vpmaddwd zmm        5  1    3  1    pairs of products, added
 *
 * Two tables differ in kernels of dense vectors alone, which use VNNI where the
 * machine has it.  Eight codes at a time, so that one tree of additions sums the lanes of all
 * eight.  Wider vectors make the matching of sparse_dot no faster: its number
 * of comparisons grows with the square of the width, so it is AVX2's.
 */
#include "kernel/level.h"

#ifdef HX_X86

#include <string.h>

#ifdef HX_EMULATE
#include HX_EMULATE
#else
#include <immintrin.h>
#endif

#include "kernel/words4.h"

#define HX_AVX512 \
	HX_TARGET("popcnt,avx2,avx512f,avx512bw,avx512vl,avx512vpopcntdq")

/* Codes at a time, and bytes of a vector */
#define HX_GROUP 8
#define HX_CHUNK 64

#include "kernel/group.h"

/* Up to 64 bytes, zeros behind them; none is read beyond `count`. */
HX_INLINE HX_AVX512 __m512i
load_chunk(const uint8_t *bytes, size_t count)
{
	__mmask64 mask = ~(__mmask64) 0;

	if (count < HX_CHUNK)
		mask = ((__mmask64) 1 << count) - 1;
	return _mm512_maskz_loadu_epi8(mask, bytes);
}

/* a0+a1, b0+b1, a2+a3, b2+b3, ... of words. */
HX_INLINE HX_AVX512 __m512i
add_pairs(__m512i a, __m512i b)
{
	return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b),
							_mm512_unpackhi_epi64(a, b));
}

/* a0+a1, a2+a3, b0+b1, b2+b3 of quarters of vectors. */
HX_INLINE HX_AVX512 __m512i
add_quarters(__m512i a, __m512i b)
{
	return _mm512_add_epi64(_mm512_shuffle_i64x2(a, b, 0x88),
							_mm512_shuffle_i64x2(a, b, 0xdd));
}

/* The sum of each of eight vectors' words, as eight numbers. */
HX_INLINE HX_AVX512 __m256i
sum_group(const __m512i *sums)
{
	__m512i low =
		add_quarters(add_pairs(sums[0], sums[1]), add_pairs(sums[2], sums[3]));
	__m512i high =
		add_quarters(add_pairs(sums[4], sums[5]), add_pairs(sums[6], sums[7]));

	return _mm512_cvtepi64_epi32(add_quarters(low, high));
}

/* Stores a group's numbers, as many as it has codes. */
HX_INLINE HX_AVX512 void
store_group(uint32_t *to, __m256i numbers, size_t count)
{
	uint32_t held[HX_GROUP];

	if (count == HX_GROUP)
	{
		_mm256_storeu_si256((__m256i *) to, numbers);
		return;
	}
	_mm256_storeu_si256((__m256i *) held, numbers);
	memcpy(to, held, count * sizeof(uint32_t));
}

/* Hamming distances for a constant number of bytes, or any. */
HX_INLINE HX_AVX512 void
hamming_length(const uint8_t *query, size_t bytes, HxCodes codes,
			   uint32_t *differing)
{
	for (size_t start = 0; start < codes.count; start += HX_GROUP)
	{
		HxGroup group = group_at(codes, start);
		__m512i sums[HX_GROUP];

		HX_UNROLL
		for (int c = 0; c < HX_GROUP; c++)
			sums[c] = _mm512_setzero_si512();
		for (size_t at = 0; at < bytes; at += HX_CHUNK)
		{
			__m512i held = load_chunk(query + at, bytes - at);

			HX_UNROLL
			for (int c = 0; c < HX_GROUP; c++)
				sums[c] = _mm512_add_epi64(
					sums[c],
					_mm512_popcnt_epi64(_mm512_xor_si512(
						held, load_chunk(group.row[c] + at, bytes - at))));
		}
		store_group(differing + start, sum_group(sums), group.count);
	}
}

HX_AVX512 static void
hx_hamming_avx512(const uint8_t *query, size_t bytes, HxCodes codes,
				  uint32_t *differing)
{
	if (bytes == HX_CHUNK)
		hamming_length(query, HX_CHUNK, codes, differing);
	else
		hamming_length(query, bytes, codes, differing);
}

/* Bits set in a code of any length. */
HX_INLINE HX_AVX512 uint32_t
count_set(const uint8_t *code, size_t bytes)
{
	__m512i sum = _mm512_setzero_si512();

	for (size_t at = 0; at < bytes; at += HX_CHUNK)
		sum = _mm512_add_epi64(
			sum, _mm512_popcnt_epi64(load_chunk(code + at, bytes - at)));
	return (uint32_t) _mm512_reduce_add_epi64(sum);
}

HX_AVX512 static void
hx_overlap_avx512(const uint8_t *query, size_t bytes, HxCodes codes,
				  uint32_t *both, uint32_t *either)
{
	__m256i query_set = _mm256_set1_epi32((int32_t) count_set(query, bytes));

	for (size_t start = 0; start < codes.count; start += HX_GROUP)
	{
		HxGroup group = group_at(codes, start);
		__m512i in_both[HX_GROUP];
		__m512i set[HX_GROUP];
		__m256i met;

		HX_UNROLL
		for (int c = 0; c < HX_GROUP; c++)
			in_both[c] = set[c] = _mm512_setzero_si512();
		for (size_t at = 0; at < bytes; at += HX_CHUNK)
		{
			__m512i held = load_chunk(query + at, bytes - at);

			HX_UNROLL
			for (int c = 0; c < HX_GROUP; c++)
			{
				__m512i code = load_chunk(group.row[c] + at, bytes - at);

				set[c] = _mm512_add_epi64(set[c], _mm512_popcnt_epi64(code));
				in_both[c] = _mm512_add_epi64(
					in_both[c],
					_mm512_popcnt_epi64(_mm512_and_si512(held, code)));
			}
		}
		met = sum_group(in_both);
		store_group(both + start, met, group.count);
		store_group(
			either + start,
			_mm256_sub_epi32(_mm256_add_epi32(sum_group(set), query_set), met),
			group.count);
	}
}

/* Weighted bits of one chunk of each plane of a query and a code. */
HX_INLINE HX_AVX512 __m512i
chunk_levels(const __m512i *query, const uint8_t *code, size_t plane_bytes,
			 size_t left, int planes)
{
	__m512i plane[HX_PLANES];
	__m512i total = _mm512_setzero_si512();

	HX_UNROLL
	for (int j = 0; j < planes; j++)
		plane[j] = load_chunk(code + j * plane_bytes, left);

	/* From the heaviest pairs of planes down, doubling on the way */
	HX_UNROLL
	for (int places = 0; places <= 2 * (planes - 1); places++)
	{
		total = _mm512_add_epi64(total, total);
		HX_UNROLL
		for (int i = 0; i < planes; i++)
		{
			int j = places - i;

			if (j >= 0 && j < planes)
				total = _mm512_add_epi64(
					total,
					_mm512_popcnt_epi64(_mm512_and_si512(query[i], plane[j])));
		}
	}
	return total;
}

/* Level products for a constant number of planes. */
HX_INLINE HX_AVX512 void
level_product_planes(const uint8_t *query, size_t plane_bytes, int planes,
					 HxCodes codes, uint32_t *product)
{
	for (size_t start = 0; start < codes.count; start += HX_GROUP)
	{
		HxGroup group = group_at(codes, start);
		__m512i sums[HX_GROUP];

		HX_UNROLL
		for (int c = 0; c < HX_GROUP; c++)
			sums[c] = _mm512_setzero_si512();
		for (size_t at = 0; at < plane_bytes; at += HX_CHUNK)
		{
			size_t left = plane_bytes - at;
			__m512i held[HX_PLANES];

			HX_UNROLL
			for (int i = 0; i < planes; i++)
				held[i] = load_chunk(query + i * plane_bytes + at, left);
			HX_UNROLL
			for (int c = 0; c < HX_GROUP; c++)
				sums[c] = _mm512_add_epi64(
					sums[c], chunk_levels(held, group.row[c] + at, plane_bytes,
										  left, planes));
		}
		store_group(product + start, sum_group(sums), group.count);
	}
}

HX_AVX512 static void
hx_level_product_avx512(const uint8_t *query, size_t plane_bytes, int planes,
						HxCodes codes, uint32_t *product)
{
	switch (planes)
	{
		case 1:
			level_product_planes(query, plane_bytes, 1, codes, product);
			break;
		case 2:
			level_product_planes(query, plane_bytes, 2, codes, product);
			break;
		case 3:
			level_product_planes(query, plane_bytes, 3, codes, product);
			break;
		default:
			level_product_planes(query, plane_bytes, 4, codes, product);
	}
}

/* Dimensions of a block of float products: a word of each plane */
#define HX_FLOAT_BLOCK 64

/*
 * Up to eight bytes as a mask, zeros behind them: bit i is dimension i ^ 7 of
 * the block, for a byte has its first dimension highest.
 */
HX_INLINE uint64_t
load_mask(const uint8_t *bytes, size_t count)
{
	uint64_t mask = 0;

	if (count >= sizeof(mask))
		count = sizeof(mask);
	memcpy(&mask, bytes, count);
	return mask;
}

/*
 * Sixteen floats of a query, of which `left` exist, zeros behind them, in the
 * order of masks.  The lanes of a product are in that order, too: they are added
 * in the same pairs.
 */
HX_INLINE HX_AVX512 __m512
load_query(const float *query, size_t left)
{
	const __m512i order =
		_mm512_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);
	__mmask16 mask = (__mmask16) (left < 16 ? (1u << left) - 1 : 0xffff);

	return _mm512_permutexvar_ps(order, _mm512_maskz_loadu_ps(mask, query));
}

/* What levels stand for: (2v - (2^b - 1)) / 2^(b-1) for v = 0 to 15 */
HX_INLINE HX_AVX512 __m512
level_table(int planes)
{
	const __m512i twice = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18,
											20, 22, 24, 26, 28, 30);

	return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(
							 twice, _mm512_set1_epi32((1 << planes) - 1))),
						 _mm512_set1_ps(1.0f / (float) (1 << (planes - 1))));
}

/* Levels of a block's 64 dimensions, of which `left` bytes of a plane exist */
HX_INLINE HX_AVX512 __m512i
block_levels(const uint8_t *code, size_t left, size_t plane_bytes, int planes)
{
	__m512i levels = _mm512_setzero_si512();

	HX_UNROLL
	for (int i = 0; i < planes; i++)
		levels = _mm512_mask_add_epi8(
			levels, load_mask(code + i * plane_bytes, left), levels,
			_mm512_set1_epi8((char) (1 << (planes - 1 - i))));
	return levels;
}

/* Sixteen of 64 bytes: the quarter `part` */
HX_INLINE HX_AVX512 __m128i
sixteen_bytes(__m512i bytes, int part)
{
	switch (part)
	{
		case 1:
			return _mm512_extracti32x4_epi32(bytes, 1);
		case 2:
			return _mm512_extracti32x4_epi32(bytes, 2);
		case 3:
			return _mm512_extracti32x4_epi32(bytes, 3);
		default:
			return _mm512_castsi512_si128(bytes);
	}
}

/* Adds a block to a code's lanes: query floats times what its levels stand for. */
HX_INLINE HX_AVX512 __m512
add_block(__m512 lanes, const __m512 *query, const uint8_t *code, size_t left,
		  size_t plane_bytes, int planes, __m512 table)
{
	__m512i levels;

	if (planes == 1)
	{
		uint64_t mask = load_mask(code, left);

		HX_UNROLL
		for (int i = 0; i < 4; i++)
			lanes = _mm512_add_ps(
				lanes,
				_mm512_mask_blend_ps((__mmask16) (mask >> (16 * i)),
									 _mm512_castsi512_ps(_mm512_xor_si512(
										 _mm512_castps_si512(query[i]),
										 _mm512_set1_epi32(INT32_MIN))),
									 query[i]));
		return lanes;
	}
	levels = block_levels(code, left, plane_bytes, planes);
	HX_UNROLL
	for (int i = 0; i < 4; i++)
		lanes = _mm512_add_ps(
			lanes,
			_mm512_mul_ps(
				query[i],
				_mm512_permutexvar_ps(
					_mm512_cvtepi8_epi32(sixteen_bytes(levels, i)), table)));
	return lanes;
}

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

/*
 * Adds 64 dimensions, of which `dims` and `bytes` of a plane exist, to the lanes of
 * a group, from byte `at` of its planes.  Behind the last dimension the query is
 * 0: adding a zero changes no lane, for none is ever -0.
 */
HX_INLINE HX_AVX512 void
float_block(const float *query, size_t dims, const HxGroup *group, size_t at,
			size_t bytes, size_t plane_bytes, int planes, __m512 *lanes)
{
	__m512 table = level_table(planes);
	__m512 held[4];

	HX_UNROLL
	for (size_t i = 0; i < 4; i++)
		held[i] = dims > 16 * i ? load_query(query + 16 * i, dims - 16 * i)
								: _mm512_setzero_ps();
	HX_UNROLL
	for (int c = 0; c < HX_GROUP; c++)
		lanes[c] = add_block(lanes[c], held, group->row[c] + at, bytes,
							 plane_bytes, planes, table);
}

/* Float products for a constant number of planes */
HX_INLINE HX_AVX512 void
float_product_planes(const float *query, size_t dims, int planes, HxCodes codes,
					 float *product)
{
	size_t plane_bytes = (dims + 7) / 8;
	size_t whole = dims / HX_FLOAT_BLOCK * HX_FLOAT_BLOCK;

	for (size_t start = 0; start < codes.count; start += HX_GROUP)
	{
		HxGroup group = group_at(codes, start);
		__m512 lanes[HX_GROUP];

		HX_UNROLL
		for (int c = 0; c < HX_GROUP; c++)
			lanes[c] = _mm512_setzero_ps();
		for (size_t d = 0; d < whole; d += HX_FLOAT_BLOCK)
			float_block(query + d, HX_FLOAT_BLOCK, &group, d / 8,
						HX_FLOAT_BLOCK / 8, plane_bytes, planes, lanes);
		if (whole < dims)
			float_block(query + whole, dims - whole, &group, whole / 8,
						plane_bytes - whole / 8, plane_bytes, planes, lanes);
		for (size_t c = 0; c < group.count; c++)
			product[start + c] = reduce_lanes(lanes[c]);
	}
}

HX_AVX512 static void
hx_float_product_avx512(const float *query, size_t dims, int planes,
						HxCodes codes, float *product)
{
	switch (planes)
	{
		case 1:
			float_product_planes(query, dims, 1, codes, product);
			break;
		case 2:
			float_product_planes(query, dims, 2, codes, product);
			break;
		case 3:
			float_product_planes(query, dims, 3, codes, product);
			break;
		default:
			float_product_planes(query, dims, 4, codes, product);
	}
}

/* Bits of a where the mask is set, else of b */
HX_INLINE HX_AVX512 __m512i
mix512(uint32_t mask, __m512i a, __m512i b)
{
	__m512i masks = _mm512_set1_epi32((int) mask);

	return _mm512_or_si512(_mm512_and_si512(masks, a),
						   _mm512_andnot_si512(masks, b));
}

/*
 * Four planes' words, of 16 codes each, become four words of levels: of every
 * byte of the planes the bits 7 and 3, 6 and 2, 5 and 1, 4 and 0, as the high
 * and the low half of a byte.
 */
HX_INLINE HX_AVX512 void
join_planes512(const uint32_t *word, __m512i levels[4])
{
	__m512i a = _mm512_loadu_si512(word);
	__m512i b = _mm512_loadu_si512(word + 16);
	__m512i c = _mm512_loadu_si512(word + 32);
	__m512i d = _mm512_loadu_si512(word + 48);
	__m512i odd_ab = mix512(0xaaaaaaaa, a, _mm512_srli_epi32(b, 1));
	__m512i odd_cd = mix512(0xaaaaaaaa, c, _mm512_srli_epi32(d, 1));
	__m512i even_ab = mix512(0xaaaaaaaa, _mm512_slli_epi32(a, 1), b);
	__m512i even_cd = mix512(0xaaaaaaaa, _mm512_slli_epi32(c, 1), d);

	levels[0] = mix512(0xcccccccc, odd_ab, _mm512_srli_epi32(odd_cd, 2));
	levels[1] = mix512(0xcccccccc, even_ab, _mm512_srli_epi32(even_cd, 2));
	levels[2] = mix512(0xcccccccc, _mm512_slli_epi32(odd_ab, 2), odd_cd);
	levels[3] = mix512(0xcccccccc, _mm512_slli_epi32(even_ab, 2), even_cd);
}

/*
 * Sixteen codes at a time, a lane each: a dimension's table is one register, and
 * its levels choose from it.
 */
HX_AVX512 static void
hx_table_product_avx512(const float *tables, size_t dims, HxCodes codes,
						float *product)
{
	size_t plane_bytes = (dims + 7) / 8;

	for (size_t start = 0; start < codes.count; start += 16)
	{
		size_t left = codes.count - start;
		__m512 sum = _mm512_setzero_ps();

		for (size_t at = 0; at < plane_bytes; at += 4)
		{
			uint32_t word[64];
			__m512i levels[4];

			load_words4(codes, start, 16, at, plane_bytes, word);
			join_planes512(word, levels);
			for (size_t d = 8 * at; d < dims && d < 8 * at + 32; d++)
			{
				int shift = (int) (d / 8 - at) * 8 + (d % 8 < 4 ? 4 : 0);
				__m512i level =
					_mm512_srl_epi32(levels[d % 4], _mm_cvtsi32_si128(shift));

				sum = _mm512_add_ps(
					sum, _mm512_permutexvar_ps(
							 level, _mm512_loadu_ps(tables + 16 * d)));
			}
		}
		_mm512_mask_storeu_ps(
			product + start,
			(__mmask16) (left < 16 ? (1u << left) - 1 : 0xffff), sum);
	}
}

/* Rows of a matrix at a time */
#define HX_ROWS 4

/* Sums of `count` rows, the rows at most HX_ROWS, a constant. */
HX_INLINE HX_AVX512 void
project_rows(const int16_t *x, size_t columns, const int8_t *weights, int count,
			 int32_t *sum)
{
	__m512i sums[HX_ROWS];

	HX_UNROLL
	for (int r = 0; r < count; r++)
		sums[r] = _mm512_setzero_si512();
	for (size_t i = 0; i < columns; i += 32)
	{
		__mmask64 mask = columns - i < 32 ? (UINT64_C(1) << (columns - i)) - 1
										  : UINT64_C(0xffffffff);
		/* a byte mask of twice as many bits for numbers of two bytes */
		__m512i held = columns - i < 32
						   ? _mm512_maskz_loadu_epi8(
								 (UINT64_C(1) << 2 * (columns - i)) - 1, x + i)
						   : _mm512_loadu_si512(x + i);

		HX_UNROLL
		for (int r = 0; r < count; r++)
		{
			__m512i row = _mm512_cvtepi8_epi16(_mm512_castsi512_si256(
				_mm512_maskz_loadu_epi8(mask, weights + r * columns + i)));

			sums[r] = _mm512_add_epi32(sums[r], _mm512_madd_epi16(held, row));
		}
	}
	for (int r = 0; r < count; r++)
	{
		__m256i eight = _mm256_add_epi32(_mm512_castsi512_si256(sums[r]),
										 _mm512_extracti64x4_epi64(sums[r], 1));
		__m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight),
									 _mm256_extracti128_si256(eight, 1));
		__m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
		__m128i one = _mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1));

		sum[r] = _mm_cvtsi128_si32(one);
	}
}

HX_AVX512 static void
hx_project_avx512(const int16_t *x, size_t columns, const int8_t *weights,
				  size_t rows, int32_t *sum)
{
	size_t r = 0;

	for (; r + HX_ROWS <= rows; r += HX_ROWS)
		project_rows(x, columns, weights + r * columns, HX_ROWS, sum + r);
	for (; r < rows; r++)
		project_rows(x, columns, weights + r * columns, 1, sum + r);
}

/* Postings at a time, words of one, and words of a vector */
#define HX_POSTINGS 16
#define HX_POSTING_WORDS 3
#define HX_VECTOR_WORDS 32

/* Words of sixteen postings and of the slot behind them; zeros beyond the last */
typedef struct PostingWords
{
	__m512i low;
	__m512i high;
} PostingWords;

/* Load so many postings. */
HX_AVX512 static inline PostingWords
load_postings(const uint16_t *postings, size_t count)
{
	uint64_t all = HX_POSTINGS * HX_POSTING_WORDS + 1;
	uint64_t words =
		HX_POSTING_WORDS * count < all ? HX_POSTING_WORDS * count : all;
	uint64_t mask = (UINT64_C(1) << words) - 1;

	return (PostingWords){
		_mm512_maskz_loadu_epi16((__mmask32) mask, postings),
		_mm512_maskz_loadu_epi16((__mmask32) (mask >> HX_VECTOR_WORDS),
								 postings + HX_VECTOR_WORDS)};
}

/* Sixteen numbers of 32 bits: the word at a place of each posting and the next */
HX_AVX512 static inline __m512i
posting_parts(PostingWords words, int place)
{
	/* Word 3 i + place, then the one behind it, for each lane i */
	__m512i lane =
		_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	__m512i from = _mm512_add_epi32(
		_mm512_mullo_epi32(lane, _mm512_set1_epi32(HX_POSTING_WORDS * 0x10001)),
		_mm512_set1_epi32(place * 0x10001 + 0x10000));

	return _mm512_permutex2var_epi16(words.low, from, words.high);
}

/* The blocks of sixteen slots that stand in lower halves */
HX_AVX512 static inline __m512i
blocks_of(__m512i parts)
{
	return _mm512_srli_epi32(_mm512_slli_epi32(parts, 16), 20);
}

/* The greater weight of each lane and of one some lanes before, if of one block */
#define HX_MAX_BEFORE(lanes)                                                \
	_mm512_mask_max_epu32(                                                  \
		weight,                                                             \
		_mm512_cmpeq_epi32_mask(                                            \
			block, _mm512_alignr_epi32(block, block_before, 16 - (lanes))), \
		weight, _mm512_alignr_epi32(weight, weight_before, 16 - (lanes)))

/*
 * Sixteen postings at a time: maxima of each lane and those before it of the same
 * block, in four steps, the vector before included; then the last lanes of runs.
 */
HX_AVX512 static size_t
hx_block_maxima_avx512(const uint16_t *postings, size_t count, uint32_t *blocks,
					   uint32_t *maxima)
{
	__m512i block_before = _mm512_set1_epi32(-1);
	__m512i weight_before = _mm512_setzero_si512();
	size_t runs = 0;

	for (size_t i = 0; i < count; i += HX_POSTINGS)
	{
		size_t left = count - i;
		PostingWords words =
			load_postings(postings + i * HX_POSTING_WORDS, left);
		__m512i block = blocks_of(posting_parts(words, 0));
		__m512i next = blocks_of(posting_parts(words, HX_POSTING_WORDS));
		__m512i weight = _mm512_and_si512(posting_parts(words, 1),
										  _mm512_set1_epi32(0x7fffffff));
		uint32_t ends = _mm512_cmpneq_epi32_mask(block, next);
		uint32_t found;

		if (left <= HX_POSTINGS)
		{
			ends |= UINT32_C(1) << (left - 1);
			ends &= (UINT32_C(2) << (left - 1)) - 1;
		}
		weight = HX_MAX_BEFORE(1);
		weight = HX_MAX_BEFORE(2);
		weight = HX_MAX_BEFORE(4);
		weight = HX_MAX_BEFORE(8);
		found = (uint32_t) __builtin_popcount(ends);
		_mm512_mask_storeu_epi32(
			blocks + runs, (__mmask16) ((UINT32_C(1) << found) - 1),
			_mm512_maskz_compress_epi32((__mmask16) ends, block));
		_mm512_mask_storeu_epi32(
			maxima + runs, (__mmask16) ((UINT32_C(1) << found) - 1),
			_mm512_maskz_compress_epi32((__mmask16) ends, weight));
		runs += found;
		block_before = block;
		weight_before = weight;
	}
	return runs;
}

HX_AVX512 static void
hx_add_heights_avx512(const uint8_t *heights, size_t count, float step,
					  float *sums)
{
	__m512 steps = _mm512_set1_ps(step);
	size_t i = 0;

	for (; i + 16 <= count; i += 16)
	{
		__m128i bytes = _mm_loadu_si128((const __m128i *) (heights + i));
		__m512 some = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));

		_mm512_storeu_ps(sums + i, _mm512_add_ps(_mm512_loadu_ps(sums + i),
												 _mm512_mul_ps(steps, some)));
	}
	hx_add_heights_scalar(heights + i, count - i, step, sums + i);
}

/* All of the table but the kernels of dense vectors */
#define HX_COMMON                                                           \
	.name = "avx512", .hamming = hx_hamming_avx512,                         \
	.overlap = hx_overlap_avx512, .level_product = hx_level_product_avx512, \
	.float_product = hx_float_product_avx512,                               \
	.table_product = hx_table_product_avx512,                               \
	.sparse_dot = hx_sparse_dot_avx2,                                       \
	.dense_products = hx_dense_products_avx2, .project = hx_project_avx512, \
	.in_range = hx_in_range_avx2, .not_above = hx_not_above_avx2,           \
	.line = hx_line_avx2, .block_maxima = hx_block_maxima_avx512,           \
	.add_heights = hx_add_heights_avx512, .steps = &hx_steps_avx2

const HxKernels hx_kernels_avx512 = {
	HX_COMMON,
	.dense = &hx_dense_avx512,
};

const HxKernels hx_kernels_vnni = {
	HX_COMMON,
	.dense = &hx_dense_vnni,
};

#endif /* HX_X86 */
