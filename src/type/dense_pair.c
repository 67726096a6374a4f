/*
 * dense_pair.c
 *	  Products and distances of two arrays of numbers, lengths of one.
 *
 * They are computed in double: HX_LANES sums, lane = dimension mod HX_LANES,
 * each by rising dimension, then halved as the kernels do.  So a sum does not
 * wait for each addition, and has the same bits everywhere.  Where the numbers
 * of both are real, kernels give these bits without the way over double: an
 * array of another type that is the same in each call, a query against rows, is
 * read once, and is real where each of its numbers is.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/float.h"

#include "kernel/kernel.h"
#include "type/dense.h"
#include "type/distance.h"

/*
 * Squared lengths within these bounds may be multiplied; only double precision
 * and numeric get beyond.
 */
#define HX_SMALL_NORM2 1e-140
#define HX_LARGE_NORM2 1e140

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_inner_product);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_negative_product);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_cosine_distance);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_l2_distance);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_l1_distance);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_l2_norm);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_l2_normalize);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_dims);

/*
 * Pairs of arrays
 */

/*
 * What an argument of a call site was last, if it was not real[], with its
 * numbers; a call site has two of these
 */
typedef struct NumberCache
{
	ArrayType *array; /* copy */
	int count;
	double *values; /* NULL while `array` is not valid */
	float *reals;	/* the same numbers, or NULL: not all are real */
} NumberCache;

/* The numbers as real, or NULL if one of them is none. */
static float *
make_reals(const double *values, int count)
{
	float *reals = palloc(Max(count, 1) * sizeof(float));

	for (int i = 0; i < count; i++)
	{
		reals[i] = (float) values[i];
		if ((double) reals[i] != values[i])
		{
			pfree(reals);
			return NULL;
		}
	}
	return reals;
}

/*
 * The numbers of an argument that is not real[], kept for the next call if it is
 * a constant or parameter, or NULL if it is not.  The array is compared, because
 * PL/pgSQL evaluates one call site with changing parameters.  Errors as
 * HxReadArray.
 */
static const NumberCache *
cached_numbers(FunctionCallInfo fcinfo, int argument, ArrayType *array)
{
	NumberCache *cache = fcinfo->flinfo->fn_extra;
	MemoryContext caller;

	if (cache != NULL && cache[argument].values != NULL &&
		VARSIZE(cache[argument].array) == VARSIZE(array) &&
		memcmp(cache[argument].array, array, VARSIZE(array)) == 0)
		return cache + argument;
	if (!get_fn_expr_arg_stable(fcinfo->flinfo, argument))
		return NULL;
	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	if (cache == NULL)
		cache = fcinfo->flinfo->fn_extra = palloc0(2 * sizeof(NumberCache));
	cache += argument;
	if (cache->values != NULL)
	{
		pfree(cache->array);
		pfree(cache->values);
		cache->values = NULL;
		if (cache->reals != NULL)
			pfree(cache->reals);
	}
	cache->array = palloc(VARSIZE(array));
	memcpy(cache->array, array, VARSIZE(array));
	cache->values = HxReadArray(array, &cache->count);
	cache->reals = make_reals(cache->values, cache->count);
	MemoryContextSwitchTo(caller);
	return cache;
}

/*
 * The numbers of an argument where they are real, and how many: as they lie in
 * an array of real, or kept by the call site.  NULL where that does not work:
 * another type, NULLs, no elements.  They may be NaN or infinite.
 */
static const float *
real_argument(FunctionCallInfo fcinfo, int argument, int *count)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(argument);
	const NumberCache *cache;

	if (ARR_NDIM(array) != 1)
		return NULL;
	if (ARR_ELEMTYPE(array) == FLOAT4OID)
	{
		*count = ARR_DIMS(array)[0];
		return ARR_HASNULL(array) ? NULL : (const float *) ARR_DATA_PTR(array);
	}
	cache = cached_numbers(fcinfo, argument, array);
	if (cache == NULL)
		return NULL;
	*count = cache->count;
	return cache->reals;
}

/* Both arguments where they are real, and of one length; else false. */
static bool
real_pair(FunctionCallInfo fcinfo, const float **a, const float **b, int *count)
{
	int other;

	*a = real_argument(fcinfo, 0, count);
	if (*a == NULL)
		return false;
	*b = real_argument(fcinfo, 1, &other);
	return *b != NULL && other == *count;
}

