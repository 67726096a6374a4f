/*
 * kind.h
 *	  What an index does with one kind of vector, as one interface.
 *
 * The access method (am/) and the common parts know a kind through this alone:
 * the operator class of the vector column names it.  Kinds that keep payloads
 * in blocks share blocks/, behind blocks/store/payload.h.
 */
#ifndef HX_KIND_H
#define HX_KIND_H

#include "access/genam.h"
#include "index/index.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "storage/bufpage.h"
#include "type/bound.h"
#include "type/distance.h"
#include "utils/tuplestore.h"

struct HxBuild;
struct HxCheck;
struct HxSearch;
struct HxPayload;
struct HxSearchSpec;
struct HxVectorClass;

/* A prepared query; what follows the common part is the kind's */
typedef struct HxQuery
{
	const HxIndexDesc *desc; /* must outlive the query */
	HxMetric metric;
	HxBoundKind kind;  /* what sort of value it is */
	const void *value; /* two queries with the same bytes are the same */
	Size size;
	bool exact; /* what is known of expected misses is not of such queries */
} HxQuery;

/* A query and the row that it came from */
typedef struct HxSampleQuery
{
	HxQuery *query;
	uint64 tid; /* packed; a row does not count itself.  0: no row */
} HxSampleQuery;

/* A search as the planner knows it */
typedef struct HxCostQuery
{
	const IndexOptInfo *index;
	double rows;	/* that pass all conditions */
	double wanted;	/* of these; 0: all */
	double passing; /* share of the rows from which those wanted come */
	double masked;	/* share of the rows that passes mask and bitmap */
	double near;	/* share of the rows that conditions on the vector leave to
					 * be visited */
	double group;	/* share that is stored with the values asked for; 1 without
					 * group_by */
	double masks;	/* conditions masked for each row */
	bool tids;		/* each row is looked for in a set of TIDs, too */
	double looked;	/* where distances are estimates: rows that an exact search
					 * looks at in the table; 0: all that pass */
	double
		end; /* share of the rows that passes those conditions that ask for one
					 * end of a column's values; 1: none does */
	bool unordered; /* rows are not looked at */
	double recall;	/* target */
	bool repeated;	/* in a loop that finds pages cached */
} HxCostQuery;

typedef struct HxCost
{
	Cost search;  /* until the rows wanted are found */
	Cost rest;	  /* what it takes more if all rows are asked for then */
	Cost columns; /* until the rows are known that pass the mask, by the
				   * attribute columns alone */
	double pages;
} HxCost;

/* What hashemb_index_info() shows of what is stored */
typedef struct HxIndexInfo
{
	int64 rows; /* with a vector or without, dead ones included */
	int64 null_rows;
	int64 dead;
	int64 pending; /* rows that wait to be put in order */
	int blocks;
} HxIndexInfo;

/* What hashemb_code_info() shows of the codes that a kind makes of vectors */
typedef struct HxSketchInfo
{
	int directions; /* that are kept of a vector; 0: none was learnt */
	int bits;		/* of each */
	int landmarks;	/* that what is kept is told from */
} HxSketchInfo;

