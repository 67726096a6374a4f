#!/bin/sh
# Check what the compiler does not: layout, layers, names, and that the parts
# which must name each other do. Prints nothing when all is well.
#
#   tools/sandbox.sh lint tools/lint.sh
#
# It builds the library, so it runs in a copy of the checkout.
set -eu

found=$(mktemp)
script=$(ls hashemb--?.?.?.sql | sort -V | tail -n 1)
sources=$(find src test -name '*.[ch]' 2>/dev/null | sort)
text=$(find . -path ./.git -prune -o -type f -print | sort |
	grep -vE '\.(o|so|bc|png|model|gz)$|/\.deps/|^./tools/lint\.sh$')

# Print the lines of standard input, if any, below a title
report()
{
	sed "s|^|$1: |" | tee -a "$found"
}

# Includes of a layer: report FOLDER LAYER...: what FOLDER must not include
layer()
{
	folder=$1
	shift
	for other in "$@"; do
		grep -n "^#include \"$other/" -r "src/$folder" 2>/dev/null || true
	done | report "src/$folder must not include this layer"
}

# -- layers: kernel <- type <- {encoder, index <- plan} <- hashemb.c
# The order of the Makefile's objects has all of it (tools/order.pl, below) but
# that encoders and the index know nothing of each other.
layer index encoder
layer plan encoder
{ grep -rnE '#include "(postgres|fmgr|utils/|settings|compat)' src/kernel \
	test/unit 2>/dev/null || true; } | report 'the kernels know no server'
{ grep -n 'PG_VERSION_NUM' $sources |
	grep -v '^src/compat\.h:' || true; } |
	report 'only compat.h asks for the version'

# -- layout
if tools/clang-format.sh --version >/dev/null 2>&1; then
	tools/clang-format.sh --dry-run $sources 2>&1 |
		grep -E '(warning|error):' | sort -u | head -n 20 |
		report 'make format' || true
else # not a fault of the sources
	echo "layout is not checked: $(tools/clang-format.sh 2>&1 || true)"
fi
{ grep -nE '(^|[^:"])//' $sources | grep -vE '"[^"]*//[^"]*"|\*.*//' || true; } |
	report 'comments are /* */'
{ grep -nE '.{161,}' $sources || true; } | report 'line too long'
for file in $sources; do
	# A function's body lies between braces in the first column
	awk '/^{/ { start = NR }
		/^}$/ && start { if (NR - start > 120)
			printf "%s:%d: %d lines\n", FILENAME, start, NR - start
			start = 0 }
		END { if (NR > 900) printf "%s: %d lines\n", FILENAME, NR }' "$file"
done | report 'too long'
for file in $sources; do
	head -n 2 "$file" | grep -q "^ \* $(basename "$file")" || echo "$file"
done | report 'opens without a banner that names it'
{ grep -nE '/(tmp|work|home|root)/[a-z]' $text /dev/null || true; } |
	grep -vE '(/tmp/hashemb-|mktemp|/tmp\}|\$\{TMPDIR)' |
	report "a machine's path"
{ grep -nE '[[:blank:]]+$' $text /dev/null |
	grep -vE '^\./(expected|\.git)|\.out:|\.md:' || true; } |
	report 'blanks at the end of a line'

# -- headers compile alone
flags="-fsyntax-only -x c -std=gnu11 -Isrc -I$($PG_CONFIG --includedir-server)"
for header in $(find src -name '*.h' | sort); do
	case $header in
		src/kernel/group.h)
			first='-DHX_POPCOUNT=__builtin_popcountll -DHX_GROUP=4' ;;
		src/kernel/*) first='-DHX_POPCOUNT=__builtin_popcountll' ;;
		*) first='-include postgres.h' ;;
	esac
	gcc $flags $first "$header" 2>&1 | grep -E 'error|warning' | head -n 3
done | report 'does not compile alone' || true

# -- each test has an expected output, each output a test
for file in sql/*.sql specs/*.spec; do
	name=$(basename "${file%.*}")
	[ ! -e "$file" ] || [ -e "expected/$name.out" ] || echo "$file"
done | report 'no expected output'
for file in expected/*.out; do
	name=$(basename "$file" .out)
	case $name in *_[0-9]) name=${name%_*} ;; esac
	[ ! -e "$file" ] || [ -e "sql/$name.sql" ] || [ -e "specs/$name.spec" ] ||
		echo "$file"
done | report 'no such test'

make -s -j"$(nproc)" COPT=-Werror with_llvm=no PG_CONFIG="$PG_CONFIG" >/dev/null

# -- order: objects and includes, and kinds of vectors that others do not name
objects=$(printf 'include Makefile\nshow: ; @echo $(OBJS)\n' |
	make -s -f - with_llvm=no PG_CONFIG="$PG_CONFIG" show)
perl tools/order.pl $objects 2>&1 | report 'order'

# -- library and install script name the same functions
tools/exports.sh hashemb.so | report 'exported, but not one of our names'
nm -D --defined-only hashemb.so | sed -n 's/.* pg_finfo_//p' | sort -u \
	>"$found.library"
cat "$script" hashemb_pgvector--?.?.?.sql | tr '\n\t' '  ' |
	sed "s/'MODULE_PATHNAME'/\\n/g" | tail -n +2 |
	sed -n "s/^ *, *'\\([a-z0-9_]*\\)'.*/\\1/p" | sort -u >"$found.script"
comm -23 "$found.library" "$found.script" |
	report "in the library, but not in $script"
comm -13 "$found.library" "$found.script" |
	report "in $script, but not in the library"

# -- shell and Perl parse
for file in tools/*.sh demo/*.sh bench/*.sh .ci/run; do
	[ ! -e "$file" ] || sh -n "$file" 2>&1
done | report 'does not parse'

[ ! -s "$found" ]
