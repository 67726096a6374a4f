/*
 * svec_op.c
 *	  Type svec: distances, arithmetic and selection of weights.
 *
 * Distances are computed in double.  Products of two weights are exact there,
 * and every sum runs by rising dimension, so that an index which adds up the
 * same products in the same order returns the very same number.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "access/htup_details.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "catalog/pg_type.h"

#include "compat.h"
#include "kernel/kernel.h"
#include "type/distance.h"
#include "type/svec.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_inner_product);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_negative_inner_product);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_cosine_distance);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_l2_distance);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_l1_distance);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_l2_norm);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_l2_normalize);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_add);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_sub);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_mul);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_scale);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_scale_left);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_dims);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_nnz);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_indices);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_weights);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_top);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_prune);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_score_terms);

/* Walks two vectors together, by rising dimension */
typedef struct Walk
{
	const HxSvec *a; /* left vector */
	const HxSvec *b; /* right vector */
	int i;			 /* next element of a */
	int j;			 /* next element of b */
	int32 index;	 /* dimension met, counted from 0 */
	float x;		 /* weight in a, or 0 */
	float y;		 /* weight in b, or 0 */
} Walk;

/* Begin to walk two vectors, which must have the same number of dimensions. */
static Walk
start_walk(const HxSvec *a, const HxSvec *b)
{
	Walk walk = {.a = a, .b = b};

	HxCheckSameDims(a, b);
	return walk;
}

/* Go to the next dimension that either vector has; false at the end. */
static inline bool
next_dimension(Walk *w)
{
	bool in_a = w->i < w->a->nnz;
	bool in_b = w->j < w->b->nnz;

	if (in_a && in_b)
	{
		int32 left = w->a->indices[w->i];
		int32 right = w->b->indices[w->j];

		in_a = left <= right;
		in_b = right <= left;
	}
	if (!in_a && !in_b)
		return false;
	w->x = w->y = 0;
	if (in_a)
	{
		w->index = w->a->indices[w->i];
		w->x = HxSvecWeights(w->a)[w->i++];
	}
	if (in_b)
	{
		w->index = w->b->indices[w->j];
		w->y = HxSvecWeights(w->b)[w->j++];
	}
	return true;
}

/* Inner product, summed by rising dimension.  Error if lengths differ. */
static double
dot(const HxSvec *a, const HxSvec *b)
{
	HxCheckSameDims(a, b);
	return hx_kernels->sparse_dot(a->indices, HxSvecWeights(a), a->nnz,
								  b->indices, HxSvecWeights(b), b->nnz);
}

/* Sum of the squared weights, by rising dimension */
double
HxSvecSquare(const HxSvec *v)
{
	const float *weights = HxSvecWeights(v);
	double sum = 0;

	for (int i = 0; i < v->nnz; i++)
		sum += (double) weights[i] * weights[i];
	return sum;
}

/* Euclidean distance: a sum over the dimensions that either has, ascending */
static double
l2_distance(const HxSvec *a, const HxSvec *b)
{
	Walk w = start_walk(a, b);
	double sum = 0;

	while (next_dimension(&w))
	{
		double difference = (double) w.x - w.y;

		sum += difference * difference;
	}
	return sqrt(sum);
}

/* Distance by inner product, cosine or L2, as the operators compute it */
double
HxSvecDistance(HxMetric metric, const HxSvec *a, const HxSvec *b)
{
	double product;

	Assert(metric == HX_INNER_PRODUCT || metric == HX_COSINE ||
		   metric == HX_L2);
	if (metric == HX_L2)
		return l2_distance(a, b);
	product = dot(a, b);
	if (metric == HX_COSINE)
		return HxCosineDistance(product, HxSvecSquare(a), HxSvecSquare(b));
	return HxNegativeProduct(product);
}

/* Sum of the products of equal dimensions */
Datum
hx_svec_inner_product(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(dot(PG_GETARG_SVEC_P(0), PG_GETARG_SVEC_P(1)));
}

/* The same, negated so that the nearest comes first; never -0 */
Datum
hx_svec_negative_inner_product(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(HxSvecDistance(HX_INNER_PRODUCT, PG_GETARG_SVEC_P(0),
									PG_GETARG_SVEC_P(1)));
}

/* 1 - cosine of the angle; NaN for a zero vector */
Datum
hx_svec_cosine_distance(PG_FUNCTION_ARGS)
{
	HxSvec *a = PG_GETARG_SVEC_P(0);
	HxSvec *b = PG_GETARG_SVEC_P(1);

	PG_RETURN_FLOAT8(HxSvecDistance(HX_COSINE, a, b));
}

/* Euclidean distance */
Datum
hx_svec_l2_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(
		HxSvecDistance(HX_L2, PG_GETARG_SVEC_P(0), PG_GETARG_SVEC_P(1)));
}

