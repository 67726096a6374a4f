/*
 * dense_test.c
 *	  The kernels of dense vectors of every level against formulas that are
 *	  written number by number, to the last bit.
 *
 *	dense_test [seed]
 */
#include <math.h>
#include <string.h>
#include <time.h>

#include "groups.h"
#include "kernel/level.h"

/* Greatest sizes that are tested */
#define MAX_BYTES 700
#define MAX_CODES 40
#define MAX_DIMS 1200
#define MAX_TRANSFORM 4096
#define ALL_HALVES 65536

static Area query_area;
static Area codes_area;
static Area left_area;
static Area right_area;
static Area results_area;

/* A float of common size, now and then a zero or one that is subnormal. */
static float
random_float(void)
{
	float number = (float) ((double) random_below(2000001) / 1e6 - 1);

	switch (random_below(12))
	{
		case 0:
			return 0.0f;
		case 1:
			return -0.0f;
		case 2:
			return number * 1e-40f;
		case 3:
			return number * 1e15f;
		default:
			return number;
	}
}

/* Memory for `count` floats, filled. */
static float *
place_floats(Area area, size_t count)
{
	float *floats = (float *) place(area, count * sizeof(float), sizeof(float));

	for (size_t i = 0; i < count; i++)
		floats[i] = random_float();
	return floats;
}

/* Memory for `count` bytes, random, all clear or all set. */
static uint8_t *
place_bytes(Area area, size_t count)
{
	uint8_t *bytes = place(area, count, 1);
	size_t kind = random_below(6);

	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t) (kind == 0	  ? 0
							  : kind == 1 ? 0xff
										  : random_below(256));
	return bytes;
}

/* Room for `count` results that end at a guard page */
static void *
place_results(size_t count)
{
	return results_area.start + results_area.size - 4 * count;
}

/* Scores of codes of one length against sums over the documented layout. */
static void
test_scores(const HxDenseKernels *kernels, size_t bytes, int width)
{
	size_t levels = 8 / (size_t) width * bytes;
	size_t stride = bytes + random_below(2) * random_below(40);
	size_t count = random_below(MAX_CODES + 1);
	int8_t *query = (int8_t *) place_bytes(query_area, levels);
	uint8_t *base =
		place_bytes(codes_area, count ? (count - 1) * stride + bytes : 0);
	HxCodes codes = {base, stride, count};
	int32_t *score = place_results(count);

	if (random_below(4) == 0)
		memset(query, random_below(2) ? 127 : -128, levels);
	if (width == 4)
		kernels->nibble_scores(query, bytes, codes, score);
	else if (width == 2)
		kernels->pair_scores(query, bytes, codes, score);
	else
		kernels->bit_scores(query, bytes, codes, score);
	for (size_t r = 0; r < count; r++)
	{
		int64_t wanted = 0;

		for (size_t i = 0; i < levels; i++)
		{
			uint8_t byte = base[r * stride + i % bytes];

			wanted += query[i] *
					  (byte >> width * (int) (i / bytes) & ((1 << width) - 1));
		}
		check(score[r] == wanted, "%d bits: row %zu of %zu, %zu bytes", width,
			  r, count, bytes);
	}
}

/* Levels whose bits lie in planes, against sums over the documented layout. */
static void
test_plane_scores(const HxDenseKernels *kernels, size_t bytes, int planes)
{
	size_t size = bytes * (size_t) planes;
	size_t stride = size + random_below(2) * random_below(40);
	size_t count = random_below(MAX_CODES + 1);
	int8_t *query = (int8_t *) place_bytes(query_area, 8 * bytes);
	uint8_t *base =
		place_bytes(codes_area, count ? (count - 1) * stride + size : 0);
	HxCodes codes = {base, stride, count};
	int32_t *score = place_results(count);

	if (random_below(4) == 0)
		memset(query, random_below(2) ? 127 : -128, 8 * bytes);
	kernels->plane_scores(query, bytes, planes, codes, score);
	for (size_t r = 0; r < count; r++)
	{
		int64_t wanted = 0;

		for (size_t i = 0; i < 8 * bytes; i++)
		{
			int level = 0;

			for (int p = 0; p < planes; p++)
				level = 2 * level +
						(base[r * stride + (size_t) p * bytes + i % bytes] >>
							 i / bytes &
						 1);
			wanted += query[i] * level;
		}
		check(score[r] == wanted, "%d planes: row %zu of %zu, %zu bytes",
			  planes, r, count, bytes);
	}
}

