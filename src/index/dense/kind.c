/*
 * kind.c
 *	  Dense vectors as a kind of vector: see kind.h.
 */
#include "postgres.h"

#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "index/check/check.h"
#include "index/cost_units.h"
#include "index/dense/dense.h"
#include "index/options.h"
#include "index/search/vector.h"

/* Vectors of so few dimensions are kept whole */
#define KEPT_WHOLE 64

/* Numbers of a model's axes at most, unless the user says otherwise */
#define MOST_NUMBERS (1 << 22)

/* ---- column ---- */

/* Dimensions of a column that is not built yet; errors if nothing tells. */
static int
find_dims(Relation index, AttrNumber attno, HxLayout layout)
{
	Form_pg_attribute column =
		TupleDescAttr(RelationGetDescr(index), attno - 1);
	const HxOptions *options = (const HxOptions *) index->rd_options;
	int32 typmod = column->atttypmod;
	int dims;

	if (typmod < 0)
		(void) getBaseTypeAndTypmod(column->atttypid, &typmod);
	dims = HxDimsOfTypmod(layout, typmod);
	if (dims == 0 && options)
		dims = options->dims;
	if (dims == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of index \"%s\" has no dimensions",
						NameStr(column->attname),
						RelationGetRelationName(index)),
				 errhint("Create the index WITH (dims = 768), as many as the "
						 "vectors have.")));
	if (dims > HX_MAX_DENSE_DIMS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("column \"%s\" of index \"%s\" has %d dimensions, more "
						"than %d",
						NameStr(column->attname),
						RelationGetRelationName(index), dims,
						HX_MAX_DENSE_DIMS)));
	return dims;
}

/* Bytes of a code: half a byte for an eighth of the bits, or all dimensions */
static Size
choose_code_bytes(Relation index, int dims)
{
	const HxOptions *options = (const HxOptions *) index->rd_options;
	Size whole = TYPEALIGN(8, (dims + 1) / 2);
	Size bytes;

	if (options && options->code_bytes > 0)
		return Min(TYPEALIGN(8, (Size) options->code_bytes), whole);
	if (dims <= KEPT_WHOLE)
		return whole;
	bytes = Max(TYPEALIGN(8, dims / 8), KEPT_WHOLE / 2);
	bytes = Min(bytes, MOST_NUMBERS / dims / 16 * 8);
	return Min(bytes, HX_MAX_CODE_BYTES);
}

static Size
dense_column(Relation index, AttrNumber attno, int *dims, int *planes)
{
	FmgrInfo *proc = index_getprocinfo(index, attno, HX_VECTOR_PROC);
	const HxVectorClass *class = (const HxVectorClass *) DatumGetPointer(
		FunctionCall1(proc, PointerGetDatum(NULL)));
	Size payload;

	if (HxStoredShape(index, dims, planes, &payload))
	{
		if (payload <= offsetof(HxDenseRow, code) ||
			payload != MAXALIGN(payload) || *dims > HX_MAX_DENSE_DIMS)
			HxCorrupted(index, HX_METAPAGE,
						"its codes have an impossible length");
		return payload;
	}
	*dims = find_dims(index, attno, (HxLayout) class->layout);
	*planes = 4;
	return offsetof(HxDenseRow, code) + choose_code_bytes(index, *dims);
}

/* ---- build and change ---- */

static void
dense_work(struct HxBuild *build, int task)
{
	HxReceiveModel(build);
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
 * Rows drawn at random, as queries made of the table's vectors: what the index
 * stores of them would be nearer to itself than they are.
 */
static int
dense_sample(Relation index, const HxIndexDesc *desc, int wanted, uint64 seed,
			 HxSampleQuery **queries)
{
	HxSampleQuery *drawn;
	int count = HxSampleBlocks(index, desc, wanted, seed, &drawn);

	*queries = drawn;
	return count;
}

/* A row is known by the hash of its vector. */
static void
dense_print(const HxIndexDesc *desc, Datum vector, uint8 *print)
{
	float *numbers = palloc(desc->dims * sizeof(float));
	HxDenseRow *row = (HxDenseRow *) print;

	HxReadVector(desc, vector, numbers);
	memset(print, 0, desc->payload);
	row->hash = HxHashVector(numbers, desc->dims);
	pfree(numbers);
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

/* ---- plan ---- */

/* Heap rows that a search looks at to find one that is wanted, and more */
#define LOOKED_AT 1.5
#define LOOKED_AT_LEAST 10

static void
dense_cost(const HxCostQuery *query, HxCost *cost)
{
	double wanted = query->wanted > 0 ? query->wanted : query->rows;
	double looked = Min(LOOKED_AT * wanted + LOOKED_AT_LEAST, query->rows);

	HxBlocksCost(query, cost);
	if (query->recall >= 1)
		looked = query->rows;
	cost->search += (looked - Min(wanted, looked)) *
					HX_LOOK_COST * seq_page_cost;
}

static const HxKind dense_kind = {
	.name = "dense vectors",
	.refine = true,
	.column = dense_column,
	.learn = HxLoadDenseModel,
	.query = HxMakeDenseQuery,
	.same_query = HxIsSameDenseQuery,
	.distance = HxDenseDistance,
	HX_BLOCKS_MEMBERS_BUT(dense_work, dense_insert, dense_cleanup,
						  dense_sample, dense_print, dense_check,
						  dense_cost, dense_page_fault),
};

#define DENSE_CLASS(name, metric, layout)                              \
	HX_VECTOR_CLASS_OF_LAYOUT(name, metric, &dense_kind,               \
							  &hx_dense_payload, layout)

DENSE_CLASS(hx_vector_real_l2, HX_L2, HX_LAYOUT_REALS);
DENSE_CLASS(hx_vector_real_ip, HX_INNER_PRODUCT, HX_LAYOUT_REALS);
DENSE_CLASS(hx_vector_real_cosine, HX_COSINE, HX_LAYOUT_REALS);
DENSE_CLASS(hx_vector_vector_l2, HX_L2, HX_LAYOUT_VECTOR);
DENSE_CLASS(hx_vector_vector_ip, HX_INNER_PRODUCT, HX_LAYOUT_VECTOR);
DENSE_CLASS(hx_vector_vector_cosine, HX_COSINE, HX_LAYOUT_VECTOR);
DENSE_CLASS(hx_vector_halfvec_l2, HX_L2, HX_LAYOUT_HALFVEC);
DENSE_CLASS(hx_vector_halfvec_ip, HX_INNER_PRODUCT, HX_LAYOUT_HALFVEC);
DENSE_CLASS(hx_vector_halfvec_cosine, HX_COSINE, HX_LAYOUT_HALFVEC);
