/*
 * dense_avx2.c
 *	  Kernels of dense vectors for x86-64 with AVX2.
 *
 * Key instructions, with about the latency and the instructions a cycle on
 * Zen 3 and on Skylake:
 *
 *	vpmaddubsw ymm  3  2    5  2    levels times the query, pairs added
 *	vpmaddwd ymm    3  2    5  2    pairs of sums to 32 bits
 *	vphaddd ymm     4  0.5  3  0.5  four rows' sums in one tree
 *	vaddps ymm      3  2    4  2    latency bound: several rows at a time
 *	vcvtps2pd ymm   4  1    7  1    floats to double
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

/* Rows at a time, and bytes of a vector */
#define HX_GROUP 4
#define HX_CHUNK 32

#include "kernel/group.h"

/*
 * Vectors of a row whose products may be added in 16 bits: two nibbles make at
 * most 2 * 15 * 128, and a vector adds two of these; pairs of bits make four of
 * 2 * 3 * 128, and bits eight of 2 * 128.
 */
#define HX_NIBBLE_CHUNKS 4
#define HX_PAIR_CHUNKS 10
#define HX_BIT_CHUNKS 15

/* 32 bytes. */
HX_INLINE HX_AVX2 __m256i
load_chunk(const void *bytes)
{
	return _mm256_loadu_si256((const __m256i *) bytes);
}

/*
 * Adds to sums[c], in 16 bits, the products of one vector of each row: what
 * part `part` of the query meets is at bit part * (8 / parts) of each byte.
 */
HX_INLINE HX_AVX2 void
add_levels(const int8_t *query, size_t bytes, int parts, const __m256i *rows,
		   __m256i *sums)
{
	__m256i mask = _mm256_set1_epi8((char) ((1 << 8 / parts) - 1));

	HX_UNROLL
	for (int part = 0; part < parts; part++)
	{
		__m256i met = load_chunk(query + (size_t) part * bytes);

		HX_UNROLL
		for (int c = 0; c < HX_GROUP; c++)
			sums[c] = _mm256_add_epi16(
				sums[c],
				_mm256_maddubs_epi16(
					_mm256_and_si256(
						_mm256_srli_epi16(rows[c], part * (8 / parts)), mask),
					met));
	}
}

/* Four rows' sums of 32-bit lanes. */
HX_INLINE HX_AVX2 __m128i
sum_group(const __m256i *sums)
{
	__m256i four = _mm256_hadd_epi32(_mm256_hadd_epi32(sums[0], sums[1]),
									 _mm256_hadd_epi32(sums[2], sums[3]));

	return _mm_add_epi32(_mm256_castsi256_si128(four),
						 _mm256_extracti128_si256(four, 1));
}

/* The end of a query, moved to the end of a vector of each part, zeros before */
typedef struct HxTail
{
	int8_t parts[8 * HX_CHUNK];
} HxTail;

/* The query's numbers for the last bytes % 32 bytes. */
HX_INLINE void
make_tail(const int8_t *query, size_t bytes, int parts, HxTail *tail)
{
	size_t left = bytes % HX_CHUNK;

	memset(tail, 0, sizeof(*tail));
	for (int part = 0; part < parts && left > 0; part++)
		memcpy(tail->parts + (part + 1) * HX_CHUNK - left,
			   query + (size_t) (part + 1) * bytes - left, left);
}

/* The last vector of a row, whose beginning the query's tail leaves out. */
HX_INLINE HX_AVX2 __m256i
load_end(const uint8_t *row, size_t bytes)
{
	uint8_t held[HX_CHUNK] = {0};

	if (bytes >= HX_CHUNK)
		return load_chunk(row + bytes - HX_CHUNK);
	memcpy(held + HX_CHUNK - bytes, row, bytes);
	return load_chunk(held);
}

