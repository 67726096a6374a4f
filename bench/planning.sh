#!/bin/sh
# Planning time with hashemb's index beside that without it
#
#   bench/planning.sh
#
# Generated tables with 0 to 9 other indexes, not partitioned and in 8 and 64
# partitions, each twice; queries with 0 to 6 conditions, planned by EXPLAIN in
# turns. From the environment: PG_CONFIG, DATA, RESULTS, and
#
#   ROWS    rows of a table (100000)
#   ROUNDS  plannings a cell (200; with 64 partitions a quarter)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$here/../build/bench
: "${ROWS:=100000}" "${ROUNDS:=200}" "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-planning

. "$here/server.sh"

run()
{
	describe "$ROWS generated rows, codes of 128 bits; $ROUNDS plannings a cell"
	sql -v rows="$ROWS" -v rounds="$ROUNDS" -f "$here/planning.sql"
}

start_server
run_and_keep
