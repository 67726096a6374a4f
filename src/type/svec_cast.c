/*
 * svec_cast.c
 *	  Type svec: constructor, and casts from and to arrays and jsonb.
 */
#include "postgres.h"

#include <errno.h>
#include <math.h>

#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "compat.h"
#include "type/bincode.h"
#include "type/svec.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_construct);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_array_to_svec);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_to_float4);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_jsonb_to_svec);

/* Error unless the array has one dimension, or is empty, and has no NULL. */
static void
check_array(ArrayType *array, const char *what)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("array of %s has %d dimensions, expected 1",
							   what, ARR_NDIM(array))));
	if (array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("array of %s contains a NULL", what)));
}

/*
 * A number as the weight at index id, rounded once, by its digits.  Error as
 * with HxSvecWeight: not that of the cast to real, which repeats every digit.
 */
static float
numeric_weight(Datum number, int64 id)
{
	double value =
		DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, number));

	bool vanished =
		value == 0 &&
		DatumGetInt32(DirectFunctionCall2(
			numeric_cmp, number,
			DirectFunctionCall1(int4_numeric, Int32GetDatum(0)))) != 0;

	if (vanished || (isinf(value) && !numeric_is_inf(DatumGetNumeric(number))))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("weight at index %lld is out of range for type "
							   "real",
							   (long long) id)));
	if (HxSvecWeight(value, id) == 0)
		return 0;
	return DatumGetFloat4(DirectFunctionCall1(numeric_float4, number));
}

/* An element of a numeric array type as a weight */
static float
element_weight(Datum element, Oid type, int64 id)
{
	switch (type)
	{
		case INT4OID:
			return (float) DatumGetInt32(element);
		case FLOAT4OID:
			return HxSvecWeight(DatumGetFloat4(element), id);
		case FLOAT8OID:
			return HxSvecWeight(DatumGetFloat8(element), id);
		case NUMERICOID:
			return numeric_weight(element, id);
		default:
			elog(ERROR, "unexpected array element type %u", type);
	}
	return 0;
}

/* Walks a one-dimensional array without NULLs */
typedef struct Elements
{
	Oid type;	   /* type of the elements */
	int16 length;  /* its length, -1 if it varies */
	bool by_value; /* is it passed by value? */
	char align;	   /* its alignment */
	int count;	   /* number of elements */
	char *at;	   /* next element */
} Elements;

/* Begin to walk an array. */
static Elements
start_elements(ArrayType *array)
{
	Elements e = {.type = ARR_ELEMTYPE(array),
				  .count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)),
				  .at = ARR_DATA_PTR(array)};

	get_typlenbyvalalign(e.type, &e.length, &e.by_value, &e.align);
	return e;
}

/* The next element; the caller counts. */
static Datum
next_element(Elements *e)
{
	Datum element = fetch_att(e->at, e->by_value, e->length);

	e->at = att_addlength_pointer(e->at, e->length, e->at);
	e->at = (char *) att_align_nominal(e->at, e->align);
	return element;
}

/* svec(indices, weights, dims) */
Datum
hx_svec_construct(PG_FUNCTION_ARGS)
{
	ArrayType *ids = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType *weights = PG_GETARG_ARRAYTYPE_P(1);
	Elements id;
	Elements weight;
	HxSvecPair *pairs;

	check_array(ids, "indices");
	check_array(weights, "weights");
	id = start_elements(ids);
	weight = start_elements(weights);
	if (id.count != weight.count)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("%d indices but %d weights, expected as many",
							   id.count, weight.count)));
	if (id.count > MaxAllocSize / sizeof(HxSvecPair))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("svec cannot be made of %d elements", id.count)));
	pairs = palloc(Max(id.count, 1) * sizeof(HxSvecPair));
	for (int i = 0; i < id.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		pairs[i].id = DatumGetInt32(next_element(&id));
		pairs[i].weight =
			element_weight(next_element(&weight), weight.type, pairs[i].id);
	}
	PG_RETURN_POINTER(
		HxSvecFromPairs(PG_GETARG_INT32(2), pairs, id.count, NULL));
}

