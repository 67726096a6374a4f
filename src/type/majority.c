/*
 * majority.c
 *	  The bit that most codes have, dimension by dimension, where codes may be
 *	  weighted: of many rows, the aggregate bit_majority; of an array, bit_vote.
 *
 * A dimension's margin is the weight of the ones less that of the zeros.  With
 * weights that are whole numbers margins are exact, and the order of rows does
 * not matter.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/float.h"

#include "type/aggregate.h"
#include "type/bincode.h"

typedef struct Majority
{
	int dims;	   /* of every code so far */
	double weight; /* sum of all weights, no margin's magnitude exceeds it */
	double margin[FLEXIBLE_ARRAY_MEMBER];
} Majority;

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_majority_add);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_majority_add_weighted);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_majority_combine);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_majority_serialize);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_majority_deserialize);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_majority_final);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bit_vote);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bit_vote_weighted);

/* The state in an argument, or NULL */
static Majority *
state_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL
								  : (Majority *) PG_GETARG_POINTER(argument);
}

/* A state that has seen no code */
static Majority *
new_state(MemoryContext context, int dims)
{
	Majority *state = MemoryContextAllocZero(
		context, offsetof(Majority, margin) + dims * sizeof(double));

	state->dims = dims;
	return state;
}

/* Error unless codes of both lengths may be counted together. */
static void
check_length(int have, int other)
{
	(void) HxMatchShapes(have, 1, other, 1, NULL, NULL);
}

/* Add the weight where a bit is set and subtract it elsewhere. */
static void
add_bits(double *margin, const HxCode *code, double weight)
{
	const double change[2] = {-weight, weight};
	int whole = code->dims & ~7;

	for (int i = 0; i < whole; i += 8)
	{
		unsigned bits = code->data[i >> 3];

		for (int b = 0; b < 8; b++)
			margin[i + b] += change[bits >> (7 - b) & 1];
	}
	for (int i = whole; i < code->dims; i++)
		margin[i] += change[HxGetBit(code->data, i)];
}

/* Count one code; the state is made for the first. */
static Majority *
count_code(Majority *state, MemoryContext context, const HxCode *code,
		   double weight, const char *who)
{
	if (!isfinite(weight) || weight < 0.0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight of a code must be finite and not negative, "
						"not %g",
						weight)));
	HxCheckOnePlane(code, who);
	if (state == NULL)
		state = new_state(context, code->dims);
	check_length(state->dims, code->dims);

	state->weight += weight;
	if (isinf(state->weight))
		float_overflow_error();
	add_bits(state->margin, code, weight);
	return state;
}

/* Count one code, argument 1, into the state, argument 0. */
static Majority *
add_code(FunctionCallInfo fcinfo, double weight)
{
	HxCode code = PG_GETARG_CODE(1);

	return count_code(state_argument(fcinfo, 0), HxAggregateContext(fcinfo),
					  &code, weight, "bit_majority");
}

