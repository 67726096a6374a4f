/*
 * attribute.h
 *	  Attribute columns: values as words, and zone maps over words.
 */
#ifndef HX_ATTRIBUTE_H
#define HX_ATTRIBUTE_H

#include "index/index.h"

/*
 * Zone map of one word over the rows of a block: every row's word w has
 * min <= w <= max, and bit (hash of w) mod 64 of `seen` is set.  An empty
 * block has min > max and seen = 0.
 */
typedef struct HxWordZone
{
	int64 min;
	int64 max;
	uint64 seen;
} HxWordZone;

/*
 * Zone map of a block: which attributes have NULLs and non-NULLs (bit i for
 * attribute i), and a zone for every word.  Words of NULLs do not count.
 * For arrays, `seen` of a signature word is the union of the signatures.
 */
typedef struct HxZone
{
	uint32 nulls;
	uint32 values;
	HxWordZone words[FLEXIBLE_ARRAY_MEMBER];
} HxZone;

#define HX_ZONE_SIZE(nwords)                                                   \
	(offsetof(HxZone, words) + (nwords) * sizeof(HxWordZone))

/* A row's attributes in memory: words, and bit i of nulls for attribute i */
typedef struct HxAttrRow
{
	uint32 nulls;
	int64 words[HX_MAX_WORDS];
} HxAttrRow;

/* Fill in attr for an index column; errors if it has no attribute opclass */
extern void HxInitAttr(HxAttr *attr, Relation index, AttrNumber attno);

/* Words and NULL bits of one row; values and isnull indexed by attno - 1 */
extern void HxEncodeAttrs(const HxIndexDesc *desc, const Datum *values,
						  const bool *isnull, HxAttrRow *row);

extern void HxInitZone(const HxIndexDesc *desc, HxZone *zone);

/* Widen a zone to cover a row; true if that changed it */
extern bool HxWidenZone(const HxIndexDesc *desc, HxZone *zone,
						const HxAttrRow *row);

/* Does the zone already cover the row?  (what HxWidenZone would not change) */
extern bool HxZoneCovers(const HxIndexDesc *desc, const HxZone *zone,
						 const HxAttrRow *row);

#endif /* HX_ATTRIBUTE_H */
