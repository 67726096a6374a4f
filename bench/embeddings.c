/*
 * embeddings.c
 *	  Real embeddings into a server, and how well and fast it finds the nearest.
 *
 *	embeddings copy SOURCE hashemb|pgvector|vector > FILE
 *	embeddings queries SOURCE [hashemb] > FILE
 *	embeddings ask SOURCE CONNINFO OUT QUERIES NAME|TYPES|SQL|SETTINGS ...
 *	embeddings share SOURCE CONNINFO QUERIES NAME|TYPES|SQL|SETTINGS ...
 *
 * SOURCE is a folder as wordnet.c reads it, or points.c writes it; ask and share
 * want gt_cos.ids.i32 too: int32, the ids of each query's nearest rows by cosine,
 * nearest first, 100 a query.
 *
 * copy writes rows in the binary format of COPY: id, code, embedding, the last
 * two as (bincode, real[]) or (bit, vector); or id and vector alone.  A bit of
 * the code is set where the component lies above the mean.  queries writes the queries likewise, as
 * number and vector, or number, code and real[].
 *
 * ask runs each SQL, whose $1 is the query's code and $2 its embedding, of the
 * types (hashemb or pgvector), as a prepared statement with a generic plan and
 * binary parameters, in a session of its own; the variants take turns query by
 * query.  Recall is what share of the query's 10 nearest ids was returned, its
 * mean and standard error are printed.  Times are as search.c has them: the
 * client's clock, and the session's time on a processor.  A line a variant is
 * appended to OUT.
 *
 * share runs each SQL, which returns ids, likewise, and tells what share of the
 * query's 10 nearest ids is among the first 10, 20, 50 and 100 returned, with
 * the standard error of the first of these shares.
 */
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#define K 10
#define TRUTH_K 100
#define MAX_DIMS 4096
#define MAX_VARIANTS 48
#define WARM_UP 100
#define FLOAT4_OID 700

typedef struct Source
{
	int dims;
	size_t rows;
	size_t queries;
	const float *mean;
	const int8_t *dense;  /* rows x dims */
	const float *scale;	  /* a row's factor */
	const float *query;	  /* queries x dims */
	const int32_t *truth; /* queries x TRUTH_K */
} Source;

/* Bytes in network order, as binary parameters and COPY have them */
typedef struct Buffer
{
	size_t length;
	char bytes[MAX_DIMS * 9 + 64];
} Buffer;

typedef struct Variant
{
	const char *name;
	int is_hashemb;
	PGconn *connection;
	int schedstat; /* the session's processor time, or -1 */
	double *ms;	   /* a query's time */
	double *cpu;   /* of it, the server process's on a processor */
	double recall_sum;
	double recall_squares;
	int short_of; /* queries with fewer rows than K */
	char plan[256];
} Variant;

static void
open_source(Source *source, const char *folder)
{
	size_t bytes, dense;

	source->mean = bench_map(folder, "mean.f32", &bytes);
	source->dims = (int) (bytes / sizeof(float));
	source->scale = bench_map(folder, "dense.scale.f32", &bytes);
	source->rows = bytes / sizeof(float);
	source->dense = bench_map(folder, "dense.i8", &dense);
	source->query = bench_map(folder, "queries.f32", &bytes);
	source->queries = bytes / sizeof(float) / source->dims;
	if (source->dims % 8 != 0 || source->dims > MAX_DIMS)
		bench_fail("%d dimensions, expected a multiple of 8 up to %d",
				   source->dims, MAX_DIMS);
	if (dense != source->rows * source->dims)
		bench_fail("dense.i8 has %zu bytes, expected %zu", dense,
				   source->rows * source->dims);
}

/* The truth, which not all commands need */
static void
open_truth(Source *source, const char *folder)
{
	size_t bytes;

	source->truth = bench_map(folder, "gt_cos.ids.i32", &bytes);
	if (bytes != source->queries * TRUTH_K * sizeof(int32_t))
		bench_fail("gt_cos.ids.i32 has %zu bytes, expected %zu", bytes,
				   source->queries * TRUTH_K * sizeof(int32_t));
}

/* Values in binary form */

static void
put(Buffer *buffer, const void *bytes, size_t length)
{
	memcpy(buffer->bytes + buffer->length, bytes, length);
	buffer->length += length;
}

static void
put_int16(Buffer *buffer, int value)
{
	uint16_t n = htons((uint16_t) value);

	put(buffer, &n, sizeof n);
}

