/*
 * bound.c
 *	  The type distance_bound, and membership in it.
 *
 * A condition on a distance, such as code <~> query < 100, compares the result
 * of an operator, which no index can search for.  The planner makes of it one
 * operator between the vector and a bound, which holds operator, query and
 * value.  Users have no need to write it.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"

#include "type/bincode.h"
#include "type/bound.h"
#include "type/dense.h"
#include "type/svec.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bound_in);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bound_out);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bound_make_code);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bound_make_bits);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bound_make_floats);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bound_make_svec);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bound_make_vector);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bound_make_halfvec);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_code_in_bound);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_in_bound);

/* Operators by HxMetric, and comparisons by strategy of btree */
static const char *const metric_names[] = {
	[HX_HAMMING] = "<~>", [HX_JACCARD] = "<%>",		[HX_INNER_PRODUCT] = "<#>",
	[HX_COSINE] = "<=>",  [HX_BIT_JACCARD] = "<%>", [HX_L2] = "<->"};
static const char *const strategy_names[] = {[BTLessStrategyNumber] = "<",
											 [BTLessEqualStrategyNumber] = "<=",
											 [BTEqualStrategyNumber] = "=",
											 [BTGreaterEqualStrategyNumber] =
												 ">=",
											 [BTGreaterStrategyNumber] = ">"};

/* ---- tests ---- */

/* Does a distance pass?  As the server's operators say it, to the last bit. */
bool
HxPassesTest(const HxBoundTest *test, double distance)
{
	double left = test->reversed ? test->minuend - distance : distance;

	switch (test->strategy)
	{
		case BTLessStrategyNumber:
			return float8_lt(left, test->value);
		case BTLessEqualStrategyNumber:
			return float8_le(left, test->value);
		case BTEqualStrategyNumber:
			return float8_eq(left, test->value);
		case BTGreaterEqualStrategyNumber:
			return float8_ge(left, test->value);
		default:
			return float8_gt(left, test->value);
	}
}

/*
 * No distance above this one passes, NaN apart; rounded up where the distance
 * is subtracted.
 */
double
HxGreatestPassing(const HxBoundTest *test)
{
	bool from_above = test->strategy <= BTEqualStrategyNumber;
	double error;

	if (test->reversed)
		from_above = test->strategy >= BTEqualStrategyNumber;
	if (!from_above || isnan(test->value))
		return get_float8_infinity();
	if (!test->reversed)
		return test->value;
	if (isinf(test->value))
		return -test->value;
	error =
		4 * DBL_EPSILON * (fabs(test->minuend) + fabs(test->value)) + DBL_MIN;
	return test->minuend - test->value + error;
}

/* ---- values ---- */

/* A bound, readable where it lies; error if it is none. */
const HxBound *
HxGetBound(Datum value)
{
	const HxBound *bound = (const HxBound *) PG_DETOAST_DATUM(value);
	Size size = VARSIZE(bound);
	Size head = offsetof(HxBound, query);

	if (size < head + VARHDRSZ || bound->metric >= lengthof(metric_names) ||
		bound->kind > HX_BOUND_HALFVEC ||
		bound->strategy < BTLessStrategyNumber ||
		bound->strategy > BTGreaterStrategyNumber ||
		VARSIZE(bound->query) != size - head)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("invalid distance_bound of %zu bytes", size)));
	return bound;
}

/* Name of the operator */
const char *
HxNameOfMetric(HxMetric metric)
{
	Assert(metric < lengthof(metric_names));
	return metric_names[metric];
}

/* Type of a bound's query if it is an array of numbers, else 0 */
Oid
HxTypeOfQuery(const HxBound *bound)
{
	if (bound->kind != HX_BOUND_FLOATS)
		return InvalidOid;
	return get_array_type(ARR_ELEMTYPE((const ArrayType *) bound->query));
}

/* What a bound asks of a distance */
HxBoundTest
HxBoundTestOf(const HxBound *bound)
{
	HxBoundTest test = {bound->value, bound->minuend, bound->strategy,
						bound->reversed != 0};

	return test;
}

/* Error: a name that is not known, and those that are */
pg_noreturn static void
reject_name(const char *what, const char *got, const char *type,
			const char *all)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("distance_bound knows no %s \"%.*s\"%s%s", what,
					HxQuotedBytes(got, strlen(got)), got,
					type ? " for queries of type " : "", type ? type : ""),
			 errhint("Expected is one of %s.", all)));
}

