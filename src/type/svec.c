/*
 * svec.c
 *	  Type svec: construction, checks, length coercion, order and hash.
 *
 * Input validates everything; what reads a stored value checks only its header,
 * since the bytes come from input, from arithmetic here, or from a sparsevec,
 * whose own type gives the same guarantees.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "compat.h"
#include "type/svec.h"

/* Weights that pgvector's input takes for a sparsevec */
#define SPARSEVEC_MAX_NNZ 16000

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_typmod_in);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_support);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_to_sparsevec);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_to_sparsevec_support);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_eq);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_ne);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_lt);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_le);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_gt);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_ge);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_cmp);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_hash);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_hash_extended);

/*
 * The value behind a datum, decompressed and with a four-byte header.  Its
 * header is checked, so that indices and weights can be read; an error says
 * what was found.
 */
HxSvec *
DatumGetSvec(Datum value)
{
	HxSvec *v = (HxSvec *) PG_DETOAST_DATUM(value);
	Size size = VARSIZE(v);

	if (size < HxSvecSize(0))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("svec of %zu bytes is shorter than its header", size)));
	if (v->dims < 1 || v->dims > HX_MAX_SPARSE_DIMS || v->nnz < 0 ||
		v->nnz > HX_MAX_SPARSE_NNZ || v->nnz > v->dims || v->unused != 0 ||
		size != HxSvecSize(v->nnz))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid svec: %d dimensions and %d weights in %zu "
						"bytes",
						v->dims, v->nnz, size)));
	return v;
}

/*
 * A new vector with room for nnz weights, which the caller fills in; nnz may
 * exceed the type's limit until HxTrimSvec has been called.
 */
HxSvec *
HxNewSvec(int dims, int nnz)
{
	Size size = HxSvecSize(nnz);
	HxSvec *v = palloc0(size);

	SET_VARSIZE(v, size);
	v->dims = dims;
	v->nnz = nnz;
	return v;
}

/*
 * Keep the first nnz weights of a vector that was made with room for more.
 * Error if these are more than a vector can have.
 */
HxSvec *
HxTrimSvec(HxSvec *v, int nnz)
{
	float *weights = HxSvecWeights(v);

	Assert(nnz <= v->nnz);
	if (nnz > HX_MAX_SPARSE_NNZ)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("svec cannot have %d non-zero weights, but at "
							   "most %d",
							   nnz, HX_MAX_SPARSE_NNZ)));
	v->nnz = nnz;
	memmove(HxSvecWeights(v), weights, (Size) nnz * sizeof(float));
	SET_VARSIZE(v, HxSvecSize(nnz));
	return v;
}

/* Is this a possible number of dimensions?  Else an error, soft if it may be. */
bool
HxCheckSvecDims(int64 dims, struct Node *escontext)
{
	if (dims < 1 || dims > HX_MAX_SPARSE_DIMS)
		ereturn(escontext, false,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("svec cannot have %lld dimensions", (long long) dims),
				 errdetail("The number of dimensions is from 1 to %d.",
						   HX_MAX_SPARSE_DIMS)));
	return true;
}

/* Does a vector of `dims` dimensions fit the type modifier, if there is one? */
bool
HxCheckSvecTypmod(int dims, int32 typmod, struct Node *escontext)
{
	if (typmod >= 0 && typmod != dims)
		ereturn(escontext, false,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("svec of %d dimensions does not fit type svec(%d)",
						dims, typmod)));
	return true;
}

/* Is the weight finite?  Else an error, soft if it may be. */
bool
HxCheckSvecWeight(float weight, int64 id, struct Node *escontext)
{
	if (isnan(weight) || isinf(weight))
		ereturn(escontext, false,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("svec cannot have the weight %s at index %lld",
						isnan(weight) ? "NaN"
									  : (weight > 0 ? "Infinity" : "-Infinity"),
						(long long) id),
				 errdetail("Weights are finite numbers of type real.")));
	return true;
}

/*
 * A double as the weight at index id.  Error if it is not finite, too large for
 * a real, or so small that it would become zero.
 */
float
HxSvecWeight(double weight, int64 id)
{
	float rounded = (float) weight;

	if (!isnan(weight) && !isinf(weight) &&
		(isinf(rounded) || (rounded == 0 && weight != 0)))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("weight %g at index %lld is out of range for "
							   "type real",
							   weight, (long long) id)));
	HxCheckSvecWeight(rounded, id, NULL);
	return rounded;
}

/* Error unless both vectors have the same number of dimensions. */
void
HxCheckSameDims(const HxSvec *a, const HxSvec *b)
{
	if (a->dims != b->dims)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("different svec dimensions %d and %d", a->dims,
							   b->dims)));
}

