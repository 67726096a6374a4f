/*
 * kind.c
 *	  Dense vectors as a kind of vector: see kind.h.
 */
#include "postgres.h"

#include "access/table.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "index/blocks/recall/measure.h"
#include "index/check/check.h"
#include "index/cost_units.h"
#include "index/dense/dense.h"
#include "index/options.h"
#include "index/search/vector.h"
#include "type/dense.h"

/* Vectors of so few dimensions are kept whole */
#define KEPT_WHOLE 64

/* Numbers of a model's axes at most, unless the user says otherwise */
#define MOST_NUMBERS (1 << 22)

/* ---- column ---- */

static void
dense_shape(int32 typmod, int *dims, int *planes)
{
	*dims = typmod;
	*planes = 4;
}

static int
dense_dims_of(const HxVectorClass *class, Datum vector)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(vector);

	return HxDenseDims((HxDenseType) class->layout, PointerGetDatum(value));
}

/* Bytes of a sketch: half a byte for an eighth of the bits, or all dimensions */
static Size
choose_bytes(Relation index, int dims)
{
	const HxOptions *options = (const HxOptions *) index->rd_options;
	Size whole = TYPEALIGN(8, (dims + 1) / 2);
	Size bytes;

	if (options && options->payload_bytes > 0)
		return Min(TYPEALIGN(8, (Size) options->payload_bytes), whole);
	if (dims <= KEPT_WHOLE)
		return whole;
	bytes = Max(TYPEALIGN(8, dims / 8), KEPT_WHOLE / 2);
	bytes = Min(bytes, MOST_NUMBERS / dims / 16 * 8);
	return Min(bytes, HX_MOST_PAYLOAD);
}

static Size
dense_payload_size(Relation index, const HxIndexDesc *desc)
{
	Size stored = HxStoredPayload(index);

	if (desc->dims > HX_MOST_DIMS)
		ereport(
			ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("vectors of index \"%s\" have %d dimensions, more than "
					"%d",
					RelationGetRelationName(index), desc->dims, HX_MOST_DIMS)));
	if (stored == 0)
		return offsetof(HxDenseRow, sketch) + choose_bytes(index, desc->dims);
	if (stored <= offsetof(HxDenseRow, sketch) || stored != MAXALIGN(stored))
		HxCorrupted(index, HX_METAPAGE,
					"its sketches have an impossible length");
	return stored;
}

/* ---- build and change ---- */

static void
dense_work(struct HxBuild *build, int task)
{
	HxReceiveModel(build);
	HxBeginBlocksWork(build);
	if (task == HX_TASK_LOAD && build->desc->model)
		HxLoadSketches(build);
	else
		HxDoBlocksWork(build, task);
}

static void
dense_insert(Relation index, Relation heap, const HxIndexDesc *desc,
			 const Datum *values, const bool *isnull, ItemPointer tid)
{
	HxInsertIntoBlocks(index, heap, desc, values, isnull, tid);
	if (!desc->model && !isnull[desc->vector_attno - 1])
		HxLearnAfterInsert(index, heap, desc, tid);
}

static void
dense_cleanup(const IndexVacuumInfo *info, const HxIndexDesc *desc,
			  IndexBulkDeleteResult *stats)
{
	HxIndexDesc learnt = *desc;

	HxLearnInVacuum(info->index, &learnt);
	HxCleanUpBlocks(info, &learnt, stats);
}

/* ---- look ---- */

/*
 * Rows drawn at random, as queries made of the table's vectors: the index knows
 * too little of them.  Rows that nobody sees any more are left out.
 */
static int
dense_sample(Relation index, const HxIndexDesc *desc, int wanted, uint64 seed,
			 HxSampleQuery **queries)
{
	Relation heap = table_open(index->rd_index->indrelid, AccessShareLock);
	HxVectors *vectors =
		HxOpenVectors(heap, index, desc->vector_attno, GetActiveSnapshot());
	uint8 *payloads;
	uint64 *tids;
	int drawn = HxSampleRows(index, desc, wanted, seed, &payloads, &tids);
	int count = 0;

	*queries = palloc0(Max(drawn, 1) * sizeof(HxSampleQuery));
	for (int i = 0; i < drawn; i++)
	{
		ItemPointerData tid;
		Datum vector;
		bool isnull;

		CHECK_FOR_INTERRUPTS();
		HxUnpackTid(tids[i], &tid);
		if (HxFetchVector(vectors, &tid, &vector, &isnull) != HX_ROW_PASSES ||
			isnull)
			continue;
		(*queries)[count].query =
			HxMakeDenseQuery(desc, desc->vector->metric, vector, InvalidOid);
		(*queries)[count++].tid = tids[i];
	}
	HxCloseVectors(vectors);
	table_close(heap, AccessShareLock);
	return count;
}

