/*
 * payload.c
 *	  Binary codes in the index: payloads, promises, bounds and distances.
 *
 * A payload is the code's planes, padded with zeros to a multiple of 8 bytes.
 * With several bits a dimension two integers follow: the sum of the levels and
 * the sum of their squares, from which norms and spreads are computed.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"

#include "index/blocks/blocks.h"
#include "index/code/code.h"
#include "kernel/kernel.h"
#include "kernel/rounding.h"
#include "type/ball.h"
#include "type/bincode.h"
#include "type/bound.h"
#include "type/dense.h"
#include "type/distance.h"

/* A prepared query: a code, or floats against codes */
typedef struct CodeQuery
{
	HxBlocksQuery base;
	bool is_float;
	bool is_tables;		 /* a float query of sixteen numbers a dimension */
	const uint8 *code;	 /* payload of a code query */
	const float *floats; /* components of a float query */
	double most;		 /* of tables: sum of the greatest sizes */
	uint32 sum;			 /* sum of the code's levels */
	uint32 weight;		 /* bits set (1 bit a dimension) */
	double norm2;		 /* squared length; of tables, that of their slopes */
	double norm;		 /* length, and what a product may be off (no tables) */
	double error;		 /* ... in float arithmetic */
	uint8 *payload;		 /* scratch: a row of the table */
	uint32 *counts;		 /* scratch: a directory or rows page's counts */
	uint32 *counts2;	 /* scratch, likewise */

	/* A float query that is no tables, rounded; NULL: it is all zeros */
	int8 *numbers;
	HxRounding rounding;
	uint8 *near;	/* scratch: payloads of a page that may be near ... */
	int *near_rows; /* ... their rows ... */
	double *near_distances; /* ... and distances */
} CodeQuery;

/* ---- column and payload ---- */

/* Hamming and Jaccard distance are of codes with 1 bit a dimension. */
static void
check_class_takes_planes(Relation index, const HxIndexDesc *desc)
{
	HxMetric metric = desc->vector->metric;

	if (desc->planes == 1 || metric == HX_INNER_PRODUCT || metric == HX_COSINE)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the operator class of column %d of index \"%s\" needs "
					"codes of 1 bit a dimension, not %d",
					desc->vector_attno, RelationGetRelationName(index),
					desc->planes),
			 errhint("Use the operator class bincode_ip_ops or "
					 "bincode_cosine_ops.")));
}

/* Error if bit strings of the column are longer than any code. */
static void
check_bits(Relation index, const HxIndexDesc *desc)
{
	const FormData_pg_attribute *column =
		TupleDescAttr(RelationGetDescr(index), desc->vector_attno - 1);
	int32 typmod = column->atttypmod;
	Oid base = getBaseTypeAndTypmod(column->atttypid, &typmod);

	if (base == BITOID && typmod > HX_MAX_CODE_BITS)
		ereport(
			ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("column \"%s\" of index \"%s\" has %d bits, but a code "
					"at most %d",
					NameStr(column->attname), RelationGetRelationName(index),
					typmod, HX_MAX_CODE_BITS)));
}

/*
 * The typmod of a bit column is that of a code of 1 bit a dimension, unless it
 * is too long.
 */
static Size
code_payload_size(Relation index, const HxIndexDesc *desc)
{
	Size bytes = MAXALIGN(desc->planes * HX_PLANE_BYTES(desc->dims));

	check_bits(index, desc);
	if (desc->planes < 1)
		HxCorrupted(index, HX_METAPAGE, "its codes have no bits");
	check_class_takes_planes(index, desc);
	return desc->planes > 1 ? bytes + sizeof(HxLevelSums) : bytes;
}

/* Error if the shape of a code is not the index's. */
static void
check_shape(const HxIndexDesc *desc, const HxCode *code)
{
	(void) HxMatchShapes(code->dims, code->planes, desc->dims, desc->planes,
						 "The value is the first, the index holds the second.",
						 NULL);
}

/* Write the payload of a code; errors if its shape is not the index's. */
static void
form_payload(const HxIndexDesc *desc, const HxCode *code, uint8 *payload)
{
	check_shape(desc, code);
	Assert(code->bytes <= desc->payload);
	memset(payload, 0, desc->payload);
	memcpy(payload, code->data, code->bytes);
	HxFinishCodePayload(desc, payload);
}

