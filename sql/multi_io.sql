-- Lists of tokens: reading them, MaxSim, encodings.  Random tests print their seed.
\set VERBOSITY terse
SELECT maxsim('{{1,0},{0,1}}'::real[], '{{1,0},{0.5,0.5}}'::real[]) AS sum,
	'{{1,0},{0,1}}'::real[] @# '{{1,0},{0.5,0.5}}' AS distance,
	'{{1,0},{0,1}}'::real[] @# '{{1,0},{0.5,0.5}}'::float8[] AS double_query;
-- the document stands on the left
SELECT maxsim('{{1,0}}'::real[], '{{1,0},{1,0}}'::real[]) AS document_of_one,
	maxsim('{{1,0},{1,0}}'::real[], '{{1,0}}'::real[]) AS query_of_one;
-- codes: each bit stands for -1 or 1; queries of codes or of floats
SELECT maxsim('{1100,0011}'::bincode[], '{1100,1010}'::bincode[]) AS codes,
	maxsim('{1100,0011}'::bincode[], '{{1,1,-1,-1},{0.5,0,0,0.25}}'::real[]) AS floats,
	'{1100,0011}'::bincode[] @# '{{0.5,0,0,0.25}}'::float8[] AS double_query,
	maxsim('{03/2,12/2}'::bincode[], '{30/2}'::bincode[]) AS two_bits;
-- empty documents come after all numbers, NULL last of all
SELECT id, tokens @# '{{1,0}}' AS distance
FROM (VALUES (1, NULL::real[]), (2, '{}'), (3, '{{-5,0}}'), (4, '{{5,0}}')) t(id, tokens)
ORDER BY 2, 1;
SELECT maxsim('{{1,0}}'::real[], '{}'::real[]) AS empty_query, maxsim('{}'::real[], '{}'::real[]) AS both,
	maxsim('{}'::bincode[], '{{1}}'::real[]) AS codes;
SELECT l2_normalize('{{3,4},{0,0},{0,-2}}'::real[]) AS real, l2_normalize('{{3,4},{0,1}}'::int[]) AS int,
	pg_typeof(l2_normalize('{{1}}'::numeric[])) AS type, l2_normalize('{}'::real[]) AS empty;

-- against its definition
SELECT setseed(0.19), 0.19 AS seed;
CREATE TEMP TABLE lists AS
SELECT g AS id, (SELECT array_agg(token) FROM (SELECT (SELECT array_agg((random() - 0.5)::real)
		FROM generate_series(1, 1 + g % 37) AS c WHERE t > 0) AS token
	FROM generate_series(1, 1 + (random() * 8)::int) AS t) AS s) AS tokens
FROM generate_series(1, 200) AS g;
CREATE FUNCTION plain_maxsim(d real[], q real[]) RETURNS float8 LANGUAGE sql AS $$
	SELECT sum(best) FROM (SELECT max(p) AS best FROM (
		SELECT i, j, sum(d[j][c]::float8 * q[i][c]) AS p
		FROM generate_subscripts(q, 1) AS i, generate_subscripts(d, 1) AS j, generate_subscripts(q, 2) AS c
		GROUP BY i, j) AS products GROUP BY i) AS greatest $$;
SELECT count(*) AS pairs, count(*) FILTER (WHERE abs(maxsim(a.tokens, b.tokens)
	- plain_maxsim(a.tokens, b.tokens)) > 1e-5) AS wrong
FROM lists a JOIN lists b ON b.id = a.id + 37;
-- codes by levels, for every number of bits
SELECT bits, count(*) FILTER (WHERE maxsim(d, q) <> (SELECT sum(best) FROM (SELECT max(inner_product(x, y)) AS best
	FROM unnest(d) AS x, unnest(q) WITH ORDINALITY AS qs(y, n) GROUP BY n) AS s)) AS wrong
FROM (SELECT b AS bits, (SELECT array_agg(code) FROM (SELECT (string_agg(floor(random() * 2 ^ (b + 0 * i))::text, '') || '/' || b)::bincode AS code
		FROM generate_series(1, 4) AS t, generate_series(1, 21) AS i WHERE g > 0 GROUP BY t) AS c) AS d,
	(SELECT array_agg(code) FROM (SELECT (string_agg(floor(random() * 2 ^ (b + 0 * i))::text, '') || '/' || b)::bincode AS code
		FROM generate_series(1, 3) AS t, generate_series(1, 21) AS i WHERE g > 0 GROUP BY t) AS c) AS q
	FROM generate_series(1, 3) AS b, generate_series(1, 20) AS g) AS s
