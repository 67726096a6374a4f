/*
 * rival.c
 *	  The best way to answer a query that the planner has found without the node:
 *	  what it is charged, and what it takes.
 *
 * See README, "Costs".  The paths are those that the planner made already;
 * nothing is matched or estimated again.
 */
#include "postgres.h"

#include <math.h>

#include "access/detoast.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "index/am/cost.h"
#include "index/cost_units.h"
#include "plan/plan.h"

/* Is this a scan of one of our indexes? */
static bool
is_ours(const Path *path)
{
	return IsA(path, IndexPath) &&
		   HxIsOwnIndex(((const IndexPath *) path)->indexinfo);
}

/* Microseconds for the bitmap of a tree of index scans */
double
HxBitmapTime(const Path *bitmap)
{
	double time = 0;
	ListCell *cell;

	if (IsA(bitmap, BitmapAndPath))
		foreach (cell, ((const BitmapAndPath *) bitmap)->bitmapquals)
			time += HxBitmapTime(lfirst(cell));
	else if (IsA(bitmap, BitmapOrPath))
		foreach (cell, ((const BitmapOrPath *) bitmap)->bitmapquals)
			time += HxBitmapTime(lfirst(cell));
	else if (is_ours(bitmap))
		time = ((const IndexPath *) bitmap)->indextotalcost / HX_MICROSECOND;
	else if (IsA(bitmap, IndexPath))
	{
		const IndexPath *index = (const IndexPath *) bitmap;

		time = index->indexselectivity * bitmap->parent->tuples * HX_TID_TIME;
		/* it may read more than what passes, as for all of some elements */
		if (!index->indexinfo->amhasgettuple)
			time = Max(time, index->indextotalcost * HX_GIN_UNIT_TIME);
		time += HX_BITMAP_TIME;
	}
	return time;
}

/* Microseconds for fetching this many rows, which are anywhere in the table */
static double
fetch_time(const RelOptInfo *rel, double rows)
{
	double pages = Max(rel->pages, 1);

	return pages * (1 - exp(-rows / pages)) * HX_HEAP_PAGE_TIME +
		   rows * HX_HEAP_ROW_TIME;
}

/*
 * Microseconds that a scan takes, distances and sort not included; negative if it
 * is none that is known.
 */
static double
scan_time(const RelOptInfo *rel, const Path *path)
{
	double rows = Max(rel->tuples, 1);

	switch (path->pathtype)
	{
		case T_SeqScan:
			return HX_PLAN_TIME + rel->pages * HX_SEQ_PAGE_TIME +
				   rows * (HX_SEQ_ROW_TIME +
						   HxOperatorTime(rel->baserestrictcost.per_tuple));
		case T_BitmapHeapScan:
		{
			Path *bitmap = ((const BitmapHeapPath *) path)->bitmapqual;
			Selectivity share;
			Cost cost;

			cost_bitmap_tree_node(bitmap, &cost, &share);
			return HX_PLAN_TIME + HxBitmapTime(bitmap) +
				   fetch_time(rel, rows * share);
		}
		case T_IndexScan:
		case T_IndexOnlyScan:
			if (is_ours(path) || ((const IndexPath *) path)->indexorderbys)
				return -1;
			rows *= ((const IndexPath *) path)->indexselectivity;
			return HX_PLAN_TIME + rows * HX_TID_TIME + fetch_time(rel, rows);
		default:
			return -1;
	}
}

/*
 * Microseconds for the distance that a query orders by, of one row.  Lists of vectors
 * take what is charged, and vectors out of line what reading them takes besides.
 */
static double
distance_time(const RelOptInfo *rel, const HxOrder *order, Cost cost)
{
	const Var *vector = linitial(order->distance->args);
	int width = 0;

	if (IsA(vector, Var) && bms_is_member(vector->varno, rel->relids) &&
		vector->varattno >= rel->min_attr && vector->varattno <= rel->max_attr)
		width = rel->attr_widths[vector->varattno - rel->min_attr];
	if (width == TOAST_POINTER_SIZE)
		return HX_OUTSIDE_TIME + HxOperatorTime(cost);
	if (width <= 0 || OidIsValid(get_element_type(exprType((Node *) vector))))
		return HxOperatorTime(cost);
	return Min(HxOperatorTime(cost),
			   HX_DISTANCE_TIME + width * HX_DISTANCE_BYTE_TIME);
}

/* What the planner will charge for sorting rows for the first so many */
static Cost
sort_cost(double rows, double wanted)
{
	rows = Max(rows, 2);
	if (wanted <= 0 || wanted > rows)
		wanted = rows;
	return 2 * cpu_operator_cost * rows * log2(Max(2 * wanted, 2)) +
		   cpu_operator_cost * wanted;
}

void
HxFindRival(PlannerInfo *root, const RelOptInfo *rel, const HxOrder *order,
			double wanted, HxRival *rival)
{
	const Path *best = NULL;
	QualCost distance;
	ListCell *cell;

	foreach (cell, rel->pathlist)
	{
		const Path *path = lfirst(cell);

		if (!path->param_info && !HX_IS_DISABLED(path) &&
			(!best || path->total_cost < best->total_cost) &&
			scan_time(rel, path) >= 0)
			best = path;
	}
	cost_qual_eval_node(&distance, (Node *) order->distance, root);
	rival->distance = distance_time(rel, order, distance.per_tuple);
	rival->path = best;
	rival->time = INFINITY;
	rival->rate = HX_MICROSECOND;
	if (!best)
		return;
	rival->time =
		scan_time(rel, best) + rel->rows * (rival->distance + HX_SORT_ROW_TIME);
	rival->rate = (best->total_cost + rel->rows * distance.per_tuple +
				   sort_cost(rel->rows, wanted)) /
				  rival->time;
	Assert(rival->time > 0 && rival->rate > 0);
}
