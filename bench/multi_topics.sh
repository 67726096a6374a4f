#!/bin/sh
# Measure lists of correlated tokens, as of contextual models: an index of lists
# beside candidates by MUVERA, and lists of codes beside lists of floats.
#
#   bench/multi_topics.sh [DOCUMENTS [TOKENS [DIMS]]]      200000, 80, 128
#
# Documents are generated: each has a topic, seven of eight tokens are words of it, in
# one of ten senses of their own; queries have 32 tokens of a topic, with noise. Prints
# a table and writes it below build/bench/results/. From the environment, as in
# bench/run.sh: PG_CONFIG, DATA, QUERIES (100), SHARED_BUFFERS, MAINTENANCE_WORK_MEM,
# RESULTS; TOPICS (80), a divisor of 4800; FINAL (512), numbers of a short encoding;
# PARTS, what to measure, of "lists codes muvera" (all, in this order).
#
# Recall is the share of the 10 best by exact MaxSim of floats, +- a standard error;
# "ms" are means of the server process's time on a processor, planning included.
# MUVERA: as many of the nearest encodings as it says, by a scan of all or by an index of
# dense vectors at a recall of .99, ranked by exact MaxSim.  Encodings are as
# muvera_encode makes them without a specification, of 2,560 numbers, or short.
# One scan a query tells of all numbers of candidates; its time is that of the most.
#
# Tables are unlogged and what was measured is dropped, so the disk holds the documents
# (512 bytes a token of 128 numbers) and at most a third of that beside.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
documents=${1:-200000} tokens=${2:-80} dims=${3:-128}
build=$here/../build/bench
: "${QUERIES:=100}" "${SHARED_BUFFERS:=2GB}" "${MAINTENANCE_WORK_MEM:=64MB}"
: "${RESULTS:=$build/results}" "${TOPICS:=80}" "${FINAL:=512}"
: "${PARTS:=lists codes muvera}"
SHORT="{\"final\": $FINAL}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-multi-topics

. "$here/server.sh"

load()
{
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION hashemb;
	DO \$\$ BEGIN PERFORM setseed(0.5); END \$\$;
	CREATE UNLOGGED TABLE word AS SELECT w, ARRAY(SELECT (x * 0.6 + random() + random()
			- 1)::real FROM unnest(v) x WHERE w >= 0) AS v FROM generate_series(0, 4799) w
		JOIN (SELECT t, ARRAY(SELECT random() + random() - 1
			FROM generate_series(1, $dims) WHERE t >= 0) AS v
			FROM generate_series(0, $TOPICS - 1) t) s ON t = w % $TOPICS;
	CREATE UNLOGGED TABLE sense AS SELECT s, ARRAY(SELECT (x + 0.6 * (random() + random()
			- 1))::real FROM unnest(v) x WHERE s >= 0) AS v
		FROM generate_series(0, 47999) s JOIN word ON w = s % 4800;
	CREATE UNIQUE INDEX ON sense (s);
	CREATE UNLOGGED TABLE doc (id integer, r integer, tokens real[]);
	CREATE PROCEDURE add_documents(first integer, last integer) LANGUAGE sql AS \$\$
	INSERT INTO doc SELECT i, hashtext('r' || i) & 65535, l2_normalize(ARRAY(
			SELECT v FROM (SELECT CASE WHEN n % 8 = 0 THEN (random() * 47999)::int
				ELSE i % $TOPICS + $TOPICS * (random() * (48000 / $TOPICS - 1))::int END AS s
				FROM generate_series(1, $tokens) n WHERE i > 0) p JOIN sense USING (s)))
		FROM generate_series(first, last) i \$\$;
	SELECT format('CALL add_documents(%s, %s)', i, least(i + 9999, $documents))
		FROM generate_series(1, $documents, 10000) i \gexec
	CREATE TABLE query AS SELECT i AS q, l2_normalize(array_agg(ARRAY(SELECT
			(x + 0.6 * (random() + random() - 1))::real FROM unnest(v) x WHERE i > 0)))
			AS tokens
		FROM (SELECT i, i % $TOPICS + $TOPICS * (random() * (4800 / $TOPICS - 1))::int AS w
			FROM generate_series(1, $QUERIES) i, generate_series(1, 32)) p
		JOIN word USING (w) GROUP BY i;
	VACUUM ANALYZE;
	CHECKPOINT;
	SQL
	echo "documents   $documents of $tokens tokens of $dims numbers," \
		"table of $(sql -c "SELECT pg_size_pretty(pg_table_size('doc'))")"
	echo "queries     $QUERIES of 32 tokens; of $TOPICS topics, as documents are"
}

