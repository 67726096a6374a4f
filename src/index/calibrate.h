/*
 * calibrate.h
 *	  Making the table of expected misses from searches that are exhaustive.
 */
#ifndef HX_CALIBRATE_H
#define HX_CALIBRATE_H

#include "index/directory.h"
#include "index/expect.h"

/* Below this many rows searches are exact and no table is made */
#define HX_MIN_CALIBRATION_ROWS 1000
/* Rows sampled as queries */
#define HX_CALIBRATION_QUERIES 200

/* A query and the row that it came from */
typedef struct HxSampleQuery
{
	HxQuery *query;
	uint64 tid; /* packed; a row does not count itself.  0: no row */
} HxSampleQuery;

/*
 * Rows of the index drawn at random (seeded), as payloads with TIDs; returns
 * how many.  Palloc'd in the current context.
 */
extern int HxSampleRows(Relation index, const HxIndexDesc *desc, int wanted,
						uint64 seed, uint8 **payloads, uint64 **tids);

/*
 * Search all rows for each query and fill in the table; false if there are too
 * few rows.  *rows is set to the rows of the index.
 */
extern bool HxComputeTable(Relation index, const HxIndexDesc *desc,
						   const HxSampleQuery *queries, int nqueries,
						   HxTable *table, uint64 *rows);

/* Calibrate with rows of the index as queries. */
extern bool HxComputeTableFromRows(Relation index, const HxIndexDesc *desc,
								   HxTable *table, uint64 *rows);

/* Store a table and name it in the metapage, by one generic WAL record. */
extern void HxStoreTable(Relation index, const HxTable *table, uint64 rows);

#endif /* HX_CALIBRATE_H */
