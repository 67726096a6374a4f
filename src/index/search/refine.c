/*
 * refine.c
 *	  Searches whose index has estimates: the rows that may be among the first
 *	  are looked at in the table, and exact distances decide.
 *
 * See README, "Estimates".  One budget of expected misses is shared: what the
 * blocks not visited may hold, and what candidates may be that are not looked
 * at.  An estimate is off by a normal error whose deviation the row tells.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "utils/float.h"

#include "index/search/refine.h"

/* Part of the misses allowed that candidates not looked at may take */
#define CANDIDATES_PART 0.25

/* The same, where all is visited and nothing else is missed */
#define ALL_PART 0.75

/* Where all ties of the last row are wanted, a smaller part still */
#define TIES_PART 0.1

/*
 * A candidate whose chance is at most so much of the misses allowed may be passed
 * over, as long as all of these take no more than this part of them
 */
#define HARDLY 0.001
#define SKIPPED_PART 0.25

double
HxRecallOfVisits(double recall)
{
	return 1 - (1 - CANDIDATES_PART) * (1 - recall);
}

/* ---- limits ---- */

/* Infinite is none; no distance is less than all numbers. */
void
HxSetCutoff(HxSearch *search)
{
	const HxSearchSpec *spec = &search->spec;

	search->cutoff = get_float8_infinity();
	for (int i = 0; i < spec->nlimits; i++)
		search->cutoff = Min(
			search->cutoff, Max(HxGreatestPassing(&spec->limits[i]), -DBL_MAX));
}

/* Does an exact distance pass all limits? */
static bool
passes_limits(const HxSearch *search, double distance)
{
	const HxSearchSpec *spec = &search->spec;

	for (int i = 0; i < spec->nlimits; i++)
		if (!HxPassesTest(&spec->limits[i], distance))
			return false;
	return true;
}

/* Distances are NaN of zero vectors by cosine, and of lists without tokens. */
void
HxSeparateNans(HxSearch *search)
{
	const HxKind *kind = HxKindOf(&search->desc);

	if (search->spec.nlimits == 0)
		return;
	search->nans_apart =
		passes_limits(search, get_float8_nan()) &&
		(search->desc.vector->metric == HX_COSINE || kind->visits_all);
}

/* ---- looking at a row ---- */

/*
 * The exact distance of a row, if its heap row passes.  Without a table to look
 * at the estimate is all there is.
 */
static HxRowState
measure(HxSearch *search, const HxCandidate *row, double *distance)
{
	const HxHeapRows *heap = &search->spec.heap;
	ItemPointerData tid;
	HxRowState state;
	Datum vector;
	bool isnull;

	CHECK_FOR_INTERRUPTS();
	*distance = row->distance;
	if (!heap->measure)
		return HX_ROW_PASSES;
	HxUnpackTid(row->tid, &tid);
	HxCheckTid(search->index, search->spec.table, &search->table_pages, &tid);
	Assert(HxHoldsNoPage());
	state = heap->measure(heap->arg, &tid, &vector, &isnull);
	search->stats.fetched++;
	search->nchecked++;
	if (state == HX_ROW_PASSES && isnull)
		state = HX_ROW_FAILS; /* another row has taken its place */
	if (state == HX_ROW_PASSES)
		*distance =
			HxKindOf(&search->desc)->distance(search->spec.query, vector);
	else
		search->stats.failed++;
	if (state == HX_ROW_DEAD && search->spec.dead)
		search->spec.dead(search->spec.dead_arg, row);
	return state;
}

/* The same of a candidate, which a search that starts over does not look at again */
static HxRowState
measure_once(HxSearch *search, HxCandidate *row, double *distance)
{
	HxRowState state;

	if (HxRecallLook(&search->looks, row->tid, &state, distance))
		return state;
	state = measure(search, row, distance);
	HxRememberLook(&search->looks, row->tid, state, *distance);
	return state;
}

/*
 * Is a row of an exact distance wanted, which belongs to this part of the search
 * and passes the limits?
 */
static bool
is_of_part(const HxSearch *search, double distance)
{
	if (search->part == HX_PART_NANS ? !isnan(distance)
									 : search->nans_apart && isnan(distance))
		return false;
	return passes_limits(search, distance);
}

/* ---- exact searches ---- */

static void
add_pending(HxSearch *search, const HxCandidate *row)
{
	if (search->npending == search->pending_room)
	{
		search->pending_room = Max(2 * search->pending_room, 256);
		search->pending =
			search->pending
				? repalloc_huge(search->pending,
								search->pending_room * sizeof(HxCandidate))
				: palloc(search->pending_room * sizeof(HxCandidate));
	}
	search->pending[search->npending++] = *row;
}

