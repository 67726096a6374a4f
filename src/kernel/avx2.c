/*
 * avx2.c
 *	  Kernels for x86-64 with POPCNT and AVX2.
 *
 * Key instructions, with about the latency and the instructions a cycle on
 * Zen 3 and on Skylake:
 *
 *	popcnt r64      1  4    3  1    bits of a word
 *	vpshufb ymm     1  2    1  1    bits of 32 nibbles, from a table
 *	vpsadbw ymm     3  2    3  1    sums of eight bytes
 *	vpsllvd ymm     1  2    1  2    bit of dimension d to sign of lane d
 *	vblendvps ymm   1  2    2  1.5  chooses by sign
 *	vaddps ymm      3  2    4  2    latency bound: several codes at a time
 *	vpermd ymm      8  1    3  1    rotates eight dimensions
 *	vpmovsxbw ymm   4  1    3  1    sixteen weights to 16 bits
 *	vpmaddwd ymm    3  2    5  2    pairs of products, added
 *	vpcmpgtq ymm    1  2    3  1    four comparisons
 *	vmovmskpd ymm   5  1    2  1    their signs as bits
 *
 * Four codes at a time share the loads of the query and the tree that sums
 * lanes.  Below 32 bytes the words' loops do the counting.
 */
#include "kernel/level.h"

#ifdef HX_X86

#ifdef HX_EMULATE
#include HX_EMULATE
#else
#include <immintrin.h>
#endif

#define HX_POPCOUNT(word) ((uint64_t) __builtin_popcountll(word))
#include "kernel/words.h"

#define HX_AVX2 HX_TARGET("popcnt,avx2")

/* Shortest code or plane that vectors count faster */
#define HX_VECTOR_BYTES 32

/* Codes counted, or multiplied, at a time */
#define HX_GROUP 4

/* Dimensions of one block of a float product */
#define HX_FLOAT_BLOCK 32

HX_INLINE HX_AVX2 __m256i
load_vector(const uint8_t *bytes)
{
	return _mm256_loadu_si256((const __m256i *) bytes);
}

/* Sum of the four 64-bit lanes. */
HX_INLINE HX_AVX2 uint64_t
sum_lanes(__m256i sums)
{
	__m128i two = _mm_add_epi64(_mm256_castsi256_si128(sums),
								_mm256_extracti128_si256(sums, 1));

	return (uint64_t) _mm_cvtsi128_si64(two) +
		   (uint64_t) _mm_extract_epi64(two, 1);
}

/* Bits set in each nibble value. */
HX_INLINE HX_AVX2 __m256i
nibble_bits(void)
{
	return _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0,
							1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
}

/* How a query vector meets a code vector */
typedef enum HxMeeting
{
	HX_XOR, /* bits that differ */
	HX_AND, /* bits set in both */
	HX_CODE /* the code's own bits */
} HxMeeting;

HX_INLINE HX_AVX2 __m256i
meet(__m256i query, const uint8_t *code, HxMeeting how)
{
	switch (how)
	{
		case HX_XOR:
			return _mm256_xor_si256(query, load_vector(code));
		case HX_AND:
			return _mm256_and_si256(query, load_vector(code));
		default:
			return load_vector(code);
	}
}

/* Bits of the low nibbles: 0 to 4 a byte. */
HX_INLINE HX_AVX2 __m256i
low_bits(__m256i vector)
{
	return _mm256_shuffle_epi8(
		nibble_bits(), _mm256_and_si256(vector, _mm256_set1_epi8(0x0f)));
}

/* 8 minus the bits of the high nibbles: 4 to 8 a byte. */
HX_INLINE HX_AVX2 __m256i
high_bits_from_8(__m256i vector)
{
	return _mm256_shuffle_epi8(
		_mm256_sub_epi8(_mm256_set1_epi8(8), nibble_bits()),
		_mm256_and_si256(_mm256_srli_epi16(vector, 4), _mm256_set1_epi8(0x0f)));
}

