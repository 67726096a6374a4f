/*
 * sparse.h
 *	  Indexes of sparse vectors: windows of postings, and rows that wait to
 *	  become one.
 *
 * See README.  What is shared with other kinds: pages and their checks, pages of
 * rows with attributes and zone maps, filters, searches and builds.
 */
#ifndef HX_SPARSE_H
#define HX_SPARSE_H

#include <float.h>
#include <math.h>

#include "index/filter/filter.h"
#include "index/search/search.h"
#include "index/kind.h"
#include "index/page/page.h"
#include "nodes/execnodes.h"
#include "storage/buffile.h"
#include "type/svec.h"
#include "utils/tuplestore.h"

/* Rows of a block: what a bound covers */
#define HX_WINDOW_BLOCK 16
/* Blocks of a window, and a few to spare, so that it is a power of two */
#define HX_WINDOW_BLOCKS 4096
/* Rows of a window at most: slots and numbers of postings are of 16 bits */
#define HX_WINDOW_ROWS ((HX_WINDOW_BLOCKS - 1) * HX_WINDOW_BLOCK)
/* Slots that there is room for */
#define HX_WINDOW_SLOTS (HX_WINDOW_BLOCKS * HX_WINDOW_BLOCK)

/* A pending area as large as this becomes a window */
#define HX_PENDING_ROWS 1024
#define HX_PENDING_PAGES 128

/* ---- a row by itself ---- */

/*
 * A row with its vector: in the pending area, in the files of a build, in
 * memory.  Attribute words, dimensions and weights follow.  The size is a
 * multiple of 8.
 */
typedef struct HxSparseRow
{
	uint32 size;		 /* bytes, all together */
	int32 nnz;			 /* weights, or HX_SPARSE_NULL */
	double norm2;		 /* squared length, as the operators compute it */
	ItemPointerData tid; /* heap row */
	uint16 dead;		 /* removed by vacuum */
	uint32 nulls;		 /* attributes that are NULL */
	uint32 unused;
	int64 words[FLEXIBLE_ARRAY_MEMBER];
} HxSparseRow;

#define HX_SPARSE_NULL (-1) /* nnz: the vector is NULL */
/*
 * Squared lengths of rows that have none.  Removed rows are marked so instead
 * of by a page's marks of dead rows, which are hints and get lost.
 */
#define HX_NULL_NORM (-1.0)
#define HX_DEAD_NORM (-2.0)

/* Does a row's squared length count for its window's min_norm? */
static inline bool
HxCountsForMinNorm(const HxIndexDesc *desc, double norm2)
{
	return norm2 > 0 || (norm2 == 0 && desc->vector->metric == HX_L2);
}

static inline int32 *
HxSparseRowDims(const HxIndexDesc *desc, const HxSparseRow *row)
{
	return (int32 *) (row->words + desc->nwords);
}

static inline float *
HxSparseRowWeights(const HxIndexDesc *desc, const HxSparseRow *row)
{
	return (float *) (HxSparseRowDims(desc, row) + row->nnz);
}

static inline Size
HxSparseRowSize(const HxIndexDesc *desc, int nnz)
{
	return MAXALIGN(offsetof(HxSparseRow, words) +
					desc->nwords * sizeof(int64) +
					Max(nnz, 0) * (sizeof(int32) + sizeof(float)));
}

/* ---- pages ---- */

/* Types of pages (page/page.h) */
#define HX_PAGE_WINDOWS 16	/* directory of windows */
#define HX_PAGE_MAP 17		/* a window's pages */
#define HX_PAGE_FENCES 18	/* first dimension of each page of dimensions */
#define HX_PAGE_DIMS 19		/* a window's dimensions */
#define HX_PAGE_POSTINGS 20 /* their postings */
#define HX_PAGE_PENDING 21	/* rows not yet in a window */

/* A chain of pages with pending rows */
typedef struct HxChain
{
	uint64 owner;	   /* incarnation; 0: there is none */
	BlockNumber first; /* or InvalidBlockNumber */
	BlockNumber last;  /* page to append to */
	uint32 rows;	   /* dead ones included */
	uint32 dead;	   /* of these, removed by vacuum */
	uint32 nulls;	   /* of rows, those without a vector */
	uint32 pages;	   /* pages of the chain */
} HxChain;

