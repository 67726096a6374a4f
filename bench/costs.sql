-- What the steps of searches and of PostgreSQL's own plans take, in microseconds:
-- the constants of src/index/cost_units.h. Runs on the table of bench/plans.sql;
-- bench/costs.sh sets :operator and :function.
SET client_min_messages = warning;
SET search_path = plans, public;
SET max_parallel_workers_per_gather = 0;
DROP SCHEMA IF EXISTS costs CASCADE;
CREATE SCHEMA costs;
SET search_path = costs, plans, public;

-- All plans but those of settings that are off
CREATE FUNCTION apply(settings text) RETURNS void LANGUAGE sql AS $$
	SELECT set_config(s, 'on', false) FROM unnest('{enable_seqscan,enable_indexscan,enable_bitmapscan,enable_sort}'::text[]) s;
	SELECT set_config(split_part(s, '=', 1), split_part(s, '=', 2), false) FROM unnest(string_to_array(settings, ' ')) s;
$$;
-- The best of some runs, of the statement's execution, in microseconds; and counts of its first scan
CREATE FUNCTION best(query text, runs int, settings text DEFAULT '', OUT us float8, OUT plan jsonb) LANGUAGE plpgsql AS $$
DECLARE
	j jsonb;
	t float8;
BEGIN
	PERFORM costs.apply(settings);
	FOR i IN 1 .. runs LOOP
		EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO j;
		t := (j -> 0 ->> 'Execution Time')::float8 * 1000;
		IF us IS NULL OR t < us THEN
			us := t;
			plan := j -> 0 -> 'Plan';
		END IF;
	END LOOP;
	PERFORM costs.apply('');
END $$;
-- A number that any node of a plan tells
CREATE FUNCTION told(plan jsonb, what text) RETURNS float8 LANGUAGE sql AS
	$$SELECT (jsonb_path_query_first(plan, ('$.**."' || what || '"')::jsonpath))::float8$$;

CREATE TABLE constants (name text, us float8, of text);
CREATE TABLE narrow AS SELECT id FROM docs;
VACUUM ANALYZE narrow;

-- Sequential scans: of wide rows and of narrow ones, two equations
WITH t AS (SELECT (best('SELECT count(*) FROM docs', 7, 'enable_indexscan=off enable_bitmapscan=off')).us AS wide, (best('SELECT count(*) FROM narrow', 7)).us AS narrow,
	pg_relation_size('docs') / 8192.0 AS wide_pages, pg_relation_size('narrow') / 8192.0 AS narrow_pages, (SELECT count(*) FROM narrow) AS rows),
p AS (SELECT *, greatest((wide - narrow) / (wide_pages - narrow_pages), 0) AS page FROM t)
INSERT INTO constants SELECT 'HX_SEQ_PAGE_TIME', page, 'page of a sequential scan' FROM p UNION ALL
	SELECT 'HX_SEQ_ROW_TIME', (narrow - page * narrow_pages) / rows, 'row of it' FROM p;
-- Operators, by what they are charged
INSERT INTO constants SELECT 'HX_OPERATOR_TIME', ((best('SELECT count(*) FROM narrow WHERE id + 1 + 1 + 1 + 1 + 1 + 1 > 0', 7)).us - (best('SELECT count(*) FROM narrow WHERE id > 0', 7)).us) / 6 / (SELECT count(*) FROM narrow), 'cpu_operator_cost';
INSERT INTO constants SELECT 'distance', ((best(format('SELECT count(*) FROM docs WHERE public.%s(v, %L) < -1e30', :'function', (SELECT v FROM queries LIMIT 1)), 5, 'enable_indexscan=off enable_bitmapscan=off')).us
	- (best('SELECT count(*) FROM docs WHERE id < -1', 5, 'enable_indexscan=off enable_bitmapscan=off')).us) / (SELECT count(*) FROM docs),
	'distance; charged ' || (SELECT max(procost) FROM pg_proc WHERE proname = :'function') || ' cpu_operator_cost';
