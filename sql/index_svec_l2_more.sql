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
DROP TABLE more;
