/*
 * tidset.h
 *	  A set of TIDs to be asked for members: what the bitmaps of other indexes
 *	  become, which can only be read from start to end.
 *
 * A set is filled in by heap block and then finished.  It takes no more than
 * the memory it was given: beyond, it forgets offsets and knows only heap
 * blocks, all of whose rows are then members.
 */
#ifndef HX_TIDSET_H
#define HX_TIDSET_H

#include "storage/block.h"
#include "storage/itemptr.h"
#include "storage/off.h"

typedef struct HxTidSet HxTidSet;

/*
 * An empty set of rows of a table with nblocks blocks (members may lie beyond),
 * in at most `memory` bytes (at least 64 kB).  Allocated, with all it grows
 * by, in a context below the current one.
 */
extern HxTidSet *HxBeginTidSet(BlockNumber nblocks, Size memory);

/*
 * Add rows of a heap block, each block at most once, in any order of blocks.
 * recheck: the rows may not be what was asked for.
 */
extern void HxAddTids(HxTidSet *set, BlockNumber block,
					  const OffsetNumber *offsets, int count, bool recheck);

/* Add all rows of a heap block: a lossy page. */
extern void HxAddTidBlock(HxTidSet *set, BlockNumber block);

/* No more is added; required before anything is asked. */
extern void HxFinishTidSet(HxTidSet *set);

/* Free it. */
extern void HxFreeTidSet(HxTidSet *set);

/* Rows in the set; if *exact is false, there may be other ones too */
extern uint64 HxTidSetCount(const HxTidSet *set, bool *exact);

/* Lossy pages in the set, those that memory made lossy included */
extern uint64 HxTidSetLossy(const HxTidSet *set);

/* Must rows be checked against the conditions that the set stands for? */
extern bool HxTidSetNeedsRecheck(const HxTidSet *set);

/* Clear the mask bits of rows that are not in the set. */
extern void HxTidSetFilter(const HxTidSet *set, const ItemPointerData *tids,
						   int count, uint64 *mask);

/* Where a walk through a set is; start with all zeros */
typedef struct HxTidSetCursor
{
	uint64 block;
	uint32 offset;
} HxTidSetCursor;

/* The next member by (block, offset), of sets without lossy pages only. */
extern bool HxNextTid(const HxTidSet *set, HxTidSetCursor *place,
					  ItemPointer tid);

#endif /* HX_TIDSET_H */
