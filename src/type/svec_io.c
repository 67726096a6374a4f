/*
 * svec_io.c
 *	  Type svec: text and binary input and output.
 *
 * Text is {index:weight,...}/dimensions, indices counted from 1 and in any
 * order on input.  The binary form is three 32-bit integers - dimensions,
 * number of weights, 0 - then the indices counted from 0, then the weights.
 */
#include "postgres.h"

#include <errno.h>
#include <math.h>

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "compat.h"
#include "type/svec.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_in);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_out);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_recv);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_send);

/* How many bytes of a bad literal an error message shows */
#define QUOTED_BYTES 60

/* Where a reader of text input stands */
typedef struct Reader
{
	const char *input;		/* the whole literal */
	const char *at;			/* next character */
	HxSvecPair *pairs;		/* elements read */
	int count;				/* number of them */
	int room;				/* elements allocated */
	struct Node *escontext; /* takes soft errors */
} Reader;

/* The beginning of a text, for an error message */
static char *
quote_start(const char *text)
{
	int length = strlen(text);

	if (length <= QUOTED_BYTES)
		return pstrdup(text);
	return psprintf("%.*s...", pg_mbcliplen(text, length, QUOTED_BYTES), text);
}

/* Move past white space. */
static void
skip_space(Reader *r)
{
	while (*r->at == ' ' || (*r->at >= '\t' && *r->at <= '\r'))
		r->at++;
}

/* Report bad syntax at the reader's place; false, where errors are soft. */
static bool
fail_syntax(Reader *r, const char *expected)
{
	if (*r->at == '\0')
		ereturn(r->escontext, false,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type svec: \"%s\"",
						quote_start(r->input)),
				 errdetail("Expected %s at the end of input.", expected)));
	ereturn(
		r->escontext, false,
		(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
		 errmsg("invalid input syntax for type svec: \"%s\"",
				quote_start(r->input)),
		 errdetail("Expected %s at \"%s\".", expected, quote_start(r->at))));
}

/* Consume one character, with white space around it. */
static bool
read_char(Reader *r, char c)
{
	char expected[] = {'"', c, '"', '\0'};

	skip_space(r);
	if (*r->at != c)
		return fail_syntax(r, expected);
	r->at++;
	skip_space(r);
	return true;
}

/* Read an integer. */
static bool
read_integer(Reader *r, int64 *value, const char *expected)
{
	char *end;

	if (*r->at != '-' && *r->at != '+' && (*r->at < '0' || *r->at > '9'))
		return fail_syntax(r, expected);
	errno = 0;
	*value = strtoll(r->at, &end, 10);
	if (end == r->at)
		return fail_syntax(r, expected);
	if (errno == ERANGE)
		ereturn(r->escontext, false,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("\"%s\" is out of range for %s of a svec",
						quote_start(pnstrdup(r->at, end - r->at)), expected)));
	r->at = end;
	return true;
}

/* Read a weight; it must be finite, and zero only if it is written so. */
static bool
read_weight(Reader *r, int64 id, float *weight)
{
	char *end;

	errno = 0;
	*weight = strtof(r->at, &end);
	if (end == r->at)
		return fail_syntax(r, "a weight");
	if (errno == ERANGE && (*weight == 0 || isinf(*weight)))
		ereturn(r->escontext, false,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("weight \"%s\" at index %lld is out of range for type "
						"real",
						quote_start(pnstrdup(r->at, end - r->at)),
						(long long) id)));
	r->at = end;
	return HxCheckSvecWeight(*weight, id, r->escontext);
}

/* Room for one more element?  Else an error. */
static bool
grow_pairs(Reader *r)
{
	if (r->count == HX_MAX_SPARSE_NNZ)
		ereturn(r->escontext, false,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("svec has more than %d elements: \"%s\"",
						HX_MAX_SPARSE_NNZ, quote_start(r->input))));
	if (r->count == r->room)
	{
		r->room *= 2;
		r->pairs = repalloc(r->pairs, r->room * sizeof(HxSvecPair));
	}
	return true;
}

/* Read index:weight. */
static bool
read_pair(Reader *r)
{
	HxSvecPair *pair;

	if (!grow_pairs(r))
		return false;
	pair = &r->pairs[r->count++];
	return read_integer(r, &pair->id, "an index") && read_char(r, ':') &&
		   read_weight(r, pair->id, &pair->weight);
}

/* Read {index:weight,...}. */
static bool
read_pairs(Reader *r)
{
	if (!read_char(r, '{'))
		return false;
	if (*r->at == '}')
		return read_char(r, '}');
	for (;;)
	{
		if (!read_pair(r))
			return false;
		skip_space(r);
		if (*r->at == '}')
			return read_char(r, '}');
		if (*r->at != ',')
			return fail_syntax(r, "\",\" or \"}\"");
		if (!read_char(r, ','))
			return false;
	}
}

