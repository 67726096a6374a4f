/*
 * visited.h
 *	  How many rows a search visits, as measured.
 */
#ifndef HX_VISITED_H
#define HX_VISITED_H

/*
 * Share of all rows that a search for `wanted` rows visits, of which a share
 * of `selectivity` passes, at a target of recall.
 */
extern double HxVisitedShare(double rows, double wanted, double selectivity,
							 double recall);

#endif /* HX_VISITED_H */