/* Adds `chunks` vectors of each row, few enough for sums of 16 bits. */
HX_INLINE HX_AVX2 void
add_chunks(const int8_t *query, size_t bytes, int parts, const HxGroup *group,
		   size_t at, size_t chunks, __m256i *sums)
{
	__m256i narrow[HX_GROUP];

	HX_UNROLL
	for (int c = 0; c < HX_GROUP; c++)
		narrow[c] = _mm256_setzero_si256();
	for (size_t end = at + chunks * HX_CHUNK; at < end; at += HX_CHUNK)
	{
		__m256i rows[HX_GROUP];

		HX_UNROLL
		for (int c = 0; c < HX_GROUP; c++)
			rows[c] = load_chunk(group->row[c] + at);
		add_levels(query + at, bytes, parts, rows, narrow);
	}
	HX_UNROLL
	for (int c = 0; c < HX_GROUP; c++)
		sums[c] = _mm256_add_epi32(
			sums[c], _mm256_madd_epi16(narrow[c], _mm256_set1_epi16(1)));
}

/* Adds the end of each row, which is no whole vector. */
HX_INLINE HX_AVX2 void
add_end(const HxTail *tail, size_t bytes, int parts, const HxGroup *group,
		__m256i *sums)
{
	__m256i narrow[HX_GROUP];
	__m256i rows[HX_GROUP];

	HX_UNROLL
	for (int c = 0; c < HX_GROUP; c++)
	{
		narrow[c] = _mm256_setzero_si256();
		rows[c] = load_end(group->row[c], bytes);
	}
	add_levels(tail->parts, HX_CHUNK, parts, rows, narrow);
	HX_UNROLL
	for (int c = 0; c < HX_GROUP; c++)
		sums[c] = _mm256_add_epi32(
			sums[c], _mm256_madd_epi16(narrow[c], _mm256_set1_epi16(1)));
}

/* Scores of codes of `parts` levels a byte, a constant. */
HX_INLINE HX_AVX2 void
level_scores(const int8_t *query, size_t bytes, int parts, HxCodes codes,
			 int32_t *score)
{
	size_t most = parts == 2   ? HX_NIBBLE_CHUNKS
				  : parts == 4 ? HX_PAIR_CHUNKS
							   : HX_BIT_CHUNKS;
	size_t whole = bytes / HX_CHUNK;
	HxTail tail;

	make_tail(query, bytes, parts, &tail);
	for (size_t start = 0; start < codes.count; start += HX_GROUP)
	{
		HxGroup group = group_at(codes, start);
		__m256i sums[HX_GROUP];
		int32_t held[HX_GROUP];

		HX_UNROLL
		for (int c = 0; c < HX_GROUP; c++)
			sums[c] = _mm256_setzero_si256();
		for (size_t chunk = 0; chunk < whole; chunk += most)
			add_chunks(query, bytes, parts, &group, chunk * HX_CHUNK,
					   whole - chunk < most ? whole - chunk : most, sums);
		if (bytes % HX_CHUNK != 0)
			add_end(&tail, bytes, parts, &group, sums);
		_mm_storeu_si128((__m128i *) held, sum_group(sums));
		memcpy(score + start, held, group.count * sizeof(int32_t));
	}
}

HX_AVX2 static void
hx_nibble_scores_avx2(const int8_t *query, size_t bytes, HxCodes codes,
					  int32_t *score)
{
	if (bytes == 64)
		level_scores(query, 64, 2, codes, score);
	else
		level_scores(query, bytes, 2, codes, score);
}

HX_AVX2 static void
hx_pair_scores_avx2(const int8_t *query, size_t bytes, HxCodes codes,
					int32_t *score)
{
	if (bytes == 64)
		level_scores(query, 64, 4, codes, score);
	else
		level_scores(query, bytes, 4, codes, score);
}

HX_AVX2 static void
hx_bit_scores_avx2(const int8_t *query, size_t bytes, HxCodes codes,
				   int32_t *score)
{
	if (bytes == 64)
		level_scores(query, 64, 8, codes, score);
	else
		level_scores(query, bytes, 8, codes, score);
}

