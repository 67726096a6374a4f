#!/bin/sh
# Measure ways to keep embedding tables in fewer bytes, communities of a large
# graph, and codes of documents: bench/storage.sql.  On one throwaway server.
#
#   bench/storage.sh FOLDER        (bench/embeddings.c says of what form; with
#                                   docs.tsv.zst, as bench/wordnet.c says)
#
# Writes below build/bench/results/. From the environment, as in bench/run.sh:
# PG_CONFIG, DATA, SHARED_BUFFERS, MAINTENANCE_WORK_MEM, RESULTS; and
#
#   ROWS       of the embeddings taken, 10000
#   ZIPF       rows of the generated table, 100000
#   EDGES      of the graph, 5000000
#   QUERIES    50
#   PARTS      of "zipf_rows wordnet graph documents" (all)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/storage.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${ROWS:=10000}" "${ZIPF:=100000}" "${EDGES:=5000000}" "${QUERIES:=50}"
: "${PARTS:=zipf_rows wordnet graph documents}"
: "${SHARED_BUFFERS:=1GB}" "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-storage

. "$here/server.sh"

dims=$(($(wc -c < "$folder/mean.f32") / 4))

run()
{
	describe "$ROWS of $(wc -c < "$folder/dense.scale.f32" | awk '{ print $1 / 4 }') embeddings of $dims dimensions, $ZIPF generated rows, $EDGES edges"
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
	case " $PARTS " in
		*" wordnet "*) "$build/embeddings" copy "$folder" hashemb | sql -c \
			"COPY hashemb (id, code, embedding) FROM STDIN (FORMAT binary)" ;;
	esac
	zstd -dcq "$folder/docs.tsv.zst" | tail -n +2 | tr -d '\\' |
		sql -c "COPY entry FROM STDIN"
	set --
	for part in zipf_rows wordnet graph documents
	do
		case " $PARTS " in
			*" $part "*) set -- "$@" -v "$part=on" ;;
			*) set -- "$@" -v "$part=off" ;;
		esac
	done
	sql -v rows="$ROWS" -v zipf="$ZIPF" -v edges="$EDGES" \
		-v queries="$QUERIES" "$@" -f "$here/storage.sql"
	echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

start_server
run_and_keep
