/*
 * cost.c
 *	  What an index scan costs.
 *
 * See README, "Costs".  Reading all summaries and visiting the blocks that the
 * stop rule will want come before the first row; after it each row costs the
 * executor's heap fetch.
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/index_selfuncs.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/selfuncs.h"

#include "compat.h"
#include "index/am/cost.h"
#include "index/am/handler.h"
#include "index/cost_units.h"
#include "index/index.h"
#include "index/kind.h"
#include "index/page/page.h"
#include "type/ball_plan.h"
#include "type/dense.h"

/*
 * Share of the blocks that a ball of radius 0 touches, and how it grows with
 * the radius as a share of the dimensions (index/blocks/README, "Costs")
 */
#define BALL_FLOOR 0.05
#define BALL_GROWTH 9.0

/* Rows wanted where the LIMIT is not known */
#define DEFAULT_WANTED 100

/*
 * Rows that the scan is expected to be asked for: the LIMIT, if that is known,
 * times what the conditions that the index does not check will reject.
 */
static double
wanted_rows(PlannerInfo *root, const IndexPath *path, double passing)
{
	double kept = clamp_row_est(path->indexinfo->rel->rows);
	double wanted =
		root->limit_tuples > 0 ? root->limit_tuples : DEFAULT_WANTED;

	if (!path->path.param_info && passing > kept)
		wanted *= passing / kept;
	return Min(Max(wanted, 10), Max(passing, 1));
}

/*
 * The kind that a support function of an operator class tells: the same for as
 * long as it has its number, so the last one asked is kept.
 */
static const HxKind *
kind_of_class(Oid proc)
{
	static Oid last = InvalidOid;
	static const HxKind *kind;

	if (proc != last)
		kind = ((const HxVectorClass *) DatumGetPointer(
					OidFunctionCall1(proc, PointerGetDatum(NULL))))
				   ->kind;
	last = proc;
	return kind;
}

const HxKind *
HxKindOfIndex(const IndexOptInfo *index)
{
	for (int i = 0; i < index->nkeycolumns; i++)
	{
		Oid type = index->opcintype[i];
		Oid proc =
			get_opfamily_proc(index->opfamily[i], type, type, HX_VECTOR_PROC);

		if (OidIsValid(proc))
			return kind_of_class(proc);
	}
	elog(ERROR, "index %u has no vector column", index->indexoid);
}

/* Column of the table that an index's blocks are formed within; 0 if none */
static AttrNumber
group_column(const IndexOptInfo *index)
{
	Relation relation;
	AttrNumber column = 0;
	HxMeta meta;

	if (index->hypothetical || !HxKindOfIndex(index)->groups)
		return 0;
	relation = index_open(index->indexoid, NoLock);
	if (relation->rd_options)
	{
		HxReadMeta(relation, &meta);
		column = HxGroupColumn(HxDescribe(relation), (int) meta.group);
		if (column > 0)
			column = index->indexkeys[column - 1];
	}
	index_close(relation, NoLock);
	return column;
}

Selectivity
HxGroupSelectivity(PlannerInfo *root, const IndexOptInfo *index, List *clauses)
{
	AttrNumber column;
	List *found = NIL;
	ListCell *cell;

	if (clauses == NIL)
		return 1;
	column = group_column(index);
	if (column == 0)
		return 1;
	foreach (cell, clauses)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);
		Bitmapset *columns = NULL;
		int member;

		pull_varattnos((Node *) clause->clause, index->rel->relid, &columns);
		if (bms_get_singleton_member(columns, &member) &&
			member + FirstLowInvalidHeapAttributeNumber == column)
			found = lappend(found, clause);
	}
	if (found == NIL)
		return 1;
	return clauselist_selectivity(root, found, index->rel->relid, JOIN_INNER,
								  NULL);
}

/*
 * Which end of a column's values does a condition ask for: -1 the least, 1 the
 * greatest, 0 none?  *column is that side of the operator.
 */
static int
end_of(const RestrictInfo *clause, Node **column)
{
	const OpExpr *op = (const OpExpr *) clause->clause;
	Oid opno;

	if (!is_opclause(op) || list_length(op->args) != 2)
		return 0;
	opno = op->opno;
	*column = linitial(op->args);
	if (!contain_var_clause(*column))
	{
		*column = lsecond(op->args);
		opno = get_commutator(opno);
	}
	switch (OidIsValid(opno) ? get_oprrest(opno) : InvalidOid)
	{
		case F_SCALARLTSEL:
		case F_SCALARLESEL:
			return -1;
		case F_SCALARGTSEL:
		case F_SCALARGESEL:
			return 1;
		default:
			return 0;
	}
}