/*
 * Adds to sums[c] the bits *clear* where the query meets code c, over `whole`
 * bytes, a multiple of 32.  vpsadbw adds |x - y| over eight bytes: with 8
 * minus the high nibble's bits for y, that is 8 minus the byte's bits.
 */
HX_INLINE HX_AVX2 void
add_clear(const uint8_t *query, const uint8_t *code, size_t stride,
		  size_t whole, int count, HxMeeting how, __m256i *sums)
{
	size_t at = 0;

	for (; at + 64 <= whole; at += 64)
	{
		__m256i first = load_vector(query + at);
		__m256i second = load_vector(query + at + 32);

		HX_UNROLL
		for (int c = 0; c < count; c++)
		{
			__m256i x = meet(first, code + c * stride + at, how);
			__m256i y = meet(second, code + c * stride + at + 32, how);

			sums[c] = _mm256_add_epi64(
				sums[c],
				_mm256_sad_epu8(
					_mm256_add_epi8(low_bits(x), low_bits(y)),
					_mm256_add_epi8(high_bits_from_8(x), high_bits_from_8(y))));
		}
	}
	if (at < whole)
	{
		__m256i first = load_vector(query + at);

		HX_UNROLL
		for (int c = 0; c < count; c++)
		{
			__m256i x = meet(first, code + c * stride + at, how);

			sums[c] = _mm256_add_epi64(
				sums[c], _mm256_sad_epu8(low_bits(x), high_bits_from_8(x)));
		}
	}
}

/*
 * Bits set where the query meets each of `count` codes, 4 or 1, over `whole`
 * bytes, a multiple of 32.
 */
HX_INLINE HX_AVX2 void
count_met(const uint8_t *query, const uint8_t *code, size_t stride,
		  size_t whole, int count, HxMeeting how, uint32_t *met)
{
	__m256i sums[HX_GROUP];
	__m256i ab;
	__m256i cd;
	__m256i abcd;

	HX_UNROLL
	for (int c = 0; c < count; c++)
		sums[c] = _mm256_setzero_si256();
	add_clear(query, code, stride, whole, count, how, sums);
	if (count == 1)
	{
		*met = (uint32_t) (8 * whole - sum_lanes(sums[0]));
		return;
	}

	/* a0 b0 a1 b1 ..., then all four sums in each half */
	ab = _mm256_or_si256(sums[0], _mm256_slli_epi64(sums[1], 32));
	cd = _mm256_or_si256(sums[2], _mm256_slli_epi64(sums[3], 32));
	abcd = _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd),
							_mm256_unpackhi_epi64(ab, cd));
	_mm_storeu_si128(
		(__m128i *) met,
		_mm_sub_epi32(_mm_set1_epi32((int32_t) (8 * whole)),
					  _mm_add_epi32(_mm256_castsi256_si128(abcd),
									_mm256_extracti128_si256(abcd, 1))));
}

/* Bits of whole codes that differ, or are set in both, for a group. */
HX_INLINE HX_AVX2 void
met_group(const uint8_t *query, size_t bytes, const uint8_t *code,
		  size_t stride, int count, HxMeeting how, uint32_t *met)
{
	size_t whole = bytes & ~(size_t) 31;
	size_t left = bytes - whole;

	count_met(query, code, stride, whole, count, how, met);
	for (int c = 0; c < count && left > 0; c++)
	{
		const uint8_t *end = code + c * stride + whole;

		met[c] += how == HX_XOR ? words_differing(query + whole, end, left)
								: words_levels(query + whole, end, left, 0, 1);
	}
}

/* The same for all codes. */
HX_INLINE HX_AVX2 void
met_codes(const uint8_t *query, size_t bytes, HxCodes codes, HxMeeting how,
		  uint32_t *met)
{
	size_t i = 0;

	for (; i + HX_GROUP <= codes.count; i += HX_GROUP)
		met_group(query, bytes, codes.base + i * codes.stride, codes.stride,
				  HX_GROUP, how, met + i);
	for (; i < codes.count; i++)
		met_group(query, bytes, codes.base + i * codes.stride, codes.stride, 1,
				  how, met + i);
}

