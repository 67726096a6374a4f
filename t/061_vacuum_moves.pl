# A dead TID is never lost while rows move. A vacuum stands still in the middle
# of its walk; blocks whose rows it has yet to see are split, so that the rows
# move to new pages behind the end that it knew, and blocks that it has seen are
# split as well; then it goes on, and the TIDs are used again. An entry that it
# had missed would now be a second entry of a living row's TID.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{HASHEMB_SEED} || time;
my $node = new_node('moves');
my ($known) = $node->psql('postgres', q{LOAD 'hashemb'; SHOW hashemb.inject});
plan skip_all => 'this build has no injection points' if $known != 0;
srand($seed);
note "seed $seed";
install_functions($node);
$node->safe_psql('postgres', q{
	CREATE TABLE t (id int, c bincode(256), a int);
	INSERT INTO t SELECT i, CASE WHEN i % 50 <> 7 THEN code(i, 37, 'w1')::bincode END, i % 20 FROM generate_series(1, 4000) i;
	CREATE INDEX t_idx ON t USING hashemb (c, a) WITH (block_rows = 12)});

my $lock = $node->background_psql('postgres');
my $distances = q{ARRAY(SELECT format('c <~> %L', code(i, 37, 'w1')) FROM generate_series(1, 2) i)};
my $conditions = q{'{true,a = 3,c IS NULL}'};

sub info
{
	my ($column) = @_;

	return $node->safe_psql('postgres', "SELECT $column FROM hashemb_index_info('t_idx')");
}

foreach my $round (1 .. ($ENV{HASHEMB_ROUNDS} || 4))
{
	# Rows that die, spread over all blocks, so few that inserts seldom notice
	$node->safe_psql('postgres', "DELETE FROM t WHERE hashint4(id + $round) % 15 = 0");
	my $page = 2 + int(rand(info('pages') - 2));
	my $splits = info('splits');

	# The vacuum waits before it looks at that page
	$lock->query_safe('SELECT pg_advisory_lock(26744)');
	my $vacuum = $node->background_psql('postgres', on_error_stop => 1);
	my $log = -s $node->logfile;
	$vacuum->query_until(qr/begun/, "\\echo begun\nSET hashemb.inject = 'vacuum-visit:wait\@$page'; VACUUM (INDEX_CLEANUP on) t;\n");
	$node->wait_for_log(qr/waiting at "vacuum-visit"/, $log);

	# Blocks on both sides are split: rows come into all of them
	$node->safe_psql('postgres', "INSERT INTO t SELECT i, code(i, 37, 'w1')::bincode, i % 20 FROM generate_series(10000 * $round, 10000 * $round + 3000) i");
	cmp_ok(info('splits'), '>', $splits + 10, "round $round: blocks are split while the vacuum stands at page $page");

	$lock->query_safe('SELECT pg_advisory_unlock(26744)');
	$vacuum->quit;

	# The same TIDs again
	$node->safe_psql('postgres', "INSERT INTO t SELECT i, code(i, 37, 'w1')::bincode, i % 20 FROM generate_series(10000 * $round + 4000, 10000 * $round + 6500) i");
	is($node->safe_psql('postgres', q{SELECT rows - (SELECT count(*) FROM t) FROM hashemb_check('t_idx', true)}), '0',
		"round $round: no entry of a dead row is left, and no TID has two");
	same_rows($node, 't_idx', 't', $distances, $conditions, "round $round");
}
$lock->quit;
$node->stop;
done_testing();
