/*
 * kept.c
 *	  The best rows that a search has found so far, and what is known of heap
 *	  rows that it has looked at.
 */
#include "postgres.h"

#include "utils/float.h"
#include "utils/memutils.h"

#include "index/kept.h"

/* Rows that may be added before a merge */
#define MIN_ADDED 64
#define ADDED_PART 8 /* or this part of the room, if that is more */

/* A merge is put off for so many visits at most, where it costs much */
#define MAX_WAIT 8
/* Rows whose merge costs so little that it is never put off */
#define SMALL_ROOM 512

void
HxResetKept(HxKept *kept, int64 room)
{
	int64 added = Max(MIN_ADDED, room / ADDED_PART);

	kept->room = room;
	if (added > kept->added_room)
	{
		if (kept->added)
			pfree(kept->added);
		kept->added_room = added;
		kept->added = MemoryContextAllocHuge(CurrentMemoryContext,
											 added * sizeof(HxCandidate));
	}
	if (!kept->rows)
	{
		kept->rows_room = 2 * kept->added_room;
		kept->rows = MemoryContextAllocHuge(
			CurrentMemoryContext, kept->rows_room * sizeof(HxCandidate));
	}
	kept->count = kept->nadded = 0;
	kept->waited = 0;
	kept->lost = false;
	kept->worst = get_float8_infinity();
}

void
HxKeepRow(HxKept *kept, const HxCandidate *row)
{
	if (kept->lost && !HxPrecedes(row, &kept->frontier))
		return;
	if (kept->nadded == kept->added_room)
	{
		HxMergeKept(kept, true);
		if (kept->lost && !HxPrecedes(row, &kept->frontier))
			return;
	}
	kept->added[kept->nadded++] = *row;
}

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
 * look at its heap row counts for both.
 */
static void
drop_twins(HxKept *kept)
{
	int64 last = 0;

	for (int64 i = 1; i < kept->count; i++)
	{
		if (HxPrecedes(&kept->rows[last], &kept->rows[i]))
			kept->rows[++last] = kept->rows[i];
		else
			kept->rows[last].passed |= kept->rows[i].passed;
	}
	kept->count = Min(kept->count, last + 1);
}

/* Rows that there is no room for set the frontier. */
static void
cut_kept(HxKept *kept)
{
	if (kept->count < kept->room)
		return;
	if (kept->count > kept->room)
		kept->frontier = kept->rows[kept->room];
	else
	{
		/* Whatever comes must precede the last row to have room. */
		kept->frontier = kept->rows[kept->room - 1];
	}
	kept->count = kept->room;
	kept->worst = kept->frontier.distance;
	kept->lost = true;
}

bool
HxMergeKept(HxKept *kept, bool now)
{
	int64 from = kept->count - 1;
	int64 next = kept->nadded - 1;
	int64 to = kept->count + kept->nadded - 1;
	bool twins = false;

	if (kept->nadded == 0)
		return true;
	if (!now && kept->room > SMALL_ROOM && ++kept->waited < MAX_WAIT)
		return false;
	kept->waited = 0;
	if (to >= kept->rows_room)
	{
		kept->rows_room = Min(Max(2 * kept->rows_room, to + 1),
							  kept->room + kept->added_room);
		kept->rows =
			repalloc_huge(kept->rows, kept->rows_room * sizeof(HxCandidate));
	}
	sort_added(kept);
	for (int64 i = 1; i < kept->nadded && !twins; i++)
		twins = !HxPrecedes(&kept->added[i - 1], &kept->added[i]);
	kept->count += kept->nadded;
	kept->nadded = 0;
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
	if (twins)
		drop_twins(kept);
	cut_kept(kept);
	return true;
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