HX_AVX2 static void
hx_hamming_avx2(const uint8_t *query, size_t bytes, HxCodes codes,
				uint32_t *differing)
{
	if (bytes < HX_VECTOR_BYTES)
	{
		words_hamming(query, bytes, codes, differing);
		return;
	}
	switch (bytes)
	{
		case 32:
			met_codes(query, 32, codes, HX_XOR, differing);
			break;
		case 64:
			met_codes(query, 64, codes, HX_XOR, differing);
			break;
		case 128:
			met_codes(query, 128, codes, HX_XOR, differing);
			break;
		default:
			met_codes(query, bytes, codes, HX_XOR, differing);
	}
}

/* Overlaps of a group of `count` codes. */
HX_INLINE HX_AVX2 void
overlap_group(const uint8_t *query, size_t bytes, uint32_t query_set,
			  const uint8_t *code, size_t stride, int count, uint32_t *both,
			  uint32_t *either)
{
	size_t whole = bytes & ~(size_t) 31;

	count_met(query, code, stride, whole, count, HX_AND, both);
	count_met(query, code, stride, whole, count, HX_CODE, either);
	for (int c = 0; c < count; c++)
	{
		if (whole < bytes)
			words_overlap(query + whole, code + c * stride + whole,
						  bytes - whole, &both[c], &either[c]);
		either[c] += query_set - both[c];
	}
}

HX_INLINE HX_AVX2 void
overlap_length(const uint8_t *query, size_t bytes, HxCodes codes,
			   uint32_t *both, uint32_t *either)
{
	uint32_t query_set = words_set(query, bytes);
	size_t i = 0;

	for (; i + HX_GROUP <= codes.count; i += HX_GROUP)
		overlap_group(query, bytes, query_set, codes.base + i * codes.stride,
					  codes.stride, HX_GROUP, both + i, either + i);
	for (; i < codes.count; i++)
		overlap_group(query, bytes, query_set, codes.base + i * codes.stride,
					  codes.stride, 1, both + i, either + i);
}

HX_AVX2 static void
hx_overlap_avx2(const uint8_t *query, size_t bytes, HxCodes codes,
				uint32_t *both, uint32_t *either)
{
	if (bytes < HX_VECTOR_BYTES)
		words_overlaps(query, bytes, codes, both, either);
	else if (bytes == 64)
		overlap_length(query, 64, codes, both, either);
	else
		overlap_length(query, bytes, codes, both, either);
}

/* One vector of every plane, its high and low nibbles apart. */
typedef struct HxPlaneVectors
{
	__m256i low[HX_PLANES];
	__m256i high[HX_PLANES];
} HxPlaneVectors;

/* Loads 32 bytes of each plane.  High nibbles keep their neighbours' bits. */
HX_INLINE HX_AVX2 void
load_planes(HxPlaneVectors *to, const uint8_t *code, size_t plane_bytes,
			int planes)
{
	HX_UNROLL
	for (int i = 0; i < planes; i++)
	{
		to->low[i] = load_vector(code + i * plane_bytes);
		to->high[i] = _mm256_srli_epi16(to->low[i], 4);
	}
}