/* A window, in the directory */
typedef struct HxWindow
{
	uint64 owner;	 /* incarnation; 0: entry not in use */
	uint64 postings; /* of all dimensions */
	double min_norm; /* least squared length, infinity if none; 0 counts if the
					  * metric is L2 */
	uint32 rows;	 /* slots, dead ones included */
	uint32 dead;	 /* of these, removed by vacuum */
	uint32 nulls;	 /* of rows, those without a vector */
	uint32 dims;	 /* dimensions with postings */
	uint32 pages;	 /* pages of all kinds */
	BlockNumber map; /* first page of its map */
} HxWindow;

/* Directory page; on the first one also the pending areas */
typedef struct HxWindows
{
	uint16 count; /* entries, those not in use included */
	uint16 capacity;
	uint32 unused;
	HxChain pending; /* takes new rows */
	HxChain frozen;	 /* is being made a window, or was when all stopped */
} HxWindows;

#define HxPageWindows(page) ((HxWindows *) HxContents(page))
#define HxPageWindow(page, slot) \
	(&((HxWindow *) (HxContents(page) + sizeof(HxWindows)))[slot])
#define HX_WINDOWS_CAPACITY \
	((HX_PAGE_ROOM - sizeof(HxWindows)) / sizeof(HxWindow))

/* What a window is made of; rows are HX_PAGE_ROWS pages, full but the last */
typedef enum HxSection
{
	HX_SECTION_ROWS,
	HX_SECTION_FENCES,
	HX_SECTION_DIMS,
	HX_SECTION_POSTINGS,
	HX_SECTIONS
} HxSection;

/* Consecutive pages of a section, consecutive in the file too */
typedef struct HxRun
{
	BlockNumber first;
	uint16 section;
	uint16 pages;
} HxRun;

/* Map page: after this comes room for a zone map, used on the first, then runs
 */
typedef struct HxMap
{
	uint32 count; /* runs on this page */
	uint32 unused;
} HxMap;

#define HxPageMap(page) ((HxMap *) HxContents(page))
#define HxMapZone(page) ((HxZone *) (HxContents(page) + sizeof(HxMap)))
#define HxMapRuns(desc, page)                      \
	((HxRun *) (HxContents(page) + sizeof(HxMap) + \
				MAXALIGN(HX_ZONE_SIZE((desc)->nwords))))
#define HxMapCapacity(desc)                                                    \
	((HX_PAGE_ROOM - sizeof(HxMap) - MAXALIGN(HX_ZONE_SIZE((desc)->nwords))) / \
	 sizeof(HxRun))

/* Fences page: of each HX_DIMS_A_FENCE dimensions the first */
#define HxPageFences(page) ((uint32 *) HxContents(page))
#define HX_FENCES_CAPACITY (HX_PAGE_ROOM / sizeof(uint32))

/* A dimension of a window */
typedef struct HxDim
{
	uint32 dim;	   /* counted from 0 */
	uint32 start;  /* first unit of its block bounds and postings */
	uint16 blocks; /* block bounds; 0: there are none; HX_HAS_HEIGHTS added */
	uint16 count;  /* postings */
	float max;	   /* greatest absolute weight; negative if there are
					* negative weights */
} HxDim;

#define HxPageDims(page) ((HxDim *) HxContents(page))

/* Heights of the window's blocks stand before a dimension's bounds */
#define HX_HAS_HEIGHTS 0x8000

/* How many block bounds an entry on a page tells of */
static inline int
HxDimBounds(const HxDim *dim)
{
	return dim->blocks & ~HX_HAS_HEIGHTS;
}

/* Dimensions that a fence stands for; a page holds those of whole fences */
#define HX_DIMS_A_FENCE 32
#define HX_FENCES_A_PAGE \
	((int) (HX_PAGE_ROOM / (HX_DIMS_A_FENCE * sizeof(HxDim))))
#define HX_DIMS_CAPACITY (HX_FENCES_A_PAGE * HX_DIMS_A_FENCE)

/* A posting: one unit of 6 bytes.  So is a block bound. */
typedef struct HxPosting
{
	uint16 slot;
	uint16 weight[2]; /* a float, not aligned */
} HxPosting;

typedef struct HxBlockBound
{
	uint16 block; /* slot / HX_WINDOW_BLOCK */
	uint16 first; /* its first posting, counted in the list */
	uint16 max;	  /* greatest absolute weight, upper half of a float,
				   * rounded up */
} HxBlockBound;

