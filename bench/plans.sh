#!/bin/sh
# Does the planner take the fastest plan, planning included?
#
#   bench/plans.sh codes FOLDER         (bench/README.md says how to make one)
#   bench/plans.sh sparse FOLDER
#
# A table of the folder's vectors with columns that are attributes of hashemb's
# index, have another index, or both. Each condition of bench/plans.sql is asked
# as it comes, unprepared, and with each plan forced: the scan node, other
# indexes and a sort, the sequential scan. At the end a summary. From the
# environment: PG_CONFIG, DATA, SHARED_BUFFERS, RESULTS, and
#
#   ROUNDS  queries a cell (15)
#   KS      rows wanted (1 10 100)
#   GROUPS_OF_COLUMNS  which of "a o b": attribute, other index, both (all)
#   PLANNER_SETTINGS   of the server, such as random_page_cost=1.1 (its defaults)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
kind=${1:?usage: bench/plans.sh codes|sparse FOLDER}
folder=$(cd "${2:?usage: bench/plans.sh codes|sparse FOLDER}" && pwd)
build=$here/../build/bench
: "${ROUNDS:=15}" "${KS:=1 10 100}" "${GROUPS_OF_COLUMNS:=a o b}"
: "${RESULTS:=$build/results}" "${PLANNER_SETTINGS:=}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-plans-$kind-$(basename "$folder")

. "$here/server.sh"

# Rows or queries as lines for COPY: number and vector
lines()
{
	case $kind in
		codes) "$build/rows" "$folder" "$1" ;;
		sparse) "$build/sparse" text "$folder" "$1" ;;
	esac
}

load()
{
	case $kind in
		codes) type="bincode($(cat "$folder/dims"))" rows=codes ;;
		sparse) type="svec($(cat "$folder/dims"))" rows=docs ;;
	esac
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION IF NOT EXISTS hashemb;
	DROP SCHEMA IF EXISTS plans CASCADE;
	CREATE SCHEMA plans;
	CREATE TABLE plans.plans_rows (id int, v $type);
	CREATE TABLE plans.plans_queries (id int, v $type);
	SQL
	lines $rows | sql -c "COPY plans.plans_rows FROM STDIN"
	lines queries | sql -c "COPY plans.plans_queries FROM STDIN"
}

measure()
{
	case $kind in
		codes) operator='<~>' function=hamming ;;
		sparse) operator='<#>' function=negative_inner_product ;;
	esac
	sql -v operator="$operator" -v function="$function" -v ks="$KS" \
		-v groups="$GROUPS_OF_COLUMNS" -f "$here/plans.sql"
	"$build/plans" "host=$socket user=postgres dbname=postgres" "$ROUNDS"
	sql -f "$here/plans_result.sql"
}

run()
{
	describe "$folder: $kind of $(cat "$folder/dims") dimensions;\
 $ROUNDS queries a cell"
	load
	measure
}

start_server
run_and_keep
