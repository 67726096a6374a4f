/*
 * group.h
 *	  Blocks formed within one value of an attribute: where a row belongs, how
 *	  blocks are cut between values, and which may become one.
 */
#ifndef HX_GROUP_H
#define HX_GROUP_H

#include "index/blocks/store/directory.h"
#include "index/blocks/store/span.h"
#include "index/blocks/change/rewrite.h"

/*
 * Among the blocks whose range has a row's key, the nearest one; if no block's
 * has, one of those next to it in value order.  As HxNearestBlock otherwise.
 */
extern bool HxFindGroupBlock(Relation index, const HxIndexDesc *desc,
							 const uint8 *payload, const HxAttrRow *attrs,
							 HxBlock *block, uint32 *spread, uint64 *rows);

/*
 * Order the rows of a rewrite by key and cut them between keys into at most
 * `wanted` parts of about equal size; returns how many, 1 if there is one key
 * only.  rows: their indexes; counts: rows of the parts.
 */
extern int HxCutByKey(const HxRewrite *rewrite, int wanted, int *rows,
					  int *counts);

/*
 * May two of some blocks become one?  If they have one key and the same, or no
 * other block has a key between theirs.
 */
extern bool HxMayJoin(const HxSpan *ranges, int count, int a, int b);

#endif /* HX_GROUP_H */