/* Weighted bits of one vector of each plane, in 64-bit lanes. */
HX_INLINE HX_AVX2 __m256i
vector_levels(const HxPlaneVectors *a, const HxPlaneVectors *b, int planes)
{
	const __m256i low_mask = _mm256_set1_epi8(0x0f);
	const __m256i bits = nibble_bits();
	__m256i total = _mm256_setzero_si256();

	/* Plane pairs of one weight have at most 4 x 8 bits a byte */
	HX_UNROLL
	for (int weight = 0; weight <= 2 * (planes - 1); weight++)
	{
		__m256i counts = _mm256_setzero_si256();

		HX_UNROLL
		for (int i = 0; i < planes; i++)
		{
			int j = 2 * (planes - 1) - weight - i;
			__m256i low;
			__m256i high;

			if (j < 0 || j >= planes)
				continue;
			low = _mm256_and_si256(_mm256_and_si256(a->low[i], low_mask),
								   b->low[j]);
			high = _mm256_and_si256(_mm256_and_si256(a->high[i], low_mask),
									b->high[j]);
			counts = _mm256_add_epi8(counts, _mm256_shuffle_epi8(bits, low));
			counts = _mm256_add_epi8(counts, _mm256_shuffle_epi8(bits, high));
		}
		total = _mm256_add_epi64(
			total,
			_mm256_slli_epi64(_mm256_sad_epu8(counts, _mm256_setzero_si256()),
							  weight));
	}
	return total;
}

/* Level products for a constant number of planes. */
HX_INLINE HX_AVX2 void
level_product_planes(const uint8_t *query, size_t plane_bytes, int planes,
					 HxCodes codes, uint32_t *product)
{
	size_t whole =
		plane_bytes < HX_VECTOR_BYTES ? 0 : plane_bytes & ~(size_t) 31;

	for (size_t i = 0; i < codes.count; i++)
	{
		const uint8_t *code = codes.base + i * codes.stride;
		__m256i sums = _mm256_setzero_si256();

		for (size_t at = 0; at < whole; at += 32)
		{
			HxPlaneVectors a;
			HxPlaneVectors b;

			load_planes(&a, query + at, plane_bytes, planes);
			load_planes(&b, code + at, plane_bytes, planes);
			sums = _mm256_add_epi64(sums, vector_levels(&a, &b, planes));
		}
		product[i] = (uint32_t) sum_lanes(sums) +
					 words_levels(query, code, plane_bytes, whole, planes);
	}
}

