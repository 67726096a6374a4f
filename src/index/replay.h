/*
 * replay.h
 *	  Replaying the stop rule on searches whose answer is known, to fit the
 *	  safety factors.
 */
#ifndef HX_REPLAY_H
#define HX_REPLAY_H

#include "index/directory.h"
#include "index/expect.h"

/* Nearest rows kept of a query */
#define HX_REPLAY_NEAR 512

/* One of a query's nearest rows */
typedef struct HxNear
{
	float distance; /* in units of the query */
	int block;		/* index of its block in the directory */
} HxNear;

/* A query whose nearest rows are known */
typedef struct HxReplayQuery
{
	float *promises; /* of all blocks, in units of the query */
	int nnear;
	HxNear near[HX_REPLAY_NEAR]; /* a heap, the farthest first */
} HxReplayQuery;

/* Offer a row to a query's nearest. */
extern void HxReplayAdd(HxReplayQuery *query, double distance, int block);

/*
 * Fit the safety factor of each target.  Destroys the order of the queries'
 * nearest rows.
 */
extern void HxFitSafety(const HxExpect *expect, HxReplayQuery *queries,
						int nqueries, const HxBlocks *blocks, float *safety);

#endif /* HX_REPLAY_H */
