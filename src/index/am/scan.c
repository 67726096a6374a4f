/*
 * scan.c
 *	  Index scans: the plain path into the search, for an executor that does
 *	  not tell how many rows it wants.
 */
#include "postgres.h"

#include <math.h>

#include "access/relscan.h"
#include "access/table.h"
#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/tidbitmap.h"
#include "pgstat.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "index/filter/attribute.h"
#include "index/search/dead.h"
#include "index/search/gather.h"
#include "index/search/vector.h"
#include "index/am/handler.h"
#include "index/am/scan.h"

typedef struct IndexSearch
{
	HxIndexDesc desc;
	MemoryContext context; /* of the current search */
	HxSearch *search;	   /* NULL before the first row */
	HxSearchSpec spec;
	HxVectors *vectors; /* of the table, for a search that refines by itself */
	HxDeadRows *dead;	/* rows found dead; NULL if they cannot be marked */
	HxCandidate prior;	/* the row returned last */
	BlockNumber table_pages; /* length of the table, as last seen */

	bool requested;		   /* the scan node has said what it wants ... */
	HxScanRequest request; /* ... namely this ... */
	bool possible;		   /* ... and rows can pass at all */
	bool inexact; /* conditions on the vector let some pass that do not */
} IndexSearch;

/* ambeginscan */
IndexScanDesc
hxbeginscan(Relation index, int nkeys, int norderbys)
{
	IndexScanDesc scan = RelationGetIndexScan(index, nkeys, norderbys);
	IndexSearch *state = palloc0(sizeof(IndexSearch));

	/* cost.c keeps the planner from it */
	if (norderbys > 1)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("hashemb index \"%s\" cannot order by more "
							   "than one distance",
							   RelationGetRelationName(index))));
	state->desc = *HxDescribe(index);
	state->context = AllocSetContextCreate(CurrentMemoryContext, "hashemb scan",
										   ALLOCSET_DEFAULT_SIZES);
	if (norderbys > 0)
	{
		scan->xs_orderbyvals = palloc0(norderbys * sizeof(Datum));
		scan->xs_orderbynulls = palloc(norderbys * sizeof(bool));
	}
	scan->opaque = state;
	return scan;
}

/* Mark the rows that were found dead. */
static void
mark_dead(IndexScanDesc scan)
{
	IndexSearch *state = scan->opaque;

	if (state->dead && state->dead->count > 0)
		HxMarkDeadRows(scan->indexRelation, &state->desc, state->dead);
	state->dead = NULL;
}

/* Look at the table's vectors no more. */
static void
close_vectors(IndexSearch *state)
{
	if (state->vectors)
		HxCloseVectors(state->vectors);
	state->vectors = NULL;
}

/* amrescan: the search itself begins with the first row asked for */
void
hxrescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys,
		 int norderbys)
{
	IndexSearch *state = scan->opaque;

	mark_dead(scan);
	close_vectors(state);
	state->search = NULL;
	state->requested = false;
	MemoryContextReset(state->context);
	state->desc.model = NULL;
	if (keys && scan->numberOfKeys > 0)
		memmove(scan->keyData, keys, scan->numberOfKeys * sizeof(ScanKeyData));
	if (orderbys && scan->numberOfOrderBys > 0)
		memmove(scan->orderByData, orderbys,
				scan->numberOfOrderBys * sizeof(ScanKeyData));
}

/*
 * Can the search tell by what it stores which vectors pass a bound?  Where
 * distances are estimates only those of the class are, and L2 distances are
 * estimates wherever they are not.
 */
static bool
can_tell(const IndexSearch *state, const HxBound *bound)
{
	if (HxKindOf(&state->desc)->refine)
		return bound->metric == state->desc.vector->metric;
	return bound->metric != HX_L2;
}

/*
 * Set a ball from a distance_bound.  One that the search cannot tell lets all
 * vectors pass, which are then looked at in the table.
 */
