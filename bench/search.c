/*
 * search.c
 *	  Asks the grid of filters, of several systems in turn, and judges answers.
 *
 *	search CONNINFO FOLDER OUT [-c CELLS] [-k KS] [-n QUERIES] [-s SECONDS]
 *		   [-g] [-r] NAME|TABLE|TARGET|SETTINGS ...
 *
 * Each variant (a system with settings) has a session of its own, all on one
 * server; query by query, every variant is asked before the next query is, so
 * that what else the machine does meets them alike.  One query is under way at
 * a time.  Statements are prepared with a generic plan: the client's clock
 * sees a round trip and the execution, planning is asked of EXPLAIN apart.
 *
 * Beside the clock's time stands the time that the session's process was on a
 * processor, where /proc tells it: on a machine that does other things too, the
 * two differ and the second is the one to compare.
 *
 * Answers are judged by the data folder, not by the server: distances are
 * computed here from the returned ids, and the filter is evaluated here.
 *	recall      rows at most as far as the true k-th, of min(k, matches)
 *	below half  share of queries with recall below one half
 *	short       queries with fewer rows than min(k, matches)
 *	unordered   queries whose rows do not come by rising distance
 *	wrong       queries with a row twice or one that the filter rejects
 * A cell passes where mean recall + 2 standard errors reach the target (0: no
 * target), nothing is short, unordered or wrong and, for k >= 10, at most 2 %
 * of queries are below half.
 *
 * -c and -k take comma-separated numbers of filters and k; -s ends a cell
 * after so many seconds, but not before 50 queries, or -n.  -g asks the grid for
 * plans (grid.c), whose truth is found here.  With -r the folder has no column
 * but rnd, the truth is found here, and the rows that a search scores are told,
 * the mean over the queries, as EXPLAIN (ANALYZE) tells them of each afterwards.
 * A line a cell is appended to OUT.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "grid.h"

#define MAX_VARIANTS 16
#define MAX_K 100
#define WARM_UP 100
#define WARM_UP_SHARE 0.3 /* of a cell's seconds, at most */
#define LEAST_QUERIES 50
#define PLANS 20

typedef struct Variant
{
	const char *name;
	const char *table;
	double target;
	PGconn *connection;
	char type[64]; /* of the code column */
	int schedstat; /* the session's processor time, or -1 */

	/* The cell's samples */
	double *ms;	 /* a query's time */
	double *cpu; /* of it, the server process's on a processor */
	double recall_sum;
	double recall_squares;
	int judged; /* queries with a match at all */
	int below_half;
	int short_of;
	int unordered;
	int wrong;
	double scored; /* rows scored by all queries */
	double plan_ms;
	char plan[256];
} Variant;

typedef struct Run
{
	BenchSet set;
	Variant variant[MAX_VARIANTS];
	int variants;
	const BenchFilter *filters;
	int filter_count;
	int rnd_only;	   /* no other column is there, rows scored are told */
	BenchTruth *truth; /* of the filter at hand, a query each */
	FILE *out;
	int queries;
	double seconds;
	char *code_text; /* the present query's code */
} Run;

/* Sessions */

static void
open_variant(Variant *v, const char *conninfo, char *spec, int queries)
{
	char sql[512];
	PGresult *result;

	memset(v, 0, sizeof *v);
	v->name = strsep(&spec, "|");
	v->table = strsep(&spec, "|");
	if (v->table == NULL || spec == NULL)
		bench_fail("%s: expected NAME|TABLE|TARGET|SETTINGS", v->name);
	v->target = atof(strsep(&spec, "|"));
	v->connection = client_connect(conninfo);
	client_do(v->connection, "SET plan_cache_mode = force_generic_plan");
	client_do(v->connection, "SET jit = off");
	client_do(v->connection, "SET max_parallel_workers_per_gather = 0");
	if (spec != NULL && *spec != '\0')
		client_do(v->connection, spec);
	snprintf(sql, sizeof sql,
			 "SELECT atttypid::regtype FROM pg_attribute"
			 " WHERE attrelid = '%s'::regclass AND attname = 'code'",
			 v->table);
	result = client_query(v->connection, sql);
	snprintf(v->type, sizeof v->type, "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	v->schedstat = client_open_processor(v->connection);
	v->ms = bench_alloc(sizeof(double) * queries);
	v->cpu = bench_alloc(sizeof(double) * queries);
}

/* The filter's SQL for fine column number `fine` */
static const char *
where_of(const BenchFilter *filter, int fine)
{
	static char text[256];

	if (strstr(filter->where, "%d") == NULL)
		return filter->where;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof text, filter->where, fine);
#pragma GCC diagnostic pop
	return text;
}

