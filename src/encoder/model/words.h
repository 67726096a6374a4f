/*
 * words.h
 *	  Documents as words: tsvector, or integers.
 */
#ifndef HX_WORDS_H
#define HX_WORDS_H

#include "postgres.h"
#include "fmgr.h"
#include "utils/array.h"

#include "encoder/model/lexicon.h"
#include "encoder/model/model.h"
#include "type/bincode.h"

/* The words of a document: keys by rising key, each once */
typedef struct HxBag
{
	int keys;
	int64 *key;
	uint32 *count;
	uint64 words; /* sum of counts */
} HxBag;

/*
 * Read a document.  A lexeme counts as often as it has positions, at least once;
 * its key is a hash of its bytes in UTF-8.
 */
extern HxBag HxReadWords(HxWordKind kind, Datum value);

/* Kind of words of a type; false if it is no type of documents */
extern bool HxWordsOfType(Oid type, HxWordKind *kind);

/*
 * The code of a document, NULL if it has fewer known words than the model wants;
 * `type` is the value's
 */
extern Bincode *HxEncodeWords(const HxModel *model, Datum value, Oid type);

/* What the code is of: d, or r where the model has it; an array, or NULL */
extern ArrayType *HxProjectWords(const HxModel *model, Datum value, Oid type);

#endif /* HX_WORDS_H */
