/*
 * chain.c
 *	  A kind of vectors for tests alone: codes by Hamming distance, in a plain
 *	  chain of pages.
 *
 * It shows that kind.h and the common parts are enough to write a kind: no file
 * of src/ knows of it.  Members that may be NULL are.  Searches read the whole chain and are exact.  The
 * metapage's `directory` is the chain's first page; pages are only added, before
 * it.  The first byte of a payload tells whether the row has a vector; the code
 * follows from byte CODE on, padded with zeros.
 */
#include "postgres.h"

#include "commands/vacuum.h"
#include "miscadmin.h"

#include "index/build/build.h"
#include "index/check/check.h"
#include "index/search/state.h"
#include "kernel/kernel.h"
#include "type/bincode.h"

#define CODE sizeof(uint64)

typedef struct ChainSearch
{
	HxSearch base;
	HxChainCursor cursor;
} ChainSearch;

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
chain_form(const HxIndexDesc *desc, Datum vector, uint8 *payload)
{
	HxCode code = HxViewCode(vector);

	(void) HxMatchShapes(code.dims, code.planes, desc->dims, 1, NULL, NULL);
	memset(payload, 0, desc->payload);
	payload[0] = 1;
	memcpy(payload + CODE, code.data, code.bytes);
	HxReleaseCode(&code, vector);
}

static bool
is_null(const uint8 *payload)
{
	return payload[0] == 0;
}

static HxQuery *
chain_query(const HxIndexDesc *desc, HxMetric metric, Datum value, Oid type)
{
	HxQuery *query = palloc(sizeof(HxQuery));
	uint8 *payload = palloc(desc->payload);

	chain_form(desc, value, payload);
	*query = (HxQuery){desc, HX_HAMMING, HX_BOUND_CODE, payload, desc->payload};
	return query;
}

static void
chain_distances(const HxQuery *query, const uint8 *payloads, int count,
				double *distances)
{
	const uint8 *code = (const uint8 *) query->value + CODE;
	Size size = query->desc->payload;
	uint32 differing;

	for (int i = 0; i < count; i++)
	{
		hx_kernels->hamming(code, HX_PLANE_BYTES(query->desc->dims),
							(HxCodes){payloads + i * size + CODE, size, 1},
							&differing);
		distances[i] = differing;
	}
}

/* ---- build and change ---- */

/*
 * Put a row on the first page, or on a new one before it, as one record.  The lock
 * of the metapage orders all who do so.
 */
static void
put_row(Relation index, const HxIndexDesc *desc, const HxRow *row)
{
	Buffer meta =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	BlockNumber first = HxPageMeta(BufferGetPage(meta))->directory;
	Buffer buffer =
		HxReadPage(index, first, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_ROWS);
	bool full = HxPageRows(BufferGetPage(buffer))->count == desc->capacity;
	GenericXLogState *state;
	Page page;
	bool reused;

	if (full)
	{
		UnlockReleaseBuffer(buffer);
		buffer = HxNewBuffer(index, &reused);
	}
	state = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(state, buffer,
									 full ? GENERIC_XLOG_FULL_IMAGE : 0);
	if (full)
	{
		HxInitRowsPage(desc, page, HX_NO_OWNER, (HxEntryAddress){0, 0});
		HxPageOpaque(page)->next = first;
		HxPageMeta(GenericXLogRegisterBuffer(state, meta, 0))->directory =
			BufferGetBlockNumber(buffer);
	}
	HxPutRow(desc, page, HxRowPayload(desc, row), &row->attrs, &row->tid);
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(meta);
}

static void
chain_insert(Relation index, Relation heap, const HxIndexDesc *desc,
			 const Datum *values, const bool *isnull, ItemPointer tid)
{
	HxRow *row = palloc(HxRowSize(desc));

	HxFormRow(desc, values, isnull, tid, row);
	put_row(index, desc, row);
}

static void
chain_build_empty(Relation index, const HxIndexDesc *desc, ForkNumber fork)
{
	Buffer meta = HxExtendFork(index, fork);
	Buffer first = HxExtendFork(index, fork);

	HxInitMetapage(desc, BufferGetPage(meta))->directory =
		BufferGetBlockNumber(first);
	HxInitRowsPage(desc, BufferGetPage(first), HX_NO_OWNER,
				   (HxEntryAddress){0, 0});
	HxFinishPage(first);
	HxFinishPage(meta);
}

static void
chain_build(HxBuild *build, IndexBuildResult *result)
{
	HxWork loaded = HxLoadTable(build);
	HxSpool *spool = HxOpenSpool(build);
	HxRow *row = palloc(HxRowSize(build->desc));

	HxSetPhase(HX_PHASE_WRITE, loaded.rows);
	chain_build_empty(build->index, build->desc, MAIN_FORKNUM);
	for (int64 i = 0; i < loaded.rows; i++)
	{
		HxReadSpool(spool, i, row);
		put_row(build->index, build->desc, row);
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

	HxBeginDirectory(&cursor, info->index, HX_PAGE_ROWS, BUFFER_LOCK_EXCLUSIVE);
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

	HxBeginDirectory(&cursor, index, HX_PAGE_ROWS, BUFFER_LOCK_SHARE);
	for (; (page = HxNextPage(&cursor)); info->blocks++)
	{
		HxRowArraysOf(desc, page, &rows);
		info->rows += rows.count;
		info->dead += HxCountMarks(&rows);
		for (int i = 0; i < rows.count; i++)
			info->null_rows += is_null(rows.payloads + i * desc->payload);
	}
}

static const char *
payload_fault(void *state, const uint8 *payload, bool *has_vector)
{
	const HxIndexDesc *desc = state;
	Size end = CODE + HX_PLANE_BYTES(desc->dims);

	*has_vector = !is_null(payload);
	for (Size i = 0; i < desc->payload; i++)
		if (payload[i] > (i == 0) && (is_null(payload) || i < CODE || i >= end))
			return "its payload is not that of a code";
	return HxFindStrayBits(payload + CODE, desc->dims, 1) < 0
			   ? NULL
			   : "its code has bits beyond its last dimension";
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
	HxCountOtherPages(check, NULL);
}

/* ---- search ---- */

static void
chain_start(HxSearch *search)
{
	HxChainCursor *cursor = &((ChainSearch *) search)->cursor;

	HxBeginDirectory(cursor, search->index, HX_PAGE_ROWS, BUFFER_LOCK_SHARE);
	if (HxFilterIsNever(search->spec.filter))
		cursor->next = InvalidBlockNumber;
}

static bool
chain_has_more(const HxSearch *search)
{
	return ((const ChainSearch *) search)->cursor.next != InvalidBlockNumber;
}

static void
chain_visit(HxSearch *search)
{
	HxVisitChainPage(search, &((ChainSearch *) search)->cursor, is_null);
}

static const HxKind chain_kind = {
	.name = "codes in a chain",
	.length_hint = "Declare it as bincode(n).",
	.shape = HxShapeOf,
	.query = chain_query,
	.bounds = 1 << HX_BOUND_CODE,
	.payload_size = chain_payload_size,
	.form = chain_form,
	.distances = chain_distances,
	.build = chain_build,
	.build_empty = chain_build_empty,
	.search_size = sizeof(ChainSearch),
	.start = chain_start,
	.has_more = chain_has_more,
	.visit = chain_visit,
	.insert = chain_insert,
	.bulk_delete = chain_bulk_delete,
	.info = chain_info,
	.check = chain_check,
};

HX_VECTOR_CLASS(hx_vector_chain, HX_HAMMING, &chain_kind, NULL);
