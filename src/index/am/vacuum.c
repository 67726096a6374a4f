/*
 * vacuum.c
 *	  Vacuum: what is the same for all kinds.
 */
#include "postgres.h"

#include "storage/indexfsm.h"
#include "utils/rel.h"

#include "index/am/handler.h"
#include "index/kind.h"
#include "index/page/page.h"

/* ambulkdelete */
IndexBulkDeleteResult *
hxbulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
			 IndexBulkDeleteCallback callback, void *callback_state)
{
	HxIndexDesc desc;
	HxMeta meta;

	HxReadMeta(info->index, &meta); /* checks version and shape */
	desc = *HxDescribe(info->index);
	HxLearn(info->index, &desc);
	if (!stats)
		stats = palloc0(sizeof(IndexBulkDeleteResult));
	Assert(HxHoldsNoPage());
	HxKindOf(&desc)->bulk_delete(info, &desc, stats, callback, callback_state);
	Assert(HxHoldsNoPage() && !HxHoldsStructure(info->index));
	return stats;
}

/* amvacuumcleanup */
IndexBulkDeleteResult *
hxvacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	HxIndexDesc desc;
	HxMeta meta;

	if (info->analyze_only)
		return stats;
	if (!stats)
		stats = palloc0(sizeof(IndexBulkDeleteResult));
	HxReadMeta(info->index, &meta);
	desc = *HxDescribe(info->index);
	HxLearn(info->index, &desc);
	Assert(HxHoldsNoPage());
	if (HxKindOf(&desc)->cleanup)
		HxKindOf(&desc)->cleanup(info, &desc, stats);
	Assert(HxHoldsNoPage() && !HxHoldsStructure(info->index));
	stats->num_index_tuples = HxCountRows(info->index, &desc);
	stats->num_pages = RelationGetNumberOfBlocks(info->index);
	stats->estimated_count = false;
	IndexFreeSpaceMapVacuum(info->index);
	return stats;
}
