-- L2 distances of sparse vectors: searches that need more rows than they had found,
-- since heap rows failed or more are read, go on beyond the distance that was settled
SET statement_timeout = '60s';
CREATE TABLE more (id int PRIMARY KEY, a int, s text, v svec(60));
INSERT INTO more SELECT g, g % 5, 't' || g % 7, svec(ARRAY[1 + g % 7, 10 + g % 31, 50 + g % 3], ARRAY[1, 1, 1]::real[], 60)
	FROM generate_series(1, 6000) g;
CREATE INDEX more_v ON more USING hashemb (v svec_l2_ops, a);
ANALYZE more;

-- rows, and whether their distances are those of a sequential scan
CREATE FUNCTION pg_temp.compare(condition text, k int, OUT rows bigint, OUT same boolean) LANGUAGE plpgsql AS $$
DECLARE
	search text := format('SELECT count(*), array_agg(d) FROM (SELECT v <-> ''{1:1,10:2,50:0.5}/60'' AS d FROM more WHERE %s ORDER BY 1 LIMIT %s) x',
		condition, coalesce(k::text, 'ALL'));
	found float8[];
	truth float8[];
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	EXECUTE search INTO rows, found;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_sort = on;
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_bitmapscan = off;
	EXECUTE search INTO rows, truth;
	SET LOCAL enable_indexscan = on;
	same := found = truth;
END $$;
EXPLAIN (COSTS OFF) SELECT id FROM more WHERE a IN (1, 3) AND id % 3 = 1 ORDER BY v <-> '{1:1,10:2,50:0.5}/60' LIMIT 100;
SELECT condition, k, c.* FROM unnest('{true,a = 1,id % 3 = 1,"a IN (1, 3) AND id % 3 = 1","s = ''t3''","id % 500 = 3",id < 0}'::text[]) condition,
	unnest('{1,10,100,1000,null}'::int[]) k, pg_temp.compare(condition, k) c;
SET hashemb.recall = 1;
SELECT bool_and(same) FROM unnest('{true,id % 3 = 1,"a IN (1, 3) AND id % 3 = 1","s = ''t3''"}'::text[]) condition,
	unnest('{1,10,100,1000,null}'::int[]) k, pg_temp.compare(condition, k) c;
RESET hashemb.recall;

-- without an order: the rows within a distance by a bitmap, and with other conditions on
-- distances
CREATE FUNCTION pg_temp.within(condition text, OUT bitmap boolean, OUT rows bigint, OUT same boolean) LANGUAGE plpgsql AS $$
DECLARE
	search text := format('SELECT count(*), sum(id) FROM more WHERE %s', condition);
	plan json;
	found bigint;
	truth bigint;
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_bitmapscan = on;
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || search INTO plan;
	bitmap := plan::text LIKE '%Bitmap Index Scan%';
	EXECUTE search INTO rows, found;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_bitmapscan = off;
	EXECUTE search INTO rows, truth;
	same := found IS NOT DISTINCT FROM truth;
END $$;
SELECT condition, w.* FROM unnest(ARRAY['v <-> ''{1:1,10:2}/60'' < 1.5', 'v <-> ''{1:1,10:2}/60'' <= 2 AND a = 3', 'v <-> ''{1:1,10:2}/60'' < 2.5 AND s = ''t1''',
	'v <-> ''{1:1,10:2}/60'' < 2.5 AND v <-> ''{2:1,11:2}/60'' < 2.5', 'v <-> ''{1:1,10:2}/60'' < 2 OR v <-> ''{2:1,11:2}/60'' < 2',
	'v <-> ''{1:1,10:1,50:1}/60'' = 0', 'v <-> ''{1:1}/60'' > 1e9', 'v <-> ''{1:1}/60'' < -1', 'v <-> NULL < 1']) condition, pg_temp.within(condition) w;
SET enable_bitmapscan = off;
SET enable_seqscan = off;
SELECT count(*), count(DISTINCT id) FROM more WHERE v <-> '{1:1,10:2}/60' < 2;
SELECT count(*) FROM (SELECT id FROM more WHERE v <-> '{1:1,10:2}/60' < 2.5 AND v <-> '{2:1,11:2}/60' < 2.5 ORDER BY v <-> '{1:1,10:2}/60' LIMIT 1000) x;
DROP TABLE more;
