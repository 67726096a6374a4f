# An index of pgvector's sparsevec by L2 distance, by pgvector's operator: answers
# are those of sequential scans, and it goes by DDL alone.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('sparsevec_l2');

if ($node->safe_psql('postgres',
		"SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == 0)
{
	plan skip_all => 'extension "vector" is not available in this server';
}
install_functions($node);
$node->safe_psql('postgres', 'CREATE EXTENSION hashemb_pgvector CASCADE');
note 'seed p46';

# With weights of few digits nothing is rounded, and all is equal
$node->safe_psql('postgres', q{
	CREATE TABLE s (id int, v sparsevec(2000), a int);
	CREATE FUNCTION terms(i int, n int) RETURNS sparsevec LANGUAGE sql IMMUTABLE AS $$
		SELECT svec_agg(1 + abs(hashint4(i * 100 + j)) % (20 * j * j), abs(hashint4(i + j * 7)) % 8 - 2, 2000)::sparsevec FROM generate_series(1, n) j $$;
	INSERT INTO s SELECT i, CASE WHEN i % 50 = 7 THEN NULL WHEN i % 97 = 5 THEN '{}/2000' ELSE terms(i / 2, 10) END, i % 20 FROM generate_series(1, 4000) i;
	CREATE INDEX l2_idx ON s USING hashemb (v sparsevec_l2_ops, a);
	INSERT INTO s SELECT i, terms(i, 8), i % 20 FROM generate_series(5000, 5300) i; DELETE FROM s WHERE id % 7 = 3;
	VACUUM ANALYZE s;});
same_rows($node, 'l2_idx', 's', q{ARRAY(SELECT format('v <-> %L', terms(i * 31, 5)) FROM generate_series(1, 4) i)},
	q{ARRAY['true', 'a = 3', 'a < 12 AND id % 3 = 1', 'v IS NULL', 'v IS NOT NULL AND a < 2', format('v <-> %L < 25', terms(31, 5))]}, 'as sequential scans');
is($node->safe_psql('postgres', q{SELECT count(*) FROM hashemb_check('l2_idx', true)}), '1', 'sound');
is($node->safe_psql('postgres', q{SELECT amvalidate(c.oid) FROM pg_opclass c WHERE opcname = 'sparsevec_l2_ops' AND opcmethod = (SELECT oid FROM pg_am WHERE amname = 'hashemb')}),
	't', 'the class is valid');

# The same class for hnsw
my $query = 'SELECT id FROM s WHERE a = 3 ORDER BY v <-> terms(62, 5) LIMIT 5';
$node->safe_psql('postgres', 'DROP INDEX l2_idx; CREATE INDEX l2_idx ON s USING hnsw (v sparsevec_l2_ops)');
like($node->safe_psql('postgres', "SET enable_seqscan = off; SET enable_sort = off; EXPLAIN $query"), qr/Index Scan using l2_idx/, 'to hnsw');
$node->safe_psql('postgres', 'DROP INDEX l2_idx; CREATE INDEX l2_idx ON s USING hashemb (v sparsevec_l2_ops, a)');
like($node->safe_psql('postgres', "SET enable_seqscan = off; SET enable_sort = off; EXPLAIN $query"), qr/Custom Scan \(hashemb\)/, 'and back');

$node->stop;
done_testing();
