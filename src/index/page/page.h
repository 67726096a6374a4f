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

/*
 * Types of pages that every index may have.  Those of a kind of vectors are in
 * its own header: 2, 3, 5 to 7 in blocks/store/format.h; others begin at 16.
 */
#define HX_PAGE_FREE 0
#define HX_PAGE_META 1
#define HX_PAGE_ROWS 4
#define HX_PAGE_TYPES 256 /* numbers are less */

/* Special space of every page */
typedef struct HxOpaque
{
	uint64 owner;		/* block incarnation, or HX_NO_OWNER */
	BlockNumber next;	/* next page of the chain, or InvalidBlockNumber */
	BlockNumber parent; /* rows, zones: directory page of the block(s) */
	uint16 slot;		/* rows: the block's slot on that page */
	uint16 kind;		/* HX_PAGE_... */
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
	BlockNumber model;			/* first page of what was learnt of the vectors;
								 * 0: nothing */
} HxMeta;

/* The table was made from queries of the user */
#define HX_META_OWN_QUERIES 0x0001

#define HxPageMeta(page) ((HxMeta *) HxContents(page))

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

/* A row between heap and index; its payload follows the words in use */
typedef struct HxRow
{
	ItemPointerData tid;
	bool has_vector;
	bool alive;		 /* in a build: not deleted; others are not sampled */
	HxAttrRow attrs; /* only the words in use are stored */
} HxRow;

static inline Size
HxRowHeader(const HxIndexDesc *desc)
{
	return MAXALIGN(offsetof(HxRow, attrs) + offsetof(HxAttrRow, words) +
					desc->nwords * sizeof(int64));
}

static inline Size
HxRowSize(const HxIndexDesc *desc)
{
	return HxRowHeader(desc) + desc->payload;
}

#define HxRowPayload(desc, row) ((uint8 *) (row) + HxRowHeader(desc))

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
extern void HxRowArraysOf(const HxIndexDesc *desc, Page page,
						  HxRowArrays *arrays);

/* Begin a row of the table, HxRowSize(desc) bytes, whose payload is to be formed. */
extern void HxBeginRow(const HxIndexDesc *desc, const Datum *values,
					   const bool *isnull, ItemPointer tid, HxRow *row);

/*
 * Form a row of the table, HxRowSize(desc) bytes; alive is false.  Errors if the
 * vector's shape is not the index's.
 */
extern void HxFormRow(const HxIndexDesc *desc, const Datum *values,
					  const bool *isnull, ItemPointer tid, HxRow *row);

/* Rows on a page */
extern void HxPutRow(const HxIndexDesc *desc, Page page, const uint8 *payload,
					 const HxAttrRow *attrs, const ItemPointerData *tid);
extern void HxSetRowAttrs(const HxIndexDesc *desc, const HxRowArrays *arrays,
						  int row, const HxAttrRow *attrs);
extern void HxGetRowAttrs(const HxIndexDesc *desc, const HxRowArrays *arrays,
						  int row, HxAttrRow *attrs);
extern void HxHoleOf(const HxIndexDesc *desc, Page page, LocationIndex *lower,
					 LocationIndex *upper);
/* Report a page's TIDs to a vacuum's callback: note dead rows, return how many. */
extern int HxFindDeadRows(const HxIndexDesc *desc, Page page,
						  IndexBulkDeleteCallback callback, void *state,
						  bool *dead);

/* Rows of a page that are marked as dead */
extern int HxCountMarks(const HxRowArrays *arrays);
extern int HxRemoveRows(const HxIndexDesc *desc, Page page, const bool *dead);

/* Pages */
extern void HxInitPage(Page page, uint16 kind);
extern void HxInitRowsPage(const HxIndexDesc *desc, Page page, uint64 owner,
						   HxEntryAddress parent);
extern HxMeta *HxInitMetapage(const HxIndexDesc *desc, Page page);
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
extern bool HxTidIsSound(const ItemPointerData *tid);
extern void HxCheckTid(Relation index, Relation table, BlockNumber *npages,
					   const ItemPointerData *tid);
pg_noreturn extern void HxCorrupted(Relation index, BlockNumber block,
									const char *detail);
extern Buffer HxNewBufferAfter(Relation index, BlockNumber after, bool *reused);

/*
 * Add a page at the end of a fork that nobody else sees, exclusively locked and
 * not initialised; and be done with it.  The fork is logged as a whole.
 */
extern Buffer HxExtendFork(Relation index, ForkNumber fork);
extern void HxFinishPage(Buffer buffer);

extern void HxMarkPageFree(Page page);
extern void HxFreeNewPage(Relation index, BlockNumber block,
						  BufferAccessStrategy strategy);
extern void HxShowFreePages(Relation index, const BlockNumber *pages,
							int count);
extern BlockNumber HxCountPages(Relation index);
extern void HxLogConflict(Relation index, Relation heap, BlockNumber block,
						  TransactionId newest);

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

/* A way along a chain of pages of one type */
typedef struct HxChainCursor
{
	Relation index;
	uint16 kind;
	int lockmode;
	Buffer buffer;	   /* locked, or InvalidBuffer */
	BlockNumber block; /* of it */
	BlockNumber next;  /* InvalidBlockNumber: there is none */
	uint32 steps;
} HxChainCursor;

extern void HxBeginChain(HxChainCursor *cursor, Relation index,
						 BlockNumber first, uint16 kind, int lockmode);

/* At the first page that the metapage names as the directory's */
extern void HxBeginDirectory(HxChainCursor *cursor, Relation index, uint16 kind,
							 int lockmode);

/*
 * Unlock the page, if one is locked, and lock the next; NULL at the end.  Errors
 * if that is no sound page of the type, or the chain runs in a circle.  Checks for
 * interrupts.
 */
extern Page HxNextPage(HxChainCursor *cursor);

/* Unlock the page, if one is locked. */
extern void HxLeavePage(HxChainCursor *cursor);

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

/* Error unless a metapage is that of an index of this version. */
extern void HxCheckVersion(Relation index, const HxMeta *meta);

/* The vectors' shape as the metapage has it; false if there is none yet */
extern bool HxStoredShape(Relation index, int *dims, int *planes);

/* The bytes of a payload as the metapage has them; 0 if there is none yet */
extern Size HxStoredPayload(Relation index);

/*
 * Does neither the type of an index's vector column nor an option tell its
 * dimensions?  Sets number and class of the column; errors if there is none.
 */
extern bool HxLacksDims(Relation index, AttrNumber *attno,
						const struct HxVectorClass **class);

/* Description of an index, cached with its relcache entry */
extern const HxIndexDesc *HxDescribe(Relation index);
extern void HxDescribeForBuild(Relation index, HxIndexDesc *desc);
extern void HxLearnGroup(Relation index, int group);

/* Keep what searches of an index visit with its description. */
extern void HxKeepVisits(Relation index, const float *visits);
extern AttrNumber HxGroupColumn(const HxIndexDesc *desc, int group);

#endif /* HX_PAGE_H */
