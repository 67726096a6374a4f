/*
 * quantize.c
 *	  Rows of embedding tables in fewer bytes: quantize and dequantize.
 *
 * A row becomes a bytea, the same on every machine:
 *
 *	   byte 0        bits a number: 4, 8 or 16; plus 128 where the last half byte
 *	                 of an odd number of 4 bits is not used, and 0
 *	   bytes 1 to 4  the scale, a float, little-endian
 *	   then          8 bits: signed whole numbers from -127 to 127
 *	                 4 bits: two in a byte, the first in its low half, -7 to 7 as
 *	                 two's complement
 *	                 16 bits: IEEE halves, little-endian
 *
 * A number is the scale times what is stored.  The scale of 8 bits is the row's
 * greatest number divided by 127.  Of 4 bits it is the one of some smaller ones
 * that has the least squared error: rounding all numbers better is worth more
 * than the few that are cut off.  Of halves it is a power of two, so that rows
 * of any size keep 11 bits.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compat.h"
#include "kernel/kernel.h"
#include "type/dense.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_quantize);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dequantize);

/* Bytes before the numbers, and the flag of an unused half byte */
#define HEADER 5
#define IS_ODD 0x80

/* Scales tried for 4 bits, as hundredths of the greatest */
#define LEAST_SHARE 40
#define SHARE_STEP 4

/*
 * Numbers to bytes
 */

/* The number of steps that is nearest, of at most `most` on either side */
static int
round_to_steps(double value, double scale, int most)
{
	double steps = scale > 0.0 ? rint(value / scale) : 0.0;

	return (int) Min(Max(steps, -most), most);
}

/* Squared error of rounding with a scale */
static double
measure_error(const float *values, int count, double scale, int most)
{
	double sum = 0.0;

	for (int i = 0; i < count; i++)
	{
		double error =
			values[i] - scale * round_to_steps(values[i], scale, most);

		sum += error * error;
	}
	return sum;
}

/* The scale for a row whose greatest number is `largest` */
static float
choose_scale(const float *values, int count, int bits, double largest)
{
	double best_error;
	float best;
	int exponent;

	if (largest == 0.0)
		return 0.0f;
	if (bits == 8)
		return (float) (largest / 127.0);
	if (bits == 16)
	{
		(void) frexp(largest, &exponent);
		/* the scale is a normal number itself */
		return (float) ldexp(1.0, Min(Max(exponent, -125), 127));
	}
	best = (float) (largest / 7.0);
	best_error = measure_error(values, count, best, 7);
	for (int share = 100 - SHARE_STEP; share >= LEAST_SHARE;
		 share -= SHARE_STEP)
	{
		float scale = (float) (largest / 7.0 * share / 100.0);
		double error = measure_error(values, count, scale, 7);

		if (error < best_error)
		{
			best = scale;
			best_error = error;
		}
	}
	return best;
}

/* The half that is nearest to a number below 2 */
static uint16
round_to_half(double value)
{
	uint16 sign = signbit(value) ? 0x8000 : 0;
	double size = fabs(value);
	int exponent;
	double share;

	Assert(size < 2.0);
	if (size < 0x1p-14)
		return sign | (uint16) rint(size * 0x1p24);
	share = frexp(size, &exponent);
	return sign | (uint16) ((exponent + 14) * 1024 +
							(int) rint(share * 2048.0) - 1024);
}

/* Fill in the numbers behind the header */
static void
put_numbers(uint8 *to, const float *values, int count, int bits, double scale)
{
	for (int i = 0; i < count; i++)
	{
		if (bits == 8)
			to[i] = (uint8) (int8) round_to_steps(values[i], scale, 127);
		else if (bits == 4)
			to[i / 2] |= (uint8) ((round_to_steps(values[i], scale, 7) & 15)
								  << (i % 2 * 4));
		else
		{
			uint16 half =
				scale > 0.0 ? round_to_half((double) values[i] / scale) : 0;

			to[2 * i] = (uint8) half;
			to[2 * i + 1] = (uint8) (half >> 8);
		}
	}
}

/* The row of an array, rounded to real; its greatest number */
static float *
read_row(ArrayType *array, int *count, double *largest)
{
	double *numbers = HxReadArray(array, count);
	float *values = palloc(Max(*count, 1) * sizeof(float));

	*largest = 0.0;
	for (int i = 0; i < *count; i++)
	{
		values[i] = (float) numbers[i];
		if (unlikely(isinf(values[i])))
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							errmsg("element %d of array is %g, but quantize is "
								   "limited to the range of real",
								   i + 1, numbers[i])));
		*largest = Max(*largest, fabs(values[i]));
	}
	pfree(numbers);
	return values;
}