void
HxConsiderEstimate(HxSearch *search, HxCandidate *row, double bound)
{
	Assert(search->refine && !row->passed);
	row->met = search->met;
	if (!search->exact)
	{
		search->widest = Max(search->widest, row->deviation);
		HxKeepBest(&search->best, row);
		return;
	}
	if (search->part == HX_PART_ROWS && bound > search->cutoff)
		return;
	row->distance = bound;
	if (!(bound > search->best.worst))
		add_pending(search, row);
}

void
HxMeasurePending(HxSearch *search)
{
	Assert(search->refine && HxHoldsNoPage());
	Assert(search->npending == 0 || search->exact);
	for (int64 i = 0; i < search->npending; i++)
	{
		HxCandidate row = search->pending[i];
		double distance;

		if (row.distance > search->best.worst)
			continue;
		if (measure(search, &row, &distance) != HX_ROW_PASSES ||
			!is_of_part(search, distance))
			continue;
		row.distance = HxOrderedDistance(distance);
		row.passed = true;
		if (!HxPrecedes(&search->last, &row))
			continue; /* returned before, or too late */
		if (!(row.distance > search->best.worst))
			HxKeepBest(&search->best, &row);
		if (search->best.nadded >= search->best.most_added / 2)
			HxMergeBest(&search->best, true);
	}
	search->npending = 0;
}

/* ---- the others ---- */

typedef struct HxRefining Refining;

/*
 * Distance of the last row wanted, as far as is known.  As long as too few rows were
 * found it is that of the first one beyond the limits, and infinite if there are none:
 * how many rows are expected within a distance tells nothing of a query that is a row
 * itself, so what proves that there are no more within is the next one, beyond.
 */
static double
last_distance(Refining *refining)
{
	const HxSearch *search = refining->search;
	HxBest *exact = &refining->exact;

	HxSortBest(exact, refining->wanted);
	if (exact->count < refining->wanted)
		return Max(search->cutoff, refining->beyond);
	return exact->rows[refining->wanted - 1].distance;
}

/*
 * The part of the misses allowed that candidates may take: most where nothing else
 * is missed, but less for high targets (see expect_errors).  Not all, since a search
 * ends where the errors seen last happen to promise few.
 */
static double
candidates_part(const Refining *refining)
{
	if (!refining->errors.of_all)
		return CANDIDATES_PART;
	return ALL_PART - (ALL_PART - CANDIDATES_PART) * refining->errors.beyond;
}

/*
 * Rows that the target is about: those wanted, or those found if the limits leave no
 * more.  Where none was found one is one too many to miss.
 */
static int64
rows_in_question(const Refining *refining)
{
	int64 found = HxBestCount(&refining->exact);

	if (isinf(refining->search->cutoff) || found >= refining->wanted)
		return refining->wanted;
	return Max(found, 1);
}

/* Misses that candidates may take */
static double
allowed_misses(const Refining *refining)
{
	const HxSearchSpec *spec = &refining->search->spec;

	return (1 - spec->recall) * rows_in_question(refining) *
		   candidates_part(refining) * (spec->ties ? TIES_PART : 1);
}

/*
 * Take note of how many of the rows wanted were found, and how far the inner half of
 * them reaches: the rows that failed beyond tell of those farther off.
 */
static void
note_good(Refining *refining)
{
	HxSearch *search = refining->search;
	HxBest *exact = &refining->exact;
	int64 half;

	HxMergeBest(exact, true);
	search->ngood = Min(HxBestCount(exact), refining->wanted);
	half = search->ngood / 2;
	HxSortBest(exact, half);
	search->middle =
		half > 0 ? exact->rows[half - 1].distance : -get_float8_infinity();
}

/*
 * Take note of a row's distance, or its estimate if it fails: is it the first one beyond
 * the limits?  NaN is beyond all numbers, and tells of none of them.
 */
static void
note_beyond(Refining *refining, double distance)
{
	double cutoff = refining->search->cutoff;

	if (isnan(distance))
		refining->beyond = Min(refining->beyond, cutoff);
	else if (distance > cutoff)
		refining->beyond = Min(refining->beyond, distance);
}

