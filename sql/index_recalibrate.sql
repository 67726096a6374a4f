-- The table of expected misses is made anew as an index grows and shrinks
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed r2
-- the codes of rows `first` to `last`
CREATE FUNCTION pg_temp.codes(first int, last int) RETURNS TABLE (id int, c bincode(256)) LANGUAGE sql AS
	$$SELECT i, pg_temp.code(i, 37, 'r2')::bincode(256) FROM generate_series(first, last) i$$;
CREATE FUNCTION pg_temp.calibration(OUT rows bigint, OUT rows_at_calibration bigint, OUT calibrations int) LANGUAGE plpgsql AS $$
BEGIN
	SELECT i.rows, i.rows_at_calibration, i.calibrations INTO rows, rows_at_calibration, calibrations FROM hashemb_index_info('recalibrate_idx') i;
END $$;
-- is the target reached without scoring all rows?
CREATE FUNCTION pg_temp.recall(target float8, k int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('hashemb.recall', target::text, true);
	RETURN (SELECT recall >= target AND rows_scored < (SELECT rows FROM pg_temp.calibration())
		FROM hashemb_measure_recall('recalibrate_idx', k, ARRAY(SELECT c FROM pg_temp.codes(1000001, 1000100))));
END $$;

-- an index that was made empty has a table once it has 1,000 rows, and a newer
-- one at each doubling
CREATE TABLE recalibrate (id int, c bincode(256));
CREATE INDEX recalibrate_idx ON recalibrate USING hashemb (c);
INSERT INTO recalibrate SELECT * FROM pg_temp.codes(1, 999);
SELECT rows, rows_at_calibration, calibrations FROM pg_temp.calibration();
INSERT INTO recalibrate SELECT * FROM pg_temp.codes(1000, 1500);
SELECT rows_at_calibration BETWEEN 1000 AND 1500 AS calibrated, calibrations FROM pg_temp.calibration();
INSERT INTO recalibrate SELECT * FROM pg_temp.codes(1501, 9000);
SELECT rows_at_calibration BETWEEN 4500 AND 9000 AS calibrated, calibrations > 2 AS often FROM pg_temp.calibration();
SELECT ring_pages, orphan_pages, heap_rows FROM hashemb_check('recalibrate_idx', true);

-- vacuum makes one if a quarter of the rows have come or gone, else not
REINDEX INDEX recalibrate_idx;
SELECT rows, rows_at_calibration, calibrations FROM pg_temp.calibration();
VACUUM recalibrate;
DELETE FROM recalibrate WHERE id % 5 = 0;
VACUUM recalibrate;
SELECT rows, rows_at_calibration, calibrations FROM pg_temp.calibration();
DELETE FROM recalibrate WHERE id % 5 = 1;
VACUUM recalibrate;
SELECT rows, rows_at_calibration, calibrations FROM pg_temp.calibration();
INSERT INTO recalibrate SELECT * FROM pg_temp.codes(9001, 11000);
SELECT rows, rows_at_calibration, calibrations FROM pg_temp.calibration();
VACUUM recalibrate;
SELECT rows, rows_at_calibration, calibrations FROM pg_temp.calibration();
SELECT pg_temp.recall(0.9, 10), pg_temp.recall(0.95, 1);

-- beyond 10,000 rows searches are collected, and vacuum begins anew
INSERT INTO recalibrate SELECT * FROM pg_temp.codes(11001, 21000);
SELECT rows_at_calibration > 9000 AS calibrated, calibrations > 3 AS often FROM pg_temp.calibration();
SELECT ring_pages > 32 AS ring, orphan_pages, heap_rows FROM hashemb_check('recalibrate_idx', true);
SELECT calibrations AS before FROM pg_temp.calibration() \gset
SELECT pg_temp.recall(0.9, 10), pg_temp.recall(0.95, 1), pg_temp.recall(0.95, 100);
VACUUM recalibrate;
SELECT rows = rows_at_calibration AS calibrated, calibrations - :before AS more FROM pg_temp.calibration();

-- a table from the user's queries stays until it is outgrown
CREATE TABLE recalibrate_own (id int, c bincode(256));
INSERT INTO recalibrate_own SELECT * FROM pg_temp.codes(1, 1500);
DROP INDEX recalibrate_idx;
CREATE INDEX recalibrate_idx ON recalibrate_own USING hashemb (c);
SELECT hashemb_calibrate('recalibrate_idx', ARRAY(SELECT c FROM pg_temp.codes(2000001, 2000100)));
INSERT INTO recalibrate_own SELECT * FROM pg_temp.codes(1501, 5000);
VACUUM recalibrate_own;
SELECT rows, rows_at_calibration, calibrations FROM pg_temp.calibration();
INSERT INTO recalibrate_own SELECT * FROM pg_temp.codes(5001, 8000);
SELECT rows_at_calibration BETWEEN 6000 AND 8000 AS calibrated, calibrations FROM pg_temp.calibration();
-- and so that from rows takes its place
SELECT hashemb_calibrate('recalibrate_idx', ARRAY(SELECT c FROM pg_temp.codes(2000001, 2000100)));
SELECT hashemb_calibrate('recalibrate_idx');
INSERT INTO recalibrate_own SELECT * FROM pg_temp.codes(8001, 11000);
VACUUM recalibrate_own;
SELECT rows, rows_at_calibration, calibrations FROM pg_temp.calibration();

-- rows without a code do not count, and equal ones have nothing to tell
CREATE TABLE recalibrate_same (id int, c bincode(256));
CREATE INDEX recalibrate_same_idx ON recalibrate_same USING hashemb (c);
INSERT INTO recalibrate_same SELECT i, NULL FROM generate_series(1, 3000) i;
VACUUM recalibrate_same;
SELECT rows, rows_at_calibration FROM hashemb_index_info('recalibrate_same_idx');
INSERT INTO recalibrate_same SELECT i, (SELECT c FROM pg_temp.codes(1, 1)) FROM generate_series(1, 12000) i;
SELECT rows_at_calibration > 0 AS calibrated FROM hashemb_index_info('recalibrate_same_idx');
SET hashemb.recall = 0.9;
SELECT measured, recall FROM hashemb_measure_recall('recalibrate_same_idx', 10, 50);
SELECT orphan_pages, heap_rows FROM hashemb_check('recalibrate_same_idx', true);
RESET hashemb.recall;

-- the rows are the same, but the blocks are others
CREATE TABLE recalibrate_split (id int, c bincode(256));
INSERT INTO recalibrate_split SELECT * FROM pg_temp.codes(1, 7400);
CREATE INDEX recalibrate_split_idx ON recalibrate_split USING hashemb (c) WITH (block_rows = 200);
VACUUM recalibrate_split;
SELECT rows, splits, calibrations FROM hashemb_index_info('recalibrate_split_idx');
ALTER INDEX recalibrate_split_idx SET (block_rows = 20);
VACUUM recalibrate_split;
SELECT rows, splits > blocks / 4 AS split, calibrations FROM hashemb_index_info('recalibrate_split_idx');
DROP TABLE recalibrate_split;

-- temporary and unlogged indexes, and other distances
CREATE TEMP TABLE recalibrate_temp (id int, c bincode(256));
CREATE INDEX recalibrate_temp_idx ON recalibrate_temp USING hashemb (c bincode_cosine_ops);
INSERT INTO recalibrate_temp SELECT * FROM pg_temp.codes(1, 15000);
SELECT calibrations > 2 AS often, rows_at_calibration > 4000 AS calibrated FROM hashemb_index_info('recalibrate_temp_idx');
SELECT ring_pages > 0 AS ring FROM hashemb_check('recalibrate_temp_idx');
SET hashemb.recall = 0.95;
SELECT measured, recall >= 0.95 AS enough FROM hashemb_measure_recall('recalibrate_temp_idx', 10, ARRAY(SELECT c FROM pg_temp.codes(1000001, 1000050)));
RESET hashemb.recall;
DROP TABLE recalibrate, recalibrate_own, recalibrate_same, recalibrate_temp;
