# Bare Debian systems to run commands in, for the scripts that read this file.
#
# They live in $roots (HASHEMB_FRESH, by default a folder below /var/tmp): for
# each release a pristine one, made once by debootstrap from the mirror that
# this system uses and kept with the packages fetched since, and throwaway
# copies of it. Commands run in namespaces of their own: mounts and processes go
# with them, and nothing outside ever sees a mount, so that a copy can be
# removed without care.

roots=${HASHEMB_FRESH:-/var/tmp/hashemb-fresh}
in_root_pid=''
umask 022

# Print why no system can be made here; nothing if one can
no_roots()
{
	if [ "$(id -u)" -ne 0 ]; then
		echo "it takes root"
	elif ! command -v unshare >/dev/null 2>&1 ||
		! unshare --mount --pid --fork mount -t tmpfs tmpfs /mnt 2>/dev/null; then
		echo "it takes mounts and namespaces, which are refused here"
	elif ! command -v debootstrap >/dev/null 2>&1 &&
		! { command -v apt-get && apt-get -qq update && apt-get -qq install -y \
			--no-install-recommends debootstrap; } >/dev/null 2>&1; then
		echo "there is no debootstrap, and apt-get cannot install it"
	elif ! mkdir -p "$roots/base" 2>/dev/null; then
		echo "$roots cannot be made"
	fi
}

# Where this system's packages come from, or Debian's own
mirror()
{
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' 2>/dev/null | grep -v security | head -n 1)
	echo "${uri:-http://deb.debian.org/debian}"
}

# Make the pristine system of a release, if it is not there yet: base RELEASE.
# It has make and sudo beyond what every Debian has.
base()
{
	[ ! -d "$roots/base/$1" ] || return 0
	(
		flock 9
		[ ! -d "$roots/base/$1" ] || exit 0
		echo "Making a bare Debian ($1) in $roots: one to three minutes"
		rm -rf --one-file-system "$roots/base/$1.new"
		if ! debootstrap --variant=minbase --include=make,sudo "$1" \
			"$roots/base/$1.new" "$(mirror)" >"$roots/base/$1.log" 2>&1; then
			tail -n 20 "$roots/base/$1.log" >&2
			exit 1
		fi
		rm -f "$roots/base/$1.new"/var/cache/apt/archives/*.deb
		# Not a difference that a command could see, but half of the time
		echo force-unsafe-io >"$roots/base/$1.new/etc/dpkg/dpkg.cfg.d/unsafe-io"
		# A mirror may be a snapshot
		echo 'Acquire::Check-Valid-Until "false";' \
			>"$roots/base/$1.new/etc/apt/apt.conf.d/snapshot"
		proxy=''
		eval "$(apt-config shell proxy Acquire::http::Proxy 2>/dev/null)"
		[ -z "$proxy" ] || echo "Acquire::http::Proxy \"$proxy\";" \
			>"$roots/base/$1.new/etc/apt/apt.conf.d/proxy"
		mv "$roots/base/$1.new" "$roots/base/$1"
	) 9>"$roots/base/$1.lock"
}

# Copy it into an empty folder or none: new_root RELEASE FOLDER
new_root()
{
	# What runs that were killed have left goes after a day
	find "$roots" -maxdepth 1 -name 'run-*' -cmin +1440 \
		-exec rm -rf --one-file-system {} +
	mkdir -p "$2" "$roots/debs/$1"
	cp -a --reflink=auto "$roots/base/$1/." "$2"
	cp -L /etc/resolv.conf "$2/etc/resolv.conf" 2>/dev/null || true
	find "$roots/debs/$1" -name '*.deb' \
		-exec ln {} "$2/var/cache/apt/archives" \;
}

# Keep the packages that a system has fetched: keep_packages RELEASE ROOT
keep_packages()
{
	for deb in "$2"/var/cache/apt/archives/*.deb; do
		name=$roots/debs/$1/$(basename "$deb")
		[ ! -e "$deb" ] || [ -e "$name" ] || mv "$deb" "$name"
	done
}

remove_root()
{
	rm -rf --one-file-system "$1"
}

# Copy this checkout without what was built: copy_checkout SOURCE ROOT OWNER
copy_checkout()
{
	rm -rf "$2/srv/hashemb"
	mkdir -p "$2/srv/hashemb"
	(cd "$1" && tar -cf - --exclude=.git --exclude='*.o' --exclude='*.d' \
		--exclude='*.bc' --exclude='*.so' --exclude=./tmp_check \
		--exclude=./results --exclude=./output_iso --exclude=./build .) |
		tar -xf - -C "$2/srv/hashemb" --no-same-owner
	chroot "$2" chown -R "$3" /srv/hashemb
}

# Run a shell command as a user who has just logged in: in_root ROOT USER COMMAND
# The folder $data, if set, is there as /srv/data, to be read.
in_root()
{
	unshare --mount --pid --fork --kill-child --propagation private sh -c '
		set -e
		root=$1 user=$2 command=$3 data=$4
		mount -t proc proc "$root/proc"
		for node in null zero full random urandom tty; do
			[ -e "$root/dev/$node" ] || : >"$root/dev/$node"
			mount --bind "/dev/$node" "$root/dev/$node"
		done
		mkdir -p "$root/dev/shm" "$root/dev/pts"
		mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
		mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts \
			"$root/dev/pts"
		if [ -n "$data" ]; then
			mkdir -p "$root/srv/data"
			mount --bind "$data" "$root/srv/data"
			mount -o remount,bind,ro "$root/srv/data"
		fi
		status=0
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			${http_proxy:+http_proxy="$http_proxy"} \
			${https_proxy:+https_proxy="$https_proxy"} \
			chroot "$root" runuser -l "$user" -c "$command" || status=$?
		exit "$status"' sh "$1" "$2" "$3" "${data:-}" </dev/null &
	in_root_pid=$!
	in_root_code=0
	wait "$in_root_pid" || in_root_code=$?
	in_root_pid=''
	return "$in_root_code"
}

# For traps: end the command that runs, and with unshare all that it started
stop_root()
{
	[ -z "$in_root_pid" ] || kill -KILL "$in_root_pid" 2>/dev/null || true
	[ -z "$in_root_pid" ] || wait "$in_root_pid" 2>/dev/null || true
}
