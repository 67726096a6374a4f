/*
 * bound_dense.c
 *	  Membership of dense vectors in a distance_bound: real[], vector, halfvec.
 *
 * The distance is that of the operator's own function, of pgvector's types as well,
 * which is found by its name beside the type.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "compat.h"
#include "type/bound.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_dense_in_bound);

/* The operator that a call site has asked last */
typedef struct DistanceCall
{
	HxMetric metric;
	Oid right;
	FmgrInfo distance;
} DistanceCall;

/* Schema of a type, but for those of the server the one of a function */
static char *
schema_of(Oid type, Oid function)
{
	Oid schema = InvalidOid;
	HeapTuple row = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));

	if (HeapTupleIsValid(row))
	{
		schema = ((Form_pg_type) GETSTRUCT(row))->typnamespace;
		ReleaseSysCache(row);
	}
	if (!OidIsValid(schema) || schema == PG_CATALOG_NAMESPACE)
		schema = get_func_namespace(function);
	return get_namespace_name(schema);
}

/* Find the distance operator of a bound for vectors of a type. */
static DistanceCall *
find_operator(FunctionCallInfo fcinfo, const HxBound *bound, Oid right)
{
	FmgrInfo *flinfo = fcinfo->flinfo;
	DistanceCall *asked = flinfo->fn_extra;
	Oid left = get_fn_expr_argtype(flinfo, 0);
	const char *name = HxNameOfMetric((HxMetric) bound->metric);
	char *schema;
	Oid found = InvalidOid;

	if (asked && asked->metric == (HxMetric) bound->metric &&
		asked->right == right)
		return asked;
	left = OidIsValid(left) ? getBaseType(left) : FLOAT4ARRAYOID;
	if (!OidIsValid(right))
		right = left;
	schema = schema_of(left, flinfo->fn_oid);
	if (schema)
		found = OpernameGetOprid(
			list_make2(makeString(schema), makeString(pstrdup(name))), left,
			right);
	if (!OidIsValid(found))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("operator %s between %s and %s does not exist", name,
						format_type_be(left), format_type_be(right))));
	if (!asked)
		asked = flinfo->fn_extra =
			MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(DistanceCall));
	fmgr_info_cxt(get_opcode(found), &asked->distance, flinfo->fn_mcxt);
	asked->metric = (HxMetric) bound->metric;
	asked->right = right;
	return asked;
}

/* real[], vector or halfvec @< bound */
Datum
hx_dense_in_bound(PG_FUNCTION_ARGS)
{
	const HxBound *bound = HxGetBound(PG_GETARG_DATUM(1));
	HxBoundTest test = HxBoundTestOf(bound);
	Oid left = get_fn_expr_argtype(fcinfo->flinfo, 0);
	bool is_array =
		!OidIsValid(left) || OidIsValid(get_base_element_type(left));
	DistanceCall *asked;

	if (is_array
			? bound->kind != HX_BOUND_FLOATS
			: bound->kind != HX_BOUND_VECTOR && bound->kind != HX_BOUND_HALFVEC)
		HxRejectBound(is_array ? "real[]" : format_type_be(left));
	asked = find_operator(fcinfo, bound,
						  is_array ? HxTypeOfQuery(bound) : InvalidOid);
	PG_RETURN_BOOL(HxPassesTest(&test, DatumGetFloat8(FunctionCall2(
										   &asked->distance, PG_GETARG_DATUM(0),
										   PointerGetDatum(bound->query)))));
}
