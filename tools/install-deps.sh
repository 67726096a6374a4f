#!/bin/sh
# Install what a target needs and the machine lacks (Debian and Ubuntu).
#
#   tools/install-deps.sh test | lint | demo
#
# Silent where nothing is missing. Looks for files, not for packages, so that
# whatever provides them is good enough.
set -eu

target=${1:?usage: tools/install-deps.sh test|lint|demo}
missing=''

# need FILE-PATTERN PACKAGE: PACKAGE is missing where no such file exists
need()
{
	for file in $1; do
		[ -e "$file" ] && return
	done
	missing="$missing $2"
}

# need_command COMMAND PACKAGE
need_command()
{
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

# Run apt-get as root, without a question, and only aloud where it fails
apt()
{
	sudo=''
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null 2>&1 || return 1
		sudo=sudo
		[ -t 0 ] || sudo='sudo -n'
	fi
	$sudo env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
		apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 </dev/null
}

# The server version: the newest installed, or the distribution's own
version=$(for bin in /usr/lib/postgresql/*/bin/postgres; do
	[ -x "$bin" ] && echo "$bin" | cut -d/ -f5
done | sort -n | tail -n 1)
version=${HASHEMB_PG_VERSION:-$version}
if [ -z "$version" ]; then
	. /etc/os-release 2>/dev/null || true
	case "${VERSION_CODENAME:-}" in
		bullseye) version=13 ;;
		bookworm) version=15 ;;
		jammy) version=14 ;;
		noble) version=16 ;;
		*) version=17 ;;
	esac
fi

pg=/usr/lib/postgresql/$version
need "$pg/bin/postgres" "postgresql-$version"
need "$pg/lib/pgxs/src/makefiles/pgxs.mk" "postgresql-server-dev-$version"
need_command gcc 'gcc libc6-dev'
need_command perl perl
case $target in
	test)
		need_command prove perl
		need '/usr/share/perl5/IPC/Run.pm' libipc-run-perl
		need '/usr/include/simde' libsimde-dev
		need_command zstd zstd
		;;
	lint)
		need_command clang-format clang-format
		need_command nm binutils
		;;
	demo)
		need '/usr/share/wordnet/data.noun' wordnet-base
		;;
esac
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "Missing, and there is no apt-get to install it with:$missing" >&2
	exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "Installing with apt-get:$missing"
if ! apt update || ! apt install -y --no-install-recommends $missing; then
	cat "$log" >&2
	echo "Could not install:$missing" >&2
	echo "As an administrator, run: apt-get install$missing" >&2
	exit 1
fi
