/*
 * best.c
 *	  The best rows that a search has found so far.
 */
#include "postgres.h"

#include "utils/float.h"
#include "utils/memutils.h"

#include "index/search/best.h"

/*
 * Rows that may be added before a merge: no more than there is room for, so that
 * it is soon known from where on rows are lost, but some at least, and at most
 */
#define FEWEST_ADDED 16
#define ADDED_ROOM 256

/* A merge is put off for this many visits at most, where it costs much */
#define MAX_WAIT 8
/* Rows whose merge costs so little that it is never put off */
#define SMALL_ROOM 512

/* Fewer rows than one in so many of those in order are inserted one by one */
#define FEW_ADDED 8

/* Rows that are kept in order at least, and what part of those behind follows */
#define MIN_FRONT 64
#define FRONT_PART 8

/* Rows beyond the room that are kept until it is worth cutting them off */
#define MIN_SLACK 64
#define SLACK_PART 8

/* Rows by (distance, TID), with the comparison in line */
#define ST_SORT sort_rows
#define ST_ELEMENT_TYPE HxCandidate
#define ST_COMPARE(a, b) HxCompareCandidates(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#ifdef USE_ASSERT_CHECKING
/* Are rows in order, none of them twice? */
static bool
are_sorted(const HxCandidate *rows, int64 count)
{
	for (int64 i = 1; i < count; i++)
		if (!HxPrecedes(&rows[i - 1], &rows[i]))
			return false;
	return true;
}
#endif

/* Make room for this many rows in an array, which stays in its context. */
static void
reserve(HxCandidate **rows, int64 *room, int64 count)
{
	if (count <= *room)
		return;
	*room = Max(count, 2 * *room);
	if (*rows)
		*rows = repalloc_huge(*rows, *room * sizeof(HxCandidate));
	else
		*rows = MemoryContextAllocHuge(CurrentMemoryContext,
									   *room * sizeof(HxCandidate));
}

void
HxResetBest(HxBest *best, int64 room)
{
	Assert(room > 0);
	reserve(&best->added, &best->added_room, ADDED_ROOM);
	reserve(&best->rows, &best->rows_room, ADDED_ROOM);
	reserve(&best->behind, &best->behind_room, MIN_SLACK);
	best->room = room;
	best->most_added = Min(Max(room, FEWEST_ADDED), ADDED_ROOM);
	best->count = best->nbehind = best->nadded = 0;
	best->front = MIN_FRONT;
	best->has_edge = false;
	best->waited = 0;
	best->lost = false;
	best->worst = get_float8_infinity();
}

/* ---- rows behind ---- */

/*
 * Exchange rows until the `count` best of them stand at the end, behind the best
 * of the others (C. A. R. Hoare, Algorithm 65: Find, Communications of the ACM 4,
 * 1961).
 */
static void
move_best_to_end(HxCandidate *rows, int64 nrows, int64 count)
{
	int64 place = nrows - count - 1;
	int64 low = 0;
	int64 high = nrows - 1;

	Assert(count >= 0 && count <= nrows);
	while (low < high)
	{
		HxCandidate pivot = rows[low + (high - low) / 2];
		int64 left = low;
		int64 right = high;

		while (left <= right)
		{
			while (HxPrecedes(&pivot, &rows[left]))
				left++;
			while (HxPrecedes(&rows[right], &pivot))
				right--;
			if (left <= right)
			{
				HxCandidate row = rows[left];

				rows[left++] = rows[right];
				rows[right--] = row;
			}
		}
		if (place <= right)
			high = right;
		else if (place >= left)
			low = left;
		else
			break;
	}
}

/* Rows from this one on are lost, if not nearer ones are already. */
static void
set_frontier(HxBest *best, const HxCandidate *row)
{
	if (best->lost && !HxPrecedes(row, &best->frontier))
		return;
	best->frontier = *row;
	best->worst = row->distance;
	best->lost = true;
}

void
HxBoundBest(HxBest *best, double distance)
{
	HxCandidate first = {distance};

	set_frontier(best, &first);
}

/* Rows that there is no room for set the frontier. */
static void
cut_best(HxBest *best)
{
	int64 left = best->room - best->count;

	if (best->count + best->nbehind <= best->room)
		return;
	if (left < 0)
	{
		set_frontier(best, &best->rows[best->room]);
		best->count = best->room;
		best->nbehind = 0;
	}
	else
	{
		int64 place = best->nbehind - left - 1;

		move_best_to_end(best->behind, best->nbehind, left);
		set_frontier(best, &best->behind[place]);
		memmove(best->behind, &best->behind[place + 1],
				left * sizeof(HxCandidate));
		best->nbehind = left;
	}
	Assert(best->count + best->nbehind <= best->room);
}

/* Are there so many rows beyond the room that they should be cut off? */
static inline bool
is_full(const HxBest *best)
{
	return best->count + best->nbehind >=
		   best->room + Max(MIN_SLACK, best->room / SLACK_PART);
}

static void
add_behind(HxBest *best, const HxCandidate *row)
{
	Assert(best->has_edge && !HxPrecedes(row, &best->edge));
	if (is_full(best))
	{
		cut_best(best);
		if (!HxPrecedes(row, &best->frontier))
			return;
	}
	reserve(&best->behind, &best->behind_room, best->nbehind + 1);
	best->behind[best->nbehind++] = *row;
}

/* The last row in order is now the edge. */
static void
set_edge(HxBest *best)
{
	Assert(best->count > 0);
	best->edge = best->rows[best->count - 1];
	best->has_edge = true;
}

