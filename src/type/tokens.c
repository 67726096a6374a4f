/*
 * tokens.c
 *	  Reading lists of tokens.
 *
 * An array of numbers has two dimensions, token and component; arrays of codes
 * and of pgvector's vectors have one, and their elements are the tokens.  An
 * array of no dimensions is the empty list.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "kernel/kernel.h"
#include "type/bincode.h"
#include "type/dense.h"
#include "type/tokens.h"

/* ---- arrays of numbers ---- */

/* Is the type of an array's elements one of numbers? */
static bool
is_number(Oid type)
{
	return type == FLOAT4OID || type == FLOAT8OID || type == NUMERICOID ||
		   type == INT4OID;
}

/* Error: a list has too many tokens. */
static void
check_count(int count)
{
	if (count > HX_MOST_TOKENS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("list of %d tokens, more than %d", count,
							   HX_MOST_TOKENS)));
}

/* Error, naming place and number, at the first that is not finite. */
static void
check_finite(const float *floats, int count, int dims)
{
	Size numbers = (Size) count * dims;

	if (likely(HxAllFinite(floats, numbers)))
		return;
	for (Size i = 0; i < numbers; i++)
		if (!isfinite(floats[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("component %d of token %d is %s, but a token has "
							"finite numbers in the range of real only",
							(int) (i % dims) + 1, (int) (i / dims) + 1,
							isnan(floats[i]) ? "NaN"
							: floats[i] > 0	 ? "Infinity"
											 : "-Infinity")));
}

/* The numbers of an array of another type than real, rounded to it */
static float *
round_numbers(ArrayType *array)
{
	int numbers;
	double *values = HxReadNumbers(array, &numbers);
	float *floats = palloc(Max(numbers, 1) * sizeof(float));

	for (int i = 0; i < numbers; i++)
		floats[i] = (float) values[i];
	pfree(values);
	return floats;
}

/* Read an array of numbers, which has two dimensions or none. */
static void
read_numbers(ArrayType *array, HxTokens *tokens)
{
	if (ARR_NDIM(array) == 0)
		return;
	if (ARR_NDIM(array) != 2)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array has %d dimension%s, but a list of tokens has 2",
						ARR_NDIM(array), ARR_NDIM(array) == 1 ? "" : "s"),
				 errhint("Write a list of one token as "
						 "ARRAY[ARRAY[1, 0, 0]]::real[].")));
	tokens->count = ARR_DIMS(array)[0];
	tokens->dims = ARR_DIMS(array)[1];
	check_count(tokens->count);
	HxCheckNoNull(array, tokens->count * tokens->dims);
	tokens->floats = ARR_ELEMTYPE(array) == FLOAT4OID
						 ? (const float *) ARR_DATA_PTR(array)
						 : round_numbers(array);
	check_finite(tokens->floats, tokens->count, tokens->dims);
}

/* ---- arrays of vectors ---- */

/* Error: two tokens of a list differ. */
pg_noreturn static void
reject_token(int token, const char *what, const char *first)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("token %d is %s, but token 1 is %s", token, what, first),
			 errdetail("All tokens of a list have one length.")));
}

/* The elements of an array of one dimension or none, none of them NULL */
static Datum *
elements_of(ArrayType *array, int *count)
{
	Datum *elements;
	bool *nulls;
	int16 length;
	bool byvalue;
	char align;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array has %d dimensions, but a list of vectors has 1",
						ARR_NDIM(array))));
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &byvalue, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, byvalue, align,
					  &elements, &nulls, count);
	check_count(*count);
	for (int i = 0; i < *count; i++)
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("token %d is null, but a list of tokens has "
								   "no nulls",
								   i + 1)));
	return elements;
}

/* Read an array of codes. */
static void
read_codes(ArrayType *array, HxTokens *tokens)
{
	Datum *elements = elements_of(array, &tokens->count);
	uint8 *codes = NULL;

	for (int i = 0; i < tokens->count; i++)
	{
		HxCode code = HxViewCode(elements[i]);

		if (i == 0)
		{
			tokens->dims = code.dims;
			tokens->planes = code.planes;
			tokens->code_bytes = code.bytes;
			codes = palloc_extended(Max(tokens->count * code.bytes, 1),
									MCXT_ALLOC_HUGE);
		}
		else if (code.dims != tokens->dims || code.planes != tokens->planes)
		{
			char what[HX_SHAPE_NAME];
			char first[HX_SHAPE_NAME];

			reject_token(i + 1, HxShapeName(code.dims, code.planes, what),
						 HxShapeName(tokens->dims, tokens->planes, first));
		}
		memcpy(codes + i * code.bytes, code.data, code.bytes);
	}
	tokens->codes = codes;
}

