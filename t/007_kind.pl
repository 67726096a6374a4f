# A kind of vectors that only this test has (test/kind): what kind.h promises is
# enough to build, change, search, plan, check and recover an index of it, with no
# file of src/ that knows it. Answers are those of sequential scans.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('kind', no_data_checksums => 1, conf => q{
	fsync = off
	max_worker_processes = 4
	max_parallel_workers = 4
	min_parallel_table_scan_size = 0
	wal_consistency_checking = generic});
my ($code, $out, $err) = $node->psql('postgres', slurp_file("$FindBin::RealBin/../test/kind/chain.sql"));

plan skip_all => 'this library was built without TEST_KIND=1' if $code && $err =~ /could not find function "hx_vector_chain"/;
is($err, '', 'the operator class of the test is made');
install_functions($node);
note 'seed k6';

# Rows in clusters, of which some have no vector, no attributes or the vector of
# others; x is in another index, y in none
$node->safe_psql('postgres', q{
	CREATE SEQUENCE ids;
	CREATE TABLE t (id int, c bincode(256), a int, b text, tags int[], x int, y int, pad text);
	CREATE FUNCTION more(n int) RETURNS void LANGUAGE sql AS $$
		INSERT INTO t SELECT i, CASE WHEN i % 50 <> 7 THEN code(i % 4000 / 3 * 3, 37, 'k6')::bincode END, CASE WHEN i % 11 > 0 THEN i % 20 END,
				CASE WHEN i % 13 > 0 THEN 'b' || i % 30 END, CASE WHEN i % 7 > 0 THEN ARRAY[i % 5, i % 9] END, i % 100, i % 10, repeat('x', 300)
			FROM (SELECT nextval('ids')::int AS i FROM generate_series(1, n)) s $$;
	SELECT more(6000);
	CREATE INDEX ON t (x);
	VACUUM ANALYZE t;});

my $columns = 'USING hashemb (c chain_ops, a, b, tags, y)';
my $queries = q{ARRAY(SELECT format('c <~> %L', code(i * 10, 37, 'k6')) FROM generate_series(1, 2) i)};
my $near = q{c <~> code(30, 37, 'k6')::bincode};
my $far = q{c <~> code(31, 37, 'k6')::bincode};
my $conditions = 'ARRAY[' . join(', ', map { "\$q\$$_\$q\$" }
		'true', 'a = 3', q{a BETWEEN 5 AND 8 AND b = 'b7'}, 'tags @> ARRAY[3]', 'a IS NULL', 'c IS NULL', 'c IS NOT NULL AND y < 2',
	'id % 10 = 3', 'a = 4 AND id % 6 = 2', 'id = 3001', "$near <= 90", "$far < 100 AND a > 10", q{c <@ hamming_ball(code(60, 37, 'k6')::bincode, 80)},
	"$near > 60 OR a = 1", "$near <= 70 OR $far <= 70", "x = 5 AND id % 2 = 1", 'a = 3 AND a = 4') . ']';
my $index_only = 'SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off;';

# What a query returns through the index, by which node, and without it
sub same
{
	my ($query, $settings, $plan, $name) = @_;
	my $by_table = $node->safe_psql('postgres', "SET enable_indexscan = off; SET enable_bitmapscan = off; $query");
	my $by_index = $node->safe_psql('postgres', "$settings $query");

	like($node->safe_psql('postgres', "$settings EXPLAIN $query"), $plan, "$name: its plan");
	isnt($by_table, '', "$name: finds something");
	is($by_index, $by_table, "$name: as a sequential scan");
}

# Is an index sound and complete, and does it tell the truth about itself?
sub whole
{
	my ($name, $index, $table) = ($_[0], $_[1] || 't_idx', $_[2] || 't');

	is($node->safe_psql('postgres', qq{
		SELECT heap_rows = (SELECT count(*) FROM $table), null_rows >= (SELECT count(*) FROM $table WHERE c IS NULL), rows >= heap_rows,
			rows_pages = blocks, rows_pages + free_pages + orphan_pages + 1 = pages, orphan_pages FROM hashemb_check('$index', true)}),
		't|t|t|t|t|0', "$name: checked");
	is($node->safe_psql('postgres', qq{
		SELECT i.rows = c.rows, i.null_rows = c.null_rows, i.blocks = c.blocks, pending, heap_rows IS NULL FROM hashemb_index_info('$index') i, hashemb_check('$index') c}),
		't|t|t|0|t', "$name: info");
	same_rows($node, $index, $table, $queries, $conditions, "$name: finds what a sequential scan finds");
}

