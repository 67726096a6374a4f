/*
 * sum_stop.c
 *	  The bound of a sum, and whether a scan may end before all rows wanted are settled
 *	  by it.
 *
 * See README, "Sums of distances", "Forecast".
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "plan/sum.h"

/* Rows that a scan reads between two looks at the forecast, in rows wanted */
#define LOOKS_A_WANTED 4

/* Rows of a term at least before its course tells anything */
#define LEAST_READ 8

/* Added to the rows that stopping earlier would have missed: none seen is not none */
#define NONE_MISSED 0.75

/*
 * A term has as many rows in the latter half of its course as in all before, so rows
 * double with each rise of its frontier by as much.  Rows to come lie farther by half
 * that rise, and a third of the gap
 */
#define RISES_BETWEEN 0.5
#define BEYOND 3.0

/* A term is read no more than so many times as far as another */
#define MOST_AHEAD 4

/* The sum of some frontiers, of which each active term has one */
HxSumValue
HxBoundOf(HxSumState *state, const double *frontiers)
{
	TupleTableSlot *slot = state->frontiers;
	ExprContext *context = state->check_context;
	HxSumValue sum;
	Datum bound;

	ExecClearTuple(slot);
	for (int t = 0; t < state->data.nterms; t++)
	{
		const HxTermState *term = &state->terms[t];

		slot->tts_values[t] = Float8GetDatum(term->zero ? 0 : frontiers[t]);
		slot->tts_isnull[t] = term->active && term->only_nulls;
	}
	ExecStoreVirtualTuple(slot);
	ResetExprContext(context);
	context->ecxt_innertuple = slot;
	bound = ExecEvalExprSwitchContext(state->bound, context, &sum.isnull);
	sum.value =
		sum.isnull ? 0 : HxFloatOf((const Node *) state->data.expr, bound);
	return sum;
}

/* Set the bound: the sum of the frontiers, as far as all have one. */
void
HxSetBound(HxSumState *state)
{
	double frontiers[HX_MOST_TERMS];

	for (int t = 0; t < state->data.nterms; t++)
	{
		if (state->terms[t].active && !state->terms[t].has_frontier)
			return;
		frontiers[t] = state->terms[t].frontier;
	}
	state->limit = HxBoundOf(state, frontiers);
}

/* ---- the course of a search ---- */

/* Take note of a term's frontier, now that one more row was read. */
void
HxNoteCourse(HxSumState *state, HxTermState *term)
{
	if (!state->forecasts)
		return;
	if (term->read > term->course_room)
	{
		term->course_room = Max(2 * term->course_room, 64);
		term->course = term->course
						   ? repalloc_huge(term->course,
										   term->course_room * sizeof(double))
						   : palloc(term->course_room * sizeof(double));
	}
	term->course[term->read - 1] = term->frontier;
}

/* Where a term was when half its rows had been read */
static uint64
half_of(const HxTermState *term)
{
	return term->read / 2;
}

/* The bound as it was when a term had read half its rows, and others all of theirs */
static double
bound_before(HxSumState *state, int number)
{
	double frontiers[HX_MOST_TERMS];

	for (int t = 0; t < state->data.nterms; t++)
		frontiers[t] = state->terms[t].frontier;
	frontiers[number] =
		state->terms[number].course[half_of(&state->terms[number]) - 1];
	return HxBoundOf(state, frontiers).value;
}

/* Is a term's course known, and does it tell how it goes on? */
static bool
has_course(const HxTermState *term)
{
	return term->open && term->read >= LEAST_READ && !term->only_nulls &&
		   isfinite(term->frontier);
}

/* ---- forecast ---- */

/* What the rows that are the first so far tell */
typedef struct FirstRows
{
	double alone; /* found by one term alone, in the latter half of its rows */
	double at_risk; /* found by no term that misses nothing */
} FirstRows;

/* Does a search of a term miss nothing? */
static bool
is_exact(const HxTermState *term)
{
	return term->active && term->scan && HxScanIsExact(term->scan);
}

static FirstRows
look_at_first(const HxSumState *state)
{
	const HxSumRows *rows = &state->rows;
	bool exact[HX_MOST_TERMS];
	FirstRows told = {0};

	for (int t = 0; t < state->data.nterms; t++)
		exact[t] = is_exact(&state->terms[t]);
	for (int64 i = 0; i < rows->nfirst; i++)
	{
		const uint32 *places = HxPlacesOf(rows, rows->first[i].root);
		int found = 0;
		bool late = false;
		bool sure = false;

		Assert(places);
		for (int t = 0; t < state->data.nterms; t++)
			if (places[t] > 0)
			{
				found++;
				late |= places[t] > half_of(&state->terms[t]);
				sure |= exact[t];
			}
		told.alone += found == 1 && late;
		told.at_risk += !sure;
	}
	return told;
}

/*
 * Rows not seen that are expected among the first, and the term that raises the bound
 * most for what it takes.  Had a term read only half its rows, those would be missed
 * that it alone has found since: they lie within the last sum by at most as much as
 * the bound was lower then.  Those to come lie within by what it is lower now, in as
 * many dimensions as there are terms.
 */
static double
expected_unseen(HxSumState *state, double alone)
{
	double gap = state->rows.first[0].sum.value - state->limit.value;
	double strips = 0;
	double growth = 1;
	double best = -1;
	int terms = 0;

	for (int t = 0; t < state->data.nterms; t++)
		terms += state->terms[t].active;
	for (int t = 0; t < state->data.nterms; t++)
	{
		HxTermState *term = &state->terms[t];
		double rise;
		double worth;

		if (!term->active)
			continue;
		rise = state->limit.value - bound_before(state, t);
		strips += pow(gap + rise, terms) - pow(gap, terms);
		growth *= exp2(RISES_BETWEEN + gap / BEYOND / Max(rise, 1e-300));
		worth = rise / (double) (term->read - half_of(term)) / term->further;
		if (worth > best)
		{
			best = worth;
			state->favourite = term;
		}
	}
	return growth * (alone + NONE_MISSED) * pow(gap, terms) / strips;
}

/* A favourite that is far ahead of others is none. */
static void
check_favourite(HxSumState *state)
{
	for (int t = 0; t < state->data.nterms; t++)
		if (state->favourite && state->terms[t].active &&
			state->terms[t].read * MOST_AHEAD < state->favourite->read)
			state->favourite = NULL;
}

/*
 * May the scan end with the first rows so far?  Where no more are expected to be missed
 * than the target allows: rows that no search has come to, and of those that may have
 * been missed by the searches that came to them as many as these miss.
 */
bool
HxIsSumSettled(HxSumState *state)
{
	const HxSumRows *rows = &state->rows;
	double allowed = (1 - state->recall) * (double) state->wanted;
	FirstRows told;
	uint64 read = 0;
	double unseen;

	if (!state->forecasts || rows->nfirst < rows->first_room ||
		rows->first[0].sum.isnull || !isfinite(rows->first[0].sum.value) ||
		state->limit.isnull || !isfinite(state->limit.value))
		return false;
	for (int t = 0; t < state->data.nterms; t++)
	{
		read += state->terms[t].read;
		if (state->terms[t].active && !has_course(&state->terms[t]))
		{
			state->favourite = NULL;
			return false;
		}
	}
	if (read < state->next_look)
		return false;
	state->next_look = read + 1 + state->wanted / LOOKS_A_WANTED;
	told = look_at_first(state);
	unseen = expected_unseen(state, told.alone);
	check_favourite(state);
	return unseen + (1 - state->recall) * told.at_risk <= allowed;
}
