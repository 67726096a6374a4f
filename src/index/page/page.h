/*
 * page.h
 *	  Page layouts of the index, and how pages are got, checked and freed.
 *
 * See README, "Structure on disk".  Generic WAL clears what lies between
 * pd_lower and pd_upper: on pages of rows that are the payloads not in use and
 * the marks of dead rows, which are hints; other pages have no such hole.
 */
#ifndef HX_PAGE_H
#define HX_PAGE_H

#include "access/generic_xlog.h"
#include "compat.h"
#include "index/filter/attribute.h"
#include "storage/bufmgr.h"

#define HX_MAGIC 0x68784958 /* "hxIX" */
#define HX_VERSION 2
#define HX_METAPAGE 0
#define HX_PAGE_ID 0xFF8E /* identifies our pages to tools */

/* Owner of pages that are not a block's */
#define HX_NO_OWNER 0

#define HX_PAGE_FREE 0
#define HX_PAGE_META 1
#define HX_PAGE_DIRECTORY 2
#define HX_PAGE_ZONES 3
#define HX_PAGE_ROWS 4
#define HX_PAGE_MISSES 5
#define HX_PAGE_RING 6
#define HX_PAGE_UPPER 7 /* upper level of the directory */
/* Indexes of sparse vectors (sparse.h) */
#define HX_PAGE_WINDOWS 16	/* directory of windows */
#define HX_PAGE_MAP 17		/* a window's pages */
#define HX_PAGE_FENCES 18	/* first dimension of each page of dimensions */
#define HX_PAGE_DIMS 19		/* a window's dimensions */
#define HX_PAGE_POSTINGS 20 /* their postings */
#define HX_PAGE_PENDING 21	/* rows not yet in a window */

#define HxPageTypeIsKnown(kind) \
	((kind) <= HX_PAGE_UPPER || \
	 ((kind) >= HX_PAGE_WINDOWS && (kind) <= HX_PAGE_PENDING))

/* Special space of every page */
typedef struct HxOpaque
{
	uint64 owner;		/* block incarnation, or HX_NO_OWNER */
	BlockNumber next;	/* next page of the chain, or InvalidBlockNumber */
	BlockNumber parent; /* rows, zones: directory page of the block(s) */
	uint16 slot;		/* rows: the block's slot on that page */
	uint16 kind;		/* HX_KIND_... */
	uint16 unused;
	uint16 page_id; /* HX_PAGE_ID, last so that tools find it */
} HxOpaque;

#define HxPageOpaque(page) ((HxOpaque *) PageGetSpecialPointer(page))

/* Bytes between page header and special space */
#define HX_PAGE_ROOM \
	(BLCKSZ - MAXALIGN(SizeOfPageHeaderData) - MAXALIGN(sizeof(HxOpaque)))

/* Start of a page's contents, MAXALIGNed */
#define HxContents(page) ((char *) (page) + MAXALIGN(SizeOfPageHeaderData))

/* Metapage */
typedef struct HxMeta
{
	uint32 magic;
	uint32 version;
	uint32 dims;				/* dimensions of the vector column */
	uint32 planes;				/* bits a dimension */
	uint32 payload;				/* bytes of a row's payload */
	uint32 words;				/* attribute words of a row */
	uint32 attributes;			/* attribute columns */
	BlockNumber directory;		/* first directory page */
	BlockNumber directory_end;	/* last directory page */
	BlockNumber misses;			/* table of expected misses */
	uint64 next_owner;			/* next block incarnation */
	uint64 rows_at_build;		/* rows with a vector when it was built */
	uint64 rows_at_calibration; /* rows when the table was made; 0: none */
	uint32 calibrations;		/* how often the table was made */
	uint32 blocks;				/* blocks made, the block of NULLs apart */
	uint32 splits;				/* blocks split */
	uint32 merges;				/* blocks merged */
	uint32 pages_freed;			/* rows pages unlinked by vacuum */
	uint32 pages_reused;		/* free pages taken by inserts */
	BlockNumber ring;			/* first page of the ring of searches */
	uint32 flags;				/* HX_META_... */
	uint32 ring_next;			/* number of the ring's next search */
	uint32 ring_start;			/* the first one that counts */
	uint64 rows_at_full;		/* rows when the table was last made in full */
	uint64 rows_at_search;		/* rows at the last search of the ring */
	BlockNumber upper;			/* first page of the upper level, if any */
	uint32 group;				/* attribute that blocks are formed within, from
								 * 1; 0: none */
	uint32 changes;				/* splits and merges when the table was made */
} HxMeta;

