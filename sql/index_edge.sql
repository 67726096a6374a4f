-- Odd tables, odd queries, DDL and errors
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed e1
SET hashemb.recall = 1;
CREATE FUNCTION pg_temp.check(conditions text[] DEFAULT '{true}', index text DEFAULT 'edge_idx', tab text DEFAULT 'edge', column_ text DEFAULT 'c')
	RETURNS TABLE (searches bigint, matches bigint, different bigint, example text) LANGUAGE sql AS $$
	SELECT * FROM pg_temp.differences(index, tab, ARRAY(SELECT format('%s <~> %L', column_, pg_temp.code(i, 5, 'e1')::bit(64)) FROM generate_series(1, 3) i), conditions) $$;
CREATE FUNCTION pg_temp.edge_code(i int) RETURNS bincode LANGUAGE sql AS $$SELECT pg_temp.code(i, 5, 'e1')::bit(64)::bincode$$;

-- no row, one row, equal rows, a thousandfold code among others
CREATE TABLE edge (id int, c bincode(64), a int);
CREATE INDEX edge_idx ON edge USING hashemb (c, a);
SELECT * FROM pg_temp.check('{true,a = 1,c IS NULL}');
VACUUM edge;
SELECT * FROM pg_temp.check('{true,a = 1,c IS NULL}');
INSERT INTO edge VALUES (1, NULL, NULL);
SELECT * FROM pg_temp.check('{true,a = 1,c IS NULL,a IS NULL}');
INSERT INTO edge VALUES (2, pg_temp.edge_code(1), 1);
SELECT * FROM pg_temp.check('{true,a = 1,c IS NULL,a IS NULL,a = 2}');
REINDEX INDEX edge_idx;
SELECT * FROM pg_temp.check('{true,a = 1,c IS NULL,a IS NULL,a = 2}');
INSERT INTO edge SELECT i, pg_temp.edge_code(7), i % 4 FROM generate_series(3, 2000) i;
SELECT * FROM pg_temp.check('{true,a = 1,a = 5,id % 500 = 7}');
REINDEX INDEX edge_idx;
SELECT * FROM pg_temp.check('{true,a = 1,a = 5,id % 500 = 7}');
DELETE FROM edge WHERE id > 1000;
INSERT INTO edge SELECT i, pg_temp.edge_code(i), i % 4 FROM generate_series(2001, 3000) i;
VACUUM edge;
SELECT * FROM pg_temp.check('{true,a = 1,a = 5,id % 500 = 7}');
REINDEX INDEX edge_idx;
SELECT * FROM pg_temp.check('{true,a = 1,a = 5,id % 500 = 7}');
DELETE FROM edge WHERE c IS NOT NULL;
VACUUM edge;
SELECT * FROM pg_temp.check('{true,a = 1,c IS NULL}');
TRUNCATE edge;
SELECT * FROM pg_temp.check('{true,a = 1,c IS NULL}');
INSERT INTO edge SELECT i, pg_temp.edge_code(i), i % 4 FROM generate_series(1, 500) i;
SELECT * FROM pg_temp.check('{true,a = 1,c IS NULL}');
-- only NULLs
UPDATE edge SET c = NULL;
REINDEX INDEX edge_idx;
SELECT * FROM pg_temp.check('{true,a = 1,c IS NULL,c IS NOT NULL}');
DROP TABLE edge;

