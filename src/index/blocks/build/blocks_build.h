/*
 * blocks_build.h
 *	  A build of blocks: what its files share.
 */
#ifndef HX_BLOCKS_BUILD_H
#define HX_BLOCKS_BUILD_H

#include "index/blocks/build/write.h"
#include "index/blocks/recall/measure.h"
#include "index/build/build.h"

/* Tasks of its own */
#define HX_TASK_TRAIN (HX_TASK_OWN + 0) /* find the nearest centroids */
#define HX_TASK_SCORE (HX_TASK_OWN + 1) /* score rows, for expected misses */

/* What the leader lets all participants know */
typedef struct HxBlocksShared
{
	int ncentroids;	   /* in the file of centroids */
	int ngroups;	   /* in the file of groups */
	uint32 generation; /* number of that file */
} HxBlocksShared;

StaticAssertDecl(sizeof(HxBlocksShared) <= HX_OWN_WORDS * sizeof(uint64),
				 "what a kind may share");

#define HX_BLOCKS_SHARED(build) ((HxBlocksShared *) (build)->shared->own)

/* One participant's state */
typedef struct HxBlocksBuild
{
	HxRow *row;		  /* scratch */
	HxScorer *scorer; /* the leader's, in calibrating */

	/* Leader: the centroids, from training to the end */
	uint8 *centroids;
	int ncentroids;
	struct HxGroups *groups; /* in an index with groups */
	/* Leader, while training */
	const uint8 *sample;
	int *nearest; /* centroid of each sampled row */
} HxBlocksBuild;

#define HX_BLOCKS_BUILD(build) ((HxBlocksBuild *) (build)->state)

/* Sort key: block, then order in the table */
#define HX_KEY_OFFSET_BITS 9
#define HX_KEY_TID_BITS (32 + HX_KEY_OFFSET_BITS)
#define HX_KEY_MAX_BLOCKS (1 << (63 - HX_KEY_TID_BITS))

/* work.c, leader: read the centroids that workers have found nearest. */
extern void HxCollectAnswers(HxBuild *build);

/* work.c, leader: add what workers have found in calibrating. */
extern void HxCollectScores(HxBuild *build);

#endif /* HX_BLOCKS_BUILD_H */