/* quantize(array, bits) */
Datum
hx_quantize(PG_FUNCTION_ARGS)
{
	int32 bits = PG_GETARG_INT32(1);
	float *values;
	double largest;
	float scale;
	uint32 word;
	int count;
	bytea *row;
	uint8 *to;
	Size size;

	if (bits != 4 && bits != 8 && bits != 16)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quantize cannot use %d bits a number, expected 4, 8 "
						"or 16",
						bits)));
	values = read_row(PG_GETARG_ARRAYTYPE_P(0), &count, &largest);
	scale = choose_scale(values, count, bits, largest);
	size = VARHDRSZ + HEADER + ((Size) count * bits + 7) / 8;
	row = palloc0(size);
	SET_VARSIZE(row, size);
	to = (uint8 *) VARDATA(row);
	to[0] = (uint8) (bits | (bits == 4 && count % 2 == 1 ? IS_ODD : 0));
	memcpy(&word, &scale, 4);
	for (int i = 0; i < 4; i++)
		to[1 + i] = (uint8) (word >> 8 * i);
	put_numbers(to + HEADER, values, count, bits, scale);
	PG_RETURN_BYTEA_P(row);
}

/*
 * Bytes to numbers
 */

/* Error: these bytes are no row. */
pg_noreturn static void
reject_row(const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("bytes are not a row made by quantize: %s", problem)));
}

/* Bits, scale and count of a row of `size` bytes; error if it is none */
static int
read_header(const uint8 *from, Size size, float *scale, int *count)
{
	int bits;
	uint32 word = 0;
	bool odd;

	if (size < HEADER)
		reject_row("they are too few");
	bits = from[0] & ~IS_ODD;
	odd = from[0] & IS_ODD;
	if ((bits != 4 && bits != 8 && bits != 16) || (odd && bits != 4))
		reject_row("the first of them is none of 4, 8, 16 and 132");
	for (int i = 0; i < 4; i++)
		word |= (uint32) from[1 + i] << 8 * i;
	memcpy(scale, &word, 4);
	if (!isfinite(*scale) || signbit(*scale))
		reject_row("the scale is no finite number of at least 0");
	size -= HEADER;
	if (bits == 16 && size % 2 != 0)
		reject_row("the last half is cut off");
	if (odd && (size == 0 || from[HEADER + size - 1] >> 4 != 0))
		reject_row("the last half byte is missing or used");
	*count = (int) (size * 8 / bits) - odd;
	return bits;
}

/* What is stored, not yet scaled */
static void
get_numbers(const uint8 *from, int count, int bits, float *values)
{
	uint16 *halves;

	if (bits != 16)
	{
		for (int i = 0; i < count; i++)
			values[i] =
				bits == 8
					? (float) (int8) from[i]
					: (float) ((int) ((from[i / 2] >> (i % 2 * 4) & 15) ^ 8) -
							   8);
		return;
	}
	halves = palloc(Max(count, 1) * sizeof(uint16));
	for (int i = 0; i < count; i++)
		halves[i] = (uint16) (from[2 * i] | from[2 * i + 1] << 8);
	hx_kernels->dense->widen_half(halves, count, values);
	pfree(halves);
}

/* dequantize(bytea) */
Datum
hx_dequantize(PG_FUNCTION_ARGS)
{
	bytea *row = PG_GETARG_BYTEA_PP(0);
	const uint8 *from = (const uint8 *) VARDATA_ANY(row);
	float scale;
	int count;
	int bits = read_header(from, VARSIZE_ANY_EXHDR(row), &scale, &count);
	float *values;
	Datum *elements;

	if (count > MaxAllocSize / sizeof(Datum))
		reject_row("they are too many");
	values = palloc(Max(count, 1) * sizeof(float));
	elements = palloc(Max(count, 1) * sizeof(Datum));
	get_numbers(from + HEADER, count, bits, values);
	for (int i = 0; i < count; i++)
	{
		double value = (double) scale * values[i];

		if (!isfinite((float) value))
		{
			/* the greatest numbers may round to more than there is */
			if (!(fabs(value) <= (double) FLT_MAX * 1.001))
				reject_row("a number is out of the range of real");
			value = copysign((double) FLT_MAX, value);
		}
		elements[i] = Float4GetDatum((float) value);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, count, FLOAT4OID,
										  sizeof(float4), true, TYPALIGN_INT));
}
