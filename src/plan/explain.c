/*
 * explain.c
 *	  What EXPLAIN says of the scan node.
 */
#include "postgres.h"

#include "commands/explain.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "compat.h"
#include HX_EXPLAIN_STATE_HEADER
#include HX_EXPLAIN_FORMAT_HEADER
#include "settings.h"
#include "plan/plan.h"

/* Add what the search did to the sums; only once. */
void
HxAddStats(HxScanState *state)
{
	const HxSearchStats *done =
		state->started ? HxScanStats(state->scan) : NULL;

	state->started = false;
	if (!done)
		return;
	Assert(done->way < HX_WAYS && state->searches > 0);
	state->ways[done->way]++;
	state->stats.blocks += done->blocks;
	state->stats.visited += done->visited;
	state->stats.again += done->again;
	state->stats.restarts += done->restarts;
	state->stats.sweeps += done->sweeps;
	state->stats.ranked += done->ranked;
	state->stats.scored += done->scored;
	state->stats.filtered += done->filtered;
	state->stats.failed += done->failed;
	state->stats.lossy += done->lossy;
}

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

/* The index, of which EXPLAIN of a custom scan says nothing by itself. */
static void
show_index(const HxScanState *state, ExplainState *es)
{
	const char *name = get_rel_name(state->data.index);

	if (es->format == EXPLAIN_FORMAT_TEXT)
		name = quote_identifier(name);
	ExplainPropertyText("Index", name, es);
}

/*
 * How rows are found: as it was done, or as it is planned.  If searches went
 * several ways, the one that most of them went comes first.
 */
static const char *
strategy_name(const HxScanState *state, bool done)
{
	static const char *const names[] = {
		[HX_WAY_BLOCKS] = "blocks",
		[HX_WAY_BITMAP] = "bitmap",
		[HX_WAY_RANKING] = "exact ranking",
	};
	uint64 left[HX_WAYS];
	StringInfoData text;

	if (!done)
		return names[state->data.bitmap	   ? HX_WAY_BITMAP
					 : state->data.few > 0 ? HX_WAY_RANKING
										   : HX_WAY_BLOCKS];
	memcpy(left, state->ways, sizeof(left));
	initStringInfo(&text);
	for (;;)
	{
		int most = 0;

		for (int way = 1; way < HX_WAYS; way++)
			if (left[way] > left[most])
				most = way;
		if (left[most] == 0)
			return text.data;
		appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "", names[most]);
		left[most] = 0;
	}
}

/* A count, as the mean over the searches. */
static void
show_mean(const HxScanState *state, const char *label, uint64 sum,
		  ExplainState *es)
{
	Assert(state->searches > 0);
	ExplainPropertyFloat(label, NULL, (double) sum / state->searches, 0, es);
}

/* What is rare: not shown to readers unless it happened, and then not as 0. */
static void
show_rare(const HxScanState *state, const char *label, uint64 sum,
		  ExplainState *es)
{
	if (sum > 0 || es->format != EXPLAIN_FORMAT_TEXT)
		ExplainPropertyFloat(label, NULL, (double) sum / state->searches,
							 sum % state->searches == 0 ? 0 : 2, es);
}

/* Were queries NULL?  Their rows have no distance, and come by TID. */
static void
show_null_queries(const HxScanState *state, ExplainState *es)
{
	if (state->null_queries == 0)
		return;
	ExplainPropertyText("Query",
						state->null_queries == state->searches
							? "NULL"
							: psprintf("NULL in " UINT64_FORMAT
									   " of " UINT64_FORMAT " searches",
									   state->null_queries, state->searches),
						es);
}

/* What was done, as the mean over the searches. */
static void
show_work(const HxScanState *state, ExplainState *es)
{
	const HxSearchStats *stats = &state->stats;
	double searches = (double) state->searches;

	if (state->searches > 1 || es->format != EXPLAIN_FORMAT_TEXT)
		ExplainPropertyFloat("Searches", NULL, searches, 0, es);
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
	show_rare(state, "Restarts", stats->restarts, es);
	show_rare(state, "Blocks Visited Again", stats->again, es);
	show_rare(state, "Table Sweeps",
			  state->data.reserve > 0 ? 0 : stats->sweeps, es);
	show_rare(state, "Bitmaps Read Late",
			  state->data.reserve > 0 ? stats->sweeps : 0, es);
	show_rare(state, "Sweeps Ranked", stats->ranked, es);
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
	bool done = es->analyze && state->searches > 0;
	double recall = state->data.wanted == HX_WANTED_ALL ? 1 : hx_recall;

	if (done)
		HxAddStats(state);
	show_index(state, es);
	show_expression(state, "Order By", (Node *) state->data.order, ancestors,
					es);
	show_conditions(state, "Index Cond", HX_BY_MASK, ancestors, es);
	show_conditions(state, "Heap Filter", HX_BY_HEAP, ancestors, es);
	if (done)
		show_null_queries(state, es);
	ExplainPropertyText("Strategy", strategy_name(state, done), es);
	ExplainPropertyText("Recall Target",
						psprintf("%g of the exact %s order", recall,
								 get_opname(state->data.order->opno)),
						es);
	if (done)
		show_work(state, es);
}
