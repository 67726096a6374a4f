/*
 * svec_agg.c
 *	  Type svec: aggregates sum, avg and svec_agg.
 *
 * One state serves all three: a hash table from dimension to a sum in double.
 * Its size depends on how many dimensions are met, not on the number of rows.
 * Rounding to real happens once, at the end; since addition in double is not
 * associative, the last bit may depend on the order of the rows.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "compat.h"
#include "type/aggregate.h"
#include "type/svec.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_sum_step);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_agg_step);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_agg_combine);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_agg_serial);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_agg_deserial);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_sum_final);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_avg_final);

/*
 * At most this many dimensions in a state (128 MB).  A result has no more than
 * HX_MAX_SPARSE_NNZ, but sums may cancel out before the end.
 */
#define MAX_SUMS (1 << 22)

/* A state begins with room for this many */
#define FEW_SUMS 16

/* The sum in one dimension */
typedef struct DimSum
{
	double sum;	 /* of the weights met */
	int32 index; /* dimension, counted from 0 */
	char status; /* the hash table's */
} DimSum;

#define SH_PREFIX sums
#define SH_ELEMENT_TYPE DimSum
#define SH_KEY_TYPE int32
#define SH_KEY index
#define SH_HASH_KEY(table, key) murmurhash32((uint32) (key))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* State of all aggregates */
typedef struct SumState
{
	int32 dims;		 /* number of dimensions of every row */
	int64 count;	 /* number of rows */
	sums_hash *sums; /* sum by dimension */
} SumState;

/* A state without rows, with room for this many sums */
static SumState *
new_state(MemoryContext context, int32 dims, int room)
{
	SumState *state = MemoryContextAlloc(context, sizeof(SumState));

	state->dims = dims;
	state->count = 0;
	state->sums = sums_create(context, room, NULL);
	return state;
}

/* Error unless a further row has the number of dimensions of those before. */
static void
check_state_dims(const SumState *state, int64 dims)
{
	if (dims != state->dims)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("different svec dimensions %d and %lld",
							   state->dims, (long long) dims)));
}

/* Add to the sum of one dimension. */
static void
add_weight(SumState *state, int32 index, double weight)
{
	bool found;
	DimSum *entry = sums_insert(state->sums, index, &found);

	if (!found)
	{
		entry->sum = 0;
		if (state->sums->members > MAX_SUMS)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("svec aggregate met more than %d dimensions",
								   MAX_SUMS),
							errdetail("The result can have at most %d "
									  "non-zero weights.",
									  HX_MAX_SPARSE_NNZ)));
	}
	entry->sum += weight;
}

/* sum and avg: add a vector. */
Datum
hx_svec_sum_step(PG_FUNCTION_ARGS)
{
	MemoryContext context = HxAggregateContext(fcinfo);
	SumState *state =
		PG_ARGISNULL(0) ? NULL : (SumState *) PG_GETARG_POINTER(0);
	HxSvec *v;

	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	v = PG_GETARG_SVEC_P(1);
	if (state == NULL)
		state = new_state(context, v->dims, FEW_SUMS);
	check_state_dims(state, v->dims);
	for (int i = 0; i < v->nnz; i++)
		add_weight(state, v->indices[i], HxSvecWeights(v)[i]);
	state->count++;
	PG_FREE_IF_COPY(v, 1);
	PG_RETURN_POINTER(state);
}

/* The number of dimensions that a row of svec_agg names, or the greatest */
static int64
row_dims(FunctionCallInfo fcinfo)
{
	if (PG_NARGS() < 4)
		return HX_MAX_SPARSE_DIMS;
	if (PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("number of dimensions of svec_agg is NULL")));
	HxCheckSvecDims(PG_GETARG_INT32(3), NULL);
	return PG_GETARG_INT32(3);
}

/* svec_agg: add the weight of an id; rows with a NULL in either are ignored. */
Datum
hx_svec_agg_step(PG_FUNCTION_ARGS)
{
	MemoryContext context = HxAggregateContext(fcinfo);
	SumState *state =
		PG_ARGISNULL(0) ? NULL : (SumState *) PG_GETARG_POINTER(0);
	int64 dims;
	int64 id;
	double weight;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	dims = row_dims(fcinfo);
	id = PG_GETARG_INT64(1);
	weight = PG_GETARG_FLOAT8(2);
	if (state == NULL)
		state = new_state(context, (int32) dims, FEW_SUMS);
	check_state_dims(state, dims);
	if (id < 1 || id > dims)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("svec index %lld is out of range", (long long) id),
				 errdetail("Indices are from 1 to %lld, the number of "
						   "dimensions.",
						   (long long) dims)));
	if (isnan(weight) || isinf(weight))
		HxCheckSvecWeight((float) weight, id, NULL);
	add_weight(state, (int32) (id - 1), weight);
	state->count++;
	PG_RETURN_POINTER(state);
}

