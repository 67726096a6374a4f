/*
 * kernel_test.c
 *	  The scalar kernels against formulas written bit by bit, and every other
 *	  level against the scalar ones, to the last bit.
 *
 *	kernel_test [seed]
 *
 * All data lie between pages that cannot be touched: now right behind the one,
 * at any alignment, now ending right before the other, so that a byte read or
 * written outside ends the program.
 *
 * Seen to fail: without one of the additions of counted bits in avx2.c.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "groups.h"
#include "kernel/level.h"
#include "kernel/rounding.h"
#include "random.h"

/* Greatest sizes that are tested */
#define MAX_CODES 70
#define MAX_WORDS 300
#define MAX_SPARSE 3000

/* Lengths to which counts of codes up to MAX_CODES are tested, and beyond */
#define SHORT_BYTES 300
#define FEW_CODES 11

/* One call's arguments */
typedef struct Case
{
	size_t bytes;		  /* of one plane */
	size_t dims;		  /* for float_product */
	int planes;			  /* of a code */
	const uint8_t *query; /* code */
	const float *floats;  /* float query */
	const float *tables;  /* sixteen numbers a dimension; or NULL */
	HxCodes codes;		  /* codes */
} Case;

/* Results of all operations but sparse_dot */
typedef struct Results
{
	uint32_t hamming[MAX_CODES];
	uint32_t both[MAX_CODES];
	uint32_t either[MAX_CODES];
	uint32_t levels[MAX_CODES];
	float floats[MAX_CODES];
	float tables[MAX_CODES]; /* codes of 4 planes alone */
} Results;

static Area query_area;
static Area floats_area;
static Area tables_area;
static Area codes_area;
static Area results_area;
static Area second_area;
static Area sparse_areas[4];

/* Random bytes; now and then few bits, most bits, none or all. */
static void
fill_bytes(uint8_t *to, size_t size)
{
	size_t kind = random_below(8);

	for (size_t i = 0; i < size; i++)
	{
		uint8_t byte = (uint8_t) (next_random() >> 32);

		if (kind == 0)
			byte = 0;
		else if (kind == 1)
			byte = 0xff;
		else if (kind == 2)
			byte &= (uint8_t) (next_random() >> 40);
		else if (kind == 3)
			byte |= (uint8_t) (next_random() >> 40);
		to[i] = byte;
	}
}

/* A finite float: common, zero of either sign, denormal, huge or any. */
static float
random_float(void)
{
	uint32_t bits = (uint32_t) (next_random() >> 32);
	size_t kind = random_below(12);
	float result;

	if (kind < 6)
		return (float) ((double) bits / 2147483648.0 - 1);
	if (kind == 6)
		bits &= 0x80000000;
	else if (kind == 7)
		bits &= 0x807fffff;
	else if (kind == 8)
		bits = (bits & 0x807fffff) | 0x7d000000;
	else if ((bits & 0x7f800000) == 0x7f800000)
		bits &= 0xbfffffff;
	memcpy(&result, &bits, sizeof(result));
	return result;
}

/* Arguments of a length; `most` is the greatest number of codes. */
static Case
make_case(size_t bytes, int planes, size_t most)
{
	size_t size = bytes * (size_t) planes;
	size_t strides[6] = {size,	   size + 1, (size + 7) / 8 * 8,
						 size / 2, 0,		 size + random_below(40)};
	size_t count = random_below(most + 1);
	size_t stride = strides[random_below(6)];
	size_t extent = count ? (count - 1) * stride + size : 0;
	uint8_t *query = place(query_area, size, 1);
	uint8_t *codes = place(codes_area, extent, 1);
	float *floats;
	Case made;

	made.bytes = bytes;
	made.planes = planes;
	made.dims = bytes ? bytes * 8 - random_below(8) : 0;
	floats = (float *) place(floats_area, made.dims * sizeof(float), 4);
	fill_bytes(query, size);
	fill_bytes(codes, extent);
	for (size_t i = 0; i < made.dims; i++)
		floats[i] = random_float();
	made.tables = NULL;
	if (planes == 4)
	{
		float *tables =
			(float *) place(tables_area, 16 * made.dims * sizeof(float), 4);

		for (size_t i = 0; i < 16 * made.dims; i++)
			tables[i] = random_float();
		made.tables = tables;
	}
	made.query = query;
	made.floats = floats;
	made.codes = (HxCodes){codes, stride, count};
	return made;
}

