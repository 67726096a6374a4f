#!/bin/sh
# What takes too long for every commit: load, crashes, little disk, many points in
# time.
#
#   tools/endure.sh [SECONDS [CRASHES]]       (default: 1800, 6)
#
# On a build with assertions and injection points, in a sandbox: SECONDS of mixed
# load on a primary with a standby that is promoted in the middle
# (t/096_standby.pl); CRASHES by kill -9 at each injection point (t/041_crash.pl),
# of which there are more than thirty; faults, with a file system of 3 MB that is
# filled where root may mount one (t/095_faults.pl); 20 points in time
# (t/097_restore.pl). The last line is the sum.
set -eu

seconds=${1:-1800}
crashes=${2:-6}
cd "$(dirname "$0")/.."

# Outside of the sandbox: the small file system, in a namespace of its own
if [ -z "${HASHEMB_SANDBOX:-}" ]; then
	owner=$(id -u postgres 2>/dev/null || id -u nobody)
	if [ "$(id -u)" -eq 0 ] &&
		unshare --mount mount -t tmpfs tmpfs /mnt 2>/dev/null; then
		HASHEMB_SMALL_FS=$(mktemp -d /tmp/hashemb-XXXXXX)
		export HASHEMB_SMALL_FS
		status=0
		unshare --mount sh -c '
			mount -t tmpfs -o "size=3m,mode=700,uid=$1" tmpfs "$HASHEMB_SMALL_FS"
			exec tools/sandbox.sh test tools/endure.sh "$2" "$3"' \
			sh "$owner" "$seconds" "$crashes" || status=$?
		rmdir "$HASHEMB_SMALL_FS"
		exit "$status"
	fi
	echo 'No small file system: it takes root, and mounts'
	exec tools/sandbox.sh test tools/endure.sh "$seconds" "$crashes"
fi

make -s -j"$(nproc)" COPT='-Werror -DUSE_ASSERT_CHECKING'
make -s install >/dev/null
pgxs=$(dirname "$(dirname "$($PG_CONFIG --pgxs)")")
failed=0 count=0
for file in t/095_faults.pl t/097_restore.pl t/041_crash.pl t/096_standby.pl; do
	count=$((count + 1))
	env TESTDIR="$PWD" TESTDATADIR="$PWD/tmp_check" \
		HASHEMB_SECONDS="$seconds" HASHEMB_CRASHES="$crashes" HASHEMB_POINTS=20 \
		PG_REGRESS="$pgxs/test/regress/pg_regress" \
		PERL5LIB="$pgxs/test/perl:$PWD/t" prove "$file" || failed=$((failed + 1))
done
echo "$((count - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
