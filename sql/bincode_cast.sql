-- bincode and bit strings: casts, and ALTER TABLE without a rewrite
\set ECHO none
\i sql/include/plan.sql
\i sql/include/code.sql
\set ECHO all
SELECT '0101'::bincode::bit(4), '0101'::bincode::bit varying, B'0101'::bincode,
	B'0101'::bit varying::bincode, B'0101'::bincode(4), '0101'::bincode::bit(2),
	''::bincode::bit varying, ''::bit varying::bincode;
SELECT '0101/2'::bincode::bit(4);
SELECT '/2'::bincode::bit varying;
SELECT B'0101'::bincode(5);
SELECT B'0101'::bincode(4, 2);
-- never implicit: operators and functions take no bit string for a code, but for
-- two that say so
SELECT B'0101' = '0101'::bincode;
SELECT B'0101' <#> '0101'::bincode;
SELECT hamming(B'0101', B'0110');
SELECT castsource::regtype, casttarget::regtype, castcontext, castmethod
FROM pg_cast
WHERE castsource = 'bincode'::regtype OR casttarget = 'bincode'::regtype
ORDER BY castsource::regtype::text, casttarget::regtype::text;

-- both ways by assignment
CREATE TABLE codes (id int PRIMARY KEY, f bit(512) NOT NULL, v bit varying,
	n bit varying(16), CHECK (f::text <> ''));
\set seed 0.375
\echo seed :seed
SELECT setseed(:seed);
INSERT INTO codes
SELECT i, (SELECT string_agg((random() < 0.5)::int::text, '')
		FROM generate_series(1, 512) WHERE i > 0)::bit(512), i::bit(20), i::bit(12)
FROM generate_series(1, 500) AS i;
INSERT INTO codes VALUES (0, '0101'::bit(512), '1'::bincode, '01'::bincode);
INSERT INTO codes VALUES (-1, repeat('1', 511)::bincode, '1'::bincode, '01');
INSERT INTO codes VALUES (-1, repeat('1', 512)::bincode, '12/2'::bincode, '01');
CREATE INDEX codes_f ON codes (f);
CREATE TABLE copy AS SELECT * FROM codes;
SELECT pg_relation_filenode('codes') AS before \gset

-- the same length: no rewrite, the same values, check and index in place
ALTER TABLE codes ALTER f TYPE bincode(512);
SELECT pg_relation_filenode('codes') = :before AS unchanged;
ALTER TABLE codes ALTER n TYPE bincode;
SELECT pg_relation_filenode('codes') = :before AS unchanged;
-- a bit string without a length may be longer than a code, so it is looked at
ALTER TABLE codes ALTER v TYPE bincode;
SELECT pg_relation_filenode('codes') <> :before AS rewritten;
SELECT pg_relation_filenode('codes') AS before \gset
\d codes
SELECT count(*) AS rows, count(*) FILTER (WHERE codes.f::bit(512) <> copy.f OR
	codes.v::bit varying <> copy.v OR codes.n::text <> copy.n::text) AS wrong
FROM codes JOIN copy USING (id);
SET enable_seqscan = off;
SELECT count(*) FROM codes JOIN copy ON codes.f = copy.f::bincode(512);
RESET enable_seqscan;
INSERT INTO codes SELECT id + 1000, f::bincode, v::bincode, n::bincode FROM copy WHERE id < 2;
INSERT INTO codes VALUES (2000, '0101', '1', '1');
SELECT id, dims(f), v, n FROM codes WHERE id >= 1000 ORDER BY id;
-- losing the modifier costs nothing either
ALTER TABLE codes ALTER f TYPE bincode;
SELECT pg_relation_filenode('codes') = :before AS unchanged;
-- a new modifier must look at every row, so it rewrites, or fails and does not
ALTER TABLE codes ALTER f TYPE bincode(511);
SELECT pg_relation_filenode('codes') = :before AS unchanged;
ALTER TABLE codes ALTER f TYPE bincode(512);
SELECT pg_relation_filenode('codes') <> :before AS rewritten;
ALTER TABLE codes ALTER f TYPE bincode(512, 2);
-- and back
ALTER TABLE codes ALTER f TYPE bit(512);
SELECT count(*) AS rows, count(*) FILTER (WHERE codes.f <> copy.f) AS wrong
FROM codes JOIN copy USING (id);

