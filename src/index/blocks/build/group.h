/*
 * group.h
 *	  Groups of rows in an index build: values of the attribute that blocks are
 *	  formed within, cut into blocks in value order.
 */
#ifndef HX_GROUP_BUILD_H
#define HX_GROUP_BUILD_H

#include "index/blocks/build/blocks_build.h"
#include "index/blocks/store/span.h"

typedef struct HxGroups HxGroups;
typedef struct HxGrouper HxGrouper;

/*
 * Leader: form groups of the loaded rows, and train the centroids of their
 * blocks, in value order, about `best` and hardly more than `most`.  rows: those
 * with a vector that count; with `alive` only live rows do.  Returns the
 * centroids, and lets all participants know the groups.
 */
extern uint8 *HxTrainGroups(HxBuild *build, int64 rows, bool alive, int best,
							int most, Size memory);

/* Blocks of all groups */
extern int HxGroupBlocks(const HxGroups *groups);

/* For finding the block of a row: its group's whose centroid is nearest */
extern HxGrouper *HxMakeGrouper(HxBuild *build, const uint8 *centroids);
extern int HxAssignInGroup(HxGrouper *grouper, const HxRow *row);
extern void HxFreeGrouper(HxGrouper *grouper);

#endif /* HX_GROUP_BUILD_H */
