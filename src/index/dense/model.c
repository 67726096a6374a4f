/*
 * model.c
 *	  Models in memory, in files and on pages.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "index/dense/dense.h"
#include "kernel/kernel.h"

/*
 * What a packed model begins with; the mean, the axes and the landmarks but the
 * first follow, as floats.  A model of 4 bits without landmarks has 0 in `sketch`,
 * as all had once.
 */
typedef struct ModelHead
{
	uint32 dims;
	uint32 sketch; /* directions kept, and how: see pack_sketch() */
	float credit;
	float spread;
	float unit;
	float longest;
} ModelHead;

/* Bits of `sketch`: directions kept, then the width, then landmarks */
#define KEPT_BITS 16
#define WIDTH_BITS 8

static uint32
pack_sketch(const HxModel *model)
{
	uint32 width = model->width == HX_FINE ? 0 : model->width;
	uint32 landmarks = model->landmarks - 1;

	return model->kept | (width | landmarks << WIDTH_BITS) << KEPT_BITS;
}

/* The shape of a model, from its head; its width may be none that there is. */
static void
unpack_shape(const ModelHead *head, HxModel *shape)
{
	uint32 rest = head->sketch >> KEPT_BITS;
	int width = (int) (rest & ((1 << WIDTH_BITS) - 1));

	memset(shape, 0, sizeof(HxModel));
	shape->dims = (int) head->dims;
	shape->kept = (int) (head->sketch & ((1 << KEPT_BITS) - 1));
	shape->width = width == 0 ? HX_FINE : width;
	shape->landmarks = (int) (rest >> WIDTH_BITS) + 1;
}

/* ---- in memory ---- */

HxModel *
HxAllocModel(int dims, int kept, int width, int landmarks)
{
	Size places = (Size) landmarks * kept;
	Size floats = (Size) dims + (Size) kept * dims + places + kept;
	HxModel *model = palloc0(sizeof(HxModel));

	Assert(kept > 0 && kept <= dims);
	Assert(landmarks > 0 && landmarks <= HX_MOST_LANDMARKS);
	model->dims = dims;
	model->kept = kept;
	model->width = width;
	model->landmarks = landmarks;
	model->mean =
		MemoryContextAllocHuge(CurrentMemoryContext, floats * sizeof(float));
	model->axes = model->mean + dims;
	model->mean_kept = model->axes + (Size) kept * dims;
	model->places = model->mean_kept + kept;
	memset(model->places, 0, places * sizeof(float));
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

void
HxFreeModel(HxModel *model)
{
	pfree(model->mean);
	pfree(model);
}

/* Floats of the mean and the axes; and of the landmarks that are stored */
static Size
axes_floats(const HxModel *model)
{
	return (Size) model->dims + (Size) model->kept * model->dims;
}

static Size
landmark_floats(const HxModel *model)
{
	return (Size) (model->landmarks - 1) * model->kept;
}

Size
HxModelBytes(const HxModel *model)
{
	return sizeof(ModelHead) +
		   (axes_floats(model) + landmark_floats(model)) * sizeof(float);
}

void
HxPackModel(const HxModel *model, char *to)
{
	ModelHead head = {model->dims,	 pack_sketch(model), model->credit,
					  model->spread, model->unit,		 model->longest};
	Size axes = axes_floats(model) * sizeof(float);

	memcpy(to, &head, sizeof(head));
	memcpy(to + sizeof(head), model->mean, axes);
	memcpy(to + sizeof(head) + axes, model->places + model->kept,
		   landmark_floats(model) * sizeof(float));
}

HxModel *
HxUnpackModel(const char *from, Size size)
{
	ModelHead head;
	HxModel shape;
	HxModel *model;
	Size axes;

	memcpy(&head, from, sizeof(head));
	unpack_shape(&head, &shape);
	Assert(size == HxModelBytes(&shape));
	axes = axes_floats(&shape) * sizeof(float);
	model = HxAllocModel(shape.dims, shape.kept, shape.width, shape.landmarks);
	model->credit = head.credit;
	model->spread = head.spread;
	model->unit = head.unit;
	model->longest = head.longest;
	memcpy(model->mean, from + sizeof(head), axes);
	memcpy(model->places + model->kept, from + sizeof(head) + axes,
		   landmark_floats(model) * sizeof(float));
	HxFinishModel(model);
	return model;
}

/* ---- on pages ---- */

/* A model in its packed form. */
static char *
pack_model(const HxModel *model, Size *size)
{
	char *packed;

	*size = HxModelBytes(model);
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

/*
 * The shape that a model of the index has, if its sketches are as its head says;
 * false if there are none such.
 */
static bool
expect_shape(const HxIndexDesc *desc, const HxModel *said, HxModel *expected)
{
	*expected = *said;
	if (said->width != HX_FINE && said->width != HX_COARSE)
		return false;
	expected->dims = desc->dims;
	expected->kept = HxKeptBy(HxSketchRoom(desc), said->width, desc->dims);
	return true;
}

/* Error unless a packed model is one of this index. */
static void
check_model(Relation index, BlockNumber block, const ModelHead *head,
			const char *packed, Size size)
{
	const float *numbers = (const float *) (packed + sizeof(ModelHead));

	if (!(head->spread >= 0) || !isfinite(head->spread) || !(head->unit > 0) ||
		!isfinite(head->unit) || !isfinite(head->credit) ||
		!(head->longest > 0) || !isfinite(head->longest))
		HxCorrupted(index, block, "a model of other vectors");
	for (Size i = 0; i < (size - sizeof(ModelHead)) / sizeof(float); i++)
		if (!isfinite(numbers[i]))
			HxCorrupted(index, block, "a model with a number out of range");
}

/* HxUnpackLearnt */
static void *
unpack_checked(Relation index, const HxIndexDesc *desc, BlockNumber first,
			   const char *packed, Size size)
{
	ModelHead head;
	HxModel said;
	HxModel expected;

	if (size < sizeof(head))
		HxCorrupted(index, first, "model page of another model");
	memcpy(&head, packed, sizeof(head));
	unpack_shape(&head, &said);
	if (!expect_shape(desc, &said, &expected) ||
		size != HxModelBytes(&expected))
		HxCorrupted(index, first, "model page of another model");
	if (said.dims != expected.dims || said.kept != expected.kept)
		HxCorrupted(index, first, "a model of other vectors");
	check_model(index, first, &head, packed, size);
	return HxUnpackModel(packed, size);
}

void
HxLoadDenseModel(Relation index, HxIndexDesc *desc)
{
	HxLoadLearnt(index, desc, unpack_checked);
}
