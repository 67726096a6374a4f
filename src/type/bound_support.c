/*
 * bound_support.c
 *	  What the planner learns about distance_bound: how many rows pass, and how
 *	  much of an index is near enough to the query.
 *
 * Distances are computed of the values that ANALYZE sampled: most common values
 * and histogram bounds of codes, and the vectors that svec_stats.c keeps.  Where
 * none of them passes, or all do, mean and variance give the tail of a normal
 * distribution, since samples are few and near vectors rare.
 *
 * An estimate must not fail where the query itself would not, for want of rows:
 * a query that is no query, or of another shape than a sample, gives the default.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

#include "kernel/kernel.h"
#include "type/ball_plan.h"
#include "type/bincode.h"
#include "type/bound.h"
#include "type/dense.h"
#include "type/svec.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bound_sel);

/* Share of rows where nothing is known: who limits a distance wants few */
#define HX_DEFAULT_BOUNDED 0.005

/* Arguments of the function distance_bound */
#define BOUND_ARGS 5

/* A bound being estimated */
typedef struct Estimate
{
	const HxBound *bound;
	HxBoundTest test;
	HxFloatQuery *floats; /* the query, if it is one of floats, of codes */
	HxDenseType dense;	  /* how dense vectors are kept, and their query ... */
	const float *numbers; /* ... if they are dense vectors ... */
	int dims;			  /* ... and how many numbers */

	double weight; /* shares of the rows that the samples stand for, summed */
	double passed; /* of these, of those that pass */
	double sum;	   /* of the distances that are numbers, by weight ... */
	double square; /* ... of their squares ... */
	double number; /* ... and of the weights */
} Estimate;

/* ---- the bound ---- */

/* Can the text operator be asked of this query without an error? */
static bool
is_sound(Node *operator, Const * query)
{
	HxCode code;
	char *name;

	if (OidIsValid(get_element_type(query->consttype)))
		return HxIsFloatQuery(DatumGetArrayTypeP(query->constvalue));
	if (!IsA(operator, Const) || ((Const *) operator)->constisnull)
		return false;
	name = TextDatumGetCString(((Const *) operator)->constvalue);
	if (strcmp(name, "<~>") != 0 && strcmp(name, "<%>") != 0)
		return true;
	return HxTryViewCode(query->constvalue, &code) && code.planes == 1;
}

/*
 * The bound that an expression gives, if it is known when planning, else NULL;
 * *never tells that it is NULL, so that nothing passes.
 */
const HxBound *
HxFindBound(PlannerInfo *root, Node *node, bool *never)
{
	FuncExpr *call;
	ListCell *cell;
	int argument = 0;

	*never = false;
	if (IsA(node, FuncExpr) &&
		list_length(((FuncExpr *) node)->args) == BOUND_ARGS)
	{
		call = copyObject((FuncExpr *) node);
		foreach (cell, call->args)
		{
			Const *value =
				(Const *) estimate_expression_value(root, lfirst(cell));

			if (IsA(value, Const) && value->constisnull && argument < 4)
				*never = true;
			lfirst(cell) = value;
			if (!IsA(value, Const))
				return NULL;
			argument++;
		}
		if (*never || !is_sound(linitial(call->args), lsecond(call->args)))
			return NULL;
		node = (Node *) call;
	}
	node = estimate_expression_value(root, node);
	if (!IsA(node, Const))
		return NULL;
	*never = ((Const *) node)->constisnull;
	return *never ? NULL : HxGetBound(((Const *) node)->constvalue);
}

/* ---- samples ---- */

/* Take the query of dense vectors apart; nothing if it is another. */
static void
set_dense_query(Estimate *estimate, Oid type)
{
	const HxBound *bound = estimate->bound;
	Datum query = PointerGetDatum(bound->query);
	double *read;
	float *numbers;

	if (bound->kind == HX_BOUND_FLOATS && type == FLOAT4ARRAYOID)
	{
		read = HxReadArray(DatumGetArrayTypeP(query), &estimate->dims);
		numbers = palloc(Max(estimate->dims, 1) * sizeof(float));
		for (int i = 0; i < estimate->dims; i++)
			numbers[i] = (float) read[i];
		estimate->dense = HX_DENSE_REAL_ARRAY;
	}
	else if (bound->kind == HX_BOUND_VECTOR || bound->kind == HX_BOUND_HALFVEC)
	{
		estimate->dense =
			bound->kind == HX_BOUND_VECTOR ? HX_DENSE_VECTOR : HX_DENSE_HALFVEC;
		estimate->dims = HxDenseDims(estimate->dense, query);
		numbers = palloc(Max(estimate->dims, 1) * sizeof(float));
		HxReadDense(estimate->dense, query, estimate->dims, numbers);
	}
	else
		return;
	estimate->numbers = numbers;
}

