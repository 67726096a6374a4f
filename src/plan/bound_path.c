/*
 * bound_path.c
 *	  Index and bitmap scans by conditions on distances, and how many rows these
 *	  let pass.
 *
 * PostgreSQL matches conditions with indexes before any of our code is asked, and
 * has no hook for conditions that compare an expression.  So the matching is
 * asked for once more, with such conditions replaced by those on the vector that
 * they are.  In the paths that come of it each condition is put back, as the one
 * that an index condition was made from.
 *
 * The planner estimates such comparisons without looking at any row: a third of
 * the table.  The relation's rows, and those of its paths, are corrected.
 */
#include "postgres.h"

#include "access/amapi.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

#include "compat.h"
#include "index/am/cost.h"
#include "plan/plan.h"

/* A condition, and what it was replaced by */
typedef struct Replaced
{
	Expr *original;
	Expr *bound;
} Replaced;

/* What is replaced in a relation */
typedef struct Replacement
{
	IndexOptInfo *index; /* being matched */
	int column;			 /* its vector column */
	List *replaced;		 /* of Replaced */
	List *originals;	 /* restrictions that have such conditions ... */
	List *bounds;		 /* ... and what they are then */
} Replacement;

/* Is this an index of ours that a query may use? */
static bool
is_usable(const IndexOptInfo *index)
{
	return HxIsOwnIndex(index) && !index->hypothetical &&
		   (index->indpred == NIL || index->predOK);
}

/* Replace conditions on distances below AND and OR. */
static Expr *
replace(Replacement *replacement, Expr *clause)
{
	Expr *bound;

	if (is_andclause(clause) || is_orclause(clause))
	{
		BoolExpr *branch = (BoolExpr *) clause;
		List *args = NIL;
		bool changed = false;
		ListCell *cell;

		foreach (cell, branch->args)
		{
			Expr *arg = replace(replacement, lfirst(cell));

			changed |= arg != lfirst(cell);
			args = lappend(args, arg);
		}
		return changed ? makeBoolExpr(branch->boolop, args, branch->location)
					   : clause;
	}
	bound = HxMakeBoundClause(replacement->index, replacement->column, clause);
	if (bound)
	{
		Replaced *pair = palloc(sizeof(Replaced));

		pair->original = clause;
		pair->bound = bound;
		replacement->replaced = lappend(replacement->replaced, pair);
		return bound;
	}
	return clause;
}

/* The name of the distance that a condition bounds; NULL if it is none of ours */
static const char *
bounded_distance(const Replacement *replacement, const Expr *clause)
{
	ListCell *cell;

	foreach (cell, replacement->replaced)
	{
		const OpExpr *bound = (OpExpr *) ((Replaced *) lfirst(cell))->bound;
		const FuncExpr *call;

		if ((const Expr *) bound != clause)
			continue;
		call = lsecond_node(FuncExpr, bound->args);
		return TextDatumGetCString(
			linitial_node(Const, call->args)->constvalue);
	}
	return NULL;
}

/* Do conditions of an OR bound more than one distance? */
static bool
are_of_several(const Replacement *replacement, List *conditions)
{
	const char *first = NULL;
	ListCell *cell;

	foreach (cell, conditions)
	{
		const char *distance = bounded_distance(replacement, lfirst(cell));

		if (distance && first && strcmp(distance, first) != 0)
			return true;
		first = first ? first : distance;
	}
	return false;
}

/*
 * PostgreSQL 18 makes one condition, on one index, of those of an OR that have an
 * operator in common, and then tries no other way.  Bounds have one, whatever
 * distances they are of, and an index finds all rows for another distance than its
 * own.  So these stand below an AND each.
 */
static Expr *
keep_apart(const Replacement *replacement, Expr *clause)
{
	BoolExpr *branch = (BoolExpr *) clause;
	bool several;
	List *args = NIL;
	ListCell *cell;

	if (!is_andclause(clause) && !is_orclause(clause))
		return clause;
	several = is_orclause(clause) && are_of_several(replacement, branch->args);
	foreach (cell, branch->args)
	{
		Expr *arg = keep_apart(replacement, lfirst(cell));

		if (several && bounded_distance(replacement, arg))
			arg = makeBoolExpr(AND_EXPR, list_make1(arg), -1);
		args = lappend(args, arg);
	}
	return makeBoolExpr(branch->boolop, args, branch->location);
}

