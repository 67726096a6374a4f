/*
 * sketch.c
 *	  Vectors as a model sees them, and their sketches.
 *
 * A sketch has 4 bits for each kept dimension: level v stands for v - 7.5 times a
 * step of the row's own, the one of a few that leaves the least angle between
 * vector and sketch (extended RaBitQ, Gao et al. 2024, section 3; what differs:
 * the steps tried are few).  The scale stored makes the estimate of an inner
 * product unbiased: |o|^2 / <o, sketch> (RaBitQ, Gao and Long 2024, section 3.2).
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/hashfn.h"

#include "index/dense/dense.h"
#include "kernel/kernel.h"
#include "type/dense.h"

/* Steps that are tried, in deviations of a component */
static const float steps[] = {0.25f, 0.30f, 0.335f, 0.37f, 0.41f};

void
HxReadVector(const HxIndexDesc *desc, Datum value, float *to)
{
	struct varlena *raw = (struct varlena *) DatumGetPointer(value);
	struct varlena *flat = pg_detoast_datum_packed(raw);

	HxReadDense((HxDenseType) desc->vector->layout, PointerGetDatum(flat),
				desc->dims, to);
	if (flat != raw)
		pfree(flat);
}

HxSeen *
HxMakeSeen(const HxModel *model)
{
	HxSeen *seen = palloc0(sizeof(HxSeen));

	if (model)
		seen->kept = palloc(model->kept * sizeof(float));
	return seen;
}

/* Squared length in double */
static double
length2(const float *vector, int dims)
{
	return hx_kernels->dense->product(vector, vector, dims);
}

void
HxSee(const HxModel *model, HxMetric metric, float *vector, HxSeen *seen)
{
	HxFloatRows axes = {model->axes, model->dims, model->kept};
	double rest2;

	seen->length2 = length2(vector, model->dims);
	seen->usable = isfinite(seen->length2) && seen->length2 < FLT_MAX;
	if (metric == HX_COSINE && seen->usable)
	{
		float factor = (float) (1 / sqrt(seen->length2));

		seen->usable = seen->length2 > 0 && isfinite(factor);
		for (int i = 0; i < model->dims && seen->usable; i++)
			vector[i] *= factor;
	}
	if (!seen->usable)
		return;
	for (int i = 0; i < model->dims; i++)
		vector[i] -= model->mean[i];
	rest2 = length2(vector, model->dims);
	seen->along = hx_kernels->dense->product(vector, model->mean, model->dims);
	hx_kernels->dense->inner(vector, model->dims, axes, seen->kept);
	seen->kept2 = length2(seen->kept, model->kept);
	seen->left2 = Max(rest2 - seen->kept2, 0);
	seen->usable = isfinite(rest2);
}

/* ---- sketches ---- */

/* Levels of numbers in units of a step */
static inline int
level_of(float number)
{
	float level = floorf(number + 8);

	if (!(level > 0))
		return 0;
	return level > HX_TOP_LEVEL ? HX_TOP_LEVEL : (int) level;
}

/* Products of numbers with their levels at a step, and of those */
static void
try_step(const float *kept, int count, float step, double *with, double *itself)
{
	float inverse = 1 / step;
	double sum = 0;
	double squares = 0;

	for (int i = 0; i < count; i++)
	{
		float number = level_of(kept[i] * inverse) - 7.5f;

		sum += (double) kept[i] * number;
		squares += (double) number * number;
	}
	*with = sum;
	*itself = squares;
}

/* The step that leaves the least angle; 0 if there is nothing to sketch. */
static float
choose_step(const float *kept, int count, double kept2)
{
	float deviation = (float) sqrt(kept2 / count);
	float best = 0;
	double greatest = 0;

	if (!(deviation > FLT_MIN / steps[0]))
		return 0;
	for (int s = 0; s < lengthof(steps); s++)
	{
		double with;
		double itself;

		try_step(kept, count, steps[s] * deviation, &with, &itself);
		if (with / sqrt(itself) > greatest)
		{
			greatest = with / sqrt(itself);
			best = steps[s] * deviation;
		}
	}
	return best;
}

/* Write the levels of numbers at a step. */
static void
write_levels(const float *kept, int count, float step, HxDenseRow *row)
{
	int bytes = (int) HxSketchBytes(count);
	float inverse = 1 / step;
	uint32 squares = 0;

	memset(row->sketch, 0, bytes);
	for (int i = 0; i < count; i++)
	{
		int level = level_of(kept[i] * inverse);
		int number = 2 * level - HX_TOP_LEVEL;

		squares += number * number;
		if (i < bytes)
			row->sketch[i] |= level;
		else
			row->sketch[i - bytes] |= level << 4;
	}
	row->squares = (uint16) (squares >> HxSquaresShift(count));
}

/* A payload of which nothing is known but a hash */
static void
write_bare(uint32 hash, Size size, HxDenseRow *row)
{
	memset(row, 0, size);
	row->error = HX_BARE;
	row->hash = hash;
}

void
HxWriteDenseRow(const HxModel *model, HxMetric metric, const HxSeen *seen,
				uint32 hash, HxDenseRow *row)
{
	float step = choose_step(seen->kept, model->kept, seen->kept2);
	double credited = seen->kept2 + model->credit * seen->left2;
	double with;
	double itself;
	double error2;

	memset(row, 0, HxDensePayload(model->kept));
	row->hash = hash;
	row->add =
		(float) (metric == HX_L2 ? seen->kept2 + seen->left2 : seen->along);
	if (step == 0)
	{
		/* All of it is left out. */
		row->error = HxShorten((float) sqrt(seen->kept2 + seen->left2));
		return;
	}
	write_levels(seen->kept, model->kept, step, row);
	try_step(seen->kept, model->kept, step, &with, &itself);
	row->scale = (float) (credited / with);
	error2 = seen->kept2 - 2 * row->scale * with +
			 (double) row->scale * row->scale * itself + seen->left2;
	/* A little more, for what was rounded on the way */
	row->error =
		HxShorten((float) (sqrt(Max(error2, 0)) + 1e-5 * sqrt(seen->kept2)));
	if (row->error >= HX_BARE || !isfinite(row->scale) || !isfinite(row->add))
		write_bare(hash, HxDensePayload(model->kept), row);
}

void
HxWriteCentroid(const HxModel *model, const float *kept, HxDenseRow *row)
{
	double kept2 = length2(kept, model->kept);
	float step = choose_step(kept, model->kept, kept2);
	double with;
	double itself;

	memset(row, 0, HxDensePayload(model->kept));
	row->add =
		(float) hx_kernels->dense->product(kept, model->mean_kept, model->kept);
	if (step == 0)
		return;
	write_levels(kept, model->kept, step, row);
	try_step(kept, model->kept, step, &with, &itself);
	row->scale = (float) (kept2 / with);
}

void
HxReadSketch(int kept, const HxDenseRow *row, float *to)
{
	for (int i = 0; i < kept; i++)
		to[i] = row->scale * (HxLevelOf(row, kept, i) - 7.5f);
}

uint32
HxHashVector(const float *vector, int dims)
{
	return DatumGetUInt32(
		hash_any((const unsigned char *) vector, dims * (int) sizeof(float)));
}
