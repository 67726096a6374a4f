# Orders by a sum of distances have the recall that was asked for: codes, vectors of
# floats and sparse vectors of the same documents, terms that agree and terms that
# do not, with filters of all sorts; and min(k, matches) rows come, in order.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{HASHEMB_SEED} || time;
my $queries = $ENV{HASHEMB_QUERIES} || 30;
my $node = new_node('sum_recall');

note "seed $seed";

# A document belongs to one of 80 topics by its code and vector, and to another
# one of 60 by its words, which depends on the first for half of them
$node->safe_psql('postgres', qq{
	SELECT setseed(($seed % 1000) / 1000.0);
	CREATE TABLE topic AS SELECT t, ARRAY(SELECT random() - 0.5 FROM generate_series(1, 64) WHERE t >= 0)::real[] AS v FROM generate_series(0, 79) t;
	CREATE TABLE doc (id int, topic int, other int, a int, code bincode(64), v real[], words svec(2000));
	INSERT INTO doc SELECT i, topic, other, (random() * 1000)::int, binarize(v)::bincode(64), v,
		(SELECT svec(array_agg(d), array_agg(w), 2000) FROM (SELECT d, max(w) AS w FROM (SELECT CASE WHEN j < 8 THEN 1 + (other * 17 + (30 * random() * random())::int) % 1000
			ELSE 1001 + (999 * random() * random())::int END AS d, (0.5 + random())::real AS w FROM generate_series(1, 14) j WHERE i > 0) s GROUP BY d) t)
	FROM (SELECT i, topic, CASE WHEN i % 2 = 0 THEN topic % 60 ELSE (random() * 59)::int END AS other,
			ARRAY(SELECT (x + 0.9 * (random() - 0.5))::real FROM topic, unnest(topic.v) x WHERE topic.t = s.topic AND i > 0)::real[] AS v
		FROM (SELECT i, (random() * 79)::int AS topic FROM generate_series(1, 20000 + $queries) i) s) d;
	CREATE TABLE query AS SELECT * FROM doc WHERE id > 20000;
	DELETE FROM doc WHERE id > 20000;
	CREATE INDEX ON doc USING hashemb (code, a, topic);
	CREATE INDEX ON doc USING hashemb (v real_cosine_ops, a) WITH (dims = 64);
	CREATE INDEX ON doc USING hashemb (words, topic, a);
	VACUUM ANALYZE doc;
	CREATE TABLE truth (sum text, condition text, q int, sums float8[]);
	CREATE FUNCTION find_truth(sum text, condition text) RETURNS void LANGUAGE plpgsql SET hashemb.enable_scan = off SET enable_indexscan = off SET enable_bitmapscan = off AS \$\$
	DECLARE
		one record;
		found float8[];
	BEGIN
		FOR one IN SELECT * FROM query LOOP
			EXECUTE format('SELECT array(SELECT %1\$s AS d FROM doc WHERE %2\$s ORDER BY d LIMIT 100)', sum, condition) INTO found USING one.code, one.v, one.words, one.topic;
			INSERT INTO truth VALUES (sum, condition, one.id, found);
		END LOOP;
	END \$\$;
	CREATE FUNCTION judge(sum text, condition text, k int, OUT recall float8, OUT error float8, OUT below_half int, OUT wrong int, OUT by_node int) LANGUAGE plpgsql AS \$\$
	DECLARE
		one record;
		found float8[];
		shares float8[];
		wanted int;
		plan text;
	BEGIN
		wrong := 0;
		by_node := 0;
		FOR one IN SELECT query.*, truth.sums FROM query JOIN truth ON truth.q = query.id WHERE truth.sum = judge.sum AND truth.condition = judge.condition LOOP
			EXECUTE format('SELECT array(SELECT %1\$s AS d FROM doc WHERE %2\$s ORDER BY d LIMIT %3\$s)', sum, condition, k) INTO found USING one.code, one.v, one.words, one.topic;
			wanted := least(k, cardinality(one.sums));
			wrong := wrong + (cardinality(found) <> wanted OR found <> ARRAY(SELECT f FROM unnest(found) f ORDER BY f))::int;
			shares := shares || (SELECT count(*) FILTER (WHERE f <= one.sums[wanted]) FROM unnest(found) f) / greatest(wanted, 1)::float8;
		END LOOP;
		EXECUTE format('EXPLAIN (FORMAT JSON) SELECT %1\$s AS d FROM doc WHERE %2\$s ORDER BY d LIMIT %3\$s', sum, condition, k) INTO plan USING one.code, one.v, one.words, one.topic;
		by_node := (plan LIKE '%hashemb sum%')::int;
		SELECT avg(s), coalesce(stddev(s), 0) / sqrt(count(*)), count(*) FILTER (WHERE s < 0.5) INTO recall, error, below_half FROM unnest(shares) s;
	END \$\$;
	CREATE FUNCTION completed(sum text) RETURNS numeric LANGUAGE plpgsql AS \$\$
	DECLARE
		one record;
		plan json;
		rows numeric := 0;
	BEGIN
		FOR one IN SELECT * FROM query LOOP
			EXECUTE format('EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) SELECT id FROM doc ORDER BY %s LIMIT 10', sum) INTO plan USING one.code, one.v, one.words;
			rows := rows + (plan -> 0 -> 'Plan' -> 'Plans' -> 0 ->> 'Rows Completed')::numeric;
		END LOOP;
		RETURN rows;
	END \$\$;
});

