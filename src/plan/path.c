/*
 * path.c
 *	  Paths of the scan node: what they cost, and their plans.
 *
 * See README, "Costs".
 */
#include "postgres.h"

#include <math.h>

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/plancat.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "settings.h"
#include "index/am/cost.h"
#include "index/cost_units.h"
#include "plan/plan.h"

/*
 * To rank few rows takes what it takes, wherever they lie, and a search more if
 * they lie far from the query: so that may take this many times as long.  More so
 * where the mask is not exact, as for arrays: a search has to look for others in
 * place of rows that fail.
 */
#define PREFERRED 1.3
#define PREFERRED_INEXACT 2.5

/* Further masks that one of arrays takes as long as */
#define ARRAY_MASKS 4

/*
 * Part of a sweep's time that is charged for search and rows together where there
 * are too many rows to look at one by one: that they are is a guess, which at
 * worst costs 1.3 sequential scans, and to scan where rows near the query pass,
 * twenty searches
 */
#define SWEEP_PART 0.8

/* Rows that a path returns one by one, to compare ways: all, or about none */
#define EMITTED(path, rel) ((path)->wanted == HX_WANTED_ALL ? (rel)->rows : 0)

/* What an index makes of the conditions, before a bitmap is chosen */
typedef struct Conditions
{
	List *masked;		 /* that the mask decides */
	List *limits;		 /* that the search decides by the order's distance */
	List *left;			 /* that are left to bitmap or heap row */
	Selectivity all;	 /* share of the rows that passes everything */
	Selectivity group;	 /* that is in blocks of the values asked for */
	Selectivity limited; /* that conditions on the order's distance pass */
	double near;		 /* in blocks that conditions on the vector leave */
	bool estimated;		 /* is there a limit of estimated distances? ... */
	double looked;		 /* ... share to be looked at to know; 1: all */
	bool inexact;		 /* is one of those masked about arrays? */
	List *compiled;		 /* what became of each: HxCompiled */
	Selectivity end;	 /* that conditions on an end of a column pass */
} Conditions;

/* What a path does with the conditions, for its costs */
typedef struct Shares
{
	Selectivity enforced; /* share of the rows that pass mask and bitmap */
	double tids;		  /* of the bitmap */
	QualCost heap;		  /* of what is left to check on a heap row */
	bool checks;		  /* is there anything left? */
	double masks;		  /* masks made for each row */
} Shares;

/* What a path takes, in microseconds */
typedef struct Times
{
	double search;	/* without heap rows and bitmap */
	double first;	/* until the first row */
	double row;		/* each row returned */
	double rest;	/* more, if all rows are asked for */
	double columns; /* to find the rows that pass the mask; 0: cannot be */
} Times;

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

/* Is a condition about an array, which words do not tell exactly? */
static bool
is_about_array(const Expr *clause)
{
	return IsA(clause, OpExpr) && OidIsValid(get_element_type(exprType(linitial(
									  ((const OpExpr *) clause)->args))));
}

/*
 * Share of the rows that an exact search has to look at because of a limit of
 * estimated distances
 */
static double
share_looked_at(PlannerInfo *root, IndexOptInfo *index, int column,
				RestrictInfo *clause)
{
	Expr *bound = HxMakeBoundClause(index, column, clause->clause);
	double passing;
	double candidates;

	return bound && HxRowsNear(root, index, column, (OpExpr *) bound, &passing,
							   &candidates)
			   ? candidates
			   : 1;
}

/* Compile a condition, and keep what became of it. */
static Node *
compile_clause(IndexOptInfo *index, RestrictInfo *clause, List **values,
			   bool *partial, List **kept)
{
	HxCompiled *compiled = palloc(sizeof(HxCompiled));

	compiled->clause = clause;
	compiled->before = list_length(*values);
	compiled->partial = false;
	compiled->program =
		HxCompileClause(index, clause, values, &compiled->partial);
	compiled->values = list_copy_tail(*values, compiled->before);
	*kept = lappend(*kept, compiled);
	*partial = compiled->partial;
	return compiled->program;
}