/* The numbers of an argument, which may be overwritten, and how many */
static double *
read_argument(FunctionCallInfo fcinfo, int argument, int *count)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(argument);
	const NumberCache *cache = NULL;
	double *values;

	if (ARR_ELEMTYPE(array) != FLOAT4OID)
		cache = cached_numbers(fcinfo, argument, array);
	if (cache == NULL)
		return HxReadArray(array, count);
	*count = cache->count;
	values = palloc(Max(cache->count, 1) * sizeof(double));
	memcpy(values, cache->values, cache->count * sizeof(double));
	return values;
}

/*
 * The numbers of both arrays of a call, which may be overwritten, and how many;
 * error if that differs.
 */
int
HxReadArrayPair(FunctionCallInfo fcinfo, double **a, double **b)
{
	int count;
	int other;

	*a = read_argument(fcinfo, 0, &count);
	*b = read_argument(fcinfo, 1, &other);
	if (count != other)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("vectors of different lengths: %d and %d", count,
							   other)));
	return count;
}

/*
 * The inner products a.b, a.a and b.b of a call's arrays where both are real, as
 * the functions on double give them.  False where that does not work, or a value
 * (NaN, infinite, zero) needs a closer look.
 */
static bool
real_products(FunctionCallInfo fcinfo, double products[3])
{
	const float *a;
	const float *b;
	int count;

	if (!real_pair(fcinfo, &a, &b, &count))
		return false;
	hx_kernels->dense_products(a, b, count, products);
	for (int i = 1; i < 3; i++)
		if (!(products[i] >= HX_SMALL_NORM2 && products[i] <= HX_LARGE_NORM2))
			return false;
	return true;
}

/* Sum of products */
static double
dot(const double *a, const double *b, int count)
{
	double lane[HX_LANES] = {0.0};
	int i = 0;

	for (; i + HX_LANES <= count; i += HX_LANES)
	{
		for (int l = 0; l < HX_LANES; l++)
			lane[l] += a[i + l] * b[i + l];
	}
	for (int l = 0; i + l < count; l++)
		lane[l] += a[i + l] * b[i + l];
	return HxSumLanes(lane);
}

/*
 * Squared length.  Values so extreme that it might overflow or underflow, here
 * or multiplied by another, are first brought into the middle of the range:
 * then they have been multiplied by 2^-exponent, which is exact.
 */
static double
scaled_norm2(double *values, int count, int *exponent)
{
	double norm2 = dot(values, values, count);
	double largest = 0.0;

	*exponent = 0;
	if (likely(norm2 >= HX_SMALL_NORM2 && norm2 <= HX_LARGE_NORM2))
		return norm2;
	for (int i = 0; i < count; i++)
		largest = Max(largest, fabs(values[i]));
	if (largest == 0.0)
		return 0.0;
	(void) frexp(largest, exponent);
	for (int i = 0; i < count; i++)
		values[i] = ldexp(values[i], -*exponent);
	return dot(values, values, count);
}

/* A result that must not be infinite */
static double
check_range(double result)
{
	if (unlikely(!isfinite(result)))
		float_overflow_error();
	return result;
}

/* Length of a vector, which may be overwritten; error if out of range */
static double
vector_norm(double *values, int count)
{
	int exponent;
	double norm2 = scaled_norm2(values, count, &exponent);

	return check_range(ldexp(sqrt(norm2), exponent));
}

/* Inner product of the arrays of a call */
static double
inner_product(FunctionCallInfo fcinfo)
{
	const float *x;
	const float *y;
	double *a;
	double *b;
	int count;

	if (real_pair(fcinfo, &x, &y, &count))
	{
		double product = hx_kernels->dense->product(x, y, count);

		/* infinite or NaN if an element is: products of reals are in range */
		if (likely(isfinite(product)))
			return product;
	}
	count = HxReadArrayPair(fcinfo, &a, &b);
	return check_range(dot(a, b, count));
}

/* Inner product of two arrays */
Datum
hx_dense_inner_product(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(inner_product(fcinfo));
}

/* Inner product of two arrays times -1 */
Datum
hx_dense_negative_product(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(HxNegativeProduct(inner_product(fcinfo)));
}

