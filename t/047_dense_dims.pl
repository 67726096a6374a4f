# Dimensions that the rows have told are part of an index's definition: they are
# there after a dump, in an empty table, and when a column loses its length.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('dense_dims');
my $pgvector = $node->safe_psql('postgres',
	"SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'");
my $nearest = "SET enable_seqscan = off; SET enable_sort = off; SELECT string_agg(id::text, ' ') FROM (SELECT id FROM %s ORDER BY v <-> '{1,2,4}' LIMIT 2) x";

install_functions($node);
$node->safe_psql('postgres', q{
	CREATE TABLE d (id int, v real[]);
	INSERT INTO d SELECT i, ARRAY[i, i + 1, i * 2] FROM generate_series(1, 50) i;
	CREATE INDEX d_idx ON d USING hashemb (v real_l2_ops);
	CREATE TABLE emptied (id int, v real[]);
	INSERT INTO emptied SELECT * FROM d;
	CREATE INDEX emptied_idx ON emptied USING hashemb (v real_l2_ops);
	TRUNCATE emptied;});

sub dump_and_restore
{
	my ($database) = @_;
	my $file = $node->backup_dir . "/$database.sql";

	$node->command_ok([ 'pg_dump', '-f', $file, 'postgres' ], "dump for $database");
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-f', $file, $database ], "restore to $database");
}

mkdir $node->backup_dir;
dump_and_restore('restored');
is($node->safe_psql('restored', sprintf($nearest, 'd')), '2 1', 'rows that were restored are found');
is($node->safe_psql('restored', "INSERT INTO emptied SELECT * FROM d; " . sprintf($nearest, 'emptied')), '2 1', 'an index that was restored empty knows its dimensions');
my (undef, undef, $err) = $node->psql('restored', "INSERT INTO emptied VALUES (1, '{1,2}')");
like($err, qr/real\[\] of 2 dimensions where 3 were expected/, 'and takes no others');

SKIP:
{
	skip 'extension "vector" is not available in this server', 3 if $pgvector == 0;
	$node->safe_psql('postgres', q{
		CREATE EXTENSION hashemb_pgvector CASCADE;
		CREATE TABLE p (id int, v vector(3));
		INSERT INTO p SELECT id, v::vector FROM d;
		CREATE INDEX p_idx ON p USING hashemb (v vector_l2_ops);
		ALTER TABLE p ALTER v TYPE vector;
		TRUNCATE p;
		INSERT INTO p SELECT id, v::vector FROM d;
		CREATE TABLE h (id int, v halfvec);
		INSERT INTO h SELECT id, v::vector FROM d;
		CREATE INDEX h_idx ON h USING hashemb (v halfvec_l2_ops);});
	my $p = "SET enable_seqscan = off; SET enable_sort = off; SELECT string_agg(id::text, ' ') FROM (SELECT id FROM %s ORDER BY v <-> '[1,2,4]' LIMIT 2) x";
	is($node->safe_psql('postgres', sprintf($p, 'p')), '2 1', 'a column that has lost its length');
	is($node->safe_psql('postgres', sprintf($p, 'h')), '2 1', 'halfvec without a length');
	is($node->safe_psql('postgres', "SELECT string_agg(reloptions::text, ' ' ORDER BY relname) FROM pg_class WHERE relname IN ('p_idx', 'h_idx')"), '{dims=3} {dims=3}', 'both have the option');
}

$node->stop;
done_testing();
