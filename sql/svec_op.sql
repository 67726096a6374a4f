-- svec: order, equality, arithmetic, parts
-- by number of dimensions, then as dense vectors compare
CREATE TABLE svec_order (id int, v svec);
INSERT INTO svec_order VALUES
	(1, '{1:1}/2'), (2, '{1:1}/1'), (3, '{}/2'), (4, '{1:-1}/2'), (5, '{2:1}/2'),
	(6, '{2:-1}/2'), (7, '{1:1,2:1}/2'), (8, '{1:1,2:-1}/2'), (9, '{1:2}/2'),
	(10, NULL), (11, '{}/1'), (12, '{1:-9}/10'), (13, '{1:1}/2');
SELECT id, v FROM svec_order ORDER BY v, id;
SELECT id, v FROM svec_order ORDER BY v DESC, id;
-- the same order as that of arrays, where dimensions agree
\echo seed 0.125
SELECT setseed(0.125);
CREATE TABLE svec_random AS SELECT i AS id, 1 + floor(random() * 5)::int AS dim,
	floor(random() * 5) - 2 AS weight FROM generate_series(1, 60) i, generate_series(1, 4);
CREATE TABLE svec_small AS SELECT id, v, v::real[] AS dense FROM
	(SELECT id, svec_agg(dim, weight, 5) AS v FROM svec_random GROUP BY id) s;
SELECT count(DISTINCT v) > 20 AS various FROM svec_small;
SELECT count(*) AS differing FROM svec_small a, svec_small b WHERE
	(a.v < b.v) <> (a.dense < b.dense) OR (a.v <= b.v) <> (a.dense <= b.dense) OR
	(a.v = b.v) <> (a.dense = b.dense) OR (a.v <> b.v) <> (a.dense <> b.dense) OR
	(a.v >= b.v) <> (a.dense >= b.dense) OR (a.v > b.v) <> (a.dense > b.dense) OR
	sign(svec_cmp(a.v, b.v)) <> (a.dense > b.dense)::int - (a.dense < b.dense)::int;
SELECT count(*) AS differing FROM svec_small a, svec_small b
	WHERE a.v = b.v AND (svec_hash(a.v) <> svec_hash(b.v)
		OR svec_hash_extended(a.v, 7) <> svec_hash_extended(b.v, 7));
SELECT count(*) AS differing FROM svec_small
	WHERE (svec_hash_extended(v, 0) & 4294967295) <> (svec_hash(v)::bigint & 4294967295);
SELECT count(DISTINCT svec_hash(v)) = count(DISTINCT v) AS spread,
	count(DISTINCT svec_hash_extended(v, 1)) = count(DISTINCT v) AS spread,
	bool_or(svec_hash_extended(v, 1) <> svec_hash_extended(v, 2)) AS seeded FROM svec_small;

-- B-tree and hash indexes, joins, DISTINCT, GROUP BY
CREATE INDEX svec_small_btree ON svec_small USING btree (v);
CREATE INDEX svec_small_hash ON svec_small USING hash (v);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM svec_small WHERE v < '{1:-1}/5' ORDER BY v;
SELECT count(*) = (SELECT count(*) FROM svec_small WHERE dense < '{-1,0,0,0,0}') AS agree
	FROM svec_small WHERE v < '{1:-1}/5';
DROP INDEX svec_small_btree;
EXPLAIN (COSTS OFF) SELECT id FROM svec_small WHERE v = '{1:-1}/5';
SELECT count(*) FROM svec_small s WHERE NOT EXISTS
	(SELECT FROM svec_small t WHERE t.v = s.v);
RESET enable_seqscan;
RESET enable_bitmapscan;
SET enable_mergejoin = off;
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM svec_small a JOIN svec_small b USING (v);
SELECT count(*) = (SELECT sum(n * n) FROM (SELECT count(*) AS n FROM svec_small GROUP BY dense) g)
	AS agree FROM svec_small a JOIN svec_small b USING (v);
SET enable_mergejoin = on;
SET enable_hashjoin = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM svec_small a JOIN svec_small b USING (v);
SELECT count(*) = (SELECT sum(n * n) FROM (SELECT count(*) AS n FROM svec_small GROUP BY dense) g)
	AS agree FROM svec_small a JOIN svec_small b USING (v);
RESET ALL;
SELECT opcname, opcdefault, amvalidate(o.oid) FROM pg_opclass o
	WHERE opcintype = 'svec'::regtype AND opcname IN ('svec_btree_ops', 'svec_hash_ops')
	ORDER BY 1;

-- arithmetic
SELECT '{1:1,3:2}/3'::svec + '{2:5,3:4}/3' AS sum, '{1:1,3:2}/3'::svec - '{2:5,3:2}/3' AS difference,
	'{1:1,3:2}/3'::svec * '{2:5,3:4}/3' AS product;
SELECT '{1:1,3:-2}/3'::svec * 2 AS "int", 0.5 * '{1:1,3:-2}/3'::svec AS "numeric",
	'{1:1,3:-2}/3'::svec * 0.25::real AS "real", -1e0::float8 * '{1:1}/3'::svec AS "float8",
	'{1:1}/3'::svec * 0 AS zero;
