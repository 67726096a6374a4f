/*
 * split.c
 *	  Splitting blocks that have become long.
 *
 * See README, "Rows that move".  A block is divided by 2-means, so an index
 * that grows from nothing is clustered from the top down, one block at a time.
 */
#include "postgres.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "index/blocks/store/assign.h"
#include "index/blocks/change/group.h"
#include "index/page/inject.h"
#include "index/blocks/change/place.h"
#include "index/blocks/change/rewrite.h"
#include "index/blocks/change/split.h"
#include "index/blocks/store/upper.h"

/* Rows that 2-means learns from at most */
#define SAMPLE 4096
/*
 * When halves are clusters.  One of less than one row in LEAST_HALF is if it is
 * well apart: the centroids this many times as far from each other as rows are
 * from theirs.  One of less than one in LEAST_CLUSTER never is, nor are halves
 * of any size whose centroids are too near.
 */
#define LEAST_HALF 8
#define LEAST_CLUSTER 32
#define WELL_APART 2
#define TOO_NEAR 0.2
/* One cluster is divided at this many times the rows that a block is to have */
#define LONG_CLUSTER 4
/* Attempts; the last with the directory page locked, so that it succeeds */
#define ATTEMPTS 3

/* The only block of an index is split beyond this many times those rows ... */
#define FIRST_SPLIT 64
/* ... into as many, learning from this many rows for each */
#define SAMPLE_PER_BLOCK 40

/* A block being divided */
typedef struct Parts
{
	HxRewrite *rewrite;
	int nparts;
	uint8 *centroids;			   /* of the parts */
	uint32 (*spreads)[2];		   /* of the rows, if there are two parts */
	int *rows;					   /* indexes of rows, part by part */
	int count[HX_REWRITE_TARGETS]; /* rows of each part */
} Parts;

bool
HxIsLong(Relation index, const HxIndexDesc *desc, const HxEntry *entry,
		 uint64 rows)
{
	if (entry->flags & (HX_ENTRY_NULLS | HX_ENTRY_FREE))
		return false;
	/* Few rows say little of how others will lie: README, "Empty indexes". */
	return entry->rows > (entry->rows >= rows ? FIRST_SPLIT
											  : HxPayloadOf(desc)->long_block) *
							 HxBlockTarget(index, desc, rows) &&
		   (entry->split_above == 0 ||
			entry->rows >= exp2(entry->split_above / 4.0)) &&
		   HxFitsRewrite(desc, entry->rows);
}

/* ---- dividing the rows ---- */

/* Spreads of all rows from both centroids. */
static void
compute_spreads(Parts *parts)
{
	const HxIndexDesc *desc = parts->rewrite->desc;

	for (int i = 0; i < parts->rewrite->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		HxPayloadOf(desc)->spreads(
			desc, parts->rewrite->payloads + (Size) i * desc->payload,
			parts->centroids, 2, parts->spreads[i]);
	}
}

/* The row farthest from a centroid. */
static int
farthest(const Parts *parts, int centroid)
{
	int best = 0;

	for (int i = 1; i < parts->rewrite->count; i++)
		if (parts->spreads[i][centroid] > parts->spreads[best][centroid])
			best = i;
	return best;
}

/* Some rows' payloads, taken at equal distances. */
static uint8 *
take_sample(const HxRewrite *rewrite, int count)
{
	Size size = rewrite->desc->payload;
	uint8 *sample;

	if (count == rewrite->count)
		return rewrite->payloads;
	sample = palloc(count * size);
	for (int i = 0; i < count; i++)
		memcpy(sample + i * size,
			   rewrite->payloads + (int64) i * rewrite->count / count * size,
			   size);
	return sample;
}

/*
 * Two centroids for the rows; false if all rows are equal.  If 2-means finds
 * only one, as where most rows are equal, take it and the row farthest from it.
 */
static bool
find_centroids(Parts *parts)
{
	const HxRewrite *rewrite = parts->rewrite;
	const HxIndexDesc *desc = rewrite->desc;
	Size size = desc->payload;
	int count = Min(rewrite->count, SAMPLE);
	uint8 *sample = take_sample(rewrite, count);
	int found;
	int far;

	found = HxTrainAlone(desc, sample, count, parts->centroids, 2);
	if (found < 2)
		memcpy(parts->centroids + size, parts->centroids, size);
	compute_spreads(parts);
	if (found == 2 &&
		memcmp(parts->centroids, parts->centroids + size, size) != 0)
		return true;
	far = farthest(parts, 0);
	if (parts->spreads[far][0] == 0)
		return false;
	memcpy(parts->centroids + size, rewrite->payloads + (Size) far * size,
		   size);
	compute_spreads(parts);
	return true;
}