/* The same for a plan, from what was kept, if it comes in the same order. */
static Node *
compile_again(IndexOptInfo *index, RestrictInfo *clause, const List *kept,
			  List **values, bool *partial)
{
	ListCell *cell;

	foreach (cell, kept)
	{
		const HxCompiled *compiled = lfirst(cell);

		if (compiled->clause != clause ||
			(compiled->program && compiled->before != list_length(*values)))
			continue;
		*values = list_concat(*values, compiled->values);
		*partial = compiled->partial;
		return compiled->program;
	}
	return HxCompileClause(index, clause, values, partial);
}

/* Find out what an index makes of the conditions. */
static void
find_conditions(PlannerInfo *root, IndexOptInfo *index, int column,
				const HxOrder *order, Conditions *conditions)
{
	const RelOptInfo *rel = index->rel;
	List *values = NIL;
	ListCell *cell;

	memset(conditions, 0, sizeof(*conditions));
	conditions->limited = conditions->near = conditions->looked = 1;
	foreach (cell, index->indrestrictinfo)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);
		bool partial;

		if (compile_clause(index, clause, &values, &partial,
						   &conditions->compiled) &&
			!partial)
		{
			conditions->masked = lappend(conditions->masked, clause);
			conditions->inexact |= is_about_array(clause->clause);
			continue;
		}
		conditions->near = Min(
			conditions->near, HxVectorClauseShare(root, index, column, clause));
		if (HxLimitsDistance(root, index, column, clause->clause,
							 order->distance))
			conditions->limited = Min(
				conditions->limited,
				clause_selectivity(root, (Node *) clause, 0, JOIN_INNER, NULL));
		if (HxCompileLimit(root, index, column, clause, order->distance,
						   &values, &partial))
		{
			conditions->estimated = true;
			conditions->looked =
				Min(conditions->looked,
					share_looked_at(root, index, column, clause));
			if (partial)
				conditions->left = lappend(conditions->left, clause);
			else
				conditions->limits = lappend(conditions->limits, clause);
		}
		else if (HxCompileVectorClause(root, index, column, clause, &values,
									   &partial) &&
				 !partial)
			conditions->masked = lappend(conditions->masked, clause);
		else
			conditions->left = lappend(conditions->left, clause);
	}
	conditions->group = HxGroupSelectivity(root, index, conditions->masked);
	conditions->end = HxEndSelectivity(root, index, conditions->masked);
	conditions->all = rel->tuples > 0 ? Min(rel->rows / rel->tuples, 1) : 1;
	Assert(conditions->near > 0 && conditions->near <= 1);
	Assert(conditions->limited >= 0 && conditions->limited <= 1);
	Assert(conditions->group <= 1);
}

/* Fill in what is left to the heap row with a bitmap, or without one (NULL). */
static void
find_shares(PlannerInfo *root, const RelOptInfo *rel,
			const Conditions *conditions, Path *bitmap, Shares *shares)
{
	List *enforced = list_concat_copy(conditions->masked, conditions->limits);
	List *left = conditions->left;
	Selectivity share = 1;
	Cost cost;

	shares->masks = list_length(conditions->masked) +
					(conditions->inexact ? ARRAY_MASKS : 0);
	shares->tids = 0;
	if (bitmap)
	{
		enforced = bitmap_clauses(bitmap, list_copy(enforced));
		left = list_difference_ptr(left, enforced);
		cost_bitmap_tree_node(bitmap, &cost, &share);
		shares->tids = clamp_row_est(share * rel->tuples);
		shares->masks += 1;
	}
	shares->checks = left != NIL;
	if (!shares->checks)
	{
		memset(&shares->heap, 0, sizeof(shares->heap));
		shares->enforced = conditions->all;
		return;
	}
	cost_qual_eval(&shares->heap, left, root);
	if (enforced != NIL)
		share = Min(share, clauselist_selectivity(root, enforced, rel->relid,
												  JOIN_INNER, NULL));
	shares->enforced = Max(share, conditions->all);
	Assert(conditions->all >= 0 && conditions->all <= shares->enforced);
}

/*
 * Time of a search for a known number of rows that looks at this many heap rows
 * one by one, given what it takes apart from these; no more than with a sweep of
 * the table, which it then turns to.
 */
static double
checking_time(const HxPath *path, const QualCost *heap, double rows,
			  double search)
{
	const RelOptInfo *rel = path->path.path.parent;
	double row = HxOperatorTime(heap->per_tuple);
	double time = search + rows * (HX_CHECK_TIME + row);
	double sweep = rel->pages * HX_SEQ_PAGE_TIME +
				   Max(rel->tuples, 1) * (HX_SEQ_ROW_TIME + row);

	return HxOperatorTime(heap->startup) + Min(time, SWEEP_PART * sweep);
}

