/*
 * replay.c
 *	  Replaying the stop rule on searches whose answer is known, to fit the
 *	  safety factors.
 *
 * Visiting a query's blocks in order of promise, its nearest rows appear one
 * after the other.  At every step the rule compares the expected misses with
 * what the target allows; a factor on the expected misses moves the step at
 * which it stops, and so the recall.  All factors and targets are thresholds
 * on one falling sequence, so one replay answers for all of them.
 */
#include "postgres.h"

#include <math.h>

#include "index/replay.h"

/* Factors tried: 2^(i/4) */
#define FACTORS 17
/* Filtered searches are replayed on one row in */
#define THINNING 8
/* Queries that may fall below one half */
#define MAX_BELOW_HALF 0.02

/* A kind of search that is replayed */
typedef struct Scenario
{
	int k;
	bool thinned;
} Scenario;

static const Scenario scenarios[] = {
	{1, false}, {10, false}, {100, false}, {1, true}, {10, true}};

/* Recall of every query under every factor, for one target and scenario */
typedef struct Outcome
{
	float *recall[FACTORS];
} Outcome;

/* What a replay walks through */
typedef struct Replay
{
	const HxExpect *expect;
	const HxBlocks *blocks;
	int *order;	  /* blocks by promise */
	int *rank;	  /* inverse of order */
	HxNear *near; /* the query's nearest rows, by distance */
	int nnear;
	HxNear *by_rank; /* the same, by rank of their block */
} Replay;