-- other lengths are checked
CREATE TABLE other (f bit(8), v bit varying(8));
INSERT INTO other VALUES ('01010101', '01010101');
ALTER TABLE other ALTER f TYPE bincode(9);
ALTER TABLE other ALTER f TYPE bincode(8, 2);
ALTER TABLE other ALTER v TYPE bincode(8);
SELECT * FROM other;
ALTER TABLE other ALTER v TYPE bincode(9);

-- an index on the expression finds the query's expression
CREATE TABLE expressions (f bit(16));
INSERT INTO expressions SELECT i::bit(16) FROM generate_series(1, 100) AS i;
CREATE INDEX ON expressions ((f::bincode(16)));
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS off) SELECT * FROM expressions WHERE f::bincode(16) = '0000000000000111';
SELECT * FROM expressions WHERE f::bincode(16) = '0000000000000111';
RESET enable_seqscan;
RESET enable_bitmapscan;

-- what is too long for a code is refused at every door: casts, assignment, arrays,
-- domains, rows, PL/pgSQL, ALTER TABLE; what got in can be read and copied
CREATE DOMAIN bits AS bit varying;
CREATE DOMAIN code AS bincode;
CREATE TYPE bit_row AS (b bit varying, f bit(70000));
CREATE TYPE code_row AS (b bincode, f bincode);
CREATE TABLE doors (c bincode, a bincode[], d code, r code_row, n bincode(65535));
CREATE TABLE wide (f bit(70000), v bit varying, w bit varying(70000), a bit varying[], r bit_row, d bits);
CREATE TABLE narrow (f bit(65535), w bit varying(65535), g bit(65536), d bits);
INSERT INTO wide VALUES (repeat('1', 70000)::bit(70000), repeat('1', 65536)::bit varying,
	repeat('1', 65536)::bit varying, ARRAY[repeat('1', 65536)::bit varying],
	ROW(repeat('1', 65536)::bit varying, NULL)::bit_row, repeat('1', 131072)::bit varying);
INSERT INTO doors (c) VALUES ('01');
SELECT command, pg_temp.complaint(command)
FROM unnest(ARRAY[
	$$INSERT INTO doors (c) SELECT f FROM wide$$,
	$$INSERT INTO doors (c) SELECT v FROM wide$$,
	$$INSERT INTO doors (c) SELECT d FROM wide$$,
	$$INSERT INTO doors (c) SELECT w::bit varying(65536) FROM wide$$,
	$$INSERT INTO doors (c) SELECT f::bincode FROM wide$$,
	$$INSERT INTO doors (c) VALUES (repeat('1', 70000)::varbit)$$,
	$$INSERT INTO doors (c) VALUES (repeat('1', 70000)::bincode)$$,
	$$INSERT INTO doors (c) SELECT decode(repeat('ff', 8192), 'hex')$$,
	$$INSERT INTO doors (c) SELECT 'x' || repeat('f', 16384)$$,
	$$INSERT INTO doors (c) SELECT ('x' || repeat('f', 16384))::bincode$$,
	$$INSERT INTO doors (a) SELECT a FROM wide$$,
	$$INSERT INTO doors (a) SELECT a::bincode[] FROM wide$$,
	$$INSERT INTO doors (a[2]) SELECT v FROM wide$$,
	$$INSERT INTO doors (d) SELECT v FROM wide$$,
	$$INSERT INTO doors (d) SELECT d::code FROM wide$$,
	$$INSERT INTO doors (r) SELECT ROW(v, f)::code_row FROM wide$$,
	$$INSERT INTO doors (r) SELECT r::text::code_row FROM wide$$,
	$$INSERT INTO doors (r.b) SELECT v FROM wide$$,
	$$INSERT INTO doors (n) SELECT v FROM wide$$,
	$$UPDATE doors SET c = (SELECT v FROM wide)$$,
	$$DO 'DECLARE c bincode; BEGIN c := repeat(''1'', 65536)::bit varying; END'$$,
	$$SELECT json_populate_record(NULL::doors, json_build_object('c', v)) FROM wide$$,
	$$ALTER TABLE wide ALTER f TYPE bincode$$,
	$$ALTER TABLE wide ALTER v TYPE bincode$$,
	$$ALTER TABLE wide ALTER w TYPE bincode$$,
	$$ALTER TABLE wide ALTER a TYPE bincode[]$$,
	$$ALTER TABLE wide ALTER d TYPE bincode$$,
	$$ALTER TABLE wide ALTER v TYPE code USING v::bincode$$,
	$$CREATE TABLE door AS SELECT f::bincode FROM wide$$,
	$$CREATE VIEW door AS SELECT f::bincode FROM wide; SELECT max(f) FROM door$$,
	$$CREATE INDEX ON wide ((v::bincode))$$]) AS command;