Selectivity
HxEndSelectivity(PlannerInfo *root, const IndexOptInfo *index, List *clauses)
{
	Selectivity share = 1;
	ListCell *cell;

	foreach (cell, clauses)
	{
		Node *column;
		int end = end_of(lfirst_node(RestrictInfo, cell), &column);
		bool both = end == 0;
		ListCell *other;

		if (end == 0)
			continue;
		foreach (other, clauses)
		{
			Node *other_column;

			both |= end_of(lfirst_node(RestrictInfo, other), &other_column) ==
						-end &&
					equal(column, other_column);
		}
		if (!both)
			share = Min(share, clause_selectivity(root, lfirst(cell), 0,
												  JOIN_INNER, NULL));
	}
	return share;
}

/*
 * Greatest distance that "vector op ball" leaves on a column, as a share of the
 * dimensions; negative if it is another condition, or not known.
 */
static double
condition_reach(PlannerInfo *root, const IndexOptInfo *index, int column,
				const OpExpr *op)
{
	Oid family = index->opfamily[column];
	Oid class_type = index->opcintype[column];
	int strategy;
	Oid type;
	Oid collation;
	int32 typmod;

	Assert(column >= 0 && column < index->nkeycolumns);
	if (!IsA(op, OpExpr) ||
		!OidIsValid(
			get_opfamily_proc(family, class_type, class_type, HX_VECTOR_PROC)))
		return -1;
	strategy = get_op_opfamily_strategy(op->opno, family);
	get_atttypetypmodcoll(index->indexoid, column + 1, &type, &typmod,
						  &collation);
	if (strategy == HX_STRATEGY_BALL)
		return HxEstimateReach(root, lsecond(op->args), type, typmod);
	if (strategy == HX_STRATEGY_BOUND)
		return HxEstimateBoundReach(root, lsecond(op->args), typmod);
	return -1;
}

double
HxBallShare(PlannerInfo *root, const IndexOptInfo *index, int column,
			const OpExpr *op)
{
	double reach = condition_reach(root, index, column, op);

	Assert(reach < 0 || isfinite(reach));
	return reach < 0 ? 1 : Min(BALL_FLOOR + BALL_GROWTH * reach, 1);
}

/* Share of the rows that a search by a path's conditions has to visit */
static double
ball_share(PlannerInfo *root, const IndexPath *path)
{
	double share = 1;
	ListCell *cell;

	foreach (cell, path->indexclauses)
	{
		IndexClause *clause = lfirst_node(IndexClause, cell);
		RestrictInfo *qual = linitial_node(RestrictInfo, clause->indexquals);

		share = Min(share, HxBallShare(root, path->indexinfo, clause->indexcol,
									   (OpExpr *) qual->clause));
	}
	return share;
}

/* ---- rows within a bound of estimates ---- */

/* A search without a bound that is known looks at so many times the rows that pass */
#define CANDIDATES_GUESSED 10.0

/* What was found out last: several paths ask for the same */
typedef struct NearRows
{
	Oid index;
	TimestampTz statement;
	uint64 bound; /* hash of its bytes */
	bool known;
	double passing;
	double candidates;
} NearRows;

/*
 * Is a bound one that the class's queries can be made of, without an error?  Its
 * distances may be those of another class.
 */
static bool
is_query_of(const HxIndexDesc *desc, const HxBound *bound)
{
	Datum query = PointerGetDatum(bound->query);
	ArrayType *array;

	if (!(HxKindOf(desc)->bounds & 1 << bound->kind) ||
		bound->metric != desc->vector->metric)
		return false;
	if (bound->kind != HX_BOUND_FLOATS)
		return HxDenseDims(bound->kind == HX_BOUND_VECTOR ? HX_DENSE_VECTOR
														  : HX_DENSE_HALFVEC,
						   query) == desc->dims;
	array = DatumGetArrayTypeP(query);
	return HxIsFloatQuery(array) &&
		   ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) == desc->dims;
}

/* Ask the index, in a context of its own. */
static bool
ask_index(const IndexOptInfo *index, const HxBound *bound, NearRows *near)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb rows near", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Relation relation = index_open(index->indexoid, NoLock);
	HxIndexDesc desc = *HxDescribe(relation);
	HxBoundTest test = HxBoundTestOf(bound);
	bool known = false;

	HxLearn(relation, &desc);
	if (desc.model && is_query_of(&desc, bound))
		known = HxKindOf(&desc)->rows_near(
			relation, &desc,
			HxKindOf(&desc)->query(&desc, (HxMetric) bound->metric,
								   PointerGetDatum(bound->query),
								   HxTypeOfQuery(bound)),
			HxGreatestPassing(&test), &near->passing, &near->candidates);
	index_close(relation, NoLock);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return known;
}

