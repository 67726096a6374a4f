# Building an index where it is hard: while others write, with few workers,
# little memory or none that is shared, cancelled or killed in any phase.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = $ENV{HASHEMB_ROWS} || 60_000;
my $seconds = $ENV{HASHEMB_SECONDS} || 8;
my $node = new_node('build', conf => q{
	dynamic_shared_memory_type = mmap
	max_worker_processes = 4
	max_parallel_workers = 4
	max_parallel_maintenance_workers = 2
	min_parallel_table_scan_size = 0
	maintenance_work_mem = 128MB
	shared_buffers = 64MB
	restart_after_crash = on});

install_functions($node);
note 'seed 45';
$node->safe_psql('postgres', qq{
	CREATE FUNCTION wide_code(i int) RETURNS bincode LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
		'SELECT (code(i, 500, ''b45'') || code(i + 1000000, 500, ''b45''))::bincode';
	CREATE TABLE many AS SELECT i AS id, CASE WHEN i % 100 > 0 THEN wide_code(i) END::bincode(512) AS c, i % 10 AS a
		FROM generate_series(1, $rows) i;
	CREATE TABLE few (id int, c bincode(512), a int);
	INSERT INTO few SELECT * FROM many WHERE id <= 3000;
	VACUUM ANALYZE});

# Workers that a statement's build had
sub workers
{
	my ($statement, $settings) = @_;
	my ($code, $out, $err) = $node->psql('postgres', ($settings || '') . "; SET client_min_messages = debug1; $statement");

	die "$statement: $err" if $code;
	return join ' ', $err =~ /building index "\w+" with (\d+) workers/g;
}

# What must not be left behind: temporary files, workers
sub nothing_left
{
	my ($name) = @_;
	my $workers = $node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'});
	my @files = glob($node->data_dir . '/base/pgsql_tmp/*');

	ok($workers && !@files, "$name: no worker and no temporary file is left") or note "left: @files";
}

# -- how many workers
my $create = 'CREATE INDEX few_idx ON few USING hashemb (c, a)';
my $drop = 'DROP INDEX few_idx';

is(workers($create), '2', 'as many workers as allowed');
$node->safe_psql('postgres', $drop);
foreach my $case (
	['SET max_parallel_maintenance_workers = 0', '', 'none allowed'],
	['SET max_parallel_workers = 1', '1', 'one to be had of two'],
	['SET max_parallel_workers = 0', '', 'none to be had'],
	[q{SET maintenance_work_mem = '64MB'}, '1', 'memory for one worker'],
	[q{SET maintenance_work_mem = '63MB'}, '', 'memory for no worker'],
	[q{SET min_parallel_table_scan_size = '1GB'}, '', 'a small table'],
	[q{SET min_parallel_table_scan_size = '1GB'; ALTER TABLE few SET (parallel_workers = 1)}, '1', 'a small table that asks for one'])
{
	my ($settings, $expected, $name) = @$case;

	is(workers($create, $settings), $expected, $name);
	is($node->safe_psql('postgres', "SELECT rows FROM hashemb_check('few_idx', true); ALTER TABLE few RESET (parallel_workers)"),
		3000, "$name: all rows are there");
	$node->safe_psql('postgres', $drop);
}
nothing_left('workers');

# -- no shared memory: no segment can be made
SKIP:
{
	my $folder = $node->data_dir . '/pg_dynshmem';

	chmod 0500, $folder;
	skip 'permissions do not bind this user', 2 if -w $folder;
	is(workers($create), '', 'no shared memory, no worker');
	is($node->safe_psql('postgres', "SELECT rows FROM hashemb_check('few_idx', true)"), 3000, 'no shared memory: all rows are there');
	$node->safe_psql('postgres', $drop);
}
chmod 0700, $node->data_dir . '/pg_dynshmem';
is(workers($create), '2', 'and workers again when there is');

# -- what the server's statistics say of a build
$node->safe_psql('postgres', q{SELECT pg_stat_reset()});
is(workers('REINDEX INDEX few_idx'), '2', 'reindex');
is($node->safe_psql('postgres', q{SELECT idx_scan, idx_tup_read, idx_tup_fetch FROM pg_stat_user_indexes WHERE indexrelname = 'few_idx'}),
	'0|0|0', 'a build counts no index scans');
like($node->safe_psql('postgres', q{EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT 1; SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'few'}),
	qr/^[1-9]\d*$/m, 'and a scan of the table');

