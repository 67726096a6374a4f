-- The query comes from one row of a table, a subquery or a CTE
\set ECHO none
\i sql/include/same.sql
\i sql/include/plan.sql
\set ECHO all
CREATE TABLE doc (id int PRIMARY KEY, code bincode(64), a int);
INSERT INTO doc SELECT i, substring(pg_temp.code(i, 200, 'one'), 1, 64)::bincode, i % 10 FROM generate_series(1, 5000) i;
INSERT INTO doc VALUES (5001, NULL, 1), (5002, NULL, 2);
CREATE INDEX doc_code ON doc USING hashemb (code, a);
CREATE TABLE wanted (name text UNIQUE, code bincode(64), a int);
INSERT INTO wanted SELECT 'w' || id, code, a FROM doc WHERE id IN (7, 8, 5001);
ANALYZE doc;
ANALYZE wanted;
SET enable_seqscan = off;
SET enable_sort = off;

SELECT pg_temp.plan('SELECT doc.id FROM doc, (SELECT code FROM doc WHERE id = 42) q ORDER BY doc.code <~> q.code LIMIT 10');
SELECT pg_temp.plan('SELECT doc.id FROM doc, wanted q WHERE q.name = ''w7'' AND doc.a >= q.a AND doc.id % 2 = 1 ORDER BY q.code <~> doc.code, doc.id LIMIT 10');
SELECT pg_temp.plan('WITH q AS MATERIALIZED (SELECT code FROM wanted WHERE name = ''w8'') SELECT doc.id FROM doc, q ORDER BY 1 - (doc.code <~> q.code) / 64 DESC LIMIT 10');
-- each compared with sequential scans, at recall 1; the first column says whether
-- the node is the inner side of a nested loop without a sort; constants need none
CREATE FUNCTION pg_temp.joined(queries text[]) RETURNS TABLE (by_node boolean, rows int, same boolean, query text) LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text;
	found text[];
	expected text[];
BEGIN
	FOREACH query IN ARRAY queries LOOP
		PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), set_config('hashemb.enable_scan', 'on', true), set_config('enable_indexscan', 'on', true);
		plan := '';
		FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
			plan := plan || line;
		END LOOP;
		by_node := plan ~ 'Nested Loop.*Custom Scan \(hashemb\) on doc' AND plan !~ '->  Sort|^Sort';
		EXECUTE format('SELECT array_agg(s::text) FROM (%s) s', query) INTO found;
		PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true), set_config('hashemb.enable_scan', 'off', true), set_config('enable_indexscan', 'off', true);
		EXECUTE format('SELECT array_agg(s::text) FROM (%s) s', query) INTO expected;
		rows := coalesce(cardinality(found), 0);
		same := found IS NOT DISTINCT FROM expected;
		RETURN NEXT;
	END LOOP;
END $$;
SET hashemb.recall = 1;
SELECT * FROM pg_temp.joined(ARRAY[
	'SELECT doc.code <~> q.code AS d FROM doc, (SELECT code FROM doc WHERE id = 42) q ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc JOIN doc q ON q.id = 42 ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc JOIN doc q ON q.id = 42 AND doc.id <> q.id ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d, doc.id FROM doc JOIN wanted q ON q.name = ''w7'' AND doc.a = q.a WHERE doc.id % 3 = 1 ORDER BY d, doc.id LIMIT 500',
	'SELECT doc.code <~> q.code AS d FROM doc JOIN wanted q ON q.name = ''w5001'' ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc JOIN wanted q ON q.name = ''nobody'' ORDER BY d LIMIT 10',
	'SELECT 1 - (doc.code <~> q.code) / 64 AS s FROM doc, (SELECT code FROM wanted ORDER BY name LIMIT 1) q ORDER BY s DESC LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc, (SELECT bit_majority(code) AS code FROM wanted) q ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc, (SELECT code FROM doc WHERE id = 42 LIMIT 1) q ORDER BY d',
	'SELECT doc.code <~> q.code AS d FROM doc, (VALUES (repeat(''01'', 32)::bincode)) q (code) ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc, (VALUES ((SELECT code FROM doc WHERE id = 3))) q (code) ORDER BY d LIMIT 10',
	'WITH q AS MATERIALIZED (SELECT code FROM doc WHERE id = 42) SELECT doc.code <~> q.code AS d FROM doc, q ORDER BY d LIMIT 10',
	'WITH q AS (SELECT code, a FROM doc WHERE id = 42) SELECT doc.code <~> q.code AS d FROM doc, q WHERE doc.a = (SELECT a FROM q) ORDER BY d LIMIT 1000',
	'SELECT doc.code <~> q.code AS d, w.name FROM doc, doc q, wanted w WHERE q.id = 42 AND w.name = ''w7'' ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc JOIN doc q ON q.id = 42 JOIN wanted w ON w.a = doc.a ORDER BY d LIMIT 10',
	'SELECT (SELECT min(t.id) FROM (SELECT doc.id FROM doc JOIN doc q ON q.id = x.id ORDER BY doc.code <~> q.code, doc.id LIMIT 5) t) FROM wanted x2, doc x WHERE x.id < 4 AND x2.name = ''w7''']);
