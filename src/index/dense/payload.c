/*
 * payload.c
 *	  Dense vectors in blocks: payloads, queries, estimates.
 *
 * An estimate of a product is that of two sketches, the row's and one of 8 bits: the
 * query's numbers are rounded to 127 levels, which adds less than a hundredth to
 * the error (README, "The sketch").
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "index/dense/dense.h"
#include "kernel/kernel.h"
#include "type/dense.h"

/* Levels of a query's numbers, from minus this */
#define QUERY_LEVELS 127

/* Numbers that are rounded side by side */
#define LANES 16

/* Numbers that are all smaller than this have levels 0 */
#define LEAST_ROUNDED 1e-30f

/* Spreads are in units of this part of the mean squared length */
#define SPREAD_UNIT (1.0 / (1 << 20))

/* ---- payloads ---- */

/* Are all numbers of a vector 0? */
static bool
is_zero(const float *numbers, int dims)
{
	for (int i = 0; i < dims; i++)
		if (numbers[i] != 0)
			return false;
	return true;
}

void
HxFormBare(const HxIndexDesc *desc, const float *numbers, HxDenseRow *row)
{
	memset(row, 0, desc->payload);
	row->error = HX_BARE;
	row->hash = HxHashVector(numbers, desc->dims);
	if (desc->vector->metric == HX_COSINE && is_zero(numbers, desc->dims))
		row->error = HX_NO_DIRECTION;
}

void
HxFormSeen(const HxIndexDesc *desc, const HxSeen *seen, HxDenseRow *row)
{
	if (seen->usable && HxIsBare(row))
		HxWriteDenseRow(HxModelOf(desc), desc->vector->metric, seen, row->hash,
						row);
}

void
HxFormDense(const HxIndexDesc *desc, Datum vector, uint8 *payload)
{
	const HxModel *model = HxModelOf(desc);
	HxDenseRow *row = (HxDenseRow *) payload;
	float *numbers = palloc(desc->dims * sizeof(float));
	HxSeen *seen;

	HxReadVector(desc, vector, numbers);
	HxFormBare(desc, numbers, row);
	if (model && HxIsBare(row))
	{
		seen = HxMakeSeen(model);
		HxSee(model, desc->vector->metric, numbers, seen);
		HxFormSeen(desc, seen, row);
		pfree(seen->kept);
		pfree(seen);
	}
	pfree(numbers);
}

static const char *
dense_fault(const HxIndexDesc *desc, const uint8 *payload)
{
	const HxModel *model = HxModelOf(desc);
	const HxDenseRow *row = (const HxDenseRow *) payload;
	uint32 squares = 0;
	int levels = 0;

	if (!isfinite(row->scale) || !isfinite(row->add) ||
		row->error > HX_NO_DIRECTION)
		return "a sketch with a number out of range";
	for (Size i = 0; i < HxSketchRoom(desc); i++)
		levels |= row->sketch[i];
	if (row->scale == 0)
		return levels == 0 && row->squares == 0
				   ? NULL
				   : "a sketch with levels that stand for nothing";
	/* Rows may have got sketches since */
	if (!model)
		return NULL;
	if (model->landmarks > 1 &&
		row->hash >> HX_HASH_BITS >= (uint32) model->landmarks)
		return "a sketch from a landmark that there is not";
	for (int i = 0; i < model->kept; i++)
	{
		int number = 2 * HxLevelOf(model, row, i) - HxTopLevel(model->width);

		squares += number * number;
	}
	return squares >> HxSquaresShift(model) == row->squares
			   ? NULL
			   : "a sketch whose sum of squares is wrong";
}

/*
 * With a sketch or without, the hash of its vector stays; and the sketch, where
 * the same vector has the same.
 */
void
HxReduceDense(const HxIndexDesc *desc, uint8 *payload, bool least)
{
	const HxDenseRow *row = (const HxDenseRow *) payload;
	uint32 hash = row->hash & HX_HASH_MASK;

	if (!least && desc->model && desc->formed_now && !HxIsBare(row) &&
		!HxHasNoDirection(row))
		return;
	memset(payload, 0, desc->payload);
	((HxDenseRow *) payload)->hash = hash;
}

static Size
dense_sum_size(const HxIndexDesc *desc)
{
	return (desc->model ? HxModelOf(desc)->kept : 1) * sizeof(double);
}

