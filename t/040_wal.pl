# Replication and crashes: a standby answers as its primary does, page for page
# (wal_consistency_checking), and after a crash nothing is lost.
#
# Seen to fail: with a flag of a page set outside of the WAL record of an insert
# (the standby ends: inconsistent page found).
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('primary', allows_streaming => 1, conf => q{
	wal_consistency_checking = 'generic'
	max_standby_streaming_delay = -1
	hot_standby_feedback = on
	wal_receiver_status_interval = 1s
});
install_functions($node);
note 'seed w1';
$node->safe_psql('postgres', q{
	CREATE FUNCTION fill(name text, first int, last int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE format('INSERT INTO %I SELECT i, CASE WHEN i %% 50 <> 7 THEN code(i, 37, ''w1'')::bincode END,
			i %% 20, nullif(''w'' || i %% 11, ''w4'') FROM generate_series(%s, %s) i', name, first, last);
	END $$;
	CREATE TABLE built (id int, c bincode(256), a int, t text);
	SELECT fill('built', 1, 3000);
	CREATE INDEX built_idx ON built USING hashemb (c, a, t) WITH (block_rows = 30);
	CREATE TABLE filled (id int, c bincode(256), a int, t text);
	CREATE INDEX filled_idx ON filled USING hashemb (a, c, t);
});
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;

my $distances = q{ARRAY(SELECT format('c <~> %L', code(i, 37, 'w1')) FROM generate_series(1, 3) i)};
my $conditions = q{'{true,a = 3,t = ''w3'' AND a < 12,c IS NULL,t IS NULL,id % 100 = 3}'};

# Compare both servers with sequential scans, and with each other below recall 1.
# They have in common what is logged; marks of dead rows are not (see README), and
# where there are some a search sees fewer rows and may end elsewhere.
sub check
{
	my ($name) = @_;
	my $found = q{SET hashemb.recall = 0.9; SET enable_seqscan = off;
		SELECT md5(string_agg(id::text, ',')) FROM
			(SELECT id FROM built WHERE a < 15 ORDER BY c <~> code(5, 37, 'w1')::bincode LIMIT 500) s};
	my $query = q{SELECT md5(string_agg((to_jsonb(i) - 'dead')::text || b::text, ',' ORDER BY b::text)) FROM hashemb_index_info('built_idx') i, hashemb_block_info('built_idx') b;
		SELECT md5(string_agg((to_jsonb(i) - 'dead')::text || b::text, ',' ORDER BY b::text)) FROM hashemb_index_info('filled_idx') i, hashemb_block_info('filled_idx') b};

	$node->wait_for_catchup($standby);
	foreach my $table ('built', 'filled')
	{
		same_rows($node, "${table}_idx", $table, $distances, $conditions, "$name: $table on the primary");
		same_rows($standby, "${table}_idx", $table, $distances, $conditions, "$name: $table on the standby");
	}
	is($standby->safe_psql('postgres', $query), $node->safe_psql('postgres', $query),
		"$name: standby agrees with primary");
	my $primary = $node->safe_psql('postgres', $found);
	my $marked = $node->safe_psql('postgres', q{SELECT dead FROM hashemb_index_info('built_idx')});
SKIP:
	{
		skip "$marked rows are marked as dead on the primary", 1 if $marked > 0;
		is($standby->safe_psql('postgres', $found), $primary, "$name: standby finds what the primary finds");
	}
}

$node->safe_psql('postgres', q{SELECT fill('built', 3001, 4000), fill('filled', 1, 2000)});
check('inserts');

# Nothing is written there
my ($code, $out, $err) = $standby->psql('postgres', q{SELECT hashemb_calibrate('built_idx')});
like($err, qr/ERROR:  cannot execute hashemb_calibrate\(\) during recovery/, 'no calibration on a standby');

# A scan on the standby outlives changes that are replayed
my $scan = $standby->background_psql('postgres');
$scan->query_safe(q{SET hashemb.recall = 1; SET enable_seqscan = off; SET enable_sort = off; BEGIN ISOLATION LEVEL REPEATABLE READ});
$scan->query_safe(q{DECLARE c CURSOR FOR SELECT id FROM filled ORDER BY c <~> code(5, 37, 'w1')::bincode});
my $first = $scan->query_safe('FETCH 500 FROM c');

$node->safe_psql('postgres', $_) foreach ('DELETE FROM built WHERE id % 3 = 1', 'DELETE FROM filled WHERE id % 37 < 25',
	q{UPDATE built SET c = code(id + 1, 37, 'w1')::bincode, a = a + 1 WHERE id % 7 = 2});
check('deletes and updates');
$node->safe_psql('postgres', 'VACUUM built, filled');
$node->wait_for_catchup($standby);
my @rest = split /\n/, $scan->query_safe('FETCH ALL FROM c');
is(scalar(@rest) + scalar(split /\n/, $first), 2000, 'a scan on the standby finds what its snapshot holds');
$scan->quit;
check('vacuum');

# Searches mark rows as soon as the standby has said that it needs them no more
$node->safe_psql('postgres', q{DELETE FROM built WHERE id % 3 = 2;
	CREATE FUNCTION search_marks() RETURNS boolean SET hashemb.recall = 1 SET enable_seqscan = off LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM FROM built ORDER BY c <~> code(5, 37, 'w1')::bincode LIMIT 500;
		RETURN dead > 0 FROM hashemb_index_info('built_idx');
	END $$});
$node->poll_query_until('postgres', 'SELECT search_marks()') or die 'no row was marked as dead';
is($standby->safe_psql('postgres', q{SELECT dead FROM hashemb_index_info('built_idx')}), 0,
	'the primary has marks of dead rows, the standby none');
check('marks of dead rows');
$node->safe_psql('postgres', q{SELECT fill('built', 4001, 5000), fill('filled', 2001, 3500); VACUUM built});
check('freed pages used again');
$node->safe_psql('postgres', q{DELETE FROM filled; VACUUM filled; SELECT fill('filled', 1, 300)});
$node->safe_psql('postgres', q{SELECT hashemb_calibrate('built_idx'); REINDEX INDEX CONCURRENTLY built_idx});
check('calibration, reindex');
$node->safe_psql('postgres', q{SET maintenance_work_mem = '1MB'; TRUNCATE built; SELECT fill('built', 1, 2500); VACUUM FULL filled});
check('truncate, rewrite');

# A promoted standby goes on
$standby->promote;
$standby->safe_psql('postgres', q{SELECT fill('built', 5001, 5500), fill('filled', 301, 600);
	DELETE FROM built WHERE id % 5 = 0});
$standby->safe_psql('postgres', 'VACUUM built');
same_rows($standby, 'built_idx', 'built', $distances, $conditions, 'promoted: built');
same_rows($standby, 'filled_idx', 'filled', $distances, $conditions, 'promoted: filled');
$standby->stop;

# Crashes, in the midst of inserts, deletes and vacuums
$node->safe_psql('postgres', q{CREATE UNLOGGED TABLE scratch (id int, c bincode(256), a int, t text);
	CREATE INDEX scratch_idx ON scratch USING hashemb (c, a, t); SELECT fill('scratch', 1, 1000)});
my $work = $node->basedir . '/work.sql';
append_to_file($work, q{\set first random(10000, 99999)
SELECT fill('built', :first, :first + 20), fill('filled', :first, :first + 20);
DELETE FROM built WHERE id % 100 = :first % 100;
DELETE FROM filled WHERE id % 10 = :first % 10;
});
foreach my $crash (1 .. 3)
{
	my $bench = IPC::Run::start(['pgbench', '-n', '--random-seed=42', '-c', 3, '-T', 60, '-f', $work, '-h', $node->host, '-p', $node->port, 'postgres'],
		'<', \'', '>', \my $out, '2>', \my $err);

	# as soon as something was committed and vacuumed
	$node->poll_query_until('postgres', 'SELECT count(*) > 200 FROM built WHERE id >= 10000') or die 'no progress';
	$node->safe_psql('postgres', 'VACUUM built, filled');
	$node->safe_psql('postgres', 'CHECKPOINT') if $crash == 2;
	$node->stop('immediate');
	$bench->finish;
	$node->start;
	same_rows($node, 'built_idx', 'built', $distances, $conditions, "crash $crash: built");
	same_rows($node, 'filled_idx', 'filled', $distances, $conditions, "crash $crash: filled");
	$node->safe_psql('postgres', q{SELECT fill('built', 6001, 6100), fill('filled', 6001, 6100)});
	$node->safe_psql('postgres', 'VACUUM built, filled');
	same_rows($node, 'built_idx', 'built', $distances, $conditions, "after crash $crash and vacuum: built");
	same_rows($node, 'filled_idx', 'filled', $distances, $conditions, "after crash $crash and vacuum: filled");
	$node->safe_psql('postgres', 'DELETE FROM built WHERE id >= 10000; DELETE FROM filled WHERE id >= 10000');

	# the index of an unlogged table comes back empty and works
	is($node->safe_psql('postgres', q{SET enable_seqscan = off; SELECT count(*) FROM scratch;
		SELECT rows, blocks FROM hashemb_index_info('scratch_idx')}), "0\n0|0", "crash $crash: unlogged index is empty");
	$node->safe_psql('postgres', q{SELECT fill('scratch', 1, 500)});
	same_rows($node, 'scratch_idx', 'scratch', $distances, $conditions, "crash $crash: unlogged index is usable");
}
$node->stop;
done_testing();
