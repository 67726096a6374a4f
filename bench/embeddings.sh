#!/bin/sh
# Measure search in real embeddings from the codes to the nearest by cosine:
# hashemb's index of the embeddings, its codes, signs and learnt ones, re-ranked by
# float, beside pgvector's HNSW where that is installed, on one throwaway server.
#
#   bench/embeddings.sh FOLDER         (bench/embeddings.c says of what form)
#
# Prints tables and writes them below build/bench/results/. From the
# environment, as in bench/run.sh: PG_CONFIG, SYSTEMS, DATA, QUERIES (300),
# WORKERS, SHARED_BUFFERS, MAINTENANCE_WORK_MEM, RESULTS; and
#
#   HNSW    which of pgvector's indexes, of "vector halfvec quantized codes" (all)
#   CODES   what of hashemb is asked, of "dense signs half quarter" (all); dense is
#           the index of the embeddings themselves
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/embeddings.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${QUERIES:=300}" "${HNSW:=vector halfvec quantized codes}"
: "${CODES:=dense signs half quarter}"
: "${SHARED_BUFFERS:=3GB}" "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-embeddings

. "$here/server.sh"

conninfo="host=$socket user=postgres dbname=postgres"
dims=$(($(wc -c < "$folder/mean.f32") / 4))

# Is the word in the list?
has()
{
	case " $1 " in
		*" $2 "*) return 0 ;;
	esac
	return 1
}

# ---- Tables and indexes: what is there already is not made again ---------

is_there()
{
	[ -n "$(sql -c "SELECT to_regclass('$1')")" ]
}

# encoder NAME SHAPE: the encoder of the rows' embeddings, and how long it took
encoder()
{
	sql <<-SQL
	SELECT clock_timestamp() AS start \gset
	INSERT INTO encoder SELECT '$1', hashemb_train(
		'{"method": "pca", "normalize": true, $2}', embedding ORDER BY id)
		FROM loaded;
	SELECT format('%-30s trained in %s s', 'encoder $1',
		round(extract(epoch FROM clock_timestamp() - :'start'), 1));
	SQL
}

# Rows with the codes of three encoders beside the signs
encode()
{
	sql -c "ALTER TABLE hashemb RENAME TO loaded" \
		-c "CREATE TABLE encoder (name text PRIMARY KEY, model hashemb_model)"
	encoder whole '"dims": 512'
	encoder half '"dims": 256, "bits": 2'
	encoder quarter '"dims": 128, "bits": 4'
	sql <<-SQL
	CREATE TABLE hashemb (id integer, code bincode($dims), whole bincode(512),
		half bincode(256, 2), quarter bincode(128, 4), embedding real[]);
	ALTER TABLE hashemb ALTER embedding SET STORAGE plain;
	SELECT clock_timestamp() AS start \gset
	INSERT INTO hashemb SELECT id, code, hashemb_encode(w.model, embedding),
		hashemb_encode(h.model, embedding), hashemb_encode(q.model, embedding),
		embedding FROM loaded, encoder w, encoder h, encoder q
		WHERE w.name = 'whole' AND h.name = 'half' AND q.name = 'quarter';
	SELECT format('%-30s made in %s s', 'three codes of each row',
		round(extract(epoch FROM clock_timestamp() - :'start'), 1));
	DROP TABLE loaded;
	SQL
}

# Embeddings are stored in the row, uncompressed (STORAGE plain), in both
load()
{
	is_there "$1" && return 0
	if [ "$1" = hashemb ]
	then
		extension=hashemb
		columns="code bincode($dims), embedding real[]"
		into="id, code, embedding" plain="embedding"
	else
		extension=vector
		columns="code bit($dims), v vector($dims), h halfvec($dims)
			GENERATED ALWAYS AS (v::halfvec($dims)) STORED"
		into="id, code, v" plain="v h"
	fi
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION IF NOT EXISTS $extension;
	DROP TABLE IF EXISTS $1;
	CREATE TABLE $1 (id integer, $columns);
	SQL
	for column in $plain
	do
		sql -c "ALTER TABLE $1 ALTER $column SET STORAGE plain"
	done
	"$build/embeddings" copy "$folder" "$1" |
		sql -c "COPY $1 ($into) FROM STDIN (FORMAT binary)"
	[ "$1" = pgvector ] || encode
	sql -c "VACUUM ANALYZE $1" -c "CHECKPOINT"
	echo "$1: table of $(sql -c "SELECT count(*) || ' rows, ' ||
		pg_size_pretty(pg_table_size('$1')) FROM $1")"
}

# build NAME TABLE DEFINITION
build()
{
	is_there "\"$1\"" && return 0
	sql <<-SQL
	SELECT clock_timestamp() AS start \\gset
	CREATE INDEX "$1" ON $2 USING $3;
	SELECT format('%-30s built in %s s, %s MB', '$1',
		round(extract(epoch FROM clock_timestamp() - :'start'), 1),
		round(pg_relation_size('"$1"') / 1e6, 1));
	SQL
}