typedef struct HxKind
{
	const char *name; /* of its vectors, in errors: "sparse vectors" */

	/* Hints: how a column gets a length, with its type for %s, twice; and how a row
	 * takes less room (NULL: none takes too much) */
	const char *length_hint;
	const char *room_hint;

	bool groups; /* blocks may be formed within an attribute's values */

	/*
	 * Distances in the index are estimates; the exact one is that of the heap
	 * row's vector, which searches look at (search/refine.c)
	 */
	bool refine;

	/*
	 * A search of estimates visits all that it has; what it misses are candidates
	 * that were not looked at
	 */
	bool visits_all;

	/* ---- column ---- */

	/* Dimensions and bits a dimension that a typmod of the type says */
	void (*shape)(int32 typmod, int *dims, int *planes);

	/*
	 * Dimensions of a heap row's vector, to tell those of a column whose type has
	 * none; 0 if it tells nothing.  NULL: such a column is refused.
	 */
	int (*dims_of)(const struct HxVectorClass *class, Datum vector);

	/*
	 * Set desc->model to what the index has learnt of its vectors, which stays
	 * valid as long as the current context; or leave it NULL if that is nothing.
	 * Called before anything that needs it: query, form, sample, calibrate,
	 * insert, cleanup.  No page is locked.  NULL: nothing is learnt.
	 */
	void (*learn)(Relation index, HxIndexDesc *desc);

	/*
	 * Prepare a query from the right argument of an ORDER BY operator, whose
	 * type is InvalidOid for the operator class's own, or another.  Errors if
	 * its shape is not the index's.
	 */
	HxQuery *(*query)(const HxIndexDesc *desc, HxMetric metric, Datum query,
					  Oid type);

	/*
	 * Prepare the right argument of vector <@ ball, and its radius.  NULL: no
	 * vector of the kind has such a condition.
	 */
	HxQuery *(*ball)(const HxIndexDesc *desc, Datum ball, double *radius);

	/* Queries of a distance_bound that the kind takes: 1 << HxBoundKind */
	int bounds;

	/*
	 * Distance of a heap row's vector, the operator's own to the last bit.
	 * Errors if its shape is not the index's.  NULL: its payload tells it.
	 */
	double (*distance)(const HxQuery *query, Datum vector);

	/* ---- payload: what a row stores of its vector ---- */

	/*
	 * Payload bytes of a row, MAXALIGNed.  Class, column and shape are described
	 * already.  Errors if the operator class does not take vectors of the shape.
	 */
	Size (*payload_size)(Relation index, const HxIndexDesc *desc);

	/*
	 * Write the payload of a heap row's vector, desc->payload bytes at a MAXALIGNed
	 * address.  It is the same for the same vector, and with great likelihood
	 * another for another.  Locks nothing.  Errors if the vector's shape is not the
	 * index's.
	 */
	void (*form)(const HxIndexDesc *desc, Datum vector, uint8 *payload);

	/*
	 * Keep of a payload what a check knows a row's vector by; with `least` what is
	 * the same whatever the index had learnt when the row came.  What is kept of
	 * a payload that had learnt nothing is the same either way.  NULL: all of it.
	 */
	void (*reduce)(const HxIndexDesc *desc, uint8 *payload, bool least);

	/*
	 * Distances of payloads, the operator's own to the last bit; or estimates if
	 * the kind refines, -infinity where nothing is known, infinity where the
	 * exact distance is NaN.  Locks nothing and
	 * raises no errors, since pages may be locked.  NULL: payloads do not tell.
	 */
	void (*distances)(const HxQuery *query, const uint8 *payloads, int count,
					  double *distances);

	/*
	 * The same where distances beyond `worst` are of no use: of such a row a bound
	 * will do that is beyond `worst`, too.  At most as many payloads as a rows page
	 * has.  NULL: there is no shorter way to tell.
	 */
	void (*distances_within)(const HxQuery *query, const uint8 *payloads,
							 int count, double worst, double *distances);

	/*
	 * Where distances are estimates: no row's exact distance is less than this, of
	 * which payload and estimate are given.  NULL: nothing is known.
	 */
	double (*least)(const HxQuery *query, const uint8 *payload,
					double estimate);

	/* ---- build ---- */

	/*
	 * Build the main fork, which is empty, from the table; nobody else sees the
	 * index.  Called with one participant begun (build/build.h); fills heap and
	 * index rows of the result.
	 */
	void (*build)(struct HxBuild *build, IndexBuildResult *result);

	/*
	 * Kinds that learn: before the rows are loaded, the leader of a build learns
	 * from a sample of the table, sets build->desc's model and lets the others
	 * know; before the build ends, it stores that on pages behind.  Else NULL.
	 */
	void (*learn_from_table)(struct HxBuild *build);
	void (*store_learnt)(struct HxBuild *build);

	/* Write an index without rows to a fork, which is empty; it is logged after. */
	void (*build_empty)(Relation index, const HxIndexDesc *desc,
						ForkNumber fork);

	/*
	 * Do one participant's share of a task that build() has given (HX_TASK_...).
	 * NULL: none but to load rows as they are (HxRow).
	 */
	void (*work)(struct HxBuild *build, int task);

	/* ---- search (search/state.h) ---- */

	Size search_size; /* of its struct, which begins with an HxSearch */

	/*
	 * Before a search: turn the conditions on the vector that it does not decide
	 * itself into a set of TIDs; or NULL if it decides all.
	 */
	void (*narrow)(Relation index, const HxIndexDesc *desc,
				   struct HxSearchSpec *spec);

	/*
	 * Prepare the search, and what `effort` needs; may set `nans_apart`.  Sets how
	 * many blocks there are, as far as that is known.  NULL: each page is one.
	 */
	void (*begin)(struct HxSearch *search);

	/*
	 * Microseconds that finding the rows wanted takes, if `passing` rows pass all
	 * conditions, a set of TIDs among them (cost_units.h).  NULL: reading all of
	 * the index.
	 */
	double (*effort)(const struct HxSearch *search, double passing);

	/*
	 * Begin a phase: nothing is visited.  Reads metapage and directory if need be;
	 * may set `exact`.  A filter that nothing passes (HxFilterIsNever) leaves
	 * nothing to visit.
	 */
	void (*start)(struct HxSearch *search);

	/* Is there anything left to visit in this phase? */
	bool (*has_more)(const struct HxSearch *search);

	/*
	 * May the first `count` rows be returned, of which the last is at a
	 * distance?  While there is something left to visit; false is never wrong.
	 * NULL: not before all has been visited.
	 */
	bool (*is_settled)(struct HxSearch *search, double distance, int64 count);

	/*
	 * How many rows nearer than a distance are to be expected in what was not visited,
	 * of those that pass the mask and the check of heap rows?  Infinite where nothing
	 * tells.  NULL: nothing ever does.
	 */
	double (*missing)(struct HxSearch *search, double distance);

	/*
	 * Visit what promises most, if it can matter, and pass to HxConsider the rows
	 * that this part of the search wants (HxWantsRow) and that pass the mask and
	 * the conditions on the vector.  Without an order, rows that move meanwhile may
	 * be passed twice.  Adds to `seen`, `passed` and the statistics.  Checks for
	 * interrupts, which its callers do not.  No page stays locked.
	 */
	void (*visit)(struct HxSearch *search);

	/*
	 * Take note that a row at a distance, which was passed to HxConsider, failed
	 * the check of its heap row; or NULL.
	 */
	void (*note_failed)(struct HxSearch *search, double distance);

	/* Bring the number of blocks visited up to date; NULL: it always is. */
	void (*count_visits)(struct HxSearch *search);

	/* ---- change ---- */

	/*
	 * Insert a row.  The current context is reset after each row.  No page of
	 * the index is locked before or after.
	 */
	void (*insert)(Relation index, Relation heap, const HxIndexDesc *desc,
				   const Datum *values, const bool *isnull, ItemPointer tid);

	/*
	 * Remove the rows that the callback names; each TID is reported to it, those
	 * of rows without a vector and of rows on the way included.  Adds to the
	 * statistics.
	 */
	void (*bulk_delete)(const IndexVacuumInfo *info, const HxIndexDesc *desc,
						IndexBulkDeleteResult *stats,
						IndexBulkDeleteCallback callback, void *state);

	/*
	 * Give back pages, and do what was put off until a vacuum.  Fills free pages of
	 * the statistics; rows and the length of the file are filled in after.  NULL:
	 * there is nothing to do.
	 */
	void (*cleanup)(const IndexVacuumInfo *info, const HxIndexDesc *desc,
					IndexBulkDeleteResult *stats);

	/* ---- plan ---- */

	/*
	 * What a search costs, in the planner's units.  NULL: reading the whole index
	 * for each phase.
	 */
	void (*cost)(const HxCostQuery *query, HxCost *cost);

	/*
	 * Share of the rows that are within a distance of a query, and of those that a
	 * search has to look at in the table to know.  False if too little is known.  No
	 * page is locked.  NULL: the search knows but for rounding.
	 */
	bool (*rows_near)(Relation index, const HxIndexDesc *desc,
					  const HxQuery *query, double limit, double *passing,
					  double *candidates);

	/* ---- look ---- */

	/* What is stored; may read the whole index. */
	void (*info)(Relation index, const HxIndexDesc *desc, HxIndexInfo *info);

	/* What was learnt of codes.  NULL: they are the vectors, or there are none. */
	void (*sketch_info)(const HxIndexDesc *desc, HxSketchInfo *info);

	/*
	 * Rows of the index, with a vector or without, where there is a shorter way
	 * than info; or NULL.  One page is share-locked at a time.  Errors if a page
	 * that is read is damaged.
	 */
	uint64 (*count_rows)(Relation index, const HxIndexDesc *desc);

	/* The rows of hashemb_block_info(); NULL: there are no blocks. */
	void (*block_info)(Relation index, const HxIndexDesc *desc,
					   Tuplestorestate *store, TupleDesc tuples);

	/*
	 * Rows drawn at random, by a seed, as queries; returns how many, at most
	 * `wanted`.  Palloc'd.  NULL: recall is measured by queries that are given.
	 */
	int (*sample)(Relation index, const HxIndexDesc *desc, int wanted,
				  uint64 seed, HxSampleQuery **queries);

	/*
	 * Learn what searches expect to miss, from queries or, if these are NULL,
	 * from rows of the index; false if there are too few rows.  The structure
	 * lock is held.  NULL: every search is exact.
	 */
	bool (*calibrate)(Relation index, const HxIndexDesc *desc,
					  const HxSampleQuery *queries, int count);

	/* ---- check (check/check.h) ---- */

	/*
	 * Check all that searches rely on, but for what the table says, and error if
	 * something is wrong.  All pages that have a purpose are reached, and the
	 * others counted; each row is passed to HxAddFingerprint once if the check
	 * is frozen.  Else others may write, and what they do is never called wrong.
	 * No page is locked before or after.
	 */
	void (*check)(struct HxCheck *check);

	/*
	 * What is wrong with a page of one of the types that the kind alone has, or
	 * NULL: whatever is accepted has arrays that lie within the page.  Types
	 * that it does not know are wrong.  The page is sound and of the type
	 * (HxPageFault); it is locked, or a copy.  NULL: the kind has no such types.
	 */
	const char *(*page_fault)(const HxIndexDesc *desc, Page page, uint16 type);
} HxKind;

