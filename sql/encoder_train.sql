--
-- Training in closed form, on generated data: what is learnt must beat what is
-- not. Only comparisons are printed: the data follow the server's random().
--
\set seed 0.25
\echo seed :seed
SELECT setseed(:seed);

-- a normally distributed number
CREATE FUNCTION gauss() RETURNS float8 LANGUAGE sql VOLATILE AS
	$$SELECT sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())$$;

-- 3,000 vectors of 64 dimensions around 60 centres, of which the variance falls
-- from dimension to dimension; turned so that no axis is special
CREATE TABLE centre AS
SELECT c, array_agg((gauss() * 4 / (1 + d / 4.0))::real ORDER BY d) AS x
FROM generate_series(1, 60) c, generate_series(1, 64) d GROUP BY c ORDER BY c;
CREATE TABLE turned AS
SELECT hashemb_train('{"method": "random", "dims": 64, "out": "float", "center": false, "seed": 9}', x ORDER BY c) AS m FROM centre;
CREATE TABLE cloud AS
SELECT id, label, hashemb_project(m, x) AS x FROM turned,
	(SELECT id, id % 60 + 1 AS label, array_agg((v + gauss() / (1 + d / 8.0))::real ORDER BY d) AS x
	FROM generate_series(1, 3000) id JOIN centre ON c = id % 60 + 1, unnest(centre.x) WITH ORDINALITY AS u(v, d) GROUP BY id ORDER BY id) s;
-- the ten nearest of every fiftieth row
CREATE TABLE truth AS
SELECT q.id AS query, n.id FROM cloud q,
	LATERAL (SELECT id FROM cloud WHERE id <> q.id ORDER BY l2_distance(cloud.x, q.x) LIMIT 10) n WHERE q.id % 50 = 0;

-- share of the true neighbours among the nearest codes
CREATE FUNCTION found(m hashemb_model, nearest int) RETURNS float8 LANGUAGE sql AS $$
	WITH codes AS MATERIALIZED (SELECT id, hashemb_encode(m, x) AS code FROM cloud)
	SELECT count(*)::float8 / (SELECT count(*) FROM truth) FROM codes q,
		LATERAL (SELECT id FROM codes WHERE codes.id <> q.id ORDER BY codes.code <=> q.code, codes.id LIMIT nearest) n
	JOIN truth ON truth.id = n.id WHERE q.id % 50 = 0 AND query = q.id $$;

CREATE TABLE model (name text PRIMARY KEY, m hashemb_model);
INSERT INTO model
SELECT 'random', hashemb_train('{"method": "random", "bits": 16}', x ORDER BY id) FROM cloud UNION ALL
SELECT 'itq', hashemb_train('{"method": "itq", "bits": 16}', x ORDER BY id) FROM cloud UNION ALL
SELECT 'pca', hashemb_train('{"method": "pca", "bits": 32}', x ORDER BY id) FROM cloud UNION ALL
SELECT 'pca plain', hashemb_train('{"method": "pca", "bits": 32, "rotate": false}', x ORDER BY id) FROM cloud UNION ALL
SELECT 'pca 16 x 2', hashemb_train('{"method": "pca", "dims": 16, "bits": 2}', x ORDER BY id) FROM cloud UNION ALL
SELECT 'itq 16 x 2', hashemb_train('{"method": "itq", "dims": 16, "bits": 2}', x ORDER BY id) FROM cloud UNION ALL
SELECT 'pca 64 x 4', hashemb_train('{"method": "pca", "dims": 64, "bits": 4}', x ORDER BY id) FROM cloud;
-- what is learnt finds more of the neighbours, and so do levels where they take no more bits
CREATE TABLE quality AS SELECT name, nearest, found(m, nearest) AS share FROM model, unnest('{20,50}'::int[]) nearest;
SELECT nearest, l AS this, r AS better, b.share > a.share + margin AS holds
FROM (VALUES (50, 'random', 'itq', 0.1), (20, 'pca', 'pca 16 x 2', 0.02), (20, 'pca 16 x 2', 'pca 64 x 4', 0.1)) v(nearest, l, r, margin)
	JOIN quality a USING (nearest) JOIN quality b USING (nearest) WHERE a.name = l AND b.name = r ORDER BY 1 DESC, 2;
