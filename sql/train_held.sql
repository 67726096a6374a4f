--
-- What training chooses by itself: never worse than what stands beside it
--
\set seed 0.75
\echo seed :seed
SELECT setseed(:seed);
CREATE FUNCTION held_normals(n int) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) FROM generate_series(1, n) $$;

-- Codes of several bits: rows of length 1 around a mean that is little, middling or most of them
CREATE TABLE held_rows AS
SELECT i AS id, held_normals(48) AS v FROM generate_series(1, 3000) AS i;
CREATE TABLE held_shifted AS
SELECT size, id, (SELECT array_agg(((u / (1 + d / 12.0) + size * CASE WHEN d % 7 = 0 THEN 1 ELSE 0.3 END))::real ORDER BY d) FROM unnest(v) WITH ORDINALITY AS w(u, d)) AS x
FROM held_rows, unnest('{0,0.5,2}'::float8[]) AS size;
UPDATE held_shifted SET x = l2_normalize(x);
CREATE TABLE held_truth AS
SELECT size, id, ARRAY(SELECT r.id FROM held_shifted r WHERE r.size = q.size AND r.id <> q.id ORDER BY cosine_distance(q.x, r.x), r.id LIMIT 10) AS near
FROM held_shifted q WHERE id % 30 = 0;
CREATE TABLE held_models AS
SELECT size, bits, hashemb_train(jsonb_build_object('method', 'pca', 'dims', 48, 'bits', bits), x ORDER BY id) AS chosen,
	hashemb_train(jsonb_build_object('method', 'pca', 'dims', 48, 'bits', bits, 'center', true), x ORDER BY id) AS centred,
	hashemb_train(jsonb_build_object('method', 'pca', 'dims', 48, 'bits', bits, 'center', false), x ORDER BY id) AS whole
FROM held_shifted, unnest('{2,4}'::int[]) AS bits GROUP BY size, bits;
CREATE FUNCTION held_share(m hashemb_model, of float8, OUT code float8, OUT query float8) LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE held_codes AS SELECT size, id, hashemb_encode(m, x) AS c, CASE WHEN hashemb_export(m) #> '{views,0,query}' IS NULL THEN hashemb_project(m, x) ELSE hashemb_project(m, x, 'query') END AS q FROM held_shifted WHERE size = of;
	SELECT recall_at(ARRAY(SELECT c.id FROM held_codes c WHERE c.size = k.size AND c.id <> k.id ORDER BY c.c <=> k.c, c.id LIMIT 10), near),
		recall_at(ARRAY(SELECT c.id FROM held_codes c WHERE c.size = k.size AND c.id <> k.id ORDER BY c.c <=> k.q, c.id LIMIT 10), near)
	INTO code, query FROM held_truth JOIN held_codes k USING (size, id) WHERE size = of;
	DROP TABLE held_codes;
END $$;
CREATE TABLE held_shares AS SELECT size, bits, a.code, a.query, greatest(b.code, c.code) AS best_code, greatest(b.query, c.query) AS best_query, least(b.code, c.code) AS worse_code
FROM held_models, held_share(chosen, size) AS a, held_share(centred, size) AS b, held_share(whole, size) AS c;
SELECT size, bits, code > best_code - 0.04 AS code, query > best_query - 0.04 AS query, size = 0 OR code > worse_code + 0.02 AS more_than_the_worse FROM held_shares ORDER BY size, bits;

-- A part without variance, but for rounding, says nothing in longer codes, also of several bits; rows that span few directions
CREATE TABLE held_parts AS
SELECT id, (x[:16] || ARRAY(SELECT 0.1 + 1e-7 * hashint8extended(id, d) / 2 ^ 63 FROM generate_series(17, 32) AS d)::real[] || x[33:])::real[] AS x FROM held_shifted WHERE size = 0;
CREATE FUNCTION held_part_share(spec jsonb) RETURNS float8 LANGUAGE sql AS $$
	WITH m AS MATERIALIZED (SELECT hashemb_train(spec, x ORDER BY id) AS m FROM held_parts), codes AS MATERIALIZED (SELECT id, hashemb_encode(m, x) AS c FROM held_parts, m)
	SELECT recall_at(ARRAY(SELECT c.id FROM codes c WHERE c.id <> k.id ORDER BY c.c <=> k.c, c.id LIMIT 10),
		ARRAY(SELECT r.id FROM held_parts r WHERE r.id <> k.id ORDER BY cosine_distance(q.x, r.x), r.id LIMIT 10)) FROM held_parts q JOIN codes k USING (id) WHERE id % 30 = 0 $$;
CREATE FUNCTION held_without_part(spec jsonb) RETURNS float8 LANGUAGE sql AS $$
	WITH m AS MATERIALIZED (SELECT hashemb_train(spec, x[:16] || x[33:] ORDER BY id) AS m FROM held_parts), codes AS MATERIALIZED (SELECT id, hashemb_encode(m, x[:16] || x[33:]) AS c FROM held_parts, m)
	SELECT recall_at(ARRAY(SELECT c.id FROM codes c WHERE c.id <> k.id ORDER BY c.c <=> k.c, c.id LIMIT 10),
		ARRAY(SELECT r.id FROM held_parts r WHERE r.id <> k.id ORDER BY cosine_distance(q.x, r.x), r.id LIMIT 10)) FROM held_parts q JOIN codes k USING (id) WHERE id % 30 = 0 $$;
