/*
 * path.c
 *	  Paths of the scan node: what they cost, and their plans.
 *
 * See README, "Costs".
 */
#include "postgres.h"

#include <math.h>

#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/plancat.h"
#include "optimizer/restrictinfo.h"

#include "compat.h"
#include "settings.h"
#include "index/am/cost.h"
#include "plan/plan.h"

/* Cost of taking a TID from a bitmap into a mask, in cpu_operator_cost */
#define TID_COST 16.0

/*
 * Part of a sweep's cost that is charged for search and rows together where
 * there are too many rows to look at one by one: that they are is a guess, which
 * at worst costs 1.3 sequential scans, and to scan where rows near the query
 * pass, twenty searches
 */
#define SWEEP_PART 0.8

/* What a path does with the conditions, for its costs */
typedef struct Shares
{
	Selectivity all;	  /* share of the rows that pass everything */
	Selectivity enforced; /* that pass mask and bitmap */
	Selectivity group;	  /* that are in blocks of the values asked for */
	Selectivity limited;  /* that the conditions on the order's distance pass */
	double near;		  /* in blocks that conditions on the vector leave */
	double masks;		  /* masks made for each row */
	QualCost heap;		  /* of what is left to check on a heap row */
	bool checks;		  /* is there anything left? */
} Shares;

/* Add the conditions that a bitmap stands for, those of an OR apart. */
static List *
bitmap_clauses(Path *bitmap, List *found)
{
	ListCell *cell;

	if (IsA(bitmap, BitmapAndPath))
	{
		foreach (cell, ((BitmapAndPath *) bitmap)->bitmapquals)
			found = bitmap_clauses(lfirst(cell), found);
	}
	else if (IsA(bitmap, IndexPath))
	{
		foreach (cell, ((IndexPath *) bitmap)->indexclauses)
			found = list_append_unique_ptr(
				found, lfirst_node(IndexClause, cell)->rinfo);
	}
	return found;
}

/* Fill in what the conditions let pass, and what is left for the heap. */
static void
find_shares(PlannerInfo *root, const HxPath *path, Path *bitmap, Shares *shares)
{
	RelOptInfo *rel = path->path.path.parent;
	IndexOptInfo *index = path->index;
	List *enforced = NIL;
	List *left = NIL;
	List *values = NIL;
	Selectivity tids = 1;
	Cost cost;
	ListCell *cell;

	memset(shares, 0, sizeof(*shares));
	shares->limited = shares->near = 1;
	foreach (cell, index->indrestrictinfo)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);
		bool partial;

		shares->near =
			Min(shares->near,
				HxVectorClauseShare(root, index, path->column, clause));
		if (HxLimitsDistance(index, path->column, clause->clause,
							 path->order.distance))
			shares->limited =
				Min(shares->limited, clause_selectivity(root, (Node *) clause,
														0, JOIN_INNER, NULL));
		if ((HxCompileClause(index, clause, &values, &partial) && !partial) ||
			HxCompileVectorClause(root, index, path->column, clause, &values))
			enforced = lappend(enforced, clause);
	}
	shares->masks = list_length(enforced);
	shares->group = HxGroupSelectivity(root, index, enforced);
	if (bitmap)
	{
		enforced = bitmap_clauses(bitmap, enforced);
		cost_bitmap_tree_node(bitmap, &cost, &tids);
		shares->masks += 1;
	}
	left = list_difference_ptr(index->indrestrictinfo, enforced);
	cost_qual_eval(&shares->heap, left, root);
	shares->checks = left != NIL;
	shares->all = rel->tuples > 0 ? Min(rel->rows / rel->tuples, 1) : 1;
	shares->enforced =
		clauselist_selectivity(root, enforced, rel->relid, JOIN_INNER, NULL);
	shares->enforced = Max(Min(shares->enforced, tids), shares->all);
	Assert(shares->all >= 0 && shares->all <= shares->enforced);
	Assert(shares->near > 0 && shares->near <= 1);
	Assert(shares->limited >= 0 && shares->limited <= 1);
	Assert(shares->group <= 1);
}

/*
 * Cost of fetching heap rows, as a bitmap heap scan is charged for them: the
 * more of the pages, the more of them are found cached or near each other.
 */
static Cost
fetch_cost(PlannerInfo *root, RelOptInfo *rel, IndexOptInfo *index, double rows)
{
	double pages;
	double whole = Max(rel->pages, 1);
	double page_cost;

	rows = clamp_row_est(rows);
	pages =
		Min(index_pages_fetched(rows, rel->pages, index->pages, root), whole);
	page_cost = random_page_cost -
				(random_page_cost - seq_page_cost) * sqrt(pages / whole);
	return pages * page_cost + rows * cpu_tuple_cost;
}

