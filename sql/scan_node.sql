-- The scan node: its plans for every kind of condition and source of a mask,
-- and its rows beside those of sequential scans
\set ECHO none
\i sql/include/same.sql
\i sql/include/plan.sql
\set ECHO all
CREATE TABLE scan_node (id int, c bincode(256), a int, b text, f bool, tags int[], u int, j jsonb, n numeric);
INSERT INTO scan_node SELECT i, CASE WHEN i % 97 > 0 THEN pg_temp.code(i, 40, 'n1')::bincode END, CASE WHEN i % 11 > 0 THEN i % 100 END,
	'b' || i % 50, CASE WHEN i % 7 > 0 THEN i % 3 = 0 END, CASE WHEN i % 13 > 0 THEN ARRAY[i % 7, i % 17] END, i % 300,
	jsonb_build_object('k', i % 20), i / 3.0
	FROM generate_series(1, 6000) i;
CREATE INDEX scan_node_idx ON scan_node USING hashemb (c, a, b, f, tags);
ANALYZE scan_node;
SET hashemb.recall = 1;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT pg_temp.code(17, 40, 'n2') AS q \gset
SET regress.q = :'q';
-- no condition, and conditions on attributes
SELECT pg_temp.plan($$SELECT id FROM scan_node ORDER BY c <~> current_setting('regress.q')::bincode LIMIT 5$$);
CREATE FUNCTION pg_temp.show(condition text) RETURNS SETOF text LANGUAGE sql AS
	$$SELECT ltrim(p) FROM pg_temp.plan(format('SELECT id FROM scan_node WHERE %s ORDER BY c <~> current_setting(''regress.q'')::bincode LIMIT 5', condition)) p
		WHERE p ~ 'Scan|Cond:|Filter:|Strategy|Bitmap'$$;
SELECT pg_temp.show('a = 3');
SELECT pg_temp.show('a IN (3, 4) AND b <> ''b7'' AND f');
SELECT pg_temp.show('a = 3 OR (NOT f AND tags && ''{3}'')');
SELECT pg_temp.show('f IS NOT TRUE AND a IS NOT NULL');
SELECT pg_temp.show('a NOT IN (1, 2) AND c IS NOT NULL AND 5 > a');
SELECT pg_temp.show('hamming_within(c, current_setting(''regress.q'')::bincode, 70) AND a < 50');
-- what is left to the heap row: other columns, functions, an OR of both
SELECT pg_temp.show('n > 100 AND a = 3');
SELECT pg_temp.show('a % 2 = 1 AND f');
SELECT pg_temp.show('a = 3 OR n = 5');
-- of an AND below an OR the index needs to know but one member
SELECT pg_temp.show('(a = 3 AND n > 5) OR (a = 4 AND n < 5)');
-- volatile conditions stay with the plain scan
SELECT pg_temp.show('a = 3 AND random() >= 0');
-- without a LIMIT the search is exact, below another order it cannot know
SET hashemb.recall = 0.9;
SELECT pg_temp.plan('SELECT id FROM scan_node ORDER BY c <~> current_setting(''regress.q'')::bincode');
SELECT pg_temp.plan('SELECT id FROM scan_node ORDER BY c <~> current_setting(''regress.q'')::bincode, id LIMIT 3');
SET hashemb.recall = 1;
-- settings
SET hashemb.enable_scan = off;
SELECT pg_temp.show('a = 3');
RESET hashemb.enable_scan;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SET enable_seqscan = on;
SET enable_sort = on;
SELECT pg_temp.show('a = 3');
SET enable_sort = off;
SET enable_seqscan = off;
RESET enable_indexscan;
RESET enable_bitmapscan;

-- the rows
SELECT * FROM pg_temp.differences('scan_node_idx', 'scan_node', ARRAY(SELECT format('c <~> %L', pg_temp.code(i, 40, 'n3')) FROM generate_series(1, 3) i),
	string_to_array($$a IS NULL OR f / NOT (a = 3 OR b = 'b4') / (a < 20 AND f) IS NOT TRUE / a NOT IN (1, 2, NULL) / b <> ALL ('{b1,b2}') / tags @> '{3,4}' OR tags IS NULL / f IS UNKNOWN / NOT f / f IS NOT FALSE AND a <> 5 / (a = 3 AND n > 5) OR (a = 4 AND n < 900) / a % 2 = 1 / n < 100 / u = 7 AND a = 7 / c IS NULL / NULL::bool OR a = 5 / NOT (tags && '{1}') / b > 'b3' OR a = ANY (NULL::int[]) / a = 3 AND a = 4$$, ' / '));

