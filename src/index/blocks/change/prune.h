/*
 * prune.h
 *	  Removing dead rows from a block that has no room left.
 */
#ifndef HX_PRUNE_H
#define HX_PRUNE_H

#include "index/blocks/store/directory.h"

/*
 * Remove the rows of a block that are dead to everybody, if there are some in a
 * sample.  No lock may be held; does less, or nothing, if the block has gone or
 * changes meanwhile.  Reads pages of the table.
 */
extern void HxPruneBlock(Relation index, Relation heap, const HxIndexDesc *desc,
						 const HxBlock *block);

#endif /* HX_PRUNE_H */
