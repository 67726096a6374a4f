#!/bin/sh
# Run a command of this project in a throwaway copy of it.
#
#   tools/sandbox.sh [--keep] test|lint|demo COMMAND [ARGUMENT...]
#
# Makes a new folder with a copy of the checkout and a copy of the installed
# server, and runs COMMAND in the first with PG_CONFIG naming the second. So
# nothing is installed into the system, two runs do not meet, old build
# products and spaces in the checkout's path do not matter; and since servers
# refuse to run as root, root's sandbox belongs to user postgres or nobody,
# who runs COMMAND. COMMAND builds without bitcode. The folder goes afterwards
# unless --keep was given or HASHEMB_KEEP is set.
set -eu

keep=${HASHEMB_KEEP:-}
if [ "$1" = --keep ]; then
	keep=1
	shift
fi
needs=$1
shift
source=$(cd "$(dirname "$0")/.." && pwd)

# Chosen once, before the caller's settings go
HASHEMB_PG_VERSION=$("$source/tools/server.sh" version)
export HASHEMB_PG_VERSION

# No setting of the caller's may reach the tests
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES PGHOST PGHOSTADDR PGPORT PGUSER
unset PGDATABASE PGPASSWORD PGPASSFILE PGSERVICE PGOPTIONS PGDATA PGSSLMODE
unset PGCLIENTENCODING PGTZ PGDATESTYLE PERL5LIB LANGUAGE LC_MESSAGES || true
LANG=C.UTF-8 LC_ALL=C.UTF-8
export LANG LC_ALL

"$source/tools/install-deps.sh" "$needs"

# Unix sockets have paths of at most 107 bytes, so TMPDIR must be short
base=${TMPDIR:-/tmp}
case $base in *[!A-Za-z0-9/._-]*) base=/tmp ;; esac
[ ${#base} -le 30 ] || base=/tmp
sandbox=$(mktemp -d "$base/hashemb-XXXXXX")

# Stop whatever server is left and remove the folder
cleanup()
{
	[ -z "$keep" ] || return 0
	find "$sandbox" -name postmaster.pid 2>/dev/null |
		while read -r pidfile; do
			kill -QUIT "$(head -n 1 "$pidfile")" 2>/dev/null || true
		done
	rm -rf "$sandbox" 2>/dev/null || { sleep 1; rm -rf "$sandbox"; }
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

mkdir "$sandbox/src" "$sandbox/tmp"
(cd "$source" && tar -cf - --exclude=.git --exclude='*.o' --exclude='*.d' \
	--exclude='*.bc' --exclude='*.so' --exclude='*.gc??' --exclude=./tmp_check \
	--exclude=./results --exclude=./output_iso --exclude=./build .) |
	tar -xf - -C "$sandbox/src" --no-same-owner
PG_CONFIG=$("$source/tools/server-copy.sh" "$sandbox/pg")
PATH=$(dirname "$PG_CONFIG"):$PATH
HASHEMB_SANDBOX=$sandbox HOME=$sandbox/tmp TMPDIR=$sandbox/tmp
# Bitcode for the server's JIT takes as long to make as the library
MAKEFLAGS=with_llvm=no
export PG_CONFIG PATH HASHEMB_SANDBOX HOME TMPDIR MAKEFLAGS

as_user=''
if [ "$(id -u)" -eq 0 ]; then
	user=nobody
	! id postgres >/dev/null 2>&1 || user=postgres
	chown -R "$user" "$sandbox"
	as_user="runuser -u $user --"
fi
cd "$sandbox/src"
$as_user "$@"
