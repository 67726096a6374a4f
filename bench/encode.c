/*
 * encode.c
 *	  How many rows a second a statement gets through, by processor time.
 *
 *	encode CONNINFO ROUNDS NAME|ROWS|SQL|SETTINGS ...
 *
 * Runs each SQL, which goes through so many rows, as a prepared statement in a
 * session of its own, the statements taking turns; SETTINGS are run before.
 * Prints for each the rows a second of a processor, of the best round and of
 * the median one, and microseconds a row of the best.  Rounds are short, so
 * that one of them is likely to have a core, and its cache, for itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#define MAX_VARIANTS 24
#define WARM_UP 2

typedef struct Variant
{
	const char *name;
	double rows;
	PGconn *connection;
	int processor; /* the session's processor time */
	double *ms;	   /* a round's */
} Variant;

static void
open_variant(Variant *v, const char *conninfo, char *spec, int rounds)
{
	const char *rows, *sql;

	v->name = strsep(&spec, "|");
	rows = strsep(&spec, "|");
	sql = strsep(&spec, "|");
	if (sql == NULL)
		bench_fail("%s: expected NAME|ROWS|SQL|SETTINGS", v->name);
	v->rows = atof(rows);
	v->connection = client_connect(conninfo);
	if (spec != NULL && *spec != '\0')
		client_do(v->connection, spec);
	PQclear(PQprepare(v->connection, "run", sql, 0, NULL));
	v->processor = client_open_processor(v->connection);
	if (v->processor < 0)
		bench_fail("no processor time of a session is told here");
	v->ms = bench_alloc(sizeof(double) * rounds);
}

static double
run_variant(Variant *v)
{
	double before = client_processor_ms(v->processor);
	PGresult *result =
		PQexecPrepared(v->connection, "run", 0, NULL, NULL, NULL, 0);

	if (PQresultStatus(result) != PGRES_TUPLES_OK &&
		PQresultStatus(result) != PGRES_COMMAND_OK)
		bench_fail("%s: %s", v->name, PQerrorMessage(v->connection));
	PQclear(result);
	return client_processor_ms(v->processor) - before;
}

int
main(int argc, char **argv)
{
	static Variant variant[MAX_VARIANTS];
	int variants = argc - 3;
	int rounds;

	if (variants < 1 || variants > MAX_VARIANTS)
		bench_fail("usage: encode CONNINFO ROUNDS NAME|ROWS|SQL|SETTINGS ...");
	rounds = atoi(argv[2]);
	if (rounds < 1)
		bench_fail("%d rounds, expected at least 1", rounds);
	for (int i = 0; i < variants; i++)
		open_variant(variant + i, argv[1], argv[3 + i], rounds);
	for (int round = -WARM_UP; round < rounds; round++)
		for (int i = 0; i < variants; i++)
		{
			double ms = run_variant(variant + i);

			if (round >= 0)
				variant[i].ms[round] = ms;
		}
	printf("%-44s %12s %12s %8s  (%d rounds)\n", "statement", "best, rows/s",
		   "median", "us a row", rounds);
	for (int i = 0; i < variants; i++)
	{
		Variant *v = variant + i;
		double best, median;

		client_sort(v->ms, rounds);
		best = v->ms[0];
		median = client_percentile(v->ms, rounds, .5);
		printf("%-44s %12.0f %12.0f %8.2f\n", v->name, v->rows / best * 1e3,
			   v->rows / median * 1e3, best / v->rows * 1e3);
		PQfinish(v->connection);
	}
	return 0;
}
