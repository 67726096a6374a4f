# hashemb_pgvector: columns of pgvector's types become hashemb's, and back.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

if ($node->safe_psql('postgres',
		"SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == 0)
{
	plan skip_all => 'extension "vector" is not available in this server';
}

# Contents of a table, independent of the type of its column
sub contents
{
	my ($db, $table) = @_;
	return $node->safe_psql($db,
		"SELECT count(*), md5(string_agg(id || ' ' || v::text, ',' ORDER BY id)) FROM $table");
}

sub filenode
{
	my ($table) = @_;
	return $node->safe_psql('postgres', "SELECT pg_relation_filenode('$table')");
}

sub fails_like
{
	my ($sql, $pattern, $name) = @_;
	my ($ret, $out, $err) = $node->psql('postgres', $sql);
	isnt($ret, 0, "$name: is an error");
	like($err, $pattern, "$name: says why");
}

$node->safe_psql('postgres', 'CREATE EXTENSION hashemb_pgvector CASCADE');

# A column of sparsevec, some of it toasted, with an index on it
my $rows = q{
	SELECT i AS id, CASE WHEN i % 50 = 0 THEN NULL ELSE
		(SELECT svec_agg(1 + abs(hashint4(i * 1000 + j)) % 20000, j - 5.5, 20000)
		 FROM generate_series(1, CASE WHEN i % 10 = 0 THEN 1500 ELSE i % 40 END) j) END::sparsevec(20000) AS v
	FROM generate_series(1, 500) i};
$node->safe_psql('postgres', "CREATE TABLE moved AS $rows; CREATE INDEX ON moved (id)");
is($node->safe_psql('postgres',
		"SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'moved'::regclass AND attname = 'v'"),
	'sparsevec(20000)', 'the column has a length');
my $before = contents('postgres', 'moved');
my $file = filenode('moved');

$node->safe_psql('postgres', 'ALTER TABLE moved ALTER v TYPE svec(20000) USING v::svec(20000)');
is(filenode('moved'), $file, 'sparsevec(n) to svec(n) with USING rewrites nothing');
is(contents('postgres', 'moved'), $before, 'the contents are the same');
$node->safe_psql('postgres', 'ALTER TABLE moved ALTER v TYPE sparsevec');
isnt(filenode('moved'), $file, 'svec(n) to sparsevec has every row checked where n is large');
$file = filenode('moved');
is(contents('postgres', 'moved'), $before, 'the contents are the same');
$node->safe_psql('postgres', 'ALTER TABLE moved ALTER v TYPE svec');
is(filenode('moved'), $file, 'sparsevec to svec rewrites nothing');
$node->safe_psql('postgres', 'ALTER TABLE moved ALTER v TYPE svec(20000)');
isnt(filenode('moved'), $file, 'svec to svec(n) has every row checked');
is(contents('postgres', 'moved'), $before, 'the contents are the same');

$node->safe_psql('postgres', "CREATE TABLE assigned AS $rows");
$file = filenode('assigned');
$node->safe_psql('postgres', 'ALTER TABLE assigned ALTER v TYPE svec(20000)');
is(filenode('assigned'), $file, 'sparsevec(n) to svec(n) without USING rewrites nothing');
is(contents('postgres', 'assigned'), $before, 'the contents are the same');

$node->safe_psql('postgres', "CREATE TABLE longer AS $rows");
fails_like('ALTER TABLE longer ALTER v TYPE svec(20001) USING v::svec(20001)',
	qr/svec of 20000 dimensions does not fit type svec\(20001\)/, 'another length');

# More weights than sparsevec's input takes stay out, or a dump would not be
# restored; where the type has few dimensions there is nothing to look at
$node->safe_psql('postgres', q{
	CREATE TABLE heavy AS SELECT svec_agg(i, 1, 20000) AS v FROM generate_series(1, 16001) i;
	CREATE TABLE sparsevecs (v sparsevec(20000), a sparsevec[]);
	CREATE TABLE few (v svec(16000));
	INSERT INTO few SELECT svec_agg(i, 1, 16000) FROM generate_series(1, 16000) i});
for my $door (
	'INSERT INTO sparsevecs SELECT v FROM heavy',
	'INSERT INTO sparsevecs SELECT v::sparsevec FROM heavy',
	'INSERT INTO sparsevecs (a) SELECT ARRAY[v]::sparsevec[] FROM heavy',
	'ALTER TABLE heavy ALTER v TYPE sparsevec')
{
	fails_like($door, qr/svec of 16001 weights is too long for type sparsevec/, $door);
}
$file = filenode('few');
$node->safe_psql('postgres', 'ALTER TABLE few ALTER v TYPE sparsevec');
is(filenode('few'), $file, 'svec(16000) to sparsevec rewrites nothing');
$node->safe_psql('postgres', q{
	INSERT INTO sparsevecs SELECT top(v, 16000) FROM heavy});
is($node->safe_psql('postgres', 'SELECT count(*) FROM sparsevecs WHERE v::text::sparsevec = v'),
	1, 'as many weights as sparsevec takes can be read back');

# Operators agree with pgvector's, which sums in single precision
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM longer a, longer b WHERE a.id < 100 AND b.id < 100 AND
		(abs((a.v::svec <#> b.v::svec) - (a.v <#> b.v)) > 1e-5 * (1 + l2_norm(a.v) * l2_norm(b.v)) OR
		 abs((a.v::svec <-> b.v::svec) - (a.v <-> b.v)) > 1e-5 * (1 + l2_norm(a.v) + l2_norm(b.v)) OR
		 abs((a.v::svec <+> b.v::svec) - (a.v <+> b.v)) > 1e-5 * (1 + (a.v <+> b.v)) OR
		 l2_norm(a.v::svec) <> l2_norm(a.v))}),
	0, 'distances agree with those of sparsevec');
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM longer a, longer b WHERE a.id < 100 AND b.id < 100 AND
		(l2_norm(a.v) = 0 OR l2_norm(b.v) = 0) IS DISTINCT FROM ((a.v::svec <=> b.v::svec) = 'NaN')
		AND a.v IS NOT NULL AND b.v IS NOT NULL}),
	0, 'cosine is NaN for zero vectors only');
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM longer WHERE sparsevec_send(v) <> svec_send(v::svec)}),
	0, 'the binary form is that of sparsevec');

