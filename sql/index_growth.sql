-- Indexes that grow from nothing: blocks are split again and again, and at
-- recall 1 searches find the rows of a sequential scan in the order of
-- (distance, ctid)
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed g1
SET hashemb.recall = 1;
CREATE TABLE growth (id int, c bincode(256), a int, t text COLLATE "C", arr int[]);
CREATE FUNCTION pg_temp.fill(first int, last int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO growth SELECT i,
		CASE WHEN i % 50 = 7 THEN NULL WHEN i % 20 = 3 THEN pg_temp.code(i % 3, 37, 'g1') ELSE pg_temp.code(i, 37, 'g1') END::bincode(256),
		nullif(i % 20, 19), 'w' || i % 11, ARRAY[i % 5, i % 7, i % 60]
	FROM generate_series(first, last) i $$;
CREATE INDEX growth_idx ON growth USING hashemb (a, c, t, arr) WITH (block_rows = 4);
SELECT pg_temp.fill(1, 1);
SELECT rows, blocks, splits FROM hashemb_index_info('growth_idx');
SELECT pg_temp.fill(2, 41);
-- one block until there are enough to make many of it at once
SELECT rows, null_rows, blocks, splits FROM hashemb_index_info('growth_idx');
SELECT pg_temp.fill(42, 5000);
-- several directory pages by now
SELECT rows, null_rows, splits > 100 AS many_splits, blocks > 200 AS many_blocks, pages_freed > 100 AS freed, pages_reused > 20 AS reused
	FROM hashemb_index_info('growth_idx');
SELECT rows, null_rows, directory_pages > 1 AS several_pages, orphan_pages, heap_rows FROM hashemb_check('growth_idx', true);
-- equal rows, of three kinds here, cannot be divided; others are, those of one cluster at four to six times the length
SELECT max(rows) > 80 AS equal_rows, count(*) FILTER (WHERE rows > 24 AND radius > 0 AND NOT holds_nulls) <= 3 AS others_are_short
	FROM hashemb_block_info('growth_idx');

SELECT c AS q1 FROM growth WHERE id = 12 \gset
SELECT pg_temp.bits('else')::bincode AS q2 \gset
CREATE FUNCTION pg_temp.conditions() RETURNS text[] LANGUAGE sql AS $$SELECT ARRAY['true', 'a = 3', 'a < 3', 'a IS NULL', 't = ''w3''', 't < ''w3''',
	'arr && ''{3,59}''', 'arr @> ''{1,3}''', 'a = 3 AND t = ''w4''', 'a = 1 OR a = 2', 'id % 10 = 3', 'c IS NULL', 'c IS NOT NULL']$$;
SELECT * FROM pg_temp.differences('growth_idx', 'growth',
	ARRAY[format('c <~> %L', :'q1'), format('%L <~> c', :'q2'), 'c <~> (SELECT NULL::bincode)'], pg_temp.conditions());

-- without an order: by TID, each row once, also in passes
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET work_mem = '64kB';
SELECT count(*), count(DISTINCT id), min(a), max(a) FROM growth WHERE a < 15;
SELECT count(*), count(DISTINCT id) FROM growth WHERE hamming_within(c, :'q1', 120);
SET enable_bitmapscan = on;
SET enable_indexscan = off;
SELECT count(*), count(DISTINCT id), min(a), max(a) FROM growth WHERE a < 15;
SELECT count(*), count(DISTINCT id) FROM growth WHERE hamming_within(c, :'q1', 120);
SET enable_seqscan = on;
SET enable_bitmapscan = off;
SELECT count(*), count(DISTINCT id), min(a), max(a) FROM growth WHERE a < 15;
SELECT count(*), count(DISTINCT id) FROM growth WHERE hamming_within(c, :'q1', 120);
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET enable_indexscan;
RESET work_mem;

-- after deletes, updates and vacuum
DELETE FROM growth WHERE id % 4 = 2 OR id % 37 < 9;
UPDATE growth SET a = coalesce(a, 0) + 100 WHERE id % 9 = 5;
VACUUM growth;
SELECT rows = (SELECT count(*) FROM growth) AS all_rows FROM hashemb_index_info('growth_idx');
SELECT pg_temp.fill(5001, 6000);
SELECT orphan_pages FROM hashemb_check('growth_idx', true);
SELECT * FROM pg_temp.differences('growth_idx', 'growth',
	ARRAY[format('c <~> %L', :'q1'), format('%L <~> c', :'q2')], pg_temp.conditions());
DROP TABLE growth;

-- the other operator classes, several bits a dimension, and rows in clusters of equals
CREATE FUNCTION pg_temp.levels(i int) RETURNS bincode LANGUAGE sql AS
	$$SELECT (substr(translate(md5('g' || i % 37), '89abcdef', '01234567'), 1, 20) || substr(translate(md5('l' || i), '89abcdef', '01234567'), 1, 12) || '/3')::bincode$$;
CREATE TABLE growth2 (id int, c bincode(256), l bincode(32, 3));
CREATE INDEX growth2_jaccard ON growth2 USING hashemb (c bincode_jaccard_ops) WITH (block_rows = 15);
CREATE INDEX growth2_ip ON growth2 USING hashemb (l bincode_ip_ops) WITH (block_rows = 15);
CREATE INDEX growth2_cosine ON growth2 USING hashemb (l bincode_cosine_ops, id) WITH (block_rows = 15);
INSERT INTO growth2 SELECT i, pg_temp.code(i, 37, 'g1') & pg_temp.bits('m' || i % 5), pg_temp.levels(i) FROM generate_series(1, 2500) i;
SELECT splits > 50 AS jaccard FROM hashemb_index_info('growth2_jaccard');
SELECT splits > 50 AS ip FROM hashemb_index_info('growth2_ip');
SELECT splits > 50 AS cosine FROM hashemb_index_info('growth2_cosine');
SELECT orphan_pages FROM hashemb_check('growth2_jaccard', true);
SELECT orphan_pages FROM hashemb_check('growth2_ip', true);
SELECT orphan_pages FROM hashemb_check('growth2_cosine', true);
SELECT c AS q1, l AS q2 FROM growth2 WHERE id = 12 \gset
SELECT * FROM pg_temp.differences('growth2_jaccard', 'growth2', ARRAY[format('c <%%> %L', :'q1')], '{true,id % 3 = 1}');
SELECT * FROM pg_temp.differences('growth2_ip', 'growth2', ARRAY[format('l <#> %L', :'q2')], '{true,id % 3 = 1}');
SELECT * FROM pg_temp.differences('growth2_cosine', 'growth2', ARRAY[format('l <=> %L', :'q2')], '{true,id < 700}');
DROP TABLE growth2;

-- nothing but equal rows: one block, however long, and not looked at each time
CREATE TABLE growth_equal (c bincode(64));
CREATE INDEX growth_equal_idx ON growth_equal USING hashemb (c) WITH (block_rows = 10);
INSERT INTO growth_equal SELECT repeat('0110', 16)::bincode FROM generate_series(1, 3000);
SELECT rows, blocks, splits FROM hashemb_index_info('growth_equal_idx');
-- some others among them
INSERT INTO growth_equal SELECT hashint8extended(i % 30, 1)::bit(64)::bincode FROM generate_series(1, 3000) i;
SELECT rows, blocks BETWEEN 20 AND 200 AS some_blocks, orphan_pages FROM hashemb_check('growth_equal_idx', true);
VACUUM growth_equal;
SELECT count(*) FROM (SELECT c <~> repeat('0110', 16)::bincode AS d FROM growth_equal ORDER BY 1) s WHERE d = 0;
DROP TABLE growth_equal;

-- temporary and unlogged tables
CREATE TEMP TABLE growth_temp (c bincode(64));
CREATE INDEX growth_temp_idx ON growth_temp USING hashemb (c) WITH (block_rows = 10);
INSERT INTO growth_temp SELECT hashint8extended(i, 1)::bit(64)::bincode FROM generate_series(1, 1500) i;
SELECT rows, blocks > 20 AS many_blocks, orphan_pages FROM hashemb_check('growth_temp_idx', true);
CREATE UNLOGGED TABLE growth_unlogged (c bincode(64));
CREATE INDEX growth_unlogged_idx ON growth_unlogged USING hashemb (c) WITH (block_rows = 10);
INSERT INTO growth_unlogged SELECT hashint8extended(i, 1)::bit(64)::bincode FROM generate_series(1, 1500) i;
SELECT rows, blocks > 20 AS many_blocks, orphan_pages FROM hashemb_check('growth_unlogged_idx', true);
DROP TABLE growth_temp, growth_unlogged;

-- the only block left is one whose zone map lies behind the first zone page
CREATE TABLE growth_zones (id int, c bincode(64), a1 int, a2 int, a3 int, a4 int, a5 int, a6 int, a7 int, a8 int, a9 int,
	b1 text COLLATE "C", b2 text COLLATE "C", b3 text COLLATE "C", b4 text COLLATE "C", b5 text COLLATE "C", b6 text COLLATE "C", b7 text COLLATE "C", b8 text COLLATE "C", b9 text COLLATE "C");
CREATE FUNCTION pg_temp.fill_zones(first int, last int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO growth_zones (id, c, a1, b1, b9) SELECT i, hashint8extended(i, 1)::bit(64)::bincode, i % 7, 'w' || i % 5, 'w' || i % 11 FROM generate_series(first, last) i $$;
SELECT pg_temp.fill_zones(1, 600);
CREATE INDEX growth_zones_idx ON growth_zones USING hashemb (c, a1, a2, a3, a4, a5, a6, a7, a8, a9, b1, b2, b3, b4, b5, b6, b7, b8, b9) WITH (block_rows = 10);
SELECT zone_pages > 3 AS many_zone_pages FROM hashemb_check('growth_zones_idx', true);
DELETE FROM growth_zones WHERE id > 8;
VACUUM growth_zones;
SELECT rows, blocks FROM hashemb_index_info('growth_zones_idx');
SELECT pg_temp.fill_zones(601, 1400);
SELECT rows, blocks > 30 AS many_blocks, orphan_pages, heap_rows FROM hashemb_check('growth_zones_idx', true);
SELECT * FROM pg_temp.differences('growth_zones_idx', 'growth_zones', ARRAY[format('c <~> %L', hashint8extended(7, 1)::bit(64)::bincode)], '{true,a1 = 3,b9 = ''w7''}');
DROP TABLE growth_zones;
