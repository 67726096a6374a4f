/*
 * scalar.c
 *	  The reference kernels, in plain C for the baseline instruction set.
 *
 * Every other level must give the same bits as this one.
 */
#include <string.h>

#include "kernel/level.h"

/*
 * The baseline of x86-64 has no popcount instruction, and the compiler's
 * builtin would call a table; other architectures are left to the compiler.
 */
#if defined(__x86_64__) || defined(__i386__)
HX_INLINE uint64_t
count_bits(uint64_t word)
{
	const uint64_t fives = UINT64_C(0x5555555555555555);
	const uint64_t threes = UINT64_C(0x3333333333333333);
	const uint64_t nibbles = UINT64_C(0x0f0f0f0f0f0f0f0f);
	const uint64_t ones = UINT64_C(0x0101010101010101);

	word -= word >> 1 & fives;
	word = (word & threes) + (word >> 2 & threes);
	word = (word + (word >> 4)) & nibbles;
	return word * ones >> 56;
}
#define HX_POPCOUNT(word) count_bits(word)
#else
#define HX_POPCOUNT(word) ((uint64_t) __builtin_popcountll(word))
#endif

#include "kernel/words.h"

static void
hx_hamming_scalar(const uint8_t *query, size_t bytes, HxCodes codes,
				  uint32_t *differing)
{
	words_hamming(query, bytes, codes, differing);
}

static void
hx_overlap_scalar(const uint8_t *query, size_t bytes, HxCodes codes,
				  uint32_t *both, uint32_t *either)
{
	words_overlaps(query, bytes, codes, both, either);
}

static void
hx_level_product_scalar(const uint8_t *query, size_t plane_bytes, int planes,
						HxCodes codes, uint32_t *product)
{
	words_products(query, plane_bytes, planes, codes, product);
}

/*
 * Adds `count` dimensions, at most the eight of one byte of every plane, to
 * their lanes; step[v] is what level v stands for.
 */
HX_INLINE void
add_dimensions(float *lane, const float *query, const uint8_t *code,
			   size_t plane_bytes, int planes, const float *step, int count)
{
	float steps[8];

	for (int d = 0; d < count; d++)
	{
		unsigned level = 0;

		HX_UNROLL
		for (int i = 0; i < planes; i++)
			level = level << 1 | (code[i * plane_bytes] >> (7 - d) & 1);
		steps[d] = step[level];
	}
	for (int d = 0; d < count; d++)
	{
		float term = query[d] * steps[d];

		lane[d] += term;
	}
}

/* Float products for a constant number of planes. */
HX_INLINE void
float_product_planes(const float *query, size_t dims, int planes, HxCodes codes,
					 float *product)
{
	size_t plane_bytes = (dims + 7) / 8;
	size_t whole = dims / 8;
	int levels = 1 << planes;
	float step[1 << HX_PLANES];

	for (int v = 0; v < levels; v++)
		step[v] = (float) (2 * v - (levels - 1)) / (float) (levels / 2);
	for (size_t i = 0; i < codes.count; i++)
	{
		const uint8_t *code = codes.base + i * codes.stride;
		float lane[HX_LANES] = {0};

		for (size_t byte = 0; byte < whole; byte++)
			add_dimensions(lane + byte % 2 * 8, query + 8 * byte, code + byte,
						   plane_bytes, planes, step, 8);
		if (whole < plane_bytes)
			add_dimensions(lane + whole % 2 * 8, query + 8 * whole,
						   code + whole, plane_bytes, planes, step,
						   (int) (dims % 8));
		for (int half = HX_LANES / 2; half > 0; half /= 2)
			for (int l = 0; l < half; l++)
				lane[l] += lane[l + half];
		product[i] = lane[0];
	}
}

