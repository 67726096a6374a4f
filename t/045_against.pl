# A condition against the query, in codes of few hidden dimensions: all rows but those of the
# query's own cluster. The nearest that are left lie around it, in more blocks than where the
# nearest of all rows lie. The mean recall reaches the target (within two standard errors).
#
# HASHEMB_ROWS, HASHEMB_QUERIES: rows and queries; HASHEMB_SEED: the seed.
#
# Seen to fail: with safety factors that a condition against the query leaves as they are
# (for .95 and .99 came .931 and .978 of ten rows, .939 and .988 of a hundred).
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Utils;
use Test::More;

use constant { BITS => 1024, CLUSTERS => 30 };

my $rows = $ENV{HASHEMB_ROWS} || 20_000;
my $queries = $ENV{HASHEMB_QUERIES} || 600;
my $seed = $ENV{HASHEMB_SEED} || 6;
my $node = new_node('against', conf => "shared_buffers = 256MB\nmaintenance_work_mem = 128MB");
note "seed $seed";
srand($seed);

sub normal { return sqrt(-2 * log(1 - rand())) * cos(6.283185307 * rand()) }

# Bits are the signs of projections of a point in four dimensions
my @bits = map { [ map { normal() } 1 .. 5 ] } 1 .. BITS;
my @centres = map { [ map { normal() } 1 .. 4 ] } 1 .. CLUSTERS;
my @sums;
push @sums, 1 / $_ + (@sums ? $sums[-1] : 0) foreach 1 .. CLUSTERS;

sub codes
{
	my ($count, $noise) = @_;
	my $lines = '';

	foreach my $i (1 .. $count)
	{
		my $at = rand($sums[-1]);
		my $c = 0;

		$c++ while $sums[$c] <= $at && $c < CLUSTERS - 1;
		my ($x, $y, $z, $w) = map { $_ + $noise * normal() } @{ $centres[$c] };
		$lines .= "$c\t" . join('', map { $$_[0] * $x + $$_[1] * $y + $$_[2] * $z + $$_[3] * $w + $$_[4] / 2 > 0 ? 1 : 0 } @bits) . "\n";
	}
	return $lines;
}

my $folder = PostgreSQL::Test::Utils::tempdir();
append_to_file("$folder/items", codes($rows, 0.3));
append_to_file("$folder/queries", codes($queries, 0.32));
$node->safe_psql('postgres', qq{
	CREATE TABLE items (cluster int, c bincode(1024));
	COPY items FROM '$folder/items';
	CREATE TABLE queries (cluster int, c bincode(1024));
	COPY queries FROM '$folder/queries';
	CREATE INDEX ON items USING hashemb (c, cluster);
	VACUUM ANALYZE items;
	CREATE FUNCTION nearest(query bincode, own int, k int) RETURNS float8[] LANGUAGE plpgsql AS \$\$
	DECLARE
		result float8[];
	BEGIN
		EXECUTE format('SELECT array_agg(d) FROM (SELECT c <~> %1\$L::bincode AS d FROM items WHERE cluster <> %2\$s ORDER BY c <~> %1\$L::bincode LIMIT %3\$s) s', query, own, k) INTO result;
		RETURN result;
	END \$\$;
	SET hashemb.recall = 1;
	CREATE TABLE truth AS SELECT c, cluster, nearest(c, cluster, 100) AS distances FROM queries;
	CREATE TABLE results (target float8, k int, recall float8);
});
foreach my $target (0.9, 0.95, 0.99)
{
	$node->safe_psql('postgres', qq{SET enable_seqscan = off; SET enable_sort = off; SET hashemb.recall = $target;
		INSERT INTO results SELECT $target, k, (SELECT count(*) FROM unnest(nearest(c, cluster, k)) f WHERE f <= distances[k]) / k::float8 FROM truth, unnest('{10,100}'::int[]) k});
}
my $summary = q{SELECT target, k, avg(recall) AS mean, stddev(recall) / sqrt(count(*)) AS error, count(*) AS queries FROM results GROUP BY 1, 2};
note 'target|k|mean recall|standard error';
note $node->safe_psql('postgres', qq{SELECT target, k, round(mean::numeric, 4), round(error::numeric, 4) FROM ($summary) s ORDER BY 1, 2});
is($node->safe_psql('postgres', "SELECT count(*), min(queries) FROM ($summary) s"), "6|$queries", 'all cells were measured');
is($node->safe_psql('postgres', "SELECT target, k, round(mean::numeric, 3) FROM ($summary) s WHERE mean + 2 * error < target ORDER BY 1, 2"), '', 'mean recall reaches the target');
$node->stop;
done_testing();
