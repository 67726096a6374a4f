# What the extension leaves in the catalogs: every object explained, operator
# classes valid, functions declared as they should be, and that it installs for
# an ordinary owner of a database, into any schema, and leaves without a trace.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('catalog');
$node->init;
$node->start;

# Objects of the extension
my $objects = q{
	SELECT d.classid, d.objid,
		pg_describe_object(d.classid, d.objid, 0) AS name
	FROM pg_depend d JOIN pg_extension e
		ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE d.deptype = 'e' AND e.extname = 'hashemb'};

$node->safe_psql('postgres', 'CREATE EXTENSION hashemb');

is( $node->safe_psql(
		'postgres', qq{
	SELECT name FROM ($objects) o
	WHERE obj_description(objid, classid::regclass::name) IS NULL
	AND classid NOT IN ('pg_amop'::regclass, 'pg_amproc'::regclass)
	-- made along with an operator class or a type of the extension
	AND NOT EXISTS (SELECT 1 FROM pg_opclass c JOIN pg_opfamily f
		ON f.oid = opcfamily AND opcname = opfname AND opcmethod = opfmethod
		WHERE classid = 'pg_opfamily'::regclass AND f.oid = objid)
	AND NOT EXISTS (SELECT 1 FROM pg_type WHERE typarray = objid)
	ORDER BY name}),
	'',
	'every object has a comment');

is( $node->safe_psql(
		'postgres', qq{
	SELECT name FROM ($objects) o
	JOIN pg_opclass c ON classid = 'pg_opclass'::regclass AND c.oid = objid
	WHERE NOT amvalidate(c.oid) ORDER BY name}),
	'',
	'every operator class is valid');

is( $node->safe_psql(
		'postgres', qq{
	SELECT p.oid::regprocedure FROM ($objects) o
	JOIN pg_proc p ON classid = 'pg_proc'::regclass AND p.oid = objid
	JOIN pg_language l ON l.oid = prolang
	WHERE lanname = 'c' AND prosrc NOT LIKE 'hx\\_%'
		OR proconfig IS NOT NULL OR prosecdef
	ORDER BY 1}),
	'',
	'functions are named hx_ in C and run with the rights of the caller');

is( $node->safe_psql(
		'postgres', qq{
	SELECT p.oid::regprocedure FROM ($objects) o
	JOIN pg_operator op ON classid = 'pg_operator'::regclass AND op.oid = objid
	JOIN pg_proc p ON p.oid = oprcode
	WHERE provolatile <> 'i' OR proparallel <> 's' OR NOT proisstrict
	ORDER BY 1}),
	'',
	'functions of operators are immutable, strict and safe in parallel');

is( $node->safe_psql(
		'postgres', qq{
	SELECT op.oid::regoperator FROM ($objects) o
	JOIN pg_operator op ON classid = 'pg_operator'::regclass AND op.oid = objid
	WHERE oprname IN ('<~>', '<%>', '<#>', '<=>', '<->', '<+>', '=', '<>',
		'<', '<=', '>', '>=') AND oprcom = 0
	ORDER BY 1}),
	'',
	'distances and comparisons have commutators');

$node->safe_psql('postgres', 'DROP EXTENSION hashemb');

# A member of no role but the database's owner, and a schema of any name
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE theirs OWNER owner');
my @as_owner = (extra_params => [ '-U', 'owner' ]);
my $count = $node->safe_psql('theirs', 'SELECT count(*) FROM pg_depend');
$node->safe_psql(
	'theirs', q{
	CREATE SCHEMA "an other";
	CREATE EXTENSION hashemb SCHEMA "an other"}, @as_owner);
pass('the owner of a database may create it, in any schema');
$node->safe_psql('theirs', 'ALTER EXTENSION hashemb SET SCHEMA public');
pass('it moves to another schema');
$node->safe_psql(
	'theirs', q{
	DROP EXTENSION hashemb;
	DROP SCHEMA "an other"}, @as_owner);
is($node->safe_psql('theirs', 'SELECT count(*) FROM pg_depend'),
	$count, 'and leaves nothing behind');

$node->stop;
done_testing();
