/*
 * spool.h
 *	  Temporary files of an index build, and the rows in them.
 */
#ifndef HX_SPOOL_H
#define HX_SPOOL_H

#include "index/build/build.h"
#include "index/build/file.h"

/*
 * Create a file, to be written and then finished.  In a serial build it stays
 * open and is read by rewinding it; in a parallel one it is closed when it is
 * finished, and everybody opens it by name and number.
 */
extern BufFile *HxCreateFile(HxBuild *build, const char *name, int number);
extern void HxFinishFile(HxBuild *build, BufFile *file);
extern BufFile *HxOpenFile(HxBuild *build, const char *name, int number);

/* The rows that all participants have loaded, one part after the other */
typedef struct HxSpool
{
	const HxBuild *build;
	BufFile **files; /* one a part */
	int part;		 /* where the last row was read */
	int64 next;		 /* row of the part that comes next there */
} HxSpool;

extern HxSpool *HxOpenSpool(HxBuild *build);

/* Read a row by its number among all; fastest in ascending order. */
extern void HxReadSpool(HxSpool *spool, int64 number, HxRow *row);

/* Close the files; in a serial build the file stays open. */
extern void HxCloseSpool(HxSpool *spool);

#endif /* HX_SPOOL_H */
