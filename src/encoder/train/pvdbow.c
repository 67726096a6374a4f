/*
 * pvdbow.c
 *	  Method pvdbow: codes of documents from their words (map/paragraph.h).
 *
 * A sample of the documents is kept, as numbers of words and counts.  Words that
 * few of these have are left out, and documents that are too short: a code of a
 * few words says little, which training warns of.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/model/words.h"
#include "encoder/train/aggregate.h"
#include "encoder/train/ids.h"
#include "encoder/train/rows.h"
#include "encoder/train/value.h"

#define DEFAULT_SAMPLE 20000
#define DEFAULT_ROUNDS 10
#define DEFAULT_BITS 32
#define DEFAULT_VOCABULARY 20000
#define DEFAULT_LEAST 10
#define DEFAULT_MIN_COUNT 2
#define MOST_VOCABULARY 1000000

/* Documents of fewer words on average get a warning: README, "Gates" */
#define FEW_WORDS 50

/* A document kept */
typedef struct Document
{
	int terms;
	HxTerm *term; /* numbers of words, in no order */
} Document;

/* Documents so far */
typedef struct Documents
{
	HxWordKind kind;
	int64 least;
	int capacity;
	int count;
	int room;
	Document *document;
	HxIds words;	 /* all words of all documents */
	uint64 complete; /* documents that are long enough */
	uint64 all;		 /* words of all documents */
} Documents;

static void
start_documents(HxTraining *training)
{
	const HxSpec *spec = &training->spec;
	Documents *documents =
		HxTrainAlloc(training, 1, sizeof(Documents), "documents");

	if (!HxWordsOfType(training->type[0], &documents->kind))
		HxRejectType(training, 0, "tsvector or integer[]");
	if (OidIsValid(training->type[1]))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("method \"%s\" has no use for y",
							   HxMethodName(training->method->id))));
	documents->least = HxSpecInteger(spec, "least", DEFAULT_LEAST, 1, 1000000);
	documents->capacity = spec->sample < 0 ? DEFAULT_SAMPLE : spec->sample;
	training->taken = documents;
}

/* Keep a document's terms at a place, instead of what was there. */
static void
put_document(HxTraining *training, Documents *documents, int place,
			 const HxBag *bag)
{
	Document *document = &documents->document[place];

	if (document->term != NULL)
	{
		training->used -= document->terms * sizeof(HxTerm);
		pfree(document->term);
	}
	document->terms = bag->keys;
	document->term =
		HxTrainAlloc(training, bag->keys, sizeof(HxTerm), "documents");
	for (int i = 0; i < bag->keys; i++)
		document->term[i] =
			(HxTerm){HxNumberId(training, &documents->words, bag->key[i]),
					 bag->count[i]};
}

/* The place of the document that has come, or -1 */
static int
choose_place(HxTraining *training, Documents *documents)
{
	uint64 place;

	if (documents->count < documents->capacity)
	{
		if (documents->count == documents->room)
		{
			int room = Min(Max(1024, documents->room * 2), documents->capacity);

			documents->document =
				HxTrainGrow(training, documents->document, documents->room,
							room, sizeof(Document), "documents");
			documents->room = room;
		}
		return documents->count++;
	}
	place = hx_random_below(&training->internal->random, documents->complete);
	return place < (uint64) documents->capacity ? (int) place : -1;
}

static void
take_document(HxTraining *training, const Datum *values)
{
	Documents *documents = training->taken;
	HxBag bag = HxReadWords(documents->kind, values[0]);
	int place;

	training->seen++;
	documents->all += bag.words;
	if ((int64) bag.words < documents->least)
		return;
	documents->complete++;
	place = choose_place(training, documents);
	if (place >= 0)
		put_document(training, documents, place, &bag);
}

/* A word, to be chosen */
typedef struct Frequent
{
	uint64 count;	/* in documents kept */
	uint32 kept_in; /* documents */
	uint32 number;
	int64 key;
} Frequent;