/* Cast from a dense array of numbers: element i is the weight at index i. */
Datum
hx_array_to_svec(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	int32 typmod = PG_GETARG_INT32(1);
	Elements e;
	HxSvec *v;
	int nnz = 0;

	check_array(array, "weights");
	e = start_elements(array);
	HxCheckSvecDims(e.count, NULL);
	HxCheckSvecTypmod(e.count, typmod, NULL);
	v = HxNewSvec(e.count, Min(e.count, HX_MAX_SPARSE_NNZ));
	for (int i = 0; i < e.count; i++)
	{
		float weight = element_weight(next_element(&e), e.type, (int64) i + 1);

		CHECK_FOR_INTERRUPTS();
		if (weight == 0)
			continue;
		if (nnz == HX_MAX_SPARSE_NNZ)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("array has more than %d weights that are "
								   "not zero",
								   HX_MAX_SPARSE_NNZ)));
		v->indices[nnz] = i;
		HxSvecWeights(v)[nnz++] = weight;
	}
	PG_RETURN_POINTER(HxTrimSvec(v, nnz));
}

/* Cast to a dense array. */
Datum
hx_svec_to_float4(PG_FUNCTION_ARGS)
{
	HxSvec *v = PG_GETARG_SVEC_P(0);
	Size size = ARR_OVERHEAD_NONULLS(1) + (Size) v->dims * sizeof(float);
	ArrayType *array;
	float *elements;

	if (v->dims > MaxArraySize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("svec of %d dimensions does not fit an array of %zu "
						"elements",
						v->dims, MaxArraySize)));
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->elemtype = FLOAT4OID;
	ARR_DIMS(array)[0] = v->dims;
	ARR_LBOUND(array)[0] = 1;
	elements = (float *) ARR_DATA_PTR(array);
	for (int i = 0; i < v->nnz; i++)
	{
		/* Only the header has been checked so far */
		if (v->indices[i] < 0 || v->indices[i] >= v->dims)
			ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
							errmsg("invalid svec: index %d of %d dimensions",
								   v->indices[i], v->dims)));
		elements[v->indices[i]] = HxSvecWeights(v)[i];
	}
	PG_RETURN_ARRAYTYPE_P(array);
}

/* A key of a jsonb object as an index; leading zeros are all right. */
static int64
key_index(const JsonbValue *key)
{
	char *text = pnstrdup(key->val.string.val, key->val.string.len);
	const char *digits = text + (text[0] == '-');
	char *end;
	int64 id;

	errno = 0;
	id = strtoll(text, &end, 10);
	if (*digits < '0' || *digits > '9' || *end != '\0' || errno != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						errmsg("jsonb key \"%.*s\" is not an index of a svec",
							   HxQuotedBytes(text, strlen(text)), text),
						errdetail("Keys are integers from 1 to the number of "
								  "dimensions.")));
	pfree(text);
	return id;
}

/* A value of a jsonb object as a weight */
static float
value_weight(const JsonbValue *value, int64 id)
{
	if (value->type != jbvNumeric)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("jsonb value of key \"%lld\" is not a number",
							   (long long) id)));
	return numeric_weight(NumericGetDatum(value->val.numeric), id);
}

/*
 * Cast from {"index": weight, ...}.  The number of dimensions is the type
 * modifier's, and the greatest there is where none is given, so that all
 * vectors made without one can be compared.
 */
Datum
hx_jsonb_to_svec(PG_FUNCTION_ARGS)
{
	Jsonb *object = PG_GETARG_JSONB_P(0);
	int32 dims = PG_GETARG_INT32(1);
	bool cast = PG_NARGS() == 3;
	HxSvecPair *pairs;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue item;
	int count = 0;

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("jsonb %s cannot be a svec",
							   JB_ROOT_IS_SCALAR(object) ? "scalar" : "array"),
						errdetail("Expected an object {\"index\": weight, "
								  "...}.")));
	if (cast && dims < 0)
		dims = HX_MAX_SPARSE_DIMS;
	if (JB_ROOT_COUNT(object) > MaxAllocSize / sizeof(HxSvecPair))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("svec cannot be made of %u elements",
							   JB_ROOT_COUNT(object))));
	pairs = palloc(Max(JB_ROOT_COUNT(object), 1) * sizeof(HxSvecPair));
	iterator = JsonbIteratorInit(&object->root);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY)
			pairs[count].id = key_index(&item);
		else if (token == WJB_VALUE)
		{
			pairs[count].weight = value_weight(&item, pairs[count].id);
			count++;
		}
	}
	PG_RETURN_POINTER(HxSvecFromPairs(dims, pairs, count, NULL));
}
