-- prefixes: a part that is noise does not spoil longer codes, however much less than the others it varies
\set seed 0.25
\echo seed :seed
SELECT setseed(:seed);
CREATE FUNCTION parts_normals(n int) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) FROM generate_series(1, n) $$;
CREATE TABLE parts_centers AS SELECT c, parts_normals(32) AS v FROM generate_series(1, 40) AS c;
CREATE TABLE parts_rows AS
WITH r AS MATERIALIZED (SELECT id, (SELECT array_agg(a + 0.7 * b ORDER BY i) FROM unnest(v, e) WITH ORDINALITY AS u(a, b, i)) AS x, parts_normals(16 + 0 * id) AS noise
	FROM (SELECT id, parts_normals(32 + 0 * id) AS e FROM generate_series(1, 2000) AS id) AS s JOIN parts_centers ON c = 1 + id % 40)
SELECT size, id, (x[:16] || (SELECT array_agg(size * e ORDER BY i) FROM unnest(noise) WITH ORDINALITY AS u(e, i)) || x[17:])::real[] AS x
FROM r, unnest('{0.5,0.35,0.27,0.2,0.1,0.03}'::float8[]) AS size;
-- share of the ten nearest between codes, of all dimensions or of those that are not noise
CREATE FUNCTION parts_share(of float8, spec jsonb, noise bool) RETURNS float8 LANGUAGE sql AS $$
	WITH r AS MATERIALIZED (SELECT id, x, CASE WHEN noise THEN x ELSE x[:16] || x[33:] END AS z FROM parts_rows WHERE size = of),
		m AS MATERIALIZED (SELECT hashemb_train(spec, z ORDER BY id) AS m FROM r), codes AS MATERIALIZED (SELECT id, hashemb_encode(m, z) AS c FROM r, m)
	SELECT recall_at(ARRAY(SELECT c.id FROM codes c WHERE c.id <> k.id ORDER BY c.c <=> k.c, c.id LIMIT 10),
		ARRAY(SELECT r.id FROM r WHERE r.id <> k.id ORDER BY cosine_distance(q.x, r.x), r.id LIMIT 10)) FROM r q JOIN codes k USING (id) WHERE id % 20 = 0 $$;
SELECT spec->>'method' AS method, size, parts_share(size, spec || '{"prefixes":[16,32,48]}', true) > parts_share(size, spec || '{"prefixes":[16,32]}', false) - 0.04 AS holds
FROM (SELECT DISTINCT size FROM parts_rows) AS s, unnest(ARRAY['{"method":"itq","iterations":5}', '{"method":"random"}']::jsonb[]) AS spec ORDER BY 1, 2;
DROP TABLE parts_centers, parts_rows;
DROP FUNCTION parts_normals, parts_share;
