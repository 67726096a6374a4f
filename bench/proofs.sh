#!/bin/sh
# Measure what is told of orders of codes, second queries, hash trees and hashes of
# functions: bench/proofs.sql.  On one throwaway server.
#
#   bench/proofs.sh FOLDER         (bench/embeddings.c says of what form; with
#                                   docs.tsv.zst, and queries.tsv, queries_def.tsv,
#                                   queries_def.f32, which name the row asked for)
#
# Writes below build/bench/results/. From the environment, as in bench/run.sh:
# PG_CONFIG, DATA, MAINTENANCE_WORK_MEM, RESULTS; and
#
#   PARTS      of "order feedback merkle functional" (all)
#   QUERIES    for "order" (300), which SHARED_BUFFERS=4MB lets read pages
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/proofs.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${PARTS:=order feedback merkle functional}" "${QUERIES:=300}"
: "${SHARED_BUFFERS:=512MB}" "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-proofs

. "$here/server.sh"

dims=$(($(wc -c < "$folder/mean.f32") / 4))

# Lines of kind, number, row asked for, vector
queries()
{
	perl -e '
		my ($kind, $name, $dims) = @ARGV;
		open(my $rows, "<", "$name.tsv") or die "$name.tsv: $!";
		open(my $floats, "<:raw", "$name.f32") or die "$name.f32: $!";
		<$rows>;
		while (read($floats, my $bytes, 4 * $dims))
		{
			my ($q, $row) = split /\t/, <$rows>;
			print join("\t", $kind, $q, $row, "{" . join(",",
				map { sprintf "%.9g", $_ } unpack("f<*", $bytes)) . "}"), "\n";
		}' "$1" "$folder/$2" "$dims"
}

run()
{
	describe "$(wc -c < "$folder/dense.scale.f32" | awk '{ print $1 / 4 }') embeddings of $dims dimensions"
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION hashemb;
	CREATE UNLOGGED TABLE item (id integer, code bincode($dims), x real[]);
	ALTER TABLE item ALTER x SET STORAGE plain;
	CREATE UNLOGGED TABLE query (kind text, q integer, row integer, x real[]);
	CREATE UNLOGGED TABLE entry (id integer, synset_key text, pos text,
		lexname text, words text, n_words text, gloss_words text,
		n_pointers text, synset_offset text, query_example_removed text,
		gloss text);
	SQL
	case " $PARTS " in
		*" order "* | *" feedback "*)
			"$build/embeddings" copy "$folder" hashemb |
				sql -c "COPY item FROM STDIN (FORMAT binary)"
			queries definition queries_def | sql -c "COPY query FROM STDIN"
			queries example queries | sql -c "COPY query FROM STDIN"
			perl -e 'local $/; print join("\t", "mean", 0, 0, "{" . join(",",
				map { sprintf "%.9g", $_ } unpack("f<*", <STDIN>)) . "}"), "\n"' \
				< "$folder/mean.f32" | sql -c "COPY query FROM STDIN"
			zstd -dcq "$folder/docs.tsv.zst" | tail -n +2 | tr -d '\\' |
				sql -c "COPY entry FROM STDIN"
			sql -c "ANALYZE" ;;
	esac
	set --
	for part in order feedback merkle functional
	do
		case " $PARTS " in
			*" $part "*) set -- "$@" -v "$part=on" ;;
			*) set -- "$@" -v "$part=off" ;;
		esac
	done
	sql -v queries="$QUERIES" -v dims="$dims" "$@" -f "$here/proofs.sql"
	echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

start_server
run_and_keep