static void
prepare(Variant *v, const BenchFilter *filter, int k)
{
	int columns = strstr(filter->where, "%d") != NULL ? BENCH_FINE : 1;
	char sql[1024];

	client_do(v->connection, "DEALLOCATE ALL");
	for (int i = 0; i < columns; i++)
	{
		snprintf(sql, sizeof sql,
				 "PREPARE ask%d (%s%s%s) AS SELECT id FROM %s"
				 " WHERE %s ORDER BY code <~> $1 LIMIT %d",
				 i, v->type, *filter->types ? "," : "", filter->types, v->table,
				 where_of(filter, i), k);
		client_do(v->connection, sql);
	}
}

/* Parameters beyond the code */
static int
bind(const BenchFilter *filter, const BenchParams *query, char text[2][32])
{
	if (filter->bind == NULL)
		return 0;
	filter->bind(query, text);
	return strchr(filter->types, ',') != NULL ? 2 : 1;
}

static PGresult *
ask(Run *run, Variant *v, const BenchFilter *filter, int q, double *ms,
	double *cpu)
{
	const BenchParams *query = run->set.params + q;
	char text[2][32], name[16];
	const char *values[3] = {run->code_text, text[0], text[1]};
	int count = 1 + bind(filter, query, text);
	int column =
		strstr(filter->where, "%d") != NULL ? query->number % BENCH_FINE : 0;
	double start, before = client_processor_ms(v->schedstat);
	PGresult *result;

	snprintf(name, sizeof name, "ask%d", column);
	start = client_now();
	result = PQexecPrepared(v->connection, name, count, values, NULL, NULL, 0);
	*ms = (client_now() - start) * 1e3;
	*cpu = client_processor_ms(v->schedstat) - before;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		bench_fail("%s, %s: %s", v->name, filter->name,
				   PQerrorMessage(v->connection));
	return result;
}

/* Judging */

static int
compare_ids(const void *a, const void *b)
{
	long x = *(const long *) a, y = *(const long *) b;

	return (x > y) - (x < y);
}

static int
has_twice(long *ids, int count)
{
	qsort(ids, count, sizeof(long), compare_ids);
	for (int i = 1; i < count; i++)
		if (ids[i] == ids[i - 1])
			return 1;
	return 0;
}

static void
judge(Run *run, Variant *v, int f, int q, int ki, const PGresult *result)
{
	const BenchSet *set = &run->set;
	const BenchTruth *truth = run->truth + q;
	int rows = PQntuples(result), hits = 0, last = 0;
	int unordered = 0, wrong = 0;
	int due = truth->matches < (uint32_t) bench_k[ki] ? (int) truth->matches
													  : bench_k[ki];
	long ids[MAX_K];

	for (int r = 0; r < rows && r < MAX_K; r++)
	{
		size_t id = ids[r] = atol(PQgetvalue(result, r, 0));
		uint8_t passes = 0;
		int d;

		if (id >= set->rows)
			bench_fail("%s returned id %zu", v->name, id);
		d = bench_hamming(set->query_codes + q * set->bytes,
						  set->codes + id * set->bytes, set->bytes);
		run->filters[f].match(set, set->params + q, id, 1, &passes);
		wrong |= !passes;
		unordered |= d < last;
		last = d;
		hits += passes && d <= truth->kth[ki];
	}
	wrong |= rows > due || has_twice(ids, rows);
	v->wrong += wrong;
	v->unordered += unordered;
	v->short_of += rows < due;
	if (due > 0)
	{
		double recall = (double) hits / due;

		v->judged++;
		v->recall_sum += recall;
		v->recall_squares += recall * recall;
		v->below_half += 2 * hits < due;
	}
}

