/*
 * filter.h
 *	  Conditions on attribute columns: compiled from scan keys, evaluated
 *	  column by column into a row mask, and against zone maps.
 */
#ifndef HX_FILTER_H
#define HX_FILTER_H

#include "access/skey.h"
#include "index/attribute.h"

typedef struct HxFilter HxFilter;

/*
 * Compile the scan keys on attribute columns (others are ignored), all of
 * which must hold.  Allocated in the current memory context.
 */
extern HxFilter *HxMakeFilter(const HxIndexDesc *desc, const ScanKeyData *keys,
							  int nkeys);

/* No condition at all: every row passes */
extern bool HxFilterIsTrivial(const HxFilter *filter);

/* No row can pass, whatever the data (a comparison with NULL, IN of nothing) */
extern bool HxFilterIsNever(const HxFilter *filter);

/* A passing row must be rechecked against the conditions on its heap tuple */
extern bool HxFilterNeedsRecheck(const HxFilter *filter);

/* Can a row of a block with this zone map pass?  False only if none can. */
extern bool HxFilterZone(const HxFilter *filter, const HxZone *zone);

/*
 * Clear the mask bits of rows that do not pass.  mask has (count + 63) / 64
 * words; bits already clear stay clear.
 */
extern void HxFilterRows(const HxFilter *filter, const HxColumns *columns,
						 uint64 *mask);

#endif /* HX_FILTER_H */