/*
 * Cost of a search that looks at this many heap rows one by one, given what it
 * costs apart from these; where the LIMIT is known, no more than that of a sweep
 * of the table, which a search then turns to.
 */
static Cost
checking_cost(PlannerInfo *root, const HxPath *path, const QualCost *heap,
			  double rows, Cost search)
{
	RelOptInfo *rel = path->path.path.parent;
	Cost singly = search + fetch_cost(root, rel, path->index, rows) +
				  rows * heap->per_tuple;
	Cost sweep = rel->pages * seq_page_cost +
				 rel->tuples * (cpu_tuple_cost + heap->per_tuple);

	if (HxIsNumberKnown(path->wanted))
		singly = Min(singly, SWEEP_PART * sweep);
	return heap->startup + singly;
}

/*
 * Fill in a path's costs.  The search comes before the first row: summaries,
 * blocks, the bitmap, and the heap rows that must be looked at.  With a bitmap
 * of few rows these are ranked instead, if that is cheaper.
 */
static void
cost_path(PlannerInfo *root, HxPath *path, Path *bitmap)
{
	RelOptInfo *rel = path->path.path.parent;
	IndexOptInfo *index = path->index;
	PathTarget *target = path->path.path.pathtarget;
	double rows = rel->rows;
	double wanted = HxEstimateWanted(path, root);
	double checked = 0;
	HxCostQuery query = {.index = index, .recall = hx_recall};
	HxCost cost;
	Shares shares;
	Cost startup;

	find_shares(root, path, bitmap, &shares);
	query.rows = rows;
	query.near = shares.near;
	query.group = shares.group;
	query.masks = shares.masks;
	/* the nearest rows are those that a limit on their distance lets pass */
	query.passing = Min(shares.all / Max(shares.limited, 1e-9), 1);
	if (wanted > 0 && (wanted <= rows || shares.limited == 1))
		query.wanted = wanted;
	else
		wanted = rows;
	cost = HxEstimateCost(&query);
	startup = cost.search;
	if (shares.checks)
	{
		checked = Min(wanted * shares.enforced / Max(shares.all, 1e-9),
					  shares.enforced * index->tuples);
		startup = checking_cost(root, path, &shares.heap, checked, startup);
	}
	if (bitmap)
	{
		Selectivity selectivity;
		Cost bitmap_cost;
		double tids;
		Cost ranking;
		QualCost distance;

		cost_bitmap_tree_node(bitmap, &bitmap_cost, &selectivity);
		tids = clamp_row_est(selectivity * rel->tuples);
		cost_qual_eval_node(&distance, (Node *) path->order.distance, root);
		ranking = fetch_cost(root, rel, index, tids) +
				  tids * (shares.heap.per_tuple + distance.per_tuple);
		startup = Min(startup, ranking) + bitmap_cost +
				  tids * TID_COST * cpu_operator_cost;
	}
	path->share = shares.checks ? shares.all / Max(shares.enforced, 1e-9) : 1;
	path->path.path.rows = rows;
	path->path.path.startup_cost = startup + target->cost.startup;
	path->path.path.total_cost = path->path.path.startup_cost +
								 fetch_cost(root, rel, index, rows) +
								 rows * target->cost.per_tuple;
	if (path->wanted == HX_WANTED_SOME)
		path->path.path.total_cost += cost.rest;
	Assert(path->share >= 0 && path->share <= 1);
	Assert(path->path.path.startup_cost <= path->path.path.total_cost);
}

/* A path without order and costs */
static HxPath *
begin_path(IndexOptInfo *index, int column, const HxOrder *order)
{
	HxPath *path = palloc0(sizeof(HxPath));
	CustomPath *custom = &path->path;

	Assert(column >= 0 && order->distance);
	custom->path.type = T_CustomPath;
	custom->path.pathtype = T_CustomScan;
	custom->path.parent = index->rel;
	custom->path.pathtarget = index->rel->reltarget;
	custom->flags = HX_CUSTOM_PATH_FLAGS;
	custom->methods = &hx_path_methods;
	path->index = index;
	path->column = column;
	path->order = *order;
	return path;
}

Path *
HxMakeJoinedPath(PlannerInfo *root, const RelOptInfo *joinrel, Relids outer,
				 IndexOptInfo *index, int column, const HxOrder *order,
				 bool whole)
{
	HxPath *path = begin_path(index, column, order);

	path->path.path.param_info =
		get_baserel_parampathinfo(root, index->rel, outer);
	Assert(path->path.path.param_info);
	path->wanted = HxFindWanted(root, joinrel, whole, order, &path->limit);
	cost_path(root, path, NULL);
	path->path.path.rows = path->path.path.param_info->ppi_rows;
	return &path->path.path;
}

