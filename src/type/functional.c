/*
 * functional.c
 *	  functional_hash: what a function computes, as a hash of its results for
 *	  fixed inputs, the probes, after Unified Functional Hashing (AutoML).
 *
 * Of each result counts the sign, the exponent and the first bits of the
 * mantissa, the others being cut off: formulas that differ by rounding then agree,
 * unless a result lies at the border of two cuts.  Zeros are one, whatever their
 * sign, and so are NaNs; NULL is a result, too.
 */
#include "postgres.h"
#include "fmgr.h"

#include <float.h>
#include <math.h>

#include "compat.h"
#include "type/aggregate.h"
#include "type/digest.h"

#define DEFAULT_MANTISSA 24
#define MAX_MANTISSA (DBL_MANT_DIG - 1)

/* A result as bytes: what it is and its sign, exponent, mantissa */
#define RESULT_BYTES (1 + 2 + 8)

/* What a result is */
enum
{
	RESULT_NUMBER,
	RESULT_ZERO,
	RESULT_INFINITE,
	RESULT_NAN,
	RESULT_NULL
};

/* Results so far: bytes not hashed yet, behind the hash of those before, if any */
typedef struct Outcome
{
	int mantissa; /* bits that count */
	uint64 count; /* results */
	size_t used;  /* bytes of the buffer */
	uint8 buffer[4096];
} Outcome;

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_functional_hash_add);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_functional_hash_final);

/* A result as bytes, with so many bits of its mantissa behind the first */
static void
write_result(uint8 *at, bool is_null, double result, int mantissa)
{
	int kind = is_null		   ? RESULT_NULL
			   : isnan(result) ? RESULT_NAN
			   : isinf(result) ? RESULT_INFINITE
			   : result == 0.0 ? RESULT_ZERO
							   : RESULT_NUMBER;
	bool negative =
		(kind == RESULT_NUMBER || kind == RESULT_INFINITE) && result < 0.0;
	int exponent = 0;
	uint64 first = 0;

	if (kind == RESULT_NUMBER)
		first = (uint64) ldexp(frexp(fabs(result), &exponent), mantissa + 1);
	at = HxPutNumber(at, kind << 1 | negative, 1);
	at = HxPutNumber(at, (uint16) exponent, 2);
	(void) HxPutNumber(at, first, 8);
}

/* Replace the buffer by its hash. */
static void
fold_buffer(Outcome *state)
{
	pg_cryptohash_ctx *digests = HxBeginDigests();
	HxDigestPart all = {state->buffer, state->used};

	HxDigest(digests, &all, 1, state->buffer);
	HxEndDigests(digests);
	state->used = HX_DIGEST_BYTES;
}

/* The bits asked for in argument 2, or the default */
static int
mantissa_argument(FunctionCallInfo fcinfo)
{
	int mantissa = DEFAULT_MANTISSA;

	if (PG_NARGS() > 2)
	{
		if (PG_ARGISNULL(2))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("mantissa of functional_hash is null, "
								   "expected 0 to %d bits",
								   MAX_MANTISSA)));
		mantissa = PG_GETARG_INT32(2);
	}
	if (mantissa < 0 || mantissa > MAX_MANTISSA)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("mantissa of functional_hash has %d bits, "
							   "expected 0 to %d",
							   mantissa, MAX_MANTISSA)));
	return mantissa;
}

/* The state in argument 0, or a new one; error if it has another mantissa */
static Outcome *
state_argument(FunctionCallInfo fcinfo, int mantissa)
{
	MemoryContext context = HxAggregateContext(fcinfo);
	Outcome *state;

	if (PG_ARGISNULL(0))
	{
		state = MemoryContextAlloc(context, sizeof(Outcome));
		state->mantissa = mantissa;
		state->count = 0;
		state->used = 0;
	}
	else
		state = (Outcome *) PG_GETARG_POINTER(0);
	if (state->mantissa != mantissa)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("mantissa of functional_hash changes from %d to "
							   "%d bits",
							   state->mantissa, mantissa)));
	return state;
}

/* Transition: (state, result [, mantissa]) */
Datum
hx_functional_hash_add(PG_FUNCTION_ARGS)
{
	int mantissa = mantissa_argument(fcinfo);
	Outcome *state = state_argument(fcinfo, mantissa);

	if (state->used + RESULT_BYTES > sizeof(state->buffer))
		fold_buffer(state);
	write_result(state->buffer + state->used, PG_ARGISNULL(1),
				 PG_ARGISNULL(1) ? 0.0 : PG_GETARG_FLOAT8(1), mantissa);
	state->used += RESULT_BYTES;
	state->count++;
	PG_RETURN_POINTER(state);
}

/* State to hash: of the bits that count, the number of results, and these */
Datum
hx_functional_hash_final(PG_FUNCTION_ARGS)
{
	uint8 head[1 + 8];
	const Outcome *state;
	pg_cryptohash_ctx *digests;
	bytea *hash;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (Outcome *) PG_GETARG_POINTER(0);
	(void) HxPutNumber(HxPutNumber(head, state->mantissa, 1), state->count, 8);
	hash = palloc(VARHDRSZ + HX_DIGEST_BYTES);
	SET_VARSIZE(hash, VARHDRSZ + HX_DIGEST_BYTES);
	digests = HxBeginDigests();
	HxDigest(
		digests,
		(HxDigestPart[]){{head, sizeof(head)}, {state->buffer, state->used}}, 2,
		(uint8 *) VARDATA(hash));
	HxEndDigests(digests);
	PG_RETURN_BYTEA_P(hash);
}
