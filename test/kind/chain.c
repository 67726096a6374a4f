/*
 * chain.c
 *	  A kind of vectors for tests alone: codes by Hamming distance, in a plain
 *	  chain of pages.
 *
 * It shows that kind.h and the common parts are enough to write a kind: no file
 * of src/ knows of it.  Searches read the whole chain and are exact.  The
 * metapage's `directory` is the chain's first page, `directory_end` its last;
 * pages are only added.  The first byte of a payload tells whether the row has a
 * vector; the code follows from byte CODE on, padded with zeros.
 */
#include "postgres.h"

#include "commands/vacuum.h"
#include "miscadmin.h"

#include "index/build/build.h"
#include "index/check/check.h"
#include "index/cost_units.h"
#include "index/search/state.h"
#include "random.h"
#include "type/ball.h"

#define CODE sizeof(uint64)

typedef struct ChainQuery
{
	HxQuery base;
	uint8 payload[FLEXIBLE_ARRAY_MEMBER];
} ChainQuery;

typedef struct ChainRow
{
	ItemPointerData tid;
	HxAttrRow attrs;
	uint8 payload[FLEXIBLE_ARRAY_MEMBER];
} ChainRow;

typedef struct ChainSearch
{
	HxSearch base;
	HxChainCursor cursor;
} ChainSearch;

#define ROW_SIZE(desc) (offsetof(ChainRow, payload) + (desc)->payload)

/* ---- vectors ---- */

static Size
chain_payload_size(Relation index, const HxIndexDesc *desc)
{
	if (desc->planes != 1)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("chains hold codes of 1 bit a dimension")));
	return CODE + MAXALIGN(HX_PLANE_BYTES(desc->dims));
}

static void
form_payload(const HxIndexDesc *desc, const HxCode *code, uint8 *payload)
{
	(void) HxMatchShapes(code->dims, code->planes, desc->dims, 1, NULL, NULL);
	memset(payload, 0, desc->payload);
	payload[0] = 1;
	memcpy(payload + CODE, code->data, code->bytes);
}

static HxCode
view_payload(const HxIndexDesc *desc, const uint8 *payload)
{
	Size bytes = HX_PLANE_BYTES(desc->dims);

	return (HxCode){desc->dims, 1, bytes, bytes, payload + CODE, NULL};
}

static bool
is_null(const uint8 *payload)
{
	return payload[0] == 0;
}

static void
chain_print(const HxIndexDesc *desc, Datum vector, uint8 *print)
{
	HxCode code = HxViewCode(vector);

	form_payload(desc, &code, print);
	HxReleaseCode(&code, vector);
}

static HxQuery *
make_query(const HxIndexDesc *desc, HxMetric metric, HxCode code)
{
	ChainQuery *query = palloc(offsetof(ChainQuery, payload) + desc->payload);

	query->base = (HxQuery){desc, metric};
	form_payload(desc, &code, query->payload);
	return &query->base;
}

