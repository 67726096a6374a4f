/*
 * kind.c
 *	  Sparse vectors as a kind of vector: see kind.h.
 *
 * Words of its own: window, posting, fence.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "index/sparse/build.h"
#include "index/sparse/state.h"

/* The vector column's dimensions; a row's payload is its squared length. */
static Size
sparse_column(Relation index, AttrNumber attno, int *dims, int *planes)
{
	Form_pg_attribute column =
		TupleDescAttr(RelationGetDescr(index), attno - 1);
	int32 typmod = column->atttypmod;

	if (typmod < 0)
		(void) getBaseTypeAndTypmod(column->atttypid, &typmod);
	if (typmod >= 0)
	{
		*dims = typmod;
		*planes = 0;
	}
	else if (!HxStoredShape(index, dims, planes))
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" of index \"%s\" has no length",
					NameStr(column->attname), RelationGetRelationName(index)),
			 errhint("Declare it as %s(n), or index an expression with a cast "
					 "such as ((terms::%s(30522))).",
					 format_type_be(getBaseType(column->atttypid)),
					 format_type_be(getBaseType(column->atttypid)))));
	return sizeof(double);
}

static const HxKind sparse_kind = {
	.name = "sparse vectors",
	.column = sparse_column,
	.query = HxMakeSparseQuery,
	.bounds = 1 << HX_BOUND_SPARSE,
	.same_query = HxIsSameSparseQuery,
	.distance = HxSparseDistance,
	.build = HxBuildSparse,
	.build_empty = HxBuildEmptySparse,
	.work = HxDoSparseWork,
	.search_size = sizeof(HxSparseSearch),
	.narrow = HxNarrowSparseSearch,
	.begin = HxBeginSparseSearch,
	.effort = HxSparseEffort,
	.start = HxStartSparsePhase,
	.has_more = HxHasMoreWindows,
	.is_settled = HxIsSparseSearchSettled,
	.visit = HxVisitWindow,
	.next_rows = HxNextSparseRows,
	.insert = HxInsertSparse,
	.bulk_delete = HxDeleteSparse,
	.cleanup = HxCleanUpSparse,
	.cost = HxSparseCost,
	.info = HxSparseInfo,
	.block_info = HxShowWindows,
	.sample = HxSampleSparse,
	.count_rows = HxCountSparseRows,
	.print = HxPrintSparse,
	.check = HxCheckSparse,
	.page_fault = HxSparsePageFault,
};

HX_VECTOR_CLASS(hx_vector_svec_ip, HX_INNER_PRODUCT, &sparse_kind, NULL);
HX_VECTOR_CLASS(hx_vector_svec_cosine, HX_COSINE, &sparse_kind, NULL);
