/*
 * inspect.c
 *	  SQL functions that show an index, calibrate it and measure its recall.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "compat.h"
#include "settings.h"
#include "index/am/open.h"
#include "index/page/page.h"
#include "index/search/search.h"
#include "index/search/vector.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_index_info);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_block_info);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_calibrate_index);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_measure_recall);

/* What a column of the index is now: a name of the table's, or an expression */
static Datum
column_name(Relation index, AttrNumber attno)
{
	return DirectFunctionCall3(pg_get_indexdef_ext,
							   ObjectIdGetDatum(RelationGetRelid(index)),
							   Int32GetDatum(attno), BoolGetDatum(true));
}

/* hashemb_index_info(regclass) */
Datum
hx_index_info(PG_FUNCTION_ARGS)
{
	HxOpened opened;
	Relation index;
	HxIndexDesc desc;
	HxIndexInfo info = {0};
	TupleDesc tuples;
	HxMeta meta;
	Datum values[16];
	bool nulls[16] = {false};
	AttrNumber grouped_by;
	int i = 0;

	if (get_call_result_type(fcinfo, NULL, &tuples) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	HxOpenIndex(PG_GETARG_OID(0), HX_TO_SHOW, AccessShareLock, AccessShareLock,
				&opened);
	index = opened.index;
	HxReadMeta(index, &meta);
	desc = *HxDescribe(index);
	HxKindOf(&desc)->info(index, &desc, &info);
	values[i++] = Int32GetDatum(meta.version);
	values[i++] = Int64GetDatum(info.rows);
	values[i++] = Int64GetDatum(info.null_rows);
	values[i++] = Int64GetDatum(info.dead);
	values[i++] = Int64GetDatum(info.pending);
	values[i++] = Int32GetDatum(info.blocks);
	values[i++] = Int32GetDatum(meta.splits);
	values[i++] = Int32GetDatum(meta.merges);
	values[i++] = Int32GetDatum(desc.capacity);
	values[i++] = Int64GetDatum(RelationGetNumberOfBlocks(index));
	values[i++] = Int64GetDatum(meta.rows_at_build);
	values[i++] = Int64GetDatum(meta.rows_at_calibration);
	values[i++] = Int32GetDatum(meta.calibrations);
	values[i++] = Int64GetDatum(meta.pages_freed);
	values[i++] = Int64GetDatum(meta.pages_reused);
	grouped_by = HxGroupColumn(&desc, (int) meta.group);
	nulls[i] = grouped_by == 0;
	if (grouped_by > 0)
		values[i] = column_name(index, grouped_by);
	Assert(i + 1 == lengthof(values) && tuples->natts == lengthof(values));
	HxCloseIndex(&opened);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tuples, values, nulls)));
}

/* hashemb_block_info(regclass) */
Datum
hx_block_info(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	HxOpened opened;
	HxIndexDesc desc;
	HxMeta meta;

	HxInitSetResult(fcinfo);
	HxOpenIndex(PG_GETARG_OID(0), HX_TO_SHOW, AccessShareLock, AccessShareLock,
				&opened);
	HxReadMeta(opened.index, &meta);
	desc = *HxDescribe(opened.index);
	if (HxKindOf(&desc)->block_info)
		HxKindOf(&desc)->block_info(opened.index, &desc, result->setResult,
									result->setDesc);
	HxCloseIndex(&opened);
	PG_RETURN_NULL();
}

/* ---- queries given as arrays ---- */

/* Error unless the index's operators take such arrays of numbers. */
static void
check_takes_numbers(Relation index, const HxIndexDesc *desc, Oid array)
{
	if (!OidIsValid(get_opfamily_member(desc->family, desc->type, array,
										HX_STRATEGY_DISTANCE)))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("index \"%s\" is searched by %s, not by arrays of "
						"numbers",
						RelationGetRelationName(index), HxKindOf(desc)->name)));
}

/* Row `row` of a two-dimensional array, as an array. */
static Datum
array_row(ArrayType *array, Datum *elements, int row)
{
	Oid type = ARR_ELEMTYPE(array);
	int width = ARR_DIMS(array)[1];
	int16 length;
	bool byval;
	char align;

	get_typlenbyvalalign(type, &length, &byval, &align);
	return PointerGetDatum(construct_array(elements + row * width, width, type,
										   length, byval, align));
}

