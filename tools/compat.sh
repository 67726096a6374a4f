#!/bin/sh
# Run "make test" on other major versions of PostgreSQL, each in a Debian that
# has it.
#
#   tools/compat.sh [VERSION]...        (default: 17 18)
#
# The systems are made as tools/roots.sh says and kept, with what was installed:
# minutes and 2 GB each. Needs root. KINDS="regress" runs only these tests,
# KINDS=upgrade those of t/012_pg_upgrade.pl and t/043_logical.pl, from PostgreSQL
# 15 of Debian 12, which is installed beside the newer one. HASHEMB_WORDNET, a folder
# of real embeddings, is there to be read.
set -eu

source=$(cd "$(dirname "$0")/.." && pwd)
. "$source/tools/roots.sh"

# The Debian release that has a version
release_of()
{
	case $1 in
		15) echo bookworm ;;
		17) echo trixie ;;
		18) echo sid ;;
		*) echo "no Debian release is known to have PostgreSQL $1" >&2; exit 2 ;;
	esac
}

# Put PostgreSQL 15 beside the server of a root, with its headers: these without
# the compiler that their package asks for
older_server()
{
	[ ! -e "$1/usr/include/postgresql/15/server/postgres.h" ] || return 0
	echo "deb $(mirror) bookworm main" >"$1/etc/apt/sources.list.d/older.list"
	in_root "$1" root 'cd /srv && apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
		LC_ALL=C.UTF-8 apt-get -qq install -y --no-install-recommends \
		postgresql-15 && apt-get -qq -o APT::Sandbox::User=root download \
		postgresql-server-dev-15 && dpkg-deb -x postgresql-server-dev-15_*.deb / &&
		rm postgresql-server-dev-15_*.deb' >"$1.log" 2>&1 ||
		{ cat "$1.log" >&2; return 1; }
	rm "$1/etc/apt/sources.list.d/older.list"
	in_root "$1" root 'apt-get -qq update'
}

why=$(no_roots)
[ -z "$why" ] || { echo "No Debian can be made: $why" >&2; exit 1; }
trap stop_root EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
failed='' data=${HASHEMB_WORDNET:-}
for version in ${*:-17 18}; do
	release=$(release_of "$version")
	root=$roots/compat-$version
	base "$release"
	if [ ! -d "$root" ]; then
		remove_root "$root.new"
		new_root "$release" "$root.new"
		mv "$root.new" "$root"
	fi
	copy_checkout "$source" "$root" root
	case " ${KINDS:-} " in *' upgrade '*) older_server "$root" ;; esac
	echo "== PostgreSQL $version in Debian ($release)"
	in_root "$root" root "cd /srv/hashemb && HASHEMB_PG_VERSION=$version \
		${data:+HASHEMB_WORDNET=/srv/data} make test KINDS='${KINDS:-}'" || failed="$failed $version"
	keep_packages "$release" "$root"
done
[ -z "$failed" ] || { echo "failed on:$failed" >&2; exit 1; }
echo "passed"
