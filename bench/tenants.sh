#!/bin/sh
# Searches within one tenant of many: an index with group_by, before and after
# new tenants come.
#
#   bench/tenants.sh
#
# A million codes of 512 bits belong to 10,000 tenants whose sizes follow Zipf's
# law. Every search asks for the ten nearest of one tenant, of the median size or
# the largest, through a prepared statement. Then 100,000 rows of 1,000 new tenants
# are inserted, between and behind the others, and the searches are repeated, also
# for the new ones. Prints the medians of the time at the client, the processor
# time of the backend (mean) and how many results differ from an exact search, and
# writes them below build/bench/results/. From the environment, beside
# PG_CONFIG, DATA, SHARED_BUFFERS and MAINTENANCE_WORK_MEM (server.sh):
#
#   ROWS       rows before (1000000)
#   TENANTS    tenants before (10000)
#   SECONDS_A_CELL  of searches of a kind (5)
#   RECALL     hashemb.recall (0.95)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$here/../build/bench
: "${ROWS:=1000000}" "${TENANTS:=10000}" "${SECONDS_A_CELL:=5}" "${RECALL:=0.95}"
: "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-tenants.txt

. "$here/server.sh"

# Rows of a kind: first number, last number, and the expression of the tenant
rows()
{
	sql <<-SQL
	INSERT INTO tenants SELECT i, tenant, (
		(('x' || md5(c || 'e') || md5(c || 'f') || md5(c || 'g') || md5(c || 'h'))::bit(512)
			# (('x' || md5(i || 'a') || md5(i || 'b') || md5(i || 'c') || md5(i || 'd'))::bit(512)
			& ('x' || md5(i || 'i') || md5(i || 'j') || md5(i || 'k') || md5(i || 'l'))::bit(512))))::bincode
		FROM (SELECT i, $3 AS tenant, (hashint4(i)::bigint & 1023) AS c
			FROM generate_series($1, $2) i) x;
	SQL
}

load()
{
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION IF NOT EXISTS hashemb;
	DROP TABLE IF EXISTS tenants, queries;
	CREATE TABLE tenants (id int, tenant_id int, code bincode(512));
	SQL
	# Rank r has a share of 1 / r: the inverse of the harmonic numbers is near exp
	rows 1 "$ROWS" "10 * least($TENANTS, ceil(exp(((hashint8(i)::bigint & 16777215) + 0.5) / 16777216.0 * ln($TENANTS + 1.0))) )::int"
	sql -c "CREATE INDEX tenants_search ON tenants USING hashemb (code, tenant_id) WITH (group_by = 'tenant_id')"
	sql -c "VACUUM ANALYZE tenants"
}

# Tenant with the median or the greatest number of rows among some
tenant()
{
	sql -c "SELECT tenant_id FROM (SELECT tenant_id, count(*) FROM tenants WHERE $1
		GROUP BY 1 ORDER BY 2 DESC, 1 OFFSET $2 LIMIT 1) x"
}

processor_ticks()
{
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

# Searches of one tenant: kind, tenant
search()
{
	log=$socket/log
	rm -f "$log".*
	cat > "$socket/search.sql" <<-SQL
	\set q random(1, 1000)
	SELECT id FROM tenants WHERE tenant_id = :tenant ORDER BY code <~> (SELECT code FROM queries WHERE id = :q) LIMIT 10;
	SQL
	PGOPTIONS="-c hashemb.recall=$RECALL -c plan_cache_mode=force_generic_plan" \
		"$bin/pgbench" -h "$socket" -U postgres -n -M prepared -T "$SECONDS_A_CELL" \
		-D tenant="$2" -f "$socket/search.sql" -l --log-prefix="$log" postgres > /dev/null 2>&1 &
	client=$!
	sleep 1
	pid=$(sql -c "SELECT pid FROM pg_stat_activity WHERE application_name = 'pgbench' LIMIT 1")
	first=$(processor_ticks "$pid"); lines=$(cat "$log".* | wc -l)
	sleep $((SECONDS_A_CELL - 2))
	last=$(processor_ticks "$pid"); more=$(cat "$log".* | wc -l)
	wait $client
	p50=$(cat "$log".* | awk '{ print $3 }' | sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] / 1000 }')
	cpu=$(awk "BEGIN { printf \"%.3f\", ($last - $first) * 10 / ($more - $lines) }")
	size=$(sql -c "SELECT count(*) FROM tenants WHERE tenant_id = $2")
	wrong=$(sql <<-SQL
	SET hashemb.recall = $RECALL;
	SELECT sum((f <> e)::int) FROM (SELECT code AS q FROM queries WHERE id <= 20) queries,
		LATERAL (SELECT array_agg(d) AS f FROM (SELECT code <~> q AS d FROM tenants
			WHERE tenant_id = $2 ORDER BY code <~> q LIMIT 10) x) found,
		LATERAL (SELECT array_agg(d ORDER BY d) AS e FROM (SELECT code <~> q AS d, row_number()
			OVER (ORDER BY code <~> q) AS n FROM tenants WHERE tenant_id = $2) x WHERE n <= 10) exact;
	SQL
	)
	printf '%-34s %8s %9s %9s %6s\n' "$1" "$size" "$p50" "$cpu" "$wrong"
}

report()
{
	echo "$ROWS rows, $TENANTS tenants, 512 bits, k = 10, recall $RECALL; times in ms"
	echo "$(sql -c "SELECT row_to_json(i) FROM hashemb_index_info('tenants_search') i")"
	printf '%-34s %8s %9s %9s %6s\n' tenant rows p50 processor wrong
	search "median" "$median"
	search "largest" "$largest"
	rows $((ROWS + 1)) $((ROWS + ROWS / 10)) "CASE WHEN i % 2 = 0 THEN 10 * (hashint8(i)::bigint & 4095) % (10 * $TENANTS / 20) * 20 + 5 ELSE 10 * $TENANTS + (hashint8(i)::bigint & 511) END::int"
	sql -c "ANALYZE tenants"
	echo "after $((ROWS / 10)) rows of new tenants:"
	search "median" "$median"
	search "largest" "$largest"
	search "new, median" "$(tenant "id > $ROWS" 500)"
	search "new, largest" "$(tenant "id > $ROWS" 0)"
	echo "$(sql -c "SELECT row_to_json(i) FROM hashemb_index_info('tenants_search') i")"
	sql -c "EXPLAIN (ANALYZE, BUFFERS) SELECT id FROM tenants WHERE tenant_id = $median ORDER BY code <~> (SELECT code FROM queries WHERE id = 5) LIMIT 10"
}

trap finish EXIT
start_server
load
sql <<SQL
CREATE TABLE queries AS SELECT id, (
	(('x' || md5(c || 'e') || md5(c || 'f') || md5(c || 'g') || md5(c || 'h'))::bit(512)
		# (('x' || md5(id || 'q') || md5(id || 'r') || md5(id || 's') || md5(id || 't'))::bit(512)
		& ('x' || md5(id || 'u') || md5(id || 'v') || md5(id || 'w') || md5(id || 'y'))::bit(512))))::bincode AS code
	FROM (SELECT id, id & 1023 AS c FROM generate_series(1, 1000) id) x;
CREATE UNIQUE INDEX ON queries (id);
ANALYZE queries;
SQL
median=$(tenant "true" $((TENANTS / 2)))
largest=$(tenant "true" 0)
report | tee "$out"
