/*
 * neon.c
 *	  Kernels for little-endian aarch64, whose baseline includes NEON.
 *
 * Key instructions, with about the latency and the instructions a cycle on
 * Neoverse N1:
 *
 *	cnt v.16b       2  2    bits of sixteen bytes
 *	uadalp v.4s     4  1    adds neighbours into wider lanes
 *	addv s, v.4s    3  1    sum of four lanes
 *	cmtst v.4s      2  2    bits of four dimensions to masks
 *	bsl v.16b       2  2    q where the bit is set, else -q
 *	fadd v.4s       2  2    latency bound: two codes at a time
 */
#include "kernel/level.h"

#ifdef HX_NEON

#include <arm_neon.h>

#define HX_POPCOUNT(word) ((uint64_t) __builtin_popcountll(word))
#include "kernel/words.h"

/* Codes of a float product at a time, and parts of its sixteen lanes */
#define HX_GROUP 2
#define HX_PARTS 4

/* The last `count` (1 to 15) bytes, in an order of our own, then zeros. */
HX_INLINE uint8x16_t
load_end(const uint8_t *bytes, size_t count)
{
	if (count < 8)
		return vcombine_u8(vcreate_u8(load_tail(bytes, count)), vcreate_u8(0));
	return vcombine_u8(vcreate_u8(load_word(bytes)),
					   vcreate_u8(load_tail(bytes + 8, count - 8)));
}

/* Sixteen bytes, or what is left of them. */
HX_INLINE uint8x16_t
load_part(const uint8_t *bytes, size_t left)
{
	return left >= 16 ? vld1q_u8(bytes) : load_end(bytes, left);
}

/* Adds counts of at most 32 a byte to 32-bit lanes. */
HX_INLINE uint32x4_t
add_counts(uint32x4_t sums, uint8x16_t counts)
{
	return vpadalq_u16(sums, vpaddlq_u8(counts));
}

/* Bits that differ in sixteen bytes, by byte. */
HX_INLINE uint8x16_t
differing_part(const uint8_t *a, const uint8_t *b)
{
	return vcntq_u8(veorq_u8(vld1q_u8(a), vld1q_u8(b)));
}

/* Hamming distances for a constant number of bytes, or any. */
HX_INLINE void
hamming_length(const uint8_t *query, size_t bytes, HxCodes codes,
			   uint32_t *differing)
{
	for (size_t i = 0; i < codes.count; i++)
	{
		const uint8_t *code = codes.base + i * codes.stride;
		uint32x4_t sums = vdupq_n_u32(0);
		size_t at = 0;

		for (; at + 64 <= bytes; at += 64)
		{
			uint8x16_t low =
				vaddq_u8(differing_part(query + at, code + at),
						 differing_part(query + at + 16, code + at + 16));
			uint8x16_t high =
				vaddq_u8(differing_part(query + at + 32, code + at + 32),
						 differing_part(query + at + 48, code + at + 48));

			sums = add_counts(sums, vaddq_u8(low, high));
		}
		for (; at < bytes; at += 16)
			sums = add_counts(
				sums, vcntq_u8(veorq_u8(load_part(query + at, bytes - at),
										load_part(code + at, bytes - at))));
		differing[i] = vaddvq_u32(sums);
	}
}

static void
hx_hamming_neon(const uint8_t *query, size_t bytes, HxCodes codes,
				uint32_t *differing)
{
	if (bytes == 64)
		hamming_length(query, 64, codes, differing);
	else
		hamming_length(query, bytes, codes, differing);
}

static void
hx_overlap_neon(const uint8_t *query, size_t bytes, HxCodes codes,
				uint32_t *both, uint32_t *either)
{
	uint32_t query_set = words_set(query, bytes);

	for (size_t i = 0; i < codes.count; i++)
	{
		const uint8_t *code = codes.base + i * codes.stride;
		uint32x4_t in_both = vdupq_n_u32(0);
		uint32x4_t set = vdupq_n_u32(0);

		for (size_t at = 0; at < bytes; at += 16)
		{
			uint8x16_t part = load_part(code + at, bytes - at);
			uint8x16_t held = load_part(query + at, bytes - at);

			set = add_counts(set, vcntq_u8(part));
			in_both = add_counts(in_both, vcntq_u8(vandq_u8(part, held)));
		}
		both[i] = vaddvq_u32(in_both);
		either[i] = query_set + vaddvq_u32(set) - both[i];
	}
}

