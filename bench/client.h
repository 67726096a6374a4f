/*
 * client.h
 *	  What the benchmark's clients share: a connection that fails loudly, a
 *	  clock, and percentiles.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <libpq-fe.h>

#include "data.h"

/* Connect, or exit */
extern PGconn *client_connect(const char *conninfo);

/* Run a command or query; exits unless it succeeds.  The caller clears. */
extern PGresult *client_query(PGconn *connection, const char *sql);

/* The same where the result does not matter */
extern void client_do(PGconn *connection, const char *sql);

/* A code as the text of a bit string; `text` has room for 8 * bytes + 1 */
extern void client_code_text(const uint8_t *code, size_t bytes, char *text);

/* Seconds since some moment */
extern double client_now(void);

/* The session's time on a processor: a file to ask, -1 if not told here, and
 * milliseconds so far, 0 if not told */
extern int client_open_processor(const PGconn *connection);
extern double client_processor_ms(int file);

/* Sort samples, and the value below which the share of them lies */
extern void client_sort(double *samples, int count);
extern double client_percentile(const double *sorted, int count, double share);

#endif /* BENCH_CLIENT_H */