/* Replace in a restriction, for all indexes; the restriction if there is none. */
static RestrictInfo *
replace_restriction(PlannerInfo *root, Replacement *replacement,
					RestrictInfo *original)
{
	Expr *clause = original->clause;
	RestrictInfo *result;
	ListCell *cell;

	Assert(replacement->index);
	if (original->pseudoconstant)
		return original;
	foreach (cell, replacement->index->rel->indexlist)
	{
		replacement->index = lfirst_node(IndexOptInfo, cell);
		if (!is_usable(replacement->index))
			continue;
		replacement->column = HxFindVectorColumn(replacement->index);
		if (replacement->column >= 0)
			clause = replace(replacement, clause);
	}
	if (clause == original->clause)
		return original;
	clause = keep_apart(replacement, clause);
	result = make_simple_restrictinfo(root, clause);
	result->security_level = original->security_level;
	replacement->originals = lappend(replacement->originals, original);
	replacement->bounds = lappend(replacement->bounds, result);
	Assert(list_length(replacement->originals) ==
		   list_length(replacement->bounds));
	return result;
}

/* A list of restrictions with what has been replaced */
static List *
replaced_list(const Replacement *replacement, List *restrictions)
{
	List *result = NIL;
	ListCell *cell;

	foreach (cell, restrictions)
	{
		RestrictInfo *restriction = lfirst(cell);
		ListCell *original;
		ListCell *bound;

		forboth(original, replacement->originals, bound,
				replacement->bounds) if (lfirst(original) == lfirst(cell))
			restriction = lfirst(bound);
		result = lappend(result, restriction);
	}
	Assert(list_length(result) == list_length(restrictions));
	return result;
}

/* ---- putting back ---- */

/* The restriction that another was made from; itself if from none */
static RestrictInfo *
find_original(PlannerInfo *root, const Replacement *replacement,
			  RestrictInfo *restriction)
{
	ListCell *original;
	ListCell *bound;
	ListCell *cell;

	forboth(original, replacement->originals, bound,
			replacement->bounds) if (lfirst(bound) ==
									 restriction) return lfirst(original);
	/* one below an OR: a restriction of its own */
	foreach (cell, replacement->replaced)
	{
		Replaced *pair = lfirst(cell);
		RestrictInfo *result;

		if (pair->bound != restriction->clause)
			continue;
		result = make_simple_restrictinfo(root, pair->original);
		result->security_level = restriction->security_level;
		return result;
	}
	return restriction;
}

/* Put the conditions of a path's index conditions back. */
static void
put_back(PlannerInfo *root, const Replacement *replacement, Path *path)
{
	ListCell *cell;

	if (IsA(path, BitmapHeapPath))
		put_back(root, replacement, ((BitmapHeapPath *) path)->bitmapqual);
	else if (IsA(path, BitmapAndPath))
	{
		foreach (cell, ((BitmapAndPath *) path)->bitmapquals)
			put_back(root, replacement, lfirst(cell));
	}
	else if (IsA(path, BitmapOrPath))
	{
		foreach (cell, ((BitmapOrPath *) path)->bitmapquals)
			put_back(root, replacement, lfirst(cell));
	}
	else if (IsA(path, IndexPath))
	{
		foreach (cell, ((IndexPath *) path)->indexclauses)
		{
			IndexClause *clause = lfirst_node(IndexClause, cell);

			clause->rinfo = find_original(root, replacement, clause->rinfo);
		}
	}
}

/* ---- rows ---- */

/* Multiply the rows of paths. */
static void
scale_rows(List *paths, double factor)
{
	ListCell *cell;

	foreach (cell, paths)
	{
		Path *path = lfirst(cell);

		path->rows = clamp_row_est(path->rows * factor);
	}
}

/*
 * Is this a lower bound, which the planner pairs with an upper one?  It then adds
 * a share for NULLs, of which it knows nothing: DEFAULT_UNK_SEL.
 */
static bool
is_paired(const Expr *clause)
{
	const OpExpr *op = (const OpExpr *) clause;
	Oid opno;

	if (!is_opclause(clause) || list_length(op->args) != 2)
		return false;
	opno = contain_var_clause(linitial(op->args)) ? op->opno
												  : get_commutator(op->opno);
	return OidIsValid(opno) && (get_oprrest(opno) == F_SCALARGTSEL ||
								get_oprrest(opno) == F_SCALARGESEL);
}

/*
 * Share of the rows that pass what a restriction was replaced by.  An index of
 * estimates tells more than statistics do, which wide vectors have none of.
 */
