/*
 * page.c
 *	  Pages of rows with their lists.
 *
 * See README, "Structure on disk".  Arrays of rows, as many as the page says it
 * has room for, and behind them the codes of all lists.
 */
#include "postgres.h"

#include "index/multi/multi.h"

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)

/* No row of these pages is marked as dead. */
static uint64 no_marks[BLCKSZ / 64 / sizeof(HxListHead)];

/* Bytes that arrays of so many rows take, without codes */
static Size
arrays_size(const HxIndexDesc *desc, int capacity)
{
	return sizeof(HxLists) + capacity * desc->nwords * sizeof(int64) +
		   desc->nattrs * BITMAP_WORDS(capacity) * sizeof(uint64) +
		   TYPEALIGN(sizeof(uint32),
					 capacity * (sizeof(ItemPointerData) + sizeof(HxListHead)));
}

/* Codes that fit beside so many rows; negative if these do not */
static int
marks_room(const HxIndexDesc *desc, int capacity)
{
	return ((int) HX_PAGE_ROOM - (int) arrays_size(desc, capacity)) /
		   (int) sizeof(uint32);
}

bool
HxListsFit(const HxIndexDesc *desc, int count, int used)
{
	return count <= desc->capacity && marks_room(desc, count) >= used;
}

void
HxListArraysOf(const HxIndexDesc *desc, Page page, HxListArrays *arrays)
{
	const HxLists *lists = HxPageLists(page);
	HxRowArrays *rows = &arrays->rows;
	int capacity = lists->capacity;
	char *at = HxContents(page);

	arrays->room = marks_room(desc, capacity);
	arrays->length = lists->length;
	arrays->marks = (uint32 *) (at + arrays_size(desc, capacity));
	at += sizeof(HxLists);
	rows->count = lists->count;
	rows->payloads = NULL;
	rows->dead = no_marks;
	rows->words = (int64 *) at;
	at += capacity * desc->nwords * sizeof(int64);
	rows->nulls = (uint64 *) at;
	at += desc->nattrs * BITMAP_WORDS(capacity) * sizeof(uint64);
	rows->tids = (ItemPointerData *) at;
	at += capacity * sizeof(ItemPointerData);
	arrays->heads = (HxListHead *) at;

	rows->columns.count = rows->count;
	rows->columns.words = rows->words;
	rows->columns.nulls = rows->nulls;
	rows->columns.stride = capacity;
	rows->columns.null_stride = BITMAP_WORDS(capacity);
}

/* ---- room ---- */

int
HxListsLeft(const HxIndexDesc *desc, Page page)
{
	const HxLists *lists = HxPageLists(page);

	return ((int) marks_room(desc, lists->count) - lists->used) *
		   (int) sizeof(uint32);
}

int
HxListsCapacity(const HxIndexDesc *desc, int count, int used)
{
	double each = desc->nwords * sizeof(int64) + sizeof(ItemPointerData) +
				  sizeof(HxListHead) +
				  (count > 0 ? (double) used / count * sizeof(uint32) : 0);
	int capacity = (int) Min(HX_PAGE_ROOM / each, (double) desc->capacity);

	capacity = Max(capacity, Max(count, 1));
	while (capacity > Max(count, 1) && marks_room(desc, capacity) < used)
		capacity--;
	return capacity;
}

void
HxInitListsPage(const HxIndexDesc *desc, Page page, int capacity)
{
	Assert(capacity > 0 && capacity <= desc->capacity);
	HxInitPage(page, HX_PAGE_LISTS);
	HxPageLists(page)->capacity = capacity;
}

/* ---- rows ---- */

/* Append a row to a page whose arrays have room. */
static void
append_row(const HxIndexDesc *desc, Page page, const HxListRow *row)
{
	HxLists *lists = HxPageLists(page);
	HxListArrays arrays;
	int at = lists->count;

	HxListArraysOf(desc, page, &arrays);
	Assert(at < lists->capacity && lists->used + row->count <= arrays.room);
	HxSetRowAttrs(desc, &arrays.rows, at, &row->attrs);
	arrays.rows.tids[at] = row->tid;
	memcpy(arrays.marks + lists->used, row->marks, row->count * sizeof(uint32));
	lists->used += row->count;
	lists->length = at == 0 || row->count == lists->length ? row->count : 0;
	arrays.heads[at].hash = row->hash;
	arrays.heads[at].error = row->error;
	arrays.heads[at].end = lists->used;
	lists->count++;
}

