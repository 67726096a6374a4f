-- bincode: order, equality, hash, bit operators, parts; against the same over
-- text and bit strings
\set ECHO none
\i sql/include/plan.sql
\i sql/include/code.sql
\set ECHO all
CREATE FUNCTION bits_each(c bincode) RETURNS int LANGUAGE sql AS $$
	SELECT CASE WHEN c::text LIKE '%/%' THEN right(c::text, 1)::int ELSE 1 END
$$;
CREATE FUNCTION digits(c bincode) RETURNS text LANGUAGE sql AS $$
	SELECT split_part(c::text, '/', 1)
$$;
-- the bits as they lie: plane by plane, the most significant first
CREATE FUNCTION planes(c bincode) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(substr(('x' || digit)::bit(4)::text,
			4 - bits_each(c) + plane, 1), '' ORDER BY plane, i), '')
	FROM generate_series(1, bits_each(c)) AS plane,
		regexp_split_to_table(digits(c), '') WITH ORDINALITY AS d(digit, i)
	WHERE digit <> ''
$$;

-- by bits per dimension, then dimensions, then planes
CREATE TABLE codes (id serial, c bincode);
INSERT INTO codes (c) VALUES ('1/2'), ('0'), (''), ('/2'), ('1'), ('00'),
	('0/2'), ('3/2'), ('2/2'), ('0/4'), ('/4'), ('01'), ('10'), ('0/3'),
	('12/2'), ('21/2'), ('000000001'), ('000000010'), ('0');
SELECT c FROM codes ORDER BY c, id;
SELECT a.c AS a, b.c AS b, a.c < b.c AS lt, a.c <= b.c AS le, a.c = b.c AS eq,
	a.c <> b.c AS ne, a.c >= b.c AS ge, a.c > b.c AS gt, bincode_cmp(a.c, b.c)
FROM (VALUES ('01'::bincode), ('1/2')) AS a(c),
	(VALUES ('01'::bincode), ('1'), ('10'), ('2/2')) AS b(c);

\set seed 0.25
\echo seed :seed
SELECT setseed(:seed);
INSERT INTO codes (c)
SELECT pg_temp.random_code(n, b)
FROM generate_series(0, 18) AS n, generate_series(1, 4) AS b,
	generate_series(1, 5) AS again;
ANALYZE codes;
-- six operators agree with (bits per dimension, dimensions, planes)
SELECT count(*) AS pairs, count(*) FILTER (WHERE
	(a.c < b.c) <> (a.k < b.k) OR (a.c <= b.c) <> (a.k <= b.k) OR
	(a.c = b.c) <> (a.k = b.k) OR (a.c <> b.c) <> (a.k <> b.k) OR
	(a.c >= b.c) <> (a.k >= b.k) OR (a.c > b.c) <> (a.k > b.k) OR
	bincode_cmp(a.c, b.c) <> (a.k > b.k)::int - (a.k < b.k)::int) AS wrong
FROM (SELECT c, ROW(bits_each(c), dims(c), planes(c) COLLATE "C") AS k FROM codes) AS a,
	(SELECT c, ROW(bits_each(c), dims(c), planes(c) COLLATE "C") AS k FROM codes) AS b;

-- the same rows by B-tree, hash index, merge join, hash join, hash aggregate
CREATE INDEX codes_btree ON codes (c);
CREATE INDEX codes_hash ON codes USING hash (c);
SET enable_seqscan = off;
SELECT count(*) AS codes,
	count(*) FILTER (WHERE found <> (SELECT count(*) FROM codes AS o
		WHERE o.c::text = t.c::text)) AS wrong
FROM (SELECT c, (SELECT count(*) FROM codes AS i WHERE i.c = codes.c) AS found
	FROM codes) AS t;