# Rows of an index, those without a vector, and those marked as dead
sub counts
{
	return $node->safe_psql('postgres', q{SELECT rows, null_rows, dead FROM hashemb_index_info('t_idx')});
}

# -- the class, and what it refuses
is($node->safe_psql('postgres', q{SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'chain_ops'}), 't', 'the class is valid');
foreach my $case ([ 'CREATE INDEX ON t USING hashemb (c chain_ops, a) WITH (group_by = a)', 'group_by is not supported for codes in a chain' ],
	[ 'CREATE TABLE n (c bincode); CREATE INDEX ON n USING hashemb (c chain_ops)', 'column "c" of index "n_c_idx" has no length' ],
	[ 'DROP TABLE n; CREATE TABLE n (c bincode(64, 2)); CREATE INDEX ON n USING hashemb (c chain_ops)', 'chains hold codes of 1 bit a dimension' ],
	[ 'CREATE INDEX ON t USING hashemb (c chain_ops, c)', 'more than one vector column' ])
{
	($code, $out, $err) = $node->psql('postgres', $case->[0]);
	like($err, qr/\Q$case->[1]\E/, "refused: $case->[1]");
}

# -- builds
foreach my $case ([ 0, '' ], [ 2, '2' ])
{
	my ($workers, $expected) = @$case;

	(undef, undef, $err) = $node->psql('postgres', "DROP INDEX IF EXISTS t_idx; SET client_min_messages = debug1; SET maintenance_work_mem = '128MB'; SET max_parallel_maintenance_workers = $workers;
		CREATE INDEX t_idx ON t $columns");
	is(join(' ', $err =~ /building index "\w+" with (\d+) workers/g), $expected, "built with $workers workers");
	whole("built with $workers workers");
}
is(counts(), '6000|120|0', 'rows of the index');
$node->safe_psql('postgres', "DROP INDEX t_idx; CREATE INDEX CONCURRENTLY t_idx ON t $columns");
whole('built concurrently');
$node->safe_psql('postgres', "CREATE UNLOGGED TABLE u AS SELECT * FROM t; CREATE TEMP TABLE p AS SELECT * FROM t; CREATE INDEX p_idx ON p $columns;
	CREATE INDEX u_idx ON u $columns; ANALYZE u; CREATE TABLE e (LIKE t); CREATE INDEX e_idx ON e $columns");
whole('unlogged', 'u_idx', 'u');
is($node->safe_psql('postgres', q{SELECT rows, rows_pages FROM hashemb_check('e_idx', true)}), '0|1', 'an index without rows');
is($node->safe_psql('postgres', "$index_only SELECT count(*) FROM (SELECT FROM e ORDER BY $near) s"), '0', 'and without answers');
is($node->safe_psql('postgres', "CREATE TEMP TABLE p AS SELECT * FROM t; CREATE INDEX p_idx ON p $columns; INSERT INTO p SELECT * FROM t LIMIT 100;
	DELETE FROM p WHERE a = 3; SELECT heap_rows = (SELECT count(*) FROM p) FROM hashemb_check('p_idx', true)"), 't', 'temporary');

# -- other ways to search
my $node_plan = qr/Custom Scan \(hashemb\)/;
my $listed = q{string_agg(coalesce(d::text, 'NULL') || ' ' || id, ',')};
same("SELECT $listed FROM (SELECT $near AS d, id FROM t ORDER BY d, ctid) s", 'SET enable_seqscan = off; SET enable_bitmapscan = off;',
	qr/t_idx/, 'no LIMIT, sorted by the row, too');
same("SELECT count(*), md5(string_agg(d::text, ',')) FROM (SELECT $near AS d FROM t ORDER BY d) s", $index_only, qr/t_idx/, 'no LIMIT');
same("SELECT count(*), min(d), max(d) FROM (SELECT $near AS d FROM t WHERE a < 9 ORDER BY d FETCH FIRST 25 ROWS WITH TIES) s", $index_only, $node_plan, 'ties');
same("SELECT count(*), max(d) FROM (SELECT $near AS d FROM t ORDER BY d DESC LIMIT 200) s", '', qr/Sort/, 'farthest first');
same("SELECT count(*), count(d) FROM (SELECT $near AS d FROM t ORDER BY d NULLS FIRST LIMIT 130) s", $index_only, $node_plan, 'NULLs first');
same("SELECT count(*), count(d) FROM (SELECT $near AS d FROM t ORDER BY d OFFSET 5870) s", $index_only, qr/t_idx/, 'NULLs last');
same("SELECT count(*), md5(string_agg(id::text, ',')) FROM (SELECT id FROM t WHERE a = 5 ORDER BY c <~> (SELECT c FROM t WHERE id = 7), ctid LIMIT 20) s",
	'SET enable_seqscan = off; SET enable_bitmapscan = off;', qr/t_idx/, 'a query that is NULL');
same(q{SELECT count(*), sum(id) FROM t WHERE a = 5 AND b = 'b5'}, $index_only, qr/Index Scan using t_idx/, 'plain index scan');
same('SELECT count(*), sum(id) FROM t WHERE c IS NULL', $index_only, qr/Index Scan using t_idx/, 'plain index scan for NULLs');
same("SELECT count(*), sum(id) FROM t WHERE $near <= 80", $index_only, qr/Index Scan using t_idx/, 'plain index scan by distance');
my $bitmap = 'SET enable_seqscan = off; SET enable_indexscan = off;';
same('SELECT count(*), sum(id) FROM t WHERE a = 5 AND y < 5', $bitmap, qr/Bitmap Index Scan on t_idx/, 'bitmap scan');
same("SELECT count(*), sum(id) FROM t WHERE $near <= 80 AND tags && ARRAY[1, 2]", $bitmap, qr/Bitmap Index Scan on t_idx/, 'bitmap scan by distance');
same('SELECT count(*), sum(id) FROM t WHERE c IS NULL', $bitmap, qr/Bitmap Index Scan on t_idx/, 'bitmap scan for NULLs');
same('SELECT count(*), sum(id) FROM t WHERE c IS NOT NULL AND a IS NULL', $bitmap, qr/Bitmap Index Scan on t_idx/, 'bitmap scan without NULLs');
is($node->safe_psql('postgres', "SET hashemb.recall = 1; SET enable_sort = off; SELECT matches > 0, bitmaps > 0, different FROM
	with_bitmaps('t', '$near', ARRAY['x < 20', 'x = 3', 'x < 50 AND a < 9', 'x BETWEEN 30 AND 60 AND id % 3 = 1'])" =~ s/'(c <~> .*?bincode)'/\$q\$$1\$q\$/r), 't|t|', 'bitmaps of another index');

# A cursor goes on as far as it is asked to
my $cursor = "BEGIN; %s DECLARE s CURSOR FOR SELECT $near FROM t WHERE y < 9 ORDER BY 1; "
	. join(' ', map { "FETCH $_ FROM s;" } 1, 9, 200, 'FORWARD 2000', 'ALL');
is($node->safe_psql('postgres', sprintf($cursor, 'SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off;')),
	$node->safe_psql('postgres', sprintf($cursor, 'SET LOCAL enable_indexscan = off; SET LOCAL hashemb.enable_scan = off;')), 'a cursor');

# -- plans and costs
my $pages = $node->safe_psql('postgres', q{SELECT blocks FROM hashemb_index_info('t_idx')});
my $explained = $node->safe_psql('postgres', "EXPLAIN (ANALYZE, TIMING OFF) SELECT FROM t WHERE a > 3 AND id % 2 = 1 ORDER BY $near LIMIT 10");
like($explained, $node_plan, 'the planner takes the index for a few rows');
like($explained, qr/Blocks: $pages of $pages/, 'all of it is visited');

sub cost
{
	my ($where) = @_;
	my ($cost) = $node->safe_psql('postgres', "$index_only EXPLAIN SELECT FROM t $where ORDER BY $near LIMIT 10") =~ /hashemb.*cost=([\d.]+)\.\./;

	return $cost;
}
cmp_ok(cost(''), '<', cost('WHERE a = 3 AND y = 2'), 'conditions cost something');

# -- what functions show
is($node->safe_psql('postgres', q{SELECT count(*) FROM hashemb_block_info('t_idx')}), '0', 'no blocks are shown');
is($node->safe_psql('postgres', q{SELECT hashemb_calibrate('t_idx')}), 'f', 'nothing is calibrated');
($code, $out, $err) = $node->psql('postgres', q{SELECT hashemb_measure_recall('t_idx', 10, 20)});
like($err, qr/no rows of index "t_idx" can be drawn as queries/, 'no rows are drawn');
is($node->safe_psql('postgres', q{SELECT measured, recall FROM hashemb_measure_recall('t_idx', 10, ARRAY(SELECT c FROM t WHERE id IN (3, 5)))}), '2|1', 'recall of queries given');
($code, $out, $err) = $node->psql('postgres', q{SELECT hashemb_measure_recall('t_idx', 10, ARRAY[[1, 2]]::real[])});
like($err, qr/index "t_idx" is searched by codes in a chain, not by arrays of numbers/, 'no arrays of numbers');
($code, $out, $err) = $node->psql('postgres', "$index_only SELECT id FROM t ORDER BY c <~> B'101'::bincode LIMIT 1");
like($err, qr/codes of different sizes/, 'a query of another length');

# -- changes
$node->safe_psql('postgres', 'SELECT more(3000); UPDATE t SET a = (a + 1) % 20 WHERE id % 3 = 0; UPDATE t SET c = NULL WHERE id % 500 = 8');
whole('rows inserted and updated');
$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 4 = 1');
whole('rows deleted');
is($node->safe_psql('postgres', "$index_only SELECT count(*) FROM (SELECT FROM t WHERE id > 0 ORDER BY $near LIMIT 100) s"), '100', 'searches after that');
cmp_ok((split /\|/, counts())[2], '>', 0, 'searches mark dead rows');
$node->safe_psql('postgres', 'VACUUM t');
is(counts(), $node->safe_psql('postgres', 'SELECT count(*), count(*) FILTER (WHERE c IS NULL), 0 FROM t'), 'vacuum removes the rows that are gone');
is($node->safe_psql('postgres', q{SELECT reltuples FROM pg_class WHERE relname = 't_idx'}), (split /\|/, counts())[0], 'and counts the others');
whole('vacuumed');
$node->safe_psql('postgres', 'SELECT more(500)');
whole('rows inserted after vacuum');

# Several sessions at a time
my $script = $node->basedir . '/changes.sql';
append_to_file($script, q{
	\set id random(1, 9500)
	SELECT more(3);
	UPDATE t SET y = 9 - y WHERE id = :id;
	DELETE FROM t WHERE id = :id + 1;});
$node->command_ok([ 'pgbench', '-n', '-c', '4', '-j', '1', '-t', '150', '-f', $script, 'postgres' ], 'sessions change rows at once');
whole('rows changed by sessions at once');
$node->safe_psql('postgres', 'CREATE INDEX CONCURRENTLY t_idx2 ON t USING hashemb (c chain_ops, a)');
is($node->safe_psql('postgres', q{SELECT heap_rows = (SELECT count(*) FROM t) FROM hashemb_check('t_idx2', true)}), 't', 'built concurrently on changed rows');
$node->safe_psql('postgres', 'DROP INDEX t_idx2');

# -- a crash
$node->safe_psql('postgres', 'CHECKPOINT; REINDEX INDEX u_idx; SELECT more(700); DELETE FROM t WHERE id % 7 = 2; VACUUM t; SELECT more(100)');
$node->stop('immediate');
$node->start;
whole('after a crash');
is($node->safe_psql('postgres', q{SELECT rows FROM hashemb_check('u_idx', true)}), '0', 'an unlogged index is empty then');
$node->safe_psql('postgres', 'INSERT INTO u SELECT * FROM t; SELECT more(300)');
whole('unlogged, filled again', 'u_idx', 'u');
whole('rows inserted after a crash');

# -- a column that loses its length keeps its index
$node->safe_psql('postgres', 'ALTER TABLE t ALTER c TYPE bincode; SELECT more(10)');
whole('a column without a length');

# -- damage: of a payload's first word, and of a page
sub damage
{
	my ($page, $offset, $bytes) = @_;
	my $file = $node->data_dir . '/' . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('t_idx')});

	$node->stop;
	open(my $handle, '+<', $file) or die "$file: $!";
	binmode $handle;
	seek($handle, $page * 8192 + $offset, 0);
	print $handle $bytes;
	close $handle;
	$node->start;
}

damage(2, 24 + 8, chr(9));
($code, $out, $err) = $node->psql('postgres', q{SELECT hashemb_check('t_idx')});
like($err, qr/index "t_idx" is corrupted at block 2: row 0: its payload is not that of a code/, 'a damaged payload is found');
damage(2, 8192 - 2, "\0\0");
foreach my $query (q{SELECT hashemb_check('t_idx')}, "$index_only SELECT FROM t ORDER BY $near LIMIT 1", q{SELECT hashemb_index_info('t_idx')})
{
	($code, $out, $err) = $node->psql('postgres', $query);
	like($err, qr/index "t_idx" is corrupted at block 2: not a sound hashemb page/, 'a damaged page is found');
}
$node->safe_psql('postgres', 'ALTER TABLE t ALTER c TYPE bincode(256)'); # rebuilds it
whole('made anew');

$node->stop;
done_testing();
