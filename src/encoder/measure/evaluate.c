/*
 * evaluate.c
 *	  Aggregates that measure searches: average_precision and recall_at.
 *
 * Average precision by Hamming distance hangs on how ties are broken, and there
 * are many.  Here it is the mean over all orders of each tie, in closed form
 * (McSherry and Najork, 2008, Computing information retrieval performance
 * measures efficiently in the presence of tied scores).
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "compat.h"
#include "type/aggregate.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_precision_add);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_precision_combine);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_precision_serialize);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_precision_deserialize);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_precision_final);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_recall_add);

/* Rows of one result list for which there is room at first */
#define FIRST_ITEMS 64

/* A row of the result list */
typedef struct Item
{
	float8 distance;
	float8 relevant; /* 1 or 0 */
} Item;

/* Most rows of one list: what one allocation holds */
#define MAX_ITEMS ((int64) (MaxAllocSize / sizeof(Item)) - 1)

/* State of average_precision */
typedef struct Ranking
{
	MemoryContext context; /* of items */
	int64 missed;		   /* relevant rows that were not found */
	int64 count;		   /* items */
	int64 capacity;		   /* items that fit */
	Item *items;
} Ranking;

/* A list without rows */
static Ranking *
new_ranking(MemoryContext context, int64 capacity)
{
	Ranking *ranking = MemoryContextAllocZero(context, sizeof(Ranking));

	ranking->context = context;
	ranking->capacity = Max(capacity, FIRST_ITEMS);
	ranking->items =
		MemoryContextAlloc(context, ranking->capacity * sizeof(Item));
	return ranking;
}

/* Make room for more rows; error beyond MAX_ITEMS. */
static void
reserve(Ranking *ranking, int64 more)
{
	int64 wanted = ranking->count + more;

	if (wanted <= ranking->capacity)
		return;
	if (wanted > MAX_ITEMS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("average_precision of more than %lld rows",
							   (long long) MAX_ITEMS)));
	ranking->capacity = Min(Max(wanted, 2 * ranking->capacity), MAX_ITEMS);
	ranking->items = repalloc(ranking->items, ranking->capacity * sizeof(Item));
}

/*
 * Transition: (state, relevant, distance).  Rows whose relevance is NULL are
 * skipped; a NULL distance is that of a row that was not found.
 */
Datum
hx_precision_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = HxAggregateContext(fcinfo);
	Ranking *ranking =
		PG_ARGISNULL(0) ? NULL : (Ranking *) PG_GETARG_POINTER(0);
	Item *item;

	if (ranking == NULL)
		ranking = new_ranking(context, 0);
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(ranking);
	if (PG_ARGISNULL(2))
	{
		ranking->missed += PG_GETARG_BOOL(1);
		PG_RETURN_POINTER(ranking);
	}
	reserve(ranking, 1);
	item = &ranking->items[ranking->count++];
	item->distance = PG_GETARG_FLOAT8(2);
	item->relevant = PG_GETARG_BOOL(1);
	PG_RETURN_POINTER(ranking);
}

/* Append the second list to the first. */
Datum
hx_precision_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = HxAggregateContext(fcinfo);
	Ranking *ranking =
		PG_ARGISNULL(0) ? NULL : (Ranking *) PG_GETARG_POINTER(0);
	Ranking *other = PG_ARGISNULL(1) ? NULL : (Ranking *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (ranking == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(ranking);
	}
	if (ranking == NULL)
		ranking = new_ranking(context, other->count);
	reserve(ranking, other->count);
	memcpy(ranking->items + ranking->count, other->items,
		   other->count * sizeof(Item));
	ranking->count += other->count;
	ranking->missed += other->missed;
	PG_RETURN_POINTER(ranking);
}

