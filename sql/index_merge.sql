-- Vacuum does not merge a thin block with another cluster's, but for a handful
-- of rows
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed m1
-- three clusters of 30 rows, a block each
CREATE TABLE merge (id int, cluster int, c bincode(256));
INSERT INTO merge SELECT i, k, pg_temp.code(k + 3 * i, 3, 'm1')::bincode
	FROM generate_series(0, 2) k, generate_series(1, 30) i;
CREATE INDEX merge_idx ON merge USING hashemb (c) WITH (block_rows = 30);
-- rows differ from the middle of their cluster in some 32 bits, from others in 128
CREATE VIEW blocks AS SELECT rows, CASE WHEN radius < 64 THEN 'one cluster' ELSE 'several' END AS of
	FROM hashemb_block_info('merge_idx') WHERE NOT holds_nulls;
SELECT * FROM blocks ORDER BY rows;
-- of two blocks that become thin one would have room in the other
DELETE FROM merge WHERE cluster = 2 AND id > 12 OR cluster = 1 AND id > 18;
VACUUM merge;
SELECT * FROM blocks ORDER BY rows;
SELECT merges FROM hashemb_index_info('merge_idx');
-- a handful goes anywhere
DELETE FROM merge WHERE cluster = 2 AND id > 3;
VACUUM merge;
SELECT * FROM blocks ORDER BY rows;
SELECT merges FROM hashemb_index_info('merge_idx');
SET hashemb.recall = 1;
SELECT * FROM pg_temp.differences('merge_idx', 'merge', ARRAY[format('c <~> %L', pg_temp.code(2, 3, 'm1'))], '{true,cluster = 2}');
SELECT orphan_pages, heap_rows FROM hashemb_check('merge_idx', true);
DROP VIEW blocks;
DROP TABLE merge;
