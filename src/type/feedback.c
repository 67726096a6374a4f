/*
 * feedback.c
 *	  query_feedback: a query, and what it found, as a second query.
 *
 * All vectors count by their direction: the query with 1, each result with its
 * weight, which is negative for results that are not what is looked for.  Sums are
 * in double precision, in a fixed order, so they are the same everywhere.
 */
#include "postgres.h"
#include "fmgr.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"

#include "type/bincode.h"
#include "type/dense.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_query_feedback_codes);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_query_feedback_vectors);

/* Length of a vector; its greatest magnitude is taken out, lest it overflow */
static double
find_length(const double *values, int dims)
{
	double greatest = 0.0;
	double sum = 0.0;

	for (int i = 0; i < dims; i++)
		greatest = fmax(greatest, fabs(values[i]));
	if (greatest == 0.0)
		return 0.0;
	for (int i = 0; i < dims; i++)
		sum += values[i] / greatest * (values[i] / greatest);
	return greatest * sqrt(sum);
}

/* Add a vector's direction, so many times; one without length has none. */
static void
add_direction(double *sum, const double *values, int dims, double weight)
{
	double length = find_length(values, dims);

	if (length == 0.0)
		return;
	for (int i = 0; i < dims; i++)
		sum[i] += weight * (values[i] / length);
}

/* The query in argument 0 as the beginning of a sum */
static double *
begin_sum(FunctionCallInfo fcinfo, int *dims)
{
	double *query = HxReadArray(PG_GETARG_ARRAYTYPE_P(0), dims);
	double *sum;

	if (find_length(query, *dims) == 0.0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("query of query_feedback has length 0")));
	sum = palloc0(*dims * sizeof(double));
	add_direction(sum, query, *dims, 1.0);
	return sum;
}

/* The weights in argument 2; error unless there is one for each result */
static double *
read_weights(FunctionCallInfo fcinfo, int results)
{
	int count;
	double *weights = HxReadArray(PG_GETARG_ARRAYTYPE_P(2), &count);

	if (count != results)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("query_feedback needs a weight for each result, not "
						"%d for %d",
						count, results)));
	return weights;
}

/* The sum as real[] of length 1; error if nothing is left of the query */
static Datum
finish_sum(const double *sum, int dims)
{
	double length = find_length(sum, dims);
	Datum *values = palloc(dims * sizeof(Datum));

	/* what cancels exactly leaves about this much by rounding */
	if (length < 1e-12 || !isfinite(length))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("the results of query_feedback and the query "
							   "add up to length %g",
							   length),
						errhint("Give the results less weight.")));
	for (int i = 0; i < dims; i++)
		values[i] = Float4GetDatum((float4) (sum[i] / length));
	PG_RETURN_ARRAYTYPE_P(construct_array(values, dims, FLOAT4OID,
										  sizeof(float4), true, TYPALIGN_INT));
}

/* Error unless result number i, from 0, has the query's dimensions. */
static void
check_dims(int i, int dims, int expected)
{
	if (dims != expected)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("result %d of query_feedback has %d dimensions, "
							   "but the query has %d",
							   i + 1, dims, expected)));
}

/* The numbers that a code stands for */
static void
read_levels(const HxCode *code, double *values)
{
	for (int i = 0; i < code->dims; i++)
	{
		int level = 0;

		for (int p = 0; p < code->planes; p++)
			level =
				level << 1 | HxGetBit(code->data + p * code->plane_bytes, i);
		values[i] = 2.0 * level - ((1 << code->planes) - 1);
	}
}

/* query_feedback(query, codes, weights) */
Datum
hx_query_feedback_codes(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(1);
	int dims;
	double *sum = begin_sum(fcinfo, &dims);
	double *values = palloc(dims * sizeof(double));
	int count = HxCountElements(array);
	double *weights = read_weights(fcinfo, count);
	Datum *codes;

	HxCheckNoNull(array, count);
	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_INT,
					  &codes, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		HxCode code = HxViewCode(codes[i]);

		CHECK_FOR_INTERRUPTS();
		check_dims(i, code.dims, dims);
		read_levels(&code, values);
		add_direction(sum, values, dims, weights[i]);
	}
	return finish_sum(sum, dims);
}

/*
 * The rows of an array of double precision of two dimensions, or of none; error if
 * it has another number, NULL, NaN or infinity.
 */
static const double *
read_rows(ArrayType *array, int *rows, int *dims)
{
	const double *values = (double *) ARR_DATA_PTR(array);

	*rows = *dims = 0;
	if (ARR_NDIM(array) == 0)
		return NULL;
	if (ARR_NDIM(array) != 2)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("results of query_feedback must be an array of "
							   "two dimensions, a vector a row, not of %d",
							   ARR_NDIM(array))));
	if (array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("results of query_feedback contain nulls")));
	*rows = ARR_DIMS(array)[0];
	*dims = ARR_DIMS(array)[1];
	for (int i = 0; i < *rows * *dims; i++)
	{
		if (!isfinite(values[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("component %d of result %d of query_feedback is "
							"%g, but a vector has finite numbers only",
							i % *dims + 1, i / *dims + 1, values[i])));
	}
	return values;
}

/* query_feedback(query, vectors, weights) */
Datum
hx_query_feedback_vectors(PG_FUNCTION_ARGS)
{
	int dims;
	int rows;
	int width;
	double *sum = begin_sum(fcinfo, &dims);
	const double *values = read_rows(PG_GETARG_ARRAYTYPE_P(1), &rows, &width);
	double *weights = read_weights(fcinfo, rows);

	for (int i = 0; i < rows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		check_dims(i, width, dims);
		add_direction(sum, values + (size_t) i * dims, dims, weights[i]);
	}
	return finish_sum(sum, dims);
}