static void
dense_add(const HxIndexDesc *desc, const uint8 *payload, void *sum)
{
	const HxModel *model = HxModelOf(desc);
	float *sketch;

	if (!model)
		return;
	sketch = palloc(model->kept * sizeof(float));
	HxReadSketch(model, (const HxDenseRow *) payload, sketch);
	for (int i = 0; i < model->kept; i++)
		((double *) sum)[i] += sketch[i];
	pfree(sketch);
}

static void
dense_mean(const HxIndexDesc *desc, const void *sum, int rows, uint8 *centroid)
{
	const HxModel *model = HxModelOf(desc);
	float *mean;

	memset(centroid, 0, desc->payload);
	if (!model)
		return;
	mean = palloc(model->kept * sizeof(float));
	for (int i = 0; i < model->kept; i++)
		mean[i] = (float) (((const double *) sum)[i] / rows);
	HxWriteCentroid(model, mean, (HxDenseRow *) centroid);
	pfree(mean);
}

/* All rows weigh the same. */
static uint32
dense_weight(const HxIndexDesc *desc, const uint8 *payload)
{
	return 0;
}

/* Sketches of an array of payloads */
static HxLevelRows
sketches_of(const HxIndexDesc *desc, const uint8 *payloads, int count)
{
	HxLevelRows sketches = {payloads + offsetof(HxDenseRow, sketch),
							desc->payload, count};

	return sketches;
}

/* ---- numbers as levels ---- */

/* Numbers rounded to levels of 8 bits, for kernels */
typedef struct Rounded
{
	int8 *levels;  /* as many as a sketch has room for */
	double scale;  /* of the levels */
	double offset; /* half the greatest level of a row, times their sum */
} Rounded;

/* Bytes of a sketch's levels, one each */
static Size
rounded_room(const HxModel *model)
{
	return HxSketchBytes(model->kept, model->width) * 8 / model->width;
}

/* The greatest of numbers, whatever their signs */
static float
greatest_of(const float *numbers, int count)
{
	int whole = count / LANES * LANES;
	float most[LANES] = {0};
	float greatest = 0;

	for (int i = 0; i < whole; i += LANES)
		for (int l = 0; l < LANES; l++)
			most[l] = Max(most[l], fabsf(numbers[i + l]));
	for (int i = whole; i < count; i++)
		greatest = Max(greatest, fabsf(numbers[i]));
	for (int l = 0; l < LANES; l++)
		greatest = Max(greatest, most[l]);
	return greatest;
}

/*
 * Round numbers, of which this is the greatest, to levels; returns their sum.  Added
 * to this constant and taken from it, a number has no room for a fraction; compilers
 * make vectors of that.
 */
static int
round_to(const float *numbers, int count, float greatest, int8 *levels)
{
	const float to_whole = 12582912.0f;
	float inverse = QUERY_LEVELS / greatest;
	int whole = count / LANES * LANES;
	int sums[LANES] = {0};
	int sum = 0;

	for (int i = 0; i < whole; i += LANES)
		for (int l = 0; l < LANES; l++)
		{
			int level =
				(int) ((numbers[i + l] * inverse + to_whole) - to_whole);

			levels[i + l] = (int8) level;
			sums[l] += level;
		}
	for (int i = whole; i < count; i++)
	{
		levels[i] = (int8) ((numbers[i] * inverse + to_whole) - to_whole);
		sum += levels[i];
	}
	for (int l = 0; l < LANES; l++)
		sum += sums[l];
	return sum;
}

/* Round kept numbers to levels, for which there is room. */
static void
round_numbers(const HxModel *model, const float *numbers, Rounded *rounded)
{
	float greatest;
	int sum = 0;

	memset(rounded->levels, 0, rounded_room(model));
	greatest = greatest_of(numbers, model->kept);
	rounded->scale = greatest / QUERY_LEVELS;
	if (greatest > LEAST_ROUNDED)
		sum = round_to(numbers, model->kept, greatest, rounded->levels);
	rounded->offset = HxTopLevel(model->width) / 2.0 * sum;
}