/* State to bytes, for this server only */
Datum
hx_precision_serialize(PG_FUNCTION_ARGS)
{
	Ranking *ranking = (Ranking *) PG_GETARG_POINTER(0);
	Size size = VARHDRSZ + sizeof(int64) + ranking->count * sizeof(Item);
	bytea *bytes;

	(void) HxAggregateContext(fcinfo);
	bytes = palloc(size);
	SET_VARSIZE(bytes, size);
	memcpy(VARDATA(bytes), &ranking->missed, sizeof(int64));
	memcpy(VARDATA(bytes) + sizeof(int64), ranking->items,
		   ranking->count * sizeof(Item));
	PG_RETURN_BYTEA_P(bytes);
}

/* Bytes to state */
Datum
hx_precision_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	Size size = VARSIZE_ANY_EXHDR(bytes);
	Ranking *ranking;

	(void) HxAggregateContext(fcinfo);
	if (size < sizeof(int64) || (size - sizeof(int64)) % sizeof(Item) != 0)
		elog(ERROR, "invalid state of average_precision: %zu bytes", size);
	size -= sizeof(int64);
	ranking = new_ranking(CurrentMemoryContext, size / sizeof(Item));
	ranking->count = size / sizeof(Item);
	memcpy(&ranking->missed, VARDATA_ANY(bytes), sizeof(int64));
	memcpy(ranking->items, VARDATA_ANY(bytes) + sizeof(int64), size);
	PG_RETURN_POINTER(ranking);
}

/* Order of rows: by distance, NaN last as float8 sorts */
static int
compare_items(const void *a, const void *b)
{
	CHECK_FOR_INTERRUPTS();
	return float8_cmp_internal(((const Item *) a)->distance,
							   ((const Item *) b)->distance);
}

/*
 * What n rows at one distance, r of them relevant, add to the sum of the
 * precisions at relevant rows, if c rows with R relevant ones are before them:
 * at the i-th, a relevant one stands with probability r / n, and before it
 * (i - 1) (r - 1) / (n - 1) others of the tie are expected.
 */
static double
tie_share(int64 n, double r, int64 c, double R)
{
	double sum = 0.0;

	if (r == 0.0)
		return 0.0;
	for (int64 i = 1; i <= n; i++)
	{
		double before = n > 1 ? (i - 1) * (r - 1.0) / (double) (n - 1) : 0.0;

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		sum += (r / (double) n) * (R + 1.0 + before) / (double) (c + i);
	}
	return sum;
}

/* Average precision; NULL if no row is relevant.  Sorts the list. */
Datum
hx_precision_final(PG_FUNCTION_ARGS)
{
	Ranking *ranking =
		PG_ARGISNULL(0) ? NULL : (Ranking *) PG_GETARG_POINTER(0);
	double relevant = 0.0;
	double sum = 0.0;
	int64 first = 0;

	if (ranking == NULL)
		PG_RETURN_NULL();
	qsort(ranking->items, ranking->count, sizeof(Item), compare_items);
	while (first < ranking->count)
	{
		int64 last = first;
		double found = 0.0;

		while (last < ranking->count &&
			   compare_items(&ranking->items[first], &ranking->items[last]) ==
				   0)
			found += ranking->items[last++].relevant;
		sum += tie_share(last - first, found, first, relevant);
		relevant += found;
		first = last;
	}
	relevant += (double) ranking->missed;
	if (relevant == 0.0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sum / relevant);
}

/* Order of the elements, for qsort_arg */
static int
compare_elements(const void *a, const void *b, void *arg)
{
	TypeCacheEntry *type = arg;

	CHECK_FOR_INTERRUPTS();
	return DatumGetInt32(
		FunctionCall2Coll(&type->cmp_proc_finfo, type->typcollation,
						  *(const Datum *) a, *(const Datum *) b));
}

