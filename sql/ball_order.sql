-- Equality, order and hash of balls: rows with one can be compared, sorted,
-- grouped and found by B-trees and hashes
\set VERBOSITY terse
CREATE TABLE balls (id int, b hamming_ball);
INSERT INTO balls SELECT i, ('(' || (ARRAY['', '0', '1', '01', '10', '0101'])[1 + i % 6] || ',' || (ARRAY[-2147483648, -1, 0, 3, 2147483647])[1 + i % 5] || ')')::hamming_ball
FROM generate_series(1, 60) i;
INSERT INTO balls VALUES (61, NULL);
-- the order is total: by the centre, as of codes, then by the radius
WITH parts AS (SELECT id, b, substring(b::text, '\((.*),')::bincode AS centre, substring(b::text, ',(.*)\)')::int AS radius FROM balls)
SELECT count(*) AS pairs, count(*) FILTER (WHERE (x.b < y.b) <> ((x.centre, x.radius) < (y.centre, y.radius)) OR (x.b <= y.b) <> ((x.centre, x.radius) <= (y.centre, y.radius))
	OR (x.b = y.b) <> ((x.centre, x.radius) = (y.centre, y.radius)) OR (x.b <> y.b) <> ((x.centre, x.radius) <> (y.centre, y.radius))
	OR (x.b >= y.b) <> ((x.centre, x.radius) >= (y.centre, y.radius)) OR (x.b > y.b) <> ((x.centre, x.radius) > (y.centre, y.radius))
	OR hamming_ball_cmp(x.b, y.b) <> (x.b > y.b)::int - (x.b < y.b)::int
	OR (x.b = y.b AND (hamming_ball_hash(x.b) <> hamming_ball_hash(y.b) OR hamming_ball_hash_extended(x.b, 7) <> hamming_ball_hash_extended(y.b, 7)))) AS wrong
FROM parts x, parts y WHERE x.b IS NOT NULL AND y.b IS NOT NULL;
SELECT count(DISTINCT b) AS "distinct", count(DISTINCT hamming_ball_hash(b)) AS hashes, bool_and(hamming_ball_hash(b) = hamming_ball_hash_extended(b, 0)::bit(32)::int) AS plain_hash_is_low_half,
	bool_or(hamming_ball_hash_extended(b, 1) <> hamming_ball_hash_extended(b, 0)) AS seeded FROM balls;
SELECT array_agg(DISTINCT b ORDER BY b) FROM balls WHERE id % 5 IN (1, 3);
CREATE INDEX balls_hash ON balls USING hash (b);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM balls WHERE b = '(01,0)';
SELECT array_agg(id ORDER BY id) FROM balls WHERE b = '(01,0)';
DROP INDEX balls_hash;
CREATE INDEX balls_btree ON balls (b);
SELECT count(*) FROM balls WHERE b > '(01,0)';
-- long ones, compressed and out of line
CREATE TABLE long_balls AS SELECT i, hamming_ball(repeat('1', 60000)::bincode, i / 2) AS b FROM generate_series(1, 4) i;
SELECT x.i, y.i FROM long_balls x JOIN long_balls y ON x.b = y.b AND x.i < y.i;
SELECT i FROM long_balls ORDER BY b, i;
DROP TABLE balls, long_balls;
