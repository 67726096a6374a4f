-- bincode and hamming_ball: the binary form, there and back; all that it
-- refuses, in COPY files around one value made by hand
CREATE FUNCTION random_code(n int, b int) RETURNS bincode LANGUAGE sql AS $$
	SELECT (coalesce(string_agg(to_hex(floor(random() * (1 << b))::int), ''), '') ||
		CASE b WHEN 1 THEN '' ELSE '/' || b END)::bincode
	FROM generate_series(1, n)
$$;
CREATE TABLE codes (id int, c bincode, f bincode(12, 2), b hamming_ball, a bincode[]);
\set seed 0.375
\echo seed :seed
SELECT setseed(:seed);
INSERT INTO codes
SELECT id, c, (repeat('0123', 3) || '/2')::bincode, CASE WHEN id % 4 = 1 THEN hamming_ball(c, id - 5) END,
	ARRAY[c, NULL]
FROM (SELECT n * 4 + w AS id, random_code(n, w) AS c
	FROM generate_series(0, 70) AS n, generate_series(1, 4) AS w OFFSET 0) AS made;
SELECT count(DISTINCT c) > 270 AS many FROM codes;
CREATE TABLE back (LIKE codes);
\copy codes TO 'results/bincode_binary.bin' (FORMAT binary)
\copy back FROM 'results/bincode_binary.bin' (FORMAT binary)
SELECT count(*) AS rows, count(*) FILTER (WHERE o.c <> b.c OR o.f <> b.f OR
	o.b::text IS DISTINCT FROM b.b::text OR o.a <> b.a) AS wrong
FROM codes AS o JOIN back AS b USING (id);

-- 1 bit per dimension: the form of bit and bit varying, either way
CREATE TABLE bits (id int, v bit varying);
CREATE TABLE ones (id int, c bincode);
INSERT INTO ones SELECT id, c FROM codes WHERE c::text !~ '/';
SELECT count(*) AS rows, count(*) FILTER (WHERE
	bincode_send(c) <> varbit_send(c::bit varying)) AS wrong FROM ones;
\copy ones TO 'results/bincode_binary.bin' (FORMAT binary)
\copy bits FROM 'results/bincode_binary.bin' (FORMAT binary)
SELECT count(*) AS rows, count(*) FILTER (WHERE c::text <> v::text) AS wrong FROM ones JOIN bits USING (id);
TRUNCATE ones;
\copy bits TO 'results/bincode_binary.bin' (FORMAT binary)
\copy ones FROM 'results/bincode_binary.bin' (FORMAT binary)
SELECT count(*) AS rows, count(*) FILTER (WHERE c::text <> v::text) AS wrong FROM ones JOIN bits USING (id);
SELECT encode(bincode_send('0101'), 'hex') AS one, encode(bincode_send('31f0/4'), 'hex') AS four,
	encode(bincode_send(''), 'hex') AS empty, encode(bincode_send('/2'), 'hex') AS empty2,
	encode(hamming_ball_send('(0101,-1)'), 'hex') AS ball;

-- the binary form of bytea is its bytes, so a bytea makes any field; a script
-- is written that copies case after case
CREATE TABLE one (c bincode);
CREATE TABLE one8 (c bincode(8));
CREATE TABLE ball (b hamming_ball);
CREATE TABLE cases (id serial, target text, field bytea);
INSERT INTO cases (target, field) VALUES
	('one', '\x0000000450'), ('one', '\x00000000'), ('one', '\x0001000280c0'),
	('one8', '\x00000008ff'), ('ball', '\xffffffff0000000450'),
	('one', ''), ('one', '\x00'), ('one', '\x000000'), ('one', '\x00000004'),
	('one', '\x0000000450ff'), ('one', '\x000000045000'), ('one', '\x00000004ff'),
	('one', '\x0000000451'), ('one', '\x0000000101'), ('one', '\x0000000780'),
	('one', '\x0000000701'), ('one', '\x0000000980'), ('one', '\x00000009804000'),
	('one', '\x00000009807f'), ('one', '\xffffffff'), ('one', '\xffffffffff'),
	('one', '\x80000000'), ('one', '\x8000000850'), ('one', '\x7fffffff'),
	('one', '\x0000ffff'), ('one', '\x00010000ff'), ('one', '\x00010008ff'),
	('one', '\x00010004f0ff'), ('one', '\x00010004fff0'), ('one', '\x00010004f0f000'),
	('one', '\x0002000880808080'), ('one', '\x00040008ffffffffff'), ('one', '\x00050000'),
	('one', '\x00ff0000'), ('one', '\x01000008ff'), ('one', '\x08000000'),
	('one', int4send(65536) || decode(repeat('ff', 8192), 'hex')),
	('one', int4send(70000) || decode(repeat('ff', 8750), 'hex')),
	('one', int4send(65536 + 65535) || decode(repeat('fe', 16384), 'hex')),
	('one', int4send(3 * 65536 + 16384) || decode(repeat('ff', 8192), 'hex')),
	('one8', '\x0000000450'), ('one8', '\x00000000'), ('one8', '\x00010008ffff'),
	('one8', '\x0000000980ff'), ('ball', ''), ('ball', '\x00000001'),
	('ball', '\x0000000100'), ('ball', '\x0000000100000004ff'),
	('ball', '\x000000010000000450ff'), ('ball', '\x00000001000100048080'),
	('ball', '\x0000000100ff0000'), ('ball', '\x00000001ffffffff');
\pset format unaligned
\pset tuples_only on
\o results/bincode_binary.sql
SELECT format($$\echo %s %s %s
\copy (SELECT field FROM cases WHERE id = %s) TO 'results/bincode_binary.bin' (FORMAT binary)
\copy %s FROM 'results/bincode_binary.bin' (FORMAT binary)$$, target, length(field),
	left(encode(field, 'hex'), 40), id, target)
FROM cases ORDER BY id;
\o
\pset format aligned
\pset tuples_only off
\set ECHO none
\set SHOW_CONTEXT never
\i results/bincode_binary.sql
\set ECHO all
SELECT * FROM one;
SELECT * FROM one8;
SELECT * FROM ball;

DROP TABLE codes, back, bits, ones, one, one8, ball, cases;
DROP FUNCTION random_code;