/* qsort comparator of HxSvecPair by id; there may be millions, zeros included */
static int
compare_pairs(const void *left, const void *right)
{
	int64 a = ((const HxSvecPair *) left)->id;
	int64 b = ((const HxSvecPair *) right)->id;

	CHECK_FOR_INTERRUPTS();
	return (a > b) - (a < b);
}

/*
 * Is this pair, one of an ascending sequence, within the dimensions and not a
 * repetition of the one before?  Else an error, soft if it may be.
 */
static bool
check_pair(const HxSvecPair *pairs, int i, int64 dims, struct Node *escontext)
{
	if (pairs[i].id < 1 || pairs[i].id > dims)
		ereturn(
			escontext, false,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("svec index %lld is out of range", (long long) pairs[i].id),
			 errdetail("Indices are from 1 to %lld, the number of "
					   "dimensions.",
					   (long long) dims)));
	if (i > 0 && pairs[i].id == pairs[i - 1].id)
		ereturn(escontext, false,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("svec index %lld appears more than once",
						(long long) pairs[i].id)));
	return HxCheckSvecWeight(pairs[i].weight, pairs[i].id, escontext);
}

/*
 * A vector from pairs in any order (they are sorted in place).  Zero weights
 * are left out.  An error, soft if it may be and the result is then NULL, for
 * an impossible number of dimensions, an index out of range or repeated, a
 * weight that is not finite, and too many weights.
 */
HxSvec *
HxSvecFromPairs(int64 dims, HxSvecPair *pairs, int count,
				struct Node *escontext)
{
	int nnz = 0;
	HxSvec *v;

	if (!HxCheckSvecDims(dims, escontext))
		return NULL;
	qsort(pairs, count, sizeof(HxSvecPair), compare_pairs);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!check_pair(pairs, i, dims, escontext))
			return NULL;
		nnz += pairs[i].weight != 0;
	}
	if (nnz > HX_MAX_SPARSE_NNZ)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("svec cannot have %d non-zero weights, but at most %d",
						nnz, HX_MAX_SPARSE_NNZ)));

	v = HxNewSvec((int) dims, nnz);
	for (int i = 0, k = 0; i < count; i++)
	{
		if (pairs[i].weight == 0)
			continue;
		v->indices[k] = (int32) (pairs[i].id - 1);
		HxSvecWeights(v)[k] = pairs[i].weight;
		k++;
	}
	return v;
}

/* svec(n): the type modifier is n. */
Datum
hx_svec_typmod_in(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	int count;
	int32 *modifiers = ArrayGetIntegerTypmods(array, &count);

	if (count != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("type svec takes 1 modifier, not %d", count),
				 errhint("Write svec(n), n being the number of dimensions.")));
	if (modifiers[0] < 1 || modifiers[0] > HX_MAX_SPARSE_DIMS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("type svec cannot have %d dimensions", modifiers[0]),
				 errdetail("The number of dimensions is from 1 to %d.",
						   HX_MAX_SPARSE_DIMS)));
	PG_RETURN_INT32(modifiers[0]);
}

/* Length coercion: the value itself, or an error that names both lengths. */
Datum
hx_svec(PG_FUNCTION_ARGS)
{
	HxSvec *v = PG_GETARG_SVEC_P(0);

	HxCheckSvecTypmod(v->dims, PG_GETARG_INT32(1), NULL);
	PG_RETURN_POINTER(v);
}

/* Is this pgvector's type, whose modifier means what ours does? */
static bool
is_sparsevec(Oid type)
{
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	bool result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = strcmp(NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname),
					"sparsevec") == 0;
	ReleaseSysCache(tuple);
	return result;
}

/* The number of dimensions that an expression is known to have, or -1 */
static int32
known_dims(Node *expr, Oid svec_type)
{
	while (expr != NULL)
	{
		Oid type = exprType(expr);

		if (exprTypmod(expr) >= 0 && (type == svec_type || is_sparsevec(type)))
			return exprTypmod(expr);
		if (!IsA(expr, RelabelType))
			break;
		expr = (Node *) ((RelabelType *) expr)->arg;
	}
	return -1;
}

/*
 * Planner support of the length coercion: leave it out where it cannot fail, so
 * that ALTER TABLE ... TYPE svec(n) from a column of n dimensions, svec or
 * sparsevec, need not rewrite the table.
 */
