-- distances between codes and of codes from float queries, against the same
-- computed over digits
-- 2v - (2^b - 1) per dimension: the steps times 2^(b-1)
\set ECHO none
\i sql/include/plan.sql
\i sql/include/code.sql
\set ECHO all
CREATE FUNCTION steps(c bincode) RETURNS int[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(2 * ('x' || lpad(digit, 8, '0'))::bit(32)::int -
		((1 << b) - 1) ORDER BY i), '{}')
	FROM (SELECT CASE WHEN c::text LIKE '%/%' THEN right(c::text, 1)::int
			ELSE 1 END AS b) AS w,
		regexp_split_to_table(split_part(c::text, '/', 1), '')
			WITH ORDINALITY AS d(digit, i)
	WHERE digit <> ''
$$;
CREATE FUNCTION product(a bincode, b bincode, planes int) RETURNS float8
LANGUAGE sql AS $$
	SELECT coalesce(sum(x::bigint * y), 0)::float8 / 4 ^ (planes - 1)
	FROM unnest(steps(a), steps(b)) AS t(x, y)
$$;
CREATE FUNCTION ones(b bit varying) RETURNS int LANGUAGE sql AS $$
	SELECT length(replace(b::text, '0', ''))
$$;
-- sixteen single-precision lanes, by the rule of the kernels
CREATE FUNCTION lane_product(query real[], code bincode, planes int) RETURNS real
LANGUAGE plpgsql AS $$
DECLARE
	step int[] := steps(code);
	lane real[] := array_fill(0::real, ARRAY[16]);
	scale real := 1 << (planes - 1);
	width int := 8;
BEGIN
	FOR i IN 1 .. cardinality(query) LOOP
		lane[(i - 1) % 16 + 1] := lane[(i - 1) % 16 + 1] +
			query[i] * (step[i]::real / scale);
	END LOOP;
	WHILE width >= 1 LOOP
		FOR i IN 1 .. width LOOP
			lane[i] := lane[i] + lane[i + width];
		END LOOP;
		width := width / 2;
	END LOOP;
	RETURN lane[1];
END $$;

-- by hand
SELECT '0101'::bincode <~> '0110' AS hamming, '0101'::bincode <%> '0110' AS jaccard,
	'0101'::bincode <#> '0110' AS product, '0101'::bincode <=> '0110' AS cosine;
SELECT '0123/2'::bincode <#> '3210/2' AS two, '07/3'::bincode <#> '70/3' AS three,
	'0f/4'::bincode <#> '0f/4' AS four, '0123/2'::bincode <=> '3210/2' AS opposite;
SELECT ''::bincode <~> '' AS hamming, ''::bincode <%> '' AS jaccard,
	''::bincode <#> '' AS product, ''::bincode <=> '' AS cosine,
	'/2'::bincode <#> '/2' AS product2, '/2'::bincode <=> '/2' AS cosine2;
SELECT '000'::bincode <%> '000' AS zeros, '000'::bincode <%> '001' AS disjoint;
-- 0, never -0; NaN sorts after every number
SELECT '01'::bincode <#> '00' AS zero, '01'::bincode <#> ARRAY[0, 0] AS zero_query,
	'01'::bincode <#> ARRAY[1, 1] AS cancel, inner_product('01'::bincode, ARRAY[-0.0, 0]) AS plus;
SELECT x FROM (VALUES ('01'::bincode <=> ARRAY[0, 0]), ('01'::bincode <=> '10'),
	(NULL)) AS v(x) ORDER BY x;
SELECT hamming('01', NULL), '01'::bincode <#> NULL::real[], jaccard(NULL, '01');

\set seed 0.75
\echo seed :seed
SELECT setseed(:seed);
CREATE TABLE pairs AS
SELECT n, b, pg_temp.random_code(n, b) AS x, pg_temp.random_code(n, b) AS y
FROM (SELECT generate_series(0, 66) UNION ALL
		SELECT unnest(ARRAY[127, 128, 129, 255, 256, 257, 511, 512, 513, 1000])) AS l(n),
	generate_series(1, 4) AS b;
