#!/bin/sh
# Run clang-format, version 14: later ones lay out some lines in another way.
#
#   tools/clang-format.sh [ARGUMENT]...
#
# Without that version it says so and fails.
set -eu

wanted=14 found=''
for program in clang-format-$wanted clang-format; do
	version=$($program --version 2>/dev/null |
		sed 's/.*version \([0-9]*\).*/\1/') || true
	[ "$version" != $wanted ] || exec "$program" "$@"
	found=${found:-$version}
done
echo "clang-format $wanted is needed, and this machine has" \
	"${found:-none}${found:+ only}" >&2
exit 1
