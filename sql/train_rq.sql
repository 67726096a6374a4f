-- ids in levels, coarse to fine: eight classes of six classes each, seen with noise
\set seed 0.31
\echo seed :seed
SELECT setseed(:seed);
CREATE FUNCTION rq_normals(n int, size float8) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(size * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) FROM generate_series(1, n) $$;
CREATE FUNCTION rq_sum(a float8[], b float8[]) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(x + y ORDER BY i) FROM unnest(a, b) WITH ORDINALITY AS u(x, y, i) $$;
CREATE TABLE rq_coarse AS SELECT coarse, rq_normals(32, 1.5) AS v FROM generate_series(0, 7) AS coarse;
CREATE TABLE rq_fine AS SELECT coarse, fine, rq_sum(v, rq_normals(32, 0.9)) AS v FROM rq_coarse, generate_series(0, 5) AS fine;
CREATE TABLE rq_rows AS SELECT i AS id, coarse, coarse * 6 + fine AS class, rq_sum(v, rq_normals(32, 0.3))::real[] AS x
	FROM generate_series(0, 3999) AS i JOIN rq_fine ON coarse = i % 8 AND fine = i / 8 % 6;
-- by rows with an even number; those with an odd one are cold: nothing was learnt of them
CREATE TABLE rq_model AS SELECT levels, hashemb_train(jsonb_build_object('method', 'rq', 'levels', levels, 'codes', 8), x ORDER BY id) AS m
	FROM rq_rows, generate_series(1, 3) AS levels WHERE id / 48 % 2 = 0 GROUP BY levels;