-- bitmaps of other indexes
CREATE INDEX scan_node_u ON scan_node (u);
CREATE INDEX scan_node_j ON scan_node USING gin (j);
CREATE INDEX scan_node_n ON scan_node USING brin (n) WITH (pages_per_range = 4);
CREATE INDEX scan_node_h ON scan_node USING hash (id);
SELECT pg_temp.show('u = 7');
SELECT pg_temp.show('u = 7 AND j @> ''{"k": 7}''');
SELECT pg_temp.show('u = 7 OR j @> ''{"k": 3}''');
SELECT pg_temp.show('n BETWEEN 100 AND 200 AND a = 5');
SELECT pg_temp.show('u IN (7, 8) AND n * 2 > 5');

-- EXPLAIN ANALYZE tells what was done
CREATE FUNCTION pg_temp.done(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		IF line ~ 'Custom Scan|Strategy|Blocks|Rows (Scored|Filtered)|Heap Fetches' THEN
			RETURN NEXT regexp_replace(ltrim(line), '\d+(\.\d+)?', 'N', 'g');
		END IF;
	END LOOP;
END $$;
SELECT pg_temp.done('SELECT id FROM scan_node WHERE a < 50 ORDER BY c <~> current_setting(''regress.q'')::bincode LIMIT 5');
SELECT pg_temp.done('SELECT id FROM scan_node WHERE u = 7 ORDER BY c <~> current_setting(''regress.q'')::bincode LIMIT 5');
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM scan_node WHERE a = 3 ORDER BY current_setting('regress.q')::bincode <~> c LIMIT 5;
CREATE FUNCTION pg_temp.properties(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || query INTO plan;
	RETURN QUERY SELECT key || ': ' || json_typeof(value) FROM json_each(plan -> 0 -> 'Plan' -> 'Plans' -> 0)
		WHERE key ~ '^(Custom Plan Provider|Order By|Index Cond|Heap Filter|Strategy|Recall Target|Blocks.*|Rows (Scored|Filtered)|Heap Fetches)$';
END $$;
SELECT pg_temp.properties('SELECT id FROM scan_node WHERE a = 3 AND n > 3 ORDER BY c <~> current_setting(''regress.q'')::bincode LIMIT 5');

-- with bitmaps the same rows, in little memory, too
SELECT matches, searches, bitmaps > 15 AS bitmaps, different FROM pg_temp.with_bitmaps('scan_node', 'c <~> current_setting(''regress.q'')::bincode', string_to_array($$u = 7 / u = 7 AND a = 7 / u = 7 OR id = 9 / u < 50 AND j @> '{"k": 3}' / n BETWEEN 10 AND 90 / n < 50 OR u = 3 / id = 77 / u = 1000 / j @> '{"k": 3}' AND f / u IN (3, 4, NULL) / u = 7 AND c IS NULL / j @> '{"k": 3}' AND n * 2 > 500$$, ' / '));
SET work_mem = '64kB';
SELECT matches, searches, bitmaps > 15 AS bitmaps, different FROM pg_temp.with_bitmaps('scan_node', 'c <~> current_setting(''regress.q'')::bincode', string_to_array($$u = 7 / u = 7 AND a = 7 / u = 7 OR id = 9 / u < 50 AND j @> '{"k": 3}' / n BETWEEN 10 AND 90 / n < 50 OR u = 3 / u > 5 AND j @> '{"k": 3}' / j @> '{"k": 3}' AND f / u IN (3, 4, NULL)$$, ' / '));
RESET work_mem;

-- partial and expression indexes
DROP INDEX scan_node_idx;
CREATE INDEX scan_node_part ON scan_node USING hashemb (a, c) WHERE u < 100;
SELECT pg_temp.show('a = 3 AND u < 100');
SELECT * FROM pg_temp.differences('scan_node_part', 'scan_node', ARRAY[format('c <~> %L', :'q')], '{u < 100, u < 100 AND a = 3, u < 50 OR u = 99, u = 5 AND (a = 5 OR f)}');
-- not where it lacks rows
SELECT pg_temp.show('a = 3 AND u < 101');
DROP INDEX scan_node_part;
CREATE INDEX scan_node_expr ON scan_node USING hashemb ((subcode(c, 1, 128)::bincode(128)), (a % 10), lower(b));
ANALYZE scan_node;
SELECT * FROM pg_temp.differences('scan_node_expr', 'scan_node', ARRAY[format('(subcode(c, 1, 128)::bincode(128)) <~> subcode(%L::bincode, 1, 128)', :'q')],
	string_to_array($$a % 10 = 3 / a % 10 IN (1, 2) OR lower(b) = 'b7' / NOT (lower(b) = 'b7') / u = 5$$, ' / '));
-- a NULL query
SELECT count(*) FROM (SELECT FROM scan_node WHERE a % 10 = 3 ORDER BY subcode(c, 1, 128)::bincode(128) <~> NULL LIMIT 7) s;
DROP TABLE scan_node;