SELECT nearest, share > 0.9 AS nearly_all FROM quality WHERE name = 'pca 64 x 4' ORDER BY nearest;
-- rounding loses what the theory of uniform levels says: .363, .119, .012 of a normal variance
SELECT name, method, dims, bits, inputs, rows, round(loss::numeric, 1) AS loss FROM model, hashemb_info(m) WHERE name LIKE 'pca%' ORDER BY name;

-- the same rows in the same order give the same bytes, another seed another space
SELECT hashemb_train('{"method": "itq", "bits": 16}', x ORDER BY id) = (SELECT m FROM model WHERE name = 'itq') AS same,
	hashemb_same_space(hashemb_train('{"method": "itq", "bits": 16, "seed": 2}', x ORDER BY id), (SELECT m FROM model WHERE name = 'itq')) AS space
FROM cloud;
-- a sample is chosen by the seed
SELECT hashemb_train('{"method": "pca", "bits": 8, "sample": 500}', x ORDER BY id) = hashemb_train('{"method": "pca", "bits": 8, "sample": 500}', x ORDER BY id) AS same,
	hashemb_train('{"method": "pca", "bits": 8, "sample": 500}', x ORDER BY id) = hashemb_train('{"method": "pca", "bits": 8}', x ORDER BY id) AS whole FROM cloud;

