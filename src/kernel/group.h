/*
 * group.h
 *	  Rows that are scored at a time, so that one tree of additions sums the lanes
 *	  of all.
 *
 * The includer defines HX_GROUP, how many, before.
 */
#ifndef HX_KERNEL_GROUP_H
#define HX_KERNEL_GROUP_H

#include "kernel/level.h"

/* HX_GROUP rows; a short last group repeats its last row */
typedef struct HxGroup
{
	const uint8_t *row[HX_GROUP]; /* first bytes */
	size_t count;				  /* rows that are not repeated */
} HxGroup;

/* The group of rows that begins with row `start`. */
HX_INLINE HxGroup
group_at(HxCodes codes, size_t start)
{
	HxGroup group;
	size_t left = codes.count - start;

	group.count = left < HX_GROUP ? left : HX_GROUP;
	HX_UNROLL
	for (size_t c = 0; c < HX_GROUP; c++)
		group.row[c] =
			codes.base +
			(start + (c < group.count ? c : group.count - 1)) * codes.stride;
	return group;
}

#endif /* HX_KERNEL_GROUP_H */
