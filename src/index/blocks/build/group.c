/*
 * group.c
 *	  Groups of rows in an index build.
 *
 * See README, "Groups".  The keys of all rows, or of as many as memory holds,
 * are sorted; a value with rows enough for a block is a group of its own, with
 * as many blocks as its rows need; smaller ones share a group of one block.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "index/blocks/store/assign.h"
#include "index/build/file.h"
#include "index/blocks/build/group.h"
#include "random.h"

/* Sampled rows a block, for training */
#define SAMPLE_PER_BLOCK 40
/* A shared block has at most this many times the rows that it should have */
#define SHARED_BLOCK 1.25

/* A row of the spool as groups are formed of it */
typedef struct KeyRow
{
	HxKey key;
	int64 row; /* its number */
} KeyRow;

/* Values from one key to another, in blocks of their own */
typedef struct ValueGroup
{
	HxKey low;
	HxKey high;
	int block; /* first one */
	int nblocks;
	int64 start; /* leader, while training: its first row among the keys */
	int64 count; /* likewise: how many there are */
} ValueGroup;

struct HxGroups
{
	int count;
	int room;
	ValueGroup *groups; /* in order of their keys */
};

struct HxGrouper
{
	const HxIndexDesc *desc;
	HxGroups groups;
	const uint8 *centroids;
	HxAssigner **assigners; /* of each group; made when they are needed */
	MemoryContext context;
};

/* ---- keys ---- */

static int
compare_key_rows(const void *a, const void *b)
{
	const KeyRow *left = a;
	const KeyRow *right = b;
	int order = HxCompareKeys(left->key, right->key);

	return order != 0 ? order
					  : (left->row > right->row) - (left->row < right->row);
}

/*
 * Keys of the rows with a vector, sorted: of all that count, or of one drawn
 * from each of this many equal stretches of the spool.
 */
static KeyRow *
read_keys(HxBuild *build, HxSpool *spool, bool alive, Size memory, int64 *nkeys)
{
	int64 rows = 0;
	int64 room = Max(memory / sizeof(KeyRow), 1000);
	uint64 random = 1;
	KeyRow *keys;
	double stretch;

	for (int p = 0; p < build->shared->nparts; p++)
		rows += build->shared->work[p].rows;
	stretch = Max((double) rows / room, 1);
	keys = MemoryContextAllocHuge(CurrentMemoryContext,
								  (Min(rows, room) + 2) * sizeof(KeyRow));
	*nkeys = 0;
	for (int64 i = 0; i * stretch < rows && i <= room; i++)
	{
		int64 start = (int64) (i * stretch);
		int64 end = Min((int64) ((i + 1) * stretch), rows);
		const HxRow *row = HX_BLOCKS_BUILD(build)->row;

		CHECK_FOR_INTERRUPTS();
		if (end <= start)
			continue;
		start += (int64) HxRandomBelow(&random, end - start);
		HxReadSpool(spool, start, HX_BLOCKS_BUILD(build)->row);
		if (!row->has_vector || (alive && !row->alive))
			continue;
		keys[*nkeys].key =
			HxKeyOf(build->desc, row->attrs.words, row->attrs.nulls);
		keys[(*nkeys)++].row = start;
	}
	qsort(keys, *nkeys, sizeof(KeyRow), compare_key_rows);
	return keys;
}

/* ---- groups ---- */

/* Add the group of some of the keys. */
static void
add_group(HxGroups *groups, const KeyRow *keys, int64 start, int64 end,
		  int nblocks)
{
	ValueGroup *group;

	Assert(start < end && nblocks > 0);
	if (groups->count == groups->room)
	{
		groups->room = Max(2 * groups->room, 64);
		groups->groups =
			groups->groups
				? repalloc_huge(groups->groups,
								(Size) groups->room * sizeof(ValueGroup))
				: palloc(groups->room * sizeof(ValueGroup));
	}
	group = &groups->groups[groups->count++];
	memset(group, 0, sizeof(*group));
	group->low = keys[start].key;
	group->high = keys[end - 1].key;
	group->start = start;
	group->count = end - start;
	group->nblocks = nblocks;
	Assert(HxCompareKeys(group->low, group->high) <= 0);
	Assert(groups->count == 1 || HxCompareKeys(group[-1].high, group->low) < 0);
}