/* Runs all operations but sparse_dot, results ending at a guard page. */
static void
run_case(const HxKernels *kernels, const Case *test, Results *results)
{
	size_t size = test->bytes * (size_t) test->planes;
	size_t out = test->codes.count * sizeof(uint32_t);
	void *first = results_area.start + results_area.size - out;
	void *second = second_area.start + second_area.size - out;

	memset(results, 0, sizeof(*results));
	kernels->hamming(test->query, size, test->codes, first);
	memcpy(results->hamming, first, out);
	kernels->overlap(test->query, size, test->codes, first, second);
	memcpy(results->both, first, out);
	memcpy(results->either, second, out);
	kernels->level_product(test->query, test->bytes, test->planes, test->codes,
						   first);
	memcpy(results->levels, first, out);
	kernels->float_product(test->floats, test->dims, test->planes, test->codes,
						   first);
	memcpy(results->floats, first, out);
	if (test->tables != NULL)
	{
		kernels->table_product(test->tables, test->dims, test->codes, first);
		memcpy(results->tables, first, out);
	}
}

/* Bit of a dimension, from 0, of a plane. */
static unsigned
bit_of(const uint8_t *plane, size_t dim)
{
	return plane[dim / 8] & 0x80 >> dim % 8 ? 1 : 0;
}

/* Level of a dimension, from 0. */
static unsigned
level_of(const uint8_t *code, size_t bytes, int planes, size_t dim)
{
	unsigned level = 0;

	for (int plane = 0; plane < planes; plane++)
		level = 2 * level + bit_of(code + (size_t) plane * bytes, dim);
	return level;
}

/* The float product, one lane after the other. */
static float
naive_float(const Case *test, const uint8_t *code)
{
	int most = (1 << test->planes) - 1;
	float lanes[HX_LANES];
	float eight[8];
	float four[4];

	for (size_t l = 0; l < HX_LANES; l++)
	{
		volatile float sum = 0;

		for (size_t d = l; d < test->dims; d += HX_LANES)
		{
			int level = (int) level_of(code, test->bytes, test->planes, d);
			volatile float step =
				(float) ((2.0 * level - most) / ((most + 1) / 2));
			volatile float term = test->floats[d] * step;

			sum = sum + term;
		}
		lanes[l] = sum;
	}
	for (int l = 0; l < 8; l++)
		eight[l] = lanes[l] + lanes[l + 8];
	for (int l = 0; l < 4; l++)
		four[l] = eight[l] + eight[l + 4];
	return (four[0] + four[2]) + (four[1] + four[3]);
}

/* All operations but sparse_dot, bit by bit. */
static void
run_naive(const Case *test, Results *results)
{
	size_t bits = test->bytes * (size_t) test->planes * 8;

	memset(results, 0, sizeof(*results));
	for (size_t i = 0; i < test->codes.count; i++)
	{
		const uint8_t *code = test->codes.base + i * test->codes.stride;

		for (size_t d = 0; d < bits; d++)
		{
			unsigned a = bit_of(test->query, d);
			unsigned b = bit_of(code, d);

			results->hamming[i] += a != b;
			results->both[i] += a == 1 && b == 1;
			results->either[i] += a == 1 || b == 1;
		}
		for (size_t d = 0; d < test->bytes * 8; d++)
			results->levels[i] +=
				level_of(test->query, test->bytes, test->planes, d) *
				level_of(code, test->bytes, test->planes, d);
		results->floats[i] = naive_float(test, code);
		for (size_t d = 0; test->tables != NULL && d < test->dims; d++)
			results->tables[i] +=
				test->tables[16 * d + level_of(code, test->bytes, 4, d)];
	}
}

