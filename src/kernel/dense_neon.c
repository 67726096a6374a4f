/*
 * dense_neon.c
 *	  Kernels of dense vectors for little-endian aarch64.
 *
 * Key instructions, with about the latency and the instructions a cycle on
 * Neoverse N1:
 *
 *	smlal v.8h      4  1    eight levels times the query, to 16 bits
 *	sadalp v.4s     4  1    adds neighbours into wider lanes
 *	cmtst v.16b     2  2    a bit of sixteen bytes to masks
 *	fadd v.4s       2  2    latency bound: two rows at a time
 *	fcvtl v.4s      4  1    four halves to floats
 */
#include "kernel/level.h"

#ifdef HX_NEON

#include <arm_neon.h>
#include <string.h>

/* Bytes of a vector; rows of floats at a time; parts of their sixteen lanes */
#define HX_CHUNK 16
#define HX_GROUP 2
#define HX_PARTS 4

/* The end of a query and of a row, zeros behind */
typedef struct HxTail
{
	int8_t parts[8 * HX_CHUNK];
} HxTail;

/* Adds the products of sixteen bytes of nibbles. */
HX_INLINE int32x4_t
add_nibbles(int32x4_t sums, uint8x16_t row, int8x16_t first, int8x16_t second)
{
	int8x16_t low = vreinterpretq_s8_u8(vandq_u8(row, vdupq_n_u8(15)));
	int8x16_t high = vreinterpretq_s8_u8(vshrq_n_u8(row, 4));
	/* four products of at most 15 * 128 */
	int16x8_t products = vmull_s8(vget_low_s8(low), vget_low_s8(first));

	products = vmlal_s8(products, vget_high_s8(low), vget_high_s8(first));
	products = vmlal_s8(products, vget_low_s8(high), vget_low_s8(second));
	products = vmlal_s8(products, vget_high_s8(high), vget_high_s8(second));
	return vpadalq_s16(sums, products);
}

/* Adds the products of sixteen bytes of pairs of bits. */
HX_INLINE int32x4_t
add_bit_pairs(int32x4_t sums, uint8x16_t row, const int8_t *query,
			  size_t stride)
{
	/* eight products of at most 3 * 128 */
	int16x8_t products = vdupq_n_s16(0);

	HX_UNROLL
	for (int part = 0; part < 4; part++)
	{
		uint8x16_t moved = vshlq_u8(row, vdupq_n_s8((int8_t) (-2 * part)));
		int8x16_t levels = vreinterpretq_s8_u8(vandq_u8(moved, vdupq_n_u8(3)));
		int8x16_t met = vld1q_s8(query + (size_t) part * stride);

		products = vmlal_s8(products, vget_low_s8(levels), vget_low_s8(met));
		products = vmlal_s8(products, vget_high_s8(levels), vget_high_s8(met));
	}
	return vpadalq_s16(sums, products);
}

/* Adds the query's numbers where bits of sixteen bytes are set. */
HX_INLINE int32x4_t
add_bits(int32x4_t sums, uint8x16_t row, const int8_t *query, size_t stride)
{
	int16x8_t found = vdupq_n_s16(0);

	HX_UNROLL
	for (int part = 0; part < 8; part++)
	{
		int8x16_t set =
			vreinterpretq_s8_u8(vtstq_u8(row, vdupq_n_u8(1 << part)));

		found = vpadalq_s8(
			found, vandq_s8(set, vld1q_s8(query + (size_t) part * stride)));
	}
	return vpadalq_s16(sums, found);
}

/* Adds sixteen bytes of `parts` levels each; the query's parts are apart. */
HX_INLINE int32x4_t
add_levels(int32x4_t sums, int parts, uint8x16_t row, const int8_t *query,
		   size_t stride)
{
	if (parts == 2)
		return add_nibbles(sums, row, vld1q_s8(query),
						   vld1q_s8(query + stride));
	if (parts == 4)
		return add_bit_pairs(sums, row, query, stride);
	return add_bits(sums, row, query, stride);
}