static void
put_int32(Buffer *buffer, int value)
{
	uint32_t n = htonl((uint32_t) value);

	put(buffer, &n, sizeof n);
}

static void
put_float(Buffer *buffer, float value)
{
	int bits;

	memcpy(&bits, &value, sizeof bits);
	put_int32(buffer, bits);
}

/* bincode and bit: how many bits, then the bits */
static void
put_code(Buffer *buffer, const Source *source, const float *x)
{
	put_int32(buffer, source->dims);
	for (int d = 0; d < source->dims; d += 8)
	{
		uint8_t byte = 0;

		for (int i = 0; i < 8; i++)
			byte |= (x[d + i] > source->mean[d + i]) << (7 - i);
		put(buffer, &byte, 1);
	}
}

/* real[] of one dimension without NULLs, or vector */
static void
put_embedding(Buffer *buffer, const Source *source, const float *x,
			  int is_hashemb)
{
	if (is_hashemb)
	{
		put_int32(buffer, 1);
		put_int32(buffer, 0);
		put_int32(buffer, FLOAT4_OID);
		put_int32(buffer, source->dims);
		put_int32(buffer, 1);
	}
	else
	{
		put_int16(buffer, source->dims);
		put_int16(buffer, 0);
	}
	for (int d = 0; d < source->dims; d++)
	{
		if (is_hashemb)
			put_int32(buffer, sizeof(float));
		put_float(buffer, x[d]);
	}
}

/* Rows */

/* A field of COPY: its length and its bytes */
static void
put_field(Buffer *row, const Buffer *field)
{
	put_int32(row, (int) field->length);
	put(row, field->bytes, field->length);
}

static void
copy_row(const Source *source, size_t i, int has_code, int is_hashemb)
{
	static Buffer row, field;
	float x[MAX_DIMS];

	for (int d = 0; d < source->dims; d++)
		x[d] = source->dense[i * source->dims + d] * source->scale[i];
	row.length = 0;
	put_int16(&row, has_code ? 3 : 2);
	put_int32(&row, sizeof(int32_t));
	put_int32(&row, (int) i);
	field.length = 0;
	if (has_code)
	{
		put_code(&field, source, x);
		put_field(&row, &field);
		field.length = 0;
	}
	put_embedding(&field, source, x, is_hashemb);
	put_field(&row, &field);
	fwrite(row.bytes, 1, row.length, stdout);
}

