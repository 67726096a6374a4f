#!/bin/sh
# Compare an index that grew row by row with one built at once: searches, size,
# and what its updates cost.
#
#   bench/growth.sh FOLDER                (bench/README.md says how to make one)
#
# The rows of FOLDER go into a table whose index is created while it is empty,
# each in a transaction of its own, in random order; then searches of this index
# and of one built afterwards take turns. Prints the result and writes it below
# build/bench/results/. From the environment, beside run.sh's DATA, PG_CONFIG,
# CELLS, KS, QUERIES, SECONDS_A_CELL, SHARED_BUFFERS, MAINTENANCE_WORK_MEM and RESULTS:
#
#   CLIENTS    that insert (4)
#   ROWS       how many rows go in one by one; the others before (all)
#   VACUUM     1: vacuum all the time, 0: never (1)
#   UPDATES    rounds in which every row's attribute is updated, one by one; an
#              even number (10)
#   STATEMENTS rounds more, of one statement each; an even number (0)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/growth.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${CLIENTS:=4}" "${VACUUM:=1}" "${UPDATES:=10}" "${STATEMENTS:=0}"
: "${ROWS:=}"
: "${QUERIES:=1000}" "${SECONDS_A_CELL:=60}"
: "${CELLS:=0,1,2,3,4,5,6}" "${KS:=10}"
: "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-$(basename "$folder")-growth

. "$here/server.sh"
. "$here/load.sh"

connection()
{
	echo "host=$socket user=postgres dbname=postgres"
}

size_of()
{
	sql -c "SELECT round(pg_relation_size('$1') / 1e6, 1)"
}

info_of()
{
	sql -c "SELECT row_to_json(i) FROM hashemb_index_info('$1') i"
}

# The empty table beside the full one, and the order in which rows go in
prepare()
{
	sql <<-SQL
	SET client_min_messages = warning;
	DROP TABLE IF EXISTS grown, shuffle;
	DROP SEQUENCE IF EXISTS turn;
	CREATE UNIQUE INDEX IF NOT EXISTS hashemb_id ON hashemb (id);
	CREATE TABLE grown (LIKE hashemb);
	CREATE UNIQUE INDEX grown_id ON grown (id);
	CREATE INDEX grown_search ON grown USING hashemb (code, $attributes);
	CREATE TABLE shuffle AS SELECT row_number() OVER (ORDER BY random()) AS pos, id
		FROM hashemb;
	CREATE UNIQUE INDEX ON shuffle (pos);
	CREATE SEQUENCE turn;
	VACUUM ANALYZE shuffle;
	SQL
	rows=$(sql -c "SELECT count(*) FROM hashemb")
	: "${ROWS:=$rows}"
	if [ "$ROWS" -lt "$rows" ]
	then
		sql -c "INSERT INTO grown SELECT h.* FROM hashemb h JOIN shuffle USING (id)
			WHERE pos <= $rows - $ROWS" \
			-c "SELECT setval('turn', $rows - $ROWS)" > /dev/null
		sql -c "REINDEX INDEX grown_search" -c "VACUUM ANALYZE grown"
	fi
}

# run_clients CLIENTS TRANSACTIONS SCRIPT: transactions a second
run_clients()
{
	"$bin/pgbench" -n -M prepared -h "$socket" -U postgres -c "$1" -j "$1" \
		-t "$2" -f "$3" postgres 2> "$socket/pgbench.log" |
		sed -n 's/^tps = \([0-9]*\).*/\1/p'
	[ ! -s "$socket/pgbench.log" ] || cat "$socket/pgbench.log" >&2
}

# Vacuum a table until the file goes
vacuum_loop()
{
	while [ -e "$socket/vacuuming" ]
	do
		sql -c "VACUUM $1" || true
		sleep 1
	done
}

insert_rows()
{
	cat > "$socket/insert.sql" <<-'SQL'
	SELECT nextval('turn') AS turn \gset
	INSERT INTO grown SELECT h.* FROM hashemb h JOIN shuffle USING (id)
		WHERE pos = :turn;
	SQL
	if [ "$VACUUM" = 1 ]
	then
		touch "$socket/vacuuming"
		vacuum_loop grown &
	fi
	rate=$(run_clients "$CLIENTS" $((ROWS / CLIENTS)) "$socket/insert.sql")
	rm -f "$socket/vacuuming"
	wait
	echo "inserted $ROWS rows by $CLIENTS clients: $rate rows/s"
	echo "grown: $(info_of grown_search)"
}

