/*
 * insert.c
 *	  Inserting a row: append to the pending rows.
 *
 * See README, "Insert".  A row that fits a page is one record, with the
 * directory page whose lock orders all appends.  The pages of a longer one are
 * written before, where nothing leads to them.  An insert that finds the
 * pending area full makes it a window, unless another does so already.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "miscadmin.h"

#include "index/page/inject.h"
#include "index/sparse/sparse.h"

/* Read and exclusively lock the directory's first page. */
static Buffer
lock_directory(Relation index)
{
	HxMeta meta;

	HxReadMeta(index, &meta);
	return HxReadPage(index, meta.directory, BUFFER_LOCK_EXCLUSIVE,
					  HX_PAGE_WINDOWS);
}

/* Initialise a page of pending rows. */
static void
init_pending_page(Page page, uint64 owner)
{
	HxInitPage(page, HX_PAGE_PENDING);
	HxPageOpaque(page)->owner = owner;
}

/* The last page of the chain, locked, or InvalidBuffer if it has none. */
static Buffer
lock_last(Relation index, const HxChain *chain)
{
	Buffer buffer;
	Page page;

	if (chain->last == InvalidBlockNumber)
		return InvalidBuffer;
	buffer =
		HxReadPage(index, chain->last, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_PENDING);
	page = BufferGetPage(buffer);
	if (HxPageOpaque(page)->owner != chain->owner ||
		HxPagePending(page)->used > HX_PENDING_ROOM)
		HxCorrupted(index, chain->last, "not the pending rows' last page");
	return buffer;
}

/* Count a row in its chain. */
static void
count_row(HxChain *chain, const HxSparseRow *row)
{
	chain->rows++;
	if (row->nnz == HX_SPARSE_NULL)
		chain->nulls++;
}

/* ---- rows that fit a page ---- */

/*
 * Append a row to the chain's last page or to a new one, as one record.  The
 * directory page is locked, and released.  Returns how full the area is.
 */
static HxChain
append_short(Relation index, Buffer directory, const HxSparseRow *row)
{
	HxChain *chain = &HxPageWindows(BufferGetPage(directory))->pending;
	Buffer last = lock_last(index, chain);
	Buffer full = InvalidBuffer;
	GenericXLogState *state;
	Page page;
	bool is_new;
	bool reused;
	HxChain result;

	Assert(HxIsLocked(directory, BUFFER_LOCK_EXCLUSIVE));
	Assert(row->size <= HX_PENDING_ROOM && row->size % MAXIMUM_ALIGNOF == 0);
	if (BufferIsValid(last) &&
		HxPagePending(BufferGetPage(last))->used + row->size > HX_PENDING_ROOM)
	{
		full = last;
		last = InvalidBuffer;
	}
	is_new = !BufferIsValid(last);
	if (is_new)
		last = HxNewBuffer(index, &reused);

	state = GenericXLogStart(index);
	chain =
		&HxPageWindows(GenericXLogRegisterBuffer(state, directory, 0))->pending;
	page = GenericXLogRegisterBuffer(state, last,
									 is_new ? GENERIC_XLOG_FULL_IMAGE : 0);
	if (is_new)
	{
		init_pending_page(page, chain->owner);
		chain->last = BufferGetBlockNumber(last);
		chain->pages++;
		if (BufferIsValid(full))
			HxPageOpaque(GenericXLogRegisterBuffer(state, full, 0))->next =
				chain->last;
		else
			chain->first = chain->last;
	}
	memcpy(HxPendingBytes(page) + HxPagePending(page)->used, row, row->size);
	HxPagePending(page)->used += row->size;
	Assert(HxPagePending(page)->used <= HX_PENDING_ROOM);
	count_row(chain, row);
	result = *chain;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(last);
	if (BufferIsValid(full))
		UnlockReleaseBuffer(full);
	UnlockReleaseBuffer(directory);
	return result;
}

/* ---- rows on several pages ---- */

