#!/bin/sh
# Build with warnings as errors and run every test there is.
#
#   tools/sandbox.sh test tools/run-tests.sh [unit|regress|isolation|tap|upgrade]...
#
# "upgrade" is not among the defaults: it tries what two servers have to do with
# each other, from each older one that is installed to this one.
# The last line is "N passed, N failed[, N skipped]": a unit test or a TAP
# assertion counts one, and so does a file of sql/ or specs/. Fails if one did.
set -eu

kinds=${*:-unit regress isolation tap}
passed=0 failed=0 skipped=0
logs=$(mktemp -d)
jobs=$(nproc 2>/dev/null || echo 2)

# Small machines have small /dev/shm; every server reads this file. Autovacuum
# that is off, not idle, keeps PostgreSQL 18 from counting a table's rows when
# an index is made.
TEMP_CONFIG=$logs/postgresql.conf
export TEMP_CONFIG
cat >"$TEMP_CONFIG" <<-CONF
	dynamic_shared_memory_type = mmap
	fsync = off
	autovacuum_naptime = 1d
	max_parallel_maintenance_workers = 2
CONF

# Run a command, showing and keeping its output; its exit code in $status
logged()
{
	log=$1
	shift
	{ "$@" 2>&1 || echo "$?" >"$log.status"; } | tee "$log"
	status=$(cat "$log.status" 2>/dev/null || echo 0)
}