static void
code_form(const HxIndexDesc *desc, Datum vector, uint8 *payload)
{
	HxCode code = HxViewCode(vector);

	form_payload(desc, &code, payload);
	HxReleaseCode(&code, vector);
}

static const char *
code_fault(const HxIndexDesc *desc, const uint8 *payload)
{
	Size bytes = HxCodePlaneBytes(desc);
	Size sums = desc->planes > 1 ? sizeof(HxLevelSums) : 0;
	uint8 unused = desc->dims % 8 ? 0xFF >> desc->dims % 8 : 0;
	uint8 *copy;
	bool same;

	for (int p = 1; p <= desc->planes; p++)
		if (payload[p * bytes - 1] & unused)
			return "a code with bits beyond its last dimension";
	for (Size i = desc->planes * bytes; i < desc->payload - sums; i++)
		if (payload[i] != 0)
			return "a code that is not padded with zeros";
	if (sums == 0)
		return NULL;
	copy = palloc(desc->payload);
	memcpy(copy, payload, desc->payload);
	HxFinishCodePayload(desc, copy);
	same = memcmp(copy, payload, desc->payload) == 0;
	pfree(copy);
	return same ? NULL : "a code whose sums of levels are wrong";
}

/* Bits set in a payload of 1 bit a dimension. */
static uint32
bits_set(const HxIndexDesc *desc, const uint8 *payload)
{
	return HxLevelSum(payload, HxCodePlaneBytes(desc), 1);
}

static uint32
code_weight(const HxIndexDesc *desc, const uint8 *payload)
{
	const HxLevelSums *sums;

	if (desc->planes == 1)
		return bits_set(desc, payload);
	sums = HxCodeLevelSums(desc, payload);
	return (uint32) ldexp(
		HxLevelNorm2(sums->squares, sums->sum, desc->dims, desc->planes),
		2 * (desc->planes - 1));
}

static void
code_spreads(const HxIndexDesc *desc, const uint8 *payload,
			 const uint8 *centroids, int count, uint32 *spreads)
{
	HxCodes codes = {centroids, desc->payload, count};
	uint32 squares;

	if (desc->planes == 1)
	{
		hx_kernels->hamming(payload, HxCodePlaneBytes(desc), codes, spreads);
		return;
	}
	hx_kernels->level_product(payload, HxCodePlaneBytes(desc), desc->planes,
							  codes, spreads);
	squares = HxCodeLevelSums(desc, payload)->squares;
	for (int i = 0; i < count; i++)
		spreads[i] =
			squares +
			HxCodeLevelSums(desc, centroids + i * desc->payload)->squares -
			2 * spreads[i];
}

/* ---- queries ---- */

/* A query with scratch room for one page of rows or centroids. */
static CodeQuery *
new_query(const HxIndexDesc *desc, HxMetric metric)
{
	CodeQuery *query = palloc0(sizeof(CodeQuery));
	int room = Max(desc->capacity, HxDirectoryCapacity(desc));

	query->base.base = (HxQuery){desc, metric, HX_BOUND_CODE};
	query->base.unit = 1;
	query->payload = palloc(desc->payload);
	query->counts = palloc(2 * room * sizeof(uint32));
	query->counts2 = query->counts + room;
	return query;
}

/* Round a float query, and have room for a page of rows that may be near. */
static void
round_query(CodeQuery *query)
{
	const HxIndexDesc *desc = query->base.base.desc;
	int8 *numbers = palloc(hx_rounded_count(desc->dims));

	if (!hx_round_query(query->floats, desc->dims, desc->planes, numbers,
						&query->rounding))
		return;
	query->numbers = numbers;
	query->near = palloc(desc->capacity * desc->payload);
	query->near_rows = palloc(desc->capacity * sizeof(int));
	query->near_distances = palloc(desc->capacity * sizeof(double));
}

/*
 * Keep what bounds need of the squared length: the length times that of the
 * longest code bounds the terms of a product.  Distances are looked up in units of
 * the length where they scale.
 */
static void
set_length(CodeQuery *query)
{
	const HxIndexDesc *desc = query->base.base.desc;
	double greatest =
		((1 << desc->planes) - 1) / (double) (1 << (desc->planes - 1));

	query->norm = sqrt(query->norm2);
	query->error =
		hx_product_error(query->norm * sqrt(desc->dims) * greatest, desc->dims);
	if (query->base.base.metric == HX_INNER_PRODUCT && query->norm2 > 0)
		query->base.unit = query->norm;
}