# -- progress, phase by phase
$node->safe_psql('postgres', q{
	CREATE UNLOGGED TABLE seen (phase text, done bigint, total bigint);
	-- What the running build shows, each change of it, until it ends
	CREATE PROCEDURE watch() LANGUAGE plpgsql AS $$
	DECLARE
		now record;
		before record;
		begun bool := false;
	BEGIN
		FOR i IN 1 .. 30000 LOOP
			PERFORM pg_stat_clear_snapshot();
			SELECT phase, tuples_done, tuples_total INTO now FROM pg_stat_progress_create_index WHERE relid = 'many'::regclass;
			EXIT WHEN begun AND now IS NULL;
			IF now IS NOT NULL AND now IS DISTINCT FROM before THEN
				INSERT INTO seen VALUES (now.phase, now.tuples_done, now.tuples_total);
				begun := true;
				before := now;
			END IF;
			PERFORM pg_sleep(0.001);
		END LOOP;
	END $$;
	CREATE TABLE nothing (line text);
	-- Wait until a build is in a phase; then cancel it, or end or kill it or one of its workers. False if that was missed.
	CREATE FUNCTION interrupt(wanted text, how text, of_worker bool DEFAULT false) RETURNS bool LANGUAGE plpgsql AS $$
	DECLARE
		victim int;
		builds bool;
		begun bool := false;
	BEGIN
		FOR i IN 1 .. 30000 LOOP
			PERFORM pg_stat_clear_snapshot();
			builds := EXISTS (SELECT FROM pg_stat_progress_create_index WHERE relid = 'many'::regclass);
			EXIT WHEN begun AND NOT builds;
			begun := begun OR builds;
			SELECT min(a.pid) INTO victim FROM pg_stat_activity a, pg_stat_progress_create_index p
				WHERE p.phase = 'building index: ' || wanted AND CASE WHEN of_worker THEN a.leader_pid = p.pid ELSE a.pid = p.pid END;
			IF victim IS NOT NULL THEN
				CASE how
					WHEN 'cancel' THEN PERFORM pg_cancel_backend(victim);
					WHEN 'end' THEN PERFORM pg_terminate_backend(victim);
					WHEN 'kill' THEN EXECUTE format('COPY nothing FROM PROGRAM ''kill -KILL %s''', victim);
				END CASE;
				RETURN true;
			END IF;
			PERFORM pg_sleep(0.001);
		END LOOP;
		RETURN false;
	END $$});

# Start a statement in a session of its own; finish() gives its messages
sub start
{
	my ($statement) = @_;
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start(['psql', '-X', '-q', '-A', '-t', '-d', $node->connstr('postgres'), '-c', $statement],
		'<', \'', '>', \$out, '2>', \$err);

	return { run => $run, err => \$err, out => \$out };
}

sub finish
{
	my ($session) = @_;

	$session->{run}->finish;
	return ${ $session->{out} } . ${ $session->{err} };
}

my @phases = ('loading rows', 'training centroids', 'assigning rows', 'writing blocks', 'calibrating');
my $create_many = 'CREATE INDEX many_idx ON many USING hashemb (c, a) WHERE pause(id)';

# Loading would be too short to be met
$node->safe_psql('postgres', q{
	CREATE FUNCTION pause(id int) RETURNS bool LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
	BEGIN
		IF id % 1000 = 0 THEN
			PERFORM pg_sleep(0.01);
		END IF;
		RETURN true;
	END $$});

# On a busy machine a short phase may be missed: then try again
sub several_times
{
	my ($try) = @_;

	for (1 .. 10)
	{
		return 1 if $try->();
		note 'missed';
	}
	return 0;
}

# Interrupt a build in a phase; returns what it says
sub interrupted
{
	my ($statement, $phase, @how) = @_;
	my $said;

	several_times(sub {
		my $build = start($statement);
		my $hit = $node->safe_psql('postgres', "SELECT interrupt('$phase', " . join(', ', @how) . ')');

		$said = finish($build);
		$node->safe_psql('postgres', 'DROP INDEX many_idx') if $said eq '';
		return $hit eq 't' && $said ne '';
	}) or die "$phase was never met";
	return $said;
}