/* End of the run of equal keys that begins at a place */
static int64
end_of_run(const KeyRow *keys, int64 nkeys, int64 start)
{
	int64 end = start + 1;

	Assert(start < nkeys);
	while (end < nkeys && HxCompareKeys(keys[start].key, keys[end].key) == 0)
		end++;
	return end;
}

/*
 * Cut the keys into groups, a block having `target` of them; returns the number
 * of blocks.  NULLs share with no value.
 */
static int64
form_groups(HxGroups *groups, const KeyRow *keys, int64 nkeys, double target)
{
	int64 shared = 0; /* first key of the values not in a group yet */
	int64 blocks = 0;
	int64 end;

	Assert(target > 0);
	groups->count = 0;
	for (int64 start = 0; start < nkeys; start = end)
	{
		bool alone;

		end = end_of_run(keys, nkeys, start);
		alone = end - start >= target || keys[start].key.isnull;
		if (start > shared && (alone || end - shared > SHARED_BLOCK * target))
		{
			add_group(groups, keys, shared, start, 1);
			blocks++;
			shared = start;
		}
		if (alone)
		{
			int own = (int) Max(rint((end - start) / target), 1);

			add_group(groups, keys, start, end, own);
			blocks += own;
			shared = end;
		}
	}
	if (nkeys > shared)
	{
		add_group(groups, keys, shared, nkeys, 1);
		blocks++;
	}
	return blocks;
}

/* ---- training ---- */

/* Train a group's centroids on some of its rows; *nblocks may become less. */
static void
train_group(HxBuild *build, HxSpool *spool, const KeyRow *keys,
			ValueGroup *group, int64 most_rows, uint8 *centroids)
{
	Size size = build->desc->payload;
	int64 wanted = Min((int64) group->nblocks * SAMPLE_PER_BLOCK, group->count);
	int count = (int) Min(wanted, most_rows);
	uint8 *sample = MemoryContextAllocHuge(CurrentMemoryContext, count * size);

	Assert(count > 0);
	for (int i = 0; i < count; i++)
	{
		int64 at = group->start + (int64) ((double) i * group->count / count);

		HxReadSpool(spool, keys[at].row, HX_BLOCKS_BUILD(build)->row);
		memcpy(sample + (Size) i * size,
			   HxRowPayload(build->desc, HX_BLOCKS_BUILD(build)->row), size);
	}
	group->nblocks = HxTrainAlone(build->desc, sample, count, centroids,
								  Min(group->nblocks, count));
	pfree(sample);
}

/* Let all participants know the groups. */
static void
publish_groups(HxBuild *build)
{
	BufFile *file;

	HX_BLOCKS_SHARED(build)->ngroups = HX_BLOCKS_BUILD(build)->groups->count;
	if (!build->parallel)
		return;
	file = HxCreateFile(build, "groups", 0);
	BufFileWrite(file, HX_BLOCKS_BUILD(build)->groups->groups,
				 (Size) HX_BLOCKS_BUILD(build)->groups->count *
					 sizeof(ValueGroup));
	HxFinishFile(build, file);
}

