/*
 * lexicon.h
 *	  Models of method pvdbow: what they know of words.
 *
 * Pure C.  The first table has a row for each word, whose key is the word itself
 * where words are integers, or the hash of its text; the second has a row of the
 * projection for each bit, or none.
 */
#ifndef HX_LEXICON_H
#define HX_LEXICON_H

#include "encoder/map/paragraph.h"
#include "encoder/model/format.h"

/* Constants of the model */
#define HX_LEXICON_KIND 0  /* what words are: HxWordKind */
#define HX_LEXICON_LEAST 1 /* fewest known words of a document */
#define HX_LEXICON_REAL 2  /* numbers of r, or 0 */
#define HX_LEXICON_CONSTANTS 3

/* What words are */
typedef enum HxWordKind
{
	HX_WORDS_TEXT = 0, /* lexemes of a tsvector */
	HX_WORDS_INTEGER = 1
} HxWordKind;

/* The lexicon of a model of this method; -1 if its parts do not fit */
extern int hx_read_lexicon(const HxModel *model, HxLexicon *lexicon);

/*
 * The known ones of a document's words: keys by rising key, each once, and
 * counts, become terms; returns the number of terms, and of words in *words.
 */
extern size_t hx_find_terms(const HxModel *model, const int64_t *key,
							const uint32_t *count, size_t keys, HxTerm *term,
							uint64_t *words);

#endif /* HX_LEXICON_H */