SELECT family, method, output, inputs, dims, bits, views, rows FROM rq_model, hashemb_info(m) WHERE levels = 3;
CREATE TABLE rq_ids AS SELECT id, coarse, class, id / 48 % 2 = 1 AS cold, semantic_id(m, x) AS sid FROM rq_rows, rq_model WHERE levels = 3;
-- what is left falls from level to level
SELECT levels, loss < CASE levels WHEN 1 THEN 0.4 ELSE 0.85 END * lag(loss, 1, 1.0::float8) OVER w AS falls FROM rq_model, hashemb_info(m) WINDOW w AS (ORDER BY levels) ORDER BY levels;
-- levels of one seed are those of a model with fewer
SELECT count(*) FROM rq_ids JOIN rq_rows USING (id), rq_model WHERE levels = 2 AND sid_prefix(sid, 2) <> semantic_id(m, x);
-- normalized mutual information of two columns: what each says of the other
CREATE FUNCTION rq_nmi(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	nmi float8;
BEGIN
	EXECUTE format($q$
		WITH pairs AS (SELECT a, b, count(*)::float8 / sum(count(*)) OVER () AS p FROM (%s) AS s(a, b) GROUP BY a, b),
			one AS (SELECT a, sum(p) AS p FROM pairs GROUP BY a), other AS (SELECT b, sum(p) AS p FROM pairs GROUP BY b)
		SELECT 2 * (SELECT sum(pairs.p * ln(pairs.p / (one.p * other.p))) FROM pairs JOIN one USING (a) JOIN other USING (b))
			/ -((SELECT sum(p * ln(p)) FROM one) + (SELECT sum(p * ln(p)) FROM other))$q$, query) INTO nmi;
	RETURN nmi;
END $$;
SELECT rq_nmi('SELECT sid_prefix(sid, 1), coarse FROM rq_ids') > 0.86 AS coarse, rq_nmi('SELECT sid_prefix(sid, 2), class FROM rq_ids') > 0.89 AS fine,
	rq_nmi('SELECT abs(hashint4(id)) % 8, coarse FROM rq_ids') < 0.05 AS random;
-- rows with a prefix that a cold row has: their class is its own, where random ids have one in eight
CREATE FUNCTION rq_shared(slot text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	share float8;
BEGIN
	EXECUTE format('WITH rows AS MATERIALIZED (SELECT coarse, cold, %s AS slot FROM rq_ids)
		SELECT avg((a.coarse = b.coarse)::int) FROM rows a JOIN rows b USING (slot) WHERE a.cold AND NOT b.cold', slot) INTO share;
	RETURN share;
END $$;
SELECT rq_shared('sid_prefix(sid, 1)') > 0.9 AS one, rq_shared('sid_prefix(sid, 2)') > 0.9 AS two, rq_shared('ARRAY[abs(hashint4(id)) % 8]') < 0.2 AS random;
-- back to vectors: more levels are nearer, no level is the mean
SELECT n, round(avg(l2_distance(x, sid_decode(m, sid_prefix(sid, n))) ^ 2 / 32)::numeric, 3) < lag(round(avg(l2_distance(x, sid_decode(m, sid_prefix(sid, n))) ^ 2 / 32)::numeric, 3), 1, 100) OVER (ORDER BY n) AS nearer
FROM rq_ids JOIN rq_rows USING (id), rq_model, generate_series(0, 3) AS n WHERE levels = 3 AND NOT cold GROUP BY n ORDER BY n;
-- the same rows give the same model; its forms give it back
SELECT hashemb_train('{"method":"rq","levels":3,"codes":8}', x ORDER BY id) FILTER (WHERE id / 48 % 2 = 0) = (SELECT m FROM rq_model WHERE levels = 3) AS again FROM rq_rows;
SELECT hashemb_import(hashemb_export(m)) = m AS json, m::text::hashemb_model = m AS text FROM rq_model ORDER BY levels;
-- all types of vectors
SELECT semantic_id(m, x) = semantic_id(m, x::float8[]) AND semantic_id(m, x) = semantic_id(m, x::svec) AND semantic_id(m, x) = semantic_id(m, x::text) AND semantic_id(m, x) = semantic_id(m, x::numeric[]) AS same,
	semantic_id(m, x::int[]) = semantic_id(m, x::int[]::real[]) AS ints FROM rq_model, rq_rows WHERE levels = 3 AND id = 5;
-- every level of the processor's instructions gives the same
SELECT set_config('hashemb.simd', 'scalar', false);
SELECT count(*) FROM rq_ids JOIN rq_rows USING (id), rq_model WHERE levels = 3 AND sid <> semantic_id(m, x);
RESET hashemb.simd;
-- indexes
CREATE FUNCTION rq_sid(x real[]) RETURNS int[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN NULL::int[];
DO $$ BEGIN
	EXECUTE format('CREATE OR REPLACE FUNCTION rq_sid(x real[]) RETURNS int[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN semantic_id(%L::hashemb_model, x)', (SELECT m FROM rq_model WHERE levels = 3));
END $$;
CREATE INDEX rq_prefix ON rq_rows (sid_prefix(rq_sid(x), 2));
CREATE INDEX rq_grams ON rq_rows USING gin (sid_ngrams(rq_sid(x), 2, 1000));
ANALYZE rq_rows;
SET enable_seqscan = off;
CREATE FUNCTION rq_plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		RETURN QUERY SELECT m[1] FROM regexp_matches(line, '(using \w+|on rq_grams)') AS m;
	END LOOP;
END $$;
SELECT rq_plan($$SELECT count(*) FROM rq_rows WHERE sid_prefix(rq_sid(x), 2) = '{1,2}'$$);
SELECT count(*) = (SELECT count(*) FROM rq_ids WHERE sid[:2] = (SELECT sid[:2] FROM rq_ids WHERE id = 7)) AS prefix FROM rq_rows WHERE sid_prefix(rq_sid(x), 2) = (SELECT sid[:2] FROM rq_ids WHERE id = 7);
SELECT rq_plan($$SELECT count(*) FROM rq_rows WHERE sid_ngrams(rq_sid(x), 2, 1000) && '{17}'$$);
SELECT count(*) = (SELECT count(*) FROM rq_ids WHERE sid_ngrams(sid, 2, 1000) && (SELECT sid_ngrams(sid, 2, 1000) FROM rq_ids WHERE id = 7)) AS grams
FROM rq_rows WHERE sid_ngrams(rq_sid(x), 2, 1000) && (SELECT sid_ngrams(sid, 2, 1000) FROM rq_ids WHERE id = 7);
RESET enable_seqscan;
-- prefixes and n-grams: fixed values, the same on every machine
SELECT sid_prefix('{5,6,7}', 2), sid_prefix('{5,6,7}', 0), sid_prefix('{5,6,7}', 9), sid_prefix('{}', 1);
SELECT sid_ngrams('{5,6,7}', 1, 1000000), sid_ngrams('{5,6,7}', 2, 1000000), sid_ngrams('{5,6,7}', 3, 1000000), sid_ngrams('{5,6,7}', 4, 10), sid_ngrams('{6,5,-7}', 1, 9000000000000000000);
SELECT sid_prefix('{5,6,7}', -1);
SELECT sid_prefix('{5,NULL}', 1);
SELECT sid_prefix('{{5,6}}', 1);
SELECT sid_ngrams('{5,6,7}', 0, 10);
SELECT sid_ngrams('{5,6,7}', 2, 0);
-- models of other methods
SELECT hashemb_encode(m, x) FROM rq_model, rq_rows LIMIT 1;
SELECT hashemb_project(m, x) FROM rq_model, rq_rows LIMIT 1;
SELECT hashemb_decode(m, '101'::bincode) FROM rq_model LIMIT 1;
SELECT semantic_id(hashemb_train('{"method":"pca","bits":4}', x), '{1}'::real[]) FROM rq_rows;
SELECT sid_decode(hashemb_train('{"method":"shift"}', x, x), '{1}') FROM rq_rows;
SELECT hashemb_train('{"method":"pairs","bits":4}', x, x, (SELECT m FROM rq_model LIMIT 1)) FROM rq_rows;
-- what is refused
SELECT hashemb_train('{"method":"rq","codes":8}', x) FROM rq_rows WHERE id < 5;
SELECT hashemb_train('{"method":"rq","codes":1}', x) FROM rq_rows;
SELECT hashemb_train('{"method":"rq","levels":65}', x) FROM rq_rows;
SELECT hashemb_train('{"method":"rq","levels":64,"codes":1000}', x) FROM (SELECT (x || array_fill(0, ARRAY[1000]))::real[] AS x FROM rq_rows) AS s;
SELECT hashemb_train('{"method":"rq","bits":8}', x) FROM rq_rows;
SELECT hashemb_train('{"method":"rq"}', x, x) FROM rq_rows;
SELECT sid_decode(m, '{1,8}') FROM rq_model WHERE levels = 3;
SELECT sid_decode(m, '{-1}') FROM rq_model WHERE levels = 3;
SELECT sid_decode(m, '{1,2,3,4}') FROM rq_model WHERE levels = 3;
SELECT semantic_id(m, '{1,2}'::real[]) FROM rq_model WHERE levels = 3;
SELECT semantic_id(m, '{1,NaN}'::real[]) FROM rq_model WHERE levels = 3;
-- rows that are alike: words that stand for no row harm none
SELECT semantic_id(hashemb_train('{"method":"rq","codes":4,"levels":2}', ARRAY[i % 2, 1]::real[]), '{0,1}'::real[]) FROM generate_series(1, 100) AS i;
