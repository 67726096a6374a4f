# Indexes of lists of pgvector's vectors, vector(n)[] and halfvec(n)[]: at recall 1
# answers are those of sequential scans, and the order of distances is the operator's.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('multi_pgvector');

if ($node->safe_psql('postgres',
		"SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == 0)
{
	plan skip_all => 'extension "vector" is not available in this server';
}
install_functions($node);
$node->safe_psql('postgres', 'CREATE EXTENSION hashemb_pgvector CASCADE');
$node->safe_psql('postgres', q{
	CREATE FUNCTION list(i int) RETURNS vector[] LANGUAGE sql IMMUTABLE AS $$
		SELECT array_agg((SELECT array_agg(sin(i * t * 0.37 + c * t)) FROM generate_series(1, 16) c)::real[]::vector ORDER BY t)
		FROM generate_series(1, 2 + i % 4) t $$;
	CREATE TABLE d (id int, a int, v vector(16)[], h halfvec(16)[]);
	INSERT INTO d SELECT i, i % 3, l, l::halfvec[] FROM generate_series(1, 3000) i, LATERAL (SELECT CASE WHEN i % 50 = 7 THEN NULL ELSE list(i) END) s(l);
	CREATE INDEX v_idx ON d USING hashemb (v vector_maxsim_ops, a);
	CREATE INDEX h_idx ON d USING hashemb (h halfvec_maxsim_ops, a);
	INSERT INTO d SELECT i, i % 3, list(i), list(i)::halfvec[] FROM generate_series(3001, 3300) i;
	DELETE FROM d WHERE id % 7 = 3;
	VACUUM ANALYZE d;});
foreach my $column ('v', 'h')
{
	my $type = $column eq 'v' ? 'vector' : 'halfvec';
	my $different = q{
		SELECT count(*), count(*) FILTER (WHERE found IS DISTINCT FROM expected) FROM (SELECT
			ARRAY(SELECT (COL @# q)::text FROM d WHERE COND ORDER BY COL @# q LIMIT 20) AS found,
			ARRAY(SELECT (COL @# q)::text FROM d WHERE COND ORDER BY (COL @# q) + 0 LIMIT 20) AS expected
			FROM (SELECT QUERY AS q FROM generate_series(1, 10) i) s) s};

	$different =~ s/COL/$column/g;
	foreach my $query ("list(i * 31)::$type\[]", "ARRAY(SELECT x::real[] FROM unnest(list(i * 31)) x)::real[]")
	{
		foreach my $condition ('true', 'a = 1', 'a < 2 AND id % 11 = 5', "$column IS NULL")
		{
			my $sql = $different =~ s/COND/$condition/gr =~ s/QUERY/$query/r;

			is($node->safe_psql('postgres', "SET hashemb.recall = 1; SET enable_seqscan = off; $sql"), '10|0', "$type: $condition: " . substr($query, 0, 9));
		}
	}
	like($node->safe_psql('postgres', "EXPLAIN SELECT id FROM d WHERE a = 1 ORDER BY $column @# list(5)::$type\[] LIMIT 5"), qr/Index: ${column}_idx/, "$type: by the index");
	is($node->safe_psql('postgres', "SELECT count(*) FROM hashemb_check('${column}_idx', true)"), '1', "$type: sound");
}

$node->stop;
done_testing();
