/*
 * train.c
 *	  Centroids of binary codes by k-majority.
 *
 * Lloyd's k-means with a mean that is rounded to a code: with one bit a
 * dimension, the majority of the bits (k-majority, Grana et al. 2013); with
 * several, the mean level.  What differs: centroids that lose all their rows
 * are dropped, not reseeded, since a few blocks more or less do not matter.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "index/code/code.h"
#include "random.h"
#include "type/bincode.h"

/* Choose `count` sampled payloads at random as first centroids. */
static void
seed_centroids(const HxIndexDesc *desc, const uint8 *sample, int nsample,
			   uint8 *centroids, int count)
{
	uint64 state = UINT64CONST(0x9E3779B97F4A7C15);
	int *order = palloc(nsample * sizeof(int));

	Assert(count <= nsample);
	for (int i = 0; i < nsample; i++)
		order[i] = i;
	for (int i = 0; i < count; i++)
	{
		int other = i + HxRandomBelow(&state, nsample - i);
		int chosen = order[other];

		order[other] = order[i];
		order[i] = chosen;
		memcpy(centroids + i * desc->payload, sample + chosen * desc->payload,
			   desc->payload);
	}
	pfree(order);
}

/* Add the levels of a payload to a sum per dimension. */
static void
add_levels(const HxIndexDesc *desc, const uint8 *payload, uint32 *sums)
{
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
static void
round_to_code(const HxIndexDesc *desc, const uint32 *sums, int rows,
			  uint8 *centroid)
{
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

/* Sort the sample by block: rows of block b are order[start[b]..start[b+1]). */
static void
group_by_block(const int *block, int nsample, int count, int *start, int *order)
{
	memset(start, 0, (count + 1) * sizeof(int));
	for (int i = 0; i < nsample; i++)
	{
		Assert(block[i] >= 0 && block[i] < count);
		start[block[i] + 1]++;
	}
	for (int b = 0; b < count; b++)
		start[b + 1] += start[b];
	for (int i = nsample - 1; i >= 0; i--)
		order[--start[block[i] + 1]] = i;
	/* Each start has moved to that of its own block. */
	memmove(start, start + 1, count * sizeof(int));
	start[count] = nsample;
}

/* Replace each centroid by its rows' mean, dropping empty ones. */
static int
move_centroids(const HxIndexDesc *desc, const uint8 *sample, const int *start,
			   const int *order, uint8 *centroids, int count)
{
	uint32 *sums = palloc(HX_PLANE_BYTES(desc->dims) * 8 * sizeof(uint32));
	int kept = 0;

	for (int b = 0; b < count; b++)
	{
		int rows = start[b + 1] - start[b];

		if (rows == 0)
			continue;
		memset(sums, 0, HX_PLANE_BYTES(desc->dims) * 8 * sizeof(uint32));
		for (int i = start[b]; i < start[b + 1]; i++)
		{
			CHECK_FOR_INTERRUPTS();
			add_levels(desc, sample + order[i] * desc->payload, sums);
		}
		round_to_code(desc, sums, rows, centroids + kept * desc->payload);
		kept++;
	}
	Assert(kept <= count);
	pfree(sums);
	return kept;
}

/*
 * Train up to `count` centroids on the sample; returns how many are left.
 * Deterministic for the same sample in the same order.
 */
int
HxTrainCodes(HxSample *sample, uint8 *centroids, int count)
{
	const HxIndexDesc *desc = sample->desc;
	int nsample = sample->count;
	int *nearest = palloc(nsample * sizeof(int));
	int *order = palloc(nsample * sizeof(int));
	int *start = palloc((count + 1) * sizeof(int));

	count = Min(count, nsample);
	seed_centroids(desc, sample->payloads, nsample, centroids, count);
	for (int round = 0; round < HX_TRAINING_ROUNDS; round++)
	{
		sample->assign(sample, centroids, count, nearest);
		group_by_block(nearest, nsample, count, start, order);
		count = move_centroids(desc, sample->payloads, start, order, centroids,
							   count);
	}
	pfree(nearest);
	pfree(order);
	pfree(start);
	return count;
}
