#!/bin/sh
# Measure what methods of training reach on real rows that they did not see, each
# beside what it should beat: bench/held.sql.  On one throwaway server.
#
#   bench/held.sh FOLDER           (bench/embeddings.c says of what form; with
#                                   docs.tsv.zst, as bench/wordnet.c says)
#
# Writes below build/bench/results/. From the environment, as in bench/run.sh:
# PG_CONFIG, DATA, SHARED_BUFFERS, MAINTENANCE_WORK_MEM, RESULTS; and
#
#   ROWS       taken of all, 30000
#   PARTS      of "levels blocking cross fit old votes" (all)
#   PYTHON     a Python with numpy, to compute canonical correlations beside
#              cross (bench/canonical.py); none
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/held.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${ROWS:=30000}" "${PARTS:=levels blocking cross fit old votes}" "${PYTHON:=}"
: "${SHARED_BUFFERS:=1GB}" "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-held

. "$here/server.sh"

dims=$(($(wc -c < "$folder/mean.f32") / 4))

run()
{
	describe "$(wc -c < "$folder/dense.scale.f32" | awk '{ print $1 / 4 }') embeddings of $dims dimensions, $ROWS rows taken"
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION hashemb;
	CREATE UNLOGGED TABLE hashemb (id integer, code bincode($dims),
		embedding real[]);
	ALTER TABLE hashemb ALTER embedding SET STORAGE plain;
	CREATE UNLOGGED TABLE entry (id integer, synset_key text, pos text,
		lexname text, words text, n_words text, gloss_words text,
		n_pointers text, synset_offset text, query_example_removed text,
		gloss text);
	SQL
	"$build/embeddings" copy "$folder" hashemb |
		sql -c "COPY hashemb (id, code, embedding) FROM STDIN (FORMAT binary)"
	zstd -dcq "$folder/docs.tsv.zst" | tail -n +2 | tr -d '\\' |
		sql -c "COPY entry FROM STDIN"
	set --
	for part in levels blocking cross fit old votes
	do
		case " $PARTS " in
			*" $part "*) set -- "$@" -v "$part=on" ;;
			*) set -- "$@" -v "$part=off" ;;
		esac
	done
	sql -v rows="$ROWS" "$@" -f "$here/held.sql"
	case "$PYTHON $PARTS " in
		" "*) ;;
		*" cross "*) sql -c "COPY (SELECT id, pair, array_to_string(x, ' '), gloss
			FROM crossed ORDER BY id) TO STDOUT" |
			"$PYTHON" "$here/canonical.py" ;;
	esac
	echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

start_server
run_and_keep
