-- svec: constructor, casts from and to arrays and jsonb
SELECT svec('{3,1}'::int[], '{1.5,-2}'::real[], 7);
SELECT svec('{3,1}', '{1.5,-2}', 7) AS untyped, svec(ARRAY[3,1], ARRAY[1.5,-2], 7) AS "numeric",
	svec(ARRAY[3,1], ARRAY[1,2], 7) AS "integer", svec('{3,1}', '{1.5,-2}'::float8[], 7) AS "float8";
SELECT svec('{}', '{}', 7), svec('{1,2}', '{0,-0}', 7);
SELECT svec('[5:6]={1,2}'::int[], '[-1:0]={3,4}'::real[], 7) AS other_bounds;
SELECT svec('{1}', '{1,2}', 7);
SELECT svec('{1,1}', '{1,2}', 7);
SELECT svec('{1,1}', '{1,0}', 7);
SELECT svec('{0}', '{1}', 7);
SELECT svec('{8}', '{1}', 7);
SELECT svec('{-2147483648}', '{1}', 7);
SELECT svec('{1}', '{1}', 0);
SELECT svec('{1}', '{1}', -2147483648);
SELECT svec('{1}', '{1}', 1000000001);
SELECT svec('{1,NULL}', '{1,2}', 7);
SELECT svec('{1,2}', '{1,NULL}', 7);
SELECT svec('{{1,2}}', '{{1,2}}', 7);
SELECT svec('{1}', '{NaN}', 7);
SELECT svec('{1}', '{-Infinity}', 7);
SELECT svec('{1}', '{1e39}', 7);
SELECT svec('{1}', '{1e-300}', 7);
SELECT svec(array_agg(i), array_agg(1), 100000) FROM generate_series(1, 65536) i;
SELECT svec(NULL, '{1}', 7) IS NULL AS "null";

-- dense arrays
SELECT '{0,1.5,0,-2}'::real[]::svec AS "real", '{0,1.5,0,-2}'::float8[]::svec AS "float8",
	'{0,1.5,0,-2}'::numeric[]::svec AS "numeric", '{0,1,0,-2}'::int[]::svec AS "integer";
SELECT ARRAY[0,0]::svec(2), '[3:5]={0,7,0}'::int[]::svec(3), '{16777217}'::int[]::svec AS rounded;
SELECT '{0,1}'::real[]::svec(3);
SELECT '{}'::real[]::svec;
SELECT '{{1,2},{3,4}}'::real[]::svec;
SELECT '{1,NULL}'::real[]::svec;
SELECT '{1,NaN}'::real[]::svec;
SELECT '{1,Infinity}'::float8[]::svec;
SELECT '{1,1e39}'::float8[]::svec;
SELECT '{1,1e-300}'::float8[]::svec;
SELECT '{1,NaN}'::numeric[]::svec;
SELECT '{1,1e39}'::numeric[]::svec;
SELECT array_agg(i)::svec FROM generate_series(1, 65536) i;
SELECT nnz(v), dims(v) FROM (SELECT array_agg(i / 2)::svec AS v FROM generate_series(1, 130000, 2) i) s;
SELECT '{2:1.5,4:-2}/4'::svec::real[], '{}/3'::svec::real[];
SELECT array_length('{1000000:1}/1000000'::svec::real[], 1);
SELECT '{1:1}/1000000000'::svec::real[];
SELECT '{1:1}/134217728'::svec::real[];
-- assigned without a cast, but never taken for one another
CREATE TABLE svec_cast (v svec(3), a real[]);
INSERT INTO svec_cast VALUES (ARRAY[0,2,0]::real[], '{3:1}/3'::svec);
INSERT INTO svec_cast VALUES ('{"3": 2.5}'::jsonb, NULL);
INSERT INTO svec_cast VALUES (ARRAY[1,2]::real[], NULL);
SELECT * FROM svec_cast;
SELECT v <#> ARRAY[1,2,3]::real[] FROM svec_cast;
\echo seed 0.75
SELECT setseed(0.75);
SELECT count(*) AS differing FROM
	(SELECT array_agg(CASE WHEN random() < 0.5 THEN 0 ELSE random()::real END) AS a
	 FROM generate_series(1, 100) i, generate_series(1, 1 + i) j GROUP BY i) s
	WHERE a::svec::real[] <> a;

