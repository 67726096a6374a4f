/*
 * model.c
 *	  Models in memory, in files and on pages.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "index/dense/dense.h"
#include "kernel/kernel.h"

/* What a packed model begins with; the mean and the axes follow, as floats */
typedef struct ModelHead
{
	uint32 dims;
	uint32 kept;
	float credit;
	float spread;
	float unit;
	float longest;
} ModelHead;

/* ---- in memory ---- */

HxModel *
HxAllocModel(int dims, int kept)
{
	Size floats = (Size) dims + (Size) kept * dims + kept;
	HxModel *model = palloc0(sizeof(HxModel));

	Assert(kept > 0 && kept <= dims);
	model->dims = dims;
	model->kept = kept;
	model->mean =
		MemoryContextAllocHuge(CurrentMemoryContext, floats * sizeof(float));
	model->axes = model->mean + dims;
	model->mean_kept = model->axes + (Size) kept * dims;
	return model;
}

void
HxFinishModel(HxModel *model)
{
	HxFloatRows axes = {model->axes, model->dims, model->kept};

	model->mean2 = (float) hx_kernels->dense->product(model->mean, model->mean,
													  model->dims);
	hx_kernels->dense->inner(model->mean, model->dims, axes, model->mean_kept);
}

Size
HxModelBytes(int dims, int kept)
{
	return sizeof(ModelHead) +
		   ((Size) dims + (Size) kept * dims) * sizeof(float);
}

void
HxPackModel(const HxModel *model, char *to)
{
	ModelHead head = {model->dims,	 model->kept, model->credit,
					  model->spread, model->unit, model->longest};

	memcpy(to, &head, sizeof(head));
	memcpy(to + sizeof(head), model->mean,
		   HxModelBytes(model->dims, model->kept) - sizeof(head));
}

HxModel *
HxUnpackModel(const char *from, Size size)
{
	ModelHead head;
	HxModel *model;

	memcpy(&head, from, sizeof(head));
	Assert(size == HxModelBytes(head.dims, head.kept));
	model = HxAllocModel(head.dims, head.kept);
	model->credit = head.credit;
	model->spread = head.spread;
	model->unit = head.unit;
	model->longest = head.longest;
	memcpy(model->mean, from + sizeof(head), size - sizeof(head));
	HxFinishModel(model);
	return model;
}

/* ---- on pages ---- */

/* A model in its packed form. */
static char *
pack_model(const HxModel *model, Size *size)
{
	char *packed;

	*size = HxModelBytes(model->dims, model->kept);
	packed = MemoryContextAllocHuge(CurrentMemoryContext, *size);
	HxPackModel(model, packed);
	return packed;
}

void
HxStoreBuiltModel(Relation index, const HxModel *model)
{
	Size size;
	char *packed = pack_model(model, &size);

	HxStoreBuiltLearnt(index, packed, size);
	pfree(packed);
}

void
HxStoreModel(Relation index, const HxModel *model)
{
	Size size;
	char *packed = pack_model(model, &size);

	HxStoreLearnt(index, packed, size);
	pfree(packed);
}

/* Error unless a packed model is one of this index. */
static void
check_model(Relation index, const HxIndexDesc *desc, BlockNumber block,
			const char *packed, Size size)
{
	const float *numbers = (const float *) (packed + sizeof(ModelHead));
	ModelHead head;

	memcpy(&head, packed, sizeof(head));
	if (head.dims != desc->dims || head.kept != HxKeptDims(desc) ||
		!(head.spread >= 0) || !isfinite(head.spread) || !(head.unit > 0) ||
		!isfinite(head.unit) || !isfinite(head.credit) || !(head.longest > 0) ||
		!isfinite(head.longest))
		HxCorrupted(index, block, "a model of other vectors");
	for (Size i = 0; i < (size - sizeof(head)) / sizeof(float); i++)
		if (!isfinite(numbers[i]))
			HxCorrupted(index, block, "a model with a number out of range");
}

/* HxUnpackLearnt */
static void *
unpack_checked(Relation index, const HxIndexDesc *desc, BlockNumber first,
			   const char *packed, Size size)
{
	if (size != HxModelBytes(desc->dims, HxKeptDims(desc)))
		HxCorrupted(index, first, "model page of another model");
	check_model(index, desc, first, packed, size);
	return HxUnpackModel(packed, size);
}

void
HxLoadDenseModel(Relation index, HxIndexDesc *desc)
{
	HxLoadLearnt(index, desc, unpack_checked);
}
