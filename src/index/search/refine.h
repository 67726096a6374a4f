/*
 * refine.h
 *	  Searches by estimates: what refine.c and chances.c share.
 */
#ifndef HX_REFINE_H
#define HX_REFINE_H

#include "index/search/errors.h"
#include "index/search/state.h"

/* Candidates of one estimate that were looked at last, one after the other */
typedef struct HxCopies
{
	double estimate;
	uint16 deviation;
	double distance; /* exact, of all of them */
	int count;
} HxCopies;

/* A search by estimates, while it looks at candidates */
typedef struct HxRefining
{
	HxSearch *search;
	HxBest exact; /* rows that passed, by exact distances; released: no page */
	int64 wanted; /* of these */
	int64 looked; /* candidates looked at, or passed over, in this phase */
	int64 again;  /* the rest is asked about when they are so many */
	double skipped; /* misses expected among those passed over */
	double beyond;	/* the least distance seen that is beyond the limits */
	double settled; /* distance that blocks are settled for; NaN: none ... */
	int64 nsettled; /* ... with so many rows up to it ... */
	uint64 begun;	/* ... since the search began anew this many times */

	HxCopies copies;
	HxErrors errors;

	/* Between one group and the next, where a search finds few first */
	HxBest candidates;		  /* not looked at: the search's own best rows */
	HxBest released;		  /* rows of the group */
	HxCandidate *passed_over; /* that the next group may want */
	int64 npassed_over;
	int64 passed_over_room;
} HxRefining;

/* Take note of the exact distance of a candidate, for its copies. */
extern void HxNoteCopy(HxCopies *copies, const HxCandidate *row,
					   double distance);

/* Probability that the exact distance of a candidate is below a distance */
extern double HxChanceOf(const HxRefining *refining, const HxCandidate *row,
						 double distance);

/*
 * Rows nearer than a distance that are expected among the candidates from place
 * `at` on, if they are not looked at; no farther than `enough`.  *all: no others
 * that were not kept can matter.
 */
extern double HxCandidateMisses(HxRefining *refining, int64 at, double distance,
								double enough, bool *all);

#endif /* HX_REFINE_H */
