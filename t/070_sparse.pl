# Indexes of sparse vectors: exact on generated data with filters, on a standby,
# after crashes in the midst of inserts, merges and vacuums, and while others
# write.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = $ENV{HASHEMB_SPARSE_ROWS} || 50_000;
my $queries = $ENV{HASHEMB_SPARSE_QUERIES} || 30;
my $node = new_node('sparse', allows_streaming => 1,
	conf => "shared_buffers = 256MB\nmaintenance_work_mem = 64MB\nwal_consistency_checking = generic\nmax_connections = 30");
install_functions($node);
note 'seed t1';

install_documents($node);
$node->safe_psql('postgres', q{
	CREATE TABLE docs (id int, v svec(30000), topic int, r int, label text);
	ALTER TABLE docs ALTER v SET STORAGE external;
	CREATE FUNCTION fill(first int, last int) RETURNS void LANGUAGE sql AS $$
		INSERT INTO docs SELECT i, CASE WHEN i % 200 <> 7 THEN doc('t1d' || i, 80) END, topic_of('t1d' || i), hashtext('r' || i) & 1023,
			nullif('w' || i % 11, 'w4') FROM generate_series(first, last) i $$;
	CREATE TABLE queries AS SELECT q, doc('t1d' || q * 37, 15) AS v, topic_of('t1d' || q * 37) AS topic FROM generate_series(1, 200) q});
$node->safe_psql('postgres', "SELECT fill(1, $rows)");
$node->safe_psql('postgres', q{CREATE INDEX docs_idx ON docs USING hashemb (v, topic, r, label); VACUUM ANALYZE docs;
	CREATE TABLE filled (LIKE docs); ALTER TABLE filled ALTER v SET STORAGE external;
	CREATE INDEX filled_idx ON filled USING hashemb (topic, v svec_cosine_ops, r, label)});

# Distances of the k nearest through the index and by a sequential scan, for
# every filter of a grid; one statement for all queries
$node->safe_psql('postgres', q{
	CREATE FUNCTION nearest(tab text, operator text, condition text, q int, k int) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		result text;
	BEGIN
		EXECUTE format('SELECT string_agg(d::text, '','') FROM (SELECT v %1$s $1 AS d FROM %2$I WHERE %3$s ORDER BY v %1$s $1, ctid LIMIT %4$s) s', operator, tab,
			condition, k) INTO result USING (SELECT v FROM queries x WHERE x.q = nearest.q), (SELECT topic FROM queries x WHERE x.q = nearest.q);
		RETURN result;
	END $$;
	CREATE FUNCTION nearest_by_index(tab text, operator text, condition text, q int, k int) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		result text;
	BEGIN
		EXECUTE format('SELECT string_agg(d::text, '','') FROM (SELECT v %1$s $1 AS d FROM %2$I WHERE %3$s ORDER BY v %1$s $1 LIMIT %4$s) s', operator, tab,
			condition, k) INTO result USING (SELECT v FROM queries x WHERE x.q = nearest_by_index.q), (SELECT topic FROM queries x WHERE x.q = nearest_by_index.q);
		RETURN result;
	END $$});
my $filters = q{'{true,r < 512,r < 102,r < 10,r = 0,topic = $2,topic <> $2,topic = ($2 + 150) % 300,label = ''w3'' AND r < 300,label IS NULL,v IS NOT NULL}'::text[]};

