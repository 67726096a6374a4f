-- functional_hash: what a function computes
SELECT functional_hash(x ORDER BY i) = functional_hash(x + 1e-12 ORDER BY i) AS nearly, functional_hash(x ORDER BY i) = functional_hash(x + 1e-3 ORDER BY i) AS other,
	functional_hash(x ORDER BY i) = functional_hash(x ORDER BY -i) AS other_order, functional_hash(x ORDER BY i) = functional_hash(-x ORDER BY i) AS sign,
	functional_hash(x ORDER BY i) = functional_hash(x, 24 ORDER BY i) AS by_default, functional_hash(x ORDER BY i) = functional_hash(x, 23 ORDER BY i) AS other_bits
FROM (SELECT i, sin(i) + 2 AS x FROM generate_series(1, 10) AS i) AS s;
-- zeros are one, so are NaNs; NULL, infinities and another number of results are told apart
SELECT array_agg(g ORDER BY g) AS same FROM (SELECT g, functional_hash(x ORDER BY i) AS h FROM (VALUES
	('a zero', 1, 0::float8), ('b minus zero', 1, '-0'), ('c NaN', 1, 'NaN'), ('d NaN', 1, 'NaN'), ('e NULL', 1, NULL), ('f inf', 1, 'Infinity'), ('g -inf', 1, '-Infinity'), ('h twice', 1, 0), ('h twice', 2, 0),
	('i least', 1, '5e-324'), ('j least', 1, '-5e-324'), ('k greatest', 1, '1.7976931348623157e308')) AS v(g, i, x) GROUP BY g) AS s GROUP BY h ORDER BY 1;
SELECT functional_hash(x) AS no_rows FROM (SELECT 1.0::float8 AS x WHERE false) AS s;
-- bytes by formula: bits, number, then for each result kind and sign, exponent, first bits of the mantissa
SELECT functional_hash(x, 10 ORDER BY x DESC) = sha256('\x0a0200000000000000' || '\x000000ff07000000000000'::bytea || '\x01ffff0004000000000000') AS by_formula FROM (VALUES (0.9999), (-0.25)) AS v(x);
-- more results than a buffer holds: all count
SELECT count(DISTINCT h) FROM (SELECT functional_hash(CASE WHEN i = other THEN 0.5 ELSE i END ORDER BY i) AS h FROM generate_series(1, 1000) AS i, unnest('{0,1,372,373,374,999,1000}'::int[]) AS other GROUP BY other) AS s;

-- the share of 20,000 programs of ten probes that get one hash: (a + b) c and a c + b c by bits of the mantissa, and programs that differ by 1e-4 a
-- drawn by hashes, which are the same in every version of the server
\set seed 75
\echo seed :seed
CREATE FUNCTION pg_temp.draw(n bigint, seed bigint) RETURNS float8 LANGUAGE sql IMMUTABLE RETURN (hashint8extended(n, seed) & (1::bigint << 52) - 1) / 2.0::float8 ^ 52;
CREATE FUNCTION pg_temp.normal(n bigint, seed bigint) RETURNS float8 LANGUAGE sql IMMUTABLE RETURN sqrt(-2 * ln(1 - pg_temp.draw(2 * n, seed))) * cos(2 * pi() * pg_temp.draw(2 * n + 1, seed));
CREATE TEMP TABLE probe AS SELECT program, i, pg_temp.normal(n, :seed) AS a, pg_temp.normal(n + 1, :seed) AS b, pg_temp.normal(n + 2, :seed) AS c
FROM generate_series(1, 20000) AS program, generate_series(1, 10) AS i, LATERAL (SELECT 3 * (10 * program + i) AS n) AS at;
CREATE TEMP TABLE hashed AS
SELECT program, ARRAY[functional_hash(x, 52 ORDER BY i) = functional_hash(y, 52 ORDER BY i), functional_hash(x, 44 ORDER BY i) = functional_hash(y, 44 ORDER BY i), functional_hash(x, 36 ORDER BY i) = functional_hash(y, 36 ORDER BY i),
	functional_hash(x ORDER BY i) = functional_hash(y ORDER BY i), functional_hash(x ORDER BY i) = functional_hash(z ORDER BY i), functional_hash(x, 10 ORDER BY i) = functional_hash(z, 10 ORDER BY i)] AS same
FROM (SELECT program, i, (a + b) * c AS x, a * c + b * c AS y, (a + b) * c + 1e-4 * a AS z FROM probe) AS p GROUP BY program;
-- what is expected is itself a measurement of 20,000, rounded in its last digit
SELECT what, abs(share - expected) <= 3 * sqrt(2 * expected * (1 - expected) / 20000) + rounded AS within_3_sigma FROM (
	SELECT k, avg(same[k]::int) AS share FROM hashed, generate_series(1, 6) AS k GROUP BY k) AS s JOIN (VALUES
	(1, 'equal, 52 bits', 0.003, 0.0005), (2, 'equal, 44 bits', 0.950, 0.0005), (3, 'equal, 36 bits', 0.9998, 0.00005), (4, 'equal, 24 bits', 1.0, 0.00005), (5, 'unequal, 24 bits', 0.0, 0.0005), (6, 'unequal, 10 bits', 0.018, 0.0005)) AS v(k, what, expected, rounded) USING (k) ORDER BY k;

-- a cache: each program is measured once, whatever its text
CREATE TEMP TABLE fitness_cache (hash bytea PRIMARY KEY, fitness float8, asked int NOT NULL DEFAULT 1);
INSERT INTO fitness_cache SELECT functional_hash((a + b) * c ORDER BY i), 0.5 FROM probe WHERE program = 1 ON CONFLICT (hash) DO UPDATE SET asked = fitness_cache.asked + 1;
INSERT INTO fitness_cache SELECT functional_hash(a * c + b * c ORDER BY i), 0.5 FROM probe WHERE program = 1 ON CONFLICT (hash) DO UPDATE SET asked = fitness_cache.asked + 1;
SELECT asked FROM fitness_cache;

-- what is refused
SELECT functional_hash(1.0, -1);
SELECT functional_hash(1.0, 53);
SELECT functional_hash(1.0, NULL::int);
SELECT functional_hash(1.0, i) FROM generate_series(23, 24) AS i;
