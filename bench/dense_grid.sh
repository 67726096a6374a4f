#!/bin/sh
# Recall of dense vectors over a grid of filters: attributes that come with the
# rows, near the query, far from it, and at random; every k and target. Needs
# pgvector, for the type.
#
#   bench/dense_grid.sh FOLDER    (bench/embeddings.c says of what form; with
#                                  docs.tsv.zst, its rows' attributes)
#
# Prints a line a cell and writes them below build/bench/results/. From the
# environment, as in bench/run.sh: PG_CONFIG, DATA, QUERIES (200), WORKERS,
# SHARED_BUFFERS, MAINTENANCE_WORK_MEM, RESULTS.
#
# Recall is that of the exact order by cosine: rows returned that are no farther
# than the last one of an exact search. "below" marks cells whose mean and two
# standard errors do not reach the target; "lacking" counts queries that got
# fewer rows than there are. Times are means on a processor, planning included.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/dense_grid.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${QUERIES:=200}" "${SHARED_BUFFERS:=3GB}"
: "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-dense-grid

. "$here/server.sh"

dims=$(($(wc -c < "$folder/mean.f32") / 4))

# Rows with their attributes, and queries with the names that are near and far
load()
{
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION hashemb;
	CREATE EXTENSION hashemb_pgvector CASCADE;
	CREATE TABLE loaded (id integer, code bit($dims), v vector($dims));
	CREATE TABLE named (id integer, pos text, lex text, words integer);
	CREATE TABLE query (q integer, v vector($dims));
	SQL
	"$build/embeddings" copy "$folder" pgvector |
		sql -c "COPY loaded FROM STDIN (FORMAT binary)"
	"$build/embeddings" queries "$folder" |
		sql -c "COPY query FROM STDIN (FORMAT binary)"
	zstd -dc "$folder/docs.tsv.zst" | tail -n +2 | cut -f 1,3,4,6 |
		sql -c "COPY named FROM STDIN"
	sql <<-SQL
	CREATE TABLE item (id integer, pos text, lex text, words integer,
		r integer, near integer, v vector($dims));
	ALTER TABLE item ALTER v SET STORAGE plain;
	-- one in 64 rows of a neighbourhood each: the nearest of 64 rows
	CREATE TABLE pivot AS SELECT row_number() OVER () AS near, v
		FROM (SELECT v FROM loaded ORDER BY hashtext('p' || id) LIMIT 64) x;
	INSERT INTO item SELECT id, pos, lex, words, hashtext('r' || id) & 65535,
		(SELECT near FROM pivot p ORDER BY p.v <=> l.v LIMIT 1), v
		FROM loaded l JOIN named USING (id) ORDER BY id;
	CREATE TABLE asked AS SELECT q, v,
		(SELECT lex FROM item ORDER BY item.v <=> query.v LIMIT 1) AS lex,
		(SELECT near FROM pivot p ORDER BY p.v <=> query.v LIMIT 1) AS near,
		(SELECT near FROM pivot p ORDER BY p.v <=> query.v DESC LIMIT 1) AS far
		FROM query WHERE q < $QUERIES;
	DROP TABLE loaded, named, query, pivot;
	CREATE TABLE cell (name text, condition text);
	INSERT INTO cell VALUES ('none', 'true'),
		('random, a tenth', 'r < 6554'), ('random, a hundredth', 'r < 655'),
		('random, a thousandth', 'r < 66'),
		('its own lexicographer file', 'lex = %1\$L'),
		('all others', 'lex <> %1\$L'),
		('verbs', 'pos = ''v'''), ('four words and more', 'words > 3'),
		('verbs of one word, a tenth', 'pos = ''v'' AND words = 1 AND r < 6554'),
		('its neighbourhood, 1/64', 'near = %2\$s'),
		('the opposite one, 1/64', 'near = %3\$s'),
		('the opposite one, a tenth', 'near = %3\$s AND r < 6554'),
		('both', 'near IN (%2\$s, %3\$s) AND words < 3');
	VACUUM ANALYZE;
	CHECKPOINT;
	SQL
	echo "rows        $(sql -c 'SELECT count(*) FROM item') of $dims dimensions"
}

functions()
{
	sql <<-SQL
	CREATE TABLE truth (cell text, q integer, condition text, found float8[]);
	CREATE TABLE result (cell text, k integer, target float8, recall float8,
		lacking integer);
	CREATE FUNCTION nearest(condition text, query vector, k integer)
		RETURNS float8[] LANGUAGE plpgsql AS \$\$
	DECLARE
		found float8[];
	BEGIN
		EXECUTE format('SELECT array(SELECT v <=> %1\$L::vector FROM item
			WHERE %2\$s ORDER BY v <=> %1\$L::vector LIMIT %3\$s)',
			query, condition, k) INTO found;
		RETURN found;
	END \$\$;
	CREATE FUNCTION spent() RETURNS numeric LANGUAGE sql RETURN
		split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric / 1e6;
	-- a cell: its line
	CREATE FUNCTION measure(name text, k integer, target float8) RETURNS text
		LANGUAGE plpgsql AS \$\$
	DECLARE
		one record;
		found float8[];
		many integer;
		recalls float8[];
		lacking integer := 0;
		start numeric := spent();
		time numeric;
	BEGIN
		PERFORM set_config('hashemb.recall', target::text, false);
		FOR one IN SELECT truth.*, v FROM truth JOIN asked USING (q)
			WHERE cell = name AND cardinality(truth.found) > 0 LOOP
			many := least(k, cardinality(one.found));
			found := nearest(one.condition, one.v, k);
			recalls := recalls || (SELECT count(*) FROM unnest(found) f
				WHERE f <= one.found[many]) / many::float8;
			lacking := lacking + (cardinality(found) < many)::integer;
		END LOOP;
		time := (spent() - start) / cardinality(recalls);
		RETURN (SELECT format('%-28s k %-4s %s  recall %s +- %s  %s ms%s%s', name, k,
			to_char(target, '0.00'), to_char(avg(r), '0.0000'),
			to_char(stddev(r) / sqrt(count(*)), '0.0000'),
			to_char(time, '990.00'), CASE WHEN
				avg(r) + 2 * stddev(r) / sqrt(count(*)) < target THEN '  below' END,
			CASE WHEN lacking > 0 THEN format('  %s lacking', lacking) END)
			FROM unnest(recalls) u (r));
	END \$\$;
	INSERT INTO truth SELECT name, q,
		format(condition, asked.lex, asked.near, asked.far), nearest(
			format(condition, asked.lex, asked.near, asked.far), v, 100)
		FROM cell, asked;
	SQL
}

run()
{
	describe "embeddings of $dims dimensions"
	load
	functions
	sql -c "CREATE INDEX ON item USING hashemb
		(v vector_cosine_ops, pos, lex, words, r, near)"
	sql -c "SET max_parallel_workers_per_gather = 0; SET enable_seqscan = off" \
		-c "SELECT measure(name, k, target) FROM (SELECT * FROM cell, unnest(
			'{1,10,100}'::integer[]) k, unnest('{0.9,0.95,0.99}'::float8[])
			target OFFSET 0) cells" > "$out.lines"
	cat "$out.lines"
	echo "cells       $(grep -c recall "$out.lines"), of which" \
		"$(grep -c below "$out.lines" || true) below the target," \
		"$(grep -c lacking "$out.lines" || true) lacking rows"
	rm "$out.lines"
	echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

start_server
run_and_keep
