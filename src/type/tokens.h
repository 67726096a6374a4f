/*
 * tokens.h
 *	  Lists of tokens, several vectors that stand for one document or query, and
 *	  MaxSim: the sum, over the query's tokens, of the greatest inner product with
 *	  a token of the document.
 */
#ifndef HX_TOKENS_H
#define HX_TOKENS_H

#include "postgres.h"
#include "fmgr.h"
#include "utils/array.h"

#include "kernel/kernel.h"

/* How a column keeps its lists */
typedef enum HxTokenType
{
	HX_TOKENS_REAL,	  /* real[] of two dimensions: token, component */
	HX_TOKENS_CODED,  /* bincode[] */
	HX_TOKENS_VECTOR, /* vector[] of pgvector */
	HX_TOKENS_HALFVEC /* halfvec[] of pgvector */
} HxTokenType;

/* Tokens of a list at most; of an index's rows fewer (index/multi) */
#define HX_MOST_TOKENS 65535

/* A list, read and checked: floats, or codes one after the other */
typedef struct HxTokens
{
	int count;			 /* tokens */
	int dims;			 /* of each; 0 if there are none */
	int planes;			 /* bits a dimension of codes; 0: floats */
	const float *floats; /* count * dims, or NULL */
	const uint8 *codes;	 /* count * code_bytes, or NULL */
	size_t code_bytes;	 /* of all planes */
} HxTokens;

/*
 * Read a list.  `type` says what the column holds; an array of numbers, of two
 * dimensions, is read whatever it says: queries of codes are such.  The result
 * may point into `array`, or is palloc'd.  Errors: another number of dimensions,
 * tokens of different lengths, NULL, NaN, infinity, too many tokens.
 */
extern void HxReadTokens(HxTokenType type, ArrayType *array, HxTokens *tokens);

/* The same as floats: a level of a code becomes the number it stands for */
extern void HxTokensAsFloats(HxTokens *tokens);

/* Error, naming both, unless two lists have tokens of one length, or are empty. */
extern void HxCheckSameTokens(const HxTokens *document, const HxTokens *query);

/*
 * MaxSim of a document and a query of floats, in the order of their tokens: inner
 * products in float as kernels give them, summed in double.  NaN if the document
 * is empty.  `scratch` has room for the document's tokens.  Error if the sum is
 * out of range.  Checks for interrupts.
 */
extern double HxMaxSim(const HxTokens *document, const HxTokens *query,
					   float *scratch);

/* ---- kernels, for those who know no more of dense vectors ---- */

/* product[r] = inner product of a vector and row r, in float */
static inline void
HxTokenProducts(const float *x, size_t dims, HxFloatRows rows, float *product)
{
	hx_kernels->dense->inner(x, dims, rows, product);
}

/* Scores of rows of small numbers, see kernel/dense.h. */
static inline void
HxNumberScores(const int16 *query, size_t dims, const int8 *rows, size_t stride,
			   size_t count, int32 *score)
{
	hx_kernels->dense->number_scores(query, dims, rows, stride, count, score);
}

/* Inner product in double */
static inline double
HxTokenProduct(const float *a, const float *b, size_t dims)
{
	return hx_kernels->dense->product(a, b, dims);
}

/* See HxTokenTables. */
static inline void
HxAddTokenSums(HxTokenTables tables, const HxTokenLists *lists, int32_t *sum)
{
	hx_kernels->dense->token_sums(tables, lists, sum);
}

static inline void
HxAddTokenGlances(const uint8 *table, HxTokenLists lists, int32_t *glance)
{
	hx_kernels->dense->token_glances(table, lists, glance);
}

/* Which of 64 glances, or fewer, are so great, or not above 0? */
static inline uint64
HxGreatGlances(const int32 *glance, size_t count, int32 least)
{
	return hx_kernels->dense->great_glances(glance, count, least);
}

/* Are all of these numbers finite? */
extern bool HxAllFinite(const float *numbers, size_t count);

#endif /* HX_TOKENS_H */