/* How much nearer a row is to the first centroid than to the second. */
static int64
leaning(const Parts *parts, int row)
{
	return (int64) parts->spreads[row][1] - parts->spreads[row][0];
}

/* Order of row indexes: those that lean to the first centroid first. */
static int
compare_leanings(const void *a, const void *b, void *state)
{
	int left = *(const int *) a;
	int right = *(const int *) b;
	int64 difference = leaning(state, right) - leaning(state, left);

	if (difference != 0)
		return difference < 0 ? -1 : 1;
	return left < right ? -1 : left > right;
}

/* Make the mean of a part's rows its centroid; `first` is the first of them. */
static void
train_part(Parts *parts, int part, int first)
{
	const HxRewrite *rewrite = parts->rewrite;
	const HxIndexDesc *desc = rewrite->desc;
	int count = Min(parts->count[part], SAMPLE);
	const int *rows = parts->rows + first;
	uint8 *payloads = palloc(count * desc->payload);

	Assert(count > 0);
	for (int i = 0; i < count; i++)
	{
		int row = rows[(int64) i * parts->count[part] / count];

		memcpy(payloads + i * desc->payload,
			   rewrite->payloads + (Size) row * desc->payload, desc->payload);
	}
	HxTrainAlone(desc, payloads, count, parts->centroids + part * desc->payload,
				 1);
	pfree(payloads);
}

/* Are the rows of one cluster, though 2-means put `first` in one half? */
static bool
is_one_cluster(const Parts *parts, int first)
{
	const HxIndexDesc *desc = parts->rewrite->desc;
	int count = parts->rewrite->count;
	int smaller = Min(first, count - first);
	double within = 0;
	uint32 between;

	HxPayloadOf(desc)->spreads(desc, parts->centroids,
							   parts->centroids + desc->payload, 1, &between);
	for (int i = 0; i < count; i++)
		within += Min(parts->spreads[i][0], parts->spreads[i][1]);
	within /= count;
	if (smaller < Max(count / LEAST_CLUSTER, 1) || between < TOO_NEAR * within)
		return true;
	return smaller < count / LEAST_HALF && between < WELL_APART * within;
}

/*
 * Divide the rows between two centroids.  False if all rows are equal, or of
 * one cluster and not `most`.
 *
 * The border between halves of one cluster is noise, and rows to come would not
 * heed it: they go to the half that has the better centroid, the greater one,
 * while the other stays small for ever.  So they stay together, as in a build,
 * as long as that is bearable, and are then divided evenly.
 */
static bool
divide(Parts *parts, double most)
{
	int count = parts->rewrite->count;
	int first = 0;

	parts->nparts = 2;
	parts->spreads = MemoryContextAllocHuge(
		CurrentMemoryContext, (Size) count * sizeof(*parts->spreads));
	if (!find_centroids(parts))
		return false;
	for (int i = 0; i < count; i++)
	{
		parts->rows[i] = i;
		first += leaning(parts, i) > 0;
	}
	qsort_arg(parts->rows, count, sizeof(int), compare_leanings, parts);
	parts->count[0] = first;
	if (is_one_cluster(parts, first))
	{
		if (count < most)
			return false;
		parts->count[0] = count / 2;
	}
	parts->count[1] = count - parts->count[0];
	for (int p = 0; p < 2 && parts->count[0] != first; p++)
		train_part(parts, p, p == 0 ? 0 : parts->count[0]);
	Assert(parts->count[0] > 0 && parts->count[1] > 0);
	return true;
}

/* The part whose centroid is nearest to a row. */
static int
nearest_part(const Parts *parts, int row, uint32 *spreads)
{
	const HxIndexDesc *desc = parts->rewrite->desc;
	int best = 0;

	HxPayloadOf(desc)->spreads(
		desc, parts->rewrite->payloads + (Size) row * desc->payload,
		parts->centroids, parts->nparts, spreads);
	for (int p = 1; p < parts->nparts; p++)
		if (spreads[p] < spreads[best])
			best = p;
	return best;
}

