/*
 * payload.c
 *	  Dense vectors in blocks: payloads, queries, estimates.
 *
 * An estimate of a product is that of two sketches of 4 bits and 8: the query's
 * numbers are rounded to 127 levels, which adds less than a hundredth to the
 * error (README, "Estimates").
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
HxFormDense(const HxIndexDesc *desc, Datum vector, uint8 *payload)
{
	const HxModel *model = HxModelOf(desc);
	HxDenseRow *row = (HxDenseRow *) payload;
	float *numbers = palloc(desc->dims * sizeof(float));
	HxSeen *seen;
	uint32 hash;

	HxReadVector(desc, vector, numbers);
	hash = HxHashVector(numbers, desc->dims);
	memset(payload, 0, desc->payload);
	row->error = HX_BARE;
	row->hash = hash;
	if (desc->vector->metric == HX_COSINE && is_zero(numbers, desc->dims))
		row->error = HX_NO_DIRECTION;
	else if (model)
	{
		seen = HxMakeSeen(model);
		HxSee(model, desc->vector->metric, numbers, seen);
		if (seen->usable)
			HxWriteDenseRow(model, desc->vector->metric, seen, hash, row);
		pfree(seen->kept);
		pfree(seen);
	}
	pfree(numbers);
}

static const char *
dense_fault(const HxIndexDesc *desc, const uint8 *payload)
{
	const HxDenseRow *row = (const HxDenseRow *) payload;
	int kept = HxKeptDims(desc);
	uint32 squares = 0;
	int levels = 0;

	if (!isfinite(row->scale) || !isfinite(row->add) ||
		row->error > HX_NO_DIRECTION)
		return "a sketch with a number out of range";
	for (Size i = 0; i < desc->payload - offsetof(HxDenseRow, sketch); i++)
		levels |= row->sketch[i];
	if (row->scale == 0)
		return levels == 0 && row->squares == 0
				   ? NULL
				   : "a sketch with levels that stand for nothing";
	for (int i = 0; i < kept; i++)
	{
		int number = 2 * HxLevelOf(row, kept, i) - HX_TOP_LEVEL;

		squares += number * number;
	}
	return squares >> HxSquaresShift(kept) == row->squares
			   ? NULL
			   : "a sketch whose sum of squares is wrong";
}

/* With a sketch or without, the hash of its vector stays. */
void
HxReduceDense(const HxIndexDesc *desc, uint8 *payload)
{
	uint32 hash = ((const HxDenseRow *) payload)->hash;

	memset(payload, 0, desc->payload);
	((HxDenseRow *) payload)->hash = hash;
}

static Size
dense_sum_size(const HxIndexDesc *desc)
{
	return HxKeptDims(desc) * sizeof(double);
}

static void
dense_add(const HxIndexDesc *desc, const uint8 *payload, void *sum)
{
	const HxDenseRow *row = (const HxDenseRow *) payload;
	int kept = HxKeptDims(desc);

	for (int i = 0; i < kept; i++)
		((double *) sum)[i] += row->scale * (HxLevelOf(row, kept, i) - 7.5f);
}

