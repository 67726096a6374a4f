/*
 * multi.h
 *	  Lists of tokens as one kind of vector: what its files share.
 *
 * A row keeps a code of 4 bytes for each of its tokens, by which MaxSim is
 * estimated; the table's row has the tokens themselves.  See README.
 */
#ifndef HX_MULTI_KIND_H
#define HX_MULTI_KIND_H

#include "index/build/build.h"
#include "index/check/check.h"
#include "index/page/learnt.h"
#include "index/search/state.h"
#include "type/tokens.h"

/* Type of pages of rows with their lists; they stand anywhere in the file */
#define HX_PAGE_LISTS 24

/* Fewer rows than this teach nothing */
#define HX_LEAST_TO_LEARN_LISTS 1000

/* Tokens that a row of an index has at most */
#define HX_MOST_MARKS 1800

/* ---- codebook.c: what a sample of tokens teaches ---- */

/*
 * A code names a centre of each of three codebooks, whose sum is near the token:
 * the first has those of tokens, the others of what is left.  The sum is
 * lengthened by so many tenths as its last bits say, to the token's length.  See
 * HxTokenTables for the bits.
 */
#define HX_LEVELS 3
#define HX_MARK_SHIFT(level) ((level) == 0 ? 0 : (level) == 1 ? 11 : 20)
#define HX_MARK_ROOM(level) ((level) == 0 ? HX_TOKEN_FIRST : HX_TOKEN_OTHER)
#define HX_MARK_PART(mark, level) \
	((mark) >> HX_MARK_SHIFT(level) & (HX_MARK_ROOM(level) - 1))
#define HX_MARK_STEP_SHIFT 29
#define HX_MARK_STEPS 8

/* What a code's last bits multiply with */
static inline float
HxMarkFactor(uint32 mark)
{
	return 1 + (mark >> HX_MARK_STEP_SHIFT) / 10.0f;
}

/* Centres, in groups of near ones, by which the nearest is found */
typedef struct HxCodebook
{
	int count;
	int ngroups;
	int8 *numbers;	/* count * dims, as they are stored */
	float *scales;	/* count: what a number is to be multiplied with */
	uint16 *ends;	/* ngroups: of the group's centres */
	float *centres; /* count * dims: numbers times scale */
	float *halves;	/* count: half their squared length */
	float *middles; /* ngroups * dims */
	float *middle_halves;
} HxCodebook;

typedef struct HxCodebooks
{
	int dims;
	float spread; /* factor on the deviation of estimates */
	HxCodebook books[HX_LEVELS];
} HxCodebooks;

#define HxCodebooksOf(desc) ((const HxCodebooks *) (desc)->model)

/* Lists that are learnt from: floats, one list after the other */
typedef struct HxListSample
{
	int dims;
	int count;	   /* lists */
	int *ends;	   /* count: tokens up to the list's end */
	float *floats; /* tokens */
	Size room;	   /* of floats */
	Size used;
} HxListSample;

/* Learn from lists, or NULL if they are too few.  Deterministic. */
extern HxCodebooks *HxLearnCodebooks(const HxListSample *sample);

/* The codes of tokens.  Returns the length of the most that one leaves out. */
extern float HxEncodeTokens(const HxCodebooks *books, const float *floats,
							int count, uint32 *marks);

/* The packed form, and back; palloc'd */
extern char *HxPackCodebooks(const HxCodebooks *books, Size *size);
extern void *HxUnpackCodebooks(Relation index, const HxIndexDesc *desc,
							   BlockNumber first, const char *packed,
							   Size size);

/* ---- list.c: rows ---- */

/* What a page knows of a row's list, and what a check knows it by (the hash) */
typedef struct HxListHead
{
	uint16 hash;  /* of the list */
	uint16 error; /* what a code leaves out of a token (HxShorten), or below */
	uint16 end;	  /* of its codes among the page's */
} HxListHead;

#define HX_LIST_BARE 0x7F80 /* it came before the codebooks: no codes */
#define HX_LIST_NULL 0xFFFF /* there is none */

