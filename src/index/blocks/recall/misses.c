/*
 * misses.c
 *	  The table of expected misses: loading it and looking shares up.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "index/blocks/recall/misses.h"

/* A stored cell counts in steps of 1/2048 of a halving */
#define CELL_STEPS 2048.0

const double hx_table_targets[HX_TABLE_TARGETS] = {0.90, 0.95, 0.99};

void
HxUnpackTable(const HxTable *table, HxExpect *expect)
{
	expect->promise_low = table->promise_low;
	expect->promise_step = table->promise_step;
	expect->distance_low = table->distance_low;
	expect->distance_step = table->distance_step;
	for (int t = 0; t < HX_TABLE_TARGETS; t++)
		expect->safety[t] = table->safety[t];
	for (int p = 0; p < HX_TABLE_PROMISES; p++)
		for (int d = 0; d < HX_TABLE_DISTANCES; d++)
			expect->logs[d][p] = -(table->cells[p][d] / CELL_STEPS);
}

void
HxPackShare(double share, uint16 *cell)
{
	double steps = share > 0 ? -log2(share) * CELL_STEPS : PG_UINT16_MAX;

	*cell = (uint16) Max(0, Min(steps, PG_UINT16_MAX));
}

void
HxLoadExpect(Relation index, const HxMeta *meta, HxExpect *expect)
{
	Buffer buffer;
	Page page;

	expect->usable = false;
	expect->calibrations = meta->calibrations;
	if (meta->table == InvalidBlockNumber || meta->rows_at_calibration == 0)
		return;
	buffer = HxReadPage(index, meta->table, BUFFER_LOCK_SHARE, HX_KIND_TABLE);
	page = BufferGetPage(buffer);
	HxUnpackTable(HxPageTable(page), expect);
	UnlockReleaseBuffer(buffer);
	expect->usable = true;
}

void
HxSharesBelow(const HxExpect *expect, double distance, double *shares)
{
	double at = (distance - expect->distance_low) / expect->distance_step;
	int low;
	float part;

	/* Beyond the last column, and for NaN: every row may be nearer. */
	if (!(at <= HX_TABLE_DISTANCES - 1))
	{
		for (int p = 0; p < HX_TABLE_PROMISES; p++)
			shares[p] = 1;
		return;
	}
	low = at > 0 ? (int) at : 0;
	part = at > 0 ? at - low : 0;
	if (low == HX_TABLE_DISTANCES - 1)
		low--, part = 1;
	for (int p = 0; p < HX_TABLE_PROMISES; p++)
		shares[p] = exp2f((1 - part) * expect->logs[low][p] +
						  part * expect->logs[low + 1][p]);
}

double
HxSafety(const HxExpect *expect, double recall)
{
	double at = log(Max(1 - recall, 1e-9));

	for (int t = 1; t < HX_TABLE_TARGETS; t++)
	{
		double before = log(1 - hx_table_targets[t - 1]);
		double after = log(1 - hx_table_targets[t]);
		double part = (at - before) / (after - before);

		if (part <= 1)
			return Max(part, 0) * expect->safety[t] +
				   (1 - Max(part, 0)) * expect->safety[t - 1];
	}
	return expect->safety[HX_TABLE_TARGETS - 1];
}
