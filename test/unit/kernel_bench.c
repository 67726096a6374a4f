/*
 * kernel_bench.c
 *	  Nanoseconds a code of every kernel, level and common length, in cache; of
 *	  kernels of dense vectors a row, or a vector.
 *
 *	kernel_bench [codes]
 */
#include "kernel/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Longest code; slices that a figure is the best of, and their length */
#define MAX_BYTES 1024
#define SLICES 40
#define SLICE_NS 4e5

/* Calls between two looks at the clock, which costs as much as a call */
#define CALLS 32

/* Everything a measured call reads and writes */
typedef struct Bench
{
	const HxKernels *kernels; /* level under test */
	uint8_t *query;			  /* query code */
	float *floats;			  /* float query */
	float *tables;			  /* sixteen numbers a dimension */
	HxCodes codes;			  /* codes, one behind the other */
	size_t bytes;			  /* of a plane */
	int planes;				  /* of a code */
	uint32_t *first;		  /* results */
	uint32_t *second;		  /* results of overlap */
	float *products;		  /* results of float_product */
	const float *rows;		  /* rows of floats, one behind the other */
	float *spare;			  /* a row that is changed */
} Bench;

typedef void (*BenchCall)(Bench *bench);

/* Floats of a row, beginning at the codes */
#define ROW_FLOATS(bench) ((bench)->bytes / sizeof(float))

static void
call_hamming(Bench *bench)
{
	bench->kernels->hamming(bench->query, bench->bytes, bench->codes,
							bench->first);
}

static void
call_overlap(Bench *bench)
{
	bench->kernels->overlap(bench->query, bench->bytes, bench->codes,
							bench->first, bench->second);
}

static void
call_level_product(Bench *bench)
{
	bench->kernels->level_product(bench->query, bench->bytes, bench->planes,
								  bench->codes, bench->first);
}

static void
call_float_product(Bench *bench)
{
	bench->kernels->float_product(bench->floats, bench->bytes * 8,
								  bench->planes, bench->codes, bench->products);
}

static void
call_table_product(Bench *bench)
{
	bench->kernels->table_product(bench->tables, bench->bytes * 8, bench->codes,
								  bench->products);
}

static void
call_nibble_scores(Bench *bench)
{
	bench->kernels->dense->nibble_scores((const int8_t *) bench->floats,
										 bench->bytes, bench->codes,
										 (int32_t *) bench->first);
}

static void
call_pair_scores(Bench *bench)
{
	bench->kernels->dense->pair_scores((const int8_t *) bench->floats,
									   bench->bytes, bench->codes,
									   (int32_t *) bench->first);
}

static void
call_bit_scores(Bench *bench)
{
	bench->kernels->dense->bit_scores((const int8_t *) bench->floats,
									  bench->bytes, bench->codes,
									  (int32_t *) bench->first);
}

static void
call_plane_scores(Bench *bench)
{
	bench->kernels->dense->plane_scores((const int8_t *) bench->floats,
										bench->bytes, bench->planes,
										bench->codes, (int32_t *) bench->first);
}

/* The codes as rows of floats */
static HxFloatRows
float_rows(const Bench *bench)
{
	HxFloatRows rows = {bench->rows, ROW_FLOATS(bench), bench->codes.count};

	return rows;
}

static void
call_inner(Bench *bench)
{
	bench->kernels->dense->inner(bench->floats, ROW_FLOATS(bench),
								 float_rows(bench), bench->products);
}

static void
call_squares(Bench *bench)
{
	bench->kernels->dense->squares(bench->floats, ROW_FLOATS(bench),
								   float_rows(bench), bench->products);
}

static void
call_product(Bench *bench)
{
	for (size_t i = 0; i < bench->codes.count; i++)
		bench->products[i] = (float) bench->kernels->dense->product(
			bench->floats, bench->rows + i * ROW_FLOATS(bench),
			ROW_FLOATS(bench));
}

