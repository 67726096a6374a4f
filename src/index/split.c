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

#include "index/assign.h"
#include "index/handler.h"
#include "index/inject.h"
#include "index/rewrite.h"
#include "index/split.h"

/* Blocks are at least so full of one page */
#define LEAST_FILL 0.6
/* A block is long beyond so many times the rows that it should have */
#define LONG_BLOCK 2
/* Rows that 2-means learns from at most */
#define SAMPLE 4096
/* Neither half has less than one row in so many */
#define LEAST_HALF 8
/* Attempts; the last with the directory page locked, so that it succeeds */
#define ATTEMPTS 3

/* A block being divided in two */
typedef struct Halves
{
	HxRewrite *rewrite;
	uint8 *centroids; /* two */
	uint32 (*spreads)[2];
	int *rows;	  /* indexes of the first half's rows, then the second's */
	int count[2]; /* rows of each */
} Halves;

double
HxBlockTarget(Relation index, const HxIndexDesc *desc, uint64 rows)
{
	const HxOptions *options = (const HxOptions *) index->rd_options;

	if (options && options->block_rows > 0)
		return options->block_rows;
	return Max(sqrt((double) rows) / 4, desc->capacity * LEAST_FILL);
}

bool
HxIsLong(Relation index, const HxIndexDesc *desc, const HxEntry *entry,
		 uint64 rows)
{
	if (entry->flags & (HX_ENTRY_NULLS | HX_ENTRY_FREE))
		return false;
	return entry->rows > LONG_BLOCK * HxBlockTarget(index, desc, rows) &&
		   (entry->split_above == 0 ||
			entry->rows >> Min(entry->split_above, 31) > 0);
}

/* ---- dividing the rows ---- */

/* Spreads of all rows from both centroids. */
static void
compute_spreads(Halves *halves)
{
	const HxIndexDesc *desc = halves->rewrite->desc;

	for (int i = 0; i < halves->rewrite->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		desc->vector->methods->spreads(
			desc, halves->rewrite->payloads + (Size) i * desc->payload,
			halves->centroids, 2, halves->spreads[i]);
	}
}

/* The row farthest from a centroid. */
static int
farthest(const Halves *halves, int centroid)
{
	int best = 0;

	for (int i = 1; i < halves->rewrite->count; i++)
		if (halves->spreads[i][centroid] > halves->spreads[best][centroid])
			best = i;
	return best;
}

/*
 * Two centroids for the rows; false if all rows are equal.  If 2-means finds
 * only one, as where most rows are equal, take it and the row farthest from it.
 */
static bool
find_centroids(Halves *halves)
{
	const HxRewrite *rewrite = halves->rewrite;
	const HxIndexDesc *desc = rewrite->desc;
	Size size = desc->payload;
	int count = Min(rewrite->count, SAMPLE);
	uint8 *sample = rewrite->payloads;
	int found;
	int far;

	if (count < rewrite->count)
	{
		sample = palloc(count * size);
		for (int i = 0; i < count; i++)
			memcpy(sample + i * size,
				   rewrite->payloads +
					   (int64) i * rewrite->count / count * size,
				   size);
	}
	found = HxTrainAlone(desc, sample, count, halves->centroids, 2);
	if (found < 2)
		memcpy(halves->centroids + size, halves->centroids, size);
	compute_spreads(halves);
	if (found == 2 &&
		memcmp(halves->centroids, halves->centroids + size, size) != 0)
		return true;
	far = farthest(halves, 0);
	if (halves->spreads[far][0] == 0)
		return false;
	memcpy(halves->centroids + size, rewrite->payloads + (Size) far * size,
		   size);
	compute_spreads(halves);
	return true;
}

