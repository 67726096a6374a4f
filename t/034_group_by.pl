# Indexes of blocks formed within groups: parallel builds, dump and restore, a
# standby page for page, crashes while new values come, and directory pages that
# are divided.
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
	max_parallel_maintenance_workers = 2
	min_parallel_table_scan_size = 0
});
install_functions($node);
note 'seed g6';
# Tenants of very different sizes: row i belongs to one of 200, or to none
$node->safe_psql('postgres', q{
	CREATE TABLE chat (id int, c bincode(256), tenant int, a int);
	CREATE FUNCTION tenant_of(i int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
		SELECT CASE WHEN i % 97 <> 5 THEN 200 / (1 + abs(hashint4(i) % 200)) * 10 END $$;
	CREATE FUNCTION chats(first int, last int) RETURNS void LANGUAGE sql AS $$
		INSERT INTO chat SELECT i, CASE WHEN i % 50 <> 7 THEN code(i, 37, 'g6')::bincode END, tenant_of(i), i % 20
		FROM generate_series(first, last) i $$;
	SELECT chats(1, 20000);
	ALTER TABLE chat SET (parallel_workers = 2);
});
my $distances = q{ARRAY(SELECT format('c <~> %L', code(i, 37, 'g6')) FROM generate_series(1, 2) i)};
my $conditions = q{'{true,tenant = 2000,tenant = 20,tenant IN (10\\,330),tenant IS NULL,tenant < 40 AND a = 3,c IS NULL}'};

# Sound, complete, grouped, and right
sub grouped
{
	my ($server, $name) = @_;

	is($server->safe_psql('postgres', q{SELECT heap_rows - (SELECT count(*) FROM chat), group_column
		FROM hashemb_check('chat_idx', true) c, hashemb_index_info('chat_idx') i}), '0|tenant', "$name: sound and complete")
	  if $server == $node;
	same_rows($server, 'chat_idx', 'chat', $distances, $conditions, $name);
}

# -- built with workers and without
my $create = q{CREATE INDEX chat_idx ON chat USING hashemb (c, tenant, a) WITH (group_by = 'tenant')};
my ($code, $out, $err) = $node->psql('postgres', "SET client_min_messages = debug1; $create");
like($err, qr/building index "chat_idx" with 2 workers/, 'built with workers');
grouped($node, 'built with workers');
$node->safe_psql('postgres', "DROP INDEX chat_idx; SET max_parallel_maintenance_workers = 0; $create");
grouped($node, 'built without workers');

# -- dumped and restored, also when another column has the name that was given
my $renamed = "$PostgreSQL::Test::Utils::tmp_check/renamed.sql";
$node->safe_psql('postgres', q{CREATE TABLE renamed (c bincode(256), tenant int, kind int);
	CREATE INDEX renamed_idx ON renamed USING hashemb (c, tenant, kind) WITH (group_by = 'tenant')});
$node->safe_psql('postgres', q{ALTER TABLE renamed RENAME tenant TO customer});
$node->safe_psql('postgres', q{ALTER TABLE renamed RENAME kind TO tenant});
$node->command_ok([ 'pg_dump', '-t', 'renamed', '-f', $renamed, 'postgres' ], 'dump of renamed columns');
$node->safe_psql('postgres', 'DROP TABLE renamed');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $renamed, 'postgres' ], 'restore of renamed columns');
is($node->safe_psql('postgres', q{SELECT group_column FROM hashemb_index_info('renamed_idx')}), 'customer', 'the option follows its column');
my $file = "$PostgreSQL::Test::Utils::tmp_check/groups.sql";
$node->command_ok([ 'pg_dump', '-t', 'chat', '-f', $file, 'postgres' ], 'dump');
like(slurp_file($file), qr/WITH \(group_by='2'\)/, 'which numbers the group');
$node->safe_psql('postgres', 'ALTER TABLE chat RENAME TO source; ALTER INDEX chat_idx RENAME TO source_idx');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, 'postgres' ], 'restore');
grouped($node, 'restored');
$node->safe_psql('postgres', 'DROP TABLE source');

# -- a standby, page for page; blocks so short that directory pages are divided
$node->safe_psql('postgres', 'DROP INDEX chat_idx; DELETE FROM chat WHERE id > 2000;
	CREATE INDEX chat_idx ON chat USING hashemb (c, tenant, a) WITH (group_by = tenant, block_rows = 4)');
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
my $before = $node->safe_psql('postgres', q{SELECT directory_pages FROM hashemb_check('chat_idx')});
$node->safe_psql('postgres', q{SELECT chats(20001, 32000); DELETE FROM chat WHERE id % 3 = 1; VACUUM chat; SELECT chats(32001, 36000)});
$node->wait_for_catchup($standby);
grouped($node, 'grown');
grouped($standby, 'grown, on the standby');
my ($pages, $zones) = split /\|/, $node->safe_psql('postgres', q{SELECT directory_pages, zone_pages FROM hashemb_check('chat_idx')});
cmp_ok($pages, '>', 4 * $before, 'directory pages were divided');

# A directory page has a range of values: a search for one tenant passes over the
# zone pages of most
my $plan = $node->safe_psql('postgres', q{SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET hashemb.recall = 1;
	EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT id FROM chat WHERE tenant = 330 ORDER BY c <~> code(5, 37, 'g6')::bincode LIMIT 3});
my ($hit, $read) = $plan =~ /"Shared Hit Blocks": (\d+),\s+"Shared Read Blocks": (\d+)/;
my $buffers = $hit + $read;
note "$buffers buffers, $pages directory pages, $zones zone pages";
cmp_ok($buffers, '<', $pages + $zones / 2, 'a search for one tenant leaves most zone pages alone');

# -- crashes while rows of new tenants come
foreach my $round (1 .. 3)
{
	my $writer = $node->background_psql('postgres', on_error_stop => 0);
	my $first = 100_000 * $round;

	$node->safe_psql('postgres', 'SELECT pg_switch_wal()');
	$writer->query_until(qr/begun/, "\\echo begun\n"
		. join('', map { "INSERT INTO chat SELECT i, code(i, 37, 'g6')::bincode, 5 + 10 * (i % 300), 1 FROM generate_series($first + $_ * 100, $first + $_ * 100 + 99) i;\n" } 1 .. 400));
	$node->poll_query_until('postgres', 'SELECT count(*) > 1000 * ' . $round . " FROM chat WHERE id > $first");
	$node->stop('immediate');
	$writer->{run}->kill_kill;
	$node->start;
	grouped($node, "after crash $round");
	# only a vacuum that has dead rows to remove looks for lost pages
	$node->safe_psql('postgres', 'DELETE FROM chat WHERE id % 50 = 0');
	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) chat');
	is($node->safe_psql('postgres', q{SELECT orphan_pages FROM hashemb_check('chat_idx', true)}), '0', "after crash $round and a vacuum: no page is lost");
}
$node->wait_for_catchup($standby);
grouped($standby, 'after crashes, on the standby');
$standby->stop;
$node->stop;
done_testing();