static void
call_square(Bench *bench)
{
	for (size_t i = 0; i < bench->codes.count; i++)
		bench->products[i] = (float) bench->kernels->dense->square(
			bench->floats, bench->rows + i * ROW_FLOATS(bench),
			ROW_FLOATS(bench));
}

static void
call_dense_products(Bench *bench)
{
	double products[3];

	for (size_t i = 0; i < bench->codes.count; i++)
	{
		bench->kernels->dense_products(bench->floats,
									   bench->rows + i * ROW_FLOATS(bench),
									   ROW_FLOATS(bench), products);
		bench->products[i] = (float) products[0];
	}
}

/* Halves of the query's floats, each row's into one */
static void
call_widen_half(Bench *bench)
{
	for (size_t i = 0; i < bench->codes.count; i++)
		bench->kernels->dense->widen_half((const uint16_t *) bench->floats,
										  ROW_FLOATS(bench), bench->spare);
}

static void
call_hadamard(Bench *bench)
{
	for (size_t i = 0; i < bench->codes.count; i++)
	{
		memcpy(bench->spare, bench->rows + i * ROW_FLOATS(bench), bench->bytes);
		bench->kernels->dense->hadamard(bench->spare, ROW_FLOATS(bench));
	}
}

static void
call_flip(Bench *bench)
{
	for (size_t i = 0; i < bench->codes.count; i++)
		bench->kernels->dense->flip(bench->spare, ROW_FLOATS(bench),
									bench->query);
}

/* Processor time, for others may be busy too. */
static double
now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return 1e9 * (double) time.tv_sec + (double) time.tv_nsec;
}

/*
 * Nanoseconds a code: the best of all slices, which are short so that
 * one of them is likely to be undisturbed.
 */
static double
measure(Bench *bench, BenchCall call)
{
	double best = 1e300;

	for (int slice = 0; slice < SLICES; slice++)
	{
		double start = now_ns();
		double spent;
		size_t calls = 0;

		do
		{
			for (int i = 0; i < CALLS; i++)
				call(bench);
			calls += CALLS;
			spent = now_ns() - start;
		} while (spent < SLICE_NS);
		spent /= (double) calls * (double) bench->codes.count;
		if (spent < best)
			best = spent;
	}
	return best;
}

/* One line: an operation at one length, by every level. */
static void
bench_line(Bench *bench, const char *name, BenchCall call)
{
	const HxKernels *const *levels = hx_kernel_levels();

	bench->codes.stride = bench->bytes * (size_t) bench->planes;
	printf("%-14s %5zu bytes x %d", name, bench->bytes, bench->planes);
	for (int i = 0; levels[i] != NULL; i++)
	{
		bench->kernels = levels[i];
		printf(" %9.2f", measure(bench, call));
	}
	printf("\n");
	fflush(stdout);
}

/* Sparse products: the time of one whole, of `a_count` by `b_count` terms. */
static void
bench_sparse(size_t a_count, size_t b_count)
{
	const HxKernels *const *levels = hx_kernel_levels();
	int32_t *a_dims = malloc(a_count * sizeof(int32_t));
	int32_t *b_dims = malloc(b_count * sizeof(int32_t));
	float *weights = malloc((a_count + b_count) * sizeof(float));
	volatile double sink = 0;

	for (size_t i = 0; i < a_count; i++)
		a_dims[i] = (int32_t) (i * (30000 / a_count) + (size_t) rand() % 30);
	for (size_t i = 0; i < b_count; i++)
		b_dims[i] = (int32_t) (i * (30000 / b_count) + (size_t) rand() % 7);
	for (size_t i = 0; i < a_count + b_count; i++)
		weights[i] = (float) rand() / (float) RAND_MAX;
	printf("%-14s %5zu by %-6zu", "sparse_dot", a_count, b_count);
	for (int i = 0; levels[i] != NULL; i++)
	{
		double best = 1e300;

		for (int slice = 0; slice < SLICES; slice++)
		{
			double start = now_ns();
			double spent;

			for (int call = 0; call < 200; call++)
				sink += levels[i]->sparse_dot(a_dims, weights, a_count, b_dims,
											  weights + a_count, b_count);
			spent = (now_ns() - start) / 200;
			if (spent < best)
				best = spent;
		}
		printf(" %9.2f", best);
	}
	printf("\n");
	free(a_dims);
	free(b_dims);
	free(weights);
}

