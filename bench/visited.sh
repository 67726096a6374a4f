#!/bin/sh
# How many rows searches visit, and how many the planner thinks: the constants of
# src/index/blocks/recall/visited.c
#
#   bench/visited.sh FOLDER     (bench/embeddings.c says of what form)
#
# Codes and dense vectors of the same rows, conditions that pass rows at random.
# Told are means over queries of the rows scored and rejected, and what visited.c
# expects for so many. From the environment, as in bench/run.sh: PG_CONFIG, DATA,
# SHARED_BUFFERS, RESULTS; and QUERIES (25).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/visited.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${QUERIES:=25}" "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-visited

. "$here/server.sh"

load()
{
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION hashemb;
	CREATE TABLE doc (id integer, code bincode(512), v real[],
		rnd integer GENERATED ALWAYS AS (hashint4(id) & 1048575) STORED);
	CREATE TABLE query (id integer, code bincode(512), v real[]);
	SQL
	"$build/embeddings" copy "$folder" hashemb |
		sql -c "COPY doc (id, code, v) FROM STDIN (FORMAT binary)"
	"$build/embeddings" queries "$folder" hashemb |
		sql -c "COPY query FROM STDIN (FORMAT binary)"
	sql <<-SQL
	CREATE INDEX doc_code ON doc USING hashemb (code, rnd);
	CREATE INDEX doc_v ON doc USING hashemb (v real_cosine_ops, rnd)
		WITH (dims = 512);
	VACUUM ANALYZE;
	CREATE FUNCTION told(plan jsonb, what text) RETURNS numeric LANGUAGE sql AS
		\$\$ SELECT coalesce((jsonb_path_query_first(plan,
			('\$.**."' || what || '"')::jsonpath))::numeric, 0) \$\$;
	CREATE FUNCTION visited(distance text, condition text, k int) RETURNS numeric
		LANGUAGE plpgsql AS \$\$
	DECLARE
		one record;
		plan jsonb;
		rows numeric := 0;
	BEGIN
		FOR one IN SELECT * FROM query ORDER BY id LIMIT $QUERIES LOOP
			EXECUTE format('EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) SELECT id
				FROM doc WHERE %s ORDER BY %s LIMIT %s', condition, distance, k)
				INTO plan USING one.code, one.v;
			rows := rows + told(plan, 'Rows Scored') + told(plan, 'Rows Filtered');
		END LOOP;
		RETURN round(rows / $QUERIES);
	END \$\$;
	SQL
}

# As in visited.c
expected()
{
	awk -v n="$1" -v recall="$2" -v passes="$3" -v k="$4" 'BEGIN {
		share = (.01 * ((k > 10 ? k : 10) / 10 / passes * .05 /
			(1 - recall)) ^ .5 * (1e6 / n) ^ .4) ^ .68
		printf "%d", n * (share < 1 ? share : 1) }'
}

run()
{
	echo "bench/visited.sh $(basename "$folder")"
	describe "$(basename "$folder")"
	load
	rows=$(sql -c "SELECT count(*) FROM doc")
	echo "rows        $rows, queries $QUERIES; rows visited"
	printf '%6s %6s %4s %8s %8s %8s\n' recall passes k codes vectors expected
	for recall in .90 .95 .99
	do
		for passes in 1 .5 .1 .03 .01
		do
			for k in 1 10 100
			do
				condition="rnd < $passes * 1048576"
				[ $passes != 1 ] || condition=true
				# shellcheck disable=SC2046
				printf '%6s %6s %4s %8s %8s %8s\n' $recall $passes $k $(sql -F ' ' -c "
					SET hashemb.recall = $recall; SET enable_seqscan = off;
					SET enable_sort = off; SELECT visited('code <~> \$1', '$condition',
					$k), visited('v <=> \$2', '$condition', $k)") \
					"$(expected "$rows" $recall $passes $k)"
			done
		done
	done
}

start_server
run_and_keep
