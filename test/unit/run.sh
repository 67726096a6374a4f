#!/bin/sh
# Build and run the unit tests of kernels and linear algebra; no server is
# needed.
#
#   test/unit/run.sh [SEED]
#
# Run by `make unitcheck`. CC names the compiler. Every build of the kernels runs
# the same two test programs: sanitized, optimised as in the extension, by clang
# as for the server's JIT, AVX-512 emulated by SIMDe, and NEON under qemu. A build
# whose tools are missing is skipped and says so. Ends with the sum over all
# builds.
set -u

cd "$(dirname "$0")/../.."
build=build/unit
cc=${CC:-gcc}
sources=$(echo src/kernel/*.c)
flags="-std=gnu11 -g -Wall -Wextra -Werror -Wno-psabi -ffp-contract=off -Isrc"
passed=0 failed=0 skipped=0
mkdir -p "$build"

# have COMMAND: is it there?
have() {
	command -v "$1" >/dev/null 2>&1
}

# skip NAME WHY
skip() {
	echo "== $1: skipped, $2"
	skipped=$((skipped + 1))
}

# check NAME RUNNER COMPILER... : build the program, run it, add its counts.
check() {
	name=$1 runner=$2
	shift 2
	echo "== $name"
	# The options are words
	# shellcheck disable=SC2086
	if ! "$@" $flags $sources "test/$folder/$program.c" \
			-o "$build/${program}_$name" -lm $libraries; then
		echo "FAILED $name does not compile"
		failed=$((failed + 1))
		return
	fi
	$runner "$build/${program}_$name" $seed >"$build/$name.log" 2>&1
	code=$?
	cat "$build/$name.log"
	counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' \
		"$build/$name.log")
	if [ -z "$counts" ]; then
		echo "FAILED $name ended early with exit code $code"
		failed=$((failed + 1))
		return
	fi
	passed=$((passed + ${counts% *}))
	failed=$((failed + ${counts#* }))
}

seed=${1:-}
folder=unit
libraries=

# kernels NAME RUNNER COMPILER... : a build of both programs of the kernels.
kernels() {
	build_name=$1
	shift
	program=kernel_test
	check "$build_name" "$@"
	program=dense_test
	check "dense_$build_name" "$@"
}

kernels sanitized "" "$cc" -O1 -fsanitize=address,undefined \
	-fno-sanitize-recover=all
kernels optimised "" "$cc" -O2

clang=
for name in clang clang-19 clang-17 clang-16 clang-15 clang-14; do
	if have $name; then
		clang=$name
		break
	fi
done
if [ -n "$clang" ]; then
	kernels clang "" "$clang" -O2
else
	skip clang "no clang"
fi

# 32-bit and other systems have no x86 kernels to emulate
if [ "$(uname -m)" != x86_64 ]; then
	skip emulated "the machine is no x86-64"
elif echo '#include <simde/x86/avx512.h>' |
	"$cc" -fsyntax-only -x c - 2>/dev/null; then
	kernels emulated "" "$cc" -O1 '-DHX_EMULATE="emulate.h"' -Itest/unit
else
	skip emulated "no SIMDe (Debian: libsimde-dev)"
fi

if [ "$(uname -m)" = aarch64 ]; then
	skip neon "the builds above have run it"
elif have aarch64-linux-gnu-gcc && have qemu-aarch64-static; then
	kernels neon qemu-aarch64-static aarch64-linux-gnu-gcc -O2 -static
else
	skip neon "no aarch64-linux-gnu-gcc or qemu-aarch64-static \
(Debian: gcc-aarch64-linux-gnu, qemu-user-static)"
fi

# The steps of encoding, whose faster level needs no emulation
program=steps_test
check steps_sanitized "" "$cc" -O1 -fsanitize=address,undefined \
	-fno-sanitize-recover=all
check steps_optimised "" "$cc" -O2

# Linear algebra; LAPACK is the oracle where it is
program=matrix_test
sources="src/encoder/math/product.c src/encoder/math/matrix.c src/encoder/math/eigen.c src/encoder/math/procrustes.c src/encoder/math/canonical.c"
if echo 'int main(void) { extern void dsyev_(void); dsyev_(); }' |
	"$cc" -x c - -o "$build/lapack" -llapack 2>/dev/null; then
	flags="$flags -DHX_LAPACK"
	libraries=-llapack
else
	skip lapack "no LAPACK (Debian: liblapack-dev)"
fi
check matrix_sanitized "" "$cc" -O1 -fsanitize=address,undefined \
	-fno-sanitize-recover=all
check matrix_optimised "" "$cc" -O2

# Maps of ids and documents
program=map_test
libraries=
sources="src/encoder/math/product.c src/encoder/map/louvain.c src/encoder/map/paragraph.c"
check map_sanitized "" "$cc" -O1 -fsanitize=address,undefined \
	-fno-sanitize-recover=all
check map_optimised "" "$cc" -O2

# Bytes that are almost an encoder, for a few seconds
program=model_fuzz
sources="$(echo src/kernel/*.c) src/encoder/model/format.c src/encoder/model/apply.c src/encoder/model/codebook.c src/encoder/model/segment.c \
	src/encoder/model/lexicon.c src/encoder/map/paragraph.c src/encoder/math/product.c"
check fuzz_sanitized "" "$cc" -O1 -fsanitize=address,undefined \
	-fno-sanitize-recover=all

# The bytes that "make fuzz" has kept
folder=fuzz
program=replay
seed=$(echo test/fuzz/model/*)
sources="$sources test/fuzz/model_target.c"
check corpus "" "$cc" -O0 -fsanitize=address -Wno-stringop-overflow

echo "$passed passed, $failed failed, $skipped builds skipped"
[ "$failed" -eq 0 ]
