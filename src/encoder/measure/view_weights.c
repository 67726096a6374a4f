/*
 * view_weights.c
 *	  Weights for bit_vote: how far the codes of each view can be trusted.
 *
 * Several encoders, views, give each row codes of one meaning, which differ by
 * errors.  After D-MVE-Hash a view's weight follows from its stability.  With
 * labels that is how much of its bits rows of one label share, (1 - 2 e)^2 for
 * bits of error e.  Without, neighbours would have to be found by the codes
 * themselves, which always find a view stable in its own errors; what views share
 * about one row tells more, (1 - 2 e_u) (1 - 2 e_v) where they err
 * independently: of three views or more the error of each follows.  All shares
 * are less what other rows share by chance.  A bit of error e counts
 * log((1 - e) / e), which makes the best vote.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"

#include "random.h"
#include "type/aggregate.h"
#include "type/bincode.h"

/* Rows kept, those compared with each, and rows without which nothing is told */
#define MOST_ROWS 1000
#define COMPARED 20
#define LEAST_ROWS 20

/* Views of a row */
#define MOST_VIEWS 64

/* Least error of a bit that is believed */
#define LEAST_ERROR 0.001

/* Rows kept */
typedef struct State
{
	int views;
	int dims;
	int plane;	  /* bytes of a code */
	int rows;	  /* kept */
	uint64 seen;  /* of all */
	uint8 *codes; /* MOST_ROWS x views x plane */
	bool labelled;
	int64 label[MOST_ROWS];
	HxRandom random;
} State;

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_view_weights_add);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_view_weights_final);

/* A state for rows like this one */
static State *
new_state(MemoryContext context, int views, const HxCode *code)
{
	State *state = MemoryContextAllocZero(context, sizeof(State));

	if (views > MOST_VIEWS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("row has codes of %d views, the limit is %d",
							   views, MOST_VIEWS)));
	if (code->dims < 2)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("hashemb_view_weights needs codes of two "
							   "dimensions at least")));
	state->views = views;
	state->dims = code->dims;
	state->plane = (int) code->plane_bytes;
	state->codes = MemoryContextAllocExtended(
		context, (size_t) MOST_ROWS * views * state->plane, MCXT_ALLOC_HUGE);
	hx_seed_random(&state->random, 1);
	return state;
}

/* Place of the row that has come, or -1: a sample of all */
static int
choose_place(State *state)
{
	uint64 place;

	state->seen++;
	if (state->rows < MOST_ROWS)
		return state->rows++;
	place = hx_random_below(&state->random, state->seen);
	return place < MOST_ROWS ? (int) place : -1;
}

/* Keep the codes of a row. */
static State *
keep_row(State *state, MemoryContext context, const Datum *values, int views,
		 const int64 *label)
{
	int place = -1;

	for (int v = 0; v < views; v++)
	{
		HxCode code = HxViewCode(values[v]);

		HxCheckOnePlane(&code, "hashemb_view_weights");
		if (state == NULL)
			state = new_state(context, views, &code);
		if (views != state->views)
			ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
							errmsg("row has codes of %d views, others of %d",
								   views, state->views)));
		(void) HxMatchShapes(state->dims, 1, code.dims, 1,
							 "Codes of all views have one length.", NULL);
		if (v == 0)
			place = choose_place(state);
		if (place >= 0)
			memcpy(state->codes + ((size_t) place * views + v) * state->plane,
				   code.data, state->plane);
	}
	if (place >= 0 && label != NULL)
		state->label[place] = *label;
	state->labelled = label != NULL;
	return state;
}

/* hashemb_view_weights: count a row; one without all of its codes is no row */
Datum
hx_view_weights_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = HxAggregateContext(fcinfo);
	State *state = PG_ARGISNULL(0) ? NULL : (State *) PG_GETARG_POINTER(0);
	ArrayType *array;
	Datum *values;
	bool *nulls;
	int views;
	bool whole = true;
	int64 label = 0;

	if (PG_NARGS() > 2 && !PG_ARGISNULL(2))
		label = PG_GETARG_INT64(2);
	if (!PG_ARGISNULL(1) && (PG_NARGS() == 2 || !PG_ARGISNULL(2)))
	{
		array = PG_GETARG_ARRAYTYPE_P(1);
		if (ARR_NDIM(array) > 1)
			ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
							errmsg("hashemb_view_weights needs arrays of one "
								   "dimension, not of %d",
								   ARR_NDIM(array))));
		deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_INT,
						  &values, &nulls, &views);
		for (int v = 0; v < views; v++)
			whole = whole && !nulls[v];
		if (views > 0 && whole)
			state = keep_row(state, context, values, views,
							 PG_NARGS() > 2 ? &label : NULL);
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