/*
 * Prepare queries from an array: of codes, or a two-dimensional one of
 * numbers, a query a row.
 */
static HxSampleQuery *
read_queries(Relation index, const HxIndexDesc *desc, ArrayType *array,
			 int *count)
{
	Oid type = ARR_ELEMTYPE(array);
	bool floats = type == FLOAT4OID || type == FLOAT8OID;
	int16 length;
	bool byval;
	char align;
	Datum *elements;
	bool *nulls;
	int nelements;
	HxSampleQuery *queries;

	/* An empty array has no dimensions. */
	if (ARR_NDIM(array) != 0 && ARR_NDIM(array) != (floats ? 2 : 1))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("queries are an array of %d dimensions, expected one "
						"of codes or two of numbers",
						ARR_NDIM(array))));
	if (floats)
		check_takes_numbers(index, desc, get_array_type(type));
	else if (type != index->rd_opcintype[desc->vector_attno - 1])
		ereport(
			ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("index \"%s\" is searched by type %s, not %s",
					RelationGetRelationName(index),
					format_type_be(index->rd_opcintype[desc->vector_attno - 1]),
					format_type_be(type))));
	get_typlenbyvalalign(type, &length, &byval, &align);
	deconstruct_array(array, type, length, byval, align, &elements, &nulls,
					  &nelements);
	*count = floats && nelements > 0 ? ARR_DIMS(array)[0] : nelements;
	queries = palloc0(Max(*count, 1) * sizeof(HxSampleQuery));
	for (int q = 0; q < *count; q++)
	{
		if (!floats && nulls[q])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("query %d is NULL", q + 1)));
		queries[q].query = HxKindOf(desc)->query(
			desc, desc->vector->metric,
			floats ? array_row(array, elements, q) : elements[q],
			floats ? get_array_type(type) : InvalidOid);
	}
	return queries;
}

/* Error if one of the queries is searched exactly: it would be no guide. */
static void
check_guides(Relation index, const HxSampleQuery *queries, int count)
{
	for (int q = 0; q < count; q++)
	{
		if (queries[q].query->exact)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("query %d for index \"%s\" is tables, which are "
							"searched exactly: there is nothing to calibrate",
							q + 1, RelationGetRelationName(index))));
	}
}

/* hashemb_calibrate(regclass [, queries]) */
Datum
hx_calibrate_index(PG_FUNCTION_ARGS)
{
	HxOpened opened;
	Relation index;
	HxIndexDesc desc;
	HxSampleQuery *queries = NULL;
	int count = 0;
	bool done = false;

	PreventCommandDuringRecovery("hashemb_calibrate()");
	PreventCommandIfParallelMode("hashemb_calibrate()");
	HxOpenIndex(PG_GETARG_OID(0), HX_TO_MAINTAIN, AccessShareLock,
				ShareUpdateExclusiveLock, &opened);
	index = opened.index;
	if (!index->rd_islocaltemp)
		PreventCommandIfReadOnly("hashemb_calibrate()");
	desc = *HxDescribe(index);
	HxLearn(index, &desc);
	if (PG_NARGS() > 1)
		queries = read_queries(index, &desc, PG_GETARG_ARRAYTYPE_P(1), &count);
	check_guides(index, queries, count);
	HxLockStructure(index);
	if (HxKindOf(&desc)->calibrate) /* else every search is exact */
		done = HxKindOf(&desc)->calibrate(index, &desc, queries, count);
	Assert(HxHoldsStructure(index) && HxHoldsNoPage());
	HxUnlockStructure(index);
	HxCloseIndex(&opened);
	PG_RETURN_BOOL(done);
}

/* ---- recall ---- */

/* What is summed over queries */
typedef struct RecallSums
{
	int queries;
	double recall;
	int below_half;
	double scored;
} RecallSums;

