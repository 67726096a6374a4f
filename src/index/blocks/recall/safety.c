/*
 * safety.c
 *	  Replaying the stop rule on searches whose answer is known, to fit the
 *	  safety factors.
 *
 * Visiting a query's blocks in order of promise, its nearest rows appear one
 * after the other.  At every step the rule compares the expected misses with
 * what the target allows; a factor on the expected misses moves the step at
 * which it stops, and so the recall.  The greater the factor, the later the step,
 * so one replay answers for all factors and targets.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "index/blocks/recall/safety.h"

/* Factors tried: 2^(i/10), from 0.2 to 16 */
#define FACTORS 64
#define FACTORS_A_DOUBLING 10
#define LEAST_FACTOR (-23)
/* Filtered searches are replayed on one row in */
#define THINNING 8
/* Queries that may fall below one half */
#define MAX_BELOW_HALF 0.02
/* The greatest k of a scenario */
#define MOST_FOUND 100
/*
 * The mean recall of n queries must be above the target by so many times their standard
 * deviation, divided by n: by half of its standard error for 200 queries, by more for the
 * fewer of the ring.  One row tells so little that
 * its mean may be below by its standard error: what ten need is the least.
 */
#define MARGIN 7.0
/*
 * Without a filter, where no least factor is near what is needed, so much of the misses
 * that the target allows is left for searches by other queries
 */
#define CAUTION 0.1
/* Scenarios of fewer rows are those of one */
#define MANY_FOUND 10
/* So many factors higher where the searches are of a smaller index, as the ring's */
#define EARLIER 5

/*
 * Least factors by target, where 1, 10 and 100 rows are wanted: less would do for the rows
 * as queries, around which blocks were formed, but not for queries that are unlike rows
 */
static const double least_plain[HX_MISSES_TARGETS][HX_MISSES_FOUND] = {
	{0.9, 0.7, 0.5}, {0.85, 0.6, 0.45}, {0.75, 0.5, 0.35}};

/* With a filter, by target: filters that have to do with the query need as much */
static const double least_filtered[HX_MISSES_TARGETS][HX_MISSES_FOUND] = {
	{1.0, 0.7, 0.63}, {0.9, 0.6, 0.4}, {0.75, 0.5, 0.3}};

/* A kind of search that is replayed */
typedef struct Scenario
{
	int k;
	bool thinned;
} Scenario;

/*
 * For each number of rows wanted without a filter, then with one; of HX_REPLAY_NEAR rows
 * thinned there are no more than 64
 */
static const Scenario scenarios[] = {{1, false}, {10, false}, {100, false},
									 {1, true},	 {10, true},  {50, true}};

/* For each scenario, target and factor */
typedef struct Outcomes
{
	float *recall[lengthof(scenarios)][HX_MISSES_TARGETS]
				 [FACTORS]; /* of every query */
	double visited[lengthof(scenarios)][HX_MISSES_TARGETS]
				  [FACTORS]; /* shares of the rows, added up */
} Outcomes;

/* What one replay comes to, for each target and factor */
typedef struct Stops
{
	float recall[HX_MISSES_TARGETS][FACTORS];
	float visited[HX_MISSES_TARGETS][FACTORS]; /* share of the rows */
} Stops;

/* One trace replayed in one scenario */
typedef struct Replay
{
	const HxLoadedMisses *misses;
	const HxTrace *trace;
	int k;
	double rows;					 /* rows of all blocks */
	double passing;					 /* share of the rows that pass */
	int count;						 /* rows that are there to be found */
	HxTraceRow near[HX_REPLAY_NEAR]; /* these, in the order of visits */
	float truth;					 /* distance of the kth nearest */
} Replay;