/* Counts the six comparisons of one case. */
static void
compare_results(const Case *test, const Results *got, const Results *wanted)
{
	char where[120];

	snprintf(where, sizeof(where),
			 "%zu bytes x %d planes, %zu dims, %zu codes, stride %zu",
			 test->bytes, test->planes, test->dims, test->codes.count,
			 test->codes.stride);
	check(memcmp(got->hamming, wanted->hamming, sizeof(got->hamming)) == 0,
		  "hamming: %s", where);
	check(memcmp(got->both, wanted->both, sizeof(got->both)) == 0,
		  "overlap, both: %s", where);
	check(memcmp(got->either, wanted->either, sizeof(got->either)) == 0,
		  "overlap, either: %s", where);
	check(memcmp(got->levels, wanted->levels, sizeof(got->levels)) == 0,
		  "level_product: %s", where);
	check(memcmp(got->floats, wanted->floats, sizeof(got->floats)) == 0,
		  "float_product: %s", where);
	check(memcmp(got->tables, wanted->tables, sizeof(got->tables)) == 0,
		  "table_product: %s", where);
}

/* One length against the formulas (kernels == NULL) or the scalar level. */
static void
test_length(const HxKernels *kernels, size_t bytes, size_t most)
{
	for (int planes = 1; planes <= HX_PLANES; planes++)
	{
		Case test = make_case(bytes, planes, most);
		Results got;
		Results wanted;

		if (kernels == NULL)
		{
			run_naive(&test, &wanted);
			run_case(&hx_kernels_scalar, &test, &got);
		}
		else
		{
			run_case(&hx_kernels_scalar, &test, &wanted);
			run_case(kernels, &test, &got);
		}
		compare_results(&test, &got, &wanted);
	}
}

/* Codes of whole words and of odd lengths. */
static void
test_codes(const HxKernels *kernels)
{
	size_t most = kernels == NULL ? 3 : FEW_CODES;

	begin_group("%s, codes of every odd length to %d bytes",
				kernels ? kernels->name : "scalar by formula", SHORT_BYTES);
	for (size_t bytes = 0; bytes <= SHORT_BYTES; bytes++)
		test_length(kernels, bytes,
					bytes > 80 && kernels == NULL ? most : MAX_CODES);
	end_group();

	begin_group("%s, codes of 0 to %d words",
				kernels ? kernels->name : "scalar by formula", MAX_WORDS);
	for (size_t words = 0; words <= MAX_WORDS; words++)
		test_length(kernels, 8 * words, most);
	end_group();
}

/*
 * A float query of one scale, whose components may be all the same, few, of falling
 * size or just between two steps.
 */
static void
fill_query(float *query, size_t dims)
{
	static const float scales[] = {1.0f, 1.0f, 1e30f, 1e-30f, 1e-44f};
	float scale = scales[random_below(5)];
	size_t kind = random_below(5);

	for (size_t d = 0; d < dims; d++)
	{
		float value = (float) random_below(2001) / 1000.0f - 1.0f;

		if (kind == 0)
			value = 1.0f;
		else if (kind == 1 && random_below(8) != 0)
			value = 0.0f;
		else if (kind == 2)
			value /= (float) (d + 1);
		else if (kind == 3)
			value = d == 0 ? 127.0f : (float) random_below(254) - 126.5f;
		query[d] = value * scale;
	}
}

