/*
 * pieces.c
 *	  Method pieces: what parts of sequences of ids come often enough to be one.
 *
 * Rows are integer[].  The model cuts a sequence into pieces, by merges of pairs
 * (bpe.c) or by probabilities (unigram.c): a table with a row for each piece then
 * knows what is frequent by itself, and what is rare by its parts.
 */
#include "postgres.h"

#include "encoder/model/segment.h"
#include "encoder/train/corpus.h"
#include "encoder/train/value.h"

#define DEFAULT_SIZE 4096
#define MOST_SIZE 4000000
#define DEFAULT_LONGEST 16

/* The first table: symbols by key */
static void
put_symbols(const HxCorpus *corpus, HxDraft *draft)
{
	uint32 *number = HxTrainAlloc(corpus->training, corpus->symbols,
								  sizeof(uint32), "symbols");

	for (uint32 i = 0; i < corpus->symbols; i++)
		number[i] = i + 1;
	draft->table[0] = (HxDraftTable){
		corpus->symbols, 1, 0, corpus->symbols + 1, corpus->key, number, NULL};
}

/* Learn pieces: the loss is the pieces that a sequence's id takes, by merges. */
static void
train_pieces(HxTraining *training, HxDraft *draft)
{
	static const char *const kinds[] = {"bpe", "unigram", NULL};
	const HxSpec *spec = &training->spec;
	int kind = HxSpecWord(spec, "pieces", kinds, HX_PIECES_BPE);
	bool places = HxSpecBoolean(spec, "places", true);
	HxCorpus corpus = {0};

	corpus.longest =
		(int) HxSpecInteger(spec, "longest", DEFAULT_LONGEST, 1, HX_MAX_PIECE);
	corpus.size =
		(uint32) HxSpecInteger(spec, "size", DEFAULT_SIZE, 2, MOST_SIZE);
	HxMakeCorpus(training, places, &corpus);
	if (corpus.symbols >= corpus.size)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value of \"size\" in the specification of training is "
						"%u, but there are %u different ids%s",
						corpus.size, corpus.symbols, places ? " by place" : ""),
				 errhint("It must be more, for pieces of several ids too.")));
	draft->family = HX_MAP;
	draft->method = HX_METHOD_PIECES;
	draft->output = HX_OUT_IDS;
	draft->rows = training->seen;
	draft->constants = HX_PIECES_CONSTANTS;
	draft->constant[HX_PIECES_KIND] = kind;
	draft->constant[HX_PIECES_PLACES] = places;
	draft->constant[HX_PIECES_LONGEST] = corpus.longest;
	put_symbols(&corpus, draft);
	if (kind == HX_PIECES_UNIGRAM)
		HxLearnUnigrams(&corpus, draft);
	else
		HxLearnMerges(&corpus, draft);
}

static const char *const pieces_keys[] = {"size", "pieces", "places", "longest",
										  NULL};

const HxMethod HxMethodPieces = {.id = HX_METHOD_PIECES,
								 .keys = pieces_keys,
								 .intake = &HxSequenceIntake,
								 .train = train_pieces};
