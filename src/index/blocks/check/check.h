/*
 * check.h
 *	  Checking an index whose rows are kept in blocks.
 */
#ifndef HX_BLOCKS_CHECK_H
#define HX_BLOCKS_CHECK_H

#include "index/blocks/store/directory.h"
#include "index/check/check.h"

/* The block being checked: copies, and what its chain added up to */
typedef struct HxCheckedBlock
{
	HxEntryAddress place;
	HxEntry entry;
	HxSpan page_range; /* of its directory page */
	uint8 *centroid;
	HxZone *zone;
	bool is_nulls;
	bool certain;		  /* nobody can be changing the block */
	bool locked;		  /* its directory page is */
	bool interrupted;	  /* left half checked, for an interrupt that waits */
	HxCheckCounts counts; /* of its rows */
} HxCheckedBlock;

typedef struct HxBlocksCheck
{
	HxCheck *base;
	HxOwners owners;	  /* of all blocks */
	HxPageList directory; /* its pages */
	HxCheckedBlock block;
} HxBlocksCheck;

/*
 * Something is wrong with the block being checked: report it, or return false
 * for the block to be looked at again if others may be changing it.
 */
extern bool HxBlockFault(const HxBlocksCheck *check, BlockNumber page,
						 const char *detail);

/*
 * Check the chain of the block being checked, whose entry, centroid and zone map
 * have been copied, and its rows; false as for HxBlockFault.  Adds up rows and
 * dead ones.  No more pages are locked than before, but for one at a time.  Under
 * a lock, which holds interrupts off, it stops when one waits, and says so in
 * check->block.interrupted.
 */
extern bool HxCheckBlockRows(HxBlocksCheck *check);

/*
 * Check the block of entry `slot` of a directory page, and count it.  No page is
 * locked before.
 */
extern void HxCheckBlock(HxBlocksCheck *check, BlockNumber page, int slot);

/*
 * The upper level describes each directory page once; there is none if there is
 * only one.  It is read after the directory, and only grows.  Sorts the list of
 * directory pages.
 */
extern void HxCheckUpper(HxBlocksCheck *check);

#endif /* HX_BLOCKS_CHECK_H */