void
HxKeepTopRow(HxTopRows *nearest, float distance, int block)
{
	HxTopRow *heap = nearest->rows;
	int at;

	Assert(nearest->count >= 0 && nearest->count <= HX_REPLAY_NEAR);
	if (nearest->count < HX_REPLAY_NEAR)
	{
		at = nearest->count++;
		while (at > 0 && heap[(at - 1) / 2].distance < distance)
		{
			heap[at] = heap[(at - 1) / 2];
			at = (at - 1) / 2;
		}
	}
	else
	{
		at = 0;
		for (;;)
		{
			int child = 2 * at + 1;

			if (child >= nearest->count)
				break;
			if (child + 1 < nearest->count &&
				heap[child].distance < heap[child + 1].distance)
				child++;
			if (heap[child].distance <= distance)
				break;
			heap[at] = heap[child];
			at = child;
		}
	}
	heap[at].distance = distance;
	heap[at].block = block;
}

/* ---- traces ---- */

/* Compare blocks by their promises */
static int
compare_promises(const void *a, const void *b, void *arg)
{
	const float *promises = arg;
	float x = promises[*(const int *) a];
	float y = promises[*(const int *) b];

	return (x > y) - (x < y);
}

static int
compare_visits(const void *a, const void *b)
{
	const HxTraceRow *x = a;
	const HxTraceRow *y = b;

	if (x->before != y->before)
		return x->before < y->before ? -1 : 1;
	return (x->distance > y->distance) - (x->distance < y->distance);
}

void
HxMakeTrace(const HxLoadedMisses *misses, const HxBlocks *blocks,
			const float *promises, const HxTopRows *nearest, HxTrace *trace)
{
	Size room = Max(blocks->count, 1);
	int *order =
		MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(int));
	uint64 *before =
		MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(uint64));
	uint64 visited = 0;

	memset(trace->rows, 0, sizeof(trace->rows));
	for (int b = 0; b < blocks->count; b++)
		order[b] = b;
	qsort_arg(order, blocks->count, sizeof(int), compare_promises,
			  (void *) promises);
	for (int r = 0; r < blocks->count; r++)
	{
		int block = order[r];
		uint32 rows = blocks->blocks[block].rows;

		trace->rows[HxPromiseBin(misses, promises[block])] += rows;
		before[block] = visited;
		visited += rows;
	}
	trace->count = nearest->count;
	for (int i = 0; i < nearest->count; i++)
	{
		Assert(nearest->rows[i].block < blocks->count);
		trace->near[i].distance = nearest->rows[i].distance;
		trace->near[i].before =
			(uint32) Min(before[nearest->rows[i].block], PG_UINT32_MAX);
	}
	qsort(trace->near, trace->count, sizeof(HxTraceRow), compare_visits);
	trace->block = visited / (double) room;
	pfree(order);
	pfree(before);
}

/* ---- one replay ---- */

/* Compare rows of a trace by distance */
static int
compare_distances(const void *a, const void *b, void *arg)
{
	const HxTraceRow *near = arg;
	float x = near[*(const int *) a].distance;
	float y = near[*(const int *) b].distance;

	return (x > y) - (x < y);
}

/*
 * Choose the rows that a scenario leaves; `order` is that of all by distance.
 * There are THINNING ways to thin them.
 */
static void
choose_rows(Replay *replay, const int *order, const Scenario *scenario, int way)
{
	const HxTrace *trace = replay->trace;
	bool chosen[HX_REPLAY_NEAR] = {false};

	replay->k = scenario->k;
	replay->passing = scenario->thinned ? 1.0 / THINNING : 1;
	replay->count = 0;
	for (int i = 0; i < trace->count; i++)
	{
		if (scenario->thinned && i % THINNING != way)
			continue;
		chosen[order[i]] = true;
		if (++replay->count <= replay->k)
			replay->truth = trace->near[order[i]].distance;
	}
	replay->count = 0;
	for (int i = 0; i < trace->count; i++)
		if (chosen[i])
			replay->near[replay->count++] = trace->near[i];
}

/* Insert a row into the k nearest found so far. */
static void
keep_nearest(HxTraceRow *found, int *count, int k, const HxTraceRow *row)
{
	int at;

	if (*count == k && row->distance >= found[k - 1].distance)
		return;
	at = *count < k ? (*count)++ : k - 1;
	while (at > 0 && found[at - 1].distance > row->distance)
	{
		found[at] = found[at - 1];
		at--;
	}
	found[at] = *row;
}

