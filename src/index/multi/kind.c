/*
 * kind.c
 *	  Lists of tokens as a kind of vector: see kind.h.
 */
#include "postgres.h"

#include "index/cost_units.h"
#include "index/multi/multi.h"
#include "type/bincode.h"

/* vector(n) and halfvec(n) have the dimensions, bincode(n, b) its shape. */
static void
lists_shape(int32 typmod, int *dims, int *planes)
{
	*dims = HX_SHAPE_DIMS(typmod);
	*planes = HX_SHAPE_PLANES(typmod);
}

/* Dimensions of a list's tokens; 0 if it has none.  Errors as HxReadTokens(). */
static int
lists_dims_of(const HxVectorClass *class, Datum vector)
{
	HxTokens tokens;

	HxReadTokens((HxTokenType) class->layout, DatumGetArrayTypeP(vector),
				 &tokens);
	return tokens.count > 0 ? tokens.dims : 0;
}

/* A row's payload is what a check knows it by. */
static Size
lists_payload_size(Relation index, const HxIndexDesc *desc)
{
	return MAXIMUM_ALIGNOF;
}

/* A row scored; a heap row's list read and its MaxSim */
#define SCORE_TIME 0.012
#define MAXSIM_TIME 1.5
/* Heap rows that a search looks at to find one that is wanted, and more */
#define LOOKED_AT 6.0
#define LOOKED_AT_LEAST 40

/* All rows are scored; some are looked at, and those wanted again. */
static void
lists_cost(const HxCostQuery *query, HxCost *cost)
{
	double rows = Max(query->index->tuples, 1);
	double wanted = query->wanted > 0 ? query->wanted : query->rows;
	double looked = Min(LOOKED_AT * wanted + LOOKED_AT_LEAST, query->rows);
	double passing = Min(query->rows / rows, 1);
	double row = HX_COLUMN_TIME + passing * SCORE_TIME +
				 Max(query->masks - 1, 0) * HX_MASK_TIME +
				 (query->tids ? HX_LOOKUP_TIME : 0);
	double fetch = HX_CHECK_TIME + MAXSIM_TIME;

	if (query->recall >= 1)
		looked = query->rows;
	cost->pages = Max(query->index->pages, 1);
	cost->search = ((query->repeated ? HX_REPEATED_TIME : HX_SEARCH_TIME) +
					HxPhasesFor(wanted) * rows * row + looked * fetch) *
				   HX_MICROSECOND;
	cost->rest = Max(query->rows - looked, 0) * fetch * HX_MICROSECOND;
	cost->columns = (HX_SEARCH_TIME + rows * HX_COLUMN_TIME) * HX_MICROSECOND;
}

static const HxKind lists_kind = {
	.name = "lists of tokens",
	.refine = true,
	.visits_all = true,
	.length_hint = "Create the index WITH (dims = 128), as many as the tokens "
				   "have, or when there are rows with tokens.",
	.shape = lists_shape,
	.dims_of = lists_dims_of,
	.learn = HxLoadCodebooks,
	.query = HxMakeListQuery,
	.distance = HxListDistance,
	.payload_size = lists_payload_size,
	.form = HxFormListPayload,
	.reduce = HxReduceListPayload,
	.build = HxBuildLists,
	.learn_from_table = HxLearnListsInBuild,
	.store_learnt = HxStoreListsInBuild,
	.build_empty = HxBuildEmptyLists,
	.work = HxDoListsWork,
	.search_size = sizeof(HxListSearch),
	.begin = HxBeginListSearch,
	.effort = HxListEffort,
	.start = HxStartListPhase,
	.has_more = HxHasMoreLists,
	.is_settled = HxIsListSearchSettled,
	.visit = HxVisitLists,
	.insert = HxInsertList,
	.bulk_delete = HxDeleteLists,
	.cleanup = HxCleanUpLists,
	.cost = lists_cost,
	.info = HxListsInfo,
	.sample = HxSampleLists,
	.check = HxCheckLists,
	.page_fault = HxListsFault,
};

HX_VECTOR_CLASS_OF_LAYOUT(hx_vector_real_maxsim, HX_INNER_PRODUCT, &lists_kind,
						  NULL, HX_TOKENS_REAL);
HX_VECTOR_CLASS_OF_LAYOUT(hx_vector_coded_maxsim, HX_INNER_PRODUCT, &lists_kind,
						  NULL, HX_TOKENS_CODED);
HX_VECTOR_CLASS_OF_LAYOUT(hx_vector_vector_maxsim, HX_INNER_PRODUCT,
						  &lists_kind, NULL, HX_TOKENS_VECTOR);
HX_VECTOR_CLASS_OF_LAYOUT(hx_vector_halfvec_maxsim, HX_INNER_PRODUCT,
						  &lists_kind, NULL, HX_TOKENS_HALFVEC);