static HxQuery *
code_query_of_row(const HxIndexDesc *desc, const uint8 *payload)
{
	CodeQuery *query = new_query(desc, desc->vector->metric);
	uint8 *copy = palloc(desc->payload);

	Assert(desc->planes >= 1);
	memcpy(copy, payload, desc->payload);
	query->base.base.value = query->code = copy;
	query->base.base.size = desc->payload;
	if (desc->planes == 1)
	{
		query->weight = query->sum = bits_set(desc, copy);
		query->norm2 = desc->dims;
	}
	else
	{
		const HxLevelSums *sums = HxCodeLevelSums(desc, copy);

		query->sum = sums->sum;
		query->norm2 =
			HxLevelNorm2(sums->squares, sums->sum, desc->dims, desc->planes);
	}
	set_length(query);
	return &query->base.base;
}

/*
 * Measure tables: the slope of one is by how much it changes most from a level to
 * the next.  No query of a row is like them, so they are searched exactly.
 */
static void
measure_tables(CodeQuery *query)
{
	query->norm2 = 0;
	for (int d = 0; d < query->base.base.desc->dims; d++)
	{
		const float *table = query->floats + 16 * d;
		double slope = 0;
		double most = fabs(table[0]);

		for (int v = 1; v < 16; v++)
		{
			slope = Max(slope, fabs((double) table[v] - table[v - 1]));
			most = Max(most, fabs(table[v]));
		}
		query->norm2 += slope * slope;
		query->most += most;
	}
	query->base.base.exact = true;
}

static HxQuery *
code_query(const HxIndexDesc *desc, HxMetric metric, Datum datum, Oid type)
{
	CodeQuery *query;

	if (OidIsValid(type) && OidIsValid(get_element_type(type)))
	{
		HxFloatQuery *floats = HxMakeFloatQuery(DatumGetArrayTypeP(datum));

		HxCheckFloatQuery(floats, desc->dims, desc->planes);
		if (metric == HX_COSINE)
			HxRejectTables(floats, desc->dims, desc->planes);
		query = new_query(desc, metric);
		query->is_float = true;
		query->is_tables = HxIsTables(floats, desc->dims, desc->planes);
		query->floats = floats->values;
		query->base.base.kind = HX_BOUND_FLOATS;
		query->base.base.value = floats->values;
		query->base.base.size = floats->dims * sizeof(float);
		query->norm2 = floats->norm2;
		if (query->is_tables)
			measure_tables(query);
		else
		{
			set_length(query);
			round_query(query);
		}
	}
	else
	{
		uint8 *payload = palloc(desc->payload);

		code_form(desc, datum, payload);
		query = (CodeQuery *) code_query_of_row(desc, payload);
		query->base.base.metric = metric;
		pfree(payload);
	}
	return &query->base.base;
}

static HxQuery *
code_ball(const HxIndexDesc *desc, Datum ball, double *radius)
{
	int32 within;
	HxCode code = HxViewBall(ball, &within);
	uint8 *payload = palloc(desc->payload);
	HxQuery *query;

	form_payload(desc, &code, payload);
	query = code_query_of_row(desc, payload);
	query->metric = HX_HAMMING;
	*radius = within;
	pfree(payload);
	return query;
}

/* Inner product of a query with several-bit code i of a kernel's results. */
static double
level_product(const CodeQuery *query, const uint8 *payload, uint32 levels)
{
	const HxIndexDesc *desc = query->base.base.desc;

	return HxLevelProduct(levels, query->sum,
						  HxCodeLevelSums(desc, payload)->sum, desc->dims,
						  desc->planes);
}

/* Squared length of a payload's code. */
static double
payload_norm2(const HxIndexDesc *desc, const uint8 *payload)
{
	const HxLevelSums *sums;

	if (desc->planes == 1)
		return desc->dims;
	sums = HxCodeLevelSums(desc, payload);
	return HxLevelNorm2(sums->squares, sums->sum, desc->dims, desc->planes);
}

