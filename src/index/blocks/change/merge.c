/*
 * merge.c
 *	  Merging thin blocks, and rewriting those with room to spare.
 *
 * See README, "Rows that move".  Vacuum calls this after it has removed dead
 * rows.  A block that changes meanwhile is left to the next vacuum.
 */
#include "postgres.h"

#include "commands/vacuum.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "compat.h"
#include "index/blocks/store/assign.h"
#include "index/blocks/change/group.h"
#include "index/options.h"
#include "index/page/inject.h"
#include "index/blocks/change/merge.h"
#include "index/blocks/change/rewrite.h"
#include "index/blocks/change/split.h"
#include "index/blocks/store/upper.h"

/* A block is thin below the rows that it should have, divided by this */
#define THIN_BLOCK 2
/*
 * A block of a handful of rows, or below the rows that it should have divided by
 * this, may be merged with any other; else only with a near one
 */
#define VERY_THIN_BLOCK 8
#define HANDFUL 5
/* Two are merged if together they have at most this many times those rows */
#define MERGED_BLOCK 1.2
/*
 * A block is written anew if it needs at most three quarters of its pages, with
 * room for some rows, or it would soon have as many again
 */
#define PAGES_KEPT(pages) ((pages) *3 / 4)
#define WITH_ROOM(rows) ((rows) + (rows) / 8)

/* A block as it was when the tidying began */
typedef struct TidyBlock
{
	HxEntryAddress place;
	HxEntry entry;
} TidyBlock;

typedef struct Tidy
{
	Relation index;
	const HxIndexDesc *desc;
	TidyBlock *blocks; /* in directory order; those gone are free */
	uint8 *centroids;
	HxSpan *ranges; /* in an index with groups; of blocks gone: empty */
	int count;
	int room;
	int live;	   /* not gone */
	uint64 rows;   /* of all */
	double target; /* rows that a block should have */
	int64 freed;   /* pages */
} Tidy;

/* Add the blocks of a directory page, which is locked. */
static void
add_blocks(Tidy *tidy, BlockNumber block, Page page)
{
	const HxEntry *entries = HxPageEntries(page);
	int count = HxPageDirectory(page)->count;
	Size size = tidy->desc->payload;
	Buffer zones = InvalidBuffer;

	if (tidy->count + count > tidy->room)
	{
		tidy->room = 2 * (tidy->count + count);
		tidy->blocks =
			repalloc_huge(tidy->blocks, (Size) tidy->room * sizeof(TidyBlock));
		tidy->centroids =
			repalloc_huge(tidy->centroids, (Size) tidy->room * size);
		tidy->ranges =
			repalloc_huge(tidy->ranges, (Size) tidy->room * sizeof(HxSpan));
	}
	for (int i = 0; i < count; i++)
	{
		TidyBlock *added = &tidy->blocks[tidy->count];

		if (entries[i].flags & (HX_ENTRY_FREE | HX_ENTRY_NULLS))
			continue;
		added->place.page = block;
		added->place.slot = i;
		added->entry = entries[i];
		tidy->ranges[tidy->count] =
			HxEntrySpan(tidy->index, tidy->desc, &entries[i], &zones);
		memcpy(tidy->centroids + (Size) tidy->count++ * size,
			   HxPageCentroids(page) + i * size, size);
		tidy->rows += entries[i].rows;
	}
	if (BufferIsValid(zones))
		UnlockReleaseBuffer(zones);
}

/* Copy all entries and centroids, a page at a time. */
static void
read_blocks(Tidy *tidy)
{
	HxChainCursor cursor;
	Page page;

	tidy->room = 256;
	tidy->blocks = palloc(tidy->room * sizeof(TidyBlock));
	tidy->centroids = palloc(tidy->room * tidy->desc->payload);
	tidy->ranges = palloc(tidy->room * sizeof(HxSpan));
	HxBeginDirectory(&cursor, tidy->index, HX_PAGE_DIRECTORY,
					 BUFFER_LOCK_SHARE);
	while ((page = HxNextPage(&cursor)))
		add_blocks(tidy, cursor.block, page);
	tidy->live = tidy->count;
}

