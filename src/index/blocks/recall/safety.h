/*
 * safety.h
 *	  Replaying the stop rule on searches whose answer is known, to fit the
 *	  safety factors.
 */
#ifndef HX_SAFETY_H
#define HX_SAFETY_H

#include "index/blocks/store/directory.h"
#include "index/blocks/recall/misses.h"

/* Nearest rows kept of a query */
#define HX_REPLAY_NEAR 512

/* One of a query's nearest rows */
typedef struct HxTopRow
{
	float distance; /* in units of the query */
	int block;		/* index of its block in the directory */
} HxTopRow;

/* The nearest rows of a query, while they are being found */
typedef struct HxTopRows
{
	int count;
	HxTopRow rows[HX_REPLAY_NEAR]; /* a heap, the farthest first */
} HxTopRows;

/* What a search leaves to be replayed */
typedef struct HxTrace
{
	double rows[HX_MISSES_PROMISES]; /* rows of all blocks, by promise */
	double block;					 /* rows of a block, in the mean */
	int count;
	HxTraceRow near[HX_REPLAY_NEAR]; /* in the order of visits */
} HxTrace;

/* Put a row among a query's nearest, in place of the farthest if need be. */
extern void HxKeepTopRow(HxTopRows *nearest, float distance, int block);

/* Offer a row to a query's nearest. */
static inline void
HxOfferTopRow(HxTopRows *nearest, float distance, int block)
{
	if (nearest->count < HX_REPLAY_NEAR || distance < nearest->rows[0].distance)
		HxKeepTopRow(nearest, distance, block);
}

/*
 * Make a trace of a query's nearest rows and the promises of all blocks, in
 * units of the query, on the axes of a table.
 */
extern void HxMakeTrace(const HxLoadedMisses *misses, const HxBlocks *blocks,
						const float *promises, const HxTopRows *nearest,
						HxTrace *trace);

/*
 * Fit a table's safety factors, without a filter and with one; `earlier`: the traces are
 * of an index that was smaller
 */
extern void HxFitSafety(const HxLoadedMisses *misses, const HxTrace *traces,
						int ntraces, bool earlier, HxMisses *table);

#endif /* HX_SAFETY_H */
