/*
 * explain.c
 *	  What EXPLAIN says of the scan node.
 */
#include "postgres.h"

#include "commands/explain.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "compat.h"
#include HX_EXPLAIN_STATE_HEADER
#include HX_EXPLAIN_FORMAT_HEADER
#include "hashemb.h"
#include "plan/plan.h"

/* An expression, or nothing if it is NULL. */
static void
show_expression(const HxScanState *state, const char *label, Node *expression,
				List *ancestors, ExplainState *es)
{
	List *context;

	if (expression == NULL)
		return;
	context = set_deparse_context_plan(es->deparse_cxt, state->css.ss.ps.plan,
									   ancestors);
	ExplainPropertyText(
		label, deparse_expression(expression, context, es->verbose, false), es);
}

/* The conditions that a mask decides, or the heap row. */
static void
show_conditions(const HxScanState *state, const char *label, HxDecider decider,
				List *ancestors, ExplainState *es)
{
	List *conditions = HxConditionsOf(&state->data, 1 << decider);

	if (conditions)
		show_expression(state, label, (Node *) make_ands_explicit(conditions),
						ancestors, es);
}

/* How rows are found: as it was done, or as it is planned. */
static const char *
strategy_name(const HxScanState *state, const HxSearchStats *last)
{
	if (last)
		switch (last->way)
		{
			case HX_WAY_BLOCKS:
				return "blocks";
			case HX_WAY_BITMAP:
				return "bitmap";
			case HX_WAY_RANKING:
				return "exact ranking";
		}
	return state->data.bitmap ? "bitmap" : "blocks";
}

/* A count, as the mean over the searches. */
static void
show_mean(const HxScanState *state, const char *label, uint64 sum,
		  ExplainState *es)
{
	ExplainPropertyFloat(label, NULL, (double) sum / state->searches, 0, es);
}

/* What was done, as the mean over the searches. */
static void
show_work(const HxScanState *state, ExplainState *es)
{
	const HxSearchStats *stats = &state->stats;
	double searches = (double) state->searches;

	if (es->format == EXPLAIN_FORMAT_TEXT)
		ExplainPropertyText("Blocks",
							psprintf("%.0f of %.0f", stats->visited / searches,
									 stats->blocks / searches),
							es);
	else
	{
		show_mean(state, "Blocks Visited", stats->visited, es);
		show_mean(state, "Blocks", stats->blocks, es);
	}
	show_mean(state, "Rows Scored", stats->scored, es);
	show_mean(state, "Rows Filtered", stats->filtered + stats->failed, es);
	show_mean(state, "Heap Fetches", state->fetches, es);
	if (stats->lossy > 0)
		show_mean(state, "Lossy Pages", stats->lossy, es);
}

/* ExplainCustomScan */
void
HxExplainScan(CustomScanState *node, List *ancestors, ExplainState *es)
{
	HxScanState *state = (HxScanState *) node;
	const HxSearchStats *last = NULL;
	double recall = state->data.wanted == HX_WANTED_ALL ? 1 : hx_recall;

	if (es->verbose)
		ExplainPropertyText("Index", get_rel_name(state->data.index), es);
	show_expression(state, "Order By", (Node *) state->data.order, ancestors,
					es);
	show_conditions(state, "Index Cond", HX_BY_MASK, ancestors, es);
	show_conditions(state, "Heap Filter", HX_BY_HEAP, ancestors, es);
	if (es->analyze && state->searches > 0)
	{
		HxAddStats(state);
		last = &state->stats;
	}
	ExplainPropertyText("Strategy", strategy_name(state, last), es);
	ExplainPropertyText("Recall Target",
						psprintf("%g of the exact %s order", recall,
								 get_opname(state->data.order->opno)),
						es);
	if (last)
		show_work(state, es);
}
