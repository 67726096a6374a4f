# Indexes of lists of tokens have the recall that was asked for, whatever the lists
# are like: tokens of any direction, near points, of topics, copies of few lists, single
# tokens, codes; for queries of few tokens and of many, with filters; and min(k,
# matches) rows come, in order.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{HASHEMB_SEED} || 42;
my $queries = 30;
my $node = new_node('multi_recall');

note "seed $seed";

$node->safe_psql('postgres', qq{
	SELECT setseed(($seed % 1000) / 1000.0);
	-- documents of four tokens of any direction, and queries of some
	CREATE TABLE doc_noise AS SELECT i AS id, i % 10 AS a, l2_normalize(ARRAY(SELECT ARRAY(SELECT (random() + random() - 1)::real FROM generate_series(1, 32) WHERE t + i > 0)
		FROM generate_series(1, 4) t WHERE i > 0)) AS tokens FROM generate_series(1, 4000) i;
	CREATE TABLE query_noise AS SELECT m, l2_normalize(ARRAY(SELECT ARRAY(SELECT (random() + random() - 1)::real FROM generate_series(1, 32) WHERE t + i > 0)
		FROM generate_series(1, m) t WHERE i > 0)) AS tokens FROM generate_series(1, $queries) i, unnest('{2,4,16}'::int[]) m;
	-- the same, of more numbers and so many that thousands are looked at
	CREATE TABLE doc_wide AS SELECT i AS id, i % 10 AS a, l2_normalize(ARRAY(SELECT ARRAY(SELECT (random() + random() - 1)::real FROM generate_series(1, 48) WHERE t + i > 0)
		FROM generate_series(1, 4) t WHERE i > 0)) AS tokens FROM generate_series(1, 20000) i;
	CREATE TABLE query_wide AS SELECT m, l2_normalize(ARRAY(SELECT ARRAY(SELECT (random() + random() - 1)::real FROM generate_series(1, 48) WHERE t + i > 0)
		FROM generate_series(1, m) t WHERE i > 0)) AS tokens FROM generate_series(1, 3 * $queries) i, unnest('{4}'::int[]) m;
	-- tokens near one of 400 points: some as near as a hair, some not
	CREATE TABLE point AS SELECT p, ARRAY(SELECT (random() + random() - 1)::real FROM generate_series(1, 48) WHERE p > 0) AS v FROM generate_series(1, 400) p;
	CREATE TABLE token AS SELECT t, ARRAY(SELECT (x + 0.8 * (random() + random() - 1))::real FROM unnest(v) x WHERE t >= 0) AS v FROM generate_series(0, 29999) t JOIN point ON p = 1 + t % 400;
	ALTER TABLE token ADD PRIMARY KEY (t);
	CREATE TABLE doc_near AS SELECT i AS id, i % 10 AS a, l2_normalize(array_agg(v)) AS tokens
		FROM (SELECT i, (random() * 29999)::int AS t FROM generate_series(1, 8000) i, generate_series(1, 1 + i % 9)) s JOIN token USING (t) GROUP BY i;
	CREATE TABLE query_near AS SELECT 4 AS m, l2_normalize(array_agg(ARRAY(SELECT (x + 0.8 * (random() + random() - 1))::real FROM unnest(v) x WHERE i > 0))) AS tokens
		FROM (SELECT i, (random() * 255)::int + 1 AS p FROM generate_series(1, $queries) i, generate_series(1, 4)) s JOIN point USING (p) GROUP BY i;
	CREATE TABLE doc_copies AS SELECT i AS id, i % 10 AS a, d.tokens FROM generate_series(1, 12000) i JOIN doc_near d ON d.id = 1 + i % 1500;
	CREATE TABLE query_copies AS TABLE query_near;
	CREATE TABLE doc_single AS SELECT t AS id, t % 10 AS a, l2_normalize(ARRAY[v]) AS tokens FROM token;
	CREATE TABLE query_single AS SELECT 1 AS m, tokens[1:1] AS tokens FROM query_near UNION ALL TABLE query_near;
	-- a document of 80 tokens of a topic: seven words of eight are of it, and in a sense of their own
	CREATE TABLE word AS SELECT w, ARRAY(SELECT (x * 0.6 + random() + random() - 1)::real FROM unnest(v) x WHERE w >= 0) AS v
		FROM generate_series(0, 1199) w JOIN (SELECT t, ARRAY(SELECT random() + random() - 1 FROM generate_series(1, 128) WHERE t >= 0) AS v FROM generate_series(0, 19) t) s ON t = w % 20;
	CREATE TABLE sense AS SELECT s, ARRAY(SELECT (x + 0.6 * (random() + random() - 1))::real FROM unnest(v) x WHERE s >= 0) AS v FROM generate_series(0, 11999) s JOIN word ON w = s % 1200;
	ALTER TABLE sense ADD PRIMARY KEY (s);
	CREATE TABLE doc_topics AS SELECT i AS id, i % 10 AS a, l2_normalize(array_agg(v)) AS tokens
		FROM (SELECT i, CASE WHEN n % 8 = 0 THEN (random() * 11999)::int ELSE i % 20 + 20 * (random() * 599)::int END AS s FROM generate_series(1, 1500) i, generate_series(1, 80) n) p
		JOIN sense USING (s) GROUP BY i;
	CREATE TABLE query_topics AS SELECT 32 AS m, l2_normalize(array_agg(ARRAY(SELECT (x + 0.6 * (random() + random() - 1))::real FROM unnest(v) x WHERE i > 0))) AS tokens
		FROM (SELECT i, i % 20 + 20 * (random() * 31)::int AS w FROM generate_series(1, $queries) i, generate_series(1, 32)) p JOIN word USING (w) GROUP BY i;
	CREATE TABLE doc_codes AS SELECT id, a, ARRAY(SELECT binarize(ARRAY(SELECT unnest(tokens[t:t])))::bincode(128) FROM generate_series(1, 80, 4) t) AS tokens FROM doc_topics;
	CREATE TABLE query_codes AS TABLE query_topics;
	-- distances of the nearest
	CREATE TABLE truth (kind text, condition text, m int, tokens text, distances float8[]);
	CREATE FUNCTION find_truth(kind text, condition text) RETURNS void LANGUAGE plpgsql SET hashemb.enable_scan = off SET enable_indexscan = off SET enable_bitmapscan = off AS \$\$
	DECLARE
		one record;
		found float8[];
	BEGIN
		FOR one IN EXECUTE format('SELECT * FROM %I', 'query_' || kind) LOOP
			EXECUTE format('SELECT array(SELECT tokens @# \$1 AS d FROM %I WHERE %s ORDER BY d LIMIT 100)', 'doc_' || kind, condition) INTO found USING one.tokens;
			INSERT INTO truth VALUES (kind, condition, one.m, one.tokens::text, found);
		END LOOP;
	END \$\$;
	CREATE FUNCTION judge(kind text, condition text, m int, k int, OUT recall float8, OUT error float8, OUT wrong int) LANGUAGE plpgsql AS \$\$
	DECLARE
		one record;
		found float8[];
		shares float8[];
		wanted int;
	BEGIN
		wrong := 0;
		FOR one IN SELECT * FROM truth WHERE truth.kind = judge.kind AND truth.condition = judge.condition AND truth.m = judge.m LOOP
			EXECUTE format('SELECT array(SELECT tokens @# %L::real[] AS d FROM %I WHERE %s ORDER BY d LIMIT %s)', one.tokens, 'doc_' || kind, condition, k) INTO found;
			wanted := least(k, cardinality(one.distances));
			wrong := wrong + (cardinality(found) <> wanted OR found <> ARRAY(SELECT f FROM unnest(found) f ORDER BY f))::int;
			shares := shares || (SELECT count(*) FILTER (WHERE f <= one.distances[wanted]) FROM unnest(found) f) / greatest(wanted, 1)::float8;
		END LOOP;
		SELECT avg(s), coalesce(stddev(s), 0) / sqrt(count(*)) INTO recall, error FROM unnest(shares) s;
	END \$\$;
});

