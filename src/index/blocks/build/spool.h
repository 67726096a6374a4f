/*
 * spool.h
 *	  The rows that a build has loaded, in temporary files.
 */
#ifndef HX_SPOOL_H
#define HX_SPOOL_H

#include "index/blocks/build/blocks_build.h"

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
