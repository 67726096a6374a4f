/*
 * group.c
 *	  Blocks formed within one value of an attribute.
 *
 * See README, "Groups".  Ranges of blocks do not overlap but for their ends;
 * where they do all the same, after inserts of new values at the same moment,
 * searches visit a block too many and nothing else goes wrong.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "index/blocks/change/group.h"

/* ---- where a row belongs ---- */

/* A search for the block of a row */
typedef struct Finder
{
	Relation index;
	const HxIndexDesc *desc;
	HxMeasured payload;
	HxKey key;
	uint32 *spreads; /* of the centroids of a page */
	uint64 rows;	 /* of all blocks */
	bool found;
	HxBlock block; /* found so far */
	uint32 spread; /* of it */
	HxKey below;   /* with no block's range around the key: greatest key below
					* it ... */
	HxKey above;   /* ... and least above ... */
	HxBlock low;   /* ... and their blocks with the fewest rows ... */
	HxBlock high;
	bool has_low; /* ... if there are any */
	bool has_high;
	uint32 low_spread;
	uint32 high_spread;
} Finder;

static bool
range_has(const HxSpan *range, HxKey key)
{
	return !HxSpanIsEmpty(range) && HxCompareKeys(HxSpanLow(range), key) <= 0 &&
		   HxCompareKeys(key, HxSpanHigh(range)) <= 0;
}

static HxBlock
block_of(const HxEntry *entry, BlockNumber page, int slot)
{
	HxBlock block = {.owner = entry->owner,
					 .place = {page, slot},
					 .first = entry->first,
					 .rows = entry->rows};

	return block;
}

/* Note a block that lies on one side of the key, if it is the best there. */
static void
note_neighbour(Finder *finder, const HxBlock *block, HxKey end, uint32 spread,
			   bool below)
{
	bool *has = below ? &finder->has_low : &finder->has_high;
	HxKey *best = below ? &finder->below : &finder->above;
	HxBlock *noted = below ? &finder->low : &finder->high;
	int order = *has ? HxCompareKeys(end, *best) : 0;

	if (*has && (below ? order < 0 : order > 0))
		return;
	if (*has && order == 0 && block->rows >= noted->rows)
		return;
	*has = true;
	*best = end;
	*noted = *block;
	*(below ? &finder->low_spread : &finder->high_spread) = spread;
}

/* Look at the blocks of a locked directory page whose range may matter. */
static void
look_at_page(Finder *finder, BlockNumber number, Page page, int slot,
			 bool neighbours)
{
	const HxEntry *entries = HxPageEntries(page);
	int count = HxPageDirectory(page)->count;
	Buffer zones = InvalidBuffer;

	HxSpreadsOf(&finder->payload, HxPageCentroids(page), count,
				finder->spreads);
	for (int i = slot; i < count; i++)
	{
		HxBlock block = block_of(&entries[i], number, i);
		uint32 spread = finder->spreads[i];
		HxSpan range;

		if (entries[i].flags & HX_ENTRY_FREE)
			continue;
		range = HxEntrySpan(finder->index, finder->desc, &entries[i], &zones);
		if (HxSpanIsEmpty(&range))
			continue;
		if (range_has(&range, finder->key))
		{
			if (!finder->found || spread < finder->spread)
			{
				finder->block = block;
				finder->spread = spread;
			}
			finder->found = true;
		}
		else if (neighbours &&
				 HxCompareKeys(HxSpanHigh(&range), finder->key) < 0)
			note_neighbour(finder, &block, HxSpanHigh(&range), spread, true);
		else if (neighbours)
			note_neighbour(finder, &block, HxSpanLow(&range), spread, false);
	}
	if (BufferIsValid(zones))
		UnlockReleaseBuffer(zones);
}

/* Look at all pages whose range has the key, or at all pages. */
static void
look_at_pages(Finder *finder, BlockNumber first, bool neighbours)
{
	HxChainCursor cursor;
	Page page;

	finder->rows = 0;
	HxBeginChain(&cursor, finder->index, first, HX_PAGE_DIRECTORY,
				 BUFFER_LOCK_SHARE);
	while ((page = HxNextPage(&cursor)))
	{
		const HxEntry *entries = HxPageEntries(page);
		int slot = cursor.block == first ? 1 : 0;

		for (int i = slot; i < HxPageDirectory(page)->count; i++)
			finder->rows += entries[i].rows;
		if (neighbours || range_has(&HxPageDirectory(page)->range, finder->key))
			look_at_page(finder, cursor.block, page, slot, neighbours);
	}
}

