/*
 * steps_avx2.c
 *	  The steps of encoding for x86-64 with AVX2.
 *
 * Four doubles are a register.  What is left behind the last whole eight goes
 * through the plain steps, which compute the same.
 */
#include "kernel/level.h"

#ifdef HX_X86

#ifdef HX_EMULATE
#include HX_EMULATE
#else
#include <immintrin.h>
#endif

#include "kernel/steps.h"

#define HX_AVX2 HX_TARGET("popcnt,avx2")

/* How many of `count` are in whole eights */
#define HX_WHOLE(count) ((count) & ~(size_t) 7)

/* Four floats as doubles. */
HX_INLINE HX_AVX2 __m256d
load_floats(const float *from)
{
	return _mm256_cvtps_pd(_mm_loadu_ps(from));
}

HX_AVX2 static int
hx_widen_avx2(const float *from, size_t count, double *to)
{
	__m256 zero = _mm256_setzero_ps();
	size_t whole = HX_WHOLE(count);
	int rest = hx_steps_plain.widen(from + whole, count - whole, to + whole);

	for (size_t i = 0; i < whole; i += 8)
	{
		__m256 eight = _mm256_loadu_ps(from + i);

		zero = _mm256_add_ps(zero, _mm256_mul_ps(eight, _mm256_setzero_ps()));
		_mm256_storeu_pd(to + i,
						 _mm256_cvtps_pd(_mm256_castps256_ps128(eight)));
		_mm256_storeu_pd(to + i + 4,
						 _mm256_cvtps_pd(_mm256_extractf128_ps(eight, 1)));
	}
	return _mm256_movemask_ps(_mm256_cmp_ps(zero, zero, _CMP_UNORD_Q)) == 0 &&
		   rest;
}

HX_AVX2 static double
hx_square_sum_avx2(const double *x, size_t count)
{
	__m256d low = _mm256_setzero_pd();
	__m256d high = _mm256_setzero_pd();
	size_t whole = HX_WHOLE(count);
	double lane[8];

	for (size_t i = 0; i < whole; i += 8)
	{
		__m256d first = _mm256_loadu_pd(x + i);
		__m256d second = _mm256_loadu_pd(x + i + 4);

		low = _mm256_add_pd(low, _mm256_mul_pd(first, first));
		high = _mm256_add_pd(high, _mm256_mul_pd(second, second));
	}
	_mm256_storeu_pd(lane, low);
	_mm256_storeu_pd(lane + 4, high);
	for (size_t i = whole; i < count; i++)
	{
		double square = x[i] * x[i];

		lane[i - whole] += square;
	}
	for (int half = 4; half > 0; half /= 2)
	{
		for (int l = 0; l < half; l++)
			lane[l] += lane[l + half];
	}
	return lane[0];
}

HX_AVX2 static void
hx_divide_avx2(double *x, double divisor, size_t count)
{
	__m256d by = _mm256_set1_pd(divisor);
	size_t whole = HX_WHOLE(count);

	for (size_t i = 0; i < whole; i += 4)
		_mm256_storeu_pd(x + i, _mm256_div_pd(_mm256_loadu_pd(x + i), by));
	hx_steps_plain.divide(x + whole, divisor, count - whole);
}

HX_AVX2 static void
hx_subtract_avx2(double *x, const float *less, size_t count)
{
	size_t whole = HX_WHOLE(count);

	for (size_t i = 0; i < whole; i += 4)
		_mm256_storeu_pd(x + i, _mm256_sub_pd(_mm256_loadu_pd(x + i),
											  load_floats(less + i)));
	hx_steps_plain.subtract(x + whole, less + whole, count - whole);
}

