/*
 * build.h
 *	  An index build by one or several participants: what they share, and what
 *	  each does.
 *
 * A serial build is one with a single participant: the same code, with the
 * shared part in its own memory.  The kind says what is to be done (kind.h:
 * build, work); this is how it is done together.
 */
#ifndef HX_BUILD_H
#define HX_BUILD_H

#include "access/relscan.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "index/kind.h"
#include "port/atomics.h"
#include "storage/buffile.h"
#include "storage/condition_variable.h"
#include "storage/sharedfileset.h"
#include "storage/spin.h"
#include "utils/tuplesort.h"

/* Phases, as pg_stat_progress_create_index shows them */
#define HX_PHASE_LOAD 2
#define HX_PHASE_TRAIN 3
#define HX_PHASE_ASSIGN 4
#define HX_PHASE_WRITE 5
#define HX_PHASE_CALIBRATE 6
#define HX_PHASE_LEARN 7 /* before the others, of kinds that learn */

/* What the participants do together, one after the other */
typedef enum HxTask
{
	HX_TASK_LOAD,	/* spool rows of the table */
	HX_TASK_TRAIN,	/* find out which rows belong together, from a sample */
	HX_TASK_ASSIGN, /* sort the rows so that those are neighbours */
	HX_TASK_SCORE,	/* score rows against sampled queries */
	HX_TASK_END		/* workers leave */
} HxTask;

/* What one participant has done */
typedef struct HxWork
{
	int64 rows;		   /* spooled, with a vector or without */
	int64 vectors;	   /* of these, with one */
	int64 alive;	   /* of these, not deleted: these are sampled */
	double heap_rows;  /* seen in the table */
	bool broken_chain; /* a HOT chain was not quite right for the index */
	int64 sampled;	   /* rows drawn, or chunks of a sample done */
} HxWork;

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

	HxWork work[FLEXIBLE_ARRAY_MEMBER]; /* the leader's is the first */
} HxBuildShared;

typedef struct HxTeam HxTeam;

/* One participant */
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

	BufFile *rows;		   /* where rows are spooled */
	Tuplesortstate *sort;  /* of the rows */
	MemoryContext context; /* reset after each row */
	void *state;		   /* the kind's own */
} HxBuild;

#define HX_MY_WORK(build) (&(build)->shared->work[(build)->part])

/* ---- work.c: what each participant does ---- */

extern void HxInitParticipant(HxBuild *build, Relation heap, Relation index,
							  IndexInfo *info);

/* Begin a phase, as pg_stat_progress_create_index shows it. */
extern void HxSetPhase(int64 phase, int64 total);

/* Count items as done; the leader shows what all have done. */
extern void HxCountDone(HxBuild *build, int64 items);

/*
 * Claim the next items of the task, at most `most`; false if none is left.  A
 * fast participant does more, and a late one finds nothing to do.
 */
extern bool HxClaim(HxBuild *build, int most, int64 *start, int64 *end);

/* What all participants have loaded together */
extern HxWork HxSumWork(const HxBuild *build);

/* Bytes that a part of the build may use */
extern Size HxBuildMemory(int divisor);

/*
 * Spool one's share of the table by a callback for each row, which writes to
 * build->rows and counts rows and vectors in HX_MY_WORK.  The spool is the file
 * "rows" with the number of the part; in a serial build it is build->rows, to be
 * rewound and closed.  A serial build starts at the table's first page, so that
 * its result does not depend on what other scans are doing.
 */
extern void HxLoadRows(HxBuild *build, IndexBuildCallback load_one);

/* ---- file.c: temporary files ---- */

/*
 * Create a file, to be written and then finished.  In a serial build it stays
 * open and is read by rewinding it; in a parallel one it is closed when it is
 * finished, and everybody opens it by name and number.
 */
extern BufFile *HxCreateFile(HxBuild *build, const char *name, int number);
extern void HxFinishFile(HxBuild *build, BufFile *file);
extern BufFile *HxOpenFile(HxBuild *build, const char *name, int number);

/* ---- sort.c: rows in the order of a number ---- */

typedef struct HxSorter HxSorter;

/* Begin, fill and finish one's share of the sort. */
extern HxSorter *HxBeginSorter(HxBuild *build);
extern void HxSortRow(HxSorter *sorter, int64 key, bytea *row);
extern void HxEndSorter(HxBuild *build, HxSorter *sorter);

/* Leader: have all rows sorted, each participant its share. */
extern void HxSortRows(HxBuild *build, int64 rows);

/*
 * Leader: read the sorted rows; false at the end, where all is freed.  The row
 * is valid until the next call.
 */
extern HxSorter *HxBeginSorted(HxBuild *build);
extern bool HxNextSorted(HxBuild *build, HxSorter *sorter, int64 *key,
						 bytea **row);

/* ---- team.c: workers ---- */

/*
 * Start workers, if they are worth it and can be had; otherwise the build is
 * serial.  Sets build->shared in any case.
 */
extern void HxBeginTeam(HxBuild *build);

/* Do a task of this many items together; returns when all have finished. */
extern void HxRunTask(HxBuild *build, HxTask task, int64 items);

/* Send the workers home; the shared files are gone thereafter. */
extern void HxEndTeam(HxBuild *build);

/*
 * Log the pages of the index, which nobody has seen, and tell the server what
 * was loaded.
 */
extern void HxFinishBuild(HxBuild *build, const HxWork *loaded,
						  IndexBuildResult *result);

#endif /* HX_BUILD_H */
