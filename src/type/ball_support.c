/*
 * ball_support.c
 *	  What the planner learns about hamming_within and hamming_ball: how many
 *	  rows pass, what a call costs, which index condition it stands for.
 *
 * Selectivity is counted over the values that ANALYZE sampled (most common
 * values and histogram bounds are rows like others), in pairs if both sides
 * vary.  Samples are few and near duplicates rare, so that often none is
 * within; then the distances' mean and variance give the tail of a normal
 * distribution.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#include "kernel/kernel.h"
#include "type/ball.h"
#include "type/ball_plan.h"

/* Share of rows or pairs where nothing is known */
#define HX_DEFAULT_WITHIN 0.001

/* Samples of one side when both vary; 64 x 64 pairs take about 0.1 ms */
#define HX_PAIR_SAMPLES 64

/* Cost of hamming_within, in operators, for a code of this many bits */
#define HX_WITHIN_COST(bits) (10.0 + (bits) / 512.0)

/* What is known of the codes on one side */
typedef struct Samples
{
	int count;		/* number of codes */
	HxCode *codes;	/* the codes */
	double *weight; /* share of the rows that each stands for */
	bool constant;	/* the one code there is */
	double rows;	/* rows of the table, 0 if not known */
	double nonnull; /* share of rows that are not null */
} Samples;

/* Distances over all pairs of samples */
typedef struct PairStats
{
	double weight; /* sum of the pairs' weights */
	double within; /* of those within the radius */
	double sum;	   /* of distances */
	double square; /* of distances squared */
} PairStats;

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_contained_sel);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_contains_sel);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_contained_joinsel);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_contains_joinsel);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_hamming_within_support);

/*
 * Selectivity
 */

/* Append a sampled value if it is a code of 1 bit a dimension. */
static void
add_sample(Samples *samples, Datum value, double weight)
{
	HxCode code;

	if (!HxTryViewCode(value, &code) || code.planes != 1)
		return;
	samples->codes[samples->count] = code;
	samples->weight[samples->count] = weight;
	samples->count++;
}

/* Take the most common values and the histogram of a column. */
static void
add_statistics(Samples *samples, VariableStatData *variable)
{
	AttStatsSlot common = {0};
	AttStatsSlot bounds = {0};
	double rest = samples->nonnull;
	int total;

	(void) get_attstatsslot(&common, variable->statsTuple, STATISTIC_KIND_MCV,
							InvalidOid,
							ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS);
	(void) get_attstatsslot(&bounds, variable->statsTuple,
							STATISTIC_KIND_HISTOGRAM, InvalidOid,
							ATTSTATSSLOT_VALUES);
	total = Min(common.nvalues, common.nnumbers) + bounds.nvalues;
	samples->codes = palloc(total * sizeof(HxCode));
	samples->weight = palloc(total * sizeof(double));

	/* the slots stay allocated: the codes point into them */
	for (int i = 0; i < Min(common.nvalues, common.nnumbers); i++)
	{
		add_sample(samples, common.values[i], common.numbers[i]);
		rest -= common.numbers[i];
	}
	for (int i = 0; i < bounds.nvalues; i++)
		add_sample(samples, bounds.values[i], Max(rest, 0.0) / bounds.nvalues);
}

/* What is known of an expression that gives codes */
static Samples
sample_codes(PlannerInfo *root, Node *node, Oid function)
{
	Samples samples = {0};
	VariableStatData variable;

	samples.nonnull = 1.0;
	node = estimate_expression_value(root, node);
	if (IsA(node, Const))
	{
		samples.constant = true;
		samples.codes = palloc(sizeof(HxCode));
		samples.weight = palloc(sizeof(double));
		if (!((Const *) node)->constisnull)
			add_sample(&samples, ((Const *) node)->constvalue, 1.0);
		return samples;
	}

	examine_variable(root, node, 0, &variable);
	if (variable.rel != NULL && variable.rel->tuples > 0)
		samples.rows = variable.rel->tuples;
	if (HeapTupleIsValid(variable.statsTuple) &&
		statistic_proc_security_check(&variable, function))
	{
		Form_pg_statistic row =
			(Form_pg_statistic) GETSTRUCT(variable.statsTuple);

		samples.nonnull = 1.0 - row->stanullfrac;
		add_statistics(&samples, &variable);
	}
	ReleaseVariableStats(variable);
	return samples;
}

