/*
 * plans.c
 *	  The client of the benchmark of plans: asks the cells of bench/plans.sql.
 *
 *	plans CONNINFO ROUNDS
 *
 * Statements are sent as applications send them, unprepared, with literals.  For
 * each cell and query the variants of plans.variants take turns in an order drawn
 * anew, five times, and the best of each is kept: what else the machine does only
 * adds.  What counts is the session's time on a processor, planning included,
 * where /proc tells it, else the clock.  Forced plans that are the same are asked
 * once; one that takes three times as long as the fastest, and is not the
 * planner's choice, is left out after two queries.  Samples go into
 * plans.measured.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define TURNS 5
#define MOST_VARIANTS 16

typedef struct Variant
{
	char *name;
	char *settings; /* commands */
	int ordered;	/* by hashemb's operator */
	char *plan;		/* in the cell */
	int skip;
	double best;  /* of the query */
	double least; /* of the cell */
} Variant;

typedef struct Plans
{
	PGconn *connection;
	int schedstat;
	int count;
	Variant variants[MOST_VARIANTS];
	PGresult *queries;
	uint64_t drawn;
} Plans;

/* Milliseconds of a statement: on a processor, or by the clock */
static double
time_of(Plans *plans, const char *sql)
{
	double start = client_now();
	double before = client_processor_ms(plans->schedstat);
	double used;

	client_do(plans->connection, sql);
	if (plans->schedstat < 0)
		return (client_now() - start) * 1000;
	/* told when the session sleeps again */
	do
	{
		usleep(30);
		used = client_processor_ms(plans->schedstat) - before;
	} while (used <= 0);
	return used;
}

/* Replace all of a word in a text, which is freed. */
static char *
replace(char *text, const char *word, const char *by)
{
	char *at;

	while ((at = strstr(text, word)) != NULL)
	{
		char *longer = bench_alloc(strlen(text) + strlen(by) + 1);

		sprintf(longer, "%.*s%s%s", (int) (at - text), text, by,
				at + strlen(word));
		free(text);
		text = longer;
	}
	return text;
}

/* The statement of a cell, row `c` of the result, for a query */
static char *
statement(const Plans *plans, const PGresult *cells, int c, int ordered, int q)
{
	char *text = strdup(PQgetvalue(cells, c, ordered ? 1 : 2));

	text = replace(text, "{own}", PQgetvalue(plans->queries, q, 1));
	text = replace(text, "{opposite}", PQgetvalue(plans->queries, q, 2));
	return replace(text, "{v}", PQgetvalue(plans->queries, q, 0));
}

static void
find_plans(Plans *plans, const PGresult *cells, int c)
{
	for (int v = 0; v < plans->count; v++)
	{
		Variant *variant = &plans->variants[v];
		char *sql = statement(plans, cells, c, variant->ordered, 0);
		const char *values[] = {sql, PQgetvalue(cells, c, 0), variant->name};
		PGresult *result;

		client_do(plans->connection, variant->settings);
		result = PQexecParams(plans->connection,
							  "INSERT INTO plans.plans SELECT $2::int, $3,"
							  " plans.plan_of($1) RETURNING plan",
							  3, NULL, values, NULL, NULL, 0);
		if (PQresultStatus(result) != PGRES_TUPLES_OK)
			bench_fail("%s", PQerrorMessage(plans->connection));
		free(variant->plan);
		variant->plan = strdup(PQgetvalue(result, 0, 0));
		variant->skip = 0;
		variant->least = 1e300;
		for (int other = 1; v > 0 && other < v; other++)
			variant->skip |=
				strcmp(plans->variants[other].plan, variant->plan) == 0;
		PQclear(result);
		free(sql);
	}
}

