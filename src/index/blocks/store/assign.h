/*
 * assign.h
 *	  The nearest of many centroids in memory.
 */
#ifndef HX_ASSIGN_H
#define HX_ASSIGN_H

#include "index/blocks/store/payload.h"

typedef struct HxAssigner HxAssigner;

/* The centroids must outlive the assigner. */
extern HxAssigner *HxMakeAssigner(const HxIndexDesc *desc,
								  const uint8 *centroids, int count);

/* Index of a near centroid, and the spread from it unless NULL. */
extern int HxAssign(HxAssigner *assigner, const uint8 *payload, uint32 *spread);

extern void HxFreeAssigner(HxAssigner *assigner);

/*
 * Train `count` centroids on payloads by this process alone; returns how many
 * are left (empty ones vanish).
 */
extern int HxTrainAlone(const HxIndexDesc *desc, const uint8 *payloads,
						int npayloads, uint8 *centroids, int count);

#endif /* HX_ASSIGN_H */
