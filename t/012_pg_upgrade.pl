# pg_upgrade: tables with values of every type, indexes of every operator class,
# views, functions and an extension of the version before are what they were.
# Indexes are carried over byte by byte, sound, and go on to be written.
#
# The old cluster is of the same server, or of that of HASHEMB_OLD_SERVER, the
# folder above its programs, as /usr/lib/postgresql/15, where the extension is
# installed, too ("make upgrade"). Seen to fail: with an index that was rebuilt
# before its file was compared; with a row changed after the contents were noted.
use strict;
use warnings;
use Digest::MD5;
use File::Copy;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Checksums must agree, and are the default of PostgreSQL 18; older ones have no option against them
my $old = new_node('old', older => 1, no_data_checksums => !$ENV{HASHEMB_OLD_SERVER});
my $new = PostgreSQL::Test::Cluster->new('new');

$new->init(no_data_checksums => 1);
$new->append_conf('postgresql.conf', "jit = off\nautovacuum = off\nfsync = off");
note 'from ', $old->safe_psql('postgres', 'SELECT version()');

# ---- what a database may have ----

install_functions($old, 'kinds');
$old->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(early elsewhere);
$old->safe_psql('postgres', q{
	SELECT make_kinds('k');
	SELECT fill_kinds('k', 1, 900);
	SELECT index_kinds('k');
	DELETE FROM k WHERE id % 4 = 1;
	VACUUM k;
	SELECT fill_kinds('k', 901, 1200);
	UPDATE k SET a = 6 - a WHERE id % 5 = 0;
	CREATE DOMAIN short_code AS bincode(4) CHECK (VALUE <> '0000'::bincode);
	CREATE TYPE pair AS (code bincode, vector svec);
	CREATE TABLE more (id int PRIMARY KEY, short short_code DEFAULT '0101', list svec[], both_of pair, made bincode(5) GENERATED ALWAYS AS (short || '1'::bincode) STORED,
		CHECK (short <~> '1111'::bincode < 4)) PARTITION BY HASH (id);
	CREATE TABLE more_0 PARTITION OF more FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE more_1 PARTITION OF more FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	CREATE INDEX more_made ON more USING hashemb (made, id);
	INSERT INTO more SELECT i, (1 + i % 15)::bit(4)::bincode, ARRAY['{1:1}/3', '{2:2}/3']::svec[], ('01', '{1:1}/3')::pair FROM generate_series(1, 300) i WHERE i % 15 <> 14;
	CREATE VIEW near AS SELECT id, one <~> kind_bits(3, 'k')::bincode AS d, three <#> ARRAY[1, 2, 3, 4, 5] AS product FROM k WHERE hamming_within(one, kind_bits(3, 'k')::bincode, 60);
	CREATE MATERIALIZED VIEW majority AS SELECT a, bit_majority(one) AS m FROM k GROUP BY a;
	CREATE FUNCTION nearest(q bincode DEFAULT '0', n int DEFAULT 5) RETURNS SETOF bigint STABLE BEGIN ATOMIC SELECT (one <~> q)::bigint FROM k ORDER BY one <~> q LIMIT n; END;
	CREATE AGGREGATE apart(bincode) (SFUNC = bincode_larger, STYPE = bincode);
	CREATE STATISTICS both_kinds ON one, a FROM k;
	ALTER INDEX k_1 SET (block_rows = 50);
	ALTER ROLE CURRENT_USER IN DATABASE postgres SET hashemb.recall = 0.99});
# an extension that was never updated; and one in a schema of its own, with a table of encoders
$old->safe_psql('early', q{
	CREATE EXTENSION hashemb VERSION '0.1.0';
	CREATE TABLE t AS SELECT i AS id, i % 7 AS a, md5(i::text)::bytea::bincode AS c, svec(ARRAY[1 + i % 20, 21 + i % 7], ARRAY[1, i % 5 + 1], 40)::svec(40) AS v, ARRAY[sin(i), cos(i), i % 7]::real[] AS f FROM generate_series(1, 500) i;
	CREATE INDEX t_c ON t USING hashemb ((c::bincode(256)), a);
	CREATE INDEX t_v ON t USING hashemb (v, a);
	CREATE INDEX t_f ON t USING hashemb (f real_l2_ops, a) WITH (dims = 3)});
