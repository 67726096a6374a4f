/*
 * assign.c
 *	  The nearest of many centroids in memory.
 *
 * Below a few hundred centroids all are compared.  Above, they are grouped
 * around some of themselves, and only the nearest groups are searched: the
 * result is a near centroid, nearly always the nearest.  A row in the second
 * nearest block is found there as well, since promises come from summaries.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "index/blocks/store/assign.h"
#include "index/blocks/store/train.h"

/* Fewer centroids than this are compared one and all */
#define GROUPING_FLOOR 512
/* Groups that are searched: one in this many, at most this many roots of all */
#define SEARCHED_ONE_IN 6
#define SEARCHED_ROOTS 2

struct HxAssigner
{
	const HxIndexDesc *desc;
	const uint8 *centroids; /* as given, if not grouped */
	int count;
	int ngroups;	/* 0: not grouped */
	uint8 *leaders; /* centroid that each group is around */
	uint8 *members; /* centroids sorted by group */
	int *index;		/* their index among those given */
	int *start;		/* group g: members start[g] .. start[g + 1] - 1 */
	uint32 *spreads;
	uint32 *leader_spreads;
	MemoryContext context;
};

static int
least(const uint32 *values, int count)
{
	int best = 0;

	Assert(count > 0);
	for (int i = 1; i < count; i++)
		if (values[i] < values[best])
			best = i;
	return best;
}

/* Sort the centroids into groups around every n-th of them. */
static void
group_centroids(HxAssigner *assigner)
{
	Size payload = assigner->desc->payload;
	int count = assigner->count;
	int ngroups = (int) (sqrt(count) * 1.5);
	int *group = palloc(count * sizeof(int));

	assigner->ngroups = ngroups;
	assigner->leaders = palloc(ngroups * payload);
	for (int g = 0; g < ngroups; g++)
		memcpy(assigner->leaders + g * payload,
			   assigner->centroids + (int64) g * count / ngroups * payload,
			   payload);
	assigner->start = palloc0((ngroups + 1) * sizeof(int));
	for (int i = 0; i < count; i++)
	{
		HxPayloadOf(assigner->desc)
			->spreads(assigner->desc, assigner->centroids + i * payload,
					  assigner->leaders, ngroups, assigner->leader_spreads);
		group[i] = least(assigner->leader_spreads, ngroups);
		assigner->start[group[i] + 1]++;
	}
	for (int g = 0; g < ngroups; g++)
		assigner->start[g + 1] += assigner->start[g];
	assigner->members =
		MemoryContextAllocHuge(CurrentMemoryContext, (Size) count * payload);
	assigner->index = palloc(count * sizeof(int));
	for (int i = count - 1; i >= 0; i--)
	{
		int at = --assigner->start[group[i] + 1];

		memcpy(assigner->members + at * payload,
			   assigner->centroids + i * payload, payload);
		assigner->index[at] = i;
	}
	memmove(assigner->start, assigner->start + 1, ngroups * sizeof(int));
	assigner->start[ngroups] = count;
	pfree(group);
}

HxAssigner *
HxMakeAssigner(const HxIndexDesc *desc, const uint8 *centroids, int count)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb assigner", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HxAssigner *assigner = palloc0(sizeof(HxAssigner));

	assigner->desc = desc;
	assigner->centroids = centroids;
	assigner->count = count;
	assigner->context = context;
	assigner->spreads = palloc(count * sizeof(uint32));
	assigner->leader_spreads = palloc(count * sizeof(uint32));
	if (count >= GROUPING_FLOOR)
		group_centroids(assigner);
	MemoryContextSwitchTo(old);
	return assigner;
}

/* The nearest centroid within the groups whose leaders are nearest. */
static int
assign_by_groups(HxAssigner *assigner, const uint8 *payload, uint32 *spread)
{
	Size size = assigner->desc->payload;
	int searched = Min(assigner->ngroups / SEARCHED_ONE_IN + 1,
					   (int) ceil(SEARCHED_ROOTS * sqrt(assigner->ngroups)));
	HxMeasured row = HxMeasure(assigner->desc, payload);
	int best = -1;

	HxSpreadsOf(&row, assigner->leaders, assigner->ngroups,
				assigner->leader_spreads);
	for (int n = 0; n < searched; n++)
	{
		int group = least(assigner->leader_spreads, assigner->ngroups);
		int start = assigner->start[group];
		int count = assigner->start[group + 1] - start;
		int near;

		assigner->leader_spreads[group] = PG_UINT32_MAX;
		if (count == 0)
			continue;
		HxSpreadsOf(&row, assigner->members + start * size, count,
					assigner->spreads);
		near = least(assigner->spreads, count);
		if (best < 0 || assigner->spreads[near] < *spread)
		{
			best = assigner->index[start + near];
			*spread = assigner->spreads[near];
		}
	}
	HxEndMeasure(&row);
	return best;
}

int
HxAssign(HxAssigner *assigner, const uint8 *payload, uint32 *spread)
{
	uint32 own_spread = 0;
	int best;

	Assert(assigner->count > 0);
	if (assigner->ngroups > 0)
		best = assign_by_groups(assigner, payload, &own_spread);
	else
	{
		HxPayloadOf(assigner->desc)
			->spreads(assigner->desc, payload, assigner->centroids,
					  assigner->count, assigner->spreads);
		best = least(assigner->spreads, assigner->count);
		own_spread = assigner->spreads[best];
	}
	Assert(best >= 0 && best < assigner->count);
	if (spread)
		*spread = own_spread;
	return best;
}

void
HxFreeAssigner(HxAssigner *assigner)
{
	MemoryContextDelete(assigner->context);
}

/* HxSample's assign */
static void
assign_sample(HxSample *sample, const uint8 *centroids, int ncentroids,
			  int *nearest)
{
	HxAssigner *assigner = HxMakeAssigner(sample->desc, centroids, ncentroids);

	for (int i = 0; i < sample->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		nearest[i] =
			HxAssign(assigner,
					 sample->payloads + (Size) i * sample->desc->payload, NULL);
	}
	HxFreeAssigner(assigner);
}

int
HxTrainAlone(const HxIndexDesc *desc, const uint8 *payloads, int npayloads,
			 uint8 *centroids, int count)
{
	HxSample sample = {desc, payloads, npayloads, assign_sample, NULL};

	return HxTrain(&sample, centroids, count);
}
