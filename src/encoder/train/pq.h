/*
 * pq.h
 *	  Product quantization: learning it, and refining it for queries.
 */
#ifndef HX_TRAIN_PQ_H
#define HX_TRAIN_PQ_H

#include "encoder/train/books.h"

/*
 * Learn what the words of base count for queries, from what the queries look for:
 * the codes stay (pq_refine.c)
 */
extern void HxRefineBooks(HxTraining *training, HxDraft *draft);

#endif /* HX_TRAIN_PQ_H */
