-- codes of several bits learnt by gradients: rows in clusters, their spectrum falling
\set seed 0.5
\echo seed :seed
SELECT setseed(:seed);
CREATE FUNCTION rbin_normal() RETURNS float8 LANGUAGE sql AS $$ SELECT sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) $$;
CREATE TABLE rbin_centers AS
SELECT c, array_agg(rbin_normal()) AS v FROM generate_series(1, 40) AS c, generate_series(1, 48) GROUP BY c ORDER BY c;
CREATE TABLE rbin_rows AS
SELECT i AS id, (SELECT array_agg((v[d] + 0.7 * rbin_normal()) * 0.95 ^ d ORDER BY d) FROM generate_series(1, 48) AS d)::real[] AS x
FROM generate_series(1, 2000) AS i JOIN rbin_centers ON c = i % 40 + 1;
CREATE TABLE rbin_truth AS
SELECT id, ARRAY(SELECT r.id FROM rbin_rows r WHERE r.id <> q.id ORDER BY cosine_distance(q.x, r.x), r.id LIMIT 10) AS near
FROM rbin_rows q WHERE id <= 150;
CREATE FUNCTION rbin_recall(m hashemb_model) RETURNS float8 LANGUAGE sql AS $$
	WITH codes AS MATERIALIZED (SELECT id, hashemb_encode(m, x) AS code FROM rbin_rows)
	SELECT recall_at(ARRAY(SELECT c.id FROM codes c WHERE c.id <> k.id ORDER BY k.code <=> c.code, c.id LIMIT 10), near)
	FROM rbin_truth JOIN codes k USING (id) $$;
CREATE TABLE rbin_models AS
SELECT hashemb_train('{"method":"pca","dims":12,"bits":4}', x) AS pca,
	hashemb_train('{"method":"rbin","dims":12,"bits":4,"batch":256,"iterations":200}', x) AS plain,
	hashemb_train('{"method":"rbin","dims":12,"bits":4,"batch":256,"iterations":200,"hidden":32}', x) AS deep
FROM rbin_rows;
SELECT b > a AS plain, c > a + 0.01 AS deep
FROM rbin_models, rbin_recall(pca) AS a, rbin_recall(plain) AS b, rbin_recall(deep) AS c;
SELECT family, method, output, inputs, dims, bits, rows FROM rbin_models, hashemb_info(deep);
-- a code is its projection rounded to levels, whatever the family and the kernels
SELECT bool_and(hashemb_encode(m, x)::text = (SELECT string_agg(to_hex(least(greatest(ceil(y) + 7, 0), 15)::int), '' ORDER BY i) || '/4'
	FROM unnest(hashemb_project(m, x)) WITH ORDINALITY AS u(y, i))) AS levels
FROM rbin_models, unnest(ARRAY[plain, deep]) AS m, rbin_rows;
CREATE TABLE rbin_codes AS SELECT id, hashemb_encode(plain, x) AS old, hashemb_encode(deep, x) AS old_deep FROM rbin_rows, rbin_models;
SET hashemb.simd = scalar;
SELECT count(*) FILTER (WHERE (hashemb_encode(m.plain, x), hashemb_encode(m.deep, x)) IS DISTINCT FROM (old, old_deep)) AS differ
FROM rbin_rows JOIN rbin_codes c USING (id), rbin_models m;
RESET hashemb.simd;
-- a deep model as text and as jsonb; its codes cannot be decoded
SELECT deep::text::hashemb_model = deep AS text, hashemb_import(hashemb_export(deep)) = deep AS jsonb FROM rbin_models;
SELECT hashemb_decode(deep, hashemb_encode(deep, x)) FROM rbin_models, rbin_rows LIMIT 1;
SELECT hashemb_train('{"method":"rbin","dims":12,"bits":4,"batch":256,"iterations":20}', x) = hashemb_train('{"method":"rbin","dims":12,"bits":4,"batch":256,"iterations":20}', x) AS same
FROM rbin_rows;
-- with positives: rows of one cluster as x and y
SELECT rbin_recall(hashemb_train('{"method":"rbin","dims":12,"bits":4,"batch":256,"iterations":100}', a.x, b.x)) > 0.4 AS positives
FROM rbin_rows a JOIN rbin_rows b ON b.id = a.id + 40;
-- backward compatible: codes of new vectors (a mixture and noise) search codes made before of the old ones
CREATE TABLE rbin_new AS
SELECT id, (SELECT array_agg(x[d] + 0.5 * x[d % 48 + 1] - 0.5 * x[(d + 6) % 48 + 1] ORDER BY d) FROM generate_series(1, 48) AS d)::real[] AS x FROM rbin_rows;
CREATE FUNCTION rbin_old_recall(m hashemb_model) RETURNS float8 LANGUAGE sql AS $$
	SELECT recall_at(ARRAY(SELECT c.id FROM rbin_codes c WHERE c.id <> q.id ORDER BY hashemb_encode(m, q.x) <=> c.old, c.id LIMIT 10), near)
	FROM rbin_truth JOIN rbin_new q USING (id) $$;
SELECT new > 0.75 * before AS compatible, alone < 0.3 * before AS alone_is_not
FROM (SELECT rbin_recall(plain) AS before,
		(SELECT rbin_old_recall(hashemb_train(jsonb_build_object('method', 'rbin', 'batch', 256, 'iterations', 300, 'base', plain::text), n.x, c.old)) FROM rbin_new n JOIN rbin_codes c USING (id)) AS new,
		(SELECT rbin_old_recall(hashemb_train('{"method":"rbin","dims":12,"bits":4,"batch":256,"iterations":20}', n.x)) FROM rbin_new n) AS alone
	FROM rbin_models) AS s;
SELECT hashemb_same_space(plain, (SELECT hashemb_train(jsonb_build_object('method', 'rbin', 'iterations', 1, 'base', plain::text), n.x, c.old)
	FROM rbin_new n JOIN rbin_codes c USING (id))) AS same_space
FROM rbin_models;

-- what is refused
SELECT hashemb_train(jsonb_build_object('method', 'rbin', 'base', plain::text), x) FROM rbin_rows, rbin_models GROUP BY plain::text;
SELECT hashemb_train(jsonb_build_object('method', 'rbin', 'base', plain::text), x, subcode(hashemb_encode(pca, x), 1, 8)) FROM rbin_rows, rbin_models GROUP BY plain::text;
SELECT hashemb_train(jsonb_build_object('method', 'rbin', 'space', (hashemb_info(plain)).space), x) FROM rbin_rows, rbin_models GROUP BY (hashemb_info(plain)).space;
SELECT hashemb_train('{"method":"rbin","dims":12,"bits":5}', x) FROM rbin_rows;
SELECT hashemb_train('{"method":"rbin","rate":2}', x) FROM rbin_rows;
SELECT hashemb_train('{"method":"rbin","lambda":2}', x) FROM rbin_rows;
SELECT hashemb_train('{"method":"rbin"}', x, x[1:3]) FROM rbin_rows;
SELECT hashemb_train('{"method":"rbin"}', x) FROM rbin_rows WHERE id < 10;
SET maintenance_work_mem = '2MB';
SELECT hashemb_train('{"method":"rbin"}', x) FROM rbin_rows;
RESET maintenance_work_mem;
DROP TABLE rbin_centers, rbin_rows, rbin_truth, rbin_models, rbin_codes, rbin_new;
DROP FUNCTION rbin_normal, rbin_recall, rbin_old_recall;
