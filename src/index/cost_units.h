/*
 * cost_units.h
 *	  What steps of searches, and of PostgreSQL's own plans, take: the one table of
 *	  cost constants.  Microseconds on one processor, everything cached, as
 *	  bench/costs.sh measures them; those of heap rows are somewhat shifted, to
 *	  PostgreSQL's side, so that choices come out right in bench/plans.sh.
 */
#ifndef HX_COST_UNITS_H
#define HX_COST_UNITS_H

#include "optimizer/cost.h"
#include "optimizer/optimizer.h"

/*
 * A microsecond of a search in the planner's units, where PostgreSQL's own scan of
 * the index is charged for it
 */
#define HX_MICROSECOND (400 * cpu_operator_cost)

/* ---- searches ---- */

/* Beginning and end of a search, and of one in a loop that finds pages cached */
#define HX_SEARCH_TIME 60.0
#define HX_REPEATED_TIME 30.0
/* In blocks: comparing a summary, and its zone map with some conditions */
#define HX_SUMMARY_TIME 0.03
#define HX_ZONE_TIME 0.03
/* In blocks: a page visited, a row whose attribute columns are read there, and one that
 * is scored where no mask leaves any out */
#define HX_VISIT_TIME 0.18
#define HX_VISITED_TIME 0.001
#define HX_SCORED_TIME 0.003
/* A row visited, scored or masked by one condition, where pages are not told apart; and by
 * a further condition */
#define HX_ROW_TIME 0.008
#define HX_MASK_TIME 0.0005
/*
 * Scoring a row that passes a mask, whose payload is fetched by itself; where one row
 * in seven passes half of that, since what lies beside each other is fetched together
 */
#define HX_PASSED_TIME 0.1
#define HX_PASSED_TOGETHER 7
/* A row of which nothing but an attribute column is read, in lists of tokens; the same
 * in sparse vectors */
#define HX_COLUMN_TIME 0.003
#define HX_LIST_COLUMN_TIME 0.0025
/* Looking for a row visited in a set of TIDs */
#define HX_LOOKUP_TIME 0.03
/*
 * In sparse vectors: a row scanned through; and with conditions that one row in 100
 * or fewer passes, which leave more rows to be looked up.  Nothing where 0.3 pass, by
 * the logarithm between
 */
#define HX_LIST_ROW_TIME 0.0018
#define HX_LIST_MASK_TIME 0.004
#define HX_LIST_MASK_FROM 0.3
#define HX_LIST_MASK_TO 0.01
/* How that grows with the rows wanted, from ten on */
#define HX_LIST_POWER 0.15

/* ---- the scan node ---- */

/* Taking a TID from a bitmap into a mask */
#define HX_TID_MASK_TIME 0.04
/* A heap row that a search looks at, or ranks; its distance not included */
#define HX_CHECK_TIME 1.1
#define HX_RANK_TIME 0.6
/* A row returned: by a search that knew how many are wanted, or for all rows */
#define HX_EMIT_TIME 0.7
#define HX_EMIT_ALL_TIME 4.0

/* ---- PostgreSQL's plans ---- */

/* Beginning and end of one, and of a bitmap index scan within it */
#define HX_PLAN_TIME 15.0
#define HX_BITMAP_TIME 10.0
/* A page and a row of a sequential scan */
#define HX_SEQ_PAGE_TIME 1.5
#define HX_SEQ_ROW_TIME 0.075
/* A heap page come to by an index or a bitmap, a row fetched from it, and a TID put
 * into a bitmap */
#define HX_HEAP_PAGE_TIME 0.4
#define HX_HEAP_ROW_TIME 0.15
#define HX_TID_TIME 0.05
/* What an index that gives bitmaps alone, as GIN does, is charged as a unit */
#define HX_GIN_UNIT_TIME 6.0
/* A distance between vectors of a known width, and each of their bytes, if that is
 * less than what it is charged */
#define HX_DISTANCE_TIME 0.03
#define HX_DISTANCE_BYTE_TIME 0.0002
/* Reading a vector out of line: some rows of another table, by an index */
#define HX_OUTSIDE_TIME 10.0
/* What is charged cpu_operator_cost; sorting a row for a LIMIT */
#define HX_OPERATOR_TIME 0.015
#define HX_SORT_ROW_TIME 0.07

/* Microseconds for what is charged a cost of processing */
static inline double
HxOperatorTime(Cost cost)
{
	return cost / Max(cpu_operator_cost, 1e-9) * HX_OPERATOR_TIME;
}

/* Rows that the first phase of a search finds, and the first two */
#define HX_FIRST_ROWS 128
#define HX_SECOND_ROWS 1024

/* Phases that a search needs for this many rows */
static inline int
HxPhasesFor(double rows)
{
	return rows <= HX_FIRST_ROWS ? 1 : rows <= HX_SECOND_ROWS ? 2 : 3;
}

#endif /* HX_COST_UNITS_H */
