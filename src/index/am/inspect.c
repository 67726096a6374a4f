/*
 * inspect.c
 *	  SQL functions that show an index, calibrate it and measure its recall.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "compat.h"
#include "settings.h"
#include "index/am/open.h"
#include "index/page/page.h"
#include "index/search/search.h"
#include "index/search/vector.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_index_info);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_block_info);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_sketch_info);
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

/* hashemb_code_info(regclass): NULLs where no codes were learnt */
Datum
hx_sketch_info(PG_FUNCTION_ARGS)
{
	HxOpened opened;
	HxIndexDesc desc;
	HxSketchInfo info = {0};
	TupleDesc tuples;
	Datum values[3];
	bool nulls[3];

	if (get_call_result_type(fcinfo, NULL, &tuples) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	HxOpenIndex(PG_GETARG_OID(0), HX_TO_SHOW, AccessShareLock, AccessShareLock,
				&opened);
	desc = *HxDescribe(opened.index);
	HxLearn(opened.index, &desc);
	if (HxKindOf(&desc)->sketch_info)
		HxKindOf(&desc)->sketch_info(&desc, &info);
	values[0] = Int32GetDatum(info.directions);
	values[1] = Int32GetDatum(info.bits);
	values[2] = Int32GetDatum(info.landmarks);
	memset(nulls, info.directions == 0, sizeof(nulls));
	Assert(tuples->natts == lengthof(values));
	HxCloseIndex(&opened);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tuples, values, nulls)));
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

/* One index, or those of the partitions of a partitioned one */
typedef struct Part
{
	HxOpened opened;
	HxIndexDesc desc;
	HxCaller caller; /* while its table's owner acts */
} Part;

typedef struct Parts
{
	Part *part;
	int count;
} Parts;

static void
enter_part(Part *part)
{
	HxBecomeOwner(&part->opened, &part->caller);
}

static void
leave_part(Part *part)
{
	HxBecomeCaller(&part->caller);
}

/* Open an index that has pages, as one of several. */
static void
add_part(Parts *parts, Oid oid)
{
	Part *part = &parts->part[parts->count++];

	HxOpenIndex(oid, HX_TO_SHOW, AccessShareLock, AccessShareLock,
				&part->opened);
	enter_part(part);
	part->desc = *HxDescribe(part->opened.index);
	HxLearn(part->opened.index, &part->desc);
	leave_part(part);
}

/* Is this a partitioned index of ours? */
static bool
is_partitioned(Oid oid)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
	Form_pg_class relation;
	bool answer;

	if (!HeapTupleIsValid(tuple))
		return false;
	relation = (Form_pg_class) GETSTRUCT(tuple);
	answer = relation->relkind == RELKIND_PARTITIONED_INDEX &&
			 relation->relam == get_index_am_oid("hashemb", false);
	ReleaseSysCache(tuple);
	return answer;
}

/*
 * Open an index, or all that a partitioned one has, locked AccessShareLock.
 * Each is opened as if it had been named, so the user must be allowed to see
 * each.  Error if a partition has none.
 */
static void
open_parts(Oid oid, Parts *parts)
{
	List *oids = list_make1_oid(oid);
	ListCell *cell;

	if (is_partitioned(oid))
	{
		oids = find_all_inheritors(oid, AccessShareLock, NULL);
		if (!get_index_isvalid(oid))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("index \"%s\" is not valid", get_rel_name(oid)),
					 errdetail("Not every partition has an index of it.")));
	}
	parts->part = palloc0(list_length(oids) * sizeof(Part));
	parts->count = 0;
	foreach (cell, oids)
		if (!is_partitioned(lfirst_oid(cell)))
			add_part(parts, lfirst_oid(cell));
}

/*
 * The target of a search for k rows and the query's own, which is found in any case, that
 * allows as many misses as one for k rows
 */
static double
recall_besides_own(double recall, int k)
{
	return 1 - (1 - recall) * k / (k + 1.0);
}

/*
 * Distances of the k nearest rows of a part, without a query's own; returns how
 * many.  It is the search of a statement with LIMIT k.  The rows scored are added to
 * *scored.
 */
