-- Indexes on svec_ip_ops and svec_cosine_ops: the rows of a sequential scan in
-- the order of (distance, ctid), to the last bit, whatever the filter
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed s1
CREATE TABLE index_svec (id int, v svec(1000), a int, b bool, t text COLLATE "C", arr int[]);
-- topic i % 29 has 30 dimensions of its own; some weights are negative, some
-- vectors zero, some NULL, some equal
CREATE FUNCTION pg_temp.vector(i int, terms int, salt text, sign int) RETURNS svec LANGUAGE sql AS $$
	SELECT svec(array_agg(d ORDER BY d), array_agg(w::float8 ORDER BY d), 1000) FROM (
		SELECT DISTINCT ON (d) d, w FROM (
			SELECT CASE WHEN abs(hashtext(salt || i || 'x' || j)) % 3 > 0 THEN (i % 29) * 30 + abs(hashtext(salt || i || 'd' || j)) % 30
					ELSE abs(hashtext(salt || i || 'e' || j)) % 1000 END + 1 AS d,
				((abs(hashtext(salt || i || 'w' || j)) % 1000 + 1) / 300.0 *
					CASE WHEN sign * (abs(hashtext(salt || i || 's' || j)) % 10) >= 7 THEN -1 ELSE 1 END)::float4 AS w
			FROM generate_series(1, terms) j) x ORDER BY d, w) y $$;
