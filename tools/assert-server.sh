#!/bin/sh
# Build a PostgreSQL server that checks itself: assertions on, valgrind told of
# every memory context, no optimisation that hides a variable.
#
#   tools/assert-server.sh DIR [VERSION]
#
# Debian's own source package of the installed (or given) major version is
# fetched by name through the package sources this system already has, built
# with one job at low priority, and installed under DIR. Prints the server's
# pg_config. Needs root for the build dependencies, about 15 minutes on one
# core and 700 MB, most of which is the build folder DIR/build.
set -eu

dir=${1:?usage: tools/assert-server.sh DIR [VERSION]}
version=${2:-$("$(dirname "$0")/server.sh" version)}
mkdir -p "$dir/build" "$dir/apt/parts"
dir=$(cd "$dir" && pwd)

# Source entries for the sources configured here, in a list of their own: the
# system's stays as it is. Both spellings of a source file are understood.
sources=/etc/apt/sources.list.d
for file in "$sources"/*.sources
do
	[ -e "$file" ] || continue
	sed 's/^Types:.*/Types: deb-src/' "$file" \
		> "$dir/apt/parts/$(basename "$file")"
done
for file in /etc/apt/sources.list "$sources"/*.list
do
	[ -e "$file" ] || continue
	sed -n 's/^deb /deb-src /p' "$file" \
		> "$dir/apt/parts/$(basename "$file" .list).list"
done
mkdir -p "$dir/apt/lists/partial"
with_sources()
{
	command=$1
	shift
	"$command" -q -o Dir::Etc::SourceList=/dev/null \
		-o Dir::Etc::SourceParts="$dir/apt/parts" \
		-o Dir::State::Lists="$dir/apt/lists" \
		-o APT::Sandbox::User=root "$@"
}

# The newest source package that is there to be had: a list can be ahead of
# the files it names.
fetch_source()
{
	for release in $(with_sources apt-cache showsrc "postgresql-$version" |
		sed -n 's/^Version: //p' | sort -rVu)
	do
		with_sources apt-get source "postgresql-$version=$release" >&2 &&
			return 0
	done
	echo "no source package of postgresql-$version could be fetched" >&2
	return 1
}

if ! ls "$dir"/build/postgresql-"$version"-*/configure > /dev/null 2>&1
then
	apt-get -q install -y --no-install-recommends gcc make bison flex perl \
		dpkg-dev libicu-dev libreadline-dev pkg-config zlib1g-dev valgrind >&2
	# A source that has no source packages is no obstacle
	with_sources apt-get update >&2 || true
	(cd "$dir/build" && fetch_source)
fi

# Debian's sources put the server's library folder under /usr whatever the
# prefix, unless the library folder's own name says postgresql. An installation
# that wrote there would overwrite the system's server: so the name says it,
# what comes of it is checked, and no step from here on runs as root.
chown -R postgres "$dir"
cd "$dir"/build/postgresql-"$version"-*/
as_postgres()
{
	nice -n 19 runuser -u postgres -- "$@"
}
if ! grep -q -e --with-icu config.status 2> /dev/null
then
	as_postgres ./configure --prefix="$dir" --libdir="$dir/lib/postgresql" \
		--enable-cassert --enable-debug --enable-tap-tests --with-icu \
		CPPFLAGS=-DUSE_VALGRIND CFLAGS='-Og -g' > "$dir/build/configure.log"
	# Objects do not depend on what configure found
	as_postgres make -s clean > "$dir/build/clean.log" 2>&1
fi
inside=0
for folder in bindir libdir pkglibdir datadir includedir_server
do
	rules=$(printf 'top_builddir = .\ninclude src/Makefile.global\n%s\n' \
		"show: ; @echo \$($folder)")
	folder=$(echo "$rules" | as_postgres make -s -f - show)
	case $folder in
		"$dir"/*) inside=$((inside + 1)) ;;
	esac
done
if [ "$inside" -ne 5 ]
then
	echo "the build would install outside of $dir" >&2
	exit 1
fi
{
	as_postgres make -s -j1
	as_postgres make -s -j1 install
	as_postgres make -s -j1 -C contrib install
	# The test drivers, which PGXS looks for beside its makefiles
	as_postgres make -s -j1 -C src/test/isolation install
} > "$dir/build/make.log" 2>&1
# How valgrind is told which reports are the server's own
cp src/tools/valgrind.supp "$dir/share/"
echo "$dir/bin/pg_config"
