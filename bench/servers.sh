#!/bin/sh
# Rows on three servers through postgres_fdw, beside the same rows in one table.
#
#   bench/servers.sh
#
# Three databases of one server stand for three servers, with a third of the codes
# of 512 bits each. Each search asks for the ten nearest of a row, by the clock, in
# turns: of one table; of one of the three, with its LIMIT sent; of all three by a
# union of limited searches (docs/scale.md); of a partitioned table of foreign
# tables, whose LIMIT PostgreSQL keeps. Prints medians and how often the distances
# differ from the one table's, which are exact at recall 1. The machine runs all of
# them, so that nothing is gained by three; what is seen is what the way costs. From
# the environment: ROWS (300000), SEARCHES (60), PARTITIONED (yes; no: without the
# last way, which takes seconds a search), RECALL (1), and server.sh's.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$here/../build/bench
: "${ROWS:=300000}" "${SEARCHES:=60}" "${PARTITIONED:=yes}" "${RECALL:=1}"
: "${SHARED_BUFFERS:=1GB}"
: "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-servers.txt

. "$here/server.sh"

load()
{
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION hashemb; CREATE EXTENSION postgres_fdw;
	CREATE TABLE item AS SELECT i AS id, i % 20 AS a, (
		(('x' || md5(c || 'e') || md5(c || 'f') || md5(c || 'g') || md5(c || 'h'))::bit(512)
			# (('x' || md5(i || 'a') || md5(i || 'b') || md5(i || 'c') || md5(i || 'd'))::bit(512)
			& ('x' || md5(i || 'i') || md5(i || 'j') || md5(i || 'k') || md5(i || 'l'))::bit(512))))::bincode(512) AS c
		FROM (SELECT i, hashint4(i)::bigint & 1023 AS c FROM generate_series(1, $ROWS) i) x;
	CREATE INDEX ON item USING hashemb (c, a); CREATE UNIQUE INDEX ON item (id); VACUUM ANALYZE item;
	CREATE TABLE all_items (LIKE item) PARTITION BY LIST (a);
	SQL
	for n in 0 1 2; do
		sql -c "CREATE DATABASE s$n"
		sql -d s$n -c 'CREATE EXTENSION hashemb; CREATE TABLE item (id int, a int, c bincode(512))'
		sql -c "COPY (SELECT * FROM item WHERE id % 3 = $n) TO STDOUT" |
			sql -d s$n -c 'COPY item FROM STDIN'
		sql -d s$n -c 'CREATE INDEX ON item USING hashemb (c, a)' -c 'VACUUM ANALYZE item'
		sql <<-SQL
		CREATE SERVER s$n FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$socket', dbname 's$n', extensions 'hashemb', use_remote_estimate 'true', options '-c hashemb.recall=$RECALL');
		CREATE USER MAPPING FOR PUBLIC SERVER s$n OPTIONS (user 'postgres', password_required 'false');
		CREATE FOREIGN TABLE item$n (id int, a int, c bincode(512)) SERVER s$n OPTIONS (table_name 'item');
		CREATE FOREIGN TABLE part$n PARTITION OF all_items FOR VALUES IN ($n) SERVER s$n OPTIONS (table_name 'item');
		SQL
	done
}

measure()
{
	partitioned=
	[ "$PARTITIONED" != yes ] || partitioned=",
		ask('partitions on three servers', q, \$\$SELECT string_agg(d::text, ' ') FROM (SELECT c <~> :q AS d FROM all_items ORDER BY d LIMIT 10) x\$\$)"
	sql <<-SQL
	SET client_min_messages = warning;
	SET hashemb.recall = $RECALL;
	CREATE TABLE seen (way text, q int, ms float8, distances text);
	CREATE FUNCTION ask(way text, q int, query text) RETURNS void LANGUAGE plpgsql AS \$\$
	DECLARE
		code text := (SELECT c::text FROM item WHERE id = q);
		began timestamptz := clock_timestamp();
		got text;
	BEGIN
		EXECUTE replace(query, ':q', quote_literal(code) || '::bincode(512)') INTO got;
		INSERT INTO seen VALUES (way, q, 1000 * extract(epoch FROM clock_timestamp() - began), got);
	END \$\$;
	SELECT ask('one table', q, \$\$SELECT string_agg(d::text, ' ') FROM (SELECT c <~> :q AS d FROM item ORDER BY d LIMIT 10) x\$\$),
		ask('one of three servers', q, \$\$SELECT string_agg(d::text, ' ') FROM (SELECT c <~> :q AS d FROM item0 ORDER BY d LIMIT 10) x\$\$),
		ask('three servers, each with a LIMIT', q, \$\$SELECT string_agg(d::text, ' ') FROM (SELECT * FROM ((SELECT c <~> :q AS d FROM item0 ORDER BY d LIMIT 10)
			UNION ALL (SELECT c <~> :q FROM item1 ORDER BY 1 LIMIT 10) UNION ALL (SELECT c <~> :q FROM item2 ORDER BY 1 LIMIT 10)) y ORDER BY d LIMIT 10) x\$\$)$partitioned
		FROM (SELECT 1 + (hashint4(i)::bigint & 1073741823)::int % $ROWS AS q FROM generate_series(1, $SEARCHES) i) x \\g /dev/null
	SQL
	printf '%-36s %9s %9s\n' way 'p50, ms' different
	sql -F ' ' <<-SQL | awk -F ' [|] ' '{ printf "%-36s %9s %9s\n", $1, $2, $3 }'
	SELECT format('%s | %s | %s', way, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s.ms)::numeric, 2),
		CASE WHEN way LIKE 'one of%' THEN '-' ELSE count(*) FILTER (WHERE s.distances <> o.distances)::text END)
	FROM seen s JOIN (SELECT q, distances FROM seen WHERE way = 'one table') o USING (q) GROUP BY way ORDER BY min(s.ctid);
	SQL
}

start_server
load
{
	echo "ROWS=$ROWS SEARCHES=$SEARCHES PARTITIONED=$PARTITIONED RECALL=$RECALL bench/servers.sh"
	describe "$ROWS generated codes of 512 bits, recall $RECALL"
	measure
} | tee "$out"
