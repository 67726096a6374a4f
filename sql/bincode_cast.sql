-- bincode and bit strings: casts, and ALTER TABLE without a rewrite
SELECT '0101'::bincode::bit(4), '0101'::bincode::bit varying, B'0101'::bincode,
	B'0101'::bit varying::bincode, B'0101'::bincode(4), '0101'::bincode::bit(2),
	''::bincode::bit varying, ''::bit varying::bincode;
SELECT '0101/2'::bincode::bit(4);
SELECT '/2'::bincode::bit varying;
SELECT B'0101'::bincode(5);
SELECT B'0101'::bincode(4, 2);
-- never implicit: operators between the types do not exist
SELECT B'0101' <~> '0110'::bincode;
SELECT B'0101' = '0101'::bincode;
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
ALTER TABLE codes ALTER v TYPE bincode;
SELECT pg_relation_filenode('codes') = :before AS unchanged;
ALTER TABLE codes ALTER n TYPE bincode;
SELECT pg_relation_filenode('codes') = :before AS unchanged;
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

DROP TABLE codes, copy, other, expressions;
