/*
 * sum_path.c
 *	  Paths of the node for sums: what they cost, and their plans.
 *
 * See README, "Sums of distances".
 */
#include "postgres.h"

#include <math.h>

#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"

#include "compat.h"
#include "settings.h"
#include "index/cost_units.h"
#include "index/am/cost.h"
#include "plan/sum.h"

/* Searches begun for one that is used up: some are asked again, for more */
#define SEARCHES 1.2

/*
 * Part of a search's time that rows beyond those wanted may take, and how many they
 * are
 */
#define MORE_PART 0.5
#define LEAST_MORE 20
#define MOST_MORE 50

/* Rows that a scan that wants all is thought to be asked for before it sweeps */
#define FIRST_ROWS 10

static const CustomPathMethods path_methods;

/*
 * Rows that a search is asked for beyond those wanted at first, where so many more
 * take it from one time to another: what it takes for them is to be less than to
 * begin again.
 */
static int
rows_more(double least, double most, double rows)
{
	double row = Max(most - least, 1e-9) / Max(rows, 1);

	return (int) Min(Max(MORE_PART * least / row, LEAST_MORE), MOST_MORE);
}

/*
 * Microseconds until so many rows are found by searches.  Sets what these take, and
 * what completing a row does.
 */
static double
search_time(PlannerInfo *root, HxSumPath *path, double wanted, double distance)
{
	const HxSum *sum = &path->sum;
	const RelOptInfo *rel = path->base.path.path.parent;
	double recall = path->base.wanted == HX_WANTED_ALL ? 1 : hx_recall;
	double depth = HxExpectedDepth(Max(rel->rows, 1), wanted, sum->nterms);
	double time = 0;

	for (int t = 0; t < sum->nterms; t++)
	{
		const HxSumTerm *term = &sum->terms[t];
		double passing;
		QualCost heap;
		double least =
			HxTermTime(root, term->index, term->column, term->distance, wanted,
					   recall, &passing, &heap);
		double search =
			HxTermTime(root, term->index, term->column, term->distance,
					   depth + 1, recall, &passing, &heap);
		double row = HX_CHECK_TIME + HxOperatorTime(heap.per_tuple);

		path->search_times[t] = search;
		path->row_time = row + distance;
		path->more[t] = rows_more(least, search, depth + 1 - wanted);
		path->further[t] = path->row_time +
						   Max(search - least, 0) / Max(depth + 1 - wanted, 1);
		time += SEARCHES * search + HxOperatorTime(heap.startup) +
				depth / Max(passing, 1e-9) * row + depth * distance;
	}
	return time;
}

/* Microseconds of reading the table and sorting it by the sum */
static double
sweep_time(const RelOptInfo *rel, double distance)
{
	return rel->pages * HX_SEQ_PAGE_TIME +
		   Max(rel->tuples, 1) *
			   (HX_SEQ_ROW_TIME +
				HxOperatorTime(rel->baserestrictcost.per_tuple)) +
		   Max(rel->rows, 1) * (distance + HX_SORT_ROW_TIME);
}

/*
 * Fill in a path's costs: what it takes, at the rate that the planner charges for
 * the best way without the node.  Where searches would take longer than reading the
 * table, they end in that.
 */
static void
set_costs(PlannerInfo *root, HxSumPath *path)
{
	Path *base = &path->base.path.path;
	const RelOptInfo *rel = base->parent;
	const PathTarget *target = base->pathtarget;
	const HxOrder order = {.distance = (OpExpr *) path->sum.expr};
	bool all = path->base.wanted == HX_WANTED_ALL;
	double wanted = HxEstimateWanted(&path->base, root);
	HxRival rival;
	double sweep;
	double first;
	double rest;

	HxFindRival(root, rel, &order, wanted, &rival);
	sweep = sweep_time(rel, rival.distance);
	first = search_time(root, path, Max(all ? FIRST_ROWS : wanted, 1),
						rival.distance);
	first = Min(first, 1.5 * sweep);
	rest = HxIsNumberKnown(path->base.wanted) ? 0 : sweep;
	base->rows = rel->rows;
	base->startup_cost = first * rival.rate + target->cost.startup;
	base->total_cost = base->startup_cost +
					   (base->rows * HX_EMIT_TIME + rest) * rival.rate +
					   base->rows * target->cost.per_tuple;
}