/* Distances of the k nearest rows, without a query's own; returns how many. */
static int
nearest(const HxOpened *opened, const HxIndexDesc *desc,
		const HxSampleQuery *query, double recall, int k, double *distances,
		uint64 *scored)
{
	Relation index = opened->index;
	HxVectors *vectors = NULL;
	HxSearchSpec spec = {.ordered = true, .skip_nulls = true};
	HxSearch *search;
	HxCandidate row;
	bool is_null;
	int count = 0;

	spec.query = query->query;
	spec.recall = recall;
	spec.filter = HxMakeFilter(desc, NULL, 0);
	if (HxKindOf(desc)->refine)
	{
		vectors = HxOpenVectors(opened->table, index, desc->vector_attno,
								GetActiveSnapshot());
		spec.table = opened->table;
		spec.heap.measure = HxFetchVector;
		spec.heap.arg = vectors;
	}
	search = HxBeginSearch(index, desc, &spec);
	while (count < k && HxSearchNext(search, &row, &is_null))
		if (query->tid == 0 || row.tid != query->tid)
		{
			Assert(count == 0 || distances[count - 1] <= row.distance);
			distances[count++] = row.distance;
		}
	*scored = HxSearchGetStats(search)->scored;
	HxEndSearch(search);
	if (vectors)
		HxCloseVectors(vectors);
	return count;
}

/* Search for one query, exactly and as set, and add up. */
static void
measure_query(const HxOpened *opened, const HxIndexDesc *desc,
			  const HxSampleQuery *query, int k, RecallSums *sums)
{
	double *exact = palloc(k * sizeof(double));
	double *found = palloc(k * sizeof(double));
	uint64 scored;
	int nexact = nearest(opened, desc, query, 1, k, exact, &scored);
	int nfound = nearest(opened, desc, query, hx_recall, k, found, &scored);
	int hits = 0;

	/* Rows may have come in between the two searches. */
	if (nexact > 0)
	{
		for (int i = 0; i < nfound; i++)
			hits += found[i] <= exact[nexact - 1];
		sums->queries++;
		sums->recall += (double) hits / nexact;
		sums->below_half += 2 * hits < nexact;
		sums->scored += scored;
	}
	pfree(exact);
	pfree(found);
}

/* hashemb_measure_recall(regclass, k, queries) */
Datum
hx_measure_recall(PG_FUNCTION_ARGS)
{
	HxOpened opened;
	HxCaller caller;
	Relation index;
	HxIndexDesc desc;
	int k = PG_GETARG_INT32(1);
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, 2);
	RecallSums sums = {0};
	HxSampleQuery *queries;
	TupleDesc tuples;
	Datum values[4];
	bool nulls[4] = {false};
	int count;

	if (get_call_result_type(fcinfo, NULL, &tuples) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (k < 1 || k > 100000)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("k is %d, expected 1 to 100000", k)));
	HxOpenIndex(PG_GETARG_OID(0), HX_TO_SHOW, AccessShareLock, AccessShareLock,
				&opened);
	HxBecomeOwner(&opened, &caller);
	index = opened.index;
	desc = *HxDescribe(index);
	HxLearn(index, &desc);
	if (type == INT4OID && !HxKindOf(&desc)->sample)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("no rows of index \"%s\" can be drawn as queries",
						RelationGetRelationName(index)),
				 errhint("Give an array of queries instead of their number.")));
	if (type == INT4OID)
		count = HxKindOf(&desc)->sample(
			index, &desc, Max(0, Min(PG_GETARG_INT32(2), 1000000)), 2,
			&queries);
	else
		queries = read_queries(index, &desc, PG_GETARG_ARRAYTYPE_P(2), &count);
	Assert(count >= 0);
	for (int q = 0; q < count; q++)
		measure_query(&opened, &desc, &queries[q], k, &sums);
	HxBecomeCaller(&caller);
	HxCloseIndex(&opened);

	values[0] = Int32GetDatum(sums.queries);
	values[1] = Float8GetDatum(sums.recall / Max(sums.queries, 1));
	values[2] = Float8GetDatum((double) sums.below_half / Max(sums.queries, 1));
	values[3] = Float8GetDatum(sums.scored / Max(sums.queries, 1));
	nulls[1] = nulls[2] = nulls[3] = sums.queries == 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tuples, values, nulls)));
}
