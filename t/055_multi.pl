# Indexes of lists of tokens: a standby answers as its primary does, page for page
# (wal_consistency_checking), and after a crash nothing is lost.
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
	restart_after_crash = on
});
note 'seed m2';
$node->safe_psql('postgres', q{
	CREATE FUNCTION list(i int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
		SELECT array_agg(token) FROM (SELECT array_agg((hashint8((i * 31 + t * 17) % 40 * 1000 + c) % 1000 / 1000.0
				+ hashint8((i * 31 + t) * 7919::bigint + c) % 1000 / 4000.0)::real ORDER BY c) AS token
			FROM generate_series(1, 1 + abs(hashint4(i)) % 7) AS t, generate_series(1, 12) AS c GROUP BY t) AS s $$;
	CREATE FUNCTION fill(name text, first int, last int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE format('INSERT INTO %I SELECT i, CASE WHEN i %% 50 = 7 THEN NULL WHEN i %% 40 = 3 THEN ''{}'' ELSE list(i) END,
			i %% 20 FROM generate_series(%s, %s) i', name, first, last);
	END $$;
	-- what an exact search finds differently from a sequential scan; there are rows, though
	-- deletes may leave none that a condition asks for
	CREATE FUNCTION different(name text) RETURNS int LANGUAGE plpgsql SET hashemb.recall = 1 AS $$
	DECLARE
		condition text;
		found text[];
		expected text[];
		count int := 0;
	BEGIN
		FOREACH condition IN ARRAY '{true,a = 3,tokens IS NULL,id % 11 = 5}'::text[] LOOP
			FOR q IN 1..2 LOOP
				PERFORM set_config('enable_seqscan', 'off', true);
				EXECUTE format('SELECT array(SELECT (tokens @# %2$L)::text FROM %1$I WHERE %3$s ORDER BY tokens @# %2$L LIMIT 200)', name, list(90000 + q), condition) INTO found;
				PERFORM set_config('enable_seqscan', 'on', true);
				EXECUTE format('SELECT array(SELECT (tokens @# %2$L)::text FROM %1$I WHERE %3$s ORDER BY (tokens @# %2$L) + 0 LIMIT 200)', name, list(90000 + q), condition) INTO expected;
				count := count + (found IS DISTINCT FROM expected)::int + (condition = 'true' AND cardinality(found) = 0)::int;
			END LOOP;
		END LOOP;
		RETURN count;
	END $$;
	CREATE TABLE built (id int, tokens real[], a int);
	SELECT fill('built', 1, 2000);
	CREATE INDEX built_idx ON built USING hashemb (tokens maxsim_ops, a) WITH (dims = 12);
	CREATE TABLE filled (id int, tokens real[], a int);
	CREATE INDEX filled_idx ON filled USING hashemb (a, tokens maxsim_ops) WITH (dims = 12);
});
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;

# Both tables are right, as told by a server
sub right
{
	my ($server, $name) = @_;

	is($server->safe_psql('postgres', "SELECT different('built'), different('filled')"), '0|0', $name);
}

# ... and by both, which agree below recall 1
sub check
{
	my ($name) = @_;
	my $query = q{SET hashemb.recall = 0.9; SET enable_seqscan = off;
		SELECT md5(string_agg(id::text, ',')) FROM
			(SELECT id FROM built WHERE a < 15 ORDER BY tokens @# list(95000) LIMIT 300) s;
		SELECT to_jsonb(i) FROM hashemb_index_info('built_idx') i;
		SELECT to_jsonb(i) FROM hashemb_index_info('filled_idx') i};

	$node->wait_for_catchup($standby);
	right($node, "$name: primary");
	right($standby, "$name: standby");
	is($standby->safe_psql('postgres', $query), $node->safe_psql('postgres', $query), "$name: standby agrees with primary");
}

$node->safe_psql('postgres', q{SELECT fill('filled', 1, 700)});
check('rows without codes');
$node->safe_psql('postgres', q{SELECT fill('built', 2001, 2500), fill('filled', 701, 1700)});
is($node->safe_psql('postgres', q{SELECT pending < rows FROM hashemb_index_info('filled_idx')}), 't', 'it has learnt');
check('inserts, learning');
$node->safe_psql('postgres', q{DELETE FROM built WHERE id % 3 = 0; DELETE FROM filled WHERE id % 3 = 0});
$node->safe_psql('postgres', 'VACUUM built, filled');
check('vacuum');
$node->safe_psql('postgres', q{SELECT fill('built', 1, 600), fill('filled', 1, 600); REINDEX INDEX CONCURRENTLY built_idx});
check('room taken again, reindex');
$node->safe_psql('postgres', q{TRUNCATE built; SELECT fill('built', 1, 1500); VACUUM FULL filled});
check('truncate, rewrite');
$standby->promote;
$standby->safe_psql('postgres', q{SELECT fill('built', 3001, 3200), fill('filled', 3001, 3200); DELETE FROM built WHERE id % 5 = 0});
$standby->safe_psql('postgres', 'VACUUM built');
right($standby, 'promoted');
$standby->stop;

# Crashes in the midst of work
my $work = $node->basedir . '/work.sql';
append_to_file($work, q{\set first random(10000, 99999)
SELECT fill('built', :first, :first + 20), fill('filled', :first, :first + 20);
DELETE FROM built WHERE id % 100 = :first % 100;
DELETE FROM filled WHERE id % 10 = :first % 10;
});
foreach my $crash (1 .. 2)
{
	my $bench = IPC::Run::start(['pgbench', '-n', '--random-seed=42', '-c', 3, '-T', 60, '-f', $work, '-h', $node->host, '-p', $node->port, 'postgres'],
		'<', \'', '>', \my $out, '2>', \my $err);

	$node->poll_query_until('postgres', 'SELECT count(*) > 100 FROM built WHERE id >= 10000') or die 'no progress';
	$node->safe_psql('postgres', 'VACUUM built, filled');
	$node->safe_psql('postgres', 'CHECKPOINT') if $crash == 2;
	$node->stop('immediate');
	$bench->finish;
	$node->start;
	right($node, "crash $crash");
	$node->safe_psql('postgres', q{SELECT fill('built', 6001, 6100), fill('filled', 6001, 6100)});
	$node->safe_psql('postgres', 'VACUUM built, filled');
	right($node, "after crash $crash and vacuum");
	is($node->safe_psql('postgres', "SELECT orphan_pages FROM hashemb_check('$_', true)"), '0', "crash $crash: $_ is sound and complete")
	  foreach 'built_idx', 'filled_idx';
	$node->safe_psql('postgres', 'DELETE FROM built WHERE id >= 10000; DELETE FROM filled WHERE id >= 10000');
}

# Crashes at known points, where the build has them
my ($known) = $node->psql('postgres', q{LOAD 'hashemb'; SHOW hashemb.inject});
SKIP:
{
	skip 'this build has no injection points', 1 if $known != 0;
	my %ways = (
		'multi-appended' => q{SELECT fill('filled', 2000, 2050)},
		'multi-codes' => q{TRUNCATE filled; SELECT fill('filled', 1, 1400)},
		'multi-stored' => q{TRUNCATE filled; SELECT fill('filled', 1, 1400)},
		'model-page' => q{TRUNCATE filled; SELECT fill('filled', 1, 1400)},
		'multi-walk' => q{VACUUM filled});

	foreach my $point (sort keys %ways)
	{
		$node->safe_psql('postgres', q{TRUNCATE filled; SELECT fill('filled', 1, 980); DELETE FROM filled WHERE id % 4 = 0});
		$node->psql('postgres', $ways{$point} =~ s/^TRUNCATE filled; //r, on_error_stop => 0,
			connstr => $node->connstr('postgres') . " options='-c hashemb.inject=$point:crash\@1'");
		wait_until_up($node);
		like(slurp_file($node->logfile), qr/injected crash at "\Q$point\E"/, "$point: the log says that the crash was there");
		is($node->safe_psql('postgres', q{SELECT rows > 0 FROM hashemb_check('filled_idx', true)}), 't', "$point: the index is sound and complete");
		$node->safe_psql('postgres', q{SELECT fill('filled', 7001, 7900)});
		$node->safe_psql('postgres', 'VACUUM filled');
		right($node, $point);
		is($node->safe_psql('postgres', q{SELECT pending FROM hashemb_index_info('filled_idx')}), '0', "$point: all rows have codes after a vacuum");
	}
}
$node->stop;
done_testing();
