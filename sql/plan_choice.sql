-- Which plans are chosen, and what planning asks for: by counts and rows, never by
-- times
\set ECHO none
\i sql/include/same.sql
\set ECHO all
SET jit = off;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE plan_choice (id int, c bincode(256), v svec(2000), a int, o int, b int, arr int[], far int);
INSERT INTO plan_choice SELECT i, pg_temp.code(i, 60, 'choice')::bincode, svec(ARRAY[1 + i % 40, 41 + i % 173, 214 + i % 1500], ARRAY[1 + i % 3, 1, 2]::real[], 2000),
	n, n, n, ARRAY[n / 20, 1000 + n % 7], hamming(pg_temp.code(i, 60, 'choice')::bincode, pg_temp.code(7, 60, 'choice')::bincode)
	FROM (SELECT i, (hashint4extended(i, 3) & 1048575)::int % 20000 AS n FROM generate_series(1, 20000) i) s;
CREATE INDEX plan_choice_c ON plan_choice USING hashemb (c, a, b, arr);
CREATE INDEX plan_choice_v ON plan_choice USING hashemb (v, a, b, arr);
CREATE INDEX plan_choice_o ON plan_choice (o);
CREATE INDEX plan_choice_b ON plan_choice (b);
CREATE INDEX plan_choice_arr ON plan_choice USING gin (arr);
CREATE INDEX plan_choice_far ON plan_choice (far);
VACUUM ANALYZE plan_choice;
SELECT pg_temp.code(7, 60, 'choice') AS q \gset
SET regress.q = :'q';
-- what a plan is: the node with its strategy, or the scan below the sort
CREATE FUNCTION pg_temp.choice(condition text, ending text DEFAULT 'LIMIT 10', ordering text DEFAULT 'c <~> current_setting(''regress.q'')::bincode') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	choice text := '';
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (COSTS OFF) SELECT id FROM plan_choice WHERE %s ORDER BY %s %s', condition, ordering, ending) LOOP
		IF line ~ 'Scan|Strategy' THEN choice := concat_ws(' < ', nullif(choice, ''), substring(line, 'Strategy: (.*)'), substring(line, '(?:-> *)?([A-Z][A-Za-z ]* Scan)')); END IF;
	END LOOP;
	RETURN choice;
END $$;
-- codes, by how many rows pass and what knows the column: attribute, other index, both
SELECT share, pg_temp.choice(format('a < %s', n)) AS attribute, regexp_replace(pg_temp.choice(format('o < %s', n)), 'Bitmap.*|Index.*', 'other index') AS other,
	regexp_replace(pg_temp.choice(format('b < %s', n)), 'Bitmap.*|Index.*', 'other index') AS both
	FROM (VALUES (1, 20000), (0.3, 6000), (0.0002, 4), (0.0001, 2)) v (share, n);
-- sparse vectors
SELECT share, pg_temp.choice(format('a < %s', n), ordering => 'v <#> ''{1:1,45:2,300:1}/2000''') AS attribute,
	regexp_replace(pg_temp.choice(format('b < %s', n), ordering => 'v <#> ''{1:1,45:2,300:1}/2000'''), 'Bitmap.*|Index.*', 'other index') AS both
	FROM (VALUES (1, 20000), (0.3, 6000), (0.0002, 4), (0.0001, 2)) v (share, n);
-- all rows: a sort is faster than a search that returns each
SELECT pg_temp.choice('true', ''), regexp_replace(pg_temp.choice('b < 200', ''), 'Bitmap.*|Index.*', 'other index') AS few;
-- settings that forbid the others leave the node
SET enable_sort = off;
SELECT pg_temp.choice('b < 2');
RESET enable_sort;

-- Planning asks other indexes for nothing that the planner has asked for: a stable
-- function is evaluated whenever a condition is estimated
CREATE SEQUENCE plan_choice_calls;
CREATE FUNCTION pg_temp.wanted(n int) RETURNS int[] STABLE LANGUAGE plpgsql AS $$
BEGIN
	PERFORM nextval('plan_choice_calls');
	RETURN ARRAY[n];