my @sums = ('(code <~> $1) / 64 + 0.2 * (words <#> $3)', '(v <=> $2) + 0.1 * (words <#> $3)', '(v <=> $2) + (code <~> $1) / 64', '(v <=> $2) / 2 + (code <~> $1) / 64 + 0.05 * (words <#> $3)');
my @conditions = ('true', 'a < 100', 'topic = $4', 'topic <> $4 AND a < 500', 'id % 10 = 3');

my $by_node = 0;
my $cells = 0;
my %below;    # queries below one half, of all conditions and k of 10 and more
foreach my $sum (@sums)
{
	foreach my $condition (@conditions)
	{
		my ($name, $where) = ("'$sum'", "'$condition'");
		my $report = $node->safe_psql('postgres', join('', "SET enable_seqscan = off; SET enable_sort = off; SELECT FROM find_truth($name, $where);\n",
			map { my $target = $_; map { "SET hashemb.recall = $target; SELECT $target, $_, j.* FROM judge($name, $where, $_) j;\n" } (1, 10, 100) } (0.9, 0.95, 0.99)));

		foreach my $line (grep { /\|/ } split /\n/, $report)
		{
			my ($target, $k, $recall, $error, $below_half, $wrong, $node_used) = split /\|/, $line;
			my $what = "$sum, $condition, k $k, target $target";

			$cells++;
			$by_node += $node_used;
			cmp_ok($recall + 2 * $error, '>=', $target, "$what: recall $recall");
			is($wrong, 0, "$what: as many rows as match, in order");
			next if $k < 10;
			$below{"$sum, target $target"} += $below_half;
			cmp_ok($below_half, '<=', 0.02 * $queries + 0.5, "$what: one query at most below one half");
		}
	}
}
cmp_ok($below{$_}, '<=', 0.02 * $queries * 2 * @conditions, "$_: few below one half") foreach sort keys %below;
note "$by_node of $cells cells by the node for sums";
cmp_ok($by_node, '>', 0.9 * $cells, 'nearly all by the node for sums');

# What the target allows to miss is used to end sooner, where sparse vectors, whose
# searches miss nothing, leave some of it
my ($few, $all) = split /\n/, $node->safe_psql('postgres', join('', "SET enable_seqscan = off; SET enable_sort = off;\n",
	map { "SET hashemb.recall = $_; SELECT completed('$sums[0]');\n" } (0.9, 0.9999)));
cmp_ok($few, '<', 0.95 * $all, "a scan at .9 completes fewer rows than one at .9999: $few, $all");

$node->stop;
done_testing();
