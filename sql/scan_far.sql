-- Rows of another index that lie far from the query, and rows that only look so
\set ECHO none
\i sql/include/same.sql
\set ECHO all
CREATE TABLE scan_far (id int PRIMARY KEY, c bincode(256), far int, m int, any32 int);
INSERT INTO scan_far SELECT id, c, ntile(32) OVER (ORDER BY c <~> pg_temp.code(1, 200, 'f')::bincode DESC, id), id % 16, id / 16 % 32
	FROM (SELECT i AS id, pg_temp.code(i, 200, 'f')::bincode AS c FROM generate_series(1, 20000) i) s;
CREATE INDEX scan_far_code ON scan_far USING hashemb (c, m);
CREATE INDEX scan_far_far ON scan_far (far);
CREATE INDEX scan_far_any32 ON scan_far (any32);
VACUUM ANALYZE scan_far;
SET enable_seqscan = off;
SET enable_sort = off;
SET enable_indexscan = on;
-- what EXPLAIN ANALYZE tells of the node
CREATE FUNCTION pg_temp.told(query text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) ' || query INTO plan;
	RETURN jsonb_path_query_first(plan::jsonb, '$.** ? (@."Custom Plan Provider" == "hashemb")');
END $$;
-- rows that lie far are ranked before one in seven of all was met, of a bitmap that was
-- read late; others are searched for, also where a mask leaves out most of what is met
SELECT condition, k, ranked, met < 20000 / 7 OR condition <> 'far = 1' AS early
	FROM (VALUES ('far = 1'), ('any32 = 1'), ('any32 = 1 AND m = 1')) c (condition), (VALUES (1), (10)) n (k),
	pg_temp.told(format('SELECT id FROM scan_far WHERE %s ORDER BY c <~> %L LIMIT %s', condition, pg_temp.code(1, 200, 'f'), k)) told,
	LATERAL (SELECT (told ->> 'Rows Filtered')::int AS met, (told ->> 'Heap Fetches')::int >= 625 AS ranked) t;
SELECT pg_temp.sequential('scan_far', format('c <~> %L', pg_temp.code(1, 200, 'f')), 'far = 1') AS expected \gset
SELECT pg_temp.by_index('scan_far_code', 'scan_far', format('c <~> %L', pg_temp.code(1, 200, 'f')), 'far = 1', 1, true) = (:'expected'::text[])[1:1] AS same;
DROP TABLE scan_far;