/*
 * Is a block near enough to a thin one to be merged with it?  If its centroid is
 * farther than any row of the two is from its own, they are two clusters: to
 * find them in one block, searches would have to visit it for both.
 */
static bool
is_near(const HxEntry *thin, const HxEntry *other, uint32 spread, double target)
{
	return spread <= Max(thin->radius, other->radius) ||
		   thin->rows < Max(target / VERY_THIN_BLOCK, HANDFUL);
}

/*
 * The block whose centroid is nearest to that of a block, among those that it
 * can be merged with; -1 if there is none.
 */
static int
find_neighbour(const Tidy *tidy, int thin, double target)
{
	Size size = tidy->desc->payload;
	uint32 *spreads = MemoryContextAllocHuge(
		CurrentMemoryContext, (Size) tidy->count * sizeof(uint32));
	int best = -1;

	/* In portions, since an implementation may have room for few results. */
	for (int i = 0; i < tidy->count; i += tidy->desc->capacity)
		HxPayloadOf(tidy->desc)
			->spreads(tidy->desc, tidy->centroids + (Size) thin * size,
					  tidy->centroids + (Size) i * size,
					  Min(tidy->desc->capacity, tidy->count - i), spreads + i);
	for (int i = 0; i < tidy->count; i++)
	{
		const HxEntry *entry = &tidy->blocks[i].entry;
		double rows = (double) entry->rows + tidy->blocks[thin].entry.rows;

		if (i == thin || (entry->flags & HX_ENTRY_FREE) ||
			rows > MERGED_BLOCK * target ||
			!is_near(&tidy->blocks[thin].entry, entry, spreads[i], target))
			continue;
		if (best >= 0 && spreads[i] >= spreads[best])
			continue;
		if (HxMayJoin(tidy->ranges, tidy->count, i, thin))
			best = i;
	}
	Assert(best != thin);
	pfree(spreads);
	return best;
}

/* Set up the block that takes the place of the last source. */
static void
set_target(Tidy *tidy, HxRewrite *rewrite)
{
	const HxSource *last = &rewrite->sources[rewrite->nsources - 1];
	HxTarget *target = &rewrite->targets[0];
	uint8 *centroid = palloc(tidy->desc->payload);

	Assert(rewrite->nsources > 0 && rewrite->count > 0);
	HxTrainAlone(tidy->desc, rewrite->payloads, rewrite->count, centroid, 1);
	target->place = last->place;
	target->centroid = centroid;
	target->entry.owner = HxReserveOwners(tidy->index, 1);
	target->entry.zones = last->entry.zones;
	target->entry.zone = last->entry.zone;
	HxWriteTarget(rewrite, target, NULL, rewrite->count);
	target->entry.changes = ceil(tidy->target); /* may be merged again */
	rewrite->ntargets = 1;
}

/*
 * Copy one or two blocks and write them anew as one, in the last one's place:
 * a reader of the directory that misses it there has seen those before.  What
 * the list says of them is brought up to date.
 */
static bool
rewrite_blocks(Tidy *tidy, HxRewrite *rewrite, const int *blocks, int count)
{
	HxCounts counts = {.merges = count - 1, .blocks = 0};
	TidyBlock *last = &tidy->blocks[blocks[count - 1]];

	Assert(HxHoldsStructure(tidy->index));
	Assert(count == 1 || (count == 2 && blocks[0] < blocks[1]));
	for (int i = 0; i < count; i++)
	{
		const TidyBlock *block = &tidy->blocks[blocks[i]];

		if (!HxCopyBlock(rewrite, block->place) ||
			rewrite->sources[i].entry.owner != block->entry.owner)
			return false;
	}
	if (rewrite->count > 0)
		set_target(tidy, rewrite);
	else if (tidy->live <= count)
		return false; /* inserts need a block to go to */
	HX_INJECT("merge-copied");
	if (!HxSwitchBlocks(rewrite))
	{
		if (rewrite->ntargets > 0)
			HxFreePages(tidy->index, rewrite->targets[0].pages,
						rewrite->targets[0].npages,
						rewrite->targets[0].entry.owner);
		return false;
	}
	for (int s = 0; s < rewrite->nsources; s++)
	{
		const HxSource *source = &rewrite->sources[s];

		HxFreePages(tidy->index, source->pages, source->npages,
					source->entry.owner);
		counts.pages_freed += source->npages;
		tidy->blocks[blocks[s]].entry.flags |= HX_ENTRY_FREE;
	}
	tidy->live -= rewrite->nsources - rewrite->ntargets;
	for (int s = 0; s < rewrite->nsources; s++)
		tidy->ranges[blocks[s]] = HX_EMPTY_SPAN;
	if (rewrite->ntargets > 0)
	{
		tidy->ranges[blocks[count - 1]] =
			HxZoneSpan(tidy->desc, rewrite->targets[0].zone);
		last->entry = rewrite->targets[0].entry;
		memcpy(tidy->centroids + (Size) blocks[count - 1] * tidy->desc->payload,
			   rewrite->targets[0].centroid, tidy->desc->payload);
	}
	Assert(tidy->live > 0);
	tidy->freed += counts.pages_freed;
	counts.pages_reused = rewrite->reused;
	HxAddCounts(tidy->index, &counts);
	return true;
}