-- the vector alone, last, in the middle; an expression; a partial index; a domain
CREATE DOMAIN edge_domain AS bincode(64) CHECK (VALUE IS NULL OR dims(VALUE) = 64);
CREATE TABLE edge (id int, c bincode(64), a int, b text, d edge_domain, e bincode, f bit(64));
INSERT INTO edge SELECT i, pg_temp.edge_code(i), i % 4, i % 3, pg_temp.edge_code(i), pg_temp.edge_code(i), pg_temp.edge_code(i)::bit(64) FROM generate_series(1, 1500) i;
CREATE INDEX edge_idx ON edge USING hashemb (c);
SELECT * FROM pg_temp.check('{true,a = 1 AND b = ''2''}');
DROP INDEX edge_idx;
CREATE INDEX edge_idx ON edge USING hashemb (a, b, c) WITH (block_rows = 30);
SELECT * FROM pg_temp.check('{true,a = 1 AND b = ''2''}');
DROP INDEX edge_idx;
CREATE INDEX edge_idx ON edge USING hashemb (a, c, b) WITH (block_rows = 30);
SELECT * FROM pg_temp.check('{true,a = 1 AND b = ''2''}');
DROP INDEX edge_idx;
CREATE INDEX edge_idx ON edge USING hashemb ((e::bincode(64)), (a + 1), b);
SELECT * FROM pg_temp.check('{true,a + 1 = 2 AND b = ''2''}', column_ => 'e::bincode(64)');
DROP INDEX edge_idx;
CREATE INDEX edge_idx ON edge USING hashemb ((f::bincode(64)));
SELECT * FROM pg_temp.check(column_ => 'f::bincode(64)');
DROP INDEX edge_idx;
CREATE INDEX edge_idx ON edge USING hashemb (c) WHERE a = 1;
SELECT * FROM pg_temp.check('{a = 1,a = 1 AND b = ''2''}');
UPDATE edge SET a = 1 - a WHERE id % 5 = 0 AND a < 2;
SELECT * FROM pg_temp.check('{a = 1}');
DROP INDEX edge_idx;
CREATE INDEX edge_idx ON edge USING hashemb (d, a);
SELECT * FROM pg_temp.check('{true,a = 1}', column_ => 'd');
DROP INDEX edge_idx;

-- rewrites, rebuilds and storage parameters
CREATE INDEX edge_idx ON edge USING hashemb (c, a) WITH (fillfactor = 50);
SELECT pages AS half_full FROM hashemb_index_info('edge_idx') \gset
ALTER INDEX edge_idx SET (fillfactor = 100);
REINDEX INDEX edge_idx;
SELECT pages < :half_full AS smaller FROM hashemb_index_info('edge_idx');
DELETE FROM edge WHERE id % 3 = 0;
VACUUM FULL edge;
SELECT * FROM pg_temp.check('{true,a = 1}');
CREATE INDEX edge_btree ON edge USING btree (b);
CLUSTER edge USING edge_btree;
SELECT * FROM pg_temp.check('{true,a = 1}');
DROP INDEX edge_btree;
ALTER TABLE edge SET UNLOGGED;
SELECT * FROM pg_temp.check('{true,a = 1}');
INSERT INTO edge SELECT i, pg_temp.edge_code(i), i % 4 FROM generate_series(1501, 1600) i;
ALTER TABLE edge SET LOGGED;
SELECT * FROM pg_temp.check('{true,a = 1}');
REINDEX INDEX CONCURRENTLY edge_idx;
SELECT * FROM pg_temp.check('{true,a = 1}');
CREATE INDEX CONCURRENTLY edge_second ON edge USING hashemb (c);
SELECT indisvalid FROM pg_index WHERE indexrelid = 'edge_second'::regclass;
DROP INDEX edge_idx;
SELECT * FROM pg_temp.check('{true,a = 1}', 'edge_second');
ALTER INDEX edge_second RENAME TO edge_idx;
ALTER TABLE edge ALTER a TYPE bigint, ADD COLUMN g int DEFAULT 3;
SELECT * FROM pg_temp.check('{true,a = 1,g = 3}');
ALTER TABLE edge DROP COLUMN b;
SELECT * FROM pg_temp.check('{true,a = 1,g = 3}');
CLUSTER edge USING edge_idx;
CREATE INDEX ON edge USING hashemb (c) WITH (fillfactor = 5);
CREATE INDEX ON edge USING hashemb (c) WITH (fillfactor = 101);
CREATE INDEX ON edge USING hashemb (c) WITH (block_rows = -1);
CREATE INDEX ON edge USING hashemb (c) WITH (lists = 100);
CREATE UNIQUE INDEX ON edge USING hashemb (c);
CREATE INDEX ON edge USING hashemb (c) INCLUDE (a);
CREATE INDEX ON edge USING hashemb (c DESC);

