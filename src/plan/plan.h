/*
 * plan.h
 *	  The scan node: what its files share.
 *
 * Reading order: hook.c, match.c, wanted.c, compile.c, bound_clause.c,
 * vector_key.c, bitmap.c, rival.c, path.c, bound_path.c (planning);
 * plan_data.c; node.c, condition.c, bitmap_read.c, heap_row.c, output.c, explain.c
 * (execution).
 */
#ifndef HX_PLAN_H
#define HX_PLAN_H

#include "access/relscan.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "index/am/scan.h"
#include "nodes/extensible.h"
#include "nodes/pathnodes.h"

/* How many rows the node will be asked for */
typedef enum HxWanted
{
	HX_WANTED_ALL,	 /* all of them, or nobody can tell: exact */
	HX_WANTED_SOME,	 /* a LIMIT above stops early, nobody knows when */
	HX_WANTED_LIMIT, /* as many as a LIMIT says */
	HX_WANTED_TIES	 /* the same, and those as near as the last of them */
} HxWanted;

/* Is it a number that a LIMIT gives? */
static inline bool
HxIsNumberKnown(HxWanted wanted)
{
	return wanted == HX_WANTED_LIMIT || wanted == HX_WANTED_TIES;
}

/* What decides a condition */
typedef enum HxDecider
{
	HX_BY_MASK,		/* the row mask, from attribute columns */
	HX_BY_BITMAP,	/* the bitmap of other indexes */
	HX_BY_HEAP,		/* the heap row */
	HX_BY_PREDICATE /* nothing: the index's predicate implies it */
} HxDecider;

/*
 * A condition on attribute columns as a tree of nodes that plans may hold: a
 * list of integers for a leaf; for a branch, a list whose first member is an
 * Integer, the kind, and whose others are programs.
 */
typedef enum HxProgramKind
{
	HX_PROGRAM_AND,
	HX_PROGRAM_OR,
	HX_PROGRAM_NOT,
	HX_PROGRAM_OPERATOR, /* column, strategy, right type, collation, value */
	HX_PROGRAM_ANY,		 /* the same; the value is an array, any may hold */
	HX_PROGRAM_NULL,	 /* column */
	HX_PROGRAM_NOT_NULL, /* column; for the vector only */
	HX_PROGRAM_CONST	 /* 0: false, 1: true, 2: NULL */
} HxProgramKind;

/* Members of a leaf */
#define HX_LEAF_KIND 0
#define HX_LEAF_COLUMN 1 /* index column, from 1 (of a CONST: which) */
#define HX_LEAF_STRATEGY 2
#define HX_LEAF_TYPE 3
#define HX_LEAF_COLLATION 4
#define HX_LEAF_VALUE 5 /* number of the value, from 0 */

/* Members of a leaf on the distance of the order: see HxCompileLimit */
#define HX_LIMIT_STRATEGY 0
#define HX_LIMIT_VALUE 1   /* number of the value, from 0 */
#define HX_LIMIT_MINUEND 2 /* number of what it is subtracted from; -1: none */

/* What a query orders by: a distance, or an expression that it decides */
typedef struct HxOrder
{
	OpExpr *distance; /* column operator query */
	bool falls;		  /* the expression falls with it; NaN comes first */
	bool collapses;	  /* where the distance differs it may be the same */
	bool nulls_first; /* NULL comes first, before NaN */
} HxOrder;

/* A path of the scan node */
typedef struct HxPath
{
	CustomPath path;	 /* custom_paths: the bitmap heap path, if any */
	IndexOptInfo *index; /* the hashemb index */
	int column;			 /* its vector column, from 0 */
	HxOrder order;		 /* what the query orders by */
	HxWanted wanted;	 /* how many rows ... */
	PlannerInfo *limit;	 /* ... and by the LIMIT of which query level */
	double share;		 /* of the rows checked that pass */
	double few;			 /* rows that pass the mask, if they are to be ranked */
	double reserve;		 /* what a bitmap in reserve takes; 0: none */
	List *compiled;		 /* of HxCompiled: what its conditions became */
} HxPath;

/* What became of a condition when paths were made, so that a plan need not ask again */
typedef struct HxCompiled
{
	RestrictInfo *clause;
	Node *program; /* NULL: it cannot be compiled */
	bool partial;
	int before;	  /* values of programs before this one */
	List *values; /* its own */
} HxCompiled;