static void
set_bound(IndexSearch *state, Datum value, HxWithin *ball)
{
	static const HxBoundTest all = {.value = NAN,
									.strategy = BTLessEqualStrategyNumber};
	const HxKind *kind = HxKindOf(&state->desc);
	const HxBound *bound = HxGetBound(value);
	HxMetric metric = (HxMetric) bound->metric;

	if (!(kind->bounds & 1 << bound->kind))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("the distance_bound is not one of the indexed "
							   "column's type")));
	ball->test = HxBoundTestOf(bound);
	if (!can_tell(state, bound))
	{
		metric = state->desc.vector->metric;
		ball->test = all;
		state->inexact = true;
	}
	ball->query =
		kind->query(&state->desc, metric, PointerGetDatum(bound->query),
					HxTypeOfQuery(bound));
}

/* Are two queries the same, and their distances too? */
static bool
is_same_query(const HxQuery *a, const HxQuery *b)
{
	return a->metric == b->metric && a->kind == b->kind && a->size == b->size &&
		   memcmp(a->value, b->value, a->size) == 0;
}

/*
 * Set a ball from the right side of the operator of a strategy.  A query that is
 * the search's own gets its pointer.
 */
static void
set_ball(IndexSearch *state, StrategyNumber strategy, Datum value,
		 HxWithin *ball)
{
	const HxKind *kind = HxKindOf(&state->desc);
	HxQuery *own = state->spec.query;

	memset(ball, 0, sizeof(*ball));
	if (strategy == HX_STRATEGY_BOUND)
		set_bound(state, value, ball);
	else
	{
		Assert(strategy == HX_STRATEGY_BALL && kind->ball);
		ball->query = kind->ball(&state->desc, value, &ball->test.value);
		ball->test.strategy = BTLessEqualStrategyNumber;
	}
	if (own && is_same_query(ball->query, own))
		ball->query = own;
}

/*
 * Where distances are estimates, a condition on that of the order is decided by the
 * rows' exact distances; others let some rows pass that do not.
 */
static void
move_to_limits(IndexSearch *state, const HxBalls *balls)
{
	HxSearchSpec *spec = &state->spec;
	HxBoundTest *limits;

	Assert(balls == &spec->balls[spec->nballs - 1]);
	if (!spec->ordered || balls->count > 1 ||
		balls->any[0].query != spec->query)
	{
		state->inexact = true;
		return;
	}
	limits = palloc((spec->nlimits + 1) * sizeof(HxBoundTest));
	if (spec->nlimits > 0)
		memcpy(limits, spec->limits, spec->nlimits * sizeof(HxBoundTest));
	limits[spec->nlimits++] = balls->any[0].test;
	spec->limits = limits;
	spec->nballs--;
}

/*
 * Add the condition that the vector is in a ball, or in one of an array of
 * them, where NULLs are none; false if there is none.
 */
static bool
add_balls(IndexSearch *state, const ScanKeyData *key)
{
	HxSearchSpec *spec = &state->spec;
	HxBalls *balls = &spec->balls[spec->nballs++];
	Datum single = key->sk_argument;
	Datum *values = &single;
	bool *nulls = NULL;
	int count = 1;

	if (key->sk_flags & SK_SEARCHARRAY)
		HxArrayElements(DatumGetArrayTypeP(single), &values, &nulls, &count);
	balls->any = palloc(Max(count, 1) * sizeof(HxWithin));
	balls->count = 0;
	for (int i = 0; i < count; i++)
		if (!nulls || !nulls[i])
			set_ball(state, key->sk_strategy, values[i],
					 &balls->any[balls->count++]);
	if (HxKindOf(&state->desc)->refine && balls->count > 0)
		move_to_limits(state, balls);
	return balls->count > 0;
}

/* Take note of a scan key on the vector column; false if nothing can pass. */
static bool
add_vector_key(IndexSearch *state, const ScanKeyData *key)
{
	if (key->sk_flags & SK_SEARCHNULL)
		state->spec.only_nulls = true;
	else
	{
		state->spec.skip_nulls = true;
		if (key->sk_flags & SK_SEARCHNOTNULL)
			return true;
		if (key->sk_flags & SK_ISNULL)
			return false;
		return add_balls(state, key);
	}
	return true;
}