/* Set the levels of a code by the signs of rounding errors: the farthest off. */
static void
fill_worst(uint8_t *code, const float *query, size_t dims, int planes,
		   const int8_t *numbers, const HxRounding *rounding, int sign)
{
	size_t plane_bytes = (dims + 7) / 8;
	double step = rounding->step * (1 << planes) / 4;

	memset(code, 0, plane_bytes * (size_t) planes);
	for (size_t d = 0; d < dims; d++)
	{
		double number = numbers[(7 - d % 8) * plane_bytes + d / 8];

		for (int p = 0; p < planes; p++)
			if ((query[d] - number * step) * sign > 0)
				code[(size_t) p * plane_bytes + d / 8] |=
					(uint8_t) (0x80 >> d % 8);
	}
}

/* Codes that are near and far from a rounded query: does its error bound all? */
static void
test_rounded(const HxKernels *kernels, size_t dims, int planes)
{
	size_t plane_bytes = (dims + 7) / 8;
	size_t bytes = plane_bytes * (size_t) planes;
	size_t numbers_size = hx_rounded_count(dims);
	int8_t *numbers = (int8_t *) place(query_area, numbers_size, 1);
	float *query = (float *) place(floats_area, dims * sizeof(float), 4);
	uint8_t *base = place(codes_area, 8 * bytes, 1);
	HxCodes codes = {base, bytes, 8};
	HxRounding rounding;
	int32_t scores[8];
	float products[8];

	fill_query(query, dims);
	if (!hx_round_query(query, dims, planes, numbers, &rounding))
	{
		for (size_t d = 0; d < dims; d++)
			check(query[d] == 0, "component %zu of a query of zeros", d);
		return;
	}
	for (size_t i = 0; i < numbers_size; i++)
		check(numbers[i] >= -127, "number %zu of a rounded query", i);
	fill_bytes(base, 8 * bytes);
	for (size_t i = 0; dims % 8 && i < 8 * (size_t) planes; i++)
		base[(i + 1) * plane_bytes - 1] &= (uint8_t) (0xff00 >> dims % 8);
	fill_worst(base, query, dims, planes, numbers, &rounding, 1);
	fill_worst(base + bytes, query, dims, planes, numbers, &rounding, -1);
	kernels->dense->plane_scores(numbers, plane_bytes, planes, codes, scores);
	kernels->float_product(query, dims, planes, codes, products);
	for (int i = 0; i < 8; i++)
	{
		double off =
			products[i] - (scores[i] * rounding.step + rounding.offset);

		off = off < 0 ? -off : off;
		check(off <= rounding.error,
			  "%zu dims x %d: product %g, %g off, at most %g", dims, planes,
			  products[i], off, rounding.error);
	}
}

/* Rounded queries: their codes' products lie within the bounds. */
static void
test_rounding(const HxKernels *kernels)
{
	begin_group("%s, rounded queries", kernels->name);
	for (size_t dims = 1; dims <= 600; dims++)
	{
		for (int planes = 1; planes <= HX_PLANES; planes++)
			test_rounded(kernels, dims, planes);
	}
	end_group();
}

/* Ascending dimensions with steps of 1 to `step`, in `dims`. */
static void
fill_sparse(int32_t *dims, float *weights, size_t count, size_t step)
{
	int64_t dim = (int64_t) random_below(step) - 1;

	for (size_t i = 0; i < count; i++)
	{
		dim += 1 + (int64_t) random_below(step);
		dims[i] = (int32_t) dim;
		weights[i] = random_float();
	}
}

/* The sparse product: every a against every b. */
static double
naive_sparse(const int32_t *a_dims, const float *a_weights, size_t a_count,
			 const int32_t *b_dims, const float *b_weights, size_t b_count)
{
	volatile double sum = 0;

	for (size_t i = 0; i < a_count; i++)
	{
		for (size_t j = 0; j < b_count; j++)
		{
			if (a_dims[i] == b_dims[j])
			{
				volatile double term = a_weights[i];

				term = term * b_weights[j];
				sum = sum + term;
			}
		}
	}
	return sum;
}

