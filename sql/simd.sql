--
-- Every instruction set gives the results of plain C: distances of all kinds
-- and lengths, and what an index search returns. Which sets there are depends
-- on the machine, so the output names none but "auto".
--
\set seed d1
\echo seed :seed
SET jit = off;
SET enable_seqscan = off;
SET enable_sort = off;
CREATE FUNCTION digits(salt text, n int) RETURNS text LANGUAGE sql IMMUTABLE AS
	$$SELECT left(string_agg(md5(salt || i), '' ORDER BY i), n) FROM generate_series(0, n / 32) i$$;
CREATE FUNCTION ones(salt text, n int) RETURNS bincode LANGUAGE sql IMMUTABLE AS
	$$SELECT translate(digits(salt, n), '23456789abcdef', '01010101010101')::bincode$$;

-- codes of one bit a dimension: of one length for an index, and of many lengths
CREATE TABLE simd_rows AS
SELECT id, id % 7 AS a, ones(:'seed' || id, 517)::bincode(517) AS code FROM generate_series(1, 1500) id;
CREATE INDEX simd_index ON simd_rows USING hashemb (code, a) WITH (block_rows = 50);
CREATE TABLE simd_pairs AS
SELECT n, ones(:'seed' || 'l' || n, n) AS l, ones(:'seed' || 'r' || n, n) AS r
FROM generate_series(1, 1100, 13) n;

-- codes of 2 to 4 bits a dimension
CREATE TABLE simd_planes AS
SELECT n, b, (l || '/' || b)::bincode AS l, (r || '/' || b)::bincode AS r,
	ARRAY(SELECT sin(n * d)::real FROM generate_series(1, n) d) AS q
FROM generate_series(1, 300, 17) n, generate_series(2, 4) b,
	translate(digits(:'seed' || 'p' || n, n), CASE b WHEN 4 THEN '' WHEN 3 THEN '89abcdef' ELSE '456789abcdef' END,
		CASE b WHEN 4 THEN '' WHEN 3 THEN '01234567' ELSE '012301230123' END) l,
	translate(digits(:'seed' || 'q' || n, n), CASE b WHEN 4 THEN '' WHEN 3 THEN '89abcdef' ELSE '456789abcdef' END,
		CASE b WHEN 4 THEN '' WHEN 3 THEN '01234567' ELSE '012301230123' END) r;

-- arrays of numbers
CREATE TABLE simd_arrays AS
SELECT n, ARRAY(SELECT sin(n * d)::real FROM generate_series(1, n) d) AS l,
	ARRAY(SELECT cos(n + d)::real FROM generate_series(1, n) d) AS r
FROM generate_series(1, 600, 7) n;

-- a value of a level and its hash: what to compare
CREATE FUNCTION results() RETURNS TABLE (what text, hash text) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT 'pairs', md5(string_agg(concat_ws(' ', l <~> r, l <%> r, l <#> r, l <=> r,
		hamming_within(l, r, n / 2)), ',' ORDER BY n)) FROM simd_pairs;
	RETURN QUERY SELECT 'planes', md5(string_agg(concat_ws(' ', l <#> r, l <=> r, l <#> q, l <=> q), ','
		ORDER BY n, b)) FROM simd_planes;
	RETURN QUERY SELECT 'arrays', md5(string_agg(concat_ws(' ', l <-> r, l <#> r, l <=> r, l <-> r::float8[]), ','
		ORDER BY n)) FROM simd_arrays;
	RETURN QUERY SELECT 'aggregate', bit_majority(code)::text FROM simd_rows;
	RETURN QUERY SELECT 'search', md5(string_agg(id || ' ' || d, ',')) FROM
		(SELECT id, code <~> (SELECT code FROM simd_rows ORDER BY id LIMIT 1) AS d FROM simd_rows WHERE a < 4
		ORDER BY code <~> (SELECT code FROM simd_rows ORDER BY id LIMIT 1) LIMIT 40) s;
END $$;

-- distances by their definition, so that not all levels are wrong in one way
SELECT count(*) AS pairs, count(*) FILTER (WHERE
	l <~> r <> (SELECT count(*) FROM generate_series(1, n) i WHERE substr(l::text, i, 1) <> substr(r::text, i, 1)))
	AS wrong FROM simd_pairs;

SET regress.query = '01';
EXPLAIN (COSTS OFF) SELECT id FROM simd_rows WHERE a < 4
ORDER BY code <~> current_setting('regress.query')::bincode LIMIT 40;

CREATE TABLE simd_results (level text, what text, hash text);
DO $$
DECLARE
	level text;
BEGIN
	FOR level IN SELECT unnest(enumvals) FROM pg_settings WHERE name = 'hashemb.simd' LOOP
		PERFORM set_config('hashemb.simd', level, false);
		INSERT INTO simd_results SELECT level, * FROM results();
	END LOOP;
END $$;
RESET hashemb.simd;
SHOW hashemb.simd;

-- plain C is always there, and at least "auto" beside it
SELECT count(DISTINCT level) >= 2 AS several, bool_or(level = 'scalar') AS scalar FROM simd_results;
SELECT what, count(DISTINCT hash) AS different, bool_or(hash IS NULL) AS missing
FROM simd_results GROUP BY what ORDER BY what;
\set VERBOSITY terse
SET hashemb.simd = 'abacus';
SET hashemb.simd = '';
SHOW hashemb.simd;

DROP TABLE simd_rows, simd_pairs, simd_planes, simd_arrays, simd_results;
DROP FUNCTION digits, ones, results;