/* Bytes of each plane that are joined at a time */
#define HX_JOINED 16

/* Fewer than eight bytes as a word, zeros behind them */
HX_INLINE uint64_t
load_few(const uint8_t *bytes, size_t count)
{
	uint64_t word = 0;
	size_t at = 0;

	for (size_t size = 4; size > 0; size /= 2)
	{
		uint64_t held = 0;

		if (!(count & size))
			continue;
		memcpy(&held, bytes + at, size);
		word |= held << 8 * at;
		at += size;
	}
	return word;
}

/* Up to sixteen bytes, zeros behind them; none is read beyond `count`. */
HX_INLINE HX_AVX2 __m128i
load_part(const void *bytes, size_t count)
{
	const uint8_t *from = (const uint8_t *) bytes;
	uint64_t low;
	uint64_t high = 0;

	if (count >= HX_JOINED)
		return _mm_loadu_si128((const __m128i *) bytes);
	if (count < 8)
		return _mm_set_epi64x(0, (int64_t) load_few(from, count));
	memcpy(&low, from, 8);
	if (count > 8)
	{
		memcpy(&high, from + count - 8, 8);
		high >>= 8 * (HX_JOINED - count);
	}
	return _mm_set_epi64x((int64_t) high, (int64_t) low);
}

/* Two of the query's parts, side by side. */
HX_INLINE HX_AVX2 __m256i
load_parts(const int8_t *query, size_t plane_bytes, int low, int high,
		   size_t left)
{
	return _mm256_inserti128_si256(
		_mm256_castsi128_si256(
			load_part(query + (size_t) low * plane_bytes, left)),
		load_part(query + (size_t) high * plane_bytes, left), 1);
}

/* What levels of 16 bytes of each plane meet, as join_planes gives them. */
HX_INLINE HX_AVX2 void
load_met(const int8_t *query, size_t plane_bytes, size_t at, __m256i met[4])
{
	size_t left = plane_bytes - at;

	met[0] = load_parts(query + at, plane_bytes, 7, 5, left);
	met[1] = load_parts(query + at, plane_bytes, 3, 1, left);
	met[2] = load_parts(query + at, plane_bytes, 6, 4, left);
	met[3] = load_parts(query + at, plane_bytes, 2, 0, left);
}

