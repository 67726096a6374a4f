/*
 * near.c
 *	  Conditions on distances in a search of sparse vectors.
 *
 * A search computes the distances of one query.  A condition on these it
 * decides itself, and rows that fail are no better than rows that are far away.
 * The rows that satisfy any other condition are found by a search of their own
 * before, and become a set of TIDs, a mask of the search.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "index/sparse/sparse.h"

/* TIDs of rows, by TID, each once */
typedef struct Rows
{
	ItemPointerData *tids;
	int64 count;
	int64 room;
} Rows;

static int
compare_tids(const void *a, const void *b)
{
	uint64 x = HxPackTid(a);
	uint64 y = HxPackTid(b);

	return (x > y) - (x < y);
}

/* Add the rows within a ball to those of others; in no order. */
static void
add_rows_within(Relation index, const HxIndexDesc *desc,
				const HxSearchSpec *spec, HxWithin *ball, Rows *rows)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb rows within", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HxBalls balls = {1, ball};
	HxSearchSpec within = *spec;
	HxSearch *search;
	ItemPointerData *tids;
	int64 count;

	within.ordered = false;
	within.query = ball->query;
	within.balls = &balls;
	within.nballs = 1;
	within.nlimits = 0;
	search = HxBeginSearch(index, desc, &within);
	count = HxSearchNextRows(search, &tids);
	MemoryContextSwitchTo(old);
	if (rows->count + count > rows->room)
	{
		rows->room = Max(2 * rows->room, rows->count + count);
		rows->tids =
			repalloc_huge(rows->tids, rows->room * sizeof(ItemPointerData));
	}
	memcpy(rows->tids + rows->count, tids, count * sizeof(ItemPointerData));
	rows->count += count;
	MemoryContextDelete(context);
}

/* The rows that satisfy a condition, filter and set of TIDs. */
static Rows
find_rows(Relation index, const HxIndexDesc *desc, const HxSearchSpec *spec,
		  const HxBalls *balls)
{
	Rows rows = {palloc(sizeof(ItemPointerData)), 0, 1};
	int64 count = 0;

	for (int b = 0; b < balls->count; b++)
	{
		CHECK_FOR_INTERRUPTS();
		add_rows_within(index, desc, spec, &balls->any[b], &rows);
	}
	if (rows.count > 0)
		qsort(rows.tids, rows.count, sizeof(ItemPointerData), compare_tids);
	for (int64 i = 0; i < rows.count; i++)
		if (count == 0 ||
			!ItemPointerEquals(&rows.tids[count - 1], &rows.tids[i]))
			rows.tids[count++] = rows.tids[i];
	rows.count = count;
	return rows;
}

/* Keep the rows that are among others, too. */
static void
intersect(Rows *rows, const Rows *others)
{
	int64 at = 0;
	int64 kept = 0;

	for (int64 i = 0; i < rows->count; i++)
	{
		Assert(i == 0 || compare_tids(&rows->tids[i - 1], &rows->tids[i]) < 0);
		while (at < others->count &&
			   compare_tids(&others->tids[at], &rows->tids[i]) < 0)
			at++;
		if (at < others->count &&
			ItemPointerEquals(&others->tids[at], &rows->tids[i]))
			rows->tids[kept++] = rows->tids[i];
	}
	rows->count = kept;
}

/* The rows as a set; `recheck` tells that some may not be what was asked for. */
static HxTidSet *
make_set(Relation index, const Rows *rows, bool recheck)
{
	OffsetNumber offsets[MaxOffsetNumber];
	BlockNumber blocks = 0;
	HxTidSet *set;

	if (rows->count > 0)
		blocks = ItemPointerGetBlockNumber(&rows->tids[rows->count - 1]) + 1;
	set = HxBeginTidSet(blocks, (Size) work_mem * 1024);
	for (int64 i = 0; i < rows->count;)
	{
		BlockNumber block = ItemPointerGetBlockNumber(&rows->tids[i]);
		int count = 0;

		for (; i < rows->count &&
			   ItemPointerGetBlockNumber(&rows->tids[i]) == block;
			 i++)
		{
			HxCheckTid(index, NULL, NULL, &rows->tids[i]);
			offsets[count++] = ItemPointerGetOffsetNumber(&rows->tids[i]);
		}
		HxAddTids(set, block, offsets, count, recheck);
	}
	HxFinishTidSet(set);
	return set;
}

/* Is this a condition on the distances that the search computes? */
static bool
is_own(const HxSearchSpec *spec, const HxBalls *balls)
{
	return spec->query && balls->count == 1 &&
		   balls->any[0].query == spec->query;
}

/*
 * Leave in the specification of a search the conditions on distances that it
 * decides itself, and make a set of TIDs of the others.  A search without an
 * order is given the query of one of them.
 */
void
HxNarrowSparseSearch(Relation index, const HxIndexDesc *desc,
					 HxSearchSpec *spec)
{
	bool recheck = spec->tids && HxTidSetNeedsRecheck(spec->tids);
	Rows rows = {0};
	int own = 0;

	Assert(HxHoldsNoPage());
	for (int b = 0; b < spec->nballs && !spec->ordered && !spec->query; b++)
		if (spec->balls[b].count == 1)
			spec->query = spec->balls[b].any[0].query;
	for (int b = 0; b < spec->nballs; b++)
	{
		Rows found;

		if (is_own(spec, &spec->balls[b]))
		{
			spec->balls[own++] = spec->balls[b];
			continue;
		}
		found = find_rows(index, desc, spec, &spec->balls[b]);
		if (rows.tids)
			intersect(&rows, &found);
		else
			rows = found;
	}
	spec->nballs = own;
	if (rows.tids)
	{
		spec->near = !spec->tids;
		spec->tids = make_set(index, &rows, recheck);
	}
}
