/*
 * format.h
 *	  Pages that only indexes in blocks have: see README, "Structure on disk".
 *
 * Pages of rows and the metapage are those of every index (page/page.h).
 */
#ifndef HX_FORMAT_H
#define HX_FORMAT_H

#include "index/page/page.h"

/* Types of pages; 4 is HX_PAGE_ROWS */
#define HX_PAGE_DIRECTORY 2
#define HX_PAGE_ZONES 3
#define HX_PAGE_MISSES 5
#define HX_PAGE_RING 6
#define HX_PAGE_UPPER 7 /* upper level of the directory */

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
	uint32 changes;		/* rows that came or went since it was written */
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

/* Table of expected misses */
#define HX_MISSES_PROMISES 60
#define HX_MISSES_DISTANCES 64
#define HX_MISSES_TARGETS 3 /* .90, .95, .99 */
#define HX_MISSES_FOUND 3	/* rows wanted: 1, 10, 100 */
#define HX_MISSES_SEARCHES (3 * HX_MISSES_FOUND)

typedef struct HxMisses
{
	double promise_low; /* centre of the first row */
	double promise_step;
	double distance_low; /* distance of the first column */
	double distance_step;
	float safety[HX_MISSES_TARGETS]; /* factors on the expected misses */
	float unused;
	uint16 cells[HX_MISSES_PROMISES][HX_MISSES_DISTANCES]; /* -log2 share, in
														  * 1/2048 */
	/* Likewise, where 10 and 100 rows are wanted; 0, as indexes of 0.1.0 have: the
	 * same */
	float safety_of_more[HX_MISSES_TARGETS][HX_MISSES_FOUND - 1];
	/* Mean share of the rows that searches visit, for costs: without a filter where so
	 * many rows are wanted, and with one that all rows pass, or one row in eight; 0, as
	 * indexes of 0.2.0 have: not known */
	float visited[HX_MISSES_TARGETS][HX_MISSES_SEARCHES];
	/* Factors where a filter thins the rows and 1, 10 and 100 are wanted; 0, as indexes
	 * of before have: made of the others */
	float safety_filtered[HX_MISSES_TARGETS][HX_MISSES_FOUND];
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

extern int HxDirectoryCapacity(const HxIndexDesc *desc);
extern int HxZonesCapacity(const HxIndexDesc *desc);
extern int HxUpperCapacity(const HxIndexDesc *desc);
extern uint8 *HxPageCentroids(Page page);
extern uint8 *HxPageUpperCentroids(Page page);
extern HxZone *HxPageZone(const HxIndexDesc *desc, Page page, int slot);
extern void HxCountRemoved(HxEntry *entry, int removed);
extern void HxPostponeSplit(const HxIndexDesc *desc, HxEntry *entry);
extern void HxInitDirectoryPage(const HxIndexDesc *desc, Page page);
extern void HxInitUpperPage(const HxIndexDesc *desc, Page page);
extern void HxInitZonesPage(const HxIndexDesc *desc, Page page,
							BlockNumber parent);
extern HxEntry *HxGetEntry(Relation index, Buffer directory, int slot);
extern HxZone *HxGetZone(Relation index, const HxIndexDesc *desc, Buffer zones,
						 int slot);
extern const char *HxBlocksPageFault(const HxIndexDesc *desc, Page page,
									 uint16 type);

#endif /* HX_FORMAT_H */