/* Look at the candidate at a place. */
static void
look_at(Refining *refining, int64 at)
{
	HxSearch *search = refining->search;
	HxCandidate row = search->best.rows[at];
	double estimate = row.distance;
	double distance;

	refining->looked++;
	if (measure_once(search, &row, &distance) != HX_ROW_PASSES)
	{
		HxNoteFailed(search, estimate);
		note_beyond(refining, estimate);
		return;
	}
	note_beyond(refining, distance);
	if (search->nans_apart && isnan(distance))
		return;
	HxNoteError(&refining->errors, &row, distance);
	HxNoteCopy(&refining->copies, &row, distance);
	row.distance = HxOrderedDistance(distance);
	row.passed = true;
	if (passes_limits(search, distance))
		HxKeepBest(&refining->exact, &row);
	note_good(refining);
}

/* Is there a candidate at a place, of which nothing is known? */
static bool
is_unknown(const HxBest *best, int64 at)
{
	return at < best->count && isinf(best->rows[at].distance) &&
		   best->rows[at].distance < 0;
}

/* A search that goes on for more rows may want a candidate that was passed over. */
static void
keep_for_next_group(Refining *refining, const HxCandidate *row)
{
	if (refining->npassed_over == refining->passed_over_room)
	{
		refining->passed_over_room = Max(2 * refining->passed_over_room, 64);
		refining->passed_over =
			refining->passed_over
				? repalloc_huge(refining->passed_over,
								refining->passed_over_room *
									sizeof(HxCandidate))
				: palloc(refining->passed_over_room * sizeof(HxCandidate));
	}
	refining->passed_over[refining->npassed_over++] = *row;
}

/* A new group begins: those that were passed over are candidates once more. */
static void
return_passed_over(Refining *refining)
{
	HxBest *best = &refining->search->best;

	for (int64 i = 0; i < refining->npassed_over; i++)
	{
		HxKeepBest(best, &refining->passed_over[i]);
		HxMergeBest(best, false);
	}
	refining->npassed_over = 0;
	refining->skipped = 0;
}

/*
 * Must the candidate at a place be looked at, if there is one?  As long as too
 * few rows were found, and where nothing is known.
 */
static bool
is_wanted(const HxBest *best, int64 at, double distance)
{
	return is_unknown(best, at) || (isinf(distance) && at < best->count);
}

/*
 * Pass over the candidate at a place if it is hardly nearer than a distance, though
 * by its estimate it is the next: one whose estimate is hardly off, as those of short
 * vectors by inner product.  Such rows together take a quarter of the misses allowed.
 */
static bool
pass_over(Refining *refining, int64 at, double distance, double allowed)
{
	const HxBest *best = &refining->search->best;
	double chance;

	if (at >= best->count || is_wanted(best, at, distance))
		return false;
	chance = HxChanceOf(refining, &best->rows[at], distance);
	if (chance > HARDLY * allowed ||
		refining->skipped + chance > allowed * SKIPPED_PART)
		return false;
	if (refining->search->spec.few_first > 0)
		keep_for_next_group(refining, &best->rows[at]);
	refining->skipped += chance;
	refining->looked++;
	refining->again++; /* nothing was learnt of those that follow */
	return true;
}

/* What looking at candidates has come to */
typedef enum Outcome
{
	REFINE_VISIT, /* more must be visited */
	REFINE_ROOM,  /* candidates that were left out may be needed */
	REFINE_SWEEP, /* too many fail: all heap rows should be read */
	REFINE_DONE	  /* the rows wanted were found, or all there are */
} Outcome;

/* Candidates from a place on that are no farther than a distance by estimate */
static int64
candidates_within(HxBest *best, int64 at, double distance, int64 most)
{
	int64 count = 0;

	HxSortBest(best, at + most);
	while (count < most && at + count < best->count &&
		   best->rows[at + count].distance <= distance)
		count++;
	return count;
}

/*
 * Where the limits leave fewer rows than wanted, as far as is known: the distance of the
 * first row beyond, which may be a candidate's estimate.  *count becomes the number of
 * rows within, of those found and of candidates.
 */
static double
distance_beyond(Refining *refining, int64 at, double distance, int64 *count)
{
	HxSearch *search = refining->search;
	HxBest *best = &search->best;
	int64 found = HxBestCount(&refining->exact);
	int64 within =
		candidates_within(best, at, search->cutoff, refining->wanted - found);

	*count = Max(found + within, 1);
	HxSortBest(best, at + within + 1);
	if (best->count > at + within)
		distance = Min(distance, best->rows[at + within].distance);
	return Max(distance, search->cutoff);
}

/*
 * Is what is not visited settled, for the last row wanted at a distance, which
 * may be the estimate of a candidate as long as too few rows were looked at?
 */
