/*
 * chances.c
 *	  What candidates may be that are not looked at: the rows among them that are
 *	  expected to be nearer than the last one wanted.
 *
 * See README, "Estimates".
 */
#include "postgres.h"

#include <math.h>

#include "utils/float.h"

#include "index/search/refine.h"

/*
 * Candidates with one estimate and deviation are copies of one vector, if as many
 * of them as this had one exact distance
 */
#define COPIES_SEEN 4

/* Candidates that are asked about for each one looked at */
#define ASKED_A_LOOK 64

void
HxNoteCopy(HxCopies *copies, const HxCandidate *row, double distance)
{
	if (copies->count > 0 && copies->estimate == row->distance &&
		copies->deviation == row->deviation && copies->distance == distance)
		copies->count++;
	else
		*copies = (HxCopies){row->distance, row->deviation, distance, 1};
}

/* Are fewer rows found than are wanted, so that a row at the distance counts, too? */
static inline bool
lacks_rows(const HxRefining *refining)
{
	return HxBestCount(&refining->exact) < refining->wanted;
}

/* Has a candidate the estimate of rows that turned out to be copies of one vector? */
static inline bool
is_copy(const HxRefining *refining, const HxCandidate *row)
{
	const HxCopies *copies = &refining->copies;

	return refining->search->spec.recall < 1 && copies->count >= COPIES_SEEN &&
		   row->distance == copies->estimate &&
		   row->deviation == copies->deviation;
}

double
HxChanceOf(const HxRefining *refining, const HxCandidate *row, double distance)
{
	const HxCopies *copies = &refining->copies;
	double deviation = HxDeviation(row);

	if (is_copy(refining, row))
		return refining->search->spec.ties || lacks_rows(refining)
				   ? copies->distance <= distance
				   : copies->distance < distance;
	if (isinf(row->distance) || isinf(distance) || deviation <= 0)
		return row->distance <= distance ? 1 : 0;
	return HxChanceBelow(&refining->errors, row->distance, deviation, distance);
}

/* ---- rows that were not kept ---- */

/* Candidates whose deviations stand for those of all; and steps outwards */
#define DEVIATIONS_TRIED 16
#define TAIL_STEPS 64
#define STEPS_A_DEVIATION 4

/* Deviations of some of the candidates from place `at` on; returns their mean. */
static double
draw_deviations(const HxBest *best, int64 at, double *deviations)
{
	double sum = 0;

	for (int i = 0; i < DEVIATIONS_TRIED; i++)
	{
		int64 place = at + (best->count - at) * i / DEVIATIONS_TRIED;

		deviations[i] = HxDeviation(&best->rows[place]);
		sum += deviations[i];
	}
	return sum / DEVIATIONS_TRIED;
}

/* Probability that the exact distance of such a row is below a distance */
static double
mean_chance(const HxRefining *refining, const double *deviations,
			double estimate, double distance)
{
	double sum = 0;

	for (int i = 0; i < DEVIATIONS_TRIED; i++)
		if (deviations[i] > 0)
			sum += HxChanceBelow(&refining->errors, estimate, deviations[i],
								 distance);
	return sum / DEVIATIONS_TRIED;
}

/*
 * How fast rows become more with their estimates, where those kept end: the
 * logarithm of their number, for each unit of distance.  At place `at` stands the
 * first that was not looked at.
 */
static double
find_growth(const HxRefining *refining, int64 at)
{
	const HxBest *best = &refining->search->best;
	double kept = (double) (refining->looked + best->count - at);
	int64 half = Max((int64) (kept / 2) - refining->looked, 0);
	double width = best->frontier.distance - best->rows[at + half].distance;

	return width > 0 ? log(kept / (refining->looked + half + 1)) / width : -1;
}

/*
 * Rows nearer than a distance that are expected among those for which there was
 * no room: beyond the frontier they go on becoming more as before it, and their
 * deviations are those of the candidates kept.
 */
static double
lost_misses(const HxRefining *refining, int64 at, double distance)
{
	const HxSearch *search = refining->search;
	const HxBest *best = &search->best;
	double kept = (double) (refining->looked + best->count - at);
	double left = search->passed - kept;
	double deviations[DEVIATIONS_TRIED];
	double growth;
	double step;
	double sum = 0;

	if (!(left > 0) || best->frontier.distance == get_float8_infinity())
		return 0;
	if (isinf(best->frontier.distance) || at >= best->count ||
		(growth = find_growth(refining, at)) <= 0)
		return left; /* nothing is known of them */
	step = draw_deviations(best, at, deviations) * refining->errors.spread /
		   STEPS_A_DEVIATION;
	for (int i = 0; i < TAIL_STEPS && left > 0; i++)
	{
		double rows = Min(kept * expm1(growth * step), left);
		double estimate = best->frontier.distance + i * step;

		sum += rows * mean_chance(refining, deviations, estimate, distance);
		kept += rows;
		left -= rows;
	}
	return sum;
}

/*
 * Can misses be told among rows for which there was no room?  Only where all is
 * visited and counted; and if too few rows were found, each of them is wanted.
 */
static bool
tells_lost(const HxRefining *refining, double distance)
{
	return refining->errors.of_all && !isinf(distance);
}

double
HxCandidateMisses(HxRefining *refining, int64 at, double distance,
				  double enough, bool *all)
{
	HxBest *best = &refining->search->best;
	HxErrors *errors = &refining->errors;
	double farthest = HX_FARTHEST;
	double sum = 0;

	*all = true;
	HxExpectErrors(errors);
	if (errors->of_all)
		farthest = HX_FARTHEST * errors->spread - errors->mean;
	farthest *= HxLengthen(refining->search->widest);
	for (int64 i = at;; i++)
	{
		HxSortBest(best, i + 1);
		if (i >= best->count)
			break;
		if (best->rows[i].distance - distance > farthest &&
			!is_copy(refining, &best->rows[i]))
			return sum;
		sum += HxChanceOf(refining, &best->rows[i], distance);
		if (sum > enough)
		{
			refining->again = refining->looked + (i - at) / ASKED_A_LOOK + 1;
			return sum;
		}
	}
	*all = !best->lost || (tells_lost(refining, distance) &&
						   sum + lost_misses(refining, at, distance) <= enough);
	return sum;
}
