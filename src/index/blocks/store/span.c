/*
 * span.c
 *	  Values of the attribute that blocks are formed within.
 *
 * See README, "Groups".  A block's range is its zone map's; a directory page
 * has one of its own, so that a search leaves out the page with all its
 * centroids and zone maps.
 */
#include "postgres.h"

#include "index/blocks/store/span.h"

HxSpan
HxZoneSpan(const HxIndexDesc *desc, const HxZone *zone)
{
	HxSpan range = HX_EMPTY_SPAN;
	int attr = desc->group - 1;

	if (!HxIsGrouped(desc))
		return range;
	Assert(desc->group <= desc->nattrs);
	range.values = (zone->values >> attr) & 1;
	range.nulls = (zone->nulls >> attr) & 1;
	if (range.values)
	{
		range.low = zone->words[desc->attrs[attr].first_word].min;
		range.high = zone->words[desc->attrs[attr].first_word].max;
	}
	return range;
}

HxSpan
HxEntrySpan(Relation index, const HxIndexDesc *desc, const HxEntry *entry,
			Buffer *zones)
{
	if (!HxIsGrouped(desc))
		return HX_EMPTY_SPAN;
	if (BufferIsValid(*zones) && BufferGetBlockNumber(*zones) != entry->zones)
	{
		UnlockReleaseBuffer(*zones);
		*zones = InvalidBuffer;
	}
	if (!BufferIsValid(*zones))
		*zones =
			HxReadPage(index, entry->zones, BUFFER_LOCK_SHARE, HX_PAGE_ZONES);
	return HxZoneSpan(desc, HxGetZone(index, desc, *zones, entry->zone));
}

void
HxAddSpan(HxSpan *range, HxSpan other)
{
	range->low = Min(range->low, other.low);
	range->high = Max(range->high, other.high);
	range->values |= other.values;
	range->nulls |= other.nulls;
}

void
HxWidenSpan(const HxIndexDesc *desc, HxSpan *range, const HxAttrRow *attrs)
{
	HxKey key;

	if (!HxIsGrouped(desc))
		return;
	key = HxKeyOf(desc, attrs->words, attrs->nulls);
	if (key.isnull)
		range->nulls = 1;
	else
		HxAddSpan(range, (HxSpan){key.word, key.word, 1, 0});
	Assert(!HxSpanIsEmpty(range));
}

/* As a zone map in which all other columns may have any value. */
bool
HxSpanMayPass(const HxIndexDesc *desc, const HxFilter *filter,
			  const HxSpan *range)
{
	union
	{
		HxZone zone;
		char room[HX_ZONE_SIZE(HX_MAX_WORDS)];
	} wide;
	uint32 bit;
	HxWordZone *word;

	if (!HxIsGrouped(desc))
		return true;
	bit = UINT32_C(1) << (desc->group - 1);
	wide.zone.nulls = range->nulls ? PG_UINT32_MAX : ~bit;
	wide.zone.values = range->values ? PG_UINT32_MAX : ~bit;
	for (int w = 0; w < desc->nwords; w++)
		wide.zone.words[w] =
			(HxWordZone){PG_INT64_MIN, PG_INT64_MAX, PG_UINT64_MAX};
	word = &wide.zone.words[desc->attrs[desc->group - 1].first_word];
	word->min = range->low;
	word->max = range->high;
	return HxFilterZone(filter, &wide.zone);
}
