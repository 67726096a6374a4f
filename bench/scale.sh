#!/bin/sh
# Indexes of codes from ten thousand to ten million rows: build, size, searches;
# then inserts, deletes and vacuum of the largest.
#
#   bench/scale.sh [FOLDER]
#
# Codes of 128 bits in clusters of power-law size (bench/clusters.c), made in
# FOLDER if they are not there; without it they go when the run ends. Tables of
# the first 10,000, 100,000, ... of them, one after another. Prints the result and
# writes it below build/bench/results/. From the environment, as in run.sh:
# PG_CONFIG, DATA, QUERIES (200), WORKERS, SHARED_BUFFERS, MAINTENANCE_WORK_MEM,
# INSERTS (20000), RESULTS; and
#
#   SIZES      numbers of rows, the largest last (10000 100000 1000000 10000000)
#
# Ten million take about an hour of a processor, 2 GB of memory and 4 GB of disk.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$here/../build/bench
: "${SIZES:=10000 100000 1000000 10000000}"
: "${QUERIES:=200}" "${INSERTS:=20000}"
: "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-scale
largest=${SIZES##* }

. "$here/server.sh"

folder=${1:-$socket/codes}
used="split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric"
connection="host=$socket user=postgres dbname=postgres"

# timed LABEL STATEMENT: run it; what it took by the clock and on the processor
timed()
{
	sql <<-SQL
	SELECT clock_timestamp() AS start, $used AS used \\gset
	$2;
	SELECT format('%-24s %s s (processor %s s)', '$1',
		round(extract(epoch FROM clock_timestamp() - :'start')::numeric, 2),
		round(($used - :used) / 1e9, 2));
	SQL
}

# The folder of the first so many rows: first_rows ROWS
first_rows()
{
	part=$folder/$1
	mkdir -p "$part"
	cp "$folder/dims" "$folder/queries.bin" "$part"
	head -c $(($1 * 16)) "$folder/codes.bin" > "$part/codes.bin"
	head -c $(($1 * 4)) "$folder/rnd.bin" > "$part/rnd.bin"
}

load()
{
	sql -c "SET client_min_messages = warning" -c "DROP TABLE IF EXISTS item" \
		-c "CREATE TABLE item
		(id integer, code bincode(128), rnd integer, cat smallint)"
	"$build/rows" "$folder/$1" rnd | sql -c "COPY item (id, code, rnd) FROM STDIN"
	sql -c "VACUUM ANALYZE item" -c "CHECKPOINT"
}

# Searches without a filter, of 10, 1 and 0.1 %
search()
{
	"$build/search" "$connection" "$folder/$1" "$out.search.tsv" -r -c 0,3,4,5 \
		-k 10 -n "$QUERIES" \
		"hashemb 0.90|item|0.90|SET hashemb.recall = 0.90" \
		"hashemb 0.95|item|0.95|SET hashemb.recall = 0.95" \
		"hashemb 0.99|item|0.99|SET hashemb.recall = 0.99"
}

# A line that the report reads: rows, seconds of the build on the processor, bytes
# of the index; then of a search without a filter at .95
growth_line()
{
	awk -F '\t' -v rows="$1" -v built="$2" -v bytes="$3" '
		$2 == rows && $3 == "none" && $5 == "hashemb 0.95" {
			printf "growth %d rows: build %s s, index %.1f MB; recall %.4f, " \
				"%.3f ms, %.0f rows scored\n", rows, built, bytes / 1e6, $9,
				$19, $23 }' "$out.search.tsv"
}

# One size: measure ROWS
measure()
{
	echo "---- $1 rows"
	first_rows "$1"
	load "$1"
	built=$(timed build "CREATE INDEX item_search ON item USING hashemb (code, rnd)")
	bytes=$(sql -c "SELECT pg_relation_size('item_search')")
	echo "$built, index $((bytes / 1000000)) MB, table" \
		"$(sql -c "SELECT pg_size_pretty(pg_relation_size('item'))")"
	sql -c "SELECT row_to_json(i) FROM hashemb_index_info('item_search') i"
	search "$1"
	growth_line "$1" "$(echo "$built" | sed 's/.*processor \([0-9.]*\).*/\1/')" "$bytes"
}

# Inserts one by one, without images of whole pages, which depend on the last
# checkpoint; then with the table alone
inserts()
{
	sql -c "ALTER SYSTEM SET full_page_writes = off" \
		-c "SELECT pg_reload_conf()" > /dev/null
	"$build/insert" "$connection" "$folder/$largest" item "$INSERTS" |
		awk -v n="$INSERTS" '{ printf "insert, one client: %d rows, %d rows/s, " \
			"WAL %d bytes a row\n", n, $1, $2 }'
	sql -c "CREATE TABLE alone (LIKE item)"
	"$build/insert" "$connection" "$folder/$largest" alone "$INSERTS" |
		awk -v n="$INSERTS" '{ printf "the table alone: %d rows, %d rows/s, " \
			"WAL %d bytes a row\n", n, $1, $2 }'
	sql -c "ALTER SYSTEM RESET full_page_writes" \
		-c "SELECT pg_reload_conf()" > /dev/null
}

# A hundredth of the rows goes, all over the table
deletes()
{
	timed "delete 1 %" "DELETE FROM item WHERE id % 100 = 7"
	timed vacuum "VACUUM (INDEX_CLEANUP ON) item"
	sql -c "SELECT row_to_json(i) FROM hashemb_index_info('item_search') i"
	sql -c "SELECT 'after it, rows as queries: ' || row_to_json(r)
		FROM hashemb_measure_recall('item_search', 10, 50) r"
}

run()
{
	describe "128 bits, 30,000 clusters of power-law size, of 1/8 bits flipped"
	sql -c "SET client_min_messages = warning" \
		-c "CREATE EXTENSION IF NOT EXISTS hashemb"
	[ -e "$folder/rnd.bin" ] ||
		"$build/clusters" "$folder" "$largest" $((QUERIES + 100))
	rm -f "$out.search.tsv"
	for rows in $SIZES
	do
		measure "$rows"
		[ "$rows" = "$largest" ] || rm -r "${folder:?}/$rows"
	done
	inserts
	deletes
	rm -r "${folder:?}/$largest"
	echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

start_server
run_and_keep
