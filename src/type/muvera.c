/*
 * muvera.c
 *	  Fixed dimensional encodings of lists of tokens (MUVERA, Dhulipala et al.
 *	  2024): one vector for a list, so that the inner product of a query's with a
 *	  document's is near MaxSim.
 *
 * Each repetition cuts the space by random planes into cells.  A cell's part of
 * the encoding is the sum of a query's tokens in it, or the mean of a document's;
 * of a cell without one, the document's token that lies behind the fewest planes
 * from it.  Tokens may be projected on fewer dimensions, and the whole encoding
 * at the end, each number added to a random place with a random sign.  Cells are
 * numbered by the Gray code of the sides of planes, as in Google's program:
 * cell c has the sides c ^ (c >> 1).
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "compat.h"
#include "kernel/kernel.h"
#include "random.h"
#include "type/tokens.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_muvera_encode);

/* Numbers of an encoding at most, before the final projection and after */
#define MOST_NUMBERS (1 << 22)

/* What an encoding is like */
typedef struct Spec
{
	int repetitions;
	int planes;		/* that cut the space; 2^planes cells */
	int projection; /* dimensions that tokens are projected on; 0: their own */
	int final;		/* dimensions of the whole; 0: as they come */
	int seed;
	bool fill; /* cells without a token of the document */
} Spec;

/* ---- the specification ---- */

/* The keys, their defaults and greatest values */
typedef struct Key
{
	const char *name;
	size_t offset;
	int low;
	int high;
} Key;

static const Key keys[] = {
	{"repetitions", offsetof(Spec, repetitions), 1, 1024},
	{"planes", offsetof(Spec, planes), 0, 16},
	{"projection", offsetof(Spec, projection), 0, 16000},
	{"final", offsetof(Spec, final), 0, 16000},
	{"seed", offsetof(Spec, seed), 0, PG_INT32_MAX},
};

/* Error: the value of a key is none that it may have. */
pg_noreturn static void
reject_value(const char *name, const char *expected)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" of an encoding is not %s", name, expected)));
}

/* Set a number of the specification. */
static void
set_number(Spec *spec, const Key *key, const JsonbValue *value)
{
	char *expected =
		psprintf("a whole number from %d to %d", key->low, key->high);
	double number;

	if (value->type != jbvNumeric)
		reject_value(key->name, expected);
	number = DatumGetFloat8(DirectFunctionCall1(
		numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	if (!(number >= key->low && number <= key->high) || number != rint(number))
		reject_value(key->name, expected);
	*(int *) ((char *) spec + key->offset) = (int) number;
}

/* Take note of a key and its value; error if there is no such key. */
static void
set_key(Spec *spec, const char *name, const JsonbValue *value)
{
	for (int i = 0; i < lengthof(keys); i++)
		if (strcmp(name, keys[i].name) == 0)
		{
			set_number(spec, &keys[i], value);
			return;
		}
	if (strcmp(name, "fill") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" of an encoding is unknown", name),
				 errhint("There are \"repetitions\", \"planes\", "
						 "\"projection\", \"final\", \"seed\" and \"fill\".")));
	if (value->type != jbvBool)
		reject_value(name, "true or false");
	spec->fill = value->val.boolean;
}

/* Read a specification; what it does not say has the default. */
static Spec
read_spec(Jsonb *jsonb)
{
	Spec spec = {.repetitions = 20,
				 .planes = 4,
				 .projection = 8,
				 .seed = 42,
				 .fill = true};
	JsonbIterator *iterator = JsonbIteratorInit(&jsonb->root);
	JsonbIteratorToken token;
	JsonbValue value;
	char *name = NULL;

	if (!JB_ROOT_IS_OBJECT(jsonb))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("specification of an encoding is no object"),
						errhint("Write it like {\"repetitions\": 20, "
								"\"planes\": 4}.")));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			set_key(&spec, name, &value);
	}
	return spec;
}