/* One sparse product against the formula. */
static void
test_sparse_pair(const HxKernels *kernels, size_t a_count, size_t b_count)
{
	static const size_t steps[] = {1, 2, 3, 10, 1000, 500000};
	int32_t *a_dims = (int32_t *) place(sparse_areas[0], a_count * 4, 4);
	int32_t *b_dims = (int32_t *) place(sparse_areas[1], b_count * 4, 4);
	float *a_weights = (float *) place(sparse_areas[2], a_count * 4, 4);
	float *b_weights = (float *) place(sparse_areas[3], b_count * 4, 4);
	size_t a_step = steps[random_below(6)];
	size_t b_step = random_below(2) ? a_step : steps[random_below(6)];
	double got;
	double wanted;

	fill_sparse(a_dims, a_weights, a_count, a_step);
	fill_sparse(b_dims, b_weights, b_count, b_step);
	/* Sharing a good part of the dimensions, whatever the steps */
	if (random_below(4) == 0)
		memcpy(b_dims, a_dims,
			   (a_count < b_count ? a_count : b_count) * sizeof(int32_t));
	for (size_t i = 1; i < b_count; i++)
	{
		if (b_dims[i] <= b_dims[i - 1])
			b_dims[i] = b_dims[i - 1] + 1;
	}
	wanted =
		naive_sparse(a_dims, a_weights, a_count, b_dims, b_weights, b_count);
	got = kernels->sparse_dot(a_dims, a_weights, a_count, b_dims, b_weights,
							  b_count);
	check(memcmp(&got, &wanted, sizeof(got)) == 0,
		  "sparse_dot: %zu by %zu terms, steps %zu and %zu, %.17g not %.17g",
		  a_count, b_count, a_step, b_step, got, wanted);
}

static void
test_sparse(const HxKernels *kernels)
{
	begin_group("%s, sparse products", kernels->name);
	for (size_t a_count = 0; a_count <= 40; a_count++)
	{
		for (size_t b_count = 0; b_count <= 40; b_count++)
			test_sparse_pair(kernels, a_count, b_count);
	}
	for (int i = 0; i < 1500; i++)
	{
		test_sparse_pair(kernels, random_below(200), random_below(200));
		test_sparse_pair(kernels, random_below(20), random_below(MAX_SPARSE));
		test_sparse_pair(kernels, random_below(MAX_SPARSE), random_below(20));
	}
	end_group();
}

/* Postings that the test of bounds of blocks has at most */
#define MAX_POSTINGS 200

/* Postings in order of slots, `step` apart at most, at the end of an area */
static uint16_t *
make_postings(size_t count, size_t step)
{
	uint16_t *postings =
		(uint16_t *) place(sparse_areas[0], count * 3 * sizeof(uint16_t), 2);
	size_t slot = random_below(40);

	for (size_t i = 0; i < count; i++)
	{
		float weight = random_float();

		postings[3 * i] = (uint16_t) (slot < 65535 ? slot : 65535);
		memcpy(postings + 3 * i + 1, &weight, sizeof(weight));
		slot += 1 + random_below(step);
	}
	return postings;
}

/* The runs of some postings against a plain loop; results end at a guard page. */
static void
test_maxima_of(const HxKernels *kernels, size_t count, size_t step)
{
	const uint16_t *postings = make_postings(count, step);
	uint32_t blocks[MAX_POSTINGS];
	float maxima[MAX_POSTINGS];
	size_t runs = 0;
	size_t got;

	for (size_t i = 0; i < count; i++)
	{
		uint32_t block = postings[3 * i] / HX_UNIT_BLOCK;
		float weight;

		memcpy(&weight, postings + 3 * i + 1, sizeof(weight));
		if (runs == 0 || blocks[runs - 1] != block)
		{
			blocks[runs] = block;
			maxima[runs++] = 0;
		}
		maxima[runs - 1] = fmaxf(maxima[runs - 1], fabsf(weight));
	}
	{
		uint32_t *numbers =
			(uint32_t *) place(sparse_areas[1], runs * sizeof(uint32_t), 4);
		uint32_t *most =
			(uint32_t *) place(sparse_areas[2], runs * sizeof(uint32_t), 4);

		got = kernels->block_maxima(postings, count, numbers, most);
		check(got == runs &&
				  memcmp(numbers, blocks, runs * sizeof(uint32_t)) == 0 &&
				  memcmp(most, maxima, runs * sizeof(uint32_t)) == 0,
			  "block_maxima: %zu postings, %zu apart, %zu runs not %zu", count,
			  step, got, runs);
	}
}

