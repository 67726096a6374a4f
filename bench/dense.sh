#!/bin/sh
# Measure indexes of dense vectors with filters: hashemb's beside pgvector's HNSW
# and beside finding the rows by a B-tree and sorting them, in one table on one
# throwaway server. Needs both extensions.
#
#   bench/dense.sh FOLDER         (bench/embeddings.c says of what form;
#                                  build/bench/points generates one)
#
# Prints a table and writes it below build/bench/results/. From the environment,
# as in bench/run.sh: PG_CONFIG, DATA, QUERIES (300), WORKERS, SHARED_BUFFERS,
# MAINTENANCE_WORK_MEM, RESULTS; and
#
#   K        the rows asked for (10)
#   INDEXES  what to measure, of "hashemb hnsw btree" (all)
#   STORAGE  of the vectors in the table: plain, or external, which is out of line,
#            as PostgreSQL has those of more than 500 numbers by default (plain)
#   INSERTS  0: none (1)
#
# Recall is that of the exact order by cosine: rows returned that are no farther
# than the last one of an exact search, of those that it returns. Times are means
# of the server process's on a processor, which no percentiles could be had of;
# planning included: statements are new ones, with the vector bound to them. Inserts into an index are measured
# beside the same without it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/dense.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${QUERIES:=300}" "${K:=10}" "${SHARED_BUFFERS:=3GB}"
: "${INDEXES:=hashemb hnsw btree}" "${STORAGE:=plain}" "${INSERTS:=1}"
: "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-dense

. "$here/server.sh"

dims=$(($(wc -c < "$folder/mean.f32") / 4))

# Is the index one of those to measure?
uses()
{
	case " $INDEXES " in
		*" $1 "*) return 0 ;;
	esac
	return 1
}

# create TABLE: with an attribute that passes any share of the rows
create()
{
	sql <<-SQL
	CREATE TABLE $1 (id integer, r integer
		GENERATED ALWAYS AS (hashtext('r' || id::text) & 65535) STORED,
		v vector($dims));
	ALTER TABLE $1 ALTER v SET STORAGE $STORAGE;
	SQL
}

# Rows and queries: a table of its own for each index
load()
{
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION hashemb;
	CREATE EXTENSION hashemb_pgvector CASCADE;
	CREATE TABLE query (q integer, v vector($dims));
	SQL
	"$build/embeddings" queries "$folder" |
		sql -c "COPY query FROM STDIN (FORMAT binary)"
	create a
	"$build/embeddings" copy "$folder" vector |
		sql -c "COPY a (id, v) FROM STDIN (FORMAT binary)"
	for pair in hnsw:b btree:c
	do
		if uses "${pair%:*}"
		then
			create "${pair#*:}"
			sql -c "INSERT INTO ${pair#*:} (id, v) SELECT id, v FROM a"
		fi
	done
	sql -c "VACUUM ANALYZE" -c "CHECKPOINT"
	echo "rows        $(sql -c 'SELECT count(*) FROM a') of $dims dimensions," \
		"table of $(sql -c "SELECT pg_size_pretty(pg_table_size('a'))")"
}

# build NAME DEFINITION
build()
{
	sql <<-SQL
	SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1) AS start \\gset
	CREATE INDEX $1 ON $2;
	SELECT format('%-24s built in %s s of the processor, %s bytes a row', '$1',
		round((split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric
			- :start) / 1e9, 1),
		round(pg_relation_size('$1') / (SELECT count(*) FROM a)::numeric));
	SQL
}

# Rows inserted into an index that was built of the first half: what they log,
# less what they log without an index; time likewise
inserts()
{
	for table in d e
	do
		sql -c "CREATE TABLE $table (LIKE a INCLUDING STORAGE)" \
			-c "INSERT INTO $table SELECT * FROM a WHERE id % 2 = 0"
	done
	sql -c "CREATE INDEX grown_index ON d USING hashemb (v vector_cosine_ops, r)"
	for table in d e
	do
		sql <<-SQL
		SELECT pg_current_wal_insert_lsn() AS lsn,
			split_part(pg_read_file('/proc/self/schedstat'), ' ', 1) AS start \\gset
		INSERT INTO $table SELECT * FROM a WHERE id % 2 = 1;
		SELECT (pg_current_wal_insert_lsn() - :'lsn')::text || ' ' ||
			(split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric
				- :start)::text || ' ' || (SELECT count(*) FROM a WHERE id % 2 = 1);
		SQL
	done | tr '\n' ' ' | awk '{ printf "%-24s %d rows, %d bytes of WAL each, " \
		"%d rows a second of the processor\n", "grown_index", $3,
		($1 - $4) / $3, $3 / (($2 - $5) / 1e9) }'
	sql -c "DROP TABLE d, e"
}

