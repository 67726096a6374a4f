-- The scan node within joins, prepared statements, cursors and subtransactions
\set ECHO none
\i sql/include/same.sql
\i sql/include/plan.sql
\set ECHO all
SET hashemb.recall = 1;
CREATE TABLE scan_join (id int PRIMARY KEY, c bincode(256), a int, u int);
INSERT INTO scan_join SELECT i, pg_temp.code(i, 20, 'j1')::bincode, i % 10, i % 50 FROM generate_series(1, 3000) i;
CREATE INDEX scan_join_idx ON scan_join USING hashemb (c, a);
CREATE INDEX scan_join_u ON scan_join (u);
ANALYZE scan_join;
SET enable_seqscan = off;
SET enable_sort = off;

-- nearest neighbours of rows: the query, a condition and the LIMIT come from outside
SELECT pg_temp.plan('SELECT x.id, y.id FROM scan_join x, LATERAL (SELECT id FROM scan_join WHERE a = x.a AND id <> x.id ORDER BY c <~> x.c LIMIT x.u) y WHERE x.id < 20');
CREATE FUNCTION pg_temp.both(query text) RETURNS TABLE (rows bigint, same bool) LANGUAGE plpgsql AS $$
DECLARE
	by_node text[];
	by_scan text[];
	nodes int := 0;
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		nodes := nodes + (line ~ 'Custom Scan')::int;
	END LOOP;
	IF nodes = 0 THEN
		RAISE EXCEPTION 'no scan node for %', query;
	END IF;
	EXECUTE format('SELECT array_agg(s::text ORDER BY s::text) FROM (%s) s', query) INTO by_node;
	PERFORM set_config('hashemb.enable_scan', 'off', true), set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'on', true);
	EXECUTE format('SELECT array_agg(s::text ORDER BY s::text) FROM (%s) s', query) INTO by_scan;
	PERFORM set_config('hashemb.enable_scan', 'on', true), set_config('enable_indexscan', 'on', true), set_config('enable_bitmapscan', 'on', true), set_config('enable_seqscan', 'off', true);
	rows := cardinality(by_node);
	same := by_node = by_scan;
	RETURN NEXT;
END $$;
SELECT * FROM pg_temp.both('SELECT x.id, y.d FROM scan_join x, LATERAL (SELECT c <~> x.c AS d FROM scan_join WHERE a = x.a AND id <> x.id ORDER BY c <~> x.c LIMIT 4) y WHERE x.id < 40');
SELECT * FROM pg_temp.both('SELECT x.id, y.d FROM scan_join x, LATERAL (SELECT c <~> x.c AS d FROM scan_join WHERE a = x.a ORDER BY c <~> x.c LIMIT x.u OFFSET 2) y WHERE x.id < 40');
-- a bitmap kept while only the query changes, and made anew when its key does
SELECT pg_temp.plan('SELECT x.id, y.d FROM scan_join x, LATERAL (SELECT c <~> x.c AS d FROM scan_join WHERE u = 7 ORDER BY c <~> x.c LIMIT 4) y WHERE x.id < 40');
SELECT * FROM pg_temp.both('SELECT x.id, y.d FROM scan_join x, LATERAL (SELECT c <~> x.c AS d FROM scan_join WHERE u = 7 ORDER BY c <~> x.c LIMIT 4) y WHERE x.id < 40');
SELECT * FROM pg_temp.both('SELECT x.id, y.d FROM scan_join x, LATERAL (SELECT c <~> x.c AS d FROM scan_join WHERE u = x.u AND a IS NOT NULL ORDER BY c <~> x.c LIMIT 4) y WHERE x.id < 40');
-- subqueries, CTEs, DISTINCT, aggregates, a LIMIT above a join
SELECT * FROM pg_temp.both('SELECT (SELECT y.c <~> x.c FROM scan_join y WHERE y.a <> x.a ORDER BY y.c <~> x.c LIMIT 1) FROM scan_join x WHERE x.id < 20');
SELECT * FROM pg_temp.both(format('WITH n AS MATERIALIZED (SELECT id, c <~> %1$L AS d FROM scan_join WHERE a = 3 ORDER BY c <~> %1$L LIMIT 9) SELECT count(*), max(d) FROM n', pg_temp.code(3, 20, 'j2')));
SELECT * FROM pg_temp.both(format('SELECT d FROM (SELECT a, c <~> %1$L AS d FROM scan_join ORDER BY c <~> %1$L LIMIT 100) s JOIN generate_series(1, 3) g ON g = s.a ORDER BY d LIMIT 7', pg_temp.code(3, 20, 'j2')));
SELECT * FROM pg_temp.both('SELECT x.id FROM scan_join x WHERE x.id < 30 AND EXISTS (SELECT FROM (SELECT y.a FROM scan_join y ORDER BY y.c <~> x.c LIMIT 5 OFFSET 1) z WHERE z.a = x.a)');
SELECT * FROM pg_temp.both(format('SELECT c <~> %1$L AS d FROM scan_join WHERE u = (SELECT min(u) + 3 FROM scan_join WHERE id < 9) ORDER BY c <~> %1$L LIMIT 5', pg_temp.code(3, 20, 'j2')));
-- rows that are locked or changed
BEGIN;
SELECT count(*), max(d) FROM (SELECT c <~> pg_temp.code(3, 20, 'j2')::bincode AS d FROM scan_join WHERE a = 4 ORDER BY c <~> pg_temp.code(3, 20, 'j2')::bincode LIMIT 6 FOR UPDATE) s;
UPDATE scan_join SET u = 1000 WHERE id IN (SELECT id FROM scan_join WHERE a = 4 ORDER BY c <~> pg_temp.code(3, 20, 'j2')::bincode LIMIT 6);
SELECT count(*) FROM scan_join WHERE u = 1000;
SAVEPOINT s;
DELETE FROM scan_join WHERE a = 4 AND u = 1000;
SELECT count(*), max(d) FROM (SELECT c <~> pg_temp.code(3, 20, 'j2')::bincode AS d FROM scan_join WHERE a = 4 ORDER BY c <~> pg_temp.code(3, 20, 'j2')::bincode LIMIT 6) s;
ROLLBACK TO s;
SELECT count(*), max(d) FROM (SELECT c <~> pg_temp.code(3, 20, 'j2')::bincode AS d FROM scan_join WHERE a = 4 ORDER BY c <~> pg_temp.code(3, 20, 'j2')::bincode LIMIT 6) s;
ROLLBACK;