HX_AVX2 static void
hx_level_product_avx2(const uint8_t *query, size_t plane_bytes, int planes,
					  HxCodes codes, uint32_t *product)
{
	switch (planes)
	{
		case 1:
			if (plane_bytes < HX_VECTOR_BYTES)
				level_product_planes(query, plane_bytes, 1, codes, product);
			else
				met_codes(query, plane_bytes, codes, HX_AND, product);
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

/* Up to four bytes, the first in the highest place. */
HX_INLINE uint32_t
load_high_first(const uint8_t *bytes, size_t count)
{
	uint32_t word = 0;

	if (count == 4)
	{
		memcpy(&word, bytes, 4);
		return __builtin_bswap32(word);
	}
	for (size_t i = 0; i < count; i++)
		word |= (uint32_t) bytes[i] << (24 - 8 * i);
	return word;
}

/* Lanes 0-7 and 8-15 of one float product */
typedef struct HxLanes
{
	__m256 low;
	__m256 high;
} HxLanes;

/*
 * The query's eight floats times what the levels of eight dimensions stand
 * for.  planes[] holds 32 dimensions of each plane, the first in the highest
 * bit; `shifts` brings the wanted eight to the lanes' sign bits.
 */
HX_INLINE HX_AVX2 __m256
eight_terms(__m256 query, const __m256i *plane, int planes, __m256i shifts)
{
	const __m256 sign = _mm256_set1_ps(-0.0f);
	__m256 step = _mm256_setzero_ps();

	if (planes == 1)
		return _mm256_blendv_ps(
			_mm256_xor_ps(query, sign), query,
			_mm256_castsi256_ps(_mm256_sllv_epi32(plane[0], shifts)));

	/* (2v - (2^b - 1)) / 2^(b-1) = sum of +-1 / 2^i: exact in every order */
	HX_UNROLL
	for (int i = 0; i < planes; i++)
	{
		const __m256 unit = _mm256_set1_ps(1.0f / (float) (1 << i));
		__m256 bit = _mm256_castsi256_ps(_mm256_sllv_epi32(plane[i], shifts));

		step = _mm256_add_ps(step,
							 _mm256_xor_ps(unit, _mm256_andnot_ps(bit, sign)));
	}
	return _mm256_mul_ps(query, step);
}

/* Adds 32 dimensions to the lanes of `count` codes. */
HX_INLINE HX_AVX2 void
float_block(const float *query, int planes, const uint8_t *code, size_t bytes,
			size_t plane_bytes, size_t stride, int count, HxLanes *lanes)
{
	const __m256i first = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
	__m256i shifts[4];
	__m256 part[4];

	HX_UNROLL
	for (int i = 0; i < 4; i++)
	{
		shifts[i] = _mm256_add_epi32(first, _mm256_set1_epi32(8 * i));
		part[i] = _mm256_loadu_ps(query + 8 * i);
	}
	HX_UNROLL
	for (int c = 0; c < count; c++)
	{
		__m256i plane[HX_PLANES];

		HX_UNROLL
		for (int i = 0; i < planes; i++)
			plane[i] = _mm256_set1_epi32((int32_t) load_high_first(
				code + c * stride + i * plane_bytes, bytes));
		HX_UNROLL
		for (int i = 0; i < 4; i += 2)
		{
			lanes[c].low = _mm256_add_ps(
				lanes[c].low, eight_terms(part[i], plane, planes, shifts[i]));
			lanes[c].high = _mm256_add_ps(
				lanes[c].high,
				eight_terms(part[i + 1], plane, planes, shifts[i + 1]));
		}
	}
}

/* Sum of sixteen lanes in the documented order. */
HX_INLINE HX_AVX2 float
reduce_lanes(HxLanes lanes)
{
	__m256 eight = _mm256_add_ps(lanes.low, lanes.high);
	__m128 four = _mm_add_ps(_mm256_castps256_ps128(eight),
							 _mm256_extractf128_ps(eight, 1));
	__m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));

	return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/*
 * Float products of `count` codes.  `tail` holds the query from the last
 * multiple of 32 dimensions on, filled up with zeros: adding a zero changes
 * no lane, for none is ever -0.
 */
HX_INLINE HX_AVX2 void
float_codes(const float *query, const float *tail, size_t dims, int planes,
			const uint8_t *code, size_t stride, int count, float *product)
{
	size_t plane_bytes = (dims + 7) / 8;
	size_t whole = dims / HX_FLOAT_BLOCK * HX_FLOAT_BLOCK;
	HxLanes lanes[HX_GROUP];

	HX_UNROLL
	for (int c = 0; c < count; c++)
		lanes[c].low = lanes[c].high = _mm256_setzero_ps();
	for (size_t d = 0; d < whole; d += HX_FLOAT_BLOCK)
		float_block(query + d, planes, code + d / 8, 4, plane_bytes, stride,
					count, lanes);
	if (whole < dims)
		float_block(tail, planes, code + whole / 8, plane_bytes - whole / 8,
					plane_bytes, stride, count, lanes);
	HX_UNROLL
	for (int c = 0; c < count; c++)
		product[c] = reduce_lanes(lanes[c]);
}

/* Float products for a constant number of planes. */
HX_INLINE HX_AVX2 void
float_product_planes(const float *query, size_t dims, int planes, HxCodes codes,
					 float *product)
{
	size_t whole = dims / HX_FLOAT_BLOCK * HX_FLOAT_BLOCK;
	float tail[HX_FLOAT_BLOCK] = {0};
	size_t i = 0;

	for (size_t d = whole; d < dims; d++)
		tail[d - whole] = query[d];
	for (; i + HX_GROUP <= codes.count; i += HX_GROUP)
		float_codes(query, tail, dims, planes, codes.base + i * codes.stride,
					codes.stride, HX_GROUP, product + i);
	for (; i < codes.count; i++)
		float_codes(query, tail, dims, planes, codes.base + i * codes.stride,
					codes.stride, 1, product + i);
}

HX_AVX2 static void
hx_float_product_avx2(const float *query, size_t dims, int planes,
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

/* Which of eight dimensions of a, and of b, occur on the other side. */
HX_INLINE HX_AVX2 unsigned
match_eight(const int32_t *a_dims, const int32_t *b_dims, unsigned *b_found)
{
	const __m256i next = _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 0);
	__m256i a = _mm256_loadu_si256((const __m256i *) a_dims);
	__m256i b = _mm256_loadu_si256((const __m256i *) b_dims);
	__m256i equal[8];
	__m256i any;
	unsigned found = 0;

	equal[0] = _mm256_cmpeq_epi32(a, b);
	any = equal[0];
	HX_UNROLL
	for (int i = 1; i < 8; i++)
	{
		b = _mm256_permutevar8x32_epi32(b, next);
		equal[i] = _mm256_cmpeq_epi32(a, b);
		any = _mm256_or_si256(any, equal[i]);
	}
	*b_found = 0;
	if (_mm256_movemask_epi8(any) == 0)
		return 0;
	HX_UNROLL
	for (int i = 0; i < 8; i++)
	{
		unsigned a_lanes =
			(unsigned) _mm256_movemask_ps(_mm256_castsi256_ps(equal[i]));

		/* lane l of a met lane l + i of b */
		found |= a_lanes;
		*b_found |= (a_lanes << i | a_lanes << i >> 8) & 0xff;
	}
	return found;
}

HX_AVX2 double
hx_sparse_dot_avx2(const int32_t *a_dims, const float *a_weights,
				   size_t a_count, const int32_t *b_dims,
				   const float *b_weights, size_t b_count)
{
	size_t i = 0;
	size_t j = 0;
	double sum = 0;

	if (a_count < b_count / HX_GALLOP_RATIO ||
		b_count < a_count / HX_GALLOP_RATIO)
		return hx_sparse_dot_scalar(a_dims, a_weights, a_count, b_dims,
									b_weights, b_count);
	while (i + 8 <= a_count && j + 8 <= b_count)
	{
		unsigned b_found;
		unsigned a_found = match_eight(a_dims + i, b_dims + j, &b_found);
		int32_t a_last = a_dims[i + 7];
		int32_t b_last = b_dims[j + 7];

		/* Both rise, so that the n-th match of one is the n-th of the other */
		while (a_found)
		{
			sum += (double) a_weights[i + (size_t) __builtin_ctz(a_found)] *
				   (double) b_weights[j + (size_t) __builtin_ctz(b_found)];
			a_found &= a_found - 1;
			b_found &= b_found - 1;
		}
		i += a_last <= b_last ? 8 : 0;
		j += b_last <= a_last ? 8 : 0;
	}
	return sparse_merge(sum, a_dims + i, a_weights + i, a_count - i, b_dims + j,
						b_weights + j, b_count - j);
}

/* Rows of a matrix at a time */
#define HX_ROWS 4

/* Sixteen weights as 16-bit numbers. */
HX_INLINE HX_AVX2 __m256i
widen(const int8_t *weights)
{
	return _mm256_cvtepi8_epi16(
		_mm_loadu_si128((const __m128i *) (const void *) weights));
}

/* Sixteen inputs. */
HX_INLINE HX_AVX2 __m256i
load_inputs(const int16_t *x)
{
	return _mm256_loadu_si256((const __m256i *) (const void *) x);
}

/* Sums of `count` rows, the rows at most HX_ROWS, a constant. */
HX_INLINE HX_AVX2 void
project_rows(const int16_t *x, size_t columns, const int8_t *weights, int count,
			 int32_t *sum)
{
	__m256i sums[HX_ROWS];
	size_t i = 0;

	HX_UNROLL
	for (int r = 0; r < count; r++)
		sums[r] = _mm256_setzero_si256();
	for (; i + 32 <= columns; i += 32)
	{
		__m256i low = load_inputs(x + i);
		__m256i high = load_inputs(x + i + 16);

		HX_UNROLL
		for (int r = 0; r < count; r++)
		{
			const int8_t *row = weights + r * columns + i;

			sums[r] =
				_mm256_add_epi32(sums[r], _mm256_madd_epi16(low, widen(row)));
			sums[r] = _mm256_add_epi32(
				sums[r], _mm256_madd_epi16(high, widen(row + 16)));
		}
	}
	if (i + 16 <= columns)
	{
		HX_UNROLL
		for (int r = 0; r < count; r++)
			sums[r] = _mm256_add_epi32(
				sums[r], _mm256_madd_epi16(load_inputs(x + i),
										   widen(weights + r * columns + i)));
		i += 16;
	}
	for (int r = 0; r < count; r++)
	{
		__m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums[r]),
									 _mm256_extracti128_si256(sums[r], 1));
		__m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
		__m128i one = _mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1));
		int32_t total = _mm_cvtsi128_si32(one);

		for (size_t j = i; j < columns; j++)
			total += (int32_t) x[j] * weights[r * columns + j];
		sum[r] = total;
	}
}

