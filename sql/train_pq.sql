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
CREATE TABLE pq_codes AS SELECT name, id, m, hashemb_encode(m, x) AS code FROM pq_rows, pq_model;
-- a table's sum is the inner product with what the code decodes to; turning the parts leaves less out than not
SELECT name, max(abs((code <#> hashemb_query(m, q.x)) + inner_product(hashemb_decode(m, code), q.x)) / (1 + abs(inner_product(q.x, q.x)))) < 1e-3 AS sums,
	avg(l2_distance(hashemb_decode(m, code), r.x) ^ 2 / 48) < CASE name WHEN 'pq' THEN 0.17 ELSE 0.3 END AS near
FROM pq_codes JOIN pq_rows r USING (id), (SELECT x FROM pq_rows WHERE id % 1000 = 1) AS q WHERE name IN ('pq', 'plain') GROUP BY name ORDER BY name;
-- recall of the ten nearest by inner product, beside pca's codes of the same size with a float query
CREATE FUNCTION pq_recall(ask text, model text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	recall float8;
BEGIN
	EXECUTE format($q$SELECT avg((SELECT count(*) FROM (SELECT id FROM pq_codes WHERE name = %L ORDER BY code <#> %s LIMIT 10) AS a
		JOIN (SELECT id FROM pq_rows r ORDER BY r.x <#> q.x LIMIT 10) AS b USING (id))::float8 / 10)
		FROM pq_rows q, pq_model WHERE q.id %% 100 = 7 AND name = %1$L$q$, model, ask) INTO recall;
	RETURN recall;
END $$;
SELECT pq_recall('hashemb_query(m, q.x)', 'pq'), pq_recall('hashemb_query(m, q.x)', 'plain'), pq_recall($$hashemb_project(m, q.x, 'query')$$, 'pca');
