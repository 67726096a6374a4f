/*
 * insert.c
 *	  One client's inserts: rows a second, and WAL bytes a row.
 *
 *	insert CONNINFO FOLDER TABLE ROWS
 *
 * New codes are rows of the folder with one bit in twelve turned at random:
 * distributed like the rows, equal to none.  Every row is a statement and a
 * transaction of its own, prepared.  Prints rows a second and WAL bytes a row,
 * tab-separated; settings of durability are the server's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#define TURNED 12
#define STREAM_INSERT 901

static double
wal_bytes(PGconn *connection)
{
	PGresult *result = client_query(
		connection,
		"SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')");
	double bytes = atof(PQgetvalue(result, 0, 0));

	PQclear(result);
	return bytes;
}

static void
new_code(const BenchSet *set, size_t i, uint8_t *code)
{
	uint64_t u = bench_random(STREAM_INSERT, i);

	memcpy(code, set->codes + u % set->rows * set->bytes, set->bytes);
	for (size_t b = 0; b < set->bytes * 8; b++)
		if (bench_random(u, b) % TURNED == 0)
			code[b / 8] ^= 0x80 >> b % 8;
}

int
main(int argc, char **argv)
{
	BenchSet set;
	PGconn *connection;
	char *text, id[32], cat[32], sql[512];
	uint8_t *code;
	const char *values[3];
	double start, wal;
	size_t rows;

	if (argc < 5)
		bench_fail("usage: insert CONNINFO FOLDER TABLE ROWS");
	bench_open(&set, argv[2], BENCH_CODES);
	connection = client_connect(argv[1]);
	rows = strtoul(argv[4], NULL, 10);
	text = bench_alloc(set.bytes * 8 + 1);
	code = bench_alloc(set.bytes);
	snprintf(sql, sizeof sql,
			 "INSERT INTO %s (id, code, cat, rnd) VALUES ($1, $2, $3, $1)",
			 argv[3]);
	PQclear(PQprepare(connection, "add", sql, 0, NULL));
	values[0] = id;
	values[1] = text;
	values[2] = cat;
	wal = wal_bytes(connection);
	start = client_now();
	for (size_t i = 0; i < rows; i++)
	{
		PGresult *result;

		new_code(&set, i, code);
		client_code_text(code, set.bytes, text);
		snprintf(id, sizeof id, "%zu", set.rows + i);
		snprintf(cat, sizeof cat, "%zu", i % 20);
		result = PQexecPrepared(connection, "add", 3, values, NULL, NULL, 0);
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			bench_fail("%s", PQerrorMessage(connection));
		PQclear(result);
	}
	printf("%.0f\t%.0f\n", rows / (client_now() - start),
		   (wal_bytes(connection) - wal) / rows);
	PQfinish(connection);
	return 0;
}
