/*
 * cost.h
 *	  What a search costs, for the planner of the scan node.
 */
#ifndef HX_COST_H
#define HX_COST_H

#include "nodes/pathnodes.h"

/* Cost of a search that visits that share, with so many masks a row */
extern Cost HxSearchCost(const IndexOptInfo *index, double share,
						 int conditions, bool repeated);

/*
 * Share of the rows that is in blocks of the values that some of the clauses
 * ask for, in an index with groups; 1 in others, or if none does.
 */
extern Selectivity HxGroupSelectivity(PlannerInfo *root,
									  const IndexOptInfo *index, List *clauses);

/* What is visited of so many rows, given that share, instead of `share` */
extern double HxGroupedShare(double share, double rows, Selectivity group);

/*
 * Share of the rows in blocks that "vector op ball" on a column leaves to be
 * visited; 1 if it is another condition, or its ball is not known
 */
extern double HxBallShare(PlannerInfo *root, const IndexOptInfo *index,
						  int column, const OpExpr *op);

/* Is the index one of sparse vectors? */
extern bool HxIsSparseIndex(const IndexOptInfo *index);

/* Cost of a search in sparse vectors for so many rows */
extern Cost HxSparseSearchCost(const IndexOptInfo *index, double wanted,
							   int conditions);

#endif /* HX_COST_H */
