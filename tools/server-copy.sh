#!/bin/sh
# Make a private, relocated copy of an installed PostgreSQL server.
#
#   tools/server-copy.sh DIR [VERSION]
#
# PostgreSQL finds its libraries and shared files relative to its own binary,
# so a copy of Debian's two folders is a complete server into which an
# extension can be installed without touching the system's. VERSION is by
# default what tools/server.sh says. Prints the copy's pg_config. About 50 MB
# and one second.
set -eu

dir=${1:?usage: tools/server-copy.sh DIR [VERSION]}
version=${2:-$("$(dirname "$0")/server.sh" version)}
lib=usr/lib/postgresql share=usr/share/postgresql

if [ ! -x "/$lib/$version/bin/postgres" ]; then
	echo "No server to copy: there is no /$lib/$version/bin/postgres." >&2
	exit 1
fi
mkdir -p "$dir/$lib" "$dir/$share"
cp -a "/$lib/$version" "$dir/$lib/"
cp -a "/$share/$version" "$dir/$share/"
[ -e "$dir/usr/include" ] || ln -s /usr/include "$dir/usr/include"
echo "$dir/$lib/$version/bin/pg_config"
