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
#include "index/page/page.h"
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

/*
 * What the participants do together, one after the other: what all builds have,
 * and from HX_TASK_OWN on what the kind numbers
 */
#define HX_TASK_END 0  /* workers leave */
#define HX_TASK_LOAD 1 /* spool rows of the table */
#define HX_TASK_SORT 2 /* sort the rows so that neighbours belong together */
#define HX_TASK_OWN 16

/* Words of shared memory that are the kind's own, zeros at first */
#define HX_OWN_WORDS 4

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
	int task;	  /* the last one */
	int finished; /* workers that are done with it */

	/* Set by the leader before a task that needs it */
	int nparts;				  /* participants, the leader included */
	int64 items;			  /* to be claimed in this task */
	uint64 own[HX_OWN_WORDS]; /* the kind's */

	pg_atomic_uint64 next; /* first item that nobody has claimed */
	pg_atomic_uint64 done; /* items done, for progress */

	HxWork work[FLEXIBLE_ARRAY_MEMBER]; /* the leader's is the first */
} HxBuildShared;

typedef struct HxTeam HxTeam;
typedef struct HxBuild HxBuild;

/*
 * Form what is spooled of a row of the table instead of an HxRow; *size bytes.  The current context
 * is reset after each row.  Rows may be held back: nothing is returned then, and
 * several later on; HxFormRest returns what is held back at the end.
 */
typedef const void *(*HxFormSpooled)(HxBuild *build, const Datum *values,
									 const bool *isnull, ItemPointer tid,
									 bool alive, Size *size);
typedef const void *(*HxFormRest)(HxBuild *build, Size *size);

/* One participant */
struct HxBuild
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
	HxFormSpooled form;	   /* how; NULL: as HxRow */
	void *held;			   /* rows that it holds back */
	Tuplesortstate *sort;  /* of the rows */
	MemoryContext context; /* reset after each row */
	void *state;		   /* the kind's own */
};

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
 * HX_TASK_LOAD: spool one's share of the table as a function forms its rows, or as
 * HxRow if it is NULL, and count them; `rest` is NULL if none are held back.  A serial build starts at the table's first page, so that its result
 * does not depend on what other scans are doing.
 */
extern void HxLoadRows(HxBuild *build, HxFormSpooled form, HxFormRest rest);

/* ---- spool.c: the rows that were loaded ---- */

/* The rows that one participant has spooled, from the first on */
extern BufFile *HxOpenPart(HxBuild *build, int part);
extern void HxClosePart(HxBuild *build, BufFile *file);

/* The rows of all parts, one after the other, where they are HxRows */
typedef struct HxSpool HxSpool;
extern HxSpool *HxOpenSpool(HxBuild *build);

/*
 * Read a row by its number among all; fastest in ascending order.  Checks for
 * interrupts.
 */
extern void HxReadSpool(HxSpool *spool, int64 number, HxRow *row);
extern void HxCloseSpool(HxSpool *spool);

/* Leader: nobody reads the spool any more.  HxFinishBuild sees to it, too. */
extern void HxDropSpool(HxBuild *build);

/* ---- file.c: temporary files ---- */

/*
 * Create a file, to be written and then finished.  In a serial build it stays
 * open and is read by rewinding it; in a parallel one it is closed when it is
 * finished, and everybody opens it by name and number.
 */
extern BufFile *HxCreateFile(HxBuild *build, const char *name, int number);
extern void HxFinishFile(HxBuild *build, BufFile *file);
extern BufFile *HxOpenFile(HxBuild *build, const char *name, int number);

/*
 * Leader: let workers know what it has learnt, or with a size of 0 that it is
 * nothing.  Worker: get to know that, palloc'd.
 */
extern void HxShareLearnt(HxBuild *build, const char *packed, Size size);
extern char *HxReceiveLearnt(HxBuild *build, Size *size);

/* ---- sort.c: rows in the order of a number ---- */

typedef struct HxSorter HxSorter;

/* Begin, fill and finish one's share of the sort. */
extern HxSorter *HxBeginSorter(HxBuild *build);
extern void HxSortRow(HxSorter *sorter, int64 key, bytea *row);
extern void HxEndSorter(HxBuild *build, HxSorter *sorter);

/*
 * Leader: have all rows sorted, each participant its share (HX_TASK_SORT).  The
 * spool is gone thereafter.
 */
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
extern void HxRunTask(HxBuild *build, int task, int64 items);

/* Begin: start workers, and load the table together.  Returns what was loaded. */
extern HxWork HxLoadTable(HxBuild *build);

/* Send the workers home; the shared files are gone thereafter. */
extern void HxEndTeam(HxBuild *build);

/*
 * Log the pages of the index, which nobody has seen, and tell metapage and server
 * what was loaded.
 */
extern void HxFinishBuild(HxBuild *build, const HxWork *loaded,
						  IndexBuildResult *result);

#endif /* HX_BUILD_H */
