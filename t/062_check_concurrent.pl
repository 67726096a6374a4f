# hashemb_check() while others write: a sound index is never called corrupted,
# neither where rows are written, deleted and vacuumed at the same time, nor on
# a standby that replays it.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{HASHEMB_SECONDS} || 12;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', q{
	autovacuum = off
	max_standby_streaming_delay = -1
	wal_keep_size = 2GB});
$primary->start;
$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;

# One index of many blocks; one of a single long block, as it was filled after
# it was made; one whose zone maps and weights change all the time
$primary->safe_psql('postgres', q{
	CREATE EXTENSION hashemb;
	CREATE TABLE t (id serial, code bincode(64), a integer, s text);
	CREATE INDEX one_block ON t USING hashemb (code, a);
	INSERT INTO t (code, a, s)
	SELECT CASE WHEN i % 20 > 0
			THEN (hashint8(i)::bit(32) || hashint8(-i)::bit(32))::bincode(64)
		END, i % 100, 's' || i % 10
	FROM generate_series(1, 4000) i;
	CREATE INDEX many_blocks ON t USING hashemb (code, s);
	CREATE INDEX growing ON t USING hashemb
		(a, s, code bincode_jaccard_ops) WITH (block_rows = 50)});

my %scripts = (
	insert => q{
		\set i random(1, 1000000000)
		INSERT INTO t (code, a, s)
		SELECT (hashint8(i)::bit(32) || hashint8(-i)::bit(32))::bincode(64),
			i, 's' || i FROM generate_series(:i, :i + 4) i;
		INSERT INTO t (a) VALUES (:i);},
	update => q{
		\set i random(1, 20)
		UPDATE t SET code = ~ code, a = a + 1 WHERE id % 2000 = :i;},
	delete => q{
		\set i random(0, 60)
		DELETE FROM t WHERE id % 61 = :i;},
	vacuum => 'VACUUM t;',
	check => q{
		SELECT hashemb_check('one_block');
		SELECT hashemb_check('many_blocks');
		SELECT hashemb_check('growing');});
my %weights =
  (insert => 60, update => 10, delete => 2, vacuum => 2, check => 12);
my @files;
foreach my $name (sort keys %scripts)
{
	my $file = $primary->basedir . "/$name.sql";

	append_to_file($file, $scripts{$name});
	push @files, '-f', "$file\@$weights{$name}";
}

my ($out, $err) = ('', '');
my $load = IPC::Run::start(
	[
		'pgbench', '-n', '-h', $primary->host, '-p', $primary->port,
		'-c', 5, '-j', 2, '-T', $seconds, @files, 'postgres' ],
	'>', \$out, '2>', \$err);
my ($checked, @failed) = (0);
while ($load->pump_nb, $load->pumpable)
{
	my ($code, $result, $message) = $standby->psql('postgres', q{
		SELECT count(*) FROM pg_class,
			LATERAL (SELECT * FROM hashemb_check(oid) OFFSET 0) c
		WHERE relname IN ('one_block', 'many_blocks', 'growing')});

	# Until the tables are there the function may not be
	next if $message =~ /does not exist/;
	$code == 0 ? $checked++ : push @failed, $message;
}
$load->finish;

unlike($err, qr/ERROR|aborted/, 'checks and writes at the same time')
  or diag($err);
like($out, qr/number of transactions actually processed: [1-9]/,
	'something was done');
is("@failed", '', 'checks on the standby meanwhile');
cmp_ok($checked, '>', 0, 'there were some');
note($out =~ /(number of transactions actually processed: \d+)/,
	", $checked rounds of checks on the standby");

$primary->wait_for_catchup($standby);
my $query = q{
	SELECT relname, pages, blocks, rows, null_rows, rows_pages, free_pages,
		orphan_pages
	FROM pg_class, hashemb_check(oid)
	WHERE relname IN ('one_block', 'many_blocks', 'growing') ORDER BY 1};
is($standby->safe_psql('postgres', $query),
	$primary->safe_psql('postgres', $query),
	'the standby counts what the primary does');
is( $primary->safe_psql('postgres', q{
	SELECT bool_and(c.heap_rows = n AND c.orphan_pages = 0)
	FROM pg_class, hashemb_check(oid, true) c, (SELECT count(*) AS n FROM t) t
	WHERE relname IN ('one_block', 'many_blocks', 'growing')}),
	't',
	'every row has its entry');

# What a standby cannot do
my ($code, $stdout, $stderr) = $standby->psql('postgres',
	"SELECT hashemb_check('growing', true)");
like($stderr, qr/cannot acquire lock mode ShareLock .* while recovery/,
	'no full check on a standby');
$primary->safe_psql('postgres', q{
	CREATE UNLOGGED TABLE u (code bincode(8));
	CREATE INDEX of_u ON u USING hashemb (code)});
$primary->wait_for_catchup($standby);
($code, $stdout, $stderr) =
  $standby->psql('postgres', "SELECT hashemb_check('of_u')");
like($stderr, qr/cannot read temporary or unlogged index "of_u" during rec/,
	'unlogged indexes are empty there');

$standby->stop;
$primary->stop;
done_testing();
