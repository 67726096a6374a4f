/*
 * binarize.c
 *	  Codes from dense vectors, by the signs of their numbers or by thresholds.
 */
#include "postgres.h"

#include "type/bincode.h"
#include "type/dense.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_binarize);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_vector_binarize);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_halfvec_binarize);

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

	check_binarized(HxCountElements(PG_GETARG_ARRAYTYPE_P(0)));
	if (PG_NARGS() > 1)
		count = HxReadArrayPair(fcinfo, &values, &thresholds);
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

/* The numbers of an argument that is a vector, and how many */
static float *
vector_argument(FunctionCallInfo fcinfo, int argument, HxDenseType type,
				int *dims)
{
	Datum value =
		PointerGetDatum(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(argument)));
	float *numbers;

	*dims = HxDenseDims(type, value);
	check_binarized(*dims);
	numbers = palloc(Max(*dims, 1) * sizeof(float));
	HxReadDense(type, value, *dims, numbers);
	return numbers;
}

/* As hx_binarize, of vectors as pgvector stores them */
static Datum
binarize_vector(FunctionCallInfo fcinfo, HxDenseType type)
{
	int dims;
	int others;
	float *numbers = vector_argument(fcinfo, 0, type, &dims);
	float *thresholds = NULL;
	Bincode *code;

	if (PG_NARGS() > 1)
	{
		thresholds = vector_argument(fcinfo, 1, type, &others);
		if (dims != others)
			ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
							errmsg("vectors of different lengths: %d and %d",
								   dims, others)));
	}
	code = HxNewBincode(dims, 1);
	for (int i = 0; i < dims; i++)
	{
		if (numbers[i] > (thresholds == NULL ? 0.0f : thresholds[i]))
			HxSetBit(code->data, i);
	}
	PG_RETURN_BINCODE(code);
}

/* A code from a vector, with or without thresholds */
Datum
hx_vector_binarize(PG_FUNCTION_ARGS)
{
	return binarize_vector(fcinfo, HX_DENSE_VECTOR);
}

/* A code from a halfvec, with or without thresholds */
Datum
hx_halfvec_binarize(PG_FUNCTION_ARGS)
{
	return binarize_vector(fcinfo, HX_DENSE_HALFVEC);
}