static const char *
dense_page_fault(const HxIndexDesc *desc, Page page, uint16 type)
{
	return type == HX_PAGE_MODEL ? HxModelPageFault(page)
								 : HxBlocksPageFault(desc, page, type);
}

static void
dense_check(struct HxCheck *check)
{
	HxPageList pages = {0};

	HxReadMeta(check->index, &check->meta);
	if (check->meta.model != HX_METAPAGE)
		HxListChain(check, check->meta.model, HX_PAGE_MODEL, &pages);
	HxCheckBlocks(check);
}

static void
dense_sketch_info(const HxIndexDesc *desc, HxSketchInfo *info)
{
	const HxModel *model = HxModelOf(desc);

	if (!model)
		return;
	info->directions = model->kept;
	info->bits = model->width;
	info->landmarks = model->landmarks;
}

/* ---- plan ---- */

/* Heap rows that a search looks at to find one that is wanted, and more */
#define LOOKED_AT 1.5
#define LOOKED_AT_LEAST 10

/* Rows are looked at by the search, and those wanted once more when returned. */
static void
dense_cost(const HxCostQuery *query, HxCost *cost)
{
	double wanted = query->wanted > 0 ? query->wanted : query->rows;
	double looked = Min(LOOKED_AT * wanted + LOOKED_AT_LEAST, query->rows);

	HxBlocksCost(query, cost);
	if (query->unordered)
		looked = 0;
	else if (query->looked > 0 && (query->recall >= 1 || query->wanted == 0))
		looked = query->looked;
	else if (query->recall >= 1)
		looked = query->rows;
	cost->search += looked * HX_CHECK_TIME * HX_MICROSECOND;
	if (!query->unordered)
		cost->rest +=
			Max(query->rows - looked, 0) * HX_CHECK_TIME * HX_MICROSECOND;
}

/* The kind of vectors that are kept in one way, as are queries of their bounds */
#define DENSE_KIND(its_bounds)                                              \
	{                                                                       \
		.name = "dense vectors", .refine = true,                            \
		.length_hint =                                                      \
			"Create the index WITH (dims = 768), as many as the vectors "   \
			"have, or when the table has rows that tell. A column of "      \
			"pgvector's types may be declared with them: vector(768).",     \
		.room_hint =                                                        \
			"Create the index WITH (code_bytes = 512), or with fewer "      \
			"attribute columns.",                                           \
		.shape = dense_shape, .dims_of = dense_dims_of,                     \
		.learn = HxLoadDenseModel, .query = HxMakeDenseQuery,               \
		.bounds = 1 << (its_bounds), .distance = HxDenseDistance,           \
		.payload_size = dense_payload_size, .form = HxFormDense,            \
		.rows_near = HxDenseRowsNear, .reduce = HxReduceDense,              \
		.distances = HxDenseEstimates, .least = HxLeastDenseDistance,       \
		.learn_from_table = HxLearnInBuild, .store_learnt = HxStoreInBuild, \
		.sketch_info = dense_sketch_info,                                   \
		HX_BLOCKS_MEMBERS_BUT(dense_work, dense_insert, dense_cleanup,      \
							  dense_sample, dense_check, dense_cost,        \
							  dense_page_fault),                            \
	}

static const HxKind array_kind = DENSE_KIND(HX_BOUND_FLOATS);
static const HxKind vector_kind = DENSE_KIND(HX_BOUND_VECTOR);
static const HxKind halfvec_kind = DENSE_KIND(HX_BOUND_HALFVEC);

#define DENSE_CLASS(name, metric, kind, layout) \
	HX_VECTOR_CLASS_OF_LAYOUT(name, metric, &kind, &hx_dense_payload, layout)

DENSE_CLASS(hx_vector_real_l2, HX_L2, array_kind, HX_DENSE_REAL_ARRAY);
DENSE_CLASS(hx_vector_real_ip, HX_INNER_PRODUCT, array_kind,
			HX_DENSE_REAL_ARRAY);
DENSE_CLASS(hx_vector_real_cosine, HX_COSINE, array_kind, HX_DENSE_REAL_ARRAY);
DENSE_CLASS(hx_vector_vector_l2, HX_L2, vector_kind, HX_DENSE_VECTOR);
DENSE_CLASS(hx_vector_vector_ip, HX_INNER_PRODUCT, vector_kind,
			HX_DENSE_VECTOR);
DENSE_CLASS(hx_vector_vector_cosine, HX_COSINE, vector_kind, HX_DENSE_VECTOR);
DENSE_CLASS(hx_vector_halfvec_l2, HX_L2, halfvec_kind, HX_DENSE_HALFVEC);
DENSE_CLASS(hx_vector_halfvec_ip, HX_INNER_PRODUCT, halfvec_kind,
			HX_DENSE_HALFVEC);
DENSE_CLASS(hx_vector_halfvec_cosine, HX_COSINE, halfvec_kind,
			HX_DENSE_HALFVEC);
