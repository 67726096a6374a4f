#!/bin/sh
# Which plan is fastest for which filter, and does the planner take it?
#
#   bench/grid.sh FOLDER                (bench/README.md says how to make one)
#
# A table with attribute columns in hashemb's index, B-tree and GIN indexes on
# these and others, and columns without any index: the filters of bench/grid.c.
# Each cell is asked with each plan forced, then as the planner likes it, beside
# pgvector's HNSW and a prefilter with exact sort. Tables as bench/run.sh's, and
# at the end a summary. From the environment, as for bench/run.sh: PG_CONFIG,
# SYSTEMS, DATA, CELLS, KS, SHARED_BUFFERS, RESULTS, and
#
#   STEPS      which of "load build search" (all)
#   PLANS      which of "default node plain prefilter sequential hnsw" (all)
#   RECALLS    hashemb's targets (0.95); more than one for the node only
#   QUERIES    queries a cell (100)
#   SECONDS_A_CELL  after which a cell ends early, if 50 were asked (30)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/grid.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${STEPS:=load build search}" "${RECALLS:=0.95}"
: "${PLANS:=default node plain prefilter sequential hnsw}"
: "${QUERIES:=100}" "${SECONDS_A_CELL:=30}" "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-grid-$(basename "$folder")

. "$here/server.sh"

uses()
{
	case " $2 " in
		*" $1 "*) return 0 ;;
	esac
	return 1
}

# The table of a system, and the ordinary indexes on it
load()
{
	bits=$(cat "$folder/dims")
	extension=hashemb type="bincode($bits)"
	[ "$1" = hashemb ] || extension=vector type="bit($bits)"
	{
		echo "SET client_min_messages = warning;"
		echo "CREATE EXTENSION IF NOT EXISTS $extension;"
		echo "DROP TABLE IF EXISTS grid_$1;"
		echo "CREATE TABLE grid_$1 ($("$build/rows" columns "$type"));"
	} | sql
	"$build/rows" "$folder" grid | sql -c "COPY grid_$1 FROM STDIN"
	for column in lev rng val opt10 opt01 near64 near4096 oth oth2 near64o \
		near4096o fine0 fine1 fine2 fine3 fine4 fine5 fine6 fine7
	do
		echo "CREATE INDEX ON grid_$1 ($column);"
	done | sql
	sql -c "CREATE INDEX ON grid_$1 USING gin (arr)" \
		-c "CREATE INDEX ON grid_$1 USING gin (j jsonb_path_ops)" \
		-c "CREATE INDEX ON grid_$1 USING gin (ts)" -c "VACUUM ANALYZE grid_$1"
}

build_index()
{
	if [ "$1" = hashemb ]
	then
		sql -c "CREATE INDEX IF NOT EXISTS grid_hashemb_search ON grid_hashemb
			USING hashemb (code, lev, rng, val, opt10, opt01, arr, near64,
			near4096)"
	else
		sql -c "CREATE INDEX IF NOT EXISTS grid_pgvector_search
			ON grid_pgvector USING hnsw (code bit_hamming_ops)"
	fi
	sql -c "VACUUM ANALYZE grid_$1" -c "CHECKPOINT"
}