static void
test_all_scores(const char *name, const HxDenseKernels *kernels)
{
	begin_group("%s, scores of levels", name);
	for (size_t bytes = 0; bytes <= MAX_BYTES; bytes++)
	{
		for (int width = 1; width <= 4; width *= 2)
		{
			test_scores(kernels, bytes, width);
			if (bytes < 140 || bytes % 32 == 0)
				test_scores(kernels, bytes, width);
		}
	}
	end_group();
	begin_group("%s, scores of planes", name);
	for (int planes = 1; planes <= 4; planes++)
	{
		for (size_t bytes = 0; bytes * (size_t) planes <= MAX_BYTES; bytes++)
		{
			test_plane_scores(kernels, bytes, planes);
			if (bytes < 40)
				test_plane_scores(kernels, bytes, planes);
		}
	}
	end_group();
}

/* The longest rows, all of the greatest size: no sum may overflow. */
static void
test_long_scores(const char *name, const HxDenseKernels *kernels)
{
	uint8_t *row = malloc(HX_SCORED_BYTES);
	int8_t *query = malloc(8 * HX_SCORED_BYTES);
	HxCodes codes = {row, 0, 3};
	int32_t score[3];

	begin_group("%s, scores of long rows", name);
	memset(row, 0xff, HX_SCORED_BYTES);
	for (int size = -128; size <= 127; size += 255)
	{
		memset(query, size, 8 * HX_SCORED_BYTES);
		kernels->nibble_scores(query, HX_SCORED_BYTES, codes, score);
		check(score[2] == INT64_C(30) * size * HX_SCORED_BYTES, "nibbles: %d",
			  score[2]);
		kernels->pair_scores(query, HX_SCORED_BYTES, codes, score);
		check(score[2] == INT64_C(12) * size * HX_SCORED_BYTES, "pairs: %d",
			  score[2]);
		kernels->bit_scores(query, HX_SCORED_BYTES, codes, score);
		check(score[2] == INT64_C(8) * size * HX_SCORED_BYTES, "bits: %d",
			  score[2]);
		kernels->plane_scores(query, HX_SCORED_BYTES / 4, 4, codes, score);
		check(score[2] == INT64_C(30) * size * HX_SCORED_BYTES, "planes: %d",
			  score[2]);
	}
	end_group();
	free(row);
	free(query);
}