/* Planning time in milliseconds, and the scan that was chosen */
static void
explain(Run *run, Variant *v, const BenchFilter *filter)
{
	const BenchParams *query = run->set.params;
	char text[2][32], sql[8192];
	int count = bind(filter, query, text);
	double *ms = bench_alloc(sizeof(double) * PLANS);
	PGresult *result = NULL;

	/* A new session plans once more: the first is not counted */
	for (int i = -1; i < PLANS; i++)
	{
		int length = snprintf(sql, sizeof sql,
							  "EXPLAIN (SUMMARY, COSTS OFF) EXECUTE ask0('%s'",
							  run->code_text);

		for (int p = 0; p < count; p++)
			length +=
				snprintf(sql + length, sizeof sql - length, ", '%s'", text[p]);
		snprintf(sql + length, sizeof sql - length, ")");
		client_do(v->connection, "DISCARD PLANS");
		PQclear(result);
		result = client_query(v->connection, sql);
		if (i >= 0)
			sscanf(PQgetvalue(result, PQntuples(result) - 1, 0),
				   "Planning Time: %lf", ms + i);
	}
	client_sort(ms, PLANS);
	v->plan_ms = client_percentile(ms, PLANS, 0.5);
	v->plan[0] = '\0';
	for (int r = 0; r < PQntuples(result); r++)
	{
		const char *line = PQgetvalue(result, r, 0);

		line += strspn(line, " ->");
		if (strstr(line, "Scan") == NULL || strchr(line, ':') != NULL)
			continue;
		snprintf(v->plan + strlen(v->plan), sizeof v->plan - strlen(v->plan),
				 "%s%s", v->plan[0] ? " < " : "", line);
	}
	PQclear(result);
	free(ms);
}

/* Rows that the query scores */
static double
rows_scored(Run *run, Variant *v)
{
	char sql[8192];
	double scored = 0;
	PGresult *result;

	snprintf(sql, sizeof sql,
			 "EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, SUMMARY OFF)"
			 " EXECUTE ask0('%s')",
			 run->code_text);
	result = client_query(v->connection, sql);
	for (int r = 0; r < PQntuples(result); r++)
	{
		const char *at = strstr(PQgetvalue(result, r, 0), "Rows Scored: ");

		if (at != NULL)
			scored = atof(at + strlen("Rows Scored: "));
	}
	PQclear(result);
	return scored;
}

/* Rows that each variant scores for the first `asked` queries of a cell, of a
 * filter without parameters */
static void
find_scored(Run *run, int asked)
{
	const BenchSet *set = &run->set;

	for (int i = 0; i < run->variants; i++)
		run->variant[i].scored = 0;
	for (int q = 0; q < asked; q++)
	{
		client_code_text(set->query_codes + q * set->bytes, set->bytes,
						 run->code_text);
		for (int i = 0; i < run->variants; i++)
			run->variant[i].scored += rows_scored(run, run->variant + i);
	}
}

/* Output */

static void
report(Run *run, Variant *v, int f, int ki, int asked)
{
	double n = v->judged > 0 ? v->judged : 1;
	double mean = v->recall_sum / n;
	double variance = v->recall_squares / n - mean * mean;
	double error = variance > 0 ? sqrt(variance / n) : 0;
	double below = v->below_half / n;
	double sum = 0, matches = 0;
	int passes = mean + 2 * error >= v->target && v->short_of == 0 &&
				 v->unordered == 0 && v->wrong == 0 &&
				 (bench_k[ki] < 10 || below <= 0.02);

	for (int i = 0; i < asked; i++)
	{
		sum += v->ms[i];
		matches += run->truth[i].matches;
	}
	client_sort(v->ms, asked);
	client_sort(v->cpu, asked);
	printf("%-20s %4d  %-16s %5d %9.0f  %.4f +-%.4f %6.3f %5d %5d %5d"
		   " %8.3f %8.3f %8.3f %8.3f %7.3f  ",
		   run->filters[f].name, bench_k[ki], v->name, asked, matches / asked,
		   mean, error, below, v->short_of, v->unordered, v->wrong,
		   client_percentile(v->ms, asked, .5),
		   client_percentile(v->ms, asked, .95),
		   client_percentile(v->ms, asked, .99),
		   client_percentile(v->cpu, asked, .5), v->plan_ms);
	if (run->rnd_only)
		printf("%9.0f  ", v->scored / asked);
	printf("%-4s %s\n",
		   v->target == 0 ? ""
		   : passes		  ? "pass"
						  : "FAIL",
		   v->plan);
	fprintf(run->out,
			"%s\t%zu\t%s\t%d\t%s\t%g\t%d\t%.1f\t%.5f\t%.5f\t%.5f\t%d\t%d\t%d"
			"\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%s\t%s\t%.1f\n",
			run->set.folder, run->set.rows, run->filters[f].name, bench_k[ki],
			v->name, v->target, asked, matches / asked, mean, error, below,
			v->short_of, v->unordered, v->wrong,
			client_percentile(v->ms, asked, .5),
			client_percentile(v->ms, asked, .95),
			client_percentile(v->ms, asked, .99), sum / asked,
			client_percentile(v->cpu, asked, .5), v->plan_ms,
			v->target == 0 ? "-"
			: passes	   ? "pass"
						   : "FAIL",
			v->plan, v->scored / asked);
	fflush(stdout);
	fflush(run->out);
}