/* Make a path, with a bitmap or without. */
static Path *
make_path(PlannerInfo *root, RelOptInfo *rel, IndexOptInfo *index, int column,
		  const HxOrder *order, Path *bitmap)
{
	HxPath *path = begin_path(index, column, order);
	CustomPath *custom = &path->path;

	custom->path.pathkeys = list_make1(linitial(root->query_pathkeys));
	if (bitmap)
		custom->custom_paths = list_make1(
			create_bitmap_heap_path(root, rel, bitmap, NULL, 1.0, 0));
	path->wanted = HxFindWanted(root, rel, true, order, &path->limit);
	cost_path(root, path, bitmap);
	return &custom->path;
}

/* Add the paths of one index: without a bitmap, and with each of some. */
void
HxAddPaths(PlannerInfo *root, RelOptInfo *rel, IndexOptInfo *index, int column,
		   const HxOrder *order, List *bitmaps)
{
	ListCell *cell;

	add_path(rel, make_path(root, rel, index, column, order, NULL));
	foreach (cell, bitmaps)
		add_path(rel, make_path(root, rel, index, column, order, lfirst(cell)));
}

/* ---- from path to plan ---- */

/*
 * The bitmap heap scan planned as the node's child, perhaps below a Result
 * that checks conditions without variables, which the node's own has, too.
 */
static BitmapHeapScan *
find_bitmap_scan(List *plans)
{
	Plan *plan = linitial(plans);

	Assert(list_length(plans) == 1);
	while (!IsA(plan, BitmapHeapScan))
	{
		if (!outerPlan(plan))
			elog(ERROR, "unexpected plan below a hashemb scan: %d",
				 (int) nodeTag(plan));
		plan = outerPlan(plan);
	}
	return (BitmapHeapScan *) plan;
}

/* Decide who decides each condition, and compile those for the mask. */
static void
assign_conditions(PlannerInfo *root, const HxPath *path, List *clauses,
				  const BitmapHeapScan *bitmap, HxPlanData *data)
{
	IndexOptInfo *index = path->index;
	ListCell *cell;

	foreach (cell, clauses)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);
		HxDecider decider = HX_BY_HEAP;
		bool partial;
		Node *program;

		if (clause->pseudoconstant)
			continue;
		program = HxCompileClause(index, clause, &data->values, &partial);
		if (program)
			data->programs = lappend(data->programs, program);
		else
		{
			partial = false;
			program = HxCompileVectorClause(root, index, path->column, clause,
											&data->values);
			if (program)
				data->keys = lappend(data->keys, program);
		}
		if (!list_member_ptr(index->indrestrictinfo, clause) &&
			list_member_ptr(index->rel->baserestrictinfo, clause))
			decider = HX_BY_PREDICATE;
		else if (program && !partial)
			decider = HX_BY_MASK;
		else if (bitmap && !list_member(bitmap->scan.plan.qual, clause->clause))
			decider = HX_BY_BITMAP;
		data->conditions = lappend(data->conditions, clause->clause);
		data->deciders = lappend_int(data->deciders, decider);
	}
	Assert(list_length(data->conditions) == list_length(data->deciders));
}

/* PlanCustomPath */
static Plan *
plan_path(PlannerInfo *root, RelOptInfo *rel, CustomPath *best, List *targets,
		  List *clauses, List *plans)
{
	HxPath *path = (HxPath *) best;
	CustomScan *scan = makeNode(CustomScan);
	BitmapHeapScan *bitmap = plans ? find_bitmap_scan(plans) : NULL;
	HxPlanData data;

	Assert(rel == path->index->rel);
	memset(&data, 0, sizeof(data));
	data.index = path->index->indexoid;
	data.column = path->column + 1;
	data.wanted = path->wanted;
	data.bitmap = bitmap != NULL;
	data.share = path->share;
	data.order = path->order.distance;
	data.nulls_first = path->order.nulls_first;
	data.nans_first = path->order.falls;
	assign_conditions(root, path, clauses, bitmap, &data);
	if (HxIsNumberKnown(data.wanted))
	{
		const Query *level = path->limit->parse;

		data.limit_count = copyObject((Expr *) level->limitCount);
		data.limit_offset = copyObject((Expr *) level->limitOffset);
		data.ends = HxLimitEnds(path, root);
	}
	HxPackPlan(&data, scan);
	scan->scan.plan.targetlist = targets;
	scan->scan.scanrelid = rel->relid;
	scan->flags = best->flags;
	scan->methods = &hx_scan_methods;
	if (bitmap)
		scan->custom_plans = list_make1(outerPlan(bitmap));
	return &scan->scan.plan;
}

const CustomPathMethods hx_path_methods = {.CustomName = "hashemb",
										   .PlanCustomPath = plan_path};
