/*
 * sparse.c
 *	  The client of the benchmark of sparse vectors.
 *
 *	sparse copy FOLDER FIRST COUNT                     (binary COPY, to stdout)
 *	sparse text FOLDER docs|queries                    (id and v, for COPY)
 *	sparse ask FOLDER CONNINFO ROWS QUERIES VARIANT...
 *	sparse insert FOLDER CONNINFO TABLE FIRST COUNT
 *
 * Tables have the columns id, v, rnd, label; v is an svec or pgvector's
 * sparsevec, whose binary forms are the same.  A variant is NAME|TABLE|SETTINGS;
 * variants take turns query by query.  Truth is computed here from the files:
 * products in double, by rising dimension.  A row found counts if its product
 * reaches that of the true 10th.  Beside the clock stands the session's
 * processor time.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "vectors.h"

#define K 10
#define LABEL "noun.food"

/* ---- data ---- */

/* Map the vectors called `what`. */
static void
open_vectors(const char *folder, const char *what, BenchVectors *vectors)
{
	char name[64];
	size_t bytes;

	snprintf(name, sizeof name, "%s.start.bin", what);
	vectors->start = bench_map(folder, name, &bytes);
	vectors->count = bytes / sizeof(uint64_t) - 1;
	snprintf(name, sizeof name, "%s.dims.bin", what);
	vectors->dims = bench_map(folder, name, &bytes);
	snprintf(name, sizeof name, "%s.weights.bin", what);
	vectors->weights = bench_map(folder, name, &bytes);
}

static void
open_sparse(BenchSparse *set, const char *folder)
{
	char path[4096];
	size_t bytes;
	FILE *file;

	set->dims = atoi(bench_map(folder, "dims", &bytes));
	open_vectors(folder, "docs", &set->docs);
	open_vectors(folder, "queries", &set->queries);
	set->rnd = bench_map(folder, "rnd.bin", &bytes);
	set->label = NULL;
	snprintf(path, sizeof path, "%s/labels.txt", folder);
	file = fopen(path, "r");
	if (file != NULL)
	{
		fclose(file);
		set->label = bench_map(folder, "label.bin", &bytes);
		set->labels = strndup(bench_map(folder, "labels.txt", &bytes), bytes);
	}
}

/* The binary form of a vector; returns its size */
static int
put_vector(const BenchSparse *set, const BenchVectors *from, size_t i,
		   uint32_t *to)
{
	int nnz = bench_nnz(from, i);
	uint64_t start = from->start[i];

	to[0] = htonl(set->dims);
	to[1] = htonl(nnz);
	to[2] = 0;
	for (int d = 0; d < nnz; d++)
	{
		uint32_t bits;

		memcpy(&bits, &from->weights[start + d], sizeof bits);
		to[3 + d] = htonl(from->dims[start + d]);
		to[3 + nnz + d] = htonl(bits);
	}
	return (3 + 2 * nnz) * (int) sizeof(uint32_t);
}

/* The name of a label; valid until the next call */
static const char *
label_name(const BenchSparse *set, int label)
{
	static char name[256];
	const char *at = set->labels;

	for (int l = 0; l < label; l++)
		at = strchr(at, '\n') + 1;
	snprintf(name, sizeof name, "%.*s", (int) strcspn(at, "\n"), at);
	return name;
}

/* ---- copy ---- */

static void
put_field(const void *data, int size)
{
	uint32_t length = htonl(size);

	fwrite(&length, sizeof length, 1, stdout);
	if (size > 0)
		fwrite(data, size, 1, stdout);
}

static void
copy(const BenchSparse *set, size_t first, size_t count)
{
	static const char head[19] = "PGCOPY\n\377\r\n";
	static uint32_t vector[3 + 2 * 65535];
	uint16_t fields = htons(4);
	uint16_t end = 0xffff;

	fwrite(head, sizeof head, 1, stdout);
	for (size_t i = first; i < first + count && i < set->docs.count; i++)
	{
		uint32_t id = htonl((uint32_t) i);
		uint32_t rnd = htonl(set->rnd[i]);
		int size = put_vector(set, &set->docs, i, vector);

		fwrite(&fields, sizeof fields, 1, stdout);
		put_field(&id, sizeof id);
		put_field(vector, size);
		put_field(&rnd, sizeof rnd);
		if (set->label)
		{
			const char *name = label_name(set, set->label[i]);

			put_field(name, (int) strlen(name));
		}
		else
			put_field(NULL, -1);
	}
	fwrite(&end, sizeof end, 1, stdout);
}

