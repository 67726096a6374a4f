/*
 * best.c
 *	  The best rows that a search has found so far, and what is known of heap
 *	  rows that it has looked at.
 */
#include "postgres.h"

#include "utils/float.h"
#include "utils/memutils.h"

#include "index/search/best.h"

/* Rows that may be added before a merge */
#define ADDED_ROOM 256

/* A merge is put off for so many visits at most, where it costs much */
#define MAX_WAIT 8
/* Rows whose merge costs so little that it is never put off */
#define SMALL_ROOM 512

/* Rows that are kept in order at least, and what part of those behind follows */
#define MIN_FRONT 256
#define FRONT_PART 8

/* Rows beyond the room that are kept until it is worth cutting them off */
#define MIN_SLACK 64
#define SLACK_PART 8

/* Make room for so many rows in an array, which stays in its context. */
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
HxResetKept(HxKept *kept, int64 room)
{
	reserve(&kept->added, &kept->added_room, ADDED_ROOM);
	reserve(&kept->rows, &kept->rows_room, ADDED_ROOM);
	reserve(&kept->behind, &kept->behind_room, MIN_SLACK);
	kept->room = room;
	kept->count = kept->nbehind = kept->nadded = 0;
	kept->front = MIN_FRONT;
	kept->has_edge = false;
	kept->waited = 0;
	kept->lost = false;
	kept->worst = get_float8_infinity();
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

/* Rows that there is no room for set the frontier. */
static void
cut_kept(HxKept *kept)
{
	int64 left = kept->room - kept->count;

	if (kept->count + kept->nbehind <= kept->room)
		return;
	if (left < 0)
	{
		kept->frontier = kept->rows[kept->room];
		kept->count = kept->room;
		kept->nbehind = 0;
	}
	else
	{
		int64 place = kept->nbehind - left - 1;

		move_best_to_end(kept->behind, kept->nbehind, left);
		kept->frontier = kept->behind[place];
		memmove(kept->behind, &kept->behind[place + 1],
				left * sizeof(HxCandidate));
		kept->nbehind = left;
	}
	kept->worst = kept->frontier.distance;
	kept->lost = true;
}

/* Are there so many rows beyond the room that they should be cut off? */
static inline bool
is_full(const HxKept *kept)
{
	return kept->count + kept->nbehind >=
		   kept->room + Max(MIN_SLACK, kept->room / SLACK_PART);
}

static void
add_behind(HxKept *kept, const HxCandidate *row)
{
	if (is_full(kept))
	{
		cut_kept(kept);
		if (!HxPrecedes(row, &kept->frontier))
			return;
	}
	reserve(&kept->behind, &kept->behind_room, kept->nbehind + 1);
	kept->behind[kept->nbehind++] = *row;
}

/* The last row in order is now the edge. */
static void
set_edge(HxKept *kept)
{
	kept->edge = kept->rows[kept->count - 1];
	kept->has_edge = true;
}

/* Of a long list keep only the front in order. */
static void
move_behind(HxKept *kept)
{
	int64 moved = kept->count - kept->front;

	if (moved <= kept->front)
		return;
	reserve(&kept->behind, &kept->behind_room, kept->nbehind + moved);
	memcpy(&kept->behind[kept->nbehind], &kept->rows[kept->front],
		   moved * sizeof(HxCandidate));
	kept->nbehind += moved;
	kept->count = kept->front;
	set_edge(kept);
}

void
HxKeepRow(HxKept *kept, const HxCandidate *row)
{
	if (kept->nadded == kept->added_room)
		HxMergeKept(kept, true);
	if (kept->lost && !HxPrecedes(row, &kept->frontier))
		return;
	if (kept->has_edge && !HxPrecedes(row, &kept->edge))
		add_behind(kept, row);
	else
		kept->added[kept->nadded++] = *row;
}

/* ---- rows in order ---- */

/* Sort the rows added; few by insertion. */
static void
sort_added(HxKept *kept)
{
	HxCandidate *rows = kept->added;

	if (kept->nadded > 16)
	{
		qsort(rows, kept->nadded, sizeof(HxCandidate), HxCompareCandidates);
		return;
	}
	for (int i = 1; i < kept->nadded; i++)
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
drop_twins(HxKept *kept, int64 first)
{
	int64 last = first;

	for (int64 i = first + 1; i < kept->count; i++)
	{
		if (HxPrecedes(&kept->rows[last], &kept->rows[i]))
			kept->rows[++last] = kept->rows[i];
		else
			kept->rows[last].passed |= kept->rows[i].passed;
	}
	kept->count = Min(kept->count, last + 1);
}

/* Merge the sorted rows added with the others; is any there twice? */
static bool
merge_added(HxKept *kept)
{
	int64 from = kept->count - 1;
	int64 next = kept->nadded - 1;
	int64 to = kept->count + kept->nadded - 1;
	bool twins = false;

	for (int64 i = 1; i < kept->nadded && !twins; i++)
		twins = !HxPrecedes(&kept->added[i - 1], &kept->added[i]);
	while (next >= 0)
	{
		if (from >= 0 && !HxPrecedes(&kept->rows[from], &kept->added[next]))
		{
			twins |= !HxPrecedes(&kept->added[next], &kept->rows[from]);
			kept->rows[to--] = kept->rows[from--];
		}
		else
			kept->rows[to--] = kept->added[next--];
	}
	kept->count += kept->nadded;
	kept->nadded = 0;
	return twins;
}

bool
HxMergeKept(HxKept *kept, bool now)
{
	if (!now && kept->room > SMALL_ROOM && ++kept->waited < MAX_WAIT)
		return false;
	kept->waited = 0;
	if (kept->nadded == 0)
		return true;
	reserve(&kept->rows, &kept->rows_room, kept->count + kept->nadded);
	sort_added(kept);
	if (merge_added(kept))
		drop_twins(kept, 0);
	move_behind(kept);
	if (kept->nbehind == 0 || is_full(kept))
		cut_kept(kept);
	return true;
}

void
HxSortKept(HxKept *kept, int64 count)
{
	while (kept->count < count && kept->nbehind > 0)
	{
		int64 wanted = Max(count - kept->count,
						   Max(MIN_FRONT, kept->nbehind / FRONT_PART));
		int64 taken = Min(wanted, kept->nbehind);
		int64 first = Max(kept->count - 1, 0);

		move_best_to_end(kept->behind, kept->nbehind, taken);
		reserve(&kept->rows, &kept->rows_room, kept->count + taken);
		kept->nbehind -= taken;
		memcpy(&kept->rows[kept->count], &kept->behind[kept->nbehind],
			   taken * sizeof(HxCandidate));
		qsort(&kept->rows[kept->count], taken, sizeof(HxCandidate),
			  HxCompareCandidates);
		kept->count += taken;
		drop_twins(kept, first);
		set_edge(kept);
		kept->front = Max(kept->front, kept->count);
	}
}

void
HxRemoveKept(HxKept *kept, int64 from, int64 to)
{
	memmove(&kept->rows[from], &kept->rows[to],
			(kept->count - to) * sizeof(HxCandidate));
	kept->count -= to - from;
}

/* ---- rows looked at ---- */

void
HxInitChecked(HxChecked *checked, Size memory)
{
	memset(checked, 0, sizeof(*checked));
	checked->most = Max(memory / (4 * sizeof(uint64)), 1024);
}

/* Slot of a row, or a free one. */
static uint64
checked_slot(const HxChecked *checked, uint64 tid)
{
	uint64 slot =
		((tid * UINT64CONST(0x9E3779B97F4A7C15)) >> 24) & checked->mask;

	while (checked->slots[slot] != 0 && checked->slots[slot] >> 1 != tid)
		slot = (slot + 1) & checked->mask;
	return slot;
}

bool
HxRecallChecked(const HxChecked *checked, uint64 tid, bool *passed)
{
	uint64 slot;

	if (checked->count == 0)
		return false;
	slot = checked_slot(checked, tid);
	*passed = checked->slots[slot] & 1;
	return checked->slots[slot] != 0;
}

/* A table with twice the slots. */
static void
grow_checked(HxChecked *checked)
{
	HxChecked larger = *checked;
	uint64 slots = checked->slots ? 2 * (checked->mask + 1) : 256;

	larger.mask = slots - 1;
	larger.slots =
		MemoryContextAllocExtended(CurrentMemoryContext, slots * sizeof(uint64),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (checked->slots)
	{
		for (uint64 i = 0; i <= checked->mask; i++)
			if (checked->slots[i] != 0)
				larger.slots[checked_slot(&larger, checked->slots[i] >> 1)] =
					checked->slots[i];
		pfree(checked->slots);
	}
	*checked = larger;
}

void
HxRememberChecked(HxChecked *checked, uint64 tid, bool passed)
{
	if (checked->count >= checked->most)
	{
		memset(checked->slots, 0, (checked->mask + 1) * sizeof(uint64));
		checked->count = 0;
	}
	if (!checked->slots || 2 * checked->count > checked->mask)
		grow_checked(checked);
	checked->slots[checked_slot(checked, tid)] = tid << 1 | passed;
	checked->count++;
}
