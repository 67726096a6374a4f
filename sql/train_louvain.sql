--
-- Methods louvain, freq and dedup: buckets of ids
--
SET jit = off;
-- a reproducible number from 0 to below 1
CREATE FUNCTION unit(VARIADIC key int[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT (hash_slots(key::text, 'test', 1, 1000000000))[1] / 1e9 $$;
-- normalized mutual information of two labellings, by the arithmetic mean of their entropies
CREATE FUNCTION nmi(tab regclass, a text, b text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	r float8;
BEGIN
	EXECUTE format('WITH n AS (SELECT %2$s AS a, %3$s AS b, count(*)::float8 AS n FROM %1$s GROUP BY 1, 2), t AS (SELECT sum(n) AS t FROM n),
		pa AS (SELECT a, sum(n) AS n FROM n GROUP BY a), pb AS (SELECT b, sum(n) AS n FROM n GROUP BY b)
		SELECT (SELECT sum(n.n / t * ln(n.n * t / (pa.n * pb.n))) FROM n JOIN pa USING (a) JOIN pb USING (b), t)
			/ (((SELECT -sum(n / t * ln(n / t)) FROM pa, t) + (SELECT -sum(n / t * ln(n / t)) FROM pb, t)) / 2)', tab, a, b) INTO r;
	RETURN r;
END $$;

-- 600 users and 400 items in 10 planted communities; one edge in ten is held out
CREATE TABLE edge AS SELECT u, 1000 + i AS i, unit(3, u, i) < 0.1 AS held FROM generate_series(1, 600) u, generate_series(1, 400) i
	WHERE unit(1, u, i) < CASE WHEN u % 10 = i % 10 THEN 0.3 ELSE 0.005 END;
CREATE TABLE model AS SELECT hashemb_train('{"method": "louvain", "resolution": 5}', u, i) AS m FROM edge WHERE NOT held;
SELECT (hashemb_info(m)).family, (hashemb_info(m)).method, (hashemb_info(m)).output, (hashemb_info(m)).dims, (hashemb_info(m)).rows = (SELECT count(*) FROM edge WHERE NOT held) AS rows FROM model;
CREATE TABLE bucket AS SELECT b.* FROM model, hashemb_buckets(m) b;
SELECT side, count(*), count(DISTINCT bucket) AS buckets, min(bucket) AS first FROM bucket GROUP BY side ORDER BY side;
SELECT nmi('bucket', 'bucket', 'id % 10') > 0.99 AS nmi;
-- the largest bucket comes first
SELECT bool_and(n <= before) AS sorted FROM (SELECT count(*) AS n, lag(count(*), 1, count(*)) OVER (ORDER BY bucket) AS before FROM bucket GROUP BY bucket) s;
-- modularity by its definition is 1 less the loss
WITH e AS (SELECT a.bucket AS a, b.bucket AS b FROM edge JOIN bucket a ON a.side = 1 AND a.id = u JOIN bucket b ON b.side = 2 AND b.id = i WHERE NOT held),
	t AS (SELECT count(*)::float8 AS t, sum((a = b)::int) AS inside FROM e),
	expected AS (SELECT sum(l * r) AS x FROM (SELECT a, count(*)::float8 AS l FROM e GROUP BY a) l JOIN (SELECT b AS a, count(*)::float8 AS r FROM e GROUP BY b) r USING (a))
	SELECT abs(1 - (hashemb_info(m)).loss - (inside / t - 5 * x / t / t)) < 1e-9 AS modularity FROM model, t, expected;

-- held-out edges: the 40 items with the most edges from the user's bucket, beside buckets that are ids modulo as many
CREATE TABLE part AS SELECT kind, u, i, held, bu, bi FROM edge, model, LATERAL (VALUES ('louvain', hashemb_bucket(m, 1, u), hashemb_bucket(m, 2, i)),
	('modulo', (hash_slots(u, 'user', 1, (hashemb_info(m)).dims))[1], (hash_slots(i, 'item', 1, (hashemb_info(m)).dims))[1])) b(kind, bu, bi);
CREATE TABLE ranked AS SELECT kind, bu, i, row_number() OVER (PARTITION BY kind, bu ORDER BY n / size::float8 DESC, hash_slots(i, 'tie', 1, 1000000)) AS place FROM
	(SELECT kind, bu, bi, count(*) AS n FROM part WHERE NOT held GROUP BY kind, bu, bi) pair JOIN (SELECT kind, bi, count(DISTINCT i) AS size FROM part GROUP BY kind, bi) size USING (kind, bi)
		JOIN (SELECT DISTINCT kind, i, bi FROM part) item USING (kind, bi);
CREATE FUNCTION recall(kind text) RETURNS float8 LANGUAGE sql AS $$
	SELECT avg((place <= 40)::int) FROM part p JOIN ranked r USING (kind, bu, i) WHERE p.kind = $1 AND held $$;
SELECT recall('louvain') > 0.8 AS louvain, recall('modulo') < 0.15 AS modulo, count(*) FILTER (WHERE held) = (SELECT count(*) FROM part p JOIN ranked r USING (kind, bu, i) WHERE held AND kind = 'louvain') AS all_ranked FROM edge;

-- the order of rows plays no part, nor which integers ids are; equal rows count twice
SELECT hashemb_train('{"method": "louvain", "resolution": 5}', u::bigint, i::smallint ORDER BY unit(5, u, i)) = m AS same FROM edge, model WHERE NOT held GROUP BY m;
SELECT hashemb_train('{"method": "louvain"}', u, i) FILTER (WHERE n = 1) <> hashemb_train('{"method": "louvain"}', u, i) AS weighed FROM edge, generate_series(1, 5) n WHERE NOT held AND (n = 1 OR u % 7 = i % 7);
-- a greater resolution makes more buckets
SELECT array_agg(dims ORDER BY r) FROM (SELECT r, (hashemb_info(hashemb_train(jsonb_build_object('method', 'louvain', 'resolution', r), u, i))).dims FROM edge, unnest('{0,1,5,1000}'::int[]) r GROUP BY r) s;
-- one edge; ids at the ends
SELECT b.* FROM (SELECT hashemb_train('{"method": "louvain"}', -9223372036854775808, 9223372036854775807) AS m) s, hashemb_buckets(m) b;
-- JSON, text and back
SELECT hashemb_import(hashemb_export(m)) = m AS json, m::text::hashemb_model = m AS text FROM model;

SELECT hashemb_bucket(m, 1, 5) IS NOT NULL AS known, hashemb_bucket(m, 1, 100000) AS unknown, hashemb_bucket(m, 1, NULL) AS null FROM model;
SELECT hashemb_bucket(m, 3, 5) FROM model;
SELECT hashemb_bucket(m, 0, 5) FROM model;
SELECT hashemb_bucket(m, 5) FROM model;
SELECT hashemb_encode(m, '{1,2}'::real[]) FROM model;
SELECT hashemb_encode(m, 'a b'::tsvector) FROM model;
SELECT hashemb_train('{"method": "louvain"}', u) FROM edge;
SELECT hashemb_train('{"method": "louvain"}', u::float8, i) FROM edge;
SELECT hashemb_train('{"method": "louvain"}', u, i::text) FROM edge;
SELECT hashemb_train('{"method": "louvain"}', NULL::int, i) FROM edge;
SELECT hashemb_train('{"method": "louvain"}', u, i) FROM edge WHERE false;
SELECT hashemb_train('{"method": "louvain", "resolution": -1}', u, i) FROM edge;
SELECT hashemb_train('{"method": "louvain", "bits": 8}', u, i) FROM edge;
-- memory: what is needed is said, and enough
SET maintenance_work_mem = '1MB';
SELECT hashemb_train('{"method": "louvain"}', x % 5000, x % 3001) FROM generate_series(1, 40000) x;
SET maintenance_work_mem = '3MB';
SELECT (hashemb_info(hashemb_train('{"method": "louvain"}', x % 5000, x % 3001))).dims > 1 AS trained FROM generate_series(1, 40000) x;
RESET maintenance_work_mem;

--
-- freq: rows of their own for frequent ids
--
CREATE TABLE visit AS SELECT (1000 * unit(7, n) ^ 3)::int AS id FROM generate_series(1, 20000) n;
CREATE TABLE freq AS SELECT hashemb_train('{"method": "freq", "own": 50, "shared": 20, "feature": "page"}', id) AS m FROM visit;
-- buckets in order of counts; all others as hash_slots has it
SELECT count(*) AS own, bool_and(bucket = place - 1) AS by_count FROM (SELECT id, row_number() OVER (ORDER BY count(*) DESC, id) AS place FROM visit GROUP BY id) v JOIN (SELECT b.* FROM freq, hashemb_buckets(m) b) b USING (id);
SELECT count(*) > 400 AS others, bool_and(hashemb_bucket(m, id) = 50 + (hash_slots(id, 'page', 1, 20))[1]) AS by_hash FROM freq, generate_series(-5, 1500) id WHERE id NOT IN (SELECT id FROM hashemb_buckets(m));
SELECT (hashemb_info(m)).dims, abs((hashemb_info(m)).loss - (SELECT avg((hashemb_bucket(m, id) >= 50)::int) FROM visit)) < 1e-12 AS loss, hashemb_import(hashemb_export(m)) = m AS json FROM freq;
-- more ids than there are; no shared ones
SELECT dims, hashemb_bucket(m, -1) FROM (SELECT (hashemb_info(hashemb_train('{"method": "freq", "own": 5000}', id))).dims = count(DISTINCT id) AS dims, hashemb_train('{"method": "freq", "own": 5000}', id) AS m FROM visit) s;
SELECT hashemb_bucket(hashemb_train('{"method": "freq", "own": 0, "shared": 3}', id), 7) BETWEEN 0 AND 2 AS shared FROM visit;
SELECT hashemb_train('{"method": "freq"}', id) FROM visit;
SELECT hashemb_train('{"method": "freq", "own": 0}', id) FROM visit;
SELECT hashemb_train('{"method": "freq", "own": 1, "share": 2}', id) FROM visit;
SELECT hashemb_train('{"method": "freq", "own": 1}', id::text) FROM visit;
SELECT hashemb_train('{"method": "freq", "own": 1}', id, id) FROM visit;
SELECT hashemb_train('{"method": "freq", "own": 1}', NULL::int) FROM visit;

--
-- dedup: near vectors share a row
--
-- 200 vectors with 1 to 10 copies each that are off by about a hundredth
CREATE TABLE vec AS SELECT g * 10 + c AS id, g, array_agg((unit(11, g, d) - 0.5 + (unit(12, g, c, d) - 0.5) * 0.01)::real ORDER BY d) AS x
	FROM generate_series(1, 200) g, generate_series(0, 9) c, generate_series(1, 32) d WHERE c <= g % 10 GROUP BY g, c;
CREATE TABLE dedup AS SELECT hashemb_train('{"method": "dedup", "threshold": 0.1}', x, id ORDER BY id) AS m FROM vec;
SELECT (hashemb_info(m)).dims, (hashemb_info(m)).loss BETWEEN 1e-6 AND 1e-3 AS loss, hashemb_import(hashemb_export(m)) = m AS json FROM dedup;
SELECT count(*) = 200 AS rows, bool_and(groups = 1) AS pure FROM (SELECT hashemb_bucket(m, id) AS b, count(DISTINCT g) AS groups FROM vec, dedup GROUP BY 1) s;
-- nothing is further away from the first of its bucket than asked for, at any threshold; 0 joins equal vectors only
SELECT t, count(DISTINCT b) AS buckets, bool_and(l2_distance(x, first) <= t * l2_norm(x) * 1.00001) AS within FROM (
	SELECT t, x, b, first_value(x) OVER (PARTITION BY t, b ORDER BY id) AS first FROM (
		SELECT t, id, x, hashemb_bucket(m, id) AS b FROM vec, (SELECT t, hashemb_train(jsonb_build_object('method', 'dedup', 'threshold', t), x, id ORDER BY id) AS m FROM vec, unnest('{0,0.01,0.5,1}'::float8[]) t GROUP BY t) s) s) s GROUP BY t ORDER BY t;
SELECT hashemb_bucket(hashemb_train('{"method": "dedup", "threshold": 0}', x, id ORDER BY id), 7) FROM (VALUES (1, '{1,2}'::real[]), (3, '{0,0}'), (5, '{1,2.0000002}'), (7, '{1,2}'), (9, '{0,0}')) v(id, x);
SELECT hashemb_train('{"method": "dedup"}', x) FROM vec;
SELECT hashemb_train('{"method": "dedup"}', x, g) FROM vec;
SELECT hashemb_train('{"method": "dedup"}', x, x) FROM vec;
SELECT hashemb_train('{"method": "dedup"}', id, id) FROM vec;
SELECT hashemb_train('{"method": "dedup", "threshold": 2}', x, id) FROM vec;
SELECT hashemb_train('{"method": "dedup"}', x, id) FROM (VALUES (1, '{1,2}'::real[]), (3, '{1}')) v(id, x);
SELECT hashemb_train('{"method": "dedup"}', x, id) FROM (VALUES (1, '{1,NaN}'::real[])) v(id, x);
SELECT hashemb_train('{"method": "dedup"}', '{}'::real[], 1);

DROP TABLE edge, model, bucket, part, ranked, visit, freq, vec, dedup;
DROP FUNCTION unit, nmi, recall;
