/*
 * errors.h
 *	  How far estimates are off, as a search has seen it so far.
 */
#ifndef HX_ERRORS_H
#define HX_ERRORS_H

#include "index/search/search.h"

/* Errors of estimates, in their deviations */
typedef struct HxErrors
{
	bool of_all;   /* of a kind that visits all */
	double beyond; /* how far the target is above .95, to 1 at .99 */

	double noted; /* errors seen */

	/* Seen last: how many, their sum, and that of their squares */
	double weight;
	double sum;
	double squares;

	/* Expected of candidates that follow */
	double mean;
	double spread;

	/* Of kinds that visit all: how many were below the mean, and how far, squared */
	double seen;
	double apart;

	/* Likewise: how the mean changes with the estimate, from some estimate on */
	double place;	/* sum of the estimates seen last */
	double line[5]; /* sums: 1, estimate, error, estimate^2, both's product */
	double drift;
	double drift_from;
} HxErrors;

/* None was seen. */
extern void HxBeginErrors(HxErrors *errors, const HxSearch *search);

/* Take note of a candidate's exact distance: how far its estimate was off. */
extern void HxNoteError(HxErrors *errors, const HxCandidate *row,
						double distance);

/* Set mean and spread, which the candidates that follow are expected to have. */
extern void HxExpectErrors(HxErrors *errors);

/* Probability that an exact distance is below a distance; the deviation is not 0 */
extern double HxChanceBelow(const HxErrors *errors, double estimate,
							double deviation, double distance);

#endif /* HX_ERRORS_H */
