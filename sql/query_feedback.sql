-- query_feedback: a query and its first results as a second query
SELECT query_feedback('{3,4}'::real[], '{}'::bincode[], '{}') AS alone, query_feedback('{3,4}'::real[], '{}'::real[], '{}') AS alone;
SELECT query_feedback('{1,0}'::real[], '{10,11}'::bincode[], '{0.5,0.5}') AS codes, query_feedback('{1,0}'::real[], '{{0,1},{2,0}}'::real[], '{0.5,-0.5}') AS vectors;
-- by a formula in SQL: the unit vectors' sum; codes stand for their decoded numbers
\set seed 0.125
\echo seed :seed
SELECT setseed(:seed);
CREATE TEMP TABLE found AS SELECT planes, i, array_agg((random() - 0.5)::float8 ORDER BY d) AS x, (string_agg(to_hex(floor(random() * (1 << planes))::int), '' ORDER BY d) || CASE WHEN planes > 1 THEN '/' || planes ELSE '' END)::bincode AS code, random() - 0.3 AS weight
FROM generate_series(1, 4) AS planes, generate_series(1, 7) AS i, generate_series(1, 37) AS d GROUP BY planes, i;
CREATE TEMP TABLE asked AS SELECT array_agg((random() - 0.5)::float8) AS q FROM generate_series(1, 37);
-- level v of b bits, as inner products with unit arrays give it
CREATE FUNCTION pg_temp.levels(c bincode) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(inner_product(c, ARRAY(SELECT (e = d)::int::real FROM generate_series(1, dims(c)) AS e ORDER BY e)) ORDER BY d) FROM generate_series(1, dims(c)) AS d $$;
CREATE FUNCTION pg_temp.unit(x float8[]) RETURNS float8[] LANGUAGE sql AS 'SELECT array_agg(v / sqrt((SELECT sum(w * w) FROM unnest(x) AS w)) ORDER BY o) FROM unnest(x) WITH ORDINALITY AS u(v, o)';
CREATE FUNCTION pg_temp.expected(what text, p int) RETURNS float8[] LANGUAGE sql AS $$
	SELECT pg_temp.unit(array_agg(s ORDER BY o)) FROM (SELECT o, sum(v * w) AS s FROM (SELECT pg_temp.unit(q) AS u, 1.0::float8 AS w FROM asked UNION ALL
		SELECT pg_temp.unit(CASE what WHEN 'codes' THEN pg_temp.levels(code) ELSE x END), weight FROM found WHERE planes = p) AS part, unnest(u) WITH ORDINALITY AS e(v, o) GROUP BY o) AS sums $$;
SELECT planes, l2_distance(query_feedback(q, codes, weights), pg_temp.expected('codes', planes)) < 1e-6 AS codes, l2_distance(query_feedback(q, vectors, weights), pg_temp.expected('vectors', planes)) < 1e-6 AS vectors,
	query_feedback(q, vectors, weights) = query_feedback(scaled, vectors, weights) AS length_does_not_count
FROM asked, (SELECT array_agg(v * 8) AS scaled FROM asked, unnest(q) AS v) AS t, (SELECT planes, array_agg(code ORDER BY i) AS codes, array_agg(x ORDER BY i) AS vectors, array_agg(weight ORDER BY i) AS weights FROM found GROUP BY planes) AS s ORDER BY planes;
-- numbers of any size, and vectors that have no direction
SELECT query_feedback('{1e300,1e300}'::float8[], '{{1e-300,-1e-300},{0,0}}'::float8[], '{1,1}') AS sizes;
-- what is refused
SELECT query_feedback('{0,0}'::real[], '{10}'::bincode[], '{1}');
SELECT query_feedback('{}'::real[], '{}'::bincode[], '{}');
SELECT query_feedback('{1,NaN}'::real[], '{10}'::bincode[], '{1}');
SELECT query_feedback('{1,0}'::real[], '{10}'::bincode[], '{NaN}');
SELECT query_feedback('{1,0}'::real[], '{10}'::bincode[], '{1,1}');
SELECT query_feedback('{1,0}'::real[], '{10,101}'::bincode[], '{1,1}');
SELECT query_feedback('{1,0}'::real[], '{10,NULL}'::bincode[], '{1,1}');
SELECT query_feedback('{1,0}'::real[], '{{10}}'::bincode[], '{1}');
SELECT query_feedback('{1,0}'::real[], '{1,0}'::real[], '{1}');
SELECT query_feedback('{1,0}'::real[], '{{1,0,0}}'::real[], '{1}');
SELECT query_feedback('{1,0}'::real[], '{{1,NULL}}'::real[], '{1}');
SELECT query_feedback('{1,0}'::real[], '{{1,0},{1,Infinity}}'::real[], '{1,1}');
SELECT query_feedback('{1,0}'::real[], '{{-1,0}}'::real[], '{1}');