static void
dense_mean(const HxIndexDesc *desc, const void *sum, int rows, uint8 *centroid)
{
	int kept = HxKeptDims(desc);
	float *mean;

	memset(centroid, 0, desc->payload);
	if (!desc->model)
		return;
	mean = palloc(kept * sizeof(float));
	for (int i = 0; i < kept; i++)
		mean[i] = (float) (((const double *) sum)[i] / rows);
	HxWriteCentroid(HxModelOf(desc), mean, (HxDenseRow *) centroid);
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

/* Squared distances between sketches, in units of the model's */
static void
dense_spreads(const HxIndexDesc *desc, const uint8 *payload,
			  const uint8 *centroids, int count, uint32 *spreads)
{
	const HxDenseRow *row = (const HxDenseRow *) payload;
	int kept = HxKeptDims(desc);
	int bytes = (int) HxSketchBytes(kept);
	int8 *levels;
	int32 *products = (int32 *) spreads;
	int32 sum = 0;
	double unit;
	double own2;

	if (!desc->model)
	{
		memset(spreads, 0, count * sizeof(uint32));
		return;
	}
	levels = palloc0(2 * bytes);
	for (int i = 0; i < kept; i++)
	{
		levels[i] = 2 * HxLevelOf(row, kept, i) - HX_TOP_LEVEL;
		sum += levels[i];
	}
	own2 = HxSketchLength2(row, kept);
	unit = HxModelOf(desc)->unit * SPREAD_UNIT;
	hx_kernels->dense->nibble_scores(
		levels, bytes, sketches_of(desc, centroids, count), products);
	for (int i = 0; i < count; i++)
	{
		const HxDenseRow *centroid =
			(const HxDenseRow *) (centroids + (Size) i * desc->payload);
		double product = (double) row->scale * centroid->scale *
						 (products[i] - 7.5 * sum) / 2;
		double spread =
			(own2 + HxSketchLength2(centroid, kept) - 2 * product) / unit;

		spreads[i] = (uint32) Min(Max(spread, 0), (double) PG_INT32_MAX);
	}
	pfree(levels);
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

/* Round a query's numbers to levels. */
static void
round_query(HxDenseQuery *query, const float *kept, int count)
{
	float greatest = 0;
	double sum = 0;
	double rounding = 0;

	query->levels = palloc0(2 * HxSketchBytes(count));
	for (int i = 0; i < count; i++)
		greatest = Max(greatest, fabsf(kept[i]));
	query->scale = greatest / QUERY_LEVELS;
	for (int i = 0; i < count && greatest > 0; i++)
	{
		int level = (int) lrint(kept[i] / query->scale);
		double off = kept[i] - level * query->scale;

		level = Max(Min(level, QUERY_LEVELS), -QUERY_LEVELS);
		query->levels[i] = (int8) level;
		sum += level;
		rounding += off * off;
	}
	query->offset = 7.5 * sum;
	query->rounding = sqrt(rounding);
}

/*
 * Set a query from what the model sees of it.  <q, x> is <q - m, x - m>, which
 * sketches estimate, and <x - m, m>, which rows know, and this constant.
 */
static void
set_query(HxDenseQuery *query, const HxModel *model, const HxSeen *seen)
{
	query->length2 = seen->kept2 + seen->left2;
	query->constant = seen->along + model->mean2;
	round_query(query, seen->kept, model->kept);
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
	HxReadSketch(model->kept, row, seen->kept);
	seen->kept2 = HxSketchLength2(row, model->kept);
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
sketch_product(const HxDenseQuery *query, const HxDenseRow *row, int32 product)
{
	return row->scale * query->scale * (product - query->offset);
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

	if (!query->levels)
	{
		for (int i = 0; i < count; i++)
			distances[i] = -INFINITY;
		return;
	}
	hx_kernels->dense->nibble_scores(
		query->levels, HxSketchBytes(HxKeptDims(desc)),
		sketches_of(desc, payloads, count), query->products);
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
				query, row, sketch_product(query, row, query->products[i]));
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
	deviation = model->spread * sqrt(query->length2 / model->dims) *
				HxLengthen(row->error);
	if (base->metric != HX_L2)
		return deviation;
	/* d(sqrt(s)) = ds / (2 sqrt(s)), and ds is twice that of the product */
	return deviation / Max(estimate, sqrt(2 * deviation) + DBL_MIN);
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
	double length;
	double off;
	double square;

	if (!query->levels || HxIsBare(row))
		return -INFINITY;
	if (HxHasNoDirection(row))
		return INFINITY;
	length = sqrt(query->length2);
	off = length * HxLengthen(row->error) +
		  query->rounding * 1.01 * sqrt(HxSketchLength2(row, model->kept)) +
		  1e-4 * (length + 1) *
			  (fabs(row->add) + model->mean2 + query->rounding + 1e-3);
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
	return HxSketchLength2(centroid, model->kept) + 2 * centroid->add +
		   model->mean2;
}

/*
 * Blocks are visited by the cosine with their centroids, which halves the rows
 * of vectors that were not normalized; or by the distance if that is L2.
 */
static double
promise_of(const HxDenseQuery *query, const HxModel *model,
		   const HxDenseRow *centroid, int32 product)
{
	double along = sketch_product(query, centroid, product);
	double square;

	if (query->base.base.metric != HX_L2)
		return -(along + centroid->add + query->constant) /
			   sqrt(Max(centroid_length2(model, centroid), 1e-30));
	square =
		query->length2 + HxSketchLength2(centroid, model->kept) - 2 * along;
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
	hx_kernels->dense->nibble_scores(
		query->levels, HxSketchBytes(HxKeptDims(desc)),
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
	.fault = dense_fault,
	.sum_size = dense_sum_size,
	.add = dense_add,
	.mean = dense_mean,
	.spreads = dense_spreads,
	.weight = dense_weight,
	.query_of_row = dense_query_of_row,
	.promises = dense_promises,
	.range = dense_range,
	.deviation = dense_deviation,
	.least = HxLeastDenseDistance,
};
