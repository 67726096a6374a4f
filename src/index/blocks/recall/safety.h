/*
 * safety.h
 *	  Replaying the stop rule on searches whose answer is known, to fit the
 *	  safety factors.
 */
#ifndef HX_REPLAY_H
#define HX_REPLAY_H

#include "index/blocks/store/directory.h"
#include "index/blocks/recall/misses.h"

/* Nearest rows kept of a query */
#define HX_REPLAY_NEAR 512

/* One of a query's nearest rows */
typedef struct HxNear
{
	float distance; /* in units of the query */
	int block;		/* index of its block in the directory */
} HxNear;

/* The nearest rows of a query, while they are being found */
typedef struct HxNearest
{
	int count;
	HxNear rows[HX_REPLAY_NEAR]; /* a heap, the farthest first */
} HxNearest;

/* What a search leaves to be replayed */
typedef struct HxTrace
{
	double rows[HX_TABLE_PROMISES]; /* rows of all blocks, by promise */
	int count;
	HxTraceRow near[HX_REPLAY_NEAR]; /* in the order of visits */
} HxTrace;

/* Put a row among a query's nearest, in place of the farthest if need be. */
extern void HxKeepNear(HxNearest *nearest, float distance, int block);

/* Offer a row to a query's nearest. */
static inline void
HxOfferNear(HxNearest *nearest, float distance, int block)
{
	if (nearest->count < HX_REPLAY_NEAR || distance < nearest->rows[0].distance)
		HxKeepNear(nearest, distance, block);
}

/*
 * Make a trace of a query's nearest rows and the promises of all blocks, in
 * units of the query, on the axes of a table.
 */
extern void HxMakeTrace(const HxExpect *expect, const HxBlocks *blocks,
						const float *promises, const HxNearest *nearest,
						HxTrace *trace);

/* Fit the safety factor of each target. */
extern void HxFitSafety(const HxExpect *expect, const HxTrace *traces,
						int ntraces, float *safety);

#endif /* HX_REPLAY_H */
