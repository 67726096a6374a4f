/*
 * dense.c
 *	  Arrays of real, double precision, numeric or integer as dense vectors,
 *	  alone and against stored codes.
 *
 * Arrays have one dimension and neither NULL, NaN nor infinity.  Pairs of
 * arrays are computed in double: HX_LANES sums, lane = dimension mod HX_LANES,
 * each by rising dimension, then halved as the kernels do.  So a sum does not
 * wait for each addition, and has the same bits everywhere.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "kernel/kernel.h"
#include "type/dense.h"
#include "type/distance.h"

/*
 * Squared lengths within these bounds may be multiplied; only double precision
 * and numeric get beyond.
 */
#define HX_SMALL_NORM2 1e-140
#define HX_LARGE_NORM2 1e140

/* The last float query of a call site, and the array it was made from */
typedef struct QueryCache
{
	ArrayType *array;	 /* copy */
	HxFloatQuery *query; /* NULL while `array` is not valid */
} QueryCache;

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_code_float_product);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_float_code_product);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_code_float_negative);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_float_code_negative);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_code_float_cosine);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_float_code_cosine);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_inner_product);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_cosine_distance);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_l2_distance);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_l1_distance);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_l2_norm);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_l2_normalize);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_dims);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_binarize);

/*
 * Reading arrays
 */

/* Number of elements; error if the array has more than one dimension. */
static int
count_elements(ArrayType *array)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("array has %d dimensions, but a vector has 1",
							   ARR_NDIM(array))));
	return ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
}

/* Error naming position, counted from 1, and value of an array's element. */
static void
reject_element(ArrayType *array, int index, const char *problem)
{
	Oid type = ARR_ELEMTYPE(array);
	int16 length;
	bool byvalue;
	char align;
	Datum *values;
	bool *nulls;
	int count;
	Oid output;
	bool varlena;
	const char *text;
	int shown;

	get_typlenbyvalalign(type, &length, &byvalue, &align);
	deconstruct_array(array, type, length, byvalue, align, &values, &nulls,
					  &count);
	getTypeOutputInfo(type, &output, &varlena);
	text = nulls[index] ? "null" : OidOutputFunctionCall(output, values[index]);
	shown = HxQuotedBytes(text, strlen(text));
	ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
					errmsg("element %d of array is %.*s%s, but %s", index + 1,
						   shown, text, text[shown] ? "..." : "", problem)));
}

/* Error if an element is NULL. */
static void
check_no_null(ArrayType *array, int count)
{
	bits8 *bitmap = ARR_NULLBITMAP(array);

	for (int i = 0; bitmap != NULL && i < count; i++)
	{
		if ((bitmap[i / 8] & 1 << i % 8) == 0)
			reject_element(array, i, "a vector has no nulls");
	}
}

/* The elements of an array of numeric without nulls, as they are stored */
static Datum *
numeric_elements(ArrayType *array)
{
	Datum *elements;
	int count;

	deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &elements,
					  NULL, &count);
	return elements;
}

/* Add up the lanes: l and l + 8, then l and l + 4, and so on. */
static double
sum_lanes(double *lane)
{
	for (int half = HX_LANES / 2; half > 0; half /= 2)
	{
		for (int l = 0; l < half; l++)
			lane[l] += lane[l + half];
	}
	return lane[0];
}

/* Is none of the values NaN or infinite? */
static bool
all_finite(const double *values, int count)
{
	double lane[HX_LANES] = {0.0};
	int i = 0;

	for (; i + HX_LANES <= count; i += HX_LANES)
	{
		for (int l = 0; l < HX_LANES; l++)
			lane[l] += values[i + l] * 0.0;
	}
	for (int l = 0; i + l < count; l++)
		lane[l] += values[i + l] * 0.0;
	return sum_lanes(lane) == 0.0;
}

/* Error: this element is NaN, infinite or out of range. */
static void
reject_number(ArrayType *array, int index)
{
	reject_element(array, index,
				   "a vector has finite numbers only, in the range of double "
				   "precision");
}

/*
 * Convert elements of type numeric, of which none is NULL; error at the first
 * that is NaN, infinite or out of range.  One may have as many digits as fit
 * its type, and then takes a while.
 */
static void
convert_numerics(ArrayType *array, int count, double *values)
{
	Datum *elements = count > 0 ? numeric_elements(array) : NULL;

	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		values[i] = DatumGetFloat8(
			DirectFunctionCall1(numeric_float8_no_overflow, elements[i]));
		if (unlikely(!isfinite(values[i])))
			reject_number(array, i);
	}
}

