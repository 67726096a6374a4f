/*
 * schedule.c
 *	  When the table of expected misses is made anew, and from what.
 *
 * See README, "Recalibration".
 */
#include "postgres.h"

#include "index/page/inject.h"
#include "index/blocks/recall/schedule.h"
#include "index/blocks/recall/ring.h"
#include "index/search/search.h"

/* Distances that an insert may wait for */
#define FOREGROUND_DISTANCES UINT64CONST(2000000)
/* Searches in the foreground, where it must be, even if they are more */
#define MIN_QUERIES 32
/* A search is added to the ring when the rows have grown by one in */
#define RING_GROWTH 92
/* Searches in the ring for its first table ... */
#define RING_FIRST 32
/* ... and further ones for each next table */
#define RING_EVERY 16

/* A look is taken after one append in 2^6 */
#define LOOK_BITS 6

/* Is there a table that searches of this many rows may use? */
static bool
has_usable_table(const HxMeta *meta, uint64 rows)
{
	return meta->misses != InvalidBlockNumber &&
		   rows <= HX_MAX_GROWTH * meta->rows_at_calibration;
}

/* Calibrate in full with this many rows as queries. */
static void
calibrate_in_full(Relation index, const HxIndexDesc *desc, int queries)
{
	HxMisses *table = palloc(sizeof(HxMisses));
	uint64 rows;

	if (HxComputeMissesFromRows(index, desc, queries, table, &rows))
	{
		HX_INJECT("recalibrate-before-store");
		HxStoreMisses(index, table, rows, HX_CALIBRATED_FULL);
	}
	pfree(table);
}

/* Rows as queries for a calibration in the foreground; 0: none is due. */
static int
foreground_queries(const HxMeta *meta, uint64 rows)
{
	int cheap = (int) Min(FOREGROUND_DISTANCES / rows, HX_CALIBRATION_QUERIES);

	Assert(rows >= HX_MIN_CALIBRATION_ROWS);
	if (!has_usable_table(meta, rows))
		return Max(cheap, MIN_QUERIES);
	if (cheap == HX_CALIBRATION_QUERIES &&
		rows >= 2 * meta->rows_at_calibration)
		return cheap;
	return 0;
}

/* Is the table to be made from the ring, now that a search was added? */
static bool
ring_is_due(const HxMeta *meta)
{
	uint32 searches = meta->ring_next - meta->ring_start;

	return searches >= RING_FIRST && searches % RING_EVERY == 0;
}

/* Add a search to the ring, and make the table from it if it is time. */
static void
turn_ring(Relation index, const HxIndexDesc *desc, const HxNewest *newest,
		  uint64 rows)
{
	HxMisses *table;
	HxMeta meta;

	Assert(HxHoldsStructure(index));
	if (!HxAddToRing(index, desc, newest, rows))
		return;
	HX_INJECT("recalibrate-search-added");
	HxReadMeta(index, &meta);
	if (!ring_is_due(&meta))
		return;
	table = palloc(sizeof(HxMisses));
	if (HxComputeTableFromRing(index, table))
	{
		HX_INJECT("recalibrate-before-store");
		HxStoreMisses(index, table, rows, HX_CALIBRATED_RING);
	}
	pfree(table);
}

/* Do what is due with this many rows.  The structure lock is held. */
static void
look(Relation index, const HxIndexDesc *desc, const HxNewest *newest,
	 uint64 rows)
{
	HxMeta meta;
	int queries;

	Assert(HxHoldsStructure(index) && HxHoldsNoPage());
	HxReadMeta(index, &meta);
	if (rows < HX_MIN_CALIBRATION_ROWS)
		return;
	if ((meta.flags & HX_META_OWN_QUERIES) != 0 &&
		has_usable_table(&meta, rows))
		return;
	queries = foreground_queries(&meta, rows);
	if (queries > 0)
		calibrate_in_full(index, desc, queries);
	else if (rows > FOREGROUND_DISTANCES / HX_CALIBRATION_QUERIES &&
			 rows >= meta.rows_at_search + meta.rows_at_search / RING_GROWTH)
		turn_ring(index, desc, newest, rows);
}

void
HxAfterAppend(Relation index, const HxIndexDesc *desc, const uint8 *payload,
			  const ItemPointerData *tid)
{
	HxNewest newest = {payload, HxPackTid(tid)};
	HxBlocks blocks;
	uint64 rows;

	Assert(HxHoldsNoPage());
	if (HxHashTid(newest.tid, LOOK_BITS) != 0 || !HxTryLockStructure(index))
		return;
	HxReadDirectory(index, desc, NULL, &blocks);
	rows = HxBlocksRows(&blocks);
	HxFreeBlocks(&blocks);
	look(index, desc, &newest, rows);
	HxUnlockStructure(index);
}

/* Have the rows changed by more than a quarter? */
static bool
has_changed(uint64 before, uint64 now)
{
	return now > before + before / 4 || now < before - before / 4;
}

/*
 * Have so many blocks been made of others since the table was, that it knows
 * little of them?  Dead versions of rows come and go without rows becoming more.
 */
static bool
is_another_index(const HxMeta *meta)
{
	return meta->splits + meta->merges - meta->changes > meta->blocks / 4;
}

void
HxAfterVacuum(Relation index, const HxIndexDesc *desc, uint64 rows)
{
	HxMeta meta;
	bool usable;

	Assert(HxHoldsNoPage());
	if (rows < HX_MIN_CALIBRATION_ROWS || !HxTryLockStructure(index))
		return;
	HxReadMeta(index, &meta);
	usable = has_usable_table(&meta, rows);
	if (!usable || ((meta.flags & HX_META_OWN_QUERIES) == 0 &&
					(has_changed(meta.rows_at_full, rows) ||
					 has_changed(meta.rows_at_calibration, rows) ||
					 is_another_index(&meta))))
		calibrate_in_full(index, desc, HX_CALIBRATION_QUERIES);
	HxUnlockStructure(index);
}
