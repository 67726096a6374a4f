/*
 * first.c
 *	  Finding a known number of rows, looking at their heap rows on the way.
 *
 * The index is visited until the rows wanted are settled, as if every row in
 * question passed the check; only then are heap rows looked at, in order of
 * distance.  A row that fails makes room for the next one, which is farther
 * off; if that is not settled, more is visited.  So what is looked at
 * is hardly more than what lies nearer than the last row of the result.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "index/search/state.h"

/*
 * Rows kept beyond those wanted, against rows that fail.  Where searches are
 * exact, each row kept has its price.
 */
#define SPARE_ROWS 64
#define SPARE_ROWS_EXACT 8
#define SPARE_PART 4

/*
 * Room that the planner's guess of the rows that fail may ask for: more of it is slower
 * than starting over, unless as many as MOST_EXPECTED rows will have to be looked at,
 * which would start over for certain.  Keeping still more costs too much if the guess is
 * wrong, as it often is where PostgreSQL knows nothing of a condition (half a percent)
 */
#define MOST_GUESSED 512
#define MOST_EXPECTED 2048
/* Rows kept for each that is expected to be looked at */
#define EXPECTED_TIMES 1.25

/* Room at least where ties are wanted, too, of which there may be many */
#define TIES_ROOM 512

/* Groups that rows are found in if nobody knows how many are wanted, at first */
static const int group_ends[] = {10, 20, 40, 80, 128};

/* The same, where few are to be found first: so many more, or of those found a part */
#define FEW_ROWS 10
#define FEW_PART 4

/* Rows that a search that refines finds first otherwise, then */
#define FIRST_REFINED 128
#define MOST_REFINED 1024

/*
 * Rows kept for each one that would be, were distances not estimates, and where
 * starting over visits all again; where they are off by rounding only, none
 */
#define REFINED_ROOM 4
#define REFINED_ROOM_OF_ALL 64
#define REFINED_ROOM_OF_HIGH 128 /* the same, for targets above .95 */

/*
 * Where most heap rows fail, or the planner expects no more than this share to pass, a
 * row is looked at as soon as so many rows for each that is still wanted are expected to
 * be nearer and not found yet
 */
#define MANY_FAIL 0.5
#define LOOK_PART 0.4

/* A stage starts over with room for this many times the rows at least */
#define GROWTH 4

/* Rows this phase has to find. */
static int64
rows_wanted(const HxSearch *search)
{
	Assert(search->spec.limit > search->returned);
	return (int64) (search->spec.limit - search->returned);
}

/* Rows to keep for each one that is looked for, in a search that refines. */
static int
refined_room(const HxSearch *search)
{
	const HxKind *kind = HxKindOf(&search->desc);

	if (kind->visits_all)
		return search->spec.recall > 0.95 ? REFINED_ROOM_OF_HIGH
										  : REFINED_ROOM_OF_ALL;
	return kind->calibrate ? REFINED_ROOM : 1;
}

/* Room to find that many where such a share of the rows kept passes. */
static int64
room_for(const HxSearch *search, int64 wanted, double share)
{
	bool estimates = HxKindOf(&search->desc)->calibrate != NULL;
	int64 spare = estimates ? SPARE_ROWS : SPARE_ROWS_EXACT;
	double room = wanted + Max(spare, wanted / SPARE_PART);

	Assert(wanted > 0 && share >= 0);
	if (share < 1)
		room = Max(room,
				   Max(2 * wanted, HX_MOST_UNLUCKY) / Max(share, 1e-9) + spare);
	if (!search->spec.heap.check) /* none can fail */
		room = wanted;
	return (int64) Min(room, (double) HxMostRows());
}

int64
HxNextGroupEnd(const HxSearch *search, int64 found)
{
	if (search->spec.few_first > 0)
		return found + Max(FEW_ROWS, found / FEW_PART);
	for (int g = 0; g < lengthof(group_ends); g++)
		if (group_ends[g] > found)
			return group_ends[g];
	return found;
}

/*
 * A search that refines finds rows from the first one of the part on, again and
 * again: it is not known where among the estimates the last one returned stands.
 * Each time they are more, however many were returned: those that were missed
 * before, and come too late, are found as well.
 */
int64
HxRowsToRefine(const HxSearch *search)
{
	int64 limit = 0;

	Assert(search->refine && search->returned >= search->before);
	if (search->spec.limit > search->returned)
		limit = (int64) (search->spec.limit - search->before);
	if (limit > search->refined)
		return limit;
	if (search->spec.few_first > 0)
		return Min(HxNextGroupEnd(search, search->refined), MOST_REFINED);
	return search->refined >= FIRST_REFINED ? MOST_REFINED : FIRST_REFINED;
}

bool
HxCanFindFirst(const HxSearch *search)
{
	if (search->refine)
		return search->part == HX_PART_ROWS &&
			   HxRowsToRefine(search) > search->refined &&
			   HxRowsToRefine(search) <= HxMostRows() / 2;
	return search->spec.limit > search->returned &&
		   search->spec.limit - search->returned <= (uint64) HxMostRows() / 2;
}

