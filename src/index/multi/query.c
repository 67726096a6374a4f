/*
 * query.c
 *	  Queries, and estimates of a list's distance from its codes.
 *
 * A query has a table for each codebook: the products of its tokens with every
 * centre, as small integers, eight tokens side by side.  A code's products are
 * the sum of three entries; the greatest of a list's codes, for each token, are
 * added up.
 */
#include "postgres.h"

#include <math.h>

#include "utils/datum.h"
#include "utils/memutils.h"

#include "index/multi/multi.h"
#include "kernel/kernel.h"
#include "type/bound.h"
#include "type/distance.h"

/* Greatest number in the sum of three entries */
#define MOST_PRODUCT 32000

/* Tokens of a query at most; of longer ones nothing is known */
#define MOST_TOKENS 1024

/* Products of eight tokens */
typedef int16 Products __attribute__((vector_size(16)));

/* ---- tables ---- */

/* Products of a token with the centres of a codebook; the greatest in *most */
static void
multiply(const HxCodebook *book, const float *token, int dims, float *products,
		 float *most)
{
	HxFloatRows rows = {book->centres, dims, book->count};

	hx_kernels->dense->inner(token, dims, rows, products);
	for (int c = 0; c < book->count; c++)
		*most = Max(*most, fabsf(products[c]));
}

/* A table of zeros, aligned; damaged codes may name any centre. */
static int16 *
make_table(const HxListQuery *query, int level)
{
	Size bytes = (Size) HX_CODE_ROOM(level) * query->chunks * sizeof(Products);

	return (int16 *) TYPEALIGN(
		sizeof(Products), palloc_extended(bytes + sizeof(Products),
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
}

/* Write a token's products to its place in a table. */
static void
fill_column(HxListQuery *query, int level, int count, int token,
			const float *products, double scale)
{
	int16 *column =
		query->tables[level] +
		token / HX_LANES_SCORED * HX_CODE_ROOM(level) * HX_LANES_SCORED +
		token % HX_LANES_SCORED;

	for (int c = 0; c < count; c++)
		column[c * HX_LANES_SCORED] = (int16) lrint(products[c] * scale);
}

/* Compute the tables. */
static void
make_tables(HxListQuery *query, const HxCodebooks *books)
{
	int tokens = query->tokens.count;
	float *products[HX_LEVELS];
	double reach = 0;

	for (int level = 0; level < HX_LEVELS; level++)
	{
		const HxCodebook *book = &books->books[level];
		float most = 0;

		products[level] = palloc_extended(
			(Size) tokens * book->count * sizeof(float), MCXT_ALLOC_HUGE);
		for (int t = 0; t < tokens; t++)
			multiply(book, query->tokens.floats + (Size) t * books->dims,
					 books->dims, products[level] + (Size) t * book->count,
					 &most);
		reach += most;
	}
	if (!isfinite(reach))
		return;
	query->chunks = (tokens + HX_LANES_SCORED - 1) / HX_LANES_SCORED;
	query->unit = reach > 0 ? reach / MOST_PRODUCT : 1;
	for (int level = 0; level < HX_LEVELS; level++)
	{
		int count = books->books[level].count;

		query->tables[level] = make_table(query, level);
		for (int t = 0; t < tokens; t++)
			fill_column(query, level, count, t,
						products[level] + (Size) t * count, 1 / query->unit);
		pfree(products[level]);
	}
}

/* ---- queries ---- */

/* Read a query; of codes, the index's own type or an array of numbers. */
static void
read_query(const HxIndexDesc *desc, Datum list, HxTokens *tokens)
{
	HxReadTokens((HxTokenType) desc->vector->layout, DatumGetArrayTypeP(list),
				 tokens);
	if (tokens->count > 0 && tokens->dims != desc->dims)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("tokens of the document have %d dimensions, those of "
						"the query %d",
						desc->dims, tokens->dims)));
	HxTokensAsFloats(tokens);
}

HxQuery *
HxMakeListQuery(const HxIndexDesc *desc, HxMetric metric, Datum list, Oid type)
{
	const HxCodebooks *books = HxCodebooksOf(desc);
	HxListQuery *query = palloc0(sizeof(HxListQuery));
	double length2 = 0;

	query->base.desc = desc;
	query->base.metric = metric;
	query->base.kind = HX_BOUND_FLOATS;
	list = PointerGetDatum(PG_DETOAST_DATUM_COPY(list));
	query->base.value = DatumGetPointer(list);
	query->base.size = VARSIZE_ANY(DatumGetPointer(list));
	query->scratch = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb distance", ALLOCSET_DEFAULT_SIZES);
	read_query(desc, list, &query->tokens);
	for (int t = 0; t < query->tokens.count; t++)
	{
		const float *token = query->tokens.floats + (Size) t * desc->dims;

		length2 += hx_kernels->dense->product(token, token, desc->dims);
	}
	if (books && query->tokens.count <= MOST_TOKENS)
	{
		query->deviation = books->spread * sqrt(length2 / books->dims);
		make_tables(query, books);
	}
	return &query->base;
}

double
HxListDistance(const HxQuery *base, Datum list)
{
	HxListQuery *query = (HxListQuery *) base;
	MemoryContext old = MemoryContextSwitchTo(query->scratch);
	HxTokens document;
	double distance;
	float *scratch;

	HxReadTokens((HxTokenType) base->desc->vector->layout,
				 DatumGetArrayTypeP(list), &document);
	HxCheckSameTokens(&document, &query->tokens);
	scratch = palloc(Max(document.count, 1) * sizeof(float));
	distance = HxNegativeProduct(HxMaxSim(&document, &query->tokens, scratch));
	MemoryContextSwitchTo(old);
	MemoryContextReset(query->scratch);
	return distance;
}

/* ---- estimates ---- */

/* The greater of each pair */
static inline Products
greater(Products a, Products b)
{
	Products above = (Products) (a > b);

	return (a & above) | (b & ~above);
}

/* Sum of the greatest products of eight tokens with some codes */
static inline int32
score_chunk(const HxListQuery *query, int chunk, const uint32 *codes, int count)
{
	const Products *first =
		(const Products *) query->tables[0] + chunk * HX_CODE_ROOM(0);
	const Products *second =
		(const Products *) query->tables[1] + chunk * HX_CODE_ROOM(1);
	const Products *third =
		(const Products *) query->tables[2] + chunk * HX_CODE_ROOM(2);
	Products best = first[HX_CODE_PART(codes[0], 0)] +
					second[HX_CODE_PART(codes[0], 1)] +
					third[HX_CODE_PART(codes[0], 2)];
	int32 sum = 0;

	for (int i = 1; i < count; i++)
		best = greater(first[HX_CODE_PART(codes[i], 0)] +
						   second[HX_CODE_PART(codes[i], 1)] +
						   third[HX_CODE_PART(codes[i], 2)],
					   best);
	for (int l = 0; l < HX_LANES_SCORED; l++)
		sum += best[l];
	return sum;
}

double
HxEstimateList(const HxListQuery *query, const uint32 *codes, int count)
{
	int64 sum = 0;

	for (int chunk = 0; chunk < query->chunks; chunk++)
		sum += score_chunk(query, chunk, codes, count);
	return -(double) sum * query->unit;
}