-- more than one row, or perhaps: not in this way
SELECT * FROM pg_temp.joined(ARRAY[
	'SELECT doc.code <~> q.code AS d FROM doc, wanted q ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc, wanted q WHERE q.a = 7 ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc, (SELECT code FROM wanted ORDER BY name LIMIT 2) q ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc, (SELECT bit_majority(code) AS code FROM wanted GROUP BY a) q ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc, (SELECT code, generate_series(1, 2) FROM doc WHERE id = 42) q ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc, (SELECT code FROM doc WHERE id = 42 UNION ALL SELECT code FROM wanted WHERE name = ''w8'') q ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc, (SELECT coalesce(x.code, y.code) AS code FROM (SELECT * FROM wanted WHERE name = ''w7'') x FULL JOIN (SELECT * FROM wanted WHERE name = ''w8'') y ON x.name = y.name) q ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc, (SELECT coalesce(x.code, y.code) AS code FROM (SELECT * FROM wanted WHERE name = ''w7'') x FULL JOIN (SELECT * FROM wanted WHERE name = ''w8'') y ON x.name = y.name OFFSET 0) q ORDER BY d LIMIT 10',
	'SELECT doc.code <~> q.code AS d FROM doc LEFT JOIN doc q ON q.id = 42 AND doc.a = 3 ORDER BY d LIMIT 10',
	'SELECT q.code <~> doc.code AS d FROM doc q LEFT JOIN doc ON doc.a = 11 WHERE q.id = 42 ORDER BY d LIMIT 10']);
RESET hashemb.recall;
-- as many as match, and all of them without a LIMIT
SELECT count(*), count(*) = (SELECT count(*) FROM doc WHERE a = 2) AS whole FROM (SELECT doc.id FROM doc JOIN doc q ON q.id = 42 AND doc.a = q.a ORDER BY doc.code <~> q.code LIMIT 100000) s;
SELECT count(*) FROM (SELECT doc.id FROM doc JOIN doc q ON q.id = 42 ORDER BY doc.code <~> q.code OFFSET 2) s;
-- rows that changed while they were waited for, and prepared statements
BEGIN;
SELECT count(*) FROM (SELECT doc.id FROM doc JOIN doc q ON q.id = 42 ORDER BY doc.code <~> q.code LIMIT 7 FOR UPDATE OF doc) s;
ROLLBACK;
SET plan_cache_mode = force_generic_plan;
PREPARE like_this (int, bigint) AS SELECT doc.id FROM doc, (SELECT code, id FROM doc WHERE id = $1) q WHERE doc.id <> q.id ORDER BY doc.code <~> q.code, doc.id LIMIT $2;
SELECT pg_temp.plan('EXECUTE like_this(1, 1)');
CREATE TEMP TABLE by_join AS EXECUTE like_this(42, 5);
SELECT count(*), count(*) FILTER (WHERE id = 42) AS itself FROM by_join;
DROP TABLE doc, wanted, by_join;