/* Is it a document that is encoded, or a query?  Error if it is neither. */
static bool
is_document(const char *what)
{
	if (strcmp(what, "document") == 0)
		return true;
	if (strcmp(what, "query") == 0)
		return false;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" is neither 'document' nor 'query'", what),
					errhint("The two are encoded in different ways.")));
}

/* ---- one repetition ---- */

/* Where numbers go in a projection, each with a sign */
typedef struct Places
{
	int count; /* numbers */
	int32 *at;
	int8 *sign;
} Places;

static Places
draw_places(HxRandom *random, int count, int room)
{
	Places places = {count, palloc(Max(count, 1) * sizeof(int32)),
					 palloc(Max(count, 1))};

	for (int i = 0; i < count; i++)
	{
		places.at[i] = (int32) hx_random_below(random, room);
		places.sign[i] = hx_random_bits(random) >> 63 ? 1 : -1;
	}
	return places;
}

/* Random numbers of one repetition, and what tokens become by them */
typedef struct Repetition
{
	const Spec *spec;
	const HxTokens *tokens;
	int dims;	   /* of a cell's part */
	uint32 *sides; /* of each token: its bits, the first plane's highest */
	float *parts;  /* of each token: its projection */
} Repetition;

/* Find on which sides of random planes the tokens are. */
static void
find_sides(Repetition *repetition, HxRandom *random)
{
	const HxTokens *tokens = repetition->tokens;
	float *plane = palloc(tokens->dims * sizeof(float));
	float *products = palloc(tokens->count * sizeof(float));
	HxFloatRows rows = {tokens->floats, tokens->dims, tokens->count};

	memset(repetition->sides, 0, tokens->count * sizeof(uint32));
	for (int p = 0; p < repetition->spec->planes; p++)
	{
		for (int i = 0; i < tokens->dims; i++)
			plane[i] = (float) hx_random_normal(random);
		hx_kernels->dense->inner(plane, tokens->dims, rows, products);
		for (int t = 0; t < tokens->count; t++)
			repetition->sides[t] =
				repetition->sides[t] << 1 | (products[t] > 0);
	}
	pfree(plane);
	pfree(products);
}

/* Project the tokens; or leave them as they are. */
static void
project_tokens(Repetition *repetition, HxRandom *random)
{
	const HxTokens *tokens = repetition->tokens;
	Places places;

	if (repetition->spec->projection == 0)
	{
		memcpy(repetition->parts, tokens->floats,
			   (Size) tokens->count * tokens->dims * sizeof(float));
		return;
	}
	places = draw_places(random, tokens->dims, repetition->dims);
	memset(repetition->parts, 0,
		   (Size) tokens->count * repetition->dims * sizeof(float));
	for (int t = 0; t < tokens->count; t++)
		for (int i = 0; i < tokens->dims; i++)
			repetition->parts[(Size) t * repetition->dims + places.at[i]] +=
				places.sign[i] * tokens->floats[(Size) t * tokens->dims + i];
}

/* The cell of a token's sides: that number whose Gray code they are */
static uint32
cell_of(uint32 sides)
{
	for (int shift = 1; shift < 32; shift *= 2)
		sides ^= sides >> shift;
	return sides;
}

/* The token that lies behind the fewest planes from a cell; the first of them */
static int
nearest_token(const Repetition *repetition, uint32 cell)
{
	uint32 sides = cell ^ (cell >> 1);
	int best = 0;
	int least = 33;

	for (int t = 0; t < repetition->tokens->count; t++)
	{
		int planes = pg_popcount32(repetition->sides[t] ^ sides);

		if (planes < least)
		{
			least = planes;
			best = t;
		}
	}
	return best;
}

/* Add a token's part to a cell's. */
static void
add_part(const Repetition *repetition, int token, float *cell)
{
	const float *part = repetition->parts + (Size) token * repetition->dims;

	for (int i = 0; i < repetition->dims; i++)
		cell[i] += part[i];
}

