/*
 * gather.c
 *	  Finding few rows through the attribute columns alone.
 *
 * See README, "Sets of TIDs".  Where conditions on attributes pass few rows,
 * distances from centroids and bounds are not worth their time: what passes is
 * collected, and its heap rows are ranked.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "index/page/page.h"
#include "index/search/gather.h"

/* More than this many times what was expected, and some, are no longer few */
#define MOST_TIMES 8
#define MOST_MORE 256

/* Packed TIDs, in any order, some twice */
typedef struct Gathered
{
	uint64 *tids;
	int64 count;
	int64 most; /* that there is room for */
} Gathered;

/* Collect the rows that pass the filter; false if they are too many. */
static bool
collect(Relation index, const HxIndexDesc *desc, const HxSearchSpec *spec,
		Gathered *rows)
{
	HxSearchSpec unordered = {.filter = spec->filter,
							  .skip_nulls = spec->skip_nulls,
							  .only_nulls = spec->only_nulls,
							  .recall = 1,
							  .table = spec->table};
	HxSearch *search = HxBeginSearch(index, desc, &unordered);
	ItemPointerData *tids;
	int64 count;

	while ((count = HxSearchNextRows(search, &tids)) > 0 &&
		   rows->count + count <= rows->most)
		for (int64 i = 0; i < count; i++)
		{
			HxCheckTid(index, NULL, NULL, &tids[i]);
			rows->tids[rows->count++] = HxPackTid(&tids[i]);
		}
	HxEndSearch(search);
	return count == 0;
}

static int
compare_packed(const void *a, const void *b)
{
	uint64 x = *(const uint64 *) a;
	uint64 y = *(const uint64 *) b;

	return (x > y) - (x < y);
}

/* The rows as a set. */
static HxTidSet *
make_set(Gathered *rows)
{
	OffsetNumber offsets[MaxOffsetNumber];
	BlockNumber blocks = 0;
	HxTidSet *set;

	qsort(rows->tids, rows->count, sizeof(uint64), compare_packed);
	if (rows->count > 0)
		blocks = (BlockNumber) (rows->tids[rows->count - 1] >> 16) + 1;
	set = HxBeginTidSet(blocks, (Size) work_mem * 1024);
	for (int64 i = 0; i < rows->count;)
	{
		BlockNumber block = (BlockNumber) (rows->tids[i] >> 16);
		int count = 0;

		/* More than a heap page has are an error of HxAddTids */
		for (; i < rows->count && rows->tids[i] >> 16 == block &&
			   count < lengthof(offsets);
			 i++)
			if (i == 0 || rows->tids[i - 1] != rows->tids[i])
				offsets[count++] = (OffsetNumber) (rows->tids[i] & 0xFFFF);
		HxAddTids(set, block, offsets, count, false);
	}
	HxFinishTidSet(set);
	return set;
}

HxTidSet *
HxGatherRows(Relation index, const HxIndexDesc *desc, const HxSearchSpec *spec,
			 double expected)
{
	MemoryContext old = CurrentMemoryContext;
	MemoryContext context =
		AllocSetContextCreate(old, "hashemb rows", ALLOCSET_DEFAULT_SIZES);
	Gathered rows = {NULL, 0, (int64) (expected * MOST_TIMES) + MOST_MORE};
	HxTidSet *set = NULL;

	Assert(expected >= 0 && !spec->tids && spec->nballs == 0);
	Assert(HxHoldsNoPage());
	MemoryContextSwitchTo(context);
	rows.tids = MemoryContextAllocHuge(context, rows.most * sizeof(uint64));
	if (collect(index, desc, spec, &rows))
	{
		MemoryContextSwitchTo(old);
		set = make_set(&rows);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return set;
}
