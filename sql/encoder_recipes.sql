-- what is done with codes of several encoders, prototypes of classes, and queries that drifted
\set seed 0.5
\echo seed :seed
SELECT setseed(:seed);
CREATE FUNCTION recipe_normals(n int) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) FROM generate_series(1, n) $$;
CREATE FUNCTION recipe_mix(a float8[], wa float8, b float8[], wb float8) RETURNS float8[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(wa * x + wb * y ORDER BY i) FROM unnest(a, b) WITH ORDINALITY AS u(x, y, i) $$;
CREATE TABLE recipe_classes AS SELECT i AS label, recipe_normals(32) AS v FROM generate_series(0, 9) AS i;
-- three views of the same rows: good, middling, bad
CREATE TABLE recipe_rows AS
SELECT i AS id, label, recipe_mix(v, 1, recipe_normals(32), 1.2)::real[] AS good, recipe_mix(v, 1, recipe_normals(32), 3)::real[] AS fair,
	recipe_mix(v, 1, recipe_normals(32), 9)::real[] AS bad
FROM generate_series(1, 1000) AS i JOIN recipe_classes ON label = i % 10;
CREATE TABLE recipe_codes AS
SELECT id, label, hashemb_encode(m1, good) AS good, hashemb_encode(m2, fair) AS fair, hashemb_encode(m3, bad) AS bad
FROM recipe_rows, (SELECT hashemb_train('{"method":"class","bits":32}', good, label) AS m1, hashemb_train('{"method":"class","bits":32}', fair, label) AS m2,
	hashemb_train('{"method":"class","bits":32}', bad, label) AS m3 FROM recipe_rows WHERE id <= 500) AS s;
-- how far a view is to be trusted, from rows that no encoder was trained on: from what views agree on, and by labels (after D-MVE-Hash)
CREATE TABLE recipe_weights AS
SELECT hashemb_view_weights(ARRAY[good, fair, bad] ORDER BY id) AS agreed, hashemb_view_weights(ARRAY[good, fair, bad], label ORDER BY id) AS labelled
FROM recipe_codes WHERE id BETWEEN 501 AND 900;
SELECT agreed[1] > agreed[2] AND agreed[2] > agreed[3] AS agreed, labelled[1] > labelled[2] AND labelled[2] > labelled[3] AS labelled,
	abs((SELECT sum(w) FROM unnest(agreed) AS w) - 1) < 1e-9 AS sum FROM recipe_weights;
CREATE TABLE recipe_fused AS
SELECT id, label, c.good, c.fair, c.bad, bit_vote(ARRAY[c.good, c.fair, c.bad]) AS equal,
	bit_vote(ARRAY[c.good, c.fair, c.bad], agreed) AS weighted, bit_vote(ARRAY[c.good, c.fair, c.bad], labelled) AS by_label
FROM recipe_codes c, recipe_weights w;
CREATE TABLE recipe_precisions AS
SELECT avg(good) AS good, avg(fair) AS fair, avg(bad) AS bad, avg(equal) AS equal, avg(weighted) AS weighted, avg(by_label) AS by_label
FROM (SELECT average_precision(d.label = q.label, q.good <~> d.good) AS good, average_precision(d.label = q.label, q.fair <~> d.fair) AS fair,
		average_precision(d.label = q.label, q.bad <~> d.bad) AS bad, average_precision(d.label = q.label, q.equal <~> d.equal) AS equal,
		average_precision(d.label = q.label, q.weighted <~> d.weighted) AS weighted, average_precision(d.label = q.label, q.by_label <~> d.by_label) AS by_label
	FROM recipe_fused q, recipe_fused d WHERE q.id > 900 AND d.id <= 500 GROUP BY q.id) AS s;
SELECT least(weighted, by_label) > greatest(good, fair, bad) - 0.01 AS as_the_best, least(weighted, by_label) > equal + 0.05 AS above_equal_votes, fair > bad + 0.1 AS views_differ FROM recipe_precisions;
-- the fused code from one view alone: a memory network is a fit
SELECT avg(hashemb_encode(m, r.good) <~> f.weighted) < 0.2 * 32 AS remembered
FROM recipe_rows r JOIN recipe_fused f USING (id),
	(SELECT hashemb_train('{"method":"fit"}', r.good, f.weighted) AS m FROM recipe_rows r JOIN recipe_fused f USING (id) WHERE id <= 500) AS s
WHERE id > 500;

-- views that are as good as each other: together they find much more than the best of them
CREATE TABLE recipe_alike AS
SELECT i AS id, label, recipe_mix(v, 1, recipe_normals(32), 2.2)::real[] AS a, recipe_mix(v, 1, recipe_normals(32), 2.6)::real[] AS b, recipe_mix(v, 1, recipe_normals(32), 3)::real[] AS c
FROM generate_series(1, 1000) AS i JOIN recipe_classes ON label = i % 10;
CREATE TABLE recipe_alike_codes AS
SELECT id, label, hashemb_encode(ma, a) AS a, hashemb_encode(mb, b) AS b, hashemb_encode(mc, c) AS c
FROM recipe_alike, (SELECT hashemb_train('{"method":"class","bits":32}', a, label ORDER BY id) AS ma, hashemb_train('{"method":"class","bits":32}', b, label ORDER BY id) AS mb,
	hashemb_train('{"method":"class","bits":32}', c, label ORDER BY id) AS mc FROM recipe_alike WHERE id <= 500) AS s;
WITH weights AS MATERIALIZED (SELECT hashemb_view_weights(ARRAY[a, b, c] ORDER BY id) AS w FROM recipe_alike_codes WHERE id BETWEEN 501 AND 900),
fused AS MATERIALIZED (SELECT id, label, a, b, c, bit_vote(ARRAY[a, b, c], w) AS f FROM recipe_alike_codes, weights)
SELECT avg(f) > greatest(avg(a), avg(b), avg(c)) + 0.1 AS above_the_best FROM (
	SELECT average_precision(d.label = q.label, q.a <~> d.a) AS a, average_precision(d.label = q.label, q.b <~> d.b) AS b,
		average_precision(d.label = q.label, q.c <~> d.c) AS c, average_precision(d.label = q.label, q.f <~> d.f) AS f
	FROM fused q, fused d WHERE q.id > 900 AND d.id <= 500 GROUP BY q.id) AS s;
-- one view, two, of which none can be told to be the better; views that agree by chance only; what is no row
SELECT hashemb_view_weights(ARRAY[a]) AS one, hashemb_view_weights(ARRAY[a, b]) AS two, hashemb_view_weights(ARRAY[a, b], label) IS NOT NULL AS by_label,
	hashemb_view_weights(ARRAY[a, NULL]) IS NULL AS nulls, hashemb_view_weights(NULL::bincode[]) IS NULL AS none, hashemb_view_weights(ARRAY[a], NULL) IS NULL AS no_label FROM recipe_alike_codes;
SELECT bool_and(w BETWEEN 0 AND 1) FROM (SELECT hashemb_view_weights(ARRAY[binarize(recipe_normals(32)), binarize(recipe_normals(32)), binarize(recipe_normals(32))]) AS ws FROM generate_series(1, 200)) AS s, unnest(ws) AS w;
SELECT hashemb_view_weights(ARRAY[a, a, a]) FROM recipe_alike_codes;
SELECT hashemb_view_weights(ARRAY[a, b, c]) FROM recipe_alike_codes WHERE id < 15;
SELECT hashemb_view_weights(CASE WHEN id < 50 THEN ARRAY[a, b] ELSE ARRAY[a] END ORDER BY id) FROM recipe_alike_codes;
SELECT hashemb_view_weights(ARRAY[a, subcode(b, 1, 8)]) FROM recipe_alike_codes;
SELECT hashemb_view_weights(ARRAY[a, b], 1) FROM recipe_alike_codes;
SELECT hashemb_view_weights(ARRAY['1/2'::bincode]) FROM recipe_alike_codes;

-- prototypes: a class's majority finds the class better than its members do (after ProS-GAN's prototype codes)
CREATE TABLE recipe_itq AS
SELECT id, label, hashemb_encode((SELECT hashemb_train('{"method":"itq","bits":32}', fair) FROM recipe_rows), fair) AS code FROM recipe_rows;
SELECT prototype > 2 * member AS prototypes
FROM (SELECT avg(ap) AS prototype FROM (SELECT average_precision(d.label = p.label, p.code <~> d.code) AS ap
		FROM (SELECT label, bit_majority(code) AS code FROM recipe_itq WHERE id <= 500 GROUP BY label) AS p, recipe_itq d WHERE d.id > 500 GROUP BY p.label) AS s) AS s,
	(SELECT avg(ap) AS member FROM (SELECT average_precision(d.label = q.label, q.code <~> d.code) AS ap
		FROM recipe_itq q, recipe_itq d WHERE q.id <= 50 AND d.id > 500 GROUP BY q.id) AS s) AS t;

