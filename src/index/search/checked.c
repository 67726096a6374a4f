/*
 * checked.c
 *	  What is known of heap rows that a search has looked at: a hash table.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "index/search/checked.h"

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
	Assert(tid != 0);
	if (checked->count >= checked->most)
	{
		memset(checked->slots, 0, (checked->mask + 1) * sizeof(uint64));
		checked->count = 0;
	}
	if (!checked->slots || 2 * checked->count > checked->mask)
		grow_checked(checked);
	Assert(checked->count < checked->most &&
		   2 * checked->count <= checked->mask);
	checked->slots[checked_slot(checked, tid)] = tid << 1 | passed;
	checked->count++;
}
