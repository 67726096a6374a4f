#!/bin/sh
# Measure an index of lists of tokens: recall and time of MaxSim with filters,
# beside an exact scan and a B-tree's rows sorted, in one table on one throwaway
# server. Needs perl, which reads the vectors.
#
#   bench/multi.sh FOLDER        words.i8, words.scale.f32, docs.*, queries.* and
#                                gt_maxsim.scr.f32 (exact answers) there: little-endian,
#                                row-major; lists as places and words
#
# Prints a table and writes it below build/bench/results/. From the environment,
# as in bench/run.sh: PG_CONFIG, DATA, QUERIES (1000), TRUE (100), SHARED_BUFFERS,
# MAINTENANCE_WORK_MEM, RESULTS.
#
# Recall is that of the exact order: rows returned that are no farther than the
# last one of the exact answer, of those that this has; +- a standard error. The
# first TRUE queries are searched with filters, for which truths are found by scans.
# FILTERS=all: filters of all kinds instead of three, on more attributes.
# "ms" are means of the server process's time on a processor, planning included:
# statements are new ones. "wall" is the median by the clock, which other work on
# the machine makes longer.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?usage: bench/multi.sh FOLDER}" && pwd)
build=$here/../build/bench
: "${QUERIES:=1000}" "${TRUE:=100}" "${SHARED_BUFFERS:=2GB}"
: "${MAINTENANCE_WORK_MEM:=64MB}" "${RESULTS:=$build/results}" "${FILTERS:=}"
mkdir -p "$RESULTS" "$build"
out=$RESULTS/$(date -u +%Y-%m-%d-%H%M)-multi

. "$here/server.sh"

# Words as COPY takes them: number and vector
words()
{
	perl -e '
		my ($f, $dims) = @ARGV;
		local $/; my @file = map { open my $h, "<:raw", "$f/$_" or die $!; <$h> }
			qw(words.i8 words.scale.f32);
		my @scale = unpack "f<*", $file[1];
		for my $w (0 .. $#scale) {
			my @v = unpack "c$dims", substr $file[0], $w * $dims, $dims;
			print "$w\t{", join(",", map { sprintf "%.9g", $_ * $scale[$w] } @v), "}\n";
		}' "$folder" 100
}

# lists NAME: each list of words
lists()
{
	perl -e '
		my ($f, $name) = @ARGV;
		local $/; my @file = map { open my $h, "<:raw", "$f/$name.$_" or die $!; <$h> }
			qw(indptr.u32 tokens.u16);
		my @at = unpack "V*", $file[0];
		my @words = unpack "v*", $file[1];
		print "$_\t{", join(",", @words[$at[$_] .. $at[$_ + 1] - 1]), "}\n"
			for 0 .. $#at - 1' "$folder" "$1"
}

# Distances of the first, tenth and hundredth answer to each query
truths()
{
	perl -e '
		local $/; open my $h, "<:raw", "$ARGV[0]/gt_maxsim.scr.f32" or die $!;
		my @score = unpack "f<*", <$h>;
		for my $q (0 .. @score / 100 - 1) {
			print "true\t$_\t$q\t$_\t", -$score[$q * 100 + $_ - 1], "\n" for 1, 10, 100;
		}' "$folder"
}

# With FILTERS=all: the number of words, a label, words, a column of mostly NULL, and one
# that no index knows
more_columns()
{
	[ "$FILTERS" != all ] ||
		echo ', n integer, label text, words integer[], nul integer, free integer'
}

more_values()
{
	[ "$FILTERS" != all ] || echo ", cardinality(words), 'label ' || words[1] % 24, words,
		CASE WHEN id % 20 = 0 THEN id % 7 END, hashtext('f' || id) & 1023"
}

