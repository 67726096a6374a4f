-- Indexes of dense vectors: options, what is refused, what ALTER, REINDEX,
-- TRUNCATE and CLUSTER leave, and the functions that look at them
\set ECHO none
\i sql/include/same.sql
\i sql/include/dense.sql
\i sql/include/plan.sql
\set ECHO all
\echo seed d1
SET hashemb.recall = 1;

-- what is refused
CREATE TABLE index_dense (id int, v real[], a int);
CREATE INDEX ON index_dense USING hashemb (v real_l2_ops);
CREATE INDEX ON index_dense USING hashemb (v real_l2_ops) WITH (dims = 0);
CREATE INDEX ON index_dense USING hashemb (v real_l2_ops) WITH (dims = 16001);
CREATE INDEX ON index_dense USING hashemb (v real_l2_ops) WITH (dims = 16000, code_bytes = 4000);
CREATE INDEX ON index_dense USING hashemb (v real_l2_ops) WITH (dims = 3, code_bytes = -1);
CREATE INDEX ON index_dense USING hashemb (v) WITH (dims = 3);
CREATE INDEX ON index_dense USING hashemb (v real_l2_ops, v real_ip_ops) WITH (dims = 3);
CREATE INDEX ON index_dense USING hashemb (v real_l2_ops, a) WITH (dims = 3, group_by = 'v');
CREATE INDEX index_dense_idx ON index_dense USING hashemb (v real_l2_ops, a) WITH (dims = 3);
INSERT INTO index_dense VALUES (1, '{1,2}');
INSERT INTO index_dense VALUES (1, '{}');
INSERT INTO index_dense VALUES (1, '{1,2,NULL}');
INSERT INTO index_dense VALUES (1, '{1,2,NaN}');
INSERT INTO index_dense VALUES (1, '{1,2,Infinity}');
INSERT INTO index_dense VALUES (1, '{{1,2,3}}');
INSERT INTO index_dense VALUES (1, '{{1},{2},{3}}');
INSERT INTO index_dense VALUES (1, '{1,2,3}', 1), (2, '[5:7]={1,2,4}', 2), (3, NULL, 3);
SET enable_seqscan = off;
SET enable_sort = off;
SELECT id, v <-> '{1,2,3}' AS d FROM index_dense ORDER BY v <-> '{1,2,3}' LIMIT 5;
SELECT id FROM index_dense ORDER BY v <-> '[-1:1]={1,2,3}'::real[] LIMIT 1;
SELECT id FROM index_dense ORDER BY v <-> '{1,2}' LIMIT 5;
SELECT id FROM index_dense ORDER BY v <-> '{}' LIMIT 5;
SELECT id FROM index_dense ORDER BY v <-> '{1,2}'::float8[] LIMIT 5;
SELECT id FROM index_dense ORDER BY v <-> '{{1,2,3}}' LIMIT 5;
SELECT id FROM index_dense ORDER BY v <-> '{1,2,NULL}' LIMIT 5;
SELECT id FROM index_dense ORDER BY v <-> '{1,2,NaN}' LIMIT 5;
SELECT id FROM index_dense ORDER BY v <-> '{1,2,Infinity}'::float8[] LIMIT 5;
SELECT id FROM index_dense ORDER BY v <-> '{1,2,-Infinity}'::real[] LIMIT 5;
SELECT id FROM index_dense ORDER BY v <-> '{1,2,1e200}'::float8[] LIMIT 5;
-- of another metric: not by the index
RESET enable_sort;
SELECT * FROM pg_temp.plan($$SELECT id FROM index_dense ORDER BY v <=> '{1,2,3}' LIMIT 5$$);
SET enable_sort = off;
-- the functions that look at an index
SELECT rows, null_rows, blocks FROM hashemb_index_info('index_dense_idx');
SELECT hashemb_calibrate('index_dense_idx'), hashemb_calibrate('index_dense_idx', '{{1,2,3},{2,3,4}}'::real[]);
SELECT measured, recall FROM hashemb_measure_recall('index_dense_idx', 1, 5);
SELECT measured, recall FROM hashemb_measure_recall('index_dense_idx', 1, '{{1,2,3},{2,3,4}}'::real[]);
SELECT measured, recall FROM hashemb_measure_recall('index_dense_idx', 1, '{{1,2,3},{2,3,4}}'::float8[]);
SELECT hashemb_measure_recall('index_dense_idx', 1, '{{1,2},{2,3}}'::real[]);
SELECT hashemb_measure_recall('index_dense_idx', 1, '{1,2,3}'::real[]);

