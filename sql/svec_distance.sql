-- svec: distances, against the same formulas written in SQL
SELECT '{1:1,3:2}/3'::svec <#> '{2:5,3:4}/3' AS negative_ip,
	inner_product('{1:1,3:2}/3'::svec, '{2:5,3:4}/3'),
	negative_inner_product('{1:1,3:2}/3'::svec, '{2:5,3:4}/3') AS same;
SELECT '{1:3}/2'::svec <=> '{1:3}/2' AS same, '{1:3}/2'::svec <=> '{1:-1}/2' AS opposite,
	'{1:3}/2'::svec <=> '{2:7}/2' AS orthogonal,
	cosine_distance('{1:1,2:1}/2', '{1:1}/2'::svec) AS diagonal;
SELECT '{1:3}/2'::svec <-> '{2:4}/2' AS l2, l2_distance('{1:3}/2'::svec, '{2:4}/2'),
	'{1:3}/2'::svec <+> '{2:4}/2' AS l1, l1_distance('{1:3}/2'::svec, '{2:4}/2');
SELECT l2_norm('{1:3,2:4}/2'::svec), l2_norm('{}/2'::svec);

-- 0, never -0, and NaN after all numbers but before NULL
SELECT '{1:1}/2'::svec <#> '{2:1}/2' AS zero, '{1:1,2:1}/2'::svec <#> '{1:1,2:-1}/2' AS zero,
	'{}/2'::svec <#> '{}/2' AS zero, inner_product('{}/2'::svec, '{}/2') AS zero;
SELECT v, v <=> '{1:1}/2'::svec AS cosine FROM
	(VALUES ('{}/2'::svec), (NULL), ('{1:-1}/2'), ('{1:2}/2')) t(v) ORDER BY cosine;

-- dimensions must agree
SELECT '{1:1}/2'::svec <#> '{1:1}/3';
SELECT '{1:1}/2'::svec <=> '{1:1}/3';
SELECT '{1:1}/2'::svec <-> '{1:1}/3';
SELECT '{1:1}/2'::svec <+> '{1:1}/3';
SELECT * FROM score_terms('{1:1}/2', '{1:1}/3');
SELECT NULL::svec <#> '{1:1}/3' AS "null";

-- the widest values a weight can have neither overflow nor vanish
SELECT v <#> v AS ip, v <=> v AS cosine, v <-> (v * -1) AS l2, v <+> (v * -1) AS l1,
	l2_norm(v) FROM (VALUES ('{1:3e38,2:-3e38}/2'::svec), ('{1:1e-45,2:2e-45}/2')) t(v);
SELECT '{1:3e38}/2'::svec <=> '{1:1e-45}/2' AS far_apart;

-- random pairs of very different lengths, so that each way to merge is taken
CREATE FUNCTION svec_random(dims int, nnz int) RETURNS svec
	LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(svec_agg(1 + floor(random() * $1)::int, random() - 0.5, $1),
		svec('{}'::int[], '{}'::real[], $1))
	FROM generate_series(1, $2)
$$;
\echo seed 0.5
SELECT setseed(0.5);
CREATE TABLE svec_pairs AS
	SELECT i AS id, svec_random(d, a) AS a, svec_random(d, b) AS b
	FROM (SELECT i, 1 + (i * 37) % 900 AS d, (i * 7) % 60 AS a,
		(i * i) % 97 * (1 + (i % 7 / 6) * 30) AS b
		FROM generate_series(1, 400) i) s;
SELECT min(nnz(a)), max(nnz(a)), min(nnz(b)), max(nnz(b)),
	count(*) FILTER (WHERE a <#> b <> 0) AS overlapping FROM svec_pairs;

CREATE VIEW svec_terms AS
	SELECT id, i, coalesce(x, 0)::float8 AS x, coalesce(y, 0)::float8 AS y
	FROM svec_pairs p, LATERAL (SELECT i, x, y FROM
		(SELECT * FROM unnest(indices(a), weights(a)) u(i, x)) l
		FULL JOIN (SELECT * FROM unnest(indices(b), weights(b)) u(i, y)) r
		USING (i)) t;
-- added up by rising dimension, the products give the same bits
SELECT count(*) AS differing FROM svec_pairs p WHERE (a <#> b) IS DISTINCT FROM
	0 - coalesce((SELECT sum(x * y ORDER BY i) FROM svec_terms t WHERE t.id = p.id), 0);
SELECT count(*) AS differing FROM svec_pairs p WHERE (a <=> b) IS DISTINCT FROM
	(SELECT CASE WHEN sum(x * x) > 0 AND sum(y * y) > 0 THEN
		1 - sum(x * y ORDER BY i) / sqrt(sum(x * x ORDER BY i) * sum(y * y ORDER BY i))
		ELSE 'NaN' END FROM svec_terms t WHERE t.id = p.id);
SELECT count(*) AS differing FROM svec_pairs p WHERE (a <-> b) IS DISTINCT FROM
	coalesce((SELECT sqrt(sum((x - y) * (x - y) ORDER BY i)) FROM svec_terms t WHERE t.id = p.id), 0);
SELECT count(*) AS differing FROM svec_pairs p WHERE (a <+> b) IS DISTINCT FROM
	coalesce((SELECT sum(abs(x - y) ORDER BY i) FROM svec_terms t WHERE t.id = p.id), 0);
SELECT count(*) AS differing FROM svec_pairs p WHERE l2_norm(a) IS DISTINCT FROM
	coalesce((SELECT sqrt(sum(x * x ORDER BY i)) FROM svec_terms t WHERE t.id = p.id), 0);
-- symmetric, and zero from itself
SELECT count(*) AS asymmetric FROM svec_pairs WHERE (a <#> b) <> (b <#> a)
	OR (a <=> b) <> (b <=> a) OR (a <-> b) <> (b <-> a) OR (a <+> b) <> (b <+> a);
SELECT count(*) AS apart FROM svec_pairs
	WHERE (a <-> a) <> 0 OR (a <+> a) <> 0 OR (nnz(a) > 0 AND (a <=> a) <> 0);

-- the rows of score_terms add up to the inner product, in their order
SELECT * FROM score_terms('{1:1,2:-5,3:5,9:2}/9', '{2:2,3:7,4:1,9:0.5}/9');
SELECT * FROM score_terms('{1:1}/9', '{2:1}/9');
SELECT count(*) AS differing FROM svec_pairs WHERE inner_product(a, b) IS DISTINCT FROM
	coalesce((SELECT sum(contribution) FROM score_terms(a, b)), 0);
SELECT count(*) AS out_of_order FROM svec_pairs, LATERAL
	(SELECT dim, lag(dim) OVER () AS before FROM score_terms(a, b)) t WHERE before >= dim;
SELECT dim FROM score_terms('{1:1,2:-5,3:5}/4', '{1:2,2:2,3:7}/4') LIMIT 1;

DROP VIEW svec_terms;
DROP TABLE svec_pairs;
DROP FUNCTION svec_random;