# compare TITLE: both indexes, sizes and searches in turns
compare()
{
	echo "$1: $(size_of grown_search) MB, built at once" \
		"$(size_of hashemb_search) MB"
	set --
	for recall in 0.90 0.95 0.99
	do
		settings="SET enable_seqscan = off; SET enable_bitmapscan = off;
			SET enable_sort = off; SET hashemb.recall = $recall"
		set -- "$@" "built $recall|hashemb|$recall|$settings" \
			"grown $recall|grown|$recall|$settings"
	done
	"$build/search" "$(connection)" "$folder" "$out.search.tsv" -n "$QUERIES" \
		-s "$SECONDS_A_CELL" -c "$CELLS" -k "$KS" "$@"
}

# update_rows_by CLIENTS COUNT STEP: update an attribute of so many rows, one by one
update_rows_by()
{
	cat > "$socket/update.sql" <<-SQL
	SELECT nextval('turn') % $rows AS id \\gset
	UPDATE grown SET rnd = rnd + ($3) WHERE id = :id;
	SQL
	run_clients "$1" $(($2 / $1)) "$socket/update.sql"
}

# What an update takes, by one client without vacuum: of a tenth of the rows,
# which are then set back. Each changes the value: one that leaves it as it is
# would be heap-only, and not come to any index.
measure_updates()
{
	lsn=$(sql -c "SELECT pg_current_wal_insert_lsn()")
	turn=$(sql -c "SELECT last_value FROM turn")
	count=$((rows / 10))
	rate=$(update_rows_by 1 $count 1)
	sql -c "SELECT setval('turn', $turn)" > /dev/null
	back=$(update_rows_by 1 $count -1)
	wal=$(sql -c "SELECT round(pg_wal_lsn_diff(pg_current_wal_insert_lsn(),
		'$lsn') / ($count * 2))")
	echo "updated $count rows, one client: $rate rows/s, set back: $back rows/s," \
		"WAL $wal bytes a row"
}

# Rounds of updates of an attribute column by all clients with vacuum all the
# time; every other round takes back the one before. Then a vacuum.
update_rows()
{
	sql -c "ALTER SYSTEM SET full_page_writes = off" \
		-c "SELECT pg_reload_conf()" > /dev/null
	measure_updates
	touch "$socket/vacuuming"
	vacuum_loop grown &
	for round in $(seq "$UPDATES")
	do
		rate=$(update_rows_by "$CLIENTS" "$rows" $((2 * (round % 2) - 1)))
	done
	rm -f "$socket/vacuuming"
	wait
	# What is left over where the clients do not divide the rows
	sql -c "UPDATE grown g SET rnd = h.rnd FROM hashemb h
		WHERE h.id = g.id AND h.rnd <> g.rnd" -c "VACUUM grown"
	sql -c "ALTER SYSTEM RESET full_page_writes" \
		-c "SELECT pg_reload_conf()" > /dev/null
	echo "updated $UPDATES times, $CLIENTS clients at last $rate rows/s:" \
		"$(info_of grown_search); unique index $(size_of grown_id) MB"
}

# Rounds in which one statement updates every row, a vacuum after each
update_by_statements()
{
	for round in $(seq "$STATEMENTS")
	do
		sql -c "UPDATE grown SET rnd = rnd + ($((2 * (round % 2) - 1)))" \
			-c "VACUUM grown"
	done
	echo "updated by $STATEMENTS statements: $(info_of grown_search);" \
		"unique index $(size_of grown_id) MB"
}

run()
{
	describe "$folder: $(cat "$folder/dims") bits"
	load hashemb
	sql -c "CREATE INDEX hashemb_search ON hashemb USING hashemb (code, $attributes)"
	prepare
	insert_rows
	compare "grown"
	sql -c "VACUUM ANALYZE grown"
	compare "grown, then vacuumed"
	if [ "$UPDATES" -gt 0 ]
	then
		update_rows
		compare "updated $UPDATES times, vacuumed"
	fi
	if [ "$STATEMENTS" -gt 0 ]
	then
		update_by_statements
		compare "updated by $STATEMENTS statements, vacuumed"
	fi
}

start_server
run_and_keep