/* Number and vector a line, in the text form that is read back exactly */
static void
print_text(const BenchSparse *set, const BenchVectors *from)
{
	for (size_t i = 0; i < from->count; i++)
	{
		const char *comma = "";

		printf("%zu\t{", i);
		for (uint64_t at = from->start[i]; at < from->start[i + 1]; at++)
		{
			printf("%s%u:%.9g", comma, from->dims[at] + 1, from->weights[at]);
			comma = ",";
		}
		printf("}/%d\n", set->dims);
	}
}

/* ---- truth ---- */

/* A filter of the grid: its SQL, and the same in C */
typedef struct Filter
{
	const char *name;
	const char *where;
	int rnd;	/* rows with less, or 0 */
	bool label; /* rows with the label */
} Filter;

static const Filter filters[] = {
	{"none", "true", 0, false},
	{"10 %", "rnd < 100000", 100000, false},
	{"1 %", "rnd < 10000", 10000, false},
	{LABEL, "label = '" LABEL "'", 0, true},
};

#define FILTERS ((int) (sizeof filters / sizeof *filters))

/* The documents of each dimension, in order, with their weights */
typedef struct Lists
{
	uint64_t *start;
	uint32_t *docs;
	float *weights;
	double *sums; /* a document's product with the query */
	int food;	  /* the label's number */
} Lists;

static void
invert(const BenchSparse *set, size_t rows, Lists *lists)
{
	const BenchVectors *docs = &set->docs;
	uint64_t *next = bench_alloc((set->dims + 1) * sizeof(uint64_t));

	lists->start = bench_alloc((set->dims + 1) * sizeof(uint64_t));
	lists->docs = bench_alloc(docs->start[rows] * sizeof(uint32_t));
	lists->weights = bench_alloc(docs->start[rows] * sizeof(float));
	lists->sums = bench_alloc(rows * sizeof(double));
	for (uint64_t i = 0; i < docs->start[rows]; i++)
		lists->start[docs->dims[i] + 1]++;
	for (int d = 0; d < set->dims; d++)
		lists->start[d + 1] += lists->start[d];
	memcpy(next, lists->start, (set->dims + 1) * sizeof(uint64_t));
	for (size_t row = 0; row < rows; row++)
		for (uint64_t i = docs->start[row]; i < docs->start[row + 1]; i++)
		{
			uint64_t at = next[docs->dims[i]]++;

			lists->docs[at] = (uint32_t) row;
			lists->weights[at] = docs->weights[i];
		}
	free(next);
	lists->food = -1;
	for (int l = 0; set->label && lists->food < 0 && l < 45; l++)
		if (strcmp(label_name(set, l), LABEL) == 0)
			lists->food = l;
}

static bool
passes(const BenchSparse *set, const Lists *lists, const Filter *filter,
	   size_t row)
{
	return (filter->rnd == 0 || set->rnd[row] < filter->rnd) &&
		   (!filter->label || set->label[row] == lists->food);
}

/* Products of all rows with a query */
static void
multiply(const BenchSparse *set, size_t rows, size_t query, Lists *lists)
{
	const BenchVectors *from = &set->queries;

	memset(lists->sums, 0, rows * sizeof(double));
	for (uint64_t i = from->start[query]; i < from->start[query + 1]; i++)
	{
		int dim = from->dims[i];

		for (uint64_t p = lists->start[dim]; p < lists->start[dim + 1]; p++)
			lists->sums[lists->docs[p]] +=
				(double) from->weights[i] * lists->weights[p];
	}
}