CREATE FUNCTION pg_temp.fill(first int, last int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO index_svec SELECT i,
		CASE WHEN i % 50 = 7 THEN NULL WHEN i % 50 = 9 THEN '{}/1000'::svec ELSE
			pg_temp.vector(CASE WHEN i % 100 = 11 THEN 11 ELSE i END, 20, 's1', (i % 4 = 1)::int) END,
		nullif(i % 20, 19), i % 3 = 0, 'w' || i % 11, ARRAY[i % 5, i % 7, i % 60]
		FROM generate_series(first, last) i $$;
SELECT pg_temp.fill(1, 2500);
CREATE INDEX ON index_svec USING btree (id);
CREATE INDEX index_svec_ip ON index_svec USING hashemb (a, v, b, t, arr);
SELECT rows, null_rows, pending, blocks FROM hashemb_index_info('index_svec_ip');

SELECT pg_temp.vector(12, 12, 'q', 0) AS q1, pg_temp.vector(5, 12, 'q', 1) AS q2,
	(SELECT v FROM index_svec WHERE id = 411) AS q3 \gset
CREATE FUNCTION pg_temp.conditions() RETURNS text[] LANGUAGE sql AS $$SELECT ARRAY['true',
	'a = 3', 'a BETWEEN 4 AND 9', 'a = -1', 'a = NULL', 'a IN (1, 5, 18)', 'a IS NULL', 'a IS NOT NULL',
	'b', 'NOT b', 't = ''w3''', 't < ''w3''', 'arr && ''{3,59}''', 'arr @> ''{1,3}''', 'a = 3 AND b', 'a = 3 AND a = 4',
	'a = 1 OR a = 2', 'id % 10 = 3', 'id = 700', 'v IS NULL', 'v IS NOT NULL', 'v IS NULL AND a = 7', 'a = 7 AND v IS NOT NULL']$$;
CREATE FUNCTION pg_temp.compare(index text, operator text, q1 text, q2 text, q3 text) RETURNS TABLE (searches bigint, matches bigint, different bigint, example text)
	LANGUAGE sql AS $$SELECT * FROM pg_temp.differences(index, 'index_svec', ARRAY[format('v %s %L', operator, q1), format('%L %s v', q2, operator),
		format('v %s %L', operator, q3), format('v %s ''{}/1000''', operator), format('v %s ''{1000:1e-30}/1000''', operator), format('v %s (SELECT NULL::svec)', operator)],
		pg_temp.conditions(), '{1,10,100000}')$$;
SELECT * FROM pg_temp.compare('index_svec_ip', '<#>', :'q1', :'q2', :'q3');

-- the other operator class, and recall below 1, which is as exact
CREATE INDEX index_svec_cosine ON index_svec USING hashemb (v svec_cosine_ops, a, b, t, arr);
SET hashemb.recall = 0.9;
SELECT * FROM pg_temp.compare('index_svec_cosine', '<=>', :'q1', :'q2', :'q3');
RESET hashemb.recall;

-- the scan node: whole conditions, heap checks, and bitmaps of other indexes,
-- whose few rows are ranked
CREATE INDEX index_svec_id ON index_svec USING btree ((id % 97));
ANALYZE index_svec;
CREATE FUNCTION pg_temp.explained(operator text, q text, condition text, k int) RETURNS TABLE (line text) LANGUAGE plpgsql AS $$
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM index_svec WHERE %s ORDER BY v %s %L LIMIT %s', condition, operator, q, k) LOOP
		line := regexp_replace(ltrim(line), '(rows=\d+)\.00', '\1'); -- as servers before 18 have it
		IF line ~ 'Scan|Cond:|Filter:|Strategy|Recall|Fetches' THEN RETURN NEXT; END IF;
	END LOOP;
END $$;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT * FROM pg_temp.explained('<#>', :'q1', 'a = 3 OR NOT b AND t <> ''w3''', 7);
SELECT * FROM pg_temp.explained('<#>', :'q1', 'id % 97 = 5', 7);
SELECT searches, matches, bitmaps > 8 AS bitmaps, different FROM pg_temp.with_bitmaps('index_svec', format('v <#> %L', :'q1'), ARRAY['id % 97 = 5', 'id % 97 < 40', 'id % 97 < 40 AND a = 3', 'id % 97 = 5 OR id = 700',
	'id % 97 IN (3, 7, NULL) AND t <> ''w3''', 'id % 97 < 60 AND id % 3 = 1', 'id % 97 = 6 AND v IS NULL'], '{1,10,200,10000}');
SELECT searches, matches, bitmaps > 3 AS bitmaps, different FROM pg_temp.with_bitmaps('index_svec', format('v <=> %L', :'q3'), ARRAY['id % 97 = 5', 'id % 97 < 40', 'id % 97 = 5 OR id = 700', 'id % 97 < 60 AND id % 3 = 1'], '{1,10,200,10000}');
RESET enable_seqscan;
RESET enable_sort;
DROP INDEX index_svec_id;

-- a query that overlaps few rows: those without overlap come at product 0,
-- before negative products
UPDATE index_svec SET v = v + '{991:2}/1000' WHERE id IN (5, 6, 15);
UPDATE index_svec SET v = v - '{991:1}/1000' WHERE id IN (8, 20);
SELECT d, count(*) FROM (SELECT v <#> '{991:1}/1000' AS d FROM index_svec WHERE id < 1200 ORDER BY v <#> '{991:1}/1000' LIMIT 1000) s GROUP BY d ORDER BY d;

-- inserts wait in the pending area, become windows, and these are merged
SELECT pg_temp.fill(2501, 3400);
SELECT rows, null_rows, pending, blocks FROM hashemb_index_info('index_svec_ip');
SELECT * FROM pg_temp.compare('index_svec_ip', '<#>', :'q1', :'q2', :'q3');
SELECT pg_temp.fill(3401, 9000);
SELECT rows, null_rows, pending < 1024 AS few_pending, blocks <= 5 AS few_windows, merges FROM hashemb_index_info('index_svec_ip');
SELECT * FROM pg_temp.compare('index_svec_ip', '<#>', :'q1', :'q2', :'q3');
SELECT * FROM pg_temp.compare('index_svec_cosine', '<=>', :'q1', :'q2', :'q3');

-- updates and deletes, before vacuum and after it
UPDATE index_svec SET v = pg_temp.vector(id + 1, 20, 's2', 0) WHERE id % 9 = 4;
UPDATE index_svec SET id = -id WHERE id % 9 = 5;
UPDATE index_svec SET a = a + 100, v = NULL WHERE id % 101 = 1;
DELETE FROM index_svec WHERE id % 4 = 2;
SELECT * FROM pg_temp.compare('index_svec_ip', '<#>', :'q1', :'q2', :'q3');
VACUUM index_svec;
SELECT rows = (SELECT count(*) FROM index_svec) AS all_rows, null_rows = (SELECT count(*) FROM index_svec WHERE v IS NULL) AS all_nulls, dead
	FROM hashemb_index_info('index_svec_ip');
SELECT * FROM pg_temp.compare('index_svec_ip', '<#>', :'q1', :'q2', :'q3');
SELECT * FROM pg_temp.compare('index_svec_cosine', '<=>', :'q1', :'q2', :'q3');
DELETE FROM index_svec WHERE id % 29 < 20;
VACUUM index_svec;
SELECT pages AS before FROM hashemb_index_info('index_svec_ip') \gset
SELECT pg_temp.fill(9001, 10000);
SELECT pages <= :before + 40 AS reused FROM hashemb_index_info('index_svec_ip');
SELECT * FROM pg_temp.compare('index_svec_ip', '<#>', :'q1', :'q2', :'q3');
SELECT blocks > 0 AS any FROM hashemb_check('index_svec_ip', true);
SELECT blocks > 0 AS any FROM hashemb_check('index_svec_cosine', true);
DELETE FROM index_svec;
VACUUM (TRUNCATE false) index_svec;
SELECT rows, null_rows, pending, blocks FROM hashemb_index_info('index_svec_ip');
SELECT pg_temp.fill(1, 300);
SELECT * FROM pg_temp.compare('index_svec_ip', '<#>', :'q1', :'q2', :'q3');

-- vectors that take many pages, in the pending area and in a window
CREATE TABLE index_long (id int, v svec(100000));
INSERT INTO index_long SELECT i, svec(ARRAY(SELECT j * (i % 3 + 1) FROM generate_series(1, i * 2000) j), ARRAY(SELECT (j % 100 + i) / 10.0 FROM generate_series(1, i * 2000) j), 100000)
	FROM generate_series(1, 15) i;
CREATE INDEX index_long_idx ON index_long USING hashemb (v);
INSERT INTO index_long SELECT i + 20, svec(ARRAY(SELECT j * (i % 3 + 1) FROM generate_series(1, i * 2000) j), ARRAY(SELECT (j % 99 + i) / 10.0 FROM generate_series(1, i * 2000) j), 100000)
	FROM generate_series(1, 15) i;
SELECT rows, pending, blocks FROM hashemb_index_info('index_long_idx');
SELECT * FROM pg_temp.differences('index_long_idx', 'index_long', ARRAY['v <#> ''{3:1,12:2,16000:3,29999:2}/100000'''], '{true,id > 7}');
SELECT blocks FROM hashemb_check('index_long_idx', true);
DELETE FROM index_long WHERE id % 4 = 1;
VACUUM index_long;
SELECT rows, pending, blocks FROM hashemb_index_info('index_long_idx');
SELECT * FROM pg_temp.differences('index_long_idx', 'index_long', ARRAY['v <#> ''{3:1,12:2,16000:3,29999:2}/100000'''], '{true,id > 7}');
-- a query with as many dimensions as a vector can have
SELECT * FROM pg_temp.differences('index_long_idx', 'index_long', ARRAY[format('v <#> %L', svec(ARRAY(SELECT j FROM generate_series(1, 65535) j),
	ARRAY(SELECT j % 7 + 1 FROM generate_series(1, 65535) j), 100000))], '{true}');
DROP TABLE index_long;

-- an index on an empty table, then filled
TRUNCATE index_svec;
SELECT * FROM pg_temp.compare('index_svec_ip', '<#>', :'q1', :'q2', :'q3');
SELECT pg_temp.fill(1, 2500);
SELECT * FROM pg_temp.compare('index_svec_ip', '<#>', :'q1', :'q2', :'q3');

-- several windows whose blocks have bounds, and filters that few rows pass
CREATE TABLE index_bounds (id int, v svec(3000), a int);
CREATE FUNCTION pg_temp.fill_bounds(first int, last int, topics int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO index_bounds SELECT i, (SELECT svec(array_agg(i % topics * 10 + j), array_agg((abs(hashtext(i || 'b' || j)) % 1000 + 1) / 300.0), 3000)
		FROM generate_series(1, 10) j), abs(hashtext(i || 'a')) % 300 FROM generate_series(first, last) i $$;
SELECT pg_temp.fill_bounds(1, 6000, 256);
CREATE INDEX index_bounds_idx ON index_bounds USING hashemb (v, a);
SELECT pg_temp.fill_bounds(6001, 12000, 256);
SELECT blocks > 1 AS windows FROM hashemb_index_info('index_bounds_idx');
SELECT * FROM pg_temp.differences('index_bounds_idx', 'index_bounds', (SELECT array_agg(format('v <#> %L', q)) FROM
	(SELECT svec(array_agg(d ORDER BY d), array_agg((d % 7 + 1) / 4.0 ORDER BY d), 3000) AS q FROM generate_series(1, 6) s,
		LATERAL (SELECT DISTINCT abs(hashtext(s || 'd' || j)) % 256 * 10 + k AS d FROM generate_series(1, 12) j, generate_series(1, 10) k) x GROUP BY s) y), '{true,a = 3,a < 6,a < 20,a < 100}', '{1,5,10,50}');
-- topics of several blocks each, and queries that weigh them unlike, so that
-- some blocks are scored and others not
TRUNCATE index_bounds;
SELECT pg_temp.fill_bounds(1, 6000, 64);
REINDEX INDEX index_bounds_idx;
SELECT pg_temp.fill_bounds(6001, 12000, 64);
SELECT blocks > 1 AS windows FROM hashemb_index_info('index_bounds_idx');
CREATE TABLE index_bounds_queries AS SELECT s, svec(array_agg(t * 10 + k ORDER BY t, k), array_agg((1 + t * 37 % 101 * (s + 1)) / 50.0 ORDER BY t, k), 3000) AS q
	FROM generate_series(1, 3) s, generate_series(0, 63) t, generate_series(1, 10, 3) k WHERE (t * 7 + s) % 4 = 0 GROUP BY s;
CREATE FUNCTION pg_temp.scored_blocks(condition text) RETURNS TABLE (searches int, some_blocks int) LANGUAGE plpgsql AS $$
DECLARE
	line text;
	query svec;
	found text[];
BEGIN
	PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), set_config('hashemb.enable_scan', 'on', true);
	searches := 0; some_blocks := 0;
	FOR query IN SELECT q FROM index_bounds_queries LOOP
		searches := searches + 1;
		FOR line IN EXECUTE format('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM index_bounds WHERE %s ORDER BY v <#> %L LIMIT 5', condition, query) LOOP
			found := regexp_match(line, 'Blocks: (\d+) of (\d+)');
			some_blocks := some_blocks + coalesce(found[1]::int > 0 AND found[1]::int < found[2]::int, false)::int;
		END LOOP;
	END LOOP;
	RETURN NEXT;
END $$;
SELECT * FROM pg_temp.scored_blocks('true');
SELECT searches, some_blocks > 0 AS some FROM pg_temp.scored_blocks('a < 20');
SELECT * FROM pg_temp.differences('index_bounds_idx', 'index_bounds', (SELECT array_agg(format('v <#> %L', q) ORDER BY s) FROM index_bounds_queries),
	'{true,a < 3,a = 3,a = 3 AND id % 4 = 0,a = 3 AND id % 16 = 0}', '{1,5,10,50,100}');
DROP TABLE index_bounds_queries;
DROP TABLE index_bounds;

-- a bound that is NULL, by itself and beside another
SET enable_seqscan = off;
SELECT count(*) FROM index_svec WHERE v @< (SELECT NULL::distance_bound);
SELECT id FROM index_svec WHERE v @< ANY ((SELECT ARRAY[NULL]::distance_bound[])::distance_bound[]) ORDER BY v <#> '{1:1}/1000' LIMIT 3;
SELECT id FROM index_svec WHERE v @< distance_bound('<#>', '{2:1}/1000'::svec, '<', 0.5, NULL) AND v @< (SELECT NULL::distance_bound)
ORDER BY v <#> '{1:1}/1000' LIMIT 3;
RESET enable_seqscan;

-- errors
CREATE TABLE index_svec_errors (v svec, w svec(10));
CREATE INDEX ON index_svec_errors USING hashemb (v);
CREATE INDEX ON index_svec_errors USING hashemb (v, w);
INSERT INTO index_svec_errors VALUES ('{1:1}/10', '{1:1}/10');
CREATE INDEX ON index_svec_errors USING hashemb ((v::svec(10)));
INSERT INTO index_svec_errors VALUES ('{1:1}/11', '{1:1}/10');
SET enable_seqscan = off;
SELECT w FROM index_svec_errors ORDER BY v::svec(10) <#> '{1:1}/12';
RESET enable_seqscan;
DROP TABLE index_svec_errors;
DROP TABLE index_svec;
