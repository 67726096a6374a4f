/*
 * check.c
 *	  hashemb_check() of lists, and what SQL functions show of them.
 */
#include "postgres.h"

#include <math.h>

#include "access/table.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

#include "index/multi/multi.h"
#include "index/page/inject.h"
#include "index/search/vector.h"
#include "random.h"

/* ---- hashemb_check() ---- */

/* What is wrong with a row, or NULL */
static const char *
row_fault(HxCheck *check, const HxListRow *row)
{
	const HxCodebooks *books = HxCodebooksOf(&check->desc);

	if (!HxIsTidInHeap(check, &row->tid))
		return psprintf("it refers to row (%u,%u), which the table has not",
						ItemPointerGetBlockNumberNoCheck(&row->tid),
						ItemPointerGetOffsetNumberNoCheck(&row->tid));
	if (row->error > HX_LIST_BARE && row->error != HX_LIST_NULL)
		return "a list with an error out of range";
	if (row->error >= HX_LIST_BARE && row->count > 0)
		return "codes of a list that has none";
	if (row->count > 0 && !books)
		return "codes without codebooks";
	for (int i = 0; i < row->count; i++)
		for (int level = 0; level < HX_LEVELS; level++)
			if (HX_MARK_PART(row->marks[i], level) >=
				(uint32) books->books[level].count)
				return "a code of no centre";
	return HxAttributesFault(&check->desc, NULL, &row->attrs);
}

/* Check a row, count and remember it. */
static const char *
check_row(HxCheck *check, const HxListRow *row, HxCheckCounts *counts)
{
	const char *wrong = row_fault(check, row);
	uint8 payload[MAXIMUM_ALIGNOF] = {0};

	if (wrong)
		return wrong;
	memcpy(payload, &row->hash, sizeof(row->hash));
	counts->rows++;
	counts->null_rows += row->error == HX_LIST_NULL;
	HxAddFingerprint(check, &row->tid, &row->attrs,
					 row->error == HX_LIST_NULL ? NULL : payload, false);
	return NULL;
}

/* Check the copied page. */
static void
check_page(HxCheck *check, BlockNumber block)
{
	Page page = (Page) check->page.data;
	const char *wrong = HxPageFault(&check->desc, page, HX_PAGE_LISTS);
	HxListArrays arrays;
	HxListRow row;

	if (!wrong)
	{
		HxListArraysOf(&check->desc, page, &arrays);
		for (int i = 0; i < arrays.rows.count && !wrong; i++)
		{
			HxGetList(&check->desc, &arrays, i, &row);
			if (arrays.heads[i].end != HxListEnd(&arrays, i))
				wrong = "a list of another length than its page has";
			else
				wrong = check_row(check, &row, &check->counts);
		}
	}
	if (wrong)
		HxCorrupted(check->index, block, wrong);
	(void) HxReach(check, block);
	check->counts.rows_pages++;
}

/*
 * Rows move only to pages behind, so that nothing is missed; where others write, a
 * row may be met twice, and is then counted twice.
 */
void
HxCheckLists(HxCheck *check)
{
	HxPageList model = {0};

	HxReadMeta(check->index, &check->meta);
	if (check->meta.model != HX_METAPAGE)
		HxListChain(check, check->meta.model, HX_PAGE_MODEL, &model);
	for (BlockNumber block = HX_METAPAGE + 1; block < check->npages; block++)
	{
		Page page;

		CHECK_FOR_INTERRUPTS();
		HX_INJECT_LOOP("multi-check");
		page = HxCopyPage(check, block);
		if (!PageIsNew(page) && HxPageIsSound(page) &&
			HxPageOpaque(page)->kind == HX_PAGE_LISTS)
			check_page(check, block);
	}
	HxCountOtherPages(check, NULL);
}

/* ---- what is stored ---- */

/* Call a function with each page of lists, which is locked. */
static void
each_page(Relation index, const HxIndexDesc *desc,
		  void (*call)(const HxListArrays *arrays, void *state), void *state)
{
	BlockNumber pages = RelationGetNumberOfBlocks(index);

	for (BlockNumber block = HX_METAPAGE + 1; block < pages; block++)
	{
		Buffer buffer;
		HxListArrays arrays;

		CHECK_FOR_INTERRUPTS();
		HX_INJECT_LOOP("multi-each");
		buffer = HxLockLists(index, desc, block, BUFFER_LOCK_SHARE, NULL);
		if (!BufferIsValid(buffer))
			continue;
		HxListArraysOf(desc, BufferGetPage(buffer), &arrays);
		call(&arrays, state);
		UnlockReleaseBuffer(buffer);
	}
}

/* each_page: count rows. */
static void
count_page(const HxListArrays *arrays, void *state)
{
	HxIndexInfo *info = state;

	info->rows += arrays->rows.count;
	for (int i = 0; i < arrays->rows.count; i++)
	{
		info->null_rows += arrays->heads[i].error == HX_LIST_NULL;
		info->pending += HxIsBareList(arrays->heads[i].error);
	}
}

void
HxListsInfo(Relation index, const HxIndexDesc *desc, HxIndexInfo *info)
{
	memset(info, 0, sizeof(*info));
	each_page(index, desc, count_page, info);
	info->blocks = (int) RelationGetNumberOfBlocks(index) - 1;
}

/* ---- rows as queries ---- */

/* Rows drawn by reservoir */
typedef struct Drawn
{
	uint64 *tids;
	int64 seen;
	int64 wanted;
	uint64 random;
} Drawn;

/* each_page: draw rows. */
static void
draw_page(const HxListArrays *arrays, void *state)
{
	Drawn *drawn = state;

	for (int i = 0; i < arrays->rows.count; i++)
	{
		int64 at;

		if (arrays->heads[i].error == HX_LIST_NULL)
			continue;
		at = HxDrawPlace(&drawn->random, &drawn->seen, drawn->wanted);
		if (at >= 0)
			drawn->tids[at] = HxPackTid(&arrays->rows.tids[i]);
	}
}

/* Queries made of the table's lists; rows that nobody sees are left out. */
int
HxSampleLists(Relation index, const HxIndexDesc *desc, int wanted, uint64 seed,
			  HxSampleQuery **queries)
{
	Relation heap = table_open(index->rd_index->indrelid, AccessShareLock);
	HxVectors *vectors =
		HxOpenVectors(heap, index, desc->vector_attno, GetActiveSnapshot());
	Drawn drawn = {palloc(Max(wanted, 1) * sizeof(uint64)), 0, wanted,
				   seed * UINT64CONST(0x9E3779B97F4A7C15) | 1};
	int count = 0;

	if (wanted > 0)
		each_page(index, desc, draw_page, &drawn);
	*queries = palloc0(Max(wanted, 1) * sizeof(HxSampleQuery));
	for (int i = 0; i < Min(drawn.seen, wanted); i++)
	{
		ItemPointerData tid;
		Datum list;
		bool isnull;

		CHECK_FOR_INTERRUPTS();
		HxUnpackTid(drawn.tids[i], &tid);
		if (HxFetchVector(vectors, &tid, &list, &isnull) != HX_ROW_PASSES ||
			isnull)
			continue;
		(*queries)[count].query =
			HxMakeListQuery(desc, desc->vector->metric, list, InvalidOid);
		(*queries)[count++].tid = drawn.tids[i];
	}
	HxCloseVectors(vectors);
	table_close(heap, AccessShareLock);
	return count;
}
