-- Thousands of rows with one vector, or with a zero vector under cosine: searches
-- that want few rows look at few, and find what a sequential scan finds
\set ECHO none
\i sql/include/same.sql
\i sql/include/dense.sql
\set ECHO all
\echo seed d8
SET hashemb.recall = 0.95;
CREATE TABLE copies (id int, v real[], a int);
INSERT INTO copies SELECT i, CASE i % 4 WHEN 0 THEN array_fill(0::real, ARRAY[72]) WHEN 1 THEN pg_temp.vec(1, 72) ELSE pg_temp.vec(i, 72) END, i % 3
	FROM generate_series(1, 8000) i;
CREATE INDEX copies_idx ON copies USING hashemb (v real_cosine_ops, a);
SET enable_seqscan = off;
SET enable_sort = off;
-- rows found as near as the last one, of those that a sequential scan finds; and
-- heap rows looked at
CREATE FUNCTION pg_temp.found(query real[], k int) RETURNS TABLE (rows int, hits int, fetches int) LANGUAGE plpgsql AS $$
DECLARE
	line text;
	found float8[];
	exact float8[];
BEGIN
	SELECT array_agg(d ORDER BY d) INTO exact FROM (SELECT v <=> query AS d FROM copies OFFSET 0) x;
	EXECUTE format('SELECT array_agg(d) FROM (SELECT v <=> %1$L AS d FROM copies ORDER BY v <=> %1$L LIMIT %2$s) x', query, k) INTO found;
	FOR line IN EXECUTE format('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM copies ORDER BY v <=> %L LIMIT %s', query, k) LOOP
		fetches := coalesce(substring(line, 'Heap Fetches: (\d+)')::int, fetches);
	END LOOP;
	rows := cardinality(found);
	hits := (SELECT count(*) FROM unnest(found) f WHERE f <= exact[k]);
	RETURN NEXT;
END $$;
-- the copies are the nearest rows, or some of them are; or none
SELECT k, rows, hits, fetches < 150 + 2 * k AS few FROM unnest('{1,10,100}'::int[]) k, LATERAL pg_temp.found(pg_temp.vec(1, 72), k);
SELECT k, rows, hits >= 0.9 * k AS reached, fetches < 150 AS few FROM unnest('{1,10}'::int[]) k,
	LATERAL pg_temp.found(ARRAY(SELECT a + b FROM unnest(pg_temp.vec(1, 72), pg_temp.vec(6, 72)) u(a, b)), k);
SELECT sum(rows) AS rows, sum(hits) >= 0.93 * sum(rows) AS reached, max(fetches) < 150 AS few FROM generate_series(9001, 9040) q, LATERAL pg_temp.found(pg_temp.vec(q, 72), 10);
-- with ties all copies come
SELECT count(*), count(DISTINCT d) FROM (SELECT v <=> pg_temp.vec(1, 72) AS d FROM copies ORDER BY v <=> pg_temp.vec(1, 72) FETCH FIRST 5 ROWS WITH TIES) x;
-- all rows, zero vectors last, as a sequential scan has them; and before the others
SELECT count(*), count(*) FILTER (WHERE d = 'NaN'), min(n) FILTER (WHERE d = 'NaN') FROM (SELECT d, row_number() OVER () AS n FROM
	(SELECT v <=> pg_temp.vec(7, 72) AS d FROM copies ORDER BY v <=> pg_temp.vec(7, 72) LIMIT 8000) x) y;
SELECT count(*), bool_and(id % 4 = 0) AS zeros FROM (SELECT id FROM copies WHERE a = 1 ORDER BY v <=> pg_temp.vec(7, 72) DESC LIMIT 20) x;
SELECT rows FROM hashemb_check('copies_idx', true);
SET hashemb.recall = 1;
SELECT * FROM pg_temp.differences('copies_idx', 'copies', ARRAY[format('v <=> %L::real[]', pg_temp.vec(1, 72)), format('v <=> %L::real[]', pg_temp.vec(7, 72))], '{true,a = 2,id % 4 = 0}', '{10,5000}');
SET hashemb.recall = 0.95;

-- the same rows in an index that had none to learn from, before it has learnt and after
TRUNCATE copies;
INSERT INTO copies SELECT i, CASE i % 4 WHEN 0 THEN array_fill(0::real, ARRAY[72]) WHEN 1 THEN pg_temp.vec(1, 72) ELSE pg_temp.vec(i, 72) END, i % 3 FROM generate_series(1, 8000) i;
VACUUM copies;
SELECT k, rows, hits, fetches < 150 + 2 * k AS few FROM unnest('{1,10,100}'::int[]) k, LATERAL pg_temp.found(pg_temp.vec(1, 72), k);
SELECT rows FROM hashemb_check('copies_idx', true);
-- numbers of other types are read once, and mean the same
SELECT bool_and(n = r) AS same FROM (SELECT ARRAY(SELECT id FROM copies ORDER BY v <=> pg_temp.vec(q, 72)::numeric[] LIMIT 20) AS n, ARRAY(SELECT id FROM copies ORDER BY v <=> pg_temp.vec(q, 72) LIMIT 20) AS r
	FROM generate_series(9001, 9010) q OFFSET 0) x;
DROP TABLE copies;
