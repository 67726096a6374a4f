#!/bin/sh
# Measure hashemb, and pgvector where it is installed, on one throwaway server.
#
#   bench/run.sh FOLDER                 (bench/README.md says how to make one)
#
# Prints tables and writes them below build/bench/results/, as text and as TSV.
# From the environment:
#
#   PG_CONFIG  a server to use as it is, extensions installed; without it a
#              private copy of the system's is made and this tree's hashemb
#              installed into it
#   SYSTEMS    which of "hashemb pgvector ivfflat" (the first two, if installed)
#   STEPS      which of "load build search insert" (all); an HNSW index that is
#              there already is not built again, hashemb's, being three, are
#   DATA       the server's data folder, kept when named (else a new one)
#   CELLS KS   numbers of filters and k, comma-separated (all)
#   QUERIES    queries a cell (1000)
#   SECONDS_A_CELL  after which a cell ends early (60)
#   INSERTS    rows inserted (20000)
#   HASHEMB_SETTINGS  further settings of hashemb's sessions, each ended by ";"
#   WORKERS    parallel maintenance workers (0)
#   SHARED_BUFFERS, MAINTENANCE_WORK_MEM (4GB, 2GB)
#   RESULTS    where tables are written (build/bench/results)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/run.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${STEPS:=load build search insert}"
: "${QUERIES:=1000}" "${SECONDS_A_CELL:=60}" "${INSERTS:=20000}"
: "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-$(basename "$folder")

. "$here/server.sh"
. "$here/load.sh"

has_step()
{
	case " $STEPS " in
		*" $1 "*) return 0 ;;
	esac
	return 1
}

uses()
{
	case " $SYSTEMS " in
		*" $1 "*) return 0 ;;
	esac
	return 1
}

# ---- Indexes -------------------------------------------------------------

has_index()
{
	[ -n "$(sql -c "SELECT to_regclass('$1')")" ]
}

