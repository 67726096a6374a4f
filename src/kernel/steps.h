/*
 * steps.h
 *	  The steps of encoding a vector that are not products of integers.
 *
 * Every number is computed by single IEEE operations in double, in the order
 * that is written here, so every level gives the same bits.  No step reads or
 * writes outside of its arguments, which need the alignment of their types.
 */
#ifndef HX_STEPS_H
#define HX_STEPS_H

#include <stddef.h>
#include <stdint.h>

/* One pointer per step, all of one level */
typedef struct HxSteps
{
	/* to[i] = from[i]; returns whether all are finite */
	int (*widen)(const float *from, size_t count, double *to);

	/* Sum of squares in eight lanes, lane = i mod 8, added by halves */
	double (*square_sum)(const double *x, size_t count);

	/* x[i] = x[i] / divisor */
	void (*divide)(double *x, double divisor, size_t count);

	/* x[i] = x[i] - less[i] */
	void (*subtract)(double *x, const float *less, size_t count);

	/*
	 * x[i] + weight where bit i of `bits`, from the most significant, is set,
	 * else x[i] - weight; at most 64 numbers
	 */
	void (*add_signed)(double *x, size_t count, double weight, uint64_t bits);

	/* sum[i] = sum[i] + (x - word[i]) * (x - word[i]) */
	void (*add_squares)(double *sum, const float *word, double x, size_t count);

	/* The greatest size among finite numbers, 0 of none */
	double (*greatest_size)(const double *x, size_t count);

	/*
	 * q[i] = x[i] * factor, to the nearest integer, halves upwards; it must lie
	 * within -limit .. limit.
	 */
	void (*quantize)(const double *x, size_t count, double factor,
					 int32_t limit, int16_t *q);

	/*
	 * y[i] = sum[i] * (unit * scale[i]) + bias[i]; where `less` is not NULL, of
	 * sum[i] * 128 + less[i].
	 */
	void (*affine)(const int32_t *sum, const int32_t *less, size_t count,
				   double unit, const float *scale, const float *bias,
				   double *y);

	/*
	 * The code of numbers in units of levels, of 1 to 4 planes that are
	 * plane_bytes apart, the most significant first.  With b planes level v is
	 * from v - 2^(b-1), exclusive, to that plus one, inclusive.
	 */
	void (*code)(const double *y, size_t count, int planes, uint8_t *to,
				 size_t plane_bytes);
} HxSteps;

extern const HxSteps hx_steps_plain;
extern const HxSteps hx_steps_avx2;

/* Level of a number: whole numbers are borders, 0 is the middle one */
static inline int
hx_level(double y, int bits)
{
	double half = (double) (1 << (bits - 1));

	if (!(y > -half + 1.0))
		return 0;
	if (y > half - 1.0)
		return (1 << bits) - 1;
	/* borders belong to the level below, as 0 gives bit 0 */
	return (int) __builtin_ceil(y + half) - 1;
}

#endif /* HX_STEPS_H */
