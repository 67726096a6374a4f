/*
 * visited.c
 *	  How many rows a search visits, as measured.
 */
#include "postgres.h"

#include <math.h>

#include "index/blocks/recall/visited.h"

/* Share of the rows visited for ten neighbours at recall .95, in a million rows */
#define VISITED_FLOOR 0.01

/* Searches of real vectors, and those behind a filter, visit more than that where
 * it is little */
#define VISITED_POWER 0.68

/*
 * Share of all rows that a search visits: grows with the root of the rows that
 * must be passed to find as many as wanted, as measured (bench/README.md).
 */
double
HxVisitedShare(double rows, double wanted, double selectivity, double recall)
{
	double share;

	Assert(rows >= 0 && wanted > 0 && selectivity >= 0);
	if (recall >= 1 || rows < 1000 || wanted > 1024)
		return 1;
	share = VISITED_FLOOR * sqrt(wanted / 10 / Max(selectivity, 1e-6)) *
			sqrt(0.05 / (1 - recall)) * pow(1e6 / rows, 0.4);
	return Min(pow(share, VISITED_POWER), 1);
}