/* Length of what levels leave out of numbers */
static double
lost_in_levels(const HxModel *model, const float *numbers,
			   const Rounded *rounded)
{
	double lost2 = 0;

	for (int i = 0; i < model->kept; i++)
	{
		double off = numbers[i] - rounded->levels[i] * rounded->scale;

		lost2 += off * off;
	}
	return sqrt(lost2);
}

/*
 * Squared length of what a payload's sketch stands for.  Centroids have no
 * landmark, so that their squares tell it; rows that are centroids may have one.
 */
static double
sketch_length2(const HxModel *model, const HxDenseRow *row)
{
	float *sketch;
	double length2;

	if (HxLandmarkOf(model, row) == 0)
		return HxLevelsLength2(model, row);
	sketch = palloc(model->kept * sizeof(float));
	HxReadSketch(model, row, sketch);
	length2 = hx_kernels->dense->product(sketch, sketch, model->kept);
	pfree(sketch);
	return length2;
}

/* ---- spreads ---- */

/* Product of a centroid's landmark, if it has one, with kept numbers */
static inline double
landmark_product(const HxModel *model, const HxDenseRow *centroid,
				 const float *numbers)
{
	int landmark = HxLandmarkOf(model, centroid);

	return landmark == 0
			   ? 0
			   : hx_kernels->dense->product(HxPlaceOf(model, landmark), numbers,
											model->kept);
}

/* A payload to be compared with centroids */
typedef struct Measured
{
	Rounded rounded; /* levels follow the sketch */
	float own2;
	float sketch[FLEXIBLE_ARRAY_MEMBER];
} Measured;

/* NULL without a model */
static void *
dense_prepare(const HxIndexDesc *desc, const uint8 *payload)
{
	const HxModel *model = HxModelOf(desc);
	HxFloatRows itself = {NULL, 0, 1};
	Measured *measured;

	if (!model)
		return NULL;
	measured = palloc(offsetof(Measured, sketch) + model->kept * sizeof(float) +
					  rounded_room(model));
	measured->rounded.levels = (int8 *) (measured->sketch + model->kept);
	HxReadSketch(model, (const HxDenseRow *) payload, measured->sketch);
	itself.base = measured->sketch;
	hx_kernels->dense->inner(measured->sketch, model->kept, itself,
							 &measured->own2);
	round_numbers(model, measured->sketch, &measured->rounded);
	return measured;
}

/* Squared distances between sketches, in units of the model's */
static void
dense_prepared_spreads(const HxIndexDesc *desc, const void *prepared,
					   const uint8 *centroids, int count, uint32 *spreads)
{
	const HxModel *model = HxModelOf(desc);
	const Measured *measured = prepared;
	const Rounded *rounded = &measured->rounded;
	int32 *products = (int32 *) spreads;

	HxScoreSketches(model, rounded->levels, sketches_of(desc, centroids, count),
					products);
	for (int i = 0; i < count; i++)
	{
		const HxDenseRow *centroid =
			(const HxDenseRow *) (centroids + (Size) i * desc->payload);
		double product =
			rounded->scale * centroid->scale * (products[i] - rounded->offset) +
			landmark_product(model, centroid, measured->sketch);
		double spread =
			(measured->own2 + sketch_length2(model, centroid) - 2 * product) /
			(model->unit * SPREAD_UNIT);

		spreads[i] = (uint32) Min(Max(spread, 0), (double) PG_INT32_MAX);
	}
}

/* Without a model nothing is known. */
static void
dense_spreads(const HxIndexDesc *desc, const uint8 *payload,
			  const uint8 *centroids, int count, uint32 *spreads)
{
	void *prepared = dense_prepare(desc, payload);

	if (!prepared)
	{
		memset(spreads, 0, count * sizeof(uint32));
		return;
	}
	dense_prepared_spreads(desc, prepared, centroids, count, spreads);
	pfree(prepared);
}

/* ---- queries ---- */

static HxDenseQuery *
new_query(const HxIndexDesc *desc, HxMetric metric)
{
	HxDenseQuery *query = palloc0(sizeof(HxDenseQuery));
	int room = Max(desc->capacity, HxDirectoryCapacity(desc));

	query->base.base.desc = desc;
	query->base.base.metric = metric;
	query->base.base.kind = HX_BOUND_FLOATS;
	query->base.unit = 1;
	query->products = palloc(room * sizeof(int32));
	return query;
}

