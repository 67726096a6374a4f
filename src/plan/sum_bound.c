/*
 * sum_bound.c
 *	  The bound of a sum, and which search raises it at the least price.
 *
 * See README, "Sums of distances".
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "plan/sum.h"

/* Rows that a scan reads between two looks at courses, in rows wanted */
#define LOOKS_A_WANTED 4

/* Rows of a term at least before its course tells anything */
#define LEAST_READ 8

/* A term is read no more than so many times as far as another */
#define MOST_AHEAD 4

/*
 * What stands at a place of the bound: the frontier of its term, or the greatest where
 * several terms are of one distance, whose weights may be 0.  NULL behind the last
 * distance, 0 where no term is searched for.
 */
static double
frontier_at(const HxSumState *state, int place, const double *frontiers,
			bool *isnull)
{
	double frontier = 0;
	bool any = false;

	*isnull = false;
	for (int t = place; t < state->data.nterms; t++)
	{
		const HxTermState *term = &state->terms[t];

		if (term->place != place || !term->active)
			continue;
		*isnull |= term->only_nulls;
		if (term->zero)
			continue;
		frontier = any ? Max(frontier, frontiers[t]) : frontiers[t];
		any = true;
	}
	return frontier;
}

/* The sum of some frontiers, of which each active term has one */
static HxSumValue
bound_of(HxSumState *state, const double *frontiers)
{
	TupleTableSlot *slot = state->frontiers;
	ExprContext *context = state->check_context;
	HxSumValue sum;
	Datum bound;

	ExecClearTuple(slot);
	for (int t = 0; t < state->data.nterms; t++)
		slot->tts_values[t] = Float8GetDatum(
			frontier_at(state, t, frontiers, &slot->tts_isnull[t]));
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
	state->limit = bound_of(state, frontiers);
}

/* ---- the course of a search ---- */

/* Take note of a term's frontier, now that one more row was read. */
void
HxNoteCourse(HxSumState *state, HxTermState *term)
{
	if (!state->by_price)
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
uint64
HxHalfOf(const HxTermState *term)
{
	return term->read / 2;
}

/* What the latter half of a term's course has raised the bound by */
static double
rise_of_bound(HxSumState *state, int number)
{
	const HxTermState *term = &state->terms[number];
	double frontiers[HX_MOST_TERMS];

	for (int t = 0; t < state->data.nterms; t++)
		frontiers[t] = state->terms[t].frontier;
	frontiers[number] = term->course[HxHalfOf(term) - 1];
	return state->limit.value - bound_of(state, frontiers).value;
}

/* Is a term's course known, and does it tell how it goes on? */
static bool
has_course(const HxTermState *term)
{
	return term->open && term->read >= LEAST_READ && !term->only_nulls &&
		   isfinite(term->frontier);
}

/* Do the courses of all searches tell how they go on? */
static bool
have_courses(const HxSumState *state)
{
	for (int t = 0; t < state->data.nterms; t++)
		if (state->terms[t].active && !has_course(&state->terms[t]))
			return false;
	return true;
}

/* ---- turns ---- */

/* The search whose latter half has raised the bound most for what it took */
static HxTermState *
best_value(HxSumState *state)
{
	HxTermState *best = NULL;
	double most = -1;

	for (int t = 0; t < state->data.nterms; t++)
	{
		HxTermState *term = &state->terms[t];
		double worth;

		if (!term->active)
			continue;
		worth =
			term->rise / (double) (term->read - HxHalfOf(term)) / term->further;
		if (worth > most)
		{
			most = worth;
			best = term;
		}
	}
	return best;
}

/* Is a search far ahead of another? */
static bool
is_far_ahead(const HxSumState *state, const HxTermState *term)
{
	for (int t = 0; t < state->data.nterms; t++)
		if (state->terms[t].active &&
			state->terms[t].read * MOST_AHEAD < term->read)
			return true;
	return false;
}

/*
 * Look at the courses of the searches, now and then: what has each raised the bound by
 * (`rise`), and which is to go on (`favourite`; none where courses do not tell)?  True
 * if they were looked at.
 */
bool
HxLookAtCourses(HxSumState *state)
{
	uint64 read = 0;

	if (!state->by_price || state->limit.isnull ||
		!isfinite(state->limit.value))
		return false;
	for (int t = 0; t < state->data.nterms; t++)
		read += state->terms[t].read;
	if (!have_courses(state))
	{
		state->favourite = NULL;
		return false;
	}
	if (read < state->next_look)
		return false;
	state->next_look = read + 1 + state->wanted / LOOKS_A_WANTED;
	for (int t = 0; t < state->data.nterms; t++)
		if (state->terms[t].active)
			state->terms[t].rise = rise_of_bound(state, t);
	state->favourite = best_value(state);
	if (state->favourite && is_far_ahead(state, state->favourite))
		state->favourite = NULL;
	return true;
}
