/*
 * kernel_bench.c
 *	  Nanoseconds a code of every kernel, level and common length, in cache.
 *
 *	kernel_bench [codes]
 */
#include "kernel/kernel.h"

#include <stdio.h>
#include <stdlib.h>
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
	HxCodes codes;			  /* codes, one behind the other */
	size_t bytes;			  /* of a plane */
	int planes;				  /* of a code */
	uint32_t *first;		  /* results */
	uint32_t *second;		  /* results of overlap */
	float *products;		  /* results of float_product */
} Bench;

typedef void (*BenchCall)(Bench *bench);

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

	if (count == 0)
		return EXIT_FAILURE;
	bench.query = malloc(MAX_BYTES);
	bench.floats = malloc(MAX_BYTES * 8 * sizeof(float));
	bench.first = malloc(count * sizeof(uint32_t));
	bench.second = malloc(count * sizeof(uint32_t));
	bench.products = malloc(count * sizeof(float));
	for (size_t i = 0; i < count * MAX_BYTES; i++)
		base[i] = (uint8_t) rand();
	for (size_t i = 0; i < MAX_BYTES; i++)
		bench.query[i] = (uint8_t) rand();
	for (size_t i = 0; i < MAX_BYTES * 8; i++)
		bench.floats[i] = (float) rand() / (float) RAND_MAX - 0.5f;
	bench.codes = (HxCodes){base, 0, count};

	printf("ns a code, %5zu codes    ", count);
	for (int i = 0; levels[i] != NULL; i++)
		printf(" %9s", levels[i]->name);
	printf("\n");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		bench_length(&bench, lengths[i]);
	bench_sparse(41, 107);
	bench_sparse(8, 107);
	bench_sparse(400, 400);
	bench_sparse(5, 2000);
	return EXIT_SUCCESS;
}