/* The product of the K-th of the rows that pass; how many do, up to K */
static double
find_truth(const BenchSparse *set, size_t rows, const Lists *lists,
		   const Filter *filter, int *wanted)
{
	double best[K];
	int count = 0;

	for (size_t row = 0; row < rows; row++)
	{
		int at = count;

		if ((count == K && lists->sums[row] <= best[K - 1]) ||
			!passes(set, lists, filter, row))
			continue;
		if (count < K)
			count++;
		else
			at--;
		for (; at > 0 && best[at - 1] < lists->sums[row]; at--)
			best[at] = best[at - 1];
		best[at] = lists->sums[row];
	}
	*wanted = count;
	return count > 0 ? best[count - 1] : 0;
}

/* ---- ask ---- */

typedef struct Variant
{
	char *name;
	char *table;
	PGconn *connection;
	int processor;
	double *ms;
	double *cpu;
	double recall;
	int whole; /* queries answered wholly */
	int few;   /* with fewer rows than match */
	int asked;
} Variant;

static void
open_variant(Variant *variant, const char *conninfo, char *text, int queries)
{
	char sql[1024];

	variant->name = strsep(&text, "|");
	variant->table = strsep(&text, "|");
	variant->connection = client_connect(conninfo);
	if (text == NULL)
		bench_fail("a variant is NAME|TABLE|SETTINGS");
	client_do(variant->connection, text);
	client_do(variant->connection, "SET plan_cache_mode = force_generic_plan");
	for (int f = 0; f < FILTERS; f++)
	{
		char name[16];

		snprintf(name, sizeof name, "q%d", f);
		snprintf(sql, sizeof sql,
				 "SELECT id FROM %s WHERE %s ORDER BY v <#> $1 LIMIT %d",
				 variant->table, filters[f].where, K);
		PQclear(PQprepare(variant->connection, name, sql, 0, NULL));
	}
	variant->processor = client_open_processor(variant->connection);
	variant->ms = bench_alloc(queries * sizeof(double));
	variant->cpu = bench_alloc(queries * sizeof(double));
}

/* Ask a query, take the time; judge the rows. */
static void
ask_one(Variant *variant, const BenchSparse *set, const Lists *lists, int f,
		size_t query, double kth, int wanted)
{
	static uint32_t vector[3 + 2 * 65535];
	const char *value = (const char *) vector;
	int length = put_vector(set, &set->queries, query, vector);
	int format = 1;
	char name[16];
	double start, cpu;
	PGresult *result;
	int good = 0;

	snprintf(name, sizeof name, "q%d", f);
	cpu = client_processor_ms(variant->processor);
	start = client_now();
	result = PQexecPrepared(variant->connection, name, 1, &value, &length,
							&format, 0);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		bench_fail("%s: %s", variant->name, PQresultErrorMessage(result));
	variant->ms[variant->asked] = (client_now() - start) * 1000;
	variant->cpu[variant->asked++] =
		client_processor_ms(variant->processor) - cpu;
	for (int i = 0; i < PQntuples(result); i++)
	{
		int id = atoi(PQgetvalue(result, i, 0));

		if (!passes(set, lists, &filters[f], id))
			bench_fail("%s: row %d does not pass", variant->name, id);
		good += lists->sums[id] >= kth;
	}
	if (wanted > 0)
		variant->recall += (double) (good < wanted ? good : wanted) / wanted;
	variant->whole += good >= wanted;
	variant->few += PQntuples(result) < wanted;
	PQclear(result);
}

static void
report(Variant *variant, int f)
{
	int count = variant->asked;

	client_sort(variant->ms, count);
	client_sort(variant->cpu, count);
	printf("%-10s %-20s %6d %7.3f %6d %5d %8.3f %8.3f %8.3f %8.3f\n",
		   filters[f].name, variant->name, count, variant->recall / count,
		   variant->whole, variant->few,
		   client_percentile(variant->ms, count, .5),
		   client_percentile(variant->ms, count, .95),
		   client_percentile(variant->cpu, count, .5),
		   client_percentile(variant->cpu, count, .95));
	fflush(stdout);
	variant->recall = variant->whole = variant->few = variant->asked = 0;
}

