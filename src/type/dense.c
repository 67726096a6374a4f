/*
 * dense.c
 *	  Arrays of real, double precision, numeric or integer as dense vectors:
 *	  reading them, and float queries of stored codes.
 *
 * Arrays have one dimension and neither NULL, NaN nor infinity.
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

/*
 * Reading arrays
 */

/* Number of elements; error if the array has more than one dimension. */
int
HxCountElements(ArrayType *array)
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
void
HxCheckNoNull(ArrayType *array, int count)
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
	return HxSumLanes(lane) == 0.0;
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
 * The elements of an array of any number of dimensions as double, and how many
 * they are.  Error if one is NULL, NaN, infinite or out of range.
 */
double *
HxReadNumbers(ArrayType *array, int *count)
{
	double *values;

	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (*count > MaxAllocSize / sizeof(double))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("array of %d elements is too long for a vector",
							   *count)));
	CHECK_FOR_INTERRUPTS();
	HxCheckNoNull(array, *count);
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

/* The same of a vector: error, too, if the array has more than one dimension. */
double *
HxReadArray(ArrayType *array, int *count)
{
	(void) HxCountElements(array);
	return HxReadNumbers(array, count);
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
	int count = HxCountElements(array);
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
