/*
 * distance.c
 *	  Distances between two codes, as SQL functions.
 *
 * Counting is the kernels' work, the formulas are in distance.h; here sizes
 * are checked.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"

#include "kernel/kernel.h"
#include "type/bincode.h"
#include "type/distance.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_hamming);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_jaccard);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_inner_product);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_negative_inner_product);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_cosine_distance);

/* Sum of a code's levels; bits beyond its dimensions are zero. */
uint32_t
HxLevelSum(const uint8_t *code, size_t plane_bytes, int planes)
{
	uint32_t sum = 0;

	for (int p = 0; p < planes; p++)
		sum = 2 * sum +
			  (uint32_t) pg_popcount((const char *) code + p * plane_bytes,
									 (int) plane_bytes);
	return sum;
}

/* One code as the array that kernels take */
static HxCodes
one_code(const HxCode *code)
{
	HxCodes codes = {code->data, code->bytes, 1};

	return codes;
}

/* Squared length of a code; with 1 bit a dimension it is `dims`. */
double
HxCodeNorm2(const uint8_t *code, int dims, int planes)
{
	size_t plane_bytes = HX_PLANE_BYTES(dims);
	HxCodes codes = {code, plane_bytes * planes, 1};
	uint32_t levels;

	if (planes == 1)
		return dims;
	hx_kernels->level_product(code, plane_bytes, planes, codes, &levels);
	return HxLevelNorm2(levels, HxLevelSum(code, plane_bytes, planes), dims,
						planes);
}

/* Inner product of two codes of the same shape. Exact. */
static double
code_product(const HxCode *a, const HxCode *b)
{
	uint32_t count;

	if (a->planes == 1)
	{
		hx_kernels->hamming(a->data, a->bytes, one_code(b), &count);
		return HxHammingProduct(count, a->dims);
	}
	hx_kernels->level_product(a->data, a->plane_bytes, a->planes, one_code(b),
							  &count);
	return HxLevelProduct(count, HxLevelSum(a->data, a->plane_bytes, a->planes),
						  HxLevelSum(b->data, b->plane_bytes, b->planes),
						  a->dims, a->planes);
}

/* Number of differing bits; error unless both are of 1 bit and one length. */
uint32
HxHammingDistance(const HxCode *a, const HxCode *b)
{
	uint32_t differing;

	HxCheckSameShape(a, b);
	HxCheckOnePlane(a, "Hamming distance");
	hx_kernels->hamming(a->data, a->bytes, one_code(b), &differing);
	return differing;
}

/* Jaccard distance; error unless both are of 1 bit and one length. */
static double
jaccard_distance(HxMetric metric, const HxCode *a, const HxCode *b)
{
	uint32_t both;
	uint32_t either;

	HxCheckSameShape(a, b);
	HxCheckOnePlane(a, "Jaccard distance");
	hx_kernels->overlap(a->data, a->bytes, one_code(b), &both, &either);
	return HxSetDistance(metric, both, either);
}

/* Distance of two codes; error if they or the distance do not fit. */
double
HxCodeDistance(HxMetric metric, const HxCode *a, const HxCode *b)
{
	switch (metric)
	{
		case HX_HAMMING:
			return HxHammingDistance(a, b);
		case HX_JACCARD:
		case HX_BIT_JACCARD:
			return jaccard_distance(metric, a, b);
		case HX_INNER_PRODUCT:
			HxCheckSameShape(a, b);
			return HxNegativeProduct(code_product(a, b));
		default:
			HxCheckSameShape(a, b);
			return HxCosineDistance(code_product(a, b),
									HxCodeNorm2(a->data, a->dims, a->planes),
									HxCodeNorm2(b->data, b->dims, b->planes));
	}
}

/* Number of bits in which two codes of 1 bit a dimension differ */
Datum
hx_hamming(PG_FUNCTION_ARGS)
{
	HxCode a = PG_GETARG_CODE(0);
	HxCode b = PG_GETARG_CODE(1);

	PG_RETURN_FLOAT8(HxHammingDistance(&a, &b));
}

/* 1 - bits set in both / bits set in at least one; 0 of two empty codes */
Datum
hx_jaccard(PG_FUNCTION_ARGS)
{
	HxCode a = PG_GETARG_CODE(0);
	HxCode b = PG_GETARG_CODE(1);

	PG_RETURN_FLOAT8(HxCodeDistance(HX_JACCARD, &a, &b));
}

/* Inner product of two codes */
Datum
hx_bincode_inner_product(PG_FUNCTION_ARGS)
{
	HxCode a = PG_GETARG_CODE(0);
	HxCode b = PG_GETARG_CODE(1);

	HxCheckSameShape(&a, &b);
	PG_RETURN_FLOAT8(code_product(&a, &b));
}

/* Negative inner product of two codes: small is near */
Datum
hx_bincode_negative_inner_product(PG_FUNCTION_ARGS)
{
	HxCode a = PG_GETARG_CODE(0);
	HxCode b = PG_GETARG_CODE(1);

	PG_RETURN_FLOAT8(HxCodeDistance(HX_INNER_PRODUCT, &a, &b));
}

/* 1 - cosine of the angle between two codes; NaN if they are empty */
Datum
hx_bincode_cosine_distance(PG_FUNCTION_ARGS)
{
	HxCode a = PG_GETARG_CODE(0);
	HxCode b = PG_GETARG_CODE(1);

	PG_RETURN_FLOAT8(HxCodeDistance(HX_COSINE, &a, &b));
}
