/*
 * client.c
 *	  What the benchmark's clients share.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

PGconn *
client_connect(const char *conninfo)
{
	PGconn *connection = PQconnectdb(conninfo);

	if (PQstatus(connection) != CONNECTION_OK)
		bench_fail("%s", PQerrorMessage(connection));
	return connection;
}

PGresult *
client_query(PGconn *connection, const char *sql)
{
	PGresult *result = PQexec(connection, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		bench_fail("%s: %s", sql, PQerrorMessage(connection));
	return result;
}

void
client_do(PGconn *connection, const char *sql)
{
	PQclear(client_query(connection, sql));
}

void
client_code_text(const uint8_t *code, size_t bytes, char *text)
{
	for (size_t b = 0; b < bytes * 8; b++)
		text[b] = '0' + (code[b / 8] >> (7 - b % 8) & 1);
	text[bytes * 8] = '\0';
}

double
client_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

int
client_open_processor(const PGconn *connection)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/schedstat", PQbackendPID(connection));
	return open(path, O_RDONLY);
}

double
client_processor_ms(int file)
{
	char text[128] = "";

	if (file < 0 || pread(file, text, sizeof text - 1, 0) < 1)
		return 0;
	return atof(text) / 1e6;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

void
client_sort(double *samples, int count)
{
	qsort(samples, count, sizeof(double), compare);
}

double
client_percentile(const double *sorted, int count, double share)
{
	int i = (int) (share * count);

	if (count == 0)
		return 0;
	return sorted[i < count ? i : count - 1];
}
