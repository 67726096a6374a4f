-- Searches for hundreds and thousands of rows keep those found in two parts, of
-- which only the nearer is in order: at recall 1 they are the first rows of a
-- sequential scan, in the order of (distance, ctid), around every border
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed k1
SET hashemb.recall = 1;
CREATE TABLE kept (id int, c bincode(256), a int);
INSERT INTO kept SELECT i, pg_temp.code(i, 60, 'k1')::bincode, i % 10 FROM generate_series(1, 9000) i;
CREATE INDEX kept_idx ON kept USING hashemb (c, a);
VACUUM ANALYZE kept;
CREATE FUNCTION pg_temp.kept() RETURNS SETOF record LANGUAGE sql AS $$
	SELECT searches, matches > 0 AS found, different, left(example, 400) FROM pg_temp.differences('kept_idx', 'kept',
		ARRAY(SELECT format('c <~> %L', pg_temp.code(i, 60, 'k1')) FROM generate_series(1, 3) i), '{true,id % 3 = 1,a < 7}', '{1,64,65,255,256,257,320,500,1000,3000}') $$;
SELECT * FROM pg_temp.kept() AS t(searches int, found bool, different int, example text);
SET work_mem = '64kB';
SELECT * FROM pg_temp.kept() AS t(searches int, found bool, different int, example text);
DROP TABLE kept;
