/*
 * bitmap_read.c
 *	  The bitmap that a node's child makes, as a set that can be asked for
 *	  members.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/tidbitmap.h"
#include "storage/bufmgr.h"

#include "compat.h"
#include "plan/plan.h"

#ifdef HX_BITMAP_BY_VALUE

static void
read_pages(TIDBitmap *bitmap, HxTidSet *set)
{
	TBMPrivateIterator *iterator = tbm_begin_private_iterate(bitmap);
	OffsetNumber offsets[TBM_MAX_TUPLES_PER_PAGE];
	TBMIterateResult page;

	while (tbm_private_iterate(iterator, &page))
	{
		CHECK_FOR_INTERRUPTS();
		if (page.lossy)
			HxAddTidBlock(set, page.blockno);
		else
			HxAddTids(
				set, page.blockno, offsets,
				tbm_extract_page_tuple(&page, offsets, TBM_MAX_TUPLES_PER_PAGE),
				page.recheck);
	}
	tbm_end_private_iterate(iterator);
}

#else

static void
read_pages(TIDBitmap *bitmap, HxTidSet *set)
{
	TBMIterator *iterator = tbm_begin_iterate(bitmap);
	TBMIterateResult *page;

	while ((page = tbm_iterate(iterator)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (page->ntuples < 0)
			HxAddTidBlock(set, page->blockno);
		else
			HxAddTids(set, page->blockno, page->offsets, page->ntuples,
					  page->recheck);
	}
	tbm_end_iterate(iterator);
}

#endif

/* Run the child and read its bitmap; allocated in the current context. */
HxTidSet *
HxReadBitmap(PlanState *child, Relation table)
{
	TIDBitmap *bitmap = (TIDBitmap *) MultiExecProcNode(child);
	HxTidSet *set;

	if (!bitmap || !IsA(bitmap, TIDBitmap))
		elog(ERROR, "unrecognized result from subplan");
	set =
		HxBeginTidSet(RelationGetNumberOfBlocks(table), (Size) work_mem * 1024);
	read_pages(bitmap, set);
	tbm_free(bitmap);
	HxFinishTidSet(set);
	return set;
}
