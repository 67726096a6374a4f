/*
 * chain.c
 *	  A kind of vectors for tests alone: codes by Hamming distance, in a plain
 *	  chain of pages.
 *
 * It shows that kind.h and the common parts are enough to write a kind: no file
 * of src/ knows of it.  Searches read the whole chain and are exact.  The
 * metapage's `directory` is the chain's first page, `directory_end` its last;
 * pages are only added.  The first word of a payload tells whether the row has a
 * vector; the code follows, padded with zeros.
 */
#include "postgres.h"

#include "commands/vacuum.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"

#include "index/build/build.h"
#include "index/check/check.h"
#include "index/cost_units.h"
#include "random.h"
#include "index/search/state.h"
#include "type/ball.h"
#include "type/bincode.h"
#include "type/bound.h"

typedef struct ChainQuery
{
	HxQuery base;
	uint64 payload[FLEXIBLE_ARRAY_MEMBER];
} ChainQuery;

typedef struct ChainRow
{
	ItemPointerData tid;
	HxAttrRow attrs;
	uint64 payload[FLEXIBLE_ARRAY_MEMBER];
} ChainRow;

/* A walk along the chain, with a copy of a page */
typedef struct Walk
{
	BlockNumber page; /* that was copied */
	BlockNumber next;
	uint32 steps;
	HxRowArrays rows;
	PGAlignedBlock copy;
} Walk;

typedef struct ChainSearch
{
	HxSearch base;
	Walk walk;
} ChainSearch;

#define ROW_SIZE(desc) (offsetof(ChainRow, payload) + (desc)->payload)

/* ---- vectors ---- */

static Size
chain_payload_size(Relation index, const HxIndexDesc *desc)
{
	if (desc->planes != 1)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("chains hold codes of 1 bit a dimension")));
	return sizeof(uint64) + MAXALIGN(HX_PLANE_BYTES(desc->dims));
}

static void
form_payload(const HxIndexDesc *desc, const HxCode *code, uint64 *payload)
{
	(void) HxMatchShapes(code->dims, code->planes, desc->dims, 1, NULL, NULL);
	memset(payload, 0, desc->payload);
	payload[0] = 1;
	memcpy(payload + 1, code->data, code->bytes);
}

static HxCode
view_payload(const HxIndexDesc *desc, const uint64 *payload)
{
	Size bytes = HX_PLANE_BYTES(desc->dims);

	return (HxCode){desc->dims, 1, bytes, bytes, (uint8 *) (payload + 1), NULL};
}

static const uint64 *
payload_of(const HxIndexDesc *desc, const HxRowArrays *rows, int row)
{
	return (const uint64 *) (rows->payloads + row * desc->payload);
}

static void
chain_print(const HxIndexDesc *desc, Datum vector, uint8 *print)
{
	HxCode code = HxViewCode(vector);

	form_payload(desc, &code, (uint64 *) print);
	HxReleaseCode(&code, vector);
}

static ChainRow *
form_row(const HxIndexDesc *desc, const Datum *values, const bool *isnull,
		 ItemPointer tid)
{
	ChainRow *row = palloc0(ROW_SIZE(desc));
	int vector = desc->vector_attno - 1;

	row->tid = *tid;
	HxEncodeAttrs(desc, values, isnull, &row->attrs);
	if (!isnull[vector])
		chain_print(desc, values[vector], (uint8 *) row->payload);
	return row;
}

static HxQuery *
make_query(const HxIndexDesc *desc, HxMetric metric, HxCode code)
{
	ChainQuery *query = palloc0(offsetof(ChainQuery, payload) + desc->payload);

	query->base = (HxQuery){desc, metric};
	form_payload(desc, &code, query->payload);
	return &query->base;
}

static HxQuery *
chain_query(const HxIndexDesc *desc, HxMetric metric, Datum query, Oid type)
{
	Assert(!OidIsValid(type));
	return make_query(desc, metric, HxViewCode(query));
}

static HxQuery *
chain_ball(const HxIndexDesc *desc, Datum ball, double *radius)
{
	int32 within;
	HxCode code = HxViewBall(ball, &within);

	*radius = within;
	return make_query(desc, HX_HAMMING, code);
}

static bool
chain_same_query(const HxQuery *a, const HxQuery *b)
{
	return a->metric == b->metric &&
		   memcmp(((const ChainQuery *) a)->payload,
				  ((const ChainQuery *) b)->payload, a->desc->payload) == 0;
}