/* A row between heap and index */
typedef struct HxListRow
{
	ItemPointerData tid;
	uint16 hash;
	uint16 error;
	uint16 count; /* codes; 0 also if the list is empty */
	uint32 *marks;
	HxAttrRow attrs;
} HxListRow;

/* Is the row one of which only its vector tells? */
static inline bool
HxIsBareList(uint16 error)
{
	return error == HX_LIST_BARE;
}

/* Read the list of a heap row, as floats; errors as HxFormListRow. */
extern void HxReadList(const HxIndexDesc *desc, Datum list, HxTokens *tokens);

/*
 * Form a row; codes are palloc'd.  Errors if the list has tokens of another shape
 * than the index, or too many.
 */
extern void HxFormListRow(const HxIndexDesc *desc, const Datum *values,
						  const bool *isnull, const ItemPointerData *tid,
						  HxListRow *row);

/* kind.form, kind.reduce: the hash alone */
extern void HxFormListPayload(const HxIndexDesc *desc, Datum list,
							  uint8 *payload);
extern void HxReduceListPayload(const HxIndexDesc *desc, uint8 *payload,
								bool least);

/* Add a list to those that are learnt from, this many tokens of it at most. */
extern void HxAddToSample(const HxIndexDesc *desc, HxListSample *sample,
						  Datum list, int most);

/* ---- page.c: pages of rows ---- */

typedef struct HxLists
{
	uint16 count;	 /* rows */
	uint16 capacity; /* rows that arrays have room for */
	uint16 used;	 /* codes */
	uint16 length;	 /* codes of each row, if all have as many; or 0 */
} HxLists;

#define HxPageLists(page) ((HxLists *) HxContents(page))

/* Arrays of a page */
typedef struct HxListArrays
{
	HxRowArrays rows; /* without payloads; no row is marked as dead */
	HxListHead *heads;
	uint32 *marks;
	int room;	/* codes that fit */
	int length; /* as the page has it */
} HxListArrays;

extern void HxListArraysOf(const HxIndexDesc *desc, Page page,
						   HxListArrays *arrays);

/*
 * Where the codes of a row end, and those of the next begin; of row -1, the first.
 * Heads tell it only where lengths differ.
 */
static inline int
HxListEnd(const HxListArrays *arrays, int row)
{
	if (arrays->length > 0)
		return arrays->length * (row + 1);
	return row < 0 ? 0 : arrays->heads[row].end;
}

extern void HxInitListsPage(const HxIndexDesc *desc, Page page, int capacity);

/* Bytes of a page that are not taken by rows */
extern int HxListsLeft(const HxIndexDesc *desc, Page page);

/*
 * How many rows such a page should have room for if further ones are like those
 * that it has; of an empty one, as many as fit without codes.
 */
extern int HxListsCapacity(const HxIndexDesc *desc, int count, int used);

/* Do so many rows with so many codes fit a page? */
extern bool HxListsFit(const HxIndexDesc *desc, int count, int used);

/* Append a row to a page, whose arrays may be laid out anew; false: no room. */
extern bool HxPutList(const HxIndexDesc *desc, Page page, const HxListRow *row);

/* A row of a page; its codes point into it */
extern void HxGetList(const HxIndexDesc *desc, const HxListArrays *arrays,
					  int row, HxListRow *list);

/* Remove the rows marked; the others keep their order. */
extern void HxRemoveLists(const HxIndexDesc *desc, Page page, const bool *dead);

extern const char *HxListsFault(const HxIndexDesc *desc, Page page,
								uint16 type);

/*
 * Lock a page if it is one of lists; else InvalidBuffer.  Errors if it is
 * damaged.
 */
extern Buffer HxLockLists(Relation index, const HxIndexDesc *desc,
						  BlockNumber block, int lockmode,
						  BufferAccessStrategy strategy);

/* ---- query.c: queries and estimates ---- */

