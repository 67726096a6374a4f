/*
 * build.c
 *	  Learning from a table before its rows are loaded.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"
#include "utils/rel.h"

#include "index/build/build.h"
#include "index/build/sample.h"
#include "index/dense/dense.h"
#include "random.h"

/* Vectors of the sample at most */
#define MOST_SAMPLED 4096

/* A sample of the table's vectors, by reservoir */
typedef struct Drawing
{
	const HxIndexDesc *desc;
	float *vectors;
	int room;
	int64 seen;
	uint64 random;
	MemoryContext scratch;
} Drawing;

/* table_index_build_range_scan callback: draw a row or not. */
static void
draw_row(Relation index, ItemPointer tid, Datum *values, bool *isnull,
		 bool alive, void *state)
{
	Drawing *drawing = state;
	int vector = drawing->desc->vector_attno - 1;
	MemoryContext old;
	int64 at;

	if (isnull[vector] || !alive)
		return;
	at = drawing->seen++;
	if (at >= drawing->room)
		at = (int64) HxRandomBelow(&drawing->random, drawing->seen);
	if (at >= drawing->room)
		return;
	old = MemoryContextSwitchTo(drawing->scratch);
	HxReadVector(drawing->desc, values[vector],
				 drawing->vectors + (Size) at * drawing->desc->dims);
	MemoryContextSwitchTo(old);
	MemoryContextReset(drawing->scratch);
}

/* Let workers know the model. */
static void
publish_model(HxBuild *build, const HxModel *model)
{
	Size size = model ? HxModelBytes(model) : 0;
	char *packed = palloc_extended(size + 1, MCXT_ALLOC_HUGE);

	if (model)
		HxPackModel(model, packed);
	HxShareLearnt(build, packed, size);
	pfree(packed);
}

void
HxLearnInBuild(HxBuild *build)
{
	HxIndexDesc *desc = unconstify(HxIndexDesc *, build->desc);
	Drawing drawing = {.desc = desc, .random = 1};
	HxModel *model;

	drawing.room =
		HxVectorsToLearnFrom(HxBuildMemory(2), desc->dims, MOST_SAMPLED);
	drawing.vectors = MemoryContextAllocHuge(
		CurrentMemoryContext, (Size) drawing.room * desc->dims * sizeof(float));
	drawing.scratch = build->context;
	HxForgetModels(build->index);
	HxSetPhase(HX_PHASE_LEARN, 0);
	HxScanSomePages(build, &drawing.random, draw_row, &drawing);
	model =
		HxLearnModel(desc->vector->metric, desc->dims, HxSketchRoom(desc),
					 drawing.vectors, (int) Min(drawing.seen, drawing.room));
	pfree(drawing.vectors);
	desc->model = model;
	publish_model(build, model);
}

void
HxReceiveModel(HxBuild *build)
{
	HxIndexDesc *desc = unconstify(HxIndexDesc *, build->desc);
	char *packed;
	Size size;

	if (desc->model || build->part == 0)
		return;
	packed = HxReceiveLearnt(build, &size);
	if (size > 0)
		desc->model = HxUnpackModel(packed, size);
	pfree(packed);
}

void
HxStoreInBuild(HxBuild *build)
{
	if (build->desc->model)
		HxStoreBuiltModel(build->index, HxModelOf(build->desc));
}
