/*
 * sum_search.c
 *	  The searches of a sum's terms, the rows that they find, and the bound.
 *
 * See README, "Sums of distances".
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/tableam.h"
#include "miscadmin.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "index/cost_units.h"
#include "plan/sum.h"

/* How batches grow */
#define BATCH_GROWTH 3

/* Rows wanted where nobody knows how many */
#define DEFAULT_WANTED 10

/* A batch of more than such a part of the table is too much */
#define MOST_PART 4

/*
 * Of the rows that a search is expected to return, those that it finds first, but so many
 * at least; for more it begins again, for a multiple of them.  Where its distances are
 * estimates it keeps candidates for more.
 */
#define FIRST_PART 0.9
#define LEAST_FIRST 32
#define OPEN_GROWTH 4
#define REFINED_FIRST 4

/* Of what a sweep takes, what may be spent before one */
#define SEARCH_PART 0.5

/* ---- weights ---- */

/*
 * Evaluate the weights: which terms are searched for?  False if one is negative or
 * not finite, so that the sum may fall where a distance grows.
 */
static bool
set_weights(HxSumState *state)
{
	ExprContext *context = state->css.ss.ps.ps_ExprContext;
	const HxSumData *data = &state->data;
	bool any = false;

	for (int t = 0; t < data->nterms; t++)
		state->terms[t].zero = false;
	for (int w = 0; w < list_length(state->weights); w++)
	{
		const Expr *expr = list_nth(data->weights, w);
		bool isnull;
		Datum datum =
			ExecEvalExpr(list_nth(state->weights, w), context, &isnull);
		double value = HxFloatOf((const Node *) expr, datum);

		if (isnull) /* then so are all sums */
			continue;
		if (!isfinite(value) || value < 0 ||
			(value == 0 && list_nth_int(data->divides, w)))
			return false;
		if (value == 0)
			for (int t = list_nth_int(data->starts, w);
				 t < list_nth_int(data->ends, w); t++)
				state->terms[t].zero = true;
	}
	for (int t = 0; t < data->nterms; t++)
	{
		state->terms[t].active = !state->terms[t].zero;
		any |= state->terms[t].active;
	}
	state->terms[0].active |= !any;
	return true;
}

/*
 * Get the terms ready to be searched for; false if the threshold rule does not hold
 * for these weights.
 */
bool
HxBeginTerms(HxSumState *state)
{
	if (!set_weights(state))
		return false;
	for (int t = 0; t < state->data.nterms; t++)
	{
		HxTermState *term = &state->terms[t];

		term->batch = term->read = 0;
		term->open = false;
		term->course = NULL;
		term->course_room = 0;
		term->waited = 0;
		term->has_frontier = term->only_nulls = false;
	}
	state->limit.value = -get_float8_infinity();
	state->limit.isnull = false;
	return true;
}

/* ---- batches ---- */

/* Rows wanted, as far as is known */
static int64
rows_wanted(const HxSumState *state)
{
	return Max(state->wanted > 0 ? state->wanted : DEFAULT_WANTED,
			   state->rows.nreturned);
}

/* How many rows is a term's search to be asked for next? */
static uint64
next_batch(const HxSumState *state, const HxTermState *term)
{
	uint64 wanted = (uint64) rows_wanted(state);
	uint64 first = Max(wanted + term->more, 2 * wanted);

	return Max(first, (term->open ? term->read : term->batch) * BATCH_GROWTH);
}

/* Rows that a search finds first where it may go on for more */
static int64
rows_first(const HxSumState *state)
{
	double depth =
		HxExpectedDepth(state->css.ss.ps.plan->plan_rows,
						(double) rows_wanted(state), state->data.nterms);

	return (int64) Min(Max(FIRST_PART * depth, LEAST_FIRST), HX_SECOND_ROWS);
}

/* The batch of a term that is open: the first, or the next one */
static uint64
open_batch(const HxSumState *state, const HxTermState *term)
{
	uint64 first =
		(uint64) rows_first(state) * (term->data->measured ? REFINED_FIRST : 1);

	if (term->batch == 0)
		return first;
	return term->batch < HX_SECOND_ROWS
			   ? Min(term->batch * OPEN_GROWTH, HX_SECOND_ROWS)
			   : PG_UINT64_MAX;
}

