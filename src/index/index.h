/*
 * index.h
 *	  What the whole access method shares: strategy and support numbers, and
 *	  the description of one index (its vector column, attributes, row layout).
 */
#ifndef HX_INDEX_H
#define HX_INDEX_H

#include "access/amapi.h"
#include "access/genam.h"
#include "fmgr.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

/* Strategies of attribute operator classes: those of btree, then arrays */
#define HX_STRATEGY_LT 1
#define HX_STRATEGY_LE 2
#define HX_STRATEGY_EQ 3
#define HX_STRATEGY_GE 4
#define HX_STRATEGY_GT 5
#define HX_STRATEGY_ELEMENT 6	   /* value = ANY (array); in no class */
#define HX_STRATEGY_OVERLAP 7	   /* array && array */
#define HX_STRATEGY_CONTAINS 8	   /* array @> array */
#define HX_STRATEGY_CONTAINED 9	   /* array <@ array */
#define HX_STRATEGY_ARRAY_EQUAL 10 /* array = array */

/* Strategies of vector operator classes */
#define HX_STRATEGY_DISTANCE 11 /* ORDER BY vector <op> query */
#define HX_STRATEGY_BALL 12		/* bincode <@ hamming_ball */
#define HX_STRATEGY_BOUND 13	/* vector @< distance_bound */
#define HX_STRATEGIES 13

/*
 * Support functions: an operator class has exactly one of the two.  Each is
 * called with a dummy internal argument and returns a pointer to a static
 * HxAttrClass or HxVectorClass.
 */
#define HX_ATTRIBUTE_PROC 1
#define HX_VECTOR_PROC 2
#define HX_SUPPORT_PROCS 2

/* An attribute is stored as one or two words of 8 bytes */
#define HX_ATTR_WORDS 2
#define HX_MAX_WORDS (HX_ATTR_WORDS * INDEX_MAX_KEYS)

/* How an attribute's value becomes words, and what they can decide */
typedef enum HxAttrKind
{
	HX_ATTR_EXACT,	 /* one word, ordered and equal as the values */
	HX_ATTR_ROUNDED, /* one word, weakly monotone: always rechecked */
	HX_ATTR_PAIR,	 /* two words: equal as the values; the first monotone */
	HX_ATTR_HASHED,	 /* a hash word; a second, weakly monotone one if ordered */
	HX_ATTR_ENUM,	 /* the label's OID: equality; ranges as sets of OIDs */
	HX_ATTR_ARRAY	 /* two signature words: necessary conditions only */
} HxAttrKind;

/* How a value is hashed, so that equal values have equal hashes */
typedef enum HxHashForm
{
	HX_HASH_NONE,	/* there is no hash to rely on */
	HX_HASH_VALUE,	/* by the type's own function, 64 bits */
	HX_HASH_SHORT,	/* likewise, 32 bits */
	HX_HASH_NAME,	/* a name, as text */
	HX_HASH_BPCHAR, /* a character(n), as text without the blanks */
	HX_HASH_BITS	/* the bits of a bit string, and their number */
} HxHashForm;

typedef struct HxHash
{
	HxHashForm form;
	FmgrInfo function; /* of VALUE, SHORT, NAME and BPCHAR */
} HxHash;

struct HxAttr;

typedef struct HxAttrClass
{
	HxAttrKind kind;

	/* Turn a non-NULL value of the column's (base) type into its words */
	void (*encode)(const struct HxAttr *attr, Datum value, int64 *words);

	/* HASHED: encode knows a second word, for values ordered by their bytes */
	bool prefixed;
} HxAttrClass;

/* One attribute column of an index */
typedef struct HxAttr
{
	AttrNumber attno;		  /* index column, from 1 */
	const HxAttrClass *class; /* how it is stored */
	Oid type;				  /* operator class's input type, or the
							   * column's own if that is polymorphic */
	Oid collation;			  /* the index column's collation */
	bool ordered;			  /* hashed with an ordered second word */
	int nwords;				  /* 1 or 2 */
	int first_word;			  /* its first word among the row's words */
	HxHash hash;			  /* of the value, or of an array's elements */
} HxAttr;

struct HxVectorClass;

/* Shares of the rows that searches visit, which an index knows of itself */
#define HX_VISIT_SHARES 27

/* Description of one index, computed from its catalog entries */
typedef struct HxIndexDesc
{
	AttrNumber vector_attno; /* index column that holds the vector, from 1 */
	const struct HxVectorClass *vector; /* its operator class */
	Oid family;							/* ... and its family */
	Oid type;							/* ... and the type that it takes */
	int dims;							/* dimensions of the vector column */
	int planes;							/* bits a dimension */
	Size payload;	   /* bytes of a row's payload, MAXALIGNed */
	const void *model; /* what the index has learnt of its vectors, for kinds
						* that learn (HxLearn); NULL: nothing yet */
	bool formed_now;   /* payloads made by a model that was read are those
						* that this version makes, bit for bit */
	int nattrs;		   /* attribute columns */
	int nwords;		   /* words of all attributes together */
	int capacity;	   /* rows on a page */
	int group; /* attribute that blocks are formed within, from 1; 0: none.
				   * Known once the metapage has been read (HxReadMeta) */
	bool visits_known;			   /* for costs: was the following read? */
	float visits[HX_VISIT_SHARES]; /* what searches visit, as the kind has it */
	HxAttr attrs[INDEX_MAX_KEYS];
} HxIndexDesc;

#endif /* HX_INDEX_H */