# Count a finished run: PASSED FAILED SKIPPED; a run that broke has failed
count()
{
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
	if [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; then
		echo "(stopped with exit code $status)"
		failed=$((failed + 1))
	fi
}

# Lines of $log that match
lines()
{
	grep -cE "$1" "$log" || true
}

unit()
{
	[ -d test/unit ] || return 0
	logged "$logs/unit" make -s unitcheck
	ok=$(lines '^ok ')
	bad=$(lines '^not ok ')
	skip=$(lines '^ok .*# [Ss][Kk][Ii][Pp]')
	if [ "$ok" -eq 0 ] && [ "$bad" -eq 0 ] && [ "$status" -eq 0 ]; then
		ok=1
	fi
	count $((ok - skip)) "$bad" "$skip"
}

# pg_regress or its isolation sibling in a server of its own
regress()
{
	name=$1 program=$2 tests=$3 output=$4
	[ -n "$tests" ] || return 0
	mkdir -p "$output"
	logged "$logs/$name" "$program" --inputdir=. --outputdir="$output" \
		--bindir="$(dirname "$PG_CONFIG")" \
		--temp-instance="$logs/instance-$name" --temp-config="$TEMP_CONFIG" \
		--encoding=UTF8 --no-locale --load-extension=hashemb $tests
	ok=$(lines '^(test .*\.\.\. ok|ok [0-9])')
	bad=$(lines '^(test .*\.\.\. .*FAILED|not ok [0-9])')
	count "$ok" "$bad" 0
	[ ! -s "$output/regression.diffs" ] || head -n 400 "$output/regression.diffs"
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
		tail -n 30 "$output"/log/*.log 2>/dev/null || true
	fi
}

tap()
{
	ls t/*.pl >/dev/null 2>&1 || return 0
	logged "$logs/tap" env TESTDIR="$PWD" TESTDATADIR="$PWD/tmp_check" \
		TESTLOGDIR="$PWD/tmp_check/log" PG_REGRESS="$pgxs/test/regress/pg_regress" \
		PERL5LIB="$pgxs/test/perl:$PWD/t" perl tools/tap.pl "$jobs" t/*.pl
	set -- $(sed -n 's/^tap: //p' "$log")
	count "${1:-0}" "${2:-0}" "${3:-0}"
}

# TAP tests that have an older server and a newer one, from each older server that
# is installed with its headers, of which a copy gets the extension, too
upgrade()
{
	version=$("$tools/server.sh" version)
	found=''
	for postgres in /usr/lib/postgresql/*/bin/postgres; do
		old=$(basename "$(dirname "$(dirname "$postgres")")")
		[ "$old" -lt "$version" ] &&
			[ -e "/usr/include/postgresql/$old/server/postgres.h" ] || continue
		found=$old
		config=$("$tools/server-copy.sh" "$HASHEMB_SANDBOX/old" "$old")
		echo "Building for $("$config" --version): one or two minutes"
		mkdir -p "build/old-$old"
		if ! (cd "build/old-$old" &&
			"$tools/build.sh" COPT=-Werror PG_CONFIG="$config" &&
			"$tools/build.sh" install PG_CONFIG="$config" >/dev/null); then
			status=1
			count 0 0 0
			continue
		fi
		logged "$logs/upgrade-$old" env TESTDIR="$PWD" \
			TESTDATADIR="$PWD/tmp_check" TESTLOGDIR="$PWD/tmp_check/log" \
			HASHEMB_OLD_SERVER="$(dirname "$(dirname "$config")")" \
			PG_REGRESS="$pgxs/test/regress/pg_regress" \
			PERL5LIB="$pgxs/test/perl:$PWD/t" \
			perl tools/tap.pl "$jobs" t/012_pg_upgrade.pl t/043_logical.pl
		set -- $(sed -n 's/^tap: //p' "$log")
		count "${1:-0}" "${2:-0}" "${3:-0}"
	done
	[ -n "$found" ] && return
	echo 'No older server is installed with its headers'
	status=1
	count 0 0 0
}

# Names of the files of a folder without the suffix
names()
{
	for file in $1/*.$2; do
		[ ! -e "$file" ] || basename "$file" ".$2"
	done
}

# Build with warnings as errors, and arguments of make, and install; the end if
# that fails
build()
{
	if ! "$tools/build.sh" COPT=-Werror PG_CONFIG="$PG_CONFIG" "$@" ||
		! "$tools/build.sh" install PG_CONFIG="$PG_CONFIG" "$@" \
			>"$logs/install" 2>&1; then
		cat "$logs/install" 2>/dev/null || true
		echo "The build failed."
		echo
		echo "$passed passed, $((failed + 1)) failed"
		exit 1
	fi
}

# Run a command as one check: check TITLE COMMAND [ARGUMENT]...
check()
{
	title=$1
	shift
	if "$@"; then
		echo "ok - $title"
		passed=$((passed + 1))
	else
		echo "not ok - $title"
		failed=$((failed + 1))
	fi
}

# Does the library of this folder export our names only? Prints others.
hides_names()
{
	others=$("$tools/exports.sh" hashemb.so)
	[ -z "$others" ] || { echo "$others"; false; }
}

# Was the library of this folder compiled with assertions?
asserts()
{
	nm -D --undefined-only hashemb.so | grep -q ExceptionalCondition
}

# Would a change of a header compile something again in this folder?
follows_headers()
{
	make -n -f "$source/Makefile" VPATH="$source" PG_CONFIG="$PG_CONFIG" \
		-W "$source/src/kernel/kernel.h" | grep -q ' -o src/kernel/scalar\.o'
}

# What tap tests: a build with assertions, injection points
# (src/index/page/inject.h) and the kind of vectors of test/kind, made outside of
# the checkout. PG_CFLAGS of the command line must take nothing away from the
# Makefile's own.
build_outside()
{
	mkdir -p build/outside
	cd build/outside
	build PG_CFLAGS=-DUSE_ASSERT_CHECKING TEST_KIND=1
	check 'built outside of the checkout' [ hashemb.so -nt "$source/hashemb.so" ]
	check 'PG_CFLAGS of the command line is used' asserts
	check 'and hides names' hides_names
	check 'and follows headers' follows_headers
	cd "$source"
}

pgxs=$(dirname "$(dirname "$($PG_CONFIG --pgxs)")")
source=$PWD tools=$PWD/tools
echo "Building for $($PG_CONFIG --version): one or two minutes"
build

for kind in $kinds; do
	echo
	echo "== $kind"
	case $kind in
		unit) unit ;;
		regress) regress regress "$pgxs/test/regress/pg_regress" \
			"$(names sql sql)" . ;;
		isolation) regress isolation \
			"$pgxs/test/isolation/pg_isolation_regress" \
			"$(names specs spec)" output_iso ;;
		tap)
			[ -n "${HASHEMB_ONE_BUILD:-}" ] || build_outside
			tap ;;
		upgrade) upgrade ;;
		*) echo "unknown kind of test: $kind" >&2; exit 2 ;;
	esac
done

echo
line="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
[ "$failed" -eq 0 ]