/* Inner products of a float or several-bit query with an array of payloads. */
static void
products(const CodeQuery *query, HxCodes codes, double *products)
{
	const HxIndexDesc *desc = query->base.base.desc;

	if (query->is_float)
	{
		float *results = (float *) query->counts;

		if (query->is_tables)
			hx_kernels->table_product(query->floats, desc->dims, codes,
									  results);
		else
			hx_kernels->float_product(query->floats, desc->dims, desc->planes,
									  codes, results);
		for (size_t i = 0; i < codes.count; i++)
			products[i] = results[i];
		return;
	}
	hx_kernels->level_product(query->code, HxCodePlaneBytes(desc), desc->planes,
							  codes, query->counts);
	for (size_t i = 0; i < codes.count; i++)
		products[i] = level_product(query, codes.base + i * codes.stride,
									query->counts[i]);
}

/* The distance that an inner product with a payload makes */
static inline double
product_distance(const CodeQuery *query, double product, const uint8 *payload)
{
	if (query->base.base.metric == HX_INNER_PRODUCT)
		return HxNegativeProduct(product);
	return HxCosineDistance(product, query->norm2,
							payload_norm2(query->base.base.desc, payload));
}

/* Distances by inner product of a float or several-bit query. */
static void
product_distances(const CodeQuery *query, HxCodes codes, double *distances)
{
	Assert(query->base.base.metric == HX_INNER_PRODUCT ||
		   query->base.base.metric == HX_COSINE);
	products(query, codes, distances);
	for (size_t i = 0; i < codes.count; i++)
		distances[i] = product_distance(query, distances[i],
										codes.base + i * codes.stride);
}

/* Distance of a one-bit code from the bits in which it differs. */
static double
differing_distance(HxMetric metric, uint32 differing, int dims)
{
	double product = HxHammingProduct(differing, dims);

	switch (metric)
	{
		case HX_INNER_PRODUCT:
			return HxNegativeProduct(product);
		case HX_COSINE:
			return HxCosineDistance(product, dims, dims);
		default:
			return differing;
	}
}

static void
code_distances(const HxQuery *base, const uint8 *payloads, int count,
			   double *distances)
{
	const CodeQuery *query = (const CodeQuery *) base;
	const HxIndexDesc *desc = base->desc;
	HxCodes codes = {payloads, desc->payload, count};
	uint32 *counts = query->counts;

	Assert(count <= Max(desc->capacity, HxDirectoryCapacity(desc)));
	if (query->is_float || desc->planes > 1)
		product_distances(query, codes, distances);
	else if (HxIsJaccard(base->metric))
	{
		hx_kernels->overlap(query->code, HxCodePlaneBytes(desc), codes, counts,
							query->counts2);
		for (int i = 0; i < count; i++)
			distances[i] =
				HxSetDistance(base->metric, counts[i], query->counts2[i]);
	}
	else
	{
		hx_kernels->hamming(query->code, HxCodePlaneBytes(desc), codes, counts);
		if (base->metric == HX_HAMMING)
			hx_kernels->line((const int32 *) counts, count, 1, 0, distances);
		else
			for (int i = 0; i < count; i++)
				distances[i] =
					differing_distance(base->metric, counts[i], desc->dims);
	}
}

/*
 * Of each row the least distance that it may have, by a rounded query: distances
 * fall as products grow, to the last bit of their arithmetic.
 */
static void
least_distances(const CodeQuery *query, HxCodes codes, double *distances)
{
	const HxIndexDesc *desc = query->base.base.desc;
	double step = query->rounding.step;
	double most = query->rounding.offset + query->rounding.error;
	int32 *scores = (int32 *) query->counts2;

	hx_kernels->dense->plane_scores(query->numbers, HxCodePlaneBytes(desc),
									desc->planes, codes, scores);
	if (query->base.base.metric == HX_INNER_PRODUCT)
		hx_kernels->line(scores, codes.count, -step, -most, distances);
	else
		for (size_t i = 0; i < codes.count; i++)
			distances[i] = product_distance(query, scores[i] * step + most,
											codes.base + i * codes.stride);
}

/*
 * Of rows that may be as near as `worst` note which they are, and copy their
 * payloads; returns how many.
 */
static int
copy_near(const CodeQuery *query, HxCodes codes, double worst,
		  const double *distances)
{
	int nnear = 0;

	for (size_t first = 0; first < codes.count; first += 64)
	{
		uint64 near = hx_kernels->not_above(
			distances + first, Min(codes.count - first, 64), worst);

		for (; near != 0; near &= near - 1)
		{
			int row = (int) first + pg_rightmost_one_pos64(near);

			memcpy(query->near + nnear * codes.stride,
				   codes.base + row * codes.stride, codes.stride);
			query->near_rows[nnear++] = row;
		}
	}
	return nnear;
}

