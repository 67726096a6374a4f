/*
 * stop.c
 *	  When a search may stop: the rule of expected misses, or bounds.
 *
 * See README, "Search".  The expected misses are the rows of the blocks not
 * visited that are nearer than a distance, which the table tells from the
 * blocks' promises, times the share of them that passes.
 */
#include "postgres.h"

#include <math.h>

#include "utils/float.h"

#include "index/blocks/search/state.h"

/* Rows whose misses are allowed for in full where nobody knows how many are wanted */
#define FULL_ALLOWANCE 40

/* Least safety factors where nobody knows how many rows are wanted, of which replays
 * know little; the second where a filter thins the rows */
#define LEAST_OPEN 0.5
#define LEAST_OPEN_FILTERED 0.8

/*
 * Where one row has passed, rows that are thought to have failed as far from the query as
 * it, beside those seen
 */
#define FAILED_PRIOR 2

/*
 * Of rows as near as those in question, so many times as many may pass among those to come
 * as did among those seen lately, and this many beside them
 */
#define NEAR_TIMES 1.5
#define NEAR_PRIOR 4

/* Standard errors of the rows seen that are left out where they are counted from a sample */
#define SAMPLE_ERRORS 2

/* A mask is against a query as far as so many times more of all rows pass it */
#define MOST_AGAINST 1.6

/* Rows whose positions are looked at */
#define MOST_POSITIONS 64

/* Rows not found yet that a set of TIDs leaves at most; infinite: not known */
static double
rows_left(const HxBlocksSearch *search)
{
	bool exact = false;
	uint64 count = 0;

	if (search->base.spec.tids)
		count = HxTidSetCount(search->base.spec.tids, &exact);
	if (!exact)
		return INFINITY;
	return Max((double) count - search->base.passed, 0);
}

/* Share of all rows not visited that pass the mask, not looking at distance. */
static double
mask_share(const HxBlocksSearch *search)
{
	bool only_tids = HxFilterIsTrivial(search->base.spec.filter) &&
					 search->base.spec.nballs == 0;
	double left = only_tids ? rows_left(search) : INFINITY;

	Assert(search->base.passed <= search->base.seen);
	if (isfinite(left) && search->base.nrows > search->base.seen)
		return Min(left / (search->base.nrows - search->base.seen), 1);
	return (search->base.passed + 1) / (search->base.seen + 2);
}

/* Add up the rows seen up to a bin, and those that passed. */
static void
sum_seen(const HxSeenRows *seen, int last, double *rows, double *passed)
{
	*rows = *passed = 0;
	for (int d = 0; d <= last; d++)
	{
		*rows += seen->rows[d];
		*passed += seen->passed[d];
	}
}

/*
 * Share of the rows to come up to a distance's bin that passes the mask, at most: as the
 * blocks tell that were visited lately, of a promise like that of those to come.  Those
 * before them are nearer to the query, and a filter may leave out just these.
 */
static double
most_passing(const HxTally *tally, int last, double rows, double passed)
{
	const HxSeenRows *before =
		&tally->before[(tally->bin + 1) % lengthof(tally->before)];
	double rows_before;
	double passed_before;

	sum_seen(before, last, &rows_before, &passed_before);
	rows -= rows_before;
	passed -= passed_before;
	rows -= SAMPLE_ERRORS * sqrt(rows * HX_SPARSEST_SAMPLE);
	return (NEAR_TIMES * passed + NEAR_PRIOR) / Max(rows, NEAR_PRIOR);
}

/* Rows up to a distance that pass the mask */
typedef struct Passing
{
	double share;	/* of those to come, at most */
	double against; /* how many times that of those seen */
} Passing;

/*
 * Of the rows up to a distance (in units of the query) pass the mask: as many as of those
 * seen, or of all rows, if that is more and may be so among those to come.  Where nothing tells
 * that it may not, the mask is then against the query, beyond what chance makes of few.
 */
static Passing
passing_near(const HxBlocksSearch *search, double distance)
{
	const HxTally *tally = &search->tally;
	int last = HxDistanceBin(&search->misses, distance);
	Passing passing = {1, 1};
	double rows;
	double passed;
	double seen;
	double all;
	double most;

	if (!HxIsMasked(search))
		return passing;
	sum_seen(&tally->seen, last, &rows, &passed);
	seen = rows > 0 ? passed / rows : 0;
	all = mask_share(search);
	passing.share = seen;
	if (seen >= all)
		return passing;
	most = most_passing(tally, last, rows, passed);
	passing.share = Max(seen, Min(all, most));
	if (most >= all)
		passing.against =
			Max(1, Min(all * (rows + 1) / (passed + sqrt(passed) + 1),
					   MOST_AGAINST));
	return passing;
}

/* Heap rows looked at that failed, in these bins of the distance */
static double
failed_in(const HxBlocksSearch *search, int first, int last)
{
	double failed = 0;

	for (int d = first; d <= last; d++)
		failed += search->tally.failed_at[d];
	return failed;
}