/* What a plan says, in pieces (plan_data.c) */
typedef struct HxPlanData
{
	Oid index;		  /* the hashemb index */
	int column;		  /* its vector column, from 1 */
	HxWanted wanted;  /* how many rows */
	bool ends;		  /* no more than these will be asked for */
	bool nulls_first; /* rows without a distance come first, */
	bool nans_first;  /* then those whose distance is NaN */
	bool measured;	/* the search has the operator's distances, not the index */
	List *deciders; /* of the conditions: integers, HxDecider */
	List *programs; /* conditions on attributes, all must hold */
	bool bitmap;	/* is there a bitmap child that is read first? */
	double few;		/* rows that pass the mask, if to be ranked; or 0 */
	double reserve; /* microseconds of one that is in reserve; 0: none */
	double share;	/* of the rows checked that pass, as estimated */
	OpExpr *order;	/* the distance */
	List *conditions;	/* all conditions, in the order to check them */
	List *keys;			/* leaves on the vector column, all must hold */
	List *limits;		/* leaves on the distance of the order, all must hold */
	List *values;		/* right-hand sides of all leaves */
	Expr *limit_count;	/* of the LIMIT, if wanted */
	Expr *limit_offset; /* likewise */
} HxPlanData;

/* The node while it runs */
typedef struct HxScanState
{
	CustomScanState css; /* must be first */
	HxPlanData data;	 /* the plan */

	ExprState *query;		 /* the query vector */
	ExprState *vector;		 /* the row's vector */
	List *values;			 /* right-hand sides: expression states */
	ExprState *limit_count;	 /* of the LIMIT; NULL if not known */
	ExprState *limit_offset; /* likewise */
	ExprState *all;			 /* all conditions */
	ExprState *indexed;		 /* those that the index's predicate leaves */
	ExprState *unmapped;	 /* those that no bitmap decides */
	ExprState *left;		 /* those that neither mask nor bitmap decides */
	ExprState *distance; /* the row's, if the output takes it from the search */

	Relation index;		 /* open unless only explained */
	IndexScanDesc scan;	 /* NULL before the first row */
	bool started;		 /* the search has begun */
	bool recheck;		 /* mask or bitmap are not exact */
	HxTidSet *tids;		 /* the bitmap; kept while it is right */
	HxTidSet *late;		 /* of a bitmap in reserve, until the search ends */
	TupleTableSlot *row; /* a heap row being checked */
	ExprContext *check_context;	  /* for checks */
	MemoryContext search_context; /* of what one search is asked for */
	ScanKeyData order;			  /* ORDER BY distance to the query */
	ScanKey keys;				  /* conditions on the vector */

	HxSearchStats stats;  /* sums over the searches that ended */
	uint64 ways[HX_WAYS]; /* how many of them found rows in which way */
	uint64 fetches;		  /* heap rows fetched */
	uint64 searches;	  /* searches begun */
	uint64 null_queries;  /* of these, for a NULL query */
} HxScanState;

/* hook.c */
extern void HxInitScanNode(void);

/* match.c */
extern int HxFindVectorColumn(const IndexOptInfo *index);
extern OpExpr *HxMatchDistance(PlannerInfo *root, IndexOptInfo *index,
							   int column, Expr *expr, Oid *sort_family);
extern bool HxMatchOrder(PlannerInfo *root, IndexOptInfo *index, int column,
						 const RelOptInfo *rel, HxOrder *order);

/* wanted.c */
extern HxWanted HxFindWanted(PlannerInfo *root, const RelOptInfo *rel,
							 bool whole, const HxOrder *order,
							 PlannerInfo **limit);
extern double HxEstimateWanted(const HxPath *path, const PlannerInfo *root);
extern bool HxLimitEnds(const HxPath *path, const PlannerInfo *root);

/* compile.c */
extern Node *HxCompileClause(IndexOptInfo *index, RestrictInfo *clause,
							 List **values, bool *partial);

/* bound_clause.c */
extern Expr *HxMakeBoundClause(IndexOptInfo *index, int column, Expr *clause);
extern bool HxLimitsDistance(PlannerInfo *root, IndexOptInfo *index, int column,
							 Expr *clause, const OpExpr *distance);
extern List *HxCompileLimit(PlannerInfo *root, IndexOptInfo *index, int column,
							RestrictInfo *clause, const OpExpr *distance,
							List **values, bool *partial);

/* bound_path.c */
extern void HxAddBoundPaths(PlannerInfo *root, RelOptInfo *rel);

/* vector_key.c */
extern Node *HxCompileVectorClause(PlannerInfo *root, IndexOptInfo *index,
								   int column, RestrictInfo *clause,
								   List **values, bool *partial);
extern double HxVectorClauseShare(PlannerInfo *root, IndexOptInfo *index,
								  int column, RestrictInfo *clause);

/* bitmap.c */
extern List *HxKnownBitmaps(const RelOptInfo *rel, const List *left);
extern List *HxFindBitmaps(PlannerInfo *root, const RelOptInfo *rel,
						   List *left);