HX_AVX2 static void
hx_add_signed_avx2(double *x, size_t count, double weight, uint64_t bits)
{
	__m256d sign = _mm256_set1_pd(-0.0);
	__m256d weights = _mm256_set1_pd(weight);
	__m256i shift = _mm256_setr_epi64x(0, 1, 2, 3);
	__m256i clear = _mm256_set1_epi64x((int64_t) ~bits);
	size_t whole = HX_WHOLE(count);

	for (size_t i = 0; i < whole; i += 4)
	{
		/* a clear bit, as the sign of its lane, turns the weight */
		__m256d turned = _mm256_and_pd(
			sign, _mm256_castsi256_pd(_mm256_sllv_epi64(clear, shift)));

		_mm256_storeu_pd(x + i, _mm256_add_pd(_mm256_loadu_pd(x + i),
											  _mm256_xor_pd(weights, turned)));
		clear = _mm256_slli_epi64(clear, 4);
	}
	if (whole < count)
		hx_steps_plain.add_signed(x + whole, count - whole, weight,
								  bits << whole);
}

HX_AVX2 static void
hx_add_squares_avx2(double *sum, const float *word, double x, size_t count)
{
	__m256d from = _mm256_set1_pd(x);
	size_t whole = HX_WHOLE(count);

	for (size_t i = 0; i < whole; i += 4)
	{
		__m256d less = _mm256_sub_pd(from, load_floats(word + i));

		_mm256_storeu_pd(sum + i, _mm256_add_pd(_mm256_loadu_pd(sum + i),
												_mm256_mul_pd(less, less)));
	}
	hx_steps_plain.add_squares(sum + whole, word + whole, x, count - whole);
}

HX_AVX2 static double
hx_greatest_size_avx2(const double *x, size_t count)
{
	__m256d sign = _mm256_set1_pd(-0.0);
	__m256d low = _mm256_setzero_pd();
	__m256d high = _mm256_setzero_pd();
	size_t whole = HX_WHOLE(count);
	double lane[4];
	double largest;

	for (size_t i = 0; i < whole; i += 8)
	{
		low =
			_mm256_max_pd(_mm256_andnot_pd(sign, _mm256_loadu_pd(x + i)), low);
		high = _mm256_max_pd(_mm256_andnot_pd(sign, _mm256_loadu_pd(x + i + 4)),
							 high);
	}
	_mm256_storeu_pd(lane, _mm256_max_pd(low, high));
	largest = hx_steps_plain.greatest_size(x + whole, count - whole);
	for (int l = 0; l < 4; l++)
		largest = lane[l] > largest ? lane[l] : largest;
	return largest;
}

/* Four numbers scaled, and cut to integers above 0. */
HX_INLINE HX_AVX2 __m128i
scale_four(const double *x, __m256d factor, __m256d offset)
{
	return _mm256_cvttpd_epi32(
		_mm256_add_pd(_mm256_mul_pd(_mm256_loadu_pd(x), factor), offset));
}

HX_AVX2 static void
hx_quantize_avx2(const double *x, size_t count, double factor, int32_t limit,
				 int16_t *q)
{
	__m256d factors = _mm256_set1_pd(factor);
	__m256d offset = _mm256_set1_pd((double) limit + 1.5);
	__m128i less = _mm_set1_epi32(limit + 1);
	size_t whole = HX_WHOLE(count);

	for (size_t i = 0; i < whole; i += 8)
	{
		__m128i low = scale_four(x + i, factors, offset);
		__m128i high = scale_four(x + i + 4, factors, offset);

		_mm_storeu_si128((__m128i *) (void *) (q + i),
						 _mm_packs_epi32(_mm_sub_epi32(low, less),
										 _mm_sub_epi32(high, less)));
	}
	hx_steps_plain.quantize(x + whole, count - whole, factor, limit, q + whole);
}

/* Four sums as doubles. */
HX_INLINE HX_AVX2 __m256d
load_sums(const int32_t *sum)
{
	return _mm256_cvtepi32_pd(
		_mm_loadu_si128((const __m128i *) (const void *) sum));
}