typedef struct HxListQuery
{
	HxQuery base;
	HxTokens tokens;	   /* floats */
	int chunks;			   /* of eight tokens; 0: nothing is known */
	HxTokenTables *tables; /* of each chunk */
	const uint8 **bytes;   /* likewise: the first codebook's, for glances */
	double unit;		   /* of a product of the kernel */
	double deviation;	   /* of an estimate, for each unit of error */
	double rounding;	   /* how far one is off where there is no error */
	MemoryContext scratch;
} HxListQuery;

extern HxQuery *HxMakeListQuery(const HxIndexDesc *desc, HxMetric metric,
								Datum list, Oid type);
extern double HxListDistance(const HxQuery *query, Datum list);

/*
 * Products, in the query's unit, of `count` rows of a page from one on, with their
 * codes; or what the first codebook alone tells of them, in a unit of its own.
 */
extern void HxScoreLists(const HxListQuery *query, const HxListArrays *arrays,
						 int row, int count, int32 *products);
extern void HxGlanceAtLists(const HxListQuery *query,
							const HxListArrays *arrays, int row, int count,
							int32 *glances);

/* ---- search.c ---- */

typedef struct HxListSearch
{
	HxSearch base;
	BlockNumber next; /* page to be visited */
	BlockNumber end;  /* of the file, as last seen */
	int32 *products;  /* of the rows of a page */
	int32 *glances;	  /* likewise */

	/* How glances go with products, from rows of some pages: sums, and what follows */
	bool learnt;
	double rows;
	double glance;
	double product;
	double glance2;
	double product2;
	double both;
	double slope; /* a glance is this times the product, and ... */
	double start; /* ... this, but for a deviation of ... */
	double rest;  /* ... so much */

	/* The last row wanted, as far as it is known by estimates: its product ... */
	double last;
	double error; /* ... and how far it may be off, both in the query's unit */
	int64 nearer; /* rows met since it was looked up whose product is greater */
	int32
		least; /* glance of a row that need not be left alone; 0: all of them */
} HxListSearch;

extern void HxBeginListSearch(HxSearch *search);
extern double HxListEffort(const HxSearch *search, double passing);
extern void HxStartListPhase(HxSearch *search);
extern bool HxHasMoreLists(const HxSearch *search);
extern bool HxIsListSearchSettled(HxSearch *search, double distance,
								  int64 count);
extern void HxVisitLists(HxSearch *search);

/* ---- insert.c, vacuum.c, grow.c ---- */

extern void HxInsertList(Relation index, Relation heap, const HxIndexDesc *desc,
						 const Datum *values, const bool *isnull,
						 ItemPointer tid);

/* kind.learn */
extern void HxLoadCodebooks(Relation index, HxIndexDesc *desc);

extern void HxDeleteLists(const IndexVacuumInfo *info, const HxIndexDesc *desc,
						  IndexBulkDeleteResult *stats,
						  IndexBulkDeleteCallback callback, void *state);
extern void HxCleanUpLists(const IndexVacuumInfo *info, const HxIndexDesc *desc,
						   IndexBulkDeleteResult *stats);

/*
 * After an insert into an index that has learnt nothing: learn if it has enough
 * rows now, and give them codes.
 */
extern void HxLearnListsAfterInsert(Relation index, Relation heap,
									const HxIndexDesc *desc,
									const ItemPointerData *tid);

/* In a vacuum: learn if need be, and give codes to rows that have none. */
extern void HxLearnListsInVacuum(Relation index, HxIndexDesc *desc);

/* ---- build.c ---- */

extern void HxBuildLists(HxBuild *build, IndexBuildResult *result);
extern void HxBuildEmptyLists(Relation index, const HxIndexDesc *desc,
							  ForkNumber fork);
extern void HxDoListsWork(HxBuild *build, int task);
extern void HxLearnListsInBuild(HxBuild *build);
extern void HxStoreListsInBuild(HxBuild *build);

/* ---- check.c ---- */

extern void HxCheckLists(HxCheck *check);
extern void HxListsInfo(Relation index, const HxIndexDesc *desc,
						HxIndexInfo *info);
extern int HxSampleLists(Relation index, const HxIndexDesc *desc, int wanted,
						 uint64 seed, HxSampleQuery **queries);

#endif /* HX_MULTI_KIND_H */
