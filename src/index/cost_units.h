/*
 * cost_units.h
 *	  What a search's steps cost, as measured (bench/README.md), in the planner's
 *	  units.  All constants of costs stand here, or at what they are about.
 */
#ifndef HX_COST_UNITS_H
#define HX_COST_UNITS_H

#include "index/kind.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"

/* Scoring a row, in cpu_operator_cost: a kernel's share */
#define HX_SCORE_COST 0.1
/* Masking a row by one condition, likewise */
#define HX_MASK_COST 0.03

/* A page in seq_page_cost: alone, and in a loop that finds it cached */
#define HX_PAGE_COST 0.5
#define HX_CACHED_PAGE_COST 0.2

/* Looking at a heap row and its vector, in seq_page_cost */
#define HX_LOOK_COST 0.5

/* Rows that the first phase of a search finds, and the first two */
#define HX_FIRST_ROWS 128
#define HX_SECOND_ROWS 1024

/* Phases that a search needs for this many rows */
static inline int
HxPhasesFor(double rows)
{
	return rows <= HX_FIRST_ROWS ? 1 : rows <= HX_SECOND_ROWS ? 2 : 3;
}

/*
 * Cost of reading pages, each at a cost in seq_page_cost, and of masking and
 * scoring rows, each at a cost in cpu_operator_cost without its masks
 */
static inline Cost
HxVisitCost(const HxCostQuery *query, double pages, double page_cost,
			double rows, double row_cost)
{
	return pages * page_cost * seq_page_cost +
		   rows * (row_cost + query->masks * HX_MASK_COST) * cpu_operator_cost;
}

#endif /* HX_COST_UNITS_H */