void
HxGetList(const HxIndexDesc *desc, const HxListArrays *arrays, int row,
		  HxListRow *list)
{
	int start = HxListEnd(arrays, row - 1);

	list->tid = arrays->rows.tids[row];
	list->hash = arrays->heads[row].hash;
	list->error = arrays->heads[row].error;
	list->count = HxListEnd(arrays, row) - start;
	list->marks = arrays->marks + start;
	HxGetRowAttrs(desc, &arrays->rows, row, &list->attrs);
}

/* Lay out a page anew, without the rows marked, if any are. */
static void
lay_out(const HxIndexDesc *desc, Page page, int capacity, const bool *dead)
{
	PGAlignedBlock copy;
	HxLists *lists = HxPageLists(page);
	HxListArrays before;
	HxListRow row;

	memcpy(copy.data, page, BLCKSZ);
	HxListArraysOf(desc, (Page) copy.data, &before);
	memset(HxContents(page), 0, HX_PAGE_ROOM);
	lists->capacity = capacity;
	for (int i = 0; i < before.rows.count; i++)
	{
		if (dead && dead[i])
			continue;
		HxGetList(desc, &before, i, &row);
		append_row(desc, page, &row);
	}
}

bool
HxPutList(const HxIndexDesc *desc, Page page, const HxListRow *row)
{
	HxLists *lists = HxPageLists(page);
	int used = lists->used + row->count;

	if (!HxListsFit(desc, lists->count + 1, used))
		return false;
	if (lists->count == lists->capacity ||
		used > marks_room(desc, lists->capacity))
		lay_out(desc, page, HxListsCapacity(desc, lists->count + 1, used),
				NULL);
	append_row(desc, page, row);
	return true;
}

void
HxRemoveLists(const HxIndexDesc *desc, Page page, const bool *dead)
{
	lay_out(desc, page, HxPageLists(page)->capacity, dead);
}

/* ---- reading ---- */

const char *
HxListsFault(const HxIndexDesc *desc, Page page, uint16 type)
{
	const HxLists *lists = HxPageLists(page);
	HxListArrays arrays;
	uint32 wrong = 0;
	int end = 0;

	if (type == HX_PAGE_MODEL)
		return HxModelPageFault(page);
	if (type != HX_PAGE_LISTS)
		return "page of a kind that such an index has not";
	if (lists->capacity == 0 || lists->capacity > desc->capacity ||
		marks_room(desc, lists->capacity) < lists->used)
		return "page of lists with more room than a page has";
	if (lists->count > lists->capacity)
		return "page of lists with more rows than fit";
	if (lists->length > 0) /* heads are not asked for ends */
		end = lists->count * lists->length;
	else
	{
		HxListArraysOf(desc, page, &arrays);
		for (int i = 0; i < lists->count; i++)
		{
			wrong |= (uint32) ((int) arrays.heads[i].end - end);
			end = arrays.heads[i].end;
		}
	}
	if (wrong >> 31) /* a difference below 0 */
		return "page of lists of which one ends before it begins";
	return end == lists->used ? NULL : "page of lists with codes of no row";
}

Buffer
HxLockLists(Relation index, const HxIndexDesc *desc, BlockNumber block,
			int lockmode, BufferAccessStrategy strategy)
{
	Buffer buffer = HxReadBuffer(index, block, lockmode, strategy);
	Page page = BufferGetPage(buffer);
	const char *fault;

	if (PageIsNew(page) ||
		(HxPageIsSound(page) && HxPageOpaque(page)->kind != HX_PAGE_LISTS))
	{
		UnlockReleaseBuffer(buffer);
		return InvalidBuffer;
	}
	fault = HxPageFault(desc, page, HX_PAGE_LISTS);
	if (fault)
		HxCorrupted(index, block, fault);
	return buffer;
}