/* Sort the rows by part, leaving out parts that are empty. */
static void
sort_parts(Parts *parts, const uint8 *part)
{
	Size size = parts->rewrite->desc->payload;
	int at = 0;
	int kept = 0;

	for (int p = 0; p < parts->nparts; p++)
	{
		int start = at;

		for (int i = 0; i < parts->rewrite->count; i++)
			if (part[i] == p)
				parts->rows[at++] = i;
		if (at == start)
			continue;
		memmove(parts->centroids + kept * size, parts->centroids + p * size,
				size);
		parts->count[kept++] = at - start;
	}
	Assert(at == parts->rewrite->count);
	parts->nparts = kept;
}

/*
 * Divide the rows of an index's only block into many parts by k-means, as a
 * build does.  False if all rows come together.
 */
static bool
cluster(Parts *parts, int wanted)
{
	const HxRewrite *rewrite = parts->rewrite;
	const HxIndexDesc *desc = rewrite->desc;
	int count = Min(rewrite->count, wanted * SAMPLE_PER_BLOCK);
	uint8 *sample = take_sample(rewrite, count);
	uint8 *part = MemoryContextAllocHuge(CurrentMemoryContext, rewrite->count);
	uint32 spreads[HX_REWRITE_TARGETS];

	Assert(wanted <= HX_REWRITE_TARGETS);
	parts->nparts = HxTrainAlone(desc, sample, count, parts->centroids, wanted);
	for (int i = 0; i < rewrite->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		part[i] = nearest_part(parts, i, spreads);
	}
	sort_parts(parts, part);
	return parts->nparts > 1;
}

/*
 * Divide the rows between values of the attribute that blocks are formed
 * within.  False if there is only one value.
 */
static bool
divide_by_key(Parts *parts, int wanted)
{
	const HxRewrite *rewrite = parts->rewrite;
	int first = 0;

	parts->nparts = HxCutByKey(rewrite, wanted, parts->rows, parts->count);
	for (int p = 0; p < parts->nparts; first += parts->count[p++])
		train_part(parts, p, first);
	return parts->nparts > 1;
}

/* Remember that a block could not be divided, until it has many more rows. */
static void
postpone(const HxRewrite *rewrite)
{
	const HxSource *source = &rewrite->sources[0];
	Buffer buffer = HxReadPage(rewrite->index, source->place.page,
							   BUFFER_LOCK_EXCLUSIVE, HX_PAGE_DIRECTORY);
	HxEntry *entry = HxGetEntry(rewrite->index, buffer, source->place.slot);

	Assert(rewrite->nsources == 1 && HxHoldsStructure(rewrite->index));
	if (entry->owner == source->entry.owner)
	{
		GenericXLogState *state = GenericXLogStart(rewrite->index);
		Page page = GenericXLogRegisterBuffer(state, buffer, 0);

		HxPostponeSplit(rewrite->desc,
						&HxPageEntries(page)[source->place.slot]);
		GenericXLogFinish(state);
	}
	UnlockReleaseBuffer(buffer);
}

/* ---- the split ---- */

/* Write all parts; true if they have taken the block's place. */
static bool
write_parts(Parts *parts)
{
	HxRewrite *rewrite = parts->rewrite;
	int first = 0;

	for (int p = 0; p < parts->nparts; p++)
	{
		HxTarget *target = &rewrite->targets[p];

		target->centroid = parts->centroids + p * rewrite->desc->payload;
		HxWriteTarget(rewrite, target, parts->rows + first, parts->count[p]);
		first += parts->count[p];
	}
	Assert(first == rewrite->count);
	rewrite->ntargets = parts->nparts;
	if (HxSwitchBlocks(rewrite))
		return true;
	for (int p = 0; p < parts->nparts; p++)
		HxFreePages(rewrite->index, rewrite->targets[p].pages,
					rewrite->targets[p].npages,
					rewrite->targets[p].entry.owner);
	return false;
}

/* What an attempt came to */
typedef enum Attempt
{
	SPLIT_DONE,
	SPLIT_CHANGED, /* the block changed meanwhile */
	SPLIT_NOT	   /* it is not long, or cannot be divided */
} Attempt;