SELECT spec, held_part_share(spec || '{"prefixes":[16,32,48]}') > held_without_part(spec || '{"prefixes":[16,32]}') - 0.03 AS holds
FROM unnest(ARRAY['{"method":"itq","iterations":5}', '{"method":"random"}']::jsonb[]) AS spec;
SELECT held_part_share('{"method":"itq","iterations":5,"dims":48,"bits":2,"prefixes":[16,32,48]}') > held_without_part('{"method":"itq","iterations":5,"dims":32,"bits":2,"prefixes":[16,32]}') - 0.03 AS levels;

-- fit: the ridge by rows held out, few rows and noise, many and none, onto vectors and onto codes
CREATE TABLE held_map AS SELECT i, held_normals(48) AS v FROM generate_series(1, 8) AS i;
CREATE TABLE held_fit AS
SELECT kind, id, v::real[] AS x, (SELECT array_agg(inner_product(m.v, h.v) / 7 + noise * e ORDER BY i) FROM held_map m JOIN unnest(held_normals(8 + 0 * id)) WITH ORDINALITY AS u(e, k) ON k = i)::real[] AS y, rows
FROM held_rows h, (VALUES ('few', 60, 1.0), ('noisy', 600, 3.0), ('exact', 2000, 0.0)) AS k(kind, rows, noise);
CREATE TABLE held_fits AS
SELECT kind, lambda, hashemb_train(('{"method":"fit","out":"float"' || coalesce(',"lambda":' || lambda, '') || '}')::jsonb, x, y ORDER BY id) AS m
FROM held_fit, unnest('{NULL,1e-6,0.01,1,10}'::float8[]) AS lambda WHERE id <= rows GROUP BY kind, lambda;
CREATE TABLE held_errors AS
SELECT kind, lambda, avg(l2_distance(hashemb_project(m, x), y) ^ 2) AS error FROM held_fits JOIN held_fit USING (kind) WHERE id > 2000 GROUP BY kind, lambda;
SELECT kind, min(error) FILTER (WHERE lambda IS NULL) < 1.1 * min(error) FILTER (WHERE lambda IS NOT NULL) + 1e-6 AS near_the_best,
	min(error) FILTER (WHERE lambda IS NULL) < 0.97 * max(error) AS below_the_worst FROM held_errors GROUP BY kind ORDER BY kind;
SELECT hashemb_train('{"method":"fit","out":"float"}', x, y ORDER BY id) = (SELECT m FROM held_fits WHERE kind = 'noisy' AND lambda IS NULL) AS same FROM held_fit WHERE kind = 'noisy' AND id <= 600;
-- sparse vectors: more features, as memory allows
CREATE FUNCTION held_features() RETURNS int LANGUAGE sql AS $$
	SELECT (hashemb_export(hashemb_train('{"method":"fit"}', format('{%s:1,%s:2}/5000', 1 + id % 40, 100 + id)::svec, binarize(x) ORDER BY id)) #>> '{views,0,features}')::int
	FROM held_shifted WHERE size = 0 AND id <= 60 $$;
SET maintenance_work_mem = '16MB';
SELECT held_features();
SET maintenance_work_mem = '64MB';
SELECT held_features();
SET maintenance_work_mem = '160MB';
SELECT held_features();
RESET maintenance_work_mem;

-- rbin with a base: new vectors search old codes at least as well as by fit, the ridge regression onto these
CREATE TABLE held_new AS
SELECT size, id, (SELECT array_agg(x[d] + 0.5 * x[d % 48 + 1] - 0.5 * x[(d + 6) % 48 + 1] + 0.02 * e ORDER BY d) FROM unnest(held_normals(48 + 0 * id)) WITH ORDINALITY AS u(e, d))::real[] AS x FROM held_shifted WHERE size IN (0, 2);
CREATE TABLE held_old AS SELECT size, id, hashemb_encode(chosen, x) AS code FROM held_shifted JOIN held_models USING (size) WHERE bits = 2 AND size IN (0, 2);
CREATE TABLE held_next AS
SELECT size, hashemb_train('{"method":"fit"}', n.x, code, chosen ORDER BY id) AS fit, hashemb_train('{"method":"rbin","iterations":60,"batch":256}', n.x, code, chosen ORDER BY id) AS rbin
FROM held_new n JOIN held_old USING (size, id) JOIN held_models USING (size) WHERE bits = 2 AND id % 30 <> 0 GROUP BY size;
CREATE TABLE held_found AS
SELECT q.size, q.id, ARRAY(SELECT o.id FROM held_old o WHERE o.size = q.size AND o.id <> q.id ORDER BY o.code <=> hashemb_encode(fit, q.x), o.id LIMIT 10) AS fit,
	ARRAY(SELECT o.id FROM held_old o WHERE o.size = q.size AND o.id <> q.id ORDER BY o.code <=> hashemb_encode(rbin, q.x), o.id LIMIT 10) AS rbin
FROM held_new q JOIN held_next USING (size) WHERE id % 30 = 0;
-- neighbours by the old vectors, and by the new ones
CREATE TABLE held_new_truth AS
SELECT size, id, ARRAY(SELECT r.id FROM held_new r WHERE r.size = q.size AND r.id <> q.id ORDER BY cosine_distance(q.x, r.x), r.id LIMIT 10) AS near FROM held_new q WHERE id % 30 = 0;
SELECT t, size, recall_at(rbin, near) > recall_at(fit, near) - 0.03 AS not_below FROM held_found
JOIN (SELECT 'old' AS t, * FROM held_truth UNION ALL SELECT 'new', * FROM held_new_truth) AS s USING (size, id) GROUP BY t, size ORDER BY t, size;
DROP TABLE held_rows, held_shifted, held_truth, held_models, held_shares, held_parts, held_map, held_fit, held_fits, held_errors, held_new, held_old, held_next, held_found, held_new_truth;
DROP FUNCTION held_normals, held_share, held_part_share, held_without_part, held_features;
