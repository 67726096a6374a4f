/*
 * cost.h
 *	  What a search costs, for the planner of the scan node.
 */
#ifndef HX_COST_H
#define HX_COST_H

#include "index/kind.h"
#include "nodes/pathnodes.h"

/* Is it an index of this access method? */
extern bool HxIsOwnIndex(const IndexOptInfo *index);

/* The kind of an index's vectors; errors if it has none */
extern const HxKind *HxKindOfIndex(const IndexOptInfo *index);

/* What a search costs, by the kind of the index */
extern HxCost HxEstimateCost(const HxCostQuery *query);

/*
 * Share of the rows that is in blocks of the values that some of the clauses
 * ask for, in an index with groups; 1 in others, or if none does.
 */
extern Selectivity HxGroupSelectivity(PlannerInfo *root,
									  const IndexOptInfo *index, List *clauses);

/*
 * Share of the rows that pass those of the clauses that ask for one end of a column's
 * values, which zone maps can tell from the blocks that have none; 1: none does.  A
 * range with two ends is not such.
 */
extern Selectivity HxEndSelectivity(PlannerInfo *root,
									const IndexOptInfo *index, List *clauses);

/*
 * Share of the rows in blocks that "vector op ball" on a column leaves to be
 * visited; 1 if it is another condition, or its ball is not known
 */
extern double HxBallShare(PlannerInfo *root, const IndexOptInfo *index,
						  int column, const OpExpr *op);

/*
 * Of "vector @< bound" on a column of estimates: share of the rows that pass, and of
 * those that an exact search has to look at in the table.  False if they are not
 * known when planning.
 */
extern bool HxRowsNear(PlannerInfo *root, const IndexOptInfo *index, int column,
					   const OpExpr *op, double *passing, double *candidates);

#endif /* HX_COST_H */
