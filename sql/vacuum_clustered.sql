-- Vacuum leaves blocks alone that clustering made short, however few of their
-- rows were deleted, and merges those that became short
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed w1
-- clusters of 2000, 1000, 667, 500, ... rows: power-law sizes
CREATE TABLE clustered (id int, c bincode(256));
INSERT INTO clustered SELECT row_number() OVER (), pg_temp.code(k + 200 * i, 200, 'w1')::bincode
	FROM generate_series(0, 199) k, generate_series(1, 2000) i WHERE i <= 2000 / (k + 1);
CREATE INDEX clustered_idx ON clustered USING hashemb (c) WITH (block_rows = 60);
SELECT count(*) > 10 AS many, sum((rows < 30)::int) > 5 AS short
	FROM hashemb_block_info('clustered_idx') WHERE NOT holds_nulls;
SELECT blocks FROM hashemb_index_info('clustered_idx') \gset
DELETE FROM clustered WHERE id % 10 = 7;
VACUUM (INDEX_CLEANUP ON) clustered;
SELECT merges < 10 AS hardly_any, blocks > :blocks - 10 AS as_before FROM hashemb_index_info('clustered_idx');
-- what lost most of its rows is merged
DELETE FROM clustered WHERE id % 10 <> 3;
VACUUM (INDEX_CLEANUP ON) clustered;
SELECT merges > 20 AS merged, blocks < :blocks AS fewer FROM hashemb_index_info('clustered_idx');
SET hashemb.recall = 1;
SELECT * FROM pg_temp.differences('clustered_idx', 'clustered', ARRAY[format('c <~> %L', pg_temp.code(2, 200, 'w1'))], '{true,id % 10 = 3 AND id < 5000}');
SELECT orphan_pages, heap_rows FROM hashemb_check('clustered_idx', true);
DROP TABLE clustered;
