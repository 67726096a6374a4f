/*
 * kind.c
 *	  Sparse vectors as a kind of vector: see kind.h.
 *
 * Words of its own: window, posting, fence.
 */
#include "postgres.h"

#include "index/sparse/build.h"
#include "index/sparse/state.h"

static void
sparse_shape(int32 typmod, int *dims, int *planes)
{
	*dims = typmod;
	*planes = 0;
}

/* A row's payload is its squared length. */
static Size
sparse_payload_size(Relation index, const HxIndexDesc *desc)
{
	return sizeof(double);
}

/* Members that are the same whatever the metric */
#define SPARSE_MEMBERS                                                       \
	.name = "sparse vectors",                                                \
	.length_hint = "Declare it as %s(n), or index an expression with a "     \
				   "cast such as ((terms::%s(30522))).",                     \
	.shape = sparse_shape, .payload_size = sparse_payload_size,              \
	.query = HxMakeSparseQuery, .bounds = 1 << HX_BOUND_SPARSE,              \
	.distance = HxSparseDistance, .form = HxFormSparsePayload,               \
	.build = HxBuildSparse, .build_empty = HxBuildEmptySparse,               \
	.work = HxDoSparseWork, .search_size = sizeof(HxSparseSearch),           \
	.narrow = HxNarrowSparseSearch, .begin = HxBeginSparseSearch,            \
	.effort = HxSparseEffort, .start = HxStartSparsePhase,                   \
	.has_more = HxHasMoreWindows, .is_settled = HxIsSparseSearchSettled,     \
	.visit = HxVisitWindow, .insert = HxInsertSparse,                        \
	.bulk_delete = HxDeleteSparse, .cleanup = HxCleanUpSparse,               \
	.cost = HxSparseCost, .info = HxSparseInfo, .block_info = HxShowWindows, \
	.sample = HxSampleSparse, .check = HxCheckSparse,                        \
	.page_fault = HxSparsePageFault

static const HxKind sparse_kind = {
	SPARSE_MEMBERS,
};

/*
 * By L2 distance, which products and lengths tell but for rounding: rows of which
 * that may matter are looked at in the table.
 */
static const HxKind sparse_l2_kind = {
	SPARSE_MEMBERS,
	.refine = true,
};

HX_VECTOR_CLASS(hx_vector_svec_ip, HX_INNER_PRODUCT, &sparse_kind, NULL);
HX_VECTOR_CLASS(hx_vector_svec_cosine, HX_COSINE, &sparse_kind, NULL);
HX_VECTOR_CLASS(hx_vector_svec_l2, HX_L2, &sparse_l2_kind, NULL);