functions()
{
	sql <<-SQL
	CREATE TABLE truth (condition text, q integer, rows integer,
		distance double precision);
	CREATE FUNCTION find_truth(condition text) RETURNS void LANGUAGE plpgsql
		SET enable_indexscan = off SET enable_bitmapscan = off AS \$\$
	DECLARE
		one record;
		found double precision[];
	BEGIN
		FOR one IN SELECT * FROM query WHERE query.q < $QUERIES LOOP
			EXECUTE format('SELECT array(SELECT v <=> \$1 FROM a WHERE %s
				ORDER BY v <=> \$1 LIMIT $K)', condition) INTO found USING one.v;
			INSERT INTO truth VALUES (condition, one.q,
				coalesce(array_length(found, 1), 0), found[array_length(found, 1)]);
		END LOOP;
	END \$\$;
	-- every query once: the line of a variant
	CREATE FUNCTION measure(name text, tab text, condition text) RETURNS text
		LANGUAGE plpgsql AS \$\$
	DECLARE
		one record;
		found double precision[];
		hits integer;
		recall double precision[];
		short_of integer := 0;
		start numeric := split_part(pg_read_file('/proc/self/schedstat'), ' ', 1);
		spent numeric;
	BEGIN
		FOR one IN SELECT query.v, truth.* FROM query
			JOIN truth USING (q) WHERE truth.condition = measure.condition
			ORDER BY q LOOP
			EXECUTE format('SELECT array(SELECT v <=> \$1 FROM %I WHERE %s
				ORDER BY v <=> \$1 LIMIT $K)', tab, condition) INTO found
				USING one.v;
			SELECT count(*) INTO hits FROM unnest(found) f
				WHERE f <= one.distance;
			recall := recall || hits / one.rows::double precision;
			IF coalesce(array_length(found, 1), 0) < one.rows THEN
				short_of := short_of + 1;
			END IF;
		END LOOP;
		spent := split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric
			- start;
		RETURN (SELECT format('%-16s %-18s recall %s +- %s  %s ms%s',
			condition, name, to_char(avg(r), '0.000'),
			to_char(stddev(r) / sqrt(count(*)), '0.000'),
			to_char(spent / 1e6 / count(*), '990.00'),
			CASE WHEN short_of > 0 THEN format('  %s short of rows', short_of)
				ELSE '' END) FROM unnest(recall) u (r));
	END \$\$;
	SQL
}

# measure NAME TABLE CONDITION SETTINGS
measure()
{
	sql -c "SET max_parallel_workers_per_gather = 0; $4" \
		-c "SELECT count(measure('', '$2', '$3')) FROM generate_series(1, 1)
			WHERE '$3' = 'true'" > /dev/null
	sql -c "SET max_parallel_workers_per_gather = 0; $4" \
		-c "SELECT measure('$1', '$2', '$3')"
}

run()
{
	describe "embeddings of $dims dimensions"
	load
	functions
	! uses hashemb || build hashemb_index "a USING hashemb (v vector_cosine_ops, r)"
	! uses hnsw || build hnsw_index "b USING hnsw (v vector_cosine_ops)"
	! uses btree || build btree_index "c (r)"
	[ "$INSERTS" = 0 ] || inserts
	for condition in true 'r < 6554' 'r < 655' 'r < 66'
	do
		sql -c "SELECT find_truth('$condition')" > /dev/null
		for recall in 0.90 0.95 0.99
		do
			! uses hashemb || measure "hashemb $recall" a "$condition" \
				"SET hashemb.recall = $recall"
		done
		for ef in 40 100 200
		do
			[ "$condition" = true ] || [ $ef = 40 ] || continue
			uses hnsw || continue
			measure "hnsw ef $ef" b "$condition" "SET hnsw.ef_search = $ef;
				SET hnsw.iterative_scan = relaxed_order"
		done
		[ "$condition" = true ] || ! uses btree ||
			measure "B-tree and sort" c "$condition" ""
	done
	echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

start_server
run_and_keep