/* Elements of an array, ascending, each once, without NULLs; how many */
static int
read_set(ArrayType *array, TypeCacheEntry *type, int most, Datum **elements)
{
	bool *nulls;
	int count;
	int kept = 0;

	deconstruct_array(array, ARR_ELEMTYPE(array), type->typlen, type->typbyval,
					  type->typalign, elements, &nulls, &count);
	count = Min(count, most);
	for (int i = 0; i < count; i++)
	{
		if (!nulls[i])
			(*elements)[kept++] = (*elements)[i];
	}
	qsort_arg(*elements, kept, sizeof(Datum), compare_elements, type);
	count = kept;
	kept = 0;
	for (int i = 0; i < count; i++)
	{
		if (kept == 0 || compare_elements(&(*elements)[kept - 1],
										  &(*elements)[i], type) != 0)
			(*elements)[kept++] = (*elements)[i];
	}
	return kept;
}

/* How the element type is ordered; error if it is not */
static TypeCacheEntry *
element_type(FunctionCallInfo fcinfo, Oid oid)
{
	TypeCacheEntry *type = fcinfo->flinfo->fn_extra;

	if (type != NULL && type->type_id == oid)
		return type;
	type = lookup_type_cache(oid, TYPECACHE_CMP_PROC_FINFO);
	if (!OidIsValid(type->cmp_proc_finfo.fn_oid))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
						errmsg("recall_at cannot compare values of type %s",
							   format_type_be(oid))));
	fcinfo->flinfo->fn_extra = type;
	return type;
}

/* Share of the truth found among the first k rows got; -1 without a truth */
static double
recall(FunctionCallInfo fcinfo, ArrayType *got, ArrayType *truth, int k)
{
	TypeCacheEntry *type = element_type(fcinfo, ARR_ELEMTYPE(got));
	Datum *found;
	Datum *wanted;
	int found_count = read_set(got, type, k, &found);
	int wanted_count = read_set(truth, type, INT_MAX, &wanted);
	int both = 0;
	int i = 0;

	if (wanted_count == 0)
		return -1.0;
	for (int j = 0; j < wanted_count; j++)
	{
		while (i < found_count &&
			   compare_elements(&found[i], &wanted[j], type) < 0)
			i++;
		both += i < found_count &&
				compare_elements(&found[i], &wanted[j], type) == 0;
	}
	pfree(found);
	pfree(wanted);
	return (double) both / wanted_count;
}

/*
 * Transition: (state, got, truth [, k]).  The state is that of avg(float8).
 * Without rows got, nothing is found; without a truth, the query is skipped.
 */
Datum
hx_recall_add(PG_FUNCTION_ARGS)
{
	LOCAL_FCINFO(accumulate, 2);
	int k = INT_MAX;
	double share = 0.0;

	(void) HxAggregateContext(fcinfo);
	if (PG_NARGS() > 3)
	{
		if (PG_ARGISNULL(3) || PG_GETARG_INT32(3) < 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 PG_ARGISNULL(3)
						 ? errmsg("k of recall_at must not be null")
						 : errmsg("k of recall_at must be at least 1, not %d",
								  PG_GETARG_INT32(3))));
		k = PG_GETARG_INT32(3);
	}
	if (PG_ARGISNULL(2))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (PG_ARGISNULL(1))
		share = ArrayGetNItems(ARR_NDIM(PG_GETARG_ARRAYTYPE_P(2)),
							   ARR_DIMS(PG_GETARG_ARRAYTYPE_P(2))) > 0
					? 0.0
					: -1.0;
	else
		share = recall(fcinfo, PG_GETARG_ARRAYTYPE_P(1),
					   PG_GETARG_ARRAYTYPE_P(2), k);
	if (share < 0.0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	/* the state's array is changed in place: they must see the aggregate */
	InitFunctionCallInfoData(*accumulate, fcinfo->flinfo, 2, InvalidOid,
							 fcinfo->context, NULL);
	accumulate->args[0] = fcinfo->args[0];
	accumulate->args[1].value = Float8GetDatum(share);
	accumulate->args[1].isnull = false;
	return float8_accum(accumulate);
}