load()
{
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION hashemb;
	CREATE UNLOGGED TABLE word (id integer PRIMARY KEY, v real[]);
	CREATE UNLOGGED TABLE doc_words (id integer, words integer[]);
	CREATE UNLOGGED TABLE query_words (id integer, words integer[]);
	SQL
	words | sql -c "COPY word FROM STDIN"
	lists docs | sql -c "COPY doc_words FROM STDIN"
	lists queries | sql -c "COPY query_words FROM STDIN"
	sql <<-SQL
	ANALYZE word;
	CREATE FUNCTION tokens(integer[]) RETURNS real[] LANGUAGE sql STABLE AS \$\$
		SELECT coalesce(array_agg(v ORDER BY o), '{}')
		FROM unnest(\$1) WITH ORDINALITY AS u (w, o) JOIN word ON word.id = w \$\$;
	CREATE TABLE doc (id integer, r integer, tokens real[]$(more_columns));
	ALTER TABLE doc ALTER tokens SET STORAGE main;
	INSERT INTO doc SELECT id, hashtext('r' || id) & 65535, tokens(words)$(more_values)
		FROM doc_words ORDER BY id;
	CREATE TABLE query AS SELECT id AS q, tokens(words)::text AS tokens FROM query_words
		WHERE words <> '{}' AND id < $QUERIES;
	VACUUM ANALYZE;
	CHECKPOINT;
	SQL
	echo "documents   $(sql -c "SELECT format('%s of %s tokens', count(*),
		sum(cardinality(words))) FROM doc_words")"
	echo "queries     $(sql -c "SELECT format('%s of %s tokens', count(*),
		sum(array_length(tokens::real[], 1))) FROM query")"
}

build_index()
{
	columns=
	[ "$FILTERS" != all ] || columns=', n, label, words, nul'
	sql <<-SQL
	SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1) AS start \\gset
	CREATE INDEX doc_tokens ON doc USING hashemb (tokens maxsim_ops, r$columns)
		WITH (dims = 100);
	SELECT format('with an attribute built in %s s of the processor, %s bytes a token',
		round((split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric
			- :start) / 1e9, 1),
		round(pg_relation_size('doc_tokens') / (SELECT sum(cardinality(words))
			FROM doc_words)::numeric, 2));
	CREATE INDEX alone ON doc USING hashemb (tokens maxsim_ops) WITH (dims = 100);
	SELECT format('without           %s bytes a token',
		round(pg_relation_size('alone') / (SELECT sum(cardinality(words))
			FROM doc_words)::numeric, 2));
	DROP INDEX alone;
	CREATE TABLE fresh (LIKE doc);
	ALTER TABLE fresh ALTER tokens SET STORAGE main;
	INSERT INTO fresh SELECT * FROM doc WHERE id < 20000;
	CREATE INDEX fresh_tokens ON fresh USING hashemb (tokens maxsim_ops, r)
		WITH (dims = 100);
	SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1) AS start \\gset
	INSERT INTO fresh SELECT * FROM doc WHERE id BETWEEN 20000 AND 39999;
	SELECT format('inserts           %s rows a second of the processor',
		round(20000 / ((split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric
			- :start) / 1e9)));
	DROP TABLE fresh;
	SQL
}