/* How much nearer a row is to the first centroid than to the second. */
static int64
leaning(const Halves *halves, int row)
{
	return (int64) halves->spreads[row][1] - halves->spreads[row][0];
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

/* Replace a centroid by the mean of its half. */
static void
recompute_centroid(Halves *halves, int half)
{
	const HxRewrite *rewrite = halves->rewrite;
	const HxIndexDesc *desc = rewrite->desc;
	int count = Min(halves->count[half], SAMPLE);
	const int *rows = halves->rows + (half == 0 ? 0 : halves->count[0]);
	uint8 *payloads = palloc(count * desc->payload);

	for (int i = 0; i < count; i++)
	{
		int row = rows[(int64) i * halves->count[half] / count];

		memcpy(payloads + i * desc->payload,
			   rewrite->payloads + (Size) row * desc->payload, desc->payload);
	}
	HxTrainAlone(desc, payloads, count,
				 halves->centroids + half * desc->payload, 1);
	pfree(payloads);
}

/*
 * Divide the rows between two centroids, but not so that one of them gets
 * nearly nothing.  False if all rows are equal.
 */
static bool
divide(Halves *halves)
{
	int count = halves->rewrite->count;
	int least = Max(count / LEAST_HALF, 1);
	int first = 0;

	if (!find_centroids(halves))
		return false;
	for (int i = 0; i < count; i++)
	{
		halves->rows[i] = i;
		first += leaning(halves, i) > 0;
	}
	qsort_arg(halves->rows, count, sizeof(int), compare_leanings, halves);
	halves->count[0] = Min(Max(first, least), count - least);
	halves->count[1] = count - halves->count[0];
	for (int h = 0; h < 2 && halves->count[0] != first; h++)
		recompute_centroid(halves, h);
	return true;
}

/* Remember that a block could not be divided, until it has twice the rows. */
static void
postpone(const HxRewrite *rewrite)
{
	const HxSource *source = &rewrite->sources[0];
	Buffer buffer = HxReadPage(rewrite->index, source->place.page,
							   BUFFER_LOCK_EXCLUSIVE, HX_KIND_DIRECTORY);
	HxEntry *entry = HxGetEntry(rewrite->index, buffer, source->place.slot);

	if (entry->owner == source->entry.owner)
	{
		GenericXLogState *state = GenericXLogStart(rewrite->index);
		Page page = GenericXLogRegisterBuffer(state, buffer, 0);

		HxPageEntries(page)[source->place.slot].split_above =
			pg_leftmost_one_pos32(rewrite->count) + 1;
		GenericXLogFinish(state);
	}
	UnlockReleaseBuffer(buffer);
}

/* ---- a place for the second half ---- */

/*
 * Write the zone pages of a new directory page, the last one first, so that
 * each can name the next; returns the first.
 */
static BlockNumber
add_zone_pages(Relation index, const HxIndexDesc *desc, BlockNumber parent)
{
	int count = (HxDirectoryCapacity(desc) - 1) / HxZonesCapacity(desc) + 1;
	BlockNumber next = InvalidBlockNumber;

	for (int i = 0; i < count; i++)
	{
		bool reused;
		Buffer buffer = HxNewBuffer(index, &reused);
		GenericXLogState *state = GenericXLogStart(index);
		Page page =
			GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);

		HxInitZonesPage(desc, page, parent);
		HxPageOpaque(page)->next = next;
		next = BufferGetBlockNumber(buffer);
		GenericXLogFinish(state);
		UnlockReleaseBuffer(buffer);
	}
	return next;
}

/* Add a page to the directory, whose last one is given; returns its number. */
static BlockNumber
add_directory_page(Relation index, const HxIndexDesc *desc, BlockNumber last)
{
	bool reused;
	Buffer buffer = HxNewBuffer(index, &reused);
	BlockNumber added = BufferGetBlockNumber(buffer);
	BlockNumber zones = add_zone_pages(index, desc, added);
	Buffer before =
		HxReadPage(index, last, BUFFER_LOCK_EXCLUSIVE, HX_KIND_DIRECTORY);
	Buffer meta =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_KIND_META);
	GenericXLogState *state = GenericXLogStart(index);
	Page page =
		GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);

	HxInitDirectoryPage(desc, page);
	HxPageDirectory(page)->zones = zones;
	HxPageMeta(GenericXLogRegisterBuffer(state, meta, 0))->directory_end =
		added;
	HxPageOpaque(GenericXLogRegisterBuffer(state, before, 0))->next = added;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(meta);
	UnlockReleaseBuffer(before);
	UnlockReleaseBuffer(buffer);
	return added;
}

/* A slot without a block on a directory page, or its capacity. */
static int
free_slot(Page page)
{
	const HxEntry *entries = HxPageEntries(page);
	int count = HxPageDirectory(page)->count;
	int slot = 0;

	while (slot < count && !(entries[slot].flags & HX_ENTRY_FREE))
		slot++;
	return slot;
}

/* The zone page of a slot, and the zone's place on it. */
static void
find_zone(Relation index, const HxIndexDesc *desc, BlockNumber zones,
		  HxTarget *target)
{
	int capacity = HxZonesCapacity(desc);

	for (int i = 0; i < target->place.slot / capacity; i++)
	{
		Buffer buffer =
			HxReadPage(index, zones, BUFFER_LOCK_SHARE, HX_KIND_ZONES);

		zones = HxPageOpaque(BufferGetPage(buffer))->next;
		UnlockReleaseBuffer(buffer);
	}
	target->entry.zones = zones;
	target->entry.zone = target->place.slot % capacity;
}

/*
 * Find a place for one more block.  It must not come before the block that
 * is split, since a reader of the directory would miss what moved there: see
 * README, "Reading the directory while it is switched".
 */
