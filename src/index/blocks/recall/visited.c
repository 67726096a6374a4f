/*
 * visited.c
 *	  How many rows a search visits, as measured.
 */
#include "postgres.h"

#include <math.h>

#include "index/blocks/recall/visited.h"

/*
 * Share of the rows visited for ten neighbours at recall .95, in a million rows;
 * and how many times that behind a filter, whatever it passes
 */
#define VISITED_FLOOR 0.032
#define VISITED_FILTERED 2.05

/* It grows with these powers of rows wanted, of rows that must be passed for one that
 * does, and of what may be missed, and falls with that of all rows */
#define POWER_OF_WANTED 0.34
#define POWER_OF_FILTER 0.15
#define POWER_OF_MISSES 0.67
#define POWER_OF_ROWS 0.272

/*
 * Share of all rows that a search visits: a fit of what searches of 117,791 real codes
 * and vectors visit, within a third of most (bench/results/visited.txt).
 */
double
HxVisitedShare(double rows, double wanted, double selectivity, double recall)
{
	double share;

	Assert(rows >= 0 && wanted > 0 && selectivity >= 0);
	if (recall >= 1 || rows < 1000 || wanted > 1024)
		return 1;
	share = VISITED_FLOOR * pow(wanted / 10, POWER_OF_WANTED) *
			pow(0.05 / (1 - recall), POWER_OF_MISSES) *
			pow(1e6 / rows, POWER_OF_ROWS);
	if (selectivity < 0.999)
		share *=
			VISITED_FILTERED * pow(1 / Max(selectivity, 1e-6), POWER_OF_FILTER);
	return Min(share, 1);
}
