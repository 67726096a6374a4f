/*
 * rows.c
 *	  Rows of a data folder in the text format of COPY.
 *
 *	rows FOLDER [grid] > FILE
 *	rows FOLDER codes|queries|rnd > FILE
 *	rows columns TYPE
 *
 * Columns: id, code, label, rnd, cat, nul, near64, near4096, tags, and the
 * fine ones; or those of the grid, whose definitions the last form writes; or
 * id and code alone, of rows or queries; or id, code and rnd.  Needs only the
 * columns, not the truth; of codes alone not even these.
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

/* Number and code, as far as a line's end */
static void
print_code(const uint8_t *codes, size_t bytes, size_t i)
{
	printf("%zu\t", i);
	for (size_t b = 0; b < bytes * 8; b++)
		putchar_unlocked('0' + (codes[i * bytes + b / 8] >> (7 - b % 8) & 1));
}

/* Codes without columns, of rows or queries */
static void
print_codes(const char *folder, int queries)
{
	BenchSet set;

	bench_open(&set, folder, BENCH_CODES);
	for (size_t i = 0; i < (queries ? set.queries : set.rows); i++)
	{
		print_code(queries ? set.query_codes : set.codes, set.bytes, i);
		putchar_unlocked('\n');
	}
}

/* Codes with a single column */
static void
print_rnd(const char *folder)
{
	BenchSet set;

	bench_open(&set, folder, BENCH_RND);
	for (size_t i = 0; i < set.rows; i++)
	{
		print_code(set.codes, set.bytes, i);
		printf("\t%d\n", set.column.rnd[i]);
	}
}

/* Codes with columns, of benchmarks or of the grid */
static void
print_rows(const char *folder, int grid)
{
	BenchSet set;

	bench_open(&set, folder, BENCH_COLUMNS);
	for (size_t i = 0; i < set.rows; i++)
	{
		print_code(set.codes, set.bytes, i);
		if (grid)
			grid_row(&set, i);
		else
			print_columns(&set, i);
		putchar_unlocked('\n');
	}
}

int
main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";
	int queries = strcmp(what, "queries") == 0;

	if (argc < 2)
		bench_fail(
			"usage: rows FOLDER [grid|codes|queries|rnd], or columns TYPE");
	if (argc > 2 && strcmp(argv[1], "columns") == 0)
	{
		grid_print_columns(argv[2]);
		return 0;
	}
	if (queries || strcmp(what, "codes") == 0)
		print_codes(argv[1], queries);
	else if (strcmp(what, "rnd") == 0)
		print_rnd(argv[1]);
	else
		print_rows(argv[1], strcmp(what, "grid") == 0);
	if (fflush(stdout) != 0 || ferror(stdout))
		bench_fail("cannot write rows");
	return 0;
}