# build SYSTEM NAME DEFINITION: create the index in place of the one before.
# Processor time is that of the session, without parallel workers.
build()
{
	figures=$(sql -F '	' <<-SQL
	SET client_min_messages = warning;
	DROP INDEX IF EXISTS $1_search;
	CHECKPOINT;
	SELECT pg_backend_pid() AS pid \\gset
	\\set before \`cut -d' ' -f1 /proc/:pid/schedstat\`
	SELECT clock_timestamp() AS start, pg_current_wal_insert_lsn() AS lsn \\gset
	CREATE INDEX $1_search ON $1 USING $3;
	SELECT round(extract(epoch FROM clock_timestamp() - :'start'), 2) AS took
	\\gset
	\\set after \`cut -d' ' -f1 /proc/:pid/schedstat\`
	SELECT :took, round((:after - :before) / 1e9, 2),
		pg_relation_size('$1_search'),
		pg_wal_lsn_diff(pg_current_wal_insert_lsn(), :'lsn');
	SQL
	)
	printf 'build\t%s\t%s\t%s\n' "$(basename "$folder")" "$2" "$figures" |
		tee -a "$out.build.tsv" | awk -F '\t' '{
		printf "%-28s built in %.2f s (processor %.2f s), ", $3, $4, $5
		printf "%.1f MB, WAL %.1f MB\n", $6 / 1e6, $7 / 1e6 }'
}

# ---- Searches ------------------------------------------------------------

search()
{
	cells=$1
	shift
	"$build/search" "host=$socket user=postgres dbname=postgres" "$folder" \
		"$out.search.tsv" -n "$QUERIES" -s "$SECONDS_A_CELL" -c "$cells" \
		${KS:+-k "$KS"} "$@"
}

# Cells that were asked for, of the given ones
asked()
{
	for cell in $1
	do
		case ",${CELLS:-$cell}," in
			*",$cell,"*) printf '%s,' "$cell" ;;
		esac
	done | sed 's/,$//'
}

# search_cells NAMES-OF-CELLS KIND: with the variants of the systems in use.
# HNSW and IVFFlat, which has a table of its own, are made to be the plan, with
# filters as an iterative scan; "prefilter" is what the server does without
# them: other indexes, exact distances, a sort.
search_cells()
{
	cells=$(asked "$1")
	[ -n "$cells" ] || return 0
	hnsw="SET enable_seqscan = off; SET enable_bitmapscan = off;
		SET enable_sort = off"
	relaxed=
	[ "$cells" = 0 ] || relaxed="; SET ivfflat.iterative_scan = relaxed_order"
	set --
	if uses hashemb
	then
		for recall in 0.90 0.95 0.99
		do
			set -- "$@" "hashemb $recall|hashemb|$recall|$hashemb
				SET hashemb.recall = $recall"
		done
	fi
	if uses pgvector
	then
		if [ "$cells" = 0 ]
		then
			for ef in 40 100
			do
				set -- "$@" "hnsw ef $ef|pgvector|0|$hnsw;
					SET hnsw.ef_search = $ef"
			done
		else
			set -- "$@" "hnsw ef 40|pgvector|0|$hnsw; SET hnsw.ef_search = 40;
				SET hnsw.iterative_scan = relaxed_order" \
				"hnsw ef 100|pgvector|0|$hnsw; SET hnsw.ef_search = 100;
				SET hnsw.iterative_scan = relaxed_order" \
				"prefilter|pgvector|0|SET enable_indexscan = off"
		fi
	fi
	if uses ivfflat
	then
		for probes in 4 16
		do
			set -- "$@" "ivfflat probes $probes|ivfflat|0|$hnsw;
				SET ivfflat.probes = $probes$relaxed"
		done
	fi
	search "$cells" "$@"
}

# ---- Inserts -------------------------------------------------------------

# Rows a second and WAL a row, into a table whose only index is searched by
# distance; without full-page images, which depend on the last checkpoint
insert_rows()
{
	figures=$("$build/insert" "host=$socket user=postgres dbname=postgres" \
		"$folder" "$1" "$INSERTS")
	printf 'insert\t%s\t%s\t%s\n' "$(basename "$folder")" "$2" "$figures" |
		tee -a "$out.build.tsv" | awk -F '\t' '{
		printf "%-28s %8d rows/s, WAL %6d bytes a row\n", $3, $4, $5 }'
}

insert_all()
{
	sql -c "ALTER SYSTEM SET full_page_writes = off" \
		-c "SELECT pg_reload_conf()" > /dev/null
	for system in $SYSTEMS
	do
		sql -c "SELECT format('DROP INDEX %s;', indexrelid::regclass) FROM pg_index
			WHERE indrelid = '$system'::regclass
			AND indexrelid::regclass::text <> '${system}_search'" | sql
		insert_rows "$system" "$system"
		sql -c "DROP INDEX ${system}_search"
		insert_rows "$system" "$system without index"
	done
	sql -c "ALTER SYSTEM RESET full_page_writes" \
		-c "SELECT pg_reload_conf()" > /dev/null
}

# ---- The run -------------------------------------------------------------

run()
{
	describe "$folder: $(cat "$folder/dims") bits"
	if has_step load
	then
		for system in $SYSTEMS
		do
			load "$system"
		done
	fi
	if has_step build && uses pgvector && ! has_index pgvector_search
	then
		build pgvector "hnsw m 16, efc 64" \
			"hnsw (code bit_hamming_ops) WITH (m = 16, ef_construction = 64)"
	fi
	if has_step build && uses ivfflat && ! has_index ivfflat_search
	then
		lists=$(sql -c "SELECT greatest(count(*) / 1000, 10) FROM ivfflat")
		build ivfflat "ivfflat lists $lists" \
			"ivfflat (code bit_hamming_ops) WITH (lists = $lists)"
	fi
	if has_step build && uses hashemb
	then
		build hashemb "hashemb" "hashemb (code)"
	fi
	! has_step search || search_cells "0"
	if has_step build && uses hashemb
	then
		build hashemb "hashemb, 7 attributes" "hashemb (code, $attributes)"
	fi
	! has_step search || search_cells "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 17"
	if has_step build && uses hashemb
	then
		build hashemb "hashemb, 8 fine columns" "hashemb (code, $fine)"
	fi
	! has_step search || search_cells "16"
	if has_step insert
	then
		! uses hashemb || build hashemb "hashemb, for inserts" "hashemb (code)"
		insert_all
	fi
}

hashemb=${HASHEMB_SETTINGS:-}
start_server
choose_systems
run_and_keep
