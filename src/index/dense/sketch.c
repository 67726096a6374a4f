/*
 * sketch.c
 *	  Vectors as a model sees them, and their sketches.
 *
 * A sketch has 4 or 2 bits for each kept dimension, of what is left of the vector
 * when the nearest landmark is taken from it: level v stands for v less half the
 * greatest, times a step of the row's own, the one of a few that leaves the least
 * angle between vector and sketch (extended RaBitQ, Gao et al. 2024, section 3;
 * what differs: the steps tried are few).  The scale stored makes the estimate of
 * an inner product unbiased: |o|^2 / <o, sketch> (RaBitQ, Gao and Long 2024,
 * section 3.2).
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/hashfn.h"

#include "index/dense/dense.h"
#include "kernel/kernel.h"
#include "type/dense.h"

/* Numbers whose steps are tried side by side */
#define LANES 16

/* Steps that are tried, in deviations of a component: of 4 bits, and of 2 */
#define STEPS 5
static const float fine_steps[STEPS] = {0.25f, 0.30f, 0.335f, 0.37f, 0.41f};
static const float coarse_steps[STEPS] = {0.75f, 0.87f, 1.0f, 1.12f, 1.25f};

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
	{
		seen->kept = palloc(2 * model->kept * sizeof(float));
		seen->rest = seen->kept + model->kept;
	}
	return seen;
}

/* Squared length in double */
static double
length2(const float *vector, int dims)
{
	return hx_kernels->dense->product(vector, vector, dims);
}

/* Multiply a vector by a factor and take another from it, in lanes. */
static void
scale_and_take(float *vector, float factor, const float *other, int dims)
{
	int whole = dims / LANES * LANES;

	for (int i = 0; i < whole; i += LANES)
		for (int l = 0; l < LANES; l++)
			vector[i + l] = vector[i + l] * factor - other[i + l];
	for (int i = whole; i < dims; i++)
		vector[i] = vector[i] * factor - other[i];
}

/* Scale a vector if need be, and take the mean from it. */
static void
prepare_vector(const HxModel *model, HxMetric metric, float *vector,
			   HxSeen *seen)
{
	float factor = 1;

	seen->length2 = length2(vector, model->dims);
	seen->usable = isfinite(seen->length2) && seen->length2 < FLT_MAX;
	if (metric == HX_COSINE && seen->usable)
	{
		factor = (float) (1 / sqrt(seen->length2));
		seen->usable = seen->length2 > 0 && isfinite(factor);
	}
	if (!seen->usable)
		return;
	scale_and_take(vector, factor, model->mean, model->dims);
}

/* What there is to see besides what is kept, which is there already */
static void
measure_vector(const HxModel *model, const float *vector, HxSeen *seen)
{
	double rest2 = length2(vector, model->dims);

	seen->along = hx_kernels->dense->product(vector, model->mean, model->dims);
	seen->kept2 = length2(seen->kept, model->kept);
	seen->left2 = Max(rest2 - seen->kept2, 0);
	seen->usable = isfinite(rest2);
}

void
HxSee(const HxModel *model, HxMetric metric, float *vector, HxSeen *seen)
{
	HxFloatRows axes = {model->axes, model->dims, model->kept};

	prepare_vector(model, metric, vector, seen);
	if (!seen->usable)
		return;
	hx_kernels->dense->inner(vector, model->dims, axes, seen->kept);
	measure_vector(model, vector, seen);
}

HxSeen *
HxMakeManySeen(const HxModel *model, int count)
{
	HxSeen *seen = palloc0(count * sizeof(HxSeen));
	float *kept = palloc((Size) (count + 1) * model->kept * sizeof(float));

	for (int i = 0; i < count; i++)
	{
		seen[i].kept = kept + (Size) i * model->kept;
		seen[i].rest = kept + (Size) count * model->kept;
	}
	return seen;
}

void
HxSeeMany(const HxModel *model, HxMetric metric, float *vectors, int count,
		  HxSeen *seen)
{
	HxFloatRows axes = {model->axes, model->dims, model->kept};
	HxFloatRows rows = {vectors, model->dims, count};

	for (int i = 0; i < count; i++)
		prepare_vector(model, metric, vectors + (Size) i * model->dims,
					   &seen[i]);
	hx_kernels->dense->inner_many(rows, model->dims, axes, seen->kept,
								  model->kept);
	for (int i = 0; i < count; i++)
		if (seen[i].usable)
			measure_vector(model, vectors + (Size) i * model->dims, &seen[i]);
}

/* ---- landmarks ---- */

int
HxNearestLandmark(const HxModel *model, const float *kept)
{
	HxFloatRows places = {model->places, model->kept, model->landmarks};
	float squares[HX_MOST_LANDMARKS];
	int nearest = 0;

	if (model->landmarks == 1)
		return 0;
	hx_kernels->dense->squares(kept, model->kept, places, squares);
	for (int i = 1; i < model->landmarks; i++)
	{
		if (squares[i] < squares[nearest])
			nearest = i;
	}
	return nearest;
}

