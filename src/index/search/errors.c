/*
 * errors.c
 *	  How far estimates are off, as a search has seen it so far.
 *
 * See README, "Estimates", and index/multi/README for kinds that visit all.
 */
#include "postgres.h"

#include <math.h>

#include "index/search/errors.h"
#include "index/search/state.h"

/*
 * What is thought of errors before any was seen, in deviations, and how many
 * errors seen weigh as much; what was seen is forgotten by and by
 */
#define PRIOR_MEAN (-0.5)
#define PRIOR_SQUARES 1.5
#define PRIOR_WEIGHT 6
#define LEAST_SQUARES 0.5
#define MEMORY 0.95

/*
 * Where all is visited, thousands may be left, far from what was seen: how errors
 * scatter is then told by more of them, which leave less to what was thought before.
 * It is told by those of rows nearer than expected, since the others have longer
 * tails, which do not matter.
 */
#define LONG_MEMORY 0.99
#define PART_LAST 0.5 /* of the errors seen, where that is more */
#define LEAST_APART 0.36
#define DRIFT_SEEN 20 /* so many tell how errors change with estimates */

/* Errors of maxima are expected to be so much greater at a target of .99 */
#define LONGER_TAILS 0.15

void
HxBeginErrors(HxErrors *errors, const HxSearch *search)
{
	memset(errors, 0, sizeof(*errors));
	errors->of_all = HxKindOf(&search->desc)->visits_all;
	errors->beyond = Min(Max(search->spec.recall - 0.95, 0) / 0.04, 1);
	HxExpectErrors(errors);
}

/* Places of the table of a normal distribution, for each deviation and side */
#define NORMAL_STEPS 64
#define NORMAL_REACH 8

/*
 * P(X <= x) of a standard normal X, from a table: right to a thousandth of it up to five
 * deviations, to two farther off, and beyond the table's reach, 1e-15 from the end, that.
 */
static double
normal_below(double x)
{
	static double table[2 * NORMAL_REACH * NORMAL_STEPS + 1];
	double place = (x + NORMAL_REACH) * NORMAL_STEPS;
	int at;

	if (!(place >= 0 && place < lengthof(table) - 1))
		return x < 0 ? 0 : x > 0 ? 1 : x;
	if (table[lengthof(table) - 1] == 0)
		for (int i = 0; i < lengthof(table); i++)
			table[i] = 0.5 * erfc((NORMAL_REACH - (double) i / NORMAL_STEPS) *
								  M_SQRT1_2);
	at = (int) place;
	return table[at] + (place - at) * (table[at + 1] - table[at]);
}

/* The spread of errors where all is visited; at high targets no less than usual */
static double
spread_of_all(const HxErrors *errors)
{
	double least = LEAST_APART + (LEAST_SQUARES - LEAST_APART) * errors->beyond;
	double squares = PRIOR_WEIGHT * PRIOR_SQUARES + errors->apart;

	return sqrt(Max(squares / (PRIOR_WEIGHT + errors->seen), least));
}

/*
 * Set what errors of the candidates that follow are expected.  Where estimates are
 * maxima, errors have longer tails than a normal one, which high targets come to.
 */
void
HxExpectErrors(HxErrors *errors)
{
	double weight = PRIOR_WEIGHT + errors->weight;
	double mean = (PRIOR_WEIGHT * PRIOR_MEAN + errors->sum) / weight;
	double squares = PRIOR_WEIGHT * (PRIOR_SQUARES + PRIOR_MEAN * PRIOR_MEAN) +
					 errors->squares;

	errors->mean = mean;
	errors->spread = sqrt(Max(squares / weight - mean * mean, LEAST_SQUARES));
	if (errors->of_all)
		errors->spread =
			spread_of_all(errors) * (1 + LONGER_TAILS * errors->beyond);
}

/*
 * What part of an error's weight is left at the next one: a number, or, after many, what
 * makes those seen last a part of all.  A search asks after each row that it looks at
 * whether it may end; were thousands judged by the last twenty, it would end where
 * these happen to promise few misses.
 */
static double
memory_of(const HxErrors *errors, double least)
{
	return Max(least, 1 - 1 / (PART_LAST * errors->noted));
}

/*
 * Take note of an estimate and its error, for how errors change with estimates.
 * Candidates farther off have been drawn less from rows that seem nearer than they
 * are, so that those behind are nearer than the errors seen tell (README).
 */
static void
note_drift(HxErrors *errors, double estimate, double error)
{
	double terms[] = {1, estimate, error, estimate * estimate,
					  estimate * error};
	double *line = errors->line;
	double variance;
	double shared;

	for (int i = 0; i < lengthof(terms); i++)
		line[i] = memory_of(errors, LONG_MEMORY) * line[i] + terms[i];
	errors->place = memory_of(errors, MEMORY) * errors->place + estimate;
	variance = line[3] / line[0] - line[1] / line[0] * (line[1] / line[0]);
	shared = line[4] / line[0] - line[1] / line[0] * (line[2] / line[0]);
	errors->drift = 0;
	if (variance > 0 && line[0] >= DRIFT_SEEN && errors->of_all)
		errors->drift = Min(shared / variance, 0);
	errors->drift_from = errors->place / errors->weight;
}

/*
 * Take note of how far an estimate was off, in its deviations.  Candidates are
 * looked at from the nearest one on, so that what was seen last tells most of
 * those that follow: an estimate is too small rather than too great where there
 * are more rows farther off (Tweedie's formula), and too great where the rest of
 * a vector, which its code leaves out, is as near as what it keeps.
 */
void
HxNoteError(HxErrors *errors, const HxCandidate *row, double distance)
{
	double deviation = HxDeviation(row);
	double memory;
	double memory_long;
	double error;

	if (!(deviation > 0) || !isfinite(row->distance) || !isfinite(distance))
		return;
	error = (distance - row->distance) / deviation;
	errors->noted++;
	memory = memory_of(errors, MEMORY);
	memory_long = memory_of(errors, LONG_MEMORY);
	errors->weight = memory * errors->weight + 1;
	errors->sum = memory * errors->sum + error;
	errors->squares = memory * errors->squares + error * error;
	if (errors->weight > 1 && error < errors->mean)
	{
		errors->seen = memory_long * errors->seen + 1;
		errors->apart = memory_long * errors->apart +
						(error - errors->mean) * (error - errors->mean);
	}
	note_drift(errors, row->distance, error);
	HxExpectErrors(errors);
}

/* The error that is expected of an estimate, in its deviations */
static double
mean_error(const HxErrors *errors, double estimate)
{
	return errors->mean + errors->drift * Max(estimate - errors->drift_from, 0);
}

double
HxChanceBelow(const HxErrors *errors, double estimate, double deviation,
			  double distance)
{
	double off = (distance - estimate) / deviation;

	Assert(deviation > 0);
	return normal_below((off - mean_error(errors, estimate)) / errors->spread);
}
