/*
 * directory.h
 *	  Reading the block summaries: for a query, or for a row to insert.
 */
#ifndef HX_DIRECTORY_H
#define HX_DIRECTORY_H

#include "index/filter/filter.h"
#include "index/blocks/store/payload.h"

/* An index with groups is searched exactly where zones leave this many rows */
#define HX_EXACT_GROUP 131072

/* A block as a search knows it: a copy of what its entry said */
typedef struct HxBlock
{
	uint64 owner;		  /* incarnation that its pages must show */
	HxEntryAddress place; /* of its entry */
	BlockNumber first;	  /* first rows page, or InvalidBlockNumber */
	uint32 rows;		  /* rows, dead ones included */
} HxBlock;

/* All blocks of an index, in directory order */
typedef struct HxBlocks
{
	int count;
	int room; /* there is always room for one more */
	HxBlock *blocks;
	float *promises; /* of the blocks: distance of the centroid */
	float *bounds;	 /* no row of the block is nearer */
	HxBlock nulls;	 /* the block of rows without a vector */
	uint64 total;	 /* blocks that the index has, without that one */
} HxBlocks;

/* A set of owners, asked only once it is sorted */
typedef struct HxOwners
{
	uint64 *owners;
	int count;
	int room;
	bool sorted; /* may be asked */
} HxOwners;

extern void HxAddOwner(HxOwners *owners, uint64 owner);
extern void HxSortOwners(HxOwners *owners);
extern bool HxHasOwner(const HxOwners *owners, uint64 owner);

/*
 * Read all entries.  With a query, promises and bounds are computed.  One page
 * is share-locked at a time.  Palloc'd in the current context.
 */
extern void HxReadDirectory(Relation index, const HxIndexDesc *desc,
							const HxQuery *query, HxBlocks *blocks);

/*
 * The same without the blocks of pages of which the filter excludes every row,
 * as far as that can be told from the column that blocks are formed within.
 * Returns the rows of all blocks of the index.  The list is all zeros, or one that
 * was read before, whose arrays are used again.
 */
extern uint64 HxReadDirectoryFor(Relation index, const HxIndexDesc *desc,
								 const HxQuery *query, const HxFilter *filter,
								 HxBlocks *blocks);

/*
 * Empty a list and have room in it for the blocks of an index.  Arrays that there
 * are stay where they are allocated, also when they grow.
 */
extern void HxReserveBlocks(HxBlocks *blocks, const HxMeta *meta);

/* Move a block to an earlier place in the list, where others are dropped. */
static inline void
HxMoveBlock(HxBlocks *blocks, int from, int to)
{
	Assert(to >= 0 && to <= from && from < blocks->count);
	blocks->blocks[to] = blocks->blocks[from];
	blocks->promises[to] = blocks->promises[from];
	blocks->bounds[to] = blocks->bounds[from];
}

/* Add the block of the rows without a vector to the list. */
extern void HxAddNullBlock(HxBlocks *blocks);

/* Free what HxReadDirectory allocated. */
extern void HxFreeBlocks(HxBlocks *blocks);

/* Rows of all blocks, that of the NULLs apart. */
extern uint64 HxBlocksRows(const HxBlocks *blocks);

/* Remove the blocks whose zone map excludes every row. */
extern void HxDropByZones(Relation index, const HxIndexDesc *desc,
						  const HxFilter *filter, HxBlocks *blocks);

/*
 * Remove the blocks all of whose rows are farther from a query than a distance,
 * and from all others of some queries than theirs.
 */
extern void HxDropByDistance(Relation index, const HxIndexDesc *desc,
							 const HxQuery *const *queries,
							 const double *distances, int count,
							 HxBlocks *blocks);

/*
 * A block whose centroid is near to a payload (the nearest one, in an index of
 * fewer than HX_UPPER_FLOOR blocks), the spread from it, and the rows of all
 * blocks, roughly; false if the index has no block yet.
 */
extern bool HxNearestBlock(Relation index, const HxIndexDesc *desc,
						   const uint8 *payload, HxBlock *nearest,
						   uint32 *spread, uint64 *rows);

/* The block of the rows whose vector is NULL. */
extern void HxFindNullBlock(Relation index, const HxIndexDesc *desc,
							HxBlock *block);

/*
 * Read and share-lock a rows page of a block; InvalidBuffer if the page does
 * not belong to that incarnation any more.
 */
extern Buffer HxReadRows(Relation index, const HxIndexDesc *desc,
						 BlockNumber page, uint64 owner);

/*
 * Having met a page that is not the block's: errors if it belongs to the
 * block's chain all the same, looked at under the directory page's lock.
 * No buffer of the index may be locked.
 */
extern void HxCheckChain(Relation index, const HxIndexDesc *desc,
						 const HxBlock *block);

#endif /* HX_DIRECTORY_H */