foreach my $workers (0, 2)
{
	my $seen = '';

	several_times(sub {
		$node->safe_psql('postgres', 'TRUNCATE seen');
		my $watch = start('CALL watch()');

		$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE query = 'CALL watch()'});
		is(workers($create_many, "SET max_parallel_maintenance_workers = $workers"), $workers || '', "$workers workers: built");
		is(finish($watch), '', "$workers workers: watched");
		$node->safe_psql('postgres', 'DROP INDEX many_idx');
		$seen = $node->safe_psql('postgres', q{SELECT string_agg(phase, ', ' ORDER BY first) FROM
			(SELECT substring(phase, 'building index: (.*)') AS phase, min(ctid) AS first FROM seen GROUP BY phase) s WHERE phase <> 'initializing'});
		return $seen eq join(', ', @phases);
	});
	is($seen, join(', ', @phases), "$workers workers: all phases, in order");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM seen WHERE total > 0 AND done > total}), '0',
		"$workers workers: never more done than there is to do");
	is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT total::text, ' ') FROM seen WHERE phase ~ 'assigning|writing'}),
		$rows, "$workers workers: all rows are to be assigned and written");
	is($node->safe_psql('postgres', q{SELECT count(DISTINCT phase) FROM seen WHERE done > 0 AND phase ~ 'loading|training|assigning'}), '3',
		"$workers workers: phases get on");
}

# -- cancelled in each phase
foreach my $workers (0, 2)
{
	foreach my $phase (@phases)
	{
		like(interrupted("SET max_parallel_maintenance_workers = $workers; $create_many", $phase, q{'cancel'}),
			qr/^ERROR:  canceling statement due to user request$/m, "$phase, $workers workers: cancelled");
		nothing_left("$phase, $workers workers");
	}
}
$node->safe_psql('postgres', 'CHECKPOINT');
my $files = $node->safe_psql('postgres', q{SELECT count(*) FROM pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = 'postgres')) f
	WHERE f ~ '^\d+$' AND f::oid <> 0 AND pg_filenode_relation(0, f::oid) IS NULL AND f::oid >= 16384});
is($files, '0', 'no file of a cancelled index is left');

# -- cancelled between two pages, not when all are written
SKIP:
{
	my ($known) = $node->psql('postgres', q{LOAD 'hashemb'; SHOW hashemb.inject});

	skip 'no injection points in this build', 3 if $known != 0;
	my $lock = $node->background_psql('postgres');
	my $log = -s $node->logfile;

	$lock->query_safe('SELECT pg_advisory_lock(26744)');
	my $build = start("LOAD 'hashemb'; SET hashemb.inject = 'build-page:wait\@20'; REINDEX INDEX few_idx");
	$node->wait_for_log(qr/waiting at "build-page"/, $log);
	is($node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index WHERE relid = 'few'::regclass}),
		't', 'between two pages: a build is cancelled');
	my $gone = $node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_progress_create_index});
	ok($gone, 'between two pages: it ends');
	$lock->query_safe('SELECT pg_advisory_unlock(26744)');
	$lock->quit;
	like(finish($build), qr/canceling statement/, 'between two pages: and says so');
}

# -- a worker ended by the administrator
like(interrupted($create_many, 'assigning rows', q{'end'}, 'true'), qr/^ERROR:  terminating .* due to administrator command/m,
	'a worker is ended, and so is the build');
nothing_left('a worker ended');

# -- concurrent builds, cancelled: they leave an invalid index, which can go
foreach my $phase ('training centroids', 'calibrating')
{
	like(interrupted($create_many =~ s/INDEX/INDEX CONCURRENTLY/r, $phase, q{'cancel'}), qr/canceling statement/, "concurrently, $phase: cancelled");
	nothing_left("concurrently, $phase");
	is($node->safe_psql('postgres', q{SELECT indisvalid FROM pg_index WHERE indexrelid = 'many_idx'::regclass}), 'f', 'an invalid index is left');
	$node->safe_psql('postgres', 'DROP INDEX CONCURRENTLY many_idx');
}

# -- while others write

# Do searches give the distances that sequential scans give? Not the TIDs: those
# of rows updated in place are not those in the index, so ties may differ.
sub same_distances
{
	my ($name) = @_;

	foreach my $condition ('true', 'a = 3', 'c IS NULL', 'id % 3 = 1')
	{
		my $query = "SELECT count(*), md5(string_agg(d::text, ',')) FROM (SELECT c <~> wide_code(1) AS d FROM few WHERE $condition ORDER BY c <~> wide_code(1)) s";
		my $found = $node->safe_psql('postgres', "SET hashemb.recall = 1; SET enable_seqscan = off; SET enable_sort = off; EXPLAIN $query; $query");

		like($found, qr/Custom Scan \(hashemb\) on few|Index Scan using few_idx/, "$name: by the index, $condition");
		is((split /\n/, $found)[-1], $node->safe_psql('postgres', "SET enable_indexscan = off; SET enable_bitmapscan = off; $query"),
			"$name: the distances of a sequential scan, $condition");
	}
}