static void
test_maxima(const HxKernels *kernels)
{
	static const size_t steps[] = {1, 2, 5, 16, 40, 400};

	begin_group("%s, bounds of blocks", kernels->name);
	for (size_t count = 0; count <= MAX_POSTINGS; count++)
		for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++)
			test_maxima_of(kernels, count, steps[s]);
	end_group();
}

/* The ends of the range of dimensions. */
static void
test_sparse_limits(const HxKernels *kernels)
{
	int32_t dims[9];
	float weights[9];
	double sum;

	begin_group("%s, sparse products at the limits", kernels->name);
	for (int i = 0; i < 9; i++)
	{
		dims[i] = i == 0 ? 0 : INT32_MAX - 8 + i;
		weights[i] = (float) (1 << i);
	}
	sum = kernels->sparse_dot(dims, weights, 9, dims, weights, 9);
	check(sum == 87381, "dimensions up to INT32_MAX: %g", sum);
	sum = kernels->sparse_dot(dims, weights, 0, dims, weights, 9);
	check(sum == 0, "empty with nine: %g", sum);
	sum = kernels->sparse_dot(NULL, NULL, 0, NULL, NULL, 0);
	check(sum == 0, "empty with empty: %g", sum);
	end_group();
}

/* One product with a matrix against the formula. */
static void
test_matrix(const HxKernels *kernels, size_t columns, size_t rows, int16_t most)
{
	int16_t *x = (int16_t *) place(query_area, columns * 2, 2);
	int8_t *weights = (int8_t *) place(codes_area, columns * rows, 1);
	int32_t *sum = (int32_t *) (results_area.start + results_area.size -
								rows * sizeof(int32_t));
	int extreme = random_below(4) == 0;

	for (size_t i = 0; i < columns; i++)
		x[i] = (int16_t) (extreme ? (random_below(2) ? most : -most)
								  : (int) random_below(2u * most + 1) - most);
	for (size_t i = 0; i < columns * rows; i++)
		weights[i] = (int8_t) (extreme ? (random_below(2) ? 127 : -127)
									   : (int) random_below(255) - 127);
	if (extreme && rows > 0)
	{
		for (size_t i = 0; i < columns; i++)
			weights[i] = x[i] > 0 ? 127 : -127;
	}
	memset(sum, 0x55, rows * sizeof(int32_t));
	kernels->project(x, columns, weights, rows, sum);
	for (size_t r = 0; r < rows; r++)
	{
		int64_t wanted = 0;

		for (size_t i = 0; i < columns; i++)
			wanted += (int64_t) x[i] * weights[r * columns + i];
		check(sum[r] == wanted, "project: row %zu of %zu x %zu", r, rows,
			  columns);
	}
}

static void
test_project(const HxKernels *kernels)
{
	begin_group("%s, products with matrices", kernels->name);
	for (size_t columns = 0; columns <= 300; columns++)
		test_matrix(kernels, columns, random_below(12), 32767);
	for (int i = 0; i < 200; i++)
		test_matrix(kernels, random_below(500), random_below(MAX_CODES), 32767);
	for (size_t columns = 600; columns <= 4000; columns += 170)
		test_matrix(kernels, columns, 5,
					(int16_t) (INT32_MAX / (127 * columns)));
	end_group();
}

