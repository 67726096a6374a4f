#!/bin/sh
# Measure conditions on the distance of dense vectors, v <=> q < c, beside the same
# conditions where the index does not see them, in one table on one throwaway server.
#
#   bench/below.sh FOLDER     (bench/embeddings.c says of what form)
#
# c is the distance of each query's row number 5 or 51 (it passes 4, or 50). Prints a
# table and writes it below build/bench/results/. From the environment, as in
# bench/run.sh: PG_CONFIG, DATA, QUERIES (100), WORKERS, SHARED_BUFFERS,
# MAINTENANCE_WORK_MEM, RESULTS. Times are those of the server process on a
# processor, planning included, a mean over the queries; found is the share of the
# rows that pass.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/below.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${QUERIES:=100}" "${SHARED_BUFFERS:=1GB}" "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-below

. "$here/server.sh"

load()
{
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION hashemb;
	CREATE TABLE doc (id integer, code bincode(512), v real[]);
	CREATE TABLE query (id integer, code bincode(512), v real[]);
	ALTER TABLE doc ALTER v SET STORAGE external;
	SQL
	"$build/embeddings" copy "$folder" hashemb |
		sql -c "COPY doc FROM STDIN (FORMAT binary)"
	"$build/embeddings" queries "$folder" hashemb |
		sql -c "COPY query FROM STDIN (FORMAT binary)"
	sql -c "DELETE FROM query WHERE id >= $QUERIES"
	sql -c "CREATE INDEX doc_v ON doc USING hashemb (v real_cosine_ops)"
	sql -c "VACUUM ANALYZE"
	sql <<-SQL
	CREATE TABLE bounds (id integer, passing integer, c double precision);
	SET max_parallel_workers_per_gather = 0;
	INSERT INTO bounds SELECT q.id, p, (SELECT d FROM (SELECT v <=> q.v AS d FROM doc
		OFFSET 0) s ORDER BY d OFFSET p LIMIT 1) FROM query q, unnest('{4,50}'::int[]) p;
	CREATE FUNCTION heap_rows(plan json) RETURNS numeric LANGUAGE sql AS \$\$
		SELECT coalesce(sum((m)[1]::numeric), 0) FROM regexp_matches(plan::text,
			'"(?:Heap Fetches|Rows Removed by Filter|Rows Removed by Index Recheck)": ([0-9.]+)', 'g') m \$\$;
	-- a query for each vector: time, rows found, rows of the table looked at
	CREATE FUNCTION measure(statement text, passing integer) RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE
		one record;
		plan json;
		rows integer;
		found numeric := 0;
		heap numeric := 0;
		start numeric;
		spent numeric;
		number integer := 0;
	BEGIN
		start := split_part(pg_read_file('/proc/self/schedstat'), ' ', 1);
		FOR one IN SELECT q.v, b.c FROM query q JOIN bounds b USING (id) WHERE b.passing = measure.passing LOOP
			EXECUTE 'SELECT count(*) FROM (' || statement || ') s' INTO rows USING one.v, one.c;
			found := found + rows;
			number := number + 1;
		END LOOP;
		spent := split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric - start;
		FOR one IN SELECT q.v, b.c FROM query q JOIN bounds b USING (id) WHERE b.passing = measure.passing LIMIT 20 LOOP
			EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT json) ' || statement INTO plan USING one.v, one.c;
			heap := heap + heap_rows(plan);
		END LOOP;
		RETURN format('%s ms  found %s  rows looked at %s', to_char(spent / number / 1e6, '9990.00'),
			to_char(found / number / passing, '0.000'), to_char(heap / least(number, 20), '9999990'));
	END \$\$;
	SQL
}

# A line of the table: title, passing, recall, settings, statement
line()
{
	printf '%-44s %3s pass  %s\n' "$1" "$2" "$(sql -c "SET jit = off;
		SET max_parallel_workers_per_gather = 0; SET hashemb.recall = $3; $4;
		SELECT measure(\$q\$$5\$q\$, $2)" | tail -n 1)"
}

table()
{
	seen='v <=> $1 < $2'
	hidden='(v <=> $1) + 0 < $2'
	rest='ORDER BY v <=> $1 LIMIT 100'
	for passing in 4 50
	do
		for recall in 0.95 0.99
		do
			line "LIMIT 100, recall $recall" $passing $recall '' "SELECT id FROM doc WHERE $seen $rest"
		done
		line 'LIMIT 100, recall 0.95, hidden from the index' $passing 0.95 '' "SELECT id FROM doc WHERE $hidden $rest"
		line 'ordered, all rows' $passing 0.95 '' "SELECT id FROM doc WHERE $seen ORDER BY v <=> \$1"
		line 'no order' $passing 0.95 '' "SELECT id FROM doc WHERE $seen"
		line 'no order, a sequential scan' $passing 0.95 'SET enable_bitmapscan = off; SET enable_indexscan = off' "SELECT id FROM doc WHERE $seen"
	done
}

start_server
{
	echo "bench/below.sh $(basename "$folder")"
	echo "date        $(date -u '+%Y-%m-%d %H:%M UTC')"
	echo "system      $(uname -sr), load $(cut -d' ' -f1 /proc/loadavg)"
	echo "server      $(sql -c 'SELECT version()')"
	load
	echo "rows        $(sql -c 'SELECT count(*) FROM doc'), queries $QUERIES"
	echo
	table
} | tee "$out"