/* Write one page of a long row, which nothing leads to; returns its number. */
static BlockNumber
write_part(Relation index, uint64 owner, const char *bytes, Size size,
		   bool continued, BlockNumber next)
{
	bool reused;
	Buffer buffer = HxNewBuffer(index, &reused);
	BlockNumber block = BufferGetBlockNumber(buffer);
	GenericXLogState *state = GenericXLogStart(index);
	Page page =
		GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);

	Assert(size > 0 && size <= HX_PENDING_ROOM);
	init_pending_page(page, owner);
	HxPageOpaque(page)->next = next;
	HxPagePending(page)->used = size;
	HxPagePending(page)->continued = continued ? size : 0;
	memcpy(HxPendingBytes(page), bytes, size);
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	return block;
}

/* Append pages that have been written; false if the owner has changed. */
static bool
link_pages(Relation index, uint64 owner, BlockNumber first, BlockNumber last,
		   int pages, const HxSparseRow *row, HxChain *result)
{
	Buffer directory = lock_directory(index);
	HxChain *chain = &HxPageWindows(BufferGetPage(directory))->pending;
	GenericXLogState *state;
	Buffer before;

	if (chain->owner != owner)
	{
		UnlockReleaseBuffer(directory);
		return false;
	}
	before = lock_last(index, chain);
	state = GenericXLogStart(index);
	chain =
		&HxPageWindows(GenericXLogRegisterBuffer(state, directory, 0))->pending;
	if (BufferIsValid(before))
		HxPageOpaque(GenericXLogRegisterBuffer(state, before, 0))->next = first;
	else
		chain->first = first;
	chain->last = last;
	chain->pages += pages;
	count_row(chain, row);
	*result = *chain;
	GenericXLogFinish(state);
	if (BufferIsValid(before))
		UnlockReleaseBuffer(before);
	UnlockReleaseBuffer(directory);
	return true;
}

/*
 * Append a row that takes several pages: these first, the last one before the
 * others, then a record that links them.  Pages that an error or a crash leaves
 * behind are found by vacuum.
 */
static HxChain
append_long(Relation index, uint64 owner, const HxSparseRow *row)
{
	int parts = (row->size + HX_PENDING_ROOM - 1) / HX_PENDING_ROOM;
	HxChain result;

	Assert(parts > 1 && HxHoldsNoPage());
	for (;;)
	{
		BlockNumber next = InvalidBlockNumber;
		BlockNumber last = InvalidBlockNumber;
		HxMeta meta;
		Buffer directory;

		for (int p = parts - 1; p >= 0; p--)
		{
			Size from = (Size) p * HX_PENDING_ROOM;

			CHECK_FOR_INTERRUPTS();
			next =
				write_part(index, owner, (const char *) row + from,
						   Min(row->size - from, HX_PENDING_ROOM), p > 0, next);
			if (p == parts - 1)
				last = next;
			HX_INJECT("sparse-long-part");
		}
		if (link_pages(index, owner, next, last, parts, row, &result))
			return result;
		HxReadMeta(index, &meta);
		directory = HxReadPage(index, meta.directory, BUFFER_LOCK_SHARE,
							   HX_PAGE_WINDOWS);
		owner = HxPageWindows(BufferGetPage(directory))->pending.owner;
		UnlockReleaseBuffer(directory);
	}
}

/* ---- all rows ---- */

void
HxInsertSparse(Relation index, Relation heap, const HxIndexDesc *desc,
			   const Datum *values, const bool *isnull, ItemPointer tid)
{
	HxSparseRow *row = HxFormSparseRow(desc, values, isnull, tid);
	Buffer directory = lock_directory(index);
	HxChain chain;

	if (row->size <= HX_PENDING_ROOM)
		chain = append_short(index, directory, row);
	else
	{
		uint64 owner = HxPageWindows(BufferGetPage(directory))->pending.owner;

		UnlockReleaseBuffer(directory);
		chain = append_long(index, owner, row);
	}
	HX_INJECT("sparse-appended");
	if ((chain.rows >= HX_PENDING_ROWS || chain.pages >= HX_PENDING_PAGES) &&
		HxTryLockStructure(index))
	{
		HxFreezePending(index, desc);
		HxMergeWindows(index, desc, false);
		HxUnlockStructure(index);
	}
}