/* Two planes, of which those that a code has not are zeros. */
HX_INLINE HX_AVX2 __m256i
load_planes(const uint8_t *code, size_t plane_bytes, int first, size_t left)
{
	__m128i low = _mm_setzero_si128();
	__m128i high = _mm_setzero_si128();

	if (first == 0 && left >= HX_CHUNK / 2 && plane_bytes == HX_CHUNK / 2)
		return load_chunk(code);
	if (first >= 0)
		low = load_part(code + (size_t) first * plane_bytes, left);
	if (first >= -1)
		high = load_part(code + (size_t) (first + 1) * plane_bytes, left);
	return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

/*
 * Levels of four planes, of which `a` has the upper two and `b` the others: in two
 * steps bits change places until the four of a level are neighbours.  Of lower and
 * upper lanes, these are bits 7 and 5 of the planes' bytes, then 3 and 1, 6 and 4,
 * 2 and 0.
 */
HX_INLINE HX_AVX2 void
join_planes(__m256i a, __m256i b, __m256i levels[4])
{
	const __m256i pairs = _mm256_set1_epi8(0x33);
	const __m256i odd = _mm256_set1_epi8(0x55);
	const __m256i nibble = _mm256_set1_epi8(0x0f);
	__m256i moved =
		_mm256_and_si256(_mm256_xor_si256(_mm256_srli_epi16(b, 2), a), pairs);
	__m256i upper = _mm256_xor_si256(a, moved);
	__m256i lower = _mm256_xor_si256(b, _mm256_slli_epi16(moved, 2));

	a = _mm256_permute2x128_si256(upper, lower, 0x20);
	b = _mm256_permute2x128_si256(upper, lower, 0x31);
	moved = _mm256_and_si256(_mm256_xor_si256(_mm256_srli_epi16(b, 1), a), odd);
	upper = _mm256_xor_si256(a, moved);
	lower = _mm256_xor_si256(b, _mm256_slli_epi16(moved, 1));
	levels[0] = _mm256_and_si256(_mm256_srli_epi16(upper, 4), nibble);
	levels[1] = _mm256_and_si256(upper, nibble);
	levels[2] = _mm256_and_si256(_mm256_srli_epi16(lower, 4), nibble);
	levels[3] = _mm256_and_si256(lower, nibble);
}

/* Adds the products of 16 bytes of each plane of a row. */
HX_INLINE HX_AVX2 __m256i
add_planes(__m256i sums, const uint8_t *code, size_t plane_bytes, int planes,
		   size_t left, const __m256i met[4])
{
	__m256i narrow = _mm256_setzero_si256();
	__m256i levels[4];

	join_planes(load_planes(code, plane_bytes, planes - 4, left),
				load_planes(code, plane_bytes, planes - 2, left), levels);
	HX_UNROLL
	for (int i = 0; i < 4; i++)
		narrow =
			_mm256_add_epi16(narrow, _mm256_maddubs_epi16(levels[i], met[i]));
	return _mm256_add_epi32(sums,
							_mm256_madd_epi16(narrow, _mm256_set1_epi16(1)));
}

/* Scores of codes of planes of a constant number of bytes, or any */
HX_INLINE HX_AVX2 void
plane_scores(const int8_t *query, size_t plane_bytes, int planes, HxCodes codes,
			 int32_t *score)
{
	__m256i first[4];

	load_met(query, plane_bytes, 0, first);
	for (size_t start = 0; start < codes.count; start += HX_GROUP)
	{
		HxGroup group = group_at(codes, start);
		__m256i sums[HX_GROUP];
		int32_t held[HX_GROUP];

		HX_UNROLL
		for (int c = 0; c < HX_GROUP; c++)
			sums[c] = _mm256_setzero_si256();
		for (size_t at = 0; at < plane_bytes; at += HX_JOINED)
		{
			__m256i met[4] = {first[0], first[1], first[2], first[3]};

			if (at > 0)
				load_met(query, plane_bytes, at, met);
			HX_UNROLL
			for (int c = 0; c < HX_GROUP; c++)
				sums[c] = add_planes(sums[c], group.row[c] + at, plane_bytes,
									 planes, plane_bytes - at, met);
		}
		_mm_storeu_si128((__m128i *) held, sum_group(sums));
		memcpy(score + start, held, group.count * sizeof(int32_t));
	}
}

HX_AVX2 void
hx_plane_scores_avx2(const int8_t *query, size_t plane_bytes, int planes,
					 HxCodes codes, int32_t *score)
{
	switch (planes)
	{
		case 1:
			hx_bit_scores_avx2(query, plane_bytes, codes, score);
			break;
		case 2:
			plane_scores(query, plane_bytes, 2, codes, score);
			break;
		case 3:
			plane_scores(query, plane_bytes, 3, codes, score);
			break;
		default:
			if (plane_bytes == HX_JOINED)
				plane_scores(query, HX_JOINED, 4, codes, score);
			else
				plane_scores(query, plane_bytes, 4, codes, score);
	}
}

/* Sixteen lanes of floats */
typedef struct HxLanes
{
	__m256 low;
	__m256 high;
} HxLanes;

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

/* What eight dimensions add: products, or squared differences. */
HX_INLINE HX_AVX2 __m256
eight_terms(__m256 a, __m256 b, int squared)
{
	__m256 difference;

	if (!squared)
		return _mm256_mul_ps(a, b);
	difference = _mm256_sub_ps(a, b);
	return _mm256_mul_ps(difference, difference);
}

/* The lanes of the first `left`, fewer than sixteen, as masks of loads. */
HX_INLINE HX_AVX2 __m256i
first_lanes(size_t left, int from)
{
	const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);

	return _mm256_cmpgt_epi32(_mm256_set1_epi32((int) left - from), lane);
}