/* Write the parts of all cells, which are zeros before. */
static void
fill_cells(const Repetition *repetition, bool document, float *cells)
{
	uint32 ncells = (uint32) 1 << repetition->spec->planes;
	int *counts = palloc0(ncells * sizeof(int));

	for (int t = 0; t < repetition->tokens->count; t++)
	{
		uint32 cell = cell_of(repetition->sides[t]);

		Assert(cell < ncells);
		add_part(repetition, t, cells + (Size) cell * repetition->dims);
		counts[cell]++;
	}
	for (uint32 c = 0; document && c < ncells; c++)
	{
		float *cell = cells + (Size) c * repetition->dims;

		CHECK_FOR_INTERRUPTS();
		if (counts[c] == 0 && repetition->spec->fill)
			add_part(repetition, nearest_token(repetition, c), cell);
		for (int i = 0; i < repetition->dims && counts[c] > 1; i++)
			cell[i] /= counts[c];
	}
	pfree(counts);
}

/* ---- the whole ---- */

/* Project an encoding, if the specification says so; *count becomes its length. */
static float *
project_finally(const Spec *spec, float *encoding, int *count)
{
	HxRandom random;
	Places places;
	float *projected;

	if (spec->final == 0)
		return encoding;
	hx_seed_random(&random, (uint64) spec->seed);
	places = draw_places(&random, *count, spec->final);
	projected = palloc0(spec->final * sizeof(float));
	for (int i = 0; i < *count; i++)
		projected[places.at[i]] += places.sign[i] * encoding[i];
	*count = spec->final;
	return projected;
}

/* Numbers of an encoding before its final projection; error if they are many */
static int
count_numbers(const Spec *spec, int dims)
{
	double numbers = (double) spec->repetitions * (1 << spec->planes) * dims;

	if (numbers > MOST_NUMBERS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("encoding of %.0f numbers, more than %d", numbers,
						MOST_NUMBERS),
				 errdetail("It has repetitions * 2^planes * projection numbers "
						   "before its final projection.")));
	return (int) numbers;
}

/* Encode a list that is not empty; *count becomes the encoding's length. */
static float *
encode(const Spec *spec, const HxTokens *tokens, bool document, int *count)
{
	Repetition repetition = {.spec = spec, .tokens = tokens};
	int each;
	float *encoding;

	repetition.dims = spec->projection > 0 ? spec->projection : tokens->dims;
	*count = count_numbers(spec, repetition.dims);
	each = *count / spec->repetitions;
	encoding = palloc0(*count * sizeof(float));
	repetition.sides = palloc(tokens->count * sizeof(uint32));
	repetition.parts =
		palloc_extended((Size) tokens->count * repetition.dims * sizeof(float),
						MCXT_ALLOC_HUGE);
	for (int r = 0; r < spec->repetitions; r++)
	{
		HxRandom random;

		CHECK_FOR_INTERRUPTS();
		hx_seed_random(&random, (uint64) spec->seed + r);
		find_sides(&repetition, &random);
		project_tokens(&repetition, &random);
		fill_cells(&repetition, document, encoding + (Size) r * each);
	}
	return project_finally(spec, encoding, count);
}

/* muvera_encode(tokens, what, spec): NULL of an empty list */
Datum
hx_muvera_encode(PG_FUNCTION_ARGS)
{
	bool document = is_document(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	Spec spec = read_spec(PG_GETARG_JSONB_P(2));
	HxTokens tokens;
	float *encoding;
	Datum *elements;
	int count;

	HxReadTokens(HX_TOKENS_REAL, PG_GETARG_ARRAYTYPE_P(0), &tokens);
	if (tokens.count == 0)
		PG_RETURN_NULL();
	encoding = encode(&spec, &tokens, document, &count);
	elements = palloc(count * sizeof(Datum));
	for (int i = 0; i < count; i++)
		elements[i] = Float4GetDatum(encoding[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, count, FLOAT4OID,
										  sizeof(float4), true, TYPALIGN_INT));
}