Datum
hx_svec_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);
	FuncExpr *call;
	Node *modifier;
	int32 dims;

	if (!IsA(request, SupportRequestSimplify))
		PG_RETURN_POINTER(NULL);
	call = ((SupportRequestSimplify *) request)->fcall;
	modifier = (Node *) lsecond(call->args);
	if (!IsA(modifier, Const) || ((Const *) modifier)->constisnull)
		PG_RETURN_POINTER(NULL);

	dims = DatumGetInt32(((Const *) modifier)->constvalue);
	if (dims >= 0 &&
		known_dims(linitial(call->args), call->funcresulttype) != dims)
		PG_RETURN_POINTER(NULL);
	PG_RETURN_POINTER(relabel_to_typmod(linitial(call->args), dims));
}

/*
 * The vector itself, as a sparsevec.  Error if it has more weights than
 * sparsevec's input takes: it could be dumped, but not restored.
 */
Datum
hx_svec_to_sparsevec(PG_FUNCTION_ARGS)
{
	HxSvec *v = PG_GETARG_SVEC_P(0);

	if (v->nnz > SPARSEVEC_MAX_NNZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("svec of %d weights is too long for type sparsevec",
						v->nnz),
				 errdetail("A sparsevec has at most %d.", SPARSEVEC_MAX_NNZ),
				 errhint("Keep the largest weights with top(v, %d).",
						 SPARSEVEC_MAX_NNZ)));
	PG_RETURN_POINTER(v);
}

/*
 * Planner support of that cast: look at no vector whose dimensions are few
 * enough, so that ALTER TABLE ... TYPE sparsevec need not rewrite the table.
 */
Datum
hx_svec_to_sparsevec_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);
	FuncExpr *call;
	Node *source;
	int32 dims;

	if (!IsA(request, SupportRequestSimplify))
		PG_RETURN_POINTER(NULL);
	call = ((SupportRequestSimplify *) request)->fcall;
	source = linitial(call->args);
	dims = known_dims(source, exprType(source));
	if (dims < 0 || dims > SPARSEVEC_MAX_NNZ)
		PG_RETURN_POINTER(NULL);
	PG_RETURN_POINTER(applyRelabelType(source, call->funcresulttype, -1,
									   InvalidOid, call->funcformat,
									   call->location, false));
}

/*
 * Total order: by number of dimensions, then by the weights, dimension by
 * dimension, as dense vectors would compare.
 */
static int
compare_svecs(const HxSvec *a, const HxSvec *b)
{
	const float *a_weights = HxSvecWeights(a);
	const float *b_weights = HxSvecWeights(b);
	int common = Min(a->nnz, b->nnz);

	if (a->dims != b->dims)
		return a->dims < b->dims ? -1 : 1;
	for (int i = 0; i < common; i++)
	{
		/* The vector without the smaller index has a zero there */
		if (a->indices[i] < b->indices[i])
			return a_weights[i] < 0 ? -1 : 1;
		if (a->indices[i] > b->indices[i])
			return b_weights[i] < 0 ? 1 : -1;
		if (a_weights[i] != b_weights[i])
			return a_weights[i] < b_weights[i] ? -1 : 1;
	}
	if (a->nnz > common)
		return a_weights[common] < 0 ? -1 : 1;
	if (b->nnz > common)
		return b_weights[common] < 0 ? 1 : -1;
	return 0;
}

/* Compare the first two arguments of an SQL function, leaking nothing. */
static int
compare_arguments(FunctionCallInfo fcinfo)
{
	HxSvec *a = PG_GETARG_SVEC_P(0);
	HxSvec *b = PG_GETARG_SVEC_P(1);
	int result = compare_svecs(a, b);

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

/* a = b */
Datum
hx_svec_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) == 0);
}

/* a <> b */
Datum
hx_svec_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) != 0);
}

/* a < b */
Datum
hx_svec_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

/* a <= b */
Datum
hx_svec_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

/* a > b */
Datum
hx_svec_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

/* a >= b */
Datum
hx_svec_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

/* B-tree comparison: negative, 0 or positive */
Datum
hx_svec_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

/* Hash of everything behind the varlena header */
Datum
hx_svec_hash(PG_FUNCTION_ARGS)
{
	HxSvec *v = PG_GETARG_SVEC_P(0);
	uint32 hash =
		hash_bytes((unsigned char *) VARDATA(v), VARSIZE(v) - VARHDRSZ);

	PG_FREE_IF_COPY(v, 0);
	PG_RETURN_UINT32(hash);
}

/* The same with a seed, 64 bits wide; seed 0 agrees with hx_svec_hash. */
Datum
hx_svec_hash_extended(PG_FUNCTION_ARGS)
{
	HxSvec *v = PG_GETARG_SVEC_P(0);
	uint64 hash =
		hash_bytes_extended((unsigned char *) VARDATA(v), VARSIZE(v) - VARHDRSZ,
							PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(v, 0);
	PG_RETURN_UINT64(hash);
}