/* Set what a query knows of each landmark: the product, and how far it is. */
static void
meet_landmarks(HxDenseQuery *query, const HxModel *model, const HxSeen *seen)
{
	query->with_landmark = palloc0(3 * HX_MOST_LANDMARKS * sizeof(double));
	query->from_landmark = query->with_landmark + HX_MOST_LANDMARKS;
	query->landmark_length = query->from_landmark + HX_MOST_LANDMARKS;
	query->from_landmark[0] = sqrt(query->length2);
	for (int i = 1; i < model->landmarks; i++)
	{
		const float *place = HxPlaceOf(model, i);

		query->with_landmark[i] =
			hx_kernels->dense->product(seen->kept, place, model->kept);
		query->from_landmark[i] =
			sqrt(hx_kernels->dense->square(seen->kept, place, model->kept) +
				 seen->left2);
		query->landmark_length[i] =
			sqrt(hx_kernels->dense->product(place, place, model->kept));
	}
}

/*
 * Set a query from what the model sees of it.  <q, x> is <q - m, x - m>, which
 * sketches estimate, and <x - m, m>, which rows know, and this constant.
 */
static void
set_query(HxDenseQuery *query, const HxModel *model, const HxSeen *seen)
{
	Rounded rounded;

	query->length2 = seen->kept2 + seen->left2;
	query->constant = seen->along + model->mean2;
	rounded.levels = palloc(rounded_room(model));
	round_numbers(model, seen->kept, &rounded);
	query->levels = rounded.levels;
	query->scale = rounded.scale;
	query->offset = rounded.offset;
	query->rounding = lost_in_levels(model, seen->kept, &rounded);
	meet_landmarks(query, model, seen);
	if (query->base.base.metric == HX_INNER_PRODUCT && seen->length2 > 0)
		query->base.unit = sqrt(seen->length2);
}

static HxQuery *
dense_query_of_row(const HxIndexDesc *desc, const uint8 *payload)
{
	const HxModel *model = HxModelOf(desc);
	const HxDenseRow *row = (const HxDenseRow *) payload;
	HxDenseQuery *query = new_query(desc, desc->vector->metric);
	HxSeen *seen;

	if (!model)
		return &query->base.base;
	seen = HxMakeSeen(model);
	HxReadSketch(model, row, seen->kept);
	seen->kept2 =
		hx_kernels->dense->product(seen->kept, seen->kept, model->kept);
	seen->along =
		hx_kernels->dense->product(seen->kept, model->mean_kept, model->kept);
	seen->length2 = Max(seen->kept2 + 2 * seen->along + model->mean2, 0);
	set_query(query, model, seen);
	return &query->base.base;
}

/*
 * Prepare the call of the operator's function.  It is told that the query is the
 * same in each call, so that it reads it once.
 */
static void
set_operator(HxDenseQuery *query, Oid type)
{
	const HxIndexDesc *desc = query->base.base.desc;
	Oid right = OidIsValid(type) ? type : desc->type;
	Oid operator= get_opfamily_member(desc->family, desc->type, right,
									  HX_STRATEGY_DISTANCE);
	List *arguments;

	if (!OidIsValid(operator))
		elog(ERROR, "operator %d of family %u is missing", HX_STRATEGY_DISTANCE,
			 desc->family);
	fmgr_info(get_opcode(operator), &query->distance);
	arguments = list_make2(
		makeVar(1, desc->vector_attno, desc->type, -1, InvalidOid, 0),
		makeConst(right, -1, InvalidOid, -1, query->value, false, false));
	fmgr_info_set_expr((Node *) makeFuncExpr(query->distance.fn_oid, FLOAT8OID,
											 arguments, InvalidOid, InvalidOid,
											 COERCE_EXPLICIT_CALL),
					   &query->distance);
}

/* A query's numbers, whose type may be another than the column's */
static float *
read_query(const HxIndexDesc *desc, Datum value, Oid type)
{
	float *numbers = palloc(desc->dims * sizeof(float));
	double *read;
	int count;

	if (!OidIsValid(type) || type == desc->type)
	{
		HxReadVector(desc, value, numbers);
		return numbers;
	}
	read = HxReadArray(DatumGetArrayTypeP(value), &count);
	if (count != desc->dims)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("different vector dimensions %d and %d",
							   desc->dims, count)));
	for (int i = 0; i < count; i++)
		numbers[i] = (float) read[i];
	pfree(read);
	return numbers;
}

