/*
 * codebook.h
 *	  Computing with codebooks: the same on every CPU.
 *
 * Pure C.  Squared distances are single IEEE operations in double, added by
 * rising dimension; of words equally near the first is taken.
 */
#ifndef HX_CODEBOOK_H
#define HX_CODEBOOK_H

#include "encoder/model/format.h"

/*
 * The nearest word of every book: books->count numbers.  `x` has books->width
 * numbers; of residual books it is overwritten by what is left.  `room` is for
 * books->codes doubles.
 */
extern void hx_assign_words(const HxBooks *books, double *x, double *room,
							uint32_t *word);

/*
 * The vector that the first `count` words stand for: their sum, or, of a product,
 * one beside the other, all of them.  Words must be below books->codes.
 */
extern void hx_join_words(const HxBooks *books, const uint32_t *word,
						  uint32_t count, double *x);

/*
 * Inner products of a query with every word of a product: count x codes
 * numbers, by the queries' set if there is one
 */
extern void hx_word_products(const HxBooks *books, const double *query,
							 double *table);

#endif /* HX_CODEBOOK_H */
