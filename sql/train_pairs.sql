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
SELECT (SELECT hashemb_train('{"method":"pairs","bits":64}', a, b ORDER BY id) FROM pairs_records WHERE id <= 400) AS ranking,
	(SELECT hashemb_train('{"method":"random","bits":64}', a ORDER BY id) FROM pairs_records WHERE id <= 400) AS random;
SELECT pairs_recall(ranking, 1) > 0.8 AS k1, pairs_recall(ranking, 5) > 0.93 AS k5, pairs_recall(ranking, 20) > 0.97 AS k20,
	pairs_recall(random, 20) < 0.3 AS random FROM pairs_models;
-- the same rows in the same order make the same model, another seed another; the loss that is taken is "ranking"
SELECT ranking = (SELECT hashemb_train('{"method":"pairs","bits":64,"loss":"ranking"}', a, b ORDER BY id) FROM pairs_records WHERE id <= 400) AS same,
	ranking = (SELECT hashemb_train('{"method":"pairs","bits":64,"seed":2}', a, b ORDER BY id) FROM pairs_records WHERE id <= 400) AS other_seed
FROM pairs_models;

-- Blocking: three families of 800 records on two sides. "kind": both sides of one kind. "sides": of two kinds, which a
-- direction tells apart that says nothing else, and each has noise of its own. "near": what does not match is hard, since
-- there are only 16 groups of records, and little tells those of one group apart.
CREATE TABLE pairs_groups AS SELECT i AS g, pairs_noise(10, 1) AS v FROM generate_series(1, 16) AS i;
CREATE TABLE pairs_families AS
SELECT 'kind' AS family, id, a, b FROM pairs_records UNION ALL
SELECT 'sides', id, (pairs_add(z, pairs_noise(10, 0.1)) || pairs_noise(15, 2) || pairs_noise(15, 0.5) || array_fill(3::float8, '{10}'))::real[],
	(pairs_add(z, pairs_noise(10, 0.1)) || pairs_noise(15, 0.5) || pairs_noise(15, 2) || array_fill(-3::float8, '{10}'))::real[] FROM pairs_records UNION ALL
SELECT 'near', id, (pairs_add(z, pairs_noise(10, 0.1)) || pairs_noise(20, 1))::real[], (pairs_add(z, pairs_noise(10, 0.1)) || pairs_noise(20, 1))::real[]
FROM (SELECT id, pairs_add(v, (SELECT array_agg(0.4 * x ORDER BY i) FROM unnest(z) WITH ORDINALITY AS u(x, i))) AS z FROM pairs_records JOIN pairs_groups ON g = id % 16 + 1) AS s;
CREATE TABLE pairs_blockers AS
SELECT family, 'pairs' AS method, hashemb_train('{"method":"pairs","bits":64}', a, b ORDER BY id) AS m FROM pairs_families WHERE id <= 400 GROUP BY family UNION ALL
SELECT family, method, hashemb_train(jsonb_build_object('method', method, 'bits', least(cardinality(x), CASE method WHEN 'pca' THEN 64 ELSE 256 END)), x ORDER BY side, id)
FROM (SELECT family, 1 AS side, id, a AS x FROM pairs_families UNION ALL SELECT family, 2, id, b FROM pairs_families) AS s, unnest('{pca,random}'::text[]) AS method
WHERE id <= 400 GROUP BY family, method, cardinality(x);
CREATE TABLE pairs_codes AS
SELECT family, method, id, hashemb_encode(m, a) AS a, hashemb_encode(m, b, (hashemb_info(m)).views) AS b
FROM pairs_blockers JOIN pairs_families USING (family) WHERE id > 400;
-- share of the 400 matches among the nearest pairs by Hamming distance, at two shares of all 160,000 pairs; ties count in part
CREATE TABLE pairs_complete AS
SELECT family, method, share, sum(matches * greatest(least((share * 160000 - before) / pairs, 1), 0)) / 400 AS complete
FROM (SELECT family, method, count(*) AS pairs, count(*) FILTER (WHERE matches) AS matches, sum(count(*)) OVER (PARTITION BY family, method ORDER BY far) - count(*) AS before
	FROM (SELECT family, method, l.a <~> r.b AS far, l.id = r.id AS matches FROM pairs_codes l JOIN pairs_codes r USING (family, method)) AS s GROUP BY family, method, far) AS t,
	unnest('{0.0025,0.02}'::float8[]) AS share
