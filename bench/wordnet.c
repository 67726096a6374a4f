/*
 * wordnet.c
 *	  Codes, queries and labels from a folder of WordNet sentence embeddings.
 *
 *	wordnet SOURCE FOLDER [LABEL-COLUMN]
 *
 * SOURCE holds dense.i8 (int8, rows x 512), dense.scale.f32 (a row's factor),
 * mean.f32, queries.f32 and docs.tsv.zst with a header line, whose column
 * (lexname unless said otherwise) becomes the label.  A bit is set where the
 * component lies above the mean.  Needs the zstd command.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data.h"

#define DIMS 512
#define MAX_LABELS 1000

static void
set_bit(uint8_t *code, int d)
{
	code[d / 8] |= 0x80 >> d % 8;
}

static size_t
convert_rows(const char *source, const char *folder, const float *mean)
{
	size_t bytes, rows;
	const int8_t *dense = bench_map(source, "dense.i8", &bytes);
	const float *scale = bench_map(source, "dense.scale.f32", &rows);
	uint8_t *codes;

	rows /= sizeof(float);
	if (bytes != rows * DIMS)
		bench_fail("dense.i8 has %zu bytes, expected %zu", bytes, rows * DIMS);
	codes = bench_alloc(rows * DIMS / 8);
	for (size_t i = 0; i < rows; i++)
		for (int d = 0; d < DIMS; d++)
		{
			/* Rounded to float before the comparison, as the data's own */
			volatile float x = dense[i * DIMS + d] * scale[i];

			if (x > mean[d])
				set_bit(codes + i * DIMS / 8, d);
		}
	bench_write(folder, "codes.bin", codes, rows * DIMS / 8);
	free(codes);
	return rows;
}

static void
convert_queries(const char *source, const char *folder, const float *mean)
{
	size_t bytes;
	const float *dense = bench_map(source, "queries.f32", &bytes);
	size_t queries = bytes / sizeof(float) / DIMS;
	uint8_t *codes = bench_alloc(queries * DIMS / 8);

	for (size_t i = 0; i < queries; i++)
		for (int d = 0; d < DIMS; d++)
			if (dense[i * DIMS + d] > mean[d])
				set_bit(codes + i * DIMS / 8, d);
	bench_write(folder, "queries.bin", codes, queries * DIMS / 8);
	free(codes);
}

/* The tab-separated field number `field` of the line, ended by a zero */
static char *
field_of(char *line, int field)
{
	char *value = NULL;

	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i <= field; i++)
		value = strsep(&line, "\t");
	if (value == NULL)
		bench_fail("docs.tsv.zst: a line has no field %d", field + 1);
	return value;
}

static int
column_number(char *header, const char *column)
{
	char *name;

	header[strcspn(header, "\n")] = '\0';
	for (int i = 0; (name = strsep(&header, "\t")) != NULL; i++)
		if (strcmp(name, column) == 0)
			return i;
	bench_fail("docs.tsv.zst has no column %s", column);
}

static void
convert_labels(const char *source, const char *folder, size_t rows,
			   const char *column)
{
	static char *names[MAX_LABELS];
	int16_t *label = bench_alloc(2 * rows);
	char *line = NULL, command[4200], text[65536] = "";
	size_t size = 0, i = 0;
	int count = 0, field;
	FILE *file;

	snprintf(command, sizeof command, "zstd -dcq '%s/docs.tsv.zst'", source);
	file = popen(command, "r");
	if (file == NULL || getline(&line, &size, file) < 0)
		bench_fail("cannot run %s", command);
	field = column_number(line, column);
	for (; i < rows && getline(&line, &size, file) >= 0; i++)
	{
		char *name = field_of(line, field);
		int l = 0;

		while (l < count && strcmp(names[l], name) != 0)
			l++;
		if (l == MAX_LABELS)
			bench_fail("more than %d labels", MAX_LABELS);
		if (l == count)
			names[count++] = strdup(name);
		label[i] = (int16_t) l;
	}
	if (pclose(file) != 0 || i != rows)
		bench_fail("docs.tsv.zst has %zu rows, expected %zu", i, rows);
	for (int l = 0; l < count; l++)
	{
		strcat(text, names[l]);
		strcat(text, "\n");
	}
	bench_write(folder, "labels.txt", text, strlen(text));
	bench_write(folder, "label.bin", label, 2 * rows);
	free(line);
	free(label);
}

int
main(int argc, char **argv)
{
	size_t bytes, rows;
	const float *mean;

	if (argc < 3)
		bench_fail("usage: wordnet SOURCE FOLDER [LABEL-COLUMN]");
	(void) mkdir(argv[2], 0777);
	mean = bench_map(argv[1], "mean.f32", &bytes);
	if (bytes != DIMS * sizeof(float))
		bench_fail("mean.f32 has %zu bytes, expected %zu", bytes,
				   DIMS * sizeof(float));
	rows = convert_rows(argv[1], argv[2], mean);
	convert_queries(argv[1], argv[2], mean);
	convert_labels(argv[1], argv[2], rows, argc > 3 ? argv[3] : "lexname");
	bench_write(argv[2], "dims", "512\n", 4);
	return 0;
}