# Dense vectors
is($node->safe_psql('postgres', q{
	SELECT '[0,1.5,0,-2]'::vector::svec, '[0,1.5,0,-2]'::vector::svec(4),
		'[0,1.5,0,-2]'::halfvec::svec, '{2:1.5,4:-2}/4'::svec::vector,
		'{2:1.5,4:-2}/4'::svec::halfvec(4), '{2:1.5,4:-2}/4'::svec::sparsevec}),
	'{2:1.5,4:-2}/4|{2:1.5,4:-2}/4|{2:1.5,4:-2}/4|[0,1.5,0,-2]|[0,1.5,0,-2]|{2:1.5,4:-2}/4',
	'vector and halfvec');
fails_like(q{SELECT '[1,2]'::vector::svec(3)},
	qr/svec of 2 dimensions does not fit type svec\(3\)/, 'vector of another length');
fails_like(q{SELECT '{1:1}/100000'::svec::vector},
	qr/vector cannot have more than 16000 dimensions/, 'too long for a vector');
fails_like(q{SELECT '{1:1e30}/2'::svec::halfvec},
	qr/out of range for type halfvec/, 'too large for a halfvec');
fails_like(q{SELECT '{1:1}/2'::svec <#> '{1:1}/2'::sparsevec},
	qr/operator does not exist/, 'no cast is implicit');

# A stored vector is a float query against codes
is($node->safe_psql('postgres', q{
	SELECT '1011'::bincode(4) <#> '[1,-2,0.5,4]'::vector = '1011'::bincode(4) <#> '{1,-2,0.5,4}'::real[],
		'[1,-2,0.5,4]'::vector <=> '1011'::bincode(4) = '{1,-2,0.5,4}'::real[] <=> '1011'::bincode(4),
		'1011'::bincode(4) <#> '[1,-2,0.5,4]'::halfvec::real[] = '1011'::bincode(4) <#> '{1,-2,0.5,4}'::real[],
		binary_quantize('[1,-2,0.5,4]'::vector)::bincode(4) = binarize('[1,-2,0.5,4]'::vector::real[])}),
	't|t|t|t', 'vector and halfvec as float queries');

# Codes from the signs of dense vectors, typed or not, with thresholds or without
is($node->safe_psql('postgres', q{
	SELECT binarize('[1,-2,0,4]'::vector), binarize('[1,-2,0,4]'::halfvec), binarize('{1,-2,0,4}'::real[]),
		binarize('[1,-2,0,4]'), binarize(' [1, -2, 0, 4] '), binarize('{1,-2,0,4}'), binarize('[0:3]={1,-2,0,4}'),
		binarize(ARRAY[1, -2, 0, 4])}),
	join('|', ('1001') x 8), 'binarize');
is($node->safe_psql('postgres', q{
	SELECT binarize('[1,-2]'::vector, '[2,-3]'), binarize('[1,-2]'::halfvec, '[2,-3]'),
		binarize('[1,-2]', '{2,-3}'), binarize('{1,-2}', '[2,-3]'), binarize('{1,-2}'::real[], '{2,-3}'),
		binarize('[1,-2]'::vector, (SELECT avg(v) FROM (VALUES ('[1,-3]'::vector), ('[3,-3]')) t(v)))}),
	join('|', ('01') x 6), 'binarize with thresholds');
is($node->safe_psql('postgres', q{PREPARE untyped AS SELECT binarize($1); EXECUTE untyped('[1,-2]'); EXECUTE untyped('{1,-2}')}),
	"10\n10", 'binarize of a parameter');
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM (SELECT (SELECT array_agg(sin(i * j)::real ORDER BY j) FROM generate_series(1, 37) j)::vector AS v
		FROM generate_series(1, 100) i) s WHERE binarize(v) <> binary_quantize(v)::bincode(37)}),
	0, 'binarize is binary_quantize');

