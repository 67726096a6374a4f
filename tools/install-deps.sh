#!/bin/sh
# Install what a target needs and the machine lacks (Debian and Ubuntu).
#
#   tools/install-deps.sh test | lint | demo | fuzz | plots
#
# Silent where nothing is missing. Looks for files, not for packages, so that
# whatever provides them is good enough.
set -eu

target=${1:?usage: tools/install-deps.sh test|lint|demo|fuzz|plots}
tools=$(dirname "$0")
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

# Run apt-get as root, without a question but sudo's for a password
apt()
{
	sudo=''
	if [ "$(id -u)" -ne 0 ]; then
		if ! command -v sudo >/dev/null 2>&1; then
			echo "You are not root, and there is no sudo."
			return 1
		fi
		sudo=sudo
		[ -t 0 ] || sudo='sudo -n'
	fi
	$sudo env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
		apt-get -qq -o DPkg::Lock::Timeout=300 "$@" 2>&1 </dev/null
}

# Show how far apt is, by its status lines; the others go to the log
progress()
{
	awk -v log_file="$log" '
		/^(dl|pm)status:/ {
			word = /^dl/ ? "fetched" : "installed"
			percent = $0
			sub(/^[a-z]+:[^:]*(:[a-z][^:]*)?:/, "", percent)
			step = int(percent / 25) * 25
			if (step > shown[word]) {
				if (word != last)
					printf "%s %s", last ? "," : " ", last = word
				printf " %d%%", shown[word] = step
				fflush()
			}
			next
		}
		{ print >log_file; fflush() }
		END { if (last) print "" }'
}

# Megabytes that apt would fetch
megabytes()
{
	apt-get -qq install -y --no-install-recommends --print-uris "$@" 2>/dev/null |
		awk '$3 ~ /^[0-9]+$/ { sum += $3 } END { print int(sum / 1e6) + 1 }'
}

version=$("$tools/server.sh" version)
pg=/usr/lib/postgresql/$version
headers=$("$pg/bin/pg_config" --includedir-server 2>/dev/null) ||
	headers=/usr/include/postgresql/$version/server
need "$pg/bin/postgres" "postgresql-$version"
need "$headers/postgres.h" "postgresql-server-dev-$version"
need_command gcc 'gcc libc6-dev'
need_command make make
need_command perl perl
case $target in
	test)
		need_command prove perl
		need '/usr/share/perl5/IPC/Run.pm' libipc-run-perl
		need '/usr/include/simde' libsimde-dev
		need_command zstd zstd
		;;
	lint)
		# where there is none of the right version, lint goes without
		"$tools/clang-format.sh" --version >/dev/null 2>&1 ||
			! apt-cache show clang-format-14 >/dev/null 2>&1 ||
			missing="$missing clang-format-14"
		need_command nm binutils
		;;
	fuzz)
		need_command prove perl
		need '/usr/share/perl5/IPC/Run.pm' libipc-run-perl
		need '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a' 'clang libclang-rt-dev'
		;;
	plots)
		need_command gnuplot gnuplot-nox
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
trap 'rm -f "$log" "$log.failed"' EXIT
echo "Installing with apt-get:$missing"
failed()
{
	cat "$log" >&2
	echo "Could not install:$missing" >&2
	echo "As an administrator, run: apt-get install$missing" >&2
	exit 1
}
apt update >"$log" || failed
echo "  $(megabytes $missing) MB to fetch; a minute or two where the network is fast"
{ apt install -y --no-install-recommends -o APT::Status-Fd=1 $missing ||
	touch "$log.failed"; } | progress
[ ! -e "$log.failed" ] || failed
