/*
 * build.c
 *	  Learning from a table before its rows are loaded.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"
#include "utils/rel.h"

#include "index/build/build.h"
#include "index/build/file.h"
#include "index/build/sample.h"
#include "index/dense/dense.h"
#include "random.h"

/* Vectors of the sample: as many as fit, at most and at least */
#define MOST_SAMPLED 4096
#define LEAST_SAMPLED HX_LEAST_TO_LEARN
/* Numbers in memory for each one of the sample, while it is learnt from */
#define NUMBERS_EACH 4

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
	Size size = model ? HxModelBytes(model->dims, model->kept) : 0;
	char *packed = palloc_extended(size + 1, MCXT_ALLOC_HUGE);
	BufFile *file;

	if (!build->parallel)
		return;
	if (model)
		HxPackModel(model, packed);
	file = HxCreateFile(build, "model", 0);
	BufFileWrite(file, &size, sizeof(size));
	BufFileWrite(file, packed, size);
	HxFinishFile(build, file);
	pfree(packed);
}

void
HxLearnInBuild(HxBuild *build)
{
	HxIndexDesc *desc = unconstify(HxIndexDesc *, build->desc);
	Size each = NUMBERS_EACH * desc->dims * sizeof(float);
	Size fits = HxBuildMemory(2) / each;
	Drawing drawing = {.desc = desc, .random = 1};
	int kept = HxKeptDims(desc);
	HxModel *model;

	drawing.room = (int) Min(Max(fits, LEAST_SAMPLED), MOST_SAMPLED);
	drawing.vectors = MemoryContextAllocHuge(
		CurrentMemoryContext, (Size) drawing.room * desc->dims * sizeof(float));
	drawing.scratch = build->context;
	HxForgetModels(build->index);
	HxSetPhase(HX_PHASE_LEARN, 0);
	HxScanSomePages(build, &drawing.random, draw_row, &drawing);
	model =
		HxLearnModel(desc->vector->metric, desc->dims, kept, drawing.vectors,
					 (int) Min(drawing.seen, drawing.room));
	pfree(drawing.vectors);
	desc->model = model;
	publish_model(build, model);
}

void
HxReceiveModel(HxBuild *build)
{
	HxIndexDesc *desc = unconstify(HxIndexDesc *, build->desc);
	BufFile *file;
	char *packed;
	Size size;

	if (desc->model || build->part == 0)
		return;
	file = HxOpenFile(build, "model", 0);
	HxReadFile(file, &size, sizeof(size));
	if (size > 0)
	{
		packed = palloc_extended(size, MCXT_ALLOC_HUGE);
		HxReadFile(file, packed, size);
		desc->model = HxUnpackModel(packed, size);
		pfree(packed);
	}
	BufFileClose(file);
}

void
HxStoreInBuild(HxBuild *build)
{
	if (build->desc->model)
		HxStoreBuiltModel(build->index, HxModelOf(build->desc));
}