/*
 * What a path takes.  The search comes before the first row: summaries, blocks,
 * the bitmap, and the heap rows that must be looked at.  With a bitmap of few
 * rows these are ranked instead, if that takes less.
 */
static void
find_times(PlannerInfo *root, HxPath *path, const Conditions *conditions,
		   const Shares *shares, const HxRival *rival, Path *bitmap,
		   Times *times)
{
	const RelOptInfo *rel = path->path.path.parent;
	IndexOptInfo *index = path->index;
	double wanted = HxEstimateWanted(path, root);
	HxCostQuery query = {
		.index = index, .recall = hx_recall, .end = conditions->end};
	HxCost cost;

	query.rows = rel->rows;
	query.near = conditions->near;
	query.group = conditions->group;
	query.masks = shares->masks;
	query.tids = bitmap != NULL;
	query.masked = shares->enforced;
	/* the nearest rows are those that a limit on their distance lets pass */
	query.passing = Min(conditions->all / Max(conditions->limited, 1e-9), 1);
	if (wanted > 0 && (wanted <= rel->rows || conditions->limited == 1))
		query.wanted = wanted;
	else
	{
		/* by estimates it ends where no more are expected within the limits */
		if (wanted > 0 && conditions->estimated)
			query.wanted = rel->rows;
		wanted = rel->rows;
	}
	if (conditions->looked < 1)
		query.looked =
			clamp_row_est(conditions->looked * query.passing * rel->tuples);
	cost = HxEstimateCost(&query);
	times->search = times->first = cost.search / HX_MICROSECOND;
	times->row =
		path->wanted == HX_WANTED_ALL ? HX_EMIT_ALL_TIME : HX_EMIT_TIME;
	times->rest =
		path->wanted == HX_WANTED_SOME ? cost.rest / HX_MICROSECOND : 0;
	if (shares->checks && HxIsNumberKnown(path->wanted))
		times->first = checking_time(
			path, &shares->heap,
			Min(wanted * shares->enforced / Max(conditions->all, 1e-9),
				shares->enforced * Max(index->tuples, 1)),
			times->search);
	else if (shares->checks) /* each as its turn comes */
		times->row +=
			(shares->enforced / Max(conditions->all, 1e-9) - 1) * HX_CHECK_TIME;
	times->columns = cost.columns / HX_MICROSECOND;
	if (bitmap)
	{
		double ranking =
			HX_REPEATED_TIME +
			shares->tids * (HX_RANK_TIME + rival->distance +
							HxOperatorTime(shares->heap.per_tuple));

		if (ranking < times->first + EMITTED(path, rel) * times->row)
		{
			times->first = ranking;
			times->row = HX_EMIT_TIME;
		}
		times->first += HxBitmapTime(bitmap) + shares->tids * HX_TID_MASK_TIME;
	}
	Assert(times->search >= 0 && times->first >= 0 && times->rest >= 0);
}

/*
 * Fill in a path's costs: what it takes, at the rate that the planner charges for
 * the best way without the node.
 */
static void
set_costs(HxPath *path, const Conditions *conditions, const Shares *shares,
		  const Times *times, double rate)
{
	Path *base = &path->path.path;
	const PathTarget *target = base->pathtarget;

	path->share =
		shares->checks ? conditions->all / Max(shares->enforced, 1e-9) : 1;
	base->rows = base->parent->rows;
	base->startup_cost = times->first * rate + target->cost.startup;
	base->total_cost = base->startup_cost +
					   (base->rows * times->row + times->rest) * rate +
					   base->rows * target->cost.per_tuple;
	Assert(path->share >= 0 && path->share <= 1);
	Assert(base->startup_cost <= base->total_cost);
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
	Conditions conditions;
	Shares shares;
	HxRival rival;
	Times times;

	path->path.path.param_info =
		get_baserel_parampathinfo(root, index->rel, outer);
	Assert(path->path.path.param_info);
	path->wanted = HxFindWanted(root, joinrel, whole, order, &path->limit);
	find_conditions(root, index, column, order, &conditions);
	find_shares(root, index->rel, &conditions, NULL, &shares);
	HxFindRival(root, index->rel, order, HxEstimateWanted(path, root), &rival);
	find_times(root, path, &conditions, &shares, &rival, NULL, &times);
	set_costs(path, &conditions, &shares, &times, rival.rate);
	path->path.path.rows = path->path.path.param_info->ppi_rows;
	return &path->path.path;
}

