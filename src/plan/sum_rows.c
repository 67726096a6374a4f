/*
 * sum_rows.c
 *	  Rows of a search by a sum: those that were seen, those that wait, and those
 *	  that are settled.
 *
 * Everything is allocated in the context that HxBeginSumRows was called in.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "plan/sum.h"

/* Rows that there is room for at first */
#define FIRST_ROOM 256

typedef struct Seen
{
	uint64 tid;
	HxSumPlaces places;
	char status;
} Seen;

#define SH_PREFIX hxseen
#define SH_ELEMENT_TYPE Seen
#define SH_KEY_TYPE uint64
#define SH_KEY tid
#define SH_HASH_KEY(table, key) \
	murmurhash32((uint32) (key) ^ (uint32) ((key) >> 32))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* The order of sums, as float8 has it, NULL at the end */
int
HxCompareSums(HxSumValue a, HxSumValue b)
{
	if (a.isnull || b.isnull)
		return (int) a.isnull - (int) b.isnull;
	return float8_cmp_internal(a.value, b.value);
}

/* The order of rows: ties by TID */
static int
compare_rows(const HxSumRow *a, const HxSumRow *b)
{
	int order = HxCompareSums(a->sum, b->sum);

	if (order != 0)
		return order;
	return a->tid < b->tid ? -1 : a->tid > b->tid;
}

static int
compare_for_sort(const void *a, const void *b)
{
	return compare_rows(a, b);
}

/* No row is seen; so many of the least sums are kept apart. */
void
HxBeginSumRows(HxSumRows *rows, int64 first)
{
	memset(rows, 0, sizeof(*rows));
	rows->seen = hxseen_create(CurrentMemoryContext, FIRST_ROOM, NULL);
	rows->waiting_room = rows->settled_room = FIRST_ROOM;
	rows->waiting = palloc(FIRST_ROOM * sizeof(HxSumRow));
	rows->settled = palloc(FIRST_ROOM * sizeof(HxSumRow));
	rows->most_first = first;
	rows->first = palloc(Max(first, 1) * sizeof(HxSumRow));
}

/*
 * Take note of a row of an index, which came at a place of a term's search; false if it
 * was seen before.
 */
bool
HxSeeRow(HxSumRows *rows, uint64 tid, int term, uint64 place)
{
	bool found;
	Seen *seen = hxseen_insert(rows->seen, tid, &found);

	Assert(term >= 0 && term < HX_MOST_TERMS);
	if (!found)
		memset(seen->places, 0, sizeof(seen->places));
	if (seen->places[term] == 0)
		seen->places[term] = (uint32) Min(place, PG_UINT32_MAX);
	return !found;
}

/* Where a row came; NULL if it was not seen.  Until the next one is. */
const uint32 *
HxPlacesOf(const HxSumRows *rows, uint64 tid)
{
	const Seen *seen = hxseen_lookup(rows->seen, tid);

	return seen ? seen->places : NULL;
}

/* Memory that the rows take */
Size
HxSumRowsMemory(const HxSumRows *rows)
{
	return rows->seen->size * sizeof(Seen) +
		   (Size) (rows->waiting_room + rows->settled_room + rows->most_first) *
			   sizeof(HxSumRow);
}

static HxSumRow *
make_room(HxSumRow *rows, int64 count, int64 *room)
{
	if (count < *room)
		return rows;
	*room *= 2;
	return repalloc_huge(rows, *room * sizeof(HxSumRow));
}

/* Keep a row apart if it is one of the first so far. */
static void
keep_first(HxSumRows *rows, const HxSumRow *row)
{
	HxSumRow *first = rows->first;
	int64 at = rows->nfirst;

	if (at < rows->most_first)
		rows->nfirst++;
	else if (at == 0 || compare_rows(row, &first[--at]) >= 0)
		return;
	for (; at > 0 && compare_rows(row, &first[at - 1]) < 0; at--)
		first[at] = first[at - 1];
	first[at] = *row;
}

/* Add a completed row to those that wait. */
void
HxAddSumRow(HxSumRows *rows, const HxSumRow *row)
{
	int64 at = rows->nwaiting++;

	keep_first(rows, row);
	rows->waiting = make_room(rows->waiting, at, &rows->waiting_room);
	while (at > 0 && compare_rows(row, &rows->waiting[(at - 1) / 2]) < 0)
	{
		rows->waiting[at] = rows->waiting[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	rows->waiting[at] = *row;
}

/* Move the least of the rows that wait to those that are settled. */
static void
settle_first(HxSumRows *rows)
{
	HxSumRow *waiting = rows->waiting;
	HxSumRow last;
	int64 at = 0;

	Assert(rows->nwaiting > 0);
	rows->settled =
		make_room(rows->settled, rows->nsettled, &rows->settled_room);
	rows->settled[rows->nsettled++] = waiting[0];
	last = waiting[--rows->nwaiting];
	for (;;)
	{
		int64 child = 2 * at + 1;

		if (child >= rows->nwaiting)
			break;
		if (child + 1 < rows->nwaiting &&
			compare_rows(&waiting[child + 1], &waiting[child]) < 0)
			child++;
		if (compare_rows(&last, &waiting[child]) <= 0)
			break;
		waiting[at] = waiting[child];
		at = child;
	}
	waiting[at] = last;
}

/* Settle the rows whose sum no unseen row can undercut. */
void
HxSettleRows(HxSumRows *rows, HxSumValue bound)
{
	while (rows->nwaiting > 0 &&
		   HxCompareSums(rows->waiting[0].sum, bound) <= 0)
		settle_first(rows);
}

/* Settle all rows: there are no others. */
void
HxSettleAllRows(HxSumRows *rows)
{
	while (rows->nwaiting > 0)
		settle_first(rows);
}

/*
 * The next of the settled rows in order; false if there is none.  Rows that come
 * before one that was returned are dropped and counted.  Without a counter they are
 * returned: an exact search is late by the rounding of an operator's distances alone.
 */
bool
HxNextSumRow(HxSumRows *rows, HxSumRow *row, uint64 *dropped)
{
	if (rows->nsorted < rows->nsettled)
	{
		int64 first = rows->nreturned;

		qsort(rows->settled + first, rows->nsettled - first, sizeof(HxSumRow),
			  compare_for_sort);
		rows->nsorted = rows->nsettled;
	}
	while (rows->nreturned < rows->nsettled)
	{
		const HxSumRow *next = &rows->settled[rows->nreturned];
		bool late = dropped && rows->nreturned > 0 &&
					HxCompareSums(next->sum, next[-1].sum) < 0;

		if (late)
		{
			/* the row before stays what the next one is compared with */
			memmove(rows->settled + rows->nreturned,
					rows->settled + rows->nreturned + 1,
					(rows->nsettled - rows->nreturned - 1) * sizeof(HxSumRow));
			rows->nsettled--;
			rows->nsorted--;
			++*dropped;
			continue;
		}
		*row = *next;
		rows->nreturned++;
		return true;
	}
	return false;
}