void
HxAddSumPath(PlannerInfo *root, RelOptInfo *rel, const HxSum *sum)
{
	HxSumPath *path = palloc0(sizeof(HxSumPath));
	CustomPath *custom = &path->base.path;
	const HxOrder order = {.distance = (OpExpr *) sum->expr};

	Assert(sum->nterms > 0 && sum->nterms <= HX_MOST_TERMS);
	custom->path.type = T_CustomPath;
	custom->path.pathtype = T_CustomScan;
	custom->path.parent = rel;
	custom->path.pathtarget = rel->reltarget;
	custom->path.pathkeys = list_make1(linitial(root->query_pathkeys));
	custom->flags = HX_CUSTOM_PATH_FLAGS;
	custom->methods = &path_methods;
	path->sum = *sum;
	path->base.index = sum->terms[0].index;
	path->base.column = sum->terms[0].column;
	path->base.wanted =
		HxFindWanted(root, rel, true, &order, &path->base.limit);
	set_costs(root, path);
	add_path(rel, &custom->path);
}

/* ---- from path to plan ---- */

/* What a search by a term's distance is told */
static void
plan_term(PlannerInfo *root, const HxSumPath *path, int number, List *clauses,
		  HxPlanData *data)
{
	const HxSumTerm *term = &path->sum.terms[number];

	memset(data, 0, sizeof(*data));
	data->index = term->index->indexoid;
	data->column = term->column + 1;
	data->wanted = path->base.wanted;
	data->share = 1;
	data->reserve = path->search_times[number];
	data->few = path->row_time;
	data->order = copyObject(term->distance);
	data->measured = HxKindOfIndex(term->index)->refine;
	HxAssignConditions(root, term->index, term->column, clauses, NIL, NULL,
					   data);
}

/* PlanCustomPath */
static Plan *
plan_path(PlannerInfo *root, RelOptInfo *rel, CustomPath *best, List *targets,
		  List *clauses, List *plans)
{
	HxSumPath *path = (HxSumPath *) best;
	const HxSum *sum = &path->sum;
	CustomScan *scan = makeNode(CustomScan);
	HxSumData data = {.nterms = sum->nterms};
	HxPlanData *first = &data.terms[0];

	Assert(plans == NIL);
	for (int t = 0; t < sum->nterms; t++)
	{
		plan_term(root, path, t, clauses, &data.terms[t]);
		data.written = lappend(data.written, copyObject(sum->terms[t].written));
	}
	data.expr = copyObject(sum->expr);
	data.weights = copyObject(sum->weights);
	data.starts = sum->starts;
	data.ends = sum->ends;
	data.divides = sum->divides;
	for (int t = 0; t < sum->nterms; t++)
	{
		data.more = lappend_int(data.more, path->more[t]);
		data.further =
			lappend_int(data.further, (int) Min(path->further[t] * 1000, 1e9));
	}
	if (HxIsNumberKnown(first->wanted))
	{
		const Query *level = path->base.limit->parse;

		first->limit_count = copyObject((Expr *) level->limitCount);
		first->limit_offset = copyObject((Expr *) level->limitOffset);
		first->ends = HxLimitEnds(&path->base, root);
	}
	HxPackSum(&data, scan);
	scan->scan.plan.targetlist = targets;
	scan->scan.scanrelid = rel->relid;
	scan->flags = best->flags;
	scan->methods = &hx_sum_scan_methods;
	return &scan->scan.plan;
}

static const CustomPathMethods path_methods = {.CustomName = "hashemb sum",
											   .PlanCustomPath = plan_path};