/* ---- sketches ---- */

/* Numbers as levels: how many, and the bits of a level */
typedef struct Levels
{
	const float *numbers;
	int count;
	int width;
} Levels;

/* Level of a number in units of a step */
static inline int
level_of(float number, int top)
{
	float level = number + (top + 1) / 2;

	level = level > 0 ? level : 0;
	return (int) (level < top ? level : top);
}

/*
 * Cosine between numbers and their levels at a step, but for the length of the
 * numbers.  In lanes, which compilers make vectors of; sums are short ones.
 */
static double
try_step(const Levels *levels, float step)
{
	int top = HxTopLevel(levels->width);
	int whole = levels->count / LANES * LANES;
	float inverse = 1 / step;
	float with[LANES] = {0};
	int squares[LANES] = {0};
	double sum = 0;
	double itself = 0;

	for (int i = 0; i < whole; i += LANES)
	{
		for (int l = 0; l < LANES; l++)
		{
			float number = levels->numbers[i + l];
			int twice = 2 * level_of(number * inverse, top) - top;

			with[l] += number * twice;
			squares[l] += twice * twice;
		}
	}
	for (int i = whole; i < levels->count; i++)
	{
		int twice = 2 * level_of(levels->numbers[i] * inverse, top) - top;

		with[i - whole] += levels->numbers[i] * twice;
		squares[i - whole] += twice * twice;
	}
	for (int l = 0; l < LANES; l++)
	{
		sum += with[l];
		itself += squares[l];
	}
	return sum / sqrt(itself);
}

/* The step that leaves the least angle; 0 if there is nothing to sketch. */
static float
choose_step(const Levels *levels, double length2)
{
	const float *steps = levels->width == HX_FINE ? fine_steps : coarse_steps;
	float deviation = (float) sqrt(length2 / levels->count);
	float best = 0;
	double greatest = 0;

	if (!(deviation > FLT_MIN / fine_steps[0]))
		return 0;
	for (int s = 0; s < STEPS; s++)
	{
		double cosine = try_step(levels, steps[s] * deviation);

		if (cosine > greatest)
		{
			greatest = cosine;
			best = steps[s] * deviation;
		}
	}
	return best;
}

/*
 * Write the levels of numbers into bytes, at a shift; returns their product with
 * twice what the levels stand for, and adds the squares of that.
 */
static double
write_part(const float *numbers, int count, float inverse, int top, int shift,
		   uint8 *bytes, uint32 *squares)
{
	double with = 0;

	for (int i = 0; i < count; i += LANES)
	{
		int some = Min(LANES, count - i);
		int found[LANES];

		if (some == LANES)
			for (int l = 0; l < LANES; l++)
				found[l] = level_of(numbers[i + l] * inverse, top);
		else
			for (int l = 0; l < some; l++)
				found[l] = level_of(numbers[i + l] * inverse, top);
		for (int l = 0; l < some; l++)
		{
			int twice = 2 * found[l] - top;

			bytes[i + l] |= found[l] << shift;
			*squares += twice * twice;
			with += (double) numbers[i + l] * twice;
		}
	}
	return with;
}

/*
 * Write the levels of numbers at a step; returns the product of the numbers with
 * what the levels stand for at a scale of 1, and sets that of this with itself.
 */
static double
write_levels(const HxModel *model, const Levels *levels, float step,
			 HxDenseRow *row, double *itself)
{
	int bytes = (int) HxSketchBytes(levels->count, levels->width);
	int top = HxTopLevel(levels->width);
	float inverse = 1 / step;
	uint32 squares = 0;
	double with = 0;

	memset(row->sketch, 0, bytes);
	for (int i = 0, shift = 0; i < levels->count; shift += levels->width)
	{
		int count = Min(bytes, levels->count - i);

		with += write_part(levels->numbers + i, count, inverse, top, shift,
						   row->sketch, &squares);
		i += count;
	}
	row->squares = (uint16) (squares >> HxSquaresShift(model));
	*itself = squares / 4.0;
	return with / 2;
}

/* A payload of which nothing is known but a hash */
static void
write_bare(uint32 hash, Size size, HxDenseRow *row)
{
	memset(row, 0, size);
	row->error = HX_BARE;
	row->hash = hash;
}

/*
 * Take the nearest landmark from what is kept of a vector, note it in the row, and
 * return the squared length of the rest.
 */
static double
take_landmark(const HxModel *model, const HxSeen *seen, HxDenseRow *row)
{
	int landmark = HxNearestLandmark(model, seen->kept);
	const float *place = HxPlaceOf(model, landmark);

	for (int i = 0; i < model->kept; i++)
		seen->rest[i] = seen->kept[i] - place[i];
	row->hash |= (uint32) landmark << HX_HASH_BITS;
	return length2(seen->rest, model->kept);
}