/*
 * The numbers of a sampled dense vector; NULL if it is of another shape, or no index
 * would take it.
 */
static const float *
sample_numbers(const Estimate *estimate, Datum value)
{
	const ArrayType *array;
	float *numbers;

	if (estimate->dense == HX_DENSE_REAL_ARRAY)
	{
		array = DatumGetArrayTypeP(value);
		return ARR_NDIM(array) == 1 && !ARR_HASNULL(array) &&
					   ARR_DIMS(array)[0] == estimate->dims &&
					   HxAllFinite((const float *) ARR_DATA_PTR(array),
								   estimate->dims)
				   ? (const float *) ARR_DATA_PTR(array)
				   : NULL;
	}
	value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
	if (HxDenseDims(estimate->dense, value) != estimate->dims)
		return NULL;
	numbers = palloc(Max(estimate->dims, 1) * sizeof(float));
	HxReadDense(estimate->dense, value, estimate->dims, numbers);
	return numbers;
}

/* The distance of a sampled dense vector, nearly; false as below */
static bool
dense_distance(const Estimate *estimate, Datum value, double *distance)
{
	const HxDenseKernels *kernels = hx_kernels->dense;
	const float *numbers = sample_numbers(estimate, value);
	const float *query = estimate->numbers;
	int dims = estimate->dims;

	if (!numbers)
		return false;
	switch ((HxMetric) estimate->bound->metric)
	{
		case HX_L2:
			*distance = sqrt(kernels->square(query, numbers, dims));
			break;
		case HX_COSINE:
			*distance =
				HxCosineDistance(kernels->product(query, numbers, dims),
								 kernels->product(query, query, dims),
								 kernels->product(numbers, numbers, dims));
			break;
		default:
			*distance = -kernels->product(query, numbers, dims);
	}
	return true;
}

/* The distance of a sampled vector; false if it is of another shape */
static bool
sample_distance(const Estimate *estimate, Datum value, double *distance)
{
	const HxBound *bound = estimate->bound;
	HxCode code;
	HxCode query;
	const HxSvec *vector;
	const HxSvec *other;

	if (estimate->numbers)
		return dense_distance(estimate, value, distance);
	switch ((HxBoundKind) bound->kind)
	{
		case HX_BOUND_SPARSE:
			vector = DatumGetSvec(value);
			other = (const HxSvec *) bound->query;
			if (vector->dims != other->dims)
				return false;
			*distance = HxSvecDistance((HxMetric) bound->metric, vector, other);
			return true;
		case HX_BOUND_CODE:
			query = HxViewCode(PointerGetDatum(bound->query));
			if (!HxTryViewCode(value, &code) || code.dims != query.dims ||
				code.planes != query.planes)
				return false;
			*distance = HxCodeDistance((HxMetric) bound->metric, &code, &query);
			return true;
		default:
			if (!HxTryViewCode(value, &code) ||
				code.dims != estimate->floats->dims)
				return false;
			*distance = HxFloatDistance((HxMetric) bound->metric,
										estimate->floats, &code);
			return true;
	}
}

/* Take a sampled vector into account. */
static void
add_sample(Estimate *estimate, Datum value, double weight)
{
	double distance;

	if (!sample_distance(estimate, value, &distance))
		return;
	estimate->weight += weight;
	if (HxPassesTest(&estimate->test, distance))
		estimate->passed += weight;
	if (isnan(distance))
		return;
	estimate->number += weight;
	estimate->sum += weight * distance;
	estimate->square += weight * distance * distance;
}

/* Take the sampled values of a column into account. */
static void
add_statistics(Estimate *estimate, const VariableStatData *variable,
			   double nonnull)
{
	AttStatsSlot common = {0};
	AttStatsSlot others = {0};
	double rest = nonnull;
	int kind = estimate->bound->kind == HX_BOUND_SPARSE
				   ? HX_STATISTIC_VECTORS
				   : STATISTIC_KIND_HISTOGRAM;

	if (get_attstatsslot(&common, variable->statsTuple, STATISTIC_KIND_MCV,
						 InvalidOid,
						 ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS))
		for (int i = 0; i < Min(common.nvalues, common.nnumbers); i++)
		{
			add_sample(estimate, common.values[i], common.numbers[i]);
			rest -= common.numbers[i];
		}
	if (get_attstatsslot(&others, variable->statsTuple, kind, InvalidOid,
						 ATTSTATSSLOT_VALUES))
		for (int i = 0; i < others.nvalues; i++)
			add_sample(estimate, others.values[i],
					   Max(rest, 0.0) / others.nvalues);
	free_attstatsslot(&common);
	free_attstatsslot(&others);
}

