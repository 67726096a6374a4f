-- Conditions on distances in indexes that have estimates of them: what decides
-- each, and that what comes is right (t/025_below.pl compares at random)
SET jit = off;
SET hashemb.recall = 1;
CREATE TABLE index_below (id int, v real[], a int);
INSERT INTO index_below SELECT i, CASE WHEN i % 40 = 7 THEN NULL WHEN i % 50 = 9 THEN array_fill(0::real, ARRAY[24])
	ELSE ARRAY(SELECT (sin(i % 60 * d) + sin(i * d * 0.7) / 5)::real FROM generate_series(1, 24) d) END, i % 10 FROM generate_series(1, 4000) i;
CREATE INDEX index_below_cosine ON index_below USING hashemb (v real_cosine_ops, a) WITH (block_rows = 40);
CREATE INDEX index_below_l2 ON index_below USING hashemb (v real_l2_ops, a) WITH (block_rows = 40);
CREATE UNIQUE INDEX ON index_below (id);
ANALYZE index_below;
-- Parameters, so that plans do not show vectors
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;

-- In order: the search decides upper limits of the distance that it goes by
PREPARE near (real[], float8) AS SELECT id FROM index_below WHERE v <=> $1 < $2 ORDER BY v <=> $1 LIMIT 10;
EXPLAIN (COSTS OFF) EXECUTE near(NULL, 0.1);
PREPARE turned (real[], float8) AS SELECT id FROM index_below WHERE 1 - (v <=> $1) >= $2 AND a < 5 AND id % 3 = 0 ORDER BY v <=> $1 LIMIT 10;
EXPLAIN (COSTS OFF) EXECUTE turned(NULL, 0.9);
PREPARE apart (real[], float8) AS SELECT id FROM index_below WHERE v <=> $1 BETWEEN $2 / 2 AND $2 ORDER BY v <=> $1 LIMIT 10;
EXPLAIN (COSTS OFF) EXECUTE apart(NULL, 0.1);
PREPARE same (real[], float8) AS SELECT id FROM index_below WHERE v <=> $1 = $2 AND v <=> $1 < $2 + 1 ORDER BY v <=> $1, id LIMIT 10;
EXPLAIN (COSTS OFF) EXECUTE same(NULL, 0.1);
-- that of another operator, or of another query
PREPARE other (real[], float8) AS SELECT id FROM index_below WHERE v <-> $1 < $2 ORDER BY v <=> $1 LIMIT 10;
EXPLAIN (COSTS OFF) EXECUTE other(NULL, 1);
PREPARE others (real[], real[], float8) AS SELECT id FROM index_below WHERE v <=> $2 < $3 ORDER BY v <=> $1 LIMIT 10;
EXPLAIN (COSTS OFF) EXECUTE others(NULL, NULL, 0.1);
-- of the query of another table, which has one row
EXPLAIN (COSTS OFF) SELECT t.id FROM index_below q JOIN index_below t ON t.v <=> q.v < 0.1 WHERE q.id = 8 ORDER BY t.v <=> q.v LIMIT 3;

-- Without an order: all that may be within, each by an index of its operator
PREPARE within (real[], float8) AS SELECT count(*), min(id), max(id) FROM index_below WHERE v <=> $1 < $2;
EXPLAIN (COSTS OFF) EXECUTE within(NULL, 0.1);
PREPARE within2 (float8[], float8) AS SELECT count(*), min(id), max(id) FROM index_below WHERE v <-> $1 <= $2 AND a = 3;
EXPLAIN (COSTS OFF) EXECUTE within2(NULL, 0.1);
PREPARE either (real[], float8) AS SELECT count(*) FROM index_below WHERE v <=> $1 < $2 OR v <-> $1 < $2;
EXPLAIN (COSTS OFF) EXECUTE either(NULL, 0.1);
-- nothing is left out by a lower limit
PREPARE beyond (real[], float8) AS SELECT count(*) FROM index_below WHERE v <=> $1 > $2;
SET enable_seqscan = on; -- or some versions say that it is off
EXPLAIN (COSTS OFF) EXECUTE beyond(NULL, 0.1);
SET enable_seqscan = off;

