# Ways to attach an encoder to a table, dumped and restored: a column that a
# trigger fills, a frozen function in a generated column and in an index, and a
# table of encoders survive, also when the extension has moved; a generated column
# by a function that reads a table does not, which is why the documentation warns
# of it.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('encoder_dump');
$node->init;
$node->start;

my $vectors = q{
	CREATE SCHEMA other;
	CREATE EXTENSION hashemb SCHEMA other;
	SET search_path = public, other;
	CREATE TABLE encoder (name text, version int, model hashemb_model NOT NULL, PRIMARY KEY (name, version));
	CREATE TABLE zz_source AS SELECT id, array_agg(sin(id * d)::real ORDER BY d) AS x
		FROM generate_series(1, 300) id, generate_series(1, 64) d GROUP BY id;
	INSERT INTO encoder SELECT 'news', 1, hashemb_train('{"method": "itq", "bits": 48}', x ORDER BY id) FROM zz_source;
};

# Dump one database, restore it into another; psql's complaints
sub copy_database
{
	my ($source, $target) = @_;
	my $file = "$PostgreSQL::Test::Utils::tmp_check/$source.sql";
	my ($out, $err);

	$node->safe_psql('postgres', "CREATE DATABASE $target");
	$node->command_ok([ 'pg_dump', '-f', $file, $source ], "dump $source");
	IPC::Run::run([ 'psql', '-X', '-q', '-f', $file, '-d', $node->connstr($target) ], '>', \$out, '2>', \$err);
	return $err;
}

$node->safe_psql('postgres', 'CREATE DATABASE good');
$node->safe_psql('good', $vectors . q{
	-- a column that a trigger fills
	CREATE TABLE filled (id int PRIMARY KEY, x real[], code bincode(48));
	CREATE FUNCTION fill_code() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
	BEGIN
		NEW.code := hashemb_encode((SELECT model FROM encoder WHERE name = 'news' AND version = 1), NEW.x);
		RETURN NEW;
	END $$;
	CREATE TRIGGER fill_code BEFORE INSERT OR UPDATE OF x ON filled FOR EACH ROW EXECUTE FUNCTION fill_code();
	INSERT INTO filled SELECT id, x FROM zz_source;
	CREATE INDEX ON filled USING hashemb (code);
	-- a frozen function
	DO $$ BEGIN EXECUTE hashemb_freeze('news_code', (SELECT model FROM encoder)); END $$;
	CREATE TABLE made (id int PRIMARY KEY, x real[], code bincode(48) GENERATED ALWAYS AS (news_code(x)) STORED);
	INSERT INTO made SELECT id, x FROM zz_source;
	CREATE INDEX ON made USING hashemb (code);
	CREATE TABLE indexed (id int PRIMARY KEY, x real[]);
	INSERT INTO indexed SELECT id, x FROM zz_source;
	CREATE INDEX ON indexed USING hashemb ((news_code(x)::bincode(48)));
	CREATE VIEW named AS SELECT id, hashemb_encode(model, x) AS code FROM zz_source, encoder WHERE name = 'news' AND version = 1;
});
is(copy_database('good', 'good_copy'), '', 'all ways that should survive a restore do');

my $checks = q{
	SET search_path = public, other;
	SET hashemb.recall = 1;
	SET enable_seqscan = off;
	SELECT count(*), count(DISTINCT f.code), bool_and(f.code = m.code AND m.code = n.code AND n.code = news_code(i.x))
	FROM filled f JOIN made m USING (id) JOIN indexed i USING (id) JOIN named n USING (id);
	SELECT md5(string_agg(id || ' ' || code::text, ',' ORDER BY id)) FROM filled;
	SELECT string_agg(id::text, ',') FROM (SELECT id FROM filled ORDER BY code <~> (SELECT code FROM filled WHERE id = 7), id LIMIT 10) s;
	SELECT string_agg(id::text, ',') FROM (SELECT id FROM indexed ORDER BY news_code(x)::bincode(48) <~> (SELECT code FROM filled WHERE id = 7), id LIMIT 10) s;
	SELECT md5(model::text), (hashemb_info(model)).digest FROM encoder;
};
my $before = $node->safe_psql('good', $checks);
like($before, qr/^300\|[23]\d\d\|t\n/, 'three ways give the same codes');
is($node->safe_psql('good_copy', $checks), $before, 'and so they do after the restore');
is( $node->safe_psql('good_copy', q{SET search_path = public, other;
	INSERT INTO filled (id, x) SELECT 1000, x FROM zz_source WHERE id = 9;
	INSERT INTO made (id, x) SELECT 1000, x FROM zz_source WHERE id = 9;
	SELECT f.code = n.code AND m.code = n.code FROM filled f, made m, named n WHERE f.id = 1000 AND m.id = 1000 AND n.id = 9}),
	't', 'trigger and generated column work on');

