-- Indexes of dense vectors that are created empty and learn later: searches
-- before, at and after that, by inserts alone and with vacuum
\set ECHO none
\i sql/include/same.sql
\i sql/include/dense.sql
\set ECHO all
\echo seed d4
SET hashemb.recall = 1;
CREATE FUNCTION pg_temp.grow(op text, dims int) RETURNS TABLE (rows int, different bigint, sound bool) LANGUAGE plpgsql AS $$
BEGIN
	FOREACH rows IN ARRAY '{500,999,1100,1500,2500,5000}'::int[] LOOP
		INSERT INTO index_grow SELECT i, CASE WHEN i % 50 <> 7 THEN pg_temp.vec(i, dims, 1, 'd4') END, i % 20
			FROM generate_series((SELECT count(*) + 1 FROM index_grow), grow.rows) i;
		different := (SELECT s.different FROM pg_temp.differences('index_grow_idx', 'index_grow',
			ARRAY(SELECT format('v %s %L::real[]', op, pg_temp.vec(i, dims, 1, 'd4')) FROM generate_series(10001, 10003) i), '{true,a = 3}', '{1,10,100}') s);
		sound := (SELECT h.rows = grow.rows FROM hashemb_check('index_grow_idx', true) h);
		RETURN NEXT;
	END LOOP;
END $$;
CREATE TABLE index_grow (id int, v real[], a int);
CREATE INDEX index_grow_idx ON index_grow USING hashemb (v real_l2_ops, a) WITH (dims = 24, block_rows = 40);
SELECT * FROM pg_temp.grow('<->', 24);
VACUUM index_grow;
SELECT rows, null_rows FROM hashemb_check('index_grow_idx', true);
SELECT blocks > 20 AS split, calibrations > 0 AS calibrated FROM hashemb_index_info('index_grow_idx');
DROP TABLE index_grow;
CREATE TABLE index_grow (id int, v real[], a int);
CREATE INDEX index_grow_idx ON index_grow USING hashemb (v real_ip_ops, a) WITH (dims = 72, block_rows = 40);
SELECT * FROM pg_temp.grow('<#>', 72);
SELECT blocks > 20 AS split, calibrations > 0 AS calibrated FROM hashemb_index_info('index_grow_idx');
DROP TABLE index_grow;
CREATE TABLE index_grow (id int, v real[], a int);
CREATE INDEX index_grow_idx ON index_grow USING hashemb (v real_cosine_ops, a) WITH (dims = 24, block_rows = 10, group_by = 'a');
SELECT * FROM pg_temp.grow('<=>', 24);
SELECT blocks > 20 AS split, calibrations > 0 AS calibrated FROM hashemb_index_info('index_grow_idx');
DROP TABLE index_grow;
