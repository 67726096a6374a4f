# Indexes on columns of pgvector's types, by pgvector's operators: what was
# "USING hnsw" becomes "USING hashemb", and no query changes. Answers are those of
# sequential scans.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('pgvector', conf => "fsync = off\nmax_parallel_maintenance_workers = 2\nmin_parallel_table_scan_size = 0");

if ($node->safe_psql('postgres',
		"SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == 0)
{
	plan skip_all => 'extension "vector" is not available in this server';
}
install_functions($node);
$node->safe_psql('postgres', 'CREATE EXTENSION hashemb_pgvector CASCADE');
note 'seed p9';

# -- every class is valid, explains itself, and has pgvector's name
is($node->safe_psql('postgres', q{
	SELECT string_agg(opcname, ' ' ORDER BY opcname) FROM pg_opclass c JOIN pg_depend d ON d.classid = 'pg_opclass'::regclass AND d.objid = c.oid
	WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hashemb_pgvector') AND NOT amvalidate(c.oid)}), '', 'the classes are valid');
is($node->safe_psql('postgres', q{
	SELECT string_agg(opcname, ' ' ORDER BY opcname) FROM pg_opclass c JOIN pg_depend d ON d.classid = 'pg_opclass'::regclass AND d.objid = c.oid
	WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hashemb_pgvector') AND NOT EXISTS (SELECT FROM pg_opclass v JOIN pg_am a ON a.oid = v.opcmethod
		WHERE a.amname = 'hnsw' AND v.opcname = c.opcname AND v.opcintype = c.opcintype)
	AND c.opcname NOT LIKE 'sparsevec%' AND c.opcname NOT LIKE '%maxsim%'}), '', 'their names are those of hnsw, where it has such classes');
is($node->safe_psql('postgres', q{
	SELECT string_agg(pg_describe_object(classid, objid, 0), ', ') FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
		AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hashemb_pgvector') AND obj_description(objid, classid::regclass::name) IS NULL}),
	'', 'every object explains itself');

# -- a vector beside an array is a vector beside a vector, to the last bit, and an
# index of vectors serves it
$node->safe_psql('postgres', q{
	CREATE TABLE w AS SELECT i AS id, (SELECT array_agg(sin(i * j) ORDER BY j) FROM generate_series(1, 20) j)::vector(20) AS v FROM generate_series(1, 300) i;
	CREATE INDEX w_idx ON w USING hnsw (v vector_l2_ops);});
foreach my $type ('real', 'float8', 'numeric', 'int')
{
	my $array = "(SELECT array_agg(v * 10) FROM unnest(b.v::real[]) AS u(v))::${type}[]";
	is($node->safe_psql('postgres', "SELECT count(*), bool_and(a.v <-> q = a.v <-> q::vector), bool_and(q <-> a.v = a.v <-> q::vector), bool_and(a.v <#> q = a.v <#> q::vector),
		bool_and(q <#> a.v = a.v <#> q::vector), bool_and(a.v <=> q = a.v <=> q::vector), bool_and(q <=> a.v = a.v <=> q::vector)
		FROM w a, (SELECT $array AS q FROM w b WHERE id % 30 = 1 OFFSET 0) b"), '3000|t|t|t|t|t|t', "vector and $type\[]");
	like($node->safe_psql('postgres', "SET enable_seqscan = off; PREPARE near ($type\[]) AS SELECT id FROM w ORDER BY v <-> \$1 LIMIT 3; EXPLAIN EXECUTE near (array_fill(1, ARRAY[20]))"),
		qr/Index Scan using w_idx/, "an index serves $type\[]");
}

# -- bit strings: rows in clusters, some without a vector, without bits, or the same
# as others; x has an index of its own
$node->safe_psql('postgres', q{
	CREATE SEQUENCE ids;
	CREATE TABLE t (id int, b bit(256), a int, tags int[], x int, pad text);
	CREATE FUNCTION more(n int) RETURNS void LANGUAGE sql AS $$
		INSERT INTO t SELECT i, CASE WHEN i % 50 = 7 THEN NULL WHEN i % 97 = 5 THEN 0::bit(256) ELSE code(i % 3000 / 3 * 3, 37, 'p9') END,
				CASE WHEN i % 11 > 0 THEN i % 20 END, ARRAY[i % 5, i % 9], i % 100, repeat('x', 200)
			FROM (SELECT nextval('ids')::int AS i FROM generate_series(1, n)) s $$;
	SELECT more(6000);
	CREATE INDEX ON t (x);
	CREATE INDEX hamming_idx ON t USING hnsw (b bit_hamming_ops);
	CREATE INDEX jaccard_idx ON t USING hnsw (b bit_jaccard_ops);
	DROP INDEX hamming_idx, jaccard_idx;
	CREATE INDEX hamming_idx ON t USING hashemb (b bit_hamming_ops, a, tags);
	CREATE INDEX jaccard_idx ON t USING hashemb (a, b bit_jaccard_ops, tags);
	VACUUM ANALYZE t});

# Distances from queries by an operator, and conditions, of the columns and of
# distances
sub distances
{
	my ($operator) = @_;
	my $escaped = $operator =~ s/%/%%/r;
	return qq{ARRAY(SELECT format('b $escaped %L::bit(256)', code(i * 10, 37, 'p9')) FROM generate_series(1, 3) i) || 'b $operator 0::bit(256)'::text};
}

sub conditions
{
	my ($operator, $near) = @_;
	my $distance = "b $operator code(30, 37, 'p9')";
	return 'ARRAY[' . join(', ', map { "\$q\$$_\$q\$" } 'true', 'a = 3', 'a BETWEEN 5 AND 8 AND tags @> ARRAY[3]', 'a IS NULL', 'b IS NULL', 'b IS NOT NULL AND a < 2',
		'id % 10 = 3', 'a = 4 AND id % 6 = 2', 'x = 5', "$distance <= $near", "$distance > $near AND a = 1", "$distance < $near OR a = 2") . ']';
}

my %near = ('<~>' => 100, '<%>' => 0.6);
foreach my $case ([ '<~>', 'hamming_idx' ], [ '<%>', 'jaccard_idx' ])
{
	same_rows($node, $case->[1], 't', distances($case->[0]), conditions($case->[0], $near{ $case->[0] }), "$case->[1]: as sequential scans");
	like($node->safe_psql('postgres', "SET enable_seqscan = off; EXPLAIN (VERBOSE) SELECT id FROM t WHERE a = 3 AND b $case->[0] code(30, 37, 'p9') < $near{$case->[0]}
		ORDER BY b $case->[0] code(40, 37, 'p9') LIMIT 5"), qr/Custom Scan \(hashemb\).*Index Cond: [^\n]*\Q$case->[0]\E[^\n]* < '/s, "$case->[1]: conditions go into the index");
}

sub checked
{
	my ($name) = @_;
	foreach my $index ('hamming_idx', 'jaccard_idx')
	{
		is($node->safe_psql('postgres', "SELECT heap_rows = (SELECT count(*) FROM t), null_rows >= (SELECT count(*) FROM t WHERE b IS NULL), orphan_pages
			FROM hashemb_check('$index', true)"), 't|t|0', "$index, $name: checked");
	}
}
checked('built');
is($node->safe_psql('postgres', q{SELECT count(*) > 3, min(recall) >= 0.9 FROM unnest(ARRAY['hamming_idx', 'jaccard_idx']) i, generate_series(1, 2),
	LATERAL hashemb_measure_recall(i::regclass, 10, 50)}), 't|t', 'recall is measured');

is($node->safe_psql('postgres', q{SELECT hashemb_calibrate('jaccard_idx', ARRAY(SELECT b FROM t WHERE b IS NOT NULL ORDER BY id LIMIT 100)),
	(SELECT (measured, recall >= 0.9) FROM hashemb_measure_recall('jaccard_idx', 10, ARRAY(SELECT b FROM t WHERE b IS NOT NULL ORDER BY id DESC LIMIT 60)))}),
	't|(60,t)', 'calibrated with queries, and measured');

# Rows come and go; expressions; a table that grows from nothing
$node->safe_psql('postgres', q{DELETE FROM t WHERE id % 3 = 0; VACUUM t; SELECT more(3000); UPDATE t SET a = a + 1, b = ~b WHERE id % 17 = 0; DELETE FROM t WHERE id % 19 = 0});
same_rows($node, 'hamming_idx', 't', distances('<~>'), conditions('<~>', 100), 'hamming_idx, changed: as sequential scans');
same_rows($node, 'jaccard_idx', 't', distances('<%>'), conditions('<%>', 0.6), 'jaccard_idx, changed: as sequential scans');
checked('changed');
$node->safe_psql('postgres', q{
	CREATE TABLE g (id int, b bit(256), a int, tags int[], x int);
	CREATE INDEX g_idx ON g USING hashemb (b bit_jaccard_ops, a, tags);
	INSERT INTO g SELECT id, b, a, tags, x FROM t;
	CREATE TABLE e (id int, v vector(64), a int, tags int[], x int);
	INSERT INTO e SELECT i, (SELECT array_agg(sin(i % 700 * j)::real) FROM generate_series(1, 64) j)::vector, i % 20, ARRAY[i % 5], i % 100 FROM generate_series(1, 3000) i;
	CREATE INDEX e_idx ON e USING hashemb ((binary_quantize(v)::bit(64)) bit_hamming_ops, a, tags);
	CREATE DOMAIN hash AS bit(256); CREATE TABLE d (id int, b hash); INSERT INTO d SELECT id, b FROM t;
	CREATE INDEX d_idx ON d USING hashemb (b bit_hamming_ops); VACUUM ANALYZE;});
same_rows($node, 'g_idx', 'g', distances('<%>'), conditions('<%>', 0.6), 'grown from nothing: as sequential scans');
same_rows($node, 'd_idx', 'd', distances('<~>'), q{ARRAY['true', 'id % 7 = 1', 'b IS NULL']}, 'a domain: as sequential scans');
same_rows($node, 'e_idx', 'e', q{ARRAY(SELECT format('(binary_quantize(v)::bit(64)) <~> %L::bit(64)', binary_quantize(v)) FROM e WHERE id < 4)}, q{ARRAY['true', 'a < 3', 'id % 7 = 1', 'a = 4 AND x < 50']},
	'an expression: as sequential scans');

# What is refused
foreach my $case ([ 'CREATE TABLE n (b bit varying); CREATE INDEX ON n USING hashemb (b bit_hamming_ops)', 'has no length' ],
	[ q{CREATE TABLE n2 AS SELECT B'101' AS b; CREATE INDEX ON n2 USING hashemb (b bit_hamming_ops)}, 'Declare it as bit(n)' ],
	[ 'CREATE TABLE n3 (b bit(65600)); CREATE INDEX ON n3 USING hashemb (b bit_hamming_ops)', 'column "b" of index "n3_b_idx" has 65600 bits, but a code at most 65535' ],
	[ q{SET enable_seqscan = off; SELECT id FROM t ORDER BY b <~> B'101' LIMIT 1}, 'codes of different sizes: bincode(3) and bincode(256)' ],
	[ q{SELECT distance_bound('<#>', B'101', '<', 1, NULL)}, 'distance_bound knows no operator "<#>" for queries of type bit' ],
	[ q{CREATE TABLE n4 (v sparsevec); CREATE INDEX ON n4 USING hashemb (v)}, 'Declare it as sparsevec(n)' ])
{
	my (undef, undef, $err) = $node->psql('postgres', $case->[0]);
	like($err, qr/\Q$case->[1]\E/, "refused: $case->[1]");
}
is($node->safe_psql('postgres', q{SELECT count(*), bool_and((b @< distance_bound('<%>', code(30, 37, 'p9'), '<', 0.6, NULL)) = (b <%> code(30, 37, 'p9') < 0.6)) FROM t WHERE b IS NOT NULL}) =~ /^\d+\|t$/, 1,
	'a bound means what the operator says');

# -- sparse vectors: with weights of few digits nothing is rounded, and all is equal
$node->safe_psql('postgres', q{
	CREATE TABLE s (id int, v sparsevec(2000), a int);
	CREATE FUNCTION terms(i int, n int) RETURNS sparsevec LANGUAGE sql AS $$
		SELECT svec_agg(1 + abs(hashint4(i * 100 + j)) % (20 * j * j), abs(hashint4(i + j * 7)) % 8 - 2, 2000)::sparsevec FROM generate_series(1, n) j $$;
	INSERT INTO s SELECT i, CASE WHEN i % 50 = 7 THEN NULL WHEN i % 97 = 5 THEN '{}/2000' ELSE terms(i / 2, 10) END, i % 20 FROM generate_series(1, 4000) i;
	CREATE INDEX ip_idx ON s USING hashemb (v, a);
	CREATE INDEX cosine_idx ON s USING hashemb (v sparsevec_cosine_ops, a);
	INSERT INTO s SELECT i, terms(i, 8), i % 20 FROM generate_series(5000, 5300) i; DELETE FROM s WHERE id % 7 = 3;
	VACUUM ANALYZE s;});
my $sparse_conditions = q{ARRAY['true', 'a = 3', 'a < 12 AND id % 3 = 1', 'v IS NULL', 'v IS NOT NULL AND a < 2']};
same_rows($node, 'ip_idx', 's', q{ARRAY(SELECT format('v <#> %L', terms(i * 31, 5)) FROM generate_series(1, 4) i)}, $sparse_conditions, 'ip_idx: as sequential scans');
my $below = q{SELECT count(*), md5(string_agg(d || ' ' || id, ',' ORDER BY d, id)) FROM (SELECT v <#> terms(7, 5) AS d, id FROM s
	WHERE v <#> terms(7, 5) < -3 AND a <> 3 ORDER BY d FETCH FIRST 200 ROWS WITH TIES) x};
is($node->safe_psql('postgres', "SET enable_seqscan = off; SET enable_sort = off; $below"), $node->safe_psql('postgres', "SET enable_indexscan = off; SET hashemb.enable_scan = off; $below"),
	'a condition on the distance is left to the operator');
# pgvector's cosine is of lengths in single precision: rows whose distances agree to
# six digits may come in another order
$node->safe_psql('postgres', q{
	CREATE FUNCTION spread(q sparsevec, k int) RETURNS float8 LANGUAGE plpgsql AS $$
	DECLARE
		by_index float8[];
		by_scan float8[];
	BEGIN
		PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true);
		SELECT array_agg(d) INTO by_index FROM (SELECT v <=> q AS d FROM s WHERE a < 15 ORDER BY v <=> q LIMIT k) x;
		PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true), set_config('enable_indexscan', 'off', true), set_config('hashemb.enable_scan', 'off', true);
		SELECT array_agg(d) INTO by_scan FROM (SELECT v <=> q AS d FROM s WHERE a < 15 ORDER BY v <=> q LIMIT k) x;
		PERFORM set_config('enable_indexscan', 'on', true), set_config('hashemb.enable_scan', 'on', true);
		RETURN (SELECT max(abs(i - s)) FROM unnest(by_index, by_scan) AS u(i, s));
	END $$});
is($node->safe_psql('postgres', q{SELECT max(spread(terms(i * 31, 5), k)) < 1e-6 FROM generate_series(1, 10) i, unnest('{1,10,100}'::int[]) k WHERE terms(i * 31, 5) <> '{}/2000'}), 't', 'cosine_idx: as sequential scans, to six digits');
like($node->safe_psql('postgres', q{SET enable_seqscan = off; EXPLAIN SELECT id FROM s ORDER BY v <=> '{1:1}/2000' LIMIT 3}), qr/Custom Scan \(hashemb\)/, 'cosine_idx is used');
is($node->safe_psql('postgres', q{SELECT hashemb_calibrate('ip_idx', ARRAY[terms(7, 5)]), (SELECT (measured, recall) FROM hashemb_measure_recall('ip_idx', 5, ARRAY[terms(7, 5), terms(9, 5)]))}),
	'f|(2,1)', 'calibrated and measured');
is($node->safe_psql('postgres', "SELECT count(*) FROM unnest(ARRAY['ip_idx', 'cosine_idx']) i, LATERAL hashemb_check(i::regclass, true)"), '2', 'sound');

# -- by DDL alone, to hashemb and back, and through a dump
my $query = "SELECT id FROM t WHERE a = 3 AND b IS NOT NULL ORDER BY b <~> code(30, 37, 'p9'), id LIMIT 20";
my $exact = $node->safe_psql('postgres', "SET enable_indexscan = off; SET hashemb.enable_scan = off; $query");
is($node->safe_psql('postgres', "SET enable_seqscan = off; SET hashemb.recall = 1; $query"), $exact, 'the query through the index');
my $dump = $node->backup_dir . '/pgvector.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, 'postgres' ], 'dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-f', $dump, 'restored' ], 'restore');
is($node->safe_psql('restored', "SET enable_seqscan = off; SET hashemb.recall = 1; $query"), $exact, 'the query where it was restored');
$node->safe_psql('postgres', 'DROP INDEX hamming_idx, jaccard_idx; CREATE INDEX hamming_idx ON t USING hnsw (b bit_hamming_ops); DROP INDEX d_idx, g_idx, e_idx, ip_idx, cosine_idx;
	DROP EXTENSION hashemb_pgvector');
like($node->safe_psql('postgres', "SET enable_seqscan = off; EXPLAIN SELECT id FROM t ORDER BY b <~> code(30, 37, 'p9') LIMIT 5"), qr/hamming_idx/, 'and back');

$node->stop;
done_testing();