static bool
is_settled(Refining *refining, int64 at, double distance)
{
	HxSearch *search = refining->search;
	HxBest *best = &search->best;
	int64 missing = refining->wanted - HxBestCount(&refining->exact);
	int64 count = refining->wanted;

	if (missing > 0 && !isinf(search->cutoff))
		distance = distance_beyond(refining, at, distance, &count);
	else if (missing > 0)
	{
		HxSortBest(best, at + missing);
		if (best->count >= at + missing)
			distance = Min(distance, best->rows[at + missing - 1].distance);
	}
	search->goal = distance;
	if (isinf(distance))
		return false;
	if (distance == refining->settled && count >= refining->nsettled &&
		search->stats.restarts == refining->begun)
		return true;
	if (!HxKindOf(&search->desc)->is_settled(search, distance, count))
		return false;
	refining->settled = distance;
	refining->nsettled = count;
	refining->begun = search->stats.restarts;
	return true;
}

/*
 * Look at candidates in the order of their estimates, as long as what is not
 * visited is settled and one of them may be wanted.
 */
static Outcome
look_at_candidates(Refining *refining, bool complete)
{
	HxSearch *search = refining->search;
	HxBest *best = &search->best;
	Outcome outcome;
	int64 at = 0;

	refining->again = 0;
	for (;;)
	{
		double distance;
		double allowed;
		bool all;

		HxSortBest(best, at + 1);
		if (at >= best->count && best->lost && isinf(refining->beyond) &&
			best->frontier.distance > search->cutoff)
			refining->beyond = search->cutoff; /* it is among the others */
		distance = last_distance(refining);
		allowed = allowed_misses(refining);
		outcome = REFINE_VISIT;
		if (!complete && !is_unknown(best, at) &&
			!is_settled(refining, at, distance))
			break;
		if (!is_wanted(best, at, distance) &&
			(refining->looked >= refining->again || at >= best->count) &&
			HxCandidateMisses(refining, at, distance,
							  allowed - refining->skipped,
							  &all) <= allowed - refining->skipped)
		{
			if (!all)
				outcome = REFINE_ROOM;
			else if (complete || !isinf(distance))
				outcome = REFINE_DONE;
			break;
		}
		outcome = REFINE_SWEEP;
		if (HxSweepIsDue(search))
			break;
		if (pass_over(refining, at, distance, allowed))
			at++;
		else
			look_at(refining, at++);
	}
	HxRemoveBest(best, 0, Min(at, best->count));
	return outcome;
}

/*
 * Where ties are wanted: may there be more rows as near as the last one wanted, for
 * which there was no room?
 */
static bool
ties_are_lost(const Refining *refining, HxBest *found)
{
	if (!refining->search->spec.ties || !found->lost)
		return false;
	HxSortBest(found, refining->wanted);
	return found->count < refining->wanted ||
		   found->frontier.distance <=
			   found->rows[refining->wanted - 1].distance;
}

/*
 * Start over with room for more rows.  The distance of the last row wanted, of those
 * found, tells the kind how far to look; once, since that may not do either.
 */
static void
make_room(HxSearch *search, double reached)
{
	search->stats.restarts++;
	search->reached = isinf(search->reached) ? reached : get_float8_infinity();
	if (search->room >= HxMostRows())
	{
		HxStartPhase(search, HX_RELEASE_ALL, HxMostRows());
		return;
	}
	search->room = Min(4 * search->room, HxMostRows());
	HxStartPhase(search, HX_FIND_FIRST, search->room);
}

/*
 * Of rows that are released, give those out that come too late: they precede the last
 * one returned, and were not released before.  Then all have been.
 */
static void
give_out_late(Refining *refining, HxCandidate *rows, int64 count)
{
	HxSearch *search = refining->search;

	for (int64 i = 0; i < count && !HxPrecedes(&search->last, &rows[i]); i++)
		if (rows[i].page != InvalidBlockNumber)
			HxKeepLate(search, &rows[i]);
	for (int64 i = 0; i < count; i++)
		rows[i].page = InvalidBlockNumber;
}

/* Exchange the candidates for the rows of a group, or the other way round. */
static void
exchange_candidates(Refining *refining, HxBest *from, HxBest *to)
{
	*from = refining->search->best;
	refining->search->best = *to;
}

/*
 * Put the rows found in the place of the candidates, to be released, unless ties
 * are missing.  A search that finds few first keeps its candidates.
 */