/* Is a term's batch used up? */
static bool
is_used_up(const HxTermState *term)
{
	return term->batch > 0 && term->read >= term->batch;
}

/* Take note of work that a term has done while the batches of others are used up. */
static void
add_work(HxSumState *state, const HxTermState *term, double time)
{
	for (int t = 0; t < state->data.nterms; t++)
		if (&state->terms[t] != term && is_used_up(&state->terms[t]))
			state->terms[t].waited += time;
}

/*
 * The term that is to advance: each in its turn.  One whose batch is used up waits
 * until the others have worked for as long as its next search takes: if they
 * raise the bound far enough, that was not needed, and if not, no more than that was
 * lost.  If all are used up, the one that has the least time to wait is next.
 */
HxTermState *
HxChooseTerm(HxSumState *state)
{
	HxTermState *best = NULL;

	if (state->favourite && !is_used_up(state->favourite))
		return state->favourite;
	for (int i = 0; i < state->data.nterms; i++)
	{
		HxTermState *term = &state->terms[state->turn];

		state->turn = (state->turn + 1) % state->data.nterms;
		if (!term->active)
			continue;
		if (!is_used_up(term) || term->waited >= term->search_time)
			return term;
		if (!best ||
			term->search_time - term->waited < best->search_time - best->waited)
			best = term;
	}
	Assert(best);
	return best;
}

/* A search of a term begins, or begins again for more rows. */
static void
count_search(HxSumState *state, HxTermState *term)
{
	term->stats.searches++;
	term->waited = 0;
	add_work(state, term, term->search_time);
}

/*
 * Begin a search for a batch.  The first one of a search that may miss rows is asked for
 * as many as will be needed, one after the other: up to a number it goes on where it
 * was.  A later one, and one that is exact, finds its batch at once.
 */
static void
start_batch(HxSumState *state, HxTermState *term)
{
	ScanState *ss = &state->css.ss;
	ExprContext *context = ss->ps.ps_ExprContext;
	int nkeys = list_length(term->data->keys);
	bool open = state->recall < 1 && term->batch == 0;
	HxScanRequest request;
	MemoryContext old;

	term->batch = open ? open_batch(state, term) : next_batch(state, term);
	term->open = open;
	term->read = 0;
	old = MemoryContextSwitchTo(ss->ps.state->es_query_cxt);
	if (!term->scan)
		term->scan = HX_INDEX_BEGINSCAN(ss->ss_currentRelation, term->index,
										ss->ps.state->es_snapshot, nkeys, 1);
	MemoryContextReset(term->context);
	MemoryContextSwitchTo(term->context);
	memset(&request, 0, sizeof(request));
	request.recall = state->recall;
	request.limit = open ? 0 : term->batch;
	request.ends = !open;
	request.few_first = open ? rows_first(state) : 0;
	HxMakeConditions(term->data, term->values, context, term->keys, &request);
	HxMakeOrderKey(term->data, term->index, term->query, context, &term->order);
	MemoryContextSwitchTo(old);
	index_rescan(term->scan, term->keys, nkeys, &term->order, 1);
	HxSetScanRequest(term->scan, &request);
	term->recheck = HxScanNeedsRecheck(term->scan);
	count_search(state, term);
}

/* Has so much been done that reading the table is better than going on? */
static bool
sweep_is_due(const HxSumState *state)
{
	return state->ncompleted > SEARCH_PART * state->sweep_effort ||
		   HxSumRowsMemory(&state->rows) > (Size) work_mem * 1024;
}

/* Is a batch so much of the table that reading it is better? */
static bool
is_too_deep(const HxSumState *state, const HxTermState *term)
{
	return (double) next_batch(state, term) > state->table_rows / MOST_PART;
}

/* ---- rows ---- */

/* The value of the sum, by one of its expressions, of a row of the table */
static HxSumValue
evaluate_sum(HxSumState *state, ExprState *expression, TupleTableSlot *slot)
{
	ExprContext *context = state->check_context;
	HxSumValue sum;
	Datum value;

	context->ecxt_scantuple = slot;
	value = ExecEvalExprSwitchContext(expression, context, &sum.isnull);
	sum.value =
		sum.isnull ? 0 : HxFloatOf((const Node *) state->data.expr, value);
	return sum;
}

