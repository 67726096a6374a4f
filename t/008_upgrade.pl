# Upgrades: whoever updates the extension has what a fresh install has, by the
# catalogs; and an index of version 0.1.0, kept as files, is read, or says REINDEX.
#
# Every upgrade script that lies beside the install scripts is run, between the
# two it names. That tools/upgrade.pl writes such scripts right is tested with
# older versions of the newest install script: a part of it, with what is left
# changed. Scripts run in psql, as CREATE EXTENSION would run them, so nothing
# need be installed.
#
# HASHEMB_KEEP_INDEXES=1 writes the files of the indexes anew: once a format.
# Seen to fail: with a line of an upgrade script taken out; with one byte of the
# metapage of a kept file changed.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Cwd 'abs_path';
use HashembTest;
use IO::Compress::Gzip;
use IO::Uncompress::Gunzip;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = abs_path("$FindBin::RealBin/..");
my $folder = PostgreSQL::Test::Utils::tempdir();
my $node = new_node('upgrade', no_data_checksums => 1);

# All that the catalogs say of what is not the server's own, by names
my $everything = q{
	WITH names AS (SELECT oid, classid::regclass::text AS class FROM (
		SELECT oid, 'pg_proc'::regclass AS classid FROM pg_proc UNION ALL SELECT oid, 'pg_type' FROM pg_type UNION ALL SELECT oid, 'pg_operator' FROM pg_operator
		UNION ALL SELECT oid, 'pg_opclass' FROM pg_opclass UNION ALL SELECT oid, 'pg_opfamily' FROM pg_opfamily UNION ALL SELECT oid, 'pg_cast' FROM pg_cast UNION ALL SELECT oid, 'pg_am' FROM pg_am) a
		WHERE oid >= 16384),
	lines AS (
	SELECT 'function', p.oid::regprocedure::text AS a, concat_ws('|', prosrc, probin, prolang, procost, prorows, prosupport::regproc, prokind, provolatile, proisstrict, proretset, proparallel, proleakproof, prosecdef,
		prorettype::regtype, proargmodes, proargnames, pg_get_expr(proargdefaults, 0), pg_get_function_sqlbody(p.oid), proacl, proconfig) AS b FROM pg_proc p WHERE oid >= 16384
	UNION ALL SELECT 'aggregate', aggfnoid::regprocedure::text, concat_ws('|', aggkind, aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggfinalextra, aggfinalmodify, aggtranstype::regtype, aggtransspace, agginitval, aggsortop::regoperator)
		FROM pg_aggregate WHERE aggfnoid >= 16384
	UNION ALL SELECT 'operator', oid::regoperator::text, concat_ws('|', oprcode, oprcom::regoperator, oprnegate::regoperator, oprrest, oprjoin, oprresult::regtype, oprcanmerge, oprcanhash) FROM pg_operator WHERE oid >= 16384
	UNION ALL SELECT 'class', opcname || ' ' || amname || ' ' || opcintype::regtype, concat_ws('|', opcdefault, opckeytype::regtype, (SELECT opfname FROM pg_opfamily f WHERE f.oid = opcfamily)) FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod WHERE c.oid >= 16384
	UNION ALL SELECT 'family', opfname || ' ' || amname, '' FROM pg_opfamily f JOIN pg_am a ON a.oid = opfmethod WHERE f.oid >= 16384
	UNION ALL SELECT 'member', opfname || ' ' || amname || ' ' || amopstrategy || ' ' || amopopr::regoperator, concat_ws('|', amoppurpose, (SELECT opfname FROM pg_opfamily s WHERE s.oid = amopsortfamily))
		FROM pg_amop o JOIN pg_opfamily f ON f.oid = amopfamily JOIN pg_am a ON a.oid = opfmethod WHERE o.oid >= 16384
	UNION ALL SELECT 'support', opfname || ' ' || amname || ' ' || amprocnum || ' ' || amproclefttype::regtype || ' ' || amprocrighttype::regtype, amproc::regprocedure::text
		FROM pg_amproc o JOIN pg_opfamily f ON f.oid = amprocfamily JOIN pg_am a ON a.oid = opfmethod WHERE o.oid >= 16384
	UNION ALL SELECT 'type', typname, concat_ws('|', typlen, typbyval, typtype, typcategory, typispreferred, typisdefined, typdelim, typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typalign, typstorage, typcollation,
		(SELECT string_agg(attname || ' ' || atttypid::regtype, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = typrelid AND attnum > 0)) FROM pg_type WHERE oid >= 16384
	UNION ALL SELECT 'cast', castsource::regtype || ' ' || casttarget::regtype, concat_ws('|', castfunc::regprocedure, castcontext, castmethod) FROM pg_cast WHERE oid >= 16384
	UNION ALL SELECT 'method', amname, concat_ws('|', amhandler, amtype) FROM pg_am WHERE oid >= 16384
	UNION ALL SELECT 'comment', pg_describe_object(classoid, objoid, 0), description FROM pg_description JOIN names ON objoid = oid AND classoid = class::regclass)
	SELECT * FROM lines ORDER BY 1, 2, 3};

# Run scripts, as CREATE EXTENSION would, in a new database; what the catalogs
# say then
my $databases = 0;

sub catalogs_after
{
	my (@scripts) = @_;
	my $database = 'd' . $databases++;
	my $text = join("\n", map { slurp_file($_) } @scripts);

	$text =~ s/^\\echo.*$//mg;
	$text =~ s/MODULE_PATHNAME/\$libdir\/hashemb/g;
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0");
	$node->safe_psql($database, $text);
	return $node->safe_psql($database, $everything);
}

# Where two texts differ, line by line
sub differing
{
	my ($a, $b) = @_;
	my %a = map { $_ => 1 } split /\n/, $a;
	my %b = map { $_ => 1 } split /\n/, $b;
	my @found = ((map { "- $_" } grep { !$b{$_} } sort keys %a), (map { "+ $_" } grep { !$a{$_} } sort keys %b));

	return join("\n", @found[ 0 .. ($#found > 9 ? 9 : $#found) ]);
}

# ---- scripts that are there ----

my ($control) = slurp_file("$source/hashemb.control") =~ /^default_version = '(.*)'/m;
my $newest = "$source/hashemb--$control.sql";
ok(-e $newest, 'the default version can be installed');
my $fresh = catalogs_after($newest);
cmp_ok(scalar(split /\n/, $fresh), '>', 500, 'the catalogs say something');
my %reached = ($control => 1);
foreach my $script (sort glob("$source/hashemb--*--*.sql"))
{
	my ($from, $to) = $script =~ /hashemb--(.*?)--(.*)\.sql$/;

	$reached{$from} = 1 if $reached{$to};
	is(differing(catalogs_after("$source/hashemb--$from.sql", $script), catalogs_after("$source/hashemb--$to.sql")), '', "$from updated is $to");
}
my @versions = map { /hashemb--([^-]+)\.sql$/ ? $1 : () } glob("$source/hashemb--*.sql");
is(join(' ', grep { !$reached{$_} } @versions), '', 'every version can be updated');

# ---- scripts as tools/upgrade.pl writes them ----

sub put
{
	my ($name, $text) = @_;
	open(my $out, '>', "$folder/$name") or die $!;
	print $out $text;
	close $out;
	return "$folder/$name";
}

# An older version: the script's beginning, up to a share of its sections, with
# another cost, another comment, a member less, and a function that is gone
my $text = slurp_file($newest);
my @parts = split /(?=^-- -{70,}\n-- Section )/m, $text;
cmp_ok(scalar @parts, '>', 6, 'the script has sections');
put('hashemb--9.sql', $text);
foreach my $kept (int(@parts / 2), $#parts)
{
	my $old = join('', @parts[ 0 .. $kept - 1 ]);

	ok($old =~ s/COST 10\b/COST 11/, "$kept sections: a cost is another");
	ok($old =~ s/^\t'Hamming distance';/\t'distance';/m, 'and a comment');
	$old .= "CREATE FUNCTION gone(a integer, OUT b integer) LANGUAGE sql AS 'SELECT 1';\nCOMMENT ON FUNCTION gone(integer) IS 'gone';\n";
	put('hashemb--8.sql', $old);
	my $script = `perl '$source/tools/upgrade.pl' '$folder/hashemb--8.sql' '$folder/hashemb--9.sql' 2>&1`;

	is($?, 0, 'an upgrade script is written') or diag(substr($script, 0, 300));
	cmp_ok(length $script, '<', length $text, 'shorter than the whole');
	is(differing(catalogs_after("$folder/hashemb--8.sql", put('hashemb--8--9.sql', $script)), $fresh), '', 'and gives what a fresh install gives');
	# a line less is noticed
	$script =~ s/^COMMENT ON FUNCTION .*?;\n//ms;
	isnt(differing(catalogs_after("$folder/hashemb--8.sql", put('hashemb--8--9.sql', $script)), $fresh), '', 'without a line it does not');
}
# a class with another member
(my $fewer = $text) =~ s/\n\tOPERATOR 13 [^\n;]*,(?=\n)// or fail('a class has members');
put('hashemb--8.sql', $fewer);
my $script = `perl '$source/tools/upgrade.pl' '$folder/hashemb--8.sql' '$folder/hashemb--9.sql' 2>&1`;
like($script, qr/^ALTER OPERATOR FAMILY/m, 'a new member is added to its family');
is(differing(catalogs_after("$folder/hashemb--8.sql", put('hashemb--8--9.sql', $script)), $fresh), '', 'and the catalogs are the same then');
# what cannot be written is said
put('hashemb--8.sql', $text =~ s/STORAGE = extended/STORAGE = plain/r);
$script = `perl '$source/tools/upgrade.pl' '$folder/hashemb--8.sql' '$folder/hashemb--9.sql' 2>&1`;
isnt($?, 0, 'a type that changes is no matter for a tool');
like($script, qr/write by hand: type bincode$/m, 'which says so');

# ---- indexes of older versions ----

# Rows that are the same everywhere, so that kept indexes fit them
$node->safe_psql('postgres', q{
	CREATE TABLE old_row AS SELECT i AS id, i % 7 AS a, 's' || i % 3 AS s,
			(SELECT string_agg((hashint4(i * 100 + j) & 1)::text, '' ORDER BY j) FROM generate_series(1, 48) j)::bincode(48) AS c,
			svec(ARRAY(SELECT j FROM generate_series(1, 20) j WHERE j = 1 OR hashint4(i * 20 + j) % 3 = 0), ARRAY(SELECT 1 + abs(hashint4(j + i) % 8) / 8.0 FROM generate_series(1, 20) j WHERE j = 1 OR hashint4(i * 20 + j) % 3 = 0), 20)::svec(20) AS v,
			ARRAY(SELECT (hashint4(i * 8 + j) / 2.0 ^ 31)::real FROM generate_series(1, 8) j) AS f
		FROM generate_series(1, 300) i ORDER BY i;
	CREATE INDEX old_code ON old_row USING hashemb (c, a, s);
	CREATE INDEX old_sparse ON old_row USING hashemb (v, a);
	CREATE INDEX old_dense ON old_row USING hashemb (f real_l2_ops, s) WITH (dims = 8);
	CHECKPOINT});
my %search = (
	old_code => q{c <~> repeat('01', 24)::bincode(48)},
	old_sparse => q{v <#> '{1:1,5:0.5,7:2}/20'},
	old_dense => q{f <-> '{1,0,0,0,0.5,0,0,0}'::real[]});
my %file = map { $_ => $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$_')") } keys %search;
my $kept = "$source/test/upgrade";

$node->stop;
if ($ENV{HASHEMB_KEEP_INDEXES})
{
	foreach my $name (sort keys %file)
	{
		my $pages = slurp_file($file{$name});

		# positions in the log of another server mean nothing here
		substr($pages, $_ * 8192, 8) = "\0" x 8 for 0 .. length($pages) / 8192 - 1;
		IO::Compress::Gzip::gzip(\$pages => "$kept/$name-0.1.0.gz", -Time => 0, -Minimal => 1) or die "$kept/$name";
	}
}
my @files = sort glob("$kept/*.gz");
is(scalar(@files), 3 * (() = glob("$kept/old_code-*.gz")), 'indexes of every kind are kept');
cmp_ok(scalar @files, '>=', 3, 'of a version at least');
my %versions = map { /-([\d.]+)\.gz$/ ? ($1 => 1) : () } @files;
foreach my $version (sort keys %versions)
{
	foreach my $name (sort keys %search)
	{
		my $pages;

		IO::Uncompress::Gunzip::gunzip("$kept/$name-$version.gz" => \$pages) or die "$name-$version";
		open(my $out, '>:raw', $file{$name}) or die $!;
		print $out $pages;
		close $out;
	}
	$node->start;
	foreach my $name (sort keys %search)
	{
		my $query = "SELECT string_agg(id || ' ' || round(d::numeric, 5), ',' ORDER BY d, id) FROM (SELECT id, $search{$name} AS d FROM old_row WHERE a < 5 ORDER BY d, id LIMIT 20) x";
		my ($code, $out, $err) = $node->psql('postgres', "SELECT rows FROM hashemb_check('$name', true)");

		if ($err =~ /REINDEX/)
		{
			like($err, qr/ERROR: .*version/, "$name of $version: what is wrong is said, and what to do");
			$node->safe_psql('postgres', "REINDEX INDEX $name");
		}
		else
		{
			is("$out$err", '300', "$name of $version is sound");
		}
		is($node->safe_psql('postgres', "SET hashemb.recall = 1; SET enable_seqscan = off; $query"),
			$node->safe_psql('postgres', "SET enable_indexscan = off; SET hashemb.enable_scan = off; $query"), "$name of $version: searches find what a scan finds");
	}
	# and goes on to be written
	$node->safe_psql('postgres', 'INSERT INTO old_row SELECT id + 300, a, s, c, v, f FROM old_row WHERE id <= 100; DELETE FROM old_row WHERE id > 300; VACUUM old_row');
	is($node->safe_psql('postgres', "SELECT sum(rows) FROM unnest('{old_code,old_sparse,old_dense}'::regclass[]) i, hashemb_check(i, true)"), '900', "indexes of $version are written");
	$node->stop;
}

done_testing();
