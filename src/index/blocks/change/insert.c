/*
 * insert.c
 *	  Inserting a row: append to the nearest block.
 *
 * See README, "Insert".  One record covers the row, the entry and the zone
 * map, so that nobody sees a row that the block's bounds do not cover.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "miscadmin.h"

#include "index/blocks/blocks.h"
#include "index/blocks/change/group.h"
#include "index/page/inject.h"
#include "index/blocks/change/prune.h"
#include "index/blocks/recall/schedule.h"
#include "index/blocks/change/split.h"

/* A row on its way into a block */
typedef struct NewRow
{
	const uint8 *payload; /* NULL for a NULL vector */
	HxAttrRow attrs;
	ItemPointerData tid;
	uint32 spread; /* from the block's centroid */
	uint32 weight; /* of the payload */
	uint64 rows;   /* rows of the index, as last seen */
	bool is_long;  /* the block that took it should be split */
} NewRow;

/* The pages of one append, exclusively locked */
typedef struct RowAppend
{
	Buffer directory;
	Buffer full;  /* old end of the chain, if a page is added */
	Buffer rows;  /* page that takes the row */
	Buffer zones; /* InvalidBuffer if the zone map covers the row */
	bool is_new;  /* rows was added */
	bool reused;  /* ... and had been freed before */
} RowAppend;

/* Widen an entry by a row. */
static void
widen_entry(HxEntry *entry, const NewRow *row)
{
	entry->rows++;
	entry->changes++;
	if (!row->payload)
		return;
	entry->radius = Max(entry->radius, row->spread);
	entry->min_weight = Min(entry->min_weight, row->weight);
	entry->max_weight = Max(entry->max_weight, row->weight);
}

/*
 * Find the page of the chain that has room, from the entry's append page on, or
 * add one.  False if none has, and none is to be added.  The directory page is
 * locked.
 */
static bool
find_room(Relation index, const HxEntry *entry, bool may_add, RowAppend *append)
{
	BlockNumber block = entry->append;
	uint32 steps = 0;

	Assert(HxIsLocked(append->directory, BUFFER_LOCK_EXCLUSIVE));
	if (block == InvalidBlockNumber && entry->first != InvalidBlockNumber)
		HxCorrupted(index, BufferGetBlockNumber(append->directory),
					"an entry names no page to append to");
	while (block != InvalidBlockNumber)
	{
		Buffer buffer =
			HxReadPage(index, block, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_ROWS);
		Page page = BufferGetPage(buffer);

		if (HxPageOpaque(page)->owner != entry->owner)
			HxCorrupted(index, block, "rows page of another block");
		HxCountStep(index, block, &steps);
		if (HxPageRows(page)->count < HxPageRows(page)->capacity)
		{
			append->rows = buffer;
			return true;
		}
		block = HxPageOpaque(page)->next;
		if (block == InvalidBlockNumber && may_add)
			append->full = buffer;
		else
			UnlockReleaseBuffer(buffer);
	}
	if (!may_add)
		return false;
	append->rows = HxNewBuffer(index, &append->reused);
	Assert(HxIsLocked(append->rows, BUFFER_LOCK_EXCLUSIVE));
	append->is_new = true;
	return true;
}

/* Lock the zone page if its map has to grow. */
static void
find_zone(Relation index, const HxIndexDesc *desc, const HxEntry *entry,
		  const NewRow *row, RowAppend *append)
{
	Buffer buffer;

	if (desc->nattrs == 0)
		return;
	buffer =
		HxReadPage(index, entry->zones, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_ZONES);
	if (HxZoneCovers(desc, HxGetZone(index, desc, buffer, entry->zone),
					 &row->attrs))
		UnlockReleaseBuffer(buffer);
	else
		append->zones = buffer;
}