/* The table was made from queries of the user */
#define HX_META_OWN_QUERIES 0x0001

#define HxPageMeta(page) ((HxMeta *) HxContents(page))

/* Values of the attribute that blocks are formed within, as first words */
typedef struct HxSpan
{
	int64 low;
	int64 high;
	uint32 values; /* there are any, from low to high */
	uint32 nulls;  /* there are NULLs, which come after all values */
} HxSpan;

#define HX_EMPTY_SPAN ((HxSpan){PG_INT64_MAX, PG_INT64_MIN, 0, 0})

/* Directory page */
typedef struct HxDirectory
{
	uint16 count; /* entries in use */
	uint16 capacity;
	BlockNumber zones; /* first of its zone pages, a chain */
	HxSpan range;	   /* of all its blocks, if they are formed within groups */
} HxDirectory;

#define HX_ENTRY_NULLS 0x01 /* the block of rows whose vector is NULL */
#define HX_ENTRY_FREE 0x02	/* no block: to be used by the next split */

typedef struct HxEntry
{
	uint64 owner;		/* incarnation of the block */
	uint32 rows;		/* rows, dead ones included */
	uint32 pages;		/* pages of its chain */
	BlockNumber first;	/* first rows page, or InvalidBlockNumber */
	BlockNumber append; /* rows page to append to */
	BlockNumber zones;	/* zone page */
	uint32 radius;		/* greatest spread from the centroid */
	uint32 min_weight;	/* least weight of a row's code */
	uint32 max_weight;	/* greatest weight */
	uint16 zone;		/* slot on the zone page */
	uint8 flags;		/* HX_ENTRY_... */
	uint8 split_above;	/* not split below 2^(n/4) rows; 0: whenever */
	uint32 changes;		/* counts changes to the block's pages */
} HxEntry;

#define HxPageDirectory(page) ((HxDirectory *) HxContents(page))
#define HxPageEntries(page) \
	((HxEntry *) (HxContents(page) + sizeof(HxDirectory)))

/* Page of the upper level: what the directory pages hold, with centroids */
typedef struct HxUpper
{
	uint16 count; /* entries in use */
	uint16 capacity;
	uint32 unused;
} HxUpper;

typedef struct HxUpperEntry
{
	BlockNumber page; /* of the directory */
	uint32 blocks;	  /* that it has, as last seen; 0: no centroid */
	uint64 rows;	  /* of these, as last seen */
} HxUpperEntry;

#define HxPageUpper(page) ((HxUpper *) HxContents(page))
#define HxPageUpperEntries(page) \
	((HxUpperEntry *) (HxContents(page) + sizeof(HxUpper)))

/* Zone page */
typedef struct HxZones
{
	uint16 count; /* zone maps in use */
	uint16 capacity;
	uint32 unused;
} HxZones;

#define HxPageZones(page) ((HxZones *) HxContents(page))

/* Rows page */
typedef struct HxRows
{
	uint16 count; /* rows in use */
	uint16 capacity;
	uint32 unused;
} HxRows;

#define HxPageRows(page) ((HxRows *) HxContents(page))

/* Arrays of a rows page */
typedef struct HxRowArrays
{
	int count;
	uint8 *payloads;	   /* payload bytes a row */
	HxColumns columns;	   /* words and NULL bits, for filters */
	int64 *words;		   /* the same, to write */
	uint64 *nulls;		   /* the same, to write */
	uint64 *dead;		   /* bit i: row i is marked as dead */
	ItemPointerData *tids; /* heap TIDs */
} HxRowArrays;

