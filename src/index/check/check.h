/*
 * check.h
 *	  What hashemb_check() knows while it runs, and what checks of all kinds
 *	  share: pages that have a purpose, and rows compared with the table.
 */
#ifndef HX_CHECK_H
#define HX_CHECK_H

#include "index/kind.h"
#include "index/page/page.h"
#include "lib/bloomfilter.h"
#include "utils/tuplesort.h"

/* What a check found; 0 where a kind has no such thing */
typedef struct HxCheckCounts
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
} HxCheckCounts;

typedef struct HxCheck
{
	Relation heap;
	Relation index;
	HxIndexDesc desc;
	BufferAccessStrategy strategy;
	HxMeta meta;			 /* as last read */
	BlockNumber npages;		 /* length of the file at the beginning */
	BlockNumber heap_npages; /* length of the table, as last seen */
	uint8 *reached;			 /* a bit for each page that has a purpose */
	PGAlignedBlock page;	 /* copy of the page being checked */
	HxCheckCounts counts;
	bool frozen; /* ShareLock is held: nobody writes */

	/* Fingerprints; filter is NULL without */
	bloom_filter *filter;
	Tuplesortstate *tids;
	uint8 *print; /* what is put into the filter */
	Size print_size;
	MemoryContext context; /* reset for each row of the table */
} HxCheck;

/* Pages, in the order of their chain */
typedef struct HxPageList
{
	BlockNumber *pages;
	int count;
	int room;
} HxPageList;

/* ---- reach.c ---- */

/*
 * Begin a check of an index.  Index and table are locked by ShareLock if nobody
 * is to write meanwhile (frozen), else by AccessShareLock.  Errors if the
 * metapage is damaged.
 */
extern void HxStartCheck(HxCheck *check, Relation heap, Relation index,
						 bool frozen);

/*
 * Forget what was reached and counted, to check everything anew, because others
 * have written.  Fingerprints could not be taken back, so there are none.
 */
extern void HxRestartCheck(HxCheck *check);

/*
 * Take note that a page has a purpose; false if that was known, or if the page
 * was added since the check began.
 */
extern bool HxReach(HxCheck *check, BlockNumber block);
extern bool HxIsReached(const HxCheck *check, BlockNumber block);

/*
 * Copy a page to check->page under its share lock: one that may be anything, or
 * one that must be a sound page of a kind; errors if it is not.
 */
extern Page HxCopyPage(HxCheck *check, BlockNumber block);
extern Page HxCopyPageOfKind(HxCheck *check, BlockNumber block, uint16 kind);

/*
 * Add the pages of a chain to a list that is empty at first, and take note that
 * they have a purpose; returns how many had none before.  One page is locked at
 * a time.  Errors if a page is not a sound one of the kind, and if the chain
 * runs in a circle.
 */
extern int HxListChain(HxCheck *check, BlockNumber first, uint16 kind,
					   HxPageList *list);

/* Can a TID be that of a row of the table? */
extern bool HxIsTidInHeap(HxCheck *check, const ItemPointerData *tid);

/*
 * What is wrong with a row's attributes, or NULL.  The zone map is to cover them;
 * NULL if the row has none.
 */
extern const char *HxAttributesFault(const HxIndexDesc *desc,
									 const HxZone *zone,
									 const HxAttrRow *attrs);

/*
 * Check the rows of the copied page: TIDs, vectors by a function, and attributes;
 * count and remember them.  Returns what is wrong, or NULL.  The function says what
 * is wrong with a payload, or NULL, and whether the row has a vector.
 */
extern const char *HxCheckRows(HxCheck *check, const HxZone *zone,
							   const char *(*fault)(void *state,
													const uint8 *payload,
													bool *has_vector),
							   void *state, HxCheckCounts *counts);

/*
 * Count the pages that nothing led to: free ones, and orphans, which crashes
 * have left behind.  Of a sound page that is not free, count_reserve() is asked
 * first: it counts the page that a kind keeps in reserve, or returns false.
 * NULL: the kind has no such pages.  Errors if a page is neither new nor sound.
 */
extern void HxCountOtherPages(HxCheck *check,
							  bool (*count_reserve)(HxCheck *check, Page page));

/* ---- heap.c: only where the check is frozen ---- */

/* Prepare to remember all rows of the index. */
extern void HxStartFingerprints(HxCheck *check);

/*
 * Remember a row of the index, if fingerprints are taken; print is its
 * payload as the kind forms it, NULL if it has no vector.  A dead row only has
 * a TID, which no other may have.
 */
extern void HxAddFingerprint(HxCheck *check, const ItemPointerData *tid,
							 const HxAttrRow *attrs, const uint8 *print,
							 bool dead);

/* Error if a TID is in the index twice.  All rows have been remembered. */
extern void HxCheckTids(HxCheck *check);

/*
 * Error if a row that a snapshot sees and that the index should have is not
 * among those remembered.  Counts the rows.
 */
extern void HxCheckHeap(HxCheck *check);

#endif /* HX_CHECK_H */
