-- product quantization: codes of four bits a part, queries as tables of sixteen numbers
\set seed 0.55
\echo seed :seed
SELECT setseed(:seed);
CREATE FUNCTION pq_normals(n int, size float8) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(size * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) FROM generate_series(1, n) $$;
CREATE FUNCTION pq_sum(a float8[], b float8[]) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(x + y ORDER BY i) FROM unnest(a, b) WITH ORDINALITY AS u(x, y, i) $$;
CREATE TABLE pq_center AS SELECT c, pq_sum(array_fill(0.5::float8, ARRAY[48]), pq_normals(48, 1)) AS v FROM generate_series(0, 39) AS c;
-- the first dimensions vary most
CREATE TABLE pq_rows AS SELECT i AS id, (SELECT array_agg(a * 0.95 ^ k ORDER BY k) FROM unnest(pq_sum(v, pq_normals(48, 0.7))) WITH ORDINALITY AS u(a, k))::real[] AS x
	FROM generate_series(1, 4000) AS i JOIN pq_center ON c = i % 40;
ALTER TABLE pq_rows ADD PRIMARY KEY (id);
CREATE TABLE pq_model AS SELECT name, hashemb_train(spec, x ORDER BY id) AS m FROM pq_rows, (VALUES ('pq', '{"method":"pq","dims":24}'::jsonb), ('plain', '{"method":"pq","dims":24,"rotate":false}'),
	('pca', '{"method":"pca","dims":24,"bits":4}'), ('long', '{"method":"pq","dims":24,"normalize":true,"center":false}')) AS s(name, spec) GROUP BY name;
