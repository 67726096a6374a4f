#!/bin/sh
# Build with two jobs or as many as there are processors, and say every ten
# seconds how far it is. In the checkout or in a folder outside of it:
#
#   tools/build.sh [ARGUMENT OF MAKE]...
set -eu

source=$(cd "$(dirname "$0")/.." && pwd)
total=$(find "$source/src" -name '*.c' | wc -l)

[ . -ef "$source" ] || set -- -f "$source/Makefile" VPATH="$source" "$@"
(
	while sleep 10 >/dev/null 2>&1; do
		echo "  $(find src -name '*.o' 2>/dev/null | wc -l) of $total files" \
			"compiled"
	done
) &
ticker=$!
trap 'kill $ticker 2>/dev/null' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
make -s -j"$(nproc 2>/dev/null || echo 2)" "$@"
