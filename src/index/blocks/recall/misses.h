/*
 * misses.h
 *	  The table of expected misses: how many neighbours a search would miss
 *	  if it left some blocks out.
 */
#ifndef HX_EXPECT_H
#define HX_EXPECT_H

#include "index/page/page.h"

/* Rows may grow so often before a table is not used any more */
#define HX_MAX_GROWTH 4

/* The table in memory: log2 of shares by distance, then promise */
typedef struct HxExpect
{
	bool usable;		 /* false: searches must be exact */
	uint32 calibrations; /* which calibration it came from */
	double promise_low;
	double promise_step;
	double distance_low;
	double distance_step;
	double safety[HX_TABLE_TARGETS];
	float logs[HX_TABLE_DISTANCES][HX_TABLE_PROMISES];
} HxExpect;

/* The targets that safety factors are fitted for */
extern const double hx_table_targets[HX_TABLE_TARGETS];

/* Load the table that the metapage names; not usable if there is none. */
extern void HxLoadExpect(Relation index, const HxMeta *meta, HxExpect *expect);

/* The stored form of a share, rounded towards 1 */
extern void HxPackShare(double share, uint16 *cell);

/* Unpack a table as stored. */
extern void HxUnpackTable(const HxTable *table, HxExpect *expect);

/* Row of the table for a promise (in units of the query) */
static inline int
HxPromiseBin(const HxExpect *expect, double promise)
{
	double bin = (promise - expect->promise_low) / expect->promise_step + 0.5;

	if (!(bin > 0))
		return 0;
	return bin >= HX_TABLE_PROMISES ? HX_TABLE_PROMISES - 1 : (int) bin;
}

/* Column of the table at or below a distance (in units of the query) */
static inline int
HxDistanceBin(const HxExpect *expect, double distance)
{
	double bin = (distance - expect->distance_low) / expect->distance_step;

	if (!(bin > 0))
		return 0;
	return bin >= HX_TABLE_DISTANCES ? HX_TABLE_DISTANCES - 1 : (int) bin;
}

/*
 * shares[p] = share of the rows of blocks with promise bin p that are nearer
 * than a distance (in units of the query); interpolated in the logarithm.
 */
extern void HxSharesBelow(const HxExpect *expect, double distance,
						  double *shares);

/* Safety factor for a recall, between those fitted. */
extern double HxSafety(const HxExpect *expect, double recall);

#endif /* HX_EXPECT_H */
