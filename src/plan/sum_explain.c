/*
 * sum_explain.c
 *	  What EXPLAIN says of the node for sums.
 */
#include "postgres.h"

#include "commands/explain.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#include "compat.h"
#include HX_EXPLAIN_STATE_HEADER
#include HX_EXPLAIN_FORMAT_HEADER
#include "settings.h"
#include "plan/sum.h"

/* An expression as text */
static char *
deparse(const HxSumState *state, Node *expression, List *ancestors,
		ExplainState *es)
{
	List *context = set_deparse_context_plan(es->deparse_cxt,
											 state->css.ss.ps.plan, ancestors);

	return deparse_expression(expression, context, es->verbose, false);
}

/* Conditions, if there are any */
static void
show_conditions(const HxSumState *state, const char *label, List *conditions,
				List *ancestors, ExplainState *es)
{
	if (conditions)
		ExplainPropertyText(label,
							deparse(state,
									(Node *) make_ands_explicit(conditions),
									ancestors, es),
							es);
}

/* Conditions that the heap row decides, of some term's rows at least */
static List *
heap_conditions(const HxSumData *data)
{
	const HxPlanData *first = &data->terms[0];
	List *conditions = NIL;

	for (int c = 0; c < list_length(first->conditions); c++)
	{
		bool by_heap = false;

		for (int t = 0; t < data->nterms; t++)
			by_heap |= list_nth_int(data->terms[t].deciders, c) == HX_BY_HEAP;
		if (by_heap)
			conditions = lappend(conditions, list_nth(first->conditions, c));
	}
	return conditions;
}

/* What a term's searches did, as the mean over the scans. */
static char *
work_of_term(const HxSumState *state, const HxTermState *term)
{
	const HxTermStats *stats = &term->stats;
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%.0f rows of %.4g searches",
					 (double) stats->rows / state->scans,
					 (double) stats->searches / state->scans);
	if (stats->frontiers > 0)
		appendStringInfo(&text, ", frontier %.6g",
						 stats->frontier / stats->frontiers);
	return text.data;
}

/* A term in a line or two, or as a group of properties */
static void
show_term(const HxSumState *state, int number, bool done, List *ancestors,
		  ExplainState *es)
{
	const HxTermState *term = &state->terms[number];
	const HxPlanData *data = &state->data.terms[number];
	List *masked = HxConditionsOf(data, 1 << HX_BY_MASK);
	const char *name = get_rel_name(data->index);
	const char *distance = deparse(state, (Node *) data->order, ancestors, es);

	if (es->format == EXPLAIN_FORMAT_TEXT)
	{
		ExplainPropertyText(psprintf("Term %d", number + 1),
							psprintf("%s by %s%s%s", quote_identifier(name),
									 distance, done ? ": " : "",
									 done ? work_of_term(state, term) : ""),
							es);
		show_conditions(state, "  Index Cond", masked, ancestors, es);
		return;
	}
	ExplainOpenGroup("Term", NULL, true, es);
	ExplainPropertyText("Index", name, es);
	ExplainPropertyText("Distance", distance, es);
	show_conditions(state, "Index Cond", masked, ancestors, es);
	if (done)
	{
		ExplainPropertyFloat("Searches", NULL,
							 (double) term->stats.searches / state->scans, 2,
							 es);
		ExplainPropertyFloat("Rows", NULL,
							 (double) term->stats.rows / state->scans, 0, es);
		if (term->stats.frontiers > 0)
			ExplainPropertyFloat("Frontier", NULL,
								 term->stats.frontier / term->stats.frontiers,
								 6, es);
	}
	ExplainCloseGroup("Term", NULL, true, es);
}

/* What was done, as the mean over the scans. */
static void
show_work(const HxSumState *state, ExplainState *es)
{
	double scans = (double) state->scans;

	if (state->scans > 1 || es->format != EXPLAIN_FORMAT_TEXT)
		ExplainPropertyFloat("Scans", NULL, scans, 0, es);
	ExplainPropertyFloat("Rows Completed", NULL, state->completed / scans, 0,
						 es);
	ExplainPropertyFloat("Rows Filtered", NULL, state->failed / scans, 0, es);
	if (state->dropped > 0 || es->format != EXPLAIN_FORMAT_TEXT)
		ExplainPropertyFloat("Rows Dropped", NULL, state->dropped / scans, 2,
							 es);
	if (state->ways[HX_SUM_SWEEP] > 0 || es->format != EXPLAIN_FORMAT_TEXT)
		ExplainPropertyFloat(
			"Table Sweeps", NULL, state->ways[HX_SUM_SWEEP] / scans,
			state->ways[HX_SUM_SWEEP] % state->scans ? 2 : 0, es);
}

/* ExplainCustomScan */
void
HxExplainSum(CustomScanState *node, List *ancestors, ExplainState *es)
{
	HxSumState *state = (HxSumState *) node;
	bool done = es->analyze && state->scans > 0;
	double recall =
		state->data.terms[0].wanted == HX_WANTED_ALL ? 1 : hx_recall;

	if (done && state->started)
	{
		HxEndTerms(state);
		state->completed += state->ncompleted;
		state->ncompleted = 0;
	}
	ExplainPropertyText(
		"Order By", deparse(state, (Node *) state->data.expr, ancestors, es),
		es);
	ExplainOpenGroup("Terms", "Terms", false, es);
	for (int t = 0; t < state->data.nterms; t++)
		show_term(state, t, done, ancestors, es);
	ExplainCloseGroup("Terms", "Terms", false, es);
	show_conditions(state, "Heap Filter", heap_conditions(&state->data),
					ancestors, es);
	ExplainPropertyText("Recall Target",
						psprintf("%g of the exact order of the sum", recall),
						es);
	if (done)
		show_work(state, es);
}
