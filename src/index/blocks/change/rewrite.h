/*
 * rewrite.h
 *	  Replacing one or two blocks by others that hold the same rows.
 *
 * What splitting, merging and compacting have in common; see README, "Rows
 * that move".  The caller holds the structure lock throughout, and in between
 * no buffer but, where that is said, a directory page.
 */
#ifndef HX_REWRITE_H
#define HX_REWRITE_H

#include "index/blocks/store/directory.h"

/* Blocks that one record replaces, and that it makes */
#define HX_REWRITE_SOURCES 2
#define HX_REWRITE_TARGETS 64

/* A block that is to be replaced, as its entry stood when it was copied */
typedef struct HxSource
{
	HxEntryAddress place;
	HxEntry entry;
	BlockNumber *pages; /* of its chain */
	int npages;
} HxSource;

/* A block that is to be made */
typedef struct HxTarget
{
	HxEntryAddress place;
	HxEntry entry; /* owner, zone page and slot are set by the caller */
	const uint8 *centroid;
	HxZone *zone;
	BlockNumber *pages; /* written */
	int npages;
} HxTarget;

typedef struct HxRewrite
{
	Relation index;
	const HxIndexDesc *desc;
	MemoryContext context; /* of the rewrite */
	MemoryContext outer;   /* current before */
	bool anywhere;		   /* the lock of HxTryLockMoves is held */
	Buffer locked; /* directory page of sources[0], locked; or InvalidBuffer */
	HxSource sources[HX_REWRITE_SOURCES];
	int nsources;
	HxTarget targets[HX_REWRITE_TARGETS];
	int ntargets;
	int reused; /* pages written that had been freed before */

	/* rows of all sources */
	int count;
	int room;
	uint8 *payloads;
	int64 *words;
	uint32 *nulls;
	ItemPointerData *tids;
} HxRewrite;

/* Can this many rows be copied, in maintenance_work_mem? */
extern bool HxFitsRewrite(const HxIndexDesc *desc, uint64 rows);

/* Give out owners that are not used yet; returns the first of them. */
extern uint64 HxReserveOwners(Relation index, int count);

/*
 * Copy the rows of the block at a place, and make it the next source.  False if
 * it has gone, changes meanwhile, or is larger than maintenance_work_mem.
 */
extern bool HxCopyBlock(HxRewrite *rewrite, HxEntryAddress place);

/* Has no source changed so far?  Only a look that may save work. */
extern bool HxIsUnchanged(const HxRewrite *rewrite);

/*
 * Write some of the rows to new pages at the end of the file, which nothing
 * points to yet, and fill in the target.  rows: indexes of rows; NULL: all.
 */
extern void HxWriteTarget(HxRewrite *rewrite, HxTarget *target, const int *rows,
						  int count);

/*
 * Let the targets take the place of the sources, by one record.  Sources whose
 * place no target takes become free entries.  False, with nothing done, if a
 * source has changed.
 */
extern bool HxSwitchBlocks(HxRewrite *rewrite);

/*
 * Free the pages of a chain that nothing points to any more; without an owner,
 * zone pages.
 */
extern void HxFreePages(Relation index, const BlockNumber *pages, int count,
						uint64 owner);

/* Forget rows, sources and targets, to begin again. */
extern void HxResetRewrite(HxRewrite *rewrite);

/*
 * Take the locks that a rewrite needs, unless somebody else changes the
 * structure, and begin it; NULL if so.  Makes a memory context current.
 */
extern HxRewrite *HxBeginRewrite(Relation index, const HxIndexDesc *desc);

/* Release locks and memory. */
extern void HxEndRewrite(HxRewrite *rewrite);

#endif /* HX_REWRITE_H */