GROUP BY bits ORDER BY bits;
-- every level of kernels gives the same
CREATE FUNCTION sum_at(level text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('hashemb.simd', level, true);
	RETURN (SELECT md5(string_agg(maxsim(a.tokens, b.tokens)::text, ' ' ORDER BY a.id))
		FROM lists a JOIN lists b ON b.id = a.id + 37);
END $$;
SELECT sum_at('scalar') = sum_at('auto') AS same;

-- what is refused
SELECT '{1,2}'::real[] @# '{{1,2}}'::real[];
SELECT '{{1,2}}'::real[] @# '{1,2}'::real[];
SELECT '{{{1,2}}}'::real[] @# '{{1,2}}'::real[];
SELECT '{{1,2},{3}}'::real[] @# '{{1,2}}';
SELECT '{{1,2}}'::real[] @# '{{1,2,3}}'::real[];
SELECT '{{1,NULL}}'::real[] @# '{{1,2}}';
SELECT '{{1,2},{3,NaN}}'::real[] @# '{{1,2}}';
SELECT '{{1,2}}'::real[] @# '{{-Infinity,2}}';
SELECT '{{1,2}}'::real[] @# '{{1e300,2}}'::float8[];
SELECT '{{3e38,3e38}}'::real[] @# '{{3e38,3e38}}';
SELECT maxsim(array_fill(1::real, ARRAY[65536, 1]), '{{1}}'::real[]);
SELECT '{101,10}'::bincode[] @# '{101}'::bincode[];
SELECT '{101,NULL}'::bincode[] @# '{101}'::bincode[];
SELECT '{{101},{111}}'::bincode[] @# '{101}'::bincode[];
SELECT '{101}'::bincode[] @# '{{1,0}}'::real[];
SELECT '{101}'::bincode[] @# '{1010}'::bincode[];
SELECT l2_normalize('{{1,NaN}}'::real[]);

-- encodings: numbers by repetition, cell and component
SELECT array_length(muvera_encode('{{1,2,3}}', 'query'), 1) AS plain,
	array_length(muvera_encode('{{1,2,3}}', 'document', '{"repetitions": 3, "planes": 2, "projection": 0}'), 1) AS identity,
	array_length(muvera_encode('{{1,2,3}}', 'document', '{"final": 100}'), 1) AS final,
	muvera_encode('{}', 'query') IS NULL AS empty;
-- one cell: a query's sum, a document's mean
SELECT muvera_encode('{{1,2},{3,6}}', 'query', '{"repetitions": 1, "planes": 0, "projection": 0}') AS query,
	muvera_encode('{{1,2},{3,6}}', 'document', '{"repetitions": 1, "planes": 0, "projection": 0}') AS document;
-- cells in Gray order: cell c has the sides c # (c >> 1), so that of a document of
-- one token every cell is filled with it, and without filling one; a query's
-- tokens t and -t lie on opposite sides of every plane, in cells whose Gray codes
-- are complements
WITH e AS (SELECT p AS planes, seed, muvera_encode('{{1,0.3,-0.2},{-1,-0.3,0.2}}', 'query',
		jsonb_build_object('repetitions', 1, 'planes', p, 'projection', 0, 'seed', seed)) AS e
	FROM generate_series(1, 6) AS p, generate_series(1, 50) AS seed),
cells AS (SELECT planes, seed, array_agg(((i - 1) / 3)::int ORDER BY i) AS c
	FROM e, unnest(e) WITH ORDINALITY AS u(x, i) WHERE x <> 0 AND i % 3 = 1 GROUP BY 1, 2)
SELECT planes, count(*) AS encodings, count(*) FILTER (WHERE cardinality(c) <> 2
	OR (c[1] # (c[1] >> 1)) # (c[2] # (c[2] >> 1)) <> (1 << planes) - 1) AS wrong
FROM cells GROUP BY planes ORDER BY planes;
-- an empty cell takes the document's token that fewest planes divide from it
CREATE FUNCTION cell_parts(tokens real[], spec jsonb) RETURNS TABLE (cell int, part real[]) LANGUAGE sql AS $$
	SELECT ((i - 1) / cardinality(tokens[1:1]))::int, array_agg(x ORDER BY i)
	FROM unnest(muvera_encode(tokens, 'document', spec)) WITH ORDINALITY AS u(x, i) GROUP BY 1 $$;
WITH lists AS (SELECT id, tokens[1:least(array_length(tokens, 1), 4)] AS tokens, p, jsonb_build_object('repetitions', 1,
		'planes', p, 'projection', 0, 'seed', id) AS spec
	FROM lists, generate_series(3, 6) AS p WHERE id % 37 BETWEEN 2 AND 9),
own AS (SELECT id, p, t, cell FROM lists, generate_subscripts(tokens, 1) AS t,
	cell_parts(tokens[t:t], spec || '{"fill": false}') AS c(cell, part) WHERE part <> array_fill(0::real, ARRAY[cardinality(part)])),
expected AS (SELECT l.id, l.p, c AS cell,
	(SELECT array_agg(bit_count_of ORDER BY o.t) FROM own o, LATERAL (SELECT length(replace(((o.cell # (o.cell >> 1)) # (c # (c >> 1)))::bit(8)::text, '0', '')) AS bit_count_of) AS b
		WHERE o.id = l.id AND o.p = l.p) AS planes, l.tokens, l.spec
	FROM lists l, generate_series(0, (1 << l.p) - 1) AS c)
SELECT e.p AS planes, count(*) AS empty_cells, count(*) FILTER (WHERE part IS DISTINCT FROM (
	SELECT array_agg(x) FROM unnest(e.tokens[array_position(e.planes, (SELECT min(m) FROM unnest(e.planes) AS m))
		:array_position(e.planes, (SELECT min(m) FROM unnest(e.planes) AS m))]) AS x)) AS wrong
FROM expected e JOIN LATERAL cell_parts(e.tokens, e.spec) AS c ON c.cell = e.cell
WHERE NOT 0 = ANY (e.planes) GROUP BY e.p ORDER BY e.p;
-- without projection no seed gives more than MaxSim
SELECT count(*) AS encodings, count(*) FILTER (WHERE inner_product(muvera_encode(d.tokens, 'document', spec),
		muvera_encode(q.tokens, 'query', spec)) / 4 > maxsim(d.tokens, q.tokens) + 1e-5) AS above
FROM lists d JOIN lists q ON q.id = d.id + 37, generate_series(1, 25) AS seed,
	LATERAL (SELECT jsonb_build_object('repetitions', 4, 'planes', seed % 6, 'projection', 0, 'seed', seed) AS spec) AS s;
-- and the order is nearly that of MaxSim: 80 tokens around a document's own
-- middle, 32 of another one as the query
CREATE TEMP TABLE documents AS
SELECT g AS id, (SELECT l2_normalize(array_agg(token)) FROM (SELECT (SELECT array_agg((m + (random() - 0.5) * 0.5)::real ORDER BY c)
		FROM unnest(middle) WITH ORDINALITY AS u(m, c) WHERE t > 0) AS token
	FROM generate_series(1, 80) AS t) AS s) AS tokens
FROM (SELECT g, array_agg(CASE WHEN c <= 16 THEN random() - 0.5 ELSE 0 END ORDER BY c) AS middle
	FROM generate_series(1, 150) AS g, generate_series(1, 64) AS c GROUP BY g) AS topics;
WITH scores AS (SELECT q.id, final, maxsim(d.tokens, q.tokens[1:32]) AS exact,
		inner_product(muvera_encode(d.tokens, 'document', spec), muvera_encode(q.tokens[1:32], 'query', spec)) AS encoded
	FROM documents d, documents q, (VALUES (0), (2560)) AS f(final),
		LATERAL (SELECT jsonb_build_object('planes', 4, 'projection', 16, 'final', final) AS spec) AS s
	WHERE q.id IN (7, 19, 99)),
ranks AS (SELECT id, final, rank() OVER (PARTITION BY id, final ORDER BY exact) AS a,
	rank() OVER (PARTITION BY id, final ORDER BY encoded) AS b FROM scores)
SELECT final, count(*) AS queries, count(*) FILTER (WHERE spearman >= 0.9) AS good
FROM (SELECT id, final, corr(a, b) AS spearman FROM ranks GROUP BY 1, 2) AS s GROUP BY final ORDER BY final;
-- what is refused
SELECT muvera_encode('{1,2}', 'query');
SELECT muvera_encode('{{1,2}}', 'doc');
SELECT muvera_encode('{{1,2}}', 'query', '[]');
SELECT muvera_encode('{{1,2}}', 'query', '{"reps": 3}');
SELECT muvera_encode('{{1,2}}', 'query', '{"planes": 2.5}');
SELECT muvera_encode('{{1,2}}', 'query', '{"planes": "2"}');
SELECT muvera_encode('{{1,2}}', 'query', '{"repetitions": 0}');
SELECT muvera_encode('{{1,2}}', 'query', '{"fill": 1}');
SELECT muvera_encode('{{1,2}}', 'query', '{"repetitions": 1024, "planes": 16}');