# ---- Searches ------------------------------------------------------------

# exact SYSTEM SQL: that the rows are those of the truth, by a sequential scan
exact()
{
	"$build/embeddings" ask "$folder" "$conninfo" /dev/null 5 \
		"exact, $1|$1|$2|SET enable_indexscan = off"
}

# What codes are worth: exact searches, by query vectors and between codes
shares()
{
	set -- "signs, between codes|hashemb|
		SELECT id FROM hashemb ORDER BY code <~> \$1 LIMIT 100|
		SET hashemb.recall = 1"
	for code in whole half quarter
	do
		for by in project encode
		do
			[ $code-$by != whole-encode ] || continue
			set -- "$@" "$code, hashemb_$by of the query|hashemb|
				SELECT id FROM hashemb ORDER BY $code <=> (SELECT
					hashemb_$by(model, \$2, 'query') FROM encoder
					WHERE name = '$code')
				LIMIT 100|SET hashemb.recall = 1"
		done
	done
	"$build/embeddings" share "$folder" "$conninfo" "$QUERIES" "$@"
}

search()
{
	set --
	if has "$SYSTEMS" hashemb
	then
		for recall in 0.90 0.95 0.99
		do
			has "$CODES" dense || continue
			set -- "$@" "dense $recall|hashemb|
				SELECT id FROM hashemb ORDER BY embedding <=> \$2 LIMIT 10|
				SET enable_seqscan = off; SET hashemb.recall = $recall"
		done
		for code in $CODES
		do
			[ "$code" != dense ] || continue
			order="code <~> \$1" limits="100 200"
			[ "$code" = signs ] || limits="20 30 50" order="$code <=> (SELECT
				hashemb_project(model, \$2, 'query') FROM encoder
				WHERE name = '$code')"
			for limit in $limits
			do
				for recall in 0.90 0.95 0.99
				do
					set -- "$@" "$code $recall, LIMIT $limit|hashemb|
						SELECT id FROM (SELECT id, embedding FROM hashemb
							ORDER BY $order LIMIT $limit) s
						ORDER BY cosine_distance(embedding, \$2) LIMIT 10|
						SET hashemb.recall = $recall"
				done
			done
		done
	fi
	hnsw="SET enable_seqscan = off; SET hnsw.ef_search"
	for type in vector halfvec
	do
		has "$SYSTEMS" pgvector && has "$HNSW" "$type" || continue
		column=v
		[ $type = vector ] || column=h
		for ef in 40 100 200
		do
			set -- "$@" "hnsw $type, ef $ef|pgvector|
				SELECT id FROM pgvector ORDER BY $column <=> \$2::$type LIMIT 10|
				$hnsw = $ef"
		done
	done
	for kind in quantized codes
	do
		has "$SYSTEMS" pgvector && has "$HNSW" "$kind" || continue
		order="binary_quantize(v)::bit($dims) <~> binary_quantize(\$2)"
		[ $kind = quantized ] || order="code <~> \$1"
		for limit in 100 200
		do
			set -- "$@" "hnsw $kind, LIMIT $limit|pgvector|
				SELECT id FROM (SELECT id, v FROM pgvector
					ORDER BY $order LIMIT $limit) s
				ORDER BY v <=> \$2 LIMIT 10|$hnsw = 200"
		done
	done
	"$build/embeddings" ask "$folder" "$conninfo" "$out.tsv" "$QUERIES" "$@"
}

# ---- The run -------------------------------------------------------------

run()
{
	describe "$(wc -c < "$folder/dense.scale.f32" | awk '{ print $1 / 4 }') embeddings of $dims dimensions"
	if has "$SYSTEMS" hashemb
	then
		load hashemb
		exact hashemb "SELECT id FROM hashemb
			ORDER BY cosine_distance(embedding, \$2) LIMIT 10"
		! has "$CODES" dense ||
			build "hashemb dense" hashemb \
				"hashemb (embedding real_cosine_ops) WITH (dims = $dims)"
		build "hashemb signs" hashemb "hashemb (code)"
		for code in whole half quarter
		do
			build "hashemb $code" hashemb "hashemb ($code bincode_cosine_ops)"
		done
	fi
	if has "$SYSTEMS" pgvector
	then
		load pgvector
		exact pgvector "SELECT id FROM pgvector ORDER BY v <=> \$2 LIMIT 10"
		for index in $HNSW
		do
			case $index in
				vector) key="v vector_cosine_ops" ;;
				halfvec) key="h halfvec_cosine_ops" ;;
				quantized)
					key="(binary_quantize(v)::bit($dims)) bit_hamming_ops" ;;
				codes) key="code bit_hamming_ops" ;;
				*) echo "unknown index $index" && return 1 ;;
			esac
			build "hnsw $index" pgvector "hnsw ($key)"
		done
	fi
	! has "$SYSTEMS" hashemb || shares
	search
	echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

start_server
choose_systems
run_and_keep