/* Ask a query in all variants, the first of which is the planner's choice. */
static void
ask(Plans *plans, const PGresult *cells, int c, int q)
{
	int order[MOST_VARIANTS];

	for (int v = 0; v < plans->count; v++)
	{
		order[v] = v;
		plans->variants[v].best = 1e300;
	}
	for (int turn = 0; turn < TURNS; turn++)
	{
		for (int v = plans->count - 1; v > 0; v--)
		{
			int other = (int) (bench_random(7, plans->drawn++) % (v + 1));
			int swap = order[v];

			order[v] = order[other];
			order[other] = swap;
		}
		for (int i = 0; i < plans->count; i++)
		{
			Variant *variant = &plans->variants[order[i]];
			char *sql;
			double ms;

			if (variant->skip)
				continue;
			sql = statement(plans, cells, c, variant->ordered, q);
			client_do(plans->connection, variant->settings);
			ms = time_of(plans, sql);
			if (ms < variant->best)
				variant->best = ms;
			free(sql);
		}
	}
}

static void
keep(Plans *plans, const PGresult *cells, int c, int round)
{
	for (int v = 0; v < plans->count; v++)
	{
		Variant *variant = &plans->variants[v];
		char sql[256];

		if (variant->skip)
			continue;
		snprintf(sql, sizeof sql,
				 "INSERT INTO plans.measured VALUES (%s, '%s', %d, %.6f)",
				 PQgetvalue(cells, c, 0), variant->name, round, variant->best);
		client_do(plans->connection, sql);
		if (variant->best < variant->least)
			variant->least = variant->best;
	}
}

/* Leave out what is far from the fastest. */
static void
drop_slow(Plans *plans)
{
	double best = 1e300;

	for (int v = 0; v < plans->count; v++)
		if (!plans->variants[v].skip && plans->variants[v].least < best)
			best = plans->variants[v].least;
	for (int v = 1; v < plans->count; v++)
		plans->variants[v].skip |= plans->variants[v].least > 3 * best;
}

static void
open_plans(Plans *plans, const char *conninfo)
{
	PGresult *result;

	plans->connection = client_connect(conninfo);
	plans->schedstat = client_open_processor(plans->connection);
	/* a session's time is not that of its workers */
	client_do(plans->connection, "SET search_path = plans, public;"
								 " SET max_parallel_workers_per_gather = 0");
	result = client_query(plans->connection,
						  "SELECT variant, commands, ordered FROM variants"
						  " ORDER BY variant <> 'default', number");
	plans->count = PQntuples(result);
	if (plans->count > MOST_VARIANTS)
		bench_fail("too many variants");
	for (int v = 0; v < plans->count; v++)
	{
		plans->variants[v].name = strdup(PQgetvalue(result, v, 0));
		plans->variants[v].settings = strdup(PQgetvalue(result, v, 1));
		plans->variants[v].ordered = *PQgetvalue(result, v, 2) == 't';
	}
	PQclear(result);
	plans->queries =
		client_query(plans->connection, "SELECT v, own, opposite FROM queries"
										" ORDER BY (id * 37) % 200, id");
}

int
main(int argc, char **argv)
{
	static Plans plans;
	PGresult *cells;

	if (argc != 3)
		bench_fail("usage: plans CONNINFO ROUNDS");
	open_plans(&plans, argv[1]);
	cells =
		client_query(plans.connection, "SELECT cell, ordered, unordered, "
									   "rounds FROM statements ORDER BY cell");
	for (int c = 0; c < PQntuples(cells); c++)
	{
		int rounds = atoi(argv[2]);

		if (!PQgetisnull(cells, c, 3) && atoi(PQgetvalue(cells, c, 3)) < rounds)
			rounds = atoi(PQgetvalue(cells, c, 3));
		find_plans(&plans, cells, c);
		for (int q = 0; q < rounds && q < PQntuples(plans.queries); q++)
		{
			ask(&plans, cells, c, q);
			keep(&plans, cells, c, q);
			if (q == 1)
				drop_slow(&plans);
		}
	}
	PQfinish(plans.connection);
	return 0;
}