bool
HxRowsNear(PlannerInfo *root, const IndexOptInfo *index, int column,
		   const OpExpr *op, double *passing, double *candidates)
{
	static NearRows last;
	const HxKind *kind = HxKindOfIndex(index);
	const HxBound *bound;
	NearRows near = {index->indexoid, GetCurrentStatementStartTimestamp()};
	bool never;

	/* Who must not see all rows must not learn from estimates where they are */
	if (!kind->rows_near || index->hypothetical ||
		index->rel->baserestrict_min_security < root->qual_security_level ||
		get_op_opfamily_strategy(op->opno, index->opfamily[column]) !=
			HX_STRATEGY_BOUND)
		return false;
	bound = HxFindBound(root, lsecond(op->args), &never);
	*passing = *candidates = 0;
	if (never)
		return true;
	if (!bound)
		return false;
	near.bound = DatumGetUInt64(
		hash_any_extended((const unsigned char *) bound, VARSIZE(bound), 0));
	if (last.index != near.index || last.statement != near.statement ||
		last.bound != near.bound)
	{
		near.known = ask_index(index, bound, &near);
		last = near;
	}
	*passing = last.passing;
	*candidates = last.candidates;
	return last.known;
}

/* Is a bound one of the distances that the index has? */
static bool
is_own_bound(const IndexOptInfo *index, int column, const OpExpr *op)
{
	const FuncExpr *call = lsecond(op->args);
	const Const *name;
	Oid opno =
		get_opfamily_member(index->opfamily[column], index->opcintype[column],
							index->opcintype[column], HX_STRATEGY_DISTANCE);

	if (!IsA(call, FuncExpr) || list_length(call->args) != 5)
		return true; /* nobody knows */
	name = linitial(call->args);
	return IsA(name, Const) && !name->constisnull && OidIsValid(opno) &&
		   strcmp(TextDatumGetCString(name->constvalue), get_opname(opno)) == 0;
}

/* Share of the rows that pass a condition, not 0 */
static double
share_passing(PlannerInfo *root, Node *condition)
{
	return Max(clause_selectivity(root, condition, 0, JOIN_INNER, NULL), 1e-9);
}

/* Share of the rows that a bound of estimates finds */
static double
share_found(PlannerInfo *root, const IndexOptInfo *index, int column,
			const OpExpr *op)
{
	double passing = share_passing(root, (Node *) op);
	double found;

	if (!is_own_bound(index, column, op))
		return 1;
	if (!HxKindOfIndex(index)->rows_near)
		return passing;
	if (HxRowsNear(root, index, column, op, &found, &found))
		return Max(found, passing);
	return CANDIDATES_GUESSED * passing;
}

/* Share of the rows that any of several bounds finds */
static double
share_found_by_any(PlannerInfo *root, const IndexOptInfo *index, int column,
				   const ScalarArrayOpExpr *any)
{
	ArrayExpr *bounds = lsecond(any->args);
	double found = 0;
	ListCell *cell;

	if (!IsA(bounds, ArrayExpr))
		return CANDIDATES_GUESSED * share_passing(root, (Node *) any);
	foreach (cell, bounds->elements)
		found += share_found(
			root, index, column,
			castNode(OpExpr, make_opclause(any->opno, BOOLOID, false,
										   linitial(any->args), lfirst(cell),
										   InvalidOid, any->inputcollid)));
	return found;
}

/*
 * How many times as many rows as pass a path's conditions it finds, since some are
 * bounds of estimates.  From PostgreSQL 18 on, conditions of an OR that have an
 * operator in common become an array, whatever distances they are of.
 */
static double
times_found(PlannerInfo *root, const IndexPath *path)
{
	const IndexOptInfo *index = path->indexinfo;
	double times = 1;
	ListCell *cell;

	if (!HxKindOfIndex(index)->refine)
		return 1;
	foreach (cell, path->indexclauses)
	{
		IndexClause *clause = lfirst_node(IndexClause, cell);
		RestrictInfo *qual = linitial_node(RestrictInfo, clause->indexquals);
		Node *condition = (Node *) qual->clause;
		bool any = IsA(condition, ScalarArrayOpExpr);
		Oid opno;
		double passing;
		double found;

		if (!any && !IsA(condition, OpExpr))
			continue;
		opno = any ? ((ScalarArrayOpExpr *) condition)->opno
				   : ((OpExpr *) condition)->opno;
		if (get_op_opfamily_strategy(opno, index->opfamily[clause->indexcol]) !=
			HX_STRATEGY_BOUND)
			continue;
		passing = share_passing(root, (Node *) qual);
		found = any ? share_found_by_any(root, index, clause->indexcol,
										 (ScalarArrayOpExpr *) condition)
					: share_found(root, index, clause->indexcol,
								  (OpExpr *) condition);
		times *= Min(Max(found, passing), 1) / passing;
	}
	return times;
}

