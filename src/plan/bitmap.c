/*
 * bitmap.c
 *	  Bitmaps from the table's other indexes that might serve a search as a mask.
 *
 * The planner has made bitmaps already, of which its list of paths still has
 * those that may be fast.  What a sequential scan beats is gone from it, and to
 * the node it may still be worth its price, since it pays no heap fetch for each
 * TID: so where nothing is found matching is asked for once more, on a copy of
 * the relation that knows no index but others, and no condition but those that
 * the mask does not decide.
 */
#include "postgres.h"

#include "access/amapi.h"
#include "optimizer/cost.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"

#include "index/am/cost.h"
#include "plan/plan.h"

/* Is this an index that may make bitmaps, and not one of ours? */
static bool
is_other(const IndexOptInfo *index)
{
	return index->amhasgetbitmap && !HxIsOwnIndex(index) &&
		   !index->hypothetical;
}

/*
 * Does a tree of index scans decide some of the conditions?  Not if one of ours is
 * in it.
 */
static bool
is_useful(const Path *bitmap, const List *left, bool *foreign)
{
	List *members = NIL;
	bool useful = false;
	ListCell *cell;

	if (IsA(bitmap, IndexPath))
	{
		*foreign &= is_other(((const IndexPath *) bitmap)->indexinfo);
		foreach (cell, ((const IndexPath *) bitmap)->indexclauses)
			useful |=
				list_member_ptr(left, lfirst_node(IndexClause, cell)->rinfo);
		return useful;
	}
	if (IsA(bitmap, BitmapAndPath))
		members = ((const BitmapAndPath *) bitmap)->bitmapquals;
	else if (IsA(bitmap, BitmapOrPath))
	{
		members = ((const BitmapOrPath *) bitmap)->bitmapquals;
		foreach (cell, left)
			useful |= restriction_is_or_clause(lfirst_node(RestrictInfo, cell));
	}
	foreach (cell, members)
	{
		bool member = is_useful(lfirst(cell), left, foreign);

		useful |= member && IsA(bitmap, BitmapAndPath);
	}
	return useful;
}

/* Add a bitmap to a list, and what it is an AND of, if these are of use. */
static List *
add_bitmap(List *bitmaps, Path *bitmap, const List *left)
{
	bool foreign = true;
	ListCell *cell;

	if (is_useful(bitmap, left, &foreign) && foreign)
		bitmaps = list_append_unique_ptr(bitmaps, bitmap);
	if (IsA(bitmap, BitmapAndPath))
		foreach (cell, ((BitmapAndPath *) bitmap)->bitmapquals)
			bitmaps = add_bitmap(bitmaps, lfirst(cell), left);
	return bitmaps;
}

/* The bitmaps of use that a list of paths has. */
static List *
bitmaps_of(const List *paths, const List *left)
{
	List *bitmaps = NIL;
	ListCell *cell;

	foreach (cell, paths)
	{
		Path *path = lfirst(cell);

		if (path->param_info)
			continue;
		if (IsA(path, BitmapHeapPath))
			bitmaps = add_bitmap(bitmaps, ((BitmapHeapPath *) path)->bitmapqual,
								 left);
		else if (IsA(path, IndexPath) &&
				 ((IndexPath *) path)->indexinfo->amhasgetbitmap &&
				 ((IndexPath *) path)->indexorderbys == NIL)
			bitmaps = add_bitmap(bitmaps, path, left);
	}
	return bitmaps;
}

/* Other indexes, with none but some conditions to match. */
static List *
other_indexes(const RelOptInfo *rel, const List *left)
{
	List *others = NIL;
	ListCell *cell;

	foreach (cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst_node(IndexOptInfo, cell);
		IndexOptInfo *other;

		if (!is_other(index))
			continue;
		other = palloc(sizeof(IndexOptInfo)); /* paths point to it */
		*other = *index;
		other->indrestrictinfo = list_difference_ptr(
			left, list_difference_ptr(left, index->indrestrictinfo));
		if (other->indrestrictinfo != NIL)
			others = lappend(others, other);
	}
	return others;
}

/* Have the planner match other indexes with some conditions. */
static List *
match_again(PlannerInfo *root, const RelOptInfo *rel, List *left)
{
	RelOptInfo *copy;
	List *others = other_indexes(rel, left);

	if (others == NIL)
		return NIL;
	copy = palloc(sizeof(RelOptInfo)); /* paths point to it */
	*copy = *rel;
	copy->indexlist = others;
	copy->baserestrictinfo = left;
	copy->pathlist = NIL;
	copy->partial_pathlist = NIL;
	copy->consider_parallel = false;
	copy->joininfo = NIL;
	copy->has_eclass_joins = false;
	create_index_paths(root, copy);
	return bitmaps_of(copy->pathlist, left);
}

/* Those that the planner has found already */
List *
HxKnownBitmaps(const RelOptInfo *rel, const List *left)
{
	return bitmaps_of(rel->pathlist, left);
}

/*
 * Bitmaps that decide some of the conditions that are left.  Costs decide between
 * them.
 */
List *
HxFindBitmaps(PlannerInfo *root, const RelOptInfo *rel, List *left)
{
	List *bitmaps = bitmaps_of(rel->pathlist, left);

	Assert(left != NIL);
	return bitmaps != NIL ? bitmaps : match_again(root, rel, left);
}
