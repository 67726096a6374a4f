/*
 * compat.h
 *	  What differs between server versions 14 to 18, and nothing else: the only
 *	  file that names PG_VERSION_NUM.
 */
#ifndef HX_COMPAT_H
#define HX_COMPAT_H

#if PG_VERSION_NUM < 140000 || PG_VERSION_NUM >= 190000
#error "hashemb supports PostgreSQL 14 to 18"
#endif

/* varatt.h was split from postgres.h in 16 */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Soft errors of input functions: since 16; before, an error is raised */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#define HX_ESCONTEXT(fcinfo) ((Node *) (fcinfo)->context)
#else
#define HX_ESCONTEXT(fcinfo) ((struct Node *) NULL)
#define ereturn(context, dummy_value, ...) \
	do                                     \
	{                                      \
		(void) (context);                  \
		ereport(ERROR, __VA_ARGS__);       \
		return dummy_value;                \
	} while (0)
#endif

/* Prefixes of our settings: reserved since 15 */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* Functions that do not return: marked in front since 18 */
#if PG_VERSION_NUM < 180000
#define pg_noreturn _Noreturn
#endif

/* Index scans count their searches for EXPLAIN since 18 */
#if PG_VERSION_NUM >= 180000
#define HX_COUNT_SEARCH(scan)                \
	do                                       \
	{                                        \
		if ((scan)->instrument)              \
			(scan)->instrument->nsearches++; \
	} while (0)
#else
#define HX_COUNT_SEARCH(scan) ((void) 0)
#endif

/*
 * Leave a path to the planner only where there is no other: its infinite cost
 * does that, but since 18 paths that settings disable rank before any cost.
 */
#if PG_VERSION_NUM >= 180000
#define HX_AVOID_PATH(path) ((path)->disabled_nodes += 1000)
#else
#define HX_AVOID_PATH(path) ((void) 0)
#endif

/* vacuum_delay_point learned who calls it in 18 */
#if PG_VERSION_NUM >= 180000
#define HX_VACUUM_DELAY_POINT() vacuum_delay_point(false)
#else
#define HX_VACUUM_DELAY_POINT() vacuum_delay_point()
#endif

/* Trying a lock learned to log failures in 18 */
#if PG_VERSION_NUM >= 180000
#define HX_CONDITIONAL_LOCK_TUPLE(index, tid, mode) \
	ConditionalLockTuple(index, tid, mode, false)
#else
#define HX_CONDITIONAL_LOCK_TUPLE(index, tid, mode) \
	ConditionalLockTuple(index, tid, mode)
#endif

/* Does a collation order strings by their bytes? */
#if PG_VERSION_NUM >= 180000
#define HX_COLLATION_IS_C(collation) \
	(pg_newlocale_from_collation(collation)->collate_is_c)
#else
#define HX_COLLATION_IS_C(collation) lc_collate_is_c(collation)
#endif

/* A column's statistics target moved to the analyzer's own state in 17 */
#if PG_VERSION_NUM >= 170000
#define HX_STATISTICS_TARGET(stats) ((stats)->attstattarget)
#else
#define HX_STATISTICS_TARGET(stats) ((stats)->attr->attstattarget)
#endif

/* A set-returning function's tuplestore: made by the function before 15 */
#if PG_VERSION_NUM >= 160000
#define HxInitSetResult(fcinfo) InitMaterializedSRF(fcinfo, 0)
#elif PG_VERSION_NUM >= 150000
#define HxInitSetResult(fcinfo) SetSingleFuncCall(fcinfo, 0)
#else
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"
static inline void
HxInitSetResult(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;
	TupleDesc tuples;

	if (result == NULL || !IsA(result, ReturnSetInfo) ||
		!(result->allowedModes & SFRM_Materialize))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("set-valued function called in context that "
							   "cannot accept a set")));
	old = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &tuples) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	result->returnMode = SFRM_Materialize;
	result->setResult = tuplestore_begin_heap(true, false, work_mem);
	result->setDesc = CreateTupleDescCopy(tuples);
	MemoryContextSwitchTo(old);
}
#endif

/* Reading a sort of datums learned to lend a datum in 16 */
#if PG_VERSION_NUM >= 160000
#define HX_TUPLESORT_GETDATUM(sort, value, isnull) \
	tuplesort_getdatum(sort, true, true, value, isnull, NULL)
#else
#define HX_TUPLESORT_GETDATUM(sort, value, isnull) \
	tuplesort_getdatum(sort, true, value, isnull, NULL)
#endif

/* Functions of the table's owner run with a safe search path since 17 */
#if PG_VERSION_NUM < 170000
#define RestrictSearchPath() ((void) 0)
#endif

/* Does the current user own a relation? */
#if PG_VERSION_NUM >= 160000
#define HX_OWNS_RELATION(oid) \
	object_ownercheck(RelationRelationId, oid, GetUserId())
#else
#define HX_OWNS_RELATION(oid) pg_class_ownercheck(oid, GetUserId())
#endif

/* The identity of a relation's file got a new name in 16 */
#if PG_VERSION_NUM >= 160000
#define HX_RELATION_FILE(relation) ((relation)->rd_locator)
#define HX_FILE_NUMBER(relation) ((relation)->rd_locator.relNumber)
#else
#define HX_RELATION_FILE(relation) ((relation)->rd_node)
#define HX_FILE_NUMBER(relation) ((relation)->rd_node.relNode)
#endif

#endif /* HX_COMPAT_H */
