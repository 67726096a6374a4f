/*
 * span.h
 *	  Values of the attribute that blocks are formed within: which one it is,
 *	  and which of them a block or a directory page has.
 *
 * In an index without groups all ranges are empty, all keys the same, and any row
 * may pass, so that few need to ask.
 */
#ifndef HX_SPAN_H
#define HX_SPAN_H

#include "index/filter/filter.h"
#include "index/blocks/store/format.h"

/* A value as blocks are ordered by it: its first word, NULL after all others */
typedef struct HxKey
{
	int64 word;
	bool isnull;
} HxKey;

static inline int
HxCompareKeys(HxKey a, HxKey b)
{
	if (a.isnull != b.isnull)
		return a.isnull ? 1 : -1;
	return a.isnull ? 0 : (a.word > b.word) - (a.word < b.word);
}

/* Are blocks formed within the values of an attribute? */
static inline bool
HxIsGrouped(const HxIndexDesc *desc)
{
	return desc->group > 0;
}

/* A row's key; that of all rows is the same in an index without groups. */
static inline HxKey
HxKeyOf(const HxIndexDesc *desc, const int64 *words, uint32 nulls)
{
	int attr = desc->group - 1;
	HxKey key = {0, true};

	if (HxIsGrouped(desc))
	{
		key.word = words[desc->attrs[attr].first_word];
		key.isnull = (nulls >> attr) & 1;
	}
	return key;
}

static inline bool
HxSpanIsEmpty(const HxSpan *range)
{
	return !range->values && !range->nulls;
}

/* Least and greatest key of a range that is not empty */
static inline HxKey
HxSpanLow(const HxSpan *range)
{
	HxKey key = {range->values ? range->low : 0, !range->values};

	Assert(!HxSpanIsEmpty(range));
	return key;
}

static inline HxKey
HxSpanHigh(const HxSpan *range)
{
	HxKey key = {range->nulls ? 0 : range->high, range->nulls != 0};

	Assert(!HxSpanIsEmpty(range));
	return key;
}

/* Keys of a zone's rows; empty in an index without groups */
extern HxSpan HxZoneSpan(const HxIndexDesc *desc, const HxZone *zone);

/* Keys of the block of an entry, whose directory page is locked.  *zones is the
 * zone page at hand, share-locked, or InvalidBuffer. */
extern HxSpan HxEntrySpan(Relation index, const HxIndexDesc *desc,
						  const HxEntry *entry, Buffer *zones);

/* Widen a range by another, or by a row in an index with groups. */
extern void HxAddSpan(HxSpan *range, HxSpan other);
extern void HxWidenSpan(const HxIndexDesc *desc, HxSpan *range,
						const HxAttrRow *attrs);

/* Can a row with a key of the range pass the filter?  False only if none can */
extern bool HxSpanMayPass(const HxIndexDesc *desc, const HxFilter *filter,
						  const HxSpan *range);

#endif /* HX_SPAN_H */