/* The most room that the planner's guess may ask for. */
static double
most_guessed(int64 wanted, double share)
{
	double expected = EXPECTED_TIMES * wanted / share;

	Assert(share > 0);
	return expected > MOST_EXPECTED ? MOST_GUESSED
									: Max(expected, MOST_GUESSED);
}

int64
HxRoomForFirst(HxSearch *search)
{
	double share = search->spec.heap.share > 0 ? search->spec.heap.share : 1;
	int64 wanted =
		search->refine ? HxRowsToRefine(search) : rows_wanted(search);
	int64 room;

	/* The groups that follow find theirs there */
	wanted = Max(wanted, search->spec.few_first);
	room = Min(room_for(search, wanted, share),
			   Max(room_for(search, wanted, 1), most_guessed(wanted, share)));
	if (search->refine)
		room = Min(room * refined_room(search), HxMostRows());
	if (search->spec.ties)
		room = Max(room, TIES_ROOM);
	search->room = Max(search->room, room);
	return search->room;
}

/* Ask the heap about a row, if that has not been done. */
bool
HxCheckRow(HxSearch *search, HxCandidate *row)
{
	const HxHeapRows *heap = &search->spec.heap;
	ItemPointerData tid;
	HxRowState state;
	bool passed;

	if (row->passed || !heap->check)
		return true;
	if (HxRecallChecked(&search->checked, row->tid, &passed))
	{
		row->passed = passed;
		return passed;
	}
	CHECK_FOR_INTERRUPTS();
	HxUnpackTid(row->tid, &tid);
	HxCheckTid(search->index, search->spec.table, &search->table_pages, &tid);
	Assert(HxHoldsNoPage());
	state = heap->check(heap->arg, &tid);
	passed = state == HX_ROW_PASSES;
	if (state == HX_ROW_DEAD && search->spec.dead)
		search->spec.dead(search->spec.dead_arg, row);
	search->stats.fetched++;
	search->stats.failed += !passed;
	search->nchecked++;
	HxRememberChecked(&search->checked, row->tid, passed);
	row->passed = passed;
	return passed;
}

void
HxNoteFailed(HxSearch *search, double distance)
{
	const HxKind *kind = HxKindOf(&search->desc);

	Assert(search->phase == HX_FIND_FIRST);
	if (kind->note_failed)
		kind->note_failed(search, distance);
}

/* How looking at the rows kept ended */
typedef enum Outcome
{
	OUTCOME_VISIT, /* more must be visited */
	OUTCOME_ROOM,  /* rows that were left out may be needed */
	OUTCOME_SWEEP, /* too many fail: all heap rows should be read */
	OUTCOME_FOUND  /* the rows wanted were found, or all there are */
} Outcome;

/*
 * End of the rows kept, from place `last` on, that are as near as the one
 * there.  They are put in order, and the one behind them, if there is any.
 */