/* See kind.h: integers first, and floats of the rows that these leave. */
static void
code_distances_within(const HxQuery *base, const uint8 *payloads, int count,
					  double worst, double *distances)
{
	const CodeQuery *query = (const CodeQuery *) base;
	HxCodes codes = {payloads, base->desc->payload, count};
	HxCodes near = {query->near, base->desc->payload, 0};

	Assert(count <= base->desc->capacity);
	if (!query->numbers || worst == get_float8_infinity())
	{
		code_distances(base, payloads, count, distances);
		return;
	}
	least_distances(query, codes, distances);
	near.count = copy_near(query, codes, worst, distances);
	if (near.count == 0)
		return;
	product_distances(query, near, query->near_distances);
	for (size_t i = 0; i < near.count; i++)
		distances[query->near_rows[i]] = query->near_distances[i];
}

/*
 * Bits in which a vector of the table differs from a query, both of one bit a
 * dimension: the code is read where it lies.
 */
static uint32
bits_differing(const CodeQuery *query, Datum vector)
{
	HxCode code = HxViewCode(vector);
	HxCodes codes = {code.data, 0, 1};
	uint32 differing;

	check_shape(query->base.base.desc, &code);
	hx_kernels->hamming(query->code, code.bytes, codes, &differing);
	HxReleaseCode(&code, vector);
	return differing;
}

/* The distance of a vector of the table */
static double
code_distance(const HxQuery *base, Datum vector)
{
	const CodeQuery *query = (const CodeQuery *) base;
	const HxIndexDesc *desc = base->desc;
	double distance;

	if (desc->planes == 1 && !query->is_float && !HxIsJaccard(base->metric))
		return differing_distance(base->metric, bits_differing(query, vector),
								  desc->dims);
	code_form(desc, vector, query->payload);
	code_distances(base, query->payload, 1, &distance);
	return distance;
}

/* ---- promises and bounds ---- */

/* The greatest float below one that is not NaN; that below the least is -infinity. */
static inline float
float_below(float value)
{
	union
	{
		float value;
		int32 bits;
	} next = {value};

	if (value == 0)
		next.bits = (int32) 0x80000001;
	else if (value != -get_float4_infinity())
		next.bits += value < 0 ? 1 : -1;
	return next.value;
}

/* The greatest float that is not above a double. */
static inline float
round_down(double value)
{
	float rounded = (float) value;

	return (double) rounded > value ? float_below(rounded) : rounded;
}

/* Least distance in a block of one-bit codes, the centroid differing so. */
static double
differing_bound(const CodeQuery *query, const HxEntry *entry, uint32 differing)
{
	uint32 least = differing > entry->radius ? differing - entry->radius : 0;

	if (HxIsJaccard(query->base.base.metric))
	{
		double bits = (double) query->weight + entry->max_weight + least;

		return bits > 0 ? 2.0 * least / bits * (1 - 1e-12) : 0;
	}
	return differing_distance(query->base.base.metric, least,
							  query->base.base.desc->dims);
}

/*
 * Least distance in a block by <q,x> <= <q,c> + |q| R, with what float
 * accumulation may add.
 */
static double
product_bound(const CodeQuery *query, const HxEntry *entry, double product)
{
	const HxIndexDesc *desc = query->base.base.desc;
	double scale = 1 << (desc->planes - 1);
	double norm = query->norm;
	double most = product +
				  norm * 2 / scale * sqrt(entry->radius) * (1 + 1e-9) +
				  query->error;
	double length;

	if (query->base.base.metric == HX_INNER_PRODUCT)
		return -most;
	if (desc->planes == 1)
		length = sqrt(desc->dims);
	else
		length =
			sqrt(most >= 0 ? entry->min_weight : entry->max_weight) / scale;
	if (!(norm * length > 0))
		return -INFINITY;
	return 1 - most / (norm * length) - 1e-9;
}

/*
 * Least distance in a block by tables: a row's level is at most so far from the
 * centroid's as all are together, so their sum of products differs by at most the
 * slopes' length times the radius.  Each of the sums has at most dims roundings
 * of what `most` bounds.
 */