/* Code of a row in a view */
static inline const uint8 *
code_of(const State *state, int row, int view)
{
	return state->codes + ((size_t) row * state->views + view) * state->plane;
}

/* 1 - 2 d: what two codes share, d of their bits differing, from -1 to 1 */
static double
share_of(const State *state, int a, int view_a, int b, int view_b)
{
	const uint8 *left = code_of(state, a, view_a);
	const uint8 *right = code_of(state, b, view_b);
	int count = 0;

	for (int i = 0; i < state->plane; i++)
		count += pg_number_of_ones[left[i] ^ right[i]];
	return 1.0 - 2.0 * count / state->dims;
}

/* A share beyond what chance gives, from 0 to 1 */
static double
beyond(double share, double chance)
{
	return chance < 1.0 ? Min(Max((share - chance) / (1.0 - chance), 0.0), 1.0)
						: 0.0;
}

/* What views u and v share of rows and, by chance, of pairs of rows */
static double
share_of_views(const State *state, int u, int v)
{
	int n = state->rows;
	double same = 0.0;
	double chance = 0.0;

	for (int r = 0; r < n; r++)
	{
		CHECK_FOR_INTERRUPTS();
		same += share_of(state, r, u, r, v) / n;
		for (int i = 1; i <= COMPARED; i++)
			chance += share_of(state, r, u, (r + i * 7) % n, v) /
					  ((double) n * COMPARED);
	}
	return beyond(same, chance);
}

/* What rows of one label share in a view, and, by chance, others */
static double
share_of_labels(const State *state, int v)
{
	int n = state->rows;
	double sum[2] = {0.0, 0.0};
	int64 count[2] = {0, 0};

	for (int r = 0; r < n; r++)
	{
		int found[2] = {0, 0};

		CHECK_FOR_INTERRUPTS();
		for (int i = 1; i < n && (found[0] < COMPARED || found[1] < COMPARED);
			 i++)
		{
			int other = (r + i) % n;
			int same = state->label[r] == state->label[other];

			if (found[same]++ >= COMPARED)
				continue;
			sum[same] += share_of(state, r, v, other, v);
			count[same]++;
		}
	}
	if (count[0] == 0 || count[1] == 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("hashemb_view_weights needs several labels, of "
							   "several rows each")));
	return beyond(sum[1] / count[1], sum[0] / count[0]);
}

/*
 * Squares of 1 - 2 e without labels: what a view shares with two others, by what
 * these share with each other, over all pairs of others.  Two views cannot be told
 * apart.
 */
static void
compare_views(const State *state, double *square)
{
	double share[MOST_VIEWS][MOST_VIEWS];
	int views = state->views;

	for (int u = 0; u < views; u++)
		for (int v = 0; v < u; v++)
			share[u][v] = share[v][u] = share_of_views(state, u, v);
	for (int v = 0; v < views; v++)
	{
		double products = 0.0;
		double others = 0.0;

		for (int u = 0; u < views; u++)
			for (int w = 0; w < u; w++)
			{
				if (u == v || w == v)
					continue;
				products += share[u][v] * share[w][v];
				others += share[u][w];
			}
		square[v] = views < 3 ? 0.5 : others > 0.0 ? products / others : 0.0;
	}
}

/* hashemb_view_weights: weights that add up to 1 */
Datum
hx_view_weights_final(PG_FUNCTION_ARGS)
{
	State *state = PG_ARGISNULL(0) ? NULL : (State *) PG_GETARG_POINTER(0);
	Datum weights[MOST_VIEWS];
	double weight[MOST_VIEWS];
	double square[MOST_VIEWS];
	double sum = 0.0;

	if (state == NULL)
		PG_RETURN_NULL();
	if (state->rows < LEAST_ROWS)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("hashemb_view_weights needs at least %d rows, "
							   "not %d",
							   LEAST_ROWS, state->rows)));
	if (!state->labelled)
		compare_views(state, square);
	for (int v = 0; v < state->views; v++)
	{
		double error;

		if (state->labelled)
			square[v] = share_of_labels(state, v);
		error = 0.5 * (1.0 - sqrt(Min(square[v], 1.0)));
		error = Max(error, LEAST_ERROR);
		weight[v] = log((1.0 - error) / error);
		sum += weight[v];
	}
	for (int v = 0; v < state->views; v++)
		weights[v] =
			Float8GetDatum(sum > 0.0 ? weight[v] / sum : 1.0 / state->views);
	PG_RETURN_ARRAYTYPE_P(construct_array(weights, state->views, FLOAT8OID,
										  sizeof(float8), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}