static void
ask(const BenchSparse *set, const char *conninfo, size_t rows, size_t queries,
	int count, char **texts)
{
	Variant *variants = bench_alloc(count * sizeof(Variant));
	Lists lists;

	invert(set, rows, &lists);
	for (int v = 0; v < count; v++)
		open_variant(&variants[v], conninfo, texts[v], (int) queries);
	printf("%-10s %-20s %6s %7s %6s %5s %8s %8s %8s %8s\n", "filter", "variant",
		   "asked", "recall", "whole", "few", "p50 ms", "p95", "cpu p50",
		   "p95");
	for (int f = 0; f < FILTERS; f++)
	{
		if (filters[f].label && lists.food < 0)
			continue;
		for (size_t q = 0; q < queries && q < set->queries.count; q++)
		{
			int wanted;
			double kth;

			multiply(set, rows, q, &lists);
			kth = find_truth(set, rows, &lists, &filters[f], &wanted);
			for (int v = 0; v < count; v++)
				ask_one(&variants[v], set, &lists, f, q, kth, wanted);
		}
		for (int v = 0; v < count; v++)
			report(&variants[v], f);
	}
}

/* ---- insert ---- */

static void
insert(const BenchSparse *set, const char *conninfo, const char *table,
	   size_t first, size_t count)
{
	static uint32_t vector[3 + 2 * 65535];
	PGconn *connection = client_connect(conninfo);
	int processor = client_open_processor(connection);
	double *ms = bench_alloc(count * sizeof(double));
	double *cpu = bench_alloc(count * sizeof(double));
	double start = client_now();
	double before = client_processor_ms(processor);
	char sql[256];

	snprintf(sql, sizeof sql,
			 "INSERT INTO %s (id, v, rnd) VALUES ($1::int, $2, $3::int)",
			 table);
	PQclear(PQprepare(connection, "add", sql, 0, NULL));
	for (size_t i = 0; i < count; i++)
	{
		size_t row = first + i;
		uint32_t id = htonl((uint32_t) row);
		uint32_t rnd = htonl(set->rnd[row]);
		const char *values[] = {(char *) &id, (char *) vector, (char *) &rnd};
		int lengths[] = {4, put_vector(set, &set->docs, row, vector), 4};
		int formats[] = {1, 1, 1};
		double then = client_now();
		double used = client_processor_ms(processor);
		PGresult *result =
			PQexecPrepared(connection, "add", 3, values, lengths, formats, 0);

		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			bench_fail("%s", PQresultErrorMessage(result));
		PQclear(result);
		ms[i] = (client_now() - then) * 1000;
		cpu[i] = client_processor_ms(processor) - used;
	}
	printf("%s: %zu rows, %.0f rows/s", table, count,
		   count / (client_now() - start));
	printf(" (%.0f a second of processor)",
		   count / (client_processor_ms(processor) - before) * 1000);
	client_sort(ms, (int) count);
	client_sort(cpu, (int) count);
	printf("; ms p50 %.3f, p99 %.3f, p99.9 %.2f, most %.1f",
		   client_percentile(ms, count, .5), client_percentile(ms, count, .99),
		   client_percentile(ms, count, .999), ms[count - 1]);
	printf("; of processor %.3f, %.3f, %.2f, %.1f\n",
		   client_percentile(cpu, count, .5),
		   client_percentile(cpu, count, .99),
		   client_percentile(cpu, count, .999), cpu[count - 1]);
	PQfinish(connection);
}

int
main(int argc, char **argv)
{
	BenchSparse set;

	if (argc < 4)
		bench_fail("usage: sparse copy|text|ask|insert FOLDER ... (see sparse.c)");
	open_sparse(&set, argv[2]);
	if (strcmp(argv[1], "text") == 0)
		print_text(&set, strcmp(argv[3], "docs") == 0 ? &set.docs : &set.queries);
	else if (strcmp(argv[1], "copy") == 0 && argc == 5)
		copy(&set, strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
	else if (strcmp(argv[1], "ask") == 0 && argc > 6)
		ask(&set, argv[3], strtoul(argv[4], NULL, 10),
			strtoul(argv[5], NULL, 10), argc - 6, argv + 6);
	else if (strcmp(argv[1], "insert") == 0 && argc == 7)
		insert(&set, argv[3], argv[4], strtoul(argv[5], NULL, 10),
			   strtoul(argv[6], NULL, 10));
	else
		bench_fail("unknown command %s, or not enough arguments", argv[1]);
	return 0;
}