/* Keep samples spread over all of them, few enough for pairs. */
static void
thin_samples(Samples *samples)
{
	int keep = Min(samples->count, HX_PAIR_SAMPLES);

	for (int i = 0; i < keep; i++)
	{
		int from = (int) ((int64) i * samples->count / keep);

		samples->codes[i] = samples->codes[from];
		samples->weight[i] = samples->weight[from];
	}
	samples->count = keep;
}

/*
 * Distances of all pairs.  Where both sides vary a code is not paired with
 * itself: in a join of a table with itself it would be far too frequent.
 */
static PairStats
measure_pairs(const Samples *a, const Samples *b, int32 radius)
{
	PairStats stats = {0};
	bool skip_same = !a->constant && !b->constant;

	for (int i = 0; i < a->count; i++)
	{
		for (int j = 0; j < b->count; j++)
		{
			double weight = a->weight[i] * b->weight[j];
			double distance;

			if (a->codes[i].dims != b->codes[j].dims)
				continue;
			distance = HxHammingDistance(&a->codes[i], &b->codes[j]);
			if (skip_same && distance == 0.0)
				continue;
			stats.weight += weight;
			stats.within += distance <= radius ? weight : 0.0;
			stats.sum += weight * distance;
			stats.square += weight * distance * distance;
		}
	}
	return stats;
}

/* Share of pairs within the radius, by count and by the tail */
static double
share_within(const PairStats *stats, int32 radius)
{
	double mean = stats->sum / stats->weight;
	double variance = stats->square / stats->weight - mean * mean;
	double above = radius + 0.5 - mean;
	double tail = above > 0.0 ? 1.0 : 0.0;

	if (variance > 0.0)
		tail = 0.5 * erfc(-above / sqrt(2.0 * variance));
	if (stats->within > 0.0)
		return stats->within / stats->weight;
	return Min(tail, 0.5);
}

/*
 * Share of rows, or of pairs of rows, whose codes differ in at most `radius`
 * bits; `radius` is NULL where it is not known.  `function` is whose right to
 * see the statistics counts.
 */
static double
estimate_within(PlannerInfo *root, Node *left, Node *right, Node *radius,
				Oid function)
{
	Samples a = sample_codes(root, left, function);
	Samples b = sample_codes(root, right, function);
	double nonnull = a.nonnull * b.nonnull;
	double rows = Max(a.rows, b.rows);
	double share = HX_DEFAULT_WITHIN;

	radius = radius == NULL ? NULL : estimate_expression_value(root, radius);
	if ((a.constant && a.count == 0) || (b.constant && b.count == 0))
		return 0.0;
	if (radius != NULL && IsA(radius, Const))
	{
		int32 value = DatumGetInt32(((Const *) radius)->constvalue);
		PairStats stats;

		if (((Const *) radius)->constisnull || value < 0)
			return 0.0;
		if (!a.constant && !b.constant)
		{
			thin_samples(&a);
			thin_samples(&b);
		}
		stats = measure_pairs(&a, &b, value);
		if (stats.weight > 0.0)
			share = share_within(&stats, value);
	}
	/* a row is near itself, and most queries are about a row that exists */
	if (rows > 0.0)
		share += 1.0 / rows;
	share *= nonnull;
	CLAMP_PROBABILITY(share);
	return share;
}

/*
 * Centre and radius of an expression that gives a ball: a constant is taken
 * apart, a call of the constructor gives its arguments.  False if neither.
 */