/* Table of expected misses */
#define HX_MISSES_PROMISES 60
#define HX_MISSES_DISTANCES 64
#define HX_MISSES_TARGETS 3 /* .90, .95, .99 */

typedef struct HxMisses
{
	double promise_low; /* centre of the first row */
	double promise_step;
	double distance_low; /* distance of the first column */
	double distance_step;
	float safety[HX_MISSES_TARGETS]; /* factor on the expected misses */
	float unused;
	uint16 cells[HX_MISSES_PROMISES][HX_MISSES_DISTANCES]; /* -log2 share, in
														  * 1/2048 */
} HxMisses;

#define HxPageMisses(page) ((HxMisses *) HxContents(page))

/* One of the nearest rows of a search, and when it would be found */
typedef struct HxTraceRow
{
	float distance; /* in units of the query */
	uint32 before;	/* rows visited before its block */
} HxTraceRow;

/* Ring of searches */
#define HX_RING_PAGES 64
#define HX_RING_NEAR 480

/* An exhaustive search; the axes are those of HxMisses */
typedef struct HxRing
{
	double promise_low;
	double promise_step;
	double distance_low;
	double distance_step;
	uint32 number; /* of the search */
	uint16 count;  /* nearest rows kept */
	uint16 unused;
	float least_promise;			   /* of a block */
	float least_distance;			   /* of a row */
	uint32 totals[HX_MISSES_PROMISES]; /* rows of blocks, by promise */
	uint8 cells[HX_MISSES_PROMISES][HX_MISSES_DISTANCES]; /* rows nearer than a
														 * distance: 0, or 1 +
														 * 8 log2 */
	HxTraceRow near[HX_RING_NEAR]; /* in the order of visits */
} HxRing;

#define HxPageRing(page) ((HxRing *) HxContents(page))

/* Where a block's entry stands: its name for life */
typedef struct HxEntryAddress
{
	BlockNumber page;
	uint16 slot;
} HxEntryAddress;

/*
 * The attribute, from 1, that the index's option group_by names; 0 if it has
 * none.  Errors if there is no such column, or rows cannot be grouped by it.
 */
extern int HxResolveGroup(Relation index, const HxIndexDesc *desc);

/* Layout */
extern int HxRowsCapacity(Size payload, int nattrs, int nwords);
extern int HxDirectoryCapacity(const HxIndexDesc *desc);
extern int HxZonesCapacity(const HxIndexDesc *desc);
extern int HxUpperCapacity(const HxIndexDesc *desc);
extern uint8 *HxPageCentroids(Page page);
extern uint8 *HxPageUpperCentroids(Page page);
extern HxZone *HxPageZone(const HxIndexDesc *desc, Page page, int slot);
extern void HxRowArraysOf(const HxIndexDesc *desc, Page page,
						  HxRowArrays *arrays);

/* Rows on a page */
extern void HxPutRow(const HxIndexDesc *desc, Page page, const uint8 *payload,
					 const HxAttrRow *attrs, const ItemPointerData *tid);
extern void HxGetRowAttrs(const HxIndexDesc *desc, const HxRowArrays *arrays,
						  int row, HxAttrRow *attrs);
extern void HxHoleOf(const HxIndexDesc *desc, Page page, LocationIndex *lower,
					 LocationIndex *upper);
extern int HxRemoveRows(const HxIndexDesc *desc, Page page, const bool *dead);
extern void HxCountRemoved(HxEntry *entry, int removed);
extern void HxPostponeSplit(HxEntry *entry);

/* Pages */
extern void HxInitPage(Page page, uint16 kind);
extern void HxInitRowsPage(const HxIndexDesc *desc, Page page, uint64 owner,
						   HxEntryAddress parent);
