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
 * does that, but since 18 paths that settings disable rank before any cost.  Is a
 * path one that settings disable?
 */
#if PG_VERSION_NUM >= 180000
#define HX_AVOID_PATH(path) ((path)->disabled_nodes += 1000)
#define HX_IS_DISABLED(path) ((path)->disabled_nodes > 0)
#else
#define HX_AVOID_PATH(path) ((void) 0)
#define HX_IS_DISABLED(path) ((path)->total_cost >= disable_cost)
#endif

/* Custom scans said that they can project in 15; before, all could */
#if PG_VERSION_NUM >= 150000
#define HX_CUSTOM_PATH_FLAGS CUSTOMPATH_SUPPORT_PROJECTION
#else
#define HX_CUSTOM_PATH_FLAGS 0
#endif

/* Children of an equivalence class moved out of its list in 18 */
#if PG_VERSION_NUM >= 180000
#define HX_GET_EC_MEMBERS(list, class, relids)                            \
	do                                                                    \
	{                                                                     \
		EquivalenceMemberIterator hx_iterator;                            \
		EquivalenceMember *hx_member;                                     \
                                                                          \
		(list) = NIL;                                                     \
		setup_eclass_member_iterator(&hx_iterator, class, relids);        \
		while ((hx_member = eclass_member_iterator_next(&hx_iterator)) != \
			   NULL)                                                      \
			(list) = lappend(list, hx_member);                            \
	} while (0)
#define HX_PATHKEY_IS_LESS(key) ((key)->pk_cmptype == COMPARE_LT)
#else
#define HX_GET_EC_MEMBERS(list, class, relids) ((list) = (class)->ec_members)
#define HX_PATHKEY_IS_LESS(key) ((key)->pk_strategy == BTLessStrategyNumber)
#endif

/* EXPLAIN's functions moved to headers of their own in 18 */
#if PG_VERSION_NUM >= 180000
#define HX_EXPLAIN_STATE_HEADER "commands/explain_state.h"
#define HX_EXPLAIN_FORMAT_HEADER "commands/explain_format.h"
#else
#define HX_EXPLAIN_STATE_HEADER "commands/explain.h"
#define HX_EXPLAIN_FORMAT_HEADER "commands/explain.h"
#endif

/* Pages of a bitmap are handed out by value since 18 */
#if PG_VERSION_NUM >= 180000
#define HX_BITMAP_BY_VALUE
#endif

/* Beginning an index scan takes a place for its counters since 18 */
#if PG_VERSION_NUM >= 180000
#define HX_INDEX_BEGINSCAN(heap, index, snapshot, keys, orderbys) \
	index_beginscan(heap, index, snapshot, NULL, keys, orderbys)
#else
#define HX_INDEX_BEGINSCAN(heap, index, snapshot, keys, orderbys) \
	index_beginscan(heap, index, snapshot, keys, orderbys)
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

/* Files of a shared set: renamed in 15 */
#if PG_VERSION_NUM >= 150000
#define HX_CREATE_SHARED_FILE(files, name) \
	BufFileCreateFileSet(&(files)->fs, name)
#define HX_EXPORT_SHARED_FILE(file) BufFileExportFileSet(file)
#define HX_OPEN_SHARED_FILE(files, name) \
	BufFileOpenFileSet(&(files)->fs, name, O_RDONLY, false)
#else
#define HX_CREATE_SHARED_FILE(files, name) BufFileCreateShared(files, name)
#define HX_EXPORT_SHARED_FILE(file) BufFileExportShared(file)
#define HX_OPEN_SHARED_FILE(files, name) \
	BufFileOpenShared(files, name, O_RDONLY)
#endif

/*
 * Workers of an index build: planned by the server for access methods that ask
 * for it since 17; before, for B-trees only, but the function is there.
 */
#if PG_VERSION_NUM >= 170000
#define HX_PLAN_WORKERS(heap, index, info) ((info)->ii_ParallelWorkers)
#define HX_BUILDS_IN_PARALLEL(am) ((am)->amcanbuildparallel = true)
#else
#define HX_PLAN_WORKERS(heap, index, info) \
	plan_create_index_workers(RelationGetRelid(heap), RelationGetRelid(index))
#define HX_BUILDS_IN_PARALLEL(am) ((void) 0)
#endif

/* For asserts: is one of many lightweight locks held?  Not known before 15 */
#if PG_VERSION_NUM >= 150000
#define HX_HOLDS_ANY_LOCK(locks, count, stride) \
	LWLockAnyHeldByMe(locks, count, stride)
#else
#define HX_HOLDS_ANY_LOCK(locks, count, stride) false
#endif

/* For asserts: is a heavyweight lock held?  Learned of stronger modes in 17 */
#if PG_VERSION_NUM >= 170000
#define HX_HOLDS_LOCK(tag, mode) LockHeldByMe(tag, mode, false)
#else
#define HX_HOLDS_LOCK(tag, mode) LockHeldByMe(tag, mode)
#endif

/* The identity of a relation's file got a new name in 16 */
#if PG_VERSION_NUM >= 160000
#define HX_RELATION_FILE(relation) ((relation)->rd_locator)
#define HX_FILE_NUMBER(relation) ((relation)->rd_locator.relNumber)
#else
#define HX_RELATION_FILE(relation) ((relation)->rd_node)
#define HX_FILE_NUMBER(relation) ((relation)->rd_node.relNode)
#endif

/* GiST's record for reused pages, of any index: knows the table since 16 */
#if PG_VERSION_NUM >= 160000
#define HX_LOG_CONFLICT(index, heap, block, xid) \
	gistXLogPageReuse(index, heap, block, xid)
#else
#define HX_LOG_CONFLICT(index, heap, block, xid) \
	gistXLogPageReuse(index, block, xid)
#endif

/* What a sort of rows is told: since 15, whether it may be cut off */
#if PG_VERSION_NUM >= 150000
#define HX_SORT_BOUNDED TUPLESORT_ALLOWBOUNDED
#else
#define HX_SORT_BOUNDED false
#endif

#endif /* HX_COMPAT_H */