SET enable_bitmapscan = off;
EXPLAIN (COSTS off) SELECT c FROM codes WHERE c >= '01' AND c < '11' ORDER BY c;
SELECT count(*) = (SELECT count(*) FROM codes WHERE c::text IN ('01', '10'))
FROM codes WHERE c >= '01' AND c < '11';
RESET enable_seqscan;
RESET enable_bitmapscan;
SET enable_nestloop = off;
SET enable_mergejoin = off;
EXPLAIN (COSTS off) SELECT count(*) FROM codes AS a JOIN codes AS b ON a.c = b.c;
SELECT count(*) AS hashed FROM codes AS a JOIN codes AS b ON a.c = b.c \gset
SET enable_mergejoin = on;
SET enable_hashjoin = off;
SELECT count(*) AS merged FROM codes AS a JOIN codes AS b ON a.c = b.c \gset
RESET enable_nestloop;
RESET enable_hashjoin;
RESET enable_mergejoin;
SELECT count(*) AS texts FROM codes AS a JOIN codes AS b ON a.c::text = b.c::text \gset
SELECT :hashed = :texts AS hash_join, :merged = :texts AS merge_join;
SET enable_sort = off;
SELECT count(*) = (SELECT count(DISTINCT c::text) FROM codes) AS aggregate
FROM (SELECT c FROM codes GROUP BY c) AS t;
RESET enable_sort;
-- equal codes hash alike; the seed 0 gives the plain hash
SELECT count(*) FILTER (WHERE
	bincode_hash(c) <> bincode_hash(c::text::bincode) OR
	bincode_hash_extended(c, 0) & 4294967295 <>
		bincode_hash(c)::bigint & 4294967295 OR
	bincode_hash_extended(c, 1) = bincode_hash_extended(c, 2)) AS wrong
FROM codes;
SELECT count(DISTINCT bincode_hash(c)) = count(DISTINCT c) AS no_collision
FROM codes;

-- least and greatest, of all rows, of groups; a B-tree serves them
SELECT min(c), max(c) FROM (VALUES ('01'::bincode), (NULL), ('1/2'), ('001'), ('10')) AS v(c);
SELECT min(c), max(c) FROM codes WHERE false;
SELECT count(*) AS groups, count(*) FILTER (WHERE least <> (SELECT c FROM codes AS o WHERE o.id % 7 = g ORDER BY c LIMIT 1) OR
	greatest <> (SELECT c FROM codes AS o WHERE o.id % 7 = g ORDER BY c DESC LIMIT 1)) AS wrong
FROM (SELECT id % 7 AS g, min(c) AS least, max(c) AS greatest FROM codes GROUP BY 1) AS t;
SET enable_seqscan = off;
SELECT pg_temp.plan_lines('SELECT min(c), max(c) FROM codes', 'Scan');
SELECT min(c) = (SELECT c FROM codes ORDER BY c LIMIT 1) AS least, max(c) = (SELECT c FROM codes ORDER BY c DESC LIMIT 1) AS greatest
FROM codes;
RESET enable_seqscan;
-- values out of line and compressed are states, too
CREATE TABLE large (id int, c bincode);
ALTER TABLE large ALTER c SET STORAGE external;
INSERT INTO large SELECT i, repeat('01', 30000 + i)::bincode FROM generate_series(1, 5) AS i;
SELECT dims(min(c)), dims(max(c)) FROM large;
SELECT id, dims(min(c) OVER w), dims(max(c) OVER w) FROM large WINDOW w AS (ORDER BY id ROWS 1 PRECEDING);
DROP TABLE large;

CREATE TABLE parts (c bincode(8)) PARTITION BY HASH (c);
CREATE TABLE part0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT i::bit(8)::bincode FROM generate_series(0, 255) AS i;
SELECT count(DISTINCT c), count(DISTINCT tableoid) FROM parts;
DROP TABLE parts;
CREATE TABLE ordered (c bincode(8) PRIMARY KEY);
INSERT INTO ordered SELECT i::bit(8)::bincode FROM generate_series(0, 255) AS i;
INSERT INTO ordered VALUES ('00000001');
DROP TABLE ordered;

