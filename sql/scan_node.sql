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

-- EXPLAIN's counts add up, for codes and sparse vectors, in searches of every
-- kind: blocks visited are of those that there are, what is visited again is told
-- apart, and so are sweeps; a strategy with bitmaps needs one
CREATE TABLE scan_told (id int, c bincode(64), a int, n numeric, u int, v svec(50));
INSERT INTO scan_told SELECT i, CASE WHEN i % 50 > 0 THEN hashint8extended(i, 1)::bit(64)::bincode END, CASE WHEN i % 9 > 0 THEN i % 10 END, i, i % 300,
	CASE WHEN i % 40 > 0 THEN svec(ARRAY[1 + i % 20, 21 + i % 30], ARRAY[1, 0.5 + i % 3]::real[], 50) END FROM generate_series(1, 8000) i;
CREATE INDEX scan_told_codes ON scan_told USING hashemb (c, a) WITH (block_rows = 40);
CREATE INDEX "scan_told Vectors" ON scan_told USING hashemb (v, a);
CREATE INDEX scan_told_u ON scan_told (u);
ANALYZE scan_told;
SET enable_seqscan = off;
SET enable_sort = off;
CREATE FUNCTION pg_temp.told(query text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON) ' || query INTO plan;
	RETURN jsonb_path_query_first(plan, '$.** ? (@."Custom Plan Provider" == "hashemb")');
END $$;
CREATE TABLE scan_told_counts AS
SELECT ordering, condition, k, r, told, told ->> 'Strategy' AS strategy, told -> 'Plans' @> '[{"Node Type": "Bitmap Index Scan"}]' IS TRUE AS bitmap,
	(told ->> 'Blocks Visited')::int AS visited, (told ->> 'Blocks')::int AS blocks, (told ->> 'Restarts')::int AS restarts,
	(told ->> 'Blocks Visited Again')::int AS again, (told ->> 'Table Sweeps')::int + (told ->> 'Bitmaps Read Late')::int AS sweeps, (told ->> 'Sweeps Ranked')::int AS ranked,
	(told ->> 'Rows Scored')::int AS scored, told ->> 'Index' AS index
	FROM unnest(ARRAY['c <~> repeat(''0110'', 16)::bincode', 'c <~> (SELECT c FROM scan_told WHERE id = 50)', 'v <#> ''{1:1,44:2}/50'' ', 'v <#> (SELECT v FROM scan_told WHERE id = 40)']) ordering,
	unnest(ARRAY['true', 'a = 3', 'a = 11', 'a IS NULL AND c IS NULL AND v IS NULL', 'n = -1', 'n % 50 = 3', 'u = 7', 'u < 200 AND n % 3 = 1', 'u = 7 AND a = 7', 'u < 20', 'c <@ hamming_ball(repeat(''0110'', 16)::bincode, 20)']) condition,
	unnest('{1,10,400,9000,NULL}'::int[]) k, unnest('{0.9,1}'::float8[]) r,
	LATERAL set_config('hashemb.recall', r::text, false) s1, LATERAL set_config('work_mem', CASE WHEN k > 400 THEN '64kB' ELSE '4MB' END, false) s2,
	LATERAL pg_temp.told(format('SELECT id FROM scan_told WHERE %s ORDER BY %s LIMIT %s', condition, ordering, coalesce(k::text, 'NULL'))) told
	WHERE told IS NOT NULL;
RESET hashemb.recall;
RESET work_mem;
SELECT index, count(*) > 80 AS many, bool_and(visited <= s.blocks) AS parts, bool_or(visited = s.blocks) AS all_of_them,
	bool_or(visited = 0) AS none, bool_and(again = 0 OR restarts > 0 OR sweeps > 0) AS again_has_a_reason, bool_or(restarts > 0) AS restarts,
	bool_and(scored <= 8000 OR restarts > 0 OR sweeps > 0) AS scored, bool_or(sweeps > 0) AS sweeps, bool_and(ranked <= sweeps) AS ranked
	FROM scan_told_counts s GROUP BY index ORDER BY index;
-- all blocks that there are, the one of NULLs where such rows are asked for; 16 rows of sparse vectors
SELECT DISTINCT index, s.blocks - CASE WHEN index = 'scan_told_codes' THEN i.blocks ELSE 8000 / 16 END AS more
	FROM scan_told_counts s, hashemb_index_info('scan_told_codes') i ORDER BY 1, 2;
SELECT strategy, bitmap, count(*) > 5 AS many FROM scan_told_counts GROUP BY 1, 2 ORDER BY 1, 2;
SELECT told ->> 'Query' AS query, ordering LIKE '%id =%' AS is_null, count(*) > 50 AS many FROM scan_told_counts GROUP BY 1, 2 ORDER BY 1;
-- what several searches do is told as a mean, and all the ways they went
SELECT told ->> 'Searches' AS searches, told ->> 'Query' AS query, told ->> 'Strategy' AS strategy, (told ->> 'Blocks Visited')::int <= (told ->> 'Blocks')::int AS parts FROM pg_temp.told(
	'SELECT FROM generate_series(1, 5) g, LATERAL (SELECT id FROM scan_told WHERE a = g ORDER BY c <~> CASE WHEN g < 3 THEN repeat(''01'', 32)::bincode END LIMIT 5) s') told;
SELECT told ->> 'Searches' AS searches, told ->> 'Strategy' AS strategy FROM pg_temp.told(
	'SELECT FROM generate_series(2, 300) g, LATERAL (SELECT id FROM scan_told WHERE u BETWEEN 0 AND g ORDER BY c <~> repeat(''01'', 32)::bincode LIMIT 5) s') told;
-- the index has a name in every format, the query where it is NULL
PREPARE told_of(svec) AS SELECT id FROM scan_told ORDER BY v <#> $1 LIMIT 2;
SET plan_cache_mode = force_generic_plan;
CREATE FUNCTION pg_temp.lines(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	part text;
BEGIN
	FOR part IN EXECUTE 'EXPLAIN ' || query LOOP
		RETURN QUERY SELECT btrim(line) FROM regexp_split_to_table(part, '\n') line WHERE line ~ 'Index|Query["<:>]|Strategy|Blocks';
	END LOOP;
END $$;
SELECT pg_temp.lines(format('(%s COSTS OFF, BUFFERS OFF, TIMING OFF, SUMMARY OFF, FORMAT %s) EXECUTE told_of(%s)', analyze_it, format, query))
	FROM unnest('{TEXT,JSON,XML,YAML}'::text[]) format, unnest(ARRAY['', 'ANALYZE,']) analyze_it, unnest(ARRAY['NULL', '''{3:1}/50''']) query
	WHERE query = 'NULL' OR (format, analyze_it) = ('TEXT', 'ANALYZE,');
RESET plan_cache_mode;
DEALLOCATE told_of;
DROP TABLE scan_told, scan_told_counts;
