#!/bin/sh
# Build without warnings, and run regress and isolation tests, on other major
# versions of PostgreSQL: each in a Debian of its own below one folder.
#
#   tools/compat.sh [VERSION]...        (default: 17 18)
#
# The folder is $HASHEMB_COMPAT (default /var/tmp/hashemb-compat); a Debian in
# it is made once, from the mirror this system uses (2 to 3 minutes and 2 GB
# each), and kept. Needs root and debootstrap. HASHEMB_COMPAT_TAP=1 runs the TAP
# tests as well.
set -eu

base=${HASHEMB_COMPAT:-/var/tmp/hashemb-compat}
source=$(cd "$(dirname "$0")/.." && pwd)
log=$(mktemp)
mounted=''

# Unmount what was mounted, and only that
cleanup()
{
	for point in $mounted; do
		umount "$point" || true
	done
	rm -f "$log"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Run a command silently; show what it said if it fails
quietly()
{
	"$@" >"$log" 2>&1 </dev/null || { cat "$log" >&2; return 1; }
}

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

mount_in()
{
	mountpoint -q "$3" && return
	mount -t "$1" "$2" "$3"
	mounted="$3 $mounted"
}

# Make the Debian of a version, if it is not there yet
prepare()
{
	version=$1 dir=$2
	command -v debootstrap >/dev/null 2>&1 ||
		quietly apt-get -qq install -y --no-install-recommends debootstrap
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
		grep -v security | head -n 1)
	if [ ! -e "$dir/bootstrapped" ]; then
		echo "Making a Debian $(release_of "$version") for PostgreSQL $version"
		quietly debootstrap --variant=minbase "$(release_of "$version")" "$dir" \
			$mirror
		touch "$dir/bootstrapped"
	fi
	mount_in proc proc "$dir/proc"
	mount_in tmpfs tmpfs "$dir/dev/shm"
	if [ ! -e "$dir/usr/lib/postgresql/$version/lib/pgxs" ]; then
		quietly chroot "$dir" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
			apt-get -qq install -y --no-install-recommends gcc make libc6-dev \
			"postgresql-$version" "postgresql-server-dev-$version" \
			libipc-run-perl
	fi
}

# Build, install and test in the Debian of a version
check()
{
	version=$1 dir=$2
	pg_config=/usr/lib/postgresql/$version/bin/pg_config
	rm -rf "$dir/hashemb"
	mkdir "$dir/hashemb"
	(cd "$source" && tar -cf - --exclude=.git --exclude='*.o' --exclude='*.d' \
		--exclude='*.bc' --exclude='*.so' --exclude=./build .) |
		tar -xf - -C "$dir/hashemb" --no-same-owner
	chroot "$dir" chown -R postgres /hashemb
	echo "Building for $(chroot "$dir" $pg_config --version)"
	quietly chroot "$dir" make -s -j2 -C /hashemb with_llvm=no COPT=-Werror \
		PG_CONFIG=$pg_config
	quietly chroot "$dir" make -s -C /hashemb with_llvm=no install \
		PG_CONFIG=$pg_config
	chroot "$dir" runuser -u postgres -- pg_virtualenv -v "$version" \
		-o autovacuum_naptime=1d \
		make -s -C /hashemb installcheck with_llvm=no \
		TAP_TESTS="${HASHEMB_COMPAT_TAP:-}" PG_CONFIG=$pg_config
}

failed=''
for version in ${*:-17 18}; do
	dir=$base/$version
	mkdir -p "$dir"
	prepare "$version" "$dir"
	check "$version" "$dir" || failed="$failed $version"
done
[ -z "$failed" ] || { echo "failed on:$failed" >&2; exit 1; }
echo "passed"