HxSumValue
HxSumOfRow(HxSumState *state, TupleTableSlot *slot)
{
	return evaluate_sum(state, state->sum, slot);
}

/*
 * Complete the row that a term's search has returned: fetch its heap row, check the
 * conditions that the search has not decided, and compute the sum.
 */
static void
complete_row(HxSumState *state, HxTermState *term)
{
	ExprContext *context = state->check_context;
	ExprState *conditions = term->recheck ? state->all : term->left;
	/* of a row's newer versions on its page the heap gives their own TIDs */
	uint64 root = HxPackTid(&term->scan->xs_heaptid);
	HxSumRow row;
	bool given;

	state->ncompleted++;
	add_work(state, term, state->row_time);
	if (!index_fetch_heap(term->scan, state->row))
	{
		state->failed++;
		return;
	}
	ResetExprContext(context);
	context->ecxt_scantuple = state->row;
	if (!ExecQual(conditions, context))
	{
		state->failed++;
		return;
	}
	given = term->given && HxSetPlace(context, term->scan);
	row.sum = evaluate_sum(state, given ? term->given : state->sum, state->row);
	row.tid = HxPackTid(&state->row->tts_tid);
	row.root = root;
	HxAddSumRow(&state->rows, &row);
}

/*
 * Take note of the distance of the row that a search has returned; false if that is
 * nothing new.
 */
static bool
set_frontier(HxTermState *term)
{
	double distance = DatumGetFloat8(term->scan->xs_orderbyvals[0]);
	bool is_null = term->scan->xs_orderbynulls[0];

	if (term->only_nulls ||
		(term->has_frontier && !is_null && !(distance > term->frontier)))
		return false;
	term->only_nulls = is_null;
	if (!is_null)
		term->frontier = distance;
	term->has_frontier = true;
	return true;
}

/*
 * Has a term's search, which has no more rows, returned all there are?  One that goes on
 * may have found some too late.
 */
static bool
is_exhausted(const HxTermState *term)
{
	if (term->open)
		return HxScanStats(term->scan)->dropped == 0;
	return term->read < term->batch;
}

/*
 * The next row of a term's search, or of the next one for more; false if there is
 * none.  *deep tells that the table should be read instead.
 */
static bool
next_row(HxSumState *state, HxTermState *term, bool *deep)
{
	for (;;)
	{
		bool grows = term->open && is_used_up(term);

		*deep = (term->batch == 0 || grows) && is_too_deep(state, term);
		if (*deep)
			return false;
		if (grows)
		{
			term->batch = open_batch(state, term);
			count_search(state, term);
		}
		if (term->batch > 0 &&
			index_getnext_tid(term->scan, ForwardScanDirection))
			break;
		if (term->batch > 0 && is_exhausted(term))
			return false;
		*deep = is_too_deep(state, term);
		if (*deep)
			return false;
		start_batch(state, term);
	}
	term->read++;
	term->stats.rows++;
	return true;
}

/*
 * Have a term's search advance by a row, which is completed if it was not seen.  Sets
 * state->complete if there are no more.  False if the table should be read
 * instead.
 */
bool
HxAdvanceTerm(HxSumState *state, HxTermState *term)
{
	bool farther;
	bool fresh;
	bool deep;

	Assert(term->active && !state->complete);
	do
	{
		if (sweep_is_due(state))
			return false;
		if (!next_row(state, term, &deep))
		{
			state->complete = !deep;
			return !deep;
		}
		farther = set_frontier(term);
		HxNoteCourse(state, term);
		fresh = HxSeeRow(&state->rows, HxPackTid(&term->scan->xs_heaptid),
						 (int) (term - state->terms), term->read);
		if (fresh)
			complete_row(state, term);
	} while (!farther && !fresh);
	return true;
}

/* Add what the terms did to the sums for EXPLAIN. */
void
HxEndTerms(HxSumState *state)
{
	for (int t = 0; t < state->data.nterms; t++)
	{
		HxTermState *term = &state->terms[t];

		if (term->batch == 0 || !term->has_frontier || term->only_nulls)
			continue;
		term->stats.frontier += term->frontier;
		term->stats.frontiers++;
	}
}