HX_AVX2 static void
hx_project_avx2(const int16_t *x, size_t columns, const int8_t *weights,
				size_t rows, int32_t *sum)
{
	size_t r = 0;

	for (; r + HX_ROWS <= rows; r += HX_ROWS)
		project_rows(x, columns, weights + r * columns, HX_ROWS, sum + r);
	for (; r < rows; r++)
		project_rows(x, columns, weights + r * columns, 1, sum + r);
}

/* Sixteen lanes of each of the three sums of dense_products, in fours */
typedef struct HxDenseSums
{
	__m256d lanes[3][HX_LANES / 4];
} HxDenseSums;

/* Adds sixteen dimensions. */
HX_INLINE HX_AVX2 void
dense_block(const float *a, const float *b, HxDenseSums *sums)
{
	HX_UNROLL
	for (int i = 0; i < HX_LANES / 4; i++)
	{
		__m256d left = _mm256_cvtps_pd(_mm_loadu_ps(a + 4 * i));
		__m256d right = _mm256_cvtps_pd(_mm_loadu_ps(b + 4 * i));

		sums->lanes[0][i] =
			_mm256_add_pd(sums->lanes[0][i], _mm256_mul_pd(left, right));
		sums->lanes[1][i] =
			_mm256_add_pd(sums->lanes[1][i], _mm256_mul_pd(left, left));
		sums->lanes[2][i] =
			_mm256_add_pd(sums->lanes[2][i], _mm256_mul_pd(right, right));
	}
}

