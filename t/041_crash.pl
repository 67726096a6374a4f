# Crashes at known points: a process kills itself (SIGKILL) where the server log
# says, in each phase of everything that changes an index; after recovery the
# index is sound, complete, and answers as a sequential scan does. The points
# are those of src/index/page/inject.h; HASHEMB_CRASHES says how often each.
#
# Seen to fail: with pages of a split written without WAL (not a sound page).
use strict;
use warnings;
use File::Find;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $times = $ENV{HASHEMB_CRASHES} || 1;
my $seed = $ENV{HASHEMB_SEED} || time;
my $node = new_node('crash', conf => "restart_after_crash = on\nmax_parallel_maintenance_workers = 2\nmin_parallel_table_scan_size = 0");

my ($known) = $node->psql('postgres', q{LOAD 'hashemb'; SHOW hashemb.inject});
plan skip_all => 'this build has no injection points' if $known != 0;
srand($seed);
note "seed $seed";
install_functions($node, 'dense');

# Rows that grow an index from nothing, in clusters, some without a vector
$node->safe_psql('postgres', q{
	CREATE TABLE t (id int, c bincode(256), a int);
	CREATE SEQUENCE ids;
	CREATE FUNCTION more(n int) RETURNS void LANGUAGE sql AS $$
		INSERT INTO t SELECT i, CASE WHEN i % 50 <> 7 THEN code(i::int, 37, 'w1')::bincode END, i % 20
			FROM (SELECT nextval('ids') AS i FROM generate_series(1, n)) s $$;
	CREATE INDEX t_idx ON t USING hashemb (c, a) WITH (block_rows = 30);
	SELECT more(2000);
});
# Sparse vectors of 20 weights, every 60th longer than a page
$node->safe_psql('postgres', q{
	CREATE TABLE s (id int, v svec(60000), a int);
	ALTER TABLE s ALTER v SET STORAGE external;
	CREATE SEQUENCE sparse_ids;
	CREATE FUNCTION doc(i bigint) RETURNS svec LANGUAGE sql IMMUTABLE AS $$
		SELECT svec_agg(d, w, 60000) FROM (SELECT 1 + abs(hashint8(i % 40 * 1000 + j) % 2000 + j * (i % 60 = 0)::int * 15) AS d,
			max(1 + hashint8(i * 7919 + j) % 100 / 200.0) AS w
			FROM generate_series(1, CASE WHEN i % 60 = 0 THEN 3000 ELSE 20 END) j GROUP BY 1) x $$;
	CREATE FUNCTION more_sparse(n int) RETURNS void LANGUAGE sql AS $$
		INSERT INTO s SELECT i, CASE WHEN i % 50 <> 7 THEN doc(i) END, i % 20
			FROM (SELECT nextval('sparse_ids') AS i FROM generate_series(1, n)) x $$;
	CREATE INDEX s_idx ON s USING hashemb (v, a);
	SELECT more_sparse(1500);
});

# Dense vectors, in an index that learns when there are a thousand
$node->safe_psql('postgres', q{
	CREATE TABLE d (id int, f real[], a int);
	CREATE SEQUENCE dense_ids;
	CREATE FUNCTION more_dense(n int) RETURNS void LANGUAGE sql AS $$
		INSERT INTO d SELECT i, CASE WHEN i % 50 <> 7 THEN vec(i, 80) END, i % 20
			FROM (SELECT nextval('dense_ids') AS i FROM generate_series(1, n)) x $$;
	CREATE INDEX d_idx ON d USING hashemb (f real_l2_ops, a) WITH (dims = 80, block_rows = 40);
	SELECT more_dense(1500);
});

# What reaches a point: statements, with another SALT each time, and at which of
# the times it is reached they crash, at most
my @thin = ('DELETE FROM t WHERE abs(hashint4(id + SALT) % 16) > 2', 'VACUUM t');
my %ways = (
	'build' => [ [ 'REINDEX INDEX t_idx' ], 1 ],
	'append' => [ [ 'SELECT more(300)' ], 300 ],
	'split' => [ [ 'SELECT more(1500)' ], 12 ],
	'rewrite' => [ [ 'SELECT more(1500)' ], 12 ],
	'prune' => [ [ 'DELETE FROM t WHERE id % 2 = 0', 'SELECT more(1500)' ], 5 ],
	'merge' => [ [ @thin ], 3 ],
	'compact' => [ [ @thin ], 3 ],
	'vacuum' => [ [ @thin ], 5 ],
	'divide' => [ [ 'SELECT more(6000)' ], 1 ],
	'recalibrate' => [ [ 'SELECT more(8000)' ], 2 ],
	'model-page' => [ [ 'TRUNCATE d', 'SELECT more_dense(990)', 'SELECT more_dense(400)' ], 3 ],
	'model-stored' => [ [ 'TRUNCATE d', 'SELECT more_dense(990)', 'SELECT more_dense(400)' ], 1 ],
	'model-codes' => [ [ 'TRUNCATE d', 'SELECT more_dense(990)', 'SELECT more_dense(400)' ], 8 ],
	'sparse-built' => [ [ 'REINDEX INDEX s_idx' ], 1 ],
	'sparse-appended' => [ [ 'SELECT more_sparse(900)' ], 900 ],
	'sparse-long' => [ [ 'SELECT more_sparse(200)' ], 9 ],
	'sparse-frozen' => [ [ 'SELECT more_sparse(2100)' ], 2 ],
	'sparse-window' => [ [ 'SELECT more_sparse(2100)' ], 2 ],
	'sparse-freed' => [ [ 'SELECT more_sparse(1100)' ], 20 ],
	'sparse-merge' => [ [ 'SELECT more_sparse(4200)', 'VACUUM s' ], 1 ],
	'sparse-removed' => [ [ 'DELETE FROM s WHERE id % 16 = 3', 'VACUUM s' ], 5 ]);
