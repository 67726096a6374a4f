# Rows that are updated again and again, or deleted while others come, without
# vacuum: dead rows do not make blocks longer and longer, and are there as long as
# a snapshot, here or on a standby, may need them.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = 3000;
my $node = new_node('updates', allows_streaming => 1, conf => "wal_consistency_checking = generic\nfsync = off");
install_functions($node);
note 'seed u64';
$node->safe_psql('postgres', qq{
	CREATE TABLE t (id int PRIMARY KEY, c bincode(256), a int);
	INSERT INTO t SELECT i, CASE WHEN i % 100 <> 7 THEN code(i, 37, 'u64')::bincode END, i % 20 FROM generate_series(1, $rows) i;
	CREATE INDEX t_idx ON t USING hashemb (c, a) WITH (block_rows = 30);
	VACUUM ANALYZE t;
	-- Update every row so many times, each in a transaction of its own
	CREATE PROCEDURE churn(rounds int, step int DEFAULT 1) LANGUAGE plpgsql AS \$\$
	BEGIN
		FOR round IN 1 .. rounds LOOP
			FOR i IN 1 .. $rows BY step LOOP
				UPDATE t SET a = (a + 1) % 20 WHERE id = i;
				COMMIT;
			END LOOP;
		END LOOP;
	END \$\$});
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('updates_standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\nhot_standby_feedback = off");
$standby->start;

my $distances = q{ARRAY(SELECT format('c <~> %L', code(i, 37, 'u64')) FROM generate_series(1, 3) i)};
my $conditions = q{'{true,a = 3,id % 10 = 3}'};
my $search = q{SELECT count(*), md5(string_agg(id || ':' || a, ',' ORDER BY id)) FROM
	(SELECT id, a FROM t WHERE a < 10 ORDER BY c <~> code(1, 37, 'u64')::bincode LIMIT 1000) s};
my $by_index = 'SET hashemb.recall = 1; SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET enable_indexonlyscan = off';

my ($known) = $node->psql('postgres', q{LOAD 'hashemb'; SHOW hashemb.inject});
my $injects = $known == 0;

# Records of a resource manager since then
sub records
{
	my ($since, $manager) = @_;
	my $end = $node->lsn('flush');
	my ($out, $err) = run_command([ 'pg_waldump', '-p', $node->data_dir . '/pg_wal', '-r', $manager, '-s', $since, '-e', $end ]);

	return $out;
}

sub pages
{
	return $node->safe_psql('postgres', q{SELECT pages FROM hashemb_index_info('t_idx')});
}

sub found
{
	my ($server, $name) = @_;

	same_rows($server, 't_idx', 't', $distances, $conditions, "$name: finds what a sequential scan finds");
}

sub checked
{
	my ($server, $name) = @_;

	found($server, $name);
	is($server->safe_psql('postgres', q{SELECT orphan_pages FROM hashemb_check('t_idx', true)}), '0', "$name: checked");
}

# A session with a snapshot; returns it, and what it sees
sub look_back
{
	my ($server) = @_;
	my $session = $server->background_psql('postgres');

	$session->query_safe("$by_index; BEGIN ISOLATION LEVEL REPEATABLE READ");
	return ($session, $session->query_safe($search));
}

# -- no vacuum, no snapshot
my $built = pages();
$node->safe_psql('postgres', 'CALL churn(10)');
my $updated = pages();
cmp_ok($updated, '<', 3 * $built, 'ten updates of every row: the index is not many times as large') or diag("$built pages became $updated");
checked($node, 'ten updates of every row');
like($node->safe_psql('postgres', "$by_index; EXPLAIN $search"), qr/Custom Scan \(hashemb\) on t\b|using t_idx\b/, 'searches go through the index');

# -- a snapshot of this server
my ($session, $seen) = look_back($node);
$node->safe_psql('postgres', 'CALL churn(4)');
is($session->query_safe($search), $seen, 'a snapshot sees what it saw before four updates of every row');
$session->query_safe('COMMIT');
isnt($session->query_safe($search), $seen, 'and not after its transaction');
$session->quit;
checked($node, 'after a snapshot');

# -- a snapshot of the standby, which replay waits for
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
found($standby, 'standby');
($session, $seen) = look_back($standby);
$node->safe_psql('postgres', 'CALL churn(6)');
ok($standby->poll_query_until('postgres', q{SELECT wait_event = 'RecoveryConflictSnapshot' FROM pg_stat_activity WHERE backend_type = 'startup'}),
	'replay waits for the snapshot');
is($session->query_safe($search), $seen, 'a snapshot of the standby sees what it saw');
$session->query_safe('COMMIT');
$session->quit;
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
found($standby, 'standby, after its snapshot');

# -- deleted rows on pages of the table that have room, so that nothing is pruned
# there: the standby hears of them by the index's own record
$node->safe_psql('postgres', q{
	CREATE TABLE roomy (id int, c bincode(256), a int) WITH (fillfactor = 30);
	INSERT INTO roomy SELECT i, code(i % 100, 37, 'u64')::bincode, i % 20 FROM generate_series(1, 3000) i;
	CREATE INDEX roomy_idx ON roomy USING hashemb (c, a) WITH (block_rows = 60);
	ALTER TABLE roomy SET (fillfactor = 90);
	VACUUM ANALYZE roomy});
my $roomy = $search =~ s/FROM t /FROM roomy /r;
$built = $node->safe_psql('postgres', q{SELECT pages FROM hashemb_index_info('roomy_idx')});
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
$session = $standby->background_psql('postgres');
$session->query_safe("$by_index; BEGIN ISOLATION LEVEL REPEATABLE READ");
$seen = $session->query_safe($roomy);
my $before = $node->lsn('insert');
foreach my $round (1 .. 3)
{
	$node->safe_psql('postgres', 'DELETE FROM roomy WHERE id % 2 = 0');
	$node->safe_psql('postgres', 'INSERT INTO roomy SELECT id + 1, c, (a + 1) % 20 FROM roomy');
}
$updated = $node->safe_psql('postgres', q{SELECT pages FROM hashemb_index_info('roomy_idx')});
cmp_ok($updated, '<=', 1.5 * $built, 'three rounds of deleting half and inserting half: the index is not as large as all rows that there were') or diag("$built pages became $updated");
unlike(records($before, 'Heap2'), qr/PRUNE/, 'the table was not pruned');
like(records($before, 'Gist'), qr/PAGE_REUSE/, 'conflicts were logged');
ok($standby->poll_query_until('postgres', q{SELECT wait_event = 'RecoveryConflictSnapshot' FROM pg_stat_activity WHERE backend_type = 'startup'}),
	'replay waits for the snapshot');
is($session->query_safe($roomy), $seen, 'a snapshot of the standby sees what it saw before rows were deleted');
$session->query_safe('COMMIT');
$session->quit;
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
same_rows($_, 'roomy_idx', 'roomy', $distances, q{'{true,a = 3}'}, $_->name . ': rows deleted and inserted') foreach $node, $standby;
is($node->safe_psql('postgres', q{SELECT heap_rows FROM hashemb_check('roomy_idx', true)}), '3000', 'rows deleted and inserted: checked');

# -- a vacuum between finding dead rows and removing them gives their TIDs to others
SKIP:
{
	skip 'this build has no injection points', 4 if !$injects;
	$node->safe_psql('postgres', q{
		CREATE TABLE one (id int, c bincode(256));
		INSERT INTO one SELECT i, code(1, 37, 'u64')::bincode FROM generate_series(1, 1000) i;
		CREATE INDEX one_idx ON one USING hashemb (c);
		DELETE FROM one WHERE id % 5 = 0});
	my $lock = $node->background_psql('postgres');
	my $log = -s $node->logfile;
	my $add = q{INSERT INTO one SELECT i, code(1, 37, 'u64')::bincode FROM generate_series(%d, %d) i};

	$lock->query_safe('SELECT pg_advisory_lock(26744)');
	$session = $node->background_psql('postgres', on_error_stop => 1);
	$session->query_until(qr/begun/, "\\echo begun\nSET hashemb.inject = 'prune-found:wait\@1'; " . sprintf($add, 2001, 2400) . ";\n");
	$node->wait_for_log(qr/waiting at "prune-found"/, $log);
	$node->safe_psql('postgres', 'VACUUM one');
	$node->safe_psql('postgres', sprintf($add, 3001, 3150));
	is($node->safe_psql('postgres', 'SELECT count(*) > 100 FROM one WHERE id BETWEEN 3001 AND 3150 AND ctid <= (SELECT max(ctid) FROM one WHERE id <= 1000)'), 't',
		'rows take the TIDs of those that were found dead');
	$lock->query_safe('SELECT pg_advisory_unlock(26744)');
	$session->quit;
	$lock->quit;
	is($node->safe_psql('postgres', q{SELECT heap_rows FROM hashemb_check('one_idx', true)}), '1350', 'rows that took the TIDs of dead ones are there');
	same_rows($node, 'one_idx', 'one', q{ARRAY['c <~> ' || quote_literal(code(1, 37, 'u64'))]}, q{'{true,id % 10 = 3}'}, 'TIDs taken: finds what a sequential scan finds');
}

# -- crashes where a block is about to lose its dead rows
SKIP:
{
	skip 'this build has no injection points', 1 if !$injects;
	$node->append_conf('postgresql.conf', 'restart_after_crash = on');
	$node->reload;
	foreach my $point (qw(prune-found prune-page))
	{
		$node->psql('postgres', 'CALL churn(2)', on_error_stop => 0,
			connstr => $node->connstr('postgres') . " options='-c hashemb.inject=$point:crash\@40'");
		wait_until_up($node);
		like(slurp_file($node->logfile), qr/injected crash at "$point"/, "$point: the log says that the crash was there");
		found($node, "crash at $point");
		$node->safe_psql('postgres', q{SELECT hashemb_check('t_idx', true)});
	}
	$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
	found($standby, 'standby, after crashes');
}

# -- dead rows go to the table's vacuum like others
$node->safe_psql('postgres', 'CALL churn(1, 3); VACUUM t');
checked($node, 'vacuumed');
is($node->safe_psql('postgres', q{SELECT rows - dead FROM hashemb_check('t_idx', true)}), $rows, 'vacuumed: only living rows are left');
$node->safe_psql('postgres', 'CALL churn(2)');
checked($node, 'updated after vacuum');

done_testing();