/* Of a long list keep only the front in order. */
static void
move_behind(HxBest *best)
{
	int64 moved = best->count - best->front;

	if (moved <= best->front)
		return;
	reserve(&best->behind, &best->behind_room, best->nbehind + moved);
	memcpy(&best->behind[best->nbehind], &best->rows[best->front],
		   moved * sizeof(HxCandidate));
	best->nbehind += moved;
	best->count = best->front;
	set_edge(best);
}

void
HxKeepBest(HxBest *best, const HxCandidate *row)
{
	if (best->nadded == best->most_added)
		HxMergeBest(best, true);
	Assert(best->nadded < best->added_room);
	if (best->lost && !HxPrecedes(row, &best->frontier))
		return;
	if (best->has_edge && !HxPrecedes(row, &best->edge))
		add_behind(best, row);
	else
		best->added[best->nadded++] = *row;
}

/* ---- rows in order ---- */

/* Sort the rows added; few by insertion. */
static void
sort_added(HxBest *best)
{
	HxCandidate *rows = best->added;

	if (best->nadded > 16)
	{
		sort_rows(rows, best->nadded);
		return;
	}
	for (int i = 1; i < best->nadded; i++)
	{
		HxCandidate row = rows[i];
		int at = i;

		for (; at > 0 && HxPrecedes(&row, &rows[at - 1]); at--)
			rows[at] = rows[at - 1];
		rows[at] = row;
	}
}

/*
 * A row that was in two blocks while it moved is kept once; the outcome of a
 * look at its heap row counts for both.  From the given place on.
 */
static void
drop_twins(HxBest *best, int64 first)
{
	int64 last = first;

	for (int64 i = first + 1; i < best->count; i++)
	{
		if (HxPrecedes(&best->rows[last], &best->rows[i]))
			best->rows[++last] = best->rows[i];
		else
			best->rows[last].passed |= best->rows[i].passed;
	}
	best->count = Min(best->count, last + 1);
}

/* Rows in order that precede a row, of the first `count` */
static int64
rows_before(const HxBest *best, int64 count, const HxCandidate *row)
{
	int64 low = 0;

	while (low < count)
	{
		int64 middle = low + (count - low) / 2;

		if (HxPrecedes(&best->rows[middle], row))
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

/*
 * Put few sorted rows into their places among the others, which move in runs;
 * is any there already?
 */
static bool
insert_added(HxBest *best)
{
	int64 end = best->count;
	bool twins = false;

	for (int64 next = best->nadded - 1; next >= 0; next--)
	{
		const HxCandidate *row = &best->added[next];
		int64 at = rows_before(best, end, row);

		twins |= at < end && !HxPrecedes(row, &best->rows[at]);
		memmove(&best->rows[at + next + 1], &best->rows[at],
				(end - at) * sizeof(HxCandidate));
		best->rows[at + next] = *row;
		end = at;
	}
	return twins;
}

/* Merge sorted rows with the others, row by row; is any there already? */
static bool
interleave_added(HxBest *best)
{
	int64 from = best->count - 1;
	int64 next = best->nadded - 1;
	int64 to = best->count + best->nadded - 1;
	bool twins = false;

	while (next >= 0)
	{
		if (from >= 0 && !HxPrecedes(&best->rows[from], &best->added[next]))
		{
			twins |= !HxPrecedes(&best->added[next], &best->rows[from]);
			best->rows[to--] = best->rows[from--];
		}
		else
			best->rows[to--] = best->added[next--];
	}
	return twins;
}

/* Merge the sorted rows added with the others; is any there twice? */
static bool
merge_added(HxBest *best)
{
	bool twins = false;

	for (int64 i = 1; i < best->nadded && !twins; i++)
		twins = !HxPrecedes(&best->added[i - 1], &best->added[i]);
	if (best->nadded < best->count / FEW_ADDED)
		twins |= insert_added(best);
	else
		twins |= interleave_added(best);
	best->count += best->nadded;
	best->nadded = 0;
	return twins;
}

bool
HxMergeBest(HxBest *best, bool now)
{
	if (best->nadded == 0)
		return true;
	if (!now && best->room > SMALL_ROOM && ++best->waited < MAX_WAIT)
		return false;
	best->waited = 0;
	reserve(&best->rows, &best->rows_room, best->count + best->nadded);
	sort_added(best);
	if (merge_added(best))
		drop_twins(best, 0);
	/* Of many rows the first will do */
	Assert(are_sorted(best->rows, Min(best->count, SMALL_ROOM)));
	move_behind(best);
	if (best->nbehind == 0 || is_full(best))
		cut_best(best);
	return true;
}

void
HxSortBest(HxBest *best, int64 count)
{
	Assert(best->nadded == 0);
	while (best->count < count && best->nbehind > 0)
	{
		int64 wanted = Max(count - best->count,
						   Max(MIN_FRONT, best->nbehind / FRONT_PART));
		int64 taken = Min(wanted, best->nbehind);
		int64 first = Max(best->count - 1, 0);

		move_best_to_end(best->behind, best->nbehind, taken);
		reserve(&best->rows, &best->rows_room, best->count + taken);
		best->nbehind -= taken;
		memcpy(&best->rows[best->count], &best->behind[best->nbehind],
			   taken * sizeof(HxCandidate));
		sort_rows(&best->rows[best->count], taken);
		best->count += taken;
		drop_twins(best, first);
		Assert(are_sorted(&best->rows[first], best->count - first));
		set_edge(best);
		best->front = Max(best->front, best->count);
	}
	Assert(best->count >= count || best->nbehind == 0);
}

void
HxRemoveBest(HxBest *best, int64 from, int64 to)
{
	Assert(from >= 0 && from <= to && to <= best->count);
	memmove(&best->rows[from], &best->rows[to],
			(best->count - to) * sizeof(HxCandidate));
	best->count -= to - from;
}