/* Read an array of pgvector's vectors. */
static void
read_vectors(HxDenseType type, ArrayType *array, HxTokens *tokens)
{
	Datum *elements = elements_of(array, &tokens->count);
	float *floats = NULL;

	for (int i = 0; i < tokens->count; i++)
	{
		int dims = HxDenseDims(type, elements[i]);

		if (i == 0)
		{
			tokens->dims = dims;
			floats = palloc_extended((Size) Max(tokens->count * dims, 1) *
										 sizeof(float),
									 MCXT_ALLOC_HUGE);
		}
		else if (dims != tokens->dims)
			reject_token(i + 1, psprintf("a vector of %d dimensions", dims),
						 psprintf("one of %d", tokens->dims));
		HxReadDense(type, elements[i], dims, floats + (Size) i * dims);
	}
	tokens->floats = floats;
}

void
HxReadTokens(HxTokenType type, ArrayType *array, HxTokens *tokens)
{
	memset(tokens, 0, sizeof(*tokens));
	if (is_number(ARR_ELEMTYPE(array)))
		read_numbers(array, tokens);
	else if (type == HX_TOKENS_CODE)
		read_codes(array, tokens);
	else if (type == HX_TOKENS_VECTOR)
		read_vectors(HX_DENSE_VECTOR, array, tokens);
	else if (type == HX_TOKENS_HALFVEC)
		read_vectors(HX_DENSE_HALFVEC, array, tokens);
	else
		elog(ERROR, "list of tokens of unsupported element type %u",
			 ARR_ELEMTYPE(array));
	if (tokens->count == 0)
		tokens->dims = 0;
}

/* ---- what is done with them ---- */

/* Level of a dimension of a code */
static int
level_of(const HxTokens *tokens, const uint8 *code, int dim)
{
	size_t plane_bytes = tokens->code_bytes / tokens->planes;
	int level = 0;

	for (int p = 0; p < tokens->planes; p++)
		level = level << 1 | HxGetBit(code + p * plane_bytes, dim);
	return level;
}

void
HxTokensAsFloats(HxTokens *tokens)
{
	int top = (1 << tokens->planes) - 1;
	float scale;
	float *floats;

	if (tokens->planes == 0)
		return;
	scale = 1.0f / (1 << (tokens->planes - 1));
	floats = palloc_extended((Size) Max(tokens->count * tokens->dims, 1) *
								 sizeof(float),
							 MCXT_ALLOC_HUGE);
	for (int t = 0; t < tokens->count; t++)
	{
		const uint8 *code = tokens->codes + t * tokens->code_bytes;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < tokens->dims; i++)
			floats[(Size) t * tokens->dims + i] =
				(2 * level_of(tokens, code, i) - top) * scale;
	}
	tokens->floats = floats;
	tokens->codes = NULL;
	tokens->planes = 0;
	tokens->code_bytes = 0;
}

void
HxCheckSameTokens(const HxTokens *document, const HxTokens *query)
{
	if (document->count > 0 && query->count > 0 &&
		document->dims != query->dims)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("tokens of the document have %d dimensions, those of "
						"the query %d",
						document->dims, query->dims)));
}

/* Greatest inner product of a token of a query with one of a document */
static float
greatest_product(const HxTokens *document, const float *token, float *scratch)
{
	float greatest = -INFINITY;

	if (document->planes > 0)
	{
		HxCodes codes = {document->codes, document->code_bytes,
						 document->count};

		hx_kernels->float_product(token, document->dims, document->planes,
								  codes, scratch);
	}
	else
	{
		HxFloatRows rows = {document->floats, document->dims, document->count};

		hx_kernels->dense->inner(token, document->dims, rows, scratch);
	}
	for (int i = 0; i < document->count; i++)
		greatest = scratch[i] > greatest ? scratch[i] : greatest;
	return greatest;
}

double
HxMaxSim(const HxTokens *document, const HxTokens *query, float *scratch)
{
	double sum = 0;

	Assert(query->planes == 0);
	if (document->count == 0)
		return NAN;
	for (int t = 0; t < query->count; t++)
	{
		CHECK_FOR_INTERRUPTS();
		sum += greatest_product(
			document, query->floats + (Size) t * query->dims, scratch);
	}
	if (unlikely(!isfinite(sum)))
		ereport(
			ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("inner products of tokens are out of the range of real"),
			 errhint("Divide tokens by their length, as l2_normalize "
					 "does.")));
	return sum;
}
