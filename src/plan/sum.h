/*
 * sum.h
 *	  The node for orders by a sum of distances: what its files share.
 *
 * See README, "Sums of distances".  Reading order: sum_match.c, sum_path.c
 * (planning); sum_data.c; sum_node.c, sum_search.c, sum_rows.c, sum_sweep.c,
 * sum_bound.c, sum_stop.c, sum_explain.c (execution).
 */
#ifndef HX_SUM_H
#define HX_SUM_H

#include "plan/plan.h"
#include "utils/tuplesort.h"

#define HX_MOST_TERMS 4

/* A distance in the sum, and the index that gives its order */
typedef struct HxSumTerm
{
	IndexOptInfo *index;
	int column;		  /* its vector column, from 0 */
	OpExpr *distance; /* with the column on the left */
	OpExpr *written;  /* as it stands in the sum */
} HxSumTerm;

/*
 * What a query orders by: an expression that does not fall where one of some
 * distances grows, if its weights are not negative
 */
typedef struct HxSum
{
	Expr *expr;
	int nterms;
	HxSumTerm terms[HX_MOST_TERMS];
	List *weights; /* expressions */
	List *starts;  /* of each, the first term that it weighs, */
	List *ends;	   /* that behind the last, */
	List *divides; /* and whether it divides: integers */
} HxSum;

/* A path of the node; `base` has the first term's index */
typedef struct HxSumPath
{
	HxPath base; /* must be first */
	HxSum sum;
	double search_times[HX_MOST_TERMS]; /* what a term's search takes, */
	double row_time;		 /* and completing a row, in microseconds */
	int more[HX_MOST_TERMS]; /* rows that it is asked for beyond those wanted */
	double
		further[HX_MOST_TERMS]; /* one more row of a search, in microseconds */
} HxSumPath;

/*
 * What a plan says, in pieces (sum_data.c).  Of terms, `reserve` is the time that a
 * search takes, and `few` that of completing a row, in microseconds.
 */
typedef struct HxSumData
{
	int nterms;
	HxPlanData terms[HX_MOST_TERMS]; /* what is wanted stands in the first */
	Expr *expr;						 /* the sum */
	List *written;					 /* its distances */
	List *weights;
	List *starts;
	List *ends;
	List *divides;
	List *more;	   /* for each term */
	List *further; /* likewise, in nanoseconds */
} HxSumData;

/* ---- rows (sum_rows.c) ---- */

/* A sum as it is ordered: NULL behind NaN behind the numbers */
typedef struct HxSumValue
{
	double value;
	bool isnull;
} HxSumValue;

/* A completed row that passes */
typedef struct HxSumRow
{
	HxSumValue sum;
	uint64 tid;	 /* of the version that the snapshot sees; packed */
	uint64 root; /* the TID that indexes have */
} HxSumRow;

/* Of each term, at which place of its search a row came, from 1; 0: not yet */
typedef uint32 HxSumPlaces[HX_MOST_TERMS];

/* Rows seen, those that wait to be settled, and those that are, in order */
typedef struct HxSumRows
{
	struct hxseen_hash *seen; /* by the TIDs that indexes have */
	HxSumRow *waiting;		  /* a heap, the least first */
	int64 nwaiting;
	int64 waiting_room;
	HxSumRow *settled;
	int64 nsettled;
	int64 settled_room;
	int64 nsorted;	 /* of these, in order */
	int64 nreturned; /* of these */
	HxSumRow *first; /* the least of both, in order ... */
	int64 nfirst;
	int64 most_first; /* ... at most so many; 0: they are not kept apart */
} HxSumRows;

extern int HxCompareSums(HxSumValue a, HxSumValue b);
extern void HxBeginSumRows(HxSumRows *rows, int64 first);
extern bool HxSeeRow(HxSumRows *rows, uint64 tid, int term, uint64 place);
extern const uint32 *HxPlacesOf(const HxSumRows *rows, uint64 tid);
extern void HxAddSumRow(HxSumRows *rows, const HxSumRow *row);
extern void HxSettleRows(HxSumRows *rows, HxSumValue bound);
extern void HxSettleAllRows(HxSumRows *rows);
extern bool HxNextSumRow(HxSumRows *rows, HxSumRow *row, uint64 *dropped);
extern Size HxSumRowsMemory(const HxSumRows *rows);

/* ---- execution ---- */

/* What a term has done in the searches so far, for EXPLAIN */
typedef struct HxTermStats
{
	uint64 rows;	 /* that its searches returned */
	uint64 searches; /* begun */
	double frontier; /* sums over the scans that had one */
	uint64 frontiers;
} HxTermStats;