static double
tables_bound(const CodeQuery *query, const HxEntry *entry, double product)
{
	double reach = sqrt(query->norm2) * sqrt(entry->radius);
	double error =
		query->most * (2.0 * query->base.base.desc->dims + 2) * 1.2e-7;

	return -(product + reach * (1 + 1e-9) + error);
}

/* Promises and bounds of Hamming distance, which floats hold exactly. */
static void
hamming_promises(const uint32 *differing, const HxEntry *entries, int count,
				 float *promises, float *bounds)
{
	for (int i = 0; i < count; i++)
	{
		int32 least = (int32) differing[i] - (int32) entries[i].radius;

		promises[i] = (float) differing[i];
		bounds[i] = (float) Max(least, 0);
	}
}

static void
code_promises(const HxQuery *base, const HxEntry *entries,
			  const uint8 *centroids, int count, float *promises, float *bounds)
{
	const CodeQuery *query = (const CodeQuery *) base;
	const HxIndexDesc *desc = base->desc;
	HxCodes codes = {centroids, desc->payload, count};

	Assert(count <= HxDirectoryCapacity(desc));
	if (query->is_float || desc->planes > 1)
	{
		double *values = palloc(count * sizeof(double));

		products(query, codes, values);
		for (int i = 0; i < count; i++)
		{
			bounds[i] =
				round_down(query->is_tables
							   ? tables_bound(query, &entries[i], values[i])
							   : product_bound(query, &entries[i], values[i]));
			promises[i] =
				base->metric == HX_INNER_PRODUCT
					? -values[i]
					: HxCosineDistance(
						  values[i], query->norm2,
						  payload_norm2(desc, centroids + i * desc->payload));
		}
		pfree(values);
		return;
	}
	if (HxIsJaccard(base->metric))
		hx_kernels->overlap(query->code, HxCodePlaneBytes(desc), codes,
							query->counts2, query->counts);
	else
		hx_kernels->hamming(query->code, HxCodePlaneBytes(desc), codes,
							query->counts);
	if (base->metric == HX_HAMMING)
	{
		hamming_promises(query->counts, entries, count, promises, bounds);
		return;
	}
	for (int i = 0; i < count; i++)
	{
		uint32 differing = query->counts[i];

		if (HxIsJaccard(base->metric))
		{
			uint32 either = differing;

			differing = either - query->counts2[i];
			promises[i] =
				HxSetDistance(base->metric, query->counts2[i], either);
		}
		else
			promises[i] =
				differing_distance(base->metric, differing, desc->dims);
		bounds[i] = round_down(differing_bound(query, &entries[i], differing));
	}
}

/* ---- the kind ---- */

static const HxPayload code_payload = {
	.least_pages = 0.6,
	.long_block = 1.5,
	.fault = code_fault,
	.sum_size = HxCodeSumSize,
	.add = HxAddCode,
	.mean = HxMeanCode,
	.spreads = code_spreads,
	.weight = code_weight,
	.query_of_row = code_query_of_row,
	.promises = code_promises,
};

static const HxKind code_kind = {
	.name = "codes",
	.length_hint = "Declare it as %s(n), or index an expression with a "
				   "cast such as ((code::%s(512))).",
	.room_hint = "Index a part of the code with an expression such as "
				 "((subcode(code, 1, 8192)::bincode(8192))).",
	.shape = HxShapeOf,
	.payload_size = code_payload_size,
	.query = code_query,
	.ball = code_ball,
	.bounds = 1 << HX_BOUND_CODE | 1 << HX_BOUND_FLOATS,
	.distance = code_distance,
	.form = code_form,
	.distances = code_distances,
	.distances_within = code_distances_within,
	HX_BLOCKS_MEMBERS,
};

HX_VECTOR_CLASS(hx_vector_bincode_hamming, HX_HAMMING, &code_kind,
				&code_payload);
HX_VECTOR_CLASS(hx_vector_bincode_jaccard, HX_JACCARD, &code_kind,
				&code_payload);
HX_VECTOR_CLASS(hx_vector_bincode_ip, HX_INNER_PRODUCT, &code_kind,
				&code_payload);
HX_VECTOR_CLASS(hx_vector_bincode_cosine, HX_COSINE, &code_kind, &code_payload);
HX_VECTOR_CLASS(hx_vector_bincode_bit_jaccard, HX_BIT_JACCARD, &code_kind,
				&code_payload);
