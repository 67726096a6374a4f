#!/bin/sh
# Measure ids and codes by codebooks on real rows: methods rq and pq, each beside
# what it should beat: bench/ids.sql.  On one throwaway server.
#
#   bench/ids.sh FOLDER            (bench/embeddings.c says of what form; with
#                                   docs.tsv.zst, queries.f32 and queries.tsv)
#
# Writes below build/bench/results/. From the environment, as in bench/run.sh:
# PG_CONFIG, DATA, SHARED_BUFFERS, MAINTENANCE_WORK_MEM, RESULTS; and
#
#   ROWS       taken of all, 20000, and those that queries look for
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/ids.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${ROWS:=20000}" "${SHARED_BUFFERS:=512MB}" "${MAINTENANCE_WORK_MEM:=512MB}"
: "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-ids

. "$here/server.sh"

dims=$(($(wc -c < "$folder/mean.f32") / 4))

# Queries and the rows that they look for, as lines for COPY
queries()
{
	perl -e 'my ($folder, $dims) = @ARGV;
		open(my $f, "<:raw", "$folder/queries.f32") or die;
		open(my $t, "<", "$folder/queries.tsv") or die;
		<$t>;
		while (read($f, my $bytes, 4 * $dims)) {
			my (undef, $doc) = split /\t/, scalar <$t>;
			print "$doc\t{", join(",", map { sprintf "%.9g", $_ } unpack("f<*", $bytes)), "}\n";
		}' "$folder" "$dims"
}

run()
{
	describe "$(wc -c < "$folder/dense.scale.f32" | awk '{ print $1 / 4 }') embeddings of $dims dimensions, $ROWS rows taken"
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION hashemb;
	CREATE UNLOGGED TABLE hashemb (id integer, code bincode($dims),
		embedding real[]);
	CREATE UNLOGGED TABLE entry (id integer, synset_key text, pos text,
		lexname text, words text, n_words text, gloss_words text,
		n_pointers text, synset_offset text, query_example_removed text,
		gloss text);
	CREATE UNLOGGED TABLE query (doc integer, x real[]);
	SQL
	"$build/embeddings" copy "$folder" hashemb |
		sql -c "COPY hashemb (id, code, embedding) FROM STDIN (FORMAT binary)"
	zstd -dcq "$folder/docs.tsv.zst" | tail -n +2 | tr -d '\\' |
		sql -c "COPY entry FROM STDIN"
	queries | sql -c "COPY query FROM STDIN"
	sql -v rows="$ROWS" -f "$here/ids.sql"
	echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

start_server
run_and_keep
