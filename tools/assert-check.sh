#!/bin/sh
# Run regress and isolation tests on a server that checks itself, or regress
# tests under valgrind.
#
#   tools/assert-check.sh [--valgrind] [TEST]...
#
# The server is built by tools/assert-server.sh below $HASHEMB_ASSERT (default
# /var/tmp/hashemb-assert) and kept; tests run in a copy of it. Run as root.
# HASHEMB_ASSERT_TAP=1 runs the TAP tests as well. Under valgrind the tests
# take about thirty times as long.
set -eu

valgrind=''
if [ "${1:-}" = --valgrind ]; then
	valgrind=1
	shift
fi
server=${HASHEMB_ASSERT:-/var/tmp/hashemb-assert}
source=$(cd "$(dirname "$0")/.." && pwd)
"$server/bin/pg_config" --configure 2>/dev/null | grep -q -e --with-icu ||
	"$source/tools/assert-server.sh" "$server" >/dev/null

sandbox=$(mktemp -d /tmp/hashemb-XXXXXX)
trap 'rm -rf "$sandbox"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

mkdir "$sandbox/src" "$sandbox/pg" "$sandbox/valgrind"
(cd "$source" && tar -cf - --exclude=.git --exclude='*.o' --exclude='*.d' \
	--exclude='*.bc' --exclude='*.so' --exclude=./build .) |
	tar -xf - -C "$sandbox/src" --no-same-owner
for folder in bin lib share include; do
	cp -a "$server/$folder" "$sandbox/pg/"
done
pg_config=$sandbox/pg/bin/pg_config

# A postgres that runs itself under valgrind, but not to make a cluster
if [ -n "$valgrind" ]; then
	mv "$sandbox/pg/bin/postgres" "$sandbox/pg/bin/postgres.real"
	cat >"$sandbox/pg/bin/postgres" <<-RUN
	#!/bin/sh
	case "\$*" in
		*--boot*|*--single*|*-V*|*--check*|*-C*)
			exec $sandbox/pg/bin/postgres.real "\$@" ;;
	esac
	exec valgrind --quiet --leak-check=no --gen-suppressions=all \\
		--suppressions=$sandbox/pg/share/valgrind.supp --error-limit=no \\
		--log-file=$sandbox/valgrind/%p.log \\
		$sandbox/pg/bin/postgres.real "\$@"
	RUN
	chmod +x "$sandbox/pg/bin/postgres"
fi
chown -R postgres "$sandbox"

# Where tests take minutes, autovacuum would come in between and hold back
# their own vacuums
cat >"$sandbox/postgresql.conf" <<-CONF
	autovacuum = off
	dynamic_shared_memory_type = mmap
	fsync = off
	jit = off
	max_parallel_maintenance_workers = 2
CONF

as_postgres()
{
	(cd "$sandbox/src" && runuser -u postgres -- env HOME="$sandbox" \
		PATH="$sandbox/pg/bin:$PATH" PG_CONFIG="$pg_config" "$@")
}
pgxs=$(dirname "$(dirname "$($pg_config --pgxs)")")
as_postgres make -s -j2 COPT='-Werror -DUSE_ASSERT_CHECKING' with_llvm=no \
	TEST_KIND=1
as_postgres make -s install with_llvm=no TEST_KIND=1 >/dev/null

# names FOLDER SUFFIX: the tests there are
names()
{
	for file in "$source/$1"/*."$2"; do
		basename "$file" ".$2"
	done
}

# run PROGRAM OUTPUT TEST...: a test driver in a server of its own
run()
{
	program=$1 output=$2
	shift 2
	as_postgres mkdir -p "$output"
	as_postgres env PGCTLTIMEOUT=600 "$program" --inputdir=. \
		--outputdir="$output" --bindir="$sandbox/pg/bin" \
		--temp-instance="$sandbox/instance" \
		--temp-config="$sandbox/postgresql.conf" --encoding=UTF8 --no-locale \
		--load-extension=hashemb "$@" || {
		head -n 400 "$sandbox/src/$output/regression.diffs" 2>/dev/null
		return 1
	}
	rm -rf "$sandbox/instance"
}

status=0
run "$pgxs/test/regress/pg_regress" . ${*:-$(names sql sql)} || status=1
if [ -n "$valgrind" ]; then
	cat "$sandbox"/valgrind/*.log
	[ -z "$(cat "$sandbox"/valgrind/*.log)" ] || status=1
elif [ $# -eq 0 ]; then
	run "$pgxs/test/isolation/pg_isolation_regress" output_iso \
		$(names specs spec) || status=1
	[ -z "${HASHEMB_ASSERT_TAP:-}" ] || as_postgres env TESTDIR="$sandbox/src" \
		PG_REGRESS="$pgxs/test/regress/pg_regress" \
		PERL5LIB="$pgxs/test/perl:$sandbox/src/t" \
		perl tools/tap.pl 2 $(cd "$source" && ls t/*.pl) || status=1
fi
[ "$status" -eq 0 ] || exit 1
echo "passed"