-- prepared: custom and generic plans; the LIMIT is a parameter
PREPARE nearest (bincode, int[], bigint, bigint) AS SELECT c <~> $1 AS d FROM scan_join WHERE a = ANY ($2) ORDER BY c <~> $1 LIMIT $3 OFFSET $4;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE nearest(pg_temp.code(3, 20, 'j2')::bincode, '{3,4}', 3, 1);
CREATE TEMP TABLE generic AS EXECUTE nearest(pg_temp.code(3, 20, 'j2')::bincode, '{3,4}', 3, 1);
CREATE TEMP TABLE endless AS EXECUTE nearest(pg_temp.code(3, 20, 'j2')::bincode, '{3,4}', NULL, NULL);
EXECUTE nearest(NULL, '{3,4}', 2, 0);
EXECUTE nearest(pg_temp.code(3, 20, 'j2')::bincode, NULL, 2, 0);
EXECUTE nearest(pg_temp.code(3, 20, 'j2')::bincode, '{3}', -1, 0);
SET plan_cache_mode = force_custom_plan;
CREATE TEMP TABLE custom AS EXECUTE nearest(pg_temp.code(3, 20, 'j2')::bincode, '{3,4}', 3, 1);
RESET plan_cache_mode;
SELECT (SELECT array_agg(d) FROM generic) = (SELECT array_agg(d) FROM custom) AS same, (SELECT array_agg(d) FROM custom) = (SELECT (array_agg(d))[2:4] FROM endless) AS same,
	(SELECT count(*) FROM endless) = (SELECT count(*) FROM scan_join WHERE a IN (3, 4)) AS whole;

-- cursors
BEGIN;
DECLARE one SCROLL CURSOR FOR SELECT c <~> pg_temp.code(3, 20, 'j2')::bincode AS d FROM scan_join WHERE a = 3 ORDER BY c <~> pg_temp.code(3, 20, 'j2')::bincode;
FETCH 3 FROM one;
FETCH BACKWARD 2 FROM one;
FETCH FORWARD 2 FROM one;
DECLARE two CURSOR WITH HOLD FOR SELECT c <~> pg_temp.code(3, 20, 'j2')::bincode AS d FROM scan_join WHERE a = 3 ORDER BY c <~> pg_temp.code(3, 20, 'j2')::bincode LIMIT 4;
COMMIT;
FETCH ALL FROM two;
CLOSE two;

-- the node is not for parallel workers, but lets the rest of a query be
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SELECT * FROM pg_temp.both('SELECT count(*), sum(y.d) FROM scan_join x, LATERAL (SELECT c <~> x.c AS d FROM scan_join ORDER BY c <~> x.c LIMIT 2) y WHERE x.id < 100');
DROP TABLE scan_join;
