/*
 * mean.c
 *	  Means of binary codes, rounded to a code: with one bit a dimension, the
 *	  majority of the bits (k-majority, Grana et al. 2013); with several, the
 *	  mean level.
 */
#include "postgres.h"

#include "index/code/code.h"
#include "type/bincode.h"

/* Bytes of the sums: one for each dimension, and for those a byte is padded by */
Size
HxCodeSumSize(const HxIndexDesc *desc)
{
	return HX_PLANE_BYTES(desc->dims) * 8 * sizeof(uint32);
}

/* Add the levels of a payload to a sum per dimension. */
void
HxAddCode(const HxIndexDesc *desc, const uint8 *payload, void *sum)
{
	uint32 *sums = sum;
	Size bytes = HX_PLANE_BYTES(desc->dims);

	for (int plane = 0; plane < desc->planes; plane++)
	{
		int shift = desc->planes - 1 - plane;

		for (Size b = 0; b < bytes; b++)
		{
			uint32 byte = payload[plane * bytes + b];

			for (int bit = 0; bit < 8; bit++)
				sums[b * 8 + bit] += ((byte >> (7 - bit)) & 1) << shift;
		}
	}
}

/* Write the code of the mean levels; ties of one-bit codes give 0. */
void
HxMeanCode(const HxIndexDesc *desc, const void *sum, int rows, uint8 *centroid)
{
	const uint32 *sums = sum;
	Size bytes = HX_PLANE_BYTES(desc->dims);

	Assert(rows > 0);
	memset(centroid, 0, desc->payload);
	for (int dim = 0; dim < desc->dims; dim++)
	{
		/* The nearest level, halves down */
		uint32 level = (2 * sums[dim] + rows - 1) / (2 * rows);

		Assert(level < (uint32) 1 << desc->planes);
		for (int plane = 0; plane < desc->planes; plane++)
			if ((level >> (desc->planes - 1 - plane)) & 1)
				HxSetBit(centroid + plane * bytes, dim);
	}
	HxFinishCodePayload(desc, centroid);
}