bool
HxIsOwnIndex(const IndexOptInfo *index)
{
	return index->amcostestimate == hxcostestimate;
}

/* What reading the whole index costs, for each phase of a search */
static void
plain_cost(const HxCostQuery *query, HxCost *cost)
{
	double rows = Max(query->index->tuples, 1);
	double row = HX_ROW_TIME + Max(query->masks - 1, 0) * HX_MASK_TIME +
				 (query->tids ? HX_LOOKUP_TIME : 0);

	cost->pages = Max(query->index->pages, 1);
	cost->search = (HX_SEARCH_TIME + rows * row) * HX_MICROSECOND;
	cost->columns = cost->search;
	cost->rest = cost->search * (HxPhasesFor(query->rows) - 1);
}

HxCost
HxEstimateCost(const HxCostQuery *query)
{
	const HxKind *kind = HxKindOfIndex(query->index);
	HxCost cost = {0};

	Assert(query->recall > 0 && query->recall <= 1 && query->wanted >= 0);
	if (kind->cost)
		kind->cost(query, &cost);
	else
		plain_cost(query, &cost);
	Assert(cost.search >= 0 && cost.rest >= 0 && cost.pages > 0);
	return cost;
}

/* amcostestimate */
void
hxcostestimate(PlannerInfo *root, IndexPath *path, double loop_count,
			   Cost *startup, Cost *total, Selectivity *selectivity,
			   double *correlation, double *pages)
{
	IndexOptInfo *index = path->indexinfo;
	HxCostQuery query = {.index = index, .recall = 1};
	GenericCosts costs;
	bool ordered = path->indexorderbys != NIL;
	double times;
	List *clauses = NIL;
	ListCell *cell;
	HxCost cost;

	MemSet(&costs, 0, sizeof(costs));
	genericcostestimate(root, path, loop_count, &costs);
	foreach (cell, path->indexclauses)
		clauses = lappend(clauses, lfirst_node(IndexClause, cell)->rinfo);

	times = times_found(root, path);
	costs.indexSelectivity = Min(costs.indexSelectivity * times, 1);
	if (!ordered)
		costs.numIndexTuples = Min(costs.numIndexTuples * times,
								   Max(index->tuples, costs.numIndexTuples));

	/* An order is exact: nobody tells the scan how many rows are wanted. */
	query.rows = costs.numIndexTuples;
	query.unordered = !ordered;
	if (times > 1)
		query.looked = Min(query.rows * times, Max(index->tuples, 1));
	query.wanted = 1;
	if (ordered)
		query.wanted = wanted_rows(
			root, path, Max(index->tuples, 1) * costs.indexSelectivity);
	query.passing = 1;
	query.masked = Min(costs.indexSelectivity, 1);
	query.near = ball_share(root, path);
	query.group = HxGroupSelectivity(root, index, clauses);
	query.end = HxEndSelectivity(root, index, clauses);
	query.masks = list_length(path->indexclauses);
	query.repeated = loop_count > 1;
	cost = HxEstimateCost(&query);
	*pages = cost.pages;
	*startup = cost.search;
	*total =
		cost.search + costs.numIndexTuples * Max(cpu_index_tuple_cost,
												 HX_TID_TIME * HX_MICROSECOND);
	if (ordered)
		*total += cost.rest;
	*selectivity = costs.indexSelectivity;
	*correlation = 0;

	/*
	 * A query that needs no column, such as count(*), would get an index-only
	 * scan although no column can be returned.  The visibility map must not
	 * be asked about TIDs that no pin protects (README, "Concurrency"), so
	 * make it a plain scan, and pay for the heap pages that the planner left
	 * out.
	 */
	if (path->path.pathtype == T_IndexOnlyScan)
	{
		path->path.pathtype = T_IndexScan;
		*total += index->rel->pages * random_page_cost;
	}

	/* One distance orders the rows; a second would have to be sorted. */
	if (list_length(path->indexorderbys) > 1)
	{
		*startup = *total = get_float8_infinity();
		HX_AVOID_PATH(&path->path);
	}
}