static void
copy_rows(const Source *source, const char *types)
{
	int is_hashemb = strcmp(types, "hashemb") == 0;
	int has_code = strcmp(types, "vector") != 0;

	/* Signature, flags, length of the header's extension; -1 at the end */
	fwrite("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 1, 19, stdout);
	for (size_t i = 0; i < source->rows; i++)
		copy_row(source, i, has_code, is_hashemb);
	fwrite("\377\377", 1, 2, stdout);
	if (fflush(stdout) != 0 || ferror(stdout))
		bench_fail("cannot write rows");
}

static void
copy_queries(const Source *source, int is_hashemb)
{
	static Buffer row, field;

	fwrite("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 1, 19, stdout);
	for (size_t i = 0; i < source->queries; i++)
	{
		const float *x = source->query + i * source->dims;

		row.length = field.length = 0;
		put_int16(&row, is_hashemb ? 3 : 2);
		put_int32(&row, sizeof(int32_t));
		put_int32(&row, (int) i);
		if (is_hashemb)
		{
			put_code(&field, source, x);
			put_field(&row, &field);
			field.length = 0;
		}
		put_embedding(&field, source, x, is_hashemb);
		put_field(&row, &field);
		fwrite(row.bytes, 1, row.length, stdout);
	}
	fwrite("\377\377", 1, 2, stdout);
	if (fflush(stdout) != 0 || ferror(stdout))
		bench_fail("cannot write queries");
}

/* Searches */

/* The scan that EXPLAIN shows, as one line */
static void
explain(Variant *v)
{
	PGresult *result = client_query(v->connection, "EXPLAIN (COSTS OFF) EXECUTE"
												   " ask(NULL, NULL)");

	for (int r = 0; r < PQntuples(result); r++)
	{
		const char *line = PQgetvalue(result, r, 0);

		line += strspn(line, " ->");
		if (strstr(line, "Scan") != NULL && strncmp(line, "Subq", 4) != 0)
			snprintf(v->plan, sizeof v->plan, "%s", line);
	}
	PQclear(result);
}

static void
open_variant(Variant *v, const char *conninfo, char *spec, int queries)
{
	const char *types, *sql;
	char command[4096];

	memset(v, 0, sizeof *v);
	v->name = strsep(&spec, "|");
	types = strsep(&spec, "|");
	sql = strsep(&spec, "|");
	if (sql == NULL)
		bench_fail("%s: expected NAME|TYPES|SQL|SETTINGS", v->name);
	v->is_hashemb = strcmp(types, "hashemb") == 0;
	v->connection = client_connect(conninfo);
	client_do(v->connection, "SET plan_cache_mode = force_generic_plan");
	client_do(v->connection, "SET jit = off");
	client_do(v->connection, "SET max_parallel_workers_per_gather = 0");
	if (spec != NULL && *spec != '\0')
		client_do(v->connection, spec);
	snprintf(command, sizeof command, "PREPARE ask (%s) AS %s",
			 v->is_hashemb ? "bincode, real[]" : "bit, vector", sql);
	client_do(v->connection, command);
	v->schedstat = client_open_processor(v->connection);
	v->ms = bench_alloc(sizeof(double) * queries);
	v->cpu = bench_alloc(sizeof(double) * queries);
	explain(v);
}

static PGresult *
ask(const Source *source, Variant *v, int q, double *ms, double *cpu)
{
	static Buffer code, embedding;
	const float *x = source->query + (size_t) q * source->dims;
	const char *values[2] = {code.bytes, embedding.bytes};
	int lengths[2], formats[2] = {1, 1};
	double start, before;
	PGresult *result;

	code.length = embedding.length = 0;
	put_code(&code, source, x);
	put_embedding(&embedding, source, x, v->is_hashemb);
	lengths[0] = (int) code.length;
	lengths[1] = (int) embedding.length;
	before = client_processor_ms(v->schedstat);
	start = client_now();
	result =
		PQexecPrepared(v->connection, "ask", 2, values, lengths, formats, 0);
	*ms = (client_now() - start) * 1e3;
	*cpu = client_processor_ms(v->schedstat) - before;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		bench_fail("%s: %s", v->name, PQerrorMessage(v->connection));
	return result;
}

static void
judge(const Source *source, Variant *v, int q, const PGresult *result)
{
	const int32_t *truth = source->truth + (size_t) q * TRUTH_K;
	int rows = PQntuples(result), hits = 0;
	double recall;

	if (rows > K)
		bench_fail("%s returned %d rows, expected %d", v->name, rows, K);
	for (int t = 0; t < K; t++)
		for (int r = 0; r < rows; r++)
			if (atol(PQgetvalue(result, r, 0)) == truth[t])
			{
				hits++;
				break;
			}
	recall = (double) hits / K;
	v->recall_sum += recall;
	v->recall_squares += recall * recall;
	v->short_of += rows < K;
}

static void
report(Variant *v, int queries, FILE *out)
{
	double mean = v->recall_sum / queries;
	double variance = v->recall_squares / queries - mean * mean;
	double error = variance > 0 ? sqrt(variance / queries) : 0;

	client_sort(v->ms, queries);
	client_sort(v->cpu, queries);
	printf("%-30s %.4f +-%.4f %5d %8.3f %8.3f %8.3f %8.3f  %s\n", v->name, mean,
		   error, v->short_of, client_percentile(v->ms, queries, .5),
		   client_percentile(v->ms, queries, .95),
		   client_percentile(v->cpu, queries, .5),
		   client_percentile(v->cpu, queries, .95), v->plan);
	fprintf(out, "%s\t%d\t%.5f\t%.5f\t%d\t%.4f\t%.4f\t%.4f\t%.4f\t%s\n",
			v->name, queries, mean, error, v->short_of,
			client_percentile(v->ms, queries, .5),
			client_percentile(v->ms, queries, .95),
			client_percentile(v->cpu, queries, .5),
			client_percentile(v->cpu, queries, .95), v->plan);
}

/* Ask every variant; the last queries warm up, the first ones are judged */
static void
ask_all(const Source *source, Variant *variant, int variants, int queries,
		FILE *out)
{
	int last = (int) source->queries - 1;

	for (int w = 0; w < WARM_UP && w < queries && w < last; w++)
		for (int i = 0; i < variants; i++)
		{
			double ms, cpu;

			PQclear(ask(source, variant + i, last - w, &ms, &cpu));
		}
	for (int q = 0; q < queries; q++)
		for (int i = 0; i < variants; i++)
		{
			/* Nobody always follows the same one */
			Variant *v = variant + (i + q) % variants;
			PGresult *result = ask(source, v, q, v->ms + q, v->cpu + q);

			judge(source, v, q, result);
			PQclear(result);
		}
	printf("%-30s %-14s %6s %8s %8s %8s %8s  (%d queries, ms)\n", "variant",
		   "recall@10", "short", "p50", "p95", "cpu p50", "cpu p95", queries);
	for (int i = 0; i < variants; i++)
		report(variant + i, queries, out);
}

/* Shares of the truth among the first rows of a variant's results */
static void
print_shares(const Source *source, Variant *v, int queries)
{
	static const int first[] = {10, 20, 50, 100};
	long found[4] = {0};
	double squares = 0, mean, variance;

	for (int q = 0; q < queries; q++)
	{
		const int32_t *truth = source->truth + (size_t) q * TRUTH_K;
		double ms, cpu;
		PGresult *result = ask(source, v, q, &ms, &cpu);
		long before = found[0];

		for (int r = 0; r < PQntuples(result); r++)
			for (int t = 0; t < K; t++)
				if (atol(PQgetvalue(result, r, 0)) == truth[t])
					for (int i = 0; i < 4; i++)
						found[i] += r < first[i];
		squares += pow((double) (found[0] - before) / K, 2);
		PQclear(result);
	}
	mean = (double) found[0] / K / queries;
	variance = squares / queries - mean * mean;
	printf("%-40s", v->name);
	for (int i = 0; i < 4; i++)
		printf(" %8.3f", (double) found[i] / K / queries);
	printf(" +-%.4f  %s\n", variance > 0 ? sqrt(variance / queries) : 0.0,
		   v->plan);
	fflush(stdout);
}

/* embeddings share SOURCE CONNINFO QUERIES VARIANT... */
static int
share(Source *source, int argc, char **argv)
{
	int queries = atoi(argv[4]);

	open_source(source, argv[2]);
	open_truth(source, argv[2]);
	if (queries < 1 || queries > (int) source->queries)
		bench_fail("%d queries, expected 1 to %zu", queries, source->queries);
	printf("%-40s %8s %8s %8s %8s %8s (%d queries)\n",
		   "share of the 10 nearest, among the first", "10", "20", "50", "100",
		   "+- at 10", queries);
	for (int i = 5; i < argc; i++)
	{
		Variant v;

		open_variant(&v, argv[3], argv[i], queries);
		print_shares(source, &v, queries);
		PQfinish(v.connection);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static Source source;
	static Variant variant[MAX_VARIANTS];
	int variants = argc - 6, queries;
	FILE *out;

	if (argc == 4 && strcmp(argv[1], "copy") == 0)
	{
		open_source(&source, argv[2]);
		copy_rows(&source, argv[3]);
		return 0;
	}
	if ((argc == 3 || argc == 4) && strcmp(argv[1], "queries") == 0)
	{
		open_source(&source, argv[2]);
		copy_queries(&source, argc == 4 && strcmp(argv[3], "hashemb") == 0);
		return 0;
	}
	if (argc > 5 && strcmp(argv[1], "share") == 0)
		return share(&source, argc, argv);
	if (variants < 1 || variants > MAX_VARIANTS || strcmp(argv[1], "ask") != 0)
		bench_fail("usage: embeddings copy SOURCE hashemb|pgvector|vector\n"
				   "       embeddings queries SOURCE [hashemb]\n"
				   "       embeddings ask SOURCE CONNINFO OUT QUERIES"
				   " NAME|TYPES|SQL|SETTINGS ...\n"
				   "       embeddings share SOURCE CONNINFO QUERIES"
				   " NAME|TYPES|SQL|SETTINGS ...");
	open_source(&source, argv[2]);
	open_truth(&source, argv[2]);
	queries = atoi(argv[5]);
	if (queries < 1 || queries > (int) source.queries)
		bench_fail("%d queries, expected 1 to %zu", queries, source.queries);
	for (int i = 0; i < variants; i++)
		open_variant(variant + i, argv[3], argv[6 + i], queries);
	out = fopen(argv[4], "a");
	if (out == NULL)
		bench_fail("cannot write %s", argv[4]);
	ask_all(&source, variant, variants, queries, out);
	for (int i = 0; i < variants; i++)
		PQfinish(variant[i].connection);
	return fclose(out) != 0;
}
