/*
 * query.c
 *	  Queries, and estimates of a list's distance from its codes.
 *
 * A query has a table for each codebook: the products of its tokens with every
 * centre, as small integers, eight tokens side by side.  A code's products are
 * the sum of three entries; the greatest of a list's codes, for each token, are
 * added up.  Of the first codebook there is a shorter table, too, for glances:
 * bytes, of which the greatest product is 255 and what is below 0 is 0.
 */
#include "postgres.h"

#include <math.h>

#include "utils/datum.h"
#include "utils/memutils.h"

#include "index/multi/multi.h"
#include "type/bound.h"
#include "type/distance.h"

/* Greatest number in the sum of three entries; and what products are divided by */
#define MOST_SUM 32000
#define SUM_UNIT (65536.0 / HX_TOKEN_FACTOR(0))

/* Tokens of a query at most; of longer ones nothing is known */
#define MOST_TOKENS 1024

/* ---- tables ---- */

/* The nearest integer, of two the even one, for sizes up to 2^22: without a call */
static inline int32
round_small(float x)
{
	float moved = x + 12582912.0f; /* the lowest bit of its mantissa is 1 */
	int32 bits;

	memcpy(&bits, &moved, sizeof(bits));
	return bits - 0x4B400000;
}

/* A token as integers; returns what one of them stands for. */
static float
round_token(const float *token, int dims, int16 *numbers)
{
	float greatest = 0;
	float step;

	for (int d = 0; d < dims; d++)
		greatest = Max(greatest, fabsf(token[d]));
	step = greatest / PG_INT16_MAX;
	for (int d = 0; d < dims; d++)
		numbers[d] =
			step > 0 ? (int16) lrintf(Min(Max(token[d] / step, -PG_INT16_MAX),
										  PG_INT16_MAX))
					 : 0;
	return step;
}

/*
 * Products of a token with the centres of a codebook, by the integers that these are
 * stored as; returns the greatest.
 */
static float
multiply(const HxCodebook *book, const int16 *numbers, float step, int dims,
		 int32 *scores, float *products)
{
	float most = 0;

	for (int start = 0; start < dims; start += HX_NUMBERS)
	{
		HxNumberScores(numbers + start, Min(dims - start, HX_NUMBERS),
					   book->numbers + start, dims, book->count, scores);
		for (int c = 0; c < book->count; c++)
			products[c] = (start > 0 ? products[c] : 0) + scores[c];
	}
	for (int c = 0; c < book->count; c++)
	{
		products[c] *= step * book->scales[c];
		most = Max(most, fabsf(products[c]));
	}
	return most;
}

/* A table of zeros: damaged codes may name any centre. */
static int16 *
make_table(int level)
{
	return palloc0((Size) HX_MARK_ROOM(level) * HX_TOKEN_LANES * sizeof(int16));
}

/* Write products of eight tokens, or fewer, with a codebook's centres to a table. */
static const int16_t *
fill_table(int level, int count, int tokens, const float *products, float scale)
{
	int16 *table = make_table(level);

	for (int c = 0; c < count; c++)
		for (int t = 0; t < tokens; t++)
			table[c * HX_TOKEN_LANES + t] =
				(int16) round_small(products[(Size) t * count + c] * scale);
	return table;
}

/* Write the same products to a table of bytes. */
static const uint8 *
fill_bytes(int count, int tokens, const float *products, float scale)
{
	uint8 *table = palloc0(HX_TOKEN_FIRST * HX_TOKEN_LANES);

	for (int c = 0; c < count; c++)
		for (int t = 0; t < tokens; t++)
		{
			int32 product = round_small(products[(Size) t * count + c] * scale);

			table[c * HX_TOKEN_LANES + t] = (uint8) Min(Max(product, 0), 255);
		}
	return table;
}

