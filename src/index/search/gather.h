/*
 * gather.h
 *	  Finding few rows through the attribute columns alone.
 */
#ifndef HX_GATHER_H
#define HX_GATHER_H

#include "index/search/search.h"

/*
 * The rows that pass a specification's filter, as a set in the current context;
 * NULL if they are many more than expected.  It has no set and no conditions on
 * the vector.  No page of the index is locked before or after.
 */
extern HxTidSet *HxGatherRows(Relation index, const HxIndexDesc *desc,
							  const HxSearchSpec *spec, double expected);

#endif /* HX_GATHER_H */
