/*
 * cost.h
 *	  What a search costs, for the planner of the scan node.
 */
#ifndef HX_COST_H
#define HX_COST_H

#include "nodes/pathnodes.h"

/*
 * Share of all rows that a search for `wanted` rows visits, of which a share
 * of `selectivity` passes, at a target of recall.
 */
extern double HxVisitedShare(double rows, double wanted, double selectivity,
							 double recall);

/* Cost of a search that visits that share, with so many masks a row */
extern Cost HxSearchCost(const IndexOptInfo *index, double share,
						 int conditions, bool repeated);

/* Is the index one of sparse vectors? */
extern bool HxIsSparseIndex(const IndexOptInfo *index);

/* Cost of a search in sparse vectors for so many rows */
extern Cost HxSparseSearchCost(const IndexOptInfo *index, double wanted,
							   int conditions);

#endif /* HX_COST_H */
