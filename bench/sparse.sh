#!/bin/sh
# Measure search in sparse vectors, and pgvector's HNSW of sparsevec beside it
# where that is installed, on one throwaway server: builds, searches with and
# without filters, single-row inserts and what they do to searches.
#
#   bench/sparse.sh FOLDER                     (build/bench/vectors makes one)
#
# Prints the result and writes it below build/bench/results/. From the
# environment, as in bench/run.sh: PG_CONFIG, SYSTEMS, DATA, QUERIES (500),
# WORKERS, SHARED_BUFFERS, MAINTENANCE_WORK_MEM, RESULTS; and
#
#   INSERTS   rows to insert one by one; the index is built on the others before
#             (0: none)
#   PARTS     what to do, of "build search insert" (all)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/sparse.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${QUERIES:=500}" "${INSERTS:=0}" "${PARTS:=build search insert}"
: "${SHARED_BUFFERS:=3GB}" "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-$(basename "$folder")-sparse

. "$here/server.sh"

conninfo="host=$socket user=postgres dbname=postgres"
dims=$(cat "$folder/dims")
rows=$(($(wc -c < "$folder/rnd.bin") / 4))

# Is the word in the list?
has()
{
	case " $1 " in
		*" $2 "*) return 0 ;;
	esac
	return 1
}

# The processor time of the statements since, in seconds: of this session
cpu_seconds="pg_read_file(format('/proc/%s/schedstat', pg_backend_pid()), 0, 100)"
used="round(split_part($cpu_seconds, ' ', 1)::numeric / 1e9, 1)"

# load TABLE TYPE FIRST COUNT
load()
{
	sql <<-SQL
	SET client_min_messages = warning;
	DROP TABLE IF EXISTS $1;
	CREATE TABLE $1 (id integer, v $2($dims), rnd integer, label text);
	ALTER TABLE $1 ALTER v SET STORAGE external;
	SQL
	"$build/sparse" copy "$folder" "$3" "$4" |
		sql -c "COPY $1 FROM STDIN (FORMAT binary)"
	sql -c "VACUUM ANALYZE $1" -c "CHECKPOINT"
}

# index NAME DEFINITION: create it, say what it took
index()
{
	sql <<-SQL
	SELECT clock_timestamp() AS start, $used AS used \\gset
	CREATE INDEX $1 ON $2;
	SELECT format('%-12s built in %s s (%s s of this process), %s MB', '$1',
		round(extract(epoch FROM clock_timestamp() - :'start'), 1),
		$used - :used, round(pg_relation_size('$1') / 1e6, 1));
	SQL
}

builds()
{
	if has "$SYSTEMS" hashemb
	then
		load hashemb svec 0 "$rows"
		echo "table: $(sql -c "SELECT count(*) || ' rows, ' ||
			pg_size_pretty(pg_table_size('hashemb')) FROM hashemb"), weights" \
			"$(sql -c "SELECT sum(nnz(v)) || ', 6 bytes each ' ||
				round(sum(nnz(v)) * 6 / 1e6, 1) || ' MB' FROM hashemb")"
		index hashemb_v "hashemb USING hashemb (v, rnd, label)"
		index hashemb_rnd "hashemb (rnd)"
		sql -c "VACUUM ANALYZE hashemb"
	fi
	if has "$SYSTEMS" pgvector
	then
		load pgvector sparsevec 0 "$rows"
		index pgvector_v "pgvector USING hnsw (v sparsevec_ip_ops)"
		index pgvector_rnd "pgvector (rnd)"
		sql -c "VACUUM ANALYZE pgvector"
	fi
}

# "only the index": no plan of another kind
only="SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off"

search()
{
	set --
	if has "$SYSTEMS" hashemb
	then
		for recall in 1 0.95
		do
			set -- "$@" "hashemb $recall|hashemb|$only;
				SET hashemb.recall = $recall"
		done
	fi
	if has "$SYSTEMS" pgvector
	then
		for ef in 40 100 200
		do
			set -- "$@" "hnsw ef $ef|pgvector|$only; SET hnsw.ef_search = $ef;
				SET hnsw.iterative_scan = relaxed_order"
		done
	fi
	"$build/sparse" ask "$folder" "$conninfo" "$rows" "$QUERIES" "$@"
}

# vacuum TABLE: and say what it took
vacuum()
{
	sql <<-SQL
	SELECT clock_timestamp() AS start, $used AS used \\gset
	VACUUM $1;
	SELECT format('vacuum: %s s (%s s of this process)',
		round(extract(epoch FROM clock_timestamp() - :'start'), 1),
		$used - :used);
	SQL
}

inserts()
{
	before=$((rows - INSERTS))
	for system in $SYSTEMS
	do
		type=svec using="hashemb (v, rnd)"
		[ "$system" = hashemb ] || type=sparsevec using="hnsw (v sparsevec_ip_ops)"
		load "grown_$system" $type 0 "$before"
		index "grown_${system}_v" "grown_$system USING $using"
		"$build/sparse" insert "$folder" "$conninfo" "grown_$system" \
			"$before" "$INSERTS"
	done
	has "$SYSTEMS" hashemb || return 0
	load fresh svec 0 "$rows"
	index fresh_v "fresh USING hashemb (v, rnd)"
	for state in grown vacuumed
	do
		[ $state = grown ] || vacuum grown_hashemb
		echo "$state: $(sql -c "SELECT row_to_json(i)
			FROM hashemb_index_info('grown_hashemb_v') i")"
		"$build/sparse" ask "$folder" "$conninfo" "$rows" "$QUERIES" \
			"$state|grown_hashemb|$only; SET hashemb.recall = 1" \
			"fresh|fresh|$only; SET hashemb.recall = 1"
	done
}

run()
{
	describe "$(basename "$folder"): $rows sparse vectors of $dims dimensions"
	! has "$PARTS" build || builds
	! has "$PARTS" search || search
	[ "$INSERTS" = 0 ] || ! has "$PARTS" insert || inserts
	echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

start_server
choose_systems
sql -c "SET client_min_messages = warning" \
	-c "CREATE EXTENSION IF NOT EXISTS hashemb" > /dev/null
if has "$SYSTEMS" pgvector
then
	sql -c "SET client_min_messages = warning" \
		-c "CREATE EXTENSION IF NOT EXISTS vector" > /dev/null
fi
run_and_keep