/* Write the append as one record, and release all pages. */
static void
write_append(Relation index, const HxIndexDesc *desc, const RowAppend *append,
			 HxEntryAddress place, NewRow *row)
{
	GenericXLogState *state = GenericXLogStart(index);
	Page directory = GenericXLogRegisterBuffer(state, append->directory, 0);
	HxEntry *entry = &HxPageEntries(directory)[place.slot];
	BlockNumber block = BufferGetBlockNumber(append->rows);
	Page page = GenericXLogRegisterBuffer(
		state, append->rows, append->is_new ? GENERIC_XLOG_FULL_IMAGE : 0);

	Assert(HxIsLocked(append->directory, BUFFER_LOCK_EXCLUSIVE));
	Assert(HxIsLocked(append->rows, BUFFER_LOCK_EXCLUSIVE));
	Assert(!BufferIsValid(append->full) || append->is_new);
	if (append->is_new)
	{
		HxInitRowsPage(desc, page, entry->owner, place);
		if (BufferIsValid(append->full))
			HxPageOpaque(GenericXLogRegisterBuffer(state, append->full, 0))
				->next = block;
		else
			entry->first = block;
		entry->pages++;
	}
	HxPutRow(desc, page, row->payload, &row->attrs, &row->tid);
	if (row->payload)
		HxWidenSpan(desc, &HxPageDirectory(directory)->range, &row->attrs);
	entry->append = block;
	widen_entry(entry, row);
	if (BufferIsValid(append->zones))
	{
		Page zones = GenericXLogRegisterBuffer(state, append->zones, 0);

		HxWidenZone(desc, HxPageZone(desc, zones, entry->zone), &row->attrs);
	}
	row->is_long = HxIsLong(index, desc, entry, row->rows);
	GenericXLogFinish(state);

	if (BufferIsValid(append->zones))
		UnlockReleaseBuffer(append->zones);
	UnlockReleaseBuffer(append->rows);
	if (BufferIsValid(append->full))
		UnlockReleaseBuffer(append->full);
	UnlockReleaseBuffer(append->directory);
}

/* What an attempt to append came to */
typedef enum Attempt
{
	APPEND_DONE,
	APPEND_GONE, /* the place has gone to another block since it was read */
	APPEND_FULL	 /* no page of the block has room */
} Attempt;

/* Append a row to a block; without room, only if a page may be added. */
static Attempt
attempt_append(Relation index, const HxIndexDesc *desc, const HxBlock *block,
			   bool may_add, NewRow *row)
{
	RowAppend append = {0};
	const HxEntry *entry;
	Attempt attempt = APPEND_GONE;

	Assert(HxHoldsNoPage());
	append.directory = HxReadPage(index, block->place.page,
								  BUFFER_LOCK_EXCLUSIVE, HX_PAGE_DIRECTORY);
	entry = HxGetEntry(index, append.directory, block->place.slot);
	if (entry->owner == block->owner)
		attempt = find_room(index, entry, may_add, &append) ? APPEND_DONE
															: APPEND_FULL;
	if (attempt != APPEND_DONE)
	{
		UnlockReleaseBuffer(append.directory);
		return attempt;
	}
	find_zone(index, desc, entry, row, &append);
	write_append(index, desc, &append, block->place, row);
	HX_INJECT("append");
	if (append.reused)
	{
		HxCounts counts = {.pages_reused = 1};

		HxAddCounts(index, &counts);
	}
	return attempt;
}

/*
 * Append a row to a block; a page is added only where dead rows do not leave
 * room.  False if the block has gone.
 */
static bool
append_row(Relation index, Relation heap, const HxIndexDesc *desc,
		   const HxBlock *block, NewRow *row)
{
	Attempt attempt = attempt_append(index, desc, block, false, row);

	if (attempt == APPEND_FULL)
	{
		HxPruneBlock(index, heap, desc, block);
		attempt = attempt_append(index, desc, block, true, row);
	}
	return attempt == APPEND_DONE;
}

/* Set up the entry of a new block whose centroid is the row's payload. */
static void
make_entry(const HxIndexDesc *desc, Page directory, int slot, Page zones,
		   uint64 owner, BlockNumber zones_block, const NewRow *row)
{
	HxEntry *entry = &HxPageEntries(directory)[slot];
	int zone = HxPageZones(zones)->count++;

	Assert(row->payload && slot == HxPageDirectory(directory)->count);
	memset(entry, 0, sizeof(*entry));
	entry->owner = owner;
	entry->zones = zones_block;
	entry->zone = zone;
	entry->min_weight = PG_UINT32_MAX;
	memcpy(HxPageCentroids(directory) + slot * desc->payload, row->payload,
		   desc->payload);
	HxInitZone(desc, HxPageZone(desc, zones, zone));
	HxWidenZone(desc, HxPageZone(desc, zones, zone), &row->attrs);
	HxWidenSpan(desc, &HxPageDirectory(directory)->range, &row->attrs);
	HxPageDirectory(directory)->count = slot + 1;
}

/*
 * Make the first block of an index that has none, of one row.  Does nothing
 * and returns false if somebody else was faster.
 */
