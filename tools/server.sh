#!/bin/sh
# Which PostgreSQL server is built for and tested with: decided here alone.
#
#   tools/server.sh version      its major version, as 15
#   tools/server.sh pg_config    its pg_config
#
# The first of: the version HASHEMB_PG_VERSION, the server of PG_CONFIG, for
# pg_config that of the pg_config in PATH, the newest server installed where
# Debian and Ubuntu do, the one that they would install. A server has a program
# postgres: a newer client beside it makes the same folders and comes first in
# PATH, but nobody can run tests with it.
set -eu

mode=${1:?usage: tools/server.sh version|pg_config}
servers=${HASHEMB_SERVERS:-/usr/lib/postgresql} # another folder for tests

# Is this the pg_config of a server with headers?
builds()
{
	bin=$("$1" --bindir 2>/dev/null) && [ -x "$bin/postgres" ] &&
		[ -e "$("$1" --includedir-server)/postgres.h" ]
}

# The newest installed
installed()
{
	for postgres in "$servers"/*/bin/postgres; do
		[ ! -x "$postgres" ] ||
			basename "$(dirname "$(dirname "$postgres")")"
	done | sort -n | tail -n 1
}

# What the distribution would install, by its package or its name
provided()
{
	version=$(apt-cache show postgresql 2>/dev/null |
		sed -n 's/^Version: \([0-9]*\)+.*/\1/p' | sort -n | tail -n 1)
	if [ -z "$version" ]; then
		VERSION_CODENAME=''
		[ ! -r /etc/os-release ] || . /etc/os-release
		case $VERSION_CODENAME in
			jammy) version=14 ;;
			bookworm) version=15 ;;
			noble) version=16 ;;
			trixie | plucky | questing) version=17 ;;
			*) version=18 ;;
		esac
	fi
	echo "$version"
}

version=${HASHEMB_PG_VERSION:-}
if [ -z "$version" ] && [ -n "${PG_CONFIG:-}" ]; then
	version=$("$PG_CONFIG" --version 2>/dev/null |
		sed 's/^[^0-9]*\([0-9]*\).*/\1/')
fi
if [ "$mode" = pg_config ] && [ -z "$version" ] && builds pg_config; then
	echo pg_config
	exit
fi
version=${version:-$(installed)}
version=${version:-$(provided)}
case $mode in
	version) echo "$version" ;;
	pg_config)
		file=$servers/$version/bin/pg_config
		if [ -x "$file" ]; then echo "$file"; else echo pg_config; fi ;;
	*) echo "no such mode: $mode" >&2; exit 2 ;;
esac