static HxQuery *
chain_query(const HxIndexDesc *desc, HxMetric metric, Datum query, Oid type)
{
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
	return memcmp(((const ChainQuery *) a)->payload,
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
distances_of(const HxQuery *query, const uint8 *payloads, int count,
			 double *distances)
{
	Size size = query->desc->payload;

	for (int i = 0; i < count; i++)
		distances[i] = code_distance(
			query, view_payload(query->desc, payloads + i * size));
}

/* ---- build and change ---- */

static ChainRow *
form_row(const HxIndexDesc *desc, const Datum *values, const bool *isnull,
		 ItemPointer tid)
{
	ChainRow *row = palloc0(ROW_SIZE(desc));
	int vector = desc->vector_attno - 1;

	row->tid = *tid;
	HxEncodeAttrs(desc, values, isnull, &row->attrs);
	if (!isnull[vector])
		chain_print(desc, values[vector], row->payload);
	return row;
}

/* Begin at the first page. */
static void
begin_chain(HxChainCursor *cursor, Relation index, int lockmode)
{
	HxMeta meta;

	HxReadMeta(index, &meta);
	HxBeginChain(cursor, index, meta.directory, HX_PAGE_ROWS, lockmode);
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
	HxPutRow(desc, page, row->payload, &row->attrs, &row->tid);
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
write_empty(Relation index, ForkNumber fork, const HxIndexDesc *desc,
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
	write_empty(index, INIT_FORKNUM, HxDescribe(index), 0);
}

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
	write_empty(build->index, MAIN_FORKNUM, build->desc, loaded.vectors);
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
	HxChainCursor cursor;
	Page page;

	begin_chain(&cursor, info->index, BUFFER_LOCK_EXCLUSIVE);
	while ((page = HxNextPage(&cursor)))
	{
		if (HxFindDeadRows(desc, page, callback, state, dead) > 0)
		{
			GenericXLogState *log = GenericXLogStart(info->index);

			page = GenericXLogRegisterBuffer(log, cursor.buffer, 0);
			stats->tuples_removed += HxRemoveRows(desc, page, dead);
			GenericXLogFinish(log);
		}
		HxLeavePage(&cursor);
		HX_VACUUM_DELAY_POINT();
	}
}

/* ---- look and check ---- */

static void
chain_info(Relation index, const HxIndexDesc *desc, HxIndexInfo *info)
{
	HxChainCursor cursor;
	HxRowArrays rows;
	Page page;

	begin_chain(&cursor, index, BUFFER_LOCK_SHARE);
	for (; (page = HxNextPage(&cursor)); info->blocks++)
	{
		HxRowArraysOf(desc, page, &rows);
		info->rows += rows.count;
		for (int i = 0; i < rows.count; i++)
		{
			info->null_rows += is_null(rows.payloads + i * desc->payload);
			info->dead += HxRowPasses(rows.dead, i);
		}
	}
}

static int
chain_sample(Relation index, const HxIndexDesc *desc, int wanted, uint64 seed,
			 HxSampleQuery **queries)
{
	uint64 random = seed | UINT64CONST(1) << 63;
	int64 seen = 0;
	HxChainCursor cursor;
	HxRowArrays rows;
	Page page;

	*queries = palloc(Max(wanted, 1) * sizeof(HxSampleQuery));
	begin_chain(&cursor, index, BUFFER_LOCK_SHARE);
	while ((page = HxNextPage(&cursor)))
	{
		HxRowArraysOf(desc, page, &rows);
		for (int i = 0; i < rows.count; i++)
		{
			const uint8 *payload = rows.payloads + i * desc->payload;
			int64 at =
				is_null(payload) ? -1 : HxDrawPlace(&random, &seen, wanted);

			if (at >= 0)
				(*queries)[at] = (HxSampleQuery){
					make_query(desc, HX_HAMMING, view_payload(desc, payload)),
					HxPackTid(&rows.tids[i])};
		}
	}
	return (int) Min(seen, wanted);
}

/* A phase reads all. */
static void
chain_cost(const HxCostQuery *query, HxCost *cost)
{
	cost->pages = Max(query->index->pages, 1);
	cost->search = HxVisitCost(query, cost->pages, HX_PAGE_COST,
							   Max(query->index->tuples, 1), HX_SCORE_COST);
	cost->rest = cost->search * (HxPhasesFor(query->rows) - 1);
}

static const char *
payload_fault(void *desc, const uint8 *payload, bool *has_vector)
{
	HxCode code = view_payload(desc, payload);
	Size size = ((const HxIndexDesc *) desc)->payload;
	uint8 *copy = palloc0(size);
	bool same;

	*has_vector = !is_null(payload);
	if (*has_vector)
		form_payload(desc, &code, copy);
	same = memcmp(payload, copy, size) == 0;
	pfree(copy);
	return same && HxFindStrayBits(code.data, code.dims, 1) < 0
			   ? NULL
			   : "its payload is not that of a code";
}

static void
chain_check(HxCheck *check)
{
	HxPageList list = {0};

	check->counts.rows_pages = check->counts.blocks =
		HxListChain(check, check->meta.directory, HX_PAGE_ROWS, &list);
	for (int p = 0; p < list.count; p++)
	{
		const char *wrong;

		HxCopyPageOfKind(check, list.pages[p], HX_PAGE_ROWS);
		wrong = HxCheckRows(check, NULL, payload_fault, &check->desc,
							&check->counts);
		if (wrong)
			HxCorrupted(check->index, list.pages[p], wrong);
	}
	if (check->frozen &&
		list.pages[list.count - 1] != check->meta.directory_end)
		HxCorrupted(check->index, HX_METAPAGE, "it names another last page");
	HxCountOtherPages(check, NULL);
}

/* ---- search ---- */

static void
chain_begin(HxSearch *search)
{
	search->stats.blocks = RelationGetNumberOfBlocks(search->index) - 1;
}

static void
chain_start(HxSearch *search)
{
	HxChainCursor *cursor = &((ChainSearch *) search)->cursor;

	begin_chain(cursor, search->index, BUFFER_LOCK_SHARE);
	if (HxFilterIsNever(search->spec.filter))
		cursor->next = InvalidBlockNumber;
	search->exact = true;
}

static bool
chain_has_more(const HxSearch *search)
{
	return ((const ChainSearch *) search)->cursor.next != InvalidBlockNumber;
}

static void
chain_visit(HxSearch *search)
{
	HxChainCursor *cursor = &((ChainSearch *) search)->cursor;
	HxSearchStats *stats = &search->stats;
	HxRowArrays rows;

	HxRowArraysOf(&search->desc, HxNextPage(cursor), &rows);
	HxVisitRows(search, &rows, cursor->block, is_null, distances_of);
	HxLeavePage(cursor);
	stats->again += stats->visited >= cursor->steps;
	stats->visited = Max(stats->visited, cursor->steps);
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
	.cost = chain_cost,
	.info = chain_info,
	.sample = chain_sample,
	.print = chain_print,
	.check = chain_check,
};

HX_VECTOR_CLASS(hx_vector_chain, HX_HAMMING, &chain_kind, NULL);