static bool
open_ball(PlannerInfo *root, Node *node, Oid code_type, Node **centre,
		  Node **radius)
{
	Node *value = estimate_expression_value(root, node);

	if (IsA(value, Const) && !((Const *) value)->constisnull)
	{
		int32 number;
		HxCode code = HxViewBall(((Const *) value)->constvalue, &number);
		Bincode *copy = HxNewBincode(code.dims, code.planes);

		memcpy(copy->data, code.data, code.bytes);
		*centre = (Node *) makeConst(code_type, -1, InvalidOid, -1,
									 PointerGetDatum(copy), false, false);
		*radius = (Node *) makeConst(INT4OID, -1, InvalidOid, sizeof(int32),
									 Int32GetDatum(number), false, true);
		return true;
	}
	if (IsA(value, FuncExpr) && list_length(((FuncExpr *) value)->args) == 2)
	{
		*centre = linitial(((FuncExpr *) value)->args);
		*radius = lsecond(((FuncExpr *) value)->args);
		return exprType(*centre) == code_type && exprType(*radius) == INT4OID;
	}
	return false;
}

/*
 * Radius of an expression that gives a ball, as a share of the centre's
 * dimensions; negative if it is not known when planning.
 */
double
HxEstimateReach(PlannerInfo *root, Node *ball, Oid code_type, int32 typmod)
{
	Node *centre;
	Node *radius;

	if (typmod < 0 || !open_ball(root, ball, code_type, &centre, &radius))
		return -1.0;
	radius = estimate_expression_value(root, radius);
	if (!IsA(radius, Const) || ((Const *) radius)->constisnull)
		return -1.0;
	return Max(DatumGetInt32(((Const *) radius)->constvalue), 0) /
		   (double) HX_SHAPE_DIMS(typmod);
}

/* Share of rows for an operator between a code and a ball */
static double
estimate_operator(PlannerInfo *root, Oid opno, List *args, int ball_arg)
{
	Node *ball;
	Node *code;
	Node *centre;
	Node *radius;
	Oid types[2];

	if (list_length(args) != 2)
		return HX_DEFAULT_WITHIN;
	ball = list_nth(args, ball_arg);
	code = list_nth(args, 1 - ball_arg);
	op_input_types(opno, &types[0], &types[1]);
	if (!open_ball(root, ball, types[1 - ball_arg], &centre, &radius))
		return HX_DEFAULT_WITHIN;
	return estimate_within(root, code, centre, radius, get_opcode(opno));
}

/*
 * A semijoin's selectivity is the share of outer rows with a match at all.
 * Matches are taken as spread evenly.
 */
static double
join_share(double share, JoinType type, SpecialJoinInfo *info,
		   PlannerInfo *root)
{
	double rows = 1.0;
	int relation = -1;

	if (type != JOIN_SEMI && type != JOIN_ANTI)
		return share;
	while ((relation = bms_next_member(info->min_righthand, relation)) >= 0)
	{
		RelOptInfo *rel = root->simple_rel_array[relation];

		if (rel != NULL && rel->rows > 0.0)
			rows *= rel->rows;
	}
	share *= rows;
	CLAMP_PROBABILITY(share);
	return share;
}

/* Restriction estimator of code <@ ball */
Datum
hx_ball_contained_sel(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(estimate_operator((PlannerInfo *) PG_GETARG_POINTER(0),
									   PG_GETARG_OID(1),
									   (List *) PG_GETARG_POINTER(2), 1));
}

/* Restriction estimator of ball @> code */
Datum
hx_ball_contains_sel(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(estimate_operator((PlannerInfo *) PG_GETARG_POINTER(0),
									   PG_GETARG_OID(1),
									   (List *) PG_GETARG_POINTER(2), 0));
}

/* Join estimator of both, with the ball in this argument */
static double
estimate_join(FunctionCallInfo fcinfo, int ball_arg)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	double share = estimate_operator(root, PG_GETARG_OID(1),
									 (List *) PG_GETARG_POINTER(2), ball_arg);

	return join_share(share, (JoinType) PG_GETARG_INT16(3),
					  (SpecialJoinInfo *) PG_GETARG_POINTER(4), root);
}

