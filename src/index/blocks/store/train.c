/*
 * train.c
 *	  Centroids of payloads by k-means.
 *
 * Lloyd's k-means with a mean that is rounded to a payload.  What differs:
 * centroids that lose all their rows are dropped, not reseeded, since a few
 * blocks more or less do not matter.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "index/blocks/store/train.h"
#include "random.h"

/* Centroids of `count` sampled payloads, chosen at random, each of one. */
static void
seed_centroids(const HxIndexDesc *desc, const uint8 *sample, int nsample,
			   uint8 *centroids, int count)
{
	uint64 state = UINT64CONST(0x9E3779B97F4A7C15);
	const HxPayload *methods = HxPayloadOf(desc);
	Size size = methods->sum_size(desc);
	void *sum = palloc(size);
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
		memset(sum, 0, size);
		methods->add(desc, sample + (Size) chosen * desc->payload, sum);
		methods->mean(desc, sum, 1, centroids + (Size) i * desc->payload);
	}
	pfree(sum);
	pfree(order);
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
	const HxPayload *payload = HxPayloadOf(desc);
	Size size = payload->sum_size(desc);
	void *sum = palloc(size);
	int kept = 0;

	for (int b = 0; b < count; b++)
	{
		int rows = start[b + 1] - start[b];

		if (rows == 0)
			continue;
		memset(sum, 0, size);
		for (int i = start[b]; i < start[b + 1]; i++)
		{
			CHECK_FOR_INTERRUPTS();
			payload->add(desc, sample + (Size) order[i] * desc->payload, sum);
		}
		payload->mean(desc, sum, rows, centroids + (Size) kept * desc->payload);
		kept++;
	}
	Assert(kept <= count);
	pfree(sum);
	return kept;
}

/*
 * Train up to `count` centroids on the sample; returns how many are left.
 * Deterministic for the same sample in the same order.
 */
int
HxTrain(HxSample *sample, uint8 *centroids, int count)
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