-- Rows by an index
CREATE TABLE by_index AS SELECT way, n, (b).us, told((b).plan, 'Actual Rows') AS rows FROM (VALUES ('index', 'enable_seqscan=off enable_bitmapscan=off'), ('bitmap', 'enable_seqscan=off enable_indexscan=off')) v (way, settings),
	unnest('{300,1000,3000,10000,20000}'::int[]) n, LATERAL best(format('SELECT id FROM docs WHERE o_rng < %s', n), 9, settings) b;
INSERT INTO constants SELECT CASE way WHEN 'index' THEN 'HX_HEAP_PAGE_TIME and _ROW_' ELSE 'the same by a bitmap' END, regr_slope(us, rows), 'heap row by another index, and its page' FROM by_index GROUP BY way;
INSERT INTO constants SELECT 'HX_PLAN_TIME', min(regr_intercept), 'beginning and end of a plan' FROM (SELECT regr_intercept(us, rows) FROM by_index WHERE n <= 3000 GROUP BY way) i;
-- TIDs of bitmaps
CREATE FUNCTION bitmap_us(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	j jsonb;
	us float8;
BEGIN
	PERFORM costs.apply('enable_seqscan=off enable_indexscan=off');
	FOR i IN 1 .. 5 LOOP
		EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || query INTO j;
		us := least(us, (jsonb_path_query_first(j, '$.** ? (@."Node Type" == "Bitmap Index Scan")."Actual Total Time"'))::float8 * 1000);
	END LOOP;
	RETURN us;
END $$;
INSERT INTO constants SELECT 'HX_TID_TIME', (bitmap_us('SELECT id FROM docs WHERE o_rng < 200000') - bitmap_us('SELECT id FROM docs WHERE o_rng < 20000')) / (SELECT count(*) FROM docs WHERE o_rng >= 20000 AND o_rng < 200000), 'TID of a B-tree in a bitmap';
INSERT INTO constants SELECT 'the same, GIN', (bitmap_us('SELECT id FROM docs WHERE o_arr && ''{2}''') - bitmap_us('SELECT id FROM docs WHERE o_arr && ''{3}''')) / (SELECT count(*) FILTER (WHERE o_arr && '{2}') - count(*) FILTER (WHERE o_arr && '{3}') FROM docs), '';
INSERT INTO constants SELECT 'HX_SORT_ROW_TIME', ((best('SELECT id FROM narrow ORDER BY id * 7919 % 100003 LIMIT 10', 7)).us - (best('SELECT id * 7919 % 100003 FROM narrow', 7)).us) / (SELECT count(*) FROM narrow), 'row of a sort for the first 10';
SELECT costs.apply('') \g /dev/null

-- The node: by rows visited, by heap rows looked at, by rows of a bitmap, and of a search for all rows
CREATE TABLE searches AS SELECT kind, number, q.id, (b).us, told((b).plan, 'Rows Scored') AS scored, told((b).plan, 'Rows Filtered') AS filtered, told((b).plan, 'Heap Fetches') AS fetches,
	jsonb_path_query_first((b).plan, '$.**."Strategy"') #>> '{}' AS strategy
	FROM (VALUES ('none', 1, 'true'), ('mask', 1, 'a_lev = 1'), ('mask', 2, 'a_lev = 2'), ('mask', 3, 'a_rng >= 300000 AND a_rng < 350000'), ('mask', 4, 'a_rng >= 300000 AND a_rng < 310000'),
		('mask', 5, 'a_rng >= 300000 AND a_rng < 303000'), ('mask', 6, 'a_rng >= 300000 AND a_rng < 301000'), ('mask', 7, 'a_rng >= 300000 AND a_rng < 300100'),
		('heap', 1, 'id % 2 = 0'), ('heap', 2, 'id % 5 = 0'), ('heap', 3, 'id % 10 = 0'), ('heap', 4, 'id % 20 = 0'), ('heap', 5, 'id % 40 = 0')) v (kind, number, condition),
	(SELECT * FROM queries ORDER BY id LIMIT 12) q,
	LATERAL best(format('SELECT id FROM docs WHERE %s ORDER BY v OPERATOR(public.%s) %L LIMIT 10', condition, :'operator', q.v), 4, 'enable_seqscan=off enable_sort=off enable_bitmapscan=off') b;
CREATE TABLE ranked AS SELECT n, q.id, (b).us, told((b).plan, 'Heap Fetches') AS fetches, jsonb_path_query_first((b).plan, '$.**."Strategy"') #>> '{}' AS strategy
	FROM unnest('{100,300,1000,2000,4000}'::int[]) n, (SELECT * FROM queries ORDER BY id LIMIT 12) q,
	LATERAL best(format('SELECT id FROM docs WHERE o_rng < %s ORDER BY v OPERATOR(public.%s) %L LIMIT 10', n, :'operator', q.v), 4, 'enable_seqscan=off enable_sort=off') b;
CREATE TABLE complete AS SELECT n, (b).us, told((b).plan, 'Actual Rows') AS rows
	FROM unnest('{10000,50000,200000,1000000}'::int[]) n, (SELECT * FROM queries ORDER BY id LIMIT 2) q,
	LATERAL best(format('SELECT id FROM docs WHERE a_rng < %s ORDER BY v OPERATOR(public.%s) %L', n, :'operator', q.v), 2, 'enable_seqscan=off enable_sort=off enable_bitmapscan=off') b;
SELECT kind, number, round(avg(us)) AS us, round(avg(scored)) AS scored, round(avg(filtered)) AS filtered, round(avg(fetches)) AS fetches, round(avg(us / nullif(scored + filtered, 0))::numeric, 4) AS "us a row", min(strategy) FROM searches GROUP BY 1, 2 ORDER BY 1, 2;
INSERT INTO constants SELECT 'HX_ROW_TIME, ' || kind, regr_slope(us, scored + filtered), 'from ' || round(regr_intercept(us, scored + filtered)) || ' us on' FROM searches WHERE kind <> 'heap' GROUP BY kind;
-- rows that pass a mask, beside rows visited where few pass
WITH few AS (SELECT regr_slope(us, scored + filtered) AS row, regr_intercept(us, scored + filtered) AS start FROM searches WHERE kind = 'mask' AND number BETWEEN 4 AND 6)
INSERT INTO constants SELECT 'HX_PASSED_TIME', regr_slope(us - start - row * (scored + filtered), scored), 'row that passes a mask, of 5 to 9 %' FROM searches, few WHERE kind = 'mask' AND number BETWEEN 2 AND 5;
INSERT INTO constants SELECT 'HX_COLUMN_TIME', (avg(us) - (SELECT avg(us) FROM ranked WHERE n = 100)) / (SELECT count(*) FROM docs), 'row of which an attribute column is read' FROM searches WHERE kind = 'mask' AND number = 7 AND strategy = 'exact ranking';
INSERT INTO constants SELECT 'HX_VISIT_TIME', (us - 0.001) * (SELECT count(*) FROM docs) / (pg_relation_size('docs_search') / 8192), 'page of the same, beside 0.001 a row' FROM constants WHERE name = 'HX_COLUMN_TIME';
INSERT INTO constants SELECT 'HX_CHECK_TIME', regr_slope(us, fetches), 'heap row that a search looks at' FROM searches WHERE kind = 'heap' AND strategy = 'blocks';
INSERT INTO constants SELECT 'HX_RANK_TIME', regr_slope(us, fetches), 'row ranked, distance and bitmap with it' FROM ranked WHERE strategy = 'exact ranking';
INSERT INTO constants SELECT 'HX_EMIT_ALL_TIME', regr_slope(us, rows), 'row of a complete search' FROM complete;
\pset format aligned
\pset tuples_only off
\pset border 1
SELECT name, round(us::numeric, 4) AS microseconds, of FROM constants;
