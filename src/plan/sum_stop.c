/*
 * sum_stop.c
 *	  May a scan by a sum end before all rows wanted are settled by the bound?
 *
 * See README, "Sums of distances", "Forecast".
 */
#include "postgres.h"

#include <math.h>

#include "plan/sum.h"

/* Added to the rows that stopping earlier would have missed: none seen is not none */
#define NONE_MISSED 1

/*
 * A term has as many rows in the latter half of its course as in all before, so rows
 * double with each rise of its frontier by as much.  Rows to come lie farther by half
 * that rise, and a third of the gap
 */
#define RISES_BETWEEN 0.5
#define BEYOND 3.0

/* What the rows that are the first so far tell */
typedef struct FirstRows
{
	double alone; /* found by one term alone, in the latter half of its rows */
	double at_risk; /* found by no term that misses nothing */
} FirstRows;

/* Add what one of the first rows tells. */
static void
add_first_row(const HxSumState *state, const uint32 *places, FirstRows *told)
{
	int found = 0;
	bool late = false;
	bool sure = false;

	Assert(places);
	for (int t = 0; t < state->data.nterms; t++)
	{
		const HxTermState *term = &state->terms[t];

		if (places[t] == 0)
			continue;
		found++;
		late |= places[t] > HxHalfOf(term);
		sure |= HxScanIsExact(term->scan);
	}
	told->alone += found == 1 && late;
	told->at_risk += !sure;
}

/*
 * Rows not seen that are expected among the first.  Had a term read only half its rows,
 * those would be missed that it alone has found since: they lie within the last sum by
 * at most as much as the bound was lower then.  Those to come lie within by what it is
 * lower now, in as many dimensions as there are terms.
 */
static double
expected_unseen(const HxSumState *state, double alone, double gap)
{
	double strips = 0;
	double growth = 1;
	int terms = 0;

	for (int t = 0; t < state->data.nterms; t++)
		terms += state->terms[t].active;
	for (int t = 0; t < state->data.nterms; t++)
	{
		const HxTermState *term = &state->terms[t];

		if (!term->active)
			continue;
		if (!(term->rise > 0)) /* nothing tells how rows become more */
			return INFINITY;
		strips += pow(gap + term->rise, terms) - pow(gap, terms);
		growth *= exp2(RISES_BETWEEN + gap / BEYOND / term->rise);
	}
	return growth * (alone + NONE_MISSED) * pow(gap, terms) / strips;
}

/*
 * May the scan end with the first rows so far?  Where no more are expected to be missed
 * than the target allows: rows that no search has come to, and of those that may have
 * been missed by the searches that came to them as many as these miss.  Just after the
 * courses of all searches were looked at.
 */
bool
HxMayEndSum(const HxSumState *state)
{
	const HxSumRows *rows = &state->rows;
	double missed = 1 - state->recall;
	FirstRows told = {0};
	HxSumValue last;

	if (rows->most_first == 0 || rows->nfirst < rows->most_first ||
		rows->nsettled >= rows->nfirst)
		return false;
	last = rows->first[rows->nfirst - 1].sum;
	if (last.isnull || !isfinite(last.value))
		return false;
	for (int64 i = 0; i < rows->nfirst; i++)
		add_first_row(state, HxPlacesOf(rows, rows->first[i].root), &told);
	return missed * told.at_risk +
			   expected_unseen(state, told.alone,
							   last.value - state->limit.value) <=
		   missed * (double) rows->nfirst;
}
