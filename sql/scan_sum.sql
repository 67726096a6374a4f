-- Orders by a sum of distances: the node for sums
\set ECHO none
\i sql/include/same.sql
\i sql/include/plan.sql
\set ECHO all
CREATE TABLE doc (id int PRIMARY KEY, code bincode(64), other bincode(64), terms svec(200), v real[], a int, b text);
INSERT INTO doc SELECT i, substring(pg_temp.code(i, 50, 'sum'), 1, 64)::bincode, substring(pg_temp.code(i, 30, 'other'), 1, 64)::bincode,
	svec(ARRAY[1 + i % 7, 8 + i % 11, 30 + i % 60, 100 + i % 83], ARRAY[1 + sin(i), 2 + cos(i), 1 + i % 5, 2], 200),
	ARRAY(SELECT sin(i * d)::real FROM generate_series(1, 8) d), i % 10, 'b' || i % 7 FROM generate_series(1, 4000) i;
INSERT INTO doc SELECT i, CASE WHEN i % 2 = 0 THEN repeat('01', 32)::bincode END, repeat('0', 64)::bincode, CASE WHEN i % 3 > 0 THEN '{}/200'::svec END, NULL, i % 10, 'none' FROM generate_series(4001, 4020) i;
CREATE INDEX doc_code ON doc USING hashemb (code, a, b);
CREATE INDEX doc_other ON doc USING hashemb (other bincode_cosine_ops);
CREATE INDEX doc_terms ON doc USING hashemb (terms, a);
CREATE INDEX doc_v ON doc USING hashemb (v real_l2_ops, b) WITH (dims = 8);
ANALYZE doc;

-- plans: what is taken for a sum, by the indexes of its terms
SET enable_seqscan = off;
SET enable_sort = off;
CREATE FUNCTION pg_temp.kind(sums text[]) RETURNS TABLE (node text, sum text) LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOREACH sum IN ARRAY sums LOOP
		node := NULL;
		FOR line IN EXECUTE format('EXPLAIN (COSTS OFF) SELECT id FROM doc ORDER BY %s LIMIT 10', sum) LOOP
			node := coalesce(node, substring(line from '(Custom Scan \(.*\)|Seq Scan)'));
		END LOOP;
		RETURN NEXT;
	END LOOP;
