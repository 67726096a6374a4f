#!/bin/sh
# What the steps of searches and of PostgreSQL's plans take: the constants of
# src/index/cost_units.h
#
#   bench/costs.sh codes|sparse FOLDER   (bench/README.md says how to make one)
#
# The table is that of bench/plans.sh. Microseconds by the clock, the best of some
# runs: a quiet machine is needed. From the environment: PG_CONFIG, DATA, RESULTS.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
kind=${1:?usage: bench/costs.sh codes|sparse FOLDER}
folder=$(cd "${2:?usage: bench/costs.sh codes|sparse FOLDER}" && pwd)
build=$here/../build/bench
: "${RESULTS:=$build/results}" "${PLANNER_SETTINGS:=}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-costs-$kind-$(basename "$folder")

. "$here/server.sh"
. "$here/plans_table.sh"

run()
{
	describe "$folder: $kind, $type"
	load
	make_table
	sql -v operator="$operator" -v function="$function" -f "$here/costs.sql"
}

start_server
run_and_keep
