/*
 * recalibrate.h
 *	  When the table of expected misses is made anew, and from what.
 */
#ifndef HX_RECALIBRATE_H
#define HX_RECALIBRATE_H

#include "index/calibrate.h"

/*
 * A block was split, or the index may have grown otherwise, to so many rows
 * with a vector: recalibrate or add a search to the ring if it is time.  The
 * structure lock is held, no buffer is locked.
 */
extern void HxAfterSplit(Relation index, const HxIndexDesc *desc, uint64 rows);

/*
 * A row with a vector was added: the same once in a while, which its TID tells.
 * Takes the structure lock if it is free.
 */
extern void HxAfterAppend(Relation index, const HxIndexDesc *desc,
						  const ItemPointerData *tid);

/*
 * At the end of a vacuum that left so many rows with a vector: recalibrate if
 * they have changed much.  Takes the structure lock if it is free.
 */
extern void HxAfterVacuum(Relation index, const HxIndexDesc *desc, uint64 rows);

#endif /* HX_RECALIBRATE_H */
