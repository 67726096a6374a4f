/*
 * sample.h
 *	  Rows of a table that a build learns from before it loads.
 */
#ifndef HX_SAMPLE_H
#define HX_SAMPLE_H

#include "index/build/build.h"

/*
 * Call a function with the rows of pages of the table: all if they are few, else
 * 8,192 at random, spread evenly.
 */
extern void HxScanSomePages(HxBuild *build, uint64 *random,
							IndexBuildCallback callback, void *state);

#endif /* HX_SAMPLE_H */
