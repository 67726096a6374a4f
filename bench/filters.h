/*
 * filters.h
 *	  What defines a filter of a benchmark: which rows it lets pass, and the text
 *	  of its parameters.
 */
#ifndef BENCH_FILTERS_H
#define BENCH_FILTERS_H

#include <stdio.h>

#include "data.h"

/* Define match_NAME: rows for which the expression holds */
#define MATCH(name, expression)                                             \
	static void match_##name(const BenchSet *set, const BenchParams *query, \
							 size_t first, size_t count, uint8_t *mask)     \
	{                                                                       \
		const BenchColumns *column = &set->column;                          \
                                                                            \
		(void) query;                                                       \
		(void) column;                                                      \
		for (size_t j = 0; j < count; j++)                                  \
		{                                                                   \
			size_t i = first + j;                                           \
                                                                            \
			(void) i;                                                       \
			mask[j] = (expression);                                         \
		}                                                                   \
	}

/* Define bind_NAME: one or two numbers */
#define BIND(name, one, two)                                            \
	static void bind_##name(const BenchParams *query, char text[2][32]) \
	{                                                                   \
		snprintf(text[0], 32, "%d", (int) (one));                       \
		snprintf(text[1], 32, "%d", (int) (two));                       \
	}

/* Filters of more than one benchmark: all rows, and neighbourhoods */
MATCH(all, 1)
MATCH(own64, column->near64[i] == query->own64)
MATCH(opposite64, column->near64[i] == query->opposite64)
MATCH(own4096, column->near4096[i] == query->own4096)
MATCH(opposite4096, column->near4096[i] == query->opposite4096)
MATCH(fine,
	  column->fine[query->number % BENCH_FINE][i] == query->number / BENCH_FINE)

BIND(own64, query->own64, 0)
BIND(opposite64, query->opposite64, 0)
BIND(own4096, query->own4096, 0)
BIND(opposite4096, query->opposite4096, 0)
BIND(fine, query->number / BENCH_FINE, 0)

#endif /* BENCH_FILTERS_H */
