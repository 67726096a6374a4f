# Points in time, and replicas by rows: a server restored to a place within a
# split, a merge, a build has a sound index of what was committed there; logical
# replication carries every type, in binary and as text, to a subscriber with
# indexes of its own.
#
# HASHEMB_POINTS=n: to so many points, drawn by HASHEMB_SEED. Seen to fail: with
# a row that was put into the restored table while its index was not written.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $points = $ENV{HASHEMB_POINTS} || 2;
my $seed = $ENV{HASHEMB_SEED} || int(rand(1_000_000));
srand($seed);
note "seed $seed";

# ---- points in time ----

my $node = PostgreSQL::Test::Cluster->new('origin');
$node->init(has_archiving => 1, allows_streaming => 'logical', extra => ['--wal-segsize=1']);
$node->append_conf('postgresql.conf', "jit = off\nautovacuum = off\nfsync = off\nfull_page_writes = off\nshared_buffers = 16MB");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION hashemb');
install_functions($node);
$node->safe_psql('postgres', q{
	CREATE SEQUENCE ids;
	CREATE TABLE t (id int, c bincode(256), a int);
	CREATE FUNCTION more(n int) RETURNS void LANGUAGE sql AS $$
		INSERT INTO t SELECT i, code(i, 37, 'w1')::bincode, i % 20 FROM (SELECT nextval('ids')::int AS i FROM generate_series(1, n)) s $$;
	CREATE INDEX t_idx ON t USING hashemb (c, a) WITH (block_rows = 30);
	SELECT more(600);});
$node->backup('base');
my $from = $node->safe_psql('postgres', 'SELECT pg_current_wal_lsn()');
$node->safe_psql('postgres', 'SELECT more(100)') for 1 .. 12;
$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 3 = 0; VACUUM t; SELECT more(200)');
my $to = $node->safe_psql('postgres', 'SELECT pg_current_wal_lsn()');
$node->safe_psql('postgres', 'SELECT pg_switch_wal(); SELECT more(1); SELECT pg_switch_wal()');
$node->poll_query_until('postgres', 'SELECT archived_count > 0 AND pg_walfile_name(' . "'$to'" . '::pg_lsn) <= last_archived_wal FROM pg_stat_archiver') or die 'nothing is archived';

# Places between the records that the access method wrote: two that follow each
# other in one transaction are within a change of several steps, or a statement
my ($wal, $err) = run_command([ 'pg_waldump', '-p', $node->data_dir . '/pg_wal', '-s', $from, '-e', $to, '-r', 'Generic' ]);
my @lsns = $wal =~ /lsn: ([0-9A-F]+\/[0-9A-F]+)/g;
cmp_ok(scalar @lsns, '>', 200, scalar(@lsns) . ' records of the access method') or diag($err);
my @pages = $wal =~ /lsn: ([0-9A-F]+\/[0-9A-F]+)[^\n]*blkref #2/g; # of several pages, as a split's are
note scalar(@pages), ' of three pages or more';
foreach my $point (1 .. $points)
{
	my @among = $point % 2 && @pages ? @pages : @lsns;
	my $lsn = $among[ rand @among ];
	my $restored = PostgreSQL::Test::Cluster->new("restored$point");

	$restored->init_from_backup($node, 'base', has_restoring => 1, standby => 0);
	$restored->append_conf('postgresql.conf', "recovery_target_lsn = '$lsn'\nrecovery_target_action = promote\nrecovery_target_inclusive = " . (rand() < .5 ? 'on' : 'off') . "\narchive_mode = off");
	$restored->start;
	$restored->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'no end of recovery';
	my $rows = $restored->safe_psql('postgres', 'SELECT count(*) FROM t');
	is($restored->safe_psql('postgres', q{SELECT heap_rows = (SELECT count(*) FROM t) FROM hashemb_check('t_idx', true)}), 't', "at $lsn: sound, and has all $rows rows");
	same_rows($restored, 't_idx', 't', q{ARRAY(SELECT format('c <~> %L', code(i, 37, 'w1')) FROM generate_series(1, 2) i)}, q{'{true,a = 3,id % 50 = 3}'}, "at $lsn: right");
	# it goes on from there: what was begun is finished, or left to a vacuum
	$restored->safe_psql('postgres', 'SELECT more(800); DELETE FROM t WHERE id % 5 = 1; VACUUM t');
	is($restored->safe_psql('postgres', q{SELECT heap_rows = (SELECT count(*) FROM t) FROM hashemb_check('t_idx', true)}), 't', "from $lsn: it goes on");
	$restored->stop;
}

