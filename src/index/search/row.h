/*
 * row.h
 *	  Rows found, by (distance, TID): in a sorted array, or in a heap with the
 *	  worst of them at its root.
 */
#ifndef HX_ROW_H
#define HX_ROW_H

#include <math.h>

#include "utils/float.h"

#include "index/search/search.h"

/* A distance as rows are ordered by it: NaN comes behind all numbers. */
static inline double
HxOrderedDistance(double distance)
{
	return isnan(distance) ? get_float8_infinity() : distance;
}

/* Does a row come before another? */
static inline bool
HxPrecedes(const HxCandidate *a, const HxCandidate *b)
{
	return a->distance < b->distance ||
		   (a->distance == b->distance && a->tid < b->tid);
}

/* The deviation of a candidate's estimate is kept to 8 bits, rounded up. */
static inline void
HxSetDeviation(HxCandidate *row, double deviation)
{
	row->deviation = HxShorten((float) deviation);
}

static inline double
HxDeviation(const HxCandidate *row)
{
	return HxLengthen(row->deviation);
}

/* qsort comparator */
static inline int
HxCompareCandidates(const void *a, const void *b)
{
	if (HxPrecedes(a, b))
		return -1;
	return HxPrecedes(b, a) ? 1 : 0;
}

#endif /* HX_ROW_H */
