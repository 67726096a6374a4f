/*
 * maxsim.c
 *	  maxsim(document, query) and the operator @#, which is its negative.
 *
 * Neither commutes.  A query that is the same in each call is read once.
 */
#include "postgres.h"

#include "type/distance.h"
#include "type/tokens.h"

/* What a call site's query was last, with its tokens */
typedef struct TokensCache
{
	ArrayType *array; /* copy */
	HxTokens query;	  /* of floats */
	bool valid;
} TokensCache;

/* Read a query as floats. */
static void
read_query(HxTokenType type, ArrayType *array, HxTokens *query)
{
	HxReadTokens(type, array, query);
	HxTokensAsFloats(query);
}

/*
 * The query of a call, kept for the next one if it is a constant or parameter.
 * The array is compared, because PL/pgSQL evaluates one call site with changing
 * parameters.
 */
static const HxTokens *
query_argument(FunctionCallInfo fcinfo, HxTokenType type, HxTokens *room)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(1);
	TokensCache *cache = fcinfo->flinfo->fn_extra;
	MemoryContext caller;

	if (cache && cache->valid && VARSIZE(cache->array) == VARSIZE(array) &&
		memcmp(cache->array, array, VARSIZE(array)) == 0)
		return &cache->query;
	if (cache || !get_fn_expr_arg_stable(fcinfo->flinfo, 1))
	{
		read_query(type, array, room);
		return room;
	}
	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	cache = palloc0(sizeof(TokensCache));
	cache->array = palloc(VARSIZE(array));
	memcpy(cache->array, array, VARSIZE(array));
	read_query(type, cache->array, &cache->query);
	cache->valid = true;
	fcinfo->flinfo->fn_extra = cache;
	MemoryContextSwitchTo(caller);
	return &cache->query;
}

/* MaxSim of the two arguments */
static double
maxsim_arguments(FunctionCallInfo fcinfo, HxTokenType type)
{
	HxTokens document;
	HxTokens room;
	const HxTokens *query = query_argument(fcinfo, type, &room);
	float *scratch;

	HxReadTokens(type, PG_GETARG_ARRAYTYPE_P(0), &document);
	HxCheckSameTokens(&document, query);
	scratch = palloc(Max(document.count, 1) * sizeof(float));
	return HxMaxSim(&document, query, scratch);
}

/* Define the two functions for a type of lists. */
#define MAXSIM_FUNCTIONS(name, type)                                         \
	PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_maxsim_##name);                       \
	Datum hx_maxsim_##name(PG_FUNCTION_ARGS)                                 \
	{                                                                        \
		PG_RETURN_FLOAT8(maxsim_arguments(fcinfo, type));                    \
	}                                                                        \
	PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_maxsim_negative_##name);              \
	Datum hx_maxsim_negative_##name(PG_FUNCTION_ARGS)                        \
	{                                                                        \
		PG_RETURN_FLOAT8(HxNegativeProduct(maxsim_arguments(fcinfo, type))); \
	}                                                                        \
	extern int hx_swallow_semicolon

MAXSIM_FUNCTIONS(real, HX_TOKENS_REAL);
MAXSIM_FUNCTIONS(code, HX_TOKENS_CODE);
MAXSIM_FUNCTIONS(vector, HX_TOKENS_VECTOR);
MAXSIM_FUNCTIONS(halfvec, HX_TOKENS_HALFVEC);