/* Returned by support function HX_VECTOR_PROC of a vector operator class */
typedef struct HxVectorClass
{
	HxMetric metric;
	const HxKind *kind;
	const struct HxPayload *payload; /* kinds in blocks: what they keep */
	int layout; /* how values of the column's type lie in memory, for the kind */
} HxVectorClass;

#define HxKindOf(desc) ((desc)->vector->kind)

/* Have a description know what its index has learnt; see kind.learn. */
static inline void
HxLearn(Relation index, HxIndexDesc *desc)
{
	if (HxKindOf(desc)->learn)
		HxKindOf(desc)->learn(index, desc);
}

/* Rows of the index: see count_rows. */
static inline uint64
HxCountRows(Relation index, const HxIndexDesc *desc)
{
	HxIndexInfo info = {0};

	if (HxKindOf(desc)->count_rows)
		return HxKindOf(desc)->count_rows(index, desc);
	HxKindOf(desc)->info(index, desc, &info);
	return info.rows;
}

/* Define the support function HX_VECTOR_PROC of an operator class. */
#define HX_VECTOR_CLASS(name, its_metric, its_kind, its_payload) \
	HX_VECTOR_CLASS_OF_LAYOUT(name, its_metric, its_kind, its_payload, 0)

/* Likewise, for values of several layouts. */
#define HX_VECTOR_CLASS_OF_LAYOUT(name, its_metric, its_kind, its_payload,     \
								  its_layout)                                  \
	PGDLLEXPORT PG_FUNCTION_INFO_V1(name);                                     \
	Datum name(PG_FUNCTION_ARGS)                                               \
	{                                                                          \
		static const HxVectorClass class = {its_metric, its_kind, its_payload, \
											its_layout};                       \
                                                                               \
		PG_RETURN_POINTER(&class);                                             \
	}                                                                          \
	extern int hx_swallow_semicolon

#endif /* HX_KIND_H */
