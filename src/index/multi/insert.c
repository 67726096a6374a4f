/*
 * insert.c
 *	  Inserting a row: onto a page that has room.
 *
 * See README, "Insert".  One record, of one page.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "storage/indexfsm.h"

#include "index/multi/multi.h"
#include "index/page/inject.h"

/* Pages that the free space map names which are tried before one is added */
#define MOST_TRIED 4

void
HxLoadCodebooks(Relation index, HxIndexDesc *desc)
{
	HxLoadLearnt(index, desc, HxUnpackCodebooks);
}

/* Put a row onto a locked page, by one record, if it has room. */
static bool
put_row(Relation index, const HxIndexDesc *desc, Buffer buffer,
		const HxListRow *row)
{
	GenericXLogState *state;
	const HxLists *lists = HxPageLists(BufferGetPage(buffer));

	if (!HxListsFit(desc, lists->count + 1, lists->used + row->count))
		return false;
	state = GenericXLogStart(index);
	if (!HxPutList(desc, GenericXLogRegisterBuffer(state, buffer, 0), row))
		elog(ERROR, "page of lists without the room that it has");
	GenericXLogFinish(state);
	return true;
}

/* Try to put a row onto a page that is in the file. */
static bool
try_page(Relation index, const HxIndexDesc *desc, BlockNumber block,
		 const HxListRow *row)
{
	Buffer buffer;
	bool done;

	if (block == HX_METAPAGE || block >= RelationGetNumberOfBlocks(index))
		return false;
	buffer = HxLockLists(index, desc, block, BUFFER_LOCK_EXCLUSIVE, NULL);
	if (!BufferIsValid(buffer))
		return false;
	done = put_row(index, desc, buffer, row);
	UnlockReleaseBuffer(buffer);
	if (done)
		RelationSetTargetBlock(index, block);
	return done;
}

/* Put a row onto a page of its own, which others will come to. */
static void
put_on_new_page(Relation index, const HxIndexDesc *desc, const HxListRow *row)
{
	bool reused;
	Buffer buffer = HxNewBuffer(index, &reused);
	GenericXLogState *state = GenericXLogStart(index);
	Page page =
		GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);

	HxInitListsPage(desc, page, HxListsCapacity(desc, 1, row->count));
	if (!HxPutList(desc, page, row))
		elog(ERROR, "row of %d codes does not fit a page", row->count);
	GenericXLogFinish(state);
	RelationSetTargetBlock(index, BufferGetBlockNumber(buffer));
	UnlockReleaseBuffer(buffer);
}

/*
 * Put a row where there is room: the page that this backend used last, one that
 * a vacuum has found room on, the last one, or a new one.
 */
static void
place_row(Relation index, const HxIndexDesc *desc, const HxListRow *row)
{
	BlockNumber target = RelationGetTargetBlock(index);

	if (target != InvalidBlockNumber && try_page(index, desc, target, row))
		return;
	for (int i = 0; i < MOST_TRIED; i++)
	{
		BlockNumber free = GetFreeIndexPage(index);

		if (free == InvalidBlockNumber)
			break;
		if (try_page(index, desc, free, row))
			return;
	}
	target = RelationGetNumberOfBlocks(index) - 1;
	if (!try_page(index, desc, target, row))
		put_on_new_page(index, desc, row);
}

void
HxInsertList(Relation index, Relation heap, const HxIndexDesc *desc,
			 const Datum *values, const bool *isnull, ItemPointer tid)
{
	HxListRow row;

	HxFormListRow(desc, values, isnull, tid, &row);
	place_row(index, desc, &row);
	HX_INJECT("list-appended");
	if (!desc->model && row.error == HX_LIST_BARE)
		HxLearnListsAfterInsert(index, heap, desc, tid);
}