/*
 * Can no bitmap make the search faster, or faster than the best way without it?
 * The least that a bitmap must be of use for is one of the conditions that are
 * left, and each TID of it has its price.  Nothing is asked of any index.
 */
static bool
no_bitmap_wins(PlannerInfo *root, const RelOptInfo *rel,
			   const Conditions *conditions, const Times *alone, double emitted,
			   const HxRival *rival)
{
	Selectivity least = 1;
	double rank = rel->rows * HX_RANK_TIME;
	double time;
	ListCell *cell;

	foreach (cell, conditions->left)
		least = Min(
			least, clause_selectivity(root, lfirst(cell), 0, JOIN_INNER, NULL));
	time = HX_BITMAP_TIME +
		   least * rel->tuples * (HX_TID_TIME + HX_TID_MASK_TIME) +
		   Min(alone->search, rank);
	return time >= alone->first + emitted * alone->row ||
		   (enable_sort && time >= rival->time);
}

/*
 * Give a path without a bitmap the most selective of some in reserve: it is read
 * where the search finds that too many heap rows fail.
 */
static void
set_reserve(PlannerInfo *root, RelOptInfo *rel, HxPath *path, List *bitmaps,
			const Conditions *conditions, const HxRival *rival)
{
	Path *best = NULL;
	Shares shares;
	Times times;
	Selectivity least = 2;
	ListCell *cell;

	foreach (cell, bitmaps)
	{
		Selectivity share;
		Cost cost;

		cost_bitmap_tree_node(lfirst(cell), &cost, &share);
		if (share < least)
			best = lfirst(cell);
		least = Min(least, share);
	}
	Assert(best);
	find_shares(root, rel, conditions, best, &shares);
	find_times(root, path, conditions, &shares, rival, best, &times);
	path->reserve = Max(times.first, 1);
	path->path.custom_paths =
		list_make1(create_bitmap_heap_path(root, rel, best, NULL, 1.0, 0));
}

/*
 * Add the path that finds the rows that pass the mask through the attribute columns
 * alone, and ranks them, if that may take less than the search.  True if it takes
 * the search's place: where the LIMIT is known, as then all comes before the first
 * row.
 */
static bool
add_few_path(PlannerInfo *root, RelOptInfo *rel, const HxPath *alone,
			 const Conditions *conditions, const Shares *shares,
			 const Times *searching, const HxRival *rival)
{
	HxPath *path;
	Times times = *searching;
	double few = conditions->all;
	double preferred = conditions->inexact ? PREFERRED_INEXACT : PREFERRED;

	if (conditions->masked == NIL || times.columns == 0 ||
		conditions->near < 1 || conditions->group < 1)
		return false;
	if (shares->checks || conditions->limits != NIL)
		few = clauselist_selectivity(root, conditions->masked, rel->relid,
									 JOIN_INNER, NULL);
	few = clamp_row_est(few * rel->tuples);
	times.first =
		times.columns + few * (HX_RANK_TIME + rival->distance +
							   HxOperatorTime(shares->heap.per_tuple));
	times.row = HX_EMIT_TIME;
	times.rest = 0;
	if (times.first + EMITTED(alone, rel) * times.row >=
		preferred * searching->first + EMITTED(alone, rel) * searching->row)
		return false;
	path = palloc(sizeof(HxPath));
	*path = *alone;
	path->few = few;
	set_costs(path, conditions, shares, &times, rival->rate);
	add_path(rel, &path->path.path);
	return HxIsNumberKnown(alone->wanted);
}

/* Add the path with a bitmap. */
static void
add_bitmap_path(PlannerInfo *root, RelOptInfo *rel, const HxPath *alone,
				const Conditions *conditions, const HxRival *rival,
				Path *bitmap)
{
	HxPath *path = palloc(sizeof(HxPath));
	Shares shares;
	Times times;

	*path = *alone;
	path->path.custom_paths =
		list_make1(create_bitmap_heap_path(root, rel, bitmap, NULL, 1.0, 0));
	find_shares(root, rel, conditions, bitmap, &shares);
	find_times(root, path, conditions, &shares, rival, bitmap, &times);
	set_costs(path, conditions, &shares, &times, rival->rate);
	add_path(rel, &path->path.path);
}

