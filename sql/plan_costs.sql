-- What the planner charges for a search: how many rows it visits depends on the
-- vectors, which the index knows.
SET client_min_messages = warning;
CREATE SCHEMA plan_costs;
SET search_path = plan_costs, public;

-- 40 tight groups, and codes that have nothing to do with each other
CREATE TABLE tight AS
SELECT i AS id, i % 1000 AS a, (hashint8extended(i % 40, 1)::bit(64) || hashint8extended(i % 40, 2)::bit(64))::bit(128)
	# (1::bit(128) << (hashint8extended(i, 3) & 127)::int) # (1::bit(128) << (hashint8extended(i, 4) & 127)::int) AS bits
	FROM generate_series(1, 20000) i;
CREATE TABLE loose AS
SELECT i AS id, i % 1000 AS a, (hashint8extended(i, 1)::bit(64) || hashint8extended(i, 2)::bit(64))::bit(128) AS bits
	FROM generate_series(1, 20000) i;
ALTER TABLE tight ALTER bits TYPE bincode(128) USING bits::bincode(128);
ALTER TABLE loose ALTER bits TYPE bincode(128) USING bits::bincode(128);
CREATE INDEX ON tight USING hashemb (bits, a);
CREATE INDEX ON loose USING hashemb (bits, a);
ANALYZE tight, loose;

-- What a plan is charged until its first row; without other plans a unit is a microsecond
CREATE FUNCTION charged(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN jsonb_path_query_first(plan, '$.** ? (@."Node Type" == "Custom Scan" || @."Node Type" == "Bitmap Index Scan")."Startup Cost"')::float8;
END $$;
CREATE FUNCTION search(name text, condition text DEFAULT 'true', wanted int DEFAULT 10) RETURNS float8 LANGUAGE sql AS
	$$SELECT charged(format('SELECT id FROM %I WHERE %s ORDER BY bits <~> %L LIMIT %s', name, condition, repeat('01', 64), wanted))$$;

SET enable_seqscan = off;
SET enable_sort = off;
SET enable_bitmapscan = off;
-- Searches among loose codes visit many more rows
SELECT search('loose') > 1.5 * search('tight') AS loose_is_more, search('loose', 'a >= 500') > 1.5 * search('tight', 'a >= 500') AS with_a_condition;
-- more for a higher target and for more rows
SELECT search('tight', 'true', 100) >= search('tight', 'true', 10) AS for_more_rows;
SET hashemb.recall = 0.99;
SELECT search('loose') AS high INTO TEMP charged_at FROM (SELECT) s;
SET hashemb.recall = 0.90;
SELECT search('loose') < high AS for_a_higher_target FROM charged_at;
RESET hashemb.recall;

-- Zone maps leave blocks out where an end of a column's values is asked for, not where values within are
SELECT search('loose', 'a < 2') < search('loose', 'a IN (500, 501)') AS an_end, search('loose', 'a > 997') < search('loose', 'a IN (500, 501)') AS the_other_end,
	search('loose', '2 > a') = search('loose', 'a < 2') AS either_way_round;

-- Reading attribute columns takes what visiting their pages does: rows are found by them and ranked where they are
-- so few that a search would visit nearly all, not where a hundred pass
CREATE FUNCTION way(name text, condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE format('EXPLAIN (FORMAT JSON) SELECT id FROM %I WHERE %s ORDER BY bits <~> %L LIMIT 10', name, condition, repeat('01', 64)) INTO plan;
	RETURN jsonb_path_query_first(plan, '$.** ? (@."Node Type" == "Custom Scan")."Strategy"') #>> '{}';
END $$;
SELECT condition, way('loose', condition) AS loose, way('tight', condition) AS tight FROM unnest('{a = 500,a BETWEEN 500 AND 509}'::text[]) condition;

-- A condition is compiled once for path and plan, in whatever order they ask: what the plan does is what was asked for
SET hashemb.recall = 1;
SELECT count(*), min(id), max(id) FROM (SELECT id FROM tight WHERE a < 30 AND id % 2 = 0 AND a IN (4, 6, 7, 8, 40) ORDER BY bits <~> repeat('01', 64)::bincode(128) LIMIT 1000) s;
SET enable_seqscan = on;
SET enable_sort = on;
SET hashemb.enable_scan = off;
SET enable_indexscan = off;
SELECT count(*), min(id), max(id) FROM (SELECT id FROM tight WHERE a < 30 AND id % 2 = 0 AND a IN (4, 6, 7, 8, 40) ORDER BY bits <~> repeat('01', 64)::bincode(128) LIMIT 1000) s;
RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA plan_costs CASCADE;