/* A term while the node runs */
typedef struct HxTermState
{
	const HxPlanData *data;
	ExprState *query; /* the query vector */
	ExprState *given; /* the sum, given this distance; NULL: it is not known */
	List *values;	  /* right-hand sides of conditions: expression states */
	ExprState *left;  /* conditions that its search does not decide */
	Relation index;
	IndexScanDesc scan;	   /* NULL before the first search */
	ScanKeyData order;	   /* ORDER BY distance to the query */
	ScanKey keys;		   /* conditions on the vector */
	MemoryContext context; /* of what one search is asked for */
	bool zero;			   /* its weight is 0 */
	int place;			   /* first term of the same distance, in the bound */
	bool active;		   /* it is searched for */
	bool recheck;		   /* what its search decides is not exact */
	uint64 more;		   /* rows of its first batch beyond those wanted */
	double further;		   /* what one row more takes, in microseconds */
	double search_time;	   /* what a search takes, in microseconds */
	uint64 batch;		   /* rows that one search finds; 0: none yet */
	bool open;			   /* it finds few first, and goes on for more */
	uint64 read;		   /* rows that this search has returned */
	double waited;	   /* microseconds that others worked since it is used up */
	bool has_frontier; /* a search has returned a row */
	bool only_nulls;   /* the last one had no distance */
	double frontier;
	double *course; /* the frontiers of its first `read` rows, if kept */
	uint64 course_room;
	double
		rise; /* of the bound by the latter half of these, at the last look */
	HxTermStats stats;
} HxTermState;

/* How rows are found */
typedef enum HxSumWay
{
	HX_SUM_THRESHOLD,
	HX_SUM_SWEEP, /* the whole table is read and sorted */
	HX_SUM_WAYS
} HxSumWay;

/* The node while it runs */
typedef struct HxSumState
{
	CustomScanState css; /* must be first */
	HxSumData data;		 /* the plan */
	HxTermState terms[HX_MOST_TERMS];

	ExprState *sum;	  /* on the heap row */
	ExprState *bound; /* the same, of distances in `frontiers` */
	TupleTableSlot *frontiers;
	bool placed;			 /* the output has a place for the sum */
	List *weights;			 /* expression states */
	ExprState *limit_count;	 /* of the LIMIT; NULL if not known */
	ExprState *limit_offset; /* likewise */
	ExprState *all;			 /* all conditions */

	TupleTableSlot *row;		/* a heap row that is completed */
	ExprContext *check_context; /* for completing */
	MemoryContext scan_context; /* of one scan, reset by rescans */

	/* one scan */
	bool started;
	bool complete;			/* all rows that pass were seen */
	double recall;			/* target */
	int64 wanted;			/* rows wanted; 0: nobody knows */
	double row_time;		/* what completing a row takes, in microseconds */
	int turn;				/* of the searches: whose it is */
	bool by_price;			/* turns go by what a rise of the bound costs */
	HxTermState *favourite; /* raises the bound at the least price; or NULL */
	uint64 next_look;		/* at courses, when so many rows were read */
	double table_rows;		/* about so many has the table */
	double sweep_effort;	/* of reading the table, in rows completed */
	uint64 ncompleted;		/* heap rows fetched */
	HxSumValue limit;		/* the bound */
	HxSumRows rows;			/* while searches find rows */
	Tuplesortstate *sort;	/* of a sweep; NULL: none */
	TupleTableSlot *swept;	/* a row of the sort */
	bool any_returned;		/* and the last row returned */
	HxSumValue last;

	/* sums over the scans, for EXPLAIN */
	uint64 scans;
	uint64 completed;
	uint64 failed;	/* of these, rows that do not pass */
	uint64 dropped; /* rows found too late */
	uint64 ways[HX_SUM_WAYS];
} HxSumState;

/*
 * sum_data.c: rows that each search is expected to return for so many of the sum, out of
 * those that pass
 */
extern double HxExpectedDepth(double rows, double wanted, int terms);

/* The value of an expression of type float4 or float8, not NULL */
extern double HxFloatOf(const Node *expr, Datum value);
extern Datum HxFloatDatum(const Node *expr, double value); /* the reverse */
extern void HxPackSum(const HxSumData *data, CustomScan *scan);
extern void HxUnpackSum(const CustomScan *scan, HxSumData *data);

/* sum_search.c */
extern HxSumValue HxSumOfRow(HxSumState *state, TupleTableSlot *slot);
extern bool HxBeginTerms(HxSumState *state);
extern HxTermState *HxChooseTerm(HxSumState *state);
extern bool HxAdvanceTerm(HxSumState *state, HxTermState *term);
extern void HxEndTerms(HxSumState *state);

/* sum_bound.c */
extern void HxSetBound(HxSumState *state);
extern void HxNoteCourse(HxSumState *state, HxTermState *term);
extern uint64 HxHalfOf(const HxTermState *term);
extern bool HxLookAtCourses(HxSumState *state);

/* sum_stop.c */
extern bool HxMayEndSum(const HxSumState *state);

/* sum_sweep.c */
extern void HxMeasureTable(HxSumState *state);
extern void HxSweepSums(HxSumState *state);
extern bool HxNextSweptRow(HxSumState *state, HxSumRow *row);
extern void HxEndSweep(HxSumState *state);

/* sum_explain.c */
extern void HxExplainSum(CustomScanState *node, List *ancestors,
						 ExplainState *es);

/* sum_node.c */
extern const CustomScanMethods hx_sum_scan_methods;

/* sum_match.c: does the query order by a sum of distances first? */
extern bool HxMatchSum(PlannerInfo *root, RelOptInfo *rel, HxSum *sum);

/* sum_path.c: add a path of the node. */
extern void HxAddSumPath(PlannerInfo *root, RelOptInfo *rel, const HxSum *sum);

#endif /* HX_SUM_H */