END $$;
CREATE FUNCTION pg_temp.calls(condition text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setval('plan_choice_calls', 1, false);
	EXECUTE format('EXPLAIN SELECT id FROM plan_choice WHERE %s ORDER BY c <~> current_setting(''regress.q'')::bincode LIMIT 10', condition);
	RETURN nextval('plan_choice_calls') - 1;
END $$;
CREATE TABLE plan_choice_counts AS SELECT condition, pg_temp.calls(condition) AS calls
	FROM unnest(ARRAY['arr && pg_temp.wanted(900)', 'arr && pg_temp.wanted(1003)', 'arr @> pg_temp.wanted(900) AND o < 5000', 'arr && pg_temp.wanted(900) AND b < 100 AND o < 300',
		'(arr && pg_temp.wanted(900) OR o < 10)', 'arr && pg_temp.wanted(1003) AND id % 2 = 0']) condition;
DROP INDEX plan_choice_c;
SELECT condition, calls > 0 AS counted, calls - pg_temp.calls(condition) AS more FROM plan_choice_counts;
DROP TABLE plan_choice_counts;
DROP SEQUENCE plan_choice_calls;
CREATE INDEX plan_choice_c ON plan_choice USING hashemb (c, a, b, arr);

-- A bitmap in reserve: read where no row near the query passes, and not where they do
CREATE FUNCTION pg_temp.late(condition text, ending text DEFAULT 'LIMIT 10') RETURNS TABLE (way text, late text, sweeps text, bitmap bool) LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE format('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON) SELECT id FROM plan_choice WHERE %s ORDER BY c <~> current_setting(''regress.q'')::bincode %s', condition, ending) INTO plan;
	plan := jsonb_path_query_first(plan, '$.** ? (@."Custom Plan Provider" == "hashemb")');
	RETURN QUERY SELECT plan ->> 'Strategy', plan ->> 'Bitmaps Read Late', plan ->> 'Table Sweeps', plan -> 'Plans' IS NOT NULL;
END $$;
SELECT percentile_disc(0.2) WITHIN GROUP (ORDER BY far) AS near, percentile_disc(0.8) WITHIN GROUP (ORDER BY far) AS far FROM plan_choice \gset
SET enable_sort = off;
SET enable_seqscan = off;
SELECT 'near' AS rows, * FROM pg_temp.late(format('far < %s', :near)) UNION ALL SELECT 'far', * FROM pg_temp.late(format('far > %s', :far));
SET enable_bitmapscan = off;
SELECT 'far, no bitmaps' AS rows, * FROM pg_temp.late(format('far > %s', :far));
RESET enable_bitmapscan;
SELECT * FROM pg_temp.differences('plan_choice_c', 'plan_choice', ARRAY['c <~> current_setting(''regress.q'')::bincode'], ARRAY[format('far > %s', :far), format('far > %s AND a < 15000', :far), format('far < %s', :near)], '{1,10,100}');
-- in a loop, with another bitmap each time
SELECT count(*), count(DISTINCT s.id) > 10 AS several FROM generate_series(:far, :far + 8) g, LATERAL (SELECT id FROM plan_choice WHERE far BETWEEN g AND g + 1 ORDER BY c <~> current_setting('regress.q')::bincode LIMIT 3) s;
RESET enable_sort;
RESET enable_seqscan;

-- Few rows found through the attribute columns: the same as by a sequential scan, also without a LIMIT, of rows without a vector, and beyond work_mem
INSERT INTO plan_choice SELECT 20000 + i, NULL, NULL, i % 20, NULL, NULL, ARRAY[i], NULL FROM generate_series(1, 100) i;
DELETE FROM plan_choice WHERE id % 9 = 4;
SET enable_sort = off;
SET enable_seqscan = off;
SELECT way, late, bitmap FROM pg_temp.late('a < 3');
RESET enable_sort;
RESET enable_seqscan;
SELECT d.* FROM unnest('{plan_choice_c,plan_choice_v}'::text[]) index, pg_temp.differences(index, 'plan_choice', ARRAY[CASE index WHEN 'plan_choice_c' THEN 'c <~> current_setting(''regress.q'')::bincode' ELSE 'v <#> ''{1:1,45:2,300:1}/2000''' END],
	ARRAY['a < 3', 'a = 7 AND b < 5000', 'arr && ''{900,901}''', 'a IN (1, 2, 30000)', 'a < 3 AND id % 2 = 0', 'a < 3 AND c IS NULL', 'a = -1'], '{1,10,10000}') d;
SET work_mem = '64kB';
SELECT d.* FROM pg_temp.differences('plan_choice_c', 'plan_choice', ARRAY['c <~> current_setting(''regress.q'')::bincode'], ARRAY['a < 30', 'a = 7 AND b < 5000'], '{1,10,10000}') d;
RESET work_mem;
DROP TABLE plan_choice;