-- the length of the column changes under the index
ALTER TABLE edge ALTER c TYPE bincode(32) USING subcode(c, 1, 32);
SET enable_seqscan = off;
SELECT count(*) FROM (SELECT 1 FROM edge ORDER BY c <~> repeat('01', 16)::bincode) s;
RESET enable_seqscan;
DROP TABLE edge;

-- transactions: a build that is rolled back, rows of savepoints
CREATE TABLE edge (id int, c bincode(64), a int);
INSERT INTO edge SELECT i, pg_temp.edge_code(i), i % 4 FROM generate_series(1, 300) i;
BEGIN;
CREATE INDEX edge_idx ON edge USING hashemb (c, a);
INSERT INTO edge SELECT i, pg_temp.edge_code(i), i % 4 FROM generate_series(301, 400) i;
SELECT * FROM pg_temp.check();
ROLLBACK;
SELECT count(*) FROM pg_class WHERE relname = 'edge_idx';
CREATE INDEX edge_idx ON edge USING hashemb (c, a);
BEGIN;
SAVEPOINT s1;
INSERT INTO edge SELECT i, pg_temp.edge_code(i), i % 4 FROM generate_series(301, 400) i;
SAVEPOINT s2;
DELETE FROM edge WHERE id % 2 = 0;
UPDATE edge SET c = NULL WHERE id % 5 = 0;
SELECT * FROM pg_temp.check();
ROLLBACK TO s2;
SELECT * FROM pg_temp.check();
ROLLBACK TO s1;
SELECT * FROM pg_temp.check();
TRUNCATE edge;
INSERT INTO edge SELECT i, pg_temp.edge_code(i), i % 4 FROM generate_series(1, 50) i;
SELECT * FROM pg_temp.check();
ROLLBACK;
SELECT * FROM pg_temp.check();
BEGIN;
DROP INDEX edge_idx;
ROLLBACK;
SELECT * FROM pg_temp.check();
DROP TABLE edge;

-- unlogged and temporary tables
CREATE UNLOGGED TABLE edge (id int, c bincode(64), a int);
CREATE INDEX edge_idx ON edge USING hashemb (c, a);
INSERT INTO edge SELECT i, pg_temp.edge_code(i), i % 4 FROM generate_series(1, 1000) i;
DELETE FROM edge WHERE id % 4 = 1;
VACUUM edge;
SELECT * FROM pg_temp.check('{true,a = 2}');
DROP TABLE edge;
CREATE TEMP TABLE edge (id int, c bincode(64), a int) ON COMMIT DELETE ROWS;
CREATE INDEX edge_idx ON edge USING hashemb (c, a);
BEGIN;
INSERT INTO edge SELECT i, pg_temp.edge_code(i), i % 4 FROM generate_series(1, 1000) i;
SELECT * FROM pg_temp.check('{true,a = 2}');
COMMIT;
BEGIN;
SELECT * FROM pg_temp.check('{true,a = 2}');
INSERT INTO edge SELECT i, pg_temp.edge_code(i), i % 4 FROM generate_series(1, 100) i;
SELECT * FROM pg_temp.check('{true,a = 2}');
COMMIT;
DROP TABLE edge;
CREATE TEMP TABLE edge (id int, c bincode(64), a int);
INSERT INTO edge SELECT i, pg_temp.edge_code(i), i % 4 FROM generate_series(1, 1000) i;
CREATE INDEX edge_idx ON edge USING hashemb (c, a);
DELETE FROM edge WHERE id % 4 = 1;
VACUUM edge;
INSERT INTO edge SELECT i, pg_temp.edge_code(i), i % 4 FROM generate_series(1001, 1500) i;
SELECT * FROM pg_temp.check('{true,a = 2}');
DROP TABLE edge;

