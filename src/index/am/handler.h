/*
 * handler.h
 *	  Callbacks of the access method.
 */
#ifndef HX_HANDLER_H
#define HX_HANDLER_H

#include "access/amapi.h"
#include "commands/vacuum.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "nodes/tidbitmap.h"

extern IndexBuildResult *hxbuild(Relation heap, Relation index,
								 IndexInfo *info);
extern void hxbuildempty(Relation index);
extern bool hxinsert(Relation index, Datum *values, bool *isnull,
					 ItemPointer tid, Relation heap, IndexUniqueCheck check,
					 bool unchanged, IndexInfo *info);
extern IndexBulkDeleteResult *hxbulkdelete(IndexVacuumInfo *info,
										   IndexBulkDeleteResult *stats,
										   IndexBulkDeleteCallback callback,
										   void *callback_state);
extern IndexBulkDeleteResult *hxvacuumcleanup(IndexVacuumInfo *info,
											  IndexBulkDeleteResult *stats);
extern void hxcostestimate(PlannerInfo *root, IndexPath *path,
						   double loop_count, Cost *startup, Cost *total,
						   Selectivity *selectivity, double *correlation,
						   double *pages);
extern bytea *hxoptions(Datum reloptions, bool validate);
extern char *hxbuildphasename(int64 phase);
extern bool hxproperty(Oid oid, int attno, IndexAMProperty property,
					   const char *name, bool *result, bool *isnull);
extern bool hxvalidate(Oid opclass);
extern IndexScanDesc hxbeginscan(Relation index, int nkeys, int norderbys);
extern void hxrescan(IndexScanDesc scan, ScanKey keys, int nkeys,
					 ScanKey orderbys, int norderbys);
extern bool hxgettuple(IndexScanDesc scan, ScanDirection direction);
extern int64 hxgetbitmap(IndexScanDesc scan, TIDBitmap *bitmap);
extern void hxendscan(IndexScanDesc scan);

/* Register reloptions; once per backend */
extern void HxInitOptions(void);

/* group_option.c: keep watch over group_by; once per backend */
extern void HxInitGroupOption(void);

#endif /* HX_HANDLER_H */