# ---- logical replication of all types ----

$node->safe_psql('postgres', q{
	CREATE TABLE kinds (id int PRIMARY KEY, one bincode(12), three bincode(5, 3), sparse svec(40), ball hamming_ball, encoder hashemb_model, dense real[], a int);
	CREATE FUNCTION fill(first int, last int) RETURNS void LANGUAGE sql AS $$
		INSERT INTO kinds SELECT i, (i * 77)::bit(12)::bincode, ((SELECT string_agg((i * j % 8)::text, '') FROM generate_series(1, 5) j) || '/3')::bincode, svec(ARRAY[1 + i % 40], ARRAY[1.5], 40), hamming_ball((i * 77)::bit(12)::bincode, i % 5),
			CASE WHEN i % 100 = 0 THEN (SELECT hashemb_train('{"method": "random", "bits": 4}', ARRAY[j, i, 1]::real[]) FROM generate_series(1, 9) j) END, ARRAY[sin(i), cos(i), i % 7]::real[], i % 5 FROM generate_series(first, last) i $$;});
# every base type of the extension that a column may have is there
is($node->safe_psql('postgres', q{SELECT string_agg(typname, ' ') FROM pg_type t JOIN pg_depend d ON d.objid = t.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid AND extname = 'hashemb'
	WHERE d.classid = 'pg_type'::regclass AND typtype = 'b' AND typcategory <> 'A' AND typname <> 'distance_bound' AND typsend <> 0 AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'kinds'::regclass AND atttypid = t.oid)}), '', 'all types are in the table');
$node->safe_psql('postgres', 'SELECT fill(1, 600); CREATE PUBLICATION all_types FOR TABLE kinds');
foreach my $binary ('false', 'true')
{
	my $subscriber = PostgreSQL::Test::Cluster->new("subscriber_$binary");

	$subscriber->init(allows_streaming => 'logical');
	$subscriber->append_conf('postgresql.conf', "jit = off\nfsync = off");
	$subscriber->start;
	$subscriber->safe_psql('postgres', q{
		CREATE EXTENSION hashemb;
		CREATE TABLE kinds (id int PRIMARY KEY, one bincode(12), three bincode(5, 3), sparse svec(40), ball hamming_ball, encoder hashemb_model, dense real[], a int);
		CREATE INDEX k_one ON kinds USING hashemb (one, a); CREATE INDEX k_three ON kinds USING hashemb (three bincode_ip_ops, a);
		CREATE INDEX k_sparse ON kinds USING hashemb (sparse, a); CREATE INDEX k_dense ON kinds USING hashemb (dense real_l2_ops, a) WITH (dims = 3)});
	install_functions($subscriber);
	my $connection = $node->connstr('postgres') =~ s{'}{''}gr;
	$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION s_$binary CONNECTION '$connection' PUBLICATION all_types WITH (binary = $binary)");
	$subscriber->wait_for_subscription_sync($node, "s_$binary") if $subscriber->can('wait_for_subscription_sync');
	$subscriber->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate NOT IN ('r', 's')}) or die;
	my $last = $binary eq 'true' ? 1200 : 900;
	$node->safe_psql('postgres', "SELECT fill($last - 299, $last); UPDATE kinds SET a = a + 1 WHERE id % 3 = 0; DELETE FROM kinds WHERE id % 10 = $last / 300");
	$node->wait_for_catchup("s_$binary");
	my $all = 'SELECT count(*), md5(string_agg(kinds::text, chr(10) ORDER BY id)) FROM kinds';
	is($subscriber->safe_psql('postgres', $all), $node->safe_psql('postgres', $all), "binary $binary: every type arrives");
	is($subscriber->safe_psql('postgres', q{SELECT sum(heap_rows) = 4 * (SELECT count(*) FROM kinds) FROM unnest('{k_one,k_three,k_sparse,k_dense}'::regclass[]) i, hashemb_check(i, true)}), 't', "binary $binary: indexes of its own");
	my %by = (k_one => q{one <~> '010101010101'}, k_three => q{three <#> '01234/3'}, k_sparse => q{sparse <#> '{1:1,5:2,9:1}/40'}, k_dense => q{dense <-> '{1,0,3}'::real[]});
	same_rows($subscriber, $_, 'kinds', "ARRAY[\$q\$$by{$_}\$q\$]", q{'{true,a = 3}'}, "binary $binary: searches by $_") foreach sort keys %by;
	$subscriber->safe_psql('postgres', "DROP SUBSCRIPTION s_$binary");
	$subscriber->stop;
}

$node->stop;
done_testing();