/*
 * Convert the elements, of which none is NULL; returns whether none is NaN or
 * infinite.
 */
static bool
convert_elements(ArrayType *array, int count, double *values)
{
	void *data = ARR_DATA_PTR(array);

	switch (ARR_ELEMTYPE(array))
	{
		case FLOAT4OID:
			return hx_kernels->steps->widen(data, count, values);
		case FLOAT8OID:
			memcpy(values, data, count * sizeof(double));
			break;
		case INT4OID:
			for (int i = 0; i < count; i++)
				values[i] = ((int32 *) data)[i];
			break;
		case NUMERICOID:
			convert_numerics(array, count, values);
			return true;
		default:
			elog(ERROR, "vector of unsupported element type %u",
				 ARR_ELEMTYPE(array));
	}
	return all_finite(values, count);
}

/*
 * The elements of an array as double, and their number.  Error if it has more
 * than one dimension, or an element is NULL, NaN, infinite or out of range.
 */
double *
HxReadArray(ArrayType *array, int *count)
{
	double *values;

	*count = count_elements(array);
	if (*count > MaxAllocSize / sizeof(double))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("array of %d elements is too long for a vector",
							   *count)));
	CHECK_FOR_INTERRUPTS();
	check_no_null(array, *count);
	values = palloc(*count * sizeof(double));
	if (unlikely(!convert_elements(array, *count, values)))
	{
		for (int i = 0; i < *count; i++)
		{
			if (!isfinite(values[i]))
				reject_number(array, i);
		}
	}
	return values;
}

/*
 * Float queries
 */

/*
 * Round to float4 as the casts to real do, once: numeric goes by its digits.
 * Too small becomes 0 or subnormal, too large infinity.
 */
static float
round_to_float(double value, const Datum *exact)
{
	float rounded = (float) value;

	if (exact == NULL || isinf(rounded) || fabs(value) < FLT_MIN)
		return rounded;
	return DatumGetFloat4(DirectFunctionCall1(numeric_float4, *exact));
}

/*
 * A float query from an array of one of the four types.  Error as with
 * HxReadArray, also if the array is longer than any code or a component is out
 * of the range of real; so is, in effect, a query so large that an inner
 * product might overflow.
 */
HxFloatQuery *
HxMakeFloatQuery(ArrayType *array)
{
	int count = count_elements(array);
	bool exact = ARR_ELEMTYPE(array) == NUMERICOID && count > 0;
	Datum *elements = NULL;
	double magnitude = 0.0;
	double *values;
	HxFloatQuery *query;

	if (count > HX_MAX_CODE_BITS)
		ereport(
			ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("float query of %d components is too long", count),
			 errdetail("A code has at most %d dimensions.", HX_MAX_CODE_BITS)));
	values = HxReadArray(array, &count);
	if (exact)
		elements = numeric_elements(array);
	query = palloc(offsetof(HxFloatQuery, values) + count * sizeof(float));
	query->dims = count;
	query->norm2 = 0.0;
	for (int i = 0; i < count; i++)
	{
		float value = round_to_float(values[i], exact ? elements + i : NULL);

		CHECK_FOR_INTERRUPTS();
		if (isinf(value))
			reject_element(array, i,
						   "a float query is limited to the range "
						   "of real");
		query->values[i] = value;
		query->norm2 += (double) value * (double) value;
		magnitude += fabs((double) value);
	}
	/* steps are below 2, and rounding in float at most doubles once more */
	if (magnitude > FLT_MAX / 4)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("float query is too large: its absolute values add up "
						"to %g, the limit is %g",
						magnitude, (double) FLT_MAX / 4)));
	pfree(values);
	return query;
}

/*
 * Would HxMakeFloatQuery take this array?  For estimates, which are not to fail
 * where a query without rows would not.
 */
bool
HxIsFloatQuery(ArrayType *array)
{
	int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	double magnitude = 0.0;
	double *values;

	if (ARR_NDIM(array) > 1 || count > HX_MAX_CODE_BITS ||
		array_contains_nulls(array))
		return false;
	values = palloc(Max(count, 1) * sizeof(double));
	if (!convert_elements(array, count, values))
		return false;
	for (int i = 0; i < count; i++)
		magnitude += fabs(values[i]);
	return magnitude < FLT_MAX / 8;
}

