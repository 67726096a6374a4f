# One row wanted, of codes that have no structure at all: blocks are formed around the rows,
# and so tell the nearest one of a row better than that of a query. Without a filter the
# share of queries whose nearest row is found reaches the target (within two standard errors),
# and hashemb_measure_recall() tells what a statement with LIMIT finds.
#
# HASHEMB_ROWS, HASHEMB_QUERIES: rows and queries; HASHEMB_SEED: the seed.
#
# Seen to fail: with a least safety factor of 0.5 for one row (.87 at .90, .92 at .95); the
# second part, with a measurement that does not say how many rows are wanted.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Utils;
use Test::More;

use constant BYTES => 12;

my $rows = $ENV{HASHEMB_ROWS} || 20_000;
my $queries = $ENV{HASHEMB_QUERIES} || 4000;
my $seed = $ENV{HASHEMB_SEED} || 1;
my $node = new_node('one_row', conf => "shared_buffers = 256MB\nmaintenance_work_mem = 128MB");
note "seed $seed";
srand($seed);

sub codes
{
	my ($count) = @_;

	return join('', map { "$_\t" . unpack('B*', pack('C*', map { int(rand(256)) } 1 .. BYTES)) . "\n" } 1 .. $count);
}

my $folder = PostgreSQL::Test::Utils::tempdir();
append_to_file("$folder/items", codes($rows));
append_to_file("$folder/queries", codes($queries));
$node->safe_psql('postgres', qq{
	CREATE TABLE items (id int, c bincode(96));
	COPY items FROM '$folder/items';
	CREATE TABLE queries (q int, c bincode(96));
	COPY queries FROM '$folder/queries';
	CREATE INDEX items_c ON items USING hashemb (c) WITH (block_rows = 40);
	VACUUM ANALYZE items;
	CREATE FUNCTION nearest(query bincode) RETURNS float8 LANGUAGE plpgsql AS \$\$
	DECLARE
		result float8;
	BEGIN
		EXECUTE format('SELECT c <~> %1\$L::bincode FROM items ORDER BY c <~> %1\$L::bincode LIMIT 1', query) INTO result;
		RETURN result;
	END \$\$;
	SET hashemb.recall = 1;
	CREATE TABLE truth AS SELECT c, nearest(c) AS first FROM queries;
	CREATE TABLE results (target float8, recall int);
});
foreach my $target (0.9, 0.95, 0.99)
{
	$node->safe_psql('postgres', qq{SET enable_seqscan = off; SET hashemb.recall = $target; INSERT INTO results SELECT $target, (nearest(c) <= first)::int FROM truth});
}
my $summary = q{SELECT target, avg(recall) AS mean, stddev(recall) / sqrt(count(*)) AS error, count(*) AS queries FROM results GROUP BY 1};
note 'target|mean recall|standard error';
note $node->safe_psql('postgres', qq{SELECT target, round(mean, 4), round(error::numeric, 4) FROM ($summary) s ORDER BY 1});
is($node->safe_psql('postgres', "SELECT count(*), min(queries) FROM ($summary) s"), "3|$queries", 'all cells were measured');
is($node->safe_psql('postgres', "SELECT target, round(mean, 3) FROM ($summary) s WHERE mean + 2 * error < target ORDER BY 1"), '', 'mean recall reaches the target');

# The same queries, the same searches
foreach my $k (1, 10)
{
	is($node->safe_psql('postgres', qq{SET enable_seqscan = off; SET hashemb.recall = 0.9;
		CREATE FUNCTION scored(query bincode) RETURNS int LANGUAGE plpgsql AS \$\$
		DECLARE
			plan json;
		BEGIN
			EXECUTE format('EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) SELECT id FROM items ORDER BY c <~> %L::bincode LIMIT $k', query) INTO plan;
			RETURN jsonb_path_query_first(plan::jsonb, '\$.**."Rows Scored"')::int;
		END \$\$;
		SELECT (SELECT round(avg(scored(c))) FROM queries WHERE q <= 100) - round(rows_scored) FROM hashemb_measure_recall('items_c', $k, ARRAY(SELECT c FROM queries WHERE q <= 100));
		DROP FUNCTION scored}),
		'0', "measured as a statement searches, k $k");
}
$node->stop;
done_testing();