INSERT INTO pairs SELECT n, b, x, x FROM pairs WHERE n < 40;
INSERT INTO pairs SELECT n, b, x, ~ x FROM pairs WHERE n < 40 AND b = 1;
SELECT count(*) AS pairs, count(*) FILTER (WHERE
	x <~> y <> ones(x::varbit # y::varbit) OR
	x <%> y <> CASE WHEN ones(x::varbit | y::varbit) = 0 THEN 0
		ELSE 1 - ones(x::varbit & y::varbit)::numeric /
			ones(x::varbit | y::varbit) END::float8 OR
	x <~> y <> y <~> x OR x <%> y <> y <%> x OR x <~> x <> 0 OR
	hamming(x, y) <> x <~> y OR jaccard(x, y) <> x <%> y) AS wrong
FROM pairs WHERE b = 1;
SELECT b, count(*) AS pairs, count(*) FILTER (WHERE
	x <#> y <> - p OR x <#> y <> y <#> x OR inner_product(x, y) <> p) AS wrong,
	count(*) FILTER (WHERE
	x <=> y <> CASE WHEN n = 0 THEN 'NaN'
		ELSE 1 - p / sqrt(product(x, x, b) * product(y, y, b)) END OR
	x <=> y <> y <=> x OR cosine_distance(x, y) <> x <=> y OR
	n > 0 AND x <=> x <> 0) AS wrong_cosine
FROM (SELECT *, product(x, y, b) AS p FROM pairs OFFSET 0) AS t
GROUP BY b ORDER BY b;
-- the largest sums there are
SELECT b, x <#> x = - (65535 / b) * ((1 << b) - 1) ^ 2 / 4 ^ (b - 1) AS product,
	x <=> x AS same, x <=> y AS opposite
FROM (SELECT b, (repeat(to_hex((1 << b) - 1), 65535 / b) || '/' || b)::bincode AS x,
		(repeat('0', 65535 / b) || '/' || b)::bincode AS y
	FROM generate_series(1, 4) AS b) AS t;

-- float queries: bit for bit the rule of the kernels
CREATE TABLE queries AS
SELECT n, b, x, coalesce((SELECT array_agg((random() - 0.5)::real * 10 ^ (i % 5 - 2))
	FROM generate_series(1, n) AS i), '{}')::real[] AS q
FROM pairs WHERE n < 40 OR n > 500;
SELECT b, count(*) AS queries, count(*) FILTER (WHERE
	x <#> q <> - p OR q <#> x <> - p OR inner_product(x, q) <> p OR
	inner_product(q, x) <> p) AS wrong,
	count(*) FILTER (WHERE x <=> q <> CASE WHEN n = 0 THEN 'NaN' ELSE
		1 - greatest(-1, least(1, p / sqrt((SELECT sum(v::float8 * v ORDER BY i)
			FROM unnest(q) WITH ORDINALITY AS u(v, i)) * product(x, x, b)))) END OR
	q <=> x <> x <=> q OR cosine_distance(x, q) <> x <=> q OR
	cosine_distance(q, x) <> x <=> q) AS wrong_cosine
FROM (SELECT *, lane_product(q, x, b)::float8 AS p FROM queries OFFSET 0) AS t
GROUP BY b ORDER BY b;
-- the same for each type of array, as what it is cast to real[]
SELECT count(*) AS queries, count(*) FILTER (WHERE
	x <#> q::float8[] <> x <#> q OR q::float8[] <#> x <> x <#> q OR
	x <=> q::float8[] <> x <=> q OR q::float8[] <=> x <> x <=> q OR
	x <#> f <> x <#> f::real[] OR f <#> x <> x <#> f::real[] OR
	x <=> f <> x <=> f::real[] OR f <=> x <> x <=> f::real[] OR
	x <#> m <> x <#> m::real[] OR m <#> x <> x <#> m::real[] OR
	x <=> m <> x <=> m::real[] OR m <=> x <> x <=> m::real[] OR
	x <#> i <> x <#> i::real[] OR i <#> x <> x <#> i::real[] OR
	x <=> i <> x <=> i::real[] OR i <=> x <> x <=> i::real[] OR
	inner_product(x, m) <> inner_product(x, m::real[]) OR
	inner_product(f, x) <> inner_product(x, f::real[]) OR
	cosine_distance(i, x) <> cosine_distance(x, i::real[])) AS wrong
FROM (SELECT x, q,
		(SELECT array_agg(v::float8 / 3) FROM unnest(q) AS v) AS f,
		(SELECT array_agg(v::numeric / 3) FROM unnest(q) AS v) AS m,
		(SELECT array_agg((v * 1e7)::int) FROM unnest(q) AS v) AS i
	FROM queries WHERE n > 0 OFFSET 0) AS t;
-- untyped arrays and strings
SELECT '0101'::bincode <#> ARRAY[1, 2, 3, 4] AS ints, '0101'::bincode <#> ARRAY[1.5, 2, 3, 4] AS decimals,
	ARRAY[1, 2, 3, 4] <#> '0101'::bincode AS reverse, '0101'::bincode <=> ARRAY[1, 2, 3, 4e0] AS cosine,
	'0101'::bincode <#> '{1,2,3,4}'::real[] AS string, '0101'::bincode <#> '0110' AS code;
PREPARE by_float(float8[]) AS SELECT '0101'::bincode <#> $1 AS product;
EXECUTE by_float('{1,2,3,4}');
EXECUTE by_float('{1,2,3,5}');
DEALLOCATE by_float;
-- one call site, changing parameters
DO $$
DECLARE
	code bincode := '11';
	query real[];
	wrong int := 0;
BEGIN
	FOR i IN 1 .. 100 LOOP
		query := ARRAY[i, 1];
		IF code <#> query <> -(i + 1) THEN
			wrong := wrong + 1;
		END IF;
	END LOOP;
	RAISE NOTICE 'wrong: %', wrong;
END $$;

-- what is refused
SELECT '01'::bincode <~> '010';
SELECT '01'::bincode <%> '0101/2';
SELECT '01'::bincode <#> '010';
SELECT '01/2'::bincode <=> '01/3';
SELECT '01/2'::bincode <~> '01/2';
SELECT '01/4'::bincode <%> '01/4';
SELECT '01'::bincode <#> ARRAY[1];
SELECT ARRAY[1.0, 2, 3] <=> '01/2'::bincode;
SELECT '01'::bincode <#> '{}'::real[];
SELECT '01'::bincode <#> ARRAY[[1, 2]];
SELECT '01'::bincode <#> ARRAY[1, NULL];
SELECT '01'::bincode <=> ARRAY[NULL, 1.5];
SELECT '01'::bincode <#> '{1,NaN}'::real[];
SELECT '01'::bincode <#> '{Infinity,1}'::float8[];
SELECT '{1,-Infinity}'::real[] <=> '01'::bincode;
SELECT '01'::bincode <#> '{1,NaN}'::numeric[];
SELECT '01'::bincode <#> '{1,1e39}'::float8[];
SELECT '01'::bincode <#> '{-1e39,1}'::numeric[];
SELECT '01'::bincode <#> '{1,1e400}'::numeric[];
SELECT '01'::bincode <#> '{2e38,2e38}'::real[];
SELECT ''::bincode <#> array_fill(1::real, ARRAY[65536]);
SELECT '01'::bincode <#> ARRAY['a', 'b'];
-- tiny components become 0 or subnormal, as in storage
SELECT '01'::bincode <#> '{1e-60,1}'::numeric[] AS "numeric",
	'01'::bincode <#> '{1e-60,1}'::float8[] AS "double",
	'01'::bincode <=> '{1e-60,0}'::float8[] AS zero;
SELECT ''::bincode <#> '{}'::real[] AS product, ''::bincode <=> '{}'::int[] AS cosine;
SELECT '11'::bincode <#> '[5:6]={1,2}'::int[] AS lower_bound;
-- drivers send whole numbers as the smallest integers that hold them
SELECT inner_product('0123/2'::bincode, q) AS product, inner_product(q, '0123/2'::bincode) AS turned, negative_inner_product('0123/2'::bincode, q) AS negative,
	negative_inner_product(q, '0123/2'::bincode) AS turned, cosine_distance('0123/2'::bincode, q) AS cosine, cosine_distance(q, '0123/2'::bincode) AS turned
FROM (VALUES ('{1,-2,0,4}'::smallint[])) AS v(q) UNION ALL
SELECT inner_product('0123/2'::bincode, q), inner_product(q, '0123/2'::bincode), negative_inner_product('0123/2'::bincode, q),
	negative_inner_product(q, '0123/2'::bincode), cosine_distance('0123/2'::bincode, q), cosine_distance(q, '0123/2'::bincode)
FROM (VALUES ('{1,-2,0,4}'::bigint[])) AS v(q) UNION ALL
SELECT inner_product('0123/2'::bincode, q), inner_product(q, '0123/2'::bincode), negative_inner_product('0123/2'::bincode, q),
	negative_inner_product(q, '0123/2'::bincode), cosine_distance('0123/2'::bincode, q), cosine_distance(q, '0123/2'::bincode)
FROM (VALUES ('{1,-2,0,4}'::real[])) AS v(q);
SELECT '01'::bincode <#> '{3,4}'::smallint[], '{3,4}'::smallint[] <#> '01'::bincode, '01'::bincode <=> '{3,4}'::smallint[], '{3,4}'::smallint[] <=> '01'::bincode,
	'01'::bincode <#> '{3,4}'::bigint[], '{3,4}'::bigint[] <#> '01'::bincode, '01'::bincode <=> '{3,4}'::bigint[], '{3,4}'::bigint[] <=> '01'::bincode,
	'01'::bincode <#> '{3,4}'::real[] AS product, '01'::bincode <=> '{3,4}'::real[] AS cosine;
\set SHOW_CONTEXT never
SELECT '01'::bincode <#> '{1,NULL}'::smallint[];
SELECT '01'::bincode <#> '{1,2,3}'::bigint[];
\set SHOW_CONTEXT errors
CREATE TABLE indexed AS SELECT i AS id, i::bit(8)::bincode(8) AS c FROM generate_series(0, 255) AS i;
CREATE INDEX ON indexed USING hashemb (c bincode_ip_ops);
SET enable_seqscan = off;
SELECT pg_temp.plan_lines($$SELECT id FROM indexed ORDER BY c <#> '{1,2,3,4,5,6,7,8}'::smallint[] LIMIT 3$$, 'Custom|Order');
SELECT pg_temp.plan_lines($$SELECT id FROM indexed ORDER BY '{1,2,3,4,5,6,7,8}'::bigint[] <#> c LIMIT 3$$, 'Custom|Order');
SELECT id FROM indexed ORDER BY c <#> '{1,2,3,4,5,6,7,8}'::smallint[] LIMIT 3;
RESET enable_seqscan;

DROP TABLE pairs, queries, indexed;
DROP FUNCTION product, steps, ones, lane_product;
