/*
 * ring.h
 *	  Searches kept on pages while the index grows, and the table of expected
 *	  misses from them.
 */
#ifndef HX_RING_H
#define HX_RING_H

#include "index/blocks/recall/measure.h"

/* Searches that the ring holds and that are newer than the axes */
static inline uint32
HxRingCount(const HxMeta *meta)
{
	return Min(meta->ring_next - meta->ring_start, HX_RING_PAGES);
}

/*
 * The pages of the ring, which are at most HX_RING_PAGES; returns how many.
 * Errors if one is damaged or if there are fewer or more than there should be.
 */
extern int HxListRing(Relation index, const HxMeta *meta, BlockNumber *pages);

/* The row that was added last */
typedef struct HxNewest
{
	const uint8 *payload;
	uint64 tid; /* packed */
} HxNewest;

/*
 * Search all rows for the newest or for one that is drawn at random, in turn,
 * and write the result to the ring, by one generic WAL record.  False if there
 * was nothing to learn.  The structure lock is held, no buffer is locked, and
 * there is a table.
 */
extern bool HxAddToRing(Relation index, const HxIndexDesc *desc,
						const HxNewest *newest, uint64 rows);

/*
 * Make a table from the searches of the ring; false if its axes do not fit
 * them any more.  The structure lock is held, and there is a table.
 */
extern bool HxComputeTableFromRing(Relation index, HxMisses *table);

#endif /* HX_RING_H */
