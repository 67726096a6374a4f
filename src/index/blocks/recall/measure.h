/*
 * measure.h
 *	  Making the table of expected misses from searches that are exhaustive.
 */
#ifndef HX_MEASURE_H
#define HX_MEASURE_H

#include "index/blocks/store/directory.h"
#include "index/blocks/recall/misses.h"
#include "storage/buffile.h"

/* Below this many rows searches are exact and no table is made */
#define HX_MIN_CALIBRATION_ROWS 1000
/* Rows sampled as queries */
#define HX_CALIBRATION_QUERIES 200

/*
 * Rows of the index drawn at random (seeded), as payloads with TIDs; returns
 * how many.  Palloc'd in the current context.
 */
extern int HxSampleRows(Relation index, const HxIndexDesc *desc, int wanted,
						uint64 seed, uint8 **payloads, uint64 **tids);

/*
 * Search all rows for each query and fill in the table; false if there are too
 * few rows.  *rows is set to the rows of the index.  The structure lock is
 * held, or nobody else knows the index yet.
 */
extern bool HxComputeMisses(Relation index, const HxIndexDesc *desc,
							const HxSampleQuery *queries, int nqueries,
							HxMisses *table, uint64 *rows);

/*
 * The same in steps, for processes that share the work: each begins with the
 * same queries and scores other blocks; one adds what the others have written,
 * and ends.  Queries must outlive the scorer.
 */
typedef struct HxScorer HxScorer;

extern HxScorer *HxBeginScoring(Relation index, const HxIndexDesc *desc,
								const HxSampleQuery *queries, int nqueries);

/* Begin with rows of the index as queries, the same ones in each process. */
extern HxScorer *HxBeginOwnScoring(Relation index, const HxIndexDesc *desc,
								   int wanted);

/* How many blocks there are to score; 0 if there will be no table. */
extern int HxBlocksToScore(const HxScorer *scorer);

/* Score the rows of blocks from start to before end; returns their number. */
extern uint64 HxScoreBlocks(HxScorer *scorer, int64 start, int64 end);

/* Write what was scored to a file; add what another process has written. */
extern void HxWriteScores(HxScorer *scorer, BufFile *file);
extern void HxAddScores(HxScorer *scorer, BufFile *file);

/* Fill in the table, as HxComputeMisses does, and free the scorer. */
extern bool HxEndScoring(HxScorer *scorer, HxMisses *table, uint64 *rows);
extern void HxFreeScorer(HxScorer *scorer);

/* Calibrate with rows of the index as queries. */
extern bool HxComputeMissesFromRows(Relation index, const HxIndexDesc *desc,
									int wanted, HxMisses *table, uint64 *rows);

/*
 * Fill in a table's cells.  below[p][d] is the number of rows in blocks of a
 * promise that are nearer than a distance, totals[p] that of all of them.
 */
extern void HxFillCells(double (*below)[HX_MISSES_DISTANCES],
						const double *totals, HxMisses *table);

/* What a table was made from */
typedef enum HxCalibration
{
	HX_CALIBRATED_FULL, /* rows of the index as queries */
	HX_CALIBRATED_USER, /* queries of the user */
	HX_CALIBRATED_RING	/* the ring of searches */
} HxCalibration;

/* Take note of a new table in the metapage. */
extern void HxNoteTable(HxMeta *meta, BlockNumber table, uint64 rows,
						HxCalibration how);

/*
 * Store a table and name it in the metapage, by one generic WAL record.  The
 * structure lock is held.
 */
extern void HxStoreMisses(Relation index, const HxMisses *table, uint64 rows,
						  HxCalibration how);

#endif /* HX_MEASURE_H */