functions()
{
	sql <<-SQL
	CREATE FUNCTION spent() RETURNS numeric LANGUAGE sql VOLATILE AS
		\$\$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric \$\$;
	CREATE TABLE truth (q integer, ids integer[], distance double precision);
	CREATE FUNCTION find_truth() RETURNS text LANGUAGE plpgsql
		SET hashemb.enable_scan = off SET enable_indexscan = off AS \$\$
	DECLARE
		one record;
		start numeric := spent();
	BEGIN
		FOR one IN SELECT * FROM query LOOP
			INSERT INTO truth SELECT one.q, array_agg(id), max(d) FROM (SELECT id,
				tokens @# one.tokens AS d FROM doc ORDER BY d LIMIT 10) s;
		END LOOP;
		RETURN format('%s %s ms', rpad('exact scan', 40),
			to_char((spent() - start) / 1e6 / $QUERIES, '99990.00'));
	END \$\$;
	-- a statement that finds ids for a query's tokens, in place of %L; of the first so
	-- many of them the share of the best
	CREATE FUNCTION measure(name text, counts integer[], statement text)
		RETURNS SETOF text LANGUAGE plpgsql AS \$\$
	DECLARE
		one record;
		found integer[];
		start numeric := spent();
		used numeric;
	BEGIN
		CREATE TEMPORARY TABLE shares (n integer, r double precision) ON COMMIT DROP;
		FOR one IN SELECT query.tokens::text AS tokens, ids FROM query JOIN truth
			USING (q) LOOP
			EXECUTE format(statement, one.tokens) INTO found;
			INSERT INTO shares SELECT n, (SELECT count(*) FROM unnest(found[:n]) f
				WHERE f = ANY (one.ids)) / 10.0::double precision FROM unnest(counts) n;
		END LOOP;
		used := spent() - start;
		RETURN QUERY SELECT format('%s recall %s +- %s%s', rpad(replace(name, '%',
				n::text), 40), to_char(avg(r), '0.000'),
			to_char(stddev(r) / sqrt(count(*)), '0.000'),
			CASE WHEN n = counts[cardinality(counts)]
				THEN to_char(used / 1e6 / count(*), '9999990.00') || ' ms' END)
			FROM shares GROUP BY n ORDER BY n;
	END \$\$;
	SQL
}

# build NAME STATEMENT RELATION: a statement's time, and the size of what it makes
build()
{
	sql <<-SQL
	SELECT spent() AS start \\gset
	$2;
	SELECT format('%s made in %s s of the processor, %s', rpad('$1', 24),
		to_char((spent() - :start) / 1e9, '9990.0'),
		pg_size_pretty(pg_total_relation_size('$3')));
	SQL
}

# measure NAME SETTINGS COUNTS STATEMENT: COUNTS are in order, and in place of % in NAME
measure()
{
	sql -c "SET max_parallel_workers_per_gather = 0; $2" \
		-c "SELECT measure('$1', '{$3}', \$\$ $4 \$\$)"
}

lists()
{
	build "index of lists" "CREATE INDEX doc_tokens ON doc
		USING hashemb (tokens maxsim_ops) WITH (dims = $dims)" doc_tokens
	for recall in 0.90 0.95 0.99
	do
		measure "hashemb $recall" "SET hashemb.recall = $recall" 10 \
			"SELECT array(SELECT id FROM doc ORDER BY tokens @# %L::real[] LIMIT 10)"
	done
	sql -c "DROP INDEX doc_tokens"
}

codes()
{
	build "lists of codes" "CREATE UNLOGGED TABLE coded AS SELECT id,
		ARRAY(SELECT binarize(ARRAY(SELECT unnest(tokens[t:t])))::bincode($dims)
			FROM generate_subscripts(tokens, 1) t) AS codes FROM doc" coded
	measure "best of % by codes" "" 10,20,50 "SELECT array(SELECT id FROM coded
		ORDER BY codes @# %L::real[] LIMIT 50)"
	build "index of codes" "CREATE INDEX coded_codes ON coded
		USING hashemb (codes bincode_maxsim_ops)" coded_codes
	for rows in 10 20 50
	do
		measure "best of % by codes, hashemb 0.95" "SET hashemb.recall = 0.95" $rows \
			"SELECT array(SELECT id FROM coded ORDER BY codes @# %L::real[] LIMIT $rows)"
	done
	sql -c "DROP TABLE coded"
}

# candidates WHAT SPECIFICATION COUNTS: of the nearest by encodings, all are ranked by
# exact MaxSim, which takes its time and tells nothing new of what is among them
candidates()
{
	measure "% candidates by $1" "SET hashemb.recall = 0.99" "$3" "
		SELECT array_agg(id ORDER BY place) FILTER (WHERE d IS NOT NULL)
		FROM (SELECT id, place, tokens @# %1\$L::real[] AS d FROM (SELECT id,
				row_number() OVER () AS place FROM (SELECT id FROM encoded ORDER BY v <#>
					muvera_encode(%1\$L::real[], 'query', '$2') LIMIT ${3##*,}) s) c
			JOIN doc USING (id)) r"
}

muvera()
{
	counts=10,20,50,100,200,500
	sql -c "CREATE UNIQUE INDEX ON doc (id)" -c "ANALYZE"
	build "encodings" "CREATE UNLOGGED TABLE encoded AS SELECT id,
		muvera_encode(tokens, 'document', '{}') AS v FROM doc" encoded
	candidates "MUVERA, a scan" '{}' $counts
	sql -c "DROP TABLE encoded"
	build "short encodings" "CREATE UNLOGGED TABLE encoded AS SELECT id,
		muvera_encode(tokens, 'document', '$SHORT') AS v FROM doc" encoded
	candidates "short ones, a scan" "$SHORT" $counts
	build "index of short ones" "CREATE INDEX encoded_v ON encoded
		USING hashemb (v real_ip_ops) WITH (dims = $FINAL)" encoded_v
	for rows in 50 100 200 500
	do
		candidates "short ones, an index" "$SHORT" $rows
	done
	sql -c "DROP TABLE encoded"
}

run()
{
	describe "lists of tokens of topics, generated"
	load
	functions
	sql -c "SET max_parallel_workers_per_gather = 0" -c "SELECT find_truth()"
	for part in $PARTS
	do
		"$part"
	done
	echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

start_server
run_and_keep