/* Rows of the blocks not visited that are nearer than a bin begins, by the table */
static double
rows_inside(HxBlocksSearch *search, int bin)
{
	HxTally *tally = &search->tally;
	const HxLoadedMisses *misses = &search->misses;

	if (bin != tally->inside_of)
	{
		HxSharesBelow(misses,
					  misses->distance_low + bin * misses->distance_step,
					  tally->inner);
		tally->inside = 0;
		for (int p = 0; p < HX_MISSES_PROMISES; p++)
			tally->inside += tally->unvisited[p] * tally->inner[p];
		tally->inside_of = bin;
	}
	return Min(Max(tally->inside, 0), tally->to_come);
}

/*
 * Share of the rows up to a distance, of the blocks not visited, whose heap rows pass
 * the check: as of those looked at, one at least.  Farther off more may pass: the inner
 * and the outer half of the rows that passed tell by themselves, each of the rows that are
 * as far, and where there is but one, the rows that are about as far as it; if that comes
 * to more than all together tell.  Rows not looked at yet tell nothing: to think that
 * they pass would be to ask for what lies between them as if no row failed.
 */
static double
checked_share(HxBlocksSearch *search, double distance)
{
	const HxLoadedMisses *misses = &search->misses;
	double left = Max(search->tally.to_come, 1e-9);
	double good = Max(search->base.ngood, 1);
	double inner = search->base.ngood / 2;
	double outer = good - inner;
	int last = HxDistanceBin(misses, distance);
	int middle = last;
	double failed;
	double beyond;
	double inside;

	if (search->base.phase != HX_FIND_FIRST || search->base.stats.failed == 0)
		return 1;
	if (search->base.ngood > 1)
		middle =
			Min(HxDistanceBin(misses, search->base.middle /
										  HxUnitOf(search->base.spec.query)),
				last);
	failed = failed_in(search, 0, middle - 1);
	beyond = failed_in(search, middle, last);
	if (search->base.ngood <= 1)
		return 1 / (1 + Min(failed + beyond, beyond + FAILED_PRIOR));
	inside = rows_inside(search, middle);
	inner /= inner + failed;
	outer /= outer + beyond;
	return Max(good / (good + failed + beyond),
			   (inside * inner + (left - inside) * outer) / left);
}

/* Do some of the rows seen fail, by the mask or the heap? */
static bool
is_filtered(const HxBlocksSearch *search)
{
	return HxIsMasked(search) || search->base.stats.failed > 0;
}

/* Rows seen up to a distance, of which the last bin has a part */
static double
rows_seen(const HxBlocksSearch *search, double distance)
{
	const HxLoadedMisses *misses = &search->misses;
	int last = HxDistanceBin(misses, distance);
	double part = (distance - misses->distance_low) / misses->distance_step;
	double rows = search->tally.seen.rows[last] * Max(Min(part - last, 1), 0);

	for (int d = 0; d < last; d++)
		rows += search->tally.seen.rows[d];
	return rows;
}

/*
 * Rows met up to a distance, that of row number `count`.  Where there is no mask
 * they are as many, and those that failed.
 */
static double
rows_met(const HxBlocksSearch *search, double distance, int64 count)
{
	if (HxIsMasked(search))
		return Max(rows_seen(search, distance), count);
	return count +
		   failed_in(search, 0, HxDistanceBin(&search->misses, distance));
}

/*
 * Keep the shares of rows below a distance, and what they make of the blocks: as
 * long as the distance stays, a block that is visited changes the sums alone.
 */
static void
set_shares(HxBlocksSearch *search, double distance)
{
	HxTally *tally = &search->tally;

	HxSharesBelow(&search->misses, distance, tally->shares);
	tally->shares_of = distance;
	tally->expected = tally->to_come = tally->placed = 0;
	for (int p = 0; p < HX_MISSES_PROMISES; p++)
	{
		double visited = tally->rows[p] - tally->unvisited[p];

		tally->expected += visited * tally->shares[p];
		tally->to_come += tally->unvisited[p] * tally->shares[p];
		tally->placed += tally->places[p] * tally->shares[p];
	}
	tally->position_of = 0;
}

/* Add up the positions of the first `count` rows kept, of which one in `step` tells. */
static double
add_positions(const HxBest *best, int64 count, int64 step)
{
	double sum = 0;

	for (int64 i = 0; i < count; i += step)
		sum += HxUnpackPosition(best->rows[i].met) * Min(step, count - i);
	return sum;
}

/*
 * Where on its way the search has met the `count` rows wanted, in the mean, of
 * which at most MOST_POSITIONS are looked at.  Where distances are estimates, those
 * whose exact distance is known come first.
 */
static double
trend_of(HxBlocksSearch *search, int64 count)
{
	const HxSearch *base = &search->base;
	HxTally *tally = &search->tally;
	int64 step = count / MOST_POSITIONS + 1;
	int64 found = 0;
	int64 others;

	if (tally->position_of != count)
	{
		tally->position = 0;
		if (base->refine && base->phase == HX_FIND_FIRST)
		{
			found = Min(count, base->found->count);
			tally->position = add_positions(base->found, found, step);
		}
		others = Min(count - found, base->best.count);
		tally->position += add_positions(&base->best, others, step);
		if (found + others > 0)
			tally->position /= found + others;
		else
			tally->position = search->gone;
		tally->position_of = count;
	}
	return Min(tally->position / Max(search->gone, 1), 1);
}

