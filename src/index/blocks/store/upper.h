/*
 * upper.h
 *	  The upper level of the directory: a centroid for each directory page, so
 *	  that a row to insert need not be compared with the centroids of all blocks.
 */
#ifndef HX_UPPER_H
#define HX_UPPER_H

#include "index/blocks/store/payload.h"

/* Below this many blocks all are compared */
#define HX_UPPER_FLOOR 10000

/*
 * Divide payloads in two: sorts their indexes by how much nearer they are to
 * the first of two means than to the second, and returns how many are nearer to
 * the first.
 */
extern int HxBisect(const HxIndexDesc *desc, const uint8 *payloads,
					int *indexes, int count);

/*
 * Order the centroids of blocks such that those which come onto one directory
 * page are near each other; slot 0 of the first page is taken.
 */
extern void HxOrderCentroids(const HxIndexDesc *desc, uint8 *centroids,
							 int count);

/* Summarise the blocks of a directory page: the entry, and its centroid. */
extern void HxSummarisePage(const HxIndexDesc *desc, Page page,
							BlockNumber block, HxUpperEntry *entry,
							uint8 *centroid);

/* Put an entry onto a page of the upper level, as the slot's or as a new one. */
extern void HxPutUpperEntry(const HxIndexDesc *desc, Page upper, int slot,
							const HxUpperEntry *entry, const uint8 *centroid);

/*
 * The directory pages that are nearest to a payload, in no order; palloc'd,
 * NULL if there is no upper level.  *rows is set to the rows of all pages, as
 * the upper level has last seen them.
 */
extern BlockNumber *HxNearestPages(Relation index, const HxIndexDesc *desc,
								   BlockNumber upper, const HxMeasured *payload,
								   int *count, uint64 *rows);

/* Bring the entry of a directory page up to date.  No buffer may be locked. */
extern void HxRefreshUpper(Relation index, const HxIndexDesc *desc,
						   BlockNumber page);

/*
 * A page of the upper level with room for one more entry, made if need be.  The
 * structure lock is held.
 */
extern BlockNumber HxRoomInUpper(Relation index, const HxIndexDesc *desc);

#endif /* HX_UPPER_H */
