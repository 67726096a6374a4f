/*
 * steps_test.c
 *	  The steps of encoding of every level, each against its formula.
 *
 *	steps_test [seed]
 *
 * Every argument has memory of its own, of its very size, so that a sanitizer
 * sees a byte read or written outside.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/level.h"
#include "random.h"

/* Arguments of one test, freed behind it */
#define MAX_FRESH 8

static void *held[MAX_FRESH];
static int held_count;
static int cases;
static int failures;

/* A finite number, small, large, zero or subnormal. */
static float
random_float(void)
{
	float number = (float) ((double) random_below(2000001) / 1e6 - 1);

	switch (random_below(8))
	{
		case 0:
			return 0.0f;
		case 1:
			return number * 1e38f;
		case 2:
			return number * 1e-40f;
		default:
			return number;
	}
}

/* Room for `count` items, until the end of the test */
static void *
fresh(size_t count, size_t size)
{
	return held[held_count++] = malloc(count * size > 0 ? count * size : 1);
}

static void
free_all(void)
{
	while (held_count > 0)
		free(held[--held_count]);
}

/* Counts a case; says what failed, for the first few. */
static void check(int good, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
check(int good, const char *format, ...)
{
	va_list arguments;

	cases++;
	if (good || failures++ >= 10)
		return;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

/* Level of a number, by counting the borders below it. */
static int
naive_level(double y, int planes)
{
	int level = 0;

	for (int border = 1 - (1 << (planes - 1)); border < 1 << (planes - 1);
		 border++)
		level += y > border;
	return level;
}

/* Random numbers in units of levels, many of them borders. */
static double
random_output(void)
{
	double y = (double) random_below(2001) / 100 - 10;

	switch (random_below(4))
	{
		case 0:
			return (double) random_below(21) - 10;
		case 1:
			return y * 1e20;
		default:
			return y;
	}
}

/* The code of `count` numbers against counted borders, beyond untouched. */
static void
test_code_step(const HxKernels *kernels, size_t count, int planes)
{
	double *y = fresh(count, sizeof(double));
	size_t bytes = (count + 7) / 8;
	uint8_t *code = fresh(bytes * planes, 1);
	size_t wrong = 0;

	for (size_t i = 0; i < count; i++)
		y[i] = random_output();
	memset(code, 0x55, bytes * planes);
	kernels->steps->code(y, count, planes, code, bytes);
	for (size_t i = 0; i < bytes * 8; i++)
	{
		int wanted = i < count ? naive_level(y[i], planes) : 0;
		int level = 0;

		for (int p = 0; p < planes; p++)
			level = level << 1 | (code[p * bytes + i / 8] >> (7 - i % 8) & 1);
		wrong += level != wanted;
	}
	check(wrong == 0, "code: %zu of %zu x %d", wrong, count, planes);
}

/* Steps from vectors to integers, each against its formula. */
static void
test_input_steps(const HxSteps *steps, size_t count)
{
	float *from = fresh(count, sizeof(float));
	double *x = fresh(count, sizeof(double));
	int16_t *q = fresh(count, sizeof(int16_t));
	double lane[8] = {0};
	double largest = 0;
	double divisor = 1 + (double) random_below(100) / 7;
	int32_t limit = 127 + (int32_t) random_below(32641);
	size_t wrong = 0;

	for (size_t i = 0; i < count; i++)
	{
		volatile double square;

		from[i] = random_float();
		square = (double) from[i] * from[i];
		lane[i % 8] = lane[i % 8] + square;
	}
	for (int half = 4; half > 0; half /= 2)
	{
		for (int l = 0; l < half; l++)
			lane[l] = lane[l] + lane[l + half];
	}
	check(steps->widen(from, count, x) == 1, "widen: %zu not finite", count);
	check(steps->square_sum(x, count) == lane[0], "square_sum: %zu", count);
	steps->divide(x, divisor, count);
	steps->subtract(x, from, count);
	for (size_t i = 0; i < count; i++)
	{
		volatile double quotient = from[i] / divisor;
		volatile double difference = quotient - from[i];

		wrong += x[i] != difference;
		largest = fabs(x[i]) > largest ? fabs(x[i]) : largest;
	}
	check(wrong == 0, "divide and subtract: %zu of %zu", wrong, count);
	check(steps->greatest_size(x, count) == largest, "greatest_size: %zu",
		  count);
	if (!(largest > 0))
		return;
	steps->quantize(x, count, limit / largest, limit, q);
	for (size_t i = 0; i < count; i++)
	{
		volatile double scaled = x[i] * (limit / largest);
		volatile double moved = scaled + (limit + 1.5);

		wrong += q[i] != floor(moved) - (limit + 1);
	}
	check(wrong == 0, "quantize: %zu of %zu, limit %d", wrong, count, limit);
	if (count == 0)
		return;
	from[random_below(count)] = random_below(2) ? INFINITY : NAN;
	check(steps->widen(from, count, x) == 0, "widen: %zu finite", count);
}

/* The step that adds a weight with signs against its formula. */
static void
test_signed_step(const HxSteps *steps, size_t count)
{
	double *x = fresh(count, sizeof(double));
	double wanted[64];
	double weight = random_float();
	uint64_t bits = next_random();

	for (size_t i = 0; i < count; i++)
	{
		x[i] = random_float();
		wanted[i] =
			bits & UINT64_C(1) << (63 - i) ? x[i] + weight : x[i] - weight;
	}
	steps->add_signed(x, count, weight, bits);
	check(memcmp(x, wanted, count * sizeof(double)) == 0, "add_signed: %zu",
		  count);
}

/* The step that adds squared distances against its formula. */
static void
test_square_step(const HxSteps *steps, size_t count)
{
	double *sum = fresh(count, sizeof(double));
	double *wanted = fresh(count, sizeof(double));
	float *word = fresh(count, sizeof(float));
	double x = random_float();

	for (size_t i = 0; i < count; i++)
	{
		volatile double less;
		volatile double square;

		word[i] = random_float();
		sum[i] = random_float();
		less = x - word[i];
		square = less * less;
		wanted[i] = sum[i] + square;
	}
	steps->add_squares(sum, word, x, count);
	check(memcmp(sum, wanted, count * sizeof(double)) == 0, "add_squares: %zu",
		  count);
}

/* The step from sums to outputs against its formula. */
static void
test_affine_step(const HxSteps *steps, size_t count)
{
	int32_t *sum = fresh(2 * count, sizeof(int32_t));
	float *scale = fresh(2 * count, sizeof(float));
	double *y = fresh(count, sizeof(double));
	double unit = 1 / (1 + (double) random_below(1000000));

	for (size_t i = 0; i < 2 * count; i++)
	{
		sum[i] = (int32_t) next_random();
		scale[i] = random_float();
	}
	for (int planes = 1; planes <= 2; planes++)
	{
		size_t wrong = 0;

		steps->affine(sum, planes == 2 ? sum + count : NULL, count, unit, scale,
					  scale + count, y);
		for (size_t i = 0; i < count; i++)
		{
			double whole =
				planes == 1 ? sum[i] : sum[i] * 128.0 + sum[count + i];
			volatile double step = unit * scale[i];
			volatile double scaled = whole * step;
			volatile double wanted = scaled + scale[count + i];

			wrong += y[i] != wanted;
		}
		check(wrong == 0, "affine: %zu of %zu x %d", wrong, count, planes);
	}
}

/* Heights added to sums, bit for bit */
static void
test_heights(const HxKernels *kernels, size_t count)
{
	uint8_t *heights = fresh(count, 1);
	float *sums = fresh(count, sizeof(float));
	float *wanted = fresh(count, sizeof(float));
	float step = (float) fabs(random_output());

	for (size_t i = 0; i < count; i++)
	{
		float product;

		heights[i] = (uint8_t) random_below(256);
		sums[i] = (float) random_below(1000) / 7;
		product = step * (float) heights[i];
		wanted[i] = sums[i] + product;
	}
	kernels->add_heights(heights, count, step, sums);
	check(memcmp(sums, wanted, count * sizeof(float)) == 0,
		  "add_heights: %zu of them", count);
}

static int
test_level(const HxKernels *kernels)
{
	cases = failures = 0;
	for (size_t count = 0; count <= 70; count++)
	{
		for (int repeat = 0; repeat < 20; repeat++)
		{
			test_input_steps(kernels->steps, count);
			free_all();
			test_affine_step(kernels->steps, count);
			free_all();
			if (count <= 64)
				test_signed_step(kernels->steps, count);
			free_all();
			test_square_step(kernels->steps, count);
			free_all();
			test_code_step(kernels, count, 1 + repeat % 4);
			free_all();
			test_heights(kernels, count);
			free_all();
		}
	}
	printf("%-6s %s, steps of encoding, heights: %d cases, %d failed\n",
		   failures ? "FAILED" : "ok", kernels->name, cases, failures);
	return failures != 0;
}

int
main(int argc, char **argv)
{
	uint64_t seed = (uint64_t) time(NULL) * 1000003 + (uint64_t) getpid();
	const HxKernels *const *levels = hx_kernel_levels();
	int failed = 0;
	int count = 0;

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	random_state = seed ? seed : 1;
	printf("seed %llu\n", (unsigned long long) seed);
	for (; levels[count] != NULL; count++)
		failed += test_level(levels[count]);
	printf("%d passed, %d failed\n", count - failed, failed);
	return failed != 0;
}