/* Taxicab distance */
Datum
hx_svec_l1_distance(PG_FUNCTION_ARGS)
{
	Walk w = start_walk(PG_GETARG_SVEC_P(0), PG_GETARG_SVEC_P(1));
	double sum = 0;

	while (next_dimension(&w))
		sum += fabs((double) w.x - w.y);
	PG_RETURN_FLOAT8(sum);
}

/* Euclidean norm */
Datum
hx_svec_l2_norm(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(sqrt(HxSvecSquare(PG_GETARG_SVEC_P(0))));
}

/*
 * The vector divided by its norm; a zero vector stays zero.  Weights that
 * become zero as a real are left out.
 */
Datum
hx_svec_l2_normalize(PG_FUNCTION_ARGS)
{
	HxSvec *v = PG_GETARG_SVEC_P(0);
	HxSvec *result = HxNewSvec(v->dims, v->nnz);
	double norm = sqrt(HxSvecSquare(v));
	int nnz = 0;

	for (int i = 0; i < v->nnz; i++)
	{
		float weight = (float) (HxSvecWeights(v)[i] / norm);

		if (weight == 0)
			continue;
		result->indices[nnz] = v->indices[i];
		HxSvecWeights(result)[nnz++] = weight;
	}
	PG_RETURN_POINTER(HxTrimSvec(result, nnz));
}

/* Add an element to a vector made with room for it, unless it is zero. */
static inline void
put_weight(HxSvec *result, int *nnz, int32 index, float weight)
{
	if (weight == 0)
		return;
	result->indices[*nnz] = index;
	HxSvecWeights(result)[*nnz] = weight;
	(*nnz)++;
}

/* a + sign * b; error if a weight overflows */
static HxSvec *
add_scaled(const HxSvec *a, const HxSvec *b, float sign)
{
	Walk w = start_walk(a, b);
	HxSvec *result = HxNewSvec(a->dims, a->nnz + b->nnz);
	int nnz = 0;

	while (next_dimension(&w))
	{
		float sum = w.x + sign * w.y;

		HxCheckSvecWeight(sum, (int64) w.index + 1, NULL);
		put_weight(result, &nnz, w.index, sum);
	}
	return HxTrimSvec(result, nnz);
}

/* a + b */
Datum
hx_svec_add(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(add_scaled(PG_GETARG_SVEC_P(0), PG_GETARG_SVEC_P(1), 1));
}

/* a - b */
Datum
hx_svec_sub(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(add_scaled(PG_GETARG_SVEC_P(0), PG_GETARG_SVEC_P(1), -1));
}

/* a * b, dimension by dimension; error on overflow and underflow */
Datum
hx_svec_mul(PG_FUNCTION_ARGS)
{
	Walk w = start_walk(PG_GETARG_SVEC_P(0), PG_GETARG_SVEC_P(1));
	HxSvec *result = HxNewSvec(w.a->dims, Min(w.a->nnz, w.b->nnz));
	int nnz = 0;

	while (next_dimension(&w))
	{
		if (w.x == 0 || w.y == 0)
			continue;
		put_weight(result, &nnz, w.index,
				   HxSvecWeight((double) w.x * w.y, (int64) w.index + 1));
	}
	PG_RETURN_POINTER(HxTrimSvec(result, nnz));
}

/* factor * v; error on overflow and underflow */
static HxSvec *
scale_svec(const HxSvec *v, double factor)
{
	HxSvec *result = HxNewSvec(v->dims, v->nnz);
	int nnz = 0;

	if (isnan(factor) || isinf(factor))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("svec cannot be scaled by %s, which is not "
							   "finite",
							   isnan(factor)
								   ? "NaN"
								   : (factor > 0 ? "Infinity" : "-Infinity"))));
	for (int i = 0; i < v->nnz; i++)
		put_weight(result, &nnz, v->indices[i],
				   HxSvecWeight(HxSvecWeights(v)[i] * factor,
								(int64) v->indices[i] + 1));
	return HxTrimSvec(result, nnz);
}

/* v * factor */
Datum
hx_svec_scale(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(scale_svec(PG_GETARG_SVEC_P(0), PG_GETARG_FLOAT8(1)));
}

/* factor * v */
Datum
hx_svec_scale_left(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(scale_svec(PG_GETARG_SVEC_P(1), PG_GETARG_FLOAT8(0)));
}

/* Number of dimensions */
Datum
hx_svec_dims(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(PG_GETARG_SVEC_P(0)->dims);
}

/* Number of weights that are not zero */
Datum
hx_svec_nnz(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(PG_GETARG_SVEC_P(0)->nnz);
}

/* The dimensions that have a weight, counted from 1, as an array */
Datum
hx_svec_indices(PG_FUNCTION_ARGS)
{
	HxSvec *v = PG_GETARG_SVEC_P(0);
	Datum *elements = palloc(Max(v->nnz, 1) * sizeof(Datum));

	for (int i = 0; i < v->nnz; i++)
		elements[i] = Int32GetDatum(v->indices[i] + 1);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, v->nnz, INT4OID,
										  sizeof(int32), true, TYPALIGN_INT));
}

