/*
 * build.c
 *	  Building an index: what is the same for all kinds.
 */
#include "postgres.h"

#include "access/xloginsert.h"
#include "commands/progress.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "index/am/handler.h"
#include "index/build/build.h"
#include "index/page/page.h"

/* Error if an index should not be built on such columns. */
static void
check_columns(Relation index)
{
	const HxIndexDesc desc = *HxDescribe(index);

	for (int i = 0; i < desc.nattrs; i++)
		HxCheckAttr(&desc.attrs[i], index);
}

/* ambuild */
IndexBuildResult *
hxbuild(Relation heap, Relation index, IndexInfo *info)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	HxBuild build = {0};
	IndexBuildResult *result = palloc0(sizeof(IndexBuildResult));

	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data",
			 RelationGetRelationName(index));
	check_columns(index);
	context =
		AllocSetContextCreate(caller, "hashemb build", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	HxInitParticipant(&build, heap, index, info);
	Assert(build.part == 0 && HxHoldsNoPage());
	HxKindOf(build.desc)->build(&build, result);
	Assert(HxHoldsNoPage());
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return result;
}

/* ambuildempty: the init fork of an unlogged index */
void
hxbuildempty(Relation index)
{
	HxIndexDesc desc;

	HxDescribeForBuild(index, &desc);
	HxKindOf(&desc)->build_empty(index, &desc, INIT_FORKNUM);
	log_newpage_range(index, INIT_FORKNUM, 0,
					  RelationGetNumberOfBlocksInFork(index, INIT_FORKNUM),
					  true);
}

/* ambuildphasename */
char *
hxbuildphasename(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case HX_PHASE_LEARN:
			return "learning from a sample";
		case HX_PHASE_LOAD:
			return "loading rows";
		case HX_PHASE_TRAIN:
			return "training centroids";
		case HX_PHASE_ASSIGN:
			return "assigning rows";
		case HX_PHASE_WRITE:
			return "writing blocks";
		case HX_PHASE_CALIBRATE:
			return "calibrating";
		default:
			return NULL;
	}
}