/* Adds sixteen dimensions, or `left` of them where that is fewer. */
HX_INLINE HX_AVX2 void
add_floats(const float *query, const float *const *row, size_t d, size_t left,
		   int squared, HxLanes *lanes)
{
	HX_UNROLL
	for (int half = 0; half < 2; half++)
	{
		size_t at = d + 8 * (size_t) half;
		__m256i mask = first_lanes(left, 8 * half);
		__m256 held = left < HX_LANES ? _mm256_maskload_ps(query + at, mask)
									  : _mm256_loadu_ps(query + at);

		HX_UNROLL
		for (int c = 0; c < HX_GROUP; c++)
		{
			__m256 met = left < HX_LANES ? _mm256_maskload_ps(row[c] + at, mask)
										 : _mm256_loadu_ps(row[c] + at);
			__m256 terms = eight_terms(held, met, squared);

			if (half == 0)
				lanes[c].low = _mm256_add_ps(lanes[c].low, terms);
			else
				lanes[c].high = _mm256_add_ps(lanes[c].high, terms);
		}
	}
}

/* Sums of terms of the query and each row, behind whose ends both are 0. */
HX_INLINE HX_AVX2 void
float_rows(const float *query, size_t dims, HxFloatRows rows, int squared,
		   float *sums)
{
	size_t whole = dims / HX_LANES * HX_LANES;

	for (size_t start = 0; start < rows.count; start += HX_GROUP)
	{
		size_t count = rows.count - start;
		const float *row[HX_GROUP];
		HxLanes lanes[HX_GROUP];

		if (count > HX_GROUP)
			count = HX_GROUP;
		HX_UNROLL
		for (size_t c = 0; c < HX_GROUP; c++)
		{
			row[c] =
				rows.base + (start + (c < count ? c : count - 1)) * rows.stride;
			lanes[c].low = lanes[c].high = _mm256_setzero_ps();
		}
		for (size_t d = 0; d < whole; d += HX_LANES)
			add_floats(query, row, d, HX_LANES, squared, lanes);
		if (whole < dims)
			add_floats(query, row, whole, dims - whole, squared, lanes);
		for (size_t c = 0; c < count; c++)
			sums[start + c] = reduce_lanes(lanes[c]);
	}
}

HX_AVX2 static void
hx_inner_avx2(const float *query, size_t dims, HxFloatRows rows, float *product)
{
	float_rows(query, dims, rows, 0, product);
}

HX_AVX2 static void
hx_inner_many_avx2(HxFloatRows queries, size_t dims, HxFloatRows rows,
				   float *product, size_t stride)
{
	inner_by_groups(hx_inner_avx2, queries, dims, rows, product, stride);
}

HX_AVX2 static void
hx_squares_avx2(const float *query, size_t dims, HxFloatRows rows,
				float *square)
{
	float_rows(query, dims, rows, 1, square);
}

/* Adds sixteen dimensions to lanes of double, by fours. */
HX_INLINE HX_AVX2 void
add_doubles(const float *a, const float *b, int squared, __m256d *lanes)
{
	HX_UNROLL
	for (int i = 0; i < HX_LANES / 4; i++)
	{
		__m256d left = _mm256_cvtps_pd(_mm_loadu_ps(a + 4 * i));
		__m256d right = _mm256_cvtps_pd(_mm_loadu_ps(b + 4 * i));

		if (squared)
			left = right = _mm256_sub_pd(left, right);
		lanes[i] = _mm256_add_pd(lanes[i], _mm256_mul_pd(left, right));
	}
}