void
HxReplayAdd(HxReplayQuery *query, double distance, int block)
{
	HxNear *heap = query->near;
	int at;

	if (query->nnear < HX_REPLAY_NEAR)
	{
		at = query->nnear++;
		while (at > 0 && heap[(at - 1) / 2].distance < distance)
		{
			heap[at] = heap[(at - 1) / 2];
			at = (at - 1) / 2;
		}
	}
	else
	{
		if (!(distance < heap[0].distance))
			return;
		at = 0;
		for (;;)
		{
			int child = 2 * at + 1;

			if (child >= query->nnear)
				break;
			if (child + 1 < query->nnear &&
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

static int
compare_near(const void *a, const void *b)
{
	float x = ((const HxNear *) a)->distance;
	float y = ((const HxNear *) b)->distance;

	return (x > y) - (x < y);
}

/* Compare blocks by the promises of the query being replayed */
static int
compare_promises(const void *a, const void *b, void *arg)
{
	const float *promises = arg;
	float x = promises[*(const int *) a];
	float y = promises[*(const int *) b];

	return (x > y) - (x < y);
}

static int
compare_ranks(const void *a, const void *b, void *arg)
{
	const int *rank = arg;
	int x = rank[((const HxNear *) a)->block];
	int y = rank[((const HxNear *) b)->block];

	return (x > y) - (x < y);
}

/* Prepare a query's replay: order of blocks, rows by distance and by rank. */
static void
prepare(Replay *replay, HxReplayQuery *query, const Scenario *scenario)
{
	int count = replay->blocks->count;

	for (int b = 0; b < count; b++)
		replay->order[b] = b;
	qsort_arg(replay->order, count, sizeof(int), compare_promises,
			  query->promises);
	for (int r = 0; r < count; r++)
		replay->rank[replay->order[r]] = r;
	qsort(query->near, query->nnear, sizeof(HxNear), compare_near);
	replay->nnear = 0;
	for (int i = 0; i < query->nnear; i++)
		if (!scenario->thinned || i % THINNING == THINNING / 2)
			replay->near[replay->nnear++] = query->near[i];
	memcpy(replay->by_rank, replay->near, replay->nnear * sizeof(HxNear));
	qsort_arg(replay->by_rank, replay->nnear, sizeof(HxNear), compare_ranks,
			  replay->rank);
}

/* Insert a distance into the k least found so far. */
static void
keep_least(float *least, int *count, int k, float distance)
{
	int at;

	if (*count == k && distance >= least[k - 1])
		return;
	at = *count < k ? (*count)++ : k - 1;
	while (at > 0 && least[at - 1] > distance)
	{
		least[at] = least[at - 1];
		at--;
	}
	least[at] = distance;
}

/* Share of the k true neighbours among those found; ties count. */
static float
recall_of(const Replay *replay, const float *found, int nfound, int k)
{
	float truth;
	int hits = 0;

	k = Min(k, replay->nnear);
	truth = replay->near[k - 1].distance;
	for (int i = 0; i < nfound; i++)
		hits += found[i] <= truth;
	return (float) hits / k;
}

/*
 * Replay one query; thresholds fall.  recalls[i] is the recall when the
 * expected misses first fell to thresholds[i].
 */
static void
replay_query(Replay *replay, const HxReplayQuery *query,
			 const Scenario *scenario, const double *thresholds,
			 int nthresholds, float *recalls)
{
	double unvisited[HX_TABLE_PROMISES] = {0};
	double shares[HX_TABLE_PROMISES];
	float found[100];
	int nfound = 0;
	int near = 0;
	int reached = 0;
	float distance = NAN;
	double below = INFINITY;
	double passing = scenario->thinned ? 1.0 / THINNING : 1;
	int count = replay->blocks->count;

	for (int b = 0; b < count; b++)
		unvisited[HxPromiseBin(replay->expect, query->promises[b])] +=
			replay->blocks->blocks[b].rows;
	for (int r = 0; r < count && reached < nthresholds; r++)
	{
		int block = replay->order[r];
		int bin = HxPromiseBin(replay->expect, query->promises[block]);
		double rows = replay->blocks->blocks[block].rows;

		unvisited[bin] -= rows;
		while (near < replay->nnear && replay->by_rank[near].block == block)
			keep_least(found, &nfound, scenario->k,
					   replay->by_rank[near++].distance);
		if (nfound < scenario->k)
			continue;
		if (found[scenario->k - 1] != distance)
		{
			distance = found[scenario->k - 1];
			HxSharesBelow(replay->expect, distance, shares);
			below = 0;
			for (int p = 0; p < HX_TABLE_PROMISES; p++)
				below += unvisited[p] * shares[p];
		}
		else
			below -= rows * shares[bin];
		while (reached < nthresholds && below * passing <= thresholds[reached])
			recalls[reached++] = recall_of(replay, found, nfound, scenario->k);
	}
	while (reached < nthresholds) /* everything visited */
		recalls[reached++] = 1;
}

/* Does a factor keep the target over queries from .. to by `step`? */
static bool
holds(const float *recalls, int from, int to, int step, double target, int k)
{
	double sum = 0;
	int below = 0;
	int count = 0;

	for (int q = from; q < to; q += step)
	{
		sum += recalls[q];
		below += recalls[q] < 0.5;
		count++;
	}
	if (count == 0)
		return true;
	return sum / count >= target && (k < 10 || below <= MAX_BELOW_HALF * count);
}

/* The least factor that keeps the target in one scenario. */
static int
fit(const Outcome *outcome, int nqueries, double target, int k)
{
	int f = 0;

	/* Even queries decide, odd ones check ... */
	while (f < FACTORS - 1 &&
		   !holds(outcome->recall[f], 0, nqueries, 2, target, k))
		f++;
	if (holds(outcome->recall[f], 1, nqueries, 2, target, k))
		return f;
	/* ... and if these object, all decide. */
	while (f < FACTORS - 1 &&
		   !holds(outcome->recall[f], 0, nqueries, 1, target, k))
		f++;
	return f;
}

/* Allocate the recalls of all factors and targets. */
static void
allocate_outcomes(Outcome *outcomes, int nqueries)
{
	for (int t = 0; t < HX_TABLE_TARGETS; t++)
		for (int f = 0; f < FACTORS; f++)
			outcomes[t].recall[f] = palloc(nqueries * sizeof(float));
}

/* Threshold on the expected misses of a target under a factor */
static double
threshold_of(int target, int factor, int k)
{
	return (1 - hx_table_targets[target]) * k / exp2(factor / 4.0);
}

/* A threshold and where it came from, to sort */
typedef struct Threshold
{
	double value;
	int target;
	int factor;
} Threshold;

static int
compare_thresholds(const void *a, const void *b)
{
	double x = ((const Threshold *) a)->value;
	double y = ((const Threshold *) b)->value;

	return (x < y) - (x > y);
}

/* Replay all queries in one scenario. */
static void
run_scenario(Replay *replay, HxReplayQuery *queries, int nqueries,
			 const Scenario *scenario, Outcome *outcomes)
{
	Threshold thresholds[HX_TABLE_TARGETS * FACTORS];
	double values[HX_TABLE_TARGETS * FACTORS];
	float recalls[HX_TABLE_TARGETS * FACTORS];
	int n = 0;

	for (int t = 0; t < HX_TABLE_TARGETS; t++)
		for (int f = 0; f < FACTORS; f++)
		{
			thresholds[n].value = threshold_of(t, f, scenario->k);
			thresholds[n].target = t;
			thresholds[n++].factor = f;
		}
	qsort(thresholds, n, sizeof(Threshold), compare_thresholds);
	for (int i = 0; i < n; i++)
		values[i] = thresholds[i].value;
	for (int q = 0; q < nqueries; q++)
	{
		prepare(replay, &queries[q], scenario);
		if (replay->nnear == 0)
			for (int i = 0; i < n; i++)
				recalls[i] = 1;
		else
			replay_query(replay, &queries[q], scenario, values, n, recalls);
		for (int i = 0; i < n; i++)
			outcomes[thresholds[i].target].recall[thresholds[i].factor][q] =
				recalls[i];
	}
}

void
HxFitSafety(const HxExpect *expect, HxReplayQuery *queries, int nqueries,
			const HxBlocks *blocks, float *safety)
{
	Replay replay = {expect, blocks};
	Outcome outcomes[HX_TABLE_TARGETS];
	int factors[HX_TABLE_TARGETS] = {0};

	replay.order = palloc(Max(blocks->count, 1) * sizeof(int));
	replay.rank = palloc(Max(blocks->count, 1) * sizeof(int));
	replay.near = palloc(HX_REPLAY_NEAR * sizeof(HxNear));
	replay.by_rank = palloc(HX_REPLAY_NEAR * sizeof(HxNear));
	allocate_outcomes(outcomes, nqueries);
	for (int s = 0; s < lengthof(scenarios); s++)
	{
		run_scenario(&replay, queries, nqueries, &scenarios[s], outcomes);
		for (int t = 0; t < HX_TABLE_TARGETS; t++)
			factors[t] =
				Max(factors[t], fit(&outcomes[t], nqueries, hx_table_targets[t],
									scenarios[s].k));
	}
	for (int t = 0; t < HX_TABLE_TARGETS; t++)
		safety[t] = exp2(factors[t] / 4.0);
}