sub exact
{
	my ($server, $table, $operator, $name) = @_;
	my $by_index = $server->safe_psql('postgres', qq{SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off;
		SELECT q, k, c, md5(nearest_by_index('$table', '$operator', c, q, k)) FROM generate_series(1, $queries) q, unnest('{1,10,100,700}'::int[]) k, unnest($filters) c WHERE (q + k) % 3 = 0 ORDER BY 1, 2, 3});
	my $by_scan = $server->safe_psql('postgres', qq{SET enable_indexscan = off; SET enable_bitmapscan = off;
		SELECT q, k, c, md5(nearest('$table', '$operator', c, q, k)) FROM generate_series(1, $queries) q, unnest('{1,10,100,700}'::int[]) k, unnest($filters) c WHERE (q + k) % 3 = 0 ORDER BY 1, 2, 3});

	ok($by_index eq $by_scan && length $by_index > 1000, $name) or diag((grep { index($by_scan, $_) < 0 } split /\n/, $by_index)[0] // 'empty');
}

sub checked
{
	my ($server, @names) = @_;
	my $name = pop @names;

	foreach my $index (@names)
	{
		like($server->safe_psql('postgres', "SELECT heap_rows FROM hashemb_check('$index', true)"), qr/^\d+$/, "$name: $index is sound");
	}
}

like($node->safe_psql('postgres', q{SET enable_seqscan = off; EXPLAIN SELECT id FROM docs WHERE r < 10 ORDER BY v <#> (SELECT v FROM queries WHERE q = 1) LIMIT 5}),
	qr/Custom Scan \(hashemb\) on docs/, 'the index is used');
exact($node, 'docs', '<#>', "built on $rows rows: equal to sequential scans");
checked($node, 'docs_idx', 'built');
is($node->safe_psql('postgres', q{SELECT recall, below_half FROM hashemb_measure_recall('docs_idx', 10, 20)}), '1|0', 'recall below 1 is exact');

$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
# what is vacuumed while a scan stands still is what it does not see
$standby->append_conf('postgresql.conf', "hot_standby_feedback = on\nwal_receiver_status_interval = 1");
$standby->start;

my $half = int($rows / 10);
$node->safe_psql('postgres', "SELECT fill($rows + 1, $rows + $half); INSERT INTO filled SELECT * FROM docs WHERE id % 5 = 0 OR id > $rows");
$node->safe_psql('postgres', q{UPDATE docs SET v = doc('t2d' || id, 60), r = r + 1 WHERE id % 11 = 3; DELETE FROM docs WHERE id % 7 = 2; DELETE FROM filled WHERE topic % 3 = 0});
exact($node, 'docs', '<#>', 'after inserts, updates and deletes');
exact($node, 'filled', '<=>', 'filled row by row');
# A scan on the standby outlives what is replayed. The scan keeps a page of the
# table pinned, which pruning would wait for: so that is done before, once the
# standby has said that it needs the rows no more, and vacuum has the index left.
my $deleted = $node->safe_psql('postgres', 'SELECT txid_current() % (1::bigint << 32)');
$node->poll_query_until('postgres', "SELECT backend_xmin::text::bigint >= $deleted FROM pg_stat_replication") or die 'no feedback';
$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP off) docs, filled');
my $scan = $standby->background_psql('postgres');
$node->wait_for_catchup($standby);
$scan->query_safe(q{SET enable_seqscan = off; SET enable_sort = off; BEGIN ISOLATION LEVEL REPEATABLE READ});
$scan->query_safe(q{DECLARE c CURSOR FOR SELECT id FROM filled ORDER BY v <=> (SELECT v FROM queries WHERE q = 3)});
my $first = $scan->query_safe('FETCH 500 FROM c');
my $there = $standby->safe_psql('postgres', 'SELECT count(*) FROM filled');
$node->safe_psql('postgres', 'INSERT INTO filled SELECT * FROM docs WHERE id % 5 = 1 AND id < 12000');
$node->safe_psql('postgres', 'VACUUM docs, filled');
$node->wait_for_catchup($standby);
my @rest = split /\n/, $scan->query_safe('FETCH ALL FROM c');
is(scalar(@rest) + scalar(split /\n/, $first), $there, 'a scan on the standby finds what its snapshot holds');
$scan->quit;
exact($node, 'docs', '<#>', 'after vacuum');
exact($node, 'filled', '<=>', 'filled, after vacuum');
exact($standby, 'docs', '<#>', 'on the standby');
exact($standby, 'filled', '<=>', 'filled, on the standby');
checked($node, 'docs_idx', 'filled_idx', 'after vacuum');
$standby->stop;

# Crashes in the midst of inserts, which make and merge windows, and of vacuums
my $work = $node->basedir . '/work.sql';
append_to_file($work, q{\set first random(1000000, 9999999)
INSERT INTO filled SELECT i, doc('t3d' || i, 40), i % 300, i % 1024, 'w' || i % 11 FROM generate_series(:first, :first + 100) i;
DELETE FROM filled WHERE id % 50 = :first % 50;
});
foreach my $crash (1 .. 3)
{
	my $bench = IPC::Run::start(['pgbench', '-n', '--random-seed=42', '-c', 3, '-T', 90, '-f', $work, '-h', $node->host, '-p', $node->port, 'postgres'],
		'<', \'', '>', \my $out, '2>', \my $err);

	$node->poll_query_until('postgres', 'SELECT count(*) > 1000 * ' . (3 - $crash + 1) . ' FROM filled WHERE id >= 1000000') or die 'no progress';
	$node->safe_psql('postgres', 'VACUUM filled');
	$node->safe_psql('postgres', 'CHECKPOINT') if $crash == 2;
	$node->poll_query_until('postgres', 'SELECT count(*) > 1500 * ' . (3 - $crash + 1) . ' FROM filled WHERE id >= 1000000') or die 'no progress';
	$node->stop('immediate');
	$bench->finish;
	$node->start;
	exact($node, 'filled', '<=>', "crash $crash");
	$node->safe_psql('postgres', 'VACUUM filled');
	exact($node, 'filled', '<=>', "crash $crash, after vacuum");
	checked($node, 'filled_idx', "crash $crash");
	is($node->safe_psql('postgres', q{SELECT orphan_pages FROM hashemb_check('filled_idx', false)}), '0', "crash $crash: no page is lost after vacuum");
	$node->safe_psql('postgres', 'DELETE FROM filled WHERE id >= 1000000');
}

# Searches equal sequential scans of the same snapshot while others write
append_to_file($node->basedir . '/search.sql', q{\set q random(1, 200)
\set k random(1, 400)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
SELECT coalesce(hashtext(nearest_by_index('filled', '<=>', 'r < 700', :q, :k)), 0) AS found \gset
SELECT count(*) AS listed FROM (SELECT id FROM filled WHERE topic >= 0 ORDER BY v <=> (SELECT v FROM queries WHERE q = :q)) s \gset
SET LOCAL enable_seqscan = on;
SET LOCAL enable_sort = on;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_bitmapscan = off;
SELECT coalesce(hashtext(nearest('filled', '<=>', 'r < 700', :q, :k)), 0) AS expected \gset
SELECT count(*) AS counted FROM filled WHERE topic >= 0 \gset
COMMIT;
SELECT 1 / (:found = :expected AND :listed = :counted)::int AS "search finds what a sequential scan finds";
});
append_to_file($node->basedir . '/vacuum.sql', "VACUUM filled;\n");
$node->safe_psql('postgres', 'DELETE FROM filled WHERE id % 10 > 4');
my $seconds = $ENV{HASHEMB_SECONDS} || 15;
$node->command_ok(['pgbench', '-n', '--random-seed=42', '-c', 6, '-T', $seconds, '-f', "$work\@4", '-f', $node->basedir . '/search.sql@6', '-f', $node->basedir . '/vacuum.sql@1',
	'-h', $node->host, '-p', $node->port, 'postgres'], 'searches are right while others write');
checked($node, 'filled_idx', 'after writes by many');
exact($node, 'filled', '<=>', 'after writes by many');

# LIMIT in its long form: 49,954 people more, who like what nobody asks for
$node->safe_psql('postgres', q{
	CREATE TABLE pairs AS SELECT row_number() OVER (ORDER BY a, b)::int AS item, a, b FROM generate_series(1, 46) a, generate_series(1, 46) b WHERE a < b LIMIT 1000;
	CREATE TABLE people AS SELECT person, svec(array_agg(item), array_agg(1 + item % 3 / 8.0), 1850)::svec(1850) AS v FROM
			(SELECT a AS person, item FROM pairs UNION ALL SELECT b, item FROM pairs
			UNION ALL SELECT p, 1001 + (p * 31 + j * 17) % 850 FROM generate_series(47, 50000) p, generate_series(1, 45) j) l GROUP BY person;
	CREATE INDEX people_idx ON people USING hashemb (v)});
is($node->safe_psql('postgres', q{SET enable_seqscan = off; SET enable_sort = off;
	SELECT avg((SELECT count(*) FROM unnest(ARRAY(SELECT person FROM people ORDER BY v <#> svec(ARRAY[item], ARRAY[1.0], 1850) LIMIT 2)) f WHERE f IN (a, b)) / 2.0) = 1 FROM pairs}),
	't', 'LIMIT among 50,000: recall of both at 2 is 1');
# Sign codes cannot tell so many pairs apart; HASHEMB_LIMIT_BITS for a longer curve
foreach my $bits (split / /, $ENV{HASHEMB_LIMIT_BITS} || '64 256')
{
	my $recall = $node->safe_psql('postgres', qq{
		CREATE TABLE people_$bits AS SELECT person, simhash(v, $bits, 42) AS c FROM people;
		SELECT round(avg((SELECT count(*) FROM unnest(ARRAY(SELECT person FROM people_$bits
			ORDER BY c <~> simhash(svec(ARRAY[item], ARRAY[1.0], 1850), $bits, 42), person LIMIT 2)) f WHERE f IN (a, b)) / 2.0), 3)
		FROM pairs WHERE item % 50 = 3});

	note "LIMIT among 50,000: recall at 2 of sign codes of $bits bits is $recall";
	cmp_ok($recall, '<', 1, "LIMIT among 50,000: sign codes of $bits bits miss some");
}
$node->stop;
done_testing();
