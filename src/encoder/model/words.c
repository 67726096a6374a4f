/*
 * words.c
 *	  Documents as words, and their codes by a model of method pvdbow.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "tsearch/ts_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "encoder/map/slots.h"
#include "encoder/model/input.h"
#include "encoder/model/words.h"
#include "kernel/kernel.h"

/* A word of a document, to be sorted */
typedef struct Word
{
	int64 key;
	uint32 count;
} Word;

bool
HxWordsOfType(Oid type, HxWordKind *kind)
{
	*kind = type == TSVECTOROID ? HX_WORDS_TEXT : HX_WORDS_INTEGER;
	return type == TSVECTOROID || type == INT4ARRAYOID;
}

static int
compare_words(const void *a, const void *b)
{
	int64 x = ((const Word *) a)->key;
	int64 y = ((const Word *) b)->key;

	return (x > y) - (x < y);
}

/* Sort words, and add up equal ones. */
static HxBag
make_bag(Word *word, int count)
{
	HxBag bag = {0};

	bag.key = palloc(Max(count, 1) * sizeof(int64));
	bag.count = palloc(Max(count, 1) * sizeof(uint32));
	qsort(word, count, sizeof(Word), compare_words);
	for (int i = 0; i < count; i++)
	{
		if (bag.keys == 0 || bag.key[bag.keys - 1] != word[i].key)
		{
			bag.key[bag.keys] = word[i].key;
			bag.count[bag.keys++] = 0;
		}
		bag.count[bag.keys - 1] += word[i].count;
		bag.words += word[i].count;
	}
	return bag;
}

/* The lexemes of a tsvector */
static HxBag
read_lexemes(TSVector text)
{
	Word *word = palloc(Max(text->size, 1) * sizeof(Word));
	const WordEntry *entry = ARRPTR(text);

	for (int i = 0; i < text->size; i++)
	{
		int positions = entry[i].haspos ? POSDATALEN(text, &entry[i]) : 0;

		word[i].key =
			(int64) HxHashText(0, STRPTR(text) + entry[i].pos, entry[i].len);
		word[i].count = Max(positions, 1);
	}
	return make_bag(word, text->size);
}

/* The elements of an integer[] */
static HxBag
read_integers(ArrayType *array)
{
	int count;
	Word *word;
	Datum *elements;
	bool *nulls;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("array has %d dimensions, but a document has 1",
							   ARR_NDIM(array))));
	deconstruct_array(array, INT4OID, sizeof(int32), true, TYPALIGN_INT,
					  &elements, &nulls, &count);
	word = palloc(Max(count, 1) * sizeof(Word));
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("element %d of array is null, but a "
								   "document has no nulls",
								   i + 1)));
		word[i] = (Word){DatumGetInt32(elements[i]), 1};
	}
	return make_bag(word, count);
}

HxBag
HxReadWords(HxWordKind kind, Datum value)
{
	return kind == HX_WORDS_TEXT ? read_lexemes(DatumGetTSVector(value))
								 : read_integers(DatumGetArrayTypeP(value));
}

/* A value of an untyped literal or parameter, as the model's kind of document */
static Datum
parse_document(HxWordKind kind, Datum written)
{
	Oid function;
	Oid element;

	getTypeInputInfo(kind == HX_WORDS_TEXT ? TSVECTOROID : INT4ARRAYOID,
					 &function, &element);
	return OidInputFunctionCall(function, TextDatumGetCString(written), element,
								-1);
}

/* The document's words; error if it is of another kind than the model's */
static HxBag
enter_document(const HxModel *model, Datum value, Oid type)
{
	HxWordKind kind = hx_constant(model, HX_LEXICON_KIND) == HX_WORDS_TEXT
						  ? HX_WORDS_TEXT
						  : HX_WORDS_INTEGER;
	HxWordKind given;

	if (type == TEXTOID)
		return HxReadWords(kind, parse_document(kind, value));
	if (!HxWordsOfType(type, &given) || given != kind)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("encoder takes documents of type %s, not %s",
							   kind == HX_WORDS_TEXT ? "tsvector" : "integer[]",
							   format_type_be(type))));
	return HxReadWords(kind, value);
}

/* Fit a document: d and, if the model has it, r; false if it is too short */
static bool
fit_document(const HxModel *model, Datum value, Oid type, HxLexicon *lexicon,
			 double **d, double **r)
{
	HxBag bag;
	HxTerm *term;
	size_t terms;
	uint64 words;

	if (hx_read_lexicon(model, lexicon) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("encoder is damaged: its tables do not fit "
							   "each other")));
	bag = enter_document(model, value, type);
	term = palloc(Max(bag.keys, 1) * sizeof(HxTerm));
	terms = hx_find_terms(model, bag.key, bag.count, bag.keys, term, &words);
	if (terms == 0 || (int64) words < hx_constant(model, HX_LEXICON_LEAST))
		return false;
	CHECK_FOR_INTERRUPTS();
	*d = palloc(lexicon->bits * sizeof(double));
	*r = palloc((lexicon->real + 1) * sizeof(double));
	hx_fit_paragraph(lexicon, term, terms,
					 palloc(hx_paragraph_room(lexicon) * sizeof(double)), *d,
					 *r);
	return true;
}

Bincode *
HxEncodeWords(const HxModel *model, Datum value, Oid type)
{
	HxLexicon lexicon;
	Bincode *code;
	double *d;
	double *r;

	if (!fit_document(model, value, type, &lexicon, &d, &r))
		return NULL;
	code = HxNewBincode(lexicon.bits, 1);
	hx_kernels->steps->code(d, lexicon.bits, 1, code->data,
							HX_PLANE_BYTES(lexicon.bits));
	return code;
}

ArrayType *
HxProjectWords(const HxModel *model, Datum value, Oid type)
{
	HxLexicon lexicon;
	double *d;
	double *r;

	if (!fit_document(model, value, type, &lexicon, &d, &r))
		return NULL;
	return lexicon.real > 0 ? HxMakeReals(r, lexicon.real)
							: HxMakeReals(d, lexicon.bits);
}