static Attempt
attempt_split(HxRewrite *rewrite, HxEntryAddress place, uint64 rows, int places)
{
	const HxEntry *entry = &rewrite->sources[0].entry;
	Parts *parts = palloc0(sizeof(Parts));

	HxResetRewrite(rewrite);
	if (!HxCopyBlock(rewrite, place))
		return SPLIT_CHANGED;
	if (!HxIsLong(rewrite->index, rewrite->desc, entry, rows))
		return SPLIT_NOT;
	HX_INJECT_LOCKED("split-copied");
	parts->rewrite = rewrite;
	parts->centroids = palloc(places * rewrite->desc->payload);
	parts->rows = MemoryContextAllocHuge(CurrentMemoryContext,
										 (Size) rewrite->count * sizeof(int));
	if (!divide_by_key(parts, places) &&
		!(places > 2 && cluster(parts, places)) &&
		!divide(parts, LONG_CLUSTER *
						   HxBlockTarget(rewrite->index, rewrite->desc, rows)))
	{
		if (BufferIsValid(rewrite->locked))
			UnlockReleaseBuffer(rewrite->locked);
		rewrite->locked = InvalidBuffer;
		postpone(rewrite);
		return SPLIT_NOT;
	}
	rewrite->targets[0].place = place;
	rewrite->targets[0].entry.zones = entry->zones;
	rewrite->targets[0].entry.zone = entry->zone;
	return HxIsUnchanged(rewrite) && write_parts(parts) ? SPLIT_DONE
														: SPLIT_CHANGED;
}

/* Attempt it until it is done or clear that it cannot be. */
static bool
split(HxRewrite *rewrite, HxEntryAddress place, uint64 rows, bool only_block)
{
	Attempt attempt = SPLIT_CHANGED;
	int places = HxFindPlaces(rewrite, place, only_block ? FIRST_SPLIT : 2);
	uint64 owner = HxReserveOwners(rewrite->index, places);

	for (int p = 0; p < places; p++)
		rewrite->targets[p].entry.owner = owner + p;
	for (int i = 1; i <= ATTEMPTS && attempt == SPLIT_CHANGED; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i == ATTEMPTS)
			rewrite->locked =
				HxReadPage(rewrite->index, place.page, BUFFER_LOCK_EXCLUSIVE,
						   HX_PAGE_DIRECTORY);
		attempt = attempt_split(rewrite, place, rows, places);
	}
	if (BufferIsValid(rewrite->locked))
		UnlockReleaseBuffer(rewrite->locked);
	rewrite->locked = InvalidBuffer;
	if (attempt == SPLIT_DONE)
	{
		const HxSource *source = &rewrite->sources[0];
		HxCounts counts = {.splits = 1, .blocks = rewrite->ntargets - 1};

		counts.pages_freed = source->npages;
		counts.pages_reused = rewrite->reused;
		HxFreePages(rewrite->index, source->pages, source->npages,
					source->entry.owner);
		HxAddCounts(rewrite->index, &counts);
		for (int p = 0; p < rewrite->ntargets; p++)
			if (p == 0 || rewrite->targets[p].place.page != place.page)
				HxRefreshUpper(rewrite->index, rewrite->desc,
							   rewrite->targets[p].place.page);
	}
	return attempt == SPLIT_DONE;
}

/* Is the block at a place long?  *only_block: does it have all rows? */
static bool
is_long_block(Relation index, const HxIndexDesc *desc, HxEntryAddress place,
			  uint64 rows, bool *only_block)
{
	Buffer buffer =
		HxReadPage(index, place.page, BUFFER_LOCK_SHARE, HX_PAGE_DIRECTORY);
	const HxEntry *entry = HxGetEntry(index, buffer, place.slot);
	bool is_long = HxIsLong(index, desc, entry, rows);

	*only_block = entry->rows >= rows;
	UnlockReleaseBuffer(buffer);
	return is_long;
}

bool
HxSplitBlock(Relation index, const HxIndexDesc *desc, HxEntryAddress place,
			 uint64 rows)
{
	HxRewrite *rewrite = HxBeginRewrite(index, desc);
	bool only_block;
	bool done;

	Assert(HxHoldsNoPage());
	if (!rewrite)
		return false;
	/* Somebody else may have split it just now. */
	done = is_long_block(index, desc, place, rows, &only_block) &&
		   split(rewrite, place, rows, only_block);
	HxEndRewrite(rewrite);
	return done;
}
