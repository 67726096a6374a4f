-- lifelong training: labels that come later, learnt from their rows alone, while codes stored before stay as they are (after DLCH)
\set seed 0.25
\echo seed :seed
SELECT setseed(:seed);
CREATE FUNCTION life_normals(n int) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) FROM generate_series(1, n) $$;
CREATE TABLE life_centers AS SELECT i AS label, life_normals(48) AS v FROM generate_series(0, 9) AS i;
-- labels 0 to 5 first, then 6 to 9; every sixth row asks and was never trained on
CREATE TABLE life_rows AS
SELECT i AS id, label, label > 5 AS later, i / 10 % 6 = 0 AS asks,
	(SELECT array_agg(3 + a + 1.3 * b ORDER BY k) FROM unnest(v, noise) WITH ORDINALITY AS u(a, b, k))::real[] AS x
FROM (SELECT i, life_normals(48) AS noise FROM generate_series(1, 1200) AS i) AS s JOIN life_centers ON label = i % 10;
CREATE TABLE life_models AS
SELECT hashemb_train('{"method":"class","bits":32,"lifelong":true}', x, label ORDER BY id) FILTER (WHERE NOT later) AS first,
	hashemb_train('{"method":"class","bits":32}', x, label ORDER BY id) FILTER (WHERE later) AS alone,
	hashemb_train('{"method":"class","bits":32,"seed":2}', x, label ORDER BY id) AS anew,
	hashemb_train('{"method":"class","bits":32}', x, label ORDER BY id) FILTER (WHERE NOT later) AS plain
FROM life_rows WHERE NOT asks;
ALTER TABLE life_models ADD COLUMN grown hashemb_model;
-- trained on rows of the new labels only
UPDATE life_models SET grown = (SELECT hashemb_train(jsonb_build_object('method', 'class', 'base', first::text), x, label ORDER BY id) FROM life_rows WHERE NOT asks AND later);
-- old rows keep the code of the first model, new ones get that of the model that asks
CREATE FUNCTION life_map(m hashemb_model, OUT whole float8, OUT old float8, OUT new float8) LANGUAGE sql AS $$
	WITH stored AS MATERIALIZED (SELECT id, label, hashemb_encode(CASE WHEN later THEN m ELSE first END, x) AS code FROM life_rows, life_models WHERE NOT asks),
	asked AS MATERIALIZED (SELECT id, label, later, hashemb_encode(m, x) AS code FROM life_rows WHERE asks AND id % 3 = 0)
	SELECT avg(ap), avg(ap) FILTER (WHERE NOT later), avg(ap) FILTER (WHERE later)
	FROM (SELECT q.later, average_precision(d.label = q.label, q.code <~> d.code) AS ap FROM asked q, stored d GROUP BY q.id, q.later) AS s $$;
SELECT g.whole > 0.93 AS whole, g.old > 0.9 AS old, g.new > 0.9 AS new, g.whole > f.whole + 0.25 AS above_first, g.whole > n.whole + 0.25 AS above_anew, g.whole > a.whole + 0.25 AS above_alone
FROM life_models, life_map(grown) AS g, life_map(first) AS f, life_map(anew) AS n, life_map(alone) AS a;
-- one space, and a code of the first model is near that of the grown one
SELECT hashemb_same_space(first, grown) AS same_space, hashemb_same_space(first, anew) AS other, (hashemb_info(grown)).rows = (SELECT count(*) FROM life_rows WHERE NOT asks) AS rows,
	(SELECT avg(hashemb_encode(first, x) <~> hashemb_encode(grown, x)) < 5 FROM life_rows WHERE asks AND NOT later) AS near
FROM life_models;
-- the base as an argument: the same encoder, and a sort of the rows takes a reference along, not the encoder
SELECT grown = (SELECT hashemb_train('{"method":"class"}', x, label, first ORDER BY id) FROM life_rows, life_models WHERE NOT asks AND later) AS same,
	grown = (SELECT hashemb_train('{"method":"class"}', x, label, (SELECT first FROM life_models) ORDER BY id) FROM life_rows WHERE NOT asks AND later) AS by_subquery FROM life_models;