/* The same with the locks that it needs, unless somebody else has them. */
static void
try_rewrite(Tidy *tidy, const int *blocks, int count)
{
	HxRewrite *rewrite = HxBeginRewrite(tidy->index, tidy->desc);

	if (!rewrite)
		return;
	(void) rewrite_blocks(tidy, rewrite, blocks, count);
	HxEndRewrite(rewrite);
}

/* Pages that a block's rows need, filled as by a build. */
static uint32
pages_needed(const Tidy *tidy, uint32 rows)
{
	const HxOptions *options = (const HxOptions *) tidy->index->rd_options;
	int fillfactor = options ? options->fillfactor : HX_DEFAULT_FILLFACTOR;
	uint32 limit = Max(tidy->desc->capacity * fillfactor / 100, 1);

	return rows / limit + (rows % limit > 0);
}

/*
 * Was the block thin when it was written?  Clustering finds such ones where rows
 * are few: merged with others, it would take searches for them to more blocks.
 */
static bool
was_thin(const HxEntry *entry, double target)
{
	return (double) entry->rows + entry->changes < target / THIN_BLOCK;
}

/* Do what one block needs, if anything. */
static void
tidy_block(Tidy *tidy, int block)
{
	double target = tidy->target;
	const HxEntry *entry = &tidy->blocks[block].entry;
	int pair[2] = {block, block};

	if ((entry->flags & HX_ENTRY_FREE) ||
		entry->changes == 0) /* as it was clustered */
		return;
	if (entry->rows == 0 && tidy->live > 1)
	{
		try_rewrite(tidy, pair, 1);
		return;
	}
	if (entry->rows < target / THIN_BLOCK && !was_thin(entry, target))
	{
		int other = find_neighbour(tidy, block, target);

		if (other >= 0)
		{
			pair[0] = Min(block, other);
			pair[1] = Max(block, other);
			try_rewrite(tidy, pair, 2);
			return;
		}
	}
	if (entry->pages > 1 &&
		pages_needed(tidy, WITH_ROOM(entry->rows)) <= PAGES_KEPT(entry->pages))
		try_rewrite(tidy, pair, 1);
}

int64
HxTidyBlocks(Relation index, const HxIndexDesc *desc)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb tidy", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Tidy tidy = {index, desc};

	Assert(HxHoldsNoPage());
	read_blocks(&tidy);
	tidy.target = HxBlockTarget(index, desc, tidy.rows);
	for (int b = 0; b < tidy.count; b++)
	{
		HX_VACUUM_DELAY_POINT();
		HX_INJECT_LOOP("tidy");
		tidy_block(&tidy, b);
	}
	for (int b = 0; b < tidy.count; b++)
	{
		if (b > 0 && tidy.blocks[b].place.page == tidy.blocks[b - 1].place.page)
			continue;
		HX_VACUUM_DELAY_POINT();
		HX_INJECT_LOOP("tidy-upper");
		HxRefreshUpper(index, desc, tidy.blocks[b].place.page);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return tidy.freed;
}
