/*
 * heap.h
 *	  Rows in a heap, the worst of them at its root.
 */
#ifndef HX_HEAP_H
#define HX_HEAP_H

#include "index/kept.h"

/* qsort comparator */
static inline int
HxCompareCandidates(const void *a, const void *b)
{
	if (HxPrecedes(a, b))
		return -1;
	return HxPrecedes(b, a) ? 1 : 0;
}

/* Put a row into the place of the worst. */
static inline void
HxHeapReplace(HxCandidate *heap, int count, HxCandidate row)
{
	int at = 0;

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

/* Add a row to a heap of so many, which has room. */
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

#endif /* HX_HEAP_H */
