#!/bin/sh
# Feed hostile input to whatever reads input, for some seconds each.
#
#   tools/sandbox.sh fuzz tools/fuzz.sh [SECONDS]     (default: 60)
#
# Three drivers, each with a seed that it prints (HASHEMB_SEED repeats a run):
#
#   models    test/fuzz/model_target.c under libFuzzer, with the address and
#             undefined behaviour sanitizers, from the corpus kept in
#             test/fuzz/model. The kernels, which unit tests check, are not
#             instrumented. Without libFuzzer, gcc replays the corpus only.
#   SQL       t/094_fuzz.pl: text and binary input of every type, functions of
#             text and jsonb, specifications of encoders, bitmaps of rows
#   pages     t/052_damage_statements.pl: index pages of every kind, through
#             page checks, searches, changes and hashemb_check
#
# SQL and pages run on a build with assertions. What libFuzzer finds is left as
# a file below build/fuzz; it goes to test/fuzz/model with the fix. The last
# line is the sum. How each was seen to fail stands in the heads of the targets.
set -eu

cd "$(dirname "$0")/.."
seconds=${1:-60}
seed=${HASHEMB_SEED:-$(date +%s)}
build=build/fuzz
failed=0
mkdir -p "$build/corpus"
echo "seed $seed, $seconds seconds for each of three"

# The first clang that links libFuzzer
fuzzer()
{
	echo 'int LLVMFuzzerTestOneInput(const char *b, long n)
		{ return b == 0 && n; }' >"$build/probe.c"
	for clang in clang clang-19 clang-17 clang-16 clang-15 clang-14; do
		if "$clang" -w -fsanitize=fuzzer,address "$build/probe.c" \
			-o "$build/probe" 2>/dev/null; then
			echo "$clang"
			return
		fi
	done
}

# Build the target of models: target SANITIZERS SOURCE..., by $compiler
target()
{
	sanitizers=$1
	shift
	mkdir -p "$build/kernel"
	for source in src/kernel/*.c; do
		object=$build/kernel/$(basename "$source" .c).o
		[ "$object" -nt "$source" ] ||
			gcc -std=gnu11 -O2 -ffp-contract=off -Isrc -c "$source" -o "$object"
	done
	"$compiler" -std=gnu11 -g -O1 -fno-omit-frame-pointer -ffp-contract=off \
		-Isrc "-fsanitize=$sanitizers" -fno-sanitize-recover=all "$@" \
		src/encoder/model/format.c src/encoder/model/apply.c \
		src/encoder/model/codebook.c src/encoder/model/segment.c \
		src/encoder/model/lexicon.c src/encoder/map/paragraph.c \
		src/encoder/math/product.c test/fuzz/model_target.c "$build"/kernel/*.o -o "$build/model" -lm
}

models()
{
	compiler=$(fuzzer)
	if [ -z "$compiler" ]; then
		echo "No clang with libFuzzer (Debian: clang, libclang-rt-dev): the corpus alone"
		compiler=gcc
		target address,undefined test/fuzz/replay.c
		"$build/model" test/fuzz/model/*
		return
	fi
	target fuzzer,address,undefined
	"$build/model" -seed="$((seed % 1000000 + 1))" -max_len=4000 \
		-max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
		-artifact_prefix="$build/" -print_final_stats=1 -verbosity=0 \
		"$build/corpus" test/fuzz/model
}

# Build with assertions and install into the sandbox
assertions()
{
	make -s clean >/dev/null
	make -s -j"$(nproc)" COPT='-Werror -DUSE_ASSERT_CHECKING'
	make -s install >/dev/null
}

# tap FILE: a TAP test, with the budget in its environment
tap()
{
	pgxs=$(dirname "$(dirname "$($PG_CONFIG --pgxs)")")
	env TESTDIR="$PWD" TESTDATADIR="$PWD/tmp_check" HASHEMB_SEED="$seed" \
		HASHEMB_FUZZ_SECONDS="$seconds" HASHEMB_ROUNDS="$((seconds / 6 + 1))" \
		PG_REGRESS="$pgxs/test/regress/pg_regress" \
		PERL5LIB="$pgxs/test/perl:$PWD/t" prove -v "$1"
}

# driver NAME COMMAND...
driver()
{
	name=$1
	shift
	echo "== $name"
	if "$@"; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		failed=$((failed + 1))
	fi
}

driver models models
assertions
driver SQL tap t/094_fuzz.pl
driver pages tap t/052_damage_statements.pl
echo
echo "$((3 - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