HxQuery *
HxMakeDenseQuery(const HxIndexDesc *desc, HxMetric metric, Datum value,
				 Oid type)
{
	const HxModel *model = HxModelOf(desc);
	HxDenseQuery *query = new_query(desc, metric);
	float *numbers;
	HxSeen *seen;

	query->value = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	query->base.base.value = DatumGetPointer(query->value);
	query->base.base.size = VARSIZE_ANY(DatumGetPointer(query->value));
	query->scratch = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb distance", ALLOCSET_DEFAULT_SIZES);
	set_operator(query, type);
	numbers = read_query(desc, query->value, type);
	if (model)
	{
		seen = HxMakeSeen(model);
		HxSee(model, metric, numbers, seen);
		if (seen->usable)
			set_query(query, model, seen);
	}
	pfree(numbers);
	return &query->base.base;
}

double
HxDenseDistance(const HxQuery *base, Datum vector)
{
	HxDenseQuery *query = (HxDenseQuery *) base;
	MemoryContext old = MemoryContextSwitchTo(query->scratch);
	double distance =
		DatumGetFloat8(FunctionCall2(&query->distance, vector, query->value));

	MemoryContextSwitchTo(old);
	MemoryContextReset(query->scratch);
	return distance;
}

/* ---- estimates ---- */

/* Product of a query, without the mean, with what a sketch stands for */
static inline double
sketch_product(const HxDenseQuery *query, const HxModel *model,
			   const HxDenseRow *row, int32 product)
{
	return row->scale * query->scale * (product - query->offset) +
		   query->with_landmark[HxLandmarkOf(model, row)];
}

/* The distance that a product makes */
static inline double
distance_of(const HxDenseQuery *query, const HxDenseRow *row, double product)
{
	double square;

	switch (query->base.base.metric)
	{
		case HX_COSINE:
			return 1 - (product + row->add + query->constant);
		case HX_L2:
			square = query->length2 + row->add - 2 * product;
			return square > 0 ? sqrt(square) : 0;
		default:
			return -(product + row->add + query->constant);
	}
}

void
HxDenseEstimates(const HxQuery *base, const uint8 *payloads, int count,
				 double *distances)
{
	const HxDenseQuery *query = (const HxDenseQuery *) base;
	const HxIndexDesc *desc = base->desc;
	const HxModel *model = HxModelOf(desc);

	if (!query->levels)
	{
		for (int i = 0; i < count; i++)
			distances[i] = -INFINITY;
		return;
	}
	HxScoreSketches(model, query->levels, sketches_of(desc, payloads, count),
					query->products);
	for (int i = 0; i < count; i++)
	{
		const HxDenseRow *row =
			(const HxDenseRow *) (payloads + (Size) i * desc->payload);

		if (HxIsBare(row))
			distances[i] = -INFINITY;
		else if (HxHasNoDirection(row))
			distances[i] = INFINITY;
		else
			distances[i] = distance_of(
				query, row,
				sketch_product(query, model, row, query->products[i]));
	}
}

static double
dense_deviation(const HxQuery *base, const uint8 *payload, double estimate)
{
	const HxDenseQuery *query = (const HxDenseQuery *) base;
	const HxDenseRow *row = (const HxDenseRow *) payload;
	const HxModel *model = HxModelOf(base->desc);
	double deviation;

	if (!query->levels || HxIsBare(row) || HxHasNoDirection(row))
		return 0;
	deviation = model->spread * query->from_landmark[HxLandmarkOf(model, row)] /
				sqrt(model->dims) * HxLengthen(row->error);
	if (base->metric != HX_L2)
		return deviation;
	/* d(sqrt(s)) = ds / (2 sqrt(s)), and ds is twice that of the product */
	return deviation / Max(estimate, sqrt(2 * deviation) + DBL_MIN);
}

/* What floats leave out of a query, a row and the landmark, in their product */
static double
lost_in_floats(const HxDenseQuery *query, const HxModel *model,
			   const HxDenseRow *row, double levels)
{
	double length = sqrt(query->length2);
	double landmark = query->landmark_length[HxLandmarkOf(model, row)];

	return 1e-4 * (length + 1) *
			   (fabs(row->add) + model->mean2 + query->rounding + 1e-3) +
		   1e-5 * (length + landmark) *
			   (landmark + levels + HxLengthen(row->error));
}

