-- Functions that show, calibrate and measure an index, with good and bad input
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed s1
CREATE TABLE index_inspect (id int, c bincode(256), a int);
CREATE INDEX index_inspect_idx ON index_inspect USING hashemb (c, a);
CREATE INDEX index_inspect_btree ON index_inspect USING btree (a);
-- an empty index has its block of rows without a code
SELECT * FROM hashemb_block_info('index_inspect_idx');
SELECT version, rows, null_rows, dead, pending, blocks, rows_at_build, rows_at_calibration, calibrations FROM hashemb_index_info('index_inspect_idx');
SELECT * FROM hashemb_measure_recall('index_inspect_idx');
SELECT hashemb_calibrate('index_inspect_idx');
INSERT INTO index_inspect SELECT i, CASE WHEN i % 100 > 0 THEN pg_temp.code(i, 37, 's1')::bincode END, i FROM generate_series(1, 4000) i;
REINDEX INDEX index_inspect_idx;
SELECT version, rows, null_rows, dead, pending, rows_at_build, rows_at_calibration, calibrations FROM hashemb_index_info('index_inspect_idx');
-- the two functions agree, and every radius and range of weights is true
SELECT i.rows = sum(b.rows) AS rows, i.null_rows = sum(b.rows) FILTER (WHERE holds_nulls) AS null_rows,
	i.blocks = count(*) FILTER (WHERE NOT holds_nulls) AS blocks, i.pages > sum(b.pages) AS pages, max(radius) <= 256 AS radius,
	min(min_weight) = (SELECT min(length(replace(c::text, '0', ''))) FROM index_inspect) AS least_weight,
	max(max_weight) = (SELECT max(length(replace(c::text, '0', ''))) FROM index_inspect) AS greatest_weight
	FROM hashemb_index_info('index_inspect_idx') i, hashemb_block_info('index_inspect_idx') b GROUP BY i.rows, i.null_rows, i.blocks, i.pages;

-- at recall 1 nothing is missed; otherwise what was asked for is found
SET hashemb.recall = 1;
SELECT measured, recall, below_half FROM hashemb_measure_recall('index_inspect_idx', 10, 50);
SET hashemb.recall = 0.9;
SELECT measured > 90 AS measured, recall >= 0.9 AS enough, below_half <= 0.02 AS few_bad, rows_scored < 4000 AS fewer_rows FROM hashemb_measure_recall('index_inspect_idx', 10, 100);
SELECT measured, recall >= 0.9 AS enough FROM
	hashemb_measure_recall('index_inspect_idx', 10, ARRAY(SELECT pg_temp.code(i, 37, 's2')::bincode FROM generate_series(1, 50) i));
RESET hashemb.recall;
SELECT hashemb_calibrate('index_inspect_idx');
SELECT hashemb_calibrate('index_inspect_idx', ARRAY(SELECT pg_temp.code(i, 37, 's2')::bincode FROM generate_series(1, 50) i));
SELECT calibrations FROM hashemb_index_info('index_inspect_idx');

-- wrong queries
SELECT hashemb_calibrate('index_inspect_idx', '{}'::bincode[]);
SELECT hashemb_calibrate('index_inspect_idx', ARRAY['0101']::bincode[]);
SELECT hashemb_calibrate('index_inspect_idx', ARRAY[NULL]::bincode[]);
SELECT hashemb_calibrate('index_inspect_idx', ARRAY[['0101', '0101']]::bincode[]);
SELECT hashemb_calibrate('index_inspect_idx', '{1.5,2.5}'::real[]);
SELECT hashemb_calibrate('index_inspect_idx', '{{1.5,2.5}}'::real[]);
SELECT hashemb_calibrate('index_inspect_idx', '{{1.5,2.5}}'::float8[]);
SELECT hashemb_calibrate('index_inspect_idx', NULL::float8[]);
SELECT measured FROM hashemb_measure_recall('index_inspect_idx', 10, '{}'::bincode[]);
SELECT measured FROM hashemb_measure_recall('index_inspect_idx', 10, '{1.5,2.5}'::real[]);
SELECT measured FROM hashemb_measure_recall('index_inspect_idx', 10, '{1.5,2.5}'::float8[]);
SELECT measured FROM hashemb_measure_recall('index_inspect_idx', 10, '{{1.5},{2.5}}'::float8[]);
SELECT measured FROM hashemb_measure_recall('index_inspect_idx', 0);
SELECT measured FROM hashemb_measure_recall('index_inspect_idx', 100001);
SELECT measured FROM hashemb_measure_recall('index_inspect_idx', 10, -1);
SELECT measured, recall >= 0.9 AS enough FROM hashemb_measure_recall('index_inspect_idx', 100000, 3);

-- float queries, a zero one among them
CREATE INDEX index_inspect_cosine ON index_inspect USING hashemb (c bincode_cosine_ops);
SET hashemb.recall = 0.9;
SELECT ARRAY(SELECT array_agg(CASE q WHEN 7 THEN 0 ELSE sin(q * d) END::real ORDER BY d) FROM generate_series(1, 20) q, generate_series(1, 256) d GROUP BY q) AS floats \gset
SELECT measured FROM hashemb_measure_recall('index_inspect_cosine', 10, :'floats'::real[]);
SELECT hashemb_calibrate('index_inspect_cosine', :'floats'::real[]);
SELECT measured, recall >= 0.9 AS enough FROM hashemb_measure_recall('index_inspect_cosine', 10, :'floats'::real[]);
SELECT hashemb_calibrate('index_inspect_cosine', array_fill(0::real, ARRAY[3, 256]));
SELECT measured, recall FROM hashemb_measure_recall('index_inspect_cosine', 10, array_fill(0::real, ARRAY[3, 256]));
SELECT measured, recall >= 0.9 AS enough FROM hashemb_measure_recall('index_inspect_cosine', 10, :'floats'::real[]);
SELECT hashemb_calibrate('index_inspect_cosine', '{}'::real[]);
SELECT hashemb_calibrate('index_inspect_cosine', '{{1,2},{3,4}}'::real[]);
SELECT hashemb_calibrate('index_inspect_cosine', ARRAY[[NULL]]::real[]);
SELECT hashemb_calibrate('index_inspect_cosine', '{{{1}}}'::real[]);
RESET hashemb.recall;

-- other relations, and other people's
SELECT hashemb_index_info('index_inspect');
SELECT hashemb_block_info('index_inspect_btree');
SELECT hashemb_index_info(0);
SELECT hashemb_index_info(NULL);
CREATE ROLE regress_hashemb_reader;
SET ROLE regress_hashemb_reader;
SELECT rows FROM hashemb_index_info('index_inspect_idx');
SELECT rows FROM hashemb_block_info('index_inspect_idx');
SELECT measured FROM hashemb_measure_recall('index_inspect_idx');
SELECT hashemb_calibrate('index_inspect_idx');
RESET ROLE;
GRANT SELECT ON index_inspect TO regress_hashemb_reader;
SET ROLE regress_hashemb_reader;
SELECT rows FROM hashemb_index_info('index_inspect_idx');
SELECT hashemb_calibrate('index_inspect_idx');
RESET ROLE;
DROP TABLE index_inspect;
DROP ROLE regress_hashemb_reader;