/* Scores of codes of `parts` levels a byte, a constant. */
HX_INLINE void
level_scores(const int8_t *query, size_t bytes, int parts, HxCodes codes,
			 int32_t *score)
{
	size_t left = bytes % HX_CHUNK;
	size_t whole = bytes - left;
	HxTail tail = {{0}};

	for (int part = 0; part < parts && left > 0; part++)
		memcpy(tail.parts + part * HX_CHUNK,
			   query + (size_t) part * bytes + whole, left);
	for (size_t r = 0; r < codes.count; r++)
	{
		const uint8_t *row = codes.base + r * codes.stride;
		int32x4_t sums = vdupq_n_s32(0);

		for (size_t at = 0; at < whole; at += HX_CHUNK)
			sums =
				add_levels(sums, parts, vld1q_u8(row + at), query + at, bytes);
		if (left > 0)
		{
			uint8_t end[HX_CHUNK] = {0};

			memcpy(end, row + whole, left);
			sums = add_levels(sums, parts, vld1q_u8(end), tail.parts, HX_CHUNK);
		}
		score[r] = vaddvq_s32(sums);
	}
}

static void
hx_nibble_scores_neon(const int8_t *query, size_t bytes, HxCodes codes,
					  int32_t *score)
{
	level_scores(query, bytes, 2, codes, score);
}

static void
hx_pair_scores_neon(const int8_t *query, size_t bytes, HxCodes codes,
					int32_t *score)
{
	level_scores(query, bytes, 4, codes, score);
}

static void
hx_bit_scores_neon(const int8_t *query, size_t bytes, HxCodes codes,
				   int32_t *score)
{
	level_scores(query, bytes, 8, codes, score);
}

static void
hx_plane_scores_neon(const int8_t *query, size_t plane_bytes, int planes,
					 HxCodes codes, int32_t *score)
{
	plane_scores_by_bits(hx_bit_scores_neon, query, plane_bytes, planes, codes,
						 score);
}

/* Sixteen lanes: 0-3, 4-7, 8-11, 12-15 */
typedef struct HxLanes
{
	float32x4_t part[HX_PARTS];
} HxLanes;

/* Sum of sixteen lanes in the documented order. */
HX_INLINE float
reduce_lanes(const HxLanes *lanes)
{
	float32x4_t low = vaddq_f32(lanes->part[0], lanes->part[2]);
	float32x4_t high = vaddq_f32(lanes->part[1], lanes->part[3]);
	float32x4_t four = vaddq_f32(low, high);
	float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));

	return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

/* Adds sixteen dimensions: products, or squared differences. */
HX_INLINE void
add_floats(const float *query, const float *row, int squared, HxLanes *lanes)
{
	HX_UNROLL
	for (int p = 0; p < HX_PARTS; p++)
	{
		float32x4_t a = vld1q_f32(query + 4 * p);
		float32x4_t b = vld1q_f32(row + 4 * p);

		if (squared)
			a = b = vsubq_f32(a, b);
		lanes->part[p] = vaddq_f32(lanes->part[p], vmulq_f32(a, b));
	}
}

/* Adds the last dimensions, fewer than sixteen; behind them both are 0. */
HX_INLINE void
add_end(const float *query, const float *row, size_t left, int squared,
		HxLanes *lanes)
{
	float a[HX_LANES] = {0};
	float b[HX_LANES] = {0};

	memcpy(a, query, left * sizeof(float));
	memcpy(b, row, left * sizeof(float));
	add_floats(a, b, squared, lanes);
}

/* Sums of terms of the query and each row. */
HX_INLINE void
float_rows(const float *query, size_t dims, HxFloatRows rows, int squared,
		   float *sums)
{
	size_t whole = dims / HX_LANES * HX_LANES;

	for (size_t start = 0; start < rows.count; start += HX_GROUP)
	{
		size_t count = rows.count - start < HX_GROUP ? 1 : HX_GROUP;
		const float *row[HX_GROUP];
		HxLanes lanes[HX_GROUP];

		HX_UNROLL
		for (size_t c = 0; c < HX_GROUP; c++)
		{
			row[c] =
				rows.base + (start + (c < count ? c : count - 1)) * rows.stride;
			HX_UNROLL
			for (int p = 0; p < HX_PARTS; p++)
				lanes[c].part[p] = vdupq_n_f32(0);
		}
		for (size_t d = 0; d < whole; d += HX_LANES)
		{
			HX_UNROLL
			for (int c = 0; c < HX_GROUP; c++)
				add_floats(query + d, row[c] + d, squared, &lanes[c]);
		}
		for (size_t c = 0; c < count; c++)
		{
			if (whole < dims)
				add_end(query + whole, row[c] + whole, dims - whole, squared,
						&lanes[c]);
			sums[start + c] = reduce_lanes(&lanes[c]);
		}
	}
}