/*
 * What the product of the row's landmark with the vector is, above that with the
 * sketch.  The row knows it, so that the error is one of the rest of the query,
 * without the landmark.
 */
static double
product_known(const HxModel *model, const HxSeen *seen, const HxDenseRow *row)
{
	const float *place = HxPlaceOf(model, HxLandmarkOf(model, row));
	int bytes = (int) HxSketchBytes(model->kept, model->width);
	int top = HxTopLevel(model->width);
	double product = hx_kernels->dense->product(place, seen->rest, model->kept);
	double with_levels = 0;

	for (int i = 0, shift = 0; i < model->kept; shift += model->width)
	{
		int end = Min(i + bytes, model->kept);

		for (const uint8 *byte = row->sketch; i < end; i++, byte++)
			with_levels +=
				(double) place[i] * (2 * (*byte >> shift & top) - top);
	}
	return product - row->scale * with_levels / 2;
}

void
HxWriteDenseRow(const HxModel *model, HxMetric metric, const HxSeen *seen,
				uint32 hash, HxDenseRow *row)
{
	Levels levels = {seen->rest, model->kept, model->width};
	double rest2;
	float step;
	double with = 0;
	double itself = 0;
	double known = 0;
	double error2;

	memset(row, 0, HxDensePayload(model));
	row->hash = hash;
	rest2 = take_landmark(model, seen, row);
	step = choose_step(&levels, rest2);
	if (step > 0)
	{
		with = write_levels(model, &levels, step, row, &itself);
		row->scale = (float) ((rest2 + model->credit * seen->left2) / with);
	}
	if (HxLandmarkOf(model, row) > 0)
		known = product_known(model, seen, row);
	row->add = (float) (metric == HX_L2 ? seen->kept2 + seen->left2 - 2 * known
										: seen->along + known);
	error2 = rest2 - 2 * row->scale * with +
			 (double) row->scale * row->scale * itself + seen->left2;
	/* A little more, for what was rounded on the way */
	row->error =
		HxShorten((float) (sqrt(Max(error2, 0)) + 1e-5 * sqrt(seen->kept2)));
	if (row->error >= HX_BARE || !isfinite(row->scale) || !isfinite(row->add))
		write_bare(hash, HxDensePayload(model), row);
}

void
HxWriteCentroid(const HxModel *model, const float *kept, HxDenseRow *row)
{
	Levels levels = {kept, model->kept, model->width};
	double kept2 = length2(kept, model->kept);
	float step = choose_step(&levels, kept2);
	double with;
	double itself;

	memset(row, 0, HxDensePayload(model));
	row->add =
		(float) hx_kernels->dense->product(kept, model->mean_kept, model->kept);
	if (step == 0)
		return;
	with = write_levels(model, &levels, step, row, &itself);
	row->scale = (float) (kept2 / with);
}

/* What `count` levels stand for, each in a byte at a shift */
static void
read_levels(const uint8 *bytes, int shift, int top, int count, float scale,
			const float *place, float *to)
{
	int whole = count / LANES * LANES;
	float half = top / 2.0f;

	for (int i = 0; i < whole; i += LANES)
	{
		float numbers[LANES];

		for (int l = 0; l < LANES; l++)
			numbers[l] =
				place[i + l] + scale * ((bytes[i + l] >> shift & top) - half);
		memcpy(to + i, numbers, sizeof(numbers));
	}
	for (int i = whole; i < count; i++)
		to[i] = place[i] + scale * ((bytes[i] >> shift & top) - half);
}

void
HxReadSketch(const HxModel *model, const HxDenseRow *row, float *to)
{
	const float *place = HxPlaceOf(model, HxLandmarkOf(model, row));
	int bytes = (int) HxSketchBytes(model->kept, model->width);

	for (int i = 0, shift = 0; i < model->kept; i += bytes)
	{
		read_levels(row->sketch, shift, HxTopLevel(model->width),
					Min(bytes, model->kept - i), row->scale, place + i, to + i);
		shift += model->width;
	}
}

void
HxScoreSketches(const HxModel *model, const int8 *query, HxLevelRows sketches,
				int32 *scores)
{
	Size bytes = HxSketchBytes(model->kept, model->width);

	if (model->width == HX_FINE)
		hx_kernels->dense->nibble_scores(query, bytes, sketches, scores);
	else
		hx_kernels->dense->pair_scores(query, bytes, sketches, scores);
}

uint32
HxHashVector(const float *vector, int dims)
{
	uint32 hash = DatumGetUInt32(
		hash_any((const unsigned char *) vector, dims * (int) sizeof(float)));

	return hash & HX_HASH_MASK;
}
