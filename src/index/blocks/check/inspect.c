/*
 * inspect.c
 *	  What SQL functions show of blocks, and calibrating them: members of kind.h.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "index/blocks/blocks.h"
#include "index/blocks/recall/measure.h"
#include "index/blocks/store/span.h"
#include "index/page/inject.h"

/* Rows marked as dead in the index, all pages of which are read. */
static uint64
count_dead(Relation index, const HxIndexDesc *desc)
{
	BlockNumber end = RelationGetNumberOfBlocks(index);
	HxRowArrays rows;
	uint64 dead = 0;

	for (BlockNumber block = HX_METAPAGE + 1; block < end; block++)
	{
		Buffer buffer;
		Page page;

		CHECK_FOR_INTERRUPTS();
		HX_INJECT_LOOP("count-dead");
		buffer = HxReadBuffer(index, block, BUFFER_LOCK_SHARE, NULL);
		page = BufferGetPage(buffer);
		if (HxPageIsSound(page) && HxPageOpaque(page)->kind == HX_PAGE_ROWS &&
			!HxPageFault(desc, page, HX_PAGE_ROWS))
		{
			HxRowArraysOf(desc, page, &rows);
			dead += HxCountMarks(&rows);
		}
		UnlockReleaseBuffer(buffer);
	}
	return dead;
}

void
HxBlocksInfo(Relation index, const HxIndexDesc *desc, HxIndexInfo *info)
{
	HxBlocks blocks;

	HxReadDirectory(index, desc, NULL, &blocks);
	info->rows = HxBlocksRows(&blocks) + blocks.nulls.rows;
	info->null_rows = blocks.nulls.rows;
	info->dead = count_dead(index, desc);
	info->blocks = blocks.count;
	HxFreeBlocks(&blocks);
}

/* Pages of a block's chain. */
static int
count_pages(Relation index, const HxIndexDesc *desc, const HxEntry *entry)
{
	BlockNumber next = entry->first;
	uint32 steps = 0;
	int pages = 0;

	while (next != InvalidBlockNumber)
	{
		Buffer buffer = HxReadRows(index, desc, next, entry->owner);

		if (!BufferIsValid(buffer))
			break;
		HxCountStep(index, next, &steps);
		pages++;
		next = HxPageOpaque(BufferGetPage(buffer))->next;
		UnlockReleaseBuffer(buffer);
	}
	return pages;
}

/* One row of hashemb_block_info. */
static void
put_block(Tuplestorestate *store, TupleDesc tuples, Relation index,
		  const HxIndexDesc *desc, int number, const HxEntry *entry)
{
	Datum values[10];
	bool nulls[10] = {false};
	bool is_nulls = (entry->flags & HX_ENTRY_NULLS) != 0;
	Buffer zones = InvalidBuffer;
	HxSpan range = HxEntrySpan(index, desc, entry, &zones);

	if (BufferIsValid(zones))
		UnlockReleaseBuffer(zones);
	values[0] = Int32GetDatum(number);
	values[1] = BoolGetDatum(is_nulls);
	values[2] = Int64GetDatum(entry->rows);
	values[3] = Int32GetDatum(count_pages(index, desc, entry));
	values[4] = Int64GetDatum(entry->radius);
	values[5] = Int64GetDatum(entry->min_weight);
	values[6] = Int64GetDatum(entry->max_weight);
	nulls[4] = is_nulls;
	nulls[5] = nulls[6] = is_nulls || entry->min_weight > entry->max_weight;
	values[7] = Int64GetDatum(range.low);
	values[8] = Int64GetDatum(range.high);
	values[9] = BoolGetDatum(range.nulls != 0);
	nulls[7] = nulls[8] = range.values == 0;
	nulls[9] = !HxIsGrouped(desc);
	tuplestore_putvalues(store, tuples, values, nulls);
}

void
HxShowBlocks(Relation index, const HxIndexDesc *desc, Tuplestorestate *store,
			 TupleDesc tuples)
{
	HxEntry *entries = palloc(HX_PAGE_ROOM);
	HxChainCursor cursor;
	int number = 0;
	Page page;

	HxBeginDirectory(&cursor, index, HX_PAGE_DIRECTORY, BUFFER_LOCK_SHARE);
	while ((page = HxNextPage(&cursor)))
	{
		int count = HxPageDirectory(page)->count;

		memcpy(entries, HxPageEntries(page), count * sizeof(HxEntry));
		HxLeavePage(&cursor);
		for (int i = 0; i < count; i++)
			if (!(entries[i].flags & HX_ENTRY_FREE))
				put_block(store, tuples, index, desc, number++, &entries[i]);
	}
	pfree(entries);
}

int
HxSampleBlocks(Relation index, const HxIndexDesc *desc, int wanted, uint64 seed,
			   HxSampleQuery **queries)
{
	uint8 *payloads;
	uint64 *tids;
	int count = HxSampleRows(index, desc, wanted, seed, &payloads, &tids);

	Assert(count <= Max(wanted, 0));
	*queries = palloc0(Max(count, 1) * sizeof(HxSampleQuery));
	for (int q = 0; q < count; q++)
	{
		(*queries)[q].query =
			HxPayloadOf(desc)->query_of_row(desc, payloads + q * desc->payload);
		(*queries)[q].tid = tids[q];
	}
	return count;
}

bool
HxCalibrateBlocks(Relation index, const HxIndexDesc *desc,
				  const HxSampleQuery *queries, int count)
{
	HxMisses *table = palloc(sizeof(HxMisses));
	uint64 rows;
	bool done;

	Assert(HxHoldsStructure(index));
	if (queries)
		done = HxComputeMisses(index, desc, queries, count, table, &rows);
	else
		done = HxComputeMissesFromRows(index, desc, HX_CALIBRATION_QUERIES,
									   table, &rows);
	if (done)
		HxStoreMisses(index, table, rows,
					  queries ? HX_CALIBRATED_USER : HX_CALIBRATED_FULL);
	pfree(table);
	return done;
}