SELECT '{}/3'::svec + '{}/3' AS "{}", '{1:5}/3'::svec - '{1:5}/3' AS "{}", '{1:5}/3'::svec * '{}/3' AS "{}";
SELECT '{1:1}/3'::svec + '{1:1}/4';
SELECT '{1:1}/3'::svec - '{1:1}/4';
SELECT '{1:1}/3'::svec * '{1:1}/4';
SELECT '{1:3e38}/3'::svec + '{1:3e38}/3';
SELECT '{2:-3e38}/3'::svec - '{2:3e38}/3';
SELECT '{3:1e20}/3'::svec * '{3:1e20}/3';
SELECT '{3:1e-30}/3'::svec * '{3:1e-30}/3';
SELECT '{1:1e20}/3'::svec * 1e20;
SELECT 1e-300 * '{1:1e20}/3'::svec;
SELECT '{1:1}/3'::svec * 'NaN'::float8;
SELECT '-Infinity'::float8 * '{}/3'::svec;
-- a sum may not have more weights than a vector can
SELECT svec(array_agg(i), array_agg(1), 200000) + svec(array_agg(i + 65535), array_agg(1), 200000)
	FROM generate_series(1, 65535) i;
SELECT nnz(svec(array_agg(i), array_agg(1), 200000) - svec(array_agg(i), array_agg(2), 200000))
	FROM generate_series(1, 65535) i;
-- against dense arithmetic
CREATE FUNCTION svec_zip(a real[], b real[], op text) RETURNS real[] LANGUAGE sql AS $$
	SELECT array_agg(CASE op WHEN '+' THEN x + y WHEN '-' THEN x - y ELSE x * y END ORDER BY o)
	FROM unnest(a, b) WITH ORDINALITY u(x, y, o)
$$;
SELECT count(*) AS differing FROM svec_small a, svec_small b WHERE
	(a.v + b.v)::real[] <> svec_zip(a.dense, b.dense, '+') OR
	(a.v - b.v)::real[] <> svec_zip(a.dense, b.dense, '-') OR
	(a.v * b.v)::real[] <> svec_zip(a.dense, b.dense, '*') OR
	a.v + b.v <> b.v + a.v OR a.v * b.v <> b.v * a.v OR a.v * 3 <> 3 * a.v;

-- normalizing
SELECT l2_normalize('{1:3,2:4}/2'::svec), l2_normalize('{}/2'::svec),
	l2_normalize('{1:3e38,2:-3e38}/2'::svec), l2_normalize('{1:1e-45}/2'::svec);
SELECT l2_normalize('{1:1,2:3e38}/2'::svec) AS kept, l2_normalize('{1:1e-10,2:3e38}/2'::svec) AS vanished;
SELECT count(*) AS not_normal FROM svec_small
	WHERE nnz(v) > 0 AND abs(l2_norm(l2_normalize(v)) - 1) > 1e-7;

-- parts
SELECT dims(v), nnz(v), indices(v), weights(v), svec(indices(v), weights(v), dims(v)) = v AS same
	FROM (VALUES ('{1:0.5,30:1.25}/30522'::svec), ('{}/7')) t(v);
SELECT dims(NULL::svec), nnz(NULL::svec), indices(NULL::svec), weights(NULL::svec);

-- the largest weights
SELECT k, top('{1:1,2:-5,3:5,4:2,6:5}/7', k) FROM generate_series(0, 6) k;
SELECT top('{1:1}/7', 2147483647), top('{}/7', 3);
SELECT top('{1:1}/7', -1);
SELECT m, prune('{1:1,2:-5,3:5,4:2,6:5,7:2}/7', m)
	FROM unnest('{0,0.1,0.25,0.26,0.5,0.75,0.8,0.95,0.96,1}'::float8[]) m;
SELECT prune('{}/7', 0.5), prune('{1:3e38,2:3e38}/2', 0.5), prune('{1:1e-45,2:1}/2', 1);
SELECT prune('{1:1}/7', -0.1);
SELECT prune('{1:1}/7', 1.1);
SELECT prune('{1:1}/7', 'NaN');
-- fewest: one weight less would not do; largest: none left out is larger
SELECT count(*) AS wrong FROM svec_small, unnest('{0.3,0.5,0.9}'::float8[]) m,
	LATERAL (SELECT prune(v, m) AS p) p,
	LATERAL (SELECT sum(abs(w)) AS total FROM unnest(weights(v)) w) t,
	LATERAL (SELECT sum(abs(w)) AS kept, min(abs(w)) AS least FROM unnest(weights(p)) w) k,
	LATERAL (SELECT max(abs(w)) AS left_out FROM unnest(weights(v - p)) w) l
	WHERE nnz(v) > 0 AND (kept < m * total OR kept - least >= m * total OR left_out > least);
SELECT count(*) AS wrong FROM svec_small, generate_series(0, 5) k
	WHERE top(v, k) <> coalesce((SELECT svec_agg(i, w, 5) FROM (SELECT i, w
		FROM unnest(indices(v), weights(v)) u(i, w) ORDER BY abs(w) DESC, i LIMIT k) s),
		'{}/5');

DROP TABLE svec_order, svec_random, svec_small;
DROP FUNCTION svec_zip;