my $work = $node->basedir . '/work.sql';
append_to_file($work, q{\set id random(1, 3000)
BEGIN;
INSERT INTO few SELECT i, CASE WHEN i % 40 > 0 THEN wide_code(i) END, i % 10 FROM generate_series(:id, :id + 3) i;
UPDATE few SET c = wide_code(id + 1), a = (a + 1) % 10 WHERE id = :id;
UPDATE few SET id = id WHERE id = (:id + 7) % 3000;
DELETE FROM few WHERE id = (:id + 13) % 3000;
COMMIT;
});
my $bench = IPC::Run::start(['pgbench', '-n', '--random-seed=45', '-c', 3, '-T', $seconds, '-f', $work, '-h', $node->host, '-p', $node->port, 'postgres'],
	'<', \'', '>', \my $out, '2>', \my $err);
my $end = time + $seconds;
my $rounds = 0;
my $missing = 0;
while (time < $end)
{
	$missing++ if workers('REINDEX INDEX CONCURRENTLY few_idx') eq '';
	$node->safe_psql('postgres', "$drop; VACUUM few") if $rounds % 2 == 0;
	$missing++ if $rounds % 2 == 0 && workers('CREATE INDEX CONCURRENTLY few_idx ON few USING hashemb (c, a)') eq '';
	$node->safe_psql('postgres', "SELECT hashemb_check('few_idx', true)");
	$rounds++;
}
$bench->finish;
is($err =~ s/^pgbench: setting random seed.*\n//r, '', 'writers meet no errors');
ok($rounds > 0 && $missing == 0, "$rounds rounds of concurrent builds, with workers");
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_index WHERE NOT indisvalid}), '0', 'all indexes are valid');
same_distances('built while others wrote');
$node->safe_psql('postgres', 'VACUUM few');
same_distances('built while others wrote, and vacuumed');
is($node->safe_psql('postgres', q{SELECT rows - (SELECT count(*) FROM few) FROM hashemb_index_info('few_idx')}), '0', 'no row too many');

# -- little memory: a table many times larger takes not much more of it. The
# session itself says what it had at most.
sub memory
{
	my ($table) = @_;

	return $node->safe_psql('postgres', "SET max_parallel_maintenance_workers = 0; SET maintenance_work_mem = '1MB'; SET client_min_messages = error;
		CREATE INDEX memory_idx ON $table USING hashemb (c, a); DROP INDEX memory_idx;
		SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\\s+(\\d+)')");
}
SKIP:
{
	skip 'needs /proc', 1 unless -r '/proc/self/status';
	$node->append_conf('postgresql.conf', 'shared_buffers = 1MB');
	$node->restart;
	$node->safe_psql('postgres', 'DELETE FROM few WHERE id > 1500; VACUUM FULL few');
	my ($small, $large) = (memory('few'), memory('many'));
	my $size = $node->safe_psql('postgres', q{SELECT pg_relation_size('many') / 1024});

	cmp_ok($large - $small, '<', 3 * 1024, "bounded memory: $small kB for a small table, $large kB for one of $size kB");
	$node->append_conf('postgresql.conf', 'shared_buffers = 64MB');
	$node->restart;
}

# -- killed: the leader or a worker, in each phase
foreach my $phase (@phases)
{
	my $worker = $phase =~ /loading|assigning/ ? 'true' : 'false';
	my $log = -s $node->logfile;

	several_times(sub {
		my $build = start($create_many);

		$node->psql('postgres', "SELECT interrupt('$phase', 'kill', $worker)");
		my $said = finish($build);
		wait_until_up($node);
		$node->safe_psql('postgres', 'DROP INDEX many_idx') if $said eq '';
		return $said ne '';
	});
	like(slurp_file($node->logfile, $log), qr/was terminated by signal 9/, "killed, $phase: the server restarts");
	nothing_left("killed, $phase");
	is($node->safe_psql('postgres', q{SELECT to_regclass('many_idx') IS NULL}), 't', "killed, $phase: no index");
}
is(workers($create_many), '2', 'and is built at last');
is($node->safe_psql('postgres', q{SELECT rows FROM hashemb_check('many_idx', true)}), $rows, 'with all rows');
$node->stop;
done_testing();
