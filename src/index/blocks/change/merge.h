/*
 * merge.h
 *	  Merging thin blocks, and rewriting those with room to spare.
 */
#ifndef HX_MERGE_H
#define HX_MERGE_H

#include "index/blocks/store/directory.h"

/*
 * Retire empty blocks, merge thin ones with their neighbours, and write those
 * anew whose pages are half empty; for vacuum.  Returns the pages freed.
 */
extern int64 HxTidyBlocks(Relation index, const HxIndexDesc *desc);

#endif /* HX_MERGE_H */
