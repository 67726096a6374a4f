--
-- The type hashemb_model: its forms, what a specification may say, and bytes
-- that are no encoder.
--
\set ECHO none
\i sql/include/plan.sql
\set ECHO all
\set seed 0.75
\echo seed :seed
SELECT setseed(:seed);
CREATE TABLE vectors AS
SELECT id, array_agg((random() - 0.5)::real ORDER BY d) AS x, id % 3 AS label FROM generate_series(1, 200) id, generate_series(1, 6) d GROUP BY id ORDER BY id;
CREATE TABLE models (name text PRIMARY KEY, m hashemb_model);
INSERT INTO models
SELECT 'itq', hashemb_train('{"method": "itq", "dims": 4, "bits": 2}', x ORDER BY id) FROM vectors UNION ALL
SELECT 'class', hashemb_train('{"method": "class", "bits": 7, "precision": "int16"}', x, label ORDER BY id) FROM vectors UNION ALL
SELECT 'prefixes', hashemb_train('{"method": "random", "prefixes": [2, 6]}', x ORDER BY id) FROM vectors UNION ALL
SELECT 'shift', hashemb_train('{"method": "shift"}', x, x ORDER BY id) FROM vectors UNION ALL
SELECT 'sparse', hashemb_train('{"method": "random", "bits": 10, "features": 16, "normalize": true}', x::svec ORDER BY id) FROM vectors;
SELECT name, family, method, output, inputs, dims, bits, views, rows, size, digest <> space AS own, length(digest), length(space) FROM models, hashemb_info(m) ORDER BY name;

-- forms
SELECT name, m::text::hashemb_model = m AS text, hashemb_import(hashemb_export(m)) = m AS json,
	octet_length(hashemb_model_send(m)) = (hashemb_info(m)).size AS binary, hashemb_export(m) - '{views,layers,space,rows,loss}'::text[] AS head FROM models ORDER BY name;
SELECT a.name, b.name, a.m = b.m AS eq, a.m <> b.m AS ne, hashemb_same_space(a.m, b.m) AS space FROM models a, models b WHERE a.name = 'itq' AND b.name IN ('itq', 'class') ORDER BY 2;
-- equal are those with one digest, so that they can be distinct, grouped, joined and looked up by hash
CREATE TABLE twice AS SELECT name || n AS name, CASE n WHEN 1 THEN m ELSE m::text::hashemb_model END AS m FROM models, generate_series(1, 2) n;
SELECT count(*) FROM (SELECT DISTINCT m FROM twice) d;
SELECT (hashemb_info(m)).digest = min((hashemb_info(m)).digest) AS same, count(*), string_agg(name, ' ' ORDER BY name) FROM twice GROUP BY m ORDER BY 3;
SELECT count(*) FROM (SELECT m FROM twice UNION SELECT m FROM models) u;
SELECT count(DISTINCT m), count(*) FILTER (WHERE m = before) AS repeated, count(*) FILTER (WHERE m < before) AS unsorted FROM (SELECT m, lag(m) OVER (ORDER BY m) AS before FROM twice) o;
SELECT count(*) FILTER (WHERE (a.m < b.m) <> (x.digest < y.digest) OR (a.m <= b.m) <> (x.digest <= y.digest) OR (a.m > b.m) <> (x.digest > y.digest) OR (a.m >= b.m) <> (x.digest >= y.digest)
	OR hashemb_model_cmp(a.m, b.m) <> (x.digest > y.digest)::int - (x.digest < y.digest)::int) AS wrong FROM models a, models b, hashemb_info(a.m) x, hashemb_info(b.m) y;
CREATE INDEX twice_idx ON twice USING hash (m);
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT pg_temp.plan('SELECT count(*) FROM twice JOIN models USING (m)');
RESET enable_hashjoin;
RESET enable_mergejoin;
SELECT string_agg(name, ' ' ORDER BY name) FROM twice WHERE m = (SELECT m FROM models WHERE name = 'itq');
RESET enable_seqscan;
SELECT count(*) FROM models a JOIN twice b ON a.m = b.m;
SELECT count(*) FILTER (WHERE hashemb_model_hash(a.m) = hashemb_model_hash(b.m)) AS plain,
	count(*) FILTER (WHERE hashemb_model_hash_extended(a.m, 0) & 4294967295 <> hashemb_model_hash(a.m)::bigint & 4294967295) AS wrong,
	count(*) FILTER (WHERE hashemb_model_hash_extended(a.m, 1) = hashemb_model_hash_extended(b.m, 1)) AS seeded FROM models a, models b;
