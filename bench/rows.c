/*
 * rows.c
 *	  Rows of a data folder in the text format of COPY.
 *
 *	rows FOLDER > FILE
 *
 * Columns: id, code, label, rnd, cat, nul, near64, near4096, tags, and the
 * fine ones.  Needs only the columns, not the truth.
 */
#include <stdio.h>

#include "data.h"

int
main(int argc, char **argv)
{
	BenchSet set;

	if (argc < 2)
		bench_fail("usage: rows FOLDER");
	bench_open(&set, argv[1], BENCH_COLUMNS);
	for (size_t i = 0; i < set.rows; i++)
	{
		const BenchColumns *column = &set.column;
		const char *comma = "";

		printf("%zu\t", i);
		for (size_t b = 0; b < set.bytes * 8; b++)
			putchar_unlocked(
				'0' + (set.codes[i * set.bytes + b / 8] >> (7 - b % 8) & 1));
		printf("\t%s\t%d\t%d\t",
			   column->label ? set.labels[column->label[i]] : "\\N",
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
		putchar_unlocked('\n');
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		bench_fail("cannot write rows");
	return 0;
}
