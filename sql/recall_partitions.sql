-- hashemb_measure_recall() of a partitioned index: of all partitions together
\i sql/include/same.sql
CREATE TABLE recall_partitions (id int, a int, c bincode(256), f real[]) PARTITION BY RANGE (a);
CREATE TABLE recall_partitions_0 PARTITION OF recall_partitions FOR VALUES FROM (0) TO (3);
CREATE TABLE recall_partitions_1 PARTITION OF recall_partitions FOR VALUES FROM (3) TO (9) PARTITION BY LIST (a);
CREATE TABLE recall_partitions_10 PARTITION OF recall_partitions_1 FOR VALUES IN (3, 4);
CREATE TABLE recall_partitions_11 PARTITION OF recall_partitions_1 DEFAULT;
CREATE TABLE recall_partitions_2 PARTITION OF recall_partitions FOR VALUES FROM (9) TO (20);
CREATE INDEX recall_partitions_c ON recall_partitions USING hashemb (c, a);
CREATE INDEX recall_partitions_f ON recall_partitions USING hashemb (f real_l2_ops) WITH (dims = 8);
-- without rows
SELECT measured, recall FROM hashemb_measure_recall('recall_partitions_c');
-- 8,000 rows; the last partition has none
INSERT INTO recall_partitions SELECT i, i % 9, pg_temp.code(i, 37, 'p1')::bincode, ARRAY(SELECT (sin(i % 70 * d) + sin(i * d) / 5)::real FROM generate_series(1, 8) d)
	FROM generate_series(1, 8000) i;
VACUUM recall_partitions;

-- as many queries as are asked for, of each partition as it has rows; as much as is promised
SELECT measured BETWEEN 85 AND 90 AS measured, recall >= 0.93 AS reached, rows_scored BETWEEN 10 AND 8000 AS scored FROM hashemb_measure_recall('recall_partitions_c', 10, 90);
SELECT measured > 40 AS measured, recall >= 0.93 AS reached FROM hashemb_measure_recall('recall_partitions_f', 10, 50);
SET hashemb.recall = 1;
SELECT recall, below_half FROM hashemb_measure_recall('recall_partitions_c', 10, 20);
SELECT recall, below_half FROM hashemb_measure_recall('recall_partitions_f', 10, 20);
-- each query scores rows of all partitions: as many as the partitions' own together
SELECT w.rows_scored = s.scored AS together FROM hashemb_measure_recall('recall_partitions_c', 10, ARRAY(SELECT c FROM recall_partitions WHERE id <= 5)) w,
	(SELECT sum(rows_scored) AS scored FROM pg_partition_tree('recall_partitions_c'), hashemb_measure_recall(relid, 10, ARRAY(SELECT c FROM recall_partitions WHERE id <= 5)) WHERE isleaf) s;
RESET hashemb.recall;
-- what is found is compared with the nearest of all, not of a partition: a search that has lost a partition's rows finds a share
SELECT measured, recall >= 0.93 AS reached FROM hashemb_measure_recall('recall_partitions_c', 10, ARRAY(SELECT pg_temp.code(i, 37, 'p2')::bincode FROM generate_series(1, 30) i));
SELECT measured, recall >= 0.93 AS reached FROM hashemb_measure_recall('recall_partitions_1_c_a_idx', 10, 30);

-- refused: queries of another kind, indexes of which a partition has none, and what the others refuse
SELECT hashemb_measure_recall('recall_partitions_c', 10, '{{1,2}}'::real[]);
SELECT hashemb_measure_recall('recall_partitions_f', 10, '{{1,2}}'::real[]);
SELECT hashemb_index_info('recall_partitions_c');
CREATE INDEX recall_partitions_only ON ONLY recall_partitions USING hashemb (c);
SELECT hashemb_measure_recall('recall_partitions_only');
CREATE INDEX recall_partitions_btree ON recall_partitions (id);
SELECT hashemb_measure_recall('recall_partitions_btree');
-- whoever may not see one of them may not see the whole
CREATE ROLE recall_partitions_reader;
GRANT SELECT ON recall_partitions, recall_partitions_0, recall_partitions_10, recall_partitions_2 TO recall_partitions_reader;
SET ROLE recall_partitions_reader;
SELECT hashemb_measure_recall('recall_partitions_c', 10, 5);
RESET ROLE;
GRANT SELECT ON recall_partitions_11 TO recall_partitions_reader;
SET ROLE recall_partitions_reader;
SELECT measured > 3 AS measured FROM hashemb_measure_recall('recall_partitions_c', 10, 5);
RESET ROLE;
DROP TABLE recall_partitions;
DROP ROLE recall_partitions_reader;