HX_AVX2 static void
hx_affine_avx2(const int32_t *sum, const int32_t *less, size_t count,
			   double unit, const float *scale, const float *bias, double *y)
{
	__m256d units = _mm256_set1_pd(unit);
	size_t whole = HX_WHOLE(count);

	for (size_t i = 0; i < whole; i += 4)
	{
		__m256d step = _mm256_mul_pd(units, load_floats(scale + i));
		__m256d sums = load_sums(sum + i);

		if (less != NULL)
			sums = _mm256_add_pd(_mm256_mul_pd(sums, _mm256_set1_pd(128.0)),
								 load_sums(less + i));
		_mm256_storeu_pd(y + i, _mm256_add_pd(_mm256_mul_pd(sums, step),
											  load_floats(bias + i)));
	}
	hx_steps_plain.affine(sum + whole, less == NULL ? NULL : less + whole,
						  count - whole, unit, scale + whole, bias + whole,
						  y + whole);
}

/* Levels of four numbers, of `planes` bits; see hx_level(). */
HX_INLINE HX_AVX2 __m128i
four_levels(const double *y, int planes)
{
	__m256d half = _mm256_set1_pd((double) (1 << (planes - 1)));
	__m256d one = _mm256_set1_pd(1.0);
	__m256d numbers = _mm256_loadu_pd(y);
	__m256d level =
		_mm256_sub_pd(_mm256_ceil_pd(_mm256_add_pd(numbers, half)), one);
	__m256d lowest = _mm256_sub_pd(one, half);
	__m256d highest = _mm256_sub_pd(half, one);

	level = _mm256_and_pd(level, _mm256_cmp_pd(numbers, lowest, _CMP_GT_OQ));
	level = _mm256_blendv_pd(level, _mm256_add_pd(half, highest),
							 _mm256_cmp_pd(numbers, highest, _CMP_GT_OQ));
	return _mm256_cvttpd_epi32(level);
}

/* A code, `planes` being a constant. */
HX_INLINE HX_AVX2 void
code_planes(const double *y, size_t count, int planes, uint8_t *to,
			size_t plane_bytes)
{
	for (size_t i = 0; i < count; i += 8)
	{
		/* the first dimension is the most significant bit */
		__m256i levels = _mm256_permutevar8x32_epi32(
			_mm256_set_m128i(four_levels(y + i + 4, planes),
							 four_levels(y + i, planes)),
			_mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0));

		HX_UNROLL
		for (int p = 0; p < planes; p++)
			to[p * plane_bytes + i / 8] =
				(uint8_t) _mm256_movemask_ps(_mm256_castsi256_ps(
					_mm256_slli_epi32(levels, 32 - planes + p)));
	}
}

HX_AVX2 static void
hx_code_avx2(const double *y, size_t count, int planes, uint8_t *to,
			 size_t plane_bytes)
{
	size_t whole = HX_WHOLE(count);

	switch (planes)
	{
		case 1:
			code_planes(y, whole, 1, to, plane_bytes);
			break;
		case 2:
			code_planes(y, whole, 2, to, plane_bytes);
			break;
		case 3:
			code_planes(y, whole, 3, to, plane_bytes);
			break;
		default:
			code_planes(y, whole, 4, to, plane_bytes);
	}
	hx_steps_plain.code(y + whole, count - whole, planes, to + whole / 8,
						plane_bytes);
}

const HxSteps hx_steps_avx2 = {
	.widen = hx_widen_avx2,
	.square_sum = hx_square_sum_avx2,
	.divide = hx_divide_avx2,
	.subtract = hx_subtract_avx2,
	.add_signed = hx_add_signed_avx2,
	.add_squares = hx_add_squares_avx2,
	.greatest_size = hx_greatest_size_avx2,
	.quantize = hx_quantize_avx2,
	.affine = hx_affine_avx2,
	.code = hx_code_avx2,
};

#endif /* HX_X86 */