$old->safe_psql('elsewhere', q{
	CREATE SCHEMA apart;
	CREATE EXTENSION hashemb SCHEMA apart;
	CREATE TABLE encoder AS SELECT apart.hashemb_train('{"method": "pca", "bits": 4}', ARRAY[sin(i), cos(i), i % 7, i % 3, i % 5]::real[]) AS e FROM generate_series(1, 400) i;
	CREATE TABLE row AS SELECT i AS id, ARRAY[sin(i), cos(i), i % 7, i % 3, i % 5]::real[] AS f FROM generate_series(1, 400) i;
	CREATE TABLE coded AS SELECT id, apart.hashemb_encode(e, f) AS c FROM row, encoder;
	CREATE INDEX coded_c ON coded USING hashemb ((c::apart.bincode(4)))});

my @asked = (
	[ postgres => q{SELECT contents('k')} ], [ postgres => q{SELECT contents('more')} ], [ postgres => q{SELECT contents('majority')} ], [ postgres => q{SELECT contents('near')} ],
	[ postgres => q{SELECT string_agg(n::text, ',') FROM nearest(kind_bits(9, 'k')::bincode) n} ], [ postgres => q{SELECT apart(one) FROM k} ],
	[ postgres => q{SELECT string_agg(pg_get_indexdef(indexrelid), chr(10) ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid IN ('k'::regclass, 'more'::regclass, 'more_1'::regclass)} ],
	[ postgres => q{SELECT string_agg(format_type(atttypid, atttypmod), ',' ORDER BY attrelid::regclass::text, attnum) FROM pg_attribute WHERE attrelid IN ('k'::regclass, 'more'::regclass) AND attnum > 0} ],
	[ postgres => q{SELECT string_agg(i::text, chr(10) ORDER BY i::text) FROM pg_class c JOIN pg_am m ON m.oid = relam, hashemb_index_info(c.oid) i WHERE amname = 'hashemb' AND relkind = 'i'} ],
	[ postgres => q{SELECT string_agg(pg_describe_object(classid, objid, 0), chr(10) ORDER BY pg_describe_object(classid, objid, 0)) FROM pg_depend WHERE deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hashemb')
			AND NOT (classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type WHERE oid = objid AND typcategory = 'A')) -- PostgreSQL 17 and newer name types of arrays} ],
	[ postgres => 'SHOW hashemb.recall' ],
	[ early => 'SELECT md5(string_agg(t::text, chr(10) ORDER BY id)) FROM t' ], [ early => q{SELECT extversion FROM pg_extension WHERE extname = 'hashemb'} ],
	[ elsewhere => 'SELECT md5(string_agg(coded::text, chr(10) ORDER BY id)) FROM coded' ], [ elsewhere => 'SELECT md5(e::text) FROM encoder' ]);
my @answers = map { $old->safe_psql($_->[0], "LOAD 'hashemb'; $_->[1]") } @asked;
isnt($answers[$_], '', "something is there: $asked[$_][1]") foreach 0 .. $#asked;

# Files of indexes, by database and name
sub index_files
{
	my ($node) = @_;
	my %file;

	foreach my $database (qw(postgres early elsewhere))
	{
		my $list = $node->safe_psql($database, q{SELECT relname, pg_relation_filepath(c.oid) FROM pg_class c JOIN pg_am m ON m.oid = relam WHERE amname = 'hashemb' AND relkind = 'i'});

		$file{"$database $1"} = $node->data_dir . "/$2" while $list =~ /^(\w+)\|(.+)$/mg;
	}
	return %file;
}