#define HxPagePostings(page) ((HxPosting *) HxContents(page))
#define HX_UNITS_A_PAGE ((uint32) (HX_PAGE_ROOM / sizeof(HxPosting)))

/* Units of a list's heights, a byte a block, in a window of so many rows */
static inline int
HxHeightUnits(uint32 rows)
{
	uint32 blocks = (rows + HX_WINDOW_BLOCK - 1) / HX_WINDOW_BLOCK;

	return (int) ((blocks + sizeof(HxPosting) - 1) / sizeof(HxPosting));
}

/* Units of heights that an entry on a page tells of */
static inline int
HxDimHeights(const HxDim *dim, uint32 rows)
{
	return dim->blocks & HX_HAS_HEIGHTS ? HxHeightUnits(rows) : 0;
}

/* The upper half of a float that is not negative, rounded up */
static inline uint16
HxUpperHalf(float value)
{
	uint32 bits;

	Assert(!(value < 0));
	memcpy(&bits, &value, sizeof(bits));
	return (uint16) ((bits + 0xFFFF) >> 16);
}

/* The weight that a bound keeps the upper half of */
static inline float
HxBoundValue(uint16 max)
{
	uint32 bits = (uint32) max << 16;
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Greatest height */
#define HX_MAX_HEIGHT 255
/* Lists whose greatest weight is beyond these have no heights */
#define HX_LEAST_TOP 1e-30f
#define HX_GREATEST_TOP 1e30f

/* What a height of one stands for in a list with a greatest weight */
static inline float
HxHeightStep(float max)
{
	float top = HxBoundValue(HxUpperHalf(fabsf(max)));

	return (float) ((double) top / HX_MAX_HEIGHT * (1 + 2 * FLT_EPSILON));
}

static inline float
HxPostingWeight(const HxPosting *posting)
{
	float weight;

	memcpy(&weight, posting->weight, sizeof(float));
	return weight;
}

/* Pending page: bytes in use, and how many belong to a row begun before */
typedef struct HxPending
{
	uint32 used;
	uint32 continued;
} HxPending;

#define HxPagePending(page) ((HxPending *) HxContents(page))
#define HxPendingBytes(page) (HxContents(page) + sizeof(HxPending))
#define HX_PENDING_ROOM (HX_PAGE_ROOM - sizeof(HxPending))

/* ---- page.c: reading ---- */

/* The directory in memory */
typedef struct HxSparseDirectory
{
	int count; /* windows in use */
	HxWindow *windows;
	HxEntryAddress *places; /* of their entries */
	HxChain pending;
	HxChain frozen;
	uint32 pages; /* directory pages */
} HxSparseDirectory;

/* A window opened for reading */
typedef struct HxWindowReader
{
	Relation index;
	const HxIndexDesc *desc;
	HxWindow window;
	HxEntryAddress place;
	HxZone *zone;
	int nruns;
	struct HxReadRun *runs;
	int begin[HX_SECTIONS + 1]; /* first run of each section */
	uint32 pages[HX_SECTIONS];	/* pages of each */
	BlockNumber *maps;			/* pages of the map */
	int nmaps;
} HxWindowReader;

extern void HxReadWindows(Relation index, const HxIndexDesc *desc,
						  HxSparseDirectory *directory);
extern uint64 HxSparseRows(const HxSparseDirectory *directory);
extern bool HxOpenWindow(Relation index, const HxIndexDesc *desc,
						 const HxWindow *window, HxEntryAddress place,
						 HxWindowReader *reader);
extern void HxCloseWindow(HxWindowReader *reader);
extern BlockNumber HxWindowBlock(const HxWindowReader *reader,
								 HxSection section, uint32 number);
extern Buffer HxReadWindowPage(const HxWindowReader *reader, HxSection section,
							   uint32 number);
extern int HxWindowPageRows(const HxWindowReader *reader, uint32 number);
extern int HxWindowPageDims(const HxWindowReader *reader, uint32 number);
extern bool HxReadDims(const HxWindowReader *reader, uint32 number, HxDim *dims,
					   int *count);
extern bool HxReadPostings(const HxWindowReader *reader, const HxDim *dim,
						   HxPosting *postings);

/* Called for each pending row; the row is valid during the call only, and its
 * page is share-locked */
typedef void (*HxSparseRowCallback)(const HxSparseRow *row, void *state);

extern bool HxScanPending(Relation index, const HxIndexDesc *desc,
						  const HxChain *chain, HxSparseRowCallback callback,
						  void *state);
extern const char *HxSparseRowFault(const HxIndexDesc *desc,
									const HxSparseRow *row, Size size);
extern void HxInitWindowsPage(Page page);
extern const char *HxSparsePageFault(const HxIndexDesc *desc, Page page,
									 uint16 type);

/* Rows as they come from the table */
extern HxSparseRow *HxFormSparseRow(const HxIndexDesc *desc,
									const Datum *values, const bool *isnull,
									const ItemPointerData *tid);
extern void HxSparseRowAttrs(const HxIndexDesc *desc, const HxSparseRow *row,
							 HxAttrRow *attrs);

/* ---- write.c: making windows ---- */

typedef struct HxWindowWriter HxWindowWriter;
typedef struct HxAssembler HxAssembler;

extern HxWindowWriter *HxBeginWindow(Relation index, const HxIndexDesc *desc,
									 uint64 owner, bool logged);
extern void HxWindowAddRow(HxWindowWriter *writer, const HxAttrRow *attrs,
						   const ItemPointerData *tid, double norm2);
extern void HxWindowEndRows(HxWindowWriter *writer);
extern void HxWindowAddList(HxWindowWriter *writer, uint32 dim,
							const HxPosting *postings, int count);
extern void HxEndWindow(HxWindowWriter *writer, HxWindow *window);

extern HxAssembler *HxMakeAssembler(const HxIndexDesc *desc);
extern void HxAssemble(HxAssembler *assembler, const HxSparseRow *row);
extern int HxAssembledRows(const HxAssembler *assembler);
extern Size HxAssembledBytes(const HxAssembler *assembler);
extern void HxWriteAssembled(HxAssembler *assembler, HxWindowWriter *writer);

/* ---- cluster.c: an order in which similar rows are neighbours ---- */

/* Dimensions of a centroid and of a row that count */
#define HX_CENTROID_DIMS 48
#define HX_ROW_DIMS 16

/* The heaviest dimensions of a row, weights divided by its length */
typedef struct HxSketch
{
	int count;
	uint32 dims[HX_CENTROID_DIMS];
	float weights[HX_CENTROID_DIMS];
} HxSketch;

typedef struct HxOrganizer HxOrganizer;

extern void HxSketchAdd(HxSketch *sketch, int room, uint32 dim, float weight);
extern void HxSketchRow(const HxIndexDesc *desc, const HxSparseRow *row,
						int room, HxSketch *sketch);
extern HxOrganizer *HxMakeOrganizer(Size memory, uint64 seed);
extern HxSketch *HxOrganizerSample(HxOrganizer *organizer);
extern int HxOrganizerRoom(const HxOrganizer *organizer);
extern int HxWriteSample(HxOrganizer *organizer, BufFile *file);
extern void HxReadSample(HxOrganizer *organizer, BufFile *file, int count);
extern void HxOrganizerTrain(HxOrganizer *organizer, int64 rows);
extern uint32 HxOrganizerRank(HxOrganizer *organizer, const HxSketch *sketch);

/* ---- rewrite.c: rows that have been windows or pending, in order ---- */

extern void HxOrderSparseRows(const HxIndexDesc *desc, HxSparseRow **rows,
							  int count);
extern void HxRewriteWindows(const HxWindowReader *readers, int count,
							 HxWindowWriter *writer);

/* ---- merge.c: structure changes; all need the structure lock ---- */

extern void HxFreezePending(Relation index, const HxIndexDesc *desc);
extern void HxMergeWindows(Relation index, const HxIndexDesc *desc,
						   bool in_vacuum);
extern void HxFreeSparsePages(Relation index, const BlockNumber *blocks,
							  int count);

/* ---- members of kind.h ---- */

extern void HxNarrowSparseSearch(Relation index, const HxIndexDesc *desc,
								 HxSearchSpec *spec);
extern void HxSparseCost(const HxCostQuery *query, HxCost *cost);
extern void HxSparseInfo(Relation index, const HxIndexDesc *desc,
						 HxIndexInfo *info);
extern void HxShowWindows(Relation index, const HxIndexDesc *desc,
						  Tuplestorestate *store, TupleDesc tuples);
extern int HxSampleSparse(Relation index, const HxIndexDesc *desc, int wanted,
						  uint64 seed, HxSampleQuery **queries);
extern void HxBeginSparseSearch(HxSearch *search);
extern double HxSparseEffort(const HxSearch *search, double passing);
extern void HxStartSparsePhase(HxSearch *search);
extern bool HxHasMoreWindows(const HxSearch *search);
extern bool HxIsSparseSearchSettled(HxSearch *search, double distance,
									int64 count);
extern void HxVisitWindow(HxSearch *search);

extern void HxInsertSparse(Relation index, Relation heap,
						   const HxIndexDesc *desc, const Datum *values,
						   const bool *isnull, ItemPointer tid);
extern void HxDeleteSparse(const IndexVacuumInfo *info, const HxIndexDesc *desc,
						   IndexBulkDeleteResult *stats,
						   IndexBulkDeleteCallback callback, void *state);
extern void HxCleanUpSparse(const IndexVacuumInfo *info,
							const HxIndexDesc *desc,
							IndexBulkDeleteResult *stats);

extern void HxFormSparsePayload(const HxIndexDesc *desc, Datum vector,
								uint8 *payload);
extern void HxCheckSparse(struct HxCheck *check);

/* ---- the search ---- */

/* A query: dimensions ascending */
typedef struct HxSparseQuery
{
	HxQuery base;
	double norm2;
	int nnz;
	const HxSvec *vector; /* its values, and of these: */
	const int32 *dims;
	const float *weights;
} HxSparseQuery;

extern HxQuery *HxSparseQueryOf(const HxIndexDesc *desc, HxMetric metric,
								const HxSvec *v);

/* Which slots of a block are in a set of a window's slots, a bit each */
static inline uint32
HxPassingSlots(const uint64 *slots, int block)
{
	int slot = block * HX_WINDOW_BLOCK;

	return slots[slot / 64] >> slot % 64 & ((1 << HX_WINDOW_BLOCK) - 1);
}

/* The query's dimensions in a window */
typedef struct HxSparseLists
{
	const HxSparseQuery *query;
	const HxWindowReader *reader;
	int count;
	HxDim *dims; /* their entries ... */
	int *which;	 /* ... and which ones of the query's they are */
	bool *tall;	 /* those that have heights */
	bool *flat;	 /* those whose greatest weight bounds all blocks, so far ... */
	double flat_gain; /* ... and what they add to a product at most */
} HxSparseLists;

/* lists.c */
extern bool HxFindLists(const HxSparseQuery *query,
						const HxWindowReader *reader, HxSparseLists *lists);

/* What visits of windows write to */
typedef struct HxScratch HxScratch;

/* bound.c */
extern bool HxBoundBlocks(HxSparseLists *lists, double least, float *bounds);
extern bool HxSharpenBounds(const HxSparseLists *lists, double least,
							uint64 *blocks, float *bounds, double *sums);
extern double HxWindowPromise(const HxSparseLists *lists);
extern bool HxTightenBounds(const HxSparseLists *lists, double least,
							const uint64 *passing, uint64 *blocks,
							float *bounds, HxScratch *scratch, bool *scored);

typedef struct HxQueryLookup HxQueryLookup;

/* Is a block in a set of them? */
static inline bool
HxIsChosen(const uint64 *blocks, int block)
{
	return blocks[block / 64] >> (block % 64) & 1;
}

/* pending.c */
extern HxQueryLookup *HxMakeLookup(const HxSparseQuery *query);
extern double HxLookupProduct(const HxQueryLookup *lookup,
							  const HxSparseRow *row);

/* score.c */
extern bool HxScoreSparseBlocks(const HxSparseLists *lists,
								const uint64 *blocks, double *sums);
extern void HxBlockMaxima(const double *sums, int rows, const uint64 *blocks,
						  double *maxima);
extern double HxThresholdForTop(const double *values, int count, double wanted);

/* row.c */
extern HxQuery *HxMakeSparseQuery(const HxIndexDesc *desc, HxMetric metric,
								  Datum query, Oid type);
extern double HxSparseDistance(const HxQuery *query, Datum vector);

#endif /* HX_SPARSE_H */
