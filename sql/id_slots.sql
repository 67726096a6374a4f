--
-- hash_slots: slots of ids in shared tables
--
-- values that stay, as a program in another language computes them
SELECT hash_slots(42, 'user', 3, 1000), hash_slots('', '', 2, 2147483647) AS empty, hash_slots(-9223372036854775808, 'item', 2, 2147483647) AS least;
SELECT hash_slots('grüße, 世界', 'title', 4, 65536), hash_slots('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, 'doc', 1, 10) AS uuid;

-- the definition again, in SQL: numbers of 64 bits as numeric
CREATE FUNCTION low(x numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT mod(mod(x, 18446744073709551616) + 18446744073709551616, 18446744073709551616) $$;
CREATE FUNCTION xor(a numeric, b numeric) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN -- in halves that fit bigint
	RETURN (div(a, 4294967296)::bigint # div(b, 4294967296)::bigint)::numeric * 4294967296 + (mod(a, 4294967296)::bigint # mod(b, 4294967296)::bigint);
END $$;
CREATE FUNCTION mix(x numeric) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	x := low(x + 11400714819323198485);
	x := low(xor(x, div(x, 2::numeric ^ 30)) * 13787848793156543929);
	x := low(xor(x, div(x, 2::numeric ^ 27)) * 10723151780598845931);
	RETURN xor(x, div(x, 2::numeric ^ 31));
END $$;
CREATE FUNCTION hash_of(seed numeric, bytes bytea) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	h numeric := mix(seed);
	word numeric;
BEGIN
	FOR start IN 0 .. length(bytes) - 1 BY 8 LOOP
		word := 0;
		FOR i IN start .. least(start + 8, length(bytes)) - 1 LOOP
			word := word + get_byte(bytes, i) * 256::numeric ^ (i - start);
		END LOOP;
		h := mix(xor(h, round(word)));
	END LOOP;
	RETURN mix(xor(h, length(bytes)));
END $$;
CREATE FUNCTION slots_of(value text, feature text, k int, m int) RETURNS int[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(mod(mix(low(hash_of(hash_of(0, convert_to(feature, 'UTF8')), convert_to(value, 'UTF8')) + j * 11400714819323198485)), m)::int ORDER BY j)
	FROM generate_series(0, k - 1) j $$;
SELECT count(*) AS values, count(*) FILTER (WHERE hash_slots(v, f, 3, m) IS DISTINCT FROM slots_of(v, f, 3, m)) AS different
	FROM (SELECT repeat(chr(97 + i % 20), i % 30) || i AS v, left('feature', i % 8) AS f, 1 + i * i * 977 AS m FROM generate_series(1, 200) i) s;

-- one id of any type has the same slots
SELECT count(DISTINCT slots) AS kinds FROM unnest(ARRAY[hash_slots(7::smallint, 'f', 4, 100)::text, hash_slots(7, 'f', 4, 100)::text, hash_slots(7::bigint, 'f', 4, 100)::text,
	hash_slots('7', 'f', 4, 100)::text, hash_slots('7'::varchar, 'f', 4, 100)::text, hash_slots('7'::name, 'f', 4, 100)::text]) slots;
PREPARE slots_of_parameter AS SELECT hash_slots($1, 'f', 4, 100) = hash_slots(7, 'f', 4, 100) AS same;
EXECUTE slots_of_parameter('7');
SELECT hash_slots(NULL::bigint, 'f', 1, 10), hash_slots(1, NULL, 1, 10);

-- a million ids: chi-square of 1,000 slots with 999 degrees of freedom, within 5 standard deviations; ids that are multiples of the number of slots, too
CREATE TEMP TABLE slot AS SELECT i, hash_slots(i, 'user', 2, 1000) AS u, (hash_slots(i, 'item', 1, 1000))[1] AS item, (hash_slots(i * 1000::bigint, 'user', 1, 1000))[1] AS even
	FROM generate_series(1, 1000000) i;
CREATE FUNCTION chi_square(slots regclass, col text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	chi float8;
BEGIN
	EXECUTE format('SELECT sum((n - 1000) ^ 2 / 1000.0) FROM (SELECT count(g.%s) AS n FROM generate_series(0, 999) s LEFT JOIN %s g ON g.%s = s GROUP BY s) c', col, slots, col) INTO chi;
	RETURN chi;
END $$;
CREATE TEMP TABLE flat AS SELECT u[1] AS first, u[2] AS second, item, even FROM slot;
SELECT col, chi_square('flat', col) BETWEEN 999 - 5 * sqrt(2 * 999) AND 999 + 5 * sqrt(2 * 999) AS uniform FROM unnest('{first,second,item,even}'::text[]) col;
SELECT min(first) = 0 AND max(first) = 999 AS from_0_to_999 FROM flat;
-- slots of two features, and two slots of one, have nothing to do with each other
SELECT abs(corr(first, item)) < 0.005 AS features, abs(corr(first, second)) < 0.005 AS slots, abs(corr(first, even)) < 0.005 AS ids FROM flat;
-- so have equality of both: chi-square of pairs in a table of 30 x 30
SELECT sum((n - 1e6 / 900) ^ 2 / (1e6 / 900)) BETWEEN 899 - 5 * sqrt(2 * 899) AND 899 + 5 * sqrt(2 * 899) AS independent
	FROM (SELECT count(*) AS n FROM (SELECT (hash_slots(i, 'user', 1, 30))[1] AS a, (hash_slots(i, 'item', 1, 30))[1] AS b FROM generate_series(1, 1000000) i) s GROUP BY a, b) c;
-- the share of a table that n ids occupy: 1 - exp(-n/m)
SELECT abs(count(DISTINCT s)::float8 / 200000 - (1 - exp(-0.5))) < 0.003 AS occupied FROM (SELECT (hash_slots(i, 'user', 1, 200000))[1] AS s FROM generate_series(1, 100000) i) t;

-- the signed hashing trick: signs are a feature of their own, and inner products of hashed vectors are right on average
SELECT abs(sum(sign)) < 5000 AS balanced, abs(corr(sign, first)) < 0.005 AS apart FROM (
	SELECT 2 * (hash_slots(i, 'user sign', 1, 2))[1] - 1 AS sign, u[1] AS first FROM slot) s;
-- QR: quotient and remainder of one slot in a large table; two ids share both only if they share the slot
SELECT count(DISTINCT s) = count(DISTINCT (s / 300, s % 300)) AS pairs, max(s / 300) < 300 AS quotients FROM (SELECT (hash_slots(i, 'user', 1, 300 * 300))[1] AS s FROM generate_series(1, 50000) i) t;
-- ROBE: each chunk of 8 numbers of a row of 32 begins at a slot of one memory of 1,000
SELECT count(*) AS chunks, min(start) >= 0 AND max(start + 7) < 1000 AS inside FROM (SELECT unnest(hash_slots(i, 'user', 4, 1000 - 8 + 1)) AS start FROM generate_series(1, 10000) i) t;
-- DHE: 64 numbers from -1 to 1, of mean 0 and variance 1/3
SELECT abs(avg(x)) < 0.005 AS mean, abs(var_pop(x) - 1.0 / 3) < 0.005 AS variance FROM (SELECT 2 * unnest(hash_slots(i, 'user', 64, 1000000)) / 999999.0 - 1 AS x FROM generate_series(1, 5000) i) t;

SELECT hash_slots(1, 'f', 0, 10);
SELECT hash_slots(1, 'f', 65536, 10);
SELECT hash_slots(1, 'f', 1, 0);
SELECT hash_slots(1, 'f', 1, -5);
SELECT hash_slots(1.5, 'f', 1, 5);

DROP FUNCTION low, xor, mix, hash_of, slots_of, chi_square;