/*
 * Add the paths of one index: without a bitmap, and with each of some that may be
 * faster.
 */
void
HxAddPaths(PlannerInfo *root, RelOptInfo *rel, IndexOptInfo *index, int column,
		   const HxOrder *order)
{
	HxPath *path = begin_path(index, column, order);
	HxPath alone;
	Conditions conditions;
	Shares shares;
	HxRival rival;
	Times times;
	bool may_win = false;
	List *bitmaps = NIL;
	ListCell *cell;

	path->path.path.pathkeys = list_make1(linitial(root->query_pathkeys));
	path->wanted = HxFindWanted(root, rel, true, order, &path->limit);
	find_conditions(root, index, column, order, &conditions);
	path->compiled = conditions.compiled;
	find_shares(root, rel, &conditions, NULL, &shares);
	HxFindRival(root, rel, order, HxEstimateWanted(path, root), &rival);
	find_times(root, path, &conditions, &shares, &rival, NULL, &times);
	set_costs(path, &conditions, &shares, &times, rival.rate);
	alone = *path;
	if (shares.checks && enable_bitmapscan)
	{
		may_win = !no_bitmap_wins(root, rel, &conditions, &times,
								  EMITTED(path, rel), &rival);
		bitmaps = may_win ? HxFindBitmaps(root, rel, conditions.left)
						  : HxKnownBitmaps(rel, conditions.left);
	}
	if (bitmaps != NIL && HxIsNumberKnown(path->wanted))
		set_reserve(root, rel, path, bitmaps, &conditions, &rival);
	if (!add_few_path(root, rel, &alone, &conditions, &shares, &times, &rival))
		add_path(rel, &path->path.path);
	foreach (cell, may_win ? bitmaps : NIL)
		add_bitmap_path(root, rel, &alone, &conditions, &rival, lfirst(cell));
}

double
HxTermTime(PlannerInfo *root, IndexOptInfo *index, int column,
		   const OpExpr *distance, double wanted, double recall,
		   double *passing, QualCost *heap)
{
	const RelOptInfo *rel = index->rel;
	const HxOrder order = {.distance = (OpExpr *) distance};
	HxCostQuery query = {.index = index, .recall = recall};
	Conditions conditions;
	Shares shares;

	find_conditions(root, index, column, &order, &conditions);
	find_shares(root, rel, &conditions, NULL, &shares);
	query.rows = Max(shares.enforced * Max(rel->tuples, 1), 1);
	query.wanted = Min(wanted, query.rows);
	query.passing = shares.enforced;
	query.near = conditions.near;
	query.end = conditions.end;
	query.masked = shares.enforced;
	query.group = conditions.group;
	query.masks = shares.masks;
	*passing = conditions.all / Max(shares.enforced, 1e-9);
	*heap = shares.heap;
	return HxEstimateCost(&query).search / HX_MICROSECOND;
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

/* data->order is known. */
void
HxAssignConditions(PlannerInfo *root, IndexOptInfo *index, int column,
				   List *clauses, const List *compiled,
				   const BitmapHeapScan *bitmap, HxPlanData *data)
{
	ListCell *cell;

	foreach (cell, clauses)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);
		HxDecider decider = HX_BY_HEAP;
		bool partial;
		Node *program;

		if (clause->pseudoconstant)
			continue;
		program =
			compile_again(index, clause, compiled, &data->values, &partial);
		if (program)
			data->programs = lappend(data->programs, program);
		else if ((program = (Node *) HxCompileLimit(root, index, column, clause,
													data->order, &data->values,
													&partial)) != NULL)
			data->limits = lappend(data->limits, program);
		else
		{
			program = HxCompileVectorClause(root, index, column, clause,
											&data->values, &partial);
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
	data.bitmap = bitmap != NULL && path->reserve == 0;
	data.reserve = path->reserve;
	data.few = path->few;
	data.share = path->share;
	data.order = copyObject(path->order.distance);
	data.nulls_first = path->order.nulls_first;
	data.nans_first = path->order.falls;
	data.measured = HxKindOfIndex(path->index)->refine;
	HxAssignConditions(root, path->index, path->column, clauses, path->compiled,
					   data.bitmap ? bitmap : NULL, &data);
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
