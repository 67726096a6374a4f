/*
 * cluster.c
 *	  An order of rows in which similar ones are neighbours.
 *
 * Rows drawn at random are the centroids, each row goes to the one with the
 * greatest cosine (Seismic's clustering, Bruch et al. 2024, section 4.2, over
 * the whole collection instead of inside each list).  Only the heaviest
 * dimensions of either count, looked up in an inverted index of the centroids,
 * so that a row costs a few thousand additions however many dimensions there
 * are.  The centroids are put in order by the same means, level by level, until
 * few are left.  The order decides how tight bounds are, never what is found.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "index/build/file.h"
#include "random.h"
#include "index/sparse/sparse.h"

/* Rows a centroid, and centroids a centroid of the next level */
#define ROWS_A_CENTROID 16
#define FAN_OUT 16
/* Groups of centroids that a row is compared with */
#define GROUPS_TRIED 4

/* Where a dimension's centroids stand; open addressing */
typedef struct Lookup
{
	uint32 key; /* dimension + 1; 0: free */
	uint32 first;
	uint32 count;
} Lookup;

/* A set of centroids, inverted */
typedef struct Inverted
{
	int count; /* centroids */
	uint32 slots;
	Lookup *table;
	uint32 *ids;	/* centroids by dimension */
	float *weights; /* theirs */
	float *sums;	/* scratch: a sum for each centroid */
} Inverted;

/* Centroids that are nearest to the same one of those that lead the groups */
typedef struct CentroidGroup
{
	Inverted *members;
	uint32 *ranks; /* place of each member in the order of all centroids */
} CentroidGroup;

struct HxOrganizer
{
	uint64 random;
	int64 seen; /* rows offered as centroids */
	int room;
	HxSketch *sample;
	int ngroups;	   /* 0: too few rows to put in order */
	Inverted *leaders; /* the groups' leading centroids */
	CentroidGroup *groups;
};

/* ---- sketches ---- */

/*
 * Offer a dimension to a sketch of at most `room`: it takes the heaviest, by
 * absolute weight, the heaviest first.
 */
void
HxSketchAdd(HxSketch *sketch, int room, uint32 dim, float weight)
{
	int at = sketch->count;

	Assert(room <= HX_CENTROID_DIMS && sketch->count <= room);
	if (at == room && fabsf(weight) <= fabsf(sketch->weights[room - 1]))
		return;
	if (at < room)
		sketch->count++;
	else
		at--;
	for (; at > 0 && fabsf(sketch->weights[at - 1]) < fabsf(weight); at--)
	{
		sketch->dims[at] = sketch->dims[at - 1];
		sketch->weights[at] = sketch->weights[at - 1];
	}
	sketch->dims[at] = dim;
	sketch->weights[at] = weight;
}

/* The heaviest dimensions of a row */
void
HxSketchRow(const HxIndexDesc *desc, const HxSparseRow *row, int room,
			HxSketch *sketch)
{
	const int32 *dims = HxSparseRowDims(desc, row);
	const float *weights = HxSparseRowWeights(desc, row);
	float scale = row->norm2 > 0 ? (float) (1 / sqrt(row->norm2)) : 0;

	sketch->count = 0;
	for (int i = 0; i < row->nnz; i++)
		HxSketchAdd(sketch, room, dims[i], weights[i] * scale);
}

/* ---- inverted index ---- */

static Lookup *
find_dim(const Inverted *inverted, uint32 dim)
{
	uint32 mask = inverted->slots - 1;
	uint32 at = (dim * 2654435769U) & mask;

	while (inverted->table[at].key != 0 && inverted->table[at].key != dim + 1)
		at = (at + 1) & mask;
	return &inverted->table[at];
}

