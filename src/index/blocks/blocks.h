/*
 * blocks.h
 *	  What kinds whose rows are kept in blocks share: the members of kind.h that
 *	  are the same for all of them.
 */
#ifndef HX_BLOCKS_H
#define HX_BLOCKS_H

#include "index/blocks/search/state.h"
#include "index/blocks/store/payload.h"

extern void HxBuildBlocks(struct HxBuild *build, IndexBuildResult *result);
extern void HxBuildEmptyBlocks(Relation index, const HxIndexDesc *desc,
							   ForkNumber fork);

/*
 * The participant's state, made for its first task: HxDoBlocksWork does it, too.
 */
extern void HxBeginBlocksWork(struct HxBuild *build);
extern void HxDoBlocksWork(struct HxBuild *build, int task);

extern void HxInsertIntoBlocks(Relation index, Relation heap,
							   const HxIndexDesc *desc, const Datum *values,
							   const bool *isnull, ItemPointer tid);
extern void HxDeleteFromBlocks(const IndexVacuumInfo *info,
							   const HxIndexDesc *desc,
							   IndexBulkDeleteResult *stats,
							   IndexBulkDeleteCallback callback, void *state);
extern void HxCleanUpBlocks(const IndexVacuumInfo *info,
							const HxIndexDesc *desc,
							IndexBulkDeleteResult *stats);

extern void HxBeginBlocksSearch(struct HxSearch *search);
extern double HxBlocksEffort(const struct HxSearch *search, double passing);
extern void HxStartBlocksPhase(struct HxSearch *search);
extern bool HxHasMoreBlocks(const struct HxSearch *search);
extern void HxVisitNextBlock(struct HxSearch *search);
extern void HxCountVisitedBlocks(struct HxSearch *search);
extern void HxNoteFailedRow(struct HxSearch *search, double distance);

extern void HxBlocksCost(const HxCostQuery *query, HxCost *cost);
extern void HxBlocksInfo(Relation index, const HxIndexDesc *desc,
						 HxIndexInfo *info);
extern void HxShowBlocks(Relation index, const HxIndexDesc *desc,
						 Tuplestorestate *store, TupleDesc tuples);
extern int HxSampleBlocks(Relation index, const HxIndexDesc *desc, int wanted,
						  uint64 seed, HxSampleQuery **queries);
extern bool HxCalibrateBlocks(Relation index, const HxIndexDesc *desc,
							  const HxSampleQuery *queries, int count);
extern uint64 HxCountRowsOfBlocks(Relation index, const HxIndexDesc *desc);
extern void HxCheckBlocks(struct HxCheck *check);

/* These members, in the initializer of an HxKind */
/* clang-format off */
#define HX_BLOCKS_MEMBERS \
	HX_BLOCKS_MEMBERS_BUT(HxDoBlocksWork, HxInsertIntoBlocks, HxCleanUpBlocks, \
						  HxSampleBlocks, HxCheckBlocks, \
						  HxBlocksCost, HxBlocksPageFault)

/* The same for a kind that has some of its own */
#define HX_BLOCKS_MEMBERS_BUT(its_work, its_insert, its_cleanup, its_sample, \
							  its_check, its_cost, its_page_fault) \
	.groups = true, \
	.build = HxBuildBlocks, \
	.build_empty = HxBuildEmptyBlocks, \
	.work = its_work, \
	.search_size = sizeof(HxBlocksSearch), \
	.begin = HxBeginBlocksSearch, \
	.effort = HxBlocksEffort, \
	.start = HxStartBlocksPhase, \
	.has_more = HxHasMoreBlocks, \
	.is_settled = HxIsBlocksSearchSettled, \
	.missing = HxMissingRows, \
	.visit = HxVisitNextBlock, \
	.note_failed = HxNoteFailedRow, \
	.count_visits = HxCountVisitedBlocks, \
	.insert = its_insert, \
	.bulk_delete = HxDeleteFromBlocks, \
	.cleanup = its_cleanup, \
	.cost = its_cost, \
	.info = HxBlocksInfo, \
	.block_info = HxShowBlocks, \
	.sample = its_sample, \
	.calibrate = HxCalibrateBlocks, \
	.count_rows = HxCountRowsOfBlocks, \
	.check = its_check, \
	.page_fault = its_page_fault
/* clang-format on */

#endif /* HX_BLOCKS_H */