/* The weights as an array, in the order of indices() */
Datum
hx_svec_weights(PG_FUNCTION_ARGS)
{
	HxSvec *v = PG_GETARG_SVEC_P(0);
	Datum *elements = palloc(Max(v->nnz, 1) * sizeof(Datum));

	for (int i = 0; i < v->nnz; i++)
		elements[i] = Float4GetDatum(HxSvecWeights(v)[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, v->nnz, FLOAT4OID,
										  sizeof(float), true, TYPALIGN_INT));
}

/*
 * A weight's rank as one number: the bits of its absolute value, which order as
 * the value does, above the complement of its position.  Larger is earlier.
 */
typedef uint64 Rank;

#define ST_SORT sort_ranks
#define ST_ELEMENT_TYPE Rank
#define ST_COMPARE(a, b) ((*(a) < *(b)) - (*(a) > *(b)))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Position of the element that has this rank */
static inline int
ranked_position(Rank rank)
{
	return (int) ~(uint32) rank;
}

/* Absolute weight of the element that has this rank */
static inline float
ranked_size(Rank rank)
{
	uint32 bits = (uint32) (rank >> 32);
	float size;

	memcpy(&size, &bits, sizeof(size));
	return size;
}

/* The elements of a vector, the largest absolute weight first */
static Rank *
rank_weights(const HxSvec *v)
{
	Rank *ranked = palloc(Max(v->nnz, 1) * sizeof(Rank));

	for (int i = 0; i < v->nnz; i++)
	{
		float size = fabsf(HxSvecWeights(v)[i]);
		uint32 bits;

		memcpy(&bits, &size, sizeof(bits));
		ranked[i] = (Rank) bits << 32 | ~(uint32) i;
	}
	sort_ranks(ranked, v->nnz);
	return ranked;
}

/* A vector of the first `count` elements by rank */
static HxSvec *
keep_ranked(const HxSvec *v, const Rank *ranked, int count)
{
	HxSvec *result = HxNewSvec(v->dims, count);
	bool *kept = palloc0(Max(v->nnz, 1));
	int nnz = 0;

	for (int i = 0; i < count; i++)
		kept[ranked_position(ranked[i])] = true;
	for (int i = 0; i < v->nnz; i++)
	{
		if (kept[i])
			put_weight(result, &nnz, v->indices[i], HxSvecWeights(v)[i]);
	}
	return HxTrimSvec(result, nnz);
}

/* The k largest weights by absolute value, ties by smaller dimension */
Datum
hx_svec_top(PG_FUNCTION_ARGS)
{
	HxSvec *v = PG_GETARG_SVEC_P(0);
	int32 k = PG_GETARG_INT32(1);

	if (k < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot keep %d weights, expected at least 0", k)));
	PG_RETURN_POINTER(keep_ranked(v, rank_weights(v), Min(k, v->nnz)));
}

/*
 * The fewest weights, largest first, whose absolute values add up to the given
 * share of all
 */
Datum
hx_svec_prune(PG_FUNCTION_ARGS)
{
	HxSvec *v = PG_GETARG_SVEC_P(0);
	double share = PG_GETARG_FLOAT8(1);
	Rank *ranked = rank_weights(v);
	double total = 0;
	double sum = 0;
	int count = 0;

	if (!(share >= 0 && share <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot keep the share %g of the weights, expected "
						"0 to 1",
						share)));
	/* In one order, so that a share of 1 keeps every weight */
	for (int i = 0; i < v->nnz; i++)
		total += ranked_size(ranked[i]);
	while (count < v->nnz && sum < share * total)
		sum += ranked_size(ranked[count++]);
	PG_RETURN_POINTER(keep_ranked(v, ranked, share == 1 ? v->nnz : count));
}

/*
 * The terms of an inner product as rows (dim, contribution), by rising
 * dimension; added up in this order they give the inner product exactly.
 */
Datum
hx_svec_score_terms(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	Walk *walk;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;
		TupleDesc desc;

		context = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "score_terms must return a row type");
		context->tuple_desc = BlessTupleDesc(desc);
		walk = palloc(sizeof(Walk));
		*walk = start_walk(DatumGetSvec(PointerGetDatum(
							   PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0)))),
						   DatumGetSvec(PointerGetDatum(
							   PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(1)))));
		context->user_fctx = walk;
		MemoryContextSwitchTo(old);
	}

	context = SRF_PERCALL_SETUP();
	walk = context->user_fctx;
	while (next_dimension(walk))
	{
		Datum values[2];
		bool nulls[2] = {false, false};

		if (walk->x == 0 || walk->y == 0)
			continue;
		values[0] = Int32GetDatum(walk->index + 1);
		values[1] = Float8GetDatum((double) walk->x * walk->y);
		SRF_RETURN_NEXT(context, HeapTupleGetDatum(heap_form_tuple(
									 context->tuple_desc, values, nulls)));
	}
	SRF_RETURN_DONE(context);
}
