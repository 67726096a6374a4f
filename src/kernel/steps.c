/*
 * steps.c
 *	  The steps of encoding in plain C.
 *
 * Loops over eight numbers at a time are written out, so that a compiler may
 * use the vectors that the baseline has.
 */
#include "kernel/level.h"
#include "kernel/steps.h"

#include <math.h>

/* Numbers at a time */
#define HX_EIGHT 8

static int
hx_widen_plain(const float *from, size_t count, double *to)
{
	float zero = 0.0f;

	/* 0 times infinity or NaN is NaN, which spoils the sum */
	for (size_t i = 0; i < count; i++)
	{
		to[i] = from[i];
		zero += from[i] * 0.0f;
	}
	return zero == 0.0f;
}

static double
hx_square_sum_plain(const double *x, size_t count)
{
	double lane[HX_EIGHT] = {0};

	for (size_t i = 0; i < count; i++)
	{
		double square = x[i] * x[i];

		lane[i % HX_EIGHT] += square;
	}
	for (int half = HX_EIGHT / 2; half > 0; half /= 2)
	{
		for (int l = 0; l < half; l++)
			lane[l] += lane[l + half];
	}
	return lane[0];
}

static void
hx_divide_plain(double *x, double divisor, size_t count)
{
	for (size_t i = 0; i < count; i++)
		x[i] /= divisor;
}

static void
hx_subtract_plain(double *x, const float *less, size_t count)
{
	for (size_t i = 0; i < count; i++)
		x[i] -= (double) less[i];
}

static void
hx_add_signed_plain(double *x, size_t count, double weight, uint64_t bits)
{
	double signs[2] = {-weight, weight};

	for (size_t i = 0; i < count; i++)
		x[i] += signs[bits >> (63 - i) & 1];
}

static void
hx_add_squares_plain(double *sum, const float *word, double x, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		double less = x - (double) word[i];
		double square = less * less;

		sum[i] += square;
	}
}

static double
hx_greatest_size_plain(const double *x, size_t count)
{
	double lane[HX_EIGHT] = {0};
	size_t i = 0;

	for (; i + HX_EIGHT <= count; i += HX_EIGHT)
	{
		for (int l = 0; l < HX_EIGHT; l++)
		{
			double size = fabs(x[i + l]);

			lane[l] = size > lane[l] ? size : lane[l];
		}
	}
	for (; i < count; i++)
		lane[0] = fabs(x[i]) > lane[0] ? fabs(x[i]) : lane[0];
	for (int l = 1; l < HX_EIGHT; l++)
		lane[0] = lane[l] > lane[0] ? lane[l] : lane[0];
	return lane[0];
}

static void
hx_quantize_plain(const double *x, size_t count, double factor, int32_t limit,
				  int16_t *q)
{
	/* what is cut off to an integer is positive */
	double offset = (double) limit + 1.5;

	for (size_t i = 0; i < count; i++)
	{
		double scaled = x[i] * factor;

		q[i] = (int16_t) ((int32_t) (scaled + offset) - (limit + 1));
	}
}

static void
hx_affine_plain(const int32_t *sum, const int32_t *less, size_t count,
				double unit, const float *scale, const float *bias, double *y)
{
	for (size_t i = 0; i < count; i++)
	{
		double step = unit * (double) scale[i];
		double whole = (double) sum[i];
		double scaled;

		if (less != NULL)
			whole = whole * 128.0 + (double) less[i];
		scaled = whole * step;
		y[i] = scaled + (double) bias[i];
	}
}

static void
hx_code_plain(const double *y, size_t count, int planes, uint8_t *to,
			  size_t plane_bytes)
{
	for (size_t at = 0; at < count; at += 8)
	{
		size_t end = count - at < 8 ? count - at : 8;
		uint8_t bytes[HX_PLANES] = {0};

		for (size_t i = 0; i < end; i++)
		{
			int level =
				planes == 1 ? y[at + i] > 0.0 : hx_level(y[at + i], planes);

			for (int p = 0; p < planes; p++)
				bytes[p] |=
					(uint8_t) ((level >> (planes - 1 - p) & 1) << (7 - i));
		}
		for (int p = 0; p < planes; p++)
			to[p * plane_bytes + at / 8] = bytes[p];
	}
}

const HxSteps hx_steps_plain = {
	.widen = hx_widen_plain,
	.square_sum = hx_square_sum_plain,
	.divide = hx_divide_plain,
	.subtract = hx_subtract_plain,
	.add_signed = hx_add_signed_plain,
	.add_squares = hx_add_squares_plain,
	.greatest_size = hx_greatest_size_plain,
	.quantize = hx_quantize_plain,
	.affine = hx_affine_plain,
	.code = hx_code_plain,
};