/* Invert sketches. */
static Inverted *
invert(const HxSketch *sketches, int count)
{
	Inverted *inverted = palloc0(sizeof(Inverted));
	Size total = 0;
	uint32 at = 0;

	for (int i = 0; i < count; i++)
		total += sketches[i].count;
	inverted->count = count;
	inverted->slots = 16;
	while (inverted->slots < 2 * total)
		inverted->slots *= 2;
	inverted->table = MemoryContextAllocExtended(
		CurrentMemoryContext, (Size) inverted->slots * sizeof(Lookup),
		MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	inverted->ids = MemoryContextAllocHuge(CurrentMemoryContext,
										   (total + 1) * sizeof(uint32));
	inverted->weights = MemoryContextAllocHuge(CurrentMemoryContext,
											   (total + 1) * sizeof(float));
	inverted->sums = palloc0(Max(count, 1) * sizeof(float));
	for (int i = 0; i < count; i++)
		for (int d = 0; d < sketches[i].count; d++)
		{
			Lookup *lookup = find_dim(inverted, sketches[i].dims[d]);

			lookup->key = sketches[i].dims[d] + 1;
			lookup->count++;
		}
	for (uint32 s = 0; s < inverted->slots; s++)
	{
		inverted->table[s].first = at;
		at += inverted->table[s].count;
		inverted->table[s].count = 0;
	}
	for (int i = 0; i < count; i++)
		for (int d = 0; d < sketches[i].count; d++)
		{
			Lookup *lookup = find_dim(inverted, sketches[i].dims[d]);
			uint32 place = lookup->first + lookup->count++;

			inverted->ids[place] = i;
			inverted->weights[place] = sketches[i].weights[d];
		}
	return inverted;
}

static void
free_inverted(Inverted *inverted)
{
	pfree(inverted->table);
	pfree(inverted->ids);
	pfree(inverted->weights);
	pfree(inverted->sums);
	pfree(inverted);
}

/*
 * The centroids most like a sketch's first dimensions, the most alike first;
 * returns how many, which is at least 1.
 */
static int
nearest(Inverted *inverted, const HxSketch *sketch, int wanted, int *best,
		float *products)
{
	int count = Min(sketch->count, HX_ROW_DIMS);
	int found = 0;
	float least = 0;

	Assert(wanted > 0 && inverted->count > 0);
	for (int d = 0; d < count; d++)
	{
		const Lookup *lookup = find_dim(inverted, sketch->dims[d]);
		float weight = sketch->weights[d];

		for (uint32 i = lookup->first; i < lookup->first + lookup->count; i++)
			inverted->sums[inverted->ids[i]] += weight * inverted->weights[i];
	}
	for (int c = 0; c < inverted->count; c++)
	{
		int at;

		if (!(inverted->sums[c] > least))
			continue;
		at = found < wanted ? found++ : found - 1;
		for (; at > 0 && products[at - 1] < inverted->sums[c]; at--)
		{
			products[at] = products[at - 1];
			best[at] = best[at - 1];
		}
		products[at] = inverted->sums[c];
		best[at] = c;
		if (found == wanted)
			least = products[found - 1];
	}
	Assert(found <= wanted);
	memset(inverted->sums, 0, inverted->count * sizeof(float));
	if (found > 0)
		return found;
	best[0] = 0;
	products[0] = 0;
	return 1;
}

/* The centroid most like a sketch */
static int
nearest_one(Inverted *inverted, const HxSketch *sketch)
{
	int best;
	float product;

	(void) nearest(inverted, sketch, 1, &best, &product);
	return best;
}

/* ---- ordering ---- */

/* A centroid's key in the order: the rank of its own centroid, then its own */
typedef struct RankKey
{
	uint32 parent;
	uint32 self;
} RankKey;

static int
compare_keys(const void *a, const void *b)
{
	const RankKey *x = a;
	const RankKey *y = b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return (x->self > y->self) - (x->self < y->self);
}

/* Put sketches in order: each one's rank. */
static void
rank_sketches(const HxSketch *sketches, int count, uint32 *ranks)
{
	int parents = count / FAN_OUT;
	RankKey *keys;
	uint32 *parent_ranks;
	Inverted *inverted;

	if (parents < 2)
	{
		for (int i = 0; i < count; i++)
			ranks[i] = i;
		return;
	}
	/* The sample is in random order: the first ones are as good as any. */
	parent_ranks = palloc(parents * sizeof(uint32));
	rank_sketches(sketches, parents, parent_ranks);
	inverted = invert(sketches, parents);
	keys = palloc(count * sizeof(RankKey));
	for (int i = 0; i < count; i++)
	{
		keys[i].parent = parent_ranks[nearest_one(inverted, &sketches[i])];
		keys[i].self = i;
	}
	qsort(keys, count, sizeof(RankKey), compare_keys);
	for (int i = 0; i < count; i++)
		ranks[keys[i].self] = i;
	free_inverted(inverted);
	pfree(keys);
	pfree(parent_ranks);
}

/* ---- use ---- */

/* Begin: centroids will take this many bytes at most. */
HxOrganizer *
HxMakeOrganizer(Size memory, uint64 seed)
{
	HxOrganizer *organizer = palloc0(sizeof(HxOrganizer));

	organizer->random = seed;
	/* Each is kept, and inverted at the cost of four times its dimensions */
	organizer->room =
		(int) Max(Min(memory / (3 * sizeof(HxSketch)), 1000000), 64);
	organizer->sample = MemoryContextAllocHuge(
		CurrentMemoryContext, organizer->room * sizeof(HxSketch));
	return organizer;
}

/*
 * Offer the next row as centroid (Vitter 1985, algorithm R): where to put its
 * sketch, of HX_CENTROID_DIMS, or NULL if it is not wanted.
 */
HxSketch *
HxOrganizerSample(HxOrganizer *organizer)
{
	int64 at = organizer->seen++;

	Assert(organizer->ngroups == 0);
	if (at >= organizer->room)
		at = HxRandomBelow(&organizer->random, organizer->seen);
	return at < organizer->room ? &organizer->sample[at] : NULL;
}

/* Rows that are in the sample */
static int
sample_size(const HxOrganizer *organizer)
{
	return (int) Min(organizer->seen, (int64) organizer->room);
}

/* Bring `wanted` random ones of the sample to its front. */
static void
shuffle_sample(HxOrganizer *organizer, int sampled, int wanted)
{
	Assert(wanted <= sampled);
	for (int i = 0; i < wanted; i++)
	{
		int other = i + HxRandomBelow(&organizer->random, sampled - i);
		HxSketch spare = organizer->sample[i];

		organizer->sample[i] = organizer->sample[other];
		organizer->sample[other] = spare;
	}
}

/*
 * Write the sample to a file, in random order, so that any part of it is a
 * sample; returns how many rows it has.
 */
int
HxWriteSample(HxOrganizer *organizer, BufFile *file)
{
	int count = sample_size(organizer);

	shuffle_sample(organizer, count, count);
	BufFileWrite(file, organizer->sample, count * sizeof(HxSketch));
	return count;
}

/* Rows that a sample may have */
int
HxOrganizerRoom(const HxOrganizer *organizer)
{
	return organizer->room;
}

/* Add rows of a sample that was written, as far as there is room. */
void
HxReadSample(HxOrganizer *organizer, BufFile *file, int count)
{
	int at = sample_size(organizer);

	Assert(count >= 0 && at <= organizer->room);
	count = Min(count, organizer->room - at);
	HxReadFile(file, organizer->sample + at, count * sizeof(HxSketch));
	organizer->seen = at + count;
}

/* Form the group of the centroids that belong to a leader. */
static void
form_group(HxOrganizer *organizer, const int *leader_of, int count, int leader,
		   uint32 first_rank)
{
	CentroidGroup *group = &organizer->groups[leader];
	int members = 0;
	HxSketch *sketches;

	for (int i = 0; i < count; i++)
		members += leader_of[i] == leader;
	sketches = MemoryContextAllocHuge(CurrentMemoryContext,
									  Max(members, 1) * sizeof(HxSketch));
	members = 0;
	for (int i = 0; i < count; i++)
		if (leader_of[i] == leader)
			sketches[members++] = organizer->sample[i];
	group->members = invert(sketches, members);
	group->ranks = palloc(Max(members, 1) * sizeof(uint32));
	rank_sketches(sketches, members, group->ranks);
	for (int i = 0; i < members; i++)
		group->ranks[i] += first_rank;
	pfree(sketches);
}

/* Choose the centroids for this many rows, and their order. */
void
HxOrganizerTrain(HxOrganizer *organizer, int64 rows)
{
	int sampled = sample_size(organizer);
	int count = (int) Min(rows / ROWS_A_CENTROID, (int64) sampled);
	int ngroups = (int) sqrt(count);
	int *leader_of;
	uint32 *ranks;

	Assert(organizer->ngroups == 0);
	if (ngroups < 2)
		return;
	shuffle_sample(organizer, sampled, count);
	organizer->ngroups = ngroups;
	organizer->leaders = invert(organizer->sample, ngroups);
	organizer->groups = palloc(ngroups * sizeof(CentroidGroup));
	ranks = palloc(ngroups * sizeof(uint32));
	rank_sketches(organizer->sample, ngroups, ranks);
	leader_of = MemoryContextAllocHuge(CurrentMemoryContext,
									   (Size) count * sizeof(int));
	for (int i = 0; i < count; i++)
		leader_of[i] = nearest_one(organizer->leaders, &organizer->sample[i]);
	for (int g = 0; g < ngroups; g++)
		form_group(organizer, leader_of, count, g, ranks[g] * (uint32) count);
	pfree(leader_of);
	pfree(ranks);
	pfree(organizer->sample);
}

/* A row's place in the order, shared by the rows near it. */
uint32
HxOrganizerRank(HxOrganizer *organizer, const HxSketch *sketch)
{
	int groups[GROUPS_TRIED];
	float products[GROUPS_TRIED];
	int count;
	uint32 rank = 0;
	float best = -1;

	if (organizer->ngroups == 0 || sketch->count == 0)
		return 0;
	count = nearest(organizer->leaders, sketch, GROUPS_TRIED, groups, products);
	for (int i = 0; i < count; i++)
	{
		const CentroidGroup *group = &organizer->groups[groups[i]];
		int member;
		float product;

		if (group->members->count == 0)
			continue;
		(void) nearest(group->members, sketch, 1, &member, &product);
		if (product > best)
		{
			best = product;
			rank = group->ranks[member];
		}
	}
	return rank;
}