# The extension moves to another schema: the frozen function knows what it calls,
# not its name. Its own errors do not print the encoder.
$node->safe_psql('good', 'CREATE SCHEMA third; ALTER EXTENSION hashemb SET SCHEMA third');
for my $path ('public, third', 'pg_catalog')
{
	is( $node->safe_psql('good', qq{SET search_path = $path;
		INSERT INTO public.made (id, x) SELECT id + 2000, x FROM public.zz_source WHERE id = 9;
		UPDATE public.made SET x = (SELECT x FROM public.zz_source WHERE id = 10) WHERE id = 2009;
		INSERT INTO public.indexed SELECT id + 2000, x FROM public.zz_source WHERE id = 10;
		SELECT m.code OPERATOR(third.=) public.news_code(i.x), m.code OPERATOR(third.=) f.code FROM public.made m, public.indexed i, public.filled f
			WHERE m.id = 2009 AND i.id = 2010 AND f.id = 10;
		DELETE FROM public.made WHERE id > 2000; DELETE FROM public.indexed WHERE id > 2000;}),
		't|t', "a generated column and an index go on after the move, search_path $path");
}
for my $statement ("INSERT INTO made VALUES (3000, '{1,2}')", "SELECT news_code('{1,2}')", "SELECT news_code(x[:2]) FROM made", "INSERT INTO indexed VALUES (3000, '{1,2}')")
{
	my ($result, $out, $err) = $node->psql('good', "SET search_path = public; \\set VERBOSITY verbose\n$statement");
	like($err, qr/vector has 2 dimensions/, "$statement is refused");
	cmp_ok(length($err), '<', 400, 'in few words');
}
my ($result, $out, $err) = $node->psql('good', 'DROP EXTENSION hashemb');
like($err, qr/function news_code\(real\[\]\) depends on/, 'a frozen function depends on the extension');
is(copy_database('good', 'moved_copy'), '', 'dumped and restored after the move');
(my $moved = $checks) =~ s/other/third/g;
is($node->safe_psql('moved_copy', $moved), $node->safe_psql('good', $moved), 'with the same codes');
is( $node->safe_psql('moved_copy', 'ALTER EXTENSION hashemb SET SCHEMA public; INSERT INTO made (id, x) SELECT 4000, x FROM zz_source WHERE id = 9;
	SELECT count(*) FROM made m JOIN made n USING (code) WHERE m.id = 4000 AND n.id = 9'), 1, 'and moved again');
$node->safe_psql('good', 'ALTER EXTENSION hashemb SET SCHEMA other');

# The form that fails: a function that says IMMUTABLE and reads a table
$node->safe_psql('postgres', 'CREATE DATABASE bad');
$node->safe_psql('bad', $vectors . q{
	ALTER TABLE encoder RENAME TO zz_encoder;
	CREATE FUNCTION lying_code(x real[]) RETURNS bincode LANGUAGE plpgsql IMMUTABLE STRICT AS
		$$BEGIN RETURN (SELECT other.hashemb_encode(model, x) FROM public.zz_encoder WHERE name = 'news'); END$$;
	CREATE TABLE made (id int PRIMARY KEY, x real[], code bincode GENERATED ALWAYS AS (lying_code(x)) STORED);
	INSERT INTO made SELECT id, x FROM zz_source;
});
is($node->safe_psql('bad', 'SELECT count(*) FROM made WHERE code IS NOT NULL'), 300,
	'a function that reads the encoder works at first');
copy_database('bad', 'bad_copy');
($result, $out, $err) = $node->psql('bad_copy', 'SELECT count(*) FROM made WHERE code IS NOT NULL');
isnt($out, '300', 'but its codes, or its whole table, are lost by a restore');

# A model in an index expression itself is too large for the catalogs up to 17;
# 18 gave pg_index a place for long values
($result, $out, $err) = $node->psql('good', q{SET search_path = public, other;
	SELECT hashemb_train('{"method": "random", "dims": 256}', x ORDER BY id) AS large FROM zz_source \gset
	CREATE INDEX ON indexed USING hashemb ((hashemb_encode(:'large'::hashemb_model, x)::bincode(256)))});
if ($node->safe_psql('postgres', q{SELECT current_setting('server_version_num')::int / 10000}) < 18)
{
	like($err, qr/row is too big/, 'a literal in an index expression is refused');
}
else
{
	is($err, '', 'a literal in an index expression is stored');
}

# What the server itself refuses
($result, $out, $err) = $node->psql('good', q{SET search_path = public, other;
	CREATE TABLE refused (x real[], code bincode GENERATED ALWAYS AS
		(hashemb_encode((SELECT model FROM encoder), x)) STORED)});
like($err, qr/cannot use subquery in column generation expression/, 'so is a subquery in a generated column');

$node->stop;
done_testing();
