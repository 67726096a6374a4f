# Dump and restore: codes of every width, in columns, domains, arrays, indexes,
# constraints and views, come back the same; so do columns that were bit.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->start;

$node->safe_psql('postgres', 'CREATE DATABASE source');
$node->safe_psql('postgres', 'CREATE DATABASE target');
$node->safe_psql(
	'source', q{
	CREATE SCHEMA other;
	CREATE EXTENSION hashemb SCHEMA other;
	SET search_path = public, other;
	CREATE DOMAIN short_code AS bincode(4) CHECK (VALUE <> '0000'::bincode);
	CREATE TABLE codes (
		id int PRIMARY KEY,
		any_code bincode,
		one bincode(12) DEFAULT '010101010101',
		two bincode(3, 2) CHECK (two <=> '000/2'::bincode < 2),
		four bincode(2, 4),
		short short_code,
		list bincode(2)[],
		ball hamming_ball DEFAULT hamming_ball('01', 1),
		was_bit bit(20),
		was_varying bit varying,
		made bincode GENERATED ALWAYS AS (one || '1'::bincode) STORED);
	INSERT INTO codes (id, any_code, one, two, four, short, list, was_bit,
		was_varying)
	SELECT i, (CASE i % 4 WHEN 0 THEN '' WHEN 1 THEN '/3'
			WHEN 2 THEN repeat('1', i) ELSE repeat('7', i) || '/3' END)::bincode,
		i::bit(12)::bincode, '123/2', ('f' || to_hex(i % 16) || '/4')::bincode, '0101',
		ARRAY['01', '10', NULL]::bincode[], i::bit(20), i::bit(10)
	FROM generate_series(1, 300) AS i;
	INSERT INTO codes (id) VALUES (1000);
	-- the longest codes of each width
	INSERT INTO codes (id, any_code, ball, was_varying)
	SELECT 1000 + b, (repeat('1', 65535 / b) || '/' || b)::bincode, hamming_ball(repeat('1', 65535)::bincode, b),
		repeat('1', 65535)::bit varying
	FROM generate_series(1, 4) AS b;
	ALTER TABLE codes ALTER was_bit TYPE bincode(20);
	ALTER TABLE codes ALTER was_varying TYPE bincode;
	CREATE INDEX by_order ON codes (any_code);
	CREATE INDEX by_hash ON codes USING hash (any_code);
	CREATE INDEX by_expression ON codes ((was_bit::bincode(20)));
	CREATE VIEW near AS
	SELECT id, one <~> '000000000000' AS hamming, two <#> ARRAY[1, 2, 3] AS product
	FROM codes
	WHERE hamming_within(one, '000000000111', 4);
	CREATE MATERIALIZED VIEW majority AS
	SELECT id % 3 AS g, bit_majority(one) AS m FROM codes GROUP BY 1;
});

# Who may insert cannot put in what would break the dump
my $long = "$PostgreSQL::Test::Utils::tmp_check/long";
for my $insert (
	q{INSERT INTO codes (id, any_code) VALUES (2000, repeat('1', 70000)::bit varying)},
	q{INSERT INTO codes (id, was_varying) VALUES (2000, repeat('1', 65536)::bit varying)},
	q{INSERT INTO codes (id, any_code) VALUES (2000, repeat('1', 65536)::bit(65536)::bincode)},
	qq{COPY (SELECT 2000, repeat('1', 65536)::bit varying) TO '$long.binary' (FORMAT binary);
		COPY codes (id, any_code) FROM '$long.binary' (FORMAT binary)},
	qq{COPY (SELECT 2000, repeat('1', 65536)) TO '$long.text'; COPY codes (id, any_code) FROM '$long.text'})
{
	my ($ret, $out, $err) = $node->psql('source', "SET search_path = public, other; $insert");

	isnt($ret, 0, "refused: $insert");
	like($err, qr/too long|invalid code in message/, 'with its reason');
}

my $file = "$PostgreSQL::Test::Utils::tmp_check/dump.sql";
$node->command_ok([ 'pg_dump', '-f', $file, 'source' ], 'dump');
$node->command_ok(
	[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, 'target' ],
	'restore');

for my $query (
	'SELECT codes::text FROM codes ORDER BY id',
	'SELECT near::text FROM near ORDER BY id',
	'SELECT majority::text FROM majority ORDER BY g',
	q{SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
		WHERE attrelid = 'codes'::regclass AND attnum > 0 ORDER BY attnum},
	q{SELECT pg_get_indexdef(indexrelid) FROM pg_index
		WHERE indrelid = 'codes'::regclass ORDER BY 1},
	q{SELECT pg_get_constraintdef(oid) FROM pg_constraint
		WHERE conrelid = 'codes'::regclass ORDER BY 1},
	q{SELECT pg_get_viewdef('near'::regclass)})
{
	my ($name) = $query =~ /FROM (\w+)/;
	my $path = "SET search_path = public, other; ";
	my $source = $node->safe_psql('source', $path . $query);

	isnt($source, '', 'something to compare: ' . ($name // 'view'));
	is($node->safe_psql('target', $path . $query),
		$source, 'the same: ' . ($name // 'view'));
}

# A second dump is the first
my $again = "$PostgreSQL::Test::Utils::tmp_check/again.sql";
$node->command_ok([ 'pg_dump', '-f', $again, 'target' ], 'dump again');
my ($first, $second) = map {
	my $text = slurp_file($_);
	$text =~ s/^\\(un)?restrict .*$//mg;
	$text
} ($file, $again);
is($second, $first, 'both dumps are the same');

$node->stop;
done_testing();
