#!/bin/sh
# Measure orders by a sum of two distances, code or dense vector and sparse vector
# of the same documents, beside the searches by either distance alone, in one table
# on one throwaway server.
#
#   bench/sums.sh FOLDER     (bench/embeddings.c and bench/vectors.c say of what form)
#
# Prints a table and writes it below build/bench/results/. From the environment,
# as in bench/run.sh: PG_CONFIG, DATA, QUERIES (100), WORKERS, SHARED_BUFFERS,
# MAINTENANCE_WORK_MEM, RESULTS; and ROUNDS (5).
#
# Recall at 10 is that of the exact order by the sum, which a sequential scan
# finds: rows returned that are no farther than its last one. Times are those of the
# server process on a processor, planning included, a mean over the queries; the
# variants take turns, and the median of the rounds is told.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/sums.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${QUERIES:=100}" "${ROUNDS:=5}" "${SHARED_BUFFERS:=2GB}"
: "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-sums

. "$here/server.sh"

# Values stay in the row, as short ones do: else each look at one is another search
load()
{
	lists=$socket/lists
	mkdir "$lists"
	"$build/vectors" wordnet "$folder" "$lists" > /dev/null
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION hashemb;
	CREATE TABLE dense (id integer, code bincode(512), v real[]);
	CREATE TABLE sparse (id integer, v svec(30000), rnd integer, label text);
	CREATE TABLE asked (q integer, code bincode(512), v real[]);
	CREATE TABLE asked_words (q integer, v svec(30000));
	ALTER TABLE dense ALTER v SET STORAGE external;
	ALTER TABLE asked ALTER v SET STORAGE external;
	SQL
	"$build/embeddings" copy "$folder" hashemb |
		sql -c "COPY dense FROM STDIN (FORMAT binary)"
	"$build/embeddings" queries "$folder" hashemb |
		sql -c "COPY asked FROM STDIN (FORMAT binary)"
	"$build/sparse" copy "$lists" 0 1000000000 |
		sql -c "COPY sparse FROM STDIN (FORMAT binary)"
	"$build/sparse" text "$lists" queries | sql -c "COPY asked_words FROM STDIN"
	sql <<-SQL
	CREATE TABLE doc (id integer, rnd integer, label text, code bincode(512),
		words svec(30000), v real[]);
	ALTER TABLE doc ALTER code SET STORAGE plain, ALTER words SET STORAGE plain,
		ALTER v SET STORAGE plain;
	INSERT INTO doc SELECT id, rnd, label, code, s.v, d.v
		FROM dense d JOIN sparse s USING (id) ORDER BY id;
	CREATE TABLE query (LIKE doc INCLUDING STORAGE);
	INSERT INTO query SELECT q, NULL, NULL, a.code, w.v, a.v
		FROM asked a JOIN asked_words w USING (q) WHERE q < $QUERIES;
	DROP TABLE dense, sparse, asked, asked_words;
	CREATE INDEX doc_code ON doc USING hashemb (code, rnd, label);
	CREATE INDEX doc_words ON doc USING hashemb (words, rnd, label);
	CREATE INDEX doc_v ON doc USING hashemb (v real_cosine_ops, rnd, label)
		WITH (dims = 512);
	VACUUM ANALYZE;
	CHECKPOINT;
	SQL
	echo "rows        $(sql -c 'SELECT count(*) FROM doc'), queries $QUERIES"
}