/* Share of the k true neighbours among those found; ties count. */
static float
recall_of(const Replay *replay, const HxTraceRow *found, int nfound)
{
	int hits = 0;

	Assert(replay->count > 0);
	for (int i = 0; i < nfound; i++)
		hits += found[i].distance <= replay->truth;
	return (float) hits / Min(replay->k, replay->count);
}

/*
 * What the table expects of rows below a distance when so many rows have been visited:
 * how many are left, how many were there, and where on the way, in the mean
 */
static void
expect_below(const Replay *replay, double visited, const double *shares,
			 HxProspect *prospect)
{
	const HxTrace *trace = replay->trace;
	double left = visited; /* of the rows visited, those of further promises */
	double placed = 0;

	prospect->expected = prospect->left = prospect->usual = 0;
	for (int p = 0; p < HX_MISSES_PROMISES; p++)
	{
		double skipped = Min(trace->rows[p], left);
		double middle = visited - left + (skipped + trace->block) / 2;

		left -= skipped;
		placed += skipped * shares[p] * middle;
		prospect->expected += skipped * shares[p];
		prospect->left += (trace->rows[p] - skipped) * shares[p];
	}
	if (prospect->expected > 0)
		prospect->usual = Min(placed / prospect->expected / Max(visited, 1), 1);
}

/* Rows up to a distance that were seen when so many had been visited */
static double
rows_seen(const HxTrace *trace, double visited, float distance)
{
	double seen = 0;

	for (int i = 0; i < trace->count && trace->near[i].before < visited; i++)
		seen += trace->near[i].distance <= distance;
	return seen;
}

/* Where on its way, which has come so far, a search has met the rows found */
static double
trend_of(const Replay *replay, double visited, const HxTraceRow *found)
{
	double sum = 0;

	for (int i = 0; i < replay->k; i++)
		sum += found[i].before + replay->trace->block;
	return Min(sum / replay->k / Max(visited, 1), 1);
}

/* What the rule expects when so many rows have been visited and k found */
static HxForecast
forecast_at(const Replay *replay, double visited, const HxTraceRow *found,
			const double *shares)
{
	float distance = found[replay->k - 1].distance;
	HxProspect prospect;

	expect_below(replay, visited, shares, &prospect);
	prospect.seen = rows_seen(replay->trace, visited, distance);
	prospect.share = replay->passing;
	prospect.found = replay->k;
	prospect.trend = trend_of(replay, visited, found);
	prospect.by_table = HxIsBeyondTable(replay->misses, distance);
	return HxForecastMisses(&prospect);
}

/* Factor number f */
static double
factor_of(int f)
{
	return exp2((f + LEAST_FACTOR) / (double) FACTORS_A_DOUBLING);
}

/*
 * Note the factors from reached[] on that end the search here, after a share of the
 * rows.
 */
static void
note_stops(const Replay *replay, const HxForecast *forecast, float recall,
		   float visited, int *reached, Stops *stops)
{
	for (int t = 0; t < HX_MISSES_TARGETS; t++)
	{
		double allowed = (1 - hx_misses_targets[t]) * replay->k;

		if (forecast->least > allowed)
			continue;
		while (reached[t] < FACTORS &&
			   forecast->misses * factor_of(reached[t]) <= allowed)
		{
			stops->recall[t][reached[t]] = recall;
			stops->visited[t][reached[t]++] = visited;
		}
	}
}

/* Share of the rows that a search has visited which comes to this many, and rests */
static float
visited_at(const Replay *replay, double visited)
{
	double share = Min(visited / Max(replay->rows, 1), 1);

	return (float) (share > HX_VISIT_REST ? 1 : share);
}

/*
 * Replay: what is noted of target t and factor f is how it stood when the expected
 * misses first fell to what the target allows, multiplied by the factor.  That may
 * have been at any block since the last one that changed what was found, so it
 * suffices to look before the next.
 */
