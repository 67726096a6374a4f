#!/bin/sh
# Run README's commands on machines that have nothing, or not quite what they
# need: bare Debian systems, made as tools/roots.sh says.
#
#   tools/fresh.sh [SCENARIO]...     (default: all)
#   tools/fresh.sh ci                make demo and make test, with all output
#
# A scenario is RELEASE-HAS-USER: bookworm or trixie; nothing, server (without
# its headers), client (a server and beside it a newer client) or package (the
# tools that build Debian packages); root, or someone who may use sudo. Every
# release runs all tests once; other scenarios the quicker kinds. Needs root.
# Logs are kept beside the systems. "ci" ends with test's line of counts, and
# with exit code 77 where no system can be made or nothing runs in it.
set -eu

source=$(cd "$(dirname "$0")/.." && pwd)
. "$source/tools/roots.sh"

scenarios='bookworm-nothing-root bookworm-server-sudo bookworm-client-root
	bookworm-client-sudo bookworm-package-root trixie-nothing-sudo
	trixie-server-root trixie-client-sudo trixie-package-root'
quick='isolation'
root='' passed=0 failed=0

cleanup()
{
	stop_root
	[ -z "$root" ] || remove_root "$root"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Count a step of the scenario and say how it went: verdict STATUS TITLE SECONDS
verdict()
{
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok      $scenario: $2 ($3 s)"
	else
		failed=$((failed + 1))
		echo "FAILED  $scenario: $2 ($3 s)"
	fi
}

# Run a command in the checkout in the system, with its output in $log:
# run COMMAND
run()
{
	in_root "$root" "$user" "cd /srv/hashemb && $1" >"$log" 2>&1
}

# Run a command that must succeed: step COMMAND
step()
{
	begin=$(date +%s) status=0
	run "$1" || status=$?
	verdict "$status" "$1" $(($(date +%s) - begin))
	[ "$status" -eq 0 ] || tail -n 60 "$log" | sed 's/^/    /'
	cat "$log" >>"$roots/logs/$scenario"
}

# Run a command that must fail, saying something: refused COMMAND PATTERN
refused()
{
	begin=$(date +%s) status=0
	run "$1" && status=1
	grep -qE "$2" "$log" || status=1
	verdict "$status" "$1 says: $2" $(($(date +%s) - begin))
	[ "$status" -eq 0 ] || tail -n 20 "$log" | sed 's/^/    /'
	cat "$log" >>"$roots/logs/$scenario"
}

# Make the system of a scenario, without the project's help
make_root()
{
	base "$release"
	root=$(mktemp -d "$roots/run-XXXXXX")
	new_root "$release" "$root"
	chroot "$root" useradd --create-home --shell /bin/sh someone
	chroot "$root" useradd --create-home --shell /bin/sh stranger
	echo "127.0.0.1 localhost $(uname -n)" >"$root/etc/hosts"
	echo 'someone ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/someone"
	[ "$user" = root ] || user=someone
	copy_checkout "$source" "$root" "$user"
}

# Install packages in it as its owner would have
install()
{
	in_root "$root" root "apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
		LC_ALL=C.UTF-8 apt-get -qq install -y --no-install-recommends $*" \
		>"$log" 2>&1 || { cat "$log" >&2; return 1; }
}

# Put a newer client beside the server: the files of the real package, from the
# next release, without what it depends on
newer_client()
{
	case $release in
		bookworm) next=trixie version=17 ;;
		*) next=sid version=18 ;;
	esac
	sources=$root/etc/apt/sources.list.d/next.list
	echo "deb $(mirror) $next main" >"$sources"
	in_root "$root" root "cd /srv && apt-get -qq update && apt-get -qq \
		-o APT::Sandbox::User=root download postgresql-client-$version && \
		dpkg-deb -x postgresql-client-${version}_*.deb /" >"$log" 2>&1 ||
		{ cat "$log" >&2; return 1; }
	rm "$sources"
	in_root "$root" root 'apt-get -qq update' >"$log" 2>&1
	[ -d "$root/usr/lib/postgresql/$version/bin" ] &&
		[ ! -e "$root/usr/lib/postgresql/$version/bin/postgres" ]
}

# README's commands, as they stand there
readme_commands()
{
	step 'make demo'
	step "make test KINDS='$kinds'"
	[ -n "$kinds" ] || step 'make lint'
}

