-- An index on svec_l2_ops: the rows of a sequential scan in the order of
-- (distance, ctid), to the last bit, whatever the filter
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed l1
CREATE TABLE svec_l2 (id int, v svec(1000), a int, b bool, t text COLLATE "C");
-- topic i % 29 has 30 dimensions of its own; some weights are negative, some
-- vectors zero, some NULL, some equal; lengths differ by a factor of 8
CREATE FUNCTION pg_temp.vector(i int, terms int, salt text) RETURNS svec LANGUAGE sql AS $$
	SELECT svec(array_agg(d ORDER BY d), array_agg(w::float8 ORDER BY d), 1000) FROM (
		SELECT DISTINCT ON (d) d, w FROM (
			SELECT CASE WHEN abs(hashtext(salt || i || 'x' || j)) % 3 > 0 THEN (i % 29) * 30 + abs(hashtext(salt || i || 'd' || j)) % 30
					ELSE abs(hashtext(salt || i || 'e' || j)) % 1000 END + 1 AS d,
				((abs(hashtext(salt || i || 'w' || j)) % 1000 + 1) / 300.0 / (1 + i % 8) *
					CASE WHEN i % 4 = 1 AND abs(hashtext(salt || i || 's' || j)) % 10 >= 7 THEN -1 ELSE 1 END)::float4 AS w
			FROM generate_series(1, terms) j) x ORDER BY d, w) y $$;
