# Heights of blocks, which lists have that touch many blocks of a large window:
# searches find what a sequential scan finds, with any kernels; hashemb_check tells
# of heights that are too low, and of a list that denies having them.
#
# Seen to fail: searches, with heights a tenth as high; the check, without the
# comparison of weights with heights.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembPage;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant HAS_HEIGHTS => 0x8000;

my $seed = $ENV{SEED} || int(rand(1e6));
note("seed $seed");
my $node = new_node('heights');

# Dimensions from 1 on are in ever fewer rows; some weights are negative
my $vector = q{(SELECT svec_agg(d, w::real, 60) FROM (
	SELECT d, (random() ^ 2 * CASE WHEN d % 7 = 0 THEN random() - 0.5 ELSE 3 END + 0.01) AS w
	FROM generate_series(1, 60) d WHERE random() < 4.0 / (d + 3) AND g > 0) x)};
$node->safe_psql('postgres', qq{
	SELECT setseed($seed / 1e6);
	CREATE TABLE t AS SELECT g AS id, g % 10 AS a, ${vector}::svec(60) AS v
		FROM generate_series(1, 9000) g;
	CREATE TABLE q AS SELECT g AS id, ${vector}::svec(60) AS v FROM generate_series(1, 40) g;
	CREATE INDEX t_v ON t USING hashemb (v, a);
	CREATE INDEX t_c ON t USING hashemb (v svec_cosine_ops, a);
	CREATE INDEX t_l ON t USING hashemb (v svec_l2_ops, a);});

# Queries that get other distances from an index than from a sequential scan
sub differences
{
	my ($op, $where, $k) = @_;
	my $search = qq{SELECT q.id, array_agg(d ORDER BY d) AS d FROM q,
		LATERAL (SELECT t.v $op q.v AS d FROM t WHERE $where
			ORDER BY t.v $op q.v LIMIT $k) x GROUP BY q.id};

	return $node->safe_psql('postgres', qq{
		SET enable_indexscan = off;
		SET enable_bitmapscan = off;
		SET hashemb.enable_scan = off;
		CREATE TEMP TABLE truth AS $search;
		RESET ALL;
		SET enable_seqscan = off;
		SET enable_sort = off;
		CREATE TEMP TABLE found AS $search;
		SELECT count(*) FROM truth FULL JOIN found USING (id)
			WHERE truth.d IS DISTINCT FROM found.d;});
}

for my $op ('<#>', '<=>', '<->')
{
	is(differences($op, 'true', 10), 0, "$op");
	is(differences($op, 'true', 300), 0, "$op, 300 rows");
	is(differences($op, 'a = 3', 5), 0, "$op, one row in ten");
}

# The file of an index, while the server stands still
sub damage
{
	my ($change) = @_;
	my $file = $node->data_dir . '/'
		. $node->safe_psql('postgres', q{CHECKPOINT; SELECT pg_relation_filepath('t_v')});
	my $content = slurp_file($file);
	my $sound = $content;
	my ($out, $err);

	$node->stop;
	$change->(\$content);
	write_content($file, $content);
	$node->start;
	$node->psql('postgres', q{SELECT hashemb_check('t_v')}, stdout => \$out, stderr => \$err);
	$node->stop;
	write_content($file, $sound);
	$node->start;
	return $err;
}

sub write_content
{
	my ($file, $content) = @_;

	open(my $to, '>:raw', $file) or die "$file: $!";
	print $to $content;
	close($to) or die "$file: $!";
}

is($node->psql('postgres', q{SELECT hashemb_check('t_v')}), 0, 'all is well');
like(damage(sub {
		my $c = shift;
		my $dims = contents_of($c, 'dims');

		ok(get($c, $dims + 8, 2) & HAS_HEIGHTS, 'dimension 1 has heights');
		put($c, contents_of($c, 'postings'), 1, 0);
	}),
	qr/dimension 1: a weight beyond its block's height/, 'a height too low');
like(damage(sub {
		my $c = shift;
		my $at = contents_of($c, 'dims') + 8;

		put($c, $at, 2, get($c, $at, 2) & ~HAS_HEIGHTS);
	}),
	qr/dimension 1: a dimension with impossible numbers/, 'heights that are denied');
is($node->psql('postgres', q{SELECT hashemb_check('t_v')}), 0, 'all is well again');

done_testing();