/* The strategy of a comparison; error if it is none. */
static int
find_strategy(text *name)
{
	char *got = text_to_cstring(name);

	for (int i = BTLessStrategyNumber; i < lengthof(strategy_names); i++)
		if (strcmp(got, strategy_names[i]) == 0)
			return i;
	reject_name("comparison", got, NULL, "<, <=, =, >=, >");
}

/* Operators of a type of query */
typedef struct Operators
{
	const char *type;
	const char *names; /* for messages */
	HxMetric metrics[4];
	int count;
} Operators;

static const Operators code_operators = {
	"bincode",
	"<~>, <%>, <#>, <=>",
	{HX_HAMMING, HX_JACCARD, HX_INNER_PRODUCT, HX_COSINE},
	4};
static const Operators bit_operators = {
	"bit", "<~>, <%>", {HX_HAMMING, HX_BIT_JACCARD}, 2};
static const Operators array_operators = {
	"real[]", "<->, <#>, <=>", {HX_L2, HX_INNER_PRODUCT, HX_COSINE}, 3};
static const Operators svec_operators = {
	"svec", "<->, <#>, <=>", {HX_L2, HX_INNER_PRODUCT, HX_COSINE}, 3};
static const Operators vector_operators = {
	"vector", "<->, <#>, <=>", {HX_L2, HX_INNER_PRODUCT, HX_COSINE}, 3};
static const Operators halfvec_operators = {
	"halfvec", "<->, <#>, <=>", {HX_L2, HX_INNER_PRODUCT, HX_COSINE}, 3};

/* The metric of an operator; error if queries of the type have none such. */
static HxMetric
find_metric(text *name, const Operators *operators)
{
	char *got = text_to_cstring(name);

	for (int i = 0; i < operators->count; i++)
		if (strcmp(got, metric_names[operators->metrics[i]]) == 0)
			return operators->metrics[i];
	reject_name("operator", got, operators->type, operators->names);
}

/* Error unless a code has the planes that an operator takes. */
static void
check_planes(HxMetric metric, Datum query)
{
	HxCode view = HxViewCode(query);

	if (metric != HX_INNER_PRODUCT && metric != HX_COSINE)
		HxCheckOnePlane(&view, "distance_bound");
}

/*
 * The bound of distance_bound(operator, query, comparison, value, minuend), or
 * NULL if one of the first four is.  Without a minuend the distance itself is
 * compared.
 */
static HxBound *
make_bound(FunctionCallInfo fcinfo, HxBoundKind kind,
		   const Operators *operators)
{
	HxMetric metric;
	struct varlena *query;
	HxBound *bound;
	Size size;

	for (int i = 0; i < 4; i++)
		if (PG_ARGISNULL(i))
			return NULL;
	metric = find_metric(PG_GETARG_TEXT_PP(0), operators);
	query = (struct varlena *) PG_DETOAST_DATUM(PG_GETARG_DATUM(1));
	if (kind == HX_BOUND_CODE)
		check_planes(metric, PG_GETARG_DATUM(1));
	size = offsetof(HxBound, query) + VARSIZE(query);
	bound = palloc0(size);
	SET_VARSIZE(bound, size);
	bound->metric = metric;
	bound->kind = kind;
	bound->strategy = find_strategy(PG_GETARG_TEXT_PP(2));
	bound->value = PG_GETARG_FLOAT8(3);
	bound->reversed = !PG_ARGISNULL(4);
	bound->minuend = bound->reversed ? PG_GETARG_FLOAT8(4) : 0;
	memcpy(bound->query, query, VARSIZE(query));
	return bound;
}

static Datum
return_bound(FunctionCallInfo fcinfo, HxBound *bound)
{
	if (bound == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(bound);
}

/* distance_bound() of a code */
Datum
hx_bound_make_code(PG_FUNCTION_ARGS)
{
	return return_bound(fcinfo,
						make_bound(fcinfo, HX_BOUND_CODE, &code_operators));
}

/* distance_bound() of a bit string, whose operators are pgvector's */
Datum
hx_bound_make_bits(PG_FUNCTION_ARGS)
{
	return return_bound(fcinfo,
						make_bound(fcinfo, HX_BOUND_CODE, &bit_operators));
}

/* distance_bound() of an array of numbers, which is stored as it came */
Datum
hx_bound_make_floats(PG_FUNCTION_ARGS)
{
	return return_bound(fcinfo,
						make_bound(fcinfo, HX_BOUND_FLOATS, &array_operators));
}

/* distance_bound() of a sparse vector */
Datum
hx_bound_make_svec(PG_FUNCTION_ARGS)
{
	return return_bound(fcinfo,
						make_bound(fcinfo, HX_BOUND_SPARSE, &svec_operators));
}

/* distance_bound() of pgvector's vector */
Datum
hx_bound_make_vector(PG_FUNCTION_ARGS)
{
	return return_bound(fcinfo,
						make_bound(fcinfo, HX_BOUND_VECTOR, &vector_operators));
}

/* distance_bound() of pgvector's halfvec */
Datum
hx_bound_make_halfvec(PG_FUNCTION_ARGS)
{
	return return_bound(
		fcinfo, make_bound(fcinfo, HX_BOUND_HALFVEC, &halfvec_operators));
}

/* There is no need to read a bound: the planner makes it. */
Datum
hx_bound_in(PG_FUNCTION_ARGS)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("cannot accept a value of type %s from text",
						   "distance_bound"),
					errhint("Call the function distance_bound.")));
	PG_RETURN_VOID();
}