-- query drift: new queries against old codes, by nothing, by the shift of the means, by ridge regression
CREATE TABLE recipe_old AS
SELECT id, hashemb_encode(m, good) AS code, m FROM recipe_rows, (SELECT hashemb_train('{"method":"pca","dims":32,"bits":2}', good) AS m FROM recipe_rows) AS s;
CREATE TABLE recipe_maps AS SELECT i, recipe_normals(32) AS v, recipe_normals(1) AS s FROM generate_series(1, 32) AS i;
CREATE TABLE recipe_drifted AS
SELECT id, good AS old, recipe_mix(good::float8[], 1, shift, 3)::real[] AS shifted,
	recipe_mix(recipe_mix(good::float8[], 1, shift, 3), 1, (SELECT array_agg(inner_product(v, good::float8[]) ORDER BY i) FROM recipe_maps), 0.05)::real[] AS mixed
FROM recipe_rows, (SELECT array_agg(s[1] ORDER BY i) AS shift FROM recipe_maps) AS s;
CREATE FUNCTION recipe_recall(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE result float8;
BEGIN
	EXECUTE format('SELECT recall_at(ARRAY(SELECT o.id FROM recipe_old o ORDER BY hashemb_encode(m.m, %s) <=> o.code, o.id LIMIT 10),
			ARRAY(SELECT o.id FROM recipe_old o ORDER BY hashemb_encode(m.m, d.old) <=> o.code, o.id LIMIT 10))
		FROM recipe_drifted d JOIN recipe_old m USING (id),
			(SELECT hashemb_train(''{"method":"shift"}'', shifted, old) AS shift, hashemb_train(''{"method":"shift"}'', mixed, old) AS shift_mixed,
				hashemb_train(''{"method":"fit","out":"float","lambda":0.0001}'', shifted, old) AS ridge,
				hashemb_train(''{"method":"fit","out":"float","lambda":0.0001}'', mixed, old) AS ridge_mixed
			FROM recipe_drifted WHERE id <= 500) AS t
		WHERE id > 900', query) INTO result;
	RETURN result;
END $$;
SELECT none < 0.5 AS none, shift > 0.97 AS shift, ridge > 0.9 AS ridge
FROM recipe_recall('shifted') AS none, recipe_recall('hashemb_project(shift, shifted)') AS shift, recipe_recall('hashemb_project(ridge, shifted)') AS ridge;
SELECT none < 0.5 AS none, shift > none + 0.2 AS shift, ridge > shift + 0.1 AS ridge
FROM recipe_recall('mixed') AS none, recipe_recall('hashemb_project(shift_mixed, mixed)') AS shift, recipe_recall('hashemb_project(ridge_mixed, mixed)') AS ridge;

-- codes of several bits through the index: between codes and by a number query, exact and by default
CREATE INDEX recipe_old_idx ON recipe_old USING hashemb ((code::bincode(32, 2)) bincode_ip_ops);
CREATE TABLE recipe_truth AS
SELECT q.id, q.code, hashemb_project(q.m, r.good) AS query, ARRAY(SELECT code <#> q.code FROM recipe_old ORDER BY 1 LIMIT 10) AS by_code,
	ARRAY(SELECT code <#> hashemb_project(q.m, r.good) FROM recipe_old ORDER BY 1 LIMIT 10) AS by_query
FROM recipe_old q JOIN recipe_rows r USING (id) WHERE id > 960;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT min(recall) > 0.9 AS by_default FROM (
	SELECT recall_at(ARRAY(SELECT code::bincode(32, 2) <#> t.code FROM recipe_old ORDER BY code::bincode(32, 2) <#> t.code LIMIT 10), by_code) AS recall FROM recipe_truth t
	UNION ALL SELECT recall_at(ARRAY(SELECT code::bincode(32, 2) <#> t.query FROM recipe_old ORDER BY code::bincode(32, 2) <#> t.query LIMIT 10), by_query) FROM recipe_truth t) AS s;
SET hashemb.recall = 1;
SELECT min(recall) > 0.999 AS exact FROM (
	SELECT recall_at(ARRAY(SELECT code::bincode(32, 2) <#> t.code FROM recipe_old ORDER BY code::bincode(32, 2) <#> t.code LIMIT 10), by_code) AS recall FROM recipe_truth t
	UNION ALL SELECT recall_at(ARRAY(SELECT code::bincode(32, 2) <#> t.query FROM recipe_old ORDER BY code::bincode(32, 2) <#> t.query LIMIT 10), by_query) FROM recipe_truth t) AS s;
RESET hashemb.recall;
RESET enable_seqscan;
RESET enable_sort;
DROP TABLE recipe_alike, recipe_alike_codes, recipe_classes, recipe_rows, recipe_codes, recipe_weights, recipe_fused, recipe_precisions, recipe_itq, recipe_old, recipe_maps, recipe_drifted, recipe_truth;
DROP FUNCTION recipe_normals, recipe_mix, recipe_recall;