/*
 * Is the table alone to tell what is missed?  Where ties count rows found tell less,
 * and nothing where the distance is that of a limit: there may be none.
 */
static bool
is_by_table(const HxBlocksSearch *search, double distance)
{
	return search->base.spec.ties || distance >= search->base.cutoff;
}

/*
 * Where on its way the search would have met rows below the distance in question by the
 * table, in the mean; 0: it expects none
 */
static double
usual_of(const HxBlocksSearch *search)
{
	const HxTally *tally = &search->tally;

	if (tally->expected <= 0)
		return 0;
	return Min(tally->placed / tally->expected / Max(search->gone, 1), 1);
}

/* How far `count` rows are more than a few: 0 up to 10, 1 from 100 on */
static double
many_of(double count)
{
	return Max(Min(log10(count) - 1, 1), 0);
}

/* The safety factor where `count` rows are wanted, or nobody knows how many */
static double
safety_of(const HxBlocksSearch *search, int64 count)
{
	const HxSafety *safety = &search->safety;
	double most;

	if (HxKnowsWanted(&search->base))
		return HxSafetyOf(
			is_filtered(search) ? safety->filtered : safety->plain, count);
	most = Max(HxSafetyOfAny(safety->plain), HxSafetyOfAny(safety->filtered));
	return Max(most, is_filtered(search) ? LEAST_OPEN_FILTERED : LEAST_OPEN);
}

/*
 * Neighbours nearer than a distance, that of row number `count`, that stopping now
 * would miss
 */
static double
expected_misses(HxBlocksSearch *search, double distance, int64 count)
{
	HxTally *tally = &search->tally;
	HxProspect prospect;
	HxForecast forecast;
	Passing passing;
	double most = rows_left(search);
	double safety = safety_of(search, count);
	bool by_table = is_by_table(search, distance);

	Assert(!search->base.exact && search->misses.usable);
	distance /= HxUnitOf(search->base.spec.query);
	if (distance != tally->shares_of)
		set_shares(search, distance);
	prospect.left = Max(tally->to_come, 0);
	prospect.expected = tally->expected;
	prospect.seen = rows_met(search, distance, count);
	passing = passing_near(search, distance);
	prospect.share = passing.share * checked_share(search, distance);
	prospect.found = count;
	prospect.trend = trend_of(search, count);
	prospect.usual = usual_of(search);
	prospect.by_table = by_table || HxIsBeyondTable(&search->misses, distance);
	forecast = HxForecastMisses(&prospect);
	/* the nearest rows that are left lie in more blocks than the table knows of */
	safety *= passing.against * passing.against;
	if (by_table)
		safety = Max(safety, 1);
	return Max(Min(forecast.misses, most) * safety, Min(forecast.least, most));
}

double
HxMissingRows(HxSearch *base, double distance)
{
	HxBlocksSearch *search = (HxBlocksSearch *) base;
	double passed = base->ngood + 1;
	double failed;

	if (base->exact || !search->misses.usable)
		return get_float8_infinity();
	distance /= HxUnitOf(base->spec.query);
	if (distance != search->tally.shares_of)
		set_shares(search, distance);
	failed = failed_in(search, 0, HxDistanceBin(&search->misses, distance));
	return search->tally.to_come * passing_near(search, distance).share *
		   passed / (passed + failed);
}

/*
 * Misses that the target allows among `count` rows.  Where nobody knows how many are
 * wanted, only half of what each row above 40 would allow is spent: the share that
 * passes a filter falls with the distance within a block, which the estimates do not
 * see, and the more so the farther the rows reach.  With a filter, targets above .95
 * spend less, at .99 half for a few rows: the error of the share that passes does not
 * become smaller with the allowance.
 */
static double
allowed_misses(const HxBlocksSearch *search, int64 count)
{
	double rows = count;
	double beyond = Min(Max(search->base.recall - 0.95, 0) / 0.04, 1);

	Assert(count > 0);
	if (!HxKnowsWanted(&search->base))
	{
		rows -= Max(count - FULL_ALLOWANCE, 0) * 0.5;
		if (is_filtered(search))
			rows *= 1 - 0.5 * beyond * (1 - many_of(count));
	}
	return (1 - search->base.recall) * rows;
}

bool
HxIsBlocksSearchSettled(HxSearch *base, double distance, int64 count)
{
	HxBlocksSearch *search = (HxBlocksSearch *) base;

	Assert(search->next < search->nvisits);
	if (search->base.exact)
		return search->arrays.min_bound[search->next] > distance;
	if (search->base.seen > HX_VISIT_REST * search->base.nrows)
		return false;
	return expected_misses(search, distance, count) <=
		   allowed_misses(search, count);
}