/* Weighted bits of sixteen bytes of each plane. */
HX_INLINE uint16x8_t
part_levels(const uint8_t *a, const uint8_t *b, size_t plane_bytes, size_t left,
			int planes)
{
	uint8x16_t a_part[HX_PLANES];
	uint8x16_t b_part[HX_PLANES];
	uint16x8_t total = vdupq_n_u16(0);

	HX_UNROLL
	for (int i = 0; i < planes; i++)
	{
		a_part[i] = load_part(a + i * plane_bytes, left);
		b_part[i] = load_part(b + i * plane_bytes, left);
	}

	/* From the heaviest pairs down, doubling: at most 16 x 15 x 15 a lane */
	HX_UNROLL
	for (int places = 0; places <= 2 * (planes - 1); places++)
	{
		uint8x16_t counts = vdupq_n_u8(0);

		HX_UNROLL
		for (int i = 0; i < planes; i++)
		{
			int j = places - i;

			if (j >= 0 && j < planes)
				counts =
					vaddq_u8(counts, vcntq_u8(vandq_u8(a_part[i], b_part[j])));
		}
		total = vpadalq_u8(vaddq_u16(total, total), counts);
	}
	return total;
}

/* Level products for a constant number of planes. */
HX_INLINE void
level_product_planes(const uint8_t *query, size_t plane_bytes, int planes,
					 HxCodes codes, uint32_t *product)
{
	for (size_t i = 0; i < codes.count; i++)
	{
		const uint8_t *code = codes.base + i * codes.stride;
		uint32x4_t sums = vdupq_n_u32(0);

		for (size_t at = 0; at < plane_bytes; at += 16)
			sums = vpadalq_u16(sums,
							   part_levels(query + at, code + at, plane_bytes,
										   plane_bytes - at, planes));
		product[i] = vaddvq_u32(sums);
	}
}