-- jsonb
SELECT '{"3": 1.5, "1": -2, "10": 0}'::jsonb::svec(10);
SELECT '{"3": 1.5, "1": -2}'::jsonb::svec AS widest, '{}'::jsonb::svec(4), svec('{"2": 1e-3}', 4),
	'{"1": 0.1}'::jsonb::svec(1) = '{1:0.1}/1' AS same;
SELECT '{"3": 1.5}'::jsonb::svec(2);
SELECT '{"0": 1.5}'::jsonb::svec(2);
SELECT '{"-1": 1.5}'::jsonb::svec(2);
SELECT '{"1": 1, "01": 2}'::jsonb::svec(2);
SELECT '{"a": 1}'::jsonb::svec(2);
SELECT '{"": 1}'::jsonb::svec(2);
SELECT '{"1.0": 1}'::jsonb::svec(2);
SELECT '{"1 ": 1}'::jsonb::svec(2);
SELECT '{" 1": 1}'::jsonb::svec(2);
SELECT '{"1e0": 1}'::jsonb::svec(2);
SELECT '{"99999999999999999999": 1}'::jsonb::svec(2);
SELECT '{"1": null}'::jsonb::svec(2);
SELECT '{"1": "1"}'::jsonb::svec(2);
SELECT '{"1": true}'::jsonb::svec(2);
SELECT '{"1": [1]}'::jsonb::svec(2);
SELECT '{"1": {"1": 1}}'::jsonb::svec(2);
SELECT '{"1": 1e39}'::jsonb::svec(2);
SELECT '{"1": 1e-60}'::jsonb::svec(2);
SELECT '[1, 2]'::jsonb::svec(2);
SELECT '5'::jsonb::svec(2);
SELECT 'null'::jsonb::svec(2);
SELECT svec('{"1": 1}', 0);
SELECT svec('{"1": 1}', -1);
SELECT svec('{"1": 1}', NULL) IS NULL AS "null";
SELECT jsonb_object_agg(i, 1)::svec(100000) FROM generate_series(1, 65536) i;

-- numbers of thousands of digits: an error repeats none of them, and reading can
-- be cancelled before it comes to what is refused
SELECT ('{1}'::numeric[] || array_fill('1e130000'::numeric, ARRAY[5000]))::svec;
SELECT '{1,1e-16000}'::numeric[]::svec;
SELECT '{1,Infinity}'::numeric[]::svec;
SELECT ('{"1": 1' || repeat('0', 100000) || '}')::jsonb::svec;
SELECT ('{"' || repeat('9', 100000) || '": 1}')::jsonb::svec;
SELECT '{0.0e-16000,1}'::numeric[]::svec, '{1.00000005960464477539062500000000000001}'::numeric[]::svec AS rounded_once;
SET statement_timeout = '50ms';
SELECT (array_fill('0e-16000'::numeric, ARRAY[100000]) || 'NaN'::numeric)::svec;
RESET statement_timeout;

-- which casts there are, and that none but the length coercion is implicit
SELECT castsource::regtype AS source, casttarget::regtype AS target, castcontext, castmethod
	FROM pg_cast WHERE 'svec'::regtype IN (castsource, casttarget) ORDER BY 1, 2;

-- codes from the signs of random projections
CREATE FUNCTION svec_mix(x numeric) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	w CONSTANT numeric := 18446744073709551616;
	high numeric;
	shifts CONSTANT int[] := '{30,27,31}';
	factors CONSTANT numeric[] := '{13787848793156543929,10723151780598845931,1}';
	s numeric;
