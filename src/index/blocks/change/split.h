/*
 * split.h
 *	  Splitting blocks that have become long.
 */
#ifndef HX_SPLIT_H
#define HX_SPLIT_H

#include "index/blocks/store/directory.h"
#include "index/blocks/store/target.h"

/*
 * Is a block so long that it should be split, and can it be?  `rows` are those
 * of the index.
 */
extern bool HxIsLong(Relation index, const HxIndexDesc *desc,
					 const HxEntry *entry, uint64 rows);

/*
 * Split the block at a place if it is long and nobody else changes the
 * structure; true if so.  No buffer may be locked.
 */
extern bool HxSplitBlock(Relation index, const HxIndexDesc *desc,
						 HxEntryAddress place, uint64 rows);

#endif /* HX_SPLIT_H */