CREATE FUNCTION life_spilled(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json) ' || query INTO plan;
	RETURN (plan #>> '{0,Plan,Temp Written Blocks}')::int;
END $$;
SET work_mem = '1MB';
SELECT life_spilled('SELECT hashemb_train(''{"method":"class"}'', x, label, first ORDER BY x[1]) FROM life_rows, life_models') < 100 AS by_reference;
RESET work_mem;
SELECT count(*) AS groups, count(DISTINCT m) AS models FROM (SELECT hashemb_train('{"method":"class"}', x, label, CASE WHEN id % 2 = 0 THEN first ELSE grown END ORDER BY id) AS m FROM life_rows, life_models GROUP BY id % 2) AS s;
SELECT hashemb_train('{"method":"class"}', x, label, CASE WHEN id % 2 = 0 THEN first ELSE grown END ORDER BY id) FROM life_rows, life_models;
SELECT hashemb_train('{"method":"class"}', x, label, CASE WHEN id % 2 = 0 THEN first END ORDER BY id) FROM life_rows, life_models;
SELECT hashemb_train('{"method":"class","lifelong":true}', x, label, NULL ORDER BY id) = (SELECT hashemb_train('{"method":"class","lifelong":true}', x, label ORDER BY id) FROM life_rows) AS none FROM life_rows;
SELECT hashemb_train('{"method":"itq"}', x, label, first) FROM life_rows, life_models;
SELECT hashemb_train(jsonb_build_object('method', 'class', 'base', first::text), x, label, first) FROM life_rows, life_models GROUP BY first::text;
-- The trigger of the documentation with the new encoder: codes that are there stay, where the embedding does
CREATE TABLE life_stored AS SELECT id, x, hashemb_encode(first, x) AS code FROM life_rows, life_models WHERE NOT later AND id < 300;
CREATE TABLE life_before AS SELECT id, code FROM life_stored;
CREATE FUNCTION life_code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND NEW.x IS DISTINCT FROM OLD.x THEN
		NEW.code := NULL;
	END IF;
	IF NEW.code IS NULL THEN
		NEW.code := hashemb_encode((SELECT grown FROM life_models), NEW.x);
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER life_code BEFORE INSERT OR UPDATE OF x, code ON life_stored FOR EACH ROW EXECUTE FUNCTION life_code();
SELECT bool_or(hashemb_encode(grown, x) <> code) AS encoded_again_they_differ FROM life_stored, life_models;
UPDATE life_stored SET x = x;
INSERT INTO life_stored SELECT -id, x, code FROM life_stored WHERE id < 20;
SELECT count(*) FILTER (WHERE s.code <> b.code) AS changed, count(*) > 100 AS rows FROM life_stored s JOIN life_before b ON b.id = abs(s.id);
UPDATE life_stored SET code = NULL WHERE id < 10;
UPDATE life_stored SET x = (SELECT array_agg(v + 1 ORDER BY i) FROM unnest(x) WITH ORDINALITY AS u(v, i)) WHERE id BETWEEN 10 AND 19;
INSERT INTO life_stored (id, x) SELECT 1000 + id, x FROM life_rows WHERE later AND id < 30;
SELECT bool_and(s.code = hashemb_encode(grown, s.x)) AS new_ones FROM life_stored s, life_models WHERE id BETWEEN 1 AND 19 OR id > 1000;
DROP TABLE life_stored, life_before;
DROP FUNCTION life_code, life_spilled;
-- in steps, a label at a time: sums are added, so the way there hardly matters; one row is enough
CREATE TABLE life_steps AS SELECT first AS m, 5 AS label FROM life_models;
DO $$
BEGIN
	FOR i IN 6..9 LOOP
		INSERT INTO life_steps SELECT hashemb_train(jsonb_build_object('method', 'class', 'base', m::text), x, r.label ORDER BY id), i
		FROM life_steps s, life_rows r WHERE s.label = i - 1 AND NOT asks AND r.label = i GROUP BY m::text;
	END LOOP;
END $$;
SELECT w.whole > 0.9 AS whole, (hashemb_info(m)).rows = (SELECT count(*) FROM life_rows WHERE NOT asks) AS rows FROM life_steps, life_map(m) AS w WHERE label = 9;
SELECT (hashemb_info(hashemb_train(jsonb_build_object('method', 'class', 'base', first::text), x, label))).rows - (hashemb_info(first)).rows AS one FROM life_models, life_rows WHERE id = 6 GROUP BY first::text, (hashemb_info(first)).rows;
-- rows of old labels go on being learnt: half and half is as the whole at once, but for rounding
SELECT avg(hashemb_encode(m, x) <~> hashemb_encode(plain, x)) < 0.05 AS as_at_once
FROM life_rows, life_models, (SELECT hashemb_train(jsonb_build_object('method', 'class', 'base', half::text), x, label ORDER BY id) AS m
	FROM life_rows, (SELECT hashemb_train('{"method":"class","bits":32,"lifelong":true}', x, label ORDER BY id) AS half FROM life_rows WHERE NOT asks AND NOT later AND id <= 600) AS s
	WHERE NOT asks AND NOT later AND id > 600 GROUP BY half::text) AS t
WHERE asks;
-- what is kept survives text and jsonb
SELECT hashemb_import(hashemb_export(first)) = first AS jsonb, first::text::hashemb_model = first AS text FROM life_models;
-- base's scaling and its hash of sparse vectors are followed
SELECT (hashemb_export(grown)->'flags') AS flags, hashemb_export(grown) #>> '{views,0,seed}' AS seed, hashemb_export(grown) #>> '{views,0,features}' AS features
FROM (SELECT hashemb_train(jsonb_build_object('method', 'class', 'base', old::text, 'seed', 3), ('{' || id % 7 + 1 || ':1,' || 2000 + id % 5 || ':2}/5000')::svec, label) AS grown
	FROM life_rows, (SELECT hashemb_train('{"method":"class","bits":8,"features":64,"normalize":true,"lifelong":true,"seed":7}', ('{' || id % 7 + 1 || ':1,' || 2000 + id % 5 || ':2}/5000')::svec, label) AS old FROM life_rows) AS s
	GROUP BY old::text) AS t;

-- what is refused
SELECT hashemb_train(jsonb_build_object('method', 'class', 'base', plain::text), x, label) FROM life_models, life_rows GROUP BY plain::text;
SELECT hashemb_train(jsonb_build_object('method', 'class', 'base', first::text), x[2:], label) FROM life_models, life_rows GROUP BY first::text;
SELECT hashemb_train(jsonb_build_object('method', 'class', 'base', first::text, 'bits', 16), x, label) FROM life_models, life_rows GROUP BY first::text;
SELECT hashemb_train(jsonb_build_object('method', 'class', 'base', first::text, 'normalize', true), x, label) FROM life_models, life_rows GROUP BY first::text;
SELECT hashemb_train(jsonb_build_object('method', 'pca', 'base', first::text), x) FROM life_models, life_rows GROUP BY first::text;
SELECT hashemb_train(jsonb_build_object('method', 'fit', 'base', first::text), x, binarize(x)) FROM life_models, life_rows GROUP BY first::text;
-- sums that were tampered with: every byte of their head, and cut
CREATE FUNCTION life_damage(damaged text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM hashemb_train(jsonb_build_object('method', 'class', 'base', hashemb_import(jsonb_set(hashemb_export(first), '{note}', to_jsonb(damaged)))::text), x, label)
	FROM life_models, life_rows WHERE id <= 20 GROUP BY first::text;
	RETURN 'trained';
EXCEPTION WHEN others THEN
	RETURN sqlerrm;
END $$;
CREATE TABLE life_note AS SELECT hashemb_export(first)->>'note' AS note FROM life_models;
SELECT life_damage(overlay(note placing 'ff' from 2 * i + 1 for 2)) AS result, count(*), min(i) FROM life_note, generate_series(0, 31) AS i GROUP BY 1 ORDER BY 3;
SELECT life_damage(left(note, -8)), life_damage(note || '00000000'), life_damage(''), life_damage(repeat('ff', length(note) / 2)) FROM life_note;
SELECT life_damage(overlay(note placing '0000c07f' from 2 * (24 + 8 * 80) + 1 for 8)) AS not_a_number FROM life_note;
DROP TABLE life_centers, life_rows, life_models, life_steps, life_note;
DROP FUNCTION life_normals, life_map, life_damage;
