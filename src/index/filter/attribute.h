/*
 * attribute.h
 *	  Attribute columns: values as words, and zone maps over words.
 */
#ifndef HX_ATTRIBUTE_H
#define HX_ATTRIBUTE_H

#include "index/index.h"
#include "utils/array.h"

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

#define HX_ZONE_SIZE(nwords) \
	(offsetof(HxZone, words) + (nwords) * sizeof(HxWordZone))

/* A row's attributes in memory: words, and bit i of nulls for attribute i */
typedef struct HxAttrRow
{
	uint32 nulls;
	int64 words[HX_MAX_WORDS];
} HxAttrRow;

/* The attribute columns of the rows of one page */
typedef struct HxColumns
{
	int count;			 /* rows */
	const int64 *words;	 /* word w of row i: words[w * stride + i] */
	const uint64 *nulls; /* row i NULL in attribute a: bit i % 64 of
						  * nulls[a * null_stride + i / 64] */
	int stride;			 /* rows a word column has room for */
	int null_stride;	 /* 64-bit words a NULL bitmap has */
} HxColumns;

/* A word's bit in the `seen` bits of its zone; on disk, so never to change */
static inline uint64
HxWordBit(int64 word)
{
	return UINT64CONST(1) << (((uint64) word *
							   UINT64CONST(0x9E3779B97F4A7C15)) >>
							  58);
}

/*
 * Fill in attr for an index column, but for first_word; errors if it has no
 * attribute opclass
 */
extern void HxInitAttr(HxAttr *attr, Relation index, AttrNumber attno);

/* Error if an index on this column should not be built */
extern void HxCheckAttr(const HxAttr *attr, Relation index);

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

/*
 * For filters: words of an operator's right-hand value, bits of an array's
 * element, an array's elements, and the hash function behind them (HxHashValue
 * must not be called with HX_HASH_NONE).
 */
extern bool HxEncodeOperand(const HxAttr *attr, Oid subtype, Datum value,
							int64 *words);
extern void HxElementBits(const HxAttr *attr, Datum element, uint64 *bits);
extern void HxArrayElements(ArrayType *array, Datum **elements, bool **nulls,
							int *count);
extern HxHashForm HxFindHash(Oid type, Oid *function);
extern void HxInitHash(HxHash *hash, Oid type, MemoryContext context);
extern uint64 HxHashValue(const HxHash *hash, Oid collation, Datum value);
extern void HxHashBits(uint64 hash, uint64 *bits);

#endif /* HX_ATTRIBUTE_H */
