/*
 * grid.h
 *	  The grid of filters for plans, and the table that they are asked of.
 */
#ifndef BENCH_GRID_H
#define BENCH_GRID_H

#include "data.h"

extern const BenchFilter grid_filters[];
extern const int grid_filter_count;

/* Write the definitions of the table's columns, with this type of codes. */
extern void grid_print_columns(const char *type);

/* Write a row's columns behind id and code, in the text format of COPY. */
extern void grid_row(const BenchSet *set, size_t row);

#endif /* BENCH_GRID_H */