uint8 *
HxTrainGroups(HxBuild *build, int64 rows, bool alive, int best, int most,
			  Size memory)
{
	HxSpool *spool = HxOpenSpool(build);
	HxGroups *groups = palloc0(sizeof(HxGroups));
	Size size = build->desc->payload;
	int64 blocks;
	int64 nkeys;
	KeyRow *keys = read_keys(build, spool, alive, memory, &nkeys);
	double target = Max((double) nkeys / Max(Min(best, most), 1), 1);
	uint8 *centroids;
	int next = 0;

	/* Values that lie between large ones need blocks as well: then fewer. */
	while ((blocks = form_groups(groups, keys, nkeys, target)) > most &&
		   target < nkeys)
		target *= 1.5;
	if (blocks > HX_KEY_MAX_BLOCKS - 1)
		elog(ERROR, "too many groups in index \"%s\"",
			 RelationGetRelationName(build->index));
	centroids = MemoryContextAllocHuge(CurrentMemoryContext,
									   (Size) (blocks + 1) * size);
	for (int g = 0; g < groups->count; g++)
	{
		ValueGroup *group = &groups->groups[g];

		train_group(build, spool, keys, group, Max(memory / size, 200),
					centroids + (Size) next * size);
		group->block = next;
		next += group->nblocks;
	}
	HxCloseSpool(spool);
	pfree(keys);
	Assert(build->part == 0 && next <= blocks);
	HX_BLOCKS_BUILD(build)->groups = groups;
	publish_groups(build);
	return centroids;
}

int
HxGroupBlocks(const HxGroups *groups)
{
	const ValueGroup *last;

	if (groups->count == 0)
		return 0;
	last = &groups->groups[groups->count - 1];
	return last->block + last->nblocks;
}

/* ---- assigning ---- */

HxGrouper *
HxMakeGrouper(HxBuild *build, const uint8 *centroids)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb grouper", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HxGrouper *grouper = palloc0(sizeof(HxGrouper));
	int count = HX_BLOCKS_SHARED(build)->ngroups;

	grouper->desc = build->desc;
	grouper->centroids = centroids;
	grouper->context = context;
	grouper->assigners =
		MemoryContextAllocHuge(context, (Size) count * sizeof(HxAssigner *));
	memset(grouper->assigners, 0, (Size) count * sizeof(HxAssigner *));
	if (build->part == 0)
		grouper->groups = *HX_BLOCKS_BUILD(build)->groups;
	else
	{
		BufFile *file = HxOpenFile(build, "groups", 0);

		grouper->groups.count = count;
		grouper->groups.groups =
			MemoryContextAllocHuge(context, (Size) count * sizeof(ValueGroup));
		HxReadFile(file, grouper->groups.groups,
				   (Size) count * sizeof(ValueGroup));
		BufFileClose(file);
	}
	MemoryContextSwitchTo(old);
	return grouper;
}

/*
 * The group of a key: the last one that does not begin above it, but the next
 * one if that is of one value and the key is not in it.
 */
static int
find_group(const HxGroups *groups, HxKey key)
{
	int low = 0;
	int high = groups->count - 1;

	Assert(groups->count > 0);
	while (low < high)
	{
		int middle = low + (high - low + 1) / 2;

		if (HxCompareKeys(groups->groups[middle].low, key) <= 0)
			low = middle;
		else
			high = middle - 1;
	}
	if (low + 1 < groups->count &&
		HxCompareKeys(groups->groups[low].high, key) < 0 &&
		HxCompareKeys(groups->groups[low].low, groups->groups[low].high) == 0)
		low++;
	return low;
}

int
HxAssignInGroup(HxGrouper *grouper, const HxRow *row)
{
	const HxIndexDesc *desc = grouper->desc;
	HxKey key = HxKeyOf(desc, row->attrs.words, row->attrs.nulls);
	int number = find_group(&grouper->groups, key);
	const ValueGroup *group = &grouper->groups.groups[number];
	MemoryContext old;

	Assert(row->has_vector && group->nblocks > 0);
	if (group->nblocks == 1)
		return group->block;
	if (!grouper->assigners[number])
	{
		old = MemoryContextSwitchTo(grouper->context);
		grouper->assigners[number] = HxMakeAssigner(
			desc, grouper->centroids + (Size) group->block * desc->payload,
			group->nblocks);
		MemoryContextSwitchTo(old);
	}
	return group->block +
		   HxAssign(grouper->assigners[number], HxRowPayload(desc, row), NULL);
}

void
HxFreeGrouper(HxGrouper *grouper)
{
	MemoryContextDelete(grouper->context);
}
