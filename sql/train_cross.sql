-- one code space for two kinds of vectors, of which few come in pairs: eight classes seen through two random maps and noise
\set seed 0.25
\echo seed :seed
SELECT setseed(:seed);
CREATE FUNCTION cross_normals(n int) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) FROM generate_series(1, n) $$;
CREATE TABLE cross_classes AS SELECT i AS label, cross_normals(16) AS v FROM generate_series(0, 7) AS i;
CREATE TABLE cross_maps AS SELECT i, cross_normals(16) AS v FROM generate_series(1, 160) AS i;
CREATE TABLE cross_rows AS
WITH hidden AS MATERIALIZED (
	SELECT i AS id, label, (SELECT array_agg(1.6 * a + b ORDER BY k) FROM unnest(v, noise) WITH ORDINALITY AS u(a, b, k)) AS z
	FROM (SELECT i, cross_normals(16) AS noise FROM generate_series(1, 3000) AS i) AS s JOIN cross_classes ON label = i % 8
), seen AS MATERIALIZED (
	SELECT id, label, (SELECT array_agg(inner_product(v, z) ORDER BY i) FROM cross_maps) AS v, cross_normals(160) AS noise FROM hidden
)
SELECT id, label, (SELECT array_agg(a + 8 * b ORDER BY k) FROM unnest(v[:96], noise[:96]) WITH ORDINALITY AS u(a, b, k))::real[] AS x,
	(SELECT array_agg(a + 8 * b ORDER BY k) FROM unnest(v[97:], noise[97:]) WITH ORDINALITY AS u(a, b, k))::real[] AS y
FROM seen;
-- mean average precision of 100 queries, from one side to the other and back
CREATE FUNCTION cross_map(m hashemb_model, OUT there float8, OUT back float8) LANGUAGE sql AS $$
	WITH codes AS MATERIALIZED (SELECT id, label, hashemb_encode(m, x) AS a, hashemb_encode(m, y, 2) AS b FROM cross_rows)
	SELECT avg(t), avg(b) FROM (
		SELECT average_precision(d.label = q.label, q.a <~> d.b) AS t, average_precision(d.label = q.label, q.b <~> d.a) AS b
		FROM codes q, codes d WHERE q.id % 30 = 0 GROUP BY q.id) AS s $$;
-- so many pairs alone, and with the rows of which one side is known: both sides see all classes. Pairs
-- alone are given the lambda that is best for them, which none could know; and the one that hardly holds few pairs back
CREATE TABLE cross_models AS
SELECT pairs, hashemb_train('{"method":"cross","bits":32}', CASE WHEN id <= pairs OR id / 8 % 2 = 0 THEN x END, CASE WHEN id <= pairs OR id / 8 % 2 = 1 THEN y END ORDER BY id) AS helped
FROM unnest(ARRAY[100, 300, 1500]) AS pairs, cross_rows GROUP BY pairs;
CREATE TABLE cross_alone AS
SELECT pairs, lambda, (SELECT (there + back) / 2 FROM cross_map(model)) AS map FROM (
	SELECT pairs, lambda, hashemb_train(('{"method":"cross","bits":32' || coalesce(',"lambda":' || lambda, '') || '}')::jsonb, x, y ORDER BY id) AS model
	FROM unnest(ARRAY[100, 300, 1500]) AS pairs, unnest(ARRAY[NULL, 0.01, 0.1, 0.3, 1, 2, 5]) AS lambda, cross_rows WHERE id <= pairs GROUP BY pairs, lambda) AS s;
SELECT pairs, (there + back) / 2 > CASE pairs WHEN 1500 THEN 0.8 ELSE 0.6 END AS learnt, abs(there - back) < 0.1 AS even,
	(there + back) / 2 - easy > CASE pairs WHEN 100 THEN 0.25 WHEN 300 THEN 0.08 ELSE -0.01 END AS helped,
	(there + back) / 2 - best > CASE pairs WHEN 100 THEN 0.04 ELSE -0.01 END AS helped_beside_best, dflt > best - 0.02 AS default_is_near_best
FROM cross_models, cross_map(helped), LATERAL (
	SELECT max(map) AS best, max(map) FILTER (WHERE lambda = 0.01) AS easy, max(map) FILTER (WHERE lambda IS NULL) AS dflt
	FROM cross_alone WHERE cross_alone.pairs = cross_models.pairs) AS a ORDER BY pairs;
SELECT family, inputs, dims, views FROM cross_models, hashemb_info(helped) WHERE pairs = 100;
SELECT hashemb_encode(helped, y) FROM cross_models, cross_rows LIMIT 1;
SELECT hashemb_encode(helped, y, 3) FROM cross_models, cross_rows LIMIT 1;
-- codes stay while one side's vectors change: a new map onto the codes that the other side has stored
CREATE TABLE cross_new AS
SELECT id, label, (SELECT array_agg(x[97 - i] - x[i * 7 % 96 + 1] + 2 * n ORDER BY i) FROM unnest(cross_normals(96)) WITH ORDINALITY AS u(n, i))::real[] AS x,
	hashemb_encode(helped, y, 2) AS code FROM cross_rows, cross_models WHERE pairs = 1500;
CREATE TABLE cross_next AS
SELECT hashemb_train(jsonb_build_object('method', 'fit', 'base', helped), n.x, code ORDER BY id) FILTER (WHERE id <= 1500) AS m
FROM cross_new n, (SELECT helped::text FROM cross_models WHERE pairs = 1500) AS c;
SELECT hashemb_same_space(m, helped), new > old - 0.1 AS finds_old_codes FROM cross_models, cross_next, LATERAL (
	SELECT avg(a) AS new, avg(b) AS old FROM (
		SELECT average_precision(d.label = q.label, hashemb_encode(m, q.x) <~> d.code) AS a, average_precision(d.label = q.label, hashemb_encode(helped, r.x) <~> d.code) AS b
		FROM cross_new q JOIN cross_rows r USING (id), cross_new d WHERE q.id % 30 = 0 GROUP BY q.id) AS s) AS t WHERE pairs = 1500;
SELECT hashemb_train(jsonb_build_object('method', 'cross', 'base', helped::text), x, y) FROM cross_rows, cross_models WHERE pairs = 100 GROUP BY helped::text;
-- rows without either side are none; what is refused
SELECT hashemb_train('{"method":"cross"}', NULL::real[], NULL::real[]) IS NULL AS nothing FROM cross_rows;
SELECT hashemb_train('{"method":"cross"}', x) FROM cross_rows;
SELECT hashemb_train('{"method":"cross"}', x, NULL::real[]) FROM cross_rows;
SELECT hashemb_train('{"method":"cross"}', x, y) FROM cross_rows WHERE id < 5;
SELECT hashemb_train('{"method":"cross","dims":16,"bits":2}', x, y) FROM cross_rows;
SELECT hashemb_train('{"method":"cross"}', x, label) FROM cross_rows;
DROP TABLE cross_classes, cross_maps, cross_rows, cross_models, cross_alone, cross_new, cross_next;
DROP FUNCTION cross_normals, cross_map;
