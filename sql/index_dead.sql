-- Marks of dead rows: a scan that meets rows that are dead to everybody marks
-- them, later scans pass over them, and a change of their page clears the marks.
CREATE TABLE dead (id int, c bincode(64), a int);
INSERT INTO dead SELECT i, hashint8extended(i, 1)::bit(64)::bincode, i % 3 FROM generate_series(1, 3000) i;
CREATE INDEX dead_idx ON dead USING hashemb (c, a) WITH (fillfactor = 50);
CREATE FUNCTION scan() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM (SELECT c <~> hashint8extended(7, 1)::bit(64)::bincode FROM dead
		WHERE a < 2 ORDER BY c <~> hashint8extended(7, 1)::bit(64)::bincode LIMIT 10000) s $$
	SET hashemb.recall = 1 SET enable_seqscan = off SET enable_sort = off SET enable_bitmapscan = off;
CREATE FUNCTION bitmap() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM dead WHERE a < 2 $$
	SET enable_seqscan = off SET enable_indexscan = off;
SELECT scan(), bitmap();
DELETE FROM dead WHERE id % 10 < 3;
SELECT dead FROM hashemb_index_info('dead_idx');
SELECT scan(), bitmap();
-- rows with a = 2 were not met
SELECT (SELECT count(*) FROM generate_series(1, 3000) i WHERE i % 10 < 3 AND i % 3 < 2) AS expected, dead FROM hashemb_index_info('dead_idx');
SELECT dead FROM hashemb_check('dead_idx', true);
SELECT scan(), bitmap();
VACUUM dead;
SELECT dead, rows FROM hashemb_index_info('dead_idx');
DELETE FROM dead WHERE id % 10 < 6;
SELECT scan();
SELECT dead > 500 AS marked FROM hashemb_index_info('dead_idx');
-- new rows on the pages clear their marks; nothing is found twice or not at all
INSERT INTO dead SELECT i, hashint8extended(i, 1)::bit(64)::bincode, i % 3 FROM generate_series(1, 3000) i;
SELECT dead < 100 AS cleared FROM hashemb_index_info('dead_idx');
SELECT scan(), bitmap(), (SELECT count(*) FROM dead WHERE a + 0 < 2) AS expected;
SELECT rows - (SELECT count(*) FROM dead) >= 0 AS as_many FROM hashemb_check('dead_idx', true);
-- no marks where no log tells that a page has changed
CREATE UNLOGGED TABLE dead_unlogged AS SELECT * FROM dead;
CREATE INDEX dead_unlogged_idx ON dead_unlogged USING hashemb (c, a);
DELETE FROM dead_unlogged;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT count(*) FROM (SELECT FROM dead_unlogged ORDER BY c <~> hashint8extended(7, 1)::bit(64)::bincode LIMIT 100) s;
SELECT dead FROM hashemb_index_info('dead_unlogged_idx');
DROP TABLE dead, dead_unlogged;
DROP FUNCTION scan, bitmap;
