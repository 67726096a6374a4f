#!/bin/sh
# Lines and branches of each source file that the tests reach.
#
#   tools/sandbox.sh test tools/coverage.sh
#
# One build serves all tests, so that their counts add up.
set -eu

HASHEMB_ONE_BUILD=1 PG_CFLAGS='--coverage -O0 -DUSE_ASSERT_CHECKING' \
	SHLIB_LINK=--coverage tools/run-tests.sh ${KINDS:-regress isolation tap} || true

echo
find src -name '*.gcda' | sort | while read -r data; do
	gcov -bn "$data" 2>/dev/null |
		awk -v wanted="${data%.gcda}.c" '
			/^File / { ours = index($0, wanted) }
			ours && /^Lines executed/ { split($0, a, ":"); lines = a[2] }
			ours && /^Taken at least/ { split($0, a, ":"); taken = a[2] }
			END { printf "%-26s lines %-18s branches %s\n", wanted,
				lines, taken }'
done
