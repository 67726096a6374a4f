/*
 * row.c
 *	  Sparse vectors in the index: columns, rows and queries.
 */
#include "postgres.h"

#include <math.h>

#include "utils/lsyscache.h"

#include "index/search/row.h"
#include "index/sparse/sparse.h"
#include "type/distance.h"

/* The value of a vector that must have the index's dimensions. */
static HxSvec *
get_vector(const HxIndexDesc *desc, Datum value)
{
	HxSvec shape = {.dims = desc->dims};
	HxSvec *v = DatumGetSvec(value);

	HxCheckSameDims(&shape, v);
	for (int i = 0; i < v->nnz; i++)
		if (v->indices[i] < 0 || v->indices[i] >= v->dims ||
			(i > 0 && v->indices[i] <= v->indices[i - 1]) ||
			!isfinite(HxSvecWeights(v)[i]))
			ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
							errmsg("invalid svec: element %d has index %d and "
								   "weight %g",
								   i + 1, v->indices[i], HxSvecWeights(v)[i])));
	return v;
}

/* The query of a vector, which must live as long. */
HxQuery *
HxSparseQueryOf(const HxIndexDesc *desc, HxMetric metric, const HxSvec *v)
{
	HxSparseQuery *result = palloc0(sizeof(HxSparseQuery));

	result->base = (HxQuery){desc, metric, HX_BOUND_SPARSE, v->indices,
							 v->nnz * (sizeof(int32) + sizeof(float))};
	result->norm2 = HxSvecSquare(v);
	result->vector = v;
	result->nnz = v->nnz;
	result->dims = v->indices;
	result->weights = HxSvecWeights(v);
	return &result->base;
}

HxQuery *
HxMakeSparseQuery(const HxIndexDesc *desc, HxMetric metric, Datum query,
				  Oid type)
{
	const HxSvec *v;
	HxSvec *copy;

	if (OidIsValid(type))
		elog(ERROR, "sparse vectors are not searched by values of type %u",
			 type);
	v = get_vector(desc, query);
	copy = palloc(HxSvecSize(v->nnz));
	memcpy(copy, v, HxSvecSize(v->nnz));
	return HxSparseQueryOf(desc, metric, copy);
}

/* The distance of a vector of the table; infinity instead of NaN */
double
HxSparseDistance(const HxQuery *base, Datum vector)
{
	const HxSparseQuery *query = (const HxSparseQuery *) base;
	HxSvec *v = get_vector(base->desc, vector);
	double distance = HxSvecDistance(base->metric, query->vector, v);

	if (PointerGetDatum(v) != vector)
		pfree(v);
	return HxOrderedDistance(distance);
}

/* A row of the table as the index keeps it; palloc'd. */
HxSparseRow *
HxFormSparseRow(const HxIndexDesc *desc, const Datum *values,
				const bool *isnull, const ItemPointerData *tid)
{
	int vector = desc->vector_attno - 1;
	HxSvec *v = isnull[vector] ? NULL : get_vector(desc, values[vector]);
	int nnz = v ? v->nnz : HX_SPARSE_NULL;
	Size size = HxSparseRowSize(desc, nnz);
	HxSparseRow *row = palloc0(size);
	HxAttrRow attrs;

	Assert(size % MAXIMUM_ALIGNOF == 0 && nnz <= HX_MAX_SPARSE_NNZ);
	HxEncodeAttrs(desc, values, isnull, &attrs);
	row->size = size;
	row->nnz = nnz;
	row->tid = *tid;
	row->nulls = attrs.nulls;
	memcpy(row->words, attrs.words, desc->nwords * sizeof(int64));
	if (!v)
	{
		row->norm2 = HX_NULL_NORM;
		return row;
	}
	row->norm2 = HxSvecSquare(v);
	memcpy(HxSparseRowDims(desc, row), v->indices, nnz * sizeof(int32));
	memcpy(HxSparseRowWeights(desc, row), HxSvecWeights(v),
		   nnz * sizeof(float));
	return row;
}

void
HxFormSparsePayload(const HxIndexDesc *desc, Datum vector, uint8 *payload)
{
	double norm2 = HxSvecSquare(get_vector(desc, vector));

	Assert(desc->payload == sizeof(norm2));
	memcpy(payload, &norm2, sizeof(norm2));
}

/* The attributes of a row. */
void
HxSparseRowAttrs(const HxIndexDesc *desc, const HxSparseRow *row,
				 HxAttrRow *attrs)
{
	attrs->nulls = row->nulls;
	memcpy(attrs->words, row->words, desc->nwords * sizeof(int64));
}