/* Error, naming both, unless query and code have the same dimensions. */
void
HxCheckFloatQuery(const HxFloatQuery *query, int dims, int planes)
{
	char name[HX_SHAPE_NAME];

	if (query->dims != dims)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("float query has %d components, but the code is %s",
						query->dims, HxShapeName(dims, planes, name))));
}

/*
 * The float query in an argument.  Where the argument is a constant or
 * parameter the query is kept for the next call; the array is compared,
 * because PL/pgSQL evaluates one call site with changing parameters.
 */
static const HxFloatQuery *
query_argument(FunctionCallInfo fcinfo, int argument)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(argument);
	QueryCache *cache = fcinfo->flinfo->fn_extra;
	MemoryContext caller;

	if (cache != NULL && cache->query != NULL &&
		VARSIZE(cache->array) == VARSIZE(array) &&
		memcmp(cache->array, array, VARSIZE(array)) == 0)
		return cache->query;
	if (!get_fn_expr_arg_stable(fcinfo->flinfo, argument))
		return HxMakeFloatQuery(array);

	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	if (cache == NULL)
		cache = fcinfo->flinfo->fn_extra = palloc0(sizeof(QueryCache));
	if (cache->query != NULL)
	{
		pfree(cache->array);
		pfree(cache->query);
		cache->query = NULL;
	}
	cache->array = palloc(VARSIZE(array));
	memcpy(cache->array, array, VARSIZE(array));
	cache->query = HxMakeFloatQuery(array);
	MemoryContextSwitchTo(caller);
	return cache->query;
}

/* Inner product of a query and a code; error if their dimensions differ */
static double
float_product(const HxFloatQuery *query, const HxCode *code)
{
	HxCodes codes = {code->data, code->bytes, 1};
	float product;

	HxCheckFloatQuery(query, code->dims, code->planes);
	hx_kernels->float_product(query->values, query->dims, code->planes, codes,
							  &product);
	return product;
}

/* Distance of a query and a code by inner product or cosine */
double
HxFloatDistance(HxMetric metric, const HxFloatQuery *query, const HxCode *code)
{
	double product = float_product(query, code);

	Assert(metric == HX_INNER_PRODUCT || metric == HX_COSINE);
	if (metric == HX_COSINE)
		return HxCosineDistance(
			product, query->norm2,
			HxCodeNorm2(code->data, code->dims, code->planes));
	return HxNegativeProduct(product);
}

/* Inner product of the query and the code in these arguments */
static double
product_of(FunctionCallInfo fcinfo, int query_arg, int code_arg)
{
	HxCode code = PG_GETARG_CODE(code_arg);

	return float_product(query_argument(fcinfo, query_arg), &code);
}

/* Cosine distance of the query and the code in these arguments */
static double
cosine_of(FunctionCallInfo fcinfo, int query_arg, int code_arg)
{
	const HxFloatQuery *query = query_argument(fcinfo, query_arg);
	HxCode code = PG_GETARG_CODE(code_arg);

	return HxCosineDistance(float_product(query, &code), query->norm2,
							HxCodeNorm2(code.data, code.dims, code.planes));
}

/* Inner product of a code and a float query */
Datum
hx_code_float_product(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(product_of(fcinfo, 1, 0));
}

/* Inner product of a float query and a code */
Datum
hx_float_code_product(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(product_of(fcinfo, 0, 1));
}

/* Negative inner product of a code and a float query */
Datum
hx_code_float_negative(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(HxNegativeProduct(product_of(fcinfo, 1, 0)));
}

/* Negative inner product of a float query and a code */
Datum
hx_float_code_negative(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(HxNegativeProduct(product_of(fcinfo, 0, 1)));
}

/* Cosine distance of a code and a float query; NaN if that is zero */
Datum
hx_code_float_cosine(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(cosine_of(fcinfo, 1, 0));
}

/* Cosine distance of a float query and a code; NaN if the query is zero */
Datum
hx_float_code_cosine(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(cosine_of(fcinfo, 0, 1));
}

/*
 * Pairs of arrays
 */

/* Both arrays of a call, of one length; error if they differ in it. */
static int
read_pair(FunctionCallInfo fcinfo, double **a, double **b)
{
	int count;
	int other;

	*a = HxReadArray(PG_GETARG_ARRAYTYPE_P(0), &count);
	*b = HxReadArray(PG_GETARG_ARRAYTYPE_P(1), &other);
	if (count != other)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("vectors of different lengths: %d and %d", count,
							   other)));
	return count;
}

/*
 * The inner products a.b, a.a and b.b of a call's arrays, straight from two
 * arrays of real, as the functions on double give them.  False where that does
 * not work: other types, NULLs, lengths that differ, or a value (NaN, infinite,
 * extreme) that needs a closer look.
 */
