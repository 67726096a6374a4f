/*
 * paragraph.h
 *	  Codes of documents from their words, after binary paragraph vectors
 *	  (Grzegorczyk and Kurdziel 2017).
 *
 * Pure C over matrix.h's host.  A document has a vector d, whose signs h, -1 or
 * 1, are its code and predict its words: word w is told from noise by the sign of
 * u_w . h + c_w.  Training fits vectors of documents and words together, by
 * samples of noise; a new document's vector is fitted with the words as they are.
 *
 * With `real` numbers beside, a document has a vector r instead, words are
 * predicted by v_w . r + e_w, too, and d = P r: the code finds, r ranks
 * (real-binary paragraph vectors).
 *
 * Fitting a new document computes in double, in a fixed order, of single IEEE
 * operations: every machine gives it the same code.
 */
#ifndef HX_PARAGRAPH_H
#define HX_PARAGRAPH_H

#include <stddef.h>
#include <stdint.h>

/* Words drawn as noise for each word of a document */
#define HX_NOISE_WORDS 5

/* Numbers of a document's vectors, at most */
#define HX_MAX_PARAGRAPH 1024

/*
 * What is known of words: `columns` floats for each.  Its share of noise, c_w,
 * then u_w, then, if there are real numbers, e_w and v_w.
 */
typedef struct HxLexicon
{
	uint32_t words;
	int bits;
	int real;				 /* numbers of r, or 0 */
	const float *word;		 /* words x hx_lexicon_columns */
	const float *projection; /* P: bits x real; or NULL */
} HxLexicon;

static inline int
hx_lexicon_columns(int bits, int real)
{
	return 2 + bits + (real > 0 ? 1 + real : 0);
}

/* A word of a document, and how often it is there */
typedef struct HxTerm
{
	uint32_t word;
	uint32_t count;
} HxTerm;

/* Documents to train on, one behind the other */
typedef struct HxDocuments
{
	size_t count;
	const size_t *start; /* count + 1: where the terms of each begin */
	const HxTerm *term;
} HxDocuments;

/*
 * Train: `word` and `projection` are filled, but for the shares of noise, which
 * are given.  Returns the mean loss of a word in the last round.
 */
extern double hx_train_paragraphs(const HxDocuments *documents, uint32_t words,
								  int bits, int real, int rounds, uint64_t seed,
								  float *word, float *projection);

/* Room that fitting needs, in doubles */
extern size_t hx_paragraph_room(const HxLexicon *lexicon);

/*
 * The vector of a document, terms by rising word: `d` gets bits numbers, whose
 * signs are the code, `r` gets real ones, if there are any
 */
extern void hx_fit_paragraph(const HxLexicon *lexicon, const HxTerm *term,
							 size_t terms, double *room, double *d, double *r);

/* 1 / (1 + exp(-x)), the same on every machine */
extern double hx_sigmoid(double x);

#endif /* HX_PARAGRAPH_H */
