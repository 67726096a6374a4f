# docs/privileges.md is complete and true: every function of the extension stands
# there; those that look at something ask for the right that is named, by role;
# the others are immutable. And no search_path, nor objects that somebody has put
# into the extension's schema before, make the install script or a function's
# body call what is not the extension's or the server's.
#
# HASHEMB_WRITE_PRIVILEGES=1 writes the list of immutable functions anew.
# Seen to fail: with a name taken out of the document's list; with a right in its
# table that is another; with pg_catalog. taken from hashemb_freeze.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use File::Basename;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $document = "$FindBin::RealBin/../docs/privileges.md";
my $text = slurp_file($document);
my $node = new_node('privileges');

my $functions = q{
	SELECT p.*, p.oid::regprocedure::text AS signature FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
		JOIN pg_extension e ON e.oid = d.refobjid AND extname = 'hashemb'};

# ---- every function is in the document ----

# Rows of the table by signature: who may call it. A cell names one function, and
# others of the same name by their arguments.
my %who;
foreach my $row (grep { /^\| `hashemb_/ } split /\n/, $text)
{
	my (undef, $names, $right) = split /\s*\|\s*/, $row;
	my ($name) = $names =~ /`(\w+)\(/;

	$who{ ($1 || $name) . $2 } = $right while $names =~ /`(\w*)(\([^`]*\))`/g;
}
my @looking = split /\n/, $node->safe_psql('postgres', "SELECT signature FROM ($functions) f WHERE provolatile <> 'i' AND NOT 'internal'::regtype = ANY (proargtypes) ORDER BY 1");
is(join("\n", grep { !$who{$_} } @looking), '', 'every function that may look at something says in docs/privileges.md who may call it');
my %looking = map { $_ => 1 } @looking;
is(join("\n", grep { !$looking{$_} } sort keys %who), '', 'and no other');

# The others by name, immutable or called by the server alone
my $list = join("\n\n", map {
	my ($title, $condition) = @$_;
	my $names = $node->safe_psql('postgres', "SELECT string_agg(DISTINCT format('`%s`', proname), ', ' ORDER BY format('`%s`', proname)) FROM ($functions) f WHERE $condition");
	my $line = "$title: $names.";
	my $wrapped = '';

	foreach my $word (split / /, $line)
	{
		my ($last) = $wrapped =~ /([^\n]*)$/;
		$wrapped .= ($wrapped eq '' ? '' : length("$last $word") > 120 ? "\n" : ' ') . $word;
	}
	$wrapped;
} ([ 'Aggregates', "prokind = 'a'" ],
	[ 'Called by the server alone', "prokind = 'f' AND ('internal'::regtype = ANY (proargtypes) OR prorettype = 'internal'::regtype)" ],
	[ 'Functions', "prokind = 'f' AND provolatile = 'i' AND NOT 'internal'::regtype = ANY (proargtypes) AND prorettype <> 'internal'::regtype" ]));
if ($ENV{HASHEMB_WRITE_PRIVILEGES})
{
	$text =~ s/(<!-- written by .*? -->\n).*?(<!-- end -->)/$1\n$list\n\n$2/s;
	open(my $out, '>', $document) or die "$document: $!";
	print $out $text;
	close $out;
}
my ($written) = $text =~ /<!-- written by .*? -->\n(.*?)<!-- end -->/s;
is($written =~ s/^\n+|\n+$//gr, $list, 'the others are listed (HASHEMB_WRITE_PRIVILEGES=1 writes them)');
is($node->safe_psql('postgres', "SELECT string_agg(signature, ' ') FROM ($functions) f WHERE proacl IS NOT NULL OR prosecdef"), '', 'all are for everybody, with the rights of the caller');

# ---- they ask for the right that is named ----

$node->safe_psql('postgres', q{
	CREATE ROLE owner; CREATE ROLE heir IN ROLE owner; CREATE ROLE stranger; CREATE ROLE reader; CREATE ROLE part; CREATE ROLE all_parts; CREATE ROLE hidden;
	GRANT CREATE ON SCHEMA public TO owner;
	SET ROLE owner;
	CREATE TABLE seen (id int, a int, secret int, c bincode(16), v real[], s svec(8));
	INSERT INTO seen SELECT i, i % 5, i, (i * 40503)::bit(16)::bincode, ARRAY[sin(i), cos(i), i % 3], svec(ARRAY[1 + i % 8], ARRAY[1 + i % 3], 8) FROM generate_series(1, 1200) i;
	CREATE INDEX seen_c ON seen USING hashemb (c, a); CREATE INDEX seen_v ON seen USING hashemb (v real_l2_ops, a) WITH (dims = 3); CREATE INDEX seen_s ON seen USING hashemb (s, a);
	CREATE TABLE guarded (LIKE seen INCLUDING ALL);
	INSERT INTO guarded SELECT * FROM seen;
	ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
	CREATE POLICY few ON guarded USING (a = 1);
	GRANT SELECT ON seen, guarded TO reader;
	GRANT SELECT (c, v, s) ON seen TO part;
	GRANT SELECT (a, c, v, s) ON seen TO all_parts;});
my %queries = (bincode => [ 'c', q{ARRAY['0101010101010101']::bincode[]} ], svec => [ 's', q{ARRAY['{1:1}/8']::svec[]} ], real => [ 'v', 'ARRAY[[1, 0, 0]]::real[]' ], 'double precision' => [ 'v', 'ARRAY[[1, 0, 0]]::float8[]' ]);

# A call of a function of an index of a table
sub call
{
	my ($signature, $table, $whole) = @_;
	my ($name, $args) = $signature =~ /^(\w+)\((.*)\)$/;
	my ($type) = $args =~ /,?([a-z ]+)\[\]$/;
	my ($column, $array) = $type ? @{ $queries{$type} || die "no queries of type $type" } : ('c', '');
	my $index = $table eq 'seen' ? "seen_$column" : 'guarded_' . ($column eq 'c' ? 'c_a_idx' : $column eq 'v' ? 'v_a_idx' : 's_a_idx');
	my %values = (regclass => "'$index'", integer => '3', boolean => $whole ? 'true' : 'false');

	return "SELECT count(*) FROM $name(" . join(', ', map { $values{$_} // $array } split /,/, $args) . ') x';
}

# Role, table, and who of SELECT and owner it is
my @cases = ([ 'stranger', 'seen', '' ], [ 'part', 'seen', '' ], [ 'all_parts', 'seen', 'SELECT' ], [ 'reader', 'seen', 'SELECT' ], [ 'owner', 'seen', 'SELECT owner' ], [ 'heir', 'seen', 'SELECT owner' ],
	[ 'stranger', 'guarded', '' ], [ 'reader', 'guarded', '' ], [ 'owner', 'guarded', 'SELECT owner' ]);
foreach my $signature (grep { /regclass/ } @looking)
{
	my $right = $who{$signature} // next;

	foreach my $whole ($signature =~ /boolean/ ? (0, 1) : 0)
	{
		my $needs = $whole ? ($right =~ /with the table.*owner/ ? 'owner' : 'SELECT') : $right;

		foreach my $case (@cases)
		{
			my ($role, $table, $has) = @$case;
			my $may = ($needs =~ /SELECT/ && $has =~ /SELECT/) || ($needs =~ /owner/ && $has =~ /owner/) ? 1 : 0;
			my ($code, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\nSET ROLE $role; " . call($signature, $table, $whole));

			is($err eq '' ? 1 : $err =~ /42501/ ? 0 : $err, $may, "$signature" . ($whole ? ' with the table' : '') . ": $role of $table " . ($may ? 'may' : 'may not'));
		}
	}
}
$node->safe_psql('postgres', q{SET ROLE stranger; SELECT hashemb_freeze('f', (SELECT hashemb_train('{"method": "random", "bits": 8}', ARRAY[1, i, 3]::real[]) FROM generate_series(1, 20) i), 'real[]')});
pass('anyone may freeze');

# ---- search_path ----

foreach my $script (glob("$FindBin::RealBin/../hashemb*--?.?.?.sql"))
{
	my $name = basename($script);

	my $sql = slurp_file($script);

	# an update replaces functions of the version that it leads from, by the same arguments
	if ($name =~ /^(\w+--[\d.]+)--/)
	{
		my $before = slurp_file("$FindBin::RealBin/../$1.sql");

		$sql =~ s/OR REPLACE (FUNCTION \w+\([^()]*\))/index($before, "CREATE $1") < 0 ? $& : $1/ge;
	}
	unlike($sql, qr/\b(?:OR REPLACE|IF NOT EXISTS)\b/i, "$name takes nothing for its own that is there");
	# each body is parsed when it is made, or names the schema of what it calls
	my @strings = slurp_file($script) =~ /AS (\$\$.*?\$\$)/gs;
	is(join("\n", grep { /\bFROM (?!pg_catalog\.|\(|$)/ } @strings), '', "$name: bodies that are strings read pg_catalog");
}

# Names of all that bodies call, in a schema of an attacker's, with the same
# arguments: they raise, as does an operator and a type's name. Put in front of
# everything, and into the extension's schema before it is installed.
$node->safe_psql('postgres', q{
	CREATE FUNCTION evil(target text) RETURNS int LANGUAGE plpgsql AS $evil$
	DECLARE f record; n int := 0;
	BEGIN
		FOR f IN SELECT proname, oidvectortypes(proargtypes) AS args, prokind, format_type(prorettype, NULL) AS result FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f'
			AND NOT prorettype IN ('internal'::regtype, 'trigger'::regtype, 'cstring'::regtype) AND NOT proargtypes::oid[] && ARRAY['internal'::regtype, 'cstring'::regtype]::oid[] AND NOT proretset
			AND provariadic = 0 AND proname ~ '^[a-z]' AND proname IN ('format', 'quote_ident', 'string_agg', 'parse_ident', 'unnest', 'array_agg', 'sqrt', 'length', 'abs', 'coalesce', 'sum', 'float8', 'text', 'int4', 'round')
		LOOP
			EXECUTE format('CREATE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', target, f.proname, f.args, f.result, 'BEGIN RAISE EXCEPTION ''ATTACKED''; END');
			n := n + 1;
		END LOOP;
		EXECUTE format('CREATE FUNCTION %I.format(text, VARIADIC "any") RETURNS text LANGUAGE internal STABLE AS ''text_format_nv''', target) ;
		FOR f IN SELECT * FROM (VALUES ('oid', 'oid'), ('name', 'text'), ('name', 'name'), ('text', 'text'), ('int4', 'int4'), ('float8', 'float8')) v(l, r) LOOP
			EXECUTE format('CREATE FUNCTION %I.attack(a %s, b %s) RETURNS bool LANGUAGE plpgsql AS %L', target, f.l, f.r, 'BEGIN RAISE EXCEPTION ''ATTACKED''; END');
			EXECUTE format('CREATE OPERATOR %I.= (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %I.attack)', target, f.l, f.r, target);
			n := n + 1;
		END LOOP;
		FOR f IN SELECT * FROM (VALUES ('pg_extension'), ('pg_namespace'), ('pg_type')) v(t) LOOP
			EXECUTE format('CREATE VIEW %I.%I AS SELECT NULL::oid AS oid, ''evil''::name AS nspname, ''hashemb''::name AS extname, 0::oid AS extnamespace, 0::oid AS typnamespace, ''evil''::name AS typname', target, f.t);
		END LOOP;
		RETURN n;
	END $evil$;});

# What SQL bodies give, under a path
my @calls = (
	q{SELECT hashemb_freeze('f', '%s', 'real[]')},
	map { "SELECT $_" } (
		q{inner_product('0101'::bincode(4), '{1,2,3,4}'::smallint[])}, q{negative_inner_product('{1,2,3,4}'::bigint[], '0101'::bincode(4))},
		q{hamming_bincode_bit('0101'::bincode(4), B'1111')}, q{jaccard_bit_bincode(B'1111', '0101'::bincode(4))}));
my $model = $node->safe_psql('postgres', q{SELECT hashemb_train('{"method": "random", "bits": 8}', ARRAY[1, i, 3]::real[]) FROM generate_series(1, 20) i});
cmp_ok($node->safe_psql('postgres', q{CREATE SCHEMA evil; SELECT evil('evil')}), '>', 8, 'an attacker has made functions and operators');
my $victim = 'SET search_path = evil, pg_catalog, public;';
my ($code, $out, $err) = $node->psql('postgres', "$victim SELECT quote_ident('x')");
like($err, qr/ATTACKED/, 'which are called by who does not name schemas');
foreach my $call (map { sprintf($_, $model) } @calls)
{
	($code, $out, $err) = $node->psql('postgres', "$victim $call");
	is("$err$out", $node->safe_psql('postgres', $call), 'but not by ' . substr($call, 7, 40));
}
# bodies that are strings would be parsed at each call, by the path of that moment
is($node->safe_psql('postgres', "SELECT string_agg(proname, ' ') FROM ($functions) f JOIN pg_language l ON l.oid = prolang WHERE lanname NOT IN ('c', 'internal') AND prosqlbody IS NULL"),
	'', 'no body is a string');

# The planner looks for distance_bound(text, query, ...) in the extension's schema:
# for every type of query there is one of the extension's own, so that nobody
# can put another there
is($node->safe_psql('postgres', q{
	SELECT string_agg(opfname || ' ' || amoprighttype::regtype, ', ') FROM pg_amop o JOIN pg_opfamily f ON f.oid = amopfamily JOIN pg_am a ON a.oid = opfmethod AND amname = 'hashemb'
	WHERE amoppurpose = 'o' AND EXISTS (SELECT FROM pg_amop b WHERE b.amopfamily = o.amopfamily AND b.amopstrategy = 13)
		AND NOT EXISTS (SELECT FROM pg_proc WHERE proname = 'distance_bound' AND proargtypes[1] = amoprighttype)}), '', 'no type of query is left to others');

# Searches whose conditions become others in the planner
my $search = q{SELECT count(*), min(id) FROM (SELECT id FROM public.seen WHERE c OPERATOR(public.<~>) '0101010101010101'::public.bincode OPERATOR(pg_catalog.<=) 5 AND public.hamming_within(c, '0101010101010101', 6) ORDER BY c OPERATOR(public.<~>) '0101010101010101'::public.bincode LIMIT 10) x};
$node->safe_psql('postgres', q{
	CREATE FUNCTION evil.distance_bound(text, public.bincode, text, float8, float8) RETURNS public.distance_bound LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE EXCEPTION ''ATTACKED''; END';
	CREATE FUNCTION evil.hamming_ball(public.bincode, int) RETURNS public.hamming_ball LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE EXCEPTION ''ATTACKED''; END'});
is($node->safe_psql('postgres', "SET enable_seqscan = off; $victim $search"), $node->safe_psql('postgres', $search), 'nor by the planner');

# The schema of the extension, filled before: by who may create objects there
$node->safe_psql('postgres', 'CREATE DATABASE trapped');
my $make = $node->safe_psql('postgres', q{SELECT pg_get_functiondef('evil'::regproc)});
my $before = $node->safe_psql('trapped', "$make; CREATE SCHEMA theirs; SELECT evil('theirs'); CREATE EXTENSION hashemb SCHEMA theirs; SELECT count(*) FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hashemb')");
cmp_ok((split /\n/, $before)[-1], '>', 300, 'it installs among traps');
foreach my $call (map { sprintf($_, $model) } @calls)
{
	($code, $out, $err) = $node->psql('trapped', "SET search_path = pg_catalog, theirs; $call");
	is("$err$out" =~ s/\btheirs\b/public/gr, $node->safe_psql('postgres', $call), 'and does not call them in ' . substr($call, 7, 40));
}
foreach my $trap (q{CREATE FUNCTION theirs.hashemb_handler(internal) RETURNS index_am_handler LANGUAGE internal AS 'bthandler'}, 'CREATE TYPE theirs.bincode', q{CREATE FUNCTION theirs.hashemb_check(regclass, boolean) RETURNS bool LANGUAGE sql AS 'SELECT true'})
{
	$node->safe_psql('trapped', "DROP EXTENSION IF EXISTS hashemb; DROP SCHEMA theirs CASCADE; CREATE SCHEMA theirs; $trap");
	($code, $out, $err) = $node->psql('trapped', 'CREATE EXTENSION hashemb SCHEMA theirs');
	isnt($code, 0, "it does not adopt: $trap");
}

$node->stop;
done_testing();
