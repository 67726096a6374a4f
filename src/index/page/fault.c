/*
 * fault.c
 *	  What is checked of pages and TIDs that are read, and how a fault is told.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"

#include "index/kind.h"
#include "index/page/page.h"

/* Report a corrupted page and give up. */
void
HxCorrupted(Relation index, BlockNumber block, const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
					errmsg("index \"%s\" is corrupted at block %u: %s",
						   RelationGetRelationName(index), block, detail),
					errhint("Please REINDEX it.")));
}

/*
 * Is the page of our making, without a hole that generic WAL would clear?
 * Pages of rows have one, where HxPageFault looks for it, and freed ones keep
 * what they had.
 */
bool
HxPageIsSound(Page page)
{
	PageHeader header = (PageHeader) page;
	const HxOpaque *opaque;

	if (PageIsNew(page) || PageGetPageSize(page) != BLCKSZ ||
		header->pd_special != BLCKSZ - MAXALIGN(sizeof(HxOpaque)))
		return false;
	opaque = HxPageOpaque(page);
	if (opaque->page_id != HX_PAGE_ID || opaque->kind >= HX_PAGE_TYPES)
		return false;
	return opaque->kind == HX_PAGE_ROWS || opaque->kind == HX_PAGE_FREE ||
		   (header->pd_lower == header->pd_special &&
			header->pd_upper == header->pd_special);
}

/* Is the hole of a page of rows where it should be? */
static bool
hole_is_right(const HxIndexDesc *desc, Page page)
{
	PageHeader header = (PageHeader) page;
	LocationIndex lower;
	LocationIndex upper;

	HxHoleOf(desc, page, &lower, &upper);
	return header->pd_lower == lower && header->pd_upper == upper;
}

/* What is wrong with a page of rows, or NULL */
static const char *
rows_fault(const HxIndexDesc *desc, Page page)
{
	if (HxPageRows(page)->capacity != desc->capacity)
		return "rows page of another shape";
	if (HxPageRows(page)->count > HxPageRows(page)->capacity)
		return "rows page with more rows than fit";
	if (!hole_is_right(desc, page))
		return "rows page whose room is not where its rows end";
	return NULL;
}

/*
 * What is wrong with a page that should be of a type, or NULL: whatever is
 * accepted has arrays that lie within the page.  The kind of vectors knows the
 * pages that it alone has.
 */
const char *
HxPageFault(const HxIndexDesc *desc, Page page, uint16 kind)
{
	if (!HxPageIsSound(page))
		return "not a sound hashemb page";
	if (HxPageOpaque(page)->kind != kind)
		return psprintf("page of kind %u where kind %u was expected",
						HxPageOpaque(page)->kind, kind);
	if (kind == HX_PAGE_FREE || kind == HX_PAGE_META)
		return NULL;
	if (kind == HX_PAGE_ROWS)
		return rows_fault(desc, page);
	if (!HxKindOf(desc)->page_fault)
		return "page of a kind that such an index has not";
	return HxKindOf(desc)->page_fault(desc, page, kind);
}

/*
 * Can it be the TID of a row?  Block P_NEW would extend the table; bitmaps take
 * no offset beyond those of heap pages.
 */
bool
HxTidIsSound(const ItemPointerData *tid)
{
	return ItemPointerIsValid(tid) &&
		   ItemPointerGetBlockNumberNoCheck(tid) != InvalidBlockNumber &&
		   ItemPointerGetOffsetNumberNoCheck(tid) <= MaxHeapTuplesPerPage;
}

/* Is the page of a TID in the file of the table, which is a heap? */
static bool
tid_is_in_table(Relation table, BlockNumber *npages, const ItemPointerData *tid)
{
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(tid);

	if (block < *npages)
		return true;
	if (table->rd_tableam != GetHeapamTableAmRoutine())
		return true; /* whose TIDs may be anything */
	*npages = RelationGetNumberOfBlocks(table);
	return block < *npages;
}

/*
 * Error unless a TID that is about to leave the index can be a row's.  With a
 * table its page must be there: *npages is a length that the table has had, 0
 * at first.  Tables lose pages only when no entry refers to them, and nobody
 * reads them then.
 */
void
HxCheckTid(Relation index, Relation table, BlockNumber *npages,
		   const ItemPointerData *tid)
{
	if (unlikely(!HxTidIsSound(tid) ||
				 (table && !tid_is_in_table(table, npages, tid))))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" is corrupted: it refers to row (%u,%u)",
						RelationGetRelationName(index),
						ItemPointerGetBlockNumberNoCheck(tid),
						ItemPointerGetOffsetNumberNoCheck(tid)),
				 errhint("Please REINDEX it.")));
}

/* Error if a chain was followed for more steps than the file has pages. */
void
HxCheckSteps(Relation index, BlockNumber block, uint32 steps)
{
	if (steps > RelationGetNumberOfBlocks(index))
		HxCorrupted(index, block, "a chain of pages runs in a circle");
}
