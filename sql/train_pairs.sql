-- codes from pairs that match: records of 10 dimensions that say who it is and 30 of noise
\set seed 0.25
\echo seed :seed
SELECT setseed(:seed);
CREATE FUNCTION pairs_noise(n int, size float8) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(size * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) FROM generate_series(1, n) $$;
CREATE FUNCTION pairs_add(a float8[], b float8[]) RETURNS float8[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(x + y ORDER BY i) FROM unnest(a, b) WITH ORDINALITY AS u(x, y, i) $$;
CREATE TABLE pairs_records AS
WITH who AS MATERIALIZED (SELECT i AS id, pairs_noise(10, 1) AS z FROM generate_series(1, 800) AS i)
SELECT id, z, (pairs_add(z, pairs_noise(10, 0.1)) || pairs_noise(30, 2))::real[] AS a, (pairs_add(z, pairs_noise(10, 0.1)) || pairs_noise(30, 2))::real[] AS b
FROM who;
-- share of the first 400 rows whose match is among the nearest k of the others' 400
CREATE FUNCTION pairs_recall(m hashemb_model, k int) RETURNS float8 LANGUAGE sql AS $$
	WITH codes AS MATERIALIZED (SELECT id, hashemb_encode(m, a) AS a, hashemb_encode(m, b) AS b FROM pairs_records WHERE id > 400)
	SELECT recall_at(ARRAY(SELECT d.id FROM codes d ORDER BY q.a <~> d.b, d.id LIMIT k), ARRAY[q.id]) FROM codes q $$;
CREATE TABLE pairs_models AS
SELECT (SELECT hashemb_train('{"method":"pairs","bits":64}', a, b) FROM pairs_records WHERE id <= 400) AS margin,
	(SELECT hashemb_train('{"method":"pairs","bits":64,"loss":"ranking"}', a, b) FROM pairs_records WHERE id <= 400) AS ranking,
	(SELECT hashemb_train('{"method":"random","bits":64}', a) FROM pairs_records WHERE id <= 400) AS random;
SELECT pairs_recall(margin, 1) > 0.8 AS k1, pairs_recall(margin, 5) > 0.93 AS k5, pairs_recall(margin, 20) > 0.97 AS k20,
	pairs_recall(random, 20) < 0.3 AS random FROM pairs_models;
-- the same rows in the same order make the same model, another seed another
SELECT margin = (SELECT hashemb_train('{"method":"pairs","bits":64}', a, b) FROM pairs_records WHERE id <= 400) AS same,
	margin = (SELECT hashemb_train('{"method":"pairs","bits":64,"seed":2}', a, b) FROM pairs_records WHERE id <= 400) AS other_seed
FROM pairs_models;
-- bands of bits as keys of a join: nearly all matches, few candidates
WITH codes AS MATERIALIZED (
	SELECT id, hashemb_encode(margin, a) AS a, hashemb_encode(margin, b) AS b FROM pairs_records, pairs_models WHERE id > 400
), candidates AS (
	SELECT DISTINCT l.id AS l, r.id AS r FROM generate_series(0, 7) AS band, codes l, codes r WHERE subcode(l.a, band * 8 + 1, 8) = subcode(r.b, band * 8 + 1, 8)
)
SELECT count(*) FILTER (WHERE l = r) / 400.0 > 0.9 AS complete, count(*) < 0.2 * 400 * 400 AS few FROM candidates;
-- half of the bits are set: cut at the medians
SELECT (code_stats(hashemb_encode(margin, b))).max_bias < 0.2 AS balanced FROM pairs_records, pairs_models;

-- ranking: the number query against codes finds more than its own code does
WITH codes AS MATERIALIZED (
	SELECT id, hashemb_project(ranking, a) AS query, hashemb_encode(ranking, a) AS a, hashemb_encode(ranking, b) AS b FROM pairs_records, pairs_models WHERE id > 400
), ranks AS (
	SELECT recall_at(ARRAY(SELECT d.id FROM codes d ORDER BY q.query <#> d.b, d.id LIMIT 5), ARRAY[q.id]) AS query,
		recall_at(ARRAY(SELECT d.id FROM codes d ORDER BY q.a <~> d.b, d.id LIMIT 5), ARRAY[q.id]) AS code,
		recall_at(ARRAY(SELECT s.id FROM (SELECT * FROM codes d ORDER BY q.a <~> d.b, d.id LIMIT 100) AS s ORDER BY q.query <#> s.b, s.id LIMIT 5), ARRAY[q.id]) AS ranked
	FROM codes q
)
SELECT code > 0.5 AS learnt, query > code + 0.02 AS query, ranked > code + 0.02 AS ranked FROM ranks;

-- another domain, where other dimensions say who it is: the loss, and what a teacher's margins recover
CREATE TABLE pairs_other AS
SELECT id, z, (a[21:30] || a[1:10] || a[11:20] || a[31:40])::real[] AS a, (b[21:30] || b[1:10] || b[11:20] || b[31:40])::real[] AS b FROM pairs_records;
CREATE FUNCTION pairs_recall_query(m hashemb_model, k int, other bool) RETURNS float8 LANGUAGE sql AS $$
	WITH codes AS MATERIALIZED (
		SELECT id, hashemb_project(m, a) AS a, hashemb_encode(m, b) AS b
		FROM (SELECT * FROM pairs_records WHERE NOT other UNION ALL SELECT * FROM pairs_other WHERE other) AS s WHERE id > 400
	)
	SELECT recall_at(ARRAY(SELECT d.id FROM codes d ORDER BY q.a <#> d.b, d.id LIMIT k), ARRAY[q.id]) FROM codes q $$;
CREATE TABLE pairs_triples AS
SELECT q.a || p.b || n.b AS x, inner_product(q.z, p.z) - inner_product(q.z, n.z) AS better
FROM generate_series(1, 6000) AS i, LATERAL (SELECT 1 + i % 400 AS q, 1 + i * 7 % 400 AS p, 1 + i * 13 % 397 AS n) AS t
	JOIN pairs_other q ON q.id = t.q JOIN pairs_other p ON p.id = t.p JOIN pairs_other n ON n.id = t.n;
CREATE TABLE pairs_adapted AS
SELECT hashemb_train(jsonb_build_object('method', 'pairs', 'loss', 'margin_mse', 'base', ranking::text, 'iterations', 30, 'batch', 128), x, better) AS model
FROM pairs_triples, pairs_models GROUP BY ranking::text;
SELECT before < home - 0.5 AS lost, after > before + 0.8 * (home - before) AS recovered
FROM pairs_models, pairs_adapted, pairs_recall_query(ranking, 20, false) AS home,
	pairs_recall_query(ranking, 20, true) AS before, pairs_recall_query(model, 20, true) AS after;

-- what is refused
SELECT hashemb_train('{"method":"pairs"}', a) FROM pairs_records;
SELECT hashemb_train('{"method":"pairs","loss":"none"}', a, b) FROM pairs_records;
SELECT hashemb_train('{"method":"pairs","loss":"margin_mse"}', a, b) FROM pairs_records;
SELECT hashemb_train('{"method":"pairs"}', a, 1.5) FROM pairs_records;
SELECT hashemb_train('{"method":"pairs","loss":"margin_mse"}', a, 1.5) FROM pairs_records;
SELECT hashemb_train('{"method":"pairs"}', a, b[1:20]) FROM pairs_records;
SELECT hashemb_train('{"method":"pairs","dims":8,"bits":2}', a, b) FROM pairs_records;
SELECT hashemb_train('{"method":"pairs"}', a, b) FROM pairs_records WHERE id < 4;
SELECT hashemb_train(jsonb_build_object('method', 'pairs', 'base', (SELECT margin::text FROM pairs_models)), a[1:20], b[1:20]) FROM pairs_records;
DROP TABLE pairs_records, pairs_models, pairs_other, pairs_triples, pairs_adapted;
DROP FUNCTION pairs_noise, pairs_add, pairs_recall, pairs_recall_query;