/* Share of a normal distribution below a value */
static double
share_below(const Estimate *estimate, double value)
{
	double mean = estimate->sum / estimate->number;
	double variance = estimate->square / estimate->number - mean * mean;

	if (!(variance > 0.0))
		return value >= mean ? 1.0 : 0.0;
	return 0.5 * erfc((mean - value) / sqrt(2.0 * variance));
}

/* Share of the samples that pass, or what the tail says */
static double
share_passing(const Estimate *estimate)
{
	const HxBoundTest *test = &estimate->test;
	double share = estimate->passed / estimate->weight;
	double value = test->reversed ? test->minuend - test->value : test->value;
	double half = estimate->bound->metric == HX_HAMMING ? 0.5 : 0.0;
	bool below = (test->strategy < BTEqualStrategyNumber) != test->reversed;
	double tail;

	if ((share > 0.0 && share < 1.0) || estimate->number <= 0.0 ||
		test->strategy == BTEqualStrategyNumber || !isfinite(value))
		return share;
	tail = share_below(estimate, below ? value + half : value - half);
	if (!below)
		tail = 1.0 - tail;
	return share > 0.0 ? Max(tail, 0.5) : Min(tail, 0.5);
}

/* Share of rows whose vector passes a bound */
static double
estimate_bound(PlannerInfo *root, Node *vector, Node *node, Oid function)
{
	VariableStatData variable;
	Estimate estimate = {0};
	double share = HX_DEFAULT_BOUNDED;
	bool never;

	estimate.bound = HxFindBound(root, node, &never);
	if (never)
		return 0.0;
	if (!estimate.bound)
		return HX_DEFAULT_BOUNDED;
	estimate.test = HxBoundTestOf(estimate.bound);
	set_dense_query(&estimate, getBaseType(exprType(vector)));
	if (estimate.bound->kind == HX_BOUND_FLOATS && !estimate.numbers)
		estimate.floats = HxMakeFloatQuery(
			DatumGetArrayTypeP(PointerGetDatum(estimate.bound->query)));
	examine_variable(root, vector, 0, &variable);
	if (HeapTupleIsValid(variable.statsTuple) &&
		statistic_proc_security_check(&variable, function))
	{
		Form_pg_statistic row =
			(Form_pg_statistic) GETSTRUCT(variable.statsTuple);
		double nonnull = 1.0 - row->stanullfrac;

		add_statistics(&estimate, &variable, nonnull);
		if (estimate.weight > 0.0)
			share = share_passing(&estimate) * nonnull;
		else if (nonnull <= 0.0)
			share = 0.0;
	}
	/* most queries are about a row that exists */
	if (variable.rel != NULL && variable.rel->tuples > 0)
		share += 1.0 / variable.rel->tuples;
	ReleaseVariableStats(variable);
	CLAMP_PROBABILITY(share);
	return share;
}

/* Restriction estimator of vector @< bound */
Datum
hx_bound_sel(PG_FUNCTION_ARGS)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	List *args = (List *) PG_GETARG_POINTER(2);

	if (list_length(args) != 2)
		PG_RETURN_FLOAT8(HX_DEFAULT_BOUNDED);
	PG_RETURN_FLOAT8(estimate_bound(root, linitial(args), lsecond(args),
									get_opcode(PG_GETARG_OID(1))));
}

/* ---- how much of an index is near enough ---- */

/*
 * Hamming distance that a bound on another distance of codes with 1 bit a
 * dimension stands for, as a share of the dimensions; half the bits are taken to
 * be set.
 */
static double
reach_of(HxMetric metric, double greatest, int dims)
{
	switch (metric)
	{
		case HX_HAMMING:
			return greatest / dims;
		case HX_JACCARD:
		case HX_BIT_JACCARD:
			return greatest >= 1 ? 1 : greatest / (2 - greatest);
		case HX_INNER_PRODUCT:
			return (1 + greatest / dims) / 2;
		default:
			return greatest / 2;
	}
}

/*
 * Greatest distance within a bound of codes, as HxEstimateReach tells it of
 * balls; negative if it is not known when planning, or says little of where the
 * rows are.
 */
double
HxEstimateBoundReach(PlannerInfo *root, Node *node, int32 typmod)
{
	bool never;
	const HxBound *bound = HxFindBound(root, node, &never);
	HxBoundTest test;
	double greatest;

	if (never)
		return 0;
	if (!bound || typmod < 0 || bound->kind != HX_BOUND_CODE ||
		HX_SHAPE_PLANES(typmod) != 1)
		return -1;
	test = HxBoundTestOf(bound);
	greatest = HxGreatestPassing(&test);
	if (isinf(greatest) && greatest > 0)
		return -1;
	return Max(
		reach_of((HxMetric) bound->metric, greatest, HX_SHAPE_DIMS(typmod)), 0);
}
