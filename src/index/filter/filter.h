/*
 * filter.h
 *	  Conditions on attribute columns: compiled from scan keys, evaluated
 *	  column by column into a row mask, and against zone maps.
 */
#ifndef HX_FILTER_H
#define HX_FILTER_H

#include "access/skey.h"
#include "index/filter/attribute.h"

typedef struct HxFilter HxFilter;

/* Kinds of HxCondExpr */
typedef enum HxCondExprKind
{
	HX_COND_AND,  /* of any number of arguments; of none: true */
	HX_COND_OR,	  /* of any number of arguments; of none: false */
	HX_COND_NOT,  /* of one argument */
	HX_COND_KEY,  /* of one attribute column */
	HX_COND_CONST /* true, false or NULL */
} HxCondExprKind;

/*
 * A condition on attribute columns as a tree, with SQL's logic of three
 * values.  A key is a scan key as core makes them for an index scan:
 *
 *	  column op value		sk_attno (of the index), sk_strategy, sk_subtype (of
 *							the value; InvalidOid: the operator class's own),
 *							sk_collation, sk_argument, or SK_ISNULL
 *	  column op ANY (array)	SK_SEARCHARRAY, and sk_argument is the array
 *	  column IS NULL		SK_SEARCHNULL | SK_ISNULL
 *	  column IS NOT NULL	SK_SEARCHNOTNULL | SK_ISNULL
 *	  value = ANY (column)	HX_STRATEGY_ELEMENT; sk_subtype: the value's type
 *							(InvalidOid: that of the column's elements)
 *
 * sk_func is not used.  What has no key of its own is made from others:
 *
 *	  column <> value		NOT (column = value)
 *	  column <> ALL (array)	NOT (column = ANY (array))
 *	  column op ALL (array)	NOT (column negated-op ANY (array))
 *	  flag					column = true
 *	  NOT flag				column = false
 *	  flag IS TRUE			column = true AND column IS NOT NULL
 *	  flag IS FALSE			column = false AND column IS NOT NULL
 *	  flag IS NOT TRUE		NOT (column = true AND column IS NOT NULL)
 *	  flag IS UNKNOWN		column IS NULL
 *
 * An operator must be of the column's operator family, or mean the same as one
 * of that strategy (plan/compile.c); the key's collation must be the index
 * column's.
 */
typedef struct HxCondExpr
{
	HxCondExprKind kind;
	int nargs;				  /* AND, OR, NOT: arguments */
	struct HxCondExpr **args; /* AND, OR, NOT: the arguments */
	ScanKeyData key;		  /* KEY: the condition */
	bool value;				  /* CONST: its value */
	bool isnull;			  /* CONST: it is NULL */
} HxCondExpr;

/*
 * Compile the scan keys on attribute columns (others are ignored), all of
 * which must hold.  Allocated in the current memory context.
 */
extern HxFilter *HxMakeFilter(const HxIndexDesc *desc, const ScanKeyData *keys,
							  int nkeys);

/*
 * Compile scan keys as HxMakeFilter does, and a tree (NULL: none): both must
 * hold.  Whatever the tree, no row for which it is true is left out; where the
 * words of an attribute cannot tell, rows pass that need a recheck.
 */
extern HxFilter *HxMakeFilterTree(const HxIndexDesc *desc,
								  const ScanKeyData *keys, int nkeys,
								  const HxCondExpr *expr);

/* No condition at all: every row passes */
extern bool HxFilterIsTrivial(const HxFilter *filter);

/* No row can pass, whatever the data (a comparison with NULL, IN of nothing) */
extern bool HxFilterIsNever(const HxFilter *filter);

/* A passing row must be rechecked against the conditions on its heap tuple */
extern bool HxFilterNeedsRecheck(const HxFilter *filter);

/* Add the words that the filter reads, and the attributes whose NULLs */
extern void HxFilterReads(const HxFilter *filter, uint64 *words, uint32 *nulls);

/* Can a row of a block with this zone map pass?  False only if none can. */
extern bool HxFilterZone(const HxFilter *filter, const HxZone *zone);

/*
 * Clear the mask bits of rows that do not pass.  mask has (count + 63) / 64
 * words; bits already clear stay clear.
 */
extern void HxFilterRows(const HxFilter *filter, const HxColumns *columns,
						 uint64 *mask);

#endif /* HX_FILTER_H */