# The system's own server gets the extension
installed()
{
	step "make && $sudo make install"
	step "test -e /usr/lib/postgresql/$server/lib/hashemb.so"
	step "$sudo runuser -u postgres -- pg_virtualenv -v $server \
/usr/lib/postgresql/$server/bin/psql -c 'CREATE EXTENSION hashemb'"
}

# Build the Debian package, install it, run what README and docs show with it;
# and make a release archive, and install from that
package()
{
	step 'pg_buildext updatecontrol'
	step 'dpkg-buildpackage -us -uc -b'
	step "dpkg -i ../postgresql-$server-hashemb_*.deb"
	step 'debian/tests/readme'
	step "dpkg -r postgresql-$server-hashemb"
	step 'make dist && python3 -m zipfile -e build/hashemb-*.zip /srv/dist'
	step "cd /srv/dist/hashemb-* && make with_llvm=no && make with_llvm=no install"
	step "runuser -u postgres -- pg_virtualenv -v $server \
psql -c 'CREATE EXTENSION hashemb'"
}

run_scenario()
{
	scenario=$1
	release=${1%%-*} user=${1##*-}
	has=${1#*-}
	has=${has%-*}
	sudo='' kinds=$quick
	[ "$user" = root ] || sudo=sudo
	case $release in bookworm) server=15 ;; *) server=17 ;; esac
	case $1 in bookworm-nothing-root | trixie-nothing-sudo) kinds='' ;; esac
	: >"$roots/logs/$scenario"
	echo "== $scenario"
	make_root
	case $has in
		nothing)
			owner=$user user=stranger
			refused 'make demo' 'apt-get install.*postgresql'
			user=$owner
			refused 'make' 'apt-get install postgresql-server-dev-all'
			readme_commands ;;
		server)
			install "postgresql-$server"
			refused 'make' "apt-get install postgresql-server-dev-$server"
			readme_commands ;;
		client)
			install "postgresql-$server"
			newer_client
			refused 'make' "apt-get install postgresql-server-dev-$server"
			readme_commands
			installed ;;
		package)
			install "postgresql postgresql-server-dev-all build-essential debhelper \
				libipc-run-perl python3-minimal"
			package ;;
	esac
	keep_packages "$release" "$root"
	remove_root "$root"
	root=''
}

# README's commands in a bare Debian 12, for continuous integration
ci()
{
	scenario=ci release=bookworm user=root data=${HASHEMB_WORDNET:-}
	base "$release" && make_root && in_root "$root" root true || exit 77
	demo=0 test=0
	echo "== make demo, in a bare Debian 12"
	in_root "$root" root 'cd /srv/hashemb && make demo' 2>&1 || demo=$?
	echo
	echo "== make test, in the same"
	mkfifo "$root/srv/output"
	tee "$log" <"$root/srv/output" &
	in_root "$root" root "cd /srv/hashemb && \
${data:+HASHEMB_WORDNET=/srv/data} make test" >"$root/srv/output" 2>&1 || test=1
	wait
	keep_packages "$release" "$root"
	pattern='^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$'
	counts=$(grep -E "$pattern" "$log" | tail -n 1)
	[ -n "$counts" ] || counts='0 passed, 1 failed'
	passed=${counts%% *} rest=${counts#*, }
	failed=${rest%% *} rest=${rest#* failed}
	if [ "$demo" -eq 0 ]; then
		passed=$((passed + 1))
	else
		echo "make demo failed with exit code $demo"
		failed=$((failed + 1))
	fi
	[ "$test" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
	echo
	echo "$passed passed, $failed failed$rest"
	[ "$failed" -eq 0 ]
}

why=$(no_roots)
if [ -n "$why" ]; then
	echo "No bare Debian can be made: $why" >&2
	exit 77
fi
mkdir -p "$roots/logs"
log=$roots/logs/step.$$
trap 'cleanup; rm -f "$log"' EXIT
if [ "${1:-}" = ci ]; then
	ci
	exit
fi
for one in "$@"; do
	case " $(echo $scenarios) " in
		*" $one "*) ;;
		*) echo "no such scenario: $one; there are" $scenarios >&2; exit 2 ;;
	esac
done
begun=$(date +%s)
for one in ${*:-$scenarios}; do
	run_scenario "$one"
done
echo
echo "fresh machines: $passed steps passed, $failed failed in" \
	"$((($(date +%s) - begun) / 60)) minutes; logs are in $roots/logs"
[ "$failed" -eq 0 ]