/* The more frequent first, then the lower key */
static int
compare_frequent(const void *a, const void *b)
{
	const Frequent *x = a;
	const Frequent *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return (x->key > y->key) - (x->key < y->key);
}

/* By key */
static int
compare_keys(const void *a, const void *b)
{
	int64 x = ((const Frequent *) a)->key;
	int64 y = ((const Frequent *) b)->key;

	return (x > y) - (x < y);
}

/*
 * The words that are learnt, by rising key; `now` gets the place of each number,
 * -1 of those left out.  Returns how many there are.
 */
static uint32
choose_words(HxTraining *training, Documents *documents, Frequent *word,
			 int32 *now)
{
	const HxSpec *spec = &training->spec;
	uint32 all = documents->words.count;
	uint32 most = (uint32) HxSpecInteger(spec, "vocabulary", DEFAULT_VOCABULARY,
										 1, MOST_VOCABULARY);
	uint32 min_count = (uint32) HxSpecInteger(
		spec, "min_count", DEFAULT_MIN_COUNT, 1, PG_INT32_MAX);
	uint32 chosen = 0;

	for (uint32 i = 0; i < all; i++)
	{
		word[i].number = i;
		word[i].key = documents->words.id[i];
		now[i] = -1;
	}
	for (int i = 0; i < documents->count; i++)
	{
		const Document *document = &documents->document[i];

		for (int t = 0; t < document->terms; t++)
		{
			word[document->term[t].word].count += document->term[t].count;
			word[document->term[t].word].kept_in++;
		}
	}
	for (uint32 i = 0; i < all; i++)
	{
		if (word[i].kept_in >= min_count)
			word[chosen++] = word[i];
	}
	qsort(word, chosen, sizeof(Frequent), compare_frequent);
	chosen = Min(chosen, most);
	qsort(word, chosen, sizeof(Frequent), compare_keys);
	for (uint32 i = 0; i < chosen; i++)
		now[word[i].number] = (int32) i;
	return chosen;
}

/* Documents one behind the other, of words that are learnt */
static HxDocuments
join_documents(HxTraining *training, const Documents *documents,
			   const int32 *now)
{
	size_t *start = HxTrainAlloc(training, (size_t) documents->count + 1,
								 sizeof(size_t), "documents");
	size_t all = 0;
	size_t at = 0;
	HxTerm *term;

	for (int i = 0; i < documents->count; i++)
		all += documents->document[i].terms;
	term = HxTrainAlloc(training, all, sizeof(HxTerm), "documents");
	for (int i = 0; i < documents->count; i++)
	{
		const Document *document = &documents->document[i];

		start[i] = at;
		for (int t = 0; t < document->terms; t++)
		{
			int32 number = now[document->term[t].word];

			if (number >= 0)
				term[at++] =
					(HxTerm){(uint32_t) number, document->term[t].count};
		}
	}
	start[documents->count] = at;
	return (HxDocuments){documents->count, start, term};
}

/* Shares of noise: counts to the power of 3/4 */
static void
set_noise(float *row, const Frequent *word, uint32 words, int columns)
{
	double sum = 0.0;

	for (uint32 w = 0; w < words; w++)
		sum += pow((double) word[w].count, 0.75);
	for (uint32 w = 0; w < words; w++)
		row[(size_t) w * columns] =
			(float) (pow((double) word[w].count, 0.75) / sum);
}

/* Refuse or warn where documents are too short. */
static void
check_lengths(const HxTraining *training, const Documents *documents)
{
	double mean = (double) documents->all / (double) training->seen;

	if (documents->count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("no document of " UINT64_FORMAT
						" has \"least\" words, which is " INT64_FORMAT,
						training->seen, documents->least),
				 errhint("Codes of a few words say little of what they mean: "
						 "use embeddings.")));
	if (mean < FEW_WORDS)
		ereport(WARNING,
				(errmsg("documents have %.1f words on average, codes by method "
						"\"%s\" need about %d",
						mean, HxMethodName(training->method->id), FEW_WORDS),
				 errhint("Embeddings with method \"pca\" find more.")));
}