/* The text of a number */
static char *
number_text(double value)
{
	return DatumGetCString(
		DirectFunctionCall1(float8out, Float8GetDatum(value)));
}

/* Bound to text, as a condition on a distance; for messages and plans */
Datum
hx_bound_out(PG_FUNCTION_ARGS)
{
	const HxBound *bound = HxGetBound(PG_GETARG_DATUM(0));
	StringInfoData text;
	HxCode code;

	initStringInfo(&text);
	if (bound->reversed)
		appendStringInfo(&text, "%s - ", number_text(bound->minuend));
	appendStringInfo(&text, "%s", metric_names[bound->metric]);
	switch ((HxBoundKind) bound->kind)
	{
		case HX_BOUND_CODE:
			code = HxViewCode(PointerGetDatum(bound->query));
			appendStringInfo(&text, " %s", HxFormatBincode(&code));
			break;
		case HX_BOUND_FLOATS:
			appendStringInfo(
				&text, " %d numbers",
				ArrayGetNItems(ARR_NDIM((ArrayType *) bound->query),
							   ARR_DIMS((ArrayType *) bound->query)));
			break;
		case HX_BOUND_SPARSE:
			appendStringInfo(&text, " %d weights",
							 ((const HxSvec *) bound->query)->nnz);
			break;
		case HX_BOUND_VECTOR:
		case HX_BOUND_HALFVEC:
			appendStringInfo(&text, " %d numbers",
							 HxDenseDims(bound->kind == HX_BOUND_VECTOR
											 ? HX_DENSE_VECTOR
											 : HX_DENSE_HALFVEC,
										 PointerGetDatum(bound->query)));
			break;
	}
	appendStringInfo(&text, " %s %s", strategy_names[bound->strategy],
					 number_text(bound->value));
	PG_RETURN_CSTRING(text.data);
}

/* ---- membership ---- */

/* Error: a vector of another type than the bound is of */
void
HxRejectBound(const char *type)
{
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("the distance_bound is not one of %s", type)));
}

/* The distance of a code from a bound's query: the operator's */
static double
code_distance(const HxBound *bound, const HxCode *code)
{
	Datum query = PointerGetDatum(bound->query);
	HxFloatQuery *floats;
	HxCode other;

	switch ((HxBoundKind) bound->kind)
	{
		case HX_BOUND_CODE:
			other = HxViewCode(query);
			return HxCodeDistance((HxMetric) bound->metric, code, &other);
		case HX_BOUND_FLOATS:
			if (bound->metric == HX_L2)
				HxRejectBound("bincode");
			floats = HxMakeFloatQuery(DatumGetArrayTypeP(query));
			return HxFloatDistance((HxMetric) bound->metric, floats, code);
		default:
			HxRejectBound("bincode");
	}
}

/* code @< bound */
Datum
hx_code_in_bound(PG_FUNCTION_ARGS)
{
	HxCode code = PG_GETARG_CODE(0);
	const HxBound *bound = HxGetBound(PG_GETARG_DATUM(1));
	HxBoundTest test = HxBoundTestOf(bound);

	PG_RETURN_BOOL(HxPassesTest(&test, code_distance(bound, &code)));
}

/* svec @< bound */
Datum
hx_svec_in_bound(PG_FUNCTION_ARGS)
{
	const HxSvec *v = PG_GETARG_SVEC_P(0);
	const HxBound *bound = HxGetBound(PG_GETARG_DATUM(1));
	HxBoundTest test = HxBoundTestOf(bound);
	const HxSvec *query = (const HxSvec *) bound->query;

	if (bound->kind != HX_BOUND_SPARSE)
		HxRejectBound("svec");
	PG_RETURN_BOOL(HxPassesTest(
		&test, HxSvecDistance((HxMetric) bound->metric, v, query)));
}