static void
find_place(Relation index, const HxIndexDesc *desc, BlockNumber from,
		   HxTarget *target)
{
	BlockNumber block = from;
	uint32 steps = 0;

	for (;;)
	{
		Buffer buffer =
			HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_KIND_DIRECTORY);
		Page page = BufferGetPage(buffer);
		int slot = free_slot(page);
		BlockNumber zones = HxPageDirectory(page)->zones;
		BlockNumber next = HxPageOpaque(page)->next;

		UnlockReleaseBuffer(buffer);
		HxCountStep(index, block, &steps);
		target->place.page = block;
		target->place.slot = slot;
		if (slot < HxDirectoryCapacity(desc))
		{
			find_zone(index, desc, zones, target);
			return;
		}
		block = next == InvalidBlockNumber
					? add_directory_page(index, desc, block)
					: next;
	}
}

/* ---- the split ---- */

/* Write both halves; true if they have taken the block's place. */
static bool
write_halves(Halves *halves)
{
	HxRewrite *rewrite = halves->rewrite;

	for (int h = 0; h < 2; h++)
	{
		HxTarget *target = &rewrite->targets[h];

		target->centroid = halves->centroids + h * rewrite->desc->payload;
		HxWriteTarget(rewrite, target,
					  halves->rows + (h == 0 ? 0 : halves->count[0]),
					  halves->count[h]);
	}
	rewrite->ntargets = 2;
	if (HxSwitchBlocks(rewrite))
		return true;
	for (int h = 0; h < 2; h++)
		HxFreePages(rewrite->index, rewrite->targets[h].pages,
					rewrite->targets[h].npages,
					rewrite->targets[h].entry.owner);
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
attempt_split(HxRewrite *rewrite, HxPlace place, uint64 rows)
{
	Size size = rewrite->desc->payload;
	const HxEntry *entry = &rewrite->sources[0].entry;
	Halves halves = {rewrite};

	HxResetRewrite(rewrite);
	if (!HxCopyBlock(rewrite, place))
		return SPLIT_CHANGED;
	if (!HxIsLong(rewrite->index, rewrite->desc, entry, rows))
		return SPLIT_NOT;
	HX_INJECT_LOCKED("split-copied");
	halves.centroids = palloc(2 * size);
	halves.spreads = MemoryContextAllocHuge(
		CurrentMemoryContext, (Size) rewrite->count * sizeof(*halves.spreads));
	halves.rows = MemoryContextAllocHuge(CurrentMemoryContext,
										 (Size) rewrite->count * sizeof(int));
	if (!divide(&halves))
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
	return HxIsUnchanged(rewrite) && write_halves(&halves) ? SPLIT_DONE
														   : SPLIT_CHANGED;
}

/* Attempt it until it is done or clear that it cannot be. */
static bool
split(HxRewrite *rewrite, HxPlace place, uint64 rows)
{
	Attempt attempt = SPLIT_CHANGED;
	uint64 owner = HxReserveOwners(rewrite->index, 2);

	rewrite->targets[0].entry.owner = owner;
	rewrite->targets[1].entry.owner = owner + 1;
	find_place(rewrite->index, rewrite->desc, place.page, &rewrite->targets[1]);
	for (int i = 1; i <= ATTEMPTS && attempt == SPLIT_CHANGED; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i == ATTEMPTS)
			rewrite->locked =
				HxReadPage(rewrite->index, place.page, BUFFER_LOCK_EXCLUSIVE,
						   HX_KIND_DIRECTORY);
		attempt = attempt_split(rewrite, place, rows);
	}
	if (BufferIsValid(rewrite->locked))
		UnlockReleaseBuffer(rewrite->locked);
	if (attempt == SPLIT_DONE)
	{
		const HxSource *source = &rewrite->sources[0];
		HxCounts counts = {.splits = 1, .blocks = 1};

		counts.pages_freed = source->npages;
		counts.pages_reused = rewrite->reused;
		HxFreePages(rewrite->index, source->pages, source->npages,
					source->entry.owner);
		HxAddCounts(rewrite->index, &counts);
	}
	return attempt == SPLIT_DONE;
}

/* Is the block at a place long? */
static bool
is_long_block(Relation index, const HxIndexDesc *desc, HxPlace place,
			  uint64 rows)
{
	Buffer buffer =
		HxReadPage(index, place.page, BUFFER_LOCK_SHARE, HX_KIND_DIRECTORY);
	bool is_long =
		HxIsLong(index, desc, HxGetEntry(index, buffer, place.slot), rows);

	UnlockReleaseBuffer(buffer);
	return is_long;
}

bool
HxSplitBlock(Relation index, const HxIndexDesc *desc, HxPlace place,
			 uint64 rows)
{
	HxRewrite *rewrite = HxBeginRewrite(index, desc);
	bool done;

	if (!rewrite)
		return false;
	/* Somebody else may have split it just now. */
	done =
		is_long_block(index, desc, place, rows) && split(rewrite, place, rows);
	HxEndRewrite(rewrite);
	return done;
}
