/*
 * visited.h
 *	  How many rows a search visits, as measured.
 */
#ifndef HX_VISITED_H
#define HX_VISITED_H

#include "utils/rel.h"

/*
 * What searches of an index visit, by its table of expected misses: HX_VISIT_SHARES
 * shares of the rows, of which the first is 0 if it does not know.  They are kept with
 * the index's description; no page may be locked.
 */
extern const float *HxVisitsOf(Relation index);

/*
 * Share of all rows that a search for `wanted` rows visits, of which a share
 * of `selectivity` passes, at a target of recall.  `visits` is what the index knows.
 */
extern double HxVisitedShare(const float *visits, double rows, double wanted,
							 double selectivity, double recall);

#endif /* HX_VISITED_H */