static void
run_replay(const Replay *replay, Stops *stops)
{
	double shares[HX_MISSES_PROMISES];
	HxTraceRow found[MOST_FOUND];
	int reached[HX_MISSES_TARGETS] = {0};
	int nfound = 0;
	int at = 0;
	float distance = NAN;

	Assert(replay->k <= MOST_FOUND);
	while (at < replay->count)
	{
		uint32 before = replay->near[at].before;
		HxForecast forecast;

		while (at < replay->count && replay->near[at].before == before)
			keep_nearest(found, &nfound, replay->k, &replay->near[at++]);
		if (nfound < replay->k)
			continue;
		if (at == replay->count)
			break;
		if (found[replay->k - 1].distance != distance)
		{
			distance = found[replay->k - 1].distance;
			HxSharesBelow(replay->misses, distance, shares);
		}
		forecast = forecast_at(replay, replay->near[at].before, found, shares);
		note_stops(replay, &forecast, recall_of(replay, found, nfound),
				   visited_at(replay, replay->near[at].before), reached, stops);
	}
	for (int t = 0; t < HX_MISSES_TARGETS; t++) /* everything found */
		for (; reached[t] < FACTORS; reached[t]++)
		{
			stops->recall[t][reached[t]] = 1;
			stops->visited[t][reached[t]] =
				at > 0 ? visited_at(replay, replay->near[at - 1].before) : 1;
		}
}

/* ---- fitting ---- */

/* Does a factor keep the target? */
static bool
holds(const float *recalls, int nqueries, double target, int k)
{
	double n = Max(nqueries, 1);
	double sum = 0;
	double squares = 0;
	double deviation;
	int below = 0;

	for (int q = 0; q < nqueries; q++)
	{
		sum += recalls[q];
		squares += recalls[q] * recalls[q];
		below += recalls[q] < 0.5;
	}
	deviation = sqrt(Max(squares / n - sum / n * (sum / n), 0));
	if (k < MANY_FOUND)
		return sum / n + deviation / sqrt(n) >= target;
	return sum / n - MARGIN * deviation / n >= target &&
		   below <= Max(MAX_BELOW_HALF * n, 1);
}

/* Number of the least factor that is not below a value */
static int
factor_number(double value)
{
	int f = 0;

	while (f < FACTORS - 1 && factor_of(f) < value)
		f++;
	return f;
}

/* The least factor from number f on that keeps the target in one scenario */
static int
fit(float **recall, int nqueries, double target, int k, int f)
{
	while (f < FACTORS - 1 && !holds(recall[f], nqueries, target, k))
		f++;
	return f;
}

/*
 * Replay a query in one scenario: its recalls are means over all ways to thin the
 * rows, where they are thinned.
 */
static void
run_scenario(Replay *replay, const int *order, int s, int q, Outcomes *outcomes)
{
	int ways = scenarios[s].thinned ? THINNING : 1;
	Stops stops;

	for (int way = 0; way < ways; way++)
	{
		choose_rows(replay, order, &scenarios[s], way);
		run_replay(replay, &stops);
		for (int t = 0; t < HX_MISSES_TARGETS; t++)
			for (int f = 0; f < FACTORS; f++)
			{
				outcomes->recall[s][t][f][q] += stops.recall[t][f] / ways;
				outcomes->visited[s][t][f] += stops.visited[t][f] / ways;
			}
	}
}

/* Allocate the recalls of all scenarios, targets and factors. */
static void
allocate_outcomes(Outcomes *outcomes, int nqueries)
{
	float *recalls = palloc0(lengthof(scenarios) * HX_MISSES_TARGETS * FACTORS *
							 Max(nqueries, 1) * sizeof(float));

	for (int s = 0; s < lengthof(scenarios); s++)
		for (int t = 0; t < HX_MISSES_TARGETS; t++)
			for (int f = 0; f < FACTORS; f++)
			{
				outcomes->recall[s][t][f] = recalls;
				outcomes->visited[s][t][f] = 0;
				recalls += nqueries;
			}
}

/*
 * Number of the factor that a target needs where hx_misses_found[w] rows are wanted, with
 * a filter or without: not below `least`.  Of one row there are few, so it takes no less
 * than ten do.
 */