extern void HxInitDirectoryPage(const HxIndexDesc *desc, Page page);
extern void HxInitUpperPage(const HxIndexDesc *desc, Page page);
extern void HxInitZonesPage(const HxIndexDesc *desc, Page page,
							BlockNumber parent);
extern void HxInitMetapage(const HxIndexDesc *desc, Page page);
extern void HxPrefetchPage(Relation index, BlockNumber block);
extern void HxPrefetchLines(Relation index, BlockNumber block,
							const uint16 *lines, int count);
extern void HxPrefetchBytes(Relation index, BlockNumber block, Size offset,
							Size size);
extern Buffer HxReadPage(Relation index, BlockNumber block, int lockmode,
						 uint16 kind);
extern Buffer HxReadBuffer(Relation index, BlockNumber block, int lockmode,
						   BufferAccessStrategy strategy);
extern bool HxPageIsSound(Page page);

#ifdef USE_ASSERT_CHECKING
/*
 * Is a page locked by this backend, in a mode or a stronger one?  Those of
 * temporary indexes have no locks: whatever is asked of them is true.
 */
extern bool HxIsLocked(Buffer buffer, int lockmode);

/* Does this backend hold no lock of any page? */
extern bool HxHoldsNoPage(void);

/* Does it hold the locks below? */
extern bool HxHoldsStructure(Relation index);
extern bool HxHoldsMoves(Relation index);
extern bool HxHoldsWalk(Relation index);
#endif

extern const char *HxPageFault(const HxIndexDesc *desc, Page page, uint16 kind);
extern HxEntry *HxGetEntry(Relation index, Buffer directory, int slot);
extern HxZone *HxGetZone(Relation index, const HxIndexDesc *desc, Buffer zones,
						 int slot);
extern bool HxTidIsSound(const ItemPointerData *tid);
extern void HxCheckTid(Relation index, Relation table, BlockNumber *npages,
					   const ItemPointerData *tid);
pg_noreturn extern void HxCorrupted(Relation index, BlockNumber block,
									const char *detail);
extern Buffer HxNewBufferAfter(Relation index, BlockNumber after, bool *reused);
extern void HxMarkPageFree(Page page);

static inline Buffer
HxNewBuffer(Relation index, bool *reused)
{
	return HxNewBufferAfter(index, HX_METAPAGE, reused);
}

/* Bytes that the cache fetches together, or half of them */
#define HX_CACHE_LINE 64

/* Steps along a chain between two looks at the length of the file */
#define HX_STEPS_UNCHECKED 1024

extern void HxCheckSteps(Relation index, BlockNumber block, uint32 steps);

/*
 * Count a step along a chain of pages; errors if there were more of them than
 * the file has pages, so that a chain that runs in a circle ends.
 */
static inline void
HxCountStep(Relation index, BlockNumber block, uint32 *steps)
{
	if (unlikely(++*steps % HX_STEPS_UNCHECKED == 0))
		HxCheckSteps(index, block, *steps);
}

/* Metapage */
extern void HxReadMeta(Relation index, HxMeta *meta);

/* What is added to the counters of the metapage */
typedef struct HxCounts
{
	int splits;
	int merges;
	int blocks;
	int pages_freed;
	int pages_reused;
} HxCounts;

extern void HxAddCounts(Relation index, const HxCounts *counts);

/* The lock that serialises changes to the structure */
extern bool HxTryLockStructure(Relation index);
extern void HxLockStructure(Relation index);
extern void HxUnlockStructure(Relation index);

/* The lock that keeps rows from moving behind a walk through the file */
extern bool HxTryLockMoves(Relation index);
extern void HxUnlockMoves(Relation index);
extern void HxLockWalk(Relation index);
extern void HxUnlockWalk(Relation index);

/* The vectors' shape as the metapage has it; false if there is none yet */
extern bool HxStoredShape(Relation index, int *dims, int *planes);

/* Description of an index, cached with its relcache entry */
extern const HxIndexDesc *HxDescribe(Relation index);

#endif /* HX_PAGE_H */