static void
release_exact(Refining *refining, bool ended)
{
	HxSearch *search = refining->search;
	HxBest *exact = &refining->exact;
	int64 count;

	HxMergeBest(exact, true);
	if (ties_are_lost(refining, exact))
	{
		make_room(search, get_float8_infinity());
		return;
	}
	HxSortBest(exact, HxBestCount(exact));
	count = exact->count;
	if (search->spec.few_first > 0)
	{
		if (!ended)
			count = Min(count, refining->wanted);
		exchange_candidates(refining, &refining->candidates,
							&refining->released);
		search->refining = refining;
	}
	HxResetBest(&search->best, Max(count, 1));
	for (int64 i = 0; i < count; i++)
	{
		HxKeepBest(&search->best, &exact->rows[i]);
		HxMergeBest(&search->best, true);
	}
	if (search->spec.few_first > 0)
		give_out_late(refining, exact->rows, count);
	search->nemitted = 0;
	search->nready = count;
	search->refined = refining->wanted;
	search->phase = ended ? HX_RELEASE_LAST : HX_RELEASE_FIRST;
}

/* Room for rows by exact distances: of a search that finds few first, for all groups */
static int64
exact_room(const Refining *refining)
{
	const HxSearch *search = refining->search;

	return search->spec.ties || search->spec.few_first > 0
			   ? Max(search->room, refining->wanted)
			   : refining->wanted;
}

/* Find the first rows of a search that is exact. */
static void
find_exact(HxSearch *search, Refining *refining)
{
	const HxKind *kind = HxKindOf(&search->desc);

	HxForgetRows(search, exact_room(refining));
	while (kind->has_more(search))
	{
		if (HxRankingIsDue(search))
		{
			HxStartRanking(search);
			return;
		}
		if (HxSweepIsDue(search))
		{
			HxSweepHeap(search);
			return;
		}
		kind->visit(search);
		HxMeasurePending(search);
	}
	HxMergeBest(&search->best, true);
	if (ties_are_lost(refining, &search->best))
	{
		make_room(search, get_float8_infinity());
		return;
	}
	search->nready = HxBestCount(&search->best);
	search->refined = exact_room(refining);
	search->phase = search->best.lost ? HX_RELEASE_FIRST : HX_RELEASE_LAST;
}

/* Find the first rows of a search by estimates. */
static void
find_by_estimates(HxSearch *search, Refining *refining)
{
	const HxKind *kind = HxKindOf(&search->desc);

	for (;;)
	{
		bool complete = !kind->has_more(search);

		if (HxMergeBest(&search->best, complete))
		{
			switch (look_at_candidates(refining, complete))
			{
				case REFINE_DONE:
					release_exact(refining,
								  (complete || !isinf(search->cutoff)) &&
									  HxBestCount(&refining->exact) <
										  refining->wanted);
					return;
				case REFINE_ROOM:
					make_room(search, last_distance(refining));
					return;
				case REFINE_SWEEP:
					HxSweepHeap(search);
					return;
				case REFINE_VISIT:
					break;
			}
		}
		if (HxRankingIsDue(search))
		{
			HxStartRanking(search);
			return;
		}
		kind->visit(search);
		Assert(HxHoldsNoPage());
		if (search->exact) /* the kind has found that estimates will not do */
		{
			HxStartPhase(search, HX_FIND_FIRST, search->room);
			return;
		}
	}
}

/*
 * Begin to refine, or go on where the last group ended.  Lasts as long as the search,
 * if that may go on.
 */
static Refining *
begin_refining(HxSearch *search)
{
	Refining *refining = search->refining;

	if (refining)
	{
		exchange_candidates(refining, &refining->released,
							&refining->candidates);
		return_passed_over(refining);
		search->refining = NULL;
	}
	else
	{
		refining = palloc0(sizeof(Refining));
		refining->search = search;
		refining->settled = NAN;
		refining->beyond = get_float8_infinity();
	}
	refining->wanted = HxRowsToRefine(search);
	return refining;
}

void
HxRefineFirst(HxSearch *search)
{
	bool goes_on = search->refining != NULL;
	Refining *refining = begin_refining(search);

	Assert(search->phase == HX_FIND_FIRST && search->refine);
	if (!goes_on)
	{
		HxBeginErrors(&refining->errors, search);
		if (search->exact)
		{
			find_exact(search, refining);
			return;
		}
		HxResetBest(&refining->exact, exact_room(refining));
		search->found = &refining->exact;
		search->middle = -get_float8_infinity();
	}
	find_by_estimates(search, refining);
}