functions()
{
	sql <<-SQL
	CREATE TABLE truth (sum text, condition text, q integer, rows integer,
		last double precision);
	CREATE TABLE times (sum text, condition text, ms numeric);
	CREATE FUNCTION statement(sum text, condition text) RETURNS text LANGUAGE sql
		AS \$\$ SELECT format('SELECT array(SELECT %1\$s FROM doc WHERE %2\$s
			ORDER BY %1\$s LIMIT 10)', sum, condition) \$\$;
	CREATE FUNCTION find_truth(sum text, condition text) RETURNS void
		LANGUAGE plpgsql SET enable_indexscan = off SET enable_bitmapscan = off AS \$\$
	DECLARE
		one record;
		found double precision[];
	BEGIN
		FOR one IN SELECT * FROM query LOOP
			EXECUTE statement(sum, condition) INTO found
				USING one.code, one.words, one.v;
			INSERT INTO truth VALUES (sum, condition, one.id,
				coalesce(array_length(found, 1), 0), found[array_length(found, 1)]);
		END LOOP;
	END \$\$;
	-- every query once; what a query takes
	CREATE FUNCTION pass(sum text, condition text) RETURNS void LANGUAGE plpgsql AS \$\$
	DECLARE
		one record;
		found double precision[];
		text text := statement(sum, condition);
		start numeric := split_part(pg_read_file('/proc/self/schedstat'), ' ', 1);
	BEGIN
		FOR one IN SELECT * FROM query LOOP
			EXECUTE text INTO found USING one.code, one.words, one.v;
		END LOOP;
		INSERT INTO times VALUES (sum, condition,
			(split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric - start)
			/ 1e6 / (SELECT count(*) FROM query));
	END \$\$;
	-- mean recall, its standard error, queries with too few rows
	CREATE FUNCTION judge(sum text, condition text) RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE
		one record;
		found double precision[];
		recall double precision[];
		few integer := 0;
	BEGIN
		FOR one IN SELECT query.*, truth.rows, truth.last FROM query JOIN truth
			ON truth.q = query.id WHERE truth.sum = judge.sum
				AND truth.condition = judge.condition LOOP
			EXECUTE statement(sum, condition) INTO found
				USING one.code, one.words, one.v;
			recall := recall || (SELECT count(*) FILTER (WHERE f <= one.last)
				FROM unnest(found) f) / one.rows::double precision;
			few := few + (coalesce(array_length(found, 1), 0) < one.rows)::integer;
		END LOOP;
		RETURN (SELECT format('recall %s +- %s%s', to_char(avg(r), '0.000'),
			to_char(coalesce(stddev(r), 0) / sqrt(count(*)), '0.000'),
			CASE WHEN few > 0 THEN format('  %s short of rows', few) ELSE '' END)
			FROM unnest(recall) r);
	END \$\$;
	-- what a scan did, on average
	CREATE FUNCTION work(sum text, condition text) RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE
		one record;
		plan json;
		rows numeric[] := '{0,0}';
		completed numeric := 0;
		sweeps numeric := 0;
		term json;
		other integer := 0;
	BEGIN
		FOR one IN SELECT * FROM query LOOP
			EXECUTE format('EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) SELECT %1\$s
				FROM doc WHERE %2\$s ORDER BY %1\$s LIMIT 10', sum, condition)
				INTO plan USING one.code, one.words, one.v;
			plan := plan -> 0 -> 'Plan' -> 'Plans' -> 0;
			IF plan ->> 'Custom Plan Provider' IS DISTINCT FROM 'hashemb sum' THEN
				other := other + 1;
				CONTINUE;
			END IF;
			FOR t IN 0 .. 1 LOOP
				rows[t + 1] := rows[t + 1] + (plan -> 'Terms' -> t ->> 'Rows')::numeric;
			END LOOP;
			completed := completed + (plan ->> 'Rows Completed')::numeric;
			sweeps := sweeps + (plan ->> 'Table Sweeps')::numeric;
		END LOOP;
		RETURN format('rows %s and %s, completed %s%s%s',
			round(rows[1] / $QUERIES), round(rows[2] / $QUERIES),
			round(completed / $QUERIES),
			CASE WHEN sweeps > 0 THEN format(', sweeps %s', sweeps) ELSE '' END,
			CASE WHEN other > 0 THEN format(', %s by other plans', other) ELSE '' END);
	END \$\$;
	SQL
}

code='(code <~> $1)'
words='(words <#> $2)'
dense='(v <=> $3)'

# The distance of a term
alone()
{
	case $1 in
		code) echo "$code" ;;
		dense) echo "$dense" ;;
	esac
}

# sum TERM WEIGHT: with the sparse vectors; bits as a share, so that both are below 1
sum()
{
	case $1 in
		code) echo "$code / 512.0::float8 + $2 * $words" ;;
		dense) echo "$dense + $2 * $words" ;;
	esac
}

# What searches by one distance take, and then every sum of some terms
measure()
{
	condition=$1
	recall=$2
	terms=$3
	settings="SET max_parallel_workers_per_gather = 0; SET hashemb.recall = $recall"
	passes=
	round=0
	while [ "$round" -lt "$ROUNDS" ]
	do
		passes="$passes SELECT pass('$words', '$condition');"
		for term in $terms
		do
			for each in "$(alone $term)" "$(sum $term .03)" "$(sum $term .1)"
			do
				passes="$passes SELECT pass('$each', '$condition');"
			done
		done
		round=$((round + 1))
	done
	sql -c "TRUNCATE times; $settings; $passes" > /dev/null
	echo "recall $recall, WHERE $condition"
	for each in "$words" $(for term in $terms; do alone $term | tr ' ' _; done)
	do
		each=$(echo "$each" | tr _ ' ')
		printf '  %-40s %s ms\n' "$each" "$(sql -c "SELECT to_char(
			percentile_cont(.5) WITHIN GROUP (ORDER BY ms), '990.00') FROM times
			WHERE sum = '$each'")"
	done
	for term in $terms
	do
		for weight in .03 .1
		do
			each=$(sum $term $weight)
			other=$(alone $term)
			printf '  %-40s %s  %s\n' "$each" "$(sql -c "$settings" -c "
				WITH m AS (SELECT sum, percentile_cont(.5) WITHIN GROUP (ORDER BY ms)
					AS ms FROM times GROUP BY sum)
				SELECT format('%s ms, %s times the slower one  ', to_char(ms, '990.00'),
					to_char(ms / (SELECT max(ms) FROM m WHERE sum IN ('$words',
						'$other')), '90.0')) || judge('$each', '$condition')
				FROM m WHERE sum = '$each'")" \
				"$(sql -c "$settings" -c "SELECT work('$each', '$condition')")"
		done
	done
}

run()
{
	echo "bench/sums.sh $(basename "$folder")"
	describe "$(basename "$folder")"
	load
	functions
	for condition in true 'rnd < 100000' 'rnd < 10000'
	do
		for term in code dense
		do
			for weight in .03 .1
			do
				sql -c "SET max_parallel_workers_per_gather = 0" \
					-c "SELECT find_truth('$(sum $term $weight)', '$condition')" \
					> /dev/null
			done
		done
	done
	for condition in true 'rnd < 100000' 'rnd < 10000'
	do
		measure "$condition" 0.95 'code dense'
		measure "$condition" 1 code
	done
	echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

start_server
run_and_keep
