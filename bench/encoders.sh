#!/bin/sh
# Measure what codes of one bit a dimension are worth on real embeddings, by how
# they are made: plain signs, signs of centred embeddings, and encoders that
# learn nothing but mean and scale (random), directions of variance (pca), or a
# rotation that suits the data (itq).  On one throwaway server.
#
#   bench/encoders.sh FOLDER           (bench/embeddings.c says of what form)
#
# Prints the processor time of training and the shares of the ten nearest rows
# by cosine found among the nearest codes, and writes them below
# build/bench/results/. From the environment, as in bench/run.sh: PG_CONFIG, DATA,
# QUERIES (300), SHARED_BUFFERS, MAINTENANCE_WORK_MEM, RESULTS; and
#
#   BITS       lengths of codes, "128 256 512"
#   ENCODERS   of "plain centred random unrotated pca itq" (all); "unrotated" is
#              pca without its random rotation
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/encoders.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${QUERIES:=300}" "${BITS:=128 256 512}"
: "${ENCODERS:=plain centred random unrotated pca itq}"
: "${SHARED_BUFFERS:=1GB}" "${RESULTS:=$build/results}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-encoders

. "$here/server.sh"

conninfo="host=$socket user=postgres dbname=postgres"
dims=$(($(wc -c < "$folder/mean.f32") / 4))

# share NAME SQL...: variants of sequential scans, without the line of titles
share()
{
	"$build/embeddings" share "$folder" "$conninfo" "$QUERIES" "$@" | sed 1d
}

# signs KIND BITS: signs have no encoder; the first so many, of the embedding or
# of what it has more than the mean
signs()
{
	row=code code="\$1"
	float="(SELECT array_agg(x - m ORDER BY i) FROM middle,
		unnest(\$2, mean) WITH ORDINALITY AS u(x, m, i))"
	[ "$1" = centred ] ||
		row="binarize(embedding)" code="binarize(\$2)" float="\$2"
	sql -c "CREATE UNLOGGED TABLE coded AS
		SELECT id, subcode($row, 1, $2)::bincode($2) AS code FROM hashemb"
	share "$1, $2 bits, between codes|hashemb|SELECT id FROM coded
		ORDER BY code <~> (SELECT subcode($code, 1, $2)), id LIMIT 100|" \
		"$1, $2 bits, float query|hashemb|SELECT id FROM coded
		ORDER BY code <#> (SELECT ($float)[:$2]), id LIMIT 100|"
}

# learn METHOD BITS: train, encode all rows, ask in both ways
learn()
{
	method=$1 more=
	[ "$1" != unrotated ] || method=pca more=', "rotate": false'
	sql <<-SQL
	SELECT pg_backend_pid() AS pid \gset
	\setenv SERVER :pid
	\set spent \`awk '{ print (\$14 + \$15) / 100 }' /proc/\$SERVER/stat\`
	CREATE TABLE encoder AS SELECT hashemb_train('{"method": "$method",
		"bits": $2, "normalize": true$more}', embedding ORDER BY id) AS model
		FROM hashemb;
	\set after \`awk '{ print (\$14 + \$15) / 100 }' /proc/\$SERVER/stat\`
	CREATE UNLOGGED TABLE coded AS
		SELECT id, hashemb_encode(model, embedding) AS code
		FROM hashemb, encoder;
	SELECT format('%s, $2 bits: trained in %s s of the processor, loss %s',
		'$1', round(:after - :spent, 1), round(loss::numeric, 3))
		FROM encoder, hashemb_info(model);
	SQL
	share "$1, $2 bits, between codes|hashemb|SELECT id FROM coded
		ORDER BY code <~> (SELECT hashemb_encode(model, \$2) FROM encoder), id
		LIMIT 100|" \
		"$1, $2 bits, float of view query|hashemb|SELECT id FROM coded
		ORDER BY code <#> (SELECT hashemb_project(model, \$2, 'query')
			FROM encoder), id LIMIT 100|"
	sql -c "DROP TABLE encoder"
}

run()
{
	describe "$(wc -c < "$folder/dense.scale.f32" | awk '{ print $1 / 4 }') embeddings of $dims dimensions"
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION IF NOT EXISTS hashemb;
	DROP TABLE IF EXISTS hashemb, encoder, coded, middle;
	CREATE UNLOGGED TABLE hashemb (id integer, code bincode($dims),
		embedding real[]);
	ALTER TABLE hashemb ALTER embedding SET STORAGE plain;
	SQL
	"$build/embeddings" copy "$folder" hashemb |
		sql -c "COPY hashemb (id, code, embedding) FROM STDIN (FORMAT binary)"
	case " $ENCODERS " in
		*" centred "*)
			sql -c "CREATE TABLE middle AS
				SELECT array_agg(x::real ORDER BY i) AS mean
				FROM (SELECT i, avg(x) AS x FROM hashemb, unnest(embedding)
					WITH ORDINALITY AS u(x, i) GROUP BY i) AS s" ;;
	esac
	echo "shares among the first 10, 20, 50 and 100, standard error of the" \
		"first, $QUERIES queries"
	for bits in $BITS
	do
		for encoder in $ENCODERS
		do
			case $encoder in
				plain | centred) signs "$encoder" "$bits" ;;
				random | unrotated | pca | itq) learn "$encoder" "$bits" ;;
				*) echo "unknown encoder $encoder" && return 1 ;;
			esac
			sql -c "DROP TABLE coded"
		done
	done
	echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

start_server
run_and_keep
