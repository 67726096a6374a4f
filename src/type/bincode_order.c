/*
 * bincode_order.c
 *	  Total order and hash of codes: by bits a dimension, then dimensions, then
 *	  the bits as they lie, the most significant plane first.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/sortsupport.h"

#include "type/bincode.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_eq);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_ne);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_lt);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_le);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_gt);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_ge);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_cmp);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_smaller);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_larger);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_sortsupport);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_hash);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_hash_extended);

/* -1, 0 or 1 as a comes before, is, or comes after b */
int
HxCompareCodes(const HxCode *a, const HxCode *b)
{
	int order;

	if (a->planes != b->planes)
		return a->planes < b->planes ? -1 : 1;
	if (a->dims != b->dims)
		return a->dims < b->dims ? -1 : 1;
	order = memcmp(a->data, b->data, a->bytes);
	return (order > 0) - (order < 0);
}

/* Compare two values and free what reading them copied. */
static int
compare_values(Datum left, Datum right)
{
	HxCode a = HxViewCode(left);
	HxCode b = HxViewCode(right);
	int order = HxCompareCodes(&a, &b);

	HxReleaseCode(&a, left);
	HxReleaseCode(&b, right);
	return order;
}

/* a = b */
Datum
hx_bincode_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_values(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) == 0);
}

/* a <> b */
Datum
hx_bincode_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_values(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) != 0);
}

/* a < b */
Datum
hx_bincode_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_values(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) < 0);
}

/* a <= b */
Datum
hx_bincode_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_values(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) <= 0);
}

/* a > b */
Datum
hx_bincode_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_values(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) > 0);
}

/* a >= b */
Datum
hx_bincode_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_values(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) >= 0);
}

/* -1, 0 or 1: support function 1 of the B-tree operator class */
Datum
hx_bincode_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_values(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

/* The code that comes first, a if they are equal: the step of min */
Datum
hx_bincode_smaller(PG_FUNCTION_ARGS)
{
	HxCode a = PG_GETARG_CODE(0);
	HxCode b = PG_GETARG_CODE(1);

	PG_RETURN_POINTER(HxCompareCodes(&a, &b) <= 0 ? a.value : b.value);
}

/* The code that comes last, a if they are equal: the step of max */
Datum
hx_bincode_larger(PG_FUNCTION_ARGS)
{
	HxCode a = PG_GETARG_CODE(0);
	HxCode b = PG_GETARG_CODE(1);

	PG_RETURN_POINTER(HxCompareCodes(&a, &b) >= 0 ? a.value : b.value);
}

/* Comparison as sorting calls it, without the function manager */
static int
compare_for_sort(Datum left, Datum right, SortSupport ssup)
{
	return compare_values(left, right);
}

/* Support function 2 of the B-tree operator class */
Datum
hx_bincode_sortsupport(PG_FUNCTION_ARGS)
{
	((SortSupport) PG_GETARG_POINTER(0))->comparator = compare_for_sort;
	PG_RETURN_VOID();
}

/* Hash: equal codes have equal hashes */
Datum
hx_bincode_hash(PG_FUNCTION_ARGS)
{
	HxCode code = PG_GETARG_CODE(0);
	uint32 hash = hash_bytes(code.data, code.bytes) ^
				  hash_bytes_uint32(HX_SHAPE(code.dims, code.planes));

	HxReleaseCode(&code, PG_GETARG_DATUM(0));
	PG_RETURN_UINT32(hash);
}

/* Hash with a seed; with seed 0 its low half is the plain hash */
Datum
hx_bincode_hash_extended(PG_FUNCTION_ARGS)
{
	HxCode code = PG_GETARG_CODE(0);
	uint64 seed = PG_GETARG_INT64(1);
	uint64 hash =
		hash_bytes_extended(code.data, code.bytes, seed) ^
		hash_bytes_uint32_extended(HX_SHAPE(code.dims, code.planes), seed);

	HxReleaseCode(&code, PG_GETARG_DATUM(0));
	PG_RETURN_UINT64(hash);
}
