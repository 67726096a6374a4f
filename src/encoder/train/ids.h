/*
 * ids.h
 *	  Ids of training's rows: numbers for them, in any order and by rising id.
 */
#ifndef HX_TRAIN_IDS_H
#define HX_TRAIN_IDS_H

#include "encoder/train/method.h"

/* Ids met, each once; begins as zeros */
typedef struct HxIds
{
	uint32 count;
	uint32 room;   /* ids that fit */
	int64 *id;	   /* by number */
	uint32 mask;   /* places - 1 */
	uint32 *place; /* number + 1 by hash, 0 where there is none; or NULL */
} HxIds;

/* Bytes that ids take at most, for each, while they are sorted, too */
#define HX_BYTES_OF_ID 48

/* The number of an id, the next one if it is new */
extern uint32 HxNumberId(HxTraining *training, HxIds *ids, int64 id);

/*
 * Ids in rising order: ids->id is sorted, and `now` gets the new number of each
 * old one.  No id can be numbered afterwards.
 */
extern void HxSortIds(HxTraining *training, HxIds *ids, uint32 *now);

/* Error unless x (0) or y (1) is of a type of whole numbers */
extern void HxRequireIds(const HxTraining *training, int argument);

/* A value of such a type */
extern int64 HxReadId(const HxTraining *training, int argument, Datum value);

/* The bucket of each id, of a model that is a table from ids to buckets */
extern void HxDraftBuckets(HxDraftTable *table, const HxIds *ids,
						   const uint32 *bucket, uint32 limit);

/* Begin the draft of a map with that many buckets */
extern void HxStartMap(HxTraining *training, HxDraft *draft, int dims);

#endif /* HX_TRAIN_IDS_H */