-- encoding is what export says, computed here in numbers: code = level of scale * weights . (x - center) + bias
CREATE TABLE layer AS SELECT name, bits, hashemb_export(m) #> '{views,0,center}' AS center, hashemb_export(m) #> '{views,0,blocks,0}' AS block FROM model, hashemb_info(m);
CREATE TABLE weight AS SELECT name, (i - 1) / 64 AS r, (i - 1) % 64 + 1 AS k, w::float8 * (block #>> ARRAY['scale', ((i - 1) / 64)::text])::float8 AS w
	FROM layer, jsonb_array_elements_text(block->'weights') WITH ORDINALITY AS u(w, i);
CREATE TABLE input AS SELECT name, id, k, v - c::float8 AS v FROM layer, cloud, unnest(x) WITH ORDINALITY AS u(v, k), jsonb_array_elements_text(center) WITH ORDINALITY AS c(c, l)
	WHERE id % 300 = 0 AND l = k;
CREATE TABLE output AS SELECT name, id, r + 1 AS r, sum(w * v) + (SELECT block #>> ARRAY['bias', r::text] FROM layer WHERE layer.name = weight.name)::float8 AS y
	FROM weight JOIN input USING (name, k) GROUP BY name, id, r;
SELECT name, count(*) AS outputs, bool_and(abs(p[r] - y) < 1e-3 * greatest(1, abs(y))) AS projected,
	count(*) FILTER (WHERE abs(y - round(y)) > 1e-3 AND substr(code, r::int, 1) <> to_hex(CASE bits WHEN 1 THEN (y > 0)::int
		ELSE least(greatest(ceil(y) + 2 ^ (bits - 1) - 1, 0), 2 ^ bits - 1)::int END)) AS wrong
FROM (SELECT name, bits, id, hashemb_project(m, x) AS p, hashemb_encode(m, x)::text AS code FROM model, hashemb_info(m), cloud WHERE id % 300 = 0) e
	JOIN output USING (name, id) GROUP BY name ORDER BY name;

-- decoding: encoded again it is the same code; four bits are near the vector
SELECT name, bool_and(hashemb_encode(m, hashemb_decode(m, code)) = code) AS again,
	avg(l2_distance(hashemb_decode(m, code), x) / l2_norm(x)) < CASE name WHEN 'pca 64 x 4' THEN 0.2 ELSE 1 END AS near
FROM (SELECT name, m, x, hashemb_encode(m, x) AS code FROM model, cloud WHERE id % 20 = 0) s GROUP BY name ORDER BY name;

-- any type of array, sparse vectors, untyped literals and parameters
CREATE TABLE one AS SELECT m, x, '{' || array_to_string(x, ',') || '}' AS literal FROM model, cloud WHERE name = 'itq' AND id = 7;
SELECT hashemb_encode(m, x) = hashemb_encode(m, x::float8[]) AS f8, hashemb_encode(m, x) = hashemb_encode(m, x::svec) AS svec,
	hashemb_encode(m, x) = hashemb_encode(m, literal) AS text, hashemb_encode(m, x::svec) = hashemb_encode(m, x::svec::text) AS sparse_text,
	hashemb_encode(m, x::numeric[]) = hashemb_encode(m, x::numeric[]::float8[]) AS n, hashemb_encode(m, x::int[]) = hashemb_encode(m, x::int[]::real[]) AS i4,
	hashemb_project(m, x) = hashemb_project(m, x::float8[]) AND hashemb_project(m, x) = hashemb_project(m, x::svec) AND hashemb_project(m, x) = hashemb_project(m, literal) AS projected
FROM one;
PREPARE untyped AS SELECT hashemb_encode(m, $1) = hashemb_encode(m, $1::real[]) AS same FROM one;
SELECT literal FROM one \gset
EXECUTE untyped (:'literal');
DEALLOCATE untyped;

-- every instruction set makes the same codes and projections
CREATE TABLE simd AS SELECT ''::text AS level, ''::text AS hash LIMIT 0;
DO $$
DECLARE
	level text;
BEGIN
	FOR level IN SELECT unnest(enumvals) FROM pg_settings WHERE name = 'hashemb.simd' LOOP
		PERFORM set_config('hashemb.simd', level, false);
		INSERT INTO simd SELECT level, md5(string_agg(hashemb_encode(m, x)::text || hashemb_project(m, x)::text, ',' ORDER BY name, id))
		FROM model, cloud WHERE id % 5 = 0;
	END LOOP;
END $$;
RESET hashemb.simd;
SELECT count(DISTINCT hash) AS different, count(*) > 1 AS several FROM simd;

-- queries: the same weights with a part of the mean, between none and all of it; codes scaled to the levels, so that length is nothing
CREATE TABLE asked AS SELECT name, bits, id, q, share, (SELECT array_agg(a - b ORDER BY k) FROM unnest(q, p) WITH ORDINALITY AS u(a, b, k)) AS apart,
	(SELECT array_agg(-b ORDER BY k) FROM unnest(hashemb_project(m, array_fill(0::real, ARRAY[64]))) WITH ORDINALITY AS u(b, k)) AS mean,
	hashemb_encode(m, x, 'query') AS code, hashemb_encode(m, (SELECT array_agg(v * 3 + (1 - 3) * share * c::float8 ORDER BY k)::real[]
		FROM unnest(x) WITH ORDINALITY AS u(v, k) JOIN jsonb_array_elements_text(center) WITH ORDINALITY AS c(c, k) USING (k)), 'query') AS longer
FROM (SELECT name, bits, m, id, x, hashemb_project(m, x) AS p, hashemb_project(m, x, 'query') AS q, e->'center' AS center, (e #>> '{query,0}')::float8 / (e #>> '{center,0}')::float8 AS share
	FROM model, hashemb_info(m), cloud, LATERAL (SELECT hashemb_export(m) #> '{views,0}' AS e) v WHERE id % 300 = 0) s;
SELECT name, bool_and(share BETWEEN 0 AND 1) AS share,
	bool_and((SELECT bool_and(abs(a - (1 - share) * b) < 0.01 * (1 + abs(b))) FROM unnest(apart, mean) AS u(a, b))) AS offset,
	bool_and(bits > 1 OR code::text = (SELECT string_agg((v > 0)::int::text, '' ORDER BY k) FROM unnest(q) WITH ORDINALITY AS u(v, k))) AS signs,
	count(*) FILTER (WHERE (code <=> longer) > 0.01) AS by_length FROM asked GROUP BY name ORDER BY name;
-- the centre of queries is a multiple of that of rows, kept in all forms of the model
SELECT name, bool_and(forms) AS forms,
	bool_and(abs(q::float8 - share * c::float8) <= 1e-6 * abs(c::float8)) AS multiple
FROM (SELECT name, e, hashemb_import(hashemb_export(m)) = m AND m::text::hashemb_model = m AS forms, (e #>> '{query,0}')::float8 / (e #>> '{center,0}')::float8 AS share FROM model, LATERAL (SELECT hashemb_export(m) #> '{views,0}' AS e) v) s,
	jsonb_array_elements_text(e->'query') WITH ORDINALITY AS q(q, k) JOIN jsonb_array_elements_text(e->'center') WITH ORDINALITY AS c(c, k) USING (k) GROUP BY name ORDER BY name;
-- names of views
SELECT hashemb_encode(m, x, '1') = hashemb_encode(m, x) AS number, hashemb_encode(m, x::text, 'query') = hashemb_encode(m, x, 'query') AND hashemb_encode(m, x::svec, 'query') = hashemb_encode(m, x, 'query') AS types,
	hashemb_project(m, x::float8[], 'query') = hashemb_project(m, x, 'query') AND hashemb_project(m, x::text, 'query') = hashemb_project(m, x::svec, 'query') AS projected
FROM model, cloud WHERE name = 'itq' AND id = 7;
SELECT hashemb_encode(m, x, '2') FROM model, cloud LIMIT 1;
SELECT hashemb_encode(m, x, 'rows') FROM model, cloud LIMIT 1;
SELECT hashemb_encode(m, x, '') FROM model, cloud LIMIT 1;
SELECT hashemb_encode(m, x, '99999999999') FROM model, cloud LIMIT 1;
SELECT hashemb_project(m, x, 'query') FROM turned, cloud LIMIT 1;
SELECT hashemb_import('{"dims": 1, "views": [{"inputs": 1, "query": [1], "blocks": [{"inputs": 1, "outputs": 1, "weights": [1]}]}]}');
SELECT hashemb_project(hashemb_import('{"dims": 1, "views": [{"inputs": 1, "center": [2], "query": [1], "blocks": [{"inputs": 1, "outputs": 1, "precision": 2, "weights": [1]}]}]}'), '{4}', 'query') AS three;
DROP TABLE asked;

-- prefixes: the code's beginning is the code of the vector's beginning
CREATE TABLE nested AS
SELECT method, bits, hashemb_train(jsonb_build_object('method', method, 'prefixes', '[8, 24, 64]'::jsonb, 'dims', 64, 'bits', bits, 'iterations', 5) - CASE method WHEN 'random' THEN 'iterations' ELSE '' END, x ORDER BY id) AS m
FROM cloud, unnest('{random,itq}'::text[]) method, unnest('{1,3}'::int[]) bits GROUP BY method, bits;
SELECT method, bits, n, bool_and(subcode(hashemb_encode(m, x), 1, n) = hashemb_encode(m, x[:n])) AS prefix
FROM nested, cloud, unnest('{8,24,64}'::int[]) n WHERE id % 100 = 0 GROUP BY method, bits, n ORDER BY method, bits, n;
-- funnel: search by the first bits, then rank by all
WITH codes AS MATERIALIZED (SELECT id, hashemb_encode(m, x) AS code FROM nested, cloud WHERE method = 'itq' AND bits = 1),
funnel AS (SELECT q.id AS query, f.id FROM codes q, LATERAL (SELECT id FROM (SELECT id, code FROM codes WHERE codes.id <> q.id
	ORDER BY subcode(code, 1, 24) <~> subcode(q.code, 1, 24), id LIMIT 400) c ORDER BY code <~> q.code, id LIMIT 50) f WHERE q.id % 50 = 0)
SELECT count(*) > 0.5 * (SELECT count(*) FROM truth) AS found FROM funnel JOIN truth USING (query, id);
SELECT hashemb_encode(m, x[:9]) FROM nested, cloud WHERE id = 1 LIMIT 1;
SELECT hashemb_train('{"method": "pca", "prefixes": [8, 64]}', x) FROM cloud;
SELECT hashemb_train('{"method": "itq", "prefixes": [8, 32]}', x) FROM cloud;
SELECT hashemb_train('{"method": "itq", "prefixes": [8, 8]}', x) FROM cloud;
SELECT hashemb_train('{"method": "random", "prefixes": [64], "normalize": true}', x) FROM cloud;

-- labels: six strong directions say nothing of the ten classes
CREATE TABLE labelled AS
SELECT id, id % 10 AS label, array_agg((gauss() * CASE WHEN d <= 6 THEN 10 ELSE 1 END + CASE WHEN d = 7 + id % 10 THEN 4 ELSE 0 END)::real ORDER BY d) AS x
FROM generate_series(1, 2000) id, generate_series(1, 24) d GROUP BY id ORDER BY id;
-- share of rows of the same class among the ten nearest codes
CREATE FUNCTION pure(m hashemb_model) RETURNS float8 LANGUAGE sql AS $$
	WITH codes AS MATERIALIZED (SELECT id, label, hashemb_encode(m, x) AS code FROM labelled)
	SELECT avg((n.label = q.label)::int) FROM codes q,
		LATERAL (SELECT label FROM codes WHERE codes.id <> q.id AND codes.id <= 1000 ORDER BY codes.code <~> q.code, codes.id LIMIT 10) n
	WHERE q.id > 1950 $$;
SELECT pure(hashemb_train('{"method": "itq", "bits": 16}', x ORDER BY id)) < 0.3 AS without,
	pure(hashemb_train('{"method": "class", "bits": 16}', x, label ORDER BY id)) > 0.9 AS class,
	pure(hashemb_train('{"method": "class", "bits": 64}', x, label ORDER BY id)) > 0.9 AS longer,
	pure(hashemb_train('{"method": "class", "bits": 8}', x, label ORDER BY id)) > 0.6 AS few,
	hashemb_train('{"method": "class", "bits": 16}', x, label ORDER BY id) = hashemb_train('{"method": "class", "bits": 16}', x, ARRAY[label, label] ORDER BY id) AS arrays,
	pure(hashemb_train('{"method": "class", "bits": 32}', x, ARRAY[label, 100 + label % 2] ORDER BY id)) > 0.8 AS several
FROM labelled WHERE id <= 1000;

-- fit: onto codes made otherwise, and onto vectors
CREATE TABLE fitted AS
SELECT hashemb_train('{"method": "fit"}', x, hashemb_encode(m, x) ORDER BY id) AS codes,
	hashemb_train('{"method": "fit", "lambda": 1e-6}', x, hashemb_encode(m4, x) ORDER BY id) AS levels,
	hashemb_train('{"method": "fit", "out": "float", "lambda": 1e-6}', hashemb_project(t, x), x ORDER BY id) AS vectors
FROM cloud, (SELECT m FROM model WHERE name = 'itq') a, (SELECT m AS m4 FROM model WHERE name = 'pca 64 x 4') b, (SELECT m AS t FROM turned) c WHERE id <= 1500;
SELECT avg(1 - (hashemb_encode(codes, x) <~> hashemb_encode(m, x)) / 16) > 0.93 AS bits, avg(hashemb_encode(levels, x) <=> hashemb_encode(m4, x)) < 0.01 AS levels,
	avg(l2_distance(hashemb_project(vectors, hashemb_project(t, x)), x) / l2_norm(x)) < 0.01 AS vectors
FROM cloud, fitted, (SELECT m FROM model WHERE name = 'itq') a, (SELECT m AS m4 FROM model WHERE name = 'pca 64 x 4') b, (SELECT m AS t FROM turned) c WHERE id > 1500;
-- codes fitted onto a space may be said to be in it
SELECT m AS old FROM model WHERE name = 'itq' \gset
SELECT hashemb_same_space(:'old', hashemb_train(jsonb_build_object('method', 'fit', 'base', :'old'::text), x, hashemb_encode(:'old', x))) AS base,
	hashemb_same_space(:'old', hashemb_train(jsonb_build_object('method', 'fit', 'space', (hashemb_info(:'old')).space), x, hashemb_encode(:'old', x))) AS space,
	hashemb_same_space(:'old', hashemb_train('{"method": "fit"}', x, hashemb_encode(:'old', x))) AS neither
FROM cloud;

-- queries that drifted: shift, and ridge regression back
SELECT bool_and(l2_distance(hashemb_project(m, x), y) < 1e-4) AS exact, count(*) FROM
	(SELECT hashemb_train('{"method": "shift"}', x, ARRAY(SELECT v + 3 * d FROM unnest(x) WITH ORDINALITY AS u(v, d))::real[]) AS m FROM cloud WHERE id <= 100) s,
	LATERAL (SELECT x, ARRAY(SELECT v + 3 * d FROM unnest(x) WITH ORDINALITY AS u(v, d))::real[] AS y FROM cloud WHERE id % 500 = 0) c;

-- sparse vectors, of more dimensions than are multiplied by: hashed to features
CREATE TABLE bags AS
SELECT id, id % 8 AS label, svec_agg(d, w, 50000) AS x FROM
	(SELECT id, (id % 8) * 5000 + 1 + floor(random() * 40)::int AS d, (1 + random())::real AS w FROM generate_series(1, 600) id, generate_series(1, 12)) s GROUP BY id ORDER BY id;
CREATE TABLE bag_model AS
SELECT hashemb_train('{"method": "random", "bits": 128, "features": 128, "center": false, "seed": 5}', x ORDER BY id) AS simhash,
	hashemb_train('{"method": "itq", "bits": 32}', x ORDER BY id) AS itq, hashemb_train('{"method": "class", "bits": 15}', x, label ORDER BY id) AS class FROM bags;
SELECT bool_and(hashemb_encode(b.simhash, x) = simhash(x, 128, 5)) AS simhash FROM bags, bag_model b;
WITH codes AS MATERIALIZED (SELECT id, label, hashemb_encode(itq, x) AS itq, hashemb_encode(class, x) AS class FROM bags, bag_model)
SELECT avg((a.label = q.label)::int) > 0.95 AS itq, avg((b.label = q.label)::int) > 0.95 AS class FROM codes q,
	LATERAL (SELECT label FROM codes WHERE codes.id <> q.id ORDER BY codes.itq <~> q.itq, codes.id LIMIT 1) a,
	LATERAL (SELECT label FROM codes WHERE codes.id <> q.id ORDER BY codes.class <~> q.class, codes.id LIMIT 1) b;
SELECT hashemb_encode(itq, '{1,2}'::real[]) FROM bag_model;
SELECT hashemb_encode(itq, '{1:1}/7'::svec) FROM bag_model;

-- rows that miss something are passed over; no row, no model
SELECT hashemb_train('{"method": "pca", "bits": 8}', CASE WHEN id <= 3000 THEN x END ORDER BY id) = hashemb_train('{"method": "pca", "bits": 8}', x ORDER BY id) FILTER (WHERE id <= 3000) AS nulls FROM cloud;
SELECT hashemb_train('{"method": "pca"}', x) IS NULL AS none FROM cloud WHERE false;

DROP TABLE centre, turned, cloud, truth, model, quality, one, simd, nested, labelled, fitted, bags, bag_model, layer, weight, input, output;
DROP FUNCTION gauss, found, pure;
