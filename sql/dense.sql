-- arrays of numbers as vectors, and as the source of codes
SELECT inner_product('{1,2,3}'::real[], '{4,5,6}'), cosine_distance('{1,0}'::real[], '{0,2}'),
	l2_distance('{1,2}'::real[], '{4,6}'), l1_distance('{1,2}'::real[], '{4,-6}'),
	l2_norm('{3,4}'::real[]), l2_normalize('{3,4}'::real[]), dims('{3,4}'::real[]);

-- every pair of types resolves, also untyped, and gives what double gives
CREATE TEMP TABLE kinds (kind text, a text);
INSERT INTO kinds VALUES ('real', '''{1,2,3}''::real[]'),
	('double', '''{1,2,3}''::double precision[]'),
	('numeric', '''{1,2,3}''::numeric[]'), ('integer', '''{1,2,3}''::integer[]'),
	('array of int', 'ARRAY[1, 2, 3]'), ('array of decimals', 'ARRAY[1.0, 2, 3]'),
	('array of floats', 'ARRAY[1e0, 2, 3]'), ('string', '''{1,2,3}'''),
	('domain', '''{1,2,3}''::embedding');
CREATE DOMAIN embedding AS real[];
CREATE FUNCTION value(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE 'SELECT ' || expression INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLERRM;
END $$;
SELECT f, value(format('%s(%s, %s)', f, l.a, r.a)), count(*),
	string_agg(l.kind || ' with ' || r.kind, ', ') FILTER (WHERE l.kind = 'string'
		AND r.kind = 'string') AS untyped
FROM kinds AS l, kinds AS r,
	unnest(ARRAY['inner_product', 'cosine_distance', 'l2_distance', 'l1_distance']) AS f
GROUP BY 1, 2 ORDER BY 1, 2;
SELECT f, value(format('%s %s %s', l.a, f, r.a)), count(*),
	string_agg(l.kind || ' with ' || r.kind, ', ') FILTER (WHERE l.kind = 'string'
		AND r.kind = 'string') AS untyped
FROM kinds AS l, kinds AS r, unnest(ARRAY['<->', '<#>', '<=>']) AS f
GROUP BY 1, 2 ORDER BY 1, 2;
SELECT f, value(format('%s %s %s', l, f, r)), count(*)
FROM unnest(ARRAY['''{1,2,3}''::real[]', '''{1,2,3}''::smallint[]', '''{1,2,3}''::bigint[]']) AS l,
	unnest(ARRAY['''{1,2,3}''::real[]', '''{1,2,3}''::smallint[]', '''{1,2,3}''::bigint[]']) AS r,
	unnest(ARRAY['<->', '<#>', '<=>']) AS f
WHERE l LIKE '%real[]' OR r LIKE '%real[]'
GROUP BY 1, 2 ORDER BY 1, 2;
SELECT f, value(format('%s(%s)', f, a)), count(*), string_agg(kind, ', ' ORDER BY kind)
FROM kinds, unnest(ARRAY['l2_norm', 'l2_normalize', 'dims', 'binarize']) AS f
GROUP BY 1, 2 ORDER BY 1, 2;
SELECT value(format('binarize(%s, %s)', l.a, r.a)), count(*)
FROM kinds AS l, kinds AS r GROUP BY 1;
SELECT pg_typeof(l2_normalize('{1}'::real[])), pg_typeof(l2_normalize('{1}'::float8[])),
	pg_typeof(l2_normalize('{1}'::numeric[])), pg_typeof(l2_normalize('{1}'::int[]));

-- against SQL over the elements, summed in the same order: sixteen lanes, then
-- lane l and l + 8, l and l + 4, l and l + 2, the last two
CREATE FUNCTION lane_sum(terms float8[]) RETURNS float8 LANGUAGE sql AS $$
	SELECT (((l[1] + l[9]) + (l[5] + l[13])) + ((l[3] + l[11]) + (l[7] + l[15]))) +
		(((l[2] + l[10]) + (l[6] + l[14])) + ((l[4] + l[12]) + (l[8] + l[16])))
	FROM (SELECT array_agg((SELECT coalesce(sum(terms[i] ORDER BY i), 0)
			FROM generate_series(lane, cardinality(terms), 16) AS i) ORDER BY lane) AS l
		FROM generate_series(1, 16) AS lane) AS lanes
$$;
\set seed 0.125
\echo seed :seed
SELECT setseed(:seed);
CREATE TEMP TABLE vectors AS
SELECT n, (SELECT array_agg((random() - 0.5)::real) FROM generate_series(1, n)) AS a,
	(SELECT array_agg((random() - 0.5)::real) FROM generate_series(1, n)) AS b
FROM generate_series(1, 200) AS n;
SELECT count(*) AS pairs, count(*) FILTER (WHERE
	inner_product(a, b) <> ip OR inner_product(a::float8[], b::float8[]) <> ip) AS inner_product,
	count(*) FILTER (WHERE cosine_distance(a, b) <>
		1 - greatest(-1, least(1, ip / sqrt(aa * bb)))) AS cosine_distance,
	count(*) FILTER (WHERE l2_distance(a, b) <> sqrt(d2)) AS l2_distance,
	count(*) FILTER (WHERE l1_distance(a, b) <> d1) AS l1_distance,
	count(*) FILTER (WHERE l2_norm(a) <> sqrt(aa)) AS l2_norm,
	count(*) FILTER (WHERE cosine_distance(a, a) <> 0) AS same,
	count(*) FILTER (WHERE abs(l2_norm(l2_normalize(a)) - 1) > 1e-6) AS l2_normalize,
	count(*) FILTER (WHERE l2_normalize(a) <> (SELECT array_agg((x / sqrt(aa))::real
		ORDER BY i) FROM unnest(a) WITH ORDINALITY AS u(x, i))) AS elements
FROM (SELECT a, b, lane_sum(ab) AS ip, lane_sum(aa) AS aa, lane_sum(bb) AS bb,
		lane_sum(d2) AS d2, lane_sum(d1) AS d1
	FROM vectors, LATERAL (
		SELECT array_agg(x::float8 * y ORDER BY i) AS ab, array_agg(x::float8 * x ORDER BY i) AS aa,
			array_agg(y::float8 * y ORDER BY i) AS bb,
			array_agg((x::float8 - y) * (x::float8 - y) ORDER BY i) AS d2,
			array_agg(abs(x::float8 - y) ORDER BY i) AS d1
		FROM unnest(a, b) WITH ORDINALITY AS u(x, y, i)) AS t
	OFFSET 0) AS s;

-- extremes: no overflow on the way, an error where the result itself overflows
SELECT cosine_distance('{1e200,1e200}'::float8[], '{1e300,0}'), cosine_distance('{1e-200,0}'::float8[], '{1e-300,0}'),
	l2_norm('{3e200,4e200}'::float8[]), l2_norm('{3e-200,4e-200}'::float8[]),
	l2_normalize('{3e300,4e300}'::float8[]), l2_distance('{3e200}'::float8[], '{-3e200}'),
	l2_norm('{3e38,3e38}'::real[]), l2_normalize('{3e38,3e38}'::real[]);
SELECT inner_product('{1e200}'::float8[], '{1e200}');
SELECT l1_distance('{1e308}'::float8[], '{-1e308}');
SELECT l2_distance('{1e308}'::float8[], '{-1e308}');
SELECT l2_norm('{1.7e308,1.7e308}'::float8[]);
-- zero and empty
SELECT cosine_distance('{0,0}'::real[], '{1,1}'), cosine_distance('{}'::real[], '{}'),
	inner_product('{}'::real[], '{}'), l2_distance('{}'::real[], '{}'), l2_norm('{}'::int[]),
	l2_normalize('{}'::real[]), l2_normalize('{0,0}'::real[]), dims('{}'::real[]), binarize('{}');
SELECT inner_product(NULL::real[], '{1}'), l2_norm(NULL::real[]), binarize(NULL), binarize('{1}', NULL);
-- what is refused
SELECT inner_product('{1,2}'::real[], '{1}');
SELECT cosine_distance(ARRAY[1, 2], ARRAY[1.5]);
SELECT l2_distance('{1,NULL}'::real[], '{1,2}');
SELECT l1_distance('{1,NaN}'::real[], '{1,2}');
SELECT l2_norm('{Infinity}'::float8[]);
SELECT l2_normalize('{{{1,2},{3,4}}}'::real[]);
SELECT dims('{{1,2},{3,4}}'::real[]);
SELECT inner_product('{1,2}'::numeric[], '{1,-Infinity}');
SELECT l2_norm('{1e400}'::numeric[]);
SELECT l2_norm(ARRAY['a']);

-- numbers may have thousands of digits: the first out of range ends it, and
-- reading can be cancelled before it comes to the last, which is refused
SELECT repeat('1', 5000)::bincode <#> array_fill('1e130000'::numeric, ARRAY[5000]);
SELECT l2_norm('{1}'::numeric[] || array_fill('-1e130000'::numeric, ARRAY[5000]));
SET statement_timeout = '50ms';
SELECT repeat('1', 65535)::bincode <#> (array_fill('1e-16000'::numeric, ARRAY[65534]) || 'NaN'::numeric);
SELECT l2_norm(array_fill('1e-16000'::numeric, ARRAY[65534]) || 'NaN'::numeric);
RESET statement_timeout;

-- codes from arrays: 1 above the threshold, 0 at it or below
SELECT binarize('{-1,0,1}'::real[]), binarize('{-0.0,1e-30}'::real[]), binarize(ARRAY[1, -1, 0]),
	binarize(ARRAY[0.5, 0.6, 0.4], ARRAY[0.5, 0.5, 0.5]), binarize('{1,2,3}', '{3,2,1}');
SELECT binarize('{1,2}', '{1}');
SELECT binarize('{1,NULL}');
SELECT binarize('{1,2}', '{1,NaN}');
SELECT binarize(array_fill(1.0, ARRAY[65536]));
SELECT dims(binarize(array_fill(1.0, ARRAY[65535])));
SELECT count(*) FILTER (WHERE binarize(a)::text <>
		(SELECT string_agg(CASE WHEN x > 0 THEN '1' ELSE '0' END, '' ORDER BY i)
			FROM unnest(a) WITH ORDINALITY AS u(x, i)) OR
	binarize(a, b)::text <>
		(SELECT string_agg(CASE WHEN x > y THEN '1' ELSE '0' END, '' ORDER BY i)
			FROM unnest(a, b) WITH ORDINALITY AS u(x, y, i))) AS wrong
FROM vectors;

DROP FUNCTION value, lane_sum;
DROP DOMAIN embedding;
-- pairs of real[] have a way of their own, with the same bits at every level
WITH pair AS (
	SELECT i, array_agg((hashint8extended(i, d) % 1000)::real / 7 ORDER BY d) AS a, array_agg((hashint8extended(i, -d) % 1000)::real / 3 ORDER BY d) AS b
		FROM generate_series(1, 80) i, generate_series(1, i) d GROUP BY i)
SELECT count(*), count(*) FILTER (WHERE cosine_distance(a, b) <> cosine_distance(a::float8[], b::float8[])
		OR inner_product(a, b) <> inner_product(a::float8[], b::float8[])) AS different FROM pair;
SELECT cosine_distance('{1,NaN}'::real[], '{1,2}'::real[]);
SELECT inner_product('{1,2}'::real[], '{1,Infinity}'::real[]);
SELECT inner_product('{1,2}'::real[], '{1,2,3}'::real[]), inner_product('{1,NULL}'::real[], '{1,2}'::real[]);
SELECT cosine_distance('{0,0}'::real[], '{1,2}'::real[]), cosine_distance('{1e-44,0}'::real[], '{1e-44,0}'::real[]), inner_product('{3e38,3e38}'::real[], '{3e38,3e38}'::real[]);

-- operators are these functions, whatever types the numbers come in, and whether
-- they are the same for all rows, real or not
\set seed 0.375
\echo seed :seed
SELECT setseed(:seed);
CREATE TEMP TABLE mixed AS
SELECT n, (SELECT array_agg((random() - 0.5)::real) FROM generate_series(1, n)) AS a,
	(SELECT array_agg((random() - 0.5)::real) FROM generate_series(1, n)) AS b,
	(SELECT array_agg(random() - 0.5) FROM generate_series(1, n)) AS d,
	(SELECT array_agg((random() * 100)::int - 50) FROM generate_series(1, n)) AS i
FROM generate_series(1, 120) AS n;
CREATE FUNCTION agrees(l float8[], r float8[], l2 float8, ip float8, cosine float8) RETURNS boolean LANGUAGE sql AS
	'SELECT (l2, ip, cosine) = (l2_distance(l, r), 0 - inner_product(l, r), cosine_distance(l, r))';
SELECT count(*), bool_and(agrees(a, b, a <-> b, a <#> b, a <=> b)) AS reals,
	bool_and(agrees(a, d, a <-> d, a <#> d, a <=> d) AND agrees(d, a, d <-> a, d <#> a, d <=> a)) AS doubles,
	bool_and(agrees(a, n, a <-> n, a <#> n, a <=> n) AND agrees(n, a, n <-> a, n <#> a, n <=> a)) AS numerics,
	bool_and(agrees(a, i, a <-> i, a <#> i, a <=> i) AND agrees(i, a, i <-> a, i <#> a, i <=> a)) AS integers,
	bool_and(agrees(a, i, a <-> i::smallint[], a <#> i::smallint[], a <=> i::bigint[])) AS others,
	bool_and(agrees(d, i, d <-> i, d <#> i, d <=> i) AND agrees(n, i, n <-> i, n <#> i, n <=> i)) AS pairs
FROM (SELECT a, b, d, d::numeric[] AS n, i FROM mixed OFFSET 0) AS s;
CREATE FUNCTION by_parameter(q anyarray) RETURNS SETOF boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT agrees(a, q::float8[], a <-> q, a <#> q, a <=> q) AND
		agrees(q::float8[], a, q <-> a, q <#> a, q <=> a) FROM mixed WHERE n = cardinality(q);
END $$;
SELECT count(*), bool_and(by) AS same FROM mixed, LATERAL (
	SELECT by_parameter(b) UNION ALL SELECT by_parameter(b::float8[]) UNION ALL SELECT by_parameter(d) UNION ALL
	SELECT by_parameter(d::numeric[]) UNION ALL SELECT by_parameter(b::float8[]::numeric[]) UNION ALL
	SELECT by_parameter(i)) AS t(by);
-- a parameter on both sides, neither of them real[]
CREATE FUNCTION two_sides(x float8[], y numeric[]) RETURNS boolean LANGUAGE plpgsql AS
	'BEGIN RETURN agrees(x, y::float8[], x <-> y, x <#> y, x <=> y); END';
SELECT count(*), bool_and(two_sides(d, b::numeric[]) AND two_sides(b, d::numeric[]) AND two_sides(i, i::numeric[])) AS same FROM mixed;
-- in order, NaN of a zero vector at the end
SELECT v <=> '{1,0}' AS cosine, v <-> '{1,0}' AS l2, v <#> '{1,0}' AS product
FROM unnest(ARRAY['[1:2]={0,0}', '{-1,0}', '{2,2}', '{3,0}']) AS t, LATERAL (SELECT t::real[]) AS s(v) ORDER BY v <=> '{1,0}';
SELECT v <-> '{1,0}'::float8[] FROM (VALUES ('{1,2,3}'::real[])) AS s(v);
SELECT v <#> '{1,0}'::numeric[] FROM (VALUES ('{1,NULL}'::real[])) AS s(v);
SELECT v <=> '{1,NULL}'::integer[] FROM (VALUES ('{1,1}'::real[])) AS s(v);
SELECT v <-> '{1,NaN}'::float8[] FROM (VALUES ('{1,1}'::real[])) AS s(v);
SELECT v <-> '{1,1}'::float8[] FROM (VALUES ('{1,-Infinity}'::real[])) AS s(v);
SELECT v <=> '{1,1}' FROM (VALUES ('{{1},{1}}'::real[])) AS s(v);
SELECT v <#> '{{1,1}}'::float8[] FROM (VALUES ('{1,1}'::real[])) AS s(v);
SELECT v <-> '{}'::float8[] FROM (VALUES ('{}'::real[])) AS s(v);
SELECT v <=> '{1e300}'::float8[] FROM (VALUES ('{1e30}'::real[])) AS s(v);
SELECT v <-> '{1e308}'::float8[] FROM (VALUES ('{-1e38}'::real[])) AS s(v);
SELECT NULL::real[] <-> '{1}'::float8[], '{1}'::real[] <=> NULL::numeric[];
DROP FUNCTION agrees, by_parameter, two_sides;