GROUP BY family, method, share;
SELECT family, share, p.complete > greatest(pca.complete, random.complete) + 0.2 AS above_others, p.complete > CASE WHEN share > 0.01 THEN 0.9 WHEN family = 'near' THEN 0.4 ELSE 0.7 END AS complete
FROM pairs_complete p JOIN pairs_complete pca USING (family, share) JOIN pairs_complete random USING (family, share)
WHERE p.method = 'pairs' AND pca.method = 'pca' AND random.method = 'random' ORDER BY family, share;
-- bits do not collapse: nearly all codes differ, and half of their bits are set on both sides
SELECT family, (code_stats(a)).distinct_codes > 390 AND (code_stats(b)).distinct_codes > 390 AS distinct, greatest((code_stats(a)).max_bias, (code_stats(b)).max_bias) < 0.3 AS balanced
FROM pairs_codes WHERE method = 'pairs' GROUP BY family ORDER BY family;
-- By keys of bands, which any join by equality can take: candidates are as few, for some of the matches
CREATE TABLE pairs_keys AS SELECT family, method, 'a' AS side, id, key FROM pairs_codes, unnest(block_keys(a, 6, 10)) AS key WHERE method = 'pairs' UNION ALL
SELECT family, method, 'b', id, key FROM pairs_codes, unnest(block_keys(b, 6, 10)) AS key WHERE method = 'pairs';
ANALYZE pairs_keys, pairs_codes;
SELECT family, count(*) FILTER (WHERE l = r) / 400.0 > 0.8 AS complete, count(*) < 0.06 * 400 * 400 AS few
FROM (SELECT DISTINCT l.family, l.id AS l, r.id AS r FROM pairs_keys l JOIN pairs_keys r USING (family, key) WHERE l.side = 'a' AND r.side = 'b') AS s GROUP BY family ORDER BY family;
-- keys are the number of the band and its bits
SELECT block_keys('1011000011110001', 4, 4), block_keys('1011000011110001', 1, 3), block_keys('10', 2, 1);
SELECT bool_and(block_keys(code, n, k) = ARRAY(SELECT (band - 1)::bigint << 32 | lpad(subcode(code, (band - 1) * k + 1, k)::text, 64, '0')::bit(64)::bigint FROM generate_series(1, n) AS band)) AS as_subcodes
FROM (SELECT binarize(a || b) AS code FROM pairs_records WHERE id <= 20) AS s, (VALUES (1, 1), (3, 7), (2, 32), (80, 1), (10, 8)) AS v(n, k);
SELECT block_keys('1011', 3, 2);
SELECT block_keys('1011', 0, 2);
SELECT block_keys('1011', 1, 33);
SELECT block_keys('1/2', 1, 1);

-- ranking: the number query against codes finds more than its own code does
WITH codes AS MATERIALIZED (
	SELECT id, hashemb_project(ranking, a) AS query, hashemb_encode(ranking, a) AS a, hashemb_encode(ranking, b) AS b FROM pairs_records, pairs_models WHERE id > 400
), ranks AS (
	SELECT recall_at(ARRAY(SELECT d.id FROM codes d ORDER BY q.query <#> d.b, d.id LIMIT 1), ARRAY[q.id]) AS query,
		recall_at(ARRAY(SELECT d.id FROM codes d ORDER BY q.a <~> d.b, d.id LIMIT 1), ARRAY[q.id]) AS code,
		recall_at(ARRAY(SELECT s.id FROM (SELECT * FROM codes d ORDER BY q.a <~> d.b, d.id LIMIT 100) AS s ORDER BY q.query <#> s.b, s.id LIMIT 1), ARRAY[q.id]) AS ranked
	FROM codes q
)
SELECT code > 0.7 AS learnt, query > code + 0.02 AS query, ranked > code + 0.02 AS ranked FROM ranks;

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
SELECT hashemb_train('{"method":"pairs","radius":1}', a, b) FROM pairs_records;
SELECT hashemb_train('{"method":"pairs","loss":"margin_mse"}', a, b) FROM pairs_records;
SELECT hashemb_train('{"method":"pairs"}', a, 1.5) FROM pairs_records;
SELECT hashemb_train('{"method":"pairs","loss":"margin_mse"}', a, 1.5) FROM pairs_records;
SELECT hashemb_train('{"method":"pairs"}', a, b[1:20]) FROM pairs_records;
SELECT hashemb_train('{"method":"pairs","dims":8,"bits":2}', a, b) FROM pairs_records;
SELECT hashemb_train('{"method":"pairs"}', a, b) FROM pairs_records WHERE id < 4;
SELECT hashemb_train(jsonb_build_object('method', 'pairs', 'base', (SELECT ranking::text FROM pairs_models)), a[1:20], b[1:20]) FROM pairs_records;
DROP TABLE pairs_groups, pairs_families, pairs_blockers, pairs_codes, pairs_complete, pairs_keys, pairs_records, pairs_models, pairs_other, pairs_triples, pairs_adapted;
DROP FUNCTION pairs_noise, pairs_add, pairs_recall, pairs_recall_query;