-- options afterwards: the index stays what it is until it is built anew
ALTER INDEX index_dense_idx SET (dims = 4, code_bytes = 24);
SELECT id FROM index_dense ORDER BY v <-> '{1,2,4}' LIMIT 1;
INSERT INTO index_dense VALUES (4, '{1,2,5}', 4);
INSERT INTO index_dense VALUES (4, '{1,2,5,6}', 4);
REINDEX INDEX index_dense_idx;
SELECT rows FROM hashemb_check('index_dense_idx', true);
ALTER INDEX index_dense_idx RESET (dims);
SELECT id FROM index_dense ORDER BY v <-> '{1,2,4}' LIMIT 1;
REINDEX INDEX index_dense_idx;
ALTER INDEX index_dense_idx SET (dims = 3, code_bytes = 8);
REINDEX INDEX index_dense_idx;
SELECT id FROM index_dense ORDER BY v <-> '{1,2,4}' LIMIT 1;
TRUNCATE index_dense;
SELECT id FROM index_dense ORDER BY v <-> '{1,2,4}' LIMIT 1;
INSERT INTO index_dense SELECT i, pg_temp.vec(i, 3), i % 7 FROM generate_series(1, 3000) i;
ALTER INDEX index_dense_idx SET (code_bytes = 24);
SELECT * FROM pg_temp.differences('index_dense_idx', 'index_dense', pg_temp.distances('<->', 3), '{true,a = 3}', '{1,10}');
CREATE INDEX index_dense_id ON index_dense (a, id);
CLUSTER index_dense USING index_dense_id;
SELECT * FROM pg_temp.differences('index_dense_idx', 'index_dense', pg_temp.distances('<->', 3), '{true,a = 3}', '{1,10}');
VACUUM FULL index_dense;
ALTER TABLE index_dense ALTER a TYPE bigint;
ALTER TABLE index_dense ALTER v TYPE float8[];
ALTER TABLE index_dense SET UNLOGGED;
ALTER TABLE index_dense SET LOGGED;
SELECT * FROM pg_temp.differences('index_dense_idx', 'index_dense', pg_temp.distances('<->', 3), '{true,a = 3}', '{1,10}');
SELECT rows FROM hashemb_check('index_dense_idx', true);
REINDEX INDEX CONCURRENTLY index_dense_idx;
SELECT rows FROM hashemb_check('index_dense_idx', true);
DROP TABLE index_dense;

-- a table made and emptied in one transaction: what it had taught is forgotten
BEGIN;
CREATE TABLE index_dense (id int, v real[]);
CREATE INDEX index_dense_idx ON index_dense USING hashemb (v real_l2_ops) WITH (dims = 100, block_rows = 10);
INSERT INTO index_dense SELECT i, pg_temp.vec(i, 100, 1, 'd2') FROM generate_series(1, 3000) i;
TRUNCATE index_dense;
INSERT INTO index_dense SELECT i, pg_temp.vec(i, 100, 100, 'd3') FROM generate_series(1, 3000) i;
COMMIT;
\c
\set ECHO none
\i sql/include/same.sql
\i sql/include/dense.sql
\set ECHO all
SET hashemb.recall = 1;
SELECT * FROM pg_temp.differences('index_dense_idx', 'index_dense', ARRAY(SELECT format('v <-> %L::real[]', pg_temp.vec(i, 100, 100, 'd3')) FROM generate_series(1, 9) i), '{true}', '{1,10}');
DROP TABLE index_dense;