/* Sum of products or squared differences, one lane after the other. */
static float
naive_float(const float *a, const float *b, size_t dims, int squared)
{
	float lanes[HX_LANES];

	for (size_t l = 0; l < HX_LANES; l++)
	{
		volatile float sum = 0;

		for (size_t d = l; d < dims; d += HX_LANES)
		{
			volatile float difference = a[d] - b[d];
			volatile float term =
				squared ? difference * difference : a[d] * b[d];

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

/* The same in double. */
static double
naive_double(const float *a, const float *b, size_t dims, int squared)
{
	double lanes[HX_LANES];

	for (size_t l = 0; l < HX_LANES; l++)
	{
		volatile double sum = 0;

		for (size_t d = l; d < dims; d += HX_LANES)
		{
			volatile double difference = (double) a[d] - (double) b[d];
			volatile double term =
				squared ? difference * difference : (double) a[d] * b[d];

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

/* Sums over one query and some rows. */
static void
test_sums(const HxDenseKernels *kernels, size_t dims)
{
	size_t count = random_below(10);
	size_t stride = dims + random_below(2) * random_below(20);
	size_t extent = count ? (count - 1) * stride + dims : 0;
	float *query = place_floats(left_area, dims);
	HxFloatRows rows = {place_floats(right_area, extent), stride, count};
	float *sums = place_results(count);
	float wanted[10];

	for (int squared = 0; squared < 2; squared++)
	{
		(squared ? kernels->squares : kernels->inner)(query, dims, rows, sums);
		for (size_t r = 0; r < count; r++)
			wanted[r] =
				naive_float(query, rows.base + r * stride, dims, squared);
		check(memcmp(sums, wanted, count * sizeof(float)) == 0,
			  "%s: %zu rows of %zu", squared ? "squares" : "inner", count,
			  dims);
	}
	if (count == 0)
		return;
	check(kernels->product(query, rows.base, dims) ==
			  naive_double(query, rows.base, dims, 0),
		  "product: %zu", dims);
	check(kernels->square(query, rows.base, dims) ==
			  naive_double(query, rows.base, dims, 1),
		  "square: %zu", dims);
}

/* Products of some queries with some rows, in a table with gaps */
static void
test_products(const HxDenseKernels *kernels, size_t dims)
{
	size_t count[2] = {random_below(10), random_below(10)};
	size_t stride[2] = {dims + random_below(2) * random_below(20),
						dims + random_below(2) * random_below(20)};
	size_t gap = random_below(3);
	HxFloatRows both[2];
	float *products = place_results(10 * 12);
	float kept[10 * 12];

	for (int i = 0; i < 2; i++)
	{
		size_t extent = count[i] ? (count[i] - 1) * stride[i] + dims : 0;

		both[i].base = place_floats(i ? right_area : left_area, extent);
		both[i].stride = stride[i];
		both[i].count = count[i];
	}
	memcpy(kept, products, sizeof(kept));
	for (size_t q = 0; q < count[0]; q++)
		for (size_t r = 0; r < count[1]; r++)
			kept[q * (count[1] + gap) + r] =
				naive_float(both[0].base + q * stride[0],
							both[1].base + r * stride[1], dims, 0);
	kernels->inner_many(both[0], dims, both[1], products, count[1] + gap);
	check(memcmp(products, kept, sizeof(kept)) == 0,
		  "inner_many: %zu queries, %zu rows of %zu", count[0], count[1], dims);
}

static void
test_all_sums(const char *name, const HxDenseKernels *kernels)
{
	begin_group("%s, sums of floats", name);
	for (size_t dims = 0; dims <= MAX_DIMS; dims += dims < 200 ? 1 : 17)
	{
		test_sums(kernels, dims);
		test_sums(kernels, dims);
		test_products(kernels, dims);
	}
	end_group();
}

/* A half by its definition. */
static double
naive_half(unsigned half)
{
	int exponent = (int) (half >> 10 & 31);
	double fraction = half & 1023;
	double size = exponent == 31  ? (fraction > 0 ? NAN : INFINITY)
				  : exponent == 0 ? ldexp(fraction, -24)
								  : ldexp(fraction + 1024, exponent - 25);

	return half & 0x8000 ? -size : size;
}

/* Is the float what the half stands for: of NaN all bits, but quiet? */
static int
is_widened(float wide, unsigned half)
{
	double wanted = naive_half(half);
	uint32_t bits;

	memcpy(&bits, &wide, sizeof(bits));
	if (isnan(wanted))
		return bits ==
			   ((half & 0x8000) << 16 | 0x7fc00000 | (half & 1023) << 13);
	return wide == wanted && !signbit(wide) == !signbit(wanted);
}

/* All halves, in runs of every length. */
static void
test_halves(const char *name, const HxDenseKernels *kernels)
{
	unsigned next = 0;

	begin_group("%s, halves", name);
	for (size_t run = 0; next < ALL_HALVES; run = (run + 1) % MAX_DIMS)
	{
		size_t count = run < ALL_HALVES - next ? run : ALL_HALVES - next;
		uint16_t *from = (uint16_t *) place(left_area, 2 * count, 2);
		float *to = (float *) place(right_area, 4 * count, 4);

		for (size_t i = 0; i < count; i++)
			from[i] = (uint16_t) (next + i);
		kernels->widen_half(from, count, to);
		for (size_t i = 0; i < count; i++, next++)
			check(is_widened(to[i], next), "half %04x is %g", next, to[i]);
	}
	end_group();
}

/* The sum of x[i] with the signs of row `row` of the matrix */
static double
naive_hadamard(const float *x, size_t count, size_t row)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += __builtin_parityll(i & row) ? -(double) x[i] : (double) x[i];
	return sum;
}

/* Small integers, whose sums are exact, against the matrix; twice is count. */
static void
test_whole_transform(const HxDenseKernels *kernels, size_t count)
{
	float *x = (float *) place(left_area, 4 * count, 4);
	float *copy = (float *) place(right_area, 4 * count, 4);
	size_t wrong = 0;

	for (size_t i = 0; i < count; i++)
		x[i] = copy[i] = (float) random_below(201) - 100;
	kernels->hadamard(x, count);
	for (size_t row = 0; row < count; row += 1 + count / 64)
		wrong += x[row] != naive_hadamard(copy, count, row);
	check(wrong == 0, "hadamard: %zu of %zu", wrong, count);
	kernels->hadamard(x, count);
	for (size_t i = 0; i < count; i++)
		wrong += x[i] != (float) count * copy[i];
	check(wrong == 0, "hadamard twice: %zu of %zu", wrong, count);
}

/* Any floats against the plain level. */
static void
test_transform(const HxDenseKernels *kernels, size_t count)
{
	float *x = place_floats(left_area, count);
	float *copy = (float *) place(right_area, 4 * count, 4);

	memcpy(copy, x, 4 * count);
	kernels->hadamard(x, count);
	hx_dense_plain.hadamard(copy, count);
	check(memcmp(x, copy, 4 * count) == 0, "hadamard: %zu as plain", count);
}

/* Signs by bits, twice is as before. */
static void
test_flip(const HxDenseKernels *kernels, size_t count)
{
	float *x = place_floats(left_area, count);
	uint8_t *signs = place_bytes(codes_area, (count + 7) / 8);
	float *copy = (float *) place(right_area, 4 * count, 4);
	size_t wrong = 0;

	memcpy(copy, x, 4 * count);
	kernels->flip(x, count, signs);
	for (size_t i = 0; i < count; i++)
	{
		float wanted = signs[i / 8] & 1 << i % 8 ? -copy[i] : copy[i];

		wrong += memcmp(&wanted, &x[i], 4) != 0;
	}
	check(wrong == 0, "flip: %zu of %zu", wrong, count);
}

static void
test_transforms(const char *name, const HxDenseKernels *kernels)
{
	begin_group("%s, transforms", name);
	for (int repeat = 0; repeat < 20; repeat++)
	{
		for (size_t count = 1; count <= MAX_TRANSFORM; count *= 2)
		{
			test_whole_transform(kernels, count);
			test_transform(kernels, count);
		}
	}
	for (size_t count = 0; count <= 300; count++)
		test_flip(kernels, count);
	end_group();
}

/*
 * Lists of random codes, some empty, or all of one length, as the plain kernel adds them
 * up by their ends.
 */
static void
test_token_sums(const HxDenseKernels *kernels, size_t lists)
{
	static int16_t
		entries[(HX_TOKEN_FIRST + 2 * HX_TOKEN_OTHER) * HX_TOKEN_LANES];
	uint8_t *ends = place_bytes(codes_area, 6 * lists);
	uint32_t codes[64 * 16];
	HxTokenTables tables = {entries, entries + HX_TOKEN_FIRST * HX_TOKEN_LANES,
							entries + (HX_TOKEN_FIRST + HX_TOKEN_OTHER) *
										  HX_TOKEN_LANES};
	size_t length = random_below(2) == 0 ? 0 : 1 + random_below(15);
	HxTokenLists list = {codes, ends, 6, 0, lists, length};
	int32_t sum[64] = {0};
	int32_t expected[64] = {0};
	uint16_t end = 0;

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		entries[i] = (int16_t) (random_below(21001) - 10500);
	for (size_t i = 0; i < 64 * 16; i++)
		codes[i] = (uint32_t) random_below(1u << 16) << 16 |
				   (uint32_t) random_below(1u << 16);
	for (size_t i = 0; i < lists; i++)
	{
		end += length > 0 ? length : random_below(16);
		memcpy(ends + 6 * i, &end, sizeof(end));
	}
	kernels->token_sums(tables, &list, sum);
	list.length = 0;
	hx_dense_plain.token_sums(tables, &list, expected);
	check(memcmp(sum, expected, sizeof(sum)) == 0, "token sums: %zu as plain",
		  lists);
}

/*
 * Glances at lists of random codes, some empty, some longer than a kernel takes at
 * once, or all of one length, from a place within the codes on: as a formula
 * gives them, added to what was there.
 */
static void
test_token_glances(const HxDenseKernels *kernels, size_t lists, size_t longest,
				   int alike)
{
	static uint8_t table[HX_TOKEN_FIRST * HX_TOKEN_LANES];
	static uint32_t codes[4096];
	uint8_t *ends = place_bytes(codes_area, 6 * lists);
	HxTokenLists list = {
		codes, ends, 6, random_below(50), lists, alike ? longest : 0};
	int32_t glance[64];
	int32_t expected[64];
	uint16_t end = (uint16_t) list.start;

	for (size_t i = 0; i < sizeof(table); i++)
		table[i] = (uint8_t) random_below(256);
	for (size_t i = 0; i < 4096; i++)
		codes[i] = (uint32_t) random_below(1u << 16) << 16 |
				   (uint32_t) random_below(1u << 16);
	for (size_t i = 0; i < lists; i++)
	{
		size_t start = end;

		end += alike ? longest : random_below(longest);
		memcpy(ends + 6 * i, &end, sizeof(end));
		expected[i] = glance[i] = (int32_t) random_below(1000);
		for (int l = 0; l < HX_TOKEN_LANES; l++)
		{
			uint8_t most = 0;

			for (size_t c = start; c < end; c++)
				if (table[(codes[c] & 0x7FF) * 8 + l] > most)
					most = table[(codes[c] & 0x7FF) * 8 + l];
			expected[i] += most;
		}
	}
	kernels->token_glances(table, list, glance);
	check(memcmp(glance, expected, lists * sizeof(int32_t)) == 0,
		  "token glances: %zu of %zu as a formula", lists, longest);
}

/* Which glances are great, of all lengths, with some at the edges */
static void
test_great_glances(const HxDenseKernels *kernels, size_t count)
{
	int32_t *glance = place_results(count);
	int32_t least = 1 + (int32_t) random_below(100);
	uint64_t expected = 0;

	for (size_t i = 0; i < count; i++)
	{
		glance[i] = (int32_t) random_below(120) - 10;
		if (random_below(4) == 0)
			glance[i] = least - (int32_t) random_below(2);
		if (random_below(20) == 0)
			glance[i] = random_below(2) == 0 ? INT32_MIN : INT32_MAX;
		if (glance[i] <= 0 || glance[i] >= least)
			expected |= (uint64_t) 1 << i;
	}
	check(kernels->great_glances(glance, count, least) == expected,
		  "great glances: %zu as a formula", count);
}

/* Scores of random rows of small numbers, the ends among them, as a formula */
static void
test_number_scores(const HxDenseKernels *kernels, size_t dims)
{
	size_t stride = dims + random_below(3);
	size_t count = random_below(11);
	int16_t query[HX_NUMBERS];
	int8_t *rows = (int8_t *) place_bytes(
		codes_area, count > 0 ? (count - 1) * stride + dims : 0);
	int32_t score[16] = {0};
	int32_t expected[16] = {0};

	for (size_t d = 0; d < dims; d++)
		query[d] = (int16_t) (random_below(8) == 0
								  ? 32767 * (1 - 2 * (int) random_below(2))
								  : (int) random_below(65535) - 32767);
	for (size_t i = 0; count > 0 && i < (count - 1) * stride + dims; i++)
		rows[i] = (int8_t) (random_below(8) == 0
								? 127 * (1 - 2 * (int) random_below(2))
								: (int) random_below(255) - 127);
	for (size_t r = 0; r < count; r++)
		for (size_t d = 0; d < dims; d++)
			expected[r] += (int32_t) query[d] * rows[r * stride + d];
	kernels->number_scores(query, dims, rows, stride, count, score);
	check(memcmp(score, expected, sizeof(score)) == 0,
		  "number scores: %zu rows of %zu numbers as a formula", count, dims);
}

static void
test_level(const char *name, const HxDenseKernels *kernels)
{
	begin_group("%s, number scores", name);
	for (size_t dims = 1; dims <= HX_NUMBERS; dims += dims < 140 ? 1 : 31)
		for (int round = 0; round < 4; round++)
			test_number_scores(kernels, dims);
	end_group();
	begin_group("%s, token sums", name);
	for (size_t lists = 0; lists <= 64; lists++)
		test_token_sums(kernels, lists);
	end_group();
	begin_group("%s, token glances", name);
	for (size_t lists = 0; lists <= 64; lists++)
	{
		test_token_glances(kernels, lists, 16, 0);
		test_token_glances(kernels, lists, 40, 0);
		test_token_glances(kernels, lists, 1 + random_below(40), 1);
	}
	for (size_t lists = 0; lists <= 3; lists++)
		test_token_glances(kernels, lists, 1200, 0);
	end_group();
	begin_group("%s, great glances", name);
	for (size_t count = 0; count <= 64; count++)
		for (int round = 0; round < 4; round++)
			test_great_glances(kernels, count);
	end_group();
	test_all_scores(name, kernels);
	test_long_scores(name, kernels);
	test_all_sums(name, kernels);
	test_halves(name, kernels);
	test_transforms(name, kernels);
}

int
main(int argc, char **argv)
{
	uint64_t seed = (uint64_t) time(NULL) * 1000003 + (uint64_t) getpid();

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	random_state = seed ? seed : 1;
	printf("seed %llu\n", (unsigned long long) seed);
	query_area = make_area(8 * MAX_BYTES);
	codes_area = make_area((MAX_BYTES + 40) * MAX_CODES);
	left_area = make_area(4 * 10 * (MAX_DIMS + 20));
	right_area = make_area(4 * 10 * (MAX_DIMS + 20));
	results_area = make_area(4 * 3 * MAX_CODES);

#ifdef HX_EMULATE
	test_level("avx2", &hx_dense_avx2);
	test_level("avx512", &hx_dense_avx512);
	test_level("avx512 with VNNI", &hx_dense_vnni);
#else
	for (int i = 0; hx_kernel_levels()[i] != NULL; i++)
	{
		const HxKernels *kernels = hx_kernel_levels()[i];

		test_level(kernels->name, kernels->dense);
#ifdef HX_X86
		/* the same level on a machine that lacks VNNI */
		if (kernels->dense == &hx_dense_vnni)
			test_level("avx512 without VNNI", &hx_dense_avx512);
#endif
	}
#endif
	printf("%d passed, %d failed\n", passed, failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
