/*
 * code.h
 *	  Binary codes as one kind of vector.
 */
#ifndef HX_CODE_H
#define HX_CODE_H

#include "index/blocks/store/payload.h"
#include "type/bincode.h"

/* What follows the planes of a payload with several bits a dimension */
typedef struct HxLevelSums
{
	uint32 sum;		/* of the levels */
	uint32 squares; /* of the levels' squares */
} HxLevelSums;

static inline Size
HxCodePlaneBytes(const HxIndexDesc *desc)
{
	return HX_PLANE_BYTES(desc->dims);
}

static inline const HxLevelSums *
HxCodeLevelSums(const HxIndexDesc *desc, const uint8 *payload)
{
	Assert(desc->planes > 1);
	return (const HxLevelSums *) (payload + desc->payload -
								  sizeof(HxLevelSums));
}

/* Means of codes (mean.c): see payload.h */
extern Size HxCodeSumSize(const HxIndexDesc *desc);
extern void HxAddCode(const HxIndexDesc *desc, const uint8 *payload, void *sum);
extern void HxMeanCode(const HxIndexDesc *desc, const void *sum, int rows,
					   uint8 *centroid);

/* Recompute what follows the planes of a payload */
extern void HxFinishCodePayload(const HxIndexDesc *desc, uint8 *payload);

#endif /* HX_CODE_H */