-- bit operators
SELECT bit_count('0110'::bincode), bit_count(''::bincode), bit_count('111111111'::bincode);
SELECT bit_count('01/2'::bincode);
SELECT a & b AS "and", a | b AS "or", a # b AS "xor", ~ a AS "not", a || b AS both
FROM (VALUES ('0011'::bincode, '0101'::bincode), ('', ''), ('1', '0'),
	('000011110', '111111111')) AS v(a, b);
SELECT '12/2'::bincode || '3/2' AS two, 'f/4'::bincode || '/4' AS four,
	'/3'::bincode || '7/3' AS three;
SELECT '01'::bincode & '010';
SELECT '01'::bincode | '010';
SELECT '01'::bincode # '01/2';
SELECT '01/2'::bincode & '01/2';
SELECT '01/3'::bincode | '01/3';
SELECT '01/4'::bincode # '01/4';
SELECT ~ '01/2'::bincode;
SELECT '01'::bincode || '01/2';
SELECT repeat('0', 65535)::bincode || '1';
SELECT (repeat('0', 16383) || '/4')::bincode || '1/4';
SELECT dims(repeat('0', 65534)::bincode || '1');
SELECT dims((repeat('0', 16382) || '/4')::bincode || '1/4');

\set seed 0.5
\echo seed :seed
SELECT setseed(:seed);
SELECT count(*) AS codes, count(*) FILTER (WHERE
	(a & b)::text <> (a::varbit & b::varbit)::text OR
	(a | b)::text <> (a::varbit | b::varbit)::text OR
	(a # b)::text <> (a::varbit # b::varbit)::text OR
	(~ a)::text <> (~ a::varbit)::text OR
	bit_count(a) <> bit_count(a::varbit) OR
	~ ~ a <> a OR (a # b) # b <> a) AS wrong
FROM (SELECT pg_temp.random_code(n, 1) AS a, pg_temp.random_code(n, 1) AS b
	FROM generate_series(0, 140) AS n) AS t;
SELECT count(*) AS codes, count(*) FILTER (WHERE
	digits(a || b) <> digits(a) || digits(b) OR bits_each(a || b) <> w OR
	subcode(a || b, 1, dims(a)) <> a OR
	subcode(a || b, dims(a) + 1, dims(b)) <> b) AS wrong
FROM (SELECT pg_temp.random_code(n, w) AS a, pg_temp.random_code(m, w) AS b, w
	FROM generate_series(1, 4) AS w, generate_series(0, 20) AS n,
		generate_series(0, 20) AS m) AS t;

-- parts
SELECT subcode('01234567/3', 1, 8), subcode('01234567/3', 3, 4),
	subcode('0101', 1, 0), subcode('0101', 5, 0), subcode('', 1, 0),
	subcode('12/2', 3, 0);
SELECT subcode('0101', 0, 1);
SELECT subcode('0101', -1, 2);
SELECT subcode('0101', 1, -1);
SELECT subcode('0101', 1, 5);
SELECT subcode('0101', 5, 1);
SELECT subcode('0101', 6, 0);
SELECT subcode('0101', 2147483647, 2147483647);
SELECT subcode('0123/2', -2147483648, 2147483647);
SELECT subcode('0101', NULL, 1), dims(NULL::bincode);
SELECT count(*) AS parts, count(*) FILTER (WHERE
	digits(subcode(c, s, k)) <> substr(digits(c), s, k) OR
	bits_each(subcode(c, s, k)) <> w) AS wrong
FROM (SELECT pg_temp.random_code(37, w) AS c, w FROM generate_series(1, 4) AS w) AS t,
	generate_series(1, 38) AS s, LATERAL generate_series(0, 38 - s) AS k;

-- bits beyond the last dimension stay zero: the binary form shows them
SELECT encode(bincode_send(~ '0101'::bincode), 'hex') AS "not",
	encode(bincode_send(subcode('11111111', 2, 3)), 'hex') AS part,
	encode(bincode_send(subcode('ffffffffff/4', 2, 3)), 'hex') AS planes,
	encode(bincode_send('111'::bincode || '11'), 'hex') AS both;

DROP TABLE codes;
DROP FUNCTION planes, digits, bits_each;