/* Sum of terms in double; behind the last dimension both are 0. */
HX_INLINE HX_AVX2 double
double_sum(const float *a, const float *b, size_t dims, int squared)
{
	size_t whole = dims / HX_LANES * HX_LANES;
	__m256d lanes[HX_LANES / 4];
	double held[HX_LANES];

	HX_UNROLL
	for (int i = 0; i < HX_LANES / 4; i++)
		lanes[i] = _mm256_setzero_pd();
	for (size_t d = 0; d < whole; d += HX_LANES)
		add_doubles(a + d, b + d, squared, lanes);
	if (whole < dims)
	{
		float left[HX_LANES] = {0};
		float right[HX_LANES] = {0};

		memcpy(left, a + whole, (dims - whole) * sizeof(float));
		memcpy(right, b + whole, (dims - whole) * sizeof(float));
		add_doubles(left, right, squared, lanes);
	}
	HX_UNROLL
	for (int i = 0; i < HX_LANES / 4; i++)
		_mm256_storeu_pd(held + 4 * i, lanes[i]);
	return sum_sixteen(held);
}

HX_AVX2 double
hx_product_avx2(const float *a, const float *b, size_t dims)
{
	return double_sum(a, b, dims, 0);
}

HX_AVX2 double
hx_square_avx2(const float *a, const float *b, size_t dims)
{
	return double_sum(a, b, dims, 1);
}

/* Eight halves, as hx_widen_half_plain: F16C would need a probe of its own. */
HX_INLINE HX_AVX2 __m256
widen_eight(const uint16_t *from)
{
	__m256i half = _mm256_cvtepu16_epi32(
		_mm_loadu_si128((const __m128i *) (const void *) from));
	__m256i sign = _mm256_slli_epi32(
		_mm256_and_si256(half, _mm256_set1_epi32(0x8000)), 16);
	__m256i size = _mm256_and_si256(half, _mm256_set1_epi32(0x7fff));
	__m256i special = _mm256_cmpgt_epi32(size, _mm256_set1_epi32(0x7bff));
	__m256i nan =
		_mm256_and_si256(_mm256_cmpgt_epi32(size, _mm256_set1_epi32(0x7c00)),
						 _mm256_set1_epi32(0x00400000));
	__m256i bits = _mm256_slli_epi32(size, 13);
	__m256 wide =
		_mm256_mul_ps(_mm256_castsi256_ps(bits), _mm256_set1_ps(0x1p112f));
	__m256i strange = _mm256_or_si256(
		_mm256_or_si256(bits, _mm256_set1_epi32(0x7f800000)), nan);

	wide = _mm256_blendv_ps(wide, _mm256_castsi256_ps(strange),
							_mm256_castsi256_ps(special));
	return _mm256_or_ps(wide, _mm256_castsi256_ps(sign));
}

HX_AVX2 static void
hx_widen_half_avx2(const uint16_t *from, size_t count, float *to)
{
	size_t whole = count / 8 * 8;

	for (size_t i = 0; i < whole; i += 8)
		_mm256_storeu_ps(to + i, widen_eight(from + i));
	hx_dense_plain.widen_half(from + whole, count - whole, to + whole);
}

/*
 * Sums and differences of neighbours at a distance below eight: `swapped` are
 * the partners, of which the second of each pair takes its own number negated.
 */
HX_INLINE HX_AVX2 __m256
add_partners(__m256 x, __m256 swapped, __m256 second)
{
	return _mm256_add_ps(swapped, _mm256_xor_ps(x, second));
}

/* The distances 1, 2 and 4. */
HX_INLINE HX_AVX2 __m256
transform_eight(__m256 x)
{
	const __m256 odd = _mm256_setr_ps(0, -0.0f, 0, -0.0f, 0, -0.0f, 0, -0.0f);
	const __m256 pairs = _mm256_setr_ps(0, 0, -0.0f, -0.0f, 0, 0, -0.0f, -0.0f);
	const __m256 fours = _mm256_setr_ps(0, 0, 0, 0, -0.0f, -0.0f, -0.0f, -0.0f);

	x = add_partners(x, _mm256_permute_ps(x, 0xb1), odd);
	x = add_partners(x, _mm256_permute_ps(x, 0x4e), pairs);
	return add_partners(x, _mm256_permute2f128_ps(x, x, 1), fours);
}