DROP TABLE twice;
-- a binary copy
SELECT current_setting('data_directory') || '/hashemb_model.copy' AS file \gset
COPY models TO :'file' (FORMAT binary);
CREATE TABLE copied (LIKE models);
COPY copied FROM :'file' (FORMAT binary);
SELECT count(*) FROM models JOIN copied USING (name) WHERE models.m = copied.m;
COPY (SELECT) TO PROGRAM 'cat > /dev/null; rm hashemb_model.copy';

-- a model made by hand: bits by the signs of 2a - b + 1 and b
SELECT hashemb_encode(m, '{-1, -2}'), hashemb_encode(m, '{1, 2}'), hashemb_encode(m, '{-1, 1}'), hashemb_project(m, '{1, 2}') FROM hashemb_import('{"dims": 2,
	"views": [{"inputs": 2, "blocks": [{"inputs": 2, "outputs": 2, "precision": 2, "weights": [2, -1, 0, 1], "bias": [1, 0]}]}]}') m;
SELECT hashemb_import('[]');
SELECT hashemb_import('{"dims": 2}');
SELECT hashemb_import('{"dims": 2, "views": []}');
SELECT hashemb_import('{"dims": 2, "views": [1]}');
SELECT hashemb_import('{"dims": 2, "views": [{"inputs": 2, "blocks": []}]}');
SELECT hashemb_import('{"dims": 2, "views": [{"inputs": 2, "blocks": [{"inputs": 2, "outputs": 2, "weights": [1, 2, 3]}]}]}');
SELECT hashemb_import('{"dims": 2, "views": [{"inputs": 2, "blocks": [{"inputs": 2, "outputs": 2, "weights": [1, 2, 3, "4"]}]}]}');
SELECT hashemb_import('{"dims": 3, "views": [{"inputs": 2, "blocks": [{"inputs": 2, "outputs": 2, "weights": [1, 2, 3, 4]}]}]}');
SELECT hashemb_import('{"dims": 2, "views": [{"inputs": 2, "blocks": [{"inputs": 2, "outputs": 2, "weights": [1, 2, 3, 1e300]}]}]}');
SELECT hashemb_import('{"dims": 2, "flags": ["fast"], "views": [{"inputs": 2, "blocks": []}]}');
SELECT hashemb_import('{"dims": 99999, "views": [{"inputs": 2, "blocks": []}]}');

-- text that is no model
SELECT ''::hashemb_model;
SELECT 'AAAA'::hashemb_model;
SELECT 'a model, really'::hashemb_model;
SELECT left(m::text, -4)::hashemb_model FROM models WHERE name = 'itq';
SELECT (overlay(m::text PLACING 'oops' FROM 200))::hashemb_model FROM models WHERE name = 'itq';

-- bytes with a digest that is theirs
CREATE FUNCTION forge(b bytea) RETURNS hashemb_model LANGUAGE sql AS $$
	SELECT replace(encode(overlay(zero PLACING substring(sha256(zero) FOR 16) FROM 33), 'base64'), E'\n', '')::hashemb_model FROM overlay(b PLACING decode(repeat('00', 16), 'hex') FROM 33) zero $$;