/* Put numbers into another order, the same ones in each run. */
static void
shuffle(int *numbers, int count)
{
	static uint64_t state = 1;

	for (int i = count - 1; i > 0; i--)
	{
		int other;
		int number = numbers[i];

		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		other = (int) ((state >> 33) % (i + 1));
		numbers[i] = numbers[other];
		numbers[other] = number;
	}
}

static void
run_cell(Run *run, int f, int ki)
{
	const BenchFilter *filter = run->filters + f;
	const BenchSet *set = &run->set;
	int turns[MAX_VARIANTS];
	double end;
	int q = 0;

	for (int i = 0; i < run->variants; i++)
	{
		Variant *v = run->variant + i;

		turns[i] = i;
		v->recall_sum = v->recall_squares = 0;
		v->judged = v->below_half = v->short_of = v->unordered = v->wrong = 0;
		prepare(v, filter, bench_k[ki]);
		client_code_text(set->query_codes, set->bytes, run->code_text);
		explain(run, v, filter);
	}
	/* The last queries warm up, so that their blocks are nobody's advantage */
	end = client_now() + run->seconds * WARM_UP_SHARE;
	for (int w = 0; w < WARM_UP && w < (int) set->queries; w++)
	{
		if (client_now() > end)
			break;
		for (int i = 0; i < run->variants; i++)
		{
			int last = (int) set->queries - 1 - w;
			double ms, cpu;

			client_code_text(set->query_codes + last * set->bytes, set->bytes,
							 run->code_text);
			PQclear(ask(run, run->variant + i, filter, last, &ms, &cpu));
		}
	}
	end = client_now() + run->seconds;
	for (; q < run->queries; q++)
	{
		if (q >= LEAST_QUERIES && client_now() > end)
			break;
		client_code_text(set->query_codes + q * set->bytes, set->bytes,
						 run->code_text);
		shuffle(turns, run->variants);
		for (int i = 0; i < run->variants; i++)
		{
			/* Nobody always follows the same one, who leaves caches warm */
			Variant *v = run->variant + turns[i];
			PGresult *result = ask(run, v, filter, q, v->ms + q, v->cpu + q);

			judge(run, v, f, q, ki, result);
			PQclear(result);
		}
	}
	if (run->rnd_only)
		find_scored(run, q);
	for (int i = 0; i < run->variants; i++)
		report(run, run->variant + i, f, ki, q);
}

/* The truth of a filter: from the file, or found now */
static void
get_truth(Run *run, int f)
{
	const BenchSet *set = &run->set;
	uint16_t *distances;

	if (run->set.truth != NULL && run->filters == bench_filters)
	{
		memcpy(run->truth, set->truth + f * set->queries,
			   sizeof(BenchTruth) * run->queries);
		return;
	}
	distances = bench_alloc(sizeof(uint16_t) * set->rows);
	for (int q = 0; q < run->queries; q++)
	{
		bench_distances(set, q, distances);
		bench_find_truth(set, run->filters + f, q, distances, run->truth + q);
	}
	free(distances);
}

