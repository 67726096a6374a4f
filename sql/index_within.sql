-- hamming_within through the index: the rows of a sequential scan, with and
-- without an order, in joins, with other conditions
\set ECHO none
\i sql/include/same.sql
\i sql/include/unordered.sql
\set ECHO all
\echo seed w1
SET hashemb.recall = 1;
CREATE TABLE index_within (id int, c bincode(256), a int);
INSERT INTO index_within SELECT i, CASE WHEN i % 40 <> 3 THEN pg_temp.code(i, 31, 'w1')::bincode END, i % 10 FROM generate_series(1, 1500) i;
CREATE INDEX index_within_idx ON index_within USING hashemb (c, a) WITH (block_rows = 20);
ANALYZE index_within;
INSERT INTO index_within SELECT i, CASE WHEN i % 40 <> 3 THEN pg_temp.code(i, 31, 'w1')::bincode END, i % 10 FROM generate_series(1501, 2000) i;
DELETE FROM index_within WHERE id % 7 = 1;
SELECT c AS q1 FROM index_within WHERE id = 12 \gset
SELECT c AS q2 FROM index_within WHERE id = 44 \gset

-- with an order
SELECT ARRAY(SELECT format('hamming_within(c, %L, %s)', :'q1', r) FROM unnest('{-1,0,1,40,60,64,120,256,1000}'::int[]) r) ||
	format('hamming_within(%L, c, 64)', :'q1') || format('hamming_within(c, %L, 64) AND a = 2', :'q1') ||
	format('hamming_within(c, %L, 62) AND hamming_within(c, %L, 62)', :'q1', :'q2') ||
	format('hamming_within(c, %L, 140) AND hamming_within(c, %L, 140) AND a IN (1, 2, 3)', :'q1', repeat('0', 256)) ||
	format('hamming_within(c, %L, 256) AND c IS NULL', :'q1') || format('hamming_within(c, %L, 256) AND c IS NOT NULL', :'q1') ||
	format('c <@ hamming_ball(%L, 64)', :'q1') || format('hamming_ball(%L, 64) @> c', :'q1') AS conditions \gset
SELECT * FROM pg_temp.differences('index_within_idx', 'index_within', ARRAY[format('c <~> %L', :'q1'), format('c <~> %L', :'q2')], :'conditions');

-- without one, by index scans and by bitmap scans
SELECT * FROM pg_temp.unordered('index_within_idx', 'index_within', :'conditions');
SELECT * FROM pg_temp.unordered('index_within_idx', 'index_within', '{c IS NULL,c IS NOT NULL,a = 3,a IS NULL,c IS NULL AND a > 3,c IS NOT NULL AND a < 2}');
VACUUM index_within;
SELECT * FROM pg_temp.unordered('index_within_idx', 'index_within', :'conditions');
SELECT * FROM pg_temp.unordered('index_within_idx', 'index_within', '{c IS NULL,c IS NOT NULL,a = 3,a IS NULL,c IS NULL AND a > 3,c IS NOT NULL AND a < 2}');

-- a join: the index inside a nested loop, the ball from the outer row
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_seqscan = on;
SET enable_material = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM index_within x JOIN index_within y ON hamming_within(y.c, x.c, 60) WHERE x.id < 200 AND x.id < y.id;
SELECT count(*) AS pairs, sum(x.id::bigint * y.id) AS checksum
	FROM index_within x JOIN index_within y ON hamming_within(y.c, x.c, 60) WHERE x.id < 200 AND x.id < y.id \gset by_index_
SELECT count(*) AS pairs, sum(x.id::bigint * y.id) AS checksum
	FROM index_within x JOIN index_within y ON x.c <~> y.c <= 60 WHERE x.id < 200 AND x.id < y.id \gset by_scan_
SELECT :by_index_pairs > 100 AS some, :by_index_pairs = :by_scan_pairs AND :by_index_checksum = :by_scan_checksum AS agree;
-- outer rows without a code, and a radius of the outer row
SELECT count(*) AS pairs, sum(x.id::bigint * y.id) AS checksum
	FROM index_within x JOIN index_within y ON hamming_within(x.c, y.c, 50 + x.a * 2) AND x.a = y.a WHERE x.id BETWEEN 3 AND 100 \gset by_index_
SELECT count(*) AS pairs, sum(x.id::bigint * y.id) AS checksum
	FROM index_within x JOIN index_within y ON x.c <~> y.c <= 50 + x.a * 2 AND x.a = y.a WHERE x.id BETWEEN 3 AND 100 \gset by_scan_
SELECT :by_index_pairs > 50 AS some, :by_index_pairs = :by_scan_pairs AND :by_index_checksum = :by_scan_checksum AS agree;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;
-- pairs of all rows: the planner knows that a small ball reads few blocks
EXPLAIN (COSTS OFF) SELECT count(*) FROM index_within x JOIN index_within y ON hamming_within(x.c, y.c, 4) WHERE x.id < y.id;
EXPLAIN (COSTS OFF) SELECT count(*) FROM index_within x WHERE EXISTS (SELECT FROM index_within y WHERE hamming_within(x.c, y.c, 4) AND x.id <> y.id);

SET enable_seqscan = off;
-- a NULL ball or a ball of another size
SELECT count(*) FROM index_within WHERE c <@ (SELECT NULL::hamming_ball);
SELECT count(*) FROM index_within WHERE hamming_within(c, '0101', 3);
SELECT count(*) FROM index_within WHERE hamming_within(c, (SELECT '0101'::bincode), 3);
-- below recall 1 membership stays exact
SET hashemb.recall = 0.5;
SELECT * FROM pg_temp.unordered('index_within_idx', 'index_within', :'conditions');
RESET enable_seqscan;
DROP TABLE index_within;
RESET hashemb.recall;