CREATE FUNCTION try_model(b bytea, x real[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m hashemb_model;
BEGIN
	m := forge(b);
	IF (hashemb_info(m)).inputs > 1000 THEN
		RETURN 'accepted';
	END IF;
	PERFORM hashemb_project(m, x);
	PERFORM hashemb_decode(m, hashemb_encode(m, x));
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	IF SQLERRM LIKE 'bytes are not an encoder%' THEN
		RETURN 'refused';
	END IF;
	RETURN CASE WHEN SQLSTATE LIKE '22%' OR SQLSTATE LIKE '42%' OR SQLSTATE LIKE '54%' THEN 'unused' ELSE SQLSTATE || ' ' || SQLERRM END;
END $$;
SELECT forge(hashemb_model_send(m)) = m AS same FROM models WHERE name = 'itq';
-- what each part of the header may not be
SELECT forge(set_byte(hashemb_model_send(m), 1, 0)) FROM models WHERE name = 'itq';
SELECT forge(set_byte(hashemb_model_send(m), 4, 2)) FROM models WHERE name = 'itq';
SELECT forge(set_byte(hashemb_model_send(m), 6, 9)) FROM models WHERE name = 'itq';
SELECT forge(set_byte(hashemb_model_send(m), 7, 0)) FROM models WHERE name = 'itq';
SELECT forge(set_byte(hashemb_model_send(m), 8, 2)) FROM models WHERE name = 'itq';
SELECT forge(set_byte(hashemb_model_send(m), 9, 5)) FROM models WHERE name = 'itq';
SELECT forge(set_byte(hashemb_model_send(m), 10, 2)) FROM models WHERE name = 'itq';
SELECT forge(set_byte(hashemb_model_send(m), 10, 2)) FROM models WHERE name = 'class';
SELECT forge(set_byte(hashemb_model_send(m), 11, 128)) FROM models WHERE name = 'itq';
SELECT forge(set_byte(hashemb_model_send(m), 15, 127)) FROM models WHERE name = 'itq';
SELECT forge(set_byte(set_byte(hashemb_model_send(m), 31, 127), 30, 240)) FROM models WHERE name = 'itq';
SELECT forge(hashemb_model_send(m) || '\x00000000') FROM models WHERE name = 'itq';
-- inputs and outputs of the layer, its precision, the centre as NaN
SELECT forge(set_byte(hashemb_model_send(m), 75, 127)) FROM models WHERE name = 'itq';
SELECT forge(set_byte(hashemb_model_send(m), 96, 200)) FROM models WHERE name = 'itq';
SELECT forge(set_byte(hashemb_model_send(m), 100, 3)) FROM models WHERE name = 'itq';
SELECT forge(overlay(hashemb_model_send(m) PLACING '\x0000c07f' FROM 105)) FROM models WHERE name = 'itq';
SELECT forge(set_byte(hashemb_model_send(m), 152, 3)) FROM models WHERE name = 'itq';
SELECT forge(set_byte(hashemb_model_send(m), 188, 128)) FROM models WHERE name = 'itq';
-- cut anywhere, any byte changed: refused, or a model that computes something
SELECT name, outcome, count(*) > 0 AS met FROM models, LATERAL (SELECT try_model(substring(hashemb_model_send(m) FOR n), '{1,2,3,4,5,6}') AS outcome FROM generate_series(64, (hashemb_info(m)).size - 1) n) s GROUP BY name, outcome ORDER BY name;
SELECT outcome, count(*) > 100 AS often FROM (SELECT try_model(set_byte(hashemb_model_send(m), floor(random() * (hashemb_info(m)).size)::int, floor(random() * 256)::int), '{1,2,3,4,5,6}') AS outcome
	FROM models, generate_series(1, 1500)) s WHERE outcome <> 'unused' GROUP BY outcome ORDER BY outcome;

-- specifications
SELECT hashemb_train('{}', x) FROM vectors;
SELECT hashemb_train('[]', x) FROM vectors;
SELECT hashemb_train('{"method": "deep thought"}', x) FROM vectors;
SELECT hashemb_train('{"method": "itq", "bit": 8}', x) FROM vectors;
SELECT hashemb_train('{"method": "itq", "bits": "8"}', x) FROM vectors;
SELECT hashemb_train('{"method": "itq", "bits": 0}', x) FROM vectors;
SELECT hashemb_train('{"method": "itq", "bits": 2.5}', x) FROM vectors;
SELECT hashemb_train('{"method": "itq", "bits": 7}', x) FROM vectors;
SELECT hashemb_train('{"method": "itq", "dims": 4, "bits": 5}', x) FROM vectors;
SELECT hashemb_train('{"method": "pca", "out": "text"}', x) FROM vectors;
SELECT hashemb_train('{"method": "pca", "rotate": 1}', x) FROM vectors;
SELECT hashemb_train('{"method": "random", "prefixes": 6}', x) FROM vectors;
SELECT hashemb_train('{"method": "fit", "space": "abc"}', x, x) FROM vectors;
SELECT hashemb_train('{"method": "fit", "base": "abc"}', x, x) FROM vectors;
SELECT hashemb_train('{"method": "class", "dims": 4, "bits": 2}', x, label) FROM vectors;
SELECT hashemb_train(NULL, x) FROM vectors;
SELECT hashemb_train(jsonb_build_object('method', 'itq', 'seed', id), x) FROM vectors;
-- arguments
SELECT hashemb_train('{"method": "itq"}', x, label) FROM vectors;
SELECT hashemb_train('{"method": "class"}', x) FROM vectors;
SELECT hashemb_train('{"method": "class"}', x, 'a'::text) FROM vectors;
SELECT hashemb_train('{"method": "fit"}', x, x) FROM vectors;
SELECT hashemb_train('{"method": "fit", "out": "float"}', x, '0101'::bincode) FROM vectors;
SELECT hashemb_train('{"method": "fit"}', x, repeat('1', 3 + id % 2)::bincode ORDER BY id) FROM vectors;
SELECT hashemb_train('{"method": "shift"}', x, x[:3]) FROM vectors;
SELECT hashemb_train('{"method": "itq"}', id) FROM vectors;
SELECT hashemb_train('{"method": "itq"}', '{1,2}') FROM vectors;
SELECT hashemb_train('{"method": "itq"}', x[:3 + id % 3] ORDER BY id) FROM vectors;
SELECT hashemb_train('{"method": "itq"}', '{}'::real[]) FROM vectors;
SELECT hashemb_train('{"method": "itq"}', '{NaN}'::real[]) FROM vectors;
SELECT hashemb_train('{"method": "itq"}', '{1e300}'::float8[]) FROM vectors;
SELECT hashemb_train('{"method": "class"}', x, '{}'::int[]) FROM vectors;
SELECT hashemb_train('{"method": "class"}', x, label) FROM vectors WHERE id = 1;
SELECT hashemb_train('{"method": "random", "features": 0}', '{1:1}/20000'::svec) FROM vectors;
-- memory
SET maintenance_work_mem = '1MB';
SELECT hashemb_train('{"method": "random", "sample": 100000}', x) FROM vectors;
SELECT hashemb_train('{"method": "class"}', array_fill(id::real, '{2000}'), label) FROM vectors;
RESET maintenance_work_mem;
-- constant, single and extreme vectors train something all the same
SELECT method, (hashemb_info(hashemb_train(jsonb_build_object('method', method), x))).rows FROM unnest('{random,pca,itq}'::text[]) method, unnest('{1,1,1}'::int[]), (SELECT '{0,0,0}'::real[] AS x) v GROUP BY method ORDER BY method;
SELECT hashemb_encode(hashemb_train('{"method": "pca"}', x), '{1,2,3}') IS NOT NULL AS one FROM (SELECT '{3e38,-3e38,1e-40}'::real[] AS x) v;

-- encoding
SELECT hashemb_encode(m, '{1,2,3}'::real[]) FROM models WHERE name = 'itq';
SELECT hashemb_encode(m, '{1,2,3,4,5,NaN}'::real[]) FROM models WHERE name = 'itq';
SELECT hashemb_encode(m, '{1,2,3,4,5,1e39}'::float8[]) FROM models WHERE name = 'itq';
SELECT hashemb_encode(m, '{1,2,3,4,5,NULL}'::float8[]) FROM models WHERE name = 'itq';
SELECT hashemb_encode(m, '{{1,2,3,4,5,6}}'::float8[]) FROM models WHERE name = 'itq';
SELECT hashemb_encode(m, 'six numbers') FROM models WHERE name = 'itq';
SELECT hashemb_encode(m, '{1,2,3,4,5,6}', 2) FROM models WHERE name = 'itq';
SELECT hashemb_encode(m, '{1,2,3,4,5,6}', 0) FROM models WHERE name = 'itq';
SELECT hashemb_encode(m, '{1,2,3,4,5,6}') FROM models WHERE name = 'shift';
SELECT hashemb_encode(m, '{1,2,3,4,5,6}'::real[]) FROM models WHERE name = 'sparse';
SELECT hashemb_decode(m, '0101') FROM models WHERE name = 'itq';
SELECT hashemb_decode(m, '000000') FROM models WHERE name = 'shift';
SELECT hashemb_encode(m, NULL::real[]) IS NULL AS null_x, hashemb_encode(NULL, '{1}'::real[]) IS NULL AS null_model FROM models WHERE name = 'itq';

-- one call with models that change from row to row
SELECT count(DISTINCT hashemb_encode(m, '{1:1,3:2,5:3}/6'::svec)) FROM models, generate_series(1, 3) WHERE name <> 'shift';

DROP TABLE vectors, models, copied;
DROP FUNCTION forge, try_model;