-- What comes
SELECT v AS q FROM index_below WHERE id = 68 \gset
EXECUTE near(:'q', 0.02);
EXECUTE near(:'q', NULL);
EXECUTE near(NULL, 0.02);
EXECUTE near(:'q', 'NaN');
EXECUTE near(:'q', '-Infinity');
EXECUTE turned(:'q', 0.97);
EXECUTE apart(:'q', 0.02);
EXECUTE same(:'q', 0);
EXECUTE other(:'q', 0.5);
EXECUTE others(:'q', :'q', 0.02);
EXECUTE within(:'q', 0.02);
EXECUTE within2(:'q', 0.5);
EXECUTE either(:'q', 0.02);
EXECUTE beyond(:'q', 0.1);
SELECT t.id FROM index_below q JOIN index_below t ON t.v <=> q.v < 0.1 WHERE q.id = 8 ORDER BY t.v <=> q.v LIMIT 3;

-- Zero vectors, whose distance is NaN, pass what NaN passes, behind or before all others
SET plan_cache_mode = auto;
SELECT count(*), count(*) FILTER (WHERE d = 'NaN'), bool_and(d >= before) AS ordered FROM (SELECT d, lag(d) OVER () AS before FROM
	(SELECT v <=> :'q'::real[] AS d FROM index_below WHERE 1 - (v <=> :'q'::real[]) > 0.97 ORDER BY v <=> :'q'::real[] LIMIT 3000) s) s;
SELECT count(*), bool_and(d = 'NaN') FROM (SELECT 1 - (v <=> :'q'::real[]) AS d FROM index_below WHERE 1 - (v <=> :'q'::real[]) > 0.97 ORDER BY 1 - (v <=> :'q'::real[]) DESC LIMIT 20) s;

-- Below recall 1 a search with few rows within its limit does not look at all others
CREATE FUNCTION pg_temp.looked_at(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT json) ' || query INTO plan;
	RETURN plan #>> '{0,Plan,Plans,0,Heap Fetches}';
END $$;
SET hashemb.recall = 0.95;
SELECT pg_temp.looked_at(format('SELECT id FROM index_below WHERE v <=> %L::real[] < 0.02 ORDER BY v <=> %1$L::real[] LIMIT 1000', :'q')) < 1000 AS few;

-- The planner asks the index how many rows are within, of columns without statistics
DELETE FROM pg_statistic WHERE starelid = 'index_below'::regclass AND staattnum = 2;
CREATE FUNCTION pg_temp.estimated(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN plan #>> '{0,Plan,Plan Rows}';
END $$;
SELECT c, estimate BETWEEN rows / 4 - 40 AND rows * 4 + 40 AS near FROM unnest('{0.02,0.5,1,1.2}'::float8[]) c,
	LATERAL (SELECT pg_temp.estimated(format('SELECT id FROM index_below WHERE v <=> %L::real[] < %s', :'q', c)) AS estimate, (SELECT count(*) FROM index_below WHERE v <=> :'q'::real[] < c) AS rows) s;

-- Bounds are values, too
SELECT id FROM index_below WHERE v @< distance_bound('<->', :'q'::real[], '<', 0.5, NULL) ORDER BY id;
SELECT count(*) FROM index_below WHERE v @< ANY (ARRAY[distance_bound('<->', :'q'::real[], '<', 0.5, NULL), distance_bound('<=>', :'q'::real[], '>', 1.5, NULL)]);
SELECT count(*) FROM (SELECT v <-> :'q'::real[] AS l2, v <=> :'q'::real[] AS cosine FROM index_below OFFSET 0) s WHERE l2 < 0.5 OR cosine > 1.5;
SELECT count(*) FROM index_below WHERE v @< distance_bound('<~>', '0101'::bincode, '<', 2, NULL);
SELECT count(*) FROM index_below WHERE v <=> '{1,2}' < 0.5;
DROP TABLE index_below;
