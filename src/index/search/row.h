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

/* qsort comparator */
static inline int
HxCompareCandidates(const void *a, const void *b)
{
	if (HxPrecedes(a, b))
		return -1;
	return HxPrecedes(b, a) ? 1 : 0;
}

/*
 * Insert a row into a sorted array of *count rows, unless it is there, behind
 * the first `from` ones; with `room` rows the last is dropped.
 */
static inline void
HxInsertSorted(HxCandidate *rows, int from, int *count, int room,
			   const HxCandidate *row)
{
	int low = from;
	int high = *count;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (HxPrecedes(&rows[middle], row))
			low = middle + 1;
		else
			high = middle;
	}
	if (low < *count && rows[low].tid == row->tid &&
		rows[low].distance == row->distance)
		return;
	if (*count < room)
		(*count)++;
	memmove(&rows[low + 1], &rows[low],
			(*count - 1 - low) * sizeof(HxCandidate));
	rows[low] = *row;
}

/* Sift a row down from a place in the heap. */
static inline void
HxSiftDown(HxCandidate *heap, int count, int at, HxCandidate row)
{
	for (;;)
	{
		int child = 2 * at + 1;

		if (child >= count)
			break;
		if (child + 1 < count && HxPrecedes(&heap[child], &heap[child + 1]))
			child++;
		if (!HxPrecedes(&row, &heap[child]))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = row;
}

/* Add a row to a heap of this many, which has room. */
static inline void
HxHeapAdd(HxCandidate *heap, int count, HxCandidate row)
{
	int at = count;

	while (at > 0 && HxPrecedes(&heap[(at - 1) / 2], &row))
	{
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = row;
}

#endif /* HX_ROW_H */
