/*
 * schedule.h
 *	  When the table of expected misses is made anew, and from what.
 */
#ifndef HX_SCHEDULE_H
#define HX_SCHEDULE_H

#include "index/blocks/recall/measure.h"

/*
 * A row with a vector was added: once in a while, which its TID tells, look
 * whether the index has grown so much that it is time to recalibrate or to add
 * a search to the ring.  Takes the structure lock if it is free; no buffer is
 * locked.
 */
extern void HxAfterAppend(Relation index, const HxIndexDesc *desc,
						  const uint8 *payload, const ItemPointerData *tid);

/*
 * At the end of a vacuum that left this many rows with a vector: recalibrate if
 * they have changed much.  Takes the structure lock if it is free.
 */
extern void HxAfterVacuum(Relation index, const HxIndexDesc *desc, uint64 rows);

#endif /* HX_SCHEDULE_H */