my %tokens = (noise => [2, 4, 16], wide => [4], near => [4], copies => [4], single => [1, 4], topics => [32], codes => [32]);

foreach my $kind (sort keys %tokens)
{
	my $class = $kind eq 'codes' ? 'bincode_maxsim_ops' : 'maxsim_ops';

	$node->safe_psql('postgres', "CREATE INDEX ON doc_$kind USING hashemb (tokens $class, a); VACUUM ANALYZE doc_$kind");
	foreach my $condition ('true', 'a < 3', 'id % 20 = 3')
	{
		my @cells;

		foreach my $m (@{ $tokens{$kind} })
		{
			foreach my $k ($condition =~ /id/ ? 10 : (1, 10, 100))
			{
				push @cells, map { [$m, $k, $_] } $condition eq 'true' && $k == 10 ? (0.9, 0.95, 0.99) : 0.95;
			}
		}
		my @reports = split /\n/, $node->safe_psql('postgres', join('', "SET enable_seqscan = off; SET enable_sort = off; SELECT FROM find_truth('$kind', '$condition');\n",
				map { "SET hashemb.recall = $_->[2]; SELECT recall, error, wrong FROM judge('$kind', '$condition', $_->[0], $_->[1]);\n" } @cells));
		foreach my $cell (@cells)
		{
			my ($m, $k, $target) = @$cell;
			my ($recall, $error, $wrong) = split /\|/, shift @reports;
			my $name = "$kind, $m tokens a query, k $k, target $target, $condition";

			ok($recall + 2 * $error >= $target, sprintf "%s: recall %.3f +- %.3f", $name, $recall, $error);
			is($wrong, 0, "$name: as many rows as match, in order");
		}
	}
}

$node->stop;
done_testing();