SELECT name, family, method, output, inputs, dims, bits, views, loss < 0.3 AS learnt FROM pq_model, hashemb_info(m) WHERE name <> 'pca' ORDER BY name;
CREATE TABLE pq_codes AS SELECT name, id, hashemb_encode(m, x) AS code FROM pq_rows, pq_model;
-- a table's sum is the inner product with what the code decodes to; turning the parts leaves less out than not
SELECT name, max(abs((code <#> hashemb_query(m, q.x)) + inner_product(hashemb_decode(m, code), q.x)) / (1 + abs(inner_product(q.x, q.x)))) < CASE name WHEN 'pq' THEN 0.02 ELSE 1e-4 END AS sums,
	avg(l2_distance(hashemb_decode(m, code), r.x) ^ 2 / 48) < CASE name WHEN 'pq' THEN 0.17 ELSE 0.3 END AS near
FROM pq_codes JOIN pq_rows r USING (id) JOIN pq_model USING (name), (SELECT x FROM pq_rows WHERE id % 1000 = 1) AS q WHERE name IN ('pq', 'plain') AND r.id % 5 = 0 GROUP BY name ORDER BY name;
-- recall of the ten nearest by inner product, beside pca's codes of the same size with a float query
CREATE FUNCTION pq_recall(ask text, model text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	recall float8;
BEGIN
	EXECUTE format($q$WITH asked AS MATERIALIZED (SELECT x, %s AS t FROM pq_rows q, pq_model WHERE q.id %% 100 = 7 AND name = %L)
		SELECT avg((SELECT count(*) FROM (SELECT id FROM pq_codes WHERE name = %2$L ORDER BY code <#> t LIMIT 10) AS a
		JOIN (SELECT id FROM pq_rows r ORDER BY r.x <#> asked.x LIMIT 10) AS b USING (id))::float8 / 10) FROM asked$q$, ask, model) INTO recall;
	RETURN recall;
END $$;
SELECT turned - plain > 0.1 AS turning_helps, turned > pca - 0.08 AS near_pca
FROM pq_recall('hashemb_query(m, x)', 'pq') AS turned, pq_recall('hashemb_query(m, x)', 'plain') AS plain, pq_recall($$hashemb_project(m, x, 'query')$$, 'pca') AS pca;
-- scaled and not centred: tables give the cosine
SELECT max(abs((code <#> hashemb_query(m, q.x)) + cosine_similarity)) < 0.3 AS cosine FROM pq_codes JOIN pq_rows r USING (id) JOIN pq_model USING (name), (SELECT x FROM pq_rows WHERE id = 1) AS q,
	LATERAL (SELECT 1 - cosine_distance(r.x, q.x) AS cosine_similarity) AS c WHERE name = 'long' AND id % 10 = 0;
-- the same rows give the same model; its forms give it back; all types and levels of instructions give one code
SELECT hashemb_train('{"method":"pq","dims":24}', x ORDER BY id) = (SELECT m FROM pq_model WHERE name = 'pq') AS again FROM pq_rows;
SELECT name, hashemb_import(hashemb_export(m)) = m AS json, m::text::hashemb_model = m AS text FROM pq_model ORDER BY name;
SELECT hashemb_encode(m, x::float8[]) = hashemb_encode(m, x) AND hashemb_encode(m, x::svec) = hashemb_encode(m, x) AND hashemb_encode(m, x::text) = hashemb_encode(m, x) AS codes,
	hashemb_query(m, x::float8[]) = hashemb_query(m, x) AND hashemb_query(m, x::svec) = hashemb_query(m, x) AND hashemb_query(m, x::text) = hashemb_query(m, x)
		AND hashemb_query(m, x::numeric[]) = hashemb_query(m, x::numeric[]::real[]) AND hashemb_query(m, x::int[]) = hashemb_query(m, x::int[]::real[]) AS queries FROM pq_model, pq_rows WHERE name = 'pq' AND id = 3;
SET hashemb.simd = scalar;
SELECT count(*) FROM pq_codes JOIN pq_rows USING (id) JOIN pq_model USING (name) WHERE name = 'pq' AND code <> hashemb_encode(m, x);
RESET hashemb.simd;
-- in an index: exact, as any query by tables, with a condition too
CREATE TABLE pq_indexed AS SELECT id, id % 7 AS a, code::bincode(24, 4) AS code FROM pq_codes WHERE name = 'pq';
CREATE INDEX pq_index ON pq_indexed USING hashemb (code bincode_ip_ops, a);
ANALYZE pq_indexed;
CREATE TABLE pq_asked AS SELECT id AS q, hashemb_query(m, x) AS t FROM pq_rows, pq_model WHERE id % 400 = 5 AND name = 'pq';
SET enable_seqscan = off;
SELECT count(*) AS rows, count(*) FILTER (WHERE got IS DISTINCT FROM wanted) AS different FROM pq_asked, unnest('{0,1,2}'::int[]) AS low, LATERAL (
	SELECT array_agg(d ORDER BY d) AS got FROM (SELECT code <#> t AS d FROM pq_indexed WHERE a >= low ORDER BY code <#> t LIMIT 10) AS s) AS a, LATERAL (
	SELECT array_agg(d ORDER BY d) AS wanted FROM (SELECT d FROM (SELECT code <#> t AS d, pq_indexed.a FROM pq_indexed OFFSET 0) AS s WHERE a >= low ORDER BY d LIMIT 10) AS s) AS b;
RESET enable_seqscan;

-- Queries of another domain: half of the dimensions say nothing there. What words count for them is learnt from pairs,
-- or from a teacher's margins, with the codes as they are; pairs held out ask
CREATE TABLE pq_domain AS SELECT id, id % 3 = 0 AS held, pq_sum(x::float8[], array_fill(0::float8, ARRAY[24]) || pq_normals(24, 1.2))::real[] AS q FROM pq_rows WHERE id % 4 = 1;
CREATE TABLE pq_refined AS
SELECT 'pairs' AS name, hashemb_train('{"method":"pq"}', q, code, m ORDER BY id) AS m FROM pq_domain JOIN pq_codes USING (id) JOIN pq_model USING (name) WHERE name = 'pq' AND NOT held
UNION ALL SELECT 'vectors', hashemb_train(jsonb_build_object('method', 'pq', 'base', m), q, x ORDER BY id) FROM pq_domain JOIN pq_rows USING (id), (SELECT m::text FROM pq_model WHERE name = 'pq') AS s WHERE NOT held
UNION ALL SELECT 'margins', hashemb_train('{"method":"pq","loss":"margin_mse"}', q || r.x || o.x, inner_product(r.x, r.x) - inner_product(r.x, o.x), m ORDER BY d.id, k)
	FROM pq_domain d JOIN pq_rows r USING (id), generate_series(1, 6) AS k JOIN pq_rows o ON true, pq_model WHERE o.id = (d.id + 40 * k * k - 1) % 4000 + 1 AND name = 'pq' AND NOT held;
INSERT INTO pq_refined SELECT 'before', m FROM pq_model WHERE name = 'pq';
SELECT r.name, hashemb_same_space(r.m, b.m) AS same_space, r.m = b.m AS same_model, (SELECT count(*) FROM pq_rows WHERE id < 50 AND hashemb_encode(r.m, x) <> hashemb_encode(b.m, x)) AS other_codes,
	hashemb_import(hashemb_export(r.m)) = r.m AS json FROM pq_refined r, pq_refined b WHERE b.name = 'before' ORDER BY r.name;
SELECT (SELECT m FROM pq_refined WHERE name = 'pairs') = (SELECT m FROM pq_refined WHERE name = 'vectors') AS vectors_are_their_codes;
-- of pairs: place of the answer; of margins: the share of the teacher's ten nearest that is found
CREATE TABLE pq_ask AS SELECT name, id, x, hashemb_query(m, q) AS t FROM pq_domain JOIN pq_rows USING (id), pq_refined WHERE held AND name <> 'vectors' AND id % 8 = 5;
SET enable_seqscan = off;
CREATE TABLE pq_score AS SELECT name, 'pairs' AS by, id, coalesce(1.0 / array_position(ARRAY(SELECT c.id FROM pq_indexed c ORDER BY c.code <#> t LIMIT 100), q.id), 0) AS score FROM pq_ask q;
INSERT INTO pq_score SELECT name, 'margins', id, (SELECT count(*) FROM (SELECT c.id FROM pq_indexed c ORDER BY c.code <#> t LIMIT 10) AS a
	JOIN (SELECT r.id FROM pq_rows r ORDER BY r.x <#> q.x LIMIT 10) AS b USING (id)) / 10.0 FROM pq_ask q;
RESET enable_seqscan;
SELECT a.name, avg(a.score) > 1.96 * stddev(a.score - b.score) / sqrt(count(*)) + avg(b.score) AS surely_better
FROM pq_score a JOIN pq_score b USING (by, id) WHERE a.name = a.by AND b.name = 'before' GROUP BY a.name ORDER BY a.name;
-- a refined model is a base, too
SELECT hashemb_info(hashemb_train('{"method":"pq","iterations":2}', q, code, r.m)) IS NOT NULL AS again FROM pq_domain JOIN pq_codes c USING (id), pq_refined r WHERE c.name = 'pq' AND r.name = 'pairs' AND id < 500;
-- what is refused
SELECT hashemb_train('{"method":"pq","dims":49}', x) FROM pq_rows;
SELECT hashemb_train('{"method":"pq","dims":24,"bits":4}', x) FROM pq_rows;
SELECT hashemb_train('{"method":"pq","dims":24}', x) FROM pq_rows WHERE id < 10;
SELECT hashemb_train('{"method":"pq","dims":24}', x, x) FROM pq_rows;
SELECT hashemb_train('{"method":"pq"}', q, NULL::bincode, m) IS NULL AS no_rows FROM pq_domain, pq_model WHERE name = 'pq';
SELECT hashemb_train('{"method":"pq"}', q[:47], code, m) FROM pq_domain JOIN pq_codes USING (id) JOIN pq_model USING (name) WHERE name = 'pq';
SELECT hashemb_train('{"method":"pq"}', q, subcode(code, 1, 23), m) FROM pq_domain JOIN pq_codes USING (id) JOIN pq_model USING (name) WHERE name = 'pq';
SELECT hashemb_train('{"method":"pq"}', q, 1.5, m) FROM pq_domain JOIN pq_codes USING (id) JOIN pq_model USING (name) WHERE name = 'pq';
SELECT hashemb_train('{"method":"pq","loss":"margin_mse"}', q, code, m) FROM pq_domain JOIN pq_codes USING (id) JOIN pq_model USING (name) WHERE name = 'pq';
SELECT hashemb_train('{"method":"pq","loss":"margin_mse"}', q, 1.5, m) FROM pq_domain JOIN pq_codes USING (id) JOIN pq_model USING (name) WHERE name = 'pq';
SELECT hashemb_train('{"method":"pq"}', q, code, m) FROM pq_domain JOIN pq_codes USING (id) JOIN pq_model USING (name) WHERE name = 'pca';
SELECT hashemb_train('{"method":"pq"}', x, x, m) FROM pq_rows, (SELECT hashemb_train('{"method":"rq","codes":4}', x) AS m FROM pq_rows) AS s;
SELECT hashemb_project(m, x) FROM pq_model, pq_rows WHERE name = 'pq' LIMIT 1;
SELECT hashemb_query(m, x) FROM pq_model, pq_rows WHERE name = 'pca' LIMIT 1;
SELECT semantic_id(m, x) FROM pq_model, pq_rows WHERE name = 'pq' LIMIT 1;
SELECT hashemb_query(m, '{1,2}'::real[]) FROM pq_model WHERE name = 'pq';
SELECT hashemb_decode(m, '123/4'::bincode) FROM pq_model WHERE name = 'pq';
SELECT hashemb_encode(m, x, 2) FROM pq_model, pq_rows WHERE name = 'pq' LIMIT 1;
SELECT hashemb_import(jsonb_set(hashemb_export(m), '{books,codes}', '8')) FROM pq_model WHERE name = 'pq';
SELECT hashemb_import(jsonb_set(hashemb_export(m), '{books,form}', '"residual"')) FROM pq_model WHERE name = 'pq';
SELECT hashemb_import(hashemb_export(m) - 'books') FROM pq_model WHERE name = 'pq';
SET maintenance_work_mem = '1MB';
SELECT hashemb_train('{"method":"pq","dims":24}', x || array_fill(0.5::real, ARRAY[400])) FROM pq_rows;
RESET maintenance_work_mem;
