-- Blocks whose bounds are no more than the products of their rows: rows that
-- tie to the last bit, half of them pending, so that what is known of the last
-- row wanted is exactly what the others' blocks can reach
\set ECHO none
\i sql/include/same.sql
\set ECHO all
CREATE TABLE ties (id int, v svec(1000), a int);
-- 40 topics of one vector each; of every other one the weights are short
-- binary fractions, which bounds keep exactly
CREATE FUNCTION pg_temp.topic(t int) RETURNS svec LANGUAGE sql AS $$
	SELECT svec(array_agg(t * 10 + j), array_agg(CASE WHEN t % 2 = 0 THEN 1 + (t + j) % 8 / 8.0 ELSE (abs(hashint4(t * 10 + j)) % 1000 + 1) / 300.0 END), 1000)
	FROM generate_series(1, 10) j $$;
CREATE FUNCTION pg_temp.query(t int) RETURNS svec LANGUAGE sql AS $$
	SELECT svec(array_agg(d ORDER BY d), array_agg(w ORDER BY d), 1000) FROM (
		SELECT t * 10 + j AS d, (1 + abs(hashint4(t + j * 7)) % 100) / 70.0 AS w FROM generate_series(1, 10) j
		UNION ALL SELECT (t + s) % 40 * 10 + 3, 0.3 + s / 7.0 FROM generate_series(1, 12) s) x $$;
CREATE TABLE ties_topic AS SELECT t, pg_temp.topic(t) AS v FROM generate_series(0, 39) t;
INSERT INTO ties SELECT i, v, abs(hashint4(i)) % 300 FROM generate_series(1, 6000) i, ties_topic WHERE t = i * 7 % 40;
CREATE INDEX ties_idx ON ties USING hashemb (v, a);
CREATE INDEX ties_cosine ON ties USING hashemb (v svec_cosine_ops, a);
INSERT INTO ties SELECT i, v, abs(hashint4(i)) % 300 FROM generate_series(6001, 6800) i, ties_topic WHERE t = i * 7 % 40;
SELECT blocks, pending FROM hashemb_index_info('ties_idx');
SELECT * FROM pg_temp.differences('ties_idx', 'ties', ARRAY(SELECT format('v <#> %L', pg_temp.query(t)) FROM generate_series(1, 6) t),
	'{true,a = 3,a < 30}', '{1,170}');
SELECT * FROM pg_temp.differences('ties_cosine', 'ties', ARRAY(SELECT format('v <=> %L', pg_temp.query(t)) FROM generate_series(7, 9) t),
	'{true,a = 3,a < 30}', '{1,170}');
-- The same with the lower row numbers in the window that is visited last
DELETE FROM ties WHERE id <= 1500;
VACUUM ties;
INSERT INTO ties SELECT i, v, abs(hashint4(i)) % 300 FROM generate_series(7001, 8300) i, ties_topic WHERE t = i * 7 % 40;
SELECT blocks > 1 AS windows FROM hashemb_index_info('ties_idx');
SELECT * FROM pg_temp.differences('ties_idx', 'ties', ARRAY(SELECT format('v <#> %L', pg_temp.query(t)) FROM generate_series(17, 20) t),
	'{true,a = 3,a < 30}', '{1,170}');

-- A filter that few rows pass: blocks without such a row are not scored, and
-- all that pass are found, in the order of a sequential scan, to the last row
TRUNCATE ties;
INSERT INTO ties SELECT i, (SELECT svec_agg(d, w, 1000) FROM (SELECT i % 40 * 10 + j AS d, max(1 + abs(hashint4(i * 10 + j)) % 500 / 300.0) AS w FROM generate_series(1, 10) j GROUP BY 1) x),
	abs(hashint4(i)) % 150 FROM generate_series(1, 8000) i;
REINDEX INDEX ties_idx;
CREATE FUNCTION pg_temp.visited(condition text, k int) RETURNS TABLE (visited int, blocks int, passing bigint) LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true);
	EXECUTE format('SELECT count(*) FROM ties WHERE %s', condition) INTO passing;
	FOR line IN EXECUTE format('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM ties WHERE %s ORDER BY v <#> %L LIMIT %s', condition, pg_temp.wide(), k) LOOP
		IF line ~ 'Blocks: ' THEN
			visited := substring(line, 'Blocks: (\d+)'); blocks := substring(line, ' of (\d+)');
		END IF;
	END LOOP;
	RETURN NEXT;
END $$;
-- a query that has a dimension of every topic
CREATE FUNCTION pg_temp.wide() RETURNS svec LANGUAGE sql AS $$
	SELECT svec(array_agg(t * 10 + 1 + t % 5 ORDER BY t), array_agg(1 + t % 7 / 4.0 ORDER BY t), 1000) FROM generate_series(0, 39) t $$;
SELECT visited < 2 * passing AS few, passing, blocks FROM pg_temp.visited('a = 3', 10);
SELECT * FROM pg_temp.differences('ties_idx', 'ties', ARRAY[format('v <#> %L', pg_temp.wide()), format('v <#> %L', pg_temp.query(5))],
	ARRAY(SELECT 'a = ' || i FROM generate_series(0, 5) i), '{10,100000}');

-- Weights of both signs; dimensions that few rows of many blocks have, whose
-- lists have no bounds and end on another page than they begin
TRUNCATE ties;
INSERT INTO ties SELECT i, (SELECT svec_agg(d, w, 1000) FROM (
	SELECT i % 40 * 10 + j AS d, (1 + abs(hashint4(i * 10 + j)) % 500 / 300.0) * CASE WHEN (i % 40 + j) % 3 = 0 THEN -1 ELSE 1 END AS w FROM generate_series(1, 10) j
	UNION ALL SELECT 601 + abs(hashint4(-i)) % 24, (0.1 + i % 17 / 40.0) * CASE WHEN i % 5 = 0 THEN -1 ELSE 1 END) x),
	abs(hashint4(i)) % 150 FROM generate_series(1, 8000) i;
REINDEX INDEX ties_idx;
CREATE FUNCTION pg_temp.signed(t int) RETURNS svec LANGUAGE sql AS $$
	SELECT svec(array_agg(d ORDER BY d), array_agg(w ORDER BY d), 1000) FROM (
		SELECT (t + s * 7) % 40 * 10 + j AS d, (1 + abs(hashint4(t + j * 7)) % 100) / 70.0 * CASE WHEN (t + j) % 4 = 0 THEN -1 ELSE 1 END AS w FROM generate_series(0, 1) s, generate_series(1, 10) j
		UNION ALL SELECT 601 + (t * 4 + s) % 24, CASE WHEN t % 3 = 0 THEN -7.5 ELSE 7.5 END FROM generate_series(0, 3) s) x $$;
SELECT * FROM pg_temp.differences('ties_idx', 'ties', ARRAY(SELECT format('v <#> %L', pg_temp.signed(t)) FROM generate_series(1, 6) t),
	'{true,a < 30,a = 3}', '{10,170}');
DROP TABLE ties;
DROP TABLE ties_topic;