static void
hx_level_product_neon(const uint8_t *query, size_t plane_bytes, int planes,
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

/* Sixteen lanes: 0-3, 4-7, 8-11, 12-15 */
typedef struct HxLanes
{
	float32x4_t part[HX_PARTS];
} HxLanes;

/* Sixteen bits of a plane, of which `left` bytes exist, in every lane. */
HX_INLINE uint32x4_t
spread_bits(const uint8_t *bytes, size_t left)
{
	uint32_t word = bytes[0];

	if (left > 1)
		word |= (uint32_t) bytes[1] << 8;
	return vdupq_n_u32(word);
}

/* The bits of dimensions 4p to 4p + 3 in a word of spread_bits. */
HX_INLINE uint32x4_t
bits_of_part(int p)
{
	static const uint32_t bits[HX_LANES] = {
		1 << 7,	 1 << 6,  1 << 5,  1 << 4,	1 << 3,	 1 << 2,  1 << 1, 1 << 0,
		1 << 15, 1 << 14, 1 << 13, 1 << 12, 1 << 11, 1 << 10, 1 << 9, 1 << 8};

	return vld1q_u32(bits + 4 * p);
}

/*
 * Four floats of the query times what the levels of four dimensions stand
 * for; spread[] holds the bits of each plane.
 */
HX_INLINE float32x4_t
four_terms(float32x4_t query, const uint32x4_t *spread, int p, int planes)
{
	float32x4_t step = vdupq_n_f32(0);

	if (planes == 1)
		return vbslq_f32(vtstq_u32(spread[0], bits_of_part(p)), query,
						 vnegq_f32(query));

	/* (2v - (2^b - 1)) / 2^(b-1) = sum of +-1 / 2^i: exact in every order */
	HX_UNROLL
	for (int i = 0; i < planes; i++)
	{
		const float unit = 1.0f / (float) (1 << i);

		step =
			vaddq_f32(step, vbslq_f32(vtstq_u32(spread[i], bits_of_part(p)),
									  vdupq_n_f32(unit), vdupq_n_f32(-unit)));
	}
	return vmulq_f32(query, step);
}

/* Adds sixteen dimensions to the lanes of `count` codes. */
HX_INLINE void
float_block(const float *query, int planes, const uint8_t *code, size_t left,
			size_t plane_bytes, size_t stride, int count, HxLanes *lanes)
{
	HX_UNROLL
	for (int c = 0; c < count; c++)
	{
		uint32x4_t spread[HX_PLANES];

		HX_UNROLL
		for (int i = 0; i < planes; i++)
			spread[i] = spread_bits(code + c * stride + i * plane_bytes, left);
		HX_UNROLL
		for (int p = 0; p < HX_PARTS; p++)
			lanes[c].part[p] =
				vaddq_f32(lanes[c].part[p], four_terms(vld1q_f32(query + 4 * p),
													   spread, p, planes));
	}
}

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

/*
 * Float products of `count` codes.  `tail` holds the query from the last
 * multiple of 16 dimensions on, filled up with zeros: adding a zero changes
 * no lane, for none is ever -0.
 */
HX_INLINE void
float_codes(const float *query, const float *tail, size_t dims, int planes,
			const uint8_t *code, size_t stride, int count, float *product)
{
	size_t plane_bytes = (dims + 7) / 8;
	size_t whole = dims / HX_LANES * HX_LANES;
	HxLanes lanes[HX_GROUP];

	HX_UNROLL
	for (int c = 0; c < count; c++)
	{
		HX_UNROLL
		for (int p = 0; p < HX_PARTS; p++)
			lanes[c].part[p] = vdupq_n_f32(0);
	}
	for (size_t d = 0; d < whole; d += HX_LANES)
		float_block(query + d, planes, code + d / 8, 2, plane_bytes, stride,
					count, lanes);
	if (whole < dims)
		float_block(tail, planes, code + whole / 8, plane_bytes - whole / 8,
					plane_bytes, stride, count, lanes);
	HX_UNROLL
	for (int c = 0; c < count; c++)
		product[c] = reduce_lanes(&lanes[c]);
}

/* Float products for a constant number of planes. */
HX_INLINE void
float_product_planes(const float *query, size_t dims, int planes, HxCodes codes,
					 float *product)
{
	size_t whole = dims / HX_LANES * HX_LANES;
	float tail[HX_LANES] = {0};
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

static void
hx_float_product_neon(const float *query, size_t dims, int planes,
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

/* Does any of four dimensions of a occur among four of b? */
HX_INLINE int
any_match(const int32_t *a_dims, const int32_t *b_dims)
{
	int32x4_t a = vld1q_s32(a_dims);
	int32x4_t b = vld1q_s32(b_dims);
	uint32x4_t low =
		vorrq_u32(vceqq_s32(a, b), vceqq_s32(a, vextq_s32(b, b, 1)));
	uint32x4_t high = vorrq_u32(vceqq_s32(a, vextq_s32(b, b, 2)),
								vceqq_s32(a, vextq_s32(b, b, 3)));

	return vmaxvq_u32(vorrq_u32(low, high)) != 0;
}

static double
hx_sparse_dot_neon(const int32_t *a_dims, const float *a_weights,
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
	while (i + 4 <= a_count && j + 4 <= b_count)
	{
		int32_t a_last = a_dims[i + 3];
		int32_t b_last = b_dims[j + 3];

		if (any_match(a_dims + i, b_dims + j))
			sum = sparse_merge(sum, a_dims + i, a_weights + i, 4, b_dims + j,
							   b_weights + j, 4);
		i += a_last <= b_last ? 4 : 0;
		j += b_last <= a_last ? 4 : 0;
	}
	return sparse_merge(sum, a_dims + i, a_weights + i, a_count - i, b_dims + j,
						b_weights + j, b_count - j);
}

/* Adds sixteen dimensions to the lanes of the three sums, in pairs. */
HX_INLINE void
dense_block(const float *a, const float *b, float64x2_t lanes[3][HX_LANES / 2])
{
	HX_UNROLL
	for (int i = 0; i < HX_LANES / 2; i++)
	{
		float64x2_t left = vcvt_f64_f32(vld1_f32(a + 2 * i));
		float64x2_t right = vcvt_f64_f32(vld1_f32(b + 2 * i));

		lanes[0][i] = vaddq_f64(lanes[0][i], vmulq_f64(left, right));
		lanes[1][i] = vaddq_f64(lanes[1][i], vmulq_f64(left, left));
		lanes[2][i] = vaddq_f64(lanes[2][i], vmulq_f64(right, right));
	}
}

/* Behind the last dimension both are 0: adding 0 changes no lane. */
static void
hx_dense_products_neon(const float *a, const float *b, size_t dims,
					   double products[3])
{
	size_t whole = dims / HX_LANES * HX_LANES;
	float64x2_t sums[3][HX_LANES / 2];

	for (int i = 0; i < 3 * HX_LANES / 2; i++)
		sums[i / (HX_LANES / 2)][i % (HX_LANES / 2)] = vdupq_n_f64(0);
	for (size_t d = 0; d < whole; d += HX_LANES)
		dense_block(a + d, b + d, sums);
	if (whole < dims)
	{
		float left[HX_LANES] = {0};
		float right[HX_LANES] = {0};

		for (size_t d = whole; d < dims; d++)
		{
			left[d - whole] = a[d];
			right[d - whole] = b[d];
		}
		dense_block(left, right, sums);
	}
	for (int p = 0; p < 3; p++)
	{
		double lanes[HX_LANES];

		for (int i = 0; i < HX_LANES / 2; i++)
			vst1q_f64(lanes + 2 * i, sums[p][i]);
		products[p] = sum_sixteen(lanes);
	}
}

/* Rows of a matrix at a time */
#define HX_ROWS 4

/* Sums of `count` rows, the rows at most HX_ROWS, a constant. */
HX_INLINE void
project_rows(const int16_t *x, size_t columns, const int8_t *weights, int count,
			 int32_t *sum)
{
	int32x4_t sums[HX_ROWS];
	size_t i = 0;

	HX_UNROLL
	for (int r = 0; r < count; r++)
		sums[r] = vdupq_n_s32(0);
	for (; i + 8 <= columns; i += 8)
	{
		int16x8_t held = vld1q_s16(x + i);

		HX_UNROLL
		for (int r = 0; r < count; r++)
		{
			int16x8_t row = vmovl_s8(vld1_s8(weights + r * columns + i));

			sums[r] = vmlal_s16(sums[r], vget_low_s16(held), vget_low_s16(row));
			sums[r] =
				vmlal_s16(sums[r], vget_high_s16(held), vget_high_s16(row));
		}
	}
	for (int r = 0; r < count; r++)
	{
		int32_t total = vaddvq_s32(sums[r]);

		for (size_t j = i; j < columns; j++)
			total += (int32_t) x[j] * weights[r * columns + j];
		sum[r] = total;
	}
}

static void
hx_project_neon(const int16_t *x, size_t columns, const int8_t *weights,
				size_t rows, int32_t *sum)
{
	size_t r = 0;

	for (; r + HX_ROWS <= rows; r += HX_ROWS)
		project_rows(x, columns, weights + r * columns, HX_ROWS, sum + r);
	for (; r < rows; r++)
		project_rows(x, columns, weights + r * columns, 1, sum + r);
}

/* Two words at a time, moving masks to bits, would be no faster. */
static uint64_t
hx_in_range_neon(const int64_t *words, size_t count, int64_t low, int64_t high)
{
	return range_bits(words, count, low, high);
}

static void
hx_line_neon(const int32_t *x, size_t count, double slope, double offset,
			 double *y)
{
	line_points(x, count, slope, offset, y);
}

static uint64_t
hx_not_above_neon(const double *x, size_t count, double most)
{
	return not_above_bits(x, count, most);
}

const HxKernels hx_kernels_neon = {
	.name = "neon",
	.hamming = hx_hamming_neon,
	.overlap = hx_overlap_neon,
	.level_product = hx_level_product_neon,
	.float_product = hx_float_product_neon,
	.table_product = hx_table_product_scalar,
	.sparse_dot = hx_sparse_dot_neon,
	.dense_products = hx_dense_products_neon,
	.project = hx_project_neon,
	.in_range = hx_in_range_neon,
	.line = hx_line_neon,
	.not_above = hx_not_above_neon,
	.block_maxima = hx_block_maxima_scalar,
	.add_heights = hx_add_heights_scalar,
	.steps = &hx_steps_plain,
	.dense = &hx_dense_neon,
};

#endif /* HX_NEON */