sub digest
{
	open(my $in, '<:raw', $_[0]) or return "no file $_[0]";
	return Digest::MD5->new->addfile($in)->hexdigest;
}

# ---- the upgrade ----

my %before = index_files($old);
$old->stop;
my %digest = map { $_ => digest($before{$_}) } keys %before;
my $bin = $new->config_data('--bindir');
my $old_bin = $ENV{HASHEMB_OLD_SERVER} ? "$ENV{HASHEMB_OLD_SERVER}/bin" : $bin;
chdir ${PostgreSQL::Test::Utils::tmp_check};
my @command = ('pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $old_bin, '-B', $bin, '-s', $new->host, '-p', $old->port, '-P', $new->port);
$new->command_ok([ @command, '--check' ], 'pg_upgrade finds nothing wrong');
$new->command_ok(\@command, 'pg_upgrade');
$new->start;
note 'to ', $new->safe_psql('postgres', 'SELECT version()');

my %after = index_files($new);
is(join(' ', sort keys %after), join(' ', sort keys %before), 'all indexes are there');
is(digest($after{$_}), $digest{$_}, "$_ is as it was") foreach sort keys %after;
is($new->safe_psql($asked[$_][0], "LOAD 'hashemb'; $asked[$_][1]"), $answers[$_], "the same: $asked[$_][1]") foreach 0 .. $#asked;

# ---- it goes on ----

$new->safe_psql('postgres', 'ANALYZE');
is($new->safe_psql('postgres', q{SELECT kinds_are_whole('k')}), 't', 'indexes are sound and have all rows');
is($new->safe_psql('postgres', q{SELECT kind_differences('k')}), '', 'searches find what a scan finds');
$new->safe_psql('postgres', q{
	SELECT fill_kinds('k', 1201, 1500);
	DELETE FROM k WHERE id % 7 = 2;
	UPDATE k SET one = ~one, dense = array_reverse_of(dense) WHERE id % 9 = 4;
	VACUUM k;
	REINDEX INDEX k_5;
	REFRESH MATERIALIZED VIEW majority;
	INSERT INTO more SELECT i, '1110', NULL, NULL FROM generate_series(400, 500) i} =~ s/array_reverse_of\(dense\)/ARRAY(SELECT x FROM unnest(dense) WITH ORDINALITY u (x, n) ORDER BY n DESC)/r);
is($new->safe_psql('postgres', q{SELECT kinds_are_whole('k')}), 't', 'and when they are written');
is($new->safe_psql('postgres', q{SELECT kind_differences('k')}), '', 'searches then');
is($new->safe_psql('postgres', q{SELECT sum(heap_rows) = (SELECT count(*) FROM more) FROM unnest('{more_0_made_id_idx,more_1_made_id_idx}'::regclass[]) i, hashemb_check(i, true)}), 't', 'indexes of partitions');
$new->safe_psql('early', 'ALTER EXTENSION hashemb UPDATE');
isnt($new->safe_psql('early', q{SELECT extversion FROM pg_extension WHERE extname = 'hashemb'}), '0.1.0', 'the extension is updated afterwards');
is($new->safe_psql('early', q{SELECT sum(heap_rows) FROM unnest('{t_c,t_v,t_f}'::regclass[]) i, hashemb_check(i, true)}), '1500', 'with its indexes');
is($new->safe_psql('early', q{SET enable_seqscan = off; SELECT count(*) FROM (SELECT gray_rank(c) FROM t ORDER BY c::bincode(256) <~> (SELECT c::bincode(256) FROM t WHERE id = 5) LIMIT 7) x}), '7', 'and what is new');
is($new->safe_psql('elsewhere', q{SELECT count(*) FROM row, encoder, coded WHERE coded.id = row.id AND apart.hashemb_encode(e, f) OPERATOR(apart.=) c}), '400', 'an encoder encodes as before');

$new->stop;
done_testing();