/* Behind the last dimension both are 0: adding 0 changes no lane. */
HX_AVX2 void
hx_dense_products_avx2(const float *a, const float *b, size_t dims,
					   double products[3])
{
	size_t whole = dims / HX_LANES * HX_LANES;
	HxDenseSums sums;

	HX_UNROLL
	for (int i = 0; i < 3 * HX_LANES / 4; i++)
		sums.lanes[i / (HX_LANES / 4)][i % (HX_LANES / 4)] =
			_mm256_setzero_pd();
	for (size_t d = 0; d < whole; d += HX_LANES)
		dense_block(a + d, b + d, &sums);
	if (whole < dims)
	{
		float left[HX_LANES] = {0};
		float right[HX_LANES] = {0};

		for (size_t d = whole; d < dims; d++)
		{
			left[d - whole] = a[d];
			right[d - whole] = b[d];
		}
		dense_block(left, right, &sums);
	}
	for (int p = 0; p < 3; p++)
	{
		double lanes[HX_LANES];

		for (int i = 0; i < HX_LANES / 4; i++)
			_mm256_storeu_pd(lanes + 4 * i, sums.lanes[p][i]);
		products[p] = sum_sixteen(lanes);
	}
}

/* Bits of four words below `low` or above `high`. */
HX_INLINE HX_AVX2 uint64_t
outside(const int64_t *words, __m256i low, __m256i high)
{
	__m256i four = load_vector((const uint8_t *) words);
	__m256i out = _mm256_or_si256(_mm256_cmpgt_epi64(low, four),
								  _mm256_cmpgt_epi64(four, high));

	return (uint64_t) (uint32_t) _mm256_movemask_pd(_mm256_castsi256_pd(out));
}