static bool
make_first_block(Relation index, const HxIndexDesc *desc, const NewRow *row)
{
	BlockNumber first;
	Buffer directory;
	bool fresh;
	HxMeta known;

	Assert(row->payload && HxHoldsNoPage());
	HxReadMeta(index, &known);
	first = known.directory;
	directory =
		HxReadPage(index, first, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_DIRECTORY);
	fresh = HxPageDirectory(BufferGetPage(directory))->count == 1;
	if (fresh)
	{
		HxEntry *nulls = HxPageEntries(BufferGetPage(directory));
		bool reused;
		Buffer rows = HxNewBuffer(index, &reused);
		Buffer zones = HxReadPage(index, nulls->zones, BUFFER_LOCK_EXCLUSIVE,
								  HX_PAGE_ZONES);
		Buffer meta =
			HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
		HxEntryAddress place = {first, 1};
		GenericXLogState *state;
		Page meta_page;
		Page directory_page;
		Page zones_page;
		Page rows_page;
		uint64 owner;
		HxEntry *entry;

		if (HxPageZones(BufferGetPage(zones))->count >= HxZonesCapacity(desc))
			HxCorrupted(index, nulls->zones,
						"zone page without room for the first block");
		state = GenericXLogStart(index);
		meta_page = GenericXLogRegisterBuffer(state, meta, 0);
		directory_page = GenericXLogRegisterBuffer(state, directory, 0);
		zones_page = GenericXLogRegisterBuffer(state, zones, 0);
		rows_page =
			GenericXLogRegisterBuffer(state, rows, GENERIC_XLOG_FULL_IMAGE);
		owner = HxPageMeta(meta_page)->next_owner++;
		entry = &HxPageEntries(directory_page)[place.slot];

		HxPageMeta(meta_page)->blocks++;
		make_entry(desc, directory_page, place.slot, zones_page, owner,
				   BufferGetBlockNumber(zones), row);
		entry->first = entry->append = BufferGetBlockNumber(rows);
		entry->pages = 1;
		HxInitRowsPage(desc, rows_page, owner, place);
		HxPutRow(desc, rows_page, row->payload, &row->attrs, &row->tid);
		widen_entry(entry, row);
		GenericXLogFinish(state);
		UnlockReleaseBuffer(meta);
		UnlockReleaseBuffer(zones);
		UnlockReleaseBuffer(rows);
	}
	UnlockReleaseBuffer(directory);
	return fresh;
}

/* The block where a row with a vector belongs; false if there is none yet. */
static bool
find_block(Relation index, const HxIndexDesc *desc, NewRow *row, HxBlock *block)
{
	if (HxIsGrouped(desc))
		return HxFindGroupBlock(index, desc, row->payload, &row->attrs, block,
								&row->spread, &row->rows);
	return HxNearestBlock(index, desc, row->payload, block, &row->spread,
						  &row->rows);
}

/* Insert a row into the block where it belongs. */
static void
insert_row(Relation index, Relation heap, const HxIndexDesc *desc, NewRow *row)
{
	bool done = false;
	bool none_before = false; /* no block was found, but there must be one */

	while (!done)
	{
		HxBlock block;

		Assert(HxHoldsNoPage());
		CHECK_FOR_INTERRUPTS();
		if (!row->payload)
		{
			HxFindNullBlock(index, desc, &block);
			done = append_row(index, heap, desc, &block, row);
		}
		else if (find_block(index, desc, row, &block))
			done = append_row(index, heap, desc, &block, row);
		else
		{
			if (none_before)
				HxCorrupted(index, HX_METAPAGE,
							"the directory has no block to insert into");
			row->spread = 0;
			done = make_first_block(index, desc, row);
			none_before = !done;
		}
		if (row->is_long)
		{
			HxPruneBlock(index, heap, desc, &block);
			HxSplitBlock(index, desc, block.place, row->rows);
		}
	}
}

void
HxInsertIntoBlocks(Relation index, Relation heap, const HxIndexDesc *desc,
				   const Datum *values, const bool *isnull, ItemPointer tid)
{
	NewRow row = {0};

	row.tid = *tid;
	HxEncodeAttrs(desc, values, isnull, &row.attrs);
	if (!isnull[desc->vector_attno - 1])
	{
		uint8 *payload = palloc(desc->payload);

		HxKindOf(desc)->form(desc, values[desc->vector_attno - 1], payload);
		row.payload = payload;
		row.weight = HxPayloadOf(desc)->weight(desc, payload);
	}
	insert_row(index, heap, desc, &row);
	if (row.payload)
		HxAfterAppend(index, desc, row.payload, tid);
}