-- partitions, their rows merged in order
CREATE TABLE edge (id int, c bincode(64), a int) PARTITION BY RANGE (id);
CREATE INDEX edge_idx ON edge USING hashemb (c, a);
CREATE TABLE edge_1 PARTITION OF edge FOR VALUES FROM (0) TO (400);
CREATE TABLE edge_2 PARTITION OF edge FOR VALUES FROM (400) TO (1000);
CREATE TABLE edge_3 (a int, id int, c bincode(64));
ALTER TABLE edge ATTACH PARTITION edge_3 FOR VALUES FROM (1000) TO (2000);
INSERT INTO edge SELECT i, CASE WHEN i % 30 > 0 THEN pg_temp.edge_code(i) END, i % 4 FROM generate_series(1, 1500) i;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT pg_temp.edge_code(1) AS q \gset
EXPLAIN (COSTS OFF) SELECT c <~> :'q' FROM edge WHERE a = 1 ORDER BY c <~> :'q' LIMIT 100;
SELECT array_agg(d) AS merged FROM (SELECT c <~> :'q' AS d FROM edge WHERE a = 1 ORDER BY c <~> :'q' LIMIT 400) s \gset
SELECT array_agg(d) = :'merged'::float8[] AS same FROM (SELECT c <~> :'q' AS d FROM edge WHERE a = 1 ORDER BY 1 LIMIT 400) s;
SELECT count(*) FROM (SELECT 1 FROM edge ORDER BY c <~> :'q') s;
SELECT hashemb_index_info('edge_idx');
RESET enable_seqscan;
RESET enable_sort;
DROP TABLE edge;

-- cursors, several passes of a small work_mem, held cursors
CREATE TABLE edge (id int, c bincode(64), a int);
INSERT INTO edge SELECT i, CASE WHEN i % 50 > 0 THEN pg_temp.edge_code(i) END, i % 4 FROM generate_series(1, 12000) i;
CREATE INDEX edge_idx ON edge USING hashemb (c, a) WITH (block_rows = 100);
SET work_mem = '64kB';
SELECT * FROM pg_temp.check('{true,a = 1}');
SET hashemb.recall = 0.9;
SET enable_seqscan = off;
SET enable_sort = off;
BEGIN;
DECLARE steps CURSOR FOR SELECT c <~> :'q' AS d FROM edge WHERE a = 2 ORDER BY c <~> :'q';
FETCH 2 FROM steps;
MOVE 18 FROM steps;
FETCH 2 FROM steps;
MOVE 500 FROM steps;
MOVE 5000 FROM steps;
FETCH 2 FROM steps;
CLOSE steps;
DECLARE scrolling SCROLL CURSOR FOR SELECT c <~> :'q' AS d FROM edge ORDER BY c <~> :'q';
FETCH 2 FROM scrolling;
FETCH BACKWARD 1 FROM scrolling;
FETCH ABSOLUTE 2 FROM scrolling;
DECLARE held CURSOR WITH HOLD FOR SELECT c <~> :'q' AS d FROM edge ORDER BY c <~> :'q' LIMIT 20;
COMMIT;
FETCH 1 FROM held;
CLOSE held;
RESET work_mem;

-- two scans of one index in a query, rescans, semijoins
SET hashemb.recall = 1;
EXPLAIN (COSTS OFF) SELECT sum(x.id::bigint * y.id) FROM (SELECT * FROM edge ORDER BY c <~> :'q' LIMIT 20) x,
	LATERAL (SELECT id FROM edge WHERE a = x.a ORDER BY c <~> x.c LIMIT 5) y;
SELECT sum(x.id * y.d) AS by_index FROM (SELECT * FROM edge ORDER BY c <~> :'q' LIMIT 20) x,
	LATERAL (SELECT c <~> x.c AS d FROM edge WHERE a = x.a ORDER BY c <~> x.c LIMIT 5) y \gset
SET enable_seqscan = on;
SET enable_indexscan = off;
SET enable_sort = on;
SELECT :by_index = sum(x.id * y.d) AS same FROM (SELECT * FROM edge ORDER BY c <~> :'q', ctid LIMIT 20) x,
	LATERAL (SELECT c <~> x.c AS d FROM edge WHERE a = x.a ORDER BY c <~> x.c LIMIT 5) y;
