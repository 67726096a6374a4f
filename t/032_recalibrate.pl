# Growth without vacuum: the table of expected misses keeps up with the rows,
# recall stays what was asked for, also when rows of another kind come; a
# standby and a crash leave the same table, a damaged ring is noticed or does no
# harm.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = $ENV{HASHEMB_ROWS} || 100_000;
my $queries = $ENV{HASHEMB_QUERIES} || 200;
my $node = new_node('growth', allows_streaming => 1, no_data_checksums => 1,
	conf => "shared_buffers = 256MB\nwal_consistency_checking = 'generic'\nrestart_after_crash = on");
install_functions($node);
note 'seed g1';

# Codes of a kind: "tight" ones have 400 centres and one bit in eight flipped,
# "loose" ones 90 other centres and one in four
$node->safe_psql('postgres', q{
	CREATE FUNCTION loose(i int) RETURNS bit(256) LANGUAGE sql AS
		$$SELECT bits('g2c' || i % 90) # (bits('g2a' || i) & bits('g2b' || i))$$;
	CREATE TABLE items (id int, c bincode(256));
	INSERT INTO items SELECT i, code(i, 400, 'g1')::bincode(256) FROM generate_series(1, 2000) i;
	CREATE INDEX items_idx ON items USING hashemb (c);
});
$node->safe_psql('postgres', qq{
	CREATE TABLE queries AS
		SELECT 'tight' AS kind, i, code(i + 1000000, 400, 'g1')::bincode(256) AS c FROM generate_series(1, $queries) i
		UNION ALL SELECT 'loose', i, loose(i + 1000000)::bincode(256) FROM generate_series(1, $queries / 2) i});
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;

# Add rows, in statements of at most 10,000
sub grow
{
	my ($code, $first, $last) = @_;

	for (my $i = $first; $i <= $last; $i += 10_000)
	{
		my $end = $i + 9_999 < $last ? $i + 9_999 : $last;
		$node->safe_psql('postgres', "INSERT INTO items SELECT i, $code\::bincode(256) FROM generate_series($i, $end) i");
	}
}

# One field of the index's description
sub info
{
	my ($field) = @_;
	return $node->safe_psql('postgres', "SELECT $field FROM hashemb_index_info('items_idx')");
}

# Mean recall over queries of the kinds that the rows are of, in the same
# proportion, for each target and k; within two standard errors
sub measure
{
	my ($loose, $name) = @_;
	my $below = '';

	foreach my $target (0.9, 0.95, 0.99)
	{
		my $result = $node->safe_psql('postgres', qq{SET hashemb.recall = $target;
			SELECT coalesce(kind, 'all'), k, avg(recall) + 2 * stddev(recall) / sqrt(count(*)) >= $target,
				round(avg(recall)::numeric, 3), round(avg(rows_scored))
			FROM queries, unnest('{1,10,100}'::int[]) k, hashemb_measure_recall('items_idx', k, ARRAY[c])
			WHERE kind = 'tight' OR i <= $loose GROUP BY GROUPING SETS ((kind, k), (k)) ORDER BY 1, 2});
		note "$name: kind|k|$target|recall|rows scored";
		note $result;
		$below .= join("\n", grep { /^all/ && !/\|t\|/ } split(/\n/, $result));
	}
	is($below, '', "$name: recall");
}

# The table may be used, and was made from about as many rows as there are
sub is_calibrated
{
	my ($name) = @_;
	is(info('rows_at_calibration BETWEEN rows / 1.5 AND rows'), 't', "$name: calibrated") or diag(info('*'));
}

grow(q{code(i, 400, 'g1')}, 2001, $rows);
note 'grown: ', info('*');
is_calibrated('grown');
cmp_ok(info('calibrations'), '>', 6, 'calibrated often');
is($node->safe_psql('postgres', q{SELECT ring_pages, orphan_pages FROM hashemb_check('items_idx')}), '64|0', 'the ring has its pages');
measure(0, 'grown');

grow('loose(i)', $rows + 1, $rows + int($rows / 2));
note 'other rows: ', info('*');
is_calibrated('other rows');
measure($queries / 2, 'other rows');

# The standby has the same table
$node->wait_for_catchup($standby);
my $search = q{SET hashemb.recall = 0.9;
	SELECT * FROM hashemb_index_info('items_idx');
	SELECT kind, sum(recall), sum(rows_scored) FROM queries, hashemb_measure_recall('items_idx', 10, ARRAY[c]) GROUP BY 1 ORDER BY 1};
