/*
 * build.h
 *	  One participant's state in an index build, and what participants share.
 *
 * A serial build is one with a single participant: the same code, with the
 * shared part in its own memory.
 */
#ifndef HX_BUILD_H
#define HX_BUILD_H

#include "access/relscan.h"
#include "access/tableam.h"
#include "index/blocks/recall/measure.h"
#include "index/blocks/build/write.h"
#include "nodes/execnodes.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/sharedfileset.h"
#include "storage/spin.h"
#include "utils/tuplesort.h"

/* What the participants do together, one after the other */
typedef enum HxTask
{
	HX_TASK_LOAD,	/* spool rows of the table */
	HX_TASK_TRAIN,	/* find the nearest centroid of sampled rows */
	HX_TASK_ASSIGN, /* find the block of each row and sort rows by it */
	HX_TASK_SCORE,	/* score rows against the sampled queries */
	HX_TASK_END		/* workers leave */
} HxTask;

/* What one participant has done */
typedef struct HxShare
{
	int64 rows;		   /* spooled, with a vector or without */
	int64 vectors;	   /* of these, with one */
	int64 alive;	   /* of these, not deleted: these are sampled */
	double heap_rows;  /* seen in the table */
	bool broken_chain; /* a HOT chain was not quite right for the index */
	int64 answers;	   /* chunks of the sample that it has assigned */
	int64 sampled;	   /* sparse vectors: rows drawn as centroids */
} HxShare;

/* What all participants see; in dynamic shared memory if there are workers */
typedef struct HxBuildShared
{
	Oid heap;
	Oid index;
	bool concurrently;
	SharedFileSet files; /* parallel builds only */

	/* Under the mutex; `changed` is broadcast */
	slock_t mutex;
	ConditionVariable changed;
	uint32 tasks; /* how many were given */
	HxTask task;  /* the last one */
	int finished; /* workers that are done with it */

	/* Set by the leader before a task that needs it */
	int nparts;		   /* participants, the leader included */
	int64 items;	   /* to be claimed in this task */
	int ncentroids;	   /* in the file of centroids */
	int ngroups;	   /* in the file of groups */
	uint32 generation; /* number of that file */

	pg_atomic_uint64 next; /* first item that nobody has claimed */
	pg_atomic_uint64 done; /* items done, for progress */

	HxShare shares[FLEXIBLE_ARRAY_MEMBER]; /* the leader's is the first */
} HxBuildShared;

typedef struct HxTeam HxTeam;

typedef struct HxBuild
{
	Relation heap;
	Relation index;
	IndexInfo *info;
	const HxIndexDesc *desc;
	HxBuildShared *shared;
	int part;	  /* number among the participants; the leader is 0 */
	HxTeam *team; /* the leader's, if the build is parallel */

	/* Parallel builds only */
	bool parallel;
	ParallelTableScanDesc scan;
	Sharedsort *sharedsort;

	/* Leader: the centroids, from training to the end */
	uint8 *centroids;
	int ncentroids;
	struct HxGroups *groups; /* in an index with groups; workers: see share.c */
	/* Leader, while training */
	const uint8 *sample;
	int *nearest; /* centroid of each sampled row */

	HxScorer *scorer;	   /* leader, serial or not */
	BufFile *rows;		   /* where rows are spooled */
	Tuplesortstate *sort;  /* of the rows, by block */
	HxRow *row;			   /* scratch */
	MemoryContext context; /* reset after each row */

	/* Sparse vectors: rows drawn as centroids, then these, and their memory */
	struct HxOrganizer *organizer;
	MemoryContext centroids_context;
} HxBuild;

#define HX_SHARE(build) (&(build)->shared->shares[(build)->part])

/* Sort key: block, then order in the table */
#define HX_KEY_OFFSET_BITS 9
#define HX_KEY_TID_BITS (32 + HX_KEY_OFFSET_BITS)
#define HX_KEY_MAX_BLOCKS (1 << (63 - HX_KEY_TID_BITS))

/* ---- build.c ---- */

/* Begin a phase, as pg_stat_progress_create_index shows it. */
extern void HxSetPhase(int64 phase, int64 total);

/* What all participants have loaded together */
extern HxShare HxSumShares(const HxBuild *build);

/* Sort all rows, each participant its share. */
extern void HxSortRows(HxBuild *build, int64 rows);

/* ---- share.c: what each participant does ---- */

extern void HxInitParticipant(HxBuild *build, Relation heap, Relation index,
							  IndexInfo *info);

/* Count items as done; the leader shows what all have done. */
extern void HxCountDone(HxBuild *build, int64 items);

/*
 * Spool one's share of the table by a callback for each row.  A serial build
 * starts at its first page, so that its result does not depend on what other
 * scans are doing.
 */
extern void HxLoadShare(HxBuild *build, IndexBuildCallback load_one);

/* Do one's share of a task. */
extern void HxDoTask(HxBuild *build, HxTask task);

/* Leader: read the centroids that workers have found nearest. */
extern void HxCollectAnswers(HxBuild *build);

/* Leader: add what workers have found in calibrating. */
extern void HxCollectScores(HxBuild *build);

/* Shape of the sorted tuples: (key int8, row bytea) */
extern TupleDesc HxSortedTuples(void);

/* Start a sort of rows by block: one's own, or that of all participants. */
extern Tuplesortstate *HxBeginSort(HxBuild *build, bool merge);

/* ---- team.c: workers ---- */

/*
 * Start workers, if they are worth it and can be had; otherwise the build is
 * serial.  Sets build->shared in any case.
 */
extern void HxBeginTeam(HxBuild *build);

/* Do a task of so many items together; returns when all have finished. */
extern void HxRunTask(HxBuild *build, HxTask task, int64 items);

/* Send the workers home; the shared files are gone thereafter. */
extern void HxEndTeam(HxBuild *build);

#endif /* HX_BUILD_H */
