# A standby under a mixed load: it answers searches while it replays, is promoted
# in the middle, and has what its primary had; the load goes on there; the old
# primary, which went on by itself, comes back by pg_rewind. hot_standby_feedback
# is off, so a search on the standby may be cancelled, but not wrong.
#
# HASHEMB_SECONDS=n is how long the load runs ("make endure": half an hour).
# Seen to fail: with another condition in the scan that searches are compared
# with; with the standby compared with what its primary had before a change.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{HASHEMB_SECONDS} || 8;
my $primary = new_node('primary', allows_streaming => 1, conf => "wal_log_hints = on\nfsync = off\nhot_standby_feedback = off\nmax_standby_streaming_delay = 2s\nmax_wal_size = 4GB");

install_functions($primary);
$primary->safe_psql('postgres', q{
	CREATE SEQUENCE ids;
	CREATE TABLE t (id int PRIMARY KEY, c bincode(256), v svec(400), f real[], a int);
	CREATE FUNCTION vec(i int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$SELECT array_agg((sin(i % 40 * j) + sin(i * j) / 4)::real) FROM generate_series(1, 24) j$$;
	CREATE FUNCTION doc(i int) RETURNS svec LANGUAGE sql IMMUTABLE AS $$SELECT svec_agg(1 + j * 20 + abs(hashint4(i * 50 + j)) % 20, 1 + (i + j) % 5, 400) FROM generate_series(0, 15) j$$;
	CREATE FUNCTION more(n int) RETURNS void LANGUAGE sql AS $$
		INSERT INTO t SELECT i, code(i, 37, 's1')::bincode, doc(i), vec(i), i % 20 FROM (SELECT nextval('ids')::int AS i FROM generate_series(1, n)) s $$;
	CREATE INDEX t_c ON t USING hashemb (c, a) WITH (block_rows = 40);
	CREATE INDEX t_v ON t USING hashemb (v, a);
	CREATE INDEX t_f ON t USING hashemb (f real_l2_ops, a) WITH (dims = 24, block_rows = 40);
	SELECT more(1500);});
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

my %by = (t_c => q{c <~> code(7, 37, 's1')::bincode}, t_v => q{v <#> doc(7)}, t_f => 'f <-> vec(7)');
my $contents = q{SELECT count(*), md5(string_agg(t::text, ',' ORDER BY id)) FROM t};

# Scripts of pgbench: what changes rows, and what searches, where each search is
# compared with a scan within one snapshot
my $changes = $primary->basedir . '/changes.sql';
append_to_file($changes, q{
\set id random(1, 4000)
\set what random(1, 100)
\if :what <= 60
SELECT more(2);
\elif :what <= 80
UPDATE t SET a = (a + 1) % 20 WHERE id = :id;
\elif :what <= 99
DELETE FROM t WHERE id BETWEEN :id AND :id + 3;
\else
VACUUM t;
\endif
});
my $searches = $primary->basedir . '/searches.sql';
append_to_file($searches, join("\n", "\\set a random(0, 19)", map {
	my $query = "SELECT md5(string_agg(round(d::numeric, 5)::text, ',')) AS %s FROM (SELECT $by{$_} AS d FROM t WHERE a <> :a ORDER BY d LIMIT 10) x";

	('BEGIN ISOLATION LEVEL REPEATABLE READ;', 'SET LOCAL hashemb.recall = 1;', 'SET LOCAL enable_seqscan = off;', sprintf($query, 'found') . ' \gset',
	'SET LOCAL enable_seqscan = on;', 'SET LOCAL enable_indexscan = off;', 'SET LOCAL hashemb.enable_scan = off;', sprintf($query, 'truth') . ' \gset', 'COMMIT;',
	q{SELECT 1 / (':found' = ':truth')::int;})
} sort keys %by) . "\n");

# Run pgbench; its output
my @running;
sub load
{
	my ($node, $script, $clients, $for) = @_;
	my $run = { out => '' };

	$run->{run} = IPC::Run::start([ 'pgbench', '-n', '-c', $clients, '-j', '1', '-T', $for, '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ], '>&', \$run->{out});
	return $run;
}

# Is a server's index of each kind sound, complete and right?
sub whole
{
	my ($node, $what) = @_;

	foreach my $index (sort keys %by)
	{
		is($node->safe_psql('postgres', "SELECT heap_rows = (SELECT count(*) FROM t) FROM hashemb_check('$index', true)"), 't', "$index, $what: sound and complete");
		same_rows($node, $index, 't', "ARRAY[\$q\$$by{$index}\$q\$]", q{'{true,a = 3,id % 50 = 3}'}, "$index, $what: right");
	}
}

my $half = int($seconds / 2) || 1;
my $writing = load($primary, $changes, 2, $half);
my $reading = load($standby, $searches, 1, $half);
$_->{run}->finish foreach $writing, $reading;
unlike($writing->{out}, qr/ERROR/, 'rows are changed on the primary') or diag(substr($writing->{out}, -600));
unlike($reading->{out}, qr/ERROR:  (?!canceling statement due to conflict)/, 'searches on the standby are right, or cancelled') or diag(substr($reading->{out}, -600));
my ($transactions) = $reading->{out} =~ /transactions actually processed: (\d+)/;
cmp_ok($transactions, '>', 0, "searches on the standby, $transactions rounds");

# -- promoted in the middle: what the primary had is there
$primary->wait_for_catchup($standby);
my $had = $primary->safe_psql('postgres', $contents);
$standby->promote;
is($standby->safe_psql('postgres', $contents), $had, 'the promoted standby has what its primary had');
whole($standby, 'promoted');

# -- both go on by themselves, the standby as the primary
$primary->safe_psql('postgres', 'SELECT more(700); DELETE FROM t WHERE id % 9 = 1; VACUUM t');
$writing = load($standby, $changes, 2, $half);
$reading = load($standby, $searches, 1, $half);
$_->{run}->finish foreach $writing, $reading;
unlike("$writing->{out}$reading->{out}", qr/ERROR/, 'the load goes on there') or diag(substr("$writing->{out}$reading->{out}", -600));
whole($standby, 'the new primary');

# -- the old primary follows the new one
$standby->safe_psql('postgres', 'CHECKPOINT');
$primary->stop;
my $kept = $primary->data_dir . '/postgresql.conf';
my $conf = slurp_file($kept);
command_ok([ 'pg_rewind', '-D', $primary->data_dir, '--source-server', $standby->connstr('postgres'), '--no-sync' ], 'pg_rewind');
unlink $kept;
append_to_file($kept, $conf);
$primary->enable_streaming($standby);
$primary->set_standby_mode if !-e $primary->data_dir . '/standby.signal';
$primary->start;
$standby->safe_psql('postgres', 'SELECT more(300)');
$standby->wait_for_catchup($primary);
is($primary->safe_psql('postgres', $contents), $standby->safe_psql('postgres', $contents), 'rewound, the old primary has what the new one has');
foreach my $index (sort keys %by)
{
	is($primary->safe_psql('postgres', "SELECT rows >= (SELECT count(*) FROM t) FROM hashemb_check('$index')"), 't', "$index, rewound: sound");
	same_rows($primary, $index, 't', "ARRAY[\$q\$$by{$index}\$q\$]", q{'{true,a = 3}'}, "$index, rewound: right");
}

unlike(slurp_file($_->logfile), qr/terminated by signal|PANIC|TRAP:/, 'no process crashed') foreach $primary, $standby;
$standby->stop;
$primary->stop;
done_testing();
