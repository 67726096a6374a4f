/*
 * prune.h
 *	  Leaving out dead rows where a block is to be written anew.
 */
#ifndef HX_PRUNE_H
#define HX_PRUNE_H

#include "index/rewrite.h"

/*
 * Drop those of the copied rows that the table has pruned, if there are some in
 * a sample; returns how many they were.  heap may be NULL: then nothing is
 * dropped.
 */
extern int HxDropDeadRows(HxRewrite *rewrite, Relation heap);

#endif /* HX_PRUNE_H */