search_all()
{
	first=${RECALLS%% *}
	only="SET enable_seqscan = off; SET enable_sort = off"
	set --
	if uses hashemb "$SYSTEMS"
	then
		target="grid_hashemb|$first|SET hashemb.recall = $first"
		uses default "$PLANS" && set -- "$@" "default|$target"
		if uses node "$PLANS"
		then
			for recall in $RECALLS
			do
				set -- "$@" "node $recall|grid_hashemb|$recall|$only;
					SET hashemb.recall = $recall"
			done
		fi
		uses plain "$PLANS" && set -- "$@" "plain|$target; $only;
			SET hashemb.enable_scan = off; SET enable_bitmapscan = off"
		uses prefilter "$PLANS" && set -- "$@" "prefilter|grid_hashemb|0|
			SET enable_indexscan = off; SET enable_seqscan = off"
		uses sequential "$PLANS" && set -- "$@" "sequential|grid_hashemb|0|
			SET enable_indexscan = off; SET enable_bitmapscan = off"
	fi
	if uses hnsw "$PLANS" && uses pgvector "$SYSTEMS"
	then
		set -- "$@" "hnsw ef 100|grid_pgvector|0|$only;
			SET enable_bitmapscan = off; SET hnsw.ef_search = 100;
			SET hnsw.iterative_scan = relaxed_order" \
			"pgvector prefilter|grid_pgvector|0|SET enable_indexscan = off"
	fi
	"$build/search" "host=$socket user=postgres dbname=postgres" "$folder" \
		"$out.search.tsv" -g -n "$QUERIES" -s "$SECONDS_A_CELL" \
		${CELLS:+-c "$CELLS"} ${KS:+-k "$KS"} "$@"
	summarize "$out.search.tsv"
}

# By cell: the plan that the planner took beside the fastest forced one, and
# the node beside the fastest of the others that reach .95. Processor time.
summarize()
{
	awk -F '\t' '
	NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
	{
		cell = sprintf("%-24s %4d", $at["filter"], $at["k"])
		if (!(cell in seen)) { seen[cell] = 1; cells[++n] = cell }
		v = $at["variant"]; ms = $at["cpu_p50"]
		# made to do without: what is left may be our own index scan
		if (v ~ /prefilter/ && $at["plan"] ~ /_search/) next
		if (v == "default") { def[cell] = ms; plan[cell] = $at["plan"] }
		else if (v !~ /pgvector|hnsw/) {
			if (!(cell in best) || ms < best[cell]) {
				best[cell] = ms; name[cell] = v } }
		if (v ~ /^node/ && !(cell in node)) node[cell] = ms
		else if (v ~ /pgvector|prefilter/ ||
			(v ~ /hnsw/ && $at["recall"] >= .95)) {
			if (!(cell in rival) || ms < rival[cell]) {
				rival[cell] = ms; rname[cell] = v } }
		if (v ~ /^node/) { judged++; failed += $at["passes"] == "FAIL" }
	}
	END {
		print "\nprocessor ms, p50: the planner'"'"'s choice, the fastest plan," \
			" the node, its fastest rival\n"
		for (i = 1; i <= n; i++) {
			c = cells[i]
			ratio = best[c] > 0 ? def[c] / best[c] : 0
			# under 0.05 ms nothing is counted as slower
			if (def[c] > 0) {
				total++
				near += ratio <= 1.5 || def[c] <= best[c] + .05
				far += ratio > 3 && def[c] > best[c] + .05 }
			against = rival[c] > 0 ? node[c] / rival[c] : 0
			if (node[c] > 0 && rival[c] > 0) {
				raced++
				lost += against > 1.2 && node[c] > rival[c] + .05 }
			printf "%s %8.3f %8.3f %5.2f %-11s %8.3f %8.3f %5.2f %-18s %s\n", \
				c, def[c], best[c], ratio, name[c], node[c], rival[c], \
				against, rname[c], plan[c] }
		printf "\nplanner within 1.5 of the fastest: %d of %d cells;" \
			" above 3: %d\n", near, total, far
		printf "node slower than 1.2 of prefilter and HNSW: %d of %d cells\n", \
			lost, raced
		printf "node below its target: %d of %d cells\n", failed, judged
	}' "$1"
}

run()
{
	describe "$folder: $(cat "$folder/dims") bits; $QUERIES queries a cell"
	for system in $SYSTEMS
	do
		! uses load "$STEPS" || load "$system"
		! uses build "$STEPS" || build_index "$system"
	done
	! uses search "$STEPS" || search_all
}

start_server
choose_systems
run_and_keep