/* Transition: (state, code); a NULL code is skipped. */
Datum
hx_majority_add(PG_FUNCTION_ARGS)
{
	Majority *state;

	if (PG_ARGISNULL(1))
		state = state_argument(fcinfo, 0);
	else
		state = add_code(fcinfo, 1.0);
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

/* Transition: (state, code, weight); a NULL code or weight is skipped. */
Datum
hx_majority_add_weighted(PG_FUNCTION_ARGS)
{
	Majority *state;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		state = state_argument(fcinfo, 0);
	else
		state = add_code(fcinfo, PG_GETARG_FLOAT8(2));
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

/* Add the second state to the first. */
Datum
hx_majority_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = HxAggregateContext(fcinfo);
	Majority *state = state_argument(fcinfo, 0);
	Majority *other = state_argument(fcinfo, 1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = new_state(context, other->dims);
	check_length(state->dims, other->dims);
	state->weight += other->weight;
	if (isinf(state->weight))
		float_overflow_error();
	for (int i = 0; i < state->dims; i++)
		state->margin[i] += other->margin[i];
	PG_RETURN_POINTER(state);
}

/* State to bytes: dimensions, weight, margins */
Datum
hx_majority_serialize(PG_FUNCTION_ARGS)
{
	Majority *state = (Majority *) PG_GETARG_POINTER(0);
	StringInfoData message;

	(void) HxAggregateContext(fcinfo);
	pq_begintypsend(&message);
	pq_sendint32(&message, state->dims);
	pq_sendfloat8(&message, state->weight);
	for (int i = 0; i < state->dims; i++)
		pq_sendfloat8(&message, state->margin[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* Bytes to state */
Datum
hx_majority_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData message;
	Majority *state;
	int dims;

	(void) HxAggregateContext(fcinfo);
	initStringInfo(&message);
	appendBinaryStringInfo(&message, VARDATA_ANY(bytes),
						   VARSIZE_ANY_EXHDR(bytes));
	dims = (int) pq_getmsgint(&message, 4);
	if (dims < 0 || dims > HX_MAX_CODE_BITS)
		elog(ERROR, "invalid state of bit_majority: %d dimensions", dims);
	state = new_state(CurrentMemoryContext, dims);
	state->weight = pq_getmsgfloat8(&message);
	for (int i = 0; i < dims; i++)
		state->margin[i] = pq_getmsgfloat8(&message);
	pq_getmsgend(&message);
	pfree(message.data);
	PG_RETURN_POINTER(state);
}

/* The majority's code: 1 where the ones outweigh the zeros, on a tie 0 */
static Bincode *
make_code(const Majority *state)
{
	Bincode *code = HxNewBincode(state->dims, 1);

	for (int i = 0; i < state->dims; i++)
	{
		if (state->margin[i] > 0.0)
			HxSetBit(code->data, i);
	}
	return code;
}

/* State to code */
Datum
hx_majority_final(PG_FUNCTION_ARGS)
{
	Majority *state = state_argument(fcinfo, 0);

	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BINCODE(make_code(state));
}

/* Elements of an array of one dimension or none */
static int
read_elements(ArrayType *array, int16 length, bool by_value, char align,
			  Datum **values, bool **nulls)
{
	int count;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("bit_vote needs an array of one dimension, "
							   "not of %d",
							   ARR_NDIM(array))));
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align,
					  values, nulls, &count);
	return count;
}

/* Codes in argument 0 by their weights, or 1 each; NULL codes are skipped. */
static Datum
vote(FunctionCallInfo fcinfo, const Datum *weights, const bool *no_weight,
	 int weight_count)
{
	Majority *state = NULL;
	Datum *codes;
	bool *nulls;
	int count = read_elements(PG_GETARG_ARRAYTYPE_P(0), -1, false, TYPALIGN_INT,
							  &codes, &nulls);

	if (weights != NULL && weight_count != count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("bit_vote needs a weight for each code, not %d for %d",
						weight_count, count)));
	for (int i = 0; i < count; i++)
	{
		HxCode code;

		CHECK_FOR_INTERRUPTS();
		if (nulls[i] || (weights != NULL && no_weight[i]))
			continue;
		code = HxViewCode(codes[i]);
		state = count_code(state, CurrentMemoryContext, &code,
						   weights == NULL ? 1.0 : DatumGetFloat8(weights[i]),
						   "bit_vote");
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BINCODE(make_code(state));
}

/* bit_vote(codes) */
Datum
hx_bit_vote(PG_FUNCTION_ARGS)
{
	return vote(fcinfo, NULL, NULL, 0);
}

/* bit_vote(codes, weights) */
Datum
hx_bit_vote_weighted(PG_FUNCTION_ARGS)
{
	Datum *weights;
	bool *nulls;
	int count =
		read_elements(PG_GETARG_ARRAYTYPE_P(1), sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &weights, &nulls);

	return vote(fcinfo, weights, nulls, count);
}