/* Two distances at once, `distance` and twice that, both of whole vectors. */
HX_INLINE HX_AVX2 void
transform_quads(float *x, size_t count, size_t distance)
{
	for (size_t start = 0; start < count; start += 4 * distance)
	{
		for (size_t i = start; i < start + distance; i += 8)
		{
			__m256 a = _mm256_loadu_ps(x + i);
			__m256 b = _mm256_loadu_ps(x + i + distance);
			__m256 c = _mm256_loadu_ps(x + i + 2 * distance);
			__m256 d = _mm256_loadu_ps(x + i + 3 * distance);
			__m256 ab = _mm256_add_ps(a, b);
			__m256 a_b = _mm256_sub_ps(a, b);
			__m256 cd = _mm256_add_ps(c, d);
			__m256 c_d = _mm256_sub_ps(c, d);

			_mm256_storeu_ps(x + i, _mm256_add_ps(ab, cd));
			_mm256_storeu_ps(x + i + distance, _mm256_add_ps(a_b, c_d));
			_mm256_storeu_ps(x + i + 2 * distance, _mm256_sub_ps(ab, cd));
			_mm256_storeu_ps(x + i + 3 * distance, _mm256_sub_ps(a_b, c_d));
		}
	}
}

/* The last distance, half of all. */
HX_INLINE HX_AVX2 void
transform_halves(float *x, size_t count)
{
	for (size_t i = 0; i < count / 2; i += 8)
	{
		__m256 a = _mm256_loadu_ps(x + i);
		__m256 b = _mm256_loadu_ps(x + i + count / 2);

		_mm256_storeu_ps(x + i, _mm256_add_ps(a, b));
		_mm256_storeu_ps(x + i + count / 2, _mm256_sub_ps(a, b));
	}
}

HX_AVX2 void
hx_hadamard_avx2(float *x, size_t count)
{
	size_t distance = 8;

	if (count < 8)
	{
		hx_dense_plain.hadamard(x, count);
		return;
	}
	for (size_t i = 0; i < count; i += 8)
		_mm256_storeu_ps(x + i, transform_eight(_mm256_loadu_ps(x + i)));
	for (; 4 * distance <= count; distance *= 4)
		transform_quads(x, count, distance);
	if (distance < count)
		transform_halves(x, count);
}

HX_AVX2 static void
hx_flip_avx2(float *x, size_t count, const uint8_t *signs)
{
	const __m256i shifts = _mm256_setr_epi32(31, 30, 29, 28, 27, 26, 25, 24);
	const __m256i sign = _mm256_set1_epi32(INT32_MIN);
	size_t whole = count / 8 * 8;

	for (size_t i = 0; i < whole; i += 8)
	{
		__m256i turned = _mm256_and_si256(
			_mm256_sllv_epi32(_mm256_set1_epi32(signs[i / 8]), shifts), sign);

		_mm256_storeu_ps(x + i, _mm256_xor_ps(_mm256_loadu_ps(x + i),
											  _mm256_castsi256_ps(turned)));
	}
	hx_dense_plain.flip(x + whole, count - whole, signs + whole / 8);
}

const HxDenseKernels hx_dense_avx2 = {
	.nibble_scores = hx_nibble_scores_avx2,
	.pair_scores = hx_pair_scores_avx2,
	.bit_scores = hx_bit_scores_avx2,
	.plane_scores = hx_plane_scores_avx2,
	.inner = hx_inner_avx2,
	.inner_many = hx_inner_many_avx2,
	.number_scores = hx_number_scores_avx2,
	.squares = hx_squares_avx2,
	.product = hx_product_avx2,
	.square = hx_square_avx2,
	.widen_half = hx_widen_half_avx2,
	.hadamard = hx_hadamard_avx2,
	.flip = hx_flip_avx2,
	.token_sums = hx_token_sums_avx2,
	.token_glances = hx_token_glances_avx2,
	.great_glances = hx_great_glances_avx2,
};

#endif /* HX_X86 */