is($standby->safe_psql('postgres', $search), $node->safe_psql('postgres', $search), 'the standby agrees');
$standby->stop;

# ---- crashes ----

my $last = $rows * 10;
# Insert with an injection until the server crashes at it; whether it did
sub crash_at
{
	my ($point, $n) = @_;
	my $log = -s $node->logfile;
	my $first = $last + 1;

	$last += 30_000;
	$node->psql('postgres', qq{SET hashemb.inject = '$point:crash\@$n';
		INSERT INTO items SELECT i, code(i, 400, 'g1')::bincode(256) FROM generate_series($first, $last) i},
		on_error_stop => 0);
	wait_until_up($node);
	return slurp_file($node->logfile, $log) =~ /injected crash at "$point"/;
}

# Two points may come in one search, and a table is made after 16
SKIP:
{
	my $points = $node->safe_psql('postgres', q{SET hashemb.recall = 1; SELECT FROM hashemb_index_info('items_idx');
		SELECT count(*) FROM pg_settings WHERE name = 'hashemb.inject'});

	skip 'no injection points in this build', 1 unless $points =~ /1$/;
	foreach my $case ([ 'recalibrate-search-added', 1 ], [ 'recalibrate-search-added', 5 ], [ 'recalibrate-before-store', 1 ])
	{
		my $name = "crash at $case->[0], $case->[1]";

		ok(crash_at(@$case), $name);
		is($node->safe_psql('postgres', q{SELECT count(*) = (SELECT count(*) FROM items) FROM hashemb_check('items_idx', true) c,
			generate_series(1, c.heap_rows)}), 't', "$name: the index is sound");
		is($node->safe_psql('postgres', q{SET hashemb.recall = 1; SELECT every(recall = 1) FROM hashemb_measure_recall('items_idx', 10, 5)}),
			't', "$name: searches work");
	}
}
$node->safe_psql('postgres', 'VACUUM items');
is_calibrated('vacuum after crashes');
my $before = info('calibrations');
my $size = info('rows');
grow(q{code(i, 400, 'g1')}, $last + 1, $last + int($size * 0.6));
cmp_ok(info('calibrations'), '>', $before, 'growth goes on being calibrated for');
is_calibrated('grown after crashes');
$node->safe_psql('postgres', "DELETE FROM items WHERE id > $last");
$node->safe_psql('postgres', 'VACUUM items');
is_calibrated('rows gone that the ring counted');

# ---- damage ----

my $file = $node->data_dir . '/' . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('items_idx')});
$node->stop;
open(my $pages, '+<:raw', $file) or die "$file: $!";
my ($page, @ring);
for (my $b = 0; read($pages, $page, 8192) == 8192; $b++)
{
	push @ring, $b if unpack('S', substr($page, 8192 - 6, 2)) == 6;
}
is(scalar(@ring), 64, 'the ring is found in the file');

# Counts, numbers and nearest rows are noise; axes and distances are numbers
srand(46);
foreach my $b (@ring)
{
	foreach my $range ([ 32, 4 ], [ 48, 240 ], [ 288, 3840 ])
	{
		seek($pages, $b * 8192 + 24 + $range->[0], 0);
		print $pages pack('C*', map { int(rand(256)) } 1 .. $range->[1]);
	}
}
close $pages;
$node->start;
is($node->safe_psql('postgres', q{SELECT ring_pages FROM hashemb_check('items_idx')}), '64', 'noise in counts is not noticed');
$before = info('calibrations');
$last += int($size * 0.6);
grow(q{code(i, 400, 'g1')}, $last + 1, $last + int($size * 0.6));
is($node->safe_psql('postgres', q{SET hashemb.recall = 0.9; SELECT measured, recall > 0 FROM hashemb_measure_recall('items_idx', 10, 20)}),
	'20|t', 'and searches go on with it');

$node->stop;
open($pages, '+<:raw', $file) or die "$file: $!";
seek($pages, $ring[7] * 8192 + 24, 0);
print $pages pack('d', 'nan');
close $pages;
$node->start;
my ($code, $out, $err) = $node->psql('postgres', q{SELECT hashemb_check('items_idx')});
like($err, qr/index "items_idx" is corrupted at block $ring[7]: search of the ring with impossible numbers/, 'an axis that is no number is noticed');
($code, $out, $err) = $node->psql('postgres', q{SET hashemb.recall = 0.9; SELECT count(*) FROM (SELECT FROM items ORDER BY c <~> (SELECT c FROM items LIMIT 1) LIMIT 10) s});
is($out, '10', 'and searches do not read it');
$node->stop;
done_testing();
