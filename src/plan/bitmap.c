/*
 * bitmap.c
 *	  Bitmaps from the table's other indexes, harvested as the planner makes
 *	  them.
 *
 * The planner's own list of paths has lost the bitmaps that a sequential or
 * an index scan beats, and to the node they may still be worth their price: it
 * pays no heap fetch for them.  So the matching is asked for once more, on a
 * copy of the relation that knows no index but those.
 */
#include "postgres.h"

#include "access/amapi.h"
#include "optimizer/cost.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"

#include "index/am/cost.h"
#include "plan/plan.h"

/* Indexes looked at one by one, beside all of them together */
#define MAX_SINGLE 8

/* The bitmap that the planner would make from some indexes; NULL if none. */
static Path *
harvest(PlannerInfo *root, const RelOptInfo *rel, List *indexes)
{
	RelOptInfo *copy = palloc(sizeof(RelOptInfo)); /* the paths point to it */
	Path *best = NULL;
	Selectivity least = 1;
	ListCell *cell;

	Assert(indexes != NIL);
	*copy = *rel;
	copy->indexlist = indexes;
	copy->pathlist = NIL;
	copy->partial_pathlist = NIL;
	copy->consider_parallel = false;
	copy->joininfo = NIL;
	copy->has_eclass_joins = false;
	create_index_paths(root, copy);
	foreach (cell, copy->pathlist)
	{
		Path *path = lfirst(cell);

		if (path->param_info)
			continue;
		if (IsA(path, BitmapHeapPath))
			return ((BitmapHeapPath *) path)->bitmapqual;
		if (IsA(path, IndexPath) && ((IndexPath *) path)->indexclauses &&
			((IndexPath *) path)->indexinfo->amhasgetbitmap &&
			((IndexPath *) path)->indexselectivity < least)
		{
			best = path;
			least = ((IndexPath *) path)->indexselectivity;
		}
	}
	return best;
}

/* Share of the rows that a bitmap lets pass. */
static Selectivity
bitmap_selectivity(Path *bitmap)
{
	Selectivity selectivity;
	Cost cost;

	cost_bitmap_tree_node(bitmap, &cost, &selectivity);
	return selectivity;
}

/* For sorting: the most selective bitmap first. */
static int
compare_bitmaps(const ListCell *a, const ListCell *b)
{
	Selectivity left = bitmap_selectivity(lfirst(a));
	Selectivity right = bitmap_selectivity(lfirst(b));

	return (left > right) - (left < right);
}

/*
 * Bitmaps that might serve as a mask: the planner's choice from all indexes,
 * each index by itself, and the two most selective of these together.  Costs
 * decide between them.
 */
List *
HxHarvestBitmaps(PlannerInfo *root, RelOptInfo *rel)
{
	List *others = NIL;
	List *singles = NIL;
	List *result = NIL;
	Path *all;
	ListCell *cell;

	if (!enable_bitmapscan || rel->baserestrictinfo == NIL)
		return NIL;
	foreach (cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst_node(IndexOptInfo, cell);

		if (index->amhasgetbitmap && !HxIsOwnIndex(index) &&
			!index->hypothetical)
			others = lappend(others, index);
	}
	if (others == NIL)
		return NIL;
	all = harvest(root, rel, others);
	if (all == NULL)
		return NIL;
	result = list_make1(all);
	if (list_length(others) == 1 || list_length(others) > MAX_SINGLE)
		return result;
	foreach (cell, others)
	{
		Path *single = harvest(root, rel, list_make1(lfirst(cell)));

		if (single)
			singles = lappend(singles, single);
	}
	list_sort(singles, compare_bitmaps);
	if (list_length(singles) > 1)
		result = lappend(
			result,
			create_bitmap_and_path(
				root, rel, list_make2(linitial(singles), lsecond(singles))));
	return list_concat(result, singles);
}