/* All operations at one length. */
static void
bench_length(Bench *bench, size_t bytes)
{
	bench->bytes = bytes;
	bench->planes = 1;
	bench_line(bench, "hamming", call_hamming);
	bench_line(bench, "overlap", call_overlap);
	for (int planes = 1; planes <= 4 && bytes * planes <= MAX_BYTES; planes++)
	{
		bench->planes = planes;
		bench_line(bench, "level_product", call_level_product);
		bench_line(bench, "float_product", call_float_product);
		bench_line(bench, "plane_scores", call_plane_scores);
		if (planes == 4)
			bench_line(bench, "table_product", call_table_product);
	}
}

/* Dense vectors: codes of a length, and rows of dimensions. */
static void
bench_dense(Bench *bench)
{
	static const size_t codes[] = {32, 64, 96, 125, 192};
	static const size_t dims[] = {128, 512, 1024, 2048};

	bench->planes = 1;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
	{
		bench->bytes = codes[i];
		bench_line(bench, "nibble_scores", call_nibble_scores);
		bench_line(bench, "pair_scores", call_pair_scores);
		bench_line(bench, "bit_scores", call_bit_scores);
	}
	for (size_t i = 0; i < sizeof(dims) / sizeof(dims[0]); i++)
	{
		bench->bytes = dims[i] * sizeof(float);
		bench_line(bench, "inner", call_inner);
		bench_line(bench, "squares", call_squares);
		bench_line(bench, "product", call_product);
		bench_line(bench, "square", call_square);
		bench_line(bench, "dense_products", call_dense_products);
		bench_line(bench, "widen_half", call_widen_half);
		bench_line(bench, "hadamard", call_hadamard);
		bench_line(bench, "flip", call_flip);
	}
}

int
main(int argc, char **argv)
{
	static const size_t lengths[] = {8,	 16,  24,  32,	48,	 64,
									 96, 128, 192, 256, 512, 1024};
	const HxKernels *const *levels = hx_kernel_levels();
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 256;
	Bench bench = {0};
	uint8_t *base = malloc(count * MAX_BYTES);
	float *rows = malloc(count * MAX_BYTES * 8);

	if (count == 0)
		return EXIT_FAILURE;
	bench.query = malloc(MAX_BYTES);
	bench.floats = malloc(MAX_BYTES * 8 * sizeof(float));
	bench.tables = calloc(MAX_BYTES * 8 * 16, sizeof(float));
	bench.first = malloc(count * sizeof(uint32_t));
	bench.second = malloc(count * sizeof(uint32_t));
	bench.products = malloc(count * sizeof(float));
	for (size_t i = 0; i < count * MAX_BYTES; i++)
		base[i] = (uint8_t) rand();
	for (size_t i = 0; i < MAX_BYTES; i++)
		bench.query[i] = (uint8_t) rand();
	for (size_t i = 0; i < MAX_BYTES * 8; i++)
		bench.floats[i] = (float) rand() / (float) RAND_MAX - 0.5f;
	for (size_t i = 0; i < count * MAX_BYTES * 2; i++)
		rows[i] = (float) rand() / (float) RAND_MAX - 0.5f;
	bench.codes = (HxCodes){base, 0, count};
	bench.rows = rows;
	bench.spare = calloc(MAX_BYTES * 8, 1);

	printf("ns a code, %5zu codes    ", count);
	for (int i = 0; levels[i] != NULL; i++)
		printf(" %9s", levels[i]->name);
	printf("\n");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		bench_length(&bench, lengths[i]);
	bench_dense(&bench);
	bench_sparse(41, 107);
	bench_sparse(8, 107);
	bench_sparse(400, 400);
	bench_sparse(5, 2000);
	return EXIT_SUCCESS;
}