static int64
end_of_ties(HxBest *best, int64 last)
{
	double distance = best->rows[last].distance;
	int64 low = last + 1;
	int64 high;

	Assert(last >= 0 && last < best->count);
	do
	{
		high = best->count;
		HxSortBest(best, high + 1);
	} while (best->count > high && best->rows[high].distance == distance);
	high = best->count;
	while (low < high)
	{
		int64 middle = low + (high - low) / 2;

		if (best->rows[middle].distance == distance)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * May the rows be returned up to the one at place `last`, of which `passed` have
 * passed already and those from place `at` on are thought to?  With ties, those
 * count, too, that are as near as it, found or not: they are what is nearer than
 * the next greater distance.
 */
static bool
rows_are_settled(HxSearch *search, int64 last, int64 at, int64 passed)
{
	HxBest *best = &search->best;
	double distance = last < best->count ? best->rows[last].distance
										 : best->frontier.distance;
	int64 end = last + 1;

	Assert(last < best->count || best->lost);
	Assert(passed <= at && at <= last + 1);
	if (search->spec.ties && !search->exact && last < best->count)
	{
		double next = get_float8_infinity();

		end = end_of_ties(best, last);
		if (search->spec.query->metric == HX_HAMMING)
			next = distance + 1;
		else if (end < best->count)
			next = best->rows[end].distance;
		else if (best->lost)
			next = best->frontier.distance;
		distance = next;
	}
	return HxIsSettled(search, distance, passed + end - at);
}

/*
 * Are there ties of the last good row, which is wanted, to be looked at?  Where
 * ties are wanted.
 */
static bool
tie_follows(HxSearch *search, int64 good, int64 at)
{
	HxBest *best = &search->best;

	if (!search->spec.ties)
		return false;
	HxSortBest(best, at + 1);
	return at < best->count &&
		   best->rows[at].distance == best->rows[good - 1].distance;
}

/*
 * Is the next row worth a look, although the rows wanted are not settled, of which the
 * last is at a distance?  Where most heap rows fail, hardly any of those that are nearer
 * and not found yet will pass: then the row has to be looked at anyhow, and what it comes
 * to tells how far to go.
 */
static bool
is_worth_a_look(HxSearch *search, double distance, int64 good, int64 wanted)
{
	const HxKind *kind = HxKindOf(&search->desc);
	bool fail = search->nchecked == 0 ? search->spec.heap.share < MANY_FAIL
									  : search->stats.failed > (uint64) good;

	if (!kind->missing || good >= wanted || search->spec.ties || !fail)
		return false;
	return kind->missing(search, distance) <= LOOK_PART * (wanted - good);
}

/*
 * Look at heap rows in order of distance, as long as the rows wanted are
 * settled, or most of them fail.  Rows that fail are taken away; *passed tells how many passed.
 */
static Outcome
look_at_rows(HxSearch *search, int64 wanted, int64 *passed)
{
	HxBest *best = &search->best;
	bool complete = !HxKindOf(&search->desc)->has_more(search);
	double settled = NAN; /* distance that is known to be */
	int64 asked = wanted; /* without ties */
	int64 at = 0;		  /* next row to be looked at */
	int64 good = 0;		  /* rows that passed, at the front */
	Outcome outcome = OUTCOME_FOUND;
	double distance;
	bool known;

	Assert(search->phase == HX_FIND_FIRST && wanted > 0);
	for (;;)
	{
		int64 last;

		for (;;)
		{
			/* One more, as long as there are ties: one that fails may be the last */
			if (good >= asked)
				wanted = good + tie_follows(search, good, at);
			if (good == wanted || at == best->count || !best->rows[at].passed)
				break;
			if (good < at) /* behind one that failed */
				best->rows[good] = best->rows[at];
			good++;
			at++;
		}
		Assert(good <= wanted && good <= at && at <= best->count);
		last = at + wanted - good - 1; /* if all others pass */
		HxSortBest(best, last + 1);
		known = last < best->count;
		distance = known ? best->rows[last].distance : best->frontier.distance;
		search->ngood = good;
		search->middle = good > 1 ? best->rows[good / 2 - 1].distance
								  : -get_float8_infinity();
		if (!known && !best->lost && !complete)
			outcome = OUTCOME_VISIT;
		else if (!complete && distance != settled &&
				 !rows_are_settled(search, last, at, good))
		{
			settled = NAN;
			if (!known || !is_worth_a_look(search, distance, good, wanted))
				outcome = OUTCOME_VISIT;
		}
		else if (best->lost &&
				 (!known ||
				  (search->spec.ties && best->frontier.distance <= distance)))
			outcome = OUTCOME_ROOM;
		else
			settled = distance;
		if (outcome != OUTCOME_VISIT && good < wanted && HxSweepIsDue(search))
			outcome = OUTCOME_SWEEP;
		if (outcome != OUTCOME_FOUND || good == wanted || at == best->count)
			break;
		best->rows[at].passed = HxCheckRow(search, &best->rows[at]);
		if (!best->rows[at].passed)
			HxNoteFailed(search, best->rows[at++].distance);
		else if (search->stats.failed > 0)
			settled = NAN; /* more pass than was thought */
	}
	search->goal = known || best->lost ? distance : get_float8_infinity();
	HxRemoveBest(best, good, at);
	*passed = good;
	return outcome;
}

/*
 * Rows that there was no room for are needed: start over with more.  If memory
 * has no more, go on as an exact search, which looks at each row as its turn
 * comes.
 */
static void
make_room(HxSearch *search)
{
	double share = (search->nchecked - search->stats.failed + 1.0) /
				   (search->nchecked + 2.0);
	int64 room = room_for(search, rows_wanted(search), share);

	Assert(search->best.lost && search->returned < search->spec.limit);
	search->stats.restarts++;
	if (search->room >= HxMostRows())
	{
		HxStartPhase(search, HX_RELEASE_ALL, HxMostRows());
		return;
	}
	search->room = Min(Max(GROWTH * search->room, room), HxMostRows());
	HxStartPhase(search, HX_FIND_FIRST, search->room);
}

/* Act on what looking at rows has come to; true if more must be visited. */
static bool
take_outcome(HxSearch *search, Outcome outcome, int64 wanted, int64 passed)
{
	switch (outcome)
	{
		case OUTCOME_FOUND:
			Assert(passed <= search->best.count);
			search->nready = passed;
			search->phase =
				passed < wanted ? HX_RELEASE_LAST : HX_RELEASE_FIRST;
			break;
		case OUTCOME_SWEEP:
			HxSweepHeap(search);
			break;
		case OUTCOME_ROOM:
			make_room(search);
			break;
		case OUTCOME_VISIT:
			return true;
	}
	return false;
}

void
HxFindFirst(HxSearch *search)
{
	const HxKind *kind = HxKindOf(&search->desc);
	int64 wanted = rows_wanted(search);

	Assert(search->phase == HX_FIND_FIRST);
	while (search->phase == HX_FIND_FIRST)
	{
		bool complete = !kind->has_more(search);

		if (HxMergeBest(&search->best, complete))
		{
			int64 passed;
			Outcome outcome = look_at_rows(search, wanted, &passed);

			if (!take_outcome(search, outcome, wanted, passed))
				continue;
		}
		if (HxRankingIsDue(search))
			HxStartRanking(search);
		else
			kind->visit(search);
		Assert(HxHoldsNoPage());
	}
}