static double
code_distance(const HxQuery *query, HxCode code)
{
	HxCode own =
		view_payload(query->desc, ((const ChainQuery *) query)->payload);

	return HxCodeDistance(query->metric, &code, &own);
}

static double
chain_distance(const HxQuery *query, Datum vector)
{
	return code_distance(query, HxViewCode(vector));
}

static void
payload_distances(const HxQuery *query, const uint8 *payloads, int count,
				  double *distances)
{
	for (int i = 0; i < count; i++)
		distances[i] = code_distance(
			query, view_payload(
					   query->desc,
					   (const uint64 *) (payloads + i * query->desc->payload)));
}

/* ---- build and change ---- */

static void
begin_walk(Walk *walk, Relation index)
{
	HxMeta meta;

	HxReadMeta(index, &meta);
	walk->next = meta.directory;
	walk->steps = 0;
}

/* Copy the next page; false at the end. */
static bool
next_page(Walk *walk, Relation index, const HxIndexDesc *desc)
{
	Buffer buffer;

	CHECK_FOR_INTERRUPTS();
	if (walk->next == InvalidBlockNumber)
		return false;
	walk->page = walk->next;
	HxCountStep(index, walk->page, &walk->steps);
	buffer = HxReadPage(index, walk->page, BUFFER_LOCK_SHARE, HX_PAGE_ROWS);
	memcpy(walk->copy.data, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	HxRowArraysOf(desc, walk->copy.data, &walk->rows);
	walk->next = HxPageOpaque(walk->copy.data)->next;
	return true;
}

/*
 * Append a row, with a page if the last one is full, as one record.  The lock of
 * the metapage orders all who append.
 */
static void
append(Relation index, const HxIndexDesc *desc, const ChainRow *row)
{
	Buffer meta =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	BlockNumber *end = &HxPageMeta(BufferGetPage(meta))->directory_end;
	Buffer last = HxReadPage(index, *end, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_ROWS);
	Buffer new = InvalidBuffer;
	GenericXLogState *state;
	Page page;
	bool reused;

	if (HxPageRows(BufferGetPage(last))->count == desc->capacity)
		new = HxNewBuffer(index, &reused);
	state = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(state, last, 0);
	if (BufferIsValid(new))
	{
		end = &HxPageMeta(GenericXLogRegisterBuffer(state, meta, 0))
				   ->directory_end;
		HxPageOpaque(page)->next = *end = BufferGetBlockNumber(new);
		page = GenericXLogRegisterBuffer(state, new, GENERIC_XLOG_FULL_IMAGE);
		HxInitRowsPage(desc, page, HX_NO_OWNER, (HxEntryAddress){0, 0});
	}
	HxPutRow(desc, page, (const uint8 *) row->payload, &row->attrs, &row->tid);
	GenericXLogFinish(state);
	UnlockReleaseBuffer(last);
	UnlockReleaseBuffer(meta);
	if (BufferIsValid(new))
		UnlockReleaseBuffer(new);
}

static void
chain_insert(Relation index, Relation heap, const HxIndexDesc *desc,
			 const Datum *values, const bool *isnull, ItemPointer tid)
{
	append(index, desc, form_row(desc, values, isnull, tid));
}

/* Write the metapage and a first page without rows. */
static void
begin_chain(Relation index, ForkNumber fork, const HxIndexDesc *desc,
			int64 vectors)
{
	Buffer meta_buffer = HxExtendFork(index, fork);
	Buffer first = HxExtendFork(index, fork);
	HxMeta *meta = HxInitMetapage(desc, BufferGetPage(meta_buffer));

	meta->directory = meta->directory_end = BufferGetBlockNumber(first);
	meta->rows_at_build = vectors;
	HxInitRowsPage(desc, BufferGetPage(first), HX_NO_OWNER,
				   (HxEntryAddress){0, 0});
	HxFinishPage(first);
	HxFinishPage(meta_buffer);
}

static void
chain_build_empty(Relation index)
{
	begin_chain(index, INIT_FORKNUM, HxDescribe(index), 0);
}

/* What is spooled of a row */
static const void *
form_spooled(HxBuild *build, const Datum *values, const bool *isnull,
			 ItemPointer tid, bool alive, Size *size)
{
	*size = ROW_SIZE(build->desc);
	return form_row(build->desc, values, isnull, tid);
}

static void
chain_work(HxBuild *build, int task)
{
	Assert(task == HX_TASK_LOAD);
	HxLoadRows(build, form_spooled);
}

static void
chain_build(HxBuild *build, IndexBuildResult *result)
{
	HxWork loaded = HxLoadTable(build);
	HxSpool *spool = HxOpenSpool(build, ROW_SIZE(build->desc));
	ChainRow *row = palloc(ROW_SIZE(build->desc));

	HxSetPhase(HX_PHASE_WRITE, loaded.rows);
	begin_chain(build->index, MAIN_FORKNUM, build->desc, loaded.vectors);
	for (int64 i = 0; i < loaded.rows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		HxReadSpool(spool, i, row);
		append(build->index, build->desc, row);
	}
	HxCloseSpool(spool);
	HxFinishBuild(build, &loaded, result);
}

static void
chain_bulk_delete(const IndexVacuumInfo *info, const HxIndexDesc *desc,
				  IndexBulkDeleteResult *stats,
				  IndexBulkDeleteCallback callback, void *state)
{
	bool *dead = palloc(desc->capacity * sizeof(bool));
	HxRowArrays rows;
	Walk walk;

	begin_walk(&walk, info->index);
	while (next_page(&walk, info->index, desc))
	{
		Buffer buffer = HxReadPage(info->index, walk.page,
								   BUFFER_LOCK_EXCLUSIVE, HX_PAGE_ROWS);
		GenericXLogState *log = GenericXLogStart(info->index);
		Page page = GenericXLogRegisterBuffer(log, buffer, 0);
		int found;

		HxRowArraysOf(desc, page, &rows);
		for (int i = 0; i < rows.count; i++)
			dead[i] = callback(&rows.tids[i], state);
		found = HxRemoveRows(desc, page, dead);
		stats->tuples_removed += found;
		found > 0 ? (void) GenericXLogFinish(log) : GenericXLogAbort(log);
		UnlockReleaseBuffer(buffer);
		HX_VACUUM_DELAY_POINT();
	}
}

/* ---- look ---- */

static void
chain_info(Relation index, const HxIndexDesc *desc, HxIndexInfo *info)
{
	Walk walk;

	for (begin_walk(&walk, index); next_page(&walk, index, desc);
		 info->blocks++)
		for (int i = 0; i < walk.rows.count; i++)
		{
			info->rows++;
			info->null_rows += payload_of(desc, &walk.rows, i)[0] == 0;
			info->dead += HxRowPasses(walk.rows.dead, i);
		}
}

static uint64
chain_count_rows(Relation index, const HxIndexDesc *desc)
{
	HxIndexInfo info = {0};

	chain_info(index, desc, &info);
	return info.rows;
}

static void
chain_cleanup(const IndexVacuumInfo *info, const HxIndexDesc *desc,
			  IndexBulkDeleteResult *stats)
{
	stats->num_index_tuples = chain_count_rows(info->index, desc);
}

/* There are no blocks. */
static void
chain_block_info(Relation index, const HxIndexDesc *desc,
				 Tuplestorestate *store, TupleDesc tuples)
{
}

static int
chain_sample(Relation index, const HxIndexDesc *desc, int wanted, uint64 seed,
			 HxSampleQuery **queries)
{
	uint64 random = seed | UINT64CONST(1) << 63;
	int64 seen = 0;
	Walk walk;

	*queries = palloc(Max(wanted, 1) * sizeof(HxSampleQuery));
	for (begin_walk(&walk, index); next_page(&walk, index, desc);)
		for (int i = 0; i < walk.rows.count; i++)
		{
			const uint64 *payload = payload_of(desc, &walk.rows, i);
			int64 at;

			if (payload[0] == 0)
				continue;
			at =
				seen < wanted ? seen : (int64) HxRandomBelow(&random, seen + 1);
			seen++;
			if (at < wanted)
				(*queries)[at] = (HxSampleQuery){
					make_query(desc, HX_HAMMING, view_payload(desc, payload)),
					HxPackTid(&walk.rows.tids[i])};
		}
	return (int) Min(seen, wanted);
}

/* A phase reads all. */
static void
chain_cost(const HxCostQuery *query, HxCost *cost)
{
	cost->pages = Max(query->index->pages, 1);
	cost->search = cost->pages * HX_PAGE_COST * seq_page_cost +
				   Max(query->index->tuples, 1) *
					   (HX_SCORE_COST + query->masks * HX_MASK_COST) *
					   cpu_operator_cost;
	cost->rest = cost->search * (HxPhasesFor(query->rows) - 1);
}

/* What is wrong with a row, or NULL */
static const char *
row_fault(HxCheck *check, const uint64 *payload, const HxAttrRow *attrs,
		  const ItemPointerData *tid)
{
	const HxIndexDesc *desc = &check->desc;
	uint64 *copy = palloc0(desc->payload);
	HxCode code = view_payload(desc, payload);

	if (!HxIsTidInHeap(check, tid))
		return "no row of the table can have its TID";
	if (payload[0] != 0)
		form_payload(desc, &code, copy);
	if (memcmp(payload, copy, desc->payload) != 0 ||
		HxFindStrayBits(code.data, desc->dims, 1) >= 0)
		return "its payload is not that of a code";
	pfree(copy);
	return HxAttributesFault(desc, NULL, attrs);
}

static void
check_page(HxCheck *check, BlockNumber block)
{
	HxRowArrays rows;

	HxRowArraysOf(&check->desc, HxCopyPageOfKind(check, block, HX_PAGE_ROWS),
				  &rows);
	for (int i = 0; i < rows.count; i++)
	{
		const uint64 *payload = payload_of(&check->desc, &rows, i);
		bool dead = HxRowPasses(rows.dead, i);
		HxAttrRow attrs;
		const char *fault;

		HxGetRowAttrs(&check->desc, &rows, i, &attrs);
		fault = row_fault(check, payload, &attrs, &rows.tids[i]);
		if (fault)
			HxCorrupted(check->index, block, psprintf("row %d: %s", i, fault));
		HxAddFingerprint(check, &rows.tids[i], &attrs,
						 payload[0] ? (const uint8 *) payload : NULL, dead);
		check->counts.null_rows += payload[0] == 0;
		check->counts.dead += dead;
	}
	check->counts.rows += rows.count;
}

static void
chain_check(HxCheck *check)
{
	HxPageList list = {0};

	check->counts.rows_pages =
		HxListChain(check, check->meta.directory, HX_PAGE_ROWS, &list);
	check->counts.blocks = list.count;
	if (check->frozen &&
		list.pages[list.count - 1] != check->meta.directory_end)
		HxCorrupted(check->index, HX_METAPAGE, "it names another last page");
	for (int p = 0; p < list.count; p++)
		check_page(check, list.pages[p]);
	HxCountOtherPages(check, NULL);
}

/* ---- search ---- */

static void
chain_begin(HxSearch *base)
{
	base->stats.blocks = RelationGetNumberOfBlocks(base->index) - 1;
}

static void
chain_start(HxSearch *base)
{
	Walk *walk = &((ChainSearch *) base)->walk;

	begin_walk(walk, base->index);
	if (HxFilterIsNever(base->spec.filter))
		walk->next = InvalidBlockNumber;
	base->exact = true;
}

static bool
chain_has_more(const HxSearch *base)
{
	return ((const ChainSearch *) base)->walk.next != InvalidBlockNumber;
}

static bool
is_null(const uint8 *payload)
{
	return ((const uint64 *) payload)[0] == 0;
}

static void
chain_visit(HxSearch *base)
{
	Walk *walk = &((ChainSearch *) base)->walk;
	HxSearchStats *stats = &base->stats;

	next_page(walk, base->index, &base->desc);
	HxVisitRows(base, &walk->rows, walk->page, is_null, payload_distances);
	stats->again += stats->visited >= walk->steps;
	stats->visited = Max(stats->visited, walk->steps);
	stats->blocks = Max(stats->blocks, stats->visited);
}

static const HxKind chain_kind = {
	.name = "codes in a chain",
	.length_hint = "Declare it as bincode(n).",
	.shape = HxShapeOf,
	.payload_size = chain_payload_size,
	.query = chain_query,
	.ball = chain_ball,
	.bounds = 1 << HX_BOUND_CODE,
	.same_query = chain_same_query,
	.distance = chain_distance,
	.build = chain_build,
	.build_empty = chain_build_empty,
	.work = chain_work,
	.search_size = sizeof(ChainSearch),
	.begin = chain_begin,
	.start = chain_start,
	.has_more = chain_has_more,
	.visit = chain_visit,
	.insert = chain_insert,
	.bulk_delete = chain_bulk_delete,
	.cleanup = chain_cleanup,
	.cost = chain_cost,
	.info = chain_info,
	.block_info = chain_block_info,
	.sample = chain_sample,
	.count_rows = chain_count_rows,
	.print = chain_print,
	.check = chain_check,
};

HX_VECTOR_CLASS(hx_vector_chain, HX_HAMMING, &chain_kind, NULL);