static bool
real_products(FunctionCallInfo fcinfo, double products[3])
{
	ArrayType *a = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType *b = PG_GETARG_ARRAYTYPE_P(1);

	if (ARR_ELEMTYPE(a) != FLOAT4OID || ARR_ELEMTYPE(b) != FLOAT4OID ||
		ARR_HASNULL(a) || ARR_HASNULL(b) || ARR_NDIM(a) != 1 ||
		ARR_NDIM(b) != 1 || ARR_DIMS(a)[0] != ARR_DIMS(b)[0])
		return false;
	hx_kernels->dense_products((float4 *) ARR_DATA_PTR(a),
							   (float4 *) ARR_DATA_PTR(b), ARR_DIMS(a)[0],
							   products);
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
	return sum_lanes(lane);
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

/* Inner product of two arrays */
Datum
hx_dense_inner_product(PG_FUNCTION_ARGS)
{
	double products[3];
	double *a;
	double *b;
	int count;

	if (real_products(fcinfo, products))
		PG_RETURN_FLOAT8(products[0]);
	count = read_pair(fcinfo, &a, &b);
	PG_RETURN_FLOAT8(check_range(dot(a, b, count)));
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
	count = read_pair(fcinfo, &a, &b);
	a_norm2 = scaled_norm2(a, count, &exponent);
	b_norm2 = scaled_norm2(b, count, &exponent);
	PG_RETURN_FLOAT8(HxCosineDistance(dot(a, b, count), a_norm2, b_norm2));
}

/* Euclidean distance of two arrays */
Datum
hx_dense_l2_distance(PG_FUNCTION_ARGS)
{
	double *a;
	double *b;
	int count = read_pair(fcinfo, &a, &b);

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
	int count = read_pair(fcinfo, &a, &b);
	double lane[HX_LANES] = {0.0};
	int i = 0;

	for (; i + HX_LANES <= count; i += HX_LANES)
	{
		for (int l = 0; l < HX_LANES; l++)
			lane[l] += fabs(a[i + l] - b[i + l]);
	}
	for (int l = 0; i + l < count; l++)
		lane[l] += fabs(a[i + l] - b[i + l]);
	PG_RETURN_FLOAT8(check_range(sum_lanes(lane)));
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
 * The array divided by its length: real[] from real[], double precision[] from
 * the other types.  Zero stays zero.
 */
Datum
hx_dense_l2_normalize(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	bool single = ARR_ELEMTYPE(array) == FLOAT4OID;
	int count;
	double *values = HxReadArray(array, &count);
	Datum *elements = palloc(count * sizeof(Datum));
	int exponent;
	double norm = sqrt(scaled_norm2(values, count, &exponent));

	for (int i = 0; i < count; i++)
	{
		double value = norm == 0.0 ? 0.0 : values[i] / norm;

		elements[i] =
			single ? Float4GetDatum((float4) value) : Float8GetDatum(value);
	}
	if (single)
		PG_RETURN_ARRAYTYPE_P(construct_array(
			elements, count, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT));
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, count, FLOAT8OID,
										  sizeof(float8), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}

/* Number of elements */
Datum
hx_dense_dims(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(count_elements(PG_GETARG_ARRAYTYPE_P(0)));
}

/* Error if a code of this many dimensions would be too long. */
static void
check_binarized(int count)
{
	if (count > HX_MAX_CODE_BITS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("array of %d elements is too long for a code", count),
				 errdetail("A code has at most %d bits.", HX_MAX_CODE_BITS)));
}

/*
 * A code of 1 bit a dimension: 1 where the value is greater than its
 * threshold, 0 where it is not greater.  Without thresholds they are 0.
 */
Datum
hx_binarize(PG_FUNCTION_ARGS)
{
	int count;
	double *values;
	double *thresholds = NULL;
	Bincode *code;

	check_binarized(count_elements(PG_GETARG_ARRAYTYPE_P(0)));
	if (PG_NARGS() > 1)
		count = read_pair(fcinfo, &values, &thresholds);
	else
		values = HxReadArray(PG_GETARG_ARRAYTYPE_P(0), &count);
	code = HxNewBincode(count, 1);
	for (int i = 0; i < count; i++)
	{
		if (values[i] > (thresholds == NULL ? 0.0 : thresholds[i]))
			HxSetBit(code->data, i);
	}
	PG_RETURN_BINCODE(code);
}
