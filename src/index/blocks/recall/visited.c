/*
 * visited.c
 *	  How many rows a search visits, as measured.
 */
#include "postgres.h"

#include <math.h>

#include "index/blocks/recall/misses.h"
#include "index/blocks/recall/visited.h"

/* Share of the rows visited for ten neighbours at recall .95, in a million rows, where
 * the index does not tell */
#define VISITED_FLOOR 0.01

/* Searches of real vectors, and those behind a filter, visit more than that where
 * it is little */
#define VISITED_POWER 0.68

/*
 * Rows that pass a filter, of which an index tells what searches visit; how many times
 * that they visit, since the share that passes is a guess; and the power by which it
 * grows where fewer pass
 */
#define THINNED 0.125
#define FILTERED_TIMES 1.5
#define FILTERED_POWER 0.2

/*
 * Where few pass, ten are found and made sure of in the root of so many times their share of
 * those that pass; and the power by which that grows with the rows wanted
 */
#define FOUND_TIMES 4
#define FOUND_POWER 0.35

StaticAssertDecl(sizeof(((HxMisses *) NULL)->visited) ==
					 HX_VISIT_SHARES * sizeof(float),
				 "shares of an index must be those of its table");

const float *
HxVisitsOf(Relation index)
{
	const HxIndexDesc *desc = HxDescribe(index);
	float visits[HX_VISIT_SHARES] = {0};
	HxMeta meta;

	if (desc->visits_known)
		return desc->visits;
	Assert(HxHoldsNoPage());
	HxReadMeta(index, &meta);
	if (meta.misses != InvalidBlockNumber && meta.rows_at_calibration > 0)
	{
		Buffer buffer =
			HxReadPage(index, meta.misses, BUFFER_LOCK_SHARE, HX_PAGE_MISSES);

		memcpy(visits, HxPageMisses(BufferGetPage(buffer))->visited,
			   sizeof(visits));
		UnlockReleaseBuffer(buffer);
	}
	HxKeepVisits(index, visits);
	return HxDescribe(index)->visits;
}

/*
 * Share of the rows visited to find so many of those that pass, and to be sure of them,
 * if these have nothing to do with the query: it matters where few pass
 */
static double
share_to_find(double rows, double wanted, double selectivity)
{
	return sqrt(FOUND_TIMES * 10 / Max(rows * selectivity, 1)) *
		   pow(wanted / 10, FOUND_POWER);
}

/* Without knowledge of the index: the root of the rows to be passed, as measured */
static double
usual_share(double rows, double wanted, double selectivity, double recall)
{
	double share = VISITED_FLOOR *
				   sqrt(Max(wanted, 10) / 10 / Max(selectivity, 1e-6)) *
				   sqrt(0.05 / (1 - recall)) * pow(1e6 / rows, 0.4);

	return pow(share, VISITED_POWER);
}

/* Logarithm of the share that the index tells for a kind of search and a target */
static double
told_for(const float *visits, int target, int search, double wanted)
{
	const float *shares =
		visits + target * HX_MISSES_SEARCHES + search * HX_MISSES_FOUND;
	double at = log10(Max(wanted, 1));
	int k = Min((int) at, HX_MISSES_FOUND - 2);

	at -= k; /* goes on in the same way beyond the last */
	return (1 - at) * log(Max(shares[k], 1e-6)) +
		   at * log(Max(shares[k + 1], Max(shares[k], 1e-6)));
}

/* The same for a recall, between those of the targets */
static double
told_share(const float *visits, int search, double wanted, double recall)
{
	double at = log(Max(1 - recall, 1e-9));
	double part;
	int t = 0;
	double before;

	do
	{
		before = log(1 - hx_misses_targets[t]);
		part = (at - before) / (log(1 - hx_misses_targets[++t]) - before);
	} while (part > 1 && t < HX_MISSES_TARGETS - 1);
	part = Max(part, 0);
	return part * told_for(visits, t, search, wanted) +
		   (1 - part) * told_for(visits, t - 1, search, wanted);
}

double
HxVisitedShare(const float *visits, double rows, double wanted,
			   double selectivity, double recall)
{
	double share;

	Assert(rows >= 0 && wanted > 0 && selectivity >= 0);
	if (recall >= 1 || rows < 1000 || wanted > 1024)
		return 1;
	if (visits[0] <= 0)
		share = usual_share(rows, wanted, selectivity, recall);
	else if (selectivity >= 0.999)
		share = exp(told_share(visits, 0, wanted, recall));
	else
	{
		double thinned = Min(log(Max(selectivity, 1e-6)) / log(THINNED), 1);

		share = exp(thinned * told_share(visits, 2, wanted, recall) +
					(1 - thinned) * told_share(visits, 1, wanted, recall)) *
				FILTERED_TIMES *
				pow(Max(THINNED / Max(selectivity, 1e-6), 1), FILTERED_POWER);
		share = hypot(share, share_to_find(rows, wanted, selectivity));
	}
	return Min(share, 1);
}