static void
hx_inner_neon(const float *query, size_t dims, HxFloatRows rows, float *product)
{
	float_rows(query, dims, rows, 0, product);
}

static void
hx_inner_many_neon(HxFloatRows queries, size_t dims, HxFloatRows rows,
				   float *product, size_t stride)
{
	inner_by_groups(hx_inner_neon, queries, dims, rows, product, stride);
}

static void
hx_squares_neon(const float *query, size_t dims, HxFloatRows rows,
				float *square)
{
	float_rows(query, dims, rows, 1, square);
}

/* Adds sixteen dimensions to lanes of double, in pairs. */
HX_INLINE void
add_doubles(const float *a, const float *b, int squared, float64x2_t *lanes)
{
	HX_UNROLL
	for (int i = 0; i < HX_LANES / 2; i++)
	{
		float64x2_t left = vcvt_f64_f32(vld1_f32(a + 2 * i));
		float64x2_t right = vcvt_f64_f32(vld1_f32(b + 2 * i));

		if (squared)
			left = right = vsubq_f64(left, right);
		lanes[i] = vaddq_f64(lanes[i], vmulq_f64(left, right));
	}
}

/* Sum of terms in double; behind the last dimension both are 0. */
HX_INLINE double
double_sum(const float *a, const float *b, size_t dims, int squared)
{
	size_t whole = dims / HX_LANES * HX_LANES;
	float64x2_t lanes[HX_LANES / 2];
	double held[HX_LANES];

	HX_UNROLL
	for (int i = 0; i < HX_LANES / 2; i++)
		lanes[i] = vdupq_n_f64(0);
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
	for (int i = 0; i < HX_LANES / 2; i++)
		vst1q_f64(held + 2 * i, lanes[i]);
	return sum_sixteen(held);
}

static double
hx_product_neon(const float *a, const float *b, size_t dims)
{
	return double_sum(a, b, dims, 0);
}

static double
hx_square_neon(const float *a, const float *b, size_t dims)
{
	return double_sum(a, b, dims, 1);
}

static void
hx_widen_half_neon(const uint16_t *from, size_t count, float *to)
{
	size_t whole = count / 4 * 4;

	for (size_t i = 0; i < whole; i += 4)
		vst1q_f32(to + i,
				  vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from + i))));
	hx_dense_plain.widen_half(from + whole, count - whole, to + whole);
}

/* The distances 1 and 2: partners, of which each second is negated. */
HX_INLINE float32x4_t
transform_four(float32x4_t x)
{
	static const uint32_t signs[2][4] = {{0, 1u << 31, 0, 1u << 31},
										 {0, 0, 1u << 31, 1u << 31}};
	uint32x4_t turned =
		veorq_u32(vreinterpretq_u32_f32(x), vld1q_u32(signs[0]));

	x = vaddq_f32(vrev64q_f32(x), vreinterpretq_f32_u32(turned));
	turned = veorq_u32(vreinterpretq_u32_f32(x), vld1q_u32(signs[1]));
	return vaddq_f32(vextq_f32(x, x, 2), vreinterpretq_f32_u32(turned));
}

/* Two distances at once, `distance` and twice that, both of whole vectors. */
HX_INLINE void
transform_quads(float *x, size_t count, size_t distance)
{
	for (size_t start = 0; start < count; start += 4 * distance)
	{
		for (size_t i = start; i < start + distance; i += 4)
		{
			float32x4_t a = vld1q_f32(x + i);
			float32x4_t b = vld1q_f32(x + i + distance);
			float32x4_t c = vld1q_f32(x + i + 2 * distance);
			float32x4_t d = vld1q_f32(x + i + 3 * distance);
			float32x4_t ab = vaddq_f32(a, b);
			float32x4_t a_b = vsubq_f32(a, b);
			float32x4_t cd = vaddq_f32(c, d);
			float32x4_t c_d = vsubq_f32(c, d);

			vst1q_f32(x + i, vaddq_f32(ab, cd));
			vst1q_f32(x + i + distance, vaddq_f32(a_b, c_d));
			vst1q_f32(x + i + 2 * distance, vsubq_f32(ab, cd));
			vst1q_f32(x + i + 3 * distance, vsubq_f32(a_b, c_d));
		}
	}
}