static int
nearest(Part *part, const HxSampleQuery *query, double recall, int k,
		double *distances, uint64 *scored)
{
	const HxIndexDesc *desc = &part->desc;
	Relation index = part->opened.index;
	HxVectors *vectors = NULL;
	HxSearchSpec spec = {.ordered = true, .skip_nulls = true};
	HxSearch *search;
	HxCandidate row;
	bool is_null;
	int count = 0;

	spec.query = query->query;
	spec.recall = query->tid == 0 ? recall : recall_besides_own(recall, k);
	spec.limit = (uint64) k + (query->tid != 0);
	spec.filter = HxMakeFilter(desc, NULL, 0);
	if (HxKindOf(desc)->refine)
	{
		vectors = HxOpenVectors(part->opened.table, index, desc->vector_attno,
								GetActiveSnapshot());
		spec.table = part->opened.table;
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
	*scored += HxSearchGetStats(search)->scored;
	HxEndSearch(search);
	if (vectors)
		HxCloseVectors(vectors);
	return count;
}

static int
compare_distances(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

/* The same of all parts together; asked[p] is the query for part p. */
static int
nearest_of_all(Parts *parts, const HxSampleQuery *asked, double recall, int k,
			   double *distances, uint64 *scored)
{
	int count = 0;

	*scored = 0;
	for (int p = 0; p < parts->count; p++)
	{
		Part *part = &parts->part[p];

		enter_part(part);
		count += nearest(part, &asked[p], recall, k, distances + count, scored);
		leave_part(part);
	}
	if (parts->count > 1)
		qsort(distances, count, sizeof(double), compare_distances);
	return Min(count, k);
}

/* Search for one query, exactly and as set, and add up. */
static void
measure_query(Parts *parts, const HxSampleQuery *asked, int k, RecallSums *sums)
{
	Size size = (Size) k * parts->count * sizeof(double);
	double *exact = palloc_extended(size, MCXT_ALLOC_HUGE);
	double *found = palloc_extended(size, MCXT_ALLOC_HUGE);
	uint64 scored;
	int nexact = nearest_of_all(parts, asked, 1, k, exact, &scored);
	int nfound = nearest_of_all(parts, asked, hx_recall, k, found, &scored);
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

/* Measure by queries that are given. */
static void
measure_given(Parts *parts, ArrayType *array, int k, RecallSums *sums)
{
	HxSampleQuery **queries = palloc(parts->count * sizeof(HxSampleQuery *));
	HxSampleQuery *asked = palloc(parts->count * sizeof(HxSampleQuery));
	int count = 0;

	for (int p = 0; p < parts->count; p++)
		queries[p] = read_queries(parts->part[p].opened.index,
								  &parts->part[p].desc, array, &count);
	for (int q = 0; q < count; q++)
	{
		for (int p = 0; p < parts->count; p++)
			asked[p] = queries[p][q];
		measure_query(parts, asked, k, sums);
	}
}

/*
 * Ask all parts for a row that one of them has, by the vector in its table, and
 * add up; not if the row is gone.
 */
static void
measure_row(Parts *parts, int home, const HxSampleQuery *query, int k,
			RecallSums *sums)
{
	Part *part = &parts->part[home];
	HxVectors *vectors =
		HxOpenVectors(part->opened.table, part->opened.index,
					  part->desc.vector_attno, GetActiveSnapshot());
	HxSampleQuery *asked = palloc0(parts->count * sizeof(HxSampleQuery));
	ItemPointerData tid;
	Datum vector;
	bool isnull;
	bool there;

	HxUnpackTid(query->tid, &tid);
	enter_part(part);
	there = HxFetchVector(vectors, &tid, &vector, &isnull) == HX_ROW_PASSES &&
			!isnull;
	leave_part(part);
	for (int p = 0; there && p < parts->count; p++)
	{
		const HxIndexDesc *desc = &parts->part[p].desc;

		asked[p].query = HxKindOf(desc)->query(desc, desc->vector->metric,
											   vector, InvalidOid);
	}
	asked[home] = *query;
	if (there)
		measure_query(parts, asked, k, sums);
	HxCloseVectors(vectors);
	pfree(asked);
}

/* Rows of a part, as it counts them itself */
static double
rows_of(const Part *part)
{
	return (double) HxKindOf(&part->desc)
		->count_rows(part->opened.index, &part->desc);
}

/* Draw rows of a part as queries and measure by them. */
static void
measure_drawn(Parts *parts, int home, int wanted, int k, RecallSums *sums)
{
	Part *part = &parts->part[home];
	HxSampleQuery *queries;
	int count;

	if (!HxKindOf(&part->desc)->sample)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("no rows of index \"%s\" can be drawn as queries",
						RelationGetRelationName(part->opened.index)),
				 errhint("Give an array of queries instead of their number.")));
	enter_part(part);
	count = HxKindOf(&part->desc)
				->sample(part->opened.index, &part->desc, wanted, 2, &queries);
	leave_part(part);
	Assert(count >= 0);
	for (int q = 0; q < count; q++)
		if (parts->count == 1)
			measure_query(parts, &queries[q], k, sums);
		else
			measure_row(parts, home, &queries[q], k, sums);
}

/* Measure by rows of all parts, of each as many as it has a share of them. */
static void
measure_rows(Parts *parts, int wanted, int k, RecallSums *sums)
{
	double total = 0;
	double before = 0;

	if (parts->count == 1)
	{
		measure_drawn(parts, 0, wanted, k, sums);
		return;
	}
	for (int p = 0; p < parts->count; p++)
		total += rows_of(&parts->part[p]);
	for (int p = 0; p < parts->count; p++)
	{
		double after =
			before + wanted * rows_of(&parts->part[p]) / Max(total, 1);

		if ((int) after > (int) before)
			measure_drawn(parts, p, (int) after - (int) before, k, sums);
		before = after;
	}
}

/* hashemb_measure_recall(regclass, k, queries) */
Datum
hx_measure_recall(PG_FUNCTION_ARGS)
{
	int k = PG_GETARG_INT32(1);
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, 2);
	RecallSums sums = {0};
	TupleDesc tuples;
	Datum values[4];
	bool nulls[4] = {false};
	Parts parts;

	if (get_call_result_type(fcinfo, NULL, &tuples) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (k < 1 || k > 100000)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("k is %d, expected 1 to 100000", k)));
	open_parts(PG_GETARG_OID(0), &parts);
	if (type == INT4OID)
		measure_rows(&parts, Max(0, Min(PG_GETARG_INT32(2), 1000000)), k,
					 &sums);
	else
		measure_given(&parts, PG_GETARG_ARRAYTYPE_P(2), k, &sums);
	for (int p = parts.count - 1; p >= 0; p--)
		HxCloseIndex(&parts.part[p].opened);

	values[0] = Int32GetDatum(sums.queries);
	values[1] = Float8GetDatum(sums.recall / Max(sums.queries, 1));
	values[2] = Float8GetDatum((double) sums.below_half / Max(sums.queries, 1));
	values[3] = Float8GetDatum(sums.scored / Max(sums.queries, 1));
	nulls[1] = nulls[2] = nulls[3] = sums.queries == 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tuples, values, nulls)));
}