BEGIN
	x := mod(x + 11400714819323198485, w);
	FOR r IN 1..3 LOOP
		s := div(x, 2::numeric ^ shifts[r]);
		-- exclusive or of two numbers below 2^64, 32 bits at a time
		high := ((div(x, 4294967296)::bigint # div(s, 4294967296)::bigint))::numeric;
		x := high * 4294967296 + (mod(x, 4294967296)::bigint # mod(s, 4294967296)::bigint);
		x := mod(x * factors[r], w);
	END LOOP;
	RETURN x;
END
$$;
CREATE FUNCTION svec_simhash(v svec, bits int, seed int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT string_agg(CASE WHEN sum > 0 THEN '1' ELSE '0' END, '' ORDER BY d) FROM
		(SELECT d, coalesce(sum(CASE WHEN mod(div(h, 2::numeric ^ (63 - (d - 1) % 64)), 2) = 1
			THEN w::float8 ELSE -w::float8 END ORDER BY i), 0) AS sum
		 FROM generate_series(1, bits) d
		 LEFT JOIN (SELECT i, w, word, svec_mix(svec_mix(svec_mix(
				mod(seed + 18446744073709551616, 18446744073709551616)) + i) + word) AS h
			FROM unnest(indices(v), weights(v)) u(i, w),
				generate_series(0, (bits - 1) / 64) word) s
		 ON word = (d - 1) / 64 GROUP BY d) t
$$;
SELECT svec_mix(0) = 16294208416658607535 AS splitmix64;
SELECT simhash('{1:1,2:-5,3:5}/4', 70, 1);
SELECT bits, seed, simhash(v, bits, seed)::text = svec_simhash(v, bits, seed) AS same FROM
	(SELECT svec_agg(i * i, sin(i), 1000000000) AS v FROM generate_series(1, 20) i) s,
	(VALUES (1, 0), (63, 1), (64, -1), (65, 2147483647), (200, -2147483648)) p(bits, seed);
SELECT simhash('{}/5', 9, 3) AS zeros, hamming(simhash('{1:1}/5', 9, 3), simhash('{1:-2}/5', 9, 3)) AS nine;
SELECT simhash('{1:1}/5', 8, 3) = simhash('{1:1}/6', 8, 3) AS dims_do_not_matter,
	simhash('{1:1}/5', 8, 3) = simhash('{1:7}/5', 8, 3) AS length_does_not_matter,
	simhash('{1:1}/5', 64, 3) <> simhash('{1:7}/5', 64, 4) AS seed_matters;
SELECT dims(simhash('{1:1}/5', 65535, 3));
SELECT simhash('{1:1}/5', 0, 3);
SELECT simhash('{1:1}/5', -1, 3);
SELECT simhash('{1:1}/5', 65536, 3);
-- Hamming distance is about bits * angle / pi: within 5 standard deviations
\echo seed 0.625
SELECT setseed(0.625);
CREATE TABLE svec_random AS SELECT a, s, i, random() - 0.5 AS x, random() - 0.5 AS y
	FROM unnest('{0.1,0.5,1,2,5}'::float8[]) a, generate_series(1, 30) s, generate_series(1, 40) i;
CREATE TABLE svec_angles AS
	SELECT a, s, svec_agg(i, x, 1000) AS x, svec_agg(i, x + a * y, 1000) AS y
	FROM svec_random GROUP BY a, s;
SELECT a, count(*) FILTER (WHERE abs(h - 4096 * p) > 5 * sqrt(4096 * p * (1 - p))) AS off,
	abs(avg(h) / 4096 - avg(p)) < 0.005 AS unbiased
	FROM (SELECT a, hamming(simhash(x, 4096, s), simhash(y, 4096, s)) AS h,
			acos(1 - (x <=> y)) / pi() AS p FROM svec_angles) d
	GROUP BY a ORDER BY a;
-- as many ones as zeros, in every bit and over seeds
SELECT max(abs(ones - 200)) < 60 AS fair FROM
	(SELECT b, count(*) FILTER (WHERE substr(c, b, 1) = '1') AS ones FROM
		(SELECT simhash('{1:1,7:0.5,90:2}/100', 128, s)::text AS c FROM generate_series(1, 400) s) t,
		generate_series(1, 128) b GROUP BY b) u;

DROP TABLE svec_cast, svec_random, svec_angles;
DROP FUNCTION svec_simhash, svec_mix;
