/*
 * score.c
 *	  Products of a query with the rows of a window.
 *
 * See README, "Search".  A row's product is a sum over the query's
 * dimensions, ascending, in double: the operator's own to the last bit.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "index/sparse/lists.h"
#include "miscadmin.h"

/* Add a dimension's products for chosen blocks. */
static bool
add_chosen(HxUnitCursor *cursor, const HxDim *dim, double weight,
		   const HxChosenBlocks *chosen, double *sums)
{
	HxPostingRuns runs;

	if (dim->blocks == 0)
		return HxAddUnbounded(cursor, dim, weight, chosen, sums, NULL, NULL);
	if (!HxFindRuns(cursor, dim, chosen, &runs))
		return false;
	for (int r = 0; r < runs.count; r++)
		if (!HxAddRun(cursor, dim, runs.from[r], runs.to[r], weight, sums,
					  NULL))
			return false;
	return true;
}

/*
 * Products of the rows of chosen blocks (all if blocks is NULL), by slot; what
 * is left in other slots is no product.  False if the window was replaced.
 */
bool
HxScoreSparseBlocks(const HxSparseLists *lists, const uint64 *blocks,
					double *sums)
{
	HxUnitCursor cursor = {lists->reader, InvalidBuffer};
	HxChosenBlocks chosen;

	if (!blocks)
		memset(sums, 0, lists->reader->window.rows * sizeof(double));
	else
	{
		HxListChosen(blocks, &chosen);
		for (int i = 0; i < chosen.count; i++)
			memset(sums + chosen.blocks[i] * HX_WINDOW_BLOCK, 0,
				   HX_WINDOW_BLOCK * sizeof(double));
	}
	for (int i = 0; i < lists->count; i++)
	{
		const HxDim *dim = &lists->dims[i];
		double weight = HxListWeight(lists, i);
		bool done;

		CHECK_FOR_INTERRUPTS();
		if (i + HX_LISTS_AHEAD < lists->count)
			HxPrefetchList(lists->reader, &lists->dims[i + HX_LISTS_AHEAD],
						   blocks ? &chosen : NULL);
		done = blocks
				   ? add_chosen(&cursor, dim, weight, &chosen, sums)
				   : HxAddRun(&cursor, dim, 0, dim->count, weight, sums, NULL);
		if (!done)
			return false;
		HxEndCursor(&cursor);
	}
	return true;
}

/* Greatest sum of each chosen block; those of others are left as they are. */
void
HxBlockMaxima(const double *sums, int rows, const uint64 *blocks,
			  double *maxima)
{
	Assert(rows > 0 && rows <= HX_WINDOW_ROWS);
	for (int b = 0; b * HX_WINDOW_BLOCK < rows; b++)
	{
		const double *from = sums + b * HX_WINDOW_BLOCK;
		int count = Min(HX_WINDOW_BLOCK, rows - b * HX_WINDOW_BLOCK);
		double most[4] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};

		if (blocks[b / 64] == 0)
			b |= 63;
		if (!HxIsChosen(blocks, b))
			continue;
		for (; count >= 4; count -= 4, from += 4)
		{
			most[0] = HxGreater(from[0], most[0]);
			most[1] = HxGreater(from[1], most[1]);
			most[2] = HxGreater(from[2], most[2]);
			most[3] = HxGreater(from[3], most[3]);
		}
		while (count-- > 0)
			most[0] = HxGreater(*from++, most[0]);
		maxima[b] =
			HxGreater(HxGreater(most[0], most[1]), HxGreater(most[2], most[3]));
	}
}

/* Values are told apart by a histogram of this many bins */
#define BINS 256

/*
 * What about this many of the values reach, or more, if they are positive;
 * -infinity if there are not as many, or one is infinite, as a damaged page may make
 * it.
 */
double
HxThresholdForTop(const double *values, int count, double wanted)
{
	int bins[BINS] = {0};
	double most = 0;
	double scale;
	int reached = 0;

	Assert(count >= 0 && count <= HX_WINDOW_BLOCKS);
	for (int i = 0; i < count; i++)
		most = HxGreater(values[i], most);
	if (!(most >= DBL_MIN * BINS && most <= DBL_MAX) || wanted >= count)
		return -INFINITY;
	scale = (BINS - 1) / most;
	for (int i = 0; i < count; i++)
		if (values[i] > 0)
			bins[(int) (values[i] * scale)]++;
	for (int bin = BINS - 1; bin > 0; bin--)
	{
		reached += bins[bin];
		/* Rounded down, so that the least of the bin reaches it, too */
		if (reached >= wanted)
			return bin / scale * (1 - 4 * DBL_EPSILON);
	}
	return -INFINITY;
}
