# A throwaway server for a benchmark; sourced by the scripts that use one, which
# set first: here, build, and what settings of memory and WORKERS they want.

: "${WORKERS:=0}" "${SHARED_BUFFERS:=4GB}" "${MAINTENANCE_WORK_MEM:=2GB}"
# What the planner is told of the machine; empty: PostgreSQL's defaults
: "${PLANNER_SETTINGS=effective_cache_size=8GB random_page_cost=1.1}"

if [ -z "${PG_CONFIG:-}" ]
then
	PG_CONFIG=$("$here/../tools/server-copy.sh" "$build/server")
	make -s -C "$here/.." PG_CONFIG="$PG_CONFIG" install > "$build/install.log"
fi
make -s -C "$here" BUILD="$build" PG_CONFIG="$PG_CONFIG"
bin=$("$PG_CONFIG" --bindir)
socket=$(mktemp -d)
scratch=
if [ -z "${DATA:-}" ]
then
	scratch=$(mktemp -d)
	DATA=$scratch/data
fi

# The server refuses root: its own commands then run as user postgres
as_server()
{
	if [ "$(id -u)" = 0 ]
	then
		runuser -u postgres -- "$@"
	else
		"$@"
	fi
}

finish()
{
	as_server "$bin/pg_ctl" -D "$DATA" -m fast -w stop > /dev/null 2>&1 || true
	rm -rf "$socket"
	[ -z "$scratch" ] || rm -rf "$scratch"
}

start_server()
{
	if [ "$(id -u)" = 0 ]
	then
		mkdir -p "$(dirname "$DATA")"
		chown postgres "$(dirname "$DATA")" "$socket"
	fi
	[ -e "$DATA/PG_VERSION" ] || as_server "$bin/initdb" -D "$DATA" \
		-U postgres -A trust --no-locale -E UTF8 > /dev/null
	cat > "$socket/settings" <<-SETTINGS
	shared_buffers = $SHARED_BUFFERS
	maintenance_work_mem = $MAINTENANCE_WORK_MEM
	max_parallel_maintenance_workers = $WORKERS
	work_mem = 64MB
	max_wal_size = 16GB
	checkpoint_timeout = 1h
	fsync = off
	synchronous_commit = off
	autovacuum = off
	jit = off
	listen_addresses = ''
	unix_socket_directories = '$socket'
	SETTINGS
	for setting in $PLANNER_SETTINGS
	do
		echo "$setting" | sed 's/=/ = /'
	done >> "$socket/settings"
	chmod 755 "$socket"
	chmod 644 "$socket/settings"
	cp "$socket/settings" "$DATA/bench.conf"
	chmod 644 "$DATA/bench.conf"
	grep -q bench.conf "$DATA/postgresql.conf" ||
		echo "include 'bench.conf'" >> "$DATA/postgresql.conf"
	trap finish EXIT
	trap 'exit 1' INT TERM
	as_server "$bin/pg_ctl" -D "$DATA" -l "$DATA/log" -w start > /dev/null
}

sql()
{
	"$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$socket" -U postgres \
		-d postgres "$@"
}

# An extension's version, nothing where it is not installed
version_of()
{
	sql -c "SELECT default_version FROM pg_available_extensions
		WHERE name = '$1'"
}

# describe DATA: the machine, the server and its settings
describe()
{
	echo "date        $(date -u '+%Y-%m-%d %H:%M') UTC"
	echo "processor  $(sed -n 's/^model name[^:]*://p' /proc/cpuinfo |
		head -n 1), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
	echo "vectors    $(grep -ow 'avx2\|avx512f\|avx512_vpopcntdq\|asimd' \
		/proc/cpuinfo | sort -u | tr '\n' ' ' | sed 's/^/ /; s/ *$//')"
	echo "memory      $(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
	echo "system      $(uname -sr), $(cc --version | head -n 1)"
	echo "server      $(sql -c 'SELECT version()')"
	echo "extensions  hashemb $(version_of hashemb), pgvector" \
		"$(version_of vector)"
	echo "data        $1"
	sed 's/^/setting     /' "$socket/settings" | grep -v 'listen\|socket'
}

# The systems to measure, if the caller did not say: what is installed
choose_systems()
{
	if [ -z "${SYSTEMS:-}" ]
	then
		[ -z "$(version_of hashemb)" ] || SYSTEMS="hashemb"
		[ -z "$(version_of vector)" ] || SYSTEMS="${SYSTEMS:-} pgvector"
	fi
	: "${SYSTEMS:?neither extension is installed}"
}

# Do what the caller's run() does, show its output and keep it; ends the script
# with the run's own status, not that of the program that shows the output
run_and_keep()
{
	{
		status=$({ { run 2>&1; echo $? >&3; } | tee "$out.txt" >&4; } 3>&1)
	} 4>&1
	exit "${status:-1}"
}