/* Add the second state to the first. */
static void
merge_states(SumState *into, SumState *from)
{
	sums_iterator iterator;
	DimSum *entry;

	check_state_dims(into, from->dims);
	/* In the order of one table, a smaller one would fill up in clusters */
	if (into->sums->size < from->sums->size)
		sums_grow(into->sums, from->sums->size);
	sums_start_iterate(from->sums, &iterator);
	while ((entry = sums_iterate(from->sums, &iterator)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		add_weight(into, entry->index, entry->sum);
	}
	into->count += from->count;
}

/* Combine the states of two workers. */
Datum
hx_svec_agg_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = HxAggregateContext(fcinfo);
	SumState *into = PG_ARGISNULL(0) ? NULL : (SumState *) PG_GETARG_POINTER(0);
	SumState *from = PG_ARGISNULL(1) ? NULL : (SumState *) PG_GETARG_POINTER(1);

	if (from == NULL)
	{
		if (into == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(into);
	}
	if (into == NULL)
		into = new_state(context, from->dims, from->sums->members);
	merge_states(into, from);
	PG_RETURN_POINTER(into);
}

/* A state as bytes, for another process: dimensions, rows, sums. */
Datum
hx_svec_agg_serial(PG_FUNCTION_ARGS)
{
	SumState *state = (SumState *) PG_GETARG_POINTER(0);
	StringInfoData message;
	sums_iterator iterator;
	DimSum *entry;

	HxAggregateContext(fcinfo);
	pq_begintypsend(&message);
	pq_sendint32(&message, state->dims);
	pq_sendint64(&message, state->count);
	pq_sendint32(&message, state->sums->members);
	sums_start_iterate(state->sums, &iterator);
	while ((entry = sums_iterate(state->sums, &iterator)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		pq_sendint32(&message, entry->index);
		pq_sendfloat8(&message, entry->sum);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* The state that such bytes describe */
Datum
hx_svec_agg_deserial(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData message;
	SumState *state;
	int32 dims;
	int64 count;
	int32 members;

	HxAggregateContext(fcinfo);
	initStringInfo(&message);
	appendBinaryStringInfo(&message, VARDATA_ANY(bytes),
						   VARSIZE_ANY_EXHDR(bytes));
	dims = (int32) pq_getmsgint(&message, 4);
	count = pq_getmsgint64(&message);
	members = (int32) pq_getmsgint(&message, 4);
	state = new_state(CurrentMemoryContext, dims, members);
	state->count = count;
	for (int i = 0; i < members; i++)
	{
		int32 index = (int32) pq_getmsgint(&message, 4);

		CHECK_FOR_INTERRUPTS();
		add_weight(state, index, pq_getmsgfloat8(&message));
	}
	pq_getmsgend(&message);
	pfree(message.data);
	PG_RETURN_POINTER(state);
}

/* qsort comparator of DimSum by dimension */
static int
compare_sums(const void *left, const void *right)
{
	int32 a = ((const DimSum *) left)->index;
	int32 b = ((const DimSum *) right)->index;

	CHECK_FOR_INTERRUPTS();
	return (a > b) - (a < b);
}

/*
 * The sums divided by a number, as a vector.  Weights that become zero as a
 * real are left out.  The state stays as it was.
 */
static HxSvec *
finish_state(const SumState *state, double divisor)
{
	int count = 0;
	int nnz = 0;
	DimSum *sorted = palloc(Max(state->sums->members, 1) * sizeof(DimSum));
	HxSvec *v;
	sums_iterator iterator;
	DimSum *entry;

	sums_start_iterate(state->sums, &iterator);
	while ((entry = sums_iterate(state->sums, &iterator)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		entry = memcpy(&sorted[count], entry, sizeof(DimSum));
		entry->sum /= divisor;
		count += (float) entry->sum != 0;
	}
	qsort(sorted, count, sizeof(DimSum), compare_sums);
	v = HxNewSvec(state->dims, count);
	for (; nnz < count; nnz++)
	{
		v->indices[nnz] = sorted[nnz].index;
		HxSvecWeights(v)[nnz] =
			HxSvecWeight(sorted[nnz].sum, (int64) sorted[nnz].index + 1);
	}
	return HxTrimSvec(v, nnz);
}

/* sum and svec_agg: NULL where there were no rows */
Datum
hx_svec_sum_final(PG_FUNCTION_ARGS)
{
	HxAggregateContext(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(finish_state((SumState *) PG_GETARG_POINTER(0), 1));
}

/* avg: NULL where there were no rows */
Datum
hx_svec_avg_final(PG_FUNCTION_ARGS)
{
	SumState *state;

	HxAggregateContext(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (SumState *) PG_GETARG_POINTER(0);
	PG_RETURN_POINTER(finish_state(state, (double) state->count));
}
