/*
 * sample.c
 *	  Rows of the index drawn at random.
 */
#include "postgres.h"

#include "index/blocks/recall/measure.h"
#include "random.h"
#include "index/search/search.h"

static int
compare_ordinals(const void *a, const void *b)
{
	uint64 x = *(const uint64 *) a;
	uint64 y = *(const uint64 *) b;

	return (x > y) - (x < y);
}

/* Draw distinct ordinals below a total, ascending; returns how many. */
static int
draw_ordinals(uint64 total, int wanted, uint64 seed, uint64 *ordinals)
{
	uint64 state = seed * UINT64CONST(0x9E3779B97F4A7C15) | 1;
	int count = (int) Min(total, (uint64) wanted);
	int distinct = 0;

	for (int i = 0; i < count; i++)
		ordinals[i] = total <= wanted ? i : HxRandomBelow(&state, total);
	qsort(ordinals, count, sizeof(uint64), compare_ordinals);
	for (int i = 0; i < count; i++)
		if (distinct == 0 || ordinals[i] != ordinals[distinct - 1])
			ordinals[distinct++] = ordinals[i];
	return distinct;
}

/*
 * Copy the rows of a block whose ordinals, counted from the block's first row,
 * are wanted; returns how many were found.
 */
static int
copy_rows(Relation index, const HxIndexDesc *desc, const HxBlock *block,
		  const uint64 *ordinals, int wanted, uint64 base, uint8 *payloads,
		  uint64 *tids)
{
	BlockNumber next = block->first;
	uint32 steps = 0;
	int copied = 0;
	int at = 0;

	while (next != InvalidBlockNumber && at < wanted)
	{
		Buffer buffer = HxReadRows(index, desc, next, block->owner);
		HxRowArrays rows;

		if (!BufferIsValid(buffer))
			break;
		HxCountStep(index, next, &steps);
		HxRowArraysOf(desc, BufferGetPage(buffer), &rows);
		for (; at < wanted && ordinals[at] < base + rows.count; at++)
		{
			int row = ordinals[at] - base;

			Assert(ordinals[at] >= base && row < rows.count);
			memcpy(payloads + copied * desc->payload,
				   rows.payloads + row * desc->payload, desc->payload);
			tids[copied++] = HxPackTid(&rows.tids[row]);
		}
		base += rows.count;
		next = HxPageOpaque(BufferGetPage(buffer))->next;
		UnlockReleaseBuffer(buffer);
	}
	return copied;
}

int
HxSampleRows(Relation index, const HxIndexDesc *desc, int wanted, uint64 seed,
			 uint8 **payloads, uint64 **tids)
{
	HxBlocks blocks;
	uint64 *ordinals = palloc(Max(wanted, 1) * sizeof(uint64));
	uint64 base = 0;
	int drawn;
	int at = 0;
	int count = 0;

	HxReadDirectory(index, desc, NULL, &blocks);
	*payloads = palloc(Max(wanted, 1) * desc->payload);
	*tids = palloc(Max(wanted, 1) * sizeof(uint64));
	drawn = draw_ordinals(HxBlocksRows(&blocks), wanted, seed, ordinals);
	for (int b = 0; b < blocks.count && at < drawn; b++)
	{
		const HxBlock *block = &blocks.blocks[b];
		int last = at;

		while (last < drawn && ordinals[last] < base + block->rows)
			last++;
		if (last > at)
			count +=
				copy_rows(index, desc, block, ordinals + at, last - at, base,
						  *payloads + count * desc->payload, *tids + count);
		base += block->rows;
		at = last;
	}
	Assert(count <= drawn);
	return count;
}
