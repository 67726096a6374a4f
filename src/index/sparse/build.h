/*
 * build.h
 *	  Builds of indexes of sparse vectors, by several participants.
 */
#ifndef HX_SPARSE_BUILD_H
#define HX_SPARSE_BUILD_H

#include "index/build/build.h"
#include "index/sparse/sparse.h"

/* sparse_build.c: all phases, as the leader */
extern IndexBuildResult *HxBuildSparse(HxBuild *build);
extern void HxSparseBuildEmpty(Relation index);

/* sparse_share.c: do one's share of a task. */
extern void HxDoSparseTask(HxBuild *build, HxTask task);

#endif /* HX_SPARSE_BUILD_H */
