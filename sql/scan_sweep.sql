-- Conditions that only heap rows tell: how much is read for them, near the
-- query and far from it
\set ECHO none
\i sql/include/same.sql
\i sql/include/plan.sql
\set ECHO all
CREATE TABLE scan_sweep (id int PRIMARY KEY, c bincode(256), u int, n int) WITH (fillfactor = 60);
INSERT INTO scan_sweep SELECT i, pg_temp.code(i, 160, 's1')::bincode, i % 300, hashint4(i) & 1023 FROM generate_series(1, 8000) i;
CREATE INDEX scan_sweep_idx ON scan_sweep USING hashemb (c);
ANALYZE scan_sweep;

-- a backend that knows nothing of the extension yet plans the node at once
\c -
EXPLAIN (COSTS OFF) SELECT id FROM scan_sweep ORDER BY c <~> repeat('01', 128)::bincode LIMIT 5;
\set ECHO none
\i sql/include/same.sql
\i sql/include/plan.sql
\set ECHO all
SET enable_seqscan = off;
SET enable_sort = off;
-- a number that EXPLAIN ANALYZE tells of the node
CREATE FUNCTION pg_temp.told(label text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) ' || query INTO plan;
	RETURN plan -> 0 -> 'Plan' -> 'Plans' -> 0 ->> label;
