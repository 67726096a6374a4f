/*
 * learnt.h
 *	  What an index has learnt of its vectors, a model, on pages of its own.
 */
#ifndef HX_LEARNT_H
#define HX_LEARNT_H

#include "index/index.h"
#include "storage/block.h"
#include "storage/bufpage.h"

/* Type of pages of a model: a chain */
#define HX_PAGE_MODEL 8

/*
 * Make a model of its packed form, in the current context.  Errors if it is none
 * of the index, naming the page where it begins.
 */
typedef void *(*HxUnpackLearnt)(Relation index, const HxIndexDesc *desc,
								BlockNumber first, const char *packed,
								Size size);

/* Pages of a new index, whose build logs them later */
extern void HxStoreBuiltLearnt(Relation index, const char *packed, Size size);

/*
 * Pages of an index that others use; the last of the records makes them known.
 * The structure lock is held.
 */
extern void HxStoreLearnt(Relation index, const char *packed, Size size);

/* What is wrong with a page of a model, or NULL */
extern const char *HxModelPageFault(Page page);

/*
 * Set desc->model, from the cache or from the index's pages, for as long as the
 * current context lives; leave it NULL if nothing was learnt.  See kind.learn.
 */
extern void HxLoadLearnt(Relation index, HxIndexDesc *desc,
						 HxUnpackLearnt unpack);

/*
 * Take models of the index's file from the cache.  A file may be filled anew:
 * TRUNCATE empties that of a table made in the same transaction.
 */
extern void HxForgetModels(Relation index);

/*
 * Free pages of models that a crash kept from being known; there is none that
 * is.  The structure lock is held.
 */
extern void HxFreeLostModels(Relation index);

#endif /* HX_LEARNT_H */
