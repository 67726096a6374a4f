/*
 * handler.c
 *	  The access method's handler function and storage parameters.
 */
#include "postgres.h"

#include "access/amapi.h"
#include "access/reloptions.h"
#include "fmgr.h"
#include "utils/index_selfuncs.h"

#include "compat.h"
#include "index/am/handler.h"
#include "index/index.h"
#include "index/options.h"

static relopt_kind option_kind;

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_handler);

/* Register the storage parameters, in every backend that loads the library. */
void
HxInitOptions(void)
{
	option_kind = add_reloption_kind();
	add_int_reloption(option_kind, "fillfactor",
					  "Per cent of a page of rows that a build fills",
					  HX_DEFAULT_FILLFACTOR, HX_MIN_FILLFACTOR, 100,
					  AccessExclusiveLock);
	add_int_reloption(option_kind, "block_rows",
					  "Rows in a block; 0 lets the build choose", 0, 0, 1000000,
					  AccessExclusiveLock);
	add_int_reloption(option_kind, "dims",
					  "Dimensions of vectors whose type does not tell", 0, 0,
					  HX_MOST_DIMS, AccessExclusiveLock);
	add_int_reloption(option_kind, "code_bytes",
					  "Bytes of a dense vector's code; 0 lets the build choose",
					  0, 0, HX_MOST_PAYLOAD, AccessExclusiveLock);
	add_string_reloption(option_kind, "group_by",
						 "Column of the index that blocks are formed within",
						 NULL, NULL, AccessExclusiveLock);
}

/* amoptions */
bytea *
hxoptions(Datum reloptions, bool validate)
{
	static const relopt_parse_elt options[] = {
		{"fillfactor", RELOPT_TYPE_INT, offsetof(HxOptions, fillfactor)},
		{"block_rows", RELOPT_TYPE_INT, offsetof(HxOptions, block_rows)},
		{"dims", RELOPT_TYPE_INT, offsetof(HxOptions, dims)},
		{"code_bytes", RELOPT_TYPE_INT, offsetof(HxOptions, payload_bytes)},
		{"group_by", RELOPT_TYPE_STRING, offsetof(HxOptions, group_by)}};

	return (bytea *) build_reloptions(reloptions, validate, option_kind,
									  sizeof(HxOptions), options,
									  lengthof(options));
}

/* The access method's properties and callbacks. */
Datum
hx_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *am = makeNode(IndexAmRoutine);

	am->amstrategies = HX_STRATEGIES;
	am->amsupport = HX_SUPPORT_PROCS;
	am->amcanorderbyop = true;
	am->amcanmulticol = true;
	am->amoptionalkey = true;
	am->amsearcharray = true;
	am->amsearchnulls = true;
	am->amparallelvacuumoptions = VACUUM_OPTION_PARALLEL_BULKDEL;
	am->amkeytype = InvalidOid;
	HX_BUILDS_IN_PARALLEL(am);

	am->ambuild = hxbuild;
	am->ambuildempty = hxbuildempty;
	am->aminsert = hxinsert;
	am->ambulkdelete = hxbulkdelete;
	am->amvacuumcleanup = hxvacuumcleanup;
	am->amcostestimate = hxcostestimate;
	am->amoptions = hxoptions;
	am->amproperty = hxproperty;
	am->ambuildphasename = hxbuildphasename;
	am->amvalidate = hxvalidate;
	am->ambeginscan = hxbeginscan;
	am->amrescan = hxrescan;
	am->amgettuple = hxgettuple;
	am->amgetbitmap = hxgetbitmap;
	am->amendscan = hxendscan;

	PG_RETURN_POINTER(am);
}
