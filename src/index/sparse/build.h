/*
 * build.h
 *	  Builds of indexes of sparse vectors, by several participants.
 */
#ifndef HX_SPARSE_BUILD_H
#define HX_SPARSE_BUILD_H

#include "index/build/build.h"
#include "index/sparse/sparse.h"

/* A task of its own: train the centroids. */
#define HX_TASK_TRAIN HX_TASK_OWN

/* One participant's state: rows drawn as centroids, then these */
typedef struct HxSparseBuild
{
	HxOrganizer *organizer;
	MemoryContext centroids_context; /* its memory */
} HxSparseBuild;

#define HX_SPARSE_BUILD(build) ((HxSparseBuild *) (build)->state)

/* work.c: do one's share of a task; see kind.h. */
extern void HxDoSparseWork(HxBuild *build, int task);

/* build.c: all phases, as the leader */
extern void HxBuildSparse(HxBuild *build, IndexBuildResult *result);
extern void HxBuildEmptySparse(Relation index, const HxIndexDesc *desc,
							   ForkNumber fork);

#endif /* HX_SPARSE_BUILD_H */