/* Make the tables of a chunk of tokens. */
static void
make_chunk(HxListQuery *query, const HxCodebooks *books, int chunk,
		   float *const products[HX_LEVELS], float most)
{
	int start = chunk * HX_TOKEN_LANES;
	int tokens = Min(query->tokens.count - start, HX_TOKEN_LANES);
	const int16_t *tables[HX_LEVELS];

	for (int level = 0; level < HX_LEVELS; level++)
	{
		int count = books->books[level].count;

		tables[level] = fill_table(level, count, tokens,
								   products[level] + (Size) start * count,
								   (float) (SUM_UNIT / query->unit));
	}
	query->tables[chunk] = (HxTokenTables){tables[0], tables[1], tables[2]};
	query->bytes[chunk] =
		fill_bytes(books->books[0].count, tokens,
				   products[0] + (Size) start * books->books[0].count,
				   most > 0 ? 255 / most : 0);
}

/* Products of all tokens with a codebook's centres; the greatest in *most */
static float *
multiply_all(const HxTokens *tokens, const HxCodebook *book, float *most)
{
	float *products = palloc_extended((Size) Max(tokens->count, 1) *
										  book->count * sizeof(float),
									  MCXT_ALLOC_HUGE);
	int16 *numbers = palloc(tokens->dims * sizeof(int16));
	int32 *scores = palloc(book->count * sizeof(int32));

	*most = 0;
	for (int t = 0; t < tokens->count; t++)
	{
		const float *token = tokens->floats + (Size) t * tokens->dims;
		float step = round_token(token, tokens->dims, numbers);
		float greatest = multiply(book, numbers, step, tokens->dims, scores,
								  products + (Size) t * book->count);

		*most = Max(*most, greatest);
	}
	pfree(numbers);
	pfree(scores);
	return products;
}

/* Compute the tables. */
static void
make_tables(HxListQuery *query, const HxCodebooks *books)
{
	int tokens = query->tokens.count;
	float *products[HX_LEVELS];
	float most[HX_LEVELS];
	double reach = 0;

	for (int level = 0; level < HX_LEVELS; level++)
	{
		products[level] =
			multiply_all(&query->tokens, &books->books[level], &most[level]);
		reach += most[level];
	}
	if (!isfinite(reach))
		return;
	query->chunks = Max((tokens + HX_TOKEN_LANES - 1) / HX_TOKEN_LANES, 1);
	query->unit = reach > 0 ? reach / MOST_SUM * SUM_UNIT : 1;
	query->rounding = query->unit * tokens / 2; /* each is rounded down */
	query->tables = palloc(query->chunks * sizeof(HxTokenTables));
	query->bytes = palloc(query->chunks * sizeof(const uint8 *));
	for (int chunk = 0; chunk < query->chunks; chunk++)
		make_chunk(query, books, chunk, products, most[0]);
	for (int level = 0; level < HX_LEVELS; level++)
		pfree(products[level]);
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

		length2 += HxTokenProduct(token, token, desc->dims);
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

/* Lists of a page from a row on */
static HxTokenLists
lists_of(const HxListArrays *arrays, int row, int count)
{
	const HxListHead *heads = arrays->heads + row;
	HxTokenLists lists = {arrays->marks,
						  (const uint8 *) &heads->end,
						  sizeof(HxListHead),
						  HxListEnd(arrays, row - 1),
						  count,
						  arrays->length};

	return lists;
}

void
HxScoreLists(const HxListQuery *query, const HxListArrays *arrays, int row,
			 int count, int32 *products)
{
	HxTokenLists lists = lists_of(arrays, row, count);

	if (count == 1)
		*products = 0;
	else
		memset(products, 0, count * sizeof(int32));
	for (int chunk = 0; chunk < query->chunks; chunk++)
		HxAddTokenSums(query->tables[chunk], &lists, products);
}

void
HxGlanceAtLists(const HxListQuery *query, const HxListArrays *arrays, int row,
				int count, int32 *glances)
{
	HxTokenLists lists = lists_of(arrays, row, count);

	memset(glances, 0, count * sizeof(int32));
	for (int chunk = 0; chunk < query->chunks; chunk++)
		HxAddTokenGlances(query->bytes[chunk], lists, glances);
}