static Selectivity
share_of(PlannerInfo *root, const RelOptInfo *rel, RestrictInfo *original,
		 RestrictInfo *bound)
{
	ListCell *cell;
	double passing;
	double candidates;

	foreach (cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst_node(IndexOptInfo, cell);
		int column = is_usable(index) ? HxFindVectorColumn(index) : -1;
		Expr *clause = NULL;

		if (column >= 0 && HxKindOfIndex(index)->rows_near)
			clause = HxMakeBoundClause(index, column, original->clause);
		if (clause && HxRowsNear(root, index, column, (OpExpr *) clause,
								 &passing, &candidates))
		{
			bound->norm_selec = bound->outer_selec = passing;
			return passing;
		}
	}
	return clause_selectivity(root, (Node *) bound, 0, JOIN_INNER, NULL);
}

/*
 * Estimate the conditions that were replaced by what they were replaced by; the
 * planner keeps a restriction's selectivity with it.
 */
static void
correct_rows(PlannerInfo *root, RelOptInfo *rel, const Replacement *replacement)
{
	double rows = rel->rows;
	ListCell *original;
	ListCell *bound;
	ListCell *cell;
	double factor;

	Assert(rows > 0);
	forboth(original, replacement->originals, bound, replacement->bounds)
	{
		RestrictInfo *restriction = lfirst(original);

		restriction->norm_selec =
			share_of(root, rel, restriction, lfirst(bound));
		if (is_paired(restriction->clause))
			restriction->norm_selec =
				Max(restriction->norm_selec - DEFAULT_UNK_SEL, 0);
		restriction->outer_selec = restriction->norm_selec;
	}
	rel->rows = clamp_row_est(
		rel->tuples * clauselist_selectivity(root, rel->baserestrictinfo, 0,
											 JOIN_INNER, NULL));
	factor = rel->rows / rows;
	scale_rows(rel->pathlist, factor);
	scale_rows(rel->partial_pathlist, factor);
	foreach (cell, rel->ppilist)
	{
		ParamPathInfo *info = lfirst(cell);

		info->ppi_rows = clamp_row_est(info->ppi_rows * factor);
	}
}

/* ---- paths ---- */

/*
 * The restrictions of an index with what has been replaced.  Where distances are
 * estimates, only conditions on those of the index's own operator: of another's it
 * would find all rows.
 */
static List *
restrictions_for(const Replacement *replacement, IndexOptInfo *index)
{
	List *replaced = replaced_list(replacement, index->indrestrictinfo);
	List *result = NIL;
	int column = HxFindVectorColumn(index);
	ListCell *original;
	ListCell *bound;

	if (column < 0 || !HxKindOfIndex(index)->refine)
		return replaced;
	forboth(original, index->indrestrictinfo, bound, replaced)
	{
		RestrictInfo *restriction = lfirst_node(RestrictInfo, original);
		bool fits = lfirst(original) != lfirst(bound) &&
					HxMakeBoundClause(index, column, restriction->clause);

		result = lappend(result, fits ? lfirst(bound) : restriction);
	}
	return result;
}

/* Have the planner make its index paths, with what has been replaced. */
static void
make_paths(PlannerInfo *root, RelOptInfo *rel, const Replacement *replacement)
{
	List *base = rel->baserestrictinfo;
	List *saved = NIL;
	ListCell *cell;
	ListCell *list;

	rel->baserestrictinfo = replaced_list(replacement, base);
	foreach (cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst_node(IndexOptInfo, cell);

		saved = lappend(saved, index->indrestrictinfo);
		if (is_usable(index))
			index->indrestrictinfo = restrictions_for(replacement, index);
	}
	Assert(list_length(saved) == list_length(rel->indexlist));
	create_index_paths(root, rel);
	rel->baserestrictinfo = base;
	forboth(cell, rel->indexlist, list, saved) lfirst_node(IndexOptInfo, cell)
		->indrestrictinfo = lfirst(list);
	foreach (cell, rel->pathlist)
		put_back(root, replacement, lfirst(cell));
	foreach (cell, rel->partial_pathlist)
		put_back(root, replacement, lfirst(cell));
}

/*
 * Add index paths for a relation's conditions on distances, and correct its
 * rows.  Before the paths of the scan node.
 */
void
HxAddBoundPaths(PlannerInfo *root, RelOptInfo *rel)
{
	Replacement replacement = {NULL};
	ListCell *cell;

	foreach (cell, rel->indexlist)
		if (is_usable(lfirst_node(IndexOptInfo, cell)))
			replacement.index = lfirst_node(IndexOptInfo, cell);
	if (!replacement.index)
		return;
	foreach (cell, rel->baserestrictinfo)
		(void) replace_restriction(root, &replacement,
								   lfirst_node(RestrictInfo, cell));
	if (replacement.originals == NIL)
		return;
	correct_rows(root, rel, &replacement);
	make_paths(root, rel, &replacement);
}
