/*
 * inspect.h
 *	  What the functions that show and check an index share.
 */
#ifndef HX_INSPECT_H
#define HX_INSPECT_H

#include "storage/lockdefs.h"
#include "utils/relcache.h"

extern Relation HxOpenIndex(Oid oid, LOCKMODE lockmode);

#endif /* HX_INSPECT_H */
