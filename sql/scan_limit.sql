-- How many rows come, and which: by the shape of a query
\set ECHO none
\i sql/include/same.sql
\i sql/include/plan.sql
\set ECHO all
-- 20,000 codes of 64 bits with many ties: 400 centres, one bit in eight flipped
CREATE TABLE pic (id int, code bincode(64), a int, shape text) PARTITION BY LIST (a);
CREATE TABLE pic_0 PARTITION OF pic FOR VALUES IN (0, 1, 2, 3, 4);
CREATE TABLE pic_1 PARTITION OF pic DEFAULT;
CREATE TABLE one (id int PRIMARY KEY, code bincode(64), a int);
INSERT INTO one SELECT i, substring(pg_temp.code(i, 400, 'limit'), 1, 64)::bincode, i % 10 FROM generate_series(1, 20000) i;
INSERT INTO one SELECT i, NULL, i % 10 FROM generate_series(20001, 20030) i;
INSERT INTO pic SELECT id, code, a FROM one;
CREATE INDEX one_code ON one USING hashemb (code, a);
CREATE INDEX pic_code ON pic USING hashemb (code, a);
ANALYZE one;
ANALYZE pic;
SET enable_sort = off;
SET enable_seqscan = off;

-- The plan of a query, without what differs between versions; whether its rows by
-- the index are as many as by a sequential scan, and the same. "q" in the query
-- stands for each of some query codes. Fails where the node is not used.
CREATE FUNCTION pg_temp.use_index(boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('enable_indexscan', $1::text, true), set_config('enable_bitmapscan', $1::text, true),
		set_config('hashemb.enable_scan', $1::text, true), set_config('enable_seqscan', (NOT $1)::text, true);
END $$;
CREATE FUNCTION pg_temp.rows_of(query text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	result text[];
BEGIN
	EXECUTE format('SELECT array_agg(s::text) FROM (%s) s', query) INTO result;
	RETURN coalesce(result, '{}');
END $$;
CREATE FUNCTION pg_temp.used(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		IF line ~ 'Custom Scan \(hashemb\)|Index Scan using \w*code' THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END $$;
-- Rows of a statement as a cursor brings them, so many at once
CREATE FUNCTION pg_temp.fetched(query text, many int) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	c refcursor := 'fetching';
	result text[] := '{}';
	line record;
	missing boolean;
BEGIN
	EXECUTE 'DECLARE fetching NO SCROLL CURSOR FOR ' || query;
	LOOP
		missing := true;
		FOR line IN EXECUTE 'FETCH ' || many || ' FROM fetching' LOOP
			result := result || line::text;
			missing := false;
		END LOOP;
		EXIT WHEN missing;
	END LOOP;
	EXECUTE 'CLOSE fetching';
	RETURN result;
END $$;
CREATE FUNCTION pg_temp.query(i int) RETURNS text LANGUAGE sql AS $$SELECT quote_literal(substring(pg_temp.code(i, 400, 'query'), 1, 64)) || '::bincode'$$;
CREATE FUNCTION pg_temp.shapes(queries text[], many int) RETURNS TABLE (lost bigint, different int, example text) LANGUAGE plpgsql AS $$
DECLARE
	shape text;
	query text;
	by_scan text[];
	by_node text[];
	i int;
BEGIN
	lost := 0; different := 0;
	FOREACH shape IN ARRAY queries LOOP
		FOR i IN 1..many LOOP
			query := replace(shape, '$q', pg_temp.query(i));
			PERFORM pg_temp.use_index(true);
			IF NOT pg_temp.used(query) THEN
				RAISE EXCEPTION 'no scan node for %', query;
			END IF;
			by_node := pg_temp.rows_of(query);
			PERFORM pg_temp.use_index(false);
			by_scan := pg_temp.rows_of(query);
			PERFORM pg_temp.use_index(true);
			lost := lost + abs(cardinality(by_scan) - cardinality(by_node));
			IF by_scan IS DISTINCT FROM by_node THEN
				different := different + 1;
				IF example IS NULL OR cardinality(by_scan) <> cardinality(by_node) THEN
					example := format('%s: %s rows %s, expected %s rows %s', shape, cardinality(by_node), by_node[1:5], cardinality(by_scan), by_scan[1:5]);
				END IF;
			END IF;
		END LOOP;
	END LOOP;
	RETURN NEXT;
END $$;

-- what is known of the number of rows: see the table in src/plan/README
CREATE TEMP TABLE known (query text);
INSERT INTO known VALUES
	-- LIMIT on its own table
	('SELECT code <~> $q AS d FROM one ORDER BY d LIMIT 10'),
	('SELECT code <~> $q AS d FROM one ORDER BY d LIMIT 15000 OFFSET 5000'),
	('SELECT code <~> $q AS d FROM one WHERE a = 3 ORDER BY d LIMIT 3000'),
	('SELECT code <~> $q AS d FROM one WHERE a = 3 AND id % 2 = 1 ORDER BY d LIMIT 3000'),
	('SELECT code <~> $q AS d FROM one ORDER BY d LIMIT (SELECT 5000)'),
	('SELECT code <~> $q AS d FROM one ORDER BY d LIMIT 5000 + (random() * 0)::int'),
	('SELECT code <~> $q AS d FROM one ORDER BY d OFFSET 15000'),
	('SELECT code <~> $q AS d FROM one ORDER BY d LIMIT 9223372036854775807 OFFSET 1'),
	('SELECT code <~> $q AS d FROM one ORDER BY d LIMIT ALL'),
	('SELECT code <~> $q AS d FROM one ORDER BY d'),
	('SELECT code <~> $q AS d FROM one WHERE a IN (2, 3) ORDER BY d FOR UPDATE'),
	-- a further sort key
	('SELECT id, code <~> $q AS d FROM one WHERE a = 3 ORDER BY d, id LIMIT 3000'),
	('SELECT id, code <~> $q AS d FROM one WHERE a = 3 AND id % 2 = 1 ORDER BY d, id LIMIT 3000'),
	('SELECT id, code <~> $q AS d FROM one ORDER BY d, id DESC LIMIT 20000 OFFSET 100'),
	('SELECT id, code <~> $q AS d FROM one WHERE code IS NOT NULL ORDER BY d, a, id LIMIT 30000'),
	('SELECT code <~> $q AS d FROM one WHERE a = 3 ORDER BY d FETCH FIRST 3000 ROWS WITH TIES'),
	('SELECT id, code <~> $q AS d FROM one WHERE a = 3 ORDER BY d, id FETCH FIRST 3000 ROWS WITH TIES'),
	('SELECT id, code <~> $q AS d FROM one ORDER BY d, id OFFSET 5 FETCH FIRST 9223372036854775807 ROWS ONLY'),
	-- subqueries in FROM
	('SELECT * FROM (SELECT code <~> $q AS d, id FROM one ORDER BY d, id) s LIMIT 20020'),
	('SELECT d FROM (SELECT code <~> $q AS d, a FROM one ORDER BY d) s WHERE a = 3 LIMIT 3000'),
	('SELECT d FROM (SELECT code <~> $q AS d, a FROM one ORDER BY d) s WHERE a >= (SELECT min(g) FROM generate_series(0, a) g) LIMIT 20020'),
	('SELECT d FROM (SELECT code <~> $q AS d FROM one ORDER BY d OFFSET 2) s LIMIT 20020'),
	('SELECT d, id FROM (SELECT code <~> $q AS d, id FROM one ORDER BY d) s ORDER BY id DESC LIMIT 100'),
	('SELECT count(*), sum(d) FROM (SELECT code <~> $q AS d FROM one ORDER BY d) s LIMIT 1'),
	('SELECT count(*), sum(s.d) FROM (SELECT code <~> $q AS d FROM one ORDER BY d) s, generate_series(1, 2) LIMIT 1'),
	-- grouped, numbered, multiplied
	('SELECT d, row_number() OVER (ORDER BY d) FROM (SELECT code <~> $q AS d FROM one OFFSET 0) s WHERE EXISTS (SELECT FROM one ORDER BY code <~> $q OFFSET 20029) LIMIT 5'),
	('SELECT code <~> $q AS d, row_number() OVER (ORDER BY code <~> $q) AS r FROM one ORDER BY d LIMIT 20010'),
	('SELECT code <~> $q AS d, count(*) OVER () AS r FROM one ORDER BY d LIMIT 5'),
	('SELECT code <~> $q AS d, count(*) AS r FROM one GROUP BY d ORDER BY d LIMIT 40'),
	('SELECT code <~> $q AS d, unnest(array_fill(1, ARRAY[a % 3])) AS r FROM one ORDER BY d LIMIT 18000'),
	('SELECT min(code <~> $q) FROM one WHERE a = 3'),
	-- CTEs, sublinks
	('WITH s AS MATERIALIZED (SELECT code <~> $q AS d FROM one ORDER BY d) SELECT d FROM s LIMIT 20020'),
	('WITH s AS (SELECT code <~> $q AS d FROM one ORDER BY d) SELECT d FROM s LIMIT 20020'),
	('SELECT cardinality(ARRAY(SELECT id FROM one ORDER BY code <~> $q)) LIMIT 1'),
	('SELECT EXISTS (SELECT FROM one ORDER BY code <~> $q OFFSET 20029) LIMIT 1'),
	('SELECT 20000 NOT IN (SELECT count(*) OVER (ORDER BY code <~> $q) FROM one WHERE code IS NOT NULL) LIMIT 1'),
	('SELECT o.id, (SELECT count(p.a) FROM (SELECT a FROM one WHERE a = o.a ORDER BY code <~> o.code) p) FROM one o WHERE id < 4 ORDER BY id LIMIT 3'),
	('SELECT o.id, p.d FROM one o, LATERAL (SELECT code <~> o.code AS d FROM one WHERE a = o.a ORDER BY d LIMIT 2010) p WHERE o.id < 3 AND $q IS NOT NULL ORDER BY o.id, p.d'),
	-- partitions, UNION ALL, set operations
	('SELECT code <~> $q AS d FROM pic ORDER BY d LIMIT 20010'),
	('SELECT id, code <~> $q AS d FROM pic ORDER BY d, id LIMIT 20010'),
	('SELECT code <~> $q AS d FROM pic ORDER BY d'),
	('SELECT code <~> $q AS d FROM (SELECT id, code, a FROM one UNION ALL SELECT id, code, a FROM pic) s ORDER BY d LIMIT 40040'),
	('SELECT code <~> $q AS d, id FROM (SELECT id, code, a FROM one UNION ALL SELECT id, code, a FROM pic) s WHERE a > 4 ORDER BY d, id LIMIT 20000'),
	('(SELECT id FROM one ORDER BY id LIMIT 25000) EXCEPT (SELECT id FROM one ORDER BY code <~> $q) LIMIT 100'),
	('SELECT count(*) FROM ((SELECT id FROM one ORDER BY code <~> $q) UNION (SELECT 0)) s LIMIT 100');
-- as many rows as by a sequential scan at the default of hashemb.recall
SELECT lost, CASE WHEN lost > 0 THEN example END AS example FROM pg_temp.shapes((SELECT array_agg(query) FROM known), 2);
-- and the same rows if it is 1
SET hashemb.recall = 1;
SELECT * FROM pg_temp.shapes((SELECT array_agg(query) FROM known), 1);
RESET hashemb.recall;

-- ties of the last row: at recall 1 all of them
CREATE TEMP TABLE tied (query text);
INSERT INTO tied VALUES
	('SELECT code <~> $q AS d FROM one ORDER BY d FETCH FIRST 1 ROW WITH TIES'),
	('SELECT code <~> $q AS d FROM one ORDER BY d OFFSET 7 FETCH FIRST 100 ROWS WITH TIES'),
	('SELECT code <~> $q AS d FROM one WHERE a = 3 AND id % 2 = 1 ORDER BY d FETCH FIRST 100 ROWS WITH TIES'),
	('SELECT code <~> $q AS d, a FROM one ORDER BY d, a DESC FETCH FIRST 300 ROWS WITH TIES'),
	('SELECT code <~> $q AS d, a FROM pic ORDER BY d, a DESC FETCH FIRST 300 ROWS WITH TIES'),
	('SELECT code <~> $q AS d FROM one ORDER BY d OFFSET 19900 FETCH FIRST 100 ROWS WITH TIES'),
	('SELECT code <~> $q AS d FROM one ORDER BY d OFFSET 20000 FETCH FIRST 1 ROW WITH TIES'),
	('SELECT code <~> $q AS d FROM one WHERE code IS NULL ORDER BY d FETCH FIRST 1 ROW WITH TIES'),
	('SELECT code <~> $q AS d, id FROM one ORDER BY d, id LIMIT 1'),
	('SELECT code <~> $q AS d, id FROM one ORDER BY d, id DESC LIMIT 1000'),
	('SELECT code <~> $q AS d, id FROM one WHERE a < 4 AND id % 3 > 0 ORDER BY d, a, id DESC LIMIT 77'),
	('SELECT code <~> $q AS d, id FROM one ORDER BY d, id DESC LIMIT 3 OFFSET 19999'),
	('SELECT code <~> $q AS d, id FROM pic ORDER BY d, id DESC LIMIT 50'),
	('SELECT code <~> $q AS d, id FROM one ORDER BY d, id LIMIT 20 FOR UPDATE'),
	('SELECT * FROM (SELECT code <~> $q AS d, id FROM one WHERE a = 2 ORDER BY d, id) s LIMIT 50');
SET hashemb.recall = 1;
SELECT * FROM pg_temp.shapes((SELECT array_agg(query) FROM tied), 4);
-- also where memory does not hold them, and where far more tie than are wanted
SET work_mem = '64kB';
SELECT * FROM pg_temp.shapes((SELECT array_agg(query) FROM tied), 1);
UPDATE one SET code = substring(pg_temp.code(1, 400, 'query'), 1, 64)::bincode WHERE a = 1;
SELECT * FROM pg_temp.shapes((SELECT array_agg(query) FROM tied), 1);
RESET work_mem;
SELECT * FROM pg_temp.shapes((SELECT array_agg(query) FROM tied), 1);
RESET hashemb.recall;
-- at the default as many of them as of others: of the rows no farther than the
-- last one wanted 95 in a hundred, and never fewer than are wanted
CREATE FUNCTION pg_temp.ties(condition text, k int) RETURNS TABLE (enough boolean, recalled boolean, beyond bigint) LANGUAGE plpgsql AS $$
DECLARE
	text_of text := format('SELECT code <~> $q AS d FROM one WHERE %s ORDER BY d FETCH FIRST %s ROWS WITH TIES', condition, k);
	by_node text[];
	by_scan text[];
	share float := 0;
BEGIN
	enough := true; beyond := 0;
	FOR i IN 1..40 LOOP
		PERFORM pg_temp.use_index(true);
		by_node := pg_temp.rows_of(replace(text_of, '$q', pg_temp.query(i)));
		PERFORM pg_temp.use_index(false);
		by_scan := pg_temp.rows_of(replace(text_of, '$q', pg_temp.query(i)));
		PERFORM pg_temp.use_index(true);
		enough := enough AND cardinality(by_node) >= k;
		-- a search that missed a nearer row may go on to the next distance
		share := share + (SELECT count(*) FROM unnest(by_node) r WHERE r = ANY (by_scan))::float / cardinality(by_scan) / 40;
		beyond := beyond + (SELECT count(DISTINCT r) FROM (SELECT r, row_number() OVER () AS n FROM unnest(by_node) r) s WHERE n > k AND r <> by_node[k]);
	END LOOP;
	recalled := share >= 0.95;
	RETURN NEXT;
END $$;
SELECT * FROM pg_temp.ties('a <> 1', 1);
SELECT * FROM pg_temp.ties('a <> 1', 10);
SELECT * FROM pg_temp.ties('a <> 1', 100);
SELECT * FROM pg_temp.ties('a = 3', 10);
SELECT * FROM pg_temp.ties('a <> 1 AND id % 10 = 3', 10);
SELECT * FROM pg_temp.ties('true', 10);

-- cursors: no LIMIT means all rows, however few are fetched at once
CREATE FUNCTION pg_temp.cursors(query text, many int) RETURNS TABLE (whole boolean, same boolean) LANGUAGE plpgsql AS $$
DECLARE
	by_cursor text[];
	by_scan text[];
BEGIN
	query := replace(query, '$q', pg_temp.query(2));
	PERFORM pg_temp.use_index(true);
	IF NOT pg_temp.used(query) THEN
		RAISE EXCEPTION 'no scan node for %', query;
	END IF;
	by_cursor := pg_temp.fetched(query, many);
	PERFORM pg_temp.use_index(false);
	by_scan := pg_temp.rows_of(query);
	PERFORM pg_temp.use_index(true);
	RETURN QUERY SELECT cardinality(by_cursor) = cardinality(by_scan), by_cursor = by_scan;
END $$;
SELECT * FROM pg_temp.cursors('SELECT code <~> $q AS d FROM one WHERE a <> 1 ORDER BY d', 100);
SELECT * FROM pg_temp.cursors('SELECT code <~> $q AS d, id FROM pic ORDER BY d, id', 1000);
SELECT * FROM pg_temp.cursors('SELECT d FROM (SELECT code <~> $q AS d, a FROM one ORDER BY d) s WHERE a = 3', 1);
SELECT whole FROM pg_temp.cursors('SELECT code <~> $q AS d FROM one WHERE a = 3 ORDER BY d LIMIT 3000', 7);
SELECT * FROM pg_temp.cursors('SELECT code <~> $q AS d FROM one p JOIN (SELECT 3 AS a UNION SELECT 4) x USING (a) ORDER BY d', 100);
SELECT * FROM pg_temp.cursors('SELECT DISTINCT code <~> $q AS d FROM one ORDER BY d', 3);
-- loops of PL/pgSQL, with and without a declared cursor
DO $$
DECLARE
	c CURSOR (q bincode) FOR SELECT id FROM one WHERE a <> 1 ORDER BY code <~> q;
	q bincode := substring(pg_temp.code(3, 400, 'query'), 1, 64)::bincode;
	line record;
	looped int := 0;
	fetched int := 0;
BEGIN
	FOR line IN SELECT id FROM one WHERE a <> 1 ORDER BY code <~> q LOOP
		looped := looped + 1;
	END LOOP;
	FOR line IN c(q) LOOP
		fetched := fetched + 1;
	END LOOP;
	RAISE NOTICE 'looped over %, fetched % of %', looped, fetched, (SELECT count(*) FROM one WHERE a <> 1);
END $$;
-- prepared: the LIMIT is a parameter, of the query or of what reads it
SET plan_cache_mode = force_generic_plan;
PREPARE first (bincode, bigint, bigint) AS SELECT count(*) FROM (SELECT id FROM one WHERE a <> 1 ORDER BY code <~> $1, id LIMIT $2 OFFSET $3) s;
PREPARE read (bincode, bigint, bigint) AS SELECT code <~> $1 AS d FROM (SELECT * FROM one WHERE a <> 1 ORDER BY code <~> $1) s LIMIT $2 OFFSET $3;
SELECT pg_temp.plan('EXECUTE read(NULL, 1, 1)');
EXECUTE first(substring(pg_temp.code(3, 400, 'query'), 1, 64)::bincode, 30000, 10);
EXECUTE first(substring(pg_temp.code(3, 400, 'query'), 1, 64)::bincode, NULL, 10);
EXECUTE first(substring(pg_temp.code(3, 400, 'query'), 1, 64)::bincode, 9223372036854775807, 10);
EXECUTE first(substring(pg_temp.code(3, 400, 'query'), 1, 64)::bincode, 5, NULL);
EXECUTE first(NULL, 5, 10);
CREATE TEMP TABLE counts AS EXECUTE read(substring(pg_temp.code(3, 400, 'query'), 1, 64)::bincode, 30000, 10);
SELECT count(*) FROM counts;
EXECUTE read(substring(pg_temp.code(3, 400, 'query'), 1, 64)::bincode, 0, NULL);
EXECUTE read(substring(pg_temp.code(3, 400, 'query'), 1, 64)::bincode, -1, NULL);
RESET plan_cache_mode;
-- the LIMIT of an outer level may come from further out
SELECT o.id, (SELECT count(*) FROM (SELECT FROM (SELECT id FROM one WHERE a = 3 ORDER BY code <~> o.code) s LIMIT o.id + (SELECT 3)) t) FROM one o WHERE id IN (1, 5, 20000) ORDER BY id;
-- volatile conditions get a plain index scan: it is told nothing, and exact
SELECT * FROM pg_temp.shapes(ARRAY['SELECT code <~> $q AS d FROM one WHERE random() > -a AND a = 3 ORDER BY d LIMIT 3000',
	'SELECT code <~> $q AS d FROM one WHERE random() > -a AND a <> 1 ORDER BY d'], 2);

-- below joins, DISTINCT and UNION ALL under a LIMIT the number is not known; at
-- recall 1 the rows are those of a sequential scan
CREATE TEMP TABLE unknown (query text);
INSERT INTO unknown VALUES
	('SELECT code <~> $q AS d FROM one p JOIN (SELECT 3 AS a UNION SELECT 4) x USING (a) ORDER BY d LIMIT 30'),
	('SELECT DISTINCT code <~> $q AS d FROM one ORDER BY d LIMIT 30'),
	('SELECT DISTINCT ON (code <~> $q) code <~> $q AS d FROM one ORDER BY code <~> $q LIMIT 30'),
	('(SELECT code <~> $q AS d FROM one ORDER BY d) UNION ALL (SELECT code <~> $q AS d FROM pic ORDER BY d) LIMIT 30'),
	('SELECT s.d FROM (SELECT code <~> $q AS d FROM one ORDER BY d) s, LATERAL (SELECT 1 WHERE s.d::int % 2 = 0) t LIMIT 30');
SET hashemb.recall = 1;
SELECT * FROM pg_temp.shapes((SELECT array_agg(query) FROM unknown), 4);
RESET hashemb.recall;
SELECT pg_temp.plan('SELECT code <~> repeat(''01'', 32)::bincode AS d FROM one p JOIN (SELECT 3 AS a UNION SELECT 4) x USING (a) ORDER BY d LIMIT 30');

-- sparse vectors, most of which tie
CREATE TABLE doc (id int, v svec(50), a int);
INSERT INTO doc SELECT i, CASE WHEN i % 100 > 0 THEN svec(ARRAY[1 + i % 3, 10 + i % 5], ARRAY[1, 1 + i % 2], 50) END, i % 10 FROM generate_series(1, 5000) i;
CREATE INDEX doc_v ON doc USING hashemb (v, a);
ANALYZE doc;
CREATE TEMP TABLE sparse (query text);
INSERT INTO sparse SELECT replace(q, '$v', '''{1:1,10:2,12:1}/50''::svec') FROM unnest(ARRAY[
	'SELECT v <#> $v AS d FROM doc ORDER BY d',
	'SELECT v <#> $v AS d, id FROM doc ORDER BY d, id LIMIT 10',
	'SELECT v <#> $v AS d, id FROM doc WHERE a = 3 AND id % 2 = 1 ORDER BY d, id DESC LIMIT 1000 OFFSET 5',
	'SELECT v <#> $v AS d FROM doc ORDER BY d FETCH FIRST 10 ROWS WITH TIES',
	'SELECT v <#> $v AS d FROM doc WHERE id % 7 > 0 ORDER BY d OFFSET 2000 FETCH FIRST 1 ROW WITH TIES',
	'SELECT v <#> $v AS d FROM doc ORDER BY d OFFSET 4949 FETCH FIRST 1 ROW WITH TIES',
	'SELECT v <#> $v AS d FROM doc ORDER BY d OFFSET 4950 FETCH FIRST 1 ROW WITH TIES',
	'SELECT v <#> $v AS d FROM doc ORDER BY d LIMIT 9223372036854775807 OFFSET 1',
	'SELECT d FROM (SELECT v <#> $v AS d, a FROM doc ORDER BY d) s WHERE a < 3 LIMIT 3000']) q;
SELECT * FROM pg_temp.shapes((SELECT array_agg(query) FROM sparse), 1);
SET work_mem = '64kB';
SELECT * FROM pg_temp.shapes((SELECT array_agg(query) FROM sparse), 1);
DROP TABLE one, pic, doc;