RESET enable_indexscan;
SET enable_seqscan = off;
SET enable_sort = off;

-- prepared statements, generic and custom; NULL as the query and as a value
PREPARE nearest (bincode, int) AS SELECT c <~> $1 AS d FROM edge WHERE a = $2 ORDER BY c <~> $1 LIMIT 2;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE nearest(:'q', 1);
EXECUTE nearest(:'q', 1);
EXECUTE nearest(:'q', NULL);
EXECUTE nearest(NULL, 1);
EXECUTE nearest('0101', 1);
SET plan_cache_mode = force_custom_plan;
EXECUTE nearest(:'q', 1);
EXECUTE nearest(:'q', NULL);
EXECUTE nearest(NULL, 1);
EXECUTE nearest('0101', 1);
-- the index goes and comes back under a prepared statement
SET plan_cache_mode = force_generic_plan;
DROP INDEX edge_idx;
EXECUTE nearest(:'q', 1);
CREATE INDEX edge_idx ON edge USING hashemb (a, c);
EXECUTE nearest(:'q', 1);
EXPLAIN (COSTS OFF) EXECUTE nearest(:'q', 1);
RESET plan_cache_mode;

-- orders that the index does not give alone, and one that it does
SET enable_incremental_sort = off;
\set ECHO none
\i sql/include/plan.sql
\set ECHO all
SELECT * FROM pg_temp.plan($$SELECT id FROM edge ORDER BY c <~> $$ || quote_literal(:'q') || $$ DESC LIMIT 1$$);
SELECT * FROM pg_temp.plan($$SELECT id FROM edge ORDER BY c <~> $$ || quote_literal(:'q') || $$ NULLS FIRST LIMIT 1$$);
SELECT id FROM edge ORDER BY c <~> :'q', id LIMIT 3;
SELECT array_agg(d) = array_agg(d ORDER BY d, e) AS ordered FROM
	(SELECT (c <~> :'q') AS d, (c <~> repeat('1', 64)::bincode) AS e FROM edge ORDER BY c <~> :'q', c <~> repeat('1', 64)::bincode LIMIT 50) s;
SELECT ARRAY(SELECT ROW(c <~> :'q', c <~> repeat('1', 64)::bincode) FROM edge ORDER BY c <~> :'q', c <~> repeat('1', 64)::bincode LIMIT 50) =
	ARRAY(SELECT ROW(d, e) FROM (SELECT c <~> :'q' AS d, c <~> repeat('1', 64)::bincode AS e FROM edge OFFSET 0) s ORDER BY d, e LIMIT 50) AS same;
RESET enable_incremental_sort;
-- no column is needed: not an index-only scan
VACUUM edge;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM edge;
SELECT count(*) FROM edge;
SELECT count(*) FROM edge WHERE EXISTS (SELECT FROM edge);
RESET enable_bitmapscan;
-- locked, limited with ties, distinct, and without any order
SELECT count(*) FROM (SELECT id FROM edge WHERE a = 1 ORDER BY c <~> :'q' LIMIT 7 FOR UPDATE) s;
SELECT count(*) >= 5 AS enough FROM (SELECT 1 FROM edge ORDER BY c <~> :'q' FETCH FIRST 5 ROWS WITH TIES) s;
SELECT count(*), count(c) FROM edge WHERE a = 1;
SET enable_bitmapscan = off;
SELECT count(*), count(c) FROM edge WHERE a = 1;
EXPLAIN (COSTS OFF) SELECT count(*) FROM edge WHERE a = 1;
RESET enable_bitmapscan;
SELECT count(*) FROM (SELECT 1 FROM edge ORDER BY c <~> :'q' LIMIT 0) s;
SELECT count(*) FROM (SELECT 1 FROM edge ORDER BY c <~> :'q' OFFSET 11990) s;
RESET enable_seqscan;
RESET enable_sort;