/* Read the whole literal. */
static bool
read_svec(Reader *r, int64 *dims)
{
	if (!read_pairs(r) || !read_char(r, '/') ||
		!read_integer(r, dims, "the number of dimensions"))
		return false;
	skip_space(r);
	if (*r->at != '\0')
		return fail_syntax(r, "nothing more");
	return true;
}

/* Text input */
Datum
hx_svec_in(PG_FUNCTION_ARGS)
{
	char *input = PG_GETARG_CSTRING(0);
	int32 typmod = PG_GETARG_INT32(2);
	Reader r = {.input = input,
				.at = input,
				.room = 64,
				.escontext = HX_ESCONTEXT(fcinfo)};
	int64 dims;
	HxSvec *v;

	r.pairs = palloc(r.room * sizeof(HxSvecPair));
	if (!read_svec(&r, &dims))
		PG_RETURN_NULL();
	v = HxSvecFromPairs(dims, r.pairs, r.count, r.escontext);
	if (v == NULL || !HxCheckSvecTypmod(v->dims, typmod, r.escontext))
		PG_RETURN_NULL();
	pfree(r.pairs);
	PG_RETURN_POINTER(v);
}

/* Text output, weights by their shortest exact decimals */
Datum
hx_svec_out(PG_FUNCTION_ARGS)
{
	HxSvec *v = PG_GETARG_SVEC_P(0);
	const float *weights = HxSvecWeights(v);
	/* index, with a sign if it is damaged, weight, colon and comma; braces,
	 * slash, dimensions */
	Size element = 11 + FLOAT_SHORTEST_DECIMAL_LEN + 2;
	char *result = palloc(v->nnz * element + 3 + 10 + 1);
	char *at = result;

	*at++ = '{';
	for (int i = 0; i < v->nnz; i++)
	{
		if (i > 0)
			*at++ = ',';
		at += pg_ltoa(v->indices[i] + 1, at);
		*at++ = ':';
		at += float_to_shortest_decimal_bufn(weights[i], at);
	}
	*at++ = '}';
	*at++ = '/';
	at += pg_ltoa(v->dims, at);
	*at = '\0';
	PG_RETURN_CSTRING(result);
}

/* Read the indices of the binary form: ascending and within the dimensions. */
static void
receive_indices(StringInfo message, HxSvec *v)
{
	int32 last = -1;

	for (int i = 0; i < v->nnz; i++)
	{
		int32 index = (int32) pq_getmsgint(message, 4);

		if (index < 0 || index >= v->dims)
			ereport(
				ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("binary svec index %d is out of range", index),
				 errdetail("Binary indices are from 0 to %d.", v->dims - 1)));
		if (index <= last)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("binary svec index %d follows %d", index, last),
					 errdetail("Indices must ascend, each once.")));
		v->indices[i] = last = index;
	}
}

/* Binary input */
Datum
hx_svec_recv(PG_FUNCTION_ARGS)
{
	StringInfo message = (StringInfo) PG_GETARG_POINTER(0);
	int32 typmod = PG_GETARG_INT32(2);
	int32 dims = (int32) pq_getmsgint(message, 4);
	int32 nnz = (int32) pq_getmsgint(message, 4);
	int32 unused = (int32) pq_getmsgint(message, 4);
	HxSvec *v;

	HxCheckSvecDims(dims, NULL);
	if (nnz < 0 || nnz > HX_MAX_SPARSE_NNZ || nnz > dims)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("binary svec of %d dimensions cannot have %d weights",
						dims, nnz),
				 errdetail("The number of weights is from 0 to %d.",
						   Min(dims, HX_MAX_SPARSE_NNZ))));
	if (unused != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("third integer of a binary svec is %d, not 0",
							   unused)));
	HxCheckSvecTypmod(dims, typmod, NULL);

	v = HxNewSvec(dims, nnz);
	receive_indices(message, v);
	for (int i = 0; i < nnz; i++)
	{
		float weight = pq_getmsgfloat4(message);

		HxCheckSvecWeight(weight, (int64) v->indices[i] + 1, NULL);
		if (weight == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
							errmsg("binary svec has a zero weight at index %d",
								   v->indices[i]),
							errdetail("Zero weights are left out.")));
		HxSvecWeights(v)[i] = weight;
	}
	PG_RETURN_POINTER(v);
}

/* Binary output */
Datum
hx_svec_send(PG_FUNCTION_ARGS)
{
	HxSvec *v = PG_GETARG_SVEC_P(0);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendint32(&message, v->dims);
	pq_sendint32(&message, v->nnz);
	pq_sendint32(&message, 0);
	for (int i = 0; i < v->nnz; i++)
		pq_sendint32(&message, v->indices[i]);
	for (int i = 0; i < v->nnz; i++)
		pq_sendfloat4(&message, HxSvecWeights(v)[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}
