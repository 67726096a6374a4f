#!/bin/sh
# Run "make test" on other major versions of PostgreSQL, each in a Debian that
# has it.
#
#   tools/compat.sh [VERSION]...        (default: 17 18)
#
# The systems are made as tools/roots.sh says and kept, with what was installed:
# minutes and 2 GB each. Needs root. KINDS="regress" runs only these tests.
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

why=$(no_roots)
[ -z "$why" ] || { echo "No Debian can be made: $why" >&2; exit 1; }
trap stop_root EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
failed=''
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
	echo "== PostgreSQL $version in Debian ($release)"
	in_root "$root" root "cd /srv/hashemb && HASHEMB_PG_VERSION=$version \
		make test KINDS='${KINDS:-}'" || failed="$failed $version"
	keep_packages "$release" "$root"
done
[ -z "$failed" ] || { echo "failed on:$failed" >&2; exit 1; }
echo "passed"
