/*
 * check.h
 *	  What hashemb_check() knows while it runs.
 */
#ifndef HX_CHECK_H
#define HX_CHECK_H

#include "index/page/page.h"
#include "index/search/search.h"
#include "lib/bloomfilter.h"
#include "utils/tuplesort.h"

/* What is returned */
typedef struct Counts
{
	int64 blocks;
	int64 rows; /* with a vector or without */
	int64 null_rows;
	int64 dead;
	int64 directory_pages; /* those of the upper level included */
	int64 zone_pages;
	int64 ring_pages;
	int64 rows_pages;
	int64 free_pages;
	int64 orphan_pages;
	int64 heap_rows;
} Counts;

/* The block being checked: copies, and what its chain added up to */
typedef struct BlockCheck
{
	HxPlace place;
	HxEntry entry;
	HxRange page_range; /* of its directory page */
	uint8 *centroid;
	HxZone *zone;
	bool is_nulls;
	bool certain; /* nobody can be changing the block */
	uint64 rows;
	uint64 dead;
} BlockCheck;

/* Finds circles in a chain (Brent 1980): remembers an ever later page */
typedef struct Walk
{
	BlockNumber remembered;
	uint32 steps; /* since it was remembered */
	uint32 limit; /* steps until the next is remembered */
} Walk;

/* Begin a walk along a chain. */
static inline void
HxStartWalk(Walk *walk)
{
	walk->remembered = InvalidBlockNumber;
	walk->steps = 0;
	walk->limit = 1;
}

/* Take a step to a page; true if the chain runs in a circle. */
static inline bool
HxHasBeenAt(Walk *walk, BlockNumber block)
{
	if (block == walk->remembered)
		return true;
	if (++walk->steps == walk->limit)
	{
		walk->remembered = block;
		walk->steps = 0;
		walk->limit *= 2;
	}
	return false;
}

typedef struct Check
{
	Relation heap;
	Relation index;
	HxIndexDesc desc;
	BufferAccessStrategy strategy;
	HxMeta meta;
	BlockNumber npages;		 /* length of the file at the beginning */
	BlockNumber heap_npages; /* length of the table, as last seen */
	uint8 *reached;			 /* a bit for each page that has a purpose */
	uint64 *owners;			 /* of all blocks */
	int nowners;
	int owners_room;
	BlockNumber *directory; /* its pages */
	int ndirectory;
	int directory_room;
	BlockCheck block;
	PGAlignedBlock page; /* copy of the page being checked */
	Counts counts;

	/* heapallindexed; filter is NULL without */
	bool frozen; /* ShareLock is held: nobody writes */
	bloom_filter *filter;
	Tuplesortstate *tids;
	uint8 *print; /* what is put into the filter */
	Size print_size;
	MemoryContext context; /* reset for each row of the table */
} Check;

/* Take note that a page has a purpose; false if that was known. */
extern bool HxReach(Check *check, BlockNumber block);

/* Copy a page, whatever it is, to check->page. */
extern Page HxCopyPage(Check *check, BlockNumber block);

/* Remember a directory page, for HxCheckUpper. */
extern void HxNoteDirectoryPage(Check *check, BlockNumber block);

/*
 * The upper level describes each directory page once; there is none if there is
 * only one.  It is read after the directory, and only grows.
 */
extern void HxCheckUpper(Check *check);

/* Prepare to remember all entries. */
extern void HxStartFingerprints(Check *check);

/*
 * Remember an entry; payload NULL for a NULL vector.  A dead one only has a TID,
 * which no other may have.
 */
extern void HxAddFingerprint(Check *check, const ItemPointerData *tid,
							 const HxAttrRow *attrs, const uint8 *payload,
							 bool dead);

/* No TID is in the index twice. */
extern void HxCheckTids(Check *check);

/* Every row that a snapshot sees and that the index should have is in it. */
extern void HxCheckHeap(Check *check);

#endif /* HX_CHECK_H */