/* rival.c: the best way without the node, as far as it is known */
typedef struct HxRival
{
	const Path *path; /* its scan, without the sort; NULL: none */
	double time;	  /* microseconds that it takes; infinite without one */
	double distance;  /* of which a row's distance takes this */
	double rate;	  /* cost that the planner charges for a microsecond */
} HxRival;

extern double HxBitmapTime(const Path *bitmap);
extern void HxFindRival(PlannerInfo *root, const RelOptInfo *rel,
						const HxOrder *order, double wanted, HxRival *rival);

/* path.c */
extern void HxAddPaths(PlannerInfo *root, RelOptInfo *rel, IndexOptInfo *index,
					   int column, const HxOrder *order);
extern const CustomPathMethods hx_path_methods;

/*
 * path.c: microseconds of a search by one distance for so many rows that pass what
 * the index decides.  Also tells what share of these pass all conditions, and what
 * checking the others on a heap row costs.
 */
extern double HxTermTime(PlannerInfo *root, IndexOptInfo *index, int column,
						 const OpExpr *distance, double wanted, double recall,
						 double *passing, QualCost *heap);

/*
 * path.c: decide who decides each condition, and compile those for the mask, with a
 * bitmap or without (NULL).  What is known of some from before is not compiled again.
 */
extern void HxAssignConditions(PlannerInfo *root, IndexOptInfo *index,
							   int column, List *clauses, const List *compiled,
							   const BitmapHeapScan *bitmap, HxPlanData *data);

/*
 * path.c: the node as the inner side of a join with one row, which the query
 * comes from; `whole` if it decides all conditions of the join.
 */
extern Path *HxMakeJoinedPath(PlannerInfo *root, const RelOptInfo *joinrel,
							  Relids outer, IndexOptInfo *index, int column,
							  const HxOrder *order, bool whole);

/* one_row.c: is this a join with one row at most? */
extern bool HxJoinsOneRow(PlannerInfo *root, RelOptInfo *outer,
						  JoinType jointype, const JoinPathExtraData *extra);

/* one_row.c: add the path of such a join, in the order of the query. */
extern void HxAddJoinPath(PlannerInfo *root, RelOptInfo *joinrel,
						  RelOptInfo *outer, IndexOptInfo *index, int column,
						  const HxOrder *order, JoinPathExtraData *extra);

/* plan_data.c */
extern void HxPackPlan(const HxPlanData *data, CustomScan *scan);
extern void HxUnpackPlan(const CustomScan *scan, HxPlanData *data);
extern List *HxConditionsOf(const HxPlanData *data, int deciders);

/*
 * condition.c: evaluate what a search is asked for, into the current context: its
 * scan key ORDER BY distance to the query; the scan keys on the vector, and in the
 * request the condition on attribute columns and the limits.
 */
extern void HxMakeOrderKey(const HxPlanData *data, Relation index,
						   ExprState *query, ExprContext *context, ScanKey key);
extern void HxMakeConditions(const HxPlanData *data, List *expressions,
							 ExprContext *context, ScanKey keys,
							 HxScanRequest *request);

/*
 * condition.c: rows that LIMIT and OFFSET make of it, 0 if nobody knows; -1 if all
 * are wanted: there is no LIMIT after all, or it is beyond all numbers.  What is
 * wrong with them is for the Limit node to say, which asks for no row then.
 */
extern int64 HxEvaluateLimit(HxWanted wanted, ExprState *limit_count,
							 ExprState *limit_offset, ExprContext *context);

/* bitmap_read.c */
extern HxTidSet *HxReadBitmap(PlanState *child, Relation table);

/* heap_row.c */
extern HxRowState HxCheckHeapRow(void *arg, ItemPointer tid);
extern HxRowState HxMeasureHeapRow(void *arg, ItemPointer tid, Datum *vector,
								   bool *isnull);
extern HxRowState HxFetchHeapRow(void *arg, ItemPointer tid, Datum *vector,
								 bool *isnull);
extern double HxSweepEffort(const HxScanState *state);
extern HxTidSet *HxSweepRows(void *arg, uint64 *failed);

/*
 * output.c: an expression with a place for the value of a part of it, which is that
 * of the context's CASE; NULL if the part is not in it.
 */
extern Node *HxMakePlace(Node *expression, const void *part);

/* output.c: likewise, the node's projection; false if there is no place. */
extern bool HxProjectWithPlace(ScanState *scan, const void *part);

/*
 * output.c: the distance of the row that a scan has returned, in its place; false
 * if it is NULL, or may be NaN, for which infinity stands.
 */
extern bool HxSetPlace(ExprContext *context, const IndexScanDesc scan);

/* explain.c */
extern void HxExplainScan(CustomScanState *node, List *ancestors,
						  ExplainState *es);

/* node.c */
extern void HxAddStats(HxScanState *state);
extern const CustomScanMethods hx_scan_methods;

#endif /* HX_PLAN_H */