END $$;
SELECT pg_temp.plan($$SELECT id FROM doc WHERE a = 3 AND b = 'b1' AND id % 2 = 0 ORDER BY (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') LIMIT 10$$);
SELECT * FROM pg_temp.kind(ARRAY[
	$$(code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1}/200')$$,
	$$(terms <#> '{1:1}/200') * 0.5 + (repeat('01', 32)::bincode <~> code)$$,
	$$2 * ((code <~> repeat('01', 32)::bincode) / 64 + (other <=> repeat('01', 32)::bincode)) + (terms <#> '{1:1}/200') + '0.1'::float4 * (v <-> '{1,2,3,4,5,6,7,8}'::real[])::float4 - 3$$,
	$$+ (code <~> repeat('01', 32)::bincode) + (code <~> repeat('0', 64)::bincode)$$,
	$$((code <~> repeat('01', 32)::bincode) + (other <=> repeat('01', 32)::bincode))::float4$$,
	$$0 * (code <~> repeat('01', 32)::bincode) + (other <=> repeat('01', 32)::bincode)$$,
	-- one term: by its index alone where the weight is known, else as a sum
	$$2 * (code <~> repeat('01', 32)::bincode) + 1$$,
	$$(SELECT 2.0::float8) * (code <~> repeat('01', 32)::bincode)$$,
	-- no sums, or none that rise with their terms
	$$(code <~> repeat('01', 32)::bincode) - (terms <#> '{1:1}/200')$$,
	$$(code <~> repeat('01', 32)::bincode) + -0.5 * (terms <#> '{1:1}/200')$$,
	$$(code <~> repeat('01', 32)::bincode) + (terms <#> '{1:1}/200') / -2$$,
	$$(code <~> repeat('01', 32)::bincode) + 'NaN'::float8 * (terms <#> '{1:1}/200')$$,
	$$(code <~> repeat('01', 32)::bincode) + 'infinity'::float8 * (terms <#> '{1:1}/200')$$,
	$$(code <~> repeat('01', 32)::bincode) + 1 / (v <-> '{1,2,3,4,5,6,7,8}'::real[])$$,
	$$(code <~> repeat('01', 32)::bincode) * (v <-> '{1,2,3,4,5,6,7,8}'::real[])$$,
	$$(code <~> repeat('01', 32)::bincode) + a$$,
	$$(code <~> repeat('01', 32)::bincode) + random() * (terms <#> '{1:1}/200')$$,
	$$(code <~> repeat('01', 32)::bincode) + (terms <=> '{1:1}/200')$$,
	$$(code <~> repeat('01', 32)::bincode) + (terms <#> '{1:1}/200') DESC$$,
	$$(code <~> repeat('01', 32)::bincode) + (terms <#> '{1:1}/200') NULLS FIRST$$,
	-- five terms
	$$(code <~> repeat('01', 32)::bincode) + (code <~> repeat('01', 32)::bincode) + (code <~> repeat('01', 32)::bincode) + (code <~> repeat('01', 32)::bincode) + (code <~> repeat('01', 32)::bincode)$$]);
RESET enable_seqscan;
RESET enable_sort;
-- the settings turn it off, and a volatile condition does
SELECT pg_temp.plan_lines($$SELECT id FROM doc ORDER BY (code <~> repeat('01', 32)::bincode) + (terms <#> '{1:1}/200') LIMIT 10$$, 'Scan');
SET hashemb.enable_scan = off;
SELECT pg_temp.plan_lines($$SELECT id FROM doc ORDER BY (code <~> repeat('01', 32)::bincode) + (terms <#> '{1:1}/200') LIMIT 10$$, 'Scan');
RESET hashemb.enable_scan;
SELECT pg_temp.plan_lines($$SELECT id FROM doc WHERE random() >= 0 ORDER BY (code <~> repeat('01', 32)::bincode) + (terms <#> '{1:1}/200') LIMIT 10$$, 'Scan');
-- where few rows pass, or all are wanted, other plans are faster
SELECT pg_temp.plan_lines($$SELECT id FROM doc WHERE id < 20 ORDER BY (code <~> repeat('01', 32)::bincode) + (terms <#> '{1:1}/200') LIMIT 10$$, 'Scan');
SELECT pg_temp.plan_lines($$SELECT id FROM doc ORDER BY (code <~> repeat('01', 32)::bincode) + (terms <#> '{1:1}/200')$$, 'Scan');

-- results are those of sequential scans at recall 1
SET hashemb.recall = 1;
CREATE FUNCTION pg_temp.same(queries text[]) RETURNS TABLE (by_node boolean, rows int, same boolean, query text) LANGUAGE plpgsql AS $$
DECLARE
	line text;
	found text[];
	expected text[];
BEGIN
	FOREACH query IN ARRAY queries LOOP
		PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), set_config('hashemb.enable_scan', 'on', true);
		by_node := false;
		FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
			by_node := by_node OR line ~ 'hashemb sum';
		END LOOP;
		EXECUTE format('SELECT array_agg((s + 0)::text) FROM (%s) s (s)', query) INTO found;
		PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true), set_config('hashemb.enable_scan', 'off', true);
		EXECUTE format('SELECT array_agg((s + 0)::text) FROM (%s) s (s)', query) INTO expected;
		rows := coalesce(cardinality(found), 0);
		same := found IS NOT DISTINCT FROM expected;
		RETURN NEXT;
	END LOOP;
	PERFORM set_config('hashemb.enable_scan', 'on', true);
END $$;
SELECT * FROM pg_temp.same(ARRAY[
	$$SELECT (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') AS d FROM doc ORDER BY d LIMIT 10$$,
	$$SELECT (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') AS d FROM doc ORDER BY d LIMIT 100 OFFSET 50$$,
	$$SELECT (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') AS d FROM doc ORDER BY d$$,
	$$SELECT (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') AS d FROM doc WHERE a = 3 AND b = 'b1' ORDER BY d LIMIT 10$$,
	$$SELECT (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') AS d FROM doc WHERE id % 50 = 3 ORDER BY d LIMIT 10$$,
	$$SELECT (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') AS d FROM doc WHERE a = 3 AND id > 4000 ORDER BY d LIMIT 10$$,
	$$SELECT (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') AS d FROM doc WHERE a = 77 ORDER BY d LIMIT 10$$,
	-- NULL and NaN
	$$SELECT (code <~> repeat('01', 32)::bincode) + (v <-> '{1,2,3,4,5,6,7,8}'::real[]) AS d FROM doc WHERE b = 'none' ORDER BY d LIMIT 30$$,
	$$SELECT (code <~> repeat('01', 32)::bincode) + (other <=> repeat('01', 32)::bincode) AS d FROM doc WHERE id > 3990 ORDER BY d LIMIT 25$$,
	$$SELECT (code <~> NULL) + (other <=> repeat('01', 32)::bincode) AS d FROM doc ORDER BY d LIMIT 5$$,
	$$SELECT (code <~> (SELECT NULL::bincode)) + (other <=> repeat('01', 32)::bincode) AS d FROM doc ORDER BY d LIMIT 5$$,
	-- terms that tell nothing
	$$SELECT 0 * (code <~> repeat('01', 32)::bincode) + (terms <#> '{1:1,9:2}/200') AS d FROM doc ORDER BY d LIMIT 20$$,
	$$SELECT 0 * (code <~> repeat('01', 32)::bincode) + 0 * (terms <#> '{1:1,9:2}/200') AS d FROM doc ORDER BY d LIMIT 20$$,
	$$SELECT (code <~> repeat('01', 32)::bincode) + (terms <#> '{}/200') AS d FROM doc ORDER BY d LIMIT 20$$,
	-- ties
	$$SELECT (code <~> repeat('01', 32)::bincode) + (other <=> repeat('01', 32)::bincode) AS d FROM doc ORDER BY d FETCH FIRST 20 ROWS WITH TIES$$,
	$$SELECT 10 * (code <~> repeat('01', 32)::bincode) + 10 * (code <~> repeat('10', 32)::bincode) AS d FROM doc ORDER BY d, id LIMIT 20$$,
	-- four terms
	$$SELECT (code <~> repeat('01', 32)::bincode) / 64 + (other <=> repeat('0011', 16)::bincode) + 0.1 * (terms <#> '{1:1,9:2}/200') + 0.01 * (v <-> '{1,2,3,4,5,6,7,8}'::real[]) AS d FROM doc ORDER BY d LIMIT 20$$,
	-- other shapes of queries
	$$SELECT d FROM (SELECT (code <~> repeat('01', 32)::bincode) + (terms <#> '{1:1,9:2}/200') AS d FROM doc ORDER BY d) s LIMIT 20$$,
	$$SELECT DISTINCT d FROM (SELECT (code <~> repeat('01', 32)::bincode) + (terms <#> '{1:1,9:2}/200') AS d FROM doc) s ORDER BY d LIMIT 20$$,
	$$SELECT (d.code <~> repeat('01', 32)::bincode) + (d.terms <#> '{1:1,9:2}/200') AS d FROM doc d JOIN doc e ON e.id = d.id + 1 ORDER BY d LIMIT 20$$,
	$$SELECT s.d FROM (VALUES (1, 0.5), (2, 0), (3, 20), (4, -1)) q (n, w), LATERAL (SELECT (code <~> repeat('01', 32)::bincode) + q.w::float8 * (terms <#> '{1:1,9:2}/200') AS d FROM doc WHERE a >= q.n ORDER BY d LIMIT 7) s ORDER BY q.n, s.d$$,
	$$SELECT e.id + (SELECT (code <~> e.code) + (terms <#> e.terms) FROM doc WHERE id <> e.id ORDER BY 1 LIMIT 1) FROM doc e WHERE e.id < 20 ORDER BY 1$$]);

-- parameters: a weight that turns out to be negative, infinite or none
PREPARE weighed (float8) AS SELECT (code <~> repeat('01', 32)::bincode) + $1 * (terms <#> '{1:1,9:2}/200') AS d FROM doc WHERE id <= 4000 ORDER BY d LIMIT 3;
SET plan_cache_mode = force_generic_plan;
SELECT pg_temp.plan('EXECUTE weighed (1)');
EXECUTE weighed (1);
EXECUTE weighed (0);
EXECUTE weighed (-1);
EXECUTE weighed ('infinity');
EXECUTE weighed ('NaN');
EXECUTE weighed (NULL);
RESET plan_cache_mode;

-- what EXPLAIN tells of the work; times and blocks apart
CREATE FUNCTION pg_temp.work(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) ' || query LOOP
		RETURN NEXT regexp_replace(line, 'rows=(\d+)\.00', 'rows=\1');
	END LOOP;
END $$;
SELECT pg_temp.work($$SELECT id FROM doc WHERE a < 5 ORDER BY (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') LIMIT 5$$);
SET enable_seqscan = off;
SET enable_sort = off;
SELECT pg_temp.work($$SELECT id FROM doc WHERE id % 1000 = 77 ORDER BY (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') LIMIT 10$$);
SET plan_cache_mode = force_generic_plan;
SELECT pg_temp.work('EXECUTE weighed (-1)');
RESET plan_cache_mode;
SELECT pg_temp.work($$SELECT s.id FROM generate_series(1, 3) g, LATERAL (SELECT id FROM doc WHERE a >= g ORDER BY (code <~> repeat('01', 32)::bincode) + g * (terms <#> '{1:1,9:2}/200') LIMIT 5) s$$);
CREATE FUNCTION pg_temp.as_json(query text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF, FORMAT JSON) ' || query INTO plan;
	RETURN plan -> 0 -> 'Plan' -> 'Plans' -> 0;
END $$;
SELECT key, value FROM json_each(pg_temp.as_json($$SELECT id FROM doc WHERE a < 5 ORDER BY (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') LIMIT 5$$))
	WHERE key IN ('Custom Plan Provider', 'Order By', 'Terms', 'Heap Filter', 'Recall Target', 'Scans', 'Rows Completed', 'Rows Filtered', 'Rows Dropped', 'Table Sweeps');

-- cursors go on, also beyond what searches find
BEGIN;
DECLARE c CURSOR FOR SELECT (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') AS d FROM doc ORDER BY d;
FETCH 3 FROM c;
MOVE 3990 FROM c;
FETCH ALL FROM c;
ROLLBACK;
-- rows that are locked
BEGIN;
SELECT id FROM doc WHERE a = 2 ORDER BY (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') LIMIT 2 FOR UPDATE;
UPDATE doc SET a = 100 WHERE id IN (SELECT id FROM doc WHERE a = 2 ORDER BY (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') LIMIT 2);
SELECT id FROM doc WHERE a = 100 ORDER BY (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') LIMIT 5;
ROLLBACK;

-- errors are those of the distances
SELECT id FROM doc ORDER BY (code <~> '0101') + (terms <#> '{1:1,9:2}/200') LIMIT 5;
SELECT id FROM doc ORDER BY (code <~> repeat('01', 32)::bincode) + (terms <#> '{1:1}/100') LIMIT 5;
SELECT id FROM doc ORDER BY (code <~> repeat('01', 32)::bincode) + (v <-> '{1,2,NaN,4,5,6,7,8}'::real[]) LIMIT 5;

-- partitions, each with a node; a partial index only where its predicate follows
CREATE TABLE part (id int, code bincode(64), terms svec(200), a int) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (2000);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (2000) TO (9000);
INSERT INTO part SELECT id, code, terms, a FROM doc;
CREATE INDEX ON part USING hashemb (code);
CREATE INDEX ON part USING hashemb (terms);
ANALYZE part;
SELECT pg_temp.plan_lines($$SELECT id FROM part ORDER BY (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') LIMIT 5$$, 'Append|Scan');
SELECT * FROM pg_temp.same(ARRAY[$$SELECT (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') AS d FROM part ORDER BY d LIMIT 20$$]);
CREATE TABLE piece (id int, code bincode(64), terms svec(200), a int);
INSERT INTO piece SELECT * FROM part;
CREATE INDEX ON piece USING hashemb (code) WHERE a < 5;
CREATE INDEX ON piece USING hashemb (terms);
ANALYZE piece;
SELECT * FROM pg_temp.same(ARRAY[
	$$SELECT (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') AS d FROM piece ORDER BY d LIMIT 20$$,
	$$SELECT (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') AS d FROM piece WHERE a < 3 ORDER BY d LIMIT 20$$]);

-- fewer rows than work_mem holds: the table is read
SET work_mem = '64kB';
SELECT * FROM pg_temp.same(ARRAY[$$SELECT (code <~> repeat('01', 32)::bincode) + (code <~> repeat('10', 32)::bincode) AS d FROM doc ORDER BY d LIMIT 500$$]);
RESET work_mem;

-- the recall that is asked for
SET hashemb.recall = 0.9;
SELECT count(*) = 100 AS all_come, bool_and(d >= before) AS in_order FROM (SELECT d, coalesce(lag(d) OVER (), d) AS before FROM
	(SELECT (code <~> repeat('01', 32)::bincode) + 0.5 * (terms <#> '{1:1,9:2}/200') AS d FROM doc ORDER BY d LIMIT 100) s) t;

-- reciprocal rank fusion
SELECT rrf(1), rrf(2, 10), rrf(NULL), rrf(1, NULL), rrf(3, 0);
SELECT rrf(0);
SELECT rrf(1, -1);
SELECT rrf(1, 'NaN');
DROP TABLE doc, part, piece;
