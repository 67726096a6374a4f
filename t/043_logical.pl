# Logical replication without a key: a table with values of every type and
# REPLICA IDENTITY FULL, whose rows the subscriber finds by comparing them, is
# copied, and changed by updates and deletes, in binary and as text; subscribers
# have indexes of their own. Compared by content, index and search.
#
# The publisher is of the same server, or of that of HASHEMB_OLD_SERVER, as in
# t/012_pg_upgrade.pl. (PostgreSQL 15 copies the first rows as text in any case.)
# HASHEMB_SEED=n repeats a run. Seen to fail: when hamming_ball had no equality
# (the subscriber's worker ended with an error, and nothing arrived).
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{HASHEMB_SEED} || int(rand(1_000_000));
srand($seed);
note "seed $seed";

my $publisher = new_node('publisher', older => 1, allows_streaming => 'logical', conf => 'fsync = off');
note 'from ', $publisher->safe_psql('postgres', 'SELECT version()');
install_functions($publisher, 'kinds');
$publisher->safe_psql('postgres', q{
	SELECT make_kinds('k');
	ALTER TABLE k REPLICA IDENTITY FULL;
	SELECT fill_kinds('k', 1, 500);
	CREATE PUBLICATION kinds FOR TABLE k});

# Wait until a subscriber has all; what its log says if that takes too long
sub wait_for
{
	my ($subscriber, $name) = @_;
	my $lsn = $publisher->safe_psql('postgres', 'SELECT pg_current_wal_lsn()');

	return $publisher->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_replication WHERE application_name = '$name' AND replay_lsn >= '$lsn'")
		|| BAIL_OUT("$name: " . join('', grep { /ERROR/ } split /^/m, slurp_file($subscriber->logfile)));
}

# A change of many rows, in one transaction
sub change
{
	my ($first) = @_;
	my ($by, $at) = (3 + int(rand(5)), int(rand(3)));

	note "rows from $first, one of $by, $at";
	$publisher->safe_psql('postgres', "
		SELECT fill_kinds('k', $first, $first + 199);
		UPDATE k SET one = kind_bits(id + 13, 'k')::bincode, sparse = kind_sparse(id + 9)::svec(60) WHERE id % $by = $at AND id > $first - 150;
		UPDATE k SET tokens = kind_tokens(id + 5), ball = hamming_ball(kind_bits(id, 'n')::bincode, 3), a = a + 1 WHERE id % $by = $at + 1 AND id > $first - 150;
		UPDATE k SET dense = kind_floats(id + 2), coded = coded || NULL::bincode[], encoder = NULL WHERE id % ($by * 2) = $at AND id > $first - 150;
		DELETE FROM k WHERE id % $by = 2 AND id > $first - 100");
}

my $next = 501;
my @ways = map { my $binary = $_; map { [ $binary, $_ ] } 'no index', 'an index' } 'false', 'true';
foreach my $way (@ways)
{
	my ($binary, $found_by) = @$way;
	my $name = "s_${binary}_" . ($found_by =~ s/ /_/r);
	my $subscriber = new_node($name, allows_streaming => 'logical', conf => 'fsync = off');
	my $connection = $publisher->connstr('postgres') =~ s{'}{''}gr;

	install_functions($subscriber, 'kinds');
	$subscriber->safe_psql('postgres', q{SELECT make_kinds('k')});
	# PostgreSQL 16 and newer may find rows by any B-tree
	$subscriber->safe_psql('postgres', q{SELECT index_kinds('k')}) if $found_by eq 'an index';
	$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION $name CONNECTION '$connection' PUBLICATION kinds WITH (binary = $binary)");
	$subscriber->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_subscription_rel WHERE srsubstate IN ('r', 's')}) or BAIL_OUT("$name: not copied");
	is($subscriber->safe_psql('postgres', q{SELECT contents('k')}), $publisher->safe_psql('postgres', q{SELECT contents('k')}), "binary $binary, $found_by: all rows are copied");
	foreach (1 .. 2)
	{
		change($next);
		$next += 200;
		wait_for($subscriber, $name);
		is($subscriber->safe_psql('postgres', q{SELECT contents('k')}), $publisher->safe_psql('postgres', q{SELECT contents('k')}), "binary $binary, $found_by: changes arrive");
	}
	$subscriber->safe_psql('postgres', q{SELECT index_kinds('k')}) if $found_by ne 'an index';
	is($subscriber->safe_psql('postgres', q{SELECT kinds_are_whole('k')}), 't', "binary $binary, $found_by: indexes are sound and have all rows");
	is($subscriber->safe_psql('postgres', q{SELECT kind_differences('k')}), '', "binary $binary, $found_by: searches find what a scan finds");
	unlike(slurp_file($subscriber->logfile), qr/ERROR/, "binary $binary, $found_by: no worker failed");
	$subscriber->safe_psql('postgres', "DROP SUBSCRIPTION $name");
	$subscriber->stop;
}

# every type that a column may have is in the table
is($publisher->safe_psql('postgres', q{SELECT string_agg(typname, ' ') FROM pg_type t JOIN pg_depend d ON d.objid = t.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid AND extname = 'hashemb'
	WHERE d.classid = 'pg_type'::regclass AND typtype = 'b' AND typcategory <> 'A' AND typname <> 'distance_bound' AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'k'::regclass AND atttypid = t.oid)}), '', 'all types are in the table');

$publisher->stop;
done_testing();