/* Sum of products of two dense vectors, one lane after the other. */
static double
naive_dense(const float *a, const float *b, size_t dims)
{
	double lanes[HX_LANES];

	for (size_t l = 0; l < HX_LANES; l++)
	{
		volatile double sum = 0;

		for (size_t d = l; d < dims; d += HX_LANES)
		{
			volatile double term = (double) a[d] * (double) b[d];

			sum = sum + term;
		}
		lanes[l] = sum;
	}
	for (size_t half = HX_LANES / 2; half > 0; half /= 2)
	{
		for (size_t l = 0; l < half; l++)
			lanes[l] = lanes[l] + lanes[l + half];
	}
	return lanes[0];
}

/* Dense products, the vectors ending at guard pages. */
static void
test_dense(const HxKernels *kernels)
{
	begin_group("%s, dense products", kernels->name);
	for (size_t i = 0; i < 600; i++)
	{
		size_t dims = i < 100 ? i : random_below(MAX_SPARSE);
		float *a =
			(float *) (sparse_areas[0].start + sparse_areas[0].size) - dims;
		float *b =
			(float *) (sparse_areas[1].start + sparse_areas[1].size) - dims;
		double got[3];

		for (size_t d = 0; d < dims; d++)
		{
			a[d] = random_float();
			b[d] = random_float();
		}
		kernels->dense_products(a, b, dims, got);
		check(got[0] == naive_dense(a, b, dims) &&
				  got[1] == naive_dense(a, a, dims) &&
				  got[2] == naive_dense(b, b, dims),
			  "dense_products: %zu dims", dims);
	}
	end_group();
}

/* A word near the ends of the range of integers, or near zero. */
static int64_t
random_word(void)
{
	static const int64_t centres[] = {INT64_MIN, 0, INT64_MAX};
	uint64_t near = random_below(7);

	return (int64_t) ((uint64_t) centres[random_below(3)] + near - 3);
}

/* Words in a range, the words ending at a guard page. */
static void
test_range(const HxKernels *kernels)
{
	begin_group("%s, words in a range", kernels->name);
	for (size_t i = 0; i < 65 * 200; i++)
	{
		size_t count = i % 65;
		int64_t *words =
			(int64_t *) (codes_area.start + codes_area.size) - count;
		int64_t low = random_word();
		int64_t high = random_word();
		uint64_t expected = 0;
		uint64_t got;

		if (low > high)
			low = high;
		for (size_t w = 0; w < count; w++)
		{
			words[w] = random_word();
			if (words[w] >= low && words[w] <= high)
				expected |= (uint64_t) 1 << w;
		}
		got = kernels->in_range(words, count, low, high);
		check(got == expected, "in_range: %zu words", count);
	}
	end_group();
}

/* Points of a line, and which are not above a number: NaN, infinite, zeros. */
static void
test_line(const HxKernels *kernels)
{
	static const double some[] = {-INFINITY, -1.1, -0.0, 0, 1, 2, NAN, 0x1p52};

	begin_group("%s, points of a line", kernels->name);
	for (size_t i = 0; i < 65 * 200; i++)
	{
		size_t count = i % 65;
		int32_t *x = (int32_t *) (codes_area.start + codes_area.size) - count;
		double slope = some[random_below(8)];
		double offset = some[random_below(8)];
		double most = some[random_below(8)];
		double y[64];
		uint64_t bits;

		for (size_t n = 0; n < count; n++)
			x[n] = (int32_t) random_below(5) - 2;
		kernels->line(x, count, slope, offset, y);
		bits = kernels->not_above(y, count, most);
		for (size_t n = 0; n < count; n++)
		{
			double product = x[n] * slope;
			double point = product + offset;

			check(y[n] == point || (isnan(y[n]) && isnan(point)), "line");
			check((bits >> n & 1) == !(point > most), "not_above");
		}
		check(count == 64 || bits >> count == 0, "not_above: bits behind");
	}
	end_group();
}