-- the longest bit strings that are codes come in, and out again
INSERT INTO narrow SELECT repeat('10', 32767)::bit(65535), repeat('1', 65535)::bit varying, NULL, repeat('1', 65535)::bit varying;
INSERT INTO doors SELECT f, ARRAY[f, w], w::bincode, ROW(f, w)::code_row, f FROM narrow;
SELECT pg_relation_filenode('narrow') AS before \gset
ALTER TABLE narrow ALTER f TYPE bincode, ALTER w TYPE bincode;
SELECT pg_relation_filenode('narrow') = :before AS unchanged;
ALTER TABLE narrow ALTER g TYPE bincode;
SELECT pg_relation_filenode('narrow') <> :before AS looked;
\copy doors TO 'results/bincode_cast.text'
\copy doors TO 'results/bincode_cast.binary' (FORMAT binary)
CREATE TABLE back (LIKE doors);
\copy back FROM 'results/bincode_cast.text'
\copy back FROM 'results/bincode_cast.binary' (FORMAT binary)
SELECT count(*) AS rows, count(*) FILTER (WHERE x::text <> y::text) AS wrong FROM back AS x JOIN doors AS y USING (c);

-- packed bits, as numpy.packbits makes them: as many bytes as the type says,
-- and nothing behind the last bit
SELECT '\xff00'::bytea::bincode(12), '\xa5'::bytea::bincode AS all_bits, ''::bytea::bincode AS none,
	'\x1234'::bytea::bincode(8, 2), '\x80'::bytea::bincode(1);
SELECT '\xff01'::bytea::bincode(12);
SELECT '\xff'::bytea::bincode(12);
SELECT '\xff0000'::bytea::bincode(12);
SELECT '\xff'::bytea::bincode(8, 2);
SELECT '\xf8f0'::bytea::bincode(4, 2);
SELECT '\xf0f8'::bytea::bincode(4, 2);
SELECT ''::bytea::bincode(1);
SELECT '0101'::bincode(4)::bytea, '0123/2'::bincode::bytea, ''::bincode::bytea;
SELECT dims(decode(repeat('ff', 8191), 'hex')::bincode), dims((decode(repeat('ff', 8191), 'hex') || '\xfe')::bincode(65535));
CREATE TABLE packed (c bincode(12), t bytea);
INSERT INTO packed VALUES ('\xff00'::bytea, NULL);
INSERT INTO packed VALUES ('\xff01'::bytea, NULL);
INSERT INTO packed VALUES ('\xff'::bytea, NULL);
INSERT INTO packed VALUES (NULL, '0101'::bincode);
SELECT * FROM packed;
SELECT count(*) AS codes, count(*) FILTER (WHERE c::bytea <> substr(bincode_send(c), 5) OR
	CASE WHEN c::text LIKE '%/2' THEN c::bytea::bincode(37, 2) ELSE c::bytea::bincode(37) END <> c) AS wrong
