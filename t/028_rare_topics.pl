# Queries about rare topics: codes in clusters of power-law size, and queries that fall
# into small clusters more often than rows do, so that the index's own rows tell too little
# of what they need. Without a filter the mean recall of ten rows reaches the target (within
# two standard errors), and at most 2 % of the queries are below one half.
#
# HASHEMB_ROWS, HASHEMB_QUERIES: rows and queries; HASHEMB_SEED: the seed.
#
# Seen to fail: with least safety factors of 0.35 and rows met early taken as a sign that
# fewer are to come (.82 to .85 came for .90, and 4 to 5 % below one half, with seeds 1 to 6).
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Utils;
use Test::More;

use constant CLUSTERS => 10_000;
use constant BYTES => 16;

my $rows = $ENV{HASHEMB_ROWS} || 50_000;
my $queries = $ENV{HASHEMB_QUERIES} || 1000;
my $seed = $ENV{HASHEMB_SEED} || 1;
my $node = new_node('rare_topics', conf => "shared_buffers = 256MB\nmaintenance_work_mem = 128MB");
note "seed $seed";
srand($seed);

sub random_bytes { return pack('C*', map { int(rand(256)) } 1 .. BYTES) }

my @centres = map { random_bytes() } 1 .. CLUSTERS;

# Codes of clusters whose share falls as rank ** -$fall: a bit is flipped with a chance of an eighth
sub codes
{
	my ($count, $fall) = @_;
	my @sums;
	my $sum = 0;
	my $lines = '';

	push @sums, $sum += $_**-$fall foreach 1 .. CLUSTERS;
	foreach my $i (1 .. $count)
	{
		my $at = rand($sum);
		my ($low, $high) = (0, CLUSTERS - 1);

		while ($low < $high)
		{
			my $middle = int(($low + $high) / 2);

			if ($sums[$middle] > $at) { $high = $middle }
			else { $low = $middle + 1 }
		}
		$lines .= "$i\t" . unpack('B*', $centres[$low] ^ (random_bytes() & random_bytes() & random_bytes())) . "\n";
	}
	return $lines;
}

my $folder = PostgreSQL::Test::Utils::tempdir();
append_to_file("$folder/items", codes($rows, 1));
append_to_file("$folder/queries", codes($queries, 0.7));
$node->safe_psql('postgres', qq{
	CREATE TABLE items (id int, c bincode(128));
	COPY items FROM '$folder/items';
	CREATE TABLE queries (q int, c bincode(128));
	COPY queries FROM '$folder/queries';
	CREATE INDEX ON items USING hashemb (c) WITH (block_rows = 80);
	VACUUM ANALYZE items;
	CREATE FUNCTION nearest(query bincode) RETURNS float8[] LANGUAGE plpgsql AS \$\$
	DECLARE
		result float8[];
	BEGIN
		EXECUTE format('SELECT array_agg(d) FROM (SELECT c <~> %1\$L::bincode AS d FROM items ORDER BY c <~> %1\$L::bincode LIMIT 10) s', query) INTO result;
		RETURN result;
	END \$\$;
	SET hashemb.recall = 1;
	CREATE TABLE truth AS SELECT c, (nearest(c))[10] AS tenth FROM queries;
	CREATE TABLE results (target float8, recall float8);
});
foreach my $target (0.9, 0.95, 0.99)
{
	$node->safe_psql('postgres', qq{SET hashemb.recall = $target;
		INSERT INTO results SELECT $target, (SELECT count(*) FROM unnest(nearest(c)) f WHERE f <= tenth) / 10.0 FROM truth});
}
my $summary = q{SELECT target, avg(recall) AS mean, stddev(recall) / sqrt(count(*)) AS error, sum((recall < 0.5)::int) AS bad, count(*) AS queries FROM results GROUP BY 1};
note 'target|mean recall|standard error|below one half|queries';
note $node->safe_psql('postgres', qq{SELECT target, round(mean::numeric, 4), round(error::numeric, 4), bad, queries FROM ($summary) s ORDER BY 1});
is($node->safe_psql('postgres', "SELECT count(*), min(queries) FROM ($summary) s"), "3|$queries", 'all cells were measured');
is($node->safe_psql('postgres', "SELECT target, round(mean::numeric, 3) FROM ($summary) s WHERE mean + 2 * error < target ORDER BY 1"), '', 'mean recall reaches the target');
is($node->safe_psql('postgres', "SELECT target, bad FROM ($summary) s WHERE bad > 0.02 * queries ORDER BY 1"), '', 'at most 2 % of queries below one half');
$node->stop;
done_testing();