static void
hx_float_product_scalar(const float *query, size_t dims, int planes,
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

void
hx_table_product_scalar(const float *tables, size_t dims, HxCodes codes,
						float *product)
{
	size_t plane_bytes = (dims + 7) / 8;

	for (size_t i = 0; i < codes.count; i++)
	{
		const uint8_t *code = codes.base + i * codes.stride;
		float sum = 0.0f;

		for (size_t d = 0; d < dims; d++)
		{
			unsigned level = 0;

			for (int p = 0; p < 4; p++)
				level =
					level << 1 |
					(code[(size_t) p * plane_bytes + d / 8] >> (7 - d % 8) & 1);
			sum += tables[16 * d + level];
		}
		product[i] = sum;
	}
}

/*
 * First position at or after `from` whose dimension is at least `dim`, or
 * `count`.  Doubling steps, then bisection: cheap when it is near.
 */
static size_t
gallop(const int32_t *dims, size_t from, size_t count, int32_t dim)
{
	size_t step = 1;
	size_t low = from;
	size_t high;

	if (from >= count || dims[from] >= dim)
		return from;
	while (step < count - low && dims[low + step] < dim)
	{
		low += step;
		step *= 2;
	}
	/* dims[low] < dim, and the answer is at most high */
	high = step < count - low ? low + step : count;
	while (high - low > 1)
	{
		size_t middle = low + (high - low) / 2;

		if (dims[middle] < dim)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* Product where a is much shorter than b: search b for each of a. */
static double
sparse_dot_gallop(const int32_t *a_dims, const float *a_weights, size_t a_count,
				  const int32_t *b_dims, const float *b_weights, size_t b_count)
{
	size_t at = 0;
	double sum = 0;

	for (size_t i = 0; i < a_count; i++)
	{
		at = gallop(b_dims, at, b_count, a_dims[i]);
		if (at == b_count)
			break;
		if (b_dims[at] == a_dims[i])
			sum += (double) a_weights[i] * (double) b_weights[at];
	}
	return sum;
}

double
hx_sparse_dot_scalar(const int32_t *a_dims, const float *a_weights,
					 size_t a_count, const int32_t *b_dims,
					 const float *b_weights, size_t b_count)
{
	if (a_count < b_count / HX_GALLOP_RATIO)
		return sparse_dot_gallop(a_dims, a_weights, a_count, b_dims, b_weights,
								 b_count);
	if (b_count < a_count / HX_GALLOP_RATIO)
		return sparse_dot_gallop(b_dims, b_weights, b_count, a_dims, a_weights,
								 a_count);
	return sparse_merge(0, a_dims, a_weights, a_count, b_dims, b_weights,
						b_count);
}

static void
hx_dense_products_scalar(const float *a, const float *b, size_t dims,
						 double products[3])
{
	double lanes[3][HX_LANES] = {{0}};

	for (size_t d = 0; d < dims; d++)
	{
		double left = a[d];
		double right = b[d];

		lanes[0][d % HX_LANES] += left * right;
		lanes[1][d % HX_LANES] += left * left;
		lanes[2][d % HX_LANES] += right * right;
	}
	for (int p = 0; p < 3; p++)
		products[p] = sum_sixteen(lanes[p]);
}

static void
hx_project_scalar(const int16_t *x, size_t columns, const int8_t *weights,
				  size_t rows, int32_t *sum)
{
	for (size_t r = 0; r < rows; r++)
	{
		const int8_t *row = weights + r * columns;
		int32_t total = 0;

		for (size_t i = 0; i < columns; i++)
			total += (int32_t) x[i] * row[i];
		sum[r] = total;
	}
}

static uint64_t
hx_in_range_scalar(const int64_t *words, size_t count, int64_t low,
				   int64_t high)
{
	return range_bits(words, count, low, high);
}

static void
hx_line_scalar(const int32_t *x, size_t count, double slope, double offset,
			   double *y)
{
	line_points(x, count, slope, offset, y);
}

static uint64_t
hx_not_above_scalar(const double *x, size_t count, double most)
{
	return not_above_bits(x, count, most);
}

/*
 * No branch tells where runs end, since nobody could foresee it: the last run is
 * written again with each of its postings.
 */
size_t
hx_block_maxima_scalar(const uint16_t *postings, size_t count, uint32_t *blocks,
					   uint32_t *maxima)
{
	uint32_t before = UINT32_MAX;
	uint32_t most = 0;
	size_t runs = 0;

	for (size_t i = 0; i < count; i++, postings += 3)
	{
		uint32_t block = postings[0] / HX_UNIT_BLOCK;
		uint32_t weight =
			(postings[1] | (uint32_t) postings[2] << 16) & 0x7fffffff;
		uint32_t is_new = block != before;

		most &= is_new - 1;
		most = weight > most ? weight : most;
		runs += is_new;
		blocks[runs - 1] = before = block;
		maxima[runs - 1] = most;
	}
	return runs;
}

void
hx_add_heights_scalar(const uint8_t *heights, size_t count, float step,
					  float *sums)
{
	for (size_t i = 0; i < count; i++)
		sums[i] += step * (float) heights[i];
}

const HxKernels hx_kernels_scalar = {
	.name = "scalar",
	.hamming = hx_hamming_scalar,
	.overlap = hx_overlap_scalar,
	.level_product = hx_level_product_scalar,
	.float_product = hx_float_product_scalar,
	.table_product = hx_table_product_scalar,
	.sparse_dot = hx_sparse_dot_scalar,
	.dense_products = hx_dense_products_scalar,
	.project = hx_project_scalar,
	.in_range = hx_in_range_scalar,
	.line = hx_line_scalar,
	.not_above = hx_not_above_scalar,
	.block_maxima = hx_block_maxima_scalar,
	.add_heights = hx_add_heights_scalar,
	.steps = &hx_steps_plain,
	.dense = &hx_dense_plain,
};