# The same of vectors that lie at any address: short, long, toasted, and halves of
# which some are subnormal
$node->safe_psql('postgres', q{
	CREATE TABLE stored (pad "char", v vector, more "char", h halfvec, w vector);
	INSERT INTO stored SELECT 'x', v, 'y', v::halfvec, array_agg(1 - x)::vector
	FROM (SELECT n, array_agg((sin(n * j) * 10 ^ (j % 9 - 6))::real ORDER BY j)::vector AS v, array_agg(cos(j)::real) AS a
		FROM (SELECT CASE WHEN n > 190 THEN n * 15 ELSE n END AS n FROM generate_series(1, 200) n) AS s, generate_series(1, n) j GROUP BY n) t,
		unnest(a) x GROUP BY n, v});
is($node->safe_psql('postgres', q{
	SELECT count(*), count(*) FILTER (WHERE pg_column_compression(v) IS NOT NULL OR pg_column_size(v) < 127) > 20,
		bool_and(binarize(v)::text = binary_quantize(v)::text), bool_and(binarize(h)::text = binary_quantize(h)::text),
		bool_and(binarize(v, w) = binarize(v::real[], w::real[])), bool_and(binarize(h, w::halfvec) = binarize(h::real[], w::halfvec::real[]))
	FROM stored}),
	'200|t|t|t|t|t', 'binarize of stored vectors');
fails_like(q{SELECT binarize('[1,2]'::vector, '[1]')}, qr/vectors of different lengths: 2 and 1/, 'thresholds');
fails_like(q{SELECT binarize('[1,x]')}, qr/invalid input syntax for type vector/, 'no vector');

# A column that pgvector searched as bit answers the same queries as codes
$node->safe_psql('postgres', q{
	CREATE TABLE hashes AS SELECT i AS id, (i::bigint * 2654435761 * 40503)::bit(64) AS hash FROM generate_series(1, 2000) i;
	CREATE TABLE codes AS SELECT * FROM hashes;
	ALTER TABLE codes ALTER hash TYPE bincode(64);
	CREATE INDEX codes_idx ON codes USING hashemb (hash)});