END $$;
-- the strategy, and what became of the rows of a sweep
CREATE FUNCTION pg_temp.way(query text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(', ', pg_temp.told('Strategy', query), CASE pg_temp.told('Table Sweeps', query) || pg_temp.told('Bitmaps Read Late', query) || pg_temp.told('Sweeps Ranked', query)
		WHEN '000' THEN NULL WHEN '100' THEN 'swept rows as a mask' WHEN '101' THEN 'swept rows ranked'
		WHEN '010' THEN 'late bitmap as a mask' WHEN '011' THEN 'late bitmap ranked' ELSE 'impossible' END) $$;

-- ties of the last row wanted that fail: what lies beyond them is not looked at
CREATE TABLE scan_ties (id int, c bincode(64));
INSERT INTO scan_ties SELECT i, (repeat('0', 30 + i) || repeat('1', 12) || repeat('0', 22 - i))::bincode FROM generate_series(1, 14) i;
INSERT INTO scan_ties SELECT i, (hashint4(i)::bit(32)::text || hashint4(-i)::bit(32))::bincode FROM generate_series(15, 60) i;
CREATE INDEX scan_ties_idx ON scan_ties USING hashemb (c);
ANALYZE scan_ties;
SET hashemb.recall = 1;
CREATE FUNCTION pg_temp.tied(condition text, rest text, labels text[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(label || ' ' || pg_temp.told(label, format('SELECT id FROM scan_ties WHERE %s ORDER BY c <~> %L %s', condition, repeat('0', 64), rest)), ', ')
		FROM unnest(labels) label $$;
SELECT rest, pg_temp.tied('id + 0 <= 10', rest, '{Rows Filtered,Heap Fetches,Table Sweeps}') FROM unnest('{LIMIT 10,FETCH FIRST 10 ROWS WITH TIES,FETCH FIRST 9 ROWS WITH TIES}'::text[]) rest;
INSERT INTO scan_ties SELECT i, (hashint4(i)::bit(32)::text || hashint4(-i)::bit(32))::bincode FROM generate_series(61, 40000) i;
REINDEX INDEX scan_ties_idx;
ANALYZE scan_ties;
-- blocks visited before the table was swept and what it gave was ranked count
SELECT pg_temp.tied('id + 0 > 39990', 'LIMIT 10', '{Table Sweeps,Sweeps Ranked}'), pg_temp.told('Blocks Visited', format('SELECT id FROM scan_ties WHERE id + 0 > 39990 ORDER BY c <~> %L LIMIT 10', repeat('0', 64)))::int > 0 AS visited;
-- as does the restart from which on memory holds no more rows
SET work_mem = '64kB';
SELECT pg_temp.tied('id % 4 + 0 = 1', 'LIMIT 1000', '{Restarts,Table Sweeps}');
RESET work_mem;
RESET hashemb.recall;
DROP TABLE scan_ties;

-- one row in ten passes: as many blocks as where an attribute tells which, hardly more
CREATE TABLE scan_masked AS SELECT *, n % 10 AS m FROM scan_sweep;
CREATE INDEX ON scan_masked USING hashemb (c, m);
ANALYZE scan_masked;
CREATE FUNCTION pg_temp.visited(condition text, k int) RETURNS int LANGUAGE sql AS
	$$SELECT sum(pg_temp.told('Blocks Visited', format('SELECT id FROM scan_masked WHERE %s ORDER BY c <~> %L LIMIT %s', condition, pg_temp.code(i, 160, 's2'), k))::int)
		FROM generate_series(1, 25) i$$;
SELECT pg_temp.visited('n % 10 = 3', 1) < 1.2 * pg_temp.visited('m = 3', 1) AS k1, pg_temp.visited('n % 10 = 3', 10) < 1.2 * pg_temp.visited('m = 3', 10) AS k10;
DROP TABLE scan_masked;

-- conditions that hold far from the query, or nowhere: the table is read once; + 0
-- makes them nothing that the index decides
SELECT pg_temp.code(17, 160, 's1') AS q \gset
SET hashemb.recall = 1;
-- (rows of one distance come by the root of their HOT chain, which is not shown)
CREATE FUNCTION pg_temp.distances(rows text[]) RETURNS text[] LANGUAGE sql AS
	$$SELECT coalesce(array_agg(split_part(r, ' ', 1) ORDER BY n), '{}') FROM unnest(rows) WITH ORDINALITY u(r, n)$$;
CREATE FUNCTION pg_temp.compare(q text, conditions text[]) RETURNS TABLE (cond text, k int, rows int, same bool, strategy text, swept bool) LANGUAGE plpgsql AS $$
DECLARE
	distance text := format('c <~> %L', q);
	expected text[];
	found text[];
	condition text;
	line text;
BEGIN
	FOREACH condition IN ARRAY conditions LOOP
		expected := pg_temp.sequential('scan_sweep', distance, condition);
		FOREACH k IN ARRAY '{1,10,1000}'::int[] LOOP
			rows := cardinality(expected[1:k]);
			found := pg_temp.by_index('scan_sweep_idx', 'scan_sweep', distance, condition, k, true);
			same := pg_temp.distances(found) = pg_temp.distances(expected[1:k]) AND
				(rows = k OR found <@ expected AND found @> expected);
			line := format('SELECT id FROM scan_sweep WHERE %s ORDER BY %s LIMIT %s', condition, distance, k);
			strategy := pg_temp.way(line);
			swept := pg_temp.told('Heap Fetches', line)::int BETWEEN 8000 AND 8000 * 1.2 + 2 * rows;
			cond := replace(condition, q, 'q');
			RETURN NEXT;
		END LOOP;
	END LOOP;
END $$;
SELECT * FROM pg_temp.compare(:'q', ARRAY[format('(c <~> %L) + 0 > 140', :'q'), 'n + 0 = -1', format('(c <~> %L) + 0 > 100 AND n %% 2 = 0', :'q')]);
-- one row in forty passes, wherever it lies: looked for one by one, behind as
-- many as fail
SELECT * FROM pg_temp.compare(:'q', ARRAY['n % 40 = 3']);
-- entries of the index name the roots of HOT chains
BEGIN;
UPDATE scan_sweep SET n = n + 1 WHERE id % 3 = 0;
SELECT pg_stat_get_xact_tuples_hot_updated('scan_sweep'::regclass) > 2000 AS hot;
COMMIT;
UPDATE scan_sweep SET n = n + 1 WHERE id % 3 = 0;
SELECT * FROM pg_temp.compare(:'q', ARRAY[format('(c <~> %L) + 0 > 140', :'q'), format('(c <~> %L) + 0 > 100 AND n %% 2 = 0', :'q')]);
-- in little memory
SET work_mem = '64kB';
SELECT cond, k, rows, same FROM pg_temp.compare(:'q', ARRAY[format('(c <~> %L) + 0 > 140', :'q'), format('(c <~> %L) + 0 > 100 AND n %% 2 = 0', :'q')]);
RESET work_mem;
-- rows that others lock or update meanwhile, and a LIMIT that is not enough
BEGIN;
SELECT count(*) FROM (SELECT FROM scan_sweep WHERE (c <~> :'q') + 0 > 140 ORDER BY c <~> :'q' LIMIT 20 FOR UPDATE) s;
ROLLBACK;

-- a partial index: what its predicate decides, rows of a bitmap and of the table
-- need not fulfil
DROP INDEX scan_sweep_idx;
CREATE INDEX scan_sweep_idx ON scan_sweep USING hashemb (c) WHERE u < 100;
CREATE FUNCTION pg_temp.partial(condition text) RETURNS TABLE (rows int, same bool, strategy text) LANGUAGE plpgsql AS $$
DECLARE
	line text := format('SELECT id, u FROM scan_sweep WHERE %s ORDER BY c <~> pg_temp.code(17, 160, ''s1'')::bincode LIMIT 1000', condition);
	expected int[];
	found int[];
BEGIN
	PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_seqscan', 'on', true);
	EXECUTE format('SELECT array_agg(id ORDER BY id) FROM (%s) s', line) INTO expected;
	PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_seqscan', 'off', true);
	EXECUTE format('SELECT array_agg(id ORDER BY id) FROM (%s) s', line) INTO found;
	rows := cardinality(expected);
	same := found = expected;
	strategy := pg_temp.way(line);
	RETURN NEXT;
END $$;
SELECT * FROM pg_temp.partial('u < 100 AND id BETWEEN 80 AND 120');
SELECT * FROM pg_temp.partial('u < 100 AND (c <~> pg_temp.code(17, 160, ''s1'')::bincode) + 0 > 140');
DROP TABLE scan_sweep;

-- bitmaps that have become lossy: more heap pages than work_mem holds offsets of
CREATE TABLE scan_lossy (id int, c bincode(256), u int, pad text) WITH (fillfactor = 10);
INSERT INTO scan_lossy SELECT i, pg_temp.code(i, 40, 'l1')::bincode, i % 7, repeat('x', 100) FROM generate_series(1, 6000) i;
CREATE INDEX scan_lossy_idx ON scan_lossy USING hashemb (c);
CREATE INDEX scan_lossy_u ON scan_lossy (u);
ANALYZE scan_lossy;
SET work_mem = '64kB';
SELECT pg_temp.told('Lossy Pages', line)::int > 0 AS lossy, pg_temp.way(line) FROM (VALUES ('SELECT id FROM scan_lossy WHERE u IN (2, 3) ORDER BY c <~> pg_temp.code(3, 40, ''l1'')::bincode LIMIT 1000')) v(line);
SELECT pg_temp.sequential('scan_lossy', 'c <~> pg_temp.code(3, 40, ''l1'')::bincode', 'u IN (2, 3)') AS expected \gset
SET enable_indexscan = on;
SET enable_bitmapscan = on;
SET enable_seqscan = off;
SELECT array_agg(d::text || ' ' || ctid::text) = (:'expected'::text[])[1:1000] AS same FROM
	(SELECT c <~> pg_temp.code(3, 40, 'l1')::bincode AS d, ctid FROM scan_lossy WHERE u IN (2, 3) ORDER BY c <~> pg_temp.code(3, 40, 'l1')::bincode LIMIT 1000) s;
DROP TABLE scan_lossy;

-- ranking codes so long that few fit a page
CREATE TABLE scan_wide (id int, c bincode(15900));
CREATE INDEX scan_wide_idx ON scan_wide USING hashemb (c);
INSERT INTO scan_wide SELECT i, (repeat('0', i * 70) || repeat('1', 15900 - i * 70))::bincode FROM generate_series(1, 100) i;
SELECT pg_temp.way('SELECT id FROM scan_wide WHERE id > 50 ORDER BY c <~> repeat(''1'', 15900)::bincode LIMIT 100');
SELECT string_agg(id::text, ' ') FROM (SELECT id FROM scan_wide WHERE id > 50 ORDER BY c <~> repeat('1', 15900)::bincode LIMIT 100) s;
DROP TABLE scan_wide;