functions()
{
	sql <<-SQL
	CREATE TABLE truth (condition text, k integer, q integer, rows integer,
		distance double precision);
	-- the farthest of the first 1, 10 and 100 rows by a sequential scan
	CREATE FUNCTION find_truth(name text, queries integer) RETURNS text
		LANGUAGE plpgsql SET enable_indexscan = off SET enable_bitmapscan = off
		SET hashemb.enable_scan = off AS \$\$
	DECLARE
		one record;
		found double precision[];
		start numeric := split_part(pg_read_file('/proc/self/schedstat'), ' ', 1);
	BEGIN
		FOR one IN SELECT * FROM query WHERE q < queries ORDER BY q LOOP
			EXECUTE format('SELECT array(SELECT tokens @# %1\$L::real[] FROM doc
				WHERE %2\$s ORDER BY tokens @# %1\$L::real[] LIMIT 100)', one.tokens,
				name) INTO found;
			CONTINUE WHEN name = 'true';
			INSERT INTO truth SELECT name, k, one.q, least(k, cardinality(found)),
				found[least(k, cardinality(found))]
				FROM unnest('{1,10,100}'::integer[]) AS k;
		END LOOP;
		ANALYZE truth;
		RETURN format('%s %s ms', rpad('k 100  exact scan', 22),
			round((split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric
				- start) / 1e6 / queries, 2));
	END \$\$;
	CREATE FUNCTION measure(name text, condition text, rows_wanted integer) RETURNS text
		LANGUAGE plpgsql AS \$\$
	DECLARE
		one record;
		found double precision[];
		hits integer;
		recall double precision[];
		wall double precision[];
		short_of integer := 0;
		began timestamptz;
		start numeric := split_part(pg_read_file('/proc/self/schedstat'), ' ', 1);
		spent numeric;
	BEGIN
		FOR one IN SELECT query.tokens, truth.* FROM query JOIN truth USING (q)
			WHERE truth.condition = measure.condition AND k = rows_wanted
			ORDER BY q LOOP
			began := clock_timestamp();
			EXECUTE format('SELECT array(SELECT tokens @# %1\$L::real[] FROM doc
				WHERE %2\$s ORDER BY tokens @# %1\$L::real[] LIMIT %3\$s)', one.tokens,
				condition, rows_wanted) INTO found;
			wall := wall || extract(epoch FROM clock_timestamp() - began)
				::double precision * 1000;
			-- answers were added up in another order
			SELECT count(*) INTO hits FROM unnest(found) f
				WHERE f <= one.distance + 2e-6;
			recall := recall || hits / greatest(one.rows, 1)::double precision;
			short_of := short_of + (cardinality(found) < one.rows)::integer;
		END LOOP;
		spent := split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric
			- start;
		RETURN (SELECT format('%s recall %s +- %s  %s ms, wall %s%s',
			rpad(format('k %-4s %s', rows_wanted, name), 22),
			to_char(avg(r), '0.000'),
			to_char(stddev(r) / sqrt(count(*)), '0.000'),
			to_char(spent / 1e6 / count(*), '990.00'),
			(SELECT to_char(percentile_cont(0.5) WITHIN GROUP (ORDER BY w), '990.00')
				FROM unnest(wall) w),
			CASE WHEN short_of > 0 THEN format('  %s short of rows', short_of)
				ELSE '' END) FROM unnest(recall) u (r));
	END \$\$;
	SQL
}

# measure NAME CONDITION K SETTINGS
measure()
{
	sql -c "SET max_parallel_workers_per_gather = 0; $4" \
		-c "SELECT measure('$1', \$c\$$2\$c\$, $3)"
}

# The filters, a line each
filters()
{
	if [ "$FILTERS" != all ]; then
		printf '%s\n' 'r < 6554' 'r < 655' 'r < 66'
		return
	fi
	cat <<-'EOF'
	r BETWEEN 30000 AND 36553
	r BETWEEN 30000 AND 30065
	n < 5
	n > 30
	label = 'label 3'
	label IN ('label 1', 'label 5', 'label 9')
	label <> 'label 3'
	words && '{40,41,42,43,44,45}'
	words @> '{12}'
	nul IS NULL
	nul = 3
	(n > 20 OR r < 655)
	NOT (n BETWEEN 4 AND 12)
	label = 'label 3' AND n > 8
	n < 12 AND words && '{40,41,42}' AND nul IS NULL
	free < 102
	free < 10
	id % 2 = 0
	EOF
}

# Every cell of a condition; the B-tree's rows are found and sorted
cells()
{
	echo "condition   $1"
	for k in 1 10 100
	do
		for recall in 0.90 0.95 0.99
		do
			measure "hashemb $recall" "$1" $k "SET hashemb.recall = $recall"
		done
		[ "$1" = true ] || measure "B-tree and sort" "$1" $k \
			"SET hashemb.enable_scan = off"
	done
}

run()
{
	describe "lists of words"
	load
	build_index
	functions
	sql -c "CREATE INDEX doc_r ON doc (r)" -c "ANALYZE doc" -c "ANALYZE query"
	sql -c "SET max_parallel_workers_per_gather = 0" \
		-c "SELECT find_truth('true', 10)"
	truths | sql -c "COPY truth FROM STDIN"
	cells true
	filters | while read -r condition
	do
		sql -c "SET max_parallel_workers_per_gather = 0" \
			-c "SELECT find_truth(\$c\$$condition\$c\$, $TRUE)" </dev/null
		cells "$condition" </dev/null
	done
	echo "load at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

start_server
run_and_keep