/*
 * By Cauchy and Schwarz, for what the sketch leaves out of the row and the levels
 * leave out of the query; and a little more for what floats leave out of both.
 */
double
HxLeastDenseDistance(const HxQuery *base, const uint8 *payload, double estimate)
{
	const HxDenseQuery *query = (const HxDenseQuery *) base;
	const HxDenseRow *row = (const HxDenseRow *) payload;
	const HxModel *model = HxModelOf(base->desc);
	double levels;
	double off;
	double square;

	if (!query->levels || HxIsBare(row))
		return -INFINITY;
	if (HxHasNoDirection(row))
		return INFINITY;
	levels = sqrt(HxLevelsLength2(model, row));
	off = query->from_landmark[HxLandmarkOf(model, row)] *
			  HxLengthen(row->error) +
		  query->rounding * 1.01 * levels +
		  lost_in_floats(query, model, row, levels);
	if (base->metric != HX_L2)
		return estimate - off;
	square = estimate * estimate - 2 * off;
	return square > 0 ? sqrt(square) : 0;
}

/* ---- promises ---- */

/* Squared length of a centroid, the mean included */
static inline double
centroid_length2(const HxModel *model, const HxDenseRow *centroid)
{
	return sketch_length2(model, centroid) + 2 * centroid->add + model->mean2;
}

/*
 * Blocks are visited by the cosine with their centroids, which halves the rows
 * of vectors that were not normalized; or by the distance if that is L2.
 */
static double
promise_of(const HxDenseQuery *query, const HxModel *model,
		   const HxDenseRow *centroid, int32 product)
{
	double along = sketch_product(query, model, centroid, product);
	double square;

	if (query->base.base.metric != HX_L2)
		return -(along + centroid->add + query->constant) /
			   sqrt(Max(centroid_length2(model, centroid), 1e-30));
	square = query->length2 + sketch_length2(model, centroid) - 2 * along;
	return square > 0 ? sqrt(square) : 0;
}

static void
dense_promises(const HxQuery *base, const HxEntry *entries,
			   const uint8 *centroids, int count, float *promises,
			   float *bounds)
{
	const HxDenseQuery *query = (const HxDenseQuery *) base;
	const HxIndexDesc *desc = base->desc;

	for (int i = 0; i < count; i++)
		bounds[i] = -INFINITY;
	if (!query->levels)
	{
		for (int i = 0; i < count; i++)
			promises[i] = INFINITY;
		return;
	}
	HxScoreSketches(HxModelOf(desc), query->levels,
					sketches_of(desc, centroids, count), query->products);
	for (int i = 0; i < count; i++)
		promises[i] = (float) promise_of(
			query, HxModelOf(desc),
			(const HxDenseRow *) (centroids + (Size) i * desc->payload),
			query->products[i]);
}

/* ---- ranges ---- */

/* Rows longer than any seen in learning are rare. */
static void
dense_range(const HxQuery *base, double *low, double *high)
{
	const HxDenseQuery *query = (const HxDenseQuery *) base;
	double longest = HxModelOf(base->desc) ? HxModelOf(base->desc)->longest : 1;

	switch (base->metric)
	{
		case HX_COSINE:
			*low = 0;
			*high = 2;
			break;
		case HX_L2:
			*low = 0;
			*high = sqrt(query->length2) + longest;
			break;
		default:
			*low = -longest * HxUnitOf(base);
			*high = longest * HxUnitOf(base);
			break;
	}
}

const HxPayload hx_dense_payload = {
	.least_pages = 2,
	.long_block = 2,
	.fault = dense_fault,
	.sum_size = dense_sum_size,
	.add = dense_add,
	.mean = dense_mean,
	.spreads = dense_spreads,
	.prepare = dense_prepare,
	.prepared_spreads = dense_prepared_spreads,
	.weight = dense_weight,
	.query_of_row = dense_query_of_row,
	.promises = dense_promises,
	.range = dense_range,
	.deviation = dense_deviation,
	.least = HxLeastDenseDistance,
};