HX_AVX2 uint64_t
hx_in_range_avx2(const int64_t *words, size_t count, int64_t low, int64_t high)
{
	__m256i least = _mm256_set1_epi64x(low);
	__m256i greatest = _mm256_set1_epi64x(high);
	uint64_t bits = 0;
	size_t i = 0;

	for (; i + 4 <= count; i += 4)
		bits |= (outside(words + i, least, greatest) ^ 0xf) << i;
	if (i < count)
		bits |= range_bits(words + i, count - i, low, high) << i;
	return bits;
}

/* Four integers' points of a line. */
HX_INLINE HX_AVX2 __m256d
four_points(const int32_t *x, __m256d slope, __m256d offset)
{
	__m128i four = _mm_loadu_si128((const __m128i *) x);

	return _mm256_add_pd(_mm256_mul_pd(_mm256_cvtepi32_pd(four), slope),
						 offset);
}

HX_AVX2 void
hx_line_avx2(const int32_t *x, size_t count, double slope, double offset,
			 double *y)
{
	__m256d slopes = _mm256_set1_pd(slope);
	__m256d offsets = _mm256_set1_pd(offset);
	size_t i = 0;

	for (; i + 4 <= count; i += 4)
		_mm256_storeu_pd(y + i, four_points(x + i, slopes, offsets));
	line_points(x + i, count - i, slope, offset, y + i);
}

/* Four numbers that are not above `most`, or NaN, as bits. */
HX_INLINE HX_AVX2 uint64_t
four_not_above(const double *x, __m256d most)
{
	return (uint64_t) (uint32_t) _mm256_movemask_pd(
		_mm256_cmp_pd(_mm256_loadu_pd(x), most, _CMP_NGT_UQ));
}

HX_AVX2 uint64_t
hx_not_above_avx2(const double *x, size_t count, double most)
{
	__m256d limit = _mm256_set1_pd(most);
	uint64_t bits = 0;
	size_t i = 0;

	for (; i + 8 <= count; i += 8)
		bits |= (four_not_above(x + i, limit) | four_not_above(x + i + 4, limit)
													<< 4)
				<< i;
	if (i < count)
		bits |= not_above_bits(x + i, count - i, most) << i;
	return bits;
}

HX_AVX2 static void
hx_add_heights_avx2(const uint8_t *heights, size_t count, float step,
					float *sums)
{
	__m256 steps = _mm256_set1_ps(step);
	size_t i = 0;

	for (; i + 8 <= count; i += 8)
	{
		__m128i bytes = _mm_loadl_epi64((const __m128i *) (heights + i));
		__m256 eight = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));

		_mm256_storeu_ps(sums + i, _mm256_add_ps(_mm256_loadu_ps(sums + i),
												 _mm256_mul_ps(steps, eight)));
	}
	hx_add_heights_scalar(heights + i, count - i, step, sums + i);
}

const HxKernels hx_kernels_avx2 = {
	.name = "avx2",
	.hamming = hx_hamming_avx2,
	.overlap = hx_overlap_avx2,
	.level_product = hx_level_product_avx2,
	.float_product = hx_float_product_avx2,
	.table_product = hx_table_product_avx2,
	.sparse_dot = hx_sparse_dot_avx2,
	.project = hx_project_avx2,
	.steps = &hx_steps_avx2,
	.dense = &hx_dense_avx2,
	.dense_products = hx_dense_products_avx2,
	.in_range = hx_in_range_avx2,
	.line = hx_line_avx2,
	.not_above = hx_not_above_avx2,
	.block_maxima = hx_block_maxima_scalar,
	.add_heights = hx_add_heights_avx2,
};

#endif /* HX_X86 */