/* What a round trip costs that asks for nothing */
static void
report_round_trip(Run *run)
{
	PGconn *connection = run->variant[0].connection;
	double ms[1000];

	client_do(connection, "PREPARE nothing AS SELECT 1");
	for (int i = 0; i < 1000; i++)
	{
		double start = client_now();

		PQclear(PQexecPrepared(connection, "nothing", 0, NULL, NULL, NULL, 0));
		ms[i] = (client_now() - start) * 1e3;
	}
	client_sort(ms, 1000);
	printf("round trip of SELECT 1: p50 %.3f ms, p95 %.3f ms\n", ms[500],
		   ms[950]);
}

/* Is the number in the comma-separated list?  No list has all. */
static int
listed(const char *list, int number)
{
	if (list == NULL)
		return 1;
	for (const char *p = list; p != NULL; p = strchr(p, ','))
	{
		p += *p == ',';
		if (atoi(p) == number)
			return 1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static Run run;
	const char *cells = NULL, *ks = NULL;
	int option;

	run.queries = 1000;
	run.seconds = 1e9;
	if (argc < 5)
		bench_fail("usage: search CONNINFO FOLDER OUT [-c CELLS] [-k KS]"
				   " [-n QUERIES] [-s SECONDS] [-g] [-r] "
				   "NAME|TABLE|TARGET|SETTINGS ...");
	run.filters = bench_filters;
	run.filter_count = bench_filter_count;
	optind = 4;
	while ((option = getopt(argc, argv, "c:gk:n:rs:")) != -1)
		switch (option)
		{
			case 'g':
				run.filters = grid_filters;
				run.filter_count = grid_filter_count;
				break;
			case 'c':
				cells = optarg;
				break;
			case 'k':
				ks = optarg;
				break;
			case 'n':
				run.queries = atoi(optarg);
				break;
			case 'r':
				run.rnd_only = 1;
				break;
			case 's':
				run.seconds = atof(optarg);
				break;
			default:
				return 1;
		}
	bench_open(&run.set, argv[2],
			   run.rnd_only					  ? BENCH_RND
			   : run.filters == bench_filters ? BENCH_TRUTH
											  : BENCH_COLUMNS);
	if (run.queries > (int) run.set.queries)
		run.queries = (int) run.set.queries;
	if (argc - optind < 1 || argc - optind > MAX_VARIANTS)
		bench_fail("expected 1 to %d variants", MAX_VARIANTS);
	while (optind < argc)
		open_variant(run.variant + run.variants++, argv[1], argv[optind++],
					 run.queries);
	run.code_text = bench_alloc(run.set.bytes * 8 + 1);
	run.out = fopen(argv[3], "a");
	if (run.out == NULL)
		bench_fail("cannot write %s", argv[3]);
	fseek(run.out, 0, SEEK_END);
	if (ftell(run.out) == 0)
		fputs(
			"data\trows\tfilter\tk\tvariant\ttarget\tqueries\tmatches"
			"\trecall\terror\tbelow_half\tshort\tunordered\twrong"
			"\tp50\tp95\tp99\tmean\tcpu_p50\tplanning\tpasses\tplan\tscored\n",
			run.out);
	report_round_trip(&run);
	printf("%-20s %4s  %-16s %5s %9s  %-14s %6s %5s %5s %5s %8s %8s %8s %8s %7s"
		   "%s\n",
		   "filter", "k", "variant", "n", "matches", "recall", "<half", "short",
		   "order", "wrong", "p50 ms", "p95", "p99", "cpu p50", "plan",
		   run.rnd_only ? "     scored" : "");
	run.truth = bench_alloc(sizeof(BenchTruth) * run.queries);
	for (int f = 0; f < run.filter_count; f++)
	{
		if (!listed(cells, f) ||
			(run.filters + f == bench_filters + bench_label_filter() &&
			 run.set.labels == NULL))
			continue;
		get_truth(&run, f);
		for (int ki = 0; ki < BENCH_KS; ki++)
			if (listed(ks, bench_k[ki]))
				run_cell(&run, f, ki);
	}
	for (int i = 0; i < run.variants; i++)
		PQfinish(run.variant[i].connection);
	return fclose(run.out) != 0;
}
