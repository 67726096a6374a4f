#!/bin/sh
# Measure what a row costs that a search scores, over whole searches of real codes:
# float queries against 4 bits a dimension, and codes of one bit by Hamming
# distance, at every level of kernels that the machine has: bench/scored.sql.
#
#   bench/scored.sh FOLDER         (bench/embeddings.c says of what form)
#
# Writes below build/bench/results/. From the environment, as in bench/run.sh:
# PG_CONFIG, DATA, SHARED_BUFFERS, MAINTENANCE_WORK_MEM, RESULTS; and
#
#   QUERIES    a search each, 400: the system counts processor time by ticks of up
#              to 10 ms, and a round should last many
#   ROUNDS     of which the best and the median are told, 5
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/scored.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${QUERIES:=400}" "${ROUNDS:=5}"
: "${SHARED_BUFFERS:=512MB}" "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-scored

. "$here/server.sh"

dims=$(($(wc -c < "$folder/mean.f32") / 4))

run()
{
	describe "$(wc -c < "$folder/dense.scale.f32" | awk '{ print $1 / 4 }') embeddings of $dims dimensions, $QUERIES queries"
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION hashemb;
	CREATE UNLOGGED TABLE hashemb (id integer, code bincode($dims),
		embedding real[]);
	ALTER TABLE hashemb ALTER embedding SET STORAGE plain;
	SQL
	"$build/embeddings" copy "$folder" hashemb |
		sql -c "COPY hashemb (id, code, embedding) FROM STDIN (FORMAT binary)"
	sql -v queries="$QUERIES" -v rounds="$ROUNDS" -f "$here/scored.sql"
	echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

start_server
run_and_keep
