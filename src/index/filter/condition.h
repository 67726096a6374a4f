/*
 * condition.h
 *	  What a filter is made of: what compile.c compiles and mask.c evaluates.
 */
#ifndef HX_CONDITION_H
#define HX_CONDITION_H

#include "index/filter/filter.h"

/* What a condition demands of a row's words */
typedef enum HxConditionKind
{
	HX_CONDITION_RANGE, /* low <= word <= high */
	HX_CONDITION_SET,	/* word is one of the values */
	HX_CONDITION_PAIRS, /* word and the next are one of the pairs */
	HX_CONDITION_ALL,	/* word and the next have all bits of `bits` */
	HX_CONDITION_ANY,	/* they have both bits of one of the elements */
	HX_CONDITION_SUBSET /* they have no bits but those of `bits` */
} HxConditionKind;

/* Sets with more values than this are looked up in a hash table */
#define HX_SMALL_SET 8

/* One condition on one attribute that is not NULL */
typedef struct HxCondition
{
	HxConditionKind kind; /* what is demanded */
	bool negated;		  /* RANGE, SET, PAIRS: demanded is the opposite */
	int word;			  /* the first word it reads */
	uint64 probe;		  /* RANGE: `seen` bits of the words that pass */
	int64 low;			  /* RANGE: least word that passes */
	int64 high;			  /* RANGE: greatest word that passes */
	int count;			  /* SET, PAIRS: how many */
	int64 *values;		  /* SET, PAIRS: ascending, without duplicates */
	int64 *table;		  /* SET: open addressing, NULL for a small set */
	uint32 table_mask;	  /* SET: slots - 1 */
	int64 empty;		  /* SET: marks a free slot; not a value */
	uint64 bits[2];		  /* ALL, SUBSET: bits of the two words;
						   * ANY: first bits of all elements */
	uint64 *second;		  /* ANY: second bits of elements by first bit */
} HxCondition;

/* Filters at least one of which must pass */
typedef struct HxFilterOr
{
	int count;
	HxFilter *arms;
} HxFilterOr;

/* A conjunction; negations have been driven down to the conditions */
struct HxFilter
{
	const HxIndexDesc *desc; /* the index */
	bool never;				 /* nothing passes */
	bool recheck;			 /* a row that passes may still be wrong */
	uint32 must_be_null;	 /* attributes that must be NULL */
	uint32 must_be_value;	 /* attributes that must not be NULL */
	int count;				 /* conditions, all of which must hold */
	int room;				 /* for this many */
	HxCondition *conditions; /* the conditions */
	int nors;				 /* disjunctions, all of which must hold */
	int ors_room;			 /* for this many */
	HxFilterOr *ors;		 /* the disjunctions */
};

/* First slot of a word in a hash table of slots - 1 = mask */
static inline uint32
HxSetSlot(int64 word, uint32 mask)
{
	uint64 mixed = (uint64) word;

	mixed = (mixed ^ (mixed >> 32)) * UINT64CONST(0xD6E8FEB86659FD93);
	mixed = (mixed ^ (mixed >> 32)) * UINT64CONST(0xD6E8FEB86659FD93);
	return (uint32) (mixed >> 32) & mask;
}

/* ---- condition.c ---- */

/* qsort comparator of words */
extern int HxCompareWords(const void *a, const void *b);

/* Sort words, or pairs of words, and drop duplicates; the new count. */
extern int HxSortUnique(int64 *values, int count, int width);

/* A new condition that starts at a word, zeroed. */
extern HxCondition *HxAddCondition(HxFilter *filter, HxConditionKind kind,
								   int word);

/* Demand low <= word <= high. */
extern void HxAddRange(HxFilter *filter, int word, int64 low, int64 high);

/* Demand that a word is one of some values, which this sorts and keeps. */
extern void HxAddValues(HxFilter *filter, int word, int64 *values, int count);

/* Demand that a word is none of some values, which this sorts and keeps. */
extern void HxAddExcluded(HxFilter *filter, int word, int64 *values, int count);

#endif /* HX_CONDITION_H */