# The table that a point is about
my %tables = (
	codes => {
		name => 't', more => 'more', few => 3000,
		distances => q{ARRAY(SELECT format('c <~> %L', code(i, 37, 'w1')) FROM generate_series(1, 2) i)},
		conditions => q{'{true,a = 3,c IS NULL}'} },
	sparse => {
		name => 's', more => 'more_sparse', few => 1500,
		distances => q{ARRAY(SELECT format('v <#> %L', doc(i)) FROM generate_series(1, 2) i)},
		conditions => q{'{true,a = 3,v IS NULL}'} },
	dense => {
		name => 'd', more => 'more_dense', few => 990,
		distances => q{ARRAY(SELECT format('f <-> %L', vec(1000000 + i, 80)) FROM generate_series(1, 2) i)},
		conditions => q{'{true,a = 3,f IS NULL}'} });

# Points are found in the sources, so that none is forgotten
my %points;
find(
	sub {
		return if !/\.c$/ || $_ eq 'inject.c';
		return if $File::Find::dir =~ m{/index/multi}; # t/055_multi.pl
		$points{$_} = 1 foreach slurp_file($_) =~ /HX_INJECT(?:_LOCKED)?\("([^"]+)"\)/g;
	},
	"$FindBin::RealBin/../src");
ok(%points > 0, 'there are points');

sub times_in_log
{
	my ($point) = @_;
	my $count = () = slurp_file($node->logfile) =~ /injected crash at "\Q$point\E"/g;

	return $count;
}

# What the index of a table answers
sub right
{
	my ($table, $name) = @_;

	same_rows($node, "$table->{name}_idx", $table->{name}, $table->{distances}, $table->{conditions}, $name);
}

# Does a vacuum find the pages of codes that a crash has left? It looks for them
# only if it finds dead rows.
sub none_lost
{
	my ($name) = @_;

	$node->safe_psql('postgres', 'DELETE FROM t WHERE id = (SELECT min(id) FROM t)');
	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) t');
	is($node->safe_psql('postgres', q{SELECT orphan_pages FROM hashemb_check('t_idx', true)}), '0', "$name: no page is lost");
}

foreach my $point (sort keys %points)
{
	my ($family) = $point =~ /^((?:sparse|model)-[a-z]+|[a-z]+)/;
	my $way = $ways{$family};
	my $table = $tables{ $point =~ /^sparse/ ? 'sparse' : $point =~ /^model/ ? 'dense' : 'codes' };
	my $t = $table->{name};

	ok($way, "a way to $point is known") or next;
	foreach my $round (1 .. $times)
	{
		my $before = times_in_log($point);
		my $at = 1 + int(rand($way->[1]));
		my $rows = $node->safe_psql('postgres', "SELECT count(*) FROM $t");

		# Fewer changes may be left than the number drawn: then at the first
		foreach my $try ($at, 1, 1, 1)
		{
			# Merging takes clusters of more than one block
			my $add = $family eq 'merge' ? 6000 : $rows < $table->{few} ? 2500 : 500;

			$node->psql('postgres', "SELECT $table->{more}($add)") if $family =~ /merge|vacuum|compact|removed/;
			foreach my $statement (@{ $way->[0] })
			{
				my $salted = $statement =~ s/SALT/int(rand(1_000_000))/er;

				$node->psql('postgres', $salted, extra_params => [], on_error_stop => 0, connstr => $node->connstr('postgres')
						. qq{ options='-c hashemb.inject=$point:crash\@$try'});
				wait_until_up($node);
			}
			last if times_in_log($point) > $before;
		}
		cmp_ok(times_in_log($point), '>', $before, "$point, round $round: the log says that the crash was there");
		my $check = $node->safe_psql('postgres', "SELECT rows > 0 FROM hashemb_check('${t}_idx', true)");
		is($check, 't', "$point, round $round: the index is sound and complete");
		right($table, "$point, round $round");
		none_lost("$point, round $round") if $t eq 't';
		$node->safe_psql('postgres', "TRUNCATE $t; SELECT $table->{more}(2000)")
			if $node->safe_psql('postgres', "SELECT count(*) FROM $t") > ($t eq 't' ? 20000 : 12000);
	}
}

# Growth goes on, and what crashes left behind can be taken again
foreach my $table (values %tables)
{
	my ($t, $more) = ($table->{name}, $table->{more});

	$node->safe_psql('postgres', "SELECT $more(1000); DELETE FROM $t WHERE id % 3 = 0; SELECT $more(1000)");
	$node->safe_psql('postgres', "VACUUM (INDEX_CLEANUP on) $t");
	right($table, "$t afterwards");
	is($node->safe_psql('postgres', "SELECT orphan_pages FROM hashemb_check('${t}_idx', true)"), '0', "no page of $t is lost");
}
$node->stop;
done_testing();
