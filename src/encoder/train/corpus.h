/*
 * corpus.h
 *	  Sequences of ids to learn pieces from, and a table of pairs.
 */
#ifndef HX_CORPUS_H
#define HX_CORPUS_H

#include "encoder/train/method.h"

/* Distinct sequences of symbols, in order, and how often each came */
typedef struct HxCorpus
{
	HxTraining *training;
	uint32 symbols; /* symbols are 1 to this */
	int64 *key;		/* of symbol i + 1, rising */
	int count;		/* sequences */
	size_t *start;	/* of each among the symbols; one more, the end */
	uint32 *symbol; /* of all sequences, one after the other */
	int64 *weight;	/* how often a sequence came */
	int longest;	/* ids of a piece, at most */
	uint32 size;	/* pieces, piece 0 included */
} HxCorpus;

/* An entry of a table of pairs */
typedef struct HxPair
{
	int64 key;
	int64 count;
	int32 last;	 /* the caller's; -1 in a new entry */
	int32 stamp; /* the caller's; -1 in a new entry */
} HxPair;

/* A table of pairs by key: entries in the order of their coming */
typedef struct HxPairs
{
	HxTraining *training;
	HxPair *entry;
	size_t count;
	size_t room;
	uint32 *bucket; /* entry + 1, 0 where empty */
	size_t buckets; /* a power of two */
} HxPairs;

/* Symbols and distinct sequences of what was taken in */
extern void HxMakeCorpus(HxTraining *training, bool places, HxCorpus *corpus);

/* Begin an empty table */
extern void HxStartPairs(HxTraining *training, HxPairs *pairs);

/* The entry of a key, made if there is none */
extern size_t HxAddPair(HxPairs *pairs, int64 key);

/* The entry of a key, or -1 */
extern int64 HxFindPair(const HxPairs *pairs, int64 key);

/* Learn pieces: the second table of the draft (bpe.c, unigram.c) */
extern void HxLearnMerges(HxCorpus *corpus, HxDraft *draft);
extern void HxLearnUnigrams(HxCorpus *corpus, HxDraft *draft);

/* The draft's second table from `count` entries; `number` has two a row */
extern void HxPutPieces(HxCorpus *corpus, HxDraft *draft, size_t count,
						const int64 *key, const uint32 *number,
						const float *weight, uint32 limit);

/* What HxIntake's row appends to */
extern const HxIntake HxSequenceIntake;

#endif /* HX_CORPUS_H */
