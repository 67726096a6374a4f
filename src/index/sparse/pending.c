/*
 * pending.c
 *	  Products of a query with rows by themselves, the pending ones.
 *
 * The query's dimensions are in a hash table, behind a filter of one bit.
 */
#include "postgres.h"

#include "index/sparse/sparse.h"

/* Bits of the filter that most dimensions of pending rows fail */
#define DIM_BITS 65536

/* A dimension of the query, for pending rows; open addressing */
typedef struct QueryDim
{
	int32 dim; /* -1: free */
	float weight;
} QueryDim;

struct HxQueryLookup
{
	const HxSparseQuery *query;
	uint64 *seen; /* filter of the dimensions */
	QueryDim *dims;
	uint32 mask; /* slots - 1 */
};

/* Prepare to look up dimensions in a query, which must outlive that. */
HxQueryLookup *
HxMakeLookup(const HxSparseQuery *query)
{
	HxQueryLookup *lookup = palloc(sizeof(HxQueryLookup));
	uint32 slots = 16;

	while (slots < 2 * (uint32) query->nnz)
		slots *= 2;
	lookup->query = query;
	lookup->dims = palloc(slots * sizeof(QueryDim));
	lookup->mask = slots - 1;
	lookup->seen = palloc0(DIM_BITS / 8);
	for (uint32 i = 0; i < slots; i++)
		lookup->dims[i].dim = -1;
	for (int i = 0; i < query->nnz; i++)
	{
		uint32 bit = (uint32) query->dims[i] % DIM_BITS;
		uint32 at = (uint32) query->dims[i] * 2654435769U >> 8;

		lookup->seen[bit / 64] |= UINT64CONST(1) << (bit % 64);
		while (lookup->dims[at & lookup->mask].dim >= 0)
			at++;
		lookup->dims[at & lookup->mask].dim = query->dims[i];
		lookup->dims[at & lookup->mask].weight = query->weights[i];
	}
	Assert(query->nnz <= (int) lookup->mask);
	return lookup;
}

/* Weight of a dimension in the query, or 0 */
static inline float
query_weight(const HxQueryLookup *lookup, int32 dim)
{
	uint32 at = (uint32) dim * 2654435769U >> 8;

	for (;; at++)
	{
		const QueryDim *entry = &lookup->dims[at & lookup->mask];

		if (entry->dim == dim)
			return entry->weight;
		if (entry->dim < 0)
			return 0;
	}
}

/* Product of the query and a row by itself, by rising dimension */
double
HxLookupProduct(const HxQueryLookup *lookup, const HxSparseRow *row)
{
	const HxIndexDesc *desc = lookup->query->base.desc;
	const int32 *dims = HxSparseRowDims(desc, row);
	const float *weights = HxSparseRowWeights(desc, row);
	double sum = 0;

	for (int i = 0; i < row->nnz; i++)
	{
		uint32 bit = (uint32) dims[i] % DIM_BITS;
		float weight;

		if (!(lookup->seen[bit / 64] >> (bit % 64) & 1))
			continue;
		weight = query_weight(lookup, dims[i]);
		if (weight != 0)
			sum += (double) weight * (double) weights[i];
	}
	return sum;
}