FROM (SELECT (string_agg(((i * 7919 * j) % 101 % n)::text, '') || CASE n WHEN 4 THEN '/2' ELSE '' END)::bincode AS c
	FROM generate_series(1, 50) AS i, generate_series(1, 37) AS j, (VALUES (2), (4)) AS v(n) GROUP BY i, n) AS made;

-- 64-bit integers, as perceptual hashes are stored: dimension 1 is the sign bit
SELECT 1::bigint::bincode(64), (-2)::bigint::bincode AS minus_two, subcode((1::bigint << 63)::bincode, 1, 2) AS first;
SELECT i, i::bincode::bigint = i AS same, i::bincode::text = i::bit(64)::text AS as_bit
FROM unnest(ARRAY[0, 1, -1, 9223372036854775807, -9223372036854775808, 1234567890123456789]) AS i;
SELECT a.i::bincode <~> b.i::bincode AS distance, bit_count((a.i # b.i)::bit(64)) AS expected
FROM (VALUES (1234567890123456789)) AS a(i), (VALUES (-987654321098765432)) AS b(i);
SELECT 5::bigint::bincode(32);
SELECT '01'::bincode::bigint;
SELECT (repeat('0', 64) || '/2')::bincode::bigint;
SELECT 5::bincode;
INSERT INTO doors (c) VALUES (101010101010101010);
-- hexadecimal text, as bit takes it
SELECT 'x00ff'::bincode(16), ('x' || hash)::bincode(64) AS stored, ('x' || hash)::bincode(64)::bytea = decode(hash, 'hex') AS same
FROM (VALUES ('d879f8f89b1bbf03')) AS v(hash);
SELECT 'x00ff'::bincode(15);

-- a column that was bit is asked as before: the operators of codes stand in for
-- those with a bit string, so that an index serves them
SELECT '0101'::bincode <~> B'0110' AS hamming, B'0110' <~> '0101'::bincode AS turned,
	'0101'::bincode <%> B'0110' AS jaccard, B'0110' <%> '0101'::bincode AS turned,
	'0101'::bincode <~> '0110'::bit varying AS varying, '0101'::bincode <~> '0110' AS untyped,
	'0101'::bincode <~> NULL::bit(4) AS none;
\set SHOW_CONTEXT never
SELECT '0101'::bincode <~> B'011';
SELECT '0101/2'::bincode <~> B'0110';
SELECT '0101'::bincode <~> repeat('1', 70000)::bit varying;
\set SHOW_CONTEXT errors
CREATE TABLE hashes (id int, hash bit(64));
INSERT INTO hashes SELECT i, (i::bigint * 2654435761 * 40503)::bit(64) FROM generate_series(1, 1000) AS i;
ALTER TABLE hashes ALTER hash TYPE bincode(64);
CREATE INDEX ON hashes USING hashemb (hash);
CREATE INDEX ON hashes USING hashemb (hash bincode_jaccard_ops);
SET enable_seqscan = off;
SELECT pg_temp.plan_lines(format('SELECT id FROM hashes ORDER BY %s LIMIT 3', expression), 'Custom|Order')
FROM unnest(ARRAY['hash <~> B''0000000000000000000000000000000000000000000000000000000000001111''',
	'B''0000000000000000000000000000000000000000000000000000000000001111'' <%> hash']) AS expression;
PREPARE near (bit) AS SELECT id, hash <~> $1 AS distance FROM hashes ORDER BY hash <~> $1, id LIMIT 3;
EXECUTE near (B'0000000000000000000000000000000000000000000000000000000000001111');
RESET enable_seqscan;
SELECT id, hash <~> '0000000000000000000000000000000000000000000000000000000000001111'::bincode AS distance
FROM hashes ORDER BY 2, 1 LIMIT 3;
DEALLOCATE near;

DROP TABLE codes, copy, other, expressions, doors, wide, narrow, back, packed, hashes;
DROP TYPE bit_row, code_row;
DROP DOMAIN bits, code;