static int
factor_needed(Outcomes *outcomes, int nqueries, int t, int w, bool filtered,
			  double least)
{
	int factor = factor_number(least);
	int first = filtered ? HX_MISSES_FOUND : 0;
	double target = hx_misses_targets[t];

	if (!filtered)
		target += CAUTION * (1 - target);
	for (int i = w; i <= Max(w, 1); i++)
		factor = fit(outcomes->recall[first + i][t], nqueries, target,
					 scenarios[first + i].k, factor);
	return factor;
}

/*
 * Note how many rows searches visit for a target, given the factors' numbers, for 1,
 * 10 and 100 rows without a filter and with one.
 */
static void
note_visited(const Outcomes *outcomes, int nqueries, int t, const int *plain,
			 const int *filtered, float *visited)
{
	for (int w = 0; w < HX_MISSES_FOUND; w++)
	{
		visited[w] = outcomes->visited[w][t][plain[w]] / nqueries;
		visited[HX_MISSES_FOUND + w] =
			outcomes->visited[w][t][filtered[w]] / nqueries;
		/* of a hundred rows nobody has thinned any */
		visited[2 * HX_MISSES_FOUND + w] =
			w < HX_MISSES_FOUND - 1
				? outcomes->visited[HX_MISSES_FOUND + w][t][filtered[w]] /
					  nqueries
				: Min(visited[2 * HX_MISSES_FOUND + w - 1] *
						  visited[HX_MISSES_FOUND + w] /
						  Max(visited[HX_MISSES_FOUND + w - 1], 1e-6),
					  1);
	}
	for (int i = 0; i < HX_MISSES_SEARCHES; i++)
		visited[i] = Min(visited[i], 1);
}

/* Fit the factors of a target. */
static void
fit_target(Outcomes *outcomes, int nqueries, int t, bool earlier,
		   HxMisses *table)
{
	int more = earlier ? EARLIER : 0;
	int plain[HX_MISSES_FOUND];
	int filtered[HX_MISSES_FOUND];

	for (int w = 0; w < HX_MISSES_FOUND; w++)
	{
		plain[w] =
			factor_needed(outcomes, nqueries, t, w, false, least_plain[t][w]);
		filtered[w] =
			factor_needed(outcomes, nqueries, t, w, true, least_filtered[t][w]);
		plain[w] = Min(plain[w] + more, FACTORS - 1);
		filtered[w] = Min(filtered[w] + more, FACTORS - 1);
		table->safety_filtered[t][w] = factor_of(filtered[w]);
	}
	table->safety[t] = factor_of(plain[0]);
	for (int w = 1; w < HX_MISSES_FOUND; w++)
		table->safety_of_more[t][w - 1] = factor_of(plain[w]);
	note_visited(outcomes, Max(nqueries, 1), t, plain, filtered,
				 table->visited[t]);
}

void
HxFitSafety(const HxLoadedMisses *misses, const HxTrace *traces, int ntraces,
			bool earlier, HxMisses *table)
{
	Replay *replay = palloc0(sizeof(Replay));
	Outcomes outcomes;

	allocate_outcomes(&outcomes, ntraces);
	replay->misses = misses;
	for (int q = 0; q < ntraces; q++)
	{
		int order[HX_REPLAY_NEAR];

		CHECK_FOR_INTERRUPTS();
		replay->trace = &traces[q];
		replay->rows = 0;
		for (int p = 0; p < HX_MISSES_PROMISES; p++)
			replay->rows += traces[q].rows[p];
		for (int i = 0; i < traces[q].count; i++)
			order[i] = i;
		qsort_arg(order, traces[q].count, sizeof(int), compare_distances,
				  (void *) traces[q].near);
		for (int s = 0; s < lengthof(scenarios); s++)
			run_scenario(replay, order, s, q, &outcomes);
	}
	for (int t = 0; t < HX_MISSES_TARGETS; t++)
		fit_target(&outcomes, ntraces, t, earlier, table);
	pfree(outcomes.recall[0][0][0]);
	pfree(replay);
}
