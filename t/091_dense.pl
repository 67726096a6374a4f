# Dense vectors where it is hard: a standby, crashes, sessions that write while
# the index learns and others search, builds of every kind, vectors in TOAST.
# What a search finds at recall 1 is what a sequential scan finds.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{HASHEMB_SECONDS} || 15;
my $node = new_node('primary', allows_streaming => 1, conf => q{
	wal_consistency_checking = 'generic'
	max_standby_streaming_delay = -1
	hot_standby_feedback = on
	wal_receiver_status_interval = 1s
	restart_after_crash = on
	dynamic_shared_memory_type = mmap
	max_worker_processes = 8
	max_parallel_workers = 4
	min_parallel_table_scan_size = 0
	max_connections = 30
});
install_functions($node, 'dense');
note 'seed d1';
$node->safe_psql('postgres', q{
	CREATE FUNCTION fill(name text, first int, last int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE format('INSERT INTO %I SELECT i, CASE WHEN i %% 50 <> 7 THEN vec(i, 72) END, i %% 20 FROM generate_series(%s, %s) i', name, first, last);
	END $$;
	CREATE TABLE built (id int, v real[], a int);
	SELECT fill('built', 1, 3000);
	CREATE INDEX built_idx ON built USING hashemb (v real_cosine_ops, a) WITH (dims = 72, block_rows = 40);
	CREATE TABLE late (id int, v real[], a int);
	CREATE INDEX late_idx ON late USING hashemb (a, v real_l2_ops) WITH (dims = 72, block_rows = 40);
	SELECT fill('late', 1, 900)});

my %ops = (built => '<=>', late => '<->', toasted => '<#>');
my $conditions = q{'{true,a = 3,v IS NULL,id % 100 = 3}'};

# Distances from a few queries, as SQL
sub distances
{
	my ($table, $dims) = @_;

	return qq{ARRAY(SELECT format('v $ops{$table} %L::real[]', vec(1000000 + i, @{[$dims || 72]})) FROM generate_series(1, 3) i)};
}

# -- a standby
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;

# Compare both servers with sequential scans. Below recall 1 they agree as long as
# no row is dead: marks of dead rows are not logged.
sub check_both
{
	my ($name, $dead) = @_;
	my $query = join ';', 'SET hashemb.recall = 0.9; SET enable_seqscan = off',
		map { qq{SELECT md5(string_agg(id::text, ',')) FROM (SELECT id FROM $_ WHERE a < 15 ORDER BY v $ops{$_} (SELECT vec(1000005, 72)) LIMIT 300) s;
		SELECT md5(string_agg((to_jsonb(i) - 'dead')::text || b::text, ',' ORDER BY b::text)) FROM hashemb_index_info('${_}_idx') i, hashemb_block_info('${_}_idx') b} } 'built', 'late';

	$node->wait_for_catchup($standby);
	foreach my $table ('built', 'late')
	{
		same_rows($_->[0], "${table}_idx", $table, distances($table), $conditions, "$name: $table on the $_->[1]")
			foreach [ $node, 'primary' ], [ $standby, 'standby' ];
	}
	is($standby->safe_psql('postgres', $query), $node->safe_psql('postgres', $query), "$name: standby agrees with primary") unless $dead;
}

check_both('before it learns');
my $scan = $standby->background_psql('postgres');
$scan->query_safe(q{SET hashemb.recall = 1; SET enable_seqscan = off; SET enable_sort = off; BEGIN ISOLATION LEVEL REPEATABLE READ});
$scan->query_safe(q{DECLARE c CURSOR FOR SELECT id FROM late ORDER BY v <-> vec(5, 72)});
my $first = $scan->query_safe('FETCH 200 FROM c');

$node->safe_psql('postgres', q{SELECT fill('built', 3001, 4000), fill('late', 901, 2000)});
check_both('when it has learnt');
$node->safe_psql('postgres', $_) foreach ('DELETE FROM built WHERE id % 3 = 1', 'DELETE FROM late WHERE id % 37 < 25',
	'UPDATE built SET v = vec(id + 1, 72), a = a + 1 WHERE id % 7 = 2');
$node->safe_psql('postgres', 'VACUUM built, late');
check_both('vacuum');
my @rest = split /\n/, $scan->query_safe('FETCH ALL FROM c');
is(scalar(@rest) + scalar(split /\n/, $first), 900, 'a scan on the standby that began before finds what its snapshot holds');
$scan->query_safe('COMMIT');
$scan->quit;

# -- sessions at once
$node->safe_psql('postgres', q{
	DELETE FROM built WHERE id > 1000; DELETE FROM late WHERE id > 900;
	VACUUM built, late; TRUNCATE late; SELECT fill('late', 1, 900)});
my %scripts = (
	insert => q{\set id random(1001, 1000000)
INSERT INTO THIS SELECT i, CASE WHEN i % 40 > 0 THEN vec(i, 72) END, i % 10 FROM generate_series(:id, :id + 9) i;
},
	update => q{\set part random(0, 300)
UPDATE THIS SET v = vec(id + 1, 72), a = (a + 1) % 10 WHERE id > 1000 AND id % 301 = :part;
},
	delete => q{\set part random(0, 20)
DELETE FROM THIS WHERE id > 1000 AND id % 21 = :part;
},
	search => q{\set q random(1, 1000)
\set a random(0, 14)
\set k random(1, 400)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL hashemb.recall = 1;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
SELECT hashtext(string_agg(d::text, ',')) AS found FROM
	(SELECT v OP vec(:q, 72) AS d FROM THIS WHERE :a > 9 OR a = :a ORDER BY v OP vec(:q, 72) LIMIT :k) s \gset
SET LOCAL enable_seqscan = on;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_sort = on;
SELECT hashtext(string_agg(d::text, ',')) AS expected FROM
	(SELECT v OP vec(:q, 72) AS d FROM THIS WHERE :a > 9 OR a = :a ORDER BY v OP vec(:q, 72) LIMIT :k) s \gset
COMMIT;
SELECT 1 / (coalesce(:found, 0) = coalesce(:expected, 0))::int AS "search finds what a sequential scan finds";
},
	# below recall 1: as many rows as there are, in order
	some => q{\set q random(1, 1000)
\set a random(0, 9)
SET enable_seqscan = off;
SET hashemb.recall = 0.9;
SELECT 1 / (count(*) = 20 AND bool_and(ordered))::int FROM (SELECT d >= lag(d, 1, d) OVER () AS ordered FROM
	(SELECT v OP vec(:q, 72) AS d FROM THIS WHERE a = :a AND v IS NOT NULL ORDER BY v OP vec(:q, 72) LIMIT 20) s) t;
RESET enable_seqscan;
},
	vacuum => "VACUUM THIS;\n",
	reindex => "REINDEX INDEX CONCURRENTLY THIS_idx;\n",
	check => "SELECT hashemb_check('THIS_idx');\n",
	calibrate => "SELECT hashemb_calibrate('THIS_idx');\n");

# Start pgbench with scripts by weight
sub bench
{
	my ($table, $clients, %weights) = @_;
	my @command = ('pgbench', '-n', '--random-seed=42', '-c', $clients, '-T', $seconds, '-h', $node->host, '-p', $node->port);

	foreach my $script (sort keys %weights)
	{
		my $file = $node->basedir . "/$table-$script.sql";

		append_to_file($file, $scripts{$script} =~ s/THIS/$table/gr =~ s/ OP / $ops{$table} /gr) unless -e $file;
		push @command, '-f', "$file\@$weights{$script}";
	}
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start([ @command, 'postgres' ], '<', \'', '>', \$out, '2>', \$err);
	return { run => $run, out => \$out, err => \$err, name => "$table: " . join(', ', sort keys %weights) };
}

# Wait for the end of all, none of which may have failed
sub finish
{
	foreach my $bench (@_)
	{
		$bench->{run}->finish;
		is(${ $bench->{err} } =~ s/^pgbench: setting random seed.*\n//r, '', "$bench->{name}: no errors");
		note ${ $bench->{out} };
	}
}

finish(bench('built', 2, insert => 5, update => 3, delete => 1, search => 4, some => 2),
	bench('late', 2, insert => 5, update => 3, delete => 1, search => 4),
	bench('built', 1, vacuum => 9, reindex => 1, calibrate => 1, check => 3), bench('late', 1, vacuum => 1, check => 1));
$node->safe_psql('postgres', 'VACUUM built, late');
check_both('afterwards', 1);
foreach my $table ('built', 'late')
{
	is($node->safe_psql('postgres', "SELECT rows >= (SELECT count(*) FROM $table), orphan_pages FROM hashemb_check('${table}_idx', true)"), 't|0', "$table: sound and complete");
}

# -- a crash while they write, again and again
foreach my $round (1 .. 3)
{
	$node->safe_psql('postgres', 'TRUNCATE late');
	my @benches = (bench('built', 2, insert => 3, update => 3, delete => 1), bench('late', 2, insert => 1), bench('built', 1, vacuum => 1));

	$node->poll_query_until('postgres', q{SELECT count(*) > 1000 FROM late}) or die 'no rows came';
	$node->stop('immediate');
	$_->{run}->finish foreach @benches;
	$node->start;
	foreach my $table ('built', 'late')
	{
		is($node->safe_psql('postgres', "SELECT rows >= (SELECT count(*) FROM $table) FROM hashemb_check('${table}_idx', true)"), 't', "crash $round: $table is sound and complete");
	}
	check_both("crash $round", 1);
}
$standby->stop;

# -- builds: workers, little memory, while others write
$node->safe_psql('postgres', q{TRUNCATE built; SELECT fill('built', 1, 12000); VACUUM ANALYZE built});
foreach my $workers (0 .. 3)
{
	my ($code, $out, $err) = $node->psql('postgres', "SET max_parallel_maintenance_workers = $workers; SET maintenance_work_mem = '256MB';
		SET client_min_messages = debug1; REINDEX INDEX built_idx");
	my ($got) = $err =~ /building index "\w+" with (\d+) workers/;

	is($got || 0, $workers, "$workers workers build");
	is($node->safe_psql('postgres', q{SELECT rows FROM hashemb_check('built_idx', true)}), '12000', "$workers workers: sound and complete");
	same_rows($node, 'built_idx', 'built', distances('built'), $conditions, "$workers workers");
}
$node->safe_psql('postgres', q{SET maintenance_work_mem = '1MB'; SET client_min_messages = error; REINDEX INDEX built_idx});
is($node->safe_psql('postgres', q{SELECT rows FROM hashemb_check('built_idx', true)}), '12000', 'little memory: sound and complete');
same_rows($node, 'built_idx', 'built', distances('built'), $conditions, 'little memory');
{
	my @benches = (bench('built', 2, insert => 3, update => 3, delete => 1), bench('built', 1, vacuum => 1));

	foreach my $workers (0, 2)
	{
		$node->safe_psql('postgres', $_) foreach ('DROP INDEX built_idx', "ALTER SYSTEM SET max_parallel_maintenance_workers = $workers", 'SELECT pg_reload_conf()',
			'CREATE INDEX CONCURRENTLY built_idx ON built USING hashemb (v real_cosine_ops, a) WITH (dims = 72, block_rows = 40)');
		is($node->safe_psql('postgres', q{SELECT indisvalid FROM pg_index WHERE indexrelid = 'built_idx'::regclass}), 't', "concurrently, $workers workers");
	}
	finish(@benches);
}
is($node->safe_psql('postgres', q{SELECT rows >= (SELECT count(*) FROM built) FROM hashemb_check('built_idx', true)}), 't', 'built concurrently: complete');
same_rows($node, 'built_idx', 'built', distances('built'), $conditions, 'built concurrently');

# -- vectors in TOAST; those of rows that an aborted transaction has left may be
# gone when the index learns
$node->safe_psql('postgres', q{
	CREATE TABLE toasted (id int, v real[], a int);
	ALTER TABLE toasted ALTER v SET STORAGE external;
	CREATE INDEX toasted_idx ON toasted USING hashemb (v real_ip_ops, a) WITH (dims = 1536, code_bytes = 8);
	INSERT INTO toasted SELECT i, vec(i, 1536), i % 20 FROM generate_series(1, 600) i;
	BEGIN;
	INSERT INTO toasted SELECT i, vec(i, 1536), i % 20 FROM generate_series(601, 950) i;
	ROLLBACK;
	INSERT INTO toasted SELECT i, NULL, i % 20 FROM generate_series(951, 970) i});
my $toast = $node->safe_psql('postgres', q{SELECT reltoastrelid::regclass FROM pg_class WHERE relname = 'toasted'});
$node->safe_psql('postgres', "VACUUM $toast");
is($node->safe_psql('postgres', q{SELECT rows FROM hashemb_index_info('toasted_idx')}), '970', 'rows of an aborted transaction are in the index');
my ($code, $out, $err) = $node->psql('postgres', q{INSERT INTO toasted SELECT i, vec(i, 1536), i % 20 FROM generate_series(1001, 1250) i});
is($err, '', 'rows whose vectors are gone keep nobody from inserting');
$node->safe_psql('postgres', q{INSERT INTO toasted SELECT i, vec(i, 1536), i % 20 FROM generate_series(1251, 1700) i; DELETE FROM toasted WHERE id % 7 = 1; VACUUM toasted});
same_rows($node, 'toasted_idx', 'toasted', distances('toasted', 1536), $conditions, 'vectors in TOAST, learnt late');
$node->safe_psql('postgres', q{SET client_min_messages = error; SET maintenance_work_mem = '1MB'; REINDEX INDEX toasted_idx});
same_rows($node, 'toasted_idx', 'toasted', distances('toasted', 1536), $conditions, 'vectors in TOAST, built with little memory');
is($node->safe_psql('postgres', q{SELECT rows = (SELECT count(*) FROM toasted) FROM hashemb_check('toasted_idx', true)}), 't', 'vectors in TOAST: complete');
$node->stop;
done_testing();