/* Large sums: no count may overflow a narrow lane. */
static void
test_long(const HxKernels *kernels)
{
	size_t bytes = 200000;
	uint8_t *ones = malloc(bytes * HX_PLANES);
	uint8_t *zeros = calloc(bytes, HX_PLANES);
	HxCodes codes = {ones, 0, 2};
	uint32_t first[2];
	uint32_t second[2];

	begin_group("%s, codes of %zu bytes", kernels->name, bytes);
	memset(ones, 0xff, bytes * HX_PLANES);
	kernels->hamming(zeros, bytes, codes, first);
	check(first[0] == bytes * 8 && first[1] == bytes * 8, "hamming: %u",
		  first[0]);
	kernels->overlap(ones, bytes, codes, first, second);
	check(first[0] == bytes * 8 && second[1] == bytes * 8, "overlap: %u, %u",
		  first[0], second[1]);
	for (int planes = 1; planes <= HX_PLANES; planes++)
	{
		uint32_t most = (1u << planes) - 1;

		kernels->level_product(ones, bytes, planes, codes, first);
		check(first[1] == bytes * 8 * most * most, "level_product: %u",
			  first[1]);
	}
	end_group();
	free(ones);
	free(zeros);
}

/* The choice by name. */
static void
test_choice(void)
{
	const HxKernels *const *levels = hx_kernel_levels();
	int last = 0;

	begin_group("choice of a level");
	check(hx_kernels == &hx_kernels_scalar, "first is %s", hx_kernels->name);
	check(levels[0] == &hx_kernels_scalar, "slowest is %s", levels[0]->name);
	for (; levels[last] != NULL; last++)
		check(hx_kernel_choose(levels[last]->name) == 0 &&
				  hx_kernels == levels[last],
			  "cannot choose %s", levels[last]->name);
	check(last <= HX_MAX_LEVELS, "%d levels", last);
	check(hx_kernel_choose("scalar") == 0, "cannot choose scalar");
	check(hx_kernel_choose("mmx") == -1, "could choose mmx");
	check(hx_kernel_choose("") == -1, "could choose nothing");
	check(hx_kernels == &hx_kernels_scalar, "a refused name changed to %s",
		  hx_kernels->name);
	check(hx_kernel_choose("auto") == 0 && hx_kernels == levels[last - 1],
		  "auto is %s", hx_kernels->name);
	end_group();
}

static void
test_level(const HxKernels *kernels)
{
	if (kernels != &hx_kernels_scalar)
		test_codes(kernels);
	test_sparse(kernels);
	test_sparse_limits(kernels);
	test_maxima(kernels);
	test_rounding(kernels);
	test_project(kernels);
	test_dense(kernels);
	test_range(kernels);
	test_line(kernels);
	test_long(kernels);
}

int
main(int argc, char **argv)
{
	uint64_t seed = (uint64_t) time(NULL) * 1000003 + (uint64_t) getpid();

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	random_state = seed ? seed : 1;
	printf("seed %llu\n", (unsigned long long) seed);

	query_area = make_area(8 * MAX_WORDS * HX_PLANES);
	floats_area = make_area(64 * MAX_WORDS * sizeof(float));
	tables_area = make_area(16 * 64 * MAX_WORDS * sizeof(float));
	codes_area = make_area((8 * MAX_WORDS * HX_PLANES + 40) * MAX_CODES);
	results_area = make_area(MAX_CODES * sizeof(uint32_t));
	second_area = make_area(MAX_CODES * sizeof(uint32_t));
	for (int i = 0; i < 4; i++)
		sparse_areas[i] = make_area(MAX_SPARSE * 4);

	test_choice();
	test_codes(NULL);
#ifdef HX_EMULATE
	test_level(&hx_kernels_avx2);
	test_level(&hx_kernels_avx512);
#else
	for (int i = 0; hx_kernel_levels()[i] != NULL; i++)
		test_level(hx_kernel_levels()[i]);
#endif
	printf("%d passed, %d failed\n", passed, failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
