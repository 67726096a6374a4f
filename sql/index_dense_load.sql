-- A build of dense vectors sketches a few rows at a time: whatever is left at the
-- end, rows without a vector and vectors without a direction are not lost
\set ECHO none
\i sql/include/dense.sql
\set ECHO all
SET client_min_messages = warning;
CREATE TABLE index_dense_load (id int, v real[], a int);
-- Every number of rows that may be left, the last ones of each kind
CREATE FUNCTION pg_temp.build(count int, last text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found record;
	missed int;
BEGIN
	TRUNCATE index_dense_load;
	INSERT INTO index_dense_load SELECT i, CASE WHEN i <= count - 3 OR last = 'vector' THEN pg_temp.vec(i, 8)
		WHEN last = 'zero' THEN array_fill(0::real, ARRAY[8]) END, i FROM generate_series(1, count) i;
	CREATE INDEX index_dense_load_idx ON index_dense_load USING hashemb (v real_cosine_ops, a) WITH (dims = 8);
	SELECT rows, null_rows INTO found FROM hashemb_check('index_dense_load_idx', true);
	-- each of the last twenty is the nearest of itself
	SELECT count(*) INTO missed FROM index_dense_load q WHERE id > count - 20 AND q.v IS NOT NULL AND (last <> 'zero' OR id <= count - 3)
		AND q.id <> (SELECT id FROM index_dense_load r ORDER BY r.v <=> q.v LIMIT 1);
	DROP INDEX index_dense_load_idx;
	RETURN format('%s more, %s without, %s missed', found.rows - count, found.null_rows, missed);
END $$;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT last, pg_temp.build(n, last), count(*) FROM generate_series(1003, 1018) n, unnest('{vector,zero,none}'::text[]) last GROUP BY 1, 2 ORDER BY 1, 2;
DROP TABLE index_dense_load;
