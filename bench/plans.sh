#!/bin/sh
# Does the planner take the fastest plan, planning included?
#
#   bench/plans.sh codes FOLDER         (bench/README.md says how to make one)
#   bench/plans.sh sparse FOLDER
#   bench/plans.sh packages|simhash FOLDER  (with the file `packages`, as
#                                       `apt-cache dumpavail` prints it)
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
kind=${1:?usage: bench/plans.sh codes|sparse|packages|simhash FOLDER}
folder=$(cd "${2:?usage: bench/plans.sh codes|sparse|packages|simhash FOLDER}" && pwd)
build=$here/../build/bench
: "${ROUNDS:=15}"
: "${RESULTS:=$build/results}" "${PLANNER_SETTINGS:=}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-plans-$kind-$(basename "$folder")

. "$here/server.sh"
. "$here/plans_table.sh"

run()
{
	describe "$folder: $kind, $type;\
 $ROUNDS queries a cell"
	load
	make_table
	sql -c "SELECT format('%s rows; table %s, hashemb index %s', count(*),
		pg_size_pretty(pg_relation_size('plans.docs')),
		pg_size_pretty(pg_relation_size('plans.docs_search'))) FROM plans.docs"
	"$build/plans" "host=$socket user=postgres dbname=postgres" "$ROUNDS"
	sql -f "$here/plans_result.sql"
}

start_server
run_and_keep