/* 1 - cosine of the angle between two arrays; NaN if one is zero */
Datum
hx_dense_cosine_distance(PG_FUNCTION_ARGS)
{
	double products[3];
	double *a;
	double *b;
	int count;
	int exponent;
	double a_norm2;
	double b_norm2;

	if (real_products(fcinfo, products))
		PG_RETURN_FLOAT8(
			HxCosineDistance(products[0], products[1], products[2]));
	count = HxReadArrayPair(fcinfo, &a, &b);
	a_norm2 = scaled_norm2(a, count, &exponent);
	b_norm2 = scaled_norm2(b, count, &exponent);
	PG_RETURN_FLOAT8(HxCosineDistance(dot(a, b, count), a_norm2, b_norm2));
}

/* Euclidean distance of two arrays */
Datum
hx_dense_l2_distance(PG_FUNCTION_ARGS)
{
	const float *x;
	const float *y;
	double *a;
	double *b;
	int count;

	if (real_pair(fcinfo, &x, &y, &count))
	{
		double square = hx_kernels->dense->square(x, y, count);

		if (likely(isfinite(square)))
			PG_RETURN_FLOAT8(sqrt(square));
	}
	count = HxReadArrayPair(fcinfo, &a, &b);
	for (int i = 0; i < count; i++)
		a[i] = check_range(a[i] - b[i]);
	PG_RETURN_FLOAT8(vector_norm(a, count));
}

/* Sum of the absolute differences of two arrays */
Datum
hx_dense_l1_distance(PG_FUNCTION_ARGS)
{
	double *a;
	double *b;
	int count = HxReadArrayPair(fcinfo, &a, &b);
	double lane[HX_LANES] = {0.0};
	int i = 0;

	for (; i + HX_LANES <= count; i += HX_LANES)
	{
		for (int l = 0; l < HX_LANES; l++)
			lane[l] += fabs(a[i + l] - b[i + l]);
	}
	for (int l = 0; i + l < count; l++)
		lane[l] += fabs(a[i + l] - b[i + l]);
	PG_RETURN_FLOAT8(check_range(HxSumLanes(lane)));
}

/*
 * Single arrays
 */

/* Euclidean length */
Datum
hx_dense_l2_norm(PG_FUNCTION_ARGS)
{
	int count;
	double *values = HxReadArray(PG_GETARG_ARRAYTYPE_P(0), &count);

	PG_RETURN_FLOAT8(vector_norm(values, count));
}

/*
 * Divide a vector by its length, into elements of real or double precision.  Zero
 * stays zero.
 */
static void
normalize(double *values, int count, bool single, Datum *elements)
{
	int exponent;
	double norm = sqrt(scaled_norm2(values, count, &exponent));

	for (int i = 0; i < count; i++)
	{
		double value = norm == 0.0 ? 0.0 : values[i] / norm;

		elements[i] =
			single ? Float4GetDatum((float4) value) : Float8GetDatum(value);
	}
}

/*
 * The array divided by its length: real[] from real[], double precision[] from
 * the other types.  Of an array of two dimensions, a list of tokens, each token
 * is divided by its own.
 */
Datum
hx_dense_l2_normalize(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	bool single = ARR_ELEMTYPE(array) == FLOAT4OID;
	int dims[2];
	int lows[2] = {1, 1};
	int length;
	int count;
	double *values;
	Datum *elements;

	values = ARR_NDIM(array) == 2 ? HxReadNumbers(array, &count)
								  : HxReadArray(array, &count);
	length = ARR_NDIM(array) == 2 ? ARR_DIMS(array)[1] : count;
	elements = palloc(count * sizeof(Datum));
	for (int at = 0; at < count; at += length)
	{
		CHECK_FOR_INTERRUPTS();
		normalize(values + at, length, single, elements + at);
	}
	for (int d = 0; d < ARR_NDIM(array); d++)
		dims[d] = ARR_DIMS(array)[d];
	PG_RETURN_ARRAYTYPE_P(construct_md_array(
		elements, NULL, ARR_NDIM(array), dims, lows,
		single ? FLOAT4OID : FLOAT8OID,
		single ? sizeof(float4) : sizeof(float8), single || FLOAT8PASSBYVAL,
		single ? TYPALIGN_INT : TYPALIGN_DOUBLE));
}

/* Number of elements */
Datum
hx_dense_dims(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(HxCountElements(PG_GETARG_ARRAYTYPE_P(0)));
}