-- recall out of range
SET hashemb.recall = 1.01;
SET hashemb.recall = -1;
SET hashemb.recall = 'NaN';
SHOW hashemb.recall;
SET hashemb.recall = 0;
SELECT count(*) FROM (SELECT 1 FROM edge ORDER BY c <~> :'q' LIMIT 100) s;
RESET hashemb.recall;
DROP TABLE edge;
DROP DOMAIN edge_domain;

-- what cannot be indexed
CREATE TABLE edge (id int, c bincode(64), c2 bincode(64), free bincode, levels bincode(64, 2), long bincode(17000), wide bincode(15900), a int, p point, j json, t text);
CREATE INDEX ON edge USING hashemb (c, c2);
CREATE INDEX ON edge USING hashemb (a);
CREATE INDEX ON edge USING hashemb (free);
CREATE INDEX ON edge USING hashemb ((free::bincode));
CREATE INDEX ON edge USING hashemb (levels);
CREATE INDEX ON edge USING hashemb (levels bincode_jaccard_ops);
CREATE INDEX ON edge USING hashemb (levels bincode_ip_ops);
CREATE INDEX ON edge USING hashemb (long);
CREATE INDEX ON edge USING hashemb (wide, a, t);
CREATE INDEX ON edge USING hashemb (c, p);
CREATE INDEX ON edge USING hashemb (c, j);
CREATE INDEX ON edge USING hashemb (c bincode_ip_ops, c2 bincode_cosine_ops);
-- four rows to a page, three blocks to a page of the directory
CREATE INDEX edge_wide ON edge USING hashemb (wide) WITH (block_rows = 2);
INSERT INTO edge (id, wide) SELECT i, CASE WHEN i % 10 > 0 THEN (repeat('0', i * 7) || repeat('1', 15900 - i * 7))::bincode END FROM generate_series(1, 100) i;
SELECT ARRAY['wide <~> repeat(''10'', 7950)::bincode', 'wide <~> repeat(''1'', 15900)::bincode'] AS wide \gset
SELECT * FROM pg_temp.differences('edge_wide', 'edge', :'wide', '{true,id > 50}');
REINDEX INDEX edge_wide;
SELECT rows, null_rows, rows_per_page, blocks > 20 AS many_blocks FROM hashemb_index_info('edge_wide');
SELECT * FROM pg_temp.differences('edge_wide', 'edge', :'wide', '{true,id > 50}');
DELETE FROM edge WHERE id % 3 = 0;
VACUUM edge;
SELECT * FROM pg_temp.differences('edge_wide', 'edge', :'wide', '{true,id > 50}');
DROP TABLE edge;
-- as many columns as an index may have, NULLs in all
SELECT string_agg('a' || i || ' text COLLATE "C"', ', ') AS columns, string_agg('a' || i, ', ') AS names,
	string_agg(format('CASE WHEN i %% %s > 0 THEN ''v'' || i %% %s END', i + 1, i + 2), ', ') AS values FROM generate_series(1, 31) i \gset
CREATE TABLE edge (id int, c bincode(64), :columns);
INSERT INTO edge SELECT i, pg_temp.edge_code(i), :values FROM generate_series(1, 700) i;
CREATE INDEX edge_idx ON edge USING hashemb (:names, c) WITH (block_rows = 10);
INSERT INTO edge SELECT i, pg_temp.edge_code(i), :values FROM generate_series(701, 1000) i;
SELECT * FROM pg_temp.check('{true,a1 = ''v2'',a31 = ''v7'',a31 IS NULL,a1 IS NULL AND a31 IS NOT NULL,a30 > ''v2'' AND a2 <= ''v1'',a31 IN (''v3'')}');
CREATE INDEX ON edge USING hashemb (:names, c, id);
DROP TABLE edge;
-- one bit
CREATE TABLE edge (id int, c bincode(1));
INSERT INTO edge SELECT i, (i % 2)::text::bincode FROM generate_series(1, 500) i;
CREATE INDEX edge_idx ON edge USING hashemb (c);
SELECT * FROM pg_temp.differences('edge_idx', 'edge', ARRAY['c <~> ''1''', 'c <~> ''0'''], '{true,id > 250}');
DROP TABLE edge;
RESET hashemb.recall;