/*
 * Translate the scan keys; false if nothing can pass.  Rows that are returned
 * one by one must come once, although they may move meanwhile: without an
 * order by distance they come by TID.
 */
static bool
make_spec(IndexScanDesc scan, bool bitmap)
{
	IndexSearch *state = scan->opaque;
	HxSearchSpec *spec = &state->spec;

	memset(spec, 0, sizeof(*spec));
	state->inexact = false;
	HxLearn(scan->indexRelation, &state->desc);
	spec->ordered = !bitmap;
	spec->recall = 1; /* a caller that does not tell may want all rows */
	if (state->requested)
	{
		spec->recall = state->request.recall;
		spec->limit = state->request.limit;
		spec->ties = state->request.ties;
		spec->ends = state->request.ends;
		spec->few_first = state->request.few_first;
		spec->nulls_first = state->request.nulls_first;
		spec->nans_first = state->request.nans_first;
		spec->tids = state->request.tids;
		spec->heap = state->request.heap;
		spec->limits = state->request.limits;
		spec->nlimits = state->request.nlimits;
		spec->skip_nulls = spec->nlimits > 0;
	}
	spec->balls = palloc(Max(scan->numberOfKeys, 1) * sizeof(HxBalls));
	spec->filter =
		HxMakeFilterTree(&state->desc, scan->keyData, scan->numberOfKeys,
						 state->requested ? state->request.expr : NULL);
	if (scan->numberOfOrderBys > 0)
	{
		const ScanKeyData *key = &scan->orderByData[0];

		if (!(key->sk_flags & SK_ISNULL))
			spec->query =
				HxKindOf(&state->desc)
					->query(
						&state->desc, state->desc.vector->metric,
						key->sk_argument,
						key->sk_subtype ==
								scan->indexRelation
									->rd_opcintype[state->desc.vector_attno - 1]
							? InvalidOid
							: key->sk_subtype);
	}
	if (state->requested &&
		(state->request.never || (spec->nlimits > 0 && !spec->query)))
		return false;
	for (int i = 0; i < scan->numberOfKeys; i++)
		if (scan->keyData[i].sk_attno == state->desc.vector_attno &&
			!add_vector_key(state, &scan->keyData[i]))
			return false;
	Assert(spec->nballs <= scan->numberOfKeys);
	if (spec->only_nulls && spec->skip_nulls)
		return false;
	if (HxKindOf(&state->desc)->narrow)
		HxKindOf(&state->desc)->narrow(scan->indexRelation, &state->desc, spec);
	return true;
}

void
HxSetScanRequest(IndexScanDesc scan, const HxScanRequest *request)
{
	IndexSearch *state = scan->opaque;
	MemoryContext old = MemoryContextSwitchTo(state->context);

	Assert(!state->search);
	state->request = *request;
	state->requested = true;
	state->possible = make_spec(scan, false);
	MemoryContextSwitchTo(old);
}

bool
HxScanNeedsRecheck(IndexScanDesc scan)
{
	const IndexSearch *state = scan->opaque;

	Assert(state->spec.filter);
	return state->inexact || HxFilterNeedsRecheck(state->spec.filter) ||
		   (state->spec.tids && HxTidSetNeedsRecheck(state->spec.tids));
}

const HxSearchStats *
HxScanStats(IndexScanDesc scan)
{
	const IndexSearch *state = scan->opaque;

	return state->search ? HxSearchGetStats(state->search) : NULL;
}

bool
HxScanIsExact(IndexScanDesc scan)
{
	const IndexSearch *state = scan->opaque;

	Assert(state->search);
	return HxSearchIsExact(state->search);
}

/* Take note of a row that the check found dead to everybody. */
static void
add_dead(void *arg, const HxCandidate *row)
{
	IndexScanDesc scan = arg;
	IndexSearch *state = scan->opaque;

	if (state->dead)
		HxAddDeadRow(scan->indexRelation, &state->desc, state->dead, row);
}