bool
HxFindGroupBlock(Relation index, const HxIndexDesc *desc, const uint8 *payload,
				 const HxAttrRow *attrs, HxBlock *block, uint32 *spread,
				 uint64 *rows)
{
	Finder finder = {.index = index, .desc = desc};
	bool low;
	HxMeta meta;

	Assert(HxIsGrouped(desc) && HxHoldsNoPage());
	HxReadMeta(index, &meta);
	finder.key = HxKeyOf(desc, attrs->words, attrs->nulls);
	finder.payload = HxMeasure(desc, payload);
	finder.spreads = palloc(HxDirectoryCapacity(desc) * sizeof(uint32));
	look_at_pages(&finder, meta.directory, false);
	if (!finder.found)
		look_at_pages(&finder, meta.directory, true);
	pfree(finder.spreads);
	HxEndMeasure(&finder.payload);
	*rows = finder.rows;
	if (finder.found)
	{
		*block = finder.block;
		*spread = finder.spread;
		return true;
	}
	if (!finder.has_low && !finder.has_high) /* none has had a row yet */
		return HxNearestBlock(index, desc, payload, block, spread, rows);
	low = finder.has_low &&
		  (!finder.has_high || finder.low.rows <= finder.high.rows);
	*block = low ? finder.low : finder.high;
	*spread = low ? finder.low_spread : finder.high_spread;
	return true;
}

/* ---- cutting between values ---- */

static HxKey
key_of_row(const HxRewrite *rewrite, int row)
{
	Assert(row >= 0 && row < rewrite->count);
	return HxKeyOf(rewrite->desc,
				   rewrite->words + (Size) row * rewrite->desc->nwords,
				   rewrite->nulls[row]);
}

static int
compare_rows(const void *a, const void *b, void *state)
{
	int left = *(const int *) a;
	int right = *(const int *) b;
	int order =
		HxCompareKeys(key_of_row(state, left), key_of_row(state, right));

	return order != 0 ? order : (left > right) - (left < right);
}

int
HxCutByKey(const HxRewrite *rewrite, int wanted, int *rows, int *counts)
{
	int count = rewrite->count;
	int parts = 0;
	int cut = 0;   /* end of the last part */
	int start = 0; /* of the run of equal keys */

	for (int i = 0; i < count; i++)
		rows[i] = i;
	qsort_arg(rows, count, sizeof(int), compare_rows,
			  unconstify(HxRewrite *, rewrite));
	for (int end = 1; end <= count && parts + 1 < wanted; end++)
	{
		int ideal = cut + (count - cut) / (wanted - parts);

		if (end < count && HxCompareKeys(key_of_row(rewrite, rows[end]),
										 key_of_row(rewrite, rows[start])) == 0)
			continue;
		/* The run that reaches the ideal place: cut before or behind it */
		if (end >= ideal && start > cut &&
			(end == count || ideal - start <= end - ideal))
		{
			counts[parts++] = start - cut;
			cut = start;
			ideal = cut + (count - cut) / (wanted - parts);
		}
		if (end >= ideal && end < count && parts + 1 < wanted)
		{
			counts[parts++] = end - cut;
			cut = end;
		}
		start = end;
	}
	Assert(cut < count && parts < Max(wanted, 1));
	counts[parts++] = count - cut;
	return parts;
}

/* ---- joining ---- */

bool
HxMayJoin(const HxSpan *ranges, int count, int a, int b)
{
	HxSpan both = ranges[a];
	HxKey low;
	HxKey high;

	Assert(a != b && a >= 0 && a < count && b >= 0 && b < count);
	if (HxSpanIsEmpty(&ranges[a]) || HxSpanIsEmpty(&ranges[b]))
		return true;
	HxAddSpan(&both, ranges[b]);
	low = HxSpanLow(&both);
	high = HxSpanHigh(&both);
	if (HxCompareKeys(low, high) == 0)
		return true;
	for (int i = 0; i < count; i++)
	{
		if (i == a || i == b || HxSpanIsEmpty(&ranges[i]))
			continue;
		if (HxCompareKeys(HxSpanHigh(&ranges[i]), low) > 0 &&
			HxCompareKeys(HxSpanLow(&ranges[i]), high) < 0)
			return false;
	}
	return true;
}