CREATE FUNCTION pg_temp.fill(first int, last int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO svec_l2 SELECT i,
		CASE WHEN i % 50 = 7 THEN NULL WHEN i % 50 = 9 THEN '{}/1000'::svec ELSE
			pg_temp.vector(CASE WHEN i % 100 = 11 THEN 11 ELSE i END, 20, 'l1') END,
		nullif(i % 20, 19), i % 3 = 0, 'w' || i % 11
		FROM generate_series(first, last) i $$;
SELECT pg_temp.fill(1, 2500);
CREATE INDEX svec_l2_idx ON svec_l2 USING hashemb (a, v svec_l2_ops, b, t);
SELECT pg_temp.vector(12, 12, 'q') AS q1, pg_temp.vector(5, 12, 'q') AS q2,
	(SELECT v FROM svec_l2 WHERE id = 411) AS q3 \gset
CREATE FUNCTION pg_temp.conditions() RETURNS text[] LANGUAGE sql AS $$SELECT ARRAY['true',
	'a = 3', 'a BETWEEN 4 AND 9', 'a = -1', 'a = NULL', 'a IN (1, 5, 18)', 'a IS NULL', 'NOT b', 't < ''w3''', 'a = 3 AND b',
	'a = 1 OR a = 2', 'id % 10 = 3', 'id = 700', 'v IS NULL', 'v IS NULL AND a = 7', 'a = 7 AND v IS NOT NULL',
	'v <-> ''{1:1}/1000'' < 2', 'v <-> ''{1:1}/1000'' > 3 AND a < 4']$$;
CREATE FUNCTION pg_temp.compare(q1 text, q2 text, q3 text) RETURNS TABLE (searches bigint, matches bigint, different bigint, example text)
	LANGUAGE sql AS $$SELECT * FROM pg_temp.differences('svec_l2_idx', 'svec_l2', ARRAY[format('v <-> %L', q1), format('%L <-> v', q2),
		format('v <-> %L', q3), 'v <-> ''{}/1000''', 'v <-> ''{1000:1e-30}/1000''', 'v <-> (SELECT NULL::svec)'],
		pg_temp.conditions(), '{1,10,300,100000}')$$;
SELECT * FROM pg_temp.compare(:'q1', :'q2', :'q3');

-- recall below 1 is as exact; little memory, so that all rows take several passes
SET hashemb.recall = 0.5;
SET work_mem = '64kB';
SELECT * FROM pg_temp.compare(:'q1', :'q2', :'q3');
RESET work_mem;
RESET hashemb.recall;

-- the scan node: whole conditions, heap checks, bitmaps of other indexes
CREATE INDEX svec_l2_id ON svec_l2 USING btree ((id % 97));
ANALYZE svec_l2;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT searches, matches, bitmaps > 0 AS bitmaps, different FROM pg_temp.with_bitmaps('svec_l2', format('v <-> %L', :'q3'),
	ARRAY['id % 97 = 5', 'id % 97 < 40', 'id % 97 = 5 OR id = 700', 'id % 97 < 60 AND id % 3 = 1'], '{1,10,200,10000}');
RESET enable_seqscan;
RESET enable_sort;
DROP INDEX svec_l2_id;

-- inserts wait in the pending area, become windows, and these are merged;
-- updates and deletes, before vacuum and after it
SELECT pg_temp.fill(2501, 5500);
SELECT * FROM pg_temp.compare(:'q1', :'q2', :'q3');
UPDATE svec_l2 SET v = pg_temp.vector(id + 1, 20, 'l2') WHERE id % 9 = 4;
UPDATE svec_l2 SET a = a + 100, v = NULL WHERE id % 101 = 1;
DELETE FROM svec_l2 WHERE id % 4 = 2;
SELECT * FROM pg_temp.compare(:'q1', :'q2', :'q3');
VACUUM svec_l2;
SELECT * FROM pg_temp.compare(:'q1', :'q2', :'q3');
SELECT blocks > 0 AS any FROM hashemb_check('svec_l2_idx', true);
SELECT measured, recall FROM hashemb_measure_recall('svec_l2_idx', 5, ARRAY[:'q1', :'q2']::svec[]);
SELECT measured, recall FROM hashemb_measure_recall('svec_l2_idx', 5, 20);

-- ties of the last row, and rows found through a join of unknown length
SET enable_seqscan = off;
SET enable_sort = off;
CREATE FUNCTION pg_temp.tied(q svec, node bool) RETURNS TABLE (rows bigint, of text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('hashemb.enable_scan', node::text, true), set_config('enable_indexscan', node::text, true), set_config('enable_sort', (NOT node)::text, true);
	RETURN QUERY EXECUTE format('SELECT count(*), md5(string_agg(d || '' '' || id, '','' ORDER BY d, id)) FROM
		(SELECT v <-> %1$L AS d, id FROM svec_l2 WHERE a < 15 ORDER BY v <-> %1$L FETCH FIRST 4 ROWS WITH TIES) x', q);
END $$;
SELECT i.rows, i = s AS same FROM pg_temp.tied(:'q3', true) i, pg_temp.tied(:'q3', false) s;
SELECT i.rows, i = s AS same FROM pg_temp.tied(pg_temp.vector(11, 20, 'l1'), true) i, pg_temp.tied(pg_temp.vector(11, 20, 'l1'), false) s;
BEGIN;
DECLARE all_rows CURSOR FOR SELECT id, v <-> '{1:1,40:2}/1000' AS d FROM svec_l2 ORDER BY v <-> '{1:1,40:2}/1000';
CREATE FUNCTION pg_temp.drain() RETURNS TABLE (n bigint, of text) LANGUAGE plpgsql AS $$
DECLARE
	c refcursor := 'all_rows';
	r record;
	ids int[] := '{}';
BEGIN
	LOOP
		FETCH c INTO r;
		EXIT WHEN NOT FOUND;
		ids := ids || r.id;
	END LOOP;
	RETURN QUERY SELECT cardinality(ids)::bigint, md5(ids::text);
END $$;
SELECT n = (SELECT count(*) FROM svec_l2) AS all_rows, of = (SELECT md5(array_agg(id ORDER BY v <-> '{1:1,40:2}/1000', ctid)::text) FROM svec_l2) AS in_order FROM pg_temp.drain();
COMMIT;
RESET enable_seqscan;
RESET enable_sort;

-- Long vectors near each other: squares of lengths are 16 digits longer than
-- squares of distances, so that what the index computes from them tells nothing
-- and the table decides
CREATE TABLE svec_near (id int, v svec(100), a int);
INSERT INTO svec_near SELECT i, (SELECT svec(array_agg(j), array_agg(CASE WHEN j < 5 THEN 10000 + j ELSE (abs(hashtext(i || 'n' || j)) % 1000 + 1) / 5e6 END), 100) FROM generate_series(1, 12) j), i % 7
	FROM generate_series(1, 1500) i;
CREATE INDEX svec_near_idx ON svec_near USING hashemb (v svec_l2_ops, a);
INSERT INTO svec_near SELECT -id, v, a FROM svec_near WHERE id % 5 = 0;
SELECT min(d) > 0 AND max(d) < 0.01 AS near, count(DISTINCT d) > 100 AS unlike FROM (SELECT v <-> (SELECT v FROM svec_near WHERE id = 77) AS d FROM svec_near WHERE id <> 77) x;
SELECT * FROM pg_temp.differences('svec_near_idx', 'svec_near', ARRAY(SELECT format('v <-> %L', v) FROM svec_near WHERE id IN (7, 77, 777)),
	'{true,a = 3,a < 3 AND id % 2 = 0}', '{1,10,300,100000}');
SELECT * FROM pg_temp.differences('svec_near_idx', 'svec_near', ARRAY['v <-> ''{}/100''', 'v <-> ''{5:1e20}/100''', 'v <-> ''{5:-3e38}/100'''], '{true,a = 3}', '{10,100000}');
DROP TABLE svec_near;

-- Blocks that bounds leave out, where lengths are equal
CREATE TABLE svec_bounds (id int, v svec(3000), a int);
INSERT INTO svec_bounds SELECT i, l2_normalize(svec(array_agg(i % 64 * 10 + j), array_agg((abs(hashtext(i || 'b' || j)) % 1000 + 1) / 300.0), 3000)), abs(hashtext(i || 'a')) % 300
	FROM generate_series(1, 12000) i, generate_series(1, 10) j GROUP BY i;
CREATE INDEX svec_bounds_idx ON svec_bounds USING hashemb (v svec_l2_ops, a);
SELECT * FROM pg_temp.differences('svec_bounds_idx', 'svec_bounds', ARRAY(SELECT format('v <-> %L', v) FROM svec_bounds WHERE id IN (5, 700, 9000)), '{true,a = 3,a < 20}', '{1,10,50}');
SET enable_seqscan = off;
CREATE FUNCTION pg_temp.visited(q svec) RETURNS TABLE (few_blocks bool, few_fetches bool) LANGUAGE plpgsql AS $$
DECLARE
	line text;
	found text[];
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM svec_bounds ORDER BY v <-> %L LIMIT 10', q) LOOP
		found := regexp_match(line, 'Blocks: (\d+) of (\d+)');
		few_blocks := coalesce(found[1]::int * 4 < found[2]::int, few_blocks);
		found := regexp_match(line, 'Heap Fetches: (\d+)');
		few_fetches := coalesce(found[1]::int <= 25, few_fetches);
	END LOOP;
	RETURN NEXT;
END $$;
-- a query that has all topics, one of them more than others
SELECT * FROM pg_temp.visited((SELECT l2_normalize(v + svec(array_agg(d), array_agg(d % 7 / 100.0), 3000)) FROM svec_bounds, generate_series(1, 640) d WHERE id = 700 GROUP BY v));
RESET enable_seqscan;
DROP TABLE svec_bounds;

-- an index on an empty table, then filled; one without rows that have a vector
TRUNCATE svec_l2;
SELECT * FROM pg_temp.compare(:'q1', :'q2', :'q3');
INSERT INTO svec_l2 SELECT i, NULL, i % 20, true, 'w' FROM generate_series(1, 1500) i;
REINDEX INDEX svec_l2_idx;
SELECT * FROM pg_temp.compare(:'q1', :'q2', :'q3');
SELECT pg_temp.fill(1, 300);
SELECT * FROM pg_temp.compare(:'q1', :'q2', :'q3');
DROP TABLE svec_l2;