/* Begin the search, with the first row that is asked for. */
static void
begin_search(IndexScanDesc scan, bool bitmap)
{
	IndexSearch *state = scan->opaque;
	MemoryContext old;

	Assert(!state->search && HxHoldsNoPage());
	/*
	 * A TID may have been recycled since it was read; only a snapshot that
	 * does not see the new row makes that harmless.
	 */
	if (scan->xs_snapshot && !IsMVCCSnapshot(scan->xs_snapshot))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("hashemb index scans need an MVCC snapshot")));
	pgstat_count_index_scan(scan->indexRelation);
	HX_COUNT_SEARCH(scan);
	old = MemoryContextSwitchTo(state->context);
	state->dead = HxBeginDeadRows(scan->indexRelation);
	if (!state->requested)
		state->possible = make_spec(scan, bitmap);
	state->spec.table = scan->heapRelation;
	/* Without an order rows are rechecked, and a bitmap's scan has no table */
	if (state->spec.ordered && state->spec.query &&
		HxKindOf(&state->desc)->refine && !state->spec.heap.measure)
	{
		state->vectors =
			HxOpenVectors(scan->heapRelation, scan->indexRelation,
						  state->desc.vector_attno, scan->xs_snapshot);
		state->spec.heap.measure = HxFetchVector;
		state->spec.heap.arg = state->vectors;
	}
	state->spec.dead = add_dead;
	state->spec.dead_arg = scan;
	if (!state->possible)
	{
		state->spec.only_nulls = state->spec.skip_nulls = true;
		state->spec.nballs = 0; /* they have not been narrowed */
		state->spec.nlimits = 0;
	}
	else if (state->requested && state->request.few > 0 && !state->spec.tids &&
			 state->spec.nballs == 0)
		state->spec.tids = HxGatherRows(scan->indexRelation, &state->desc,
										&state->spec, state->request.few);
	if (state->requested && !state->request.tids && state->spec.tids)
		state->spec.near = true;
	state->search =
		HxBeginSearch(scan->indexRelation, &state->desc, &state->spec);
	MemoryContextSwitchTo(old);
	scan->xs_recheck = HxScanNeedsRecheck(scan);
	scan->xs_recheckorderby = false;
}

/* amgettuple */
bool
hxgettuple(IndexScanDesc scan, ScanDirection direction)
{
	IndexSearch *state = scan->opaque;
	HxCandidate row;
	bool is_null;

	/* amcanbackward is false, so nobody asks for anything else */
	Assert(ScanDirectionIsForward(direction));
	if (!state->search)
		begin_search(scan, false);
	if (scan->kill_prior_tuple && state->dead)
		HxAddDeadRow(scan->indexRelation, &state->desc, state->dead,
					 &state->prior);
	if (!HxSearchNext(state->search, &row, &is_null))
		return false;
	Assert(HxHoldsNoPage());
	state->prior = row;
	HxUnpackTid(row.tid, &scan->xs_heaptid);
	HxCheckTid(scan->indexRelation, scan->heapRelation, &state->table_pages,
			   &scan->xs_heaptid);
	if (scan->numberOfOrderBys > 0)
	{
		scan->xs_orderbyvals[0] = Float8GetDatum(row.distance);
		scan->xs_orderbynulls[0] = is_null;
	}
	return true;
}

/* amgetbitmap; the scan above has locked the table */
int64
hxgetbitmap(IndexScanDesc scan, TIDBitmap *bitmap)
{
	IndexSearch *state = scan->opaque;
	Relation table =
		table_open(scan->indexRelation->rd_index->indrelid, NoLock);
	ItemPointerData *tids;
	int64 total = 0;
	int64 count;

	begin_search(scan, true);
	while ((count = HxSearchNextRows(state->search, &tids)) > 0)
	{
		for (int64 i = 0; i < count; i++)
			HxCheckTid(scan->indexRelation, table, &state->table_pages,
					   &tids[i]);
		tbm_add_tuples(bitmap, tids, (int) count, scan->xs_recheck);
		total += count;
	}
	table_close(table, NoLock);
	return total;
}

/* amendscan */
void
hxendscan(IndexScanDesc scan)
{
	IndexSearch *state = scan->opaque;

	mark_dead(scan);
	close_vectors(state);
	MemoryContextDelete(state->context);
	pfree(state);
}