/* The tables of the model; the words are those of `word`. */
static void
draft_lexicon(HxTraining *training, HxDraft *draft, const Frequent *word,
			  uint32 words, int real, float *row, float *projection)
{
	int bits = draft->dims;
	int64 *key = HxTrainAlloc(training, words, sizeof(int64), "words");
	int64 *bit = HxTrainAlloc(training, bits, sizeof(int64), "words");

	for (uint32 w = 0; w < words; w++)
		key[w] = word[w].key;
	for (int i = 0; i < bits; i++)
		bit[i] = i;
	draft->tables = 2;
	draft->table[0].rows = words;
	draft->table[0].floats = hx_lexicon_columns(bits, real);
	draft->table[0].key = key;
	draft->table[0].weight = row;
	draft->table[1].rows = real > 0 ? bits : 0;
	draft->table[1].floats = Max(real, 1);
	draft->table[1].key = bit;
	draft->table[1].weight = projection;
}

static void
train_pvdbow(HxTraining *training, HxDraft *draft)
{
	const HxSpec *spec = &training->spec;
	Documents *documents = training->taken;
	int bits = spec->has_dims ? spec->dims : DEFAULT_BITS;
	int real = (int) HxSpecInteger(spec, "real", 0, 0, HX_MAX_PARAGRAPH);
	int rounds = spec->iterations < 0 ? DEFAULT_ROUNDS : spec->iterations;
	uint32 all = documents->words.count;
	Frequent *word;
	int32 *now;
	uint32 words;
	HxDocuments joined;
	float *row;
	float *projection;

	if (bits > HX_MAX_PARAGRAPH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("codes of documents cannot have %d bits, the limit is "
						"%d",
						bits, HX_MAX_PARAGRAPH)));
	check_lengths(training, documents);
	word = HxTrainAlloc(training, all, sizeof(Frequent), "words");
	now = HxTrainAlloc(training, all, sizeof(int32), "words");
	words = choose_words(training, documents, word, now);
	HxRequireRows(training, (int) words, 2,
				  "words that several documents have");
	joined = join_documents(training, documents, now);
	row = HxTrainAlloc(training, words,
					   hx_lexicon_columns(bits, real) * sizeof(float), "words");
	projection = HxTrainAlloc(training, (size_t) bits * real, sizeof(float),
							  "the projection");
	HxTrainReserve(training,
				   (double) documents->count * Max(bits, real) * sizeof(float) +
					   (double) words * 16 * sizeof(uint32),
				   "vectors of documents");
	set_noise(row, word, words, hx_lexicon_columns(bits, real));
	HxStartMap(training, draft, bits);
	draft->output = HX_OUT_CODE;
	draft->bits = 1;
	draft->loss = hx_train_paragraphs(&joined, words, bits, real, rounds,
									  (uint64) spec->seed, row, projection);
	draft->constants = HX_LEXICON_CONSTANTS;
	draft->constant[HX_LEXICON_KIND] = documents->kind;
	draft->constant[HX_LEXICON_LEAST] = documents->least;
	draft->constant[HX_LEXICON_REAL] = real;
	draft_lexicon(training, draft, word, words, real, row, projection);
}

static const char *const pvdbow_keys[] = {"bits",		"real",		  "seed",
										  "sample",		"iterations", "least",
										  "vocabulary", "min_count",  NULL};

static const HxIntake pvdbow_intake = {start_documents, take_document};

const HxMethod HxMethodPvdbow = {.id = HX_METHOD_PVDBOW,
								 .keys = pvdbow_keys,
								 .needs_rows = true,
								 .intake = &pvdbow_intake,
								 .train = train_pvdbow};