for my $op ('<~>', '<%>')
{
	my $query = qq{(7::bigint * 2654435761)::bit(64)};
	# the last bits of Jaccard distances differ
	is( $node->safe_psql('postgres', "SELECT id, round((hash $op $query)::numeric, 12) FROM codes ORDER BY 2, 1 LIMIT 20"),
		$node->safe_psql('postgres', "SELECT id, round((hash $op $query)::numeric, 12) FROM hashes ORDER BY 2, 1 LIMIT 20"),
		"bit strings as queries, $op");
}
like(
	$node->safe_psql('postgres', q{SET enable_seqscan = off;
		EXPLAIN SELECT id FROM codes ORDER BY hash <~> (7::bigint * 2654435761)::bit(64) LIMIT 3}),
	qr/Custom Scan \(hashemb\)/, 'bit strings as queries use the index');

# A dump goes into another database
$node->safe_psql('postgres', q{
	CREATE TABLE kept (id int, v svec(20000), codes svec[], CHECK (dims(v) = 20000));
	INSERT INTO kept SELECT id, v, ARRAY[v, top(v, 2)] FROM moved;
	CREATE INDEX kept_btree ON kept (l2_norm(v));
	CREATE DOMAIN short AS svec(3);
	CREATE VIEW seen AS SELECT id, v <#> '{1:1}/20000' AS score FROM kept});
my $dump = $node->backup_dir . '/svec.dump';
for my $format ('plain', 'custom')
{
	$node->command_ok([ 'pg_dump', '-F', $format, '-f', "$dump.$format", 'postgres' ], "dump, $format");
	$node->safe_psql('postgres', "CREATE DATABASE restored_$format");
	$node->command_ok(
		$format eq 'plain'
		? [ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-f', "$dump.$format", "restored_$format" ]
		: [ 'pg_restore', '-e', '-d', "restored_$format", "$dump.$format" ],
		"restore, $format");
	is(contents("restored_$format", 'kept'), contents('postgres', 'kept'), "$format: the same contents");
	is($node->safe_psql("restored_$format", 'SELECT sum(score) FROM seen'),
		$node->safe_psql('postgres', 'SELECT sum(score) FROM seen'), "$format: the same scores");
}

# Each extension in a schema of its own, none of them in the search path
$node->safe_psql('postgres', 'CREATE DATABASE apart');
$node->safe_psql('apart', q{
	CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA c; CREATE SCHEMA d;
	CREATE EXTENSION vector SCHEMA a;
	CREATE EXTENSION hashemb SCHEMA b;
	CREATE EXTENSION hashemb_pgvector SCHEMA c;
	ALTER EXTENSION hashemb_pgvector SET SCHEMA d;
	ALTER EXTENSION hashemb SET SCHEMA c});
is($node->safe_psql('apart', q{
	SET search_path = pg_catalog;
	SELECT '[0,2]'::a.vector::c.svec, '{2:2}/2'::c.svec::a.halfvec, '{2:2}/2'::a.sparsevec::c.svec(2)}),
	'{2:2}/2|[0,2]|{2:2}/2', 'casts work under any search path');

# Who may create in the database may install both; what goes leaves the rest
$node->safe_psql('postgres', q{
	CREATE ROLE owner_only LOGIN;
	CREATE DATABASE owned OWNER owner_only});
$node->safe_psql('owned', 'CREATE EXTENSION vector');
$node->safe_psql('owned', 'SET ROLE owner_only; CREATE EXTENSION hashemb_pgvector CASCADE');
is($node->safe_psql('owned', q{
	SET ROLE owner_only;
	CREATE TABLE mine AS SELECT '{1:1}/2'::svec AS v;
	DROP EXTENSION hashemb_pgvector;
	SELECT v FROM mine}), '{1:1}/2', 'installed and dropped by an owner');
is($node->safe_psql('owned', q{
	SELECT count(*) FROM pg_cast WHERE castsource = 'svec'::regtype AND casttarget = 'sparsevec'::regtype}),
	0, 'the casts are gone');

$node->stop;
done_testing();
