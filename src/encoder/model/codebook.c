/*
 * codebook.c
 *	  Computing with codebooks.
 *
 * A dimension's numbers of all words lie side by side, so that the distances of
 * all words grow together, each in its own lane: no order of sums depends on the
 * width of the vector unit.
 */
#include "encoder/model/codebook.h"

#include <string.h>

#include "kernel/kernel.h"

/* First and last dimension of a book, and where its words begin */
static const float *
find_book(const HxBooks *books, const float *set, uint32_t book, uint32_t *from,
		  uint32_t *to)
{
	if (books->form == HX_PRODUCT)
	{
		*from = hx_book_start(books, book);
		*to = hx_book_start(books, book + 1);
		return set + (size_t) *from * books->codes;
	}
	*from = 0;
	*to = books->width;
	return set + (size_t) book * books->width * books->codes;
}

/* The least number's place, the first of equal ones */
static uint32_t
find_least(const double *number, uint32_t count)
{
	uint32_t least = 0;

	for (uint32_t i = 1; i < count; i++)
	{
		if (number[i] < number[least])
			least = i;
	}
	return least;
}

void
hx_assign_words(const HxBooks *books, double *x, double *room, uint32_t *word)
{
	uint32_t codes = books->codes;
	uint32_t from;
	uint32_t to;

	for (uint32_t b = 0; b < books->count; b++)
	{
		const float *words = find_book(books, books->word, b, &from, &to);

		memset(room, 0, codes * sizeof(double));
		for (uint32_t i = from; i < to; i++)
			hx_kernels->steps->add_squares(
				room, words + (size_t) (i - from) * codes, x[i], codes);
		word[b] = find_least(room, codes);
		for (uint32_t i = from; books->form == HX_RESIDUAL && i < to; i++)
			x[i] -= (double) words[(size_t) (i - from) * codes + word[b]];
	}
}

void
hx_join_words(const HxBooks *books, const uint32_t *word, uint32_t count,
			  double *x)
{
	uint32_t from;
	uint32_t to;

	memset(x, 0, books->width * sizeof(double));
	for (uint32_t b = 0; b < count; b++)
	{
		const float *words = find_book(books, books->word, b, &from, &to);

		for (uint32_t i = from; i < to; i++)
			x[i] +=
				(double) words[(size_t) (i - from) * books->codes + word[b]];
	}
}

void
hx_word_products(const HxBooks *books, const double *query, double *table)
{
	const float *set = books->query != NULL ? books->query : books->word;
	uint32_t codes = books->codes;
	uint32_t from;
	uint32_t to;

	memset(table, 0, (size_t) books->count * codes * sizeof(double));
	for (uint32_t b = 0; b < books->count; b++)
	{
		const float *words = find_book(books, set, b, &from, &to);
		double *row = table + (size_t) b * codes;

		for (uint32_t i = from; i < to; i++)
		{
			for (uint32_t c = 0; c < codes; c++)
			{
				double product =
					query[i] * (double) words[(size_t) (i - from) * codes + c];

				row[c] += product;
			}
		}
	}
}
