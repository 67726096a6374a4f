/*
 * misses.h
 *	  The table of expected misses: how many neighbours a search would miss
 *	  if it left some blocks out.
 */
#ifndef HX_MISSES_H
#define HX_MISSES_H

#include "index/blocks/store/format.h"

/* Rows may grow so often before a table is not used any more */
#define HX_MAX_GROWTH 4

/* Share of the rows after which a search visits the rest, too */
#define HX_VISIT_REST 0.75

/* The table in memory: log2 of shares by distance, then promise */
typedef struct HxLoadedMisses
{
	bool usable;		 /* false: searches must be exact */
	uint32 calibrations; /* which calibration it came from */
	double promise_low;
	double promise_step;
	double distance_low;
	double distance_step;
	float safety[HX_MISSES_TARGETS][HX_MISSES_FOUND];
	float filtered[HX_MISSES_TARGETS][HX_MISSES_FOUND]; /* with a filter */
	float logs[HX_MISSES_DISTANCES][HX_MISSES_PROMISES];
} HxLoadedMisses;

/* The targets and the numbers of rows wanted that safety factors are fitted for */
extern const double hx_misses_targets[HX_MISSES_TARGETS];
extern const int hx_misses_found[HX_MISSES_FOUND];

/* Load the table that the metapage names; not usable if there is none. */
extern void HxLoadMisses(Relation index, const HxMeta *meta,
						 HxLoadedMisses *misses);

/* The stored form of a share, rounded towards 1 */
extern void HxPackShare(double share, uint16 *cell);

/* Unpack a table as stored. */
extern void HxUnpackMisses(const HxMisses *table, HxLoadedMisses *misses);

/* Row of the table for a promise (in units of the query) */
static inline int
HxPromiseBin(const HxLoadedMisses *misses, double promise)
{
	double bin = (promise - misses->promise_low) / misses->promise_step + 0.5;

	if (!(bin > 0))
		return 0;
	return bin >= HX_MISSES_PROMISES ? HX_MISSES_PROMISES - 1 : (int) bin;
}

/* Column of the table at or below a distance (in units of the query) */
static inline int
HxDistanceBin(const HxLoadedMisses *misses, double distance)
{
	double bin = (distance - misses->distance_low) / misses->distance_step;

	if (!(bin > 0))
		return 0;
	return bin >= HX_MISSES_DISTANCES ? HX_MISSES_DISTANCES - 1 : (int) bin;
}

/* Is a distance (in units of the query), or NaN, where any row may be nearer? */
static inline bool
HxIsBeyondTable(const HxLoadedMisses *misses, double distance)
{
	return !((distance - misses->distance_low) / misses->distance_step <=
			 HX_MISSES_DISTANCES - 1);
}

/*
 * shares[p] = share of the rows of blocks with promise bin p that are nearer
 * than a distance (in units of the query); interpolated in the logarithm.
 */
extern void HxSharesBelow(const HxLoadedMisses *misses, double distance,
						  double *shares);

/* What a search knows of the rows nearer than that of its last row wanted */
typedef struct HxProspect
{
	double left;	 /* rows that the table expects in blocks not visited ... */
	double expected; /* ... and in those visited ... */
	double seen;	 /* ... where so many were met */
	double share;	 /* of such rows, those that pass */
	double found;	 /* rows wanted that were found */
	double trend;	 /* mean of where, on its way, the search has met them: 0 at
					  * the beginning, 1 just now ... */
	double usual;	 /* ... and of where the table expects them; 0: it tells
					  * nothing */
	bool by_table;	 /* only what the table expects counts */
} HxProspect;

/* Neighbours that stopping now would miss */
typedef struct HxForecast
{
	double misses; /* expected; a safety factor applies */
	double least;  /* whatever the factor: where the table knows nothing */
} HxForecast;

/* See README, "Rows seen", "The search's own course" and "Later than the table says". */
extern HxForecast HxForecastMisses(const HxProspect *prospect);

/* Safety factors for each of the numbers of rows wanted */
typedef struct HxSafety
{
	double plain[HX_MISSES_FOUND];
	double filtered[HX_MISSES_FOUND]; /* where a filter thins the rows */
} HxSafety;

/* Safety factors for a recall, between those of the targets */
extern void HxSafetyFor(const HxLoadedMisses *misses, double recall,
						HxSafety *safety);

/* Of the factors for some numbers of rows, that where `count` are wanted */
extern double HxSafetyOf(const double *factors, double count);

/* The greatest of the factors for some numbers of rows */
extern double HxSafetyOfAny(const double *factors);

#endif /* HX_MISSES_H */
