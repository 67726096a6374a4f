/*
 * near.c
 *	  How many rows are, or may be, within a distance: what the planner asks.
 *
 * Columns of wide vectors have no statistics.  The index has sketches: rows drawn
 * from some of its pages tell estimates and bounds of their distances.  Where few
 * of these are within, mean and variance give the tail of a normal distribution.
 */
#include "postgres.h"

#include <math.h>

#include "storage/bufmgr.h"

#include "index/dense/dense.h"

/* Rows drawn, from so many pages at most, and so many of one; and rows that tell */
#define MOST_ROWS 256
#define MOST_PAGES 64
#define ROWS_OF_PAGE 16
#define FEWEST_ROWS 32

/* Rows within that are counted; of fewer the tail tells more */
#define FEWEST_WITHIN 8

/* Fractional part of the golden ratio: its multiples are spread evenly */
#define GOLDEN 0.6180339887498949

/* Distances drawn, or bounds of them */
typedef struct Drawn
{
	int count;
	int within;
	double sum;
	double square;
} Drawn;

static void
add_drawn(Drawn *drawn, double distance, double limit)
{
	drawn->count++;
	drawn->within += distance <= limit;
	if (!isfinite(distance))
		return;
	drawn->sum += distance;
	drawn->square += distance * distance;
}

/* Share of all rows that is within */
static double
share_within(const Drawn *drawn, double limit)
{
	double mean = drawn->sum / drawn->count;
	double variance = drawn->square / drawn->count - mean * mean;
	double share = (double) drawn->within / drawn->count;
	double tail = limit >= mean;

	if (drawn->within >= FEWEST_WITHIN)
		return share;
	if (variance > 0)
		tail = 0.5 * erfc((mean - limit) / sqrt(2 * variance));
	return Min(Max(tail, share), (double) FEWEST_WITHIN / drawn->count);
}

/* Draw some of a page's rows. */
static void
draw_rows(const HxIndexDesc *desc, const HxQuery *query, Page page,
		  double limit, Drawn *estimates, Drawn *bounds)
{
	HxRowArrays rows;
	int step;

	HxRowArraysOf(desc, page, &rows);
	step = Max(rows.count / ROWS_OF_PAGE, 1);
	for (int i = 0; i < rows.count; i += step)
	{
		const uint8 *payload = rows.payloads + (Size) i * desc->payload;
		double estimate;

		HxDenseEstimates(query, payload, 1, &estimate);
		add_drawn(estimates, estimate, limit);
		add_drawn(bounds, HxLeastDenseDistance(query, payload, estimate),
				  limit);
	}
}

bool
HxDenseRowsNear(Relation index, const HxIndexDesc *desc, const HxQuery *query,
				double limit, double *passing, double *candidates)
{
	BlockNumber pages = RelationGetNumberOfBlocks(index);
	Drawn estimates = {0};
	Drawn bounds = {0};

	Assert(HxHoldsNoPage());
	for (int i = 0; i < MOST_PAGES && pages > 1 && estimates.count < MOST_ROWS;
		 i++)
	{
		double place = (i + 0.5) * GOLDEN;
		BlockNumber block =
			1 + (BlockNumber) ((place - floor(place)) * (pages - 1));
		Buffer buffer = HxReadBuffer(index, block, BUFFER_LOCK_SHARE, NULL);
		Page page = BufferGetPage(buffer);

		if (HxPageIsSound(page) && HxPageOpaque(page)->kind == HX_PAGE_ROWS &&
			!HxPageFault(desc, page, HX_PAGE_ROWS))
			draw_rows(desc, query, page, limit, &estimates, &bounds);
		UnlockReleaseBuffer(buffer);
	}
	if (estimates.count < FEWEST_ROWS)
		return false;
	*passing = share_within(&estimates, limit);
	*candidates = Max(share_within(&bounds, limit), *passing);
	return true;
}