/* Join estimator of code <@ ball */
Datum
hx_ball_contained_joinsel(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(estimate_join(fcinfo, 1));
}

/* Join estimator of ball @> code */
Datum
hx_ball_contains_joinsel(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(estimate_join(fcinfo, 0));
}

/*
 * Support function of hamming_within(code, code, radius)
 */

/* Answer how many rows pass. */
static Node *
answer_selectivity(SupportRequestSelectivity *request)
{
	double share = estimate_within(request->root, linitial(request->args),
								   lsecond(request->args),
								   lthird(request->args), request->funcid);

	if (request->is_join)
		share = join_share(share, request->jointype, request->sjinfo,
						   request->root);
	request->selectivity = share;
	return (Node *) request;
}

/* Answer what a call costs, by the declared length of the first code. */
static Node *
answer_cost(SupportRequestCost *request)
{
	int32 typmod = -1;

	if (request->node != NULL && IsA(request->node, FuncExpr))
		typmod = exprTypmod(linitial(((FuncExpr *) request->node)->args));
	request->startup = 0;
	request->per_tuple =
		cpu_operator_cost *
		HX_WITHIN_COST(typmod < 0 ? 512 : HX_SHAPE_DIMS(typmod));
	return (Node *) request;
}

/* The constructor hamming_ball(code, integer) beside a function, or 0 */
static Oid
ball_constructor(Oid beside, Oid code_type)
{
	Oid types[2] = {code_type, INT4OID};
	char *schema = get_namespace_name(get_func_namespace(beside));

	if (schema == NULL)
		return InvalidOid;
	return LookupFuncName(
		list_make2(makeString(schema), makeString(pstrdup("hamming_ball"))), 2,
		types, true);
}

/*
 * Answer with the index condition "code <@ hamming_ball(other, radius)", which
 * is exactly the call, if the index's family has it; else with NULL.
 */
static Node *
answer_index_condition(SupportRequestIndexCondition *request)
{
	List *args;
	Node *code;
	Node *other;
	Node *radius;
	Oid maker;
	Oid opno;
	Expr *ball;

	if (!IsA(request->node, FuncExpr) || request->indexarg > 1)
		return NULL;
	args = ((FuncExpr *) request->node)->args;
	code = list_nth(args, request->indexarg);
	other = list_nth(args, 1 - request->indexarg);
	radius = lthird(args);
	if (!is_pseudo_constant_for_index(request->root, other, request->index) ||
		!is_pseudo_constant_for_index(request->root, radius, request->index))
		return NULL;

	maker = ball_constructor(request->funcid, exprType(other));
	if (!OidIsValid(maker))
		return NULL;
	opno = get_opfamily_member(request->opfamily, exprType(other),
							   get_func_rettype(maker), HX_BALL_STRATEGY);
	if (!OidIsValid(opno))
		return NULL;

	ball = (Expr *) makeFuncExpr(maker, get_func_rettype(maker),
								 list_make2(other, radius), InvalidOid,
								 InvalidOid, COERCE_EXPLICIT_CALL);
	request->lossy = false;
	return (Node *) list_make1(make_opclause(
		opno, BOOLOID, false, (Expr *) code, ball, InvalidOid, InvalidOid));
}

/* Planner support of hamming_within */
Datum
hx_hamming_within_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);
	Node *answer = NULL;

	if (IsA(request, SupportRequestSelectivity))
		answer = answer_selectivity((SupportRequestSelectivity *) request);
	else if (IsA(request, SupportRequestCost))
		answer = answer_cost((SupportRequestCost *) request);
	else if (IsA(request, SupportRequestIndexCondition))
		answer =
			answer_index_condition((SupportRequestIndexCondition *) request);
	PG_RETURN_POINTER(answer);
}
