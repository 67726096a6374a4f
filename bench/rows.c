/*
 * rows.c
 *	  Rows of a data folder in the text format of COPY.
 *
 *	rows FOLDER [grid] > FILE
 *	rows columns TYPE
 *
 * Columns: id, code, label, rnd, cat, nul, near64, near4096, tags, and the
 * fine ones; or those of the grid, whose definitions the second form writes.
 * Needs only the columns, not the truth.
 */
#include <stdio.h>
#include <string.h>

#include "grid.h"

/* What follows id and code */
static void
print_columns(const BenchSet *set, size_t i)
{
	const BenchColumns *column = &set->column;
	const char *comma = "";

	printf("\t%s\t%d\t%d\t",
		   column->label ? set->labels[column->label[i]] : "\\N",
		   column->rnd[i], column->cat[i]);
	if (column->nul[i] == BENCH_NULL)
		fputs("\\N", stdout);
	else
		printf("%d", column->nul[i]);
	printf("\t%d\t%d\t{", column->near64[i], column->near4096[i]);
	for (int t = 0; t < 64; t++)
		if (column->tags[i] >> t & 1)
		{
			printf("%s%d", comma, t);
			comma = ",";
		}
	putchar_unlocked('}');
	for (int f = 0; f < BENCH_FINE; f++)
		printf("\t%d", column->fine[f][i]);
}

int
main(int argc, char **argv)
{
	BenchSet set;
	int grid = argc > 2 && strcmp(argv[2], "grid") == 0;

	if (argc < 2)
		bench_fail("usage: rows FOLDER [grid], or columns TYPE");
	if (argc > 2 && strcmp(argv[1], "columns") == 0)
	{
		grid_print_columns(argv[2]);
		return 0;
	}
	bench_open(&set, argv[1], BENCH_COLUMNS);
	for (size_t i = 0; i < set.rows; i++)
	{
		printf("%zu\t", i);
		for (size_t b = 0; b < set.bytes * 8; b++)
			putchar_unlocked(
				'0' + (set.codes[i * set.bytes + b / 8] >> (7 - b % 8) & 1));
		if (grid)
			grid_row(&set, i);
		else
			print_columns(&set, i);
		putchar_unlocked('\n');
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		bench_fail("cannot write rows");
	return 0;
}
