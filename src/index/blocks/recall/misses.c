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

/* Least safety factor with a filter of an index in which none was fitted for it */
#define LEAST_FILTERED 0.8

const double hx_misses_targets[HX_MISSES_TARGETS] = {0.90, 0.95, 0.99};
const int hx_misses_found[HX_MISSES_FOUND] = {1, 10, 100};

void
HxUnpackMisses(const HxMisses *table, HxLoadedMisses *misses)
{
	misses->promise_low = table->promise_low;
	misses->promise_step = table->promise_step;
	misses->distance_low = table->distance_low;
	misses->distance_step = table->distance_step;
	for (int t = 0; t < HX_MISSES_TARGETS; t++)
	{
		misses->safety[t][0] = table->safety[t];
		for (int k = 1; k < HX_MISSES_FOUND; k++)
		{
			float safety = table->safety_of_more[t][k - 1];

			misses->safety[t][k] = safety > 0 ? safety : table->safety[t];
		}
		for (int k = 0; k < HX_MISSES_FOUND; k++)
		{
			float filtered = table->safety_filtered[t][k];
			int like = k < HX_MISSES_FOUND - 1 ? 0 : k;

			misses->filtered[t][k] =
				filtered > 0 ? filtered
							 : Max(misses->safety[t][like], LEAST_FILTERED);
		}
	}
	for (int p = 0; p < HX_MISSES_PROMISES; p++)
		for (int d = 0; d < HX_MISSES_DISTANCES; d++)
			misses->logs[d][p] = -(table->cells[p][d] / CELL_STEPS);
}

void
HxPackShare(double share, uint16 *cell)
{
	double steps = share > 0 ? -log2(share) * CELL_STEPS : PG_UINT16_MAX;

	*cell = (uint16) Max(0, Min(steps, PG_UINT16_MAX));
}

void
HxLoadMisses(Relation index, const HxMeta *meta, HxLoadedMisses *misses)
{
	Buffer buffer;
	Page page;

	misses->usable = false;
	misses->calibrations = meta->calibrations;
	if (meta->misses == InvalidBlockNumber || meta->rows_at_calibration == 0)
		return;
	buffer = HxReadPage(index, meta->misses, BUFFER_LOCK_SHARE, HX_PAGE_MISSES);
	page = BufferGetPage(buffer);
	HxUnpackMisses(HxPageMisses(page), misses);
	UnlockReleaseBuffer(buffer);
	misses->usable = true;
}

void
HxSharesBelow(const HxLoadedMisses *misses, double distance, double *shares)
{
	double at = (distance - misses->distance_low) / misses->distance_step;
	int low;
	float part;

	if (HxIsBeyondTable(misses, distance))
	{
		for (int p = 0; p < HX_MISSES_PROMISES; p++)
			shares[p] = 1;
		return;
	}
	low = at > 0 ? (int) at : 0;
	part = at > 0 ? at - low : 0;
	if (low == HX_MISSES_DISTANCES - 1)
		low--, part = 1;
	Assert(low >= 0 && low + 1 < HX_MISSES_DISTANCES);
	for (int p = 0; p < HX_MISSES_PROMISES; p++)
		shares[p] = exp2f((1 - part) * misses->logs[low][p] +
						  part * misses->logs[low + 1][p]);
}

/* Rows seen and rows expected to which the table's rate is 1 */
#define SEEN_PRIOR 3.0
/* What the table says counts so much, and the search's own course the rest */
#define TABLE_PART 0.7f
/* Rows found that are met where the table says, to add to those found ... */
#define USUAL_PRIOR 5.0
/* ... and how much it counts that these are met later */
#define LATER_POWER 0.7f
/* Kinds of vectors that the table does not know make up so much of the rows ... */
#define UNKNOWN_PART 0.003
/* ... and of their rows found, each tells so many that come later */
#define UNKNOWN_TREND 0.3

/*
 * How much later, on its way, the search has met the rows found than the table says;
 * few of them tell little.  Where no filter thins the rows, that they were met earlier
 * does not tell that fewer are to come: the own course has said it.
 */
static double
later_than_usual(const HxProspect *prospect)
{
	double usual = prospect->usual;
	double later;

	if (!(usual > 0))
		return 1;
	later = (prospect->trend * prospect->found / usual + USUAL_PRIOR) /
			(prospect->found + USUAL_PRIOR);
	return prospect->share < 1 ? later : Max(later, 1);
}

HxForecast
HxForecastMisses(const HxProspect *prospect)
{
	double rate =
		(prospect->seen + SEEN_PRIOR) / (prospect->expected + SEEN_PRIOR);
	double told = prospect->left * rate * prospect->share;
	double expected = prospect->expected * prospect->share;
	HxForecast forecast;
	double own;
	double unknown;

	Assert(prospect->found > 0);
	if (prospect->by_table)
		return (HxForecast){prospect->left * prospect->share, 0};
	own = prospect->found * prospect->trend;
	forecast.misses =
		exp2f(TABLE_PART * log2f(told) + (1 - TABLE_PART) * log2f(own) +
			  LATER_POWER * log2f(later_than_usual(prospect)));
	unknown = 1 / (1 + expected / (UNKNOWN_PART * prospect->found));
	forecast.least = UNKNOWN_TREND * unknown * own;
	return forecast;
}

void
HxSafetyFor(const HxLoadedMisses *misses, double recall, HxSafety *safety)
{
	double at = log(Max(1 - recall, 1e-9));
	double part = 1;
	int t = 0;

	do
	{
		double before = log(1 - hx_misses_targets[t]);
		double after = log(1 - hx_misses_targets[++t]);

		part = (at - before) / (after - before);
	} while (part > 1 && t < HX_MISSES_TARGETS - 1);
	part = Max(Min(part, 1), 0);
	for (int k = 0; k < HX_MISSES_FOUND; k++)
	{
		safety->plain[k] =
			part * misses->safety[t][k] + (1 - part) * misses->safety[t - 1][k];
		safety->filtered[k] = part * misses->filtered[t][k] +
							  (1 - part) * misses->filtered[t - 1][k];
	}
}

double
HxSafetyOf(const double *factors, double count)
{
	double part = log10(Max(count, 1));
	int k = Min((int) part, HX_MISSES_FOUND - 2);

	part = Min(part - k, 1);
	return part * factors[k + 1] + (1 - part) * factors[k];
}

double
HxSafetyOfAny(const double *factors)
{
	double most = factors[0];

	for (int k = 1; k < HX_MISSES_FOUND; k++)
		most = Max(most, factors[k]);
	return most;
}