static void
hx_hadamard_neon(float *x, size_t count)
{
	size_t distance = 4;

	if (count < 4)
	{
		hx_dense_plain.hadamard(x, count);
		return;
	}
	for (size_t i = 0; i < count; i += 4)
		vst1q_f32(x + i, transform_four(vld1q_f32(x + i)));
	for (; 4 * distance <= count; distance *= 4)
		transform_quads(x, count, distance);
	for (size_t i = 0; distance < count && i < count / 2; i += 4)
	{
		float32x4_t a = vld1q_f32(x + i);
		float32x4_t b = vld1q_f32(x + i + count / 2);

		vst1q_f32(x + i, vaddq_f32(a, b));
		vst1q_f32(x + i + count / 2, vsubq_f32(a, b));
	}
}

static void
hx_flip_neon(float *x, size_t count, const uint8_t *signs)
{
	static const int32_t first[4] = {31, 30, 29, 28};
	size_t whole = count / 4 * 4;

	for (size_t i = 0; i < whole; i += 4)
	{
		uint32x4_t byte = vdupq_n_u32((uint32_t) signs[i / 8] >> i % 8);
		uint32x4_t turned =
			vandq_u32(vshlq_u32(byte, vld1q_s32(first)), vdupq_n_u32(1u << 31));
		uint32x4_t held = vreinterpretq_u32_f32(vld1q_f32(x + i));

		vst1q_f32(x + i, vreinterpretq_f32_u32(veorq_u32(held, turned)));
	}
	for (size_t i = whole; i < count; i++)
	{
		if (signs[i / 8] >> i % 8 & 1)
			x[i] = -x[i];
	}
}

/* Products of eight tokens with a code */
static inline int16x8_t
token_products(HxTokenTables tables, uint32_t code)
{
	int16x8_t sum =
		vaddq_s16(vld1q_s16(tables.first + (code & 0x7FF) * 8),
				  vld1q_s16(tables.second + (code >> 11 & 0x1FF) * 8));
	int16x4_t factor = vdup_n_s16(HX_TOKEN_FACTOR((int) (code >> 29)));

	sum = vaddq_s16(sum, vld1q_s16(tables.third + (code >> 20 & 0x1FF) * 8));
	return vcombine_s16(vshrn_n_s32(vmull_s16(vget_low_s16(sum), factor), 16),
						vshrn_n_s32(vmull_s16(vget_high_s16(sum), factor), 16));
}

static void
hx_token_sums_neon(HxTokenTables tables, const HxTokenLists *lists,
				   int32_t *sum)
{
	size_t start = lists->start;

	for (size_t i = 0; i < lists->count; i++)
	{
		size_t end = list_end(*lists, i);
		int16x8_t best;

		if (end > start)
		{
			best = token_products(tables, lists->codes[start]);
			for (size_t c = start + 1; c < end; c++)
				best = vmaxq_s16(best, token_products(tables, lists->codes[c]));
			sum[i] += vaddvq_s32(vpaddlq_s16(best));
		}
		start = end;
	}
}

static void
hx_token_glances_neon(const uint8_t *table, HxTokenLists lists, int32_t *glance)
{
	size_t start = lists.start;

	for (size_t i = 0; i < lists.count; i++)
	{
		size_t end = list_end(lists, i);
		uint8x8_t best = vdup_n_u8(0);

		for (size_t c = start; c < end; c++)
			best = vmax_u8(
				best, vld1_u8(table + lists.codes[c] % HX_TOKEN_FIRST * 8));
		glance[i] += vaddlv_u8(best);
		start = end;
	}
}

const HxDenseKernels hx_dense_neon = {
	.nibble_scores = hx_nibble_scores_neon,
	.pair_scores = hx_pair_scores_neon,
	.bit_scores = hx_bit_scores_neon,
	.plane_scores = hx_plane_scores_neon,
	.inner = hx_inner_neon,
	.inner_many = hx_inner_many_neon,
	.number_scores = hx_number_scores_plain,
	.squares = hx_squares_neon,
	.product = hx_product_neon,
	.square = hx_square_neon,
	.widen_half = hx_widen_half_neon,
	.hadamard = hx_hadamard_neon,
	.flip = hx_flip_neon,
	.token_sums = hx_token_sums_neon,
	.token_glances = hx_token_glances_neon,
	.great_glances = hx_great_glances_plain,
};

#endif /* HX_NEON */
